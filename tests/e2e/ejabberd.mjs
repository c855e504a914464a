// ejabberd.mjs: a real ejabberd in a private folder on free loopback ports
//
// Modules, shapers and limits are those of Debian's configuration, without what
// opens more ports, with an archive, and without mod_pres_counter, as
// doc/admin/ejabberd.md says: to it a component is one sender of subscriptions,
// whose sixth in a minute it drops, whoever it is for. Passwords are kept
// plain: so a login costs little. Accounts and rosters go in by ejabberd's own
// HTTP commands; clients wait until they are there (settled()). Its Erlang node
// listens on a loopback port of its own and needs no epmd.

import { execFile } from 'node:child_process';
import {
	copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync,
	writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onFreePorts, startChild, until } from './children.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const HOST = 'localhost';
export const BIN = process.env.EJABBERD ?? join(TOP, 'build/ejabberd/bin');
const MODULE_DIR = process.env.EJABBERD_MODULE_DIR ??
	join(TOP, 'mod_privatecall/server/ejabberd');
const PORT_TAKEN = 'eaddrinuse';
const START_MS = 40000;
const TAIL = 2000;
const DISK_MS = 2500;            // disk_log keeps writes back for 2 s

const MODULES = {
	mod_adhoc: {}, mod_admin_extra: {}, mod_avatar: {}, mod_blocking: {},
	mod_bosh: {}, mod_caps: {}, mod_carboncopy: {}, mod_client_state: {},
	mod_configure: {}, mod_disco: {}, mod_fail2ban: {}, mod_http_api: {},
	mod_last: {}, mod_mam: { default: 'always' },
	mod_offline: { access_max_user_messages: 'max_user_offline_messages' },
	mod_muc: {}, mod_ping: {}, mod_privacy: {}, mod_private: {},
	mod_pubsub: { plugins: ['flat', 'pep'], force_node_config: {
		'eu.siacs.conversations.axolotl.*': { access_model: 'open' },
		'storage:bookmarks': { access_model: 'whitelist' } } },
	mod_push: {}, mod_push_keepalive: {}, mod_roster: { versioning: true },
	mod_shared_roster: {}, mod_sic: {},
	mod_stream_mgmt: { resend_on_timeout: 'if_offline' },
	mod_vcard: { search: false }, mod_vcard_xupdate: {}, mod_version: {},
};

function listeners({ ports, components, stanzaSize }) {
	const ip = '127.0.0.1';
	return [
		{ port: ports.c2s, ip, module: 'ejabberd_c2s', access: 'c2s',
			max_stanza_size: stanzaSize, shaper: 'c2s_shaper',
			backlog: BACKLOG },
		{ port: ports.http, ip, module: 'ejabberd_http',
			request_handlers: { '/api': 'mod_http_api',
				'/bosh': 'mod_bosh', '/ws': 'ejabberd_http_ws' } },
		{ port: ports.component, ip, module: 'ejabberd_service',
			access: 'all', global_routes: false,
			hosts: Object.fromEntries(components.map(
				({ domain, secret }) =>
					[domain, { password: secret }])) },
	];
}

// By default five may wait to be accepted; the sixth tries again a second
// later.
const BACKLOG = 128;

// What our module is told on each host that loads it, by the names that the
// options have in Prosody.
function hostConfig({ module, component }) {
	const options = Object.fromEntries(Object.entries(module?.options ?? {})
		.map(([name, value]) => [name.replace('privatecall_', ''), value]));
	return Object.fromEntries(Object.entries(module?.hosts ?? {})
		.map(([host, domain]) => [host, { modules: { mod_privatecall: {
			component: domain ?? component.domain,
			...options } } }]));
}

// JSON is YAML.
function usualConfig(o) {
	const loopback = { allow: [{ acl: 'loopback' }] };
	return JSON.stringify({
		loglevel: o.logLevel,
		hosts: o.hosts,
		listen: listeners(o),
		disable_sasl_mechanisms: ['digest-md5', 'X-OAUTH2'],
		auth_password_format: 'plain',
		acl: { local: { user_regexp: '' },
			loopback: { ip: ['127.0.0.0/8', '::1/128'] },
			unlimited: { user_regexp: o.unlimited.source } },
		access_rules: { local: { allow: 'local' },
			c2s: { deny: 'blocked', allow: 'all' } },
		api_permissions: {
			'console commands': { from: ['ejabberd_ctl'], who: 'all',
				what: '*' },
			'of the tests': { who: { access: loopback }, what: ['*'] },
		},
		shaper: { normal: { rate: 3000, burst_size: 20000 },
			fast: 200000 },
		shaper_rules: { max_user_sessions: { 1000: 'unlimited', 10: 'all' },
			max_user_offline_messages: 100,
			c2s_shaper: { none: 'unlimited', normal: 'all' } },
		modules: { ...MODULES, ...o.modules },
		append_host_config: hostConfig(o),
	}, null, '\t');
}

class Ejabberd {
	#o;
	#child = null;
	#pending = Promise.resolve();

	constructor(o) {
		this.#o = o;
		this.name = 'ejabberd';
		this.admits = 'Accepted external component';
		this.host = HOST;
		this.dir = o.dir;
		this.log = join(o.dir, 'ejabberd.log');
		this.output = join(o.dir, 'erl.log');
		this.config = join(o.dir, 'ejabberd.yml');
		this.component = o.component;
		// Accounts and rosters that were asked for are there.
		this.settled = () => this.#pending;
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
		return `ws://${HOST}:${this.httpPort}/ws`;
	}

	get pid() {
		return this.#child.pid;
	}

	// One of ejabberd's commands, with its arguments by name.
	async command(name, args = {}) {
		const answer = await fetch(
			`http://127.0.0.1:${this.httpPort}/api/${name}`,
			{ method: 'POST', body: JSON.stringify(args) });
		const text = await answer.text();
		if (!answer.ok)
			throw new Error(`ejabberd ${name}: ${text}`);
		return text;
	}

	// An expression of Erlang, in its node.
	async evaluate(expression) {
		const call = `rpc:call('ejabberd@${HOST}', erlang, apply, ` +
			`[fun() -> ${expression} end, []])`;
		const { stdout } = await promisify(execFile)(join(BIN, 'erl'), [
			'-noinput', '-sname', `tests@${HOST}`,
			'-erl_epmd_port', String(this.#o.ports.node),
			'-start_epmd', 'false', '-dist_listen', 'false',
			'-eval', `io:format("~p", [${call}]), halt().`,
		], { cwd: this.dir, env: { HOME: this.dir } });
		if (/badrpc/.test(stdout))
			throw new Error(`ejabberd, ${expression}: ${stdout}`);
		return stdout;
	}

	#later(work) {
		this.#pending = this.#pending.then(work);
		this.#pending.catch(() => {});
	}

	addUser(user, password, host = HOST) {
		this.#later(() => this.command('register',
			{ user, host, password }).catch((error) => {
			if (!/already registered/.test(error.message))
				throw error;
		}));
		return `${user}@${host}`;
	}

	// items: [{ jid, name, subscription = "both" }], added to what there is
	setRoster(name, items, localhost = HOST) {
		for (const { jid, name: nick = '', subscription = 'both' }
			of items) {
			const host = jid.split('@').at(-1);
			const user = jid.slice(0, -host.length).replace('@', '');
			this.#later(() => this.command('add_rosteritem', {
				localuser: name, localhost, user, host, nick,
				group: '', subs: subscription }));
		}
	}

	// What was added outlives kill -9 from here on.
	async saved() {
		await this.#pending;
		await pause(DISK_MS);
	}

	makeContacts(a, b) {
		this.setRoster(a, [{ jid: `${b}@${HOST}`, name: b }]);
		this.setRoster(b, [{ jid: `${a}@${HOST}`, name: a }]);
	}

	readLog() {
		return existsSync(this.log) ? readFileSync(this.log, 'utf8')
			: '';
	}

	#readOutput() {
		return existsSync(this.output) ? readFileSync(this.output, 'utf8')
			: '';
	}

	waitLog(pattern, timeout) {
		return until(() => this.readLog().match(pattern),
			`${pattern} in ${this.log}`, timeout);
	}

	// Other options of the module, or other hosts, without a restart.
	async setModule(options, hosts = this.#o.module.hosts) {
		this.#o.module = { options, hosts };
		this.writeConfig();
		await this.command('reload_config');
	}

	// It reloads a module of which an option has changed.
	async reloadModule() {
		const { options, hosts } = this.#o.module;
		const life = options?.pair_lifetime === 7201 ? 7202 : 7201;
		return this.setModule({ ...options, pair_lifetime: life }, hosts);
	}

	writeConfig() {
		writeFileSync(this.config, this.#o.configText(this.#o),
			{ mode: 0o600 });
	}

	// What ejabberdctl needs to know of this one.
	ctlEnvironment() {
		return { HOME: this.dir, CONFIG_DIR: this.dir, LOGS_DIR: this.dir,
			SPOOL_DIR: join(this.dir, 'spool'),
			ERL_DIST_PORT: String(this.#o.ports.node) };
	}

	// What Erlang itself says, of its own port above all, is not in the log.
	async #ready(from, fromOutput) {
		let text = '';
		await until(() => {
			text = this.readLog().slice(from) +
				this.#readOutput().slice(fromOutput);
			return !this.#child.alive || text.includes(PORT_TAKEN) ||
				/ejabberd \S+ is started in the node/.test(text);
		}, () => `ejabberd is not ready: ${text.slice(-TAIL)}`,
		START_MS);
		return this.#child.alive && !text.includes(PORT_TAKEN);
	}

	// As its package starts it, but for the user and the folders, and without
	// schedulers that wait by turning.
	#arguments() {
		return ['-noinput', '+K', 'true', '+sbwt', 'none', '+sbwtdcpu', 'none',
			'+sbwtdio', 'none', '-sname', `ejabberd@${HOST}`,
			'-erl_epmd_port', String(this.#o.ports.node),
			'-start_epmd', 'false',
			'-kernel', 'inet_dist_use_interface', '{127,0,0,1}',
			'-env', 'ERL_CRASH_DUMP_BYTES', '0',
			'-pa', this.#o.codePath,
			'-mnesia', 'dir', `"${join(this.dir, 'spool')}"`,
			'-s', 'ejabberd'];
	}

	async start() {
		const from = this.readLog().length;
		const fromOutput = this.#readOutput().length;
		this.writeConfig();
		this.#child = startChild(join(BIN, 'erl'), this.#arguments(), {
			log: this.output,
			cwd: this.dir,
			env: { HOME: this.dir, EJABBERD_CONFIG_PATH: this.config,
				EJABBERD_LOG_PATH: this.log },
		});
		if (await this.#ready(from, fromOutput))
			return;
		const { code, signal, error } = await this.#child.stop();
		throw new Error('ejabberd does not start ' +
			`(${error?.message ?? signal ?? code}), ${this.log}:\n` +
			this.readLog().slice(from).slice(-TAIL) +
			this.#readOutput().slice(fromOutput).slice(-TAIL));
	}

	// Somebody else may listen on a port that was free a moment ago.
	async startOnFreePorts() {
		return onFreePorts(4, this.#o.c2sPort, PORT_TAKEN,
			([c2s, http, component, node]) => {
				this.#o.ports = { c2s, http, component, node };
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

const namesOf = (dir, suffix) => readdirSync(dir)
	.filter((name) => name.endsWith(suffix));

async function compileModule(dir) {
	await promisify(execFile)(join(BIN, 'erlc'), ['+warnings_as_errors',
		'-o', dir, ...namesOf(MODULE_DIR, '.erl')
			.map((name) => join(MODULE_DIR, name))]);
	return dir;
}

let compiled;

// The module where ejabberd looks for it, compiled for the first one alone.
async function putModule(dir) {
	const from = await (compiled ??= compileModule(dir));
	if (from !== dir)
		for (const name of namesOf(from, '.beam'))
			copyFileSync(join(from, name), join(dir, name));
}

// Starts ejabberd. Options:
//   dir         private folder, made when missing; a used one keeps its data
//   users       { name: password } or [[name, password], ...]
//   component   { domain, secret }, default calls.localhost
//   components  more of them
//   hosts       more virtual hosts
//   unlimited   users without limits of traffic and sessions, a pattern
//   stanzaSize  bytes of one stanza of a user
//   c2sPort     taken if it is free, else another one
//   logLevel    "info" (default) or "debug"
//   configText  makes the configuration's text of all these and ports
//   modules     { name: options } of more modules
//   codePath    where more code is, dir by default
//   module      { options, hosts }: our module on this host, or on others:
//               { host: its component, undefined for the first one }
// The result: as startProsody()'s; command(name, args) in place of shell();
// settled().
export async function startEjabberd({
	dir, users = {}, component = {}, components = [], hosts = [],
	unlimited = /^$/, stanzaSize = 262144, c2sPort, logLevel = 'info', module,
	configText = usualConfig, codePath = dir, modules = {},
}) {
	const first = { domain: `calls.${HOST}`, secret: 'secret',
		...component };
	const o = {
		dir: resolve(dir), c2sPort, logLevel, unlimited, stanzaSize,
		configText, modules, codePath: resolve(codePath),
		module: module && { hosts: { [HOST]: undefined }, ...module },
		hosts: [...new Set([HOST, ...hosts,
			...Object.keys(module?.hosts ?? {})])],
		component: first, components: [first, ...components], ports: null,
	};
	mkdirSync(join(o.dir, 'spool'), { recursive: true, mode: 0o700 });
	if (module)
		await putModule(o.dir);
	const ejabberd = new Ejabberd(o);
	await ejabberd.startOnFreePorts();
	for (const [name, password] of
		Array.isArray(users) ? users : Object.entries(users))
		ejabberd.addUser(name, password);
	await ejabberd.settled();
	return ejabberd;
}
