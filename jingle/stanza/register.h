/* register.h: in-band registration with a gateway (XEP-0077, XEP-0100). Users
 * register without a password: who they are is the address they ask from.
 */
#ifndef JINGLE_STANZA_REGISTER_H
#define JINGLE_STANZA_REGISTER_H

#include "jingle/stanza/stanza.h"

enum register_action { REGISTER_GET, REGISTER_SET, REGISTER_REMOVE };

/* What an iq get or set asks. 0; ENOENT: no registration query; EBADMSG with
 * *why: several queries, or <remove/> beside other fields (XEP-0077, 3.2) or
 * in a get. Fields of a set are not read: none is needed. */
int register_parse(const struct stanza *iq, enum register_action *action_r,
		   struct why *why);
/* Appends the answer to a get: instructions, and <registered/> if so. */
void register_add_form(struct arena *a, struct xml_elem *iq,
		       const char *instructions, bool registered);

#endif
