/* token.h: reads the tags and texts of a plain stanza, in expat's place.
 *
 * Nearly every stanza is plain: printable ASCII, no reference, no CDATA, one
 * blank between attributes. A few lines read those several times as fast as
 * expat (doc/performance.md). Whatever is not plain, or not well-formed, is
 * ODD here and no more: then expat reads the stanza, from its beginning, and
 * is the judge. Namespaces are the affair of tree.c, for both.
 * For parse.c and tree.c only.
 */
#ifndef JINGLE_XML_TOKEN_H
#define JINGLE_XML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

enum {
	XML_TOKEN_ATTRS_MAX = 72,  /* of a tag that expat has read: 64, and
				    * the few of a head that is skipped */
	XML_TOKEN_DEPTH_MAX = 64,
};

/* Not terminated: lengths are in bytes. */
struct xml_name {
	const char *s;             /* with its prefix */
	size_t len;
	size_t colon;              /* bytes before the first ':'; 0: none */
};

struct xml_pair {
	struct xml_name name;
	const char *value;         /* unescaped */
	size_t len;
};

struct xml_tag {
	struct xml_name name;
	struct xml_pair attrs[XML_TOKEN_ATTRS_MAX];
	unsigned count;
};

enum xml_token {
	XML_TOKEN_START,           /* `tag`; `empty`: it ends at once */
	XML_TOKEN_END,
	XML_TOKEN_TEXT,            /* `text`, `len` */
	XML_TOKEN_DONE,            /* the first element has ended */
	XML_TOKEN_ODD,             /* not for here, or not whole */
};

struct xml_tokens {
	const char *p, *end;       /* what is not read yet */
	unsigned elems, attrs;     /* read so far */
	struct xml_tag tag;
	bool empty;
	const char *text;
	size_t len;
	struct xml_name open[XML_TOKEN_DEPTH_MAX];
	unsigned depth;
};

/* Reads one element from `text` on, and not what follows it. `text` must
 * outlive what is read of it. */
void xml_tokens_init(struct xml_tokens *t, const char *text, size_t n);
enum xml_token xml_tokens_next(struct xml_tokens *t);

#endif
