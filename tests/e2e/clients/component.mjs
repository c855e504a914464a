// component.mjs: a scripted external component, with the log and the waiting
// of a client

import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import xmlOf from '@xmpp/xml';
import { Client } from './client.mjs';
import { NS } from './ns.mjs';

const STREAMS = 'http://etherx.jabber.org/streams';

export class Component extends Client {
	// server: { host, componentPort, component: { domain, secret } }, or
	// another { domain, secret } as `component`.
	constructor({ server, component = server.component, ...rest }) {
		super({ server, domain: server.host, user: '', label: 'component',
			...rest });
		this.component = component;
		this.bare = component.domain;
	}

	async connect() {
		const { domain } = this.component;
		const parser = new xmlOf.Parser();
		this.socket = connect(this.server.componentPort, '127.0.0.1');
		this.socket.setEncoding('utf8').setNoDelay(true);
		this.socket.on('error', (error) => this.errors.push(error));
		this.socket.on('close', () => this.closed());
		this.socket.on('data', (text) => parser.write(text));
		const started = new Promise((done) => parser.on('start', done));
		const ended = new Promise((done) => (this.ended = done));
		const admitted = new Promise((done) =>
			parser.on('element', (el) => (el.name === 'handshake'
				? done(true) : this.arrives(el))));
		this.write(`<stream:stream to='${domain}' xmlns='jabber:` +
			`component:accept' xmlns:stream='${STREAMS}'>`);
		const { attrs } = await started;
		this.write(`<handshake>${createHash('sha1').update(attrs.id +
			this.component.secret).digest('hex')}</handshake>`);
		this.online = await Promise.race([admitted, ended]);
		if (!this.online)
			throw new Error(`${domain} is not let in`);
		this.jid = domain;
		this.note('connected');
		return this;
	}

	arrives(el) {
		if (el.name === 'stream:error')
			this.note(el.toString());
		else if (this.online)
			this.receive(el);
	}

	closed() {
		this.ended(false);
		super.closed();
	}

	async write(text) {
		this.socket.write(text);
	}

	// Stanzas need a `from` here.
	async iq(type, to, payload, options = {}) {
		const id = options.id ?? `k${this.asked = (this.asked ?? 0) + 1}`;
		const answer = this.expectAnswer(id, to, options.timeout);
		await this.send(`<iq type='${type}' id='${id}' from='${
			this.bare}' to='${to}'>${payload}</iq>`);
		return answer;
	}

	// Only what the story wants to be answered is, and that it is there
	// unless it `hangs`.
	onStanza(el) {
		if (!this.hangs && el.name === 'iq' && el.attrs.type === 'get' &&
			el.getChild('ping', NS.ping))
			this.send(`<iq type='result' id='${el.attrs.id}' from='${
				this.bare}' to='${el.attrs.from}'/>`);
	}

	drop() {
		this.note('connection cut');
		this.online = false;
		this.forget();
		this.socket.destroy();
	}

	async close() {
		this.online = false;
		this.forget();
		this.socket?.destroy();
	}

	async fence() {
		await this.iq('get', this.server.host,
			`<ping xmlns='${NS.ping}'/>`);
	}
}
