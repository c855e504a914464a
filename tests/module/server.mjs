// server.mjs: a server with our module, whichever it is
//
// What a server must offer here: host, component, c2sPort, componentPort;
// addUser(name, password, host), setRoster(name, items), readLog(),
// setModule(options), reloadModule(), unloadModule(), loadModule(), restart(),
// stop(); breakModule(), after which it fails at each start of a call, and
// mendModule(); push, if it has XEP-0357.

import { join } from 'node:path';
import { startEjabberd } from '../e2e/ejabberd.mjs';
import { startProsody } from '../e2e/prosody.mjs';

const OTHER = { domain: 'another.localhost', secret: 'other' };

async function prosody(dir) {
	const server = await startProsody({
		dir: join(dir, 'prosody'),
		push: true,
		module: { hosts: { localhost: undefined,
			'second.localhost': undefined } },
		hostConfig: '\n\nVirtualHost "bare.localhost"\n',
		componentConfig: `Component "${OTHER.domain}"\n` +
			`\tcomponent_secret = "${OTHER.secret}"\n`,
	});
	const ask = (what) => server.shell(
		`module:${what}("privatecall", "${server.host}")`);
	const run = (lua) => server.shell('> local s = ' +
		`hosts["${server.host}"].modules.privatecall.module` +
		`:shared("/*/privatecall/state"); ${lua}`);
	return Object.assign(server, {
		name: 'prosody',
		second: 'second.localhost',    // has the module too
		without: 'bare.localhost',     // has it not
		other: OTHER,                  // another component
		unloadModule: () => ask('unload'),
		loadModule: () => ask('load'),
		breakModule: () => run('s.asked, s.whole = {}, s.asked'),
		mendModule: () => run('s.asked, s.whole = s.whole, nil'),
	});
}

// One user may have more sessions than Debian's limit.
async function ejabberd(dir) {
	const second = { 'second.localhost': undefined };
	const both = { localhost: undefined, ...second };
	const server = await startEjabberd({
		dir: join(dir, 'ejabberd'),
		module: { hosts: both },
		hosts: ['bare.localhost'],
		components: [OTHER],
		unlimited: /^many/,
	});
	const set = server.setModule.bind(server);
	return Object.assign(server, {
		push: true,
		second: 'second.localhost',
		without: 'bare.localhost',
		other: OTHER,
		unloadModule: () => set({}, second),
		loadModule: () => set({}, both),
		breakModule: () => server.evaluate(
			'{atomic, ok} = mnesia:delete_table(privatecall_id)'),
		mendModule: () => server.evaluate(
			'{atomic, ok} = mnesia:create_table(privatecall_id, ' +
			'[{disc_copies, [node()]}, {attributes, [key, kind, seen]}])'),
	});
}

const starters = { prosody, ejabberd };

export function startServer(name, dir) {
	if (!starters[name])
		throw new Error(`no server ${name}: ${Object.keys(starters)}`);
	return starters[name](dir);
}
