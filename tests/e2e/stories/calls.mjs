// calls.mjs: one call between two users, from the first stanza to the log

import { byName, canonical, mediaOf } from '../clients/bodies.mjs';
import { parse } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { bare, jingle, jingleOf, jmi, jmiOf, matcher, notice }
	from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { assert, equal, story } from '../story.mjs';

const KINDS = [Conversations, Dino, Monal, Movim, Siskin];
const UUID4 = new RegExp('^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-' +
	'[89ab][0-9a-f]{3}-[0-9a-f]{12}$');

// F1 F2 F9 F12 F41: every client with every client, audio and video.
for (const A of KINDS)
	for (const B of KINDS)
		story(`F1 F12 F41 ${A.name} calls ${B.name}: rings, answers, ` +
			'talks, hangs up', { slow: A !== B && A !== Dino },
		async (t) => {
			const [a, b] = await t.pair(A, B);
			const out = await a.call(t.at('bob'),
				['audio', 'video']);
			const ring = await b.rings();
			t.nothingOf(b, a);
			await b.answer(ring);
			await a.shows(out, 'active');
			await b.shows(ring, 'active');
			equal(mediaOf(out.accepted), ['audio', 'video'],
				'media of the answer');
			await (A === B ? b : a).hangUp(A === B ? ring : out);
			await a.shows(out, 'ended');
			await b.shows(ring, 'ended');
			equal(b.calls.length, 1, 'windows opened');
			await t.quiet();
			equal((await t.logged('bob')).result, 'answered', 'log');
		});

story('F1 F24 addresses and ids: propose from the contact\'s /call with our ' +
	'own UUID, the caller\'s leg keeps the caller\'s id',
{ not: { transparent: 'it is about addresses of ours' } }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	const propose = await b.waitFor(jmi('propose'));
	equal(propose.attrs.from, t.at('alice', true), 'propose from');
	equal(propose.attrs.to, b.bare, 'propose to');
	equal(propose.attrs.type, 'chat', 'type');
	assert(UUID4.test(ring.sid), `our id ${ring.sid} is no UUIDv4`);
	assert(ring.sid !== out.sid, 'the legs share an id');
	assert(propose.getChild('store', NS.hints), 'no <store/> in propose');
	await b.answer(ring);
	await a.shows(out, 'active');
	const of = a.received((el) => jmiOf(el) ||
		(jingleOf(el) && el.attrs.type === 'set'));
	const names = of.map((el) => jmiOf(el)?.name ??
		jingleOf(el).attrs.action);
	for (const name of ['proceed', 'session-accept'])
		assert(names.includes(name), `no ${name} in ${names}`);
	for (const el of of) {
		equal(el.attrs.from, t.at('bob', true), 'from to the caller');
		equal(el.attrs.to, a.jid, 'to');
		equal((jmiOf(el) ?? jingleOf(el)).attrs[jmiOf(el) ? 'id'
			: 'sid'], out.sid, 'id on the caller\'s leg');
	}
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.quiet();
});

story('F5 the callee is asked for exactly the media that the caller chose',
	async (t) => {
		const [a, b] = await t.pair(Movim, Conversations);
		for (const media of [['audio'], ['audio', 'video']]) {
			const out = await a.call(t.at('bob'), media);
			const ring = await b.rings();
			equal([...ring.media].sort(), media, 'media proposed');
			await b.answer(ring);
			await a.shows(out, 'active');
			equal(mediaOf(ring.initiate), media, 'media offered');
			await a.hangUp(out);
			await b.shows(ring, 'ended');
			await t.settle();
		}
		t.noFaults();
	});

story('F5 F19 F21 the caller cancels: ringing stops, a stored retract, a ' +
	'missed call', async (t) => {
	for (const A of KINDS) {
		const [a, b] = await t.pair(A, Conversations);
		const from = b.mark();
		const out = await a.call(t.at('bob'));
		const ring = await b.rings();
		await a.cancel(out);
		await b.shows(ring, 'missed');
		const [stop] = b.received(jmi('retract'), from);
		equal(stop.attrs.from, t.as(a), 'retract from');
		equal(jmiOf(stop).attrs.id, ring.sid, 'retract id');
		assert(stop.getChild('store', NS.hints), 'retract not stored');
		await b.waitFor(t.notice(/Missed call from alice/i));
		await t.settle();
		await b.expectCount(jmi('retract'), 1, undefined, { from });
		await a.expectNothing(notice(t.domain));
		equal((await t.logged('bob')).result, 'cancelled', 'log');
		await Promise.all([a.close(), b.close()]);
	}
});

story('F6 camera off before joining: senders and mute go through',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Movim);
		a.holdsInitiate = true;
		const out = await a.call(t.at('bob'), ['audio', 'video']);
		out.offerOptions = { senders: { video: 'responder' } };
		const ring = await b.rings();
		await b.answer(ring);
		await a.shows(out, 'proceed');
		await a.initiate(out);
		await a.shows(out, 'active');
		equal(byName(ring.initiate).get('1').attrs.senders,
			'responder', 'senders');
		await a.mute(out, '1');
		await t.settle();
		equal(ring.infos, ['mute 1'], 'what Bob\'s client heard');
		await t.endQuietly(a, out);
	});

story('F8 the caller\'s device permission is denied: media-error reaches ' +
	'both, with the reason in words', async (t) => {
	const [a, b] = await t.pair(Conversations, Monal);
	a.holdsInitiate = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'proceed');
	await a.initiate(out);
	await b.terminate(ring, 'media-error', 'no microphone');
	await a.shows(out, 'failed');
	equal(out.reason.name, 'media-error', 'reason');
	await a.waitFor(t.notice(/could not be connected/i));
	await b.waitFor(t.notice(/could not be connected/i));
});

story('F9 F29 ringing is said for clients that do not say it',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.shows(out, 'rings');
		await t.settle();
		await a.expectCount(jmi('ringing'), 1);
		await a.cancel(out);
		await b.shows(b.call_, 'missed');
	});

story('F9 F29 a client\'s own ringing is passed on once', async (t) => {
	const [a, b] = await t.pair(Monal, Movim);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await a.shows(out, 'rings');
	await t.settle();
	await a.expectCount(jmi('ringing', { from: t.at('bob', true),
		to: a.jid, id: out.sid }), 1);
	await a.cancel(out);
	await b.shows(b.call_, 'missed');
});

story('F13 a video call answered with audio: contents stay, senders change',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Siskin);
		const [out, ring] = await t.connect(a, b, {
			media: ['audio', 'video'],
			answer: { senders: { video: 'initiator' } },
		});
		equal(mediaOf(out.accepted), ['audio', 'video'], 'media');
		equal(byName(out.accepted).get('1').attrs.senders, 'initiator',
			'senders of video');
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		await t.quiet();
	});

story('F14 F18 F19 F30 declined: the caller sees it at once, with words, ' +
	'the reason and an offer', async (t) => {
	for (const B of [Conversations, Dino, Movim, Siskin]) {
		const [a, b] = await t.pair(Conversations, B);
		const out = await a.call(t.at('bob'));
		const ring = await b.rings();
		await b.decline(ring);
		await a.shows(out, 'declined');
		equal(out.reason.name, 'decline', 'reason');
		assert(t.says('bob', 'declined your call').test(out.reason.text),
			`text: ${out.reason.text}`);
		const el = await a.waitFor(t.notice(t.says('bob',
			'declined your call')));
		t.offers(el, 'bob');
		t.offers(await b.waitFor(t.notice()), 'alice');
		await t.settle();
		await a.expectCount(jmi('reject'), 1);
		await b.expectNothing(t.notice(/missed/i));
		equal((await t.logged('bob')).result, 'declined', 'log');
		await Promise.all([a.close(), b.close()]);
	}
});

story('F14 X3 Monal declines with busy: with no other device the caller ' +
	'hears that Bob is in another call', async (t) => {
	const [a, b] = await t.pair(Conversations, Monal);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await b.decline();
	const el = await a.waitFor(jmi('reject', { id: out.sid }));
	assert(jmi('reject', { reason: 'busy' })(el), 'the reason is busy');
	await a.waitFor(t.notice(t.says('bob', 'is in another call')));
});

story('F16 F17 F18 F21 F36 nobody answers: both sides end at 30 s, ' +
	'unanswered is not declined, "Call again"', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await t.clock('+29s');
	equal(ring.state, 'ringing', 'after 29 s');
	equal(out.state, 'calling', 'after 29 s');
	await t.clock('+2s');
	await a.shows(out, 'declined');
	await b.shows(ring, 'missed');
	const el = await a.waitFor(jmi('reject', { from: t.at('bob', true),
		to: a.jid, id: out.sid }));
	assert(jmi('reject', { reason: 'timeout' })(el), 'reason timeout');
	const stop = await b.waitFor(jmi('retract', { id: ring.sid }));
	assert(stop.getChild('store', NS.hints), 'the retract is stored');
	const said = await a.waitFor(t.notice(t.says('bob',
		'did not answer')));
	assert(/call again/i.test(said.getChildText('body')), 'Call again');
	t.offers(said, 'bob');
	await b.waitFor(t.notice(/Missed call from alice/i));
	await t.settle();
	await b.expectCount(jmi('retract'), 1);
	await a.expectCount(jmi('reject'), 1);
	equal((await t.logged('bob')).result, 'unanswered', 'log');
});

story('F17 Conversations ends its own ringing at 30 s without a reason: ' +
	'unanswered, not declined', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Conversations);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await t.clock('+28500ms');
	await b.tick(30000);
	await a.shows(out, 'declined');
	equal(out.reason.name, 'timeout', 'reason');
	await a.waitFor(t.notice(t.says('bob', 'did not answer')));
	await b.waitFor(t.notice(/Missed call from alice/i));
	equal((await t.logged('bob')).result, 'unanswered', 'log');
});

story('F14 F17 a reject without a reason before that is a decline',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await t.clock('+20s');
		await b.decline();
		await a.shows(out, 'declined');
		equal(out.reason.name, 'decline', 'reason');
		await b.expectNothing(t.notice(/missed/i));
	});

story('F16 dismissed without a word: the others ring on, the timer ends it, ' +
	'it counts as missed', { own: true }, async (t) => {
	const [a, b] = await t.pair(Monal, Movim);
	const out = await a.call(t.at('bob'));
	b.dismiss(await b.rings());
	await t.settle();
	equal(out.state, 'rings', 'what Alice sees');
	await t.clock('+31s');
	await a.shows(out, 'declined');
	equal(out.reason.name, 'timeout', 'reason');
	await b.waitFor(t.notice(/Missed call from alice/i));
});

story('F17 F41 the caller\'s device never comes with its offer: setup ends ' +
	'after 30 s, both are told', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	a.holdsInitiate = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'proceed');
	await t.clock('+29s');
	await a.expectNothing(t.notice());
	await t.clock('+2s');
	await a.waitFor(t.notice(/could not be connected/i));
	await b.waitFor(t.notice(/could not be connected/i));
	equal((await t.logged('bob')).reason, 'connectivity-error', 'log');
});

story('F22 call details after a call: who and how long, to both, and one ' +
	'stored finish per leg', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const [out, ring] = await t.connect(a, b);
	await t.clock('+65s');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.clock('+3s');
	for (const [client, id, other] of [[a, out.sid, 'bob'],
		[b, ring.sid, 'alice']]) {
		const el = await client.waitFor(jmi('finish', { id }));
		assert(el.getChild('store', NS.hints), 'finish is stored');
		equal(bare(el.attrs.from), t.at(other), 'finish from');
		const said = await client.waitFor(t.notice());
		const body = said.getChildText('body');
		assert(body.toLowerCase().includes(t.user(other)),
			`who: ${body}`);
		assert(/\b1:0[5-9]\b/.test(body),
			`how long: ${body}`);
	}
	await t.settle();
	await a.expectCount(jmi('finish'), 1);
	await b.expectCount(jmi('finish'), 1);
	const entry = await t.logged('alice', 'answered');
	assert(entry.ended - entry.answered >= 65000 &&
		entry.ended - entry.answered < 80000, 'length in the log');
});

story('F22 a finish that a client sends is the only one: relayed, not made ' +
	'again', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Monal);
	const [out, ring] = await t.connect(a, b);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.settle();
	await b.expectCount(jmi('finish'), 1);
	await t.clock('+3s');
	await b.expectCount(jmi('finish'), 1);
	await a.expectCount(jmi('finish'), 1);
	await t.clock('+10s');
	await b.expectCount(jmi('finish'), 1);
	await a.expectCount(jmi('finish'), 1);
});

story('F28 either side hangs up and both legs end, with the reason given',
	async (t) => {
		for (const [A, B] of [[Dino, Siskin], [Movim, Dino]])
			for (const side of [0, 1]) {
				const phones = await t.pair(A, B);
				const calls = await t.connect(...phones);
				await phones[side].hangUp(calls[side]);
				const [other, call] = [phones[1 - side],
					calls[1 - side]];
				await other.shows(call, 'ended');
				await other.expectCount(
					jingle('session-terminate',
						{ reason: 'success' }), 1);
				await t.quiet();
				equal(await t.running(), [], 'calls running');
				await Promise.all(phones.map((p) => p.close()));
			}
	});

story('F30 the text of a terminate reaches the other side', async (t) => {
	const [a, b] = await t.pair(Monal, Dino);
	const [out, ring] = await t.connect(a, b);
	await b.terminate(ring, 'gone', 'Battery is empty');
	await a.shows(out, 'failed');
	equal(out.reason, { name: 'gone', text: 'Battery is empty' }, 'reason');
});

story('F30 the callee reconsiders between proceed and the offer: the caller ' +
	'is told', async (t) => {
	const [a, b] = await t.pair(Conversations, Conversations);
	a.holdsInitiate = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'proceed');
	await b.sendReject(ring);
	b.show(ring, 'declined');
	await a.shows(out, 'declined', 'ended');
	await t.quiet();
	equal(await t.running(), [], 'calls running');
});

story('F5 the caller reconsiders after proceed: Conversations retracts to ' +
	'the answered address', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	a.holdsInitiate = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'proceed');
	await a.cancel(out);
	await b.shows(ring, 'missed', 'ended');
	await t.quiet();
	equal(await t.running(), [], 'calls running');
});

story('F1 a full browser offer of 12 kB passes with the server\'s packaged ' +
	'limits, every description unchanged', { media: 'default' }, async (t) => {
	const [a, b] = await t.pair(Movim, Monal);
	a.style = 'browser';
	b.style = 'browser';
	const [out, ring] = await t.connect(a, b, { media: ['audio', 'video'] });
	const sent = a.sent(/session-initiate/)[0].text;
	const offer = jingleOf(parse(sent));
	for (const [name, content] of byName(offer))
		equal(canonical(byName(ring.initiate).get(name)
			.getChild('description')),
		canonical(content.getChild('description')),
		`description of ${name}`);
	assert(ring.initiate.getChild('group', NS.grouping), 'the group');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.quiet();
});

story('F1 Dino\'s offer passes whole: both crypto and DTLS, candidates, ' +
	'order of contents', { media: 'direct' }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const [out, ring] = await t.connect(a, b, { media: ['audio', 'video'] });
	equal([...byName(ring.initiate).keys()], ['audio', 'video'], 'order');
	const text = ring.initiate.toString();
	equal(text.split('<crypto ').length, 3, 'crypto');
	equal(text.split('<candidate ').length, 5, 'candidates');
	const initiator = ring.initiate.attrs.initiator ?? t.as(a);
	equal(initiator, t.as(a), 'initiator');
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	await t.quiet();
});

story('X5 in gateway mode neither side sees the other\'s address in any ' +
	'call stanza, and the OMEMO device is left out',
{ not: { transparent: 'it is about addresses of ours' } }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b, { media: ['audio', 'video'] });
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	for (const [client, other] of [[a, b], [b, a]]) {
		const hit = client.received(matcher('', (el) =>
			(jmiOf(el) || jingleOf(el)) &&
			el.toString().includes(other.bare)));
		equal(hit.map(String), [], `${client.label} sees ${other.bare}`);
	}
	await a.expectNothing(/<device/, 'an OMEMO device');
	t.noFaults();
});
