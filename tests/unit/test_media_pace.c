/* test_media_pace.c: packets gather when many come, and only then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mod_privatecall/media/pace.h"

/* So many packets each ms, for a second from `*now` on. */
static void second(struct pace *p, int64_t *now, unsigned each)
{
	int64_t until = *now + 1000;

	while (++*now <= until)
		pace_count(p, *now, each);
	*now = until;
}

static void test_few(void **state)
{
	struct pace p = { .drain = 250 };
	int64_t now = 1000;

	(void)state;
	assert_int_equal(pace_wait(&p), 0);
	second(&p, &now, PACE_MANY / 1000 - 1);
	assert_int_equal(pace_wait(&p), 0);
}

static void test_many(void **state)
{
	struct pace p = { .drain = 250 };
	int64_t now = 1000;

	(void)state;
	second(&p, &now, 1);
	second(&p, &now, PACE_MANY / 1000);
	assert_int_equal(pace_wait(&p), 250);
	second(&p, &now, 100);
	assert_int_equal(pace_wait(&p), 250);
	second(&p, &now, 1);
	assert_int_equal(pace_wait(&p), 0);
}

/* A burst after silence is not many: it is over before it is known. */
static void test_burst(void **state)
{
	struct pace p = { .drain = 250 };
	int64_t now = 1000;

	(void)state;
	second(&p, &now, 1);
	pace_count(&p, now + 5000, 256);
	assert_int_equal(pace_wait(&p), 0);
	/* Nor is the first packet after a load that was many. */
	now += 5000;
	second(&p, &now, 100);
	assert_int_equal(pace_wait(&p), 250);
	pace_count(&p, now + 5000, 1);
	assert_int_equal(pace_wait(&p), 0);
}

static void test_off(void **state)
{
	struct pace p = { .drain = 0 };
	int64_t now = 1000;

	(void)state;
	second(&p, &now, 100);
	assert_int_equal(pace_wait(&p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_few), cmocka_unit_test(test_many),
		cmocka_unit_test(test_burst), cmocka_unit_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
