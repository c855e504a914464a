/* fuzz_rtp.c: a datagram read as RTP and as RTCP: what is read lies inside it,
 * numbers of header extensions change without a byte of anything else, and what
 * was checked is walked to its end.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/media/rtcp_packet.h"
#include "jingle/media/rtp_packet.h"
#include "tests/unit/stun_test.h"

static void check_inside(const struct rtp_packet *p, const struct packet *b)
{
	assert(p->bytes == b->bytes && p->type < RTP_PACKET_TYPES);
	assert(p->payload_at >= RTP_PACKET_HEADER_SIZE);
	assert(p->payload_at + p->payload_len <= b->len);
	assert(!p->ext_at || p->ext_at + p->ext_len == p->payload_at);
}

/* Each element gets another number, or none; then there are those left. */
static void renumber(struct rtp_packet *p, uint8_t by)
{
	struct rtp_packet_ext x = { 0 };
	unsigned left = 0;

	while (!rtp_packet_ext_next(p, &x)) {
		assert(x.at >= p->bytes + p->ext_at && x.data > x.at);
		assert(x.data + x.len <= p->bytes + p->payload_at);
		if (rtp_packet_ext_renumber(p, &x, (uint8_t)(x.id * by)))
			left++;
	}
	memset(&x, 0, sizeof(x));
	while (!rtp_packet_ext_next(p, &x)) {
		assert(left);
		left--;
	}
	assert(!left);
}

static void rtp(const uint8_t *data, size_t size)
{
	struct packet b = packet_copy(data, size);
	struct rtp_packet p, again;

	if (!rtp_packet_read(b.bytes, b.len, &p)) {
		check_inside(&p, &b);
		renumber(&p, data[2]);
		assert(!rtp_packet_read(b.bytes, b.len, &again));
		assert(!memcmp(&p, &again, sizeof(p)));
		assert(!memcmp(b.bytes, data, p.ext_at ? p.ext_at - 4 :
			       p.payload_at));
		assert(!memcmp(b.bytes + p.payload_at, data + p.payload_at,
			       size - p.payload_at));
		rtp_packet_set_seq(&p, 1);
		rtp_packet_set_type(&p, 255);
		rtp_packet_set_timestamp(&p, 2);
		rtp_packet_set_ssrc(&p, 3);
		assert(!rtp_packet_read(b.bytes, b.len, &again));
		assert(!memcmp(&p, &again, sizeof(p)));
		assert((b.bytes[1] ^ data[1]) < 128);
	}
	packet_free(&b);
}

static void rtcp(const uint8_t *data, size_t size)
{
	struct packet b = packet_copy(data, size);
	const unsigned char *at = b.bytes;
	struct rtcp_packet_walk w;
	struct rtcp_packet p;

	if (!rtcp_packet_check(b.bytes, b.len)) {
		rtcp_packet_walk(&w, b.bytes, b.len);
		while (rtcp_packet_next(&w, &p)) {
			assert(p.body == at + RTCP_PACKET_HEADER_SIZE);
			assert(p.count < 32);
			at = p.body + p.len;
			assert(at <= w.at);
			assert(at == w.at || w.at == w.end);
			at = w.at;
		}
		assert(at == b.bytes + b.len);
	}
	packet_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	rtp(data, size);
	rtcp(data, size);
	return 0;
}
