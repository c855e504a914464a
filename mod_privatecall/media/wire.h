/* wire.h: what privatecalld (control) and privatecall-media (media) say to each
 * other: plain structs over a unix socket of the kind SOCK_SEQPACKET, one
 * packet for each message, in the byte order of the machine that both run on.
 *
 *     control                                     media
 *       | HELLO                                     |  who I am
 *       |                                   WELCOME |  our candidates, limits
 *       | LIST                                      |
 *       |                           CALL*    LISTED |  a CALL per transport
 *       | OPEN(call, transport, mode)               |  makes two ICE agents
 *       |     READY(our credentials, fingerprint) * |  or REFUSED(why)
 *       | REMOTE, CANDIDATE*, END  (of one side)    |
 *       | SECURITY(his fingerprint, our role) *     |  mode `room`
 *       | MAP(numbers of what he sends)             |
 *       | JOIN(side, another transport)             |
 *       |              STEP(side, CHECKED) and so on|  each once
 *       |              TROUBLE(side, why DTLS fails)|
 *       | CLOSE(call, round)                        |
 *       |                   CLOSED(round, counters) |
 *
 * Media listens, control connects, and connects again. A new control that says
 * HELLO takes the place of the one before; the same one says it every few
 * seconds, to see that media is not hung. When control is gone the calls go
 * on: it LISTs when it is back, OPENs again what it knows (OPEN of what is open
 * is answered with READY and changes nothing), and CLOSEs the rest.
 *
 * A call is named by its UUID, its ICE transports are numbered by control from
 * 0, as the contents of a session until they are bundled. Towards the caller
 * media is controlled, towards the callee it controls (RFC 8445, 6.1.1).
 *
 * In mode `blind` DTLS and SRTP are the clients' own; in mode `room` they end
 * in media, once for each side. No key passes here in either. What is secret is
 * an ICE password, so neither side logs a message.
 *
 * A message that is not one of these, in this form, closes the connection, with
 * a line in the log of the one who saw it.
 */
#ifndef MOD_PRIVATECALL_MEDIA_WIRE_H
#define MOD_PRIVATECALL_MEDIA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "jingle/media/addr.h"
#include "jingle/media/ice.h"
#include "jingle/media/rewrite.h"

#define WIRE_VERSION 4
#define WIRE_TRANSPORTS_MAX 8      /* of a call; numbers 0 to 7 */
#define WIRE_CALL_SIZE 37          /* a UUID's text and NUL */
#define WIRE_RELEASE_SIZE 32       /* "0.1.0" and NUL */
#define WIRE_UFRAG_SIZE (ICE_UFRAG_MAX + 1)
#define WIRE_PWD_SIZE (ICE_PWD_MAX + 1)
#define WIRE_HASH_SIZE 16          /* "sha-256" and NUL */
#define WIRE_HASH_MAX 64           /* bytes of the longest, SHA-512 */
#define WIRE_TROUBLE_SIZE 96       /* a reason and NUL */
#define WIRE_SOCKET "/run/privatecall-media/media.sock"

enum wire_kind {
	WIRE_NOTHING,
	/* From control. */
	WIRE_HELLO,                /* hello */
	WIRE_OPEN,                 /* call, transport, open */
	WIRE_REMOTE,               /* call, transport, side, remote: his
				      credentials; others than before: he
				      restarts */
	WIRE_CANDIDATE,            /* call, transport, side, candidate */
	WIRE_END,                  /* call, transport, side: no more of them */
	WIRE_SECURITY,             /* call, transport, side, security: of mode
				      `room`; once known it may be said again,
				      but not changed */
	WIRE_MAP,                  /* call, transport, side, map: `room`: the
				      numbers of what he sends, and as the
				      other side knows them; without one
				      nothing of his passes */
	WIRE_JOIN,                 /* call, transport, side, join: `room`: he
				      has media apart that the other has on
				      one transport, `home`: what he sends
				      here goes on with the numbers of that,
				      and of what comes to him there these
				      media go here; until it is dropped or
				      he comes anew */
	WIRE_RENEW,                /* call, transport, side, renew: `room`: he
				      comes back, or on another device: ICE
				      and DTLS towards him begin anew, his
				      media go on from where they were for
				      the other side; answered by
				      CREDENTIALS */
	WIRE_RESTART,              /* call, transport, side: we restart;
				      answered by CREDENTIALS */
	WIRE_DROP,                 /* call, transport: not needed any more */
	WIRE_CLOSE,                /* call, close; answered by CLOSED, always */
	WIRE_LIST,                 /* answered by CALL for each, and LISTED */
	/* From media. */
	WIRE_WELCOME,              /* welcome; unasked when it drains */
	WIRE_READY,                /* call, transport, ready */
	WIRE_REFUSED,              /* call, transport, refused: to OPEN */
	WIRE_CREDENTIALS,          /* call, transport, side, credentials: ours
				      are new, as he or we restarted */
	WIRE_STEP,                 /* call, transport, side, step */
	WIRE_TROUBLE,              /* call, transport, side, trouble: `room`:
				      his handshake may not end */
	WIRE_CALL,                 /* call, transport, listed */
	WIRE_LISTED,
	WIRE_CLOSED,               /* call, closed */
	WIRE_KINDS
};

enum wire_side { WIRE_CALLER, WIRE_CALLEE, WIRE_SIDES };

/* What a leg has come to. Each is said once for each transport and side;
 * those marked * once in a row, as CONNECTED, LOST, CONNECTED. */
enum wire_step {
	WIRE_CHECKED,              /* the first authentic check from him */
	WIRE_CONNECTED,            /* * a pair is valid: both ways are open */
	WIRE_LOST,                 /* * his consent ended: nothing is sent */
	WIRE_FAILED,               /* * no pair became valid; it still may */
	WIRE_DTLS,                 /* the first handshake record from him */
	WIRE_MEDIA,                /* the first SRTP or SRTCP from him (`room`:
				      that is authentic) */
	WIRE_SECURE,               /* `room`: the handshake is done, with the
				      certificate of his fingerprint */
	WIRE_INSECURE,             /* `room`: with another one: nothing is
				      sent to him */
	WIRE_STEPS
};

enum wire_why {
	WIRE_FULL,                 /* no place for another call */
	WIRE_DRAINING,             /* media is about to end */
	WIRE_NO_MEMORY,
	WIRE_WHYS
};

/* Datagrams of a call that did not get through. */
enum wire_drop {
	WIRE_NOT_VALIDATED,        /* from an address of his without a check in
				      the last 30 s */
	WIRE_OTHER_KIND,           /* neither STUN, DTLS nor SRTP */
	WIRE_NOBODY,               /* the other leg has no valid pair */
	WIRE_TOO_EARLY,            /* of the first handshake: over what is kept
				      for the other leg, or for too long */
	/* mode `room` */
	WIRE_NO_KEYS,              /* before the handshake of either side */
	WIRE_NOT_AUTHENTIC,        /* SRTP that is not of his keys */
	WIRE_REPLAYED,             /* SRTP that was here before, or too old */
	WIRE_NOT_RTP,              /* neither RTP nor RTCP */
	WIRE_NOT_MAPPED,           /* numbers that the other side was not told
				      of, or of before he came back */
	WIRE_DROPS
};

enum wire_mode { WIRE_BLIND, WIRE_ROOM, WIRE_MODES };

struct wire_hello {
	char release[WIRE_RELEASE_SIZE];
};

struct wire_welcome {
	char release[WIRE_RELEASE_SIZE];
	uint32_t calls, most_calls;
	uint32_t draining;         /* 1: takes no more calls */
	uint32_t offers;           /* of offer[]; the same for all agents */
	struct ice_offer offer[ICE_OFFERS_MAX];
};

struct wire_open {
	uint32_t mode;             /* enum wire_mode, of all its transports */
};

/* Of a certificate (RFC 8122, 5). */
struct wire_fingerprint {
	char hash[WIRE_HASH_SIZE];         /* lower case, "sha-256" */
	uint32_t len;                      /* of value; 0: there is none */
	unsigned char value[WIRE_HASH_MAX];
};

struct wire_security {
	struct wire_fingerprint fingerprint;       /* of his certificate */
	uint32_t active;                   /* 1: we begin (RFC 4145: our role
					      is `active`), 0: he does */
};

struct wire_join {
	uint32_t home;                     /* a transport's number */
	uint32_t media;                    /* enum rewrite_media */
};

struct wire_renew {
	uint32_t controlling;      /* 1: the session is ours to begin (RFC 8445,
				      6.1.1), 0: his */
};

struct wire_remote {
	char ufrag[WIRE_UFRAG_SIZE];
	char pwd[WIRE_PWD_SIZE];
};

/* Of UDP; what is no address (names, .local) or of another protocol control
 * leaves out. */
struct wire_candidate {
	char ufrag[WIRE_UFRAG_SIZE];       /* empty: not said */
	struct addr addr;
	uint32_t component;
	uint32_t priority;
	uint32_t type;                     /* enum ice_type */
};

struct wire_credentials {
	char ufrag[ICE_OUR_UFRAG_SIZE];
	char pwd[ICE_OUR_PWD_SIZE];
};

struct wire_ready {                        /* ours towards each side */
	struct wire_credentials side[WIRE_SIDES];
	struct wire_fingerprint fingerprint;       /* `room`: of ours */
};

struct wire_refused {
	uint32_t why;                      /* enum wire_why */
};

struct wire_said {
	uint32_t step;                     /* enum wire_step */
};

/* What libssl says of a message that it did not take, or his last alert, which
 * anybody may have sent. */
struct wire_trouble {
	char text[WIRE_TROUBLE_SIZE];
};

struct wire_close {
	uint32_t round;            /* comes back with CLOSED; 0: none */
};

/* Of DTLS and SRTP; STUN is not counted. */
struct wire_traffic {
	uint64_t in_packets, in_bytes;     /* from him, accepted */
	uint64_t out_packets, out_bytes;   /* to him */
};

struct wire_leg {
	uint32_t state;                    /* enum ice_state */
	uint32_t steps;                    /* said, bit 1 << step */
	struct wire_traffic traffic;
};

struct wire_listed {
	struct wire_leg side[WIRE_SIDES];
};

/* `room`: how media went from him to us and from us to him, all streams
 * together. */
struct wire_quality {
	uint64_t missing;          /* packets of his that did not come */
	uint64_t lost;             /* that did not come to him, as he reports;
				      with those missing of the other's */
	uint32_t reports, jitter;  /* his; jitter: their mean, in us */
	uint32_t trips, trip;      /* measured; trip: their mean, in ms */
};

/* Of all transports together, also of those dropped. */
struct wire_closed {
	struct wire_traffic side[WIRE_SIDES];
	struct wire_quality quality[WIRE_SIDES];
	uint64_t dropped[WIRE_DROPS];
	uint64_t rewritten[REWRITE_COUNTS];
	uint32_t round;            /* of CLOSE */
	uint32_t mode;             /* enum wire_mode: `quality' is of `room` */
};

/* Only the part of the kind is sent: see wire_size(). */
struct wire_msg {
	uint16_t version;                  /* WIRE_VERSION */
	uint16_t kind;
	uint8_t transport, side;           /* 0 where there is none */
	uint16_t zero;
	char call[WIRE_CALL_SIZE + 3];     /* empty where there is none */
	union {
		struct wire_hello hello;
		struct wire_welcome welcome;
		struct wire_open open;
		struct wire_security security;
		struct rewrite_map map;
		struct wire_join join;
		struct wire_renew renew;
		struct wire_remote remote;
		struct wire_candidate candidate;
		struct wire_credentials credentials;
		struct wire_ready ready;
		struct wire_refused refused;
		struct wire_said said;
		struct wire_trouble trouble;
		struct wire_close close;
		struct wire_listed listed;
		struct wire_closed closed;
	};
};

/* A message of this kind, all else 0; call NULL: none. */
void wire_begin(struct wire_msg *m, enum wire_kind kind, const char *call);
/* The bytes to send. */
size_t wire_size(enum wire_kind kind);
/* Reads a packet into *m_r, what is behind it set to 0. 0, or EBADMSG with
 * *why_r (a constant) for the log: not a message that the other side (media
 * when `from_media`) may send, of another size, with an unknown number, a text
 * without end, or of another version. */
int wire_read(const void *packet, size_t len, bool from_media,
	      struct wire_msg *m_r, const char **why_r);

const char *wire_kind_name(enum wire_kind kind);
const char *wire_side_name(enum wire_side side);   /* "caller", "callee" */
const char *wire_step_name(enum wire_step step);
const char *wire_why_name(enum wire_why why);
const char *wire_drop_name(enum wire_drop drop);

#endif
