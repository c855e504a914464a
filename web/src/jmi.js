// jmi.js: XEP-0353 (Jingle Message Initiation) for stanza, which has none
//
// A message carries at most one of its elements, here `message.jmi`:
// { type, id, media: ["audio", "video"], reason: { condition, text },
// migrated: the id of the call that this one has become }.

import { JXT, Namespaces } from 'stanza';

export const NS_JMI = 'urn:xmpp:jingle-message:0';

// A propose this old is a missed call, not a call.
const STALE_MS = 30000;
const TYPES = ['propose', 'ringing', 'proceed', 'accept', 'reject', 'retract',
	'finish'];

const definitions = [
	...TYPES.map((type) => ({
		element: type,
		fields: {
			id: JXT.attribute('id'),
			migrated: JXT.childAttribute(null, 'migrated', 'to'),
		},
		namespace: NS_JMI,
		path: 'message.jmi',
		type,
		typeField: 'type',
	})),
	JXT.addAlias(Namespaces.NS_JINGLE_RTP_1, 'description',
		[{ path: 'message.jmi.descriptions', multiple: true }]),
	JXT.addAlias(Namespaces.NS_JINGLE_1, 'reason', ['message.jmi.reason']),
];

export function useJmi(client) {
	client.stanzas.define(definitions);
	client.disco.addFeature(NS_JMI);
}

// The message to send; `more` may hold media (of a propose) and reason.
export function jmiMessage(to, type, id, { media, reason } = {}) {
	return {
		to,
		type: 'chat',
		jmi: {
			type,
			id,
			descriptions: media?.map((kind) => ({
				applicationType: Namespaces.NS_JINGLE_RTP_1,
				media: kind,
			})),
			reason,
		},
		processingHints: { store: true },
	};
}

// What a received message says: null, or { type, id, from, media, reason }.
export function readJmi(message) {
	const { jmi, from, type } = message;
	if (!jmi?.id || type === 'error')
		return null;
	return {
		type: jmi.type,
		id: jmi.id,
		from,
		media: (jmi.descriptions ?? []).map((d) => d.media),
		reason: jmi.reason ?? {},
		migrated: jmi.migrated,
	};
}

export function isStale(message, now = Date.now()) {
	const at = message.delay?.timestamp;
	return at !== undefined && now - new Date(at).getTime() > STALE_MS;
}
