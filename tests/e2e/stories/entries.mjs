// entries.mjs: what a call between users' own addresses leaves in the archives
// of both (XEP-0313), and which copies their other devices get (XEP-0280)

import { Client } from '../clients/client.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { carbonOf, jmiOf, ofCall } from '../clients/match.mjs';
import { NS } from '../clients/ns.mjs';
import { equal, story } from '../story.mjs';

// A bystander: a device that shows nothing and rings for nothing, and sees what
// the server copies to it.
class Bystander extends Client {
	async login({ priority = 0 } = {}) {
		await this.connect();
		await this.carbons();
		await this.goOnline({ priority });
		return this;
	}

	onStanza(el) {
		if (el.name === 'iq' && ['get', 'set'].includes(el.attrs.type))
			this.error(el, 'cancel', 'service-unavailable');
	}
}

const call = (el) => jmiOf(el)?.name;
const plainName = (jid) => jid.split('@')[0].replace(/\d+$/, '');

// "propose > bob": name and who it was sent to, of the call's messages.
function entries(list) {
	// Without `to` it is to himself: Prosody leaves it out.
	return list.filter(call).map((el) => `${call(el)} ${
		plainName(el.attrs.from)} > ${plainName(el.attrs.to ??
		el.attrs.from)}`);
}

// At the end of a call the two may say so in either order.
function inOrder(list) {
	const i = list.findIndex((entry, k) => k && entry.startsWith('finish') &&
		list[k - 1].startsWith('finish') && entry < list[k - 1]);
	return i < 0 ? list : inOrder([...list.slice(0, i - 1), list[i],
		list[i - 1], ...list.slice(i + 1)]);
}

async function archive(client, other) {
	return inOrder(entries(await client.archive(other.bare)));
}

// What the server copied to a bystander: sent and received.
function copies(bystander) {
	return bystander.received((el) => carbonOf(el) && call(carbonOf(el).el))
		.map((el) => {
			const { el: inner, kind } = carbonOf(el);
			return `${kind} ${entries([inner])[0]}`;
		});
}

// --- what is expected ------------------------------------------------------
const rung = (x, y) => [`propose ${x} > ${y}`, `ringing ${y} > ${x}`];
const answered = (x, y) => [...rung(x, y), `proceed ${y} > ${x}`];
const over = (x, y) => [`finish ${x} > ${y}`, `finish ${y} > ${x}`].sort();

// Of a user's other device: what `x` says to `y` is sent there or received.
const sent = (...list) => list.map((entry) => `sent ${entry}`);
const received = (...list) => list.map((entry) => `received ${entry}`);
// His accept is to himself: the server copies it by either rule.
const accept = (x) => [`sent accept ${x} > ${x}`,
	`received accept ${x} > ${x}`];

// Who is called answers, the caller hangs up.
async function talk(t, caller, callee) {
	const [out, ring] = await t.connect(caller, callee);
	await caller.hangUp(out);
	await callee.shows(ring, 'ended');
}

async function ring(caller, callee) {
	const out = await caller.call(callee.bare);
	const window = await callee.rings();
	await caller.shows(out, 'rings');
	return [out, window];
}

const aliceToBob = {
	archives: [[...answered('alice', 'bob'), ...over('alice', 'bob')],
		[...answered('alice', 'bob'), 'finish alice > bob']],
	copies: [[...sent('propose alice > bob', 'finish alice > bob'),
		...received('ringing bob > alice', 'proceed bob > alice',
			'finish bob > alice')],
	[...received('propose alice > bob', 'finish alice > bob'),
		...sent('ringing bob > alice', 'proceed bob > alice'),
		...accept('bob')]],
};

// Bob's own propose never reaches Alice; nothing says that he was missed.
const glare = {
	archives: [aliceToBob.archives[0], ['propose bob > alice',
		'reject alice > bob', ...aliceToBob.archives[1]]],
	copies: [aliceToBob.copies[0], [...aliceToBob.copies[1],
		...sent('propose bob > alice'), ...received('reject alice > bob')]],
};

// Both call before either hears of it, in this order: nobody answers meanwhile.
async function atOnce(t, a, b, order) {
	process.kill(t.daemon.pid, 'SIGSTOP');
	for (const one of order) {
		await one.call(one === a ? b.bare : a.bare, ['audio'],
			{ sid: one === a ? 'aaaa-low' : 'zzzz-high' });
		await one.iq('get', t.host, `<ping xmlns='${NS.ping}'/>`);
	}
	process.kill(t.daemon.pid, 'SIGCONT');
	await b.answer(await b.rings());
	const out = a.calls.find((c) => c.out);
	await a.shows(out, 'active');
	equal((await t.running()).length, 1, 'calls running');
	await a.hangUp(out);
	await b.waitUntil(() => !b.live.length, 'the end');
}

// run(t, alice, bob): what happens, then [[one, other, its archive]] of more
// users; archives: Alice's with Bob, Bob's with Alice; copies: at Alice's other
// device and Bob's.
const CALLS = {
	'answered': { ...aliceToBob, run: talk },
	'declined': {
		run: async (t, a, b) => {
			const [out] = await ring(a, b);
			await b.decline();
			await a.shows(out, 'declined');
		},
		archives: Array(2).fill([...rung('alice', 'bob'),
			'reject bob > alice']),
		copies: [[...sent('propose alice > bob'),
			...received('ringing bob > alice', 'reject bob > alice')],
		[...received('propose alice > bob'),
			...sent('ringing bob > alice', 'reject bob > alice')]],
	},
	'cancelled': {
		run: async (t, a, b) => {
			const [out, window] = await ring(a, b);
			await a.cancel(out);
			await b.shows(window, 'missed');
		},
		archives: Array(2).fill([...rung('alice', 'bob'),
			'retract alice > bob']),
		copies: [[...sent('propose alice > bob', 'retract alice > bob'),
			...received('ringing bob > alice')],
		[...received('propose alice > bob', 'retract alice > bob'),
			...sent('ringing bob > alice')]],
	},
	'unanswered': {
		run: async (t, a, b) => {
			const [out, window] = await ring(a, b);
			await t.clock('+31s');
			await a.shows(out, 'declined');
			await b.shows(window, 'missed');
		},
		archives: [[...rung('alice', 'bob'), 'reject bob > alice'],
			[...rung('alice', 'bob'), 'retract alice > bob']],
		copies: [[...sent('propose alice > bob'),
			...received('ringing bob > alice', 'reject bob > alice')],
		[...received('propose alice > bob', 'retract alice > bob'),
			...sent('ringing bob > alice')]],
	},
	// The device that did not answer is stopped for itself alone.
	'two devices, one answers': { ...aliceToBob,
		run: async (t, a, b) => {
			const c = await t.another(Dino, 'bob',
				{ resource: 'laptop' });
			const [out, window] = await ring(a, b);
			const other = await c.rings();
			await b.answer(window);
			await a.shows(out, 'active');
			await c.shows(other, 'elsewhere', 'missed');
			await a.hangUp(out);
			await b.shows(window, 'ended');
		} },
	// He is in a call with Carol, and never hears of Alice's.
	'busy': {
		run: async (t, a, b) => {
			const c = await t.login(Conversations, 'carol');
			await t.contacts(c, b);
			await t.setting('bob', 'second_call', 'busy');
			const [out, window] = await t.connect(c, b);
			const no = await a.call(b.bare);
			await a.shows(no, 'declined', 'busy');
			await c.hangUp(out);
			await b.shows(window, 'ended');
			return [[c, b, [...answered('carol', 'bob'),
				...over('carol', 'bob')]],
			[b, c, [...answered('carol', 'bob'),
				'finish carol > bob']]];
		},
		archives: [['propose alice > bob', 'reject bob > alice'], []],
		copies: [[...sent('propose alice > bob'),
			...received('reject bob > alice')],
		[...received('propose carol > bob', 'finish carol > bob'),
			...sent('ringing bob > carol', 'proceed bob > carol'),
			...accept('bob')]],
	},
	// Carol's call is answered, Alice's ends by that.
	'switch': {
		run: async (t, a, b) => {
			const c = await t.login(Conversations, 'carol');
			await t.contacts(c, b);
			const [first, window] = await t.connect(a, b);
			b.isBusy = () => false;
			const [out, second] = await ring(c, b);
			await b.answer(second);
			await c.shows(out, 'active');
			await a.shows(first, 'ended');
			await b.shows(window, 'ended');
			await c.hangUp(out);
			await b.shows(second, 'ended');
			await t.clock('+3s');
			return [[c, b, [...answered('carol', 'bob'),
				...over('carol', 'bob')]],
			[b, c, [...answered('carol', 'bob'),
				'finish carol > bob']]];
		},
		archives: [[...answered('alice', 'bob'), 'finish bob > alice'],
			[...answered('alice', 'bob'), 'finish alice > bob']],
		copies: [[...sent('propose alice > bob'),
			...received('ringing bob > alice', 'proceed bob > alice',
				'finish bob > alice')],
		[...received('propose alice > bob', 'finish alice > bob',
			'propose carol > bob', 'finish carol > bob'),
		...sent('ringing bob > alice', 'proceed bob > alice',
			'ringing bob > carol', 'proceed bob > carol'),
		...accept('bob'), ...accept('bob')]],
	},
	'glare, the loser is heard first': { ...glare,
		run: (t, a, b) => atOnce(t, a, b, [b, a]) },
	'glare, the winner is heard first': { ...glare,
		run: (t, a, b) => atOnce(t, a, b, [a, b]) },
	're-entry': {
		run: async (t, a, b) => {
			await talk(t, a, b);
			await t.clock('+3s');
			await talk(t, b, a);
		},
		archives: [[...aliceToBob.archives[0], ...answered('bob', 'alice'),
			'finish bob > alice'],
		[...aliceToBob.archives[1], ...answered('bob', 'alice'),
			...over('alice', 'bob')]],
		copies: [[...aliceToBob.copies[0],
			...received('propose bob > alice', 'finish bob > alice'),
			...sent('ringing alice > bob', 'proceed alice > bob'),
			...accept('alice')],
		[...aliceToBob.copies[1],
			...sent('propose bob > alice', 'finish bob > alice'),
			...received('ringing alice > bob', 'proceed alice > bob',
				'finish alice > bob')]],
	},
};

for (const [name, { run, archives, copies: wanted }] of Object.entries(CALLS))
	story(`F24 ${name}: archives and copies at other devices have each entry ` +
		'once', { own: true }, async (t) => {
		// They ask for all that they say to be stored: ejabberd needs it.
		const [a, b] = await t.pair(Conversations, Conversations);
		const devices = await Promise.all(['alice', 'bob'].map((user) =>
			t.login(Bystander, user, { resource: 'other', priority: -1 })));
		const more = await run(t, a, b) ?? [];
		await t.clock('+3s');
		for (const [one, other, list] of [[a, b, archives[0]],
			[b, a, archives[1]], ...more])
			equal(await archive(one, other), list, `${one.label}'s ` +
				`archive with ${other.label}`);
		for (const [i, device] of devices.entries()) {
			equal(copies(device).sort(), [...wanted[i]].sort(),
				`copies at ${device.label}`);
			await device.expectNothing((el) => ofCall(el) &&
				!carbonOf(el), 'a call stanza for it');
		}
	});
