// kills.mjs: kill -9 at a random moment of a call, and what is left of it
// (F01 F02 F04, I07 I08 I10)
//
// A seed chooses the story, the clients and the moment: after the n-th stanza
// that the clients saw, and up to some milliseconds later; every fourth seed
// kills once more soon after the start. While the daemon is away and after, the
// people go on as if nothing had happened. KILLS stories with the seeds from
// KILL_SEED on (tests/kill/run); quick runs have the first eight.

import { setTimeout as pause } from 'node:timers/promises';
import { account, ended, healthy, rest, talking } from '../aftermath.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { random } from '../random.mjs';
import { story } from '../story.mjs';

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
