/* stun_test.h: STUN messages for tests: RFC 5769's, and made ones with any
 * fault, each in memory of exactly its size so that a sanitizer sees whoever
 * reads beyond it.
 */
#ifndef TESTS_UNIT_STUN_TEST_H
#define TESTS_UNIT_STUN_TEST_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/media/hmac.h"
#include "jingle/media/stun.h"

struct packet {
	unsigned char *bytes;
	size_t len;
};

static inline struct packet packet_copy(const void *bytes, size_t len)
{
	struct packet p = { malloc(len ? len : 1), len };

	assert(p.bytes);
	memcpy(p.bytes, bytes, len);
	return p;
}

/* From hexadecimal digits; blanks between them do not count. */
static inline struct packet packet_hex(const char *hex)
{
	unsigned char bytes[4096];
	unsigned byte;
	size_t n = 0;

	for (; *hex; hex++) {
		if (*hex == ' ')
			continue;
		if (n == sizeof(bytes) || sscanf(hex, "%2x", &byte) != 1)
			abort();
		bytes[n++] = (unsigned char)byte;
		hex++;
	}
	return packet_copy(bytes, n);
}

static inline void packet_free(struct packet *p)
{
	free(p->bytes);
	p->bytes = NULL;
}

#define TEST_ID "b7e7a701bc34d686fa87dfae"
#define TEST_COOKIE "2112a442"

static inline void set_length(struct packet *p, size_t len)
{
	p->bytes[2] = (unsigned char)((len - STUN_HEADER_SIZE) >> 8);
	p->bytes[3] = (unsigned char)(len - STUN_HEADER_SIZE);
}

/* A message of this type ("0001") with these attributes, as hexadecimal
 * digits; its length is right. */
static inline struct packet packet_made(const char *type, const char *attrs)
{
	struct packet p;
	char hex[8192];

	snprintf(hex, sizeof(hex), "%s 0000 " TEST_COOKIE TEST_ID "%s", type,
		 attrs);
	p = packet_hex(hex);
	set_length(&p, p.len);
	return p;
}

/* Adds bytes to the end; the length is right again. */
static inline void packet_add(struct packet *p, const void *bytes, size_t len)
{
	unsigned char *both = malloc(p->len + len);

	assert(both);
	memcpy(both, p->bytes, p->len);
	memcpy(both + p->len, bytes, len);
	free(p->bytes);
	p->bytes = both;
	p->len += len;
	set_length(p, p->len);
}

/* Adds a MESSAGE-INTEGRITY by a second way of making it. */
static inline void packet_sign(struct packet *p, const char *key)
{
	unsigned char attr[4 + SHA1_SIZE] = { 0, 8, 0, SHA1_SIZE };
	struct hmac_state s;

	set_length(p, p->len + sizeof(attr));
	hmac_start(&s, key, strlen(key));
	hmac_add(&s, p->bytes, p->len);
	hmac_end(&s, attr + 4);
	packet_add(p, attr, sizeof(attr));
}

#endif
