/* test_disco.c: disco#info (XEP-0030, 0128), caps (XEP-0115), SHA-1. */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/disco.h"
#include "jingle/stanza/sha1.h"

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

static void test_sha1(void **state)
{
	/* FIPS 180-4 examples, and lengths around the block's edges. */
	static const struct { const char *text, *hex; } rows[] = {
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	};
	static const struct { size_t len; const char *hex; } as[] = {
		{ 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
		{ 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
		{ 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
		{ 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
		{ 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
		{ 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
	};
	char hex[SHA1_HEX_SIZE];
	char *text = arena_alloc(arena, 1000000);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		sha1_hex(rows[i].text, strlen(rows[i].text), hex);
		assert_string_equal(hex, rows[i].hex);
	}
	memset(text, 'a', 1000000);
	for (size_t i = 0; i < sizeof(as) / sizeof(as[0]); i++) {
		sha1_hex(text, as[i].len, hex);
		assert_string_equal(hex, as[i].hex);
	}
}

static const struct disco_identity identity = { "gateway", "xmpp", NULL,
						"Calls" };
static const char *const features[] = { NS_DISCO_INFO, NS_JINGLE };
static const struct disco_info ours = {
	.identities = 1, .identity = &identity,
	.features = 2, .feature = features,
};

static void test_write(void **state)
{
	struct xml_elem *iq = stanza_new(arena, STANZA_IQ, "result", "1", "a",
					 "b");
	struct disco_info info;
	const char *node;

	(void)state;
	disco_add_info(arena, iq, &ours, "n#v");
	assert_xml(arena, iq, "<iq type='result' id='1' from='a' to='b'>"
		   "<query xmlns='" NS_DISCO_INFO "' node='n#v'>"
		   "<identity category='gateway' type='xmpp' name='Calls'/>"
		   "<feature var='" NS_DISCO_INFO "'/>"
		   "<feature var='" NS_JINGLE "'/></query></iq>");
	assert_non_null(disco_query(iq, NS_DISCO_INFO, &node));
	assert_string_equal(node, "n#v");
	assert_null(disco_query(iq, NS_DISCO_ITEMS, &node));
	assert_null(node);
	assert_int_equal(disco_parse(arena, iq, &info, NULL), 0);
	assert_true(disco_has_feature(&info, NS_JINGLE));
	assert_false(disco_has_feature(&info, NS_JMI));
	assert_int_equal(info.identities, 1);
	assert_string_equal(info.identity[0].category, "gateway");
	assert_string_equal(info.identity[0].type, "xmpp");
}

/* XEP-0115, 5.2 and 5.3. */
static void test_ver(void **state)
{
	static const struct { const char *inside, *ver; } rows[] = {
		{ "<identity category='client' type='pc' name='Exodus 0.9.1'/>"
		  "<feature var='http://jabber.org/protocol/caps'/>"
		  "<feature var='http://jabber.org/protocol/disco#items'/>"
		  "<feature var='http://jabber.org/protocol/disco#info'/>"
		  "<feature var='http://jabber.org/protocol/muc'/>",
		  "QgayPKawpkPSDYmwT/WM94uAlu0=" },
		{ "<identity xml:lang='en' category='client' type='pc' "
		  "name='Psi 0.11'/>"
		  "<identity xml:lang='el' category='client' type='pc' "
		  "name='\xce\xa8 0.11'/>"
		  "<feature var='http://jabber.org/protocol/caps'/>"
		  "<feature var='http://jabber.org/protocol/disco#info'/>"
		  "<feature var='http://jabber.org/protocol/disco#items'/>"
		  "<feature var='http://jabber.org/protocol/muc'/>"
		  "<x xmlns='jabber:x:data' type='result'>"
		  "<field var='FORM_TYPE' type='hidden'>"
		  "<value>urn:xmpp:dataforms:softwareinfo</value></field>"
		  "<field var='ip_version'><value>ipv4</value>"
		  "<value>ipv6</value></field>"
		  "<field var='os'><value>Mac</value></field>"
		  "<field var='os_version'><value>10.5.1</value></field>"
		  "<field var='software'><value>Psi</value></field>"
		  "<field var='software_version'><value>0.11</value></field>"
		  "</x>"
		  "<x xmlns='jabber:x:data'><field var='a'/></x>",
		  "q07IKJEyjvHSyhy//CH0CxmKi8w=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xml_elem *iq = tree(arena, arena_printf(arena,
			"<iq><query xmlns='" NS_DISCO_INFO "'>%s</query></iq>",
			rows[i].inside));
		struct disco_info info;
		char ver[DISCO_VER_SIZE];

		assert_int_equal(disco_parse(arena, iq, &info, NULL), 0);
		assert_int_equal(disco_ver(arena, &info, ver), 0);
		assert_string_equal(ver, rows[i].ver);
		/* What we would answer has the same hash. */
		iq = stanza_new(arena, STANZA_IQ, "result", "1", "a", "b");
		disco_add_info(arena, iq, &info, NULL);
		assert_int_equal(disco_parse(arena, iq, &info, NULL), 0);
		assert_int_equal(disco_ver(arena, &info, ver), 0);
		assert_string_equal(ver, rows[i].ver);
	}
}

static void test_ver_ill_formed(void **state)
{
	static const char *const rows[] = {
		"<feature var='a'/><feature var='a'/>",
		"<identity category='a' type='b'/>"
		"<identity category='a' type='b'/>",
		"<x xmlns='jabber:x:data'><field var='FORM_TYPE' type="
		"'hidden'><value>t</value></field></x>"
		"<x xmlns='jabber:x:data'><field var='FORM_TYPE' type="
		"'hidden'><value>t</value></field></x>",
	};
	struct disco_info info = { 0 };
	struct arena *small = arena_new(1);
	char ver[DISCO_VER_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(disco_parse(arena, tree(arena, arena_printf(
			arena, "<iq><query xmlns='" NS_DISCO_INFO "'>%s"
			"</query></iq>", rows[i])), &info, NULL), 0);
		assert_int_equal(disco_ver(arena, &info, ver), EBADMSG);
	}
	assert_int_equal(disco_ver(small, &ours, ver), ENOMEM);
	arena_free(small);
}

static void test_parse_errors(void **state)
{
	static const struct { const char *inside; int err; } rows[] = {
		{ "<identity type='b'/>", EBADMSG },
		{ "<identity category='b' type=''/>", EBADMSG },
		{ "<feature/>", EBADMSG },
	};
	struct disco_info info;
	struct xml_elem *iq, *query;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(disco_parse(arena, tree(arena, arena_printf(
			arena, "<iq><query xmlns='" NS_DISCO_INFO "'>%s"
			"</query></iq>", rows[i].inside)), &info, NULL),
			rows[i].err);
	assert_int_equal(disco_parse(arena, tree(arena, "<iq/>"), &info, NULL),
			 ENOENT);
	iq = stanza_new(arena, STANZA_IQ, "result", "1", "a", "b");
	query = disco_add_query(arena, iq, NS_DISCO_INFO, NULL);
	for (int i = 0; i <= DISCO_FEATURES_MAX; i++)
		xml_set(arena, xml_add(arena, query, NULL, "feature"), "var",
			"x");
	assert_int_equal(disco_parse(arena, iq, &info, NULL), EOVERFLOW);
}

static void test_caps(void **state)
{
	struct xml_elem *p = stanza_new(arena, STANZA_PRESENCE, NULL, NULL,
					"a@b/c", "d@e");
	struct caps c;

	(void)state;
	assert_int_equal(caps_read(p, &c), ENOENT);
	caps_add(arena, p, "https://x", "v=");
	assert_xml(arena, p, "<presence from='a@b/c' to='d@e'><c xmlns='"
		   NS_CAPS "' hash='sha-1' node='https://x' ver='v='/>"
		   "</presence>");
	assert_int_equal(caps_read(p, &c), 0);
	assert_string_equal(c.node, "https://x");
	assert_string_equal(c.ver, "v=");
	assert_string_equal(c.hash, "sha-1");
	assert_int_equal(caps_read(tree(arena, "<presence><c xmlns='" NS_CAPS
		"' node='x'/></presence>"), &c), EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_ver),
		cmocka_unit_test(test_ver_ill_formed),
		cmocka_unit_test(test_parse_errors),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
