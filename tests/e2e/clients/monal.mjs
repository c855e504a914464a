// monal.mjs: behaves as Monal (2024-10) does in calls
//
// Sources are of monal-im/Monal below Monal/Classes/: Processor =
// MLMessageProcessor.m, Voip = MLVoIPProcessor.m, Call = MLCall.m.

import { randomUUID } from 'node:crypto';
import { bare } from './match.mjs';
import { NS } from './ns.mjs';
import { CALL_FEATURES, Phone } from './phone.mjs';

const DISCOVER_MS = 30000;             // Call, createDiscoveringTimeoutTimer
const RINGING_MS = 45000;              // Call, createRingingTimeoutTimer
const CONNECT_MS = 15000;              // Call, createConnectingTimeoutTimer
const STALE_MS = 60000;                // Processor: "too old"

export class Monal extends Phone {
	static node = 'http://monal-im.org/';
	static identity = 'client/phone//Monal';
	static features = [...CALL_FEATURES, NS.jmi, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping];

	newSid() {
		return randomUUID();
	}

	// Its caps database must list JMI.
	async hasButton(jid) {
		const all = await this.resourcesOf(jid);
		return all.some(({ features }) => features.includes(NS.jmi));
	}

	// Call, sendJmiPropose: then 30 s to find a device.
	async propose(call) {
		await super.propose(call);
		call.stopTimer = this.after(DISCOVER_MS, 'discovering', () =>
			['calling', 'rings'].includes(call.state) &&
				this.cancel(call));
	}

	// Call, reportRinging: 45 s from each ringing.
	on_ringing(call) {
		super.on_ringing(call);
		call.stopTimer?.();
		call.stopTimer = this.after(RINGING_MS, 'ringing', () =>
			call.state === 'rings' && this.cancel(call));
	}

	// Processor: from strangers (not "subscribed from"), older than 60 s, or
	// without audio: ignored without a word.
	onPropose(el, child) {
		const { from } = el.attrs;
		const stamp = el.getChild('delay', NS.delay)?.attrs.stamp;
		const audio = child.getChildren('description').some(
			(d) => d.attrs.media === 'audio');
		if (!this.subscribed(from, 'from', 'both') || !audio ||
		    (stamp && Date.now() - Date.parse(stamp) > STALE_MS)) {
			this.note('ignores the propose');
			this.ignored = (this.ignored ?? 0) + 1;
			return undefined;
		}
		const old = this.live.find((c) => bare(c.peer) === bare(from));
		if (!old)
			return super.onPropose(el, child);
		return this.breakTie(old, el, child);
	}

	// Voip, handleIncomingVoipCall: before proceed the lower sid stays, the
	// other is rejected with tie-break or its own retracted; a call that runs
	// with the same media migrates by itself, with others it ends.
	breakTie(old, el, child) {
		const fresh = { sid: child.attrs.id, peer: el.attrs.from };
		if (['calling', 'rings', 'ringing'].includes(old.state)) {
			if (Buffer.compare(Buffer.from(old.sid),
				Buffer.from(fresh.sid)) <= 0)
				return this.send(this.jmiXml('reject', {
					to: fresh.peer, sid: fresh.sid, store: true,
					inner: `<reason xmlns='${NS.jingle}'>` +
						'<expired/></reason><tie-break/>' }));
			this.later(old.out ? this.cancel(old)
				: this.decline(old));
			return super.onPropose(el, child);
		}
		const media = child.getChildren('description')
			.map((d) => d.attrs.media);
		if (String([...media].sort()) !== String([...old.media].sort())) {
			this.later(this.hangUp(old));
			return super.onPropose(el, child);
		}
		return this.migrate(old, el, child);
	}

	// Call, migrateTo: finish with migrated for the old, ringing and proceed
	// for the new one; the person is not asked.
	migrate(old, el, child) {
		this.migrations = (this.migrations ?? 0) + 1;
		this.send(this.jmiXml('finish', { to: old.peer, sid: old.sid,
			store: true, inner: `<reason xmlns='${NS.jingle}'>` +
				`<expired/></reason><migrated xmlns='${NS.jingle}' ` +
				`to='${child.attrs.id}'/>` }));
		this.show(old, 'migrated');
		super.onPropose(el, child);
		this.later(this.answer(this.call_));
	}

	// Call, handleEndCall: no `accept` to itself; other devices read the
	// carbon of proceed.
	async sendAccept() {
	}

	async answer(call, options) {
		const done = await super.answer(call, options);
		this.after(CONNECT_MS, 'connecting', () =>
			['proceeding', 'connecting'].includes(done.state) &&
				this.finishWith(done, 'connectivity-error'));
		return done;
	}

	// Call, sendJmiReject: the reason is busy, whatever the person meant.
	sendReject(call) {
		return this.send(this.jmiXml('reject', { to: call.peer,
			sid: call.sid, store: true, inner:
				`<reason xmlns='${NS.jingle}'><busy/></reason>` }));
	}

	// Call, sendJmiFinishWithReason: terminate and finish, both.
	async finishWith(call, reason) {
		await this.terminate(call, reason);
		await this.sendFinish(call, reason);
	}

	// Voip, handleIncomingJMIStanza: of its own devices proceed and reject
	// count; retract and finish from the other side end the call.
	onOwnJmi(name, el, id, carbon) {
		if (name !== 'accept')
			super.onOwnJmi(name, el, id, carbon);
	}
}
