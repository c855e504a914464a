/* rtp.h: the RTP <description/> (XEP-0167) with feedback (XEP-0293) and
 * header extensions (XEP-0294), read only: what is relayed is the tree.
 */
#ifndef JINGLE_STANZA_RTP_H
#define JINGLE_STANZA_RTP_H

#include <stdint.h>
#include "jingle/stanza/stanza.h"

#define RTP_PAYLOADS_MAX 128       /* there are no more ids than that */
#define RTP_PARAMETERS_MAX 64      /* of one payload type */
#define RTP_FEEDBACKS_MAX 64       /* of one payload type or description */
#define RTP_HDREXTS_MAX 64         /* of one description */

/* One of name and value is there: "name=value", a bare word as name
 * ("111/111" of red) or, in the way of Conversations, as value. */
struct rtp_parameter {
	const char *name;          /* NULL or "": none */
	const char *value;         /* NULL: none */
};

struct rtp_feedback {
	const char *type;          /* "nack", "ccm"; "trr-int" for that one */
	const char *subtype;       /* "pli"; NULL: none; trr-int's value */
};

struct rtp_hdrext {
	uint32_t id;               /* 1 to 256, 4096 to 4351 */
	const char *uri;
	const char *senders;       /* NULL: both */
};

struct rtp_payload {
	uint32_t id;               /* 0 to 127 */
	const char *name;          /* NULL: none, static ids only */
	uint32_t clockrate;        /* Hz, 0: not said */
	uint32_t channels;         /* 1 when not said */
	uint32_t ptime, maxptime;  /* ms, 0: not said */
	unsigned parameters;
	struct rtp_parameter *parameter;
	unsigned feedbacks;
	struct rtp_feedback *feedback;
	struct xml_elem *elem;
};

struct rtp_description {
	const char *media;         /* "audio", "video" or another word */
	bool has_ssrc;
	uint32_t ssrc;             /* attribute, if has_ssrc */
	bool rtcp_mux;             /* <rtcp-mux/> is there */
	bool rtcp_reduced_size;
	bool encryption;           /* <encryption/> (SDES) is there */
	bool encryption_required;  /* and says required */
	bool extmap_allow_mixed;   /* <extmap-allow-mixed/> is there */
	unsigned payloads;
	struct rtp_payload *payload;
	unsigned hdrexts;
	struct rtp_hdrext *hdrext;
	unsigned feedbacks;        /* for every payload type */
	struct rtp_feedback *feedback;
	struct xml_elem *elem;
};

/* Reads a <description/> of NS_RTP. 0; EBADMSG with *why: an attribute is
 * missing, blank, malformed or doubled (an id of payload types or extensions
 * twice); EOVERFLOW with *why: over a cap above; ENOMEM. */
int rtp_parse(struct arena *a, struct xml_elem *description,
	      struct rtp_description *d_r, struct why *why);

#endif
