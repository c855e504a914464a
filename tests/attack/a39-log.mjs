// a39-log.mjs: what the admin reads cannot be forged, and only he can ask
// (A39)

import { connect } from 'node:net';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync,
	writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { jingleXml } from '../e2e/clients/bodies.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { startPrivatecalld } from '../e2e/privatecalld.mjs';
import { assert, BASE_CONF, equal, Skip, story } from '../e2e/story.mjs';
import { FakeServer } from './component.mjs';
import { AUDIO } from './tools.mjs';

const ESC = '&#10;9999 &lt; &lt;iq forged=\'1\'&gt;&#9;\u2028\u202e';

story('A39 a trace is one line a stanza whatever an id says', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	await a.send(`<message type='chat' id="x${ESC}" to='${t.at('bob')}'>` +
		`<propose xmlns='${NS.jmi}' id="s${ESC}">${AUDIO}` +
		'</propose></message>');
	await t.settle();
	const [call] = await t.running();
	const { data } = await t.ctl('trace', call.id);
	for (const line of data.trace.trim().split('\n')) {
		assert(/^\d{13} [<>] /.test(line), `line: ${line}`);
		assert(!/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/.test(line),
			`line: ${line}`);
	}
	await t.ctl('hangup', call.id);
	await t.settle();
	b.calls.length = 0;
});

story('A39 an attribute in a trace cannot pretend to be an element',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		await a.send(`<message type='chat' id="x'>&lt;proceed id='" to='${
			t.at('bob')}'><propose xmlns='${NS.jmi}' id='plain'>${
			AUDIO}</propose></message>`);
		await t.settle();
		const [call] = await t.running();
		const { data } = await t.ctl('trace', call.id);
		assert(!/<proceed/.test(data.trace), data.trace);
		await t.ctl('hangup', call.id);
		await t.settle();
		b.calls.length = 0;
	});

story('A39 the control socket is its owner\'s alone', async (t) => {
	const { socket } = t.daemon;
	equal(lstatSync(socket).mode & 0o777, 0o600, 'mode of the socket');
	equal(lstatSync(dirname(socket)).mode & 0o022, 0, 'mode of its folder');
	if (process.getuid() !== 0)
		throw new Skip('not root: no other uid to try');
	process.seteuid(65534);
	const failed = await new Promise((done) => {
		const s = connect(socket);
		s.once('connect', () => done(null));
		s.once('error', (error) => done(error.code));
		process.seteuid(0);
	});
	process.seteuid(0);
	equal(failed, 'EACCES', 'connecting as another');
});

// --- lines of the log ----------------------------------------------------
const QUOTED = '"(?:\\\\.|[^"\\\\])*"';
const LINE = new RegExp('^time=[0-9T:.-]{23}Z level=(error|warn|info|debug) ' +
	`msg=(${QUOTED}|\\S+)( [a-z_]+=(${QUOTED}|[^\\s"]*))*$`);

// Every line is one of ours, of plain ASCII.
function wellFormed(log) {
	for (const line of log.trimEnd().split('\n')) {
		assert(LINE.test(line), `line: ${JSON.stringify(line.slice(0, 300))}`);
		assert(/^[ -~]*$/.test(line), `line: ${JSON.stringify(line)}`);
		assert(line.length < 3000, `a line of ${line.length} bytes`);
	}
}

const EVIL = 'x\r\ntime=9999 level=error msg=forged\u001b[2J\u0007\u009b' +
	'\u2028\u2029\u202e"\\';

story('A39 what the daemon logs of a peer is one escaped line: addresses, ' +
	'reasons, names of a mebibyte, and few of them', { native: true },
async (t) => {
	const server = await new FakeServer({ domain: 'calls.localhost' })
		.listen();
	t.daemon = t.ownDaemon = await startPrivatecalld({ dir: t.dir,
		prosody: server.prosody, conf: { ...BASE_CONF, log_privacy: 'full' } });
	// What XML allows of it, by reference.
	const evil = EVIL.replace(/[\u0007\u001b]/g, '').replace(/[\r\n"\\]/g,
		(c) => `&#${c.charCodeAt(0)};`);
	const deep = `${'<a>'.repeat(70)}${'</a>'.repeat(70)}`;
	for (let i = 0; i < 50; i++)
		await server.taken(`<message from='${evil}${'n'.repeat(400)}' to='b@` +
			`calls.localhost'>${deep}</message>`);
	await server.taken(`<message from='${'n'.repeat(1024 * 1024)}' to='b@` +
		'calls.localhost\'/>');
	await server.taken(`<message from='a@localhost/${evil}' to='b@calls.` +
		`localhost'><propose xmlns='${NS.jmi}' id='i'>${AUDIO}</propose>` +
		'</message>');
	const log = t.daemon.readLog();
	const skipped = log.match(/over a limit was skipped/g) ?? [];
	assert(skipped.length === 1, `${skipped.length} lines of skipped stanzas`);
	wellFormed(log);
	assert(!/^time=9999/m.test(log), 'a forged line');
	server.close();
});

story('A39 reasons, devices and ids of calls make no line of their own, in ' +
	'the log, the trace or the answers to the admin',
{ conf: { pair_per_minute: 100 } }, async (t) => {
	const b = await t.login(Dino, 'bob', { resource: '"\'><& level=error' });
	const a = await t.login(Dino, 'hostile');
	await t.contacts(a, b);
	const text = EVIL.replace(/[\u0007\u001b<&]/g, '');
	const reasons = ['level-error', '\u0430\u0301-x', 'text', 'a'.repeat(64),
		'a'.repeat(65)];
	a.newSid = () => `${a.calls.length}\u2028x`;
	for (const reason of reasons) {
		const [out, ring] = await t.connect(a, b);
		await b.iq('set', ring.peer, jingleXml('session-terminate',
			ring.sid, `<reason><${reason}/><text>${text}</text></reason>`));
		await a.waitUntil(() => !a.live.includes(out), 'the end');
		ring.state = 'ended';
	}
	await t.settle();
	wellFormed(t.daemon.readLog());
	const { stdout, code } = await t.daemon.run('log');
	equal([code, stdout.trim().split('\n').length], [0, reasons.length],
		'calls in the log');
	for (const argv of [['log'], ['calls'], ['user', t.jid('bob')]]) {
		const { stdout: said } = await t.daemon.run(...argv);
		assert(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/
			.test(said), `${argv}: ${JSON.stringify(said)}`);
	}
});

// --- the socket ----------------------------------------------------------
story('A39 the control socket is made 0600 in a folder of 0700, whatever the ' +
	'umask', { native: true }, async (t) => {
	const server = await new FakeServer({ domain: 'calls.localhost' })
		.listen();
	t.daemon = t.ownDaemon = await startPrivatecalld({ dir: t.dir,
		prosody: server.prosody, conf: BASE_CONF });
	const { socket } = t.daemon;
	await t.daemon.stop();
	rmSync(dirname(socket), { recursive: true });
	const before = process.umask(0);
	const starting = t.daemon.start();
	process.umask(before);
	await starting;
	equal(lstatSync(socket).mode & 0o777, 0o600, 'mode of the socket');
	equal(lstatSync(dirname(socket)).mode & 0o777, 0o700, 'of its folder');
	server.close();
});

// What another user could put where the socket goes.
const TRAPS = {
	'a folder that others may write': (dir) => mkdirSync(dir,
		{ mode: 0o777, recursive: true }),
	'a symbolic link for a folder': (dir, aside) => symlinkSync(aside, dir),
	'a symbolic link for the socket': (dir, aside) => {
		mkdirSync(dir, { mode: 0o700 });
		symlinkSync(join(aside, 'victim'), join(dir, 'control'));
	},
	'a file for the socket': (dir) => {
		mkdirSync(dir, { mode: 0o700 });
		writeFileSync(join(dir, 'control'), 'precious');
	},
};

for (const [what, set] of Object.entries(TRAPS))
	story(`A39 ${what}: the daemon does not start, and nothing is touched`,
		{ native: true }, async (t) => {
			const top = mkdtempSync(join(tmpdir(), 'privatecall-'));
			const [dir, aside] = [join(top, 'run'), join(top, 'aside')];
			mkdirSync(aside);
			writeFileSync(join(aside, 'victim'), 'precious');
			const before = process.umask(0);
			set(dir, aside);
			process.umask(before);
			const server = await new FakeServer({ domain: 'calls.localhost' })
				.listen();
			const error = await startPrivatecalld({ dir: t.dir,
				prosody: server.prosody, conf: { ...BASE_CONF,
					control_socket: join(dir, 'control') } })
				.then(() => null, (e) => e);
			server.close();
			assert(/control socket/.test(error?.message), String(error));
			equal(readFileSync(join(aside, 'victim'), 'utf8'), 'precious',
				'the victim');
			if (what === 'a file for the socket')
				equal(readFileSync(join(dir, 'control'), 'utf8'),
					'precious', 'the file');
			rmSync(top, { recursive: true });
		});
