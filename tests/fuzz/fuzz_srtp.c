/* fuzz_srtp.c: both back ends of SRTP are given the same: packets to seal, what
 * they sealed in any order, again, cut or damaged, and bytes that nobody
 * sealed. They come to the same results, bytes and state; what was changed is
 * not opened, what is opened is what was sealed. The one harmless difference
 * stands in tests/unit/srtp_pair.h.
 *
 *   profile, then steps: seal | open one of the last 16 | open or seal bytes
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/srtp_pair.h"

#define KEPT 16

struct input {
	const uint8_t *at;
	size_t left;
};

struct run {
	struct input in;
	struct pair sender, receiver;
	uint16_t seq[256];
	struct {
		struct buffer plain, sealed;
		bool is_rtcp;
	} kept[KEPT];
	unsigned n;                /* kept, ever */
};

static unsigned take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static void keep(struct run *r, const struct buffer *plain,
		 const struct buffer *sealed, bool is_rtcp)
{
	unsigned at = r->n++ % KEPT;

	r->kept[at].plain = *plain;
	r->kept[at].sealed = *sealed;
	r->kept[at].is_rtcp = is_rtcp;
}

/* Steps of one, or far ahead and back. */
static void seal_one(struct run *r, bool is_rtcp)
{
	unsigned ssrc = take(&r->in), by = take(&r->in);
	unsigned shape = take(&r->in) & 63, len = take(&r->in);
	struct buffer plain, b;

	if (is_rtcp) {
		plain = rtcp(ssrc, len % 64);
	} else {
		r->seq[ssrc] = (uint16_t)(r->seq[ssrc] +
			(by < 128 ? by : (by - 128) * 521));
		plain = rtp(shape, r->seq[ssrc], ssrc, len);
	}
	b = plain;
	if (!pair_seal(&r->sender, is_rtcp, &b))
		keep(r, &plain, &b, is_rtcp);
}

static void open_one(struct run *r)
{
	unsigned which = take(&r->in), at = take(&r->in), by = take(&r->in);
	struct buffer b;
	bool changed = by != 0;

	if (!r->n)
		return;
	which = (r->n - 1 - which % (r->n < KEPT ? r->n : KEPT)) % KEPT;
	b = r->kept[which].sealed;
	if (at < b.len)
		b.bytes[at] ^= (unsigned char)by;
	else if (changed)
		b.len -= by % (b.len + 1);
	changed = !same(&b, &r->kept[which].sealed);
	if (!pair_open(&r->receiver, r->kept[which].is_rtcp, &b))
		assert(!changed && same(&b, &r->kept[which].plain));
}

/* Bytes as they are: nobody knows the keys, so nothing opens; but what is a
 * packet can be sealed. */
static void with_bytes(struct run *r, bool is_rtcp, bool to_open)
{
	size_t len = take(&r->in);
	struct buffer b = { .len = len < r->in.left ? len : r->in.left };
	struct buffer plain;

	memcpy(b.bytes, r->in.at, b.len);
	r->in.at += b.len;
	r->in.left -= b.len;
	plain = b;
	if (to_open)
		assert(pair_open(&r->receiver, is_rtcp, &b) != 0);
	else if (!pair_seal(&r->sender, is_rtcp, &b))
		keep(r, &plain, &b, is_rtcp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	struct run *r = &run;
	enum srtp_profile profile;

	memset(r, 0, sizeof(*r));
	r->in = (struct input){ data, size };
	profile = profiles[take(&r->in) % PROFILES];
	r->sender = pair_new(profile, SRTP_SEALS, 1);
	r->receiver = pair_new(profile, SRTP_OPENS, 1);
	while (r->in.left) {
		unsigned step = take(&r->in);

		switch (step & 7) {
		case 0: case 1: seal_one(r, false); break;
		case 2: seal_one(r, true); break;
		case 3: with_bytes(r, step & 8, step & 16); break;
		default: open_one(r); break;
		}
	}
	pair_free(&r->sender);
	pair_free(&r->receiver);
	return 0;
}
