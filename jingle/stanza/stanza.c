/* stanza.c: the envelope of message, presence and iq, and RFC 6120 errors. */
#include "jingle/stanza/stanza.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

static const char *const kind_names[] = {
	[STANZA_MESSAGE] = "message",
	[STANZA_PRESENCE] = "presence",
	[STANZA_IQ] = "iq",
};

static int read_kind(const struct xml_elem *e, struct stanza *s)
{
	for (int i = STANZA_MESSAGE; i <= STANZA_IQ; i++) {
		if (xml_is(e, NS_COMPONENT, kind_names[i])) {
			s->kind = (enum stanza_kind)i;
			return 0;
		}
	}
	return EBADMSG;
}

static bool iq_type_ok(const char *type)
{
	return !strcmp(type, "get") || !strcmp(type, "set") ||
	       !strcmp(type, "result") || !strcmp(type, "error");
}

/* Reads as much as there is before it judges, so that an unacceptable stanza
 * can still be answered. */
int stanza_parse(struct arena *a, struct xml_elem *e, struct stanza *s_r,
		 struct why *why)
{
	int from, to;

	memset(s_r, 0, sizeof(*s_r));
	s_r->elem = e;
	s_r->type = xml_get(e, "type");
	if (!s_r->type)
		s_r->type = "";
	s_r->id = xml_get(e, "id");
	s_r->lang = xml_get_ns(e, NS_XML, "lang");
	if (read_kind(e, s_r))
		return why_bad(why, "Expected message, presence or iq.");
	from = jid_parse(a, xml_get(e, "from"), &s_r->from);
	to = jid_parse(a, xml_get(e, "to"), &s_r->to);
	if (from == ENOMEM || to == ENOMEM)
		return ENOMEM;
	if (from)
		return why_bad(why, "Attribute 'from' is not an address.");
	if (to)
		return why_bad(why, "Attribute 'to' is not an address.");
	if (s_r->kind != STANZA_IQ)
		return 0;
	if (!s_r->id || !*s_r->id)
		return why_bad(why, "An iq needs an 'id'.");
	if (!iq_type_ok(s_r->type))
		return why_bad(why, "Type of an iq: expected get, set, result "
			       "or error.");
	return 0;
}

struct xml_elem *stanza_new(struct arena *a, enum stanza_kind kind,
			    const char *type, const char *id,
			    const char *from, const char *to)
{
	struct xml_elem *e = xml_new(a, NS_COMPONENT, kind_names[kind]);

	xml_set(a, e, "type", type);
	xml_set(a, e, "id", id);
	xml_set(a, e, "from", from);
	xml_set(a, e, "to", to);
	return e;
}

struct xml_elem *stanza_result(struct arena *a, const struct stanza *s)
{
	return stanza_new(a, STANZA_IQ, "result", s->id, s->to.full,
			  s->from.full);
}

struct xml_elem *stanza_error(struct arena *a, const struct stanza *s,
			      const struct why *why)
{
	struct xml_elem *e, *error, *text;

	if (!strcmp(s->type, "error") || !s->from.full ||
	    (s->kind == STANZA_IQ && !strcmp(s->type, "result")))
		return NULL;
	e = stanza_new(a, s->kind, "error", s->id, s->to.full, s->from.full);
	error = xml_add(a, e, NULL, "error");
	xml_set(a, error, "type", why->type);
	xml_add(a, error, NS_STANZAS, why->condition);
	if (why->text) {
		text = xml_add(a, error, NS_STANZAS, "text");
		xml_set_ns(a, text, NS_XML, "lang", "en");
		xml_add_text(a, text, why->text);
	}
	if (why->app)
		xml_add(a, error, why->app_ns, why->app);
	return e;
}

const char *stanza_error_condition(const struct xml_elem *e)
{
	const struct xml_elem *error, *c;

	for (error = xml_child(e, NULL, "error"); error;
	     error = xml_next(error, NULL, "error")) {
		for (c = xml_child(error, NS_STANZAS, NULL); c;
		     c = xml_next(c, NS_STANZAS, NULL))
			if (strcmp(c->name, "text") != 0)
				return c->name;
	}
	return "undefined-condition";
}
