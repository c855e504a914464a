/* address.h: which of our addresses stands for which user, and back
 * (product.md, "Addresses and ids").
 *
 *   bob@example.org     <->  bob@calls.example.org            first of hosts
 *   bob@other.org       <->  bob\40other.org@calls.example.org   any other
 *
 * The map is one to one: a contact address that another spelling stands for
 * already (bob\40example.org@calls.example.org) is none.
 */
#ifndef MOD_PRIVATECALL_PRESENCE_ADDRESS_H
#define MOD_PRIVATECALL_PRESENCE_ADDRESS_H

#include "jingle/stanza/jid.h"

struct gateway;

/* The contact address that stands for `user` (its resource is ignored); bare.
 * 0; EBADMSG: no user's address, or too long to be mapped; ENOMEM.
 * `*contact_r` is zeroed on error. */
int address_contact(struct arena *a, const struct gateway *g,
		    const struct jid *user, struct jid *contact_r);
/* The user that `contact` (its resource is ignored) stands for; bare; whether
 * there is such a user is not asked. 0; EBADMSG: not a contact address;
 * ENOMEM. `*user_r` is zeroed on error. */
int address_user(struct arena *a, const struct gateway *g,
		 const struct jid *contact, struct jid *user_r);
/* An address of our domain: the service or any contact. */
bool address_is_ours(const struct gateway *g, const struct jid *j);
/* An address of a domain listed in hosts. */
bool address_is_local(const struct gateway *g, const struct jid *j);

#endif
