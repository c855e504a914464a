/* why.h: the two reasons codecs give for not accepting a stanza. */
#ifndef JINGLE_STANZA_WHY_H
#define JINGLE_STANZA_WHY_H

#include "jingle/stanza/stanza.h"

/* Both fill *why (may be NULL); `text` must live as long as *why, NULL for
 * none. They return the errno of their case, to be returned in turn. */

/* <error type='modify'><bad-request/>: EBADMSG. */
int why_bad(struct why *why, const char *text);
/* <error type='modify'><policy-violation/>: EOVERFLOW. */
int why_over(struct why *why, const char *text);

#endif
