/* parse.h: bounded XML parsing over expat: a stream of stanzas, or one text.
 * Stanzas that are plain pass expat by (token.h).
 *
 * Limits hold while parsing: an over-limit stanza is never built, only its
 * top element's name, id, type, from and to are kept so that it can be
 * answered; the stream lives on. DTDs, entities, comments and processing
 * instructions end the stream (RFC 6120, 11.1).
 */
#ifndef JINGLE_XML_PARSE_H
#define JINGLE_XML_PARSE_H

#include "jingle/xml/elem.h"

struct xml_limits {
	size_t bytes;      /* of one stanza's text */
	unsigned depth;    /* of elements, the stanza itself is 1 */
	unsigned elems;    /* in one stanza */
	unsigned attrs;    /* in one stanza */
	size_t text;       /* bytes of one text node or attribute value, as
			    * they stand in the input (&amp; is 5) */
};
extern const struct xml_limits xml_limits_default;  /* 512 KiB, 64, 4000,
						       16000, 128 KiB */

/* Fixed beside these: 64 attributes of one element (ATTRS), 8 KiB more than
 * `text` for one tag (TEXT), names and namespaces of 256 bytes, 64 different
 * namespaces in one stanza, no prefixed name that starts with a letter
 * beyond ASCII, for it cannot be written without its prefix (NAMES), a tree
 * of 64 KiB and four times the text (MEMORY: thousands of <a/>).
 *
 * Which limit was hit; xml_limit_name() gives its words ("depth 64"). */
enum xml_limit { XML_LIMIT_NONE, XML_LIMIT_BYTES, XML_LIMIT_DEPTH,
		 XML_LIMIT_ELEMS, XML_LIMIT_ATTRS, XML_LIMIT_NAMES,
		 XML_LIMIT_MEMORY,
		 XML_LIMIT_TEXT, XML_LIMIT_LAST = XML_LIMIT_TEXT };
const char *xml_limit_name(enum xml_limit limit);

struct xml_stream_handlers {
	/* The stream header: the element without children. */
	void (*open_h)(const struct xml_elem *header, void *arg);
	/* One whole stanza. `a` holds it and is reset after the call. */
	void (*stanza_h)(struct xml_elem *stanza, struct arena *a, void *arg);
	/* A stanza over a limit, skipped: `head` has its name, namespace and
	 * attributes id, type, from and to, no children. `a` as above. */
	void (*skipped_h)(struct xml_elem *head, struct arena *a,
			  enum xml_limit limit, void *arg);
	void (*close_h)(void *arg);       /* </stream:stream> */
};

struct xml_stream;
struct xml_stream *xml_stream_new(const struct xml_limits *limits,
				  const struct xml_stream_handlers *h,
				  void *arg);              /* NULL: no memory */
void xml_stream_free(struct xml_stream *s);
/* Feeds bytes. 0; EBADMSG: not well-formed or restricted XML (the stream is
 * over; xml_stream_error() says why, in RFC 6120's words "not-well-formed" or
 * "restricted-xml"); ENOMEM. Both stay. What follows the end tag of the
 * stream is ignored. The inside of a skipped stanza is not checked. A
 * handler may not feed or free the stream it is called from. Stanzas of
 * namespace jabber:client are given the namespace jabber:component:accept
 * (and so their same-namespace descendants), so that both sides of a relay
 * look alike. */
int xml_stream_feed(struct xml_stream *s, const char *data, size_t len);
const char *xml_stream_error(const struct xml_stream *s);
/* From now on expat reads plain stanzas, too (token.h), and nothing else
 * changes. For tests. */
void xml_stream_by_expat(struct xml_stream *s);

/* One whole text as a tree in `a` (tests, golden traces, kept stanzas).
 * Elements without a namespace get `default_ns`. 0, EBADMSG, EOVERFLOW,
 * ENOMEM. */
int xml_parse(struct arena *a, const char *text, size_t len,
	      const char *default_ns, const struct xml_limits *limits,
	      struct xml_elem **elem_r);

#endif
