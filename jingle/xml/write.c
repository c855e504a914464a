/* write.c: serializes a tree into a buffer that grows, then into the arena. */
#include "jingle/xml/write.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/xml/plain.h"

enum { BUFFER_FIRST = 16384 };

struct out {
	char *p;                   /* `first`, or malloc()ed */
	size_t n, size;
	bool failed;               /* out of memory */
	char first[BUFFER_FIRST];  /* most stanzas never leave it */
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
	bool undeclared;           /* an attribute's prefix is missing */
	struct open *top, *spare;
};

/* Seldom, so in one place: put() is in most functions. */
static __attribute__((noinline)) bool grow(struct out *o, size_t n)
{
	bool first = o->p == o->first;
	size_t size = 2 * o->size;
	char *p;

	if (size < o->n + n)
		size = o->n + n;
	p = o->failed ? NULL : realloc(first ? NULL : o->p, size);
	if (!p) {
		o->failed = true;
		return false;
	}
	if (first)
		memcpy(p, o->first, o->n);
	o->p = p;
	o->size = size;
	return true;
}

static inline bool room(struct out *o, size_t n)
{
	return n <= o->size - o->n || grow(o, n);
}

static inline void put(struct out *o, const char *s, size_t n)
{
	if (!n || !room(o, n))
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

/* Writes `from`; what is before `s` needs no escape. */
static void put_odd(struct out *o, const char *from, const char *s,
		    bool attr)
{
	while (*s) {
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

static void put_escaped(struct out *o, const char *text, bool attr)
{
	size_t len = text ? strlen(text) : 0, n = xml_plain(text, len);

	if (n == len)
		put(o, text, len);
	else
		put_odd(o, text, text + n, attr);
}

static bool name_char(char c, bool first)
{
	return xml_char_is(c, first ? XML_CHAR_START : XML_CHAR_WRITTEN) ||
	       (unsigned char)c >= 0x80;
}

/* The length of `name` if it is one, else 0. */
static size_t name_length(const char *name)
{
	const char *s = name;

	if (!name_char(*s, true))
		return 0;
	while (xml_char_is(*s, XML_CHAR_WRITTEN))
		s++;
	return *s ? 0 : (size_t)(s - name);
}

/* Names come from constants or from the parser; one that is no name must
 * not break the stream all the same. */
static void put_name(struct out *o, const char *name)
{
	size_t n = name_length(name);
	const char *s;

	if (n) {
		put(o, name, n);
		return;
	}
	if (!*name)
		put(o, "_", 1);
	for (s = name; *s; s++)
		put(o, name_char(*s, s == name) ? s : "_", 1);
}

static void put_odd_attr(struct out *o, const char *prefix, const char *name,
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

/* Nearly every attribute has no prefix and a plain value. */
static void put_attr(struct out *o, const char *prefix, const char *name,
		     const char *value)
{
	size_t len = value ? strlen(value) : 0, n = name_length(name);
	char *p;

	if (prefix || !n || xml_plain(value, len) < len) {
		put_odd_attr(o, prefix, name, value);
		return;
	}
	if (!room(o, n + len + 4))
		return;
	p = o->p + o->n;
	*p++ = ' ';
	p = (char *)memcpy(p, name, n) + n;
	*p++ = '=';
	*p++ = '\'';
	if (len)
		memcpy(p, value, len);
	p[len] = '\'';
	o->n += n + len + 4;
}

static bool is_xml_ns(const char *ns)
{
	return *ns == *NS_XML && !strcmp(ns, NS_XML);
}

/* NULL: none yet. */
static const char *prefix_of(const struct writer *w, const char *ns)
{
	const struct prefix *p;

	if (is_xml_ns(ns))
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
	if (is_xml_ns(e->ns))
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
	if (e->ns != outer && strcmp(e->ns, outer) && !is_xml_ns(e->ns)) {
		inner = e->ns;
		put(&w->out, " xmlns='", 8);
		put_escaped(&w->out, inner, true);
		put(&w->out, "'", 1);
	}
	if (root)
		prefixes_put(w);
	for (at = e->attrs; at; at = at->next) {
		if (at->ns && *at->ns) {
			const char *prefix = prefix_of(w, at->ns);

			w->undeclared = w->undeclared || !prefix;
			put_attr(&w->out, prefix, at->name, at->value);
		} else if (*at->name != 'x' || strcmp(at->name, "xmlns")) {
			put_attr(&w->out, NULL, at->name, at->value);
		}
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
	if (!e->first) {
		put(&w->out, "/>", 2);
		return w->top ? e->next : NULL;
	}
	put(&w->out, ">", 1);
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

/* Without a word on the buffer, which is large. */
static void writer_init(struct writer *w, struct arena *a)
{
	w->a = a;
	w->out.p = w->out.first;
	w->out.n = 0;
	w->out.size = sizeof(w->out.first);
	w->out.failed = false;
	w->prefixes = NULL;
	w->prefix_count = 0;
	w->undeclared = false;
	w->top = w->spare = NULL;
}

char *xml_write(struct arena *a, const struct xml_elem *e,
		const char *default_ns, size_t *len_r)
{
	struct writer w;
	const char *ns = default_ns ? default_ns : "";
	char *text = NULL;

	if (!e || !e->name || arena_failed(a))
		return NULL;
	writer_init(&w, a);
	put_tree(&w, e, ns);
	/* Few trees have attributes with a namespace, so few are read twice. */
	if (w.undeclared && !arena_failed(a)) {
		w.top = NULL;
		w.out.n = 0;
		prefixes_scan(&w, e);
		put_tree(&w, e, ns);
	}
	if (!w.out.failed && !arena_failed(a))
		text = arena_strndup(a, w.out.p, w.out.n);
	if (len_r)
		*len_r = w.out.n;
	if (w.out.p != w.out.first)
		free(w.out.p);
	return text;
}
