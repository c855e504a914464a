/* srtp.c: what SRTP costs a packet, opened and sealed again as a relay does it:
 * our back end on OpenSSL, the one on libsrtp2, and OpenSSL's functions called
 * with nothing around them, in turns of one run; doc/performance.md has the
 * figures.
 *
 * usage: srtp [ROUNDS]
 */
#define OPENSSL_API_COMPAT 10100
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include "jingle/media/srtp.h"

#define BATCH 128
#define ROOM 1300
#define HEAD 12

enum kind { RAW, OURS, LIBSRTP, KINDS };

static const char *const kind_names[KINDS] = { "raw", "EVP", "libsrtp2" };

static const struct {
	const char *name;
	enum srtp_profile profile;
	bool gcm;
} suites[] = {
	{ "GCM-128", SRTP_PROFILE_GCM128, true },
	{ "SHA1-80", SRTP_PROFILE_CM128_80, false },
};

static const size_t sizes[] = { 200, 1200 };
static const unsigned char secret[SRTP_KEY_MAX] = "one key for all of them";

struct raw {
	bool gcm;
	EVP_CIPHER_CTX *open, *seal;
	SHA_CTX inner, outer;
};

struct bench {
	struct srtp *feed, *open, *seal;
	struct raw raw;
	size_t size;
	uint16_t seq;
	unsigned char packets[BATCH][ROOM];
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(bool fine)
{
	if (!fine)
		abort();
}

/* --- the floor: cipher and hash, on the same bytes ---------------------- */

static void raw_start(struct raw *r, bool gcm)
{
	const EVP_CIPHER *c = gcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
	static const unsigned char pad[64] = { 0x36 };

	r->gcm = gcm;
	r->open = EVP_CIPHER_CTX_new();
	r->seal = EVP_CIPHER_CTX_new();
	must(EVP_CipherInit_ex(r->open, c, NULL, secret, NULL, !gcm) == 1);
	must(EVP_CipherInit_ex(r->seal, c, NULL, secret, NULL, 1) == 1);
	SHA1_Init(&r->inner);
	SHA1_Update(&r->inner, pad, sizeof(pad));
	r->outer = r->inner;
}

static void raw_hash(const struct raw *r, const unsigned char *p, size_t len)
{
	unsigned char tag[SHA_DIGEST_LENGTH], roc[4] = { 0 };
	SHA_CTX c = r->inner;

	SHA1_Update(&c, p, len);
	SHA1_Update(&c, roc, sizeof(roc));
	SHA1_Final(tag, &c);
	c = r->outer;
	SHA1_Update(&c, tag, sizeof(tag));
	SHA1_Final(tag, &c);
}

static void raw_crypt(EVP_CIPHER_CTX *c, unsigned char *p, size_t len)
{
	unsigned char iv[16] = { 0 };
	int n;

	memcpy(iv, p, HEAD);
	must(EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, -1) == 1);
	must(EVP_CipherUpdate(c, p + HEAD, &n, p + HEAD,
			      (int)(len - HEAD)) == 1);
}

static void raw_gcm(EVP_CIPHER_CTX *c, unsigned char *p, size_t len, int tag)
{
	unsigned char iv[16] = { 0 };
	int n;

	memcpy(iv, p, HEAD);
	must(EVP_CipherInit_ex(c, NULL, NULL, NULL, iv, -1) == 1);
	must(EVP_CipherUpdate(c, NULL, &n, p, HEAD) == 1);
	must(EVP_CipherUpdate(c, p + HEAD, &n, p + HEAD,
			      (int)(len - HEAD)) == 1);
	if (tag == EVP_CTRL_AEAD_SET_TAG)
		must(EVP_CIPHER_CTX_ctrl(c, tag, 16, p + len) == 1);
	must(EVP_CipherFinal_ex(c, p + len, &n) == 1);
	if (tag == EVP_CTRL_AEAD_GET_TAG)
		must(EVP_CIPHER_CTX_ctrl(c, tag, 16, p + len) == 1);
}

static void raw_feed(struct raw *r, unsigned char *p, size_t len)
{
	if (r->gcm)
		raw_gcm(r->seal, p, len, EVP_CTRL_AEAD_GET_TAG);
}

static void raw_pass(struct raw *r, unsigned char *p, size_t len)
{
	if (r->gcm) {
		raw_gcm(r->open, p, len, EVP_CTRL_AEAD_SET_TAG);
		raw_gcm(r->seal, p, len, EVP_CTRL_AEAD_GET_TAG);
	} else {
		raw_hash(r, p, len);
		raw_crypt(r->open, p, len);
		raw_crypt(r->seal, p, len);
		raw_hash(r, p, len);
	}
}

/* --- measuring ---------------------------------------------------------- */

static void bench_start(struct bench *b, enum kind kind, unsigned suite,
			size_t size)
{
	enum srtp_backend backend = kind == OURS ? SRTP_EVP : SRTP_LIBSRTP;
	enum srtp_profile profile = suites[suite].profile;

	memset(b, 0, sizeof(*b));
	b->size = size;
	raw_start(&b->raw, suites[suite].gcm);
	must(!srtp_new(profile, SRTP_SEALS, backend, secret, secret,
		       &b->feed));
	must(!srtp_new(profile, SRTP_OPENS, backend, secret, secret,
		       &b->open));
	must(!srtp_new(profile, SRTP_SEALS, backend, secret + 1, secret,
		       &b->seal));
}

static void bench_end(struct bench *b)
{
	EVP_CIPHER_CTX_free(b->raw.open);
	EVP_CIPHER_CTX_free(b->raw.seal);
	srtp_free(b->feed);
	srtp_free(b->open);
	srtp_free(b->seal);
}

/* Packets as they come in, which is not measured; their lengths are one. */
static size_t feed(struct bench *b, enum kind kind)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < BATCH; i++) {
		unsigned char *p = b->packets[i];

		p[0] = 0x80;
		p[2] = (unsigned char)(b->seq >> 8);
		p[3] = (unsigned char)b->seq++;
		p[11] = 1;
		len = b->size;
		if (kind == RAW)
			raw_feed(&b->raw, p, len);
		else
			must(!srtp_seal_rtp(b->feed, p, &len, ROOM));
	}
	return len;
}

/* Nanoseconds of CPU per packet, opened and sealed. */
static double one_round(struct bench *b, enum kind kind)
{
	size_t sealed = feed(b, kind), len;
	double begin = now_ns();
	unsigned i;

	for (i = 0; i < BATCH; i++) {
		if (kind == RAW) {
			raw_pass(&b->raw, b->packets[i], b->size);
			continue;
		}
		len = sealed;
		must(!srtp_open_rtp(b->open, b->packets[i], &len));
		must(!srtp_seal_rtp(b->seal, b->packets[i], &len, ROOM));
	}
	return (now_ns() - begin) / BATCH;
}

static void row(unsigned suite, size_t size, unsigned rounds)
{
	static struct bench of[KINDS];
	double best[KINDS];
	unsigned i, k;

	for (k = 0; k < KINDS; k++)
		bench_start(&of[k], (enum kind)k, suite, size);
	for (i = 0; i < rounds; i++) {
		for (k = 0; k < KINDS; k++) {
			double ns = one_round(&of[k], (enum kind)k);

			if (!i || ns < best[k])
				best[k] = ns;
		}
	}
	printf("%s %5zu B", suites[suite].name, size);
	for (k = 0; k < KINDS; k++)
		printf("  %s %5.0f (%.2f)", kind_names[k], best[k],
		       best[k] / best[RAW]);
	printf("\n");
	for (k = 0; k < KINDS; k++)
		bench_end(&of[k]);
}

/* Heap of one direction that knows two SSRCs. */
static void memory(unsigned suite, enum kind kind)
{
	static struct srtp *of[64];
	unsigned char p[ROOM] = { 0x80 };
	size_t before = mallinfo2().uordblks, len;
	unsigned i, ssrc;

	for (i = 0; i < 64; i++) {
		must(!srtp_new(suites[suite].profile, SRTP_SEALS,
			       kind == OURS ? SRTP_EVP : SRTP_LIBSRTP, secret,
			       secret, &of[i]));
		for (ssrc = 0; ssrc < 2; ssrc++) {
			p[11] = (unsigned char)ssrc;
			len = 200;
			must(!srtp_seal_rtp(of[i], p, &len, ROOM));
		}
	}
	printf("%s %s: heap of one direction %zu bytes\n",
	       suites[suite].name, kind_names[kind],
	       (mallinfo2().uordblks - before) / 64);
	for (i = 0; i < 64; i++)
		srtp_free(of[i]);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 300;
	unsigned i, n;

	printf("ns of CPU per packet, opened and sealed, the best of %u "
	       "rounds of %d (times raw)\n", rounds, BATCH);
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++)
			row(i, sizes[n], rounds);
	}
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		memory(i, OURS);
		memory(i, LIBSRTP);
	}
	return 0;
}
