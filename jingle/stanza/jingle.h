/* jingle.h: the <jingle/> element (XEP-0166): actions, contents, reasons. */
#ifndef JINGLE_STANZA_JINGLE_H
#define JINGLE_STANZA_JINGLE_H

#include "jingle/stanza/stanza.h"
#include "jingle/stanza/jmi.h"

#define JINGLE_SID_MAX 128
#define JINGLE_CONTENTS_MAX 16
#define JINGLE_NAME_MAX 64

enum jingle_action {
	JINGLE_CONTENT_ACCEPT, JINGLE_CONTENT_ADD, JINGLE_CONTENT_MODIFY,
	JINGLE_CONTENT_REJECT, JINGLE_CONTENT_REMOVE,
	JINGLE_DESCRIPTION_INFO, JINGLE_SECURITY_INFO,
	JINGLE_SESSION_ACCEPT, JINGLE_SESSION_INFO, JINGLE_SESSION_INITIATE,
	JINGLE_SESSION_TERMINATE,
	JINGLE_TRANSPORT_ACCEPT, JINGLE_TRANSPORT_INFO,
	JINGLE_TRANSPORT_REJECT, JINGLE_TRANSPORT_REPLACE,
	JINGLE_ACTIONS
};

/* One <content/>. Pointers into the tree; NULL: absent. */
struct jingle_content {
	struct xml_elem *elem;
	const char *name;          /* never NULL, not blank */
	const char *creator;       /* "initiator", "responder"; NULL: absent
				      or another word */
	const char *senders;       /* "both" ...; NULL: absent */
	struct xml_elem *description;   /* of any namespace */
	struct xml_elem *transport;     /* of any namespace */
	unsigned media;            /* MEDIA_* when the description is RTP */
	const char *ufrag, *pwd;   /* of an ice-udp transport */
	unsigned candidates;       /* number in the transport */
	bool gathering_complete;   /* only <gathering-complete/> in there */
	bool fingerprint;          /* a DTLS or OMEMO-DTLS fingerprint */
};

struct jingle {
	enum jingle_action action;
	const char *sid;
	const char *reason;        /* condition, NULL: no <reason/> */
	const char *text;          /* reason's text */
	unsigned contents;
	struct jingle_content content[JINGLE_CONTENTS_MAX];
	struct xml_elem *info;     /* session-info: first payload element */
	bool rtp;                  /* every description is RTP, at least one */
	struct xml_elem *elem;     /* the <jingle/> */
};

/* Reads an iq set's <jingle/>. 0; ENOENT: no <jingle/>; EBADMSG with *why
 * (bad-request, text says what was expected): unknown action, sid missing,
 * blank or too long, content without name, doubled content names, no content
 * where the action needs one, or without the description or transport that
 * it needs; anything that the codecs of rtp.h, source.h, ice_udp.h and dtls.h
 * refuse in there; EOVERFLOW with *why: over a limit; ENOMEM. Contents and
 * groups of a session-terminate are not read: an end is never refused. */
int jingle_parse(struct arena *a, const struct xml_elem *iq,
		 struct jingle *j_r, struct why *why);
/* An iq set holding <jingle action sid/>; *jingle_r (may be NULL) gets the
 * jingle element to append contents to. */
struct xml_elem *jingle_new(struct arena *a, const char *iq_id,
			    const char *from, const char *to,
			    enum jingle_action action, const char *sid,
			    struct xml_elem **jingle_r);
/* Appends <reason><condition/><text/></reason> to a jingle or JMI element. */
void jingle_add_reason(struct arena *a, struct xml_elem *e, const char *ns,
		       const char *condition, const char *text);
const char *jingle_action_name(enum jingle_action action);

#endif
