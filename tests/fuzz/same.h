/* same.h: a clock for libssl, and random numbers, that are the same in each
 * run, so that what it sends again is due by the time of the input. To be
 * included first, once in a program.
 */
#ifndef TESTS_FUZZ_SAME_H
#define TESTS_FUZZ_SAME_H

#define OPENSSL_SUPPRESS_DEPRECATED        /* RAND_set_rand_method() */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>

#include <openssl/rand.h>

#include "tests/mock/ssl_clock.h"

static uint64_t same_state;

static int same_bytes(unsigned char *buf, int len)
{
	int i;

	for (i = 0; i < len; i++) {
		same_state = same_state * 6364136223846793005 + 1;
		buf[i] = (unsigned char)(same_state >> 56);
	}
	return 1;
}

static int same_ready(void)
{
	return 1;
}

/* A run begins. */
static void same_begin(int64_t now)
{
	static const RAND_METHOD same = {
		.bytes = same_bytes, .pseudorand = same_bytes,
		.status = same_ready,
	};

	same_state = 1;
	virtual_now = now;
	assert(RAND_set_rand_method(&same));
}

#endif
