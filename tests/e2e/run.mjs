// run.mjs: the end-to-end stories on one real server
//
// usage: tests/e2e/run [--server NAME] [--only PATTERN] [--quick | --long]
//                      [--list] [--base MODE] [--media MODE] [--jobs N]
//                      [--dir DIR] [--verbose]
//
// One Prosody or ejabberd and one daemon for all stories; those that move the
// clock, flip switches or kill get a daemon of their own, on a component of the
// same server. Stories run beside each other, heavy ones two at a time after
// them, and those that measure time one by one. One line a story, then 'N
// passed, N failed, N skipped'. A failing story prints its XMPP dialogue with
// times.
//
// Beside each daemon there is a privatecall-media, and media are as the daemon
// has it by itself (`auto`), but for stories that say what they are about.
// --base MODE (or E2E_MEDIA): the mode of those that do not, `direct` without
// a privatecall-media; then the main ones are not told in other modes, too.
// --media MODE: those that mode blind is chosen for, and that do not depend on
// it, in this mode.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { PATIENCE } from './children.mjs';
import { startMedia } from './media.mjs';
import { startPrivatecalld } from './privatecalld.mjs';
import { startServer } from './server.mjs';
import { alsoIn, BASE_CONF, defaults, NATIVE_HOST, REMOTE_HOST, restrictions,
	SILENT, Skip, stories, Story } from './story.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SECRET = 'secret';
const JOBS = 8;
// Pages that watch each other's pictures take the whole of a small machine.
const BROWSERS = 2;
const HEAVY = 2;
const SECOND_HOST = 'second.localhost';

const { values: options } = parseArgs({ options: {
	server: { type: 'string', default: 'prosody' },
	only: { type: 'string', multiple: true, default: [] },
	quick: { type: 'boolean' },
	long: { type: 'boolean' },
	list: { type: 'boolean' },
	media: { type: 'string' },
	base: { type: 'string', default: process.env.E2E_MEDIA ?? 'default' },
	jobs: { type: 'string', default: process.env.JOBS ?? String(JOBS) },
	dir: { type: 'string' },
	verbose: { type: 'boolean' },
} });

// Whatever a user may do is told in both modes. Of these files one mode is
// left out, and why.
const transparent = (why) => ({ transparent: why });
const NOT = {
	'admin.mjs': transparent('it is about the set-up'),
	'gateway.mjs': transparent('it is about addresses of ours'),
	'disk.mjs': transparent('it is about the database'),
	'ejabberd.mjs': transparent('it tells both modes itself'),
	'native.mjs': transparent('no service takes part'),
	'privilege.mjs': transparent('it is about servers without our module'),
	'prosody.mjs': transparent('it tells both modes itself'),
	'reload.mjs': { gateway: 'the server has no module there' },
	'entries.mjs': { gateway: 'F24 in devices.mjs tells it' },
	'leaks.mjs': { gateway: 'there the server bounces what is down' },
	'skew.mjs': transparent('it tells both modes itself'),
	'late.mjs': transparent('it tells both modes itself'),
	'remote.mjs': { gateway: 'refusals.mjs and A12 tell it' },
	'transparent.mjs': { gateway: 'it is about the users\' own addresses' },
	'a31-hostile.mjs': transparent('it is about the component\'s link'),
	'a31-stream.mjs': transparent('it is about the component\'s link'),
	'a35-secrets.mjs': transparent('it is about the daemon\'s own files'),
	'a39-log.mjs': transparent('it is about the daemon\'s own files'),
};

async function load() {
	for (const folder of ['stories', '../attack'])
		for (const file of readdirSync(join(HERE, folder)).sort()) {
			defaults.not = NOT[file] ?? {};
			if (file.endsWith('.mjs'))
				await import(join(HERE, folder, file));
		}
	if (options.base === 'default')
		stories.push(...alsoIn(stories));
}

// Each cell of stories, modes and servers that stays empty, and why.
function printRestrictions() {
	const count = new Map();
	for (const { where, why } of restrictions) {
		const line = `${where}: ${why}`;
		count.set(line, (count.get(line) ?? 0) + 1);
	}
	for (const [line, n] of [...count].sort())
		console.log(`${n} ${n === 1 ? 'story' : 'stories'} not in ${line}`);
}

function inMode() {
	const { media } = options;
	return media ? stories.filter((s) => s.media === true)
		.map((s) => ({ ...s, media,
			name: s.name.replace(/\bblind\b/, media) })) : stories;
}

function chosen() {
	const patterns = options.only.map((text) => new RegExp(text, 'i'));
	return inMode().filter(({ name, slow, long }) =>
		(patterns.length ? patterns.some((p) => p.test(name))
			: !long || options.long || options.list) &&
		!(options.quick && slow));
}

// Components that a story may have for itself, and who waits for one.
class Slots {
	constructor(list) {
		this.free = [...list];
		this.queue = [];
	}

	async take() {
		return this.free.shift() ??
			new Promise((resolve) => this.queue.push(resolve));
	}

	give(slot) {
		const next = this.queue.shift();
		if (next)
			next(slot);
		else
			this.free.push(slot);
	}
}

// The browser, one for all stories that want it.
class Chromium {
	constructor(dir) {
		this.dir = dir;
	}

	get() {
		return (this.started ??= startBrowser({ dir: this.dir }));
	}

	async stop() {
		await (await this.started?.catch(() => null))?.stop();
	}
}

function limit(promise, seconds, what) {
	const most = seconds * PATIENCE;
	let timer;
	return Promise.race([promise, new Promise((resolve, reject) => {
		timer = setTimeout(() => reject(new Error(
			`${what} took over ${most} s`)), most * 1000);
	})]).finally(() => clearTimeout(timer));
}

async function runOne(definition, number, world) {
	const dir = join(world.dir, `s${number}`);
	mkdirSync(dir, { recursive: true });
	const t = new Story(definition, { ...world, number, dir });
	const start = performance.now();
	const reason = definition.not?.[options.server];
	let error;
	try {
		if (reason)
			throw new Skip(reason);
		await t.open();
		await limit(definition.run(t), definition.lasts, 'the story');
	} catch (caught) {
		error = caught;
	}
	await limit(t.close(), 20, 'its end').catch((caught) => {
		error ??= caught;
	});
	if (!error && t.ownDaemon && /Sanitizer|runtime error:|Assertion/
		.test(t.ownDaemon.readLog()))
		error = new Error('the daemon\'s log has a sanitizer report ' +
			'or an assertion');
	const seconds = ((performance.now() - start) / 1000).toFixed(1);
	const word = !error ? 'ok  ' : error instanceof Skip ? 'skip' : 'FAIL';
	console.log(`${word} ${definition.name} (${seconds} s)` +
		`${error instanceof Skip ? `: ${error.message}` : ''}`);
	if (word === 'FAIL')
		explain(t, error);
	else if (options.verbose)
		t.dialogue.print((text) => process.stdout.write(text));
	return word.trim();
}

function explain(t, error) {
	console.log(`    ${String(error.stack ?? error)
		.replace(/\n/g, '\n    ')}`);
	t.dialogue.print((text) => process.stdout.write(text));
	const tail = t.ownDaemon?.readLog().trim().split('\n').slice(-12);
	if (tail)
		console.log(tail.map((l) => `    daemon: ${l}`).join('\n'));
}

// Longest first, so that none is left for the end; those with a browser in
// lanes of their own, or most jobs would soon wait for one.
async function runAll(list, world) {
	const count = { ok: 0, FAIL: 0, skip: 0 };
	const numbered = list.map((definition, i) => [definition, i + 1])
		.sort(([a], [b]) => b.lasts - a.lasts);
	const run = (which, jobs) => {
		const queue = numbered.filter(([s]) => which(s));
		return Promise.all(Array.from({ length: jobs }, async () => {
			for (let next; (next = queue.shift());)
				count[await runOne(...next, world)]++;
		}));
	};
	const jobs = Number(options.jobs);
	const together = (s) => !s.heavy && !s.alone;
	await Promise.all([
		run((s) => together(s) && s.browser, Math.min(BROWSERS, jobs)),
		run((s) => together(s) && !s.browser, jobs)]);
	await run((s) => s.heavy, Math.min(HEAVY, jobs));
	await run((s) => s.alone, 1);
	return count;
}

// Where the packaged limits end a test that must send more than a user may,
// only that user is exempt, the n-th story's hostile or accomplice.
function unlimited(count) {
	return Array.from({ length: count }, (_, i) =>
		[`hostile${i + 1}`, `accomplice${i + 1}`]).flat();
}

async function main() {
	await load();
	const list = chosen();
	if (options.list) {
		// Whole, though the process ends at once.
		await new Promise((done) => process.stdout.write(
			list.map(({ name }) => `${name}\n`).join(''), done));
		return 0;
	}
	const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'pc-e2e-'));
	// As many as run at a time: each host costs the server a start.
	const atATime = Math.min(Number(options.jobs) + BROWSERS, list.length);
	// One more: a story with a daemon of its own may need a stranger, too.
	const slots = Array.from({ length: atATime + 1 }, (_, i) => (
		{ domain: `calls${i + 1}.localhost`, secret: SECRET,
			host: `native${i + 1}.localhost` }));
	const prosody = await startServer(options.server, {
		dir: join(dir, 'server'), unlimited: unlimited(list.length),
		components: slots, hosts: [REMOTE_HOST],
		module: { hosts: { [NATIVE_HOST]: undefined,
			[SECOND_HOST]: undefined,
			...Object.fromEntries(slots.map((slot) =>
				[slot.host, slot.domain])) } } });
	const shared = join(dir, 'd');
	mkdirSync(shared, { recursive: true });
	const native = list.every((s) => s.native);
	const { base } = options;
	const media = native || base === 'direct' ? null
		: await startMedia({ dir: shared, mode: base });
	const daemon = native ? null
		: await startPrivatecalld({ dir: shared, prosody,
			conf: { ...BASE_CONF, ...SILENT, ...media?.conf,
				hosts: [prosody.host, NATIVE_HOST, SECOND_HOST] } });
	const chromium = new Chromium(join(dir, 'browser'));
	const count = await runAll(list, { prosody, daemon, chromium,
		domain: prosody.component.domain, slots: new Slots(slots), dir,
		base });
	await chromium.stop();
	await daemon?.stop();
	await media?.stop();
	await prosody.stop();
	if (daemon && /Sanitizer|runtime error:|Assertion/.test(daemon.readLog())) {
		console.log('the daemon\'s log has a sanitizer report');
		count.FAIL++;
	}
	if (!options.only.length)
		printRestrictions();
	console.log(`${count.ok} passed, ${count.FAIL} failed, ` +
		`${count.skip} skipped`);
	if (!count.FAIL && !options.dir)
		rmSync(dir, { recursive: true, force: true });
	else
		console.log(`Its files are in ${dir}`);
	return count.FAIL ? 1 : 0;
}

process.exitCode = await main().catch((error) => {
	console.error(error.stack ?? error);
	return 1;
});
process.exit();
