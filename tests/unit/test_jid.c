/* test_jid.c: addresses prepare as Prosody's and ejabberd's do, XEP-0106. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stringprep.h>
#include <cmocka.h>
#include <stringprep.h>

#include "jingle/stanza/jid.h"

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

static void check_parse(const char *text, const char *want)
{
	struct jid j;
	int err = jid_parse(arena, text, &j);

	if (!want) {
		assert_int_equal(err, EBADMSG);
		assert_null(j.full);
		assert_null(j.bare);
		assert_null(j.domain);
		return;
	}
	assert_int_equal(err, 0);
	assert_string_equal(j.full, want);
}

static void test_parse(void **state)
{
	/* Those without a note were tried with Prosody 0.12.3's util.jid. */
	static const struct { const char *text, *want; } rows[] = {
		{ "Alice@Example.ORG/Home", "alice@example.org/Home" },
		{ "example.org", "example.org" },
		{ "example.org/r", "example.org/r" },
		{ "a@b@c", NULL },
		{ "a@b/c@d", "a@b/c@d" },
		{ "a@b/c/d", "a@b/c/d" },
		{ "b/c@d", "b/c@d" },
		{ "a@b/", NULL },
		{ "@b", NULL },
		{ "a@", NULL },
		{ "a@/c", NULL },
		{ "/c", NULL },
		{ "", NULL },
		{ "@", NULL },
		{ "/", NULL },
		{ "b.", "b" },
		{ "a@.", NULL },
		{ "a b@c", NULL },
		{ "a\"b@c", NULL },
		{ "a&b@c", NULL },
		{ "a'b@c", NULL },
		{ "a:b@c", NULL },
		{ "a<b@c", NULL },
		{ "a>b@c", NULL },
		{ "a\\20b@c", "a\\20b@c" },
		{ "a@b_c", "a@b_c" },
		{ "a@-x", "a@-x" },
		{ "a@[::1]", "a@[::1]" },
		{ "a@[2001:DB8::1]/r", "a@[2001:db8::1]/r" },
		{ "a@[fe80::1%25eth0]", "a@[fe80::1%25eth0]" },
		{ "a@1.2.3.4", "a@1.2.3.4" },
		{ "\xc3\x9f@x", "ss@x" },
		{ "a@STRA\xc3\x9f" "E.de", "a@strasse.de" },
		{ "\xe2\x84\xa2@x", "tm@x" },
		{ "a@x/ r ", "a@x/ r " },
		{ "a@x/\xc2\xa0", "a@x/ " },
		{ "a@xn--zca.de", "a@xn--zca.de" },
		{ "\xf0\x9f\x98\x80@x", "\xf0\x9f\x98\x80@x" },
		{ "a@\xf0\x9f\x98\x80.de", "a@\xf0\x9f\x98\x80.de" },
		{ "\xd7\x90\xd7\x91@x", "\xd7\x90\xd7\x91@x" },
		{ "\xd7\x90" "a@x", NULL },
		{ "\xc8\xa0@x", "\xc6\x9e@x" },
		{ "a\xff@x", NULL },
		{ "a@x/a\nb", NULL },
		{ "\xef\xbc\xa0@x", NULL },
		/* Stricter than Prosody: empty parts, and domains that would
		 * read as something else. */
		{ "\xc2\xad@x", NULL },
		{ "a@\xc2\xad", NULL },
		{ "a@x/\xc2\xad", NULL },
		{ "a@\xef\xbc\xa0x", NULL },
		{ "a@\xef\xbc\x8fx", NULL },
		{ "a@x\xef\xbc\x8e", NULL },
		{ "a@x..y", NULL },
		{ "a@.x", NULL },
		{ "a@x..", NULL },
		{ "a@b c", NULL },
		{ "a@::1", NULL },
		{ "a@localhost:5222", NULL },
		{ "a@[]", NULL },
		{ "a@[::1", NULL },
		{ "a@[::1]x", NULL },
		{ "a@[x::1]", NULL },
		{ "a@[::1]%", NULL },
		{ "a@x\ty", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_parse(rows[i].text, rows[i].want);
	check_parse(NULL, NULL);
}

static void test_parts(void **state)
{
	struct jid j;

	(void)state;
	assert_int_equal(jid_parse(arena, "A@B.c/D/e@f", &j), 0);
	assert_string_equal(j.node, "a");
	assert_string_equal(j.domain, "b.c");
	assert_string_equal(j.resource, "D/e@f");
	assert_string_equal(j.bare, "a@b.c");
	assert_int_equal(jid_parse(arena, "b.c", &j), 0);
	assert_null(j.node);
	assert_null(j.resource);
	assert_string_equal(j.bare, "b.c");
	assert_string_equal(j.full, "b.c");
}

static void test_limits(void **state)
{
	char text[3 * 1100];
	struct jid j;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + 1023, "@b/", 3);
	memset(text + 1026, 'r', 1023);
	text[1026 + 1023] = '\0';
	assert_int_equal(jid_parse(arena, text, &j), 0);
	assert_int_equal(strlen(j.full), 1023 + 3 + 1023);
	strcat(text, "r");
	assert_int_equal(jid_parse(arena, text, &j), EBADMSG);
	memset(text, 'a', 1024);
	strcpy(text + 1024, "@b");
	assert_int_equal(jid_parse(arena, text, &j), EBADMSG);
	/* A label of 63 bytes, and one of 64. */
	memset(text, 'a', 64);
	strcpy(text + 63, ".de");
	assert_int_equal(jid_parse(arena, text, &j), 0);
	memset(text, 'a', 64);
	strcpy(text + 64, ".de");
	assert_int_equal(jid_parse(arena, text, &j), EBADMSG);
	/* A domain over 1023 bytes; a part that grows over the limit. */
	for (size_t i = 0; i < 1024; i += 2)
		memcpy(text + i, "a.", 3);
	assert_int_equal(jid_parse(arena, text, &j), 0);
	strcat(text, "aa");
	assert_int_equal(jid_parse(arena, text, &j), EBADMSG);
	for (size_t i = 0; i < 1020; i += 3)
		memcpy(text + i, "\xef\xb7\xba", 4);
	strcat(text, "@b");
	assert_int_equal(jid_parse(arena, text, &j), EBADMSG);
}

static void test_no_memory(void **state)
{
	struct arena *small = arena_new(1);
	struct jid j;

	(void)state;
	assert_non_null(small);
	assert_int_equal(jid_parse(small, "alice@example.org/a", &j), ENOMEM);
	assert_null(j.full);
	arena_free(small);
}

static void test_equal(void **state)
{
	struct jid a, b, none = { 0 };

	(void)state;
	assert_int_equal(jid_parse(arena, "bob@x/call", &a), 0);
	assert_int_equal(jid_parse(arena, "x/call", &b), 0);
	assert_false(jid_equal(&a, &b));
	assert_int_equal(jid_parse(arena, "bob@x", &b), 0);
	assert_false(jid_equal(&a, &b));
	assert_true(jid_bare_equal(&a, &b));
	assert_int_equal(jid_parse(arena, "BOB@X/call", &b), 0);
	assert_true(jid_equal(&a, &b));
	assert_false(jid_equal(&none, &none));
	assert_false(jid_bare_equal(&none, &none));
}

/* What libidn itself makes of a part; NULL: refused. */
static const char *by_libidn(const char *text,
			     const Stringprep_profile *profile)
{
	static char part[64];

	strcpy(part, text);
	return stringprep(part, sizeof(part), 0, profile) ? NULL : part;
}

static void check_part(const char *text, const char *address,
		       const char *got_r(const struct jid *j),
		       const Stringprep_profile *profile)
{
	const char *want = by_libidn(text, profile);
	struct jid j;
	int err = jid_parse(arena, address, &j);

	if (!want)
		assert_int_equal(err, EBADMSG);
	else if (!err)
		assert_string_equal(got_r(&j), want);
}

static const char *node_of(const struct jid *j)
{
	return j->node;
}

static const char *domain_of(const struct jid *j)
{
	return j->domain;
}

static const char *resource_of(const struct jid *j)
{
	return j->resource;
}

/* A38: what is seen at a glance is what libidn says, for every character of
 * ASCII in every part; in a domain we refuse more than it does. */
static void test_each_ascii(void **state)
{
	char part[8], address[32];
	unsigned refused = 0;
	struct jid j;
	int c;

	(void)state;
	for (c = 1; c < 128; c++) {
		snprintf(part, sizeof(part), "x%cy", c);
		if (!strchr("/@", c)) {
			snprintf(address, sizeof(address), "%s@d/r", part);
			check_part(part, address, node_of,
				   stringprep_xmpp_nodeprep);
			refused += jid_parse(arena, address, &j) != 0;
			snprintf(address, sizeof(address), "n@%s/r", part);
			check_part(part, address, domain_of,
				   stringprep_nameprep);
		}
		snprintf(address, sizeof(address), "n@d/%s", part);
		check_part(part, address, resource_of,
			   stringprep_xmpp_resourceprep);
		refused += jid_parse(arena, address, &j) != 0;
	}
	/* Controls and space in a node, and "&':<>; controls in a resource. */
	assert_int_equal(refused, 33 + 6 + 32);
}

static void test_escape(void **state)
{
	/* XEP-0106, 5.1 and 4.3; rows 9 to 11 of its table contradict its
	 * rules and are read by the rules. */
	static const struct { const char *text, *node; } rows[] = {
		{ "space cadet", "space\\20cadet" },
		{ "call me \"ishmael\"", "call\\20me\\20\\22ishmael\\22" },
		{ "at&t guy", "at\\26t\\20guy" },
		{ "d'artagnan", "d\\27artagnan" },
		{ "/.fanboy", "\\2f.fanboy" },
		{ "::foo::", "\\3a\\3afoo\\3a\\3a" },
		{ "<foo>", "\\3cfoo\\3e" },
		{ "user@host", "user\\40host" },
		{ "c:\\net", "c\\3a\\net" },
		{ "c:\\\\net", "c\\3a\\\\net" },
		{ "c:\\5commas", "c\\3a\\5c5commas" },
		{ "\\3and\\2is\\5cool", "\\5c3and\\2is\\5c5cool" },
		{ "\\2plus\\2is\\4", "\\2plus\\2is\\4" },
		{ "foo\\bar", "foo\\bar" },
		{ "foob\\41r", "foob\\41r" },
		{ "\\3A", "\\5c3A" },
		{ "\\20", "\\5c20" },
		{ "a\\", "a\\" },
		{ "bob@other.org", "bob\\40other.org" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(jid_escape(arena, rows[i].text),
				    rows[i].node);
		assert_string_equal(jid_unescape(arena, rows[i].node),
				    rows[i].text);
	}
	assert_null(jid_escape(arena, ""));
	assert_null(jid_escape(arena, NULL));
	assert_null(jid_escape(arena, " a"));
	assert_null(jid_escape(arena, "a "));
	assert_null(jid_unescape(arena, NULL));
	assert_string_equal(jid_unescape(arena, "\\20a\\20"), "\\20a\\20");
	assert_string_equal(jid_unescape(arena, "\\3A"), "\\3A");
}

/* jid.c leaves stringprep out for these: each profile must leave them. */
static void test_plain(void **state)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	char text[sizeof(plain)];
	struct jid j;

	(void)state;
	strcpy(text, plain);
	assert_int_equal(stringprep(text, sizeof(text), 0,
				    stringprep_nameprep), STRINGPREP_OK);
	assert_string_equal(text, plain);
	assert_int_equal(stringprep(text, sizeof(text), 0,
				    stringprep_xmpp_nodeprep), STRINGPREP_OK);
	assert_string_equal(text, plain);
	assert_int_equal(stringprep(text, sizeof(text), 0,
				    stringprep_xmpp_resourceprep),
			 STRINGPREP_OK);
	assert_string_equal(text, plain);
	assert_int_equal(jid_parse(arena, "Bob@h/R", &j), 0);
	assert_string_equal(j.full, "bob@h/R");
	assert_int_equal(jid_parse(arena, "b.-_1@h/r", &j), 0);
	assert_string_equal(j.full, "b.-_1@h/r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_each_ascii),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
