// g-alive.mjs: a component that hangs is as one that is gone

import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../e2e/children.mjs';
import { equal } from '../../e2e/story.mjs';
import { reasonOf } from '../../e2e/clients/match.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { accepted, jingle, jmi, refusal, rule, stanza }
	from '../rule.mjs';

const DOWN = { name: 'gone',
	text: 'Calls are not available right now. Try again shortly.' };
const GIVEN_UP_MS = 10000;       // more than it takes
const ping = (t) => (el) => el.attrs.from === t.server.host &&
	el.attrs.type === 'get' && el.getChild('ping', NS.ping);
const pings = (t) => t.link.received(ping(t)).length;

async function refusalOf(caller) {
	return reasonOf((await caller.waitFor(/<reject/, 'a refusal', GIVEN_UP_MS))
		.getChild('reject', NS.jmi));
}

rule('alive: who has hung is cut off, its start refused, and not relayed ' +
	'when it is back', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	t.link.hangs = true;
	const stale = t.link;
	const m = await alice.message(bob.bare, jmi('propose', 'P1'));
	await stale.waitFor(stanza(m));
	equal(await refusalOf(alice), DOWN, 'reason');
	await until(() => !stale.online, 'the end of the stream');
	await alice.message(bob.bare, jmi('propose', 'P2'));
	equal(await refusalOf(alice), DOWN, 'reason of the next');
	await t.up();
	equal(refusal(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1'))), 'forbidden session', 'propose');
	equal(refusal(await t.relayIq('set', alice.jid, bob.jid,
		jingle('session-initiate', 'P1'))), 'forbidden session',
	'session-initiate');
	await t.nothing(bob, /propose|session-initiate/);
	const id = await alice.message(bob.bare, jmi('propose', 'P3'));
	await t.redirected(alice, id);
	accepted(await t.relayMessage(alice.jid, bob.bare, jmi('propose', 'P3')));
	await bob.waitFor(/<propose/);
});

rule('alive: who is replaced while it hangs is as one that is gone',
	async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	const stale = t.link;
	stale.hangs = true;
	const id = await alice.message(bob.bare, jmi('propose', 'P1'));
	await stale.waitFor(stanza(id));
	await t.up();
	await until(() => !stale.online, 'the end of the old stream');
	equal(await refusalOf(alice), DOWN, 'reason');
	equal(refusal(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1'))), 'forbidden session', 'propose');
	await t.nothing(bob, /propose/);
});

rule('alive: what it took of a call that runs is delivered, once',
	async (t) => {
		const [alice, bob] = await t.called();
		accepted(await t.relayMessage(alice.jid, bob.bare,
			jmi('propose', 'P1')));
		t.link.hangs = true;
		const info = await alice.set(bob.jid,
			jingle('session-info', 'P1', ''));
		await t.link.waitFor(stanza(info));
		await bob.waitFor(/session-info/, 'it', GIVEN_UP_MS);
		await t.up();
		const end = await alice.set(bob.jid,
			jingle('session-terminate', 'P1', ''));
		await t.redirected(alice, end);
		await t.nothing(bob, /session-terminate/);
	});

rule('alive: asked once after what was redirected, and not when nothing was',
	async (t) => {
		const [alice, bob] = await t.called();
		await t.link.waitFor(ping(t));
		const before = pings(t);
		const id = await alice.message(bob.bare, jmi('retract', 'P1'));
		await t.redirected(alice, id);
		await t.link.waitFor(ping(t));
		await pause(2500);
		equal([before, pings(t)], [1, 2], 'pings');
		await t.nothing(bob, /propose/);
	});

rule('alive: who relays is there, though he answers no ping', async (t) => {
	const [alice, bob] = await t.called();
	t.link.hangs = true;
	await t.link.waitFor(ping(t));
	// Longer than it takes to cut one off who says nothing.
	for (let i = 0; i < 14; i++) {
		accepted(await t.relayMessage(`${bob.bare}/privatecall`,
			alice.jid, jmi('ringing', 'P1'), { id: `r${i}` }));
		await pause(500);
	}
	const id = await alice.message(bob.bare, jmi('retract', 'P1'));
	await t.redirected(alice, id);
	await t.nothing(alice, /<reject/);
});
