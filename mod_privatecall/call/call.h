/* call.h: one call between two users: all of the product's rules.
 *
 * A call is of an unordered pair of users: every propose between the two goes
 * to the one record, so glare, a second attempt and re-entry are decided in
 * one place. It has rounds: one for each time somebody is rung; the first
 * answer opens the re-entry window (F23), in which the call is OPEN when
 * nobody is in it.
 *
 *   IDLE -> ASKING -> RINGING -> SETUP -> UP -> ENDING -> OPEN -> ASKING ...
 *              |---- `rejoin = notify` ---^
 *              |  \-> REFUSING -> ENDING -> DONE      \-> DONE
 *
 * call_step() takes one event and appends actions; it is pure. Leg actions
 * are joined inside the step: the call decides, legs make stanzas.
 */
#ifndef MOD_PRIVATECALL_CALL_CALL_H
#define MOD_PRIVATECALL_CALL_CALL_H

#include <stdint.h>
#include "jingle/session/leg.h"
#include "jingle/session/leg_map.h"
#include "mod_privatecall/notice/notice.h"
#include "mod_privatecall/policy/cause.h"
#include "mod_privatecall/policy/settings.h"

enum call_state {
	CALL_IDLE,         /* made for an event that is about to come */
	CALL_ASKING,       /* facts are asked for */
	CALL_REFUSING,     /* refused; the fixed delay runs */
	CALL_RINGING,
	CALL_SETUP,        /* answered; session-accept is awaited */
	CALL_UP,
	CALL_ENDING,       /* ended; JMI finishes are awaited */
	CALL_OPEN,         /* nobody is in it, it can be re-entered */
	CALL_DONE,         /* lingers for late stanzas, then is freed */
	CALL_STATES
};
/* The one table of transitions, as leg_may. */
extern const unsigned call_may[CALL_STATES];
const char *call_state_name(enum call_state s);

#define CALL_LINGER_MS 30000       /* DONE: late stanzas are still known */
#define CALL_ID_SIZE 37            /* UUID and NUL */
#define CALL_CANDIDATES_MAX 256    /* of one user, of one transport, ever: who
				      sends more is found by his checks */
#define CALL_KEEP_ALIVE_MS 3600000 /* native: each leg is asked, for the
				      server's module forgets a pair that
				      says nothing for 2 h */

enum call_event_kind {
	CALL_EV_MESSAGE,           /* JMI of one of the two: stanza, jmi */
	CALL_EV_JINGLE,            /* iq set: stanza, jingle */
	CALL_EV_RECEIPT,           /* XEP-0184 received: stanza */
	CALL_EV_BOUNCE,            /* message error: stanza, id */
	CALL_EV_RESULT,            /* answer to our iq: id, side */
	CALL_EV_ERROR,             /* the same, error: stanza's <error/> */
	CALL_EV_TIMEOUT,           /* no answer to our iq: id, side */
	CALL_EV_FACTS,             /* the answer to CALL_DO_ASK */
	CALL_EV_GONE,              /* device `jid` of a user unavailable */
	CALL_EV_BACK,              /* device `jid` available again */
	CALL_EV_DEVICE,            /* a new device of the callee may be rung:
				      targets[0] */
	CALL_EV_TIME,              /* the deadline passed */
	CALL_EV_SWITCH_OFF,        /* ringing calls are withdrawn */
	CALL_EV_DRAIN,             /* likewise, draining */
	CALL_EV_RESTORED,          /* after a start, legs are from the store */
	CALL_EV_CUT,               /* the link broke */
	CALL_EV_LINKED,            /* so again, and devices had time for it */
	CALL_EV_HANGUP,            /* by the admin */
	CALL_EV_SWITCHED,          /* `jid` (bare) took another call (F26) */
	/* the media process says of `transport` */
	CALL_EV_READY,             /* it is open: ufrag, pwd by role; print */
	CALL_EV_REFUSED,           /* it cannot be */
	CALL_EV_CREDENTIALS,       /* new ones towards `role`: ufrag[0] ... */
	CALL_EV_STEP,              /* `role` has come to `step` */
	CALL_EV_TROUBLE,           /* room: DTLS of `role` may not end: why */
	CALL_EV_LISTED,            /* it goes on: one of us was away */
	CALL_EV_MEDIA_LOST,        /* and this: it does not know the call */
	CALL_EVENTS
};
const char *call_event_name(enum call_event_kind k);

/* How far a user's media have come. */
enum call_step {
	STEP_NONE,
	STEP_CHECKED,              /* an authentic check came from him */
	STEP_CONNECTED,            /* ICE has a way to him */
	STEP_DTLS,                 /* his first packet of a handshake */
	STEP_SECURE,               /* room: it is done, by his certificate */
	STEP_MEDIA,                /* his first packet of media */
	STEP_LOST,                 /* and no further: consent ended */
	STEP_FAILED,               /* no way was found */
	STEP_INSECURE,             /* room: by another's certificate */
	STEPS
};
const char *call_step_name(enum call_step s);

struct call_event {
	enum call_event_kind kind;
	int64_t now;               /* monotonic ms */
	int64_t wall;              /* ms since 1970 */
	unsigned char entropy[32]; /* by call_entropy() */
	struct arena *arena;       /* holds the event and all actions */
	const struct settings_site *site;
	const struct stanza *stanza;
	const struct jmi *jmi;
	const struct jingle *jingle;
	const char *id, *jid;
	unsigned side;             /* of the leg asked */
	struct xml_elem *error;
	/* CALL_EV_FACTS */
	unsigned ask;              /* number of the question */
	enum cause cause;
	bool offer;                /* a message may be offered */
	const struct leg_target *targets;
	unsigned targets_n;
	/* of the media process; role: 0 the caller, 1 the callee */
	unsigned transport, role;
	enum call_step step;
	const char *ufrag[2], *pwd[2];
	const char *print;         /* room: our fingerprint, NULL: none */
	const char *why;           /* TROUBLE */
	/* every event: where it is reached; none: it is away */
	const struct leg_candidate *candidates;
	unsigned candidates_n;
};

enum call_action_kind {
	CALL_DO_SEND,              /* stanza, class, side, asks, opens */
	CALL_DO_SAVE,              /* write the call and its legs */
	CALL_DO_FORGET,            /* delete its rows */
	CALL_DO_LOG,               /* the attempt ended */
	CALL_DO_VISIT,             /* a user's leg was connected */
	CALL_DO_NOTICE,
	CALL_DO_ASK,               /* may `from` ring `to`? */
	CALL_DO_SUPERSEDE,         /* `user` took this call: his others end */
	CALL_DO_MEDIA,             /* an order to the media process */
	CALL_DO_BUNDLES,           /* `device` uses BUNDLE, or not: bundles */
	CALL_DO_IGNORED            /* a message that changed nothing: counted */
};

enum call_order_kind {
	ORDER_OPEN,                /* mode; answered by READY or REFUSED */
	ORDER_REMOTE,              /* credentials of `role`: ufrag, pwd */
	ORDER_SECURITY,            /* room: of `role`: print, active */
	ORDER_RENEW,               /* room: `role` comes back; answered by
				      CREDENTIALS */
	ORDER_MAP,                 /* room: of what `role` sends: map */
	ORDER_JOIN,                /* room: what `role` sends there has the
				      numbers of `home`, and of what comes to
				      him on that the video or audio goes
				      there */
	ORDER_CANDIDATE,           /* of `role`; ufrag: NULL if not said */
	ORDER_END,                 /* no more candidates of `role` */
	ORDER_DROP,                /* the transport */
	ORDER_CLOSE,               /* all of the call */
	ORDERS
};
const char *call_order_name(enum call_order_kind k);

struct call_order {
	enum call_order_kind kind;
	unsigned transport, role;
	const char *ufrag, *pwd;
	const struct ice_candidate *candidate;
	enum media_mode mode;
	const char *print;
	bool active;               /* we begin */
	unsigned round;            /* CLOSE: of which it is the end */
	const struct leg_map *map;
	unsigned home;             /* JOIN: a transport */
	bool video;                /* JOIN: or audio */
};

struct call_action {
	struct call_action *next;
	enum call_action_kind kind;
	const char *id;            /* the call's, when it was appended */
	struct xml_elem *stanza;   /* SEND */
	enum leg_class class;
	unsigned side;             /* SEND: whose leg, 0 or 1 */
	bool asks, opens;
	unsigned ask;              /* ASK */
	const char *from, *to;     /* ASK: bare; LOG: caller, callee */
	const char *user, *device; /* SUPERSEDE, VISIT, BUNDLES */
	bool bundles;              /* BUNDLES */
	unsigned media;            /* ASK, LOG */
	int64_t started, answered, ended;      /* LOG, VISIT: wall ms */
	unsigned round;            /* LOG */
	enum cause cause;          /* LOG */
	const char *reason;        /* LOG, VISIT */
	const char *step;          /* LOG: at which it failed; NULL: none */
	struct notice notice;      /* NOTICE */
	struct call_order order;   /* MEDIA */
};

struct call_actions {
	struct call_action *first, *last;
	bool drew;                 /* on the event's entropy: the next event
				      needs other */
};

enum { TRANSPORT_FREE, TRANSPORT_ASKED, TRANSPORT_READY };

struct call_transport {            /* of the media process */
	uint8_t state;             /* TRANSPORT_ */
	uint8_t reached[2];        /* by role: the furthest enum call_step */
	bool lost[2];              /* by role: since then */
	bool secured;              /* room: media know both fingerprints */
	uint8_t renewing;          /* room: so many RENEW are unanswered; only
				      what the last one brings is of now */
	unsigned candidates[2];    /* by role: passed on so far */
};

struct call {
	enum call_state state;
	char id[CALL_ID_SIZE];
	struct leg leg[2];         /* by user, in the order of call_init() */
	unsigned caller;           /* index of the round's caller */
	unsigned round;
	unsigned ask;              /* number of the open question */
	unsigned media;            /* of the round */
	char *contact[2];          /* what user i may dial for the other,
				      beside the other's own address */
	bool native;               /* the round's caller dialed that one */
	bool self;                 /* both users are one: refused */
	bool rang;                 /* the caller was told that it rings */
	bool rung;                 /* a propose left in this round */
	bool offer;                /* facts: a message may be offered */
	bool glare;                /* this round won over a crossing one */
	bool unheard;              /* the link broke on its end: say it again */
	bool unlinked;             /* it broke, and nobody was asked since */
	bool over;                 /* nothing is left of it */
	bool found_over;           /* it was not live when the process began */
	enum media_mode mode;      /* of the round's media */
	bool decided;              /* ... which cannot change any more */
	bool connected;            /* media: a packet came from both */
	struct call_transport *transport;  /* LEG_TRANSPORTS_MAX; NULL: none */
	enum cause cause;          /* why refused or ended */
	char *reason;              /* how it ended, for the finishes */
	char *met;                 /* ASKING: the device that the callee had
				      in the round before; NULL: none */
	char *trouble[2];          /* room, by role: the last of his DTLS */
	/* monotonic ms; 0: not yet */
	int64_t asked, rung_at, answered_at, ended_at, window_end;
	int64_t away_since[2];     /* device unavailable since */
	int64_t left_at[2];        /* so when the link broke, and not heard of
				    * since */
	int64_t deaf_since;        /* no ringable device since */
	int64_t kept_at;           /* UP: the legs were asked last */
	int64_t media_asked;       /* transports that are not ready yet */
	int64_t up_at;             /* media: the session-accept of both */
	int64_t alone_since[2];    /* by role: his media are lost */
	int64_t returns_at;        /* the minute in which they are counted */
	unsigned returns;          /* room: who came back in it */
	/* wall ms */
	int64_t created, rung_wall, answered_wall, first_answer_wall;
};

/* A call between two users, in IDLE. own[i] is the bare address of ours that
 * stands for the other user towards user[i]. 0 or ENOMEM. */
int call_init(struct call *c, const char *const user[2],
	      const char *const own[2], bool gateway);
void call_clear(struct call *c);
/* A restored leg spoke from `full`, an address that is not ours. */
void call_restore_native(struct call *c, unsigned side, const char *full);

/* A restored call, legs included, whose ICE ends with us: in this mode. */
void call_restore_media(struct call *c, enum media_mode mode);
/* How far the media of a role have come, over whichever transport. */
enum call_step call_reached(const struct call *c, unsigned role);
/* TRANSPORT_ of one of its transports. */
unsigned call_transport_state(const struct call *c, unsigned number);

/* One event. 0, or ENOMEM (the call must be ended by the caller with what
 * memory there is). Stanzas that are not this call's are answered or counted
 * (CALL_DO_IGNORED), never an error. */
int call_step(struct call *c, const struct call_event *ev,
	      struct call_actions *out);
/* When CALL_EV_TIME is due, monotonic ms; INT64_MAX: never. */
int64_t call_deadline(const struct call *c, const struct settings_site *site);
/* True when nothing is left of it. */
bool call_is_over(const struct call *c);
/* True while it rings or runs (counts for I14 and drain). */
bool call_is_live(const struct call *c);
/* Index of a user's bare JID, -1: none of the two. */
int call_side(const struct call *c, const char *bare);
/* The user is in it with an answered leg. */
bool call_has_user(const struct call *c, unsigned side);

/* Its legs are as those of one that is up: both are in it, or (`room`) one is
 * away. */
bool call_can_be_up(const struct call *c);

/* Asserts the invariants (doc/reliability.md: I03-I06, I10, I15). */
void call_check(const struct call *c);

#endif
