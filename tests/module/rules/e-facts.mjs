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

rule('mirror: each change of what a session shows, until it is gone',
	async (t) => {
		const bob = await t.user('bob', { priority: 5, show: 'away',
			extra: CAPS + IDLE });
		const all = { name: 'session', jid: bob.jid, priority: '5',
			show: 'away', idle: '2026-01-02T03:04:05Z', hash: 'sha-1',
			node: 'n', ver: 'v' };
		same(await mirrored(t, bob.jid), all, 'all');
		await bob.available();
		const bare = { name: 'session', jid: bob.jid };
		same(await mirrored(t, bob.jid), bare, 'nothing');
		for (const csi of ['inactive', 'active']) {
			await bob.send(`<${csi} xmlns='urn:xmpp:csi:0'/>`);
			same(await mirrored(t, bob.jid), { ...bare, csi }, csi);
		}
		await bob.available({ priority: -3 });
		equal((await mirrored(t, bob.jid)).priority, '-3', 'negative');
		await bob.unavailable();
		same(await mirrored(t, bob.jid), { name: 'gone', jid: bob.jid },
			'gone');
	});

// Of `jid`, in all messages but replays, since `from`.
function changesOf(t, jid, from) {
	return t.link.received(/<sessions/, from).map((el) =>
		el.getChild('sessions', QUERY)).filter((s) => !s.attrs.replay)
		.flatMap((s) => s.children.filter((c) => c.attrs.jid === jid))
		.map((c) => ({ name: c.name, ...attrsOf(c) }));
}

rule('mirror: changes are told together, and none that changes nothing',
	async (t) => {
		const [alice, bob] = [await t.user('alice'), await t.user('bob')];
		for (const user of [alice, bob])
			await mirrored(t, user.jid);
		const from = t.link.mark();
		for (const user of [alice, bob])
			for (const show of ['away', 'dnd', 'xa'])
				await user.available({ show });
		await mirrored(t, alice.jid);
		equal(t.link.received(/<sessions/, from).length, 1, 'messages');
		for (const { jid } of [alice, bob])
			same(changesOf(t, jid, from), [{ name: 'session', jid,
				show: 'xa' }], 'the last one alone');
		await bob.available({ show: 'xa', extra: '<status>x</status>' });
		await alice.available({ show: 'away' });
		await mirrored(t, alice.jid);
		equal(changesOf(t, bob.jid, from).length, 1, 'what was said again');
	});

rule('mirror: what calls depend on does not wait, nor come back later',
	async (t) => {
		const bob = await t.user('bob');
		await mirrored(t, bob.jid);
		const from = t.link.mark();
		const steps = [[{ show: 'away' }, null], [{ priority: -1 }, -1],
			[{ show: 'dnd', priority: -2 }, null], [{}, 0]];
		for (const [shown, priority] of steps) {
			await bob.available(shown);
			await t.settle();
			const last = changesOf(t, bob.jid, from).at(-1);
			if (priority !== null)
				equal(Number(last?.priority ?? 0), priority,
					JSON.stringify(shown));
		}
		await bob.available({ show: 'away' });
		await bob.unavailable();
		await bob.available();
		await t.settle();
		const names = changesOf(t, bob.jid, from).map(({ name }) => name);
		equal(names.slice(-2).join(), 'gone,session', 'at once');
		const dave = await t.user('dave');
		await dave.available({ show: 'away' });
		await t.link.waitFor((el) => /away/.test(el) && String(el)
			.includes(dave.jid), 'what waits', 3000);
		same(changesOf(t, bob.jid, from).at(-1), { name: 'session',
			jid: bob.jid }, 'what he shows in the end');
	});

const ATTEMPTS = 8;              // a busy server may tell what waits first
const LEAVING = {
	'a negative priority': [(bob) => bob.available({ priority: -1 }),
		/priority="-1"/],
	'hibernating': [(bob) => bob.drop(), /hibernating="true"/],
};

// Which message of the mirror since `from` is the first that says this of a
// session; another may be said by the same one.
async function placeOf(t, { jid }, pattern, from) {
	const place = () => t.link.received(/<sessions/, from).findIndex((el) =>
		pattern.test(el) && String(el).includes(jid));
	await t.link.waitUntil(() => place() >= 0, `${pattern} of ${jid}`);
	return place();
}

for (const [name, [leave, left]] of Object.entries(LEAVING))
	rule(`mirror: ${name} overtakes what waits`, async (t) => {
		const alice = await t.user('alice');
		for (let i = 0; i < ATTEMPTS; i++) {
			const bob = await t.user('bob', { resource: `r${i}` });
			await bob.send('<enable xmlns=\'urn:xmpp:sm:3\' ' +
				'resume=\'true\'/>');
			await bob.fence();
			await mirrored(t, bob.jid);
			const from = t.link.mark();
			const show = i % 2 ? 'away' : 'dnd';
			await alice.available({ show });
			await alice.fence();
			await leave(bob);
			const waits = new RegExp(`show="${show}"`);
			if (await placeOf(t, bob, left, from) <
			    await placeOf(t, alice, waits, from))
				return;
		}
		throw new Error(`${ATTEMPTS} times it waited`);
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
	for (let i = 0; i < 2; i++) {
		await push(bob, 'enable');
		same(await mirrored(t, bob.jid), { ...bare, push: 'true' },
			'enabled');
		const told = await facts();
		equal([told.attrs.push, told.getChild('session', QUERY).attrs.push],
			['true', 'true'], 'facts');
		await push(bob, 'disable');
		same(await mirrored(t, bob.jid), bare, 'disabled');
		equal((await facts()).attrs.push, 'false', 'facts');
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
