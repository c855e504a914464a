/* test_relay_room.c: the relay of mode `room`: DTLS and SRTP end there, once
 * for each side.
 */
#include "tests/unit/attack_table.h"
#include "tests/unit/relay_room_test.h"

#define ROW(code, ...) \
	row(code, "room", "test_relay_room", __func__, __VA_ARGS__)

/* --- tests ------------------------------------------------------------ */

static void call_with(enum srtp_backend srtp, bool caller_begins)
{
	begin_room(1, srtp);
	open_room(0, caller_begins);
	pass(&w, 1000);
	assert_non_null(strstr(w.log, "0.0 caller secure"));
	assert_non_null(strstr(w.log, "0.0 callee secure"));
	assert_null(strstr(w.log, "media"));
	talk(&w.client[0], &w.client[1]);
	assert_non_null(strstr(w.log, "0.0 caller media"));
	assert_non_null(strstr(w.log, "0.0 callee media"));
	/* Sequence numbers go round, and an hour goes by. */
	for (unsigned i = 0; i < 20; i++)
		talk(&w.client[0], &w.client[1]);
	pass(&w, 3600 * 1000);
	talk(&w.client[1], &w.client[0]);
	tell(&w, WIRE_LIST, 0, 0, 0);
	assert_true(w.last[WIRE_CALL].listed.side[1].steps &
		    1u << WIRE_SECURE);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	assert_true(relay_deadline(w.relay) == INT64_MAX);
	end(&w);
}

static void test_call(void **state)
{
	(void)state;
	call_with(SRTP_EVP, true);
	call_with(SRTP_EVP, false);
	call_with(SRTP_LIBSRTP, true);
	call_with(SRTP_LIBSRTP, false);
}

/* We are late by more than consent lasts, as where the machine has slept: his
 * handshake is due again then, and he may not be sent anything. (Found by
 * fuzz_relay.) */
static void test_handshake_without_consent(void **state)
{
	int64_t last;

	(void)state;
	begin_room(1, SRTP_EVP);
	open_room(0, true);
	while (!w.media_at && w.now < START + 5000)
		pass(&w, 1);
	w.client[0].gone = w.client[1].gone = true;
	last = w.media_at;
	assert_true(last);
	w.now += ICE_CONSENT_LOST_MS + 30000;
	relay_time(w.relay, w.now);
	assert_int_equal(w.media_at, last);
	pass(&w, 60000);
	assert_int_equal(w.media_at, last);
	end(&w);
}

/* --- what is said of it ------------------------------------------------ */

static void send_sealed_rtcp(struct client *c, const unsigned char *bytes,
			     size_t len)
{
	unsigned char p[RELAY_HELD_SIZE];

	memcpy(p, bytes, len);
	assert_non_null(c->out);
	assert_int_equal(srtp_seal_rtcp(c->out, p, &len, sizeof(p)), 0);
	fly_to_relay(c, p, len);
	pass(&w, 2 * DELAY + 1);
}

/* `a` sends, two are lost on the way to us; `b` reports. */
static void report(struct client *a, struct client *b)
{
	unsigned char sr[28] = { 0x80, 200, 0, 6, 0, 0, 0x10,
				 (unsigned char)a->ssrc,
				 0, 0, 0x11, 0x11, 0x22, 0x22 };
	unsigned char rr[32] = { 0x81, 201, 0, 7, 0, 0, 0x10,
				 (unsigned char)b->ssrc, 0, 0, 0x10,
				 (unsigned char)a->ssrc, 0, 0, 0, 5 };

	send_rtp(a, 'a', 200);
	a->seq += 2;
	send_rtp(a, 'a', 200);
	pass(&w, 2 * DELAY + 1);
	sr[13] = (unsigned char)a->seq;
	send_sealed_rtcp(a, sr, sizeof(sr));
	/* The number that he has seen last; 5 ms of 48 kHz. */
	rr[18] = (unsigned char)((a->seq - 1) >> 8);
	rr[19] = (unsigned char)(a->seq - 1);
	rr[23] = 240;
	memcpy(rr + 24, sr + 10, 4);
	send_sealed_rtcp(b, rr, sizeof(rr));
}

static void test_quality(void **state)
{
	const struct wire_closed *c = &w.last[WIRE_CLOSED].closed;
	struct client *a, *b;
	struct wire_msg m;

	(void)state;
	begin_room(1, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	report(a, b);
	wire_begin(&m, WIRE_CLOSE, call_id(0));
	m.close.round = 7;
	say(&w, &m);
	assert_int_equal(c->round, 7);
	assert_int_equal(c->mode, WIRE_ROOM);
	assert_int_equal(c->quality[0].missing, 2);
	assert_int_equal(c->quality[0].reports, 0);
	assert_int_equal(c->quality[1].missing, 0);
	assert_int_equal(c->quality[1].lost, 5);
	assert_int_equal(c->quality[1].reports, 1);
	assert_int_equal(c->quality[1].jitter, 5000);
	assert_int_equal(c->quality[1].trips, 1);
	assert_in_range(c->quality[1].trip, 2 * DELAY, 3 * DELAY + 2);
	/* One that is not there (any more) has none; its round comes back. */
	m.close.round = 8;
	say(&w, &m);
	assert_int_equal(c->round, 8);
	assert_int_equal(c->quality[0].missing, 0);
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNKNOWN), 1);
	end(&w);
}

/* Of several reports it is the mean; more came than were sent (RFC 3550, 6.4.1)
 * is no loss. */
static void test_quality_of_more(void **state)
{
	unsigned char rr[32] = { 0x81, 201, 0, 7, 0, 0, 0x10, 0, 0, 0, 0x10,
				 1, 0, 0xff, 0xff, 0xfe };
	const struct wire_closed *c = &w.last[WIRE_CLOSED].closed;
	struct client *a, *b;

	(void)state;
	begin_room(17, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	report(a, b);
	report(a, b);
	send_rtp(b, 'b', 100);                 /* his second comes late */
	b->seq -= 2;
	send_rtp(b, 'b', 100);
	pass(&w, 2 * DELAY + 1);
	send_sealed_rtcp(a, rr, sizeof(rr));
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	assert_int_equal(c->quality[0].missing, 4);
	assert_int_equal(c->quality[0].lost, 0);
	assert_int_equal(c->quality[1].missing, 0);
	assert_int_equal(c->quality[1].reports, 2);
	assert_int_equal(c->quality[1].jitter, 5000);
	assert_int_equal(c->quality[1].trips, 2);
	assert_in_range(c->quality[1].trip, 2 * DELAY, 3 * DELAY + 2);
	end(&w);
}

/* Why his handshake does not go on is said, and not for ever. */
static void test_trouble(void **state)
{
	unsigned char alert[15] = { 21, 0xfe, 0xfd, [12] = 2, 2, 40 };
	struct client *a;
	struct wire_msg m;
	unsigned i;

	(void)state;
	begin_room(1, SRTP_EVP);
	open_call(&w, 0, 3);
	a = &w.client[0];
	arm(a, false);
	secure(a, true, "sha-256");
	pass(&w, 4 * DELAY);
	dtls_srtp_free(a->dtls);               /* he says nothing more */
	a->dtls = NULL;
	assert_int_equal(w.said[WIRE_TROUBLE], 0);
	for (i = 0; i < 3; i++) {              /* once for all alike */
		alert[14] = 46;
		fly_to_relay(a, alert, sizeof(alert));
		pass(&w, 2 * DELAY);
	}
	assert_int_equal(w.said[WIRE_TROUBLE], 1);
	for (i = 0; i < 20; i++) {
		alert[14] = i % 2 ? 40 : 46;
		fly_to_relay(a, alert, sizeof(alert));
		pass(&w, 2 * DELAY);
		if (i == 0)
			assert_string_equal(
				w.last[WIRE_TROUBLE].trouble.text,
				"his alert: certificate unknown");
		if (i == 1)
			assert_string_equal(
				w.last[WIRE_TROUBLE].trouble.text,
				"his alert: handshake failure");
	}
	assert_int_equal(w.last[WIRE_TROUBLE].side, WIRE_CALLER);
	assert_int_equal(w.last[WIRE_TROUBLE].transport, 3);
	assert_int_equal(w.said[WIRE_TROUBLE], 4);
	/* Who comes in his place has troubles of his own, also the last one. */
	wire_begin(&m, WIRE_RENEW, call_id(0));
	m.transport = 3;
	say(&w, &m);
	tell_of(&w, a);
	tell_client(&w, a);
	pass(&w, 4 * DELAY);
	secure(a, true, "sha-256");
	fly_to_relay(a, alert, sizeof(alert));
	pass(&w, 2 * DELAY);
	assert_int_equal(w.said[WIRE_TROUBLE], 5);
	end(&w);
}

/* What is read on the way of one leg is of no use on the other's: the keys
 * differ. */
static void test_keys(void **state)
{
	struct client *a, *b;
	unsigned char p[RELAY_HELD_SIZE];
	size_t len;

	(void)state;
	begin_room(2, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	len = make_rtp(a, p, 'a', 200);
	assert_non_null(a->out);
	assert_int_equal(srtp_seal_rtp(a->out, p, &len, sizeof(p)), 0);
	assert_non_null(b->in);
	assert_int_equal(srtp_open_rtp(b->in, p, &len), EACCES);
	end(&w);
}

/* A21: another certificate than signalling named gets no keys, and says so;
 * nothing of the other side goes to him. */
static void test_wrong_certificate(void **state)
{
	unsigned begins;

	(void)state;
	for (begins = 0; begins < 2; begins++) {
		struct client *a, *b;

		begin_room(3, SRTP_EVP);
		open_call(&w, 0, 0);
		a = &w.client[0];
		b = &w.client[1];
		arm(a, begins);
		arm(b, true);
		secure(b, false, "sha-256");
		/* His key, but the fingerprint of another. */
		dtls_identity_free(a->id);
		a->id = identity();
		secure(a, !begins, "sha-256");
		map(a, AUDIO);
		map(b, AUDIO);
		pass(&w, 1000);
		assert_non_null(strstr(w.log, "0.0 caller insecure"));
		assert_null(strstr(w.log, "caller secure"));
		assert_non_null(strstr(w.log, "0.0 callee secure"));
		if (a->out)
			send_rtp(a, 'x', 200);
		send_rtp(b, 'y', 200);
		pass(&w, 1000);
		assert_int_equal(a->got + b->got, 0);
		assert_int_equal(dropped(WIRE_NO_KEYS), a->out ? 2 : 1);
		end(&w);
	}
}

/* A hash that we cannot compute is no reason to trust him. */
static void test_unknown_hash(void **state)
{
	(void)state;
	begin_room(4, SRTP_EVP);
	open_call(&w, 0, 0);
	arm(&w.client[0], true);
	secure(&w.client[0], false, "sha-1");
	pass(&w, 1000);
	assert_non_null(strstr(w.log, "0.0 caller insecure"));
	assert_null(strstr(w.log, "caller secure"));
	end(&w);
}

/* His ClientHello is here before his answer: it waits, for two seconds. */
static void test_early_hello(void **state)
{
	struct client *a;

	(void)state;
	begin_room(5, SRTP_EVP);
	open_call(&w, 0, 0);
	a = &w.client[0];
	arm(a, true);
	pass(&w, 100);             /* ICE is there */
	assert_non_null(strstr(w.log, "0.0 caller dtls"));
	pass(&w, 100);
	secure(a, false, "sha-256");
	pass(&w, 4 * DELAY + 1);   /* before he repeats it */
	assert_non_null(strstr(w.log, "0.0 caller secure"));
	end(&w);
	/* Nobody says who he is. */
	begin_room(5, SRTP_EVP);
	open_call(&w, 0, 0);
	arm(&w.client[0], true);
	pass(&w, 60000);
	assert_null(strstr(w.log, "secure"));
	assert_true(dropped(WIRE_TOO_EARLY) > 2);
	end(&w);
}

/* Said again it changes nothing; another one does not count. */
static void test_said_again(void **state)
{
	struct client *a, *b;

	(void)state;
	begin_room(6, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	secure(a, false, "sha-256");
	secure(a, true, "sha-256");
	dtls_identity_free(b->id);
	b->id = identity();
	secure(b, true, "sha-256");
	pass(&w, 1000);
	talk(a, b);
	assert_null(strstr(w.log, "insecure"));
	end(&w);
}

/* A17-A19: forged, repeated and broken packets of a right address. */
static void test_bad_packets(void **state)
{
	struct client *a, *b;
	unsigned char p[RELAY_HELD_SIZE];
	size_t len, i;

	(void)state;
	begin_room(7, SRTP_EVP);
	open_call(&w, 0, 0);
	a = &w.client[0];
	b = &w.client[1];
	arm(a, true);
	arm(b, false);
	pass(&w, 100);
	len = make_rtp(a, p, 'a', 100);
	fly_to_relay(a, p, len);   /* before the handshake */
	pass(&w, DELAY + 1);
	assert_int_equal(dropped(WIRE_NO_KEYS), 1);
	secure(a, false, "sha-256");
	secure(b, true, "sha-256");
	map(a, AUDIO);
	map(b, AUDIO);
	pass(&w, 1000);
	fly_to_relay(a, p, len);   /* not sealed */
	pass(&w, DELAY + 1);
	assert_int_equal(dropped(WIRE_NOT_AUTHENTIC), 1);
	assert_non_null(a->out);
	assert_int_equal(srtp_seal_rtp(a->out, p, &len, sizeof(p)), 0);
	fly_to_relay(a, p, len);
	fly_to_relay(a, p, len);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->got, 1);
	assert_int_equal(dropped(WIRE_REPLAYED), 1);
	for (i = 0; i < len * 8; i += 37) {
		p[i / 8] ^= (unsigned char)(1u << i % 8);
		fly_to_relay(a, p, len);
		pass(&w, DELAY + 1);
		p[i / 8] ^= (unsigned char)(1u << i % 8);
	}
	for (i = 0; i < len; i++) {
		fly_to_relay(a, p, i);
		pass(&w, DELAY + 1);
	}
	pass(&w, 1000);
	assert_int_equal(b->got, 1);
	spray(&w, &a->addr);
	spray(&w, &b->addr);
	pass(&w, 1000);
	talk(a, b);
	assert_null(strstr(w.log, "lost"));
	end(&w);
}

/* As long as a datagram can be: RTCP that grows by our SDES is too long for one
 * then, and is dropped; RTP passes. */
static void test_longest(void **state)
{
	unsigned char p[RELAY_PACKET_MAX], longer[RELAY_PACKET_MAX + 1] = {
		0x80, AUDIO };
	struct client *a, *b;
	size_t len = 0;

	(void)state;
	begin_room(16, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	while (len < RELAY_PACKET_MAX - SRTP_TRAILER_MAX - 8)
		len += make_rtcp(a, p + len);
	memcpy(p + len, "\x80\xca\0", 4);     /* an SDES of nobody */
	len += 4;
	assert_int_equal(srtp_seal_rtcp(a->out, p, &len, sizeof(p)), 0);
	assert_in_range(len, RELAY_PACKET_MAX - 8, RELAY_PACKET_MAX);
	fly_to_relay(a, p, len);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->got, 0);
	assert_int_equal(dropped(WIRE_NOT_RTP), 1);
	len = make_rtp(a, p, 'a', RELAY_PACKET_MAX - 16);
	assert_int_equal(srtp_seal_rtp(a->out, p, &len, sizeof(p)), 0);
	assert_int_equal(len, RELAY_PACKET_MAX);
	fly_to_relay(a, p, len);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->got, 1);
	to_relay(&w, &a->addr, longer, sizeof(longer));
	assert_int_equal(dropped(WIRE_NOT_RTP), 2);
	talk(a, b);
	end(&w);
}

/* A tenth of all packets lost: it takes longer. */
static void test_loss(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		begin_room(seed, SRTP_EVP);
		w.loss = 10;
		open_room(0, seed % 2);
		pass(&w, 15000);
		w.loss = 0;
		if (!w.client[0].out || !w.client[1].out)
			fail_msg("seed %d: %s", (int)seed, w.log);
		pass(&w, 5000);
		talk(&w.client[0], &w.client[1]);
		end(&w);
	}
}

/* He is at another address: ICE follows, DTLS does not notice. */
static void test_moves(void **state)
{
	struct client *a;

	(void)state;
	begin_room(8, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	a->addr = address("192.0.2.77", 6007);
	a->config.local[0].base = a->addr;
	pass(&w, 10000);
	talk(a, &w.client[1]);
	end(&w);
}

/* Calls in both modes beside each other; SECURITY is of `room` alone. */
static void test_modes(void **state)
{
	uint64_t n;

	(void)state;
	begin_room(9, SRTP_EVP);
	open_room(0, true);
	w.mode = WIRE_BLIND;
	open_call(&w, 1, 0);
	assert_int_equal(w.last[WIRE_READY].ready.fingerprint.len, 0);
	pass(&w, 1000);
	w.client[2].id = identity();
	n = relay_counted(w.relay, RELAY_N_UNKNOWN);
	secure(&w.client[2], true, "sha-256");
	assert_int_equal(relay_counted(w.relay, RELAY_N_UNKNOWN), n + 1);
	exchange(&w, &w.client[2], &w.client[3], SRTP);
	talk(&w.client[0], &w.client[1]);
	end(&w);
}

/* A new certificate for new calls; the old one's go on, also on another
 * transport. */
static void test_rotation(void **state)
{
	struct wire_fingerprint first;
	struct dtls_identity *id = identity();

	(void)state;
	begin_room(10, SRTP_EVP);
	open_room(0, true);
	first = w.fingerprint;
	relay_set_identity(w.relay, id);
	dtls_identity_free(id);
	open_room(1, false);
	assert_memory_not_equal(&first, &w.fingerprint, sizeof(first));
	tell(&w, WIRE_OPEN, 0, 1, 0);
	assert_memory_equal(&first, &w.fingerprint, sizeof(first));
	pass(&w, 1000);
	talk(&w.client[0], &w.client[1]);
	talk(&w.client[2], &w.client[3]);
	end(&w);
}

/* Without a map, and of a number that is not in it, nothing passes. */
static void test_map(void **state)
{
	struct client *a, *b;

	(void)state;
	begin_room(11, SRTP_EVP);
	open_call(&w, 0, 0);
	a = &w.client[0];
	b = &w.client[1];
	arm(a, true);
	arm(b, false);
	secure(a, false, "sha-256");
	secure(b, true, "sha-256");
	pass(&w, 1000);
	send_rtp(a, 'a', 100);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(dropped(WIRE_NOT_MAPPED), 1);
	map(a, 99);
	send_rtp(a, 'a', 100);
	a->type = 110;
	send_rtp(a, 'a', 100);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->got, 1);
	assert_int_equal(b->last[1], 99);
	assert_int_equal(dropped(WIRE_NOT_MAPPED), 2);
	end(&w);
}

/* From now on he sends as another SSRC. His side has no limit of them. */
static void become(struct client *c, uint32_t ssrc)
{
	const struct dtls_srtp_keys *k = &c->keys;

	srtp_free(c->out);
	assert_int_equal(srtp_new(k->profile, SRTP_SEALS, SRTP_EVP, k->our_key,
				  k->our_salt, &c->out), 0);
	c->ssrc = ssrc;
}

/* A client may take another SSRC each time that he is muted, for all of a call,
 * and whoever reports as well. What he sent before is as old as ever. */
static void ssrcs_with(enum srtp_backend srtp)
{
	unsigned char first[100 + SRTP_TRAILER_MAX];
	size_t len = 100;
	struct client *a, *b;
	unsigned i;

	begin_room(18, srtp);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	make_rtp(a, first, 'a', len);
	assert_int_equal(srtp_seal_rtp(a->out, first, &len, sizeof(first)), 0);
	fly_to_relay(a, first, len);
	pass(&w, REWRITE_SILENT_MS);
	assert_int_equal(b->got, 1);
	b->got = 0;
	for (i = 0; i < 3 * REWRITE_SOURCES_MAX; i++) {
		become(a, 0x2000 + i);
		become(b, 0x3000 + i);
		send_rtp(a, 'a', 100);
		send_rtcp(b);
		pass(&w, 1000);
		send_rtp(a, 'a', 100);
		pass(&w, REWRITE_SILENT_MS);
		assert_int_equal(b->got, 2 * (i + 1));
		assert_int_equal(a->got, i + 1);
	}
	assert_int_equal(dropped(WIRE_REPLAYED), 0);
	fly_to_relay(a, first, len);
	pass(&w, 1000);
	assert_int_equal(b->got, 2 * i);
	assert_int_equal(dropped(WIRE_REPLAYED), 1);
	end(&w);
}

static void test_ssrcs(void **state)
{
	(void)state;
	ssrcs_with(SRTP_EVP);
	ssrcs_with(SRTP_LIBSRTP);
}

/* F23: he comes back on another device, with another certificate, SSRC and
 * numbers: for the one who stayed his sound goes on. What the old device has is
 * of no use any more. */
static void test_renew(void **state)
{
	struct wire_msg m;
	struct client *a, *b, *again;
	uint64_t n;

	(void)state;
	begin_room(12, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	talk(a, b);
	wire_begin(&m, WIRE_RENEW, call_id(0));
	m.side = WIRE_CALLER;
	say(&w, &m);
	assert_int_equal(w.said[WIRE_CREDENTIALS], 1);
	w.log[0] = '\0';
	again = add_client(&w, "192.0.2.66", 6600, 0, 0, WIRE_CALLER);
	tell_of(&w, again);
	tell_client(&w, again);
	arm(again, true);
	again->ssrc = 0x2000;
	again->seq = 500;
	again->type = VIDEO + 1;
	secure(again, false, "sha-256");
	wire_begin(&m, WIRE_MAP, call_id(0));
	m.map.type[VIDEO + 1] = (struct rewrite_type) {
		.clock = 48000, .out = AUDIO, .media = REWRITE_AUDIO,
		.apt = REWRITE_NO_APT };
	say(&w, &m);
	map(b, VIDEO + 1);
	pass(&w, 1000);
	assert_non_null(strstr(w.log, "0.0 caller connected"));
	assert_non_null(strstr(w.log, "0.0 caller secure"));
	assert_null(strstr(w.log, "callee"));
	n = relay_counted(w.relay, RELAY_N_STRANGERS);
	send_rtp(a, 'x', 100);     /* the old one is a stranger */
	pass(&w, 1000);
	assert_int_equal(relay_counted(w.relay, RELAY_N_STRANGERS), n + 1);
	b->got = 0;
	send_rtp(again, 'n', 100);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->got, 1);
	assert_int_equal(b->last[1], AUDIO);
	assert_int_equal(b->last[10] << 8 | b->last[11], 0x1000);
	assert_int_equal(b->last[2] << 8 | b->last[3], 65531);
	again->got = 0;
	send_rtp(b, 'b', 100);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(again->got, 1);
	assert_int_equal(again->last[1], VIDEO + 1);
	end(&w);
}

/* What waited of who was there before does not come to who is there now. */
static void test_renew_forgets_hello(void **state)
{
	struct wire_msg m;
	struct client *a;

	(void)state;
	begin_room(18, SRTP_EVP);
	open_call(&w, 0, 0);
	a = &w.client[0];
	arm(a, true);
	while (!strstr(w.log, "caller dtls"))
		pass(&w, 1);
	a->gone = true;
	wire_begin(&m, WIRE_RENEW, call_id(0));
	m.side = WIRE_CALLER;
	say(&w, &m);
	pass(&w, 2 * RELAY_HELD_MS);
	assert_int_equal(dropped(WIRE_TOO_EARLY), 0);
	end(&w);
}

/* A picture within a second: who can see at last makes us ask for a whole
 * one, and so does who sends at last, and who reports of one at last. */
static void test_picture(void **state)
{
	unsigned char rr[32] = { 0x81, 201, 0, 7 };
	struct client *a, *b;

	(void)state;
	begin_room(13, SRTP_EVP);
	open_call(&w, 0, 0);
	a = &w.client[0];
	b = &w.client[1];
	arm(a, true);
	arm(b, true);
	secure(a, false, "sha-256");
	map(a, AUDIO);
	map(b, AUDIO);
	pass(&w, 1000);
	a->type = VIDEO;
	send_rtp(a, 'a', 100);
	pass(&w, 1000);
	assert_int_equal(dropped(WIRE_NO_KEYS), 1);
	assert_int_equal(a->got, 0);
	secure(b, false, "sha-256");
	pass(&w, 1000);
	assert_int_equal(a->got, 1);
	/* An empty RR, and a PLI for his SSRC (RFC 4585, 6.3.1). */
	assert_int_equal(a->last_len, 8 + 12);
	assert_int_equal(a->last[8], 0x81);
	assert_int_equal(a->last[9], 206);
	assert_int_equal(a->last[18] << 8 | a->last[19], a->ssrc);
	/* Once more when he sends: not before need he take pictures in. */
	a->got = 0;
	send_rtp(b, 'b', 100);
	send_rtp(b, 'b', 100);
	pass(&w, 1000);
	assert_int_equal(a->got, 3);
	/* And when he reports of it, not before need he keep one. */
	rr[6] = (unsigned char)(b->ssrc >> 8);
	rr[7] = (unsigned char)b->ssrc;
	rr[10] = (unsigned char)(a->ssrc >> 8);
	rr[11] = (unsigned char)a->ssrc;
	a->got = 0;
	send_sealed_rtcp(b, rr, sizeof(rr));
	assert_int_equal(a->got, 1 + 1);
	assert_int_equal(a->last[9], 206);
	assert_int_equal(a->last[18] << 8 | a->last[19], a->ssrc);
	send_sealed_rtcp(b, rr, sizeof(rr));
	assert_int_equal(a->got, 2 + 1);
	end(&w);
}

/* A27: within 30 s of his last answer no media go to him; what he sends once
 * his checks are that old is not passed on. */
static void test_consent(void **state)
{
	struct client *a, *b;
	int64_t last;
	unsigned i;

	(void)state;
	begin_room(14, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	a = &w.client[0];
	b = &w.client[1];
	talk(a, b);
	b->gone = true;
	last = w.now + DELAY;      /* an answer of his may be on its way */
	for (i = 0; i < 400; i++) {
		send_rtp(a, 'x', 200);
		pass(&w, 100);
	}
	assert_non_null(strstr(w.log, "0.0 callee lost\n"));
	assert_in_range(w.media_at, last + 24000, last + ICE_CONSENT_LOST_MS);
	assert_in_range(dropped(WIRE_NOBODY), 80, 150);
	ROW("A27", "who answers no more: within %d s nothing but checks goes "
	    "there", ICE_CONSENT_LOST_MS / 1000);
	i = a->got;
	b->gone = false;
	send_rtp(b, 'y', 200);
	b->gone = true;
	pass(&w, 1000);
	assert_int_equal(a->got, i);
	end(&w);
}

/* A27: of who was in it, nothing comes and nothing goes. */
static void test_closed(void **state)
{
	unsigned i, sends;

	(void)state;
	begin_room(15, SRTP_EVP);
	open_room(0, true);
	pass(&w, 1000);
	talk(&w.client[0], &w.client[1]);
	tell(&w, WIRE_CLOSE, 0, 0, 0);
	sends = w.sends;
	for (i = 0; i < 600; i++) {
		send_rtp(&w.client[i % 2], 'x', 200);
		pass(&w, 100);
	}
	assert_int_equal(w.sends, sends);
	ROW("A27", "%u packets to either in the 60 s after CLOSE",
	    w.sends - sends);
	end(&w);
}

static void test_table(void **state)
{
	(void)state;
	judge_table("test_relay_room");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call),
		cmocka_unit_test(test_handshake_without_consent),
		cmocka_unit_test(test_quality),
		cmocka_unit_test(test_quality_of_more),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_wrong_certificate),
		cmocka_unit_test(test_unknown_hash),
		cmocka_unit_test(test_early_hello),
		cmocka_unit_test(test_said_again),
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_ssrcs),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_renew_forgets_hello),
		cmocka_unit_test(test_picture),
		cmocka_unit_test(test_consent),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
