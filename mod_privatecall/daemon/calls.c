/* calls.c: the registry of calls, and the executor of their actions. */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/daemon/heap.h"

#define TRACE_BYTES 6144           /* per call */
#define TRACE_LINE 240

/* --- the registry ----------------------------------------------------- */

static char *pair_key(const char *a, const char *b)
{
	const char *low = strcmp(a, b) <= 0 ? a : b;
	const char *high = low == a ? b : a;
	char *key;

	return asprintf(&key, "%s\n%s", low, high) < 0 ? NULL : key;
}

static void drop(struct daemon *dm, struct call_entry *e)
{
	heap_remove(dm, e);
	HASH_DELETE(hh_pair, dm->by_pair, e);
	if (e->id[0])
		HASH_DELETE(hh_id, dm->by_id, e);
	hold_forget(dm, e);
	call_clear(&e->call);
	free(e->trace);
	free(e->pair);
	free(e);
}

void calls_register_id(struct call_entry *e)
{
	struct daemon *dm = e->dm;

	if (strcmp(e->id, e->call.id) == 0)
		return;
	if (e->id[0])
		HASH_DELETE(hh_id, dm->by_id, e);
	memcpy(e->id, e->call.id, sizeof(e->id));
	if (e->id[0])
		HASH_ADD(hh_id, dm->by_id, id, strlen(e->id), e);
}

static int contact_of(struct daemon *dm, struct arena *a, const char *bare,
		      struct jid *r)
{
	struct jid user;
	int rc = jid_parse(a, bare, &user);

	return rc ? rc : address_contact(a, dm->gateway, &user, r);
}

static struct call_entry *make_entry(struct daemon *dm, const char *a,
				     const char *b)
{
	const char *low = strcmp(a, b) <= 0 ? a : b;
	const char *users[2] = { low, low == a ? b : a };
	struct call_entry *e = calloc(1, sizeof(*e));
	struct arena *arena = arena_new(0);
	struct jid seen[2];
	const char *own[2];

	if (!e || !arena || contact_of(dm, arena, users[1], &seen[0]) ||
	    contact_of(dm, arena, users[0], &seen[1]))
		goto fail;
	own[0] = seen[0].bare;
	own[1] = seen[1].bare;
	e->dm = dm;
	e->pair = pair_key(a, b);
	if (!e->pair || call_init(&e->call, users, own, true)) {
		call_clear(&e->call);
		free(e->pair);
		goto fail;
	}
	HASH_ADD_KEYPTR(hh_pair, dm->by_pair, e->pair, strlen(e->pair), e);
	arena_free(arena);
	return e;
fail:
	arena_free(arena);
	free(e);
	return NULL;
}

struct call_entry *calls_get(struct daemon *dm, const char *a, const char *b,
			     bool make)
{
	struct call_entry *e = NULL;
	char *key = pair_key(a, b);

	if (!key)
		return NULL;
	HASH_FIND(hh_pair, dm->by_pair, key, strlen(key), e);
	free(key);
	return e || !make ? e : make_entry(dm, a, b);
}

struct call_entry *calls_add_restored(struct daemon *dm, const char *a,
				      const char *b)
{
	return calls_get(dm, a, b, true);
}

struct call_entry *calls_find(struct daemon *dm, const char *prefix)
{
	struct call_entry *e = NULL, *next, *found = NULL;

	HASH_FIND(hh_id, dm->by_id, prefix, strlen(prefix), e);
	if (e || strlen(prefix) < 4)
		return e;
	HASH_ITER(hh_id, dm->by_id, e, next) {
		if (strncmp(e->id, prefix, strlen(prefix)) != 0)
			continue;
		if (found)
			return NULL;   /* ambiguous */
		found = e;
	}
	return found;
}

struct call_entry *calls_next(struct daemon *dm, struct call_entry *after)
{
	return after ? after->hh_pair.next : dm->by_pair;
}

unsigned calls_live(const struct daemon *dm)
{
	struct call_entry *e;
	unsigned n = 0;

	for (e = dm->by_pair; e; e = e->hh_pair.next)
		n += call_is_live(&e->call);
	return n;
}

bool calls_user_busy(struct daemon *dm, const char *user, const char *but)
{
	struct call_entry *e;
	int side;

	for (e = dm->by_pair; e; e = e->hh_pair.next) {
		side = call_side(&e->call, user);
		if (side >= 0 && call_has_user(&e->call, (unsigned)side) &&
		    strcmp(e->call.leg[!side].user, but) != 0)
			return true;
	}
	return false;
}

void calls_free(struct daemon *dm)
{
	struct call_entry *e, *next;

	HASH_ITER(hh_pair, dm->by_pair, e, next)
		drop(dm, e);
	free(dm->heap);
	dm->heap = NULL;
	dm->heap_n = dm->heap_cap = 0;
}

/* --- trace ------------------------------------------------------------ */

static void trace(struct call_entry *e, const char *mark, const char *text)
{
	char line[TRACE_LINE + 32];
	size_t n, cut;
	char *more;

	n = (size_t)snprintf(line, sizeof(line), "%lld %s %.*s\n",
			     (long long)clock_wall(), mark, TRACE_LINE - 1,
			     text);
	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	while (e->trace_len + n > TRACE_BYTES) {
		more = memchr(e->trace, '\n', e->trace_len);
		cut = more ? (size_t)(more - e->trace) + 1 : e->trace_len;
		e->trace_len -= cut;
		memmove(e->trace, e->trace + cut, e->trace_len);
	}
	more = realloc(e->trace, e->trace_len + n + 1);
	if (!more)
		return;
	e->trace = more;
	memcpy(e->trace + e->trace_len, line, n + 1);
	e->trace_len += n;
}

static void trace_stanza(struct call_entry *e, const char *mark,
			 const struct xml_elem *stanza, struct arena *arena)
{
	const char *text = xml_write(arena, stanza, NS_COMPONENT, NULL);

	trace(e, mark, text ? text : "?");
}

/* --- storing ---------------------------------------------------------- */

static void save_leg(struct call_entry *e, unsigned side, struct arena *arena)
{
	struct leg *l = &e->call.leg[side];
	struct store_op op = { .kind = STORE_LEG_PUT };
	struct store_leg *row = &op.u.leg;

	row->call = e->call.id;
	row->side = side;
	row->user = l->user;
	row->device = l->device;
	row->own = l->own;
	row->sid = l->sid;
	row->state = l->state;
	row->flags = leg_flags(l);
	row->data = leg_data(l, arena);
	e->pending_n = hold_store(e->dm, &op);
}

static void save(struct call_entry *e, struct arena *arena)
{
	struct call *c = &e->call;
	struct store_op op = { .kind = STORE_CALL_PUT };
	struct store_call *row = &op.u.call;

	row->id = c->id;
	row->caller = c->leg[c->caller].user;
	row->callee = c->leg[!c->caller].user;
	row->round = c->round;
	row->media = c->media;
	row->state = c->state;
	row->created = c->created;
	row->rung = c->rung_wall;
	row->answered = c->first_answer_wall;
	row->round_answered = c->answered_wall;
	hold_store(e->dm, &op);
	save_leg(e, 0, arena);
	save_leg(e, 1, arena);
}

/* What became of an attempt, in one word. */
static const char *result_of(const struct call_action *a)
{
	if (a->answered && cause_row(a->cause)->callee == CALLEE_DETAILS)
		return "answered";
	return a->answered && a->cause == CAUSE_REENTERED ? "answered" :
	       cause_row(a->cause)->name;
}

static void store_log(struct call_entry *e, const struct call_action *a)
{
	struct store_op op = { .kind = STORE_LOG_PUT };
	struct store_log *row = &op.u.log;

	row->call = a->id;
	row->round = a->round;
	row->caller = a->from;
	row->callee = a->to;
	row->media = a->media;
	row->started = a->started;
	row->answered = a->answered;
	row->ended = a->ended;
	row->result = result_of(a);
	row->reason = a->reason;
	e->pending_n = hold_store(e->dm, &op);
}

static void store_visit(struct call_entry *e, const struct call_action *a)
{
	struct store_op op = { .kind = STORE_VISIT_PUT };
	struct store_visit *row = &op.u.visit;

	row->call = a->id;
	row->user = a->user;
	row->device = a->device;
	row->from = a->started;
	row->to = a->ended;
	row->reason = a->reason;
	e->pending_n = hold_store(e->dm, &op);
}

static void forget(struct call_entry *e, const struct call_action *a)
{
	struct store_op op = { .kind = STORE_CALL_DEL };

	op.u.key.id = a->id;
	e->pending_n = hold_store(e->dm, &op);
}

/* --- the log of the admin --------------------------------------------- */

static void log_state(struct call_entry *e, enum call_state before)
{
	struct call *c = &e->call;
	char round[16];

	if (c->state == before || c->state == CALL_ASKING ||
	    c->state == CALL_DONE || c->state == CALL_IDLE ||
	    c->state == CALL_REFUSING)
		return;
	snprintf(round, sizeof(round), "%u", c->round);
	log_line(LOG_INFO, c->state == CALL_OPEN ? "can be re-entered" :
		 call_state_name(c->state), "call", c->id, "round", round,
		 "caller", "@", c->leg[c->caller].user,
		 "callee", "@", c->leg[!c->caller].user,
		 "media", c->media & MEDIA_VIDEO ? "video" : "audio", NULL);
}

static void log_end(struct daemon *dm, const struct call_action *a)
{
	char seconds[32];

	snprintf(seconds, sizeof(seconds), "%lld",
		 a->answered ? (long long)(a->ended - a->answered) / 1000 :
		 0LL);
	if (a->answered)
		dm->count.answered++;
	else
		dm->count.refused++;
	log_line(LOG_INFO, "ended", "call", a->id,
		 "result", result_of(a),
		 "reason", a->reason, "seconds", seconds,
		 "caller", "@", a->from, "callee", "@", a->to, NULL);
}

/* --- executing -------------------------------------------------------- */

static void execute_stores(struct call_entry *e,
			   const struct call_actions *out,
			   struct arena *arena)
{
	const struct call_action *a;
	bool saves = false;

	for (a = out->first; a; a = a->next) {
		switch (a->kind) {
		case CALL_DO_SAVE:
			saves = saves || strcmp(a->id, e->call.id) == 0;
			break;
		case CALL_DO_FORGET:
			if (strcmp(a->id, e->call.id) == 0)
				saves = false;
			forget(e, a);
			break;
		case CALL_DO_LOG:
			store_log(e, a);
			log_end(e->dm, a);
			break;
		case CALL_DO_VISIT:
			store_visit(e, a);
			break;
		case CALL_DO_NOTICE:
			notices_add(e->dm, &a->notice, e, arena);
			break;
		default:
			break;
		}
	}
	if (saves)
		save(e, arena);
}

static void send_action(struct call_entry *e, const struct call_action *a)
{
	uint64_t n = 0;

	if (a->class == LEG_SEND_HELD ||
	    (a->class == LEG_SEND_AFTER && e->held_opens[a->side]))
		n = e->pending_n;
	if (a->asks)
		route_ask(e->dm, a->stanza, IQ_CALL, e->pair, a->side);
	hold_send(e->dm, e, a, n);
}

/* `user` took the call of `e`: his other calls give way (F26). */
static void supersede(struct call_entry *e, const char *user,
		      struct arena *arena)
{
	struct call_entry *o, *next;
	struct call_event ev;

	for (o = e->dm->by_pair; o; o = next) {
		next = o->hh_pair.next;
		if (o == e || call_side(&o->call, user) < 0)
			continue;
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_SWITCHED;
		ev.jid = user;
		calls_event(o, &ev, arena);
	}
}

static void execute(struct call_entry *e, const struct call_actions *out,
		    struct arena *arena)
{
	const struct call_action *a;
	struct call_event ev;

	execute_stores(e, out, arena);
	for (a = out->first; a; a = a->next)
		if (a->kind == CALL_DO_SEND) {
			trace_stanza(e, "<", a->stanza, arena);
			send_action(e, a);
		} else if (a->kind == CALL_DO_IGNORED) {
			e->dm->count.ignored++;
		}
	for (a = out->first; a; a = a->next) {
		if (a->kind == CALL_DO_ASK) {
			memset(&ev, 0, sizeof(ev));
			users_facts(e->dm, a, arena, &ev);
			trace(e, ">", arena_printf(arena, "facts %s",
						   cause_row(ev.cause)->name));
			calls_event(e, &ev, arena);
		} else if (a->kind == CALL_DO_SUPERSEDE) {
			supersede(e, a->user, arena);
		}
	}
}

/* The address of a pair in a call stays available (product.md). */
static void hold_presence(struct call_entry *e, bool was, struct arena *arena)
{
	bool is = call_is_live(&e->call);
	struct gateway_env env = { .arena = arena, .now = clock_now(),
				   .wall = clock_wall() };

	if (is == was)
		return;
	gateway_hold(e->dm->gateway, e->call.leg[0].user, e->call.leg[1].user,
		     is, &env);
	gateway_hold(e->dm->gateway, e->call.leg[1].user, e->call.leg[0].user,
		     is, &env);
	route_gateway(e->dm, &env);
}

void calls_hold(struct daemon *dm)
{
	struct call_entry *e;

	for (e = dm->by_pair; e; e = e->hh_pair.next)
		hold_presence(e, false, dm->arena);
	arena_reset(dm->arena);
}

void calls_event(struct call_entry *e, struct call_event *ev,
		 struct arena *arena)
{
	struct daemon *dm = e->dm;
	struct call_actions out = { NULL, NULL };
	enum call_state before = e->call.state;
	bool live = call_is_live(&e->call);

	ev->now = clock_now();
	ev->wall = clock_wall();
	ev->arena = arena;
	ev->site = &dm->site;
	if (getrandom(ev->entropy, sizeof(ev->entropy), 0) !=
	    (ssize_t)sizeof(ev->entropy))
		abort();               /* no randomness: no safe ids */
	if (ev->stanza)
		trace_stanza(e, ">", ev->stanza->elem, arena);
	else if (ev->kind != CALL_EV_FACTS)
		trace(e, ">", call_event_name(ev->kind));
	e->busy++;
	if (call_step(&e->call, ev, &out))
		log_line(LOG_ERROR, "out of memory in a call", "call",
			 e->call.id, NULL);
	calls_register_id(e);
	log_state(e, before);
	execute(e, &out, arena);
	hold_presence(e, live, arena);
	e->busy--;
	e->deadline = call_deadline(&e->call, &dm->site);
	heap_update(dm, e);
	if (call_is_over(&e->call) && !e->busy)
		drop(dm, e);
}

void calls_all(struct daemon *dm, enum call_event_kind kind)
{
	struct call_entry *e, *next;
	struct call_event ev;

	for (e = dm->by_pair; e; e = next) {
		next = e->hh_pair.next;
		memset(&ev, 0, sizeof(ev));
		ev.kind = kind;
		calls_event(e, &ev, dm->arena);
		arena_reset(dm->arena);
	}
}

static void ring_device(struct call_entry *e, const char *jid,
			const char *bare, struct arena *arena)
{
	struct leg_target *t;
	struct call_event ev = { .kind = CALL_EV_DEVICE };
	unsigned i, n;

	if (e->call.state != CALL_RINGING ||
	    strcmp(e->call.leg[!e->call.caller].user, bare) != 0)
		return;
	n = gateway_targets(e->dm->gateway, arena, bare, &t);
	for (i = 0; i < n; i++)
		if (strcmp(t[i].jid, jid) == 0) {
			ev.targets = &t[i];
			ev.targets_n = 1;
			calls_event(e, &ev, arena);
			return;
		}
}

void calls_presence(struct daemon *dm, const char *jid, bool available,
		    struct arena *arena)
{
	struct call_entry *e, *next;
	struct call_event ev;
	struct jid j;

	if (jid_parse(arena, jid, &j))
		return;
	for (e = dm->by_pair; e; e = next) {
		next = e->hh_pair.next;
		if (call_side(&e->call, j.bare) < 0 ||
		    !call_is_live(&e->call))
			continue;
		memset(&ev, 0, sizeof(ev));
		ev.kind = available ? CALL_EV_BACK : CALL_EV_GONE;
		ev.jid = j.full;
		calls_event(e, &ev, arena);
		if (available)
			ring_device(e, j.full, j.bare, arena);
	}
}

struct search {
	const char *jid;
	bool found;
};

static void compare_device(const struct gateway_device *d, void *arg)
{
	struct search *s = arg;

	s->found = s->found || strcmp(d->jid, s->jid) == 0;
}

void calls_verify(struct daemon *dm)
{
	struct call_entry *e;
	struct call_event ev;
	struct leg *l;
	unsigned i;

	for (e = dm->by_pair; e; e = e->hh_pair.next) {
		for (i = 0; i < 2 && call_is_live(&e->call); i++) {
			struct search s = { e->call.leg[i].device, false };

			l = &e->call.leg[i];
			if (!l->device || !gateway_knows(dm->gateway, l->user))
				continue;
			gateway_describe(dm->gateway, l->user, compare_device,
					 &s);
			if (s.found)
				continue;
			memset(&ev, 0, sizeof(ev));
			ev.kind = CALL_EV_GONE;
			ev.jid = l->device;
			calls_event(e, &ev, dm->arena);
			arena_reset(dm->arena);
		}
	}
}

int64_t calls_deadline(const struct daemon *dm)
{
	return dm->heap_n ? dm->heap[0]->deadline : INT64_MAX;
}

void calls_tick(struct daemon *dm, int64_t now)
{
	struct call_event ev;

	while (dm->heap_n && dm->heap[0]->deadline <= now) {
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_TIME;
		calls_event(dm->heap[0], &ev, dm->arena);
		arena_reset(dm->arena);
	}
}
