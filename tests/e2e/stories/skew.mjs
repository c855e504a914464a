// skew.mjs: the module and the component are of two versions: each says so
// once, and what both know is what they speak (doc/protocol.md, Hello)
//
// The module is this one, with another version, and words that are none of this
// one's: what comes of changes that an older side may ignore.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync }
	from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { BIN } from '../ejabberd.mjs';
import { check, isEjabberd, options, scene } from '../scene.mjs';
import { assert, equal, story } from '../story.mjs';

const SERVER = resolve(dirname(fileURLToPath(import.meta.url)),
	'../../../mod_privatecall/server');

function change(file, ...pairs) {
	let text = readFileSync(file, 'utf8');
	for (const [from, to] of pairs) {
		assert(text.includes(from), `${from} is not in ${file}`);
		text = text.replace(from, to);
	}
	writeFileSync(file, text);
}

function otherProsody(dir, version, release) {
	const own = join(dir, 'mod_privatecall');
	change(join(own, 'mod_privatecall.lua'),
		['local VERSION = 1;', `local VERSION = ${version};`],
		['local RELEASE = "0.1.0";', `local RELEASE = "${release}";`],
		['software = "mod_privatecall",',
			'software = "mod_privatecall", later = "1",']);
	change(join(own, 'facts.lib.lua'),
		['"<session jid=', '"<session later=\'1\' jid='],
		['jid = session.full_jid }', 'jid = session.full_jid, later = "1" }'],
		['tell(origin, table.concat(items), "last");',
			'tell(origin, "<later jid=\'a@localhost\'/>" .. ' +
			'table.concat(items), "last");']);
	return { moduleDir: dir };
}

async function otherEjabberd(dir, version, release) {
	change(join(dir, 'mod_privatecall.erl'),
		['-define(VERSION, 1).', `-define(VERSION, ${version}).`],
		['-define(RELEASE, <<"0.1.0">>).',
			`-define(RELEASE, <<"${release}">>).`],
		['[{<<"version">>, integer_to_binary(?VERSION)},',
			'[{<<"version">>, integer_to_binary(?VERSION)},' +
			' {<<"later">>, <<"1">>},']);
	change(join(dir, 'mod_privatecall_facts.erl'),
		['[{<<"jid">>, jid:encode(Jid)} | known(Known)]',
			'[{<<"jid">>, jid:encode(Jid)}, {<<"later">>, <<"1">>}' +
			' | known(Known)]'],
		['replay(Host, Pid, listed(Host, {\'_\', \'_\'}))',
			'replay(Host, Pid, [el(<<"later">>, ?NS_QUERY, [])' +
			' | listed(Host, {\'_\', \'_\'})])']);
	await promisify(execFile)(join(BIN, 'erlc'), ['-o', dir,
		...readdirSync(dir).filter((name) => name.endsWith('.erl'))
			.map((name) => join(dir, name))]);
	return { codePath: dir };
}

const count = (text, pattern) => [...text.matchAll(pattern)].length;

for (const [how, version, release] of [['newer', 2, '9.9.9'],
	['older', 1, '0.0.9']])
	story(`X11 the server's module is ${how} than privatecalld: both logs ` +
		'say so once for each connection, `check` too, and calls work', options,
	async (t) => {
		const name = t.prosody.name;
		const dir = join(t.dir, 'module');
		mkdirSync(dir);
		cpSync(join(SERVER, name), dir, { recursive: true });
		const other = name === 'ejabberd' ? otherEjabberd : otherProsody;
		await scene(t, { module: {}, ...await other(dir, version, release) });
		const theirs = new RegExp(`This is mod_privatecall ${release} ` +
			`\\(protocol ${version}\\), the component is privatecalld ` +
			'\\S+ \\(protocol 1\\); update the older one', 'g');
		const ours = new RegExp('the server\'s module is of another version ' +
			'than privatecalld; update the older one" host=localhost ' +
			`module="mod_privatecall ${release}, ${isEjabberd(t)
				? 'ejabberd' : 'Prosody'} .* privatecalld=\\d`, 'g');
		for (let hellos = 1; hellos < 3; hellos++) {
			equal([count(t.prosody.readLog(), theirs),
				count(t.daemon.readLog(), ours)], [hellos, hellos],
			'lines of the module and of privatecalld');
			const { text, warnings, host } = await check(t);
			assert(warnings.includes('version'), warnings);
			assert(text.includes(release) && text.includes(how), text);
			equal(host.sessions, 'module', 'sessions');
			await call(t);
			if (hellos > 1)
				break;
			await t.daemon.restart();
			await t.connected();
			await check(t);
		}
	});

// From a client to the other's own address, with what the mirror tells.
async function call(t) {
	const [a, b] = t.two ??= await t.pair(Conversations, Dino);
	const out = await a.call(b.bare, ['audio'], { remembered: true });
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'active');
	await t.endQuietly(a, out);
	await b.available({ priority: -1 });
	await t.settle();
	const no = await a.call(b.bare, ['audio'], { remembered: true });
	await a.shows(no, 'declined');
	await b.available();
	await t.settle();
}
