/* test_write.c: what is written parses back to the same tree (A29). */
#include "jingle/xml/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/xml/parse.h"

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

static struct xml_elem *parse(const char *text, const char *ns)
{
	struct xml_elem *e;
	int r = xml_parse(a, text, strlen(text), ns, NULL, &e);

	if (r)
		print_error("%d: %s\n", r, text);
	assert_int_equal(r, 0);
	return e;
}

/* Reads `text`, expects `want` written and the same once more. */
static void expect(const char *text, const char *ns, const char *want)
{
	size_t len;
	const char *got = xml_write(a, parse(text, ns), ns, &len);

	assert_string_equal(got, want);
	assert_int_equal(len, strlen(want));
	assert_string_equal(xml_write(a, parse(got, ns), ns, NULL), want);
}

static void namespaces_are_written(void **state)
{
	(void)state;
	expect("<a><b xmlns='u:b'><c/></b><d/></a>", "u:d",
	       "<a><b xmlns='u:b'><c/></b><d/></a>");
	expect("<a xmlns='u:a'><b xmlns='u:d'/></a>", "u:d",
	       "<a xmlns='u:a'><b xmlns='u:d'/></a>");
	expect("<a><b xmlns=''><c xmlns='u:d'/></b></a>", "u:d",
	       "<a><b xmlns=''><c xmlns='u:d'/></b></a>");
	expect("<a xmlns='u&amp;&apos;'/>", NULL, "<a xmlns='u&amp;&apos;'/>");
	expect("<a xml:lang='de' xmlns:p='u:p' p:a='1' a='2'/>", NULL,
	       "<a xmlns:n0='u:p' xml:lang='de' n0:a='1' a='2'/>");
	expect("<a xmlns:p='u:p'><b p:a=''/><c p:a='' xmlns:q='u:q' "
	       "q:n0=''/></a>", NULL, "<a xmlns:n1='u:q' xmlns:n0='u:p'>"
	       "<b n0:a=''/><c n0:a='' n1:n0=''/></a>");
	expect("<a><xml:b><c/></xml:b></a>", "u",
	       "<a><xml:b><c/></xml:b></a>");
}

static void text_is_escaped(void **state)
{
	(void)state;
	expect("<a b='&lt;&gt;&amp;&apos;&quot;&#9;&#10;&#13; '>&lt;&gt;&amp;"
	       "&apos;&quot;\t\n&#13;]]&gt;</a>", NULL,
	       "<a b='&lt;&gt;&amp;&apos;&quot;&#x9;&#xA;&#xD; '>&lt;&gt;&amp;"
	       "'\"\t\n&#xD;]]&gt;</a>");
	expect("<a>\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\x7f</a>",
	       NULL,
	       "<a>\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\x7f</a>");
}

#define R "\xef\xbf\xbd"

/* RFC 6120, 11.6, and A29: what is not an XML character cannot be sent. */
static void bad_characters_are_replaced(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "\x01\x1f", R R }, { "x\xef\xbf\xbey", "x" R "y" },
		{ "\xef\xbf\xbf", R }, { "\xed\xa0\x80", R },
		{ "\xed\xbf\xbf", R }, { "\xf4\x90\x80\x80", R },
		{ "\xc0\xaf", R }, { "\xe0\x80\xaf", R },
		{ "\xf0\x80\x80\xaf", R }, { "\x80", R }, { "\xff", R },
		{ "\xc3", R }, { "\xc3x", R "x" }, { "\xe2\x82", R R },
		{ "\xf8\x88\x80\x80\x80", R R R R R },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
		{ "\xc3<", R "<" }, { "\xf0\x9f\x98'", R R R "'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct xml_elem *e = xml_new(a, "u", "e");
		const char *text;

		xml_set(a, e, "a", cases[i].text);
		xml_add_text(a, e, cases[i].text);
		text = xml_write(a, e, "u", NULL);
		e = parse(text, "u");
		assert_string_equal(xml_get(e, "a"), cases[i].want);
		assert_string_equal(xml_text(a, e), cases[i].want);
	}
}

/* Values cannot leave their place. */
static void values_cannot_inject(void **state)
{
	static const char evil[] = "'/><iq xmlns='u'>\"&#39;\x1f]]><!--";
	struct xml_elem *e = xml_new(a, evil, evil);
	const char *text;

	(void)state;
	xml_set(a, e, evil, evil);
	xml_set_ns(a, e, evil, "b", evil);
	xml_set(a, e, "xmlns", evil);
	xml_add_text(a, e, evil);
	text = xml_write(a, e, "u", NULL);
	e = parse(text, "u");
	assert_null(e->first->next);
	assert_null(e->attrs->next->next);
	assert_string_equal(xml_text(a, e), "'/><iq xmlns='u'>\"&#39;" R
			    "]]><!--");
	assert_string_equal(e->attrs->value, xml_text(a, e));
	e = xml_new(a, "u", "");
	assert_string_equal(xml_write(a, e, "u", NULL), "<_/>");
	e = xml_new(a, "u", "1:a-1");
	assert_string_equal(xml_write(a, e, "u", NULL), "<__a-1/>");
}

/* A long namespace in scope is not repeated for each attribute. */
static void output_is_not_amplified(void **state)
{
	char *text = arena_alloc(a, 60000), *p = text;
	size_t len;

	(void)state;
	p = stpcpy(p, "<a xmlns:p='");
	memset(p, 'x', 250);
	p = stpcpy(p + 250, "'>");
	for (int i = 0; i < 500; i++)
		p = stpcpy(p, "<b p:a=''/>");
	stpcpy(p, "</a>");
	assert_non_null(xml_write(a, parse(text, ""), "", &len));
	assert_true(len < 2 * strlen(text));
}

/* A real session-initiate as a browser's client sends it, shortened. */
static void jingle_survives(void **state)
{
	static const char text[] = "<iq xml:lang='en' to='b@x/r' id='1' "
		"from='a@x/r' type='set'><jingle xmlns='urn:xmpp:jingle:1' "
		"action='session-initiate' sid='s'><content creator="
		"'initiator' name='0'><description xmlns="
		"'urn:xmpp:jingle:apps:rtp:1' media='audio'><payload-type "
		"id='111' name='opus'><parameter name='minptime' value='10'/>"
		"<rtcp-fb xmlns='urn:xmpp:jingle:apps:rtp:rtcp-fb:0' "
		"type='transport-cc'/></payload-type></description><transport "
		"xmlns='urn:xmpp:jingle:transports:ice-udp:1' pwd='p' ufrag="
		"'u'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' "
		"hash='sha-256'>AA:BB</fingerprint></transport></content>"
		"</jingle></iq>";

	(void)state;
	expect(text, "jabber:client", text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(namespaces_are_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(text_is_escaped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_characters_are_replaced,
						setup, teardown),
		cmocka_unit_test_setup_teardown(values_cannot_inject, setup,
						teardown),
		cmocka_unit_test_setup_teardown(output_is_not_amplified, setup,
						teardown),
		cmocka_unit_test_setup_teardown(jingle_survives, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
