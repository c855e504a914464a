/* watch_wait.c: `rejoin = notify`: of two who have talked, and have both left,
 * the one who comes back first is let in alone: the other is told of it, is not
 * rung, and comes or does not (F23, X8).
 *
 * That somebody is let in is taken from the store: his row is kept in a batch
 * in which the other has no session. Whether he may be is known from what both
 * did before.
 */
#include "tests/sim/watch.h"

bool watch_waits(const struct attempt *a)
{
	return a->wait == WAIT_ALONE || a->wait == WAIT_CAME;
}

struct attempt *watch_wait_of(int user, int peer)
{
	struct attempt *a;

	for (a = O.attempt + O.attempts; a-- > O.attempt;)
		if (a->user == user && a->callee == peer && watch_waits(a))
			return a;
	return NULL;
}

/* The other has been let in alone, and is not in yet: then one is rung, as if
 * both had called (X9). So it is, too, if he is in and lost. */
static unsigned crossing(const struct attempt *a)
{
	const struct attempt *o = watch_wait_of(a->callee, a->user);
	struct row *row;

	if (!o || o->wait != WAIT_ALONE)
		return 0;
	row = watch_row(o->user, o->callee, str_of(o->sid));
	return row && row->pushed < LEG_ACTIVE ? SAW_CROSSED :
						 SAW_MAYBE_CROSSED;
}

/* The time to come back has passed, as far as that is known: after a restart
 * by the wall clock alone. */
static bool may_be_open(const struct pair *p)
{
	return p->met_at && W.now - p->met_at < W.conf.site.room_lifetime +
						(int64_t)W.jumps * HOUR;
}

void watch_wait_attempt(struct pair *p, struct attempt *a)
{
	unsigned mine = a->user > a->callee;

	if (!W.notify || a->callee >= USERS || watch_waits(a))
		return;
	p->asked[mine] = true;
	p->asked_turn = O.turns;
	a->crosses = p->asked[!mine];
	a->crossing = p->crossing = crossing(a);
	a->wait = may_be_open(p) ? WAIT_MAY : WAIT_NOT;
	a->wait_at = W.now;
	a->offer = p->offer;
	a->settled = p->settled;
}

/* --- the store is given it -------------------------------------------- */

/* The call is up, and the other is not in it. */
static bool is_alone(const struct store_batch *b, const struct store_leg *l)
{
	size_t i, n = store_batch_count(b);
	const struct store_op *op;
	bool up = false, idle = false;

	for (i = 0; i < n; i++) {
		op = store_batch_get(b, i);
		if (op->kind == STORE_CALL_PUT && is(op->u.call.id, l->call))
			up = op->u.call.state == CALL_UP;
		if (op->kind == STORE_LEG_PUT && op->u.leg.side != l->side &&
		    is(op->u.leg.call, l->call))
			idle = op->u.leg.state == LEG_IDLE;
	}
	return up && idle;
}

/* Another device of his may have called by this id (42601). */
static struct attempt *attempt_of(const struct store_leg *l)
{
	int user = user_of_bare(l->user), peer = books_peer(l->own);
	unsigned i;

	for (i = 0; user >= 0 && peer >= 0 && i < DEVICES; i++)
		if (is(W.user[user].device[i].jid, l->device))
			return watch_attempt((unsigned)user, i, (unsigned)peer,
					     str_of(l->sid));
	return NULL;
}

static void waits(const struct store_leg *l)
{
	struct attempt *a = attempt_of(l);
	struct half *h;

	if (!a || a->wait == WAIT_NOT) {
		broken("I04", "%s is let in where nobody has been", l->user);
		return;
	}
	if (a->wait != WAIT_MAY)
		return;
	if (a->crossing == SAW_CROSSED)
		broken("X9", "%s is let in, and the other waits for him",
		       l->user);
	a->wait = WAIT_ALONE;
	a->wait_at = W.now;
	a->wait_crashes = O.crashes;
	W.count.waits++;
	/* By an id of long ago (8677). */
	h = watch_half(a->user, a->dev, a->callee, str_of(a->sid));
	if (a->plain && h && h->ended)
		watch_half_anew(h, 0);
	watch_later(W.conf.site.alone_timeout + 3 * SECOND, DUE_WAIT,
		    (unsigned)(a - O.attempt));
}

void watch_wait_pushed(const struct store_batch *b)
{
	size_t i, n = store_batch_count(b);
	const struct store_leg *l;

	for (i = 0; i < n; i++) {
		if (store_batch_get(b, i)->kind != STORE_LEG_PUT)
			continue;
		l = &store_batch_get(b, i)->u.leg;
		if (l->sid && l->state >= LEG_PROCEEDED &&
		    l->state <= LEG_ACTIVE && is_alone(b, l))
			waits(l);
	}
}

/* The other comes to who waits for him: the round is answered. */
static void comes(unsigned user, unsigned peer)
{
	struct attempt *a = watch_wait_of((int)user, (int)peer);
	struct pair *p = watch_pair(user, peer);

	if (!a || a->wait != WAIT_ALONE)
		return;
	a->wait = WAIT_CAME;
	W.count.came++;
	p->saw |= SAW_ANSWERED;
	p->met_at = p->answered_at = W.now;
	p->answered_wall = W.now + W.wall_offset;
}

/* X8: who came back, or was let in alone: whose session is kept in the same
 * batch. The other is told how to come if he is waited for. */
static bool came(const struct store_leg *l, const struct store_outbox *note,
		 unsigned user, unsigned peer)
{
	const struct attempt *a = attempt_of(l);
	bool alone = a && a->wait == WAIT_ALONE;
	bool told = strstr(note->body, "You can rejoin until");

	if (!a || a->callee != user || (!alone && !a->returns_at))
		return false;
	if (told != alone)
		broken("X8", "who is %s for is told: %s", alone ? "waited" :
		       "not waited", note->body);
	if (!alone)
		comes(user, peer);
	return true;
}

/* ... while the other's is up, or idle. */
bool watch_is_return(const struct store_batch *b, const struct store_op *note)
{
	int user = user_of_bare(note->u.outbox.user);
	int peer = user_of_bare(note->u.outbox.peer);
	size_t i, n = store_batch_count(b);
	const struct store_op *op;

	if (user < 0 || peer < 0 || !is(note->u.outbox.kind, "returned"))
		return false;
	for (i = 0; i < n; i++) {
		op = store_batch_get(b, i);
		if (op->kind == STORE_LEG_PUT &&
		    op->u.leg.state == LEG_ACTIVE &&
		    user_of_bare(op->u.leg.user) == peer && op->u.leg.sid &&
		    came(&op->u.leg, &note->u.outbox, (unsigned)user,
			 (unsigned)peer))
			return true;
	}
	return false;
}

/* --- what is due, and what must not be -------------------------------- */

/* X8: nobody is rung by who may be let in. That he may is only sure if it is
 * stored that the two have talked. */
void watch_wait_rung(unsigned caller, unsigned callee)
{
	const struct pair *p = watch_pair(caller, callee);
	const struct attempt *a, *last = NULL;

	for (a = O.attempt; a < O.attempt + O.attempts; a++)
		if (a->user == caller && a->callee == callee &&
		    (!last || a->wait_at >= last->wait_at))
			last = a;
	if (last && last->wait == WAIT_MAY && !last->crosses && p->is_open &&
	    !p->may_be_closed &&
	    W.now - p->met_at < W.conf.site.room_lifetime / 2)
		broken("X8", "%s is rung by %s, who can wait for him",
		       W.user[callee].bare, W.user[caller].bare);
}

/* F21: nobody is waited for longer than `alone_timeout`. */
void watch_wait_due(const struct attempt *a)
{
	if (a->wait == WAIT_ALONE && a->wait_crashes == O.crashes &&
	    W.now - a->wait_at >= W.conf.site.alone_timeout + 3 * SECOND)
		broken("F21", "%s waits for %lld ms", W.user[a->user].bare,
		       (long long)(W.now - a->wait_at));
}

bool watch_wait_true(const struct attempt *a, const char *result, bool seen)
{
	int64_t ran = W.now - a->wait_at;

	if (is(result, "unanswered"))
		return ran >= W.conf.site.alone_timeout;
	/* He has not answered what his session asks of him. */
	if (is(result, "caller-gone"))
		return seen || ran >= W.conf.site.iq_timeout;
	return seen && !is(result, "declined") && !is(result, "busy");
}

/* The round of the two is in the log. An attempt of the same turn has ended it,
 * and is of the next one. */
unsigned watch_wait_logged(struct pair *p, struct attempt *a)
{
	bool waited = a && a->wait == WAIT_ALONE;

	if (a)
		a->wait = WAIT_OVER;
	if (p->asked_turn == O.turns)
		return waited ? p->crossing : 0;
	p->asked[0] = p->asked[1] = false;
	return 0;
}

/* Another device of his has taken the same id since: the row is of that. */
static bool is_taken(const struct attempt *a)
{
	const struct attempt *o;

	for (o = O.attempt; o < O.attempt + O.attempts; o++)
		if (o->user == a->user && o->callee == a->callee &&
		    is(o->sid, a->sid) && o->wait_at > a->wait_at)
			return true;
	return false;
}

/* What was not stored was not, and what was goes on. */
void watch_wait_restarts(struct attempt *a)
{
	const struct row *row = watch_row(a->user, a->callee, str_of(a->sid));
	bool kept = row && row->committed != 99 &&
		    row->committed_at >= a->wait_at;

	if (a->wait < WAIT_ALONE)
		return;
	if (!kept)
		a->wait = WAIT_MAY;
	else if (a->wait == WAIT_OVER && row->committed < LEG_ENDED &&
		 !is_taken(a))
		a->wait = WAIT_ALONE;
}
