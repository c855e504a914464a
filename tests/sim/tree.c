/* tree.c: a stanza of ours as the tree that parse.c would make of it. Users'
 * stanzas are texts of one form (client.c), and to parse each of them as what
 * a network brings costs more than the call it belongs to. So fifteen of
 * sixteen seeds take this way; the last goes through the parser, and there both
 * trees must be the same.
 */
#include "jingle/stanza/ns.h"
#include "tests/sim/sim.h"

#define DEPTH 16

struct reader {
	struct arena *a;
	char *at;                  /* in a copy of the text, cut into words */
	struct xml_elem *open[DEPTH];
	unsigned depth;
};

/* The word before `at`, behind which it goes on. */
static char *cut(struct reader *r, char *at, char *end_r)
{
	char *from = r->at;

	*end_r = *at;
	if (*at)
		*at++ = 0;
	r->at = at;
	return from;
}

static char *word_to(struct reader *r, char end, char *end_r)
{
	return cut(r, strchrnul(r->at, end), end_r);
}

static char *name_of_tag(struct reader *r, char *end_r)
{
	char *at = r->at;

	while (*at && *at != ' ' && *at != '/' && *at != '>')
		at++;
	return cut(r, at, end_r);
}

static bool has_prefix(const char *name)
{
	while (*name && *name != ':')
		name++;
	return *name;
}

static bool read_attr(struct reader *r, struct xml_elem *e,
		      struct xml_attr ***end)
{
	struct xml_attr *x;
	char *name, *value, c;

	name = word_to(r, '=', &c);
	if (*r->at++ != '\'')
		return false;
	value = word_to(r, '\'', &c);
	if (!c)
		return false;
	if (strcmp(name, "xmlns") == 0) {
		e->ns = value;
		return true;
	}
	x = arena_alloc(r->a, sizeof(*x));
	x->name = name;
	x->value = value;
	**end = x;
	*end = &x->next;
	return !has_prefix(name);
}

/* Behind its '<'. */
static bool read_start(struct reader *r)
{
	struct xml_elem *e = arena_alloc(r->a, sizeof(*e));
	struct xml_attr **end = &e->attrs;
	char c;

	if (r->depth == DEPTH)
		return false;
	e->name = name_of_tag(r, &c);
	e->ns = r->depth ? r->open[r->depth - 1]->ns : NS_COMPONENT;
	while (c == ' ') {
		if (!read_attr(r, e, &end))
			return false;
		c = *r->at++;
	}
	if (r->depth)
		xml_append(r->open[r->depth - 1], e);
	r->open[r->depth] = e;
	if (c == '/')
		return *r->at++ == '>';
	r->depth++;
	return c == '>';
}

static void read_text(struct reader *r, char *text, char *end)
{
	struct xml_elem *t;

	if (text == end || !r->depth)
		return;
	t = arena_alloc(r->a, sizeof(*t));
	t->text = text;
	xml_append(r->open[r->depth - 1], t);
}

static bool words_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool attrs_same(const struct xml_attr *a, const struct xml_attr *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (!words_same(a->ns, b->ns) ||
		    !words_same(a->name, b->name) ||
		    !words_same(a->value, b->value))
			return false;
	return a == b;
}

bool tree_same(const struct xml_elem *a, const struct xml_elem *b)
{
	if (!words_same(a->name, b->name) || !words_same(a->text, b->text) ||
	    !words_same(a->ns, b->ns) || !attrs_same(a->attrs, b->attrs))
		return false;
	for (a = a->first, b = b->first; a && b; a = a->next, b = b->next)
		if (!tree_same(a, b))
			return false;
	return a == b;
}

struct xml_elem *tree_read(struct arena *a, const char *text, size_t len)
{
	struct reader r = { .a = a, .at = arena_strndup(a, text, len) };
	char *from, *end;

	if (strchr(text, '&'))
		return NULL;           /* nothing that must be unescaped */
	do {
		from = r.at;
		end = strchr(from, '<');
		if (!end)
			return NULL;
		r.at = end + 1;
		read_text(&r, from, end);
		*end = 0;
		if (*r.at != '/') {
			if (!read_start(&r))
				return NULL;
			continue;
		}
		r.at = strchr(r.at, '>');
		if (!r.at || !r.depth)
			return NULL;
		r.at++;
		r.depth--;
	} while (r.depth);
	return *r.at ? NULL : r.open[0];
}
