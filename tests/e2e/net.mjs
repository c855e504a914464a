// net.mjs: a bad network of network namespaces, by tests/net/impair.c
//
// The hosts see each other alone. Whom this process serves on its loopback
// they find on theirs, by forward(), past all that is bad.

import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Skip } from './skip.mjs';

const BUILD = resolve(process.env.BUILD_DIR ?? 'build');
const NOT_PERMITTED = 77;
const SEED = 7;

// "ok out.lost.rtp=5" -> { 'out.lost.rtp': 5 }
function counts(answer) {
	return Object.fromEntries(answer.split(' ').slice(1)
		.map((word) => word.split('='))
		.map(([name, n]) => [name, Number(n)]));
}

// hosts: { name: [addresses] }. The result:
//   host(name) -> { addresses, enter }: what goes before a command so that it
//   runs there; forward(name, port)
//   link(name, way, { loss, dup, reorder, late, delay, jitter })
//   udp(name, "on" | "off"), nat(name, address | "off"), count(name): see
//   impair.c
//   stop(), log (file)
export async function startNet({ dir, hosts, seed = SEED }) {
	const log = join(dir, 'impair.log');
	const child = spawn(join(BUILD, 'impair'), ['--seed', String(seed),
		...Object.entries(hosts).map(([name, addresses]) =>
			`${name}=${addresses.join()}`)], { detached: true });
	const exited = new Promise((done) => child.once('close', done));
	const kill = () => child.kill('SIGKILL');
	process.once('exit', kill);
	const lines = createInterface({ input: child.stdout })[
		Symbol.asyncIterator]();
	const pids = {};
	let said = '', queue = Promise.resolve();

	child.stderr.on('data', (part) => (said += part));
	child.once('error', (error) => (said += error.message));
	for (;;) {
		const { value: line, done } = await lines.next();
		if (line === 'ready')
			break;
		if (!done) {
			const [, name, , pid] = line.split(' ');
			pids[name] = pid;
		} else if (await exited === NOT_PERMITTED) {
			throw new Skip(`no bad network here: ${said.trim()}`);
		} else {
			throw new Error(`impair does not start: ${said}`);
		}
	}

	const ask = async (...words) => {
		const turn = queue.then(async () => {
			child.stdin.write(`${words.join(' ')}\n`);
			const { value: answer = 'it has ended' } =
				await lines.next();
			appendFileSync(log, `${words.join(' ')}: ${answer}\n`);
			if (!answer.startsWith('ok'))
				throw new Error(`${words.join(' ')}: ${answer}`);
			return answer;
		});
		queue = turn.catch(() => {});
		return turn;
	};
	return {
		log,
		host: (name) => ({ addresses: hosts[name], enter: ['nsenter',
			`--net=/proc/${pids[name]}/ns/net`, '--'] }),
		forward: (name, port) => ask('forward', name, port),
		link: (name, way, how = {}) => ask('link', name, way,
			...Object.entries(how).map(([k, v]) => `${k}=${v}`)),
		udp: (name, how) => ask('udp', name, how),
		nat: (name, address) => ask('nat', name, address),
		count: async (name) => counts(await ask('count', name)),
		async stop() {
			child.stdin.end();
			for await (const line of { [Symbol.asyncIterator]:
				() => lines })
				appendFileSync(log, `${line}\n`);
			process.off('exit', kill);
			await exited;
		},
	};
}
