/* test_dtls_srtp_bad.c: DTLS-SRTP associations among attackers: wrong
 * certificates, forged alerts, other people's ClientHellos, junk at every
 * moment (A16, A18, A21). No keys for the wrong one, no end for the right one,
 * no memory for anybody.
 */
#include "tests/unit/dtls_srtp_test.h"

#include <malloc.h>

static const struct peer_kind ordinary = ORDINARY;

/* --- wrong certificates (A18) ----------------------------------------- */

static void expect_another(struct world *w)
{
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	size_t len = his_hash(w, EVP_sha256(), hash);

	hash[0] ^= 1;
	assert_int_equal(dtls_srtp_expect(w->ours, "sha-256", hash, len), 0);
}

/* His fingerprint is another one, known from the start or later. */
static void wrong(bool active, int64_t after)
{
	struct world w;

	world_begin(&w, &ordinary, active);
	if (!after)
		expect_another(&w);
	start(&w);
	pass(&w, after);
	no_keys(&w);
	if (after)
		expect_another(&w);
	until(&w, DTLS_SRTP_WRONG_CERTIFICATE, 60);
	no_keys(&w);
	assert_non_null(dtls_srtp_why(w.ours));
	assert_false(dtls_srtp_heavy(w.ours));
	assert_true(dtls_srtp_deadline(w.ours) == INT64_MAX);
	/* What comes later does not mend it. */
	feed_ours(&w, "\x16\xfe\xfd", 3);
	assert_true(counted(&w, DTLS_SRTP_N_LATE) > 0);
	pass(&w, 60000);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_WRONG_CERTIFICATE);
	no_keys(&w);
	world_end(&w);
}

static void wrong_certificates(void **state)
{
	static const int64_t after[] = { 0, 15, 25, 35, 50, 30000 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		wrong(false, after[i]);
		wrong(true, after[i]);
	}
}

/* Who has the right certificate, but not its key, does not get through: that
 * it was shown counts for nothing. */
static void shown_without_its_key(void **state)
{
	struct world w;
	EVP_PKEY *key;

	(void)state;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	key = make_key(KEY_P256);
	/* OpenSSL compares them, unless the certificate is replaced inside. */
	assert_true(X509_set_pubkey(SSL_get_certificate(w.ssl), key));
	EVP_PKEY_free(key);
	start(&w);
	pass(&w, 25000);
	assert_int_not_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
	no_keys(&w);
	world_end(&w);
}

/* --- peers that do not fit -------------------------------------------- */

static const struct {
	struct peer_kind k;
	enum dtls_srtp_state passive, active;
} unfit[] = {
	/* He has finished: it is his own doing. */
	{ { "no use_srtp", KEY_P256, -1, 30, "", NULL, DTLS1_2_VERSION, 0,
	    false }, DTLS_SRTP_FAILED, DTLS_SRTP_FAILED },
	/* Only AES-256 for SRTP. */
	{ { "no profile of ours", KEY_P256, -1, 30, "SRTP_AEAD_AES_256_GCM",
	    NULL, DTLS1_2_VERSION, 0, false },
	  DTLS_SRTP_FAILED, DTLS_SRTP_FAILED },
	/* These may be anybody. */
	{ { "no certificate", KEY_NONE, 0, 0, GCM_FIRST, NULL,
	    DTLS1_2_VERSION, 0, false },
	  DTLS_SRTP_HANDSHAKING, DTLS_SRTP_HANDSHAKING },
	{ { "DTLS 1.0", KEY_P256, -1, 30, GCM_FIRST, "ALL", DTLS1_VERSION, 0,
	    true }, DTLS_SRTP_HANDSHAKING, DTLS_SRTP_HANDSHAKING },
	{ { "no encryption", KEY_P256, -1, 30, GCM_FIRST, "eNULL",
	    DTLS1_2_VERSION, 0, true },
	  DTLS_SRTP_HANDSHAKING, DTLS_SRTP_HANDSHAKING },
	{ { "no authentication", KEY_P256, -1, 30, GCM_FIRST, "aNULL",
	    DTLS1_2_VERSION, 0, true },
	  DTLS_SRTP_HANDSHAKING, DTLS_SRTP_HANDSHAKING },
	{ { "no forward secrecy", KEY_RSA, -1, 30, GCM_FIRST, "kRSA",
	    DTLS1_2_VERSION, 0, false },
	  DTLS_SRTP_HANDSHAKING, DTLS_SRTP_HANDSHAKING },
};

#define UNFIT (sizeof(unfit) / sizeof(unfit[0]))

static void unfit_peer(size_t i, bool active, enum dtls_srtp_state end)
{
	struct world w;

	world_begin(&w, &unfit[i].k, active);
	if (w.cert)
		expect_him(&w);
	start(&w);
	pass(&w, 15000);
	if (dtls_srtp_state(w.ours) != end)
		fail_msg("%s, %s: %s", unfit[i].k.what,
			 active ? "active" : "passive",
			 dtls_srtp_state_name(dtls_srtp_state(w.ours)));
	no_keys(&w);
	/* It is known what was wrong: by us, or by his alert. */
	assert_true(dtls_srtp_why(w.ours) || dtls_srtp_alert(w.ours));
	assert_int_equal(end == DTLS_SRTP_HANDSHAKING && !active,
			 counted(&w, DTLS_SRTP_N_RESTARTS) > 0);
	pass(&w, 60000);
	no_keys(&w);
	world_end(&w);
}

static void peers_that_do_not_fit(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < UNFIT; i++) {
		unfit_peer(i, false, unfit[i].passive);
		unfit_peer(i, true, unfit[i].active);
	}
}

/* --- junk ------------------------------------------------------------- */

#define EPOCH0 "\x00\x00"
#define SEQ "\x00\x00\x00\x00\x00\x77"

static const struct {
	const char *what;
	const char *bytes;
	size_t len;
	enum dtls_srtp_count count; /* COUNTS: libssl drops it */
} junk[] = {
#define JUNK(what, bytes, count) { what, bytes, sizeof(bytes) - 1, count }
	JUNK("one byte", "\x16", DTLS_SRTP_N_MALFORMED),
	JUNK("half a header", "\x16\xfe\xfd" EPOCH0 SEQ "\x00",
	     DTLS_SRTP_N_MALFORMED),
	JUNK("cut short", "\x16\xfe\xfd" EPOCH0 SEQ "\x00\x09" "12345678",
	     DTLS_SRTP_N_MALFORMED),
	JUNK("an unknown type", "\x18\xfe\xfd" EPOCH0 SEQ "\x00\x01" "1",
	     DTLS_SRTP_N_MALFORMED),
	JUNK("a fatal alert", "\x15\xfe\xfd" EPOCH0 SEQ "\x00\x02" "\x02\x28",
	     DTLS_SRTP_N_ALERTS),
	JUNK("close_notify", "\x15\xfe\xfd" EPOCH0 SEQ "\x00\x02" "\x01\x00",
	     DTLS_SRTP_N_ALERTS),
	JUNK("no alert", "\x15\xfe\xfd" EPOCH0 SEQ "\x00\x01" "\x02",
	     DTLS_SRTP_N_ALERTS),
	JUNK("plain data", "\x17\xfe\xfd" EPOCH0 SEQ "\x00\x04" "data",
	     DTLS_SRTP_N_USELESS),
	JUNK("Finished too early", "\x16\xfe\xfd" "\x00\x01" SEQ "\x00\x20"
	     "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	     DTLS_SRTP_N_EARLY),
	JUNK("an encrypted alert", "\x15\xfe\xfd" "\x00\x01" SEQ "\x00\x1a"
	     "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"
	     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
	     DTLS_SRTP_N_EARLY),
	JUNK("a late epoch", "\x16\xfe\xfd" "\xff\xff" SEQ "\x00\x01" "1",
	     DTLS_SRTP_N_EARLY),
	JUNK("a handshake of TLS", "\x16\x03\x03" EPOCH0 SEQ "\x00\x01" "1",
	     DTLS_SRTP_COUNTS),
	JUNK("an empty handshake", "\x16\xfe\xfd" EPOCH0 SEQ "\x00\x00",
	     DTLS_SRTP_COUNTS),
	JUNK("ChangeCipherSpec", "\x14\xfe\xfd" EPOCH0 "\x00\x00\x00\x00\x07"
	     "\x70" "\x00\x01" "\x01", DTLS_SRTP_COUNTS),
	JUNK("part of a header", "\x16\xfe\xfd" EPOCH0 SEQ "\x00\x04"
	     "\x0b\x00\x00\x01", DTLS_SRTP_N_MALFORMED),
	JUNK("a fragment beyond its end", "\x16\xfe\xfd" EPOCH0 SEQ
	     "\x00\x0d" "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02"
	     "1", DTLS_SRTP_N_MALFORMED),
	JUNK("a fragment beyond its message", "\x16\xfe\xfd" EPOCH0 SEQ
	     "\x00\x0d" "\x01\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00\x01"
	     "1", DTLS_SRTP_N_MALFORMED),
	JUNK("a wrong ChangeCipherSpec", "\x14\xfe\xfd" EPOCH0 SEQ
	     "\x00\x01" "\x02", DTLS_SRTP_N_MALFORMED),
	JUNK("a long ChangeCipherSpec", "\x14\xfe\xfd" EPOCH0 SEQ
	     "\x00\x02" "\x01\x01", DTLS_SRTP_N_MALFORMED),
	JUNK("too long a message", "\x16\xfe\xfd" EPOCH0 SEQ
	     "\x00\x0d" "\x01\x00\x20\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	     "1", DTLS_SRTP_N_OVER_IN),
	JUNK("a message of long after", "\x16\xfe\xfd" EPOCH0
	     "\x00\x00\x00\x00\x07\x71" "\x00\x0d" "\x0b\x00\x00\x01\x00\x77"
	     "\x00\x00\x00\x00\x00\x01" "1", DTLS_SRTP_COUNTS),
#undef JUNK
};

#define JUNKS (sizeof(junk) / sizeof(junk[0]))

static size_t junk_now;

static void with_junk(struct world *w, const struct datagram *g)
{
	uint32_t before = junk[junk_now].count < DTLS_SRTP_COUNTS ?
		counted(w, junk[junk_now].count) : 0;
	bool heavy = dtls_srtp_heavy(w->ours);
	unsigned sent = w->from_ours;

	(void)g;
	feed_ours(w, junk[junk_now].bytes, junk[junk_now].len);
	feed_ours(w, "", 0);
	assert_int_equal(w->from_ours, sent);
	if (!heavy || junk[junk_now].count == DTLS_SRTP_COUNTS)
		return;
	if (counted(w, junk[junk_now].count) != before + 1)
		fail_msg("%s is not counted", junk[junk_now].what);
}

/* Before each datagram that comes, and after the end: it takes no longer. */
static void junk_in_between(void **state)
{
	struct world w;
	int active;

	(void)state;
	for (junk_now = 0; junk_now < JUNKS; junk_now++)
		for (active = 0; active < 2; active++) {
			world_begin(&w, &ordinary, active);
			w.before = with_junk;
			expect_him(&w);
			start(&w);
			while (!(dtls_srtp_state(w.ours) == DTLS_SRTP_DONE &&
				 w.peer_done) && virtual_now < 1060)
				pass(&w, 1);
			if (!w.peer_done || dtls_srtp_state(w.ours) !=
			    DTLS_SRTP_DONE)
				fail_msg("%s, %d: %s (%s)",
					 junk[junk_now].what, active,
					 dtls_srtp_state_name(dtls_srtp_state(
					 w.ours)), dtls_srtp_why(w.ours));
			feed_ours(&w, junk[junk_now].bytes,
				  junk[junk_now].len);
			pass(&w, 100);
			assert_int_equal(dtls_srtp_state(w.ours),
					 DTLS_SRTP_DONE);
			assert_int_equal(counted(&w, DTLS_SRTP_N_RESTARTS), 0);
			judge_keys(&w);
			world_end(&w);
		}
}

static void the_last_alert_is_remembered(void **state)
{
	struct world w;

	(void)state;
	world_begin(&w, &ordinary, true);
	start(&w);
	assert_null(dtls_srtp_alert(w.ours));
	feed_ours(&w, junk[4].bytes, junk[4].len);
	assert_string_equal(dtls_srtp_alert(w.ours), "handshake failure");
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_HANDSHAKING);
	world_end(&w);
}

/* --- other people's ClientHellos (A16) -------------------------------- */

/* As that peer would begin; its first datagram. */
static size_t hello_of(const struct peer_kind *k, unsigned char bytes[2048])
{
	static struct world w;
	size_t len;

	world_begin(&w, k, false);
	peer_runs(&w);
	len = w.queue[0].len;
	memcpy(bytes, w.queue[0].bytes, len);
	world_end(&w);
	return len;
}

/* How many of `n` such ClientHellos, damaged at `at`, broke it; nothing was
 * sent for them. The right one comes through after them. */
static void race(const struct peer_kind *k, size_t at, unsigned n,
		 uint32_t restarts)
{
	unsigned char hello[2048];
	size_t len = hello_of(k, hello);
	struct world w;
	unsigned i;

	if (at)
		hello[at] ^= 0xff;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	for (i = 0; i < n; i++)
		feed_ours(&w, hello, len);
	assert_int_equal(w.sent, 0);
	assert_int_equal(counted(&w, DTLS_SRTP_N_RESTARTS), restarts);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 45);
	judge_keys(&w);
	world_end(&w);
}

static void a_foreign_hello_comes_first(void **state)
{
	(void)state;
	race(&unfit[4].k, 0, 1, 1);        /* NULL ciphers only */
	race(&unfit[4].k, 0, 200, 200);
	race(&unfit[3].k, 0, 3, 3);        /* an old version */
	race(&unfit[6].k, 0, 3, 3);        /* no cipher in common */
	race(&ordinary, 59, 3, 3);         /* its session id has no end */
}

/* Part of one: the client repeats his, and is served then. */
static void a_foreign_fragment_comes_first(void **state)
{
	static const unsigned pads[] = { 0, 1100, 1050 };
	struct peer_kind k = ORDINARY;
	unsigned char hello[2048];
	struct world w;
	size_t i, len;

	(void)state;
	for (i = 0; i < 3; i++) {
		k.pad = 1100;
		len = hello_of(&k, hello);
		assert_int_equal(len, 1200);
		k.pad = pads[i];
		world_begin(&w, &k, false);
		expect_him(&w);
		feed_ours(&w, hello, len);
		start(&w);
		until(&w, DTLS_SRTP_DONE, 1100);
		judge_keys(&w);
		world_end(&w);
	}
}

/* A message that is next but one waits for its turn: so none is taken before
 * the client can have sent it. */
static void a_message_lies_in_wait(void **state)
{
	static const char lurks[] = "\x16\xfe\xfd" EPOCH0 SEQ "\x00\x10"
		"\x0b\x00\x00\x04" "\x00\x01" "\x00\x00\x00"
		"\x00\x00\x04" "\x00\x00\x01\x00";
	/* Behind a part of a ClientHello that is nothing. */
	static const char behind[] = "\x16\xfe\xfd" EPOCH0 SEQ "\x00\x1c"
		"\x01\x00\x00\x80" "\x00\x00" "\x00\x00\x00"
		"\x00\x00\x00"
		"\x0b\x00\x00\x04" "\x00\x01" "\x00\x00\x00"
		"\x00\x00\x04" "\x00\x00\x01\x00";
	struct world w;

	(void)state;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	feed_ours(&w, lurks, sizeof(lurks) - 1);
	feed_ours(&w, behind, sizeof(behind) - 1);
	assert_int_equal(counted(&w, DTLS_SRTP_N_EARLY), 2);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 45);
	assert_int_equal(counted(&w, DTLS_SRTP_N_RESTARTS), 0);
	world_end(&w);
}

/* Many enough end it: the CPU's time is not theirs. */
static void too_many_foreign_hellos(void **state)
{
	unsigned char hello[2048];
	size_t len = hello_of(&unfit[4].k, hello);
	struct world w;
	unsigned i;

	(void)state;
	world_begin(&w, &ordinary, false);
	for (i = 0; i <= DTLS_SRTP_RESTARTS_MAX; i++) {
		assert_int_equal(dtls_srtp_state(w.ours),
				 DTLS_SRTP_HANDSHAKING);
		feed_ours(&w, hello, len);
	}
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_FAILED);
	assert_string_equal(dtls_srtp_why(w.ours), "no shared cipher");
	assert_int_equal(w.sent, 0);
	world_end(&w);
}

/* Before, during, after: one that begins anew on what stands is ignored. */
static void a_hello_on_what_stands(void **state)
{
	unsigned char hello[2048];
	size_t len = hello_of(&ordinary, hello);
	struct world w;
	unsigned sent;
	int active;

	(void)state;
	for (active = 0; active < 2; active++) {
		world_begin(&w, &ordinary, active);
		expect_him(&w);
		start(&w);
		until(&w, DTLS_SRTP_DONE, 45);
		pass(&w, 20);
		sent = w.sent;
		feed_ours(&w, hello, len);
		assert_int_equal(counted(&w, active ? DTLS_SRTP_N_LATE :
					 DTLS_SRTP_N_USELESS), 1);
		assert_int_equal(w.sent, sent);
		assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
		judge_keys(&w);
		world_end(&w);
	}
}

static void no_renegotiation(void **state)
{
	struct dtls_srtp_keys keys;
	struct world w;
	unsigned sent;

	(void)state;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 45);
	pass(&w, 20);
	assert_true(SSL_renegotiate(w.ssl));
	w.peer_done = false;
	peer_runs(&w);
	assert_int_equal(w.queued, 1);
	sent = w.from_ours;
	until(&w, DTLS_SRTP_CLOSED, 100);
	assert_false(w.peer_done);
	/* We said no; OpenSSL's client then ends it all by an alert. */
	assert_int_equal(w.from_ours, sent + 1);
	assert_string_equal(dtls_srtp_why(w.ours),
			    "sslv3 alert handshake failure");
	assert_int_equal(dtls_srtp_take_keys(w.ours, &keys), 0);
	world_end(&w);
}

/* --- the peer closes -------------------------------------------------- */

static void the_peer_closes(void **state)
{
	struct dtls_srtp_keys keys;
	struct world w;
	int known;

	(void)state;
	for (known = 0; known < 2; known++) {
		world_begin(&w, &ordinary, false);
		if (known)
			expect_him(&w);
		start(&w);
		pass(&w, 100);
		assert_true(w.peer_done);
		SSL_shutdown(w.ssl);
		until(&w, DTLS_SRTP_CLOSED, 20);
		assert_non_null(dtls_srtp_why(w.ours));
		assert_false(dtls_srtp_heavy(w.ours));
		if (known) {
			assert_int_equal(dtls_srtp_take_keys(w.ours, &keys),
					 0);
		} else {
			no_keys(&w);
			expect_him(&w);
			assert_int_equal(dtls_srtp_state(w.ours),
					 DTLS_SRTP_CLOSED);
			no_keys(&w);
		}
		world_end(&w);
	}
}

/* --- limits ----------------------------------------------------------- */

static void too_long(void **state)
{
	unsigned char hello[2048];
	size_t len = hello_of(&ordinary, hello);
	struct world w;

	(void)state;
	world_begin(&w, &ordinary, false);
	memset(hello + len, 0, sizeof(hello) - len);
	feed_ours(&w, hello, DTLS_SRTP_IN_MAX + 1);
	assert_int_equal(counted(&w, DTLS_SRTP_N_OVER_IN), 1);
	assert_int_equal(w.sent, 0);
	/* The record counts, what follows does not. */
	feed_ours(&w, hello, DTLS_SRTP_IN_MAX);
	assert_int_equal(w.sent, 1);
	world_end(&w);
}

/* Appends what is encrypted of the client's datagrams, which are lost. */
static void collect(struct world *w, unsigned char *all, size_t *len)
{
	const struct datagram *g;
	unsigned i;

	for (i = 0; i < w->queued; i++) {
		g = &w->queue[i];
		if (!g->to_ours || g->bytes[4] != 1)
			continue;
		memcpy(all + *len, g->bytes, g->len);
		*len += g->len;
	}
	w->queued = 0;
}

/* A datagram of Finished messages would be answered by as many flights. */
static void no_amplifier(void **state)
{
	struct dtls_srtp_out out;
	unsigned char all[2048];
	struct world w;
	size_t len = 0;
	unsigned i;

	(void)state;
	world_begin(&w, &ordinary, false);
	expect_him(&w);
	start(&w);
	until(&w, DTLS_SRTP_DONE, 45);
	w.queued = 0;
	for (i = 0; i < 6; i++) {
		virtual_now += 1000 << i;
		assert_int_equal(DTLSv1_handle_timeout(w.ssl), 1);
		collect(&w, all, &len);
	}
	assert_int_equal(len, 6 * 61);
	dtls_srtp_feed(w.ours, virtual_now, all, len, &out);
	assert_int_equal(out.n, DTLS_SRTP_STEP_MAX);
	assert_int_equal(counted(&w, DTLS_SRTP_N_OVER_OUT),
			 6 * 2 - DTLS_SRTP_STEP_MAX);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_DONE);
	world_end(&w);
}

/* What is kept for later is small, however much comes. */
static void a_flood(void **state)
{
	/* Part of a message that is long and still to come. */
	unsigned char r[1200] = { 0x16, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0,
				  0x04, 0xa3, 0x0b, 0x00, 0x20, 0x00, 0, 0, 0,
				  0, 0, 0, 0x04, 0x97 };
	struct world w;
	unsigned i;
	size_t before;

	(void)state;
	world_begin(&w, &ordinary, false);
	start(&w);
	pass(&w, DELAY_MS);
	assert_int_equal(w.from_ours, 1);  /* the next one may be any */
	before = mallinfo2().uordblks;
	for (i = 0; i < 1000; i++) {
		r[9] = (unsigned char)(i >> 8);
		r[10] = (unsigned char)i;
		r[18] = (unsigned char)(i % 20 + 1);       /* message */
		feed_ours(&w, r, sizeof(r));
	}
	assert_in_range(counted(&w, DTLS_SRTP_N_OVER_IN),
			1000 - DTLS_SRTP_FED_MAX / sizeof(r),
			1001 - DTLS_SRTP_FED_MAX / sizeof(r));
	for (i = 0; i < 1000; i++)
		feed_ours(&w, junk[8].bytes, junk[8].len);
	assert_int_equal(counted(&w, DTLS_SRTP_N_EARLY), 1000);
	assert_true(mallinfo2().uordblks - before < 112 * 1024);
	assert_int_equal(w.from_ours, 1);
	assert_int_equal(dtls_srtp_state(w.ours), DTLS_SRTP_HANDSHAKING);
	world_end(&w);
}

static void names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < DTLS_SRTP_STATES; i++)
		assert_non_null(dtls_srtp_state_name(i));
	for (i = 0; i < DTLS_SRTP_COUNTS; i++)
		assert_non_null(dtls_srtp_count_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_certificates),
		cmocka_unit_test(shown_without_its_key),
		cmocka_unit_test(peers_that_do_not_fit),
		cmocka_unit_test(junk_in_between),
		cmocka_unit_test(the_last_alert_is_remembered),
		cmocka_unit_test(a_foreign_hello_comes_first),
		cmocka_unit_test(a_foreign_fragment_comes_first),
		cmocka_unit_test(a_message_lies_in_wait),
		cmocka_unit_test(too_many_foreign_hellos),
		cmocka_unit_test(a_hello_on_what_stands),
		cmocka_unit_test(no_renegotiation),
		cmocka_unit_test(the_peer_closes),
		cmocka_unit_test(too_long),
		cmocka_unit_test(no_amplifier),
		cmocka_unit_test(a_flood),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
