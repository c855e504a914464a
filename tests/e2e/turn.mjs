// turn.mjs: a coturn of our own on a host of net.mjs, which it alone serves
//
// It takes the credentials that the XMPP server makes of a shared secret, at
// UDP and TCP, and with a certificate of our own at TLS.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { startChild, until } from './children.mjs';
import { block } from './pages.mjs';
import { Skip } from './skip.mjs';

const BUILD = resolve(process.env.BUILD_DIR ?? 'build');
const COTURN = process.env.COTURN ?? join(BUILD,
	'coturn/root/usr/bin/turnserver');
const START_MS = 15000;
const SECRET = 'a secret of TURN';
const PORT = 3478, TLS_PORT = 5349;

function config(dir, addresses) {
	return `${addresses.map((ip) =>
		`listening-ip=${ip}\nrelay-ip=${ip}\n`).join('')}listening-port=${PORT}
tls-listening-port=${TLS_PORT}
cert=${join(dir, 'turn.crt')}
pkey=${join(dir, 'turn.key')}
use-auth-secret
static-auth-secret=${SECRET}
realm=localhost
userdb=${join(dir, 'turn.db')}
pidfile=${join(dir, 'turn.pid')}
log-file=stdout
no-cli
no-rfc5780
no-dtls
verbose
`;
}

async function makeCertificate(dir, addresses) {
	await promisify(execFile)('openssl', ['req', '-new', '-x509', '-nodes',
		'-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
		'-days', '30', '-subj', '/CN=turn',
		'-addext', 'subjectAltName=' +
			addresses.map((ip) => `IP:${ip}`).join(),
		'-keyout', join(dir, 'turn.key'), '-out', join(dir, 'turn.crt')]);
}

// A block of doc/admin/network.md, of this TURN server.
function lines(name, [address]) {
	return block('network', name).replace('turn.localhost', address)
		.replace('the secret of TURN', SECRET);
}

// What Prosody is told of it, for each way in which devices may reach it, and
// the module that takes it.
export const WAYS = {
	tcp: { module: 'turn_external', lines: (addresses) =>
		lines('prosody', addresses) + lines('tcp', addresses) },
	tls: { module: 'external_services', lines: (addresses) =>
		lines('tls', addresses) },
};

export async function startTurn({ dir, host }) {
	if (!existsSync(COTURN))
		throw new Skip(`there is no ${COTURN}: ./check gets it`);
	const file = join(dir, 'turn.conf'), log = join(dir, 'turn.log');
	await makeCertificate(dir, host.addresses);
	writeFileSync(file, config(dir, host.addresses), { mode: 0o600 });
	const [command, ...args] = [...host.enter, COTURN, '-c', file];
	const child = startChild(command, args, { log });
	const readLog = () => existsSync(log) ? readFileSync(log, 'utf8') : '';
	await until(() => !child.alive || /Total General servers/.test(readLog()),
		() => `coturn does not start: ${readLog().slice(-2000)}`, START_MS);
	if (!child.alive)
		throw new Error(`coturn does not start: ${readLog()}`);
	return { log, readLog, stop: () => child.stop() };
}
