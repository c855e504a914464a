// refusals.mjs: the table of refusals, row by row, for JMI and plain callers

import { join } from 'node:path';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { errorOf, jmi, jmiOf, jingle, jingleOf, message, notice, ofCall,
	reasonOf } from '../clients/match.mjs';
import { Monal } from '../clients/monal.mjs';
import { Plain } from '../clients/plain.mjs';
import { Siskin } from '../clients/siskin.mjs';
import { assert, equal, story } from '../story.mjs';

// Calls and takes the refusal: { reason, text, ms, el }.
async function refused(t, phone, to, media = ['audio']) {
	const at = performance.now();
	const out = await phone.call(to, media, { remembered: true });
	const el = await phone.waitFor(phone instanceof Plain
		? jingle('session-terminate', { sid: out.sid })
		: jmi('reject', { id: out.sid }));
	const ms = performance.now() - at;
	equal(el.attrs.to, phone.jid, 'to the caller\'s full JID');
	equal(el.attrs.from, phone instanceof Plain ? out.peer
		: `${to}/${t.native ? 'privatecall' : 'call'}`, 'from');
	const why = reasonOf(jmiOf(el) ?? jingleOf(el));
	return { reason: why.name, text: why.text, ms, el, out };
}

// The same stanza for all causes: what is left without ids and addresses.
function bytes(el, out, to) {
	return el.toString().split(out.sid).join('SID')
		.replace(new RegExp(to.split('@')[0], 'gi'), 'NAME')
		.replace(/ id="[^"]*"/, '')
		.replace(/<(stanza-id|archived)[^>]*\/>/g, '');
}

async function scene(t, Kind = Conversations) {
	const [a, b] = await t.pair(Kind, Conversations);
	return [a, b];
}

async function rowOne(t, a, name, { missed }) {
	const r = await refused(t, a, t.at(name));
	equal(r.reason, 'gone', 'reason');
	assert(t.says(name, 'is not active right now').test(r.text),
		`text: ${r.text}`);
	assert(r.ms >= 280 && r.ms < 1500, `after ${r.ms} ms`);
	const said = await a.waitFor(t.notice(t.says(name,
		'is not active right now')));
	t.offers(said, name);
	return { ...r, missed };
}

const CASES = {
	'has no device online': async (t, b) => {
		await b.close();
	},
	'is away': async (t, b) => {
		await b.appear({ show: 'away' });
	},
	'does not want to be disturbed (X4)': async (t, b) => {
		await b.appear({ show: 'dnd' });
	},
	'has only a device of negative priority': async (t, b) => {
		await b.appear({ priority: -1 });
	},
};

for (const [what, prepare] of Object.entries(CASES))
	story(`F4 X1 the callee ${what}: refused as not active, missed call`,
		async (t) => {
			const [a, b] = await scene(t);
			await prepare(t, b);
			await t.settle();
			await rowOne(t, a, 'bob', {});
			if (!b.online)
				await b.login();
			else
				await b.appear();
			await b.waitFor(t.notice(/missed call/i));
			await b.expectNothing(jmi('propose'));
			await b.expectNothing(jmi('retract'));
			// The admin may read what the caller may not.
			equal((await t.logged('alice')).result,
				what.includes('disturbed') ? 'dnd' : 'not-active',
				'log');
		});

story('F4 X1 an unknown user is treated as an inactive one', async (t) => {
	const [a] = await scene(t);
	t.users.set('nobody', `nobody${t.number}`);
	await rowOne(t, a, 'nobody', {});
});

story('F25 X4 the callee blocks the caller\'s contact: as if not active, no ' +
	'ring, no missed call', async (t) => {
	const [a, b] = await scene(t);
	await b.block(t.at('alice'));
	const from = b.mark();
	await rowOne(t, a, 'bob', {});
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
	await b.expectNothing(t.notice(/missed/i), undefined, { from });
});

// That they come after the same time as well: tests/attack/a06-oracle.mjs.
story('F25 row 1 is the same bytes whatever the cause', async (t) => {
	const [a, b] = await scene(t);
	t.users.set('nobody', `nobody${t.number}`);
	const got = [];
	const one = async (name) => {
		const r = await refused(t, a, t.at(name));
		const n = await a.waitFor(t.notice());
		got.push({ text: bytes(r.el, r.out, t.at(name)),
			body: n.getChildText('body').replace(
				new RegExp(t.user(name), 'gi'), 'NAME') });
	};
	await one('nobody');
	await b.appear({ show: 'dnd' });
	await t.settle();
	await one('bob');
	await b.appear();
	await b.block(t.at('alice'));
	await t.settle();
	await one('bob');
	await b.unblock(t.at('alice'));
	await b.close();
	await t.settle();
	await one('bob');
	for (const g of got) {
		equal(g.text, got[0].text, 'bytes');
		equal(g.body, got[0].body, 'notice');
	}
});

story('F25 who may call: nobody: "Action not allowed.", no offer, the ' +
	'callee hears nothing', async (t) => {
	const [a, b] = await scene(t);
	await t.setting('bob', 'who_may_call', 'nobody');
	const from = b.mark();
	const r = await refused(t, a, t.at('bob'));
	equal([r.reason, r.text], ['decline', 'Action not allowed.'], 'said');
	const said = await a.waitFor(t.notice(/Action not allowed/));
	t.offers(said, 'bob', false);
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
	await b.expectNothing(t.notice(), undefined, { from });
});

story('F25 X4 contacts only: a stranger of the server is refused, a contact ' +
	'rings', async (t) => {
	const [a, b] = await scene(t);
	const c = await t.login(Dino, 'carol');
	await t.setting('bob', 'who_may_call', 'contacts');
	const r = await refused(t, c, t.at('bob'));
	equal([r.reason, r.text], ['decline', 'Action not allowed.'], 'said');
	const out = await a.call(t.at('bob'));
	await b.rings();
	equal(b.calls.length, 1, 'windows');
	await a.cancel(out);
});

story('F20 F25 calls need messaging and Bob has it off: not allowed',
	{ conf: { calls_require_messaging: true } }, async (t) => {
		const [a, b] = await scene(t);
		await t.setting('bob', 'messages', 'no');
		const r = await refused(t, a, t.at('bob'));
		equal([r.reason, r.text], ['decline', 'Action not allowed.'],
			'said');
		t.offers(await a.waitFor(t.notice()), 'bob', false);
		await b.expectNothing(ofCall);
	});

story('F3 the site\'s switch is off: refused within 1 s with the reason',
	{ conf: { enabled: false } }, async (t) => {
		const a = await t.login(Conversations, 'alice');
		const b = await t.login(Dino, 'bob');
		const r = await refused(t, a, t.at('bob'));
		equal([r.reason, r.text], ['decline',
			'Private calls are turned off on this server.'], 'said');
		assert(r.ms < 1000, `after ${r.ms} ms`);
		t.offers(await a.waitFor(t.notice(/turned off/)), 'bob');
		await b.expectNothing(ofCall);
		await b.expectNothing(t.notice(/missed/i));
	});

story('F25 video is not allowed here: audio rings',
	{ conf: { allow_video: false } }, async (t) => {
		const [a, b] = await scene(t);
		const r = await refused(t, a, t.at('bob'), ['audio', 'video']);
		equal([r.reason, r.text], ['decline',
			'Video calls are not allowed here.'], 'said');
		t.offers(await a.waitFor(t.notice(/Video calls/)), 'bob');
		await b.expectNothing(ofCall);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(out);
	});

story('F27 X3 busy by setting: the second caller hears it at once, missed ' +
	'call, the call goes on', async (t) => {
	const [a, b] = await scene(t);
	await t.setting('bob', 'second_call', 'busy');
	const [out, ring] = await t.connect(a, b);
	const c = await t.login(Siskin, 'carol');
	const r = await refused(t, c, t.at('bob'));
	equal(r.reason, 'busy', 'reason');
	assert(t.says('bob', 'is in another call').test(r.text), r.text);
	t.offers(await c.waitFor(t.notice(/is in another call/)), 'bob');
	await b.waitFor(t.notice(/missed call/i));
	equal([out.state, ring.state], ['active', 'active'], 'the first call');
	await t.endQuietly(a, out);
});

story('X4 A13 five calls a minute to one person, then the limit; a minute ' +
	'later it rings again', { own: true }, async (t) => {
	const [a, b] = await scene(t, Dino);
	for (let i = 0; i < 5; i++) {
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(out);
		await b.shows(b.call_, 'missed');
	}
	const from = b.mark();
	const r = await refused(t, a, t.at('bob'));
	equal([r.reason, r.text], ['decline',
		'Too many calls. Try again in a minute.'], 'said');
	t.offers(await a.waitFor(t.notice(/Too many calls/)), 'bob', false);
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
	await t.clock('+61s');
	const out = await a.call(t.at('bob'));
	await b.rings();
	await a.cancel(out);
});

story('X4 A13 twenty calls a minute by one caller to many',
	{ own: true, slow: true }, async (t) => {
		const a = await t.login(Dino, 'alice');
		for (let i = 0; i < 20; i++) {
			const name = `callee${i}x`;
			t.users.set(name, `${name}${t.number}`);
			await refused(t, a, t.at(name));
		}
		t.users.set('last', `last${t.number}`);
		const r = await refused(t, a, t.at('last'));
		equal(r.text, 'Too many calls. Try again in a minute.', 'text');
	});

story('F25 calling oneself', async (t) => {
	const a = await t.login(Conversations, 'alice');
	const other = await t.another(Dino, 'alice', { resource: 'two' });
	const r = await refused(t, a, t.at('alice'));
	equal([r.reason, r.text], ['decline', 'You cannot call yourself.'],
		'said');
	await t.settle();
	equal(other.windows.length, 0, 'windows of the other device');
});

story('F25 X4 a user of another server is refused while remote users are ' +
	'off', { not: { transparent: 'there it is the server\'s own call' } },
async (t) => {
	const name = `dave${t.number}`;
	t.prosody.addUser(name, 'secret', 'remote.localhost');
	const [, b] = await scene(t);
	const dave = new Dino({ server: { c2sPort: t.prosody.c2sPort,
		host: 'remote.localhost' }, domain: t.domain, user: name,
	password: 'secret', dialogue: t.dialogue, label: 'dave' });
	t.clients.push(dave);
	await dave.login();
	const r = await refused(t, dave, t.at('bob'));
	equal([r.reason, r.text], ['decline',
		'Calls to other servers are off.'], 'said');
	await b.expectNothing(ofCall);
});

story('F25 draining: new calls are refused, the running one goes on',
	{ own: true }, async (t) => {
		const [a, b] = await scene(t);
		const [out, ring] = await t.connect(a, b);
		const c = await t.login(Dino, 'carol');
		await t.ctl('drain');
		const r = await refused(t, c, t.at('bob'));
		equal([r.reason, r.text], ['gone', 'Calls are not available ' +
			'right now. Try again shortly.'], 'said');
		equal([out.state, ring.state], ['active', 'active'], 'calls');
		await a.hangUp(out);
		await b.shows(ring, 'ended');
	});

story('F25 draining withdraws what rings: both are told, a missed call',
	{ own: true }, async (t) => {
		const [a, b] = await scene(t);
		const c = await t.login(Dino, 'carol');
		const d = await t.login(Dino, 'dora');
		await t.contacts(c, d);
		// A call that stands keeps the daemon draining.
		await t.connect(c, d);
		const out = await a.call(t.at('bob'));
		const ring = await b.rings();
		await t.ctl('drain');
		await a.shows(out, 'declined');
		equal(out.reason, { name: 'gone', text: 'Calls are not ' +
			'available right now. Try again shortly.' }, 'reason');
		await b.shows(ring, 'missed');
		await b.waitFor(t.notice(/missed call/i));
	});

story('F11 the caller vanishes while it rings: ringing ends, a missed call',
	{ own: true }, async (t) => {
		const [a, b] = await scene(t, Monal);
		await a.call(t.at('bob'));
		const ring = await b.rings();
		a.drop();
		await t.gone(a);
		await t.clock('+11s');
		await b.shows(ring, 'missed');
		await b.waitFor(t.notice(/missed call/i));
	});

story('F25 a refusal of Dino\'s and Siskin\'s call ends their ringing: they ' +
	'read no error stanza', async (t) => {
	for (const Kind of [Dino, Siskin]) {
		const [a, b] = await scene(t, Kind);
		await b.appear({ show: 'xa' });
		await t.settle();
		const out = await a.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await a.shows(out, 'declined');
		await a.expectNothing(message({ type: 'error' }));
		await Promise.all([a.close(), b.close()]);
	}
});

story('F25 plain callers are refused by result and terminate with the ' +
	'reason', async (t) => {
	const [a, b] = await scene(t, Plain);
	await b.appear({ show: 'dnd' });
	await t.settle();
	const r = await refused(t, a, t.at('bob'));
	equal(r.reason, 'gone', 'reason');
	assert(t.says('bob', 'is not active right now').test(r.text), r.text);
	await a.waitFor(t.notice(/is not active/));
	await t.setting('bob', 'who_may_call', 'nobody');
	await b.appear();
	await t.settle();
	const again = await refused(t, a, t.at('bob'));
	equal([again.reason, again.text], ['decline', 'Action not allowed.'],
		'said');
	// A candidate that has crossed the end is of no session any more.
	const crossed = ({ attrs: { id } }) => a.dialogue.lines.some(({ text }) =>
		text.includes(`id='${id}'`) && text.includes('transport-info'));
	const results = a.received((el) => el.name === 'iq' &&
		el.attrs.type === 'error' && el.attrs.from?.includes(t.domain) &&
		!(crossed(el) && errorOf(el) ===
			'item-not-found+unknown-session'));
	equal(results.map(String), [], 'iq errors');
	await a.expectNothing(jmi());
	await b.expectNothing(notice(t.domain, /Action/));
});
