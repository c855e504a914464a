// module.mjs: what the server's module costs the server: CPU of chat that is
// no call, and of a call, with the module and without, in one run; and how long
// the one question about two users takes
//
// node tests/bench/module.mjs [--server ejabberd] [--rounds 6] [--chats 4000]
//                             [--calls 40] [--questions 1000]
//   BUILD_DIR, PROSODY, EJABBERD as for tests/e2e (see lib.sh there)
//
// Two servers beside each other, one with the module and a component that
// relays each stanza as it is; rounds go to one and the other in turn. What is
// told is the median of the rounds, and of the ratios of neighboring rounds.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startServer } from '../e2e/server.mjs';
import { jingle, jmi, QUERY, RELAY, stanza, STORE, World }
	from '../module/rule.mjs';

// Erlang's threads spin while they wait for work, which is counted as CPU.
process.env.ERL_FLAGS = '+sbwt none +sbwtdcpu none +sbwtdio none';

const TRICKLES = 10;
const OFFER = readFileSync(new URL('../e2e/data/webrtc.offer.xml',
	import.meta.url), 'utf8').replace(/<\?.*?\?>|<!--[^]*?-->/g, '').trim();

// Prosody leaves Nagle's algorithm on: each step would take 40 ms and no CPU.
const QUICK = {
	prosody: { globalConfig: 'network_settings = { nagle = false }' },
};

// Microseconds that all threads of a process have run.
function cpu(pid) {
	return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum +
		Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8')
			.split(' ')[0]) / 1000, 0);
}

function median(list) {
	return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}

// A pair of users on a server, and what they do.
class Bench {
	async open(name, dir, module) {
		this.server = await startServer(name, { dir, module, ...QUICK[name],
			unlimited: ['alice1', 'bob1'] });
		this.world = new World(this.server);
		this.world.begin();
		if (module)
			await this.relays();
		this.alice = await this.world.user('alice');
		this.bob = await this.world.user('bob');
		for (const user of [this.alice, this.bob])
			user.onStanza = (el) => this.answer(user, el);
		this.used = { chat: [], call: [] };
		return this;
	}

	answer(user, el) {
		user.inbox.length = user.log.length = 0;
		this.world.dialogue.lines.length = 0;
		if (el.name === 'iq' && el.attrs.type === 'set')
			user.result(el);
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

	async measured(what, count, work) {
		const before = cpu(this.server.pid);
		await work();
		this.used[what].push((cpu(this.server.pid) - before) / count);
	}

	// Milliseconds of each answer, at 100 questions a second.
	async questions(count) {
		const { alice, bob, world } = this;
		const all = [];
		const start = performance.now();
		for (let i = 0; i < count; i++) {
			const wait = start + i * 10 - performance.now();
			if (wait > 0)
				await new Promise((done) => setTimeout(done, wait));
			const at = performance.now();
			all.push(world.link.iq('get', this.server.host,
				`<facts xmlns='${QUERY}' from='${alice.bare}' ` +
				`to='${bob.bare}'/>`).then(() => performance.now() - at));
		}
		return (await Promise.all(all)).sort((a, b) => a - b);
	}

	async close() {
		await this.world.end();
		await this.server.stop();
	}
}

async function main({ server, rounds, chats, calls, questions }) {
	const dir = mkdtempSync(join(tmpdir(), 'pc-bench-'));
	const off = await new Bench().open(server, join(dir, 'off'));
	const on = await new Bench().open(server, join(dir, 'on'), {});
	for (const bench of [off, on]) {       // warm
		await bench.chats(chats);
		await bench.call('warm');
	}
	// Chat first: it is not to pay for what calls leave to be collected.
	const both = (round) => round % 2 ? [on, off] : [off, on];
	for (let round = 0; round < rounds; round++)
		for (const bench of both(round))
			await bench.measured('chat', chats, () => bench.chats(chats));
	for (let round = 0; round < rounds; round++)
		for (const bench of both(round))
			await bench.measured('call', calls, async () => {
				for (let i = 0; i < calls; i++)
					await bench.call(`s${round}-${i}`);
			});
	for (const what of ['chat', 'call']) {
		const [a, b] = [off, on].map((bench) => bench.used[what]);
		const ratio = median(b.map((used, i) => used / a[i]));
		console.log(`${server}: a ${what} ${median(a).toFixed(1)} us of ` +
			`CPU without the module, ${median(b).toFixed(1)} with it: ` +
			`${ratio.toFixed(3)} times`);
	}
	const sorted = await on.questions(questions);
	const at = (part) => sorted[Math.floor(part * (questions - 1))].toFixed(2);
	console.log(`${server}: ${questions} questions, 100 a second: median ${
		at(0.5)} ms, 99 of 100 within ${at(0.99)} ms, all ${at(1)}`);
	await off.close();
	await on.close();
	rmSync(dir, { recursive: true, force: true });
}

const { values } = parseArgs({ options: {
	server: { type: 'string', default: 'ejabberd' },
	rounds: { type: 'string', default: '6' },
	chats: { type: 'string', default: '4000' },
	calls: { type: 'string', default: '40' },
	questions: { type: 'string', default: '1000' },
} });
await main({ ...values, ...Object.fromEntries(['rounds', 'chats', 'calls',
	'questions'].map((name) => [name, Number(values[name])])) });
process.exit();
