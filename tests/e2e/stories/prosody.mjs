// prosody.mjs: doc/admin/prosody.md and network.md, done as they stand there,
// on a Prosody with the configuration that Debian's package brings
//
// Folders, ports and accounts are others; nothing else is changed in the blocks
// of those pages.

import { execFile } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { block, debianConfig, debianProsody } from '../pages.mjs';
import { startProsody } from '../prosody.mjs';
import { firstCall, isEjabberd, options, scene } from '../scene.mjs';
import { assert, equal, Skip, story } from '../story.mjs';

const TOP = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

story('prosody.md: from Debian\'s configuration to the first call',
	{ ...options, not: { ejabberd: 'it is about Prosody' } }, async (t) => {
		const dir = join(t.dir, 'prosody');
		const modules = join(dir, 'modules');
		await promisify(execFile)('sh', ['-euc', 'sudo() { "$@"; }\n' +
			block('prosody', 'modules').replaceAll(
				'/usr/local/lib/prosody/modules', modules)], { cwd: TOP });
		const configText = (o) => {
			const text = debianProsody(o, modules, 'VirtualHost "localhost"',
				block('prosody', 'prosody.cfg.lua')
					.replace('the secret', o.component.secret));
			if (!text)
				throw new Skip('Prosody is the machine\'s own');
			return text;
		};
		const server = t.ownProsody = await startProsody({ dir, configText });
		await firstCall(t, server, 'calls.localhost');
	});

// What the server names of turn.localhost, to whom it asks.
async function services(t) {
	const client = await t.probe();
	const el = await client.iq('get', t.prosody.host,
		'<services xmlns=\'urn:xmpp:extdisco:2\'/>');
	return el.getChild('services').getChildren('service')
		.map(({ attrs }) => attrs)
		.filter(({ host }) => host === 'turn.localhost');
}

story('network.md: devices learn of STUN and TURN (XEP-0215)', options,
	async (t) => {
		const name = t.prosody.name;
		const lines = block('network', name);
		await scene(t, isEjabberd(t)
			? { configText: (o) => debianConfig(o, lines) }
			: { modules: ['turn_external'], globalConfig: lines });
		const all = await services(t);
		equal([...new Set(all.map(({ type }) => type))].sort(),
			['stun', 'turn'], 'services');
		for (const { type, username, password, port, transport } of all) {
			equal([port, transport ?? 'udp'].join(), '3478,udp', type);
			equal(Boolean(username && password), type === 'turn',
				`credentials of ${type}`);
		}
	});

story('network.md: devices learn of TURN over TCP and TLS, with credentials',
	options, async (t) => {
		await scene(t, isEjabberd(t)
			? { configText: (o) => debianConfig(o,
				block('network', 'ejabberd-tls')) }
			: { modules: ['turn_external', 'external_services'],
				globalConfig: ['prosody', 'tcp', 'tls'].map((name) =>
					block('network', name)).join('') });
		const all = (await services(t)).filter(({ type, transport }) =>
			type.startsWith('turn') && transport === 'tcp');
		equal(all.map(({ type, port }) => `${type} ${port}`).sort(),
			['turn 3478', 'turns 5349'], 'services');
		for (const { type, username, password } of all)
			assert(username && password, `${type} has no credentials`);
	});
