// jmi.test.js: XEP-0353 elements as they go over the wire
import { JXT, createClient } from 'stanza';
import { expect, test } from 'vitest';
import { isStale, jmiMessage, readJmi, useJmi } from '../src/jmi.js';

const client = createClient({ jid: 'alice@localhost' });
useJmi(client);

function read(xml) {
	return client.stanzas.import(JXT.parse(xml), {});
}

test('a propose names its media and asks to be stored', () => {
	const message = jmiMessage('bob@localhost', 'propose', 'c1',
		{ media: ['audio', 'video'] });
	const xml = client.stanzas.export('message', message).toString();
	expect(xml).toContain(
		'<propose xmlns="urn:xmpp:jingle-message:0" id="c1">');
	expect(xml.match(/<description [^>]*media="(audio|video)"/g))
		.toHaveLength(2);
	expect(xml).toContain('<store xmlns="urn:xmpp:hints"/>');
	expect(xml).toContain('type="chat"');
});

test('a reject is read with its reason and text', () => {
	expect(readJmi(read('<message xmlns="jabber:client" type="chat" ' +
		'from="bob@calls.localhost/call" to="alice@localhost/page">' +
		'<reject xmlns="urn:xmpp:jingle-message:0" id="c1">' +
		'<reason xmlns="urn:xmpp:jingle:1"><timeout/>' +
		'<text>Bob did not answer.</text></reason></reject>' +
		'</message>')))
		.toEqual({ type: 'reject', id: 'c1', media: [],
			from: 'bob@calls.localhost/call',
			reason: { condition: 'timeout',
				text: 'Bob did not answer.' } });
});

test('errors, other namespaces and missing ids are no call messages', () => {
	for (const xml of [
		'<message xmlns="jabber:client" type="error"><propose ' +
			'xmlns="urn:xmpp:jingle-message:0" id="c1"/></message>',
		'<message xmlns="jabber:client"><propose ' +
			'xmlns="urn:xmpp:jingle:jingle-message:0" id="c1"/>' +
			'</message>',
		'<message xmlns="jabber:client"><propose ' +
			'xmlns="urn:xmpp:jingle-message:0"/></message>',
	])
		expect(readJmi(read(xml))).toBe(null);
});

test('a propose of 31 s ago does not ring', () => {
	const now = Date.parse('2026-01-01T00:01:00Z');
	const at = (time) => ({ delay: { timestamp: new Date(time) } });
	expect(isStale(at('2026-01-01T00:00:29Z'), now)).toBe(true);
	expect(isStale(at('2026-01-01T00:00:31Z'), now)).toBe(false);
	expect(isStale({}, now)).toBe(false);
});
