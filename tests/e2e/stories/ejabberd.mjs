// ejabberd.mjs: doc/admin/ejabberd.md, done as it stands there, on an ejabberd
// with the configuration that Debian's package brings
//
// Folders, ports, certificates and the user that the package would have made
// are others; nothing else is changed in the blocks of that page.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { BIN, startEjabberd } from '../ejabberd.mjs';
import { startPrivatecalld } from '../privatecalld.mjs';
import { assert, BASE_CONF, equal, story } from '../story.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const DOMAIN = 'calls.localhost';
const ROOT = resolve(BIN, '../root');

// The block that begins with "# NAME", without the indent of its list.
function block(name) {
	const page = readFileSync(join(TOP, 'doc/admin/ejabberd.md'), 'utf8');
	const found = page.match(new RegExp('^( *)```\\w*\\n *# ' + name +
		'\\n([^]*?)^ *```', 'm'));
	assert(found, `no block ${name}`);
	return found[2].replaceAll(new RegExp(`^${found[1]}`, 'gm'), '')
		.replaceAll('calls.example.org', DOMAIN);
}

// Debian's file, with the blocks of the page below its headings. What needs
// certificates or a port of its own is left out.
function configText({ ports, components }, modules) {
	const [{ secret }] = components;
	const listen = block('listen').replace('5347', ports.component)
		.replace('the secret', secret);
	return readFileSync(join(ROOT,
		'usr/share/ejabberd/ejabberd.yml.example'), 'utf8')
		.replace(/^certfiles:\n.*\n/m, '')
		.replace(/^ {2}-\n {4}port: (?!5222|5443)\d+\n(?: {4}.*\n)+/gm, '')
		.replace(/^ *(starttls_required|tls|protocol_options): .*\n/gm, '')
		.replace('port: 5222', `port: ${ports.c2s}`)
		.replace('port: 5443', `port: ${ports.http}`)
		.replaceAll('ip: "::"', 'ip: "127.0.0.1"')
		.replace(/^ {2}mod_(mqtt|pres_counter|stun_disco):.*\n(?: {4}.*\n)*/gm,
			'')
		.replace(/^api_permissions:\n/m, 'api_permissions:\n  of the tests:' +
			'\n    who:\n      ip: 127.0.0.1/8\n    what: "*"\n')
		.replace(/^listen:\n/m, `listen:\n${listen}`)
		.replace(/^modules:\n/m, `modules:\n${modules}`);
}

// Runs a block of commands as they are, but for folders and the package's user.
async function sh(name, server) {
	const commands = block(name)
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
	const conf = Object.fromEntries([...block('privatecall.conf')
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
		configText: (o) => configText(o, modules) });
	await sh('module_install', server);
	modules = block('modules');
	server.writeConfig();
	await sh('reload', server);
	await firstCall(t, server);
});

story('ejabberd.md: from Debian\'s configuration to the first call, by -pa ' +
	'and a restart', options, async (t) => {
	const dir = join(t.dir, 'ejabberd');
	mkdirSync(dir, { recursive: true });
	await sh('-pa', { dir, ctlEnvironment: () => ({}) });
	const [, path] = block('options').match(/ -pa (\S+)"/);
	equal(path, '/usr/local/lib/ejabberd/ebin', 'the folder');
	const server = t.ownProsody = await startEjabberd({ dir,
		codePath: join(dir, 'ebin'),
		configText: (o) => configText(o, block('modules')) });
	await firstCall(t, server);
});
