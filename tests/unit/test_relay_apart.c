/* test_relay_apart.c: the relay of mode `room` where one has on transports of
 * their own what the other has on one.
 */
#include "tests/unit/relay_room_test.h"

static void join(unsigned transport, unsigned side, unsigned home)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_JOIN, call_id(0));
	m.transport = (uint8_t)transport;
	m.side = (uint8_t)side;
	m.join.home = home;
	m.join.media = REWRITE_VIDEO;
	say(&w, &m);
}

/* Sound and pictures have an SSRC each. */
static void send_as(struct client *c, uint8_t type)
{
	c->type = type;
	c->ssrc = (c->ssrc & 0xff00) + type;
	send_rtp(c, 'm', 100);
	pass(&w, 2 * DELAY + 1);
}

static void nobody_got(void)
{
	unsigned i;

	for (i = 0; i < w.clients; i++)
		w.client[i].got = 0;
}

static void send_sealed(struct client *c, const void *bytes, size_t len)
{
	unsigned char p[RELAY_HELD_SIZE];

	memcpy(p, bytes, len);
	assert_int_equal(srtp_seal_rtcp(c->out, p, &len, sizeof(p)), 0);
	fly_to_relay(c, p, len);
	pass(&w, 2 * DELAY + 1);
}

/* A receiver report with a block about that SSRC. */
static void put_loss(struct client *c, uint32_t ssrc, unsigned char lost)
{
	unsigned char p[32] = { 0x81, 201, 0, 7 };

	p[6] = (unsigned char)(c->ssrc >> 8);
	p[7] = (unsigned char)c->ssrc;
	p[10] = (unsigned char)(ssrc >> 8);
	p[11] = (unsigned char)ssrc;
	p[18] = 0xff;
	p[19] = 0xff;
	p[15] = lost;
	send_sealed(c, p, sizeof(p));
}

static void put_report(struct client *c, uint32_t ssrc)
{
	put_loss(c, ssrc, 0);
}

/* He has his picture on a transport of its own, the other all on one: clients
 * a, and b with `picture`. */
static struct client *begin_apart(uint64_t seed)
{
	struct client *picture;

	begin_room(seed, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	send_as(&w.client[0], VIDEO);
	open_call(&w, 0, 1);
	w.client[2].gone = true;               /* the other is not there */
	picture = &w.client[3];
	arm(picture, false);
	picture->ssrc = 0x3000;
	secure(picture, true, "sha-256");
	join(1, WIRE_CALLEE, 0);
	nobody_got();
	pass(&w, 1000);
	assert_non_null(strstr(w.log, "0.1 callee secure"));
	return picture;
}

/* Who bundles nothing and who bundles all: each hears and sees the other, by
 * the numbers of one stream. */
static void test_apart(void **state)
{
	unsigned char p[56] = { 0x82, 201, 0, 13 };
	struct client *a, *b, *picture;

	(void)state;
	picture = begin_apart(16);
	a = &w.client[0];
	b = &w.client[1];
	/* Who can see at last makes us ask for a picture. */
	assert_int_equal(a->got, 1);
	assert_int_equal(a->last[9], 206);
	nobody_got();
	send_as(a, AUDIO);
	assert_int_equal(b->got, 1);
	assert_int_equal(picture->got, 0);
	send_as(a, VIDEO);
	assert_int_equal(b->got, 1);
	assert_int_equal(picture->got, 1);
	assert_int_equal(picture->last[1], VIDEO);
	nobody_got();
	/* The first that he sends on each makes us ask the other again. */
	send_as(b, AUDIO);
	send_as(picture, VIDEO);
	assert_int_equal(picture->got, 0);
	assert_int_equal(a->got, 4);
	nobody_got();
	send_as(b, AUDIO);
	assert_int_equal(a->got, 1);
	assert_int_equal(a->last[1], AUDIO);
	send_as(picture, VIDEO);
	assert_int_equal(a->got, 2);
	assert_int_equal(a->last[1], VIDEO);
	assert_int_equal(a->last[10] << 8 | a->last[11], 0x3000 + VIDEO);
	/* What is about one goes to that, by his number of it; the rest to
	 * both. Reports come from both. */
	nobody_got();
	put_report(a, picture->ssrc);          /* his first: we ask again */
	assert_int_equal(b->got, 0);
	assert_int_equal(picture->got, 2);
	nobody_got();
	put_report(a, picture->ssrc);
	assert_int_equal(b->got, 0);
	assert_int_equal(picture->got, 1);
	assert_int_equal(picture->last[10] << 8 | picture->last[11],
			 picture->ssrc);
	put_report(a, b->ssrc);
	assert_int_equal(b->got, 1);
	assert_int_equal(picture->got, 1);
	nobody_got();
	send_rtcp(a);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->got, 1);
	assert_int_equal(picture->got, 1);
	assert_int_equal(b->last_len, 8);
	assert_memory_equal(b->last, picture->last, 8);
	send_rtcp(picture);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(a->got, 1);
	/* A report of both goes to both, and each can read it. */
	nobody_got();
	p[6] = (unsigned char)(a->ssrc >> 8);
	p[7] = (unsigned char)a->ssrc;
	p[10] = (unsigned char)(b->ssrc >> 8);
	p[11] = (unsigned char)b->ssrc;
	p[34] = (unsigned char)(picture->ssrc >> 8);
	p[35] = (unsigned char)picture->ssrc;
	p[18] = p[19] = p[42] = p[43] = 0xff;
	send_sealed(a, p, sizeof(p));
	assert_int_equal(b->got, 1);
	assert_int_equal(picture->got, 1);
	assert_int_equal(b->last_len, 56);
	assert_memory_equal(b->last, picture->last, 56);
	assert_int_equal(b->last[34] << 8 | b->last[35], picture->ssrc);
	end(&w);
}

/* Of which media it is, his own numbers say, not those of the other. */
static void test_apart_crossed(void **state)
{
	struct client *a, *b, *picture;
	struct wire_msg m;

	(void)state;
	picture = begin_apart(22);
	a = &w.client[0];
	b = &w.client[1];
	wire_begin(&m, WIRE_MAP, call_id(0));
	m.map.type[AUDIO] = (struct rewrite_type) {
		.clock = 48000, .out = VIDEO, .media = REWRITE_AUDIO,
		.apt = REWRITE_NO_APT };
	m.map.type[VIDEO] = (struct rewrite_type) {
		.clock = 90000, .out = AUDIO, .media = REWRITE_VIDEO,
		.apt = REWRITE_NO_APT };
	say(&w, &m);
	nobody_got();
	send_as(a, AUDIO);
	assert_int_equal(b->got, 1);
	assert_int_equal(b->last[1], VIDEO);
	send_as(a, VIDEO);
	assert_int_equal(b->got, 1);
	assert_int_equal(picture->got, 1);
	assert_int_equal(picture->last[1], AUDIO);
	end(&w);
}

/* What CLOSED says is of all transports, and of all that he was. */
static void test_sums(void **state)
{
	const struct wire_closed *c = &w.last[WIRE_CLOSED].closed;
	struct wire_traffic before;
	struct client *a, *b, *picture;
	unsigned char bad[100] = { 0x80, AUDIO };
	struct wire_msg m;

	(void)state;
	picture = begin_apart(23);
	a = &w.client[0];
	b = &w.client[1];
	/* What is sealed counts, with its tag, and what is right. */
	tell(&w, WIRE_LIST, 0, 0, 0);
	before = w.last[WIRE_CALL].listed.side[WIRE_CALLEE].traffic;
	assert_int_equal(w.last[WIRE_CALL].transport, 1);
	assert_true(before.in_packets > 1 && before.in_bytes > 500);
	send_as(picture, VIDEO);
	to_relay(&w, &picture->addr, bad, sizeof(bad));
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_int_equal(w.last[WIRE_CALL].listed.side[WIRE_CALLEE].traffic
			 .in_packets, before.in_packets + 1);
	assert_int_equal(w.last[WIRE_CALL].listed.side[WIRE_CALLEE].traffic
			 .in_bytes, before.in_bytes + 100 + 16);
	/* Of each side some are missing, on either transport. */
	send_as(a, AUDIO);
	a->seq += 2;
	send_as(a, AUDIO);
	put_loss(b, a->ssrc, 5);
	send_as(a, 99);                        /* nobody's number */
	wire_begin(&m, WIRE_RENEW, call_id(0));
	m.side = WIRE_CALLEE;
	say(&w, &m);                           /* a sends to another now */
	map(a, AUDIO);
	send_as(a, AUDIO);
	a->seq += 3;
	send_as(a, AUDIO);
	send_as(a, 99);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	assert_int_equal(c->quality[WIRE_CALLER].missing, 2 + 3);
	assert_int_equal(c->quality[WIRE_CALLEE].lost, 5);
	assert_int_equal(c->quality[WIRE_CALLEE].reports, 1);
	assert_int_equal(c->rewritten[REWRITE_N_UNKNOWN_TYPE], 2);
	assert_int_equal(c->dropped[WIRE_NOT_MAPPED], 2);
	assert_int_equal(c->dropped[WIRE_NOT_AUTHENTIC], 1);
	end(&w);
}

/* The name of each side is of chance (RFC 7022): none can be known of who it
 * is by it, nor are two sides taken for one. */
static void test_cname(void **state)
{
	unsigned char rr[12] = { [8] = 0x80, 202 };
	unsigned char name[3][REWRITE_CNAME_SIZE];
	struct client *c;
	unsigned i, n;

	(void)state;
	for (i = 0; i < 3; i++) {
		begin_room(i / 2 + 30, SRTP_EVP);
		open_room(0, true);
		pass(&w, 1000);
		c = &w.client[i % 2];
		make_rtcp(c, rr);
		send_sealed(c, rr, sizeof(rr));
		c = &w.client[!(i % 2)];
		assert_int_equal(c->last_len, 8 + 28);
		assert_int_equal(c->last[8 + 9], REWRITE_CNAME_SIZE);
		memcpy(name[i], c->last + 8 + 10, REWRITE_CNAME_SIZE);
		for (n = 0; n < REWRITE_CNAME_SIZE; n++)
			assert_in_range(name[i][n], '+', 'z');
		for (n = 0; n < i; n++)
			assert_memory_not_equal(name[n], name[i],
						REWRITE_CNAME_SIZE);
		end(&w);
	}
}

/* The other comes back: he is asked on the way of the picture. When he who has
 * it apart does, or that transport goes, all go where they are at home. */
static void test_apart_ends(void **state)
{
	struct client *a, *b, *picture;
	struct wire_msg m;
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		picture = begin_apart(17 + i);
		a = &w.client[0];
		b = &w.client[1];
		send_as(picture, VIDEO);
		if (i == 0) {
			tell(&w, WIRE_DROP, 0, 1, 0);
		} else {
			wire_begin(&m, WIRE_RENEW, call_id(0));
			m.transport = i == 1;
			m.side = WIRE_CALLEE;
			say(&w, &m);
		}
		nobody_got();
		send_as(a, VIDEO);
		send_as(picture, VIDEO);
		assert_int_equal(picture->got, 0);
		assert_int_equal(b->got, i < 2);       /* of 2 is new, too */
		assert_int_equal(a->got, 0);
		end(&w);
	}
	/* And when all that he has of one is dropped. */
	picture = begin_apart(20);
	tell(&w, WIRE_DROP, 0, 0, 0);
	nobody_got();
	send_as(picture, VIDEO);
	assert_int_equal(w.client[0].got, 0);
	assert_int_equal(dropped(WIRE_NOT_MAPPED), 1);
	end(&w);
}

/* What cannot be is counted, and changes nothing. */
static void test_apart_wrong(void **state)
{
	struct client *a, *picture;
	uint64_t before;

	(void)state;
	picture = begin_apart(21);
	a = &w.client[0];
	before = relay_counted(w.relay, RELAY_N_UNKNOWN);
	join(1, WIRE_CALLEE, 5);               /* there is none */
	join(0, WIRE_CALLEE, 1);               /* others are at home there */
	open_call(&w, 0, 2);
	join(2, WIRE_CALLEE, 1);               /* it has a home itself */
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNKNOWN), before + 3);
	nobody_got();
	send_as(a, VIDEO);
	assert_int_equal(picture->got, 1);
	/* Another one has these media now. */
	join(2, WIRE_CALLEE, 0);
	send_as(a, VIDEO);
	assert_int_equal(picture->got, 1);
	assert_int_equal(dropped(WIRE_NO_KEYS), 1);
	join(1, WIRE_CALLEE, 0);
	send_as(a, VIDEO);
	assert_int_equal(picture->got, 2);
	end(&w);
	w.mode = WIRE_BLIND;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_apart_ends),
		cmocka_unit_test(test_apart_wrong),
		cmocka_unit_test(test_apart_crossed),
		cmocka_unit_test(test_sums), cmocka_unit_test(test_cname),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
