// aiortc.mjs: a client with aiortc for its media, which is no browser
//
// aiortc (Debian's python3-aiortc 1.4.0) gathers before it describes, so it
// trickles nothing; it wants BUNDLE and rtcp-mux, and restarts no ICE. Its
// XMPP is a Phone's. What it says was recorded (data/aiortc.*.xml); Live has
// aiortc itself (aiortc_end.py), by stdin and stdout.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { NS } from './ns.mjs';
import { CALL_FEATURES, Phone } from './phone.mjs';
import { contentsOf, sdpOf } from './sdp.mjs';

const END = fileURLToPath(new URL('aiortc_end.py', import.meta.url));
// Debian's, whose packages another one would not find.
const PYTHON = '/usr/bin/python3';
const ANSWER_MS = 40000;

export class Aiortc extends Phone {
	static node = 'https://aiortc.readthedocs.io';
	static identity = 'client/pc//aiortc';
	static features = [...CALL_FEATURES, NS.jmi, NS.fb, NS.hdrext, NS.ssma,
		NS.grouping];
	style = 'aiortc';

	async sendTrickle() {
	}
}

// The program, which loads for a second or more.
class Program {
	constructor() {
		this.child = spawn(PYTHON, [END]);
		this.asked = new Map();
		this.said = '';
		this.ended = new Promise((done) => this.child.once('close', done));
		this.child.once('error', (error) => (this.said += error));
		this.child.stderr.on('data', (text) => (this.said += text));
		this.child.stdin.on('error', () => {});
		this.ready = this.answer(0, 'loading');
		createInterface(this.child.stdout).on('line', (line) => {
			const { id, ...answer } = JSON.parse(line);
			this.asked.get(id)(answer);
		});
	}

	async answer(id, what) {
		let late;
		const answer = await Promise.race([
			new Promise((done) => this.asked.set(id, done)),
			this.ended, new Promise((done) => {
				late = setTimeout(done, ANSWER_MS);
			})]);
		clearTimeout(late);
		if (!answer?.error && typeof answer === 'object')
			return answer;
		throw new Error(`aiortc, ${what}: ${answer?.error ??
			'no answer'}\n${this.said}`);
	}

	async ask(what, call, more) {
		const id = this.asked.size;
		const answer = this.answer(id, what);
		this.child.stdin.write(`${JSON.stringify(
			{ id, call: call.sid, do: what, ...more })}\n`);
		return answer;
	}

	kill() {
		this.child.kill('SIGKILL');
	}

	async close() {
		this.child.stdin.end();
		const late = setTimeout(() => this.kill(), 3000);
		await this.ended;
		clearTimeout(late);
	}
}

export class Live extends Aiortc {
	late = 0;

	async login(options) {
		this.program = new Program();
		await this.program.ready;
		return super.login(options);
	}

	async initiate(call) {
		const { sdp } = await this.program.ask('offer', call,
			{ media: call.media, late: this.late });
		call.made = contentsOf(sdp, 'initiator');
		return super.initiate(call);
	}

	async accept(call) {
		const { sdp } = await this.program.ask('answer', call, {
			media: call.media,
			sdp: sdpOf(call.initiate, 'initiator') });
		call.made = contentsOf(sdp, 'responder');
		return super.accept(call);
	}

	offerXml(call) {
		return call.made;
	}

	answerXml(call) {
		return call.made;
	}

	on_session_accept(el, call, j) {
		super.on_session_accept(el, call, j);
		this.later(this.program.ask('accept', call,
			{ sdp: sdpOf(j, 'responder') }));
	}

	// As a page of web/ says it (web/src/stats.js).
	stats(call) {
		return this.program.ask('stats', call);
	}

	// As when its machine loses power: nothing is said.
	kill() {
		this.drop();
		this.program.kill();
	}

	async close() {
		await super.close();
		await this.program?.close();
	}
}

// It has each content on a transport of its own, as Dino has.
export class Apart extends Live {
	offerXml(call) {
		return call.made.replace(/<group .*?<\/group>/, '');
	}
}

// As on a machine that has much to do: what comes before is passed over, and it
// does not ask again for the picture.
export class Late extends Live {
	late = 1;
}
