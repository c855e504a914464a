/* test_module.c: what the server's module and we say to each other, and the
 * mirror that it feeds (doc/protocol.md).
 */
#include "mod_privatecall/presence/module.h"
#include "tests/unit/gateway_test.h"

static struct xml_elem *parsed(const char *xml)
{
	return tree(env.arena, xml);
}

static struct stanza as_stanza(struct xml_elem *e)
{
	struct why why = { .type = NULL };
	struct stanza s;

	assert_int_equal(stanza_parse(env.arena, e, &s, &why), 0);
	return s;
}

static const char *text(const struct xml_elem *e)
{
	return xml_write(env.arena, e, NS_COMPONENT, NULL);
}

/* --- relay --------------------------------------------------------------- */

static void test_relay(void **state)
{
	struct xml_elem *e;

	(void)state;
	e = parsed("<iq type='error' id='u1' from='bob@h/tab' to='alice@h/x'>"
		   "<error type='cancel'><conflict xmlns='" NS_STANZAS "'/>"
		   "</error></iq>");
	assert_string_equal(text(module_relay(env.arena, e, "c.h", "h",
					      "relay-1")),
		"<iq type='set' id='relay-1' from='c.h' to='h'>"
		"<relay xmlns='" NS_RELAY "'><iq xmlns='" NS_CLIENT "' "
		"type='error' id='u1' from='bob@h/tab' to='alice@h/x'>"
		"<error type='cancel'><conflict xmlns='" NS_STANZAS "'/>"
		"</error></iq></relay></iq>");
	assert_string_equal(e->ns, NS_COMPONENT);
}

static const char *refused(const char *inner, const char **why)
{
	struct stanza s = as_stanza(parsed(arena_printf(env.arena,
		"<iq type='error' id='relay-1' from='h' to='c.h'>"
		"<error type='auth'><forbidden xmlns='" NS_STANZAS "'/>%s"
		"</error></iq>", inner)));
	struct xml_elem *e = module_refused(env.arena, &s, why);

	return e ? text(e) : NULL;
}

static void test_refused(void **state)
{
	const char *why;

	(void)state;
	assert_string_equal(refused("<refused xmlns='" NS_RELAY "' why='pair' "
		"stanza='message' id='m1' from='alice@h/x' to='bob@h'/>", &why),
		"<message type='error' id='m1' from='bob@h' to='alice@h/x'>"
		"<error type='auth'><forbidden xmlns='" NS_STANZAS "'/>"
		"<refused xmlns='" NS_RELAY "' why='pair' stanza='message' "
		"id='m1' from='alice@h/x' to='bob@h'/></error></message>");
	assert_string_equal(why, "pair");
	assert_null(refused("", &why));
	assert_string_equal(why, "?");
	assert_null(refused("<refused xmlns='" NS_RELAY "' why='asker'/>",
			    &why));
	assert_null(refused("<refused xmlns='" NS_RELAY "' stanza='presence' "
			    "id='m1' from='a@h' to='b@h'/>", &why));
	/* A refusal in a refusal. */
	assert_null(refused("<refused xmlns='" NS_RELAY "' stanza='iq' "
			    "id='relay-1' from='c.h' to='h'/>", &why));
	assert_null(refused("<refused xmlns='" NS_RELAY "' stanza='iq' "
			    "id='relay-1' from='a@h' to='h'/>", &why));
	assert_null(refused("<refused xmlns='" NS_RELAY "' stanza='iq' "
			    "id='relay-1' from='c.h' to='a@h'/>", &why));
}

/* --- hello and facts ----------------------------------------------------- */

static void test_hello(void **state)
{
	struct module_hello h;

	(void)state;
	module_read_hello(parsed("<hello xmlns='" NS_QUERY "' version='2' "
				 "software='m' release='1' server='s' "
				 "private_calls='false' when_down='native' "
				 "remote_users='true' registration='true' "
				 "user_rate='3000' pres_counter='true'/>"),
			  &h);
	assert_true(h.registration && h.pres_counter);
	assert_int_equal(h.user_rate, 3000);
	assert_int_equal(h.version, 2);
	assert_false(h.private_calls);
	assert_true(h.native_when_down && h.remote_users);
	module_read_hello(parsed("<hello xmlns='" NS_QUERY "' version='-1' "
				 "user_rate='-3'/>"), &h);
	assert_false(h.registration || h.pres_counter || h.user_rate);
	assert_int_equal(h.version, 0);
	assert_true(h.private_calls);
	assert_false(h.native_when_down || h.remote_users);
	assert_string_equal(h.software, "?");
	module_read_hello(NULL, &h);
	assert_int_equal(h.version, 0);
}

static struct module_facts facts(const char *attrs)
{
	struct module_facts f;

	module_read_facts(parsed(arena_printf(env.arena, "<facts xmlns='"
		NS_QUERY "' %s/>", attrs)), &f);
	return f;
}

static void test_facts(void **state)
{
	struct module_facts f = facts("");

	(void)state;
	assert_true(f.exists);
	assert_false(f.contact || f.blocked || f.push);
	f = facts("exists='false' push='true' subscription='none'");
	assert_true(!f.exists && f.push && f.contact);
	assert_true(facts("blocks='true' blocked='false'").blocked);
	assert_true(facts("blocks='false' blocked='true'").blocked);
	assert_false(facts("blocks='false' blocked='false'").blocked);
}

/* --- the mirror ---------------------------------------------------------- */

static struct gateway_session session(const char *attrs)
{
	struct gateway_session s;

	assert_int_equal(module_read_session(env.arena, parsed(arena_printf(
		env.arena, "<session xmlns='" NS_QUERY "' %s/>", attrs)),
		&s), 0);
	return s;
}

static void test_session(void **state)
{
	struct gateway_session s;

	(void)state;
	s = session("jid='bob@h/x' priority='-3' show='dnd' "
		    "idle='2026-01-02T03:04:05Z' hibernating='true' "
		    "node='n' hash='sha-1' ver='v'");
	assert_string_equal(s.jid.full, "bob@h/x");
	assert_int_equal(s.info.priority, -3);
	assert_int_equal(s.info.show, PRESENCE_DND);
	assert_true(s.info.idle && s.hibernating && s.info.has_caps);
	s = session("jid='bob@h/x' priority='999' show='odd' idle='now' "
		    "node='n'");
	assert_int_equal(s.info.priority, 0);
	assert_int_equal(s.info.show, PRESENCE_ONLINE);
	assert_false(s.info.idle || s.hibernating || s.info.has_caps);
	assert_int_equal(module_read_session(env.arena, parsed("<session "
		"xmlns='" NS_QUERY "' jid='bob@h'/>"), &s), EBADMSG);
	assert_int_equal(module_read_session(env.arena, parsed("<session "
		"xmlns='" NS_QUERY "'/>"), &s), EBADMSG);
}

static void tell(const char *attrs)
{
	struct gateway_session s = session(attrs);

	assert_int_equal(gateway_session(g, &s, &env), 0);
	print_actions();
}

static void gone(const char *jid)
{
	struct jid j;

	assert_int_equal(jid_parse(env.arena, jid, &j), 0);
	gateway_session_gone(g, &j, &env);
	gateway_check(g);
}

static bool is_active(const char *bare)
{
	return gateway_active(g, bare, env.wall, NULL);
}

static unsigned targets(const char *bare)
{
	struct leg_target *list;

	return gateway_targets(g, env.arena, bare, &list);
}

/* No subscription is needed, and presence that comes beside says nothing. */
static void test_told(void **state)
{
	(void)state;
	up();
	tell("jid='bob@h/x'");
	assert_true(gateway_knows(g, "bob@h") && is_active("bob@h"));
	assert_int_equal(targets("bob@h"), 1);
	assert_true(gateway_can_read(g, "bob@h"));
	feed(p("unavailable", "bob@h/x", "c.h", ""));
	feed(p("", "bob@h/x", "alice@c.h", "<show>dnd</show>"));
	assert_true(is_active("bob@h"));
	tell("jid='bob@h/x' show='dnd'");
	assert_false(is_active("bob@h"));
	tell("jid='bob@h/x' hibernating='true'");
	assert_true(is_active("bob@h"));
	assert_false(gateway_can_read(g, "bob@h"));
	tell("jid='bob@h/x' priority='-1'");
	assert_false(is_active("bob@h"));
	gone("bob@h/x");
	assert_false(gateway_knows(g, "bob@h"));
	gone("bob@h/x");
	tell("jid='eve@far/x'");
	assert_false(gateway_knows(g, "eve@far"));
}

/* Who hides from the service is seen all the same: he was told. */
static void test_told_hides(void **state)
{
	(void)state;
	two_friends();
	tell("jid='bob@h/x'");
	feed(p("unsubscribed", "bob@h", "c.h", ""));
	assert_null(strstr(out, "GONE bob@h/x\n"));
	assert_true(is_active("bob@h"));
}

static void test_replay(void **state)
{
	(void)state;
	up();
	tell("jid='bob@h/x'");
	tell("jid='bob@h/y'");
	tell("jid='dave@o/z'");
	gateway_replay(g, "h", false, &env);
	tell("jid='bob@h/y'");
	assert_int_equal(targets("bob@h"), 2);
	gateway_replay(g, "h", true, &env);
	assert_int_equal(targets("bob@h"), 1);
	assert_int_equal(targets("dave@o"), 1);
	tell("jid='alice@h/a'");
	gateway_replay(g, "bob@h", false, &env);
	gateway_replay(g, "bob@h", true, &env);
	assert_false(gateway_knows(g, "bob@h"));
	assert_int_equal(targets("alice@h"), 1);
	gateway_replay(g, "bob@h", true, &env);
	gateway_check(g);
}

static void changed(const char *jid)
{
	struct jid j;

	env.first = env.last = NULL;
	assert_int_equal(jid_parse(env.arena, jid, &j), 0);
	gateway_session_changed(g, &j, &env);
	print_actions();
	gateway_check(g);
}

/* What was told counts until a word says that it is not so any more, and again
 * when all is told; only what others see is asked for. */
static void test_changed(void **state)
{
	(void)state;
	up();
	assert_false(gateway_is_fresh(g, "bob@h"));
	changed("bob@h/x");
	assert_false(gateway_knows(g, "bob@h"));
	tell("jid='bob@h/x'");
	tell("jid='bob@h/y'");
	assert_true(gateway_is_fresh(g, "bob@h"));
	changed("bob@h/x");
	assert_string_equal(out, "");
	assert_false(gateway_is_fresh(g, "bob@h"));
	assert_true(is_active("bob@h"));
	tell("jid='bob@h/x'");
	assert_false(gateway_is_fresh(g, "bob@h"));
	gateway_replay(g, "bob@h", false, &env);
	tell("jid='bob@h/x'");
	gateway_replay(g, "bob@h", true, &env);
	assert_true(gateway_is_fresh(g, "bob@h"));
	changed("bob@h/y");
	assert_true(gateway_is_fresh(g, "bob@h"));
	changed("bob@h/x");
	feed(p("subscribe", "bob@h", "alice@c.h", ""));
	assert_non_null(strstr(out, "CHANGED bob@h\n"));
	gateway_replay(g, "h", false, &env);
	changed("bob@h/x");
	assert_string_equal(out, "");
	tick_to(gateway_deadline(g));
	assert_string_equal(out, "CHANGED bob@h\n");
	changed("bob@h/x");
	assert_string_equal(out, "");
	/* No answer has come. */
	tick_to(env.now + 9999);
	assert_null(strstr(out, "CHANGED"));
	tick_to(env.now + 1);
	assert_string_equal(out, "CHANGED bob@h\n");
	gateway_replay(g, "bob@h", false, &env);
	tick_to(env.now + 10000);
	assert_null(strstr(out, "CHANGED"));
	gone("bob@h/x");
	assert_false(gateway_is_fresh(g, "bob@h"));
}

/* The module is gone: its sessions count until somebody else shows them. */
static void test_untold(void **state)
{
	(void)state;
	up();
	tell("jid='bob@h/x'");
	tell("jid='dave@o/z'");
	gateway_untold(g, "h", &env);
	assert_int_equal(targets("bob@h"), 0);
	assert_int_equal(targets("dave@o"), 1);
	env.now += GATEWAY_GRACE_MS;
	gateway_tick(g, &env);
	assert_false(gateway_knows(g, "bob@h"));
	assert_true(gateway_knows(g, "dave@o"));
	gateway_down(g, &env);
	tell("jid='bob@h/x'");
	assert_false(gateway_knows(g, "bob@h"));
	gateway_check(g);
}

/* He may be seen again: the wait for that is a new one. */
static void test_untold_late(void **state)
{
	(void)state;
	up();
	tick_to(env.now + GATEWAY_GRACE_MS);
	tell("jid='bob@h/x'");
	gateway_untold(g, "h", &env);
	tick_to(env.now + GATEWAY_GRACE_MS - 1);
	assert_null(strstr(out, "GONE bob@h/x\n"));
	tick_to(env.now + 1);
	assert_non_null(strstr(out, "GONE bob@h/x\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_relay),
		T(test_refused),
		T(test_hello),
		T(test_facts),
		T(test_session),
		T(test_told),
		T(test_told_hides),
		T(test_replay),
		T(test_changed),
		T(test_untold),
		T(test_untold_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
