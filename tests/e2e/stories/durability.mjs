// durability.mjs: the daemon dies and comes back (F01 F02 of the fault model);
// nothing is lost, nothing rings for ever; at random moments: kills.mjs

import { trickle, jingleXml } from '../clients/bodies.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jingleOf, jmi, ofCall } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { assert, equal, story } from '../story.mjs';

// An empty session-info (XEP-0166, 6.8).
const stillThere = (el) => {
	const j = jingleOf(el);

	return j?.attrs.action === 'session-info' && !j.children.length;
};

const GONE = 'Calls are not available right now. Try again shortly.';

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

story('F01 I09 kill -9 while it rings: no message is offered after the ' +
	'restart to who wants none', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Conversations);
	await t.setting('bob', 'messages', 'no');
	const out = await a.call(t.at('bob'));
	await b.rings();
	await t.settle();
	await t.crash();
	await t.revive();
	await a.shows(out, 'declined');
	t.offers(await a.waitFor(t.notice(/not available right now/)), 'bob',
		false);
});

story('F01 kill -9 during a call: it goes on, everything is still passed on ' +
	'and mended, both ways', { media: 'direct' }, async (t) => {
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

story('F01 X10 kill -9 while a call is set up through us: who accepts it ' +
	'then is heard, and both talk', { media: 'blind' }, async (t) => {
	const [a, b] = await t.pair(Conversations, Conversations);
	b.holdsAccept = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await b.shows(ring, 'connecting');
	await t.settle();
	await t.crash();
	await t.revive();
	await t.settle();
	await b.accept(ring);
	await a.shows(out, 'active');
	await t.endQuietly(a, out);
});

story('F01 a third party is still refused after a restart',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await t.login(Dino, 'mallory');
		const [out, ring] = await t.connect(a, b);
		await t.crash();
		await t.revive();
		const el = await m.iq('set', t.at('bob', true), jingleXml(
			'session-terminate', out.sid), { mayFail: true });
		// Of a session that is not his, his own server says so.
		equal(errorOf(el), t.native ? 'service-unavailable'
			: 'item-not-found+unknown-session', 'answer');
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
	// Our module answers also what the component took with it.
	if (!t.native)
		await t.away();
	const out = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	// It says it as any other refusal.
	await a.shows(out, t.native ? 'declined' : 'failed');
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

// It says "unavailable" of nobody.
story('F04 F01 the server dies just after the component: the call goes on',
	{ server: true, lasts: 90 }, async (t) => {
		const [a, b] = await t.pair(Movim, Conversations);
		const [out, ring] = await t.connect(a, b);
		await t.crash();
		await t.revive();
		await t.daemon.clock('hold');
		await t.prosody.saved?.();
		await t.restartServer({ how: 'kill', away: ['+11s'] });
		await Promise.all([a.login(), b.login()]);
		await t.settle();
		await t.clock('+11s');
		for (const phone of [a, b])
			await phone.waitUntil(() => phone.received(stillThere)
				.length, 'the question');
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await b.hangUp(ring);
		await a.shows(out, 'ended');
	});

story('F04 nobody is asked whether he is still in his call while the server ' +
	'is away', { server: true, media: 'direct', lasts: 90, not: {
	gateway: 'there nobody is asked' } }, async (t) => {
	const [a, b] = await t.pair(Movim, Conversations);
	const [out, ring] = await t.connect(a, b);
	await t.restartServer({ away: ['+61m', '+40s'] });
	await Promise.all([a.login(), b.login()]);
	await t.settle();
	await t.clock('+11s');
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await b.hangUp(ring);
	await a.shows(out, 'ended');
});

story('F04 the server itself restarts during a call: the component and the ' +
	'clients come back, the call goes on', { server: true, lasts: 90 },
async (t) => {
	const [a, b] = await t.pair(Movim, Conversations);
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	await t.restartServer();
	await Promise.all([a.login(), b.login()]);
	await t.settle();
	await t.clock('+11s');
	// Asked whether they still talk, once they had time to come back.
	for (const [i, phone] of [a, b].entries()) {
		await phone.waitUntil(() => phone.received(stillThere).length,
			'the question');
		await phone.expectNothing((el) => ofCall(el) && !stillThere(el),
			undefined, { from: marks[i] });
		await phone.expectNothing(t.notice(), undefined,
			{ from: marks[i] });
	}
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await a.waitPresence(t.as(b));
	await a.mute(out, '0');
	await b.waitUntil(() => ring.infos.includes('mute 0'), 'the mute');
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	await t.logged('bob', 'answered');
	await t.quiet();
});
