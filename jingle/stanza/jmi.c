/* jmi.c: Jingle Message Initiation (XEP-0353 0.6-0.8). */
#include "jingle/stanza/jmi.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/jingle.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/reason.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

static const char *const action_names[] = {
	[JMI_PROPOSE] = "propose",
	[JMI_RETRACT] = "retract",
	[JMI_ACCEPT] = "accept",
	[JMI_PROCEED] = "proceed",
	[JMI_RINGING] = "ringing",
	[JMI_REJECT] = "reject",
	[JMI_FINISH] = "finish",
};

const char *jmi_action_name(enum jmi_action action)
{
	return action_names[action];
}

static bool find_action(const struct xml_elem *e, enum jmi_action *action_r)
{
	for (int i = JMI_PROPOSE; i <= JMI_FINISH; i++) {
		if (!strcmp(e->name, action_names[i])) {
			*action_r = (enum jmi_action)i;
			return true;
		}
	}
	return false;
}

/* 0; ENOENT; EBADMSG: more than one. */
static int find_elem(const struct xml_elem *message, struct jmi *j,
		     struct why *why)
{
	enum jmi_action action;
	struct xml_elem *e;

	for (e = xml_child(message, NS_JMI, NULL); e;
	     e = xml_next(e, NS_JMI, NULL)) {
		if (!find_action(e, &action))
			continue;
		if (j->elem)
			return why_bad(why, "More than one call element "
				       "(XEP-0353) in a message.");
		j->elem = e;
		j->action = action;
	}
	return j->elem ? 0 : ENOENT;
}

static int read_media(struct jmi *j, struct why *why)
{
	const struct xml_elem *d = xml_child(j->elem, NULL, "description");
	const char *media;

	if (!d)
		return why_bad(why, "A propose needs a <description/>.");
	for (; d; d = xml_next(d, NULL, "description")) {
		if (strcmp(d->ns, NS_RTP) != 0) {
			j->other_media = true;
			continue;
		}
		media = xml_get(d, "media");
		if (text_blank(media))
			return why_bad(why, "The <description/> of a propose "
				       "needs 'media'.");
		if (!strcmp(media, "audio"))
			j->media |= MEDIA_AUDIO;
		else if (!strcmp(media, "video"))
			j->media |= MEDIA_VIDEO;
		else
			j->other_media = true;
	}
	return 0;
}

static int read_migrated(struct jmi *j, struct why *why)
{
	const struct xml_elem *m = xml_child(j->elem, NS_JMI, "migrated");

	if (!m)
		return 0;
	if (xml_next(m, NS_JMI, "migrated"))
		return why_bad(why, "More than one <migrated/>.");
	j->migrated = xml_get(m, "to");
	if (text_blank(j->migrated))
		return why_bad(why, "<migrated/> needs 'to'.");
	if (strlen(j->migrated) > JMI_ID_MAX)
		return why_bad(why, "Attribute 'to' of <migrated/> is longer "
			       "than 128 bytes.");
	return 0;
}

int jmi_parse(struct arena *a, const struct xml_elem *message,
	      struct jmi *j_r, struct why *why)
{
	struct reason reason;
	int err;

	memset(j_r, 0, sizeof(*j_r));
	err = find_elem(message, j_r, why);
	if (err)
		return err;
	j_r->id = xml_get(j_r->elem, "id");
	if (text_blank(j_r->id))
		return why_bad(why, "A call element (XEP-0353) needs 'id'.");
	if (strlen(j_r->id) > JMI_ID_MAX)
		return why_bad(why, "The 'id' of a call element (XEP-0353) is "
			       "longer than 128 bytes.");
	if (j_r->action == JMI_PROPOSE)
		err = read_media(j_r, why);
	if (!err)
		err = read_migrated(j_r, why);
	if (!err)
		err = reason_read(a, j_r->elem, &reason);
	if (err)
		return err;
	j_r->reason = reason.condition;
	j_r->text = reason.text;
	j_r->tie_break = xml_child(j_r->elem, NS_JMI, "tie-break") != NULL;
	j_r->delayed = xml_child(message, NS_DELAY, "delay") != NULL;
	return 0;
}

static void add_media(struct arena *a, struct xml_elem *e, const char *media)
{
	xml_set(a, xml_add(a, e, NS_RTP, "description"), "media", media);
}

struct xml_elem *jmi_add(struct arena *a, struct xml_elem *message,
			 enum jmi_action action, const char *id,
			 unsigned media, const char *reason, const char *text)
{
	struct xml_elem *e = xml_add(a, message, NS_JMI, action_names[action]);

	xml_set(a, e, "id", id);
	if (action == JMI_PROPOSE) {
		if (media & MEDIA_AUDIO)
			add_media(a, e, "audio");
		if (media & MEDIA_VIDEO)
			add_media(a, e, "video");
	}
	if (reason)
		jingle_add_reason(a, e, NS_JINGLE, reason, text);
	return e;
}
