// admin.mjs: `privatecallctl check` on real servers that are set up well, not
// so well, and with the lines that it said
//
// Each story has a server of its own: what it looks at is how that is set up.

import { readFileSync, writeFileSync } from 'node:fs';
import { until } from '../children.mjs';
import { Component } from '../clients/component.mjs';
import { block, debianConfig } from '../pages.mjs';
import { check, isEjabberd, options, scene } from '../scene.mjs';
import { assert, equal, story } from '../story.mjs';

// Each line of a block of the page is among what is to be mended.
function names(text, page, name) {
	for (const line of block(page, name).split('\n').map((l) => l.trim()))
		assert(!line || text.includes(line), `${line} is not in ${text}`);
}

story('X11 check: the server\'s module is there, and what it says of the ' +
	'server', options, async (t) => {
	await scene(t, { module: {} });
	const { code, text, warnings, notes, host, mend } = await check(t);
	equal(code, 0, 'code');
	equal(notes, [], 'notes');
	// The stories' ejabberd has Debian's limits.
	equal(warnings, isEjabberd(t) ? ['rate'] : [], 'warnings');
	if (isEjabberd(t))
		names(mend('rate'), 'ejabberd', 'limits');
	equal([host.host, host.sessions, host.rosters, host.block_lists],
		['localhost', 'module', 'module', 'module'], 'facts');
	equal([host.registration, host.user_rate],
		[false, isEjabberd(t) ? 3000 : 10000], 'set-up');
	assert(/^(Prosody 0|ejabberd 23)\./.test(host.server), host.server);
	// Debian's ejabberd does not say what time it is (mod_time).
	assert(isEjabberd(t) ? host.clock === null
		: Math.abs(host.clock) < 2000, `clock ${host.clock}`);
	assert(/^ok {4}localhost: sessions, rosters and block lists/m.test(text),
		text);
	await t.prosody.setModule({ private_calls: false });
	await until(async () => (await check(t)).notes.includes('switch'),
		'the note of the switch');
	const { stdout, code: same } = await t.daemon.run('check', '--json');
	equal(same, 0, 'code of --json');
	equal(JSON.parse(stdout).hosts[0].host, 'localhost', '--json');
});

story('X11 check: no module, and the lines to add, which are those of the ' +
	'page', options, async (t) => {
	await scene(t, {});
	const { code, warnings, notes, host, mend } = await check(t);
	equal(code, 0, 'code');
	equal(warnings, [], 'warnings');
	equal(notes, isEjabberd(t) ? ['facts', 'mod_pres_counter', 'rate']
		: ['facts'], 'notes');
	equal([host.module, host.sessions, host.rosters, host.block_lists],
		[null, 'subscription', 'none', 'none'], 'facts');
	equal(host.registration, isEjabberd(t) ? false : null, 'registration');
	const page = t.prosody.name;
	names(mend('facts'), page, 'privilege');
	if (isEjabberd(t)) {
		names(mend('facts'), page, 'modules');
		names(mend('rate'), page, 'limits');
		equal(/prosody\.cfg/.test(mend('facts')), false, 'Prosody\'s lines');
		return;
	}
	assert(/modules_enabled = { "privatecall" }/.test(mend('facts')) &&
		/privatecall_component = "calls\.localhost"/.test(mend('facts')),
	mend('facts'));
	equal(/ejabberd\.yml/.test(mend('facts')), false, 'ejabberd\'s lines');
});

// The lines for our module, without those that go without it.
function moduleLines({ data }, host) {
	const { mend } = data.findings.find((f) => f.host === host &&
		f.about === 'facts');
	return mend.replace(/^Or, [^]*/m, '').split('\n')
		.filter((line) => /^ {2}/.test(line))
		.map((line) => `${line.slice(2)}\n`).join('');
}

story('X11 check: the lines that it prints are what it asks for, on two hosts',
	options, async (t) => {
		const second = 'second.localhost';
		const conf = { hosts: ['localhost', second] };
		await scene(t, { hosts: [second] }, conf);
		const missing = await check(t);
		equal(missing.data.hosts.map(({ module }) => module), [null, null],
			'modules');
		const lines = ['localhost', second].map((host) =>
			moduleLines(missing, host));
		await scene(t, isEjabberd(t) ? { module: {}, configText: (o) =>
			debianConfig(o, `hosts:\n  - ${second}\n`, ...lines) }
			: { hostConfig: lines.join('\n') }, conf);
		const { data } = await check(t);
		equal(data.hosts.map(({ sessions }) => sessions),
			['module', 'module'], 'facts');
	});

story('X11 check: presence by XEP-0356 of ejabberd', { ...options, not: {
	prosody: 'it does say whose connection broke' } }, async (t) => {
	const grants = block('ejabberd', 'privilege') +
		'    presence:\n      managed_entity: privatecall\n';
	await scene(t, { configText: (o) => debianConfig(o, grants) });
	const { code, warnings, host } = await check(t);
	equal([code, warnings, host.sessions],
		[0, ['presence'], 'privilege'], 'what is warned of');
});

// What the admin reads: ours, and the server's of each try.
const TRIES = 3;
for (const [option, value, ours, theirs] of [
	['secret', 'another one', { prosody: 'refuses the secret',
		ejabberd: 'refuses the secret' },
	{ prosody: /Component authentication failed for (\S+)/g,
		ejabberd: /handshake authentication for (\S+) from/g }],
	['domain', 'nobody.localhost', { prosody: 'knows no component of this',
		ejabberd: 'refuses the secret' },
	{ prosody: /(\S+) does not match any configured external comp/g,
		ejabberd: /Domain (\S+) is unconfigured for external/g }]])
	story(`X11 a wrong ${option}: one line on our side at any number of ` +
		'tries, with what mends it, and the server\'s own', { own: true },
	async (t) => {
		const { name, component } = t.prosody;
		await t.daemon.stop();
		const from = t.prosody.readLog().length;
		const own = t.daemon.readLog().length;
		const conf = readFileSync(t.daemon.config, 'utf8');
		writeFileSync(t.daemon.config, conf.replace(
			new RegExp(`^${option} = .*$`, 'm'),
			`${option} = "${value}"`));
		t.daemon.launch();
		const wanted = option === 'domain' ? value
			: (t.slot ?? component).domain;
		await until(() => [...t.prosody.readLog().slice(from)
			.matchAll(theirs[name])].filter(([, domain]) =>
			domain.split('<').at(0).split('>').at(-1) === wanted)
			.length >= TRIES,
		() => `${TRIES} tries in ${t.prosody.log}`, 30000);
		const lines = t.daemon.readLog().slice(own).split('\n')
			.filter((line) => /level=(error|warn)/.test(line));
		equal(lines.length, 1, `lines of ours: ${lines.join('\n')}`);
		assert(lines[0].includes(ours[name]) && /mend="[^"]/.test(lines[0]),
			lines[0]);
		if (name === 'ejabberd' && option === 'domain')
			assert(/where the name is missing there/.test(lines[0]),
				lines[0]);
	});

const INVITES = ['register_ibr', 'invites', 'invites_register'];

story('X11 check: open registration', options, async (t) => {
	const open = isEjabberd(t) ? { modules: { mod_register: {} } }
		: { globalConfig: 'allow_registration = true\n',
			modules: ['register'] };
	await scene(t, { module: {}, ...open });
	let { host, warnings, mend } = await check(t);
	equal(host.registration, true, 'with the module');
	assert(warnings.includes('registration'), warnings);
	assert(/allow_registration = false|remove `mod_register:'/
		.test(mend('registration')), mend('registration'));
	// Prosody gives the form to nobody but who is about to log in.
	await scene(t, open);
	({ host, warnings } = await check(t));
	equal(host.registration, isEjabberd(t) ? true : null,
		'without the module');
	equal(warnings.includes('registration'), isEjabberd(t), 'warned of');
	for (const [what, is, more] of isEjabberd(t) ? [['access: none', false,
		{ modules: { mod_register: { access: 'none' } } }]] : [
		['allow_registration = false', false, { modules: ['register'],
			globalConfig: 'allow_registration = false\n' }],
		['invitations', false, { modules: INVITES }],
		['invitations that nobody needs', true, { modules: INVITES,
			globalConfig: 'registration_invite_only = false\n' }]]) {
		await scene(t, { module: {}, ...more });
		({ host, warnings } = await check(t));
		equal([host.registration, warnings.includes('registration')],
			[is, is], what);
	}
});

story('X11 check: another program is the same component', options,
	async (t) => {
		await scene(t, { module: {} });
		const second = () => new Component({ server: t.prosody,
			dialogue: t.dialogue });
		const other = await second().connect();
		if (isEjabberd(t)) {
			// It lets both in, and gives each a part.
			const { code, warnings } = await check(t);
			equal(code, 0, 'code');
			assert(warnings.includes('second link'), warnings);
			await other.close();
			await until(async () => !(await check(t)).warnings
				.includes('second link'), 'its end');
			return;
		}
		// It lets in the newest, which throws out the other.
		await until(() => !other.online, 'our coming back');
		await t.connected();
		const { text, warnings } = await check(t);
		equal(warnings, ['second link'], 'warnings');
		assert(/another program has connected as calls\.localhost/.test(text),
			text);
	});

story('X11 check: a link that leaves the machine', options, async (t) => {
	// It is this machine, by an address that is not of the loopback.
	await scene(t, { module: {} }, { server: '0.0.0.0' });
	const { code, notes, text } = await check(t);
	equal([code, notes], [0, ['network']], 'notes');
	assert(/^note {2}the link to 0\.0\.0\.0 leaves this machine/m.test(text),
		text);
});

story('X11 check: clocks that differ', options, async (t) => {
	await scene(t, { module: {}, ...isEjabberd(t)
		? { modules: { mod_time: {} } } : {} });
	await t.daemon.clock('+31s');
	const { code, text, warnings, host } = await check(t);
	equal(code, 0, 'code');
	assert(warnings.includes('clock'), warnings);
	assert(/clock of localhost is 3\d s behind/.test(text), text);
	assert(host.clock < -30000 && host.clock > -40000, host.clock);
});

story('X11 check: limits too low for offers, and the page\'s, with its gc',
	options, async (t) => {
		const page = t.prosody.name;
		await scene(t, isEjabberd(t)
			? { module: {}, modules: { mod_pres_counter: {} } }
			: { module: {}, limits: 'limits = { c2s = { rate = "3kb/s" } }' });
		const low = await check(t);
		assert(low.warnings.includes('rate'), low.warnings);
		names(low.mend('rate'), page, 'limits');
		equal(low.warnings.includes('mod_pres_counter'), isEjabberd(t),
			'mod_pres_counter');
		const limits = block(page, 'limits');
		await scene(t, { module: {}, ...isEjabberd(t)
			? { configText: (o) => debianConfig(o, limits,
				`modules:\n${block(page, 'modules')}`) }
			: { limits, globalConfig: block(page, 'gc') } });
		const { host, warnings } = await check(t);
		equal(host.user_rate, 20000, 'rate');
		equal(warnings, [], 'warnings');
	});
