/* delay.h: XEP-0203 delayed delivery, and XEP-0082 UTC times. */
#ifndef JINGLE_STANZA_DELAY_H
#define JINGLE_STANZA_DELAY_H

#include <stdint.h>
#include "jingle/xml/elem.h"

#define DELAY_TIME_SIZE 32         /* bytes of a formatted time with NUL */

/* `ms` since 1970 as "2026-11-21T06:34:48.123Z"; milliseconds are left out
 * when they are 0. Years 0 to 9999; times outside become the nearest end. */
void delay_format(int64_t ms, char out[DELAY_TIME_SIZE]);
/* Reads a XEP-0082 DateTime (fraction and zone optional as there). 0;
 * EBADMSG: not such a time, or no such date; `*ms_r` is untouched then. */
int delay_parse(const char *text, int64_t *ms_r);

/* Appends <delay from stamp>reason</delay>; from, reason NULL: left out. */
void delay_add(struct arena *a, struct xml_elem *message, const char *from,
	       int64_t ms, const char *reason);

#endif
