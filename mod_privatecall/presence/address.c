/* address.c: user <-> contact address, by XEP-0106 escaping. */
#include "mod_privatecall/presence/address.h"

#include <errno.h>
#include <string.h>

#include "mod_privatecall/presence/gateway_private.h"

bool address_is_ours(const struct gateway *g, const struct jid *j)
{
	return j->domain && !strcmp(j->domain, g->domain);
}

bool address_is_local(const struct gateway *g, const struct jid *j)
{
	for (char **host = g->hosts; *host; host++)
		if (j->domain && !strcmp(j->domain, *host))
			return true;
	return false;
}

/* The one spelling of a user's contact. */
static int spell(struct arena *a, const struct gateway *g,
		 const struct jid *user, struct jid *contact_r)
{
	const char *text, *node, *bare;
	int rc;

	memset(contact_r, 0, sizeof(*contact_r));
	if (!user->node || !g->hosts[0] || address_is_ours(g, user))
		return EBADMSG;
	text = strcmp(user->domain, g->hosts[0]) != 0 ? user->bare :
	       user->node;
	node = jid_escape(a, text);
	bare = arena_join(a, node ? node : "", "@", g->domain);
	if (arena_failed(a))
		return ENOMEM;
	if (!node)
		return EBADMSG;
	rc = jid_parse(a, bare, contact_r);
	if (!rc && strcmp(contact_r->full, bare) != 0)
		rc = EBADMSG;          /* escaping met the profile's mapping */
	if (rc)
		memset(contact_r, 0, sizeof(*contact_r));
	return rc;
}

static int read_user(struct arena *a, const struct gateway *g,
		     const struct jid *contact, struct jid *user_r)
{
	const char *text, *bare;
	int rc;

	memset(user_r, 0, sizeof(*user_r));
	if (!contact->node || !g->hosts[0] || !address_is_ours(g, contact))
		return EBADMSG;
	text = jid_unescape(a, contact->node);
	if (!text)
		return ENOMEM;
	bare = strchr(text, '@') ? text :
	       arena_join(a, text, "@", g->hosts[0]);
	if (!bare)
		return ENOMEM;
	rc = jid_parse(a, bare, user_r);
	if (!rc && (!user_r->node || strcmp(user_r->full, bare) != 0))
		rc = EBADMSG;
	if (rc)
		memset(user_r, 0, sizeof(*user_r));
	return rc;
}

int address_contact(struct arena *a, const struct gateway *g,
		    const struct jid *user, struct jid *contact_r)
{
	struct jid back;
	int rc = spell(a, g, user, contact_r);

	if (!rc)
		rc = read_user(a, g, contact_r, &back);
	if (!rc && !jid_bare_equal(user, &back))
		rc = EBADMSG;
	if (rc)
		memset(contact_r, 0, sizeof(*contact_r));
	return rc;
}

int address_user(struct arena *a, const struct gateway *g,
		 const struct jid *contact, struct jid *user_r)
{
	struct jid back;
	int rc = read_user(a, g, contact, user_r);

	if (!rc)
		rc = spell(a, g, user_r, &back);
	if (!rc && !jid_bare_equal(contact, &back))
		rc = EBADMSG;
	if (rc)
		memset(user_r, 0, sizeof(*user_r));
	return rc;
}
