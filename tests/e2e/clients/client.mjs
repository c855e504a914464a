// client.mjs: one raw XMPP session over TCP, with its full stanza log
//
// Every stanza received goes to the log, to onStanza(), and to the inbox, from
// where waitFor() takes it. Nothing here ever sleeps to see whether something
// comes: expectNothing() looks after a fence, an answered round trip.

import { randomBytes } from 'node:crypto';
import core from '@xmpp/client-core';
import iqCallerOf from '@xmpp/iq/caller.js';
import middlewareOf from '@xmpp/middleware';
import resourceBinding from '@xmpp/resource-binding';
import saslOf from '@xmpp/sasl';
import saslPlain from '@xmpp/sasl-plain';
import streamFeaturesOf from '@xmpp/stream-features';
import tcp from '@xmpp/tcp';
import xmlOf from '@xmpp/xml';
import { PATIENCE } from '../children.mjs';
import { bare, errorOf } from './match.mjs';
import { NS } from './ns.mjs';

const TIMEOUT_MS = Number(process.env.E2E_TIMEOUT_MS ?? 15000 * PATIENCE);
const SHOWN_UNMATCHED = 12;
const SHOWN_LENGTH = 500;

export const escape = (text) => xmlOf.escapeXML(String(text));

export function randomId(length = 8) {
	return randomBytes(length).toString('hex');
}

export function parse(text) {
	let found;
	const parser = new xmlOf.Parser();
	parser.on('element', (el) => (found = el));
	parser.on('error', (error) => {
		throw error;
	});
	parser.write(`<stream xmlns='jabber:client'>${text}</stream>`);
	if (!found)
		throw new Error(`not one stanza: ${text.slice(0, 200)}`);
	return found;
}

export function shorten(text, length = SHOWN_LENGTH) {
	if (process.env.E2E_FULL || text.length <= length)
		return text;
	return `${text.slice(0, length)} ... (${text.length} bytes)`;
}

// One list of all that the clients of a story saw, in the order of time.
export class Dialogue {
	constructor() {
		this.start = performance.now();
		this.lines = [];
	}

	add(who, arrow, text) {
		const at = (performance.now() - this.start) / 1000;
		this.lines.push({ at, who, arrow, text });
	}

	print(write) {
		for (const { at, who, arrow, text } of this.lines)
			write(`    ${at.toFixed(3)} ${who} ${arrow} ` +
				`${shorten(text)}\n`);
	}
}

export class Client {
	// server: { host, c2sPort }; domain: of the component, for fences.
	constructor({ server, domain, user, password, resource, dialogue,
		label }) {
		this.server = server;
		this.domain = domain;
		this.user = user;
		this.password = password;
		this.resource = resource ?? `r${randomId(3)}`;
		this.dialogue = dialogue ?? new Dialogue();
		this.bare = `${user}@${server.host}`;
		this.label = label ?? `${user}/${this.resource}`;
		this.jid = null;
		this.log = [];
		this.inbox = [];
		this.waiters = new Set();
		this.answers = new Map();
		this.faults = [];
		this.errors = [];
		this.online = false;
	}

	// --- connection -------------------------------------------------------
	async connect() {
		await this.server.settled?.();
		const entity = new core.Client({
			service: `xmpp://127.0.0.1:${this.server.c2sPort}`,
			domain: this.server.host,
		});
		tcp({ entity });
		const middleware = middlewareOf({ entity });
		const streamFeatures = streamFeaturesOf({ middleware });
		const iqCaller = iqCallerOf({ middleware, entity });
		const sasl = saslOf({ streamFeatures },
			{ username: this.user, password: this.password });
		saslPlain(sasl);
		resourceBinding({ iqCaller, streamFeatures }, this.resource);
		entity.timeout = TIMEOUT_MS;
		entity.on('error', (error) => this.errors.push(error));
		entity.on('stanza', (el) => this.online && this.receive(el));
		entity.on('disconnect', () => this.closed());
		entity.on('connect', () => entity.socket.setNoDelay(true)
			.setEncoding('utf8'));
		this.entity = entity;
		this.jid = String(await entity.start());
		this.online = true;
		this.note(`online as ${this.jid}`);
		return this;
	}

	closed() {
		if (this.online)
			this.note('stream closed');
		this.online = false;
		for (const { reject, what } of this.waiters)
			reject(new Error(`${this.label}: stream closed while ` +
				`waiting for ${what}`));
		this.waiters.clear();
	}

	// Nobody answers any more; who asked is not told.
	forget() {
		for (const { stop } of this.answers.values())
			stop();
		this.answers.clear();
	}

	async close() {
		if (!this.online)
			return;
		this.online = false;
		this.forget();
		this.note('logs out');
		await this.entity.stop().catch(() => {});
	}

	// As if the network had gone: no </stream>, no unavailable.
	drop() {
		this.note('connection cut');
		this.online = false;
		this.forget();
		this.entity.socket?.destroy();
	}

	note(text) {
		this.dialogue.add(this.label, '--', text);
	}

	// --- sending ----------------------------------------------------------
	// Sends XML text as it is. A story may send what is no stanza at all.
	async send(xml) {
		const text = String(xml);
		if (!this.online)
			return this.note(`offline, not sent: ${shorten(text, 80)}`);
		this.log.push({ dir: 'out', text, at: performance.now() });
		this.dialogue.add(this.label, '->', text);
		return this.write(text);
	}

	write(text) {
		return this.entity.write(text).catch((error) =>
			this.errors.push(error));
	}

	// Sends an iq and gives the answer; throws on an error answer, unless
	// `mayFail`. from: who must answer.
	async iq(type, to, payload, { mayFail = false, timeout, id } = {}) {
		const key = id ?? `q${randomId(6)}`;
		const answer = this.expectAnswer(key, to, timeout);
		await this.send(`<iq type='${type}' id='${escape(key)}'` +
			`${to ? ` to='${escape(to)}'` : ''}>${payload}</iq>`);
		const el = await answer;
		if (el.attrs.type === 'error' && !mayFail)
			throw new Error(`${this.label}: ${to} answered ` +
				`${errorOf(el)} to ${shorten(payload, 200)}`);
		return el;
	}

	expectAnswer(id, to, timeout = TIMEOUT_MS) {
		return new Promise((resolve, reject) => {
			const late = setTimeout(() => {
				this.answers.delete(id);
				reject(new Error(`${this.label}: no answer from ` +
					`${to ?? 'the server'} to iq ${id}`));
			}, timeout);
			this.answers.set(id, { to, stop: () => clearTimeout(late),
				resolve: (el) => {
					clearTimeout(late);
					this.answers.delete(id);
					resolve(el);
				} });
		});
	}

	async jingle(to, jingleXml, options) {
		return this.iq('set', to, jingleXml, options);
	}

	jmiXml(name, { to, id, sid, inner = '', store = false, extra = '' }) {
		return `<message type='chat' to='${escape(to)}'` +
			`${id ? ` id='${escape(id)}'` : ` id='m${randomId(5)}'`}>` +
			`<${name} xmlns='${NS.jmi}' id='${escape(sid)}'>` +
			`${inner}</${name}>${extra}` +
			`${store ? `<store xmlns='${NS.hints}'/>` : ''}</message>`;
	}

	// --- receiving --------------------------------------------------------
	receive(el) {
		const text = el.toString();
		this.log.push({ dir: 'in', text, el, at: performance.now() });
		this.dialogue.add(this.label, '<-', text);
		const { type, id, from } = el.attrs;
		if (el.name === 'iq' && (type === 'result' || type === 'error')) {
			const asked = this.answers.get(id);
			const own = !from || from === this.bare ||
				from === this.jid;
			if (asked && (asked.to === from || (!asked.to && own) ||
			    (asked.to === this.server.host && own)))
				asked.resolve(el);
		}
		this.inbox.push(el);
		try {
			this.onStanza(el);
		} catch (error) {
			this.faults.push(String(error.stack ?? error));
		}
		this.wake();
	}

	wake() {
		for (const waiter of [...this.waiters])
			waiter.look();
	}

	// For subclasses.
	onStanza(el) {
		this.answerOther(el);
	}

	// RFC 6120, 8.2.3: a get or set that nobody knows.
	answerOther(el) {
		if (el.name !== 'iq')
			return;
		if (el.attrs.type === 'get' && el.getChild('ping', NS.ping))
			this.result(el);
		else if (el.attrs.type === 'get' || el.attrs.type === 'set')
			this.error(el, 'cancel', 'service-unavailable');
	}

	result(el, payload = '') {
		const to = el.attrs.from ? ` to='${escape(el.attrs.from)}'` : '';
		return this.send(`<iq type='result' id='${escape(el.attrs.id)}'` +
			`${to}>${payload}</iq>`);
	}

	error(el, type, condition, extra = '') {
		return this.send(`<iq type='error' id='${escape(el.attrs.id)}'` +
			` to='${escape(el.attrs.from)}'><error type='${type}'>` +
			`<${condition} xmlns='${NS.stanzas}'/>${extra}</error></iq>`);
	}

	// Takes the first stanza of the inbox that matches, or the next that
	// comes. match: a matcher, or a pattern for the stanza's text.
	waitFor(match, what, timeout) {
		const test = this.testOf(match);
		return this.waitUntil(() => {
			const i = this.inbox.findIndex(test);
			return i >= 0 && this.inbox.splice(i, 1)[0];
		}, what ?? match.label ?? String(match), timeout);
	}

	// Waits until `find` gives something true, asked after each stanza.
	waitUntil(find, what, timeout = TIMEOUT_MS) {
		return new Promise((resolve, reject) => {
			const waiter = { what };
			const end = (settle, value) => {
				clearTimeout(waiter.timer);
				this.waiters.delete(waiter);
				settle(value);
			};
			waiter.reject = (error) => end(reject, error);
			waiter.look = () => {
				const found = find();
				if (found)
					end(resolve, found);
			};
			waiter.timer = setTimeout(() => waiter.reject(new Error(
				`${this.label}: expected ${what} within ` +
				`${timeout} ms; what came instead: ` +
				this.unmatched())), timeout);
			this.waiters.add(waiter);
			waiter.look();
		});
	}

	// What looks for an id of ours, as P1, finds none that a server has drawn
	// and that has these two letters inside.
	testOf(match) {
		if (!(match instanceof RegExp))
			return match;
		const whole = /^[A-Z]\d(\|[A-Z]\d)*$/.test(match.source) ?
			new RegExp(`\\b(?:${match.source})\\b`) : match;
		return (el) => whole.test(el.toString());
	}

	unmatched() {
		if (!this.inbox.length)
			return 'nothing';
		return '\n' + this.inbox.slice(-SHOWN_UNMATCHED)
			.map((el) => `      ${shorten(el.toString(), 400)}`)
			.join('\n');
	}

	// Stanzas received so far that match, whether taken or not.
	received(match, from = 0) {
		const test = this.testOf(match);
		return this.log.slice(from).filter(({ dir, el }) =>
			dir === 'in' && test(el)).map(({ el }) => el);
	}

	sent(pattern) {
		return this.log.filter(({ dir, text }) =>
			dir === 'out' && pattern.test(text));
	}

	mark() {
		return this.log.length;
	}

	// A round trip through the component: what it sent before is here.
	async fence() {
		await this.iq('get', this.domain, `<ping xmlns='${NS.ping}'/>`);
	}

	// Nothing that matches may have come (since `from`, a mark()), by the
	// time that a fence has been answered. What others set off must have
	// been fenced by them: see settle() of a story.
	async expectNothing(match, what, { from = 0, fence = true } = {}) {
		if (fence)
			await this.fence();
		const [el] = this.received(match, from);
		if (el)
			throw new Error(`${this.label}: unexpected ` +
				`${what ?? match.label ?? match}: ` +
				shorten(el.toString()));
	}

	// Exactly n stanzas that match.
	async expectCount(match, n, what, { from = 0, fence = true } = {}) {
		if (fence)
			await this.fence();
		const got = this.received(match, from);
		if (got.length !== n)
			throw new Error(`${this.label}: expected ${n} × ` +
				`${what ?? match.label ?? match}, got ` +
				`${got.length}: ` + got.map((el) =>
				shorten(el.toString(), 300)).join('\n      '));
	}

	// --- plain use of the server -------------------------------------------
	async available({ show, priority = 0, extra = '' } = {}) {
		await this.send(`<presence>` +
			`${show ? `<show>${show}</show>` : ''}` +
			`<priority>${priority}</priority>${extra}</presence>`);
	}

	// As its kind shows itself.
	appear(options) {
		return this.available(options);
	}

	// Until the server has it online, and others who then call reach it.
	async goOnline(options) {
		const from = this.mark();
		await this.appear(options);
		await this.waitUntil(() => this.received((el) =>
			el.name === 'presence' && el.attrs.from === this.jid, from)
			.length, 'its own presence');
	}

	async unavailable() {
		await this.send(`<presence type='unavailable'/>`);
	}

	async carbons() {
		await this.iq('set', null, `<enable xmlns='${NS.carbons}'/>`);
	}

	async block(jid) {
		await this.iq('set', null, `<block xmlns='${NS.blocking}'>` +
			`<item jid='${escape(jid)}'/></block>`);
	}

	async unblock(jid) {
		await this.iq('set', null, `<unblock xmlns='${NS.blocking}'>` +
			`<item jid='${escape(jid)}'/></unblock>`);
	}

	async disco(jid, node) {
		const el = await this.iq('get', jid, `<query xmlns=` +
			`'${NS.info_}'${node ? ` node='${escape(node)}'` : ''}/>`);
		const query = el.getChild('query', NS.info_);
		return {
			node: query.attrs.node,
			identities: query.getChildren('identity').map(
				(i) => `${i.attrs.category}/${i.attrs.type}`),
			names: query.getChildren('identity').map(
				(i) => i.attrs.name),
			features: query.getChildren('feature').map(
				(f) => f.attrs.var),
			query,
		};
	}

	// The own archive's messages with `jid`, oldest first. ejabberd's Mnesia
	// may find an entry twice that is just being written: by its id it is one
	// (XEP-0313, 3.3).
	async archive(jid) {
		const id = `a${randomId(4)}`;
		const from = this.log.length;
		await this.iq('set', null, `<query xmlns='${NS.mam}' ` +
			`queryid='${id}'><x xmlns='jabber:x:data' type='submit'>` +
			`<field var='FORM_TYPE'><value>${NS.mam}</value></field>` +
			`<field var='with'><value>${escape(jid)}</value></field>` +
			`</x><set xmlns='http://jabber.org/protocol/rsm'>` +
			`<max>200</max></set></query>`);
		const found = this.received((el) => el.getChild('result', NS.mam)
			?.attrs.queryid === id, from)
			.map((el) => el.getChild('result', NS.mam));
		return [...new Map(found.map((el) => [el.attrs.id, el])).values()]
			.map((el) => el.getChild('forwarded', NS.forward)
				.getChild('message'));
	}

	isOwn(jid) {
		return bare(jid) === this.bare;
	}
}
