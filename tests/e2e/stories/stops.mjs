// stops.mjs: the component or the server is killed (kill -9), or stopped
// (SIGSTOP) for a while, in each state of a call (F01 F04, I07 I08 I10)
//
// A table: who, how, in which state; each in both modes. What people do at that
// moment is under way while it is away; after, they go on with what they see.
// STOPS rows of it are played, chosen by STOP_SEED, or `all` of them
// (tests/kill/stops); those in which the server stands still for so long that
// the component gives its connection up are among them only then.

import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { account, ended, healthy, rest, talking } from '../aftermath.mjs';
import { until } from '../children.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { NS } from '../clients/ns.mjs';
import { random } from '../random.mjs';
import { assert, equal, story } from '../story.mjs';

const STOPS = process.env.STOPS ?? '4';
const SEED = Number(process.env.STOP_SEED ??
	new Date().toISOString().slice(0, 10).replace(/-/g, ''));
const COMPONENT_MS = 7000;       // the module has given it up before
const SERVER_MS = 5000;
const LINK_MS = 65000;           // the component has given it up before
const RECOVERY_MAX = 10000;      // a bound against hanging, not a measure
const RECOVERY_GOAL = 2000;      // asserted where nothing else is running
const AGAIN_MS = 50;

const OVER = ['declined', 'missed', 'elsewhere', 'ended', 'failed',
	'cancelled', 'busy'];

// --- the states -------------------------------------------------------------

async function ring(w) {
	w.out = await w.a.call(w.t.at('bob'), ['audio'], { remembered: true });
	w.ring = await w.b.rings();
	await w.t.settle();
}

async function proceed(w) {
	w.a.holdsInitiate = true;
	await ring(w);
	await w.b.answer(w.ring);
	await w.a.shows(w.out, 'proceed');
	await w.t.settle();
}

async function connected(w) {
	[w.out, w.ring] = await w.t.connect(w.a, w.b);
}

// It goes on: both ways, and its end is told.
async function talkOn(w) {
	const { a, b, out, ring: call } = w;
	equal([out.state, call.state], ['active', 'active'], 'the call');
	await a.mute(out, a.contentNames(out)[0]);
	await b.waitUntil(() => call.infos.some((i) => /^mute/.test(i)),
		'the mute');
	await b.hangUp(call);
	await a.shows(out, 'ended');
}

// reach: brings the call there. act: what `actor` does as it happens, or the
// component itself (ours), and what is under way then. after: what must go on;
// without it people go on by what they see.
const STATES = {
	'nobody calls': {},
	'a call is on its way': { actor: 'a', act: async (w) =>
		(w.out = await w.a.call(w.t.at('bob'), ['audio'],
			{ remembered: true })) },
	'it rings': { reach: ring },
	'an answer is on its way': { reach: ring, actor: 'b',
		act: (w) => w.b.answer(w.ring) },
	'answered, before the offer': { reach: proceed },
	'the offer is on its way': { reach: proceed, actor: 'a',
		act: (w) => w.a.initiate(w.out) },
	'a cancel is on its way': { reach: ring, actor: 'a',
		act: (w) => w.a.cancel(w.out) },
	'a decline is on its way': { reach: ring, actor: 'b',
		act: (w) => w.b.decline(w.ring) },
	'it has rung for long enough': { reach: ring, ours: true,
		async act(w) {
			await w.t.daemon.clock('+31s');
			await w.t.stored();
		} },
	'a call runs': { reach: connected, after: talkOn },
	'a hang-up is on its way': { reach: connected, actor: 'a',
		act: (w) => w.a.hangUp(w.out) },
	'a notice waits': {
		async reach(w) {
			await w.b.close();
			await w.t.settle(w.a);
			w.out = await w.a.call(w.t.at('bob'), ['audio'],
				{ remembered: true });
			await w.a.shows(w.out, 'declined');
			await w.t.settle();
		},
		async after(w) {
			w.b = await w.t.another(Dino, 'bob', { resource: 'back' });
			await w.b.waitFor(w.t.notice(/missed call/i));
		},
	},
	'it may be re-entered': {
		async reach(w) {
			await connected(w);
			await w.a.hangUp(w.out);
			await w.b.shows(w.ring, 'ended');
			await w.t.settle();
			w.first = (await w.t.logged('alice')).id;
		},
		async after(w) {
			const back = await w.b.call(w.t.at('alice'), ['audio'],
				{ remembered: true });
			await w.a.answer(await w.a.rings());
			await w.b.shows(back, 'active');
			await w.b.hangUp(back);
			await w.t.settle();
			equal((await w.t.logged('alice')).id, w.first,
				'the call\'s id');
		},
	},
};

// --- the strikes ------------------------------------------------------------

const passed = (w, client) => client.iq('get', w.t.host,
	`<ping xmlns='${NS.ping}'/>`);

// What is under way then has come to the component's socket, unread.
async function act(w, { actor, ours, act: does }) {
	if (ours)
		await does(w);
	if (!actor)
		return;
	w.t.daemon.kill('SIGSTOP');
	w.acting = does(w).catch(() => {});
	await passed(w, w[actor]);
}

async function accepts(port) {
	await until(() => new Promise((done) => {
		const socket = connect(port, '127.0.0.1');
		socket.on('connect', () => done(true))
			.on('error', () => done(false))
			.on('connect', () => socket.destroy());
	}), 'the component port', 60000);
	return performance.now();
}

// Each gives the moment at which it was back, a server when its people are in:
// until then nobody calls, however soon the component is there.
const STRIKES = {
	'kill -9 of the component': { kills: true, async run(w, state) {
		await act(w, state);
		await w.t.crash();
		const back = performance.now();
		w.coming = w.t.daemon.start();
		return back;
	} },
	'SIGSTOP of the component': { async run(w, state) {
		await act(w, state);
		w.t.daemon.kill('SIGSTOP');
		await pause(COMPONENT_MS);
		w.t.daemon.kill('SIGCONT');
		return performance.now();
	} },
	'kill -9 of the server': { server: true, kills: true, async run(w, state) {
		const { prosody } = w.t;
		if (state.ours)
			prosody.kill('SIGSTOP');
		await act(w, state);
		await prosody.kill('SIGKILL');
		w.t.daemon.kill('SIGCONT');
		w.coming = prosody.start();
		const open = await accepts(prosody.componentPort);
		await w.coming;
		await Promise.all(w.t.clients.filter((c) => c.calls &&
			(c !== w.b || w.wasOnline)).map((c) => c.login()));
		const back = performance.now();
		console.log(`     its people were in ${(back - open).toFixed(0)} ` +
			'ms after its component port was open');
		return back;
	} },
	'SIGSTOP of the server': { server: true,
		run: (w, state) => stopServer(w, state, SERVER_MS) },
	'SIGSTOP of the server, until it is given up': { server: true,
		long: true, async run(w, state) {
			const back = await stopServer(w, state, LINK_MS);
			assert(/why="?ping not answered/.test(
				w.t.daemon.readLog()), 'it was not given up');
			return back;
		} },
};

async function stopServer(w, { act: does }, ms) {
	w.t.prosody.kill('SIGSTOP');
	w.acting = does?.(w).catch(() => {});
	await pause(ms);
	w.t.prosody.kill('SIGCONT');
	return performance.now();
}

// Until a call that two others place rings: ms since `back`.
async function recovery(w, back) {
	const { c, d } = w;
	for (;;) {
		const out = await c.call(w.t.at('dora'), ['audio'],
			{ remembered: true });
		const end = Date.now() + 500;
		await until(() => d.windows.length || OVER.includes(out.state) ||
			Date.now() > end, 'an answer');
		if (d.windows.length) {
			const took = performance.now() - back;
			await c.cancel(out);
			await until(() => !d.windows.length, 'its end');
			return took;
		}
		assert(performance.now() - back < RECOVERY_MAX,
			'no call rings any more');
		if (!OVER.includes(out.state))
			await c.cancel(out);
		await pause(AGAIN_MS);
	}
}

// People go on by what they see.
async function goOn(w) {
	const { a, b, out } = w;
	if (b.windows.length && !OVER.includes(out.state))
		await b.answer(b.windows[0]);
	await w.t.settle();
	if (out?.state === 'proceed')
		await a.initiate(out).catch(() => {});
	await w.t.settle();
}

// Two who call, and two others who try whether one can.
async function people(t) {
	const w = { t };
	[w.a, w.b] = await t.pair(Conversations, Dino);
	[w.c, w.d] = await Promise.all([t.login(Conversations, 'carol'),
		t.login(Dino, 'dora')]);
	await t.contacts(w.c, w.d);
	return w;
}

async function play(t, name, strike, state) {
	const w = await people(t);
	if (strike.server)
		await t.prosody.saved?.();
	await state.reach?.(w);
	w.wasOnline = w.b.online;
	w.before = [talking(w), ended(w)];
	const back = await strike.run(w, state);
	const took = await recovery(w, back);
	await w.coming;
	await t.connected();
	if (!strike.kills)
		await w.acting;
	await t.settle();
	await (state.after ?? goOn)(w);
	// Devices had time to come back, and are asked.
	await t.clock('+11s');
	assert(!w.b.windows.length || !OVER.includes(w.out?.state),
		`${w.b.label} rings, ${w.a.label} shows ${w.out?.state}`);
	await rest(w, w.before);
	let more = 0;
	for (const user of t.users.keys())
		if (user !== 'probe')
			more += await account(w, user, 1);
	await healthy(w);
	console.log(`     stop: ${t.native ? 'transparent' : 'gateway'}; ` +
		`${name}; ${took.toFixed(0)} ms; ${more} copies more`);
}

// --- the table --------------------------------------------------------------

function rows() {
	const all = Object.entries(STRIKES).flatMap(([how, strike]) =>
		Object.entries(STATES).map(([where, state]) => (
			{ how, strike, where, state })));
	if (STOPS === 'all')
		return all;
	const next = random(SEED);
	return all.filter(({ strike }) => !strike.long)
		.map((row) => [next(), row]).sort(([x], [y]) => x - y)
		.map(([, row]) => row).slice(0, Number(STOPS));
}

for (const { how, strike, where, state } of rows())
	story(`F01 F04 ${how}: ${where}` +
		(STOPS === 'all' ? '' : `, seed ${SEED}`),
	// In direct: the clock jumps while a call is set up, for which a media
	// process would be given up.
	{ own: true, server: strike.server, slow: true, media: 'direct',
		lasts: strike.long ? 240 : 120 },
	(t) => play(t, `${how}; ${where}`, strike, state));

// The others run beside other stories, and hold no clock to it.
story('F01 F04 within two seconds of the return of the server, or of the ' +
	'component, a call rings: the middle one of three',
{ own: true, server: true, slow: true, alone: true, lasts: 120 },
async (t) => {
	const w = { ...await people(t), wasOnline: true };
	await t.prosody.saved?.();
	for (const how of ['kill -9 of the component', 'kill -9 of the server']) {
		const took = [];
		for (let i = 0; i < 3; i++) {
			const back = await STRIKES[how].run(w, {});
			took.push(await recovery(w, back));
			await w.coming;
			await t.connected();
			await t.settle();
		}
		const said = took.map((ms) => ms.toFixed(0)).join(', ');
		console.log(`     ${how}: rings after ${said} ms`);
		const [, middle] = took.sort((x, y) => x - y);
		assert(middle <= RECOVERY_GOAL, `${how}: ${said} ms`);
	}
});
