/* jingle_check.c: the insides of a <content/>, read by their codecs. */
#include "jingle/stanza/jingle_check.h"

#include "jingle/stanza/dtls.h"
#include "jingle/stanza/ice_udp.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/rtp.h"
#include "jingle/stanza/source.h"
#include "jingle/stanza/why.h"

/* An offer or answer of media, which no client can use without a codec. */
static bool negotiates(enum jingle_action action)
{
	return action == JINGLE_SESSION_INITIATE ||
	       action == JINGLE_SESSION_ACCEPT ||
	       action == JINGLE_CONTENT_ADD || action == JINGLE_CONTENT_ACCEPT;
}

static int check_rtp(struct arena *a, enum jingle_action action,
		     struct xml_elem *description, struct why *why)
{
	struct rtp_description d;
	struct source_list sources;
	int err = rtp_parse(a, description, &d, why);

	if (!err && negotiates(action) && !d.payloads)
		return why_bad(why, "<description/> needs a "
			       "<payload-type/>.");
	if (!err)
		err = source_parse(a, description, &sources, why);
	return err;
}

static int check_ice(struct arena *a, enum jingle_action action,
		     struct xml_elem *transport, struct why *why)
{
	struct ice_transport t;
	struct dtls_list fingerprints;
	int err = ice_udp_parse(a, transport, &t, why);

	if (!err && negotiates(action) && (!t.ufrag || !t.pwd))
		return why_bad(why, "<transport/> needs 'ufrag' and 'pwd'.");
	if (!err)
		err = dtls_parse(a, transport, &fingerprints, why);
	return err;
}

int jingle_check_content(struct arena *a, enum jingle_action action,
			 const struct jingle_content *c, struct why *why)
{
	int err = 0;

	if (xml_is(c->description, NS_RTP, "description"))
		err = check_rtp(a, action, c->description, why);
	if (!err && xml_is(c->transport, NS_ICE_UDP, "transport"))
		err = check_ice(a, action, c->transport, why);
	return err;
}

int jingle_check_groups(struct arena *a, const struct jingle *j,
			struct why *why)
{
	struct content_group *groups;
	unsigned n;

	if (j->action == JINGLE_SESSION_TERMINATE)
		return 0;
	return group_parse(a, j->elem, &groups, &n, why);
}
