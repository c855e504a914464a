/* ice_udp.c: the ICE-UDP <transport/> (XEP-0176). */
#include "jingle/stanza/ice_udp.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

#define COMPONENT_MAX 256
#define PORT_MAX 65535

static const char *const type_names[] = {
	[ICE_HOST] = "host",
	[ICE_SRFLX] = "srflx",
	[ICE_PRFLX] = "prflx",
	[ICE_RELAY] = "relay",
};

static int read_type(struct ice_candidate *c, struct why *why)
{
	const char *type = xml_get(c->elem, "type");

	for (int i = ICE_HOST; type && i <= ICE_RELAY; i++) {
		if (!strcmp(type, type_names[i])) {
			c->type = (enum ice_type)i;
			return 0;
		}
	}
	return why_bad(why, "<candidate/> needs 'type': host, srflx, prflx "
		       "or relay.");
}

static bool equal_any_case(const char *s, const char *lower)
{
	for (; *s && *lower; s++, lower++) {
		char c = *s;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c != *lower)
			return false;
	}
	return *s == *lower;
}

static int read_protocol(struct ice_candidate *c, struct why *why)
{
	const char *protocol = xml_get(c->elem, "protocol");

	if (!text_token(protocol, ICE_FOUNDATION_MAX))
		return why_bad(why, "<candidate/> needs 'protocol', as udp.");
	c->protocol = equal_any_case(protocol, "udp") ? ICE_UDP :
		      equal_any_case(protocol, "tcp") ? ICE_TCP : ICE_OTHER;
	c->tcptype = xml_get(c->elem, "tcptype");
	if (c->tcptype && !text_token(c->tcptype, ICE_FOUNDATION_MAX))
		return why_bad(why, "Attribute 'tcptype' of <candidate/>: "
			       "expected active, passive or so.");
	return 0;
}

static int read_address(struct ice_candidate *c, struct why *why)
{
	size_t len;

	c->ip = xml_get(c->elem, "ip");
	if (!text_token(c->ip, ICE_HOST_MAX))
		return why_bad(why, "<candidate/> needs 'ip'.");
	len = strlen(c->ip);
	c->mdns = len > 6 && equal_any_case(c->ip + len - 6, ".local");
	if (text_number(xml_get(c->elem, "port"), PORT_MAX, &c->port))
		return why_bad(why, "<candidate/> needs 'port', 0 to 65535.");
	return 0;
}

static int read_related(struct ice_candidate *c, struct why *why)
{
	const char *port = xml_get(c->elem, "rel-port");

	c->rel_addr = xml_get(c->elem, "rel-addr");
	if (c->rel_addr && !text_token(c->rel_addr, ICE_HOST_MAX))
		return why_bad(why, "Attribute 'rel-addr' of <candidate/> is "
			       "no address.");
	if (port && text_number(port, PORT_MAX, &c->rel_port))
		return why_bad(why, "Attribute 'rel-port' of <candidate/>: "
			       "expected 0 to 65535.");
	return 0;
}

/* Those that need not be there, but if there, not blank. */
static int read_optional(struct ice_candidate *c, struct why *why)
{
	c->id = xml_get(c->elem, "id");
	c->generation = xml_get(c->elem, "generation");
	c->network = xml_get(c->elem, "network");
	if ((c->id && text_blank(c->id)) ||
	    (c->generation && text_blank(c->generation)) ||
	    (c->network && text_blank(c->network)))
		return why_bad(why, "Attribute 'id', 'generation' or "
			       "'network' of <candidate/> is blank.");
	return 0;
}

static int read_candidate(struct ice_candidate *c, struct why *why)
{
	int err;

	if (text_number(xml_get(c->elem, "component"), COMPONENT_MAX,
			&c->component) || !c->component)
		return why_bad(why, "<candidate/> needs 'component', 1 to "
			       "256.");
	c->foundation = xml_get(c->elem, "foundation");
	if (!text_token(c->foundation, ICE_FOUNDATION_MAX))
		return why_bad(why, "<candidate/> needs 'foundation'.");
	if (text_number(xml_get(c->elem, "priority"), UINT32_MAX,
			&c->priority))
		return why_bad(why, "<candidate/> needs 'priority', a 32-bit "
			       "number.");
	err = read_address(c, why);
	if (!err)
		err = read_protocol(c, why);
	if (!err)
		err = read_type(c, why);
	if (!err)
		err = read_related(c, why);
	if (!err)
		err = read_optional(c, why);
	return err;
}

static int read_credentials(struct ice_transport *t, struct why *why)
{
	t->ufrag = xml_get(t->elem, "ufrag");
	t->pwd = xml_get(t->elem, "pwd");
	if (t->ufrag && !text_token(t->ufrag, ICE_UFRAG_MAX))
		return why_bad(why, "Attribute 'ufrag' of <transport/> is "
			       "blank or no ICE ufrag.");
	if (t->pwd && !text_token(t->pwd, ICE_PWD_MAX))
		return why_bad(why, "Attribute 'pwd' of <transport/> is blank "
			       "or no ICE password.");
	return 0;
}

static int read_candidates(struct arena *a, struct ice_transport *t,
			   struct why *why)
{
	struct xml_elem *e = xml_child(t->elem, NS_ICE_UDP, "candidate");
	unsigned n = 0;
	int err;

	for (const struct xml_elem *c = e; c;
	     c = xml_next(c, NS_ICE_UDP, "candidate"))
		n++;
	if (n > ICE_CANDIDATES_MAX)
		return why_over(why, "More than 128 candidates in a "
				"<transport/>.");
	if (!n)
		return 0;
	t->candidate = arena_alloc(a, n * sizeof(*t->candidate));
	if (!t->candidate)
		return ENOMEM;
	for (; e; e = xml_next(e, NS_ICE_UDP, "candidate")) {
		t->candidate[t->candidates].elem = e;
		err = read_candidate(&t->candidate[t->candidates], why);
		if (err)
			return err;
		t->candidates++;
	}
	return 0;
}

int ice_udp_parse(struct arena *a, struct xml_elem *transport,
		  struct ice_transport *t_r, struct why *why)
{
	int err;

	memset(t_r, 0, sizeof(*t_r));
	t_r->elem = transport;
	/* XEP-0371 puts it here; clients use either namespace. */
	t_r->gathering_complete = xml_child(transport, NULL,
					    "gathering-complete") != NULL;
	err = read_credentials(t_r, why);
	if (!err)
		err = read_candidates(a, t_r, why);
	return err;
}
