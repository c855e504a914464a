// tools.mjs: what the attack stories share: users without the server's limits,
// numbers of a process, a random generator with a seed, comparing of bytes

import { random as fraction } from '../e2e/random.mjs';
import { readdirSync, readFileSync } from 'node:fs';
import { contents, jingleXml, reasonXml, trickle }
	from '../e2e/clients/bodies.mjs';
import { Client } from '../e2e/clients/client.mjs';
import { jingleOf, jmiOf, ofCall } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { assert } from '../e2e/story.mjs';

export const AUDIO = `<description xmlns='${NS.rtp}' media='audio'/>`;
export const ACTIONS = ['session-accept', 'session-terminate', 'session-info',
	'content-accept', 'content-add', 'content-modify', 'content-reject',
	'content-remove', 'description-info', 'security-info',
	'transport-accept', 'transport-info', 'transport-reject',
	'transport-replace'];
export const VERBS = ['proceed', 'accept', 'retract', 'reject', 'ringing',
	'finish'];

// --- users ---------------------------------------------------------------
// Users who are exempt from the server's limit of bytes a second: hostile and
// accomplice. This one floods, unknown to the service: settle() does not wait
// for him.
export async function unlimited(t) {
	const h = await t.device(Client, 'hostile', { resource: 'evil' })
		.connect();
	h.apart = true;
	return h;
}

// Two without limits who are each other's contacts.
export async function unlimitedPair(t, KindA, KindB) {
	const both = await Promise.all([
		t.login(KindA, 'hostile', { resource: 'evil' }),
		t.login(KindB, 'accomplice', { resource: 'phone' }),
	]);
	await t.contacts(...both);
	return both;
}

// One who is online and unknown to the service.
export async function spy(t, name) {
	const m = await t.device(Client, name).connect();
	await m.goOnline();
	return m;
}

// --- what a victim got ---------------------------------------------------
export const words = (text) => (el) => el.name === 'message' &&
	el.toString().includes(text);

// The call stanzas since `from`, each in a word or two. ejabberd's errors hold
// a copy of what one said oneself.
export function heard(client, from = 0) {
	return client.received((el) => ofCall(el) && el.attrs.type !== 'error',
		from).map((el) => jmiOf(el)?.name ??
		jingleOf(el)?.attrs.action ?? 'a carbon');
}

// What an action needs to be understood, each made once: it is sent often.
const CONTENTS = (() => {
	const more = contents('webrtc', 'offer', ['video'],
		{ names: { video: 'more' } });
	const one = '<content creator=\'initiator\' name=\'0\'/>';
	const evil = trickle('0', { ufrag: 'evil',
		pwd: 'evilevilevilevilevilevil' });
	return {
		'session-accept': contents('webrtc', 'answer', ['audio']),
		'session-initiate': contents('webrtc', 'offer', ['audio']),
		'session-terminate': reasonXml('success'),
		'content-add': more,
		'content-accept': more,
		'content-modify': one.replace('/>', ' senders=\'none\'/>'),
		'content-reject': one,
		'content-remove': one,
		'description-info': contents('webrtc', 'offer', ['audio']),
		'session-info': `<mute xmlns='${NS.info}'/>`,
		'transport-info': evil,
		'transport-accept': evil,
		'transport-reject': evil,
		'transport-replace': evil,
		'security-info': evil,
	};
})();

// A <jingle/> of the action.
export function jingleOfAction(action, sid) {
	return jingleXml(action, sid, CONTENTS[action]);
}

// What a stanza says, without the ids and names that are allowed to differ.
export function bytes(el, ...names) {
	let text = el.toString().replace(/ (id|sid)="[^"]*"/g, '')
		.replace(/<stanza-id[^>]*\/>/g, '');
	for (const name of names)
		text = text.split(name).join('NAME')
			.split(name[0].toUpperCase() + name.slice(1))
			.join('NAME');
	return text;
}

// --- lists ---------------------------------------------------------------
export function* permutations(list) {
	if (list.length < 2)
		yield list;
	else
		for (const [i, first] of list.entries())
			for (const rest of permutations(list.filter((_, k) => k !== i)))
				yield [first, ...rest];
}

// Numbers below n, the same ones for the same seed.
export function random(seed) {
	const part = fraction(seed);
	return (n) => Math.floor(part() * n);
}

// The seed of a story, in its dialogue: ATTACK_SEED gives another.
export function seedOf(t) {
	const seed = Number(process.env.ATTACK_SEED ?? 20190117);
	t.dialogue.add('seed', '--', String(seed));
	return seed;
}

export function median(list) {
	return [...list].sort((a, b) => a - b)[list.length >> 1];
}

// --- the daemon as the system sees it ------------------------------------
export function cpuOf(pid) {
	let ns = 0;
	for (const task of readdirSync(`/proc/${pid}/task`))
		ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`,
			'utf8').split(' ')[0]);
	return ns / 1e6;
}

// field: VmRSS, or VmHWM, the most it has ever been.
export function rssOf(pid, field = 'VmRSS') {
	return Number(readFileSync(`/proc/${pid}/status`, 'utf8')
		.match(new RegExp(`${field}:\\s*(\\d+)`))[1]) * 1024;
}

// The daemon is alive, has not restarted and answers.
export async function stands(t, pid) {
	await t.settle();
	assert(t.daemon.pid === pid, 'the daemon is another');
	await t.ctl('status');
}
