// sdp.mjs: a session description as Jingle and back, by what our web client
// does it with: stanza.js, of web/

import { createRequire } from 'node:module';

const WEB = new URL('../../../web/package.json', import.meta.url);
const ICE = 'urn:xmpp:jingle:transports:ice-udp:1';
let loaded;

// Not before somebody needs it: most stories do not.
function stanza() {
	if (!loaded) {
		const need = createRequire(WEB);
		const { Jingle, JXT, Stanzas } = need('stanza');
		const registry = new JXT.Registry();
		registry.define(Stanzas.default);
		loaded = { JXT, registry, ...Jingle,
			...need('stanza/jingle/sdp/Protocol') };
	}
	return loaded;
}

// What is in the <jingle/> of him who has this role.
export function contentsOf(sdp, role) {
	const { convertIntermediateToRequest, importFromSDP, registry } =
		stanza();
	const jingle = convertIntermediateToRequest(importFromSDP(sdp), role,
		ICE);
	return registry.export('iq.jingle', jingle).children.map(String)
		.join('');
}

// Of a <jingle/> that came from him who has this role.
export function sdpOf(jingle, role) {
	const { convertRequestToIntermediate, exportToSDP, JXT, registry } =
		stanza();
	return exportToSDP(convertRequestToIntermediate(
		registry.import(JXT.parse(String(jingle))), role));
}
