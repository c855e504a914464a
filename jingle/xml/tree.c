/* tree.c: builds trees of what has been read, namespaces and all. */
#include "jingle/xml/parse_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/xml/plain.h"

#define NS_XMLNS "http://www.w3.org/2000/xmlns/"
#define NS_CLIENT "jabber:client"
#define NS_COMPONENT "jabber:component:accept"

enum {
	TREE_FREE = 65536,         /* bytes any tree may take, and */
	TREE_TIMES = 4,            /* so many times its text */
	PIECE = 16,                /* what the arena rounds up to */
};

void xml_tree_stop(struct xml_stream *s, int err, const char *condition)
{
	if (!s->failed) {
		s->failed = err;
		s->error = condition;
	}
}

void xml_tree_ill_formed(struct xml_stream *s)
{
	xml_tree_stop(s, EBADMSG, "not-well-formed");
}

void xml_tree_over(struct xml_stream *s, enum xml_limit limit)
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
	    s->header_namespaces + XML_STANZA_NS_MAX ||
	    s->namespace_count == XML_NAMESPACES_MAX) {
		xml_tree_over(s, XML_LIMIT_NAMES);
		return "";
	}
	copy = arena_strndup(s->a, ns, len);
	if (!copy) {
		xml_tree_stop(s, ENOMEM, "out of memory");
		return "";
	}
	s->lengths[s->namespace_count] = (unsigned short)len;
	s->namespaces[s->namespace_count++] = copy;
	return copy;
}

void xml_tree_bind(struct xml_stream *s, const char *prefix, size_t n,
		   const char *ns, size_t len)
{
	struct xml_binding *b;

	if (s->binding_count == XML_BINDINGS_MAX) {
		xml_tree_over(s, XML_LIMIT_NAMES);
		return;
	}
	b = &s->bindings[s->binding_count];
	b->depth = s->depth;
	b->ns = namespace_intern(s, ns, len);
	b->prefix = n ? arena_strndup(s->a, prefix, n) : "";
	if (b->prefix)
		s->binding_count++;
	else
		xml_tree_stop(s, ENOMEM, "out of memory");
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
	return xml_char_is(c, XML_CHAR_START) || (unsigned char)c >= 0x80;
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
		xml_tree_ill_formed(s);
		return;
	}
	if (is_xml != equal(a->value, a->len, NS_XML) ||
	    equal(a->value, a->len, NS_XMLNS)) {
		xml_tree_ill_formed(s);
		return;
	}
	if (!is_xml)
		xml_tree_bind(s, prefix, n, a->value, a->len);
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
		xml_tree_ill_formed(s);
	return "";
}

/* Nobody has looked whether this starts a name: behind a prefix expat does
 * not. */
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
		xml_tree_ill_formed(s);
		return n->s;
	}
	if (odd_local(n))
		xml_tree_over(s, XML_LIMIT_NAMES);
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

/* Memory of the tree. It is counted here and not by the arena, whose blocks
 * depend on the stanzas before. */
static void *take(struct xml_stream *s, size_t n)
{
	s->tree_bytes += (n + PIECE - 1) & ~(size_t)(PIECE - 1);
	return arena_raw(s->a, n);
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
		at = take(s, sizeof(*at) + n + p->len + 2);
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
			xml_tree_ill_formed(s);
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
		xml_tree_ill_formed(s);
	name = qname(s, &tag->name, resolve(s, "", 0), &ns);
	n = (size_t)(tag->name.s + tag->name.len - name);
	e = take(s, sizeof(*e) + n + 1);
	if (!e)
		return NULL;
	*e = (struct xml_elem){ .ns = ns };
	e->name = put((char *)(e + 1), name, n);
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
	t = take(s, sizeof(*t) + s->text_len + 1);
	if (t) {
		char *text = memcpy(t + 1, s->text, s->text_len);

		text[s->text_len] = '\0';
		*t = (struct xml_elem){ .text = text };
		xml_append(s->open[s->depth - s->scan.base - 1], t);
	} else {
		xml_tree_stop(s, ENOMEM, "out of memory");
	}
	s->text_len = 0;
}

void xml_tree_start(struct xml_stream *s, const struct xml_tag *tag)
{
	struct xml_elem *e;
	unsigned at;

	if (!s->over && !s->replay)
		text_end(s);
	s->depth++;
	if (s->over || s->replay)
		return;
	if (s->depth <= s->scan.base + 1)
		s->tree_bytes = 0;
	e = elem_build(s, tag);
	if (!e) {
		xml_tree_stop(s, ENOMEM, "out of memory");
		return;
	}
	if (s->depth <= s->scan.base + 1)
		s->root = e;
	if (s->depth <= s->scan.base)
		return;
	/* Thousands of <a/> cost many times their size as a tree. */
	if (s->tree_bytes > TREE_FREE + TREE_TIMES * s->scan.bytes)
		xml_tree_over(s, XML_LIMIT_MEMORY);
	at = s->depth - s->scan.base - 1;
	s->open[at] = e;
	if (at)
		xml_append(s->open[at - 1], e);
}

void xml_tree_end(struct xml_stream *s)
{
	if (!s->over)
		text_end(s);
	while (s->binding_count &&
	       s->bindings[s->binding_count - 1].depth == s->depth)
		s->binding_count--;
	s->depth--;
}

void xml_tree_text(struct xml_stream *s, const char *text, size_t len)
{
	size_t need = s->text_len + len, size = s->text_size;
	char *grown;

	if (s->over || s->depth <= s->scan.base)
		return;
	if (need > size) {
		size += size < XML_SCRATCH_KEPT ? size : size / 4;
		if (size < 1024)
			size = 1024;
		if (size < need)
			size = need;
		grown = realloc(s->text, size);
		if (!grown) {
			xml_tree_stop(s, ENOMEM, "out of memory");
			return;
		}
		s->text = grown;
		s->text_size = size;
	}
	memcpy(s->text + s->text_len, text, len);
	s->text_len = need;
}
