/* test_elem.c: building, reading, changing and copying trees. */
#include "jingle/xml/elem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/xml/write.h"

static struct arena *a;

static int setup(void **state)
{
	(void)state;
	a = arena_new(0);
	return a ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(a);
	return 0;
}

static void expect(const struct xml_elem *e, const char *text)
{
	const char *got = xml_write(a, e, "u:d", NULL);

	assert_non_null(got);
	assert_string_equal(got, text);
}

static struct xml_elem *sample(void)
{
	struct xml_elem *m = xml_new(a, "u:d", "m"), *x;

	xml_set(a, m, "id", "1");
	xml_add_text(a, m, "one");
	x = xml_add(a, m, "u:x", "x");
	xml_add(a, x, NULL, "y");
	xml_add_text(a, m, "two");
	xml_add(a, m, NULL, "x");
	return m;
}

#define SAMPLE "<m id='1'>one<x xmlns='u:x'><y/></x>two<x/></m>"

static void tree_is_built_and_read(void **state)
{
	struct xml_elem *m = sample(), *x;

	(void)state;
	expect(m, SAMPLE);
	assert_string_equal(xml_text(a, m), "onetwo");
	x = xml_child(m, NULL, "x");
	assert_true(xml_is(x, "u:x", "x"));
	assert_true(xml_is(x, NULL, NULL));
	assert_false(xml_is(x, "u:d", "x"));
	assert_false(xml_is(m->first, NULL, NULL));
	assert_string_equal(xml_text(a, x), "");
	x = xml_next(x, NULL, NULL);
	assert_ptr_equal(x, xml_child(m, "u:d", "x"));
	assert_null(xml_next(x, NULL, NULL));
	assert_null(xml_child(m, "u:d", "y"));
	x = xml_add(a, xml_child(m, "u:x", NULL), "", "n");
	assert_string_equal(x->ns, "");
}

static void attributes_are_set(void **state)
{
	struct xml_elem *e = xml_new(a, "u:d", "e");

	(void)state;
	xml_set(a, e, "a", "1");
	xml_set_ns(a, e, NS_XML, "lang", "de");
	xml_set(a, e, "lang", "x");
	xml_set(a, e, "a", "2");
	expect(e, "<e a='2' xml:lang='de' lang='x'/>");
	assert_string_equal(xml_get(e, "lang"), "x");
	assert_string_equal(xml_get_ns(e, NS_XML, "lang"), "de");
	assert_null(xml_get_ns(e, "u:o", "lang"));
	xml_set(a, e, "a", NULL);
	xml_set(a, e, "lang", NULL);
	xml_set(a, e, "gone", NULL);
	xml_set_ns(a, e, "", "b", "");
	expect(e, "<e xml:lang='de' b=''/>");
	assert_string_equal(xml_get(e, "b"), "");
}

static void children_are_moved(void **state)
{
	struct xml_elem *m = sample(), *x = xml_child(m, "u:x", "x");
	struct xml_elem *last = m->last, *n = xml_new(a, "u:d", "n");

	(void)state;
	xml_remove(m, x);
	assert_null(x->next);
	xml_remove(m, last);
	xml_remove(m, last);
	xml_append(n, x);
	xml_append(m, last);
	xml_append(n, m);
	expect(n, "<n><x xmlns='u:x'><y/></x><m id='1'>onetwo<x/></m></n>");
	xml_remove(n, x);
	xml_remove(n, m);
	assert_null(n->first);
	assert_null(n->last);
	xml_append(n, x);
	expect(n, "<n><x xmlns='u:x'><y/></x></n>");
}

static void null_is_taken(void **state)
{
	struct xml_elem *e = xml_new(a, NULL, "e");

	(void)state;
	assert_string_equal(e->ns, "");
	assert_null(xml_add(a, NULL, "u", "e"));
	xml_add_text(a, NULL, "x");
	xml_add_text(a, e, NULL);
	xml_set(a, NULL, "a", "b");
	assert_null(xml_get(NULL, "a"));
	assert_null(xml_child(NULL, NULL, NULL));
	assert_null(xml_next(NULL, NULL, NULL));
	assert_false(xml_is(NULL, NULL, NULL));
	assert_null(xml_text(a, NULL));
	xml_append(NULL, e);
	xml_append(e, NULL);
	xml_remove(NULL, e);
	xml_remove(e, NULL);
	assert_null(xml_copy(a, NULL));
	assert_null(xml_keep(NULL, 0));
	xml_kept_free(NULL);
	assert_null(xml_write(a, NULL, NULL, NULL));
}

/* What is set in one of them is set in no other. */
static void sharing_copies_differ(void **state)
{
	struct xml_elem *m = sample(), *one, *two;
	char *before;
	size_t len;

	(void)state;
	before = xml_write(a, m, "", &len);
	one = xml_copy_sharing(a, m);
	two = xml_copy_sharing(a, one);
	expect(two, SAMPLE);
	assert_ptr_equal(two->attrs, m->attrs);
	xml_set(a, one, "new", "1");
	xml_set(a, one, m->attrs->name, "changed");
	xml_set(a, two, m->attrs->name, NULL);
	assert_string_equal(xml_get(one, m->attrs->name), "changed");
	assert_string_equal(xml_get(one, "new"), "1");
	assert_null(xml_get(two, m->attrs->name));
	assert_null(xml_get(two, "new"));
	assert_string_equal(xml_write(a, m, "", &len), before);
	xml_set(a, one, "new", NULL);
	assert_null(xml_get(one, "new"));
}

static void copies_stand_alone(void **state)
{
	struct arena *other = arena_new(0);
	struct xml_elem *m = sample(), *copy;
	struct xml_kept *kept;

	(void)state;
	xml_append(xml_new(a, "", "p"), m);
	xml_append(xml_new(a, "", "p"), xml_new(a, "", "q"));
	m->next = xml_new(a, "", "sibling");
	copy = xml_copy(other, m);
	kept = xml_keep(m, 4096);
	assert_non_null(kept);
	assert_null(xml_keep(m, 100));
	arena_reset(a);
	assert_null(copy->next);
	expect(copy, SAMPLE);
	expect(kept->elem, SAMPLE);
	xml_kept_free(kept);
	arena_free(other);
}

/* Depth costs no stack: a million levels. */
static void depth_is_no_recursion(void **state)
{
	struct xml_elem *top = xml_new(a, "u", "a"), *e = top, *copy;
	size_t len, again;
	char *text;

	(void)state;
	for (int i = 0; i < 1000000; i++)
		e = xml_add(a, e, NULL, "a");
	copy = xml_copy(a, top);
	text = xml_write(a, top, "u", &len);
	assert_int_equal(len, 7 * 1000000 + 4);
	assert_string_equal(text, xml_write(a, copy, "u", &again));
}

/* Every allocation may fail: the builders go on with nothing. */
static void caps_are_survived(void **state)
{
	struct xml_elem *m = sample();
	struct arena *keep = a;

	(void)state;
	for (size_t cap = 1; cap < 2000; cap++) {
		struct xml_elem *got;

		a = arena_new(cap);
		got = xml_copy(a, m);
		assert_true(!got == arena_failed(a));
		xml_write(a, got, "", NULL);
		arena_reset(a);
		got = sample();
		if (!arena_failed(a) && xml_write(a, got, "u:d", NULL))
			assert_false(arena_failed(a));
		arena_free(a);
	}
	a = keep;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tree_is_built_and_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(attributes_are_set, setup,
						teardown),
		cmocka_unit_test_setup_teardown(children_are_moved, setup,
						teardown),
		cmocka_unit_test_setup_teardown(null_is_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(copies_stand_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sharing_copies_differ, setup,
						teardown),
		cmocka_unit_test_setup_teardown(depth_is_no_recursion, setup,
						teardown),
		cmocka_unit_test_setup_teardown(caps_are_survived, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
