// load.mjs: fifty calls of privatecall-probe at once, and a process that dies
// under them (X10): whose packets are counted, one by one

import { until } from '../children.mjs';
import { endedAfterLoss } from '../media.mjs';
import { accounts, startProbe } from '../probe.mjs';
import { assert, equal, story } from '../story.mjs';

const CALLS = 50;
const UP_MS = 60000;
const TOLD_MS = 2000;
const ENDED_MS = 2000;

async function states(t) {
	const { calls } = (await t.ctl('calls')).data;
	return calls.map(({ state }) => state);
}

const count = (list, what) => list.filter((x) => x === what).length;

// All talk: what they send from now on is counted.
async function load(t, file, seconds) {
	const run = startProbe(t, ['--accounts', file, '--load', CALLS,
		'--seconds', seconds, '--max-loss', '0']);
	await run.running(CALLS, UP_MS);
	equal(count(await states(t), 'up'), CALLS, 'calls that are up');
	return run;
}

// Of each call there is one entry in the log, of this round, that ended so.
async function logged(t, reason, round) {
	const { calls } = (await t.ctl('log', '--limit', 4 * CALLS)).data;
	const own = calls.filter((c) => c.round === round);
	equal(own.map((c) => `${c.result} ${c.reason}`),
		Array(CALLS).fill(`answered ${reason}`),
		`entries of round ${round}`);
	equal(new Set(own.map(({ caller }) => caller)).size, CALLS, 'callers');
}

// Both sides of each, by the service: ICE would have noticed after 30 s.
// The times are said too, for whoever reads it.
function told(t, data, text) {
	const list = data.calls.flatMap((c) => [c.told.caller, c.told.callee]);
	equal(list.map((side) => side?.reason),
		Array(2 * CALLS).fill('connectivity-error'), text);
	const ms = list.map((side) => side.ms).sort((x, y) => x - y);
	assert(ms.at(-1) < TOLD_MS, `told after ${ms.at(-1)} ms`);
	const seconds = [ms[0], ms[CALLS], ms.at(-1)]
		.map((x) => (x / 1000).toFixed(1));
	console.log(`     load: told after ${seconds[0]} to ${seconds[2]} s, ` +
		`${seconds[1]} in the middle`);
}

// Each takes half a minute: one kind of addresses for each mode of media.
const options = (media) => ({ media, slow: true, heavy: true, lasts: 180,
	not: media === 'room' ? { gateway: 'blind is told there' }
		: { transparent: 'room is told there' } });

for (const media of ['blind', 'room'])
	story(`${media} X10 kill -9 of control under ${CALLS} calls: all go on, ` +
		'no packet is lost', options(media), async (t) => {
		const file = await accounts(t, CALLS);
		const run = await load(t, file, '8');
		await t.crash();
		await t.revive();
		await until(async () => (await t.ctl('status')).data.media.up);
		equal(count(await states(t), 'up'), CALLS, 'calls after it');
		const { code, data, text } = await run.done;
		assert(code === 0, text);
		equal([data.failed, data.media.lost, data.media.wrong], [0, 0, 0],
			'failed calls, lost and wrong packets');
		equal(data.media.reports.got, data.media.reports.sent, 'reports');
		assert(data.media.sent > CALLS * 2 * 50 * 6, text);
		await logged(t, 'success', 1);
	});

for (const media of ['blind', 'room'])
	story(`${media} X10 kill -9 of privatecall-media under ${CALLS} calls: ` +
		'all are told, and can enter again', options(media),
	async (t) => {
		const file = await accounts(t, CALLS);
		const run = await load(t, file, '60');
		await t.media.kill();
		const { data, text } = await run.done;
		equal(data.failed, CALLS, 'calls that were interrupted');
		told(t, data, text);
		console.log('     load: ended for us after ' +
			`${endedAfterLoss(t.daemon.readLog(), ENDED_MS)} ms`);
		await until(async () => count(await states(t), 'open') === CALLS,
			'calls that can be entered again');
		await t.media.start();
		await until(async () => (await t.ctl('status')).data.media.up);
		const again = await (await load(t, file, '1')).done;
		assert(again.code === 0, again.text);
		await logged(t, 'connectivity-error', 1);
		await logged(t, 'success', 2);
	});
