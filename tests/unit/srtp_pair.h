/* srtp_pair.h: both back ends of SRTP do the same, and must come to the same:
 * results, bytes, state. For test_srtp_pair.c and fuzz_srtp.c.
 *
 * One difference is known and harmless: libsrtp2's first SRTCP index is 1, ours
 * is 0 as RFC 3711, 3.4, has it. Here ours is moved on by one.
 */
#ifndef TESTS_UNIT_SRTP_PAIR_H
#define TESTS_UNIT_SRTP_PAIR_H

#undef NDEBUG                      /* its asserts are the test */
#include "tests/unit/srtp_test.h"

struct pair {
	struct srtp *of[BACKENDS];
};

static inline struct pair pair_new(enum srtp_profile profile,
				   enum srtp_way way, unsigned char which)
{
	struct pair p;
	unsigned i;

	for (i = 0; i < BACKENDS; i++)
		p.of[i] = keyed(profile, way, (enum srtp_backend)i, which);
	return p;
}

static inline void pair_free(struct pair *p)
{
	unsigned i;

	for (i = 0; i < BACKENDS; i++)
		srtp_free(p->of[i]);
}

static inline void pair_check_state(const struct pair *p)
{
	const struct srtp_streams *ours = &p->of[SRTP_EVP]->streams;
	const struct srtp_streams *lib = &p->of[SRTP_LIBSRTP]->streams;
	unsigned i;

	assert(ours->n == lib->n && ours->n <= SRTP_SSRC_MAX);
	for (i = 0; i < ours->n; i++)
		assert(ours->of[i].ssrc == lib->of[i].ssrc);
}

/* The first SRTCP packet of an SSRC gets index 1. */
static inline void pair_skip_index(struct srtp *s, uint32_t ssrc)
{
	struct srtp_stream *st = known(s, ssrc);

	if (st && !st->rtcp.top)
		st->rtcp.top = 1;
}

static inline int pair_seal(struct pair *p, bool is_rtcp, struct buffer *b)
{
	struct buffer other = *b;
	int rc;

	if (is_rtcp && b->len >= 8 && b->bytes[0] >> 6 == 2)
		pair_skip_index(p->of[SRTP_EVP], get32(b->bytes + 4));
	rc = seal(p->of[SRTP_EVP], is_rtcp, b);
	assert(rc == 0 || rc == EBADMSG || rc == ENOSPC || rc == EALREADY ||
	       rc == EOVERFLOW);
	assert(seal(p->of[SRTP_LIBSRTP], is_rtcp, &other) == rc);
	assert(b->len == other.len);
	if (!rc)
		assert(same(b, &other));
	pair_check_state(p);
	return rc;
}

static inline int pair_open(struct pair *p, bool is_rtcp, struct buffer *b)
{
	struct buffer before = *b, other = *b;
	int rc = unseal(p->of[SRTP_EVP], is_rtcp, b);

	assert(rc == 0 || rc == EBADMSG || rc == EACCES || rc == EALREADY ||
	       rc == EOVERFLOW);
	assert(unseal(p->of[SRTP_LIBSRTP], is_rtcp, &other) == rc);
	assert(b->len == other.len);
	if (rc)
		assert(b->len == before.len);
	else
		assert(same(b, &other) && b->len < before.len);
	pair_check_state(p);
	return rc;
}

#endif
