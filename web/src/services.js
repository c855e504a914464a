// services.js: the STUN and TURN servers that the user's server names
// (XEP-0215), as RTCPeerConnection takes them

const STUN = ['stun', 'stuns'];
const TURN = ['turn', 'turns'];
const HOST = /^[\w.:-]+$/;
const PORT_MAX = 65535;

function uri({ type, host, port, transport }) {
	const at = host.includes(':') ? `[${host}]` : host;
	// RFC 7064 knows no transport; one that has it is a syntax error.
	const how = TURN.includes(type) && transport
		? `?transport=${transport}` : '';
	return `${type}:${at}${port ? `:${port}` : ''}${how}`;
}

function isTaken({ type, host, port, transport, username, password }) {
	if (!HOST.test(host ?? '') || port < 0 || port > PORT_MAX)
		return false;
	return STUN.includes(type) || TURN.includes(type) && username && password
		&& ['udp', 'tcp'].includes(transport || 'udp');
}

// services: as the library gives them, [{ type, host, port, transport,
// username, password }]. What a browser would refuse is left out, for it
// refuses all of them then, and there would be no call: other services, TURN
// without credentials, addresses that are none.
export function iceServers(services) {
	return services.filter(isTaken)
		.map((service) => ({ urls: [uri(service)],
			...TURN.includes(service.type) && {
				username: service.username,
				credential: service.password } }));
}
