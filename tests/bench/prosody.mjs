// prosody.mjs: video calls through a real Prosody and privatecalld: the CPU
// time of both, all threads, by the system's own count
//
// node tests/bench/prosody.mjs [--pairs 4] [--calls 200]
//   BUILD_DIR, PROSODY as for tests/e2e (see lib.sh there)
//
// Scripted clients of tests/e2e; the offer and answer are those of a browser,
// ten transport-infos go each way. Prosody is configured as there, but for its
// rate limits, which would only make the run long.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { startPrivatecalld } from '../e2e/privatecalld.mjs';
import { startProsody } from '../e2e/prosody.mjs';
import { Story } from '../e2e/story.mjs';

const TRICKLES = 10;
const CONF = { caller_per_minute: 1000, pair_per_minute: 1000 };

class Caller extends Conversations {
	style = 'browser';
}

// Ticks of user and system time so far; the name in brackets may hold blanks.
function ticks(pid) {
	const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
		.replace(/^.*\) /s, '').split(' ');
	return Number(fields[11]) + Number(fields[12]);
}

async function trickleMore(client, call) {
	for (let i = 1; i < TRICKLES; i++)
		await client.sendTrickle(call);
}

async function onePairsCalls(story, count) {
	const [a, b] = await story.pair(Caller, Caller);
	return async () => {
		for (let i = 0; i < count; i++) {
			const [out, ring] = await story.connect(a, b,
				{ media: ['audio', 'video'] });
			await Promise.all([trickleMore(a, out),
				trickleMore(b, ring)]);
			await a.hangUp(out);
			await b.shows(ring, 'ended');
		}
	};
}

async function run({ pairs, calls }, dir) {
	const prosody = await startProsody({ dir: join(dir, 'prosody'),
		globalConfig: 'limits = { c2s = { rate = "100mb/s" } }' });
	const daemon = await startPrivatecalld({ dir, prosody, conf: CONF });
	const stories = Array.from({ length: pairs }, (_, number) => new Story(
		{}, { prosody, daemon, domain: prosody.component.domain,
			number, dir }));
	const each = Math.ceil(calls / pairs), n = each * pairs;
	const go = await Promise.all(stories.map(
		(story) => onePairsCalls(story, each)));
	const pids = [prosody.pid, daemon.pid];
	const before = pids.map(ticks);
	await Promise.all(go.map((f) => f()));
	const [server, ours] = pids.map((pid, i) => ticks(pid) - before[i]);
	const status = await daemon.ctl('status');
	await Promise.all(stories.map((story) => story.close()));
	await daemon.stop();
	await prosody.stop();
	if (status.data.answered < n)
		throw new Error(`${status.data.answered} of ${n} were answered`);
	const ms = (t) => (t * 10 / n).toFixed(2);
	console.log(`${n} video calls, ${pairs} at once: Prosody ${ms(server)}` +
		` ms of CPU per call, privatecalld ${ms(ours)} ms, ` +
		`one to ${(server / ours).toFixed(1)}`);
}

const { values } = parseArgs({ options: {
	pairs: { type: 'string', default: '4' },
	calls: { type: 'string', default: '200' },
} });
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
try {
	await run({ pairs: Number(values.pairs), calls: Number(values.calls) },
		folder);
} finally {
	rmSync(folder, { recursive: true });
}
