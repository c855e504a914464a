/* srtp_evp.c: SRTP on OpenSSL's ciphers, with keys derived once and a context
 * that is only given a new IV per packet. SHA-1 by the functions below EVP:
 * they are deprecated, but their state is plain numbers, so that HMAC's two
 * halves are computed once per key and copied. A copied EVP_MD_CTX allocates
 * and takes 30 % longer for 200 bytes, EVP_MAC 70 %.
 *
 * RTP and RTCP share the context, which is 1.1 kB with GCM: one of RTCP, which
 * is rare, has it keyed anew, and so has the next one of RTP.
 */
#define OPENSSL_API_COMPAT 10100
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "jingle/media/srtp_private.h"

#define IV_SIZE 16                 /* GCM's is the first 12 of it */
#define HMAC_BLOCK 64
#define AUTH_SIZE 20

/* SHA-1 after one block. */
struct hashed {
	uint32_t h[5];
};

/* Of RTP or of RTCP. */
struct half {
	unsigned char key[SRTP_KEY_MAX], salt[IV_SIZE];
	struct hashed inner, outer;        /* HMAC: the key is in them */
};

struct keys {
	EVP_CIPHER_CTX *cipher;
	const struct half *now;    /* whose key it has; NULL: none */
	struct half of[2];
};

static const EVP_CIPHER *cipher_of(const struct srtp_form *f)
{
	if (f->gcm)
		return f->key == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
	return f->key == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr();
}

/* --- keys -------------------------------------------------------------- */

/* Labels 0 to 2 are RTP's, 3 to 5 RTCP's: key, authentication key, salt. The
 * 96-bit salt of GCM is filled up by zeros (RFC 7714, 11). */
static int prf(EVP_CIPHER_CTX *c, const struct srtp_form *f,
	       const unsigned char *salt, int label, unsigned char *out,
	       size_t len)
{
	unsigned char iv[IV_SIZE] = { 0 };
	int n, rc;

	memcpy(iv, salt, f->salt);
	iv[7] ^= (unsigned char)label;
	memset(out, 0, len);
	rc = EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv) == 1 &&
	     EVP_EncryptUpdate(c, out, &n, out, (int)len) == 1 ? 0 : EIO;
	OPENSSL_cleanse(iv, sizeof(iv));
	return rc;
}

int srtp_evp_derive(const struct srtp_form *f, const unsigned char *key,
		    const unsigned char *salt,
		    struct srtp_session_keys *keys_r)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int i, rc;

	rc = c && EVP_EncryptInit_ex(c, f->key == 16 ? EVP_aes_128_ctr() :
				     EVP_aes_256_ctr(), NULL, key, NULL) == 1 ?
	     0 : EIO;
	for (i = 0; i < 2 && !rc; i++) {
		rc = prf(c, f, salt, 3 * i, keys_r->of[i].key, f->key);
		if (!rc)
			rc = prf(c, f, salt, 3 * i + 1, keys_r->of[i].auth,
				 AUTH_SIZE);
		if (!rc)
			rc = prf(c, f, salt, 3 * i + 2, keys_r->of[i].salt,
				 f->salt);
	}
	EVP_CIPHER_CTX_free(c);
	return rc;
}

static void start_hmac(struct hashed *out, const unsigned char *auth,
		       unsigned char with)
{
	unsigned char pad[HMAC_BLOCK];
	SHA_CTX c;
	int i;

	memset(pad, with, sizeof(pad));
	for (i = 0; i < AUTH_SIZE; i++)
		pad[i] ^= auth[i];
	SHA1_Init(&c);
	SHA1_Update(&c, pad, sizeof(pad));
	*out = (struct hashed){ { c.h0, c.h1, c.h2, c.h3, c.h4 } };
	OPENSSL_cleanse(pad, sizeof(pad));
	OPENSSL_cleanse(&c, sizeof(c));
}

static void go_on(SHA_CTX *c, const struct hashed *from)
{
	SHA1_Init(c);
	c->h0 = from->h[0];
	c->h1 = from->h[1];
	c->h2 = from->h[2];
	c->h3 = from->h[3];
	c->h4 = from->h[4];
	c->Nl = 8 * HMAC_BLOCK;
}

int srtp_evp_set_keys(struct srtp *s, const struct srtp_session_keys *keys)
{
	struct keys *k = s->keys;
	/* CTR mode works as encryption both ways. */
	int encrypt = s->seals || !s->form->gcm, i;

	k->now = NULL;
	if (!k->cipher)
		k->cipher = EVP_CIPHER_CTX_new();
	if (!k->cipher || EVP_CipherInit_ex(k->cipher, cipher_of(s->form),
					    NULL, NULL, NULL, encrypt) != 1)
		return EIO;
	for (i = 0; i < 2; i++) {
		struct half *h = &k->of[i];

		memcpy(h->key, keys->of[i].key, s->form->key);
		memcpy(h->salt, keys->of[i].salt, s->form->salt);
		start_hmac(&h->inner, keys->of[i].auth, 0x36);
		start_hmac(&h->outer, keys->of[i].auth, 0x5c);
	}
	return 0;
}

static int evp_start(struct srtp *s, const unsigned char *key,
		     const unsigned char *salt)
{
	struct srtp_session_keys keys;
	int rc;

	s->keys = calloc(1, sizeof(struct keys));
	if (!s->keys)
		return ENOMEM;
	rc = srtp_evp_derive(s->form, key, salt, &keys);
	if (!rc)
		rc = srtp_evp_set_keys(s, &keys);
	OPENSSL_cleanse(&keys, sizeof(keys));
	return rc;
}

static void evp_stop(struct srtp *s)
{
	struct keys *k = s->keys;

	if (!k)
		return;
	EVP_CIPHER_CTX_free(k->cipher);
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

/* --- both ciphers ------------------------------------------------------ */

static const struct half *half_of(const struct srtp *s,
				  const struct srtp_packet *p)
{
	const struct keys *k = s->keys;

	return &k->of[p->rtcp];
}

/* RFC 3711, 4.1.1; RFC 7714, 8.1 and 9.1: SSRC and index, each at its place,
 * added to the salt. GCM's is the same without the first two bytes. */
static int set_iv(const struct srtp *s, const struct half *h, uint32_t ssrc,
		  uint64_t index)
{
	unsigned char iv[IV_SIZE], *p = iv + (s->form->gcm ? 2 : 4);
	const unsigned char *key = NULL;
	struct keys *k = s->keys;
	int i;

	memcpy(iv, h->salt, sizeof(iv));
	for (i = 0; i < 4; i++)
		p[i] ^= (unsigned char)(ssrc >> (24 - 8 * i));
	for (i = 0; i < 6; i++)
		p[4 + i] ^= (unsigned char)(index >> (40 - 8 * i));
	if (k->now != h)
		key = h->key;
	k->now = NULL;
	if (EVP_CipherInit_ex(k->cipher, NULL, NULL, key, iv, -1) != 1)
		return EIO;
	k->now = h;
	return 0;
}

static EVP_CIPHER_CTX *cipher(const struct srtp *s)
{
	const struct keys *k = s->keys;

	return k->cipher;
}

static int update(const struct srtp *s, unsigned char *out,
		  const unsigned char *in, size_t len)
{
	int n;

	return !len || EVP_CipherUpdate(cipher(s), out, &n, in,
					(int)len) == 1 ? 0 : EIO;
}

/* --- AES-CM with HMAC-SHA1 --------------------------------------------- */

static void make_tag(const struct half *h, const unsigned char *data,
		     size_t len, const unsigned char *roc,
		     unsigned char out[SHA_DIGEST_LENGTH])
{
	SHA_CTX c;

	go_on(&c, &h->inner);
	SHA1_Update(&c, data, len);
	if (roc)
		SHA1_Update(&c, roc, 4);
	SHA1_Final(out, &c);
	go_on(&c, &h->outer);
	SHA1_Update(&c, out, SHA_DIGEST_LENGTH);
	SHA1_Final(out, &c);
	OPENSSL_cleanse(&c, sizeof(c));
}

/* What is authenticated is `len` bytes, and of RTP the rollover counter. */
static void cm_tag(const struct srtp *s, const struct srtp_packet *p,
		   size_t len, uint64_t index, unsigned char *out)
{
	const struct half *h = half_of(s, p);
	unsigned char roc[4];

	put32(roc, (uint32_t)(index >> 16));
	make_tag(h, p->bytes, len, p->rtcp ? NULL : roc, out);
}

static int cm_crypt(const struct srtp *s, const struct srtp_packet *p,
		    size_t len, uint64_t index)
{
	const struct half *h = half_of(s, p);
	int rc = set_iv(s, h, p->ssrc, index);

	return rc ? rc : update(s, p->bytes + p->head, p->bytes + p->head,
				len - p->head);
}

static int cm_seal(const struct srtp *s, struct srtp_packet *p,
		   uint64_t index)
{
	unsigned char tag[SHA_DIGEST_LENGTH];
	int rc = cm_crypt(s, p, p->len, index);

	if (rc)
		return rc;
	if (p->rtcp) {
		put32(p->bytes + p->len, SRTP_E_FLAG | (uint32_t)index);
		p->len += 4;
	}
	cm_tag(s, p, p->len, index, tag);
	memcpy(p->bytes + p->len, tag, s->form->tag[p->rtcp]);
	p->len += s->form->tag[p->rtcp];
	return 0;
}

static int cm_open(const struct srtp *s, struct srtp_packet *p,
		   uint64_t index)
{
	unsigned char tag[SHA_DIGEST_LENGTH];
	size_t tag_size = s->form->tag[p->rtcp], len = p->len - tag_size;

	cm_tag(s, p, len, index, tag);
	if (CRYPTO_memcmp(tag, p->bytes + len, tag_size) != 0)
		return EACCES;
	if (p->rtcp)
		len -= 4;
	p->len = len;
	return cm_crypt(s, p, len, index);
}

/* --- AES-GCM ----------------------------------------------------------- */

/* Associated data: the header, and of RTCP the E flag with the index. */
static int gcm_start(const struct srtp *s, const struct srtp_packet *p,
		     uint64_t index)
{
	const struct half *h = half_of(s, p);
	unsigned char word[4];
	int rc = set_iv(s, h, p->ssrc, index);

	if (!rc)
		rc = update(s, NULL, p->bytes, p->head);
	if (!rc && p->rtcp) {
		put32(word, SRTP_E_FLAG | (uint32_t)index);
		rc = update(s, NULL, word, sizeof(word));
	}
	return rc;
}

static int gcm_seal(const struct srtp *s, struct srtp_packet *p,
		    uint64_t index)
{
	unsigned char *text = p->bytes + p->head;
	size_t tag_size = s->form->tag[p->rtcp];
	int n, rc = gcm_start(s, p, index);

	if (!rc)
		rc = update(s, text, text, p->len - p->head);
	if (rc || EVP_CipherFinal_ex(cipher(s), p->bytes + p->len, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(cipher(s), EVP_CTRL_AEAD_GET_TAG,
				(int)tag_size, p->bytes + p->len) != 1)
		return EIO;
	p->len += tag_size;
	if (p->rtcp) {
		put32(p->bytes + p->len, SRTP_E_FLAG | (uint32_t)index);
		p->len += 4;
	}
	return 0;
}

static int gcm_open(const struct srtp *s, struct srtp_packet *p,
		    uint64_t index)
{
	unsigned char *text = p->bytes + p->head;
	size_t tag_size = s->form->tag[p->rtcp];
	size_t len = p->len - tag_size - (p->rtcp ? 4 : 0);
	int n, rc = gcm_start(s, p, index);

	if (!rc)
		rc = update(s, text, text, len - p->head);
	if (rc || EVP_CIPHER_CTX_ctrl(cipher(s), EVP_CTRL_AEAD_SET_TAG,
				      (int)tag_size, p->bytes + len) != 1)
		return EIO;
	if (EVP_CipherFinal_ex(cipher(s), p->bytes + len, &n) != 1)
		return EACCES;
	p->len = len;
	return 0;
}

/* --- indexes ----------------------------------------------------------- */

/* The index is used up before the cipher runs, whatever becomes of it. */
static int evp_seal(struct srtp *s, struct srtp_stream *st,
		    struct srtp_packet *p)
{
	uint64_t index;
	int rc;

	if (p->rtcp) {
		index = st->rtcp.top;
		if (index >= SRTP_RTCP_END)
			return EOVERFLOW;
		st->rtcp.top++;
	} else {
		index = srtp_window_guess(&st->rtp, p->seq);
		rc = srtp_window_check(&st->rtp, index, SRTP_RTP_END);
		if (rc)
			return rc;
		srtp_window_mark(&st->rtp, index);
	}
	return s->form->gcm ? gcm_seal(s, p, index) : cm_seal(s, p, index);
}

static int evp_open(struct srtp *s, struct srtp_stream *st,
		    struct srtp_packet *p)
{
	struct srtp_window *w = p->rtcp ? &st->rtcp : &st->rtp;
	uint64_t index = p->index;
	int rc;

	if (!p->rtcp)
		index = srtp_window_guess(w, p->seq);
	rc = srtp_window_check(w, index, SRTP_RTP_END);
	if (rc)
		return rc;
	rc = s->form->gcm ? gcm_open(s, p, index) : cm_open(s, p, index);
	if (!rc)
		srtp_window_mark(w, index);
	return rc;
}

const struct srtp_backend_ops srtp_evp_ops = {
	.start = evp_start,
	.stop = evp_stop,
	.seal = evp_seal,
	.open = evp_open,
};
