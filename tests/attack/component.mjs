// component.mjs: a raw XEP-0114 link, either end: another component of the same
// server (a room, a gateway), or a server that the daemon connects to and that
// sends whatever bytes it likes

import { createHash } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { until } from '../e2e/children.mjs';

const STREAMS = 'http://etherx.jabber.org/streams';

export const handshake = (id, secret) =>
	createHash('sha1').update(id + secret).digest('hex');

// Logs in as `slot`, { domain, secret }: { send(xml), text(), close() }.
export async function otherComponent(prosody, { domain, secret }) {
	const socket = connect(prosody.componentPort, '127.0.0.1');
	let text = '';
	socket.setEncoding('utf8').on('data', (part) => (text += part));
	socket.on('error', () => {});
	socket.write(`<stream:stream to='${domain}' xmlns='jabber:component:` +
		`accept' xmlns:stream='${STREAMS}'>`);
	const [, id] = await until(() => text.match(/ id='([^']*)'/),
		'a stream id');
	socket.write(`<handshake>${handshake(id, secret)}</handshake>`);
	await until(() => text.includes('<handshake'), 'the handshake');
	return {
		send: (xml) => socket.write(xml),
		text: () => text,
		close: () => socket.destroy(),
	};
}

// Listens as a server. What the daemon sent on its newest connection is in
// `text`; `connections` counts those that were let in.
export class FakeServer {
	constructor({ domain, secret = 'secret', id = 'stream1' } = {}) {
		Object.assign(this, { domain, secret, id, text: '', log: '',
			connections: 0, admits: true, socket: null });
	}

	// As startPrivatecalld() wants its Prosody.
	get prosody() {
		return { host: 'localhost', componentPort: this.port,
			component: { domain: this.domain, secret: this.secret },
			admits: 'let in', readLog: () => this.log };
	}

	async listen() {
		this.server = createServer((socket) => this.accept(socket));
		await new Promise((done) => this.server.listen(0, '127.0.0.1',
			done));
		this.port = this.server.address().port;
		return this;
	}

	accept(socket) {
		this.socket = socket.setEncoding('utf8').setNoDelay(true);
		this.text = '';
		socket.on('error', () => {});
		socket.on('close', () => socket === this.socket &&
			(this.socket = null));
		socket.on('data', (part) => this.read(socket, part));
	}

	read(socket, part) {
		const before = this.text;
		this.text += part;
		if (!before.includes('<stream:stream') &&
		    this.text.includes('<stream:stream'))
			this.write('<?xml version=\'1.0\'?><stream:stream xmlns=' +
				`'jabber:component:accept' xmlns:stream='${
					STREAMS}' id='${this.id}'>`);
		if (!before.includes('</handshake>') && this.admits &&
		    this.text.includes('</handshake>'))
			this.admit();
	}

	get hash() {
		return this.text.match(/<handshake>([^<]*)<\/handshake>/)?.[1];
	}

	admit() {
		this.write('<handshake/>');
		this.connections++;
		this.log += 'let in\n';
	}

	write(bytes) {
		return new Promise((done) => (this.socket ?
			this.socket.write(bytes, done) : done()));
	}

	// Writes and waits until the daemon has taken it: it answers a ping
	// behind it, or has closed. True: it lives.
	async taken(bytes, timeout = 10000) {
		const { socket } = this;
		const id = `fence${this.fences = (this.fences ?? 0) + 1}`;
		await this.write(bytes);
		await this.write(`<iq type='get' id='${id}' from='probe@localhost/` +
			`x' to='${this.domain}'><ping xmlns='urn:xmpp:ping'/></iq>`);
		await until(() => this.text.includes(id) ||
			this.socket !== socket, `an answer to ${id}`, timeout);
		return this.socket === socket && this.text.includes(id);
	}

	// The daemon is in again after it had closed.
	comesBack(count) {
		return until(() => this.connections >= count && this.socket,
			'the daemon to come back');
	}

	close() {
		this.socket?.destroy();
		this.server.close();
	}
}
