/* scan.c: token ends and limits, one state per place in the text. */
#include "jingle/xml/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEP = 4096,               /* bytes between two looks at the limits */
	FLUSH_AT = 16384,          /* bytes collected before expat is run */
	BUF_FIRST = 1024,
	BUF_KEPT = 32768,
	DECL_MAX = 256,            /* bytes of <?xml ...?> */
	KEPT_VALUE_MAX = 4096,     /* of an attribute kept for the answer */
	TAG_HARD_EXTRA = 65536,    /* no tag gets past this, even elided */
};

enum { TEXT, LT, DECL, TAG, QUOTE, END_TAG, BANG, CDATA };

void xml_scan_init(struct xml_scan *s, const struct xml_limits *limits,
		   unsigned base)
{
	*s = (struct xml_scan){ .limits = *limits, .base = base };
}

void xml_scan_release(struct xml_scan *s)
{
	free(s->buf);
	s->buf = NULL;
}

void xml_scan_consume(struct xml_scan *s, size_t n)
{
	if (n < s->len)
		memmove(s->buf, s->buf + n, s->len - n);
	s->len -= n;
	s->mark -= n < s->mark ? n : s->mark;
	s->tag_at -= n < s->tag_at ? n : s->tag_at;
	s->attr_at -= n < s->attr_at ? n : s->attr_at;
	s->val_at -= n < s->val_at ? n : s->val_at;
	if (!s->len && s->size > BUF_KEPT) {
		free(s->buf);
		s->buf = NULL;
		s->size = 0;
	}
}

bool xml_scan_between(const struct xml_scan *s)
{
	return s->state == TEXT && s->depth == s->base && s->base && !s->len;
}

static int bad(struct xml_scan *s, const char *condition)
{
	s->error = condition;
	return EBADMSG;
}

static int ill_formed(struct xml_scan *s)
{
	return bad(s, "not-well-formed");
}

/* Seldom, so in one place: put() is in every state. */
static __attribute__((noinline)) int grow(struct xml_scan *s, size_t need)
{
	size_t size = s->size;
	char *buf;

	size += size < FLUSH_AT ? size : size / 4;
	if (size < BUF_FIRST)
		size = BUF_FIRST;
	if (size < need)
		size = need;
	buf = realloc(s->buf, size);
	if (!buf)
		return ENOMEM;
	s->buf = buf;
	s->size = size;
	return 0;
}

static int put(struct xml_scan *s, const char *data, size_t n)
{
	size_t need = s->len + n;

	if (s->skip)
		return 0;
	if (need > s->size && grow(s, need))
		return ENOMEM;
	memcpy(s->buf + s->len, data, n);
	s->len = need;
	return 0;
}

static int put_char(struct xml_scan *s, char c)
{
	if (!s->skip && s->len < s->size) {
		s->buf[s->len++] = c;
		return 0;
	}
	return put(s, &c, 1);
}

static void over(struct xml_scan *s, enum xml_limit limit)
{
	if (!s->over)
		s->over = limit;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool in_name(char c)
{
	return c != '>' && c != '/' && c != '=' && c != '"' && c != '\'' &&
	       !is_space(c);
}

/* Bytes up to the next `c`, but not past the one that breaks a limit, so that
 * how input is cut into feeds changes nothing. `used` counts for the text
 * limit. */
static size_t until(const struct xml_scan *s, size_t used, const char *p,
		    const char *end, char c)
{
	size_t n = (size_t)(end - p);
	const char *at;

	if (n > STEP)
		n = STEP;
	if (!s->over && used <= s->limits.text &&
	    n && n - 1 > s->limits.text - used)
		n = s->limits.text - used + 1;
	if (!s->over && s->bytes <= s->limits.bytes &&
	    n && n - 1 > s->limits.bytes - s->bytes)
		n = s->limits.bytes - s->bytes + 1;
	at = memchr(p, c, n);
	return at ? (size_t)(at - p) : n;
}

static bool found(const char *p, const char *end, char c)
{
	return p < end && *p == c;
}

static void text_count(struct xml_scan *s, size_t n)
{
	s->text += n;
	if (s->text > s->limits.text)
		over(s, XML_LIMIT_TEXT);
}

/* Outside of stanzas there is only white space, and it is not kept. */
static int text_outside(struct xml_scan *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_space(p[i]))
			return ill_formed(s);
	if (n)
		s->started = true;
	return 0;
}

static int step_text(struct xml_scan *s, const char **p, const char *end)
{
	size_t n = until(s, s->text, *p, end, '<');
	const char *from = *p;
	int r;

	if (s->depth <= s->base) {
		r = text_outside(s, from, n);
	} else {
		text_count(s, n);
		r = put(s, from, n);
		s->mark = s->len;
	}
	*p += n;
	if (!r && found(*p, end, '<')) {
		s->state = LT;
		(*p)++;
	}
	return r;
}

static void stanza_begin(struct xml_scan *s)
{
	s->over = XML_LIMIT_NONE;
	s->skip = false;
	s->top = true;
	s->bytes = 1;
	s->elems = 0;
	s->attrs = 0;
}

static int tag_begin(struct xml_scan *s)
{
	if (!s->base && !s->depth && s->elems)
		return ill_formed(s);
	if (s->depth == s->base)
		stanza_begin(s);
	if (s->depth >= s->base) {
		if (++s->elems > s->limits.elems)
			over(s, XML_LIMIT_ELEMS);
		if (s->depth - s->base >= s->limits.depth)
			over(s, XML_LIMIT_DEPTH);
	}
	s->started = true;
	s->state = TAG;
	s->tag_at = s->len;
	s->tag_attrs = 0;
	s->text = 0;
	s->run = 0;
	s->named = s->in_attr = s->slash = s->drop = false;
	return put_char(s, '<');
}

/* Nearly every tag: of a stanza, whole in the input, short, and far from all
 * limits or beyond one, where tags are only counted. Its length up to the '>',
 * so that it can be copied at once; 0: any other, which is read character by
 * character. */
static size_t plain_tag(const char *p, size_t most, unsigned *attrs_r)
{
	static const bool stops[256] = {
		['>'] = true, ['"'] = true, ['\''] = true, [' '] = true,
		['<'] = true, ['!'] = true, ['?'] = true, ['\t'] = true,
		['\n'] = true, ['\r'] = true,
	};
	const char *quote;
	size_t n;

	for (n = 0; n < most; n++) {
		if (!stops[(unsigned char)p[n]])
			continue;
		switch (p[n]) {
		case '>':
			return *attrs_r <= XML_TAG_ATTRS_MAX ? n : 0;
		case '"': case '\'':
			quote = memchr(p + n + 1, p[n], most - n - 1);
			if (!quote || p[0] == '/')
				return 0;
			n = (size_t)(quote - p);
			++*attrs_r;
			break;
		case ' ':
			if (p[n - 1] == ' ')
				return 0;
			break;
		case '<': case '!': case '?': case '\t': case '\n': case '\r':
			return 0;
		}
	}
	return 0;
}

/* `top`: a stanza begins, nothing of it has been counted. */
static bool far_from_limits(const struct xml_scan *s, bool top)
{
	const struct xml_limits *l = &s->limits;
	size_t bytes = top ? 1 : s->bytes;
	unsigned elems = top ? 0 : s->elems, attrs = top ? 0 : s->attrs;

	return !s->over && bytes + XML_NAME_MAX < l->bytes &&
	       l->text > XML_NAME_MAX && elems < l->elems &&
	       s->depth - s->base < l->depth &&
	       attrs + XML_TAG_ATTRS_MAX <= l->attrs;
}

/* A '<' and what follows it. */
static int put_tag(struct xml_scan *s, const char *tag, size_t n)
{
	int r;

	if (s->skip || s->len + n >= s->size) {
		r = put_char(s, '<');
		return r ? r : put(s, tag, n);
	}
	s->buf[s->len] = '<';
	memcpy(s->buf + s->len + 1, tag, n);
	s->len += n + 1;
	return 0;
}

/* Takes a whole tag, if a plain one is next. */
static bool take_tag(struct xml_scan *s, const char **p, const char *end,
		     enum xml_scan_event *event_r, int *err_r)
{
	size_t most = (size_t)(end - *p), n;
	const char *tag = *p;
	bool ends = *tag == '/', top = s->depth == s->base;
	unsigned attrs = 0;

	if (s->depth < s->base || (top && (ends || !s->base)) || *tag == ' ' ||
	    (!s->skip && !far_from_limits(s, top)))
		return false;
	n = plain_tag(tag, most > XML_NAME_MAX ? XML_NAME_MAX : most, &attrs);
	if (!n)
		return false;
	if (top)
		stanza_begin(s);
	*err_r = put_tag(s, tag, n + 1);
	*p += n + 1;
	s->top = false;
	s->started = true;
	s->state = TEXT;
	s->mark = s->len;
	s->text = 0;
	s->attrs += attrs;
	s->elems += !ends;
	if (ends)
		s->depth--;
	else if (tag[n - 1] != '/')
		s->depth++;
	if (s->depth == s->base)
		*event_r = XML_SCAN_STANZA;
	return true;
}

static int step_lt(struct xml_scan *s, const char **p, const char *end,
		   enum xml_scan_event *event_r)
{
	int r;

	if (take_tag(s, p, end, event_r, &r))
		return r;
	switch (**p) {
	case '/':
		(*p)++;
		if (!s->depth)
			return ill_formed(s);
		s->state = END_TAG;
		s->text = 0;
		s->run = 0;
		return put(s, "</", 2);
	case '!':
		(*p)++;
		s->state = BANG;
		s->run = 0;
		return 0;
	case '?':
		(*p)++;
		if (s->started)
			return bad(s, "restricted-xml");
		s->started = true;
		s->state = DECL;
		return put(s, "<?", 2);
	case '>': case '<': case ' ': case '\t': case '\r': case '\n':
		return ill_formed(s);
	default:
		return tag_begin(s);
	}
}

static int step_decl(struct xml_scan *s, const char **p)
{
	int r = put_char(s, *(*p)++);

	if (r)
		return r;
	if (s->len <= 5)
		return memcmp(s->buf, "<?xml", s->len) ?
			bad(s, "restricted-xml") : 0;
	if (s->len == 6 && !is_space(s->buf[5]))
		return bad(s, "restricted-xml");
	if (s->len > DECL_MAX)
		return ill_formed(s);
	if (!memcmp(s->buf + s->len - 2, "?>", 2)) {
		s->mark = s->len;
		s->state = TEXT;
	}
	return 0;
}

static int step_bang(struct xml_scan *s, const char **p)
{
	static const char head[] = "[CDATA[";
	int r;

	if (*(*p)++ != head[s->run++])
		return bad(s, "restricted-xml");
	if (s->run < sizeof(head) - 1)
		return 0;
	if (s->depth <= s->base)
		return ill_formed(s);
	s->state = CDATA;
	s->run = 0;
	text_count(s, 9);
	r = put(s, "<![CDATA[", 9);
	s->mark = s->len;
	return r;
}

static int step_cdata(struct xml_scan *s, const char **p, const char *end)
{
	size_t n = s->run ? 0 : until(s, s->text, *p, end, ']');
	int r;

	if (!n) {
		char c = **p;

		n = 1;
		if (c == '>' && s->run >= 2)
			s->state = TEXT;
		s->run = c == ']' ? s->run + 1 : 0;
	}
	text_count(s, n);
	r = put(s, *p, n);
	s->mark = s->len;
	*p += n;
	return r;
}

/* Needed to answer a stanza that is not read. */
static bool attr_kept(const struct xml_scan *s)
{
	static const char *const kept[] = { "id", "type", "from", "to",
					    "xmlns" };
	const char *at = s->buf + s->attr_at;
	size_t room = s->len - s->attr_at;

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		size_t n = strlen(kept[i]);

		if (room > n && !memcmp(at, kept[i], n) &&
		    (at[n] == '=' || is_space(at[n])))
			return true;
	}
	return false;
}

/* The start tag of an over-limit stanza loses what its answer does not need,
 * so that its length costs nothing. */
static int tag_check(struct xml_scan *s)
{
	size_t n = s->len - s->tag_at;

	if (s->skip)
		return 0;
	if (s->depth < s->base)
		return n > XML_HEADER_MAX ? ill_formed(s) : 0;
	if (n > s->limits.text + XML_TAG_EXTRA)
		over(s, XML_LIMIT_TEXT);
	if (n > s->limits.text + TAG_HARD_EXTRA)
		return ill_formed(s);
	if (s->state == QUOTE && !s->drop) {
		n = s->len - s->val_at;
		if (n > s->limits.text)
			over(s, XML_LIMIT_TEXT);
		if (s->top && s->over && n > KEPT_VALUE_MAX) {
			s->len = s->val_at;
			s->drop = true;
		}
	}
	return 0;
}

static int step_quote(struct xml_scan *s, const char **p, const char *end)
{
	size_t n = until(s, s->skip ? 0 : s->len - s->val_at, *p, end,
			 s->quote);
	bool done = found(*p + n, end, s->quote);
	int r = s->drop ? 0 : put(s, *p, n);

	*p += n;
	r = r ? r : tag_check(s);
	if (r || !done)
		return r;
	r = put_char(s, *(*p)++);
	if (!s->in_attr)
		s->attr_at = s->val_at;
	if (++s->tag_attrs > XML_HEADER_ATTRS_MAX && s->depth < s->base)
		return ill_formed(s);
	if (s->depth >= s->base && (++s->attrs > s->limits.attrs ||
				    s->tag_attrs > XML_TAG_ATTRS_MAX))
		over(s, XML_LIMIT_ATTRS);
	if (!r && s->over && s->top && !s->skip && !attr_kept(s))
		s->len = s->attr_at;
	s->in_attr = s->drop = false;
	s->state = TAG;
	return r;
}

static int tag_end(struct xml_scan *s, enum xml_scan_event *event_r)
{
	int r = put_char(s, '>');

	s->state = TEXT;
	s->mark = s->len;
	s->top = false;
	if (s->depth < s->base)
		*event_r = XML_SCAN_HEADER;
	if (!s->slash)
		s->depth++;
	else if (s->depth < s->base)
		return ill_formed(s);
	else if (s->depth == s->base)
		*event_r = XML_SCAN_STANZA;
	return r;
}

/* White space inside a tag says nothing; a megabyte of it neither. */
static int put_space(struct xml_scan *s)
{
	s->named = true;
	s->run = 0;
	if (s->skip || s->buf[s->len - 1] == ' ')
		return 0;
	return put_char(s, ' ');
}

static int put_name(struct xml_scan *s, char c)
{
	if (s->named && !s->in_attr) {
		s->in_attr = true;
		s->attr_at = s->len;
	}
	if (++s->run <= XML_NAME_MAX)
		return put_char(s, c);
	if (s->depth < s->base || (s->top && !s->named))
		return ill_formed(s);
	s->run = XML_NAME_MAX;
	over(s, XML_LIMIT_NAMES);
	return 0;
}

/* The rest of a name within all limits; what is beyond one goes character by
 * character. */
static int put_rest(struct xml_scan *s, const char **p, const char *end)
{
	size_t most = (size_t)(end - *p), n = 0;
	const char *from = *p;

	if (s->bytes >= s->limits.bytes)
		return 0;
	if (most > s->limits.bytes - s->bytes - 1)
		most = s->limits.bytes - s->bytes - 1;
	if (most > XML_NAME_MAX - s->run)
		most = XML_NAME_MAX - s->run;
	while (n < most && in_name(from[n]))
		n++;
	s->run += (unsigned)n;
	*p += n;
	return put(s, from, n);
}

static int step_tag(struct xml_scan *s, const char **p,
		    const char *end, enum xml_scan_event *event_r)
{
	char c = *(*p)++;
	int r;

	if (c == '>')
		return tag_end(s, event_r);
	s->slash = c == '/';
	if (is_space(c))
		return put_space(s);
	if (c == '"' || c == '\'') {
		s->state = QUOTE;
		s->quote = c;
		s->run = 0;
		r = put_char(s, c);
		s->val_at = s->len;
	} else if (c == '=' || c == '/') {
		s->run = 0;
		s->named = true;
		r = put_char(s, c);
	} else {
		r = put_name(s, c);
		r = r ? r : put_rest(s, p, end);
	}
	return r ? r : tag_check(s);
}

static int step_end_tag(struct xml_scan *s, const char **p,
			const char *end, enum xml_scan_event *event_r)
{
	char c = *(*p)++;
	int r;

	if (is_space(c))
		return put_space(s);
	if (c != '>') {
		if (++s->run <= XML_NAME_MAX) {
			r = put_char(s, c);
			return r ? r : put_rest(s, p, end);
		}
		s->run = XML_NAME_MAX;
		if (s->depth <= s->base + 1)
			return s->skip ? 0 : ill_formed(s);
		over(s, XML_LIMIT_NAMES);
		return 0;
	}
	r = put_char(s, c);
	s->state = TEXT;
	s->mark = s->len;
	s->depth--;
	if (s->depth == s->base)
		*event_r = XML_SCAN_STANZA;
	else if (s->depth < s->base)
		*event_r = XML_SCAN_CLOSE;
	return r;
}

static int step(struct xml_scan *s, const char **p, const char *end,
		enum xml_scan_event *event_r)
{
	switch (s->state) {
	case TEXT:
		return step_text(s, p, end);
	case LT:
		return step_lt(s, p, end, event_r);
	case DECL:
		return step_decl(s, p);
	case TAG:
		return step_tag(s, p, end, event_r);
	case QUOTE:
		return step_quote(s, p, end);
	case END_TAG:
		return step_end_tag(s, p, end, event_r);
	case BANG:
		return step_bang(s, p);
	default:
		return step_cdata(s, p, end);
	}
}

int xml_scan_next(struct xml_scan *s, const char **p, const char *end,
		  enum xml_scan_event *event_r)
{
	*event_r = XML_SCAN_MORE;
	while (*p < end) {
		const char *from = *p;
		bool inside = s->depth > s->base || s->top;
		int r = step(s, p, end, event_r);

		if (r)
			return r;
		s->bytes += (size_t)(*p - from);
		if ((inside || s->top) && s->bytes > s->limits.bytes)
			over(s, XML_LIMIT_BYTES);
		if (*event_r)
			return 0;
		if (s->over && !s->top && !s->skip) {
			s->skip = true;
			s->len = s->mark;
			*event_r = XML_SCAN_OVER;
			return 0;
		}
		if (s->len >= FLUSH_AT && s->mark) {
			*event_r = XML_SCAN_FLUSH;
			return 0;
		}
	}
	return 0;
}
