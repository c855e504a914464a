/* test_srtp_pair.c: both back ends of SRTP at random, side by side: streams
 * that jump, wrap and come late, twice, damaged or not at all, of more SSRCs
 * than there is place for. SEED=N and ROUNDS=N in the environment say which.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/srtp_pair.h"

#define SSRCS (SRTP_SSRC_MAX + 4)
#define SENDERS 2                  /* each has its SSRCs, with the same keys */
#define STEPS 600
#define LATE 200                   /* packets that are on their way */

struct walk {
	uint64_t seed;
	struct pair senders[SENDERS], receiver;
	uint16_t seq[SSRCS];
	struct {
		struct buffer plain, sealed;
		bool is_rtcp;
	} late[LATE];
	unsigned late_n;
	unsigned long results[5];  /* of opening, by result_of() */
};

static unsigned result_of(int rc)
{
	return rc == 0 ? 0 : rc == EACCES ? 1 : rc == EALREADY ? 2 :
	       rc == EBADMSG ? 3 : 4;
}

static uint32_t any(struct walk *w, uint32_t n)
{
	return random32(&w->seed) % n;
}

static void next_seq(struct walk *w, uint16_t *seq)
{
	uint32_t by = 1;

	switch (any(w, 40)) {
	case 0: by = any(w, 0x10000); break;
	case 1: by = any(w, 0x8000); break;
	case 2: by = 0; break;
	case 3: by = 0x10000 - any(w, 140); break;
	case 4: by = 120 + any(w, 16); break;
	}
	*seq = (uint16_t)(*seq + by);
}

static void send_one(struct walk *w)
{
	uint32_t n = any(w, any(w, 3) ? 3 : SSRCS);
	struct buffer plain, b;
	bool is_rtcp = !any(w, 5);
	unsigned at;

	if (is_rtcp) {
		plain = rtcp(0xa0000000 + n, any(w, 40));
	} else {
		next_seq(w, &w->seq[n]);
		plain = rtp(any(w, 64), w->seq[n], 0xa0000000 + n,
			    any(w, 300));
	}
	b = plain;
	if (pair_seal(&w->senders[n % SENDERS], is_rtcp, &b))
		return;
	at = w->late_n < LATE ? w->late_n++ : any(w, LATE);
	w->late[at].plain = plain;
	w->late[at].sealed = b;
	w->late[at].is_rtcp = is_rtcp;
}

static void damage(struct walk *w, struct buffer *b)
{
	uint32_t at = any(w, (uint32_t)b->len);

	if (any(w, 4))
		b->bytes[at] ^= (unsigned char)(1 << any(w, 8));
	else
		b->len = at;
}

/* Mostly one of the newest; it may come again. */
static void receive_one(struct walk *w)
{
	uint32_t back = any(w, any(w, 4) ? 2 : LATE);
	unsigned at = back < w->late_n ? w->late_n - 1 - back : 0;
	struct buffer b;
	bool bad;
	int rc;

	if (!w->late_n)
		return;
	b = w->late[at].sealed;
	bad = !any(w, 8);
	if (bad)
		damage(w, &b);
	rc = pair_open(&w->receiver, w->late[at].is_rtcp, &b);
	w->results[result_of(rc)]++;
	assert_false(bad && !rc);
	if (!rc)
		assert_true(same(&b, &w->late[at].plain));
	if (!rc && any(w, 3)) {
		w->late[at] = w->late[w->late_n - 1];
		w->late_n--;
	}
}

static void one_walk(struct walk *w, enum srtp_profile profile)
{
	unsigned i;

	w->late_n = 0;
	for (i = 0; i < SENDERS; i++)
		w->senders[i] = pair_new(profile, SRTP_SEALS, 1);
	w->receiver = pair_new(profile, SRTP_OPENS, 1);
	for (i = 0; i < SSRCS; i++)
		w->seq[i] = (uint16_t)(any(w, 3) ? any(w, 0x8000) :
				       0xff80 + any(w, 0x100));
	for (i = 0; i < STEPS; i++) {
		send_one(w);
		if (any(w, 8))
			receive_one(w);
	}
	for (i = 0; i < SENDERS; i++)
		pair_free(&w->senders[i]);
	pair_free(&w->receiver);
}

static unsigned long from_env(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : value;
}

static void test_walks(void **state)
{
	unsigned long first = from_env("SEED", 1), n = from_env("ROUNDS", 8);
	unsigned long seed;
	struct walk *w = calloc(1, sizeof(*w));
	unsigned i;

	(void)state;
	assert_non_null(w);
	for (seed = first; seed < first + n; seed++) {
		for (i = 0; i < PROFILES; i++) {
			w->seed = seed * 100 + i;
			one_walk(w, profiles[i]);
		}
	}
	print_message("# seeds %lu to %lu: %lu opened, %lu not authentic, "
		      "%lu replayed or old, %lu no packets, %lu else\n",
		      first, first + n - 1, w->results[0], w->results[1],
		      w->results[2], w->results[3], w->results[4]);
	for (i = 0; i < 4; i++)
		assert_true(w->results[i] > 20 * n);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
