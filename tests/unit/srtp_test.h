/* srtp_test.h: SRTP for tests: packets made and compared, keys, the profiles
 * and back ends there are.
 */
#ifndef TESTS_UNIT_SRTP_TEST_H
#define TESTS_UNIT_SRTP_TEST_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/media/srtp_private.h"

#define ROOM 2048

struct buffer {
	unsigned char bytes[ROOM];
	size_t len;
};

static const enum srtp_profile profiles[] = {
	SRTP_PROFILE_CM128_80, SRTP_PROFILE_CM128_32, SRTP_PROFILE_GCM128,
	SRTP_PROFILE_GCM256, SRTP_PROFILE_CM256_80,
};
#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))
#define BACKENDS 2

/* From hexadecimal digits; blanks between them do not count. */
static inline struct buffer hex(const char *digits)
{
	struct buffer b = { .len = 0 };
	unsigned byte;

	for (; *digits; digits++) {
		if (*digits == ' ')
			continue;
		if (b.len == ROOM || sscanf(digits, "%2x", &byte) != 1)
			abort();
		b.bytes[b.len++] = (unsigned char)byte;
		digits++;
	}
	return b;
}

static inline bool same(const struct buffer *a, const struct buffer *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* The same numbers for the same seed, everywhere. */
static inline uint32_t random32(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33 ^ *seed >> 20);
}

static inline struct srtp *keyed(enum srtp_profile profile, enum srtp_way way,
				 enum srtp_backend backend, unsigned char which)
{
	unsigned char key[SRTP_KEY_MAX], salt[SRTP_SALT_MAX];
	struct srtp *s;
	int i, rc;

	for (i = 0; i < SRTP_KEY_MAX; i++)
		key[i] = (unsigned char)(7 * i + which);
	for (i = 0; i < SRTP_SALT_MAX; i++)
		salt[i] = (unsigned char)(11 * i + 3 + which);
	rc = srtp_new(profile, way, backend, key, salt, &s);
	assert(!rc);
	return s;
}

/* An RTP packet; `shape` has the CC, X and P bits of its first byte. */
static inline struct buffer rtp(unsigned shape, uint16_t seq, uint32_t ssrc,
				size_t payload)
{
	struct buffer b = { .len = 12 + 4 * (shape & 15) };
	size_t i;

	b.bytes[0] = (unsigned char)(0x80 | shape);
	b.bytes[1] = 0xe0;
	b.bytes[2] = (unsigned char)(seq >> 8);
	b.bytes[3] = (unsigned char)seq;
	put32(b.bytes + 4, 0x01020304);
	put32(b.bytes + 8, ssrc);
	for (i = 12; i < b.len; i++)
		b.bytes[i] = (unsigned char)(0x40 + i);
	if (shape & 0x10) {
		memcpy(b.bytes + b.len, "\xbe\xde\0\2\x10\x99\x22\xaa\xbb\xcc"
		       "\0\0", 12);
		b.len += 12;
	}
	for (i = 0; i < payload; i++)
		b.bytes[b.len++] = (unsigned char)(i * i + seq);
	if (payload && (shape & 0x20))
		b.bytes[b.len - 1] = 1;
	return b;
}

/* A receiver report with words of anything behind it. */
static inline struct buffer rtcp(uint32_t ssrc, size_t words)
{
	struct buffer b = { .len = 8 + 4 * words };
	size_t i;

	b.bytes[0] = 0x81;
	b.bytes[1] = 201;
	b.bytes[3] = (unsigned char)(1 + words);
	put32(b.bytes + 4, ssrc);
	for (i = 8; i < b.len; i++)
		b.bytes[i] = (unsigned char)(3 * i);
	return b;
}

static inline int seal(struct srtp *s, bool is_rtcp, struct buffer *b)
{
	return is_rtcp ? srtp_seal_rtcp(s, b->bytes, &b->len, ROOM) :
	       srtp_seal_rtp(s, b->bytes, &b->len, ROOM);
}

static inline int unseal(struct srtp *s, bool is_rtcp, struct buffer *b)
{
	return is_rtcp ? srtp_open_rtcp(s, b->bytes, &b->len) :
	       srtp_open_rtp(s, b->bytes, &b->len);
}

/* The stream of an SSRC, which is known from now on. */
static inline struct srtp_stream *known(struct srtp *s, uint32_t ssrc)
{
	struct srtp_stream *st;

	if (srtp_streams_get(&s->streams, ssrc, &st))
		return NULL;
	if (st == s->streams.of + s->streams.n)
		s->streams.n++;
	return st;
}

/* Opens a copy: the packet stays for another time. */
static inline int tried(struct srtp *s, bool is_rtcp, const struct buffer *b)
{
	struct buffer copy = *b;

	return unseal(s, is_rtcp, &copy);
}

#endif
