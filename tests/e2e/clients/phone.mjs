// phone.mjs: a person's Jingle client, what all personas share
//
// Does what XEP-0353 0.8, 0166 and 0167 say; a persona overrides what its
// client does otherwise. What the person would see is in `shown` of a call and
// in shows(). Timers of a client run on a clock that only tick() moves.

import { createHash } from 'node:crypto';
import { byName, candidate, contents, credentials, jingleXml, mediaOf,
	reasonXml, trickle } from './bodies.mjs';
import { Client, escape, randomId } from './client.mjs';
import { bare, carbonOf, jingleOf, jmiOf, reasonOf } from './match.mjs';
import { NS } from './ns.mjs';

export const CALL_FEATURES = [
	NS.jingle, NS.rtp, NS.audio, NS.video, NS.dtls, NS.ice,
];

// XEP-0115, 5.1.
export function capsVer(identity, features) {
	const text = `${identity}<` + [...features].sort()
		.map((f) => `${f}<`).join('');
	return createHash('sha1').update(text).digest('base64');
}

const OVER = new Set(['declined', 'missed', 'elsewhere', 'ended', 'failed',
	'cancelled', 'busy', 'migrated']);

export class Phone extends Client {
	// Of a subclass: node, identity "category/type/lang/name", features.
	static node = 'https://example.org/phone';
	static identity = 'client/pc//Phone';
	static features = [...CALL_FEATURES, NS.jmi];
	style = 'webrtc';
	sendsRinging = true;
	usesCarbons = true;
	approves = true;
	holdsInitiate = false;         // a story initiates by hand
	holdsAccept = false;           // a story accepts by hand

	constructor(options) {
		super(options);
		this.calls = [];
		this.roster = new Map();
		this.presences = new Map();
		this.disco_ = new Map();
		this.now = 0;
		this.timers = [];
	}

	get features() {
		return [...this.constructor.features, NS.info_, NS.caps, NS.ping];
	}

	// --- going online --------------------------------------------------------
	async login({ priority = 0, show } = {}) {
		await this.connect();
		const answer = await this.iq('get', null,
			`<query xmlns='${NS.roster}'/>`);
		this.rosterFrom(answer.getChild('query', NS.roster));
		if (this.usesCarbons)
			await this.carbons();
		await this.goOnline({ priority, show });
		return this;
	}

	async appear({ priority = 0, show } = {}) {
		const ver = capsVer(this.constructor.identity, this.features);
		await this.available({ priority, show, extra:
			`<c xmlns='${NS.caps}' hash='sha-1' ver='${ver}' ` +
			`node='${this.constructor.node}'/>` });
	}

	rosterFrom(query) {
		for (const { attrs } of query?.getChildren('item') ?? [])
			this.roster.set(attrs.jid, attrs);
	}

	inRoster(jid) {
		const item = this.roster.get(bare(jid));
		return Boolean(item && item.subscription !== 'remove');
	}

	subscribed(jid, ...wanted) {
		return wanted.includes(
			this.roster.get(bare(jid))?.subscription);
	}

	// The user adds a contact.
	async add(jid) {
		await this.send(`<presence to='${escape(jid)}' type='subscribe'/>`);
	}

	// XEP-0077, as Gajim's and Movim's button does, then the service is in
	// the roster and knows the user's presence.
	async register(service = this.domain) {
		await this.iq('get', service, `<query xmlns='${NS.register}'/>`);
		await this.iq('set', service, `<query xmlns='${NS.register}'/>`);
		await this.waitRoster(service, 'from', 'both');
		await this.add(service);
		await this.waitRoster(service, 'both');
		await this.fence();
	}

	waitRoster(jid, ...wanted) {
		return this.waitUntil(() => this.subscribed(jid, ...wanted),
			`${jid} with subscription ${wanted.join(' or ')}`);
	}

	// from: full or bare. type null: available.
	waitPresence(from, type = null) {
		return this.waitUntil(() => [...this.presences.values()].find(
			(p) => (from.includes('/') ? p.attrs.from
				: bare(p.attrs.from)) === from &&
				(p.attrs.type ?? null) === type),
		`presence ${type ?? 'available'} of ${from}`);
	}

	// --- the button --------------------------------------------------------
	// Available resources of a contact with their features.
	async resourcesOf(jid) {
		const list = [...this.presences.values()].filter((p) =>
			bare(p.attrs.from) === bare(jid) && !p.attrs.type);
		return Promise.all(list.map(async (p) => ({
			jid: p.attrs.from,
			features: await this.featuresOf(p),
		})));
	}

	async featuresOf(presence) {
		const c = presence.getChild('c', NS.caps);
		const node = c && `${c.attrs.node}#${c.attrs.ver}`;
		const key = node ?? presence.attrs.from;
		if (!this.disco_.has(key))
			this.disco_.set(key, this.disco(presence.attrs.from, node)
				.then(({ features }) => features, () => []));
		return this.disco_.get(key);
	}

	// Whether the client would offer to call; media as wanted.
	async hasButton(jid) {
		const all = await this.resourcesOf(jid);
		return all.some(({ features }) =>
			CALL_FEATURES.slice(0, 4).every((f) => features.includes(f)));
	}

	// --- calling -------------------------------------------------------------
	newSid() {
		return `${randomId(4)}-${randomId(2)}-4${randomId(1)}0-8` +
			`${randomId(1)}0-${randomId(6)}`;
	}

	newCall(fields) {
		const call = { state: 'new', shown: [], own: credentials(),
			media: ['audio'], trickled: [], infos: [], ...fields };
		this.calls.push(call);
		return call;
	}

	get call_() {
		return this.calls[this.calls.length - 1];
	}

	// What is on the screen now: calls that ring, or all not yet over.
	get windows() {
		return this.calls.filter((c) => c.state === 'ringing');
	}

	get live() {
		return this.calls.filter((c) => !OVER.has(c.state));
	}

	show(call, what) {
		call.state = what;
		call.shown.push(what);
		this.note(`shows "${what}" (${call.sid})`);
		this.wake();
	}

	// Until the person sees one of `wanted` for the call.
	async shows(call, ...wanted) {
		await this.waitUntil(() => wanted.includes(call.state),
			`the screen to show ${wanted.join(' or ')}, ` +
			`not ${call.state}`);
		return call;
	}

	// Until a window rings; the newest one.
	async rings(timeout) {
		await this.waitUntil(() => this.windows.length > 0,
			'a window that rings', timeout);
		return this.windows[this.windows.length - 1];
	}

	describe(media) {
		return media.map((m) =>
			`<description xmlns='${NS.rtp}' media='${m}'/>`).join('');
	}

	async call(to, media = ['audio'], { remembered = false, sid } = {}) {
		if (!remembered && !await this.hasButton(to))
			throw new Error(`${this.label}: no call button for ${to}`);
		const call = this.newCall({ out: true, to: bare(to),
			peer: bare(to), media, sid: sid ?? this.newSid() });
		this.show(call, 'calling');
		await this.propose(call);
		return call;
	}

	propose(call) {
		return this.send(this.jmiXml('propose', { to: call.to,
			sid: call.sid, inner: this.describe(call.media),
			store: true }));
	}

	async initiate(call) {
		this.show(call, 'connecting');
		call.offer = this.offerXml(call);
		await this.jingle(call.peer, jingleXml('session-initiate', call.sid,
			call.offer, this.initiatorAttribute()));
		await this.sendTrickle(call);
	}

	initiatorAttribute() {
		return ` initiator='${escape(this.jid)}'`;
	}

	offerXml(call) {
		return contents(call.style ?? this.style, 'offer', call.media,
			{ own: call.own, ...call.offerOptions });
	}

	answerXml(call, offer) {
		const names = {};
		for (const content of offer.getChildren('content')) {
			const { media } = content.getChild('description').attrs;
			names[media] = content.attrs.name;
		}
		return contents(call.style ?? this.style, 'answer',
			mediaOf(offer), { own: call.own, names,
				...call.answerOptions });
	}

	async sendTrickle(call) {
		const [name] = call.names ?? this.contentNames(call);
		await this.jingle(call.peer, jingleXml('transport-info', call.sid,
			trickle(name, { ...call.own, fingerprint: undefined })),
		{ mayFail: true });
	}

	contentNames(call) {
		return [...(call.offer ?? call.answer)
			.matchAll(/<content [^>]*name="([^"]*)"/g)].map((m) => m[1]);
	}

	async cancel(call = this.call_) {
		if (call.state === 'connecting')
			return this.terminate(call, 'cancel');
		await this.retract(call);
		this.show(call, 'cancelled');
	}

	retract(call) {
		return this.send(this.jmiXml('retract', { to: call.to,
			sid: call.sid, inner: `<reason xmlns='${NS.jingle}'>` +
				`<cancel/></reason>`, store: true }));
	}

	// --- being called ------------------------------------------------------
	async answer(call = this.windows[this.windows.length - 1], options = {}) {
		call.answerOptions = options;
		if (call.plain)
			return this.accept(call);
		this.show(call, 'proceeding');
		await this.sendAccept(call);
		await this.sendProceed(call);
		return call;
	}

	sendAccept(call) {
		return this.send(this.jmiXml('accept', { to: this.bare,
			sid: call.sid, store: true }));
	}

	sendProceed(call) {
		return this.send(this.jmiXml('proceed', { to: call.peer,
			sid: call.sid, store: true }));
	}

	async decline(call = this.windows[this.windows.length - 1]) {
		this.show(call, 'declined');
		if (call.plain)
			return this.terminate(call, 'decline');
		await this.sendReject(call);
	}

	sendReject(call) {
		return this.send(this.jmiXml('reject', { to: call.peer,
			sid: call.sid, store: true, inner:
				`<reason xmlns='${NS.jingle}'><decline/></reason>` }));
	}

	// The person closes the window and tells nobody.
	dismiss(call = this.windows[this.windows.length - 1]) {
		this.show(call, 'missed');
	}

	// `initiator` in a session-accept, where a client has it there.
	acceptAttribute() {
		return '';
	}

	async accept(call) {
		call.answer = this.answerXml(call, call.initiate);
		await this.jingle(call.peer, jingleXml('session-accept', call.sid,
			call.answer, this.acceptAttribute()));
		if (OVER.has(call.state))
			return call;
		this.show(call, 'active');
		await this.sendTrickle(call);
		return call;
	}

	// --- during and after -----------------------------------------------
	async hangUp(call = this.call_) {
		await this.terminate(call, 'success');
		await this.afterEnd(call, 'success');
	}

	async terminate(call, reason, text) {
		this.show(call, reason === 'decline' ? 'declined' : 'ended');
		await this.jingle(call.peer, jingleXml('session-terminate',
			call.sid, reasonXml(reason, text)), { mayFail: true });
	}

	afterEnd(call, reason) {
		return this.sendFinish(call, reason);
	}

	sendFinish(call, reason) {
		return this.send(this.jmiXml('finish', { to: call.peer,
			sid: call.sid, store: true, inner:
			`<reason xmlns='${NS.jingle}'><${reason}/></reason>` }));
	}

	async mute(call, name, on = true) {
		return this.jingle(call.peer, jingleXml('session-info', call.sid,
			`<${on ? 'mute' : 'unmute'} xmlns='${NS.info}' ` +
			`creator='initiator' name='${name}'/>`));
	}

	// --- what comes in ---------------------------------------------------
	onStanza(el) {
		if (el.name === 'presence')
			this.onPresence(el);
		else if (el.name === 'message')
			this.onMessage(el);
		else if (el.attrs.type === 'set' && jingleOf(el))
			this.onJingle(el, jingleOf(el));
		else if (el.attrs.type === 'set' && el.getChild('query', NS.roster))
			this.onRoster(el);
		else if (el.attrs.type === 'get' && el.getChild('query', NS.info_))
			this.onDisco(el);
		else
			this.answerOther(el);
	}

	onRoster(el) {
		this.rosterFrom(el.getChild('query', NS.roster));
		this.result(el);
	}

	onDisco(el) {
		const [category, type, , name] =
			this.constructor.identity.split('/');
		const { node } = el.getChild('query', NS.info_).attrs;
		this.result(el, `<query xmlns='${NS.info_}'` +
			`${node ? ` node='${escape(node)}'` : ''}>` +
			`<identity category='${category}' type='${type}' ` +
			`name='${name}'/>${this.features.map((f) =>
				`<feature var='${f}'/>`).join('')}</query>`);
	}

	onPresence(el) {
		const { from, type } = el.attrs;
		if (type === 'subscribe')
			this.onSubscribe(from);
		else if (!type || type === 'unavailable')
			this.presences.set(from, el);
	}

	// The person accepts whom he knows, and the service and its contacts.
	onSubscribe(from) {
		if (!this.approves)
			return;
		this.send(`<presence to='${escape(from)}' type='subscribed'/>`);
	}

	onMessage(el) {
		const carbon = carbonOf(el);
		const inner = carbon ? carbon.el : el;
		if (carbon && el.attrs.from !== this.bare)
			return;
		const child = jmiOf(inner);
		if (inner.attrs.type === 'error')
			this.onMessageError(inner);
		else if (child)
			this.onJmi(child.name, inner, child, carbon?.kind);
	}

	onMessageError() {
	}

	findCall(sid, peer) {
		return this.calls.find((c) => c.sid === sid &&
			(!peer || bare(c.peer) === bare(peer)) &&
			!OVER.has(c.state));
	}

	onJmi(name, el, child, carbon) {
		const { from } = el.attrs;
		const { id } = child.attrs;
		if (this.isOwn(from))
			return this.onOwnJmi(name, el, id, carbon);
		const call = this.findCall(id, from);
		if (name === 'propose')
			return this.onPropose(el, child);
		if (!call)
			return undefined;
		return this[`on_${name}`]?.(call, el, child);
	}

	// From another device of the person, directly or as a carbon.
	onOwnJmi(name, el, id) {
		const call = this.findCall(id);
		if (!call || call.out || el.attrs.from === this.jid)
			return;
		if (name === 'accept' || name === 'proceed')
			this.show(call, 'elsewhere');
		else if (name === 'reject')
			this.show(call, 'declined');
	}

	onPropose(el, child) {
		const call = this.newCall({ out: false, peer: el.attrs.from,
			sid: child.attrs.id, media: child.getChildren('description')
				.map((d) => d.attrs.media) });
		this.ring(call);
	}

	ring(call) {
		this.show(call, 'ringing');
		if (this.sendsRinging && !call.plain)
			this.send(this.jmiXml('ringing', { to: call.peer,
				sid: call.sid, store: true }));
	}

	on_ringing(call) {
		if (call.out && call.state === 'calling')
			this.show(call, 'rings');
	}

	on_proceed(call, el) {
		if (!call.out || el.attrs.to !== this.jid)
			return;
		call.peer = el.attrs.from;
		if (this.holdsInitiate)
			this.show(call, 'proceed');
		else
			this.later(this.initiate(call));
	}

	on_reject(call, el, child) {
		call.reason = reasonOf(child);
		if (call.out)
			this.show(call, call.reason.name === 'busy' ? 'busy'
				: 'declined');
	}

	on_retract(call, el, child) {
		call.reason = reasonOf(child);
		if (!call.out)
			this.show(call, 'missed');
	}

	on_finish(call, el, child) {
		call.reason = reasonOf(child);
		this.show(call, 'ended');
	}

	// Work that goes on by itself; a story sees its failure as a fault.
	later(promise) {
		promise.catch((error) => this.faults.push(
			String(error.stack ?? error)));
	}

	onJingle(el, j) {
		const { action, sid } = j.attrs;
		const call = this.findCall(sid, el.attrs.from);
		if (action === 'session-initiate')
			return this.onInitiate(el, j, call);
		if (!call || !this.samePeer(call, el.attrs.from))
			return this.error(el, 'cancel', 'item-not-found',
				`<unknown-session xmlns='${NS.errors}'/>`);
		const name = action.replace(/-/g, '_');
		if (this[`on_${name}`])
			return this[`on_${name}`](el, call, j);
		return this.error(el, 'cancel', 'feature-not-implemented');
	}

	samePeer(call, from) {
		return call.peer === from;
	}

	onInitiate(el, j, call) {
		if (call?.state === 'proceeding') {
			call.initiate = j;
			this.result(el);
			this.show(call, 'connecting');
			if (!this.holdsAccept)
				this.later(this.accept(call));
			return;
		}
		this.result(el);
		this.ringPlain(el, j);
	}

	// A session-initiate without JMI: XEP-0166's own ringing.
	ringPlain(el, j) {
		const call = this.newCall({ out: false, plain: true,
			peer: el.attrs.from, sid: j.attrs.sid, initiate: j,
			media: mediaOf(j) });
		this.ring(call);
		this.later(this.jingle(call.peer, jingleXml('session-info',
			call.sid, `<ringing xmlns='${NS.info}'/>`),
		{ mayFail: true }));
	}

	on_session_accept(el, call, j) {
		call.accepted = j;
		this.result(el);
		this.show(call, 'active');
	}

	on_session_terminate(el, call, j) {
		call.reason = reasonOf(j);
		this.result(el);
		this.show(call, this.endOf(call));
	}

	endOf(call) {
		const { name } = call.reason;
		if (call.state === 'ringing')
			return 'missed';
		if (name === 'decline' && call.out)
			return 'declined';
		if (name === 'busy' && call.out)
			return 'busy';
		return ['success', 'cancel', undefined].includes(name) ? 'ended'
			: 'failed';
	}

	on_transport_info(el, call, j) {
		this.result(el);
		call.trickled.push(j);
	}

	on_session_info(el, call, j) {
		this.result(el);
		const child = j.children.find((c) => c.name);
		call.infos.push(child ? `${child.name} ${child.attrs.name ?? ''}`
			.trim() : 'ping');
		if (child?.name === 'ringing' && call.out)
			this.show(call, 'rings');
	}

	on_content_modify(el, call, j) {
		this.result(el);
		call.modified = j;
	}

	on_content_add(el, call, j) {
		this.result(el);
		call.added = j;
	}

	on_content_accept(el, call, j) {
		this.result(el);
		call.contentAccepted = j;
	}

	on_content_reject(el, call, j) {
		this.result(el);
		call.contentRejected = j;
	}

	on_content_remove(el, call, j) {
		this.result(el);
		call.contentRemoved = j;
	}

	// --- its own clock ------------------------------------------------------
	after(ms, what, run) {
		const timer = { at: this.now + ms, what, run };
		this.timers.push(timer);
		return () => {
			this.timers = this.timers.filter((t) => t !== timer);
		};
	}

	async tick(ms) {
		this.now += ms;
		for (const timer of this.timers.filter((t) => t.at <= this.now)) {
			this.timers = this.timers.filter((t) => t !== timer);
			this.note(`timer: ${timer.what}`);
			await timer.run();
		}
	}
}

export { byName, candidate, contents, jingleXml, mediaOf, reasonXml, trickle };
