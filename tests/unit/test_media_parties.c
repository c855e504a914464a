/* test_media_parties.c: what the two of a call may do to the real
 * privatecall-media, or it to them, in both modes: malformed RTP and RTCP with
 * the right keys, candidates without end, packets after the end.
 */
#include "tests/unit/media_attack_test.h"

#define ROW(code, ...) \
	row(code, mode_name(), "test_media_parties", __func__, __VA_ARGS__)

/* --- A05: the other's address ----------------------------------------- */

#define CALLER_IP "127.0.5.66"
#define CALLEE_IP "127.0.5.77"

static unsigned looked[WIRE_SIDES];

/* As bytes, as STUN hides them from NATs (RFC 8489, 14.2), as text. */
static void look(struct peer *p, const unsigned char *bytes, size_t len)
{
	static const unsigned char cookie[4] = { 0x21, 0x12, 0xa4, 0x42 };
	const char *text = p->side ? CALLER_IP : CALLEE_IP;
	unsigned char ip[4], xored[4];
	unsigned i;

	assert_int_equal(inet_pton(AF_INET, text, ip), 1);
	for (i = 0; i < 4; i++)
		xored[i] = ip[i] ^ cookie[i];
	looked[p->side]++;
	if (memmem(bytes, len, ip, 4) || memmem(bytes, len, xored, 4) ||
	    memmem(bytes, len, text, strlen(text)))
		fail_msg("a datagram of %zu bytes has %s in it", len, text);
}

static void test_hidden(void **state)
{
	unsigned i;

	(void)state;
	start();
	greet();
	looked[0] = looked[1] = 0;
	look_h = look;
	prepare_call_at(0, CALLER_IP, CALLEE_IP);
	tell_all(0);
	wait_for(stands(0));
	for (i = 0; i < 200; i++)
		talk(0);
	assert_in_range(looked[0], 200, 100000);
	assert_in_range(looked[1], 200, 100000);
	look_h = NULL;
	finish();
	ROW("A05", "neither side's address in a datagram that the other "
	    "gets, as bytes, as STUN writes it or as text, from the first "
	    "check to the 200th packet; all come from our own address");
}

/* --- A26: malformed, with the right keys ------------------------------ */

/* The caller's last packet of this length has come: all before it has, too. */
static void settle(size_t len)
{
	struct peer *b = of_call(0, WIRE_CALLEE);

	b->len = 0;
	send_rtp(of_call(0, WIRE_CALLER), len);
	wait_for(b->len == len);
}

/* Sealed where that can be: what cannot be read has no place for a tag. */
static void send_odd(unsigned char *bytes, size_t len, bool rtcp,
		     unsigned *sent)
{
	struct peer *a = of_call(0, WIRE_CALLER);
	unsigned char plain[PACKET];
	size_t n = len;

	memcpy(plain, bytes, len);
	if (rtcp ? srtp_seal_rtcp(a->out, bytes, &len, PACKET) :
		   srtp_seal_rtp(a->out, bytes, &len, PACKET))
		memcpy(bytes, plain, len = n);
	send_as(a, bytes, len);
	if (++*sent % BURST == 0)
		settle(333);
}

/* RTP: CSRCs, extension and padding of all lengths, every payload type. */
static void test_odd_rtp(void **state)
{
	struct peer *a, *b;
	unsigned char bytes[PACKET];
	unsigned i, k, sent = 0, opened;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	opened = b->opened;
	for (i = 0; i < 256; i++) {
		for (k = 0; k < 4; k++) {
			size_t len = make_rtp(a, bytes, 12 + i % 64);

			if (k == 0) {
				bytes[0] = (unsigned char)(0x80 | (i & 0x3f));
			} else if (k == 1) {       /* an extension */
				bytes[0] = 0x90;
				memcpy(bytes + 12, i % 2 ? "\xbe\xde" :
				       "\x10\x00", 2);
				bytes[14] = i & 0x80 ? 0xff : 0;
				bytes[15] = (unsigned char)i;
			} else if (k == 2) {       /* padding */
				bytes[0] = 0xa0;
				bytes[len - 1] = (unsigned char)i;
			} else {
				bytes[1] = (unsigned char)i;
			}
			send_odd(bytes, len, is_rtcp(bytes, len), &sent);
		}
	}
	settle(444);
	assert_true(mode == WIRE_BLIND || !b->bad);
	assert_true(b->opened > opened);
	unharmed(0);
	finish();
	ROW("A26", "%u RTP packets with the right keys and CSRCs, extensions, "
	    "padding and payload types of all values: the process and the call "
	    "go on%s", sent, mode == WIRE_ROOM ?
	    "; all that pass open" : ", nothing is read");
}

/* RTCP: every type, count and length, and any bytes behind a right start. */
static void test_odd_rtcp(void **state)
{
	struct peer *a, *b;
	unsigned char bytes[PACKET];
	unsigned i, sent = 0;
	size_t at, len;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	for (i = 0; i < 4096; i++) {
		len = 8 + 4 * (i % 32);
		random_bytes(bytes, len);
		/* Packets of all types, some with a length that fits. */
		for (at = 0; at + 4 <= len; at += 4 + 4 * (i / 32 % 8)) {
			bytes[at] = (unsigned char)(0x80 | (bytes[at] & 0x3f));
			bytes[at + 1] = (unsigned char)(192 + i % 32);
			bytes[at + 2] = 0;
			bytes[at + 3] = (unsigned char)(i / 32 % 8 +
							(i % 7 == 0));
		}
		bytes[1] = (unsigned char)(i % 2 ? 200 : 201);
		memset(bytes + 4, 0, 4);
		bytes[6] = (unsigned char)(a->ssrc >> 8);
		bytes[7] = (unsigned char)a->ssrc;
		send_odd(bytes, len, true, &sent);
	}
	settle(444);
	assert_int_equal(b->bad, 0);
	unharmed(0);
	finish();
	ROW("A26", "%u SRTCP packets with the right keys: every type (XR, BYE, "
	    "feedback), count and length, any bytes: the process and the call "
	    "go on%s", sent, mode == WIRE_ROOM ? "; what passes is whole" :
	    ", nothing is read");
}

/* Where he is said to be: 300 places that are not his. */
static void test_candidates(void **state)
{
	struct addr nowhere;
	unsigned i, side;

	(void)state;
	start();
	greet();
	prepare_call(0);
	assert_int_equal(addr_parse("127.0.0.200", 1024, &nowhere), 0);
	for (side = 0; side < WIRE_SIDES; side++) {
		tell_remote(of_call(0, side));
		for (i = 0; i < 300; i++) {
			nowhere.port = (uint16_t)(1024 + i);
			tell_candidate(of_call(0, side), &nowhere);
		}
	}
	tell_all(0);
	wait_for(stands(0));
	unharmed(0);
	finish();
	ROW("A26", "300 candidates of each side before the right one: the call "
	    "stands (%u are kept, the rest counted)", ICE_REMOTE_MAX);
}

/* --- A27: after the end ----------------------------------------------- */

/* Whatever they send, and their agents, which know of no end. */
static void test_closed(void **state)
{
	const int64_t until = now_ms() + (at_length() ? 5000 : 0);
	struct peer *a, *b;
	unsigned char bytes[PACKET];
	unsigned i, before[2];
	size_t len;

	(void)state;
	begin();
	call_at(1);
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	tell(WIRE_CLOSE, 0);
	wait_for(said[WIRE_CLOSED] == 1);
	talk(1);
	before[0] = a->all;
	before[1] = b->all;
	for (i = 0; i < 512 || now_ms() < until; i++) {
		len = seal_rtp(a, bytes, 100);
		send_as(a, bytes, len);
		len = seal_rtp(b, bytes, 100);
		send_as(b, bytes, len);
		len = hello_of(i % HELLOS, bytes);
		send_as(a, bytes, len);
		a->agent.consent_at = b->agent.consent_at = now_ms();
		talk(1);
	}
	assert_int_equal(a->all, before[0]);
	assert_int_equal(b->all, before[1]);
	tell(WIRE_CLOSE, 1);
	wait_for(said[WIRE_CLOSED] == 2);
	finish();
	ROW("A27", "after CLOSE, while both go on to send media, handshakes "
	    "and checks: 0 packets to either");
}

static void test_table(void **state)
{
	(void)state;
	if (at_length())
		skip();
	judge_table("test_media_parties");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(test_hidden),
		IN_BOTH(test_odd_rtp), IN_BOTH(test_odd_rtcp),
		IN_BOTH(test_candidates), IN_BOTH(test_closed),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
