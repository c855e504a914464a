/* test_iq.c: outstanding IQs: matched by id and sender, expired in order. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mod_privatecall/link/iq.h"

static struct iq_table *table(size_t cap)
{
	struct iq_table *t = iq_table_new(cap);

	assert_non_null(t);
	assert_int_equal(iq_table_count(t), 0);
	assert_true(iq_table_deadline(t) == INT64_MAX);
	return t;
}

static void add(struct iq_table *t, const char *id, const char *to,
		int64_t deadline)
{
	assert_int_equal(iq_table_add(t, id, to, deadline, 0, NULL, 0), 0);
}

static void answer_gives_back_what_was_asked(void **state)
{
	struct iq_table *t = table(10);
	char id[] = "i1", to[] = "bob@example.org/phone", context[] = "call7";
	struct iq_asked *q;

	(void)state;
	assert_int_equal(iq_table_add(t, id, to, 500, 3, context, 1), 0);
	memset(id, 'x', 2);
	memset(to, 'x', 3);
	memset(context, 'x', 4);
	assert_int_equal(iq_table_count(t), 1);
	assert_true(iq_table_deadline(t) == 500);
	q = iq_table_take(t, "i1", "bob@example.org/phone");
	assert_non_null(q);
	assert_string_equal(q->id, "i1");
	assert_string_equal(q->to, "bob@example.org/phone");
	assert_string_equal(q->context, "call7");
	assert_int_equal(q->kind, 3);
	assert_int_equal(q->number, 1);
	assert_true(q->deadline == 500);
	iq_asked_free(q);
	assert_null(iq_table_take(t, "i1", "bob@example.org/phone"));
	assert_int_equal(iq_table_count(t), 0);
	iq_table_free(t);
}

/* An answer from anyone else than the JID asked is nobody's. */
static void only_the_jid_asked_answers(void **state)
{
	struct iq_table *t = table(10);
	struct iq_asked *q;

	(void)state;
	add(t, "i1", "bob@example.org/phone", 1);
	add(t, "i2", "bob@example.org", 1);
	add(t, "i3", "example.org", 1);
	assert_null(iq_table_take(t, "i1", "eve@example.org/phone"));
	assert_null(iq_table_take(t, "i1", "bob@example.org"));
	assert_null(iq_table_take(t, "i1", "bob@example.org/phone2"));
	assert_null(iq_table_take(t, "i1", ""));
	assert_null(iq_table_take(t, "i1", NULL));
	assert_null(iq_table_take(t, NULL, "bob@example.org/phone"));
	assert_null(iq_table_take(t, "i2", "bob@example.org/phone"));
	assert_null(iq_table_take(t, "i3", "example.org/x"));
	assert_null(iq_table_take(t, "i", "1bob@example.org/phone"));
	q = iq_table_take(t, "i2", "bob@example.org");
	assert_null(q->context);
	iq_asked_free(q);
	iq_asked_free(iq_table_take(t, "i3", "example.org"));
	assert_int_equal(iq_table_count(t), 1);
	iq_table_free(t);
}

static void same_id_to_two_is_two(void **state)
{
	struct iq_table *t = table(10);

	(void)state;
	add(t, "i1", "bob@example.org/a", 1);
	add(t, "i1", "bob@example.org/b", 2);
	assert_int_equal(iq_table_add(t, "i1", "bob@example.org/a", 3, 0,
				      NULL, 0), EEXIST);
	assert_int_equal(iq_table_count(t), 2);
	iq_asked_free(iq_table_take(t, "i1", "bob@example.org/b"));
	assert_true(iq_table_deadline(t) == 1);
	iq_table_free(t);
}

static void caps_hold(void **state)
{
	struct iq_table *t = table(2);
	char *big = malloc(200001);

	(void)state;
	memset(big, 'a', 200000);
	big[200000] = '\0';
	assert_int_equal(iq_table_add(t, big, "b", 1, 0, NULL, 0), EOVERFLOW);
	assert_int_equal(iq_table_add(t, "b", big, 1, 0, NULL, 0), EOVERFLOW);
	assert_null(iq_table_take(t, big, big));
	/* The two, with a NUL between them, are as long as a key or one
	 * more. */
	big[2048] = '\0';
	assert_int_equal(iq_table_add(t, big, big, 1, 0, NULL, 0), EOVERFLOW);
	iq_asked_free(iq_table_take(t, big, big));
	add(t, big, big + 1, 1);
	iq_asked_free(iq_table_take(t, big, big + 1));
	assert_int_equal(iq_table_count(t), 0);
	add(t, "1", "b", 1);
	add(t, "2", "b", 2);
	assert_int_equal(iq_table_add(t, "3", "b", 1, 0, NULL, 0), EOVERFLOW);
	iq_asked_free(iq_table_expire(t, 1));
	add(t, "3", "b", 1);
	free(big);
	iq_table_free(t);
}

static void expires_in_order(void **state)
{
	static const char *const order[] = { "d", "b", "a", "e", "c" };
	struct iq_table *t = table(10);
	struct iq_asked *q;

	(void)state;
	add(t, "a", "x", 30);
	add(t, "b", "x", 20);
	add(t, "c", "x", INT64_MAX - 1);
	add(t, "d", "x", -5);
	add(t, "e", "x", 30);
	assert_null(iq_table_expire(t, -6));
	assert_true(iq_table_deadline(t) == -5);
	for (unsigned i = 0; i < 5; i++) {
		q = iq_table_expire(t, INT64_MAX - 1);
		assert_non_null(q);
		assert_string_equal(q->id, order[i]);
		iq_asked_free(q);
	}
	assert_null(iq_table_expire(t, INT64_MAX));
	iq_table_free(t);
}

/* Thousands in a fixed mixed order: taken or expired, each once, and the
 * deadlines never run backwards. */
static void many(void **state)
{
	struct iq_table *t = table(5000);
	unsigned seen = 0, n;
	int64_t last = 0;
	struct iq_asked *q;
	char id[16];

	(void)state;
	for (n = 0; n < 5000; n++) {
		snprintf(id, sizeof(id), "q%u", n);
		add(t, id, "bob@example.org/a", (n * 7919u) % 4001u);
	}
	for (n = 0; n < 5000; n += 3) {
		snprintf(id, sizeof(id), "q%u", (n * 3u) % 5000u);
		q = iq_table_take(t, id, "bob@example.org/a");
		seen += q != NULL;
		iq_asked_free(q);
	}
	while ((q = iq_table_expire(t, 5000))) {
		assert_true(q->deadline >= last);
		last = q->deadline;
		seen++;
		iq_asked_free(q);
	}
	assert_int_equal(seen, 5000);
	assert_int_equal(iq_table_count(t), 0);
	iq_table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answer_gives_back_what_was_asked),
		cmocka_unit_test(only_the_jid_asked_answers),
		cmocka_unit_test(same_id_to_two_is_two),
		cmocka_unit_test(caps_hold),
		cmocka_unit_test(expires_in_order),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
