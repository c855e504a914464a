// follow.mjs: the daemon's log in plain words, while it is written

import { closeSync, openSync, readSync } from 'node:fs';

const POLL_MS = 200;
const ROOM_MS = 2 * 60 * 60 * 1000;    // room_lifetime, as it is by default

// key=value pairs of one line; a value with blanks is quoted.
export function parseLine(line) {
	const found = line.matchAll(/([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)/g);
	return Object.fromEntries([...found].map(([, key, value]) => [key,
		value.startsWith('"') ? unquote(value.slice(1, -1)) : value]));
}

function unquote(text) {
	return text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (all, hex, plain) =>
		(hex ? String.fromCharCode(parseInt(hex, 16)) : plain));
}

// Hands each complete new line of `file` to `line_h`. Returns a function that
// reads what is left and ends it.
export function followLines(file, line_h) {
	const fd = openSync(file, 'r');
	const part = Buffer.alloc(65536);
	let rest = '';
	const look = () => {
		for (;;) {
			const n = readSync(fd, part, 0, part.length, null);
			if (!n)
				return;
			const lines = (rest + part.toString('latin1', 0, n))
				.split('\n');
			rest = lines.pop();
			lines.forEach((line) => line_h(line));
		}
	};
	const timer = setInterval(look, POLL_MS);
	return () => {
		clearInterval(timer);
		look();
		closeSync(fd);
	};
}

// Of an attempt that rang or was refused; {a} called {b}. What the callee is
// told follows product.md's table of refusals.
const MISSED = '{b} gets a notice of the missed call';
const RESULTS = {
	'declined': '{b} declined the call of {a}',
	'unanswered': `{b} did not answer; ${MISSED}`,
	'cancelled': `{a} gave up before {b} answered; ${MISSED}`,
	'not-active': `{a} calls {b}, who is not active: refused at once; ` +
		MISSED,
	'dnd': '{a} calls {b}, who does not want to be disturbed: refused at ' +
		`once; ${MISSED}`,
	'busy': `{a} calls {b}, who is in another call; ${MISSED}`,
	'unknown-user': '{a} calls {b}, whom nobody here knows: refused as if ' +
		'not active',
	'blocked': '{a} calls {b}, one has blocked the other: refused as if ' +
		'not active',
	'privacy': '{a} may not call {b}: "Action not allowed."',
	'needs-messaging': '{a} may not call {b}: "Action not allowed."',
	'switch-off': 'private calls are turned off: {a} does not reach {b}',
	'no-video': '{a} may not make video calls here',
	'limit': '{a} calls too often, and is asked to wait a minute',
	'self': '{a} cannot call {a}',
	'remote': 'calls to other servers are off: {a} does not reach {b}',
	'no-codec': 'the devices of {a} and {b} have no common audio format',
	'draining': 'the component takes no new calls now: {a} does not ' +
		'reach {b}',
	'no-capacity': 'the component has no room for the call of {a} to {b}',
	'restart': `the restart ended the ringing of {a} at {b}; ${MISSED}`,
	'caller-gone': `{a} went offline while {b} was rung; ${MISSED}`,
	'glare': '{a} and {b} called each other at once: one call is made ' +
		'of both',
	'ended-by-admin': 'the administrator ended the call of {a} to {b}',
	'failed': 'the call of {a} and {b} could not be connected ({reason})',
};

function nameOf(jid = '?') {
	const [name, host] = jid.split('@');
	return !host || host === 'localhost' ? name : jid;
}

function hourMinute(ms) {
	const date = new Date(ms);
	return [date.getHours(), date.getMinutes()].map((n) =>
		String(n).padStart(2, '0')).join(':');
}

function duration(seconds) {
	const minutes = Math.floor(seconds / 60);
	return minutes ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

// Turns one line of the log after the other into a sentence, or into null when
// there is nothing to say.
export class Teller {
	#answered = new Map();         // call id: first answer, wall ms
	#told = new Set();             // calls whose way back was told of

	tell(line) {
		const event = parseLine(line);
		if (!event.msg)
			return null;
		const say = this[`on_${event.msg.replace(/\W/g, '_')}`];
		if (say)
			return say.call(this, event, { a: nameOf(event.caller),
				b: nameOf(event.callee) });
		return this.#other(event);
	}

	// What has no sentence of its own matters when it is a warning.
	#other({ level, msg, why }) {
		if (level !== 'error' && level !== 'warn')
			return null;
		return (level === 'error' ? 'ALARM: ' : '') + msg +
			(why ? ` (${why})` : '');
	}

	// "12:30" of a call that has been answered once.
	#until(call) {
		const first = this.#answered.get(call);
		return first ? ` until ${hourMinute(first + ROOM_MS)}` : '';
	}

	on_started({ version }) {
		return `the component runs, version ${version}`;
	}

	on_connected_to_the_server({ domain }) {
		return `the component is connected to the server as ${domain}`;
	}

	on_stopping() {
		return 'the component stops';
	}

	on_ringing({ round, media }, { a, b }) {
		const call = media === 'video' ? ' with video' : '';
		return (round > 1 ? `${a} comes back to the call with ${b}`
			: `${a} calls ${b}`) + `${call}: ${b}'s devices ring`;
	}

	on_setup({ call, time }, { b }) {
		if (!this.#answered.has(call))
			this.#answered.set(call, Date.parse(time));
		return `${b} answered, the call is being set up`;
	}

	on_up(event, { a, b }) {
		return `${a} and ${b} are connected`;
	}

	on_ended({ call, result, reason, seconds }, { a, b }) {
		if (result === 'answered') {
			this.#told.add(call);
			return `the call of ${a} and ${b} ended after ` +
				`${duration(Number(seconds))} (${reason}); ` +
				`both can come back${this.#until(call)}`;
		}
		return (RESULTS[result] ??
			`the call of {a} to {b} ended: ${result} ({reason})`)
			.replace(/\{a\}/g, a).replace(/\{b\}/g, b)
			.replace(/\{reason\}/g, reason);
	}

	on_can_be_re_entered({ call }, { a, b }) {
		if (this.#told.has(call))
			return null;
		this.#told.add(call);
		return `${a} and ${b} can come back to their call` +
			this.#until(call);
	}
}

// How many notices wait for their readers, asked now and then: a sentence when
// that has changed, else null. One that is delivered at once is not told of.
export class Waiting {
	#told = 0;
	#before = 0;

	tell(count) {
		const settled = count === this.#before;
		this.#before = count;
		if (!settled || count === this.#told)
			return null;
		this.#told = count;
		if (!count)
			return 'no notice waits any more';
		return count === 1 ? 'a notice waits until its reader is online'
			: `${count} notices wait until their readers are online`;
	}
}
