/* test_privilege.c: what the two servers grant by XEP-0356, as they say it, and
 * what their answers hold.
 */
#include "mod_privatecall/presence/privilege.h"
#include "tests/unit/gateway_test.h"

#define ALL (PRIVILEGE_ROSTER | PRIVILEGE_PRESENCE | PRIVILEGE_BLOCKS)

/* -1: it says nothing of that. */
static int granted(const char *inner)
{
	unsigned set = 99;
	bool says = privilege_read(tree(env.arena, arena_printf(env.arena,
		"<message from='h' to='c.h'>%s</message>", inner)), &set);

	return says ? (int)set : -1;
}

static void test_read(void **state)
{
	(void)state;
	assert_int_equal(granted("<privilege xmlns='urn:xmpp:privilege:1'>"
		"<perm type='none' access='message'/>"
		"<perm type='get' access='roster'/>"
		"<perm type='managed_entity' access='presence'/>"
		"</privilege>"), PRIVILEGE_ROSTER | PRIVILEGE_PRESENCE);
	assert_int_equal(granted("<privilege xmlns='urn:xmpp:privilege:2'>"
		"<perm access='roster' type='both'/>"
		"<perm access='presence' type='roster'/><perm access='iq'>"
		"<namespace ns='urn:x' type='set'><namespace "
		"ns='urn:xmpp:blocking' type='get'/></namespace></perm>"
		"</privilege>"), ALL);
	assert_int_equal(granted("<privilege xmlns='urn:xmpp:privilege:2'>"
		"<perm access='iq'><namespace ns='urn:x' type='get'/>"
		"<namespace ns='urn:xmpp:blocking' type='both'/></perm>"
		"</privilege>"), PRIVILEGE_BLOCKS);
	assert_int_equal(granted("<privilege xmlns='urn:xmpp:privilege:2'>"
		"<perm/><perm access='roster'/><perm access='roster' "
		"type='set'/><perm access='presence' type='none'/>"
		"<perm access='iq' type='get'/><perm access='iq'><namespace/>"
		"<namespace ns='urn:xmpp:blocking' type='set'/></perm>"
		"</privilege>"), 0);
	assert_int_equal(granted("<privilege xmlns='urn:xmpp:privilege:3'/>"),
			 -1);
	assert_int_equal(granted(""), -1);
}

static const char *text(const struct xml_elem *e)
{
	return xml_write(env.arena, e, NS_COMPONENT, NULL);
}

static void test_ask(void **state)
{
	(void)state;
	assert_string_equal(text(privilege_ask_roster(env.arena, "q1", "c.h",
						      "bob@h")),
		"<iq type='get' id='q1' from='c.h' to='bob@h'>"
		"<query xmlns='jabber:iq:roster'/></iq>");
	assert_string_equal(text(privilege_ask_blocks(env.arena, "q2", "c.h",
						      "bob@h")),
		"<iq type='get' id='q2' from='c.h' to='bob@h'>"
		"<privileged_iq xmlns='urn:xmpp:privilege:2'>"
		"<iq xmlns='jabber:client' type='get' id='q2'>"
		"<blocklist xmlns='urn:xmpp:blocking'/></iq></privileged_iq>"
		"</iq>");
}

static void test_roster(void **state)
{
	struct xml_elem *iq = tree(env.arena, "<iq><query "
		"xmlns='jabber:iq:roster'><item/><item jid='alice@h' "
		"subscription='none'/></query></iq>");

	(void)state;
	assert_true(privilege_has_item(iq, "alice@h"));
	assert_false(privilege_has_item(iq, "alice@h.example"));
	assert_false(privilege_has_item(tree(env.arena, "<iq/>"), "alice@h"));
}

static bool blocks(const char *items)
{
	struct jid alice;

	assert_int_equal(jid_parse(env.arena, "alice@h", &alice), 0);
	return privilege_is_blocked(tree(env.arena, arena_printf(env.arena,
		"<iq><privilege xmlns='urn:xmpp:privilege:2'><forwarded "
		"xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' "
		"type='result'><blocklist xmlns='urn:xmpp:blocking'>%s"
		"</blocklist></iq></forwarded></privilege></iq>", items)),
		&alice);
}

static void test_blocks(void **state)
{
	(void)state;
	assert_false(blocks(""));
	assert_false(blocks("<item/><item jid='bob@h'/>"));
	assert_true(blocks("<item jid='bob@h'/><item jid='alice@h'/>"));
	assert_true(blocks("<item jid='h'/>"));
	/* One device of his alone may be blocked: another one may call. */
	assert_false(blocks("<item jid='alice@h/phone'/>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_read),
		T(test_ask),
		T(test_roster),
		T(test_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
