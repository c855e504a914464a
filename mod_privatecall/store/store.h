/* store.h: what must outlive the process: calls, legs, visits, contacts,
 * settings, switches, outbox, log. A batch of operations is committed whole
 * or not at all.
 *
 * Two layers: `struct store` is a back end, called from one thread only
 * (sqlite, memory); `struct store_thread` owns the thread that runs it, takes
 * whole batches and reports the number committed (architecture.md,
 * Durability). The control thread never waits on disk but at start and stop.
 */
#ifndef MOD_PRIVATECALL_STORE_STORE_H
#define MOD_PRIVATECALL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows. Strings belong to whoever made the row; a batch copies them. NULL
 * strings are stored as NULL. Times are wall-clock milliseconds since 1970,
 * 0: not yet. */
struct store_call {
	const char *id;            /* UUID */
	const char *caller, *callee;  /* bare JIDs, of the current round */
	unsigned round;            /* 1 = the first ring, then re-entries */
	unsigned media;            /* bit 0 audio, bit 1 video */
	unsigned state;            /* enum call_state */
	int64_t created;           /* the first propose */
	int64_t rung;              /* ring start of this round */
	int64_t answered;          /* first answer of the call */
	int64_t round_answered;    /* answer of this round */
	unsigned mode;             /* enum media_mode of this round */
};
struct store_leg {
	const char *call;          /* call id */
	unsigned side;             /* 0 caller of the round, 1 callee */
	const char *user;          /* bare JID */
	const char *device;        /* full JID answered or calling, or NULL */
	const char *own;           /* bare address we speak from */
	const char *sid;
	unsigned state;            /* enum leg_state */
	unsigned flags;            /* leg's own */
	const char *data;          /* leg's own text (rung devices, contents) */
};
struct store_visit {
	const char *call, *user, *device;
	int64_t from, to;
	const char *reason;
};
struct store_log {                 /* one per attempt, when it ended */
	const char *call;
	unsigned round;
	const char *caller, *callee;
	unsigned media;
	int64_t started, answered, ended;
	const char *result;        /* "answered", "declined", "busy"... */
	const char *reason;        /* Jingle reason, or NULL */
	const char *step;          /* at which it failed, or NULL */
	const char *traffic;       /* read only: as in store_traffic, or NULL */
};
struct store_traffic {             /* of a round through privatecall-media */
	const char *call;
	unsigned round;
	int64_t ended;
	const char *figures;       /* JSON, see privatecallctl(1) */
};
struct store_outbox {
	const char *id;            /* message id, stable over restarts */
	const char *user;          /* bare JID it goes to */
	const char *peer;          /* bare JID it is about, or NULL */
	const char *kind;          /* notice kind: "missed"... */
	const char *subject, *body, *lang;
	int64_t created;
	bool sent;                 /* was given to the link before */
	unsigned count;            /* calls folded into it, >= 1 */
};
struct store_contact {             /* gateway roster */
	const char *user;          /* bare JID of the real user */
	const char *contact;       /* bare JID of ours he subscribed to; our own
				      domain for the service itself */
	bool to;                   /* he gets the contact's presence */
	bool from;                 /* we get his presence */
	bool ask;                  /* our subscribe is unanswered */
};

enum store_op_kind {
	STORE_CALL_PUT,            /* call + no legs; replaces the row */
	STORE_CALL_DEL,            /* key: call id; its legs go too */
	STORE_LEG_PUT,             /* by (call, side) */
	STORE_LEG_DEL,             /* by (call, side) */
	STORE_VISIT_PUT,           /* by (call, user, from) */
	STORE_LOG_PUT,             /* by (call, round) */
	STORE_TRAFFIC_PUT,         /* by (call, round) */
	STORE_OUTBOX_PUT,          /* by id */
	STORE_OUTBOX_DEL,          /* key: id */
	STORE_SETTING_PUT,         /* key: user, name, value; value NULL: del */
	STORE_SWITCH_PUT,          /* name, value; value NULL: del */
	STORE_CONTACT_PUT,         /* by (user, contact) */
	STORE_CONTACT_DEL
};
struct store_op {
	enum store_op_kind kind;
	union {
		struct store_call call;
		struct store_leg leg;
		struct store_visit visit;
		struct store_log log;
		struct store_traffic traffic;
		struct store_outbox outbox;
		struct store_contact contact;
		struct { const char *user, *name, *value; } setting;
		struct { const char *id; } key;
	} u;
};

/* An ordered list of operations with copies of all they hold. */
struct store_batch;
struct store_batch *store_batch_new(void);             /* NULL: no memory */
/* A new one for what comes after `b`, which goes on in the memory that `b`
 * began to fill; `b` is as it was. NULL: no memory. */
struct store_batch *store_batch_next(struct store_batch *b);
void store_batch_free(struct store_batch *b);
/* 0; EINVAL: unknown kind, or NULL in a text of the row's key; ENOMEM. */
int store_batch_add(struct store_batch *b, const struct store_op *op);
size_t store_batch_count(const struct store_batch *b);
size_t store_batch_bytes(const struct store_batch *b);
/* i < count; walks the list: for tests and traces. */
const struct store_op *store_batch_get(const struct store_batch *b, size_t i);
/* Moves all operations of `from` to the end of `to`; needs no memory. */
void store_batch_join(struct store_batch *to, struct store_batch *from);

/* Everything a start needs, handed row by row, in the order calls, legs,
 * outbox (oldest first), settings, switches, contacts; legs only of calls that
 * are there. A NULL handler skips its rows. Non-zero from a handler stops the
 * load and is returned. Strings live until the handler returns. */
struct store_load_handlers {
	int (*call_h)(const struct store_call *, void *arg);
	int (*leg_h)(const struct store_leg *, void *arg);
	int (*outbox_h)(const struct store_outbox *, void *arg);
	int (*setting_h)(const char *user, const char *name,
			 const char *value, void *arg);
	int (*switch_h)(const char *name, const char *value, void *arg);
	int (*contact_h)(const struct store_contact *, void *arg);
};

struct store_log_query {
	const char *user;          /* bare JID on either side, NULL: all */
	const char *call;          /* call id, NULL: all */
	int64_t since;             /* ended at or after; 0: all */
	unsigned limit;            /* newest first; 0: all */
};
typedef int store_log_h(const struct store_log *, void *arg);
typedef int store_visit_h(const struct store_visit *, void *arg);

/* A back end. All return 0 or an errno; on failure *error_r (if not NULL)
 * gets a static or back-end-owned text for the admin. */
struct store;
struct store_vtable {
	/* One transaction. EIO, ENOSPC...: nothing of it is stored. */
	int (*commit)(struct store *s, const struct store_batch *b);
	int (*load)(struct store *s, const struct store_load_handlers *h,
		    void *arg);
	int (*log)(struct store *s, const struct store_log_query *q,
		   store_log_h *h, void *arg);
	int (*visits)(struct store *s, const char *call, store_visit_h *h,
		      void *arg);
	/* Deletes log, traffic and visits older than log_before, outbox rows
	 * older than outbox_before; calls that were left over from before
	 * log_before (none of their times is later) and legs without a
	 * call. */
	int (*prune)(struct store *s, int64_t log_before,
		     int64_t outbox_before);
	void (*close)(struct store *s);
};
struct store {
	const struct store_vtable *v;
	char error[256];           /* of the last failure */
};

/* Opens (creates) the database: WAL, synchronous=FULL, schema version in
 * user_version with forward-only migrations in one transaction, quick_check.
 * 0; EINVAL: schema newer than the program, or corrupt (F07); other errno.
 * *why_r gets one line with the remedy (free() it). */
int store_sqlite_open(const char *path, struct store **store_r, char **why_r);
/* The same in memory, for tests. */
int store_memory_open(struct store **store_r);
/* Lets the next `times` commits and prunes of a memory store fail with err
 * and change nothing; UINT_MAX: all until the next call, 0: none. May be
 * called while a store_thread runs the store. */
void store_memory_fail(struct store *s, int err, unsigned times);

/* The thread. done_h is called ON THE STORE THREAD after each attempt with
 * the highest batch number committed so far (monotonic), an errno (0: fine)
 * and its text; the glue wakes its loop there. After an error the batch is
 * kept and tried again every 200 ms until it commits; later batches wait
 * behind it (joined). */
struct store_thread;
typedef void store_done_h(uint64_t committed, int err, const char *text,
			  void *arg);
int store_thread_start(struct store *s, store_done_h *done_h, void *arg,
		       struct store_thread **t_r);
/* Hands over a batch (ownership too) as number n; n starts at 1 and grows by
 * one each. 0; ENOMEM: batch not taken. Never blocks on disk. An empty batch
 * is reported in its turn. */
int store_thread_push(struct store_thread *t, uint64_t n,
		      struct store_batch *b);
/* Runs `job(s, arg)` on the store thread between commits, then calls
 * done(arg) there. For log queries and prune. 0 or ENOMEM. */
int store_thread_run(struct store_thread *t,
		     void (*job)(struct store *s, void *arg),
		     void (*done)(void *arg), void *arg);
/* Operations and bytes not yet committed. */
void store_thread_backlog(struct store_thread *t, size_t *ops_r,
			  size_t *bytes_r);
/* Commits what is left (at least one attempt, retries for at most `ms`; an
 * attempt under way is waited for), runs the jobs left, ends the thread.
 * done_h may be called meanwhile. Does not close the store. 0; the last error:
 * not all is committed, the rest is lost. */
int store_thread_stop(struct store_thread *t, int ms);

#endif
