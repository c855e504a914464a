// quickstart.mjs: a server, the component and two accounts, to try a call
//
// node quickstart.mjs                   until Ctrl-C, for clients of one's own
//   --server  prosody or ejabberd
//   --mode    transparent (the server has our module) or gateway
// node quickstart.mjs --headless-call   two browsers without a window call
//   --native  the same two browsers without the component, for comparison
//   --media   auto, blind, room: through our relay; direct: past it
//   --return  with --media room: both lose their page and come back
//   --keep    leave the run's folder

import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBrowser } from './browser.mjs';
import { followLines, Teller, Waiting } from './follow.mjs';
import { playCalls } from './headless.mjs';
import { startMedia } from './media.mjs';
import { startPrivatecalld } from './privatecalld.mjs';
import { startServer } from './server.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const BUILD = resolve(process.env.BUILD_DIR ?? join(TOP, 'build'));
const USERS = ['alice', 'bob'];
// Nobody's privacy is at stake here, and the log is read aloud.
const CONF = { log_privacy: 'full' };
// What users are told after a call; two browsers fit each other.
const BETWEEN = /, encrypted between the two of you\./;
const MEDIA_WORDS = { direct: BETWEEN, blind: BETWEEN, auto: BETWEEN,
	room: /, decrypted at your server\./ };
const TAIL_LINES = 25;
const TAIL_EVENTS = 15;
const STATUS_MS = 1000;

const say = console.log;

function other(name) {
	return USERS.find((user) => user !== name);
}

// A folder of this run; an interrupted run leaves none.
function runFolder() {
	mkdirSync(BUILD, { recursive: true });
	const dir = mkdtempSync(join(BUILD, 'quickstart-'));
	process.once('exit', (status) => {
		if (status > 128)
			removeFolder(dir);
	});
	return dir;
}

function removeFolder(dir) {
	rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
}

function passwords() {
	return Object.fromEntries(USERS.map((name) =>
		[name, randomBytes(4).toString('hex')]));
}

function tail(file) {
	try {
		return readFileSync(file, 'utf8').trimEnd().split('\n')
			.slice(-TAIL_LINES).join('\n');
	} catch (error) {
		return error.message;
	}
}

async function printFailure(error, run) {
	const { browser, phones, prosody, daemon, media, dir } = run;
	say(`\nFAILED: ${error.message}`);
	for (const phone of phones) {
		say(`\nWhat ${phone.name}'s page saw last:`);
		const events = await phone.log().catch((e) => [e.message]);
		for (const event of events.slice(-TAIL_EVENTS))
			say(`  ${JSON.stringify(event)}`);
	}
	if (browser?.console.length)
		say(`\nThe pages' console:\n${browser.console
			.slice(-TAIL_LINES).join('\n')}`);
	for (const program of [daemon, media])
		if (program)
			say(`\n${program.log}:\n${tail(program.log)}`);
	if (prosody)
		say(`\n${prosody.log}:\n${tail(prosody.log)}`);
	say(`\nEverything is in ${dir}`);
}

// What a mode asks of the server.
function serverOptions({ mode, native }, more) {
	return { ...more, module: mode === 'transparent' && !native ? {}
		: undefined };
}

async function headlessCall({ server, mode, native, media, keep,
	return: returns }) {
	const dir = runFolder();
	const users = passwords();
	const run = { dir, phones: [] };
	let status = 0;
	try {
		run.prosody = await startServer(server,
			serverOptions({ mode, native }, { dir, users }));
		run.prosody.makeContacts(...USERS);
		say(`${server} runs, websocket at ${run.prosody.websocket}`);
		if (media !== 'direct' && !native)
			run.media = await startMedia({ dir, mode: media });
		if (!native) {
			run.daemon = await startPrivatecalld({ dir,
				conf: { ...CONF, ...run.media?.conf },
				prosody: run.prosody });
			say('privatecalld runs as ' +
				run.prosody.component.domain);
		}
		run.browser = await startBrowser({ dir });
		say(`Chromium ${run.browser.version} runs without a window`);
		const open = (name) => run.browser.openPhone({
			name, jid: `${name}@${run.prosody.host}`,
			password: users[name],
			websocket: run.prosody.websocket,
		});
		run.phones = await Promise.all(USERS.map(open));
		const [alice, bob] = run.phones;
		await playCalls({ alice, bob, say, host: run.prosody.host,
			domain: run.prosody.component.domain,
			daemon: run.daemon ?? null, relay: run.media?.address,
			returns, reopen: async (name) =>
				run.phones[USERS.indexOf(name)] = await open(name),
			encrypted: MEDIA_WORDS[media],
			native: native || mode === 'transparent' });
		say('\nAll three calls went as they should.');
	} catch (error) {
		await printFailure(error, run);
		status = 1;
	}
	await run.browser?.stop();
	await run.daemon?.stop();
	await run.media?.stop();
	await run.prosody?.stop();
	if (status === 0 && !keep)
		removeFolder(dir);
	return status;
}

// The gateway contacts of a user, as { jid, name }.
function gatewayContacts(name, { component: { domain } }) {
	const peer = other(name);
	return [{ jid: `${peer}@${domain}`, name: `${peer} (call)` },
		{ jid: domain, name: 'Private calls' }];
}

// Gateway contacts are there from the first login: Prosody itself asks for
// their presence then, and already shows them the user's.
function giveContacts(server, mode) {
	const subscription = server.name === 'ejabberd' ? {}
		: { subscription: 'from', ask: 'subscribe' };
	for (const name of USERS) {
		const peer = other(name);
		const ours = mode === 'transparent' ? []
			: gatewayContacts(name, server).map((contact) =>
				({ ...contact, ...subscription }));
		server.setRoster(name, [{ jid: `${peer}@${server.host}`,
			name: peer }, ...ours]);
	}
}

// ejabberd does not: it is asked in the users' names, once we are there.
async function askForPresence(server, mode) {
	await server.settled?.();
	if (server.name !== 'ejabberd' || mode === 'transparent')
		return;
	for (const name of USERS)
		for (const { jid } of gatewayContacts(name, server))
			await server.command('send_stanza', {
				from: `${name}@${server.host}`, to: jid,
				stanza: `<presence type='subscribe' from='${name}@${
					server.host}' to='${jid}'/>` });
}

function howToCall(mode) {
	if (mode === 'transparent')
		return 'Both accounts have each other as contacts, to write to and ' +
			'to call.';
	return `Both accounts have each other as contacts, "${other('alice')}" ` +
		`to write to and\n"${other('alice')} (call)" to call.`;
}

function printLogin(prosody, users, { server, mode }) {
	const { host, component } = prosody;
	const domain = mode === 'transparent' ? host : component.domain;
	say(`
Server (${server}) and component run on this machine's loopback. Log in with
any client that can call, each account in a client of its own:
`);
	for (const name of USERS)
		say(`  ${name}@${host}   password ${users[name]}   ` +
			`calls ${other(name)}@${domain}`);
	say(`
  server 127.0.0.1, port ${prosody.c2sPort}
  ${prosody.certificate ? 'STARTTLS, with a certificate of our own: ' +
		prosody.certificate : 'without TLS: allow that in your client'}
  websocket ${prosody.websocket}

${howToCall(mode)} Ctrl-C stops everything.
`);
}

// Says what happens, with the time of day. Returns a function that ends it.
function narrate(daemon) {
	const teller = new Teller();
	const waiting = new Waiting();
	const print = (sentence) => sentence &&
		say(`${new Date().toTimeString().slice(0, 8)}  ${sentence}`);
	const endFollow = followLines(daemon.log, (line) =>
		print(teller.tell(line)));
	const timer = setInterval(() => daemon.ctl('status').then(
		({ data }) => print(waiting.tell(data.notices_waiting)),
		() => {}), STATUS_MS);
	return () => {
		clearInterval(timer);
		endFollow();
	};
}

async function untilInterrupted(daemon) {
	const interrupted = new Promise((done) => {
		process.once('SIGINT', done);
		process.once('SIGTERM', done);
	});
	const ended = daemon.exited.then(({ code, signal }) => {
		throw new Error(`privatecalld ended (${signal ?? code}):\n` +
			tail(daemon.log));
	});
	await Promise.race([interrupted, ended]);
}

async function serve({ server, mode, media, keep }) {
	const dir = runFolder();
	const users = passwords();
	const prosody = await startServer(server,
		serverOptions({ mode }, { dir, users, tls: true, c2sPort: 5222 }));
	giveContacts(prosody, mode);
	const relay = media === 'direct' ? null
		: await startMedia({ dir, mode: media });
	const daemon = await startPrivatecalld({ dir, prosody,
		conf: { ...CONF, ...relay?.conf } });
	await askForPresence(prosody, mode);
	printLogin(prosody, users, { server, mode });
	const endNarration = narrate(daemon);
	await untilInterrupted(daemon);
	say('\nStopping.');
	await daemon.stop();
	await relay?.stop();
	endNarration();
	await prosody.stop();
	if (!keep)
		removeFolder(dir);
	return 0;
}

const { values: options } = parseArgs({ options: {
	'headless-call': { type: 'boolean' },
	server: { type: 'string', default: 'prosody' },
	mode: { type: 'string', default: 'transparent' },
	native: { type: 'boolean' },
	media: { type: 'string', default: 'auto' },
	return: { type: 'boolean' },
	keep: { type: 'boolean' },
} });
try {
	process.exit(options['headless-call'] || options.native
		? await headlessCall(options) : await serve(options));
} catch (error) {
	say(error.message);
	process.exit(1);
}
