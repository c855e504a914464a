// services.test.js: what a server says of STUN and TURN (XEP-0215), as a
// browser takes it
import { expect, test } from 'vitest';
import { iceServers } from '../src/services.js';

const TURN = { type: 'turn', host: 'turn.example.org', port: 3478,
	transport: 'udp', username: 'until', password: 'right' };

test('STUN has no transport in its address', () => {
	expect(iceServers([{ type: 'stun', host: 'stun.example.org', port: 3478,
		transport: 'udp' }])).toEqual([
		{ urls: ['stun:stun.example.org:3478'] }]);
});

test('TURN has its transport and credentials', () => {
	expect(iceServers([TURN, { ...TURN, type: 'turns', port: 5349,
		transport: 'tcp' }])).toEqual([
		{ urls: ['turn:turn.example.org:3478?transport=udp'],
			username: 'until', credential: 'right' },
		{ urls: ['turns:turn.example.org:5349?transport=tcp'],
			username: 'until', credential: 'right' }]);
});

test('an IPv6 address has brackets, a port may be missing', () => {
	expect(iceServers([{ type: 'stun', host: '2001:db8::1' }]))
		.toEqual([{ urls: ['stun:[2001:db8::1]'] }]);
});

test('what a browser would refuse is left out', () => {
	expect(iceServers([{ ...TURN, username: undefined },
		{ ...TURN, password: undefined }, { ...TURN, host: undefined },
		{ ...TURN, type: 'ftp' }, { ...TURN, transport: 'tls' },
		{ ...TURN, port: 65536 }, { ...TURN, port: -1 },
		{ ...TURN, host: 'turn.example.org?transport=udp' },
		{ ...TURN, host: 'a b' }])).toEqual([]);
});
