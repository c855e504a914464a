/* test_source.c: sources (XEP-0339) and groups (XEP-0338). */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/source.h"

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

#define D(body) "<description xmlns='" NS_RTP "'>" body "</description>"
#define SOURCE(attrs, body) "<source xmlns='" NS_SSMA "' " attrs ">" body \
			    "</source>"
#define GROUP(attrs, body) "<ssrc-group xmlns='" NS_SSMA "' " attrs ">" body \
			   "</ssrc-group>"
#define J(body) "<jingle xmlns='" NS_JINGLE "'>" body "</jingle>"
#define BUNDLE(body) "<group xmlns='" NS_GROUPING "' semantics='BUNDLE'>" \
		     body "</group>"

static void test_sources(void **state)
{
	struct source_list l;

	(void)state;
	assert_int_equal(source_parse(arena, tree(arena, D(
		SOURCE("ssrc='1'", "<parameter name='cname' value='c'/>"
		       "<parameter name='msid'/>") SOURCE("rid='hi'", "")
		SOURCE("ssrc='4294967295'", "")
		GROUP("semantics='FID'", "<source ssrc='1'/><source "
		      "ssrc='4294967295'/>"))), &l, NULL), 0);
	assert_int_equal(l.sources, 2);
	assert_int_equal(l.source[0].ssrc, 1);
	assert_int_equal(l.source[0].parameters, 2);
	assert_string_equal(l.source[0].parameter[0].value, "c");
	assert_null(l.source[0].parameter[1].value);
	assert_int_equal(l.groups, 1);
	assert_string_equal(l.group[0].semantics, "FID");
	assert_int_equal(l.group[0].ssrcs, 2);
	assert_int_equal(l.group[0].ssrc[1], UINT32_MAX);
	assert_int_equal(source_parse(arena, tree(arena, D("")), &l, NULL), 0);
	assert_int_equal(l.sources + l.groups, 0);
}

static void test_source_errors(void **state)
{
	static const char *const rows[] = {
		D(SOURCE("", "")),
		D(SOURCE("ssrc='-1'", "")),
		D(SOURCE("rid=''", "")),
		D(SOURCE("ssrc='1'", "<parameter value='x'/>")),
		D(SOURCE("ssrc='1'", "") SOURCE("ssrc='1'", "")),
		D(GROUP("", "")),
		D(GROUP("semantics='FID'", "<source/>")),
		D(GROUP("semantics='F'", "<source ssrc='1'/><source "
			"ssrc='1'/>")),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct source_list l;
		struct why why = { 0 };

		assert_int_equal(source_parse(arena, tree(arena, rows[i]), &l,
					      &why), EBADMSG);
		assert_true(strlen(why.text) > 10);
	}
}

static int parse_many(const char *parent, const char *name, unsigned n)
{
	struct xml_elem *d = tree(arena, D(SOURCE("ssrc='0'", "")
					   GROUP("semantics='F'", "")));
	struct xml_elem *at = parent ? xml_child(d, NS_SSMA, parent) : d;
	struct source_list l;

	for (unsigned i = 1; i <= n; i++) {
		struct xml_elem *e = xml_add(arena, at, NS_SSMA, name);

		xml_set(arena, e, "ssrc", arena_printf(arena, "%u", i));
		xml_set(arena, e, "name", "n");
		xml_set(arena, e, "semantics", "s");
	}
	return source_parse(arena, d, &l, NULL);
}

static void test_source_caps(void **state)
{
	(void)state;
	assert_int_equal(parse_many(NULL, "source", 127), 0);
	assert_int_equal(parse_many(NULL, "source", 128), EOVERFLOW);
	assert_int_equal(parse_many(NULL, "ssrc-group", 63), 0);
	assert_int_equal(parse_many(NULL, "ssrc-group", 64), EOVERFLOW);
	assert_int_equal(parse_many("source", "parameter", 32), 0);
	assert_int_equal(parse_many("source", "parameter", 33), EOVERFLOW);
	assert_int_equal(parse_many("ssrc-group", "source", 32), 0);
	assert_int_equal(parse_many("ssrc-group", "source", 33), EOVERFLOW);
}

static void test_groups(void **state)
{
	struct content_group *g;
	unsigned n;

	(void)state;
	assert_int_equal(group_parse(arena, tree(arena, J(BUNDLE(
		"<content name='0'/><content name='1'/>")
		BUNDLE("<content name='0'/>"))), &g, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(g[0].semantics, "BUNDLE");
	assert_int_equal(g[0].names, 2);
	assert_string_equal(g[0].name[1], "1");
	assert_int_equal(group_parse(arena, tree(arena, J("")), &g, &n, NULL),
			 0);
	assert_int_equal(n, 0);
	assert_null(g);
}

static void test_group_errors(void **state)
{
	static const char *const rows[] = {
		J("<group xmlns='" NS_GROUPING "'><content name='0'/></group>"),
		J(BUNDLE("")),
		J(BUNDLE("<content/>")),
		J(BUNDLE("<content name=' '/>")),
		J(BUNDLE("<content name='0'/><content name='0'/>")),
	};
	struct xml_elem *j = tree(arena, J(BUNDLE("<content name='x'/>")));
	struct content_group *g;
	unsigned n;
	struct why why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(group_parse(arena, tree(arena, rows[i]), &g,
					     &n, &why), EBADMSG);
		assert_true(strlen(why.text) > 10);
	}
	for (int i = 0; i < GROUP_NAMES_MAX; i++)
		xml_set(arena, xml_add(arena, j->first, NULL, "content"),
			"name", arena_printf(arena, "%d", i));
	assert_int_equal(group_parse(arena, j, &g, &n, &why), EOVERFLOW);
	j = tree(arena, J(""));
	for (int i = 0; i <= GROUPS_MAX; i++)
		xml_append(j, tree(arena, BUNDLE("<content name='x'/>")));
	assert_int_equal(group_parse(arena, j, &g, &n, &why), EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_source_errors),
		cmocka_unit_test(test_source_caps),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_group_errors),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
