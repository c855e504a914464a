/* test_stun.c: STUN messages: RFC 5769's vectors, malformed ones (A22), what
 * integrity protects, what is written, and what a datagram is at all.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "jingle/media/demux.h"
#include "tests/unit/stun_test.h"

#define PASSWORD "VOkJxbRl1RmTxUk/WvJxBt"
#define SOFTWARE "8022 000b 74657374 20766563 746f7220"
#define MAPPED_V4 "0020 0008 0001a147 e112a643"

/* RFC 5769, 2.1 to 2.3. */
static const char request_hex[] = "0001 0058" TEST_COOKIE TEST_ID
	"8022 0010 5354554e 20746573 7420636c 69656e74"
	"0024 0004 6e0001ff"
	"8029 0008 932ff9b1 51263b36"
	"0006 0009 6576746a 3a683676 59202020"
	"0008 0014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2"
	"8028 0004 e57a3bcf";
static const char response_v4_hex[] = "0101 003c" TEST_COOKIE TEST_ID
	SOFTWARE MAPPED_V4
	"0008 0014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7"
	"8028 0004 c07d4c96";
static const char response_v6_hex[] = "0101 0048" TEST_COOKIE TEST_ID
	SOFTWARE
	"0020 0014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"
	"0008 0014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41"
	"8028 0004 c8fb0b4c";
/* 2.4: long-term credentials; the key is MD5 of user, realm and password. */
static const char long_term_hex[] = "0001 0060" TEST_COOKIE
	"78ad3433c6ad72c029da412e"
	"0006 0012 e3839ee3 8388e383 aae38383 e382afe3 82b90000"
	"0015 001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946"
	"         53547679 36347341"
	"0014 000b 6578616d 706c652e 6f726700"
	"0008 0014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";
static const char long_term_key[] = "e8ca7ad59d5eb0518e312911d2dab2a9";

static bool signed_with(const struct stun_msg *m, const char *key)
{
	return stun_authentic(m, key, strlen(key));
}

static void vector_request(void **state)
{
	struct packet p = packet_hex(request_hex);
	struct stun_msg m;

	(void)state;
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_int_equal(m.class, STUN_REQUEST);
	assert_memory_equal(m.id, p.bytes + 8, STUN_ID_SIZE);
	assert_int_equal(m.username_len, 9);
	assert_memory_equal(m.username, "evtj:h6vY", 9);
	assert_true(m.has_priority && m.priority == 0x6e0001ff);
	assert_int_equal(m.role, STUN_CONTROLLED);
	assert_true(m.tie_breaker == 0x932ff9b151263b36u);
	assert_false(m.use_candidate || m.two_roles);
	assert_true(m.fingerprint);
	assert_int_equal(m.unknown_n, 0);
	assert_true(signed_with(&m, PASSWORD));
	packet_free(&p);
}

static void check_response(const char *hex, const char *ip)
{
	struct packet p = packet_hex(hex);
	struct stun_msg m;
	struct addr a;

	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_int_equal(m.class, STUN_SUCCESS);
	assert_int_equal(addr_parse(ip, 32853, &a), 0);
	assert_true(addr_equal(&m.mapped, &a));
	assert_true(m.fingerprint && signed_with(&m, PASSWORD));
	packet_free(&p);
}

static void vector_responses(void **state)
{
	(void)state;
	check_response(response_v4_hex, "192.0.2.1");
	check_response(response_v6_hex,
		       "2001:db8:1234:5678:11:2233:4455:6677");
}

static void vector_long_term(void **state)
{
	struct packet p = packet_hex(long_term_hex);
	struct packet key = packet_hex(long_term_key);
	struct stun_msg m;

	(void)state;
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_int_equal(m.username_len, 18);
	assert_int_equal(m.unknown_n, 0);
	assert_false(m.fingerprint);
	assert_true(stun_authentic(&m, key.bytes, key.len));
	assert_false(signed_with(&m, PASSWORD));
	packet_free(&p);
	packet_free(&key);
}

/* --- malformed: dropped ----------------------------------------------- */

#define FF16 "ffffffff ffffffff ffffffff ffffffff"
#define FF64 FF16 FF16 FF16 FF16

static const struct {
	const char *what, *type, *attrs;
	int rc;
} made[] = {
	{ "no attribute", "0001", "", 0 },
	{ "an indication", "0011", "", 0 },
	{ "an answer", "0101", "", 0 },
	{ "an error", "0111", "0009 0004 00000457", 0 },
	{ "another method", "0003", "", EBADMSG },
	{ "channel data, not STUN", "4001", "", EBADMSG },
	{ "the first bits are set", "8001", "", EBADMSG },
	{ "length beyond the end", "0001", "8022 0005 00000000", EBADMSG },
	{ "length ffff", "0001", "8022 ffff 00000000", EBADMSG },
	{ "length fffd", "0001", "8022 fffd 00000000", EBADMSG },
	{ "half an attribute header", "0001", "8022", EBADMSG },
	{ "any padding", "0001", "8022 0001 61ffffff", 0 },
	{ "an empty value last", "0001", "8022 0000", 0 },
	{ "no user name", "0001", "0006 0000", 0 },
	{ "a long user name", "0001", "0006 0200" FF64 FF64 FF64 FF64 FF64
	  FF64 FF64 FF64, 0 },
	{ "a longer one", "0001", "0006 0201" FF64 FF64 FF64 FF64 FF64 FF64
	  FF64 FF64 "ff000000", EOVERFLOW },
	{ "a short priority", "0001", "0024 0003 ffffff00", EBADMSG },
	{ "a long priority", "0001", "0024 0008 ffffffff ffffffff", EBADMSG },
	{ "USE-CANDIDATE with a value", "0001", "0025 0001 01000000",
	  EBADMSG },
	{ "a short tie-breaker", "0001", "802a 0004 00000000", EBADMSG },
	{ "a long tie-breaker", "0001", "8029 000c" FF16, EBADMSG },
	{ "an address of no family", "0101", "0020 0008 0003a147 e112a643",
	  EBADMSG },
	{ "an IPv4 address too long", "0101", "0020 0014 0001a147" FF16,
	  EBADMSG },
	{ "an IPv6 address too short", "0101", "0020 0008 0002a147 e112a643",
	  EBADMSG },
	{ "an address of two bytes", "0101", "0020 0002 00010000", EBADMSG },
	{ "a short error code", "0111", "0009 0002 00040000", EBADMSG },
	{ "error 299", "0111", "0009 0004 00000263", EBADMSG },
	{ "error 700", "0111", "0009 0004 00000700", EBADMSG },
	{ "error 4100", "0111", "0009 0004 00000464", EBADMSG },
	{ "half an unknown attribute", "0111", "000a 0003 00010000",
	  EBADMSG },
	{ "short integrity", "0001", "0008 0010" FF16, EBADMSG },
	{ "long integrity", "0001", "0008 0018" FF16 "ffffffff ffffffff",
	  EBADMSG },
	{ "a wrong fingerprint", "0001", "8028 0004 00000000", EBADMSG },
	{ "a right one that is not the last", "0001",
	  "8028 0004 8efe89cd 8022 0000", EBADMSG },
	{ "a short fingerprint", "0001", "8028 0002 00000000", EBADMSG },
	{ "an address that is of no use here", "0101",
	  "0001 0008 00018055 c0000201", 0 },
};

static void malformed(void **state)
{
	struct stun_msg m;
	struct packet p;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		p = packet_made(made[i].type, made[i].attrs);
		rc = stun_read(p.bytes, p.len, &m);
		if (rc != made[i].rc)
			fail_msg("%s: %d", made[i].what, rc);
		packet_free(&p);
	}
}

/* The header's own fields, and a message cut anywhere. */
static void malformed_header(void **state)
{
	struct packet whole = packet_hex(request_hex), p;
	struct stun_msg m;
	size_t i;

	(void)state;
	for (i = 0; i < whole.len; i++) {
		p = packet_copy(whole.bytes, i);
		assert_int_equal(stun_read(p.bytes, p.len, &m), EBADMSG);
		if (i >= STUN_HEADER_SIZE && i % 4 == 0) {
			/* Cut between attributes it is another message. */
			set_length(&p, i);
			if (!stun_read(p.bytes, p.len, &m))
				assert_true(m.integrity_at == 0 ||
					    i == whole.len - 8);
		}
		packet_free(&p);
	}
	for (i = 4; i < 8; i++) {          /* the cookie */
		whole.bytes[i] ^= 1;
		assert_int_equal(stun_read(whole.bytes, whole.len, &m),
				 EBADMSG);
		whole.bytes[i] ^= 1;
	}
	packet_free(&whole);
}

static void too_long(void **state)
{
	unsigned char zeros[STUN_READ_MAX] = { 0 };
	struct packet p = packet_made("0001", "");
	struct stun_msg m;

	(void)state;
	zeros[0] = 0x80;                   /* what may be ignored */
	zeros[2] = (STUN_READ_MAX - 24) >> 8;
	zeros[3] = (STUN_READ_MAX - 24) & 0xff;
	packet_add(&p, zeros, STUN_READ_MAX - STUN_HEADER_SIZE);
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	packet_add(&p, "\x80\x22\x00", 4);
	assert_int_equal(stun_read(p.bytes, p.len, &m), EOVERFLOW);
	packet_free(&p);
}

static void many_attributes(void **state)
{
	static const unsigned char empty[] = { 0x80, 0x77, 0, 0 };
	struct packet p = packet_made("0001", "");
	struct stun_msg m;
	int i;

	(void)state;
	for (i = 0; i < 200; i++)
		packet_add(&p, empty, sizeof(empty));
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_int_equal(m.unknown_n, 0);
	packet_free(&p);
}

/* --- what counts ------------------------------------------------------ */

static void first_counts(void **state)
{
	struct packet p = packet_made("0001", "0006 0001 61000000"
		"0006 0001 62000000" "0024 0004 00000001" "0024 0004 00000002"
		"8029 0008 0000000000000003" "8029 0008 0000000000000004"
		"0009 0004 00000457" "0009 0004 00000414" MAPPED_V4
		"0020 0008 0001ffff ffffffff");
	struct stun_msg m;

	(void)state;
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_memory_equal(m.username, "a", 1);
	assert_int_equal(m.priority, 1);
	assert_int_equal(m.tie_breaker, 3);
	assert_int_equal(m.error, STUN_ROLE_CONFLICT);
	assert_int_equal(m.mapped.port, 32853);
	assert_false(m.two_roles);
	packet_free(&p);
	p = packet_made("0001", "8029 0008 0000000000000003"
			"802a 0008 0000000000000004");
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_true(m.two_roles && m.role == STUN_CONTROLLED);
	packet_free(&p);
}

static void unknown_attributes(void **state)
{
	struct packet p = packet_made("0001", "8000 0000 7fff 0000 c057 0004"
		"00000000 0003 0000 0004 0000 0005 0000 0010 0000 0011 0000"
		"0012 0000 0013 0000 0016 0000");
	static const uint16_t first[STUN_UNKNOWN_MAX] = {
		0x7fff, 3, 4, 5, 0x10, 0x11, 0x12, 0x13,
	};
	struct stun_msg m;

	(void)state;
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_int_equal(m.unknown_n, STUN_UNKNOWN_MAX);
	assert_memory_equal(m.unknown, first, sizeof(first));
	packet_free(&p);
}

static void integrity(void **state)
{
	struct packet p = packet_made("0001", "0006 0001 61000000");
	struct stun_msg m;

	(void)state;
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_false(signed_with(&m, PASSWORD));
	packet_sign(&p, PASSWORD);
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_true(signed_with(&m, PASSWORD));
	assert_false(signed_with(&m, "another password"));
	assert_false(signed_with(&m, ""));
	assert_false(stun_authentic(&m, PASSWORD, strlen(PASSWORD) - 1));
	packet_free(&p);
}

/* Nothing that stands after MESSAGE-INTEGRITY is believed. */
static void after_integrity(void **state)
{
	static const unsigned char more[] = {
		0, 0x25, 0, 0,                     /* USE-CANDIDATE */
		0, 0x24, 0, 4, 0xff, 0, 0, 0,      /* PRIORITY */
		0x7f, 0xff, 0, 0,                  /* unknown */
		0, 0x24, 0, 3, 0, 0, 0, 0,         /* malformed */
		0, 8, 0, 4, 0, 0, 0, 0             /* integrity again */
	};
	struct packet p = packet_made("0001", "");
	struct stun_msg m;

	(void)state;
	packet_sign(&p, PASSWORD);
	packet_add(&p, more, sizeof(more));
	assert_int_equal(stun_read(p.bytes, p.len, &m), 0);
	assert_true(signed_with(&m, PASSWORD));
	assert_false(m.use_candidate || m.has_priority);
	assert_int_equal(m.unknown_n, 0);
	packet_free(&p);
}

/* Each bit of a message is protected: by the fingerprint, and where that is
 * hidden or not there by the integrity. */
static void flipped_bits(void **state)
{
	struct packet whole = packet_hex(request_hex), p;
	size_t bit, bare = whole.len - 8;
	struct stun_msg m;

	(void)state;
	for (bit = 0; bit < whole.len * 8; bit++) {
		p = packet_copy(whole.bytes, whole.len);
		p.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (!stun_read(p.bytes, p.len, &m) && (m.fingerprint ||
		    (bit < bare * 8 && signed_with(&m, PASSWORD))))
			fail_msg("bit %zu", bit);
		packet_free(&p);
	}
	for (bit = 0; bit < bare * 8; bit++) {
		p = packet_copy(whole.bytes, bare);
		set_length(&p, bare);
		p.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (!stun_read(p.bytes, p.len, &m) &&
		    signed_with(&m, PASSWORD))
			fail_msg("bit %zu", bit);
		packet_free(&p);
	}
	packet_free(&whole);
}

/* --- writing ---------------------------------------------------------- */

static const struct stun_msg written = {
	.class = STUN_REQUEST, .id = "0123456789a", .priority = 0x6e0001ff,
	.username = (const unsigned char *)"evtj:h6vY", .username_len = 9,
	.has_priority = true, .use_candidate = true, .role = STUN_CONTROLLING,
	.tie_breaker = 0x0102030405060708,
};

/* What is in the buffer before does not get out (A23). */
static void writes_its_own_bytes(void **state)
{
	struct stun_msg answer = {
		.class = STUN_ERROR, .id = "0123456789a",
		.error = STUN_UNKNOWN, .refused_n = 1, .refused = { 0x7fff },
	};
	struct packet want = packet_hex("0111 0030" TEST_COOKIE
		"303132333435363738396100 0009 0004 00000414"
		"000a 0002 7fff0000"
		"0008 0014 6c012b63 e8293c78 54eba6ce cadcc9d5 14b90137"
		"8028 0004 e90ea2ae");
	unsigned char one[STUN_WRITE_MAX], two[STUN_WRITE_MAX];
	size_t len = 0, len2 = 0;

	(void)state;
	memset(one, 0xaa, sizeof(one));
	memset(two, 0x55, sizeof(two));
	assert_int_equal(stun_write(&answer, "k", 1, one, sizeof(one), &len),
			 0);
	assert_int_equal(stun_write(&answer, "k", 1, two, sizeof(two), &len2),
			 0);
	assert_int_equal(len, want.len);
	assert_int_equal(len2, len);
	assert_memory_equal(one, two, len);
	assert_memory_equal(one, want.bytes, len);
	assert_int_equal(one[len], 0xaa);
	packet_free(&want);
}

static void same(const struct stun_msg *a, const struct stun_msg *b)
{
	assert_int_equal(a->class, b->class);
	assert_memory_equal(a->id, b->id, STUN_ID_SIZE);
	assert_int_equal(a->username_len, b->username_len);
	if (a->username_len)
		assert_memory_equal(a->username, b->username,
				    a->username_len);
	assert_int_equal(a->has_priority, b->has_priority);
	assert_int_equal(a->priority, b->priority);
	assert_int_equal(a->use_candidate, b->use_candidate);
	assert_int_equal(a->role, b->role);
	assert_true(a->tie_breaker == b->tie_breaker);
	assert_true(addr_equal(&a->mapped, &b->mapped));
	assert_int_equal(a->error, b->error);
	assert_int_equal(a->refused_n, b->refused_n);
	assert_memory_equal(a->refused, b->refused, sizeof(a->refused));
}

static void write_and_read(const struct stun_msg *m, size_t want)
{
	unsigned char buf[STUN_WRITE_MAX];
	struct stun_msg again;
	struct packet p;
	size_t len = 0, size;

	assert_int_equal(stun_write(m, PASSWORD, strlen(PASSWORD), buf,
				    sizeof(buf), &len), 0);
	assert_int_equal(len, want);
	p = packet_copy(buf, len);
	assert_int_equal(stun_read(p.bytes, p.len, &again), 0);
	same(m, &again);
	assert_true(again.fingerprint && signed_with(&again, PASSWORD));
	for (size = 0; size < len; size++) {
		struct packet small = packet_copy(buf, size);

		assert_int_equal(stun_write(m, PASSWORD, strlen(PASSWORD),
					    small.bytes, size, &len), ENOSPC);
		packet_free(&small);
	}
	packet_free(&p);
}

static void written_is_read(void **state)
{
	struct stun_msg m = { .class = STUN_SUCCESS };
	unsigned char name[STUN_USERNAME_MAX];

	(void)state;
	write_and_read(&written, 20 + 16 + 8 + 4 + 12 + 24 + 8);
	addr_parse("192.0.2.1", 32853, &m.mapped);
	write_and_read(&m, 64);
	addr_parse("2001:db8::1", 65535, &m.mapped);
	write_and_read(&m, 76);
	m = (struct stun_msg){ .class = STUN_ERROR,
			       .error = STUN_ROLE_CONFLICT };
	write_and_read(&m, 60);
	m = (struct stun_msg){ .class = STUN_INDICATION };
	write_and_read(&m, 52);
	memset(name, 'n', sizeof(name));
	m = written;
	m.username = name;
	m.username_len = sizeof(name);
	m.error = 699;
	m.refused_n = STUN_UNKNOWN_MAX;
	addr_parse("2001:db8::1", 65535, &m.mapped);
	write_and_read(&m, 20 + 516 + 8 + 4 + 12 + 24 + 8 + 20 + 24 + 8);
}

static void without_integrity(void **state)
{
	unsigned char buf[STUN_WRITE_MAX];
	struct stun_msg m;
	size_t len = 0;

	(void)state;
	assert_int_equal(stun_write(&written, NULL, 0, buf, sizeof(buf),
				    &len), 0);
	assert_int_equal(stun_read(buf, len, &m), 0);
	assert_int_equal(m.integrity_at, 0);
	assert_false(signed_with(&m, ""));
}

/* --- beside it -------------------------------------------------------- */

/* RFC 2202, 3: cases 1, 2, 3, 6 and 7. */
static void hmac_vectors(void **state)
{
	static const struct {
		int key_byte, key_len, data_byte;
		const char *text, *digest;
	} cases[] = {
		{ 0x0b, 20, 0, "Hi There",
		  "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ 'J', 0, 0, "what do ya want for nothing?",
		  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ 0xaa, 20, 0xdd, NULL,
		  "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
		{ 0xaa, 80, 0, "Test Using Larger Than Block-Size Key - Hash "
		  "Key First", "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
		{ 0xaa, 80, 0, "Test Using Larger Than Block-Size Key and "
		  "Larger Than One Block-Size Data",
		  "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
	};
	unsigned char key[80], data[50], digest[SHA1_SIZE];
	struct hmac_state s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct packet want = packet_hex(cases[i].digest);

		memset(key, cases[i].key_byte, sizeof(key));
		memset(data, cases[i].data_byte, sizeof(data));
		if (cases[i].key_len)
			hmac_start(&s, key, (size_t)cases[i].key_len);
		else
			hmac_start(&s, "Jefe", 4);
		if (cases[i].text)
			hmac_add(&s, cases[i].text, strlen(cases[i].text));
		else
			hmac_add(&s, data, sizeof(data));
		hmac_end(&s, digest);
		assert_memory_equal(digest, want.bytes, SHA1_SIZE);
		assert_true(hmac_same(digest, want.bytes));
		digest[SHA1_SIZE - 1] ^= 0x80;
		assert_false(hmac_same(digest, want.bytes));
		packet_free(&want);
	}
}

/* RFC 7983, 7: the borders. */
static void demultiplexed(void **state)
{
	static const struct {
		unsigned char first, last;
		enum demux kind;
	} ranges[] = {
		{ 0, 3, DEMUX_STUN }, { 4, 19, DEMUX_OTHER },
		{ 20, 63, DEMUX_DTLS }, { 64, 127, DEMUX_OTHER },
		{ 128, 191, DEMUX_RTP }, { 192, 255, DEMUX_OTHER },
	};
	size_t i;
	int b;

	(void)state;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		for (b = ranges[i].first; b <= ranges[i].last; b++) {
			unsigned char byte = (unsigned char)b;

			assert_int_equal(demux_kind(&byte, 1),
					 ranges[i].kind);
		}
	assert_int_equal(demux_kind("", 0), DEMUX_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_request),
		cmocka_unit_test(vector_responses),
		cmocka_unit_test(vector_long_term),
		cmocka_unit_test(malformed),
		cmocka_unit_test(malformed_header),
		cmocka_unit_test(too_long),
		cmocka_unit_test(many_attributes),
		cmocka_unit_test(first_counts),
		cmocka_unit_test(unknown_attributes),
		cmocka_unit_test(integrity),
		cmocka_unit_test(after_integrity),
		cmocka_unit_test(flipped_bits),
		cmocka_unit_test(writes_its_own_bytes),
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(without_integrity),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(demultiplexed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
