/* test_hints.c: hints, ids, receipts, delays. */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/hints.h"
#include "jingle/stanza/delay.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void test_write(void **state)
{
	struct xml_elem *m = stanza_new(arena, STANZA_MESSAGE, NULL, NULL,
					NULL, NULL);

	(void)state;
	hints_add_store(arena, m);
	hints_add_no_store(arena, m);
	hints_add_no_copy(arena, m);
	hints_add_private(arena, m);
	hints_add_origin_id(arena, m, "o");
	delay_add(arena, m, "h", 1500, "late");
	delay_add(arena, m, NULL, 0, NULL);
	assert_xml(arena, m, "<message><store xmlns='" NS_HINTS "'/>"
		   "<no-store xmlns='" NS_HINTS "'/>"
		   "<no-copy xmlns='" NS_HINTS "'/>"
		   "<private xmlns='" NS_CARBONS "'/>"
		   "<origin-id xmlns='" NS_SID "' id='o'/>"
		   "<delay xmlns='" NS_DELAY "' from='h' "
		   "stamp='1970-01-01T00:00:01.500Z'>late</delay>"
		   "<delay xmlns='" NS_DELAY "' stamp='1970-01-01T00:00:00Z'/>"
		   "</message>");
	hints_add_store(arena, NULL);
}

static void test_receipts(void **state)
{
	(void)state;
	assert_string_equal(hints_receipt_of(tree(arena, "<message><received "
		"xmlns='" NS_RECEIPTS "' id='r'/></message>")), "r");
	assert_null(hints_receipt_of(tree(arena, "<message><received xmlns='"
		NS_RECEIPTS "'/></message>")));
	assert_null(hints_receipt_of(tree(arena, "<message><received xmlns='"
		NS_RECEIPTS "' id=' '/></message>")));
	assert_null(hints_receipt_of(tree(arena, "<message/>")));
}

static void test_times(void **state)
{
	static const struct { int64_t ms; const char *text; } rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00Z" },
		{ 951868799001, "2000-02-29T23:59:59.001Z" },
		{ 4107542400000, "2100-03-01T00:00:00Z" },
		{ 4107456000000, "2100-02-28T00:00:00Z" },
		{ 1795243200000, "2026-11-21T06:40:00Z" },
		{ -62167219200000, "0000-01-01T00:00:00Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	char out[DELAY_TIME_SIZE];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		delay_format(rows[i].ms, out);
		assert_string_equal(out, rows[i].text);
		assert_int_equal(delay_parse(rows[i].text, &ms), 0);
		assert_true(ms == rows[i].ms);
	}
	delay_format(INT64_MAX, out);
	assert_string_equal(out, "9999-12-31T23:59:59.999Z");
	delay_format(INT64_MIN, out);
	assert_string_equal(out, "0000-01-01T00:00:00Z");
}

/* Every day of 400 years, one by one. */
static void test_calendar(void **state)
{
	char out[DELAY_TIME_SIZE];
	int64_t ms;

	(void)state;
	for (int64_t day = -146097; day < 146097; day++) {
		delay_format(day * 86400000 + 1, out);
		assert_int_equal(delay_parse(out, &ms), 0);
		assert_true(ms == day * 86400000 + 1);
	}
}

static void test_parse_times(void **state)
{
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "1970-01-01T01:30:00+01:30", 0 },
		{ "1969-12-31T22:30:00-01:30", 0 },
		{ "1970-01-01T00:00:00.5Z", 500 },
		{ "1970-01-01T00:00:00.1239999Z", 123 },
		{ "1970-01-01T00:00:60Z", 60000 },
	};
	static const char *const bad[] = {
		"", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00Z",
		"1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z",
		"1970-02-29T00:00:00Z", "1970-01-00T00:00:00Z",
		"1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
		"1970-01-01T00:00:61Z", "1970-01-01T00:00:00.Z",
		"1970-01-01T00:00:00Zx", "1970-01-01T00:00:00+1:00",
		"1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+00:60",
		"1970-01-01T00:00:00+00:00x", "1970-01-01 00:00:00Z",
		"19700101T00:00:00", "-970-01-01T00:00:00Z",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(delay_parse(bad[i], &ms), EBADMSG);
	assert_int_equal(delay_parse(NULL, &ms), EBADMSG);
	assert_true(ms == 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(delay_parse(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_receipts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_calendar),
		cmocka_unit_test(test_parse_times),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
