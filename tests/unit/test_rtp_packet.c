/* test_rtp_packet.c: RTP packets read and changed in place: the fields, the
 * elements of both forms of header extension, every length cut short (A26).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "jingle/media/rtp_packet.h"
#include "tests/unit/stun_test.h"

/* Two CSRCs, an extension of two words, three bytes of payload, padding. */
#define WHOLE "b2 e0 1234 89abcdef 01020304 11111111 22222222" \
	      "bede 0002 10aa 21bbcc 000000 a1a2a3 0000000005"

static void reads_the_fields(void **state)
{
	struct packet b = packet_hex(WHOLE);
	struct rtp_packet p;

	(void)state;
	assert_int_equal(rtp_packet_read(b.bytes, b.len, &p), 0);
	assert_int_equal(p.type, 0x60);
	assert_int_equal(p.seq, 0x1234);
	assert_int_equal(p.timestamp, 0x89abcdef);
	assert_int_equal(p.ssrc, 0x01020304);
	assert_int_equal(p.ext_at, 24);
	assert_int_equal(p.ext_len, 8);
	assert_int_equal(p.payload_at, 32);
	assert_int_equal(p.payload_len, 3);
	packet_free(&b);
}

static void changes_the_fields_alone(void **state)
{
	struct packet b = packet_hex(WHOLE);
	struct packet want = packet_hex(
		"b2 ef fffe 00000001 fffffffe 11111111 22222222"
		"bede 0002 10aa 21bbcc 000000 a1a2a3 0000000005");
	struct rtp_packet p;

	(void)state;
	assert_int_equal(rtp_packet_read(b.bytes, b.len, &p), 0);
	rtp_packet_set_type(&p, 0x6f);
	rtp_packet_set_seq(&p, 0xfffe);
	rtp_packet_set_timestamp(&p, 1);
	rtp_packet_set_ssrc(&p, 0xfffffffe);
	assert_memory_equal(b.bytes, want.bytes, want.len);
	assert_true(p.type == 0x6f && p.seq == 0xfffe && p.timestamp == 1 &&
		    p.ssrc == 0xfffffffe);
	packet_free(&b);
	packet_free(&want);
}

/* Cut anywhere it is no packet, or a shorter one whose last byte happens to
 * be a right length of padding; nothing is read beyond the end. */
static void every_length(void **state)
{
	struct packet whole = packet_hex(WHOLE), b;
	struct rtp_packet p;
	size_t len;
	int rc;

	(void)state;
	for (len = 0; len < whole.len; len++) {
		b = packet_copy(whole.bytes, len);
		rc = rtp_packet_read(b.bytes, len, &p);
		assert_int_equal(rc, EBADMSG);
		packet_free(&b);
	}
	packet_free(&whole);
}

static const struct {
	const char *what, *hex;
	int rc;
} made[] = {
	{ "empty", "", EBADMSG },
	{ "the least", "8000 0000 00000000 00000000", 0 },
	{ "version 0", "0000 0000 00000000 00000000", EBADMSG },
	{ "version 1", "4000 0000 00000000 00000000", EBADMSG },
	{ "version 3", "c000 0000 00000000 00000000", EBADMSG },
	{ "15 CSRCs, one of them missing", "8f00 0000 00000000 00000000"
	  "00000000 00000000 00000000 00000000 00000000 00000000 00000000"
	  "00000000 00000000 00000000 00000000 00000000 00000000 00000000",
	  EBADMSG },
	{ "an extension of ffff words", "9000 0000 00000000 00000000"
	  "bede ffff 00000000", EBADMSG },
	{ "an empty extension", "9000 0000 00000000 00000000 bede 0000", 0 },
	{ "half its header", "9000 0000 00000000 00000000 bede", EBADMSG },
	{ "padding of nothing", "a000 0000 00000000 00000000", EBADMSG },
	{ "padding of 0", "a000 0000 00000000 00000000 00", EBADMSG },
	{ "padding alone", "a000 0000 00000000 00000000 01", 0 },
	{ "padding into the header", "a000 0000 00000000 00000000 02",
	  EBADMSG },
	{ "padding into the extension", "b000 0000 00000000 00000000"
	  "bede 0001 00000000 02", EBADMSG },
};

static void made_packets(void **state)
{
	struct rtp_packet p;
	struct packet b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		b = packet_hex(made[i].hex);
		if (rtp_packet_read(b.bytes, b.len, &p) != made[i].rc)
			fail_msg("%s", made[i].what);
		packet_free(&b);
	}
}

/* RFC 5761, 4: of the second byte 192 to 223 is RTCP. */
static void rtcp_beside_rtp(void **state)
{
	unsigned char b[2] = { 0x80, 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < 256; i++) {
		b[1] = (unsigned char)i;
		assert_int_equal(rtp_packet_is_rtcp(b, 2),
				 i >= 192 && i <= 223);
		assert_false(rtp_packet_is_rtcp(b, 1));
	}
	assert_false(rtp_packet_is_rtcp(b, 0));
}

/* --- header extension ------------------------------------------------- */

#define HEAD "9000 0000 00000000 00000000"

/* The elements as "ID:DATA ..." and what ended them. */
static char *elements(const char *hex, int *rc_r)
{
	static char text[200];
	struct packet b = packet_hex(hex);
	struct rtp_packet_ext x = { 0 };
	struct rtp_packet p;
	size_t n = 0, i;

	text[0] = 0;
	assert_int_equal(rtp_packet_read(b.bytes, b.len, &p), 0);
	while (!(*rc_r = rtp_packet_ext_next(&p, &x))) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u:",
				      n ? " " : "", x.id);
		for (i = 0; i < x.len; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "%02x", x.data[i]);
	}
	packet_free(&b);
	return text;
}

static const struct {
	const char *what, *hex, *elements;
	int rc;
} exts[] = {
	{ "none", "8000 0000 00000000 00000000", "", ENODATA },
	{ "empty", HEAD "bede 0000", "", ENODATA },
	{ "all zeros", HEAD "bede 0001 00000000", "", ENODATA },
	{ "one byte", HEAD "bede 0002 10aa 21bbcc 000000", "1:aa 2:bbcc",
	  ENODATA },
	{ "to the last byte", HEAD "bede 0001 12aabbcc", "1:aabbcc", ENODATA },
	{ "one byte over", HEAD "bede 0001 13aabbcc dd", "", EBADMSG },
	{ "a number alone at the end", HEAD "bede 0001 000000 10", "",
	  EBADMSG },
	{ "15 ends it", HEAD "bede 0002 10aa f0bb 10cc 0000", "1:aa",
	  ENODATA },
	{ "two bytes", HEAD "1000 0003 01 02aabb ff 00 10 01cc 000000",
	  "1:aabb 255: 16:cc", ENODATA },
	{ "for the application", HEAD "100f 0001 01 01aa 00", "1:aa",
	  ENODATA },
	{ "two bytes, one over", HEAD "1000 0001 01 03aabb cc", "", EBADMSG },
	{ "two bytes, no length", HEAD "1000 0001 000000 01 cc", "",
	  EBADMSG },
	{ "another form", HEAD "1100 0001 10aa0000", "", ENODATA },
};

static void elements_of_extensions(void **state)
{
	const char *is;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
		is = elements(exts[i].hex, &rc);
		if (strcmp(is, exts[i].elements) != 0 || rc != exts[i].rc)
			fail_msg("%s: \"%s\", %d", exts[i].what, is, rc);
	}
}

static void renumber(const char *hex, uint8_t id, bool fits, const char *want)
{
	struct packet b = packet_hex(hex), w = packet_hex(want);
	struct rtp_packet_ext x = { 0 };
	struct rtp_packet p;

	assert_int_equal(rtp_packet_read(b.bytes, b.len, &p), 0);
	assert_int_equal(rtp_packet_ext_next(&p, &x), 0);
	assert_int_equal(rtp_packet_ext_renumber(&p, &x, id), fits);
	/* What follows it is found as before. */
	assert_int_equal(rtp_packet_ext_next(&p, &x), 0);
	assert_int_equal(x.id, 2);
	assert_int_equal(rtp_packet_ext_next(&p, &x), ENODATA);
	assert_memory_equal(b.bytes, w.bytes, w.len);
	packet_free(&b);
	packet_free(&w);
}

static void renumbers(void **state)
{
	(void)state;
	renumber(HEAD "bede 0001 10aa 20bb", 14, true,
		 HEAD "bede 0001 e0aa 20bb");
	renumber(HEAD "bede 0001 10aa 20bb", 15, false,
		 HEAD "bede 0001 0000 20bb");
	renumber(HEAD "bede 0001 10aa 20bb", 0, false,
		 HEAD "bede 0001 0000 20bb");
	renumber(HEAD "1000 0002 01 01aa 02 02bbcc 00", 255, true,
		 HEAD "1000 0002 ff 01aa 02 02bbcc 00");
	renumber(HEAD "1000 0002 01 01aa 02 02bbcc 00", 0, false,
		 HEAD "1000 0002 00 0000 02 02bbcc 00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_fields),
		cmocka_unit_test(changes_the_fields_alone),
		cmocka_unit_test(every_length),
		cmocka_unit_test(made_packets),
		cmocka_unit_test(rtcp_beside_rtp),
		cmocka_unit_test(elements_of_extensions),
		cmocka_unit_test(renumbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
