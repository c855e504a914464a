/* hmac.h: HMAC-SHA1 (RFC 2104), for STUN's MESSAGE-INTEGRITY. What breaks
 * SHA-1 as a hash does not break it here.
 */
#ifndef JINGLE_MEDIA_HMAC_H
#define JINGLE_MEDIA_HMAC_H

#include <stdbool.h>
#include "jingle/stanza/sha1.h"

struct hmac_state {
	struct sha1_state inner;
	unsigned char outer[64];   /* key, padded: for the outer hash */
};

/* A digest of bytes that come piece by piece; hmac_end() wipes the state. */
void hmac_start(struct hmac_state *s, const void *key, size_t key_len);
void hmac_add(struct hmac_state *s, const void *data, size_t len);
void hmac_end(struct hmac_state *s, unsigned char out[SHA1_SIZE]);

/* Compares in a time that does not depend on where they differ (A35). */
bool hmac_same(const unsigned char a[SHA1_SIZE],
	       const unsigned char b[SHA1_SIZE]);

#endif
