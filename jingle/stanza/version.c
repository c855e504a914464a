/* version.c: software version (XEP-0092). */
#include "jingle/stanza/version.h"

#include "jingle/stanza/ns.h"

bool version_is_query(const struct xml_elem *iq)
{
	return xml_child(iq, NS_VERSION, "query") != NULL;
}

static void add_text(struct arena *a, struct xml_elem *query,
		     const char *name, const char *text)
{
	if (text)
		xml_add_text(a, xml_add(a, query, NULL, name), text);
}

void version_add(struct arena *a, struct xml_elem *iq, const char *name,
		 const char *version, const char *os)
{
	struct xml_elem *query = xml_add(a, iq, NS_VERSION, "query");

	add_text(a, query, "name", name);
	add_text(a, query, "version", version);
	add_text(a, query, "os", os);
}
