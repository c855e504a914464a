/* test_rewrite.c: mode `room`: what holds over any run of packets and switches,
 * in seeded runs of rewrite_test.h; what a map must be; how many sources there
 * may be. Each rule alone is in tests/golden/packets/.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/rewrite_test.h"

#define RUNS 2000
#define RUN_SIZE 800

static uint32_t chance(uint32_t *seed)
{
	*seed ^= *seed << 13;              /* xorshift */
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static uint32_t run;

static void say_run(int sig)
{
	(void)sig;
	fprintf(stderr, "run %u: SEED=%u runs it alone\n", (unsigned)run,
		(unsigned)run);
}

/* A run that fails is named, by its seed. */
static void any_run(void **state)
{
	const char *only = getenv("SEED");
	static struct story st;
	uint8_t data[RUN_SIZE];
	uint32_t seed;
	unsigned passed = 0, switches = 0;
	size_t i;

	(void)state;
	signal(SIGABRT, say_run);
	for (run = 1; run <= RUNS; run++) {
		if (only && run != strtoul(only, NULL, 10))
			continue;
		seed = run * 2654435761u;
		for (i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(chance(&seed) >> 11);
		story_run(&st, data, sizeof(data));
		passed += st.books;
		switches += st.session;
	}
	print_message("%u packets passed, %u switches\n", passed, switches);
	assert_true(only || (passed > RUNS && switches > RUNS));
}

/* --- the map ---------------------------------------------------------- */

static void map_of(struct rewrite_map *m)
{
	size_t i;

	memset(m, 0, sizeof(*m));
	for (i = 0; i < RTP_PACKET_TYPES; i++)
		m->type[i].apt = REWRITE_NO_APT;
	m->type[111] = (struct rewrite_type){ 48000, 96, REWRITE_AUDIO,
					      REWRITE_NO_APT, 0 };
	m->type[98] = (struct rewrite_type){ 90000, 97, REWRITE_VIDEO,
					     REWRITE_NO_APT, 0 };
	m->type[99] = (struct rewrite_type){ 90000, 98, REWRITE_VIDEO, 98, 0 };
}

static void wrong(const struct rewrite_map *m, const char *want)
{
	const char *why;

	assert_int_equal(rewrite_map_check(m, &why), EBADMSG);
	assert_string_equal(why, want);
}

static void map_is_checked(void **state)
{
	static const uint8_t reserved[] = { 64, 72, 76, 95, 128, 255 };
	struct rewrite_map m;
	const char *why;
	size_t i;

	(void)state;
	map_of(&m);
	assert_int_equal(rewrite_map_check(&m, &why), 0);
	assert_null(why);
	for (i = 0; i < sizeof(reserved); i++) {
		map_of(&m);
		m.type[111].out = reserved[i];
		wrong(&m, "payload type out of range");
	}
	map_of(&m);
	m.type[64] = m.type[111];
	wrong(&m, "payload type out of range");
	map_of(&m);
	m.type[111].media = REWRITE_MEDIA;
	wrong(&m, "unknown media");
	map_of(&m);
	m.type[99].apt = 100;
	wrong(&m, "RTX of a payload type that does not pass");
	m.type[99].apt = 128;
	wrong(&m, "RTX of a payload type that does not pass");
	m.type[99].apt = 99;
	wrong(&m, "RTX of RTX or of other media");
	m.type[99].apt = 111;
	wrong(&m, "RTX of RTX or of other media");
}

static void map_is_of_streams(void **state)
{
	struct rewrite_map m;
	const char *why;

	(void)state;
	map_of(&m);
	m.type[111].out = 97;              /* audio as video */
	wrong(&m, "one payload type for two streams");
	map_of(&m);
	m.type[99].out = 97;               /* RTX as what it repeats */
	wrong(&m, "one payload type for two streams");
	map_of(&m);
	m.type[120] = m.type[98];          /* two of one stream: may be */
	assert_int_equal(rewrite_map_check(&m, &why), 0);
	m.tolds = REWRITE_SOURCES_MAX;
	assert_int_equal(rewrite_map_check(&m, &why), 0);
	m.told[REWRITE_SOURCES_MAX - 1].media = 2;
	wrong(&m, "unknown media");
	m.told[0].media = 2;
	m.tolds = 1;
	wrong(&m, "unknown media");
	m.told[0].media = 0;
	m.tolds = REWRITE_SOURCES_MAX;
	m.tolds++;
	wrong(&m, "too many SSRCs");
}

/* --- sources ---------------------------------------------------------- */

static bool send_as(struct rewrite *r, int64_t now, uint32_t ssrc, uint16_t seq)
{
	unsigned char b[13] = { 0x80, 111 };

	put16(b + 2, seq);
	put32(b + 8, ssrc);
	return rewrite_rtp(r, now, b, sizeof(b));
}

/* More SSRCs than there is place for wait until one was silent for 10 s. */
static void sources_are_bounded(void **state)
{
	struct rewrite_map m;
	struct rewrite r;
	uint32_t i;

	(void)state;
	map_of(&m);
	rewrite_init(&r, CNAME);
	rewrite_set_map(&r, &m);
	for (i = 0; i < REWRITE_SOURCES_MAX; i++)
		assert_true(send_as(&r, 1000 + i, i, 7));
	assert_false(send_as(&r, 10999, 100, 7));
	assert_int_equal(r.count[REWRITE_N_SOURCES], 1);
	assert_true(send_as(&r, 11000, 100, 7));
	assert_true(send_as(&r, 11000, 100, 8));
	assert_int_equal((uint16_t)r.source[0].seq.highest, 8);
	assert_int_equal(r.source[0].packets, 2);
	/* The one that made way is new again when it comes. */
	assert_false(send_as(&r, 11000, 0, 8));
	assert_true(send_as(&r, 11001, 0, 8));
	assert_int_equal(r.sources, REWRITE_SOURCES_MAX);
	rewrite_check(&r);
}

/* A source that was told of and never came is the first to make way. */
static void told_are_bounded(void **state)
{
	struct rewrite_map m;
	struct rewrite r;
	uint32_t i;

	(void)state;
	map_of(&m);
	m.tolds = REWRITE_SOURCES_MAX;
	for (i = 0; i < REWRITE_SOURCES_MAX; i++)
		m.told[i].ssrc = i % 8;    /* half of them twice */
	rewrite_init(&r, CNAME);
	rewrite_set_map(&r, &m);
	assert_int_equal(r.sources, 8);
	rewrite_set_map(&r, &m);
	assert_int_equal(r.sources, 8);
	for (i = 0; i < REWRITE_SOURCES_MAX; i++)
		m.told[i].ssrc = 100 + i;
	rewrite_set_map(&r, &m);
	assert_int_equal(r.sources, REWRITE_SOURCES_MAX);
	assert_true(send_as(&r, 20000, 5, 7));
	assert_true(send_as(&r, 20000, 500, 7));
	assert_true(send_as(&r, 20000, 5, 8));
	rewrite_check(&r);
}

/* Numbers that b was told of for a in a later session are his as well. */
static void told_after_a_switch(void **state)
{
	struct rewrite_map m;
	struct rewrite r;

	(void)state;
	map_of(&m);
	rewrite_init(&r, CNAME);
	rewrite_set_map(&r, &m);
	assert_true(send_as(&r, 1000, 1, 7));
	rewrite_switch(&r);
	m.tolds = 2;
	m.told[0].ssrc = 2;
	m.told[1].ssrc = 1;                /* he knows it as another one */
	rewrite_set_map(&r, &m);
	assert_int_equal(r.sources, 2);
	assert_true(send_as(&r, 1000, 2, 500));
	assert_true(send_as(&r, 1000, 3, 900));
	assert_int_equal(r.sources, 2);
	assert_int_equal(r.source[1].out, 2);
	assert_int_equal((uint16_t)r.source[1].seq.highest, 500);
	assert_int_equal(r.source[0].out, 1);
	assert_int_equal((uint16_t)r.source[0].seq.highest, 8);
	rewrite_check(&r);
}

static void counts_have_names(void **state)
{
	unsigned i, j;

	(void)state;
	for (i = 0; i < REWRITE_COUNTS; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(rewrite_count_name(i),
						rewrite_count_name(j));
	assert_string_equal(rewrite_count_name(REWRITE_COUNTS), "unknown");
}

/* Without space behind the packet there is no name in it, and nothing is
 * written there. */
static void no_space_no_sdes(void **state)
{
	unsigned char b[8 + 12 + 28];
	struct rewrite his, other;
	size_t size, n;

	(void)state;
	rewrite_init(&his, CNAME);
	rewrite_init(&other, CNAME);
	for (size = 20; size <= sizeof(b); size++) {
		memset(b, 0xaa, sizeof(b));
		put32(b + 4, 1);
		rtcp_packet_head(b, RTCP_RR, 0, 4);
		put32(b + 12, 1);
		put32(b + 16, 0);
		rtcp_packet_head(b + 8, RTCP_SDES, 1, 8);
		n = rewrite_rtcp(&his, &other, 0, b, 20, size);
		assert_int_equal(n, size < 36 ? 8 : 36);
		if (size < 36)
			assert_int_equal(b[20], 0xaa);
		assert_int_equal(b[36], 0xaa);
	}
}

/* --- what a record has ------------------------------------------------ */

static bool send_row(struct rewrite *r, uint16_t seq)
{
	return send_as(r, 1000, 7, seq);
}

/* A report of `b` about what it gets as SSRC 7. */
static void rr_of(struct rewrite *b, struct rewrite *a, int64_t now,
		 uint32_t highest, uint32_t lost, uint32_t jitter, uint32_t lsr,
		 uint32_t dlsr)
{
	unsigned char p[32];

	put32(p + 4, 9);
	put32(p + 8, 7);
	put32(p + 12, lost & 0xffffff);
	put32(p + 16, highest);
	put32(p + 20, jitter);
	put32(p + 24, lsr);
	put32(p + 28, dlsr);
	rtcp_packet_head(p, RTCP_RR, 1, 28);
	assert_int_equal(rewrite_rtcp(b, a, now, p, 32, 32), 32);
	assert_int_equal(get32(p + 24), lsr == 0x11112222 ? lsr : 0);
}

static void sr_of(struct rewrite *a, struct rewrite *b, int64_t now)
{
	unsigned char p[28] = { 0 };

	put32(p + 4, 7);
	put32(p + 8, 0x00001111);
	put32(p + 12, 0x22220000);
	rtcp_packet_head(p, RTCP_SR, 0, 24);
	assert_int_equal(rewrite_rtcp(a, b, now, p, 28, 28), 28);
}

static void missing_are_counted(void **state)
{
	struct rewrite_map m;
	struct rewrite r;

	(void)state;
	map_of(&m);
	rewrite_init(&r, CNAME);
	rewrite_set_map(&r, &m);
	assert_true(send_row(&r, 65533) && send_row(&r, 65534));
	assert_int_equal(r.heard.missing, 0);
	assert_true(send_row(&r, 1));          /* 65535, 0 */
	assert_int_equal(r.heard.missing, 2);
	assert_true(send_row(&r, 0));          /* late */
	assert_int_equal(r.heard.missing, 1);
	assert_true(send_row(&r, 5000));       /* a jump */
	assert_int_equal(r.heard.missing, 1);
	/* The next session is none of them. */
	rewrite_switch(&r);
	assert_true(send_row(&r, 300) && send_row(&r, 302));
	assert_int_equal(r.heard.missing, 2);
}

static void reports_are_heard(void **state)
{
	struct rewrite_map m;
	struct rewrite a, b;

	(void)state;
	map_of(&m);
	rewrite_init(&a, CNAME);
	rewrite_init(&b, CNAME);
	rewrite_set_map(&a, &m);
	assert_true(send_row(&a, 100));
	sr_of(&a, &b, 1000);
	/* 10 ms of 48 kHz; held for half a second, back after 40 ms. */
	rr_of(&b, &a, 1540, 100, 7, 480, 0x11112222, 0x8000);
	assert_int_equal(a.heard.lost, 7);
	assert_int_equal(a.heard.reports, 1);
	assert_int_equal(a.heard.jitter, 10000);
	assert_int_equal(a.heard.trips, 1);
	assert_int_equal(a.heard.trip, 40);
	/* What came twice makes up for what was lost: below zero, too. */
	rr_of(&b, &a, 2000, 100, (uint32_t)-2, 48, 0x33334444, 0);
	assert_int_equal(a.heard.lost, -2);
	assert_int_equal(a.heard.jitter, 11000);
	assert_int_equal(a.heard.trips, 1);
	/* Nobody waits for 10 s; nor is an answer here before its question. */
	rr_of(&b, &a, 2000, 100, 0, 480000, 0x11112222, 0x80000);
	assert_int_equal(a.heard.reports, 2);
	assert_int_equal(a.heard.trips, 1);
	rr_of(&b, &a, 70000, 100, 0, 0xffffffff, 0x11112222, 0);
	assert_int_equal(a.heard.reports, 2);
	assert_int_equal(a.heard.trips, 1);
	assert_int_equal(b.heard.reports, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_run),
		cmocka_unit_test(map_is_checked),
		cmocka_unit_test(map_is_of_streams),
		cmocka_unit_test(sources_are_bounded),
		cmocka_unit_test(told_are_bounded),
		cmocka_unit_test(told_after_a_switch),
		cmocka_unit_test(counts_have_names),
		cmocka_unit_test(no_space_no_sdes),
		cmocka_unit_test(missing_are_counted),
		cmocka_unit_test(reports_are_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
