/* parse.c: the one door to expat: token runs from scan.c become trees.
 *
 * A stanza that is whole and plain is read by token.c, everything else by
 * expat, and both build by the same functions: tag_start(), tag_end(), text().
 *
 * Expat runs without its namespace handling: it would join namespace and name
 * by a separator that must then be taken apart again (CVE-2022-25236), lose
 * the prefix of xml:lang, and copy a long namespace once per attribute.
 * Names a parser has seen are kept by expat until it is freed, so a parser
 * lives for a bounded number of bytes and the next one is told the stream
 * header again.
 */
#include "jingle/xml/parse.h"

#include <errno.h>
#include <expat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/xml/scan.h"
#include "jingle/xml/token.h"

#define NS_XMLNS "http://www.w3.org/2000/xmlns/"
#define NS_CLIENT "jabber:client"
#define NS_COMPONENT "jabber:component:accept"

enum {
	BINDINGS_MAX = 1 + XML_HEADER_ATTRS_MAX + XML_TAG_ATTRS_MAX + 32,
	STANZA_NS_MAX = 64,
	NAMESPACES_MAX = 1 + XML_HEADER_ATTRS_MAX + STANZA_NS_MAX,
	PARSER_BYTES = 262144,     /* a parser is renewed after these */
	SCRATCH_KEPT = 16384,
	PLAIN_MOST = 16384,        /* bytes of a stanza that token.c reads */
	TREE_FREE = 65536,         /* bytes any tree may take, and */
	TREE_TIMES = 4,            /* so many times its text */
};

const struct xml_limits xml_limits_default = {
	.bytes = 524288,
	.depth = 64,
	.elems = 4000,
	.attrs = 16000,
	.text = 131072,
};

/* A namespace declaration in scope. */
struct binding {
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

	XML_Parser expat;          /* NULL: made when needed */
	size_t parsed;             /* bytes this parser has seen */
	bool replay;               /* it is being told the header again */
	bool by_expat;             /* it reads plain stanzas, too */
	char *header;              /* text of the header's tag */
	size_t header_len;

	struct arena *a;           /* the stanza being built */
	struct arena *spare;       /* where a head is put; then they swap */
	struct arena *header_arena;
	size_t tree_from;          /* bytes of the arena before the tree */
	struct xml_elem *root;
	struct xml_elem *head;     /* of a stanza being skipped */
	struct xml_elem **open;    /* elements open below the base */
	unsigned depth;            /* as expat sees it */
	bool as_component;         /* this stanza came as jabber:client */
	enum xml_limit over;       /* limit found while building */

	struct binding bindings[BINDINGS_MAX];
	unsigned binding_count, header_bindings;
	const char *namespaces[NAMESPACES_MAX];   /* each once */
	unsigned short lengths[NAMESPACES_MAX];   /* of them */
	unsigned namespace_count, header_namespaces;

	char *text;                /* of the text node being read */
	size_t text_len, text_size;
};

const char *xml_limit_name(enum xml_limit limit)
{
	switch (limit) {
	case XML_LIMIT_BYTES:
		return "bytes 524288";
	case XML_LIMIT_DEPTH:
		return "depth 64";
	case XML_LIMIT_ELEMS:
		return "elements 4000";
	case XML_LIMIT_ATTRS:
		return "attributes 16000, of one element 64";
	case XML_LIMIT_TEXT:
		return "text 131072";
	case XML_LIMIT_NAMES:
		return "names 256, namespaces 64";
	case XML_LIMIT_MEMORY:
		return "too many small parts for its size";
	default:
		return "none";
	}
}

static void stop(struct xml_stream *s, int err, const char *condition)
{
	if (!s->failed) {
		s->failed = err;
		s->error = condition;
	}
}

static void ill_formed(struct xml_stream *s)
{
	stop(s, EBADMSG, "not-well-formed");
}

static void over(struct xml_stream *s, enum xml_limit limit)
{
	if (!s->over)
		s->over = limit;
}

/* Namespaces are kept once each, so that equal ones have equal addresses and
 * no comparison of long ones can be asked for many times. */
static const char *namespace_intern(struct xml_stream *s, const char *ns,
				    size_t len)
{
	const char *copy;

	/* By length first: they begin alike. */
	for (unsigned i = 0; i < s->namespace_count; i++)
		if (s->lengths[i] == len && !memcmp(s->namespaces[i], ns, len))
			return s->namespaces[i];
	if (len > XML_NAME_MAX || s->namespace_count ==
	    s->header_namespaces + STANZA_NS_MAX ||
	    s->namespace_count == NAMESPACES_MAX) {
		over(s, XML_LIMIT_NAMES);
		return "";
	}
	copy = arena_strndup(s->a, ns, len);
	if (!copy) {
		stop(s, ENOMEM, "out of memory");
		return "";
	}
	s->lengths[s->namespace_count] = (unsigned short)len;
	s->namespaces[s->namespace_count++] = copy;
	return copy;
}

static void bind_ns(struct xml_stream *s, const char *prefix, size_t n,
		    const char *ns, size_t len)
{
	struct binding *b;

	if (s->binding_count == BINDINGS_MAX) {
		over(s, XML_LIMIT_NAMES);
		return;
	}
	b = &s->bindings[s->binding_count];
	b->depth = s->depth;
	b->ns = namespace_intern(s, ns, len);
	b->prefix = n ? arena_strndup(s->a, prefix, n) : "";
	if (b->prefix)
		s->binding_count++;
	else
		stop(s, ENOMEM, "out of memory");
}

static bool equal(const char *s, size_t n, const char *text)
{
	return n == strlen(text) && !memcmp(s, text, n);
}

/* Does an attribute declare a namespace: `xmlns`, or `xmlns:` and a prefix? */
static bool declares(const struct xml_name *n)
{
	return *n->s == 'x' && n->len >= 5 && !memcmp(n->s, "xmlns", 5) &&
	       (n->len == 5 || n->s[5] == ':');
}

/* May `c` start a name? Beyond ASCII yes, by expat's leave. */
static bool name_start(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (unsigned char)c >= 0x80;
}

/* Namespaces in XML 1.0, 3: reserved prefixes and names. */
static void declare(struct xml_stream *s, const struct xml_pair *a)
{
	bool bare = a->name.len == 5;
	const char *prefix = a->name.s + (bare ? 5 : 6);
	size_t n = a->name.len - (bare ? 5 : 6);
	bool is_xml = equal(prefix, n, "xml");

	if (!bare && (!n || !name_start(*prefix) || memchr(prefix, ':', n) ||
		      !a->len || equal(prefix, n, "xmlns"))) {
		ill_formed(s);
		return;
	}
	if (is_xml != equal(a->value, a->len, NS_XML) ||
	    equal(a->value, a->len, NS_XMLNS)) {
		ill_formed(s);
		return;
	}
	if (!is_xml)
		bind_ns(s, prefix, n, a->value, a->len);
}

static const char *resolve(struct xml_stream *s, const char *prefix, size_t n)
{
	if (n == 3 && !memcmp(prefix, "xml", 3))
		return NS_XML;
	for (unsigned i = s->binding_count; i-- > 0;) {
		const char *p = s->bindings[i].prefix;

		if (!strncmp(p, prefix, n) && !p[n])
			return s->bindings[i].ns;
	}
	/* The declaration may be what was elided or did not fit. */
	if (n && !s->scan.over && !s->over)
		ill_formed(s);
	return "";
}

/* Whether this may start a name: behind a prefix expat does not look. */
static bool odd_local(const struct xml_name *n)
{
	return n->colon && (unsigned char)n->s[n->colon + 1] >= 0x80;
}

/* Takes "prefix:local" apart; no prefix: `bare` is the namespace. */
static const char *qname(struct xml_stream *s, const struct xml_name *n,
			 const char *bare, const char **ns_r)
{
	const char *local = n->s + n->colon + 1;

	*ns_r = bare;
	if (!n->colon && *n->s != ':')
		return n->s;
	if (!n->colon || local == n->s + n->len || !name_start(*local) ||
	    memchr(local, ':', (size_t)(n->s + n->len - local))) {
		ill_formed(s);
		return n->s;
	}
	if (odd_local(n))
		over(s, XML_LIMIT_NAMES);
	*ns_r = resolve(s, n->s, n->colon);
	return local;
}

static bool attr_doubled(const struct xml_elem *e, const struct xml_attr *x)
{
	const struct xml_attr *at;

	for (at = e->attrs; at && at != x; at = at->next)
		if (at->ns == x->ns && !strcmp(at->name, x->name))
			return true;
	return false;
}

/* Copies `n` bytes to `to`, and ends them. */
static char *put(char *to, const char *from, size_t n)
{
	memcpy(to, from, n);
	to[n] = '\0';
	return to;
}

static bool attrs_build(struct xml_stream *s, struct xml_elem *e,
			const struct xml_tag *tag)
{
	struct xml_attr **end = &e->attrs;

	for (const struct xml_pair *p = tag->attrs;
	     p < tag->attrs + tag->count; p++) {
		struct xml_attr *at;
		const char *ns, *name;
		size_t n;
		char *text;

		if (declares(&p->name))
			continue;
		name = qname(s, &p->name, NULL, &ns);
		n = (size_t)(p->name.s + p->name.len - name);
		at = arena_raw(s->a, sizeof(*at) + n + p->len + 2);
		if (!at)
			return false;
		text = (char *)(at + 1);
		at->next = NULL;
		at->name = put(text, name, n);
		at->value = put(text + n + 1, p->value, p->len);
		at->ns = ns;
		*end = at;
		end = &at->next;
		if (ns && !s->over && attr_doubled(e, at))
			ill_formed(s);
	}
	return true;
}

static struct xml_elem *elem_build(struct xml_stream *s,
				   const struct xml_tag *tag)
{
	bool root = s->depth == s->scan.base + 1;
	const char *ns = "", *name;
	struct xml_elem *e;
	size_t n;

	for (unsigned i = 0; i < tag->count; i++)
		if (declares(&tag->attrs[i].name))
			declare(s, &tag->attrs[i]);
	/* The head of a skipped stanza keeps its name, so that must be one. */
	if (root && s->h && odd_local(&tag->name))
		ill_formed(s);
	name = qname(s, &tag->name, resolve(s, "", 0), &ns);
	n = (size_t)(tag->name.s + tag->name.len - name);
	e = arena_raw(s->a, sizeof(*e) + n + 1);
	if (!e)
		return NULL;
	*e = (struct xml_elem){ .ns = ns, .name = put((char *)(e + 1), name, n) };
	if (!attrs_build(s, e, tag))
		return NULL;
	if (root && s->h)
		s->as_component = !strcmp(e->ns, NS_CLIENT);
	if (s->as_component && s->depth > s->scan.base &&
	    !strcmp(e->ns, NS_CLIENT))
		e->ns = NS_COMPONENT;
	return e;
}

/* Ends the text node being read. */
static void text_end(struct xml_stream *s)
{
	struct xml_elem *t;

	if (!s->text_len)
		return;
	t = arena_raw(s->a, sizeof(*t) + s->text_len + 1);
	if (t) {
		char *text = memcpy(t + 1, s->text, s->text_len);

		text[s->text_len] = '\0';
		*t = (struct xml_elem){ .text = text };
		xml_append(s->open[s->depth - s->scan.base - 1], t);
	} else {
		stop(s, ENOMEM, "out of memory");
	}
	s->text_len = 0;
}

static void tag_start(struct xml_stream *s, const struct xml_tag *tag)
{
	struct xml_elem *e;
	unsigned at;

	if (!s->over && !s->replay)
		text_end(s);
	s->depth++;
	if (s->over || s->replay)
		return;
	if (s->depth <= s->scan.base + 1)
		s->tree_from = arena_used(s->a);
	e = elem_build(s, tag);
	if (!e) {
		stop(s, ENOMEM, "out of memory");
		return;
	}
	if (s->depth <= s->scan.base + 1)
		s->root = e;
	if (s->depth <= s->scan.base)
		return;
	/* Thousands of <a/> cost many times their size as a tree. */
	if (arena_used(s->a) - s->tree_from >
	    TREE_FREE + TREE_TIMES * s->scan.bytes)
		over(s, XML_LIMIT_MEMORY);
	at = s->depth - s->scan.base - 1;
	s->open[at] = e;
	if (at)
		xml_append(s->open[at - 1], e);
}

static void tag_end(struct xml_stream *s)
{
	if (!s->over)
		text_end(s);
	while (s->binding_count &&
	       s->bindings[s->binding_count - 1].depth == s->depth)
		s->binding_count--;
	s->depth--;
}

static void text(struct xml_stream *s, const char *text, size_t len)
{
	size_t need = s->text_len + len, size = s->text_size;
	char *grown;

	if (s->over || s->depth <= s->scan.base)
		return;
	if (need > size) {
		size += size < SCRATCH_KEPT ? size : size / 4;
		if (size < 1024)
			size = 1024;
		if (size < need)
			size = need;
		grown = realloc(s->text, size);
		if (!grown) {
			stop(s, ENOMEM, "out of memory");
			return;
		}
		s->text = grown;
		s->text_size = size;
	}
	memcpy(s->text + s->text_len, text, len);
	s->text_len = need;
}

/* --- expat -------------------------------------------------------------- */

static struct xml_name name_of(const char *name)
{
	const char *colon = strchr(name, ':');

	return (struct xml_name){ name, strlen(name),
				  colon ? (size_t)(colon - name) : 0 };
}

static void on_start(void *data, const char *name, const char **pairs)
{
	struct xml_stream *s = data;
	struct xml_tag tag;

	if (s->failed)
		return;
	tag.name = name_of(name);
	for (tag.count = 0; *pairs; pairs += 2) {
		if (tag.count == XML_TOKEN_ATTRS_MAX) {
			ill_formed(s);
			return;
		}
		tag.attrs[tag.count++] = (struct xml_pair){
			name_of(pairs[0]), pairs[1], strlen(pairs[1])
		};
	}
	tag_start(s, &tag);
}

static void on_end(void *data, const char *name)
{
	struct xml_stream *s = data;

	(void)name;
	if (!s->failed)
		tag_end(s);
}

static void on_text(void *data, const char *chars, int len)
{
	struct xml_stream *s = data;

	if (!s->failed)
		text(s, chars, (size_t)len);
}

/* The scanner lets none of these through. That it and expat read a text
 * alike is not left to trust. */
static void refuse(struct xml_stream *s)
{
	stop(s, EBADMSG, "restricted-xml");
	XML_StopParser(s->expat, XML_FALSE);
}

static void on_doctype(void *data, const char *name, const char *sysid,
		       const char *pubid, int internal)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)internal;
	refuse(data);
}

static void on_comment(void *data, const char *text)
{
	(void)text;
	refuse(data);
}

static void on_instruction(void *data, const char *target, const char *text)
{
	(void)target;
	(void)text;
	refuse(data);
}

static void expat_free(struct xml_stream *s)
{
	if (s->expat)
		XML_ParserFree(s->expat);
	s->expat = NULL;
	s->parsed = 0;
}

static int expat_parse(struct xml_stream *s, const char *data, size_t n)
{
	if (XML_Parse(s->expat, data, (int)n, XML_FALSE) == XML_STATUS_OK)
		return s->failed;
	switch (XML_GetErrorCode(s->expat)) {
	case XML_ERROR_NO_MEMORY:
		stop(s, ENOMEM, "out of memory");
		break;
	case XML_ERROR_UNDEFINED_ENTITY:
		stop(s, EBADMSG, "restricted-xml");
		break;
	default:
		ill_formed(s);
	}
	return s->failed;
}

static int expat_make(struct xml_stream *s)
{
	int r;

	s->expat = XML_ParserCreate("UTF-8");
	if (!s->expat) {
		stop(s, ENOMEM, "out of memory");
		return ENOMEM;
	}
	XML_SetUserData(s->expat, s);
	XML_SetElementHandler(s->expat, on_start, on_end);
	XML_SetCharacterDataHandler(s->expat, on_text);
	XML_SetStartDoctypeDeclHandler(s->expat, on_doctype);
	XML_SetCommentHandler(s->expat, on_comment);
	XML_SetProcessingInstructionHandler(s->expat, on_instruction);
	s->depth = 0;
	if (!s->header)
		return 0;
	s->replay = true;
	r = expat_parse(s, s->header, s->header_len);
	s->replay = false;
	return r;
}

/* Gives the first `n` buffered bytes to expat. */
static int flush(struct xml_stream *s, size_t n)
{
	int r = 0;

	if (s->failed || !n)
		return s->failed;
	if (!s->expat)
		r = expat_make(s);
	if (!r)
		r = expat_parse(s, s->scan.buf, n);
	s->parsed += n;
	xml_scan_consume(&s->scan, n);
	return r;
}

/* Forgets the stanza being built. */
static void stanza_drop(struct xml_stream *s)
{
	s->binding_count = s->header_bindings;
	s->namespace_count = s->header_namespaces;
	s->root = NULL;
	s->text_len = 0;
	if (s->text_size > SCRATCH_KEPT) {
		free(s->text);
		s->text = NULL;
		s->text_size = 0;
	}
	if (s->over || s->parsed > PARSER_BYTES)
		expat_free(s);
	if (!s->expat)
		s->depth = s->scan.base;       /* once it is made again */
}

static struct xml_elem *head_copy(struct xml_stream *s, struct arena *a)
{
	static const char *const kept[] = { "id", "type", "from", "to" };
	struct xml_elem *head = xml_new(a, s->root->ns, s->root->name);

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		const char *v = xml_get(s->root, kept[i]);

		if (v && *v)
			xml_set(a, head, kept[i], v);
	}
	return arena_failed(a) ? NULL : head;
}

/* From here on the stanza is only counted: all of it but the head is given
 * back, the parser too, which has it on its stack. */
static int skip_begin(struct xml_stream *s)
{
	struct arena *a = s->a;

	over(s, s->scan.over);
	if (s->failed)
		return s->failed;
	if (!s->root) {
		ill_formed(s);
		return s->failed;
	}
	if (!s->h)
		return EOVERFLOW;
	if (!s->spare)
		s->spare = arena_new(0);
	s->head = s->spare ? head_copy(s, s->spare) : NULL;
	if (!s->head) {
		stop(s, ENOMEM, "out of memory");
		return ENOMEM;
	}
	s->a = s->spare;
	s->spare = a;
	arena_reset(a);
	stanza_drop(s);
	s->scan.skip = true;
	xml_scan_consume(&s->scan, s->scan.len);
	return 0;
}

/* Tells of the stanza that has ended, and forgets it. */
static void stanza_give(struct xml_stream *s)
{
	if (s->head)
		s->h->skipped_h(s->head, s->a, s->over, s->arg);
	else
		s->h->stanza_h(s->root, s->a, s->arg);
	if (!s->head)
		stanza_drop(s);
	arena_reset(s->a);
	s->head = NULL;
	s->over = XML_LIMIT_NONE;
	s->scan.over = XML_LIMIT_NONE;
	s->scan.skip = false;
}

static int stanza_done(struct xml_stream *s)
{
	int r = flush(s, s->scan.len);

	if (!r && !s->head && (s->over || s->scan.over))
		r = skip_begin(s);
	/* A byte that starts a longer character hides the '>' from expat. */
	if (!r && !s->head && (!s->root || s->depth != s->scan.base))
		ill_formed(s);
	if (r || s->failed)
		return r ? r : s->failed;
	if (s->h)
		stanza_give(s);
	return 0;
}

/* The header's text and declarations outlive all stanzas. */
static int header_done(struct xml_stream *s)
{
	size_t at = s->scan.tag_at, n = s->scan.mark - at;
	char *text = malloc(n);
	int r;

	if (!text) {
		stop(s, ENOMEM, "out of memory");
		return ENOMEM;
	}
	memcpy(text, s->scan.buf + at, n);
	r = flush(s, s->scan.mark);
	s->header = text;
	s->header_len = n;
	if (!r && (!s->root || s->over))
		ill_formed(s);
	if (s->failed)
		return s->failed;
	s->header_bindings = s->binding_count;
	s->header_namespaces = s->namespace_count;
	s->header_arena = s->a;
	s->a = arena_new(0);
	if (!s->a) {
		stop(s, ENOMEM, "out of memory");
		return ENOMEM;
	}
	s->h->open_h(s->root, s->arg);
	s->root = NULL;
	return 0;
}

/* Bytes that may go to expat now. A reference such as &amp; is not cut: expat
 * puts an unfinished token off until twice as much has come. */
static size_t flushable(const struct xml_scan *scan)
{
	size_t n = scan->mark, i;

	for (i = n; i > 1 && n - i < 256; i--) {
		if (scan->buf[i - 1] == ';')
			return n;
		if (scan->buf[i - 1] == '&')
			return i - 1;
	}
	return n;
}

static int event_do(struct xml_stream *s, enum xml_scan_event event)
{
	int r;

	switch (event) {
	case XML_SCAN_FLUSH:
		r = flush(s, flushable(&s->scan));
		return !r && s->over ? skip_begin(s) : r;
	case XML_SCAN_OVER:
		r = flush(s, s->scan.mark);
		return r ? r : skip_begin(s);
	case XML_SCAN_HEADER:
		return header_done(s);
	case XML_SCAN_STANZA:
		return stanza_done(s);
	case XML_SCAN_CLOSE:
		r = flush(s, s->scan.mark);
		if (!r && s->depth)
			ill_formed(s);
		if (s->failed)
			return s->failed;
		s->closed = true;
		s->h->close_h(s->arg);
		return 0;
	default:
		return 0;
	}
}

/* Reads tokens until the stanza has ended; false: it is not plain, or not far
 * from all limits. */
static bool read_tokens(struct xml_stream *s, struct xml_tokens *t)
{
	const struct xml_limits *l = &s->scan.limits;

	for (;;) {
		const char *from = t->p;
		enum xml_token what = xml_tokens_next(t);
		size_t n = (size_t)(t->p - from);

		s->scan.bytes += n;
		if (s->failed || s->over || n > l->text ||
		    s->scan.bytes > l->bytes || t->elems > l->elems ||
		    t->attrs > l->attrs || t->depth >= l->depth)
			return false;
		switch (what) {
		case XML_TOKEN_START:
			tag_start(s, &t->tag);
			if (t->empty)
				tag_end(s);
			break;
		case XML_TOKEN_END:
			tag_end(s);
			break;
		case XML_TOKEN_TEXT:
			text(s, t->text, t->len);
			break;
		case XML_TOKEN_DONE:
			return true;
		default:
			return false;
		}
	}
}

/* Takes a stanza that is whole in the input, and plain. False: nothing has
 * happened, the scanner and expat are to read it, and to say what is wrong
 * with it if anything is. */
static bool take_plain(struct xml_stream *s, const char **p, const char *end)
{
	struct xml_tokens t;

	if (!s->h || s->by_expat || !xml_scan_between(&s->scan) ||
	    s->depth != s->scan.base)
		return false;
	xml_tokens_init(&t, *p, (size_t)(end - *p) < PLAIN_MOST ?
				(size_t)(end - *p) : PLAIN_MOST);
	s->scan.bytes = 0;
	if (read_tokens(s, &t)) {
		*p = t.p;
		return true;
	}
	if (s->failed == EBADMSG) {
		s->failed = 0;
		s->error = NULL;
	}
	s->over = XML_LIMIT_NONE;
	s->depth = s->scan.base;
	stanza_drop(s);
	arena_reset(s->a);
	return false;
}

int xml_stream_feed(struct xml_stream *s, const char *data, size_t len)
{
	const char *nul = len ? memchr(data, '\0', len) : NULL;
	const char *p = data, *end = nul ? nul : data + len;
	enum xml_scan_event event;
	int r;

	while (!s->failed && !s->closed && p < end) {
		if (take_plain(s, &p, end)) {
			stanza_give(s);
			continue;
		}
		r = s->failed ? s->failed :
			xml_scan_next(&s->scan, &p, end, &event);
		if (r)
			stop(s, r, r == ENOMEM ? "out of memory" :
			     s->scan.error);
		else
			r = event_do(s, event);
		if (r)
			return r;
	}
	/* NUL is never XML, and UTF-16, which expat would detect, has it. */
	if (nul && !s->closed)
		ill_formed(s);
	return s->failed;
}

void xml_stream_by_expat(struct xml_stream *s)
{
	s->by_expat = true;
}

const char *xml_stream_error(const struct xml_stream *s)
{
	return s->error;
}

static bool stream_init(struct xml_stream *s, const struct xml_limits *limits,
			unsigned base, const char *default_ns)
{
	xml_scan_init(&s->scan, limits ? limits : &xml_limits_default, base);
	s->open = calloc((size_t)s->scan.limits.depth + 1, sizeof(*s->open));
	if (!s->open || !s->a)
		return false;
	bind_ns(s, "", 0, default_ns, strlen(default_ns));
	s->header_bindings = s->binding_count;
	s->header_namespaces = s->namespace_count;
	return !s->failed && !s->over;
}

static void stream_release(struct xml_stream *s)
{
	expat_free(s);
	xml_scan_release(&s->scan);
	free(s->open);
	free(s->text);
	free(s->header);
}

struct xml_stream *xml_stream_new(const struct xml_limits *limits,
				  const struct xml_stream_handlers *h,
				  void *arg)
{
	struct xml_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->h = h;
	s->arg = arg;
	s->a = arena_new(0);
	if (stream_init(s, limits, 1, ""))
		return s;
	xml_stream_free(s);
	return NULL;
}

void xml_stream_free(struct xml_stream *s)
{
	if (!s)
		return;
	stream_release(s);
	arena_free(s->a);
	arena_free(s->spare);
	arena_free(s->header_arena);
	free(s);
}

int xml_parse(struct arena *a, const char *text, size_t len,
	      const char *default_ns, const struct xml_limits *limits,
	      struct xml_elem **elem_r)
{
	struct xml_stream *s = calloc(1, sizeof(*s));
	int r = ENOMEM;

	*elem_r = NULL;
	if (!s)
		return ENOMEM;
	s->a = a;
	if (stream_init(s, limits, 0, default_ns ? default_ns : ""))
		r = xml_stream_feed(s, text, len);
	if (!r && (!s->root || s->depth || s->scan.len || s->scan.state ||
		   s->scan.depth))
		r = EBADMSG;
	if (!r)
		*elem_r = s->root;
	stream_release(s);
	free(s);
	return r;
}
