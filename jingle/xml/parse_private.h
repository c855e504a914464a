/* parse_private.h: a stream of XML, as its reader and its builder know it. */
#ifndef JINGLE_XML_PARSE_PRIVATE_H
#define JINGLE_XML_PARSE_PRIVATE_H

#include "jingle/xml/parse.h"
#include "jingle/xml/scan.h"
#include "jingle/xml/token.h"

enum {
	XML_BINDINGS_MAX = 1 + XML_HEADER_ATTRS_MAX + XML_TAG_ATTRS_MAX + 32,
	XML_STANZA_NS_MAX = 64,
	XML_NAMESPACES_MAX = 1 + XML_HEADER_ATTRS_MAX + XML_STANZA_NS_MAX,
	XML_SCRATCH_KEPT = 16384,
};

/* A namespace declaration in scope. */
struct xml_binding {
	const char *prefix;        /* "": the default namespace */
	const char *ns;            /* one of xml_stream.namespaces */
	unsigned depth;            /* of the element that declares it */
};

struct xml_stream {
	struct xml_scan scan;
	const struct xml_stream_handlers *h; /* NULL in xml_parse() */
	void *arg;
	int failed;                /* errno that ended the stream */
	const char *error;         /* condition of it */
	bool closed;

	struct XML_ParserStruct *expat;    /* NULL: made when needed */
	size_t parsed;             /* bytes this parser has seen */
	bool replay;               /* it is being told the header again */
	bool by_expat;             /* it reads plain stanzas, too */
	char *header;              /* text of the header's tag */
	size_t header_len;

	struct arena *a;           /* the stanza being built */
	struct arena *spare;       /* where a head is put; then they swap */
	struct arena *header_arena;
	size_t tree_bytes;         /* that the tree takes so far */
	struct xml_elem *root;
	struct xml_elem *head;     /* of a stanza being skipped */
	struct xml_elem **open;    /* elements open below the base */
	unsigned depth;            /* of what is being built */
	bool as_component;         /* this stanza came as jabber:client */
	enum xml_limit over;       /* limit found while building */

	struct xml_binding bindings[XML_BINDINGS_MAX];
	unsigned binding_count, header_bindings;
	const char *namespaces[XML_NAMESPACES_MAX];   /* each once */
	unsigned short lengths[XML_NAMESPACES_MAX];   /* of them */
	unsigned namespace_count, header_namespaces;

	char *text;                /* of the text node being read */
	size_t text_len, text_size;
};

/* --- tree.c ----------------------------------------------------------- */
/* Ends the stream. The first word about it stays. */
void xml_tree_stop(struct xml_stream *s, int err, const char *condition);
void xml_tree_ill_formed(struct xml_stream *s);
/* The stanza is over this limit, and is not built any further. */
void xml_tree_over(struct xml_stream *s, enum xml_limit limit);
/* Declares `n` bytes of a prefix (0: the default namespace). */
void xml_tree_bind(struct xml_stream *s, const char *prefix, size_t n,
		   const char *ns, size_t len);
/* What has been read, in its order: well-formed but for what Namespaces in
 * XML add, and unescaped. */
void xml_tree_start(struct xml_stream *s, const struct xml_tag *tag);
void xml_tree_end(struct xml_stream *s);
void xml_tree_text(struct xml_stream *s, const char *text, size_t len);

#endif
