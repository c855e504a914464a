// reload.mjs: the server's module is loaded anew, or its configuration, under
// calls that ring and run: nobody notices (module:reload, reload_config)

import { Conversations } from '../clients/conversations.mjs';
import { Dino } from '../clients/dino.mjs';
import { Movim } from '../clients/movim.mjs';
import { equal, story } from '../story.mjs';

const options = { server: true, lasts: 90 };

// It says hello by itself (tests/module/rules/a-hello.mjs), and the component
// asks it back.
async function reload(t) {
	await t.prosody.reloadModule();
	await t.settle();
}

async function goesOn(t, a, b, out, ring) {
	const seen = ring.infos.length;
	await a.mute(out, a.contentNames(out)[0]);
	await b.waitUntil(() => ring.infos.length > seen, 'the mute');
}

story('the module is reloaded while a call runs: it goes on, and ends for ' +
	'both', options, async (t) => {
	const [a, b] = await t.pair(Movim, Conversations);
	const [out, ring] = await t.connect(a, b);
	const marks = [a.mark(), b.mark()];
	for (let i = 0; i < 2; i++) {
		await reload(t);
		await goesOn(t, a, b, out, ring);
	}
	equal([out.state, ring.state], ['active', 'active'], 'the call');
	await a.expectNothing(t.notice(), undefined, { from: marks[0] });
	await b.expectNothing(t.notice(), undefined, { from: marks[1] });
	await b.hangUp(ring);
	await a.shows(out, 'ended');
	await t.clock('+3s');
	await t.logged('bob', 'answered');
	await t.quiet();
});

story('the module is reloaded while a call rings: it is answered, runs over ' +
	'another reload, and ends', options, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await a.shows(out, 'rings');
	await reload(t);
	equal([out.state, ring.state], ['rings', 'ringing'], 'the ringing');
	await b.answer(ring);
	await a.shows(out, 'active');
	await b.shows(ring, 'active');
	await reload(t);
	await goesOn(t, a, b, out, ring);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.clock('+3s');
	await t.logged('bob', 'answered');
	await t.quiet();
});

story('the module is reloaded between an answer and the offer, and while a ' +
	'call rings that is cancelled', options, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	a.holdsInitiate = true;
	const out = await a.call(t.at('bob'));
	const ring = await b.rings();
	await b.answer(ring);
	await a.shows(out, 'proceed');
	await reload(t);
	a.holdsInitiate = false;
	await a.initiate(out);
	await b.shows(ring, 'active');
	await a.shows(out, 'active');
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.clock('+3s');
	const again = await b.call(t.at('alice'));
	const window = await a.rings();
	await reload(t);
	await b.cancel(again);
	await a.shows(window, 'missed');
	await t.logged('alice');
	await t.quiet();
});

story('the module is reloaded with nobody calling: the next call rings',
	options, async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		await reload(t);
		const out = await a.call(t.at('bob'));
		await b.answer(await b.rings());
		await a.shows(out, 'active');
		await t.endQuietly(a, out);
	});
