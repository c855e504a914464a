// ejabberd.mjs: doc/admin/ejabberd.md, done as it stands there, on an ejabberd
// with the configuration that Debian's package brings
//
// Folders, ports, certificates and the user that the package would have made
// are others; nothing else is changed in the blocks of that page.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { BIN, startEjabberd } from '../ejabberd.mjs';
import { block, debianConfig } from '../pages.mjs';
import { startPrivatecalld } from '../privatecalld.mjs';
import { BASE_CONF, equal, story } from '../story.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

const lines = (name) => block('ejabberd', name);

// Runs a block of commands as they are, but for folders and the package's user.
async function sh(name, server) {
	const commands = lines(name)
		.replaceAll('/var/lib/ejabberd', server.dir)
		.replaceAll('/usr/local/lib/ejabberd/ebin', join(server.dir, 'ebin'))
		.replaceAll('chown -R ejabberd:', 'ls');
	return promisify(execFile)('sh', ['-euc',
		`sudo() { "$@"; }\n${commands}`], { cwd: TOP,
		env: { ...process.env, PATH: `${BIN}:${process.env.PATH}`,
			...server.ctlEnvironment() } });
}

// alice calls bob himself, and his contact of the component.
async function firstCall(t, server) {
	const conf = Object.fromEntries([...lines('privatecall.conf')
		.matchAll(/^(\w+) = "?([^"\n]*)"?$/gm)].map(([, k, v]) => [k, v]));
	equal(Object.keys(conf), ['domain', 'secret'], 'options');
	t.prosody = server;
	t.domain = conf.domain;
	t.daemon = t.ownDaemon = await startPrivatecalld({ dir: t.dir,
		prosody: server, conf: BASE_CONF });
	server.makeContacts(t.user('alice'), t.user('bob'));
	const [a, b] = await t.pair(Conversations, Dino);
	for (const to of [t.at('bob'), b.bare]) {
		const out = await a.call(to);
		await b.answer(await b.rings());
		await a.shows(out, 'active');
		await t.endQuietly(a, out);
	}
}

const options = { native: true, slow: true, lasts: 120,
	not: { prosody: 'it is about ejabberd' } };

story('ejabberd.md: from Debian\'s configuration to the first call, by ' +
	'module_install and reload_config', options, async (t) => {
	const dir = join(t.dir, 'ejabberd');
	let modules = '';
	const server = t.ownProsody = await startEjabberd({ dir,
		configText: (o) => debianConfig(o, modules) });
	await sh('module_install', server);
	modules = `modules:\n${lines('modules')}`;
	server.writeConfig();
	await sh('reload', server);
	await firstCall(t, server);
});

story('ejabberd.md: from Debian\'s configuration to the first call, by -pa ' +
	'and a restart', options, async (t) => {
	const dir = join(t.dir, 'ejabberd');
	mkdirSync(dir, { recursive: true });
	await sh('-pa', { dir, ctlEnvironment: () => ({}) });
	const [, path] = lines('options').match(/ -pa (\S+)"/);
	equal(path, '/usr/local/lib/ejabberd/ebin', 'the folder');
	const server = t.ownProsody = await startEjabberd({ dir,
		codePath: join(dir, 'ebin'),
		configText: (o) => debianConfig(o,
			`modules:\n${lines('modules')}`) });
	await firstCall(t, server);
});
