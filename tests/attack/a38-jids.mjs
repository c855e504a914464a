// a38-jids.mjs: another spelling of an address is no way around a rule (A38)

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { escape } from '../e2e/clients/client.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jmi, jmiOf, ofCall, reasonOf } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { startPrivatecalld } from '../e2e/privatecalld.mjs';
import { assert, BASE_CONF, equal, story } from '../e2e/story.mjs';
import { FakeServer } from './component.mjs';
import { AUDIO, random, seedOf, spy, unlimited, words } from './tools.mjs';

story('A38 odd spellings of an address reach nobody',
{ not: { transparent: 'it is about addresses of ours' } }, async (t) => {
	const b = await t.login(Dino, 'bob');
	const m = await spy(t, 'mallory');
	const user = t.user('bob');
	const from = b.mark();
	const nodes = [`${user}\\40localhost`, `${user}\\5c40localhost`,
		`\\20${user}`, `${user}\\20`, `${user}\\40`, `\\40${user}`,
		`${user}\\2f`, `${user}\\40localhost\\2fphone`,
		`\\62${user.slice(1)}`, `${user}\\40LOCALHOST`,
		`${user}\\40localhost.`, `${user}\\40${t.domain}`,
		'x'.repeat(1023), `${'\\20'.repeat(300)}x`, 'ß'.repeat(500)];
	for (const node of nodes)
		for (const to of [`${node}@${t.domain}`,
			`${node}@${t.domain}/call`]) {
			await m.send(m.jmiXml('propose', { to, sid: 'odd',
				inner: AUDIO }));
			await m.send(`<message type='chat' id='o' to='${to}'>` +
				'<body>odd</body></message>');
			await m.send(`<presence type='subscribe' to='${to}'/>`);
			await m.send(`<iq type='get' id='odd' to='${to}'>` +
				`<query xmlns='${NS.info_}'/></iq>`);
		}
	await t.settle();
	await b.expectNothing(words('odd'), 'a stanza of hers', { from });
	await m.fence();
});

// --- the same as the server's --------------------------------------------
// Prosody's own code, on lines of hexadecimal: the prepared address, what that
// becomes when it is prepared again, its domain, and that for DNS.
const LUA = `
local source = arg[1]
package.path = source.."/?.lua;"..package.path
package.cpath = source.."/?.so;"..package.cpath
local jid = require "util.jid"
local idna = require "util.encodings".idna
local function hex(s)
	return s and (s:gsub(".", function (c)
		return ("%02x"):format(c:byte()) end)) or "-"
end
for line in io.lines() do
	local text = line:gsub("..", function (h)
		return string.char(tonumber(h, 16)) end)
	local once = jid.prep(text)
	local _, host = jid.prepped_split(text)
	print(hex(once), hex(once and jid.prep(once)), hex(host),
		hex(host and idna.to_ascii(host)))
end`;

const hex = (text) => Buffer.from(text).toString('hex');
const unhex = (text) => (text === '-' ? null
	: Buffer.from(text, 'hex').toString());

function prosodyPrep(t, list) {
	const program = readFileSync(process.env.PROSODY, 'utf8');
	const [, lua] = program.match(/^#!.*?(lua[0-9.]*)/);
	const [, source] = program.match(/CFG_SOURCEDIR='([^']*)'/);
	const script = join(t.dir, 'prep.lua');
	writeFileSync(script, LUA);
	return execFileSync(lua, [script, source], { maxBuffer: 1 << 26,
		input: list.map((jid) => `${hex(jid)}\n`).join('') }).toString()
		.trimEnd().split('\n').map((line) => line.split('\t').map(unhex));
}

// Letters of each kind that address preparation treats in a way of its own.
const LETTERS = [
	'a', 'b', 'z', '0', '9', 'A', 'Z', '-', '_', '.', '~', '+', '%', '\\', '\'',
	'"', '&', ':', '<', '>', ' ', '@', '/', '[', ']', '\u00df', '\u1e9e', 'ss',
	'\u017f', '\u0130', '\u0131', '\u0410', '\u043e', '\u0430', '\u03c3',
	'\u03c2', '\u03a3', '\uff42', '\uff22', '\uff0e', '\u3002', '\uff61',
	'\uff20', '\uff0f', '\u2100', '\u2126', '\u212a', '\u00aa', '\u00bd',
	'\u2460', '\u0301', '\u0327', 'e\u0301', '\u00e9', '\u00ad', '\u200b',
	'\u200c', '\u200d', '\u2060', '\ufeff', '\u180b', '\u034f', '\u1806',
	'\u00a0', '\u2003', '\u2028', '\u202e', '\u206a', '\u0080', '\ufffd',
	'\ue000', '\u05d0', '\u0627', '\u0660', '\u0661', '\u06dd', '\u4e2d',
	'\uac00', '\u1100', '\u3131', '\ufb01', '\ufdfa', '\u0149', '\u1f80',
	'\u0221', '\u0378', '\u{1f600}', '\u{1d400}', '\u{10400}', '\u{e0041}',
	'\u{10fffd}', 'xn--', 'xn--mnchen-3ya', 'm\u00fcnchen', 'localhost',
	'[::1]', '127.0.0.1',
];
const COUNT = 10000;

function addresses(pick) {
	const part = (max) => Array.from({ length: 1 + pick(max) }, () =>
		LETTERS[pick(8) ? pick(LETTERS.length) : pick(7)]).join('');
	return Array.from({ length: COUNT }, (_, i) => {
		const long = i % 500 === 0 ? 'x'.repeat(1015 + pick(16)) : '';
		const domain = pick(2) ? 'localhost' : `${part(4)}${
			pick(8) ? '' : '.'}`;
		return `${pick(8) ? `${long}${part(5)}@` : ''}${domain}${
			pick(3) ? `/${part(5)}` : ''}`;
	});
}

// Where we are stricter on purpose: no stable form, a domain that another
// reader could take for another address, or that has no form in DNS (RFC 3490).
function mayRefuse([once, twice, domain, dns]) {
	return once !== twice || !dns || /["&'/:<>@[\]\s]/.test(domain) ||
		/[\u0000-\u0020\u007f]/.test(domain) || domain.endsWith('.') ||
		domain.split('.').some((label) => !label || label.length > 63 ||
			/^xn--.*[^\u0000-\u007f]/.test(label));
}

// Code points that Unicode 3.2, of which these rules are, did not have.
// Prosody's library knows their directions, ours does not; it routes no such
// address.
const NEW = /[\u0221\u0378\u1e9e\u{1f600}]/u;

story('A38 ten thousand addresses are prepared as Prosody prepares them',
	{ native: true, slow: true, lasts: 90,
		not: { transparent: 'no user takes part' } }, async (t) => {
		const server = await new FakeServer({ domain: 'calls.localhost' })
			.listen();
		t.daemon = t.ownDaemon = await startPrivatecalld({ dir: t.dir,
			prosody: server.prosody, conf: BASE_CONF });
		const list = addresses(random(seedOf(t)));
		for (let i = 0; i < COUNT; i += 500)
			assert(await server.taken(list.slice(i, i + 500).map((jid, k) =>
				`<iq type='get' id='${i + k}' from='${escape(jid)}' to='` +
				`calls.localhost'><ping xmlns='${NS.ping}'/></iq>`)
				.join('')), 'the stream has ended');
		const ours = [];
		const value = (text) => text?.replace(/&(#x?[0-9a-f]+|\w+);/gi,
			(_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"',
				apos: '\'' })[name] ?? String.fromCodePoint(
				Number(name.replace('#', '').replace(/^x/, '0x'))));
		for (const [, tag] of server.text.matchAll(/<iq ([^>]*)>/g)) {
			const [id, to] = ['id', 'to'].map((name) => tag.match(
				new RegExp(`(?:^| )${name}=(['"])(.*?)\\1`))?.[2]);
			if (/^\d+$/.test(id))
				ours[id] = value(to);
		}
		server.close();
		const count = { same: 0, ours: 0, theirs: 0 };
		for (const [i, theirs] of prosodyPrep(t, list).entries()) {
			const what = `${JSON.stringify(list[i])}: ours ${JSON.stringify(
				ours[i])}, Prosody's ${JSON.stringify(theirs[0])}`;
			if (theirs[0] === null && ours[i] !== undefined) {
				assert(NEW.test(list[i]), what);
				count.theirs++;
			} else if (theirs[0] !== null && ours[i] === undefined) {
				assert(mayRefuse(theirs), what);
				count.ours++;
			} else if (theirs[0] !== null) {
				assert(ours[i] === theirs[0], what);
				count.same++;
			}
		}
		t.dialogue.add('addresses', '--', `${count.same} alike, ${
			count.ours} refused by us alone, ${count.theirs} by Prosody ` +
			`alone, of ${COUNT}`);
		assert(count.same > COUNT / 5, `${count.same} that both take`);
	});

// --- no way around -------------------------------------------------------
// Spellings of one address: a server may route each of them to the same user.
function spellings(user, domain) {
	const wide = [...user].map((c) => String.fromCodePoint(
		c.charCodeAt(0) + 0xfee0)).join('');
	return [`${user}@${domain}`, `${user.toUpperCase()}@${domain}`,
		`${wide}@${domain}`, `${user}@${domain.toUpperCase()}`,
		`${user}@${domain}.`, `${user.slice(0, 1)}\u00ad${user.slice(1)}@${
			domain}`, `${user.slice(0, 2)}\u200d${user.slice(2)}@${domain}`,
		`${user}@${domain.replaceAll('.', '\u3002')}`,
		`${user}@${domain}/call`, `${user}@${domain}/CALL`,
		`${user}\u2060@${domain}`];
}

story('A38 A13 at most five rings a minute for one user, whatever his ' +
	'address is spelt like', { own: true }, async (t) => {
	const b = await t.login(Dino, 'bob');
	const h = await unlimited(t);
	const from = b.mark();
	const rings = () => b.received(jmi('propose'), from).length;
	for (let round = 0; round < 3; round++)
		for (const [i, to] of spellings(b.user, t.where).entries()) {
			const sid = `${round}-${i}`, before = rings();
			await h.send(h.jmiXml('propose', { to, sid, inner: AUDIO }));
			// What is taken back before it rings rings nobody. Each
			// server takes the first four for him.
			if (!round && i < 4)
				await b.waitUntil(() => rings() > before, 'a ring');
			await h.fence();
			await t.stored();
			await h.send(h.jmiXml('retract', { to, sid }));
		}
	await t.settle();
	assert(rings() >= 4 && rings() <= 5, `${rings()} rings`);
	b.calls.length = 0;
});

story('A38 a setting made in one spelling of an address holds for all, and ' +
	'for nobody else', { own: true, slow: true }, async (t) => {
	t.users.set('straße', `stra\u00dfe${t.number}`);
	const b = await t.login(Dino, 'strasse');
	const m = await t.login(Dino, 'hostile');
	for (const own of [`STRASSE${t.number}@${t.host.toUpperCase()}`,
		`stra\u00dfe${t.number}@${t.host}.`]) {
		await t.ctl('user', own, 'who_may_call', 'nobody');
		equal((await t.ctl('user', t.jid('strasse'))).data.settings
			.who_may_call, 'nobody', own);
		const from = b.mark();
		for (const [i, to] of [...spellings(b.user, t.where),
			...spellings(t.user('straße'), t.where).slice(0, 2)].entries()) {
			const sid = `${own}${i}`;
			await m.send(m.jmiXml('propose', { to, sid, inner: AUDIO }));
			const el = await m.waitFor((s) => s.attrs.type === 'error' ||
				jmi('reject', { id: sid })(s), 'a refusal');
			assert(el.attrs.type === 'error' ||
				reasonOf(jmiOf(el)).name === 'decline',
			() => String(el));
		}
		await b.expectNothing(ofCall, 'a call', { from });
		await t.ctl('user', own, 'who_may_call', 'default');
	}
	// Letters that only look alike are somebody else's.
	await t.ctl('user', `str\u0430sse${t.number}@${t.host}`, 'who_may_call',
		'nobody');
	equal((await t.ctl('user', t.jid('strasse'))).data.settings.who_may_call,
		'server', 'of another');
});

story('A38 who is blocked is so in every spelling of the address that he ' +
	'calls', { conf: { pair_per_minute: 100 }, slow: true },
async (t) => {
	const b = await t.login(Dino, 'bob');
	const m = await t.login(Dino, 'hostile');
	await b.block(`HOSTILE${t.number}@${t.where}`);
	await t.settle();
	const from = b.mark();
	for (const [i, to] of spellings(b.user, t.where).entries()) {
		await m.send(m.jmiXml('propose', { to, sid: `s${i}`, inner: AUDIO }));
		const el = await m.waitFor((s) => s.attrs.type === 'error' ||
			jmi('reject', { id: `s${i}` })(s), 'a refusal');
		assert(el.attrs.type === 'error' ||
			reasonOf(jmiOf(el)).name === 'gone', () => String(el));
	}
	await t.settle();
	await b.expectNothing(ofCall, 'a call', { from });
});
