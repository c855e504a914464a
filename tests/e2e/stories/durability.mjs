// durability.mjs: the daemon dies and comes back, at seeded points of four
// calls (F01 F02 of the fault model); nothing is lost, nothing rings for ever

import { setTimeout as pause } from 'node:timers/promises';
import { trickle, jingleXml } from '../clients/bodies.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi, ofCall } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { assert, equal, story } from '../story.mjs';

const SEEDS = 10;
const RACE_MS = 12;
const GONE = 'Calls are not available right now. Try again shortly.';

class Killed extends Error {
}

// A small seeded generator: the same seed kills at the same point.
function random(seed) {
	let x = seed * 2654435761 >>> 0;
	return () => {
		x ^= x << 13;
		x >>>= 0;
		x ^= x >>> 17;
		x ^= x << 5;
		x >>>= 0;
		return x / 2 ** 32;
	};
}

// Each script calls at() after what it sent; one of them kills.
const SCRIPTS = {
	async answered(t, a, b, at) {
		const out = await a.call(t.at('bob'));
		await at('propose');
		const ring = await b.rings();
		await at('ringing');
		await b.answer(ring);
		await at('proceed');
		await a.shows(out, 'connecting', 'active');
		await at('initiate');
		await a.shows(out, 'active');
		await b.shows(ring, 'active');
		await at('active');
		a.hangUp(out).catch(() => {});
		await at('hang-up');
		await b.shows(ring, 'ended');
		await at('ended');
	},
	async cancelled(t, a, b, at) {
		const out = await a.call(t.at('bob'));
		await at('propose');
		await b.rings();
		await at('ringing');
		await a.cancel(out);
		await at('retract');
		await b.shows(b.call_, 'missed');
		await at('stopped');
	},
	async declined(t, a, b, at) {
		const out = await a.call(t.at('bob'));
		await at('propose');
		const ring = await b.rings();
		await at('ringing');
		await b.decline(ring);
		await at('reject');
		await a.shows(out, 'declined');
		await at('told');
	},
	async unanswered(t, a, b, at) {
		const out = await a.call(t.at('bob'));
		await at('propose');
		await b.rings();
		await at('ringing');
		await t.daemon.clock('+31s');
		await at('timer');
		await a.shows(out, 'declined');
		await at('told');
	},
};
const POINTS = {
	answered: ['propose', 'ringing', 'proceed', 'initiate', 'active',
		'hang-up', 'ended'],
	cancelled: ['propose', 'ringing', 'retract', 'stopped'],
	declined: ['propose', 'ringing', 'reject', 'told'],
	unanswered: ['propose', 'ringing', 'timer', 'told'],
};

// What the people do when the dust has settled: who still sees a call that
// the other does not, ends it; time-outs are let run out.
async function tidy(t, a, b) {
	await t.settle();
	const states = () => [a.call_?.state, b.call_?.state];
	if (String(states()) === 'active,active') {
		await a.hangUp(a.call_);
		await b.shows(b.call_, 'ended');
		return true;
	}
	await t.clock('+31s');
	const [x, y] = states();
	assert(!((x === 'active') !== (y === 'active') &&
		['active', 'ringing', 'connecting'].includes(x) &&
		['active', 'ringing', 'connecting'].includes(y)),
	`one side is in the call alone: ${x}, ${y}`);
	for (const phone of [a, b])
		for (const call of [...phone.live])
			if (call.state === 'active')
				await phone.hangUp(call);
			else if (call.out)
				await phone.cancel(call);
	await t.settle();
	return false;
}

const MISSED = ['cancelled', 'unanswered', 'not-active', 'busy',
	'caller-gone', 'no-capacity', 'restart', 'switch-off'];

// I08: one notice for each missed call of the log, the same id if twice.
async function account(t, a, b) {
	await t.clock('+3s');
	equal(b.windows.map((c) => c.sid), [], 'windows that ring for ever');
	equal(await t.running(), [], 'calls running');
	const log = await t.log('bob');
	const missed = log.filter((e) => MISSED.includes(e.result)).length;
	const notices = b.received(t.notice(/missed/i));
	const ids = new Set(notices.map((el) => el.attrs.id));
	equal(ids.size, missed ? 1 : 0, `missed-call notices for ${
		JSON.stringify(log.map((e) => e.result))}`);
	assert(notices.length <= ids.size + 1, 'over one copy more');
	const proposes = new Set(b.received(jmi('propose')).map(
		(el) => el.getChild('propose').attrs.id));
	assert(proposes.size <= log.length,
		`${proposes.size} rings, ${log.length} log entries`);
	assert(log.length <= 1, `log entries: ${log.length}`);
	return log;
}

for (const [kind, script] of Object.entries(SCRIPTS))
	for (let seed = 1; seed <= SEEDS; seed++) {
		const points = POINTS[kind];
		const point = points[(seed - 1) % points.length];
		story(`F01 I08 kill -9, ${kind}, after ${point}, seed ${seed}`,
			{ own: true, slow: seed > 1 }, async (t) => {
				const next = random(seed);
				next();
				const ms = next() * RACE_MS;
				const [a, b] = await t.pair(Dino, Dino);
				const at = async (name) => {
					if (name !== point)
						return;
					await pause(ms);
					await t.crash();
					await t.revive();
					throw new Killed();
				};
				await script(t, a, b, at).catch((error) => {
					if (!(error instanceof Killed))
						throw error;
				});
				const went = await tidy(t, a, b);
				const log = await account(t, a, b);
				if (point === 'active')
					assert(went && log[0].answered,
						'the call did not go on');
			});
	}

story('F01 kill -9 while it rings: both are told after the restart, a missed ' +
	'call', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Conversations);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await t.settle();
	await t.crash();
	await t.revive();
	await a.shows(out, 'declined');
	equal(out.reason, { name: 'gone', text: GONE }, 'reason');
	await b.shows(ring, 'missed');
	await b.waitFor(t.notice(/missed call/i));
	t.offers(await a.waitFor(t.notice(/not available right now/)), 'bob');
	equal((await t.logged('bob')).answered, null, 'answered');
});

story('F01 kill -9 during a call: it goes on, everything is still passed on ' +
	'and mended, both ways', { own: true }, async (t) => {
	const [a, b] = await t.pair(Movim, Conversations);
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	await t.crash();
	await t.revive();
	await t.settle();
	for (const [i, phone] of [a, b].entries())
		await phone.expectNothing(jmi(), 'call stanzas by the restart',
			{ from: marks[i] });
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await a.mute(out, '0');
	await b.waitUntil(() => ring.infos.includes('mute 0'), 'the mute');
	const have = ring.trickled.length;
	await a.iq('set', out.peer, jingleXml('transport-info', out.sid,
		trickle('0', { ufrag: out.own.ufrag })));
	await b.waitUntil(() => ring.trickled.length > have, 'a candidate');
	t.noFaults();
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	const entry = await t.logged('bob');
	assert(entry.answered && entry.ended >= entry.answered, 'the log');
	await a.waitFor(t.notice());
	await b.waitFor(t.notice());
	await t.quiet();
});

story('F01 a third party is still refused after a restart', { own: true },
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await t.login(Dino, 'mallory');
		const [out, ring] = await t.connect(a, b);
		await t.crash();
		await t.revive();
		const el = await m.iq('set', t.at('bob', true), jingleXml(
			'session-terminate', out.sid), { mayFail: true });
		assert(/unknown-session/.test(el.toString()), String(el));
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await t.endQuietly(a, out);
	});

story('F01 a restart in good order tells those who ring, and keeps running ' +
	'calls', { own: true }, async (t) => {
	const [a, b] = await t.pair(Monal, Dino);
	const [c, d] = await Promise.all([t.login(Dino, 'carol'),
		t.login(Dino, 'dora')]);
	await t.contacts(c, d);
	const [out, ring] = await t.connect(a, b);
	const waiting = await c.call(t.at('dora'));
	const window = await d.rings();
	await t.settle();
	await t.daemon.restart();
	await t.connected();
	await c.shows(waiting, 'declined');
	equal(waiting.reason.name, 'gone', 'reason');
	await d.shows(window, 'missed');
	await d.waitFor(t.notice(/missed call/i));
	equal([out.state, ring.state], ['active', 'active'], 'running call');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
});

story('F02 notices that wait outlive kill -9, and come once', { own: true },
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		await b.close();
		await t.settle();
		const out = await a.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await a.shows(out, 'declined');
		await t.settle();
		await t.crash();
		await t.revive();
		const back = await t.another(Dino, 'bob', { resource: 'new' });
		await back.waitFor(t.notice(/missed call/i));
		await t.settle();
		await t.crash();
		await t.revive();
		await t.settle();
		await back.expectCount(t.notice(), 1);
	});

story('F01 re-entry within two hours survives a restart', { own: true },
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const [out, ring] = await t.connect(a, b);
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		const first = (await t.logged('alice')).id;
		await t.crash();
		await t.revive();
		const back = await b.call(t.at('alice'), ['audio'],
			{ remembered: true });
		await a.answer(await a.rings());
		await b.shows(back, 'active');
		await b.hangUp(back);
		equal((await t.logged('alice')).id, first, 'the call\'s id');
	});

story('F04 stanzas while the service is away fail fast: Conversations shows ' +
	'an error, nobody rings into nothing', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	await t.crash();
	const out = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await a.shows(out, 'failed');
	await t.revive();
	await t.settle();
	equal(b.windows.length, 0, 'windows');
	const again = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await b.rings();
	await a.cancel(again);
});

story('F01 contacts are online again after a restart without anybody doing ' +
	'a thing', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	await t.crash();
	await t.revive();
	a.presences.clear();
	await t.settle();
	equal((await t.ctl('user', t.jid('bob'))).data.active, true,
		'Bob is known to be active');
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	await b.answer(await b.rings());
	await a.shows(out, 'active');
});

story('F04 the server itself restarts during a call: the component and the ' +
	'clients come back, the call goes on', { server: true, lasts: 90 },
async (t) => {
	const [a, b] = await t.pair(Movim, Conversations);
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	await t.prosody.restart();
	await t.connected();
	await Promise.all([a.login(), b.login()]);
	await t.settle();
	await t.clock('+11s');
	for (const [i, phone] of [a, b].entries()) {
		await phone.expectNothing(ofCall, undefined, { from: marks[i] });
		await phone.expectNothing(t.notice(), undefined,
			{ from: marks[i] });
	}
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await a.waitPresence(t.at('bob', true));
	await a.mute(out, '0');
	await b.waitUntil(() => ring.infos.includes('mute 0'), 'the mute');
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	await t.logged('bob', 'answered');
	await t.quiet();
});
