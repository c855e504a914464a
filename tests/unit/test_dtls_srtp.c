/* test_dtls_srtp.c: DTLS-SRTP associations with peers of every kind over a
 * network that is good or bad: both roles, the same keys on both sides, late
 * fingerprints, what is freed when.
 */
#include "tests/unit/dtls_srtp_test.h"

#include <malloc.h>
#include <stdio.h>

#define GCM SRTP_AEAD_AES_128_GCM
#define SHA1 SRTP_AES128_CM_SHA1_80

static const struct peer_kind ordinary = ORDINARY;

/* --- peers ------------------------------------------------------------ */

static const struct {
	struct peer_kind k;
	unsigned long profile[2];  /* where we are passive, active */
} peers[] = {
	{ ORDINARY, { GCM, GCM } },
	{ { "RSA", KEY_RSA, -1, 30, GCM_FIRST, NULL, DTLS1_2_VERSION, 0,
	    false }, { GCM, GCM } },
	{ { "P-384", KEY_P384, -1, 30, GCM_FIRST, NULL, DTLS1_2_VERSION, 0,
	    false }, { GCM, GCM } },
	{ { "P-521", KEY_P521, -1, 30, GCM_FIRST, NULL, DTLS1_2_VERSION, 0,
	    false }, { GCM, GCM } },
	{ { "dated from tomorrow, SHA1 only", KEY_P256, 1, 31,
	    "SRTP_AES128_CM_SHA1_80", NULL, DTLS1_2_VERSION, 0, false },
	  { SHA1, SHA1 } },
	{ { "expired", KEY_P256, -60, -30, GCM_FIRST, NULL, DTLS1_2_VERSION,
	    0, false }, { GCM, GCM } },
	{ { "rather SHA1", KEY_P256, -1, 30,
	    "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:"
	    "SRTP_AEAD_AES_128_GCM", NULL, DTLS1_2_VERSION, 0, false },
	  { GCM, SHA1 } },
	{ { "a ClientHello of two fragments", KEY_P256, -1, 30, GCM_FIRST,
	    NULL, DTLS1_2_VERSION, 1100, false }, { GCM, GCM } },
	{ { "ChaCha20", KEY_P256, -1, 30, GCM_FIRST,
	    "ECDHE-ECDSA-CHACHA20-POLY1305", DTLS1_2_VERSION, 0, false },
	  { GCM, GCM } },
	{ { "AES-256", KEY_P256, -1, 30, GCM_FIRST,
	    "ECDHE-ECDSA-AES256-GCM-SHA384", DTLS1_2_VERSION, 0, false },
	  { GCM, GCM } },
};

#define PEERS (sizeof(peers) / sizeof(peers[0]))

static void meet(const struct peer_kind *k, bool active,
		 unsigned long profile)
{
	struct world w;
	struct dtls_srtp_keys keys;
	int64_t ms;

	world_begin(&w, k, active);
	expect_him(&w);
	start(&w);
	ms = until(&w, DTLS_SRTP_DONE, 45);
	pass(&w, 100);
	/* Four flights; where we are passive the last one is ours. */
	if (ms != (active ? 4 : 3) * DELAY_MS || !w.peer_done || w.peer_failed)
		fail_msg("%s: %d ms", k->what, (int)ms);
	assert_true(w.longest > 0 && w.longest <= DTLS_SRTP_OUT_MAX);
	assert_int_equal(SSL_get_selected_srtp_profile(w.ssl)->id, profile);
	assert_int_equal(SSL_session_reused(w.ssl), 0);
	assert_false(SSL_SESSION_has_ticket(SSL_get0_session(w.ssl)));
	judge_keys(&w);
	assert_int_equal(dtls_srtp_take_keys(w.ours, &keys), ENODATA);
	world_end(&w);
}

static void peers_of_every_kind(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < PEERS; i++) {
		meet(&peers[i].k, false, peers[i].profile[0]);
		meet(&peers[i].k, true, peers[i].profile[1]);
	}
}

static void key_exchange_is_x25519(void **state)
{
	struct world w;
	EVP_PKEY *key;

	(void)state;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 200);
	pass(&w, 100);
	assert_true(SSL_get_peer_tmp_key(w.ssl, &key));
	assert_int_equal(EVP_PKEY_get_id(key), EVP_PKEY_X25519);
	EVP_PKEY_free(key);
	assert_int_equal(SSL_get_secure_renegotiation_support(w.ssl), 1);
	world_end(&w);
}

/* --- a bad network ---------------------------------------------------- */

static bool both_are_done(const struct world *w)
{
	return dtls_srtp_state(w->ours) == DTLS_SRTP_DONE &&
	       (w->theirs ?
		dtls_srtp_state(w->theirs) == DTLS_SRTP_DONE : w->peer_done);
}

/* With those faults: the datagrams that were sent until both were done. */
static unsigned through(const struct peer_kind *k, bool active, int a,
			enum fate of_a, int b, enum fate of_b, int64_t limit)
{
	struct world w;
	unsigned sent;
	int64_t began;

	if (k)
		world_begin(&w, k, active);
	else
		world_of_two(&w, active);
	w.which[0] = a;
	w.which[1] = b;
	w.fate[0] = of_a;
	w.fate[1] = of_b;
	expect_him(&w);
	began = virtual_now;
	start(&w);
	while (!both_are_done(&w) && virtual_now - began < limit)
		pass(&w, 1);
	sent = w.sent;
	if (!both_are_done(&w))
		fail_msg("%s, %s: %d %d, %d %d: %s after %d ms (%s)",
			 k ? k->what : "ours", active ? "active" : "passive",
			 a, of_a, b, of_b,
			 dtls_srtp_state_name(dtls_srtp_state(w.ours)),
			 (int)limit, dtls_srtp_why(w.ours));
	assert_true(w.longest <= DTLS_SRTP_OUT_MAX);
	assert_int_equal(counted(&w, DTLS_SRTP_N_RESTARTS), 0);
	assert_int_equal(counted(&w, DTLS_SRTP_N_OVER_OUT), 0);
	judge_keys(&w);
	world_end(&w);
	return sent;
}

/* Whose datagram is lost repeats it: we after 250 ms, OpenSSL after 1 s. */
static void each_datagram_suffers(const struct peer_kind *k, int64_t limit)
{
	int i, n, fate, active;

	for (active = 0; active < 2; active++) {
		n = (int)through(k, active, -1, PASS, -1, PASS, 45);
		assert_true(n >= 4);
		for (i = 0; i < n; i++)
			for (fate = LOSE; fate < FATES; fate++)
				through(k, active, i, fate, -1, PASS, limit);
	}
}

static void any_datagram_suffers(void **state)
{
	(void)state;
	each_datagram_suffers(&ordinary, 1200);
	each_datagram_suffers(&peers[7].k, 1200);
	each_datagram_suffers(NULL, 400);
}

/* Each two, also of those that are repeated. */
static void any_two_suffer(void **state)
{
	int a, b, active;

	(void)state;
	for (active = 0; active < 2; active++)
		for (a = 0; a < 7; a++)
			for (b = a + 1; b < 9; b++) {
				through(&ordinary, active, a, LOSE, b, LOSE,
					3300);
				through(&ordinary, active, a, LATE, b, LOSE,
					3300);
				through(NULL, active, a, LOSE, b, LOSE, 1200);
				through(NULL, active, a, LATE, b, TWICE, 600);
			}
}

/* What Chromium's is: two fragments in two datagrams. */
static void fragments_of_a_hello(void **state)
{
	struct world w;
	int swapped;
	int64_t at;

	(void)state;
	for (swapped = 0; swapped < 2; swapped++) {
		world_begin(&w, &peers[7].k, false);
		expect_him(&w);
		peer_runs(&w);
		assert_int_equal(w.queued, 2);
		assert_true(w.queue[0].len + w.queue[1].len > 1300);
		if (swapped) {
			at = w.queue[0].at;
			w.queue[0].at = w.queue[1].at + 5;
			w.queue[1].at = at;
		}
		assert_int_equal(until(&w, DTLS_SRTP_DONE, 200),
				 3 * DELAY_MS + (swapped ? 5 : 0));
		judge_keys(&w);
		world_end(&w);
	}
}

static void nobody_answers(void **state)
{
	struct world w;
	int64_t ms;

	(void)state;
	world_begin(&w, &ordinary, true);
	w.peer_failed = true;              /* so it reads nothing */
	start(&w);
	pass(&w, 240);
	assert_int_equal(w.from_ours, 1);
	pass(&w, 20);
	assert_int_equal(w.from_ours, 2);
	ms = 260 + until(&w, DTLS_SRTP_FAILED, 60000);
	assert_in_range(ms, 30000, 31500);
	assert_int_equal(w.from_ours, 13);
	assert_false(dtls_srtp_heavy(w.ours));
	assert_non_null(dtls_srtp_why(w.ours));
	assert_true(dtls_srtp_deadline(w.ours) == INT64_MAX);
	no_keys(&w);
	world_end(&w);
	/* Who is passive waits for as long as he is let, and holds nothing. */
	world_begin(&w, &ordinary, false);
	pass(&w, 3600000);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_HANDSHAKING);
	assert_false(dtls_srtp_heavy(w.ours));
	world_end(&w);
}

/* --- the fingerprint -------------------------------------------------- */

static void fingerprint_comes_late(void **state)
{
	static const int64_t after[] = { 5, 15, 25, 35, 45, 25000 };
	struct world w;
	size_t i;
	int active;

	(void)state;
	for (active = 0; active < 2; active++)
		for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
			world_begin(&w, &ordinary, active);
			start(&w);
			pass(&w, after[i]);
			no_keys(&w);
			if (after[i] >= 45)
				assert_int_equal(dtls_srtp_state(w.ours),
						 DTLS_SRTP_UNVERIFIED);
			/* Unverified, it may be freed as well. */
			if (after[i] == 25000)
				assert_false(dtls_srtp_heavy(w.ours));
			expect_him(&w);
			until(&w, DTLS_SRTP_DONE, 45);
			pass(&w, 20);
			judge_keys(&w);
			world_end(&w);
		}
}

static void every_good_hash(void **state)
{
	static const struct {
		const char *name;
		const EVP_MD *(*md)(void);
	} hashes[] = {
		{ "sha-256", EVP_sha256 }, { "SHA-384", EVP_sha384 },
		{ "Sha-512", EVP_sha512 },
	};
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	struct world w;
	size_t i, len;

	(void)state;
	for (i = 0; i < 3; i++) {
		world_begin(&w, &ordinary, true);
		len = his_hash(&w, hashes[i].md(), hash);
		assert_int_equal(dtls_srtp_expect(w.ours, hashes[i].name,
						  hash, len), 0);
		start(&w);
		until(&w, DTLS_SRTP_DONE, 45);
		world_end(&w);
	}
}

static void fingerprints_that_are_refused(void **state)
{
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	struct world w;
	size_t len;

	(void)state;
	world_begin(&w, &ordinary, true);
	his_hash(&w, EVP_sha1(), hash);
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-1", hash, 20),
			 EPROTONOSUPPORT);
	assert_int_equal(dtls_srtp_expect(w.ours, "md5", hash, 16),
			 EPROTONOSUPPORT);
	assert_int_equal(dtls_srtp_expect(w.ours, "", hash, 32),
			 EPROTONOSUPPORT);
	len = his_hash(&w, EVP_sha256(), hash);
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-256", hash, 31),
			 EBADMSG);
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-256", hash, 0),
			 EBADMSG);
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-512", hash, 32),
			 EBADMSG);
	start(&w);
	pass(&w, 100);
	/* None of them counts. */
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_UNVERIFIED);
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-256", hash, len), 0);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
	assert_int_equal(dtls_srtp_expect(w.ours, "SHA-256", hash, len), 0);
	hash[31] ^= 1;
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-256", hash, len),
			 EEXIST);
	len = his_hash(&w, EVP_sha384(), hash);
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-384", hash, len),
			 EEXIST);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
	judge_keys(&w);
	world_end(&w);
}

/* --- who we are ------------------------------------------------------- */

static void judge_certificate(X509 *x, const struct dtls_identity *id)
{
	static const char *const names[] = { "sha-256", "sha-384", "sha-512" };
	const EVP_MD *const md[] = { EVP_sha256(), EVP_sha384(),
				     EVP_sha512() };
	unsigned char ours[DTLS_SRTP_HASH_MAX], seen[DTLS_SRTP_HASH_MAX];
	time_t at = WALL + 1 - 86400;
	char text[64];
	unsigned len, i;

	for (i = 0; i < 3; i++) {
		assert_true(X509_digest(x, md[i], seen, &len));
		assert_int_equal(dtls_identity_fingerprint(id, names[i],
							   ours), len);
		assert_memory_equal(ours, seen, len);
	}
	assert_int_equal(dtls_identity_fingerprint(id, "sha-1", ours), 0);
	X509_NAME_oneline(X509_get_subject_name(x), text, sizeof(text));
	assert_string_equal(text, "/CN=WebRTC");
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(x),
				       X509_get_issuer_name(x)), 0);
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(x), at), 0);
	at += 31 * 86400;
	assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), at), 0);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
	assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(x)), 256);
}

static void our_certificate(void **state)
{
	struct dtls_identity *other;
	X509 *x, *y;
	struct world w;
	const char *why;

	(void)state;
	world_begin(&w, &ordinary, true);
	start(&w);
	pass(&w, 100);
	x = SSL_get1_peer_certificate(w.ssl);
	assert_non_null(x);
	judge_certificate(x, w.id);
	world_end(&w);
	/* Another one has nothing of it. */
	world_begin(&w, &ordinary, true);
	start(&w);
	pass(&w, 100);
	y = SSL_get1_peer_certificate(w.ssl);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(x),
					      X509_get0_serialNumber(y)), 0);
	assert_false(EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(y)));
	X509_free(x);
	X509_free(y);
	world_end(&w);
	/* It is replaced while an association lives. */
	world_begin(&w, &ordinary, false);
	dtls_identity_free(w.id);
	assert_int_equal(dtls_identity_new(WALL, &other, &why), 0);
	w.id = other;
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 200);
	pass(&w, 20);
	judge_keys(&w);
	world_end(&w);
}

/* --- what is freed when ----------------------------------------------- */

static void freed_at_its_time(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, &ordinary, true);
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 200);
	assert_false(dtls_srtp_heavy(w.ours));     /* active: at once */
	world_end(&w);
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	start(&w);
	dtls_srtp_settled(w.ours);         /* of no meaning yet */
	pass(&w, 15);
	dtls_srtp_settled(w.ours);
	assert_true(dtls_srtp_heavy(w.ours));
	until(&w, DTLS_SRTP_DONE, 200);
	pass(&w, DTLS_SRTP_LINGER_MS - 1);
	assert_true(dtls_srtp_heavy(w.ours));
	pass(&w, 1);
	assert_false(dtls_srtp_heavy(w.ours));
	assert_true(dtls_srtp_deadline(w.ours) == INT64_MAX);
	judge_keys(&w);                    /* they are not */
	world_end(&w);
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 200);
	dtls_srtp_settled(w.ours);
	assert_false(dtls_srtp_heavy(w.ours));
	pass(&w, 100);
	judge_keys(&w);
	world_end(&w);
}

/* A client without our last flight repeats his, for as long as he tries; then
 * nobody is there any more. */
static void last_flight_is_repeated(void **state)
{
	struct world w;
	unsigned i, ms, sent;

	(void)state;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 200);
	w.queued = 0;                      /* lost */
	for (i = 0; i < 4; i++) {
		sent = w.from_ours;
		for (ms = 0; w.from_ours == sent && ms < 9000; ms++)
			pass(&w, 1);
		/* ChangeCipherSpec and Finished, repeated one by one. */
		assert_int_equal(w.from_ours, sent + 2);
		assert_int_equal(w.queued, 2);
		w.queued = 0;
	}
	assert_false(w.peer_done);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
	/* His plain records of before are of no use. */
	assert_true(counted(&w, DTLS_SRTP_N_USELESS) >= 4);
	pass(&w, DTLS_SRTP_LINGER_MS);
	assert_false(dtls_srtp_heavy(w.ours));
	sent = w.from_ours;
	pass(&w, 20000);
	assert_int_equal(w.from_ours, sent);
	assert_true(counted(&w, DTLS_SRTP_N_LATE) >= 5);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
	world_end(&w);
}

#ifdef __SANITIZE_ADDRESS__
static size_t heap(void)
{
	return 0;
}
#else
static size_t heap(void)
{
	return mallinfo2().uordblks;
}
#endif

#define MANY 32

/* Bytes of each of many associations that are done. */
static size_t bytes_each(bool freed)
{
	static struct world w[MANY];
	size_t before, used = 0;
	int i, round;

	/* The first round fills what libcrypto keeps for itself. */
	for (round = 0; round < 2; round++) {
		world_identity(&w[0]);
		before = heap();
		for (i = 0; i < MANY; i++) {
			struct dtls_identity *id = w[0].id;

			if (i) {
				w[i] = w[0];
				w[i].queued = 0;
			}
			w[i].id = id;
			assert_int_equal(dtls_srtp_new(id, false,
						       &w[i].ours), 0);
			make_peer(&w[i], &ordinary, true);
			expect_him(&w[i]);
			start(&w[i]);
			until(&w[i], DTLS_SRTP_DONE, 200);
			if (freed)
				dtls_srtp_settled(w[i].ours);
			SSL_free(w[i].ssl);
			SSL_CTX_free(w[i].ctx);
			BIO_meth_free(w[i].method);
			X509_free(w[i].cert);
			w[i].ssl = NULL;
			w[i].ctx = NULL;
			w[i].method = NULL;
			w[i].cert = NULL;
		}
		used = heap() - before;
		for (i = 0; i < MANY; i++)
			dtls_srtp_free(w[i].ours);
		dtls_identity_free(w[0].id);
	}
	return used / MANY;
}

static void memory_of_an_association(void **state)
{
	size_t kept = bytes_each(false), freed = bytes_each(true);

	(void)state;
	print_message("# bytes: %zu with the SSL object, %zu without\n", kept,
		      freed);
	assert_true(kept > 40000);         /* so that the figure measures it */
	assert_true(freed < 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_of_every_kind),
		cmocka_unit_test(key_exchange_is_x25519),
		cmocka_unit_test(any_datagram_suffers),
		cmocka_unit_test(any_two_suffer),
		cmocka_unit_test(fragments_of_a_hello),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(fingerprint_comes_late),
		cmocka_unit_test(every_good_hash),
		cmocka_unit_test(fingerprints_that_are_refused),
		cmocka_unit_test(our_certificate),
		cmocka_unit_test(freed_at_its_time),
		cmocka_unit_test(last_flight_is_repeated),
		cmocka_unit_test(memory_of_an_association),
	};

	/* The last one counts by malloc's own figures, which a sanitizer
	 * replaces: then it is not one of these. */
	return _cmocka_run_group_tests("tests", tests, sizeof(tests) /
				       sizeof(tests[0]) - !heap(), NULL, NULL);
}
