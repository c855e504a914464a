/* test_stanza.c: the envelope, RFC 6120 errors, and the small checks. */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

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

static void test_parse(void **state)
{
	struct stanza s;
	struct why why;
	struct xml_elem *e = tree(arena,
		"<message from='Alice@H/r' to='bob@h' id='1' type='chat' "
		"xml:lang='de'><body>x</body></message>");

	(void)state;
	assert_int_equal(stanza_parse(arena, e, &s, &why), 0);
	assert_int_equal(s.kind, STANZA_MESSAGE);
	assert_string_equal(s.type, "chat");
	assert_string_equal(s.id, "1");
	assert_string_equal(s.lang, "de");
	assert_string_equal(s.from.full, "alice@h/r");
	assert_string_equal(s.to.full, "bob@h");
	assert_ptr_equal(s.elem, e);

	e = tree(arena, "<presence from='a@h' to='c'/>");
	assert_int_equal(stanza_parse(arena, e, &s, &why), 0);
	assert_int_equal(s.kind, STANZA_PRESENCE);
	assert_string_equal(s.type, "");
	assert_null(s.id);
	assert_null(s.lang);
}

static void test_refuse(void **state)
{
	static const struct { const char *xml, *text; } rows[] = {
		{ "<x from='a@h' to='b'/>",
		  "Expected message, presence or iq." },
		{ "<iq xmlns='urn:x' type='get' id='1' from='a@h' to='b'/>",
		  "Expected message, presence or iq." },
		{ "<message to='b'/>",
		  "Attribute 'from' is not an address." },
		{ "<message from='' to='b'/>",
		  "Attribute 'from' is not an address." },
		{ "<message from='@' to='b'/>",
		  "Attribute 'from' is not an address." },
		{ "<message from='a'/>", "Attribute 'to' is not an address." },
		{ "<message from='a' to=' '/>",
		  "Attribute 'to' is not an address." },
		{ "<iq type='get' from='a' to='b'/>", "An iq needs an 'id'." },
		{ "<iq type='get' id='' from='a' to='b'/>",
		  "An iq needs an 'id'." },
		{ "<iq id='1' from='a' to='b'/>", "Type of an iq: expected "
		  "get, set, result or error." },
		{ "<iq id='1' type='x' from='a' to='b'/>", "Type of an iq: "
		  "expected get, set, result or error." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct stanza s;
		struct why why;

		assert_int_equal(stanza_parse(arena, tree(arena, rows[i].xml),
					      &s, &why), EBADMSG);
		assert_string_equal(why.type, "modify");
		assert_string_equal(why.condition, "bad-request");
		assert_string_equal(why.text, rows[i].text);
		assert_int_equal(stanza_parse(arena, tree(arena, rows[i].xml),
					      &s, NULL), EBADMSG);
	}
}

static void test_answers(void **state)
{
	struct stanza s;
	struct why why = { "cancel", "item-not-found", NS_JINGLE_ERR,
			   "unknown-session", "No such <call>." };

	(void)state;
	assert_int_equal(stanza_parse(arena, tree(arena,
		"<iq type='set' id='7' from='a@h/r' to='b@c'><q/></iq>"),
		&s, &why), 0);
	assert_xml(arena, stanza_result(arena, &s), "<iq type='result' id='7' "
		   "from='b@c' to='a@h/r'/>");
	assert_xml(arena, stanza_error(arena, &s, &why),
		   "<iq type='error' id='7' from='b@c' to='a@h/r'>"
		   "<error type='cancel'>"
		   "<item-not-found xmlns='" NS_STANZAS "'/>"
		   "<text xmlns='" NS_STANZAS "' xml:lang='en'>"
		   "No such &lt;call&gt;.</text>"
		   "<unknown-session xmlns='" NS_JINGLE_ERR "'/>"
		   "</error></iq>");
	assert_string_equal(stanza_error_condition(
		stanza_error(arena, &s, &why)), "item-not-found");
	s.type = "result";
	assert_null(stanza_error(arena, &s, &why));
	s.type = "error";
	assert_null(stanza_error(arena, &s, &why));
	s.kind = STANZA_MESSAGE;
	assert_null(stanza_error(arena, &s, &why));
	s.type = "chat";
	assert_non_null(stanza_error(arena, &s, &why));
}

/* An iq of an unknown type has an id and a sender: it can be answered. */
static void test_answer_bad_type(void **state)
{
	struct stanza s;
	struct why why;

	(void)state;
	assert_int_equal(stanza_parse(arena, tree(arena,
		"<iq type='x' id='7' from='a@h/r' to='b@c'/>"), &s, &why),
		EBADMSG);
	assert_non_null(stanza_error(arena, &s, &why));
	assert_int_equal(stanza_parse(arena, tree(arena,
		"<iq type='get' id='7' to='b@c'/>"), &s, &why), EBADMSG);
	assert_null(stanza_error(arena, &s, &why));
}

static void test_error_condition(void **state)
{
	static const struct { const char *xml, *want; } rows[] = {
		{ "<iq/>", "undefined-condition" },
		{ "<iq><error/></iq>", "undefined-condition" },
		{ "<iq><error><text xmlns='" NS_STANZAS "'>x</text></error>"
		  "</iq>", "undefined-condition" },
		{ "<iq><error><gone xmlns='urn:x'/><text xmlns='" NS_STANZAS
		  "'/><conflict xmlns='" NS_STANZAS "'/></error></iq>",
		  "conflict" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(stanza_error_condition(
			tree(arena, rows[i].xml)), rows[i].want);
	assert_string_equal(stanza_error_condition(NULL),
			    "undefined-condition");
}

static void test_text(void **state)
{
	uint32_t n = 7;
	int32_t i = 7;

	(void)state;
	assert_true(text_blank(NULL) && text_blank("") && text_blank(" \t"));
	assert_false(text_blank(" a"));
	assert_int_equal(text_number("4294967295", UINT32_MAX, &n), 0);
	assert_int_equal(n, UINT32_MAX);
	assert_int_equal(text_number("4294967296", UINT32_MAX, &n), EBADMSG);
	assert_int_equal(text_number("99999999999999999999", 9, &n), EBADMSG);
	assert_int_equal(text_number("", 9, &n), EBADMSG);
	assert_int_equal(text_number(NULL, 9, &n), EBADMSG);
	assert_int_equal(text_number("-1", 9, &n), EBADMSG);
	assert_int_equal(text_number(" 1", 9, &n), EBADMSG);
	assert_int_equal(text_number("1 ", 9, &n), EBADMSG);
	assert_int_equal(n, UINT32_MAX);
	assert_int_equal(text_integer("-128", -128, 127, &i), 0);
	assert_int_equal(i, -128);
	assert_int_equal(text_integer("+5", -128, 127, &i), 0);
	assert_int_equal(i, 5);
	assert_int_equal(text_integer("-129", -128, 127, &i), EBADMSG);
	assert_int_equal(text_integer("-", -128, 127, &i), EBADMSG);
	assert_int_equal(text_integer(NULL, -128, 127, &i), EBADMSG);
	assert_true(text_true("1") && text_true("true"));
	assert_false(text_true(NULL) || text_true("0") || text_true(""));
	assert_true(text_token("abc", 3));
	assert_false(text_token("abcd", 3) || text_token("", 3) ||
		     text_token(NULL, 3) || text_token("a b", 3) ||
		     text_token("a\n", 3) || text_token("\x7f", 3));
	assert_true(text_equal(NULL, NULL) && text_equal("a", "a"));
	assert_false(text_equal(NULL, "") || text_equal("a", "b"));
}

static void test_why(void **state)
{
	struct why why;

	(void)state;
	assert_int_equal(why_bad(NULL, "x"), EBADMSG);
	assert_int_equal(why_over(&why, "x"), EOVERFLOW);
	assert_string_equal(why.condition, "policy-violation");
	assert_null(why.app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answer_bad_type),
		cmocka_unit_test(test_error_condition),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_why),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
