#!/usr/bin/env node
// mutate.mjs: how many small mistakes in the rules do the tests notice?
//
// usage: tests/broken/mutate.mjs [--count N] [--seed S] [--jobs J] [--list]
//        [--only PATTERN] [--calls N] [--dir DIR]
//
// Each mutant is one mistake in one place of call/, policy/ or jingle/session/:
// a statement dropped, a condition turned over, a constant changed. It is built
// in a copy of the tree and must be noticed by the unit and golden tests, or by
// the simulator in --calls calls (20,000). N mutants (100; 0: all) are drawn
// with the seed, which is printed. Survivors are listed; those that
// tests/broken/survivors explains are counted apart. Ends with 'N passed, N
// failed, N skipped', where passed means killed, and 1 when less than 95 of a
// hundred are.

import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync,
	writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const FOLDERS = ['mod_privatecall/call', 'mod_privatecall/policy',
	'jingle/session'];
// Quick ones first: most mutants die of the golden traces.
const PROGRAMS = ['golden', 'call', 'leg', 'leg_rules', 'call_rules',
	'leg_store', 'verdict', 'settings', 'cause', 'call_memory', 'daemon',
	'hold'].map((name) => `tests/unit/test_${name}`);
const SIM = 'tests/sim/sim';
const TEST_SECONDS = 10;
const WANTED = 0.95;

const { values: options } = parseArgs({ options: {
	count: { type: 'string', default: '100' },
	seed: { type: 'string' },
	jobs: { type: 'string', default: '1' },
	calls: { type: 'string', default: '20000' },
	only: { type: 'string' },
	dir: { type: 'string' },
	list: { type: 'boolean' },
} });

// --- finding places -------------------------------------------------------

const TYPES = '(?:struct|enum|const|static|unsigned|signed|int|bool|char|long' +
	'|void|double|size_t|ssize_t|u?int\\d+_t|FILE)';
const DECLARATION = new RegExp(`^${TYPES}\\b[^=(]*(?:[=;,\\[]|\\))`);
const blank = (text) => text.replace(/[^\n]/g, ' ');

function closing(code, open) {
	let depth = 0;
	for (let i = open; i < code.length; i++) {
		if (code[i] === '(')
			depth++;
		if (code[i] === ')' && --depth === 0)
			return i;
	}
	return -1;
}

// The text, as long as it was, with all blanked that is no code, or whose
// change no test can notice: assertions and what only makes them.
function codeOf(text) {
	let code = text.replace(
		/\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g,
		(m) => (m[0] === '/' ? blank(m) : m.replace(/[^\n]/g, '"')))
		.replace(/^#(?!define).*(?:\\\n.*)*$/gm, blank)
		.replace(/^void \w+_check\([^)]*\)\n\{[\s\S]*?\n\}/gm, blank)
		.replace(/\(void\)\w+;/g, blank);
	for (let at; (at = code.search(/\bassert\s*\(/)) >= 0;) {
		const end = closing(code, code.indexOf('(', at)) + 2;
		code = code.slice(0, at) + blank(code.slice(at, end)) +
			code.slice(end);
	}
	return code;
}

// [start, end) of the bodies of functions.
function bodies(code) {
	const list = [];
	const pattern = /\)\n\{\n([\s\S]*?)\n\}\n/g;
	for (let m; (m = pattern.exec(code));)
		list.push([m.index + 4, m.index + m[0].length - 3]);
	return list;
}

// From `at`, the end of an expression statement that begins there, or -1.
function statementEnd(code, at) {
	let depth = 0;
	for (let i = at; i < code.length; i++) {
		if ('([{'.includes(code[i]))
			depth++;
		if (')]}'.includes(code[i]) && --depth < 0)
			return -1;
		if (code[i] === ';' && depth === 0)
			return i + 1;
	}
	return -1;
}

function isDroppable(statement) {
	if (/^(?:if|for|while|do|switch|else|case|default|goto|continue)\b/
		.test(statement))
		return false;
	if (/^return\b/.test(statement))
		return /^return\s*;/.test(statement);
	return !DECLARATION.test(statement) && /^[\w(*+-]/.test(statement);
}

function drops(code, [start, end]) {
	const found = new Map();
	const starts = /[;{}:)]\s*\n\s*|\belse\s+/g;
	starts.lastIndex = start - 1;
	for (let m; (m = starts.exec(code)) && m.index < end;) {
		const at = m.index + m[0].length;
		const to = statementEnd(code, at);
		starts.lastIndex = m.index + 1;
		if (to > 0 && to <= end && isDroppable(code.slice(at, to)))
			found.set(at, { at, to, put: ';', what: 'dropped' });
	}
	return [...found.values()];
}

function conditions(code, [start, end]) {
	const found = [];
	const pattern = /\b(?:if|while)\s*\(/g;
	pattern.lastIndex = start;
	for (let m; (m = pattern.exec(code)) && m.index < end;) {
		const open = m.index + m[0].length - 1;
		const to = closing(code, open);
		found.push({ at: open, to: to + 1, wrap: ['(!', ')'],
			what: 'turned over' });
	}
	const joins = /&&|\|\|/g;
	joins.lastIndex = start;
	for (let m; (m = joins.exec(code)) && m.index < end;)
		found.push({ at: m.index, to: m.index + 2,
			put: m[0] === '&&' ? '||' : '&&', what: 'joined wrongly' });
	return found;
}

function changed(word) {
	if (word === 'true' || word === 'false')
		return word === 'true' ? 'false' : 'true';
	const [, digits, suffix] = word.match(/^(\d+)([uUlL]*)$/);
	return `${[1, 0][digits] ?? Number(digits) * 2}${suffix}`;
}

function constants(code) {
	const found = [];
	const pattern = /(?<![\w.])(?:true|false|(?:0|[1-9]\d*)[uUlL]*)(?![\w.])/g;
	for (let m; (m = pattern.exec(code));)
		found.push({ at: m.index, to: m.index + m[0].length,
			put: changed(m[0]), what: 'changed' });
	return found;
}

function mutantsOf(file) {
	const text = readFileSync(join(TOP, file), 'utf8');
	const code = codeOf(text);
	const list = bodies(code).flatMap((body) =>
		[...drops(code, body), ...conditions(code, body)]);
	return [...list, ...constants(code)].map((m) => {
		const old = text.slice(m.at, m.to);
		return { ...m, file, old, put: m.put ?? m.wrap.join(old),
			line: text.slice(0, m.at).split('\n').length };
	});
}

function allMutants() {
	const files = FOLDERS.flatMap((folder) =>
		readdirSync(join(TOP, folder)).filter((f) => f.endsWith('.c'))
			.sort().map((f) => join(folder, f)));
	return files.flatMap(mutantsOf);
}

const flat = (text) => text.replace(/\s+/g, ' ');
const nameOf = (m) => `${m.file}:${m.line}: ${m.what}: ${flat(m.old)}` +
	`${m.put === ';' ? '' : ` -> ${flat(m.put)}`}`;

// --- drawing -----------------------------------------------------------------

function random(seed) {
	let s = seed >>> 0;
	return () => {
		s = (s + 0x6d2b79f5) >>> 0;
		let t = Math.imul(s ^ (s >>> 15), 1 | s);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
	};
}

function draw(list, count, seed) {
	const next = random(seed);
	const rest = [...list];
	for (let i = rest.length - 1; i > 0; i--) {
		const j = Math.floor(next() * (i + 1));
		[rest[i], rest[j]] = [rest[j], rest[i]];
	}
	return count ? rest.slice(0, count) : rest;
}

// --- building and testing ---------------------------------------------------

function must(command, args, cwd) {
	const { status, stdout, stderr } = spawnSync(command, args,
		{ cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
	if (status !== 0)
		throw new Error(`${command} ${args.join(' ')}: ${status}\n${
			`${stdout}${stderr}`.slice(-2000)}`);
}

// A copy of the tree with a build of its own; asserts are on, as in every
// build.
function copyTree(dir) {
	rmSync(dir, { recursive: true, force: true });
	mkdirSync(dir, { recursive: true });
	const keep = (name) => !['.git', 'build', 'node_modules', 'web',
		'autom4te.cache'].includes(name.slice(TOP.length + 1)
		.split('/').pop());
	cpSync(TOP, join(dir, 'src'), { recursive: true, filter: keep });
	mkdirSync(join(dir, 'build'));
	must('../src/configure', ['--quiet', 'CFLAGS=-O1 -w'],
		join(dir, 'build'));
	const programs = existsSync(join(TOP, 'tests/sim'))
		? [...PROGRAMS, SIM] : PROGRAMS;
	must('make', ['-s', '-j2', ...programs], join(dir, 'build'));
	return { dir, programs };
}

// Its exit code; a signal (an assertion, a time-out) counts as 1.
function run(command, args, options_, seconds) {
	return new Promise((done) => {
		const child = spawn(command, args, { ...options_,
			stdio: 'ignore', detached: true });
		const timer = setTimeout(() => {
			process.kill(-child.pid, 'SIGKILL');
		}, seconds * 1000);
		child.on('close', (code) => {
			clearTimeout(timer);
			done(code ?? 1);
		});
	});
}

// Who notices the mutant; null: nobody.
async function killer({ dir, programs }) {
	const build = join(dir, 'build');
	const env = { ...process.env, top_srcdir: join(dir, 'src'),
		srcdir: join(dir, 'src'), top_builddir: build };
	for (const program of programs) {
		if (await run('make', ['-s', program], { cwd: build }, 300))
			return 'the compiler';
		const args = program !== SIM ? [] : ['--seed', '1', '--calls',
			options.calls];
		if (await run(join(build, program), args, { cwd: build, env },
			program === SIM ? 600 : TEST_SECONDS))
			return program;
	}
	return null;
}

async function judge(tree, mutant) {
	const path = join(tree.dir, 'src', mutant.file);
	const text = readFileSync(join(TOP, mutant.file), 'utf8');
	writeFileSync(path, text.slice(0, mutant.at) + mutant.put +
		text.slice(mutant.to));
	const by = await killer(tree);
	writeFileSync(path, text);
	return by;
}

// Lines of tests/broken/survivors: 'FILE: OLD -> NEW  # why nobody can tell'.
// Line numbers are left out, so that the list lives through edits.
function explained() {
	const path = join(TOP, 'tests/broken/survivors');
	if (!existsSync(path))
		return new Set();
	return new Set(readFileSync(path, 'utf8').split('\n')
		.filter((line) => line && !line.startsWith('#'))
		.map((line) => line.split('  # ')[0]));
}

const withoutLine = (name) => name.replace(/:\d+:/, ':');

async function main() {
	const all = allMutants().filter((m) => !options.only ||
		new RegExp(options.only).test(nameOf(m)));
	if (options.list) {
		for (const m of all)
			console.log(nameOf(m));
		return 0;
	}
	const seed = Number(options.seed ?? Date.now() % 1000000);
	const queue = draw(all, Number(options.count), seed);
	console.log(`${queue.length} of ${all.length} mutants, seed ${seed}`);
	const base = resolve(options.dir ?? join(process.env.BUILD_DIR ??
		join(TOP, 'build'), 'mutants'));
	const known = explained();
	const count = { killed: 0, survived: 0, explained: 0, unbuilt: 0 };
	const killers = new Map();
	await Promise.all(Array.from({ length: Number(options.jobs) },
		async (_, i) => {
			const tree = copyTree(join(base, String(i)));
			for (let m; (m = queue.shift());) {
				const by = await judge(tree, m);
				if (by === 'the compiler') {
					count.unbuilt++;
				} else if (by) {
					count.killed++;
					killers.set(by, (killers.get(by) ?? 0) + 1);
				} else {
					const argued = known.has(withoutLine(nameOf(m)));
					count[argued ? 'explained' : 'survived']++;
					console.log(`${argued ? 'argued  ' : 'SURVIVED'} ` +
						nameOf(m));
				}
			}
		}));
	for (const [by, n] of [...killers].sort((a, b) => b[1] - a[1]))
		console.log(`${String(n).padStart(5)} killed by ${by}`);
	const judged = count.killed + count.survived + count.explained;
	const share = count.killed / judged;
	console.log(`${(100 * share).toFixed(1)} % of ${judged} killed; ` +
		`${count.explained} survivors argued in tests/broken/survivors, ` +
		`${count.unbuilt} did not compile`);
	console.log(`${count.killed} passed, ${count.survived} failed, 0 skipped`);
	return share >= WANTED ? 0 : 1;
}

process.exitCode = await main();
