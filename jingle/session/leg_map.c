/* leg_map.c: which numbers of two descriptions are the same (see leg_map.h).
 *
 * What is wrong in a description passes nothing: peers wrote it.
 */
#include "jingle/session/leg_map.h"
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/source.h"
#include "jingle/stanza/text.h"

#define EXT "urn:ietf:params:rtp-hdrext:"
#define TRANSPORT_CC "http://www.ietf.org/id/draft-holmer-rmcat-transport-" \
	"wide-cc-extensions-01"

/* --- codecs ----------------------------------------------------------- */

/* Those with a number of their own (RFC 3551, 6). */
static const struct {
	const char *name;
	uint32_t id;
} statics[] = {
	{ "PCMU", 0 }, { "GSM", 3 }, { "PCMA", 8 }, { "G722", 9 },
	{ "CN", 13 }, { "G729", 18 },
};

/* "": its number alone says what it is. */
static const char *name_of(const struct rtp_payload *p)
{
	size_t i;

	if (p->name)
		return p->name;
	for (i = 0; i < sizeof(statics) / sizeof(statics[0]); i++)
		if (statics[i].id == p->id)
			return statics[i].name;
	return "";
}

static bool is_named(const struct rtp_payload *p, const char *name)
{
	return strcasecmp(name_of(p), name) == 0;
}

/* Some leave out what everybody knows. */
static uint32_t clock_of(const struct rtp_description *d,
			 const struct rtp_payload *p)
{
	if (p->clockrate)
		return p->clockrate;
	if (is_named(p, "opus"))
		return 48000;
	return str_eq(d->media, "video") ? 90000 : 8000;
}

static const char *parameter(const struct rtp_payload *p, const char *name)
{
	unsigned i;

	for (i = 0; i < p->parameters; i++)
		if (p->parameter[i].name && p->parameter[i].value &&
		    strcasecmp(p->parameter[i].name, name) == 0)
			return p->parameter[i].value;
	return NULL;
}

static uint32_t number(const struct rtp_payload *p, const char *name)
{
	const char *value = parameter(p, name);
	uint32_t n;

	return value && !text_number(value, UINT32_MAX, &n) ? n : 0;
}

/* The profile of H.264 (RFC 6184, 8.1): several words mean the constrained
 * baseline, which every client has. 0: none that anybody could read. */
static unsigned h264_profile(const struct rtp_payload *p)
{
	const char *value = parameter(p, "profile-level-id");
	unsigned idc, iop, word;

	if (!value)
		value = "42000a";
	if (strlen(value) != 6 ||
	    value[strspn(value, "0123456789abcdefABCDEF")])
		return 0;
	/* Without the level, in which two may differ. */
	word = (unsigned)strtoul(value, NULL, 16) >> 8;
	idc = word >> 8;
	iop = word & 0xff;
	if ((idc == 0x42 && iop & 0x40) || (idc == 0x4d && iop & 0x80) ||
	    (idc == 0x58 && (iop & 0xc0) == 0xc0))
		return 0x42e0;
	if (idc == 0x42 || idc == 0x4d)
		return word & 0xff00;
	return word;
}

static bool same_parameters(const struct rtp_payload *a,
			    const struct rtp_payload *b)
{
	if (is_named(a, "H264"))
		return h264_profile(a) && h264_profile(a) == h264_profile(b) &&
		       number(a, "packetization-mode") ==
		       number(b, "packetization-mode");
	if (is_named(a, "VP9"))
		return number(a, "profile-id") == number(b, "profile-id");
	if (is_named(a, "AV1"))
		return number(a, "profile") == number(b, "profile");
	return true;
}

static bool same_name(const struct rtp_payload *a, const struct rtp_payload *b)
{
	return is_named(a, name_of(b)) && (*name_of(b) || a->id == b->id);
}

static bool same_codec(const struct rtp_description *da,
		       const struct rtp_payload *a,
		       const struct rtp_description *db,
		       const struct rtp_payload *b)
{
	/* Opus is of two channels whatever is said (RFC 7587, 7). */
	return same_name(a, b) && clock_of(da, a) == clock_of(db, b) &&
	       (a->channels == b->channels || is_named(a, "opus")) &&
	       same_parameters(a, b);
}

static const struct rtp_payload *by_id(const struct rtp_description *d,
				       uint32_t id)
{
	unsigned i;

	for (i = 0; i < d->payloads; i++)
		if (d->payload[i].id == id)
			return &d->payload[i];
	return NULL;
}

/* What RTX repeats; NULL: nothing, as it should not be. */
static const struct rtp_payload *apt_of(const struct rtp_description *d,
					const struct rtp_payload *p)
{
	const struct rtp_payload *of = parameter(p, "apt") ?
		by_id(d, number(p, "apt")) : NULL;

	return of && !is_named(of, "rtx") ? of : NULL;
}

static const struct rtp_payload *same_rtx(const struct rtp_description *of,
					  const struct rtp_payload *p,
					  const struct rtp_description *d)
{
	const struct rtp_payload *apt = apt_of(of, p), *same, *repeats;
	unsigned i;

	same = apt ? leg_map_same(of, apt, d) : NULL;
	for (i = 0; same && i < d->payloads; i++) {
		if (!is_named(&d->payload[i], "rtx"))
			continue;
		repeats = apt_of(d, &d->payload[i]);
		if (repeats && repeats->id == same->id)
			return &d->payload[i];
	}
	return NULL;
}

const struct rtp_payload *leg_map_same(const struct rtp_description *of,
				       const struct rtp_payload *p,
				       const struct rtp_description *d)
{
	unsigned i;

	if (is_named(p, "rtx"))
		return same_rtx(of, p, d);
	for (i = 0; i < d->payloads; i++)
		if (same_codec(of, p, d, &d->payload[i]))
			return &d->payload[i];
	return NULL;
}

/* With rtcp-mux numbers from 64 to 95 would be RTCP (RFC 5761, 4). */
static bool is_usable(uint32_t id)
{
	return id < 64 || id > 95;
}

/* Another one that has this number on the other side, of another stream. */
static bool is_taken(const struct leg_map *m, uint32_t out, bool video,
		     bool rtx)
{
	unsigned i;

	for (i = 0; i < LEG_MAP_TYPES; i++)
		if (m->type[i].clock && m->type[i].out == out &&
		    (m->type[i].video != video ||
		     (m->type[i].apt != LEG_MAP_NO_APT) != rtx))
			return true;
	return false;
}

static void map_payload(struct leg_map *m, const struct rtp_description *from,
			const struct rtp_payload *p,
			const struct rtp_description *to)
{
	const struct rtp_payload *out = leg_map_same(from, p, to), *apt = NULL;
	bool video = str_eq(from->media, "video"), rtx = is_named(p, "rtx");

	if (rtx)
		apt = apt_of(from, p);
	if (!out || !is_usable(p->id) || !is_usable(out->id) ||
	    m->type[p->id].clock || is_taken(m, out->id, video, rtx))
		return;
	if (apt && (!m->type[apt->id].clock ||
		    m->type[apt->id].apt != LEG_MAP_NO_APT ||
		    m->type[apt->id].video != video))
		return;
	m->type[p->id].clock = clock_of(from, p);
	m->type[p->id].out = (uint8_t)out->id;
	m->type[p->id].video = video;
	m->type[p->id].apt = apt ? (uint8_t)apt->id : LEG_MAP_NO_APT;
}

static void map_payloads(struct leg_map *m, const struct rtp_description *from,
			 const struct rtp_description *to, bool rtx)
{
	unsigned i;

	for (i = 0; i < from->payloads; i++)
		if (is_named(&from->payload[i], "rtx") == rtx)
			map_payload(m, from, &from->payload[i], to);
}

/* --- header extensions -------------------------------------------------- */

uint32_t leg_map_ext(const struct rtp_description *d, const char *uri)
{
	unsigned i;

	for (i = 0; i < d->hdrexts; i++)
		if (strcmp(d->hdrext[i].uri, uri) == 0)
			return d->hdrext[i].id;
	return 0;
}

/* The layer of a simulcast, which nobody was told of. */
static bool is_rid(const char *uri)
{
	return strcmp(uri, EXT "sdes:rtp-stream-id") == 0 ||
	       strcmp(uri, EXT "sdes:repaired-rtp-stream-id") == 0;
}

bool leg_map_is_transport_cc(const char *uri)
{
	return strcmp(uri, TRANSPORT_CC) == 0;
}

struct exts {
	bool same_names;
	bool apart;                /* contents with numbers of their own */
	bool seen[LEG_MAP_EXTS];
	bool two[LEG_MAP_EXTS];    /* apart, a number that is not the same one
				      for all: nobody knows which it is */
};

/* 0: it does not pass. */
static uint32_t ext_out(const struct rtp_description *to,
			const struct exts *how, const struct rtp_hdrext *h)
{
	uint32_t out = leg_map_ext(to, h->uri);

	if (out >= LEG_MAP_EXTS || is_rid(h->uri) ||
	    (strcmp(h->uri, EXT "sdes:mid") == 0 && !how->same_names) ||
	    (how->apart && leg_map_is_transport_cc(h->uri)))
		return 0;
	return out;
}

static void map_exts(struct leg_map *m, const struct rtp_description *from,
		     const struct rtp_description *to, struct exts *how)
{
	const struct rtp_hdrext *h;
	unsigned i;
	uint32_t out;

	for (i = 0; i < from->hdrexts; i++) {
		h = &from->hdrext[i];
		if (h->id >= LEG_MAP_EXTS)
			continue;
		out = ext_out(to, how, h);
		if (how->apart && how->seen[h->id] && m->ext[h->id] != out)
			how->two[h->id] = true;
		how->seen[h->id] = true;
		if (how->two[h->id])
			out = m->ext[h->id] = 0;
		if (!out || m->ext[h->id])
			continue;
		m->ext[h->id] = (uint8_t)out;
		if (leg_map_is_transport_cc(h->uri))
			m->transport_cc = (uint8_t)h->id;
	}
}

/* --- SSRCs ------------------------------------------------------------ */

static bool is_repair(const struct source_list *l, uint32_t ssrc)
{
	unsigned i;

	for (i = 0; i < l->groups; i++)
		if (str_eq(l->group[i].semantics, "FID") &&
		    l->group[i].ssrcs == 2 && l->group[i].ssrc[1] == ssrc)
			return true;
	return false;
}

static void tell_sources(struct leg_map *m, const struct rtp_description *from,
			 struct arena *a)
{
	struct source_list l;
	struct why why;
	unsigned i;

	if (source_parse(a, from->elem, &l, &why))
		return;
	for (i = 0; i < l.sources && m->tolds < LEG_MAP_TOLDS; i++) {
		m->told[m->tolds].ssrc = l.source[i].ssrc;
		m->told[m->tolds].video = str_eq(from->media, "video");
		m->told[m->tolds].rtx = is_repair(&l, l.source[i].ssrc);
		m->tolds++;
	}
}

/* Both users' clients write it alike, into packets (RFC 8843, 9). */
static bool is_called_alike(const struct leg_content *c, const struct leg *to)
{
	const struct leg_content *other = leg_find_content(to, c->name);

	return str_eq(c->his ? c->his : c->name,
		      other->his ? other->his : other->name);
}

/* --- a transport ------------------------------------------------------ */

struct leg_map *leg_map(const struct leg *from, const struct leg *to,
			int number, bool told, struct arena *a)
{
	struct leg_map *m = arena_alloc(a, sizeof(*m));
	struct rtp_description his, other;
	const struct leg_content *c;
	struct exts how = {
		.apart = leg_is_apart(from, number) ||
			 leg_is_apart(to, number),
	};
	int err;

	for (c = from->contents; m && c; c = c->next) {
		if (leg_home(from, c->name) != number)
			continue;
		err = leg_says(from, c->name, &his, a);
		if (!err)
			err = leg_says(to, c->name, &other, a);
		if (err == ENOMEM)
			return NULL;
		if (err || !str_eq(his.media, other.media) ||
		    (!str_eq(his.media, "audio") &&
		     !str_eq(his.media, "video")))
			continue;
		/* RTX after what it repeats. */
		map_payloads(m, &his, &other, false);
		map_payloads(m, &his, &other, true);
		how.same_names = is_called_alike(c, to);
		map_exts(m, &his, &other, &how);
		if (told)
			tell_sources(m, &his, a);
	}
	return m;
}
