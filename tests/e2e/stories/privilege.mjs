// privilege.mjs: facts by XEP-0356, where the server has no module of ours and
// grants what doc/admin/ says; beside each what happens without
//
// Users have added contacts of ours, as everywhere in gateway mode; what is
// told here is what the server knows of their own addresses.

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { check, isEjabberd, options, privileged, scene } from '../scene.mjs';
import { equal, story } from '../story.mjs';

async function callIsRefused(t, a, b, cause, caller = 'alice') {
	const from = b.mark();
	const out = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await a.shows(out, 'declined');
	await t.settle();
	await b.expectNothing((el) => el.toString().includes('jingle-message'),
		'a call', { from });
	equal((await t.logged(caller)).result, cause, 'cause');
}

async function callRings(t, a, b) {
	const out = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await b.rings();
	await a.cancel(out);
	await b.waitUntil(() => !b.live.length, 'the ringing to end');
}

story('X4 XEP-0356: who is blocked at the user\'s own address does not get ' +
	'through at ours, where the server gives block lists', options,
async (t) => {
	await scene(t, privileged(t));
	let [a, b] = await t.pair(Conversations, Dino);
	await callRings(t, a, b);
	await b.block(a.bare);
	const { host } = await check(t);
	if (isEjabberd(t)) {
		equal(host.block_lists, 'none', 'block lists of ejabberd');
		await callRings(t, a, b);
		return;
	}
	equal(host.block_lists, 'privilege', 'block lists');
	await callIsRefused(t, a, b, 'blocked');
	await b.unblock(a.bare);
	await callRings(t, a, b);
	await a.block(b.bare);
	await callIsRefused(t, a, b, 'blocked');
	await a.unblock(b.bare);
	await b.block(t.prosody.host);
	await callIsRefused(t, a, b, 'blocked');
	await scene(t, {});
	equal((await check(t)).host.block_lists, 'none', 'without');
	[a, b] = await t.pair(Conversations, Dino);
	await b.block(a.bare);
	await callRings(t, a, b);
});

// Bob, whom contacts alone may call, has Alice in his roster and has not added
// her contact of ours.
async function contactsOnly(t) {
	const a = t.user('alice');
	const b = t.user('bob');
	await t.prosody.settled?.();
	t.prosody.makeContacts(a, b);
	await t.prosody.settled?.();
	const alice = await t.login(Conversations, 'alice');
	const bob = await t.login(Dino, 'bob');
	await t.setting('bob', 'who_may_call', 'contacts');
	return [alice, bob];
}

story('F25 XEP-0356: who is in the user\'s own roster is a contact of his',
	options, async (t) => {
		await scene(t, privileged(t));
		equal((await check(t)).host.rosters, 'privilege', 'rosters');
		let [a, b] = await contactsOnly(t);
		await callRings(t, a, b);
		const stranger = await t.login(Conversations, 'eve');
		await callIsRefused(t, stranger, b, 'privacy', 'eve');
		await scene(t, {});
		equal((await check(t)).host.rosters, 'none', 'without');
		[a, b] = await contactsOnly(t);
		await callIsRefused(t, a, b, 'privacy');
	});

story('F4 XEP-0356: who has not added us is known to be active, where the ' +
	'server gives presence', { ...options, not: { ejabberd:
	'its mod_privilege does not say who is gone: the page grants none' } },
async (t) => {
	await scene(t, privileged(t));
	equal((await check(t)).host.sessions, 'privilege', 'sessions');
	const a = await t.login(Conversations, 'alice');
	const b = await t.login(Dino, 'bob', { register: false });
	await t.settle();
	await callRings(t, a, b);
	await t.daemon.restart();
	await t.connected();
	await t.settle();
	await callRings(t, a, b);
	b.drop();
	await t.gone(b);
	const out = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await a.shows(out, 'declined');
});
