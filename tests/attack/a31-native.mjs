// a31-native.mjs: call stanzas between two users' own addresses that the server
// takes and we do not: refused, and the link of the component lives (A31 R08)

import { until } from '../e2e/children.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { errorOf } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { AUDIO, unlimited } from './tools.mjs';

const SIZE = 550 * 1024;        // more than we take in one stanza
const numbered = (n, make) => Array.from({ length: n }, (_, i) => make(i))
	.join('');

const propose = (inner, attributes = '') =>
	`<propose xmlns='${NS.jmi}' id='big'${attributes}>${AUDIO}${inner}` +
	'</propose>';

const OVER = {
	'of 70 levels': propose('<a>'.repeat(70) + '</a>'.repeat(70)),
	'of 4,000 levels': propose('<a>'.repeat(4000) + '</a>'.repeat(4000)),
	'of 5,000 elements': propose('<a/>'.repeat(5000)),
	'of 100 attributes in one element': propose('',
		numbered(100, (i) => ` a${i}='1'`)),
	'of 200 KB of text': propose('x'.repeat(200000)),
	'of 100 namespaces': propose(numbered(100, (i) =>
		`<a xmlns='urn:x${i}'/>`)),
	'of a name of 300 letters': propose(`<${'a'.repeat(300)}/>`),
	'of 550 KiB': propose(numbered(5, () =>
		`<a>${'x'.repeat(SIZE / 5)}</a>`)),
};

const lost = (t) => t.daemon.readLog().match(/connection is lost/g) ?? [];

for (const [what, inner] of Object.entries(OVER))
	story(`A31 R08 a call stanza ${what} is refused, and no other call ` +
		'notices', { own: true, not: { gateway: 'a31-hostile.mjs tells it' } },
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const [out, ring] = await t.connect(a, b);
		const h = await unlimited(t);
		h.apart = false;
		await h.send(`<message type='chat' id='big' to='${b.bare}'>${inner}` +
			'</message>');
		const el = await h.waitFor((s) => s.attrs.id === 'big' &&
			s.attrs.type === 'error', 'a refusal');
		equal(errorOf(el), 'policy-violation', 'error');
		await h.send(`<iq type='set' id='big2' to='${b.jid}'><jingle ` +
			`xmlns='${NS.jingle}' action='session-initiate' sid='big'>` +
			`<content name='0' creator='initiator'>${AUDIO}${inner}` +
			'</content></jingle></iq>');
		const answer = await h.waitFor((s) => s.attrs.id === 'big2' &&
			s.attrs.type === 'error', 'a refusal');
		equal(errorOf(answer), 'policy-violation', 'error of the iq');
		await t.settle();
		equal(lost(t), [], 'connections lost');
		assert(!b.received(/big/).length, 'it reached a user');
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		equal((await t.logged('bob')).result, 'answered', 'log');
	});

story('A31 R08 a call of 500 KB rings; one of 3 MiB ends its sender\'s own ' +
	'stream, and no other call notices', { own: true, lasts: 90,
	not: { gateway: 'a31-hostile.mjs tells it' } }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const c = await t.login(Dino, 'carol');
	const h = await unlimited(t);
	const sized = (id, n) => `<message type='chat' id='${id}' to='${c.bare}'>` +
		`<propose xmlns='${NS.jmi}' id='${id}'>${AUDIO}${`<a>${
			'x'.repeat(n / 5)}</a>`.repeat(5)}</propose></message>`;
	await h.send(sized('fits', 500000));
	await c.waitFor(/propose[^>]*fits/, 'it rings');
	await h.send(sized('toobig', 3 * 1024 * 1024));
	await until(() => !h.online, 'the end of the stream');
	await t.settle();
	equal(lost(t), [], 'connections lost');
	assert(!c.received(/toobig/).length, 'it reached a user');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
});

// The server's modules take it for a call, as the last version of XEP-0353 that
// we do not read: without an answer the caller would wait for ever.
for (const id of [' id=\'later\'', ''])
	story(`A31 a call in a version that we do not read${id ? '' :
		', without an id,'} is answered`,
	{ not: { gateway: 'it is about the server\'s module' } }, async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		await a.send(`<message type='chat' id='m1' to='${b.bare}'><propose ` +
			`xmlns='urn:xmpp:jingle-message:1'${id}>${AUDIO}</propose>` +
			'</message>');
		const el = await a.waitFor((s) => s.attrs.id === 'm1' &&
			s.attrs.type === 'error', 'an answer');
		equal(errorOf(el), 'feature-not-implemented', 'error');
		await t.settle();
		assert(!b.received(/later/).length, 'it reached a user');
	});
