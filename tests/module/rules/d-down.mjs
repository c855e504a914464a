// d-down.mjs: what the module decides by itself

import { equal } from '../../e2e/story.mjs';
import { reasonOf } from '../../e2e/clients/match.mjs';
import { NS } from '../../e2e/clients/ns.mjs';
import { accepted, jingle, jmi, refusal, rule, RTP, stanza, STORE }
	from '../rule.mjs';

const OFF = { name: 'decline',
	text: 'Private calls are turned off on this server.' };
const DOWN = { name: 'gone',
	text: 'Calls are not available right now. Try again shortly.' };

const SWITCHES = [
	['down, refuse', {}, DOWN],
	['switch off', { private_calls: false }, OFF],
	['switch off, native', { private_calls: false,
		privatecall_when_down: 'native' }, OFF],
];

async function refuses(t, alice, bob, row) {
	await alice.message(bob.bare, jmi('propose', 'P1') + STORE);
	const el = await alice.waitFor(/<reject/);
	equal(el.attrs.from, `${bob.bare}/privatecall`, 'from');
	equal(el.getChild('reject', NS.jmi).attrs.id, 'P1', 'id');
	equal(reasonOf(el.getChild('reject', NS.jmi)), row, 'reason');
	const id = await alice.set(bob.jid, jingle('session-initiate', 'S1'));
	equal((await alice.waitFor(stanza(id))).attrs.type, 'result', 'answer');
	const end = await alice.waitFor(/session-terminate/);
	equal([end.attrs.from, reasonOf(end.getChild('jingle', NS.jingle))],
		[bob.jid, row], 'terminate');
	await alice.send(`<iq type='result' id='${end.attrs.id}' ` +
		`to='${bob.jid}'/>`);
	await t.nothing(bob, (el) => /^alice/.test(el.attrs.from));
	equal((await alice.archive(bob.bare)).map((m) =>
		m.children.find((c) => c.getNS() === NS.jmi).name),
	['propose', 'reject'], 'archive of alice');
	equal((await bob.archive(alice.bare)).length, 0, 'archive of bob');
}

for (const [name, options, row] of SWITCHES)
	rule(`down: ${name}: a start is refused on the sender's own server`,
		{ up: false }, async (t) => {
			await t.module(options);
			await refuses(t, await t.user('alice'),
				await t.user('bob'), row);
		});

rule('down: native: a call is as without the module', { up: false },
	async (t) => {
		await t.module({ privatecall_when_down: 'native' });
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		await alice.message(bob.bare, jmi('propose', 'P1'));
		await bob.waitFor(/propose/);
		await bob.message(alice.jid, jmi('proceed', 'P1'));
		await alice.waitFor(/proceed/);
		await alice.set(bob.jid, jingle('session-initiate', 'P1'));
		await bob.waitFor(/session-initiate/);
	});

rule('down: native: a call that began so goes on so, also with the component ' +
	'back', { up: false }, async (t) => {
	await t.module({ privatecall_when_down: 'native' });
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	for (const id of ['P1', 'P2'])
		await alice.message(bob.bare, jmi('propose', id));
	await alice.set(bob.jid, jingle('session-initiate', 'S1'));
	await bob.waitFor(/session-initiate/);
	await t.up();
	await alice.message(bob.bare, jmi('retract', 'P2'));
	await bob.waitFor(/<retract/);
	await bob.message(alice.jid, jmi('proceed', 'P1'));
	await alice.waitFor(/<proceed/);
	await alice.set(bob.jid, jingle('session-initiate', 'P1'));
	await bob.waitFor(/session-initiate/);
	for (const sid of ['P1', 'S1']) {
		await bob.set(alice.jid, jingle('session-accept', sid));
		await alice.waitFor(/session-accept/);
		await alice.set(bob.jid, jingle('session-terminate', sid, ''));
		await bob.waitFor(/session-terminate/);
	}
	await t.nothing(t.link, (el) => /alice|bob/.test(el.attrs.from),
		'a stanza of theirs');
	// No way around the rules: none of these ids makes another call.
	for (const id of ['P1', 'P3']) {
		const m = await alice.message(bob.bare, jmi('propose', id));
		await t.redirected(alice, m);
	}
	equal(refusal(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1'))), 'forbidden session', 'the id again');
	await bob.message(alice.jid, jmi('proceed', 'P3'));
	await t.nothing(alice, /<proceed[^>]*P3/);
});

// What a native call leaks: the table of doc/admin/prosody.md.
const words = (el, id) => el.toString().split(id).join('ID')
	.replace(/ id="[^"]*"/, '')
	.replace(/<(stanza-id|archived)[^>]*\/>/g, '');

for (const [name, options] of SWITCHES)
	rule(`down: ${name}: who is blocked is told what everybody is`,
		{ up: false }, async (t) => {
			await t.module(options);
			const alice = await t.user('alice');
			const bob = await t.user('bob');
			const said = [];
			for (const id of ['P1', 'P2']) {
				await alice.message(bob.bare, jmi('propose', id));
				said.push(words(await alice.waitFor(/<reject/), id));
				await bob.block(alice.bare);
			}
			equal(said[1], said[0], 'refusals');
			await t.nothing(bob, /propose/);
		});

rule('down: native: the block list binds as the server has it, nothing else ' +
	'does', { up: false }, async (t) => {
	await t.module({ privatecall_when_down: 'native' });
	const alice = await t.user('alice');
	const bob = await t.user('bob', { show: 'dnd' });
	await alice.message(bob.bare, jmi('propose', 'P1'));
	await bob.waitFor(/propose/);
	await bob.block(alice.bare);
	const id = await alice.message(bob.bare, jmi('propose', 'P2'));
	await t.nothing(bob, /P2/);
	equal(alice.received(stanza(id)).map((el) => el.attrs.type), ['error'],
		'what Alice hears');
});

rule('down and up again: each start is refused or redirected, none is lost',
	async (t) => {
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		for (let i = 0; i < 5; i++) {
			await t.down();
			await alice.message(bob.bare, jmi('propose', `D${i}`));
			await alice.waitFor((el) => /<reject/.test(el.toString()) &&
				el.toString().includes(`D${i}`), 'a refusal');
			await t.up();
			const id = await alice.message(bob.bare,
				jmi('propose', `U${i}`));
			await t.redirected(alice, id);
			accepted(await t.relayMessage(`${bob.bare}/privatecall`,
				alice.jid, jmi('ringing', `U${i}`)));
		}
		await t.nothing(bob, /propose/);
	});

rule('down: a call that runs goes on, with the users\' own stanzas',
	async (t) => {
		const [alice, bob] = await t.called();
		const offer = await alice.set(bob.jid,
			jingle('session-initiate', 'P1'));
		await t.redirected(alice, offer);
		accepted(await t.relayIq('set', alice.jid, bob.jid,
			jingle('transport-info', 'P1', ''), { id: 'asked1' }));
		await t.down();
		await bob.send(`<iq type='result' id='asked1' to='${alice.jid}'/>`);
		await bob.set(alice.jid, jingle('session-info', 'P1', ''));
		await alice.waitFor(/session-info/);
		await alice.set(bob.jid, jingle('session-terminate', 'P1', ''));
		await bob.waitFor(/session-terminate/);
		await alice.message(bob.jid, jmi('finish', 'P1'));
		await bob.waitFor(/finish/);
		await t.nothing(alice, (el) => el.attrs.id === 'asked1');
	});

rule('down: ringing is taken back, but never becomes a call', async (t) => {
	const [alice, bob] = await t.called();
	accepted(await t.relayMessage(alice.jid, bob.bare, jmi('propose', 'P1')));
	await bob.waitFor(/<propose/);
	await t.down();
	await bob.message(alice.jid, jmi('ringing', 'P1'));
	await alice.waitFor(/<ringing/);
	await bob.message(alice.jid, jmi('proceed', 'P1'));
	const stop = await bob.waitFor(/<retract/);
	equal([stop.attrs.from, reasonOf(stop.getChild('retract', NS.jmi))],
		[alice.jid, DOWN], 'retract');
	const end = await alice.waitFor(/<reject/);
	equal([end.attrs.from, reasonOf(end.getChild('reject', NS.jmi))],
		[bob.jid, DOWN], 'reject');
	await alice.set(bob.jid, jingle('session-initiate', 'P1'));
	await alice.waitFor(/session-terminate/);
	await bob.waitFor(/<retract/);
	await alice.message(bob.bare, jmi('retract', 'P1'));
	await bob.waitFor(/<retract/);
	await t.nothing(alice, /proceed/);
	await t.nothing(bob, /session-initiate/);
});

rule('down: a start that the component took with it is refused', async (t) => {
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	const carol = await t.user('carol');
	for (const [caller, id] of [[alice, 'P1'], [carol, 'P2']]) {
		const m = await caller.message(bob.bare, jmi('propose', id));
		await t.redirected(caller, m);
	}
	const plain = await alice.set(carol.jid, jingle('session-initiate', 'S1'));
	await t.redirected(alice, plain);
	accepted(await t.relayMessage(`${bob.bare}/privatecall`, carol.jid,
		jmi('ringing', 'P2')));
	await t.down();
	equal(reasonOf((await alice.waitFor(/<reject/))
		.getChild('reject', NS.jmi)), DOWN, 'reason');
	await alice.waitFor(/session-terminate/);
	await t.nothing(carol, /<reject/);
	await t.nothing(bob, /propose/);
});

rule('down: what a dying component took of a call that runs is delivered, ' +
	'in its order', async (t) => {
	const [alice, bob] = await t.called();
	accepted(await t.relayMessage(alice.jid, bob.bare, jmi('propose', 'P1')));
	const ids = [];
	for (const action of [...Array(8).fill('session-info'),
		'session-terminate'])
		ids.push(await alice.set(bob.jid, jingle(action, 'P1', '')));
	for (const id of ids)
		await t.redirected(alice, id);
	await t.down();
	await bob.waitFor(/session-terminate/);
	equal(bob.received(/<jingle/).map((el) => el.attrs.id), ids, 'stanzas');
});

rule('down: native: a start that the component took with it is delivered',
	async (t) => {
		await t.module({ privatecall_when_down: 'native' });
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		const m = await alice.message(bob.bare, jmi('propose', 'P1'));
		await t.redirected(alice, m);
		await t.down();
		await bob.waitFor(/propose/);
	});

rule('off: with the component up it refuses, and cannot ring all the same',
	async (t) => {
		const [alice, bob] = await t.called('P0');
		await t.module({ private_calls: false });
		const id = await alice.message(bob.bare, jmi('propose', 'P1'));
		await t.redirected(alice, id);
		equal(refusal(await t.relayMessage(alice.jid, bob.bare,
			jmi('propose', 'P1'))), 'not-allowed off', 'propose');
		equal(refusal(await t.relayIq('set', alice.jid, bob.jid,
			jingle('session-initiate', 'P1'))), 'not-allowed off',
		'session-initiate');
		accepted(await t.relayMessage(`${bob.bare}/privatecall`, alice.jid,
			jmi('reject', 'P1')));
		await alice.waitFor(/<reject/);
		await t.nothing(bob, /propose|session-initiate/);
	});

rule('off: calls with users elsewhere are refused too', async (t) => {
	await t.module({ private_calls: false });
	const alice = await t.user('alice');
	const far = await t.user('carol', { host: t.server.without });
	await alice.message(far.bare, jmi('propose', 'P1'));
	equal(reasonOf((await alice.waitFor(/<reject/))
		.getChild('reject', NS.jmi)), OFF, 'reason');
	await far.message(alice.bare, jmi('propose', 'P2'));
	await far.waitFor(/<reject/);
	await t.nothing(alice, /propose/);
	await t.nothing(far, /propose/);
});

rule('remote users: redirected and relayed only if allowed', async (t) => {
	const alice = await t.user('alice');
	const far = await t.user('carol', { host: t.server.without });
	await far.message(alice.bare, jmi('propose', 'P1'));
	await alice.waitFor(/P1/);
	await t.module({ privatecall_remote_users: true });
	const id = await far.message(alice.bare, jmi('propose', 'P2'));
	equal((await t.redirected(far, id)).attrs.to, alice.bare, 'to');
	accepted(await t.relayMessage(`${alice.bare}/privatecall`, far.jid,
		jmi('ringing', 'P2')));
	await far.waitFor(/ringing/);
	await t.nothing(alice, /P2/);
});

rule('down: native: a call whose start the component took with it goes on ' +
	'without, also with the component back', async (t) => {
	await t.module({ privatecall_when_down: 'native' });
	const alice = await t.user('alice');
	const bob = await t.user('bob');
	const m = await alice.message(bob.bare, jmi('propose', 'P1'));
	await t.redirected(alice, m);
	await t.down();
	await bob.waitFor(/<propose/);
	await t.up();
	await bob.message(alice.jid, jmi('proceed', 'P1'));
	await alice.waitFor(/<proceed/);
	await alice.set(bob.jid, jingle('session-initiate', 'P1'));
	await bob.waitFor(/session-initiate/);
	equal(refusal(await t.relayMessage(alice.jid, bob.bare,
		jmi('propose', 'P1'))), 'forbidden session', 'a relayed propose');
	await t.nothing(t.link, /P1/);
});

// A propose without an id is no call; XEP-0353 has one in each.
const NAMELESS = `<propose xmlns='urn:xmpp:jingle-message:1'>${RTP}</propose>`;

// The order of the pairs is of chance: with ten of each, that all of alice's
// came first, and nothing was seen, is one in 184,756.
rule('down: who proposes without an id costs nobody else his refusal',
	async (t) => {
		const [odd, alice] = await Promise.all(['odd', 'alice']
			.map((name) => t.user(name)));
		const host = alice.bare.split('@')[1];
		const ten = Array.from({ length: 10 }, (_, i) => i);
		for (const i of ten) await odd.message(`x${i}@${host}`, NAMELESS);
		await odd.fence();
		for (const i of ten)
			await alice.message(`y${i}@${host}`,
				jmi('propose', `P${i}`) + STORE);
		await alice.fence();
		await t.down();
		for (const i of ten) {
			const said = await alice.waitFor(
				new RegExp(`<reject[^>]* id=["']P${i}["']`));
			equal(reasonOf(said.getChild('reject', NS.jmi)), DOWN, 'reason');
		}
	});

rule('down: native: a propose without an id is not lost', { up: false },
	async (t) => {
		await t.module({ privatecall_when_down: 'native' });
		const alice = await t.user('alice');
		const bob = await t.user('bob');
		await alice.message(bob.bare, NAMELESS);
		await bob.waitFor(/propose/);
	});
