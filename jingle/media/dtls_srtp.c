/* dtls_srtp.c: DTLS-SRTP over OpenSSL; see the header. The door of libssl.
 *
 * libssl sees one record at a time, through a BIO of ours: so each is judged
 * by what the ones before it, in the same datagram too, have changed; and what
 * it writes at a time is a datagram, which a memory BIO would not tell apart.
 */
#include "jingle/media/dtls_srtp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "jingle/media/bytes.h"

#define DAY 86400
#define VALID_DAYS 31
#define RECORD_HEADER 13
#define MESSAGE_HEADER 12          /* of a handshake's */
#define EXPORTER "EXTRACTOR-dtls_srtp"     /* RFC 5764, 4.2 */
#define TLS_CCS 20                 /* content types of records */
#define TLS_ALERT 21
#define TLS_HANDSHAKE 22
#define TLS_DATA 23

#define BIT(s) (1u << DTLS_SRTP_##s)

const unsigned dtls_srtp_may[DTLS_SRTP_STATES] = {
	[DTLS_SRTP_HANDSHAKING] = BIT(UNVERIFIED) | BIT(FAILED),
	[DTLS_SRTP_UNVERIFIED] = BIT(DONE) | BIT(WRONG_CERTIFICATE) |
		BIT(CLOSED),
	[DTLS_SRTP_DONE] = BIT(CLOSED),
};

const char *dtls_srtp_state_name(enum dtls_srtp_state s)
{
	static const char *const names[DTLS_SRTP_STATES] = {
		"handshaking", "unverified", "done", "wrong-certificate",
		"failed", "closed",
	};

	return names[s];
}

const char *dtls_srtp_count_name(enum dtls_srtp_count n)
{
	static const char *const names[DTLS_SRTP_COUNTS] = {
		"malformed", "alerts", "early", "useless", "late", "restarts",
		"over-in", "over-out", "no-memory",
	};

	return names[n];
}

void dtls_srtp_keys_wipe(struct dtls_srtp_keys *k)
{
	OPENSSL_cleanse(k, sizeof(*k));
}

struct dtls_identity {
	unsigned refs;
	SSL_CTX *ctx;
	BIO_METHOD *bio;           /* of the associations' BIOs */
	X509 *cert;
};

struct dtls_srtp {
	struct dtls_identity *id;
	SSL *ssl;                  /* NULL: not begun, or freed */
	bool active;
	enum dtls_srtp_state state;
	int64_t due;
	const char *why, *alert;   /* constants; NULL: nothing */
	/* Of a step: what libssl reads next, and where it writes to. */
	const unsigned char *in;
	size_t in_len;
	struct dtls_srtp_out *out;
	uint32_t plain_records;    /* that libssl has read */
	size_t fed;                /* bytes of records in the handshake */
	bool keyed;                /* keys are there, not yet taken */
	struct dtls_srtp_keys keys;
	X509 *his;                 /* until it is compared */
	const EVP_MD *md;          /* of the expected hash; NULL: none yet */
	unsigned char expected[DTLS_SRTP_HASH_MAX];
	uint32_t count[DTLS_SRTP_COUNTS];
};

/* NULL: not one of ours. */
static const EVP_MD *hash_by_name(const char *name)
{
	if (!strcasecmp(name, "sha-256"))
		return EVP_sha256();
	if (!strcasecmp(name, "sha-384"))
		return EVP_sha384();
	if (!strcasecmp(name, "sha-512"))
		return EVP_sha512();
	return NULL;
}

/* What libssl or libcrypto says of its last failure; a constant. */
static const char *last_error(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return text ? text : "libssl says nothing";
}

/* --- the BIO ---------------------------------------------------------- */

static bool is_plain(const unsigned char *record)
{
	return !record[3] && !record[4];   /* the epoch */
}

/* Plain records come to libssl in sequence: one forged with a high number
 * would make it take all that follow for replayed ones. */
static void renumber(struct dtls_srtp *d, unsigned char *record)
{
	put16(record + 5, 0);
	put32(record + 7, d->plain_records++);
}

static int bio_read(BIO *b, char *buf, int size)
{
	struct dtls_srtp *d = BIO_get_data(b);
	size_t len = d->in_len;

	BIO_clear_retry_flags(b);
	if (!d->in) {
		BIO_set_retry_read(b);
		return -1;
	}
	assert(len <= (size_t)size);       /* it has place for 16 KiB */
	memcpy(buf, d->in, len);
	if (is_plain(d->in))
		renumber(d, (unsigned char *)buf);
	d->in = NULL;
	return (int)len;
}

/* What does not fit is lost, as on the network. */
static int bio_write(BIO *b, const char *bytes, int len)
{
	struct dtls_srtp *d = BIO_get_data(b);
	struct dtls_srtp_out *out = d->out;

	BIO_clear_retry_flags(b);
	if (!out || out->n == DTLS_SRTP_STEP_MAX ||
	    len > DTLS_SRTP_OUT_MAX) {
		d->count[DTLS_SRTP_N_OVER_OUT]++;
		return len;
	}
	memcpy(out->datagram[out->n].bytes, bytes, (size_t)len);
	out->datagram[out->n++].len = (size_t)len;
	return len;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "records");

	if (!m || !BIO_meth_set_read(m, bio_read) ||
	    !BIO_meth_set_write(m, bio_write) ||
	    !BIO_meth_set_ctrl(m, bio_ctrl)) {
		BIO_meth_free(m);
		return NULL;
	}
	return m;
}

/* --- identity --------------------------------------------------------- */

static bool set_name_and_serial(X509 *x)
{
	X509_NAME *name = X509_get_subject_name(x);
	uint64_t serial;

	if (RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
		return false;
	serial = serial >> 1 | 1;          /* positive (RFC 5280, 4.1.2.2) */
	return ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)"WebRTC",
					  -1, -1, 0) &&
	       X509_set_issuer_name(x, name);
}

static X509 *certificate(EVP_PKEY *key, int64_t wall)
{
	X509 *x = X509_new();

	if (x && X509_set_version(x, X509_VERSION_3) &&
	    set_name_and_serial(x) && X509_set_pubkey(x, key) &&
	    ASN1_TIME_set(X509_getm_notBefore(x), wall - DAY) &&
	    ASN1_TIME_set(X509_getm_notAfter(x),
			  wall + (VALID_DAYS - 1) * DAY) &&
	    X509_sign(x, key, EVP_sha256()))
		return x;
	X509_free(x);
	return NULL;
}

/* In place of a whole verification: the fingerprint decides, later. */
static int any_certificate(X509_STORE_CTX *ctx, void *arg)
{
	(void)ctx;
	(void)arg;
	return 1;
}

/* The groups are those of key exchange and of certificates' keys both: with
 * P-384 and P-521 missing such a certificate would be refused. SSL_CTX_new()
 * has read the system's openssl.cnf: whatever it may say is said here. */
static SSL_CTX *context(EVP_PKEY *key, X509 *x)
{
	char groups[] = "X25519:P-256:P-384:P-521";
	SSL_CTX *ctx = SSL_CTX_new(DTLS_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
			    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
			    SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, 16384);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
			   SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, any_certificate, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) &&
	    SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) &&
	    SSL_CTX_set_cipher_list(ctx,
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
		"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
		"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384") &&
	    SSL_CTX_set1_groups_list(ctx, groups) &&
	    !SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AEAD_AES_128_GCM:"
					 "SRTP_AES128_CM_SHA1_80") &&
	    SSL_CTX_use_certificate(ctx, x) &&
	    SSL_CTX_use_PrivateKey(ctx, key))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

int dtls_identity_new(int64_t wall, struct dtls_identity **id_r,
		      const char **why_r)
{
	struct dtls_identity *id = calloc(1, sizeof(*id));
	EVP_PKEY *key = NULL;

	if (!id)
		return ENOMEM;
	ERR_clear_error();
	id->refs = 1;
	key = EVP_EC_gen("P-256");
	if (key)
		id->cert = certificate(key, wall);
	if (id->cert)
		id->ctx = context(key, id->cert);
	if (id->ctx)
		id->bio = bio_method();
	EVP_PKEY_free(key);
	if (!id->bio) {
		*why_r = last_error();
		dtls_identity_free(id);
		return EIO;
	}
	*id_r = id;
	return 0;
}

struct dtls_identity *dtls_identity_hold(struct dtls_identity *id)
{
	id->refs++;
	return id;
}

void dtls_identity_free(struct dtls_identity *id)
{
	if (!id || --id->refs)
		return;
	BIO_meth_free(id->bio);
	SSL_CTX_free(id->ctx);
	X509_free(id->cert);
	free(id);
}

size_t dtls_identity_fingerprint(const struct dtls_identity *id,
				 const char *hash,
				 unsigned char value_r[DTLS_SRTP_HASH_MAX])
{
	const EVP_MD *md = hash_by_name(hash);
	unsigned len = 0;

	if (!md || !X509_digest(id->cert, md, value_r, &len))
		return 0;
	return len;
}

/* --- an association --------------------------------------------------- */

int dtls_srtp_new(struct dtls_identity *id, bool active,
		  struct dtls_srtp **d_r)
{
	struct dtls_srtp *d = calloc(1, sizeof(*d));

	if (!d)
		return ENOMEM;
	d->id = id;
	id->refs++;
	d->active = active;
	d->due = active ? INT64_MIN : INT64_MAX;
	*d_r = d;
	return 0;
}

static void free_ssl(struct dtls_srtp *d)
{
	SSL_free(d->ssl);
	d->ssl = NULL;
	d->due = INT64_MAX;
	ERR_clear_error();
}

void dtls_srtp_free(struct dtls_srtp *d)
{
	if (!d)
		return;
	free_ssl(d);
	X509_free(d->his);
	dtls_identity_free(d->id);
	OPENSSL_cleanse(d, sizeof(*d));
	free(d);
}

static void set_state(struct dtls_srtp *d, enum dtls_srtp_state s)
{
	assert(dtls_srtp_may[d->state] & 1u << s);
	d->state = s;
}

static bool stands(const struct dtls_srtp *d)
{
	return d->state == DTLS_SRTP_UNVERIFIED || d->state == DTLS_SRTP_DONE;
}

static void fail(struct dtls_srtp *d, const char *why)
{
	d->why = why;
	set_state(d, DTLS_SRTP_FAILED);
	free_ssl(d);
}

/* In us, as libssl counts; 0: the first. */
static unsigned next_timeout(SSL *ssl, unsigned last)
{
	(void)ssl;
	if (!last)
		return DTLS_SRTP_RTO_MS * 1000;
	if (last >= DTLS_SRTP_RTO_MAX_MS * 1000 / 2)
		return DTLS_SRTP_RTO_MAX_MS * 1000;
	return last * 2;
}

static bool begin(struct dtls_srtp *d)
{
	BIO *bio = BIO_new(d->id->bio);

	d->ssl = SSL_new(d->id->ctx);
	if (!bio || !d->ssl) {
		BIO_free(bio);
		free_ssl(d);
		d->count[DTLS_SRTP_N_NO_MEMORY]++;
		return false;
	}
	BIO_set_data(bio, d);
	BIO_set_init(bio, 1);
	SSL_set_bio(d->ssl, bio, bio);
	SSL_set_mtu(d->ssl, DTLS_SRTP_OUT_MAX);
	DTLS_set_timer_cb(d->ssl, next_timeout);
	if (d->active)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);
	return true;
}

/* --- its end ---------------------------------------------------------- */

/* The certificate against the fingerprint, when both are there. */
static void judge(struct dtls_srtp *d)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (d->state != DTLS_SRTP_UNVERIFIED || !d->md)
		return;
	if (X509_digest(d->his, d->md, hash, &len) &&
	    !CRYPTO_memcmp(hash, d->expected, len)) {
		set_state(d, DTLS_SRTP_DONE);
	} else {
		d->why = "the certificate is not of the fingerprint";
		set_state(d, DTLS_SRTP_WRONG_CERTIFICATE);
		dtls_srtp_keys_wipe(&d->keys);
		d->keyed = false;
		free_ssl(d);
	}
	X509_free(d->his);
	d->his = NULL;
}

/* RFC 5764, 4.2: keys of client and server, then their salts. */
static bool export_keys(struct dtls_srtp *d, unsigned long profile)
{
	size_t salt = profile == SRTP_AEAD_AES_128_GCM ? 12 : 14;
	unsigned char all[2 * DTLS_SRTP_KEY_SIZE + 2 * DTLS_SRTP_SALT_MAX];
	unsigned char *salts = all + 2 * DTLS_SRTP_KEY_SIZE;
	size_t ours = d->active ? 0 : 1;
	bool ok;

	ok = SSL_export_keying_material(d->ssl, all,
		2 * (DTLS_SRTP_KEY_SIZE + salt), EXPORTER, strlen(EXPORTER),
		NULL, 0, 0) == 1;
	if (ok) {
		d->keys.profile = (unsigned)profile;
		d->keys.salt_len = salt;
		memcpy(d->keys.our_key, all + ours * DTLS_SRTP_KEY_SIZE,
		       DTLS_SRTP_KEY_SIZE);
		memcpy(d->keys.his_key, all + !ours * DTLS_SRTP_KEY_SIZE,
		       DTLS_SRTP_KEY_SIZE);
		memcpy(d->keys.our_salt, salts + ours * salt, salt);
		memcpy(d->keys.his_salt, salts + !ours * salt, salt);
		d->keyed = true;
	}
	OPENSSL_cleanse(all, sizeof(all));
	return ok;
}

static void finish(struct dtls_srtp *d, int64_t now)
{
	const SRTP_PROTECTION_PROFILE *p =
		SSL_get_selected_srtp_profile(d->ssl);

	if (!p) {
		fail(d, "no SRTP profile in common");
		return;
	}
	d->his = SSL_get1_peer_certificate(d->ssl);
	if (!d->his || !export_keys(d, p->id)) {
		fail(d, last_error());
		return;
	}
	set_state(d, DTLS_SRTP_UNVERIFIED);
	if (d->active)
		free_ssl(d);
	else
		d->due = now + DTLS_SRTP_LINGER_MS;
	judge(d);
}

/* By an authentic alert: of a peer who is not verified no keys will come. */
static void closed(struct dtls_srtp *d, const char *why)
{
	if (d->state == DTLS_SRTP_UNVERIFIED) {
		dtls_srtp_keys_wipe(&d->keys);
		d->keyed = false;
	}
	d->why = why;
	set_state(d, DTLS_SRTP_CLOSED);
	free_ssl(d);
}

/* libssl gave up. Until Finished it may be anybody's doing; afterwards it is
 * an alert of his. What it wanted to say about it is in *out from `mark` on. */
static void broken(struct dtls_srtp *d, unsigned mark)
{
	d->why = last_error();
	d->out->n = mark;
	if (stands(d)) {
		closed(d, d->why);
	} else if (d->active ||
		   ++d->count[DTLS_SRTP_N_RESTARTS] > DTLS_SRTP_RESTARTS_MAX) {
		fail(d, d->why);
	} else {
		free_ssl(d);
	}
}

/* --- its steps -------------------------------------------------------- */

/* Our time of libssl's timer. Never later than its longest wait, whatever the
 * system's clock does. */
static void set_due(struct dtls_srtp *d, int64_t now)
{
	struct timeval tv;
	int64_t ms;

	if (d->state != DTLS_SRTP_HANDSHAKING || !d->ssl)
		return;
	d->due = INT64_MAX;
	if (DTLSv1_get_timeout(d->ssl, &tv) != 1)
		return;
	ms = (int64_t)tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
	d->due = now + (ms < DTLS_SRTP_RTO_MAX_MS ? ms : DTLS_SRTP_RTO_MAX_MS);
}

/* Lets libssl read what is there, and write. */
static void run(struct dtls_srtp *d, int64_t now)
{
	unsigned mark = d->out->n;
	bool stood = stands(d);
	char byte;
	int r, err;

	ERR_clear_error();
	r = stood ? SSL_read(d->ssl, &byte, 1) : SSL_do_handshake(d->ssl);
	d->in = NULL;
	if (r == 1 && !stood) {
		finish(d, now);
		return;
	}
	err = r == 1 ? SSL_ERROR_NONE : SSL_get_error(d->ssl, r);
	if (err == SSL_ERROR_ZERO_RETURN)
		closed(d, "closed by the peer");
	else if (err != SSL_ERROR_NONE && err != SSL_ERROR_WANT_READ)
		broken(d, mark);
}

/* Has libssl read the peer's ChangeCipherSpec? Before that it would keep a
 * buffer of 17 KiB for each encrypted record. */
static bool reads_encrypted(const struct dtls_srtp *d)
{
	OSSL_HANDSHAKE_STATE s;

	if (stands(d))
		return true;
	s = SSL_get_state(d->ssl);
	return s == TLS_ST_SR_CHANGE || s == TLS_ST_CR_CHANGE;
}

static uint32_t get24(const unsigned char *p)
{
	return (uint32_t)p[0] << 16 | get16(p + 1);
}

/* What is wrong with the messages of a plain record (RFC 6347, 4.2.2); COUNTS:
 * nothing. Before we have answered a ClientHello, whose message_seq is 0, the
 * client cannot have sent another message: libssl would keep it for its turn,
 * and the client's own would come too late. */
static enum dtls_srtp_count wrong_message(const struct dtls_srtp *d,
					  const unsigned char *at, size_t len)
{
	bool first = !d->active &&
		(!d->ssl || SSL_get_state(d->ssl) == TLS_ST_BEFORE);
	size_t size;

	for (; len; at += size, len -= size) {
		size = MESSAGE_HEADER;
		if (len >= size)
			size += get24(at + 9);      /* of this fragment */
		if (size > len ||
		    get24(at + 6) + get24(at + 9) > get24(at + 1))
			return DTLS_SRTP_N_MALFORMED;
		if (get24(at + 1) > DTLS_SRTP_MESSAGE_MAX)
			return DTLS_SRTP_N_OVER_IN;
		if (first && (at[4] || at[5]))
			return DTLS_SRTP_N_EARLY;
	}
	return DTLS_SRTP_COUNTS;
}

/* Why it is not for libssl; COUNTS: it is. */
static enum dtls_srtp_count wrong_record(const struct dtls_srtp *d,
					 const unsigned char *record,
					 size_t len)
{
	bool plain = is_plain(record);
	unsigned type = record[0];

	if (type < TLS_CCS || type > TLS_DATA)
		return DTLS_SRTP_N_MALFORMED;
	if (plain && type == TLS_ALERT)
		return DTLS_SRTP_N_ALERTS;
	if (type == TLS_DATA || (plain && stands(d)))
		return DTLS_SRTP_N_USELESS;
	if (!plain && (!d->ssl || !reads_encrypted(d)))
		return DTLS_SRTP_N_EARLY;
	if (d->state == DTLS_SRTP_HANDSHAKING &&
	    len > DTLS_SRTP_FED_MAX - d->fed)
		return DTLS_SRTP_N_OVER_IN;
	if (type == TLS_CCS && (len != RECORD_HEADER + 1 ||
				record[RECORD_HEADER] != 1))
		return DTLS_SRTP_N_MALFORMED;
	if (plain && type == TLS_HANDSHAKE)
		return wrong_message(d, record + RECORD_HEADER,
				     len - RECORD_HEADER);
	return DTLS_SRTP_COUNTS;
}

static bool takes(struct dtls_srtp *d, const unsigned char *record, size_t len)
{
	enum dtls_srtp_count wrong = wrong_record(d, record, len);

	if (wrong == DTLS_SRTP_COUNTS) {
		if (d->state == DTLS_SRTP_HANDSHAKING)
			d->fed += len;
		return true;
	}
	d->count[wrong]++;
	if (wrong == DTLS_SRTP_N_ALERTS && len == RECORD_HEADER + 2)
		d->alert = SSL_alert_desc_string_long(
			record[RECORD_HEADER + 1]);
	return false;
}

static bool over(const struct dtls_srtp *d)
{
	return !stands(d) && d->state != DTLS_SRTP_HANDSHAKING;
}

void dtls_srtp_feed(struct dtls_srtp *d, int64_t now, const void *bytes,
		    size_t len, struct dtls_srtp_out *out)
{
	const unsigned char *at = bytes, *end = at + len;
	size_t size;

	out->n = 0;
	if (len > DTLS_SRTP_IN_MAX) {
		d->count[DTLS_SRTP_N_OVER_IN]++;
		return;
	}
	d->out = out;
	for (; at < end; at += size) {
		if (over(d) || (stands(d) && !d->ssl)) {
			d->count[DTLS_SRTP_N_LATE]++;
			break;
		}
		size = RECORD_HEADER;
		if ((size_t)(end - at) >= size)
			size += get16(at + 11);
		if (size > (size_t)(end - at)) {
			d->count[DTLS_SRTP_N_MALFORMED]++;
			break;
		}
		if (!takes(d, at, size) || (!d->ssl && !begin(d)))
			continue;
		d->in = at;
		d->in_len = size;
		run(d, now);
	}
	set_due(d, now);
	d->out = NULL;
}

void dtls_srtp_time(struct dtls_srtp *d, int64_t now,
		    struct dtls_srtp_out *out)
{
	out->n = 0;
	if (now < d->due)
		return;
	d->out = out;
	if (stands(d)) {
		free_ssl(d);
	} else if (!d->ssl) {
		/* An active one begins; without memory, a little later. */
		if (begin(d))
			run(d, now);
		else
			d->due = now + DTLS_SRTP_RTO_MS;
	} else {
		ERR_clear_error();
		if (DTLSv1_handle_timeout(d->ssl) < 0)
			broken(d, 0);
	}
	set_due(d, now);
	d->out = NULL;
}

int64_t dtls_srtp_deadline(const struct dtls_srtp *d)
{
	return d->due;
}

int dtls_srtp_expect(struct dtls_srtp *d, const char *hash,
		     const unsigned char *value, size_t len)
{
	const EVP_MD *md = hash_by_name(hash);

	if (!md)
		return EPROTONOSUPPORT;
	if (len != (size_t)EVP_MD_get_size(md))
		return EBADMSG;
	if (d->md)
		return md == d->md && !memcmp(value, d->expected, len) ?
			0 : EEXIST;
	d->md = md;
	memcpy(d->expected, value, len);
	judge(d);
	return 0;
}

void dtls_srtp_settled(struct dtls_srtp *d)
{
	if (d->state == DTLS_SRTP_DONE)
		free_ssl(d);
}

enum dtls_srtp_state dtls_srtp_state(const struct dtls_srtp *d)
{
	return d->state;
}

int dtls_srtp_take_keys(struct dtls_srtp *d, struct dtls_srtp_keys *k_r)
{
	if (!d->keyed || d->his)
		return ENODATA;
	*k_r = d->keys;
	dtls_srtp_keys_wipe(&d->keys);
	d->keyed = false;
	return 0;
}

const char *dtls_srtp_why(const struct dtls_srtp *d)
{
	return d->why;
}

const char *dtls_srtp_alert(const struct dtls_srtp *d)
{
	return d->alert;
}

uint32_t dtls_srtp_count(const struct dtls_srtp *d, enum dtls_srtp_count n)
{
	return d->count[n];
}

bool dtls_srtp_heavy(const struct dtls_srtp *d)
{
	return d->ssl;
}
