// gateway.mjs: how a user comes to the service and his contacts to him

import { Client } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { bare, errorOf, message, presence } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { NS } from '../clients/ns.mjs';
import { capsVer } from '../clients/phone.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { options, scene } from '../scene.mjs';
import { assert, equal, story } from '../story.mjs';

const WANTED = [NS.jingle, NS.jmi, NS.rtp, NS.audio, NS.video, NS.dtls,
	NS.ice, NS.hdrext, NS.fb, NS.ssma, NS.grouping, NS.receipts];

story('gateway: the service says what it is: gateway/xmpp, version, ping',
	async (t) => {
		const a = await t.device(Client, 'alice').connect();
		const { identities, features, names } = await a.disco(t.domain);
		assert(identities.includes('gateway/xmpp'), `${identities}`);
		assert(names[0], 'a name');
		for (const f of [NS.info_, NS.register, NS.ping, NS.version])
			assert(features.includes(f), `no feature ${f}`);
		const el = await a.iq('get', t.domain,
			`<query xmlns='${NS.version}'/>`);
		assert(el.getChild('query', NS.version).getChildText('name'),
			'a name in the version');
		await a.fence();
		const items = await a.iq('get', t.domain, '<query xmlns=' +
			'\'http://jabber.org/protocol/disco#items\'/>',
		{ mayFail: true });
		assert(items.attrs.type, 'an answer');
	});

story('gateway: registration (XEP-0077) puts the service in the roster, ' +
	'both ways', async (t) => {
	const a = await t.login(Conversations, 'alice', { register: false });
	const form = await a.iq('get', t.domain,
		`<query xmlns='${NS.register}'/>`);
	assert(!form.getChild('query', NS.register).getChild('registered'),
		'registered already');
	await a.register();
	assert(a.subscribed(t.domain, 'both'), 'subscription');
	const again = await a.iq('get', t.domain,
		`<query xmlns='${NS.register}'/>`);
	assert(again.getChild('query', NS.register).getChild('registered'),
		'not registered');
	equal((await t.ctl('user', t.jid('alice'))).data.active, true,
		'active');
});

story('gateway: a presence subscription to the service is enough',
	async (t) => {
		const a = await t.login(Conversations, 'alice',
			{ register: false });
		await a.add(t.domain);
		await a.waitRoster(t.domain, 'both');
		await t.settle();
		equal((await t.ctl('user', t.jid('alice'))).data.active, true,
			'active');
	});

story('gateway: unregistering takes it all back', async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	await b.iq('set', t.domain,
		`<query xmlns='${NS.register}'><remove/></query>`);
	await t.settle();
	await a.waitPresence(t.at('bob', true), 'unavailable');
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	await a.shows(out, 'declined');
	equal(out.reason.name, 'gone', 'reason');
	await b.expectNothing((el) => el.getChild('propose', NS.jmi),
		'a propose');
});

story('F4 gateway: contacts have presence with caps from /call, and disco ' +
	'tells the same', async (t) => {
	const [a] = await t.pair(Conversations, Dino);
	const p = await a.waitPresence(t.at('bob', true));
	const c = p.getChild('c', NS.caps);
	assert(c?.attrs.ver && c.attrs.node, 'caps');
	equal(c.attrs.hash, 'sha-1', 'hash');
	const full = await a.disco(t.at('bob', true));
	const node = await a.disco(t.at('bob', true),
		`${c.attrs.node}#${c.attrs.ver}`);
	const atBare = await a.disco(t.at('bob'));
	equal(atBare.identities, ['account/registered'], 'identity of the ' +
		'bare address');
	for (const f of WANTED)
		assert(full.features.includes(f), `no feature ${f}`);
	equal(node.features, full.features, 'features of the node');
	const [identity] = full.query.getChildren('identity');
	equal(full.identities[0], 'client/phone', 'identity');
	const { category, type, name = '' } = identity.attrs;
	equal(c.attrs.ver, capsVer([category, type,
		identity.attrs['xml:lang'] ?? '', name].join('/'),
	full.features), 'the hash of the features');
});

// With the server's module or without.
async function follows(t) {
	const [a, b] = await t.pair(Dino, Conversations);
	const at = t.at('bob', true);
	const steps = [
		[() => b.appear({ show: 'away' }), 'unavailable'],
		[() => b.appear(), null],
		[() => b.appear({ show: 'dnd' }), 'unavailable'],
		[() => b.appear({ show: 'chat' }), null],
		[() => b.appear({ priority: -1 }), 'unavailable'],
		[() => b.appear(), null],
		[() => b.unavailable(), 'unavailable'],
		[() => b.appear(), null],
	];
	const from = a.mark();
	for (const [act, type] of steps) {
		await act();
		await a.waitPresence(at, type);
	}
	await t.settle();
	const got = a.received((el) => el.name === 'presence' &&
		el.attrs.from === at, from);
	const types = got.map((el) => el.attrs.type ?? null);
	assert(!types.some((x, i) => i && x === types[i - 1] &&
		got[i].toString() === got[i - 1].toString()),
	`the same presence twice: ${types}`);
}

story('F4 gateway: presence follows the other\'s activity', follows);

story('F4 gateway: presence follows the other\'s activity, which the ' +
	'server\'s module tells of', options, async (t) => {
	await scene(t, { module: {} });
	await follows(t);
});

story('F4 gateway: active while any device is; the mirror says nothing of ' +
	'how many', async (t) => {
	const [a, b] = await t.pair(Dino, Conversations);
	const c = await t.another(Dino, 'bob', { resource: 'two' });
	await t.settle();
	const from = a.mark();
	await b.unavailable();
	await t.settle();
	await a.expectNothing(presence({ from: /@/, type: 'unavailable' }),
		undefined, { from });
	await c.close();
	await a.waitPresence(t.at('bob', true), 'unavailable');
});

story('gateway: a probe is answered', async (t) => {
	const [a] = await t.pair(Dino, Conversations);
	const from = a.mark();
	await a.unavailable();
	await t.settle();
	a.presences.clear();
	await a.appear();
	await a.waitPresence(t.at('bob', true));
	await t.settle();
	await a.expectCount((el) => el.name === 'presence' &&
		el.attrs.from === t.at('bob', true) && !el.attrs.type, 1,
	'presence of Bob after coming online', { from });
});

story('F25 gateway: Bob\'s presence is not shown before he added Alice\'s ' +
	'contact himself', async (t) => {
	const a = await t.login(Dino, 'alice');
	const b = await t.login(Dino, 'bob');
	await a.add(t.at('bob'));
	await a.waitRoster(t.at('bob'), 'to', 'both');
	await t.settle();
	await a.expectNothing((el) => el.name === 'presence' &&
		bare(el.attrs.from) === t.at('bob') && !el.attrs.type,
	'presence of Bob');
	await b.add(t.at('alice'));
	await a.waitPresence(t.at('bob', true));
	// And is taken back when he removes it.
	await b.send(`<presence to='${t.at('alice')}' type='unsubscribe'/>`);
	await a.waitPresence(t.at('bob', true), 'unavailable');
});

story('gateway: contacts subscribe back, so that Monal takes their calls',
	async (t) => {
		const [a, b] = await t.pair(Dino, Monal);
		await b.waitRoster(t.at('alice'), 'both');
		const out = await a.call(t.at('bob'));
		await b.rings();
		equal(b.ignored ?? 0, 0, 'proposes that Monal ignored');
		await a.cancel(out);
	});

story('F19 F20 gateway: a chat message to a contact comes from the sender\'s ' +
	'own contact', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	await a.send(`<message to='${t.at('bob')}' type='chat' id='c1'>` +
		'<body>Call me &lt;later&gt;</body>' +
		`<origin-id xmlns='${NS.sid}' id='c1'/>` +
		`<request xmlns='${NS.receipts}'/></message>`);
	const el = await b.waitFor(message({ body: 'Call me <later>' }));
	equal(bare(el.attrs.from), t.at('alice'), 'from');
	equal(el.attrs.to, b.bare, 'to');
	equal(el.attrs.type, 'chat', 'type');
	assert(!el.toString().includes(a.jid), 'the sender\'s address');
	await b.send(`<message to='${el.attrs.from}' type='chat'>` +
		'<body>Now?</body></message>');
	const back = await a.waitFor(message({ body: 'Now?' }));
	equal(bare(back.attrs.from), t.at('bob'), 'from');
});

story('F20 gateway: no chat to a contact while messaging is off: an error ' +
	'comes back', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const chat = async (id) => {
		await a.send(`<message to='${t.at('bob')}' type='chat' ` +
			`id='${id}'><body>hello ${id}</body></message>`);
		return a.waitFor((el) => el.name === 'message' &&
			el.attrs.type === 'error' && el.attrs.id === id,
		'an error');
	};
	await t.ctl('messaging', 'off');
	assert(errorOf(await chat('m1')), 'condition');
	await t.ctl('messaging', 'on');
	await t.setting('bob', 'messages', 'no');
	assert(errorOf(await chat('m2')), 'condition');
	await b.expectNothing(message({ body: /hello/ }));
});

story('gateway: a local part with a blank and an apostrophe (XEP-0106) can ' +
	'be called', async (t) => {
	const name = `d\\27artagnan${t.number}`;
	t.prosody.addUser(name, 'secret');
	t.users.set('odd', name);
	const a = await t.login(Siskin, 'alice');
	const b = await t.login(Dino, 'odd');
	await t.contacts(a, b);
	const [out, ring] = await t.connect(a, b);
	equal(a.calls[0].peer, `d\\5c27artagnan${t.number}@${t.domain}/call`,
		'the contact');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	const el = await a.waitFor(t.notice());
	assert(/d'artagnan/i.test(el.getChildText('body')),
		el.getChildText('body'));
});

story('A38 the same person in other spelling: BOB and a resource in capitals',
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const out = await a.call(t.at('bob').toUpperCase(), ['audio'],
			{ remembered: true });
		out.to = t.at('bob');
		out.peer = t.at('bob');
		await b.answer(await b.rings());
		await a.shows(out, 'active');
		await t.endQuietly(a, out);
	});

story('gateway: unknown iq requests get an error, on every address',
	async (t) => {
		const a = await t.login(Dino, 'alice');
		for (const to of [t.domain, t.at('alice'), t.at('alice', true),
			`nobody@${t.domain}`])
			for (const type of ['get', 'set']) {
				const el = await a.iq(type, to,
					'<query xmlns=\'urn:example:none\'/>',
					{ mayFail: true });
				equal(errorOf(el), 'service-unavailable',
					`answer of ${to}`);
			}
	});

story('gateway: of hosts without the module calls are the server\'s own',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const out = await a.call(b.bare, ['audio'], { remembered: true });
		const ring = await b.rings();
		equal(ring.peer, a.jid, 'who calls');
		await a.cancel(out);
		equal((await t.log('bob')).length, 0, 'entries in the log');
	});
