/* test_srtp.c: SRTP: the RFCs' vectors, reference packets, whatever a packet
 * can look like, cut and changed ones (A15, A20), and the SSRCs there may be,
 * with each back end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "jingle/media/hmac.h"
#include "tests/unit/srtp_test.h"

/* Calls `f` for each profile and back end. */
static void with_each(void (*f)(enum srtp_profile profile,
				enum srtp_backend backend))
{
	unsigned i, backend;

	for (i = 0; i < PROFILES; i++) {
		for (backend = 0; backend < BACKENDS; backend++)
			f(profiles[i], (enum srtp_backend)backend);
	}
}

/* --- the RFCs' vectors -------------------------------------------------- */

static void check_derived(enum srtp_profile profile, const char *key_hex,
			  const char *salt_hex, const char *want_hex)
{
	struct buffer key = hex(key_hex), salt = hex(salt_hex);
	struct buffer want = hex(want_hex);
	struct srtp_session_keys keys;
	const struct srtp_form *f = srtp_form(profile);

	assert_int_equal(key.len, f->key);
	assert_int_equal(salt.len, f->salt);
	assert_int_equal(srtp_evp_derive(f, key.bytes, salt.bytes, &keys), 0);
	assert_memory_equal(keys.of[0].key, want.bytes, f->key);
	assert_memory_equal(keys.of[0].salt, want.bytes + f->key, f->salt);
	assert_memory_equal(keys.of[0].auth, want.bytes + f->key + f->salt,
			    20);
}

/* RFC 3711, B.3; RFC 6188, 7.2. */
static void vector_derivation(void **state)
{
	(void)state;
	check_derived(SRTP_PROFILE_CM128_80,
		      "E1F97A0D3E018BE0D64FA32C06DE4139",
		      "0EC675AD498AFEEBB6960B3AABE6",
		      "C61E7A93744F39EE10734AFE3FF7A087"
		      "30CBBC08863D8C85D49DB34A9AE1"
		      "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
	check_derived(SRTP_PROFILE_CM256_80,
		      "f0f04914b513f2763a1b1fa130f10e29"
		      "98f6f6e43e4309d1e622a0e332b9f1b6",
		      "3b04803de51ee7c96423ab5b78d2",
		      "5ba1064e30ec51613cad926c5a28ef73"
		      "1ec7fb397f70a960653caf06554cd8c4"
		      "fa31791685ca444a9e07c6c64e93"
		      "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
}

/* With session keys: libsrtp2 takes none. */
static struct srtp *with_session(enum srtp_profile profile, enum srtp_way way,
				 const char *key_hex, const char *salt_hex)
{
	struct srtp *s = keyed(profile, way, SRTP_EVP, 1);
	struct buffer key = hex(key_hex), salt = hex(salt_hex);
	struct srtp_session_keys keys = { 0 };
	int i;

	assert_int_equal(key.len, s->form->key);
	assert_int_equal(salt.len, s->form->salt);
	for (i = 0; i < 2; i++) {
		memcpy(keys.of[i].key, key.bytes, key.len);
		memcpy(keys.of[i].salt, salt.bytes, salt.len);
	}
	assert_int_equal(srtp_evp_set_keys(s, &keys), 0);
	return s;
}

/* SSRC, rollover counter and sequence number 0: what becomes of zeros. */
static void check_keystream(enum srtp_profile profile, const char *key,
			    const char *want_hex)
{
	struct srtp *s = with_session(profile, SRTP_SEALS, key,
				      "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
	struct buffer want = hex(want_hex), b = { .bytes = { 0x80 } };

	b.len = 12 + want.len;
	assert_int_equal(seal(s, false, &b), 0);
	assert_memory_equal(b.bytes + 12, want.bytes, want.len);
	srtp_free(s);
}

/* RFC 3711, B.2; RFC 6188, 7.1: the first three blocks. */
static void vector_keystream(void **state)
{
	(void)state;
	check_keystream(SRTP_PROFILE_CM128_80,
			"2B7E151628AED2A6ABF7158809CF4F3C",
			"E03EAD0935C95E80E166B16DD92B4EB4"
			"D23513162B02D0F72A43A2FE4A5F97AB"
			"41E95B3BB0A2E8DD477901E4FCA894C0");
	check_keystream(SRTP_PROFILE_CM256_80,
			"57f82fe3613fd170a85ec93c40b1f092"
			"2ec4cb0dc025b58272147cc438944a98",
			"92bdd28a93c3f52511c677d08b5515a4"
			"9da71b2378a854f67050756ded165bac"
			"63c4868b7096d88421b563b8c94c9a31");
}

#define QUID "517569642070726f2071756f"
#define KEY128 "000102030405060708090a0b0c0d0e0f"
#define KEY256 KEY128 "101112131415161718191a1b1c1d1e1f"
#define GALLIA_HEAD "8040f17b 8041f8d3 5501a0b2"
#define MARS_HEAD "81c8000d 4d617273"
static const char gallia[] = GALLIA_HEAD
	"47616c6c 69612065 7374206f 6d6e6973 20646976 69736120"
	"696e2070 61727465 73207472 6573";
static const char mars[] = MARS_HEAD
	"4e545031 4e545032 52545020 0000042a 0000e930 4c756e61"
	"deadbeef deadbeef deadbeef deadbeef deadbeef";

static void check_gcm(enum srtp_profile profile, const char *key,
		      bool is_rtcp, const char *want_hex)
{
	struct srtp *to = with_session(profile, SRTP_SEALS, key, QUID);
	struct srtp *from = with_session(profile, SRTP_OPENS, key, QUID);
	struct buffer plain = hex(is_rtcp ? mars : gallia);
	struct buffer want = hex(want_hex), b = plain;

	if (is_rtcp)
		known(to, 0x4d617273)->rtcp.top = 0x5d4;
	assert_int_equal(seal(to, is_rtcp, &b), 0);
	assert_int_equal(b.len, want.len);
	assert_memory_equal(b.bytes, want.bytes, want.len);
	assert_int_equal(unseal(from, is_rtcp, &b), 0);
	assert_true(same(&b, &plain));
	srtp_free(to);
	srtp_free(from);
}

/* RFC 7714, 16.1.1, 16.2.1, 17.1 and 17.2. */
static void vector_gcm(void **state)
{
	(void)state;
	check_gcm(SRTP_PROFILE_GCM128, KEY128, false, GALLIA_HEAD
		  "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f"
		  "42a5f47a 51c7d19b 36de3adf 8833"
		  "899d7f27 beb16a91 52cf765e e4390cce");
	check_gcm(SRTP_PROFILE_GCM256, KEY256, false, GALLIA_HEAD
		  "32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3"
		  "b50b2a02 76ffae0f 1ba63799 b87b"
		  "7aa3db36 dfffd6b0 f9bb7878 d7a76c13");
	check_gcm(SRTP_PROFILE_GCM128, KEY128, true, MARS_HEAD
		  "63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d"
		  "c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b"
		  "c84aa458 96cf4d2f c5abf872 45d9eade 800005d4");
	check_gcm(SRTP_PROFILE_GCM256, KEY256, true, MARS_HEAD
		  "d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50"
		  "a2eaa5c1 110555be 8415f658 c61de047 6f1b6fad"
		  "1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4");
}

/* RFC 7714, 17.3: authentic, but not encrypted. */
static void vector_unencrypted(void **state)
{
	struct srtp *s = with_session(SRTP_PROFILE_GCM128, SRTP_OPENS, KEY128,
				      QUID);
	struct buffer b = hex(MARS_HEAD
		"4e545031 4e545032 52545020 0000042a 0000e930 4c756e61"
		"deadbeef deadbeef deadbeef deadbeef deadbeef"
		"841dd968 3dd78ec9 2ae58790 125f62b3 000005d4");

	(void)state;
	assert_int_equal(unseal(s, true, &b), EACCES);
	srtp_free(s);
}

/* SRTCP with a right tag over a text that is not encrypted. */
static void plain_rtcp(enum srtp_profile profile, enum srtp_backend backend)
{
	const struct srtp_form *f = srtp_form(profile);
	static const unsigned char secret[SRTP_KEY_MAX] = { 1 };
	unsigned char digest[SHA1_SIZE];
	struct srtp_session_keys keys;
	struct buffer b = rtcp(1, 4);
	struct hmac_state h;
	struct srtp *s;

	if (f->gcm)
		return;
	assert_int_equal(srtp_evp_derive(f, secret, secret, &keys), 0);
	put32(b.bytes + b.len, 5);
	b.len += 4;
	hmac_start(&h, keys.of[1].auth, sizeof(keys.of[1].auth));
	hmac_add(&h, b.bytes, b.len);
	hmac_end(&h, digest);
	memcpy(b.bytes + b.len, digest, f->tag[1]);
	b.len += f->tag[1];
	assert_int_equal(srtp_new(profile, SRTP_OPENS, backend, secret, secret,
				  &s), 0);
	assert_int_equal(unseal(s, true, &b), EACCES);
	srtp_free(s);
}

static void test_unencrypted(void **state)
{
	(void)state;
	with_each(plain_rtcp);
}

/* --- reference packets, from master keys -------------------------------- */

#define REF_RTP "800f1234 decafbad cafebabe"
#define REF_RTCP "81c8000b cafebabe"
#define REF_TEXT "abababab abababab abababab abababab"
#define REF_GCM_SALT "a0a1a2a3a4a5a6a7a8a9aaab"

/* Those of libsrtp's own driver; its first SRTCP index is 1. */
static const struct {
	enum srtp_profile profile;
	const char *key, *salt, *plain, *sealed;
} references[] = {
	{ SRTP_PROFILE_CM128_80, "e1f97a0d3e018be0d64fa32c06de4139",
	  "0ec675ad498afeebb6960b3aabe6", REF_RTP REF_TEXT,
	  REF_RTP "4e55dc4c e79978d8 8ca4d215 949d2402"
	  "b78d6acc 99ea179b 8dbb" },
	{ SRTP_PROFILE_CM128_80, "e1f97a0d3e018be0d64fa32c06de4139",
	  "0ec675ad498afeebb6960b3aabe6", REF_RTCP REF_TEXT,
	  REF_RTCP "7128035b e487b9bd bef89041 f977a5a8"
	  "80000001 993e08cd 54d6c123 0798" },
	{ SRTP_PROFILE_GCM128, KEY128, REF_GCM_SALT, REF_RTP REF_TEXT,
	  REF_RTP "c5002ede 04cfdd2e b91159e0 880aa06e"
	  "d2976826 f796b201 df3131a1 27e8a392" },
	{ SRTP_PROFILE_GCM128, KEY128, REF_GCM_SALT, REF_RTCP REF_TEXT,
	  REF_RTCP "c98b8b5d f0392a55 852b6c21 ac8e7025"
	  "c52c6fbe a2b3b446 ea31123b a88ce61e 80000001" },
	{ SRTP_PROFILE_GCM256, KEY256, REF_GCM_SALT, REF_RTP REF_TEXT,
	  REF_RTP "0af7f21e 8a90bdad 7a425c9c 31ed4bb1"
	  "d9023891 7e7390a2 793500e1 681acaea" },
	{ SRTP_PROFILE_CM256_80,
	  "f0f04914b513f2763a1b1fa130f10e29"
	  "98f6f6e43e4309d1e622a0e332b9f1b6",
	  "3b04803de51ee7c96423ab5b78d2", REF_RTP REF_TEXT,
	  REF_RTP "f1d9de17 ff251ff1 aa007774 b0b4b40d"
	  "a08d9d9a 5b3a55d8 873b" },
};

static void check_reference(unsigned i, enum srtp_backend backend)
{
	struct buffer key = hex(references[i].key);
	struct buffer salt = hex(references[i].salt);
	struct buffer plain = hex(references[i].plain), b = plain;
	struct buffer sealed = hex(references[i].sealed);
	bool is_rtcp = plain.bytes[1] == 200;
	struct srtp *to, *from;

	assert_int_equal(srtp_new(references[i].profile, SRTP_SEALS, backend,
				  key.bytes, salt.bytes, &to), 0);
	assert_int_equal(srtp_new(references[i].profile, SRTP_OPENS, backend,
				  key.bytes, salt.bytes, &from), 0);
	if (is_rtcp && backend == SRTP_EVP) {
		assert_int_equal(seal(to, true, &b), 0);
		b = plain;
	}
	assert_int_equal(seal(to, is_rtcp, &b), 0);
	assert_int_equal(b.len, sealed.len);
	assert_memory_equal(b.bytes, sealed.bytes, b.len);
	assert_int_equal(unseal(from, is_rtcp, &b), 0);
	assert_true(same(&b, &plain));
	srtp_free(to);
	srtp_free(from);
}

static void reference_packets(void **state)
{
	unsigned i, backend;

	(void)state;
	for (i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
		for (backend = 0; backend < BACKENDS; backend++)
			check_reference(i, (enum srtp_backend)backend);
	}
}

/* --- the shapes of packets ---------------------------------------------- */

static const struct {
	unsigned shape;
	size_t payload;
} shapes[] = {
	{ 0, 160 }, { 0x03, 33 }, { 0x10, 100 }, { 0x1f, 1 }, { 0x20, 20 },
	{ 0x30, 1200 }, { 0, 0 }, { 0x12, 0 }, { 0x01, 16 },
};

/* Headers stay as they are, padding is payload. */
static void check_shapes(enum srtp_profile profile, enum srtp_backend backend)
{
	struct srtp *to = keyed(profile, SRTP_SEALS, backend, 1);
	struct srtp *from[BACKENDS];
	unsigned i, n;

	for (n = 0; n < BACKENDS; n++)
		from[n] = keyed(profile, SRTP_OPENS, (enum srtp_backend)n, 1);
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct buffer plain = rtp(shapes[i].shape, (uint16_t)i, 99,
					  shapes[i].payload);
		size_t head = plain.len - shapes[i].payload;
		struct buffer b = plain, copy;

		assert_int_equal(seal(to, false, &b), 0);
		assert_int_equal(b.len, plain.len +
				 srtp_form(profile)->tag[0]);
		assert_memory_equal(b.bytes, plain.bytes, head);
		if (shapes[i].payload > 8)
			assert_memory_not_equal(b.bytes + head,
						plain.bytes + head, 8);
		for (n = 0; n < BACKENDS; n++) {
			copy = b;
			assert_int_equal(unseal(from[n], false, &copy), 0);
			assert_true(same(&copy, &plain));
		}
	}
	for (n = 0; n < BACKENDS; n++)
		srtp_free(from[n]);
	srtp_free(to);
}

static void test_shapes(void **state)
{
	(void)state;
	with_each(check_shapes);
}

static void check_rtcp(enum srtp_profile profile, enum srtp_backend backend)
{
	struct srtp *to = keyed(profile, SRTP_SEALS, backend, 1);
	struct srtp *from[BACKENDS];
	unsigned i, n;

	for (n = 0; n < BACKENDS; n++)
		from[n] = keyed(profile, SRTP_OPENS, (enum srtp_backend)n, 1);
	for (i = 0; i < 20; i++) {
		struct buffer plain = rtcp(99, i), b = plain, copy;

		assert_int_equal(seal(to, true, &b), 0);
		assert_int_equal(b.len, plain.len + 4 +
				 srtp_form(profile)->tag[1]);
		assert_memory_equal(b.bytes, plain.bytes, 8);
		for (n = 0; n < BACKENDS; n++) {
			copy = b;
			assert_int_equal(unseal(from[n], true, &copy), 0);
			assert_true(same(&copy, &plain));
			assert_int_equal(tried(from[n], true, &b), EALREADY);
		}
	}
	for (n = 0; n < BACKENDS; n++)
		srtp_free(from[n]);
	srtp_free(to);
}

static void test_rtcp(void **state)
{
	(void)state;
	with_each(check_rtcp);
}

/* --- what is no packet, or not authentic -------------------------------- */

/* In memory of exactly its size, so that a sanitizer sees who reads on. */
static int open_exactly(struct srtp *s, bool is_rtcp, const struct buffer *b,
			size_t len)
{
	unsigned char *exact = malloc(len ? len : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, b->bytes, len);
	rc = is_rtcp ? srtp_open_rtcp(s, exact, &len) :
	     srtp_open_rtp(s, exact, &len);
	free(exact);
	return rc;
}

static void check_cut(enum srtp_profile profile, enum srtp_backend backend)
{
	int is_rtcp;

	for (is_rtcp = 0; is_rtcp < 2; is_rtcp++) {
		struct srtp *to = keyed(profile, SRTP_SEALS, backend, 1);
		struct srtp *from = keyed(profile, SRTP_OPENS, backend, 1);
		struct buffer b = is_rtcp ? rtcp(5, 3) : rtp(0x12, 7, 5, 40);
		size_t least = (is_rtcp ? 12 : 32) +
			       srtp_form(profile)->tag[is_rtcp], len;

		assert_int_equal(seal(to, is_rtcp, &b), 0);
		for (len = 0; len < b.len; len++) {
			int rc = open_exactly(from, is_rtcp, &b, len);

			if (len < least)
				assert_int_equal(rc, EBADMSG);
			else
				assert_int_equal(rc, EACCES);
		}
		assert_int_equal(open_exactly(from, is_rtcp, &b, len), 0);
		srtp_free(to);
		srtp_free(from);
	}
}

/* A packet cut off anywhere. */
static void test_cut(void **state)
{
	(void)state;
	with_each(check_cut);
}

/* The first is opened: its SSRC is known. Then one whose number is no single
 * bit away from that of the first. */
static void check_changed(enum srtp_profile profile,
			  enum srtp_backend backend)
{
	int is_rtcp, i;

	for (is_rtcp = 0; is_rtcp < 2; is_rtcp++) {
		struct srtp *to = keyed(profile, SRTP_SEALS, backend, 1);
		struct srtp *from = keyed(profile, SRTP_OPENS, backend, 1);
		struct buffer b;
		size_t bit;

		for (i = 0; i < 4; i++) {
			b = is_rtcp ? rtcp(5, 3) :
			    rtp(0x12, (uint16_t)(2 + 2 * i), 5, 40);
			assert_int_equal(seal(to, is_rtcp, &b), 0);
			if (!i)
				assert_int_equal(tried(from, is_rtcp, &b), 0);
		}
		for (bit = 0; bit < 8 * b.len; bit++) {
			struct buffer bad = b;
			int rc;

			bad.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
			rc = unseal(from, is_rtcp, &bad);
			assert_true(rc == EACCES || rc == EBADMSG);
			assert_int_equal(bad.len, b.len);
		}
		assert_int_equal(from->streams.n, 1);
		assert_int_equal(tried(from, is_rtcp, &b), 0);
		srtp_free(to);
		srtp_free(from);
	}
}

/* Each bit of a packet is authenticated; failing ones leave no trace. */
static void test_changed(void **state)
{
	(void)state;
	with_each(check_changed);
}

static void check_foreign(enum srtp_profile profile,
			  enum srtp_backend backend)
{
	int is_rtcp;

	for (is_rtcp = 0; is_rtcp < 2; is_rtcp++) {
		struct srtp *other = keyed(profile, SRTP_SEALS, backend, 2);
		struct srtp *from = keyed(profile, SRTP_OPENS, backend, 1);
		struct buffer b = is_rtcp ? rtcp(5, 9) : rtp(0, 7, 5, 40);

		b.bytes[b.len - 11] |= 0x80;
		assert_int_equal(tried(from, is_rtcp, &b), EACCES);
		assert_int_equal(seal(other, is_rtcp, &b), 0);
		assert_int_equal(tried(from, is_rtcp, &b), EACCES);
		srtp_free(other);
		srtp_free(from);
	}
}

/* A15: plain packets, and those with a right tag of another leg. */
static void test_foreign(void **state)
{
	(void)state;
	with_each(check_foreign);
}

static void check_refused(enum srtp_profile profile,
			  enum srtp_backend backend)
{
	struct srtp *s = keyed(profile, SRTP_SEALS, backend, 1);
	size_t tag = srtp_form(profile)->tag[0], len;
	struct buffer b = rtp(0x10, 1, 1, 20), bad = b;

	bad.bytes[0] = 0x50;
	assert_int_equal(seal(s, false, &bad), EBADMSG);
	assert_int_equal(seal(s, true, &bad), EBADMSG);
	bad = b;
	bad.bytes[14] = 1;         /* the extension's length */
	assert_int_equal(seal(s, false, &bad), EBADMSG);
	bad = rtcp(1, 0);
	bad.len--;
	assert_int_equal(seal(s, true, &bad), EBADMSG);
	bad.len = 0;
	assert_int_equal(seal(s, false, &bad), EBADMSG);
	len = b.len;
	assert_int_equal(srtp_seal_rtp(s, b.bytes, &len, b.len + tag - 1),
			 ENOSPC);
	assert_int_equal(len, b.len);
	assert_int_equal(srtp_seal_rtp(s, b.bytes, &len, b.len + tag), 0);
	srtp_free(s);
}

static void test_refused(void **state)
{
	unsigned char big[SRTP_PACKET_MAX + 64] = { 0x80 };
	struct srtp *s = keyed(SRTP_PROFILE_GCM128, SRTP_SEALS, SRTP_EVP, 1);
	size_t len = SRTP_PACKET_MAX - 15;

	(void)state;
	with_each(check_refused);
	assert_int_equal(srtp_seal_rtp(s, big, &len, sizeof(big)), EBADMSG);
	len--;
	assert_int_equal(srtp_seal_rtp(s, big, &len, sizeof(big)), 0);
	assert_int_equal(len, SRTP_PACKET_MAX);
	srtp_free(s);
	assert_int_equal(srtp_new((enum srtp_profile)5, SRTP_SEALS, SRTP_EVP,
				  big, big, &s), EPROTO);
	assert_null(s);
	assert_int_equal(srtp_key_size(5), 0);
	assert_int_equal(srtp_key_size(8), 32);
	assert_int_equal(srtp_salt_size(7), 12);
	assert_int_equal(srtp_salt_size(0), 0);
}

/* --- the SSRCs ---------------------------------------------------------- */

static void check_senders(enum srtp_profile profile,
			  enum srtp_backend backend)
{
	struct srtp *s = keyed(profile, SRTP_SEALS, backend, 1);
	uint32_t ssrc;
	struct buffer b;

	for (ssrc = 0; ssrc < SRTP_SSRC_MAX; ssrc++) {
		b = rtp(0, 1, ssrc, 20);
		assert_int_equal(seal(s, false, &b), 0);
	}
	b = rtp(0, 1, ssrc, 20);
	assert_int_equal(seal(s, false, &b), EOVERFLOW);
	b = rtcp(ssrc, 2);
	assert_int_equal(seal(s, true, &b), EOVERFLOW);
	b = rtcp(0, 2);
	assert_int_equal(seal(s, true, &b), 0);
	srtp_free(s);
}

/* What is not authentic takes no place, and what came first comes never again,
 * however many there were since. */
static void check_receivers(enum srtp_profile profile,
			    enum srtp_backend backend)
{
	struct srtp *to = keyed(profile, SRTP_SEALS, backend, 1), *more;
	struct srtp *from = keyed(profile, SRTP_OPENS, backend, 1);
	struct buffer first, b, bad;
	uint32_t ssrc;

	more = keyed(profile, SRTP_SEALS, backend, 1);
	for (ssrc = 0; ssrc < SRTP_SSRC_MAX; ssrc++) {
		b = rtp(0, 1, ssrc, 20);
		assert_int_equal(seal(to, false, &b), 0);
		if (!ssrc)
			first = b;
		bad = b;
		bad.bytes[20] ^= 1;
		assert_int_equal(unseal(from, false, &bad), EACCES);
		assert_int_equal(from->streams.n, ssrc);
		assert_int_equal(tried(from, false, &b), 0);
		assert_int_equal(tried(from, false, &b), EALREADY);
		assert_int_equal(tried(from, false, &first), EALREADY);
	}
	b = rtp(0, 1, ssrc, 20);
	assert_int_equal(seal(more, false, &b), 0);
	assert_int_equal(tried(from, false, &b), EOVERFLOW);
	assert_int_equal(tried(from, false, &first), EALREADY);
	b = rtcp(0, 1);
	assert_int_equal(seal(to, true, &b), 0);
	assert_int_equal(tried(from, true, &b), 0);
	srtp_free(to);
	srtp_free(more);
	srtp_free(from);
}

static void test_ssrcs(void **state)
{
	(void)state;
	with_each(check_senders);
	with_each(check_receivers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_derivation),
		cmocka_unit_test(vector_keystream),
		cmocka_unit_test(vector_gcm),
		cmocka_unit_test(vector_unencrypted),
		cmocka_unit_test(test_unencrypted),
		cmocka_unit_test(reference_packets),
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_rtcp),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ssrcs),
	};

	srtp_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
