/* ice_out.c: what the agent sends of itself: checks, their repetition,
 * nomination, consent; and how much of it.
 */
#include "jingle/media/ice_private.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SECOND_MS 1000

bool ice_send(struct ice_run *r, const struct stun_msg *m, const char *pwd,
	      const struct addr *to)
{
	struct ice_action *act;
	int err;

	if (r->out->sends == ICE_STEP_SENDS_MAX)
		return false;
	act = ice_act(r, ICE_DO_SEND);
	act->addr = *to;
	r->out->sends++;
	err = stun_write(m, pwd, strlen(pwd), act->bytes, ICE_PACKET_MAX,
			 &act->len);
	assert(!err);              /* all lengths were checked before */
	return true;
}

/* --- how much --------------------------------------------------------- */

/* FNV-1a; two addresses with one hash share a limit, no more. */
static uint32_t hash_ip(const struct addr *a)
{
	uint32_t h = 2166136261u ^ a->family;
	unsigned i;

	for (i = 0; i < ADDR_IP_SIZE; i++)
		h = (h ^ a->ip[i]) * 16777619u;
	return h;
}

/* May one more request go there now? Whoever has our credentials could have
 * us check addresses that are not his: no faster than this (A24). */
static bool rate_allows(struct ice_run *r, const struct addr *to)
{
	const struct ice_agent *a = r->a;
	uint32_t h = hash_ip(to);
	unsigned i, all = 0, there = 0;

	for (i = 0; i < ICE_SENDS_MAX; i++) {
		if (!a->sent_at[i] || r->now >= a->sent_at[i] + SECOND_MS)
			continue;
		all++;
		there += a->sent_to[i] == h;
	}
	if (all < ICE_SENDS_MAX && there < ICE_SENDS_TO_ONE)
		return true;
	ice_count(r, ICE_N_OVER_RATE);
	return false;
}

static void note_send(struct ice_run *r, const struct addr *to)
{
	struct ice_agent *a = r->a;

	a->sent_at[a->sent] = r->now;
	a->sent_to[a->sent] = hash_ip(to);
	a->sent = (a->sent + 1) % ICE_SENDS_MAX;
}

/* --- one check -------------------------------------------------------- */

/* Sends it, for the first time or again: the same bytes. */
static bool send_check(struct ice_run *r, struct ice_check *c)
{
	struct ice_agent *a = r->a;
	struct ice_pair *p = &a->pair[c->pair];
	const struct ice_generation *g = ice_of(a, c->pair);
	char name[ICE_UFRAG_MAX + ICE_OUR_UFRAG_SIZE + 1];
	struct stun_msg m = {
		.class = STUN_REQUEST, .has_priority = true,
		.priority = ice_reflexive_priority(r, p),
		.role = c->controlling ? STUN_CONTROLLING : STUN_CONTROLLED,
		.tie_breaker = a->tie_breaker,
		.use_candidate = c->use_candidate,
	};

	memcpy(m.id, c->id, sizeof(m.id));
	snprintf(name, sizeof(name), "%s:%s", g->his_ufrag,
		 p->by_old ? a->old.ufrag : g->ufrag);
	m.username = (const unsigned char *)name;
	m.username_len = strlen(name);
	if (!ice_send(r, &m, g->his_pwd, &p->addr))
		return false;
	note_send(r, &p->addr);
	if (!p->asked)
		p->asked = r->now;
	c->sends++;
	return true;
}

/* A place in the table: a free one, else the oldest that is not repeated. */
static struct ice_check *new_check(struct ice_run *r)
{
	struct ice_check *c, *oldest = NULL;

	for (c = r->a->check; c < r->a->check + ICE_CHECKS_MAX; c++) {
		if (!c->used)
			return c;
		if (!c->repeats && (!oldest || c->began < oldest->began))
			oldest = c;
	}
	ice_count(r, ICE_N_OVER_CHECKS);
	return oldest;
}

/* 14.3. */
static uint32_t first_rto(const struct ice_agent *a)
{
	uint32_t n = 0, rto;
	unsigned i;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		n += a->pair[i].state == ICE_PAIR_WAITING ||
		     a->pair[i].state == ICE_PAIR_CHECKED;
	rto = n * ICE_TA_MS;
	return rto < ICE_RTO_MS ? ICE_RTO_MS : rto;
}

void ice_unrepeat(struct ice_agent *a, unsigned pair)
{
	unsigned n;

	for (n = 0; n < ICE_CHECKS_MAX; n++)
		if (a->check[n].pair == pair)
			a->check[n].repeats = false;
}

/* Asks pair `i`; false: not now. */
static bool start_check(struct ice_run *r, unsigned i, bool consent,
			bool nominate)
{
	struct ice_agent *a = r->a;
	struct ice_pair *p = &a->pair[i];
	struct ice_check *c, made = {
		.used = true, .pair = (uint8_t)i, .repeats = !consent,
		.consent = consent,
		/* Also later: seen from elsewhere it is another pair. */
		.use_candidate = nominate || (a->controlling && p->nominated),
		.controlling = a->controlling, .began = r->now,
	};

	if (r->out->sends == ICE_STEP_SENDS_MAX || !rate_allows(r, &p->addr))
		return false;
	c = new_check(r);
	if (!c)
		return false;
	ice_draw(r, made.id, sizeof(made.id));
	if (!consent) {
		ice_unrepeat(a, i);
		p->turn = 0;
		if (p->state == ICE_PAIR_WAITING)
			ice_pair_set(p, ICE_PAIR_CHECKED);
		made.rto = first_rto(a);
		made.due = r->now + made.rto;
	}
	*c = made;
	return send_check(r, c);
}

/* --- again ------------------------------------------------------------ */

/* Waits double each time; the last time for long (RFC 8489, 6.2.1). */
static void repeat(struct ice_run *r, struct ice_check *c)
{
	const struct addr *to = &r->a->pair[c->pair].addr;

	if (c->sends == ICE_RC) {
		ice_pair_fail(r, c->pair);
		return;
	}
	if (!rate_allows(r, to)) {
		c->due = r->now + ICE_TA_MS;
		return;
	}
	if (!send_check(r, c))
		return;
	c->rto *= 2;
	c->due = r->now + (c->sends < ICE_RC ? c->rto :
			   c->rto / (1 << (ICE_RC - 1)) * ICE_RM);
}

void ice_repeat(struct ice_run *r)
{
	struct ice_check *c;

	for (c = r->a->check; c < r->a->check + ICE_CHECKS_MAX; c++) {
		if (!c->used)
			continue;
		if (c->repeats && r->now >= c->due)
			repeat(r, c);
		else if (!c->repeats &&
			 r->now >= c->began + ICE_CONSENT_LOST_MS)
			c->used = false;
	}
}

/* --- new ones --------------------------------------------------------- */

/* The longest in the queue, else the best that waits (6.1.4.2); ICE_NONE:
 * none. */
static unsigned next_pair(const struct ice_run *r)
{
	const struct ice_agent *a = r->a;
	unsigned i, next = ICE_NONE;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].turn && (next == ICE_NONE ||
		    a->pair[i].turn < a->pair[next].turn))
			next = i;
	if (next != ICE_NONE)
		return next;
	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].state == ICE_PAIR_WAITING &&
		    (next == ICE_NONE || ice_pair_order(r, &a->pair[i]) >
		     ice_pair_order(r, &a->pair[next])))
			next = i;
	return next;
}

bool ice_wants_check(const struct ice_agent *a)
{
	unsigned i;

	if (a->state == ICE_NEW)
		return false;
	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].turn || a->pair[i].state == ICE_PAIR_WAITING)
			return true;
	return false;
}

/* 8.1.2: what could not become the selected pair any more is given up. */
static void give_up_worse(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	const struct ice_pair *best;
	unsigned i;

	if (a->state != ICE_COMPLETED || a->selected == ICE_NONE)
		return;
	best = &a->pair[a->selected];
	for (i = 0; i < ICE_PAIRS_MAX; i++) {
		const struct ice_pair *p = &a->pair[i];

		if ((p->state == ICE_PAIR_WAITING ||
		     p->state == ICE_PAIR_CHECKED) && !p->turn &&
		    (a->controlling ||
		     ice_pair_order(r, p) < ice_pair_order(r, best)) &&
		    p->heard + ICE_CONSENT_MS <= r->now)
			ice_pair_fail(r, i);
	}
}

static bool may_get_better(const struct ice_run *r)
{
	const struct ice_agent *a = r->a;
	const struct ice_pair *best = &a->pair[a->selected];
	unsigned i;

	if (!a->ended)
		return true;
	for (i = 0; i < ICE_PAIRS_MAX; i++) {
		const struct ice_pair *p = &a->pair[i];

		if ((p->state == ICE_PAIR_WAITING ||
		     p->state == ICE_PAIR_CHECKED) &&
		    ice_pair_order(r, p) > ice_pair_order(r, best))
			return true;
	}
	return false;
}

/* Regular nomination (8.1.1): the best pair, when it is the best for certain
 * or a better one has had its time. Once more only when the peer's address has
 * changed, and what was nominated does not answer. */
static bool nominates(const struct ice_run *r)
{
	const struct ice_agent *a = r->a;

	if (!a->controlling || a->selected == ICE_NONE ||
	    a->selected == ICE_OLD || a->pair[a->selected].nominated)
		return false;
	if (a->nominating != ICE_NONE && (a->nominating == a->selected ||
	    !ice_in_doubt(&a->pair[a->nominating], r->now)))
		return false;
	return a->completed || !may_get_better(r) ||
	       r->now >= a->first_valid + ICE_NOMINATE_MS;
}

static void make_checks(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	bool nominate = nominates(r);
	unsigned i = nominate ? a->selected : next_pair(r);

	a->decided = nominate;
	if (i == ICE_NONE || a->state == ICE_NEW || r->now < a->next_check)
		return;
	a->next_check = r->now + ICE_TA_MS;
	if (!start_check(r, i, false, nominate) || !nominate)
		return;
	if (a->nominating != ICE_NONE && a->nominating != i)
		ice_unrepeat(a, a->nominating);
	a->nominating = (uint8_t)i;
}

/* 0.8 to 1.2 of the time (RFC 7675, 5.1), and then down to a tick. */
int64_t ice_consent_after(struct ice_run *r, int64_t from)
{
	const int64_t least = ICE_CONSENT_MS * 4 / 5 + ICE_TICK_MS;
	const int64_t most = ICE_CONSENT_MS * 6 / 5;
	uint32_t random;
	int64_t at;

	ice_draw(r, &random, sizeof(random));
	at = from + least + random % (most - least + 1);
	return at - at % ICE_TICK_MS;
}

/* Each is sent once; the next has a new id. */
static void ask_consent(struct ice_run *r)
{
	struct ice_agent *a = r->a;

	if (a->selected == ICE_NONE || r->now < a->consent_at)
		return;
	if (!start_check(r, a->selected, true, false)) {
		a->consent_at = r->now + ICE_TA_MS;
		return;
	}
	a->consent_at = ice_consent_after(r, r->now);
}

/* No answer to a consent check: it is asked again as often as any other, for
 * of those that are sent once too many are lost on a bad network. */
static void insist(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	unsigned n;

	if (a->selected == ICE_NONE || a->selected == ICE_OLD ||
	    !ice_in_doubt(&a->pair[a->selected], r->now))
		return;
	for (n = 0; n < ICE_CHECKS_MAX; n++)
		if (a->check[n].used && a->check[n].repeats &&
		    a->check[n].pair == a->selected)
			return;
	ice_trigger(r, a->selected);
}

void ice_set_role(struct ice_run *r, bool controlling)
{
	struct ice_agent *a = r->a;
	unsigned i;

	a->controlling = controlling;
	a->nominating = ICE_NONE;
	for (i = 0; i < ICE_PAIRS_MAX; i++) {
		a->pair[i].nominated = false;
		ice_unrepeat(a, i);
		if (a->pair[i].state != ICE_PAIR_CHECKED)
			continue;
		ice_pair_set(&a->pair[i], ICE_PAIR_WAITING);
		ice_trigger(r, i);
	}
}

void ice_clock(struct ice_run *r)
{
	give_up_worse(r);
	ask_consent(r);
	insist(r);
	make_checks(r);
}
