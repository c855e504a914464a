// pairs.mjs: does doc/pairs.md say of each pairing what a run has seen?
//
// The stories of stories/pairs.mjs say what they saw. What the page says
// otherwise is a failure; with PAIRS_UPDATE=1 it is written instead.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../doc/pairs.md', import.meta.url));
const HEAD = '| --- | --- | --- | --- |\n';

// { "| A | B |": [in blind, in room] }, what is above.
function read() {
	const text = readFileSync(PAGE, 'utf8');
	const at = text.indexOf(HEAD) + HEAD.length;
	const rows = text.slice(at).trim().split('\n').filter(Boolean)
		.map((line) => line.split('|').map((cell) => cell.trim()));
	return { above: text.slice(0, at), rows: new Map(rows.map(
		([, a, b, blind, room]) => [`${a} | ${b}`, { blind, room }])) };
}

function write({ above, rows }, pairs) {
	const lines = pairs.map((pair) => {
		const { blind, room } = rows.get(pair) ?? {};
		return `| ${pair} | ${blind ?? '-'} | ${room ?? '-'} |\n`;
	});
	writeFileSync(PAGE, above + lines.join(''));
}

// `names` are all clients, in the page's order; `seen` is in words.
export function compare(names, [a, b], mode, seen) {
	const page = read();
	const pairs = names.flatMap((x) => names.map((y) => `${x} | ${y}`));
	const pair = `${a} | ${b}`;
	if (process.env.PAIRS_UPDATE) {
		page.rows.set(pair, { ...page.rows.get(pair), [mode]: seen });
		write(page, pairs);
		return;
	}
	if (String([...page.rows.keys()]) !== String(pairs))
		throw new Error('doc/pairs.md has other pairs than there are');
	const said = page.rows.get(pair)[mode];
	if (said !== seen)
		throw new Error(`doc/pairs.md says of ${pair} in ${mode} ` +
			`"${said}", seen was "${seen}"`);
}
