/* test_srtp_memory.c: SRTP when memory runs out, that a packet allocates
 * nothing and leaves no error behind for the next user of OpenSSL, and that
 * what is freed has no keys in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include "tests/unit/srtp_test.h"

/* The allocation that fails, counted from now; 0: none. */
static unsigned failing;
static unsigned long allocated;

/* What is looked for in freed memory, if anything. */
static const struct srtp_session_keys *secret;
static size_t secret_key, secret_salt;
static unsigned found, freed;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);

static bool fails(void)
{
	allocated++;
	return failing && !--failing;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void __wrap_free(void *p)
{
	size_t n = p ? malloc_usable_size(p) : 0;
	int i;

	for (i = 0; i < 2 && secret && p; i++) {
		freed++;
		found += memmem(p, n, secret->of[i].key, secret_key) != NULL;
		found += memmem(p, n, secret->of[i].salt,
				secret_salt) != NULL;
	}
	__real_free(p);
}

/* OpenSSL's. */
static void *its_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(n);
}

static void *its_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void its_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	__wrap_free(p);
}

static int made(enum srtp_profile profile, enum srtp_way way,
		struct srtp **s_r)
{
	static const unsigned char zeros[SRTP_KEY_MAX];

	return srtp_new(profile, way, SRTP_EVP, zeros, zeros, s_r);
}

static void test_no_memory(void **state)
{
	struct srtp *s;
	unsigned i, at;
	int rc;

	(void)state;
	for (i = 0; i < PROFILES; i++) {
		unsigned refused = 0;

		/* OpenSSL can do without some of it. */
		for (at = 1, failing = 0; !failing; at++) {
			failing = at;
			rc = made(profiles[i], SRTP_OPENS, &s);
			refused += rc != 0;
			assert_true(!rc || rc == ENOMEM || rc == EIO);
			assert_true(!rc == (s != NULL));
			srtp_free(s);
		}
		assert_true(refused > 4);
		failing = 0;
	}
	ERR_clear_error();
	failing = 1;
	assert_int_equal(srtp_new(SRTP_PROFILE_GCM128, SRTP_SEALS,
				  SRTP_LIBSRTP, (const unsigned char *)"k",
				  (const unsigned char *)"s", &s), ENOMEM);
	assert_null(s);
	failing = 0;
}

static void exchange(struct srtp *to, struct srtp *from, uint16_t seq,
		     bool is_rtcp)
{
	struct buffer b = is_rtcp ? rtcp(1, 9) : rtp(0, seq, seq % 3, 200);
	struct buffer bad;

	assert_int_equal(seal(to, is_rtcp, &b), 0);
	bad = b;
	bad.bytes[b.len / 2] ^= 4;
	assert_int_equal(unseal(from, is_rtcp, &bad), EACCES);
	assert_int_equal(tried(from, is_rtcp, &b), 0);
	assert_int_equal(tried(from, is_rtcp, &b), EALREADY);
}

static void test_packets(void **state)
{
	struct srtp *to, *from;
	unsigned i;
	uint16_t seq;

	(void)state;
	for (i = 0; i < PROFILES; i++) {
		assert_int_equal(made(profiles[i], SRTP_SEALS, &to), 0);
		assert_int_equal(made(profiles[i], SRTP_OPENS, &from), 0);
		allocated = 0;
		for (seq = 0; seq < 500; seq++)
			exchange(to, from, seq, seq % 5 == 0);
		assert_int_equal(allocated, 0);
		assert_int_equal(ERR_peek_error(), 0);
		srtp_free(to);
		srtp_free(from);
	}
}

/* AES's round keys begin with the key itself. The salt lies beside HMAC's
 * states and is wiped with them. */
static void test_wiped(void **state)
{
	static const unsigned char zeros[SRTP_KEY_MAX];
	struct srtp_session_keys keys;
	struct srtp *s;
	unsigned i;

	(void)state;
	for (i = 0; i < PROFILES; i++) {
		const struct srtp_form *f = srtp_form(profiles[i]);

		assert_int_equal(srtp_evp_derive(f, zeros, zeros, &keys), 0);
		secret_key = f->key;
		secret_salt = f->salt;
		freed = found = 0;
		secret = &keys;
		assert_int_equal(made(profiles[i], SRTP_OPENS, &s), 0);
		srtp_free(s);
		secret = NULL;
		assert_true(freed > 4);
		assert_int_equal(found, 0);
	}
}

/* What it allocates first is more than once needed, and no failure of ours. */
static int warm_up(void **state)
{
	struct srtp *s;
	unsigned i;

	(void)state;
	for (i = 0; i < PROFILES; i++) {
		if (made(profiles[i], SRTP_SEALS, &s))
			return -1;
		srtp_free(s);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_wiped),
	};

	if (!CRYPTO_set_mem_functions(its_malloc, its_realloc, its_free))
		return 1;
	return cmocka_run_group_tests(tests, warm_up, NULL);
}
