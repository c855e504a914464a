// a29-escaping.mjs: what a peer sends comes out as the text it was: one stanza,
// of one sender, whatever its ids, names and reasons are made of (A29)

import { candidate, contents, jingleXml, trickle }
	from '../e2e/clients/bodies.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jingle, jingleOf, jmi, reasonOf } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { Plain } from '../e2e/clients/plain.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { AUDIO, unlimitedPair } from './tools.mjs';

// At most 64 bytes each, as the name of a content may have. Blanks other than
// the space are in a31-stream.mjs: Prosody makes spaces of them in attributes.
const ODD = [
	'\'"><&', '"/><message to=\'x\'><body>evil</body></message>',
	'</stream:stream>', '<![CDATA[&]]>', ']]>', '<!-- -->', '<?pi?>',
	'&amp;&lt;&#60;', '\u2028\u2029\u202e\u2066', '\ufffd\ufeff',
	'\u{10ffff}\u{1f469}\u200d\u{1f4bb}', 'e\u0301\u0327 \u05d0\u0640',
	'\u0080\u009f\u00a0', '%s%n\\27$(x)`', '\\40\\20',
	'xmlns:x="urn:x" x:y="z"',
];

function quote(text) {
	return text.replace(/[<>&'"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

// Every stanza of the victim is one that somebody meant.
function unhurt(...clients) {
	for (const { label, errors, online, log } of clients) {
		equal(errors.map(String), [], `errors at ${label}`);
		assert(online, `${label} was thrown out`);
		assert(log.every(({ el }) => !el || !el.attrs.to ||
			el.attrs.to !== 'x'), `a smuggled stanza at ${label}`);
	}
}

story('A29 ids of iqs and calls come back as they were', async (t) => {
	const [a, b] = await unlimitedPair(t, Conversations, Dino);
	for (const [i, odd] of ODD.entries()) {
		const from = a.mark();
		await a.send(`<iq type='get' id='${quote(odd)}' to='${
			t.at('accomplice', true)}'><ping xmlns='${NS.ping}'/></iq>`);
		await a.send(`<iq type='set' id='${quote(`s${odd}`)}' to='${
			t.at('accomplice', true)}'><jingle xmlns='${NS.jingle}' ` +
			`action='session-info' sid='${quote(odd)}'/></iq>`);
		await a.send(`<iq type='get' id='n${i}' to='${t.domain}'><query ` +
			`xmlns='${NS.info_}' node='${quote(odd)}'/></iq>`);
		// Who calls himself is told so at once, with his id.
		await a.send(`<message type='chat' id='${quote(odd)}' to='${
			t.at('hostile')}'><propose xmlns='${NS.jmi}' id='${quote(odd)
		}'>${AUDIO}</propose></message>`);
		await t.settle(a);
		for (const id of [odd, `s${odd}`, `n${i}`])
			equal(a.received((el) => el.name === 'iq' &&
				el.attrs.id === id, from).length, 1, `answers of ${id}`);
		equal(a.received(jmi('reject', { id: odd }), from).length, 1,
			`rejects of ${odd}`);
	}
	unhurt(a, b);
});

story('A29 ids, names of contents and texts of reasons pass between the two ' +
	'of a call as they were', { media: 'direct', conf:
	{ pair_per_minute: 100 } }, async (t) => {
	const [a, b] = await unlimitedPair(t, Dino, Dino);
	for (const [i, odd] of ODD.entries()) {
		a.newSid = () => odd;
		a.propose = (call) => a.send(`<message type='chat' id='p${i}' to='${
			call.to}'><propose xmlns='${NS.jmi}' id='${quote(call.sid)
		}'>${AUDIO}</propose></message>`);
		const out = await a.call(t.at('accomplice'));
		const ring = await b.rings();
		assert(t.native || ring.sid !== odd, 'his id went through');
		await b.iq('set', ring.peer, jingleXml('session-terminate',
			ring.sid), { mayFail: true });
		await b.send(b.jmiXml('reject', { to: ring.peer, sid: ring.sid,
			inner: `<reason xmlns='${NS.jingle}'><decline/><text>${
				quote(odd)}</text></reason>` }));
		await a.shows(out, 'declined');
		ring.state = 'declined';
		await t.settle();
	}
	a.newSid = Dino.prototype.newSid;
	a.propose = Dino.prototype.propose;
	unhurt(a, b);
	const [out, ring] = await t.connect(a, b);
	for (const odd of ODD.slice(0, 14)) {
		const from = b.mark();
		await a.iq('set', out.peer, jingleXml('content-add', out.sid,
			contents('dino', 'offer', ['video'],
				{ names: { video: '@@' } }).replace('@@', quote(odd))));
		const [el] = b.received(jingle('content-add'), from);
		equal(jingleOf(el).getChildren('content')[0].attrs.name, odd,
			'name of the content');
		await a.iq('set', out.peer, jingleXml('session-info', out.sid,
			`<mute xmlns='${NS.info}' name='${quote(odd)}'/>`));
		equal(b.call_.infos.at(-1), `mute ${odd}`.trim(), 'muted');
	}
	const all = ODD.join('');
	await b.iq('set', ring.peer, jingleXml('session-terminate', ring.sid,
		`<reason><success/><text>${quote(all)}</text></reason>`));
	const el = await a.waitFor(jingle('session-terminate'));
	equal(reasonOf(jingleOf(el)).text, all, 'text of the reason');
	unhurt(a, b);
});

story('A29 attributes of candidates and descriptions pass as they were',
	{ media: 'direct' }, async (t) => {
		const [a, b] = await unlimitedPair(t, Plain, Plain);
		const [out] = await t.connect(a, b);
		for (const odd of ODD) {
			const from = b.mark();
			const inner = candidate({ extra: ` x='${quote(odd)}'` });
			await a.iq('set', out.peer, jingleXml('transport-info',
				out.sid, trickle('0', { ...out.own, inner: `${inner}<x ` +
				`xmlns='urn:x' y='${quote(odd)}'>${quote(odd)}</x>`,
				fingerprint: undefined })));
			const [el] = b.received(jingle('transport-info'), from);
			const transport = jingleOf(el).getChild('content')
				.getChild('transport');
			const x = transport.getChild('x', 'urn:x');
			equal([transport.getChild('candidate').attrs.x, x.attrs.y,
				x.getText()], [odd, odd, odd], 'what passed');
		}
		unhurt(a, b);
		await t.endQuietly(a, out);
	});

story('A29 messages between contacts keep their ids and words',
{ not: { transparent: 'chat of users is the server\'s own' } }, async (t) => {
	const [a, b] = await unlimitedPair(t, Conversations, Conversations);
	for (const [i, odd] of ODD.entries()) {
		const id = `${odd}${i}`;
		// ejabberd refuses what is no language.
		const lang = t.prosody.name === 'ejabberd' ? 'de' : odd;
		await a.send(`<message type='chat' id='${quote(id)}' to='${
			t.at('accomplice')}' xml:lang='${quote(lang)}'><body>b${
			quote(odd)}</body><thread>${quote(odd)}</thread></message>`);
		const el = await b.waitFor((m) => m.attrs.id === id, id);
		equal(el.getChildText('body'), `b${odd}`, 'body');
		equal(el.getChildText('thread') ?? '', odd, 'thread');
		equal(el.attrs.from, t.at('hostile'), 'from');
	}
	unhurt(a, b);
});

// Those that resourceprep lets be.
for (const resource of ['\'"><&', '<x xmlns="y"/>', ']]>&amp;',
	'\u2764%s\\40', 'a  b'])
	story(`A29 A39 a device called ${JSON.stringify(resource)} calls and is ` +
		'called', async (t) => {
		const [a, b] = await Promise.all([
			t.login(Conversations, 'alice', { resource }),
			t.login(Dino, 'bob', { resource: `${resource}2` }),
		]);
		await t.contacts(a, b);
		equal(a.jid, `${a.bare}/${resource}`, 'the resource');
		for (const [from, to] of [[a, b], [b, a]]) {
			const [out] = await t.connect(from, to);
			const [call] = await t.running();
			equal([call.caller_device, call.callee_device],
				[from.jid, to.jid], 'devices');
			await t.endQuietly(from, out);
		}
		unhurt(a, b);
	});
