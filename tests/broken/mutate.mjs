#!/usr/bin/env node
// mutate.mjs: how many small mistakes in the rules do the tests notice?
//
// usage: tests/broken/mutate.mjs [--count N] [--seed S] [--jobs J] [--list]
//        [--only PATTERN] [--again LOG] [--calls N] [--dir DIR]
//
// Each mutant is one mistake in one place of call/, policy/ or jingle/session/:
// a statement dropped, a condition turned over, a constant changed. It is built
// in a copy of the tree and must be noticed by the unit and golden tests, which
// run under LeakSanitizer, or by the simulator in --calls calls (20,000). N
// mutants (100; 0: all) are drawn with the seed, which is printed.
//
// Nothing counts as killed for a wrong reason: the tree as it is must pass
// before the first mutant and after the last, and what fails must fail twice.
// Mutants that do not compile, or compile to the very same code, are counted
// apart. Survivors are listed; those that tests/broken/survivors explains are
// no failures, but no kills either. DIR/killed says who killed which; --again
// judges only those that survived by LOG, what an earlier run printed. Ends
// with 'N passed, N failed, N skipped', where passed means killed, and 1 when
// less than 95 of a hundred are.

import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync,
	readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { random } from '../e2e/random.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const FOLDERS = ['mod_privatecall/call', 'mod_privatecall/policy',
	'jingle/session'];
// Most mutants die of the golden traces; the others are asked together.
const FIRST = 'tests/unit/test_golden';
const PROGRAMS = ['call', 'leg', 'leg_rules', 'call_rules', 'leg_store',
	'leg_return', 'leg_map', 'leg_pack', 'call_room', 'call_blind',
	'verdict', 'settings', 'cause', 'call_memory', 'hold', 'daemon']
	.map((name) => `tests/unit/test_${name}`);
const SIM = 'tests/sim/sim';
const TEST_SECONDS = 20;
const SIM_SECONDS = 600;
const WANTED = 0.95;

const { values: options } = parseArgs({ options: {
	count: { type: 'string', default: '100' },
	seed: { type: 'string' },
	jobs: { type: 'string', default: '1' },
	calls: { type: 'string', default: '20000' },
	only: { type: 'string' },
	again: { type: 'string' },
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
		.replace(/\(void\)\w+;|\bsizeof\(\(\w+\)\[0\]\)/g, blank);
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
		return { ...m, file, text, old, put: m.put ?? m.wrap.join(old),
			line: text.slice(0, m.at).split('\n').length };
	});
}


const flat = (text) => text.replace(/\s+/g, ' ').trim();

// With its line and the one before: "changed: 0 -> 1" alone says too little.
function nameOf(m) {
	const lines = m.text.split('\n').slice(Math.max(m.line - 2, 0), m.line);

	return `${m.file}:${m.line}: ${m.what}: ${flat(m.old)}` +
		`${m.put === ';' ? '' : ` -> ${flat(m.put)}`}` +
		`${m.nth > 1 ? ` (${m.nth})` : ''}` +
		` @ ${lines.map(flat).join(' | ')}`;
}

const withoutLine = (name) => name.replace(/:\d+:/, ':');

// The mutants of all files; those that look the same are numbered.
function allMutants() {
	const files = FOLDERS.flatMap((folder) =>
		readdirSync(join(TOP, folder)).filter((f) => f.endsWith('.c'))
			.sort().map((f) => join(folder, f)));
	const seen = new Map();
	return files.flatMap(mutantsOf).map((m) => {
		const name = withoutLine(nameOf(m));

		seen.set(name, (seen.get(name) ?? 0) + 1);
		return { ...m, nth: seen.get(name) };
	});
}

// --- drawing -----------------------------------------------------------------

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

// Its exit code; a signal (an assertion, a time-out) counts as 1.
function run(command, args, settings, seconds) {
	return new Promise((done) => {
		const child = spawn(command, args, { ...settings,
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

// A copy of the tree with a build of its own; asserts are on, as in every
// build. The leak sanitizer needs nothing but to be linked; an index out of
// bounds traps, and what nobody set is no lucky zero.
const CFLAGS = '-O1 -w -fsanitize=bounds -fsanitize-undefined-trap-on-error ' +
	'-ftrivial-auto-var-init=pattern';

function copyTree(dir) {
	rmSync(dir, { recursive: true, force: true });
	mkdirSync(join(dir, 'src'), { recursive: true });
	const keep = (name) => !['.git', 'build', 'node_modules', 'web',
		'autom4te.cache'].includes(name.split('/').pop());
	// One by one: DIR may be in TOP, which cpSync() would not copy.
	for (const name of readdirSync(TOP).filter(keep))
		cpSync(join(TOP, name), join(dir, 'src', name),
			{ recursive: true, filter: keep });
	const build = join(dir, 'build');
	mkdirSync(build);
	must('../src/configure', ['--quiet', `CFLAGS=${CFLAGS}`,
		'LDFLAGS=-fsanitize=leak'], build);
	const more = existsSync(join(TOP, 'tests/sim')) ? [SIM] : [];
	return { dir, build, stages: [[FIRST], [...PROGRAMS, ...more]] };
}

async function fails({ dir, build }, program) {
	const src = join(dir, 'src');
	const env = { ...process.env, top_srcdir: src, srcdir: src,
		top_builddir: build };
	const sim = program === SIM;
	return await run(join(build, program), sim ? ['--calls',
		options.calls] : [], { cwd: build, env },
	sim ? SIM_SECONDS : TEST_SECONDS) !== 0;
}

const objectOf = (tree, file) =>
	readFileSync(join(tree.build, file.replace(/\.c$/, '.o')));

// Who notices what is in the tree now; null: nobody. `same` is asked after
// the first build: true when there is nothing to notice.
async function killer(tree, same) {
	for (const programs of tree.stages) {
		if (await run('make', ['-s', '-j2', ...programs],
			{ cwd: tree.build }, 600))
			return 'the compiler';
		if (same())
			return 'the same code';
		for (const program of programs)
			if (await fails(tree, program) &&
				await fails(tree, program))
				return program;
	}
	return null;
}

async function mustPass(tree) {
	const by = await killer(tree, () => false);
	if (by)
		throw new Error(`the tree as it is fails: ${by}`);
}

// The mutant keeps the lines of the file: an assertion's line is in its code.
async function judge(tree, mutant) {
	const path = join(tree.dir, 'src', mutant.file);
	const { text, old, put } = mutant;
	const lines = (s) => s.split('\n').length;
	writeFileSync(path, text.slice(0, mutant.at) + put +
		'\n'.repeat(lines(old) - lines(put)) + text.slice(mutant.to));
	const by = await killer(tree, () => objectOf(tree, mutant.file)
		.equals(tree.objects.get(mutant.file)));
	writeFileSync(path, text);
	return by;
}

// --- the whole ---------------------------------------------------------------

// Lines of tests/broken/survivors: what SURVIVED says of one, but without the
// line's number, so that the list lives through edits, and '  # why'.
function explained() {
	const path = join(TOP, 'tests/broken/survivors');
	if (!existsSync(path))
		return new Set();
	return new Set(readFileSync(path, 'utf8').split('\n')
		.filter((line) => line && !line.startsWith('#'))
		.map((line) => line.split('  # ')[0]));
}

// Takes mutants from the queue until it is empty; each goes to `told`.
async function work(dir, queue, told) {
	const tree = copyTree(dir);
	await mustPass(tree);
	tree.objects = new Map(queue.map(({ file }) =>
		[file, objectOf(tree, file)]));
	for (let m; (m = queue.shift());)
		told(m, await judge(tree, m));
	await mustPass(tree);
}

function choose(seed) {
	const only = options.only && new RegExp(options.only);
	const log = options.again && new Set(readFileSync(options.again, 'utf8')
		.split('\n').filter((line) => line.startsWith('SURVIVED '))
		.map((line) => withoutLine(line.slice('SURVIVED '.length))));
	const all = allMutants().filter((m) => {
		const name = nameOf(m);
		return (!only || only.test(name)) &&
			(!log || log.has(withoutLine(name)));
	});
	const queue = draw(all, Number(options.count), seed);
	if (!options.list)
		console.log(`${queue.length} of ${all.length} mutants, ` +
			`seed ${seed}`);
	return queue;
}

function sum(killers, survived, argued) {
	const notJudged = ['the compiler', 'the same code'];
	let killed = 0;
	for (const [by, n] of [...killers].sort((a, b) => b[1] - a[1])) {
		if (notJudged.includes(by))
			continue;
		killed += n;
		console.log(`${String(n).padStart(5)} killed by ${by}`);
	}
	const judged = killed + survived + argued;
	const [unbuilt, same] = notJudged.map((by) => killers.get(by) ?? 0);
	console.log(`${(100 * killed / judged).toFixed(1)} % of ${judged} ` +
		`killed; ${argued} survivors argued in tests/broken/survivors; ` +
		`beside them ${same} make the same code, ` +
		`${unbuilt} do not compile`);
	console.log(`${killed} passed, ${survived} failed, 0 skipped`);
	return killed / judged >= WANTED ? 0 : 1;
}

async function main() {
	const seed = Number(options.seed ?? Date.now() % 1000000);
	const queue = choose(seed);
	if (options.list) {
		for (const m of queue)
			console.log(nameOf(m));
		return 0;
	}
	const base = resolve(options.dir ?? join(process.env.BUILD_DIR ??
		join(TOP, 'build'), 'mutants'));
	mkdirSync(base, { recursive: true });
	writeFileSync(join(base, 'killed'), '');
	const known = explained();
	const killers = new Map();
	let survived = 0, argued = 0;
	const told = (m, by) => {
		if (by) {
			killers.set(by, (killers.get(by) ?? 0) + 1);
			appendFileSync(join(base, 'killed'),
				`${by}: ${nameOf(m)}\n`);
		} else if (known.has(withoutLine(nameOf(m)))) {
			argued++;
		} else {
			survived++;
			console.log(`SURVIVED ${nameOf(m)}`);
		}
	};
	await Promise.all(Array.from({ length: Number(options.jobs) },
		(_, i) => work(join(base, String(i)), queue, told)));
	return sum(killers, survived, argued);
}

process.exitCode = await main();
