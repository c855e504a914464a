// disk.mjs: the database's disk is slow, stalled or full (F06 of the fault
// model, architecture.md, Durability): tests/mock/slowdisk.c is loaded into a
// daemon of the story's own

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync }
	from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { candidate, jingleXml, trickle } from '../clients/bodies.mjs';
import { Dino } from '../clients/dino.mjs';
import { jingle, jingleOf } from '../clients/match.mjs';
import { until } from '../children.mjs';
import { startPrivatecalld } from '../privatecalld.mjs';
import { assert, BASE_CONF, equal, story } from '../story.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const BUILD = resolve(process.env.BUILD_DIR ?? join(TOP, 'build'));
const EXTRA_MS = 50;
const CALLS = 4;
const TRICKLES = 5;
// Longer than a delayed TCP acknowledgment, behind which Prosody's next small
// write waits.
const GAP_MS = 60;
const WRITE_MS = 5;
// Prosody lets a client send 10 kB/s, and pauses one that has just sent a
// session-initiate.
const BETWEEN_CALLS_MS = 400;
const LIMITED_MS = 200;
const ALARM = /level=error msg="the database does not take writes/;
const HEALED = /msg="the database takes writes again/;
const REFUSED = /the database does not take writes/;

function shim(dir) {
	const built = join(BUILD, 'slowdisk.so');
	if (existsSync(built))
		return built;
	const own = join(dir, 'slowdisk.so');
	execFileSync('cc', ['-shared', '-fPIC', '-O2', '-D_GNU_SOURCE', '-o',
		own, join(TOP, 'tests/mock/slowdisk.c')]);
	return own;
}

// The disk of the story's daemon. set('full'), set('stall'), set('slow'),
// set(''): healthy.
class Disk {
	constructor(dir) {
		this.control = join(dir, 'disk');
		this.counter = join(dir, 'disk.count');
		this.shim = shim(dir);
	}

	get env() {
		return {
			LD_PRELOAD: this.shim,
			SLOWDISK_CONTROL: this.control,
			SLOWDISK_COUNT: this.counter,
			ASAN_OPTIONS: [process.env.ASAN_OPTIONS,
				'verify_asan_link_order=0']
				.filter(Boolean).join(':'),
		};
	}

	set(words) {
		writeFileSync(`${this.control}.new`,
			`path=privatecall.db ${words}\n`);
		renameSync(`${this.control}.new`, this.control);
	}

	// Writes and syncs that the fault has met so far.
	get met() {
		return existsSync(this.counter) ? statSync(this.counter).size : 0;
	}
}

// A story with a disk: run(t, disk).
function diskStory(name, options, run) {
	story(name, { lasts: 90, ...options }, async (t) => {
		mkdirSync(t.dir, { recursive: true });
		const disk = new Disk(t.dir);
		t.slot = await t.slots.take();
		t.domain = t.slot.domain;
		t.daemon = await startPrivatecalld({ dir: t.dir,
			prosody: t.prosody, component: t.slot, conf: BASE_CONF,
			env: disk.env });
		t.ownDaemon = t.daemon;
		await t.connected();
		try {
			await run(t, disk);
		} finally {
			disk.set('');
		}
	});
}

// --- what is measured ---------------------------------------------------

function arrival(phone, pattern) {
	return phone.log.find(({ dir, text }) => dir === 'in' &&
		pattern.test(text))?.at;
}

// ms from the moment that `from` sends to the arrival at `to`.
async function passes(from, to, call, action, inner, pattern) {
	const start = performance.now();
	from.iq('set', call.peer, jingleXml(action, call.sid, inner),
		{ mayFail: true }).catch(() => {});
	await to.waitUntil(() => arrival(to, pattern), `${action} passed on`);
	return arrival(to, pattern) - start;
}

let port = 20000;

async function trickleTime(from, to, call) {
	port++;
	return passes(from, to, call, 'transport-info',
		trickle(from.contentNames(call)[0], { ...call.own,
			fingerprint: undefined, inner: candidate({ port }) }),
		new RegExp(`transport-info.*port=.${port}\\b`));
}

// A call that stands, without waiting for what is to be stored.
async function connect(t, a, b) {
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	const ring = await b.rings();
	await b.answer(ring);
	await Promise.all([a.shows(out, 'active'), b.shows(ring, 'active')]);
	return [out, ring];
}

async function oneCall(t, a, b, times) {
	const [out, ring] = await connect(t, a, b);
	await pause(LIMITED_MS);
	for (let i = 0; i < TRICKLES; i++) {
		await pause(GAP_MS);
		times.info.push(await trickleTime(a, b, out));
		await pause(GAP_MS);
		times.info.push(await trickleTime(b, a, ring));
	}
	await pause(GAP_MS);
	const sid = ring.sid;
	a.show(out, 'ended');
	times.terminate.push(await passes(a, b, out, 'session-terminate',
		'<reason><success/></reason>', new RegExp(
			`session-terminate.*sid=.${sid}|` +
			`sid=.${sid}.*session-terminate`)));
	await b.shows(ring, 'ended');
}

// Something is always being stored: a switch, again and again; refused, and
// then tried again by the daemon itself, when the fault is known.
async function keepWriting(t, until_) {
	while (!until_.done) {
		await t.daemon.ctl('messaging', 'on');
		await pause(WRITE_MS);
	}
}

async function measure(t, a, b) {
	const times = { info: [], terminate: [] };
	const end = { done: false };
	const writer = keepWriting(t, end);
	for (let i = 0; i < CALLS; i++) {
		await oneCall(t, a, b, times);
		await pause(BETWEEN_CALLS_MS);
	}
	end.done = true;
	await writer;
	return { info: Math.max(...times.info),
		terminate: Math.max(...times.terminate) };
}

function report(kind, healthy, faulty) {
	const part = (name, key) => `${name} ${faulty[key].toFixed(1)} ms ` +
		`(healthy disk ${healthy[key].toFixed(1)} ms)`;
	console.log(`     ${kind}, slowest: ` +
		`${part('session-terminate', 'terminate')}, ` +
		part('transport-info', 'info'));
	for (const key of ['terminate', 'info'])
		assert(faulty[key] <= healthy[key] + EXTRA_MS,
			`${key} took ${faulty[key]} ms, ${healthy[key]} ms ` +
			'on a healthy disk');
}

// --- degraded, and well again ---------------------------------------------

async function degraded(t) {
	await t.daemon.waitLog(ALARM);
	const { data, text } = await t.ctl('status');
	equal(data.database.degraded, true, 'degraded');
	assert(/DOES NOT TAKE WRITES/.test(text), text);
	const shown = await t.daemon.run('status');
	assert(/database\s+DOES NOT TAKE WRITES/.test(shown.stdout),
		`privatecallctl status: ${shown.stdout}`);
	equal((await t.daemon.run('check')).code, 1,
		'exit code of privatecallctl check');
}

// All that changes a switch or a setting is refused, and nothing else.
async function refuses(t) {
	for (const args of [['enable'], ['disable'], ['messaging', 'off'],
		['user', t.jid('bob'), 'second_call', 'busy']]) {
		const { code, text } = await t.daemon.ctl(...args);
		assert(code === 1 && REFUSED.test(text),
			`${args.join(' ')} was answered ${code}, ${text}`);
	}
	const { data } = await t.ctl('user', t.jid('bob'));
	equal(data.settings.second_call, 'waiting', 'the setting');
	equal((await t.ctl('status')).data.enabled.on, true, 'the switch');
	for (const word of ['calls', 'version', 'reload'])
		await t.ctl(word);
}

async function healed(t, disk) {
	disk.set('');
	await until(async () => {
		const { data } = await t.daemon.ctl('status');
		return !data.database.degraded && !data.database.backlog;
	}, 'the database to take all that was kept', 15000);
	const text = t.daemon.readLog();
	assert(!ALARM.test(text) || HEALED.test(text),
		'no line says that it is well');
	equal((await t.daemon.run('check')).code, 0,
		'exit code of privatecallctl check');
	await t.settle();
}

// A call to Carol, who has gone: her notice waits.
async function missed(t, a, c) {
	await c.close();
	await until(async () => !(await t.daemon.ctl('user', t.jid('carol')))
		.data.active, 'Carol to be away');
	const out = await a.call(t.at('carol'), ['audio'], { remembered: true });
	await a.shows(out, 'declined');
	equal(out.reason.name, 'gone', 'reason');
}

// After kill -9 the log has all calls, and the notice comes.
async function kept(t, answered) {
	await t.crash();
	await t.revive();
	const log = await t.log('bob');
	equal(log.map((e) => e.result), Array(answered).fill('answered'),
		'Bob\'s log after kill -9');
	for (const entry of log)
		assert(entry.answered && entry.ended >= entry.answered,
			JSON.stringify(entry));
	equal((await t.log('carol')).map((e) => e.result), ['not-active'],
		'Carol\'s log after kill -9');
	const back = await t.another(Dino, 'carol', { resource: 'back' });
	await back.waitFor(t.notice(/^Missed call/));
	await t.settle();
	await back.expectCount(t.notice(), 1);
}

// Alice and Bob get no notices: one that comes just before what is measured
// holds it up in TCP, for Prosody waits for its acknowledgment.
async function people(t) {
	const [a, b] = await t.pair(Dino, Dino);
	const c = await t.login(Dino, 'carol', { resource: 'phone' });
	for (const name of ['alice', 'bob'])
		await t.setting(name, 'notices', 'never');
	await t.settle();
	return [a, b, c];
}

// A user may call another five times a minute: the clock of the daemon moves
// on between the two measurements.
async function nextMinute(t) {
	await t.daemon.clock('+61s');
}

// Alone: Prosody has one thread, and half a megabyte that another story sends
// holds up everybody's stanzas there for 300 ms.
for (const [kind, words] of [['full', 'full'], ['failing (EIO)', 'eio'],
	['stalled for 3 s', 'stall']])
	diskStory(`F06 F02 the disk is ${kind}: calls go on without delay, ` +
		'alarm, switches and settings refused; well again, all is stored',
	{ slow: true, alone: true }, async (t, disk) => {
		const [a, b, c] = await people(t);
		const healthy = await measure(t, a, b);
		await nextMinute(t);
		await t.settle();
		disk.set(words);
		const faulty = await measure(t, a, b);
		report(`disk ${kind}`, healthy, faulty);
		assert(disk.met > 0, 'the fault was met');
		await degraded(t);
		await refuses(t);
		await missed(t, a, c);
		await degraded(t);
		await healed(t, disk);
		await kept(t, 2 * CALLS);
	});

diskStory('F06 the disk is slow (20 ms): nothing is delayed that need not ' +
	'wait, no alarm, nothing refused', { slow: true, alone: true },
async (t, disk) => {
	const [a, b, c] = await people(t);
	const healthy = await measure(t, a, b);
	await nextMinute(t);
	await t.settle();
	disk.set('slow');
	const faulty = await measure(t, a, b);
	report('disk slow (20 ms)', healthy, faulty);
	assert(disk.met > 0, 'the fault was met');
	assert(!ALARM.test(t.daemon.readLog()), 'an alarm');
	await t.setting('bob', 'second_call', 'busy');
	await missed(t, a, c);
	await t.stored();
	await kept(t, 2 * CALLS);
	equal((await t.ctl('user', t.jid('bob'))).data.settings.second_call,
		'busy', 'the setting after kill -9');
});

// The daemon says yes to the admin only when it will still be so tomorrow: a
// setting and a switch; on the slow disk another write is under way then.
for (const [kind, words] of [['full', 'full'], ['slow', 'sync=300']])
	diskStory(`F02 F06 a switch and a setting that were confirmed outlive ` +
		`kill -9 on a ${kind} disk`, {}, async (t, disk) => {
		const b = await t.login(Dino, 'bob');
		await t.settle(b);
		disk.set(words);
		if (kind === 'slow')
			t.daemon.ctl('user', t.jid('bob'), 'notices', 'auto')
				.catch(() => {});
		await pause(WRITE_MS);
		const [setting, flag] = await Promise.all([
			t.daemon.ctl('user', t.jid('bob'), 'second_call', 'busy'),
			t.daemon.ctl('messaging', 'off')]);
		await t.crash();
		disk.set('');
		await t.revive();
		const { settings } = (await t.ctl('user', t.jid('bob'))).data;
		const { data } = await t.ctl('status');
		if (setting.code === 0)
			equal(settings.second_call, 'busy', 'the setting');
		if (flag.code === 0)
			equal(data.messaging.on, false, 'the switch');
	});

// Bob accepts and hangs up at once, while his accept still waits to be stored.
for (const [kind, words] of [['stalls', 'stall'], ['takes 0.5 s', 'sync=500']])
	diskStory(`F06 I10 the disk ${kind} while a call is accepted and hung up ` +
		'at once: the caller is told at once, and nothing comes after that',
	{ slow: true, alone: true }, async (t, disk) => {
		const [a, b] = await t.pair(Dino, Dino);
		let go;
		const gate = new Promise((resolve_) => (go = resolve_));
		const accept = b.accept.bind(b);
		b.accept = (call) => gate.then(() => accept(call));
		const out = await a.call(t.at('bob'));
		const ring = await b.rings();
		await b.answer(ring);
		await b.shows(ring, 'connecting');
		await t.settle();
		disk.set(words);
		go();
		await b.shows(ring, 'active');
		await pause(LIMITED_MS);
		const ms = await passes(b, a, ring, 'session-terminate',
			'<reason><success/></reason>', /session-terminate/);
		b.show(ring, 'ended');
		console.log(`     disk ${kind}, session-terminate behind an accept ` +
			`that is being stored: ${ms.toFixed(1)} ms`);
		await healed(t, disk);
		const order = a.received(jingle()).map((el) =>
			jingleOf(el).attrs.action);
		assert(order.indexOf('session-terminate') === order.length - 1,
			`the end is not the last of ${order}`);
		assert(['ended', 'failed'].includes(out.state),
			`the screen shows ${out.state}`);
		await t.quiet();
		assert(ms <= EXTRA_MS, `session-terminate took ${ms} ms`);
	});
