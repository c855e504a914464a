// plain.mjs: callers and callees without XEP-0353, in all combinations

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jingle, jmi, jmiOf, ofCall } from '../clients/match.mjs';
import { Plain } from '../clients/plain.mjs';
import { assert, equal, story } from '../story.mjs';

const COMBINATIONS = [[Plain, Plain], [Plain, Conversations],
	[Conversations, Plain], [Dino, Plain], [Plain, Dino]];

for (const [A, B] of COMBINATIONS) {
	const name = `${A.name} to ${B.name}`;

	story(`F1 plain Jingle, ${name}: rings, answers, hangs up`,
		async (t) => {
			const [a, b] = await t.pair(A, B);
			const out = await a.call(t.at('bob'));
			const ring = await b.rings();
			// Where Dino sees the plain device itself it uses no JMI.
			if (A === Plain || out.plain)
				await a.shows(out, 'rings', 'active');
			// Only the caller can make the offer that rings a plain
			// device: a JMI caller connects while it rings.
			else if (B === Plain)
				await a.shows(out, 'connecting');
			await b.answer(ring);
			await a.shows(out, 'active');
			await b.shows(ring, 'active');
			if (A === Plain)
				await a.expectNothing(jmi());
			// He gets the propose too, for its bounce tells of a
			// block; his client knows nothing of it.
			if (B === Plain)
				await b.expectCount(jmi('propose'), 1);
			await a.hangUp(out);
			await b.shows(ring, 'ended');
			await t.quiet();
			await t.logged('bob');
		});

	story(`F14 F18 plain Jingle, ${name}: declined`, async (t) => {
		const [a, b] = await t.pair(A, B);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await b.decline();
		await a.shows(out, 'declined');
		equal(out.reason.name, 'decline', 'reason');
		await a.waitFor(t.notice(t.says('bob', 'declined your call')));
	});

	story(`F5 plain Jingle, ${name}: cancelled`, async (t) => {
		const [a, b] = await t.pair(A, B);
		const out = await a.call(t.at('bob'));
		const ring = await b.rings();
		await a.cancel(out);
		await b.shows(ring, 'missed');
		await b.waitFor(t.notice(/missed call/i));
		equal((await t.logged('bob')).result, 'cancelled', 'log');
	});

	story(`F17 plain Jingle, ${name}: nobody answers`, { own: true },
		async (t) => {
			const [a, b] = await t.pair(A, B);
			const out = await a.call(t.at('bob'));
			const ring = await b.rings();
			await t.clock('+31s');
			await a.waitUntil(() => !a.live.length, 'the end');
			equal(out.reason.name, 'timeout', 'reason');
			await b.shows(ring, 'missed');
			await a.waitFor(t.notice(t.says('bob',
				'did not answer')));
			await b.waitFor(t.notice(/missed call/i));
		});
}

story('F1 a plain caller\'s session stays on the address that it dialed, the ' +
	'offer goes to a JMI callee after his answer only', async (t) => {
	const [a, b] = await t.pair(Plain, Conversations);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await t.settle();
	await b.expectNothing(jingle('session-initiate'));
	t.nothingOf(b, a);
	await b.answer();
	await a.shows(out, 'active');
	for (const el of a.received((e) => e.name === 'iq' &&
		e.getChild('jingle')))
		equal(el.attrs.from, out.peer, 'from');
	await t.endQuietly(a, out);
});

story('F1 X2 a callee with a JMI device and a plain one: both ring, one ' +
	'answer, the other stops', async (t) => {
	for (const winner of [0, 1]) {
		const [a, b] = await t.pair(Plain, Conversations);
		const c = await t.another(Plain, 'bob', { resource: 'old' });
		await t.settle();
		const out = await a.call(t.at('bob'));
		const rings = [await b.rings(), await c.rings()];
		const phones = [b, c];
		await phones[winner].answer(rings[winner]);
		await a.shows(out, 'active');
		await phones[1 - winner].shows(rings[1 - winner], 'missed',
			'elsewhere', 'ended');
		await t.endQuietly(a, out);
		await Promise.all([a, b, c].map((p) => p.close()));
	}
});

story('F1 X2 JMI caller, JMI and plain device: the plain one answers only ' +
	'what it can', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const c = await t.another(Plain, 'bob', { resource: 'old' });
	await t.settle();
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'active');
	await t.settle();
	await c.expectNothing((el) => jmiOf(el)?.name === 'propose' &&
		el.attrs.to === c.jid, 'a propose to a client without JMI');
	assert(!c.windows.length, 'a window still rings');
	await t.endQuietly(a, out);
});

story('F1 a session-initiate to the bare contact address is a call too',
	async (t) => {
		const [a, b] = await t.pair(Plain, Conversations);
		a.dial = t.at('bob');
		const call = Plain.prototype.propose;
		a.propose = function toBare(out) {
			out.dial = t.at('bob');
			return call.call(this, out);
		};
		const out = await a.call(t.at('bob'));
		await b.answer(await b.rings());
		await a.waitFor(jingle('session-accept', { from: t.at('bob'),
			sid: out.sid }));
	});

story('F1 only clients that can call are rung', async (t) => {
	class Chat extends Conversations {
		static node = 'https://example.org/chat';
		static features = ['urn:xmpp:receipts'];
	}
	const [a, b] = await t.pair(Conversations, Dino);
	const c = await t.another(Chat, 'bob', { resource: 'chat' });
	await t.settle();
	const out = await a.call(t.at('bob'));
	await b.rings();
	await t.settle();
	await c.expectNothing(jingle('session-initiate'));
	await c.expectNothing((el) => ofCall(el) && el.attrs.to === c.jid);
	await a.cancel(out);
});
