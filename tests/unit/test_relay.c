/* test_relay.c: the relay of mode `blind`: who gets what, who gets nothing. */
#include "tests/unit/attack_table.h"
#include "tests/unit/relay_test.h"

#define ROW(code, ...) \
	row(code, "blind", "test_relay", __func__, __VA_ARGS__)

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
	unsigned got, sends;

	(void)state;
	begin(&w, 2, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	exchange(&w, &w.client[0], &w.client[1], SRTP);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	got = w.client[1].got;
	sends = w.sends;
	emit(&w, &w.client[0], SRTP, 'x', 200);
	emit(&w, &w.client[0], DTLS, 'x', 200);
	pass(&w, 60000);
	assert_int_equal(w.sends, sends);
	assert_int_equal(w.client[1].got, got);
	assert_int_equal(relay_counted(w.relay, RELAY_N_STRANGERS), 2);
	assert_true(relay_counted(w.relay, RELAY_N_UNNAMED) > 0);
	ROW("A27", "%u packets to either in the 60 s after CLOSE",
	    w.sends - sends);
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
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_int_equal(w.last[WIRE_CALL].transport, 3);
	end(&w);
}

/* How many checks have gone to that port of his. */
static unsigned checks_to(unsigned port)
{
	struct addr to = address("192.0.2.10", port);
	unsigned i, n = 0;

	for (i = 0; i < FLYING_MAX; i++)
		n += w.flying[i].used && addr_equal(&w.flying[i].to, &to);
	return n;
}

static void candidate(unsigned port, unsigned component, unsigned priority,
		      const char *ufrag)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_CANDIDATE, call_id(0));
	strcpy(m.candidate.ufrag, ufrag);
	m.candidate.addr = address("192.0.2.10", port);
	m.candidate.component = component;
	m.candidate.priority = priority;
	say(&w, &m);
}

/* What control says of a candidate is what counts for it. */
static void test_candidates(void **state)
{
	struct client *a;
	struct wire_msg m;

	(void)state;
	begin(&w, 25, 10);
	tell(&w, WIRE_OPEN, 0, 0, 0);
	a = add_client(&w, "192.0.2.99", 6000, 0, 0, WIRE_CALLER);
	candidate(6001, 1, 5, "");             /* they may be first */
	wire_begin(&m, WIRE_REMOTE, call_id(0));
	strcpy(m.remote.ufrag, a->a.current.ufrag);
	strcpy(m.remote.pwd, a->a.current.pwd);
	say(&w, &m);
	assert_int_equal(checks_to(6001), 1);
	candidate(6002, 1, 5, "anothers");
	candidate(6003, 2, 5, "");
	candidate(6004, 1, 1, "");
	candidate(6005, 1, 9, a->a.current.ufrag);
	w.now += ICE_TA_MS;                    /* nothing is delivered */
	relay_time(w.relay, w.now);
	assert_int_equal(checks_to(6004), 0);  /* the best one first */
	assert_int_equal(checks_to(6005), 1);
	w.now += ICE_TA_MS;
	relay_time(w.relay, w.now);
	assert_int_equal(checks_to(6004), 1);
	w.now += ICE_TA_MS;
	relay_time(w.relay, w.now);
	assert_int_equal(checks_to(6002) + checks_to(6003), 0);
	end(&w);
}

/* Once he says that no more will come, the first that is valid is nominated:
 * nothing better is waited for. */
static void test_end(void **state)
{
	(void)state;
	begin(&w, 26, 10);
	open_call(&w, 0, 0);
	pass(&w, ICE_TA_MS + 2 * DELAY);
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_int_equal(w.last[WIRE_CALL].listed.side[WIRE_CALLEE].state,
			 ICE_COMPLETED);
	end(&w);
}

/* An answer is no check of his, and says nothing of his side of signalling. */
static void test_checked(void **state)
{
	unsigned char answer[STUN_WRITE_MAX];
	struct stun_msg m = { .class = STUN_SUCCESS }, check;
	struct client *a;
	unsigned i;
	size_t len;

	(void)state;
	begin(&w, 27, 10);
	tell(&w, WIRE_OPEN, 0, 0, 0);
	a = add_client(&w, "192.0.2.10", 6000, 0, 0, WIRE_CALLER);
	tell_of(&w, a);
	for (i = 0; !w.flying[i].used; i++)
		;
	assert_int_equal(stun_read(w.flying[i].bytes, w.flying[i].len, &check),
			 0);
	memcpy(m.id, check.id, sizeof(m.id));
	m.mapped = relay_addr(ADDR_V4);
	assert_int_equal(stun_write(&m, a->a.current.pwd,
				    strlen(a->a.current.pwd), answer,
				    sizeof(answer), &len), 0);
	to_relay(&w, &a->addr, answer, len);
	assert_string_equal(w.log, "0.0 caller connected\n");
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
	assert_int_equal(w.last[WIRE_CLOSED].closed.side[0].in_bytes,
			 100 + 102 + 200);
	assert_int_equal(w.last[WIRE_CLOSED].closed.side[0].out_packets, 3);
	assert_int_equal(w.last[WIRE_CLOSED].closed.side[0].out_bytes,
			 101 + 103 + 1200);
	exchange(&w, &w.client[4], &w.client[5], SRTP);
	end(&w);
}

/* --- strangers (A14, A24) --------------------------------------------- */

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
	spray(&w, &stranger);
	open_call(&w, 0, 0);
	for (i = 0; i < 20; i++) {
		spray(&w, &stranger);
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
	spray(&w, &stranger);
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
	last = w.now + DELAY;      /* an answer of his may be on its way */
	for (i = 0; i < 400; i++) {
		emit(&w, a, SRTP, 'x', 200);
		pass(&w, 100);
	}
	assert_non_null(strstr(w.log, "0.0 callee lost\n"));
	assert_in_range(dropped(WIRE_NOBODY), 80, 150);
	assert_true(w.now > last + ICE_CONSENT_LOST_MS);
	assert_in_range(w.media_at, last + 24000, last + ICE_CONSENT_LOST_MS);
	ROW("A27", "who answers no more: within %d s nothing but checks goes "
	    "there", ICE_CONSENT_LOST_MS / 1000);
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
	spray(&w, &from);
	pass(&w, 100);
	assert_int_equal(b->got, got);
	assert_non_null(strstr(w.log, "0.0 caller lost\n"));
	end(&w);
}

/* Nobody answers: said once, when ICE's time is over; he may still come. */
static void test_failed(void **state)
{
	(void)state;
	begin_half(22);
	w.client[1].gone = true;
	tell_of(&w, &w.client[1]);
	pass(&w, ICE_PATIENCE_MS - 1000);
	assert_null(strstr(w.log, "failed"));
	pass(&w, 30000);
	assert_non_null(strstr(w.log, "0.0 callee failed\n"));
	w.client[1].gone = false;
	tell_client(&w, &w.client[1]);
	pass(&w, 1000);
	assert_non_null(strstr(w.log, "0.0 callee connected\n"));
	end(&w);
}

/* He checks us and answers nothing: his consent ends, and his media count no
 * more. */
static void test_no_answers(void **state)
{
	struct wire_credentials *ours = &w.ours[0][0][WIRE_CALLEE];
	struct client *a = &w.client[0], *b = &w.client[1];
	unsigned char check[STUN_WRITE_MAX];
	char user[64];
	unsigned i;
	size_t len;

	(void)state;
	begin(&w, 23, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	exchange(&w, a, b, SRTP);
	b->gone = true;
	snprintf(user, sizeof(user), "%s:%s", ours->ufrag,
		 b->a.current.ufrag);
	len = make_check(user, ours->pwd, check);
	for (i = 0; i < 40; i++) {
		to_relay(&w, &b->addr, check, len);
		pass(&w, 1000);
	}
	assert_non_null(strstr(w.log, "0.0 callee lost\n"));
	i = a->got;
	emit(&w, b, SRTP, 'x', 200);
	pass(&w, 100);
	assert_int_equal(a->got, i);
	end(&w);
}

/* A device with more addresses than are kept: that of which was heard least
 * lately goes. */
static void test_addresses(void **state)
{
	struct wire_credentials *ours = &w.ours[0][0][WIRE_CALLEE];
	struct client *a = &w.client[0], *b = &w.client[1];
	unsigned char check[STUN_WRITE_MAX];
	struct addr from;
	char user[64];
	unsigned i;
	size_t len;

	(void)state;
	begin(&w, 24, 10);
	open_call(&w, 0, 0);
	pass(&w, 1000);
	snprintf(user, sizeof(user), "%s:%s", ours->ufrag,
		 b->a.current.ufrag);
	len = make_check(user, ours->pwd, check);
	for (i = 0; i < 30; i++) {
		from = address("192.0.2.20", 8000 + i);
		to_relay(&w, &from, check, len);
		pass(&w, 300);
	}
	/* The last one's packets pass, and those of the one that answers. */
	i = a->got;
	emit(&w, b, SRTP, 'x', 200);
	b->addr = from;
	emit(&w, b, SRTP, 'y', 200);
	b->addr = address("192.0.2.20", 8000);
	emit(&w, b, SRTP, 'z', 200);
	pass(&w, 100);
	assert_int_equal(a->got, i + 2);
	assert_int_equal(relay_counted(w.relay, RELAY_N_STRANGERS), 1);
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

static void test_table(void **state)
{
	(void)state;
	judge_table("test_relay");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_checked),
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
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_no_answers),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
