// rule.mjs: what a rule's test gets: a component, users, stanzas

import { Client, Dialogue, escape, randomId } from '../e2e/clients/client.mjs';
import { Component } from '../e2e/clients/component.mjs';
import { errorOf, matcher } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { equal } from '../e2e/story.mjs';

export const RELAY = 'urn:privatecall:relay:0';
export const QUERY = 'urn:privatecall:query:0';
export const rules = [];

// options.up: the component has said hello (default).
export function rule(name, options, run) {
	if (typeof options === 'function')
		return rule(name, {}, options);
	rules.push({ name, ...options, run });
	return undefined;
}

export const RTP = `<description xmlns='${NS.rtp}' media='audio'/>`;
export const STORE = `<store xmlns='${NS.hints}'/>`;

export const jmi = (name, id, inner = name === 'propose' ? RTP : '') =>
	`<${name} xmlns='${NS.jmi}' id='${id}'>${inner}</${name}>`;

export const jingle = (action, sid, description = RTP) =>
	`<jingle xmlns='${NS.jingle}' action='${action}' sid='${sid}'>` +
	(description ? `<content creator='initiator' name='a'>${description}` +
		'</content>' : '') + '</jingle>';

export const FILE = `<description xmlns='urn:xmpp:jingle:apps:` +
	`file-transfer:5'/>`;

export const stanza = (id) => matcher(`a stanza with id ${id}`,
	(el) => el.attrs.id === id);

export function attrsOf(el) {
	return Object.fromEntries(Object.entries(el.attrs)
		.filter(([name]) => name !== 'xmlns' && name !== 'xml:lang'));
}

// equal() of objects, in whatever order their fields are.
export function same(got, want, what) {
	const sorted = (o) => (Array.isArray(o) ? o.map(sorted)
		: o && typeof o === 'object' ? Object.fromEntries(Object.entries(o)
			.sort(([a], [b]) => (a < b ? -1 : 1))
			.map(([name, value]) => [name, sorted(value)])) : o);
	equal(sorted(got), sorted(want), what);
}

// A raw session, with the parts that matter here.
class User extends Client {
	async login({ priority, show, extra } = {}) {
		await this.connect();
		await this.carbons();
		await this.available({ priority, show, extra });
		await this.fence();
		return this;
	}

	// To another user; its id.
	async message(to, inner, { type = 'chat', id = `m${randomId(4)}` } = {}) {
		await this.send(`<message type='${type}' to='${escape(to)}' ` +
			`id='${id}'>${inner}</message>`);
		return id;
	}

	async set(to, inner, id = `i${randomId(4)}`) {
		await this.send(`<iq type='set' to='${escape(to)}' id='${id}'>` +
			`${inner}</iq>`);
		return id;
	}

	// Answers only what the test answers.
	onStanza() {
	}

	async fence() {
		await this.iq('get', this.server.host,
			`<ping xmlns='${NS.ping}'/>`);
	}
}

export class World {
	constructor(server) {
		this.server = server;
		this.number = 0;
	}

	begin() {
		this.number++;
		this.dialogue = new Dialogue();
		this.users = [];
		this.links = [];
		this.options = {};
		this.link = null;
	}

	async end() {
		for (const client of [...this.users, ...this.links])
			await client.close().catch(() => {});
		if (Object.keys(this.options).length)
			await this.module({});
	}

	// Connects the component; it says nothing yet.
	async connect() {
		this.link = this.component();
		return this.link.connect();
	}

	// Another component of the server, with a secret of its own.
	another() {
		return this.component(this.server.other).connect();
	}

	component(component) {
		const link = new Component({ server: this.server, component,
			dialogue: this.dialogue });
		this.links.push(link);
		return link;
	}

	hello(host = this.server.host, attrs = 'version=\'1\' ' +
	'software=\'test\' release=\'0.1.0\'') {
		return this.link.iq('set', host,
			`<hello xmlns='${QUERY}' ${attrs}/>`);
	}

	async up() {
		await this.connect();
		await this.hello();
		await this.hello(this.server.second);
	}

	async down() {
		const { link } = this;
		link.drop();
		// It is away when a stanza to it is refused.
		const probe = await this.user('probe',
			{ resource: `r${this.users.length}` });
		for (;;) {
			const el = await probe.iq('get', this.server.component
				.domain, '<query xmlns=\'jabber:iq:version\'/>',
			{ mayFail: true, timeout: 500 }).catch(() => null);
			if (el?.attrs.type === 'error')
				break;
		}
		return link;
	}

	async module(options) {
		this.options = options;
		await this.server.setModule(options);
		if (this.link?.online)
			await this.link.fence();
	}

	jid(name, host = this.server.host) {
		return `${name}${this.number}@${host}`;
	}

	account(name, host) {
		this.server.addUser(`${name}${this.number}`, 'secret', host);
		return this.jid(name, host);
	}

	// A device of a user; options as of login().
	async user(name, { resource = 'r', host = this.server.host, ...rest }
	= {}) {
		this.account(name, host);
		const user = new User({ server: { ...this.server, host,
			c2sPort: this.server.c2sPort }, domain: host,
		user: `${name}${this.number}`, password: 'secret', resource,
		dialogue: this.dialogue, label: `${name}/${resource}` });
		this.users.push(user);
		return user.login(rest);
	}

	// alice and bob, who has a call of hers in the books as `id`.
	async called(id = 'P1') {
		const alice = await this.user('alice');
		const bob = await this.user('bob');
		const m = await alice.message(bob.bare, jmi('propose', id) +
			STORE);
		await this.link.waitFor(stanza(m));
		return [alice, bob];
	}

	// The stanza of a user, as the component gets it.
	async redirected(user, id) {
		await user.fence();
		await this.link.fence();
		return this.link.waitFor(stanza(id), `the stanza ${id} redirected`,
			2000);
	}

	// Relays `inner` ("<message from= ...>"); the answer.
	relay(inner, host = this.server.host) {
		return this.link.iq('set', host,
			`<relay xmlns='${RELAY}'>${inner}</relay>`);
	}

	relayMessage(from, to, inner, { id = 'relayed0', type = 'chat',
		...o } = {}) {
		return this.relay(`<message xmlns='jabber:client' ` +
			`${type ? `type='${type}' ` : ''}id='${id}' from='${from}' ` +
			`to='${to}'>${inner}</message>`, o.host);
	}

	relayIq(type, from, to, inner, { id = 'relayed0', ...o } = {}) {
		return this.relay(`<iq xmlns='jabber:client' type='${type}' ` +
			`id='${id}' from='${from}' to='${to}'>${inner}</iq>`, o.host);
	}

	// All that was sent is where it belongs.
	async settle() {
		for (let round = 0; round < 2; round++)
			for (const client of [...this.users, this.link])
				if (client?.online)
					await client.fence();
	}

	async nothing(client, match, what) {
		await this.settle();
		await client.expectNothing(match, what, { fence: false });
	}

	// A log line of the server's.
	logged(pattern, from) {
		return pattern.test(this.server.readLog().slice(from));
	}
}

export function accepted(el) {
	if (el.attrs.type !== 'result')
		throw new Error(`refused: ${el}`);
}

// The error of a refusal, "forbidden pair" or "not-allowed off".
export function refusal(el) {
	const why = el.getChild('error')?.getChild('refused', RELAY)?.attrs.why;
	return [errorOf(el), why].filter(Boolean).join(' ');
}
