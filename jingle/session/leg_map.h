/* leg_map.h: mode `room`: the numbers of what one user sends, and as the other
 * knows them (XEP-0167, XEP-0294, XEP-0339): what jingle/media/rewrite.h needs,
 * made of the descriptions that both gave.
 *
 * Each description says what its user receives, and with the same numbers he
 * sends (RFC 3264, 5.1, and what JSEP makes a must). A codec of one is the
 * other's when name, clock rate, channels and the parameters that decide
 * whether one can decode it are the same; RTX is by what it repeats.
 */
#ifndef JINGLE_SESSION_LEG_MAP_H
#define JINGLE_SESSION_LEG_MAP_H

#include "jingle/session/leg.h"
#include "jingle/stanza/rtp.h"

#define LEG_MAP_TYPES 128
#define LEG_MAP_EXTS 256
#define LEG_MAP_TOLDS 16
#define LEG_MAP_NO_APT 255

struct leg_map {
	struct {
		uint32_t clock;    /* Hz; 0: it does not pass */
		uint8_t out;       /* the other's number */
		uint8_t apt;       /* it is RTX of this one; LEG_MAP_NO_APT */
		bool video;
	} type[LEG_MAP_TYPES];
	uint8_t ext[LEG_MAP_EXTS]; /* the other's; 0: it does not pass */
	uint8_t transport_cc;      /* number in ext[]; 0: not of both */
	unsigned tolds;
	struct {                   /* SSRCs that the other was told of */
		uint32_t ssrc;
		bool video, rtx;
	} told[LEG_MAP_TOLDS];
};

/* Of what `from` sends to `to` of the contents at home on transport `number`;
 * with his SSRCs, if `told`. NULL: no memory. */
struct leg_map *leg_map(const struct leg *from, const struct leg *to,
			int number, bool told, struct arena *a);

/* In `d`, the payload type that is the same as `p` of `of`; NULL: none. RTX:
 * the first that is of the same codec. */
const struct rtp_payload *leg_map_same(const struct rtp_description *of,
				       const struct rtp_payload *p,
				       const struct rtp_description *d);
/* In `d`, the number of the header extension `uri`; 0: none. */
uint32_t leg_map_ext(const struct rtp_description *d, const char *uri);
bool leg_map_is_transport_cc(const char *uri);

#endif
