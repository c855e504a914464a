/* trace.c: what was said in a call, for `privatecallctl trace`: a bounded text
 * per call, one line per event and stanza. A stanza is shown by its names and
 * attributes, as far as they fit: no text, and no password of ICE.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"

#define TRACE_BYTES 5120           /* per call: the most of its memory */
#define TRACE_LINE 240
#define TRACE_DEPTH 3              /* of elements shown */

struct line {
	char text[TRACE_LINE];
	size_t len;
	bool full;
};

static size_t char_size(unsigned char c)
{
	return c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* Control characters, those of C1 too, line separators and marks of writing
 * direction reach neither a terminal nor the next line (A39). */
static bool is_control(const unsigned char *c)
{
	if (c[0] < 32 || c[0] == 127 || (c[0] == 0xc2 && c[1] < 0xa0))
		return true;
	return c[0] == 0xe2 &&
	       ((c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f ||
				  (c[2] >= 0xa8 && c[2] <= 0xae))) ||
		(c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* What a line shows as it is. `value`: what could end it is masked, so that no
 * peer forges an element. */
static bool is_plain(unsigned char c, bool value)
{
	if (value && (c == '\'' || c == '<' || c == '>' || c == '&'))
		return false;
	return c >= 32 && c < 127;
}

/* Whole characters only: half of one is no UTF-8, and no JSON. */
static void put_char(struct line *l, const char *s, size_t n, bool value)
{
	if (strnlen(s, n) < n || l->len + n >= sizeof(l->text)) {
		l->full = true;
	} else if (n == 1 ? !is_plain((unsigned char)*s, value) :
		   is_control((const unsigned char *)s)) {
		l->text[l->len++] = '?';
	} else {
		memcpy(l->text + l->len, s, n);
		l->len += n;
	}
}

static void put_text(struct line *l, const char *s, bool value)
{
	size_t room = sizeof(l->text) - 1 - l->len, n;

	for (n = 0; n < room && is_plain((unsigned char)s[n], value); n++)
		l->text[l->len + n] = s[n];
	l->len += n;
	for (s += n; *s && !l->full; s += n) {
		n = char_size((unsigned char)*s);
		put_char(l, s, n, value);
	}
}

static void put(struct line *l, const char *s)
{
	put_text(l, s, false);
}

static void put_value(struct line *l, const char *s)
{
	put_text(l, s, true);
}

static void append(struct call_entry *e, const char *mark, struct line *l)
{
	char head[64];
	size_t n, cut;
	char *more;

	n = (size_t)snprintf(head, sizeof(head), "%lld %s ",
			     (long long)clock_wall(), mark);
	while (e->trace_len + n + l->len + 1 > TRACE_BYTES) {
		more = memchr(e->trace, '\n', e->trace_len);
		cut = more ? (size_t)(more - e->trace) + 1 : e->trace_len;
		e->trace_len -= cut;
		memmove(e->trace, e->trace + cut, e->trace_len);
	}
	more = realloc(e->trace, e->trace_len + n + l->len + 2);
	if (!more)
		return;
	e->trace = more;
	more += e->trace_len;
	memcpy(more, head, n);
	memcpy(more + n, l->text, l->len);
	memcpy(more + n + l->len, "\n", 2);
	e->trace_len += n + l->len + 1;
}

void trace_words(struct call_entry *e, const char *mark, const char *words,
		 const char *more)
{
	struct line l = { .len = 0 };

	put(&l, words);
	if (more) {
		put(&l, " ");
		put(&l, more);
	}
	append(e, mark, &l);
}

static void put_elem(struct line *l, const struct xml_elem *e, int depth)
{
	const struct xml_attr *a;
	const struct xml_elem *c;

	put(l, "<");
	put(l, e->name);
	for (a = e->attrs; a && !l->full; a = a->next) {
		bool secret = strcmp(a->name, "pwd") == 0;

		put(l, " ");
		put(l, a->name);
		put(l, "='");
		put_value(l, secret ? "..." : a->value);
		put(l, "'");
	}
	put(l, ">");
	for (c = e->first; c && !l->full && depth < TRACE_DEPTH; c = c->next)
		if (c->name)
			put_elem(l, c, depth + 1);
}

void trace_stanza(struct call_entry *e, const char *mark,
		  const struct xml_elem *stanza)
{
	struct line l = { .len = 0 };

	put_elem(&l, stanza, 0);
	append(e, mark, &l);
}
