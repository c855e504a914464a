// bodies.mjs: realistic session-initiate and session-accept contents
//
// Made from recorded calls in tests/e2e/data/: "webrtc" is Chromium's,
// shortened, "browser" the same at full length (12 kB), "dino" Dino's: one
// transport per content, two components, SDES besides DTLS, no bundle.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { escape, parse } from './client.mjs';
import { NS } from './ns.mjs';

const texts = new Map();

function load(name) {
	if (!texts.has(name))
		texts.set(name, readFileSync(
			new URL(`../data/${name}.xml`, import.meta.url), 'utf8')
			.replace(/>\s+</g, '><').trim());
	return parse(texts.get(name));
}

function hex(n) {
	return [...randomBytes(n)].map((b) =>
		b.toString(16).padStart(2, '0').toUpperCase()).join(':');
}

export function credentials() {
	return {
		ufrag: randomBytes(3).toString('base64url'),
		pwd: randomBytes(18).toString('base64url').slice(0, 24),
		fingerprint: hex(32),
	};
}

// The contents of `media` out of data/<style>.<kind>.xml as XML text. names:
// { audio: '0' } gives them other names; senders: { video: 'initiator' };
// setup; own: credentials(); drop: (content) => void edits the tree;
// fingerprint: false leaves it out.
export function contents(style, kind, media, {
	own = credentials(), names = {}, senders = {}, setup, creator,
	fingerprint = true, edit,
} = {}) {
	const tree = load(`${style}.${kind}`);
	const list = tree.getChildren('content').filter((content) =>
		media.includes(content.getChild('description').attrs.media));
	for (const content of list) {
		const kindOf = content.getChild('description').attrs.media;
		if (names[kindOf])
			content.attrs.name = names[kindOf];
		if (senders[kindOf])
			content.attrs.senders = senders[kindOf];
		if (creator)
			content.attrs.creator = creator;
		const transport = content.getChild('transport');
		transport.attrs.ufrag = own.ufrag;
		transport.attrs.pwd = own.pwd;
		const print = transport.getChild('fingerprint');
		if (!fingerprint)
			transport.remove(print);
		else if (setup)
			print.attrs.setup = setup;
		if (fingerprint)
			print.children = [own.fingerprint];
		edit?.(content);
	}
	const group = style !== 'dino' && list.length
		? `<group xmlns='${NS.grouping}' semantics='BUNDLE'>` +
			list.map((c) => `<content name='${c.attrs.name}'/>`).join('') +
			'</group>'
		: '';
	return list.map(String).join('') + group;
}

export function candidate({ ip = '192.0.2.2', port = 36305, component = 1,
	protocol = 'udp', extra = '' } = {}) {
	return `<candidate component='${component}' foundation='3785225920' ` +
		`ip='${ip}' port='${port}' priority='2122194687' ` +
		`protocol='${protocol}' type='host'${extra}/>`;
}

// A transport-info's content; inner: candidates or what else.
export function trickle(name, { ufrag, pwd, creator = 'initiator', inner,
	fingerprint }) {
	const print = fingerprint ? `<fingerprint xmlns='${NS.dtls}' ` +
		`hash='sha-256' setup='actpass'>${fingerprint}</fingerprint>` : '';
	return `<content creator='${creator}' name='${name}'><transport ` +
		`xmlns='${NS.ice}'${ufrag ? ` ufrag='${ufrag}'` : ''}` +
		`${pwd ? ` pwd='${pwd}'` : ''}>${print}${inner ?? candidate()}` +
		`</transport></content>`;
}

export function jingleXml(action, sid, inner = '', attributes = '') {
	return `<jingle xmlns='${NS.jingle}' action='${action}' ` +
		`sid='${escape(sid)}'${attributes}>${inner}</jingle>`;
}

export function reasonXml(name, text) {
	return `<reason><${name}/>${text ? `<text>${text}</text>` : ''}</reason>`;
}

// A description that two stanzas of one content must share: what a relay may
// not change, in the order it came, namespaces resolved.
export function canonical(el) {
	const attrs = Object.entries(el.attrs)
		.filter(([name]) => !name.startsWith('xmlns'))
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, value]) => ` ${name}="${value}"`).join('');
	const inner = el.children.map((c) =>
		(typeof c === 'string' ? c : canonical(c))).join('');
	const name = el.name.replace(/^.*:/, '');
	return `{${el.getNS()}}${name}${attrs}(${inner})`;
}

// The contents of a <jingle/> by name.
export function byName(jingle) {
	return new Map(jingle.getChildren('content').map(
		(c) => [c.attrs.name, c]));
}

export function mediaOf(jingle) {
	return jingle.getChildren('content').map(
		(c) => c.getChild('description', NS.rtp)?.attrs.media)
		.filter(Boolean).sort();
}
