// e-facts.mjs: what the server knows: the mirror, and the one query

import { until } from '../../e2e/children.mjs';
import { assert, equal } from '../../e2e/story.mjs';
import { errorOf } from '../../e2e/clients/match.mjs';
import { Skip } from '../../e2e/skip.mjs';
import { attrsOf, QUERY, rule, same } from '../rule.mjs';

const CAPS = '<c xmlns=\'http://jabber.org/protocol/caps\' hash=\'sha-1\' ' +
	'node=\'n\' ver=\'v\'/>';
const IDLE = '<idle xmlns=\'urn:xmpp:idle:1\' since=\'2026-01-02T03:04:05Z\'/>';

// The next message of the mirror about `jid`.
async function mirrored(t, jid) {
	let found;
	await t.link.waitFor((el) => {
		const sessions = el.name === 'message' &&
			el.getChild('sessions', QUERY);
		if (!sessions || sessions.attrs.replay)
			return false;
		found = sessions.children.find((c) => c.attrs?.jid === jid);
		return Boolean(found);
	}, `the mirror of ${jid}`, 3000);
	return { name: found.name, ...attrsOf(found) };
}

// All sessions of `jid`, as the server answers to its component, or why not.
async function sessionsOf(t, jid, host = t.server.host) {
	await t.server.settled?.();
	const el = await t.link.iq('get', host, `<sessions xmlns='${QUERY}' ` +
		`jid='${jid}'/>`);
	const list = el.getChild('sessions', QUERY);
	if (!list)
		return errorOf(el);
	equal(list.attrs.jid, jid, 'whose they are');
	return list.children.map(attrsOf);
}

rule('mirror: what calls depend on is told at once, until it is gone',
	async (t) => {
		const bob = await t.user('bob', { priority: 5, show: 'away',
			extra: CAPS + IDLE });
		const all = { name: 'session', jid: bob.jid, priority: '5',
			show: 'away', idle: '2026-01-02T03:04:05Z', hash: 'sha-1',
			node: 'n', ver: 'v' };
		same(await mirrored(t, bob.jid), all, 'all');
		await bob.available();
		const bare = { name: 'session', jid: bob.jid };
		same(await mirrored(t, bob.jid), bare, 'without caps');
		await bob.available({ extra: CAPS });
		equal((await mirrored(t, bob.jid)).ver, 'v', 'with caps');
		await bob.available({ extra: CAPS, priority: -3, show: 'dnd' });
		same(await mirrored(t, bob.jid), { name: 'session', jid: bob.jid,
			priority: '-3', show: 'dnd', hash: 'sha-1', node: 'n',
			ver: 'v' }, 'negative');
		await bob.available({ extra: CAPS });
		equal((await mirrored(t, bob.jid)).priority, undefined, 'zero');
		await bob.unavailable();
		same(await mirrored(t, bob.jid), { name: 'gone', jid: bob.jid },
			'gone');
		for (const show of ['xa', 'dnd']) {
			await bob.available();
			same(await mirrored(t, bob.jid), bare, 'back');
			await bob.available({ show });
			equal((await mirrored(t, bob.jid)).name, 'changed', show);
			await bob.unavailable();
			equal((await mirrored(t, bob.jid)).name, 'gone', 'again');
		}
	});

// Of `jid`, in all messages but replays, since `from`.
function changesOf(t, jid, from) {
	return t.link.received(/^<message.*<sessions/, from).map((el) =>
		el.getChild('sessions', QUERY)).filter((s) => !s.attrs.replay)
		.flatMap((s) => s.children.filter((c) => c.attrs?.jid === jid))
		.map((c) => ({ name: c.name, ...attrsOf(c) }));
}

// What may change without a word of what it is now.
const CHANGES = {
	show: (bob) => bob.available({ show: 'xa' }),
	idle: (bob) => bob.available({ extra: IDLE }),
	'a priority that is not negative': (bob) =>
		bob.available({ priority: 7 }),
};

for (const [name, change] of Object.entries(CHANGES))
	rule(`mirror: ${name}: only that it changed`, async (t) => {
		const bob = await t.user('bob');
		await mirrored(t, bob.jid);
		await change(bob);
		same(await mirrored(t, bob.jid), { name: 'changed', jid: bob.jid },
			'told');
	});

rule('mirror: CSI: told when asked, and not else', async (t) => {
	const bob = await t.user('bob');
	await mirrored(t, bob.jid);
	const from = t.link.mark();
	for (const csi of ['inactive', 'active']) {
		await bob.send(`<${csi} xmlns='urn:xmpp:csi:0'/>`);
		await bob.fence();
		same(await sessionsOf(t, bob.bare), [{ jid: bob.jid, csi }], csi);
	}
	equal(changesOf(t, bob.jid, from).length, 0, 'changes');
	await bob.available({ show: 'away' });
	equal((await mirrored(t, bob.jid)).name, 'changed', 'of the show');
});

// What is no whole number is 0 to the servers.
rule('mirror: a priority that is none', async (t) => {
	const bob = await t.user('bob');
	await mirrored(t, bob.jid);
	for (const priority of ['0.5', '-0.5', '0x10', 'x', '']) {
		await bob.send(`<presence><priority>${priority}</priority></presence>`);
		await t.settle();
		if (!bob.online)         // ejabberd may end his stream for it
			return;
		const [told] = await sessionsOf(t, bob.bare);
		same(told, { jid: bob.jid }, `"${priority}"`);
	}
	const from = t.link.mark();
	await t.hello();
	await until(() => t.link.received(/replay="last"/, from).length,
		'the replay');
});

// What counts as told afterwards, to each of what the component may ask.
const ASKING = {
	sessions: (t, bob) => sessionsOf(t, bob.bare),
	facts: async (t, bob) => (await ask(t, t.jid('alice'), bob.bare)).sessions,
	// What has changed is replayed as it is, or as it was; then it is said
	// that it has changed, and to be asked for.
	hello: async (t, bob) => {
		const from = t.link.mark();
		await t.hello();
		await until(() => t.link.received(/replay="last"/, from).length,
			'the replay');
		await t.settle();
		if (changesOf(t, bob.jid, from).length)
			return sessionsOf(t, bob.bare);
		return t.link.received(/replay/, from).flatMap((el) =>
			el.getChild('sessions', QUERY).children).map(attrsOf)
			.filter(({ jid }) => jid.startsWith(`${bob.bare}/`));
	},
};

for (const [name, question] of Object.entries(ASKING))
	rule(`mirror: a change is told once, and again after ${name}`,
		async (t) => {
			const bob = await t.user('bob');
			const other = await t.user('bob', { resource: 'other' });
			for (const { jid } of [bob, other])
				await mirrored(t, jid);
			for (const show of ['away', 'dnd']) {
				const from = t.link.mark();
				for (const first of ['xa', show])
					await bob.available({ show: first });
				const told = () => changesOf(t, bob.jid, from);
				await t.link.waitUntil(() => told().length, show);
				await t.settle();
				same(told(), [{ name: 'changed',
					jid: bob.jid }], 'once');
				equal(changesOf(t, other.jid, from).length, 0,
					'of the other');
				const by = (a, b) => a.jid < b.jid ? -1 : 1;
				same((await question(t, bob)).sort(by), [{ jid: bob.jid,
					show }, { jid: other.jid }].sort(by), show);
			}
		});

rule('sessions: bad questions, of nobody, of users elsewhere', async (t) => {
	const alice = await t.user('alice');
	for (const jid of ['', alice.jid, '@', t.server.host])
		equal(await sessionsOf(t, jid), 'jid-malformed', jid);
	same(await sessionsOf(t, t.jid('nobody')), [], 'nobody');
	equal(await sessionsOf(t, 'eve@elsewhere.example'), 'item-not-found',
		'elsewhere');
	const dave = await t.user('dave', { host: t.server.second });
	same(await sessionsOf(t, dave.bare, t.server.second),
		[{ jid: dave.jid }], 'of the second host');
	equal(errorOf(await alice.iq('get', t.server.host, `<sessions xmlns='${
		QUERY}' jid='${alice.bare}'/>`, { mayFail: true })), 'forbidden',
	'a user');
});

rule('mirror: a lost connection, hibernating if it may be resumed',
	async (t) => {
		const plain = await t.user('bob');
		await mirrored(t, plain.jid);
		plain.drop();
		equal((await mirrored(t, plain.jid)).name, 'gone', 'plain');
		const bob = await t.user('bob', { resource: 'resumes' });
		await mirrored(t, bob.jid);
		await bob.send('<enable xmlns=\'urn:xmpp:sm:3\' resume=\'true\'/>');
		await bob.fence();
		bob.drop();
		same(await mirrored(t, bob.jid), { name: 'session', jid: bob.jid,
			hibernating: 'true' }, 'hibernating');
	});

// The push of a session, and what is said of its user.
rule('mirror: push (XEP-0357), enabled before presence or after, until it is ' +
	'disabled', async (t) => {
	if (!t.server.push)
		throw new Skip('prosody-modules is not there: ./check gets it');
	const alice = await t.user('alice');
	const push = (user, what) => user.iq('set', null, `<${what} ` +
		`xmlns='urn:xmpp:push:0' jid='${alice.jid}' node='n'/>`);
	const bob = await t.user('bob');
	const facts = async () => (await t.link.iq('get', t.server.host,
		`<facts xmlns='${QUERY}' from='${alice.bare}' to='${bob.bare}'/>`))
		.getChild('facts', QUERY);
	const bare = { name: 'session', jid: bob.jid };
	same(await mirrored(t, bob.jid), bare, 'without');
	equal((await facts()).attrs.push, 'false', 'before');
	// His connection may hear of it after the result.
	const told = (ofUser, ofSession) => until(async () => {
		const { attrs, children: [session] } = await facts();
		return attrs.push === ofUser && session.attrs.push === ofSession;
	}, `push=${ofUser}`);
	for (let i = 0; i < 2; i++) {
		await push(bob, 'enable');
		await told('true', 'true');
		await push(bob, 'disable');
		await told('false', undefined);
	}
	await bob.unavailable();
	equal((await mirrored(t, bob.jid)).name, 'gone', 'gone');
	await push(bob, 'enable');
	await bob.available();
	same(await mirrored(t, bob.jid), { ...bare, push: 'true' }, 'then there');
	const from = t.link.mark();
	await t.hello();
	await until(() => t.link.received(/replay="last"/, from).length,
		'the replay');
	assert(t.link.received(/replay/, from).some((el) => el.getChild('sessions',
		QUERY).children.some(({ attrs }) => attrs.jid === bob.jid &&
		attrs.push === 'true')), 'replayed');
	// Nobody is there, and he can be woken.
	await bob.close();
	equal((await mirrored(t, bob.jid)).name, 'gone', 'away');
	equal((await facts()).attrs.push, 'true', 'away, can be woken');
});

rule('mirror: not to others\' directed presence, and of no other host',
	async (t) => {
		const bob = await t.user('bob');
		await mirrored(t, bob.jid);
		await bob.send(`<presence to='${t.jid('alice')}'><show>dnd</show>` +
			'</presence>');
		await t.nothing(t.link, /dnd/);
	});

rule('mirror: replayed at a hello, 100 sessions a message', async (t) => {
	const users = [];
	for (let i = 0; i < 101; i++)
		users.push(await t.user('many', { resource: `r${i}` }));
	t.link.drop();
	await t.connect();
	await t.hello();
	await t.link.waitFor(/replay="last"/);
	const lists = t.link.received(/<sessions/).map((el) =>
		el.getChild('sessions', QUERY)).filter((s) => s.attrs.replay);
	equal(lists.slice(0, -1).map((s) => [s.attrs.replay, s.children.length]),
		lists.slice(1).map(() => ['true', 100]), 'full messages');
	assert(lists.length > 1, 'one message for all');
	const jids = lists.flatMap((s) => s.children.map((c) => c.attrs.jid));
	for (const { jid } of users)
		equal(jids.filter((j) => j === jid).length, 1, jid);
});

async function ask(t, from, to, host = t.server.host) {
	await t.server.settled?.();
	const el = await t.link.iq('get', host, `<facts xmlns='${QUERY}' ` +
		`from='${from}' to='${to}'/>`);
	const facts = el.getChild('facts', QUERY);
	if (!facts)
		return errorOf(el);
	const { push, ...attrs } = attrsOf(facts);
	return { ...attrs, sessions: facts.children.map(attrsOf) };
}

rule('facts: sessions, rosters, block lists, existence', async (t) => {
	const [from, to] = [t.account('alice'), t.account('bob')];
	t.server.setRoster(`bob${t.number}`, [{ jid: from,
		subscription: 'from' }]);
	t.server.setRoster(`alice${t.number}`, [{ jid: to,
		subscription: 'to' }]);
	const alice = await t.user('alice');
	const known = { from, to, exists: 'true', subscription: 'from',
		reverse: 'to' };
	same(await ask(t, from, to), { ...known, blocks: 'false',
		blocked: 'false', sessions: [] }, 'away');
	const bob = await t.user('bob', { priority: 1, show: 'dnd' });
	await bob.block(from);
	same(await ask(t, from, to), { ...known, blocks: 'true',
		blocked: 'false', sessions: [{ jid: bob.jid, priority: '1',
			show: 'dnd' }] }, 'there, blocks');
	await bob.unblock(from);
	await alice.block(t.server.host);
	same(await ask(t, from, to), { ...known, blocks: 'false',
		blocked: 'true', sessions: [{ jid: bob.jid, priority: '1',
			show: 'dnd' }] }, 'is blocked by domain');
});

rule('facts: a device that came back over its old connection is there',
	async (t) => {
		const [from, to] = [t.account('alice'), t.account('bob')];
		const old = await t.user('bob');
		const bob = await t.user('bob', { show: 'away' });
		equal(bob.jid, old.jid, 'the same resource');
		await until(() => !old.online, 'the end of the old connection');
		await t.settle();
		same((await ask(t, from, to)).sessions, [{ jid: bob.jid,
			show: 'away' }], 'sessions');
		await bob.close();
		await until(async () => !(await ask(t, from, to)).sessions.length,
			'the end of the new one');
	});

rule('facts: of strangers, of nobody, of users elsewhere', async (t) => {
	const [from, to] = [t.account('alice'), t.account('bob')];
	same(await ask(t, from, to), { from, to, exists: 'true',
		blocks: 'false', blocked: 'false', sessions: [] }, 'strangers');
	const nobody = t.jid('nobody');
	same(await ask(t, from, nobody), { from, to: nobody, exists: 'false',
		blocked: 'false', sessions: [] }, 'nobody');
	const far = 'eve@elsewhere.example';
	same(await ask(t, far, to), { from: far, to, exists: 'true',
		blocks: 'false', sessions: [] }, 'of elsewhere');
	equal(await ask(t, from, far), 'item-not-found', 'elsewhere');
	const dave = await t.user('dave', { host: t.server.second });
	same(await ask(t, from, dave.bare, t.server.second), { from,
		to: dave.bare, exists: 'true', blocks: 'false', blocked: 'false',
		sessions: [{ jid: dave.jid }] }, 'of the second host');
});

rule('facts: bad questions', async (t) => {
	const alice = await t.user('alice');
	for (const [from, to] of [['', alice.bare], [alice.jid, alice.bare],
		[alice.bare, alice.jid], [t.server.host, alice.bare],
		[alice.bare, '@'], [alice.bare, t.server.host]])
		equal(await ask(t, from, to), 'jid-malformed', `${from} ${to}`);
	equal(errorOf(await alice.iq('get', t.server.host, `<facts xmlns='${
		QUERY}' from='${alice.bare}' to='${alice.bare}'/>`,
	{ mayFail: true })), 'forbidden', 'a user');
});
