// a09-third-party.mjs: who is not part of a call cannot touch it, replace it
// or take its id (A09 A10 A11)

import { until } from '../e2e/children.mjs';
import { jingleXml, reasonXml } from '../e2e/clients/bodies.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { errorOf, jingle, jmi, jmiOf, ofCall, reasonOf }
	from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { Plain } from '../e2e/clients/plain.mjs';
import { Siskin } from '../e2e/clients/siskin.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { otherComponent } from './component.mjs';
import { ACTIONS, AUDIO, heard, jingleOfAction, VERBS } from './tools.mjs';

const UNKNOWN = 'item-not-found+unknown-session';
const OURS = { not: { transparent: 'it is about addresses and ids of ours' } };

// Every action and verb of a call, by someone whom it does not concern; from
// user to user the server refuses what is not of a call of theirs.
async function refuses(t, attacker, to, sid) {
	for (const verb of VERBS)
		await attacker.send(attacker.jmiXml(verb, { to, sid }));
	const answers = await Promise.all(ACTIONS.map((action) =>
		attacker.iq('set', to, jingleOfAction(action, sid),
			{ mayFail: true })));
	for (const [i, el] of answers.entries())
		assert(t.native ? el.attrs.type === 'error'
			: errorOf(el) === UNKNOWN, () => `answer to ${ACTIONS[i]}: ${el}`);
}

// --- A09: stolen ids -----------------------------------------------------
story('A09 a third party with both stolen ids: item-not-found and ' +
	'unknown-session for everything, the call goes on', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Plain, 'hostile');
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	for (const sid of [out.sid, ring.sid])
		for (const to of [t.at('bob', true), t.at('alice', true)])
			await refuses(t, m, to, sid);
	await t.settle();
	await a.expectNothing(ofCall, undefined, { from: marks[0] });
	await b.expectNothing(ofCall, undefined, { from: marks[1] });
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await t.endQuietly(a, out);
});

story('A09 another device of the same user is a third party as well',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		const a2 = await t.another(Plain, 'alice', { resource: 'two' });
		const b2 = await t.another(Plain, 'bob', { resource: 'two' });
		await t.settle();
		const [out, ring] = await t.connect(a, b);
		await refuses(t, a2, t.at('bob', true), out.sid);
		await refuses(t, b2, t.at('alice', true), ring.sid);
		await t.settle();
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await t.endQuietly(a, out);
	});

story('A09 a device that rang and did not answer is one too, with JMI and ' +
	'without', { slow: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const losers = [
		await t.another(Siskin, 'bob', { resource: 'tab' }),
		await t.another(Plain, 'bob', { resource: 'old' }),
	];
	await t.settle();
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	const others = await Promise.all(losers.map((c) => c.rings()));
	await b.answer(ring);
	await Promise.all([a.shows(out, 'active'), b.shows(ring, 'active')]);
	await t.settle();
	const from = a.mark();
	for (const [i, loser] of losers.entries()) {
		await refuses(t, loser, t.at('alice', true), others[i].sid);
		await refuses(t, loser, t.at('alice', true), ring.sid);
	}
	await t.settle();
	await a.expectNothing(ofCall, undefined, { from });
	// Bob's own device believes what a device of Bob says.
	equal(out.state, 'active', 'the call');
	equal((await t.running()).map((c) => c.state), ['up'], 'calls');
	await a.hangUp(out);
	await t.settle();
});

story('A09 an occupant of a room, whose address is of another component, is ' +
	'one', OURS, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	const slot = await t.slots.take();
	const room = await otherComponent(t.prosody, slot);
	const occupants = [`room@${slot.domain}/bob`, `${slot.domain}/call`,
		`bob@${slot.domain}/phone`];
	let n = 0;
	for (const from of occupants)
		for (const sid of [out.sid, ring.sid])
			for (const to of [t.at('bob', true), t.at('alice', true)]) {
				for (const verb of VERBS)
					room.send(a.jmiXml(verb, { to, sid })
						.replace('<message', `<message from='${from}'`));
				for (const action of ACTIONS)
					room.send(`<iq type='set' id='room${++n}.' ` +
						`from='${from}' to='${to}'>${jingleOfAction(
							action, sid)}</iq>`);
			}
	await until(() => room.text().includes(`room${n}.`), 'the answers');
	room.close();
	t.slots.give(slot);
	const answers = room.text().match(/<iq .*?<\/iq>/g);
	equal(answers.length, n, 'answers');
	assert(answers.every((text) => text.includes('<unknown-session ')),
		'an answer is another one');
	await a.expectNothing(ofCall, undefined, { from: marks[0] });
	await b.expectNothing(ofCall, undefined, { from: marks[1] });
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await t.endQuietly(a, out);
});

story('A09 a terminate to one\'s own contact or to the service ends nothing',
	OURS, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const [out, ring] = await t.connect(a, b);
		for (const sid of [out.sid, ring.sid])
			for (const to of [t.at('alice', true), t.domain,
				t.at('alice')])
				await a.iq('set', to, jingleXml('session-terminate',
					sid, reasonXml('success')), { mayFail: true });
		await t.settle();
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await t.endQuietly(a, out);
	});

// --- A10: the same id from another peer ----------------------------------
story('A10 the id of a ringing call from another caller is another session, ' +
	'and ends alone', OURS, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Dino, 'mallory');
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	for (const sid of [out.sid, ring.sid]) {
		const other = await m.call(t.at('bob'), ['audio'],
			{ remembered: true, sid });
		await b.waitUntil(() => b.windows.length === 2, 'two windows');
		const second = b.call_;
		assert(second.sid !== ring.sid, 'one session for two callers');
		equal(second.peer, t.at('mallory', true), 'from');
		await m.cancel(other);
		await b.shows(second, 'missed');
		await t.settle();
		equal(ring.state, 'ringing', 'the first one');
	}
	await b.answer(ring);
	await a.shows(out, 'active');
	await t.endQuietly(a, out);
});

story('A10 a session-initiate with the id of a running call, by another ' +
	'peer, rings by itself and ends alone', OURS, async (t) => {
	const [a, b] = await t.pair(Plain, Plain);
	const m = await t.login(Plain, 'mallory');
	const [out, ring] = await t.connect(a, b);
	for (const sid of [out.sid, ring.sid]) {
		const other = await m.call(t.at('bob'), ['audio'],
			{ remembered: true, sid });
		const second = await b.rings();
		assert(second.sid !== ring.sid, 'the id of two sessions at Bob');
		equal(second.peer, t.at('mallory', true), 'from');
		await m.cancel(other);
		await b.shows(second, 'missed');
		await t.settle();
		equal([out.state, ring.state], ['active', 'active'], 'the call');
	}
	await t.endQuietly(a, out);
});

story('A10 one id for two called: each has his own session', OURS,
async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const c = await t.login(Dino, 'carol');
	await t.contacts(a, c);
	const first = await a.call(t.at('bob'), ['audio'], { sid: 'twice' });
	const second = await a.call(t.at('carol'), ['audio'], { sid: 'twice' });
	const rings = [await b.rings(), await c.rings()];
	assert(rings[0].sid !== rings[1].sid, 'one id for two');
	await b.decline(rings[0]);
	await t.settle();
	equal(rings[1].state, 'ringing', 'at Carol');
	first.state = 'declined';
	second.state = 'calling';
	await c.answer(rings[1]);
	await a.shows(second, 'active');
	await t.endQuietly(a, second);
});

// --- A11: replacing a running call ---------------------------------------
story('A11 a stranger\'s propose never replaces a running call', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const m = await t.login(Dino, 'mallory');
	const [out, ring] = await t.connect(a, b);
	await m.call(t.at('bob'), ['audio'], { remembered: true,
		sid: ring.sid });
	const last = await m.call(t.at('bob'), ['audio'], { remembered: true,
		sid: out.sid });
	await b.rings();
	await t.settle();
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await m.cancel(last);
	await b.waitUntil(() => !b.windows.length, 'the ringing to end');
	m.calls.forEach((c) => (c.state = 'cancelled'));
	await t.endQuietly(a, out);
});

story('A11 who says that he is the other side\'s new device is not believed',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await t.login(Dino, 'mallory');
		const [out, ring] = await t.connect(a, b);
		const from = [a.mark(), b.mark()];
		for (const sid of [out.sid, ring.sid, 'anew'])
			for (const verb of ['propose', 'proceed', 'finish'])
				await m.send(m.jmiXml(verb, { to: t.at('alice', true),
					sid, inner: `${verb === 'propose' ? AUDIO : ''}` +
					`<migrated to='${sid}' xmlns='${NS.jmi}'/>` })
					.replace('<message',
						`<message ofrom='${b.jid}'`));
		// What she rings is Alice, by her own name.
		await t.settle();
		const rung = a.received(jmi('propose'), from[0]);
		assert(rung.every((el) => el.attrs.from === t.as(m)),
			'a propose in another\'s name');
		equal(heard(b, from[1]), [], 'heard by Bob');
		const spoof = m.jmiXml('propose', { to: t.at('alice'),
			sid: 'spoofed', inner: AUDIO }).replace('<message',
			`<message from='${b.jid}'`);
		await m.send(spoof);
		await t.settle(a, b);
		assert(a.received(jmi('propose'), from[0]).every((el) =>
			el.attrs.from === t.as(m)), 'a spoofed ring');
		equal([out.state, ring.state], ['active', 'active'], 'the call');
		await a.hangUp(out);
		await b.shows(ring, 'ended');
	});

story('A11 a blocked caller who starts anew rings nobody: his own call is ' +
	'over, that is all', async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const [, ring] = await t.connect(a, b);
	await b.block(t.at('alice'));
	const from = b.mark();
	const anew = await t.another(Dino, 'alice', { resource: 'new' });
	const out = await anew.call(t.at('bob'), ['audio'], { remembered: true });
	const el = await anew.waitFor(jmi('reject', { id: out.sid }));
	equal(reasonOf(jmiOf(el)).name, 'gone', 'reason');
	await t.settle();
	equal(b.windows.length, 0, 'windows');
	await b.expectNothing(jingle('session-initiate'), undefined, { from });
	equal(await t.running(), [], 'calls');
	ring.state = 'ended';
});
