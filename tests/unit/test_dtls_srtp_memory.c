/* test_dtls_srtp_memory.c: DTLS-SRTP with one allocation of libcrypto or
 * libssl failing, one after the other: no crash, no leak (a sanitizer sees
 * it), no wrong keys; and where it only costs a try, the next one succeeds.
 */
#include "tests/unit/dtls_srtp_test.h"

#include <openssl/crypto.h>

static long left = -1;             /* allocations until one fails */
static bool hit;

static bool fails(void)
{
	if (left < 0 || left-- > 0)
		return false;
	hit = true;
	return true;
}

static void *get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(n);
}

static void *grow(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void give(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* --- a key and certificate -------------------------------------------- */

static void identity_without_memory(void **state)
{
	struct dtls_identity *id;
	const char *why = NULL;
	unsigned failed = 0, n = 0;
	int err;

	(void)state;
	/* The library once begun: it begins but once, or never. */
	assert_int_equal(dtls_identity_new(WALL, &id, &why), 0);
	dtls_identity_free(id);
	do {
		hit = false;
		left = (long)n++;
		err = dtls_identity_new(WALL, &id, &why);
		left = -1;
		if (err) {
			assert_true(hit && err == EIO && why);
			failed++;
		} else {
			dtls_identity_free(id);
		}
	} while (hit);
	assert_true(n > 100 && failed > 100);
}

/* --- a handshake ------------------------------------------------------ */

static bool is_over(const struct dtls_srtp *d)
{
	return dtls_srtp_state(d) != DTLS_SRTP_HANDSHAKING;
}

/* The n-th allocation of it fails. Were both done? */
static bool handshake(struct dtls_identity *id, unsigned n)
{
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	size_t len = dtls_identity_fingerprint(id, "sha-256", hash);
	struct world w = { .id = id, .which = { -1, -1 } };
	bool done;

	virtual_now = 1000;
	assert_int_equal(dtls_srtp_new(id, false, &w.ours), 0);
	assert_int_equal(dtls_srtp_new(id, true, &w.theirs), 0);
	hit = false;
	left = (long)n;
	start(&w);
	while (virtual_now < 40000 && !(is_over(w.ours) && is_over(w.theirs)))
		pass(&w, 10);
	left = -1;
	assert_int_equal(dtls_srtp_expect(w.ours, "sha-256", hash, len), 0);
	assert_int_equal(dtls_srtp_expect(w.theirs, "sha-256", hash, len), 0);
	done = dtls_srtp_state(w.ours) == DTLS_SRTP_DONE &&
	       dtls_srtp_state(w.theirs) == DTLS_SRTP_DONE;
	if (done)
		judge_keys(&w);
	else
		assert_true(hit);
	w.id = NULL;
	world_end(&w);
	return done;
}

static void handshake_without_memory(void **state)
{
	struct dtls_identity *id;
	const char *why;
	unsigned n = 0, done = 0, runs = 0;

	(void)state;
	assert_int_equal(dtls_identity_new(WALL, &id, &why), 0);
	assert_true(handshake(id, 1000000));
	/* Each of the first hundred, then less and less of them. */
	do {
		done += handshake(id, n);
		n += 1 + n / 100;
		runs++;
	} while (hit);
	print_message("# %u of about %u allocations, %u handshakes all the "
		      "same\n", runs - 1, n, done - 1);
	assert_true(runs > 200 && done > 10);
	dtls_identity_free(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_without_memory),
		cmocka_unit_test(handshake_without_memory),
	};

	if (!CRYPTO_set_mem_functions(get, grow, give))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
