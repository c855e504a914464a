/* test_relay.c: the relay of mode `blind`: who gets what, who gets nothing. */
#include "tests/unit/relay_test.h"

static struct world w;

/* --- a call ----------------------------------------------------------- */

static void test_call(void **state)
{
	const struct wire_closed *sum = &w.last[WIRE_CLOSED].closed;

	(void)state;
	begin(&w, 1, 10);
	tell(&w, WIRE_HELLO, 0, 0, 0);
	assert_int_equal(w.last[WIRE_WELCOME].welcome.offers, 2);
	assert_int_equal(w.last[WIRE_WELCOME].welcome.most_calls, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	assert_string_equal(w.log, "0.0 caller checked\n"
			    "0.0 callee checked\n"
			    "0.0 caller connected\n"
			    "0.0 callee connected\n");
	assert_int_equal(w.client[0].a.state, ICE_COMPLETED);
	assert_int_equal(w.client[1].a.state, ICE_COMPLETED);
	exchange(&w, &w.client[0], &w.client[1], DTLS);
	exchange(&w, &w.client[0], &w.client[1], DTLS);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	assert_string_equal(strstr(w.log, "0.0 caller dtls"),
			    "0.0 caller dtls\n0.0 callee dtls\n"
			    "0.0 caller media\n0.0 callee media\n");
	/* For an hour, by consent alone. */
	pass(&w, 3600 * 1000);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_int_equal(w.said[WIRE_CALL], 1);
	assert_int_equal(w.said[WIRE_LISTED], 1);
	assert_int_equal(w.last[WIRE_CALL].listed.side[0].state,
			 ICE_COMPLETED);
	assert_int_equal(w.last[WIRE_CALL].listed.side[1].traffic.in_bytes,
			 5 * 1200);
	assert_int_equal(w.last[WIRE_CALL].listed.side[1].steps,
			 1u << WIRE_CHECKED | 1u << WIRE_CONNECTED |
			 1u << WIRE_DTLS | 1u << WIRE_MEDIA);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	assert_int_equal(sum->side[WIRE_CALLER].in_packets, 5);
	assert_int_equal(sum->side[WIRE_CALLER].in_bytes, 1000);
	assert_int_equal(sum->side[WIRE_CALLER].out_bytes, 6000);
	assert_int_equal(sum->side[WIRE_CALLEE].out_packets, 5);
	assert_int_equal(relay_calls(w.relay), 0);
	assert_true(relay_deadline(w.relay) == INT64_MAX);
	/* A second CLOSE is answered, too, with nothing. */
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	assert_int_equal(w.said[WIRE_CLOSED], 2);
	assert_int_equal(sum->side[WIRE_CALLER].in_packets, 0);
	end(&w);
}

/* A closed call is nobody's: nothing goes to who was in it (A27). */
static void test_closed(void **state)
{
	unsigned got;

	(void)state;
	begin(&w, 2, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	got = w.client[1].got;
	emit(&w, &w.client[0], SRTP, 'x', 200);
	emit(&w, &w.client[0], DTLS, 'x', 200);
	pass(&w, 60000);
	assert_int_equal(w.client[1].got, got);
	assert_int_equal(relay_counted(w.relay, RELAY_N_STRANGERS), 2);
	assert_true(relay_counted(w.relay, RELAY_N_UNNAMED) > 0);
	end(&w);
}

/* IPv4 on one side, IPv6 on the other. */
static void test_families(void **state)
{
	struct client *a, *b;

	(void)state;
	begin(&w, 3, 10);
	tell(&w, WIRE_OPEN, 0, 3, 0);
	a = add_client(&w, "192.0.2.10", 6000, 0, 3, WIRE_CALLER);
	b = add_client(&w, "2001:db8::20", 7000, 0, 3, WIRE_CALLEE);
	tell_of(&w, a);
	tell_of(&w, b);
	tell_client(&w, a);
	tell_client(&w, b);
	pass(&w, 1000);
	exchange(&w, a, b, SRTP);
	end(&w);
}

/* With a tenth of all packets lost each call connects, and what arrives is
 * the right one's. */
static void test_loss(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 20; seed++) {
		begin(&w, seed, 10);
		w.loss = 10;
		open_call(&w, 0, 0);
		open_call(&w, 1, 7);
		pass(&w, 10000);
		if (w.client[0].a.state != ICE_COMPLETED ||
		    w.client[1].a.state != ICE_COMPLETED ||
		    w.client[2].a.state != ICE_COMPLETED ||
		    w.client[3].a.state != ICE_COMPLETED)
			fail_msg("seed %d: %s", (int)seed, w.log);
		w.loss = 0;
		exchange(&w, &w.client[0], &w.client[1], SRTP);
		exchange(&w, &w.client[2], &w.client[3], SRTP);
		end(&w);
	}
}

/* Many calls with two transports each: what one says only its other side
 * hears. */
static void test_apart(void **state)
{
	unsigned i, n;

	(void)state;
	begin(&w, 4, 2);
	open_call(&w, 0, 0);
	open_call(&w, 0, 1);
	open_call(&w, 1, 0);
	open_call(&w, 1, 7);
	pass(&w, 2000);
	for (i = 0; i < CLIENTS; i++) {
		emit(&w, &w.client[i], SRTP, (char)('0' + i), 100 + i);
		pass(&w, 100);
	}
	for (i = 0; i < CLIENTS; i++) {
		n = i ^ 1;
		assert_int_equal(w.client[i].got, 1);
		assert_int_equal(w.client[i].last_len, 100 + n);
		assert_int_equal(w.client[i].order[0], '0' + (char)n);
	}
	/* One of them ends: its other one goes on. */
	tell(&w, WIRE_DROP, 0, 1, 0);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	emit(&w, &w.client[2], SRTP, 'x', 100);
	pass(&w, 100);
	assert_int_equal(w.client[3].got, 1);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	assert_int_equal(w.last[WIRE_CLOSED].closed.side[0].in_packets, 3);
	exchange(&w, &w.client[4], &w.client[5], SRTP);
	end(&w);
}

/* --- strangers (A14, A24) --------------------------------------------- */

/* A right check of the callee's client, as one could have seen it. */
static size_t make_check(const char *user, const char *pwd,
			 unsigned char out[STUN_WRITE_MAX])
{
	struct stun_msg m = {
		.class = STUN_REQUEST, .has_priority = true, .priority = 1,
		.role = STUN_CONTROLLED, .tie_breaker = 1,
		.username = (const unsigned char *)user,
		.username_len = strlen(user), .id = { 1, 2, 3 },
	};
	size_t len;

	assert_int_equal(stun_write(&m, pwd, strlen(pwd), out, STUN_WRITE_MAX,
				    &len), 0);
	return len;
}

static void spray(const struct addr *from)
{
	unsigned char bytes[RELAY_HELD_SIZE];
	size_t i;
	unsigned n;

	for (n = 0; n < 256; n++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)rnd(&w);
		bytes[0] = (unsigned char)n;
		to_relay(&w, from, bytes, rnd(&w) % sizeof(bytes));
	}
}

static void test_strangers(void **state)
{
	struct addr stranger = address(STRANGER, 5000);
	struct wire_credentials *ours = &w.ours[0][0][WIRE_CALLER];
	unsigned char check[STUN_WRITE_MAX];
	char user[64];
	unsigned i;
	size_t len;

	(void)state;
	begin(&w, 5, 10);
	spray(&stranger);
	open_call(&w, 0, 0);
	for (i = 0; i < 20; i++) {
		spray(&stranger);
		/* Our ufrag, which is no secret, with a wrong password. */
		snprintf(user, sizeof(user), "%s:x", ours->ufrag);
		len = make_check(user, "wrong", check);
		to_relay(&w, &stranger, check, len);
		len = make_check("nobody00:x", ours->pwd, check);
		to_relay(&w, &stranger, check, len);
		pass(&w, 100);
	}
	assert_int_equal(w.client[0].got, 0);
	assert_int_equal(w.client[1].got, 0);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	spray(&stranger);
	pass(&w, 100);
	assert_int_equal(w.client[0].got, 1);
	assert_true(relay_counted(w.relay, RELAY_N_STRANGERS) > 5000);
	assert_true(relay_counted(w.relay, RELAY_N_MALFORMED) > 50);
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNNAMED), 20);
	end(&w);
}

/* Not even from his own address, before a check of his. */
static void test_before_check(void **state)
{
	(void)state;
	begin(&w, 6, 10);
	tell(&w, WIRE_OPEN, 0, 0, 0);
	add_client(&w, "192.0.2.10", 6000, 0, 0, WIRE_CALLER);
	add_client(&w, "192.0.2.20", 7000, 0, 0, WIRE_CALLEE);
	w.client[0].gone = true;
	tell_of(&w, &w.client[0]);
	tell_of(&w, &w.client[1]);
	tell_client(&w, &w.client[1]);
	pass(&w, 1000);
	emit(&w, &w.client[0], DTLS, 'x', 200);
	emit(&w, &w.client[0], SRTP, 'x', 200);
	pass(&w, 1000);
	assert_int_equal(w.client[1].got, 0);
	assert_int_equal(relay_counted(w.relay, RELAY_N_STRANGERS), 2);
	end(&w);
}

/* Answers to no check of ours, and indications, get nothing. */
static void test_unasked(void **state)
{
	struct addr from = address("192.0.2.10", 6000);
	struct stun_msg m = { .class = STUN_SUCCESS,
			      .mapped = relay_addr(ADDR_V4) };
	unsigned char bytes[STUN_WRITE_MAX];
	unsigned before;
	size_t len;

	(void)state;
	begin(&w, 7, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	before = w.client[0].a.count[ICE_N_UNEXPECTED];
	assert_int_equal(stun_write(&m, NULL, 0, bytes, sizeof(bytes), &len),
			 0);
	to_relay(&w, &from, bytes, len);
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNASKED), 1);
	m.class = STUN_INDICATION;
	m.mapped.family = ADDR_NONE;
	assert_int_equal(stun_write(&m, NULL, 0, bytes, sizeof(bytes), &len),
			 0);
	to_relay(&w, &from, bytes, len);
	assert_int_equal(relay_counted(w.relay, RELAY_N_INDICATIONS), 1);
	assert_int_equal(w.client[0].a.count[ICE_N_UNEXPECTED], before);
	end(&w);
}

/* --- an address is one leg's ------------------------------------------ */

/* Somebody in a call of his own makes right checks with the source address of
 * another: neither gets the other's media. */
static void test_forged_source(void **state)
{
	struct wire_credentials *own = &w.ours[1][0][WIRE_CALLER];
	unsigned char check[STUN_WRITE_MAX];
	char user[64];
	size_t len;

	(void)state;
	begin(&w, 8, 10);
	open_call(&w, 0, 0);
	open_call(&w, 1, 0);
	pass(&w, 1000);
	snprintf(user, sizeof(user), "%s:%s", own->ufrag,
		 w.client[2].a.current.ufrag);
	len = make_check(user, own->pwd, check);
	to_relay(&w, &w.client[0].addr, check, len);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	assert_int_equal(w.client[3].got, 0);
	end(&w);
}

/* And who was there first with a forged one loses it to him whose it is, as
 * soon as that one answers. */
static void test_forged_before(void **state)
{
	struct wire_credentials *own = &w.ours[1][0][WIRE_CALLER];
	struct addr victim = address("192.0.2.10", 6002);
	unsigned char check[STUN_WRITE_MAX];
	char user[64];
	size_t len;

	(void)state;
	begin(&w, 9, 10);
	open_call(&w, 1, 0);
	pass(&w, 1000);
	snprintf(user, sizeof(user), "%s:%s", own->ufrag,
		 w.client[0].a.current.ufrag);
	len = make_check(user, own->pwd, check);
	to_relay(&w, &victim, check, len);
	open_call(&w, 0, 0);
	assert_true(addr_equal(&w.client[2].addr, &victim));
	pass(&w, 1000);
	exchange(&w, &w.client[2], &w.client[3], SRTP);
	assert_int_equal(w.client[1].got, 0);
	end(&w);
}

/* --- a ClientHello waits ---------------------------------------------- */

static void begin_half(uint64_t seed)
{
	begin(&w, seed, 10);
	tell(&w, WIRE_OPEN, 0, 0, 0);
	add_client(&w, "192.0.2.10", 6000, 0, 0, WIRE_CALLER);
	add_client(&w, "192.0.2.20", 7000, 0, 0, WIRE_CALLEE);
	tell_of(&w, &w.client[0]);
	tell_client(&w, &w.client[0]);
	pass(&w, 1000);
}

static uint64_t dropped(enum wire_drop why)
{
	return relay_dropped(w.relay, why);
}

static void test_hello_waits(void **state)
{
	unsigned i;

	(void)state;
	begin_half(10);
	for (i = 0; i < RELAY_HELD_OF_LEG + 1; i++)
		emit(&w, &w.client[0], DTLS, (char)('1' + i), 300);
	emit(&w, &w.client[0], SRTP, 'x', 300);
	pass(&w, 1000);
	assert_int_equal(dropped(WIRE_TOO_EARLY), 1);
	assert_int_equal(dropped(WIRE_NOBODY), 1);
	tell_of(&w, &w.client[1]);
	tell_client(&w, &w.client[1]);
	pass(&w, 900);
	assert_string_equal(w.client[1].order, "1234");
	exchange(&w, &w.client[0], &w.client[1], DTLS);
	end(&w);
}

static void test_hello_too_early(void **state)
{
	(void)state;
	begin_half(11);
	emit(&w, &w.client[0], DTLS, '1', 300);
	emit(&w, &w.client[0], DTLS, '2', 300);
	pass(&w, DELAY);
	pass(&w, RELAY_HELD_MS - 1);
	assert_int_equal(dropped(WIRE_TOO_EARLY), 0);
	pass(&w, 1);
	assert_int_equal(dropped(WIRE_TOO_EARLY), 2);
	tell_of(&w, &w.client[1]);
	tell_client(&w, &w.client[1]);
	pass(&w, 900);
	assert_int_equal(w.client[1].got, 0);
	/* What waits goes with its call. */
	tell(&w, WIRE_DROP, 0, 0, 0);
	end(&w);
	begin_half(12);
	emit(&w, &w.client[0], DTLS, '1', 300);
	pass(&w, DELAY);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	pass(&w, RELAY_HELD_MS);
	assert_int_equal(dropped(WIRE_TOO_EARLY), 0);
	end(&w);
}

/* What is larger than a datagram of Ethernet is not kept, nor what is a
 * handshake's other part. */
static void test_held_kinds(void **state)
{
	unsigned char bytes[RELAY_HELD_SIZE + 1] = { DTLS };

	(void)state;
	begin_half(13);
	bytes[13] = 1;
	to_relay(&w, &w.client[0].addr, bytes, sizeof(bytes));
	assert_int_equal(dropped(WIRE_TOO_EARLY), 1);
	to_relay(&w, &w.client[0].addr, bytes, 13);
	bytes[13] = 2;                     /* ServerHello */
	to_relay(&w, &w.client[0].addr, bytes, 100);
	assert_int_equal(dropped(WIRE_NOBODY), 2);
	bytes[0] = 70;                     /* a TURN channel */
	to_relay(&w, &w.client[0].addr, bytes, 100);
	assert_int_equal(dropped(WIRE_OTHER_KIND), 1);
	to_relay(&w, &w.client[0].addr, bytes, 0);
	assert_int_equal(dropped(WIRE_OTHER_KIND), 2);
	end(&w);
}

/* --- consent (A27) ---------------------------------------------------- */

static void test_consent(void **state)
{
	struct client *a = &w.client[0], *b = &w.client[1];
	int64_t last;
	unsigned i;

	(void)state;
	begin(&w, 14, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	exchange(&w, a, b, SRTP);
	b->gone = true;
	last = b->a.pair[b->a.selected].answered;
	for (i = 0; i < 400; i++) {
		emit(&w, a, SRTP, 'x', 200);
		pass(&w, 100);
	}
	assert_non_null(strstr(w.log, "0.0 callee lost\n"));
	assert_in_range(dropped(WIRE_NOBODY), 80, 150);
	assert_true(w.now > last + ICE_CONSENT_LOST_MS);
	/* He lost us, too; with new credentials both come back. */
	b->gone = false;
	tell(&w, WIRE_RESTART, 0, 0, WIRE_CALLEE);
	tell_client(&w, b);
	tell_of(&w, b);
	pass(&w, 2000);
	exchange(&w, a, b, SRTP);
	assert_string_equal(strstr(w.log, "0.0 callee lost\n"),
			    "0.0 callee lost\n0.0 callee connected\n");
	end(&w);
}

/* Who sends media and no check for 30 s is not passed on: his address may be
 * another's by now. */
static void test_silence(void **state)
{
	struct client *a = &w.client[0], *b = &w.client[1];
	struct addr from = a->addr;
	unsigned i, got;

	(void)state;
	begin(&w, 15, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	from = a->addr;
	exchange(&w, a, b, SRTP);
	a->gone = true;
	for (i = 0; i < 40; i++) {
		pass(&w, 1000);
		got = b->got;
		emit(&w, a, SRTP, 'x', 200);
		pass(&w, 2 * DELAY);
		if (i < 24)
			assert_int_equal(b->got, got + 1);
	}
	got = b->got;
	spray(&from);
	pass(&w, 100);
	assert_int_equal(b->got, got);
	assert_non_null(strstr(w.log, "0.0 caller lost\n"));
	end(&w);
}

/* --- restart ---------------------------------------------------------- */

/* Nobody notices: a packet each 20 ms passes all the time. */
static void test_restart(void **state)
{
	struct client *a = &w.client[0], *b = &w.client[1];
	struct ice_event ev = { .kind = ICE_EV_RESTART };
	struct wire_credentials before;
	unsigned i;

	(void)state;
	begin(&w, 16, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	before = w.ours[0][0][WIRE_CALLEE];
	tell(&w, WIRE_RESTART, 0, 0, WIRE_CALLEE);
	assert_int_equal(w.said[WIRE_CREDENTIALS], 1);
	assert_memory_not_equal(&before, &w.ours[0][0][WIRE_CALLEE],
				sizeof(before));
	for (i = 0; i < 800; i++) {
		if (i == 500) {
			/* Till now he has checked with our old ones. */
			assert_int_equal(relay_counted(w.relay,
						       RELAY_N_UNNAMED), 0);
			tell_client(&w, b);
			tell_of(&w, b);
		}
		emit(&w, a, SRTP, 'x', 200);
		pass(&w, 20);
	}
	pass(&w, 100);
	assert_int_equal(b->got, 800);
	assert_int_equal(b->a.state, ICE_COMPLETED);
	/* And his: the relay tells its new ones. */
	client_step(&w, a, &ev);
	tell_of(&w, a);
	assert_int_equal(w.said[WIRE_CREDENTIALS], 2);
	assert_int_equal(w.last[WIRE_CREDENTIALS].side, WIRE_CALLER);
	tell_client(&w, a);
	for (i = 0; i < 100; i++) {
		emit(&w, b, SRTP, 'y', 200);
		pass(&w, 20);
	}
	pass(&w, 100);
	assert_int_equal(a->got, 100);
	/* The same once more is none. */
	tell_of(&w, a);
	assert_int_equal(w.said[WIRE_CREDENTIALS], 2);
	assert_null(strstr(w.log, "lost"));
	end(&w);
}

/* --- limits, messages out of place ------------------------------------ */

static void test_limits(void **state)
{
	struct wire_credentials ours;

	(void)state;
	begin(&w, 17, 2);
	tell(&w, WIRE_OPEN, 0, 0, 0);
	ours = w.ours[0][0][0];
	tell(&w, WIRE_OPEN, 1, 0, 0);
	tell(&w, WIRE_OPEN, 2, 5, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 1);
	assert_int_equal(w.last[WIRE_REFUSED].refused.why, WIRE_FULL);
	assert_int_equal(w.last[WIRE_REFUSED].transport, 5);
	/* What is open is told again, unchanged. */
	tell(&w, WIRE_OPEN, 0, 0, 0);
	assert_memory_equal(&ours, &w.ours[0][0][0], sizeof(ours));
	assert_int_equal(relay_calls(w.relay), 2);
	tell(&w, WIRE_CLOSE, 1, 0, 0);
	tell(&w, WIRE_OPEN, 2, 5, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 1);
	/* One without transports is listed, so that it can be closed. */
	tell(&w, WIRE_DROP, 2, 5, 0);
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_int_equal(w.said[WIRE_CALL], 2);
	tell(&w, WIRE_CLOSE, 2, 0, 0);
	/* Draining: no call more, but all of those that run. */
	relay_drain(w.relay);
	tell(&w, WIRE_OPEN, 1, 0, 0);
	assert_int_equal(w.last[WIRE_REFUSED].refused.why, WIRE_DRAINING);
	tell(&w, WIRE_OPEN, 0, 1, 0);
	assert_int_equal(w.said[WIRE_REFUSED], 2);
	assert_int_equal(relay_calls(w.relay), 1);
	end(&w);
}

static void test_unknown(void **state)
{
	(void)state;
	begin(&w, 18, 2);
	add_client(&w, "192.0.2.10", 6000, 0, 0, WIRE_CALLER);
	tell_of(&w, &w.client[0]);
	tell(&w, WIRE_OPEN, 0, 1, 0);
	tell_of(&w, &w.client[0]);
	tell(&w, WIRE_DROP, 0, 0, 0);
	tell(&w, WIRE_RESTART, 1, 1, 0);
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNKNOWN), 8);
	assert_int_equal(w.said[WIRE_CREDENTIALS], 0);
	end(&w);
}

/* A call's slot is taken again, and what was asked in the old one is not
 * answered in the new. */
static void test_slots(void **state)
{
	unsigned n;

	(void)state;
	begin(&w, 19, 1);
	for (n = 0; n < 100; n++) {
		w.clients = 0;
		memset(w.client, 0, sizeof(w.client));
		open_call(&w, n % 4, n % WIRE_TRANSPORTS_MAX);
		pass(&w, n % 3 ? 25 : 1000);
		if (n % 3 == 0)
			exchange(&w, &w.client[0], &w.client[1], SRTP);
		tell(&w, WIRE_CLOSE, n % 4, 0, 0);
		assert_int_equal(relay_calls(w.relay), 0);
	}
	end(&w);
}

/* --- who is never sent to (A25) --------------------------------------- */

static void test_forbidden(void **state)
{
	static const struct {
		const char *ip;
		unsigned port;
		bool open, at_loopback;    /* forbidden? */
	} rows[] = {
		{ "192.0.2.1", 5000, false, false },
		{ "10.0.0.1", 5000, false, false },
		{ "2001:db8::5", 5000, false, false },
		{ "127.0.0.1", 5000, true, false },
		{ "127.9.9.9", 5000, true, false },
		{ "::1", 5000, true, false },
		{ "127.0.0.1", 53, true, true },
		{ "127.0.0.1", 0, true, true },
		{ "::1", 53, true, true },
		{ "::", 5000, true, true },
		{ "0.0.0.0", 5000, true, true },
		{ "::ffff:127.0.0.1", 5000, true, true },
		{ "169.254.169.254", 5000, true, true },
		{ "224.0.0.1", 5000, true, true },
		{ "fe80::1", 5000, true, true },
	};
	struct relay_config open = { .locals = 2 }, loop = { .locals = 2 };
	struct addr a;
	size_t i;

	(void)state;
	open.local[0].base = address("192.0.2.9", 10000);
	open.local[1].base = address("2001:db8::9", 10000);
	loop.local[0].base = address("127.0.0.1", 10000);
	loop.local[1].base = address("::1", 10000);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = address(rows[i].ip, rows[i].port);
		assert_int_equal(relay_forbidden(&a, &open), rows[i].open);
		assert_int_equal(relay_forbidden(&a, &loop),
				 rows[i].at_loopback);
	}
	/* Of one family alone. */
	loop.local[1].base = open.local[1].base;
	a = address("::1", 5000);
	assert_true(relay_forbidden(&a, &loop));
}

/* --- anything, at random ---------------------------------------------- */

static void random_message(void)
{
	static const enum wire_kind kinds[] = {
		WIRE_HELLO, WIRE_OPEN, WIRE_OPEN, WIRE_END, WIRE_RESTART,
		WIRE_DROP, WIRE_CLOSE, WIRE_LIST,
	};
	enum wire_kind kind = kinds[rnd(&w) % 8];
	bool of_transport = kind != WIRE_CLOSE && kind != WIRE_LIST &&
			    kind != WIRE_HELLO;
	bool of_side = kind == WIRE_END || kind == WIRE_RESTART;

	tell(&w, kind, rnd(&w) % 4,
	     of_transport ? rnd(&w) % WIRE_TRANSPORTS_MAX : 0,
	     of_side ? rnd(&w) % WIRE_SIDES : 0);
}

/* Messages, packets and time in any order: the invariants hold (they are
 * asserted after each step), and no stranger gets anything. */
static void test_random(void **state)
{
	struct addr stranger = address(STRANGER, 5000);
	struct client *c;
	uint64_t seed;
	unsigned n;

	(void)state;
	for (seed = 1; seed <= 30; seed++) {
		begin(&w, seed, 3);
		w.loss = (int)(seed % 3) * 10;
		open_call(&w, 0, 0);
		open_call(&w, 1, 2);
		open_call(&w, 2, 1);
		for (n = 0; n < 100; n++) {
			c = &w.client[rnd(&w) % w.clients];
			switch (rnd(&w) % 8) {
			case 0:
				random_message();
				break;
			case 1:
				spray(rnd(&w) % 2 ? &stranger : &c->addr);
				break;
			case 2:
				tell(&w, WIRE_OPEN, c->call, c->transport, 0);
				tell_of(&w, c);
				tell_client(&w, c);
				break;
			default:
				emit(&w, c, rnd(&w) % 2 ? SRTP : DTLS, 'r',
				     20 + rnd(&w) % 1000);
				break;
			}
			pass(&w, (int64_t)(rnd(&w) % 3000));
		}
		end(&w);
	}
}

static void test_names(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < RELAY_COUNTS; i++)
		assert_string_not_equal(relay_count_name(i), "?");
	assert_string_equal(relay_count_name(RELAY_COUNTS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_before_check),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_forged_source),
		cmocka_unit_test(test_forged_before),
		cmocka_unit_test(test_hello_waits),
		cmocka_unit_test(test_hello_too_early),
		cmocka_unit_test(test_held_kinds),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
