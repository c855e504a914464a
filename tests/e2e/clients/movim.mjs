// movim.mjs: behaves as Movim 0.35-dev does in calls
//
// Sources are of movim/movim: Stanza = src/Moxl/Stanza/Jingle.php, Visio =
// app/Widgets/Visio/Visio.php, Sdp = src/Movim/Librairies/SDPtoJingle.php.

import { randomUUID } from 'node:crypto';
import { contents } from './bodies.mjs';
import { escape } from './client.mjs';
import { NS } from './ns.mjs';
import { CALL_FEATURES, jingleXml, Phone, trickle } from './phone.mjs';

export class Movim extends Phone {
	static node = 'https://movim.eu/';
	static identity = 'client/web//Movim';
	static features = [...CALL_FEATURES, NS.jmi, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping];

	newSid() {
		return randomUUID();
	}

	async hasButton(jid) {
		const all = await this.resourcesOf(jid);
		return all.some(({ features }) => features.includes(NS.jmi) &&
			features.includes(NS.audio));
	}

	// Stanza, messagePropose: video before audio, no <store/>.
	propose(call) {
		return this.send(this.jmiXml('propose', { to: call.to,
			sid: call.sid,
			inner: this.describe([...call.media].sort().reverse()) }));
	}

	// Stanza, messageRetract: cancel, and a text.
	retract(call) {
		return this.send(this.jmiXml('retract', { to: call.to,
			sid: call.sid, inner: `<reason xmlns='${NS.jingle}'>` +
				'<cancel/><text>Retracted</text></reason>' }));
	}

	// Visio, onPropose: ringing to everybody who proposes.
	ring(call) {
		this.show(call, 'ringing');
		if (!call.plain)
			this.send(this.jmiXml('ringing', { to: call.peer,
				sid: call.sid }));
	}

	// Visio: there is no handler for ringing.
	on_ringing() {
	}

	// Visio, ajaxProceed: no accept to itself.
	async sendAccept() {
	}

	sendProceed(call) {
		return this.send(this.jmiXml('proceed', { to: call.peer,
			sid: call.sid }));
	}

	// Stanza, messageReject: no reason.
	sendReject(call) {
		return this.send(this.jmiXml('reject', { to: call.peer,
			sid: call.sid }));
	}

	// Stanza, messageFinish: the text is "Success" whatever the reason.
	sendFinish(call, reason) {
		return this.send(this.jmiXml('finish', { to: call.peer,
			sid: call.sid, inner: `<reason xmlns='${NS.jingle}'>` +
				`<${reason}/><text>Success</text></reason>` }));
	}

	// Sdp: `initiator` is the own bare JID, whoever started, and also in
	// accept; `responder` is the peer's.
	initiatorAttribute() {
		return ` initiator='${escape(this.bare)}'`;
	}

	acceptAttribute() {
		return this.initiatorAttribute();
	}

	// Sdp, in transport-info: ufrag alone, creator always initiator; TCP
	// candidates stay in.
	async sendTrickle(call) {
		const [name] = this.contentNames(call);
		await this.jingle(call.peer, jingleXml('transport-info', call.sid,
			trickle(name, { ufrag: call.own.ufrag }),
			this.initiatorAttribute()), { mayFail: true });
	}

	// Visio, ajaxContentModify: the full SDP.
	modify(call, senders, names) {
		return this.jingle(call.peer, jingleXml('content-modify', call.sid,
			contents('webrtc', call.out ? 'offer' : 'answer',
				call.media, { own: call.own, senders, names }),
			this.initiatorAttribute()), { mayFail: true });
	}

	// Stanza, sessionMute: no creator.
	mute(call, name, on = true) {
		return this.jingle(call.peer, jingleXml('session-info', call.sid,
			`<${on ? 'mute' : 'unmute'} xmlns='${NS.info}' ` +
			`name='${name}'/>`));
	}

	// Visio, onRetract/onReject/onFinish: all are onTerminate.
	on_retract(call, el, child) {
		super.on_retract(call, el, child);
		if (call.out)
			this.show(call, 'ended');
	}
}
