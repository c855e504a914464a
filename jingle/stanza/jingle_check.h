/* jingle_check.h: the insides of a <content/>, read by their codecs so that a
 * missing, doubled or blank attribute is refused here and never relayed to a
 * client that may not survive it.
 */
#ifndef JINGLE_STANZA_JINGLE_CHECK_H
#define JINGLE_STANZA_JINGLE_CHECK_H

#include "jingle/stanza/jingle.h"

/* `c` has its description and transport set. Namespaces other than RTP and
 * ICE-UDP pass unread. 0, EBADMSG and EOVERFLOW with *why, ENOMEM. */
int jingle_check_content(struct arena *a, enum jingle_action action,
			 const struct jingle_content *c, struct why *why);
/* The groups (XEP-0338) of <jingle/>. Likewise; an end is not looked at. */
int jingle_check_groups(struct arena *a, const struct jingle *j,
			struct why *why);

#endif
