/* ping.c: XMPP ping (XEP-0199). */
#include "jingle/stanza/ping.h"

#include "jingle/stanza/ns.h"
#include "jingle/stanza/stanza.h"

bool ping_is(const struct xml_elem *iq)
{
	return xml_child(iq, NS_PING, "ping") != NULL;
}

struct xml_elem *ping_new(struct arena *a, const char *id, const char *from,
			  const char *to)
{
	struct xml_elem *iq = stanza_new(a, STANZA_IQ, "get", id, from, to);

	xml_add(a, iq, NS_PING, "ping");
	return iq;
}
