/* test_heap.c: calls by deadline: the earliest is always first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mod_privatecall/daemon/heap.h"

#define ENTRIES 200

static void check(const struct daemon *dm)
{
	size_t i;

	for (i = 0; i < dm->heap_n; i++) {
		assert_int_equal(dm->heap[i].entry->heap_at, i + 1);
		assert_int_equal(dm->heap[i].deadline,
				 dm->heap[i].entry->deadline);
		if (i)
			assert_true(dm->heap[(i - 1) / 2].deadline <=
				    dm->heap[i].deadline);
	}
}

static uint32_t next(uint32_t *seed)
{
	return *seed = *seed * 1664525u + 1013904223u;
}

static void test_random(void **state)
{
	static struct daemon dm;
	struct call_entry *e = calloc(ENTRIES, sizeof(*e));
	uint32_t seed = 1;
	size_t in = 0;
	int i;

	(void)state;
	memset(&dm, 0, sizeof(dm));
	assert_int_equal(heap_reserve(&dm, ENTRIES), 0);
	for (i = 0; i < 20000; i++) {
		struct call_entry *one = &e[(next(&seed) >> 8) % ENTRIES];
		unsigned what = (next(&seed) >> 8) % 8;

		in -= one->heap_at != 0;
		one->deadline = what ? (int64_t)(next(&seed) >> 8) % 50 :
				       INT64_MAX;
		if (what == 1)
			heap_remove(&dm, one);
		else
			heap_update(&dm, one);
		in += one->heap_at != 0;
		assert_int_equal(dm.heap_n, in);
		check(&dm);
	}
	while (dm.heap_n) {
		heap_remove(&dm, dm.heap[0].entry);
		check(&dm);
	}
	free(dm.heap);
	free(e);
}

/* Taken out twice, or never put in: nothing happens. */
static void test_not_in(void **state)
{
	static struct daemon dm;
	struct call_entry e = { .deadline = 5 };

	(void)state;
	memset(&dm, 0, sizeof(dm));
	heap_remove(&dm, &e);
	assert_int_equal(heap_reserve(&dm, 1), 0);
	heap_update(&dm, &e);
	assert_int_equal(dm.heap_n, 1);
	heap_remove(&dm, &e);
	heap_remove(&dm, &e);
	e.deadline = INT64_MAX;
	heap_update(&dm, &e);
	assert_int_equal(dm.heap_n, 0);
	free(dm.heap);
}

/* Room grows, and what is in stays in. */
static void test_reserve(void **state)
{
	static struct daemon dm;
	struct call_entry *e = calloc(1000, sizeof(*e));
	size_t i;

	(void)state;
	memset(&dm, 0, sizeof(dm));
	for (i = 0; i < 1000; i++) {
		assert_int_equal(heap_reserve(&dm, i + 1), 0);
		assert_true(dm.heap_cap >= i + 1);
		e[i].deadline = (int64_t)(1000 - i);
		heap_update(&dm, &e[i]);
	}
	check(&dm);
	assert_ptr_equal(dm.heap[0].entry, &e[999]);
	free(dm.heap);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_not_in),
		cmocka_unit_test(test_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
