/* jingle.c: the <jingle/> element (XEP-0166): actions, contents, reasons. */
#include "jingle/stanza/jingle.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/jingle_check.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/reason.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

/* What a <content/> of an action must hold. */
#define NEEDS_CONTENT     1u
#define NEEDS_DESCRIPTION 2u
#define NEEDS_TRANSPORT   4u
#define NEEDS_ALL         (NEEDS_CONTENT | NEEDS_DESCRIPTION | NEEDS_TRANSPORT)

static const struct action {
	const char *name;
	unsigned needs;
} actions[JINGLE_ACTIONS] = {
	[JINGLE_CONTENT_ACCEPT] = { "content-accept", NEEDS_ALL },
	[JINGLE_CONTENT_ADD] = { "content-add", NEEDS_ALL },
	[JINGLE_CONTENT_MODIFY] = { "content-modify", NEEDS_CONTENT },
	[JINGLE_CONTENT_REJECT] = { "content-reject", 0 },  /* leg_content.c */
	[JINGLE_CONTENT_REMOVE] = { "content-remove", NEEDS_CONTENT },
	[JINGLE_DESCRIPTION_INFO] = { "description-info",
				      NEEDS_CONTENT | NEEDS_DESCRIPTION },
	[JINGLE_SECURITY_INFO] = { "security-info", NEEDS_CONTENT },
	[JINGLE_SESSION_ACCEPT] = { "session-accept", NEEDS_ALL },
	[JINGLE_SESSION_INFO] = { "session-info", 0 },
	[JINGLE_SESSION_INITIATE] = { "session-initiate", NEEDS_ALL },
	[JINGLE_SESSION_TERMINATE] = { "session-terminate", 0 },
	[JINGLE_TRANSPORT_ACCEPT] = { "transport-accept",
				      NEEDS_CONTENT | NEEDS_TRANSPORT },
	[JINGLE_TRANSPORT_INFO] = { "transport-info",
				    NEEDS_CONTENT | NEEDS_TRANSPORT },
	[JINGLE_TRANSPORT_REJECT] = { "transport-reject", NEEDS_CONTENT },
	[JINGLE_TRANSPORT_REPLACE] = { "transport-replace",
				       NEEDS_CONTENT | NEEDS_TRANSPORT },
};

const char *jingle_action_name(enum jingle_action action)
{
	return actions[action].name;
}

static int read_action(struct jingle *j, struct why *why)
{
	const char *name = xml_get(j->elem, "action");

	if (text_blank(name))
		return why_bad(why, "<jingle/> needs 'action'.");
	for (int i = 0; i < JINGLE_ACTIONS; i++) {
		if (!strcmp(name, actions[i].name)) {
			j->action = (enum jingle_action)i;
			return 0;
		}
	}
	return why_bad(why, "Unknown 'action' of <jingle/>: expected one of "
		       "XEP-0166, 7.2, as session-initiate.");
}

static int read_sid(struct jingle *j, struct why *why)
{
	j->sid = xml_get(j->elem, "sid");
	if (text_blank(j->sid))
		return why_bad(why, "<jingle/> needs 'sid'.");
	if (strlen(j->sid) > JINGLE_SID_MAX)
		return why_bad(why, "The 'sid' of <jingle/> is longer than "
			       "128 bytes.");
	return 0;
}

static int read_name(const struct jingle *j, struct jingle_content *c,
		     struct why *why)
{
	c->name = xml_get(c->elem, "name");
	if (text_blank(c->name))
		return why_bad(why, "<content/> needs 'name'.");
	if (strlen(c->name) > JINGLE_NAME_MAX)
		return why_over(why, "'name' is longer than 64 bytes.");
	for (unsigned i = 0; i < j->contents; i++)
		if (!strcmp(j->content[i].name, c->name))
			return why_bad(why, "Two contents have the same "
				       "'name'.");
	return 0;
}

static int read_creator(struct jingle_content *c, struct why *why)
{
	const char *creator = xml_get(c->elem, "creator");

	if (creator && (!strcmp(creator, "initiator") ||
			!strcmp(creator, "responder")))
		c->creator = creator;
	c->senders = xml_get(c->elem, "senders");
	if (!c->senders || !strcmp(c->senders, "both") ||
	    !strcmp(c->senders, "initiator") ||
	    !strcmp(c->senders, "responder") || !strcmp(c->senders, "none"))
		return 0;
	return why_bad(why, "Unknown 'senders': expected both, initiator, "
		       "responder or none.");
}

static int only_child(struct xml_elem *content, const char *name,
		      struct xml_elem **e_r)
{
	*e_r = xml_child(content, NULL, name);
	return xml_next(*e_r, NULL, name) ? EBADMSG : 0;
}

static void read_description(struct jingle_content *c)
{
	const char *media;

	if (!xml_is(c->description, NS_RTP, "description"))
		return;
	media = xml_get(c->description, "media");
	if (text_equal(media, "audio"))
		c->media = MEDIA_AUDIO;
	else if (text_equal(media, "video"))
		c->media = MEDIA_VIDEO;
}

static void read_transport(struct jingle_content *c)
{
	const struct xml_elem *e;
	bool gathering_complete = false;
	unsigned others = 0;

	if (!xml_is(c->transport, NS_ICE_UDP, "transport"))
		return;
	c->ufrag = xml_get(c->transport, "ufrag");
	c->pwd = xml_get(c->transport, "pwd");
	for (e = xml_child(c->transport, NULL, NULL); e;
	     e = xml_next(e, NULL, NULL)) {
		if (xml_is(e, NS_ICE_UDP, "candidate"))
			c->candidates++;
		if (xml_is(e, NS_DTLS, "fingerprint") ||
		    xml_is(e, NS_OMEMO_DTLS, "fingerprint"))
			c->fingerprint = true;
		if (!strcmp(e->name, "gathering-complete"))
			gathering_complete = true;
		else
			others++;
	}
	c->gathering_complete = gathering_complete && !others;
}

static int read_parts(const struct jingle *j, struct jingle_content *c,
		      struct why *why)
{
	unsigned needs = actions[j->action].needs;

	if (only_child(c->elem, "description", &c->description))
		return why_bad(why, "More than one <description/>.");
	if (only_child(c->elem, "transport", &c->transport))
		return why_bad(why, "More than one <transport/>.");
	if ((needs & NEEDS_DESCRIPTION) && !c->description)
		return why_bad(why, "<content/> needs a <description/>.");
	if ((needs & NEEDS_TRANSPORT) && !c->transport)
		return why_bad(why, "<content/> needs a <transport/>.");
	read_description(c);
	read_transport(c);
	return 0;
}

static int read_content(struct arena *a, const struct jingle *j,
			struct jingle_content *c, struct why *why)
{
	int err = read_name(j, c, why);

	if (!err)
		err = read_creator(c, why);
	if (!err)
		err = read_parts(j, c, why);
	if (!err)
		err = jingle_check_content(a, j->action, c, why);
	return err;
}

static int read_contents(struct arena *a, struct jingle *j, struct why *why)
{
	struct xml_elem *e = xml_child(j->elem, NS_JINGLE, "content");
	unsigned rtp = 0, descriptions = 0;

	for (; e; e = xml_next(e, NS_JINGLE, "content")) {
		struct jingle_content *c = &j->content[j->contents];
		int err;

		if (j->contents == JINGLE_CONTENTS_MAX)
			return why_over(why, "More than 16 contents.");
		c->elem = e;
		err = read_content(a, j, c, why);
		if (err && err != ENOMEM && why)
			why->text = arena_printf(a, "Content %u: %s",
						 j->contents + 1, why->text);
		if (err)
			return err;
		j->contents++;
		descriptions += c->description != NULL;
		rtp += xml_is(c->description, NS_RTP, "description");
	}
	j->rtp = rtp > 0 && rtp == descriptions;
	if (!j->contents && (actions[j->action].needs & NEEDS_CONTENT))
		return why_bad(why, "This 'action' of <jingle/> needs a "
			       "<content/>.");
	return 0;
}

int jingle_parse(struct arena *a, const struct xml_elem *iq,
		 struct jingle *j_r, struct why *why)
{
	struct reason reason;
	int err;

	memset(j_r, 0, sizeof(*j_r));
	j_r->elem = xml_child(iq, NS_JINGLE, "jingle");
	if (!j_r->elem)
		return ENOENT;
	if (xml_next(j_r->elem, NS_JINGLE, "jingle"))
		return why_bad(why, "More than one <jingle/>.");
	err = read_action(j_r, why);
	if (!err)
		err = read_sid(j_r, why);
	if (!err)
		err = reason_read(a, j_r->elem, &reason);
	if (err)
		return err;
	j_r->reason = reason.condition;
	j_r->text = reason.text;
	if (j_r->action == JINGLE_SESSION_INFO)
		j_r->info = xml_child(j_r->elem, NULL, NULL);
	/* An end is never refused for what else it holds. */
	if (j_r->action != JINGLE_SESSION_TERMINATE)
		err = read_contents(a, j_r, why);
	if (!err)
		err = jingle_check_groups(a, j_r, why);
	return err ? err : arena_failed(a) ? ENOMEM : 0;
}

struct xml_elem *jingle_new(struct arena *a, const char *iq_id,
			    const char *from, const char *to,
			    enum jingle_action action, const char *sid,
			    struct xml_elem **jingle_r)
{
	struct xml_elem *iq = stanza_new(a, STANZA_IQ, "set", iq_id, from, to);
	struct xml_elem *e = xml_add(a, iq, NS_JINGLE, "jingle");

	xml_set(a, e, "action", actions[action].name);
	xml_set(a, e, "sid", sid);
	if (jingle_r)
		*jingle_r = e;
	return iq;
}
