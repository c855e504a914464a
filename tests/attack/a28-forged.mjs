// a28-forged.mjs: what is not his to say: answers to others' questions, words
// of servers, marks that a client would act on (A28 A33 A12)

import { until } from '../e2e/children.mjs';
import { jingleXml } from '../e2e/clients/bodies.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jingle, jmiOf, ofCall } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { otherComponent } from './component.mjs';
import { AUDIO, spy, words } from './tools.mjs';

const REMOTE = 'remote.localhost';
const OURS = { not: { transparent: 'it is about addresses and ids of ours' } };
// Not of calls.
const CHAT = { not: { transparent: 'chat of users is the server\'s own' } };

async function remoteUser(t, name) {
	const real = `${name}${t.number}`;
	t.prosody.addUser(real, 'secret', REMOTE);
	await t.prosody.settled?.();
	const client = new Dino({ server: { c2sPort: t.prosody.c2sPort,
		host: REMOTE }, domain: t.domain, user: real,
	password: 'secret', dialogue: t.dialogue, label: name });
	t.clients.push(client);
	await client.login();
	return client;
}

// --- ringing where one may not -------------------------------------------
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
		'call rules', CHAT, async (t) => {
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

story('A28 A33 what only servers say does not pass by a chat message', CHAT,
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
	story(`A33 ${what} does not pass by a chat message`, CHAT, async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await spy(t, 'mallory');
		await m.send(`<message type='chat' id='w' to='${t.at('bob')}'>` +
			`<body>words</body>${xml}</message>`);
		const el = await b.waitFor(words('words'));
		assert(!el.toString().includes('evil'), String(el));
	});

story('A28 X4 <delay/> of the server\'s name does not pass by chat', CHAT,
	async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await spy(t, 'mallory');
		await m.send(`<message type='chat' id='d1' to='${t.at('bob')}'>` +
			`<body>dated</body><delay xmlns='${NS.delay}' from='` +
			`${t.domain}' stamp='2001-01-01T00:00:00Z'/></message>`);
		const el = await b.waitFor(words('dated'));
		assert(!el.getChild('delay', NS.delay), String(el));
	});

story('A12 X4 chat does not go to another server while remote users are off',
	CHAT, async (t) => {
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

story('A12 X4 nor does it come from one', CHAT, async (t) => {
	const b = await t.login(Dino, 'bob');
	const dave = await remoteUser(t, 'dave');
	await dave.send(`<message type='chat' id='r2' to='${t.at('bob')}'>` +
		'<body>from afar</body></message>');
	await dave.fence();
	await b.expectNothing(words('from afar'));
});

// --- answers and errors --------------------------------------------------
story('A28 an answer to an IQ that somebody else was asked does nothing',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await spy(t, 'hostile');
		const [out, ring] = await t.connect(a, b);
		// Bob has been asked, and thinks about it.
		const from = b.mark();
		b.onStanza = () => {};
		let answers = 0;
		const asked = [1, 2, 3].map((n) => a.iq('set', out.peer, jingleXml(
			'session-info', out.sid, `<mute xmlns='${NS.info}' ` +
			`name='${n}'/>`)).finally(() => answers++));
		await b.waitUntil(() => b.received(jingle('session-info'), from)
			.length === 3, 'the questions');
		const gone = '<error type=\'cancel\'><service-unavailable ' +
			`xmlns='${NS.stanzas}'/></error>`;
		for (const { el } of [...a.log, ...b.log].filter((l) => l.el)) {
			const { id } = el.attrs;
			if (el.name === 'iq' && /^[gs]et$/.test(el.attrs.type))
				for (const to of [t.at('alice', true), t.domain,
					t.at('bob', true), t.at('hostile', true)])
					await m.send(`<iq type='result' id='${id}' ` +
						`to='${to}'/><iq type='error' id='${id}' ` +
						`to='${to}'>${gone}</iq>`);
			else if (jmiOf(el))
				await m.send(`<message type='error' id='${id}' ` +
					`to='${t.at('alice')}'>${gone}</message>`);
		}
		await m.fence();
		await a.fence();
		equal(answers, 0, 'answers that Bob did not give');
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		delete b.onStanza;
		for (const el of b.received(jingle('session-info'), from))
			b.result(el);
		await Promise.all(asked);
		await t.endQuietly(a, out);
	});

story('A28 what is forged inside a propose goes no further: it rings, and ' +
	'the rest is gone', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = a.newCall({ out: true, to: t.at('bob'), peer: t.at('bob'),
		sid: 'forged' });
	a.show(out, 'calling');
	const inside = FORGED.filter((xml) => !xml.includes('<propose') &&
		!xml.includes('<jingle')).join('');
	await a.send(a.jmiXml('propose', { to: t.at('bob'), sid: 'forged',
		inner: AUDIO + inside, extra: inside }));
	const ring = await b.rings();
	await t.settle();
	for (const el of b.received(ofCall))
		assert(!el.toString().includes('evil'), String(el));
	await a.cancel(out);
	await b.shows(ring, 'missed');
});

story('A28 forged facts of another\'s client are not believed: disco, ping, ' +
	'vCard, registration', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await spy(t, 'mallory');
	const ids = [...a.log, ...b.log].filter(({ dir, el }) => dir === 'in' &&
		el.name === 'iq' && el.attrs.type === 'get')
		.map(({ el }) => el.attrs.id);
	for (const id of [...ids, 'x1'])
		for (const to of [t.domain, t.at('bob', true), t.at('alice', true)])
			for (const inner of [`<query xmlns='${NS.info_}'/>`, '',
				'<vCard xmlns=\'vcard-temp\'/>',
				`<query xmlns='${NS.register}'><remove/></query>`])
				await m.send(`<iq type='result' id='${id}' to='${to}'>${
					inner}</iq>`);
	await t.settle();
	const out = await a.call(t.at('bob'));
	await b.answer(await b.rings());
	await a.shows(out, 'active');
	await t.endQuietly(a, out);
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

story('A28 a forwarded propose inside a message is nobody\'s call', CHAT,
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

// An element that only the server's module may send: "this stanza of yours is
// refused", which the daemon then takes for the stanza's own error.
const refused = (slot, to, what) => `<iq type='error' id='relay-1' from='${
	slot.domain}' to='${to}'><error type='cancel'><service-unavailable ` +
	'xmlns=\'urn:ietf:params:xml:ns:xmpp-stanzas\'/><refused ' +
	`xmlns='urn:privatecall:relay:0' ${what}/></error></iq>`;

story('A28 A31 A39 nobody but a host of ours can say that a stanza of ours ' +
	'is refused', OURS, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	const marks = [a.mark(), b.mark()];
	const slot = await t.slots.take();
	const evil = await otherComponent(t.prosody, slot);
	const pid = t.daemon.pid;
	// An answer to itself, which would be taken again and again.
	evil.send(refused(slot, t.domain, `stanza='iq' id='relay-1' from='${
		t.domain}' to='${slot.domain}' why='x'`));
	// Both sides in each other's name.
	for (const [from, to] of [[t.at('alice', true), b.jid],
		[t.at('bob', true), a.jid], [t.domain, b.jid]])
		for (const stanza of ['message', 'iq'])
			evil.send(refused(slot, t.domain, `stanza='${stanza}' ` +
				`id='${out.sid}' from='${from}' to='${to}' why='@'`));
	evil.send(`<iq type='get' id='last' from='${slot.domain}' to='${
		t.domain}'><ping xmlns='${NS.ping}'/></iq>`);
	await until(() => evil.text().includes('last'), 'the last answer');
	evil.close();
	t.slots.give(slot);
	await t.settle();
	equal(t.daemon.pid, pid, 'the daemon');
	assert(!/refused a stanza/.test(t.daemon.readLog()), 'the log believes it');
	await a.expectNothing(ofCall, undefined, { from: marks[0] });
	await b.expectNothing(ofCall, undefined, { from: marks[1] });
	await b.answer(ring);
	await Promise.all([a.shows(out, 'active'), b.shows(ring, 'active')]);
	await t.endQuietly(a, out);
});
