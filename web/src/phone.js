// phone.js: one logged-in user who calls and is called
//
// What happens is kept in `log`, in order; wait() looks there and then ahead.

import { JID, createClient } from 'stanza';
import { isStale, jmiMessage, readJmi, useJmi } from './jmi.js';
import { iceServers } from './services.js';
import { mediaStats } from './stats.js';

const WAIT_MS = 20000;

function reasonText(reason) {
	return { reason: reason.condition, text: reason.text };
}

function matches(event, match) {
	return Object.entries(match).every(([name, value]) =>
		event[name] === value);
}

export class Phone {
	// sasl: the one mechanism to log in with; by default the best there is
	constructor({ jid, password, websocket, resource = 'page', sasl }) {
		this.jid = jid;
		this.log = [];
		this.calls = new Map();
		this.waiting = new Set();
		this.onStream = () => {};
		this.client = createClient({
			jid, password, resource,
			server: JID.getDomain(jid),
			transports: { websocket, bosh: false },
			autoReconnect: false,
			sendReceipts: true,
			jingle: { iceServers: [] },
		});
		if (sasl)
			for (const { name } of this.client.sasl.mechanisms)
				if (name !== sasl)
					this.client.sasl.disable(name);
		useJmi(this.client);
		this.listen();
	}

	record(what, detail = {}) {
		const event = { at: Date.now(), what, ...detail };
		this.log.push(event);
		for (const check of [...this.waiting])
			check();
		return event;
	}

	// The first event `what` with these fields, at or after log[from].
	wait(what, match = {}, { from = 0, timeout = WAIT_MS } = {}) {
		return new Promise((resolve, reject) => {
			const find = () => this.log.slice(from).find((e) =>
				e.what === what && matches(e, match));
			const timer = setTimeout(() => {
				this.waiting.delete(check);
				const seen = this.log.slice(from);
				reject(new Error(`${this.jid}: no ${what} ` +
					`${JSON.stringify(match)} within ` +
					`${timeout} ms, but ${seen.map((e) =>
						e.what).join(', ') || 'nothing'}`));
			}, timeout);
			const check = () => {
				const event = find();
				if (!event)
					return;
				clearTimeout(timer);
				this.waiting.delete(check);
				resolve(event);
			};
			this.waiting.add(check);
			check();
		});
	}

	listen() {
		const { client } = this;
		client.on('connected', () => this.record('connected'));
		client.on('auth:success', () => this.record('authenticated'));
		client.on('session:started', () => this.started());
		client.on('auth:failed', () => this.record('auth-failed'));
		client.on('stream:error', (error) => this.record('stream-error',
			{ condition: error.condition, text: error.text }));
		client.on('disconnected', () => this.record('disconnected'));
		client.on('message', (message) => this.onMessage(message));
		client.on('presence', (presence) => this.record('presence', {
			from: presence.from,
			type: presence.type ?? 'available',
			show: presence.show,
			caps: presence.legacyCapabilities?.length > 0,
		}));
		client.on('subscribe', ({ from }) => {
			client.acceptSubscription(from);
			this.record('approved', { from });
		});
		// The library ends a session whose peer goes unavailable, and says
		// so to nobody. He may come back to it: the service says when it
		// is over.
		client.jingle.endPeerSessions = () => {};
		client.on('jingle:incoming', (session) =>
			this.onSession(session));
		client.on('jingle:accepted', (session) =>
			this.record('accepted', { sid: session.sid }));
		client.on('jingle:terminated', (session, reason) =>
			this.onEnd(session, reason));
		client.on('jingle:created', (session) => this.watch(session));
	}

	async started() {
		const { client } = this;
		await client.getRoster();
		await client.enableCarbons();
		client.updateCaps();
		client.sendPresence(
			{ legacyCapabilities: client.disco.getCaps() });
		this.record('online', { jid: client.jid });
	}

	login() {
		this.client.connect();
		return this.wait('online');
	}

	async logout() {
		const gone = this.wait('disconnected');
		this.client.disconnect();
		await gone;
	}

	// Asks to see the presence of `jid`, whose own wish is granted as any.
	addContact(jid) {
		this.client.subscribe(jid);
	}

	async features(jid) {
		return (await this.client.getDiscoInfo(jid)).features;
	}

	onMessage(message) {
		if (message.carbon)
			return;
		const said = readJmi(message);
		if (said) {
			this.onJmi(said, message);
			return;
		}
		if (message.body || message.type === 'error')
			this.record(message.type ?? 'normal', {
				id: message.id,
				from: message.from,
				subject: message.subject,
				body: message.body,
				condition: message.error?.condition,
			});
	}

	onJmi({ type, id, from, media, reason, migrated }, message) {
		const known = this.calls.get(id);
		const own = JID.equalBare(from, this.client.jid);
		if (own || (type !== 'propose' && !known))
			return;
		if (type === 'propose') {
			this.onPropose({ id, from, media }, message);
			return;
		}
		if (!JID.equalBare(from, known.peer))
			return;
		this.record(type, { sid: id, from, migrated,
			...reasonText(reason) });
		if (type === 'proceed')
			this.startSession(known, from);
		if (['reject', 'retract'].includes(type))
			this.release(id);
	}

	onPropose({ id, from, media }, message) {
		if (this.calls.has(id) || isStale(message)) {
			this.record('propose-ignored', { sid: id, from });
			return;
		}
		this.calls.set(id, { sid: id, peer: from, media });
		this.say(from, 'ringing', id);
		this.record('propose', { sid: id, from, media: media.join() });
	}

	say(to, type, id, more) {
		this.client.sendMessage(jmiMessage(to, type, id, more));
	}

	// Credentials of TURN end after a time: they are asked for at each call. A
	// server that names none answers with an error.
	async findServers() {
		const { client } = this;
		const { services } = await client.getServices(client.config.server)
			.catch(() => ({ services: [] }));
		client.jingle.iceServers = iceServers(services);
	}

	async openDevices(media) {
		await this.findServers();
		return navigator.mediaDevices.getUserMedia({
			audio: media.includes('audio'),
			video: media.includes('video'),
		});
	}

	// Calls `to` (a bare JID), devices first as in F41. Returns the sid.
	async call(to, media = ['audio', 'video']) {
		const sid = crypto.randomUUID();
		const stream = await this.openDevices(media);
		this.calls.set(sid, { sid, peer: to, media, stream });
		this.say(to, 'propose', sid, { media });
		this.record('called', { sid, to });
		return sid;
	}

	cancel(sid) {
		this.say(this.calls.get(sid).peer, 'retract', sid,
			{ reason: { condition: 'cancel' } });
		this.release(sid);
	}

	async answer(sid) {
		const call = this.calls.get(sid);
		call.stream = await this.openDevices(call.media);
		this.onStream('local', call.stream);
		this.say(JID.toBare(this.client.jid), 'accept', sid);
		this.say(call.peer, 'proceed', sid);
		this.record('answered', { sid });
	}

	decline(sid) {
		const { peer } = this.calls.get(sid);
		const why = { reason: { condition: 'decline' } };
		this.say(JID.toBare(this.client.jid), 'reject', sid, why);
		this.say(peer, 'reject', sid, why);
		this.release(sid);
		this.record('declined', { sid });
	}

	hangup(sid, condition = 'success') {
		this.calls.get(sid).session.end(condition);
	}

	startSession(call, peer) {
		if (call.session)
			return;
		call.peer = peer;
		call.session = this.client.jingle.createMediaSession(peer,
			call.sid, call.stream);
		this.onStream('local', call.stream);
		call.session.start();
	}

	onSession(session) {
		const call = this.calls.get(session.sid);
		const expected = call?.stream &&
			JID.equalBare(session.peerID, call.peer);
		if (!expected) {
			this.record('session-refused', { sid: session.sid });
			session.end('decline');
			return;
		}
		call.session = session;
		for (const track of call.stream.getTracks())
			session.addTrack(track, call.stream);
		session.accept();
		this.record('session', { sid: session.sid,
			from: session.peerID });
	}

	watch(session) {
		const { pc, sid } = session;
		pc?.addEventListener('connectionstatechange', () =>
			this.record('connection', { sid,
				state: pc.connectionState }));
		pc?.addEventListener('track', ({ streams }) =>
			this.onStream('remote', streams[0]));
	}

	onEnd(session, reason) {
		const call = this.calls.get(session.sid);
		this.record('terminated', { sid: session.sid,
			...reasonText(reason ?? {}) });
		if (!call)
			return;
		this.say(JID.toBare(call.peer), 'finish', session.sid,
			{ reason: { condition: reason?.condition ?? 'gone' } });
		this.release(session.sid);
	}

	// The entry stays: a late message about this call is still understood.
	release(sid) {
		const call = this.calls.get(sid);
		for (const track of call?.stream?.getTracks() ?? [])
			track.stop();
	}

	stats(sid) {
		return mediaStats(this.calls.get(sid).session.pc);
	}
}
