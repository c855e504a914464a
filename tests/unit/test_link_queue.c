/* test_link_queue.c: bytes that wait to be written, in chunks (queue.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mod_privatecall/link/queue.h"

static void queue_keeps_what_is_being_written(void **state)
{
	static char text[600000];
	struct queue q = { .first = NULL };
	uv_buf_t bufs[2];
	size_t total = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	assert_int_equal(queue_take(&q, bufs, 2), 0);
	assert_int_equal(queue_put(&q, text, 0), 0);
	assert_int_equal(queue_put(&q, text, 10), 0);
	assert_int_equal(queue_take(&q, bufs, 2), 1);
	assert_int_equal(queue_put(&q, text + 10, sizeof(text) - 10), 0);
	assert_int_equal(bufs[0].len, 10);
	assert_int_equal(q.bytes, sizeof(text));
	do {
		unsigned n = queue_take(&q, bufs, 2);

		for (unsigned i = 0; i < n; i++) {
			assert_memory_equal(bufs[i].base, text + total,
					    bufs[i].len);
			total += bufs[i].len;
		}
	} while (queue_release(&q));
	assert_int_equal(total, sizeof(text));
	assert_int_equal(q.bytes, 0);
	/* 32 of the 38 chunks are kept for what comes next. */
	assert_int_equal(q.spares, 32);
	assert_int_equal(queue_put(&q, text, 20000), 0);
	assert_int_equal(q.spares, 30);
	assert_int_equal(queue_take(&q, bufs, 2), 2);
	assert_memory_equal(bufs[1].base, text + bufs[0].len, bufs[1].len);
	assert_int_equal(queue_release(&q), 20000);
	queue_put(&q, text, 5);
	queue_clear(&q);
	assert_null(q.first);
	assert_null(q.spare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_keeps_what_is_being_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
