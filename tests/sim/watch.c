/* watch.c: what the daemon was told, by the link. What it says is judged in
 * watch_out.c, what is due in watch_due.c, what is left at rest in
 * watch_rest.c.
 */
#include <stdlib.h>
#include "tests/sim/watch.h"

struct watch O;

#define IQS 4096                   /* places for outstanding requests */

static struct asked { uint64_t key; unsigned n; bool excused; } asked[IQS];
static unsigned asked_n;

/* --- finding ---------------------------------------------------------- */

struct str str_of(const char *text)
{
	return (struct str){ text, strlen(text) };
}

int user_of_bare(const char *bare)
{
	unsigned u;

	for (u = 0; u < W.users_n; u++)
		if (is(W.user[u].bare, bare))
			return (int)u;
	return -1;
}

struct pair *watch_pair(unsigned a, unsigned b)
{
	a = a < USERS ? a : USERS;
	b = b < USERS ? b : USERS;
	return a < b ? &O.pair[a][b] : &O.pair[b][a];
}

static void *grow(void *list, unsigned n, unsigned *cap, size_t size)
{
	if (n < *cap)
		return list;
	*cap = *cap ? 2 * *cap : 64;
	list = realloc(list, *cap * size);
	if (!list)
		abort();
	return list;
}

static void copy_sid(char to[SID_SIZE], struct str sid)
{
	size_t n = sid.n < SID_SIZE - 1 ? sid.n : SID_SIZE - 1;

	memcpy(to, sid.p, n);
	to[n] = 0;
}

struct ring *watch_ring(struct str sid)
{
	unsigned i, k;

	if (!sid.p)
		return NULL;
	for (i = O.rings; i--;)
		for (k = 0; k < O.ring[i].sids; k++)
			if (str_is(sid, O.ring[i].sid[k]))
				return &O.ring[i];
	return NULL;
}

struct ring *watch_ring_new(struct str sid, unsigned caller, unsigned callee)
{
	struct ring *r;

	O.ring = grow(O.ring, O.rings, &O.ring_cap, sizeof(*r));
	r = &O.ring[O.rings++];
	memset(r, 0, sizeof(*r));
	copy_sid(r->sid[0], sid);
	r->sids = 1;
	r->caller = (uint8_t)caller;
	r->callee = (uint8_t)callee;
	r->decided = W.now;
	r->crashes = O.crashes;
	r->cuts = O.cuts;
	r->winner = NOBODY;
	W.count.rings++;
	return r;
}

struct attempt *watch_attempt(unsigned user, unsigned dev, unsigned callee,
			      struct str sid)
{
	unsigned i;

	for (i = O.attempts; sid.p && i--;)
		if (O.attempt[i].user == user && O.attempt[i].dev == dev &&
		    O.attempt[i].callee == callee &&
		    str_is(sid, O.attempt[i].sid))
			return &O.attempt[i];
	return NULL;
}

struct half *watch_half(unsigned user, unsigned dev, unsigned peer,
			struct str sid)
{
	unsigned i;

	for (i = O.halves; sid.p && i--;)
		if (O.half[i].user == user && O.half[i].dev == dev &&
		    O.half[i].peer == peer &&
		    str_is(sid, O.half[i].sid))
			return &O.half[i];
	return NULL;
}

struct row *watch_row(unsigned user, unsigned peer, struct str sid)
{
	unsigned i;

	for (i = O.rows; sid.p && i--;)
		if (O.row[i].user == user && O.row[i].peer == peer &&
		    str_is(sid, O.row[i].sid))
			return &O.row[i];
	return NULL;
}

unsigned watch_state(unsigned user, unsigned peer, struct str sid)
{
	struct row *row = watch_row(user, peer, sid);

	return row ? row->committed : 99;
}

struct half *watch_half_new(unsigned user, unsigned dev, unsigned peer,
			     struct str sid, bool caller)
{
	struct half *h = watch_half(user, dev, peer, sid);

	if (h)
		return h;
	O.half = grow(O.half, O.halves, &O.half_cap, sizeof(*h));
	h = &O.half[O.halves++];
	memset(h, 0, sizeof(*h));
	copy_sid(h->sid, sid);
	h->user = (uint8_t)user;
	h->dev = (uint8_t)dev;
	h->peer = (uint8_t)peer;
	h->caller = caller;
	h->at = W.now;
	return h;
}

/* An id of a live call, for who steals it. */
const char *watch_any_sid(unsigned n)
{
	if (n & 1 && O.rings)
		return O.ring[O.rings - 1 - n / 2 % (O.rings < 4 ? O.rings :
						     4)].sid[0];
	if (O.attempts)
		return O.attempt[O.attempts - 1 - n / 2 %
				 (O.attempts < 4 ? O.attempts : 4)].sid;
	return NULL;
}

/* --- who is there, as the daemon was told ----------------------------- */

static bool is_active(const struct known *k)
{
	return k->told && k->available && k->priority >= 0 && k->show < 2;
}

/* Some presence says so. */
bool watch_active(unsigned user)
{
	const struct user *u = &W.user[user];
	unsigned i, a;

	for (i = 0; i < u->devices; i++)
		for (a = 0; a < ADDRESSES; a++)
			if (is_active(&u->device[i].known[a]))
				return true;
	return false;
}

/* No presence of some device says anything else, the service's included. */
bool watch_surely_active(unsigned user)
{
	const struct user *u = &W.user[user];
	const struct known *k;
	unsigned i, a;
	bool all;

	for (i = 0; i < u->devices; i++) {
		k = u->device[i].known;
		all = is_active(&k[SERVICE]);
		for (a = 0; all && a < USERS; a++)
			all = !k[a].told || is_active(&k[a]);
		if (all)
			return true;
	}
	return false;
}

bool watch_reachable(const struct device *d)
{
	unsigned a;

	for (a = 0; a < ADDRESSES; a++)
		if (d->known[a].told && d->known[a].available &&
		    d->known[a].priority >= 0)
			return true;
	return false;
}

static void device_went(unsigned user, unsigned dev)
{
	unsigned i;

	for (i = 0; i < O.rings; i++)
		if (O.ring[i].callee == user)
			O.ring[i].dev[dev].went = true;
	for (i = 0; i < O.halves; i++)
		if (O.half[i].user == user && O.half[i].dev == dev)
			O.half[i].gone = true;
	for (i = 0; i <= USERS; i++)
		if (i != user)
			watch_pair(user, i)->saw |= SAW_GONE;
}

static void know(struct device *d, unsigned address, const struct scan *s)
{
	struct known *k = &d->known[address];
	const char *at;
	int i;

	k->told = true;
	k->available = !str_is(s->type, "unavailable");
	if (!k->available) {
		device_went(d->user, d->number);
		return;
	}
	at = strstr(s->text, "<priority>");
	k->priority = at ? atoi(at + strlen("<priority>")) : 0;
	k->show = 0;
	at = strstr(s->text, "<show>");
	for (i = 1; at && i < 5; i++)
		if (strncmp(at + 6, show_words[i], strlen(show_words[i])) == 0)
			k->show = i;
	if (k->priority < 0)
		device_went(d->user, d->number);
}

/* The address does not see his presence any more: what it was told does not
 * count, and is not taken back. */
void watch_unseen(unsigned user, unsigned address)
{
	unsigned i;

	for (i = 0; i < W.user[user].devices; i++)
		W.user[user].device[i].known[address].told = false;
}

static void in_presence(const struct scan *s)
{
	struct user *u;
	unsigned i;

	if (s->from_user >= USERS || s->to_ours >= ADDRESSES)
		return;
	if (str_is(s->type, "unsubscribed"))
		watch_unseen(s->from_user, s->to_ours);
	if (s->type.p && !str_is(s->type, "unavailable"))
		return;
	u = &W.user[s->from_user];
	for (i = 0; i < u->devices; i++)
		if (s->from_dev == i || !s->from_full)
			know(&u->device[i], s->to_ours, s);
}

static void forget_presence(void)
{
	unsigned u, i;

	for (u = 0; u < W.users_n; u++)
		for (i = 0; i < W.user[u].devices; i++) {
			memset(W.user[u].device[i].known, 0,
			       sizeof(W.user[u].device[i].known));
			device_went(u, i);
		}
}

/* --- I13: each request is answered once ------------------------------- */

static uint64_t key_of(struct str who, struct str id)
{
	uint64_t h = 14695981039346656037u;
	size_t i;

	for (i = 0; i < who.n; i++)
		h = (h ^ (unsigned char)who.p[i]) * 1099511628211u;
	h = (h ^ '\n') * 1099511628211u;
	for (i = 0; i < id.n; i++)
		h = (h ^ (unsigned char)id.p[i]) * 1099511628211u;
	return h | 1;
}

static struct asked *asked_at(uint64_t key)
{
	unsigned i = (unsigned)(key % IQS);

	while (asked[i].key && asked[i].key != key)
		i = (i + 1) % IQS;
	return &asked[i];
}

bool watch_is_request(const struct scan *s)
{
	return s->kind == 'i' && (str_is(s->type, "get") ||
				  str_is(s->type, "set"));
}

static void in_request(const struct scan *s)
{
	struct asked *q = asked_at(key_of(s->from, s->id));

	if (!q->key) {
		if (++asked_n > IQS / 2) {
			memset(asked, 0, sizeof(asked));
			asked_n = 1;
		}
		q = asked_at(key_of(s->from, s->id));
		q->key = key_of(s->from, s->id);
	}
	q->n++;
	q->excused = false;
}

void watch_answered(const struct scan *s)
{
	struct asked *q = asked_at(key_of(s->to, s->id));
	uint64_t key = key_of(s->to, s->id);
	unsigned i;

	/* A session-initiate that is refused by an error. */
	for (i = O.attempts; i-- && str_is(s->type, "error");)
		if (O.attempt[i].key == key)
			O.attempt[i].told = true;
	watch_half_taken(key, str_is(s->type, "error"));

	if (!q->key || !q->n)
		broken("I13", "an answer to nothing, or a second one: %.300s",
		       s->text);
	else
		q->n--;
}

bool watch_unanswered(void)
{
	unsigned i;

	for (i = 0; i < IQS; i++)
		if (asked[i].key && asked[i].n && !asked[i].excused)
			return true;
	return false;
}

static void excuse_answers(void)
{
	unsigned i;

	for (i = 0; i < IQS; i++)
		asked[i].excused = true;
	for (i = 0; i < O.halves; i++)
		O.half[i].anew = 0;
}

/* --- what comes in ---------------------------------------------------- */

static bool may_offer(unsigned a, unsigned b)
{
	return O.now.messaging && (a >= USERS || O.user[a].messages) &&
	       (b >= USERS || O.user[b].messages);
}

static bool sid_known(unsigned user, struct str sid)
{
	unsigned i;

	for (i = 0; i < O.attempts; i++)
		if (O.attempt[i].user == user && str_is(sid, O.attempt[i].sid))
			return true;
	return false;
}

struct ring *watch_ring_of(unsigned caller, unsigned callee)
{
	unsigned i;

	for (i = O.rings; i--;)
		if (O.ring[i].caller == caller && O.ring[i].callee == callee)
			return &O.ring[i];
	return NULL;
}

/* X9: he calls who rings him. An id that was used may be turned away as such,
 * and then nothing has crossed. */
static void note_crossing(const struct scan *s, struct pair *p)
{
	struct ring *r = watch_ring_of(s->to_ours, s->from_user);

	if (!r || r->ended || r->answered || r->amnesia)
		return;
	if (sid_known(s->from_user, s->sid)) {
		p->saw |= SAW_MAYBE_CROSSED;
		return;
	}
	p->saw |= SAW_CROSSED;
	r->crossed = true;
}

static void in_attempt(const struct scan *s, bool plain)
{
	struct pair *p = watch_pair(s->from_user, s->to_ours);
	struct attempt *a = watch_attempt(s->from_user, s->from_dev, s->to_ours,
					  s->sid);
	bool may_return = watch_ends_here(s->from_user, s->to_ours) &&
			  watch_stays(p, s->to_ours);

	note_crossing(s, p);
	p->attempt_at = W.now;
	p->attempts++;
	/* What held for the attempt before it does for its end, too: facts
	 * are asked once in a round. */
	if (p->settled != O.settings)
		p->resettled_at = W.now;
	/* The same once more changes nothing: what held at first counts. */
	p->offer = may_offer(s->from_user, s->to_ours);
	/* Nor does he who comes back begin a round (205817). */
	p->settled = a || (may_return && p->settled != O.settings) ?
		O.settings - 1 : O.settings;
	if (s->to_ours < USERS && !watch_surely_active(s->to_ours)) {
		p->saw |= SAW_INACTIVE;
		p->inactive_at = W.now;
	}
	if (s->to_ours < USERS && (O.user[s->to_ours].who == WHO_NOBODY ||
				   O.user[s->to_ours].who == WHO_CONTACTS))
		p->private_at = W.now;
	if (a) {
		/* The same once more, or an id of long ago (121973), or that
		 * id twice (37561). */
		if ((a->told || a->cancelled) && !watch_waits(a)) {
			a->proceeds = a->finishes = 0;
			a->returns_at = 0;
		}
		if (may_return)
			a->returns_at = W.now;
		watch_wait_attempt(p, a);
		return;
	}
	O.attempt = grow(O.attempt, O.attempts, &O.attempt_cap, sizeof(*a));
	a = &O.attempt[O.attempts++];
	memset(a, 0, sizeof(*a));
	copy_sid(a->sid, s->sid);
	a->user = s->from_user;
	a->dev = s->from_dev;
	a->callee = s->to_ours;
	a->plain = plain;
	a->key = plain ? key_of(s->from, s->id) : 0;
	a->at = W.now;
	a->returns_at = may_return ? W.now : 0;
	a->crashes = O.crashes;
	a->number = p->attempts;
	watch_wait_attempt(p, a);
	watch_later(3 * SECOND, DUE_CALLER, (unsigned)(a - O.attempt));
}

/* A device that was rung again (tie-break) speaks of that ring from then on; a
 * word on the one before it came twice, or late. */
static bool is_of_old_ring(const struct scan *s, const struct ring *r)
{
	unsigned sid = r->dev[s->from_dev].sid;

	return sid && !str_is(s->sid, r->sid[sid]);
}

static void in_no(const struct scan *s, struct ring *r, struct pair *p)
{
	struct rung *d = &r->dev[s->from_dev];
	int64_t rang = W.now - (d->rung ? d->rung : r->decided);

	if (is_of_old_ring(s, r))
		return;
	d->out = true;
	p->saw |= SAW_DEVICE_OUT;
	if (str_is(s->reason, "busy"))
		p->saw |= SAW_BUSY;
	else if (str_is(s->reason, "timeout") ||
		 (!s->reason.p && !s->tie_break && s->kind == 'm' &&
		  rang >= 28 * SECOND))
		p->saw |= SAW_OWN_TIMEOUT |
			  /* It may have waited for the disk before. */
			  (rang < 31 * SECOND ? SAW_DECLINED : 0);
	else if (s->tie_break)
		p->saw |= SAW_TROUBLE;
	else if (!s->reason.p || str_is(s->reason, "decline") ||
		 str_is(s->reason, "cancel") || str_is(s->reason, "success"))
		p->saw |= SAW_DECLINED;
	else
		p->saw |= SAW_TROUBLE;
}

bool watch_was_rung(const struct ring *r, unsigned dev)
{
	return dev < DEVICES && (r->dev[dev].target || r->dev[dev].must ||
				 r->dev[dev].full || r->dev[dev].plain_offer);
}

/* Or it has the propose to the bare JID, and came while its own is held. */
static bool is_rung(const struct ring *r, unsigned dev)
{
	return watch_was_rung(r, dev) || (r->bare && dev < DEVICES &&
		watch_reachable(&W.user[r->callee].device[dev]));
}

static void in_answer(const struct scan *s, struct ring *r, struct pair *p)
{
	if (r->ended || !is_rung(r, s->from_dev) ||
	    r->dev[s->from_dev].out || is_of_old_ring(s, r))
		return;
	/* It left because the disk failed, and the process that knew of it
	 * died. */
	if (r->amnesia)
		return;
	if (!r->answered) {
		r->answered = true;
		r->winner = s->from_dev;
		p->saw |= SAW_ANSWERED;
		p->met_at = p->answered_at = W.now;
		p->answered_wall = W.now + W.wall_offset;
	}
}

/* Of a running session the other side must hear in two seconds. */
static void in_terminate(const struct scan *s, struct pair *p)
{
	struct half *h = watch_half(s->from_user, s->from_dev, s->to_ours,
				    s->sid);

	p->saw |= SAW_HUNG_UP;
	if (!h)
		return;
	/* On hold the other stays for a while. */
	if (p->is_up && !h->ended && !W.hold && (&O.half[p->up[0]] == h ||
				      &O.half[p->up[1]] == h)) {
		p->hung_up_at = W.now;
		watch_later(2 * SECOND, DUE_END, (unsigned)(p - O.pair[0]));
	}
	h->ended = true;
	/* The other may have been lost before. */
	if (p->is_up && O.half[p->up[0]].ended && O.half[p->up[1]].ended)
		p->is_up = false;
}

/* A JMI reject or retract after the answer, before the session is up: what he
 * says of that session from then on is late. */
static void in_no_session(const struct scan *s)
{
	struct half *h = watch_half(s->from_user, s->from_dev, s->to_ours,
				    s->sid);

	if (h && !h->accepted)
		h->refused = true;
}

static void in_jmi(const struct scan *s)
{
	struct pair *p = watch_pair(s->from_user, s->to_ours);
	struct attempt *a = watch_attempt(s->from_user, s->from_dev, s->to_ours,
					  s->sid);
	struct ring *r = watch_ring(s->sid);

	if (r && (r->callee != s->from_user || r->caller != s->to_ours))
		r = NULL;
	switch (s->jmi) {
	case J_PROPOSE:
		in_attempt(s, false);
		break;
	case J_RETRACT:
	case J_REJECT:
	case J_FINISH:
		if (a) {
			a->cancelled = true;
			p->saw |= SAW_CANCELLED | SAW_HUNG_UP;
		}
		if (s->jmi == J_FINISH)
			in_terminate(s, p);
		else
			in_no_session(s);
		if (r && s->from_dev < DEVICES) {
			p->saw |= SAW_HUNG_UP;
			in_no(s, r, p);
		}
		break;
	case J_PROCEED:
		if (r)
			in_answer(s, r, p);
		break;
	case J_RINGING:
		if (r)
			r->rang = true;
		break;
	default:
		break;
	}
}

static void in_initiate(const struct scan *s, struct pair *p,
			struct attempt *a)
{
	struct half *h;
	/* He was told to proceed, once more under that id (86413), of which a
	 * propose that came twice has made nothing known (85797). */
	bool anew = a && !a->plain && (a->proceeds || a->returns_at);

	/* Not the one that a proceed asked for, or too late, or after a crash
	 * in which that was forgotten (29881). */
	if (!a || a->plain || a->told || a->cancelled || a->lost ||
	    a->number != p->attempts)
		in_attempt(s, true);
	a = watch_attempt(s->from_user, s->from_dev, s->to_ours, s->sid);
	/* Or he calls (240517) or comes back (59477) under it. */
	anew |= a && a->plain;
	h = watch_half_new(s->from_user, s->from_dev, s->to_ours, s->sid, true);
	h->initiated = true;
	if (h->ended && anew)
		watch_half_anew(h, key_of(s->from, s->id));
}

static void in_jingle(const struct scan *s)
{
	struct pair *p = watch_pair(s->from_user, s->to_ours);
	struct attempt *a = watch_attempt(s->from_user, s->from_dev, s->to_ours,
					  s->sid);
	struct half *h = watch_half(s->from_user, s->from_dev, s->to_ours,
				    s->sid);
	struct ring *r = watch_ring(s->sid);

	if (r && (r->callee != s->from_user || r->caller != s->to_ours))
		r = NULL;
	switch (s->jingle) {
	case G_INITIATE:
		in_initiate(s, p, a);
		break;
	case G_ACCEPT:
		if (h && !h->caller && h->initiated && !h->refused)
			h->accepted = true;
		if (r && r->dev[s->from_dev].plain_offer)
			in_answer(s, r, p);
		break;
	case G_TERMINATE:
		in_terminate(s, p);
		if (a) {
			a->cancelled = true;
			p->saw |= SAW_CANCELLED;
		}
		if (r)
			in_no(s, r, p);
		break;
	case G_INFO:
		if (r && strstr(s->text, "<ringing"))
			r->rang = true;
		break;
	default:
		break;
	}
}

/* An error for something of ours: a block, a lost device. */
static void in_error(const struct scan *s)
{
	struct pair *p = watch_pair(s->from_user, s->to_ours);
	unsigned i;

	p->saw |= SAW_TROUBLE;
	for (i = 0; i < O.halves; i++)
		if (O.half[i].user == s->from_user &&
		    O.half[i].dev == s->from_dev)
			O.half[i].gone = true;
	for (i = 0; i < O.rings; i++) {
		if (O.ring[i].callee != s->from_user || O.ring[i].ended)
			continue;
		if (s->kind == 'm' && !s->from_full) {
			O.ring[i].bounced = true;
			p->saw |= SAW_BOUNCED;
		} else if (s->from_dev < DEVICES) {
			O.ring[i].dev[s->from_dev].went = true;
		}
	}
}

void watch_in(const struct scan *s)
{
	O.turn_pushed = false;
	if (watch_is_request(s))
		in_request(s);
	if (W.attacker)
		return;
	if (s->kind == 'p')
		in_presence(s);
	if (s->from_user >= USERS || s->to_ours == SERVICE ||
	    s->to_ours == NOBODY)
		return;
	if (str_is(s->type, "error"))
		in_error(s);
	else if (s->from_dev >= DEVICES)
		return;
	else if (s->jmi)
		in_jmi(s);
	else if (s->jingle)
		in_jingle(s);
}

/* --- after each turn ------------------------------------------------- */

/* I15: nobody is in two running sessions. */
bool watch_in_call(unsigned user, unsigned but)
{
	unsigned i;

	for (i = 0; i <= USERS; i++)
		if (i != user && i != but && watch_runs(watch_pair(user, i)) &&
		    watch_stays(watch_pair(user, i), user))
			return true;
	return false;
}

static void check_busy(void)
{
	unsigned u, i, n;

	for (u = 0; u < W.users_n; u++) {
		for (i = n = 0; i < W.users_n; i++)
			n += i != u && watch_runs(watch_pair(u, i)) &&
			     watch_stays(watch_pair(u, i), u);
		if (n > 1)
			broken("I15", "%s is in %u calls", W.user[u].bare, n);
	}
}

void watch_turn(void)
{
	if (W.attacker && O.turn_pushed)
		broken("I17", "%s changes what is stored", W.attacker);
	if (W.link_up)
		check_busy();
	O.turn_pushed = false;
	O.turns++;
}

void watch_taken(void)
{
	books_taken();
}

void watch_delivered(struct device *d, const struct scan *s)
{
	struct ring *r;

	if (s->jmi != J_PROPOSE || !quirks[d->quirk].jmi)
		return;
	r = watch_ring(s->sid);
	if (r && r->callee == d->user)
		r->dev[d->number].got = true;
}

/* --- the link and the process ----------------------------------------- */

void watch_up(void)
{
	unsigned a, b;

	O.up_since = W.now;
	for (a = 0; a <= USERS; a++)
		for (b = 0; b <= USERS; b++)
			if (watch_runs(&O.pair[a][b]))
				watch_later(watch_asked_by(), DUE_LEFT,
					    (unsigned)(&O.pair[a][b] -
						       &O.pair[0][0]));
}

static void all_troubled(void)
{
	unsigned a, b;

	for (a = 0; a <= USERS; a++)
		for (b = 0; b <= USERS; b++)
			O.pair[a][b].saw |= SAW_TROUBLE;
}

void watch_jump(void)
{
	unsigned a, b;

	for (a = 0; a <= USERS; a++)
		for (b = 0; b <= USERS; b++)
			O.pair[a][b].jumped = true;
}

void watch_lost(void)
{
	O.cuts++;
	forget_presence();
	excuse_answers();
	all_troubled();
	books_links();
}

static bool is_stored(const struct attempt *a)
{
	struct row *row = watch_row(a->user, a->callee, str_of(a->sid));

	return row && row->committed != 99 && row->committed_at >= a->at;
}

/* A log row that was lost tells of nothing: what it was made of still
 * counts. */
static void pair_restarts(struct pair *p)
{
	p->saw |= SAW_RESTARTED | (p->logs_pending ? p->saw_before : 0);
	p->logs_pending = 0;
	/* Who came back and was not told so is not told any more. */
	p->returns_told = p->returns;
	p->may_be_closed |= W.jumps > 0;
}

/* An answer or an end that was not stored was none. What left without being
 * stored, because the disk failed, nobody knows any more. */
static void ring_restarts(struct ring *r)
{
	unsigned state = watch_state(r->callee, r->caller, str_of(r->sid[0]));

	r->amnesia = r->amnesia || state == 99;
	if (state == LEG_RINGING)
		r->answered = false;
	if (state < LEG_ENDED)
		r->ended = 0;
}

void watch_crash(void)
{
	unsigned i, a, b;

	O.crashes++;
	forget_presence();
	excuse_answers();
	all_troubled();
	for (a = 0; a <= USERS; a++)
		for (b = 0; b <= USERS; b++)
			pair_restarts(&O.pair[a][b]);
	for (i = 0; i < O.rings; i++)
		ring_restarts(&O.ring[i]);
	for (i = 0; i < O.halves; i++)
		watch_half_restarts(&O.half[i]);
	for (i = 0; i < O.attempts; i++) {
		O.attempt[i].lost = O.attempt[i].lost ||
			!is_stored(&O.attempt[i]);
		watch_wait_restarts(&O.attempt[i]);
	}
	books_crash();
}

void watch_reset(void)
{
	unsigned a, b;

	O.rings = O.attempts = O.halves = O.rows = 0;
	memset(O.pair, 0, sizeof(O.pair));
	for (a = 0; a <= USERS; a++)
		for (b = 0; b <= USERS; b++)
			O.pair[a][b].up[0] = O.pair[a][b].up[1] = -1;
	O.crashes = O.cuts = 0;
	O.up_since = 0;
	memset(asked, 0, sizeof(asked));
	asked_n = 0;
	books_reset();
}
