/* rewrite_private.h: what rewrite.c and rewrite_rtcp.c share. */
#ifndef JINGLE_MEDIA_REWRITE_PRIVATE_H
#define JINGLE_MEDIA_REWRITE_PRIVATE_H

#include "jingle/media/rewrite.h"

/* The number with these 16 bits that is nearest to `highest`. */
int64_t rewrite_near(int64_t highest, uint16_t number);

/* Of an SSRC of the sender, in this session; NULL: none. */
struct rewrite_source *rewrite_source_in(struct rewrite *r, uint32_t ssrc);
/* Has its sender a packet of this session? Else feedback is about another. */
bool rewrite_source_current(const struct rewrite *r,
			    const struct rewrite_source *s);
#endif
