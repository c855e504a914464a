// probe.mjs: privatecall-probe as an admin's self-test: all is well, or which
// step is not, and what mends it

import { join } from 'node:path';
import { until } from '../children.mjs';
import { probe, two } from '../probe.mjs';
import { startServer } from '../server.mjs';
import { assert, equal, REMOTE_HOST, story } from '../story.mjs';

const STEPS = ['login', 'presence', 'ring', 'proceed', 'offer', 'accept', 'ice',
	'dtls', 'media', 'end'];
const MEDIA = ['blind', 'room', 'direct'];

const DIRECT = { conf: { media: 'direct' } };
const inMode = (media) => (media === 'direct' ? DIRECT : { media });

for (const media of MEDIA)
	story(`probe: a call in mode ${media}: every step passes`,
		inMode(media), async (t) => {
			const { code, data, text } = await probe(t, [...await two(t),
				'--seconds', '1', '--mode', media, '--video']);
			assert(code === 0 && data.ok, text);
			const [call] = data.calls;
			equal(call.steps.map(({ step }) => step), STEPS, 'steps');
			equal(call.mode, media, 'mode');
			equal([data.media.lost, data.media.wrong], [0, 0],
				'lost, wrong');
			const { sent, got } = data.media.reports;
			assert(sent > 0 && got === sent,
				`${got} of ${sent} reports came`);
			assert(data.media.sent >= 2 * 100, text);
		});

// Nothing rings or runs on because of it.
const nothingLeft = (t) => until(async () => !(await t.running()).length,
	'the call to be over');

// Something is wrong: at which step it fails, and what the remedy names.
// before(t, args): makes it so, and may change what the probe is told.
function fails(name, step, remedy, options, before, after) {
	story(`probe: ${name}: fails at ${step}`, options, async (t) => {
		const args = await two(t);
		await before(t, args);
		const { code, text, data } = await probe(t, args);
		equal(code, 1, 'exit status');
		assert(!data.ok && data.failed === 1, text);
		const { failed, steps } = data.calls[0];
		equal(failed.step, step, `the step, of ${failed.what}`);
		equal(steps.map((s) => s.step),
			STEPS.slice(0, STEPS.indexOf(step)), 'steps before it');
		assert(remedy.test(failed.mend), failed.mend);
		const told = (await probe(t, args, { json: false })).text;
		assert(told.includes(`${step.padEnd(9)} FAIL`), told);
		assert(remedy.test(told), told);
		await after?.(t);
	});
}

fails('the wrong password', 'login', /is this its password/, DIRECT,
	async (t, args) => {
		args[args.indexOf('--peer-password-file') + 1] = t.daemon.config;
	});

fails('the server\'s certificate is its own', 'login', /--tls any/,
	{ ...DIRECT, not: { ejabberd: 'it has none here',
		transparent: 'it is about the connection' } },
	async (t, args) => {
		const server = await startServer('prosody', { tls: true,
			dir: join(t.dir, 'tls'),
			users: { [t.user('alice')]: 'secret' } });
		t.clients.push({ close: () => server.stop() });
		args.push('--port', server.c2sPort, '--tls', 'yes');
		const { data } = await probe(t, [...args, '--tls', 'any']);
		assert(data.calls[0].failed.what.includes(t.jid('bob')),
			'alice cannot log in by --tls any');
	});

fails('no server there', 'login', /--host and --port/, DIRECT,
	async (t, args) => args.push('--port', '1'));

fails('calls are switched off', 'ring', /privatecallctl enable/,
	DIRECT, async (t) => t.ctl('disable'));

fails('privatecall-media is not there', 'ring',
	/start privatecall-media/, { media: 'blind' },
	async (t) => t.media.kill());

fails('the user may not be called', 'ring', /who_may_call/, DIRECT,
	async (t) => t.setting('bob', 'who_may_call', 'nobody'));

fails('no video here', 'ring', /allow_video/,
	{ conf: { media: 'direct', allow_video: false } },
	async (t, args) => args.push('--video'));

fails('not the mode that is wanted', 'offer', /media/, { media: 'blind' },
	async (t, args) => args.push('--mode', 'room'), nothingLeft);

// Nothing of ours is heard at an address of the other family.
fails('UDP does not pass', 'ice', /UDP is blocked/, { media: 'blind',
	slow: true }, async (t, args) => args.push('--address', '::1'));

// In gateway mode there is nobody to ask, else the module answers.
for (const [step, not, remedy] of [
	['presence', { transparent: 'there the module answers' },
		/no component of that name/],
	['ring', { gateway: 'there nobody answers' }, /is not connected/]])
	fails('privatecalld is not there', step, remedy, { ...DIRECT, not },
		async (t) => {
			await t.crash();
			await t.away();
		});

fails('the host has no module', 'ring', /Load mod_privatecall/,
	{ ...DIRECT, not: { gateway: 'no module is needed' } },
	async (t, args) => {
		t.users.clear();
		args.splice(0, args.length, ...await t.ofHost(REMOTE_HOST,
			() => two(t)));
	});

fails('the host is none of ours', 'presence', /hosts/,
	{ ...DIRECT, not: { transparent: 'the module is of the host' } },
	async (t, args) => {
		t.users.clear();
		args.splice(0, args.length, ...await t.ofHost(REMOTE_HOST,
			() => two(t)));
	});
