/* watch.h: what the watchers know, from the link (watch.c) and from the store
 * (books.c) alone.
 */
#ifndef TESTS_SIM_WATCH_H
#define TESTS_SIM_WATCH_H

#include "tests/sim/sim.h"

#define ALIASES 12                 /* ids of one ringing */

/* One ringing of a callee, known by the id of his leg. */
struct ring {
	char sid[ALIASES][SID_SIZE];
	unsigned sids;
	uint8_t caller, callee;
	char from[48];             /* the address that proposed */
	int64_t decided;           /* its row was pushed */
	int64_t sent;              /* the first stanza left; 0: none */
	int64_t ended;             /* its log row was pushed; 0: it rings */
	unsigned crashes, cuts;    /* before it began */
	unsigned bare;             /* proposes to the bare JID */
	bool rang, answered, bounced, amnesia, crossed, offer;
	unsigned settled;          /* O.settings when it was decided */
	uint8_t winner;
	struct rung {
		bool target;       /* was reachable at the decision */
		bool must;         /* could be rung: must be stopped */
		bool got;          /* the stanza was delivered */
		bool plain_offer;  /* rung by a session-initiate */
		bool out, went;    /* said no; was away */
		unsigned sid;      /* of `sid` above, by which it rings */
		int64_t rung;      /* by its full JID */
		unsigned full, stops;
	} dev[DEVICES];
};

/* `rejoin = notify`: his round without the other (watch_wait.c). */
enum wait { WAIT_NOT, WAIT_MAY, WAIT_ALONE, WAIT_CAME, WAIT_OVER };

/* One propose or session-initiate that reached the daemon. */
struct attempt {
	char sid[SID_SIZE];
	uint8_t user, dev, callee;
	uint64_t key;              /* of its session-initiate; 0: none */
	bool plain, told, cancelled, lost;
	unsigned proceeds, crashes, finishes, number;
	int64_t at;
	int64_t returns_at;        /* room: the other was in their call then;
				      0: never */
	enum wait wait;
	bool crosses;              /* one of the other's, maybe */
	unsigned crossing;         /* ... who was let in: SAW_CROSSED */
	int64_t wait_at;           /* he asked; he was let in */
	unsigned wait_crashes;     /* before */
	bool offer;                /* as of the pair, when he asked */
	unsigned settled;
};

/* One side of a Jingle session. */
struct half {
	char sid[SID_SIZE];
	uint8_t user, dev, peer;
	bool caller, initiated, accepted, ended, gone, amnesia;
	bool refused;              /* by himself, before he accepted */
	bool unstored;             /* offered, or back, while the disk failed */
	uint64_t anew;             /* of the session-initiate that begins it
				      again, till it is answered; 0: none */
	int64_t left;              /* hung up then, the link being down */
	int64_t at;
};

/* What was seen of a round. */
enum saw {
	SAW_ANSWERED = 1 << 0,
	SAW_DECLINED = 1 << 1,
	SAW_BUSY = 1 << 2,
	SAW_CANCELLED = 1 << 3,
	SAW_OWN_TIMEOUT = 1 << 4,
	SAW_DEVICE_OUT = 1 << 5,
	SAW_HUNG_UP = 1 << 6,
	SAW_GONE = 1 << 7,
	SAW_TROUBLE = 1 << 8,
	SAW_CROSSED = 1 << 9,
	SAW_MAYBE_CROSSED = 1 << 10,
	SAW_ADMIN = 1 << 11,
	SAW_RESTARTED = 1 << 12,
	SAW_BOUNCED = 1 << 13,
	SAW_INACTIVE = 1 << 14,
	SAW_MEDIA = 1 << 15,       /* media said what may end it */
};

/* The two users; what happened since the last log row of theirs. */
struct pair {
	unsigned saw;              /* bits of enum saw */
	unsigned saw_before;       /* ... of rounds whose log rows are not
				      committed yet */
	unsigned logs_pending;
	bool offer;                /* of a message, at the latest attempt */
	unsigned settled;          /* O.settings then */
	int64_t resettled_at;      /* ... and they were others before */
	int64_t attempt_at;        /* the latest one */
	unsigned attempts;
	int64_t inactive_at;       /* the callee of the latest attempt */
	int64_t private_at;        /* ... took no calls, or from contacts */
	int64_t began, answered_at, answered_wall;
	unsigned began_turn;
	bool jumped;               /* the wall clock, since it began */
	int up[2];                 /* halves of a running session, or -1 */
	bool is_up;
	int64_t hung_up_at;        /* I10: the other side must be told */
	unsigned returns, returns_told;    /* room: accepted, and stored
					      notices of it (X8) */
	int64_t returned_at;       /* media were ready for it */
	int64_t met_at;            /* they have talked, lately */
	bool is_open;              /* ... and it is stored */
	bool may_be_closed;        /* by the admin, or the wall clock */
	bool asked[2];             /* since the last log row: lower, higher */
	unsigned asked_turn, crossing;     /* of the latest attempt */
};

/* A leg's row in the store, by its id: one user may have the same with two
 * others. */
struct row {
	char sid[SID_SIZE], call[CALL_ID_SIZE];
	uint8_t side, user, peer;
	unsigned pushed, committed;        /* enum leg_state; 99: none */
	int64_t committed_at;
};

struct watch {
	struct ring *ring;
	struct attempt *attempt;
	struct half *half;
	struct row *row;
	unsigned rings, attempts, halves, rows;
	unsigned ring_cap, attempt_cap, half_cap, row_cap;
	struct pair pair[USERS + 1][USERS + 1];        /* by lower, higher */
	unsigned crashes, cuts, settings;  /* counts */
	int64_t up_since, started;
	bool turn_pushed;          /* the turn gave the store something */
	unsigned turns;            /* of the daemon, ended */
	struct { bool enabled, messaging; } now, kept;
	struct { enum who_may_call who; bool messages;
		 enum second_call second; enum notices notices;
	} user[USERS], user_kept[USERS];
	bool contact[USERS][ADDRESSES], contact_kept[USERS][ADDRESSES];
};
extern struct watch O;

struct pair *watch_pair(unsigned a, unsigned b);
struct ring *watch_ring(struct str sid);
struct ring *watch_ring_new(struct str sid, unsigned caller,
			    unsigned callee);
struct attempt *watch_attempt(unsigned user, unsigned dev, unsigned callee,
			      struct str sid);
struct half *watch_half(unsigned user, unsigned dev, unsigned peer,
			struct str sid);
struct row *watch_row(unsigned user, unsigned peer, struct str sid);
struct str str_of(const char *text);
int user_of_bare(const char *bare);
/* By what the daemon was told. */
bool watch_active(unsigned user);
bool watch_surely_active(unsigned user);
bool watch_reachable(const struct device *d);
bool watch_in_call(unsigned user, unsigned but);
bool watch_runs(const struct pair *p);
void watch_return(const char *a, const char *b);
/* The half of `user` in their running session; NULL: none. */
struct half *watch_stays(const struct pair *p, unsigned user);
/* The call of the two is one of mode `room`. */
bool watch_ends_here(unsigned one, unsigned other);
void watch_unseen(unsigned user, unsigned address);

/* Not a device that got the propose as a carbon and is not to be rung: its
 * answer does not count (I04). */
bool watch_was_rung(const struct ring *r, unsigned dev);
/* The latest one. */
struct ring *watch_ring_of(unsigned caller, unsigned callee);
/* Of a leg's row as committed, enum leg_state; 99: none. */
unsigned watch_state(unsigned user, unsigned peer, struct str sid);
struct half *watch_half_new(unsigned user, unsigned dev, unsigned peer,
			    struct str sid, bool caller);
/* watch_half.c; `key` is of the session-initiate. */
void watch_half_anew(struct half *h, uint64_t key);
void watch_half_taken(uint64_t key, bool refused);
void watch_half_restarts(struct half *h);
enum due { DUE_RING, DUE_END, DUE_CALLER, DUE_LEFT, DUE_WAIT };
void watch_later(int64_t in, enum due what, unsigned number);
bool watch_is_request(const struct scan *s);
/* An iq result or error leaves (I13). */
void watch_answered(const struct scan *s);
bool watch_unanswered(void);       /* ... and one is owed */

/* watch_wait.c */
/* He was let in by it, and his round goes on. */
bool watch_waits(const struct attempt *a);
void watch_wait_attempt(struct pair *p, struct attempt *a);
struct attempt *watch_wait_of(int user, int peer);
void watch_wait_pushed(const struct store_batch *b);
/* A notice that somebody is back. */
bool watch_is_return(const struct store_batch *b,
		     const struct store_op *note);
void watch_wait_rung(unsigned caller, unsigned callee);
void watch_wait_due(const struct attempt *a);
/* Nobody came; `seen`: what ends any round so was seen. */
bool watch_wait_true(const struct attempt *a, const char *result, bool seen);
/* What is true of the next round already, bits of enum saw. */
unsigned watch_wait_logged(struct pair *p, struct attempt *a);
void watch_wait_restarts(struct attempt *a);

/* books.c */
/* The user that an address of ours stands for; -1: none that is there. */
int books_peer(const char *own);
void books_set(const struct store_op *op, bool kept);
void books_reset(void);
void books_crash(void);
void books_rest(void);
void books_base(void);
void books_headline(const struct scan *s);
void books_taken(void);
void books_links(void);

#endif
