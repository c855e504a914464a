// pairs.mjs: each client calls each, by blind and by room: what passes, what
// the other refuses; doc/pairs.md is compared with it
//
// One story for each caller, who calls each other one twice:
// with video, and with audio to which video is added. Real media are for
// browsers (browsers.mjs) and tests/unit; but each client has a UDP port where
// it sees that we check it by the credentials that it gave, and from where it
// connects, moves to another port as behind a NAT, and sends.

import { until } from '../children.mjs';
import { Aiortc } from '../clients/aiortc.mjs';
import { byName, contents, credentials, jingleXml, trickle } from
	'../clients/bodies.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jingle } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { NS } from '../clients/ns.mjs';
import { Plain } from '../clients/plain.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { Stanza } from '../clients/stanza.mjs';
import { compare } from '../pairs.mjs';
import { Party } from '../party.mjs';
import { assert, equal, story } from '../story.mjs';

// What the person's client does by itself:
//   restarts   ICE anew, as caller or callee
//   mutes      and says so
//   modifies   the senders of video mid call
//   adds       video to a call without
//   takes      video that is added; null: says itself that it does not; a
//              list: as what it does
//   omemo      encrypts its fingerprint for a device
const CLIENTS = [
	[Stanza, { restarts: ['caller'], mutes: true, takes: null }],
	[Conversations, { restarts: ['caller', 'callee'], modifies: true,
		adds: true, takes: true, omemo: true }],
	[Dino, { mutes: true, modifies: true, adds: true, takes: true,
		omemo: true }],
	[Monal, { omemo: true }],
	[Movim, { mutes: true, modifies: true }],
	// CallManager, received(action:): content-add is applied as an offer, and
	// accepted, by who was called; to who called it would be an answer.
	[Siskin, { takes: ['callee'] }],
	[Plain, { restarts: ['caller', 'callee'], mutes: true, modifies: true,
		adds: true, takes: true }],
	[Aiortc, {}],
];
const NAMES = CLIENTS.map(([{ name }]) => name);

function nameOf(party, media, action) {
	const found = [...byName(party.sent(action)).values()].find((content) =>
		content.getChild('description').attrs.media === media);
	return found.attrs.name;
}

// --- a call -----------------------------------------------------------------
// Not before the caller has said all that he says before the answer does the
// callee accept. Until then nothing of him is at the caller's.
function holdAnswer(a, b) {
	const [one, other] = [a.client, b.client];
	let offered;
	const all = new Promise((resolve) => (offered = resolve));
	one.initiate = async (call) => {
		a.proceeds();
		await one.constructor.prototype.initiate.call(one, call);
		offered();
	};
	other.accept = async (call) => {
		await all;
		await one.fence();
		assert(!a.all().some((j) => j.toString().includes('<transport')),
			`${a.label} got a transport before the answer`);
		equal(a.ear.heard.size, 0, 'checks before the answer');
		b.answers();
		return other.constructor.prototype.accept.call(other, call);
	};
}

async function connect(t, a, b, media, answer) {
	for (const party of [a, b])
		party.begin();
	a.ear.begin();
	holdAnswer(a, b);
	const out = await a.client.call(t.contact(b.client.user), media);
	const ring = await b.client.rings();
	await b.client.answer(ring, answer);
	await Promise.all([a.client.shows(out, 'active'),
		b.client.shows(ring, 'active')]);
	b.gotFrom(a, 'session-initiate');
	a.gotFrom(b, 'session-accept');
	equal(Boolean(a.sealed), Boolean(t.native && a.mode === 'blind' &&
		a.traits.omemo && [Conversations, Dino].includes(
		b.client.constructor)), 'the fingerprint is encrypted');
	return [out, ring];
}

async function hangUp(t, a, b, out, ring) {
	b.sawNothingOf(a, out);
	a.sawNothingOf(b, ring);
	await a.client.hangUp(out);
	await b.client.shows(ring, 'ended');
	equal([out, ring].map((call) => call.reason?.name ?? 'success'),
		['success', 'success'], 'reasons');
	t.noFaults();
}

// One transport each, until the answer puts them together.
async function haveTransports(a, b, out, ring) {
	const together = a.bundles && b.bundles;
	equal([b.ufrags('session-initiate').size, a.ufrags('session-accept')
		.size], [2, together ? 1 : 2], 'transports');
	for (const [party, call] of [[a, out], [b, ring]]) {
		await party.hears(call);
		if (!party.bundles)
			await party.hears(call, 'V');
	}
	return together ? 'one transport' : 'two transports';
}

// --- mid call ---------------------------------------------------------------
function refusal(el) {
	return el.attrs.type === 'error' && errorOf(el);
}

async function modify(side, seen) {
	const { party, other, call, its, said, senders } = side;
	const video = nameOf(party, 'video', said);
	const el = party.label === 'Movim'
		? await party.client.modify(call, { video: senders }, { video,
			audio: nameOf(party, 'audio', said) })
		: await party.client.iq('set', call.peer, jingleXml(
			'content-modify', call.sid, '<content creator=\'initiator' +
				`' name='${video}' senders='${senders}'/>`),
		{ mayFail: true });
	other.gotFrom(party, 'content-modify');
	const no = refusal(el);
	if (no)
		seen.push(`${other.label} refuses other senders (${no})`);
	else
		equal(byName(its.modified).get(video).attrs.senders, senders,
			'senders');
}

async function mute({ party, call, its, said }) {
	const name = nameOf(party, 'audio', said);
	await party.client.mute(call, name);
	await party.client.mute(call, name, false);
	equal(its.infos.filter((i) => i.includes(name)).slice(-2),
		[`mute ${name}`, `unmute ${name}`], 'what the other was told');
}

// It is between him and us: he gets new credentials of ours and is checked by
// those of his, the other is told of nothing.
async function restart({ party, other, call, said }) {
	const { client } = party;
	const before = party.all('transport-info').length;
	const from = other.client.mark();
	const { ufrag, pwd } = credentials();
	const name = nameOf(party, 'audio', said);
	const act = (inner) => client.iq('set', call.peer, jingleXml(
		'transport-info', call.sid, trickle(name, { ufrag, pwd, inner })));
	await act('');
	await client.waitUntil(() => party.all('transport-info').length > before,
		'new credentials of ours');
	const fresh = party.got('transport-info').getChild('content');
	assert(!party.ufrags(said === 'session-accept' ? 'session-initiate'
		: 'session-accept').has(fresh.getChild('transport').attrs.ufrag),
	'our credentials are the old ones');
	await act();
	await party.ear.hears(ufrag, party.t.media.address.split(':')[1]);
	await other.client.expectNothing(jingle(), undefined, { from });
}

// --- the way of media -------------------------------------------------------
let sequence = 0;

function rtp() {
	const packet = Buffer.alloc(172, 0x5a);
	packet.writeUInt32BE((0x806f0000 | sequence++) >>> 0, 0);
	return packet;
}

// Packets pass each way; in room there are no keys for them.
async function passes(a, b) {
	for (const [from, to] of [[a, b], [b, a]].filter(
		() => a.mode === 'blind')) {
		const sent = [];
		await until(() => {
			const packet = rtp();
			sent.push(packet.toString('hex'));
			from.ear.sends(packet);
			return to.ear.got.some((hex) => sent.includes(hex));
		}, `a packet of ${from.label}'s does not reach ${to.label}`);
	}
}

// What a NAT does to each in turn: he goes on from another port, where he is
// checked, and packets follow. Nobody is told.
async function changeAddresses(t, sides) {
	for (const { party, call, as, said } of sides) {
		const [, content] = [...byName(party.got(as === 'caller'
			? 'session-accept' : 'session-initiate'))].find(([name]) =>
			name === nameOf(party, 'audio', said));
		party.ear.answers({ own: call.own, controls: as === 'caller',
			theirs: content.getChild('transport', NS.ice).attrs,
			port: t.media.address.split(':')[1] });
	}
	const [a, b] = sides.map(({ party }) => party);
	await Promise.all([a.ear.connects(), b.ear.connects()]);
	await passes(a, b);
	const marks = [a, b].map(({ client }) => client.mark());
	for (const party of [a, b]) {
		await party.ear.moves();
		await party.ear.connects();
		await passes(a, b);
	}
	for (const [i, { client, ear }] of [a, b].entries()) {
		await client.expectNothing(jingle(), undefined, { from: marks[i] });
		ear.silent();
	}
}

// --- video is added ---------------------------------------------------------
function videoOf(party, kind, call, name, options = {}) {
	return contents('webrtc', kind, ['video'], { own: call.own,
		names: { video: name }, ...options })
		.replace(/<group.*<\/group>/, '');
}

async function offerVideo({ party, call, role }) {
	if (party.label === 'Dino')
		return party.client.addVideo(call);
	return party.client.iq('set', call.peer, jingleXml('content-add',
		call.sid, videoOf(party, 'offer', call, 'more', { creator: role,
			senders: { video: role } })));
}

// With the credentials of the rest if both bundle: then it shares them.
async function takeVideo({ party, other, its }) {
	const [[name, { attrs }]] = byName(other.got('content-add'));
	const own = party.bundles ? its.own : { ...credentials(),
		fingerprint: its.own.fingerprint };
	if (other.label !== 'Dino')
		await other.client.iq('set', its.peer, jingleXml(
			'content-accept', its.sid, videoOf(other, 'answer',
				{ own }, name, { senders: { video: attrs.senders },
					creator: attrs.creator })));
}

async function refuseVideo({ other, its }) {
	const [[name, { attrs }]] = byName(other.got('content-add'));
	if (other.traits.takes !== null)
		await other.client.iq('set', its.peer, jingleXml(
			'content-reject', its.sid, `<content name='${name}' ` +
				`creator='${attrs.creator}'/>`), { mayFail: true });
}

async function add(side, seen) {
	const { party, other, call, its, said } = side;
	await offerVideo(side);
	await other.client.waitUntil(() => its.added, 'the content-add');
	other.gotFrom(party, 'content-add');
	const { takes } = other.traits;
	if (!(Array.isArray(takes) ? takes.includes(its.out ? 'caller' : 'callee')
		: takes)) {
		await refuseVideo(side);
		await party.client.waitFor(jingle('content-reject',
			{ sid: call.sid }));
		const [name] = byName(party.sent('content-add')).keys();
		equal([...byName(party.got('content-reject')).keys()], [name],
			'what is rejected');
		seen.push(`${other.label} refuses video that is added`);
		return;
	}
	await takeVideo(side);
	await party.client.waitFor(jingle('content-accept',
		{ sid: call.sid }));
	party.gotFrom(other, 'content-accept');
	const first = party.ufrags(said === 'session-accept'
		? 'session-initiate' : 'session-accept');
	const [here] = party.ufrags('content-accept');
	equal(first.has(here), party.bundles && other.bundles,
		'the video shares the transport of the audio');
}

// --- the table --------------------------------------------------------------
function sidesOf(a, b, out, ring) {
	return [
		{ party: a, other: b, call: out, its: ring, role: 'initiator',
			as: 'caller', said: 'session-initiate',
			senders: 'responder' },
		{ party: b, other: a, call: ring, its: out, role: 'responder',
			as: 'callee', said: 'session-accept', senders: 'both' },
	];
}

// At the users' own addresses these see what the other's client has.
function hasButton(t, A, B) {
	return !t.native || B !== Plain || ![Monal, Movim].includes(A);
}

async function pair(t, a, B, traits) {
	const A = a.client.constructor;
	const bob = await t.login(B, `bob${B.name.toLowerCase()}`);
	await t.contacts(a.client, bob);
	const b = await Party.of(t, bob, traits);
	const seen = [];
	const can = hasButton(t, A, B);
	equal(await a.client.hasButton(t.contact(bob.user)), can,
		`a call button for ${B.name}`);
	if (can) {
		await withVideo(t, a, b, seen);
		await addingVideo(t, a, b, seen);
		compare(NAMES, [A.name, B.name], a.mode,
			`works: ${[...new Set(seen)].join('; ')}`);
	}
	await bob.close();
	b.close();
}

async function withVideo(t, a, b, seen) {
	const [out, ring] = await connect(t, a, b, ['audio', 'video'],
		{ senders: { video: 'initiator' } });
	seen.push(await haveTransports(a, b, out, ring));
	await changeAddresses(t, sidesOf(a, b, out, ring));
	for (const side of sidesOf(a, b, out, ring)) {
		const { party: { traits }, as } = side;
		if (traits.modifies)
			await modify(side, seen);
		if (traits.mutes)
			await mute(side);
		if (traits.restarts?.includes(as))
			await restart(side);
	}
	await hangUp(t, a, b, out, ring);
}

async function addingVideo(t, a, b, seen) {
	const [out, ring] = await connect(t, a, b, ['audio']);
	const side = sidesOf(a, b, out, ring).find(
		({ party }) => party.traits.adds);
	if (side)
		await add(side, seen);
	await Promise.all([a.client.fence(), b.client.fence()]);
	equal([out.state, ring.state], ['active', 'active'], 'states');
	await hangUp(t, a, b, out, ring);
}

// All at our addresses on Prosody. At the users' own more passes where
// fingerprints are encrypted; of the server it does not depend.
function where(media, A, { omemo }) {
	return {
		...(media !== 'blind' || !omemo) && { transparent:
			'only OMEMO\'s fingerprints differ there, in blind' },
		...![Stanza, Conversations, Dino].includes(A) && { ejabberd:
			'the callers that differ most are enough' },
	};
}

for (const media of ['blind', 'room'])
	for (const [A, traits] of CLIENTS)
		story(`${media} X5 A05 pairs: ${A.name} calls each client`,
			{ media, slow: A !== Conversations, lasts: 120,
				not: where(media, A, traits) }, async (t) => {
				const a = await Party.of(t,
					await t.login(A, 'alice'), traits);
				for (const [B, others] of CLIENTS)
					await pair(t, a, B, others);
				a.close();
			});
