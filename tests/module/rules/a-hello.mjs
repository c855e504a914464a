// a-hello.mjs: who is there, in which version

import { until } from '../../e2e/children.mjs';
import { assert, equal } from '../../e2e/story.mjs';
import { errorOf } from '../../e2e/clients/match.mjs';
import { accepted, attrsOf, jmi, QUERY, rule, same } from '../rule.mjs';

const announced = (t) => (el) => el.name === 'message' && hello(el) &&
	el.attrs.from === t.server.host;
const hello = (el) => el.getChild('hello', QUERY);

// What is said of the server beside the module: Debian's limits.
function setUp(t, attrs) {
	const ejabberd = t.server.name === 'ejabberd';
	equal(attrs.registration, 'false', 'registration');
	equal(attrs.user_rate, ejabberd ? '3000' : '10000', 'user_rate');
	equal(attrs.pres_counter, ejabberd ? 'false' : undefined,
		'pres_counter');
	for (const name of ['registration', 'user_rate', 'pres_counter'])
		delete attrs[name];
}

rule('hello: the module says what it is, then replays an empty mirror',
	{ up: false }, async (t) => {
		await t.connect();
		const attrs = attrsOf(hello(await t.hello()));
		assert(new RegExp(t.server.name, 'i').test(attrs.server), attrs.server);
		delete attrs.server;
		setUp(t, attrs);
		same(attrs, { version: '1', software: 'mod_privatecall',
			release: '0.1.0', private_calls: 'true',
			when_down: 'refuse', remote_users: 'false' }, 'hello');
		const last = await t.link.waitFor(/replay="last"/);
		equal(last.getChild('sessions', QUERY).children.length, 0,
			'sessions');
	});

rule('hello: not without a version', { up: false }, async (t) => {
	await t.connect();
	for (const attrs of ['', 'version=\'0\'', 'version=\'x\''])
		equal(errorOf(await t.hello(undefined, attrs)), 'bad-request',
			`answer to ${attrs}`);
});

rule('hello: an older or newer component is named in the log once each time',
	{ up: false }, async (t) => {
		await t.connect();
		const from = t.server.readLog().length;
		await t.hello(undefined, 'version=\'2\' software=\'p\' ' +
			'release=\'9.9\'');
		await until(() => t.logged(/component is p 9\.9 \(protocol 2\)/,
			from), 'a line in the log');
		const [alice, bob] = await t.called();
		await t.nothing(bob, /propose/);
		assert(alice.online, 'it is served all the same');
	});

rule('hello: users and other components are forbidden to', async (t) => {
	const alice = await t.user('alice');
	for (const type of ['set'])
		equal(errorOf(await alice.iq(type, t.server.host,
			`<hello xmlns='${QUERY}' version='1'/>`, { mayFail: true })),
		'forbidden', 'answer');
	const own = t.link;
	t.link = new own.constructor({ server: t.server,
		component: t.server.other, dialogue: t.dialogue });
	t.links.push(t.link);
	await t.link.connect();
	equal(errorOf(await t.hello()), 'forbidden', 'other component');
	t.link = own;
});

rule('hello: a component without it is down', { up: false }, async (t) => {
	await t.connect();
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	await alice.message(bob.bare, jmi('propose', 'P1'));
	await alice.waitFor(/<reject.*<gone/);
	await t.nothing(t.link, /propose/);
	await t.nothing(bob, /propose/);
});

rule('hello: each question is answered on the connection that it came in on, ' +
	'though an older one lingers', async (t) => {
	const [alice, bob] = await t.called();
	await t.connect();
	for (let i = 0; i < 8; i++) {
		equal((await t.hello()).attrs.type, 'result', 'hello');
		accepted(await t.relayMessage(`${bob.bare}/privatecall`,
			alice.jid, jmi('ringing', 'P1'), { id: `r${i}` }));
	}
	const id = await alice.message(bob.bare, jmi('retract', 'P1'));
	await alice.fence();
	await t.link.waitFor((el) => el.attrs.id === id, 'the retract');
});

rule('hello: said by itself when options change and at a reload, bye at the ' +
	'end', async (t) => {
	await t.module({ private_calls: false });
	const says = async () => hello(await t.link.waitFor(announced(t)))
		.attrs.private_calls;
	equal(await says(), 'false', 'switch');
	await t.module({});
	equal(await says(), 'true', 'switch');
	const [alice, bob] = await t.called();
	await t.server.reloadModule();
	await t.link.waitFor(announced(t));
	const id = await alice.message(bob.bare, jmi('retract', 'P1'));
	await t.redirected(alice, id);
	await t.nothing(t.link, /<bye/);
	await t.server.unloadModule();
	await t.link.waitFor(/<bye/);
	await alice.message(bob.bare, jmi('propose', 'P2'));
	await bob.waitFor(/propose/);
	await t.server.loadModule();
	await t.link.waitFor(announced(t));
});
