// h-limits.mjs: what is too deep or too large, either way, and what the
// component says to who sent what it could not take (A31)

import { until } from '../../e2e/children.mjs';
import { assert, equal } from '../../e2e/story.mjs';
import { errorOf } from '../../e2e/clients/match.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { accepted, jingle, jmi, refusal, rule, RTP, stanza }
	from '../rule.mjs';

const deep = (n) => '<a>'.repeat(n) + '</a>'.repeat(n);
const failed = (id) => (el) => el.attrs.id === id && el.attrs.type === 'error';

// ejabberd 23.01 itself dies of it when it sends it to anybody.
rule('limits: 4,000 levels, of a user and of the component, are refused, and ' +
	'the server lives', async (t) => {
	const alice = await t.user('many');
	const bob = await t.user('bob');
	const inner = RTP + deep(4000);
	for (const name of ['propose', 'retract']) {
		const id = await alice.message(bob.bare, jmi(name, 'P1', inner));
		equal(errorOf(await alice.waitFor(failed(id))), 'policy-violation',
			name);
	}
	const id = await alice.set(bob.jid, jingle('session-initiate', 'S1',
		inner));
	equal(errorOf(await alice.waitFor(failed(id))), 'policy-violation', 'iq');
	const m = await alice.message(bob.bare, jmi('propose', 'P1'));
	await t.redirected(alice, m);
	equal(refusal(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1', inner))), 'forbidden depth', 'message');
	equal(refusal(await t.relayIq('set', alice.jid, bob.jid,
		jingle('session-initiate', 'P1', inner))), 'forbidden depth', 'iq');
	accepted(await t.relayMessage(alice.jid, bob.bare, jmi('propose', 'P1')));
	await bob.waitFor(/propose/);
	await t.nothing(bob, /<a>/);
	await t.nothing(t.link, /<a>/);
});

rule('limits: 500 KiB may be relayed; what is more the server refuses, or it ' +
	'ends the stream', async (t) => {
	const [alice, bob] = await t.called();
	const size = (n) => t.relayMessage(alice.jid, bob.bare, jmi('propose',
		'P1', `${RTP}<x>${'x'.repeat(n)}</x>`), { id: `m${n}` });
	accepted(await size(511500));
	await bob.waitFor(stanza('m511500'));
	if (t.server.name === 'ejabberd') {
		equal(refusal(await size(512001)), 'forbidden size', '512,001');
		equal(refusal(await size(3000000)), 'forbidden size', '3 MB');
	} else {
		const stale = t.link;
		size(550000).catch(() => {});
		// Its parser puts off a long token until twice as much has come.
		await stale.send(' '.repeat(600000));
		await until(() => !stale.online, 'the end of the stream');
		await t.up();
	}
	accepted(await t.relayMessage(`${bob.bare}/privatecall`, alice.jid,
		jmi('ringing', 'P1')));
	await t.nothing(bob, (el) => /<x>/.test(el) && el.attrs.id !== 'm511500');
});

const POLICY = `<error type='modify'><policy-violation xmlns='${
	NS.stanzas}'/><text xmlns='${NS.stanzas}'>Over a limit.</text></error>`;

rule('limits: to a message that it could not take the component answers with ' +
	'an error, once, and nothing beside', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	const say = (inner, id, to = alice.jid, from = bob.bare) =>
		t.relayMessage(from, to, inner, { type: 'error', id });
	const m = await alice.message(bob.bare, jmi('propose', 'P1'));
	await t.redirected(alice, m);
	for (const inner of ['', `${POLICY}<body>hi</body>`, `${POLICY}hi`,
		POLICY + POLICY, `${POLICY}${jmi('propose', 'P1')}`,
		'<error xmlns=\'urn:x\'/>'])
		equal(refusal(await say(inner, m)), 'forbidden stanza', inner);
	equal(refusal(await say(POLICY, 'never')), 'forbidden answer',
		'never said');
	equal(refusal(await say(POLICY, m, bob.jid, alice.bare)),
		'forbidden answer', 'the other way');
	equal(refusal(await say(POLICY, m, `${alice.bare}/else`)),
		'forbidden answer', 'another device');
	await t.nothing(alice, failed(m));
	accepted(await say(POLICY, m));
	const el = await alice.waitFor(failed(m));
	equal([el.attrs.from, errorOf(el)], [bob.bare, 'policy-violation'],
		'error');
	equal(refusal(await say(POLICY, m)), 'forbidden answer', 'twice');
	// Of a message without an id, too.
	await alice.send(`<message to='${bob.bare}'>${jmi('propose', 'P2')}` +
		'</message>');
	await t.link.waitFor(/P2/);
	accepted(await t.relay(`<message xmlns='jabber:client' type='error' ` +
		`from='${bob.bare}' to='${alice.jid}'>${POLICY}</message>`));
	await alice.waitFor((s) => s.attrs.type === 'error' && !s.attrs.id);
	assert(!t.link.received(failed(m)).length, 'it came back');
	await t.nothing(bob, /policy-violation/);
});

// A hook that crashes is left out by ejabberd, and the stanza goes on. What
// fails here has addresses in its reason; they are not logged.
rule('what the module fails at goes to nobody, and the server lives',
	async (t) => {
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		const starts = [
			[() => alice.message(bob.bare, jmi('propose', 'P1')), /P1/],
			[() => alice.set(bob.jid, jingle('session-initiate', 'S1')),
				/S1/],
		];
		await t.server.breakModule();
		for (const [start] of starts) {
			const id = await start();
			if (t.server.name === 'ejabberd')
				equal(errorOf(await alice.waitFor(failed(id))),
					'internal-server-error', id);
		}
		await t.nothing(bob, /P1|S1/);
		await t.nothing(t.link, /P1|S1/);
		if (t.server.name === 'ejabberd')
			await t.server.waitLog(new RegExp('A call stanza was stopped: ' +
				'exit \\[[a-z_,]+\\] in \\[[a-z_,{}]*id_kind[a-z_,{}]*\\]\n'));
		await t.server.mendModule();
		for (const [start, what] of starts) {
			await start();
			await t.link.waitFor(what);
		}
	});
