// a13-spam.mjs: call spam: who rings too often, anybody, or where he may not
// (A13)

import { connect } from 'node:net';
import { until } from '../e2e/children.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jingle, jmi } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { capsVer } from '../e2e/clients/phone.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { otherComponent } from './component.mjs';
import { AUDIO, heard, median, rssOf, unlimited } from './tools.mjs';

const MIB = 1024 * 1024;

story('A13 X4 who rings anew by fresh ids rings as often as the limit says',
	{ own: true }, async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		await t.settle();
		const from = b.mark();
		for (let i = 0; i < 25; i++) {
			await a.send(a.jmiXml('propose', { to: t.at('bob'),
				sid: `loop-${i}`, inner: AUDIO }));
			await a.fence();
			await t.stored();
			if (i % 2)
				await a.send(a.jmiXml('retract', { to: t.at('bob'),
					sid: `loop-${i}` }));
		}
		await t.settle();
		const got = b.received(jmi('propose'), from);
		assert(got.length <= 5, `${got.length} rings`);
		a.calls.length = b.calls.length = 0;
	});

story('A13 X4 the open window of a call ends no refusal: who may not call ' +
	'any more does not re-enter', async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const [out, ring] = await t.connect(a, b);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	await t.setting('bob', 'who_may_call', 'nobody');
	const from = b.mark();
	const again = await a.call(t.at('bob'), ['audio'],
		{ remembered: true });
	await a.waitFor(jmi('reject', { id: again.sid }));
	await t.settle();
	await b.expectNothing(jmi('propose'), undefined, { from });
	await b.expectNothing(jingle('session-initiate'), undefined, { from });
});

story('A13 X4 contacts only: nobody makes himself a contact of another',
	{ not: { transparent: 'whom users accept is their own affair' } },
	async (t) => {
		const b = await t.login(Dino, 'bob');
		const m = await t.login(Conversations, 'mallory');
		await t.setting('bob', 'who_may_call', 'contacts');
		const from = b.mark();
		for (const type of ['subscribe', 'subscribed', 'unsubscribed',
			'subscribe', 'unsubscribe', 'subscribe', 'subscribed'])
			for (const to of [t.at('bob'), t.at('mallory')])
				await m.send(`<presence to='${to}' ` +
					`type='${type}'/>`);
		await m.send(`<presence to='${t.at('bob', true)}'/>`);
		await t.settle();
		const out = await m.call(t.at('bob'), ['audio'],
			{ remembered: true });
		await m.waitFor(jmi('reject', { id: out.sid }));
		await t.settle();
		await b.expectNothing((el) => el.toString().includes(
			t.user('mallory')), 'a trace of her', { from });
		assert(!b.inRoster(t.at('mallory')), 'she is in his roster');
	});

story('A13 refused floods do not fill the call log of the called',
	{ own: true, lasts: 120 }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const out = await a.call(t.at('bob'));
		await b.rings();
		await a.cancel(out);
		await b.shows(b.call_, 'missed');
		const h = await unlimited(t);
		const list = Array.from({ length: 200 }, (_, i) => h.jmiXml(
			'propose', { to: t.at('bob'), sid: `fl-${i}`,
				inner: AUDIO }));
		await h.write(list.join(''));
		await h.waitUntil(() => h.received(jmi('reject')).length > 190,
			'the refusals', 30000);
		await t.settle();
		const log = await t.log('bob');
		assert(log.some((e) => e.caller === t.jid('alice')),
			'Alice\'s call has left the list');
		assert(log.length <= 20, `${log.length} entries`);
	});

story('A13 others call while proposes to 400 names are refused',
	{ own: true, lasts: 120 }, async (t) => {
		const [a, b] = await t.pair(Dino, Dino);
		const h = await unlimited(t);
		for (let k = 0; k < 4; k++)
			await h.write(Array.from({ length: 100 }, (_, i) =>
				h.jmiXml('propose', { to: `n${k}x${i}@${t.where}`,
					sid: `n-${k}-${i}`, inner: AUDIO }))
				.join(''));
		const [out] = await t.connect(a, b);
		await t.endQuietly(a, out);
	});

story('A13 R08 a thousand proposes and as many retracts: at most five ' +
	'rings a minute for one and twenty in all, memory flat, others call',
{ own: true, slow: true, heavy: true, lasts: 120,
	not: { transparent: 'it is about rules of the daemon, one in both' } },
async (t) => {
	const victims = [];
	for (let i = 0; i < 6; i++)
		victims.push(await t.login(Dino, `victim${i}`));
	const [a, b] = await t.pair(Dino, Dino);
	const h = await unlimited(t);
	const bare = (i) => t.at(`victim${i % 6}`);
	const wave = (n) => h.write(Array.from({ length: 500 }, (_, i) =>
		['propose', 'retract'].map((verb) => h.jmiXml(verb, { to: bare(i),
			sid: `${n}-${i}`, inner: verb === 'propose' ? AUDIO : '' }))
			.join('')).join(''));
	// How long others wait for their calls, before and beside the flood: for
	// the reader, as speed is no test.
	const setUps = async () => {
		const times = [];
		for (let i = 0; i < 2; i++) {
			const at = performance.now();
			const [out, ring] = await t.connect(a, b);
			times.push(performance.now() - at);
			await a.hangUp(out);
			await b.shows(ring, 'ended');
		}
		return median(times);
	};
	const quiet = await setUps();
	const others = setUps();
	others.catch(() => {});        // it is awaited below
	const from = victims.map((v) => v.mark());
	// What is taken back before it is stored rings nobody: slowly at first.
	for (let i = 0; i < 30; i++) {
		await h.send(h.jmiXml('propose', { to: bare(i), sid: `one-${i}`,
			inner: AUDIO }));
		await h.fence();
		await t.stored();
		await h.send(h.jmiXml('retract', { to: bare(i), sid: `one-${i}` }));
	}
	await wave(0);
	await h.fence();
	const before = rssOf(t.daemon.pid);
	await wave(1);
	await h.fence();
	const flooded = await others;
	await t.settle();
	const grown = rssOf(t.daemon.pid) - before;
	const rung = victims.map((v, i) => heard(v, from[i]).filter(
		(word) => word === 'propose').length);
	h.note(`rung ${rung.join()}, memory +${grown} bytes, set-up of others ${
		quiet.toFixed()} ms, beside the flood ${flooded.toFixed()} ms`);
	assert(rung.every((n) => n <= 5), `rings of one: ${rung.join()}`);
	const all = rung.reduce((x, y) => x + y);
	assert(all > 10 && all <= 20, `${all} rings in all`);
	assert(grown < 2 * MIB, `memory +${grown} bytes`);
	for (const v of victims)
		v.calls.length = 0;
});

// As little as a session takes: no stream restart is waited for.
async function session(t, user, resource, caps) {
	const head = '<?xml version=\'1.0\'?><stream:stream to=\'localhost\' ' +
		'version=\'1.0\' xmlns=\'jabber:client\' xmlns:stream=' +
		'\'http://etherx.jabber.org/streams\'>';
	const socket = connect(t.prosody.c2sPort, '127.0.0.1');
	let text = '';
	socket.setEncoding('utf8').on('data', (part) => (text += part));
	socket.on('error', () => {});
	socket.write(`${head}<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' ` +
		`mechanism='PLAIN'>${Buffer.from(`\0${user}\0secret`)
			.toString('base64')}</auth>`);
	await until(() => text.includes('<success'), 'the login', 30000);
	socket.write(`${head}<iq type='set' id='b'><bind xmlns=` +
		`'urn:ietf:params:xml:ns:xmpp-bind'><resource>${resource}` +
		`</resource></bind></iq><presence to='${t.domain}'>${caps}</presence>`);
	await until(() => text.includes('<jid>'), 'the resource');
	return { socket, text: () => text };
}

story('A13 a user of 500 devices: at most 64 of them ring, others call as ' +
	'ever', { own: true, slow: true, lasts: 90,
	not: { transparent: 'there the server rings the devices' } },
async (t) => {
	const [a, b] = await t.pair(Dino, Dino);
	const many = await t.login(Conversations, 'hostile', { priority: 5 });
	const sessions = [];
	const caps = `<c xmlns='${NS.caps}' hash='sha-1' ver='${capsVer(
		Conversations.identity, many.features)}' node='${
		Conversations.node}'/>`;
	for (let i = 0; i < 500; i += 50)
		sessions.push(...await Promise.all(Array.from({ length: 50 },
			(_, k) => session(t, many.user, `d${i + k}`, caps))));
	await t.settle();
	const before = rssOf(t.daemon.pid);
	const [out, ring] = await t.connect(a, b);
	await a.hangUp(out);
	await b.shows(ring, 'ended');
	const call = await a.call(t.at('hostile'), ['audio'],
		{ remembered: true });
	await many.rings();
	await t.settle();
	const rung = sessions.filter((s) => s.text().includes('<propose ')).length;
	const grown = rssOf(t.daemon.pid) - before;
	a.note(`${rung} of 500 rung, memory +${grown} bytes`);
	assert(rung > 0 && rung <= 64, `${rung} devices rung`);
	assert(grown < 2 * MIB, `memory +${grown} bytes`);
	await a.cancel(call);
	for (const { socket } of sessions)
		socket.destroy();
});

story('A13 another server, which has as many users as it likes, calls as ' +
	'often as ten of ours may', { own: true,
	not: { transparent: 'it calls an address of ours' } }, async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const slot = await t.slots.take();
	const evil = await otherComponent(t.prosody, slot);
	const answers = (text) => evil.text().split(text).length - 1;
	for (let i = 0; i < 210; i++)
		evil.send(`<message from='u${i}@${slot.domain}/r' to='${
			t.at('bob')}' type='chat' id='m${i}'><propose xmlns='${
			NS.jmi}' id='p${i}'>${AUDIO}</propose></message>`);
	await until(() => answers('<reject ') === 210, '210 answers', 30000);
	evil.close();
	t.slots.give(slot);
	equal([answers('Calls to other servers are off.'),
		answers('Too many calls.')], [200, 10], 'refusals');
	const { data } = await t.ctl('log', '--limit', '1000');
	equal(data.calls.filter((c) => c.caller.endsWith(slot.domain)).length,
		200, 'in the log');
	const [out, ring] = await t.connect(a, b);
	await t.endQuietly(a, out);
	equal(ring.state, 'ended', 'a call of ours');
});
