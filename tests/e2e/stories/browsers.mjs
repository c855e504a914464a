// browsers.mjs: real media: pages of web/ in Chromium, and aiortc, that see and
// hear each other through privatecall-media

import { Live } from '../clients/aiortc.mjs';
import { mediaGoOn } from '../headless.mjs';
import { assert, equal, story } from '../story.mjs';

const VIDEO = ['audio', 'video'];
const NOT = { gateway: 'of the address that is called media do not depend' };

const real = (media) => ({ media, browser: true, slow: true, lasts: 90,
	not: NOT });

// A side: [a page, its sid] or [aiortc's, its call].
async function goesOn([phone, call], before) {
	if (phone.page)
		await phone.wait('connection', { sid: call, state: 'connected' });
	else
		await phone.shows(call, 'active');
	return mediaGoOn(phone, call, before);
}

async function bothWays(t, media, ...sides) {
	await Promise.all(sides.map((side) => goesOn(side)));
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
		await bothWays(t, media, [page, sid], [bob, ring]);
		await page.hangup(sid);
		await bob.shows(ring, 'ended');
		const from = (await page.log()).length;
		const out = await bob.call(t.jid('alice'), VIDEO,
			{ remembered: true });
		const { sid: id } = await page.wait('propose', {}, { from });
		await page.answer(id);
		await bothWays(t, media, [page, id], [bob, out]);
		await bob.hangUp(out);
		await page.wait('terminated', { sid: id, reason: 'success' });
		t.noFaults();
	});

// --- two pages, and each comes back (F23) ----------------------------------
// alice calls bob: { alice: [page, sid], bob: [page, sid] }.
async function pagesTalk(t) {
	const [alice, bob] = await Promise.all(['alice', 'bob'].map(
		(name) => t.page(name)));
	const out = await alice.call(t.jid('bob'));
	const { sid } = await bob.wait('propose');
	await bob.answer(sid);
	await bothWays(t, 'room', [alice, out], [bob, sid]);
	return { alice: [alice, out], bob: [bob, sid] };
}

// `name` calls from another page: he is in, nobody rings, the other is told.
async function comesBack(t, name, [stays, sid], codecs) {
	const before = await stays.stats(sid);
	const from = (await stays.log()).length;
	const page = await t.page(name, { resource: `back${t.pages.length}` });
	if (codecs)
		await page.offersOtherwise(...codecs);
	const id = await page.call(t.jid(stays.name));
	await Promise.all([goesOn([stays, sid], before), goesOn([page, id])]);
	const { body } = await stays.wait('headline', {}, { from });
	assert(/is back/.test(body), `${stays.name} is told: ${body}`);
	const seen = (await stays.log()).slice(from);
	assert(!seen.some(({ what }) => /propose|terminated/.test(what)),
		`${stays.name} saw ${seen.map(({ what }) => what)}`);
	return [page, id];
}

story('room F23 X8 a user comes back from another device in Chromium: the ' +
	'old one is told to which call it went', real('room'), async (t) => {
	const { alice, bob } = await pagesTalk(t);
	const [old, sid] = bob;
	const [page, id] = await comesBack(t, 'bob', alice);
	const end = await old.wait('finish', { sid });
	equal([end.reason, end.migrated], ['expired', id], 'finish');
	await old.wait('terminated', { sid });
	const [again, its] = await comesBack(t, 'alice', [page, id]);
	await alice[0].wait('finish', { sid: alice[1], migrated: its });
	await again.hangup(its);
	await page.wait('terminated', { sid: id, reason: 'success' });
});

for (const [words, codecs, mimes] of [
	['other numbers, VP9 first', ['VP9', 'VP8'], ['video/VP9', 'video/VP8']],
	['other numbers, VP8 alone', ['VP8'], ['video/VP8', 'video/VP8']]])
	story(`room F23 a user comes back in Chromium with ${words}`,
		real('room'), async (t) => {
			const { alice, bob } = await pagesTalk(t);
			await bob[0].kill();
			const [page, id] = await comesBack(t, 'bob', alice, codecs);
			const got = await Promise.all([alice[0].stats(alice[1]),
				page.stats(id)]);
			equal(got.map(({ video }) => video.in.mimeType), mimes,
				'codecs that came');
			for (const kind of ['audio', 'video'])
				assert(got[0][kind].in.payloadType !==
					got[1][kind].in.payloadType,
				`${kind} has the same numbers`);
			await page.hangup(id);
			await alice[0].wait('terminated',
				{ sid: alice[1], reason: 'success' });
		});
