// impair.mjs: two browsers call each other through privatecall-media while the
// network of one of them is bad (tests/net/impair.c); what came of it is in
// doc/impairment.md

import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { servePage, startBrowser } from '../browser.mjs';
import { until } from '../children.mjs';
import { befriend, headlines, mediaFlows, mediaGoOn, online, ring } from
	'../headless.mjs';
import { scene } from '../scene.mjs';
import { assert, equal, story } from '../story.mjs';
import { startTurn, WAYS } from '../turn.mjs';

const DOC = resolve(dirname(fileURLToPath(import.meta.url)),
	'../../../doc/impairment.md');
// One has IPv6 alone, the other IPv4 alone.
const HOSTS = { media: ['10.77.0.1', 'fd77::1'], alice: ['fd77::2'],
	bob: ['10.77.0.3'], turn: ['fd77::4', '10.77.0.4'] };
// Whose certificate of TURN no authority knows.
const FLAGS = ['--ignore-certificate-errors'];
let page;

// A row of the document, which has it; or it is about to be written anew.
function row(t, network, what) {
	const text = `| ${network} | ${t.definition.media} | Chromium: ${what} | ` +
		'`stories/impair.mjs` |\n';
	t.dialogue.add('row', '--', text.trim());
	if (process.env.IMPAIRMENT_ROWS)
		appendFileSync(process.env.IMPAIRMENT_ROWS, text);
	else
		assert(readFileSync(DOC, 'utf8').includes(text),
			`not in doc/impairment.md, run tests/net/table.sh: ${text}`);
}

async function phone(t, name) {
	const browser = await startBrowser({ dir: join(t.dir, name),
		page: await page, host: t.net.host(name), more: FLAGS });
	t.ownBrowsers.push(browser);
	await Promise.all([(await page).port, t.prosody.httpPort].map((port) =>
		t.net.forward(name, port)));
	return browser.openPhone({ name, jid: t.jid(name), password: 'secret',
		websocket: t.prosody.websocket });
}

// Alice and bob, each in a browser on a host of his own, know each other. `run`
// gets them and how alice calls bob.
async function withPhones(t, run) {
	page ??= servePage(process.env.TMPDIR ?? t.dir);
	t.ownBrowsers = [];
	for (const name of ['alice', 'bob'])
		t.user(name);
	try {
		const [alice, bob] = await Promise.all(['alice', 'bob'].map(
			(name) => phone(t, name)));
		await Promise.all([online(alice), online(bob)]);
		const [a, b] = ['alice', 'bob'].map((name) =>
			t.contact(t.user(name)));
		await Promise.all([befriend(alice, b, t.domain),
			befriend(bob, a, t.domain)]);
		await run({ alice, bob, dials: b, shownAs: `${a}/call` });
	} finally {
		await Promise.all(t.ownBrowsers.map((b) => b.stop().catch(() => {})));
	}
}

async function answered(o) {
	const sid = await ring(o);
	await o.bob.answer(sid.b);
	return sid;
}

async function connected({ alice, bob }, sid) {
	for (const [who, id] of [[alice, sid.a], [bob, sid.b]])
		await who.wait('connection', { sid: id, state: 'connected' });
	return Promise.all([mediaFlows(alice, sid.a), mediaFlows(bob, sid.b)]);
}

// More frames and sound on both sides than before.
async function goesOn({ alice, bob }, sid, work = () => {}) {
	await work();
	const before = await Promise.all([alice.stats(sid.a),
		bob.stats(sid.b)]);
	await Promise.all([mediaGoOn(alice, sid.a, before[0]),
		mediaGoOn(bob, sid.b, before[1])]);
}

async function hangUp({ alice, bob }, sid) {
	for (const [who, id] of [[alice, sid.a], [bob, sid.b]])
		assert(!(await who.log()).some((e) => e.what === 'terminated' &&
			e.sid === id), `${who.name}'s call has ended`);
	await alice.hangup(sid.a);
	const end = await bob.wait('terminated', { sid: sid.b });
	equal(end.reason, 'success', 'reason');
}

const BAD = [
	['jitter of 20 to 100 ms', { delay: 20, jitter: 80 }],
	['one of 20 overtaken by 5', { delay: 5, reorder: 50, late: 5 }],
	['one of 20 twice', { dup: 50 }],
	['200 ms', { delay: 200 }],
];
const GOES_ON = 'pictures and sound go on on both sides';

async function badNetwork(t, o) {
	const did = [];
	await t.net.link('alice', 'both', { loss: 50 });
	const sid = await answered(o);
	const [a, b] = await connected(o, sid);
	assert(/ \[?fd77::1/.test(a.transport.remote) &&
		/ 10\.77\.0\.1:/.test(b.transport.remote),
	`${a.transport.remote} and ${b.transport.remote}`);
	did.push(['IPv6 alone, the other IPv4 alone',
		'pictures and sound on both sides']);
	await goesOn(o, sid);
	const { 'out.lost.rtp': lost, 'in.lost.rtp': too } =
		await t.net.count('alice');
	assert(lost && too, 'nothing was lost');
	did.push(['loss of 5 %', `connected; ${GOES_ON}`]);
	for (const [name, how] of BAD) {
		await goesOn(o, sid, () => t.net.link('alice', 'both', how));
		did.push([name, GOES_ON]);
	}
	await t.net.link('alice', 'both');
	await goesOn(o, sid, () => t.net.nat('alice', 'fd77:9::2'));
	did.push(['another address and port in mid-call', GOES_ON]);
	await hangUp(o, sid);
	await t.net.nat('alice', 'off');
	return did;
}

const BLOCKED = 'no ICE checks from the caller\'s device: if its network ' +
	'blocks UDP, it needs TURN';

async function blocked(t, o) {
	const [blocks, from] = [(await t.net.count('alice'))['out.blocked'] ?? 0,
		(await o.alice.log()).length];
	const sid = await answered(o);
	await until(async () => (await t.net.count('alice'))['out.blocked'] >
		blocks, 'nothing was blocked');
	await o.alice.wait('accepted', { sid: sid.a });
	await t.daemon.clock('+20s');
	for (const [who, id] of [[o.alice, sid.a], [o.bob, sid.b]]) {
		const end = await who.wait('terminated', { sid: id });
		equal([end.reason, end.text], ['connectivity-error',
			`The call could not be connected (${BLOCKED}).`],
		`${who.name} is told`);
		await until(async () => (await headlines(who)).some(
			({ body }) => body.includes(BLOCKED)),
		`${who.name} has no notice of it`);
	}
	assert(t.daemon.readLog().includes(`step="${BLOCKED}"`),
		'the log does not say so');
	assert(!(await o.alice.log()).slice(from).some((e) =>
		e.what === 'connection' && e.state === 'connected'),
	'alice was connected');
	return [['UDP blocked, no TURN', '`connectivity-error` for both after ' +
		'`connect_timeout`; step and remedy in its text, notices and log']];
}

async function relayed(t, o, how) {
	const sid = await answered(o);
	const [a, b] = await connected(o, sid);
	assert(/^relay /.test(a.transport.local),
		`alice is at ${a.transport.local}`);
	equal(a.transport.relayed, how, 'her way to TURN');
	assert(!/^relay/.test(b.transport.local),
		`bob is at ${b.transport.local}`);
	await goesOn(o, sid);
	await hangUp(o, sid);
	return [[`UDP blocked, TURN over ${how}, named by the server (XEP-0215)`,
		'connected through it, the other side without; ' + GOES_ON]];
}

for (const [media, how] of [['blind', 'tcp'], ['room', 'tls']])
	story(`${media}: browsers call each other while the network of one ` +
		'loses, delays, reorders, moves, blocks UDP, and with TURN', {
		media, net: HOSTS, lasts: 200, slow: true, heavy: true, not: {
			transparent: 'the network is the same there',
			ejabberd: 'the network is the same there' } }, async (t) => {
		const dir = t.dir;
		await scene(t, { modules: ['admin_shell'],
			globalConfig: WAYS[how].lines(HOSTS.turn) },
		t.media.conf);
		t.turn = await startTurn({ dir, host: t.net.host('turn') });
		await withPhones(t, async (o) => {
			const did = await badNetwork(t, o);
			await t.net.udp('alice', 'off');
			did.push(...await blocked(t, o));
			await t.prosody.shell('module:load(' +
				`"${WAYS[how].module}", "localhost")`);
			did.push(...await relayed(t, o, how));
			for (const [network, what] of did)
				row(t, network, what);
		}).finally(() => t.turn.stop());
	});
