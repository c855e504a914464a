// plain.mjs: a client with Jingle calls and without XEP-0353
//
// Calls by a session-initiate to the best resource and rings for one, as
// XEP-0166 and 0167 say: session-info ringing, session-terminate decline.

import { NS } from './ns.mjs';
import { CALL_FEATURES, Phone } from './phone.mjs';

export class Plain extends Phone {
	static node = 'https://example.org/plain';
	static identity = 'client/pc//Plain';
	static features = [...CALL_FEATURES, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping];
	sendsRinging = false;

	async propose(call) {
		const [first] = (await this.resourcesOf(call.to)).filter(
			({ features }) => features.includes(NS.rtp));
		call.plain = true;
		call.peer = call.dial ?? first?.jid ?? call.to;
		await this.initiate(call);
	}

	// XEP-0166, tie-breaking: the loser's iq fails, and he is called.
	async initiate(call) {
		try {
			await super.initiate(call);
		} catch (error) {
			if (!/conflict\+tie-break/.test(error.message))
				throw error;
			this.show(call, 'ended');
		}
		if (call.state === 'connecting')
			call.state = 'calling';
	}

	// Without an answer yet it is a session-terminate, cancel.
	async cancel(call = this.call_) {
		await this.terminate(call, 'cancel');
		call.state = 'cancelled';
	}

	onJmi() {
	}

	async afterEnd() {
	}

	async answer(call = this.windows[this.windows.length - 1], options) {
		call.answerOptions = options;
		return this.accept(call);
	}
}
