/* rewrite.c: the RTP packets of one side as the other side knows them (see
 * rewrite.h).
 */
#include "jingle/media/rewrite.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include "jingle/media/bytes.h"
#include "jingle/media/rewrite_private.h"

#define MISSING_MAX 3000           /* packets in a row */
#define ROW_START 0x10000          /* so that what comes late is no less
				      than 1 */
#define OSN_SIZE 2                 /* RFC 4588, 4 */

const char *rewrite_count_name(enum rewrite_count n)
{
	static const char *const names[REWRITE_COUNTS] = {
		"malformed", "unknown-type", "other-stream", "sources",
		"no-original", "before", "extensions", "ended",
		"unknown-rtcp", "nobody",
	};

	return n < REWRITE_COUNTS ? names[n] : "unknown";
}

/* --- the map ---------------------------------------------------------- */

/* With rtcp-mux numbers from 64 to 95 would be RTCP (RFC 5761, 4). */
static bool usable(size_t type)
{
	return type < 64 || (type > 95 && type < RTP_PACKET_TYPES);
}

static const char *wrong_type(const struct rewrite_map *m, size_t in)
{
	const struct rewrite_type *t = &m->type[in], *of;

	if (!usable(in) || !usable(t->out))
		return "payload type out of range";
	if (t->media >= REWRITE_MEDIA)
		return "unknown media";
	if (t->apt == REWRITE_NO_APT)
		return NULL;
	if (t->apt >= RTP_PACKET_TYPES || !m->type[t->apt].clock)
		return "RTX of a payload type that does not pass";
	of = &m->type[t->apt];
	return of->apt != REWRITE_NO_APT || of->media != t->media ?
	       "RTX of RTX or of other media" : NULL;
}

int rewrite_map_check(const struct rewrite_map *m, const char **why_r)
{
	const struct rewrite_type *by[RTP_PACKET_TYPES] = { NULL }, *t, *other;
	size_t i;

	*why_r = NULL;
	for (i = 0; i < RTP_PACKET_TYPES && !*why_r; i++) {
		t = &m->type[i];
		if (!t->clock)
			continue;
		*why_r = wrong_type(m, i);
		if (*why_r)
			break;
		other = by[t->out];
		by[t->out] = t;
		if (other && (other->media != t->media ||
			      (other->apt == REWRITE_NO_APT) !=
			      (t->apt == REWRITE_NO_APT)))
			*why_r = "one payload type for two streams";
	}
	if (m->tolds > REWRITE_SOURCES_MAX)
		*why_r = "too many SSRCs";
	for (i = 0; i < m->tolds && !*why_r; i++)
		if (m->told[i].media >= REWRITE_MEDIA)
			*why_r = "unknown media";
	return *why_r ? EBADMSG : 0;
}

void rewrite_init(struct rewrite *r, const char *cname)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->cname, cname, sizeof(r->cname));
}

void rewrite_switch(struct rewrite *r)
{
	r->session++;
	r->transport.begun = false;
}

/* --- rows of numbers -------------------------------------------------- */

int64_t rewrite_near(int64_t highest, uint16_t number)
{
	return highest + (int16_t)(uint16_t)(number - (uint64_t)highest);
}

/* The first number of a session is the next one of the row; the first of all
 * is itself. What is from before the first of a session has none: false. */
static bool row_forward(struct rewrite_row *w, uint16_t in, uint16_t *out_r)
{
	int64_t out;

	if (!w->begun) {
		out = w->highest ? w->highest + 1 : ROW_START + (int64_t)in;
		w->first = w->highest ? out : 0;
		w->offset = out - in;
		w->begun = true;
		w->highest = out;
	} else {
		out = rewrite_near(w->highest, (uint16_t)(in + w->offset));
		if (out < w->first)
			return false;
		if (out > w->highest)
			w->highest = out;
	}
	*out_r = (uint16_t)out;
	return true;
}

/* --- sources ---------------------------------------------------------- */

struct rewrite_source *rewrite_source_in(struct rewrite *r, uint32_t ssrc)
{
	struct rewrite_source *s;

	for (s = r->source; s < r->source + r->sources; s++)
		if (s->in == ssrc && s->session == r->session)
			return s;
	return NULL;
}

bool rewrite_source_current(const struct rewrite *r,
			    const struct rewrite_source *s)
{
	return s->session == r->session && s->seq.begun;
}

static bool sent_as(const struct rewrite *r, uint32_t ssrc)
{
	const struct rewrite_source *s;

	for (s = r->source; s < r->source + r->sources; s++)
		if (s->out == ssrc)
			return true;
	return false;
}

/* The one of this stream that a new SSRC goes on with: of those of sessions
 * before, who sent last. NULL: none. */
static struct rewrite_source *before_it(struct rewrite *r, unsigned media,
					bool rtx)
{
	struct rewrite_source *s, *last = NULL;

	for (s = r->source; s < r->source + r->sources; s++)
		if (s->media == media && s->rtx == rtx &&
		    s->session != r->session && (!last || s->at > last->at))
			last = s;
	return last;
}

static void begin_session(const struct rewrite *r, struct rewrite_source *s,
			  uint32_t ssrc)
{
	s->in = ssrc;
	s->session = r->session;
	s->seq.begun = false;
	s->srs = 0;
	s->lost_before = s->lost;
}

/* One that is new to the receiver as well. NULL: there is no place. */
static struct rewrite_source *new_source(struct rewrite *r, int64_t now,
					 uint32_t ssrc, unsigned media,
					 bool rtx)
{
	struct rewrite_source *s, *quiet = r->source;
	uint32_t out = ssrc;

	for (s = r->source; s < r->source + r->sources; s++)
		if (s->at < quiet->at)
			quiet = s;
	while (sent_as(r, out))
		out++;
	if (r->sources < REWRITE_SOURCES_MAX)
		r->sources++;
	else if (now - quiet->at >= REWRITE_SILENT_MS)
		s = quiet;
	else
		return NULL;
	memset(s, 0, sizeof(*s));
	s->out = out;
	s->media = (uint8_t)media;
	s->rtx = rtx;
	begin_session(r, s, ssrc);
	return s;
}

static struct rewrite_source *add_source(struct rewrite *r, int64_t now,
					 uint32_t ssrc, unsigned media,
					 bool rtx)
{
	struct rewrite_source *s = before_it(r, media, rtx);

	if (!s)
		return new_source(r, now, ssrc, media, rtx);
	begin_session(r, s, ssrc);
	return s;
}

void rewrite_set_map(struct rewrite *r, const struct rewrite_map *m)
{
	const struct rewrite_told *t;

	r->map = *m;
	for (t = m->told; t < m->told + m->tolds; t++)
		if (!rewrite_source_in(r, t->ssrc) && !sent_as(r, t->ssrc))
			new_source(r, 0, t->ssrc, t->media, t->rtx);
}

/* --- a packet --------------------------------------------------------- */

static bool drop(struct rewrite *r, enum rewrite_count why)
{
	r->count[why]++;
	return false;
}

/* Elements that the receiver has no number for become padding, so does a
 * transport-wide number from before the first one of this session. False: the
 * packet is malformed. */
static bool renumber_extensions(struct rewrite *r, struct rtp_packet *p)
{
	struct rtp_packet_ext x = { 0 };
	uint16_t number;
	uint8_t id;
	int rc;

	while (!(rc = rtp_packet_ext_next(p, &x))) {
		id = r->map.ext[x.id];
		if (id && x.id == r->map.transport_cc) {
			if (x.len < 2 ||
			    !row_forward(&r->transport, (uint16_t)get16(x.data),
					 &number))
				id = 0;
			else
				put16(x.data, number);
		}
		if (!rtp_packet_ext_renumber(p, &x, id))
			r->count[REWRITE_N_EXTENSIONS]++;
	}
	return rc == ENODATA;
}

/* The only one whose packets this RTX source repeats; NULL: none, or nobody can
 * tell. */
static const struct rewrite_source *original(const struct rewrite *r,
					     const struct rewrite_source *rtx,
					     int64_t now)
{
	const struct rewrite_source *s, *found = NULL;

	for (s = r->source; s < r->source + r->sources; s++) {
		if (s->rtx || s->media != rtx->media ||
		    now - s->at >= REWRITE_SILENT_MS ||
		    !rewrite_source_current(r, s))
			continue;
		if (found && (found->offset != s->offset ||
			      (uint16_t)found->seq.offset !=
			      (uint16_t)s->seq.offset))
			return NULL;
		found = s;
	}
	return found;
}

/* RTX: the timestamp and the OSN are those of what it repeats (RFC 4588, 4).
 * What is only padding, to learn the bandwidth, repeats nothing; without it
 * transport-wide feedback would tell of a loss. */
static bool move_rtx(struct rewrite *r, struct rewrite_source *s, int64_t now,
		     struct rtp_packet *p)
{
	const struct rewrite_source *of = original(r, s, now);
	unsigned char *osn = p->bytes + p->payload_at;
	int64_t out;

	if (of)
		s->offset = of->offset;
	if (!p->payload_len)
		return true;
	if (!of)
		return drop(r, REWRITE_N_NO_ORIGINAL);
	if (p->payload_len < OSN_SIZE)
		return drop(r, REWRITE_N_MALFORMED);
	out = rewrite_near(of->seq.highest,
			   (uint16_t)(get16(osn) + of->seq.offset));
	if (out < of->seq.first)
		return drop(r, REWRITE_N_BEFORE);
	put16(osn, (uint16_t)out);
	return true;
}

/* The first packet of a stream that goes on is later than the last one by what
 * has passed, in its clock, and never the same picture. */
static void begin_timestamps(struct rewrite_source *s, int64_t now,
			     uint32_t clock, uint32_t in)
{
	uint64_t passed;

	if (!s->packets)
		return;
	passed = (uint64_t)(now - s->at) * clock / 1000;
	s->offset = s->timestamp + (uint32_t)(passed ? passed : 1) - in;
}

/* What is missing between two packets; one that comes late is not any more. A
 * jump is none of packets that were sent (RFC 3550, A.1). */
static void count_missing(struct rewrite *r, int64_t before, int64_t after)
{
	int64_t step = after - before;

	if (step <= MISSING_MAX)
		r->heard.missing += step - 1;
}

static bool move(struct rewrite *r, struct rewrite_source *s, int64_t now,
		 struct rtp_packet *p)
{
	uint32_t clock = r->map.type[p->type].clock;
	int64_t highest = s->seq.highest;
	bool begun = s->seq.begun;
	uint16_t seq;

	if (s->rtx) {
		if (!move_rtx(r, s, now, p))
			return false;
	} else if (!s->seq.begun) {
		begin_timestamps(s, now, clock, p->timestamp);
	}
	if (!row_forward(&s->seq, p->seq, &seq))
		return drop(r, REWRITE_N_BEFORE);
	if (begun)
		count_missing(r, highest, s->seq.highest);
	s->clock = clock;
	rtp_packet_set_seq(p, seq);
	rtp_packet_set_timestamp(p, p->timestamp + s->offset);
	rtp_packet_set_ssrc(p, s->out);
	if (s->seq.highest != highest) {
		s->timestamp = p->timestamp;
		s->at = now;
	}
	s->packets++;
	s->octets += (uint32_t)p->payload_len;
	return true;
}

/* The source of a packet. One that has not sent yet is of the stream that its
 * first packet is of, whatever was told. NULL: counted. */
static struct rewrite_source *source_of(struct rewrite *r, int64_t now,
					const struct rtp_packet *p)
{
	const struct rewrite_type *t = &r->map.type[p->type];
	bool rtx = t->apt != REWRITE_NO_APT;
	struct rewrite_source *s = rewrite_source_in(r, p->ssrc);

	if (!s)
		s = add_source(r, now, p->ssrc, t->media, rtx);
	if (!s) {
		drop(r, REWRITE_N_SOURCES);
		return NULL;
	}
	if (!s->packets) {
		s->media = t->media;
		s->rtx = rtx;
	}
	if (s->media == t->media && s->rtx == rtx)
		return s;
	drop(r, REWRITE_N_OTHER_STREAM);
	return NULL;
}

enum rewrite_media rewrite_media_of(const struct rewrite *r,
				    const void *packet)
{
	const unsigned char *bytes = packet;

	return r->map.type[bytes[1] % RTP_PACKET_TYPES].media;
}

bool rewrite_rtp(struct rewrite *r, int64_t now, void *packet, size_t len)
{
	struct rewrite_source *s;
	struct rtp_packet p;

	if (rtp_packet_read(packet, len, &p))
		return drop(r, REWRITE_N_MALFORMED);
	if (!r->map.type[p.type].clock)
		return drop(r, REWRITE_N_UNKNOWN_TYPE);
	s = source_of(r, now, &p);
	if (!s)
		return false;
	if (!move(r, s, now, &p))
		return false;
	if (!renumber_extensions(r, &p))
		return drop(r, REWRITE_N_MALFORMED);
	rtp_packet_set_type(&p, r->map.type[p.type].out);
	return true;
}

/* --- invariants ------------------------------------------------------- */

static void check_row(const struct rewrite_row *w)
{
	assert(w->highest >= 0 && w->first >= 0);
	assert(!w->begun || w->highest >= w->first);
	assert(!w->begun || w->highest);
}

void rewrite_check(const struct rewrite *r)
{
	const struct rewrite_source *s, *o;

	assert(r->sources <= REWRITE_SOURCES_MAX);
	check_row(&r->transport);
	for (s = r->source; s < r->source + r->sources; s++) {
		check_row(&s->seq);
		assert(s->session <= r->session);
		assert(s->media < REWRITE_MEDIA);
		for (o = r->source; o < s; o++) {
			assert(o->out != s->out);
			assert(o->in != s->in || o->session != s->session);
		}
	}
}
