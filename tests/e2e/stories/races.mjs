// races.mjs: things that cross: glare, cancel and accept, a second call,
// coming back (F23 F26 F27 F28 X3 X9)

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jingle, jmi, jmiOf, notice } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Plain } from '../clients/plain.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { assert, equal, story } from '../story.mjs';

const LOW = '00000000-aaaa-4aaa-8aaa-aaaaaaaaaaaa';
const HIGH = 'ffffffff-aaaa-4aaa-8aaa-aaaaaaaaaaaa';

// --- glare ----------------------------------------------------------------
for (const [A, B] of [[Conversations, Dino], [Monal, Conversations],
	[Dino, Monal], [Conversations, Conversations], [Movim, Siskin],
	[Monal, Monal]])
	story(`X9 glare, ${A.name} has the lower id against ${B.name}: one ` +
		'call, nobody missed', async (t) => {
		const [a, b] = await t.pair(A, B);
		const [x, y] = await Promise.all([
			a.call(t.at('bob'), ['audio'], { sid: LOW }),
			b.call(t.at('alice'), ['audio'], { sid: HIGH }),
		]);
		const lost = await b.waitFor(jmi('reject', { id: HIGH }));
		assert(jmi('reject', { reason: 'expired' })(lost), 'reason');
		assert(jmiOf(lost).getChild('tie-break'), 'tie-break');
		// The loser is rung; Conversations answers by itself.
		await b.waitUntil(() => b.windows.length ||
			b.calls.some((c) => !c.out && c.state !== 'ringing'),
		'the winner\'s call');
		if (b.windows.length)
			await b.answer();
		await a.shows(x, 'active');
		assert(y.state !== 'active', 'two calls');
		equal(a.windows.length, 0, 'windows at the winner');
		await t.settle();
		await a.hangUp(x);
		await b.waitUntil(() => b.calls.some((c) => !c.out &&
			c.state === 'ended'), 'the end');
		await t.settle();
		for (const phone of [a, b]) {
			await phone.expectNothing(t.notice(/missed/i));
			await phone.expectNothing(t.notice(/not active|busy/i));
		}
	});

story('X9 glare the other way round: the one who called first loses by the ' +
	'lower id', async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const x = await a.call(t.at('bob'), ['audio'], { sid: HIGH });
	await b.rings();
	const y = await b.call(t.at('alice'), ['audio'], { sid: LOW });
	await a.waitFor(jmi('reject', { id: HIGH, reason: 'expired' }));
	await a.answer(await a.rings());
	await b.shows(y, 'active');
	assert(x.state !== 'active', 'two calls');
	await t.settle();
	equal(b.windows.length, 0, 'windows left at Bob');
	await t.endQuietly(b, y);
	await b.expectNothing(t.notice(/missed/i));
});

story('X9 glare with a plain caller: one call', async (t) => {
	const [a, b] = await t.pair(Plain, Dino);
	await Promise.all([
		a.call(t.at('bob'), ['audio'], { sid: HIGH }),
		b.call(t.at('alice'), ['audio'], { sid: LOW }),
	]);
	await a.waitUntil(() => a.windows.length > 0, 'the winner\'s call');
	await a.answer();
	await b.waitUntil(() => b.calls.some((c) => c.state === 'active'),
		'the call to stand');
	await t.settle();
	equal(b.windows.length, 0, 'windows left');
	equal((await t.running()).length, 1, 'calls');
});

// --- cancel and accept ------------------------------------------------------
story('F14 cancel and accept cross: one outcome on both sides', { lasts: 90 },
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		for (let i = 0; i < 4; i++) {
			a.holdsInitiate = true;
			const out = await a.call(t.at('bob'));
			const ring = await b.rings();
			await Promise.all(i % 2 ? [a.cancel(out), b.answer(ring)]
				: [b.answer(ring), a.cancel(out)]);
			await t.settle();
			await b.waitUntil(() => ['missed', 'ended', 'failed']
				.includes(ring.state), 'Bob\'s window to end');
			equal(await t.running(), [], 'calls running');
			await a.expectNothing(jingle('session-accept'));
		}
		t.noFaults();
	});

story('F14 an answer after the cancel connects nobody', async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await a.cancel(out);
	await b.shows(ring, 'missed');
	const from = a.mark();
	await b.sendAccept(ring);
	await b.sendProceed(ring);
	await t.settle();
	await a.expectNothing(jmi('proceed'), undefined, { from });
	equal((await t.logged('bob')).result, 'cancelled', 'log');
	equal(await t.running(), [], 'calls running');
});

story('F13 two devices answer at the same moment: one wins, the other stops',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const c = await t.another(Siskin, 'bob', { resource: 'tab' });
		await t.settle();
		const out = await a.call(t.at('bob'));
		const rings = [await b.rings(), await c.rings()];
		await Promise.all([b.sendProceed(rings[0]),
			c.sendProceed(rings[1])]);
		await a.shows(out, 'connecting', 'active');
		await t.settle();
		await a.expectCount(jmi('proceed'), 1);
		// Either client may take the other's proceed for "elsewhere": what
		// counts is what they are sent.
		const offers = [b, c].map((p) => p.received(
			jingle('session-initiate')).length);
		equal([...offers].sort(), [0, 1], 'offers');
		const stops = [b, c].map((p) => p.received((el) =>
			['retract', 'accept', 'reject', 'finish'].includes(
				jmiOf(el)?.name) &&
			el.attrs.from === t.as(a)).length);
		equal(stops, offers.map((n) => 1 - n), 'our stops');
		await a.terminate(out, 'success');
	});

// --- a second call ----------------------------------------------------------
story('F26 X3 second call, waiting: it rings, and taking it ends the first ' +
	'with success', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const c = await t.login(Movim, 'carol');
	const second = await c.call(t.at('bob'), ['audio'],
		{ remembered: true });
	const ring2 = await b.rings();
	equal(out.state, 'active', 'the first call while the second rings');
	await b.answer(ring2);
	await c.shows(second, 'active');
	await a.shows(out, 'ended');
	equal(out.reason.name, 'success', 'reason of the first');
	assert(out.reason.text, 'the text says why');
	await b.shows(ring, 'ended');
	equal((await t.running()).length, 1, 'calls running');
	await c.hangUp(second);
	await b.shows(ring2, 'ended');
	await t.quiet();
});

story('F26 X3 second call, waiting and declined: the first goes on',
	async (t) => {
		const [a, b] = await t.pair(Dino, Siskin);
		const [out, ring] = await t.connect(a, b);
		const c = await t.login(Dino, 'carol');
		const second = await c.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await b.decline(await b.rings());
		await c.shows(second, 'declined');
		equal([out.state, ring.state], ['active', 'active'], 'the first');
		await t.endQuietly(a, out);
	});

story('X3 a second call made by somebody in a call: the first ends when it ' +
	'is answered', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const c = await t.login(Dino, 'carol');
	await t.contacts(a, c);
	const second = await a.call(t.at('carol'));
	const ring2 = await c.rings();
	equal(ring.state, 'active', 'the first while the second rings');
	await c.answer(ring2);
	await a.shows(second, 'active');
	await b.shows(ring, 'ended');
	await a.shows(out, 'ended');
	equal((await t.running()).length, 1, 'calls running');
	await a.hangUp(second);
	await c.shows(ring2, 'ended');
});

// --- coming back ----------------------------------------------------------
async function callId(t, name) {
	return (await t.logged(name)).id;
}

story('F23 F28 within two hours the same address enters the same call: it ' +
	'rings, is never joined silently', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	const first = await callId(t, 'alice');
	await t.clock('+1h');
	// The other side comes back as well as the first caller.
	const back = await b.call(t.at('alice'));
	const again = await a.rings();
	await t.settle();
	equal(back.state, 'calling', 'before Alice answers');
	await a.answer(again);
	await b.shows(back, 'active');
	await b.hangUp(back);
	await a.shows(again, 'ended');
	equal(await callId(t, 'alice'), first, 'the call\'s id');
	equal((await t.logged('alice')).round, 2, 'round');
	await t.clock('+70m');
	const late = await a.call(t.at('bob'));
	await b.answer(await b.rings());
	await a.shows(late, 'active');
	await a.hangUp(late);
	await b.shows(b.call_, 'ended');
	assert(await callId(t, 'alice') !== first, 'two hours later it is ' +
		'still the same call');
});

story('F23 the details notice says until when one can come back',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const [out, ring] = await t.connect(a, b);
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		await t.clock('+3s');
		const el = await b.waitFor(notice(t.domain));
		assert(/until \d\d:\d\d/.test(el.getChildText('body')),
			el.getChildText('body'));
	});

story('F23 direct: the caller\'s client starts anew while the other is still ' +
	'in: the old legs end, then both ring', { media: 'direct' }, async (t) => {
	const [a, b] = await t.pair(Dino, Conversations);
	const [, ring] = await t.connect(a, b);
	const from = b.mark();
	const anew = await t.another(Dino, 'alice', { resource: 'new' });
	await anew.waitPresence(t.as(b));
	const out = await anew.call(t.at('bob'));
	const finish = await b.waitFor(jmi('finish', { id: ring.sid }));
	assert(jmi('finish', { reason: 'expired' })(finish), 'reason expired');
	await b.shows(ring, 'ended', 'failed');
	const second = await b.rings();
	const names = b.received((el) => jmiOf(el) || jingle()(el), from)
		.map((el) => jmiOf(el)?.name ??
			el.getChild('jingle', NS.jingle).attrs.action);
	assert(names.indexOf('propose') > names.indexOf('session-terminate'),
		`order ${names}`);
	await b.answer(second);
	await anew.shows(out, 'active');
	equal((await t.running()).length, 1, 'calls running');
	await anew.hangUp(out);
	await b.shows(second, 'ended');
});

story('F23 direct: no second propose ever reaches a device with a live leg: ' +
	'Monal would migrate by itself', { media: 'direct' }, async (t) => {
	const [a, b] = await t.pair(Dino, Monal);
	const [, ring] = await t.connect(a, b);
	const anew = await t.another(Dino, 'alice', { resource: 'new' });
	await anew.waitPresence(t.as(b));
	const out = await anew.call(t.at('bob'));
	await b.shows(ring, 'ended', 'failed');
	await b.answer(await b.rings());
	await anew.shows(out, 'active');
	equal(b.migrations ?? 0, 0, 'migrations');
	await anew.hangUp(out);
});

story('F11 F28 direct: a client that vanishes ends the call after 10 s, a ' +
	'short break does not', { media: 'direct' }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out] = await t.connect(a, b);
	b.drop();
	await t.gone(b);
	await t.clock('+5s');
	equal(out.state, 'active', 'after 5 s');
	const back = await t.another(Dino, 'bob', { resource: 'phone' });
	await t.settle();
	await t.clock('+8s');
	equal(out.state, 'active', 'Bob is back on the same address');
	back.drop();
	await t.gone(back);
	await t.clock('+11s');
	await a.shows(out, 'failed', 'ended');
	equal(await t.running(), [], 'calls running');
});
