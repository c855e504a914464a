// f-stolen.mjs: who has the component's secret and connects with it: what he
// sends as a user himself ends his stream, what he has relayed is of a call
// that the two have, and the rest is refused (A33 A40)

import { until } from '../../e2e/children.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { assert, equal } from '../../e2e/story.mjs';
import { accepted, jingle, jmi, refusal, RELAY, rule, STORE }
	from '../rule.mjs';

// What he would like to say as `from` to `to`.
const WISHES = (from, to) => ({
	'chat': `<message type='chat' id='stolen' from='${from}' to='${to}'>` +
		'<body>stolen</body></message>',
	'a headline': `<message type='headline' id='stolen' from='${from}' ` +
		`to='${to}'><body>stolen</body></message>`,
	'presence': `<presence id='stolen' from='${from}' to='${to}'/>`,
	'a subscription': `<presence id='stolen' type='subscribe' from='${from}'` +
		` to='${to.split('/')[0]}'/>`,
	'a call': `<message type='chat' id='stolen' from='${from}' to='${to}'>` +
		`${jmi('propose', 'stolen')}</message>`,
	'a session': `<iq type='set' id='stolen' from='${from}' to='${to}'>` +
		`${jingle('session-initiate', 'stolen')}</iq>`,
	'a question': `<iq type='get' id='stolen' from='${from}' to='${to}'>` +
		`<query xmlns='${NS.info_}'/></iq>`,
	'a roster item': `<iq type='set' id='stolen' from='${from}' to='${
		from.split('/')[0]}'><query xmlns='jabber:iq:roster'><item ` +
		`jid='evil@example.org'/></query></iq>`,
	'the roster': `<iq type='get' id='stolen' from='${from}' to='${
		from.split('/')[0]}'><query xmlns='jabber:iq:roster'/></iq>`,
	'the archive': `<iq type='set' id='stolen' from='${from}' to='${
		from.split('/')[0]}'><query xmlns='${NS.mam}'/></iq>`,
});

const stolen = (el) => /stolen|evil@/.test(el.toString());

// He is back, and no word of his is anywhere.
async function unheard(t, users, what) {
	for (const user of users)
		await t.nothing(user, stolen, what);
}

rule('stolen secret: a stanza with the address of a user ends the stream and ' +
	'goes nowhere', { up: false }, async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	for (const [what, xml] of Object.entries(WISHES(alice.jid, bob.jid))) {
		const link = await t.connect();
		await link.send(xml);
		await until(() => !link.online, `the end of the stream: ${what}`);
		t.link = null;
		await unheard(t, [alice, bob], what);
	}
});

rule('stolen secret: none of it is relayed, whether the two have a call or not',
	async (t) => {
		const [alice, bob] = await t.called('P1');
		const carol = await t.user('carol');
		for (const [from, to] of [[alice, bob], [bob, alice],
			[alice, carol], [carol, bob]]) {
			const wishes = Object.entries(WISHES(from.jid, to.jid));
			for (const [what, xml] of wishes) {
				// of a pair that has a call, a call may be made
				const call = /^a (call|session)$/.test(what);
				if (call && from !== carol && to !== carol)
					continue;
				const answer = await t.relay(xml.replace(/^<(\w+)/,
					'<$1 xmlns=\'jabber:client\''));
				assert(/^forbidden /.test(refusal(answer)),
					`${what}: ${answer}`);
			}
		}
		await unheard(t, [alice, bob, carol], 'of a relay');
	});

rule('stolen secret: a word beside the call\'s own, in whatever wrapping, is ' +
	'refused', async (t) => {
	const [alice, bob] = await t.called('P1');
	const propose = jmi('propose', 'P1') + STORE;
	const forwarded = `<forwarded xmlns='${NS.forward}'><message xmlns=` +
		`'jabber:client' from='${alice.jid}' to='${bob.jid}'><body>stolen` +
		'</body></message></forwarded>';
	for (const more of ['<body>stolen</body>', 'stolen',
		'<body xmlns=\'jabber:client\'>stolen</body>',
		'<html xmlns=\'http://jabber.org/protocol/xhtml-im\'><body xmlns=' +
		'\'http://www.w3.org/1999/xhtml\'>stolen</body></html>',
		`<received xmlns='${NS.carbons}'>${forwarded}</received>`,
		`<sent xmlns='${NS.carbons}'>${forwarded}</sent>`, forwarded,
		'<x xmlns=\'jabber:x:conference\' jid=\'stolen@example.org\'/>',
		'<result xmlns=\'urn:xmpp:mam:2\' id=\'stolen\'/>',
		'<stanza-id xmlns=\'urn:xmpp:sid:0\' id=\'stolen\' by=\'x\'/>',
		'<subject>stolen</subject>', '<thread>stolen</thread>'])
		equal(refusal(await t.relayMessage(alice.jid, bob.jid,
			propose + more)), 'forbidden stanza', more);
	await unheard(t, [alice, bob], 'of a word');
	accepted(await t.relayMessage(alice.jid, bob.jid, propose));
});

rule('stolen secret: nobody can be put into a call by the component itself',
	async (t) => {
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		// as itself, in its own name, and by asking the host
		await t.link.send(`<message type='chat' id='s1' from='${
			t.link.bare}' to='${bob.bare}'>${jmi('propose', 'own')}` +
			'</message>');
		const el = await t.link.iq('set', t.server.host,
			`<pair xmlns='${RELAY}' from='${alice.bare}' to='${bob.bare}'/>`);
		equal(el.attrs.type, 'error', 'a pair by its word');
		equal(refusal(await t.relayMessage(alice.jid, bob.bare,
			jmi('propose', 'P1'))), 'forbidden pair', 'relay');
		await t.nothing(bob, (s) => s.attrs.from === alice.jid);
	});
