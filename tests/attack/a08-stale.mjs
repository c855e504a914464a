// a08-stale.mjs: what is late or comes twice rings nobody (A08)

import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jingle, jmi, ofCall } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { equal, story } from '../e2e/story.mjs';
import { AUDIO, heard, jingleOfAction } from './tools.mjs';

// Stamps of seconds ago; a server adds one to whatever it had to keep.
const AGES = { 'a second': 1, '59 s': 59, '60 s': 60, '61 s': 61,
	'a year': 31536000, 'an hour from now': -3600 };

story('A08 a propose that was stored never rings, however old it says it is',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const from = b.mark();
		for (const [what, seconds] of Object.entries(AGES)) {
			const stamp = new Date(Date.now() - seconds * 1000)
				.toISOString();
			await a.send(a.jmiXml('propose', { to: t.at('bob'),
				sid: `late ${what}`, inner: AUDIO, extra:
				`<delay xmlns='${NS.delay}' stamp='${stamp}'/>` }));
		}
		for (const stamp of ['', 'yesterday', '9999-99-99T99:99:99Z'])
			await a.send(a.jmiXml('propose', { to: t.at('bob'),
				sid: `late ${stamp}`, inner: AUDIO, extra:
				`<delay xmlns='${NS.delay}' stamp='${stamp}'/>` }));
		await t.settle();
		await b.expectNothing(ofCall, undefined, { from });
		equal((await t.running()).length, 0, 'calls');
	});

story('A08 the propose of the archive, sent again after the call, never ' +
	'rings; nor does one over a running call', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const [again] = a.sent(/<propose /).map(({ text }) => text);
	const from = b.mark();
	await a.send(again);
	await a.send(again.replace('</message>', `<delay xmlns='${NS.delay}' ` +
		'stamp=\'2026-01-01T00:00:00Z\'/></message>'));
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.settle();
	for (let i = 0; i < 3; i++)
		await a.send(again);
	await t.settle();
	await b.expectNothing(jmi('propose'), undefined, { from });
	await b.expectNothing(jingle('session-initiate'), undefined, { from });
});

story('A08 an answer 31 s after the propose connects nobody, whatever it is ' +
	'made of', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	await a.call(t.at('bob'));
	const ring = await b.rings();
	await t.clock('+31s');
	const from = a.mark();
	await b.sendAccept(ring);
	await b.sendProceed(ring);
	await b.iq('set', ring.peer, jingleOfAction('session-accept', ring.sid),
		{ mayFail: true });
	await t.settle();
	equal(heard(a, from), [], 'heard by the caller');
	equal(await t.running(), [], 'calls');
	equal((await t.logged('bob')).result, 'unanswered', 'log');
});

story('A08 F10 a propose that comes twice rings once', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await a.propose(out);
	await a.propose(out);
	await t.settle();
	equal(b.calls.length, 1, 'windows');
	await a.cancel(out);
	await b.shows(b.call_, 'missed');
	await b.expectCount(jmi('retract'), 1);
	await t.settle();
	equal((await t.log('bob')).length, 1, 'log entries');
});

story('A08 F10 the id of an ended call again: no old state, a clean answer',
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const [out, ring] = await t.connect(a, b);
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		await t.settle();
		const again = await a.call(t.at('bob'), ['audio'],
			{ sid: out.sid });
		await a.waitUntil(() => b.windows.length ||
			again.state === 'declined', 'a ring or a refusal');
		for (const xml of [jingleOfAction('transport-info', ring.sid),
			jingleOfAction('session-info', ring.sid)]) {
			const el = await b.iq('set', t.at('alice', true), xml,
				{ mayFail: true });
			equal(el.attrs.type, 'error', 'answer on the old id');
		}
	});
