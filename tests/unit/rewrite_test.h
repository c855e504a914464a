/* rewrite_test.h: a call in mode `room` of which every byte of an input is an
 * event: packets in order, lost and late, RTX, reports, feedback, time, another
 * sender. Books say what each packet was when it was sent, and judge what comes
 * out at either side. For the seeded runs of test_rewrite.c and for the fuzzer.
 *
 * a sends, b reports. A packet's payload is where it stands in the books, so
 * that it is known again whatever became of its header.
 */
#ifndef TESTS_UNIT_REWRITE_TEST_H
#define TESTS_UNIT_REWRITE_TEST_H

#undef NDEBUG                      /* its asserts are the test */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/media/bytes.h"
#include "jingle/media/rewrite.h"
#include "jingle/media/rtcp_packet.h"

#define CNAME "abcdefghijklmnop"
#define STORY_EVENTS_MAX 400
#define BOOK_MAX 512               /* packets that are remembered */
#define REPORTER 0x99999999        /* b's SSRC */
#define OLD 20000                  /* nobody has packets from so long ago */

enum { AUDIO, VIDEO, RTX, STREAMS };
static const uint32_t story_clock[STREAMS] = { 48000, 90000, 90000 };

struct book {                      /* a packet of a that was sent on */
	unsigned stream, session;
	uint16_t in, transport_in;
	int64_t out;               /* with cycles */
	uint32_t in_time, out_time;
	uint16_t transport_out;
};

struct sent {                      /* what a stream is of this session */
	uint32_t ssrc, time;
	uint16_t next;
	bool begun;                /* something was sent on */
	bool goes_on;              /* from a session before */
	int64_t first;             /* number that it got */
	uint16_t first_in;
	uint32_t lost_before;      /* as b reported before it */
	uint32_t sr;               /* LSR of the last report; 0: none */
	int64_t sr_at;
};

struct heard {                     /* what b knows of a stream */
	bool any;
	uint32_t ssrc;
	int64_t highest;
	uint32_t time;             /* of it */
	int64_t at;                /* when it came */
	uint32_t lost;             /* of all sessions, 24 bits */
	uint32_t lost_known;       /* the last of them that went back */
};

struct story {
	const uint8_t *at, *end;   /* input that is left */
	struct rewrite a, b;       /* what a sends, what b sends */
	struct rewrite_map map;
	uint8_t type[STREAMS];     /* a's payload types */
	uint8_t ext;               /* a's transport-wide number */
	int64_t now;
	unsigned session;
	uint16_t transport;        /* next one */
	bool transport_begun, transport_goes_on;
	int64_t transport_first, transport_highest;        /* as sent on */
	struct sent sent[STREAMS];
	struct heard heard[STREAMS];
	struct book book[BOOK_MAX];
	unsigned books;
	uint32_t srs;              /* sender reports */
};

static inline unsigned take(struct story *st)
{
	return st->at < st->end ? *st->at++ : 0;
}

static inline unsigned take16(struct story *st)
{
	unsigned high = take(st);

	return high << 8 | take(st);
}

static inline int64_t near_to(int64_t highest, uint16_t n)
{
	return highest + (int16_t)(uint16_t)(n - (uint64_t)highest);
}

/* --- another sender --------------------------------------------------- */

/* b's numbers are always 100 and so on, and 5. */
static inline void story_map(struct story *st)
{
	const char *why;
	unsigned i;

	memset(&st->map, 0, sizeof(st->map));
	for (i = 0; i < RTP_PACKET_TYPES; i++)
		st->map.type[i].apt = REWRITE_NO_APT;
	for (i = 0; i < STREAMS; i++) {
		st->type[i] = (uint8_t)(96 + (st->session + i) % 30);
		st->map.type[st->type[i]] = (struct rewrite_type){
			.clock = story_clock[i], .out = (uint8_t)(100 + i),
			.media = i == AUDIO ? REWRITE_AUDIO : REWRITE_VIDEO,
			.apt = i == RTX ? st->type[VIDEO] : REWRITE_NO_APT,
		};
	}
	st->ext = (uint8_t)(1 + st->session % 14);
	st->map.ext[st->ext] = 5;
	st->map.transport_cc = st->ext;
	assert(!rewrite_map_check(&st->map, &why));
	rewrite_set_map(&st->a, &st->map);
}

static inline void story_session(struct story *st)
{
	unsigned i;

	for (i = 0; i < STREAMS; i++) {
		memset(&st->sent[i], 0, sizeof(st->sent[i]));
		st->sent[i].ssrc = 0x10000 * (st->session + 1) + i;
		st->sent[i].next = (uint16_t)take16(st);
		st->sent[i].time = take16(st) << 16;
	}
	st->transport = (uint16_t)take16(st);
	st->transport_begun = false;
	story_map(st);
}

static inline void story_switch(struct story *st)
{
	st->session++;
	rewrite_switch(&st->a);
	rewrite_init(&st->b, CNAME);
	story_session(st);
}

/* --- packets of a ----------------------------------------------------- */

#define RTP_SIZE (12 + 8 + 2 + 4)

static inline size_t write_rtp(const struct story *st, unsigned stream,
			       uint16_t seq, uint32_t time, uint16_t transport,
			       uint16_t osn, unsigned char *b)
{
	size_t n = 20;

	memset(b, 0, RTP_SIZE);
	b[0] = 0x90;
	b[1] = st->type[stream];
	put16(b + 2, seq);
	put32(b + 4, time);
	put32(b + 8, st->sent[stream].ssrc);
	put16(b + 12, 0xbede);
	put16(b + 14, 1);
	b[16] = (unsigned char)(st->ext << 4 | 1);
	put16(b + 17, transport);
	if (stream == RTX) {
		put16(b + n, osn);
		n += 2;
	}
	put32(b + n, st->books);
	return n + 4;
}

/* No two packets of a stream get one number, and those that come in order go
 * on in order, over all sessions. */
static inline void judge_row(struct story *st, struct book *k, uint16_t out)
{
	struct sent *s = &st->sent[k->stream];
	struct heard *h = &st->heard[k->stream];
	unsigned i, n = st->books < BOOK_MAX ? st->books : BOOK_MAX;

	k->out = h->any ? near_to(h->highest, out) : 0x10000 + (int64_t)out;
	if (!s->begun) {
		assert(!h->any || k->out == h->highest + 1);
		s->begun = true;
		s->goes_on = h->any;
		s->first = k->out;
		s->first_in = k->in;
		s->lost_before = h->lost_known;
	}
	assert((uint16_t)(k->out - s->first) == (uint16_t)(k->in -
							   s->first_in));
	for (i = 0; i < n; i++)
		if (st->book[i].stream == k->stream &&
		    st->book[i].out == k->out)
			assert(st->book[i].session == k->session &&
			       st->book[i].in == k->in);
	assert(!s->goes_on || k->out >= s->first);
}

/* Time goes on as the clock does, whoever sends: within the rounding. */
static inline void judge_time(struct story *st, const struct book *k,
			      uint32_t time)
{
	struct heard *h = &st->heard[k->stream];
	uint32_t passed = (uint32_t)((uint64_t)(st->now - h->at) *
				     story_clock[k->stream] / 1000);

	if (h->any && k->stream != RTX && k->out > h->highest)
		assert(time - h->time - passed + 1 <= 3 ||
		       (!passed && time - h->time <= 1));
	if (!h->any || k->out > h->highest) {
		h->highest = k->out;
		h->time = time;
		h->at = st->now;
	}
	h->any = true;
}

static inline void judge_transport(struct story *st, const unsigned char *b,
				   struct book *k)
{
	int64_t out;

	if (!b[16]) {                      /* from before the first one */
		assert(st->transport_goes_on && st->transport_begun);
		k->transport_out = 0;
		k->transport_in = 0;
		return;
	}
	assert(b[16] == (5 << 4 | 1));
	k->transport_out = (uint16_t)get16(b + 17);
	out = st->transport_highest ? near_to(st->transport_highest,
		k->transport_out) : 0x10000 + (int64_t)k->transport_out;
	if (!st->transport_begun) {
		assert(!st->transport_highest ||
		       out == st->transport_highest + 1);
		st->transport_begun = true;
		st->transport_goes_on = st->transport_highest;
		st->transport_first = out;
	}
	assert(!st->transport_goes_on || out >= st->transport_first);
	if (out > st->transport_highest)
		st->transport_highest = out;
}

static inline void judge_passed(struct story *st, struct book *k,
				const unsigned char *b, size_t len)
{
	struct heard *h = &st->heard[k->stream];

	assert(b[0] == 0x90 && b[1] == 100 + k->stream);
	assert(get32(b + len - 4) == st->books);
	if (h->any)
		assert(get32(b + 8) == h->ssrc);
	h->ssrc = get32(b + 8);
	judge_row(st, k, (uint16_t)get16(b + 2));
	k->out_time = get32(b + 4);
	judge_time(st, k, k->out_time);
	judge_transport(st, b, k);
	st->book[st->books++ % BOOK_MAX] = *k;
}

/* In memory of its own, so that a sanitizer sees who writes beyond. */
static inline bool give_rtp(struct story *st, unsigned char *b, size_t len)
{
	unsigned char *mine = malloc(len);
	bool passes;

	assert(mine);
	memcpy(mine, b, len);
	passes = rewrite_rtp(&st->a, st->now, mine, len);
	memcpy(b, mine, len);
	free(mine);
	return passes;
}

/* The next packet of a stream after so many that were lost, or a late one. */
static inline void media(struct story *st, unsigned stream, unsigned lost,
			 unsigned late)
{
	struct sent *s = &st->sent[stream];
	struct book k = { .stream = stream, .session = st->session };
	unsigned char b[RTP_SIZE];
	size_t len;

	s->next = (uint16_t)(s->next + lost);
	k.in = (uint16_t)(s->next - late);
	k.transport_in = (uint16_t)(st->transport - late);
	k.in_time = s->time + (uint32_t)((uint64_t)st->now *
					 story_clock[stream] / 1000);
	if (!late) {
		s->next++;
		st->transport++;
	}
	len = write_rtp(st, stream, k.in, k.in_time, k.transport_in, 0, b);
	if (give_rtp(st, b, len))
		judge_passed(st, &k, b, len);
	else                               /* only from before the first */
		assert(s->goes_on && late &&
		       (int16_t)(k.in - s->first_in) < 0);
}

static inline struct book *any_book(struct story *st)
{
	unsigned n = st->books < BOOK_MAX ? st->books : BOOK_MAX;

	return n ? &st->book[take16(st) % n] : NULL;
}

/* What it repeats is a packet that b can find under the same number. */
static inline void repeat(struct story *st)
{
	const struct book *of = any_book(st);
	struct book k = { .stream = RTX, .session = st->session };
	unsigned char b[RTP_SIZE];
	bool may;
	size_t len;

	if (!of || of->stream != VIDEO || of->session != st->session ||
	    of->out < st->heard[VIDEO].highest - OLD)
		return;
	k.in = st->sent[RTX].next++;
	k.transport_in = st->transport++;
	len = write_rtp(st, RTX, k.in, of->in_time, k.transport_in, of->in, b);
	may = st->now - st->heard[VIDEO].at < REWRITE_SILENT_MS;
	assert(give_rtp(st, b, len) == may);
	if (!may)
		return;
	assert((uint16_t)get16(b + 20) == (uint16_t)of->out);
	assert(get32(b + 4) == of->out_time);
	judge_passed(st, &k, b, len);
}

/* --- RTCP ------------------------------------------------------------- */

/* Of b about a, or of a; what goes on is well-formed. */
static inline size_t give_rtcp(struct rewrite *his, struct rewrite *other,
			       int64_t now, unsigned char *b, size_t len,
			       size_t more)
{
	size_t size = len + more, n;
	unsigned char *mine = malloc(size ? size : 1);

	assert(mine);
	memcpy(mine, b, len);
	n = rewrite_rtcp(his, other, now, mine, len, size);
	assert(n <= size);
	assert(!n || !rtcp_packet_check(mine, n));
	memcpy(b, mine, n);
	free(mine);
	return n;
}

static inline size_t report_of_b(struct story *st, unsigned char *b, size_t len)
{
	return give_rtcp(&st->b, &st->a, st->now, b, len, 0);
}

static inline size_t write_feedback(unsigned char *b, uint8_t type,
				    unsigned fmt, uint32_t media, size_t fci)
{
	put32(b + 4, REPORTER);
	put32(b + 8, media);
	return rtcp_packet_head(b, type, fmt, 8 + fci);
}

/* Of each number that b asks for: the sender is asked for the same packet if it
 * is of his session, and for nothing else. */
static inline void nack(struct story *st)
{
	const struct book *k = any_book(st);
	unsigned blp = take16(st), i, n = 0, asked = 0;
	unsigned char b[16];
	const struct sent *s;
	size_t len;
	uint16_t in;

	if (!k)
		return;
	s = &st->sent[k->stream];
	len = write_feedback(b, RTCP_RTPFB, RTCP_NACK,
			     st->heard[k->stream].ssrc, 4);
	put16(b + 12, (uint16_t)k->out);
	put16(b + 14, blp);
	len = report_of_b(st, b, len);
	if (len) {
		assert(len == 16 && get32(b + 8) == s->ssrc);
		for (i = 0; i <= 16; i++)
			n += !i || (get16(b + 14) >> (i - 1) & 1);
	}
	for (i = 0; i <= 16 && s->begun; i++) {
		if (i && !(blp >> (i - 1) & 1))
			continue;
		if (s->goes_on && near_to(st->heard[k->stream].highest,
					   (uint16_t)(k->out + i)) < s->first)
			continue;
		asked++;
		in = (uint16_t)(s->first_in + k->out + i - s->first -
				get16(b + 12));
		assert(len && (!in || (in <= 16 &&
				       (get16(b + 14) >> (in - 1) & 1))));
	}
	assert(n == asked);
}

/* Is what was lost before this session taken off, are reports and the times of
 * way counted that can be believed, and no others? */
static inline void judge_report(struct story *st, const struct book *k,
				const struct rewrite_heard *was,
				const unsigned char *b, const unsigned char *is)
{
	const struct sent *s = &st->sent[k->stream];
	const struct rewrite_heard *h = &st->a.heard;
	uint32_t clock = story_clock[k->stream], lsr = get32(b + 24);
	int64_t trip = st->now - s->sr_at -
		       ((int64_t)get32(b + 28) * 1000 >> 16);
	bool trips = lsr == s->sr && trip >= -1 && trip <= 60000;

	assert(get32(is + 8) == s->ssrc);
	assert((uint16_t)get32(is + 16) == k->in);
	assert(((get32(is + 12) + s->lost_before - get32(b + 12)) &
		0xffffff) == 0);
	assert(get32(is + 24) == (lsr == s->sr ? lsr : 0));
	assert(get32(is + 28) == (lsr == s->sr ? get32(b + 28) : 0));
	assert(h->reports - was->reports == (get32(b + 20) < 10 * clock));
	assert(h->trips - was->trips == trips);
	assert(h->trip - was->trip == (trips && trip > 0 ? (uint64_t)trip : 0));
}

/* Of any packet, with the last SR or one of nobody, held for a while or for
 * ever; with so many lost, or found again. */
static inline void receiver_report(struct story *st, unsigned more)
{
	static const uint32_t held[4] = { 0, 0x8000, 0x10000, 0xffffffff };
	const struct book *k = any_book(st);
	struct rewrite_heard was = st->a.heard;
	unsigned char b[32] = { 0 }, is[32];
	struct heard *h;
	struct sent *s;
	bool before;
	size_t len;

	if (!k)
		return;
	h = &st->heard[k->stream];
	s = &st->sent[k->stream];
	h->lost = (h->lost + (uint32_t)(int8_t)take(st)) & 0xffffff;
	put32(b + 4, REPORTER);
	put32(b + 8, h->ssrc);
	put32(b + 12, h->lost);
	put32(b + 16, (uint32_t)k->out);
	put32(b + 20, story_clock[k->stream] * (more & 8 ? 10 : 1));
	put32(b + 24, more & 1 && s->sr ? s->sr : 0x12345678);
	put32(b + 28, held[more >> 1 & 3]);
	len = rtcp_packet_head(b, RTCP_RR, 1, 28);
	memcpy(is, b, sizeof(is));
	len = report_of_b(st, is, len);
	assert(get32(is + 4) == REPORTER);
	before = s->begun && s->goes_on &&
		 near_to(h->highest, (uint16_t)k->out) < s->first;
	if (s->begun)
		h->lost_known = h->lost;
	if (before)
		s->lost_before = h->lost;
	assert(len == (s->begun && !before ? 32 : 8));
	if (k->session == st->session)
		judge_report(st, k, &was, b, is);
}

static inline void transport_feedback(struct story *st)
{
	const struct book *k = any_book(st);
	unsigned char b[24] = { 0 };
	size_t len;

	if (!k || (!k->transport_out && !k->transport_in))
		return;
	len = write_feedback(b, RTCP_RTPFB, RTCP_TRANSPORT_CC,
			     st->heard[k->stream].ssrc, 12);
	put16(b + 12, k->transport_out);
	put16(b + 14, 1);
	len = report_of_b(st, b, len);
	if (k->session != st->session) {
		assert(!len);
		return;
	}
	assert(len == 24 && (uint16_t)get16(b + 12) == k->transport_in);
	assert(get32(b + 8) == st->sent[k->stream].ssrc);
}

/* Asked of who has sent in this session, under his own SSRC; of nobody else. */
static inline void ask_picture(struct story *st)
{
	const struct sent *s = &st->sent[VIDEO];
	unsigned char b[REWRITE_PLI_MAX], own[REWRITE_PLI_MAX];
	size_t len = write_feedback(b, RTCP_PSFB, RTCP_PLI,
				    st->heard[VIDEO].ssrc, 0);
	size_t n = rewrite_pli(&st->a, &st->b, own);

	if (!st->heard[VIDEO].any)
		return;
	len = report_of_b(st, b, len);
	assert(len == (s->begun ? 12 : 0) && n == (s->begun ? 20 : 0));
	assert(!len || get32(b + 8) == s->ssrc);
	assert(!n || get32(own + 16) == s->ssrc);
}

/* What names all that b has of a: a whole picture of each (FIR), or a rate for
 * all of them (REMB). Who has not sent in this session is left out. */
static inline void of_all(struct story *st, bool fir)
{
	size_t at = fir ? 12 : 20, size = fir ? 8 : 4, len = 0;
	unsigned char b[20 + 8 * STREAMS] = { 0 };
	unsigned i;

	for (i = 0; i < STREAMS; i++)
		if (st->heard[i].any) {
			put32(b + at + len, st->heard[i].ssrc);
			len += size;
		}
	if (!fir) {
		memcpy(b + 12, "REMB\0\x0f\xfe\xee", 8);
		b[16] = (unsigned char)(len / size);
	}
	len = report_of_b(st, b, write_feedback(b, RTCP_PSFB,
		fir ? RTCP_FIR : RTCP_AFB, 0, at - 12 + len));
	for (i = 0; i < STREAMS; i++) {
		if (!st->sent[i].begun)
			continue;
		assert(get32(b + at) == st->sent[i].ssrc);
		at += size;
	}
	assert(len == (at == (fir ? 12 : 20) ? 0 : at));
	assert(!len || (get32(b + 4) == REPORTER && !get32(b + 8)));
	assert(!len || fir || b[16] == (at - 20) / size);
}

/* An SR's timestamp is moved as those of packets are. */
static inline void sender_report(struct story *st)
{
	const struct book *k = any_book(st);
	unsigned char b[28 + 12 + REWRITE_RTCP_MORE] = { 0 };
	struct sent *s;
	unsigned sdes = take(st) & 1;
	size_t len, more = take(st) & 2 ? REWRITE_RTCP_MORE : 0;

	if (!k || k->session != st->session || k->stream == RTX)
		return;
	s = &st->sent[k->stream];
	s->sr = ++st->srs;                 /* the middle of its time of day */
	s->sr_at = st->now;
	put32(b + 4, s->ssrc);
	put32(b + 8, 0xe0000000 | s->sr >> 16);
	put32(b + 12, s->sr << 16);
	put32(b + 16, k->in_time);
	len = rtcp_packet_head(b, RTCP_SR, 0, 24);
	if (sdes) {
		put32(b + len + 4, s->ssrc);
		len += rtcp_packet_head(b + len, RTCP_SDES, 1, 8);
	}
	len = give_rtcp(&st->a, &st->b, st->now, b, len, more);
	assert(len == (sdes && more ? 56 : 28));
	assert(get32(b + 4) == st->heard[k->stream].ssrc);
	assert(get32(b + 8) == (0xe0000000 | s->sr >> 16));
	assert(get32(b + 12) == s->sr << 16);
	assert(get32(b + 16) == k->out_time);
	assert(get32(b + 20) <= st->books && get32(b + 20) > 0);
}

/* --- a story ---------------------------------------------------------- */

static inline void story_event(struct story *st)
{
	static const unsigned wait[8] = { 0, 1, 7, 20, 33, 1000, 9999, 60000 };
	unsigned kind = take(st), more = kind >> 4;

	switch (kind & 15) {
	case 0:
	case 1:
		st->now += wait[more & 7];
		break;
	case 2:
	case 3:
	case 4:
		media(st, more & 1 ? VIDEO : AUDIO, 0, 0);
		break;
	case 5:
		media(st, more & 1 ? VIDEO : AUDIO, take(st), 0);
		break;
	case 6:                            /* in the window of SRTP */
		media(st, more & 1 ? VIDEO : AUDIO, 0, 1 + take(st) % 127);
		break;
	case 7:
	case 8:
		repeat(st);
		break;
	case 9:
	case 10:
		nack(st);
		break;
	case 11:
		receiver_report(st, more);
		break;
	case 12:
		transport_feedback(st);
		break;
	case 13:
		if (more & 1)
			of_all(st, more & 2);
		else
			ask_picture(st);
		break;
	case 14:
		sender_report(st);
		break;
	default:
		if (more & 1)
			story_switch(st);
		break;
	}
}

static inline void story_run(struct story *st, const uint8_t *data, size_t size)
{
	unsigned n = 0;

	memset(st, 0, sizeof(*st));
	st->at = data;
	st->end = data + size;
	st->now = 1000;
	rewrite_init(&st->a, CNAME);
	rewrite_init(&st->b, CNAME);
	story_session(st);
	while (st->at < st->end && n++ < STORY_EVENTS_MAX) {
		story_event(st);
		rewrite_check(&st->a);
		rewrite_check(&st->b);
	}
}

#endif
