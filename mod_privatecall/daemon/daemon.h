/* daemon.h: privatecalld's glue: one libuv loop owns all state, feeds events
 * to the pure machines and executes their actions. One file per concern.
 *
 *   link --stanza--> route.c --event--> calls.c --action--> hold.c --> link
 *                       \--> gateway        \--> notices.c (outbox)
 */
#ifndef MOD_PRIVATECALL_DAEMON_DAEMON_H
#define MOD_PRIVATECALL_DAEMON_DAEMON_H

#include <stdatomic.h>
#define HASH_NONFATAL_OOM 1        /* what found no room has no hh.tbl */
#include <uthash.h>
#include <uv.h>
#include "mod_privatecall/admin/ctl.h"
#include "mod_privatecall/call/call.h"
#include "mod_privatecall/conf/conf.h"
#include "mod_privatecall/daemon/spare.h"
#include "mod_privatecall/log/log.h"
#include "mod_privatecall/link/iq.h"
#include "mod_privatecall/link/link.h"
#include "mod_privatecall/notice/outbox.h"
#include "mod_privatecall/presence/address.h"
#include "mod_privatecall/presence/gateway.h"
#include "mod_privatecall/presence/module.h"
#include "mod_privatecall/store/store.h"

#define DAEMON_ARENA_BYTES (16u << 20)     /* of one event */
#define DAEMON_IQS_MAX 100000              /* outstanding */
#define DAEMON_USERS_MAX 200000            /* remembered for limits */
#define DAEMON_DONE_MAX 10000              /* calls that linger */
#define DAEMON_BACKLOG_BYTES (64u << 20)   /* unstored operations */
#define LINK_QUEUE_BYTES (16u << 20)       /* to the server */

enum iq_kind { IQ_CALL, IQ_GATEWAY };
/* What a host is asked beside that. */
enum host_iq {
	HOST_HELLO, HOST_FACTS, HOST_SESSIONS,     /* modules.c */
	/* privileged.c, in the order of asking: the callee's block list, the
	 * caller's, the callee's roster */
	HOST_BLOCKS, HOST_BLOCKED, HOST_ROSTER,
	HOST_VERSION, HOST_TIME, HOST_REGISTER     /* check.c */
};

struct counters {
	uint64_t calls, answered, refused, ignored, bad, unknown_answers;
	uint64_t cut_short;        /* calls that did not linger to the end */
	uint64_t notices, notices_again, iq_full, held, degraded;
	uint64_t relays_refused, facts_late;
};

struct held;                       /* hold.c */
struct media;                      /* media.c */
struct call_entry;                 /* calls.c */
struct user_calls;
struct hold_wait;                  /* hold.c */
struct user;                       /* users.c */
struct notice_wait;                /* notices.c */

/* How the link stands; why it did not stand last. */
struct uplink {
	int64_t since;             /* wall ms: up, or not up */
	int64_t lost;              /* wall ms, 0: never */
	char *why;                 /* the link's detail; NULL: nothing yet */
	char *lost_why;            /* of the last loss */
	unsigned conflicts;        /* times another one took our place */
	int64_t conflict;          /* wall ms of the last; 0: never */
	unsigned relays;           /* of their ids */
};

/* One of our hosts: the server's module there (doc/protocol.md), and what we
 * know of the server without it. */
struct module_host {
	char *host;
	bool up;                   /* the module has answered our hello */
	bool enabled;              /* its switch; as it was said last */
	bool odd;                  /* of another version than we */
	int skew;                  /* its release is older (-1), newer (1) */
	bool said;                 /* the log has a line about it */
	char *what;                /* "mod_privatecall 0.1.0, Prosody 0.12.3";
				      NULL: no answer yet, or none there */
	char *server;              /* "Prosody 0.12.3"; NULL: not known */
	bool registration, pres_counter;   /* see struct module_hello */
	unsigned user_rate;
	unsigned granted;          /* PRIVILEGE_*, since the link is up */
	int64_t ask_at;            /* monotonic ms of the next hello; 0: none
				      is due */
};

/* The deadline is in the heap itself, so that no call is looked at to which
 * nothing happens: where there are many it is in no cache. */
struct heap_slot {
	int64_t deadline;          /* of the entry, as of heap_update() */
	struct call_entry *entry;
};

struct daemon {
	unsigned char entropy[4096];       /* of calls_random(), each byte */
	unsigned entropy_left;             /* once: so many first are unused */
	uv_loop_t loop;
	uv_timer_t timer;
	uv_async_t committed_async;
	uv_signal_t signals[3];
	uv_prepare_t flush;
	char *conf_path;
	struct conf *conf;
	struct settings_site site; /* conf->site with the switches over it */
	struct link *link;
	struct uplink uplink;
	struct module_host *modules;       /* one for each of conf->hosts */
	unsigned modules_n;
	unsigned questions;        /* of ids */
	struct iq_table *module_iqs;       /* what they were asked */
	struct check *check;       /* check.c: under way; NULL: none is */
	unsigned checks;           /* so far */
	struct media *media;       /* NULL: not started */
	bool media_wanted;         /* calls need it, whatever is configured */
	struct ctl_server *ctl;
	struct ctl_command *commands;
	struct gateway *gateway;
	struct outbox *outbox;
	struct iq_table *iqs;
	struct arena *arena;       /* of timer and control events */
	struct spares spares;      /* of stanzas held, and of traces */
	bool link_was_up, stopping, leaving, draining;
	int exit_code;
	int64_t started;           /* wall ms */
	int64_t prune_at, verify_at, ask_at, stop_at;  /* monotonic ms */
	struct counters count;

	/* switches: what ctl said, -1: as configured */
	int enabled_override, messaging_override;

	/* calls.c */
	struct call_entry *by_pair, *by_id;
	struct user_calls *by_user;
	unsigned live;             /* calls that ring or run */
	int64_t step_wall;         /* wall ms of the last event of a call */
	struct call_entry *done;   /* that linger, the oldest first */
	unsigned done_n;
	struct heap_slot *heap;    /* by deadline */
	size_t heap_n, heap_cap;

	/* hold.c */
	struct store *store;
	int lock;                  /* file descriptor, held while we run */
	struct store_thread *thread;
	struct store_batch *open;  /* batch number open_n */
	struct arena *written;     /* of the stanza being sent */
	uint64_t open_n, pushed_n, committed_n;
	int64_t push_time;         /* real ms of the oldest uncommitted batch,
				      0: none */
	bool degraded;
	uint64_t degraded_n;       /* healthy when this one is stored */
	struct held *held_first, *held_last;   /* by batch number */
	size_t held_bytes;
	struct hold_wait *hold_first, *hold_last;
	_Atomic uint64_t thread_committed;
	_Atomic int thread_error;

	/* users.c */
	struct user *users;        /* least recently needed first */

	/* notices.c */
	struct notice_wait *wait_first, *wait_last;
	struct log_rate rate_limit, rate_skipped, rate_unsent;
};

/* --- calls.c ---------------------------------------------------------- */
/* One of the calls of a user. */
struct call_link {
	struct call_entry *entry;
	struct user_calls *of;     /* NULL: not linked */
	struct call_link *prev, *next;
};

struct call_trace {                /* trace.c: a ring of whole lines */
	char *ring;
	unsigned short size, from, len;
};

struct call_orders {               /* to privatecall-media, of one call: */
	char of[CALL_ID_SIZE];
	bool known;                /* it has the call */
	unsigned closes;           /* said, and not answered yet */
	unsigned opens[LEG_TRANSPORTS_MAX];        /* so, too */
};

struct call_entry {
	struct call call;
	struct daemon *dm;
	char *pair;                /* key: two bare JIDs, sorted */
	char id[CALL_ID_SIZE];     /* key of by_id, as registered */
	int64_t deadline;
	size_t heap_at;            /* index + 1; 0: not in the heap */
	uint64_t pending_n;        /* last batch with an operation of it */
	unsigned held;             /* sends of it in the queue */
	unsigned held_opens[2];    /* of them initiates and accepts, by side */
	unsigned busy;             /* steps under way: not to be freed */
	bool exists;               /* its callee does: his server said so, or
				      both were known when the call came */
	struct module_facts told;  /* so far, by XEP-0356 */
	struct call_orders *orders;        /* NULL: none were given */
	bool live;                 /* counted, and its addresses are held */
	bool lingers;              /* is in the list of those */
	struct call_entry *prev, *next;
	struct call_link links[2]; /* by side */
	struct call_trace trace;
	UT_hash_handle hh_pair, hh_id;
};

/* The call of two users; `make`: created when there is none. NULL: none, or
 * no memory, or no address of ours can stand for one of them. */
struct call_entry *calls_get(struct daemon *dm, const char *a, const char *b,
			     bool make);
struct call_entry *calls_find(struct daemon *dm, const char *id_or_prefix);
/* Feeds an event (kind and its own fields are set by the caller) and executes
 * what comes of it, events of other calls included. `arena` holds the event.
 * Only CALL_EV_TIME can end a call for good, and then frees this one alone:
 * whoever walks over calls and sends any other event keeps his place. */
void calls_event(struct call_entry *e, struct call_event *ev,
		 struct arena *arena);
/* The call of a pair that still waits for the answer to `ask`; NULL: none. */
struct call_entry *calls_asking(struct daemon *dm, const char *pair,
				unsigned ask);
/* What the callee's server says about that; NULL: nothing in time. */
void calls_told(struct call_entry *e, const struct module_facts *told,
		struct arena *arena);
/* The same event for every call. */
void calls_all(struct daemon *dm, enum call_event_kind kind);
/* Device `jid` of `bare` came or went, for all his calls. */
void calls_presence(struct daemon *dm, const char *jid, bool available,
		    struct arena *arena);
/* The addresses of running calls stay available (product.md). */
void calls_hold(struct daemon *dm);
/* After a restart: devices of running calls that did not come back are gone. */
void calls_verify(struct daemon *dm);
void calls_tick(struct daemon *dm, int64_t now);
/* Over DAEMON_DONE_MAX the oldest of those that linger go. Frees calls: never
 * to be called from within an event. */
void calls_trim(struct daemon *dm);
int64_t calls_deadline(const struct daemon *dm);
/* n random bytes, 4096 at most, that nobody else gets: a system call for many.
 * Without randomness no id is safe: the process ends. */
void calls_random(struct daemon *dm, void *out, size_t n);
/* After a change of state from outside of calls_event(). */
void calls_arm(struct call_entry *e);
/* The user is in a running call with somebody else than `but`. */
bool calls_user_busy(struct daemon *dm, const char *user, const char *but);
struct call_entry *calls_add_restored(struct daemon *dm, const char *a,
				      const char *b);
void calls_register_id(struct call_entry *e);
void calls_free(struct daemon *dm);
struct call_entry *calls_next(struct daemon *dm, struct call_entry *after);

/* --- media.c ---------------------------------------------------------- */
/* Connects to privatecall-media if calls need it. 0 or ENOMEM. */
int media_start(struct daemon *dm);
void media_stop(struct daemon *dm);
/* CALL_DO_MEDIA. Without a connection it is dropped: whoever asked has a
 * deadline. */
void media_order(struct call_entry *e, const struct call_action *a);
/* Our candidates, for an event; none while it is away. */
void media_fill(const struct daemon *dm, struct call_event *ev);
void media_tick(struct daemon *dm, int64_t now);
int64_t media_deadline(const struct daemon *dm);
bool media_is_up(const struct daemon *dm);
/* Messages to the media process that its socket has no room for yet. */
unsigned media_queued(const struct daemon *dm);
/* It is, has room for a call, and does not drain. */
bool media_takes_calls(const struct daemon *dm);
const char *media_release(const struct daemon *dm);    /* NULL: not up */
const char *media_why(const struct daemon *dm);        /* NULL: it is up */
const char *media_mend(const struct daemon *dm);       /* what to do then */

/* --- hold.c ----------------------------------------------------------- */
int hold_start(struct daemon *dm);
/* Appends an operation to the open batch; its number. */
uint64_t hold_store(struct daemon *dm, const struct store_op *op);
/* Sends a stanza when batch `n` is stored; 0: at once. */
void hold_send(struct daemon *dm, struct call_entry *e,
	       const struct call_action *a, uint64_t n);
void hold_flush(struct daemon *dm);        /* pushes the open batch */
/* Calls done(stored, arg) when batch `n` is stored, or when it is clear that
 * it will not be soon (degraded, stop): stored is false then. */
void hold_when(struct daemon *dm, uint64_t n,
	       void (*done)(bool stored, void *arg), void *arg);
/* It rings no more: a propose that still waits never leaves, nor, if nobody has
 * answered, the word to the caller that it rings. One that declines while its
 * own second propose waits gets no retract to take that back. */
void hold_ring_over(struct daemon *dm, const struct call_entry *e);
/* A new round replaces the row of the one before: what ends that one and still
 * waits for the store leaves now. A crash behind the commit of the new row
 * would find nobody any more who knows whom to tell (as ring.c does for what
 * the same step says). */
void hold_hurry(struct daemon *dm, const struct call_entry *e);
/* The link is up, or has room again: what waited for it leaves. */
void hold_link_ready(struct daemon *dm);
void hold_on_committed(struct daemon *dm);
void hold_tick(struct daemon *dm);
int64_t hold_deadline(const struct daemon *dm);
bool hold_stored(const struct daemon *dm, uint64_t n);
/* The server can be told. */
bool hold_linked(const struct daemon *dm);
/* Nothing waits for the store, and it has all. */
bool hold_settled(const struct daemon *dm);
void hold_forget(struct daemon *dm, const struct call_entry *e);
void hold_stop(struct daemon *dm);

/* --- users.c ---------------------------------------------------------- */
struct settings_user users_settings(struct daemon *dm, const char *bare);
/* 0, ENOENT, EBADMSG with *expected_r; EIO: degraded, refused. */
int users_set(struct daemon *dm, const char *bare, const char *name,
	      const char *word, const char **expected_r);
int users_restore(struct daemon *dm, const char *bare, const char *name,
		  const char *word);
/* Counts this attempt; true: over a limit (A13, X4). */
bool users_over_limit(struct daemon *dm, const char *from, const char *to);
/* Answers CALL_DO_ASK of `e` into a CALL_EV_FACTS event. `told`: what the
 * callee's server knows; NULL: nothing, the mirror must do. */
void users_facts(const struct call_entry *e, const struct call_action *ask,
		 bool over_limit, const struct module_facts *told,
		 struct arena *arena, struct call_event *ev);
/* Last batch with a notice for him: not sent before it is stored. NULL: no
 * memory, or too many users. */
uint64_t *users_notice_n(struct daemon *dm, const char *bare);
void users_free(struct daemon *dm);

/* --- notices.c -------------------------------------------------------- */
void notices_add(struct daemon *dm, const struct notice *n,
		 struct call_entry *e, struct arena *arena);
void notices_flush(struct daemon *dm, const char *bare);
void notices_committed(struct daemon *dm);
void notices_link_lost(struct daemon *dm);
void notices_expire(struct daemon *dm);
void notices_free(struct daemon *dm);
int notices_restore(struct daemon *dm, const struct store_outbox *row);

/* --- trace.c ---------------------------------------------------------- */
/* One line each; `more` may be NULL. */
void trace_words(struct call_entry *e, const char *mark, const char *words,
		 const char *more);
void trace_stanza(struct call_entry *e, const char *mark,
		  const struct xml_elem *stanza);
/* What is kept, oldest line first, "" if nothing. Owner: caller, free().
 * NULL: no memory. */
char *trace_text(const struct call_entry *e);
void trace_free(struct call_entry *e);

/* --- route.c ---------------------------------------------------------- */
void route_stanza(struct xml_elem *e, struct arena *a, void *arg);
void route_skipped(const struct xml_elem *head, const struct xml_elem *error,
		   struct arena *a, enum xml_limit limit, void *arg);
/* Executes what the gateway wants. */
void route_gateway(struct daemon *dm, struct gateway_env *env);
void route_iq_timeouts(struct daemon *dm, int64_t now);
/* The link is lost: answers under way are too, and that is no sign of a lost
 * device. */
void route_forget_asked(struct daemon *dm);
void route_ask(struct daemon *dm, const struct xml_elem *iq,
	       enum iq_kind kind, const char *context, unsigned side);

/* --- modules.c -------------------------------------------------------- */
/* The link is up, or lost. */
void modules_link_up(struct daemon *dm);
void modules_link_lost(struct daemon *dm);
void modules_free(struct daemon *dm);
/* The module of one of our hosts is there; of the domain of an address. */
bool modules_has(const struct daemon *dm, const char *domain);
/* Its switch is on, or it is not there. */
bool modules_enabled(const struct daemon *dm, const char *domain);
/* From the bare domain of one of our hosts. False: not of the module. */
bool modules_message(struct daemon *dm, const struct stanza *s,
		     struct arena *arena);
/* An answer to what a module was asked. False: it is not. */
bool modules_answer(struct daemon *dm, const struct stanza *s,
		    struct arena *arena);
/* Sends a question of ours, whose answer comes to modules_answer(), or is
 * missed at `deadline`, monotonic ms. False: it is not sent. The rest as of
 * iq_table_add(). */
bool modules_send(struct daemon *dm, const struct xml_elem *iq,
		  const char *to, int64_t deadline, enum host_iq kind,
		  const char *context, unsigned number);
/* Asks his server for all sessions of a user. */
void modules_ask_sessions(struct daemon *dm, const char *bare,
			  struct arena *arena);
/* Asks the callee's server about a call. False: nobody to ask. `rings`: it
 * would by what is known here, which need not wait for long. */
bool modules_ask(struct daemon *dm, const struct call_action *ask,
		 const char *pair, bool rings, struct arena *arena);
int64_t modules_deadline(const struct daemon *dm);
/* Before the calls' time: whose facts are late learns it here. */
void modules_tick(struct daemon *dm, int64_t now);
/* The host of that name; NULL: none of ours, or the link was never up. */
struct module_host *modules_find(const struct daemon *dm, const char *domain);

/* --- privileged.c ----------------------------------------------------- */
/* Asks the servers of a call's two, which have no module, about them. False:
 * they have granted nothing. */
bool privileged_ask(struct call_entry *e, struct arena *arena);
/* NULL: no answer in time. */
void privileged_answered(struct daemon *dm, const struct iq_asked *q,
			 const struct stanza *s, struct arena *arena);

/* --- uplink.c --------------------------------------------------------- */
/* What a stanza is for the link: as it is from our addresses, relayed by the
 * server's module from a user's (doc/protocol.md). NULL: no memory. */
const struct xml_elem *uplink_stanza(struct daemon *dm, struct arena *a,
				     const struct xml_elem *e);
/* The link's events. */
void uplink_event(enum link_event ev, const char *detail, void *arg);
/* Why the link was down last, in plain words; NULL: it never was. */
const char *uplink_what(const struct daemon *dm);
/* What the admin can do about it; to be freed, NULL: as above, or no memory. */
char *uplink_mend(const struct daemon *dm);
/* Wall ms of the next attempt; 0: it is under way, or there is none. */
int64_t uplink_next(const struct daemon *dm);
void uplink_free(struct daemon *dm);

/* --- recover.c -------------------------------------------------------- */
int recover_load(struct daemon *dm, char **why_r);

/* --- preflight.c ------------------------------------------------------ */
/* Can we use the database's and the socket's files? 0, or an errno and the
 * line with the remedy. */
int preflight(const struct conf *c, char **why_r);
/* The line for a configuration that could not be opened, to be freed; NULL:
 * nothing to add. */
char *preflight_conf(const char *path, int err);
/* The name of the user we run as. */
const char *preflight_user(char out[32]);

/* --- switches.c ------------------------------------------------------- */
extern const char *const switches_names[];     /* end with NULL */
/* Recomputes dm->site; withdraws ringing calls when calls go off. */
void switches_apply(struct daemon *dm);
/* 0; EIO: degraded, refused. value -1: back to the configuration. */
int switches_set(struct daemon *dm, const char *name, int value);
/* Is it on? And what the configuration says, and whether privatecallctl has
 * said something. */
bool switches_get(const struct daemon *dm, const char *name,
		  bool *configured_r, bool *switched_r);
/* One line in the log for each that differs from the configuration. */
void switches_report(const struct daemon *dm);
void switches_restore(struct daemon *dm, const char *name, const char *value);

/* --- commands.c ------------------------------------------------------- */
extern const struct ctl_command commands_table[];

/* --- status.c --------------------------------------------------------- */
void status_run(struct ctl_request *r, int argc, char **argv, void *arg);
/* The lines about the link; those after the first begin with `indent`. */
void status_put_link(FILE *out, const struct daemon *dm, const char *indent);
json_t *status_link_json(const struct daemon *dm);
/* "direct", or "blind" or "room" and how privatecall-media stands. */
void status_put_media(FILE *out, const struct daemon *dm);
struct wire_closed;

/* traffic.c: what the media process said of a call at its end, kept. */
void traffic_closed(struct daemon *dm, const char *call,
		    const struct wire_closed *c);
/* Of `figures` of the store (NULL: none): as JSON, null: none; as lines. */
json_t *traffic_json(const char *figures);
void traffic_put(FILE *out, const char *figures);

json_t *status_media_json(const struct daemon *dm);
json_t *status_database_json(const struct daemon *dm);
/* "on", and what the configuration says if privatecallctl has switched. */
void status_put_switch(FILE *out, const struct daemon *dm, const char *name);
/* A time as all JSON of ours has it: wall ms, null for 0. */
json_t *status_time_json(int64_t ms);
json_t *status_switch_json(const struct daemon *dm, const char *name);
/* Wall ms as UTC, "-" for 0. */
void status_time(int64_t ms, char out[32]);

/* --- check.c ---------------------------------------------------------- */
/* `privatecallctl check`: answers when the server has. */
void check_run(struct ctl_request *r, int argc, char **argv, void *arg);
/* A host's answer to a question of a check; NULL: none in time. */
void check_answered(struct daemon *dm, const struct iq_asked *q,
		    const struct stanza *s, struct arena *arena);
/* False: no message of a check to ourselves. */
bool check_echo(struct daemon *dm, const struct stanza *s);
void check_link_lost(struct daemon *dm);
int64_t check_deadline(const struct daemon *dm);
void check_tick(struct daemon *dm, int64_t now);
void check_free(struct daemon *dm);

/* --- snippet.c -------------------------------------------------------- */
enum snippet {
	SNIPPET_COMPONENT,         /* the component */
	SNIPPET_MODULE,            /* our module, on the only host */
	SNIPPET_MODULE_HOST,       /* the same on one of several */
	SNIPPET_PRIVILEGE,         /* XEP-0356 */
	SNIPPET_CLOSED,            /* no open registration */
	SNIPPET_RATE,              /* room for offers */
	SNIPPET_PRES_COUNTER       /* ejabberd's, away */
};
/* Lines of configuration for the server that is called so, for Prosody and
 * ejabberd if it is none of the two (or NULL). To be freed; NULL: no memory. */
char *snippet_text(enum snippet what, const char *server, const char *domain,
		   const char *host);
/* It is called so. */
bool snippet_is_ejabberd(const char *server);

/* --- turn.c ----------------------------------------------------------- */
/* What the daemon is made of beside store, link and loop, by dm->conf. 0 or
 * ENOMEM. */
int daemon_make(struct daemon *dm);
void daemon_unmake(struct daemon *dm);
/* Runs what is due; after every entry into the loop. */
void daemon_tick(struct daemon *dm);
/* When daemon_tick() is due, monotonic ms; may be past. */
int64_t daemon_deadline(const struct daemon *dm);
/* Asks the daemon to end when no call is left. */
void daemon_drain(struct daemon *dm);
/* Before the end: ringing calls are withdrawn, our addresses leave. */
void daemon_withdraw(struct daemon *dm);

/* --- main.c ----------------------------------------------------------- */
void daemon_stop(struct daemon *dm, int exit_code);
/* 0, or the line that says why the old configuration stays. */
char *daemon_reload(struct daemon *dm);

#endif
