/* rtcp_packet.c: a compound RTCP packet, packet by packet (see
 * rtcp_packet.h).
 */
#include "jingle/media/rtcp_packet.h"

#include <errno.h>
#include "jingle/media/bytes.h"

/* The least that a body has. */
static size_t least(uint8_t type, size_t count)
{
	switch (type) {
	case RTCP_SR:
		return RTCP_PACKET_SENDER_SIZE + count * RTCP_PACKET_BLOCK_SIZE;
	case RTCP_RR:
		return 4 + count * RTCP_PACKET_BLOCK_SIZE;
	case RTCP_BYE:
		return 4 * count;
	case RTCP_APP:
	case RTCP_RTPFB:
	case RTCP_PSFB:
		return RTCP_PACKET_FEEDBACK_SIZE;
	default:
		return 0;
	}
}

/* 0, ENODATA or EBADMSG; bytes that lead nowhere are never read. */
static int next(struct rtcp_packet_walk *w, struct rtcp_packet *p)
{
	size_t left = (size_t)(w->end - w->at), n;

	if (!left)
		return ENODATA;
	if (left < RTCP_PACKET_HEADER_SIZE || w->at[0] >> 6 != 2)
		return EBADMSG;
	p->count = w->at[0] & 31;
	p->type = w->at[1];
	p->len = 4 * (size_t)get16(w->at + 2);
	p->body = w->at + RTCP_PACKET_HEADER_SIZE;
	if (p->len > left - RTCP_PACKET_HEADER_SIZE)
		return EBADMSG;
	if (w->at[0] & 0x20) {
		if (p->body + p->len != w->end || !p->len)
			return EBADMSG;
		n = p->body[p->len - 1];
		if (!n || n > p->len)
			return EBADMSG;
		p->len -= n;
		w->at = w->end;
	} else {
		w->at = p->body + p->len;
	}
	return p->len < least(p->type, p->count) ? EBADMSG : 0;
}

void rtcp_packet_walk(struct rtcp_packet_walk *w, void *packet, size_t len)
{
	w->at = packet;
	w->end = w->at + len;
}

int rtcp_packet_check(void *packet, size_t len)
{
	struct rtcp_packet_walk w;
	struct rtcp_packet p;
	int rc = len ? 0 : EBADMSG;

	rtcp_packet_walk(&w, packet, len);
	while (!rc)
		rc = next(&w, &p);
	return rc == ENODATA ? 0 : rc;
}

bool rtcp_packet_next(struct rtcp_packet_walk *w, struct rtcp_packet *p_r)
{
	return !next(w, p_r);
}

size_t rtcp_packet_head(unsigned char *to, uint8_t type, unsigned count,
			size_t len)
{
	to[0] = (unsigned char)(0x80 | count);
	to[1] = type;
	put16(to + 2, (uint32_t)(len / 4));
	return RTCP_PACKET_HEADER_SIZE + len;
}
