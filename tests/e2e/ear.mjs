// ear.mjs: a UDP port of a scripted client: who checks it by ICE (RFC 8445),
// and as much of an agent as brings one connection about, and moves it
//
// It only listens until answers() gives it credentials. Then it answers checks
// and makes its own; moves() is what a NAT does that forgets: from then on all
// comes from another port, and what is sent to the old one is lost.

import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { until } from './children.mjs';

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const COOKIE = 0x2112a442;
const HEADER = 20;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
const XOR_MAPPED_ADDRESS = 0x0020;
const PRIORITY = 0x0024;
const USE_CANDIDATE = 0x0025;
const FINGERPRINT = 0x8028;
const ICE_CONTROLLED = 0x8029;
const ICE_CONTROLLING = 0x802a;
const FINGERPRINT_XOR = 0x5354554e;
const CHECK_MS = 100;
const LOOPBACK = '127.0.0.1';

const isStun = (packet) => packet.length >= HEADER && packet[0] < 2 &&
	packet.readUInt32BE(4) === COOKIE;

// The value of an attribute (RFC 8489, 14).
function attributeOf(packet, wanted) {
	for (let at = HEADER; at + 4 <= packet.length;) {
		const length = packet.readUInt16BE(at + 2);
		if (packet.readUInt16BE(at) === wanted)
			return packet.subarray(at + 4, at + 4 + length);
		at += 4 + length + (-length & 3);
	}
	return undefined;
}

function attribute(type, value) {
	const out = Buffer.alloc(4 + value.length + (-value.length & 3));
	out.writeUInt16BE(type, 0);
	out.writeUInt16BE(value.length, 2);
	value.copy(out, 4);
	return out;
}

// With the length as if `more` bytes followed.
function message(type, id, attributes, more = 0) {
	const body = Buffer.concat(attributes);
	const head = Buffer.alloc(8);
	head.writeUInt16BE(type, 0);
	head.writeUInt16BE(body.length + more, 2);
	head.writeUInt32BE(COOKIE, 4);
	return Buffer.concat([head, id, body]);
}

function sealed(type, id, attributes, key) {
	const mac = createHmac('sha1', key)
		.update(message(type, id, attributes, 24)).digest();
	const list = [...attributes, attribute(MESSAGE_INTEGRITY, mac)];
	const crc = Buffer.alloc(4);
	crc.writeUInt32BE((crcOf(message(type, id, list, 8)) ^
		FINGERPRINT_XOR) >>> 0);
	return message(type, id, [...list, attribute(FINGERPRINT, crc)]);
}

function number(value, bytes) {
	const out = Buffer.alloc(bytes);
	out.writeUInt32BE(value >>> 0, 0);
	return out;
}

// zlib.crc32() came with Node.js 22.
function crcOf(bytes) {
	let crc = ~0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let i = 0; i < 8; i++)
			crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc >>> 0;
}

export class Ear {
	// Of each check the name it was for, and where it came from.
	heard = new Map();
	// Names of calls that are over.
	past = new Set();
	// What came that is not ICE, as hex.
	got = [];

	static async open() {
		const ear = new Ear();
		ear.socket = await ear.listens();
		ear.port = ear.socket.address().port;
		return ear;
	}

	async listens() {
		const socket = createSocket('udp4', (packet, { port }) => {
			if (socket === this.socket)
				this.hear(packet, port);
		});
		socket.bind(0, LOOPBACK);
		await once(socket, 'listening');
		return socket;
	}

	hear(packet, port) {
		if (!isStun(packet)) {
			this.got.push(packet.toString('hex'));
			return;
		}
		const type = packet.readUInt16BE(0);
		if (type === BINDING_SUCCESS && this.agent)
			this.agent.open = true;
		if (type !== BINDING_REQUEST)
			return;
		const name = attributeOf(packet, USERNAME)?.toString();
		if (this.past.has(name))
			return;
		this.heard.set(name, port);
		// Of the transport that he connects by alone: another one at this
		// port would take what he sends.
		if (this.agent && name ===
		    `${this.agent.own.ufrag}:${this.agent.theirs.ufrag}`)
			this.reply(packet, port);
	}

	reply(packet, port) {
		const where = Buffer.from([0, 1, 0, 0, 127, 0, 0, 1]);
		where.writeUInt16BE(port ^ COOKIE >>> 16, 2);
		where.writeUInt32BE((where.readUInt32BE(4) ^ COOKIE) >>> 0, 4);
		this.agent.checked++;
		this.agent.named ||= attributeOf(packet, USE_CANDIDATE) !== undefined;
		this.socket.send(sealed(BINDING_SUCCESS, packet.subarray(8, HEADER),
			[attribute(XOR_MAPPED_ADDRESS, where)], this.agent.own.pwd),
		port, LOOPBACK);
	}

	// From now on it connects: own and theirs { ufrag, pwd }, their port.
	answers({ own, theirs, port, controls }) {
		this.silent();
		this.agent = { own, theirs, port: Number(port), controls,
			tie: randomBytes(8), checked: 0, open: false, named: false };
		this.timer = setInterval(() => this.check(), CHECK_MS);
		this.check();
	}

	check() {
		const { own, theirs, port, controls, tie } = this.agent;
		const role = controls ? [attribute(ICE_CONTROLLING, tie),
			attribute(USE_CANDIDATE, Buffer.alloc(0))]
			: [attribute(ICE_CONTROLLED, tie)];
		this.socket.send(sealed(BINDING_REQUEST, randomBytes(12), [
			attribute(USERNAME, Buffer.from(
				`${theirs.ufrag}:${own.ufrag}`)),
			attribute(PRIORITY, number(1845501695, 4)), ...role,
		], theirs.pwd), port, LOOPBACK);
	}

	// Both have checked each other, from where he is now.
	connects() {
		return until(() => this.agent.open && this.agent.checked,
			() => 'no ICE connection: ' + (this.agent.open
				? 'he is not checked' : 'his checks get no answer'));
	}

	async moves() {
		const old = this.socket;
		this.socket = await this.listens();
		old.close();
		Object.assign(this.agent, { open: false, checked: 0 });
		this.port = this.socket.address().port;
	}

	// What is not ICE, to whom he is connected to.
	sends(bytes) {
		this.socket.send(bytes, this.agent.port, LOOPBACK);
	}

	silent() {
		clearInterval(this.timer);
		this.agent = null;
	}

	// A call begins; checks of the last one may still come.
	begin() {
		this.silent();
		for (const name of this.heard.keys())
			this.past.add(name);
		this.heard.clear();
		this.got = [];
	}

	// He is checked by these credentials of his, from our port.
	async hears(ufrag, port) {
		const find = () => [...this.heard].find(([name]) =>
			name?.startsWith(`${ufrag}:`));
		const [, from] = await until(find, () => `no ICE check for ` +
			`${ufrag}; there were ${[...this.heard.keys()]}`);
		if (String(from) !== String(port))
			throw new Error(`checked from port ${from}, not ${port}`);
	}

	close() {
		this.silent();
		this.socket.close();
	}
}
