// attacks.mjs: what a hostile user of the same server tries: to ring where he
// may not, to learn who is there, to speak as others, to wear the service out
// (A01 A06 A07 A09 A13 A28 A33 A38 A39)

import { connect } from 'node:net';
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { candidate, contents, jingleXml, reasonXml, trickle }
	from '../clients/bodies.mjs';
import { Client } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jingle, jingleOf, jmi, jmiOf, ofCall, reasonOf }
	from '../clients/match.mjs';
import { NS } from '../clients/ns.mjs';
import { Plain } from '../clients/plain.mjs';
import { assert, equal, Skip, story } from '../story.mjs';

const REMOTE = 'remote.localhost';
const END_MS = process.env.E2E_SANITIZED ? 2000 : 200;

// What a stanza says, without the ids and names that are allowed to differ.
function bytes(el, ...names) {
	let text = el.toString().replace(/ (id|sid)="[^"]*"/g, '')
		.replace(/<stanza-id[^>]*\/>/g, '');
	for (const name of names)
		text = text.split(name).join('NAME')
			.split(name[0].toUpperCase() + name.slice(1))
			.join('NAME');
	return text;
}

// A user who is exempt from the server's limits of bytes a second.
async function unlimited(t, resource) {
	t.prosody.addUser('hostile', 'secret');
	const h = new Client({ server: t.prosody, domain: t.domain,
		user: 'hostile', password: 'secret', dialogue: t.dialogue,
		label: `hostile/${resource}`, resource });
	t.clients.push(h);
	await h.connect();
	h.apart = true;
	return h;
}

// One who is online and unknown to the service.
async function spy(t, name) {
	const m = await t.device(Client, name).connect();
	await m.available();
	return m;
}

async function remoteUser(t, name) {
	const real = `${name}${t.number}`;
	const dir = join(t.prosody.dir, 'data', 'remote%2elocalhost',
		'accounts');
	mkdirSync(dir, { recursive: true });
	writeFileSync(join(dir, `${real}.dat`),
		'return {\n\t["password"] = "secret";\n};\n');
	const client = new Dino({ server: { c2sPort: t.prosody.c2sPort,
		host: REMOTE }, domain: t.domain, user: real,
	password: 'secret', dialogue: t.dialogue, label: name });
	t.clients.push(client);
	await client.login();
	return client;
}

const description = `<description xmlns='${NS.rtp}' media='audio'/>`;
const words = (text) => (el) => el.name === 'message' &&
	el.toString().includes(text);

// --- ringing where one may not ---------------------------------------------
const INVITES = {
	'call-message:1 (Dino)': (m) => '<propose xmlns=' +
		'\'urn:xmpp:call-message:1\' id=\'evil\'><video>false</video>' +
		`<jingle sid='evil' jid='${m.jid}'/></propose>`,
	'call-invites:0 (XEP-0482)': (m) => '<invite xmlns=' +
		'\'urn:xmpp:call-invites:0\' id=\'evil\' video=\'false\'>' +
		`<jingle sid='evil' jid='${m.jid}'/></invite>`,
};

for (const [what, xml] of Object.entries(INVITES))
	story(`A33 X4 a call invite by chat, ${what}, does not ring past the ` +
		'call rules', async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await spy(t, 'mallory');
		await t.setting('bob', 'who_may_call', 'nobody');
		const from = b.mark();
		await m.send(`<message type='chat' id='i1' to='${t.at('bob')}'>` +
			`${xml(m)}</message>`);
		await m.send(`<message type='chat' id='i2' to='${t.at('bob')}'>` +
			`<body>hello</body>${xml(m)}</message>`);
		await m.fence();
		await b.waitFor(words('hello'));
		await b.expectNothing((el) => /urn:xmpp:call-/.test(el.toString()),
			'a call invite', { from });
	});

story('X4 A13 who rings anew by fresh ids rings as often as the limit says',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		await t.settle();
		const from = b.mark();
		for (let i = 0; i < 25; i++) {
			await a.send(a.jmiXml('propose', { to: t.at('bob'),
				sid: `loop-${i}`, inner: description }));
			if (i % 2)
				await a.send(a.jmiXml('retract', { to: t.at('bob'),
					sid: `loop-${i}` }));
		}
		await t.settle();
		const got = b.received(jmi('propose'), from);
		assert(got.length <= 5, `${got.length} rings`);
		a.calls.length = b.calls.length = 0;
	});

story('X4 F23 the open window of a call ends no refusal: who may not call ' +
	'any more does not re-enter', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.setting('bob', 'who_may_call', 'nobody');
	const from = b.mark();
	const again = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await a.waitFor(jmi('reject', { id: again.sid }));
	await t.settle();
	await b.expectNothing(jmi('propose'), undefined, { from });
	await b.expectNothing(jingle('session-initiate'), undefined, { from });
});

story('X4 contacts only: nobody makes himself a contact of another',
	async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await t.login(Conversations, 'mallory');
		await t.setting('bob', 'who_may_call', 'contacts');
		const from = b.mark();
		for (const type of ['subscribe', 'subscribed', 'unsubscribed',
			'subscribe', 'unsubscribe', 'subscribe', 'subscribed'])
			for (const to of [t.at('bob'), t.at('mallory')])
				await m.send(`<presence to='${to}' ` +
					`type='${type}'/>`);
		await m.send(`<presence to='${t.at('bob', true)}'/>`);
		await t.settle();
		const out = await m.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await m.waitFor(jmi('reject', { id: out.sid }));
		await t.settle();
		await b.expectNothing((el) => el.toString().includes(
			t.user('mallory')), 'a trace of her', { from });
		assert(!b.inRoster(t.at('mallory')), 'she is in his roster');
	});

story('A38 odd spellings of an address reach nobody', async (t) => {
	const b = await t.login(Dino, 'bob');
	const m = await spy(t, 'mallory');
	const user = t.user('bob');
	const from = b.mark();
	const nodes = [`${user}\\40localhost`, `${user}\\5c40localhost`,
		`\\20${user}`, `${user}\\20`, `${user}\\40`, `\\40${user}`,
		`${user}\\2f`, `${user}\\40localhost\\2fphone`,
		`\\62${user.slice(1)}`, `${user}\\40LOCALHOST`,
		`${user}\\40localhost.`, `${user}\\40${t.domain}`,
		'x'.repeat(1023), `${'\\20'.repeat(300)}x`, 'ß'.repeat(500)];
	for (const node of nodes)
		for (const to of [`${node}@${t.domain}`,
			`${node}@${t.domain}/call`]) {
			await m.send(m.jmiXml('propose', { to, sid: 'odd',
				inner: description }));
			await m.send(`<message type='chat' id='o' to='${to}'>` +
				'<body>odd</body></message>');
			await m.send(`<presence type='subscribe' to='${to}'/>`);
			await m.send(`<iq type='get' id='odd' to='${to}'>` +
				`<query xmlns='${NS.info_}'/></iq>`);
		}
	await t.settle();
	await b.expectNothing(words('odd'), 'a stanza of hers', { from });
	await m.fence();
});

// --- learning who is there ----------------------------------------------
story('A06 a blocked caller learns nothing from a device without JMI: no ' +
	'proceed and no ringing, row 1 after the fixed time', async (t) => {
	const [a, b] = await t.pair(Conversations, Plain);
	await b.block(t.at('alice'));
	await t.settle();
	const from = a.mark();
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	await a.waitFor((s) => ofCall(s) && reasonOf(jmiOf(s) ??
		jingleOf(s)).name, 'a refusal');
	await t.settle();
	equal(a.received(ofCall, from).map((s) => (jmiOf(s) ?? jingleOf(s)))
		.map((c) => c.attrs.action ?? c.name), ['reject'], 'heard');
	equal(out.reason?.name, 'gone', 'reason');
});

story('A06 a blocked plain caller, a plain callee: row 1 as it is for all',
	async (t) => {
		const [a, b] = await t.pair(Plain, Plain);
		await b.block(t.at('alice'));
		await t.settle();
		const at = performance.now();
		const out = await a.call(t.at('bob'), ['audio'],
			{ remembered: true });
		const el = await a.waitFor(jingle('session-terminate',
			{ sid: out.sid }));
		const ms = performance.now() - at;
		equal(reasonOf(jingleOf(el)).name, 'gone', 'reason');
		assert(ms > 280, `after ${Math.round(ms)} ms`);
	});

story('A06 subscribing, asking and probing say the same of one who is ' +
	'online, one who is not, and nobody', async (t) => {
	const b = await t.login(Dino, 'bob');
	const c = await t.login(Dino, 'carol');
	await c.close();
	t.users.set('nobody', `nobody${t.number}`);
	const said = [];
	for (const name of ['bob', 'carol', 'nobody']) {
		const m = await spy(t, `spy${name}`);
		const from = m.mark();
		const to = t.at(name);
		await m.send(`<presence type='subscribe' to='${to}'/>`);
		await m.fence();
		await m.send(`<presence type='probe' to='${to}'/>`);
		await m.send(`<presence to='${to}/call'/>`);
		for (const xml of [`<query xmlns='${NS.info_}'/>`,
			`<query xmlns='${NS.version}'/>`,
			'<vCard xmlns=\'vcard-temp\'/>', `<ping xmlns='${NS.ping}'/>`,
			'<query xmlns=\'jabber:iq:last\'/>',
			'<pubsub xmlns=\'http://jabber.org/protocol/pubsub\'/>'])
			for (const at of [to, `${to}/call`, `${to}/phone`])
				await m.iq('get', at, xml, { mayFail: true });
		await m.fence();
		said.push(m.received((el) => String(el.attrs.from)
			.startsWith(to), from).map((el) => bytes(el,
			t.user(name), t.user(`spy${name}`), m.resource)).sort());
	}
	equal(said[1], said[0], 'of one who is offline');
	equal(said[2], said[0], 'of nobody');
	await b.fence();
});

// --- others' calls -----------------------------------------------------
story('A28 an answer to an IQ that somebody else was asked does nothing',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await spy(t, 'mallory');
		const [out] = await t.connect(a, b);
		const ids = [...a.log, ...b.log].filter(({ dir, el }) =>
			dir === 'in' && el.name === 'iq' &&
			el.attrs.type === 'set').map(({ el }) => el.attrs.id);
		assert(ids.length > 1, 'ids to steal');
		const gone = '<error type=\'cancel\'><service-unavailable ' +
			`xmlns='${NS.stanzas}'/></error>`;
		for (const id of ids)
			for (const to of [t.at('alice', true), t.at('bob', true),
				t.at('mallory', true), t.domain])
				for (const type of ['result', 'error'])
					await m.send(`<iq type='${type}' id='${id}' ` +
						`to='${to}'>${type === 'error' ? gone : ''
						}</iq>`);
		for (const { el } of b.log.filter((l) => l.dir === 'in' &&
			jmiOf(l.el)))
			await m.send(`<message type='error' id='${el.attrs.id}' ` +
				`to='${t.at('alice')}'>${gone}</message>`);
		await t.settle();
		equal((await t.running()).length, 1, 'calls running');
		await t.endQuietly(a, out);
	});

story('A01 stolen ids make neither a ringing nor an answer: receipts, ' +
	'bounces, presence of a third party while it rings', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Plain, 'mallory');
	const from = a.mark();
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	const [asked] = b.received(jmi('propose'));
	for (const to of [t.at('alice'), t.at('alice', true), t.at('bob')]) {
		await m.send(`<message to='${to}'><received id='` +
			`${asked.attrs.id}' xmlns='${NS.receipts}'/></message>`);
		await m.send(`<message to='${to}' type='error' id='` +
			`${asked.attrs.id}'><error type='cancel'>` +
			`<service-unavailable xmlns='${NS.stanzas}'/></error>` +
			'</message>');
		await m.send(`<presence to='${to}' type='unavailable'/>`);
		await m.send(`<presence to='${to}' type='unsubscribed'/>`);
		for (const verb of ['proceed', 'accept', 'reject', 'retract',
			'finish'])
			await m.send(m.jmiXml(verb, { to, sid: ring.sid }));
	}
	await t.settle();
	equal(ring.state, 'ringing', 'Bob\'s window');
	await a.expectNothing(jmi('proceed'), undefined, { from });
	await a.expectNothing(jmi('reject'), undefined, { from });
	await a.cancel(out);
	await b.shows(ring, 'missed');
});

story('A07 a third party floods a running call with a stolen sid: the ' +
	'hang-up is as fast as ever', { lasts: 90 }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const h = await unlimited(t, `a07-${t.number}`);
	const [out, ring] = await t.connect(a, b);
	const sent = [];
	for (let i = 0; i < 3000; i++)
		sent.push(`<iq type='set' id='f${i}' to='${t.at('alice', true)}'>` +
			`${jingleXml('transport-info', ring.sid, trickle('0',
				{ inner: candidate({ port: 40000 + i % 9 }) }))}</iq>`);
	const flood = h.write(sent.join(''));
	const at = performance.now();
	await b.terminate(ring, 'success');
	await a.shows(out, 'ended');
	const ms = performance.now() - at;
	await flood;
	h.note(`hang-up after ${Math.round(ms)} ms`);
	assert(ms < END_MS, `the hang-up took ${Math.round(ms)} ms`);
	await b.afterEnd(ring, 'success');
});

story('A07 the peer of a call floods it: the called hangs up, and the ' +
	'service acts on it at once', { own: true, lasts: 90 }, async (t) => {
	t.prosody.addUser('hostile', 'secret');
	t.users.set('hostile', 'hostile');
	const a = await t.login(Dino, 'hostile', { resource: 'peer' });
	const b = await t.login(Dino, 'bob');
	await t.contacts(a, b);
	const [out, ring] = await t.connect(a, b);
	a.apart = true;
	b.onStanza = () => {};
	a.onStanza = () => {};
	const at = performance.now();
	const flood = a.write(Array.from({ length: 3000 }, (_, i) =>
		`<iq type='set' id='p${i}' to='${out.peer}'>${jingleXml(
			'transport-info', out.sid, trickle('0', { inner:
			candidate({ port: 40000 + i % 9 }) }))}</iq>`).join(''));
	const el = await b.iq('set', ring.peer, jingleXml('session-terminate',
		ring.sid, reasonXml('success')), { timeout: 30000 });
	equal(el.attrs.type, 'result', 'answer');
	const ms = performance.now() - at;
	b.note(`hang-up after ${Math.round(ms)} ms, ${
		b.received(jingle('transport-info')).length} relayed`);
	await flood;
	const ended = await t.running();
	equal(ended.filter((c) => c.state === 'up'), [], 'calls up');
	assert(ms < END_MS * 4, `the hang-up took ${Math.round(ms)} ms`);
	out.state = ring.state = 'ended';
});

story('R02 a peer that answers no relayed IQ: the 65th is refused, the ' +
	'hang-up passes', async (t) => {
	const [a, b] = await t.pair(Dino, Conversations);
	const [out, ring] = await t.connect(a, b);
	b.onStanza = () => {};         // deaf from here on
	const answers = [];
	for (let i = 0; i < 70; i++) {
		const id = `deaf${i}`;
		answers.push(a.expectAnswer(id, out.peer, 20000)
			.catch(() => null));
		await a.send(`<iq type='set' id='${id}' to='${out.peer}'>${
			jingleXml('session-info', out.sid,
				'<x xmlns=\'urn:example:x\'/>')}</iq>`);
	}
	const first = await Promise.race(answers.slice(64));
	equal(errorOf(first), 'resource-constraint', 'the 65th');
	await a.hangUp(out);
	await b.waitFor(jingle('session-terminate', { sid: ring.sid }));
	ring.state = 'ended';
	a.forget();
});

story('R02 contents without end: refused at the limit, the call goes on',
	{ lasts: 90 }, async (t) => {
		const [a, b] = await t.pair(Dino, Conversations);
		const [out] = await t.connect(a, b);
		b.onStanza = (el) => el.name === 'iq' &&
			el.attrs.type === 'set' && b.result(el);
		const codes = [];
		for (let i = 0; i < 20; i++) {
			const el = await a.iq('set', out.peer, jingleXml(
				'content-add', out.sid, contents('dino', 'offer',
					['audio'], { names: { audio: `c${i}` } })),
			{ mayFail: true, timeout: 20000 });
			codes.push(el.attrs.type === 'error' ? errorOf(el) : '');
		}
		assert(codes.slice(-3).every((c) => c.startsWith(
			'resource-constraint')), codes.join());
		equal((await t.running()).length, 1, 'calls running');
		await a.hangUp(out);
		await b.waitFor(jingle('session-terminate'));
	});

// --- speaking as others --------------------------------------------------
const FORGED = [
	`<forwarded xmlns='${NS.forward}'><message from='x@y'><body>evil` +
		'</body></message></forwarded>',
	`<sent xmlns='${NS.carbons}'><forwarded xmlns='${NS.forward}'>evil` +
		'</forwarded></sent>',
	`<received xmlns='${NS.carbons}'>evil</received>`,
	`<result xmlns='${NS.mam}' id='evil'/>`,
	`<stanza-id xmlns='${NS.sid}' id='evil' by='localhost'/>`,
	'<addresses xmlns=\'http://jabber.org/protocol/address\'>' +
		'<address type=\'ofrom\' jid=\'evil@x\'/></addresses>',
	'<delegation xmlns=\'urn:xmpp:delegation:2\'>evil</delegation>',
	'<privilege xmlns=\'urn:xmpp:privilege:2\'>evil</privilege>',
	`<propose xmlns='${NS.jmi.replace(':0', ':1')}' id='evil'/>`,
	`<jingle xmlns='${NS.jingle}' sid='evil' action='session-info'/>`,
];

story('A28 A33 what only servers say does not pass by a chat message',
	async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await spy(t, 'mallory');
		for (const [i, xml] of FORGED.entries()) {
			await m.send(`<message type='chat' id='g${i}' to='${
				t.at('bob')}'>${xml}<body>number ${i}.</body>` +
				'</message>');
			const el = await b.waitFor(words(`number ${i}.`));
			assert(!el.toString().includes('evil'), String(el));
			equal(el.attrs.from, t.at('mallory'), 'from');
		}
	});

// Not words of a person: what servers, rooms and services say, or do.
const FOREIGN = {
	'roster exchange': '<x xmlns=\'http://jabber.org/protocol/rosterx\'>' +
		'<item action=\'add\' jid=\'evil@x\'/></x>',
	'a PEP event': '<event xmlns=\'http://jabber.org/protocol/' +
		'pubsub#event\'><items node=\'evil\'/></event>',
	'a room\'s invitation': '<x xmlns=\'http://jabber.org/protocol/' +
		'muc#user\'><invite from=\'evil@x\'/></x>',
	'a confirmation': '<confirm xmlns=\'http://jabber.org/protocol/' +
		'http-auth\' id=\'evil\' method=\'GET\' url=\'https://x\'/>',
	'an older carbon': '<received xmlns=\'urn:xmpp:carbons:1\'>evil' +
		'</received>',
	'Muji': '<muji xmlns=\'http://telepathy.freedesktop.org/muji\' ' +
		'id=\'evil\'/>',
};

for (const [what, xml] of Object.entries(FOREIGN))
	story(`A33 ${what} does not pass by a chat message`, async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await spy(t, 'mallory');
		await m.send(`<message type='chat' id='w' to='${t.at('bob')}'>` +
			`<body>words</body>${xml}</message>`);
		const el = await b.waitFor(words('words'));
		assert(!el.toString().includes('evil'), String(el));
	});

story('A28 X4 <delay/> of the server\'s name does not pass by chat',
	async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await spy(t, 'mallory');
		await m.send(`<message type='chat' id='d1' to='${t.at('bob')}'>` +
			`<body>dated</body><delay xmlns='${NS.delay}' from='` +
			`${t.domain}' stamp='2001-01-01T00:00:00Z'/></message>`);
		const el = await b.waitFor(words('dated'));
		assert(!el.getChild('delay', NS.delay), String(el));
	});

story('X4 A12 chat does not go to another server while remote users are off',
	async (t) => {
		const dave = await remoteUser(t, 'dave');
		const m = await spy(t, 'mallory');
		const to = `${dave.user}\\40${REMOTE}@${t.domain}`;
		await m.send(`<message type='chat' id='r1' to='${to}'>` +
			'<body>over there</body></message>');
		const el = await m.waitFor((s) => s.name === 'message' &&
			s.attrs.id === 'r1', 'an error', 1500).catch(() => null);
		await dave.expectNothing(words('over there'));
		equal(el?.attrs.type, 'error', 'answer');
	});

story('X4 A12 nor does it come from one', async (t) => {
	const b = await t.login(Dino, 'bob');
	const dave = await remoteUser(t, 'dave');
	await dave.send(`<message type='chat' id='r2' to='${t.at('bob')}'>` +
		'<body>from afar</body></message>');
	await dave.fence();
	await b.expectNothing(words('from afar'));
});

// --- wearing out ---------------------------------------------------------
story('A13 refused floods do not fill the call log of the called',
	{ own: true, lasts: 120 }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(out);
		await b.shows(b.call_, 'missed');
		const h = await unlimited(t, `a13-${t.number}`);
		const list = Array.from({ length: 200 }, (_, i) => h.jmiXml(
			'propose', { to: t.at('bob'), sid: `fl-${i}`,
				inner: description }));
		await h.write(list.join(''));
		await h.waitUntil(() => h.received(jmi('reject')).length > 190,
			'the refusals', 30000);
		await t.settle();
		const log = await t.log('bob');
		assert(log.some((e) => e.caller === t.jid('alice')),
			'Alice\'s call has left the list');
		assert(log.length <= 20, `${log.length} entries`);
	});

story('A13 others call while proposes to 400 names are refused',
	{ own: true, lasts: 120 }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const h = await unlimited(t, `names-${t.number}`);
		for (let k = 0; k < 4; k++)
			await h.write(Array.from({ length: 100 }, (_, i) =>
				h.jmiXml('propose', { to: `n${k}x${i}@${t.domain}`,
					sid: `n-${k}-${i}`, inner: description }))
				.join(''));
		const [out] = await t.connect(a, b);
		await t.endQuietly(a, out);
	});

// --- what the admin reads ---------------------------------------------
const ESC = '&#10;9999 &lt; &lt;iq forged=\'1\'&gt;&#9;\u2028\u202e';

story('A39 a trace is one line a stanza whatever an id says', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	await a.send(`<message type='chat' id="x${ESC}" to='${t.at('bob')}'>` +
		`<propose xmlns='${NS.jmi}' id="s${ESC}">${description}` +
		'</propose></message>');
	await t.settle();
	const [call] = await t.running();
	const { data } = await t.ctl('trace', call.id);
	for (const line of data.trace.trim().split('\n')) {
		assert(/^\d{13} [<>] /.test(line), `line: ${line}`);
		assert(!/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(line),
			`line: ${line}`);
	}
	await t.ctl('hangup', call.id);
	await t.settle();
	b.calls.length = 0;
});

story('A39 an attribute in a trace cannot pretend to be an element',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		await a.send(`<message type='chat' id="x'>&lt;proceed id='" to='${
			t.at('bob')}'><propose xmlns='${NS.jmi}' id='plain'>${
			description}</propose></message>`);
		await t.settle();
		const [call] = await t.running();
		const { data } = await t.ctl('trace', call.id);
		assert(!/<proceed/.test(data.trace), data.trace);
		await t.ctl('hangup', call.id);
		await t.settle();
		b.calls.length = 0;
	});

story('A39 the control socket is its owner\'s alone', async (t) => {
	const { socket } = t.daemon;
	equal(lstatSync(socket).mode & 0o777, 0o600, 'mode of the socket');
	equal(lstatSync(dirname(socket)).mode & 0o022, 0, 'mode of its folder');
	if (process.getuid() !== 0)
		throw new Skip('not root: no other uid to try');
	process.seteuid(65534);
	const failed = await new Promise((done) => {
		const s = connect(socket);
		s.once('connect', () => done(null));
		s.once('error', (error) => done(error.code));
		process.seteuid(0);
	});
	process.seteuid(0);
	equal(failed, 'EACCES', 'connecting as another');
});

story('A09 a terminate to one\'s own contact or to the service ends nothing',
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const [out, ring] = await t.connect(a, b);
		for (const sid of [out.sid, ring.sid])
			for (const to of [t.at('alice', true), t.domain,
				t.at('alice')])
				await a.iq('set', to, jingleXml('session-terminate',
					sid, reasonXml('success')), { mayFail: true });
		await t.settle();
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await t.endQuietly(a, out);
	});
