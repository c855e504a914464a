/* ice.c: an ICE agent's life: credentials, which pair is selected, its state
 * (see ice.h).
 */
#include "jingle/media/ice.h"

#include <assert.h>
#include <string.h>
#include "jingle/media/hmac.h"
#include "jingle/media/ice_private.h"

#define BIT(s) (1u << (s))

const unsigned ice_may[ICE_STATES] = {
	[ICE_NEW] = BIT(ICE_CHECKING),
	[ICE_CHECKING] = BIT(ICE_CONNECTED) | BIT(ICE_COMPLETED) |
			 BIT(ICE_FAILED) | BIT(ICE_NEW),
	[ICE_CONNECTED] = BIT(ICE_COMPLETED) | BIT(ICE_LOST) | BIT(ICE_NEW),
	[ICE_COMPLETED] = BIT(ICE_CONNECTED) | BIT(ICE_LOST) | BIT(ICE_NEW),
	[ICE_LOST] = BIT(ICE_CONNECTED) | BIT(ICE_COMPLETED) | BIT(ICE_NEW),
	[ICE_FAILED] = BIT(ICE_CONNECTED) | BIT(ICE_COMPLETED) | BIT(ICE_NEW),
};

const char *ice_state_name(enum ice_state s)
{
	static const char *const names[ICE_STATES] = {
		"new", "checking", "connected", "completed", "lost", "failed",
	};

	return s < ICE_STATES ? names[s] : "?";
}

const char *ice_count_name(enum ice_count n)
{
	static const char *const names[ICE_COUNTS] = {
		"malformed", "unauthentic", "unexpected", "indications",
		"bad-requests", "conflicts", "forbidden", "dead", "short",
		"ignored", "stale", "over-pairs", "over-reflexive",
		"over-checks", "over-rate",
	};

	return n < ICE_COUNTS ? names[n] : "?";
}

void ice_count(struct ice_run *r, enum ice_count n)
{
	r->a->count[n]++;
}

/* --- entropy and credentials ------------------------------------------ */

void ice_draw(struct ice_run *r, void *out, size_t len)
{
	unsigned char piece[SHA1_SIZE], *p = out;
	struct hmac_state s;
	size_t n;

	for (; len; len -= n, p += n) {
		hmac_start(&s, r->ev->entropy, ICE_ENTROPY_SIZE);
		hmac_add(&s, &r->drawn, sizeof(r->drawn));
		hmac_end(&s, piece);
		r->drawn++;
		n = len < sizeof(piece) ? len : sizeof(piece);
		memcpy(p, piece, n);
	}
	explicit_bzero(piece, sizeof(piece));
}

/* 6 bits a character, of those that ICE allows (RFC 8839, 5.4). */
static void draw_text(struct ice_run *r, char *text, size_t size)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	ice_draw(r, text, size - 1);
	for (i = 0; i < size - 1; i++)
		text[i] = chars[text[i] & 63];
	text[size - 1] = '\0';
}

static void draw_credentials(struct ice_run *r)
{
	struct ice_generation *g = &r->a->current;

	draw_text(r, g->ufrag, sizeof(g->ufrag));
	draw_text(r, g->pwd, sizeof(g->pwd));
}

void ice_init(struct ice_agent *a, bool controlling,
	      const unsigned char entropy[ICE_ENTROPY_SIZE])
{
	struct ice_event ev = { 0 };
	struct ice_run r = { .a = a, .ev = &ev };

	memset(a, 0, sizeof(*a));
	a->controlling = controlling;
	a->selected = a->nominating = ICE_NONE;
	memcpy(ev.entropy, entropy, sizeof(ev.entropy));
	draw_credentials(&r);
	ice_draw(&r, &a->tie_breaker, sizeof(a->tie_breaker));
	explicit_bzero(&ev, sizeof(ev));
}

void ice_clear(struct ice_agent *a)
{
	explicit_bzero(a, sizeof(*a));
}

const struct ice_generation *ice_of(const struct ice_agent *a, unsigned i)
{
	return i == ICE_OLD ? &a->old : &a->current;
}

static void set_state(struct ice_agent *a, enum ice_state to)
{
	assert(ice_may[a->state] & BIT(to));
	a->state = to;
}

struct ice_action *ice_act(struct ice_run *r, enum ice_action_kind kind)
{
	struct ice_action *act = &r->out->list[r->out->n];

	assert(r->out->n < ICE_ACTIONS_MAX);
	r->out->n++;
	act->kind = kind;
	act->state = r->a->state;
	act->len = 0;
	memset(&act->addr, 0, sizeof(act->addr));
	return act;
}

/* --- restart ---------------------------------------------------------- */

/* The selected pair serves on, with the credentials it has; checks of it go
 * with it. */
static void keep_selected(struct ice_agent *a)
{
	unsigned n;

	for (n = 0; n < ICE_CHECKS_MAX; n++) {
		struct ice_check *c = &a->check[n];

		if (c->used && c->pair == a->selected)
			c->pair = ICE_OLD;
		else if (c->pair != ICE_OLD)
			c->used = false;
	}
	if (a->selected == ICE_OLD || a->selected == ICE_NONE)
		return;
	a->pair[ICE_OLD] = a->pair[a->selected];
	a->pair[ICE_OLD].by_old = false;
	a->selected = ICE_OLD;
}

/* His ufrag stays: candidates may still come with it. */
void ice_drop_credentials(struct ice_agent *a)
{
	explicit_bzero(a->old.ufrag, sizeof(a->old.ufrag));
	explicit_bzero(a->old.pwd, sizeof(a->old.pwd));
	explicit_bzero(a->old.his_pwd, sizeof(a->old.his_pwd));
}

/* A pair is valid with the new credentials, or that one has died. */
static void drop_old(struct ice_agent *a)
{
	unsigned n;

	for (n = 0; n < ICE_CHECKS_MAX; n++)
		if (a->check[n].pair == ICE_OLD)
			a->check[n].used = false;
	memset(&a->pair[ICE_OLD], 0, sizeof(a->pair[ICE_OLD]));
}

/* Those by which the selected pair is known to him. */
static void keep_credentials(struct ice_agent *a)
{
	if (a->selected != ICE_NONE && a->pair[a->selected].by_old) {
		strcpy(a->current.ufrag, a->old.ufrag);
		strcpy(a->current.pwd, a->old.pwd);
	}
	a->old = a->current;
}

void ice_restart(struct ice_run *r)
{
	struct ice_agent *a = r->a;

	/* The pair of before may itself be of before: nothing was valid
	 * since. */
	if (a->selected != ICE_OLD)
		keep_credentials(a);
	keep_selected(a);
	if (a->selected == ICE_NONE)
		ice_drop_credentials(a);
	memset(a->pair, 0, ICE_PAIRS_MAX * sizeof(a->pair[0]));
	memset(&a->current, 0, sizeof(a->current));
	a->ended = a->completed = false;
	a->nominating = ICE_NONE;
	a->first_valid = 0;
	if (a->state != ICE_NEW)
		set_state(a, ICE_NEW);
	draw_credentials(r);
	ice_act(r, ICE_DO_CREDENTIALS);
}

static void set_remote(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	const char *ufrag = r->ev->ufrag, *pwd = r->ev->pwd;

	if (strlen(ufrag) > ICE_UFRAG_MAX || strlen(pwd) > ICE_PWD_MAX ||
	    !*ufrag || !*pwd) {
		ice_count(r, ICE_N_IGNORED);
		return;
	}
	if (!strcmp(ufrag, a->current.his_ufrag) &&
	    !strcmp(pwd, a->current.his_pwd))
		return;
	if (!strcmp(ufrag, a->old.his_ufrag)) {
		ice_count(r, ICE_N_STALE);
		return;
	}
	if (a->state != ICE_NEW)
		ice_restart(r);
	strcpy(a->current.his_ufrag, ufrag);
	strcpy(a->current.his_pwd, pwd);
	a->started = r->now;
	set_state(a, ICE_CHECKING);
}

/* --- which pair is selected ------------------------------------------- */

/* One that answers, then one that was nominated, then by priority: a peer may
 * nominate several (RFC 5245, 8.1.1.2), and one that nominated another because
 * the first is dead goes on with that (F15). */
static bool is_better(const struct ice_run *r, const struct ice_pair *p,
		      const struct ice_pair *than)
{
	bool doubt = ice_in_doubt(p, r->now);

	if (doubt != ice_in_doubt(than, r->now))
		return !doubt;
	if (p->nominated != than->nominated)
		return p->nominated;
	return ice_pair_order(r, p) > ice_pair_order(r, than);
}

static unsigned best_pair(const struct ice_run *r)
{
	const struct ice_agent *a = r->a;
	unsigned i, best = ICE_NONE;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (ice_live(&a->pair[i], r->now) && (best == ICE_NONE ||
		    is_better(r, &a->pair[i], &a->pair[best])))
			best = i;
	if (best == ICE_NONE && ice_live(&a->pair[ICE_OLD], r->now))
		best = ICE_OLD;
	return best;
}

/* Consent of the selected pair has ended: nothing is sent there again. */
static void expire(struct ice_run *r)
{
	struct ice_agent *a = r->a;

	if (a->selected == ICE_NONE ||
	    ice_live(&a->pair[a->selected], r->now))
		return;
	if (a->pair[a->selected].state == ICE_PAIR_VALID) {
		ice_pair_fail(r, a->selected);
		ice_pair_set(&a->pair[a->selected], ICE_PAIR_DEAD);
	}
	if (a->selected == ICE_OLD)
		drop_old(a);
}

static void select_best(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	unsigned best;

	expire(r);
	best = best_pair(r);
	if (best == a->selected)
		return;
	if (a->selected == ICE_OLD)
		drop_old(a);
	a->selected = (uint8_t)best;
	/* Consent was given by the answer that made it valid. */
	if (best != ICE_NONE)
		a->consent_at = ice_consent_after(r, a->pair[best].answered);
}

/* --- state ------------------------------------------------------------ */

static bool is_hopeless(const struct ice_run *r)
{
	const struct ice_agent *a = r->a;
	unsigned i;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].state == ICE_PAIR_CHECKED ||
		    a->pair[i].state == ICE_PAIR_WAITING)
			return false;
	return a->selected == ICE_NONE &&
	       r->now >= a->started + ICE_PATIENCE_MS;
}

static enum ice_state wanted_state(const struct ice_run *r)
{
	const struct ice_agent *a = r->a;

	if (a->state == ICE_NEW)
		return ICE_NEW;
	if (a->selected != ICE_NONE && a->selected != ICE_OLD)
		return a->pair[a->selected].nominated ? ICE_COMPLETED :
		       ICE_CONNECTED;
	if (a->state == ICE_CONNECTED || a->state == ICE_COMPLETED)
		return ICE_LOST;
	if (a->state == ICE_CHECKING && is_hopeless(r))
		return ICE_FAILED;
	return a->state;
}

/* Says what has changed; `before` was selected. */
static void report(struct ice_run *r, const struct addr *before)
{
	struct ice_agent *a = r->a;
	const struct addr *now = ice_selected(a);
	enum ice_state to = wanted_state(r);

	if (!now != (before->family == ADDR_NONE) ||
	    (now && !addr_equal(now, before))) {
		struct ice_action *act = ice_act(r, ICE_DO_SELECT);

		if (now)
			act->addr = *now;
	}
	if (to == a->state)
		return;
	set_state(a, to);
	a->completed |= to == ICE_COMPLETED;
	ice_act(r, ICE_DO_STATE);
}

/* --- steps ------------------------------------------------------------ */

static void take(struct ice_run *r)
{
	switch (r->ev->kind) {
	case ICE_EV_PACKET:
		ice_packet(r);
		break;
	case ICE_EV_CANDIDATE:
		ice_add_candidate(r);
		break;
	case ICE_EV_REMOTE:
		set_remote(r);
		break;
	case ICE_EV_END:
		r->a->ended = true;
		break;
	case ICE_EV_RESTART:
		ice_restart(r);
		break;
	default:
		break;
	}
}

void ice_step(struct ice_agent *a, const struct ice_event *ev,
	      struct ice_actions *out)
{
	struct ice_run r = { .a = a, .ev = ev, .config = ev->config,
			     .now = ev->now, .out = out };
	const struct addr *selected = ice_selected(a);
	struct addr before = { 0 };

	assert(ev->now > 0 && ev->now >= a->now);
	if (selected)
		before = *selected;
	a->now = ev->now;
	out->n = out->sends = 0;
	take(&r);
	ice_repeat(&r);            /* after it no pair changes its state */
	select_best(&r);
	ice_clock(&r);
	report(&r, &before);
}

static void sooner(int64_t *deadline, int64_t at)
{
	if (at < *deadline)
		*deadline = at;
}

static void selected_deadline(const struct ice_agent *a, int64_t *d)
{
	const struct ice_pair *p = &a->pair[a->selected];
	int64_t nominate = a->completed || a->decided ? 0 :
			   a->first_valid + ICE_NOMINATE_MS;

	sooner(d, a->consent_at);
	sooner(d, p->answered + ICE_CONSENT_LOST_MS);
	if (p->asked && !ice_in_doubt(p, a->now))
		sooner(d, p->asked + ICE_DOUBT_MS);
	if (a->controlling && a->selected != ICE_OLD && !p->nominated &&
	    a->nominating == ICE_NONE)
		sooner(d, nominate > a->next_check ? nominate : a->next_check);
}

int64_t ice_deadline(const struct ice_agent *a)
{
	int64_t d = INT64_MAX;
	unsigned n;

	for (n = 0; n < ICE_CHECKS_MAX; n++)
		if (a->check[n].used && a->check[n].repeats)
			sooner(&d, a->check[n].due);
	if (ice_wants_check(a))
		sooner(&d, a->next_check);
	if (a->selected != ICE_NONE)
		selected_deadline(a, &d);
	else if (a->state == ICE_CHECKING &&
		 a->now < a->started + ICE_PATIENCE_MS)
		sooner(&d, a->started + ICE_PATIENCE_MS);
	return d;
}

const struct addr *ice_selected(const struct ice_agent *a)
{
	return a->selected == ICE_NONE ? NULL : &a->pair[a->selected].addr;
}

static bool is_heard(const struct ice_agent *a, const struct ice_pair *p,
		     const struct addr *from)
{
	return p->state != ICE_PAIR_FREE && p->state != ICE_PAIR_DEAD &&
	       p->heard && a->now < p->heard + ICE_CONSENT_LOST_MS &&
	       addr_equal(&p->addr, from);
}

/* Asked for each packet of media: nearly all come by the selected pair, and
 * each look at another one is memory that is not in a cache. */
bool ice_accepts(const struct ice_agent *a, const struct addr *from)
{
	unsigned i;

	if (a->selected != ICE_NONE &&
	    is_heard(a, &a->pair[a->selected], from))
		return true;
	for (i = 0; i <= ICE_OLD; i++)
		if (is_heard(a, &a->pair[i], from))
			return true;
	return false;
}

/* --- invariants ------------------------------------------------------- */

/* `repeated`: its checks that are sent again until answered. */
static void check_pair(const struct ice_agent *a, unsigned i,
		       unsigned repeated, const struct ice_config *config)
{
	const struct ice_pair *p = &a->pair[i];

	assert(repeated <= 1);
	if (p->state == ICE_PAIR_FREE) {
		assert(!repeated && !p->turn && !p->heard && !p->nominated);
		return;
	}
	assert(ice_allowed(config, &p->addr));
	assert(p->state != ICE_PAIR_CHECKED || repeated);
	assert(p->state != ICE_PAIR_VALID || p->answered);
	assert(p->state != ICE_PAIR_FAILED || (!repeated && !p->turn));
	assert(p->state != ICE_PAIR_DEAD || (!repeated && !p->turn));
	assert(!p->by_old || (a->old.ufrag[0] && i != ICE_OLD));
	assert(p->heard <= a->now && p->answered <= p->heard);
	if (i != ICE_OLD)
		assert(ice_pair_find(a, &p->addr) == i);
}

static void check_selected(const struct ice_agent *a)
{
	bool current = a->selected != ICE_NONE && a->selected != ICE_OLD;

	assert(a->selected <= ICE_OLD || a->selected == ICE_NONE);
	if (a->selected != ICE_NONE)
		assert(ice_live(&a->pair[a->selected], a->now));
	assert((a->pair[ICE_OLD].state != ICE_PAIR_FREE) ==
	       (a->selected == ICE_OLD));
	assert(current == (a->state == ICE_CONNECTED ||
			   a->state == ICE_COMPLETED));
	if (current)
		assert(a->pair[a->selected].nominated ==
		       (a->state == ICE_COMPLETED));
}

void ice_check(const struct ice_agent *a, const struct ice_config *config)
{
	unsigned i, repeated[ICE_OLD + 1] = { 0 };

	assert((a->state == ICE_NEW) == !a->current.his_ufrag[0]);
	assert(strlen(a->current.ufrag) == ICE_OUR_UFRAG_SIZE - 1);
	assert(strlen(a->current.pwd) == ICE_OUR_PWD_SIZE - 1);
	for (i = 0; i < ICE_CHECKS_MAX; i++) {
		const struct ice_check *c = &a->check[i];

		if (!c->used)
			continue;
		assert(a->pair[c->pair].state != ICE_PAIR_FREE);
		repeated[c->pair] += c->repeats;
	}
	for (i = 0; i <= ICE_OLD; i++)
		check_pair(a, i, repeated[i], config);
	check_selected(a);
	if (a->nominating != ICE_NONE)
		assert(a->controlling &&
		       a->pair[a->nominating].state == ICE_PAIR_VALID);
}
