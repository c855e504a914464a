/* test_media_forged.c: packets of somebody who writes the address of one of
 * the two onto them, and a side that is not who it should be, at the real
 * privatecall-media in both modes: nothing of it opens, and the call goes on.
 */
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include "tests/unit/media_attack_test.h"

#define ROW(code, ...) \
	row(code, mode_name(), "test_media_forged", __func__, __VA_ARGS__)

/* --- A15, A21: forged, with his address ------------------------------- */

static void test_wrong_tags(void **state)
{
	struct peer *a;
	struct wire_closed c;
	unsigned char bytes[PACKET];
	unsigned i, sent = 0;
	size_t len;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	for (i = 0; i < 256; i++) {
		len = forge_rtp(a, bytes, 200);
		send_forged(bytes, len, &sent);
	}
	len = seal_rtp(a, bytes, 100);
	for (i = 1; i < len; i++) {        /* one bit of each byte */
		bytes[i] ^= 1u << i % 8;
		send_forged(bytes, len, &sent);
		bytes[i] ^= 1u << i % 8;
	}
	unharmed(0);
	c = finish();
	judge_forged(&c, sent);
	ROW("A15", "%u packets with his address, the right SSRC, number and "
	    "payload type and a wrong tag, or one bit of a right packet "
	    "changed: %s", sent, what_forged_do());
}

/* What the other side sealed, as if the caller had. */
static void test_other_leg(void **state)
{
	struct wire_closed c;
	unsigned char bytes[PACKET];
	unsigned i, sent = 0;
	size_t len;

	(void)state;
	begin();
	for (i = 0; i < 256; i++) {
		len = seal_rtp(of_call(0, WIRE_CALLEE), bytes, 200);
		send_forged(bytes, len, &sent);
	}
	unharmed(0);
	c = finish();
	judge_forged(&c, sent);
	ROW("A15", "%u packets with his address that the other side sealed: "
	    "%s", sent, what_forged_do());
}

static void test_plain(void **state)
{
	static const unsigned char rr[8] = { 0x80, 201, 0, 1 };
	struct peer *a;
	struct wire_closed c;
	unsigned char bytes[PACKET];
	unsigned i, sent = 0;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	for (i = 0; i < 128; i++) {
		send_forged(bytes, make_rtp(a, bytes, 200), &sent);
		send_forged(rr, sizeof(rr), &sent);
	}
	unharmed(0);
	c = finish();
	judge_forged(&c, sent);
	ROW("A21", "%u packets of plain RTP and RTCP with his address: %s",
	    sent, what_forged_do());
}

/* --- A18: no media before the right certificate ----------------------- */

/* The caller of this call is not who control says: what he says he is. */
static void wrong_caller(unsigned call, const char *hash, uint32_t len)
{
	struct peer *a, *b;
	struct wire_fingerprint f;

	open_call_at(call, "127.0.0.1", "127.0.0.1");
	a = of_call(call, WIRE_CALLER);
	b = of_call(call, WIRE_CALLEE);
	give_identity(a);
	give_identity(b);
	fingerprint_of(b, &f);             /* another's */
	if (len)
		f.len = len;
	memset(f.hash, 0, sizeof(f.hash));
	strcpy(f.hash, hash);
	secure(a, &f);
	fingerprint_of(b, &f);
	secure(b, &f);
	map(a);
	map(b);
	arm(a);
	if (mode == WIRE_ROOM) {
		arm(b);
	} else {
		assert_int_equal(dtls_srtp_new(b->id, is_active(b), &b->dtls),
				 0);
		assert_int_equal(dtls_srtp_expect(b->dtls, f.hash, f.value,
						  f.len), 0);
	}
	tell_all(call);
}

/* Both ways whatever they have: nothing of it is opened. */
static void nothing_passes(unsigned call)
{
	unsigned char bytes[PACKET];
	unsigned side;
	size_t len;

	for (side = 0; side < WIRE_SIDES; side++) {
		struct peer *p = of_call(call, side);

		len = p->out ? seal_rtp(p, bytes, 200) :
			       make_rtp(p, bytes, 200);
		send_as(p, bytes, len);
	}
	talk(0);
	for (side = 0; side < WIRE_SIDES; side++) {
		receive(of_call(call, side));
		assert_int_equal(of_call(call, side)->opened, 0);
		assert_true(mode == WIRE_BLIND || !of_call(call, side)->bad);
	}
	assert_false(steps[call][WIRE_CALLER] & 1u << WIRE_SECURE);
}

static bool has_failed(unsigned call)
{
	const struct peer *b = of_call(call, WIRE_CALLEE);

	return mode == WIRE_ROOM ?
	       steps[call][WIRE_CALLER] & 1u << WIRE_INSECURE &&
	       steps[call][WIRE_CALLEE] & 1u << WIRE_SECURE :
	       dtls_srtp_state(b->dtls) == DTLS_SRTP_WRONG_CERTIFICATE;
}

static void test_certificates(void **state)
{
	static const struct { const char *hash; uint32_t len; } of[] = {
		{ "sha-256", 0 }, { "sha-256", 0 }, { "md5", 16 },
		{ "md5", 16 }, { "sha-1", 20 }, { "sha-1", 20 },
		{ "sha3-256", 32 }, { "sha3-256", 32 },
	};
	const unsigned calls = mode == WIRE_ROOM ? 8 : 2;
	unsigned i;

	(void)state;
	begin();
	for (i = 0; i < calls; i++) {
		wrong_caller(1 + i, of[i].hash, of[i].len);
		wait_for(has_failed(1 + i));
		nothing_passes(1 + i);
	}
	unharmed(0);
	finish();
	if (mode == WIRE_ROOM)
		ROW("A18", "another certificate than signalling named, or a "
		    "hash of MD5, SHA-1, unknown, in both roles: `insecure`, "
		    "0 media pass either way");
	else
		ROW("A18", "another certificate than signalling named, in both "
		    "roles: the other client refuses it, 0 media open (the "
		    "handshake is theirs)");
}

/* Whoever shows none at all: OpenSSL alone, as the caller. */
static SSL *nameless(SSL_CTX *ctx)
{
	SSL *ssl = SSL_new(ctx);

	assert_non_null(ssl);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_options(ssl, SSL_OP_NO_QUERY_MTU);
	DTLS_set_link_mtu(ssl, 1400);
	SSL_set_connect_state(ssl);
	return ssl;
}

static void to_nameless(struct peer *p)
{
	BIO_write(p->arg, p->bytes, (int)p->len);
}

/* A turn of it: what it says to what came. */
static void nameless_turn(SSL *ssl, struct peer *a)
{
	unsigned char bytes[4 * PACKET];
	int len;

	SSL_do_handshake(ssl);
	len = BIO_read(SSL_get_wbio(ssl), bytes, sizeof(bytes));
	if (len > 0)
		send_as(a, bytes, (size_t)len);
}

static void test_no_certificate(void **state)
{
	SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
	struct wire_fingerprint f;
	struct peer *a, *b;
	unsigned seen, i;
	SSL *ssl;

	(void)state;
	assert_int_equal(SSL_CTX_set_tlsext_use_srtp(ctx,
				"SRTP_AES128_CM_SHA1_80"), 0);
	begin();
	prepare_call(1);
	open_call_at(2, "127.0.0.1", "127.0.0.1");
	a = of_call(2, WIRE_CALLER);
	b = of_call(2, WIRE_CALLEE);
	give_identity(a);
	give_identity(b);
	fingerprint_of(a, &f);
	secure(a, &f);
	fingerprint_of(b, &f);
	secure(b, &f);
	arm(b);
	tell_all(2);
	wait_for(both(2, WIRE_CONNECTED) && ice_selected(&a->agent));
	ssl = nameless(ctx);
	a->take_h = to_nameless;
	a->arg = SSL_get_rbio(ssl);
	seen = a->got;
	nameless_turn(ssl, a);
	wait_for(a->got != seen);          /* who is asked for one */
	for (i = 0; i < 8; i++) {
		talk(0);
		nameless_turn(ssl, a);
	}
	assert_int_equal(SSL_get_state(ssl), TLS_ST_CW_FINISHED);
	assert_false(SSL_is_init_finished(ssl));
	nothing_passes(2);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	unharmed(0);
	finish();
	ROW("A18", "a caller who shows no certificate: no keys, 0 media pass");
}

/* On what stands: another one's handshake, with his address. */
static void test_second_handshake(void **state)
{
	struct peer *a;
	unsigned char bytes[PACKET];
	unsigned i, side;
	size_t len;

	(void)state;
	begin();
	for (side = 0; side < WIRE_SIDES; side++) {
		a = of_call(0, side);
		for (i = 0; i < 64; i++) {
			len = hello_of(i % HELLOS, bytes);
			send_as(a, bytes, len);
			if (i % BURST == 0)
				talk(0);
		}
	}
	unharmed(0);
	nobody_else(0);
	finish();
	ROW("A18", "128 ClientHellos of another on a call that stands, with "
	    "the addresses of both sides: the keys stay");
}

/* --- A19: many of them ------------------------------------------------ */

static void test_flood(void **state)
{
	const unsigned n = many(20000, 1000000);
	struct peer *a;
	struct wire_closed c;
	unsigned char bytes[PACKET];
	unsigned i, sent = 0, lines;
	int64_t began = now_ms();

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	for (i = 0; i < n; i++)
		send_forged(bytes, forge_rtp(a, bytes, 100), &sent);
	unharmed(0);
	c = finish();
	judge_forged(&c, n);
	assert_int_equal(dropped("not-authentic"),
			 mode == WIRE_ROOM ? n : 0);
	lines = log_lines(DROPPED);
	assert_true(lines <= 2 + (now_ms() - began) / 10000);
	ROW("A19", "%u packets with his address and a wrong tag: the call "
	    "stays; %s%s", n, what_forged_do(), mode == WIRE_ROOM ?
	    "; one line in the log each 10 s, and its numbers add up" : "");
}

/* --- A20: once more --------------------------------------------------- */

#define KEPT 10064

static void test_replay(void **state)
{
	static const unsigned after[] = { 1, 64, 10000 };
	static unsigned char kept[KEPT][128];
	struct peer *a, *b;
	struct wire_closed c;
	unsigned i, k, again = 0, opened;
	size_t len = 0;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	opened = b->opened;
	for (i = 0; i < KEPT; i++) {
		len = seal_rtp(a, kept[i], 64);
		send_as(a, kept[i], len);
		for (k = 0; k < 3; k++)
			if (i >= after[k]) {
				send_as(a, kept[i - after[k]], len);
				again++;
			}
		if (i % 4 == 0)
			wait_for(b->opened == opened + i + 1);
	}
	wait_for(b->opened == opened + KEPT);
	unharmed(0);
	c = finish();
	assert_int_equal(b->opened, opened + KEPT + 1);
	assert_int_equal(b->bad, 0);
	assert_int_equal(b->repeated, mode == WIRE_ROOM ? 0 : again);
	assert_int_equal(c.dropped[WIRE_REPLAYED],
			 mode == WIRE_ROOM ? again : 0);
	ROW("A20", "each of %u packets again 1, 64 and 10,000 later, %u in "
	    "all: %s", KEPT, again, mode == WIRE_ROOM ? "0 pass, all counted" :
	    "they pass, 0 open at the other client");
}

/* The number goes round while a third of them is lost. */
static void test_round(void **state)
{
	struct peer *a, *b;
	struct wire_closed c;
	unsigned char before[PACKET], bytes[PACKET];
	unsigned i, sent = 0, opened;
	size_t len, before_len;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	a->seq = 65000;
	before_len = seal_rtp(a, before, 64);
	send_as(a, before, before_len);
	opened = b->opened + 1;
	wait_for(b->opened == opened);
	for (i = 0; i < 2000; i++) {
		len = seal_rtp(a, bytes, 64);
		if (i % 3 == 0)
			continue;
		send_as(a, bytes, len);
		sent++;
		if (sent % BURST == 0)
			wait_for(b->opened == opened + sent);
	}
	wait_for(b->opened == opened + sent);
	send_as(a, before, before_len);
	unharmed(0);
	c = finish();
	assert_int_equal(b->bad + b->repeated, mode == WIRE_ROOM ? 0 : 1);
	assert_int_equal(c.dropped[WIRE_NOT_AUTHENTIC] +
			 c.dropped[WIRE_REPLAYED], mode == WIRE_ROOM);
	ROW("A20", "numbers from 65,000 to 1,463 past the end with a third "
	    "lost: all %u that were sent open; one of before does not", sent);
}

/* SRTCP of every length that is too short. */
static void test_short_rtcp(void **state)
{
	struct wire_closed c;
	unsigned char bytes[32] = { 0x80, 200, 0, 6 };
	struct peer *b;
	unsigned i, sent = 0;

	(void)state;
	begin();
	b = of_call(0, WIRE_CALLEE);
	for (i = 1; i <= 20; i++)
		send_forged(bytes, i, &sent);
	send_as(of_call(0, WIRE_CALLER), bytes, 0);
	unharmed(0);
	c = finish();
	assert_int_equal(b->bad, mode == WIRE_ROOM ? 0 : sent);
	assert_int_equal(c.dropped[WIRE_OTHER_KIND], 1);
	assert_int_equal(c.dropped[WIRE_NOT_RTP] +
			 c.dropped[WIRE_NOT_AUTHENTIC],
			 mode == WIRE_ROOM ? sent : 0);
	ROW("A20", "SRTCP of 0 to 20 bytes with his address: %s",
	    what_forged_do());
}

/* Another device at the same address, with an identity of its own. */
static void come_again(struct peer *p)
{
	unsigned before = said[WIRE_CREDENTIALS];
	unsigned char random[ICE_ENTROPY_SIZE];
	struct wire_fingerprint f;
	struct wire_msg m;

	say_of(p, &m, WIRE_RENEW);
	put(&m);
	wait_for(said[WIRE_CREDENTIALS] == before + 1);
	steps[p->call][p->side] = 0;
	disarm(p);
	random_bytes(random, sizeof(random));
	ice_init(&p->agent, true, random);
	give_identity(p);
	arm(p);
	fingerprint_of(p, &f);
	secure(p, &f);
	map(p);
	tell_of(p);
	tell_peer(p);
}

/* Nothing of before is of use: new keys towards who comes back; towards who
 * stayed the numbers go on, and none comes twice. */
static void test_renewed(void **state)
{
	static unsigned char old[64][PACKET];
	struct dtls_srtp_keys keys;
	struct peer *a, *b;
	struct wire_closed c;
	unsigned i, opened;
	size_t len = 0;

	(void)state;
	begin();
	a = of_call(0, WIRE_CALLER);
	b = of_call(0, WIRE_CALLEE);
	for (i = 0; i < 64; i++) {
		len = seal_rtp(a, old[i], 200);
		send_as(a, old[i], len);
		wait_for(b->opened == i + 1);
	}
	keys = a->keys;
	come_again(a);
	map(b);                            /* as he knows him now */
	wait_for(stands(0));
	assert_memory_not_equal(keys.our_key, a->keys.our_key,
				DTLS_SRTP_KEY_SIZE);
	assert_memory_not_equal(keys.his_key, a->keys.his_key,
				DTLS_SRTP_KEY_SIZE);
	opened = b->opened;
	for (i = 0; i < 64; i++) {
		send_as(a, old[i], len);
		talk(0);
	}
	unharmed(0);
	nobody_else(0);
	assert_int_equal(b->opened, opened + 65);
	c = finish();
	assert_int_equal(c.dropped[WIRE_NOT_AUTHENTIC] +
			 c.dropped[WIRE_REPLAYED], 64);
	ROW("A20", "he comes back: other keys both ways, 64 packets of before "
	    "do not pass; to who stayed no number comes twice");
}

static void test_table(void **state)
{
	(void)state;
	if (at_length())
		skip();
	judge_table("test_media_forged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(test_wrong_tags), IN_BOTH(test_other_leg),
		IN_BOTH(test_plain), IN_BOTH(test_certificates),
		IN_BOTH(test_no_certificate), IN_BOTH(test_second_handshake),
		IN_BOTH(test_flood), IN_BOTH(test_replay), IN_BOTH(test_round),
		IN_BOTH(test_short_rtcp), IN_ROOM(test_renewed),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
