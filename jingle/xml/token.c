/* token.c: plain tags and texts, and an answer of "odd" to everything else. */
#include "jingle/xml/token.h"

#include <string.h>
#include "jingle/xml/plain.h"
#include "jingle/xml/scan.h"

void xml_tokens_init(struct xml_tokens *t, const char *text, size_t n)
{
	t->p = text;
	t->end = text + n;
	t->elems = t->attrs = 0;
	t->depth = 0;
}

/* The end of the part of a name that starts at `p`; `p`: there is none. */
static const char *part(const char *p, const char *end)
{
	if (p < end && xml_char_is(*p, XML_CHAR_START))
		for (p++; p < end && xml_char_is(*p, XML_CHAR_NAME); p++)
			;
	return p;
}

/* Namespaces in XML 1.0, 4: one colon at most, a part on each side of it. */
static bool name(struct xml_tokens *t, struct xml_name *n)
{
	const char *from = t->p, *p = part(from, t->end), *local;

	if (p == from)
		return false;
	n->s = from;
	n->colon = 0;
	if (p < t->end && *p == ':') {
		n->colon = (size_t)(p - from);
		local = p + 1;
		p = part(local, t->end);
		if (p == local)
			return false;
	}
	n->len = (size_t)(p - from);
	t->p = p;
	return n->len <= XML_NAME_MAX;
}

static bool same(const struct xml_name *a, const struct xml_name *b)
{
	return a->len == b->len && !memcmp(a->s, b->s, a->len);
}

/* ` name='value'` */
static bool attr(struct xml_tokens *t, struct xml_pair *a)
{
	const char *close;

	t->p++;
	if (!name(t, &a->name) || t->end - t->p < 2 || t->p[0] != '=' ||
	    (t->p[1] != '\'' && t->p[1] != '"'))
		return false;
	a->value = t->p + 2;
	close = memchr(a->value, t->p[1], (size_t)(t->end - a->value));
	if (!close)
		return false;
	a->len = (size_t)(close - a->value);
	if (xml_plain(a->value, a->len) < a->len)
		return false;
	t->p = close + 1;
	for (const struct xml_pair *b = t->tag.attrs; b < a; b++)
		if (same(&b->name, &a->name))
			return false;
	return true;
}

static enum xml_token start(struct xml_tokens *t)
{
	struct xml_tag *tag = &t->tag;

	tag->count = 0;
	if (t->depth == XML_TOKEN_DEPTH_MAX || !name(t, &tag->name))
		return XML_TOKEN_ODD;
	while (t->p < t->end && *t->p == ' ') {
		if (tag->count == XML_TAG_ATTRS_MAX ||
		    !attr(t, &tag->attrs[tag->count]))
			return XML_TOKEN_ODD;
		tag->count++;
	}
	t->empty = t->p < t->end && *t->p == '/';
	t->p += t->empty;
	if (t->p == t->end || *t->p != '>')
		return XML_TOKEN_ODD;
	t->p++;
	if (!t->empty)
		t->open[t->depth++] = tag->name;
	t->elems++;
	t->attrs += tag->count;
	return XML_TOKEN_START;
}

static enum xml_token finish(struct xml_tokens *t)
{
	const struct xml_name *n = &t->open[t->depth - 1];

	if ((size_t)(t->end - t->p) <= n->len || t->p[n->len] != '>' ||
	    memcmp(t->p, n->s, n->len) != 0)
		return XML_TOKEN_ODD;
	t->p += n->len + 1;
	t->depth--;
	return XML_TOKEN_END;
}

static enum xml_token text(struct xml_tokens *t)
{
	const char *lt = memchr(t->p, '<', (size_t)(t->end - t->p));

	if (!lt)
		return XML_TOKEN_ODD;
	t->text = t->p;
	t->len = (size_t)(lt - t->p);
	t->p = lt;
	return xml_plain(t->text, t->len) < t->len ? XML_TOKEN_ODD :
						     XML_TOKEN_TEXT;
}

enum xml_token xml_tokens_next(struct xml_tokens *t)
{
	if (!t->depth && t->elems)
		return XML_TOKEN_DONE;
	if (t->p == t->end || (*t->p != '<' && !t->depth))
		return XML_TOKEN_ODD;
	if (*t->p != '<')
		return text(t);
	t->p++;
	if (t->depth && t->p < t->end && *t->p == '/') {
		t->p++;
		return finish(t);
	}
	return start(t);
}
