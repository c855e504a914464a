/* drivers.c: the daemon's outside, replaced: clock, randomness, link and store
 * thread. They have the names of the real ones and come before the library in
 * which those are, as clock_test.c comes before clock.c.
 *
 * A crash strikes at an action boundary: a counter runs down with each send
 * and each batch, and from zero on nothing the daemon does has any effect
 * (`dead`), which is what kill -9 at that point leaves. The turn's sends are
 * one write at its end, so the process may also die with them unsent.
 *
 * The store commits whole batches, in order, as SQLite does; what was pushed
 * and not yet committed is the un-synced tail, of which a crash leaves a
 * prefix of whole batches (a torn one is rolled back by the journal).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/daemon/clock.h"
#include "tests/sim/sim.h"

#define RETRY_MS 200               /* as store_thread.c */

struct pushed {
	struct pushed *next;
	uint64_t n;
	struct store_batch *batch;
};

struct ping {
	struct ping *next;
	uint64_t number;
	void (*done_h)(bool ok, void *arg);
	void *arg;
};

static struct store *memory;
static struct pushed *queue, **queue_end = &queue;
static size_t queue_ops, queue_bytes, queue_n;
static store_done_h *done_h;
static void *done_arg;
static uint64_t committed;
static int64_t stalled_until, full_until, push_time, troubled_at;
static uint64_t pushed_last, degraded_n;
static bool scheduled, degraded;
static struct ping *pings, **pings_end = &pings;
static uint64_t ping_number;

/* --- clock and randomness --------------------------------------------- */

int64_t clock_now(void)
{
	return W.now;
}

int64_t clock_wall(void)
{
	return W.now + W.wall_offset;
}

uint64_t uv_hrtime(void)
{
	return (uint64_t)W.now * 1000000;
}

ssize_t getrandom(void *to, size_t n, unsigned flags)
{
	unsigned char *at = to;
	size_t left = n, part;
	uint64_t r;

	(void)flags;
	for (; left; left -= part) {
		r = chance(R_ENTROPY);
		part = left < sizeof(r) ? left : sizeof(r);
		memcpy(at, &r, part);
		at += part;
	}
	return (ssize_t)n;
}

/* --- what only the admin reads: judged by nobody here, and dear -------- */

void trace_words(struct call_entry *e, const char *mark, const char *words,
		 const char *more)
{
	(void)e, (void)mark, (void)words, (void)more;
}

void trace_stanza(struct call_entry *e, const char *mark,
		  const struct xml_elem *stanza)
{
	(void)e, (void)mark, (void)stanza;
}

char *trace_text(const struct call_entry *e)
{
	(void)e;
	return NULL;
}

void trace_free(struct call_entry *e)
{
	(void)e;
}

const char log_jid[] = "@";

void log_setup(enum log_privacy privacy, const char *salt)
{
	(void)privacy, (void)salt;
}

void log_set_privacy(enum log_privacy privacy)
{
	(void)privacy;
}

void log_line(enum log_level level, const char *message, ...)
{
	(void)level, (void)message;
}

bool log_allowed(struct log_rate *r, int64_t now)
{
	(void)r, (void)now;
	return true;
}

/* --- what main.c has for the daemon ----------------------------------- */

int uv_async_send(uv_async_t *async)
{
	(void)async;
	W.async = true;
	return 0;
}

void daemon_stop(struct daemon *dm, int exit_code)
{
	(void)exit_code;
	if (dm->stopping)
		return;
	daemon_withdraw(dm);
	dm->stopping = true;
	W.leaving = true;
	world_event(W.now + 2000, E_LEFT, 0, NULL);
}

/* --- crash ------------------------------------------------------------ */

/* Before something leaves the process. False: it never does. */
static bool lives(void)
{
	if (W.dead || !W.running)
		return false;
	if (!W.crash_in || --W.crash_in)
		return true;
	W.dead = true;
	return false;
}

/* --- the link --------------------------------------------------------- */

enum link_state link_state(const struct link *l)
{
	(void)l;
	return W.link_up ? LINK_UP : LINK_DOWN;
}

static void keep_out(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (W.outs_n == W.outs_cap) {
		W.outs_cap = W.outs_cap ? 2 * W.outs_cap : 64;
		W.outs = realloc(W.outs, W.outs_cap * sizeof(*W.outs));
	}
	if (!copy || !W.outs)
		abort();
	memcpy(copy, text, len);
	copy[len] = 0;
	W.outs[W.outs_n++] = copy;
}

int link_send_text(struct link *l, const char *text, size_t len, bool urgent)
{
	(void)l, (void)urgent;
	if (!W.link_up)
		return ENOTCONN;
	if (lives())
		keep_out(text, len);
	return 0;
}

int link_send(struct link *l, const struct xml_elem *stanza, bool urgent)
{
	static struct arena *scratch;
	size_t len;
	char *text;

	if (!W.link_up)
		return ENOTCONN;
	if (!scratch)
		scratch = arena_new(0);
	text = xml_write(scratch, stanza, NS_COMPONENT, &len);
	if (!text)
		abort();
	link_send_text(l, text, len, urgent);
	arena_reset(scratch);
	return 0;
}

int link_barrier(struct link *l, void (*done)(bool ok, void *arg), void *arg)
{
	struct ping *p;

	(void)l;
	if (!W.link_up)
		return ENOTCONN;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->number = ++ping_number;
	p->done_h = done;
	p->arg = arg;
	*pings_end = p;
	pings_end = &p->next;
	if (lives()) {
		char text[32];

		/* Its place among the sends of the turn. */
		snprintf(text, sizeof(text), "ping %llu",
			 (unsigned long long)p->number);
		keep_out(text, strlen(text));
	}
	return 0;
}

int64_t link_next_attempt(const struct link *l)
{
	(void)l;
	return -1;
}

bool link_crowded(const struct link *l)
{
	(void)l;
	return W.crowded;
}

void link_pause(struct link *l, bool pause)
{
	(void)l, (void)pause;
}

void link_counters(const struct link *l, struct link_counters *c_r)
{
	(void)l;
	memset(c_r, 0, sizeof(*c_r));
}

/* The server answered ping `number`, or the link was cut: all of them. */
void link_pong(bool ok, uint64_t number)
{
	struct ping **at = &pings, *p;

	while ((p = *at)) {
		if (ok && p->number != number) {
			at = &p->next;
			continue;
		}
		*at = p->next;
		if (!p->next)
			pings_end = at;
		p->done_h(ok, p->arg);
		free(p);
		if (ok)
			return;
	}
}

void link_cut(void)
{
	W.link_up = W.hole = W.crowded = false;
}

/* --- the store thread ------------------------------------------------- */

struct store *store_memory(void)
{
	return memory;
}

size_t store_waiting(void)
{
	return queue_n;
}

static void schedule(int64_t at)
{
	if (scheduled || !queue)
		return;
	scheduled = true;
	world_event(at, E_COMMIT, 0, NULL);
}

int store_thread_start(struct store *s, store_done_h *done, void *arg,
		       struct store_thread **t_r)
{
	(void)s;
	done_h = done;
	done_arg = arg;
	committed = pushed_last = degraded_n = 0;
	push_time = 0;
	degraded = false;
	*t_r = (struct store_thread *)&memory;
	return 0;
}

/* What waits, or fails, or has for a second: the daemon may know. */
bool store_degraded(void)
{
	if (push_time && W.now >= push_time + 1000)
		degraded = true;
	return degraded;
}

int store_thread_push(struct store_thread *t, uint64_t n,
		      struct store_batch *b)
{
	struct pushed *p;

	(void)t;
	if (!lives()) {
		store_batch_free(b);
		return 0;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->n = n;
	p->batch = b;
	*queue_end = p;
	queue_end = &p->next;
	queue_n++;
	queue_ops += store_batch_count(b);
	queue_bytes += store_batch_bytes(b);
	pushed_last = n;
	if (!push_time)
		push_time = W.now;
	watch_pushed(b);
	schedule(W.now + below(R_NET, 4));
	return 0;
}

static struct pushed *take(void)
{
	struct pushed *p = queue;

	queue = p->next;
	if (!queue)
		queue_end = &queue;
	queue_n--;
	queue_ops -= store_batch_count(p->batch);
	queue_bytes -= store_batch_bytes(p->batch);
	return p;
}

static void drop(struct pushed *p)
{
	store_batch_free(p->batch);
	free(p);
}

static uint64_t commit_one(void)
{
	struct pushed *p = take();
	uint64_t n = p->n;

	if (memory->v->commit(memory, p->batch))
		abort();
	W.count.commits++;
	watch_committed(p->batch);
	drop(p);
	return n;
}

/* What is to be sent may have to wait: for the disk, or for the server. */
bool store_troubled(void)
{
	return W.now < stalled_until || W.now < full_until || W.crowded;
}

/* When it last was. */
int64_t store_troubled_at(void)
{
	if (store_troubled())
		troubled_at = W.now;
	return troubled_at;
}

/* The thread's turn: all that waits, in one transaction. */
void store_attempt(void)
{
	scheduled = false;
	if (!queue)
		return;
	if (W.now < stalled_until) {
		schedule(stalled_until);
		return;
	}
	if (W.now < full_until) {
		troubled_at = W.now;
		degraded = true;
		degraded_n = pushed_last;
		schedule(W.now + RETRY_MS);
		done_h(committed, ENOSPC, "disk full", done_arg);
		return;
	}
	if (store_degraded())
		degraded_n = degraded_n ? degraded_n : pushed_last;
	while (queue)
		committed = commit_one();
	push_time = 0;
	if (committed >= degraded_n) {
		degraded = false;
		degraded_n = 0;
	}
	done_h(committed, 0, "", done_arg);
}

int store_thread_run(struct store_thread *t,
		     void (*job)(struct store *s, void *arg),
		     void (*done)(void *arg), void *arg)
{
	(void)t;
	job(memory, arg);
	done(arg);
	return 0;
}

void store_thread_backlog(struct store_thread *t, size_t *ops_r,
			  size_t *bytes_r)
{
	(void)t;
	*ops_r = queue_ops;
	*bytes_r = queue_bytes;
}

/* A polite stop waits for the disk, a crash was there before. */
int store_thread_stop(struct store_thread *t, int ms)
{
	(void)t, (void)ms;
	if (W.now < full_until || W.now < stalled_until - ms)
		return queue ? ENOSPC : 0;
	while (queue && !W.dead)
		commit_one();
	return 0;
}

void store_stall(int64_t ms)
{
	stalled_until = W.now + ms;
	troubled_at = stalled_until;
}

void store_full(int64_t ms)
{
	full_until = W.now + ms;
	troubled_at = full_until;
}

/* The process is gone: of what was on its way to the disk, a prefix is
 * there. */
void drivers_crash(void)
{
	struct ping *p;

	while (queue && W.now >= full_until && below(R_FAULT, 2))
		commit_one();
	while (queue)
		drop(take());
	push_time = 0;
	degraded = false;
	while ((p = pings)) {
		pings = p->next;
		p->done_h(false, p->arg);
		free(p);
	}
	pings_end = &pings;
}

void drivers_reset(void)
{
	if (store_memory_open(&memory))
		abort();
	stalled_until = full_until = troubled_at = 0;
	scheduled = false;
	ping_number = 0;
}

void drivers_free(void)
{
	while (queue)
		drop(take());
	memory->v->close(memory);
	memory = NULL;
}
