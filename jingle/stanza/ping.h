/* ping.h: XMPP ping (XEP-0199); the answer is a bare iq result. */
#ifndef JINGLE_STANZA_PING_H
#define JINGLE_STANZA_PING_H

#include "jingle/xml/elem.h"

bool ping_is(const struct xml_elem *iq);
struct xml_elem *ping_new(struct arena *a, const char *id, const char *from,
			  const char *to);

#endif
