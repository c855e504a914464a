// kills.mjs: kill -9 at a random moment of a call, and what is left of it
// (F01 F02 F04, I07 I08 I10)
//
// A seed chooses the story, the clients and the moment: after the n-th stanza
// that the clients saw, and up to some milliseconds later; every fourth seed
// kills once more soon after the start. While the daemon is away and after, the
// people go on as if nothing had happened. KILLS stories with the seeds from
// KILL_SEED on (tests/kill/run); quick runs have the first eight.

import { setTimeout as pause } from 'node:timers/promises';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi, jmiOf, notice } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { random } from '../random.mjs';
import { assert, equal, story } from '../story.mjs';

const KILLS = Number(process.env.KILLS ?? 40);
const FIRST = Number(process.env.KILL_SEED ?? 1);
const QUICK = 8;
const RACE_MS = 10;
const AWAY_MS = 300;
const KINDS = [Dino, Conversations, Monal, Movim];

// --- the stories ------------------------------------------------------------

// `before` is not killed in. `steps`: what people do and wait for, one after
// the other; `stanzas`: about so many are seen meanwhile.
const rings = (p) => async (w) => (w.ring = await p(w).rings());
const calls = (p, name) => async (w) => (w.out = await p(w).call(
	w.t.at(name), ['audio'], { remembered: true }));
const a = (w) => w.a;
const b = (w) => w.b;
const answers = (p) => (w) => p(w).answer(w.ring);
const ends = (p) => (w) => p(w).hangUp(p(w).call_);
const sees = (p, ...what) => (w) => p(w).shows(p(w).call_, ...what);
const talks = async ({ a: { call_: call }, a: phone }) => {
	const [name] = phone.contentNames(call);
	for (let i = 0; i < 4; i++)
		await phone.mute(call, name, i % 2 === 0);
};
const connected = [rings(b), answers(b), sees(a, 'active'),
	sees(b, 'active')];

const STORIES = {
	'answered, the caller hangs up': { stanzas: 24, steps: [
		calls(a, 'bob'), ...connected, talks, ends(a), sees(b, 'ended'),
	] },
	'answered, the callee hangs up': { stanzas: 24, steps: [
		calls(a, 'bob'), ...connected, talks, ends(b), sees(a, 'ended'),
	] },
	'declined': { stanzas: 6, steps: [
		calls(a, 'bob'), rings(b), (w) => w.b.decline(w.ring),
		sees(a, 'declined', 'busy'),
	] },
	'cancelled': { stanzas: 5, steps: [
		calls(a, 'bob'), rings(b), (w) => w.a.cancel(w.out),
		sees(b, 'missed'),
	] },
	'unanswered': { stanzas: 7, steps: [
		calls(a, 'bob'), rings(b), (w) => w.t.daemon.clock('+31s'),
		sees(a, 'declined'),
	] },
	'two devices': { stanzas: 20, before: async (w, Kind) => {
		w.c = await w.t.another(Kind, 'bob', { resource: 'tablet' });
		await w.t.settle();
	}, steps: [
		calls(a, 'bob'), (w) => w.b.rings(), rings((w) => w.c),
		answers((w) => w.c), sees(a, 'active'),
		sees((w) => w.c, 'active'), sees(b, 'elsewhere', 'missed'),
		ends(a), sees((w) => w.c, 'ended'),
	] },
	'busy': { stanzas: 7, before: async (w, Kind) => {
		w.c = await w.t.login(Kind, 'carol');
		await w.t.setting('bob', 'second_call', 'busy');
		await w.t.connect(w.a, w.b);
	}, steps: [
		calls((w) => w.c, 'bob'),
		sees((w) => w.c, 'busy', 'declined'), ends(a), sees(b, 'ended'),
	] },
	'called again within the window': { stanzas: 16, before: async (w) => {
		const [out, ring] = await w.t.connect(w.a, w.b);
		await w.a.hangUp(out);
		await w.b.shows(ring, 'ended');
		await w.t.settle();
	}, steps: [
		calls(b, 'alice'), rings(a), answers(a), sees(b, 'active'),
		sees(a, 'active'), ends(b), sees(a, 'ended'),
	] },
	'missed while offline': { stanzas: 10, before: async (w) => {
		await w.b.close();
		await w.t.settle(w.a);
	}, steps: [
		calls(a, 'bob'), sees(a, 'declined'),
		async (w) => (w.b = await w.t.another(w.Kind, 'bob',
			{ resource: 'back' })),
		(w) => w.b.waitFor(w.t.notice(/missed call/i)),
	] },
};

// --- the kill ----------------------------------------------------------------

// What the two see when it strikes, from the caller's side first.
function stateOf(w) {
	const words = (phone) => (phone?.online
		? phone.call_?.state ?? 'no call' : 'offline');

	return [w.a, w.b, w.c].filter(Boolean).map(words).join(', ');
}

const phones = (w) => w.t.clients.filter((c) => c.online && c.calls);
// Phones that show a running call, and what they said to end calls.
const talking = (w) => phones(w).filter((p) => p.live.some(
	(c) => c.state === 'active')).length;
const ended = (w) => phones(w).reduce((sum, p) => sum +
	p.sent(/session-terminate/).length, 0);

class Killer {
	constructor(w, { stanzas, ms, away, again }) {
		Object.assign(this, { w, left: stanzas, ms, away, again,
			kills: 0, armed: false });
		this.done = new Promise((resolve, reject) =>
			(this.settle = { resolve, reject }));
		this.done.catch(() => {});
		const device = w.t.device.bind(w.t);
		w.t.device = (...rest) => this.watch(device(...rest));
	}

	watch(client) {
		const receive = client.receive.bind(client);
		client.receive = (el) => {
			receive(el);
			this.saw();
		};
		return client;
	}

	saw() {
		if (this.armed && --this.left <= 0)
			this.strike();
	}

	strike() {
		this.armed = false;
		this.kill().then(this.settle.resolve, this.settle.reject);
	}

	async kill() {
		const { t } = this.w;
		await pause(this.ms);
		this.state = stateOf(this.w);
		this.before = [talking(this.w), ended(this.w)];
		await t.crash();
		this.kills++;
		await pause(this.away);
		await t.daemon.start();
		if (this.again !== null) {
			await pause(this.again);
			await t.crash();
			this.kills++;
			await t.daemon.start();
		}
		t.dialogue.add('daemon', '--', 'started again');
		await t.connected();
	}
}

// One step after the other until the daemon is back; a step that fails before
// the kill is a failure of the story, later it is what people meet.
async function play(w, steps, killer) {
	killer.armed = true;
	for (const step of steps) {
		const work = Promise.resolve(step(w)).catch((error) => {
			if (killer.armed)
				throw error;
			return killer.done;
		});
		work.catch(() => {});
		const came = await Promise.race([work.then(() => 'step'),
			killer.done.then(() => 'start')]);
		if (came === 'start')
			break;
	}
	if (killer.armed)
		killer.strike();
	await killer.done;
}

// --- afterwards -------------------------------------------------------------

// Nobody is left in a call of which the daemon knows nothing (I10).
async function nobodyAlone(w) {
	const running = await w.t.running();
	for (const phone of phones(w))
		for (const call of phone.live)
			assert(call.state !== 'active' || running.some((r) =>
				[r.caller, r.callee].includes(phone.bare)),
			`${phone.label} is left in a call that has ended`);
}

// Time runs on; then people end what they still see: what was lost while the
// daemon was away, as in native calls, nobody else can.
async function rest(w, [talked, endings]) {
	const { t } = w;
	await t.settle();
	await nobodyAlone(w);
	const goes = talking(w) === 2;
	assert(goes || talked !== 2 || ended(w) !== endings,
		'the running call did not go on');
	await t.clock('+31s');
	await t.clock('+31s');
	for (const phone of phones(w))
		equal(phone.windows.length, 0, `windows of ${phone.label}`);
	await nobodyAlone(w);
	for (const phone of phones(w))
		for (const call of [...phone.live])
			if (call.out && call.state !== 'active')
				await phone.cancel(call);
			else
				await phone.hangUp(call);
	await t.settle();
	await t.clock('+31s');
	await t.clock('+3s');
	equal(await t.running(), [], 'calls running');
	return goes;
}

// How many notices a log entry makes: at least, at most. One that ended before
// the propose left may or may not have rung.
const IF_RUNG = ['cancelled', 'restart', 'switch-off', 'caller-gone'];
const SILENT = ['glare', 're-entered'];

function due(entry, user, rang) {
	const { result } = entry;

	if (SILENT.includes(result))
		return [0, 0];
	if (entry.caller === user)
		return result === 'cancelled' ? [0, 0] : [1, 1];
	return IF_RUNG.includes(result) && !rang ? [0, 1] : [1, 1];
}

// I08: of all devices of a user; a notice is known by its id.
async function account(w, name, kills) {
	const { t } = w;
	const user = t.jid(name);
	const own = t.clients.filter((c) => c.bare === user && c.calls);
	const ids = new Map();
	for (const device of own) {
		const got = device.received(notice(t.domain)).map(
			(el) => el.attrs.id);
		for (const id of got)
			ids.set(id, Math.max(ids.get(id) ?? 0,
				got.filter((x) => x === id).length));
	}
	const log = await t.log(name);
	const proposes = new Set(own.flatMap((c) => c.received(jmi('propose'))
		.map((el) => jmiOf(el).attrs.id)));
	let [least, most] = [0, 0];
	for (const entry of log) {
		const [x, y] = due(entry, user, proposes.size > 0);
		least += x;
		most += y;
	}
	const what = `${name}'s notices, ${ids.size}, for ${
		log.map((e) => e.result).join() || 'no call'}`;
	assert(ids.size >= least && ids.size <= most,
		`${what}: ${least} to ${most} are due`);
	assert(Math.max(0, ...ids.values()) <= 1 + kills,
		`${what}: over one copy more for each kill`);
	assert(proposes.size <= log.filter((e) => e.callee === user).length,
		`${proposes.size} rings, log: ${log.map((e) => e.result)}`);
	if (own.some((c) => c.calls.some((x) => x.shown.includes('active'))))
		assert(log.some((e) => e.answered), 'an answered call is not ' +
			'in the log');
	return [...ids.values()].reduce((sum, n) => sum + n - 1, 0);
}

// The daemon still does its work.
async function healthy(w) {
	const { t } = w;
	await t.ctl('check');
	const { data } = await t.ctl('status');
	equal([data.live_calls, data.notices_waiting], [0, 0],
		'live calls, notices that wait');
	const [from, to] = phones(w);
	const out = await from.call(t.contact(to.user), ['audio'],
		{ remembered: true });
	await to.rings();
	await from.cancel(out);
	await to.waitUntil(() => !to.windows.length, 'its end');
}

for (let seed = FIRST; seed < FIRST + KILLS; seed++) {
	const names = Object.keys(STORIES);
	const kind = names[(seed - 1) % names.length];
	story(`F01 I08 kill -9, seed ${seed}, ${kind}`,
		{ own: true, slow: seed >= FIRST + QUICK }, async (t) => {
			const next = random(seed);
			const kinds = KINDS.map((K) => [next(), K]).sort(
				([x], [y]) => x - y).map(([, K]) => K);
			const { stanzas, before, steps } = STORIES[kind];
			const w = { t, Kind: kinds[1] };
			const killer = new Killer(w, {
				stanzas: 1 + Math.floor(next() * stanzas),
				ms: next() < 0.4 ? 0 : next() * RACE_MS,
				away: next() < 0.6 ? 0 : next() * AWAY_MS,
				again: next() < 0.25 ? next() * 50 : null,
			});
			[w.a, w.b] = await t.pair(kinds[0], kinds[1]);
			await before?.(w, kinds[2]);
			await play(w, steps, killer);
			const goes = await rest(w, killer.before);
			let more = 0;
			for (const name of t.users.keys())
				if (name !== 'probe')
					more += await account(w, name,
						killer.kills);
			await healthy(w);
			const mode = t.native ? 'transparent' : 'gateway';
			console.log(`     kill: seed ${seed}; ${mode}, ${kind}; ` +
				`${killer.state}; ${killer.kills} kills; ` +
				`${more} copies more; ` +
				`${goes ? 'the call goes on' : 'it ended'}`);
		});
}
