/* sha1.h: SHA-1 (FIPS 180-4), for XEP-0115 hashes and the XEP-0114 handshake.
 * Not for anything that must resist collisions.
 */
#ifndef JINGLE_STANZA_SHA1_H
#define JINGLE_STANZA_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20               /* bytes of a digest */
#define SHA1_HEX_SIZE 41           /* its lower case hex digits and NUL */

/* A digest of bytes that come piece by piece. */
struct sha1_state {
	uint32_t h[5];             /* hash of the blocks so far */
	uint64_t len;              /* bytes so far */
	unsigned char rest[64];    /* those of no whole block yet */
};

void sha1_start(struct sha1_state *s);
void sha1_add(struct sha1_state *s, const void *data, size_t len);
void sha1_end(struct sha1_state *s, unsigned char out[SHA1_SIZE]);

/* All at once. */
void sha1(const void *data, size_t len, unsigned char out[SHA1_SIZE]);
void sha1_hex(const void *data, size_t len, char out[SHA1_HEX_SIZE]);

#endif
