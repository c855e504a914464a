/* trace.c: what was said in a call, for `privatecallctl trace`: a bounded text
 * per call, one line per event and stanza. A stanza is shown by its names and
 * attributes, as far as they fit: no text, and no password of ICE.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <stdlib.h>
#include <string.h>
#include "jingle/xml/plain.h"

#define TRACE_BYTES 4864           /* per call: the most of its memory */
#define TRACE_FIRST 640            /* a call that is refused needs no more */
#define TRACE_LINE 240
#define TRACE_TIME 24              /* digits, mark and blanks before it */
#define LINE_END (TRACE_TIME + TRACE_LINE)
#define TRACE_DEPTH 3              /* of elements shown */

struct line {
	char text[LINE_END + 1];   /* from TRACE_TIME on; before it room */
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
	if (strnlen(s, n) < n || l->len + n >= LINE_END) {
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
	size_t room = LINE_END - 1 - l->len, n;

	n = xml_plain(s, strnlen(s, room));
	memcpy(l->text + l->len, s, n);
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

/* What is ours, and plain. */
static void put_own(struct line *l, const char *s, size_t n)
{
	if (l->len + n >= LINE_END) {
		l->full = true;
		return;
	}
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

/* --- the ring ----------------------------------------------------------- */

/* Copies what is kept to `to`, oldest first. */
static void unroll(const struct call_trace *t, char *to)
{
	size_t first = t->size - t->from;

	if (first > t->len)
		first = t->len;
	memcpy(to, t->ring + t->from, first);
	memcpy(to + first, t->ring, t->len - first);
}

static bool grow(struct spares *spares, struct call_trace *t)
{
	size_t size = t->size ? 2u * t->size : TRACE_FIRST;
	char *ring;

	if (size > TRACE_BYTES)
		size = TRACE_BYTES;
	ring = spare_take(spares, size);
	if (!ring)
		return false;
	if (t->len)
		unroll(t, ring);
	spare_give(spares, t->ring, t->size);
	t->ring = ring;
	t->size = (unsigned short)size;
	t->from = 0;
	return true;
}

/* Of the oldest one, which may go on at the front of the ring. */
static size_t line_length(const struct call_trace *t)
{
	const char *from = t->ring + t->from, *end;
	size_t first = t->size - t->from;

	if (first > t->len)
		first = t->len;
	end = memchr(from, '\n', first);
	if (end)
		return (size_t)(end - from) + 1;
	end = memchr(t->ring, '\n', t->len - first);
	return end ? first + (size_t)(end - t->ring) + 1 : t->len;
}

/* Makes room by growing, then by forgetting the oldest lines. */
static void append(struct call_entry *e, const char *s, size_t n)
{
	struct call_trace *t = &e->trace;
	size_t at, first;

	while (t->len + n > t->size && t->size < TRACE_BYTES)
		if (!grow(&e->dm->spares, t))
			break;
	if (n > t->size)
		return;                /* no memory */
	while (t->len + n > t->size) {
		first = line_length(t);
		t->from = (unsigned short)((t->from + first) % t->size);
		t->len = (unsigned short)(t->len - first);
	}
	at = (t->from + t->len) % t->size;
	first = n < t->size - at ? n : t->size - at;
	memcpy(t->ring + at, s, first);
	memcpy(t->ring, s + first, n - first);
	t->len = (unsigned short)(t->len + n);
}

/* The time, in milliseconds, and the mark go in front of the text. */
static void line_end(struct call_entry *e, const char *mark, struct line *l)
{
	char *p = l->text + TRACE_TIME;
	uint64_t t = (uint64_t)e->dm->step_wall;

	l->text[l->len] = '\n';
	*--p = ' ';
	*--p = *mark;
	*--p = ' ';
	do {
		*--p = (char)('0' + t % 10);
		t /= 10;
	} while (t > 0);
	append(e, p, (size_t)(l->text + l->len + 1 - p));
}

void trace_words(struct call_entry *e, const char *mark, const char *words,
		 const char *more)
{
	struct line l;

	l.len = TRACE_TIME;
	l.full = false;
	put(&l, words);
	if (more) {
		put_own(&l, " ", 1);
		put(&l, more);
	}
	line_end(e, mark, &l);
}

static void put_odd_attr(struct line *l, const char *name, const char *value)
{
	put_own(l, " ", 1);
	put(l, name);
	put_own(l, "='", 2);
	put_value(l, value);
	put_own(l, "'", 1);
}

/* Nearly every attribute is plain, and fits. */
static void put_attr(struct line *l, const char *name, const char *value)
{
	size_t room = LINE_END - l->len;
	size_t n = strnlen(name, room), m = strnlen(value, room);
	char *o = l->text + l->len;

	if (n + m + 4 >= room || xml_plain(name, n) < n ||
	    xml_plain(value, m) < m) {
		put_odd_attr(l, name, value);
		return;
	}
	*o++ = ' ';
	memcpy(o, name, n);
	o += n;
	*o++ = '=';
	*o++ = '\'';
	memcpy(o, value, m);
	o[m] = '\'';
	l->len += n + m + 4;
}

static void put_elem(struct line *l, const struct xml_elem *e, int depth)
{
	const struct xml_attr *a;
	const struct xml_elem *c;

	put_own(l, "<", 1);
	put(l, e->name);
	for (a = e->attrs; a && !l->full; a = a->next) {
		bool secret = *a->name == 'p' && !strcmp(a->name, "pwd");

		put_attr(l, a->name, secret ? "..." : a->value);
	}
	put_own(l, ">", 1);
	for (c = e->first; c && !l->full && depth < TRACE_DEPTH; c = c->next)
		if (c->name)
			put_elem(l, c, depth + 1);
}

void trace_stanza(struct call_entry *e, const char *mark,
		  const struct xml_elem *stanza)
{
	struct line l;

	l.len = TRACE_TIME;
	l.full = false;
	put_elem(&l, stanza, 0);
	line_end(e, mark, &l);
}

char *trace_text(const struct call_entry *e)
{
	const struct call_trace *t = &e->trace;
	char *text = malloc(t->len + 1u);

	if (!text)
		return NULL;
	if (t->len)
		unroll(t, text);
	text[t->len] = '\0';
	if (t->len)
		text[t->len - 1] = '\0';       /* no line end at the end */
	return text;
}

void trace_free(struct call_entry *e)
{
	spare_give(&e->dm->spares, e->trace.ring, e->trace.size);
}
