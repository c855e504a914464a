/* test_presence.c: presence, registration, version, ping. */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/presence.h"
#include "jingle/stanza/register.h"
#include "jingle/stanza/version.h"
#include "jingle/stanza/ping.h"

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

static struct presence_info read_info(const char *inside)
{
	struct presence_info p;

	assert_int_equal(presence_read(arena, tree(arena, arena_printf(arena,
		"<presence from='a@h/r' to='c'>%s</presence>", inside)), &p),
		0);
	return p;
}

static void test_presence(void **state)
{
	struct presence_info p = read_info("<show> dnd\n</show><priority>-128"
		"</priority><idle xmlns='" NS_IDLE "' since="
		"'1970-01-01T00:00:01Z'/><c xmlns='" NS_CAPS "' hash='sha-1' "
		"node='n' ver='v'/><delay xmlns='" NS_DELAY "'/>");

	(void)state;
	assert_int_equal(p.show, PRESENCE_DND);
	assert_int_equal(p.priority, -128);
	assert_true(p.idle);
	assert_true(p.idle_since == 1000);
	assert_true(p.has_caps);
	assert_string_equal(p.caps.ver, "v");
	assert_true(p.delayed);
	p = read_info("");
	assert_int_equal(p.show, PRESENCE_ONLINE);
	assert_int_equal(p.priority, 0);
	assert_false(p.idle || p.has_caps || p.delayed);
	assert_string_equal(presence_show_name(PRESENCE_XA), "xa");
}

static void test_presence_tolerant(void **state)
{
	static const struct { const char *text; int priority; } rows[] = {
		{ "127", 127 }, { "128", 127 }, { "-129", -128 }, { "+5", 5 },
		{ "", 0 }, { "x", 0 }, { "1 2", 0 }, { "99999999999", 0 },
		{ " 7 ", 7 }, { "00000000000000000000001", 0 },
	};
	struct presence_info p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = read_info(arena_printf(arena, "<priority>%s</priority>",
					   rows[i].text));
		assert_int_equal(p.priority, rows[i].priority);
	}
	assert_int_equal(read_info("<show>busy</show>").show, PRESENCE_ONLINE);
	assert_int_equal(read_info("<show>online</show>").show,
			 PRESENCE_ONLINE);
	assert_int_equal(read_info("<show>away</show>").show, PRESENCE_AWAY);
	assert_int_equal(read_info("<show>chat</show>").show, PRESENCE_CHAT);
	assert_int_equal(read_info("<show xmlns='urn:x'>away</show>").show,
			 PRESENCE_ONLINE);
	p = read_info("<idle xmlns='" NS_IDLE "' since='x'/><c xmlns='" NS_CAPS
		      "' node='n'/>");
	assert_false(p.idle || p.has_caps);
}

static int parse_register(const char *type, const char *inside,
			  enum register_action *action)
{
	struct stanza s;

	assert_int_equal(stanza_parse(arena, tree(arena, arena_printf(arena,
		"<iq type='%s' id='1' from='a@h/r' to='c'>%s</iq>", type,
		inside)), &s, NULL), 0);
	return register_parse(&s, action, NULL);
}

#define REGISTER(inside) "<query xmlns='" NS_REGISTER "'>" inside "</query>"

static void test_register(void **state)
{
	enum register_action action;

	(void)state;
	assert_int_equal(parse_register("get", REGISTER(""), &action), 0);
	assert_int_equal(action, REGISTER_GET);
	assert_int_equal(parse_register("set", REGISTER("<username>x"
		"</username>"), &action), 0);
	assert_int_equal(action, REGISTER_SET);
	assert_int_equal(parse_register("set", REGISTER("\n<remove/>\n"),
					&action), 0);
	assert_int_equal(action, REGISTER_REMOVE);
	assert_int_equal(parse_register("set", REGISTER("<remove/><name/>"),
					&action), EBADMSG);
	assert_int_equal(parse_register("set", REGISTER("<name/><remove/>"),
					&action), EBADMSG);
	assert_int_equal(parse_register("get", REGISTER("<remove/>"),
					&action), EBADMSG);
	assert_int_equal(parse_register("get", REGISTER("") REGISTER(""),
					&action), EBADMSG);
	assert_int_equal(parse_register("result", REGISTER(""), &action),
			 ENOENT);
	assert_int_equal(parse_register("get", "", &action), ENOENT);
}

static void test_register_form(void **state)
{
	struct xml_elem *iq = stanza_new(arena, STANZA_IQ, NULL, NULL, NULL,
					 NULL);

	(void)state;
	register_add_form(arena, iq, "Do it.", true);
	assert_xml(arena, iq, "<iq><query xmlns='" NS_REGISTER "'>"
		   "<registered/><instructions>Do it.</instructions></query>"
		   "</iq>");
	iq = stanza_new(arena, STANZA_IQ, NULL, NULL, NULL, NULL);
	register_add_form(arena, iq, "Do it.", false);
	assert_xml(arena, iq, "<iq><query xmlns='" NS_REGISTER "'>"
		   "<instructions>Do it.</instructions></query></iq>");
}

static void test_version_and_ping(void **state)
{
	struct xml_elem *iq = stanza_new(arena, STANZA_IQ, NULL, NULL, NULL,
					 NULL);

	(void)state;
	assert_false(version_is_query(iq));
	version_add(arena, iq, "n", "1", NULL);
	assert_true(version_is_query(iq));
	assert_xml(arena, iq, "<iq><query xmlns='" NS_VERSION "'><name>n"
		   "</name><version>1</version></query></iq>");
	assert_false(ping_is(iq));
	iq = ping_new(arena, "1", "a", "b");
	assert_true(ping_is(iq));
	assert_xml(arena, iq, "<iq type='get' id='1' from='a' to='b'><ping "
		   "xmlns='" NS_PING "'/></iq>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presence),
		cmocka_unit_test(test_presence_tolerant),
		cmocka_unit_test(test_register),
		cmocka_unit_test(test_register_form),
		cmocka_unit_test(test_version_and_ping),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
