// c-relay.mjs: the component speaks as a user, about calls alone

import { until } from '../../e2e/children.mjs';
import { equal } from '../../e2e/story.mjs';
import { errorOf } from '../../e2e/clients/match.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { accepted, FILE, jingle, jmi, refusal, RELAY, rule, RTP, same, STORE }
	from '../rule.mjs';

const PRIVATE = `<private xmlns='${NS.carbons}'/>` +
	`<no-copy xmlns='${NS.hints}'/><no-store xmlns='${NS.hints}'/>`;

rule('relay: a message reaches each device of the recipient and his archive ' +
	'once, nothing of the sender', async (t) => {
	const [alice, bob] = await t.called();
	const second = await t.user('bob', { resource: 'second' });
	accepted(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1') + STORE, { id: 'relayed1' }));
	for (const device of [bob, second])
		await device.waitFor((el) => /relayed1/.test(el.toString()));
	await t.settle();
	for (const device of [bob, second])
		await device.expectCount(/relayed1/, 1, 'relayed1', { fence: false });
	equal((await bob.archive(alice.bare)).length, 1, 'archive of bob');
	equal((await alice.archive(bob.bare)).length, 1, 'archive of alice');
	await t.nothing(alice, /relayed1/);
});

rule('relay: all that our stanzas hold may pass', async (t) => {
	const [alice, bob] = await t.called();
	for (const inner of [jmi('propose', 'P1') + STORE + PRIVATE,
		jmi('ringing', 'P1') + `<request xmlns='${NS.receipts}'/>`,
		jmi('proceed', 'P1', `<device xmlns='${NS.omemo}' id='7'/>`),
		jmi('finish', 'P1') + `<origin-id xmlns='${NS.sid}' id='o'/>`,
		`<received xmlns='${NS.receipts}' id='relayed1'/>`])
		for (const type of ['chat', 'normal', null])
			accepted(await t.relayMessage(alice.jid, bob.jid, inner,
				{ type }));
});

rule('relay: a session, its result and its errors come back raw', async (t) => {
	const [alice, bob] = await t.called();
	accepted(await t.relayIq('set', alice.jid, bob.jid,
		jingle('session-initiate', 'S1'), { id: 'asked1' }));
	const el = await bob.waitFor((s) => s.attrs.id === 'asked1');
	equal([el.name, el.attrs.from], ['iq', alice.jid], 'offer');
	await bob.send(`<iq type='result' id='asked1' to='${alice.jid}'/>`);
	const result = await t.redirected(bob, 'asked1');
	equal([result.attrs.type, result.attrs.from, result.attrs.to],
		['result', bob.jid, alice.jid], 'result');
	await bob.send(`<iq type='result' id='asked1' to='${alice.jid}'/>`);
	await t.nothing(t.link, (s) => s !== result && s.attrs.id === 'asked1');
	accepted(await t.relayIq('set', alice.jid, `${bob.bare}/gone`,
		jingle('transport-info', 'S1', ''), { id: 'asked2' }));
	const error = await t.link.waitFor((s) => s.attrs.id === 'asked2');
	equal([errorOf(error), error.attrs.to], ['service-unavailable',
		alice.jid], 'error');
	await t.nothing(alice, (s) => s.attrs.id === 'asked2');
});

rule('relay: the recipient\'s block list binds, the bounce comes back',
	async (t) => {
		const [alice, bob] = await t.called();
		await bob.block(alice.bare);
		accepted(await t.relayMessage(alice.jid, bob.bare,
			jmi('propose', 'P1'), { id: 'relayed1' }));
		const el = await t.link.waitFor((s) => s.attrs.id === 'relayed1');
		equal([el.attrs.type, errorOf(el)],
			['error', 'service-unavailable'], 'bounce');
		accepted(await t.relayIq('set', alice.jid, bob.jid,
			jingle('session-initiate', 'P1'), { id: 'asked1' }));
		equal(errorOf(await t.link.waitFor((s) => s.attrs.id === 'asked1')),
			'service-unavailable', 'bounce of the iq');
		await t.nothing(bob, /relayed1|asked1/);
		await t.nothing(alice, /relayed1|asked1/);
	});

rule('relay: answers only what was asked, once', async (t) => {
	const [alice, bob] = await t.called();
	const asked = await alice.set(bob.jid, jingle('session-initiate', 'P1'));
	await t.redirected(alice, asked);
	const say = (type, inner, id = asked) => t.relayIq(type, bob.jid,
		alice.jid, inner, { id });
	equal(refusal(await say('result', '', 'never')), 'forbidden answer',
		'unasked');
	equal(refusal(await say('result', '<x/>')), 'forbidden stanza',
		'result with a child');
	accepted(await say('error', '<error type=\'cancel\'><conflict xmlns=\'' +
		`${NS.stanzas}'/></error>`));
	const el = await alice.waitFor((s) => s.attrs.id === asked);
	equal([el.attrs.type, errorOf(el)], ['error', 'conflict'], 'answer');
	equal(refusal(await say('result', '')), 'forbidden answer', 'second');
});

// What the thief of the secret could wish for.
rule('relay: everything else is refused and reaches nobody', async (t) => {
	const [alice, bob] = await t.called();
	const carol = await t.user('carol');
	const propose = jmi('propose', 'P1');
	const m = (inner, o) => t.relayMessage(alice.jid, bob.jid, inner, o);
	const iq = (type, inner) => t.relayIq(type, alice.jid, bob.jid, inner);
	const raw = (inner) => t.relay(inner);
	const deep = '<a>'.repeat(500) + '</a>'.repeat(500);
	const list = [
		['pair', t.relayMessage(alice.jid, carol.jid, propose)],
		['pair', t.relayMessage(carol.jid, alice.jid, propose)],
		['stanza', m('<body>hi</body>')],
		['stanza', m(`${propose}<body>hi</body>`)],
		['stanza', m(`${propose}<thread>1</thread>`)],
		['stanza', m(`${propose}hi`)],
		['stanza', m(propose + jmi('retract', 'P1'))],
		['stanza', m(`${propose}<x xmlns='jabber:x:oob'/>`)],
		['stanza', m(`${propose}<active xmlns='urn:xmpp:carbons:2'/>`)],
		['stanza', m(`${propose}<x xmlns='${NS.receipts}'/>`)],
		['stanza', m(STORE)],
		['stanza', m('')],
		['stanza', m(propose, { type: 'groupchat' })],
		['stanza', m(propose, { type: 'headline' })],
		['stanza', m(propose, { type: 'error' })],
		['stanza', iq('set', '<query xmlns=\'jabber:iq:roster\'/>')],
		['stanza', iq('set', jingle('session-initiate', 'X', FILE))],
		['stanza', iq('set', jingle('session-initiate', 'X', ''))],
		['stanza', iq('set', jingle('session-initiate', 'X', RTP + FILE))],
		['stanza', iq('set', jingle('content-add', 'P1', FILE))],
		['stanza', iq('get', `<query xmlns='${NS.info_}'/>`)],
		['stanza', iq('get', jingle('session-info', 'P1', ''))],
		['session', iq('set', jingle('session-terminate', 'X', ''))],
		['answer', iq('result', '')],
		['answer', iq('error', '<error/>')],
		['malformed', raw(`<presence xmlns='jabber:client' from='${
			alice.jid}' to='${bob.bare}' type='subscribed'/>`)],
		['malformed', raw('')],
		['malformed', raw(`<message from='${alice.jid}' to='${bob.jid}'>` +
			`${propose}</message>`)],
		['malformed', raw(`<message xmlns='jabber:client' from='${
			alice.jid}' to='${bob.jid}'>${propose}</message>`.repeat(2))],
		['depth', m(propose + deep)],
		['address', t.relayMessage(alice.jid, 'eve@elsewhere.example',
			propose)],
		['address', t.relayMessage('eve@elsewhere.example', bob.jid,
			propose)],
		['address', t.relayMessage(t.server.host, bob.jid, propose)],
		['address', t.relayMessage(alice.jid, t.server.host, propose)],
		['address', t.relayMessage(`${alice.user}@${t.server.without}`,
			bob.jid, propose)],
		['address', t.relayMessage(alice.jid, `x@${t.server.without}`,
			propose)],
		['address', t.relayMessage(alice.jid, `x@${t.server.component
			.domain}`, propose)],
		['address', t.relayMessage('@@', bob.jid, propose)],
		['address', raw(`<message xmlns='jabber:client' to='${bob.jid}'>` +
			`${propose}</message>`)],
	];
	for (const [i, [why, answer]] of list.entries())
		equal(refusal(await answer), `forbidden ${why}`, `case ${i + 1}`);
	for (const user of [alice, bob, carol])
		await t.nothing(user, /relayed0/);
});

rule('relay: a refusal names the stanza', async (t) => {
	const alice = await t.user('alice');
	const el = await t.relayMessage(alice.jid, t.jid('bob'),
		jmi('propose', 'P1'), { id: 'relayed5' });
	const { xmlns, ...attrs } = el.getChild('error')
		.getChild('refused', RELAY).attrs;
	same(attrs, { why: 'pair', stanza: 'message', id: 'relayed5',
		from: alice.jid, to: t.jid('bob') }, `refused ${xmlns}`);
});

const ringing = (from, to) => `<relay xmlns='${RELAY}'><message xmlns=` +
	`'jabber:client' from='${from}' to='${to}'>${jmi('ringing', 'P1')}` +
	'</message></relay>';

rule('relay: users and other components are forbidden to', async (t) => {
	const [alice, bob] = await t.called();
	const inner = ringing(bob.jid, alice.jid);
	equal(refusal(await alice.iq('set', t.server.host, inner,
		{ mayFail: true })), 'forbidden asker', 'user');
	const other = await t.another();
	equal(refusal(await other.iq('set', t.server.host, inner)),
		'forbidden asker', 'other component');
	await t.nothing(alice, /<ringing/);
});

// The lines about refusals from the first one that is `first`: those before are
// of other rules, and may have been written late.
function refusals(t, from, first) {
	const lines = [...t.server.readLog().slice(from).matchAll(
		/Refused (what \S+ asked \(\w+\)|\d+ more .*)/g)]
		.map(([, line]) => line);
	return lines.slice(lines.includes(first) ? lines.indexOf(first)
		: lines.length);
}

rule('relay: refusals are logged, the first at once, the others counted by ' +
	'reason', async (t) => {
	// Loaded anew it has refused nothing.
	await t.server.unloadModule();
	await t.server.loadModule();
	await t.hello();
	const from = t.server.readLog().length;
	const first = `what ${t.link.bare} asked (pair)`;
	const said = () => refusals(t, from, first);
	const [alice, bob] = await t.called();
	const carol = t.account('carol');
	const a = alice.jid;
	const say = (to, inner, o) => t.relayMessage(a, to, inner, o);
	const iq = (type, inner) => t.relayIq(type, a, bob.jid, inner);
	const asker = () => alice.iq('set', t.server.host, ringing(bob.jid, a),
		{ mayFail: true });
	const deep = '<a>'.repeat(500) + '</a>'.repeat(500);
	const kinds = [
		[1, 'pair', () => say(carol, jmi('propose', 'P1'))],
		[4, 'pair', () => say(carol, jmi('propose', 'P1'))],
		[3, 'stanza', () => say(bob.jid, '<body>hi</body>')],
		[3, 'asker', asker],
		[2, 'address', () => say('@@', jmi('ringing', 'P1'))],
		[2, 'answer', () => iq('result', '')],
		[2, 'session', () => iq('set', jingle('session-info', 'X', ''))],
		[1, 'depth', () => say(bob.jid, jmi('propose', 'P1') + deep)],
		[1, 'malformed', () => t.relay('')],
	];
	for (const [count, why, ask] of kinds)
		for (let i = 0; i < count; i++)
			equal(refusal(await ask()), `forbidden ${why}`, why);
	await until(() => said().length, 'a line');
	equal(said(), [first], 'at once');
	await until(() => said().length > 1, 'the count', 15000);
	const counted = [first, '18 more in 10 s: pair 4, asker 3, stanza 3, ' +
		'address 2, answer 2, session 2, depth 1, malformed 1; the last ' +
		`asked by ${t.link.bare}; 19 since the module was loaded`];
	equal(said(), counted, 'after ten seconds');
	await asker();
	await asker();
	await t.settle();
	equal(said(), counted, 'no line in between');
	await t.server.unloadModule();
	await until(() => said().length > 2, 'the rest');
	equal(said().slice(2), [`2 more in 10 s: asker 2; the last ` +
		`asked by ${a}; 21 since the module was loaded`], 'the rest');
	await t.server.loadModule();
});

rule('relay: pairs and ids outlast a reconnect, a reload, a restart',
	async (t) => {
		const [alice, bob] = await t.called();
		const check = async (what) => {
			equal((await t.relayIq('set', alice.jid, bob.jid,
				jingle('session-info', 'P1', ''))).attrs.type,
			'result', what);
		};
		await check('at first');
		t.link.drop();
		await t.up();
		await check('reconnected');
		await t.server.reloadModule();
		await t.hello();
		await check('reloaded');
		t.link.drop();
		for (const user of t.users)
			await user.close();
		await t.server.restart();
		await t.up();
		await check('restarted');
	});

// Prosody stores a user's pairs in one file, which it writes as a whole, in the
// only thread that it has; ejabberd has a row for each.
rule('relay: of who calls a hundred in a minute no more is stored',
	async (t) => {
		const many = await t.user('many');
		const [, host] = many.bare.split('@');
		for (let i = 0; i < 110; i++)
			await many.message(`x${i}@${host}`, jmi('propose', `P${i}`));
		await many.fence();
		const known = async (i) => refusal(await t.relayMessage(many.jid,
			`x${i}@${host}`, jmi('ringing', `P${i}`)));
		equal(await known(109), '', 'the last one, by memory');
		t.link.drop();
		for (const user of t.users)
			await user.close();
		await t.server.restart();
		await t.up();
		equal([await known(99), await known(100)], ['',
			t.server.name === 'prosody' ? 'forbidden pair' : ''],
		'after a restart');
	});

rule('relay: not when the pair\'s time is over', async (t) => {
	const [alice, bob] = await t.called();
	await t.module({ privatecall_pair_lifetime: 0 });
	equal(refusal(await t.relayMessage(alice.jid, bob.jid,
		jmi('ringing', 'P1'))), 'forbidden pair', 'old pair');
});
