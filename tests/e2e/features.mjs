// features.mjs: does doc/features.md count the stories as they are?
//
// usage: node tests/e2e/features.mjs [--update]
//
// A row that says 'N stories: `./check --only "PATTERN"`' must have the number
// of stories that the pattern chooses. --update writes it.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../../doc/features.md', import.meta.url));
const RUN = fileURLToPath(new URL('run.mjs', import.meta.url));
const COUNT = /\b(\d+) stor(?:y|ies): `\.\/check --only "([^"]+)"`/g;

const names = execFileSync(process.execPath, [RUN, '--list'],
	{ encoding: 'utf8' }).trim().split('\n');
const page = readFileSync(PAGE, 'utf8');
let wrong = 0;
const right = page.replace(COUNT, (text, said, pattern) => {
	// As the shell's quotes leave it, and as run.mjs reads it.
	const regex = new RegExp(pattern.replace(/\\\|/g, '|'), 'i');
	const count = names.filter((name) => regex.test(name)).length;
	if (count === Number(said))
		return text;
	wrong++;
	console.log(`doc/features.md: "${pattern}" chooses ${count} stories, ` +
		`not ${said}`);
	return `${count} ${count === 1 ? 'story' : 'stories'}: ` +
		`\`./check --only "${pattern}"\``;
});
if (process.argv.includes('--update'))
	writeFileSync(PAGE, right);
else
	process.exitCode = wrong ? 1 : 0;
