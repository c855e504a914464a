// auto.mjs: media = auto: which mode a call comes to, and what says so; with
// the real privatecall-media beside the daemon

import { until } from '../children.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { Monal } from '../clients/monal.mjs';
import { Movim } from '../clients/movim.mjs';
import { Plain } from '../clients/plain.mjs';
import { assert, equal, story } from '../story.mjs';

const AUTO = { media: 'auto' };
const WORDS = {
	blind: /, encrypted between the two of you\./,
	room: /, decrypted at your server\./,
};

// A client of which nothing is known.
class Unknown extends Conversations {
	static node = 'https://example.org/unknown';
}

// One that says it is of those that bundle, and does not.
class Unbundled extends Dino {
	static node = 'http://conversations.im';
}

// Of the one call that is live: what ctl says, and the line in the log.
async function modeOf(t) {
	const call = (await t.ctl('calls')).data.calls
		.find(({ state }) => state === 'up');
	equal((await t.ctl('call', call.id)).data.mode, call.mode,
		'the mode that `call` says');
	const lines = t.daemon.readLog().split('\n')
		.filter((line) => line.includes(call.id) && / msg=up /.test(line));
	assert(lines.at(-1)?.includes(` mode=${call.mode}`),
		`no mode in the log: ${lines.at(-1)}`);
	return call.mode;
}

async function comesTo(t, a, b, mode, media = ['audio', 'video']) {
	const [out, ring] = await t.connect(a, b, { media });
	equal(await modeOf(t), mode, `the mode of ${a.label} to ${b.label}`);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	for (const client of [a, b])
		await client.waitFor(t.notice(WORDS[mode]));
	t.noFaults();
}

for (const [A, B, mode] of [[Conversations, Movim, 'blind'],
	[Movim, Monal, 'blind'], [Dino, Dino, 'blind'],
	[Conversations, Dino, 'room'], [Dino, Conversations, 'room'],
	[Plain, Conversations, 'blind'], [Monal, Unknown, 'room']])
	story(`auto X5 X7 ${A.name} calls ${B.name}: ${mode}`, AUTO,
		async (t) => {
			const [a, b] = await t.pair(A, B);
			await comesTo(t, a, b, mode);
		});

story('auto X7 a client of which nothing is known answers a group: from then ' +
	'on blind', AUTO, async (t) => {
	const [a, b] = await t.pair(Conversations, Unknown);
	await comesTo(t, a, b, 'room');
	await comesTo(t, a, b, 'blind');
});

story('auto X7 a client that is taken for one that bundles answers without a ' +
	'group: from then on room', AUTO, async (t) => {
	const [a, b] = await t.pair(Conversations, Unbundled);
	await comesTo(t, a, b, 'blind');
	await comesTo(t, a, b, 'room');
});

story('auto while it rings there is no mode yet', AUTO, async (t) => {
	const [a, b] = await t.pair(Conversations, Conversations);
	const out = await a.call(t.contact(b.user));
	const ring = await b.rings();
	const [call] = (await t.ctl('calls')).data.calls;
	equal(call.mode, null, 'mode');
	assert(/mode not decided yet/.test((await t.daemon.run('call', call.id))
		.stdout), '`call` says another');
	await b.answer(ring);
	await a.shows(out, 'active');
	equal(await modeOf(t), 'blind', 'mode');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
});

story('auto without privatecall-media no call is connected past it', AUTO,
	async (t) => {
		const [a, b] = await t.pair(Conversations, Conversations);
		await t.media.kill();
		const out = await a.call(t.contact(b.user));
		await a.shows(out, 'declined');
		equal(out.reason.name, 'gone', 'reason');
		assert(/IS AWAY/.test((await t.daemon.run('status')).stdout),
			'status does not say it');
	});

// Nothing is configured but who the component is.
story('auto X11 a fresh site whose privatecall-media does not run: calls are ' +
	'refused, the admin is told what to do, and then they are connected',
{ media: 'default' }, async (t) => {
	const [a, b] = await t.pair(Conversations, Conversations);
	await t.media.stop();
	await t.daemon.restart();
	await t.connected();
	await t.settle();
	const call = await a.call(t.contact(b.user));
	await a.shows(call, 'declined');
	equal(call.reason.name, 'gone', 'reason');
	const remedy = 'systemctl start privatecall-media';
	const { stdout } = await t.daemon.run('status');
	assert(stdout.split('\n').some((line) => /^media +auto, .*AWAY/
		.test(line) && line.endsWith(remedy)), stdout);
	const { code, data } = await t.daemon.ctl('check');
	equal(code, 1, 'check');
	const found = data.findings.find(({ about }) => about === 'media');
	equal(found.level, 'fail', 'level');
	assert(found.text.endsWith(remedy), found.text);
	assert(t.daemon.readLog().includes(`mend="${remedy}"`),
		'not in the log');

	await t.media.start();
	await until(async () => (await t.ctl('status')).data.media.up,
		'the two have not found each other');
	equal((await t.daemon.ctl('check')).code, 0, 'check');
	await comesTo(t, a, b, 'blind');
});
