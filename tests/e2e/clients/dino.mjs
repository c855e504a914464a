// dino.mjs: behaves as Dino 0.4.2 does in calls
//
// Sources are of dino/dino, tag v0.4.2: Calls = libdino/src/service/calls.vala,
// Peer = libdino/src/service/call_peer_state.vala, State = libdino/src/service/
// call_state.vala, Jmi = xmpp-vala/src/module/xep/
// 0353_jingle_message_initiation.vala, Jingle = xmpp-vala/src/module/xep/
// 0166_jingle/jingle_module.vala.

import { randomUUID } from 'node:crypto';
import { contents } from './bodies.mjs';
import { bare, jmiOf } from './match.mjs';
import { NS } from './ns.mjs';
import { byName, CALL_FEATURES, jingleXml, Phone } from './phone.mjs';

export class Dino extends Phone {
	static node = 'https://dino.im';
	static identity = 'client/pc//Dino';
	static features = [...CALL_FEATURES, NS.jmi, NS.receipts,
		'urn:xmpp:jingle:transports:raw-udp:1',
		'urn:xmpp:jingle:apps:file-transfer:5', NS.carbons];
	style = 'dino';
	sendsRinging = false;          // Jmi: there is no send_ringing

	constructor(options) {
		super(options);
		this.remembered = new Set();
	}

	newSid() {
		return randomUUID();
	}

	// Calls, has_jmi_resources: the database remembers any resource that
	// ever had JMI, even when it is gone.
	async hasButton(jid) {
		const all = await this.resourcesOf(jid);
		for (const { features } of all)
			if (features.includes(NS.jmi))
				this.remembered.add(bare(jid));
		return this.remembered.has(bare(jid)) || all.some(
			({ features }) => [NS.rtp, NS.jingle, NS.ice].every(
				(f) => features.includes(f)));
	}

	// Peer, initiate_call: JMI if any resource has it, else a
	// session-initiate to the first capable one. Jmi: no <store/>.
	async propose(call) {
		const all = (await this.resourcesOf(call.to)).filter(
			({ features }) => [NS.rtp, NS.jingle].every(
				(f) => features.includes(f)));
		if (all.length && !all.some((r) => r.features.includes(NS.jmi))) {
			call.peer = all[0].jid;
			call.plain = true;
			return this.initiate(call);
		}
		return this.send(this.jmiXml('propose', { to: call.to,
			sid: call.sid, inner: this.describe(call.media) }));
	}

	// Jmi, send_session_retract_to_peer: no reason, no <store/>.
	retract(call) {
		return this.send(this.jmiXml('retract', { to: call.to,
			sid: call.sid }));
	}

	// Peer, call_resource: asks disco of the JID that proceed came from;
	// Jingle, create_session throws "No Jingle support" when it does not
	// answer or has no jingle:1 and ice-udp:1: nothing is sent.
	async initiate(call) {
		const { features } = await this.disco(call.peer).catch(
			() => ({ features: [] }));
		if (![NS.jingle, NS.ice].every((f) => features.includes(f))) {
			this.note('No Jingle support: sends nothing');
			call.silent = true;
			this.wake();
			return;
		}
		await super.initiate(call);
	}

	// All candidates are in initiate and accept.
	async sendTrickle() {
	}

	// Peer, accept: accept to itself first, then proceed with the OMEMO
	// device. No <store/>.
	sendAccept(call) {
		return this.send(this.jmiXml('accept', { to: this.bare,
			sid: call.sid }));
	}

	sendProceed(call) {
		return this.send(this.jmiXml('proceed', { to: call.peer,
			sid: call.sid, inner:
				`<device xmlns='${NS.omemo}' id='31415'/>` }));
	}

	// Peer, reject: to the caller, and to its own bare JID.
	async sendReject(call) {
		await this.send(this.jmiXml('reject', { to: call.peer,
			sid: call.sid }));
		await this.send(this.jmiXml('reject', { to: this.bare,
			sid: call.sid }));
	}

	// Calls, session_proposed: a window for each propose that comes, known
	// sid or not; State: no ring timer on either side (its 30 s timer only
	// looks at ESTABLISHING).
	onPropose(el, child) {
		super.onPropose(el, child);
	}

	// Jmi, on_received_message: ringing, finish and errors are unknown.
	on_ringing() {
	}

	on_finish() {
	}

	onMessageError(el) {
		this.ignoredErrors = (this.ignoredErrors ?? 0) +
			(jmiOf(el) ? 1 : 0);
	}

	// Calls, session_accepted: accept and proceed alike, from the bare JID
	// called, `to` the own full JID.
	on_accept(call, el) {
		this.on_proceed(call, el);
	}

	// Calls, session_rejected: any reason is "declined".
	on_reject(call, el, child) {
		super.on_reject(call, el, child);
		if (call.out)
			this.show(call, 'declined');
	}

	// Jingle, handle_iq_set: sessions are found by sid alone, whoever sends;
	// a session-initiate with a live sid is a conflict.
	onJingle(el, j) {
		const { action, sid } = j.attrs;
		const call = this.calls.find((c) => c.sid === sid && c.session);
		if (action === 'session-initiate') {
			if (call)
				return this.error(el, 'modify', 'conflict');
			return this.onInitiate(el, j, this.findCall(sid,
				el.attrs.from));
		}
		const own = this.calls.find((c) => c.sid === sid &&
			(c.session || c.out) && !['ended', 'failed', 'declined',
				'cancelled'].includes(c.state));
		if (!own)
			return this.error(el, 'cancel', 'item-not-found',
				`<unknown-session xmlns='${NS.errors}'/>`);
		// One <content/> in all but session-accept.
		if (/^(content|transport|description)-/.test(action) &&
		    j.getChildren('content').length !== 1)
			return this.error(el, 'modify', 'bad-request');
		const name = `on_${action.replace(/-/g, '_')}`;
		return this[name] ? this[name](el, own, j)
			: this.error(el, 'cancel', 'feature-not-implemented');
	}

	onInitiate(el, j, call) {
		if (call)
			call.session = true;
		super.onInitiate(el, j, call);
	}

	ringPlain(el, j) {
		super.ringPlain(el, j);
		this.call_.session = true;
	}

	// Components, id, generation, network and foundation are read without a
	// check: all must be there, or the stanza is an error.
	on_transport_info(el, call, j) {
		for (const content of j.getChildren('content'))
			for (const c of content.getChild('transport', NS.ice)
				?.getChildren('candidate') ?? [])
				if (!['component', 'foundation', 'ip', 'port',
					'priority', 'type'].every((a) => c.attrs[a]))
					return this.error(el, 'modify', 'bad-request');
		return super.on_transport_info(el, call, j);
	}

	// A content that the other adds is accepted without a question; Dino
	// writes creator='initiator' whoever made it.
	on_content_add(el, call, j) {
		super.on_content_add(el, call, j);
		const [[name, content]] = byName(j);
		this.later(this.jingle(call.peer, jingleXml('content-accept',
			call.sid, contents('dino', 'answer', ['video'], {
				names: { video: name }, creator: 'initiator',
				senders: { video: content.attrs.senders },
			}))));
	}

	// Camera on, without video so far.
	addVideo(call) {
		return this.jingle(call.peer, jingleXml('content-add', call.sid,
			contents('dino', 'offer', ['video'], {
				creator: 'initiator',
				senders: { video: call.out ? 'initiator'
					: 'responder' },
			})));
	}

	// Not in 0.4.2.
	on_content_reject(el) {
		return this.error(el, 'cancel', 'feature-not-implemented');
	}

	on_content_remove(el) {
		return this.error(el, 'cancel', 'feature-not-implemented');
	}

	// No finish, ever.
	async afterEnd() {
	}
}
