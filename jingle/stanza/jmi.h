/* jmi.h: Jingle Message Initiation (XEP-0353 0.6-0.8). */
#ifndef JINGLE_STANZA_JMI_H
#define JINGLE_STANZA_JMI_H

#include "jingle/stanza/stanza.h"

#define MEDIA_AUDIO 1u
#define MEDIA_VIDEO 2u

#define JMI_ID_MAX 128             /* bytes of an id, which becomes a sid */

enum jmi_action { JMI_PROPOSE, JMI_RETRACT, JMI_ACCEPT, JMI_PROCEED,
		  JMI_RINGING, JMI_REJECT, JMI_FINISH };

struct jmi {
	enum jmi_action action;
	const char *id;
	unsigned media;            /* propose: MEDIA_* of RTP descriptions */
	bool other_media;          /* propose: has a description not RTP */
	const char *reason;        /* XEP-0166 condition ("busy"), NULL: none */
	const char *text;          /* reason's text, NULL: none */
	bool tie_break;            /* <tie-break/> beside the reason */
	const char *migrated;      /* <migrated to=''/>: new id, NULL: none */
	bool delayed;              /* XEP-0203 delay in the message */
	struct xml_elem *elem;     /* the JMI element */
};

/* Finds the JMI element of a message. 0; ENOENT: none; EBADMSG with *why: id
 * missing, blank, over JMI_ID_MAX, or several JMI elements; a propose without
 * <description/>, or an RTP one without media; <migrated/> without to. A
 * missing, empty or unknown <reason/> is no error. ENOMEM. Only the message's
 * own children count: nothing inside <forwarded/> or carbons (A28). */
int jmi_parse(struct arena *a, const struct xml_elem *message,
	      struct jmi *j_r, struct why *why);
/* Appends a JMI element to a message. media: propose only. reason, text NULL:
 * left out (no <reason/> at all without a reason). */
struct xml_elem *jmi_add(struct arena *a, struct xml_elem *message,
			 enum jmi_action action, const char *id,
			 unsigned media, const char *reason, const char *text);
const char *jmi_action_name(enum jmi_action action);

#endif
