// probe.mjs: privatecall-probe beside a story's server and daemon
//
// It is a program of the product: what it says is what is tested, and it is who
// sends and hears media in stories that need any.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { spawn } from 'node:child_process';
import { until } from './children.mjs';

const BUILD = resolve(process.env.BUILD_DIR ?? 'build');
const PROGRAM = process.env.PRIVATECALL_PROBE ??
	join(BUILD, 'privatecall-probe');
const PASSWORD = 'secret';
let runs = 0;

async function textOf(stream) {
	let text = '';
	for await (const part of Readable.from(stream))
		text += part;
	return text;
}

// Accounts of the story, two for each call, in a file.
export async function accounts(t, pairs) {
	mkdirSync(t.dir, { recursive: true });
	const names = Array.from({ length: pairs }, (_, i) =>
		[t.jid(`p${i}a`), t.jid(`p${i}b`)]).flat();
	await t.prosody.settled?.();
	const file = join(t.dir, 'accounts');
	writeFileSync(file, names.map((jid) => `${jid} ${PASSWORD}\n`).join(''),
		{ mode: 0o600 });
	return file;
}

// Two users of the story, as an admin names them.
export async function two(t, a = 'alice', b = 'bob') {
	mkdirSync(t.dir, { recursive: true });
	const jids = [t.jid(a), t.jid(b)];
	await t.prosody.settled?.();
	const file = join(t.dir, 'password');
	writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
	return ['--user', jids[0], '--password-file', file,
		'--peer', jids[1], '--peer-password-file', file];
}

// Starts it; the result:
//   running(n)  that many calls run, and count
//   done -> { code, text, data (of --json), errors }
export function startProbe(t, args, { json = true } = {}) {
	const all = ['--host', '127.0.0.1', '--port', String(t.prosody.c2sPort),
		'--tls', 'no', ...json ? ['--json'] : [], ...args,
		...t.native ? [] : ['--component', t.domain]];
	const child = spawn(PROGRAM, all, { stdio: ['ignore', 'pipe', 'pipe'] });
	let errors = '';
	child.stderr.setEncoding('utf8').on('data', (part) => (errors += part));
	const exited = new Promise((done, fail) => {
		child.once('close', (code, signal) => done(code ?? signal));
		child.once('error', fail);
	});
	t.clients.push({ close: async () => child.kill('SIGKILL') });
	const done = Promise.all([textOf(child.stdout), exited]).then(
		([text, code]) => {
			writeFileSync(join(t.dir, `probe-${++runs}.txt`),
				text + errors);
			return { code, text, errors,
				data: json && text ? JSON.parse(text) : null };
		});
	const running = async (n, patience) => {
		await until(() => errors.includes(`${n} calls run`) ||
			child.exitCode !== null,
		() => `privatecall-probe has not come to ${n} calls: ${errors}`,
		patience);
		if (!errors.includes(`${n} calls run`))
			throw new Error((await done).text + errors);
	};
	return { done, running };
}

export async function probe(t, args, options) {
	return startProbe(t, args, options).done;
}
