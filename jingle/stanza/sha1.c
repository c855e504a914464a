/* sha1.c: SHA-1 (FIPS 180-4). Our own, so that ring 0 needs no crypto
 * library for the one hash that XMPP still asks of it.
 */
#include "jingle/stanza/sha1.h"

#include <string.h>

#define BLOCK 64

static uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void expand(const unsigned char *p, uint32_t w[80])
{
	for (int i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
		       (uint32_t)p[2] << 8 | p[3];
	for (int i = 16; i < 80; i++)
		w[i] = rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

static uint32_t choose(uint32_t b, uint32_t c, uint32_t d)
{
	return d ^ (b & (c ^ d));
}

static uint32_t parity(uint32_t b, uint32_t c, uint32_t d)
{
	return b ^ c ^ d;
}

static uint32_t majority(uint32_t b, uint32_t c, uint32_t d)
{
	return (b & c) | (d & (b | c));
}

/* Rounds of five: the names go round, not the values. */
#define ROUND(f, k, a, b, c, d, e, i) \
	((e) += rotl(a, 5) + f(b, c, d) + (k) + w[i], (b) = rotl(b, 30))
#define ROUNDS(f, k, from) \
	for (int i = (from); i < (from) + 20; i += 5) { \
		ROUND(f, k, a, b, c, d, e, i); \
		ROUND(f, k, e, a, b, c, d, i + 1); \
		ROUND(f, k, d, e, a, b, c, i + 2); \
		ROUND(f, k, c, d, e, a, b, i + 3); \
		ROUND(f, k, b, c, d, e, a, i + 4); \
	}

static void block(uint32_t h[5], const unsigned char *p)
{
	uint32_t w[80];
	uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	expand(p, w);
	ROUNDS(choose, 0x5a827999, 0)
	ROUNDS(parity, 0x6ed9eba1, 20)
	ROUNDS(majority, 0x8f1bbcdc, 40)
	ROUNDS(parity, 0xca62c1d6, 60)
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1_start(struct sha1_state *s)
{
	*s = (struct sha1_state){
		.h = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
		       0xc3d2e1f0 },
	};
}

void sha1_add(struct sha1_state *s, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len) {
		size_t have = s->len % BLOCK;
		size_t n = len < BLOCK - have ? len : BLOCK - have;

		memcpy(s->rest + have, p, n);
		s->len += n;
		p += n;
		len -= n;
		if (have + n == BLOCK)
			block(s->h, s->rest);
	}
}

/* 0x80, zeros and the length in bits fill the last block. */
void sha1_end(struct sha1_state *s, unsigned char out[SHA1_SIZE])
{
	static const unsigned char padding[BLOCK] = { 0x80 };
	unsigned char bits[8];
	size_t have = s->len % BLOCK;

	for (size_t i = 0; i < 8; i++)
		bits[i] = (unsigned char)(s->len * 8 >> (56 - 8 * i));
	sha1_add(s, padding, (have < 56 ? 56 : 120) - have);
	sha1_add(s, bits, sizeof(bits));
	for (int i = 0; i < SHA1_SIZE; i++)
		out[i] = (unsigned char)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha1(const void *data, size_t len, unsigned char out[SHA1_SIZE])
{
	struct sha1_state s;

	sha1_start(&s);
	sha1_add(&s, data, len);
	sha1_end(&s, out);
}

void sha1_hex(const void *data, size_t len, char out[SHA1_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char hash[SHA1_SIZE];

	sha1(data, len, hash);
	for (size_t i = 0; i < SHA1_SIZE; i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[2 * SHA1_SIZE] = '\0';
}
