// prosody.mjs: a real Prosody in a private folder on free loopback ports
//
// Its limits are the packaged defaults (c2s 10 kB/s). Accounts and rosters are
// written as files: Prosody reads an account at login and a roster when its
// owner's first session appears.

import { execFile } from 'node:child_process';
import {
	existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onFreePorts, startChild, until } from './children.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const HOST = 'localhost';
const MODULE_DIR = process.env.PROSODY_MODULE_DIR ??
	join(TOP, 'mod_privatecall/server/prosody');
// Those of Debian's prosody-modules: ./check unpacks them.
export const PROSODY_MODULES = process.env.PROSODY_MODULES ?? join(TOP,
	'build/prosody-modules/root/usr/lib/prosody/modules');
export const PROSODY = process.env.PROSODY ?? 'prosody';
const PROSODYCTL = process.env.PROSODYCTL ?? 'prosodyctl';
const PORT_TAKEN = 'Failed to open server port';
const START_MS = 20000;
const TAIL = 2000;

const PACKAGED_LIMITS =
	'limits = { c2s = { rate = "10kb/s" }; s2sin = { rate = "30kb/s" } }';

const MODULES = [
	'disco', 'roster', 'saslauth', 'blocklist', 'bookmarks', 'carbons',
	'csi', 'csi_simple', 'limits', 'mam', 'offline', 'pep', 'ping', 'posix',
	'private', 'smacks', 'time', 'uptime', 'vcard4', 'vcard_legacy',
	'version', 'websocket',
];

// Prosody's own escaping of names in its data folder.
function dataName(text) {
	return Buffer.from(text).toString('latin1').replace(/[^A-Za-z0-9]/g,
		(c) => '%' + c.charCodeAt(0).toString(16).padStart(2, '0'));
}

function lua(text) {
	return '"' + String(text).replace(/[\\"]/g, '\\$&')
		.replace(/\n/g, '\\n') + '"';
}

function luaValue(value) {
	return typeof value === 'string' ? lua(value) : String(value);
}

// Lines that load our module on a host: those that doc/admin/prosody.md tells
// an admin to add, with other names, and more options.
function moduleLines({ options = {} }, component) {
	const page = readFileSync(join(TOP, 'doc/admin/prosody.md'), 'utf8');
	const [, lines] = page.match(/VirtualHost "example\.org"\n([^]*?)\n\n/);
	const more = Object.entries(options).map(([name, value]) =>
		`\t${name} = ${luaValue(value)}\n`).join('');
	return `${lines.replace('calls.example.org', component)}\n${more}`;
}

function ownModule({ module, component }) {
	return module && (!module.hosts || HOST in module.hosts)
		? moduleLines(module, component.domain) : '';
}

function moduleHosts(o) {
	return Object.entries(o.module?.hosts ?? {})
		.filter(([host]) => host !== HOST).map(([host, component]) =>
		`VirtualHost ${lua(host)}\n` + moduleLines(o.module,
			component ?? o.component.domain)).join('\n');
}

function luaRoster(items) {
	const lines = items.map(({ jid, name, subscription = 'both', ask }) =>
		`\t[${lua(jid)}] = { ` +
		`["subscription"] = ${lua(subscription)}; ` +
		(name ? `["name"] = ${lua(name)}; ` : '') +
		(ask ? `["ask"] = ${lua(ask)}; ` : '') +
		`["groups"] = {}; };`);
	return 'return {\n\t[false] = { ["version"] = 1; ' +
		`["pending"] = {}; };\n${lines.join('\n')}\n};\n`;
}

// Its folders, ports and accounts, and no way out.
export function privateLines(o) {
	const file = (...names) => lua(join(o.dir, ...names));
	return `-- written by tests/e2e/prosody.mjs
${process.getuid() === 0 ? 'run_as_root = true' : ''}
daemonize = false
pidfile = ${file('prosody.pid')}
data_path = ${file('data')}
certificates = ${file('certs')}
log = { ${o.logLevel} = "*console" }
interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { ${o.ports.c2s} }
http_ports = { ${o.ports.http} }
http_interfaces = { "127.0.0.1" }
https_ports = { }
component_ports = { ${o.ports.component} }
component_interfaces = { "127.0.0.1" }
http_default_host = "${HOST}"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_websocket_secure = true
authentication = "internal_plain"
storage = "internal"
modules_disabled = { "s2s" }
`;
}

function usualConfig(o) {
	const modules = [...MODULES, ...o.modules, ...o.tls ? ['tls'] : [],
		...o.module ? ['admin_shell'] : []];
	const file = (...names) => lua(join(o.dir, ...names));
	return `${privateLines(o)}
modules_enabled = { ${modules.map(lua).join(', ')} }
${o.limits}
plugin_paths = { ${[o.moduleDir, ...o.pluginPaths].map(lua).join(', ')} }
${o.globalConfig}

VirtualHost "${HOST}"
${o.tls ? `	ssl = { key = ${file('certs', `${HOST}.key`)};
		certificate = ${file('certs', `${HOST}.crt`)} }` : ''}
${ownModule(o)}
${o.hostConfig}

${moduleHosts(o)}

Component ${lua(o.component.domain)}
	component_secret = ${lua(o.component.secret)}
	component_conflict_resolve = "kick_old"
${o.componentConfig}
`;
}

// A folder with one of Debian's modules alone: others are there that Prosody
// has itself. Without them it stays empty.
function pushFolder(dir) {
	const name = 'mod_cloud_notify';
	const folder = join(dir, 'plugins');
	mkdirSync(folder, { recursive: true });
	if (existsSync(join(PROSODY_MODULES, name)) &&
	    !existsSync(join(folder, name)))
		symlinkSync(join(PROSODY_MODULES, name), join(folder, name));
	return { pluginPaths: [folder], modules: existsSync(join(folder, name))
		? ['cloud_notify'] : [] };
}

async function makeCertificate(dir) {
	const key = join(dir, 'certs', `${HOST}.key`);
	const crt = join(dir, 'certs', `${HOST}.crt`);
	if (existsSync(crt))
		return crt;
	await promisify(execFile)('openssl', [
		'req', '-new', '-x509', '-nodes', '-newkey', 'ec',
		'-pkeyopt', 'ec_paramgen_curve:prime256v1', '-days', '30',
		'-subj', `/CN=${HOST}`,
		'-addext', `subjectAltName=DNS:${HOST}`,
		'-keyout', key, '-out', crt,
	]);
	return crt;
}

class Prosody {
	#o;
	#child = null;
	#rosters = new Map();

	constructor(o, certificate) {
		this.#o = o;
		this.name = 'prosody';
		this.push = o.modules.includes('cloud_notify');
		this.admits = 'External component successfully authenticated';
		this.host = HOST;
		this.dir = o.dir;
		this.log = join(o.dir, 'prosody.log');
		this.config = join(o.dir, 'prosody.cfg.lua');
		this.certificate = certificate;
		this.component = o.component;
	}

	get c2sPort() {
		return this.#o.ports.c2s;
	}

	get httpPort() {
		return this.#o.ports.http;
	}

	get componentPort() {
		return this.#o.ports.component;
	}

	get websocket() {
		return `ws://${HOST}:${this.httpPort}/xmpp-websocket`;
	}

	get pid() {
		return this.#child.pid;
	}

	#write(store, name, text, host = HOST) {
		const folder = join(this.dir, 'data', dataName(host), store);
		mkdirSync(folder, { recursive: true });
		writeFileSync(join(folder, `${dataName(name)}.dat`), text);
	}

	addUser(name, password, host = HOST) {
		this.#write('accounts', name, 'return {\n' +
			`\t["password"] = ${lua(password)};\n};\n`, host);
		return `${name}@${host}`;
	}

	// items: [{ jid, name, subscription = "both", ask }]
	setRoster(name, items, host = HOST) {
		this.#rosters.set(name, items);
		this.#write('roster', name, luaRoster(items), host);
	}

	makeContacts(a, b) {
		for (const [owner, other] of [[a, b], [b, a]]) {
			const items = this.#rosters.get(owner) ?? [];
			const jid = `${other}@${HOST}`;
			this.setRoster(owner, [
				...items.filter((i) => i.jid !== jid),
				{ jid, name: other },
			]);
		}
	}

	// Other options of the module, taken over without a restart. Not by
	// SIGHUP: Prosody 0.12 handles that between any two instructions, and
	// what it was just writing to a session can get lost.
	async setModule(options) {
		this.#o.module = { ...this.#o.module, options };
		this.#writeConfig();
		await this.shell('config:reload()');
	}

	async reloadModule(host = HOST) {
		return this.shell(`module:reload("privatecall", "${host}")`);
	}

	// A command of its own shell, as `prosodyctl shell` sends it.
	async shell(command) {
		return promisify(execFile)(PROSODYCTL, ['--config', this.config,
			'shell', command]);
	}

	readLog() {
		return existsSync(this.log) ? readFileSync(this.log, 'utf8')
			: '';
	}

	waitLog(pattern, timeout) {
		return until(() => this.readLog().match(pattern),
			`${pattern} in ${this.log}`, timeout);
	}

	// Its services listen before it serves them; a client that connects
	// then waits in the backlog.
	#listens(text) {
		return Object.values(this.#o.ports).every((port) =>
			new RegExp(`Activated service .*:${port}\\b`)
				.test(text));
	}

	async #ready(from) {
		let text = '';
		await until(() => {
			text = this.readLog().slice(from);
			return !this.#child.alive || this.#listens(text) ||
				text.includes(PORT_TAKEN);
		}, () => `Prosody is not ready: ${text.slice(-TAIL)}`,
		START_MS);
		return this.#child.alive && !text.includes(PORT_TAKEN);
	}

	#writeConfig() {
		writeFileSync(this.config, this.#o.configText(this.#o),
			{ mode: 0o600 });
	}

	async start() {
		const from = this.readLog().length;
		this.#writeConfig();
		this.#child = startChild(PROSODY, ['--config', this.config, '-F'],
			{ log: this.log });
		if (await this.#ready(from))
			return;
		const { error } = await this.#child.stop();
		throw new Error('Prosody does not start' +
			(error ? ` (${error.message})` : '') +
			`, ${this.log}:\n` +
			this.readLog().slice(from).slice(-TAIL));
	}

	// Somebody else may listen on a port that was free a moment ago.
	async startOnFreePorts() {
		return onFreePorts(3, this.#o.c2sPort, PORT_TAKEN,
			([c2s, http, component]) => {
				this.#o.ports = { c2s, http, component };
				return this.start();
			});
	}

	kill(signal = 'SIGKILL') {
		return this.#child.kill(signal);
	}

	async stop() {
		await this.#child?.stop();
	}

	async restart() {
		await this.stop();
		await this.start();
	}
}

// Starts Prosody. Options:
//   dir        private folder, made when missing; a used one keeps its data
//   users      { name: password } or [[name, password], ...]
//   component  { domain, secret }, default calls.localhost
//   tls        offer STARTTLS with a self-signed certificate
//   c2sPort    taken if it is free, else another one
//   logLevel   "info" (default) or "debug"
//   module     { options, hosts }: our module on this host, or on others:
//              { host: its component, undefined for the first one }
//   limits     those of its users, as lines; the packaged ones by default
//   modules    more of its own that are enabled
//   pluginPaths   folders with more modules
//   moduleDir  where our module is
//   push       push (XEP-0357), where Debian's prosody-modules are
//   configText makes the configuration's text of all these, ports and
//              folders
//   globalConfig, hostConfig, componentConfig   more lines of its config file
// The result:
//   host, component, c2sPort, httpPort, componentPort, websocket (its URL),
//   certificate, log (file), pid
//   addUser(name, password, host), makeContacts(a, b), setRoster(name, items,
//   host): bare local names; rosters only while the owner is not logged in
//   setModule(options): of our module; shell(command)
//   readLog(), waitLog(pattern), kill(signal), start(), stop(), restart()
export async function startProsody({
	dir, users = {}, component = {}, tls = false, c2sPort,
	logLevel = 'info', globalConfig = '', hostConfig = '',
	componentConfig = '', module, limits = PACKAGED_LIMITS,
	modules = [], pluginPaths = [], push = false, configText = usualConfig,
	moduleDir = MODULE_DIR,
}) {
	const more = push ? pushFolder(resolve(dir))
		: { pluginPaths: [], modules: [] };
	const o = {
		dir: resolve(dir), tls, module, c2sPort, logLevel, globalConfig,
		hostConfig, componentConfig, limits, moduleDir,
		modules: [...modules, ...more.modules],
		pluginPaths: [...pluginPaths, ...more.pluginPaths],
		configText, ports: null,
		component: { domain: `calls.${HOST}`, secret: 'secret',
			...component },
	};
	for (const name of ['data', 'certs'])
		mkdirSync(join(o.dir, name), { recursive: true, mode: 0o700 });
	const prosody = new Prosody(o, tls ? await makeCertificate(o.dir)
		: null);
	for (const [name, password] of
		Array.isArray(users) ? users : Object.entries(users))
		prosody.addUser(name, password);
	await prosody.startOnFreePorts();
	return prosody;
}
