/* scan.h: finds the ends of XML tokens and enforces limits, before expat.
 *
 * Expat alone costs too much here: it keeps 40 times the size of a deeply
 * nested text, stores each new name until it is freed, and reads an
 * unfinished tag again on every feed. So this scanner counts first and hands
 * on only whole tags of stanzas that are within limits. It knows tags,
 * quotes and CDATA and no more: what it hands on is judged by expat.
 * Stanzas that token.c reads pass neither of them.
 * For parse.c only.
 */
#ifndef JINGLE_XML_SCAN_H
#define JINGLE_XML_SCAN_H

#include "jingle/xml/parse.h"

enum {
	XML_NAME_MAX = 256,        /* bytes of a name or namespace */
	XML_TAG_ATTRS_MAX = 64,    /* attributes of one element */
	XML_TAG_EXTRA = 8192,      /* a tag may exceed limits.text by this */
	XML_HEADER_ATTRS_MAX = 16, /* attributes of the stream header */
	XML_HEADER_MAX = 8192,     /* bytes of a stream header */
};

enum xml_scan_event {
	XML_SCAN_MORE,             /* all input used */
	XML_SCAN_FLUSH,            /* buf up to mark may go to expat */
	XML_SCAN_HEADER,           /* the stream header is complete in buf */
	XML_SCAN_OVER,             /* limit hit below the stanza's start tag:
				    * the rest of it will not be in buf */
	XML_SCAN_STANZA,           /* a stanza has ended; set over and skip
				    * back to nothing then */
	XML_SCAN_CLOSE,            /* the stream's end tag is in buf */
};

struct xml_scan {
	struct xml_limits limits;
	unsigned base;             /* depth outside of stanzas: 1 in a stream */
	int state;                 /* enum in scan.c; 0: between tokens */
	bool started;              /* something came: no XML declaration now */
	unsigned depth;            /* open elements */

	char *buf;                 /* what expat has not seen */
	size_t len, size;
	size_t mark;               /* whole tokens end here */

	enum xml_limit over;       /* limit hit by this stanza */
	bool skip;                 /* nothing of it is buffered any more */
	bool top;                  /* in its start tag */
	size_t bytes;              /* of this stanza so far, also while
				    * token.c reads it */
	unsigned elems, attrs;     /* in this stanza so far */
	size_t text;               /* bytes of this text node so far */

	unsigned tag_attrs;        /* of this tag so far */
	size_t tag_at;             /* offsets in buf: of this tag, */
	size_t attr_at, val_at;    /* this attribute and its value */
	bool named, in_attr, slash, drop; /* see scan.c */
	char quote;
	unsigned run;              /* bytes of this name; matched bytes of
				    * <![CDATA[; ']' seen in a row */
	const char *error;         /* RFC 6120 condition after EBADMSG */
};

void xml_scan_init(struct xml_scan *s, const struct xml_limits *limits,
		   unsigned base);
void xml_scan_release(struct xml_scan *s);

/* Reads from *p up to `end` or the next event. 0, EBADMSG, ENOMEM. */
int xml_scan_next(struct xml_scan *s, const char **p, const char *end,
		  enum xml_scan_event *event_r);
/* Has it read all of what came before, but no part of a stanza? */
bool xml_scan_between(const struct xml_scan *s);
/* Takes `n` bytes off the front of buf. */
void xml_scan_consume(struct xml_scan *s, size_t n);

#endif
