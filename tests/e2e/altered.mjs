// altered.mjs: a server's module that is this one but for a few words, for a
// story: of another version, or one that does not answer

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync }
	from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BIN } from './ejabberd.mjs';
import { assert } from './story.mjs';

const SERVER = resolve(dirname(fileURLToPath(import.meta.url)),
	'../../mod_privatecall/server');

function change(file, pairs) {
	let text = readFileSync(file, 'utf8');
	for (const [from, to] of pairs) {
		assert(text.includes(from), `${from} is not in ${file}`);
		text = text.replace(from, to);
	}
	writeFileSync(file, text);
}

// `changes`: by server, of each file of its module what is to be replaced by
// what. Returns options of the scene.
export async function altered(t, changes) {
	const { name } = t.prosody;
	const dir = join(t.dir, 'module');
	mkdirSync(dir);
	cpSync(join(SERVER, name), dir, { recursive: true });
	const own = name === 'prosody' ? join(dir, 'mod_privatecall') : dir;
	for (const [file, pairs] of Object.entries(changes[name]))
		change(join(own, file), pairs);
	if (name === 'prosody')
		return { module: {}, moduleDir: dir };
	await promisify(execFile)(join(BIN, 'erlc'), ['-o', dir,
		...readdirSync(dir).filter((file) => file.endsWith('.erl'))
			.map((file) => join(dir, file))]);
	return { module: {}, codePath: dir };
}
