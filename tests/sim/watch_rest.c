/* watch_rest.c: what must be true when nothing is under way any more: every
 * call has ended, nothing rings, nothing is kept (liveness, I10, I11, I18).
 */
#include "tests/sim/watch.h"

static void rest_rings(void)
{
	const struct user *u;
	struct ring *r;
	unsigned i;

	for (r = O.ring; r < O.ring + O.rings; r++) {
		u = &W.user[r->callee];
		if (!r->sent || r->bounced)
			continue;
		if (!r->ended && !r->amnesia)
			broken("rest", "ringing %s has no end", r->sid[0]);
		/* What a stop cannot reach needs none; a disk that failed
		 * when the process died has lost what was promised. */
		for (i = 0; i < u->devices && !r->amnesia; i++)
			if (r->dev[i].must && !r->dev[i].stops &&
			    !r->dev[i].out && !r->dev[i].went &&
			    i != r->winner)
				broken("I05", "%s never got a stop for %s",
				       u->device[i].jid, r->sid[0]);
	}
}

static void rest_sessions(void)
{
	struct half *h;
	struct attempt *a;

	for (h = O.half; h < O.half + O.halves; h++)
		if (h->accepted && !h->ended && !h->gone && !h->amnesia)
			broken("I10", "session %s of %s has no end", h->sid,
			       W.user[h->user].device[h->dev].jid);
	for (a = O.attempt; a < O.attempt + O.attempts; a++)
		if (!a->told && !a->cancelled && !a->lost && !a->proceeds)
			broken("rest", "%s was never told of the end of %s",
			       W.user[a->user].device[a->dev].jid, a->sid);
}

/* What the network lost since it was rung may have been its stop. A device
 * that the daemon did not know to be there, or with a negative priority, may
 * get the propose as a carbon, and no stop (doc/proof.md, "Known limits"). */
/* Stops of a running call are said again after a crash if it was rung not
 * long ago by the wall clock, the only one that a restart has. */
static bool clock_lied(const struct ring *r)
{
	return r->answered && W.jumps && r->crashes != O.crashes;
}

static bool may_ring(const struct device *d, const struct session *s)
{
	const struct ring *r = watch_ring(str_of(s->sid));
	const struct half *h = watch_half(d->user, d->number, s->peer,
					  str_of(s->sid));

	/* Rung while the disk failed, and the process died (19201). */
	if (h && h->unstored && h->amnesia)
		return true;
	return s->dirty || !r || r->amnesia || clock_lied(r) ||
	       d->lost_at >= r->sent ||
	       !watch_was_rung(r, d->number);
}

static void rest_devices(void)
{
	struct device *d;
	struct session *s;
	unsigned u, i;

	for (u = 0; u < W.users_n; u++)
		for (i = 0; i < W.user[u].devices; i++) {
			d = &W.user[u].device[i];
			for (s = d->session; s < d->session + SESSIONS; s++)
				if (s->state == C_RINGING && !may_ring(d, s))
					broken("X2", "%s still rings: %s",
					       d->jid, s->sid);
		}
}

void watch_rest(void)
{
	W.count.checks++;
	rest_rings();
	rest_sessions();
	rest_devices();
	if (watch_unanswered())
		broken("I13", "a request was never answered");
	if (W.dm->live)
		broken("I18", "%u calls are still counted", W.dm->live);
	if (iq_table_count(W.dm->iqs))
		broken("I18", "%zu requests are still kept",
		       iq_table_count(W.dm->iqs));
	if (W.dm->held_first || W.dm->held_bytes)
		broken("I18", "stanzas are still held");
	books_rest();
}

void watch_base(void)
{
	if (W.dm->by_pair || W.dm->heap_n || W.dm->by_user)
		broken("I11", "calls are kept after their window");
	books_base();
}
