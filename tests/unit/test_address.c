/* test_address.c: the map between users and contact addresses. */
#include "tests/unit/stanza_test.h"

#include "mod_privatecall/presence/address.h"
#include "mod_privatecall/presence/gateway.h"

static struct settings_site site;

static struct gateway *make(const char *domain, const char *const *hosts)
{
	struct gateway_conf conf = { .domain = domain, .hosts = hosts,
				     .site = &site };

	settings_site_default(&site);
	return gateway_new(&conf);
}

static struct gateway *make_good(const char *domain,
				 const char *const *hosts)
{
	struct gateway *g = make(domain, hosts);

	assert_non_null(g);
	return g;
}

static const char *const two[] = { "example.org", "other.org", NULL };

/* user <-> contact, both ways */
static const char *const pairs[][2] = {
	{ "bob@example.org", "bob@calls.example.org" },
	{ "bob@other.org", "bob\\40other.org@calls.example.org" },
	{ "bob@far.net", "bob\\40far.net@calls.example.org" },
	{ "bob\\40far.net@example.org",
	  "bob\\5c40far.net@calls.example.org" },
	{ "d\\27artagnan@example.org",
	  "d\\5c27artagnan@calls.example.org" },
	{ "x\\@other.org", "x\\\\40other.org@calls.example.org" },
	{ "a\\5@example.org", "a\\5@calls.example.org" },
	{ "j\xc3\xb6rg@m\xc3\xbcnchen.example",
	  "j\xc3\xb6rg\\40m\xc3\xbcnchen.example@calls.example.org" },
};

static void test_pairs(void **state)
{
	struct gateway *g = make_good("calls.example.org", two);
	struct arena *a = arena_new(0);
	struct jid user, contact, back;

	(void)state;
	assert_non_null(g);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		assert_int_equal(jid_parse(a, pairs[i][0], &user), 0);
		assert_int_equal(address_contact(a, g, &user, &contact), 0);
		assert_string_equal(contact.full, pairs[i][1]);
		assert_int_equal(address_user(a, g, &contact, &back), 0);
		assert_string_equal(back.full, pairs[i][0]);
		assert_true(address_is_ours(g, &contact));
		assert_false(address_is_ours(g, &user));
	}
	arena_free(a);
	gateway_free(g);
}

/* Resources are ignored. */
static void test_full(void **state)
{
	struct gateway *g = make_good("calls.example.org", NULL);
	struct arena *a = arena_new(0);
	struct jid j, r;

	(void)state;
	jid_parse(a, "bob@calls.example.org/call", &j);
	assert_int_equal(address_user(a, g, &j, &r), 0);
	assert_string_equal(r.full, "bob@example.org");
	jid_parse(a, "bob@example.org/phone", &j);
	assert_int_equal(address_contact(a, g, &j, &r), 0);
	assert_string_equal(r.full, "bob@calls.example.org");
	arena_free(a);
	gateway_free(g);
}

static const char *const no_contact[] = {
	"calls.example.org",                        /* the service */
	"bob@example.org",                          /* not ours */
	"bob\\40example.org@calls.example.org",     /* bob's second name */
	"\\40other.org@calls.example.org",
	"bob\\40@calls.example.org",
	"bob\\40calls.example.org@calls.example.org", /* a contact's contact */
	"bob\\40other.org\\2fphone@calls.example.org",
	"a\\2fb@calls.example.org",
	"a\\40b\\40c@calls.example.org",
	"a\\20b@calls.example.org",
	"\\20@calls.example.org",
};

static void test_no_contact(void **state)
{
	struct gateway *g = make_good("calls.example.org", two);
	struct arena *a = arena_new(0);
	struct jid j, r;

	(void)state;
	for (size_t i = 0; i < sizeof(no_contact) / sizeof(*no_contact); i++) {
		assert_int_equal(jid_parse(a, no_contact[i], &j), 0);
		if (address_user(a, g, &j, &r) != EBADMSG)
			fail_msg("%s is taken for %s", no_contact[i], r.full);
		assert_null(r.full);
	}
	arena_free(a);
	gateway_free(g);
}

static void test_no_user(void **state)
{
	struct gateway *g = make_good("calls.example.org", two);
	struct arena *a = arena_new(0);
	char node[1000];
	struct jid j, r;

	(void)state;
	memset(&j, 0, sizeof(j));
	assert_int_equal(address_contact(a, g, &j, &r), EBADMSG);
	jid_parse(a, "example.org", &j);
	assert_int_equal(address_contact(a, g, &j, &r), EBADMSG);
	jid_parse(a, "bob@calls.example.org", &j);
	assert_int_equal(address_contact(a, g, &j, &r), EBADMSG);
	/* Fits as a node of its own, not with its domain in it. */
	memset(node, 'n', sizeof(node));
	node[sizeof(node) - 1] = '\0';
	jid_parse(a, arena_printf(a, "%s@other.of.twenty.bytes.or.so", node),
		  &j);
	assert_int_equal(address_contact(a, g, &j, &r), EBADMSG);
	jid_parse(a, arena_printf(a, "%s@example.org", node), &j);
	assert_int_equal(address_contact(a, g, &j, &r), 0);
	arena_free(a);
	gateway_free(g);
}

static void test_hosts(void **state)
{
	static const char *const bad[] = { "not a host", NULL };
	struct gateway *g = make_good("calls.example.org", two);
	struct arena *a = arena_new(0);
	struct jid j, r;

	(void)state;
	jid_parse(a, "bob@other.org", &j);
	assert_true(address_is_local(g, &j));
	jid_parse(a, "bob@third.org", &j);
	assert_false(address_is_local(g, &j));
	gateway_free(g);
	assert_null(make("calls.example.org", bad));
	assert_null(make("", NULL));
	/* No host to be found: nobody can be mapped, nothing breaks. */
	g = make_good("calls", NULL);
	assert_non_null(g);
	assert_int_equal(address_contact(a, g, &j, &r), EBADMSG);
	jid_parse(a, "bob@calls", &j);
	assert_int_equal(address_user(a, g, &j, &r), EBADMSG);
	assert_false(address_is_local(g, &j));
	gateway_free(g);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_no_contact),
		cmocka_unit_test(test_no_user),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
