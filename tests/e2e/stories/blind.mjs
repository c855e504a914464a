// blind.mjs: mode blind: ICE ends here, per leg, DTLS goes through; with the
// real privatecall-media beside the daemon

import { until } from '../children.mjs';
import { candidate, trickle, jingleXml } from '../clients/bodies.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jingle, jingleOf } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Plain } from '../clients/plain.mjs';
import { endedAfterLoss } from '../media.mjs';
import { assert, equal, story } from '../story.mjs';

const AWAY = 'Calls are not available right now. Try again shortly.';
const VIDEO = ['audio', 'video'];
// Less than a process that may come back is given.
const ENDED_MS = 1000;

function transports(client) {
	return client.received(jingle())
		.flatMap((el) => jingleOf(el).getChildren('content'))
		.flatMap((content) => content.getChildren('transport', NS.ice));
}

// Whatever a user got: of addresses, ours alone (X5, A05).
function sawOnlyUs(t, client) {
	const [ip, port] = t.media.address.split(':');
	const got = client.log.filter(({ dir }) => dir === 'in');
	assert(!got.some(({ el }) => el.toString().includes('192.0.2.')),
		`${client.label} got an address of the other`);
	const list = transports(client).flatMap((transport) =>
		transport.getChildren('candidate'));
	assert(list.length, `${client.label} got no candidate`);
	for (const { attrs } of list)
		equal([attrs.ip, attrs.port, attrs.component], [ip, port, '1'],
			`a candidate that ${client.label} got`);
}

for (const [A, B] of [[Conversations, Dino], [Dino, Conversations],
	[Movim, Monal], [Plain, Plain], [Plain, Dino]])
	story(`blind X5 A05 ${A.name} calls ${B.name}: each is told of our ` +
		'address alone', { media: true }, async (t) => {
		const [a, b] = await t.pair(A, B);
		const [out, ring] = await t.connect(a, b, { media: VIDEO });
		await a.iq('set', out.peer, jingleXml('transport-info', out.sid,
			trickle(out.names?.[0] ?? 'audio', { ...out.own,
				fingerprint: undefined, inner: candidate() })),
		{ mayFail: true });
		await t.settle();
		sawOnlyUs(t, a);
		sawOnlyUs(t, b);
		await a.hangUp(out);
		await b.shows(ring, 'ended');
		t.noFaults();
		const { data } = await t.ctl('check');
		assert(data.media.up, 'check does not see privatecall-media');
	});

story('blind F26 called anew while a plain device rings: the second call ' +
	'rings there, too, and stands', { media: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Plain);
	const other = await t.another(Conversations, 'alice',
		{ resource: 'two' });
	const first = await a.call(t.contact(b.user));
	const missed = await b.rings();
	const out = await other.call(t.contact(b.user));
	await b.shows(missed, 'missed', 'ended');
	const ring = await b.rings();
	await b.answer(ring);
	await other.shows(out, 'active');
	equal(first.state === 'active', false, 'the first call stands');
	sawOnlyUs(t, b);
	await b.hangUp(ring);
	await other.shows(out, 'ended');
});

story('blind X10 privatecall-media dies under a call: both are told, and ' +
	'call again', { media: true }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	await t.media.kill();
	await Promise.all([a.shows(out, 'failed'),
			b.shows(ring, 'failed')]);
	for (const call of [out, ring])
		equal(call.reason.name, 'connectivity-error', 'reason');
	for (const client of [a, b])
		await client.waitFor(t.notice(
			/The call was interrupted\.[^]*You can rejoin until/));
	endedAfterLoss(t.daemon.readLog(), ENDED_MS);
	const refused = await b.call(t.contact(a.user));
	await b.shows(refused, 'declined');
	equal(refused.reason, { name: 'gone', text: AWAY }, 'reason');
	await t.media.start();
	await until(async () => (await t.ctl('status')).data.media.up);
	const [again, rings] = await t.connect(b, a);
	await b.hangUp(again);
	await a.shows(rings, 'ended');
});

for (const signal of ['SIGKILL', 'SIGTERM'])
	story(`blind X10 ${signal} of control and a new start: the call is ` +
		'known to both, and goes on', { media: true }, async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		const [out, ring] = await t.connect(a, b);
		const { mode } = (await t.ctl('calls')).data.calls[0];
		await t.crash(signal);
		await t.revive();
		await until(async () => (await t.ctl('status')).data.media.up);
		await t.settle();
		const [call] = (await t.ctl('calls')).data.calls;
		equal([call.state, call.mode], ['up', mode], 'the call');
		await b.hangUp(ring);
		await a.shows(out, 'ended');
		equal(out.reason.name, 'success', 'reason');
		await until(() => /call closed/.test(t.media.readLog()));
	});

story('blind no media in 20 s: both are told at which step', { media: true },
	async (t) => {
		const [a, b] = await t.pair(Dino, Conversations);
		const [out, ring] = await t.connect(a, b);
		await t.clock('+20s');
		await Promise.all([a.shows(out, 'failed'),
			b.shows(ring, 'failed')]);
		equal([out.reason.name, ring.reason.name], ['connectivity-error',
			'connectivity-error'], 'reasons');
		for (const client of [a, b])
			await client.waitFor(t.notice(/no ICE checks from either/));
	});
