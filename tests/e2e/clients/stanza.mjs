// stanza.mjs: behaves as our web client does: Chromium by stanza.js 12.22.1
//
// Sources are of stanza.js below jingle/: Session = Session.js, Ice =
// ICESession.js. What Chromium says was recorded (data/browser.*.xml); real
// ones are in headless.mjs.

import { randomUUID } from 'node:crypto';
import { NS } from './ns.mjs';
import { CALL_FEATURES, candidate, jingleXml, Phone, reasonXml, trickle }
	from './phone.mjs';

export class Stanza extends Phone {
	static node = 'https://stanzajs.org';
	static identity = 'client/web//Web client';
	static features = [...CALL_FEATURES, NS.jmi, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping];
	style = 'browser';

	newSid() {
		return randomUUID();
	}

	// Ice, onIceCandidate: the ufrag alone, one candidate a stanza, at last
	// the end of them.
	async sendTrickle(call) {
		const [name] = this.contentNames(call);
		for (const inner of [candidate(), '<gathering-complete/>'])
			await this.jingle(call.peer, jingleXml('transport-info',
				call.sid, trickle(name, { ufrag: call.own.ufrag,
					inner })), { mayFail: true });
	}

	// Session, onContentAdd: the reject names no content.
	on_content_add(el, call, j) {
		super.on_content_add(el, call, j);
		this.later(this.jingle(call.peer, jingleXml('content-reject',
			call.sid, reasonXml('failed-application',
				'content-add is not supported')), { mayFail: true }));
	}

	// Session: it adds none itself.
	on_content_accept(el) {
		return this.error(el, 'modify', 'bad-request');
	}

	on_content_reject(el) {
		return this.on_content_accept(el);
	}

	on_content_modify(el) {
		return this.on_content_accept(el);
	}

	on_content_remove(el) {
		return this.on_content_accept(el);
	}
}
