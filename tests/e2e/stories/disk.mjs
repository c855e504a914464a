// disk.mjs: the database's disk is slow, stalled or full (F06 of the fault
// model, architecture.md, Durability): tests/mock/slowdisk.c is loaded into a
// daemon of the story's own

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync }
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
const TRIES = 8;
const WRITE_MS = 5;
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

// The disk of the story's daemon. set('full'), set('hold'), set('slow'),
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

	// Writes and syncs that the fault has met so far; those of them that wait.
	get met() {
		return existsSync(this.counter)
			? readFileSync(this.counter, 'utf8') : '';
	}

	get held() {
		return this.met.split('h').length - 1;
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

// --- what must not wait ---------------------------------------------------

function came(phone, pattern) {
	return phone.log.some(({ dir, text }) => dir === 'in' &&
		pattern.test(text));
}

// From one side of a call to the other.
async function passes(from, to, call, action, inner, pattern) {
	from.iq('set', call.peer, jingleXml(action, call.sid, inner),
		{ mayFail: true }).catch(() => {});
	await to.waitUntil(() => came(to, pattern), `${action} passed on`);
}

let port = 20000;

async function trickles(from, to, call) {
	port++;
	return passes(from, to, call, 'transport-info',
		trickle(from.contentNames(call)[0], { ...call.own,
			fingerprint: undefined, inner: candidate({ port }) }),
		new RegExp(`transport-info.*port=.${port}\\b`));
}

async function ends(from, to, call, sid) {
	from.show(call, 'ended');
	return passes(from, to, call, 'session-terminate',
		'<reason><success/></reason>', new RegExp(
			`session-terminate.*sid=.${sid}|` +
			`sid=.${sid}.*session-terminate`));
}

// A call that stands, without waiting for what is to be stored.
async function connect(t, a, b) {
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	const ring = await b.rings();
	await b.answer(ring);
	await Promise.all([a.shows(out, 'active'), b.shows(ring, 'active')]);
	return [out, ring];
}

// What both say in a call that stands, up to its end.
async function talk(a, b, [out, ring]) {
	await trickles(a, b, out);
	await trickles(b, a, ring);
	await ends(a, b, out, ring.sid);
	await b.shows(ring, 'ended');
}

// From here on a write waits in the disk. It may be one that the daemon tries
// again of itself. Returns the admin's command that writes, in a list, as its
// answer is not to be awaited here.
async function hold(t, disk, words) {
	const { held } = disk;
	disk.set(`hold ${words}`);
	const command = t.daemon.ctl('messaging', 'on');
	command.catch(() => {});
	await until(() => disk.held > held, 'a write that waits in the disk',
		15000);
	return [command];
}

// run(prepare()) while a write waits in the disk and the daemon does not know
// yet that something is wrong, for which it takes a second: once more where the
// machine was slower than that. Returns how often.
async function unnoticed(t, disk, words, prepare, run) {
	for (let i = 1; ; i++) {
		const from = t.daemon.readLog().length;
		const prepared = await prepare();
		const [command] = await hold(t, disk, words);
		await run(prepared);
		const late = ALARM.test(t.daemon.readLog().slice(from));
		disk.set(late ? '' : words);
		await command;
		if (!late)
			return i;
		assert(i < TRIES, 'what need not wait passes after the alarm alone');
		await healed(t, disk);
		// A user may call another five times a minute.
		await t.daemon.clock('+61s');
	}
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

async function people(t) {
	const [a, b] = await t.pair(Dino, Dino);
	const c = await t.login(Dino, 'carol', { resource: 'phone' });
	await t.settle();
	return [a, b, c];
}

for (const [kind, words] of [['full', 'full'], ['failing (EIO)', 'eio'],
	['stalled', 'hold']])
	diskStory(`F06 F02 the disk is ${kind}: calls do not wait for it, ` +
		'alarm, switches and settings refused; well again, all is stored',
	{ slow: true }, async (t, disk) => {
		const [a, b, c] = await people(t);
		const calls = await unnoticed(t, disk, words,
			() => connect(t, a, b), (call) => talk(a, b, call));
		await degraded(t);
		await refuses(t);
		await talk(a, b, await connect(t, a, b));
		if (words !== 'hold')
			await hold(t, disk, words);
		await talk(a, b, await connect(t, a, b));
		disk.set(words);
		await missed(t, a, c);
		await degraded(t);
		await healed(t, disk);
		await kept(t, calls + 2);
	});

diskStory('F06 the disk is slow (20 ms): no alarm, nothing refused',
	{ slow: true }, async (t, disk) => {
		const [a, b, c] = await people(t);
		disk.set('slow');
		await talk(a, b, await connect(t, a, b));
		assert(disk.met.length > 0, 'the fault was met');
		assert(!ALARM.test(t.daemon.readLog()), 'an alarm');
		await t.setting('bob', 'second_call', 'busy');
		await missed(t, a, c);
		await t.stored();
		await kept(t, 1);
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
diskStory('F06 I10 the disk stalls while a call is accepted and hung up at ' +
	'once: the caller is told at once, and nothing comes after that',
{ slow: true }, async (t, disk) => {
	const [a, b] = await t.pair(Dino, Dino);
	const accept = b.accept.bind(b);
	let go;
	let out;
	let from;
	await unnoticed(t, disk, 'hold', async () => {
		const gate = new Promise((resolve_) => (go = resolve_));
		b.accept = (call) => gate.then(() => accept(call));
		from = a.mark();
		out = await a.call(t.at('bob'));
		const ring = await b.rings();
		await b.answer(ring);
		await b.shows(ring, 'connecting');
		await t.settle();
		return ring;
	}, async (ring) => {
		go();
		await b.shows(ring, 'active');
		await ends(b, a, ring, out.sid);
	});
	await healed(t, disk);
	const order = a.received(jingle(), from).map((el) =>
		jingleOf(el).attrs.action);
	assert(order.indexOf('session-terminate') === order.length - 1,
		`the end is not the last of ${order}`);
	assert(['ended', 'failed'].includes(out.state),
		`the screen shows ${out.state}`);
	await t.quiet();
});
