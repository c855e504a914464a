// switch.mjs: what the admin turns off and on while people call (F3 F20)

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { ofCall } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Plain } from '../clients/plain.mjs';
import { assert, equal, story } from '../story.mjs';

const OFF = 'Private calls are turned off on this server.';

story('F3 switched off: what rings is withdrawn within 1 s, what runs goes ' +
	'on, contacts go unavailable, new calls are refused; on again all is ' +
	'back', { own: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const [c, d] = await Promise.all([
		t.login(Monal, 'carol', { resource: 'c' }),
		t.login(Dino, 'dora', { resource: 'd' })]);
	await t.contacts(c, d);
	const waiting = await c.call(t.at('dora'));
	const window = await d.rings();
	const at = performance.now();
	await t.ctl('disable');
	await c.shows(waiting, 'declined');
	await d.shows(window, 'missed');
	assert(performance.now() - at < 1000, 'it took over a second');
	equal(waiting.reason, { name: 'decline', text: OFF }, 'reason');
	await d.waitFor(t.notice(/missed call/i));
	if (!t.native)
		await c.waitPresence(t.at('dora', true), 'unavailable');
	equal([out.state, ring.state], ['active', 'active'], 'running call');
	const from = d.mark();
	const refused = await c.call(t.at('dora'), ['audio'],
		{ remembered: true });
	await c.shows(refused, 'declined');
	equal(refused.reason.text, OFF, 'text');
	await t.settle();
	await d.expectNothing(ofCall, undefined, { from });
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.ctl('enable');
	if (!t.native)
		await c.waitPresence(t.at('dora', true));
	const again = await c.call(t.at('dora'));
	await d.answer(await d.rings());
	await c.shows(again, 'active');
});

story('F3 the contacts of a running call stay online while calls are off: ' +
	'Snikket would hang up', { own: true,
	not: { transparent: 'it is about addresses of ours' } },
async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	await t.ctl('disable');
	await t.settle();
	for (const [i, phone] of [a, b].entries())
		await phone.expectNothing((el) => el.name === 'presence' &&
			el.attrs.type === 'unavailable' &&
			el.attrs.from.endsWith('/call'),
		'unavailable', { from: marks[i] });
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	await a.waitPresence(t.at('bob', true), 'unavailable');
});

story('F3 the switch outlives a restart', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	await t.ctl('disable');
	await t.daemon.restart();
	await t.connected();
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	await a.shows(out, 'declined');
	equal(out.reason.text, OFF, 'text');
	await b.expectNothing(ofCall);
	await t.ctl('enable');
	await t.daemon.restart();
	await t.connected();
	await b.fence();
	await a.call(t.at('bob'), ['audio'], { remembered: true });
	await b.rings();
});

story('F3 a plain caller is refused while calls are off', { own: true },
	async (t) => {
		const [a] = await t.pair(Plain, Conversations);
		await t.ctl('disable');
		const out = await a.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await a.waitUntil(() => !a.live.length, 'the end');
		equal(out.reason, { name: 'decline', text: OFF }, 'reason');
	});

story('F20 I09 no offer to write when messaging is off for the site or ' +
	'either user', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const decline = async (wanted) => {
		const out = await a.call(t.at('bob'));
		await b.rings();
		await b.decline();
		await a.shows(out, 'declined');
		t.offers(await a.waitFor(t.notice(/declined/)), 'bob', wanted);
		t.offers(await b.waitFor(t.notice()), 'alice', wanted);
		await t.settle();
		await t.clock('+61s');
	};
	await decline(true);
	await t.ctl('messaging', 'off');
	await b.inbox.splice(0);
	const out = await a.call(t.at('bob'));
	await b.rings();
	await b.decline();
	await a.shows(out, 'declined');
	t.offers(await a.waitFor(t.notice(/declined/)), 'bob', false);
	await t.ctl('messaging', 'on');
	for (const who of ['alice', 'bob']) {
		await t.setting(who, 'messages', 'no');
		const one = await a.call(t.at('bob'));
		await b.rings();
		await b.decline();
		await a.shows(one, 'declined');
		t.offers(await a.waitFor(t.notice(/declined/)), 'bob', false);
		await t.setting(who, 'messages', 'yes');
		await t.clock('+61s');
	}
	b.inbox.splice(0);
	await decline(true);
});

story('X11 the admin ends a call: both are told', { own: true },
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const [out, ring] = await t.connect(a, b);
		const [call] = await t.running();
		await t.ctl('hangup', call.id);
		await a.waitUntil(() => !a.live.length, 'the end');
		await b.waitUntil(() => !b.live.length, 'the end');
		equal(await t.running(), [], 'calls running');
		assert(out.reason && ring.reason, 'a reason');
	});
