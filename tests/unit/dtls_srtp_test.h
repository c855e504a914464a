/* dtls_srtp_test.h: two ends of DTLS over a network in virtual time, where
 * datagrams are lost, late, twice: ours, and one that is OpenSSL alone, with
 * settings that clients have or should not have.
 */
#ifndef TESTS_UNIT_DTLS_SRTP_TEST_H
#define TESTS_UNIT_DTLS_SRTP_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "jingle/media/dtls_srtp.h"
#include "tests/mock/ssl_clock.h"

#define QUEUE_MAX 64
#define DELAY_MS 10                /* of the network, one way */

/* --- the other end ---------------------------------------------------- */

enum key_kind { KEY_P256, KEY_RSA, KEY_P384, KEY_P521, KEY_NONE };

struct peer_kind {
	const char *what;
	enum key_kind key;
	long from, to;             /* its validity, days from now */
	const char *srtp;          /* "": no use_srtp */
	const char *ciphers;       /* NULL: OpenSSL's */
	int version;               /* the only one */
	unsigned pad;              /* bytes by which its ClientHello grows */
	bool lenient;              /* it accepts everything */
};

#define GCM_FIRST "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
#define ORDINARY { "an ordinary peer", KEY_P256, -1, 30, GCM_FIRST, NULL, \
	DTLS1_2_VERSION, 0, false }

struct datagram {
	bool to_ours;
	int64_t at;
	size_t len;
	unsigned char bytes[2048];
};

enum fate { PASS, LOSE, TWICE, LATE, FATES };

struct world {
	struct dtls_identity *id;
	struct dtls_srtp *ours;
	struct dtls_srtp *theirs;  /* NULL: the peer is OpenSSL's */
	SSL_CTX *ctx;
	SSL *ssl;
	BIO_METHOD *method;
	X509 *cert;                /* the peer's; NULL: it has none */
	const struct datagram *in; /* that its BIO reads next */
	bool peer_done, peer_failed;
	struct datagram queue[QUEUE_MAX];
	unsigned queued;
	unsigned sent;             /* datagrams in all */
	unsigned from_ours;        /* of them */
	size_t longest;            /* bytes, of ours */
	/* Of the datagram whose number in `sent` it is; and all of them. */
	int which[2];
	enum fate fate[2];
	/* Called with each datagram that comes to ours, before it. */
	void (*before)(struct world *w, const struct datagram *g);
};

static inline void put(struct world *w, bool to_ours, const void *bytes,
		       size_t len, int64_t delay)
{
	struct datagram *g = &w->queue[w->queued++];

	assert_true(w->queued <= QUEUE_MAX && len <= sizeof(g->bytes));
	g->to_ours = to_ours;
	g->at = virtual_now + delay;
	g->len = len;
	memcpy(g->bytes, bytes, len);
}

static inline void on_wire(struct world *w, bool to_ours, const void *bytes,
			   size_t len)
{
	enum fate fate = PASS;
	unsigned i;

	for (i = 0; i < 2; i++)
		if (w->which[i] == (int)w->sent)
			fate = w->fate[i];
	w->sent++;
	if (!to_ours) {
		w->from_ours++;
		if (len > w->longest)
			w->longest = len;
	}
	if (fate != LOSE)
		put(w, to_ours, bytes, len, fate == LATE ? 13 * DELAY_MS :
		    DELAY_MS);
	if (fate == TWICE)
		put(w, to_ours, bytes, len, 2 * DELAY_MS);
}

static inline void send_all(struct world *w, bool to_ours,
			    const struct dtls_srtp_out *out)
{
	unsigned i;

	for (i = 0; i < out->n; i++)
		on_wire(w, to_ours, out->datagram[i].bytes,
			out->datagram[i].len);
}

static inline int peer_read(BIO *b, char *buf, int size)
{
	struct world *w = BIO_get_data(b);
	int len;

	BIO_clear_retry_flags(b);
	if (!w->in) {
		BIO_set_retry_read(b);
		return -1;
	}
	len = (int)w->in->len;
	assert_true(len <= size);
	memcpy(buf, w->in->bytes, w->in->len);
	w->in = NULL;
	return len;
}

static inline int peer_write(BIO *b, const char *bytes, int len)
{
	on_wire(BIO_get_data(b), true, bytes, (size_t)len);
	return len;
}

static inline long peer_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static inline EVP_PKEY *make_key(enum key_kind kind)
{
	EVP_PKEY *key = kind == KEY_RSA ? EVP_RSA_gen(2048) :
		kind == KEY_P384 ? EVP_EC_gen("P-384") :
		kind == KEY_P521 ? EVP_EC_gen("P-521") :
		EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

/* Without any name, as some clients make it. */
static inline X509 *make_cert(const struct peer_kind *k, EVP_PKEY *key)
{
	X509 *x = X509_new();

	assert_non_null(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	ASN1_TIME_set(X509_getm_notBefore(x), WALL + k->from * 86400);
	ASN1_TIME_set(X509_getm_notAfter(x), WALL + k->to * 86400);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()));
	return x;
}

static inline int accept_any(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	return 1;
}

/* A list of protocols of that length, which makes the ClientHello long. */
static inline void pad_hello(SSL *ssl, unsigned pad)
{
	unsigned char list[1400];
	unsigned at = 0, len;

	assert_true(pad <= sizeof(list));
	while (at + 1 < pad) {
		len = pad - at - 1 < 200 ? pad - at - 1 : 200;
		list[at] = (unsigned char)len;
		memset(list + at + 1, 'x', len);
		at += 1 + len;
	}
	if (at)
		assert_false(SSL_set_alpn_protos(ssl, list, at));
}

static inline void make_context(struct world *w, const struct peer_kind *k)
{
	EVP_PKEY *key;

	w->ctx = SSL_CTX_new(DTLS_method());
	assert_non_null(w->ctx);
	if (k->lenient)
		SSL_CTX_set_security_level(w->ctx, 0);
	SSL_CTX_set_min_proto_version(w->ctx, k->version);
	SSL_CTX_set_max_proto_version(w->ctx, k->version);
	SSL_CTX_set_options(w->ctx, SSL_OP_NO_QUERY_MTU);
	SSL_CTX_set_verify(w->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(w->ctx, accept_any, NULL);
	if (k->ciphers)
		assert_true(SSL_CTX_set_cipher_list(w->ctx, k->ciphers));
	if (*k->srtp)
		assert_false(SSL_CTX_set_tlsext_use_srtp(w->ctx, k->srtp));
	if (k->key == KEY_NONE)
		return;
	key = make_key(k->key);
	w->cert = make_cert(k, key);
	assert_true(SSL_CTX_use_certificate(w->ctx, w->cert));
	assert_true(SSL_CTX_use_PrivateKey(w->ctx, key));
	EVP_PKEY_free(key);
}

static inline void make_peer(struct world *w, const struct peer_kind *k,
			     bool client)
{
	BIO *bio;

	make_context(w, k);
	w->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "test");
	BIO_meth_set_read(w->method, peer_read);
	BIO_meth_set_write(w->method, peer_write);
	BIO_meth_set_ctrl(w->method, peer_ctrl);
	bio = BIO_new(w->method);
	BIO_set_data(bio, w);
	BIO_set_init(bio, 1);
	w->ssl = SSL_new(w->ctx);
	assert_non_null(w->ssl);
	SSL_set_bio(w->ssl, bio, bio);
	SSL_set_mtu(w->ssl, 1200);
	pad_hello(w->ssl, k->pad);
	if (client)
		SSL_set_connect_state(w->ssl);
	else
		SSL_set_accept_state(w->ssl);
}

/* The peer reads what came, and goes on. */
static inline void peer_runs(struct world *w)
{
	char bytes[64];
	int r, err;

	ERR_clear_error();
	r = w->peer_done ? SSL_read(w->ssl, bytes, sizeof(bytes)) :
		SSL_do_handshake(w->ssl);
	if (!w->peer_done && r == 1)
		w->peer_done = true;
	err = SSL_get_error(w->ssl, r);
	if (r <= 0 && err != SSL_ERROR_WANT_READ)
		w->peer_failed = true;
	ERR_clear_error();
}

/* --- the world -------------------------------------------------------- */

static inline void world_identity(struct world *w)
{
	const char *why;

	memset(w, 0, sizeof(*w));
	virtual_now = 1000;
	w->which[0] = w->which[1] = -1;
	assert_int_equal(dtls_identity_new(WALL + 1, &w->id, &why), 0);
}

/* Ours, of this role, and a peer. Nothing has been sent. */
static inline void world_begin(struct world *w, const struct peer_kind *k,
			       bool active)
{
	world_identity(w);
	assert_int_equal(dtls_srtp_new(w->id, active, &w->ours), 0);
	make_peer(w, k, !active);
}

/* Both are ours. */
static inline void world_of_two(struct world *w, bool active)
{
	world_identity(w);
	assert_int_equal(dtls_srtp_new(w->id, active, &w->ours), 0);
	assert_int_equal(dtls_srtp_new(w->id, !active, &w->theirs), 0);
}

static inline void world_end(struct world *w)
{
	dtls_srtp_free(w->ours);
	dtls_srtp_free(w->theirs);
	dtls_identity_free(w->id);
	SSL_free(w->ssl);
	SSL_CTX_free(w->ctx);
	BIO_meth_free(w->method);
	X509_free(w->cert);
}

static inline size_t his_hash(const struct world *w, const EVP_MD *md,
			      unsigned char hash[DTLS_SRTP_HASH_MAX])
{
	unsigned len = 0;

	assert_true(X509_digest(w->cert, md, hash, &len));
	return len;
}

/* The right fingerprint of the peer. */
static inline void expect_him(struct world *w)
{
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	size_t len = w->theirs ?
		dtls_identity_fingerprint(w->id, "sha-256", hash) :
		his_hash(w, EVP_sha256(), hash);

	assert_int_equal(dtls_srtp_expect(w->ours, "sha-256", hash, len), 0);
	if (w->theirs)
		assert_int_equal(dtls_srtp_expect(w->theirs, "sha-256", hash,
						  len), 0);
}

static inline int64_t peer_deadline(const struct world *w)
{
	struct timeval tv;

	if (w->theirs)
		return dtls_srtp_deadline(w->theirs);
	if (w->peer_done || w->peer_failed ||
	    DTLSv1_get_timeout(w->ssl, &tv) != 1)
		return INT64_MAX;
	return virtual_now + tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
}

static inline void feed_ours(struct world *w, const void *bytes, size_t len)
{
	struct dtls_srtp_out out;
	/* Of exactly its size, so that a sanitizer sees who reads on. */
	unsigned char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, len);
	dtls_srtp_feed(w->ours, virtual_now, copy, len, &out);
	free(copy);
	send_all(w, false, &out);
}

static inline void deliver(struct world *w, unsigned i)
{
	struct datagram g = w->queue[i];
	struct dtls_srtp_out out;

	w->queued--;
	memmove(&w->queue[i], &w->queue[i + 1],
		(w->queued - i) * sizeof(w->queue[0]));
	if (g.to_ours) {
		if (w->before)
			w->before(w, &g);
		feed_ours(w, g.bytes, g.len);
	} else if (w->theirs) {
		dtls_srtp_feed(w->theirs, virtual_now, g.bytes, g.len, &out);
		send_all(w, true, &out);
	} else if (!w->peer_failed) {
		w->in = &g;
		peer_runs(w);
		w->in = NULL;
	}
}

/* The earliest in the queue, and of those the one that was sent first. */
static inline unsigned next_datagram(const struct world *w)
{
	unsigned i, best = 0;

	for (i = 1; i < w->queued; i++)
		if (w->queue[i].at < w->queue[best].at)
			best = i;
	return best;
}

static inline void timers(struct world *w)
{
	struct dtls_srtp_out out;

	if (dtls_srtp_deadline(w->ours) <= virtual_now) {
		dtls_srtp_time(w->ours, virtual_now, &out);
		send_all(w, false, &out);
		assert_true(dtls_srtp_deadline(w->ours) > virtual_now);
	}
	if (peer_deadline(w) > virtual_now)
		return;
	if (w->theirs) {
		dtls_srtp_time(w->theirs, virtual_now, &out);
		send_all(w, true, &out);
	} else if (DTLSv1_handle_timeout(w->ssl) < 0) {
		w->peer_failed = true;
	}
}

/* Lets what happens in the next `ms` happen. */
static inline void pass(struct world *w, int64_t ms)
{
	int64_t end = virtual_now + ms, next, d;
	unsigned i;

	for (;;) {
		next = dtls_srtp_deadline(w->ours);
		d = peer_deadline(w);
		next = d < next ? d : next;
		i = next_datagram(w);
		if (w->queued && w->queue[i].at < next)
			next = w->queue[i].at;
		if (next > end)
			break;
		if (next > virtual_now)
			virtual_now = next;
		if (w->queued && w->queue[i].at <= virtual_now)
			deliver(w, i);
		else
			timers(w);
	}
	virtual_now = end;
}

static inline void start(struct world *w)
{
	if (w->ssl && !SSL_is_server(w->ssl))
		peer_runs(w);
	pass(w, 0);
}

/* Lets time pass until ours is in that state: ms that it took. */
static inline int64_t until(struct world *w, enum dtls_srtp_state s,
			    int64_t limit)
{
	int64_t began = virtual_now;

	while (dtls_srtp_state(w->ours) != s && virtual_now - began < limit)
		pass(w, 1);
	if (dtls_srtp_state(w->ours) != s)
		fail_msg("%s, not %s, after %d ms (%s)",
			 dtls_srtp_state_name(dtls_srtp_state(w->ours)),
			 dtls_srtp_state_name(s), (int)limit,
			 dtls_srtp_why(w->ours) ? dtls_srtp_why(w->ours) : "");
	return virtual_now - began;
}

/* The keys of ours are those that the peer has, each in its direction. */
static inline void judge_keys(struct world *w)
{
	struct dtls_srtp_keys k, t = { 0 };
	unsigned char all[64];
	size_t salt;
	bool client = w->ssl && !SSL_is_server(w->ssl);

	assert_int_equal(dtls_srtp_take_keys(w->ours, &k), 0);
	salt = k.salt_len;
	assert_int_equal(salt, k.profile == SRTP_AEAD_AES_128_GCM ? 12 : 14);
	if (w->theirs) {
		assert_int_equal(dtls_srtp_take_keys(w->theirs, &t), 0);
		assert_int_equal(t.profile, k.profile);
	} else {
		assert_int_equal(SSL_get_selected_srtp_profile(w->ssl)->id,
				 k.profile);
		assert_int_equal(SSL_export_keying_material(w->ssl, all,
			32 + 2 * salt, "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0),
			1);
		memcpy(t.our_key, all + (client ? 0 : 16), 16);
		memcpy(t.his_key, all + (client ? 16 : 0), 16);
		memcpy(t.our_salt, all + 32 + (client ? 0 : salt), salt);
		memcpy(t.his_salt, all + 32 + (client ? salt : 0), salt);
	}
	assert_memory_equal(k.our_key, t.his_key, 16);
	assert_memory_equal(k.his_key, t.our_key, 16);
	assert_memory_equal(k.our_salt, t.his_salt, salt);
	assert_memory_equal(k.his_salt, t.our_salt, salt);
	assert_memory_not_equal(k.our_key, k.his_key, 16);
	assert_int_equal(dtls_srtp_take_keys(w->ours, &k), ENODATA);
}

static inline void no_keys(struct world *w)
{
	struct dtls_srtp_keys k;

	assert_int_equal(dtls_srtp_take_keys(w->ours, &k), ENODATA);
}

static inline uint32_t counted(const struct world *w, enum dtls_srtp_count n)
{
	return dtls_srtp_count(w->ours, n);
}

#endif
