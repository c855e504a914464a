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
import { BIN, startEjabberd } from '../ejabberd.mjs';
import { block, debianConfig } from '../pages.mjs';
import { firstCall } from '../scene.mjs';
import { equal, story } from '../story.mjs';

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

async function callFirst(t, server) {
	const conf = Object.fromEntries([...lines('privatecall.conf')
		.matchAll(/^(\w+) = "?([^"\n]*)"?$/gm)].map(([, k, v]) => [k, v]));
	equal(Object.keys(conf), ['domain', 'secret'], 'options');
	await firstCall(t, server, conf.domain);
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
	await callFirst(t, server);
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
	await callFirst(t, server);
});
