// skew.mjs: the module and the component are of two versions: each says so
// once, and what both know is what they speak (doc/protocol.md, Hello)
//
// The module is this one, with another version, and words that are none of this
// one's: what comes of changes that an older side may ignore.

import { altered } from '../altered.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { check, isEjabberd, options, scene } from '../scene.mjs';
import { assert, equal, story } from '../story.mjs';

// Words that this version knows nothing of are among what is told.
const changes = (version, release) => ({
	prosody: {
		'mod_privatecall.lua': [
			['local VERSION = 1;', `local VERSION = ${version};`],
			['local RELEASE = "0.1.0";', `local RELEASE = "${release}";`],
			['software = "mod_privatecall",',
				'software = "mod_privatecall", later = "1",'],
		],
		'facts.lib.lua': [
			['jid = session.full_jid,',
				'jid = session.full_jid, later = "1",'],
			['message(origin, "true"), 0', 'message(origin, "true"):' +
				'tag("later", { jid = "a@localhost" }):up(), 0'],
		],
	},
	ejabberd: {
		'mod_privatecall.erl': [
			['-define(VERSION, 1).', `-define(VERSION, ${version}).`],
			['-define(RELEASE, <<"0.1.0">>).',
				`-define(RELEASE, <<"${release}">>).`],
			['[{<<"version">>, integer_to_binary(?VERSION)},',
				'[{<<"version">>, integer_to_binary(?VERSION)},' +
				' {<<"later">>, <<"1">>},'],
		],
		'mod_privatecall_facts.erl': [
			['[{<<"jid">>, jid:encode(Jid)}\n',
				'[{<<"jid">>, jid:encode(Jid)}, {<<"later">>, <<"1">>}\n'],
			['replay(Host, Pid, sessions(Rows))', 'replay(Host, Pid, [' +
				'el(<<"later">>, ?NS_QUERY, []) | sessions(Rows)])'],
		],
	},
});

const count = (text, pattern) => [...text.matchAll(pattern)].length;

for (const [how, version, release] of [['newer', 2, '9.9.9'],
	['older', 1, '0.0.9']])
	story(`X11 the server's module is ${how} than privatecalld: both logs ` +
		'say so once for each connection, `check` too, and calls work', options,
	async (t) => {
		await scene(t, await altered(t, changes(version, release)));
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
