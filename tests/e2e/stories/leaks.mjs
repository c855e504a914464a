// leaks.mjs: what a call that is not allowed says to either side, while the
// component is up, down, and coming and going: the tables of doc/admin/

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi, jmiOf, ofCall, reasonOf } from '../clients/match.mjs';
import { assert, story } from '../story.mjs';

const FLAPS = 3;
const OFF = 'Private calls are turned off on this server.';
const DOWN = 'Calls are not available right now. Try again shortly.';
const NOT_ALLOWED = 'Action not allowed.';
const NOT_ACTIVE = 'NAME is not active right now.';
const ERROR = 'an error of the server\'s';
const RINGS = 'it rings';

// `when_down`, cause, and what the caller hears while the component is up and
// down. One that comes and goes is one of the two at each moment, and up once
// it has come back.
const TABLE = {
	refuse: {
		'switch off': { up: OFF, down: OFF },
		'blocked': { up: NOT_ACTIVE, down: DOWN },
		'restricted': { up: NOT_ALLOWED, down: DOWN },
	},
	native: {
		'switch off': { up: OFF, down: OFF },
		'blocked': { up: NOT_ACTIVE, down: ERROR },
		'restricted': { up: NOT_ALLOWED, down: RINGS },
	},
};

// What Alice hears of a call to this user, or that he rings.
async function ask(t, a, b) {
	const { sid } = await a.call(b.bare, ['audio'], { remembered: true });
	const answer = a.waitUntil(() => {
		const [no] = a.received(jmi('reject', { id: sid }));
		if (no)
			return reasonOf(jmiOf(no)).text.replace(
				new RegExp(b.user, 'i'), 'NAME');
		return a.received((el) => el.attrs.type === 'error' &&
			el.attrs.id === `jm-propose-${sid}`).length && ERROR;
	}, 'an answer');
	const window = b.waitUntil(() => b.windows.find((w) => w.sid === sid),
		'a window').then(async (ring) => {
		await a.cancel(a.calls.find((c) => c.sid === sid));
		await b.shows(ring, 'missed');
		return RINGS;
	});
	for (const wait of [answer, window])
		wait.catch(() => {});          // one of them comes in time
	return Promise.race([answer, window]);
}

// Nothing of the call at its called, nothing of his devices at the caller.
async function saysNothing(a, b, marks, cell) {
	await b.expectNothing(ofCall, `call stanza, ${cell}`,
		{ from: marks[1], fence: false });
	await a.expectNothing((el) => el.attrs.from === b.jid,
		`stanza of his device, ${cell}`, { from: marks[0], fence: false });
}

// One call to him: the answer, and, where it was refused, nothing more.
async function cellIs(t, a, b, cell, wanted) {
	const marks = [a.mark(), b.mark()];
	const got = await ask(t, a, b);
	assert(wanted.includes(got),
		`${cell}: "${got}", not "${wanted.join('" or "')}"`);
	if (got === RINGS)
		return;
	for (const client of [a, b])
		await client.iq('get', t.host, '<ping xmlns=\'urn:xmpp:ping\'/>');
	await saysNothing(a, b, marks, cell);
}

// Asked in the moment of a kill, while the component comes back, and when it is
// back: only then it is known which of the two it is.
async function flap(t, { up, down }, one) {
	for (let i = 0; i < FLAPS; i++) {
		await t.crash();
		await one('killed', [up, down]);
		const back = t.revive();
		await one('coming back', [up, down]);
		await back;
		await one('back', [up]);
	}
}

story('F3 F25 X4 a call that is switched off, blocked or restricted says ' +
	'nothing, the component up, down, or coming and going',
{ server: true, lasts: 120, conf: { pair_per_minute: 1000,
	caller_per_minute: 1000 } }, async (t) => {
	const a = await t.login(Conversations, 'alice');
	const called = { 'switch off': await t.login(Dino, 'bob'),
		'blocked': await t.login(Dino, 'carol'),
		'restricted': await t.login(Dino, 'dora') };
	await called.blocked.block(a.bare);
	await t.setting('dora', 'who_may_call', 'contacts');
	const each = async (causes, when, asking) => {
		for (const [cause, row] of causes)
			await asking(row, (state, wanted) => cellIs(t, a,
				called[cause], `${cause}, ${state}, when_down = ${
					when}`, wanted));
	};
	for (const [when, rows] of Object.entries(TABLE))
		for (const off of [false, true]) {
			await t.prosody.setModule({ private_calls: !off,
				privatecall_when_down: when });
			await t.settle();
			const causes = Object.entries(rows).filter(([cause]) =>
				(cause === 'switch off') === off);
			await each(causes, when, ({ up }, one) => one('up', [up]));
			await t.crash();
			await t.away();
			await each(causes, when, ({ down }, one) =>
				one('down', [down]));
			await t.revive();
			await each(causes, when, (row, one) => flap(t, row, one));
		}
});
