/* reason.h: the <reason/> element that Jingle and JMI share. */
#ifndef JINGLE_STANZA_REASON_H
#define JINGLE_STANZA_REASON_H

#include "jingle/xml/elem.h"

struct reason {
	const char *condition;     /* NULL: no <reason/>, or an empty one */
	const char *text;          /* NULL: none */
};

/* Reads the first <reason/> of a jingle or JMI element, of either namespace
 * (old JMI clients let it inherit theirs). Never an error: an end must not
 * fail for its reason. An unknown condition is given as it is, one longer
 * than any sane name as "general-error". 0 or ENOMEM. */
int reason_read(struct arena *a, const struct xml_elem *parent,
		struct reason *r_r);

#endif
