// children.mjs: programs that a run starts, and their certain end
//
// Every child is ended by its pid: by stop(), and when this process leaves,
// also by SIGINT, SIGTERM or an uncaught error.

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 15;
const TERM_MS = 5000;
// How many times as long as on an idle machine of two cores anything may take
// before it is given up: stories run beside each other, and others may use the
// machine. What passes waits no longer by it.
export const PATIENCE = Number(process.env.E2E_PATIENCE ?? 3);

const running = new Set();
let hooked = false;

function killAll() {
	for (const child of running)
		if (child.exitCode === null && child.signalCode === null)
			child.kill('SIGKILL');
	running.clear();
}

function leaveOnSignal(name, number) {
	// A program with a handler of its own decides when to leave.
	process.on(name, () => {
		if (process.listenerCount(name) === 1)
			process.exit(128 + number);
	});
}

function hook() {
	if (hooked)
		return;
	hooked = true;
	process.on('exit', killAll);
	leaveOnSignal('SIGINT', 2);
	leaveOnSignal('SIGTERM', 15);
	leaveOnSignal('SIGHUP', 1);
}

// Starts `command` with its output appended to the file `log`. The result has
// pid, exited (a promise of {code, signal}), alive, kill(signal), stop().
export function startChild(command, args, { log, env, cwd } = {}) {
	hook();
	const fd = openSync(log, 'a', 0o600);
	const child = spawn(command, args, {
		cwd,
		env: env ? { ...process.env, ...env } : process.env,
		stdio: ['ignore', fd, fd],
		// Ctrl-C of a terminal reaches this process alone.
		detached: true,
	});
	closeSync(fd);
	running.add(child);
	const exited = new Promise((resolve) => {
		child.once('error', (error) => {
			running.delete(child);
			resolve({ code: null, signal: null, error });
		});
		child.once('exit', (code, signal) => {
			running.delete(child);
			resolve({ code, signal });
		});
	});
	return {
		pid: child.pid,
		exited,
		get alive() {
			return running.has(child);
		},
		kill(signal = 'SIGKILL') {
			child.kill(signal);
			return exited;
		},
		async stop() {
			if (!running.has(child))
				return exited;
			child.kill('SIGTERM');
			const late = setTimeout(() => child.kill('SIGKILL'),
				TERM_MS);
			const end = await exited;
			clearTimeout(late);
			return end;
		},
	};
}

// Runs `done` (may be async) until it returns something true, and returns
// that; throws `what` after `timeout` ms of an idle machine.
export async function until(done, what, timeout = 10000) {
	const end = Date.now() + timeout * PATIENCE;
	for (;;) {
		const value = await done();
		if (value)
			return value;
		if (Date.now() > end)
			throw new Error(`timed out after ${timeout * PATIENCE} ms: ` +
				(typeof what === 'function' ? what() : what));
		await pause(POLL_MS);
	}
}

function listen(port) {
	return new Promise((resolve, reject) => {
		const server = createServer();
		server.once('error', reject);
		server.listen(port, '127.0.0.1', () => resolve(server));
	});
}

const PORT_TRIES = 5;

// `count` different free loopback ports, the first is `wish` if that is free.
// Another process may take one before it is used: onFreePorts() asks again.
async function freePorts(count, wish = 0) {
	const first = listen(wish).catch(() => listen(0));
	const servers = await Promise.all([first,
		...Array.from({ length: count - 1 }, () => listen(0))]);
	const ports = servers.map((server) => server.address().port);
	await Promise.all(servers.map((server) =>
		new Promise((resolve) => server.close(resolve))));
	return ports;
}

// What start(ports) gives; with other ports when its error says `taken`.
export async function onFreePorts(count, wish, taken, start) {
	for (let left = PORT_TRIES; ; left--) {
		try {
			return await start(await freePorts(count, wish));
		} catch (error) {
			if (left === 1 || !String(error).includes(taken))
				throw error;
		}
	}
}
