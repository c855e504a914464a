/* ice_in.c: what the agent does with a STUN packet. */
#include "jingle/media/ice_private.h"

#include <string.h>

/* Which credentials a request was made with: its user name is "ours:his"
 * (7.3). His part is not compared: he may have changed it, and the password
 * says who he is. NULL: none. */
static const struct ice_generation *whose(const struct ice_agent *a,
					  const struct stun_msg *m)
{
	const struct ice_generation *of[] = { &a->current, &a->old };
	size_t len = ICE_OUR_UFRAG_SIZE - 1;
	unsigned i;

	if (!m->username || m->username_len <= len || m->username[len] != ':')
		return NULL;
	for (i = 0; i < 2; i++)
		if (of[i]->ufrag[0] && !memcmp(m->username, of[i]->ufrag, len))
			return of[i];
	return NULL;
}

/* Is the other part of the user name this one? */
static bool says(const struct stun_msg *m, const char *his_ufrag)
{
	size_t at = ICE_OUR_UFRAG_SIZE, len = strlen(his_ufrag);

	return len && m->username_len == at + len &&
	       !memcmp(m->username + at, his_ufrag, len);
}

static bool signed_with(const struct stun_msg *m, const char *pwd)
{
	return pwd[0] && stun_authentic(m, pwd, strlen(pwd));
}

/* --- requests --------------------------------------------------------- */

/* Never longer than the request, so that we are of no use to whoever sends in
 * another one's name (A24). */
static void answer(struct ice_run *r, const struct stun_msg *request,
		   unsigned error, const char *pwd)
{
	struct stun_msg m = { .class = error ? STUN_ERROR : STUN_SUCCESS,
			      .error = error };

	memcpy(m.id, request->id, sizeof(m.id));
	if (!error)
		m.mapped = r->ev->from;
	if (error == STUN_UNKNOWN) {
		m.refused_n = request->unknown_n;
		memcpy(m.refused, request->unknown, sizeof(m.refused));
	}
	if (!ice_send(r, &m, pwd, &r->ev->from))
		return;
	if (r->out->list[r->out->n - 1].len > r->ev->len) {
		r->out->n--;
		r->out->sends--;
		ice_count(r, ICE_N_SHORT);
	}
}

/* 7.3.1.1: false: he must change his role, and is told so. */
static bool settle_roles(struct ice_run *r, const struct stun_msg *m)
{
	struct ice_agent *a = r->a;
	bool controlling = m->role == STUN_CONTROLLING;

	if (controlling != a->controlling)
		return true;
	ice_count(r, ICE_N_CONFLICTS);
	if ((a->tie_breaker >= m->tie_breaker) == controlling)
		return false;
	ice_set_role(r, !a->controlling);
	return true;
}

/* The one that serves says nothing: is it still there? Another pair lives, and
 * when this one does not it should go first soon. */
static void probe_selected(struct ice_run *r, unsigned heard)
{
	struct ice_agent *a = r->a;
	struct ice_pair *p;

	if (a->selected == ICE_NONE || a->selected == ICE_OLD ||
	    a->selected == heard)
		return;
	p = &a->pair[a->selected];
	if (!p->asked && r->now >= p->heard + ICE_DOUBT_MS)
		ice_trigger(r, a->selected);
}

/* A request that is right, by the peer, with his credentials of now. */
static void checked(struct ice_run *r, const struct stun_msg *m, bool by_old)
{
	unsigned i = ice_pair_reflexive(r, &r->ev->from, m->priority);
	struct ice_pair *p = &r->a->pair[i];

	p->heard = r->now;
	p->by_old = by_old;
	if (m->use_candidate && !r->a->controlling)
		p->nominated = true;
	/* 7.3.1.4; a valid one once more when its answer is old, for it may
	 * be needed now. */
	if (p->state != ICE_PAIR_VALID ||
	    (i != r->a->selected && r->now >= p->answered + ICE_CONSENT_MS))
		ice_trigger(r, i);
	probe_selected(r, i);
}

static bool is_dead(const struct ice_run *r)
{
	unsigned i = ice_pair_find(r->a, &r->ev->from);

	return i != ICE_NONE && r->a->pair[i].state == ICE_PAIR_DEAD;
}

/* With the credentials of before: the old pair lives, for him too. */
static void checked_old(struct ice_run *r)
{
	struct ice_agent *a = r->a;

	if (a->selected == ICE_OLD &&
	    addr_equal(&a->pair[ICE_OLD].addr, &r->ev->from))
		a->pair[ICE_OLD].heard = r->now;
}

/* He has restarted, and checks with his new ufrag and our old one: he does
 * not know ours yet, or (Chromium, when our address is the same) will go on so,
 * and take from us nothing else. That is a check of now. */
static bool is_of_now(const struct ice_agent *a, const struct stun_msg *m,
		      const struct ice_generation *g)
{
	return g == &a->current || says(m, a->current.his_ufrag);
}

/* He uses our new credentials. When the old pair is gone, and no other is
 * known to him by those of before, these are of no use to anybody. */
static void leave_old(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	unsigned i = ice_pair_find(a, &r->ev->from);

	if (i != ICE_NONE)
		a->pair[i].by_old = false;
	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].by_old)
			return;
	if (a->selected != ICE_OLD)
		ice_drop_credentials(a);
}

/* An authentic request. */
static void take_request(struct ice_run *r, const struct stun_msg *m,
			 const struct ice_generation *g)
{
	struct ice_agent *a = r->a;

	if (g == &a->current)
		leave_old(r);
	if (m->unknown_n) {
		ice_count(r, ICE_N_BAD_REQUESTS);
		answer(r, m, STUN_UNKNOWN, g->pwd);
	} else if (!m->has_priority || m->role == STUN_NO_ROLE ||
		   m->two_roles) {
		ice_count(r, ICE_N_BAD_REQUESTS);
		answer(r, m, STUN_BAD_REQUEST, g->pwd);
	} else if (!is_of_now(a, m, g)) {
		answer(r, m, 0, g->pwd);
		checked_old(r);
	} else if (is_dead(r)) {
		ice_count(r, ICE_N_DEAD);
	} else if (!settle_roles(r, m)) {
		answer(r, m, STUN_ROLE_CONFLICT, g->pwd);
	} else {
		answer(r, m, 0, g->pwd);
		checked(r, m, g == &a->old);
	}
}

/* --- answers ---------------------------------------------------------- */

static struct ice_check *find_check(struct ice_agent *a,
				    const struct stun_msg *m)
{
	unsigned n;

	for (n = 0; n < ICE_CHECKS_MAX; n++)
		if (a->check[n].used &&
		    !memcmp(a->check[n].id, m->id, STUN_ID_SIZE))
			return &a->check[n];
	return NULL;
}

static void nominated(struct ice_agent *a, unsigned i)
{
	unsigned n;

	for (n = 0; n < ICE_PAIRS_MAX; n++)
		a->pair[n].nominated = n == i;
	a->nominating = ICE_NONE;
}

static void succeeded(struct ice_run *r, const struct ice_check *c)
{
	struct ice_agent *a = r->a;
	struct ice_pair *p = &a->pair[c->pair];

	p->answered = p->heard = r->now;
	p->asked = 0;
	if (p->state != ICE_PAIR_VALID)
		ice_pair_set(p, ICE_PAIR_VALID);
	p->turn = 0;
	/* A nomination goes on until it is itself answered. */
	if (c->use_candidate || c->pair != a->nominating)
		ice_unrepeat(a, c->pair);
	if (c->pair == ICE_OLD)
		return;
	if (!a->first_valid)
		a->first_valid = r->now;
	if (c->use_candidate && c->pair == a->nominating)
		nominated(a, c->pair);
}

/* 7.2.5.1: he keeps his role, so we change ours, if we have not yet. */
static void told_conflict(struct ice_run *r, const struct ice_check *c)
{
	struct ice_agent *a = r->a;

	ice_count(r, ICE_N_CONFLICTS);
	if (c->controlling == a->controlling) {
		ice_set_role(r, !a->controlling);
		ice_draw(r, &a->tie_breaker, sizeof(a->tie_breaker));
	}
	if (c->pair == ICE_OLD)
		return;
	if (a->pair[c->pair].state == ICE_PAIR_CHECKED && c->repeats)
		ice_pair_set(&a->pair[c->pair], ICE_PAIR_WAITING);
	ice_trigger(r, c->pair);
}

static void refused(struct ice_run *r, const struct ice_check *c,
		    unsigned error)
{
	unsigned i = c->pair;

	if (error == STUN_ROLE_CONFLICT) {
		told_conflict(r, c);
	} else if (error == STUN_FORBIDDEN) {      /* RFC 7675, 5.2 */
		ice_pair_fail(r, i);
		ice_pair_set(&r->a->pair[i], ICE_PAIR_DEAD);
	} else if (!c->consent) {
		ice_pair_fail(r, i);
	}
}

static void take_answer(struct ice_run *r, const struct stun_msg *m)
{
	struct ice_check *c = find_check(r->a, m), was;
	const struct ice_generation *g;

	if (!c || !addr_equal(&r->a->pair[c->pair].addr, &r->ev->from)) {
		ice_count(r, ICE_N_UNEXPECTED);
		return;
	}
	g = ice_of(r->a, c->pair);
	if (!signed_with(m, g->his_pwd)) {
		ice_count(r, ICE_N_UNAUTHENTIC);
		return;
	}
	was = *c;
	c->used = false;
	if (r->a->pair[was.pair].state == ICE_PAIR_DEAD)
		return;
	if (m->class == STUN_SUCCESS && !m->unknown_n) {
		succeeded(r, &was);
	} else {
		refused(r, &was, m->unknown_n ? 0 : m->error);
	}
}

void ice_packet(struct ice_run *r)
{
	const struct ice_generation *g;
	struct stun_msg m;

	if (stun_read(r->ev->bytes, r->ev->len, &m)) {
		ice_count(r, ICE_N_MALFORMED);
	} else if (m.class == STUN_INDICATION) {
		ice_count(r, ICE_N_INDICATIONS);
	} else if (!ice_allowed(r->config, &r->ev->from)) {
		ice_count(r, ICE_N_FORBIDDEN);
	} else if (m.class != STUN_REQUEST) {
		take_answer(r, &m);
	} else {
		g = whose(r->a, &m);
		if (g && signed_with(&m, g->pwd))
			take_request(r, &m, g);
		else
			ice_count(r, ICE_N_UNAUTHENTIC);
	}
}
