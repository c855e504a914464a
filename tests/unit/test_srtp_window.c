/* test_srtp_window.c: which packets are taken and sent: replayed and late ones
 * (A20), sequence numbers that wrap and jump, the ends of indexes, and that no
 * index is ever used twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/srtp_test.h"

static void with_each(void (*f)(enum srtp_backend backend))
{
	unsigned backend;

	for (backend = 0; backend < BACKENDS; backend++)
		f((enum srtp_backend)backend);
}

/* --- the window alone --------------------------------------------------- */

static void test_guess(void **state)
{
	static const struct {
		uint64_t top;
		uint16_t seq;
		uint64_t want;
	} cases[] = {
		{ 0, 0, 0 }, { 0, 65535, 65535 }, { 5, 65530, 65530 },
		{ 5, 32773, 32773 }, { 65535, 0, 65536 },
		{ 65535, 32766, 65536 + 32766 }, { 65535, 32767, 32767 },
		{ 65536, 65535, 65535 }, { 65536, 32769, 32769 },
		{ 65536, 32768, 65536 + 32768 },
		{ 0x8000, 0, 0 }, { 0x8001, 0, 0x10000 },
		{ 0xabcd0000 + 0x7fff, 0xffff, 0xabcd0000 + 0xffff },
		{ 0xabcd0000 + 0x7ffe, 0xffff, 0xabccffff },
		{ SRTP_RTP_END - 1, 0, SRTP_RTP_END },
	};
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct srtp_window w = { .top = cases[i].top };

		assert_true(srtp_window_guess(&w, cases[i].seq) ==
			    cases[i].want);
	}
}

#define SPAN 4096

/* Against a plain list of what came. */
static void test_window_at_random(void **state)
{
	uint64_t seed = 20, top = 0, base = 1ULL << 40, i;
	struct srtp_window w = { .top = base };
	static bool came[SPAN];
	unsigned taken = 0, late = 0;

	(void)state;
	for (i = 0; i < 200000; i++) {
		uint64_t at = top + random32(&seed) % 300;
		bool old, is_new;

		at = at > 200 ? at - 200 : 0;
		if (random32(&seed) % 100 == 0)
			at = top + 100 + random32(&seed) % 100;
		if (at >= SPAN)
			break;
		old = top >= 128 && at <= top - 128;
		is_new = !old && !came[at];
		assert_int_equal(srtp_window_check(&w, base + at, UINT64_MAX),
				 is_new ? 0 : EALREADY);
		if (!is_new || random32(&seed) % 4 == 0)
			continue;
		came[at] = true;
		late += at < top;
		taken++;
		srtp_window_mark(&w, base + at);
		if (at > top)
			top = at;
		assert_true(w.top == base + top);
	}
	assert_true(taken > 50 && late > 10);
}

/* --- replay, with each back end ----------------------------------------- */

struct line {
	struct srtp *to, *from;
};

static struct line line(enum srtp_profile profile, enum srtp_backend backend)
{
	struct line l = { keyed(profile, SRTP_SEALS, backend, 1),
			  keyed(profile, SRTP_OPENS, backend, 1) };

	return l;
}

static void line_free(struct line *l)
{
	srtp_free(l->to);
	srtp_free(l->from);
}

static struct buffer sealed(struct line *l, uint16_t seq)
{
	struct buffer b = rtp(0, seq, 1, 30);

	assert_int_equal(seal(l->to, false, &b), 0);
	return b;
}

static struct buffer sealed_rtcp(struct line *l)
{
	struct buffer b = rtcp(1, 3);

	assert_int_equal(seal(l->to, true, &b), 0);
	return b;
}

/* Takes what is 127 behind and not what is 128 behind, once. */
static void check_edges(enum srtp_backend backend, bool is_rtcp)
{
	struct line l = line(SRTP_PROFILE_CM128_80, backend);
	static struct buffer of[400];
	unsigned i;

	for (i = 0; i < 400; i++)
		of[i] = is_rtcp ? sealed_rtcp(&l) :
			sealed(&l, (uint16_t)(65400 + i));
	assert_int_equal(tried(l.from, is_rtcp, &of[0]), 0);
	assert_int_equal(tried(l.from, is_rtcp, &of[0]), EALREADY);
	assert_int_equal(tried(l.from, is_rtcp, &of[200]), 0);
	assert_int_equal(tried(l.from, is_rtcp, &of[200 - 128]), EALREADY);
	assert_int_equal(tried(l.from, is_rtcp, &of[200 - 127]), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(tried(l.from, is_rtcp, &of[200 - 127]),
				 EALREADY);
	assert_int_equal(tried(l.from, is_rtcp, &of[264]), 0);
	assert_int_equal(tried(l.from, is_rtcp, &of[200]), EALREADY);
	assert_int_equal(tried(l.from, is_rtcp, &of[199]), 0);
	assert_int_equal(tried(l.from, is_rtcp, &of[265]), 0);
	assert_int_equal(tried(l.from, is_rtcp, &of[264]), EALREADY);
	/* Far ahead: all before is old. */
	assert_int_equal(tried(l.from, is_rtcp, &of[399]), 0);
	assert_int_equal(tried(l.from, is_rtcp, &of[266]), EALREADY);
	assert_int_equal(tried(l.from, is_rtcp, &of[398]), 0);
	line_free(&l);
}

static void edges(enum srtp_backend backend)
{
	check_edges(backend, false);
	check_edges(backend, true);
}

static void test_edges(void **state)
{
	(void)state;
	with_each(edges);
}

/* A20: each packet again, 1, 64 and 10,000 later. */
static void replayed(enum srtp_backend backend)
{
	struct line l = line(SRTP_PROFILE_GCM128, backend);
	static struct buffer of[20100];
	unsigned i;

	for (i = 0; i < 20100; i++) {
		of[i] = sealed(&l, (uint16_t)(60000 + i));
		assert_int_equal(tried(l.from, false, &of[i]), 0);
		assert_int_equal(tried(l.from, false, &of[i]), EALREADY);
		if (i >= 64)
			assert_int_equal(tried(l.from, false, &of[i - 64]),
					 EALREADY);
		if (i >= 10000)
			assert_int_equal(tried(l.from, false, &of[i - 10000]),
					 EALREADY);
	}
	line_free(&l);
}

static void test_replayed(void **state)
{
	(void)state;
	with_each(replayed);
}

/* Over the end of the sequence numbers: with loss, late ones from before it,
 * and one replayed whose number alone would be right again. */
static void wrapping(enum srtp_backend backend)
{
	struct line l = line(SRTP_PROFILE_CM128_80, backend);
	struct buffer before, last, first, b;
	uint32_t round;

	before = sealed(&l, 65530);
	last = sealed(&l, 65535);
	first = sealed(&l, 3);
	assert_int_equal(tried(l.from, false, &before), 0);
	assert_int_equal(tried(l.from, false, &first), 0);
	assert_int_equal(tried(l.from, false, &last), 0);
	assert_int_equal(tried(l.from, false, &last), EALREADY);
	for (round = 1; round <= 3; round++) {
		b = sealed(&l, 30000);
		assert_int_equal(tried(l.from, false, &b), 0);
		b = sealed(&l, 60000);
		assert_int_equal(tried(l.from, false, &b), 0);
		b = sealed(&l, 65530);
		assert_int_equal(tried(l.from, false, &before), EACCES);
		assert_int_equal(tried(l.from, false, &b), 0);
		b = sealed(&l, 5);
		assert_int_equal(tried(l.from, false, &first), EACCES);
		assert_int_equal(tried(l.from, false, &b), 0);
	}
	line_free(&l);
}

static void test_wrapping(void **state)
{
	(void)state;
	with_each(wrapping);
}

/* Up to 2^15 lost packets the rollover counter is right; with more the packet
 * is refused, and what was agreed on stays. */
static void lost(enum srtp_backend backend)
{
	struct line l = line(SRTP_PROFILE_GCM128, backend);
	struct buffer b = sealed(&l, 60000), next = sealed(&l, 60001);

	assert_int_equal(tried(l.from, false, &b), 0);
	sealed(&l, 20000);
	b = sealed(&l, 27231);     /* 32767 on */
	assert_int_equal(tried(l.from, false, &b), 0);
	assert_int_equal(tried(l.from, false, &next), EALREADY);
	sealed(&l, 59999);
	sealed(&l, 60100);
	b = sealed(&l, 27000);     /* 65305 on: taken for one 231 behind */
	assert_int_equal(tried(l.from, false, &b), EALREADY);
	sealed(&l, 59000);
	sealed(&l, 20000);
	b = sealed(&l, 27300);     /* 2^17 + 69 on: taken for one 69 on */
	assert_int_equal(tried(l.from, false, &b), EACCES);
	line_free(&l);
	l = line(SRTP_PROFILE_GCM128, backend);
	b = sealed(&l, 100);
	assert_int_equal(tried(l.from, false, &b), 0);
	sealed(&l, 20000);
	b = sealed(&l, 32868);     /* 2^15 on */
	assert_int_equal(tried(l.from, false, &b), 0);
	line_free(&l);
}

static void test_lost(void **state)
{
	(void)state;
	with_each(lost);
}

/* --- sending ------------------------------------------------------------ */

static void twice(enum srtp_backend backend)
{
	struct line l = line(SRTP_PROFILE_GCM128, backend);
	struct buffer b;

	sealed(&l, 500);
	b = rtp(0, 500, 1, 30);
	assert_int_equal(seal(l.to, false, &b), EALREADY);
	sealed(&l, 700);
	sealed(&l, 573);
	b = rtp(0, 572, 1, 30);
	assert_int_equal(seal(l.to, false, &b), EALREADY);
	b = rtp(0, 573, 1, 30);
	assert_int_equal(seal(l.to, false, &b), EALREADY);
	line_free(&l);
}

static void test_twice(void **state)
{
	(void)state;
	with_each(twice);
}

#define SENT 30000

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

/* Zeros sealed are the cipher's stream: if a piece of it comes twice, an index
 * was used twice. */
static void never_the_same(enum srtp_backend backend)
{
	struct srtp *s = keyed(SRTP_PROFILE_GCM128, SRTP_SEALS, backend, 1);
	static unsigned char streams[SENT][8];
	uint64_t seed = 7;
	uint16_t seq[2] = { 0 };
	unsigned n = 0, refused = 0, i;

	while (n < SENT) {
		uint32_t which = random32(&seed) % 2, kind;
		bool is_rtcp = random32(&seed) % 8 == 0;
		struct buffer b;

		kind = random32(&seed) % 16;
		seq[which] = (uint16_t)(seq[which] + (kind > 3 ? 1 : kind > 1 ?
			random32(&seed) % 200 - 100 : random32(&seed)));
		b = is_rtcp ? rtcp(which, 4) : rtp(0, seq[which], which, 16);
		memset(b.bytes + b.len - 16, 0, 16);
		if (seal(s, is_rtcp, &b)) {
			refused++;
			continue;
		}
		memcpy(streams[n++], b.bytes + (is_rtcp ? 8 : 12), 8);
	}
	assert_true(refused > SENT / 100);
	qsort(streams, SENT, 8, compare);
	for (i = 1; i < SENT; i++)
		assert_memory_not_equal(streams[i - 1], streams[i], 8);
	srtp_free(s);
}

static void test_never_the_same(void **state)
{
	(void)state;
	with_each(never_the_same);
}

/* --- the ends of the indexes -------------------------------------------- */

static void put_at(struct srtp *s, uint64_t rtp_top, uint64_t rtcp_top)
{
	struct srtp_stream *st = known(s, 1);

	st->rtp.top = rtp_top;
	st->rtcp.top = rtcp_top;
}

/* With the last index of a key all is over. */
static void test_ends(void **state)
{
	struct line l = line(SRTP_PROFILE_GCM256, SRTP_EVP);
	struct buffer b, last;

	(void)state;
	put_at(l.to, SRTP_RTP_END - 2, SRTP_RTCP_END - 1);
	put_at(l.from, SRTP_RTP_END - 2, SRTP_RTCP_END - 2);
	last = sealed(&l, 65535);
	b = rtp(0, 0, 1, 10);
	assert_int_equal(seal(l.to, false, &b), EOVERFLOW);
	assert_int_equal(tried(l.from, false, &last), 0);
	last.bytes[2] = last.bytes[3] = 0;
	assert_int_equal(tried(l.from, false, &last), EOVERFLOW);
	last = sealed_rtcp(&l);
	b = rtcp(1, 3);
	assert_int_equal(seal(l.to, true, &b), EOVERFLOW);
	assert_int_equal(tried(l.from, true, &last), 0);
	assert_int_equal(tried(l.from, true, &last), EALREADY);
	line_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guess),
		cmocka_unit_test(test_window_at_random),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_wrapping),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_never_the_same),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
