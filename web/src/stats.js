// stats.js: what getStats() proves about the media of a call

function pick(report, names) {
	return Object.fromEntries(names.filter((n) => report[n] !== undefined)
		.map((n) => [n, report[n]]));
}

const RTP = {
	'inbound-rtp audio': ['packetsReceived', 'packetsLost',
		'totalAudioEnergy', 'totalSamplesReceived'],
	'inbound-rtp video': ['packetsReceived', 'packetsLost',
		'framesDecoded', 'frameWidth', 'frameHeight'],
	'outbound-rtp audio': ['packetsSent'],
	'outbound-rtp video': ['packetsSent', 'framesEncoded'],
};

// { audio: { in, out }, video: { in, out }, transport }
export async function mediaStats(pc) {
	const reports = [...(await pc.getStats()).values()];
	const byId = new Map(reports.map((r) => [r.id, r]));
	const result = { audio: {}, video: {}, transport: null };
	for (const report of reports) {
		const names = RTP[`${report.type} ${report.kind}`];
		if (names)
			result[report.kind][report.type === 'inbound-rtp'
				? 'in' : 'out'] = { ...pick(report, names),
				...pick(byId.get(report.codecId) ?? {},
					['mimeType', 'payloadType']) };
	}
	const transport = reports.find((r) => r.type === 'transport');
	if (!transport)
		return result;
	const pair = byId.get(transport.selectedCandidatePairId);
	const end = (id) => {
		const c = byId.get(id);
		return c && `${c.candidateType} ${c.address}:${c.port}`;
	};
	const local = pair && byId.get(pair.localCandidateId);
	result.transport = {
		...pick(transport, ['dtlsState', 'tlsVersion', 'srtpCipher',
			'iceState', 'iceLocalUsernameFragment']),
		local: pair && end(pair.localCandidateId),
		remote: pair && end(pair.remoteCandidateId),
		// Between this browser and its TURN server: udp, tcp or tls.
		relayed: local?.relayProtocol,
	};
	return result;
}
