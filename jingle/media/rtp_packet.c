/* rtp_packet.c: one RTP packet, read and changed in place (see
 * rtp_packet.h).
 */
#include "jingle/media/rtp_packet.h"

#include <errno.h>
#include <string.h>
#include "jingle/media/bytes.h"

#define EXT_HEADER_SIZE 4
#define ONE_BYTE 0xbede            /* RFC 8285, 4.2 */
#define TWO_BYTE 0x1000            /* 4.3; the last four bits are anything */
#define ONE_BYTE_STOP 15

bool rtp_packet_is_rtcp(const void *packet, size_t len)
{
	const unsigned char *p = packet;

	return len >= 2 && p[1] >= 192 && p[1] <= 223;
}

/* Padding is taken off the payload: 0 or EBADMSG. */
static int read_padding(struct rtp_packet *p)
{
	unsigned n;

	if (!(p->bytes[0] & 0x20))
		return 0;
	if (!p->payload_len)
		return EBADMSG;
	n = p->bytes[p->payload_at + p->payload_len - 1];
	if (!n || n > p->payload_len)
		return EBADMSG;
	p->payload_len -= n;
	return 0;
}

int rtp_packet_read(void *packet, size_t len, struct rtp_packet *p_r)
{
	unsigned char *b = packet;
	size_t at;

	if (len < RTP_PACKET_HEADER_SIZE || b[0] >> 6 != 2)
		return EBADMSG;
	at = RTP_PACKET_HEADER_SIZE + 4 * (size_t)(b[0] & 15);
	memset(p_r, 0, sizeof(*p_r));
	p_r->bytes = b;
	p_r->type = b[1] & 0x7f;
	p_r->seq = (uint16_t)get16(b + 2);
	p_r->timestamp = get32(b + 4);
	p_r->ssrc = get32(b + 8);
	if (b[0] & 0x10) {
		if (len < at + EXT_HEADER_SIZE)
			return EBADMSG;
		p_r->ext_at = at + EXT_HEADER_SIZE;
		p_r->ext_len = 4 * (size_t)get16(b + at + 2);
		at = p_r->ext_at + p_r->ext_len;
	}
	if (len < at)
		return EBADMSG;
	p_r->payload_at = at;
	p_r->payload_len = len - at;
	return read_padding(p_r);
}

void rtp_packet_set_type(struct rtp_packet *p, uint8_t type)
{
	p->type = type & 0x7f;
	p->bytes[1] = (unsigned char)((p->bytes[1] & 0x80) | p->type);
}

void rtp_packet_set_seq(struct rtp_packet *p, uint16_t seq)
{
	p->seq = seq;
	put16(p->bytes + 2, seq);
}

void rtp_packet_set_timestamp(struct rtp_packet *p, uint32_t timestamp)
{
	p->timestamp = timestamp;
	put32(p->bytes + 4, timestamp);
}

void rtp_packet_set_ssrc(struct rtp_packet *p, uint32_t ssrc)
{
	p->ssrc = ssrc;
	put32(p->bytes + 8, ssrc);
}

/* --- header extension ------------------------------------------------- */

static uint32_t profile(const struct rtp_packet *p)
{
	return get16(p->bytes + p->ext_at - EXT_HEADER_SIZE);
}

static bool two_bytes(const struct rtp_packet *p)
{
	return (profile(p) & 0xfff0) == TWO_BYTE;
}

/* From there to the end; a form that nobody reads becomes one of padding. */
static int blank_rest(struct rtp_packet *p, unsigned char *from)
{
	unsigned char *end = p->bytes + p->ext_at + p->ext_len;

	memset(from, 0, (size_t)(end - from));
	if (!two_bytes(p))
		put16(p->bytes + p->ext_at - EXT_HEADER_SIZE, ONE_BYTE);
	return ENODATA;
}

int rtp_packet_ext_next(struct rtp_packet *p, struct rtp_packet_ext *x)
{
	unsigned char *at = x->data ? x->data + x->len : p->bytes + p->ext_at;
	unsigned char *end = p->bytes + p->ext_at + p->ext_len;
	bool two;

	if (!p->ext_at)
		return ENODATA;
	two = two_bytes(p);
	if (!two && profile(p) != ONE_BYTE)
		return blank_rest(p, at);
	while (at < end && !*at)
		at++;
	if (at == end)
		return ENODATA;
	if (!two && *at >> 4 == ONE_BYTE_STOP)
		return blank_rest(p, at);
	if (two && at + 1 == end)
		return EBADMSG;
	x->at = at;
	x->id = two ? at[0] : at[0] >> 4;
	x->len = two ? at[1] : (size_t)(at[0] & 15) + 1;
	x->data = at + (two ? 2 : 1);
	return x->len > (size_t)(end - x->data) ? EBADMSG : 0;
}

bool rtp_packet_ext_renumber(const struct rtp_packet *p,
			     struct rtp_packet_ext *x, uint8_t id)
{
	bool two = two_bytes(p);

	if (!id || (!two && id > RTP_PACKET_EXT_ONE_MAX)) {
		memset(x->at, 0, (size_t)(x->data - x->at) + x->len);
		return false;
	}
	x->id = id;
	x->at[0] = two ? id : (unsigned char)(id << 4 | (x->at[0] & 15));
	return true;
}
