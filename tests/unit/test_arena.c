/* test_arena.c: bump allocation, its cap, its sticky failure. */
#include "jingle/xml/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void memory_is_zeroed_and_aligned(void **state)
{
	struct arena *a = arena_new(0);

	(void)state;
	for (size_t n = 0; n < 5000; n += 1 + n / 3) {
		unsigned char *p;

		assert_non_null(arena_strdup(a, "x"));
		p = arena_alloc(a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xaa, n);
	}
	arena_reset(a);
	assert_int_equal(*(char *)arena_alloc(a, 1), 0);
	arena_free(a);
	arena_free(NULL);
}

static void cap_is_sticky(void **state)
{
	struct arena *a = arena_new(100);

	(void)state;
	assert_non_null(arena_alloc(a, 60));
	assert_null(arena_alloc(a, 60));
	assert_true(arena_failed(a));
	assert_null(arena_alloc(a, 1));
	assert_null(arena_strdup(a, ""));
	assert_null(arena_printf(a, "%d", 1));
	arena_reset(a);
	assert_false(arena_failed(a));
	assert_non_null(arena_alloc(a, 100));
	assert_null(arena_alloc(a, 1));
	arena_free(a);
}

static void absurd_sizes_fail(void **state)
{
	struct arena *a = arena_new(0);

	(void)state;
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_true(arena_failed(a));
	arena_reset(a);
	assert_null(arena_alloc(a, SIZE_MAX / 2 + 1));
	arena_free(a);
	a = arena_new(1000);
	assert_null(arena_alloc(a, SIZE_MAX));
	arena_free(a);
}

static void strings_are_copied(void **state)
{
	struct arena *a = arena_new(0);
	char text[] = "hello";
	char *s = arena_strdup(a, text), *n = arena_strndup(a, text, 2);

	(void)state;
	text[0] = 'j';
	assert_string_equal(s, "hello");
	assert_string_equal(n, "he");
	assert_string_equal(arena_strndup(a, "ab", 9), "ab");
	assert_null(arena_strdup(a, NULL));
	assert_null(arena_strndup(a, NULL, 3));
	assert_false(arena_failed(a));
	assert_string_equal(arena_printf(a, "%s-%d", s, 7), "hello-7");
	arena_free(a);
}

/* What a reset keeps is one block, whatever was taken before. */
static void reset_gives_back(void **state)
{
	struct arena *a = arena_new(0);
	size_t fresh = arena_used(a);

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_non_null(arena_alloc(a, 1000));
	assert_non_null(arena_alloc(a, 300000));
	assert_true(arena_used(a) > 1300000);
	assert_true(arena_used(a) < 1400000);
	arena_reset(a);
	assert_true(arena_used(a) < fresh + 40000);
	for (int i = 0; i < 100; i++) {
		assert_non_null(arena_alloc(a, 300000));
		arena_reset(a);
	}
	assert_true(arena_used(a) < fresh + 40000);
	arena_free(a);
}

/* The block that fits best: what is large once more takes no new one, and what
 * is small does not take its place. */
static void blocks_are_used_again(void **state)
{
	struct arena *a = arena_new(0);
	char *small = arena_bytes(a, 1), *large = arena_bytes(a, 12000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		arena_reset(a);
		if (i == 1) {
			assert_ptr_equal(arena_bytes(a, 12000), large);
			assert_ptr_equal(arena_bytes(a, 1), small);
		} else {
			assert_ptr_equal(arena_bytes(a, 1), small);
			assert_ptr_equal(arena_bytes(a, 12000), large);
		}
	}
	arena_reset(a);
	assert_ptr_equal(arena_bytes(a, 2000), small);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_and_aligned),
		cmocka_unit_test(cap_is_sticky),
		cmocka_unit_test(absurd_sizes_fail),
		cmocka_unit_test(strings_are_copied),
		cmocka_unit_test(reset_gives_back),
		cmocka_unit_test(blocks_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
