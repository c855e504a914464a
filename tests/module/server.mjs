// server.mjs: a server with our module, whichever it is
//
// What a server must offer here: host, component, c2sPort, componentPort;
// addUser(name, password, host), setRoster(name, items), readLog(),
// setModule(options), reloadModule(), unloadModule(), loadModule(), restart(),
// stop().

import { join } from 'node:path';
import { startProsody } from '../e2e/prosody.mjs';

const OTHER = { domain: 'another.localhost', secret: 'other' };

async function prosody(dir) {
	const server = await startProsody({
		dir: join(dir, 'prosody'),
		module: { hosts: ['second.localhost'] },
		hostConfig: '\n\nVirtualHost "bare.localhost"\n',
		componentConfig: `Component "${OTHER.domain}"\n` +
			`\tcomponent_secret = "${OTHER.secret}"\n`,
	});
	const ask = (what) => server.shell(
		`module:${what}("privatecall", "${server.host}")`);
	return Object.assign(server, {
		name: 'prosody',
		second: 'second.localhost',    // has the module too
		without: 'bare.localhost',     // has it not
		other: OTHER,                  // another component
		reloadModule: () => ask('reload'),
		unloadModule: () => ask('unload'),
		loadModule: () => ask('load'),
	});
}

const starters = { prosody };

export function startServer(name, dir) {
	if (!starters[name])
		throw new Error(`no server ${name}: ${Object.keys(starters)}`);
	return starters[name](dir);
}
