// devices.mjs: one ring state over all devices of a user (X2, F12)

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { bare, both, carbonOf, hasChild, jmiOf, matcher }
	from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { assert, equal, story } from '../story.mjs';

// JMI of a kind, also inside carbons, about one id.
const anyOf = (name, id) => matcher(`${name} of ${id}`, (el) => {
	const child = jmiOf(carbonOf(el)?.el ?? el);
	return child?.name === name && child.attrs.id === id;
});

const ours = (t) => (el) => (t.native
	? bare(el.attrs.from) === t.jid('alice')
	: el.attrs.from?.endsWith(`@${t.domain}/call`));

async function three(t, kinds = [Conversations, Dino, Movim]) {
	const [a, b] = await t.pair(Conversations, kinds[0]);
	const c = await t.another(kinds[1], 'bob', { resource: 'laptop' });
	const d = await t.another(kinds[2], 'bob', { resource: 'web' });
	await t.settle();
	return [a, [b, c, d]];
}

async function ringAll(a, devices, to, media) {
	const out = await a.call(to, media);
	const rings = await Promise.all(devices.map((d) => d.rings()));
	return [out, rings];
}

story('F12 X2 every device of the callee rings exactly once', async (t) => {
	const [a, devices] = await three(t);
	const [out, rings] = await ringAll(a, devices, t.at('bob'));
	await t.settle();
	for (const d of devices) {
		equal(d.calls.length, 1, `windows of ${d.label}`);
		await d.expectCount(anyOf('propose', rings[0].sid), 1);
	}
	await a.cancel(out);
	for (const [i, d] of devices.entries())
		await d.shows(rings[i], 'missed');
	await t.quiet();
});

story('F12 X2 devices with different priorities, carbons on: each rings ' +
	'exactly once', async (t) => {
	const a = await t.login(Conversations, 'alice', { resource: 'desk' });
	const b = await t.login(Dino, 'bob', { resource: 'hi', priority: 5 });
	const c = await t.another(Dino, 'bob', { resource: 'lo' });
	await t.contacts(a, b);
	const [out] = await ringAll(a, [b, c], t.at('bob'));
	await t.settle();
	equal([b, c].map((d) => d.calls.length), [1, 1], 'windows');
	await a.cancel(out);
	await b.shows(b.call_, 'missed');
	await c.shows(c.call_, 'missed');
	await t.quiet();
});

story('X2 answered on one device: every other stops exactly once, and no ' +
	'false missed call is stored', async (t) => {
	const [a, [b, c, d]] = await three(t);
	const [out, rings] = await ringAll(a, [b, c, d], t.at('bob'));
	await b.answer(rings[0]);
	await a.shows(out, 'active');
	await c.shows(rings[1], 'elsewhere', 'missed');
	await d.shows(rings[2], 'elsewhere', 'missed');
	await t.settle();
	for (const other of [c, d]) {
		const stops = other.received((el) => jmiOf(el) &&
			['retract', 'accept', 'finish', 'reject'].includes(
				jmiOf(el).name) && ours(t)(el));
		equal(stops.length, 1, `our stops at ${other.label}`);
		equal(stops[0].attrs.to, other.jid, 'to that device alone');
		assert(stops[0].getChild('no-store', NS.hints),
			'a stop that may be stored');
	}
	equal(b.received((el) => ours(t)(el) &&
		['retract', 'reject'].includes(jmiOf(el)?.name)).length, 0,
	'stops at the device that answered');
	const kept = await b.archive(t.at('alice'));
	equal(kept.filter((el) => jmiOf(el)?.name === 'retract').length, 0,
		'retracts in the archive');
	await a.hangUp(out);
	await b.shows(rings[0], 'ended');
	await t.quiet();
});

story('X2 Monal and Movim give no accept: the others stop all the same',
	async (t) => {
		for (const Kind of [Monal, Movim]) {
			const [a, list] = await three(t, [Kind, Siskin, Dino]);
			const [out, rings] = await ringAll(a, list, t.at('bob'));
			await list[0].answer(rings[0]);
			await a.shows(out, 'active');
			await list[1].shows(rings[1], 'elsewhere', 'missed');
			await list[2].shows(rings[2], 'elsewhere', 'missed');
			await t.endQuietly(a, out);
			await Promise.all([a, ...list].map((d) => d.close()));
		}
	});

story('F14 X2 declined on one device is declined by the user: all stop once',
	async (t) => {
		const [a, [b, c, d]] = await three(t);
		const [out, rings] = await ringAll(a, [b, c, d], t.at('bob'));
		await b.decline(rings[0]);
		await a.shows(out, 'declined');
		await c.shows(rings[1], 'declined', 'missed', 'elsewhere');
		await d.shows(rings[2], 'declined', 'missed', 'elsewhere');
		await t.settle();
		for (const other of [c, d]) {
			const stops = other.received((el) => ours(t)(el) &&
				['retract', 'reject'].includes(
					jmiOf(el)?.name));
			equal(stops.length, 1, `our stops at ${other.label}`);
			assert(stops[0].getChild('no-store', NS.hints),
				'a stop that may be stored');
		}
		await b.expectNothing(t.notice(/missed/i));
		await t.quiet();
	});

story('X2 busy on one device is that device alone: the others ring on',
	async (t) => {
		// Who has carbons reads the other device's reject itself.
		class Alone extends Conversations {
			usesCarbons = false;
		}
		class Quiet extends Dino {
			usesCarbons = false;
		}
		const [a, list] = await three(t, [Monal, Alone, Quiet]);
		const [out, rings] = await ringAll(a, list, t.at('bob'));
		const marks = list.map((d) => d.mark());
		await list[0].decline(rings[0]);
		await t.settle();
		equal(list.slice(1).map((d) => d.call_.state),
			['ringing', 'ringing'], 'the other windows');
		for (const [i, d] of list.entries())
			await d.expectNothing((el) => ours(t)(el) && jmiOf(el),
				'JMI of ours', { from: marks[i] });
		equal(out.state, 'rings', 'what Alice sees');
		await list[2].answer(rings[2]);
		await a.shows(out, 'active');
		await list[1].shows(rings[1], 'elsewhere', 'missed');
		await t.endQuietly(a, out);
	});

story('X2 the stop comes from the address that proposed: Conversations ' +
	'takes no other', async (t) => {
	const [a, [b, c]] = await three(t);
	const [out, rings] = await ringAll(a, [b, c], t.at('bob'));
	await a.cancel(out);
	await b.shows(rings[0], 'missed');
	equal(b.ignored ?? 0, 0, 'retracts that Conversations ignored');
	await c.shows(rings[1], 'missed');
});

story('X2 a device that comes online while it rings: rings once too',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const out = await a.call(t.at('bob'));
		const first = await b.rings();
		const late = await t.another(Dino, 'bob', { resource: 'late' });
		const second = await late.rings();
		await t.settle();
		equal([b, late].map((d) => d.calls.length), [1, 1], 'windows');
		await late.answer(second);
		await a.shows(out, 'active');
		await b.shows(first, 'elsewhere', 'missed');
		await t.endQuietly(a, out);
	});

story('X2 the device that rang alone goes offline: the caller is not left ' +
	'ringing for ever', { own: true }, async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const out = await a.call(t.at('bob'));
	await b.rings();
	b.drop();
	await t.gone(b);
	await t.clock('+31s');
	await a.shows(out, 'declined');
	equal((await t.log('bob'))[0].result !== 'answered', true, 'log');
});

story('F24 carbons and archives: every JMI stanza of a call is there once',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Monal, Conversations);
		const c = await t.another(Conversations, 'bob',
			{ resource: 'second' });
		const a2 = await t.another(Conversations, 'alice',
			{ resource: 'second' });
		await t.settle();
		const [out, ring] = await (async () => {
			const call = await a.call(t.at('bob'));
			const mine = await b.rings();
			await c.rings();
			await b.answer(mine);
			await a.shows(call, 'active');
			return [call, mine];
		})();
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		await t.clock('+5s');
		for (const [client, id, peer] of [[a, out.sid, 'bob'],
			[b, ring.sid, 'alice']]) {
			const kept = await client.archive(t.at(peer));
			const ofId = kept.filter(
				(el) => jmiOf(el)?.attrs.id === id);
			// A device's own finish and ours are two.
			const names = ofId.map((el) => `${jmiOf(el).name} ${
				client.isOwn(el.attrs.from) ? el.attrs.from
					: 'in'}`).sort();
			equal(names.filter((n, i) => names.indexOf(n) !== i), [],
				`doubled in ${client.label}'s archive`);
			assert(/propose/.test(names) && /finish in/.test(names),
				`archive of ${client.label}: ${names}`);
		}
		for (const client of [c, a2])
			for (const name of ['propose', 'finish'])
				for (const id of [out.sid, ring.sid])
					for (const kind of ['sent', 'received'])
						assert(client.received(both(
							anyOf(name, id), (el) =>
								(carbonOf(el)?.kind ??
								'received') === kind))
							.length <= 1, `${client.label} ` +
							`got ${name} twice as ${kind}`);
	});

story('X2 a full-JID stop is private: no carbon of it at another device',
	async (t) => {
		const [a, [b, c, d]] = await three(t);
		const [out, rings] = await ringAll(a, [b, c, d], t.at('bob'));
		await b.answer(rings[0]);
		await a.shows(out, 'active');
		await t.settle();
		for (const device of [b, c, d])
			await device.expectNothing(both(
				hasChild('received', NS.carbons),
				(el) => ['retract', 'reject'].includes(
					jmiOf(carbonOf(el).el)?.name)));
		await t.endQuietly(a, out);
	});
