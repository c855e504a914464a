/* watch_due.c: what must have happened by some time (I07, I10, X1): looked at
 * when the time has come; and what is known of a pair beside what it says.
 */
#include "tests/sim/watch.h"

static struct pair *pair_of_bare(const char *a, const char *b)
{
	int ua = user_of_bare(a), ub = user_of_bare(b);

	return watch_pair(ua < 0 ? USERS : (unsigned)ua,
			  ub < 0 ? USERS : (unsigned)ub);
}

void watch_admin(const char *a, const char *b)
{
	pair_of_bare(a, b)->saw |= SAW_ADMIN;
	pair_of_bare(a, b)->may_be_closed = true;
}

void watch_return(const char *a, const char *b)
{
	pair_of_bare(a, b)->returned_at = W.now;
}

void watch_media(const char *a, const char *b)
{
	pair_of_bare(a, b)->saw |= SAW_MEDIA;
}

void watch_later(int64_t in, enum due what, unsigned number)
{
	struct event *e = world_event_new(W.now + in, E_CHECK);

	e->what = (uint8_t)what;
	e->number = number;
}

/* The link was up all the time, and the disk well. */
static bool undisturbed(int64_t since)
{
	return W.link_up && O.up_since <= since &&
	       store_troubled_at() + 2000 < W.now;
}

static void due_ring(struct ring *r)
{
	unsigned i;

	if (r->ended || r->answered || r->bounced)
		return;
	if (!undisturbed(r->sent)) {
		/* The bound begins anew when he can be told again. */
		if (!W.resting || W.now - r->sent < 100 * SECOND)
			watch_later(5 * SECOND, DUE_RING,
				    (unsigned)(r - O.ring));
		return;
	}
	for (i = 0; i < DEVICES; i++)
		if (r->dev[i].must && !r->dev[i].stops && !r->dev[i].out)
			broken("I07", "%s still rings by %s after %lld ms",
			       W.user[r->callee].device[i].jid, r->sid[0],
			       (long long)(W.now - r->sent));
}

static void due_end(unsigned at)
{
	struct pair *p = &O.pair[0][0] + at;

	if (!p->hung_up_at || !watch_runs(p) ||
	    W.now - p->hung_up_at < 2 * SECOND)
		return;
	if (!undisturbed(p->hung_up_at)) {
		watch_later(5 * SECOND, DUE_END, at);
		return;
	}
	if (!O.half[p->up[0]].ended || !O.half[p->up[1]].ended)
		broken("I10", "one side of %s and %s hung up %lld ms ago",
		       O.half[p->up[0]].sid, O.half[p->up[1]].sid,
		       (long long)(W.now - p->hung_up_at));
}

void watch_unheard(const struct device *d, const struct scan *s)
{
	struct half *h = watch_half(d->user, d->number, s->to_ours, s->sid);

	if (h)
		h->left = W.now;
}

static bool left_before(const struct half *h, int64_t at)
{
	/* In `room` he is told, and the other waits for him a while. */
	return h->left && h->left < at && !h->ended;
}

int64_t watch_asked_by(void)
{
	return GATEWAY_GRACE_MS + W.conf.site.iq_timeout + 2 * SECOND;
}

/* Once the link is up, or the daemon, both are asked whether they still talk;
 * who does not answer in time has gone. */
static void due_left(unsigned at)
{
	struct pair *p = &O.pair[0][0] + at;
	const struct half *a, *b;

	if (!watch_runs(p) || !W.link_up || W.leaving ||
	    W.now - O.up_since < watch_asked_by())
		return;
	a = &O.half[p->up[0]];
	b = &O.half[p->up[1]];
	if (left_before(a, O.up_since) || left_before(b, O.up_since))
		broken("I10", "one side of %s and %s hung up while the link "
		       "was down, and the other talks on", a->sid, b->sid);
}

/* Another device of his has called him by this id: what is over by an id may
 * be taken for a late copy, and gets no word. */
static bool used_before(const struct attempt *a)
{
	const struct attempt *o;

	for (o = O.attempt; o < a; o++)
		if (o->user == a->user && o->callee == a->callee &&
		    strcmp(o->sid, a->sid) == 0)
			return true;
	return false;
}

/* X1: the caller has an answer, or somebody rings. */
static void due_caller(struct attempt *a)
{
	struct ring *r = watch_ring_of(a->user, a->callee);

	struct half *h = watch_half(a->user, a->dev, a->callee,
				    str_of(a->sid));

	if (a->told || a->cancelled || a->proceeds || (h && h->accepted) ||
	    !undisturbed(a->at) || a->crashes != O.crashes ||
	    (r && r->decided >= a->at))
		return;
	if (used_before(a))
		return;
	broken("X1", "no word to %s about %s", W.user[a->user].bare, a->sid);
}

void watch_due(unsigned what, unsigned number)
{
	if (W.failed)
		return;
	if (what == DUE_RING)
		due_ring(&O.ring[number]);
	else if (what == DUE_END)
		due_end(number);
	else if (what == DUE_LEFT)
		due_left(number);
	else if (what == DUE_WAIT)
		watch_wait_due(&O.attempt[number]);
	else
		due_caller(&O.attempt[number]);
}
