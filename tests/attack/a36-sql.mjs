// a36-sql.mjs: names, reasons and arguments are never SQL (A36);
// tests/style/secure.sh sees that statements are constants

import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { assert, equal, story } from '../e2e/story.mjs';

const INJECTIONS = ['\'; DROP TABLE log; --', '\' OR \'1\'=\'1', '%', '_',
	'\\', '") ; DELETE FROM log; --', '\u0000', '?1', ':user'];

// What nodeprep leaves of it in a name.
const NAMES = { semi: ';drop-table-log;--', percent: '%', under: '_',
	quote: '\\27or\\271\\27=\\271', star: '*(select+1)', mark: '?1' };

const results = (log) => log.map((e) => `${e.caller} ${e.callee} ${e.result}`);

story('A36 users, sids, devices and reasons with SQL in them: the log has ' +
	'the calls, each user sees his own', { own: true }, async (t) => {
	const b = await t.login(Dino, 'bob');
	for (const [name, part] of Object.entries(NAMES))
		t.users.set(name, `${part}${t.number}`);
	for (const name of Object.keys(NAMES))
		t.prosody.addUser(t.user(name), 'secret', t.host);
	const callers = [];
	for (const name of Object.keys(NAMES))
		callers.push([name, await t.login(Conversations, name,
			{ resource: INJECTIONS[0] })]);
	for (const [, caller] of callers) {
		const out = await caller.call(t.at('bob'), ['audio'],
			{ remembered: true, sid: INJECTIONS[1] });
		const ring = await b.rings();
		await b.send(b.jmiXml('reject', { to: ring.peer, sid: ring.sid,
			inner: `<reason xmlns='${NS.jingle}'><decline/><text>` +
				'\'); DROP TABLE call; --</text></reason>' }));
		await caller.shows(out, 'declined');
		ring.state = 'declined';
	}
	await t.settle();
	for (const [name] of callers)
		equal(results(await t.log(name)), [`${t.jid(name)} ${t.jid('bob')} ` +
			'declined'], `log of ${t.jid(name)}`);
	equal((await t.log('bob')).length, callers.length, 'Bob\'s calls');
	await t.daemon.restart();
	await t.connected();
	equal((await t.log('bob')).length, callers.length, 'after a restart');
	equal((await t.daemon.ctl('check')).code, 0, 'check');
});

story('A36 arguments of privatecallctl with SQL in them are words, or refused',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const out = await a.call(t.at('bob'));
		await b.decline(await b.rings());
		await a.shows(out, 'declined');
		await t.settle();
		const before = (await t.daemon.ctl('log')).data.calls;
		equal(before.length, 1, 'calls');
		for (const bad of INJECTIONS) {
			for (const argv of [['call', bad], ['hangup', bad],
				['trace', bad], ['log', '--user', `x${bad}@localhost`],
				['log', '--user', bad], ['log', '--limit', bad],
				['user', `x${bad}@localhost`],
				['user', t.jid('bob'), bad, 'yes'],
				['user', t.jid('bob'), 'messages', bad], [bad]]) {
				const { code, data } = await t.daemon.ctl(...argv);
				const found = data?.calls?.length ?? 0;
				assert(code !== 0 || found === 0,
					`${JSON.stringify(argv)}: ${found} calls`);
				if (argv[0] !== 'log' && argv.length !== 2)
					assert(code === 2, `${JSON.stringify(argv)}: ${code}`);
			}
		}
		const long = `${'x'.repeat(1024 * 1024)}@localhost`;
		assert((await t.daemon.ctl('log', '--user', long).catch(() =>
			({ code: 1 }))).code !== 0, 'a JID of a mebibyte');
		equal((await t.daemon.ctl('log')).data.calls, before, 'the log');
		equal((await t.daemon.ctl('user', t.jid('bob'))).data.settings
			.messages, 'yes', 'setting');
	});
