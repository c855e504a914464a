/* sim.h: one world, run from a seed: users and their devices, a server, a
 * disk, a clock, and between them the production objects of privatecalld.
 *
 *   user.c --> client.c --hop--> server.c --link--> THE DAEMON --> drivers.c
 *                  ^----hop----- server.c <--link------'    `--> store
 *
 * watch.c looks at what passes the link and at what the store takes, and
 * never into the daemon: what it calls a fault was seen from outside.
 *
 * The network between a client and its server may drop, double, hold and
 * reorder stanzas. So a rule on what a device must get is checked where the
 * daemon sends it; it is checked at the device as well if nothing of the
 * device was dropped meanwhile (`dirty`). Between server and component is one
 * TCP stream: it keeps its order, and loses only what was under way when it
 * broke (`hole`: both sides think it is up, and nothing passes).
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "mod_privatecall/daemon/daemon.h"

#define USERS 5
#define DEVICES 4
#define SERVICE USERS              /* as an address: after the contacts */
#define ADDRESSES (USERS + 1)
#define SESSIONS 16                /* of one client */
#define NOBODY 255
#define UNKNOWN_USER 254           /* zed@x.org, whom the server lacks */
#define SID_SIZE 40
#define TEXT_MAX 4096              /* of a stanza of a client */
#define HOST "x.org"
#define FINGERPRINT_8 "A1:B2:C3:D4:E5:F6:07:18"   /* users' begin so */
#define DOMAIN "calls.x.org"

/* --- chance ----------------------------------------------------------- */
/* One stream for each concern: to switch a fault off changes nothing else
 * until it would have struck. */
enum stream { R_USER, R_CLIENT, R_NET, R_FAULT, R_ATTACK, R_ENTROPY,
	      R_MEDIA,
	      STREAMS };

enum fault {
	F_DROP, F_DUP, F_REORDER, F_DELAY,     /* of a hop */
	F_CUT, F_CRASH, F_STALL, F_FULL, F_CROWD,  /* of the world */
	F_JUMP, F_VANISH,
	F_MUTE,                    /* an iq is never answered */
	F_SWITCH, F_SETTING, F_BLOCK, F_ROSTER, F_DRAIN, F_HANGUP,
	F_RESTART,                 /* of the server, in order */
	F_GLARE, F_REUSE, F_ATTACK,
	FAULTS
};
extern const char *const fault_names[FAULTS];

/* --- stanzas as texts ------------------------------------------------- */
struct str {
	const char *p;
	size_t n;
};

enum jmi_word { J_NONE, J_PROPOSE, J_RINGING, J_PROCEED, J_ACCEPT, J_REJECT,
		J_RETRACT, J_FINISH };

enum jingle_word { G_NONE, G_INITIATE, G_ACCEPT, G_TERMINATE, G_TRANSPORT,
		   G_INFO, G_ADD, G_OTHER };

/* What a look at a stanza's first tags tells. */
struct scan {
	const char *text;
	size_t len;
	char kind;                 /* 'm', 'p', 'i' */
	struct str type, id, from, to;
	/* user index, NOBODY or UNKNOWN_USER; ours: the user the address of
	 * ours stands for, or SERVICE */
	uint8_t from_user, from_dev, to_user, to_dev, from_ours, to_ours;
	bool to_full, from_full;
	enum jmi_word jmi;
	enum jingle_word jingle;
	struct str sid, reason;
	bool tie_break, stored, private;
	bool copy;                 /* the network made it, and it came behind */
};
void scan_text(struct scan *s, const char *text, size_t len);
/* Most that are compared differ in their first letter. */
static inline bool is(const char *a, const char *b)
{
	return *a == *b && strcmp(a, b) == 0;
}

static inline bool str_is(struct str s, const char *word)
{
	if (!s.p || (s.n && *s.p != *word))
		return false;
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

static inline bool str_same(struct str a, struct str b)
{
	return a.n == b.n && a.p && b.p && memcmp(a.p, b.p, a.n) == 0;
}

/* tree.c: NULL: not of the form that it reads. */
struct xml_elem *tree_read(struct arena *a, const char *text, size_t len);
bool tree_same(const struct xml_elem *a, const struct xml_elem *b);

/* --- the people ------------------------------------------------------- */
enum quirk { Q_CONVERSATIONS, Q_DINO, Q_MONAL, Q_MOVIM, Q_SISKIN, Q_PLAIN,
	     QUIRKS };

enum client_state {
	C_FREE, C_PROPOSED, C_PROCEEDED, C_OFFERED,    /* calling */
	C_RINGING, C_ACCEPTED, C_INITIATED,            /* called */
	C_UP, C_OVER
};

struct session {
	enum client_state state;
	bool plain;                /* without JMI */
	bool video, acked, dirty;
	bool grouped;              /* the offer to it has a BUNDLE group */
	bool shows;                /* it has added a picture */
	uint8_t peer;              /* user */
	uint16_t gen;              /* of timers */
	unsigned asked;            /* number of its session-initiate */
	int64_t since;             /* when it began */
	char sid[SID_SIZE];
};

struct device {
	uint8_t user, number;
	char jid[48];
	enum quirk quirk;
	bool online;               /* the client thinks so */
	bool there;                /* the server has a connection of it */
	char *presence;            /* the server's: what is in it; NULL:
				      unavailable */
	int server_priority;
	bool caps;
	int priority, show;        /* show: index of show_words */
	uint16_t login;            /* number of the session */
	int64_t lost_at;           /* something for it was lost last */
	bool end_lost;             /* it hung up, and nobody heard */
	int64_t up_at, down_at;    /* the hop is in order up to here */
	struct session session[SESSIONS];
	unsigned iq;
	/* What the daemon was last told of it, by address of ours. */
	struct known { bool told, available; int priority, show; }
		known[ADDRESSES];
};

struct stored {                    /* kept by the server for later */
	struct stored *next;
	char *text;
};

struct user {
	char bare[24], contact[32], name[8];
	uint8_t devices;
	struct device device[DEVICES];
	bool sub_from[ADDRESSES];  /* our address sees his presence */
	bool sub_to[ADDRESSES];    /* he sees our address's */
	bool blocks[USERS];        /* the contact of that user */
	struct stored *stored, **stored_end;
	enum who_may_call who;
	bool messages;
	enum second_call second;
	enum notices notices;
};

/* --- the world -------------------------------------------------------- */
enum event_kind {
	E_UP, E_DOWN, E_CARBON,    /* a stanza reaches server, or client */
	E_TIMER,                   /* of a client's session */
	E_USER, E_WORLD,           /* somebody acts; something breaks */
	E_COMMIT, E_LINK_UP, E_LINK_LOST, E_START, E_PONG, E_GONE, E_LOGIN,
	E_CHECK, E_LEFT, E_DRAINED, E_MEDIA
};

struct event {
	int64_t at;
	uint64_t seq;
	uint8_t kind, dev, session, what;      /* what: E_DOWN: 1: a copy */
	uint16_t gen;
	uint64_t number;
	char *text;
};

struct counts {
	uint64_t calls, events, in, out, commits, crashes, cuts, attacks,
		 faults[FAULTS], results[CAUSES + 1], notices, checks, rings,
		 waits, came;
};

struct world {
	/* what to run */
	uint64_t seed;
	unsigned attempts;         /* end of the run */
	uint64_t stop_at;          /* events, UINT64_MAX: all (shrinking) */
	uint32_t off;              /* faults switched off, by bit */
	bool verbose;
	enum media_mode mode;      /* of all calls */
	bool hold, notify;         /* on_leave, rejoin */
	/* what goes on */
	uint64_t rng[STREAMS];
	unsigned weight[FAULTS];   /* of 65536 */
	int64_t now, wall_offset;
	unsigned jumps;            /* of the wall clock, at most an hour each */
	uint64_t seq, events_n;
	struct event *heap;
	size_t heap_n, heap_cap;
	unsigned users_n;
	struct user user[USERS];
	bool resting;              /* faults off, nobody acts any more */
	uint64_t hash;             /* of all that passed the link */
	/* the daemon */
	struct daemon *dm;
	struct conf conf;
	struct xml_stream *stream; /* NULL: trees are made by tree.c */
	struct arena *arena;       /* of those */
	bool running, dead, leaving, draining;
	bool link_up, hole, crowded;
	uint64_t seen_calls;       /* of this daemon */
	unsigned crash_in;         /* outputs until it dies; 0: not planned */
	/* a turn of it */
	char **outs;
	size_t outs_n, outs_cap;
	const char *attacker;      /* the turn's stanza is his */
	const struct scan *input;  /* the turn's stanza */
	bool async;
	/* the first fault found */
	bool failed;
	char fault[16], fault_text[1024];
	struct counts count;
};
extern struct world W;

#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)

uint64_t chance(enum stream r);
/* 0 ... n - 1 */
unsigned below(enum stream r, unsigned n);
/* True `p` times of 65536. */
bool odds(enum stream r, unsigned p);
/* The fault strikes now. */
bool strikes(enum fault f);

/* world.c */
/* As if nothing had been; what has grown stays. */
void world_clear(uint64_t seed);
void world_run(void);
/* Puts into the store what was there before the daemon; frees `b`. */
void world_stored(struct store_batch *b);
void world_event(int64_t at, enum event_kind kind, unsigned dev, char *text);
struct event *world_event_new(int64_t at, enum event_kind kind);
struct device *world_device(unsigned dev);
void world_inject(const struct scan *s);
void world_daemon_start(void);
void world_daemon_gone(void);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* An invariant is broken; the run ends. */
void broken(const char *invariant, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void turn_begin(void);
void turn_end(void);

/* drivers.c */
void drivers_reset(void);
void drivers_crash(void);
void drivers_free(void);
void store_attempt(void);
void store_stall(int64_t ms);
void store_full(int64_t ms);
bool store_troubled(void);
bool store_degraded(void);
int64_t store_troubled_at(void);
struct store *store_memory(void);
size_t store_waiting(void);
void link_pong(bool ok, uint64_t number);
void link_cut(void);

/* media.c */
void media_happens(const struct event *e);

/* server.c */
void server_from_client(struct device *d, const char *text);
void server_from_daemon(const struct scan *s);
void server_login(struct device *d);
void server_logout(struct device *d);
/* His user sends a presence of this type to our address. */
void server_roster(unsigned user, unsigned address, const char *type);
void server_down(struct device *d, const char *text, bool carbon);
/* He has blocked or unblocked the contact. */
void server_block_presence(struct device *d, unsigned address);
void server_free(void);

/* client.c */
void client_start(void);           /* once */
void client_stanza(struct device *d, const struct event *e);
void client_timer(struct device *d, unsigned session, unsigned what);
void client_login(struct device *d);
void client_logout(struct device *d, bool politely);
void client_offline(struct device *d);     /* what is up goes on */
void client_call(struct device *d, unsigned peer, const char *sid);
void client_hang_up_all(struct device *d);
void client_send(struct device *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void client_presence(struct device *d);
extern const char *const show_words[5];
extern const struct quirk_row {
	const char *name;
	bool jmi, carbons, store, ringing, accept, finish, cancels_by_reject,
	     own_timeout, tie_break;
} quirks[QUIRKS];

/* user.c */
void user_make(void);
void user_acts(void);
void attack(void);

/* watch.c */
void watch_reset(void);
void watch_in(const struct scan *s);
void watch_out(const struct scan *s);
void watch_pushed(const struct store_batch *b);
void watch_committed(const struct store_batch *b);
void watch_lost(void);             /* the link, and all that was asked */
void watch_up(void);
void watch_crash(void);
void watch_jump(void);            /* of the wall clock */
void watch_turn(void);             /* one of the daemon ended */
void watch_due(unsigned what, unsigned number);
/* ms after which one who had left while the link was down is known to have. */
int64_t watch_asked_by(void);
void watch_taken(void);            /* the server answered a ping */
void watch_delivered(struct device *d, const struct scan *s);
const char *watch_any_sid(unsigned n);
void watch_admin(const char *a, const char *b);
void watch_media(const char *a, const char *b);
/* A terminate that the daemon never hears: the link was down. */
void watch_unheard(const struct device *d, const struct scan *s);
void watch_rest(void);             /* nothing is under way any more */
void watch_base(void);             /* two hours later */

#endif
