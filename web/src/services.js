// services.js: the STUN and TURN servers that the user's server names
// (XEP-0215), as RTCPeerConnection takes them

const STUN = ['stun', 'stuns'];
const TURN = ['turn', 'turns'];

function uri({ type, host, port, transport }) {
	const at = host.includes(':') ? `[${host}]` : host;
	// RFC 7064 knows no transport; one that has it is a syntax error.
	const how = TURN.includes(type) && transport
		? `?transport=${transport}` : '';
	return `${type}:${at}${port ? `:${port}` : ''}${how}`;
}

// services: as the library gives them, [{ type, host, port, transport,
// username, password }]. What a browser would refuse is left out, for it
// refuses all of them then: other services, TURN without credentials.
export function iceServers(services) {
	return services.filter(({ type, host, username, password }) =>
		host && (STUN.includes(type) ||
			TURN.includes(type) && username && password))
		.map((service) => ({ urls: [uri(service)],
			...TURN.includes(service.type) && {
				username: service.username,
				credential: service.password } }));
}
