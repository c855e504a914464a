/* fuzz_stun.c: a datagram as it came, and one whose attributes came: with a
 * right header and MESSAGE-INTEGRITY. What is read lies inside the datagram,
 * only the right key is right, no protected bit can change, and what is read,
 * written and read again is the same.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/media/demux.h"
#include "tests/unit/stun_test.h"

#define KEY "VOkJxbRl1RmTxUk/WvJxBt"

static bool same(const struct stun_msg *a, const struct stun_msg *b)
{
	return a->class == b->class && !memcmp(a->id, b->id, STUN_ID_SIZE) &&
	       !a->username == !b->username &&
	       a->username_len == b->username_len &&
	       (!a->username ||
		!memcmp(a->username, b->username, a->username_len)) &&
	       a->has_priority == b->has_priority &&
	       a->priority == b->priority && a->role == b->role &&
	       a->use_candidate == b->use_candidate &&
	       a->tie_breaker == b->tie_breaker &&
	       addr_equal(&a->mapped, &b->mapped) && a->error == b->error;
}

static void check_inside(const struct stun_msg *m, size_t len)
{
	assert(m->packet);
	if (m->username) {
		assert(m->username >= m->packet + STUN_HEADER_SIZE + 4);
		assert(m->username + m->username_len <= m->packet + len);
		assert(m->username_len <= STUN_USERNAME_MAX);
	}
	assert(!m->integrity_at ||
	       m->integrity_at + 4 + SHA1_SIZE <= len);
	assert(!m->error || (m->error >= 300 && m->error <= 699));
	assert(m->unknown_n <= STUN_UNKNOWN_MAX);
	assert(m->refused_n <= STUN_UNKNOWN_MAX);
	assert(!m->two_roles || m->role != STUN_NO_ROLE);
}

static void write_again(const struct stun_msg *m)
{
	unsigned char buf[STUN_WRITE_MAX];
	struct stun_msg again;
	size_t len;

	assert(!stun_write(m, KEY, strlen(KEY), buf, sizeof(buf), &len));
	assert(demux_kind(buf, len) == DEMUX_STUN);
	assert(!stun_read(buf, len, &again));
	assert(same(m, &again) && again.unknown_n == 0);
	assert(again.fingerprint);
	assert(stun_authentic(&again, KEY, strlen(KEY)));
	assert(!stun_authentic(&again, KEY, strlen(KEY) - 1));
}

static int check_read(const struct packet *p, struct stun_msg *m)
{
	int rc = stun_read(p->bytes, p->len, m);

	assert(rc == 0 || rc == EBADMSG || rc == EOVERFLOW);
	if (!rc) {
		check_inside(m, p->len);
		write_again(m);
	}
	return rc;
}

/* The byte `at` of what is protected (all but the length) is changed. */
static void check_protected(struct packet *p, size_t at, unsigned char by)
{
	struct stun_msg m;

	if (at == 2 || at == 3 || !by)
		return;
	p->bytes[at] ^= by;
	if (!stun_read(p->bytes, p->len, &m))
		assert(!stun_authentic(&m, KEY, strlen(KEY)));
}

static void signed_one(const uint8_t *data, size_t size)
{
	static const unsigned char header[STUN_HEADER_SIZE] = {
		[4] = 0x21, 0x12, 0xa4, 0x42, 0xb7,
	};
	struct packet p = packet_copy(header, sizeof(header));
	struct stun_msg m;
	size_t before;

	p.bytes[0] = data[0] & 1;
	p.bytes[1] = (unsigned char)(1 | (data[0] & 2) << 3);
	size &= ~(size_t)3;
	packet_add(&p, data, size);
	before = p.len;
	packet_sign(&p, KEY);
	if (!check_read(&p, &m) && m.integrity_at == before) {
		assert(stun_authentic(&m, KEY, strlen(KEY)));
		check_protected(&p, data[1] % before, data[2]);
	}
	packet_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet p = packet_copy(data, size);
	struct stun_msg m;

	if (!check_read(&p, &m) && stun_authentic(&m, KEY, strlen(KEY)))
		check_protected(&p, data[size - 1] % m.integrity_at, 1);
	packet_free(&p);
	if (size >= 4 && size <= STUN_READ_MAX - 64)
		signed_one(data, size);
	return 0;
}
