// wait.mjs: `rejoin = notify`: who comes back into a call that both have left
// waits in it, and rings nobody; media are in browsers.mjs

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { Plain } from '../clients/plain.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { equal, story } from '../story.mjs';

// The mode of calls is room then, in auto as well.
const NOTIFY = { media: 'default', conf: { rejoin: 'notify' } };

// They have talked, and left.
async function talked(t, A, B) {
	const [a, b] = await t.pair(A, B);
	const [out, ring] = await t.connect(a, b);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.clock('+3s');
	return [a, b];
}

// `one` calls and is in it by himself; the other is told.
async function waits(t, one, other) {
	const from = other.mark();
	const call = await one.call(t.contact(other.user), ['audio'],
		{ remembered: true });
	await one.shows(call, 'active');
	await other.waitFor(t.notice(/is back in your call[^]*You can rejoin/));
	await other.expectNothing(jmi('propose'), undefined, { from });
	equal(other.windows.length, 0, 'windows');
	equal((await t.ctl('calls')).data.calls.map(({ state, mode }) =>
		`${state} ${mode}`), ['up room'], 'calls');
	return call;
}

for (const [A, B] of [[Conversations, Dino], [Dino, Conversations],
	[Monal, Movim], [Siskin, Monal], [Plain, Plain]])
	story(`F23 X8 rejoin = notify, ${A.name} and ${B.name}: who comes back ` +
		'rings nobody, the other comes when he likes', NOTIFY, async (t) => {
		const [a, b] = await talked(t, A, B);
		const call = await waits(t, b, a);
		const from = b.mark();
		const comes = await a.call(t.contact(b.user), ['audio'],
			{ remembered: true });
		await a.shows(comes, 'active');
		await b.waitFor(t.notice(/is back in your call since [0-9:]* UTC.$/));
		await b.expectNothing(jmi('propose'), undefined, { from });
		equal([call.state, b.live.length], ['active', 1], 'the call');
		await b.hangUp(call);
		await a.shows(comes, 'ended');
		equal((await t.logged('alice')).result, 'answered', 'result');
		await t.quiet();
	});

story('F21 F23 rejoin = notify: nobody comes, and who was not rung has ' +
	'missed nothing', NOTIFY, async (t) => {
	const [a, b] = await talked(t, Conversations, Conversations);
	const call = await waits(t, b, a);
	await b.hangUp(call);
	await t.clock('+3s');
	equal((await t.logged('alice')).result, 'cancelled', 'result');
	await a.expectNothing(t.notice(/missed/i));
	const again = await waits(t, b, a);
	await t.clock('+61s');
	await b.shows(again, 'failed', 'ended');
	equal((await t.running()).length, 0, 'calls');
	await a.expectNothing(t.notice(/missed/i));
	await t.quiet();
});
