/* hmac.c: HMAC-SHA1 (RFC 2104). */
#include "jingle/media/hmac.h"

#include <string.h>

#define BLOCK 64

void hmac_start(struct hmac_state *s, const void *key, size_t key_len)
{
	unsigned char pad[BLOCK] = { 0 };
	int i;

	if (key_len > BLOCK)
		sha1(key, key_len, pad);
	else
		memcpy(pad, key, key_len);
	for (i = 0; i < BLOCK; i++) {
		s->outer[i] = pad[i] ^ 0x5c;
		pad[i] ^= 0x36;
	}
	sha1_start(&s->inner);
	sha1_add(&s->inner, pad, BLOCK);
	explicit_bzero(pad, sizeof(pad));
}

void hmac_add(struct hmac_state *s, const void *data, size_t len)
{
	sha1_add(&s->inner, data, len);
}

void hmac_end(struct hmac_state *s, unsigned char out[SHA1_SIZE])
{
	unsigned char hash[SHA1_SIZE];
	struct sha1_state outer;

	sha1_end(&s->inner, hash);
	sha1_start(&outer);
	sha1_add(&outer, s->outer, BLOCK);
	sha1_add(&outer, hash, SHA1_SIZE);
	sha1_end(&outer, out);
	explicit_bzero(s, sizeof(*s));
	explicit_bzero(&outer, sizeof(outer));
}

bool hmac_same(const unsigned char a[SHA1_SIZE],
	       const unsigned char b[SHA1_SIZE])
{
	unsigned char differ = 0;
	int i;

	for (i = 0; i < SHA1_SIZE; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}
