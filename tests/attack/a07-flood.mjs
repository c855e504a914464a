// a07-flood.mjs: who floods a call keeps nobody in it (A07, R02)

import { candidate, contents, jingleXml, trickle }
	from '../e2e/clients/bodies.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { errorOf, jingle } from '../e2e/clients/match.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { unlimited, unlimitedPair } from './tools.mjs';

// What passes from user to user with a stolen sid, and when, is not ours.
const FLOODED = { own: true, slow: true, alone: true, lasts: 90,
	not: { transparent: 'there the server carries the flood' } };
const FLOOD = 10000;
const TRIES = 4;
const END_MS = process.env.E2E_SANITIZED ? 2000 : 200;

function flood(to, sid) {
	return Array.from({ length: FLOOD }, (_, i) => `<iq type='set' ` +
		`id='f${i}' to='${to}'>${jingleXml('transport-info', sid,
			trickle('0', { inner: candidate({ port: 40000 + i % 9 }) }))
		}</iq>`).join('');
}

// Sends the flood and reads what comes without looking at it, so that the work
// of this process is not measured; returns when answers flow.
async function floods(client, to, sid) {
	const { socket } = client.entity;
	socket.removeAllListeners('data');
	const flows = new Promise((done) => socket.on('data', done));
	const sent = client.write(flood(to, sid));
	await flows;
	return { sent };
}

// The shortest of some tries: a machine that is busy is slow now and then, a
// hang-up that waits behind the flood is slow each time.
async function within(client, hangUp) {
	let ms;
	for (let i = 0; i < TRIES; i++) {
		ms = await hangUp(i);
		client.note(`hang-up after ${Math.round(ms)} ms`);
		if (ms < END_MS)
			return;
	}
	throw new Error(`the hang-up took ${Math.round(ms)} ms`);
}

story('A07 a third party floods a running call with a stolen sid, ten ' +
	'thousand transport-info: the hang-up acts within 200 ms',
FLOODED, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	await within(b, async () => {
		const h = await unlimited(t);
		const [out, ring] = await t.connect(a, b);
		const { sent } = await floods(h, t.at('alice', true), ring.sid);
		const at = performance.now();
		await b.terminate(ring, 'success');
		await a.shows(out, 'ended');
		const ms = performance.now() - at;
		await sent;
		h.drop();
		await b.afterEnd(ring, 'success');
		await t.quiet();
		return ms;
	});
});

story('A07 the peer of a call floods it: the hang-up of the other acts ' +
	'within 200 ms', FLOODED, async (t) => {
	const [first, b] = await unlimitedPair(t, Dino, Dino);
	await within(b, async (i) => {
		const a = i ? await t.another(Dino, 'hostile') : first;
		await a.waitPresence(t.as(b));
		const [out, ring] = await t.connect(a, b);
		const { sent } = await floods(a, out.peer, out.sid);
		const at = performance.now();
		await b.terminate(ring, 'success');
		const ms = performance.now() - at;
		equal((await t.running()).filter((c) => c.state === 'up'), [],
			'calls up');
		await sent;
		a.drop();
		await b.afterEnd(ring, 'success');
		return ms;
	});
});

story('A07 R02 a peer that answers no relayed IQ: the 65th is refused, the ' +
	'hang-up passes', async (t) => {
	const [a, b] = await t.pair(Dino, Conversations);
	const [out, ring] = await t.connect(a, b);
	b.onStanza = () => {};         // deaf from here on
	const answers = [];
	for (let i = 0; i < 70; i++) {
		const id = `deaf${i}`;
		answers.push(a.expectAnswer(id, out.peer, 20000)
			.catch(() => null));
		await a.send(`<iq type='set' id='${id}' to='${out.peer}'>${
			jingleXml('session-info', out.sid,
				'<x xmlns=\'urn:example:x\'/>')}</iq>`);
	}
	const first = await Promise.race(answers.slice(64));
	equal(errorOf(first), 'resource-constraint', 'the 65th');
	await a.hangUp(out);
	await b.waitFor(jingle('session-terminate', { sid: ring.sid }));
	ring.state = 'ended';
	a.forget();
});

story('A07 R02 contents without end: refused at the limit, the call goes on',
	{ lasts: 90 }, async (t) => {
		const [a, b] = await t.pair(Dino, Conversations);
		const [out] = await t.connect(a, b);
		b.onStanza = (el) => el.name === 'iq' &&
			el.attrs.type === 'set' && b.result(el);
		const codes = [];
		for (let i = 0; i < 20; i++) {
			const el = await a.iq('set', out.peer, jingleXml(
				'content-add', out.sid, contents('dino', 'offer',
					['audio'], { names: { audio: `c${i}` } })),
			{ mayFail: true, timeout: 20000 });
			codes.push(el.attrs.type === 'error' ? errorOf(el) : '');
		}
		assert(codes.slice(-3).every((c) => c.startsWith(
			'resource-constraint')), codes.join());
		equal((await t.running()).length, 1, 'calls running');
		await a.hangUp(out);
		await b.waitFor(jingle('session-terminate'));
	});
