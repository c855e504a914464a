/* test_rtcp_packet.c: compound RTCP packets: what is well-formed, each packet
 * in turn, every length cut short (A26, AST-2017-012).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "jingle/media/rtcp_packet.h"
#include "tests/unit/stun_test.h"

#define ZEROS8 "00000000 00000000"
#define BLOCK ZEROS8 ZEROS8 ZEROS8
#define RR "80c9 0001 00000001"
#define PLI "81ce 0002 00000001 00000002"

static const struct {
	const char *what, *hex;
	int rc;
} made[] = {
	{ "empty", "", EBADMSG },
	{ "an RR", RR, 0 },
	{ "an RR and a PLI", RR PLI, 0 },
	{ "reduced size: a PLI", PLI, 0 },
	{ "a header alone", "81ca 0000", 0 },
	{ "half a header", "80c9", EBADMSG },
	{ "a byte behind it", RR "80", EBADMSG },
	{ "version 0", "00c9 0001 00000001", EBADMSG },
	{ "version 3", "c0c9 0001 00000001", EBADMSG },
	{ "the second has another one", RR "41ce 0002 00000001 00000002",
	  EBADMSG },
	{ "a word too long", "80c9 0002 00000001", EBADMSG },
	{ "ffff words", "80c9 ffff 00000001", EBADMSG },
	{ "an RR without its SSRC", "80c9 0000", EBADMSG },
	{ "an SR of an RR's length", "80c8 0001 00000001", EBADMSG },
	{ "an SR", "80c8 0006" BLOCK, 0 },
	{ "an SR with a block", "81c8 000c" BLOCK BLOCK, 0 },
	{ "and one that is not there", "82c8 000c" BLOCK BLOCK, EBADMSG },
	{ "an RR with a block", "81c9 0007 00000001" BLOCK, 0 },
	{ "31 blocks, of which one is there", "9fc9 0007 00000001" BLOCK,
	  EBADMSG },
	{ "an RR with an extension of a profile",
	  "80c9 0002 00000001 00000000", 0 },
	{ "BYE of two", "82cb 0002 00000001 00000002", 0 },
	{ "BYE of three", "83cb 0002 00000001 00000002", EBADMSG },
	{ "BYE of nobody", "80cb 0000", 0 },
	{ "APP without a name", "80cc 0001 00000001", EBADMSG },
	{ "feedback about nobody", "81cd 0001 00000001", EBADMSG },
	{ "of a type without a name", "9fd5 0000", 0 },
	{ "padding", "a0c9 0002 00000001 00000004", 0 },
	{ "padding of 8", "a0c9 0003 00000001 00000000 00000008", 0 },
	{ "padding of the whole body", "a0ca 0001 00000004", 0 },
	{ "padding, empty", "a0ca 0000", EBADMSG },
	{ "padding of 0", "a0c9 0002 00000001 00000000", EBADMSG },
	{ "padding of 3", "a0c9 0002 00000001 00000003", 0 },
	{ "padding of more than there is", "a0c9 0002 00000001 0000000c",
	  EBADMSG },
	{ "padding in place of the SSRC", "a0c9 0001 00000004", EBADMSG },
	{ "padding of the first", "a0c9 0002 00000001 00000004" PLI,
	  EBADMSG },
	{ "padding of the last", RR "a1ce 0003 00000001 00000002 00000004",
	  0 },
};

static void made_packets(void **state)
{
	struct packet b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		b = packet_hex(made[i].hex);
		if (rtcp_packet_check(b.bytes, b.len) != made[i].rc)
			fail_msg("%s", made[i].what);
		packet_free(&b);
	}
}

static void packet_by_packet(void **state)
{
	struct packet b = packet_hex("81c9 0007 00000001" BLOCK
		"81ca 0002 00000001 00000000" PLI
		"afcd 0004 00000001 00000002 00000003 00000004");
	static const struct {
		uint8_t type, count;
		size_t len;
	} want[] = {
		{ RTCP_RR, 1, 28 }, { RTCP_SDES, 1, 8 },
		{ RTCP_PSFB, RTCP_PLI, 8 },
		{ RTCP_RTPFB, RTCP_TRANSPORT_CC, 12 },
	};
	const unsigned char *at = b.bytes;
	struct rtcp_packet_walk w;
	struct rtcp_packet p;
	size_t i;

	(void)state;
	assert_int_equal(rtcp_packet_check(b.bytes, b.len), 0);
	rtcp_packet_walk(&w, b.bytes, b.len);
	for (i = 0; i < 4; i++) {
		assert_true(rtcp_packet_next(&w, &p));
		assert_int_equal(p.type, want[i].type);
		assert_int_equal(p.count, want[i].count);
		assert_int_equal(p.len, want[i].len);
		assert_ptr_equal(p.body, at + RTCP_PACKET_HEADER_SIZE);
		at = p.body + p.len;
	}
	assert_false(rtcp_packet_next(&w, &p));
	packet_free(&b);
}

/* Cut between two packets it is a shorter compound one, else none. */
static void every_length(void **state)
{
	struct packet whole = packet_hex(RR "81ca 0002 00000001 00000000" PLI);
	struct packet b;
	size_t len;

	(void)state;
	for (len = 0; len < whole.len; len++) {
		b = packet_copy(whole.bytes, len);
		assert_int_equal(rtcp_packet_check(b.bytes, len),
				 len == 8 || len == 20 ? 0 : EBADMSG);
		packet_free(&b);
	}
	packet_free(&whole);
}

static void writes_a_header(void **state)
{
	unsigned char b[4];

	(void)state;
	assert_int_equal(rtcp_packet_head(b, RTCP_PSFB, RTCP_FIR, 16), 20);
	assert_memory_equal(b, "\x84\xce\x00\x04", 4);
	assert_int_equal(rtcp_packet_head(b, RTCP_RR, 31, 4 + 31 * 24), 752);
	assert_memory_equal(b, "\x9f\xc9\x00\xbb", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_packets),
		cmocka_unit_test(packet_by_packet),
		cmocka_unit_test(every_length),
		cmocka_unit_test(writes_a_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
