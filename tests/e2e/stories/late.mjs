// late.mjs: the server is up, and does not answer what it is asked about a
// callee (doc/protocol.md, Facts): who is as was told of him is rung

import { altered } from '../altered.mjs';
import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { jmi } from '../clients/match.mjs';
import { options, scene } from '../scene.mjs';
import { story } from '../story.mjs';

// No question is ever answered.
const SILENT = {
	prosody: { 'facts.lib.lua': [['local users = {};',
		'if true then return true; end\n\t\tlocal users = {};']] },
	ejabberd: { 'mod_privatecall_facts.erl': [['{_, {User, _, _}} ->',
		'_ when Name /= <<>> -> ignore;\n        {_, {User, _, _}} ->']] },
};

story('F4 the server does not answer: who is as was told of him is rung, who ' +
	'has changed since is not, until the server tells all again', options,
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
	await t.daemon.restart();
	await t.connected();
	await t.settle();
	await rings();
});
