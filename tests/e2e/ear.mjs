// ear.mjs: a UDP port of a scripted client, that hears who checks it by ICE

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { until } from './children.mjs';

const BINDING_REQUEST = 0x0001;
const USERNAME = 0x0006;
const HEADER = 20;

// The USERNAME of a binding request (RFC 8489); undefined: it is none.
function usernameOf(packet) {
	if (packet.length < HEADER || packet.readUInt16BE(0) !== BINDING_REQUEST)
		return undefined;
	for (let at = HEADER; at + 4 <= packet.length;) {
		const length = packet.readUInt16BE(at + 2);
		if (packet.readUInt16BE(at) === USERNAME)
			return packet.toString('utf8', at + 4, at + 4 + length);
		at += 4 + length + (-length & 3);
	}
	return undefined;
}

export class Ear {
	// Of each check the name it was for, and where it came from.
	heard = new Map();
	// Names of calls that are over.
	past = new Set();

	static async open() {
		const ear = new Ear();
		ear.socket = createSocket('udp4', (packet, { port }) => {
			const name = usernameOf(packet);
			if (!ear.past.has(name))
				ear.heard.set(name, port);
		});
		ear.socket.bind(0, '127.0.0.1');
		await once(ear.socket, 'listening');
		ear.port = ear.socket.address().port;
		return ear;
	}

	// A call begins; checks of the last one may still come.
	begin() {
		for (const name of this.heard.keys())
			this.past.add(name);
		this.heard.clear();
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
		this.socket.close();
	}
}
