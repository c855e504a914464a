// media.mjs: privatecall-media beside a daemon of privatecalld.mjs, on loopback
//
// It takes no configuration file: it must not read the component's secret. With
// `host`, one of net.mjs, it runs there, at its addresses.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { startChild, until } from './children.mjs';

const BUILD = resolve(process.env.BUILD_DIR ?? 'build');
const START_MS = 10000;
const folders = [];

process.once('exit', () => folders.forEach((folder) => rmSync(folder,
	{ recursive: true, force: true })));

// mode: of the daemon; 'default': it says none. The result:
//   conf     what the daemon's configuration needs
//   address  "127.0.0.1:PORT", where both users find it
//   kill(signal) -> { code, signal }; start(); stop(); log (file), readLog()
export async function startMedia({ dir, mode = 'blind', host,
	binary = process.env.PRIVATECALL_MEDIA ??
		join(BUILD, 'privatecall-media') }) {
	// A socket's path is limited, that of a run's folder is not.
	const folder = mkdtempSync(join(tmpdir(), 'privatecall-media-'));
	folders.push(folder);
	const socket = join(folder, 'media');
	const log = join(resolve(dir), 'privatecall-media.log');
	let child;
	const media = { log, address: null,
		conf: { media: mode === 'default' ? undefined : mode,
			media_socket: socket },
		readLog: () => existsSync(log) ? readFileSync(log, 'utf8') : '',
		kill: async (signal = 'SIGKILL') => {
			child.kill(signal);
			return child.exited;
		},
		stop: async () => child?.stop(),
	};

	media.start = async () => {
		const from = media.readLog().length;
		const [command, ...args] = [...host?.enter ?? [], binary,
			...(host?.addresses ?? ['127.0.0.1']).flatMap((address) =>
				['--address', address]),
			'--port', '0', '--socket', socket];
		child = startChild(command, args, { log });
		const found = () => /started .*address=(\S+)/
			.exec(media.readLog().slice(from));
		await until(() => found() || !child.alive, () =>
			`privatecall-media does not start: ${media.readLog()}`,
		START_MS);
		if (!child.alive)
			throw new Error('privatecall-media does not start:\n' +
				media.readLog().slice(from));
		media.address = found()[1];
	};
	await media.start();
	return media;
}

const timesOf = (log, pattern) => log.split('\n').filter((line) =>
	pattern.test(line)).map((line) => Date.parse(/time=(\S+)/.exec(line)[1]));

// By the log of privatecalld the calls ended within ms of the moment at which
// it lost privatecall-media.
export function endedAfterLoss(log, ms) {
	const [lost] = timesOf(log, /msg="privatecall-media is lost"/);
	const ends = timesOf(log, /msg=ended .*reason=connectivity-error/);
	const last = Math.max(...ends);
	if (!ends.length || !(last - lost <= ms))
		throw new Error(`the last call ended ${last - lost} ms after ` +
			`privatecall-media was lost, not within ${ms}`);
	return last - lost;
}
