// run.mjs: the rules of doc/protocol.md, on a real server with our module
//
// usage: tests/module/run [--server prosody] [--only PATTERN] [--list]
//                         [--verbose]
//
// A scripted component and raw clients on one server, one rule after the
// other; each has users of its own. One line a rule, then 'N passed, N failed,
// N skipped'.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Skip } from '../e2e/skip.mjs';
import { rules, World } from './rule.mjs';
import { startServer } from './server.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const { values: options } = parseArgs({ options: {
	server: { type: 'string', default: 'prosody' },
	only: { type: 'string' },
	list: { type: 'boolean' },
	verbose: { type: 'boolean' },
} });

async function runOne(rule, world) {
	let error;
	world.begin();
	try {
		if (rule.up !== false)
			await world.up();
		await rule.run(world);
	} catch (caught) {
		error = caught;
	}
	await world.end();
	if (error instanceof Skip) {
		console.log(`skip ${rule.name}: ${error.message}`);
		return 'skipped';
	}
	console.log(`${error ? 'FAIL' : 'ok  '} ${rule.name}`);
	if (error)
		console.log(`    ${String(error.stack).replace(/\n/g, '\n    ')}`);
	if (error || options.verbose)
		world.dialogue.print((text) => process.stdout.write(text));
	return error ? 'failed' : 'passed';
}

async function main() {
	for (const file of readdirSync(join(HERE, 'rules')).sort())
		await import(join(HERE, 'rules', file));
	const pattern = new RegExp(options.only ?? '', 'i');
	const list = rules.filter(({ name }) => pattern.test(name));
	if (options.list) {
		for (const { name } of list)
			console.log(name);
		return 0;
	}
	const dir = mkdtempSync(join(tmpdir(), 'pc-module-'));
	const server = await startServer(options.server, dir);
	const world = new World(server);
	const count = { passed: 0, failed: 0, skipped: 0 };
	for (const rule of list)
		count[await runOne(rule, world)]++;
	await server.stop();
	console.log(`${count.passed} passed, ${count.failed} failed, ` +
		`${count.skipped} skipped`);
	if (count.failed)
		console.log(`Its files are in ${dir}`);
	else
		rmSync(dir, { recursive: true, force: true });
	return count.failed ? 1 : 0;
}

process.exitCode = await main().catch((error) => {
	console.error(error.stack ?? error);
	return 1;
});
process.exit();
