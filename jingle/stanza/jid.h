/* jid.h: XMPP addresses (RFC 7622 by RFC 6122's stringprep profiles, as
 * Prosody and ejabberd prepare them), and XEP-0106 escaping.
 */
#ifndef JINGLE_STANZA_JID_H
#define JINGLE_STANZA_JID_H

#include "jingle/xml/arena.h"

#define JID_MAX 3071               /* bytes of a full JID, RFC 7622, 3.1 */

/* A prepared address. Strings live in the arena it was parsed into. Absent
 * parts are NULL. Prepared addresses are equal iff their `full` are.
 * The domain may be the end of `bare`, the resource that of `full`. */
struct jid {
	const char *full;          /* node@domain/resource */
	const char *bare;          /* node@domain */
	const char *node;
	const char *domain;
	const char *resource;
};

/* Parses and prepares. 0; EBADMSG: not an address; ENOMEM. `*jid_r` is
 * zeroed on error. */
int jid_parse(struct arena *a, const char *text, struct jid *jid_r);
bool jid_equal(const struct jid *a, const struct jid *b);        /* full */
bool jid_bare_equal(const struct jid *a, const struct jid *b);
/* XEP-0106: escaped node of any text / text of an escaped node. NULL: no
 * memory, or (escape) the text cannot be a node (empty, blank at an end). */
char *jid_escape(struct arena *a, const char *text);
char *jid_unescape(struct arena *a, const char *node);

#endif
