// party.mjs: one side of a pairing: a scripted client as its traits say, with a
// UDP port that its candidates name, and what it sent and got

import { byName, canonical } from './clients/bodies.mjs';
import { parse } from './clients/client.mjs';
import { jingle, jingleOf, jmi, jmiOf } from './clients/match.mjs';
import { NS } from './clients/ns.mjs';
import { Ear } from './ear.mjs';
import { assert, equal } from './story.mjs';

const PRINT = new RegExp('<fingerprint [^>]*setup=["\']([a-z]+)["\']' +
	'[^>]*>[^<]*</fingerprint>', 'g');
const SEALED = `<fingerprint xmlns="${NS.omemo}" hash="sha-256" setup="$1">` +
	'<encrypted xmlns="eu.siacs.conversations.axolotl"><header sid="7">' +
	'<key rid="8">a+b/c==</key></header></encrypted></fingerprint>';
const OFFERS = new Set(['session-initiate', 'session-accept', 'content-add',
	'content-accept']);
// What holds numbers of other packets: not offered in mode room.
const FOLDED = ['red', 'ulpfec', 'flexfec-03'];

export class Party {
	// traits: of stories/pairs.mjs
	static async of(t, client, traits) {
		const party = new Party();
		Object.assign(party, { t, client, traits, sealed: false,
			mode: t.definition.media, ear: await Ear.open(),
			label: client.constructor.name });
		const { send } = client.constructor.prototype;
		client.send = (xml) => send.call(client, party.words(String(xml)));
		party.begin();
		return party;
	}

	// A call begins; what was before is not looked at.
	begin() {
		this.from = this.client.mark();
		this.sealed = false;
	}

	get bundles() {
		return this.client.style !== 'dino';
	}

	// Its candidates are those of its port; each of Dino's contents has
	// credentials of its own; fingerprints are encrypted once it does so.
	words(xml) {
		const text = xml.replace(/<candidate [^>]*>/g, (c) => c
			.replace(/ ip=["'][^"']*["']/, ' ip="127.0.0.1"')
			.replace(/ port=["'][^"']*["']/, ` port="${this.ear.port}"`));
		let nth = 0;
		const own = this.bundles || !/action=.session-/.test(text) ? text
			: text.replace(/(ufrag|pwd)="([^"]*)"/g, (all, name, value) =>
				(nth++ < 2 ? all : `${name}="${value}V"`));
		return this.sealed ? own.replace(PRINT, SEALED) : own;
	}

	// He encrypts his fingerprint for a device that was named to him.
	proceeds() {
		const list = this.client.received(jmi('proceed'), this.from);
		this.sealed = Boolean(this.traits.omemo &&
			list.some((el) => jmiOf(el).getChild('device', NS.omemo)));
	}

	// The answer is encrypted if the offer was.
	answers() {
		this.sealed = this.got('session-initiate').toString()
			.includes(NS.omemo);
	}

	sent(action) {
		const { text } = this.client.log.slice(this.from).findLast(
			(entry) => entry.dir === 'out' &&
				entry.text.includes(`action='${action}'`));
		return jingleOf(parse(text));
	}

	all(action) {
		return this.client.received(jingle(action), this.from)
			.map(jingleOf);
	}

	got(action) {
		const list = this.all(action);
		assert(list.length, `${this.label} got no ${action}`);
		return list.at(-1);
	}

	// The credentials of ours that he got in the last of these.
	ufrags(action) {
		return new Set([...byName(this.got(action)).values()].map((c) =>
			c.getChild('transport', NS.ice).attrs.ufrag));
	}

	// What `from` said last of this kind is here: descriptions and senders
	// as he gave them, transports of ours.
	gotFrom(from, action) {
		const [sent, here] = [unclashed(from.sent(action)),
			this.got(action)].map(byName);
		equal([...here.keys()], [...sent.keys()], `contents of ${action}`);
		for (const [name, content] of here) {
			const his = sent.get(name);
			equal(content.attrs.senders, his.attrs.senders,
				`senders of ${name}`);
			equal(said(content), said(his, this.mode === 'room'),
				`${name} in ${action}, as ${this.label} got it`);
			this.ofUs(content, his, action);
		}
		equal(groups(this.got(action)), groups(from.sent(action)),
			`the group in ${action}`);
	}

	ofUs(content, his, action) {
		const list = content.getChildren('transport');
		if (!his.getChild('transport'))
			return equal(list.length, 0, `transports in ${action}`);
		const [transport] = list;
		equal([list.length, Object.keys(transport.attrs).sort()],
			[1, ['pwd', 'ufrag', 'xmlns']], `transport in ${action}`);
		const places = transport.getChildren('candidate').map(({ attrs }) =>
			`${attrs.component} ${attrs.ip}:${attrs.port}`);
		equal(places, OFFERS.has(action) ? [`1 ${this.t.media.address}`]
			: [], `candidates in ${action}`);
		const [print, theirs] = [transport, his.getChild('transport')]
			.map((el) => el.getChildren('fingerprint'));
		if (this.mode === 'room')
			return this.ourPrint(print);
		return equal(print.map(canonical), theirs.map(canonical),
			`the fingerprint in ${action}`);
	}

	// One for all: it is of the process.
	ourPrint([print]) {
		this.t.ours ??= print.text();
		equal([print.attrs.hash, print.text()], ['sha-256', this.t.ours],
			`the fingerprint that ${this.label} got`);
	}

	// X5: nothing that he got since the call began is of the other's place,
	// or in room of the other's keys.
	sawNothingOf(other, call) {
		const text = this.client.received(() => true, this.from)
			.map(String).join('\n');
		const secrets = ['192.0.2.', `port="${other.ear.port}"`,
			call.own.ufrag, call.own.pwd];
		if (this.mode === 'room')
			secrets.push(call.own.fingerprint, '<encryption', NS.omemo,
				...FOLDED.map((name) => `name="${name}"`));
		// Four letters of chance may be part of a word.
		const words = new Set(text.match(/[A-Za-z0-9+/]+/g));
		for (const secret of secrets)
			assert(!(secret === call.own.ufrag ? words.has(secret) :
				text.includes(secret)),
			`${this.label} got ${secret} of ${other.label}`);
	}

	hears(call, suffix = '') {
		return this.ear.hears(call.own.ufrag + suffix,
			this.t.media.address.split(':')[1]);
	}

	close() {
		this.ear.close();
	}
}

// The description, in room without what is then left out.
function said(content, isLess) {
	const description = content.getChild('description');
	if (!description)
		return '';
	if (!isLess)
		return canonical(description);
	const payloads = description.getChildren('payload-type');
	const out = payloads.filter((p) => FOLDED.includes(p.attrs.name));
	const ids = out.map((p) => p.attrs.id);
	const rtx = payloads.filter((p) => p.getChildren('parameter').some(
		({ attrs }) => attrs.name === 'apt' && ids.includes(attrs.value)));
	for (const el of [...out, ...rtx,
		...description.getChildren('encryption')])
		description.remove(el);
	return canonical(description);
}

// One number of two header extensions in a BUNDLE group (aiortc): the later is
// not offered.
function unclashed(j) {
	const meanings = new Map();
	if (j.attrs.action !== 'session-initiate' || !groups(j).length)
		return j;
	for (const content of j.getChildren('content')) {
		const description = content.getChild('description');
		for (const el of description.getChildren('rtp-hdrext')) {
			const { id, uri } = el.attrs;
			if ((meanings.get(id) ?? uri) === uri)
				meanings.set(id, uri);
			else
				description.remove(el);
		}
	}
	return j;
}

function groups(j) {
	return j.getChildren('group', NS.grouping).map(canonical);
}
