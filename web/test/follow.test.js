// follow.test.js: what ./quickstart says of the daemon's log
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { followLines, parseLine, Teller, Waiting }
	from '../../tests/e2e/follow.mjs';

const PAIR = 'caller=alice@localhost callee=bob@localhost';
let teller;

beforeEach(() => {
	process.env.TZ = 'UTC';
	teller = new Teller();
});

function line(rest, { time = '10:30:00', level = 'info' } = {}) {
	return `time=2026-01-01T${time}.000Z level=${level} ${rest}`;
}

function stage(msg, { call = 'c1', round = 1, media = 'audio', ...at } = {}) {
	return teller.tell(line(`msg=${msg} call=${call} round=${round} ` +
		`${PAIR} media=${media}`, at));
}

function ended(result, reason, { call = 'c1', seconds = 0, ...at } = {}) {
	return teller.tell(line(`msg=ended call=${call} result=${result} ` +
		`reason=${reason} seconds=${seconds} ${PAIR}`, at));
}

test('a line is read with its quotes and escapes', () => {
	expect(parseLine('level=warn msg="a \\"b\\" \\x1b\\\\" why=x'))
		.toEqual({ level: 'warn', msg: 'a "b" \x1b\\', why: 'x' });
	expect(parseLine('no pairs here')).toEqual({});
});

test('a call from its ringing to its end, and back', () => {
	expect(stage('ringing')).toBe('alice calls bob: bob\'s devices ring');
	expect(stage('setup')).toBe('bob answered, the call is being set up');
	expect(stage('up')).toBe('alice and bob are connected');
	expect(ended('answered', 'success', { seconds: 2 })).toBe('the call ' +
		'of alice and bob ended after 2 s (success); both can come ' +
		'back until 12:30');
	expect(stage('"can be re-entered"')).toBe(null);
	expect(stage('ringing', { round: 2 })).toBe('alice comes back to the ' +
		'call with bob: bob\'s devices ring');
	stage('setup', { round: 2, time: '11:00:00' });
	expect(ended('answered', 'success', { seconds: 125 })).toBe('the call ' +
		'of alice and bob ended after 2 min 5 s (success); both can ' +
		'come back until 12:30');
});

test('video is said', () => {
	expect(stage('ringing', { media: 'video' })).toBe('alice calls bob ' +
		'with video: bob\'s devices ring');
});

test('calls that come to nothing say why, and who is told', () => {
	expect(ended('unanswered', 'timeout')).toBe('bob did not answer; bob ' +
		'gets a notice of the missed call');
	expect(ended('declined', 'decline')).toBe(
		'bob declined the call of alice');
	expect(ended('cancelled', 'cancel')).toBe('alice gave up before bob ' +
		'answered; bob gets a notice of the missed call');
	expect(ended('not-active', 'gone')).toMatch(
		/^alice calls bob, who is not active: refused at once; /);
	expect(ended('failed', 'connectivity-error')).toBe('the call of alice ' +
		'and bob could not be connected (connectivity-error)');
	expect(ended('of-tomorrow', 'gone')).toBe(
		'the call of alice to bob ended: of-tomorrow (gone)');
});

test('after a restart the way back is told, without a time not known', () => {
	expect(stage('"can be re-entered"')).toBe(
		'alice and bob can come back to their call');
	expect(stage('"can be re-entered"')).toBe(null);
});

test('the component itself: connected, lost, its database', () => {
	expect(teller.tell(line('msg=started version=0.1.0'))).toBe(
		'the component runs, version 0.1.0');
	expect(teller.tell(line('msg="connected to the server" ' +
		'domain=calls.localhost'))).toBe('the component is connected ' +
		'to the server as calls.localhost');
	expect(teller.tell(line('msg="the server\'s connection is lost; ' +
		'running calls go on" why="end of file"', { level: 'warn' })))
		.toBe('the server\'s connection is lost; running calls go on ' +
			'(end of file)');
	expect(teller.tell(line('msg="the database does not take writes; ' +
		'calls go on" why="No space left on device"',
	{ level: 'error' }))).toBe('ALARM: the database does not take ' +
		'writes; calls go on (No space left on device)');
});

test('what is no event is passed over', () => {
	for (const text of ['', 'a line of another program',
		line('msg=restored calls=0 unreadable=0'),
		line('msg=constructor')])
		expect(teller.tell(text)).toBe(null);
});

test('users of other servers keep their whole address', () => {
	expect(teller.tell(line('msg=up call=c1 caller=alice@localhost ' +
		'callee=bob@example.org'))).toBe(
		'alice and bob@example.org are connected');
});

test('a notice that stays is told of once, one that goes at once is not',
	() => {
		const waiting = new Waiting();
		const said = [0, 1, 0, 0, 1, 1, 1, 2, 2, 0, 0].map(
			(n) => waiting.tell(n)).filter(Boolean);
		expect(said).toEqual(['a notice waits until its reader is online',
			'2 notices wait until their readers are online',
			'no notice waits any more']);
	});

test('a file is followed line by line, half lines wait for their end',
	async () => {
		const dir = mkdtempSync(join(tmpdir(), 'follow-'));
		const file = join(dir, 'log');
		const got = [];
		writeFileSync(file, 'one\ntw');
		const end = followLines(file, (text) => got.push(text));
		await expect.poll(() => got).toEqual(['one']);
		appendFileSync(file, 'o\nthree\nfour');
		await expect.poll(() => got).toEqual(['one', 'two', 'three']);
		appendFileSync(file, '\n');
		end();
		expect(got).toEqual(['one', 'two', 'three', 'four']);
		rmSync(dir, { recursive: true });
	});
