// scene.mjs: a story's own server, set up as it needs it, and its own daemon

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Conversations } from './clients/conversations.mjs';
import { Dino } from './clients/dino.mjs';
import { block, debianConfig } from './pages.mjs';
import { startPrivatecalld } from './privatecalld.mjs';
import { PROSODY_MODULES } from './prosody.mjs';
import { startServer } from './server.mjs';
import { BASE_CONF, Skip } from './story.mjs';

// Of the stories, for story().
export const options = { native: true, slow: true, lasts: 90 };

export const isEjabberd = (t) => t.prosody.name === 'ejabberd';

// A server with these options, and a daemon; `conf` is its.
export async function scene(t, serverOptions, conf) {
	t.serverName ??= t.prosody.name;
	await t.ownDaemon?.stop();
	await t.ownProsody?.stop();
	t.prober = null;
	t.users.clear();
	t.scenes = (t.scenes ?? 0) + 1;
	const dir = join(t.dir, `scene${t.scenes}`);
	t.prosody = t.ownProsody = await startServer(t.serverName,
		{ dir, ...serverOptions });
	t.domain = t.prosody.component.domain;
	const own = join(dir, 'daemon');
	mkdirSync(own, { recursive: true });
	t.daemon = t.ownDaemon = await startPrivatecalld({ dir: own,
		prosody: t.prosody, conf: { ...BASE_CONF, ...conf } });
	await t.connected();
	// Its hellos are answered when what is asked after them is.
	await check(t);
}

export async function check(t) {
	const { code, text, data } = await t.daemon.ctl('check');
	t.dialogue.add('ctl', '--', `check => ${code}\n${text}`);
	const about = (level) => data.findings
		.filter((f) => f.level === level).map((f) => f.about).sort();
	return { code, text, data, warnings: about('warn'), notes: about('note'),
		host: data.hosts[0],
		mend: (name) => data.findings.find((f) => f.about === name)?.mend };
}

// A server is set up: alice calls bob himself, and his contact of ours.
export async function firstCall(t, server, domain) {
	t.prosody = server;
	t.domain = domain;
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

// Server options that grant what the page says, by XEP-0356.
export function privileged(t) {
	const page = t.serverName ?? t.prosody.name;
	const lines = block(page, 'privilege');
	if (page === 'ejabberd')
		return { configText: (o) => debianConfig(o, lines) };
	if (!existsSync(join(PROSODY_MODULES, 'mod_privilege')))
		throw new Skip('prosody-modules is not there: ./check gets it');
	const [, host, component] = lines.match(
		/^VirtualHost .*\n([^]*)^Component .*\n([^]*)/m);
	return { pluginPaths: [PROSODY_MODULES], hostConfig: host,
		componentConfig: component };
}
