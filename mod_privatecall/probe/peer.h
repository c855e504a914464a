/* peer.h: users of a media server, as many as wanted, in one thread: each a
 * socket, an ICE agent, DTLS and SRTP of ours, that sends RTP at a steady rate
 * and judges what comes: opened by its keys, every byte as the other one of its
 * call sent it, how long it was on its way, how many are missing. Once a second
 * it reports by RTCP what it has sent and heard (SR, RFC 3550, 6.4.1).
 *
 *     peers_open()
 *       for each: peer_ice() and peer_dtls(), as signalling says,
 *                 or peer_fixed(): keys that everybody has, and no ICE
 *     peers_turn() until all peer_ready()
 *     peers_send(), peers_turn() for as long as wanted, peers_stop()
 *
 * Peers 2n and 2n + 1 have call n. The packets of all peers are spread evenly
 * over time, none waits for another, or the bursts of all are, as of pictures.
 * For privatecall-probe, and the benchmark tests/bench/media.c.
 */
#ifndef MOD_PRIVATECALL_PROBE_PEER_H
#define MOD_PRIVATECALL_PROBE_PEER_H

#include <netinet/in.h>
#include "jingle/media/dtls_srtp.h"
#include "jingle/media/ice.h"
#include "jingle/media/srtp.h"

#define PEER_PACKET_MAX 1500
#define PEER_LATENCY_US 65536      /* longer ones are counted as that */
#define PEER_PATTERN 1500          /* bytes of payload that repeat */
#define PEER_BURST_MAX 16

enum peer_kind { PEER_AUDIO, PEER_VIDEO, PEER_KINDS };

struct peer {
	int fd;
	struct addr addr;          /* own */
	struct addr to;            /* the server, or who else is there */
	bool ice;
	struct ice_agent agent;
	struct ice_config config;
	uint16_t channel;          /* of TURN, that all of his goes through;
				      0: none does */
	int64_t deadline;          /* ms, of ICE and DTLS */
	const char *fault;         /* of its DTLS; NULL: none so far */
	int64_t ahead;             /* ms of its clock for ICE, so that peers
				      do not check us all at once */
	struct dtls_srtp *dtls;
	unsigned profile;          /* of SRTP, once it is known */
	struct srtp *in, *out;
	struct peer *other;        /* of the same call */
	uint16_t seq[PEER_KINDS];
	bool sends;
	int64_t since;             /* ns: what it sent before is not counted */
	int64_t heard;             /* ns: when the other was, last */
	uint64_t sent[PEER_KINDS], got[PEER_KINDS];
	uint64_t wrong;            /* not opened, or not as sent */
	/* Of the other's streams, as they come: for reports. */
	uint32_t heard_ssrc[PEER_KINDS];
	uint32_t heard_seq[PEER_KINDS];    /* with cycles */
	uint32_t heard_sr;         /* LSR */
	int64_t heard_sr_at;       /* ns */
	uint64_t octets[PEER_KINDS];       /* of payload, sent */
	uint64_t reports_sent, reports_got;        /* SRs */
	unsigned char pattern[PEER_PATTERN];
};

struct peer_flow {                 /* one kind of media, of all peers */
	size_t size;               /* bytes of an RTP packet, before SRTP */
	unsigned rate;             /* packets of a peer in a second; 0: none */
	unsigned burst;            /* packets of a peer at once, 1 */
	bool uneven;               /* the second half of those is a byte
				      longer */
	bool merged;               /* those in one send (UDP_SEGMENT), as they
				      come from a network card that gathers */
	uint64_t most;             /* of one peer; 0: no end */
	uint8_t type;              /* payload type that is sent */
	uint8_t seen;              /* and that the other gets */
	int64_t began;             /* ns */
	uint64_t n;                /* packets, of all peers */
};

struct peers {
	int epoll;
	unsigned n;
	struct peer *list;
	struct dtls_identity *id;
	struct peer_flow flow[PEER_KINDS];
	bool sends;                /* those who do */
	bool waits;                /* sleeps until a packet is due: saves CPU,
				      and a packet may be late by its waking */
	bool other_ssrc;           /* the server puts in SSRCs of its own */
	bool timed;                /* latency is counted */
	int64_t report_began;      /* ns */
	uint64_t report_n;         /* compound packets, of all peers */
	int64_t tick;              /* ns, when deadlines are looked at next */
	uint32_t latency[PEER_LATENCY_US];
	/* Something of peers_watch() is to be read. */
	void (*ready_h)(void *arg);
	void *arg;
};

int64_t peers_now(void);           /* monotonic ns */

/* `n` peers with sockets at that address of this host, or ends the process
 * with a line. At 0.0.0.0 or :: each has yet to be told its `addr`. */
void peers_open(struct peers *ps, unsigned n, const char *ip);
void peers_close(struct peers *ps);
/* Calls `ready_h` when `fd` is readable. */
void peers_watch(struct peers *ps, int fd, void (*ready_h)(void *arg),
		 void *arg);

/* His side of ICE: agent.current has his credentials from then on. */
void peer_ice(struct peer *p, bool controlling);
/* And the other end, with its first candidate (NULL: none yet), and more. */
void peer_remote(struct peer *p, const char *ufrag, const char *pwd,
		 const struct addr *addr, uint32_t priority);
void peer_candidate(struct peer *p, const struct addr *addr,
		    uint32_t priority);
void peer_dtls(struct peers *ps, struct peer *p, bool active,
	       const char *hash, const unsigned char *value, size_t len);
/* Neither ICE nor DTLS: SRTP with keys that are the same for all. */
void peer_fixed(struct peer *p, enum srtp_profile profile,
		const struct addr *to);
extern const unsigned char peer_key[SRTP_KEY_MAX], peer_salt[SRTP_SALT_MAX];
/* Can it send and open? */
bool peer_ready(const struct peer *p);

/* From now on the flows are sent, by all, or by those who are told so. Counts
 * go on. */
void peers_send(struct peers *ps);
void peers_begin(struct peers *ps);
void peers_stop(struct peers *ps);
/* Counts from now on what is sent from now on: for both of a call. */
void peer_count(struct peer *p);
/* Sends what is due, takes what came; waits for either, 5 ms at most. */
void peers_turn(struct peers *ps);
/* `each` RTP packets of each peer, at once: in turn, or a burst of each. */
void peers_burst(struct peers *ps, enum peer_kind kind, unsigned each);

struct peer_sum {
	uint64_t sent, got, wrong;
	uint64_t reports_sent, reports_got;
};
struct peer_sum peers_sum(const struct peers *ps);
void peer_add(const struct peer *p, struct peer_sum *sum);
/* The `share` (0 to 1) of packets took at most so many us. */
unsigned peers_latency(const struct peers *ps, double share);

/* Says it and ends the process. */
_Noreturn void peers_die(const char *what);

#endif
