// b-redirect.mjs: call stanzas of users go to the component, nothing else does

import { assert, equal } from '../../e2e/story.mjs';
import { errorOf } from '../../e2e/clients/match.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { accepted, FILE, jingle, jmi, refusal, rule, RTP, STORE }
	from '../rule.mjs';

const NAMES = ['propose', 'retract', 'ringing', 'proceed', 'reject', 'accept',
	'finish'];

rule('redirect: each JMI message goes to the component as it is, of any type',
	async (t) => {
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		for (const name of NAMES)
			for (const type of ['chat', 'normal', 'headline']) {
				const id = await alice.message(bob.jid,
					jmi(name, 'P1') + STORE, { type });
				const el = await t.redirected(alice, id);
				equal([el.attrs.from, el.attrs.to, el.attrs.type ??
					'normal'], [alice.jid, bob.jid, type],
				`${name} ${type}`);
				equal(el.children.map((c) => c.name),
					[name, 'store'], 'children');
			}
		await t.nothing(bob, new RegExp(NS.jmi));
	});

rule('redirect: the sender\'s archive and other devices see it once, nobody ' +
	'of the recipient', async (t) => {
	const alice = await t.user('alice');
	const other = await t.user('alice', { resource: 'other' });
	const bob = await t.user('bob');
	const id = await alice.message(bob.bare, jmi('propose', 'P1') + STORE);
	await t.redirected(alice, id);
	await other.waitFor(/<sent.*propose/);
	equal((await alice.archive(bob.bare)).length, 1, 'archive of alice');
	equal((await bob.archive(alice.bare)).length, 0, 'archive of bob');
	await t.nothing(bob, /propose/);
});

rule('redirect: chat, a propose of something else, what one says to oneself, ' +
	'and calls to users without the module stay native', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	const far = t.account('carol', t.server.without);
	await alice.message(bob.bare, '<body>hello</body>');
	await bob.waitFor(/hello/);
	await alice.message(bob.bare, jmi('propose', 'F1', FILE));
	await bob.waitFor(/propose/);
	await alice.message(alice.bare, jmi('accept', 'P1'));
	await alice.waitFor(/accept/);
	await alice.message(far, jmi('propose', 'P1'));
	await t.nothing(t.link, new RegExp(NS.jmi));
});

rule('redirect: calls by chat do not pass', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	for (const inner of ['<invite xmlns=\'urn:xmpp:call-invites:0\' id=\'1\'/>',
		'<propose xmlns=\'urn:xmpp:call-message:1\' id=\'1\'/>']) {
		const id = await alice.message(bob.bare, `${inner}<body>x</body>`);
		equal(errorOf(await alice.waitFor((el) => el.attrs.id === id &&
			el.attrs.type === 'error')), 'not-allowed', 'error');
	}
	await t.nothing(bob, /call-/);
});

rule('redirect: a propose to oneself', async (t) => {
	const alice = await t.user('alice');
	for (const to of [alice.bare, `${alice.bare}/other`]) {
		const id = await alice.message(to, jmi('propose', 'P1'));
		equal((await t.redirected(alice, id)).attrs.to, to, 'to');
	}
});

rule('redirect: a session of a call by its offer, and all of its sid after ' +
	'that', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	for (const action of ['session-initiate', 'transport-info',
		'session-terminate']) {
		const id = await alice.set(bob.jid, jingle(action, 'S1',
			action === 'session-initiate' ? RTP : ''));
		const el = await t.redirected(alice, id);
		accepted(await t.relayIq('result', el.attrs.to, el.attrs.from,
			'', { id }));
		const answer = await alice.waitFor((s) => s.attrs.id === id);
		equal([answer.attrs.type, answer.attrs.from],
			['result', bob.jid], 'answer');
	}
	const back = await bob.set(alice.jid, jingle('session-info', 'S1', ''));
	await t.redirected(bob, back);
	await alice.set(bob.jid, jingle('transport-info', 'S2', ''));
	await bob.waitFor(/S2/);
	await t.nothing(bob, /S1/);
});

rule('redirect: an RTP content in whatever session, beside whatever else',
	async (t) => {
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		await alice.set(bob.jid, jingle('session-initiate', 'F1', FILE));
		await bob.waitFor(/F1/);
		const add = await alice.set(bob.jid, jingle('content-add', 'F1'));
		await t.redirected(alice, add);
		const both = await alice.set(bob.jid, jingle('session-initiate',
			'S1', FILE).replace('</jingle>', `<content name='b'>${RTP}` +
			'</content></jingle>'));
		await t.redirected(alice, both);
		await t.nothing(bob, /content-add|S1/);
	});

rule('redirect: file transfer stays native, and its sid is no call\'s ever ' +
	'after', async (t) => {
	const [alice, bob] = await t.called();
	for (const action of ['session-initiate', 'transport-info']) {
		await alice.set(bob.jid, jingle(action, 'F1',
			action === 'session-initiate' ? FILE : ''));
		await bob.waitFor(new RegExp(action));
	}
	await t.nothing(t.link, /F1/);
	for (const action of ['session-initiate', 'session-terminate'])
		equal(refusal(await t.relayIq('set', alice.jid, bob.jid,
			jingle(action, 'F1', action === 'session-initiate' ? RTP
				: ''))), 'forbidden session', action);
	await t.nothing(bob, /id="relayed0"/);
});

rule('redirect: receipts and errors go where their message came from, and no ' +
	'others do', async (t) => {
	const [alice, bob] = await t.called();
	const receipt = (id) => `<received xmlns='${NS.receipts}' id='${id}'/>`;
	accepted(await t.relayMessage(alice.jid, bob.bare, jmi('propose', 'P1'),
		{ id: 'relayed1' }));
	const one = await bob.message(alice.jid, receipt('relayed1'));
	await t.redirected(bob, one);
	await bob.message(alice.jid, '<error type=\'cancel\'>' +
		`<service-unavailable xmlns='${NS.stanzas}'/></error>`,
	{ type: 'error', id: 'relayed1' });
	equal((await t.redirected(bob, 'relayed1')).attrs.type, 'error', 'error');
	await bob.message(alice.jid, receipt('relayed2'));
	await alice.waitFor(/relayed2/);
	await t.nothing(alice, /relayed1/);
	await bob.message(`${alice.bare}/else`, receipt('relayed1'));
	await t.nothing(t.link, (el) => el.attrs.to === `${alice.bare}/else`);
});

rule('redirect: forged marks are removed', async (t) => {
	const alice = await t.user('alice');
	const id = await alice.message(t.jid('bob'), jmi('propose', 'P1') +
		'<refused xmlns=\'urn:privatecall:relay:0\'/>' +
		'<sessions xmlns=\'urn:privatecall:query:0\'/>' +
		'<x xmlns=\'urn:privatecall:else\'/>' + STORE);
	const el = await t.redirected(alice, id);
	equal(el.children.map((c) => c.name), ['propose', 'store'], 'children');
});

rule('redirect: 64 levels pass, 65 are refused and go nowhere', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	const deep = (n) => '<a>'.repeat(n) + '</a>'.repeat(n);
	// message, propose, then the rest
	const fits = await alice.message(bob.bare,
		jmi('propose', 'P1', RTP + deep(62)));
	await t.redirected(alice, fits);
	const id = await alice.message(bob.bare,
		jmi('propose', 'P2', RTP + deep(63)));
	const el = await alice.waitFor((s) => s.attrs.id === id);
	equal(errorOf(el), 'policy-violation', 'error');
	await t.nothing(t.link, /P2/);
	await t.nothing(bob, /propose/);
});

rule('redirect: whom the sender blocks he cannot call, and the component ' +
	'sees nothing', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	await alice.block(bob.bare);
	const id = await alice.message(bob.bare, jmi('propose', 'P1'));
	const el = await alice.waitFor((s) => s.attrs.id === id &&
		s.attrs.type === 'error');
	equal(errorOf(el), 'not-acceptable', 'error');
	const plain = await alice.set(bob.jid, jingle('session-initiate', 'S1'));
	equal(errorOf(await alice.waitFor((s) => s.attrs.id === plain &&
		s.attrs.type === 'error')), 'not-acceptable', 'error of the iq');
	await t.nothing(t.link, /propose|session-initiate/);
});

rule('redirect: what was stored while a user was away is not redirected when ' +
	'he comes', async (t) => {
	const [alice] = await t.called();
	const bob = t.users.find((u) => u.bare === t.jid('bob'));
	await bob.close();
	accepted(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1') + STORE, { id: 'relayed7' }));
	const from = t.link.mark();
	const again = await t.user('bob', { resource: 'later' });
	await t.settle();
	assert(!t.link.received(/relayed7/, from).some((el) =>
		el.attrs.to === again.bare), 'redirected again');
});

rule('redirect: between two hosts of the module, and relayed by the host of ' +
	'the sender', async (t) => {
	const alice = await t.user('alice');
	const dave = await t.user('dave', { host: t.server.second });
	const id = await alice.message(dave.bare, jmi('propose', 'P1'));
	await t.redirected(alice, id);
	const back = await dave.message(alice.jid, jmi('ringing', 'P1'));
	await t.redirected(dave, back);
	const say = (host) => t.relayMessage(dave.jid, alice.jid,
		jmi('ringing', 'P1'), { host, id: 'relayed9' });
	equal(refusal(await say(t.server.host)), 'forbidden address', 'host');
	accepted(await say(t.server.second));
	equal((await alice.waitFor(/ringing/)).attrs.from, dave.jid, 'from');
});
