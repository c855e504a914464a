/* calls.c: the registry of calls, and the executor of their actions. */
#include "mod_privatecall/daemon/daemon.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/daemon/heap.h"

#define PAIR_MAX (2 * (JID_MAX + 1))       /* bytes of a key of two users */

struct user_calls {                /* the calls of one user */
	UT_hash_handle hh;
	struct call_link *first;
	char user[];
};

/* --- the registry ----------------------------------------------------- */

static struct call_link *calls_of(struct daemon *dm, const char *user)
{
	struct user_calls *u;

	HASH_FIND_STR(dm->by_user, user, u);
	return u ? u->first : NULL;
}

static int link_user(struct call_entry *e, unsigned side)
{
	const char *user = e->call.leg[side].user;
	struct daemon *dm = e->dm;
	struct call_link *l = &e->links[side];
	struct user_calls *u;

	HASH_FIND_STR(dm->by_user, user, u);
	if (!u) {
		u = calloc(1, sizeof(*u) + strlen(user) + 1);
		if (!u)
			return ENOMEM;
		strcpy(u->user, user);
		HASH_ADD_STR(dm->by_user, user, u);
		if (!u->hh.tbl) {
			free(u);
			return ENOMEM;
		}
	}
	l->entry = e;
	l->of = u;
	l->next = u->first;
	if (l->next)
		l->next->prev = l;
	u->first = l;
	return 0;
}

static void unlink_user(struct call_entry *e, unsigned side)
{
	struct call_link *l = &e->links[side];
	struct user_calls *u = l->of;

	if (!u)
		return;
	l->of = NULL;
	if (l->next)
		l->next->prev = l->prev;
	if (l->prev)
		l->prev->next = l->next;
	else
		u->first = l->next;
	if (u->first)
		return;
	HASH_DEL(e->dm->by_user, u);
	free(u);
}

/* The same for both orders; 0: longer than any two addresses. */
static size_t pair_key(char key[PAIR_MAX], const char *a, const char *b)
{
	const char *low = strcmp(a, b) <= 0 ? a : b;
	const char *high = low == a ? b : a;
	size_t n = strlen(low), size = strlen(high) + 1;

	if (n + 1 + size > PAIR_MAX)
		return 0;
	memcpy(key, low, n);
	key[n] = '\n';
	memcpy(key + n + 1, high, size);
	return n + size;
}

/* Keeps the list of those that linger. */
static void set_lingers(struct call_entry *e, bool is)
{
	struct daemon *dm = e->dm;

	if (is == e->lingers)
		return;
	e->lingers = is;
	dm->done_n += is ? 1u : -1u;
	if (is)
		DL_APPEND(dm->done, e);
	else
		DL_DELETE(dm->done, e);
}

static void drop(struct daemon *dm, struct call_entry *e)
{
	set_lingers(e, false);
	heap_remove(dm, e);
	unlink_user(e, 0);
	unlink_user(e, 1);
	dm->live -= e->live;
	HASH_DELETE(hh_pair, dm->by_pair, e);
	if (e->id[0])
		HASH_DELETE(hh_id, dm->by_id, e);
	hold_forget(dm, e);
	call_clear(&e->call);
	trace_free(e);
	free(e->orders);
	free(e->pair);
	free(e);
}

/* Without memory the call is not found by its id for now; every step tries
 * again. */
void calls_register_id(struct call_entry *e)
{
	struct daemon *dm = e->dm;

	if (strcmp(e->id, e->call.id) == 0)
		return;
	if (e->id[0])
		HASH_DELETE(hh_id, dm->by_id, e);
	memcpy(e->id, e->call.id, sizeof(e->id));
	if (!e->id[0])
		return;
	HASH_ADD(hh_id, dm->by_id, id, strlen(e->id), e);
	if (!e->hh_id.tbl)
		e->id[0] = '\0';
}

static int contact_of(struct daemon *dm, struct arena *a, const char *bare,
		      struct jid *r)
{
	struct jid user;
	int rc = jid_parse(a, bare, &user);

	return rc ? rc : address_contact(a, dm->gateway, &user, r);
}

static int fill_entry(struct call_entry *e, struct arena *arena,
		      const char *key, const char *a, const char *b)
{
	const char *low = strcmp(a, b) <= 0 ? a : b;
	const char *users[2] = { low, low == a ? b : a };
	struct jid seen[2];
	const char *own[2];
	int rc;

	rc = contact_of(e->dm, arena, users[1], &seen[0]);
	if (!rc)
		rc = contact_of(e->dm, arena, users[0], &seen[1]);
	if (rc)
		return rc;
	own[0] = seen[0].bare;
	own[1] = seen[1].bare;
	rc = call_init(&e->call, users, own, true);
	if (!rc)
		rc = link_user(e, 0);
	if (!rc && !e->call.self)
		rc = link_user(e, 1);
	/* A call without a timer would never end: room for it comes first. */
	if (!rc)
		rc = heap_reserve(e->dm, HASH_CNT(hh_pair, e->dm->by_pair) +
				  1);
	if (!rc)
		e->pair = strdup(key);
	if (e->pair)
		HASH_ADD_KEYPTR(hh_pair, e->dm->by_pair, e->pair,
				strlen(e->pair), e);
	return rc ? rc : e->pair && e->hh_pair.tbl ? 0 : ENOMEM;
}

static struct call_entry *make_entry(struct daemon *dm, const char *key,
				     const char *a, const char *b)
{
	struct call_entry *e = calloc(1, sizeof(*e));
	struct arena *arena = arena_new(0);

	if (e)
		e->dm = dm;
	if (!e || !arena || fill_entry(e, arena, key, a, b)) {
		if (e) {
			unlink_user(e, 0);
			unlink_user(e, 1);
			call_clear(&e->call);
			free(e->pair);
		}
		free(e);
		e = NULL;
	} else {
		e->deadline = INT64_MAX;
	}
	arena_free(arena);
	return e;
}

struct call_entry *calls_get(struct daemon *dm, const char *a, const char *b,
			     bool make)
{
	struct call_entry *e = NULL;
	char key[PAIR_MAX];
	size_t n = pair_key(key, a, b);

	if (!n)
		return NULL;
	HASH_FIND(hh_pair, dm->by_pair, key, n, e);
	return e || !make ? e : make_entry(dm, key, a, b);
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

bool calls_user_busy(struct daemon *dm, const char *user, const char *but)
{
	struct call_link *l;
	struct call *c;
	int side;

	for (l = calls_of(dm, user); l; l = l->next) {
		c = &l->entry->call;
		side = call_side(c, user);
		if (side >= 0 && call_has_user(c, (unsigned)side) &&
		    strcmp(c->leg[!side].user, but) != 0)
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
	row->own = l->gateway ? l->own :
		   arena_join(arena, l->own, "/", l->resource);
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
	row->mode = c->mode;
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
	row->step = a->step;
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

	if (before < CALL_SETUP &&
	    (c->state == CALL_SETUP || c->state == CALL_UP))
		e->dm->count.answered++;
	if (c->state == before || c->state == CALL_ASKING ||
	    c->state == CALL_DONE || c->state == CALL_IDLE ||
	    c->state == CALL_REFUSING || c->state == CALL_ENDING)
		return;
	snprintf(round, sizeof(round), "%u", c->round);
	log_line(LOG_INFO, c->state == CALL_OPEN ? "can be re-entered" :
		 call_state_name(c->state), "call", c->id, "round", round,
		 "caller", log_jid, c->leg[c->caller].user,
		 "callee", log_jid, c->leg[!c->caller].user,
		 "media", c->media & MEDIA_VIDEO ? "video" : "audio",
		 "mode", c->decided ? media_mode_name(c->mode) : NULL, NULL);
}

static void log_end(struct daemon *dm, const struct call_action *a)
{
	char seconds[32], round[16];

	snprintf(round, sizeof(round), "%u", a->round);
	snprintf(seconds, sizeof(seconds), "%lld",
		 a->answered ? (long long)(a->ended - a->answered) / 1000 :
		 0LL);
	if (!a->answered)
		dm->count.refused++;
	/* Who floods us must not flood the log (A13). */
	if (a->cause == CAUSE_LIMIT &&
	    !log_allowed(&dm->rate_limit, clock_now()))
		return;
	log_line(LOG_INFO, "ended", "call", a->id, "round", round,
		 "result", result_of(a),
		 "reason", a->reason, "seconds", seconds,
		 "caller", log_jid, a->from, "callee", log_jid, a->to,
		 "step", a->step, NULL);
}

/* One who leaves while the other stays. */
static void log_visit(const struct call_entry *e, const struct call_action *a)
{
	if (e->call.state == CALL_UP)
		log_line(LOG_INFO, "has left the call", "call", a->id,
			 "user", log_jid, a->user, "reason", a->reason, NULL);
}

static void log_return(const struct call_action *a)
{
	if (a->notice.kind == NOTICE_RETURNED)
		log_line(LOG_INFO, "is back in the call", "call", a->id,
			 "user", log_jid, a->notice.peer, NULL);
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
			/* A flood must not push the calls out of the log. */
			if (a->cause != CAUSE_LIMIT)
				store_log(e, a);
			log_end(e->dm, a);
			break;
		case CALL_DO_VISIT:
			store_visit(e, a);
			log_visit(e, a);
			break;
		case CALL_DO_NOTICE:
			log_return(a);
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

	/* Nobody would answer. Both are asked when the link is back. */
	if (a->asks && a->class == LEG_SEND_FREE && !hold_linked(e->dm))
		return;
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
	struct call_link *l, *next;
	struct call_event ev;

	for (l = calls_of(e->dm, user); l; l = next) {
		next = l->next;
		if (l->entry == e)
			continue;
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_SWITCHED;
		ev.jid = user;
		calls_event(l->entry, &ev, arena);
	}
}

/* Refused for what is the caller's or the site's own: whatever the callee's
 * server knows. */
static bool is_early(enum cause cause)
{
	return cause == CAUSE_LIMIT || cause == CAUSE_SELF ||
	       cause == CAUSE_REMOTE || cause == CAUSE_SWITCH_OFF ||
	       cause == CAUSE_DRAINING || cause == CAUSE_NO_CAPACITY ||
	       cause == CAUSE_NO_VIDEO;
}

/* May `from` ring `to`? The answer is an event: at once, or when the callee's
 * server has told what it knows. */
static void answer_ask(struct call_entry *e, const struct call_action *a,
		       struct arena *arena)
{
	struct daemon *dm = e->dm;
	struct call_event ev;

	dm->count.calls++;
	e->exists = gateway_knows(dm->gateway, a->to) &&
		    gateway_knows(dm->gateway, a->from);
	memset(&ev, 0, sizeof(ev));
	users_facts(e, a, users_over_limit(dm, a->from, a->to), NULL, arena,
		    &ev);
	if (!is_early(ev.cause) &&
	    (modules_ask(dm, a, e->pair, ev.cause == CAUSE_NONE, arena) ||
	     privileged_ask(e, arena)))
		return;
	calls_event(e, &ev, arena);
}

struct call_entry *calls_asking(struct daemon *dm, const char *pair,
				unsigned ask)
{
	struct call_entry *e = NULL;

	HASH_FIND(hh_pair, dm->by_pair, pair, strlen(pair), e);
	return e && e->call.state == CALL_ASKING && e->call.ask == ask ? e :
									 NULL;
}

void calls_told(struct call_entry *e, const struct module_facts *told,
		struct arena *arena)
{
	struct call *c = &e->call;
	struct call_action question = {
		.ask = c->ask, .media = c->media,
		.from = c->leg[c->caller].user,
		.to = c->leg[!c->caller].user,
	};
	struct call_event ev;

	memset(&ev, 0, sizeof(ev));
	/* Else as it was when the call came: who has left since is still to
	 * hear of it. */
	if (told && !told->partial)
		e->exists = told->exists;
	users_facts(e, &question, false, told, arena, &ev);
	calls_event(e, &ev, arena);
}

static void execute(struct call_entry *e, const struct call_actions *out,
		    struct arena *arena)
{
	const struct call_action *a;

	execute_stores(e, out, arena);
	for (a = out->first; a; a = a->next)
		if (a->kind == CALL_DO_SEND) {
			trace_stanza(e, "<", a->stanza);
			send_action(e, a);
		} else if (a->kind == CALL_DO_MEDIA) {
			trace_words(e, "<", "media",
				    call_order_name(a->order.kind));
			media_order(e, a);
		} else if (a->kind == CALL_DO_BUNDLES) {
			gateway_learn_bundles(e->dm->gateway, a->device,
					      a->bundles, arena);
		} else if (a->kind == CALL_DO_IGNORED) {
			e->dm->count.ignored++;
		}
	for (a = out->first; a; a = a->next) {
		if (a->kind == CALL_DO_ASK) {
			answer_ask(e, a, arena);
		} else if (a->kind == CALL_DO_SUPERSEDE) {
			supersede(e, a->user, arena);
		}
	}
}

/* Counts live calls; the address of a pair in a call stays available
 * (product.md). */
static void set_live(struct call_entry *e, struct arena *arena)
{
	bool is = call_is_live(&e->call);
	struct gateway_env env = { .arena = arena, .now = clock_now(),
				   .wall = clock_wall() };

	if (is == e->live)
		return;
	e->live = is;
	e->dm->live += is ? 1u : -1u;
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
		set_live(e, dm->arena);
	arena_reset(dm->arena);
}

void calls_arm(struct call_entry *e)
{
	e->deadline = call_deadline(&e->call, &e->dm->site);
	heap_update(e->dm, e);
}

static void fetch_entropy(struct daemon *dm)
{
	size_t got = 0;
	ssize_t n;

	while (got < sizeof(dm->entropy)) {
		n = getrandom(dm->entropy + got, sizeof(dm->entropy) - got, 0);
		if (n < 0 && errno != EINTR)
			abort();       /* no randomness: no safe ids */
		got += n > 0 ? (size_t)n : 0;
	}
	dm->entropy_left = sizeof(dm->entropy);
}

/* What is seen is given out again, until it is spent. */
static void see_random(struct daemon *dm, void *out, size_t n)
{
	assert(n <= sizeof(dm->entropy));
	if (dm->entropy_left < n)
		fetch_entropy(dm);
	memcpy(out, dm->entropy + dm->entropy_left - n, n);
}

static void spend_random(struct daemon *dm, size_t n)
{
	dm->entropy_left -= (unsigned)n;
	explicit_bzero(dm->entropy + dm->entropy_left, n);
}

void calls_random(struct daemon *dm, void *out, size_t n)
{
	see_random(dm, out, n);
	spend_random(dm, n);
}

static int step(struct call_entry *e, struct call_event *ev,
		struct arena *arena)
{
	enum call_state before = e->call.state;
	unsigned round = e->call.round;
	struct call_actions out = { .first = NULL };
	int rc;

	ev->now = clock_now();
	e->dm->step_wall = ev->wall = clock_wall();
	ev->arena = arena;
	ev->site = &e->dm->site;
	media_fill(e->dm, ev);
	see_random(e->dm, ev->entropy, sizeof(ev->entropy));
	if (ev->stanza)
		trace_stanza(e, ">", ev->stanza->elem);
	else
		trace_words(e, ">", call_event_name(ev->kind),
			    ev->kind == CALL_EV_STEP ?
			    call_step_name(ev->step) :
			    ev->kind == CALL_EV_FACTS ?
			    cause_row(ev->cause)->name :
			    ev->kind == CALL_EV_TROUBLE ? ev->why : ev->jid);
	rc = call_step(&e->call, ev, &out);
	if (out.drew)
		spend_random(e->dm, sizeof(ev->entropy));
	if (e->held && before == CALL_RINGING &&
	    e->call.state != CALL_RINGING)
		hold_ring_over(e->dm, e);
	if (e->held && (e->call.round != round ||
			strcmp(e->id, e->call.id) != 0))
		hold_hurry(e->dm, e);
	calls_register_id(e);
	log_state(e, before);
	execute(e, &out, arena);
	return rc;
}

/* Out of memory in a step: the call ends with what memory there is. */
static void give_up(struct call_entry *e)
{
	struct call_event ev = { .kind = CALL_EV_HANGUP };
	struct arena *arena = arena_new(DAEMON_ARENA_BYTES);

	log_line(LOG_ERROR, "out of memory in a call, it ends", "call",
		 e->call.id, NULL);
	if (arena && call_is_live(&e->call))
		step(e, &ev, arena);
	arena_free(arena);
}

void calls_event(struct call_entry *e, struct call_event *ev,
		 struct arena *arena)
{
	e->busy++;
	if (step(e, ev, arena))
		give_up(e);
	/* What the gateway says of it may come back here, and change it. */
	while (e->busy == 1 && call_is_live(&e->call) != e->live)
		set_live(e, arena);
	if (--e->busy)
		return;                /* the outer one does the rest */
	set_lingers(e, e->call.state == CALL_DONE);
	calls_arm(e);
	if (call_is_over(&e->call))
		drop(e->dm, e);
}

void calls_trim(struct daemon *dm)
{
	struct store_op op = { .kind = STORE_CALL_DEL };

	while (dm->done_n > DAEMON_DONE_MAX) {
		op.u.key.id = dm->done->id;
		hold_store(dm, &op);
		drop(dm, dm->done);
		dm->count.cut_short++;
	}
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
	struct call_link *l, *next;
	struct call_event ev;
	struct jid j;

	if (jid_parse(arena, jid, &j))
		return;
	for (l = calls_of(dm, j.bare); l; l = next) {
		next = l->next;
		/* One that is over may owe a stop to who is back. */
		if (!available && !call_is_live(&l->entry->call))
			continue;
		memset(&ev, 0, sizeof(ev));
		ev.kind = available ? CALL_EV_BACK : CALL_EV_GONE;
		ev.jid = j.full;
		calls_event(l->entry, &ev, arena);
		if (available)
			ring_device(l->entry, j.full, j.bare, arena);
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
			/* One that has called since then is there, seen or
			 * not. */
			if (!l->restored || !l->device ||
			    !gateway_knows(dm->gateway, l->user))
				continue;
			gateway_describe(dm->gateway, l->user, compare_device,
					 &s);
			if (s.found)
				continue;
			memset(&ev, 0, sizeof(ev));
			ev.kind = CALL_EV_GONE;
			/* A copy: the leg may lose its own. */
			ev.jid = arena_strdup(dm->arena, l->device);
			if (ev.jid)
				calls_event(e, &ev, dm->arena);
			arena_reset(dm->arena);
		}
	}
}

int64_t calls_deadline(const struct daemon *dm)
{
	return dm->heap_n ? dm->heap[0].deadline : INT64_MAX;
}

void calls_tick(struct daemon *dm, int64_t now)
{
	struct call_entry *e;
	struct call_event ev;
	bool ends;

	while (dm->heap_n && dm->heap[0].deadline <= now) {
		e = dm->heap[0].entry;
		ends = e->call.state == CALL_DONE;
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_TIME;
		calls_event(e, &ev, dm->arena);
		arena_reset(dm->arena);
		if (ends || e->deadline > now)
			continue;
		/* A timer that changes nothing must not stop all others. */
		e->deadline = now + 1000;
		heap_update(dm, e);
	}
}
