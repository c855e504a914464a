/* rewrite_rtcp.c: the RTCP packets of one side as the other side knows both
 * (see rewrite.h).
 *
 * What a packet says of his own stream (SR) is moved as his packets are. What
 * it says of the other's stream (report blocks, feedback) is moved back to the
 * other's own numbers; where that is about packets of a session before the
 * other's last switch, he cannot know them, and it is dropped.
 *
 * Each packet is written over the compound one from its start; none becomes
 * longer than it was.
 */
#include "jingle/media/rewrite_private.h"

#include <string.h>
#include "jingle/media/bytes.h"
#include "jingle/media/rtcp_packet.h"

#define SDES_CNAME 1               /* RFC 3550, 6.5.1 */
#define SDES_CHUNK_SIZE 24         /* SSRC, type, length, name, two zeros */
#define FIR_SIZE 8
#define TRANSPORT_CC_SIZE 8        /* FCI before its chunks */
#define NOBODYS_SSRC 1             /* of who sends nothing */
#define JITTER_MAX 10              /* s; over it a report is not believed */
#define TRIP_MAX 60000             /* ms, likewise */

struct rewriting {
	struct rewrite *his, *other;
	int64_t now;
	unsigned char *to;         /* where the next one is written */
	uint32_t from, about;      /* SSRCs of the feedback in hand: who sends
				      it, and of whose media */
	bool sdes;                 /* there was an SDES */
	unsigned reporters;
	uint32_t reporter[REWRITE_SOURCES_MAX];    /* of SRs and RRs written */
};

static void counted(struct rewriting *w, enum rewrite_count n)
{
	w->his->count[n]++;
}

/* The SSRC that he sends with, as the other knows it: who only receives has
 * one of no stream. */
static uint32_t name_of_his(struct rewriting *w, uint32_t ssrc)
{
	const struct rewrite_source *s = rewrite_source_in(w->his, ssrc);

	return s ? s->out : ssrc;
}

static struct rewrite_source *is_about(struct rewriting *w,
				       struct rewrite_source *s)
{
	w->his->about |= (uint8_t)(1u << s->media);
	return s;
}

/* The other's source of this SSRC, as he knows it; NULL: nobody's, or nobody's
 * any more. */
static struct rewrite_source *source_of_other(struct rewriting *w,
					      uint32_t ssrc)
{
	struct rewrite *r = w->other;
	struct rewrite_source *s = r->source;

	while (s < r->source + r->sources && s->out != ssrc)
		s++;
	if (s == r->source + r->sources)
		counted(w, REWRITE_N_NOBODY);
	else if (!rewrite_source_current(r, s))
		counted(w, REWRITE_N_BEFORE);
	else
		return is_about(w, s);
	return NULL;
}

/* --- reports ---------------------------------------------------------- */

/* LSR and DLSR measure the round trip if that SR was of this session: its time
 * of day went through unchanged. Else both are 0 (RFC 3550, 6.4.1). From when
 * it went on, they measure ours to him. */
static void check_lsr(struct rewriting *w, const struct rewrite_source *s,
		      unsigned char *block)
{
	uint32_t lsr = get32(block + 16);
	int64_t held = (int64_t)get32(block + 20) * 1000 >> 16;
	unsigned i;

	for (i = 0; i < s->srs && i < REWRITE_SR_MAX; i++) {
		if (s->sr[i] != lsr)
			continue;
		held = w->now - s->sr_at[i] - held;
		if (held < -1 || held > TRIP_MAX)
			return;
		w->other->heard.trips++;
		w->other->heard.trip += held > 0 ? (uint64_t)held : 0;
		return;
	}
	memset(block + 16, 0, 8);
}

/* The parts of a report that are about the way to him. */
static void hear(struct rewriting *w, struct rewrite_source *s,
		 const unsigned char *block)
{
	struct rewrite_heard *h = &w->other->heard;
	uint32_t lost = get32(block + 4) & 0xffffff, more = lost - s->lost;
	uint64_t jitter = get32(block + 12);

	/* The difference of two signed numbers of 24 bits. */
	h->lost += (int32_t)(more << 8) / 256;
	s->lost = lost;
	h->pictures += s->media == REWRITE_VIDEO && !s->rtx;
	if (!s->clock || jitter / s->clock >= JITTER_MAX)
		return;
	h->reports++;
	h->jitter += jitter * 1000000 / s->clock;
}

/* A report block (RFC 3550, 6.4.1), in place:
 *
 *	 0  SSRC
 *	 4  fraction lost (8 bits), lost in all (24 bits, signed)
 *	 8  highest sequence number, with cycles
 *	12  jitter
 *	16  LSR
 *	20  DLSR
 *
 * False: it is about nobody now. The cycles are those that we have seen: the
 * receiver may have begun later, or in a session before. What was lost then is
 * taken off. */
static bool block_back(struct rewriting *w, unsigned char *block)
{
	struct rewrite_source *s = source_of_other(w, get32(block));
	uint32_t lost = get32(block + 4) & 0xffffff;
	int64_t highest;

	if (!s)
		return false;
	highest = rewrite_near(s->seq.highest, (uint16_t)get32(block + 8));
	hear(w, s, block);
	if (highest < s->seq.first) {
		s->lost_before = lost;
		counted(w, REWRITE_N_BEFORE);
		return false;
	}
	put32(block, s->in);
	put32(block + 4, ((uint32_t)block[4] << 24) |
	      ((lost - s->lost_before) & 0xffffff));
	put32(block + 8, (uint32_t)(highest - s->seq.offset));
	check_lsr(w, s, block);
	return true;
}

/* Writes what is left of `n` blocks to `to`; returns how many. */
static unsigned blocks_back(struct rewriting *w, unsigned char *from,
			    unsigned n, unsigned char *to)
{
	unsigned left = 0;

	for (; n; n--, from += RTCP_PACKET_BLOCK_SIZE) {
		if (!block_back(w, from))
			continue;
		memmove(to, from, RTCP_PACKET_BLOCK_SIZE);
		to += RTCP_PACKET_BLOCK_SIZE;
		left++;
	}
	return left;
}

static void reported(struct rewriting *w, uint32_t ssrc)
{
	if (w->reporters < REWRITE_SOURCES_MAX)
		w->reporter[w->reporters++] = ssrc;
}

/* An RR goes on without blocks as well: a compound packet begins with a report
 * (RFC 3550, 6.1). */
static size_t report(struct rewriting *w, const struct rtcp_packet *p,
		     size_t blocks_at)
{
	uint32_t ssrc = name_of_his(w, get32(p->body));
	unsigned n = blocks_back(w, p->body + blocks_at, p->count,
				 w->to + RTCP_PACKET_HEADER_SIZE + 4);

	put32(w->to + RTCP_PACKET_HEADER_SIZE, ssrc);
	reported(w, ssrc);
	return rtcp_packet_head(w->to, RTCP_RR, n,
				4 + n * (size_t)RTCP_PACKET_BLOCK_SIZE);
}

/* An SR has the time of its RTP timestamp in NTP, which goes on as it is, for
 * the receiver's lip sync and LSR. Packets and bytes are those that we sent on
 * (RFC 3550, 7.2), for the stream is longer than his session. Of a source of
 * whom nothing was sent yet the timestamps are not known: an RR is left. */
static size_t sender_report(struct rewriting *w, const struct rtcp_packet *p)
{
	struct rewrite_source *s = rewrite_source_in(w->his, get32(p->body));
	unsigned char *to = w->to + RTCP_PACKET_HEADER_SIZE;
	unsigned n;

	if (!s || !s->seq.begun)
		return report(w, p, RTCP_PACKET_SENDER_SIZE);
	memmove(to, p->body, RTCP_PACKET_SENDER_SIZE);
	put32(to, is_about(w, s)->out);
	s->sr_at[s->srs % REWRITE_SR_MAX] = w->now;
	s->sr[s->srs++ % REWRITE_SR_MAX] = get32(to + 6);
	put32(to + 12, get32(to + 12) + s->offset);
	put32(to + 16, s->packets);
	put32(to + 20, s->octets);
	n = blocks_back(w, p->body + RTCP_PACKET_SENDER_SIZE, p->count,
			to + RTCP_PACKET_SENDER_SIZE);
	reported(w, s->out);
	return rtcp_packet_head(w->to, RTCP_SR, n, RTCP_PACKET_SENDER_SIZE +
				n * (size_t)RTCP_PACKET_BLOCK_SIZE);
}

/* --- feedback --------------------------------------------------------- */

/* A lost packet and those of the sixteen after it that are set in `blp` (RFC
 * 4585, 6.2.1). Those of this session alone; false: none of them is. */
static bool nack_back(const struct rewrite_row *seq, unsigned char *fci)
{
	int64_t lost = rewrite_near(seq->highest, (uint16_t)get16(fci));
	uint32_t mask = get16(fci + 2) << 1 | 1;
	int64_t before = seq->first - lost;

	if (before > 16)
		return false;
	if (before > 0) {
		mask >>= before;
		lost = seq->first;
	}
	if (!mask)
		return false;
	for (; !(mask & 1); mask >>= 1)
		lost++;
	put16(fci, (uint16_t)(lost - seq->offset));
	put16(fci + 2, mask >> 1);
	return true;
}

/* Feedback is written with its two SSRCs, and `len` bytes behind them. (What it
 * had for SSRCs may be written over by then.) */
static size_t feedback(struct rewriting *w, const struct rtcp_packet *p,
		       uint32_t media, size_t len)
{
	unsigned char *to = w->to + RTCP_PACKET_HEADER_SIZE;

	put32(to, name_of_his(w, w->from));
	put32(to + 4, media);
	return rtcp_packet_head(w->to, p->type, p->count,
				RTCP_PACKET_FEEDBACK_SIZE + len);
}

/* Where the bytes behind the two SSRCs are written. */
static unsigned char *fci_to(const struct rewriting *w)
{
	return w->to + RTCP_PACKET_HEADER_SIZE + RTCP_PACKET_FEEDBACK_SIZE;
}

static size_t nack(struct rewriting *w, const struct rtcp_packet *p,
		   unsigned char *fci, size_t len)
{
	const struct rewrite_source *s = source_of_other(w, w->about);
	unsigned char *to = fci_to(w);

	if (!s)
		return 0;
	for (; len >= 4; len -= 4, fci += 4) {
		if (!nack_back(&s->seq, fci)) {
			counted(w, REWRITE_N_BEFORE);
			continue;
		}
		memmove(to, fci, 4);
		to += 4;
	}
	len = (size_t)(to - fci_to(w));
	return len ? feedback(w, p, s->in, len) : 0;
}

static size_t pli(struct rewriting *w, const struct rtcp_packet *p)
{
	const struct rewrite_source *s = source_of_other(w, w->about);

	return s ? feedback(w, p, s->in, 0) : 0;
}

/* Each entry names a source; the packet's own media SSRC is 0 (RFC 5104,
 * 4.3.1.2). */
static size_t fir(struct rewriting *w, const struct rtcp_packet *p,
		  unsigned char *fci, size_t len)
{
	const struct rewrite_source *s;
	unsigned char *to = fci_to(w);

	for (; len >= FIR_SIZE; len -= FIR_SIZE, fci += FIR_SIZE) {
		s = source_of_other(w, get32(fci));
		if (!s)
			continue;
		memmove(to, fci, FIR_SIZE);
		put32(to, s->in);
		to += FIR_SIZE;
	}
	len = (size_t)(to - fci_to(w));
	return len ? feedback(w, p, 0, len) : 0;
}

/* A bit rate for the sum of some sources (draft-alvestrand-rmcat-remb-03,
 * 2.2): "REMB", their number, the rate, their SSRCs. */
static size_t remb(struct rewriting *w, const struct rtcp_packet *p,
		   unsigned char *fci, size_t len)
{
	const struct rewrite_source *s;
	unsigned n = len >= 8 ? fci[4] : 0, i, left = 0;
	unsigned char *to = fci_to(w);

	if (len < 8 || memcmp(fci, "REMB", 4) != 0) {
		counted(w, REWRITE_N_UNKNOWN_RTCP);
		return 0;
	}
	if (!n || len < 8 + 4 * (size_t)n) {
		counted(w, REWRITE_N_MALFORMED);
		return 0;
	}
	memmove(to, fci, 8);
	for (i = 0; i < n; i++) {
		s = source_of_other(w, get32(fci + 8 + 4 * i));
		if (s)
			put32(to + 8 + 4 * (size_t)left++, s->in);
	}
	to[4] = (unsigned char)left;
	return left ? feedback(w, p, 0, 8 + 4 * (size_t)left) : 0;
}

/* Of a whole transport: senders look whether the media SSRC is one of theirs,
 * so it must be, whichever it is. */
static uint32_t any_of_other(const struct rewriting *w, uint32_t ssrc)
{
	const struct rewrite *r = w->other;
	const struct rewrite_source *s, *any = NULL;

	for (s = r->source; s < r->source + r->sources; s++) {
		if (!rewrite_source_current(r, s))
			continue;
		if (s->out == ssrc)
			return s->in;
		if (!any)
			any = s;
	}
	return any ? any->in : ssrc;
}

/* The packets are counted from a first number on: that is moved, all else is
 * relative to it. It ends where its counts say so: what was padding is zeros
 * behind it then, for ours may follow, and only a last one may have padding.
 * One that begins before the other's switch is dropped whole; senders bear
 * that, for this one may be lost as well. */
static size_t transport_cc(struct rewriting *w, const struct rtcp_packet *p,
			   unsigned char *fci, size_t len)
{
	const struct rewrite_row *row = &w->other->transport;
	int64_t base;

	if (len < TRANSPORT_CC_SIZE) {
		counted(w, REWRITE_N_MALFORMED);
		return 0;
	}
	base = rewrite_near(row->highest, (uint16_t)get16(fci));
	if (!row->begun || base < row->first) {
		counted(w, REWRITE_N_BEFORE);
		return 0;
	}
	put16(fci, (uint16_t)(base - row->offset));
	memmove(fci_to(w), fci, len);
	for (; len % 4; len++)
		fci_to(w)[len] = 0;
	return feedback(w, p, any_of_other(w, w->about), len);
}

static size_t any_feedback(struct rewriting *w, const struct rtcp_packet *p)
{
	unsigned char *fci = p->body + RTCP_PACKET_FEEDBACK_SIZE;
	size_t len = p->len - RTCP_PACKET_FEEDBACK_SIZE;

	w->from = get32(p->body);
	w->about = get32(p->body + 4);
	if (p->type == RTCP_RTPFB && p->count == RTCP_NACK)
		return nack(w, p, fci, len);
	if (p->type == RTCP_RTPFB && p->count == RTCP_TRANSPORT_CC)
		return transport_cc(w, p, fci, len);
	if (p->type == RTCP_PSFB && p->count == RTCP_PLI)
		return pli(w, p);
	if (p->type == RTCP_PSFB && p->count == RTCP_FIR)
		return fir(w, p, fci, len);
	if (p->type == RTCP_PSFB && p->count == RTCP_AFB)
		return remb(w, p, fci, len);
	counted(w, REWRITE_N_UNKNOWN_RTCP);
	return 0;
}

/* --- the compound packet ---------------------------------------------- */

/* The bytes of it that go on. */
static size_t one(struct rewriting *w, const struct rtcp_packet *p)
{
	switch (p->type) {
	case RTCP_SR:
		return sender_report(w, p);
	case RTCP_RR:
		return report(w, p, 4);
	case RTCP_RTPFB:
	case RTCP_PSFB:
		return any_feedback(w, p);
	case RTCP_SDES:
		w->sdes = true;
		counted(w, REWRITE_N_ENDED);
		return 0;
	case RTCP_BYE:             /* another one may go on for him (6.6) */
	case RTCP_APP:
		counted(w, REWRITE_N_ENDED);
		return 0;
	default:
		counted(w, REWRITE_N_UNKNOWN_RTCP);
		return 0;
	}
}

/* His SDES may name his machine, and is another one after a switch. In its
 * place each report gets one name of ours, the same for all: receivers sync
 * those of one name (RFC 3550, 6.5.1; RFC 7022). */
static size_t own_sdes(const struct rewriting *w, size_t space)
{
	unsigned char *to = w->to + RTCP_PACKET_HEADER_SIZE;
	size_t len = SDES_CHUNK_SIZE * (size_t)w->reporters;
	unsigned i;

	if (!w->sdes || !len || space < RTCP_PACKET_HEADER_SIZE + len)
		return 0;
	memset(to, 0, len);
	for (i = 0; i < w->reporters; i++, to += SDES_CHUNK_SIZE) {
		put32(to, w->reporter[i]);
		to[4] = SDES_CNAME;
		to[5] = REWRITE_CNAME_SIZE;
		memcpy(to + 6, w->his->cname, REWRITE_CNAME_SIZE);
	}
	return rtcp_packet_head(w->to, RTCP_SDES, w->reporters, len);
}

size_t rewrite_rtcp(struct rewrite *his, struct rewrite *other, int64_t now,
		    void *packet, size_t len, size_t size)
{
	struct rewriting w = { .his = his, .other = other, .now = now,
			       .to = packet };
	unsigned char *start = packet;
	struct rtcp_packet_walk walk;
	struct rtcp_packet p;

	if (rtcp_packet_check(packet, len)) {
		counted(&w, REWRITE_N_MALFORMED);
		return 0;
	}
	his->about = 0;
	rtcp_packet_walk(&walk, packet, len);
	while (rtcp_packet_next(&walk, &p))
		w.to += one(&w, &p);
	w.to += own_sdes(&w, size - (size_t)(w.to - start));
	return (size_t)(w.to - start);
}

/* --- our own ---------------------------------------------------------- */

size_t rewrite_pli(const struct rewrite *r, const struct rewrite *other,
		   unsigned char out[REWRITE_PLI_MAX])
{
	const struct rewrite_source *s;
	uint32_t from = NOBODYS_SSRC;
	unsigned char *to = out;

	for (s = other->source; s < other->source + other->sources; s++)
		if (rewrite_source_current(other, s)) {
			from = s->out;
			break;
		}
	put32(to + RTCP_PACKET_HEADER_SIZE, from);
	to += rtcp_packet_head(to, RTCP_RR, 0, 4);
	for (s = r->source; s < r->source + r->sources; s++) {
		if (s->media != REWRITE_VIDEO || s->rtx ||
		    !rewrite_source_current(r, s))
			continue;
		put32(to + RTCP_PACKET_HEADER_SIZE, from);
		put32(to + RTCP_PACKET_HEADER_SIZE + 4, s->in);
		to += rtcp_packet_head(to, RTCP_PSFB, RTCP_PLI,
				       RTCP_PACKET_FEEDBACK_SIZE);
	}
	return to - out > 8 ? (size_t)(to - out) : 0;
}
