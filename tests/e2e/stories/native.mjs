// native.mjs: the scripted clients call each other without the service
//
// Shows that the personas speak to each other as the real clients do, and
// that their bad sides are there: each is what a rule of the product answers.

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { Plain } from '../clients/plain.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { assert, equal, story } from '../story.mjs';

const KINDS = [Conversations, Dino, Monal, Movim, Siskin];

async function two(t, A, B) {
	t.prosody.makeContacts(t.user('alice'), t.user('bob'));
	const [a, b] = await Promise.all([
		t.login(A, 'alice', { resource: 'desk', register: false }),
		t.login(B, 'bob', { resource: 'phone', register: false }),
	]);
	await Promise.all([a.waitPresence(b.jid), b.waitPresence(a.jid)]);
	return [a, b];
}

const native = { native: true, slow: true };

for (const A of KINDS)
	story(`native: ${A.name} calls each of the others`, native,
		async (t) => {
			for (const B of KINDS) {
				const [a, b] = await two(t, A, B);
				const out = await a.call(b.bare, ['audio', 'video']);
				const ring = await b.rings();
				await b.answer(ring);
				await a.shows(out, 'active');
				await b.shows(ring, 'active');
				await a.hangUp(out);
				await b.shows(ring, 'ended');
				// Movim gives no pwd: what the service repairs.
				if (A === Movim && B === Conversations)
					equal(b.faults.splice(0).length, 1, 'faults');
				t.noFaults();
				await Promise.all([a.close(), b.close()]);
			}
		});

story('native: Plain and Dino call without JMI', native, async (t) => {
	const [a, b] = await two(t, Plain, Dino);
	const out = await a.call(b.bare);
	const ring = await b.rings();
	await a.shows(out, 'rings');
	await b.answer(ring);
	await a.shows(out, 'active');
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	t.noFaults();
});

story('native: Dino opens a window for each propose and never ends ringing',
	native, async (t) => {
		const [a, b] = await two(t, Conversations, Dino);
		const out = await a.call(b.bare);
		await b.rings();
		await a.propose(out);
		await a.fence();
		await b.fence();
		equal(b.windows.length, 2, 'windows');
		await b.tick(3600 * 1000);
		equal(b.windows.length, 2, 'windows after an hour');
	});

story('native: Dino sends nothing when the answering address has no disco',
	native, async (t) => {
		const [a, b] = await two(t, Dino, Conversations);
		b.onDisco = (el) => b.error(el, 'cancel', 'service-unavailable');
		a.remembered.add(b.bare);
		const out = await a.call(b.bare, ['audio'], { remembered: true });
		await b.answer(await b.rings());
		await a.waitUntil(() => out.silent, 'Dino to give up');
		await b.fence();
		equal(out.state, 'calling', 'what Dino shows for ever');
	});

story('native: Conversations ignores a retract from another resource, and ' +
	'rejects without a reason at 30 s', native, async (t) => {
	const [a, b] = await two(t, Dino, Conversations);
	const other = await t.another(Dino, 'alice', { resource: 'other' });
	const out = await a.call(b.bare);
	const ring = await b.rings();
	await other.send(other.jmiXml('retract', { to: b.bare, sid: out.sid }));
	await other.fence();
	await b.fence();
	equal(ring.state, 'ringing', 'the window');
	await b.tick(30000);
	const el = await a.waitFor(jmi('reject', { id: out.sid }));
	assert(!/<reason/.test(el.toString()), 'a reason in the reject');
	equal(ring.state, 'missed', 'the window');
});

story('native: Conversations ends a call whose offer has other media or no ' +
	'fingerprint', native, async (t) => {
	const [a, b] = await two(t, Dino, Conversations);
	for (const offerOptions of [{ fingerprint: false },
		{ setup: 'active' }]) {
		const out = await a.call(b.bare);
		out.offerOptions = offerOptions;
		await b.answer(await b.rings());
		await a.shows(out, 'failed');
		equal(out.reason.name, 'security-error', 'reason');
	}
	a.holdsInitiate = true;
	const out = await a.call(b.bare);
	await b.answer(await b.rings());
	await a.shows(out, 'proceed');
	out.media = ['audio', 'video'];
	await a.initiate(out);
	await a.shows(out, 'failed');
});

story('native: Conversations gives up after 12 s when no device rings',
	native, async (t) => {
		const [a, b] = await two(t, Conversations, Siskin);
		const out = await a.call(b.bare);
		await b.rings();
		await a.tick(12000);
		equal(out.state, 'cancelled', 'the call');
		await b.shows(b.call_, 'missed');
	});

story('native: Monal ignores strangers and old proposes, and moves to a ' +
	'second propose by itself', native, async (t) => {
	t.user('carol');
	const [a, b] = await two(t, Dino, Monal);
	const carol = await t.login(Dino, 'carol', { register: false });
	await carol.call(b.bare, ['audio'], { remembered: true });
	await carol.fence();
	await b.fence();
	equal(b.ignored, 1, 'ignored');
	const out = await a.call(b.bare);
	await b.answer(await b.rings());
	await a.shows(out, 'active');
	await a.call(b.bare);
	await a.waitFor(jmi('finish', { id: out.sid, reason: 'expired' }));
	equal(b.migrations, 1, 'migrations');
});

story('native: Siskin cancels by reject, and Monal says busy to decline',
	native, async (t) => {
		const [a, b] = await two(t, Siskin, Monal);
		const out = await a.call(b.bare);
		await b.rings();
		await a.cancel(out);
		await b.waitFor(jmi('reject', { id: out.sid }));
		const back = await b.call(a.bare);
		await a.rings();
		await b.cancel(back);
		const third = await a.call(b.bare);
		b.calls.forEach((c) => (c.state = 'ended'));
		await b.fence();
		await b.sendReject({ peer: a.jid, sid: third.sid });
		await a.waitFor(jmi('reject', { reason: 'busy' }));
	});
