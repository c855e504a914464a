/* relay.h: the calls of one worker, each with ICE ended towards both sides, and
 * whose datagram goes where. A step machine: packets, messages of control and
 * time in; packets and messages out. It knows no socket and no clock (that is
 * worker.c), so that all of it can be tested in virtual time.
 *
 *                        a datagram and its source
 *                                   |
 *             first byte (jingle/media/demux.h)
 *            STUN |                         | DTLS, SRTP
 *      ours:his of a request,       source address -> leg (table of
 *      or id of an answer to        addresses that made a right check)
 *      a check -> leg                       |        \
 *            |                      is it heard of   none: dropped,
 *      its ICE agent                in 30 s? else    counted: never
 *      (jingle/media/ice.h)         dropped          an answer
 *            |                              |
 *      answers, checks;             mode `blind`: to the other leg's selected
 *      a right one puts its         address, as it came. No such address
 *      source into the table        yet: a ClientHello waits for 2 s, all
 *                                   else is dropped
 *                                         |
 *                                   mode `room`: DTLS ends here; SRTP is
 *                                   opened with this leg's keys and closed
 *                                   with the other's; between, what he
 *                                   sends gets the numbers that the other
 *                                   knows (relay_room.c)
 *
 * So nobody gets a byte who has not shown in the last 30 s that he wants it
 * (A14, A24, A27). In mode `blind` what passes are the clients' own bytes,
 * which nobody here could read.
 *
 * An address belongs to one leg. A right check can be sent with another's
 * source address: that one keeps it, and gets it back when he answers a check
 * of ours, which shows that he is there.
 *
 * A packet of media costs no allocation; all tables are made at the start, by
 * the most calls, and a call brings its own part of them.
 */
#ifndef MOD_PRIVATECALL_MEDIA_RELAY_H
#define MOD_PRIVATECALL_MEDIA_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "jingle/media/addr.h"
#include "jingle/media/dtls_srtp.h"
#include "jingle/media/ice.h"
#include "jingle/media/srtp.h"
#include "mod_privatecall/media/wire.h"

#define RELAY_CALLS_MAX 8000       /* that may be configured */
#define RELAY_HELD_MS 2000         /* a ClientHello waits for the other leg */
#define RELAY_HELD_OF_LEG 4        /* datagrams, of one leg */
#define RELAY_HELD_MAX 128         /* and of all together; then the call that
				      has most of them gives one up */
#define RELAY_HELD_SIZE 1500       /* bytes of each */
#define RELAY_PACKET_MAX 2048      /* bytes of a datagram, in or out */
#define RELAY_PACKET_SIZE (RELAY_PACKET_MAX + REWRITE_RTCP_MORE + 64)

/* Datagrams that belong to no call, and where they ended. */
enum relay_count {
	RELAY_N_STRANGERS,         /* neither STUN nor from a known address */
	RELAY_N_MALFORMED,         /* of STUN's kind, but none we read */
	RELAY_N_UNNAMED,           /* STUN requests with no ufrag of ours */
	RELAY_N_UNASKED,           /* STUN answers to no check of ours */
	RELAY_N_INDICATIONS,       /* STUN, with nothing to do */
	RELAY_N_UNKNOWN,           /* messages of a call or transport that is
				      not open (any more) */
	RELAY_COUNTS
};
const char *relay_count_name(enum relay_count n);

struct relay_config {
	struct ice_local local[ICE_LOCALS_MAX];    /* our addresses */
	unsigned locals;
	struct addr_rules rules;   /* whom the admin lets it send to */
	unsigned most_calls;       /* 1 to RELAY_CALLS_MAX */
	const char *release;       /* for WELCOME */
	struct dtls_identity *identity;    /* of mode `room`; the relay holds
					      on to it */
	enum srtp_backend srtp;    /* which implementation */
};

/* Where its output goes. They take what they get at once and call nothing
 * here. */
struct relay_handlers {
	void (*send)(const struct addr *to, const void *bytes, size_t len,
		     void *arg);
	void (*say)(const struct wire_msg *m, void *arg);
	/* Fresh random bytes, for each step of an agent. */
	void (*entropy)(unsigned char out[ICE_ENTROPY_SIZE], void *arg);
};

struct relay;

/* 0 or ENOMEM. */
int relay_new(const struct relay_config *config,
	      const struct relay_handlers *handlers, void *arg,
	      struct relay **r_r);
void relay_free(struct relay *r);          /* wipes credentials */

/* `now` is monotonic, in ms, above 0, never less than before. First of all
 * each does what is due. */
void relay_packet(struct relay *r, int64_t now, const struct addr *from,
		  const void *bytes, size_t len);
/* A message of control, as wire_read() gave it. */
void relay_control(struct relay *r, int64_t now, const struct wire_msg *m);
void relay_time(struct relay *r, int64_t now);
/* When relay_time() is due; INT64_MAX: never. */
int64_t relay_deadline(const struct relay *r);

/* From now on calls are opened with this one. */
void relay_set_identity(struct relay *r, struct dtls_identity *identity);
/* From now on no call is taken; control is told. */
void relay_drain(struct relay *r);
unsigned relay_calls(const struct relay *r);
uint64_t relay_counted(const struct relay *r, enum relay_count n);
/* Of calls as well: what they dropped since the start. */
uint64_t relay_dropped(const struct relay *r, enum wire_drop n);

/* May this never be sent to? addr_forbidden(), but loopback addresses only
 * when ours of that family is none: a relay at a loopback address is one of
 * its host alone, as in tests. */
bool relay_forbidden(const struct addr *a, const struct relay_config *config);

/* Asserts the invariants, of agents too. */
void relay_check(const struct relay *r);

#endif
