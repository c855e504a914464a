// a37-listing.mjs: nothing of others is to be had by asking (A37)

import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { spy } from './tools.mjs';

const QUERIES = {
	items: '<query xmlns=\'http://jabber.org/protocol/disco#items\'/>',
	commands: '<query xmlns=\'http://jabber.org/protocol/disco#items\' ' +
		'node=\'http://jabber.org/protocol/commands\'/>',
	info: `<query xmlns='${NS.info_}'/>`,
	archive: `<query xmlns='${NS.mam}'/>`,
	'an archive\'s form': '<query xmlns=\'urn:xmpp:mam:2\'><set xmlns=' +
		'\'http://jabber.org/protocol/rsm\'><max>9</max></set></query>',
	roster: `<query xmlns='${NS.roster}'/>`,
	registration: `<query xmlns='${NS.register}'/>`,
	search: '<query xmlns=\'jabber:iq:search\'/>',
	last: '<query xmlns=\'jabber:iq:last\'/>',
	storage: '<query xmlns=\'jabber:iq:private\'/>',
	pubsub: '<pubsub xmlns=\'http://jabber.org/protocol/pubsub\'><items ' +
		'node=\'calls\'/></pubsub>',
	statistics: '<query xmlns=\'http://jabber.org/protocol/stats\'/>',
	'a command': '<command xmlns=\'http://jabber.org/protocol/commands\' ' +
		'node=\'log\' action=\'execute\'/>',
	vcard: '<vCard xmlns=\'vcard-temp\'/>',
};

story('A37 a stranger who asks everything at every address hears nothing of ' +
	'users, calls and devices',
{ not: { transparent: 'what users ask each other is the server\'s own' } },
async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out] = await t.connect(a, b);
	const m = await spy(t, 'hostile');
	const from = m.mark();
	for (const to of [t.domain, t.at('bob'), t.at('bob', true),
		`${t.at('bob')}/phone`, `${t.domain}/call`])
		for (const inner of Object.values(QUERIES))
			for (const type of ['get', 'set'])
				await m.iq(type, to, inner, { mayFail: true });
	for (const text of ['log', 'calls', 'help', 'user bob', 'status'])
		for (const to of [t.domain, t.at('hostile'), `${t.domain}/call`])
			await m.send(`<message type='chat' id='w' to='${to}'><body>` +
				`${text}</body></message>`);
	await t.settle();
	const [call] = await t.running();
	const secrets = [a.user, call.id, a.jid, b.jid, out.sid,
		'iNPUTmice', 'conversations.im', 'dino.im'];
	for (const el of m.received((s) => !m.isOwn(s.attrs.from), from)) {
		for (const secret of secrets)
			assert(!el.toString().includes(secret), () => String(el));
		const items = el.getChild('query',
			'http://jabber.org/protocol/disco#items');
		equal(items?.children.length ?? 0, 0, 'items');
	}
	await t.endQuietly(a, out);
});

story('A37 an own account sees nobody else\'s calls in notices, messages or ' +
	'presence', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Dino, 'mallory');
	await m.add(t.at('bob'));
	await t.settle();
	const from = m.mark();
	const [out] = await t.connect(a, b);
	await t.endQuietly(a, out);
	const ring = await a.call(t.at('bob'));
	await b.decline(await b.rings());
	await a.shows(ring, 'declined');
	await t.settle();
	await m.expectNothing((el) => el.name !== 'iq' &&
		!m.isOwn(el.attrs.from), 'a stanza', { from });
	equal(await t.log('mallory'), [], 'her log');
});

for (const privacy of ['hash', 'none'])
	story(`A37 log_privacy = ${privacy}: the log of the daemon names nobody, ` +
		'the status neither', { conf: { log_privacy: privacy } },
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const [out] = await t.connect(a, b);
		await t.endQuietly(a, out);
		const missed = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(missed);
		await t.setting('bob', 'messages', 'no');
		// One stanza over a limit is worth a line.
		await a.send(`<message id='deep' to='${t.domain}'>${
			'<a>'.repeat(70)}${'</a>'.repeat(70)}</message>`);
		await t.settle();
		const { data, text } = await t.ctl('status');
		const log = t.daemon.readLog();
		assert(/ended/.test(log) && /over a limit/.test(log), 'lines');
		for (const name of [a.user, b.user, 'desk', 'phone'])
			for (const said of [log, text, JSON.stringify(data)])
				assert(!said.includes(name), `${name} is in: ${said}`);
		b.calls.length = 0;
	});
