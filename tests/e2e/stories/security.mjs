// security.mjs: who is not part of a call cannot touch it (A01 A03 A04 A06 A08
// A09 A11 A30)

import { contents, jingleXml, reasonXml, trickle } from '../clients/bodies.mjs';
import { Client } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jingle, jmi, ofCall } from '../clients/match.mjs';
import { NS } from '../clients/ns.mjs';
import { Plain } from '../clients/plain.mjs';
import { assert, equal, story } from '../story.mjs';

const UNKNOWN = 'item-not-found+unknown-session';

function attacks(sid) {
	return [
		jingleXml('session-terminate', sid, reasonXml('success')),
		jingleXml('session-accept', sid, contents('webrtc', 'answer',
			['audio'])),
		jingleXml('transport-info', sid, trickle('0', { ufrag: 'evil',
			pwd: 'evilevilevilevilevilevil' })),
		jingleXml('session-info', sid, `<mute xmlns='${NS.info}'/>`),
		jingleXml('session-info', sid),
		jingleXml('content-modify', sid,
			'<content creator=\'initiator\' name=\'0\' ' +
			'senders=\'none\'/>'),
		jingleXml('content-remove', sid,
			'<content creator=\'initiator\' name=\'0\'/>'),
		jingleXml('transport-replace', sid, trickle('0', {
			ufrag: 'evil', pwd: 'evilevilevilevilevilevil' })),
	];
}

async function refuses(attacker, to, sid) {
	for (const xml of attacks(sid)) {
		const el = await attacker.iq('set', to, xml, { mayFail: true });
		equal(errorOf(el), UNKNOWN, `answer to ${xml.slice(0, 90)}`);
	}
}

const VERBS = ['proceed', 'accept', 'retract', 'reject', 'ringing', 'finish'];

story('A09 a third party with both stolen ids: item-not-found and ' +
	'unknown-session for everything, the call goes on', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Plain, 'mallory');
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	for (const sid of [out.sid, ring.sid])
		for (const to of [t.at('bob', true), t.at('alice', true)]) {
			await refuses(m, to, sid);
			for (const verb of VERBS)
				await m.send(m.jmiXml(verb, { to, sid }));
		}
	await t.settle();
	await a.expectNothing(ofCall, undefined, { from: marks[0] });
	await b.expectNothing(ofCall, undefined, { from: marks[1] });
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await t.endQuietly(a, out);
});

story('A09 another device of the same user is a third party as well',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		const a2 = await t.another(Plain, 'alice', { resource: 'two' });
		const b2 = await t.another(Plain, 'bob', { resource: 'two' });
		await t.settle();
		const [out, ring] = await t.connect(a, b);
		await refuses(a2, t.at('bob', true), out.sid);
		await refuses(b2, t.at('alice', true), ring.sid);
		for (const verb of VERBS) {
			await a2.send(a2.jmiXml(verb, { to: t.at('bob', true),
				sid: out.sid }));
			await b2.send(b2.jmiXml(verb, { to: t.at('alice', true),
				sid: ring.sid }));
		}
		await t.settle();
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await t.endQuietly(a, out);
	});

story('A01 A03 the caller cannot answer for the callee: proceed, accept and ' +
	'session-accept of his own change nothing', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	const from = a.mark();
	for (const sid of [out.sid, ring.sid])
		for (const to of [t.at('bob', true), t.at('alice', true),
			t.at('bob')]) {
			for (const verb of ['proceed', 'accept', 'ringing'])
				await a.send(a.jmiXml(verb, { to, sid }));
			await a.iq('set', to, jingleXml('session-accept', sid,
				contents('webrtc', 'answer', ['audio'])),
			{ mayFail: true });
		}
	await t.settle();
	equal(ring.state, 'ringing', 'Bob\'s window');
	await a.expectNothing(jmi('proceed'), undefined, { from });
	await b.expectNothing(jingle());
	await a.cancel(out);
	await b.shows(ring, 'missed');
});

story('A03 an offer before the answer does not reach a JMI callee, nor do ' +
	'candidates', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await a.iq('set', t.at('bob', true), jingleXml('session-initiate',
		out.sid, contents('webrtc', 'offer', ['audio'])),
	{ mayFail: true });
	await a.iq('set', t.at('bob', true), jingleXml('transport-info',
		out.sid, trickle('0', a.call_.own)), { mayFail: true });
	await t.settle();
	await b.expectNothing(jingle());
	equal(ring.state, 'ringing', 'Bob\'s window');
	t.nothingOf(b, a);
});

story('A04 I03 before the answer the caller learns nothing of the callee\'s ' +
	'devices: no address, no candidate', async (t) => {
	const [a, b] = await t.pair(Plain, Plain);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	// Bob's client trickles before it answers.
	await b.iq('set', ring.peer, jingleXml('transport-info', ring.sid,
		trickle('0', ring.own)), { mayFail: true });
	await t.settle();
	await a.expectNothing(jingle('transport-info'));
	t.nothingOf(b, a);
	await b.answer(ring);
	await a.shows(out, 'active');
	await a.waitUntil(() => out.trickled.length > 0,
		'the candidates that were kept');
});

story('A06 row 2 is the same bytes whatever the cause',
	{ conf: { calls_require_messaging: true } }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const texts = [];
		const one = async () => {
			const out = await a.call(t.at('bob'));
			const el = await a.waitFor(jmi('reject',
				{ id: out.sid }));
			texts.push(el.toString().split(out.sid).join('')
				.replace(/ id="[^"]*"/, '')
				.replace(/<stanza-id[^>]*\/>/, ''));
		};
		await t.setting('bob', 'who_may_call', 'nobody');
		await one();
		await t.setting('bob', 'who_may_call', 'everyone');
		await t.setting('bob', 'messages', 'no');
		await one();
		equal(texts[1], texts[0], 'bytes');
		await b.expectNothing(ofCall);
	});

story('A08 a stored propose that comes late never rings', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const from = b.mark();
	const old = new Date(Date.now() - 40000).toISOString();
	await a.send(a.jmiXml('propose', { to: t.at('bob'), sid: 'late-1',
		inner: a.describe(['audio']), extra:
		`<delay xmlns='${NS.delay}' stamp='${old}'/>` }));
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
});

story('F10 a propose that comes twice rings once', async (t) => {
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

story('F10 the id of an ended call again: no old state, a clean answer',
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
		for (const xml of attacks(ring.sid).slice(2, 5)) {
			const el = await b.iq('set', t.at('alice', true), xml,
				{ mayFail: true });
			equal(el.attrs.type, 'error', 'answer on the old id');
		}
	});

story('A11 a stranger\'s propose never replaces a running call', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Dino, 'mallory');
	const [out, ring] = await t.connect(a, b);
	await m.call(t.at('bob'), ['audio'], { remembered: true,
		sid: ring.sid });
	const last = await m.call(t.at('bob'), ['audio'], { remembered: true,
		sid: out.sid });
	await b.rings();
	await t.settle();
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await m.cancel(last);
	await b.waitUntil(() => !b.windows.length, 'the ringing to end');
	m.calls.forEach((c) => (c.state = 'cancelled'));
	await t.endQuietly(a, out);
});

// --- attributes missing, doubled, blank (A30) ------------------------------
const SID = 'broken-1';
const offer = () => contents('webrtc', 'offer', ['audio']);
const BROKEN = {
	'no sid': `<jingle xmlns='${NS.jingle}' action='session-initiate'/>`,
	'blank sid': jingleXml('session-initiate', '', offer()),
	'no action': `<jingle xmlns='${NS.jingle}' sid='${SID}'/>`,
	'unknown action': jingleXml('session-fly', SID),
	'no content': jingleXml('session-initiate', SID),
	'blank name': jingleXml('session-initiate', SID,
		offer().replace(/name="0"/, 'name=""')),
	'no name': jingleXml('session-initiate', SID,
		offer().replace(/ name="0"/, '')),
	'no creator': jingleXml('session-initiate', SID,
		offer().replace(/ creator="[a-z]*"/, '')),
	'bad creator': jingleXml('session-initiate', SID,
		offer().replace(/creator="[a-z]*"/, 'creator="nobody"')),
	'no description': jingleXml('session-initiate', SID,
		'<content creator=\'initiator\' name=\'0\'/>'),
	'two contents of a name': jingleXml('session-initiate', SID,
		offer().repeat(2)),
	'no media': jingleXml('session-initiate', SID,
		offer().replace(/ media="audio"/, '')),
	'sid of 4 kB': jingleXml('session-initiate', 's'.repeat(4096), offer()),
	'markup in sid': jingleXml('session-initiate', '"/><x y=\'&<',
		offer()),
	'two jingle children': jingleXml('session-info', SID).repeat(2),
	'reason of nothing': jingleXml('session-terminate', SID,
		'<reason/>'),
};

story('A30 broken Jingle: every iq is answered once, no crash, calls go on',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await t.device(Client, 'mallory').connect();
		const [out] = await t.connect(a, b);
		for (const [what, xml] of Object.entries(BROKEN)) {
			const el = await m.iq('set', t.at('bob', true), xml,
				{ mayFail: true });
			assert(el, what);
		}
		await t.settle();
		const answers = m.received((el) => el.name === 'iq' &&
			el.attrs.type !== 'set' && el.attrs.type !== 'get');
		const ids = answers.map((el) => el.attrs.id);
		equal(ids.length, new Set(ids).size, 'answers per iq');
		await t.endQuietly(a, out);
	});

const JMI = [
	`<propose xmlns='${NS.jmi}'/>`,
	`<propose xmlns='${NS.jmi}' id=''><description xmlns='${NS.rtp}' ` +
		'media=\'audio\'/></propose>',
	`<propose xmlns='${NS.jmi}' id='x1'/>`,
	`<propose xmlns='${NS.jmi}' id='x2'><description xmlns='${NS.rtp}'/>` +
		'</propose>',
	`<propose xmlns='${NS.jmi}' id='x3'><description xmlns='${NS.rtp}' ` +
		'media=\'smell\'/></propose>',
	`<propose xmlns='${NS.jmi}' id='${'x'.repeat(5000)}'><description ` +
		`xmlns='${NS.rtp}' media='audio'/></propose>`,
	`<proceed xmlns='${NS.jmi}'/>`, `<retract xmlns='${NS.jmi}'/>`,
	`<reject xmlns='${NS.jmi}' id='none'/>`,
	`<finish xmlns='${NS.jmi}' id=''/>`,
	`<dance xmlns='${NS.jmi}' id='x4'/>`,
	'<propose xmlns=\'urn:xmpp:jingle:jingle-message:0\' id=\'x5\'>' +
		`<description xmlns='${NS.rtp}' media='audio'/></propose>`,
	`<propose xmlns='urn:xmpp:jingle-message:1' id='x6'><description ` +
		`xmlns='${NS.rtp}' media='audio'/></propose>`,
];

story('A30 broken JMI: no ring, no crash, no loop', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const from = b.mark();
	for (const xml of JMI) {
		await a.send(`<message to='${t.at('bob')}' type='chat' ` +
			`id='j${JMI.indexOf(xml)}'>${xml}</message>`);
		await a.send(`<message to='${t.at('bob', true)}' ` +
			`type='groupchat'>${xml}</message>`);
	}
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
	const out = await a.call(t.at('bob'));
	await b.rings();
	await a.cancel(out);
});

story('I13 errors and results that nobody asked for are never answered',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const from = a.mark();
		for (const to of [t.domain, t.at('bob'), t.at('bob', true)]) {
			await a.send(`<iq type='result' id='z1' to='${to}'/>`);
			await a.send(`<iq type='error' id='z2' to='${to}'/>`);
			await a.send(`<message type='error' id='z3' to='${to}'>` +
				`<propose xmlns='${NS.jmi}' id='z'/></message>`);
			await a.send(`<presence type='error' to='${to}'/>`);
		}
		await t.settle();
		const got = a.received((el) => /^z\d$/.test(el.attrs.id ?? ''),
			from);
		equal(got.map(String), [], 'answers');
		await b.expectNothing(ofCall);
	});

story('A28 a forwarded propose inside a message is nobody\'s call',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const from = b.mark();
		const inner = a.jmiXml('propose', { to: t.at('bob'), sid: 'fw',
			inner: a.describe(['audio']) }).replace('<message',
			`<message xmlns='jabber:client' from='${b.jid}'`);
		await a.send(`<message to='${t.at('bob')}' type='chat'>` +
			`<received xmlns='${NS.carbons}'><forwarded ` +
			`xmlns='${NS.forward}'>${inner}</forwarded></received>` +
			'</message>');
		await t.settle();
		await b.expectNothing(ofCall, undefined, { from });
	});
