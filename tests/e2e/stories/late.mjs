// late.mjs: the server is up, and does not answer what it is asked about a
// callee (doc/protocol.md, Facts): who is as was told of him is rung

import { altered } from '../altered.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi } from '../clients/match.mjs';
import { options, scene } from '../scene.mjs';
import { assert, story } from '../story.mjs';

const WAIT_MS = 850;        // of 900, which the component's clock counts

// No question is ever answered.
const SILENT = {
	prosody: { 'facts.lib.lua': [['local users = {};',
		'if true then return true; end\n\t\tlocal users = {};']] },
	ejabberd: { 'mod_privatecall_facts.erl': [['{_, {User, _, _}} ->',
		'_ when Name /= <<>> -> ignore;\n        {_, {User, _, _}} ->']] },
};

story('F4 the server does not answer: who is as was told of him is rung, who ' +
	'has changed since is not, until all of him is told again', options,
async (t) => {
	await scene(t, await altered(t, SILENT));
	const [a, b] = await t.pair(Conversations, Dino);
	const rings = async () => {
		const out = await a.call(b.bare, ['audio'], { remembered: true });
		await b.answer(await b.rings());
		await a.shows(out, 'active');
		await t.endQuietly(a, out);
	};
	await t.settle();
	await rings();
	await b.appear({ show: 'chat' });
	await t.settle();
	const from = b.mark();
	const out = await a.call(b.bare, ['audio'], { remembered: true });
	await a.shows(out, 'declined');
	await b.waitFor(t.notice(/missed call/i));
	await b.expectNothing(jmi('propose'), undefined, { from });
	await b.close();
	await b.login();
	await t.settle();
	await rings();
});

// Refused by what the mirror says, or because nobody says anything: none is
// sooner than the last moment of waiting, so that the time tells nothing.
story('A06 the server does not answer: who is away, who wants no calls and ' +
	'nobody are refused after the same wait', options, async (t) => {
	await scene(t, await altered(t, SILENT));
	const [a, b] = await t.pair(Conversations, Dino);
	await t.daemon.ctl('user', b.bare, 'who_may_call', 'nobody');
	t.users.set('nobody', 'nobody');
	const refused = async (to, what) => {
		const began = performance.now();
		const out = await a.call(to, ['audio'], { remembered: true });
		await a.shows(out, 'declined');
		const ms = performance.now() - began;
		assert(ms > WAIT_MS, `${what}: after ${ms} ms`);
	};
	await t.settle();
	await refused(b.bare, 'wants no calls');
	await t.daemon.ctl('user', b.bare, 'who_may_call', 'default');
	await b.appear({ priority: -1 });
	await t.settle();
	await refused(b.bare, 'is not there for calls');
	await refused(a.bare.replace(/^[^@]+/, 'nobody'), 'nobody');
});

story('F8 the server does not answer, and who was called leaves meanwhile: ' +
	'he hears of it when he is back', options, async (t) => {
	await scene(t, await altered(t, SILENT));
	const a = await t.login(Conversations, 'alice', { register: false });
	const b = await t.login(Dino, 'bob', { register: false });
	await b.appear({ priority: -1 });
	await t.settle();
	const out = await a.call(b.bare, ['audio'], { remembered: true });
	await t.settle();          // it has come to us
	await b.close();
	await a.shows(out, 'declined');
	await b.login();
	await b.waitFor(t.notice(/missed call/i));
});
