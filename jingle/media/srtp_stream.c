/* srtp_stream.c: the pure part of SRTP: profiles, the look of a packet, and
 * which packets of an SSRC there were (RFC 3711, 3.3; see srtp_private.h).
 */
#include "jingle/media/srtp_private.h"

#include <errno.h>
#include <stdlib.h>

#define RTP_HEADER 12
#define RTCP_HEADER 8
#define EXTENSION_HEADER 4

static const struct srtp_form forms[] = {
	{ SRTP_PROFILE_CM128_80, false, 16, 14, { 10, 10 } },
	/* The short tag is of RTP alone (RFC 5764, 4.1.2). */
	{ SRTP_PROFILE_CM128_32, false, 16, 14, { 4, 10 } },
	{ SRTP_PROFILE_GCM128, true, 16, 12, { 16, 16 } },
	{ SRTP_PROFILE_GCM256, true, 32, 12, { 16, 16 } },
	{ SRTP_PROFILE_CM256_80, false, 32, 14, { 10, 10 } },
};

const struct srtp_form *srtp_form(unsigned profile)
{
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (forms[i].profile == profile)
			return &forms[i];
	}
	return NULL;
}

size_t srtp_key_size(unsigned profile)
{
	const struct srtp_form *f = srtp_form(profile);

	return f ? f->key : 0;
}

size_t srtp_salt_size(unsigned profile)
{
	const struct srtp_form *f = srtp_form(profile);

	return f ? f->salt : 0;
}

/* --- packets ----------------------------------------------------------- */

/* CSRCs and the extension are of the header that is not encrypted. */
static int look_rtp(struct srtp_packet *p, size_t len)
{
	const unsigned char *b = p->bytes;
	size_t head = RTP_HEADER;

	if (len < head)
		return EBADMSG;
	head += (b[0] & 15) * 4u;
	if (b[0] & 0x10) {
		if (len < head + EXTENSION_HEADER)
			return EBADMSG;
		head += EXTENSION_HEADER + 4 * (size_t)get16(b + head + 2);
	}
	p->head = head;
	p->seq = (uint16_t)get16(b + 2);
	p->ssrc = get32(b + 8);
	return len < head ? EBADMSG : 0;
}

int srtp_packet_look(struct srtp_packet *p, size_t trailer)
{
	size_t len = p->len;

	if (len > SRTP_PACKET_MAX || len < trailer + 1 ||
	    p->bytes[0] >> 6 != 2)
		return EBADMSG;
	len -= trailer;
	if (!p->rtcp)
		return look_rtp(p, len);
	if (len < RTCP_HEADER)
		return EBADMSG;
	p->head = RTCP_HEADER;
	p->ssrc = get32(p->bytes + 4);
	return 0;
}

/* --- the window -------------------------------------------------------- */

uint64_t srtp_window_guess(const struct srtp_window *w, uint16_t seq)
{
	uint64_t roc = w->top >> 16, top = w->top & 0xffff;

	if (top < 0x8000) {
		if (seq > top + 0x8000 && roc > 0)
			roc--;
	} else if (seq < top - 0x8000) {
		roc++;
	}
	return roc << 16 | seq;
}

int srtp_window_check(const struct srtp_window *w, uint64_t index,
		      uint64_t end)
{
	uint64_t behind;

	if (index >= end)
		return EOVERFLOW;
	if (index > w->top)
		return 0;
	behind = w->top - index;
	if (behind >= SRTP_WINDOW)
		return EALREADY;
	return w->seen[behind / 64] >> behind % 64 & 1 ? EALREADY : 0;
}

static void move_on(struct srtp_window *w, uint64_t by)
{
	if (by >= SRTP_WINDOW) {
		w->seen[0] = w->seen[1] = 0;
	} else if (by >= 64) {
		w->seen[1] = w->seen[0] << (by - 64);
		w->seen[0] = 0;
	} else if (by > 0) {
		w->seen[1] = w->seen[1] << by | w->seen[0] >> (64 - by);
		w->seen[0] <<= by;
	}
}

void srtp_window_mark(struct srtp_window *w, uint64_t index)
{
	uint64_t behind = 0;

	if (index > w->top) {
		move_on(w, index - w->top);
		w->top = index;
	} else {
		behind = w->top - index;
	}
	w->seen[behind / 64] |= 1ULL << behind % 64;
}

/* --- the SSRCs --------------------------------------------------------- */

static int grow(struct srtp_streams *l)
{
	unsigned room = l->room ? 2 * l->room : 2;
	struct srtp_stream *of = realloc(l->of, room * sizeof(*of));

	if (!of)
		return ENOMEM;
	l->of = of;
	l->room = room;
	return 0;
}

int srtp_streams_get(struct srtp_streams *l, uint32_t ssrc,
		     struct srtp_stream **st_r)
{
	unsigned i;
	int rc;

	for (i = 0; i < l->n && l->of[i].ssrc != ssrc; i++)
		;
	if (i == SRTP_SSRC_MAX)
		return EOVERFLOW;
	rc = i == l->room ? grow(l) : 0;
	if (rc)
		return rc;
	if (i == l->n)
		l->of[i] = (struct srtp_stream) { .ssrc = ssrc };
	*st_r = &l->of[i];
	return 0;
}
