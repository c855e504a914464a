/* privilege.h: what a server without our module lets us read of its users
 * (XEP-0356): what it grants, and roster and block list, which are asked by
 * that. Pure.
 */
#ifndef MOD_PRIVATECALL_PRESENCE_PRIVILEGE_H
#define MOD_PRIVATECALL_PRESENCE_PRIVILEGE_H

#include "jingle/stanza/stanza.h"

/* What may be granted, of that which we use. */
enum {
	PRIVILEGE_ROSTER = 1,
	PRIVILEGE_PRESENCE = 2,
	PRIVILEGE_BLOCKS = 4       /* not in the older version */
};

/* A host says what it grants: a set of the above, maybe empty. False: the
 * message says nothing of that. */
bool privilege_read(const struct xml_elem *message, unsigned *granted_r);

/* An iq get from `domain` to `user`, bare, for his roster. NULL: no memory. */
struct xml_elem *privilege_ask_roster(struct arena *a, const char *id,
				      const char *domain, const char *user);
/* The same for his block list (XEP-0191). */
struct xml_elem *privilege_ask_blocks(struct arena *a, const char *id,
				      const char *domain, const char *user);
/* The answer has an item for `bare`, of whatever subscription. */
bool privilege_has_item(const struct xml_elem *iq, const char *bare);
/* The answer names `who`, a bare address, or his domain. */
bool privilege_is_blocked(const struct xml_elem *iq, const struct jid *who);

#endif
