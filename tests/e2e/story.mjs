// story.mjs: what a story is, and what it gets
//
// A story is one dialogue of a few users with the real server and daemon. It
// gets users of its own, so stories run beside each other. One that moves the
// clock, flips a switch or kills the daemon asks for a daemon of its own.

import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from './children.mjs';
import { Client, Dialogue } from './clients/client.mjs';
import { Conversations } from './clients/conversations.mjs';
import { bare, notice, ofCall } from './clients/match.mjs';
import { NS } from './clients/ns.mjs';
import { startMedia } from './media.mjs';
import { startNet } from './net.mjs';
import { startPrivatecalld } from './privatecalld.mjs';
import { servers, startServer } from './server.mjs';
import { Skip } from './skip.mjs';

export const stories = [];
// Called at an address of ours, or at the users' own.
export const MODES = ['gateway', 'transparent'];
// Where the stories of the file that is loaded now are not run, and why.
export const defaults = { not: {} };
// { story: as its file has it, where, why }
export const restrictions = [];

// name: what a reader of the list sees, with the rows that it shows (F14 ...).
// options:
//   own     a daemon of its own; implied by conf and by t.clock()
//   conf    its configuration beside what all have
//   media   a privatecall-media of its own; true: mode blind, else the mode,
//           or 'default'; 'direct': none. Who says nothing has that of the
//           run, 'default' if it is not told otherwise
//   net     { host: its addresses }, a bad network of its own (net.mjs), in
//           which that privatecall-media is the host "media"
//   server  a Prosody or ejabberd of its own too, which it may restart: true,
//           or options of startServer()
//   not     { server or mode: why it is not run there }, beside its file's
//           (run.mjs); it is run in all others
//   native  of the scripted clients alone: no service takes part
//   browser with pages of a Chromium: t.page()
//   slow    not in a quick run
//   long    in a long run alone, or by its name
//   heavy   takes much of the machine: after the others, two at a time
//   alone   with no other story beside it: it measures time
//   lasts   seconds it may take on an idle machine, 60 by default
export function story(name, options, run) {
	if (typeof options === 'function')
		return story(name, {}, options);
	if (stories.some((s) => s.name === name))
		throw new Error(`two stories are called ${name}`);
	const not = { ...defaults.not, ...options.not };
	for (const [where, why] of Object.entries(not)) {
		if (![...MODES, ...servers].includes(where) || !why)
			throw new Error(`${name}: not in "${where}", as "${why}"`);
		restrictions.push({ story: name, where, why });
	}
	const modes = MODES.filter((mode) => !not[mode]);
	for (const mode of modes)
		stories.push({ own: Boolean(options.conf || options.server ||
			options.media),
			lasts: 60, ...options, not, mode, run,
			slow: options.slow || mode !== modes[0],
			name: mode === 'gateway' ? name : `${mode}: ${name}` });
	return undefined;
}

// The main ones again: at our addresses in room, at the users' own in direct.
// Their calls are the same there, but for who passes what on.
export function alsoIn(list) {
	const plain = (s) => !['media', 'native', 'server', 'browser', 'alone',
		'heavy'].some((key) => s[key]) && !s.conf?.media;
	return list.filter((s) => MAIN.test(s.name) && plain(s)).map((s) => {
		const base = s.mode === 'gateway' ? 'room' : 'direct';
		return { ...s, base, own: true, slow: true,
			name: `${base}: ${s.name}` };
	});
}

export function assert(truth, what) {
	if (!truth)
		throw new Error(typeof what === 'function' ? what() : what);
}

export function equal(got, want, what) {
	const [a, b] = [got, want].map((v) => JSON.stringify(v) ?? String(v));
	if (a !== b)
		throw new Error(`${what}: expected ${b}, got ${a}`);
}

export { Skip };

// Users of this host have the server's module; of each slot's host, too.
export const NATIVE_HOST = 'native.localhost';
// These have not.
export const REMOTE_HOST = 'remote.localhost';
export const BASE_CONF = { log_privacy: 'full' };
// Scripted clients send no media: what is not about them is given the longest
// time for their connection.
export const SILENT = { connect_timeout: '2m' };

// Calling, ringing, answering, declining, not answering, coming back, a second
// call, leaving.
const MAIN = /\bF(1|12|13|14|17|23|26|28)\b/;

// What its daemon is set to; 'direct': no privatecall-media.
function modeOf({ media, conf }, base) {
	return media === true ? 'blind' : media ?? conf?.media ?? base;
}

const PINGS = 400;
const PING_MS = 500;
const PING_PAUSE_MS = 25;
const RESTART_MS = 50000;
// Longer than a device may be unavailable, or a client may take to answer.
const AWAY = ['+40s', '+40s'];

const capital = (name) => name[0].toUpperCase() + name.slice(1);
const regex = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export class Story {
	// prosody, daemon (the shared one), slots: free components, chromium:
	// of all stories, number: of this one in the run, dir: for its daemon.
	// base: the mode of media of those that name none.
	constructor(definition, { prosody, daemon, domain, slots, chromium,
		number, dir, base = 'direct' }) {
		Object.assign(this, { definition, prosody, daemon, domain, slots,
			chromium, dir, base });
		this.mode = modeOf(definition, definition.base ?? base);
		this.native = definition.mode === 'transparent';
		this.host = this.native ? NATIVE_HOST : prosody.host;
		this.number = number;
		this.dialogue = new Dialogue();
		this.clients = [];
		this.users = new Map();
		this.pages = [];
	}

	async open() {
		if (this.definition.native)
			this.domain = this.prosody.host;
		if (this.definition.browser)
			this.browser = await this.chromium.get();
		if (!this.definition.own)
			return;
		if (this.definition.server)
			this.prosody = this.ownProsody = await startServer(
				this.prosody.name, { dir: join(this.dir, 'server'),
					hosts: [REMOTE_HOST],
					module: this.native ? {} : undefined,
					...this.definition.server });
		else
			this.slot = await this.slots.take();
		const component = this.slot ?? this.prosody.component;
		this.domain = component.domain;
		if (this.native)
			this.host = this.slot?.host ?? this.prosody.host;
		if (this.definition.net)
			this.net = await startNet({ dir: this.dir,
				hosts: this.definition.net });
		if (this.mode !== 'direct')
			this.media = await startMedia({ dir: this.dir, mode: this.mode,
				host: this.net?.host('media') });
		this.daemon = await startPrivatecalld({ dir: this.dir,
			prosody: this.prosody, component,
			conf: { ...BASE_CONF, hosts: [this.host],
				...this.media?.conf,
				...this.definition.media ? {} : SILENT,
				...this.definition.conf } });
		this.ownDaemon = this.daemon;
		await this.connected();
	}

	async close() {
		await Promise.all([...this.clients.map((c) => c.close()),
			...this.pages.map((page) => this.closePage(page))]
			.map((end) => end.catch(() => {})));
		await this.ownDaemon?.stop();
		await this.media?.stop();
		await this.net?.stop();
		await this.ownProsody?.stop();
		if (this.slot)
			this.slots.give(this.slot);
	}

	// --- users -------------------------------------------------------------
	// An account of this story: "bob" is bob7 in the seventh.
	user(name) {
		if (!this.users.has(name)) {
			const real = `${name}${this.number}`;
			this.prosody.addUser(real, 'secret', this.host);
			this.users.set(name, real);
		}
		return this.users.get(name);
	}

	// What is done by users of another host.
	async ofHost(host, work) {
		const own = this.host;
		this.host = host;
		try {
			return await work();
		} finally {
			this.host = own;
		}
	}

	jid(name) {
		return `${this.user(name)}@${this.host}`;
	}

	// What the other side sees a client as.
	as(client) {
		return this.native ? client.jid
			: `${this.contact(client.user)}/call`;
	}

	// Where a user is called: his gateway contact, or himself; at(name, true)
	// with our resource.
	at(name, full = false) {
		const resource = this.native ? '/privatecall' : '/call';
		return `${this.contact(this.user(name))}${full ? resource : ''}`;
	}

	// An escape in a local part is escaped once more (XEP-0106).
	contact(user) {
		if (this.native)
			return `${user}@${this.host}`;
		return `${user.replace(/\\(?=[0-9a-f]{2})/g, '\\5c')}@${
			this.domain}`;
	}

	// The domain of the addresses that are called.
	get where() {
		return this.native ? this.host : this.domain;
	}

	// A device of a user, not logged in.
	device(Kind, name, options = {}) {
		const { resource, ...rest } = options;
		const client = new Kind({ server: { host: this.host,
			c2sPort: this.prosody.c2sPort,
			settled: this.prosody.settled },
			domain: this.domain, user: this.user(name),
			password: 'secret', dialogue: this.dialogue, resource,
			label: `${name}${resource ? `/${resource}` : ''}`,
			...rest });
		this.clients.push(client);
		return client;
	}

	// A device that is online and whose user is known to the service.
	// options: resource, priority, show, register = true.
	async login(Kind, name, { resource, priority, show,
		register = !this.native } = {}) {
		const device = this.device(Kind, name, { resource });
		await device.login({ priority, show });
		if (register && !device.subscribed(this.domain, 'both'))
			await device.register();
		return device;
	}

	// A page of web/ in the browser, where `name` is logged in. By SCRAM a
	// page hashes for seconds; on a busy machine, beside pages with pictures,
	// some were disconnected before they had come to an end with it.
	async page(name, options) {
		const user = this.user(name);
		await this.prosody.settled?.();
		const page = await this.browser.openPhone({ name,
			jid: `${user}@${this.host}`, password: 'secret',
			sasl: 'PLAIN', websocket: this.prosody.websocket,
			...options });
		this.pages.push(page);
		return page;
	}

	// What it has seen is for him who reads of a failure.
	async closePage(page) {
		const log = await page.log().catch(() => []);
		for (const text of [...log.map((e) => JSON.stringify(e)),
			...page.console()])
			this.dialogue.add(page.name, '--', text);
		await page.kill();
	}

	// A second device of a user who is registered already.
	another(Kind, name, options = {}) {
		return this.login(Kind, name, { ...options, register: false });
	}

	// Both add the other's gateway contact and see it online.
	async contacts(a, b) {
		const [na, nb] = [a, b].map((c) => this.contact(c.user));
		await Promise.all([
			a.subscribed(nb, 'to', 'both') || a.add(nb),
			b.subscribed(na, 'to', 'both') || b.add(na),
		]);
		await Promise.all([
			a.waitRoster(nb, 'to', 'both'),
			b.waitRoster(na, 'to', 'both'),
			a.waitPresence(this.native ? b.jid : `${nb}/call`),
			b.waitPresence(this.native ? a.jid : `${na}/call`),
		]);
		await this.settle(a, b);
	}

	// Two users who have each other's contact: [alice, bob].
	async pair(KindA = Conversations, KindB = Conversations) {
		const both = await Promise.all([
			this.login(KindA, 'alice', { resource: 'desk' }),
			this.login(KindB, 'bob', { resource: 'phone' }),
		]);
		await this.contacts(...both);
		return both;
	}

	// A call that stands: [callerCall, calleeCall].
	async connect(caller, callee, { media, answer } = {}) {
		const out = await caller.call(this.contact(callee.user),
			media);
		const ring = await callee.rings();
		await callee.answer(ring, answer);
		await Promise.all([caller.shows(out, 'active'),
			callee.shows(ring, 'active')]);
		await this.settle();
		return [out, ring];
	}

	// --- order -------------------------------------------------------------
	// All that was set off is here, but at those who are `apart`: each
	// client fences, the control socket answers (behind what had to be
	// stored), each client fences again.
	async settle(...clients) {
		const list = (clients.length ? clients : this.clients)
			.filter((c) => c.online && !c.apart);
		for (let round = 0; round < 2; round++) {
			await Promise.all(list.map((c) => c.fence()));
			if (!this.definition.native)
				await this.stored();
		}
		await Promise.all(list.map((c) => c.fence()));
	}

	// The log is read on the store's thread, behind what waits to be stored.
	async stored() {
		await this.daemon.ctl('log', '--limit', '1');
	}

	async clock(step) {
		assert(this.ownDaemon, 'the clock is not this story\'s to move');
		this.dialogue.add('clock', '--', step);
		await this.daemon.clock(step);
		await this.settle();
	}

	// The server starts anew, and takes so long for it. The daemon's clock
	// stands from when it is in again to the next clock(): what it gives the
	// clients to come back is real time, and a busy machine needs more.
	async restartServer({ how = 'stop', away = AWAY } = {}) {
		assert(this.ownDaemon, 'the clock is not this story\'s to stop');
		const seen = this.daemon.readLog().length;
		const said = (text, what) => until(() => this.daemon.readLog()
			.slice(seen).includes(text), what, RESTART_MS);
		await this.prosody[how]();
		await said('connection is lost', 'the component does not see it');
		for (const step of away)
			await this.daemon.clock(step);
		const held = said('connected to the server',
			'the component does not come back')
			.then(() => this.daemon.clock('hold'));
		await Promise.all([this.prosody.start(), held]);
		await this.connected();
	}

	// Real time, where the subject is real time.
	pause(ms) {
		return pause(ms);
	}

	async ctl(...args) {
		const answer = await this.daemon.ctl(...args);
		this.dialogue.add('ctl', '--', `${args.join(' ')} => ` +
			`${answer.code} ${answer.text ?? ''}`);
		assert(answer.code === 0,
			`ctl ${args.join(' ')}: ${answer.text}`);
		return answer;
	}

	async setting(name, key, value) {
		return this.ctl('user', this.jid(name), key, value);
	}

	// --- the daemon's life ---------------------------------------------------
	// Until the component answers a ping: it is in, whatever the logs say.
	async connected(client) {
		await this.pinged(client ?? await this.probe(), this.domain,
			'result', 'the component does not come back');
	}

	// Until the server itself answers for the component: what is sent to it
	// before that may be lost with it, on either server.
	async away() {
		await this.pinged(await this.probe(), this.domain, 'error',
			'the server does not see the component go');
	}

	// Asks until the answer is of this type; an answer may never come.
	async pinged(asker, jid, type, fault) {
		for (let i = 0; i < PINGS; i++) {
			const el = await asker.iq('get', jid,
				`<ping xmlns='${NS.ping}'/>`,
				{ mayFail: true, timeout: PING_MS })
				.catch(() => null);
			if (el?.attrs.type === type)
				return;
			await pause(el ? PING_PAUSE_MS : 0);
		}
		throw new Error(fault);
	}

	async probe() {
		if (!this.prober?.online) {
			this.prober = await this.device(Client, 'probe').connect();
			this.prober.quiet = true;
		}
		return this.prober;
	}

	// A cut connection is known to the server, and so to the component.
	async gone(client) {
		await this.pinged(await this.probe(), client.jid, 'error',
			`the server does not see ${client.label} go`);
		await this.settle();
	}

	async crash(signal = 'SIGKILL') {
		this.dialogue.add('daemon', '--', signal);
		await this.daemon.kill(signal);
	}

	async revive() {
		await this.daemon.start();
		this.dialogue.add('daemon', '--', 'started again');
		await this.connected();
	}

	// --- what was said and written ----------------------------------------
	// The text of a user: "Bob did not answer." for bob7 begins with Bob7.
	says(name, text) {
		const user = this.user(name);
		return new RegExp(`(${regex(capital(user))}|${regex(user)})` +
			` ${regex(text)}`);
	}

	notice(body) {
		return notice(this.domain, body);
	}

	// The call log of a user, newest first, from the store.
	async log(name) {
		const { data } = await this.ctl('log', '--user', this.jid(name));
		return data.calls;
	}

	// Calls of this story's users that ring or run.
	async running() {
		const own = [...this.users.values()].map(
			(user) => `${user}@${this.host}`);
		const { data } = await this.ctl('calls');
		return data.calls.filter((c) => c.state !== 'open' &&
			own.includes(c.caller));
	}

	// One entry of the log with this result.
	async logged(name, result) {
		await this.settle();
		const [entry] = await this.log(name);
		assert(entry, `no log entry for ${name}`);
		if (result)
			equal(entry.result, result, `result in ${name}'s log`);
		return entry;
	}

	// Nothing of a call is left on any screen, no client saw a fault.
	async quiet() {
		await this.settle();
		for (const client of this.clients) {
			if (client.faults.length)
				throw new Error(`${client.label}: ` +
					client.faults.join('; '));
			if (client.online && client.live?.length)
				throw new Error(`${client.label} still shows ` +
					client.live.map((c) => c.state).join());
		}
	}

	// A call ends by its caller's hang-up, then nothing is left.
	async endQuietly(caller, call) {
		await caller.hangUp(call);
		for (const other of this.clients)
			if (other !== caller && other.live)
				await other.waitUntil(() => !other.live.length,
					'the call to end');
		await this.quiet();
	}

	// The notice offers to write to `name` instead, or does not.
	offers(el, name, wanted = true) {
		const body = el.getChildText('body');
		assert(body.includes(`xmpp:${this.jid(name)}?message`) === wanted,
			`${wanted ? 'no' : 'an'} offer to write in: ${body}`);
	}

	noFaults() {
		for (const client of this.clients)
			assert(!client.faults.length, () =>
				`${client.label}: ${client.faults.join('; ')}`);
	}

	// I03: what a caller has got so far says nothing of the callee's devices.
	nothingOf(callee, caller) {
		if (this.native)
			return;        // clients ring with their own address
		for (const el of caller.received(ofCall)) {
			const text = el.toString();
			assert(!text.includes(callee.jid),
				`the callee's address is in ${text}`);
			assert(bare(el.attrs.from) !== callee.bare ||
				caller.isOwn(el.attrs.from),
			`a call stanza comes from ${el.attrs.from}`);
		}
	}
}

