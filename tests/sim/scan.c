/* scan.c: what a stanza is, read off its first tags. The texts come from
 * xml_write() or from client.c, which write them in one form; a parse of each
 * would cost more than the call it belongs to.
 */
#include "jingle/stanza/ns.h"
#include "tests/sim/sim.h"

struct tag {
	struct str name;
	struct { struct str name, value; } attr[12];
	unsigned n;
	const char *end;           /* behind the '>' */
};

/* False: no tag there. */
static bool read_tag(const char *at, const char *end, struct tag *t)
{
	const char *from;

	if (at == end || *at != '<' || at[1] == '/')
		return false;
	t->n = 0;
	for (from = ++at; at < end && *at != ' ' && *at != '/' && *at != '>';)
		at++;
	t->name = (struct str){ from, (size_t)(at - from) };
	while (at < end && *at == ' ') {
		from = ++at;
		at = memchr(at, '=', (size_t)(end - at));
		if (!at || end - at < 2)
			return false;
		t->attr[t->n].name = (struct str){ from,
						   (size_t)(at - from) };
		from = at += 2;
		at = memchr(at, '\'', (size_t)(end - at));
		if (!at)
			return false;
		t->attr[t->n].value = (struct str){ from,
						    (size_t)(at - from) };
		if (t->n < 11)
			t->n++;
		at++;
	}
	while (at < end && *at != '>')
		at++;
	t->end = at < end ? at + 1 : end;
	return true;
}

static inline struct str attr(const struct tag *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->n; i++)
		if (str_is(t->attr[i].name, name))
			return t->attr[i].value;
	return (struct str){ NULL, 0 };
}

static uint8_t user_of(const char *p)
{
	unsigned number = (unsigned char)*p - (unsigned)'a';

	if (number < W.users_n)
		return (uint8_t)number;
	return *p == 'z' ? UNKNOWN_USER : NOBODY;
}

/* "zqb1" is the resource of the second device of user b. */
static void read_jid(struct str s, uint8_t *user, uint8_t *dev,
		     uint8_t *ours, bool *full)
{
	const char *at = s.p ? memchr(s.p, '@', s.n) : NULL;
	const char *slash = s.p ? memchr(s.p, '/', s.n) : NULL;
	size_t left;

	*user = *dev = *ours = NOBODY;
	*full = slash != NULL;
	if (!s.p)
		return;
	if (!at) {
		if (str_is(s, DOMAIN))
			*ours = SERVICE;
		return;
	}
	left = s.n - (size_t)(at + 1 - s.p);
	if (left >= strlen(DOMAIN) &&
	    strncmp(at + 1, DOMAIN, strlen(DOMAIN)) == 0) {
		*ours = user_of(s.p);
		return;
	}
	if (left < strlen(HOST) || strncmp(at + 1, HOST, strlen(HOST)) != 0)
		return;
	*user = user_of(s.p);
	if (slash && strncmp(slash, "/zq", 3) == 0)
		*dev = (uint8_t)(slash[4] - '0');
}

static enum jmi_word jmi_of(struct str name)
{
	static const char *const words[] = {
		"", "propose", "ringing", "proceed", "accept", "reject",
		"retract", "finish",
	};
	int i;

	for (i = J_PROPOSE; i <= J_FINISH; i++)
		if (str_is(name, words[i]))
			return (enum jmi_word)i;
	return J_NONE;
}

static enum jingle_word jingle_of(struct str action)
{
	static const char *const words[] = {
		"", "session-initiate", "session-accept", "session-terminate",
		"transport-info", "session-info", "content-add",
	};
	int i;

	for (i = G_INITIATE; i <= G_ADD; i++)
		if (str_is(action, words[i]))
			return (enum jingle_word)i;
	return G_OTHER;
}

/* The first thing in a <reason/>. */
static void read_reason(struct scan *s, const char *at)
{
	const char *p = at + strcspn(at, ">") + 1;

	if (*p++ == '<')
		s->reason = (struct str){ p, strcspn(p, " />") };
}

/* Begins with the `word`. */
static inline bool begins(const char *at, const char *word)
{
	return strncmp(at, word, strlen(word)) == 0;
}

/* What a JMI element or a Jingle one holds, at any depth. */
static void read_rest(struct scan *s, const char *at)
{
	while ((at = strchr(at, '<')) != NULL) {
		switch (*++at) {
		case 'r':
			if (!s->reason.p && begins(at, "reason"))
				read_reason(s, at);
			break;
		case 's':
			s->stored |= begins(at, "store");
			break;
		case 't':
			s->tie_break |= begins(at, "tie-break");
			break;
		case 'p':
			s->private |= begins(at, "private");
			break;
		default:
			break;
		}
	}
}

void scan_text(struct scan *s, const char *text, size_t len)
{
	struct tag top, child;
	struct str ns;

	memset(s, 0, sizeof(*s));
	s->text = text;
	s->len = len;
	if (!read_tag(text, text + len, &top)) {
		broken("form", "no stanza: %.80s", text);
		return;
	}
	s->kind = top.name.p[0];
	s->type = attr(&top, "type");
	s->id = attr(&top, "id");
	s->from = attr(&top, "from");
	s->to = attr(&top, "to");
	read_jid(s->from, &s->from_user, &s->from_dev, &s->from_ours,
		 &s->from_full);
	read_jid(s->to, &s->to_user, &s->to_dev, &s->to_ours, &s->to_full);
	if (s->kind == 'p' || !read_tag(top.end, text + len, &child))
		return;
	ns = attr(&child, "xmlns");
	if (s->kind == 'm' && str_is(ns, NS_JMI)) {
		s->jmi = jmi_of(child.name);
		s->sid = attr(&child, "id");
		read_rest(s, child.end);
	} else if (s->kind == 'i' && str_is(ns, NS_JINGLE) &&
		   str_is(s->type, "set")) {
		s->jingle = jingle_of(attr(&child, "action"));
		s->sid = attr(&child, "sid");
		if (s->jingle == G_TERMINATE)
			read_rest(s, child.end);
	}
}
