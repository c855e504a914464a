// browsers.mjs: real media: pages of web/ in Chromium, and aiortc, that see and
// hear each other through privatecall-media

import { until } from '../children.mjs';
import { Apart, Late, Live } from '../clients/aiortc.mjs';
import { jmi } from '../clients/match.mjs';
import { mediaGoOn } from '../headless.mjs';
import { assert, equal, story } from '../story.mjs';

const VIDEO = ['audio', 'video'];
const NOT = { gateway: 'of the address that is called media do not depend' };

const real = (media) => ({ media, browser: true, slow: true, lasts: 150,
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

// Of a <jingle/>: those that are ours have a name each.
const transportsOf = (j) => new Set(j.getChildren('content').map((el) =>
	el.getChild('transport').attrs.ufrag)).size;

const calls = (client, jid) => client.call(jid, VIDEO, { remembered: true });

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
		const out = await calls(bob, t.jid('alice'));
		const { sid: id } = await page.wait('propose', {}, { from });
		await page.answer(id);
		await bothWays(t, media, [page, id], [bob, out]);
		await bob.hangUp(out);
		await page.wait('terminated', { sid: id, reason: 'success' });
		t.noFaults();
	});

// --- two pages, and each comes back (F23) ----------------------------------
// alice calls bob: { alice: [page, sid], bob: [page, sid] }.
async function pagesTalk(t, media = 'room') {
	const [alice, bob] = await Promise.all(['alice', 'bob'].map(
		(name) => t.page(name)));
	const out = await alice.call(t.jid('bob'));
	const { sid } = await bob.wait('propose');
	await bob.answer(sid);
	await bothWays(t, media, [alice, out], [bob, sid]);
	return { alice: [alice, out], bob: [bob, sid] };
}

// `stays` neither rang nor ended since `from`, and has been told who came.
async function wasTold(t, stays, from) {
	if (!stays.page) {
		await stays.waitFor(t.notice(/is back in your call/));
		await stays.expectNothing(jmi('propose'), undefined, { from });
		return;
	}
	const { body } = await stays.wait('headline', {}, { from });
	assert(/is back in your call/.test(body), `he is told: ${body}`);
	const seen = (await stays.log()).slice(from);
	assert(!seen.some(({ what }) => /propose|terminated/.test(what)),
		`${stays.name} saw ${seen.map(({ what }) => what)}`);
}

// enter() calls who stays; the result is that side of the call.
async function returns(t, [stays, call], enter) {
	const before = await stays.stats(call);
	const from = stays.page ? (await stays.log()).length : stays.mark();
	const side = await enter();
	await Promise.all([goesOn([stays, call], before), goesOn(side)]);
	await wasTold(t, stays, from);
	return side;
}

// `name` calls from another page.
function comesBack(t, name, side, codecs) {
	return returns(t, side, async () => {
		const page = await t.page(name,
			{ resource: `back${t.pages.length}` });
		if (codecs)
			await page.offersOtherwise(...codecs);
		return [page, await page.call(
			t.jid(name === 'alice' ? 'bob' : 'alice'))];
	});
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

for (const [words, codecs, mimes, long] of [
	['other numbers, VP9 first', ['VP9', 'VP8'],
		['video/VP9', 'video/VP8'], false],
	['other numbers, VP8 alone', ['VP8'],
		['video/VP8', 'video/VP8'], true]])
	story(`room F23 a user comes back in Chromium with ${words}`,
		{ ...real('room'), long }, async (t) => {
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

for (const [Back, words, apart] of [
	[Late, 'come back to each other', false],
	[Apart, 'come back to each other, aiortc with each content on a ' +
		'transport of its own', true]])
	story(`room F23 aiortc and Chromium ${words}`, real('room'), async (t) => {
		const page = await t.page('alice');
		const bob = await t.login(Live, 'bob', { resource: 'one' });
		const out = await calls(bob, t.jid('alice'));
		const { sid } = await page.wait('propose');
		await page.answer(sid);
		await bothWays(t, 'room', [page, sid], [bob, out]);
		bob.kill();
		const [back, call] = await returns(t, [page, sid], async () => {
			const phone = await t.another(Back, 'bob',
				{ resource: 'two' });
			return [phone, await calls(phone, t.jid('alice'))];
		});
		await page.kill();
		const [again, id] = await comesBack(t, 'alice', [back, call]);
		equal(transportsOf(call.accepted), apart ? 2 : 1, 'transports');
		await again.hangup(id);
		await back.shows(call, 'ended');
		equal(call.reason.name, 'success', 'reason');
	});

story('room F23 X8 rejoin = notify in Chromium: who comes back waits, is ' +
	'connected and rings nobody; the other comes when he likes', {
	...real('default'), conf: { rejoin: 'notify' } }, async (t) => {
	const { alice: [page, sid], bob: [other, its] } = await pagesTalk(t);
	await page.hangup(sid);
	await other.wait('terminated', { sid: its });
	const from = [(await page.log()).length, (await other.log()).length];
	const waits = await other.call(t.jid('alice'));
	await other.wait('connection', { sid: waits, state: 'connected' });
	const isBack = async (who, at, what) => until(async () =>
		(await who.log()).slice(at).some((e) => e.what === 'headline' &&
			what.test(e.body)), `${who.name} is not told`);
	await isBack(page, from[0], /is back in your call[^]*You can rejoin/);
	const comes = await page.call(t.jid('bob'));
	await bothWays(t, 'room', [page, comes], [other, waits]);
	await isBack(other, from[1], /is back in your call since [0-9:]* UTC.$/);
	for (const [i, who] of [page, other].entries())
		assert(!(await who.log()).slice(from[i]).some((e) =>
			e.what === 'propose'), `${who.name} was rung`);
	await page.hangup(comes);
	await other.wait('terminated', { sid: waits, reason: 'success' });
});

// --- what befalls a call --------------------------------------------------
const credentialsOf = (stats) => stats.transport.iceLocalUsernameFragment;

for (const media of ['blind', 'room'])
	story(`${media} ICE restart of either side in Chromium: both go on, the ` +
		'other hears nothing', real(media), async (t) => {
		const sides = Object.values(await pagesTalk(t, media));
		for (const [[page, sid], [other, its]] of
			[sides, [...sides].reverse()]) {
			const [own, theirs] = await Promise.all(
				[page.stats(sid), other.stats(its)]);
			await page.restartIce(sid);
			const [now, there] = await Promise.all([
				goesOn([page, sid], own), goesOn([other, its], theirs)]);
			assert(credentialsOf(now) !== credentialsOf(own),
				`${page.name} has the old credentials`);
			equal(credentialsOf(there), credentialsOf(theirs),
				`credentials of ${other.name}`);
		}
		const [[page, sid], [other, its]] = sides;
		await page.hangup(sid);
		await other.wait('terminated', { sid: its, reason: 'success' });
	});

const upIn = async (t) => (await t.running()).map(
	({ state, mode }) => `${state} ${mode}`);

// Consent has ended (RFC 7675), on the real clock: of that privatecall-media
// keeps none that could be moved.
async function tabIsKilled(t) {
	const { alice, bob: [page] } = await pagesTalk(t);
	await page.kill();
	await until(() => /side=callee step=lost/.test(t.media.readLog()),
		'bob is not lost', 45000);
	await t.clock('+30s');
	equal(await upIn(t), ['up room'], 'calls');
	return alice;
}

story('room F28 a tab is killed in Chromium: the other stays, and he comes ' +
	'back within a minute', real('room'), async (t) => {
	const alice = await tabIsKilled(t);
	const [page, id] = await comesBack(t, 'bob', alice);
	await t.clock('+61s');
	equal(await upIn(t), ['up room'], 'calls');
	await page.hangup(id);
	await alice[0].wait('terminated', { sid: alice[1], reason: 'success' });
});

story('room F28 a tab is killed in Chromium: after a minute the call ends ' +
	'for the other', { ...real('room'), long: true }, async (t) => {
	const [page, sid] = await tabIsKilled(t);
	await t.clock('+31s');
	await page.wait('terminated', { sid, reason: 'connectivity-error' });
	equal(await t.running(), [], 'calls');
});

story('room F23 two hours are over in Chromium: the call goes on, who calls ' +
	'then rings', real('room'), async (t) => {
	const { alice, bob } = await pagesTalk(t);
	const [{ id: old }] = await t.running();
	const before = await alice[0].stats(alice[1]);
	await t.clock('+2h');
	await goesOn(alice, before);
	equal(await upIn(t), ['up room'], 'calls');
	await bob[0].kill();
	const from = (await alice[0].log()).length;
	const page = await t.page('bob', { resource: 'again' });
	const id = await page.call(t.jid('alice'));
	const { sid } = await alice[0].wait('propose', {}, { from });
	await alice[0].answer(sid);
	await bothWays(t, 'room', [page, id], [alice[0], sid]);
	await alice[0].wait('terminated', { sid: alice[1] });
	const [{ id: now }] = await t.running();
	assert(now !== old, 'it is the old call');
});
