/* hold.c: nothing leaves before what it depends on is stored (architecture.md,
 * Durability; F02, F06).
 *
 * Operations go into the open batch; it is pushed to the store thread before
 * the loop sleeps. What must wait stands in one queue in order of batch
 * numbers. When the store fails, or is silent for a second, the daemon is
 * degraded: sends are released, operations stay with the store thread, which
 * tries again.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/daemon/clock.h"

#define STALL_MS 1000

struct held {
	struct held *next;
	uint64_t need;
	struct call_entry *entry;  /* NULL: freed meanwhile, or none */
	unsigned side;
	bool opens, urgent;
	size_t len;
	char text[];
};

static void on_done(uint64_t committed, int err, const char *text, void *arg)
{
	struct daemon *dm = arg;

	(void)text;
	atomic_store(&dm->thread_committed, committed);
	atomic_store(&dm->thread_error, err);
	uv_async_send(&dm->committed_async);
}

int hold_start(struct daemon *dm)
{
	dm->open = store_batch_new();
	dm->open_n = 1;
	if (!dm->open)
		return ENOMEM;
	return store_thread_start(dm->store, on_done, dm, &dm->thread);
}

bool hold_stored(const struct daemon *dm, uint64_t n)
{
	return n <= dm->committed_n || dm->degraded;
}

bool hold_settled(const struct daemon *dm)
{
	return !dm->held_first && !store_batch_count(dm->open) &&
	       dm->committed_n == dm->pushed_n;
}

uint64_t hold_store(struct daemon *dm, const struct store_op *op)
{
	size_t ops, bytes;

	store_thread_backlog(dm->thread, &ops, &bytes);
	if (bytes > DAEMON_BACKLOG_BYTES && op->kind == STORE_LOG_PUT)
		return dm->open_n;     /* the log gives way first */
	if (store_batch_add(dm->open, op))
		log_line(LOG_ERROR, "out of memory for an operation of the "
			 "store", NULL);
	return dm->open_n;
}

static void give(struct daemon *dm, const char *text, size_t len, bool urgent)
{
	int rc = link_send_text(dm->link, text, len, urgent);
	static struct log_rate rate;

	if (rc && rc != ENOTCONN && log_allowed(&rate, clock_now()))
		log_line(LOG_WARN, "a stanza was not sent", "why",
			 strerror(rc), NULL);
}

void hold_send(struct daemon *dm, struct call_entry *e,
	       const struct call_action *a, uint64_t n)
{
	bool urgent = a->class != LEG_SEND_HELD;
	struct arena *arena = arena_new(DAEMON_ARENA_BYTES);
	char *text;
	size_t len;
	struct held *h;

	text = arena ? xml_write(arena, a->stanza, NS_COMPONENT, &len) : NULL;
	if (!text) {
		log_line(LOG_ERROR, "out of memory for a stanza", NULL);
	} else if (!n || hold_stored(dm, n)) {
		give(dm, text, len, urgent);
	} else if ((h = malloc(sizeof(*h) + len + 1))) {
		memset(h, 0, sizeof(*h));
		h->need = n;
		h->entry = e;
		h->side = a->side;
		h->opens = a->opens;
		h->urgent = urgent;
		h->len = len;
		memcpy(h->text, text, len + 1);
		if (dm->held_last)
			dm->held_last->next = h;
		else
			dm->held_first = h;
		dm->held_last = h;
		dm->count.held++;
		if (e) {
			e->held++;
			e->held_opens[h->side] += h->opens;
		}
	}
	arena_free(arena);
}

void hold_forget(struct daemon *dm, const struct call_entry *e)
{
	struct held *h;

	for (h = dm->held_first; h; h = h->next)
		if (h->entry == e)
			h->entry = NULL;
}

static void release(struct daemon *dm)
{
	struct held *h;

	while ((h = dm->held_first) && hold_stored(dm, h->need)) {
		dm->held_first = h->next;
		if (!h->next)
			dm->held_last = NULL;
		if (h->entry) {
			h->entry->held--;
			h->entry->held_opens[h->side] -= h->opens;
		}
		give(dm, h->text, h->len, h->urgent);
		free(h);
	}
	notices_committed(dm);
}

static void set_degraded(struct daemon *dm, bool on, const char *why)
{
	if (dm->degraded == on)
		return;
	dm->degraded = on;
	if (on) {
		dm->count.degraded++;
		log_line(LOG_ERROR, "the database does not take writes; calls "
			 "go on, their records are kept in memory and tried "
			 "again", "why", why, "database", dm->conf->database,
			 NULL);
	} else {
		log_line(LOG_WARN, "the database takes writes again, all "
			 "records are stored", NULL);
	}
}

void hold_flush(struct daemon *dm)
{
	struct store_batch *next;

	if (!store_batch_count(dm->open))
		return;
	next = store_batch_new();
	if (!next)
		return;                /* the open one is pushed next time */
	if (store_thread_push(dm->thread, dm->open_n, dm->open)) {
		store_batch_free(next);
		return;
	}
	dm->pushed_n = dm->open_n++;
	dm->open = next;
	if (!dm->push_time)
		dm->push_time = clock_now();
}

void hold_on_committed(struct daemon *dm)
{
	uint64_t n = atomic_load(&dm->thread_committed);
	int err = atomic_load(&dm->thread_error);

	if (n > dm->committed_n) {
		dm->committed_n = n;
		dm->push_time = n < dm->pushed_n ? clock_now() : 0;
	}
	if (err)
		set_degraded(dm, true, strerror(err));
	else if (dm->committed_n == dm->pushed_n)
		set_degraded(dm, false, NULL);
	release(dm);
}

int64_t hold_deadline(const struct daemon *dm)
{
	return dm->push_time && !dm->degraded ? dm->push_time + STALL_MS :
						INT64_MAX;
}

void hold_tick(struct daemon *dm, int64_t now)
{
	if (now < hold_deadline(dm))
		return;
	set_degraded(dm, true, "no answer for a second");
	release(dm);
}

void hold_stop(struct daemon *dm)
{
	struct held *h;
	int rc;

	if (!dm->thread)
		return;
	hold_flush(dm);
	rc = store_thread_stop(dm->thread, 5000);
	if (rc)
		log_line(LOG_ERROR, "records were not stored at the end",
			 "why", strerror(rc), NULL);
	dm->thread = NULL;
	while ((h = dm->held_first)) {
		dm->held_first = h->next;
		give(dm, h->text, h->len, true);
		free(h);
	}
	dm->held_last = NULL;
	store_batch_free(dm->open);
	dm->open = NULL;
}
