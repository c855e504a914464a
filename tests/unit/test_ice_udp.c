/* test_ice_udp.c: ICE-UDP transports (XEP-0176). */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/ice_udp.h"

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

#define T(attrs, body) "<transport xmlns='" NS_ICE_UDP "' " attrs ">" body \
		       "</transport>"
#define C "component='1' foundation='f' ip='192.0.2.1' port='9' " \
	  "priority='1' "

static int parse(const char *xml, struct ice_transport *t, struct why *why)
{
	return ice_udp_parse(arena, tree(arena, xml), t, why);
}

static void test_parse(void **state)
{
	struct ice_transport t;

	(void)state;
	assert_int_equal(parse(T("ufrag='u' pwd='p'", "<candidate " C
		"protocol='udp' type='host' id='i' generation='0' "
		"network='2'/><candidate component='2' foundation='g' "
		"ip='a1.local' port='65535' priority='4294967295' "
		"protocol='TCP' tcptype='passive' type='relay' "
		"rel-addr='2001:db8::1' rel-port='7'/><candidate " C
		"protocol='ssltcp' type='prflx'/><gathering-complete/>"), &t,
		NULL), 0);
	assert_string_equal(t.ufrag, "u");
	assert_string_equal(t.pwd, "p");
	assert_true(t.gathering_complete);
	assert_int_equal(t.candidates, 3);
	assert_int_equal(t.candidate[0].component, 1);
	assert_string_equal(t.candidate[0].foundation, "f");
	assert_string_equal(t.candidate[0].id, "i");
	assert_string_equal(t.candidate[0].generation, "0");
	assert_string_equal(t.candidate[0].network, "2");
	assert_string_equal(t.candidate[0].ip, "192.0.2.1");
	assert_false(t.candidate[0].mdns);
	assert_int_equal(t.candidate[0].protocol, ICE_UDP);
	assert_int_equal(t.candidate[0].type, ICE_HOST);
	assert_null(t.candidate[0].rel_addr);
	assert_true(t.candidate[1].mdns);
	assert_int_equal(t.candidate[1].port, 65535);
	assert_int_equal(t.candidate[1].priority, UINT32_MAX);
	assert_int_equal(t.candidate[1].protocol, ICE_TCP);
	assert_string_equal(t.candidate[1].tcptype, "passive");
	assert_string_equal(t.candidate[1].rel_addr, "2001:db8::1");
	assert_int_equal(t.candidate[1].rel_port, 7);
	assert_null(t.candidate[1].id);
	assert_int_equal(t.candidate[2].protocol, ICE_OTHER);
	assert_int_equal(t.candidate[2].type, ICE_PRFLX);
	assert_int_equal(parse(T("", ""), &t, NULL), 0);
	assert_null(t.ufrag);
	assert_int_equal(t.candidates, 0);
}

static void test_errors(void **state)
{
	static const char *const rows[] = {
		T("ufrag=''", ""),
		T("ufrag='a b'", ""),
		T("pwd='&#10;'", ""),
		T("pwd='a&#10;b'", ""),
		T("", "<candidate/>"),
		T("", "<candidate " C "protocol='udp'/>"),
		T("", "<candidate " C "protocol='udp' type='HOST'/>"),
		T("", "<candidate " C "protocol='' type='host'/>"),
		T("", "<candidate " C "type='host'/>"),
		T("", "<candidate " C "protocol='tcp' type='host' "
		  "tcptype=''/>"),
		T("", "<candidate " C "protocol='udp' type='host' "
		  "rel-addr='a&#13;b'/>"),
		T("", "<candidate " C "protocol='udp' type='host' "
		  "rel-port='65536'/>"),
		T("", "<candidate " C "protocol='udp' type='host' id=''/>"),
		T("", "<candidate component='0' foundation='f' ip='i' "
		  "port='9' priority='1' protocol='udp' type='host'/>"),
		T("", "<candidate component='1' foundation='f' ip='i&#10;a' "
		  "port='9' priority='1' protocol='udp' type='host'/>"),
		T("", "<candidate component='1' foundation='f' ip='i' "
		  "port='70000' priority='1' protocol='udp' type='host'/>"),
		T("", "<candidate component='1' foundation='f' ip='i' "
		  "port='9' priority='-1' protocol='udp' type='host'/>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ice_transport t;
		struct why why = { 0 };

		assert_int_equal(parse(rows[i], &t, &why), EBADMSG);
		assert_true(strlen(why.text) > 10);
	}
}

static void test_caps(void **state)
{
	struct xml_elem *e = tree(arena, T("", ""));
	struct ice_transport t;
	struct why why = { 0 };

	(void)state;
	for (int i = 0; i < ICE_CANDIDATES_MAX; i++)
		xml_append(e, tree(arena, "<candidate xmlns='" NS_ICE_UDP "' "
				   C "protocol='udp' type='host'/>"));
	assert_int_equal(ice_udp_parse(arena, e, &t, &why), 0);
	assert_int_equal(t.candidates, ICE_CANDIDATES_MAX);
	xml_append(e, tree(arena, "<candidate xmlns='" NS_ICE_UDP "'/>"));
	assert_int_equal(ice_udp_parse(arena, e, &t, &why), EOVERFLOW);
	assert_string_equal(why.condition, "policy-violation");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
