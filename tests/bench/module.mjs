// module.mjs: what the server's module costs the server: CPU of traffic that is
// no call, and of a call, with the module and without, in one run; and how long
// the one question about two users takes, with calls going on
//
// node tests/bench/module.mjs [--server ejabberd] [--rounds 6] [--calls 40]
//                             [--turns 200] [--traffic chat,presence,iq]
//                             [--count 500] [--pairs 100]
//                             [--questions 3000] [--rate 100]
//                             [--config LINE, of Prosody's configuration]
//   BUILD_DIR, PROSODY, EJABBERD as for tests/e2e (see lib.sh there)
//
// Traffic: one server that loads the module and unloads it; each turn measures
// it loaded, unloaded, and unloaded once more for the error of all this, or the
// other way round. The same process serves the same users, so that neither its
// memory's layout nor the machine's neighbors are taken for the module's cost.
// What is told is the median of the turns' ratios and the interval that holds
// it 95 times of 100.
//
// Presence: pairs of users, each the only contact of the other; in a turn each
// user changes once what he shows. All have changed once before since the
// component was told of them, so that nothing is told of it any more, unless it
// asks, which it does for calls: how often it was told is said.
//
// Calls: two servers beside each other, one with the module and a component
// that relays each stanza as it is; rounds go to one and the other in turn.
//
// Questions: of the pairs in turn, --rate a second; first alone, then with as
// many calls, of each of which the component asks as it begins: propose,
// ringing, retract. (Whole calls would be more than one server takes.) What it
// takes until the answer is read counts, our own delays with it: they are told,
// and what a ping of the server takes at the same time.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { until } from '../e2e/children.mjs';
import { startServer } from '../e2e/server.mjs';
import { jingle, jmi, QUERY, RELAY, stanza, STORE, World }
	from '../module/rule.mjs';

// Erlang's threads spin while they wait for work, which is counted as CPU.
process.env.ERL_FLAGS = '+sbwt none +sbwtdcpu none +sbwtdio none';

const TRICKLES = 10;
const REST = 500;           // ms; what goes on after the answers counts too
const OFFER = readFileSync(new URL('../e2e/data/webrtc.offer.xml',
	import.meta.url), 'utf8').replace(/<\?.*?\?>|<!--[^]*?-->/g, '').trim();

const FEATURES = '<query xmlns=\'http://jabber.org/protocol/disco#info\'>' +
	'<identity category=\'client\' type=\'pc\' name=\'A client\'/>' +
	['urn:xmpp:jingle:1', 'urn:xmpp:ping', 'urn:xmpp:receipts']
		.map((name) => `<feature var='${name}'/>`).join('') + '</query>';

// Prosody leaves Nagle's algorithm on: each step would take 40 ms and no CPU.
const QUICK = {
	prosody: { globalConfig: 'network_settings = { nagle = false }' },
};

// Microseconds that all threads of a process have run; or, as field 1, have
// waited for a processor.
function cpu(pid, field = 0) {
	return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum +
		Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8')
			.split(' ')[field]) / 1000, 0);
}

function median(list) {
	return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}

// The median, and the order statistics that it is between 95 times of 100.
function interval(list) {
	const sorted = [...list].sort((a, b) => a - b);
	const half = 0.98 * Math.sqrt(list.length);
	const at = (x) => sorted[Math.max(0, Math.min(list.length - 1,
		Math.floor(x)))];
	const middle = (list.length - 1) / 2;
	return [median(list), at(middle - half), at(middle + half + 1)];
}

function tell(name, what, used, without, count) {
	const [ratio, low, high] = interval(used.map((us, i) => us / without[i]));
	console.log(`${name}: ${what}: ${median(used).toFixed(1)} us of CPU, ` +
		`without ${median(without).toFixed(1)}: ${ratio.toFixed(3)} times ` +
		`(${low.toFixed(3)} to ${high.toFixed(3)}, ${used.length} times ${
			count})`);
}

// A pair of users on a server, and what they do.
class Bench {
	async open(server, { module } = {}) {
		this.server = server;
		this.world = new World(server);
		this.world.begin();
		if (module)
			await this.relays();
		this.alice = await this.world.user('alice');
		this.bob = await this.world.user('bob');
		for (const user of [this.alice, this.bob])
			user.onStanza = (el) => this.answer(user, el);
		return this;
	}

	answer(user, el) {
		user.inbox.length = user.log.length = 0;
		this.world.dialogue.lines.length = 0;
		if (el.name === 'iq' && el.attrs.type === 'set')
			user.result(el);
		else if (el.name === 'iq' && el.attrs.type === 'get')
			user.result(el, FEATURES);
		user.last?.(el);
	}

	// The component passes everything on.
	async relays() {
		const link = await this.world.connect();
		await this.world.hello();
		const pong = link.onStanza.bind(link);
		link.onStanza = (el) => {
			pong(el);
			link.inbox.length = link.log.length = 0;
			if (!/@/.test(el.attrs.to ?? ''))
				return;
			el.attrs.xmlns = 'jabber:client';
			delete el.attrs['xml:lang'];
			link.send(`<iq type='set' id='r' from='${link.bare}' to='${
				this.server.host}'><relay xmlns='${RELAY}'>${el}` +
				'</relay></iq>');
		};
	}

	// Until `user` gets what `send` made the other one say last.
	until(user, match, send) {
		return new Promise((resolve) => {
			user.last = (el) => match(el) && resolve();
			send();
		});
	}

	// Kept in no archive: what that costs would hide what the module does.
	async chats(count) {
		const { alice, bob } = this;
		await this.until(bob, stanza(`c${count - 1}`), () => {
			for (let i = 0; i < count; i++)
				alice.message(bob.bare, '<body>Some words, neither ' +
					'few nor many, as people write them.</body>' +
				'<no-store xmlns=\'urn:xmpp:hints\'/>',
				{ id: `c${i}` });
		});
	}

	// Asked and answered: what a client does with its contacts' devices.
	async iqs(count) {
		const { alice, bob } = this;
		await this.until(alice, stanza(`q${count - 1}`), () => {
			for (let i = 0; i < count; i++)
				alice.send(`<iq type='get' id='q${i}' to='${bob.jid}'>` +
					'<query xmlns=\'http://jabber.org/protocol/disco' +
					'#info\'/></iq>');
		});
	}

	// Users who are each other's only contact.
	async crowd(count) {
		const { server, world } = this;
		this.pairs = [];
		for (let i = 0; i < count; i++) {
			const names = ['a', 'b'].map((side) => `${side}${i}x`);
			const [a, b] = names.map((name) => world.account(name));
			server.setRoster(a.split('@')[0], [{ jid: b }]);
			server.setRoster(b.split('@')[0], [{ jid: a }]);
			const pair = [];
			for (const name of names) {
				const user = await world.user(name);
				user.onStanza = (el) => this.answer(user, el);
				pair.push(user);
			}
			this.pairs.push(pair);
		}
	}

	// Each user of the crowd once.
	async presences() {
		this.away = !this.away;
		const id = `p${this.round = (this.round ?? 0) + 1}`;
		const shown = `<presence id='${id}'>${this.away
			? '<show>away</show>' : ''}<priority>1</priority></presence>`;
		await Promise.all(this.pairs.flatMap(([a, b]) => [[a, b], [b, a]])
			.map(([from, to]) => this.until(to, (el) =>
				el.name === 'presence' && el.attrs.id === id &&
				el.attrs.from === from.jid, () => from.send(shown))));
		await new Promise((done) => setTimeout(done, REST));
	}

	async call(sid) {
		const { alice, bob } = this;
		const says = (from, to, name) => this.until(to, (el) =>
			el.getChild(name, 'urn:xmpp:jingle-message:0'), () =>
			from.message(to.jid, jmi(name, sid) + STORE));
		const sends = (from, to, action, inner = '') => this.until(from,
			stanza(`${sid}${action}`), () => from.set(to.jid,
				inner || jingle(action, sid, ''), `${sid}${action}`));
		await says(alice, bob, 'propose');
		await says(bob, alice, 'ringing');
		await says(bob, alice, 'proceed');
		await sends(alice, bob, 'session-initiate', OFFER.replace(
			/^<jingle[^>]*>/, `<jingle xmlns='urn:xmpp:jingle:1' ` +
			`action='session-initiate' sid='${sid}'>`));
		await sends(bob, alice, 'session-accept');
		for (let i = 0; i < TRICKLES; i++) {
			await sends(alice, bob, 'transport-info');
			await sends(bob, alice, 'transport-info');
		}
		await sends(alice, bob, 'session-terminate');
		await says(alice, bob, 'finish');
	}

	// CPU of the server for each of `count`, in us.
	async measured(count, work) {
		const before = cpu(this.server.pid);
		await work();
		return (cpu(this.server.pid) - before) / count;
	}

	// Whoever of the crowd hears a word of a call says the next one.
	ring([a, b]) {
		const next = (user, to, from, then) => (el) => {
			const word = el.children?.find((c) => c.attrs?.xmlns ===
				'urn:xmpp:jingle-message:0');
			if (word?.name === from && then)
				user.message(to, jmi(then, word.attrs.id) + STORE);
			else if (word?.name === 'retract')
				this.rung++;
		};
		a.last = next(a, b.bare, 'ringing', 'retract');
		b.last = next(b, a.jid, 'propose', 'ringing');
	}

	// Milliseconds of each answer, at `rate` questions a second, with a call
	// for each or without; and of as many pings of the server itself.
	async questions(count, rate, calls) {
		const { pairs, world } = this;
		const all = [[], []];
		const timed = (list, payload) => {
			const at = performance.now();
			list.push(world.link.iq('get', this.server.host, payload)
				.then(() => performance.now() - at));
		};
		this.rung = 0;
		const start = performance.now();
		for (let i = 0; i < count; i++) {
			const wait = start + i * 1000 / rate - performance.now();
			if (wait > 0)
				await new Promise((done) => setTimeout(done, wait));
			const [a, b] = pairs[i % pairs.length];
			if (calls)
				a.message(b.bare, jmi('propose', `q${start}-${i}`) + STORE);
			timed(all[0], `<facts xmlns='${QUERY}' from='${a.bare}' ` +
				`to='${b.bare}'/>`);
			timed(all[1], '<ping xmlns=\'urn:xmpp:ping\'/>');
		}
		if (calls)
			await until(() => this.rung === count, 'the end of the calls',
				60000);
		return Promise.all(all.map(async (list) =>
			(await Promise.all(list)).sort((x, y) => x - y)));
	}

	async close() {
		await this.world.end();
	}
}

function start(name, dir, options) {
	return startServer(name, { dir, ...QUICK[name],
		unlimited: ['alice1', 'bob1'], ...options });
}

// The module on its only host, there or not.
const switches = {
	prosody: (server, there) => server.shell(
		`module:${there ? 'load' : 'unload'}("privatecall", "localhost")`),
	ejabberd: (server, there) => server.setModule({}, there
		? { localhost: undefined } : {}),
};

// What there is of each kind, and how it is called.
const kinds = {
	chat: (bench, count) => bench.chats(count),
	presence: async (bench, count) => {
		for (let done = 0; done < count; done += 2 * bench.pairs.length)
			await bench.presences();
	},
	iq: (bench, count) => bench.iqs(count),
};

// What the component was told of sessions since the last time.
function told(link) {
	const lists = link.received(/<sessions/).map((el) =>
		el.getChild('sessions', QUERY));
	link.inbox.length = link.log.length = 0;
	return [lists.length, lists.reduce((sum, list) =>
		sum + list.children.length, 0)];
}

async function measureTraffic(name, dir, { turns, count, pairs, traffic }) {
	const crowd = [...Array(pairs).keys()].flatMap((i) =>
		[`a${i}x1`, `b${i}x1`]);
	const server = await start(name, dir, { module: {},
		unlimited: ['alice1', 'bob1', ...crowd] });
	const bench = await new Bench().open(server);
	const link = await bench.world.connect();
	await bench.chats(4000);               // warm
	if (traffic.includes('presence'))
		await bench.crowd(pairs);
	let loaded = true;
	const block = async (kind, there) => {
		if (there !== loaded)
			await switches[name](server, there);
		// The module's component is there, as it is where calls go.
		if (there && !loaded)
			await bench.world.hello();
		loaded = there;
		await kinds[kind](bench, 100);
		told(link);
		return bench.measured(count, () => kinds[kind](bench, count));
	};
	for (const kind of traffic) {
		const used = { on: [], off: [], again: [] };
		let messages = [0, 0];
		for (let turn = 0; turn < turns; turn++)
			for (const what of turn % 2 ? ['again', 'off', 'on']
				: ['on', 'off', 'again']) {
				used[what].push(await block(kind, what === 'on'));
				if (what === 'on')
					messages = told(link);
			}
		tell(name, `${kind}, with the module`, used.on, used.off, count);
		tell(name, `${kind}, without it once more`, used.again, used.off,
			count);
		console.log(`${name}: ${kind}: ${messages[1]} changes of sessions ` +
			`told in ${messages[0]} messages, the last time`);
	}
	await bench.close();
	await server.stop();
}

async function measureQuestions(name, dir, { questions, rate, pairs }) {
	const server = await start(name, dir, { module: {} });
	const bench = await new Bench().open(server, { module: true });
	await bench.crowd(pairs);
	for (const pair of bench.pairs)
		bench.ring(pair);
	await bench.questions(pairs, rate, true);      // warm
	for (const calls of [false, true]) {
		const delay = monitorEventLoopDelay({ resolution: 1 });
		delay.enable();
		const before = [0, 1].map((field) => cpu(server.pid, field));
		const began = performance.now();
		const lists = await bench.questions(questions, rate, calls);
		const [ran, waited] = before.map((us, field) => ((cpu(server.pid,
			field) - us) / 10 / (performance.now() - began)).toFixed(0));
		const told = lists.map((list) => [0.5, 0.99, 1].map((part) =>
			list[Math.floor(part * (questions - 1))].toFixed(1)));
		console.log(`${name}: ${questions} questions of ${pairs} pairs, ${
			rate} a second, ${calls ? 'a call for each' : 'no calls'}: ` +
			`median, 99 of 100, all: ${told[0].join(', ')} ms; pings of ` +
			`the server meanwhile: ${told[1].join(', ')} ms; it ran ${ran} ` +
			`% of the time and waited for a processor ${waited} %, our own ` +
			`delays ${(delay.percentile(99) / 1e6).toFixed(1)} ms, 99 of ` +
			'100');
		delay.disable();
	}
	await bench.close();
	await server.stop();
}

async function measureCalls(name, dir, { rounds, calls }) {
	const off = await new Bench().open(await start(name, join(dir, 'off')));
	const on = await new Bench().open(await start(name, join(dir, 'on'),
		{ module: {} }), { module: true });
	for (const bench of [off, on])         // warm
		await bench.call('warm');
	const used = { on: [], off: [] };
	for (let round = 0; round < rounds; round++)
		for (const bench of round % 2 ? [on, off] : [off, on])
			used[bench === on ? 'on' : 'off'].push(
				await bench.measured(calls, async () => {
					for (let i = 0; i < calls; i++)
						await bench.call(`s${round}-${i}`);
				}));
	tell(name, 'a call, with the module', used.on, used.off, calls);
	for (const bench of [off, on]) {
		await bench.close();
		await bench.server.stop();
	}
}

const { values } = parseArgs({ options: {
	server: { type: 'string', default: 'ejabberd' },
	rounds: { type: 'string', default: '6' },
	calls: { type: 'string', default: '40' },
	turns: { type: 'string', default: '200' },
	traffic: { type: 'string', default: 'chat,presence,iq' },
	count: { type: 'string', default: '500' },
	pairs: { type: 'string', default: '100' },
	questions: { type: 'string', default: '3000' },
	rate: { type: 'string', default: '100' },
	config: { type: 'string', default: '' },
} });
QUICK.prosody.globalConfig += `\n${values.config}`;
const sizes = Object.fromEntries(['rounds', 'calls', 'turns', 'count', 'pairs',
	'questions', 'rate'].map((name) => [name, Number(values[name])]));
sizes.traffic = values.traffic.split(',');
const dir = mkdtempSync(join(tmpdir(), 'pc-bench-'));
if (sizes.turns)
	await measureTraffic(values.server, join(dir, 'traffic'), sizes);
if (sizes.rounds)
	await measureCalls(values.server, dir, sizes);
if (sizes.questions)
	await measureQuestions(values.server, join(dir, 'questions'), sizes);
rmSync(dir, { recursive: true, force: true });
process.exit();
