// aftermath.mjs: what must hold when something died during a call: nobody rings
// or is left alone, log and notices are right, the next call rings
//
// The world `w` of a story: { t: the story }.

import { jmi, jmiOf, notice } from './clients/match.mjs';
import { assert, equal } from './story.mjs';

const phones = (w) => w.t.clients.filter((c) => c.online && c.calls);
// Phones that show a running call, and what they said to end calls.
export const talking = (w) => phones(w).filter((p) => p.live.some(
	(c) => c.state === 'active')).length;
export const ended = (w) => phones(w).reduce((sum, p) => sum +
	p.sent(/session-terminate/).length, 0);

// Nobody is left in a call of which the daemon knows nothing (I10).
async function nobodyAlone(w) {
	const running = await w.t.running();
	for (const phone of phones(w))
		for (const call of phone.live)
			assert(call.state !== 'active' || running.some((r) =>
				[r.caller, r.callee].includes(phone.bare)),
			`${phone.label} is left in a call that has ended`);
}

// Time runs on; then people end what they still see: what was lost while the
// daemon was away, as in native calls, nobody else can.
export async function rest(w, [talked, endings]) {
	const { t } = w;
	await t.settle();
	await nobodyAlone(w);
	const goes = talking(w) === 2;
	assert(goes || talked !== 2 || ended(w) !== endings,
		'the running call did not go on');
	await t.clock('+31s');
	await t.clock('+31s');
	for (const phone of phones(w))
		equal(phone.windows.length, 0, `windows of ${phone.label}`);
	await nobodyAlone(w);
	for (const phone of phones(w))
		for (const call of [...phone.live])
			if (call.out && call.state !== 'active')
				await phone.cancel(call);
			else
				await phone.hangUp(call);
	await t.settle();
	await t.clock('+31s');
	await t.clock('+3s');
	equal(await t.running(), [], 'calls running');
	return goes;
}

// Calls that ended before the propose left may or may not have rung.
const IF_RUNG = ['cancelled', 'restart', 'switch-off', 'caller-gone'];
const SILENT = ['glare', 're-entered'];

// How many calls of a user's log there are notices of, at least and at most;
// rang: how many rang at his devices.
function due(log, user, rang) {
	let [made, got, unsure] = [0, 0, 0];
	for (const { caller, result } of log) {
		if (SILENT.includes(result))
			continue;
		if (caller === user)
			made += result === 'cancelled' ? 0 : 1;
		else if (IF_RUNG.includes(result))
			unsure++;
		else
			got++;
	}
	return [made + got + Math.max(0, Math.min(unsure, rang - got)),
		made + got + unsure];
}

// A notice that came late is of all calls that one person missed until then.
const MISSED = /(\d+) missed calls from/;
const callsOf = (el) => Number(MISSED.exec(el.getChildText('body'))?.[1] ?? 1);

// I08: of all devices of a user; a notice is known by its id.
export async function account(w, name, kills) {
	const { t } = w;
	const user = t.jid(name);
	const own = t.clients.filter((c) => c.bare === user && c.calls);
	const ids = new Map();
	const missed = new Map();
	for (const device of own) {
		const notices = device.received(notice(t.domain));
		const got = notices.map((el) => el.attrs.id);
		for (const el of notices)
			missed.set(el.attrs.id, callsOf(el));
		for (const id of got)
			ids.set(id, Math.max(ids.get(id) ?? 0,
				got.filter((x) => x === id).length));
	}
	const log = await t.log(name);
	const proposes = new Set(own.flatMap((c) => c.received(jmi('propose'))
		.map((el) => jmiOf(el).attrs.id)));
	const [least, most] = due(log, user, proposes.size);
	const told = [...missed.values()].reduce((sum, n) => sum + n, 0);
	const what = `${name}'s notices, of ${told} calls, for ${
		log.map((e) => e.result).join() || 'no call'}`;
	assert(told >= least && told <= most,
		`${what}: ${least} to ${most} are due`);
	assert(Math.max(0, ...ids.values()) <= 1 + kills,
		`${what}: over one copy more for each kill`);
	assert(proposes.size <= log.filter((e) => e.callee === user).length,
		`${proposes.size} rings, log: ${log.map((e) => e.result)}`);
	if (own.some((c) => c.calls.some((x) => x.shown.includes('active'))))
		assert(log.some((e) => e.answered), 'an answered call is not ' +
			'in the log');
	return [...ids.values()].reduce((sum, n) => sum + n - 1, 0);
}

// The daemon still does its work.
export async function healthy(w) {
	const { t } = w;
	await t.ctl('check');
	const { data } = await t.ctl('status');
	equal([data.live_calls, data.notices_waiting], [0, 0],
		'live calls, notices that wait');
	const [from, to] = phones(w);
	const out = await from.call(t.contact(to.user), ['audio'],
		{ remembered: true });
	await to.rings();
	await from.cancel(out);
	await to.waitUntil(() => !to.windows.length, 'its end');
}
