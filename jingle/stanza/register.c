/* register.c: in-band registration with a gateway (XEP-0077). */
#include "jingle/stanza/register.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/why.h"

int register_parse(const struct stanza *iq, enum register_action *action_r,
		   struct why *why)
{
	const struct xml_elem *query = xml_child(iq->elem, NS_REGISTER,
						 "query");
	const struct xml_elem *first = xml_child(query, NULL, NULL);
	bool set = !strcmp(iq->type, "set");

	if (!query || (!set && strcmp(iq->type, "get") != 0))
		return ENOENT;
	if (xml_next(query, NS_REGISTER, "query"))
		return why_bad(why, "More than one registration query.");
	*action_r = set ? REGISTER_SET : REGISTER_GET;
	if (!xml_child(query, NS_REGISTER, "remove"))
		return 0;
	if (!set || xml_next(first, NULL, NULL))
		return why_bad(why, "<remove/> must stand alone in a set.");
	*action_r = REGISTER_REMOVE;
	return 0;
}

void register_add_form(struct arena *a, struct xml_elem *iq,
		       const char *instructions, bool registered)
{
	struct xml_elem *query = xml_add(a, iq, NS_REGISTER, "query");

	if (registered)
		xml_add(a, query, NULL, "registered");
	xml_add_text(a, xml_add(a, query, NULL, "instructions"), instructions);
}
