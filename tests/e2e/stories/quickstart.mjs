// quickstart.mjs: what ./quickstart starts, by what it prints

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild, until } from '../children.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { assert, equal, story } from '../story.mjs';

const PROGRAM = resolve(dirname(fileURLToPath(import.meta.url)),
	'../quickstart.mjs');
const START_MS = 60000;

// The accounts and the port that it prints: { user, host, password, calls }.
function printed(text) {
	const accounts = [...text.matchAll(
		/^ {2}(\w+)@(\S+) +password (\S+) +calls (\S+)$/gm)]
		.map(([, user, host, password, calls]) =>
			({ user, host, password, calls }));
	const [, port] = text.match(/server 127\.0\.0\.1, port (\d+)/) ?? [];
	return /Ctrl-C stops everything/.test(text) &&
		{ accounts, port: Number(port) };
}

story('./quickstart: both accounts that it prints log in and call as it ' +
	'says, it tells what happens, Ctrl-C ends all of it',
{ native: true, slow: true, lasts: 90 }, async (t) => {
	const log = join(t.dir, 'quickstart.log');
	const child = startChild(process.execPath, [PROGRAM, '--server',
		t.prosody.name, '--mode', t.definition.mode, '--media', 'direct'],
	{ log });
	const said = () => readFileSync(log, 'utf8');
	const { accounts, port } = await until(() => !child.alive ||
		printed(said()), said, START_MS);
	equal(accounts.map(({ user }) => user), ['alice', 'bob'], 'accounts');
	const [a, b] = await Promise.all(accounts.map(async (account) => {
		const client = new Conversations({ ...account, domain: t.domain,
			server: { host: account.host, c2sPort: port },
			dialogue: t.dialogue });
		t.clients.push(client);
		await client.login();
		return client;
	}));
	await a.waitPresence(t.definition.mode === 'transparent' ? b.jid
		: `${accounts[0].calls}/call`);
	const out = await a.call(accounts[0].calls);
	await b.answer(await b.rings());
	await a.shows(out, 'active');
	await a.hangUp(out);
	await b.waitUntil(() => !b.live.length, 'the call to end');
	await until(() => /alice.*bob/i.test(said().split('Ctrl-C').at(-1)),
		said);
	const [, folder] = said().match(/(\S*quickstart-\w+)/) ?? [];
	await child.kill('SIGINT');
	equal((await child.exited).code, 0, `status, after: ${said()}`);
	assert(!folder || !existsSync(folder), `${folder} is left`);
});
