// i-another.mjs: another component of the same server, which is let in with a
// secret of its own, and says that it is ours (A33 A40)

import { until } from '../../e2e/children.mjs';
import { assert, equal } from '../../e2e/story.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { accepted, jmi, QUERY, refusal, RELAY, rule, stanza }
	from '../rule.mjs';

// All that only the component may ask.
const questions = (alice, bob) => ({
	hello: ['set', `<hello xmlns='${QUERY}' version='1' software='evil' ` +
		'release=\'0.1.0\'/>'],
	facts: ['get', `<facts xmlns='${QUERY}' from='${alice.bare}' to='${
		bob.bare}'/>`],
	relay: ['set', `<relay xmlns='${RELAY}'><message xmlns='jabber:client' ` +
		`type='chat' id='forged' from='${bob.bare}/privatecall' to='${
			alice.jid}'>${jmi('ringing', 'P1')}</message></relay>`],
});

// The answer, or nothing where the stream ends for it.
async function asked(other, host, type, payload) {
	const answer = other.iq(type, host, payload, { mayFail: true })
		.catch(() => null);
	return Promise.race([answer,
		until(() => !other.online, 'an answer or the end').then(() => null)]);
}

// Ours is the component still, and nothing was said to anybody.
async function unharmed(t, alice, bob, id) {
	const m = await alice.message(bob.bare, jmi('propose', id));
	await t.redirected(alice, m);
	accepted(await t.relayMessage(`${bob.bare}/privatecall`, alice.jid,
		jmi('ringing', id)));
	await alice.waitFor(new RegExp(`<ringing[^>]*${id}`));
	for (const client of [alice, bob, t.link])
		await t.nothing(client, /forged|evil/);
}

rule('another component: what it asks as itself is forbidden, and it is told ' +
	'nothing', async (t) => {
	const [alice, bob] = await t.called();
	const other = await t.another();
	for (const [name, [type, payload]] of
		Object.entries(questions(alice, bob)))
		equal(refusal(await asked(other, t.server.host, type, payload)),
			name === 'relay' ? 'forbidden asker' : 'forbidden', name);
	await unharmed(t, alice, bob, 'P2');
	await other.fence();
	assert(!other.received(/<sessions|propose/).length, 'it was told');
});

// ejabberd lets the components of one listener speak as each other.
rule('another component: what it asks as ours is forbidden, or ends its stream',
	async (t) => {
		const [alice, bob] = await t.called();
		for (const from of [t.link.bare, `${t.link.bare}/x`,
			`a@${t.link.bare}`])
			for (const [name, [type, payload]] of
				Object.entries(questions(alice, bob))) {
				const other = await t.another();
				other.bare = from;
				const answer = await asked(other, t.server.host, type,
					payload);
				equal(answer && refusal(answer), t.server.name ===
					'prosody' ? null : name === 'relay'
						? 'forbidden asker' : 'forbidden',
				`${name} from ${from}`);
				await other.close();
			}
		await unharmed(t, alice, bob, 'P2');
	});

rule('another component: no word of it is a sign of life of ours, nor an ' +
	'answer to what ours was asked', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	t.link.hangs = true;
	const stale = t.link;
	const other = await t.another();
	const m = await alice.message(bob.bare, jmi('propose', 'P1'));
	await stale.waitFor(stanza(m));
	const ping = await stale.waitFor((el) => el.getChild?.('ping', NS.ping),
		'a ping');
	const pong = async () => {
		const liar = other.online ? other : await t.another();
		for (const from of [t.server.other.domain, stale.bare])
			await liar.send(`<iq type='result' id='${ping.attrs.id}' ` +
				`from='${from}' to='${t.server.host}'/>`);
	};
	for (let i = 0; i < 3; i++)
		await pong();
	await alice.waitFor(/<reject/, 'a refusal', 10000);
	await until(() => !stale.online, 'the end of the stream');
});
