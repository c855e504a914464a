// a01-consent.mjs: nobody answers for the called, nothing of his goes out
// before he does (A01 A02 A03 A04)

import { contents, jingleXml, trickle } from '../e2e/clients/bodies.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { errorOf, jingle, jmi, jmiOf, ofCall } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { Phone } from '../e2e/clients/phone.mjs';
import { Plain } from '../e2e/clients/plain.mjs';
import { Siskin } from '../e2e/clients/siskin.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { ACTIONS, AUDIO, heard, jingleOfAction, permutations, spy,
	unlimitedPair, VERBS } from './tools.mjs';

// --- A01: who answers himself --------------------------------------------
const STAGES = {
	'while it rings': async (t, a, b) => [
		await a.shows(await a.call(a.theirs), 'rings'), await b.rings()],
	'between the answer and the offer': async (t, a, b) => {
		a.holdsInitiate = true;
		const out = await a.call(a.theirs);
		const ring = await b.rings();
		await b.answer(ring);
		return [await a.shows(out, 'proceed'), ring];
	},
	'while it runs': (t, a, b) => t.connect(a, b),
	'after its end': async (t, a, b) => {
		const [out, ring] = await t.connect(a, b);
		await a.hangUp(out);
		return [out, await b.shows(ring, 'ended')];
	},
};

// Everything about `sid` from a device: all is refused, but what is listed.
async function everything(device, addresses, sid, verbs, actions) {
	for (const to of addresses) {
		for (const verb of verbs)
			await device.send(device.jmiXml(verb, { to, sid }));
		const answers = await Promise.all(actions.map((action) =>
			device.iq('set', to, jingleOfAction(action, sid),
				{ mayFail: true })));
		for (const [i, el] of answers.entries())
			equal(el.attrs.type, 'error',
				`answer to ${actions[i]} at ${to}`);
	}
}

for (const [when, reach] of Object.entries(STAGES))
	story(`A01 I04 ${when}: the caller, from either of his devices and with ` +
		'either id, cannot speak for the called', async (t) => {
		const [a, b] = await unlimitedPair(t, Conversations, Dino);
		const a2 = await t.another(Plain, 'hostile', { resource: 'two' });
		a.theirs = t.at('accomplice');
		const [out, ring] = await reach(t, a, b);
		await t.settle();
		const before = [out.state, ring.state,
			(await t.running()).map((c) => c.state)];
		const from = [a, a2, b].map((c) => c.mark());
		const to = [t.at('accomplice', true), t.at('accomplice'),
			t.at('hostile', true)];
		// Where both legs have one id, it is the caller's own.
		if (!t.native)
			await everything(a, to, ring.sid, VERBS, ACTIONS);
		await everything(a, to, out.sid, ['proceed', 'accept', 'ringing'],
			['session-accept']);
		for (const sid of [out.sid, ring.sid])
			await everything(a2, to, sid, VERBS, ACTIONS);
		await t.settle();
		equal([out.state, ring.state,
			(await t.running()).map((c) => c.state)], before,
		'the call');
		// A carbon of what another device of his sent is no news, nor is the
		// finish of a call that was over.
		for (const [i, client] of [a, a2, b].entries())
			await client.expectNothing((el) => (jmiOf(el) ||
				jingle()(el)) && !client.isOwn(el.attrs.from) &&
				jmiOf(el)?.name !== 'finish',
			'a call stanza', { from: from[i] });
	});

story('A01 stolen ids make neither a ringing nor an answer: receipts, ' +
	'bounces, presence of a third party while it rings', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Plain, 'mallory');
	const from = a.mark();
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	const [asked] = b.received(jmi('propose'));
	for (const to of [t.at('alice'), t.at('alice', true), t.at('bob')]) {
		await m.send(`<message to='${to}'><received id='` +
			`${asked.attrs.id}' xmlns='${NS.receipts}'/></message>`);
		await m.send(`<message to='${to}' type='error' id='` +
			`${asked.attrs.id}'><error type='cancel'>` +
			`<service-unavailable xmlns='${NS.stanzas}'/></error>` +
			'</message>');
		await m.send(`<presence to='${to}' type='unavailable'/>`);
		await m.send(`<presence to='${to}' type='unsubscribed'/>`);
		for (const verb of VERBS)
			await m.send(m.jmiXml(verb, { to, sid: ring.sid }));
	}
	await t.settle();
	equal(ring.state, 'ringing', 'Bob\'s window');
	await a.expectNothing(jmi('proceed'), undefined, { from });
	await a.expectNothing(jmi('reject'), undefined, { from });
	await a.cancel(out);
	await b.shows(ring, 'missed');
});

// --- A02: who joins what rings -------------------------------------------
const joins = (m, sid) => [
	jingleOfAction('content-add', sid), jingleOfAction('content-accept', sid),
	jingleOfAction('transport-accept', sid),
	jingleOfAction('transport-replace', sid),
	jingleXml('session-info', sid, `<active xmlns='${NS.info}'/>`),
	jingleXml('session-info', sid,
		'<conference-info xmlns=\'urn:xmpp:coin:1\' isfocus=\'true\'/>'),
].map((xml) => `<iq type='set' id='j${m.count++}' to='TO'>${xml}</iq>`).concat([
	'<muji xmlns=\'urn:xmpp:jingle:muji:0\'><preparing/></muji>',
	`<accept xmlns='urn:xmpp:call-invites:0' id='${sid}'><jingle ` +
		`sid='${sid}' jid='${m.jid}'/></accept>`,
	`<accept xmlns='urn:xmpp:call-message:1' id='${sid}'/>`,
].map((xml) => `<message type='chat' id='j${m.count++}' to='TO'>${xml}` +
	'</message>'), ['<presence to=\'TO\'><x xmlns=' +
	'\'http://jabber.org/protocol/muc\'/></presence>']);

for (const Callee of [Dino, Plain])
	story(`A02 adding, joining, joining twice while it rings at ${
		Callee.name} answers nothing`, async (t) => {
		const [a, b] = await unlimitedPair(t, Conversations, Callee);
		const a2 = await t.another(Conversations, 'hostile',
			{ resource: 'two' });
		a.holdsInitiate = a2.holdsInitiate = true;
		const out = await a.call(t.at('accomplice'));
		if (Callee === Plain)
			await a.initiate(await a.shows(out, 'proceed'));
		const ring = await b.rings();
		await t.settle();
		const from = b.mark();
		for (const m of [a, a2]) {
			m.count = 0;
			for (const sid of [out.sid, ring.sid])
				for (const to of [t.at('accomplice'),
					t.at('accomplice', true)])
					for (const xml of joins(m, sid))
						await m.send(xml.replace('TO', to));
		}
		await a2.send(a2.jmiXml('propose', { to: t.at('accomplice'),
			sid: out.sid, inner: AUDIO }));
		await t.settle();
		equal(ring.state, 'ringing', 'the window');
		// Muted before the answer, the called may know (F6).
		equal(heard(b, from).filter((word) => word !== 'session-info'), [],
			'heard at the called');
		equal((await t.running()).map((c) => c.state), ['ringing'],
			'calls');
		const again = await a2.call(t.at('accomplice'));
		await b.shows(ring, 'missed');
		if (Callee === Plain)
			await a2.initiate(await a2.shows(again, 'proceed'));
		await b.rings();
		await t.settle();
		equal(b.windows.length, 1, 'windows');
		for (const m of [a, a2])
			await m.expectNothing(jingle('session-accept'));
	});

// --- A03: every order ----------------------------------------------------
// Of one call, all that its caller could send before he is let in.
const CALLERS = {
	propose: (a, to, sid) => a.jmiXml('propose', { to, sid, inner: AUDIO }),
	proceed: (a, to, sid) => a.jmiXml('proceed', { to: `${to}/call`, sid }),
	...Object.fromEntries(['session-initiate', 'session-accept',
		'transport-info', 'content-add'].map((action) => [action,
		(a, to, sid) => `<iq type='set' id='${action}${a.count++}' ` +
			`to='${to}/call'>${jingleOfAction(action, sid)}</iq>`])),
};
const LIMITS = { pair_per_minute: 1000, caller_per_minute: 2000 };
const ORDERS = [...permutations(Object.keys(CALLERS))];

// The rules are those of the daemon in either mode: a sixth shows that our
// module gives it all.
story('A03 the caller\'s six messages in each of their 720 orders: nothing ' +
	'but ringing before the called has answered',
{ slow: true, alone: true, lasts: 90, conf: LIMITS },
async (t) => {
	const [a, b] = await unlimitedPair(t, Phone, Dino);
	const to = t.at('accomplice');
	a.onStanza = b.onStanza = () => {};
	a.count = 0;
	const from = [a.mark(), b.mark()];
	const orders = ORDERS.filter((_, i) => !t.native || i % 6 === 0);
	for (const [i, order] of orders.entries()) {
		const sid = `order-${i}`;
		await a.write(order.map((name) => CALLERS[name](a, to, sid))
			.join(''));
		// Taken back before it was stored, a ringing does not leave at all.
		if (i % 10 === 0)
			await t.settle(a, b);
		await a.write(`${a.jmiXml('retract', { to, sid })}<iq type='set' ` +
			`id='end${i}' to='${to}/call'>${
				jingleOfAction('session-terminate', sid)}</iq>`);
		if (i % 60 === 59)
			await a.fence();
	}
	await t.settle();
	const rung = heard(b, from[1]);
	equal([...new Set(rung)].sort(), ['propose', 'retract'],
		'heard at the called');
	const count = (word) => rung.filter((w) => w === word).length;
	assert(count('propose') > 0, 'nothing rang');
	equal(count('retract'), count('propose'), 'ringings taken back');
	const said = new Set(heard(a, from[0]));
	for (const word of ['proceed', 'accept', 'session-accept',
		'transport-info', 'session-initiate'])
		assert(!said.has(word), `the caller heard ${word}`);
	equal(a.received((el) => el.name === 'iq' && el.attrs.type !== 'set' &&
		/^(end|session-\w+|transport-info|content-add)\d+$/.test(
			el.attrs.id), from[0]).length, 5 * orders.length, 'answers');
	equal(await t.running(), [], 'calls');
});

// What clients of the called say by themselves while his phone rings.
const CALLEES = {
	ringing: (b, to, ring) => b.jmiXml('ringing', { to, sid: ring.sid }),
	receipt: (b, to, ring, id) => `<message to='${to}'><received ` +
		`xmlns='${NS.receipts}' id='${id}'/></message>`,
	...Object.fromEntries(['session-info', 'transport-info',
		'content-modify', 'session-accept'].map((action) => [action,
		(b, to, ring) => `<iq type='set' id='${action}${b.count++}' ` +
			`to='${to}'>${jingleOfAction(action, ring.sid)}</iq>`])),
};

story('A03 what the called\'s client says by itself, in each of the 720 ' +
	'orders of six messages, is no answer',
{ slow: true, alone: true, lasts: 90 },
async (t) => {
	const [a, b] = await unlimitedPair(t, Conversations, Dino);
	const from = a.mark();
	const out = await a.call(t.at('accomplice'));
	const ring = await b.rings();
	const { id } = b.received(jmi('propose'))[0].attrs;
	b.count = 0;
	for (const [i, order] of [...permutations(Object.keys(CALLEES))]
		.entries()) {
		await b.write(order.map((name) => CALLEES[name](b, ring.peer,
			ring, id)).join(''));
		if (i % 60 === 59)
			await b.fence();
	}
	await t.settle();
	equal([...new Set(heard(a, from))], ['ringing'], 'heard by the caller');
	equal([out.state, ring.state], ['rings', 'ringing'], 'the screens');
	await a.cancel(out);
	await b.shows(ring, 'missed');
});

story('A03 an offer before the answer does not reach a JMI callee, nor do ' +
	'candidates', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await a.iq('set', t.at('bob', true), jingleXml('session-initiate',
		out.sid, contents('webrtc', 'offer', ['audio'])),
	{ mayFail: true });
	await a.iq('set', t.at('bob', true), jingleXml('transport-info',
		out.sid, trickle('0', a.call_.own)), { mayFail: true });
	await t.settle();
	await b.expectNothing(jingle());
	equal(ring.state, 'ringing', 'Bob\'s window');
	t.nothingOf(b, a);
});

// --- A04: what the caller learns before the answer -----------------------
const ADDRESS = '198.51.100.77';

// What of a device is nobody's business, as text of stanzas; contacts see each
// other's devices, where they have each other and not contacts of ours.
function secretsOf(t, device, call) {
	const { own } = call;
	return [own.ufrag, own.pwd, own.fingerprint, ADDRESS, ...t.native ? []
		: [device.jid, `/${device.resource}`, device.constructor.node]];
}

// Every stanza that `caller` got since he came online.
function knowsNothing(caller, secrets) {
	for (const { el, text } of caller.log)
		for (const secret of secrets)
			assert(!el || caller.isOwn(el.attrs.from) ||
				!text.includes(secret), `${secret} is in ${text}`);
}

for (const [Caller, Callee] of [[Plain, Plain], [Conversations, Dino],
	[Dino, Conversations], [Conversations, Plain]])
	story(`A04 I03 ${Caller.name} calls ${Callee.name}: before the answer no ` +
		'stanza has an address, a credential or the caps of a device',
	async (t) => {
		const [a, b] = await t.pair(Caller, Callee);
		const b2 = await t.another(Siskin, 'bob', { resource: 'tabulet' });
		b.resource = b.jid.split('/')[1];
		await t.settle();
		const out = await a.call(t.at('bob'));
		const ring = await b.rings();
		const other = await b2.rings();
		const early = trickle(ring.plain ? '0' : 'audio', { ...ring.own,
			inner: `<candidate component='1' foundation='1' ` +
				`ip='${ADDRESS}' port='9' priority='1' ` +
				'protocol=\'udp\' type=\'host\'/>' });
		for (const action of ['transport-info', 'session-info'])
			await b.iq('set', ring.peer, jingleXml(action, ring.sid,
				action === 'session-info' ?
					`<mute xmlns='${NS.info}' name='${ADDRESS}'/>` :
					early), { mayFail: true });
		await t.settle();
		knowsNothing(a, [...secretsOf(t, b, ring), ...secretsOf(t, b2, other)]);
		t.nothingOf(b, a);
		await b.answer(ring);
		await a.shows(out, 'active');
		if (Callee === Plain && t.mode === 'direct')
			await a.waitUntil(() => out.trickled.length > 0,
				'the candidates that were kept');
		if (t.mode === 'direct')
			return;
		await t.settle();
		knowsNothing(a, [ring.own.ufrag, ring.own.pwd, `ip="${ADDRESS}"`]);
	});

// In mode direct what his device says would be relayed as it is.
for (const [options, mode] of [[{}, ''], [{ media: 'direct' }, ', in direct']])
	story('A04 a stranger hears as little, and of one who declines nothing ' +
		`at all${mode}`, options, async (t) => {
		const b = await t.login(Plain, 'bob', { resource: 'tabulet' });
		const a = await t.login(Plain, 'mallory');
		const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
		const ring = await b.rings();
		await b.sendTrickle(Object.assign(ring, { names: ['0'] }));
		await t.settle();
		knowsNothing(a, secretsOf(t, b, ring));
		await b.decline(ring);
		await a.shows(out, 'declined');
		await t.settle();
		knowsNothing(a, secretsOf(t, b, ring));
	});

story('A04 a caller whom the service does not know hears as little',
	async (t) => {
		const b = await t.login(Conversations, 'bob',
			{ resource: 'tabulet' });
		const m = await spy(t, 'mallory');
		await m.send(m.jmiXml('propose', { to: t.at('bob'), sid: 'stranger',
			inner: AUDIO }));
		const ring = await b.rings();
		await t.settle();
		knowsNothing(m, secretsOf(t, b, ring));
		equal(errorOf(await m.iq('get', t.at('bob', true),
			'<query xmlns=\'jabber:iq:last\'/>', { mayFail: true })),
		'service-unavailable', 'answer');
		await m.send(m.jmiXml('retract', { to: t.at('bob'),
			sid: 'stranger' }));
		await b.shows(ring, 'missed');
		assert(m.received(ofCall).every((el) => !String(el).includes(
			'tabulet')), 'the resource');
	});
