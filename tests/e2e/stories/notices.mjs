// notices.mjs: what the service tells, and that nothing of it is lost (F21)

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi } from '../clients/match.mjs';
import { NS } from '../clients/ns.mjs';
import { assert, equal, story } from '../story.mjs';

async function missOne(t, a) {
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	await a.shows(out, 'declined');
	await a.waitFor(t.notice());
}

story('F21 a notice is a headline from the bare domain: subject, one body, ' +
	'a language, an id', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await a.cancel(out);
	const el = await b.waitFor(t.notice(/missed call/i));
	equal(el.attrs.from, t.domain, 'from');
	equal(el.attrs.type, 'headline', 'type');
	equal(el.getChildren('body').length, 1, 'bodies');
	assert(el.getChildText('subject'), 'a subject');
	assert(el.attrs['xml:lang'], 'a language');
	assert(el.attrs.id, 'an id');
	const body = el.getChildText('body');
	assert(body.includes(t.jid('alice')), `who: ${body}`);
	assert(!/[.,;]\s*$/.test(body), `a link with punctuation: ${body}`);
	assert(body.includes(`xmpp:${t.at('alice')}?message`),
		`how to call back: ${body}`);
	await b.expectNothing((m) => m.name === 'message' &&
		m.attrs.type === 'chat' && m.getChild('body'), 'a chat text');
});

story('F21 X1 nobody there: kept until a device of priority >= 0 is online, ' +
	'a negative one is not enough', async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	await b.close();
	await t.settle();
	await missOne(t, a);
	const low = await t.another(Dino, 'bob', { resource: 'low',
		priority: -1 });
	await t.settle();
	await low.expectNothing(t.notice());
	const back = await t.another(Dino, 'bob', { resource: 'phone' });
	await back.waitFor(t.notice(/missed call/i));
	await back.expectNothing(jmi());
	await t.settle();
	await low.expectNothing(t.notice());
	const late = await t.another(Dino, 'bob', { resource: 'third' });
	await t.settle();
	await late.expectNothing(t.notice());
});

story('F21 several missed calls of one caller are one notice with a count',
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		await b.close();
		await t.settle();
		for (let i = 0; i < 3; i++)
			await missOne(t, a);
		const back = await t.another(Dino, 'bob', { resource: 'new' });
		const el = await back.waitFor(t.notice());
		const body = el.getChildText('body');
		assert(/3 missed calls/.test(body), body);
		assert(body.toLowerCase().includes(t.user('alice')), body);
		await t.settle();
		await back.expectCount(t.notice(), 1);
	});

story('F21 missed calls of two callers are told apart', async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const c = await t.login(Dino, 'carol');
	await b.close();
	await t.settle();
	await missOne(t, a);
	await missOne(t, c);
	const back = await t.another(Dino, 'bob', { resource: 'new' });
	await back.waitFor(t.notice(new RegExp(`missed call.*${
		t.user('alice')}`, 'i')));
	await back.waitFor(t.notice(new RegExp(`missed call.*${
		t.user('carol')}`, 'i')));
	await back.expectCount(t.notice(), 2);
});

story('F21 a notice that waited says when: delay', { own: true },
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		await b.close();
		await t.settle();
		await missOne(t, a);
		await t.daemon.restart();
		await t.connected();
		await t.clock('+10m');
		const back = await t.another(Dino, 'bob', { resource: 'new' });
		const el = await back.waitFor(t.notice(/missed call/i));
		assert(el.getChild('delay', NS.delay) ||
			/\d\d:\d\d/.test(el.getChildText('body')),
		'neither a delay nor a time');
		await t.settle();
		await back.expectCount(t.notice(), 1);
	});

story('F21 a delivered notice does not come again after a restart',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(out);
		await b.waitFor(t.notice(/missed call/i));
		await t.settle();
		await t.stored();
		await t.daemon.restart();
		await t.connected();
		await t.settle();
		await b.expectCount(t.notice(), 1);
	});

story('F21 a user who wants no notices gets none, the native entry stays',
	async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		await t.setting('bob', 'notices', 'never');
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(out);
		await b.waitFor(jmi('retract'));
		await t.settle();
		await b.expectNothing(t.notice());
	});

story('F21 nothing is ever written to a user whom the service does not know',
	{ not: { transparent: 'our module knows every user' } }, async (t) => {
		const a = await t.login(Dino, 'alice');
		const b = await t.login(Conversations, 'bob',
			{ register: false });
		await t.settle();
		const out = await a.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await a.shows(out, 'declined');
		equal(out.reason.name, 'gone', 'reason');
		await t.settle();
		await b.expectNothing((el) => el.attrs.from?.endsWith(t.domain) &&
			el.name !== 'iq', 'a stanza of the service');
	});
