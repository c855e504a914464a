// siskin.mjs: behaves as Siskin 7.4 with Martin does in calls
//
// Sources: Session = tigase/Martin Sources/Martin/modules/jingle/
// JingleSession.swift, Module = .../JingleModule.swift, Manager =
// tigase/siskin-im SiskinIM/voip/JingleManager.swift, CallManager = .../
// CallManager.swift.

import { randomBytes } from 'node:crypto';
import { NS } from './ns.mjs';
import { CALL_FEATURES, Phone } from './phone.mjs';

export class Siskin extends Phone {
	static node = 'http://tigase.org/TigaseSwiftX';
	static identity = 'client/phone//Siskin IM';
	static features = [...CALL_FEATURES, NS.jmi, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping];
	sendsRinging = false;          // Martin knows no ringing

	// Manager, String.randomString(length: 20).
	newSid() {
		return randomBytes(30).toString('base64')
			.replace(/[^A-Za-z0-9]/g, '').slice(0, 20);
	}

	async capable(jid) {
		return (await this.resourcesOf(jid)).filter(({ features }) =>
			[NS.jingle, NS.ice, NS.dtls, NS.rtp, NS.audio].every(
				(f) => features.includes(f)));
	}

	async hasButton(jid) {
		return (await this.capable(jid)).length > 0;
	}

	// CallManager, initiateOutgoingCall: JMI only if all capable resources
	// have it, with none too (0 == 0); else a session-initiate to each.
	// Module, sendMessageInitiation: no <store/>.
	async propose(call) {
		const all = await this.capable(call.to);
		const jmi = all.filter((r) => r.features.includes(NS.jmi));
		if (jmi.length === all.length)
			return this.send(this.jmiXml('propose', { to: call.to,
				sid: call.sid, inner: this.describe(call.media) }));
		call.plain = true;
		call.peer = all[0].jid;
		return this.initiate(call);
	}

	// Session, terminate: a call not yet accepted is cancelled by `reject`;
	// Module: each reject goes to the own bare JID too. Never a retract.
	retract(call) {
		return this.sendReject({ peer: call.peer, sid: call.sid });
	}

	async sendReject(call) {
		await this.send(this.jmiXml('reject', { to: this.bare,
			sid: call.sid }));
		await this.send(this.jmiXml('reject', { to: call.peer,
			sid: call.sid }));
	}

	// Module: proceed sends accept to the own bare JID first.
	sendAccept(call) {
		return this.send(this.jmiXml('accept', { to: this.bare,
			sid: call.sid }));
	}

	sendProceed(call) {
		return this.send(this.jmiXml('proceed', { to: call.peer,
			sid: call.sid }));
	}

	// Manager, messageInitiation: propose is dropped when there is a session
	// of this JID and sid.
	onPropose(el, child) {
		if (this.live.some((c) => c.sid === child.attrs.id &&
			c.peer === el.attrs.from))
			return;
		super.onPropose(el, child);
	}

	// Manager, messageInitiation: accept and reject of another own device
	// end it; a proceed looks for a session with its sender and finds none.
	onOwnJmi(name, el, id, carbon) {
		if (name !== 'proceed')
			super.onOwnJmi(name, el, id, carbon);
	}

	// Manager: retract needs the full JID of the propose (or a session of a
	// bare JID); ringing and finish are unknown.
	on_retract(call, el, child) {
		if (el.attrs.from === call.peer || !call.peer.includes('/'))
			super.on_retract(call, el, child);
	}

	on_ringing() {
	}

	on_finish() {
	}

	// Manager: accept and reject end the session of that sid, whoever sent
	// them.
	on_accept(call) {
		this.show(call, call.out ? 'ended' : 'elsewhere');
	}

	on_reject(call, el, child) {
		super.on_reject(call, el, child);
		this.show(call, 'declined');
	}

	// Module, process: these throw feature-not-implemented.
	on_content_accept(el) {
		return this.error(el, 'cancel', 'feature-not-implemented');
	}

	on_content_reject(el) {
		return this.error(el, 'cancel', 'feature-not-implemented');
	}

	async afterEnd() {
	}
}
