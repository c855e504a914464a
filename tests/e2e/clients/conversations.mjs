// conversations.mjs: behaves as Conversations 2.19 does in calls
//
// Sources are of iNPUTmice/Conversations below src/main/java/eu/siacs/
// conversations/: Manager = xmpp/jingle/JingleConnectionManager.java,
// Rtp = xmpp/jingle/JingleRtpConnection.java, Map = xmpp/jingle/
// RtpContentMap.java, Generator = generator/MessageGenerator.java.

import { randomBytes } from 'node:crypto';
import { escape } from './client.mjs';
import { bare, jmiOf } from './match.mjs';
import { NS } from './ns.mjs';
import { byName, CALL_FEATURES, jingleXml, mediaOf, Phone, reasonXml }
	from './phone.mjs';

const DISCOVERY_MS = 12000;
const BUSY_TIME_OUT_MS = 30000;        // Rtp: BUSY_TIME_OUT

export class Conversations extends Phone {
	static node = 'http://conversations.im';
	static identity = 'client/phone//Conversations';
	static features = [...CALL_FEATURES, NS.jmi, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping, NS.receipts];

	// Manager, RtpSessionProposal.of: 16 bytes as base64url.
	newSid() {
		return randomBytes(16).toString('base64url');
	}

	// Generator, sessionProposal: asks for a receipt, which counts as
	// "device found" exactly as ringing does.
	async propose(call) {
		await this.send(this.jmiXml('propose', { to: call.to,
			id: `jm-propose-${call.sid}`, sid: call.sid,
			inner: this.describe(call.media), store: true,
			extra: `<request xmlns='${NS.receipts}'/>` }));
		// Nobody found within 12 s: it gives up on a mutual contact.
		if (this.subscribed(call.to, 'both'))
			this.after(DISCOVERY_MS, 'no device found', () =>
				call.state === 'calling' && this.cancel(call));
	}

	// Generator, sessionRetract: no reason, and an empty description.
	retract(call) {
		return this.send(this.jmiXml('retract', {
			to: call.state === 'proceed' ? call.peer : call.to,
			sid: call.sid, inner: `<description xmlns='${NS.rtp}'/>`,
			store: true }));
	}

	// Manager, onPropose path: only to those in the contact list (sent since
	// 2023-09, commit fdd7f2926).
	ring(call) {
		this.sendsRinging = this.inRoster(call.peer);
		super.ring(call);
		// Rtp, ringingTimeout: at 30 s it rejects by itself, no reason.
		call.noTimeout = this.after(BUSY_TIME_OUT_MS, 'ringing timeout',
			async () => {
				if (call.state !== 'ringing')
					return;
				this.show(call, 'missed');
				if (call.plain)
					await this.terminate(call, 'decline');
				else
					await this.sendReject(call);
			});
	}

	// Rtp, sendJingleMessage("reject"): neither reason nor a copy to self.
	sendReject(call) {
		return this.send(this.jmiXml('reject', { to: call.peer,
			sid: call.sid, store: true }));
	}

	// Rtp, sendJingleMessage: proceed has an id of its own and, with OMEMO
	// on, the <device/> that makes the caller encrypt his fingerprint.
	sendProceed(call) {
		return this.send(this.jmiXml('proceed', { to: call.peer,
			id: `jm-proceed-${call.sid}`, sid: call.sid, store: true,
			inner: `<device xmlns='${NS.omemo}' id='27183'/>` }));
	}

	// Manager, deliverMessage, "propose".
	onPropose(el, child) {
		const { from } = el.attrs;
		const media = child.getChildren('description')
			.map((d) => d.attrs.media);
		const open = this.calls.find((c) => c.out &&
			['calling', 'rings'].includes(c.state) &&
			c.to === bare(from) &&
			String([...c.media].sort()) === String([...media].sort()));
		if (open)
			return this.breakTie(open, el, child);
		if (this.isBusy())
			return this.sendBusy(el, child);
		return super.onPropose(el, child);
	}

	isBusy() {
		return this.live.length > 0;
	}

	// Manager: "activeDevices == 0" rejects without a reason, with other
	// devices it is silent; both write a missed call.
	sendBusy(el, child) {
		this.missedBusy = (this.missedBusy ?? 0) + 1;
		const others = [...this.presences.values()].some((p) =>
			this.isOwn(p.attrs.from) && p.attrs.from !== this.jid &&
			!p.attrs.type);
		if (!others)
			this.send(this.jmiXml('reject', { to: el.attrs.from,
				sid: child.attrs.id, store: true,
				inner: `<description xmlns='${NS.rtp}'/>` }));
	}

	// Manager: the lower sid wins; the loser retracts its own and proceeds
	// at once, the winner stays silent.
	breakTie(open, el, child) {
		const { id } = child.attrs;
		if (open.sid < id ||
		    (open.sid === id && this.jid < el.attrs.from))
			return;
		this.later(this.cancel(open));
		super.onPropose(el, child);
		this.later(this.answer(this.call_));
	}

	// Manager, "proceed": only when addressed directly and of a known
	// proposal; else a message error item-not-found.
	onJmi(name, el, child, carbon) {
		const { from, to, id: messageId } = el.attrs;
		const { id } = child.attrs;
		if (name === 'proceed' && !this.isOwn(from) && to === this.jid &&
		    !this.calls.some((c) => c.sid === id)) {
			if (messageId)
				this.send(`<message type='error' to='` +
					`${escape(from)}' id='${messageId}'><error ` +
					`code='404' type='cancel'><item-not-found ` +
					`xmlns='${NS.stanzas}'/></error></message>`);
			return;
		}
		super.onJmi(name, el, child, carbon);
	}

	// Manager, "reject": `to` must be the own full JID, and the proposal's
	// bare peer the sender. "DECLINED_OR_BUSY" whatever the reason.
	on_reject(call, el, child) {
		if (!call.out || el.attrs.to !== this.jid)
			return;
		super.on_reject(call, el, child);
	}

	on_ringing(call, el) {
		if (el.attrs.to === this.jid)
			super.on_ringing(call);
	}

	// Rtp, receiveRetract: only from exactly the full JID that proposed.
	on_retract(call, el, child) {
		if (el.attrs.from !== call.peer) {
			this.ignored = (this.ignored ?? 0) + 1;
			return;
		}
		super.on_retract(call, el, child);
	}

	// Manager, onOwnMessage: of its own devices it reads accept, and the
	// carbons of proceed and reject. Rtp, receiveAccept and receiveProceed
	// of oneself: only what still rings can be taken elsewhere.
	onOwnJmi(name, el, id, carbon) {
		if (this.findCall(id)?.state === 'ringing' &&
		    (name === 'accept' || carbon))
			super.onOwnJmi(name, el, id, carbon);
	}

	// A finish (sent since 2024-02, commit 18dea352b) is not acted on.
	on_finish() {
	}

	// XMPP error to the propose: failed, shown as connectivity error.
	onMessageError(el) {
		const call = this.calls.find((c) =>
			el.attrs.id === `jm-propose-${c.sid}`);
		if (call?.state === 'calling')
			this.show(call, 'failed');
		if (jmiOf(el) === undefined && el.attrs.id?.startsWith(
			'jm-proceed-'))
			this.onProceedError(el);
	}

	onProceedError(el) {
		const call = this.calls.find((c) =>
			el.attrs.id === `jm-proceed-${c.sid}`);
		if (call?.state === 'proceeding')
			this.show(call, 'failed');
	}

	// Rtp, receiveSessionInitiate: answers OK, then ends on a missing
	// fingerprint, on a setup that is not actpass, on other media than were
	// proposed. Map, requireDTLSFingerprint.
	onInitiate(el, j, call) {
		const fault = this.faultOf(j, true, call?.media);
		if (!fault)
			return super.onInitiate(el, j, call);
		this.result(el);
		const bad = call ?? this.newCall({ peer: el.attrs.from,
			sid: j.attrs.sid });
		this.later(this.abort(bad, fault));
	}

	async abort(call, fault) {
		this.faults.push(fault);
		this.show(call, 'failed');
		await this.jingle(call.peer, jingleXml('session-terminate',
			call.sid, reasonXml('security-error', fault)),
		{ mayFail: true });
	}

	faultOf(j, actpass, media) {
		for (const [name, content] of byName(j)) {
			const transport = content.getChild('transport', NS.ice);
			// Or one encrypted for it: OmemoVerifiedRtpContentMap.
			const print = transport?.getChild('fingerprint', NS.dtls) ??
				transport?.getChild('fingerprint', NS.omemo);
			if (!print?.children.length || !print.attrs.hash ||
			    !print.attrs.setup)
				return 'Use of DTLS-SRTP (XEP-0320) is required ' +
					`for content ${name}`;
			if (actpass && print.attrs.setup !== 'actpass')
				return 'Initiator needs to offer ACTPASS';
			if (!actpass && print.attrs.setup === 'actpass')
				return 'invalid peer dtls setup';
			// SessionDescription.of: it becomes the SDP's mid.
			if (name.length > 16 || /\s/.test(name))
				return `content name ${name}`;
		}
		if (media && String([...media].sort()) !== String(mediaOf(j)))
			return `included media ${media} but session-initiate ` +
				`was ${mediaOf(j)}`;
		return undefined;
	}

	// Rtp, receiveSessionAccept: the media set must be the offer's.
	on_session_accept(el, call, j) {
		const fault = this.faultOf(j, false, call.media);
		if (!fault)
			return super.on_session_accept(el, call, j);
		this.result(el);
		this.later(this.abort(call, fault));
	}

	// Rtp, receiveTransportInfo and checkForIceRestart: without ufrag and pwd
	// candidates are lost; without candidates it is an ICE restart.
	on_transport_info(el, call, j) {
		super.on_transport_info(el, call, j);
		for (const content of j.getChildren('content')) {
			const transport = content.getChild('transport', NS.ice);
			const { ufrag, pwd } = transport?.attrs ?? {};
			if (!ufrag || !pwd)
				this.faults.push('transport-info without ufrag or ' +
					'pwd: candidates lost');
			else if (!transport.getChild('candidate'))
				call.restarts = [...(call.restarts ?? []),
					{ ufrag, pwd }];
		}
	}

	// Rtp, deliverPacket: no such case before 2023-10, later senders only.
	on_content_modify(el, call, j) {
		if (j.getChildren('content').some((c) =>
			c.getChild('description')))
			return this.error(el, 'cancel', 'bad-request');
		return super.on_content_modify(el, call, j);
	}

	// Rtp, receiveContentRemove: "only supports content-remove as a means to
	// retract a not yet accepted content-add".
	on_content_remove(el, call, j) {
		if (call.added)
			return super.on_content_remove(el, call, j);
		this.result(el);
		call.ignoredRemove = true;
	}

	// Rtp: session-info is answered and ignored.
	on_session_info(el, call, j) {
		super.on_session_info(el, call, j);
	}
}
