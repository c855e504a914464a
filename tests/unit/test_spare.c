/* test_spare.c: blocks that are used again, and how many may wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mod_privatecall/daemon/spare.h"

#define MOST 3000                  /* more than may wait */

static void *blocks[MOST];

/* Takes `n` blocks, then gives all of them back. */
static void fill(struct spares *s, size_t n, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		blocks[i] = spare_take(s, size);
		assert_non_null(blocks[i]);
		memset(blocks[i], 'x', size);
	}
	for (size_t i = 0; i < n; i++)
		spare_give(s, blocks[i], size);
}

static void used_again(void **state)
{
	struct spares s = { .all = 0 };
	char *a = spare_take(&s, 1000), *b;

	(void)state;
	assert_non_null(a);
	memset(a, 'a', 1000);
	spare_give(&s, a, 1000);
	assert_int_equal(s.all, 1024);
	b = spare_take(&s, 1025);      /* too large for it */
	assert_ptr_not_equal(b, a);
	assert_int_equal(s.all, 1024);
	spare_give(&s, b, 1025);
	assert_int_equal(s.all, 1024 + 1152);
	b = spare_take(&s, 897);       /* the smallest that gets it */
	assert_ptr_equal(b, a);
	assert_int_equal(s.all, 1152);
	spare_give(&s, b, 897);
	spare_give(&s, NULL, 897);
	assert_int_equal(s.all, 1024 + 1152);
	spares_free(&s);
	assert_int_equal(s.all, 0);
}

static void large_ones_are_not_kept(void **state)
{
	struct spares s = { .all = 0 };

	(void)state;
	fill(&s, 1, SPARE_SIZES * SPARE_STEP + 1);
	assert_int_equal(s.all, 0);
	fill(&s, 1, SPARE_SIZES * SPARE_STEP);
	assert_int_equal(s.all, SPARE_SIZES * SPARE_STEP);
	spares_free(&s);
}

static void none_of_no_bytes(void **state)
{
	struct spares s = { .all = 0 };
	void *a = spare_take(&s, 0);

	(void)state;
	assert_non_null(a);
	spare_give(&s, a, 0);
	assert_ptr_equal(spare_take(&s, 1), a);
	spare_give(&s, a, 1);
	spares_free(&s);
}

static void as_many_of_one_size(void **state)
{
	struct spares s = { .all = 0 };

	(void)state;
	fill(&s, MOST, 256);
	assert_int_equal(s.all, SPARE_BYTES);
	assert_int_equal(s.bytes[1], SPARE_BYTES);
	spares_free(&s);
}

/* Sizes that nobody asks for any more give way, all in turn. */
static void as_many_of_all(void **state)
{
	struct spares s = { .all = 0 };

	(void)state;
	for (size_t size = 1024; size <= 4 * 1024; size *= 2)
		fill(&s, MOST, size);
	assert_true(s.all <= SPARE_ALL && s.all + 4096 > SPARE_ALL);
	assert_int_equal(s.bytes[31], SPARE_BYTES);
	assert_true(s.bytes[7] > 0 && s.bytes[15] > 0);
	fill(&s, 40, 12 * 1024);
	assert_true(s.all <= SPARE_ALL);
	assert_int_equal(s.bytes[95], 40 * 12 * 1024);
	spares_free(&s);
	assert_int_equal(s.all, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_again),
		cmocka_unit_test(large_ones_are_not_kept),
		cmocka_unit_test(none_of_no_bytes),
		cmocka_unit_test(as_many_of_one_size),
		cmocka_unit_test(as_many_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
