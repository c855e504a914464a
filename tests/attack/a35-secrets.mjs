// a35-secrets.mjs: the component's secret is told to nobody (A35 A39)
//
// No secret is compared in our code, so there is no time of a comparison to
// measure: the server compares the hash of the handshake, and the control
// socket asks the kernel who its peer is. tests/style/secure.sh sees that it
// stays so.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../e2e/children.mjs';
import { startPrivatecalld } from '../e2e/privatecalld.mjs';
import { assert, BASE_CONF, equal, story } from '../e2e/story.mjs';
import { FakeServer, handshake } from './component.mjs';

const SECRET = 'Open-Sesame-4711-of-forty-thieves';

// Every command, and a wrong one.
const COMMANDS = [['status'], ['calls'], ['log'], ['check'], ['version'],
	['help'], ['reload'], ['user', 'bob@localhost'],
	['call', '0000'], ['trace', '0000'], ['secret'], ['status', 'x']];

async function start(t, conf) {
	const server = await new FakeServer({ domain: 'calls.localhost',
		secret: SECRET }).listen();
	t.daemon = t.ownDaemon = await startPrivatecalld({ dir: t.dir,
		prosody: server.prosody, conf: { ...BASE_CONF, ...conf },
		component: { domain: 'calls.localhost', secret: conf?.secret ??
			SECRET } });
	return server;
}

// What the daemon leaves where others may look.
function traces(t) {
	const { pid } = t.daemon;
	const proc = ['cmdline', 'environ', 'comm', 'status'].map((name) =>
		[`/proc/${pid}/${name}`, readFileSync(`/proc/${pid}/${name}`)]);
	const files = readdirSync(t.dir, { withFileTypes: true })
		.filter((f) => f.isFile() && !/\.conf$|secret/.test(f.name))
		.map((f) => [f.name, readFileSync(join(t.dir, f.name))]);
	assert(files.some(([name]) => /\.db/.test(name)), 'no database');
	assert(files.some(([name]) => /\.log$/.test(name)), 'no log');
	return [...proc, ...files];
}

story('A35 A39 the secret is in no log, argument, environment, database or ' +
	'answer, nor goes over the link', { native: true }, async (t) => {
	const server = await start(t, { log_privacy: 'full' });
	equal(server.hash, handshake(server.id, SECRET), 'the handshake');
	const said = [['the link', server.text]];
	const askAll = async () => {
		for (const argv of COMMANDS)
			for (const answer of [await t.daemon.ctl(...argv),
				await t.daemon.run(...argv)])
				said.push([argv.join(' '), JSON.stringify(answer)]);
	};
	await askAll();
	// A server that refuses, and one that closes.
	server.admits = false;
	server.text = '';
	server.socket.destroy();
	await until(() => server.hash, 'a second handshake');
	await server.write('<stream:error><not-authorized xmlns=' +
		'\'urn:ietf:params:xml:ns:xmpp-streams\'/></stream:error>' +
		'</stream:stream>');
	await t.daemon.waitLog(/not-authorized/);
	said.push(['the link', server.text]);
	await askAll();
	for (const [where, what] of [...said, ...traces(t)])
		for (const secret of [SECRET, handshake(server.id, SECRET)])
			assert(where === 'the link' && secret !== SECRET ||
				!what.includes(secret), `the secret is in ${where}`);
	server.close();
});

story('A35 a secret of a file that others may read is refused, and not said',
	{ native: true }, async (t) => {
		const file = join(t.dir, 'secret');
		const server = await start(t, {});
		await t.daemon.stop();
		writeFileSync(file, `${SECRET}\n`, { mode: 0o604 });
		writeFileSync(t.daemon.config, readFileSync(t.daemon.config, 'utf8')
			.replace(/^secret = .*$/m, `secret_file = "${file}"`),
		{ mode: 0o600 });
		const error = await t.daemon.start().then(() => null, (e) => e);
		assert(/others cannot read/.test(error?.message), String(error));
		assert(!t.daemon.readLog().includes(SECRET), 'it is in the log');
		server.close();
	});
