/* parse.c: the one door to expat: token runs from scan.c become trees.
 *
 * A stanza that is whole and plain is read by token.c, everything else by
 * expat, and both build by tree.c.
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
#include "jingle/xml/parse_private.h"

enum {
	PARSER_BYTES = 262144,     /* a parser is renewed after these */
	PLAIN_MOST = 16384,        /* bytes of a stanza that token.c reads */
};

const struct xml_limits xml_limits_default = {
	.bytes = 524288,
	.depth = 64,
	.elems = 4000,
	.attrs = 16000,
	.text = 131072,
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
			xml_tree_ill_formed(s);
			return;
		}
		tag.attrs[tag.count++] = (struct xml_pair){
			name_of(pairs[0]), pairs[1], strlen(pairs[1])
		};
	}
	xml_tree_start(s, &tag);
}

static void on_end(void *data, const char *name)
{
	struct xml_stream *s = data;

	(void)name;
	if (!s->failed)
		xml_tree_end(s);
}

static void on_text(void *data, const char *chars, int len)
{
	struct xml_stream *s = data;

	if (!s->failed)
		xml_tree_text(s, chars, (size_t)len);
}

/* The scanner lets none of these through. That it and expat read a text
 * alike is not left to trust. */
static void refuse(struct xml_stream *s)
{
	xml_tree_stop(s, EBADMSG, "restricted-xml");
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
		xml_tree_stop(s, ENOMEM, "out of memory");
		break;
	case XML_ERROR_UNDEFINED_ENTITY:
		xml_tree_stop(s, EBADMSG, "restricted-xml");
		break;
	default:
		xml_tree_ill_formed(s);
	}
	return s->failed;
}

static int expat_make(struct xml_stream *s)
{
	int r;

	s->expat = XML_ParserCreate("UTF-8");
	if (!s->expat) {
		xml_tree_stop(s, ENOMEM, "out of memory");
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
	if (s->text_size > XML_SCRATCH_KEPT) {
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

	xml_tree_over(s, s->scan.over);
	if (s->failed)
		return s->failed;
	if (!s->root) {
		xml_tree_ill_formed(s);
		return s->failed;
	}
	if (!s->h)
		return EOVERFLOW;
	if (!s->spare)
		s->spare = arena_new(0);
	s->head = s->spare ? head_copy(s, s->spare) : NULL;
	if (!s->head) {
		xml_tree_stop(s, ENOMEM, "out of memory");
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
			xml_tree_start(s, &t->tag);
			if (t->empty)
				xml_tree_end(s);
			break;
		case XML_TOKEN_END:
			xml_tree_end(s);
			break;
		case XML_TOKEN_TEXT:
			xml_tree_text(s, t->text, t->len);
			break;
		case XML_TOKEN_DONE:
			return true;
		default:
			return false;
		}
	}
}

/* Takes a stanza of which nothing is read yet, if it is whole before `end`, and
 * plain. False: nothing has happened (or memory has run out), the scanner and
 * expat are to read it, and to say what is wrong with it if anything is. */
static bool take_plain(struct xml_stream *s, const char **p, const char *end)
{
	struct xml_tokens t;
	size_t bytes = s->scan.bytes;

	if (!s->h || s->by_expat || s->depth != s->scan.base || **p != '<')
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
	s->scan.bytes = bytes;
	s->over = XML_LIMIT_NONE;
	s->depth = s->scan.base;
	stanza_drop(s);
	arena_reset(s->a);
	return false;
}

/* A stanza that came in pieces, and is whole in the scanner's buffer now. */
static bool take_collected(struct xml_stream *s)
{
	const char *p = s->scan.buf, *end = p + s->scan.len;

	if (s->head || s->scan.over || !take_plain(s, &p, end))
		return false;
	/* That both find the same end is not left to trust. */
	if (p != end)
		xml_tree_ill_formed(s);
	xml_scan_consume(&s->scan, s->scan.len);
	return !s->failed;
}

static int stanza_done(struct xml_stream *s)
{
	int r;

	if (take_collected(s)) {
		stanza_give(s);
		return 0;
	}
	r = flush(s, s->scan.len);
	if (!r && !s->head && (s->over || s->scan.over))
		r = skip_begin(s);
	/* A byte that starts a longer character hides the '>' from expat. */
	if (!r && !s->head && (!s->root || s->depth != s->scan.base))
		xml_tree_ill_formed(s);
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
		xml_tree_stop(s, ENOMEM, "out of memory");
		return ENOMEM;
	}
	memcpy(text, s->scan.buf + at, n);
	r = flush(s, s->scan.mark);
	s->header = text;
	s->header_len = n;
	if (!r && (!s->root || s->over))
		xml_tree_ill_formed(s);
	if (s->failed)
		return s->failed;
	s->header_bindings = s->binding_count;
	s->header_namespaces = s->namespace_count;
	s->header_arena = s->a;
	s->a = arena_new(0);
	if (!s->a) {
		xml_tree_stop(s, ENOMEM, "out of memory");
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
			xml_tree_ill_formed(s);
		if (s->failed)
			return s->failed;
		s->closed = true;
		s->h->close_h(s->arg);
		return 0;
	default:
		return 0;
	}
}

int xml_stream_feed(struct xml_stream *s, const char *data, size_t len)
{
	const char *nul = len ? memchr(data, '\0', len) : NULL;
	const char *p = data, *end = nul ? nul : data + len;
	enum xml_scan_event event;
	int r;

	while (!s->failed && !s->closed && p < end) {
		if (xml_scan_between(&s->scan) && take_plain(s, &p, end)) {
			stanza_give(s);
			continue;
		}
		r = s->failed ? s->failed :
			xml_scan_next(&s->scan, &p, end, &event);
		if (r)
			xml_tree_stop(s, r, r == ENOMEM ? "out of memory" :
				      s->scan.error);
		else
			r = event_do(s, event);
		if (r)
			return r;
	}
	/* NUL is never XML, and UTF-16, which expat would detect, has it. */
	if (nul && !s->closed)
		xml_tree_ill_formed(s);
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
	xml_tree_bind(s, "", 0, default_ns, strlen(default_ns));
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
