/* ice_test.h: two ICE agents, a network between them in virtual time that
 * loses, doubles and delays by a seed, and NAT that rewrites addresses; shared
 * by the tests of the agent. After each step the agent's invariants hold, and
 * what it sent and when it wants to be called again is judged.
 */
#ifndef TESTS_UNIT_ICE_TEST_H
#define TESTS_UNIT_ICE_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/media/ice.h"
#include "tests/unit/stun_test.h"

#define START 1000
#define FLYING_MAX 256
#define LOG_SIZE 4096

struct flying {                    /* a datagram on its way */
	bool used;
	int64_t at;
	struct addr from, to;
	size_t len;
	unsigned char bytes[ICE_PACKET_MAX];
};

struct peer {
	const char *name;
	struct ice_agent a;
	struct ice_config config;
	struct addr outside;       /* NAT: where IPv4 shows it; family NONE */
	struct addr let_in[64];    /* NAT: whom it has sent to */
	unsigned let_in_n;
	bool says_nothing;         /* credentials go without the candidates */
	int64_t sends, last_send;
};

struct net {
	uint64_t seed;
	int64_t now;
	int loss, twice;           /* percent */
	int delay_min, delay_max;  /* ms */
	bool cut;
	struct peer p[2];
	struct flying flying[FLYING_MAX];
	char log[LOG_SIZE];        /* what changed, a line each */
	struct ice_actions out;    /* of the last step */
	/* A third party: what is sent to it goes here. */
	struct addr third;
	unsigned to_third;
	/* Sees all that is sent; NULL: nobody. */
	void (*watch)(struct net *n, unsigned who, const struct ice_action *a);
};

static inline uint64_t rnd(struct net *n)
{
	uint64_t z = n->seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline struct addr address(const char *ip, unsigned port)
{
	struct addr a;

	assert_int_equal(addr_parse(ip, port, &a), 0);
	return a;
}

static inline void entropy(struct net *n, unsigned char out[ICE_ENTROPY_SIZE])
{
	unsigned i;

	for (i = 0; i < ICE_ENTROPY_SIZE; i++)
		out[i] = (unsigned char)rnd(n);
}

static inline void note(struct net *n, const char *fmt, ...)
{
	size_t len = strlen(n->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(n->log + len, sizeof(n->log) - len, fmt, ap);
	va_end(ap);
}

/* --- the network ------------------------------------------------------ */

static inline void let_in(struct peer *p, const struct addr *to)
{
	unsigned i;

	for (i = 0; i < p->let_in_n; i++)
		if (addr_equal(&p->let_in[i], to))
			return;
	assert_true(p->let_in_n < 64);
	p->let_in[p->let_in_n++] = *to;
}

static inline void fly(struct net *n, const struct addr *from,
		       const struct addr *to, const void *bytes, size_t len)
{
	unsigned i = 0;

	while (i < FLYING_MAX && n->flying[i].used)
		i++;
	assert_true(i < FLYING_MAX && len <= ICE_PACKET_MAX);
	n->flying[i].used = true;
	n->flying[i].at = n->now + n->delay_min +
			  (int64_t)(rnd(n) % (uint64_t)(n->delay_max -
							n->delay_min + 1));
	n->flying[i].from = *from;
	n->flying[i].to = *to;
	n->flying[i].len = len;
	memcpy(n->flying[i].bytes, bytes, len);
}

/* Agent `who` sends: NAT shows another address. */
static inline void leave(struct net *n, unsigned who,
			 const struct ice_action *act)
{
	struct peer *p = &n->p[who];
	const struct addr *from = NULL;
	unsigned i;

	p->sends++;
	p->last_send = n->now;
	for (i = 0; i < p->config.locals; i++)
		if (p->config.local[i].base.family == act->addr.family)
			from = &p->config.local[i].base;
	assert_non_null(from);
	if (p->outside.family == act->addr.family) {
		from = &p->outside;
		let_in(p, &act->addr);
	}
	if (addr_same_ip(&act->addr, &n->third))
		n->to_third++;
	if (n->cut || (int)(rnd(n) % 100) < n->loss)
		return;
	fly(n, from, &act->addr, act->bytes, act->len);
	if ((int)(rnd(n) % 100) < n->twice)
		fly(n, from, &act->addr, act->bytes, act->len);
}

/* Who has this address; 2: nobody. */
static inline unsigned owner(struct net *n, const struct addr *from,
			     const struct addr *to)
{
	unsigned who, i;

	for (who = 0; who < 2; who++) {
		struct peer *p = &n->p[who];

		if (p->outside.family && addr_equal(to, &p->outside)) {
			for (i = 0; i < p->let_in_n; i++)
				if (addr_equal(from, &p->let_in[i]))
					return who;
			return 2;
		}
		for (i = 0; i < p->config.locals; i++)
			if (addr_equal(to, &p->config.local[i].base) &&
			    p->outside.family != to->family)
				return who;
	}
	return 2;
}

/* --- steps ------------------------------------------------------------ */

/* Told by the address alone, another way than the agent does. */
static inline bool never_sent_to(const struct ice_config *config,
				 const struct addr *to)
{
	return config->forbidden ? config->forbidden(to, config->arg) :
	       addr_forbidden(to, NULL) ||
	       addr_equal(to, &config->local[0].base);
}

static inline void judge(struct net *n, unsigned who)
{
	struct ice_agent *a = &n->p[who].a;
	char text[ADDR_TEXT_SIZE];
	unsigned i;

	ice_check(a, &n->p[who].config);
	if (n->out.sends < ICE_STEP_SENDS_MAX)
		assert_true(ice_deadline(a) > n->now);
	for (i = 0; i < n->out.n; i++) {
		const struct ice_action *act = &n->out.list[i];

		addr_format(&act->addr, text);
		if (act->kind == ICE_DO_SELECT)
			note(n, "%s select %s\n", n->p[who].name, text);
		else if (act->kind == ICE_DO_STATE)
			note(n, "%s %s\n", n->p[who].name,
			     ice_state_name(act->state));
		else if (act->kind == ICE_DO_CREDENTIALS)
			note(n, "%s credentials\n", n->p[who].name);
		else if (never_sent_to(&n->p[who].config, &act->addr))
			fail_msg("sends to %s", text);
	}
}

static inline void step(struct net *n, unsigned who, struct ice_event *ev)
{
	unsigned i;

	ev->now = n->now;
	ev->config = &n->p[who].config;
	entropy(n, ev->entropy);
	ice_step(&n->p[who].a, ev, &n->out);
	judge(n, who);
	for (i = 0; i < n->out.n; i++)
		if (n->out.list[i].kind == ICE_DO_SEND) {
			if (n->watch)
				n->watch(n, who, &n->out.list[i]);
			leave(n, who, &n->out.list[i]);
		}
}

static inline void simple(struct net *n, unsigned who,
			  enum ice_event_kind kind)
{
	struct ice_event ev = { .kind = kind };

	step(n, who, &ev);
}

static inline void packet_to(struct net *n, unsigned who,
			     const struct addr *from, const void *bytes,
			     size_t len)
{
	struct ice_event ev = { .kind = ICE_EV_PACKET, .from = *from,
				.bytes = bytes, .len = len };

	step(n, who, &ev);
}

static inline void remote(struct net *n, unsigned who, const char *ufrag,
			  const char *pwd)
{
	struct ice_event ev = { .kind = ICE_EV_REMOTE, .ufrag = ufrag,
				.pwd = pwd };

	step(n, who, &ev);
}

static inline void candidate_as(struct net *n, unsigned who,
				const struct ice_candidate *c,
				const char *ufrag)
{
	struct ice_event ev = { .kind = ICE_EV_CANDIDATE, .candidate = c,
				.ufrag = ufrag };

	step(n, who, &ev);
}

static inline void candidate(struct net *n, unsigned who, const char *ip,
			     unsigned port, uint32_t priority)
{
	struct ice_candidate c = {
		.component = 1, .foundation = "1", .ip = ip, .port = port,
		.priority = priority, .protocol = ICE_UDP, .type = ICE_HOST,
	};

	candidate_as(n, who, &c, NULL);
}

/* The pair of an address; NULL: none. */
static inline const struct ice_pair *ice_pair_of(const struct ice_agent *a,
						 const struct addr *addr)
{
	unsigned i;

	for (i = 0; i < ICE_PAIRS_MAX; i++)
		if (a->pair[i].state != ICE_PAIR_FREE &&
		    addr_equal(&a->pair[i].addr, addr))
			return &a->pair[i];
	return NULL;
}

/* --- time ------------------------------------------------------------- */

static inline struct flying *first_flying(struct net *n)
{
	struct flying *first = NULL;
	unsigned i;

	for (i = 0; i < FLYING_MAX; i++)
		if (n->flying[i].used &&
		    (!first || n->flying[i].at < first->at))
			first = &n->flying[i];
	return first;
}

/* The next thing that happens, if it does before `until`. */
static inline bool next(struct net *n, int64_t until)
{
	struct flying *f = first_flying(n);
	int64_t at = f ? f->at : INT64_MAX;
	unsigned who, due = 2;

	for (who = 0; who < 2; who++)
		if (n->p[who].a.tie_breaker &&
		    ice_deadline(&n->p[who].a) < at) {
			at = ice_deadline(&n->p[who].a);
			due = who;
		}
	if (at > until)
		return false;
	n->now = at > n->now ? at : n->now;
	if (due < 2) {
		simple(n, due, ICE_EV_TIME);
		return true;
	}
	f->used = false;
	who = owner(n, &f->from, &f->to);
	if (who < 2)
		packet_to(n, who, &f->from, f->bytes, f->len);
	return true;
}

static inline void pass(struct net *n, int64_t ms)
{
	int64_t until = n->now + ms;

	while (next(n, until))
		;
	n->now = until;
}

/* Until both are `state`; how many ms it took. */
static inline int64_t until_both(struct net *n, enum ice_state state,
				 int64_t within)
{
	int64_t from = n->now;

	while (n->p[0].a.state != state || n->p[1].a.state != state)
		if (!next(n, from + within))
			fail_msg("after %d ms: %s and %s, not %s:\n%s",
				 (int)within, ice_state_name(n->p[0].a.state),
				 ice_state_name(n->p[1].a.state),
				 ice_state_name(state), n->log);
	return n->now - from;
}

/* --- signalling ------------------------------------------------------- */

/* The other side gets the credentials of `who`, and his candidates. */
static inline void tell(struct net *n, unsigned who)
{
	struct peer *p = &n->p[who];
	struct ice_offer offer[ICE_OFFERS_MAX];
	char ip[ADDR_TEXT_SIZE];
	unsigned i, offers = ice_offers(&p->config, offer);

	remote(n, !who, p->a.current.ufrag, p->a.current.pwd);
	for (i = 0; !p->says_nothing && i < offers; i++) {
		struct ice_candidate c = {
			.component = 1, .foundation = offer[i].foundation,
			.ip = ip, .port = offer[i].addr.port,
			.priority = offer[i].priority, .protocol = ICE_UDP,
			.type = offer[i].type,
		};

		addr_format_ip(&offer[i].addr, ip);
		candidate_as(n, !who, &c, p->a.current.ufrag);
	}
}

/* --- beginnings ------------------------------------------------------- */

#define SERVER "198.51.100.1"
#define SERVER_PORT 3478
#define CLIENT "192.0.2.10"
#define CLIENT_PORT 6000

static inline void add_local(struct peer *p, const char *ip, unsigned port)
{
	p->config.local[p->config.locals++].base = address(ip, port);
}

/* The server is 0, the client 1. */
static inline void begin(struct net *n, uint64_t seed, bool server_controls,
			 bool client_controls)
{
	unsigned char random[ICE_ENTROPY_SIZE];

	memset(n, 0, sizeof(*n));
	n->seed = seed;
	n->now = START;
	n->delay_min = n->delay_max = 10;
	n->p[0].name = "server";
	n->p[1].name = "client";
	add_local(&n->p[0], SERVER, SERVER_PORT);
	add_local(&n->p[1], CLIENT, CLIENT_PORT);
	entropy(n, random);
	ice_init(&n->p[0].a, server_controls, random);
	entropy(n, random);
	ice_init(&n->p[1].a, client_controls, random);
}

/* The client alone knows of us; he is behind NAT, of which he knows nothing. */
static inline void behind_nat(struct net *n)
{
	struct peer *p = &n->p[1];

	p->config.local[0].base = address("192.168.1.10", CLIENT_PORT);
	p->outside = address("203.0.113.7", 40000);
}

static inline void connect_both(struct net *n)
{
	tell(n, 0);
	tell(n, 1);
	until_both(n, ICE_COMPLETED, 5000);
	n->log[0] = '\0';
}

#endif
