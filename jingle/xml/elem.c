/* elem.c: building, reading and copying element trees. */
#include "jingle/xml/elem.h"

#include <string.h>

/* Set to nothing here: a call of memset() costs more than that. */
static struct xml_elem *elem_new(struct arena *a)
{
	struct xml_elem *e = arena_raw(a, sizeof(*e));

	if (e)
		*e = (struct xml_elem){ 0 };
	return e;
}

struct xml_elem *xml_new(struct arena *a, const char *ns, const char *name)
{
	struct xml_elem *e = elem_new(a);

	if (!e)
		return NULL;
	e->ns = ns && *ns ? arena_strdup(a, ns) : "";
	e->name = arena_strdup(a, name ? name : "");
	return e->ns && e->name ? e : NULL;
}

void xml_append(struct xml_elem *parent, struct xml_elem *child)
{
	if (!parent || !child)
		return;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

struct xml_elem *xml_add(struct arena *a, struct xml_elem *parent,
			 const char *ns, const char *name)
{
	struct xml_elem *e;

	if (!parent)
		return NULL;
	if (ns && strcmp(ns, parent->ns))
		e = xml_new(a, ns, name);
	else
		e = xml_new(a, NULL, name);
	if (!e)
		return NULL;
	if (!*e->ns && (!ns || *ns))
		e->ns = parent->ns;
	xml_append(parent, e);
	return e;
}

void xml_add_text(struct arena *a, struct xml_elem *e, const char *text)
{
	struct xml_elem *t;

	if (!e || !text || !*text)
		return;
	t = elem_new(a);
	if (!t)
		return;
	t->text = arena_strdup(a, text);
	if (t->text)
		xml_append(e, t);
}

/* Most texts that are compared differ in their first two characters. */
static bool same(const char *x, const char *y)
{
	if (x == y)
		return true;
	if (*x != *y)
		return false;
	return !*x || (x[1] == y[1] && !strcmp(x + 1, y + 1));
}

/* NULL and "" both mean: no namespace. */
static bool ns_same(const char *x, const char *y)
{
	if (!x || !y)
		return !(x && *x) && !(y && *y);
	return same(x, y);
}

static struct xml_attr **attr_find(struct xml_elem *e, const char *ns,
				   const char *name)
{
	struct xml_attr **at = &e->attrs;

	while (*at && (!same((*at)->name, name) || !ns_same((*at)->ns, ns)))
		at = &(*at)->next;
	return at;
}

/* `e` has attributes of its own, which are those of `from`. */
static bool attrs_copy(struct arena *a, const struct xml_attr *from,
		       struct xml_elem *e, bool share)
{
	struct xml_attr *list = NULL, **at = &list;

	for (; from; from = from->next) {
		struct xml_attr *t = arena_raw(a, sizeof(*t));

		if (!t)
			return false;
		*t = *from;
		t->next = NULL;
		if (!share) {
			t->ns = arena_strdup(a, from->ns);
			t->name = arena_strdup(a, from->name);
			t->value = arena_strdup(a, from->value);
		}
		*at = t;
		at = &t->next;
	}
	if (arena_failed(a))
		return false;
	e->attrs = list;
	e->borrows = false;
	return true;
}

void xml_set_ns(struct arena *a, struct xml_elem *e, const char *ns,
		const char *name, const char *value)
{
	struct xml_attr **at, *attr;
	const char *copy;

	if (!e || !e->name || !name ||
	    (e->borrows && !attrs_copy(a, e->attrs, e, true)))
		return;
	at = attr_find(e, ns, name);
	if (!value) {
		if (*at)
			*at = (*at)->next;
		return;
	}
	copy = arena_strdup(a, value);
	if (!copy)
		return;
	if (*at) {
		(*at)->value = copy;
		return;
	}
	attr = arena_raw(a, sizeof(*attr));
	if (!attr)
		return;
	attr->next = NULL;
	attr->ns = ns && *ns ? arena_strdup(a, ns) : NULL;
	attr->name = arena_strdup(a, name);
	attr->value = copy;
	if (attr->name && (attr->ns || !ns || !*ns))
		*at = attr;
}

void xml_set(struct arena *a, struct xml_elem *e, const char *name,
	     const char *value)
{
	xml_set_ns(a, e, NULL, name, value);
}

const char *xml_get_ns(const struct xml_elem *e, const char *ns,
		       const char *name)
{
	const struct xml_attr *at;

	if (!e || !name)
		return NULL;
	for (at = e->attrs; at; at = at->next)
		if (same(at->name, name) && ns_same(at->ns, ns))
			return at->value;
	return NULL;
}

/* As xml_get_ns() without one, and for what is asked most of all. */
const char *xml_get(const struct xml_elem *e, const char *name)
{
	const struct xml_attr *at;

	if (!e || !name)
		return NULL;
	for (at = e->attrs; at; at = at->next)
		if (*at->name == *name && same(at->name, name) &&
		    (!at->ns || !*at->ns))
			return at->value;
	return NULL;
}

bool xml_is(const struct xml_elem *e, const char *ns, const char *name)
{
	return e && e->name && (!name || same(e->name, name)) &&
	       (!ns || same(e->ns, ns));
}

static struct xml_elem *elem_from(struct xml_elem *e, const char *ns,
				  const char *name)
{
	while (e && !xml_is(e, ns, name))
		e = e->next;
	return e;
}

struct xml_elem *xml_child(const struct xml_elem *e, const char *ns,
			   const char *name)
{
	return e ? elem_from(e->first, ns, name) : NULL;
}

struct xml_elem *xml_next(const struct xml_elem *e, const char *ns,
			  const char *name)
{
	return e ? elem_from(e->next, ns, name) : NULL;
}

const char *xml_text(struct arena *a, const struct xml_elem *e)
{
	const struct xml_elem *c, *only = NULL;
	size_t n = 0, count = 0;
	char *text, *p;

	if (!e)
		return NULL;
	for (c = e->first; c; c = c->next) {
		if (c->name)
			continue;
		n += strlen(c->text);
		count++;
		only = c;
	}
	if (count < 2)
		return only ? only->text : "";
	text = arena_alloc(a, n + 1);
	if (!text)
		return NULL;
	for (c = e->first, p = text; c; c = c->next) {
		if (c->name)
			continue;
		n = strlen(c->text);
		memcpy(p, c->text, n);
		p += n;
	}
	return text;
}

void xml_remove(struct xml_elem *parent, struct xml_elem *child)
{
	struct xml_elem **at, *prev = NULL;

	if (!parent || !child)
		return;
	for (at = &parent->first; *at && *at != child; at = &(*at)->next)
		prev = *at;
	if (!*at)
		return;
	*at = child->next;
	if (parent->last == child)
		parent->last = prev;
	child->next = NULL;
}

/* One open element of a copy in progress. */
struct copy {
	struct copy *up;
	const struct xml_elem *from;   /* next child to be copied */
	struct xml_elem *to;           /* where its copy goes */
};

static struct xml_elem *one_copy(struct arena *a, const struct xml_elem *e,
				 struct xml_elem *parent, bool share)
{
	struct xml_elem *c = elem_new(a);

	if (!c)
		return NULL;
	if (share) {
		*c = *e;
		c->next = c->first = c->last = NULL;
		if (c->name)
			c->borrows = true;
	} else if (!e->name) {
		c->text = arena_strdup(a, e->text);
	} else {
		c->name = arena_strdup(a, e->name);
		if (parent && !strcmp(parent->ns, e->ns))
			c->ns = parent->ns;
		else
			c->ns = arena_strdup(a, e->ns);
		attrs_copy(a, e->attrs, c, false);
	}
	if (arena_failed(a))
		return NULL;
	xml_append(parent, c);
	return c;
}

static struct xml_elem *tree_copy(struct arena *a, const struct xml_elem *e,
				  bool share)
{
	struct copy *top = NULL, *spare = NULL;
	struct xml_elem *root = e ? one_copy(a, e, NULL, share) : NULL;
	const struct xml_elem *from = root ? e->first : NULL;
	struct xml_elem *to = root;

	for (;;) {
		struct xml_elem *c;
		struct copy *f;

		if (!from) {
			if (!top)
				return root;
			f = top;
			from = f->from;
			to = f->to;
			top = f->up;
			f->up = spare;
			spare = f;
			continue;
		}
		c = one_copy(a, from, to, share);
		if (!c)
			return NULL;
		if (!from->first) {
			from = from->next;
			continue;
		}
		f = spare ? spare : arena_raw(a, sizeof(*f));
		if (!f)
			return NULL;
		if (spare)
			spare = spare->up;
		*f = (struct copy){ top, from->next, to };
		top = f;
		to = c;
		from = from->first;
	}
}

struct xml_elem *xml_copy(struct arena *a, const struct xml_elem *e)
{
	return tree_copy(a, e, false);
}

struct xml_elem *xml_copy_sharing(struct arena *a, const struct xml_elem *e)
{
	return tree_copy(a, e, true);
}

struct xml_kept *xml_keep(const struct xml_elem *e, size_t cap)
{
	struct arena *a = e ? arena_new(cap) : NULL;
	struct xml_kept *k = a ? arena_alloc(a, sizeof(*k)) : NULL;

	if (k) {
		k->arena = a;
		k->elem = xml_copy(a, e);
		if (k->elem)
			return k;
	}
	arena_free(a);
	return NULL;
}

void xml_kept_free(struct xml_kept *k)
{
	if (k)
		arena_free(k->arena);
}
