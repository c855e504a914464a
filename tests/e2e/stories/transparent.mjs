// transparent.mjs: clients that know nothing of us call each other's own
// addresses: who hears what; what stays in archives: entries.mjs

import { Client } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jingle, jmi, jmiOf, ofCall, reasonOf }
	from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { assert, equal, Skip, story } from '../story.mjs';

async function scene(t, A = Conversations, B = Dino) {
	const [a, b] = await t.pair(A, B);
	return [a, b];
}

story('answered: one propose, the callers\' own addresses and id ' +
	'on both sides', async (t) => {
	const [a, b] = await scene(t);
	const out = await a.call(b.bare, ['audio', 'video']);
	const ring = await b.rings();
	equal(ring.sid, out.sid, 'the id');
	const propose = await b.waitFor(jmi('propose'));
	equal([propose.attrs.from, propose.attrs.to], [a.jid, b.bare],
		'propose');
	await b.answer(ring);
	await a.shows(out, 'active');
	const ringing = a.received(jmi('ringing'));
	for (const el of ringing)
		equal(el.attrs.from, `${b.bare}/privatecall`, 'ringing');
	const [proceed] = a.received(jmi('proceed'));
	equal(proceed.attrs.from, b.jid, 'proceed');
	const [accept] = a.received(jingle('session-accept'));
	equal([accept.attrs.from, accept.getChild('jingle', NS.jingle).attrs.sid],
		[b.jid, out.sid], 'session-accept');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.quiet();
	equal((await t.logged('bob')).result, 'answered', 'log');
});

story('the OMEMO-verified fingerprint and the device pass ' +
	'untouched', async (t) => {
	const [a, b] = await scene(t, Dino, Conversations);
	const sealed = `<fingerprint xmlns='${NS.omemo}' hash='sha-256' ` +
		'setup=\'actpass\'><encrypted xmlns=\'eu.siacs.conversations.' +
		'axolotl\'><header sid=\'7\'><key rid=\'8\'>a+b/c==</key>' +
		'</header></encrypted></fingerprint>';
	const make = a.offerXml;
	a.offerXml = function verified(call_) {
		return make.call(this, call_).replace(
			/<fingerprint[^>]*>[^<]*<\/fingerprint>/g, sealed);
	};
	b.onInitiate = (el) => {
		b.offered = el;
		b.result(el);
	};
	const out = await a.call(b.bare);
	const ring = await b.rings();
	await b.answer(ring);
	const [proceed] = [await a.waitFor(jmi('proceed'))];
	const device = jmiOf(proceed).getChild('device', NS.omemo);
	assert(device?.attrs.id, 'no device in the proceed');
	await b.waitUntil(() => b.offered, 'the offer');
	const got = b.offered.getChild('jingle', NS.jingle).getChild('content')
		.getChild('transport').getChild('fingerprint', NS.omemo);
	equal(got.getChild('encrypted').getChild('header').getChild('key')
		.text(), 'a+b/c==', 'the sealed key');
	await a.terminate(out, 'success');
});

story('the block list binds both ways, and says nothing', async (t) => {
		const [a, b] = await scene(t);
		await b.block(a.bare);
		const from = b.mark();
		const out = await a.call(b.bare, ['audio'], { remembered: true });
		await a.shows(out, 'declined');
		equal(out.reason.name, 'gone', 'reason');
		equal((await t.logged('alice')).result, 'blocked', 'log');
		await b.expectNothing(ofCall, undefined, { from });
		await b.expectNothing(t.notice(), undefined, { from });
		// Whom Bob has blocked he cannot call himself: his server says so.
		const back = await b.call(a.bare, ['audio'], { remembered: true });
		const el = await b.waitFor((s) => s.attrs.type === 'error' &&
			s.name === 'message');
		equal(errorOf(el), 'not-acceptable', 'error');
		await a.expectNothing(jmi('propose'));
		assert(back, 'a call of Bob');
	});

story('contacts are those of the roster, of any subscription', async (t) => {
		const b = t.user('bob');
		t.user('alice');
		t.user('carol');
		t.prosody.setRoster(b, [{ jid: t.jid('alice'),
			subscription: 'to' }], t.host);
		const [bob, alice, carol] = await Promise.all(
			['bob', 'alice', 'carol'].map((n) => t.login(Dino, n)));
		await t.setting('bob', 'who_may_call', 'contacts');
		// Whom Bob has not accepted is none, whatever her roster says.
		bob.approves = false;
		await carol.add(bob.bare);
		await t.settle();
		const out = await alice.call(bob.bare, ['audio'],
			{ remembered: true });
		await bob.rings();
		await alice.cancel(out);
		const no = await carol.call(bob.bare, ['audio'],
			{ remembered: true });
		await carol.shows(no, 'declined');
		equal(no.reason.text, 'Action not allowed.', 'text');
	});

story('CSI inactive and hibernating devices count as active, a ' +
	'negative priority does not', async (t) => {
	const [a, b] = await scene(t, Conversations, Movim);
	await b.send('<inactive xmlns=\'urn:xmpp:csi:0\'/>');
	await t.settle();
	const one = await a.call(b.bare);
	await b.rings();
	await a.cancel(one);
	await b.shows(b.call_, 'missed');
	await b.send('<enable xmlns=\'urn:xmpp:sm:3\' resume=\'true\'/>');
	await b.fence();
	b.drop();
	const two = await a.call(b.bare, ['audio'], { remembered: true });
	await a.shows(two, 'rings');
	await a.cancel(two);
	equal((await t.logged('bob')).result, 'cancelled', 'hibernating');
	const c = await t.login(Dino, 'carol', { priority: -1 });
	await t.settle();
	const three = await a.call(c.bare, ['audio'], { remembered: true });
	await a.shows(three, 'declined');
	equal((await t.logged('carol')).result, 'not-active', 'negative');
});

story('a hibernating device with push (XEP-0357) counts as active, and its ' +
	'push service hears of the call', { server: { push: true } },
async (t) => {
	if (t.prosody.push === false)
		throw new Skip('prosody-modules is not there: ./check gets it');
	const [a, b] = await scene(t, Conversations, Movim);
	const service = await t.device(Client, 'push').connect();
	await service.available();
	await b.iq('set', null, `<enable xmlns='urn:xmpp:push:0' ` +
		`jid='${service.jid}' node='bobs'/>`);
	await b.send('<enable xmlns=\'urn:xmpp:sm:3\' resume=\'true\'/>');
	await b.fence();
	b.drop();
	const out = await a.call(b.bare, ['audio'], { remembered: true });
	await a.shows(out, 'rings');
	const told = await service.waitFor((el) => el.name === 'iq' &&
		el.attrs.type === 'set', 'a notification');
	assert(/<publish node="bobs"/.test(told.toString()), String(told));
	await a.cancel(out);
	equal((await t.logged('bob')).result, 'cancelled', 'log');
});

story('users of two hosts of one server: a call, the block list, contacts ' +
	'alone, nobody', async (t) => {
	const a = await t.login(Conversations, 'alice');
	const [d, nobody] = await t.ofHost('second.localhost', async () =>
		[await t.login(Dino, 'dave'), `nobody${t.number}@${t.host}`]);
	await t.settle();
	const out = await a.call(d.bare, ['audio'], { remembered: true });
	const ring = await d.rings();
	await d.answer(ring);
	await a.shows(out, 'active');
	await d.hangUp(ring);
	await a.shows(out, 'ended');
	await t.quiet();
	const from = d.mark();
	const refused = async (to, name) => {
		const no = await a.call(to, ['audio'], { remembered: true });
		await a.shows(no, 'declined');
		equal(no.reason.name, name, `reason of ${to}`);
	};
	await t.ctl('user', d.bare, 'who_may_call', 'contacts');
	await refused(d.bare, 'decline');
	await t.ctl('user', d.bare, 'who_may_call', 'default');
	await d.block(a.bare);
	await refused(d.bare, 'gone');
	await refused(nobody, 'gone');
	await t.settle();
	await d.expectNothing(jmi('propose'), undefined, { from });
	await d.expectNothing(t.notice(/missed/i), undefined, { from });
});

story('the switch of the server binds: refused, and what rings ' +
	'is withdrawn; running calls go on', { server: true },
async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [c, d] = await Promise.all([t.login(Monal, 'carol'),
		t.login(Dino, 'dora')]);
	const [out, ring] = await t.connect(a, b);
	const waiting = await c.call(d.bare, ['audio'], { remembered: true });
	const window = await d.rings();
	await t.prosody.setModule({ private_calls: false });
	const off = { name: 'decline',
		text: 'Private calls are turned off on this server.' };
	await c.shows(waiting, 'declined');
	equal(waiting.reason, off, 'reason');
	await d.shows(window, 'missed');
	const again = await c.call(d.bare, ['audio'], { remembered: true });
	await c.shows(again, 'declined');
	equal(again.reason, off, 'reason');
	equal([out.state, ring.state], ['active', 'active'], 'running call');
	await t.crash();
	const down = await c.call(d.bare, ['audio'], { remembered: true });
	await c.shows(down, 'declined');
	equal(down.reason, off, 'reason while the component is down');
	await t.revive();
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.prosody.setModule({});
	await t.settle();
	const on = await c.call(d.bare, ['audio'], { remembered: true });
	await d.rings();
	await c.cancel(on);
});

story('killed while it rings: nobody rings into nothing, nobody ' +
	'is connected without us', { own: true }, async (t) => {
	const [a, b] = await scene(t, Conversations, Dino);
	const out = await a.call(b.bare);
	const ring = await b.rings();
	await t.crash();
	await b.sendProceed(ring);
	await a.shows(out, 'declined');
	equal(reasonOf(jmiOf(a.received(jmi('reject')).pop())).name, 'gone',
		'reason');
	await t.revive();
	await t.settle();
	equal(await t.running(), [], 'calls running');
	await a.expectNothing(jingle());
});

story('killed during a call: it goes on and ends without us',
	{ own: true }, async (t) => {
		const [a, b] = await scene(t, Conversations, Dino);
		const [out, ring] = await t.connect(a, b);
		await t.crash();
		await a.mute(out, '0');
		await b.waitUntil(() => ring.infos.includes('mute 0'), 'the mute');
		await b.hangUp(ring);
		await a.shows(out, 'ended');
		await t.revive();
		await t.settle();
		equal(await t.running(), [], 'calls running');
		equal((await t.logged('bob')).result, 'answered', 'log');
	});
