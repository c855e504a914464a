/* test_media_strangers.c: packets of those who have no call, at the real
 * privatecall-media in both modes: what comes to them, what to the two of a
 * call, and that it goes on.
 */
#include "tests/unit/media_attack_test.h"

#define ROW(code, ...) \
	row(code, mode_name(), "test_media_strangers", __func__, __VA_ARGS__)

/* --- A12: it is no relay for others ----------------------------------- */

/* What proxies are asked for: a TURN allocation (RFC 8656, 7), TURN's channel
 * data, SOCKS5, STUN without a name, media. */
static unsigned ask_for_relay(int fd)
{
	static const unsigned char allocate[28] = {
		0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9,
		10, 11, 12, 0, 0x19, 0, 4, 17, 0, 0, 0 };
	static const unsigned char binding[20] = {
		0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1 };
	static const unsigned char channel[12] = { 0x40, 0, 0, 8 };
	static const unsigned char socks[10] = { 0, 0, 0, 1, 127, 0, 0, 1 };
	static const unsigned char rtp[172] = { 0x80, 111, 0, 1 };
	unsigned char hello[PACKET];
	const struct addr *to = media_addr();

	send_to(fd, to, allocate, sizeof(allocate));
	send_to(fd, to, binding, sizeof(binding));
	send_to(fd, to, channel, sizeof(channel));
	send_to(fd, to, socks, sizeof(socks));
	send_to(fd, to, rtp, sizeof(rtp));
	send_to(fd, to, hello, hello_of(GOOD, hello));
	return 6;
}

/* Nothing for those who have no call, or no call any more, and nothing of one
 * whose other side has not come. */
static void test_no_relay(void **state)
{
	unsigned char bytes[172] = { 0x80, AUDIO };
	unsigned i, sent = 0, before;

	(void)state;
	start();
	greet();
	add_attackers(16);
	for (i = 0; i < 16; i++)
		sent += ask_for_relay(attacker[i]);
	call_at(0);
	for (i = 0; i < 16; i++) {
		sent += ask_for_relay(attacker[i]);
		talk(0);
	}
	prepare_call(1);
	tell_of(of_call(1, WIRE_CALLER));
	tell_peer(of_call(1, WIRE_CALLER));
	wait_for(steps[1][WIRE_CALLER] & 1u << WIRE_CONNECTED);
	send_as(of_call(1, WIRE_CALLER), bytes, sizeof(bytes));
	unharmed(0);
	nobody_else(0);
	assert_int_equal(of_call(1, WIRE_CALLEE)->all, 0);
	tell(WIRE_CLOSE, 1);
	wait_for(said[WIRE_CLOSED] == 1);
	receive(of_call(1, WIRE_CALLER));
	before = of_call(1, WIRE_CALLER)->all;
	for (i = 0; i < 100; i++) {
		send_as(of_call(1, WIRE_CALLER), bytes, sizeof(bytes));
		sent += ask_for_relay(of_call(1, WIRE_CALLER)->fd);
		talk(0);
	}
	assert_int_equal(of_call(1, WIRE_CALLER)->all, before);
	assert_int_equal(of_call(1, WIRE_CALLEE)->all, 0);
	finish();
	ROW("A12", "%u requests for a relay (TURN, SOCKS, STUN, media) before, "
	    "beside and after calls: 0 packets for whoever sent them; of a "
	    "side whose other has not come 0 packets pass", sent);
}

/* Users are control's: a user has one call, the site `max_calls`. Media holds
 * no more than that many whatever control says. */
static void test_most_calls(void **state)
{
	unsigned i;

	(void)state;
	start_with(OPTIONS("--address", "127.0.0.1", "--port", "0",
			   "--max-calls", "3"));
	wait_for((control = try_connect()) >= 0);
	greet();
	call_at(0);
	tell(WIRE_OPEN, 1);
	tell(WIRE_OPEN, 2);
	wait_for(said[WIRE_READY] == 3);
	for (i = 3; i < 100; i++) {
		tell(WIRE_OPEN, i);
		wait_for(said[WIRE_REFUSED] == i - 2);
		assert_int_equal(last[WIRE_REFUSED].refused.why, WIRE_FULL);
	}
	unharmed(0);
	finish();
	ROW("A12", "97 calls over `--max-calls 3`: refused, those that run go "
	    "on (a user's one call is kept by control: I15)");
}

/* --- A14: a third address --------------------------------------------- */

enum spray { RTP_NEXT, RTP_ZEROES, RTCP_OURS, RANDOM, SPRAYS };

static void spray(int fd, enum spray kind, unsigned n)
{
	static const struct peer nobody = { .ssrc = 0x1000 };
	unsigned char bytes[PACKET];
	size_t len = 172;

	forge_rtp(peers ? &peer[n % 2] : &nobody, bytes, len);
	if (kind == RTP_ZEROES)
		memset(bytes + 12, 0, 160);
	if (kind == RTCP_OURS)
		bytes[1] = 200 + n % 8;
	if (kind == RANDOM) {
		random_bytes(bytes, len);
		bytes[0] = (unsigned char)(n / SPRAYS);
	}
	send_to(fd, media_addr(), bytes, len);
}

static void test_spray(void **state)
{
	const unsigned n = many(8192, 1000000);
	unsigned i, early = 0;

	(void)state;
	start();
	greet();
	add_attackers(ATTACKERS);
	for (; early < 256; early++)
		spray(attacker[early % ATTACKERS], early % SPRAYS, early);
	prepare_call(0);
	tell_all(0);
	while (!stands(0)) {
		pump();
		spray(attacker[early % ATTACKERS], early % SPRAYS, early);
		early++;
	}
	for (i = 0; i < n; i++) {
		spray(attacker[i % ATTACKERS], i % SPRAYS, i);
		if (i % BURST == 0)
			talk(0);
	}
	rest_agents(0);
	unharmed(0);
	nobody_else(0);
	finish();
	assert_int_equal(dropped("strangers") + dropped("malformed") +
			 dropped("unnamed") + dropped("unasked") +
			 dropped("indications"), early + n);
	ROW("A14", "%u packets (RTP with the right SSRC and number, zeroes, "
	    "RTCP, any bytes) from %u addresses before, during and after the "
	    "setup: 0 packets to them, 0 of theirs pass, all counted", n,
	    ATTACKERS);
}

/* Strict source: his own packet, from elsewhere and sooner. */
static void test_overtaken(void **state)
{
	struct peer *a, *b;
	unsigned char bytes[PACKET];
	unsigned i, before;
	size_t len;

	(void)state;
	begin();
	add_attackers(1);
	a = of_call(0, 0);
	b = of_call(0, 1);
	for (i = 0; i < 256; i++) {
		len = seal_rtp(a, bytes, 200);
		before = b->opened;
		send_to(attacker[0], media_addr(), bytes, len);
		send_as(a, bytes, len);
		wait_for(b->opened != before);
		talk(0);
	}
	unharmed(0);
	nobody_else(0);
	finish();
	assert_int_equal(dropped("strangers"), 256);
	ROW("A14", "256 of his own packets from a third address before they "
	    "come from his: 0 pass from there, 256 from his, 0 packets to the "
	    "attacker");
}

/* --- A16: ClientHellos ------------------------------------------------ */

static void foreign_hello(unsigned n)
{
	unsigned char bytes[PACKET];
	size_t len = hello_of(n % HELLOS, bytes);

	send_to(attacker[n % attackers], media_addr(), bytes, len);
}

static void test_hellos(void **state)
{
	unsigned i, early;

	(void)state;
	start();
	greet();
	add_attackers(16);
	for (early = 0; early < 64; early++)
		foreign_hello(early);
	prepare_call(0);
	for (; early < 128; early++)
		foreign_hello(early);
	tell_all(0);
	while (!stands(0)) {
		pump();
		foreign_hello(early++);
	}
	for (i = 0; i < 1024; i++) {
		foreign_hello(i);
		if (i % BURST == 0)
			talk(0);
	}
	unharmed(0);
	nobody_else(0);
	finish();
	assert_int_equal(dropped("strangers"), early + i);
	ROW("A16", "ClientHellos (good, NULL cipher alone, a fragment, cut "
	    "off) from 16 addresses before and in the handshake, %u after it: "
	    "0 packets to them, 0 alerts to the two", i);
}

/* With the address that ICE has checked: who can write that is in the place of
 * the network, and still does not end it. */
static void test_hellos_as_his(void **state)
{
	struct peer *a, *b;
	struct wire_fingerprint f;
	unsigned char bytes[PACKET];
	unsigned i;
	size_t len;

	(void)state;
	start();
	greet();
	open_call_at(0, "127.0.0.1", "127.0.0.1");
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	give_identity(a);
	give_identity(b);
	fingerprint_of(a, &f);
	secure(a, &f);
	fingerprint_of(b, &f);
	secure(b, &f);
	map(a);
	map(b);
	arm(b);                            /* the caller comes later */
	tell_all(0);
	wait_for(both(0, WIRE_CONNECTED) && ice_selected(&a->agent) &&
		 ice_selected(&b->agent));
	for (i = 0; i < 100; i++) {
		len = hello_of(i % 2 ? NULL_CIPHER : CUT, bytes);
		send_as(a, bytes, len);
		if (i % BURST == 0)
			pump();
	}
	arm(a);
	wait_for(stands(0));
	unharmed(0);
	finish();
	ROW("A16", "100 ClientHellos (NULL cipher alone, cut off) with the "
	    "caller's checked address before his own: %s, and his own gets "
	    "its keys; no alert", mode == WIRE_ROOM ?
	    "the handshake begins anew" : "they pass to the callee, whose "
	    "handshake begins anew");
}

static bool all_stand(unsigned from, unsigned to)
{
	while (from < to && stands(from))
		from++;
	return from == to;
}

/* At least 1,000 a second, while 100 calls are set up, 25 at a time. */
static void test_setups(void **state)
{
	const unsigned calls = 100, at_once = 25;
	unsigned i, c;
	int64_t began, sent = 0;

	(void)state;
	start();
	greet();
	add_attackers(16);
	began = now_ms();
	for (c = 0; c < calls; c += at_once) {
		for (i = c; i < c + at_once; i++) {
			prepare_call(i);
			tell_all(i);
		}
		while (!all_stand(c, c + at_once)) {
			while (sent < now_ms() - began + BURST)
				foreign_hello((unsigned)sent++);
			pump();
		}
	}
	for (c = 0; c < calls; c++)
		unharmed(c);
	assert_int_equal(came_to_attackers(NULL), 0);
	finish();
	ROW("A16", "at least 1,000 foreign ClientHellos a second while %u "
	    "calls are set up: %u stand, 0 packets to the attackers", calls, c);
}

/* --- A17: he is elsewhere --------------------------------------------- */

static void test_reflexive(void **state)
{
	unsigned char bytes[PACKET];
	unsigned dtls = 0, side;
	struct wire_msg m;
	ssize_t len;

	(void)state;
	start();
	greet();
	add_attackers(2);                  /* here: where he is said to be */
	prepare_call(0);
	for (side = 0; side < WIRE_SIDES; side++) {
		struct peer *p = of_call(0, side);

		tell_remote(p);
		tell_candidate(p, &attacker_addr[side]);
		say_of(p, &m, WIRE_END);
		put(&m);
		tell_peer(p);
	}
	wait_for(stands(0));
	unharmed(0);
	for (side = 0; side < WIRE_SIDES; side++)
		while ((len = recv(attacker[side], bytes, PACKET, 0)) > 0)
			dtls += demux_kind(bytes, (size_t)len) != DEMUX_STUN;
	assert_int_equal(dtls, 0);
	finish();
	ROW("A17", "both sides at addresses that only their checks tell: DTLS "
	    "and media from there are taken and answered there, %u packets but "
	    "checks to the address that signalling named", dtls);
}

static void test_table(void **state)
{
	(void)state;
	if (at_length())
		skip();
	judge_table("test_media_strangers");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(test_no_relay), IN_BOTH(test_most_calls),
		IN_BOTH(test_spray), IN_BOTH(test_overtaken),
		IN_BOTH(test_hellos), IN_BOTH(test_hellos_as_his),
		IN_BOTH(test_setups), IN_BOTH(test_reflexive),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
