// room.mjs: mode room: each user's DTLS ends here, so each is told of our
// fingerprint; with the real privatecall-media beside the daemon

import { until } from '../children.mjs';
import { candidate, credentials, jingleXml, trickle } from
	'../clients/bodies.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jingle, jingleOf } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Plain } from '../clients/plain.mjs';
import { assert, equal, story } from '../story.mjs';

const VIDEO = ['audio', 'video'];
const ROOM = { media: 'room' };

function got(client) {
	return client.log.filter(({ dir }) => dir === 'in')
		.map(({ el }) => el.toString()).join('\n');
}

function prints(client) {
	return client.received(jingle())
		.flatMap((el) => jingleOf(el).getChildren('content'))
		.flatMap((content) => content.getChildren('transport', NS.ice))
		.flatMap((transport) => transport.getChildren('fingerprint'));
}

// Whatever a user got: of addresses and fingerprints, ours alone (X5, A05);
// nothing that holds numbers of other packets, or other keys.
function sawOnlyUs(t, client, ours) {
	const text = got(client);
	for (const what of ['192.0.2.', '<encryption', NS.omemo, '"red"',
		'"ulpfec"', '"flexfec-03"', '<device'])
		assert(!text.includes(what), `${client.label} got ${what}`);
	const list = prints(client);
	assert(list.length, `${client.label} got no fingerprint`);
	for (const print of list)
		equal([print.attrs.hash, print.text()], ['sha-256', ours],
			`a fingerprint that ${client.label} got`);
}

// The same towards both: it is of the process.
function ourPrint(client) {
	const print = prints(client)[0];
	assert(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(print.text()),
		`not a fingerprint: ${print}`);
	return print.text();
}

for (const [A, B] of [[Conversations, Dino], [Dino, Conversations],
	[Movim, Monal], [Plain, Plain], [Plain, Dino]])
	story(`room X5 A05 ${A.name} calls ${B.name}: each is told of our ` +
		'address and fingerprint alone', ROOM, async (t) => {
		const [a, b] = await t.pair(A, B);
		const [out, ring] = await t.connect(a, b, { media: VIDEO });
		await a.iq('set', out.peer, jingleXml('transport-info', out.sid,
			trickle(out.names?.[0] ?? 'audio', { ...out.own,
				inner: candidate() })), { mayFail: true });
		await t.settle();
		const ours = ourPrint(a);
		assert(![out.own.fingerprint, ring.own.fingerprint]
			.includes(ours), 'it is not ours');
		sawOnlyUs(t, a, ours);
		sawOnlyUs(t, b, ours);
		for (const print of prints(b))
			equal(print.attrs.setup, 'actpass', 'our offer');
		for (const print of prints(a))
			equal(print.attrs.setup, 'active', 'our answer');
		equal((await t.ctl('calls')).data.calls[0].mode, 'room', 'mode');
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		t.noFaults();
		for (const client of [a, b])
			await client.waitFor(t.notice(/, decrypted at your server\./));
	});

for (const media of ['blind', 'room'])
	story(`${media} A21 an ICE restart brings another fingerprint: the call ` +
		'ends for both, the same again does not', { media }, async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		const [out, ring] = await t.connect(a, b);
		const restart = (fingerprint) => a.iq('set', out.peer, jingleXml(
			'transport-info', out.sid, trickle('0', {
				...credentials(), inner: '', fingerprint })));
		await restart(out.own.fingerprint);
		await restart(undefined);
		await t.settle();
		equal([out.state, ring.state], ['active', 'active'], 'states');
		await restart(credentials().fingerprint);
		await Promise.all([a.shows(out, 'failed'),
			b.shows(ring, 'failed')]);
		for (const call of [out, ring])
			equal(call.reason.name, 'security-error', 'reason');
		for (const client of [a, b])
			await client.waitFor(t.notice(/changed fingerprint of the/));
	});

for (const signal of ['SIGKILL', 'SIGTERM'])
	story(`room X10 ${signal} of control and a new start: the call goes on, ` +
		'and is still one of mode room', ROOM, async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		const [out, ring] = await t.connect(a, b);
		await t.crash(signal);
		await t.revive();
		await until(async () => (await t.ctl('status')).data.media.up);
		await t.settle();
		const { calls } = (await t.ctl('calls')).data;
		equal([calls[0].state, calls[0].mode], ['up', 'room'], 'the call');
		await b.hangUp(ring);
		await a.shows(out, 'ended');
		equal(out.reason.name, 'success', 'reason');
		await until(() => /call closed/.test(t.media.readLog()));
	});

story('room X10 privatecall-media dies under a call: both are told', ROOM,
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const [out, ring] = await t.connect(a, b);
		await t.media.kill();
		await Promise.all([a.shows(out, 'failed'),
			b.shows(ring, 'failed')]);
		for (const call of [out, ring])
			equal(call.reason.name, 'connectivity-error', 'reason');
	});
