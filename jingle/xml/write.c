/* write.c: serializes a tree into a buffer that grows, then into the arena. */
#include "jingle/xml/write.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_FIRST = 1024 };

struct out {
	char *p;                   /* malloc()ed */
	size_t n, size;
	bool failed;               /* out of memory */
};

/* A namespace of attributes, declared as prefix on the root: declared where
 * used, one long name would be repeated per attribute of the whole tree. */
struct prefix {
	struct prefix *next;
	const char *ns;
	char name[16];
};

/* One element whose end tag is still to be written. */
struct open {
	struct open *up;
	const struct xml_elem *e;
	const char *ns;            /* default namespace inside it */
};

struct writer {
	struct arena *a;
	struct out out;
	struct prefix *prefixes;
	unsigned prefix_count;
	struct open *top, *spare;
};

static bool grow(struct out *o, size_t n)
{
	size_t size = o->size ? 2 * o->size : BUFFER_FIRST;
	char *p;

	if (size < o->n + n)
		size = o->n + n;
	p = o->failed ? NULL : realloc(o->p, size);
	if (!p) {
		o->failed = true;
		return false;
	}
	o->p = p;
	o->size = size;
	return true;
}

static inline void put(struct out *o, const char *s, size_t n)
{
	if (!n || (n > o->size - o->n && !grow(o, n)))
		return;
	memcpy(o->p + o->n, s, n);
	o->n += n;
}

static void put_s(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* The length of the UTF-8 sequence at `s`, and its code point; a byte that
 * starts none has length 1 and gives UINT32_MAX. */
static size_t utf8_at(const unsigned char *s, uint32_t *cp_r)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp = s[0];
	size_t n, i;

	*cp_r = UINT32_MAX;
	if (cp < 0x80)
		n = 1;
	else if ((cp & 0xe0) == 0xc0)
		n = 2;
	else if ((cp & 0xf0) == 0xe0)
		n = 3;
	else if ((cp & 0xf8) == 0xf0)
		n = 4;
	else
		return 1;
	if (n > 1)
		cp &= 0x7fU >> n;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 1;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp >= least[n])
		*cp_r = cp;
	return n;
}

static bool xml_char(uint32_t cp)
{
	return cp == '\t' || cp == '\n' || cp == '\r' ||
	       (cp >= 0x20 && cp <= 0xd7ff) ||
	       (cp >= 0xe000 && cp <= 0xfffd) ||
	       (cp >= 0x10000 && cp <= 0x10ffff);
}

static const char *escape_of(unsigned char c, bool attr)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '\r':
		return "&#xD;";
	case '\'':
		return attr ? "&apos;" : NULL;
	case '"':
		return attr ? "&quot;" : NULL;
	case '\t':
		return attr ? "&#x9;" : NULL;
	case '\n':
		return attr ? "&#xA;" : NULL;
	default:
		return NULL;
	}
}

/* Nearly all there is: written as it stands. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '&' && c != '<' &&
	       c != '>' && c != '\'' && c != '"';
}

static void put_escaped(struct out *o, const char *text, bool attr)
{
	const char *s = text ? text : "", *from = s;

	for (;;) {
		while (is_plain((unsigned char)*s))
			s++;
		if (!*s)
			break;
		const char *esc = escape_of((unsigned char)*s, attr);
		size_t n = 1;

		if (!esc && ((unsigned char)*s < 0x20 ||
			     (unsigned char)*s >= 0x80)) {
			uint32_t cp;

			n = utf8_at((const unsigned char *)s, &cp);
			esc = xml_char(cp) ? NULL : "\xef\xbf\xbd";
		}
		if (esc) {
			put(o, from, (size_t)(s - from));
			put_s(o, esc);
			from = s + n;
		}
		s += n;
	}
	put(o, from, (size_t)(s - from));
}

static bool name_char(unsigned char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80 ||
	    c == '_')
		return true;
	return !first && (c == '-' || c == '.' || (c >= '0' && c <= '9'));
}

/* Names come from constants or from the parser; one that is no name must
 * not break the stream all the same. */
static void put_name(struct out *o, const char *name)
{
	const char *s = name;

	if (!*name)
		put(o, "_", 1);
	while (name_char((unsigned char)*s, s == name))
		s++;
	put(o, name, (size_t)(s - name));
	for (; *s; s++)
		put(o, name_char((unsigned char)*s, s == name) ? s : "_", 1);
}

static void put_attr(struct out *o, const char *prefix, const char *name,
		     const char *value)
{
	put(o, " ", 1);
	if (prefix) {
		put_s(o, prefix);
		put(o, ":", 1);
	}
	put_name(o, name);
	put(o, "='", 2);
	put_escaped(o, value, true);
	put(o, "'", 1);
}

static const char *prefix_of(struct writer *w, const char *ns)
{
	const struct prefix *p;

	if (!strcmp(ns, NS_XML))
		return "xml";
	for (p = w->prefixes; p; p = p->next)
		if (p->ns == ns || !strcmp(p->ns, ns))
			return p->name;
	return NULL;
}

static void prefixes_collect(struct writer *w, const struct xml_elem *e)
{
	const struct xml_attr *at;
	struct prefix *p;

	for (at = e->attrs; at; at = at->next) {
		if (!at->ns || !*at->ns || prefix_of(w, at->ns))
			continue;
		p = arena_alloc(w->a, sizeof(*p));
		if (!p)
			return;
		snprintf(p->name, sizeof(p->name), "n%u", w->prefix_count++);
		p->ns = at->ns;
		p->next = w->prefixes;
		w->prefixes = p;
	}
}

static void prefixes_put(struct writer *w)
{
	const struct prefix *p;

	for (p = w->prefixes; p; p = p->next) {
		put_s(&w->out, " xmlns:");
		put_s(&w->out, p->name);
		put(&w->out, "='", 2);
		put_escaped(&w->out, p->ns, true);
		put(&w->out, "'", 1);
	}
}

/* The name in a start or end tag. The namespace of xml:lang may be no
 * default namespace (Namespaces in XML, 3): the one element prefix. */
static void put_elem_name(struct writer *w, const struct xml_elem *e)
{
	if (!strcmp(e->ns, NS_XML))
		put(&w->out, "xml:", 4);
	put_name(&w->out, e->name);
}

/* A start tag without its end; returns the default namespace inside. */
static const char *put_start(struct writer *w, const struct xml_elem *e,
			     const char *outer, bool root)
{
	const struct xml_attr *at;
	const char *inner = outer;

	put(&w->out, "<", 1);
	put_elem_name(w, e);
	if (e->ns != outer && strcmp(e->ns, outer) && strcmp(e->ns, NS_XML)) {
		inner = e->ns;
		put_s(&w->out, " xmlns='");
		put_escaped(&w->out, inner, true);
		put(&w->out, "'", 1);
	}
	if (root)
		prefixes_put(w);
	for (at = e->attrs; at; at = at->next) {
		if (at->ns && *at->ns)
			put_attr(&w->out, prefix_of(w, at->ns), at->name,
				 at->value);
		else if (strcmp(at->name, "xmlns"))
			put_attr(&w->out, NULL, at->name, at->value);
	}
	return inner;
}

static bool push(struct writer *w, const struct xml_elem *e, const char *ns)
{
	struct open *o = w->spare;

	if (o)
		w->spare = o->up;
	else
		o = arena_alloc(w->a, sizeof(*o));
	if (!o)
		return false;
	*o = (struct open){ w->top, e, ns };
	w->top = o;
	return true;
}

static const struct xml_elem *pop(struct writer *w)
{
	struct open *o = w->top;

	w->top = o->up;
	o->up = w->spare;
	w->spare = o;
	return o->e;
}

static void put_end(struct writer *w, const struct xml_elem *e)
{
	put(&w->out, "</", 2);
	put_elem_name(w, e);
	put(&w->out, ">", 1);
}

/* Writes one node; returns the one that follows inside it or beside it. */
static const struct xml_elem *put_node(struct writer *w,
				       const struct xml_elem *e,
				       const char *ns)
{
	const char *inner;

	if (!e->name) {
		put_escaped(&w->out, e->text, false);
		return e->next;
	}
	inner = put_start(w, e, ns, !w->top);
	put_s(&w->out, e->first ? ">" : "/>");
	if (!e->first)
		return w->top ? e->next : NULL;
	return push(w, e, inner) ? e->first : NULL;
}

static void put_tree(struct writer *w, const struct xml_elem *root,
		     const char *ns)
{
	const struct xml_elem *e = put_node(w, root, ns);

	while (w->top && !arena_failed(w->a)) {
		if (e) {
			e = put_node(w, e, w->top->ns);
			continue;
		}
		e = pop(w);
		put_end(w, e);
		e = w->top ? e->next : NULL;
	}
}

/* Collects the namespaces of attributes of the whole tree. */
static void prefixes_scan(struct writer *w, const struct xml_elem *root)
{
	const struct xml_elem *e = root;

	for (;;) {
		if (e && e->name)
			prefixes_collect(w, e);
		if (e && e->name && e->first && push(w, e, NULL)) {
			e = e->first;
			continue;
		}
		if (arena_failed(w->a))
			return;
		if (e && e != root && e->next) {
			e = e->next;
			continue;
		}
		if (!w->top)
			return;
		e = pop(w);
		if (e == root)
			return;
		e = e->next;
	}
}

char *xml_write(struct arena *a, const struct xml_elem *e,
		const char *default_ns, size_t *len_r)
{
	struct writer w = { .a = a };
	const char *ns = default_ns ? default_ns : "";
	char *text = NULL;

	if (!e || !e->name || arena_failed(a))
		return NULL;
	prefixes_scan(&w, e);
	put_tree(&w, e, ns);
	if (!w.out.failed && !arena_failed(a))
		text = arena_strndup(a, w.out.p, w.out.n);
	if (len_r)
		*len_r = w.out.n;
	free(w.out.p);
	return text;
}
