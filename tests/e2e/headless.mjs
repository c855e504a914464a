// headless.mjs: alice calls bob three times, each in a browser without window
//
// In mode `room` with `returns` both also lose their page in a call, one after
// the other, and come back to it.
//
// Through the component (gateway mode), or natively for comparison: then
// nobody but the two pages takes part, and the second call is cancelled.

import { until } from './children.mjs';
import { expect, steps } from './steps.mjs';

const MEDIA_MS = 30000;
const FRAMES = 10;
// A beep of the made-up microphone has 100 times this, silence almost none.
const ENERGY = 1e-4;
const FEATURES = [
	'urn:xmpp:jingle:1', 'urn:xmpp:jingle-message:0',
	'urn:xmpp:jingle:apps:rtp:1', 'urn:xmpp:jingle:apps:rtp:audio',
	'urn:xmpp:jingle:apps:rtp:video', 'urn:xmpp:jingle:apps:dtls:0',
	'urn:xmpp:jingle:transports:ice-udp:1',
];
// After the first call, of which they are told how it was encrypted.
const HEADLINES = {
	alice: [/did not answer/i, /declined/i],
	bob: [/missed/i, /./],
};

export async function online(phone) {
	await phone.wait('online');
}

// Asks for the contact's presence and lets it see ours, as a user does who
// adds it; then it looks like somebody who can be called.
export async function befriend(phone, contact, domain) {
	await phone.addContact(domain);
	await phone.addContact(contact);
	await phone.wait('approved', { from: contact });
	await phone.wait('presence', { from: `${contact}/call`,
		type: 'available', caps: true });
	const features = await phone.features(`${contact}/call`);
	for (const feature of FEATURES)
		expect(features.includes(feature),
			`${contact}/call does not list ${feature}`);
}

function flows({ audio, video }) {
	return audio.in?.totalAudioEnergy >= ENERGY &&
		video.in?.framesDecoded >= FRAMES;
}

export async function mediaFlows(phone, sid) {
	let stats;
	await until(async () => flows(stats = await phone.stats(sid)),
		() => `no audio and video: ${JSON.stringify(stats)}`, MEDIA_MS);
	return stats;
}

function statsLine(name, { audio, video, transport }) {
	return `      ${name} received ${video.in.framesDecoded} frames of ` +
		`${video.in.frameWidth}x${video.in.frameHeight}, ` +
		`${audio.in.packetsReceived} audio packets, energy ` +
		`${audio.in.totalAudioEnergy.toExponential(2)}; ` +
		`${transport?.srtpCipher}, ${transport?.local} to ` +
		`${transport?.remote}`;
}

// alice dials; the result is the id on each side, which may differ.
export async function ring({ alice, bob, dials, shownAs }) {
	const from = (await bob.log()).length;
	const sid = await alice.call(dials);
	const propose = await bob.wait('propose', {}, { from });
	expect(propose.from === shownAs ||
		propose.from.startsWith(`${shownAs}/`),
	`bob is called by ${propose.from}, not by ${shownAs}`);
	expect(propose.media === 'audio,video',
		`bob is asked for ${propose.media}`);
	await alice.wait('ringing', { sid });
	return { a: sid, b: propose.sid };
}

async function answeredCall(o, step, say) {
	const { alice, bob, relay } = o;
	const sid = await step('alice calls, bob\'s page rings', () => ring(o));
	await step('bob answers, media are connected', async () => {
		await bob.answer(sid.b);
		for (const [phone, id] of [[alice, sid.a], [bob, sid.b]])
			await phone.wait('connection',
				{ sid: id, state: 'connected' });
	});
	await step('audio and video arrive on both sides', async () => {
		const stats = await Promise.all([mediaFlows(alice, sid.a),
			mediaFlows(bob, sid.b)]);
		say(statsLine('alice', stats[0]));
		say(statsLine('bob', stats[1]));
		for (const { transport } of relay ? stats : [])
			expect(transport.remote.endsWith(` ${relay}`),
				`media come from ${transport.remote}, not from ` +
				`our relay ${relay}`);
	});
	await step('alice hangs up, bob\'s page is told', async () => {
		await alice.hangup(sid.a);
		const end = await bob.wait('terminated', { sid: sid.b });
		expect(end.reason === 'success', `reason is ${end.reason}`);
		await bob.wait('finish', { sid: sid.b });
		await alice.wait('finish', { sid: sid.a });
	});
}

async function unansweredCall(o, step) {
	const { alice, bob, daemon } = o;
	const sid = await step('alice calls, bob\'s page rings', () => ring(o));
	if (!daemon) {
		await step('alice cancels, bob\'s page stops', async () => {
			await alice.cancel(sid.a);
			await bob.wait('retract', { sid: sid.b });
		});
		return;
	}
	await step('31 s later alice is told, bob\'s page stops', async () => {
		await daemon.clock('+31s');
		const end = await alice.wait('reject', { sid: sid.a });
		expect(end.reason === 'timeout', `reason is ${end.reason}`);
		expect(/did not answer/i.test(end.text ?? ''),
			`alice reads "${end.text}"`);
		await bob.wait('retract', { sid: sid.b });
	});
}

async function declinedCall(o, step) {
	const { alice, bob, daemon } = o;
	const sid = await step('alice calls, bob\'s page rings', () => ring(o));
	await step('bob declines, alice is told', async () => {
		await bob.decline(sid.b);
		const end = await alice.wait('reject', { sid: sid.a });
		expect(end.reason === 'decline', `reason is ${end.reason}`);
		expect(!daemon || /declined/i.test(end.text ?? ''),
			`alice reads "${end.text}"`);
	});
}

// More than there was: the counters of a page that stayed go on.
export async function mediaGoOn(phone, sid, before) {
	let stats;
	await until(async () => {
		stats = await phone.stats(sid);
		const { audio, video } = stats;
		return audio.in?.totalAudioEnergy >=
				(before?.audio.in.totalAudioEnergy ?? 0) + ENERGY &&
			video.in?.framesDecoded >=
				(before?.video.in.framesDecoded ?? 0) + FRAMES;
	}, () => `audio and video do not go on: ${JSON.stringify(stats)}, ` +
		`before: ${JSON.stringify(before)}`, MEDIA_MS);
	return stats;
}

// `who` is in a call with `stays`; the result is his new page, and its id.
async function comesBack(o, step, say, { who, stays, sid, dials }) {
	let back, id, before, times;
	await step(`${who.name}'s page is killed`, async () => {
		await who.kill();
		before = await stays.stats(sid);
	});
	await step(`${who.name} logs in and calls, nobody rings`, async () => {
		const from = (await stays.log()).length;
		back = await o.reopen(who.name);
		await online(back);
		id = await back.call(dials);
		const seen = [back.pictureAt(id)];
		const { at } = await back.wait('connection',
			{ sid: id, state: 'connected' });
		const { video } = await stays.stats(sid);
		seen.push(stays.pictureAt(sid, video.in.framesDecoded));
		times = (await Promise.all(seen)).map((then) => then - at);
		const log = (await stays.log()).slice(from);
		expect(!log.some((e) => e.what === 'propose'),
			`${stays.name}'s page rang`);
		expect(!log.some((e) => e.what === 'terminated'),
			`${stays.name}'s call ended`);
		await stays.wait('headline', {}, { from });
	});
	await step('audio and video arrive on both sides again', async () => {
		const stats = await Promise.all([
			mediaGoOn(stays, sid, before), mediaGoOn(back, id)]);
		say(statsLine(stays.name, stats[0]));
		say(statsLine(back.name, stats[1]));
		say(`      the first picture since both are connected again: ${
			back.name} after ${times[0]} ms, ${stays.name} after ${
			times[1]} ms`);
	});
	return { phone: back, sid: id };
}

// Both pages are logged in, and both have added the other.
export async function playReturns(o) {
	const { alice, say } = o;
	const step = steps(say);
	let bob = o.bob;
	say('A call that both lose and come back to:');
	const sid = await step('alice calls, bob\'s page rings', () => ring(o));
	await step('bob answers, audio and video arrive', async () => {
		await bob.answer(sid.b);
		for (const [phone, id] of [[alice, sid.a], [bob, sid.b]])
			await phone.wait('connection',
				{ sid: id, state: 'connected' });
		await Promise.all([mediaFlows(alice, sid.a),
			mediaFlows(bob, sid.b)]);
	});
	const first = await comesBack(o, step, say, { who: bob, stays: alice,
		sid: sid.a, dials: o.dialsBack });
	bob = first.phone;
	const second = await comesBack(o, step, say, { who: alice, stays: bob,
		sid: first.sid, dials: o.dials });
	await step('alice hangs up, bob\'s page is told', async () => {
		await second.phone.hangup(second.sid);
		await bob.wait('terminated', { sid: first.sid });
	});
}

export async function headlines(phone) {
	return (await phone.log()).filter((e) => e.what === 'headline');
}

async function noticesArrive(phone, encrypted) {
	const patterns = [encrypted, ...HEADLINES[phone.name]];
	let got = [];
	await until(async () => {
		got = await headlines(phone);
		return got.length >= patterns.length;
	}, () => `${phone.name} has ${got.length} of ${patterns.length} ` +
		`notices: ${got.map((e) => e.body).join(' | ')}`);
	expect(got.length === patterns.length,
		`${phone.name} has ${got.length} notices, ` +
		`${patterns.length} are expected`);
	patterns.forEach((pattern, i) => expect(
		pattern.test(`${got[i].subject} ${got[i].body}`),
		`notice ${i + 1} of ${phone.name} is "${got[i].body}"`));
}

// What went through our relay is in the call's row of the log.
async function mediaRecorded(daemon) {
	let traffic;
	await until(async () => {
		const { data } = await daemon.ctl('log');
		traffic = data.calls.at(-1).traffic;
		return traffic !== null;
	}, 'the log has no media of the call');
	for (const side of ['caller', 'callee'])
		for (const key of ['in_packets', 'out_packets'])
			expect(traffic[side][key] > 0,
				`${side}: ${JSON.stringify(traffic[side])}`);
}

async function printNotices(phone, say) {
	say(`\nNotices as ${phone.name} received them:`);
	for (const { from, subject, body } of await headlines(phone))
		say(`  from ${from}, "${subject}":\n    ` +
			body.replaceAll('\n', '\n    '));
}

// Plays the three calls with two phones of browser.mjs, which are logged in.
// `daemon` (privatecalld.mjs) is null for calls without it; native: they call
// each other's own addresses; relay: where all media must come from;
// encrypted: what both are told of that. Throws StepError.
export async function playCalls({ alice, bob, host, domain, daemon, native,
	relay, encrypted, returns, reopen, say }) {
	const step = steps(say);
	const calls = {
		alice, bob, daemon, relay,
		dials: native ? `bob@${host}` : `bob@${domain}`,
		dialsBack: native ? `alice@${host}` : `alice@${domain}`,
		shownAs: native ? `alice@${host}` : `alice@${domain}/call`,
	};

	say(`alice calls ${calls.dials}:`);
	await step('both are logged in', () =>
		Promise.all([online(alice), online(bob)]));
	if (!native)
		await step('both have added the other to be called', () =>
			Promise.all([
				befriend(alice, `bob@${domain}`, domain),
				befriend(bob, `alice@${domain}`, domain),
			]));
	say('First call, answered:');
	await answeredCall(calls, step, say);
	say('Second call, not answered:');
	await unansweredCall(calls, step);
	say('Third call, declined:');
	await declinedCall(calls, step);
	if (!daemon)
		return;
	say('Afterwards:');
	await step('both have their notices', () =>
		Promise.all([alice, bob].map((phone) =>
			noticesArrive(phone, encrypted))));
	if (relay)
		await step('the record of the first call has its media', () =>
			mediaRecorded(daemon));
	const log = await daemon.run('log', '--media');
	expect(log.code === 0, `privatecallctl log: ${log.stderr}`);
	say(`\nThe call log (privatecallctl log --media):\n${
		log.stdout.trimEnd()}`);
	await printNotices(alice, say);
	await printNotices(bob, say);
	if (returns)
		await playReturns({ ...calls, reopen, say });
}
