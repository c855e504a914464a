// a30-fields.mjs: stanzas with something missing, doubled or blank (A30)

import { contents, jingleXml } from '../e2e/clients/bodies.mjs';
import { Client, parse } from '../e2e/clients/client.mjs';
import { Conversations } from '../e2e/clients/conversations.mjs';
import { Dino } from '../e2e/clients/dino.mjs';
import { jingle, jingleOf, jmi, ofCall } from '../e2e/clients/match.mjs';
import { NS } from '../e2e/clients/ns.mjs';
import { Plain } from '../e2e/clients/plain.mjs';
import { assert, equal, story } from '../e2e/story.mjs';
import { ACTIONS, AUDIO, jingleOfAction, random, seedOf, stands,
	unlimitedPair, VERBS } from './tools.mjs';

const SID = 'broken-1';

const offer = () => contents('webrtc', 'offer', ['audio']);

const BROKEN = {
	'no sid': `<jingle xmlns='${NS.jingle}' action='session-initiate'/>`,
	'blank sid': jingleXml('session-initiate', '', offer()),
	'no action': `<jingle xmlns='${NS.jingle}' sid='${SID}'/>`,
	'unknown action': jingleXml('session-fly', SID),
	'no content': jingleXml('session-initiate', SID),
	'blank name': jingleXml('session-initiate', SID,
		offer().replace(/name="0"/, 'name=""')),
	'no name': jingleXml('session-initiate', SID,
		offer().replace(/ name="0"/, '')),
	'no creator': jingleXml('session-initiate', SID,
		offer().replace(/ creator="[a-z]*"/, '')),
	'bad creator': jingleXml('session-initiate', SID,
		offer().replace(/creator="[a-z]*"/, 'creator="nobody"')),
	'no description': jingleXml('session-initiate', SID,
		'<content creator=\'initiator\' name=\'0\'/>'),
	'two contents of a name': jingleXml('session-initiate', SID,
		offer().repeat(2)),
	'no media': jingleXml('session-initiate', SID,
		offer().replace(/ media="audio"/, '')),
	'sid of 4 kB': jingleXml('session-initiate', 's'.repeat(4096), offer()),
	'markup in sid': jingleXml('session-initiate', '"/><x y=\'&<',
		offer()),
	'two jingle children': jingleXml('session-info', SID).repeat(2),
	'reason of nothing': jingleXml('session-terminate', SID,
		'<reason/>'),
};

story('A30 broken Jingle: every iq is answered once, no crash, calls go on',
	async (t) => {
		const [a, b] = await t.pair(Conversations, Dino);
		const m = await t.device(Client, 'mallory').connect();
		const [out] = await t.connect(a, b);
		for (const [what, xml] of Object.entries(BROKEN)) {
			const el = await m.iq('set', t.at('bob', true), xml,
				{ mayFail: true });
			assert(el, what);
		}
		await t.settle();
		const answers = m.received((el) => el.name === 'iq' &&
			el.attrs.type !== 'set' && el.attrs.type !== 'get');
		const ids = answers.map((el) => el.attrs.id);
		equal(ids.length, new Set(ids).size, 'answers per iq');
		await t.endQuietly(a, out);
	});

const JMI = [
	`<propose xmlns='${NS.jmi}'/>`,
	`<propose xmlns='${NS.jmi}' id=''><description xmlns='${NS.rtp}' ` +
		'media=\'audio\'/></propose>',
	`<propose xmlns='${NS.jmi}' id='x1'/>`,
	`<propose xmlns='${NS.jmi}' id='x2'><description xmlns='${NS.rtp}'/>` +
		'</propose>',
	`<propose xmlns='${NS.jmi}' id='x3'><description xmlns='${NS.rtp}' ` +
		'media=\'smell\'/></propose>',
	`<propose xmlns='${NS.jmi}' id='${'x'.repeat(5000)}'><description ` +
		`xmlns='${NS.rtp}' media='audio'/></propose>`,
	`<proceed xmlns='${NS.jmi}'/>`, `<retract xmlns='${NS.jmi}'/>`,
	`<reject xmlns='${NS.jmi}' id='none'/>`,
	`<finish xmlns='${NS.jmi}' id=''/>`,
	`<dance xmlns='${NS.jmi}' id='x4'/>`,
	'<propose xmlns=\'urn:xmpp:jingle:jingle-message:0\' id=\'x5\'>' +
		`<description xmlns='${NS.rtp}' media='audio'/></propose>`,
	`<propose xmlns='urn:xmpp:jingle-message:1' id='x6'><description ` +
		`xmlns='${NS.rtp}' media='audio'/></propose>`,
];

story('A30 broken JMI: no ring, no crash, no loop',
{ not: { transparent: 'what is no call goes the server\'s way' } },
async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const from = b.mark();
	for (const xml of JMI) {
		await a.send(`<message to='${t.at('bob')}' type='chat' ` +
			`id='j${JMI.indexOf(xml)}'>${xml}</message>`);
		await a.send(`<message to='${t.at('bob', true)}' ` +
			`type='groupchat'>${xml}</message>`);
	}
	await t.settle();
	await b.expectNothing(ofCall, undefined, { from });
	const out = await a.call(t.at('bob'));
	await b.rings();
	await a.cancel(out);
});

// --- by machine: each part of each stanza --------------------------------
const PAIRS = 30;                  // of one stanza
// The rules are those of the daemon in either mode: a part of the stanzas shows
// that our module gives it all, and the server takes it.
const STEP = { gateway: 1, transparent: 5 };
const LIMITS = { pair_per_minute: 100, caller_per_minute: 1000 };

function copyOf(el) {
	const copy = new el.constructor(el.name, { ...el.attrs });
	for (const child of el.children)
		copy.append(child.name ? copyOf(child) : child);
	return copy;
}

function nodesOf(el) {
	return [el, ...el.children.filter((c) => c.name).flatMap(nodesOf)];
}

// What can be done to a stanza, but to its root and its `to`: [node, what].
function changes(el) {
	return nodesOf(el).flatMap((node, i) => [
		...(i ? ['drop', 'double', 'blank'] : ['blank']),
		...Object.keys(node.attrs).filter((name) => name !== 'to' &&
			!name.startsWith('xmlns:')).flatMap((name) => [
			`no ${name}`, `blank ${name}`]),
	].map((what) => [i, what]));
}

function change(node, what) {
	const [verb, name] = what.split(' ');
	const siblings = node.parent?.children;
	if (verb === 'drop')
		siblings?.splice(siblings.indexOf(node), 1);
	else if (verb === 'double')
		siblings?.splice(siblings.indexOf(node), 0, copyOf(node));
	else if (verb === 'no')
		delete node.attrs[name];
	else if (name)
		node.attrs[name] = '';
	else
		node.children = [];
}

// The text of a stanza with each change, or every so many, then with pairs.
function* broken(text, pick, step) {
	const all = changes(parse(text));
	const made = (...list) => {
		const el = parse(text);
		const nodes = nodesOf(el);
		for (const [i, what] of list)
			change(nodes[i], what);
		return el.toString();
	};
	for (let k = pick(step); k < all.length; k += step)
		yield made(all[k]);
	for (let k = 0; k < PAIRS; k += step)
		yield made(all[pick(all.length)], all[pick(all.length)]);
}

// Sends the broken forms of a stanza, each with an id of its own, and sees that
// each of those that kept it is answered once.
async function sendBroken(t, client, text, pick) {
	const from = client.mark();
	let n = 0;
	for (const xml of broken(text, pick,
		STEP[t.definition.mode])) {
		const el = parse(xml);
		if (el.attrs.id)
			el.attrs.id = `${client.tag = (client.tag ?? 0) + 1}.b`;
		await client.write(el.toString());
		if (++n % 100 === 0)
			await client.fence();
	}
	await client.fence();
	await client.fence();
	const ids = client.received((el) => el.name === 'iq' &&
		/^\d+\.b$/.test(el.attrs.id), from).map((el) => el.attrs.id);
	equal(ids.length, new Set(ids).size, 'answers of each iq');
	return n;
}

const iqOf = (to, action, sid) => `<iq type='set' id='i' to='${to}'>${
	jingleOfAction(action, sid)}</iq>`;

story('A30 by machine, from outside: every part of every call stanza away, ' +
	'doubled or blank, alone and in pairs',
{ own: true, slow: true, heavy: true, lasts: 90 },
async (t) => {
	const [a, b] = await t.pair(Conversations, Dino);
	const h = await t.login(Plain, 'hostile');
	const { pid } = t.daemon;
	const pick = random(seedOf(t));
	h.onStanza = b.onStanza = () => {};
	const from = b.mark();
	let n = 0;
	for (const action of ['session-initiate', ...ACTIONS])
		n += await sendBroken(t, h, iqOf(t.at('bob', true), action, 'broken'),
			pick);
	for (const verb of ['propose', ...VERBS])
		n += await sendBroken(t, h, h.jmiXml(verb, { to: t.at('bob'),
			id: 'm', sid: `broken-${verb}`, inner: `${AUDIO}<reason ` +
			`xmlns='${NS.jingle}'><busy/><text>x</text></reason>`,
			extra: `<delay xmlns='${NS.delay}' stamp='2026-01-01T00:00:` +
			`00Z'/><received xmlns='${NS.receipts}' id='x'/>` }), pick);
	for (const inner of [`<query xmlns='${NS.register}'><registered/>` +
		'<username>x</username><x xmlns=\'jabber:x:data\' type=' +
		'\'submit\'><field var=\'FORM_TYPE\'><value>x</value></field>' +
		'</x></query>', '<query xmlns=\'jabber:iq:gateway\'><prompt>bob' +
		'</prompt></query>', `<query xmlns='${NS.info_}' node='x'/>`,
	'<vCard xmlns=\'vcard-temp\'><FN>x</FN></vCard>'])
		n += await sendBroken(t, h, `<iq type='set' id='i' to='${t.domain}'>${
			inner}</iq>`, pick);
	h.note(`${n} stanzas`);
	assert(n > 2000 / STEP[t.definition.mode], `${n} stanzas`);
	for (const el of b.received(ofCall, from))
		assert(jmi(/^(propose|retract)$/)(el), () => String(el));
	await stands(t, pid);
	delete b.onStanza;
	b.calls.length = 0;
	const [out] = await t.connect(a, b);
	await t.endQuietly(a, out);
});

// What reaches the other side of a call is whole. From user to user the server
// delivers what is of no call of theirs.
function isWhole(t, el, sid) {
	const j = jingleOf(el);
	if (t.native && j.attrs.sid !== sid)
		return;
	equal(j.attrs.sid, sid, 'sid');
	assert(ACTIONS.includes(j.attrs.action), `action ${j.attrs.action}`);
	for (const content of j.getChildren('content'))
		assert(content.attrs.name && /^(initiator|responder)$/.test(
			content.attrs.creator), () => `content ${content}`);
	for (const name of ['initiator', 'responder'])
		assert(t.native || !j.attrs[name] || j.attrs[name].endsWith('/call'),
			`${name} ${j.attrs[name]}`);
}

story('A30 by machine, in a call: what the peer breaks is refused or comes ' +
	'out whole', { media: 'direct', conf: LIMITS, slow: true, heavy: true,
	lasts: 120 }, async (t) => {
	const [a, b] = await unlimitedPair(t, Dino, Dino);
	const { pid } = t.daemon;
	const pick = random(seedOf(t));
	let n = 0;
	for (const action of ACTIONS.filter((x) => !/^session-[at]/.test(x))) {
		const [out, ring] = await t.connect(a, b);
		const from = b.mark();
		n += await sendBroken(t, a, iqOf(out.peer, action, out.sid), pick);
		await t.settle();
		for (const el of b.received(jingle(), from))
			isWhole(t, el, ring.sid);
		await a.terminate(out, 'success');
		await b.shows(ring, 'ended');
		await t.settle();
	}
	a.note(`${n} stanzas`);
	assert(n > 1000 / STEP[t.definition.mode], `${n} stanzas`);
	equal(b.errors.map(String), [], 'errors at the victim');
	equal(await t.running(), [], 'calls');
	await stands(t, pid);
});

story('A30 by machine, between answer and media: broken offers and answers ' +
	'leave no half a call',
{ conf: LIMITS, slow: true, heavy: true, lasts: 120,
	not: { transparent: 'it is about rules of the daemon, one in both' } },
async (t) => {
	const [a, b] = await unlimitedPair(t, Dino, Dino);
	const { pid } = t.daemon;
	const pick = random(seedOf(t));
	const forms = { offer: [], answer: [] };
	for (const [kind, action] of [['offer', 'session-initiate'],
		['answer', 'session-accept']]) {
		const all = [...broken(iqOf('TO', action, 'SID'), pick)];
		for (let i = 0; i < 12; i++)
			forms[kind].push(all[pick(all.length)]);
	}
	a.holdsInitiate = true;
	b.accept = async () => {};
	const fill = (xml, call, id) => xml.replace(/"TO"/g, `"${call.peer}"`)
		.replace(/"SID"/g, `"${call.sid}"`).replace(/ id="i"/, ` id="${id}"`);
	for (let i = 0; i < 24; i++) {
		const out = await a.call(t.at('accomplice'));
		const ring = await b.rings();
		await b.answer(ring);
		await a.shows(out, 'proceed');
		if (i < 12)
			await a.send(fill(forms.offer[i], out, `o${i}`));
		else
			await a.iq('set', out.peer, jingleOfAction(
				'session-initiate', out.sid));
		await t.settle();
		if (i >= 12)
			await b.send(fill(forms.answer[i - 12], ring, `a${i}`));
		await t.settle();
		for (const el of b.received(jingle('session-initiate')))
			assert(jingleOf(el).getChild('content'), () => String(el));
		await a.terminate(out, 'success');
		await t.settle();
		equal(await t.running(), [], 'calls');
		out.state = ring.state = 'ended';
	}
	await stands(t, pid);
});
