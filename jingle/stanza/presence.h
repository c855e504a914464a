/* presence.h: what a presence stanza says of its sender (RFC 6121, 4.7),
 * with idle time (XEP-0319) and caps (XEP-0115).
 */
#ifndef JINGLE_STANZA_PRESENCE_H
#define JINGLE_STANZA_PRESENCE_H

#include <stdint.h>
#include "jingle/stanza/disco.h"

enum presence_show { PRESENCE_ONLINE, PRESENCE_AWAY, PRESENCE_CHAT,
		     PRESENCE_DND, PRESENCE_XA };

struct presence_info {
	enum presence_show show;
	int priority;              /* -128 to 127; 0 when not said */
	bool idle;                 /* has a valid <idle/> */
	int64_t idle_since;        /* ms since 1970, if idle */
	bool has_caps;
	struct caps caps;          /* if has_caps */
	bool delayed;              /* has a <delay/>: not sent just now */
};

/* Reads an available presence (the caller knows its type). Tolerant, because
 * there is no one to answer: an unknown show is PRESENCE_ONLINE (RFC 6121,
 * 4.7.2.1), a priority outside its range or no number is the nearest value
 * or 0, a bad idle time or caps is none. 0 or ENOMEM. */
int presence_read(struct arena *a, const struct xml_elem *presence,
		  struct presence_info *p_r);
/* Word of a show: "online" (which is no <show/> on the wire), "away" ... */
const char *presence_show_name(enum presence_show show);

#endif
