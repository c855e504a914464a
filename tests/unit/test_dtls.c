/* test_dtls.c: DTLS fingerprints (XEP-0320). */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/dtls.h"

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

#define F(ns, attrs, body) "<fingerprint xmlns='" ns "' " attrs ">" body \
			   "</fingerprint>"
#define T(body) "<transport xmlns='" NS_ICE_UDP "'>" body "</transport>"
#define SHA1 "00:01:02:03:04:05:06:07:08:09:aa:Bb:cC:DD:10:11:12:13:14:FF"

static int parse(const char *xml, struct dtls_list *l, struct why *why)
{
	return dtls_parse(arena, tree(arena, xml), l, why);
}

static void test_parse(void **state)
{
	struct dtls_list l;

	(void)state;
	assert_int_equal(parse(T(
		F(NS_DTLS, "hash='SHA-1' setup='active'", "\n " SHA1 " \n")
		F(NS_OMEMO_DTLS, "hash='sha-256' setup='actpass'",
		  "<encrypted xmlns='urn:x'/>")
		F(NS_DTLS, "hash='sha3-256' setup='passive'", "0F")
		F("urn:x", "", "")), &l, NULL), 0);
	assert_int_equal(l.fingerprints, 3);
	assert_string_equal(l.fingerprint[0].hash, "sha-1");
	assert_int_equal(l.fingerprint[0].setup, DTLS_ACTIVE);
	assert_int_equal(l.fingerprint[0].len, 20);
	assert_int_equal(l.fingerprint[0].value[11], 0xbb);
	assert_int_equal(l.fingerprint[0].value[19], 0xff);
	assert_false(l.fingerprint[0].omemo);
	assert_true(l.fingerprint[1].omemo);
	assert_int_equal(l.fingerprint[1].len, 0);
	assert_int_equal(l.fingerprint[1].setup, DTLS_ACTPASS);
	assert_int_equal(l.fingerprint[2].value[0], 0x0f);
	assert_int_equal(parse(T(""), &l, NULL), 0);
	assert_int_equal(l.fingerprints, 0);
}

static void test_errors(void **state)
{
	static const char *const rows[] = {
		T(F(NS_DTLS, "setup='active'", SHA1)),
		T(F(NS_DTLS, "hash='' setup='active'", SHA1)),
		T(F(NS_DTLS, "hash='a-hash-of-a-long-name' setup='active'",
		    SHA1)),
		T(F(NS_DTLS, "hash='sha-1'", SHA1)),
		T(F(NS_DTLS, "hash='sha-1' setup='both'", SHA1)),
		T(F(NS_DTLS, "hash='sha-1' setup='active'", "")),
		T(F(NS_DTLS, "hash='sha-1' setup='active'", SHA1 ":")),
		T(F(NS_DTLS, "hash='sha-1' setup='active'", SHA1 ":00")),
		T(F(NS_DTLS, "hash='sha-1' setup='active'", SHA1 " x")),
		T(F(NS_DTLS, "hash='sha-256' setup='active'", SHA1)),
		T(F(NS_DTLS, "hash='x' setup='active'", "0")),
		T(F(NS_DTLS, "hash='x' setup='active'", "0g")),
		T(F(NS_DTLS, "hash='x' setup='active'", SHA1 ":" SHA1 ":" SHA1
		    ":01:02:03:04:05")),
		T(F(NS_OMEMO_DTLS, "hash='sha-256' setup='active'", SHA1)),
		T(F(NS_DTLS, "hash='sha-1' setup='active'", SHA1)
		  F(NS_DTLS, "hash='SHA-1' setup='active'", SHA1)),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dtls_list l;
		struct why why = { 0 };

		assert_int_equal(parse(rows[i], &l, &why), EBADMSG);
		assert_true(strlen(why.text) > 10);
	}
}

static void test_caps(void **state)
{
	struct xml_elem *e = tree(arena, T(""));
	struct dtls_list l;

	(void)state;
	for (int i = 0; i <= DTLS_FINGERPRINTS_MAX; i++)
		xml_append(e, tree(arena, arena_printf(arena, F(NS_DTLS,
			"hash='h%d' setup='active'", "00"), i)));
	assert_int_equal(dtls_parse(arena, e, &l, NULL), EOVERFLOW);
}

#define PLAIN(hash, value) F(NS_DTLS, "hash='" hash "' setup='active'", value)
#define EIGHT "A1:B2:C3:D4:E5:F6:07:18"
#define SHA256 EIGHT ":" EIGHT ":" EIGHT ":" EIGHT

static void test_strongest(void **state)
{
	struct dtls_list l;
	const struct dtls_fingerprint *f;

	(void)state;
	assert_int_equal(parse(T(PLAIN("x", "00") PLAIN("sha-1", SHA1)
				 PLAIN("sha-256", SHA256) PLAIN("y", "00")
				 F(NS_OMEMO_DTLS, "hash='sha-512' "
				   "setup='active'", "<e xmlns='urn:x'/>")),
			       &l, NULL), 0);
	f = dtls_strongest(&l);
	assert_string_equal(f->hash, "sha-256");
	assert_true(dtls_is_strong(f));
	assert_string_equal(dtls_text(arena, f->hash, f->value, f->len),
			    "sha-256 " SHA256);
	assert_int_equal(parse(T(PLAIN("x", "00") PLAIN("sha-1", SHA1)), &l,
			       NULL), 0);
	f = dtls_strongest(&l);
	assert_string_equal(f->hash, "sha-1");
	assert_false(dtls_is_strong(f));
	assert_int_equal(parse(T(F(NS_OMEMO_DTLS, "hash='sha-512' "
				   "setup='active'", "<e xmlns='urn:x'/>")),
			       &l, NULL), 0);
	assert_null(dtls_strongest(&l));
}

static void test_text(void **state)
{
	static const char *const bad[] = {
		"", "sha-256", " " SHA256, "sha-256 ", "sha-256 00",
		"sha-256 " SHA256 ":00", "sha-256 " SHA256 " x",
		"a-hash-of-16-chr 00", "x 0",
	};
	struct dtls_fingerprint f;
	size_t i;

	(void)state;
	assert_int_equal(dtls_text_parse("sha-256 " SHA256, &f), 0);
	assert_string_equal(f.hash, "sha-256");
	assert_int_equal(f.len, 32);
	assert_int_equal(f.value[0], 0xa1);
	assert_int_equal(f.value[31], 0x18);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(dtls_text_parse(bad[i], &f), EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_strongest),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
