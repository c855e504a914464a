/* watch_half.c: one side of a Jingle session: when it begins again under its
 * id, what is left of it after a restart, and who is in by it.
 */
#include "tests/sim/watch.h"

/* Under the id of a session of his that has ended: to him it is a new one, once
 * we take it. */
void watch_half_anew(struct half *h, uint64_t key)
{
	h->accepted = h->ended = h->gone = h->amnesia = h->refused = false;
	h->left = 0;
	h->at = W.now;
	h->anew = key;
}

/* Who was refused by an error has no session under that id (147317). */
void watch_half_taken(uint64_t key, bool refused)
{
	struct half *h;

	for (h = O.half; h < O.half + O.halves; h++)
		if (h->anew == key) {
			h->ended = h->ended || refused;
			h->anew = 0;
		}
}

/* What is stored by his id is of a session before: a disk that failed has not
 * taken this one. */
static bool is_of_old(const struct half *h)
{
	const struct row *row = watch_row(h->user, h->peer, str_of(h->sid));

	return h->unstored && row && row->committed == LEG_ENDED &&
	       row->committed_at < h->at;
}

void watch_half_restarts(struct half *h)
{
	unsigned state = watch_state(h->user, h->peer, str_of(h->sid));
	bool jmi = quirks[W.user[h->user].device[h->dev].quirk].jmi;

	h->refused = false;            /* that may not have been stored */
	/* By what is stored he is in: an accept may not have reached him, and
	 * an end of his that was not stored was none. Or he is not, as the disk
	 * failed (23637). */
	if (state <= LEG_ACTIVE)
		h->accepted = state == LEG_ACTIVE;
	/* Its end left before that was stored, and is forgotten (61541). */
	if (state < LEG_ENDED)
		h->ended = false;
	h->amnesia = h->amnesia || state == 99 || state == LEG_PROPOSED ||
		     (state == LEG_RINGING && (jmi || h->unstored)) ||
		     is_of_old(h);
}

/* A disk that failed when the process died has lost it. */
bool watch_runs(const struct pair *p)
{
	return p->is_up && !O.half[p->up[0]].amnesia &&
	       !O.half[p->up[1]].amnesia;
}

/* Another device of his has accepted the same offer. */
static bool is_loser(const struct half *h)
{
	const struct half *o;

	if (h->accepted)
		return false;
	for (o = O.half; o < O.half + O.halves; o++)
		if (o != h && o->user == h->user && o->peer == h->peer &&
		    o->accepted && is(o->sid, h->sid))
			return true;
	return false;
}

struct half *watch_stays(const struct pair *p, unsigned user)
{
	struct half *h;
	struct row *row;
	unsigned i;

	for (i = 0; i < 2 && p->up[i] >= 0; i++) {
		h = &O.half[p->up[i]];
		if (h->user == user && h->accepted && !h->ended)
			return h;
	}
	/* The accept may be stored, and be held, or be lost in a crash: he is
	 * in by his row, and the other, who calls again, is back. */
	for (i = O.halves; i--;) {
		h = &O.half[i];
		if (h->user != user || watch_pair(user, h->peer) != p ||
		    h->ended)
			continue;
		row = watch_row(h->user, h->peer, str_of(h->sid));
		if (row && row->pushed == LEG_ACTIVE && !is_loser(h))
			return h;
	}
	return NULL;
}
