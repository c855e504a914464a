/* privilege.c: the elements of XEP-0356 (see privilege.h).
 *
 * Namespaces and forms are those of the two servers' modules: ejabberd 23.01
 * has the older version, without iq; Prosody's mod_privilege the newer one, and
 * nests the namespaces of an iq permission in each other.
 */
#include "mod_privatecall/presence/privilege.h"

#include <string.h>

#include "jingle/stanza/ns.h"

static bool is_one_of(const char *word, const char *a, const char *b)
{
	return word && (!strcmp(word, a) || !strcmp(word, b));
}

/* A <namespace/> in `e`, or in one of those, lets us get block lists. */
static bool gets_blocks(const struct xml_elem *e, const char *ns)
{
	const struct xml_elem *n = xml_child(e, ns, "namespace");
	const char *what;

	while (n) {
		what = xml_get(n, "ns");
		if (what && !strcmp(what, NS_BLOCKING))
			return is_one_of(xml_get(n, "type"), "get", "both");
		e = xml_child(n, ns, "namespace");
		n = e ? e : xml_next(n, ns, "namespace");
	}
	return false;
}

static unsigned read_perm(const struct xml_elem *perm, const char *ns)
{
	const char *access = xml_get(perm, "access");
	const char *type = xml_get(perm, "type");

	if (!access)
		return 0;
	if (!strcmp(access, "roster") && is_one_of(type, "get", "both"))
		return PRIVILEGE_ROSTER;
	if (!strcmp(access, "presence") &&
	    is_one_of(type, "managed_entity", "roster"))
		return PRIVILEGE_PRESENCE;
	if (!strcmp(access, "iq") && gets_blocks(perm, ns))
		return PRIVILEGE_BLOCKS;
	return 0;
}

bool privilege_read(const struct xml_elem *message, unsigned *granted_r)
{
	static const char *const versions[] = { NS_PRIVILEGE_2,
						NS_PRIVILEGE_1 };
	const struct xml_elem *e = NULL, *perm;
	const char *ns = NULL;
	size_t i;

	*granted_r = 0;
	for (i = 0; !e && i < sizeof(versions) / sizeof(versions[0]); i++) {
		ns = versions[i];
		e = xml_child(message, ns, "privilege");
	}
	for (perm = xml_child(e, ns, "perm"); perm;
	     perm = xml_next(perm, ns, "perm"))
		*granted_r |= read_perm(perm, ns);
	return e;
}

struct xml_elem *privilege_ask_roster(struct arena *a, const char *id,
				      const char *domain, const char *user)
{
	struct xml_elem *iq = stanza_new(a, STANZA_IQ, "get", id, domain,
					 user);

	return xml_add(a, iq, NS_ROSTER, "query") ? iq : NULL;
}

struct xml_elem *privilege_ask_blocks(struct arena *a, const char *id,
				      const char *domain, const char *user)
{
	struct xml_elem *iq = stanza_new(a, STANZA_IQ, "get", id, domain,
					 user);
	struct xml_elem *e = xml_add(a, iq, NS_PRIVILEGE_2, "privileged_iq");

	e = xml_add(a, e, NS_CLIENT, "iq");
	xml_set(a, e, "type", "get");
	xml_set(a, e, "id", id);
	return xml_add(a, e, NS_BLOCKING, "blocklist") ? iq : NULL;
}

bool privilege_has_item(const struct xml_elem *iq, const char *bare)
{
	const struct xml_elem *query = xml_child(iq, NS_ROSTER, "query"), *e;
	const char *jid;

	for (e = xml_child(query, NS_ROSTER, "item"); e;
	     e = xml_next(e, NS_ROSTER, "item")) {
		jid = xml_get(e, "jid");
		if (jid && !strcmp(jid, bare))
			return true;
	}
	return false;
}

bool privilege_is_blocked(const struct xml_elem *iq, const struct jid *who)
{
	const struct xml_elem *e = xml_child(iq, NS_PRIVILEGE_2, "privilege");
	const char *jid;

	e = xml_child(xml_child(e, NS_FORWARD, "forwarded"), NS_CLIENT, "iq");
	e = xml_child(e, NS_BLOCKING, "blocklist");
	for (e = xml_child(e, NS_BLOCKING, "item"); e;
	     e = xml_next(e, NS_BLOCKING, "item")) {
		jid = xml_get(e, "jid");
		if (is_one_of(jid, who->bare, who->domain))
			return true;
	}
	return false;
}
