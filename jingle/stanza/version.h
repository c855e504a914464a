/* version.h: software version (XEP-0092). */
#ifndef JINGLE_STANZA_VERSION_H
#define JINGLE_STANZA_VERSION_H

#include "jingle/xml/elem.h"

bool version_is_query(const struct xml_elem *iq);
/* Appends the answer to an iq result; os NULL: left out. */
void version_add(struct arena *a, struct xml_elem *iq, const char *name,
		 const char *version, const char *os);

#endif
