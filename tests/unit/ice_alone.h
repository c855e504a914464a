/* ice_alone.h: one ICE agent and a peer made by hand, packet by packet; shared
 * by the tests of its rules.
 */
#ifndef TESTS_UNIT_ICE_ALONE_H
#define TESTS_UNIT_ICE_ALONE_H

#include "tests/unit/ice_test.h"

#define HIS_UFRAG "hisU"
#define HIS_PWD "hispasswordof22letters"
#define HIS_IP "203.0.113.7"
#define HIS_PORT 40000
#define PRIORITY 0x6e0001ff

/* An agent that knows its peer's credentials. */
static inline void alone(struct net *n, bool controlling)
{
	begin(n, 1, controlling, false);
	n->p[1].a.tie_breaker = 0;         /* is not there */
	n->p[1].config.locals = 0;
	remote(n, 0, HIS_UFRAG, HIS_PWD);
}

static inline struct addr his(void)
{
	return address(HIS_IP, HIS_PORT);
}

static inline struct ice_agent *agent(struct net *n)
{
	return &n->p[0].a;
}

static inline uint32_t counted(struct net *n, enum ice_count what)
{
	return agent(n)->count[what];
}

/* --- packets by hand -------------------------------------------------- */

static char user[ICE_OUR_UFRAG_SIZE + 64];

/* A request as a client makes it: in the other role than ours. */
static inline struct stun_msg a_request(struct net *n)
{
	static unsigned char number;
	struct stun_msg m = {
		.class = STUN_REQUEST, .has_priority = true,
		.priority = PRIORITY, .tie_breaker = 1000,
		.role = agent(n)->controlling ? STUN_CONTROLLED :
			STUN_CONTROLLING,
		.username = (const unsigned char *)user,
	};

	m.id[0] = number++;
	snprintf(user, sizeof(user), "%s:" HIS_UFRAG,
		 agent(n)->current.ufrag);
	m.username_len = strlen(user);
	return m;
}

static inline void send_as(struct net *n, const struct stun_msg *m,
			   const char *pwd, const struct addr *from)
{
	unsigned char buf[STUN_WRITE_MAX];
	size_t len;

	assert_int_equal(stun_write(m, pwd, pwd ? strlen(pwd) : 0, buf,
				    sizeof(buf), &len), 0);
	packet_to(n, 0, from, buf, len);
}

static inline void request_from(struct net *n, const struct addr *from,
			 bool use_candidate)
{
	struct stun_msg m = a_request(n);

	m.use_candidate = use_candidate;
	send_as(n, &m, agent(n)->current.pwd, from);
}

/* The `nth` packet that the last step sent. */
static inline const struct ice_action *sent(struct net *n, unsigned nth)
{
	unsigned i;

	for (i = 0; i < n->out.n; i++)
		if (n->out.list[i].kind == ICE_DO_SEND && !nth--)
			return &n->out.list[i];
	return NULL;
}

static inline void read_sent(struct net *n, unsigned nth, struct stun_msg *m)
{
	const struct ice_action *act = sent(n, nth);

	assert_non_null(act);
	assert_int_equal(stun_read(act->bytes, act->len, m), 0);
}

/* Time goes on until a request is sent. */
static inline void until_request(struct net *n, struct stun_msg *m,
				 int64_t within)
{
	int64_t until = n->now + within;
	unsigned i;

	n->cut = true;
	for (;;) {
		if (!next(n, until))
			fail_msg("no request");
		for (i = 0; sent(n, i); i++) {
			read_sent(n, i, m);
			if (m->class == STUN_REQUEST)
				return;
		}
	}
}

static inline void answer_to(struct net *n, const struct stun_msg *request,
			     unsigned error, const struct addr *from,
			     const char *pwd)
{
	struct stun_msg m = { .class = error ? STUN_ERROR : STUN_SUCCESS,
			      .error = error };

	memcpy(m.id, request->id, sizeof(m.id));
	if (!error)
		m.mapped = n->p[0].config.local[0].base;
	send_as(n, &m, pwd, from);
}

/* His pair becomes valid. */
static inline void validate(struct net *n, const struct addr *from,
		     bool use_candidate)
{
	struct stun_msg m;

	request_from(n, from, use_candidate);
	if (!sent(n, 1))
		until_request(n, &m, 200);
	else
		read_sent(n, 1, &m);
	assert_int_equal(m.class, STUN_REQUEST);
	answer_to(n, &m, 0, from, HIS_PWD);
}

#endif
