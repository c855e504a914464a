/* stanza.h: the envelope of message, presence and iq, and RFC 6120 errors. */
#ifndef JINGLE_STANZA_STANZA_H
#define JINGLE_STANZA_STANZA_H

#include "jingle/stanza/jid.h"
#include "jingle/xml/elem.h"

enum stanza_kind { STANZA_MESSAGE, STANZA_PRESENCE, STANZA_IQ };

struct stanza {
	enum stanza_kind kind;
	const char *type;          /* attribute; "" when absent */
	const char *id;            /* NULL when absent */
	const char *lang;          /* xml:lang, NULL when absent */
	struct jid from, to;       /* both always present and valid */
	struct xml_elem *elem;     /* the whole stanza */
};

/* Why a stanza was not accepted: what the error to its sender says. */
struct why {
	const char *type;          /* RFC 6120, 8.3.2: "modify", "cancel"... */
	const char *condition;     /* 8.3.3: "bad-request", "item-not-found" */
	const char *app_ns;        /* application condition, NULL: none */
	const char *app;
	const char *text;          /* English, NULL: none */
};

/* Reads the envelope. 0; EBADMSG with *why set: unknown element, missing or
 * bad from/to, iq without id or with a type that is none of get, set, result,
 * error. What could be read is in *s_r then, for stanza_error(). ENOMEM. */
int stanza_parse(struct arena *a, struct xml_elem *e, struct stanza *s_r,
		 struct why *why);

/* A new stanza. type, id NULL: left out. */
struct xml_elem *stanza_new(struct arena *a, enum stanza_kind kind,
			    const char *type, const char *id,
			    const char *from, const char *to);
/* iq result for `s` (no children), from and to swapped. */
struct xml_elem *stanza_result(struct arena *a, const struct stanza *s);
/* The error answer for `s`; NULL if `s` must not be answered (it is itself
 * an error or a result, RFC 6120, 8.3.1, or has no valid from). Does not copy
 * the payload. */
struct xml_elem *stanza_error(struct arena *a, const struct stanza *s,
			      const struct why *why);
/* Condition of a received error stanza ("undefined-condition" when it has
 * none); never NULL. */
const char *stanza_error_condition(const struct xml_elem *e);

#endif
