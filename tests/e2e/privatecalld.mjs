// privatecalld.mjs: the daemon beside a server of prosody.mjs or ejabberd.mjs
//
// Commands go over its control socket, as privatecallctl sends them; run()
// starts privatecallctl itself.

import { execFile } from 'node:child_process';
import {
	existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild, until } from './children.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const BUILD = resolve(process.env.BUILD_DIR ?? join(TOP, 'build'));
const SOCKET_PATH_MAX = 107;
const START_MS = 15000;
const ANSWER_MS = 10000;

function confValue(value) {
	if (Array.isArray(value))
		return `{ ${value.map(confValue).join(', ')} }`;
	if (typeof value === 'boolean')
		return value ? 'yes' : 'no';
	if (typeof value === 'number')
		return String(value);
	return '"' + String(value).replace(/[\\"]/g, '\\$&') + '"';
}

// A socket's path is limited: below a long one the socket goes elsewhere.
function socketFolder(folder) {
	const near = join(folder, 'run');
	if (Buffer.byteLength(join(near, 'control')) <= SOCKET_PATH_MAX) {
		mkdirSync(near, { recursive: true, mode: 0o700 });
		return near;
	}
	const far = mkdtempSync(join(tmpdir(), 'privatecall-'));
	process.once('exit', () => rmSync(far, { recursive: true }));
	return far;
}

function ask(path, argv) {
	return new Promise((resolve_, reject) => {
		const socket = connect(path);
		let text = '';
		socket.setEncoding('utf8');
		socket.setTimeout(ANSWER_MS, () => socket.destroy(
			new Error(`no answer to ${argv.join(' ')}`)));
		socket.once('error', reject);
		socket.on('data', (part) => (text += part));
		socket.once('end', () => {
			try {
				resolve_(JSON.parse(text));
			} catch {
				reject(new Error(`answer to ${argv.join(' ')}` +
					` is not JSON: ${text}`));
			}
		});
		socket.write(JSON.stringify({ argv, json: true }) + '\n');
	});
}

// Starts the daemon and waits until the server has let it in. Options:
//   dir      private folder
//   prosody  what startProsody() or startEjabberd() returned
//   component { domain, secret }, when it is not the server's first one
//   conf     { option: value }, more lines of its configuration file, or
//            other values of the usual ones; undefined: none. Media are
//            `direct' where no privatecall-media is beside it
//   env      more of its environment
//   binary, ctlBinary   the programs to run
// The result:
//   ctl(...args) -> { code, text, data }, never throws for a code != 0
//   run(...args) -> { code, stdout, stderr } of privatecallctl
//   clock("+31s"): moves its clock, throws when that fails
//   kill(signal = "SIGKILL") -> { code, signal }; start(); stop(); restart();
//   launch(), which waits for nothing
//   log, config, socket, database (files), readLog(), waitLog(pattern), pid
export async function startPrivatecalld({
	dir, prosody, component = prosody.component, conf = {}, env,
	binary = process.env.PRIVATECALLD ?? join(BUILD, 'privatecalld-test'),
	ctlBinary = process.env.PRIVATECALLCTL ?? join(BUILD, 'privatecallctl'),
}) {
	const folder = resolve(dir);
	const log = join(folder, 'privatecalld.log');
	const config = join(folder, 'privatecalld.conf');
	const run = socketFolder(folder);
	const socket = join(run, 'control');
	const database = join(folder, 'privatecall.db');
	let child = null;

	if (!existsSync(binary))
		throw new Error(`${binary} is not built`);
	writeFileSync(config, Object.entries({
		domain: component.domain, server: '127.0.0.1',
		port: prosody.componentPort, secret: component.secret,
		hosts: [prosody.host], database, control_socket: socket,
		media: 'direct', ...conf,
	}).filter(([, value]) => value !== undefined)
		.map(([name, value]) => `${name} = ${confValue(value)}\n`).join(''),
	{ mode: 0o600 });

	function readLog() {
		return existsSync(log) ? readFileSync(log, 'utf8') : '';
	}

	async function connected(from) {
		if (!child.alive)
			return true;
		if (!prosody.readLog().slice(from).includes(prosody.admits))
			return false;
		return ask(socket, ['status']).then(() => true, () => false);
	}

	// Where the server will not have it.
	function launch() {
		child = startChild(binary, ['-c', config], { log, env });
	}

	async function start() {
		const from = prosody.readLog().length;
		const own = readLog().length;
		launch();
		await until(() => connected(from), () =>
			'privatecalld is not connected: ' +
			readLog().slice(own), START_MS);
		if (child.alive)
			return;
		const { code, signal, error } = await child.exited;
		throw new Error('privatecalld does not start (' +
			(error?.message ?? signal ?? `exit ${code}`) +
			`), ${log}:\n${readLog().slice(own).slice(-2000)}`);
	}

	async function stop() {
		return child?.stop();
	}

	await start();
	return {
		log, config, socket, database, readLog, launch, start, stop,
		get pid() {
			return child.pid;
		},
		get exited() {
			return child.exited;
		},
		ctl: (...args) => ask(socket, args.map(String)),
		run: (...args) => new Promise((done) => {
			execFile(ctlBinary, ['--socket', socket, ...args],
				(error, stdout, stderr) => done({
					code: error ? error.code : 0,
					stdout, stderr,
				}));
		}),
		async clock(step) {
			const answer = await ask(socket, ['clock', step]);
			if (answer.code !== 0)
				throw new Error(answer.text);
		},
		kill: (signal = 'SIGKILL') => child.kill(signal),
		async restart() {
			await stop();
			await start();
		},
		waitLog: (pattern, timeout) => until(
			() => readLog().match(pattern),
			`${pattern} in ${log}`, timeout),
	};
}
