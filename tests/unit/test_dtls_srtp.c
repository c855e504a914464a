/* test_dtls_srtp.c: DTLS-SRTP associations with peers of every kind over a
 * network that is good or bad: both roles, the same keys on both sides.
 */
#include "tests/unit/dtls_srtp_test.h"

static const struct peer_kind ordinary = ORDINARY;

/* --- handshakes ------------------------------------------------------- */

static void meets(const struct peer_kind *k, bool active)
{
	struct world w;
	int64_t ms;

	world_begin(&w, k, active);
	expect_him(&w);
	start(&w);
	ms = until(&w, DTLS_SRTP_DONE, 200);
	pass(&w, 100);
	/* Four flights, three where the last one is ours. */
	assert_int_equal(ms, (active ? 4 : 3) * DELAY_MS);
	assert_true(w.peer_done && !w.peer_failed);
	assert_true(w.longest > 0 && w.longest <= DTLS_SRTP_OUT_MAX);
	judge_keys(&w);
	world_end(&w);
}

static void both_roles(void **state)
{
	(void)state;
	meets(&ordinary, true);
	meets(&ordinary, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
