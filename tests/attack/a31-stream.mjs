// a31-stream.mjs: bytes that no server should pass on. Prosody refuses them
// from its users, which the first story shows; the others are the server: what
// the daemon reads on its component link (A31 A29 A35)

import { until } from '../e2e/children.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { parse } from '../e2e/clients/client.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { startPrivatecalld } from '../e2e/privatecalld.mjs';
import { assert, BASE_CONF, equal, Skip, story } from '../e2e/story.mjs';
import { FakeServer, handshake } from './component.mjs';
import { AUDIO, cpuOf, rssOf } from './tools.mjs';

const MIB = 1024 * 1024;

// A daemon of the story's own on a fake server.
export async function linked(t, options = {}) {
	const server = await new FakeServer({ domain: 'calls.localhost',
		...options }).listen();
	t.daemon = t.ownDaemon = await startPrivatecalld({ dir: t.dir,
		prosody: server.prosody, conf: { ...BASE_CONF, ...options.conf } });
	return server;
}

const message = (inner, attributes = '') => '<message from=\'a@localhost/x\' ' +
	`to='b@calls.localhost' type='chat' id='m'${attributes}>${inner}</message>`;

// Each ends the stream: RFC 6120, 11.1 and 4.9.3.
const REFUSED = {
	'a DTD': '<!DOCTYPE x>',
	'a DTD of entities, a billion laughs': '<!DOCTYPE x [<!ENTITY a "ha">' +
		`<!ENTITY b "${'&a;'.repeat(50)}">]>${message('&b;')}`,
	'an entity of its own': message('<body>&evil;</body>'),
	'an external entity': '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
	'a processing instruction': '<?php x?>',
	'a processing instruction in a stanza': message('<?x y?>'),
	'a comment': '<!-- x -->',
	'a comment in a stanza': message('<!-- x -->'),
	'a second XML declaration': '<?xml version=\'1.0\'?>',
	'an attribute twice': message('<x xmlns=\'urn:x\' y=\'1\' y=\'2\'/>'),
	'an attribute twice by two prefixes': message('<x xmlns:a=\'urn:y\' ' +
		'xmlns:b=\'urn:y\' a:z=\'1\' b:z=\'2\'/>'),
	'a prefix of nothing': message('<evil:x/>'),
	'a prefix bound to nothing': message('<x xmlns:e=\'\'/>'),
	'another name for xml': message('<x xmlns:xml=\'urn:x\'/>'),
	'a character of no XML, U+FFFE': message('<body>\ufffe</body>'),
	'U+0000 by reference': message('<body>&#0;</body>'),
	'U+001F by reference': message('<body>&#x1f;</body>'),
	'a lone surrogate by reference': message('<body>&#xd800;</body>'),
	'U+001F, which a parser may join names with': message('<x y=\'\x1f\'/>'),
	'UTF-8 that is overlong': Buffer.from([...Buffer.from('<message id=\''),
		0xc0, 0xbc, ...Buffer.from('\'/>')]),
	'UTF-8 cut off by markup (CVE-2022-25235)': Buffer.from([...Buffer.from(
		'<message><x'), 0xf0, 0x9f, ...Buffer.from('y/></message>')]),
	'UTF-8 of a surrogate': Buffer.from([...Buffer.from('<message><body>'),
		0xed, 0xa0, 0x80, ...Buffer.from('</body></message>')]),
	'an end of another element': message('<x></y>'),
	'text between stanzas': 'words',
};

story('A31 DTD, entity, instruction, comment from a user: the server ends ' +
	'his stream, others go on', { not: { ejabberd: 'it skips instructions ' +
	'and comments, of which nothing reaches us' } }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out] = await t.connect(a, b);
	for (const xml of ['<!DOCTYPE x>', '<?x y?>', '<!-- x -->',
		'<message>&evil;</message>']) {
		const m = await t.device(Conversations, 'mallory').connect();
		await m.write(xml);
		await until(() => !m.online, `the end of a stream with ${xml}`);
		await t.settle(a, b);
	}
	await t.endQuietly(a, out);
});

story('A31 A29 on the link: each kind of XML that XMPP forbids ends the ' +
	'stream, and the daemon comes back', { native: true, lasts: 120 },
async (t) => {
	const server = await linked(t);
	for (const [what, bytes] of Object.entries(REFUSED)) {
		const { connections } = server;
		assert(!await server.taken(bytes), `${what}: the stream lives`);
		assert(!server.text.includes('haha'), `${what}: an entity opened`);
		await t.ctl('status');
		// Its waits grow with each refusal: a new one starts small.
		if (connections > 1)
			await t.daemon.restart();
		await server.comesBack(connections + 1);
		assert(await server.taken(''), `${what}: it is not back`);
	}
	server.close();
});

story('A31 A29 blanks, quotes and markup by reference come out as they went ' +
	'in, byte for byte', { native: true }, async (t) => {
	const server = await linked(t);
	for (const odd of ['a\tb\nc\rd', '\'"><&', ']]>', '<x/>', '\u2028\ufffd',
		'&amp;lt;', '\u{1f469}']) {
		const id = odd.replace(/[<>&'"\t\n\r]/g,
			(c) => `&#${c.charCodeAt(0)};`);
		const at = server.text.length;
		assert(await server.taken(`<iq type='get' id='${id}' from='a@` +
			'localhost/x\' to=\'b@calls.localhost/call\'><ping xmlns=' +
			'\'urn:xmpp:ping\'/></iq>'), 'the stream has ended');
		const answers = server.text.slice(at).match(/<iq .*?\/>/gs);
		assert(answers.length === 2, () => String(answers));
		assert(!/[\t\n\r]/.test(answers[0]), 'a blank that parsers change');
		const el = parse(answers[0]);
		equal([el.attrs.id, el.attrs.to, el.attrs.type],
			[odd, 'a@localhost/x', 'result'], 'the answer');
	}
	server.close();
});

story('A31 namespaces smuggle no stanza: prefixes, defaults, a stream in a ' +
	'stanza (CVE-2022-25236)', { native: true }, async (t) => {
	const server = await linked(t);
	const propose = `<propose xmlns='${NS.jmi}' id='evil'>${AUDIO}</propose>`;
	const smuggled = [
		message(`<x xmlns='urn:x'>${message(propose)}</x>`),
		`<message xmlns='urn:other' from='a@localhost/x' to='b@calls.` +
			`localhost'>${propose}</message>`,
		`<y:message xmlns:y='jabber:component:accept evil' from='a@localhost` +
			`/x' to='b@calls.localhost'>${propose}</y:message>`,
		message(`<propose xmlns='${NS.jmi}\u00a0' id='evil'/>`),
		message(`<z:propose xmlns:z='${NS.jmi}#' id='evil'/>`),
		`<stream:stream>${message(propose)}</stream:stream>`,
		`<stream:features>${message(propose)}</stream:features>`,
		message(`<jingle xmlns='${NS.jingle}'>${propose}</jingle>`),
	];
	for (const xml of smuggled)
		assert(await server.taken(xml), `the stream has ended: ${xml}`);
	const { data } = await t.ctl('calls');
	equal(data.calls, [], 'calls');
	assert(!server.text.includes('<reject'), 'a call was judged');
	server.close();
});

story('A31 a token of a mebibyte in small pieces, and one without an end: ' +
	'skipped in little time and memory', { native: true, lasts: 90 },
async (t) => {
	if (process.env.E2E_SANITIZED)
		throw new Skip('CPU and memory of a sanitizer build say nothing');
	const server = await linked(t);
	const { pid } = t.daemon;
	for (const [start, end] of [['<message id=\'', '\'/>'],
		['<message><body>', '</body></message>'], ['<message ', '=\'\'/>'],
		['<', '/>']]) {
		assert(await server.taken(''), 'the stream has ended');
		const cpu = cpuOf(pid);
		const rss = rssOf(pid);
		const count = server.connections;
		await server.write(start);
		// A byte at a time at first, then as a slow link would.
		for (let i = 0; i < 4096; i++)
			await server.write('x');
		for (let i = 4096; i < MIB; i += 4096)
			await server.write('x'.repeat(4096));
		if (!await server.taken(end))
			await server.comesBack(count + 1);
		const ms = cpuOf(pid) - cpu;
		const grown = rssOf(pid, 'VmHWM') - rss;
		t.dialogue.add('daemon', '--', `${start}: CPU ${ms.toFixed(1)} ms, ` +
			`memory +${grown} bytes`);
		assert(ms < 400, `${start}: CPU ${ms.toFixed(1)} ms`);
		assert(grown < 4 * MIB, `${start}: memory +${grown} bytes`);
	}
	equal(t.daemon.pid, pid, 'pid');
	server.close();
});

story('A31 A35 nothing counts before the handshake is accepted, and a server ' +
	'that refuses it is asked again', { native: true }, async (t) => {
	const server = await linked(t, { id: 'odd&quot;&lt;&#x9;id' });
	const id = 'odd"<\tid';
	equal(server.hash, handshake(id, server.secret), 'the handshake');
	server.admits = false;
	server.text = '';
	server.socket.destroy();
	await until(() => server.hash, 'a second handshake');
	const at = server.text.length;
	await server.write(message(`<propose xmlns='${NS.jmi}' id='early'>${
		AUDIO}</propose>`) + '<iq type=\'get\' id=\'early\' from=' +
		'\'a@localhost\' to=\'calls.localhost\'><ping xmlns=\'urn:xmpp:ping\'/></iq>');
	server.admit();
	assert(await server.taken(''), 'the stream has ended');
	assert(!server.text.slice(at).includes('early'), 'it was answered');
	equal((await t.ctl('calls')).data.calls, [], 'calls');
	server.close();
});
