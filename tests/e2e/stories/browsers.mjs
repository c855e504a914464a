// browsers.mjs: real media: pages of web/ in Chromium, and aiortc, that see and
// hear each other through privatecall-media

import { Live } from '../clients/aiortc.mjs';
import { mediaGoOn } from '../headless.mjs';
import { equal, story } from '../story.mjs';

const VIDEO = ['audio', 'video'];
const NOT = { gateway: 'of the address that is called media do not depend' };

const real = (media) => ({ media, browser: true, slow: true, lasts: 90,
	not: NOT });

async function bothWays(t, media, ...sides) {
	await Promise.all(sides.map(([phone, call]) => mediaGoOn(phone, call)));
	equal((await t.running()).map(({ mode }) => mode), [media], 'modes');
}

for (const media of ['blind', 'room'])
	story(`${media} X5 aiortc and Chromium call each other: both see and ` +
		'hear', real(media), async (t) => {
		const page = await t.page('alice');
		const bob = await t.login(Live, 'bob');
		const sid = await page.call(t.jid('bob'));
		const ring = await bob.rings();
		await bob.answer(ring);
		await bob.shows(ring, 'active');
		await bothWays(t, media, [page, sid], [bob, ring]);
		await page.hangup(sid);
		await bob.shows(ring, 'ended');
		const from = (await page.log()).length;
		const out = await bob.call(t.jid('alice'), VIDEO,
			{ remembered: true });
		const { sid: id } = await page.wait('propose', {}, { from });
		await page.answer(id);
		await bob.shows(out, 'active');
		await bothWays(t, media, [page, id], [bob, out]);
		await bob.hangUp(out);
		await page.wait('terminated', { sid: id, reason: 'success' });
		t.noFaults();
	});
