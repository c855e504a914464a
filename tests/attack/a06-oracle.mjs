// a06-oracle.mjs: a refused caller does not learn why: away, do not disturb,
// blocked and unknown are one answer, in bytes and in time (A06)

import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jingle, jingleOf, jmi, jmiOf, ofCall, reasonOf }
	from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { Plain } from '../e2e/clients/plain.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { AUDIO, bytes, jingleOfAction, median, spy } from './tools.mjs';

const ROUNDS = 5;
const MOST = 40;
const APART_MS = 20;
const MOST_BLOCKERS = 20;
const LIMITS = { pair_per_minute: 100, caller_per_minute: 1000 };

// Names of one length, so that answers differ in nothing.
const CAUSES = {
	async away(t) {
		await (await t.login(Dino, 'awayone')).available({ show: 'xa' });
	},
	async offline(t) {
		await (await t.login(Dino, 'offline')).close();
	},
	async dnd(t) {
		await (await t.login(Dino, 'dndndnd')).available({ show: 'dnd' });
	},
	async negative(t) {
		await (await t.login(Dino, 'hidden1')).available({ priority: -1 });
	},
	async blocked(t, m) {
		const b = await t.login(Dino, 'blocker');
		await b.block(`${t.contact(m.user)}`);
	},
	async unknown(t) {
		t.users.set('nobody1', `nobody1${t.number}`);
	},
};
const NAMES = ['awayone', 'offline', 'dndndnd', 'hidden1', 'blocker',
	'nobody1'];

// Asks each name at the same moment, the first one another in each round: adds
// what came for it, and the milliseconds until the refusal, to `got`.
async function ask(t, m, names, got, send, isEnd) {
	const round = got[0].ms.length;
	const from = m.mark();
	const sids = names.map((name) => `r${round}-${name}`);
	const start = [];
	for (let k = 0; k < names.length; k++) {
		const i = (k + round) % names.length;
		start[i] = performance.now();
		await m.send(send(t.at(names[i]), sids[i]));
	}
	for (const [i, sid] of sids.entries()) {
		await m.waitUntil(() => m.received(isEnd(sid), from)[0],
			`the end of ${sid}`);
		const { at } = m.log.slice(from).find(({ dir, el }) =>
			dir === 'in' && isEnd(sid)(el));
		got[i].ms.push(at - start[i]);
	}
	await t.settle();
	for (const [i, name] of names.entries())
		got[i].said.push(m.received((el) => [el.attrs.from,
			el.toString()].some((text) => text.includes(
			t.user(name))) || el.toString().includes(sids[i]),
		from).map((el) => bytes(el, sids[i], t.user(name))));
}

// By how much each is answered earlier or later than the others of its round,
// in most rounds: what is slow for all at once is the machine.
function apart(got) {
	const middle = got[0].ms.map((_, round) =>
		median(got.map(({ ms }) => ms[round])));
	return got.map(({ ms }) => median(ms.map((x, i) => x - middle[i])));
}

// One answer for all. A difference in time that is ours is there however often
// one asks; one that is the machine's goes away.
async function alike(t, m, names, send, isEnd) {
	const got = names.map(() => ({ ms: [], said: [] }));
	let worst;
	do {
		for (let i = 0; i < ROUNDS; i++)
			await ask(t, m, names, got, send, isEnd);
		for (const [k, name] of names.entries()) {
			for (const said of got[k].said)
				equal(said, got[0].said[0], `what is said of ${name}`);
			assert(got[k].said[0].length > 0, 'nothing is said');
		}
		const times = apart(got);
		worst = Math.max(...times) - Math.min(...times);
		t.dialogue.add('apart', '--', names.map((name, k) =>
			`${name} ${times[k].toFixed(1)} ms`).join(', '));
	} while (worst >= APART_MS && got[0].ms.length < MOST);
	assert(worst < APART_MS, `answers are ${worst.toFixed(1)} ms apart`);
}

const rejected = (sid) => jmi('reject', { id: sid });
const terminated = (sid) => jingle('session-terminate', { sid });

for (const [what, send, isEnd] of [
	['a propose', (to, sid) => `<message type='chat' id='${sid}' ` +
		`to='${to}'><propose xmlns='${NS.jmi}' id='${sid}'>${AUDIO}` +
		'</propose></message>', rejected],
	['a session-initiate', (to, sid) => `<iq type='set' id='${sid}' ` +
		`to='${to}/call'>${jingleOfAction('session-initiate', sid)}</iq>`,
	terminated],
])
	story(`A06 X1 X4 row 1, ${what}: away, offline, do not disturb, hidden, ` +
		'blocked and unknown are the same bytes after the same time',
	{ conf: LIMITS, lasts: 90 }, async (t) => {
		const m = await t.login(isEnd === rejected ? Dino : Plain,
			'hostile');
		for (const cause of Object.values(CAUSES))
			await cause(t, m);
		await t.settle();
		await alike(t, m, NAMES, send, isEnd);
	});

story('A06 row 2 is the same bytes after the same time whatever the cause',
	{ conf: { ...LIMITS, calls_require_messaging: true } }, async (t) => {
		const m = await t.login(Dino, 'hostile');
		const b = await t.login(Dino, 'private');
		const c = await t.login(Dino, 'nowords');
		const gone = await t.login(Dino, 'goneoff');
		await gone.close();
		await t.setting('private', 'who_may_call', 'nobody');
		await t.setting('nowords', 'messages', 'no');
		await t.setting('goneoff', 'who_may_call', 'nobody');
		const names = ['private', 'nowords', 'goneoff'];
		await alike(t, m, names, (to, sid) => m.jmiXml('propose',
			{ to, id: sid, sid, inner: AUDIO }), rejected);
		for (const client of [b, c])
			await client.expectNothing(ofCall);
	});

story('A06 a blocked caller learns nothing from a device without JMI: no ' +
	'proceed and no ringing, row 1 after the fixed time', async (t) => {
	const [a, b] = await t.pair(Conversations, Plain);
	await b.block(t.at('alice'));
	await t.settle();
	const from = a.mark();
	const out = await a.call(t.at('bob'), ['audio'], { remembered: true });
	await a.waitFor((s) => ofCall(s) && reasonOf(jmiOf(s) ??
		jingleOf(s)).name, 'a refusal');
	await t.settle();
	equal(a.received(ofCall, from).map((s) => (jmiOf(s) ?? jingleOf(s)))
		.map((c) => c.attrs.action ?? c.name), ['reject'], 'heard');
	equal(out.reason?.name, 'gone', 'reason');
});

// The first call tells us of the block, so each callee is called once: a round
// has one that blocks and one that is not there, of its own.
story('A06 a blocked plain caller, plain callees: row 1 as it is for all',
	{ conf: LIMITS, lasts: 90 }, async (t) => {
		const a = await t.login(Plain, 'hostile');
		const got = [0, 1].map(() => ({ ms: [], said: [] }));
		let worst;
		do {
			for (let i = 0; i < ROUNDS; i++) {
				const round = String.fromCharCode(97 + got[0].ms.length);
				await (await t.login(Plain, `blocker${round}`))
					.block(t.at('hostile'));
				const none = `nobody1${round}`;
				t.users.set(none, `${none}${t.number}`);
				await t.settle();
				await ask(t, a, [`blocker${round}`, none], got, (to, sid) =>
					`<iq type='set' id='${sid}' to='${to}/call'>` +
					`${jingleOfAction('session-initiate', sid)}</iq>`,
				terminated);
			}
			for (const { said } of got)
				equal(said, got[0].said, 'what is said of them');
			assert(got[0].said[0].length > 0, 'nothing is said');
			worst = Math.abs(median(got[0].ms.map((ms, i) =>
				ms - got[1].ms[i])));
			t.dialogue.add('apart', '--', `${worst.toFixed(1)} ms, after ${
				got.map(({ ms }) => ms.map(Math.round)).join(' and ')}`);
		} while (worst >= APART_MS && got[0].ms.length < MOST_BLOCKERS);
		assert(worst < APART_MS, `answers are ${worst.toFixed(1)} ms apart`);
	});

story('A06 subscribing, asking and probing say the same of one who is ' +
	'online, one who is not, and nobody',
{ not: { transparent: 'what users ask each other is the server\'s own' } },
async (t) => {
	const b = await t.login(Dino, 'bob');
	const c = await t.login(Dino, 'carol');
	await c.close();
	t.users.set('nobody', `nobody${t.number}`);
	const said = [];
	for (const name of ['bob', 'carol', 'nobody']) {
		const m = await spy(t, `spy${name}`);
		const from = m.mark();
		const to = t.at(name);
		await m.send(`<presence type='subscribe' to='${to}'/>`);
		await m.fence();
		await m.send(`<presence type='probe' to='${to}'/>`);
		await m.send(`<presence to='${to}/call'/>`);
		for (const xml of [`<query xmlns='${NS.info_}'/>`,
			`<query xmlns='${NS.version}'/>`,
			'<vCard xmlns=\'vcard-temp\'/>', `<ping xmlns='${NS.ping}'/>`,
			'<query xmlns=\'jabber:iq:last\'/>',
			'<pubsub xmlns=\'http://jabber.org/protocol/pubsub\'/>'])
			for (const at of [to, `${to}/call`, `${to}/phone`])
				await m.iq('get', at, xml, { mayFail: true });
		await m.fence();
		said.push(m.received((el) => String(el.attrs.from)
			.startsWith(to), from).map((el) => bytes(el,
			t.user(name), t.user(`spy${name}`), m.resource)).sort());
	}
	equal(said[1], said[0], 'of one who is offline');
	equal(said[2], said[0], 'of nobody');
	await b.fence();
});
