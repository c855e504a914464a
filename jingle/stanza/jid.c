/* jid.c: XMPP addresses by libidn's stringprep, and XEP-0106 escaping.
 *
 * Profiles are run as Prosody and ejabberd run them (code points unassigned
 * in Unicode 3.2 pass, no IDNA mapping), because our equality must be that of
 * the server that routes. Stricter than they are where a part would be empty,
 * or a prepared domain could be read as another address ("a@b" by U+FF20).
 */
#include "jingle/stanza/jid.h"

#include <errno.h>
#include <idn-free.h>
#include <idna.h>
#include <stdint.h>
#include <string.h>
#include <stringprep.h>

#define PART_MAX 1023              /* bytes, RFC 7622, 3.2 to 3.4 */
#define LABEL_MAX 63               /* bytes, RFC 1035, 2.3.4 */

/* Of an address: `len` bytes of what was given, or of `text`. */
struct part {
	const char *s;
	size_t len;
	char text[PART_MAX + 1];
};

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* ASCII that needs no preparation, a bit for each: nearly all addresses are of
 * it, and libidn takes 5 us for what is seen here at a glance. */
#define BIT(c) (1ull << ((c) & 63))
#define SIGNS (~0ull << '!' & ~(BIT('"') | BIT('&') | BIT('\'') | BIT('/') | \
				BIT(':') | BIT('<') | BIT('>')))
#define LETTERS (~(BIT('@') | BIT(0x7f)))
#define CAPITALS ((BIT('Z') << 1) - BIT('A'))
static const uint64_t node_chars[2] = { SIGNS, LETTERS & ~CAPITALS };
static const uint64_t label_chars[2] = {
	SIGNS & ~BIT('.'), LETTERS & ~CAPITALS & ~(BIT('[') | BIT(']'))
};
static const uint64_t resource_chars[2] = { SIGNS, LETTERS };

static bool is_of(const uint64_t set[2], char c)
{
	unsigned char u = (unsigned char)c;

	return u < 0x80 && set[u / 64] & BIT(u);
}

static bool is_prepared(const Stringprep_profile *profile, const char *s,
			size_t len)
{
	const uint64_t *set = profile == stringprep_xmpp_resourceprep ?
			      resource_chars : node_chars;
	size_t i = 0;

	while (i < len && is_of(set, s[i]))
		i++;
	return i == len;
}

static int prep_once(const Stringprep_profile *profile, struct part *p)
{
	int rc = stringprep(p->text, sizeof(p->text), 0, profile);

	if (rc == STRINGPREP_MALLOC_ERROR)
		return ENOMEM;
	if (rc != STRINGPREP_OK || !p->text[0])
		return EBADMSG;
	return 0;
}

/* Prepares `len` bytes. A text that changes once more when prepared again
 * has no stable form, so that two servers may disagree on it: refused. */
static int prep(const Stringprep_profile *profile, const char *s, size_t len,
		struct part *p)
{
	struct part again;
	int err;

	if (len == 0 || len > PART_MAX)
		return EBADMSG;
	p->s = s;
	p->len = len;
	if (is_prepared(profile, s, len))
		return 0;
	memcpy(p->text, s, len);
	p->text[len] = '\0';
	err = prep_once(profile, p);
	p->s = p->text;
	p->len = strlen(p->text);
	if (err || is_ascii(p->text))
		return err;
	again = *p;
	err = prep_once(profile, &again);
	if (!err && strcmp(p->text, again.text) != 0)
		err = EBADMSG;
	return err;
}

/* [IPv6], with an optional zone. */
static bool is_ip_literal(const char *s)
{
	size_t len = strlen(s);
	size_t n;

	if (len < 4 || s[0] != '[' || s[len - 1] != ']' || !strchr(s, ':'))
		return false;
	n = 1 + strspn(s + 1, "0123456789abcdef:.");
	if (s[n] == '%')
		n += strspn(s + n, "%0123456789abcdefghijklmnopqrstuvwxyz"
			    "-._~");
	return n == len - 1;
}

/* Labels of ASCII that need no preparation, as nearly all domains are. */
static bool is_plain_domain(const char *s, size_t len)
{
	size_t i = 0, label;

	while (len <= PART_MAX) {
		label = i;
		while (i < len && is_of(label_chars, s[i]))
			i++;
		if (i == label || i - label > LABEL_MAX)
			return false;
		if (i == len)
			return true;
		if (s[i++] != '.')
			return false;
	}
	return false;
}

static int check_domain(const char *s)
{
	char *ascii = NULL;
	int rc;

	if (is_ip_literal(s))
		return 0;
	for (const char *p = s; *p; p++)
		if (*p == '[' || *p == ']' ||
		    ((unsigned char)*p < 0x80 && !is_of(resource_chars, *p)))
			return EBADMSG;
	if (is_ascii(s))
		return is_plain_domain(s, strlen(s)) ? 0 : EBADMSG;
	rc = idna_to_ascii_8z(s, &ascii, IDNA_ALLOW_UNASSIGNED);
	idn_free(ascii);
	if (rc == IDNA_MALLOC_ERROR)
		return ENOMEM;
	return rc == IDNA_SUCCESS ? 0 : EBADMSG;
}

static int prep_domain(const char *s, size_t len, struct part *p)
{
	int err;

	if (len > 1 && s[len - 1] == '.')
		len--;
	p->s = s;
	p->len = len;
	if (is_plain_domain(s, len))
		return 0;
	err = prep(stringprep_nameprep, s, len, p);
	if (err)
		return err;
	/* A full-width dot becomes a plain one only here. */
	if (p->s[p->len - 1] == '.')
		return EBADMSG;
	if (p->s == s) {
		memcpy(p->text, s, len);
		p->text[len] = '\0';
	}
	return check_domain(p->text);
}

static char *put(char *o, const struct part *p, char after)
{
	memcpy(o, p->s, p->len);
	o[p->len] = after;
	return o + p->len + 1;
}

/* node@domain/resource of as many as there are, then, if other than that,
 * node@domain, then node. The parts that are the ends of longer texts are no
 * copies. */
static int make(struct arena *a, const struct part *node,
		const struct part *domain, const struct part *resource,
		struct jid *jid_r)
{
	size_t bare = (node ? node->len + 1 : 0) + domain->len + 1;
	size_t n = (node ? node->len + 1 : 0) + bare +
		   (resource ? bare + resource->len + 1 : 0);
	struct jid j = { 0 };
	char *o = arena_bytes(a, n);

	if (!o)
		return ENOMEM;
	j.full = o;
	if (resource) {
		o = node ? put(o, node, '@') : o;
		o = put(o, domain, '/');
		j.resource = o;
		o = put(o, resource, '\0');
	}
	j.bare = resource ? o : j.full;
	o = node ? put(o, node, '@') : o;
	j.domain = o;
	o = put(o, domain, '\0');
	if (node) {
		j.node = o;
		put(o, node, '\0');
	}
	*jid_r = j;
	return 0;
}

int jid_parse(struct arena *a, const char *text, struct jid *jid_r)
{
	struct part node, domain, resource;
	const char *at, *slash, *host;
	size_t host_len;
	int err = 0;

	memset(jid_r, 0, sizeof(*jid_r));
	if (!text)
		return EBADMSG;
	slash = strchr(text, '/');
	host_len = slash ? (size_t)(slash - text) : strlen(text);
	at = memchr(text, '@', host_len);
	host = at ? at + 1 : text;
	host_len -= (size_t)(host - text);
	if (at)
		err = prep(stringprep_xmpp_nodeprep, text,
			   (size_t)(at - text), &node);
	if (!err)
		err = prep_domain(host, host_len, &domain);
	if (!err && slash)
		err = prep(stringprep_xmpp_resourceprep, slash + 1,
			   strlen(slash + 1), &resource);
	if (err)
		return err;
	return make(a, at ? &node : NULL, &domain, slash ? &resource : NULL,
		    jid_r);
}

bool jid_equal(const struct jid *a, const struct jid *b)
{
	return a->full && b->full && !strcmp(a->full, b->full);
}

bool jid_bare_equal(const struct jid *a, const struct jid *b)
{
	return a->bare && b->bare && !strcmp(a->bare, b->bare);
}

static const char escaped[] = " \"&'/:<>@\\";
static const char codes[][3] = { "20", "22", "26", "27", "2f", "3a", "3c",
				 "3e", "40", "5c" };

static int hex_lower(int c)
{
	return c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c;
}

/* Index of the code that the two characters at `s` are, or -1. */
static int code_find(const char *s, bool any_case)
{
	if (!s[0] || !s[1])
		return -1;
	for (int i = 0; i < 10; i++) {
		int low = any_case ? hex_lower(s[1]) : s[1];

		if (codes[i][0] == s[0] && codes[i][1] == low)
			return i;
	}
	return -1;
}

static bool must_escape(const char *s)
{
	if (*s == '\\')
		return code_find(s + 1, true) >= 0;
	return strchr(escaped, *s) != NULL;
}

char *jid_escape(struct arena *a, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	char *out, *p;

	if (len == 0 || text[0] == ' ' || text[len - 1] == ' ')
		return NULL;
	out = arena_alloc(a, 3 * len + 1);
	if (!out)
		return NULL;
	for (p = out; *text; text++) {
		if (must_escape(text)) {
			*p++ = '\\';
			memcpy(p, codes[strchr(escaped, *text) - escaped], 2);
			p += 2;
		} else {
			*p++ = *text;
		}
	}
	return out;
}

char *jid_unescape(struct arena *a, const char *node)
{
	char *out = arena_strdup(a, node);
	char *p = out;
	const char *s;

	if (!out)
		return NULL;
	for (s = node; *s; p++) {
		int i = *s == '\\' ? code_find(s + 1, false) : -1;

		/* XEP-0106 allows no space at either end. */
		if (i == 0 && (s == node || !s[3]))
			i = -1;
		*p = i < 0 ? *s : escaped[i];
		s += i < 0 ? 1 : 3;
	}
	*p = '\0';
	return out;
}
