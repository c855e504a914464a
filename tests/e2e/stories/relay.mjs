// relay.mjs: what passes between two legs, and what is mended on the way
// (interop.md 4.4)

import { byName, candidate, canonical, contents, credentials, jingleXml,
	trickle } from '../clients/bodies.mjs';
import { escape } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jingle, jingleOf } from '../clients/match.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { assert, equal, story } from '../story.mjs';

// What is passed on between two who have it of each other.
const DIRECT = { media: 'direct' };
const transportOf = (j) => j.getChild('content').getChild('transport', NS.ice);

// Sends a Jingle action of `phone` in its call; the answer.
async function act(phone, call, action, inner, attributes = '') {
	return phone.iq('set', call.peer, jingleXml(action, call.sid, inner,
		attributes), { mayFail: true });
}

async function talking(t, A = Conversations, B = Conversations, media) {
	const [a, b] = await t.pair(A, B);
	const [out, ring] = await t.connect(a, b, { media });
	return [a, out, b, ring];
}

story('relay: transport-info without pwd gets it; Movim to Conversations, ' +
	'both ways', DIRECT, async (t) => {
	for (const [A, B] of [[Movim, Conversations], [Conversations, Movim]]) {
		const [a, out, b, ring] = await talking(t, A, B);
		await a.waitUntil(() => out.trickled.length > 0, 'candidates');
		await b.waitUntil(() => ring.trickled.length > 0, 'candidates');
		for (const [call, other] of [[out, ring], [ring, out]]) {
			const { ufrag, pwd } = transportOf(call.trickled[0]).attrs;
			equal([ufrag, pwd], [other.own.ufrag, other.own.pwd],
				'credentials');
		}
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		t.noFaults();
		await Promise.all([a.close(), b.close()]);
	}
});

story('relay: an empty transport-info and gathering-complete are answered ' +
	'and withheld', DIRECT, async (t) => {
	const [a, out, b, ring] = await talking(t);
	await t.settle();
	const from = b.mark();
	const before = ring.trickled.length;
	for (const inner of [trickle('0', { ...out.own, inner: '' }),
		trickle('0', { ufrag: out.own.ufrag,
			inner: '<gathering-complete/>' }),
		trickle('0', { inner: '' })]) {
		const el = await act(a, out, 'transport-info', inner);
		equal(el.attrs.type, 'result', 'answer');
	}
	await t.settle();
	await b.expectNothing(jingle('transport-info'), undefined, { from });
	equal(ring.trickled.length, before, 'transport-infos');
	await t.endQuietly(a, out);
});

story('relay: an ICE restart has no candidates and must pass: new ' +
	'credentials, fingerprint, answer', DIRECT, async (t) => {
	const [a, out, b, ring] = await talking(t);
	await t.settle();
	const fresh = credentials();
	const el = await act(a, out, 'transport-info', trickle('0', { ...fresh,
		inner: '', fingerprint: out.own.fingerprint }));
	equal(el.attrs.type, 'result', 'answer');
	await b.waitUntil(() => ring.restarts?.length === 1, 'the restart');
	equal([ring.restarts[0].ufrag, ring.restarts[0].pwd],
		[fresh.ufrag, fresh.pwd], 'credentials');
	// Candidates after it belong to the new credentials.
	await act(a, out, 'transport-info', trickle('0',
		{ ufrag: fresh.ufrag }));
	await b.waitUntil(() => ring.trickled.some((j) =>
		transportOf(j).getChild('candidate') &&
		transportOf(j).attrs.pwd === fresh.pwd), 'the new candidate');
	await t.endQuietly(a, out);
});

story('relay: trickling before the session is accepted arrives in order and ' +
	'after the offer', DIRECT, async (t) => {
	const [a, b] = await t.pair(Siskin, Siskin);
	a.holdsInitiate = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'proceed');
	out.offer = a.offerXml(out);
	const from = b.mark();
	await Promise.all([
		a.iq('set', out.peer, jingleXml('session-initiate', out.sid,
			out.offer)),
		...[1, 2, 3, 4, 5].map((n) => a.iq('set', out.peer,
			jingleXml('transport-info', out.sid, trickle('0', {
				ufrag: out.own.ufrag,
				inner: candidate({ port: 40000 + n }),
			})))),
	]);
	await a.shows(out, 'active');
	await b.waitUntil(() => ring.trickled.length >= 5, 'candidates');
	const order = b.received(jingle(), from).map((el) =>
		jingleOf(el).attrs.action);
	equal(order[0], 'session-initiate', 'first');
	equal(ring.trickled.slice(0, 5).map((j) =>
		transportOf(j).getChild('candidate').attrs.port),
	['40001', '40002', '40003', '40004', '40005'], 'order');
	await t.endQuietly(a, out);
});

story('relay: in direct TCP candidates, IPv6 and mDNS names pass untouched',
	DIRECT, async (t) => {
		const [a, out, b, ring] = await talking(t, Siskin, Siskin);
		await t.settle();
		const list = [candidate({ ip: 'fd00::2' }),
			candidate({ ip: '9c3d20f6-0000-4000-8000-000000000000.local' }),
			candidate({ protocol: 'tcp', port: 9,
				extra: ' tcptype=\'active\'' })];
		const have = ring.trickled.length;
		for (const inner of list)
			await act(a, out, 'transport-info', trickle('0',
				{ ...out.own, inner, fingerprint: undefined }));
		await b.waitUntil(() => ring.trickled.length === have + 3,
			'candidates');
		const got = ring.trickled.slice(have).map((j) =>
			transportOf(j).getChild('candidate').attrs);
		equal(got.map((c) => c.ip), ['fd00::2',
			'9c3d20f6-0000-4000-8000-000000000000.local',
			'192.0.2.2'], 'addresses');
		equal(got[2].tcptype, 'active', 'tcptype');
		await t.endQuietly(a, out);
	});

story('F6 F31 relay: mute, unmute and a ping pass and are answered once',
	async (t) => {
		const [a, out, b, ring] = await talking(t, Dino, Movim);
		await a.mute(out, 'audio');
		await a.mute(out, 'audio', false);
		const ping = await act(a, out, 'session-info', '');
		equal(ping.attrs.type, 'result', 'answer to a ping');
		await b.mute(ring, 'audio');
		await t.settle();
		equal(ring.infos.filter((i) => i !== 'ping'),
			['mute audio', 'unmute audio'], 'at Bob');
		equal(out.infos, ['mute audio'], 'at Alice');
		await t.endQuietly(a, out);
	});

story('relay: an error of the other client comes back as it is', async (t) => {
	const [a, out, b] = await talking(t, Siskin, Dino);
	b.on_session_info = (el) => b.error(el, 'cancel',
		'feature-not-implemented',
		`<unsupported-info xmlns='${NS.errors}'/>`);
	const el = await act(a, out, 'session-info',
		'<boo xmlns=\'urn:example:boo\'/>');
	equal(errorOf(el), 'feature-not-implemented+unsupported-info', 'error');
	await t.endQuietly(a, out);
});

story('F13 relay: Dino adds video, says creator=initiator as the responder ' +
	'too: mended towards the other, answers find back', async (t) => {
	const [a, out, b, ring] = await talking(t, Conversations, Dino);
	await b.addVideo(ring);
	await a.waitUntil(() => out.added, 'the content-add');
	const content = out.added.getChild('content');
	equal(content.attrs.creator, 'responder', 'creator at Alice');
	equal(content.attrs.name, 'video', 'name');
	equal(content.attrs.senders, 'responder', 'senders');
	await act(a, out, 'content-accept', contents('webrtc', 'answer',
		['video'], { names: { video: 'video' }, creator: 'responder' }));
	await b.waitUntil(() => ring.contentAccepted, 'the content-accept');
	equal(ring.contentAccepted.getChild('content').attrs.creator,
		'initiator', 'creator as Dino wrote it');
	await t.endQuietly(a, out);
});

story('F13 relay: the caller adds video, Dino accepts by itself',
	async (t) => {
		const [a, out, b, ring] = await talking(t, Conversations, Dino);
		const xml = contents('webrtc', 'offer', ['video'],
			{ names: { video: 'v1' }, senders: { video: 'initiator' } });
		const el = await act(a, out, 'content-add',
			xml.replace(/<group.*<\/group>/, ''));
		equal(el.attrs.type, 'result', 'answer');
		await a.waitUntil(() => out.contentAccepted, 'content-accept');
		equal([...byName(out.contentAccepted).keys()], ['v1'], 'names');
		assert(ring.added, 'the add at Bob');
		await t.endQuietly(a, out);
	});

story('relay: content-reject and content-remove pass', async (t) => {
	const [a, out, b, ring] = await talking(t, Conversations, Conversations);
	const xml = contents('webrtc', 'offer', ['video'],
		{ names: { video: '1' } });
	await act(a, out, 'content-add', xml);
	await b.waitUntil(() => ring.added, 'the content-add');
	await act(b, ring, 'content-reject', '<content creator=\'initiator\' ' +
		'name=\'1\'/>');
	await a.waitUntil(() => out.contentRejected, 'the content-reject');
	await act(a, out, 'content-add', xml.replace('name="1"', 'name="2"'));
	await act(a, out, 'content-remove', '<content creator=\'initiator\' ' +
		'name=\'2\'/>');
	await b.waitUntil(() => ring.contentRemoved, 'the content-remove');
	equal(ring.contentRemoved.getChild('content').attrs.name, '2', 'name');
	await t.endQuietly(a, out);
});

story('F6 relay: content-modify passes; Movim\'s with the whole SDP too',
	async (t) => {
		const [a, out, b, ring] = await talking(t, Movim, Siskin,
			['audio', 'video']);
		const el = await a.modify(out, { video: 'none' });
		equal(el.attrs.type, 'result', 'answer');
		await b.waitUntil(() => ring.modified, 'the content-modify');
		equal(byName(ring.modified).get('1').attrs.senders, 'none',
			'senders');
		const { initiator } = ring.modified.attrs;
		assert(!initiator || initiator === t.as(a),
			`initiator ${initiator}`);
		await t.endQuietly(a, out);
	});

story('relay: two sides change at once: the tie-break passes back',
	async (t) => {
		const [a, out, b] = await talking(t, Siskin, Siskin);
		b.on_content_add = (el) => b.error(el, 'cancel', 'conflict',
			`<tie-break xmlns='${NS.errors}'/>`);
		const el = await act(a, out, 'content-add', contents('webrtc',
			'offer', ['video'], { names: { video: '7' } }));
		equal(errorOf(el), 'conflict+tie-break', 'error');
		await t.endQuietly(a, out);
	});

story('relay: what we do not understand is passed on whole', async (t) => {
	const [a, b] = await t.pair(Siskin, Siskin);
	const odd = '<odd xmlns="urn:example:odd" a="1"><deep>text &amp; ' +
		'more</deep></odd>';
	const out = await (async () => {
		const make = a.offerXml;
		a.offerXml = function withOdd(call) {
			return make.call(this, call)
				.replace('</description>', `${odd}</description>`);
		};
		return a.call(t.at('bob'));
	})();
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'active');
	const got = ring.initiate.getChild('content').getChild('description')
		.getChild('odd', 'urn:example:odd');
	equal(got.getChildText('deep'), 'text & more', 'text');
	equal(got.attrs.a, '1', 'attribute');
	const el = await act(a, out, 'description-info', contents('webrtc',
		'offer', ['audio'], { own: out.own }));
	assert(el.attrs.type, 'description-info is answered');
	await b.waitFor(jingle('description-info'));
	await t.endQuietly(a, out);
});

story('relay: initiator and responder never name another than the address ' +
	'that sends', async (t) => {
	const [a, b] = await t.pair(Movim, Conversations);
	a.initiatorAttribute = () => ` initiator='${escape(a.bare)}' ` +
		`responder='${escape(t.as(b))}'`;
	const [out, ring] = await t.connect(a, b);
	const { initiator, responder } = ring.initiate.attrs;
	assert(!initiator || initiator === t.as(a),
		`initiator ${initiator}`);
	assert(!responder || responder === b.jid, `responder ${responder}`);
	await t.endQuietly(a, out);
});

story('relay: the answer passes whole: descriptions, group, credentials',
	DIRECT, async (t) => {
		const [a, out, , ring] = await talking(t, Conversations, Movim,
			['audio', 'video']);
		assert(out.accepted.getChild('group', NS.grouping), 'group');
		for (const content of byName(out.accepted).values()) {
			const transport = content.getChild('transport', NS.ice);
			equal([transport.attrs.ufrag, transport.attrs.pwd],
				[ring.own.ufrag, ring.own.pwd], 'credentials');
			equal(transport.getChild('fingerprint').text(),
				ring.own.fingerprint, 'fingerprint');
			assert(canonical(content).includes('opus') ||
				canonical(content).includes('VP8'), 'codecs');
		}
		await t.endQuietly(a, out);
	});

story('F16 A07 a flood of transport-info does not hold up the other\'s ' +
	'hang-up', async (t) => {
	const [a, out, b, ring] = await talking(t, Siskin, Siskin);
	await t.settle();
	const flood = Array.from({ length: 30 }, (_, i) =>
		act(a, out, 'transport-info', trickle('0', { ufrag: out.own.ufrag,
			inner: candidate({ port: 41000 + i }) }))
			.catch(() => {}));
	const at = performance.now();
	await b.terminate(ring, 'success');
	assert(performance.now() - at < 2000, 'the hang-up was slow');
	await Promise.all(flood);
	await a.shows(out, 'ended');
	equal(await t.running(), [], 'calls running');
});
