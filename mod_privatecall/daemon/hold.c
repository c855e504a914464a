/* hold.c: nothing leaves before what it depends on is stored (architecture.md,
 * Durability; F02, F06).
 *
 * Operations go into the open batch; it is pushed to the store thread before
 * the loop sleeps. What must wait stands in one queue in order of batch
 * numbers. When the store fails, or is silent for a second, the daemon is
 * degraded: sends are released, operations stay with the store thread, which
 * tries again. While the link is down the queue stands, so that no device
 * rings on because its retract fell into the gap.
 *
 * When much waits for the disk, or for the server to take it, the server is not
 * read from: thousands who call at once wait a little. What is held stays here,
 * in its order, until the server has taken some of what was sent.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/jingle.h"
#include "jingle/stanza/ns.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/daemon/clock.h"

#define STALL_MS 1000
#define HELD_BYTES (16u << 20)     /* of stanzas waiting */
#define PAUSE_BYTES (HELD_BYTES / 2) /* of them: no more is read */

struct hold_wait {
	struct hold_wait *next;
	uint64_t n;
	void (*done)(bool stored, void *arg);
	void *arg;
};

struct held {
	struct held *next;
	uint64_t need;
	struct call_entry *entry;  /* NULL: freed meanwhile, or none */
	unsigned side;
	bool opens, initiates, urgent;
	bool proposes;             /* its session is "TO\nID" of a propose */
	bool rings;                /* tells the caller that it rings */
	bool taken_back;           /* the ringing ended first: not sent */
	bool ends;                 /* an end of a dialogue: always sent */
	size_t size;               /* of all of it */
	size_t len;
	const char *session;       /* behind the text; NULL: of none */
	char text[];
};

/* The disk is not on the test clock: a jump of that is no stall. */
static int64_t real_now(void)
{
	return (int64_t)(uv_hrtime() / 1000000);
}

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
	dm->written = arena_new(DAEMON_ARENA_BYTES);
	if (!dm->open || !dm->written)
		return ENOMEM;
	return store_thread_start(dm->store, on_done, dm, &dm->thread);
}

bool hold_stored(const struct daemon *dm, uint64_t n)
{
	return n <= dm->committed_n || dm->degraded;
}

bool hold_linked(const struct daemon *dm)
{
	return dm->link && link_state(dm->link) == LINK_UP;
}

/* Stanzas may leave in their order: none waits for the server. */
static bool link_takes(const struct daemon *dm)
{
	return hold_linked(dm) && !link_crowded(dm->link);
}

bool hold_settled(const struct daemon *dm)
{
	return (!dm->held_first || !hold_linked(dm)) && dm->thread &&
	       !store_batch_count(dm->open) &&
	       dm->committed_n == dm->pushed_n;
}

uint64_t hold_store(struct daemon *dm, const struct store_op *op)
{
	size_t ops, bytes;
	int rc;

	if (!dm->thread)
		return 0;              /* the end: nothing is stored any more */
	store_thread_backlog(dm->thread, &ops, &bytes);
	if (bytes > DAEMON_BACKLOG_BYTES &&
	    (op->kind == STORE_LOG_PUT || op->kind == STORE_TRAFFIC_PUT))
		return dm->open_n;     /* the log gives way first */
	rc = store_batch_add(dm->open, op);
	if (rc)
		log_line(LOG_ERROR, "an operation of the store is lost",
			 "why", strerror(rc), NULL);
	return dm->open_n;
}

static void unsent(struct daemon *dm, int rc)
{
	if (log_allowed(&dm->rate_unsent, clock_now()))
		log_line(LOG_WARN, "a stanza was not sent", "why",
			 strerror(rc), NULL);
}

static void give(struct daemon *dm, const char *text, size_t len, bool urgent)
{
	int rc = link_send_text(dm->link, text, len, urgent);

	if (rc)
		unsent(dm, rc);
}

/* Behind all that need no more than it does: so one call's stanzas keep their
 * order, and none waits for a batch of another call. */
static void enqueue(struct daemon *dm, struct held *h)
{
	struct held **at = &dm->held_first;

	if (dm->held_last && dm->held_last->need <= h->need)
		at = &dm->held_last->next;
	while (*at && (*at)->need <= h->need)
		at = &(*at)->next;
	h->next = *at;
	*at = h;
	if (!h->next)
		dm->held_last = h;
	dm->held_bytes += h->len;
	dm->count.held++;
	if (h->entry) {
		h->entry->held++;
		h->entry->held_opens[h->side] += h->opens;
	}
}

struct session {                   /* what a stanza belongs to */
	const char *key;           /* device and sid; NULL: to none */
	bool starts, ends;         /* a Jingle session */
	bool proposes, retracts;   /* a ringing */
	bool rings;                /* is told of it */
	bool closes;               /* a JMI dialogue */
};

static const char *key_of(struct arena *arena, const char *to, const char *id)
{
	return to && id ? arena_join(arena, to, "\n", id) : NULL;
}

static struct session ringing_of(struct arena *arena,
				 const struct xml_elem *e)
{
	const struct xml_elem *j = xml_child(e, NS_JMI, NULL);
	struct session s = { .proposes = xml_is(j, NS_JMI, "propose"),
			     .retracts = xml_is(j, NS_JMI, "retract"),
			     .rings = xml_is(j, NS_JMI, "ringing"),
			     .closes = xml_is(j, NS_JMI, "reject") ||
				       xml_is(j, NS_JMI, "finish") };

	if (j)
		s.key = key_of(arena, xml_get(e, "to"), xml_get(j, "id"));
	return s;
}

static struct session session_of(struct arena *arena,
				 const struct xml_elem *e)
{
	const struct xml_elem *j = xml_child(e, NS_JINGLE, "jingle");
	const char *to = xml_get(e, "to"), *sid = xml_get(j, "sid");
	const char *action = xml_get(j, "action");
	struct session s = { .key = NULL };

	if (!j)
		return ringing_of(arena, e);
	if (!to || !sid || !action)
		return s;
	s.key = key_of(arena, to, sid);
	s.starts = strcmp(action, jingle_action_name(
			  JINGLE_SESSION_INITIATE)) == 0;
	s.ends = strcmp(action, jingle_action_name(
			JINGLE_SESSION_TERMINATE)) == 0;
	return s;
}

static void set_pace(struct daemon *dm)
{
	if (hold_linked(dm))
		link_pause(dm->link, dm->held_bytes > PAUSE_BYTES ||
				     link_crowded(dm->link));
}

/* `need` 0: it waits for the link alone. */
static int keep(struct daemon *dm, struct call_entry *e,
		const struct call_action *a, uint64_t need, const char *text,
		const struct session *s)
{
	size_t len = strlen(text);
	size_t more = s->key ? strlen(s->key) + 1 : 0;
	size_t size = sizeof(struct held) + len + 1 + more;
	struct held *h;

	if (dm->held_bytes + len > HELD_BYTES)
		return ENOBUFS;
	h = spare_take(&dm->spares, size);
	if (!h)
		return ENOMEM;
	memset(h, 0, sizeof(*h));
	h->size = size;
	h->need = need > dm->committed_n ? need : dm->committed_n;
	h->entry = e;
	h->side = a->side;
	h->opens = a->opens;
	h->urgent = a->class != LEG_SEND_HELD;
	h->len = len;
	memcpy(h->text, text, len + 1);
	h->initiates = s->starts;
	h->proposes = s->proposes;
	h->rings = s->rings;
	h->ends = s->retracts || s->closes;
	if (s->key)
		h->session = memcpy(h->text + len + 1, s->key, more);
	enqueue(dm, h);
	return 0;
}

/* Takes one out of the queue; it is the caller's then. */
static struct held *take(struct daemon *dm, struct held **at,
			 struct held *before)
{
	struct held *h = *at;

	*at = h->next;
	if (dm->held_last == h)
		dm->held_last = before;
	dm->held_bytes -= h->len;
	if (h->entry) {
		h->entry->held--;
		h->entry->held_opens[h->side] -= h->opens;
	}
	return h;
}

/* Not of another call that a client began by the same id. */
static bool is_of(const struct held *h, const struct call_entry *e,
		  const char *session)
{
	return h->session && (!h->entry || h->entry == e) &&
	       strcmp(h->session, session) == 0;
}

/* A session, or a dialogue with a caller, ends of which something is still
 * held: that never leaves, and the end need not wait for it. True: its
 * session-initiate was among it, so that the device has never heard of the
 * session. Its other end does leave: a call that Dino makes is ended by nothing
 * but the reject. */
static bool drop_session(struct daemon *dm, const struct call_entry *e,
			 const char *session)
{
	struct held **at = &dm->held_first, *before = NULL, *h;
	bool unheard = false;

	/* With thousands of calls up the queue is long, and mostly theirs. */
	while (e->held && (h = *at)) {
		if (h->ends || !is_of(h, e, session)) {
			before = h;
			at = &h->next;
			continue;
		}
		h = take(dm, at, before);
		unheard = unheard || h->initiates;
		spare_give(&dm->spares, h, h->size);
	}
	return unheard;
}

/* The propose of `key` rings the device of the retract `other`: both are
 * "TO\nID", and a propose to the bare JID is for every device. */
static bool rings(const char *key, const char *other)
{
	size_t n = strcspn(key, "\n");

	if (strncmp(key, other, n) != 0)
		return false;
	if (!memchr(key, '/', n) && other[n] == '/')
		other += strcspn(other, "\n") - n;
	return strcmp(key + n, other + n) == 0;
}

/* A ringing ends whose propose is still held: nobody is to hear of either.
 * The propose stays in its place, unsent, for the retracts of all devices. */
static bool take_back(struct daemon *dm, const struct call_entry *e,
		      const char *retract)
{
	bool unheard = false;
	struct held *h;

	for (h = e->held ? dm->held_first : NULL; h; h = h->next)
		if (h->proposes && rings(h->session, retract))
			h->taken_back = unheard = true;
	return unheard;
}

/* An end goes past what waits for the server to take it: what it ends of that
 * is dropped, so their order does not matter. */
static bool passes(const struct call_action *a, const struct session *s)
{
	return s->ends || s->retracts ||
	       (s->closes && a->class != LEG_SEND_HELD);
}

void hold_send(struct daemon *dm, struct call_entry *e,
	       const struct call_action *a, uint64_t n)
{
	struct arena *arena = dm->written;
	struct session s = { .key = NULL };
	bool unheard = false, waits;
	char *text;
	size_t len;
	int rc = 0;

	text = xml_write(arena, uplink_stanza(dm, arena, a->stanza),
			 NS_COMPONENT, &len);
	if (text)
		s = session_of(arena, a->stanza);
	/* Without memory for the key it belongs to nothing. */
	if (!s.key)
		memset(&s, 0, sizeof(s));
	if (s.ends) {
		unheard = drop_session(dm, e, s.key);
		n = 0;
	} else if (s.retracts) {
		unheard = take_back(dm, e, s.key);
	} else if (s.closes && a->class != LEG_SEND_HELD) {
		drop_session(dm, e, s.key);    /* no proceed behind it */
	}
	waits = a->class != LEG_SEND_FREE &&
		!(passes(a, &s) ? hold_linked(dm) : link_takes(dm));
	if (!text)
		rc = ENOMEM;
	else if (!unheard && (waits || !hold_stored(dm, n)))
		rc = keep(dm, e, a, n, text, &s);
	else if (!unheard)
		give(dm, text, len, a->class != LEG_SEND_HELD);
	if (rc)
		unsent(dm, rc);
	set_pace(dm);
	arena_reset(arena);
}

void hold_ring_over(struct daemon *dm, const struct call_entry *e)
{
	bool answered = call_is_live(&e->call);
	struct held *h;

	for (h = dm->held_first; h; h = h->next)
		if (h->entry == e && (h->proposes || (h->rings && !answered)))
			h->taken_back = true;
}

void hold_hurry(struct daemon *dm, const struct call_entry *e)
{
	struct held **at = &dm->held_first, *before = NULL, *h;

	while (hold_linked(dm) && e->held && (h = *at)) {
		if (h->entry != e || !h->ends) {
			before = h;
			at = &h->next;
			continue;
		}
		h = take(dm, at, before);
		give(dm, h->text, h->len, true);
		drop_session(dm, e, h->session);       /* nothing behind it */
		spare_give(&dm->spares, h, h->size);
		at = &dm->held_first;
		before = NULL;
	}
}

void hold_forget(struct daemon *dm, const struct call_entry *e)
{
	struct held *h;

	for (h = e->held ? dm->held_first : NULL; h; h = h->next)
		if (h->entry == e)
			h->entry = NULL;
}

static void pop(struct daemon *dm)
{
	struct held *h = take(dm, &dm->held_first, NULL);

	if (!h->taken_back)
		give(dm, h->text, h->len, h->urgent);
	spare_give(&dm->spares, h, h->size);
}

static void tell(struct daemon *dm, bool all)
{
	struct hold_wait *w;

	while ((w = dm->hold_first) && (all || hold_stored(dm, w->n))) {
		dm->hold_first = w->next;
		if (!w->next)
			dm->hold_last = NULL;
		w->done(w->n <= dm->committed_n, w->arg);
		free(w);
	}
}

static void release(struct daemon *dm)
{
	while (dm->held_first && link_takes(dm) &&
	       hold_stored(dm, dm->held_first->need))
		pop(dm);
	set_pace(dm);
	tell(dm, false);
	notices_committed(dm);
}

void hold_link_ready(struct daemon *dm)
{
	release(dm);
}

void hold_when(struct daemon *dm, uint64_t n,
	       void (*done)(bool stored, void *arg), void *arg)
{
	struct hold_wait *w = calloc(1, sizeof(*w));

	if (!w) {
		done(false, arg);
		return;
	}
	w->n = n;
	w->done = done;
	w->arg = arg;
	if (dm->hold_last)
		dm->hold_last->next = w;
	else
		dm->hold_first = w;
	dm->hold_last = w;
}

static void set_degraded(struct daemon *dm, bool on, const char *why)
{
	if (dm->degraded == on)
		return;
	dm->degraded = on;
	if (on) {
		dm->degraded_n = dm->pushed_n;
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

/* Hands the open batch over; `next`, NULL at the end, is open then. */
static void push(struct daemon *dm, struct store_batch *next)
{
	if (store_thread_push(dm->thread, dm->open_n, dm->open)) {
		store_batch_free(next);
		return;                /* it is pushed next time */
	}
	dm->pushed_n = dm->open_n++;
	dm->open = next;
	if (!dm->push_time)
		dm->push_time = real_now();
}

void hold_flush(struct daemon *dm)
{
	struct store_batch *next;

	if (!dm->thread || !store_batch_count(dm->open))
		return;
	next = store_batch_next(dm->open);
	if (next)                      /* else it is pushed next time */
		push(dm, next);
}

void hold_on_committed(struct daemon *dm)
{
	uint64_t n = atomic_load(&dm->thread_committed);
	int err = atomic_load(&dm->thread_error);

	if (n > dm->committed_n) {
		dm->committed_n = n;
		dm->push_time = n < dm->pushed_n ? real_now() : 0;
	}
	if (err)
		set_degraded(dm, true, strerror(err));
	else if (dm->committed_n >= dm->degraded_n)
		set_degraded(dm, false, NULL);
	release(dm);
}

/* In the time of clock_now(), as all deadlines of the loop. */
int64_t hold_deadline(const struct daemon *dm)
{
	if (!dm->push_time || dm->degraded)
		return INT64_MAX;
	return clock_now() + dm->push_time + STALL_MS - real_now();
}

void hold_tick(struct daemon *dm)
{
	if (!dm->push_time || real_now() < dm->push_time + STALL_MS)
		return;
	set_degraded(dm, true, "no answer for a second");
	release(dm);
}

void hold_stop(struct daemon *dm)
{
	int rc;

	if (!dm->thread)
		return;
	if (store_batch_count(dm->open))
		push(dm, NULL);
	rc = store_thread_stop(dm->thread, 5000);
	if (rc)
		log_line(LOG_ERROR, "records were not stored at the end",
			 "why", strerror(rc), NULL);
	else
		dm->committed_n = dm->pushed_n;
	dm->thread = NULL;
	tell(dm, true);
	while (dm->held_first)
		pop(dm);
	store_batch_free(dm->open);
	dm->open = NULL;
}
