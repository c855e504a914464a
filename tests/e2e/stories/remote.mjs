// remote.mjs: users of a host that has not our module, and of a server that
// cannot be reached: calls of the server's own, or ours with `remote_users`

import { Conversations } from '../clients/conversations.mjs';
import { errorOf, jmi, ofCall } from '../clients/match.mjs';
import { equal, REMOTE_HOST, story } from '../story.mjs';

const NOT_ALLOWED = { name: 'decline', text: 'Action not allowed.' };
const OFF = { name: 'decline',
	text: 'Private calls are turned off on this server.' };

// Bob of this host, Dave and Eve of the other; Bob and Dave are contacts.
async function three(t) {
	const bob = t.jid('bob');
	const elsewhere = await t.ofHost(REMOTE_HOST, async () => {
		t.prosody.setRoster(t.user('dave'), [{ jid: bob }],
			REMOTE_HOST);
		return [await t.login(Conversations, 'dave'),
			await t.login(Conversations, 'eve')];
	});
	t.prosody.setRoster(t.user('bob'), [{ jid: elsewhere[0].bare }], t.host);
	return [await t.login(Conversations, 'bob'), ...elsewhere];
}

async function talk(from, to) {
	const out = await from.call(to.bare, ['audio'], { remembered: true });
	const ring = await to.rings();
	await to.answer(ring);
	await from.shows(out, 'active');
	await from.hangUp(out);
	await to.shows(ring, 'ended');
}

async function refused(from, to, reason) {
	const out = await from.call(to, ['audio'], { remembered: true });
	await from.shows(out, 'declined');
	equal(out.reason, reason, 'reason');
}

story('F25 remote users off: calls are the server\'s own both ways, but with ' +
	'the switch off', { server: true, lasts: 120 }, async (t) => {
	const [b, d] = await three(t);
	await talk(d, b);
	await talk(b, d);
	equal((await t.log('bob')).length, 0, 'entries in the log');
	const out = await b.call('nobody@nowhere.invalid', ['audio'],
		{ remembered: true });
	await b.shows(out, 'failed');
	await t.prosody.setModule({ private_calls: false });
	await refused(d, b.bare, OFF);
	await refused(b, d.bare, OFF);
});

story('F25 X4 remote users on: contacts of another host ring and are logged, ' +
	'strangers are refused, the block list binds',
{ server: true, lasts: 120, conf: { remote_users: true } }, async (t) => {
	await t.prosody.setModule({ privatecall_remote_users: true });
	const [b, d, e] = await three(t);
	await talk(d, b);
	equal((await t.logged('bob')).result, 'answered', 'log');
	const from = b.mark();
	await refused(e, b.bare, NOT_ALLOWED);
	await b.block(d.bare);
	// As of any message, his own server tells him.
	const out = await d.call(b.bare, ['audio'], { remembered: true });
	await d.shows(out, 'failed');
	equal(errorOf(d.received((el) => el.attrs.type === 'error').at(-1)),
		'service-unavailable', 'error');
	await b.expectNothing(ofCall, undefined, { from });
	await b.unblock(d.bare);
	// Whom they allow is not known here.
	for (const to of [d.bare, 'nobody@nowhere.invalid'])
		await refused(b, to, NOT_ALLOWED);
	await d.expectNothing(jmi('propose'));
});
