/* ice.h: one ICE agent (RFC 8445) for one leg, a step machine.
 *
 * Bytes, time and entropy in, bytes to send and changes out. A full agent in
 * everything a client can see: it answers checks and makes its own, takes both
 * roles and mends conflicts (487), nominates once when it controls, learns
 * peer-reflexive addresses, takes candidates as they come, restarts, and stops
 * sending when consent ends (RFC 7675). What makes it small is where it runs: a
 * server with one address of each family and one component. So a pair is a
 * remote address, and no pair is frozen: that saves checks of other streams.
 *
 *   NEW --> CHECKING --> CONNECTED <--> COMPLETED     any but NEW -> NEW:
 *               |            |   \          |             a restart
 *               v            |    `--> LOST <'
 *             FAILED --------'          |
 *                ^-- late: a check comes, and a pair is valid after all
 *
 * After a restart the selected pair of before serves until one is valid with
 * the new credentials (9), so that nobody notices; state is of the new ones.
 * The peer may check with our old ones until he has used the new, and is
 * checked by the name that he uses.
 *
 * What others say is judged: remote candidates are hints, of which many are
 * never sent to (A25); a request without our ufrag and a right
 * MESSAGE-INTEGRITY gets silence; an answer counts when it is to a check of
 * ours, from where that went, and right; everything has a cap and a counter.
 * Nothing that comes in ends the agent or trips an assert.
 *
 * Keep-alives (11) are the consent checks: they come every 4 to 6 s.
 *
 * For the legs of privatecall-media (mod_privatecall/media/), one agent each,
 * and for privatecall-probe. Their candidates come as the codec's
 * (jingle/stanza/ice_udp.h) or over the boundary of the two processes.
 */
#ifndef JINGLE_MEDIA_ICE_H
#define JINGLE_MEDIA_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "jingle/media/addr.h"
#include "jingle/media/stun.h"
#include "jingle/stanza/ice_udp.h"

#define ICE_ENTROPY_SIZE 32        /* fresh random bytes of each event */
#define ICE_OUR_UFRAG_SIZE 9       /* 48 bits as 8 characters, and NUL */
#define ICE_OUR_PWD_SIZE 25        /* 144 bits as 24 characters, and NUL */
#define ICE_LOCALS_MAX 2           /* an address of each family */
#define ICE_OFFERS_MAX 4           /* and its public one */

/* Caps; over each of them a counter counts. */
#define ICE_PAIRS_MAX 32           /* remote addresses */
#define ICE_REMOTE_MAX 24          /* of them, from candidates: the rest is
				      for addresses that check us */
#define ICE_CHECKS_MAX 32          /* whose answers are awaited */
#define ICE_SENDS_MAX 32           /* requests in any second */
#define ICE_SENDS_TO_ONE 10        /* of them, to one IP address */

/* Times in ms. */
#define ICE_TA_MS 50               /* between new checks (14.2) */
#define ICE_RTO_MS 500             /* first retransmission, at least (14.3) */
#define ICE_RC 7                   /* sends of a check (RFC 8489, 6.2.1) */
#define ICE_RM 16                  /* wait after the last, in RTO */
#define ICE_PATIENCE_MS 39500      /* not failed before that (RFC 8863, 4) */
#define ICE_NOMINATE_MS 100        /* from the first valid pair on a better
				      one is waited for */
#define ICE_CONSENT_MS 5000        /* between consent checks, +- a fifth */
#define ICE_TICK_MS 50             /* they are due at multiples of it: one
				      wake-up is for those of many agents */
#define ICE_CONSENT_LOST_MS 30000  /* after the last answer (RFC 7675, 5.1) */
#define ICE_DOUBT_MS 1000          /* unanswered: another pair goes first */

enum ice_state {
	ICE_NEW,           /* the peer's credentials are not known */
	ICE_CHECKING,
	ICE_CONNECTED,     /* a pair is valid: media may flow both ways */
	ICE_COMPLETED,     /* and nominated */
	ICE_LOST,          /* consent ended and no other pair is valid */
	ICE_FAILED,        /* no pair became valid */
	ICE_STATES
};
/* The one table of transitions: ice_may[from] has the bit 1 << to. Setting a
 * state asserts it. */
extern const unsigned ice_may[ICE_STATES];
const char *ice_state_name(enum ice_state s);

enum ice_pair_state {
	ICE_PAIR_FREE,             /* no pair */
	ICE_PAIR_WAITING,
	ICE_PAIR_CHECKED,          /* a check is repeated until answered */
	ICE_PAIR_VALID,
	ICE_PAIR_FAILED,
	ICE_PAIR_DEAD,             /* consent ended: never again with these
				      credentials (RFC 7675, 5.1) */
	ICE_PAIR_STATES
};
/* As ice_may; any of them may become FREE. */
extern const unsigned ice_pair_may[ICE_PAIR_STATES];

enum ice_count {
	ICE_N_MALFORMED,           /* no message of STUN's part that we read */
	ICE_N_UNAUTHENTIC,         /* wrong or no user name or integrity */
	ICE_N_UNEXPECTED,          /* answers to no check, or from elsewhere */
	ICE_N_INDICATIONS,         /* nothing to do */
	ICE_N_BAD_REQUESTS,        /* answered with 400 or 420 */
	ICE_N_CONFLICTS,           /* of roles, seen or told */
	ICE_N_FORBIDDEN,           /* candidates and packets of addresses that
				      are never sent to */
	ICE_N_DEAD,                /* requests to a dead pair */
	ICE_N_SHORT,               /* unanswered: shorter than the answer */
	ICE_N_IGNORED,             /* candidates: TCP, names, component 2, a
				      family that we have not */
	ICE_N_STALE,               /* candidates, credentials of before */
	ICE_N_OVER_PAIRS,          /* over a cap: candidates dropped */
	ICE_N_OVER_REFLEXIVE,      /* an address took another one's place */
	ICE_N_OVER_CHECKS,         /* an older check is forgotten, or this
				      one put off */
	ICE_N_OVER_RATE,           /* checks put off */
	ICE_COUNTS
};
const char *ice_count_name(enum ice_count n);

/* --- what does not change --------------------------------------------- */

struct ice_local {
	struct addr base;          /* where the socket is */
	struct addr seen;          /* where 1:1 NAT shows it; family NONE */
};

struct ice_config {
	struct ice_local local[ICE_LOCALS_MAX];    /* by preference */
	unsigned locals;
	/* May this address never be sent to? NULL: addr_forbidden(). Our own
	 * addresses of `local` never are. */
	bool (*forbidden)(const struct addr *a, const void *arg);
	const void *arg;
};

/* A candidate of ours, for signalling (5.1). */
struct ice_offer {
	struct addr addr;
	struct addr related;       /* family NONE: a host candidate */
	enum ice_type type;
	uint32_t priority;
	char foundation[4];
};
/* The number of them. */
unsigned ice_offers(const struct ice_config *config,
		    struct ice_offer out[ICE_OFFERS_MAX]);
/* 5.1.2.1; `nth` local preference, 0 the best. */
uint32_t ice_priority(enum ice_type type, unsigned nth);

/* --- the agent -------------------------------------------------------- */

struct ice_pair {
	struct addr addr;          /* the remote one */
	enum ice_pair_state state;
	uint32_t priority;         /* of the remote candidate */
	uint32_t turn;             /* a triggered check is due: its place in
				      the queue; 0: none */
	bool signalled;            /* by a candidate, else peer-reflexive */
	bool nominated;
	bool by_old;               /* he calls us by our ufrag of before here,
				      and knows us by no other */
	int64_t heard;             /* last authentic packet; 0: never */
	int64_t answered;          /* last valid answer to us; 0: never */
	int64_t asked;             /* first request since; 0: none */
};

struct ice_check {                 /* a request of ours */
	unsigned char id[STUN_ID_SIZE];
	bool used;
	bool repeats;              /* sent again until answered */
	bool consent;              /* made for consent: sent once */
	bool use_candidate, controlling;   /* as it says */
	uint8_t pair;              /* number of its pair */
	uint8_t sends;
	uint32_t rto;              /* the next wait */
	int64_t began;
	int64_t due;               /* repeats: next send, or failure */
};

struct ice_generation {            /* credentials of both sides */
	char ufrag[ICE_OUR_UFRAG_SIZE], pwd[ICE_OUR_PWD_SIZE];
	char his_ufrag[ICE_UFRAG_MAX + 1], his_pwd[ICE_PWD_MAX + 1];
};

#define ICE_OLD ICE_PAIRS_MAX      /* number of the pair of before */
#define ICE_NONE 255               /* no pair's number */

struct ice_agent {
	enum ice_state state;
	bool controlling;
	bool ended;                /* no more candidates will come */
	bool completed;            /* once, with these credentials */
	bool decided;              /* the selected pair is to be nominated,
				      when Ta lets it */
	uint8_t selected;          /* number of a pair; ICE_NONE */
	uint8_t nominating;        /* whose nomination is being told */
	uint64_t tie_breaker;
	uint32_t turn;             /* last place in the queue */
	int64_t now;               /* of the last step */
	int64_t started;           /* checking, with these credentials */
	int64_t first_valid;       /* 0: none yet */
	int64_t next_check;        /* no new check before (Ta) */
	int64_t consent_at;        /* next check of the selected pair */
	struct ice_generation current, old;        /* old: of pair ICE_OLD */
	struct ice_pair pair[ICE_PAIRS_MAX + 1];
	struct ice_check check[ICE_CHECKS_MAX];
	int64_t sent_at[ICE_SENDS_MAX];    /* the last requests, in a ring */
	uint32_t sent_to[ICE_SENDS_MAX];   /* a hash of their IP addresses */
	unsigned sent;             /* next place in the ring */
	uint32_t count[ICE_COUNTS];
};

/* A new agent, with credentials of its own (a->current.ufrag, .pwd) and a
 * role: the session's initiator controls (6.1.1). No memory is allocated. */
void ice_init(struct ice_agent *a, bool controlling,
	      const unsigned char entropy[ICE_ENTROPY_SIZE]);
void ice_clear(struct ice_agent *a);       /* wipes it */

enum ice_event_kind {
	ICE_EV_TIME,               /* the deadline passed */
	ICE_EV_PACKET,             /* from, bytes, len: of kind DEMUX_STUN */
	ICE_EV_CANDIDATE,          /* candidate, ufrag */
	ICE_EV_REMOTE,             /* ufrag, pwd: the peer's credentials; when
				      they change, he restarts, and so do we */
	ICE_EV_END,                /* no more candidates (RFC 8838, 14) */
	ICE_EV_RESTART,            /* we restart */
	ICE_EVENTS
};

struct ice_event {
	enum ice_event_kind kind;
	int64_t now;               /* monotonic ms, above 0, never less than
				      before */
	unsigned char entropy[ICE_ENTROPY_SIZE];   /* fresh */
	const struct ice_config *config;
	struct addr from;          /* PACKET; IPv4 never as IPv4-mapped */
	const void *bytes;
	size_t len;
	const struct ice_candidate *candidate;
	const char *ufrag;         /* CANDIDATE: NULL when not said */
	const char *pwd;
};

#define ICE_PACKET_MAX 352
#define ICE_STEP_SENDS_MAX 8
#define ICE_ACTIONS_MAX (ICE_STEP_SENDS_MAX + 4)

enum ice_action_kind {
	ICE_DO_SEND,               /* bytes, len, to addr */
	ICE_DO_CREDENTIALS,        /* current.ufrag and .pwd are new: tell the
				      peer, with all of ice_offers() again */
	ICE_DO_SELECT,             /* send media to addr from now on; family
				      NONE: to nobody */
	ICE_DO_STATE               /* state: CONNECTED (or at once COMPLETED),
				      a first pair is valid; LOST, FAILED */
};

struct ice_action {
	enum ice_action_kind kind;
	enum ice_state state;
	struct addr addr;
	size_t len;
	unsigned char bytes[ICE_PACKET_MAX];
};

struct ice_actions {
	unsigned n;
	unsigned sends;            /* of n */
	struct ice_action list[ICE_ACTIONS_MAX];
};

/* Takes one event and does what is due; `out` holds what comes of it, in the
 * order in which to do it. */
void ice_step(struct ice_agent *a, const struct ice_event *ev,
	      struct ice_actions *out);
/* When ICE_EV_TIME is due; at once when one step had not room for all;
 * INT64_MAX: never. */
int64_t ice_deadline(const struct ice_agent *a);

/* Where media goes; NULL: to nobody. Never an address without consent that
 * lives at the time of the last step. */
const struct addr *ice_selected(const struct ice_agent *a);
/* May media and DTLS come from this address? Once an authentic check came
 * from it (A17), as long as it is heard from. */
bool ice_accepts(const struct ice_agent *a, const struct addr *from);

/* Asserts the agent's invariants. */
void ice_check(const struct ice_agent *a, const struct ice_config *config);

#endif
