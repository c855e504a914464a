/* fuzz_rewrite.c: mode `room`, a byte an event. Of half the inputs a story of
 * tests/unit/rewrite_test.h, judged by its books. Of the others any packet of
 * either side, maps and switches between them: what goes on is well-formed and
 * in the receiver's numbers, what does not is counted, and nothing is read or
 * written beyond a packet.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/rewrite_test.h"

#define PACKET_MAX 255

struct room {
	const uint8_t *at, *end;
	int64_t now;
	struct rewrite side[2];
	struct rewrite_map map[2];
};

static unsigned next(struct room *m)
{
	return m->at < m->end ? *m->at++ : 0;
}

static uint64_t counted(const struct rewrite *r)
{
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i < REWRITE_COUNTS; i++)
		sum += r->count[i];
	return sum;
}

/* A type, an extension or an SSRC more; only what media would take. */
static void change_map(struct room *m, unsigned side)
{
	struct rewrite_map *map = &m->map[side], before = *map;
	unsigned what = next(m), in = next(m), out = next(m);
	struct rewrite_told *t = &map->told[map->tolds % REWRITE_SOURCES_MAX];
	const char *why;

	switch (what & 3) {
	case 0:
		map->ext[in] = (uint8_t)out;
		map->transport_cc = what & 4 ? (uint8_t)in : 0;
		break;
	case 1:
		t->ssrc = in * 0x01010101u;
		t->media = (uint8_t)((out & 1) + (out >> 7));
		t->rtx = out >> 1 & 1;
		map->tolds++;
		break;
	default:
		map->type[in & 127] = (struct rewrite_type){
			.clock = what & 4 ? 90000 : what >> 3,
			.out = (uint8_t)out,
			.media = (uint8_t)((what >> 4 & 1) + (what >> 7)),
			.apt = what & 32 ? (uint8_t)next(m) : REWRITE_NO_APT,
		};
		break;
	}
	if (rewrite_map_check(map, &why)) {
		assert(why);
		*map = before;
	}
	rewrite_set_map(&m->side[side], map);
}

static void any_rtp(struct rewrite *r, int64_t now, const uint8_t *data,
		    size_t len)
{
	struct rtp_packet was, is;
	uint64_t before = counted(r);
	unsigned char *b = malloc(len ? len : 1);
	unsigned i, known = 0;

	assert(b);
	memcpy(b, data, len);
	if (len >= 2)
		assert(rewrite_media_of(r, b) ==
		       r->map.type[data[1] & 127].media);
	if (rewrite_rtp(r, now, b, len)) {
		assert(!rtp_packet_read(b, len, &is));
		assert(is.type == r->map.type[data[1] & 127].out);
		for (i = 0; i < r->sources; i++)
			known += r->source[i].out == is.ssrc;
		assert(known == 1);
		memcpy(b, data, len);
		assert(!rtp_packet_read(b, len, &was));
		assert(was.payload_at == is.payload_at);
		assert(was.payload_len == is.payload_len);
	} else {
		assert(counted(r) > before);
	}
	free(b);
}

static void any_packet(struct room *m, unsigned side, bool rtcp, bool more)
{
	size_t len = next(m);
	unsigned char b[PACKET_MAX + REWRITE_RTCP_MORE];

	if (len > (size_t)(m->end - m->at))
		len = (size_t)(m->end - m->at);
	if (rtcp) {
		memcpy(b, m->at, len);
		give_rtcp(&m->side[side], &m->side[!side], m->now, b, len,
			  more ? REWRITE_RTCP_MORE : 0);
	} else {
		any_rtp(&m->side[side], m->now, m->at, len);
	}
	m->at += len;
}

static void any_event(struct room *m)
{
	unsigned kind = next(m), side = kind >> 3 & 1, i;
	unsigned char own[REWRITE_PLI_MAX];
	size_t n;

	switch (kind & 7) {
	case 0:
		change_map(m, side);
		break;
	case 1:
		m->map[side].tolds = 0;
		rewrite_switch(&m->side[side]);
		if (kind & 16) {
			rewrite_init(&m->side[!side], CNAME);
			rewrite_set_map(&m->side[!side], &m->map[!side]);
		}
		break;
	case 2:
		m->now += kind & 16 ? 20 : 10000;
		n = rewrite_pli(&m->side[side], &m->side[!side], own);
		assert(n <= sizeof(own) && (!n || !rtcp_packet_check(own, n)));
		break;
	case 3:
	case 4:
		any_packet(m, side, true, kind & 16);
		break;
	default:
		any_packet(m, side, false, false);
		break;
	}
	for (i = 0; i < 2; i++)
		rewrite_check(&m->side[i]);
}

static void any_room(const uint8_t *data, size_t size)
{
	static struct room m;
	unsigned n = 0, i, k;

	memset(&m, 0, sizeof(m));
	m.at = data;
	m.end = data + size;
	m.now = 1000;
	for (i = 0; i < 2; i++) {
		rewrite_init(&m.side[i], CNAME);
		for (k = 0; k < RTP_PACKET_TYPES; k++)
			m.map[i].type[k].apt = REWRITE_NO_APT;
	}
	while (m.at < m.end && n++ < STORY_EVENTS_MAX)
		any_event(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct story st;

	if (size && data[0] & 1)
		any_room(data + 1, size - 1);
	else if (size)
		story_run(&st, data + 1, size - 1);
	return 0;
}
