/* ice_pair.c: the agent's pairs: candidates, priorities, who is sent to. */
#include "jingle/media/ice_private.h"

#include <assert.h>
#include <string.h>

#define BIT(s) (1u << (s))
#define COMPONENT 1
#define LOCAL_PREFERENCE_MAX 65535

const unsigned ice_pair_may[ICE_PAIR_STATES] = {
	[ICE_PAIR_FREE] = BIT(ICE_PAIR_WAITING),
	[ICE_PAIR_WAITING] = BIT(ICE_PAIR_CHECKED) | BIT(ICE_PAIR_VALID) |
			     BIT(ICE_PAIR_FAILED) | BIT(ICE_PAIR_DEAD) |
			     BIT(ICE_PAIR_FREE),
	[ICE_PAIR_CHECKED] = BIT(ICE_PAIR_WAITING) | BIT(ICE_PAIR_VALID) |
			     BIT(ICE_PAIR_FAILED) | BIT(ICE_PAIR_DEAD) |
			     BIT(ICE_PAIR_FREE),
	[ICE_PAIR_VALID] = BIT(ICE_PAIR_FAILED) | BIT(ICE_PAIR_DEAD) |
			   BIT(ICE_PAIR_FREE),
	[ICE_PAIR_FAILED] = BIT(ICE_PAIR_WAITING) | BIT(ICE_PAIR_VALID) |
			    BIT(ICE_PAIR_DEAD) | BIT(ICE_PAIR_FREE),
	[ICE_PAIR_DEAD] = BIT(ICE_PAIR_FREE),
};

void ice_pair_set(struct ice_pair *p, enum ice_pair_state to)
{
	assert(ice_pair_may[p->state] & BIT(to));
	p->state = to;
}

/* --- priorities ------------------------------------------------------- */

uint32_t ice_priority(enum ice_type type, unsigned nth)
{
	static const uint32_t preference[] = {     /* 5.1.2.2 */
		[ICE_HOST] = 126, [ICE_PRFLX] = 110, [ICE_SRFLX] = 100,
		[ICE_RELAY] = 0,
	};

	return preference[type] << 24 | (LOCAL_PREFERENCE_MAX - nth) << 8 |
	       (256 - COMPONENT);
}

static struct ice_offer make_offer(const struct ice_local *l, unsigned nth,
				   enum ice_type type)
{
	struct ice_offer o = { .type = type };

	o.addr = type == ICE_HOST ? l->base : l->seen;
	if (type != ICE_HOST)
		o.related = l->base;
	o.priority = ice_priority(type, nth);
	/* Of one type and base each (5.1.1.3). */
	o.foundation[0] = (char)('1' + nth);
	o.foundation[1] = type == ICE_HOST ? 'h' : 's';
	return o;
}

unsigned ice_offers(const struct ice_config *config,
		    struct ice_offer out[ICE_OFFERS_MAX])
{
	unsigned i, n = 0;

	for (i = 0; i < config->locals; i++) {
		out[n++] = make_offer(&config->local[i], i, ICE_HOST);
		if (config->local[i].seen.family != ADDR_NONE)
			out[n++] = make_offer(&config->local[i], i, ICE_SRFLX);
	}
	return n;
}

/* The one local address of a family; config->locals: none. */
static unsigned local_of(const struct ice_config *config, unsigned family)
{
	unsigned i;

	for (i = 0; i < config->locals; i++)
		if (config->local[i].base.family == family)
			break;
	return i;
}

uint64_t ice_pair_order(const struct ice_run *r, const struct ice_pair *p)
{
	uint64_t ours = ice_priority(ICE_HOST,
				     local_of(r->config, p->addr.family));
	uint64_t his = p->priority;
	uint64_t g = r->a->controlling ? ours : his;
	uint64_t d = r->a->controlling ? his : ours;

	return ((g < d ? g : d) << 32) + 2 * (g > d ? g : d) + (g > d);
}

uint32_t ice_reflexive_priority(const struct ice_run *r,
				const struct ice_pair *p)
{
	return ice_priority(ICE_PRFLX, local_of(r->config, p->addr.family));
}

/* --- who may be sent to ----------------------------------------------- */

bool ice_allowed(const struct ice_config *config, const struct addr *a)
{
	unsigned i;

	for (i = 0; i < config->locals; i++)
		if (addr_equal(a, &config->local[i].base) ||
		    addr_equal(a, &config->local[i].seen))
			return false;
	if (local_of(config, a->family) == config->locals)
		return false;
	return config->forbidden ? !config->forbidden(a, config->arg) :
	       !addr_forbidden(a, NULL);
}

/* --- finding and adding ----------------------------------------------- */

unsigned ice_pair_find(const struct ice_agent *a, const struct addr *addr)
{
	unsigned i;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].state != ICE_PAIR_FREE &&
		    addr_equal(&a->pair[i].addr, addr))
			return i;
	return ICE_NONE;
}

static unsigned count_signalled(const struct ice_agent *a)
{
	unsigned i, n = 0;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		n += a->pair[i].state != ICE_PAIR_FREE && a->pair[i].signalled;
	return n;
}

static void forget(struct ice_agent *a, unsigned i)
{
	unsigned n;

	for (n = 0; n < ICE_CHECKS_MAX; n++)
		if (a->check[n].used && a->check[n].pair == i)
			a->check[n].used = false;
	if (a->nominating == i)
		a->nominating = ICE_NONE;
	memset(&a->pair[i], 0, sizeof(a->pair[i]));
}

static void add(struct ice_agent *a, unsigned i, const struct addr *addr,
		uint32_t priority, bool signalled)
{
	struct ice_pair *p = &a->pair[i];

	p->addr = *addr;
	p->priority = priority;
	p->signalled = signalled;
	ice_pair_set(p, ICE_PAIR_WAITING);
}

static unsigned find_state(const struct ice_agent *a, enum ice_pair_state s,
			   bool signalled)
{
	unsigned i;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].state == s &&
		    (!signalled || a->pair[i].signalled))
			return i;
	return ICE_NONE;
}

/* How little is lost with a pair; more is less. */
static int64_t worth(const struct ice_agent *a, unsigned i)
{
	const struct ice_pair *p = &a->pair[i];

	if (i == a->selected)
		return INT64_MAX;
	return p->state == ICE_PAIR_FAILED ? -1 : p->heard;
}

/* Who must go for an address that checks us: a failed one, else whoever was
 * not heard of for longest. */
static unsigned least_worth(const struct ice_agent *a)
{
	unsigned i, least = 0;

	for (i = 1; i < ICE_PAIRS_MAX; i++)
		if (worth(a, i) < worth(a, least))
			least = i;
	return least;
}

unsigned ice_pair_reflexive(struct ice_run *r, const struct addr *addr,
			    uint32_t priority)
{
	struct ice_agent *a = r->a;
	unsigned i = ice_pair_find(a, addr);

	if (i != ICE_NONE)
		return i;
	i = find_state(a, ICE_PAIR_FREE, false);
	if (i == ICE_NONE) {
		ice_count(r, ICE_N_OVER_REFLEXIVE);
		i = least_worth(a);
		forget(a, i);
	}
	add(a, i, addr, priority, false);
	return i;
}

/* Places that candidates may fill: free ones up to their cap, then those of
 * candidates that failed. */
static unsigned place_for_candidate(struct ice_agent *a)
{
	unsigned i = ICE_NONE;

	if (count_signalled(a) < ICE_REMOTE_MAX)
		i = find_state(a, ICE_PAIR_FREE, false);
	if (i == ICE_NONE) {
		i = find_state(a, ICE_PAIR_FAILED, true);
		if (i != ICE_NONE)
			forget(a, i);
	}
	return i;
}

static bool is_stale(const struct ice_agent *a, const char *ufrag)
{
	if (!ufrag)
		return false;
	if (a->state != ICE_NEW)
		return strcmp(ufrag, a->current.his_ufrag) != 0;
	return !strcmp(ufrag, a->old.his_ufrag);
}

/* Is it one that we could check at all? Names are never looked up (A04). */
static bool read_candidate(const struct ice_run *r, struct addr *addr_r)
{
	const struct ice_candidate *c = r->ev->candidate;

	return c->component == COMPONENT && c->protocol == ICE_UDP &&
	       !c->mdns && !addr_parse(c->ip, c->port, addr_r) &&
	       local_of(r->config, addr_r->family) < r->config->locals;
}

void ice_add_candidate(struct ice_run *r)
{
	struct ice_agent *a = r->a;
	struct addr addr;
	unsigned i;

	if (is_stale(a, r->ev->ufrag)) {
		ice_count(r, ICE_N_STALE);
		return;
	}
	if (!read_candidate(r, &addr)) {
		ice_count(r, ICE_N_IGNORED);
		return;
	}
	if (!ice_allowed(r->config, &addr)) {
		ice_count(r, ICE_N_FORBIDDEN);
		return;
	}
	i = ice_pair_find(a, &addr);
	if (i != ICE_NONE) {       /* maybe learned before (7.3.1.3) */
		a->pair[i].signalled = true;
		a->pair[i].priority = r->ev->candidate->priority;
		return;
	}
	i = place_for_candidate(a);
	if (i == ICE_NONE)
		ice_count(r, ICE_N_OVER_PAIRS);
	else
		add(a, i, &addr, r->ev->candidate->priority, true);
}

/* --- what becomes of one ---------------------------------------------- */

bool ice_live(const struct ice_pair *p, int64_t now)
{
	return p->state == ICE_PAIR_VALID &&
	       now < p->answered + ICE_CONSENT_LOST_MS;
}

bool ice_in_doubt(const struct ice_pair *p, int64_t now)
{
	return p->asked && now >= p->asked + ICE_DOUBT_MS;
}

void ice_trigger(struct ice_run *r, unsigned i)
{
	struct ice_pair *p = &r->a->pair[i];

	if (p->turn)
		return;
	if (p->state == ICE_PAIR_FAILED)
		ice_pair_set(p, ICE_PAIR_WAITING);
	p->turn = ++r->a->turn;
}

void ice_pair_fail(struct ice_run *r, unsigned i)
{
	struct ice_agent *a = r->a;
	struct ice_pair *p = &a->pair[i];

	ice_unrepeat(a, i);
	p->turn = 0;
	p->nominated = false;
	if (a->nominating == i)
		a->nominating = ICE_NONE;
	if (p->state != ICE_PAIR_FAILED)
		ice_pair_set(p, ICE_PAIR_FAILED);
}
