/* test_outbox.c: notices are kept, folded, merged, sent once, never lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "mod_privatecall/notice/outbox.h"

static struct outbox *box;
static char folded_text[64];

static int fold(const struct outbox_row *newest, unsigned count,
		const char **subject_r, const char **body_r, void *arg)
{
	(void)newest;
	(void)arg;
	snprintf(folded_text, sizeof(folded_text), "%u calls", count);
	*subject_r = "Missed calls";
	*body_r = folded_text;
	return 0;
}

static struct outbox_change add(const char *id, const char *user,
				const char *peer, const char *kind,
				const char *body)
{
	struct outbox_row row = {
		.id = id, .user = user, .peer = peer, .kind = kind,
		.subject = "s", .body = body, .lang = "en", .created = 1000,
		.count = 1,
	};
	struct outbox_change ch;

	assert_int_equal(outbox_add(box, &row, fold, NULL, &ch), 0);
	return ch;
}

static int setup(void **state)
{
	(void)state;
	box = outbox_new(3);
	return box ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	outbox_free(box);
	return 0;
}

static void sent_once(void **state)
{
	const struct outbox_row *row;

	(void)state;
	add("1", "bob@x", "al@x", "missed", "one");
	assert_true(outbox_has(box, "bob@x"));
	assert_false(outbox_has(box, "al@x"));
	row = outbox_next(box, "bob@x");
	assert_string_equal(row->id, "1");
	assert_null(outbox_next(box, "bob@x"));
	assert_true(outbox_done(box, "1"));
	assert_false(outbox_done(box, "1"));
	assert_false(outbox_has(box, "bob@x"));
	assert_int_equal(outbox_count(box), 0);
}

static void waits_again(void **state)
{
	const struct outbox_row *row;

	(void)state;
	add("1", "bob@x", "al@x", "missed", "one");
	assert_non_null(outbox_next(box, "bob@x"));
	assert_true(outbox_unsend(box, "1"));
	assert_false(outbox_unsend(box, "2"));
	row = outbox_next(box, "bob@x");
	assert_false(row->sent);
	outbox_requeue(box);
	row = outbox_next(box, "bob@x");
	assert_true(row->sent);        /* its second copy says so */
}

static void missed_ones_fold(void **state)
{
	struct outbox_change ch;

	(void)state;
	add("1", "bob@x", "al@x", "missed", "one");
	add("2", "bob@x", "carol@x", "missed", "other peer");
	ch = add("3", "bob@x", "al@x", "missed", "three");
	assert_int_equal(ch.dels, 1);
	assert_string_equal(ch.del[0], "1");
	assert_int_equal(ch.put->count, 2);
	assert_string_equal(ch.put->body, "2 calls");
	ch = add("4", "bob@x", "al@x", "missed", "four");
	assert_int_equal(ch.put->count, 3);
	assert_int_equal(outbox_count(box), 2);
}

static void one_on_its_way_is_left(void **state)
{
	struct outbox_change ch;

	(void)state;
	add("1", "bob@x", "al@x", "missed", "one");
	assert_non_null(outbox_next(box, "bob@x"));
	ch = add("2", "bob@x", "al@x", "missed", "two");
	assert_int_equal(ch.dels, 0);
	assert_int_equal(ch.put->count, 1);
}

/* An earlier process may have sent it: its second copy keeps its id (I08). */
static void one_that_may_have_left_is_left(void **state)
{
	struct outbox_row old = { .id = "1", .user = "bob@x", .peer = "al@x",
				  .kind = "missed", .body = "one",
				  .count = 1 };
	struct outbox_change ch;

	(void)state;
	assert_int_equal(outbox_restore(box, &old), 0);
	ch = add("2", "bob@x", "al@x", "missed", "two");
	assert_int_equal(ch.dels, 0);
	assert_non_null(outbox_next(box, "bob@x"));
	assert_non_null(outbox_next(box, "bob@x"));
	outbox_requeue(box);
	ch = add("3", "bob@x", "al@x", "missed", "three");
	assert_int_equal(ch.dels, 0);
	assert_int_equal(ch.put->count, 1);
}

static void over_the_cap_nothing_is_lost(void **state)
{
	struct outbox_change ch;

	(void)state;
	add("1", "bob@x", "al@x", "refused", "one");
	add("2", "bob@x", "al@x", "details", "two");
	add("3", "bob@x", "al@x", "details", "three");
	ch = add("4", "bob@x", "al@x", "details", "four");
	assert_int_equal(ch.dels, 1);
	assert_string_equal(ch.del[0], "1");
	assert_string_equal(ch.merged->id, "2");
	assert_string_equal(ch.merged->body, "one\ntwo");
	assert_int_equal(ch.merged->count, 2);
	assert_string_equal(ch.put->body, "four");
	assert_int_equal(outbox_count(box), 3);
	ch = add("5", "bob@x", "al@x", "details", "five");
	assert_string_equal(ch.merged->body, "one\ntwo\nthree");
	assert_true(outbox_done(box, ch.merged->id));
	assert_int_equal(outbox_count(box), 2);
}

/* Else he would get a text twice, by two ids. */
static void what_may_have_left_is_not_merged(void **state)
{
	struct outbox_row old = { .id = "1", .user = "bob@x", .peer = "al@x",
				  .kind = "details", .body = "one",
				  .count = 1 };
	struct outbox_change ch;

	(void)state;
	add("2", "bob@x", "al@x", "details", "two");
	assert_non_null(outbox_next(box, "bob@x"));
	outbox_requeue(box);
	assert_int_equal(outbox_restore(box, &old), 0);
	add("3", "bob@x", "al@x", "details", "three");
	ch = add("4", "bob@x", "al@x", "details", "four");
	assert_null(ch.merged);
	ch = add("5", "bob@x", "al@x", "details", "five");
	assert_string_equal(ch.merged->id, "4");
	assert_string_equal(ch.merged->body, "three\nfour");
	assert_int_equal(outbox_count(box), 4);
}

static void merged_body_is_bounded(void **state)
{
	char body[3001], id[16];
	struct outbox_change ch;
	int i;

	(void)state;
	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = 0;
	for (i = 0; i < 12; i++) {
		snprintf(id, sizeof(id), "%d", i);
		body[0] = (char)('a' + i);
		ch = add(id, "bob@x", "al@x", "details", body);
	}
	assert_int_equal(outbox_count(box), 3);
	assert_true(strlen(ch.merged->body) <= OUTBOX_BODY_MAX);
	/* Whole lines: the newest merged ones, the oldest gave way. */
	assert_int_equal(ch.merged->body[0], 'i');
	assert_int_equal(ch.merged->count, 10);
}

/* To the byte: what just fits is whole. */
static void merged_body_fills_its_bound(void **state)
{
	static char older[OUTBOX_BODY_MAX], newer[1001];
	struct outbox_change ch;

	(void)state;
	memset(older, 'o', sizeof(older) - 1);
	memset(newer, 'n', sizeof(newer) - 1);
	older[OUTBOX_BODY_MAX - 1 - 1000] = '\0';
	older[9] = '\n';
	add("1", "bob@x", "al@x", "details", older);
	add("2", "bob@x", "al@x", "details", newer);
	add("3", "bob@x", "al@x", "details", "3");
	ch = add("4", "bob@x", "al@x", "details", "4");
	assert_int_equal(strlen(ch.merged->body), OUTBOX_BODY_MAX);
	outbox_free(box);
	box = outbox_new(3);
	older[OUTBOX_BODY_MAX - 1 - 1000] = 'o';
	older[OUTBOX_BODY_MAX - 1000] = '\0';
	add("1", "bob@x", "al@x", "details", older);
	add("2", "bob@x", "al@x", "details", newer);
	add("3", "bob@x", "al@x", "details", "3");
	ch = add("4", "bob@x", "al@x", "details", "4");
	assert_int_equal(strlen(ch.merged->body), OUTBOX_BODY_MAX - 10 + 1);
}

/* A text of two is not what is told of one call: else the next missed one
 * would take the other with it. */
static void merged_ones_are_no_calls(void **state)
{
	struct outbox_change ch;

	(void)state;
	add("1", "bob@x", "al@x", "details", "one");
	add("2", "bob@x", "carol@x", "missed", "two");
	add("3", "bob@x", "al@x", "details", "three");
	ch = add("4", "bob@x", "al@x", "details", "four");
	assert_string_equal(ch.merged->body, "one\ntwo");
	assert_string_equal(ch.merged->kind, "folded");
	assert_string_equal(ch.merged->subject, "Notices");
	assert_true(outbox_done(box, "3"));
	ch = add("5", "bob@x", "carol@x", "missed", "five");
	assert_int_equal(ch.dels, 0);
	assert_int_equal(ch.put->count, 1);
}

/* Only what was given to the link may have left with it. */
static void what_waited_is_unsent(void **state)
{
	struct outbox_change ch;

	(void)state;
	add("1", "bob@x", "al@x", "details", "one");
	add("2", "bob@x", "al@x", "missed", "two");
	assert_non_null(outbox_next(box, "bob@x"));
	outbox_requeue(box);
	ch = add("3", "bob@x", "al@x", "missed", "three");
	assert_int_equal(ch.dels, 1);
	assert_string_equal(ch.del[0], "2");
}

static void all_on_their_way(void **state)
{
	struct outbox_change ch;

	(void)state;
	add("1", "bob@x", "al@x", "details", "1");
	add("2", "bob@x", "al@x", "details", "2");
	add("3", "bob@x", "al@x", "details", "3");
	while (outbox_next(box, "bob@x"))
		;
	ch = add("4", "bob@x", "al@x", "details", "4");
	assert_null(ch.merged);
	assert_int_equal(outbox_count(box), 4);
}

static void old_ones_go(void **state)
{
	(void)state;
	add("1", "bob@x", "al@x", "details", "1");
	assert_null(outbox_expire(box, 1000));
	assert_string_equal(outbox_expire(box, 1001), "1");
	assert_null(outbox_expire(box, 1001));
	/* Not while it is on its way: the answer to it says what is next. */
	add("2", "bob@x", "al@x", "details", "2");
	assert_non_null(outbox_next(box, "bob@x"));
	assert_null(outbox_expire(box, 1001));
	assert_true(outbox_unsend(box, "2"));
	assert_string_equal(outbox_expire(box, 1001), "2");
}

static void restored(void **state)
{
	struct outbox_row row = {
		.id = "9", .user = "bob@x", .kind = "missed", .body = "b",
		.created = 5, .count = 2, .sent = true,
	};

	(void)state;
	assert_int_equal(outbox_restore(box, &row), 0);
	assert_true(outbox_next(box, "bob@x")->sent);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sent_once), TEST(waits_again), TEST(missed_ones_fold),
		TEST(one_on_its_way_is_left),
		TEST(one_that_may_have_left_is_left),
		TEST(over_the_cap_nothing_is_lost),
		TEST(what_may_have_left_is_not_merged),
		TEST(merged_body_is_bounded),
		TEST(merged_body_fills_its_bound),
		TEST(merged_ones_are_no_calls), TEST(what_waited_is_unsent),
		TEST(all_on_their_way),
		TEST(old_ones_go), TEST(restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
