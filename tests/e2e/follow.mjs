// follow.mjs: the daemon's log in plain words, while it is written

import { createReadStream, statSync } from 'node:fs';
import { createInterface } from 'node:readline';

const POLL_MS = 200;

// key=value pairs of one line; a value with blanks is quoted.
export function parseLine(line) {
	const found = line.matchAll(/([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)/g);
	return Object.fromEntries([...found].map(([, key, value]) => [key,
		value.startsWith('"')
			? value.slice(1, -1).replace(/\\(.)/g, '$1') : value]));
}

// Hands each complete new line of `file` to `line_h`. Returns a function that
// ends it.
export function followLines(file, line_h) {
	let offset = 0;
	let busy = false;
	const timer = setInterval(async () => {
		const { size } = statSync(file);
		if (busy || size === offset)
			return;
		busy = true;
		const part = createReadStream(file, { start: offset,
			end: size - 1 });
		offset = size;
		for await (const line of createInterface({ input: part }))
			line_h(line);
		busy = false;
	}, POLL_MS);
	return () => clearInterval(timer);
}
