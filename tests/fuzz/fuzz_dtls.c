/* fuzz_dtls.c: two DTLS-SRTP associations of ours, a byte an event: what they
 * send is delivered, lost, twice, out of order, changed, cut, joined; any bytes
 * come besides; time passes; fingerprints come late, or are another's. Random
 * numbers are the same in each run. Never keys without the right certificate,
 * the same keys where both have them, caps hold.
 */
#include "tests/fuzz/same.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>

#include "jingle/media/dtls_srtp.h"

#define EVENTS_MAX 200
#define QUEUE_MAX 32

struct datagram {
	unsigned to;
	size_t len;
	unsigned char bytes[DTLS_SRTP_IN_MAX + 1];
};

struct side {
	struct dtls_srtp *d;
	struct dtls_identity *id;
	bool told;                 /* the other's right fingerprint */
	bool keyed;
	struct dtls_srtp_keys keys;
};

struct story {
	struct side side[2];
	const uint8_t *at, *end;
	struct datagram queue[QUEUE_MAX];
	unsigned queued;
};

static unsigned take(struct story *st)
{
	return st->at < st->end ? *st->at++ : 0;
}

/* --- what they did ---------------------------------------------------- */

static void judge_keys(struct story *st, unsigned of)
{
	struct side *s = &st->side[of], *o = &st->side[!of];

	if (dtls_srtp_take_keys(s->d, &s->keys))
		return;
	assert(s->told && !s->keyed);
	s->keyed = true;
	assert(s->keys.profile == 7 && s->keys.salt_len == 12);
	if (!o->keyed)
		return;
	assert(!memcmp(s->keys.our_key, o->keys.his_key, DTLS_SRTP_KEY_SIZE));
	assert(!memcmp(s->keys.his_key, o->keys.our_key, DTLS_SRTP_KEY_SIZE));
	assert(!memcmp(s->keys.our_salt, o->keys.his_salt, 12));
	assert(!memcmp(s->keys.his_salt, o->keys.our_salt, 12));
}

static void judge(struct story *st, unsigned of,
		  const struct dtls_srtp_out *out)
{
	struct dtls_srtp *d = st->side[of].d;
	enum dtls_srtp_state s = dtls_srtp_state(d);
	struct datagram *g;
	unsigned i;

	assert(out->n <= DTLS_SRTP_STEP_MAX);
	for (i = 0; i < out->n; i++) {
		assert(out->datagram[i].len <= DTLS_SRTP_OUT_MAX);
		assert(out->datagram[i].len > 13);
		/* Never a plain alert. */
		assert(out->datagram[i].bytes[0] != 21 ||
		       out->datagram[i].bytes[4]);
		if (st->queued == QUEUE_MAX)
			continue;
		g = &st->queue[st->queued++];
		g->to = !of;
		g->len = out->datagram[i].len;
		memcpy(g->bytes, out->datagram[i].bytes, g->len);
	}
	assert(s != DTLS_SRTP_DONE || st->side[of].told);
	if (s != DTLS_SRTP_HANDSHAKING && s != DTLS_SRTP_UNVERIFIED &&
	    s != DTLS_SRTP_DONE)
		assert(!dtls_srtp_heavy(d) && dtls_srtp_why(d));
	if (dtls_srtp_deadline(d) == INT64_MAX)
		assert(s != DTLS_SRTP_DONE || !dtls_srtp_heavy(d));
	judge_keys(st, of);
}

/* --- what happens ----------------------------------------------------- */

static void feed(struct story *st, unsigned to, const unsigned char *bytes,
		 size_t len)
{
	static struct dtls_srtp_out out;
	unsigned char *copy = malloc(len ? len : 1);

	assert(copy);
	memcpy(copy, bytes, len);
	memset(&out, 0xa5, sizeof(out));
	dtls_srtp_feed(st->side[to].d, virtual_now, copy, len, &out);
	free(copy);
	judge(st, to, &out);
}

static void time_comes(struct story *st, unsigned of)
{
	static struct dtls_srtp_out out;

	memset(&out, 0xa5, sizeof(out));
	dtls_srtp_time(st->side[of].d, virtual_now, &out);
	judge(st, of, &out);
}

static void drop(struct story *st, unsigned i)
{
	st->queued--;
	memmove(&st->queue[i], &st->queue[i + 1],
		(st->queued - i) * sizeof(st->queue[0]));
}

static void deliver(struct story *st, unsigned i)
{
	struct datagram g = st->queue[i];

	drop(st, i);
	feed(st, g.to, g.bytes, g.len);
}

static void change(struct story *st, struct datagram *g)
{
	size_t at = take(st);

	at = (at << 8 | take(st)) % g->len;
	g->bytes[at] ^= (unsigned char)(take(st) | 1);
}

/* The second one is appended to the first. */
static void join(struct story *st)
{
	struct datagram *a = &st->queue[0], *b = &st->queue[1];

	if (st->queued < 2 || a->to != b->to ||
	    a->len + b->len > sizeof(a->bytes))
		return;
	memcpy(a->bytes + a->len, b->bytes, b->len);
	a->len += b->len;
	drop(st, 1);
}

/* A header of that type and epoch, and bytes of the input. */
static void record(struct story *st, unsigned kind)
{
	unsigned char r[13 + 255] = { 0, 0xfe, 0xfd };
	unsigned len = take(st);

	r[0] = (unsigned char)(20 + kind % 5);
	r[4] = kind / 5 % 3 == 2;
	r[10] = (unsigned char)take(st);
	if (len > (size_t)(st->end - st->at))
		len = (unsigned)(st->end - st->at);
	r[12] = (unsigned char)len;
	memcpy(r + 13, st->at, len);
	st->at += len;
	feed(st, kind / 15 % 2, r, 13 + len);
}

static void raw(struct story *st, unsigned to)
{
	size_t len = take(st);

	if (len > (size_t)(st->end - st->at))
		len = (size_t)(st->end - st->at);
	feed(st, to, st->at, len);
	st->at += len;
}

static void to_deadline(struct story *st)
{
	int64_t a = dtls_srtp_deadline(st->side[0].d);
	int64_t b = dtls_srtp_deadline(st->side[1].d);
	int64_t first = a < b ? a : b;

	if (first == INT64_MAX)
		return;
	if (first > virtual_now)
		virtual_now = first;
	if (a <= virtual_now)
		time_comes(st, 0);
	if (b <= virtual_now)
		time_comes(st, 1);
	assert(dtls_srtp_deadline(st->side[0].d) > virtual_now);
	assert(dtls_srtp_deadline(st->side[1].d) > virtual_now);
}

static void tell(struct story *st, unsigned of, unsigned how)
{
	static const char *const names[] = { "sha-256", "sha-384", "sha-512",
					     "sha-1" };
	unsigned char hash[DTLS_SRTP_HASH_MAX] = { 0 };
	const char *name = names[how % 4];
	struct side *s = &st->side[of];
	bool right = how / 4 % 4;
	size_t len = dtls_identity_fingerprint(st->side[!of].id, name, hash);
	int err;

	if (!right)
		hash[how % 32] ^= 1;
	err = dtls_srtp_expect(s->d, name, hash, len ? len : 20);
	if (err)
		assert(err == EEXIST || (!len && err == EPROTONOSUPPORT));
	else if (right)
		s->told = true;
	judge_keys(st, of);
}

static void event(struct story *st)
{
	static const int64_t wait[] = { 1, 10, 100, 250, 1000, 3000, 10000,
					20000 };
	unsigned kind = take(st), what = kind % 16, more = kind / 16;

	if (what >= 2 && what <= 7 && !st->queued)
		what = 1;
	switch (what) {
	case 0:
		to_deadline(st);
		break;
	case 1:
		virtual_now += wait[more % 8];
		time_comes(st, more / 8);
		break;
	case 2:
		drop(st, 0);
		break;
	case 3:                            /* twice */
		feed(st, st->queue[0].to, st->queue[0].bytes,
		     st->queue[0].len);
		break;
	case 4:                            /* out of order */
		deliver(st, more % st->queued);
		break;
	case 5:
		change(st, &st->queue[more % st->queued]);
		break;
	case 6:
		st->queue[0].len -= take(st) % st->queue[0].len;
		break;
	case 7:
		join(st);
		break;
	case 8:
		record(st, take(st));
		break;
	case 9:
		raw(st, more % 2);
		break;
	case 10:
		tell(st, more % 2, take(st));
		break;
	case 11:
		dtls_srtp_settled(st->side[more % 2].d);
		break;
	default:
		if (st->queued)
			deliver(st, 0);
		else
			to_deadline(st);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dtls_identity *id[2];
	static struct story st;
	const char *why;
	unsigned how, i, n = 0;

	same_begin(1000);
	if (!id[0]) {
		assert(!dtls_identity_new(WALL, &id[0], &why));
		assert(!dtls_identity_new(WALL, &id[1], &why));
	}
	memset(&st, 0, sizeof(st));
	st.at = data;
	st.end = data + size;
	how = take(&st);
	for (i = 0; i < 2; i++) {
		st.side[i].id = id[i];
		assert(!dtls_srtp_new(id[i], how >> i & 1, &st.side[i].d));
	}
	for (i = 0; i < 2; i++)
		if (how & 4u << i)
			tell(&st, i, 4);
	while (st.at < st.end && n++ < EVENTS_MAX)
		event(&st);
	for (i = 0; i < 2; i++)
		dtls_srtp_free(st.side[i].d);
	return 0;
}
