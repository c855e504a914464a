/* module.c: the elements of doc/protocol.md (see module.h). */
#include "mod_privatecall/presence/module.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/delay.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* --- relay --------------------------------------------------------------- */

/* The element with what of it is in our stream's namespace as a client's. */
static struct xml_elem *as_client(struct arena *a, const struct xml_elem *e)
{
	struct xml_elem *copy = xml_copy_sharing(a, e), *child;

	if (!copy)
		return NULL;
	copy->ns = NS_CLIENT;
	for (child = copy->first; child; child = child->next)
		if (child->name && !strcmp(child->ns, NS_COMPONENT))
			child->ns = NS_CLIENT;
	return copy;
}

struct xml_elem *module_relay(struct arena *a, const struct xml_elem *stanza,
			      const char *domain, const char *host,
			      const char *id)
{
	struct xml_elem *iq = stanza_new(a, STANZA_IQ, "set", id, domain,
					 host);
	struct xml_elem *relay = xml_add(a, iq, NS_RELAY, "relay");
	struct xml_elem *inner = as_client(a, stanza);

	if (!relay || !inner)
		return NULL;
	xml_append(relay, inner);
	return iq;
}

struct xml_elem *module_refused(struct arena *a, const struct stanza *error,
				const char **why_r)
{
	const struct xml_elem *e = xml_child(error->elem, NS_COMPONENT,
					     "error");
	const struct xml_elem *r = xml_child(e, NS_RELAY, "refused");
	const char *name = xml_get(r, "stanza"), *id = xml_get(r, "id");
	const char *from = xml_get(r, "from"), *to = xml_get(r, "to");
	struct xml_elem *s;
	bool message;

	*why_r = xml_get(r, "why") ? xml_get(r, "why") : "?";
	message = name && !strcmp(name, "message");
	if (!id || !from || !to || !name || (!message && strcmp(name, "iq")))
		return NULL;
	if (!strchr(from, '@') || !strchr(to, '@'))
		return NULL;
	s = stanza_new(a, message ? STANZA_MESSAGE : STANZA_IQ, "error", id,
		       to, from);
	xml_append(s, xml_copy_sharing(a, e));
	return s;
}

/* --- hello and facts ----------------------------------------------------- */

static bool is_true(const struct xml_elem *e, const char *name)
{
	const char *value = xml_get(e, name);

	return value && !strcmp(value, "true");
}

static bool is_false(const struct xml_elem *e, const char *name)
{
	const char *value = xml_get(e, name);

	return value && !strcmp(value, "false");
}

static const char *word(const struct xml_elem *e, const char *name)
{
	const char *value = xml_get(e, name);

	return text_blank(value) ? "?" : value;
}

void module_add_hello(struct arena *a, struct xml_elem *iq)
{
	struct xml_elem *e = xml_add(a, iq, NS_QUERY, "hello");

	xml_set(a, e, "version", arena_printf(a, "%d", MODULE_VERSION));
	xml_set(a, e, "software", "privatecalld");
	xml_set(a, e, "release", PACKAGE_VERSION);
}

void module_read_hello(const struct xml_elem *hello,
		       struct module_hello *h_r)
{
	const char *version = xml_get(hello, "version");
	const char *rate = xml_get(hello, "user_rate");
	int32_t n = 0;

	memset(h_r, 0, sizeof(*h_r));
	if (version && !text_integer(version, 1, 1000000, &n))
		h_r->version = (unsigned)n;
	h_r->software = word(hello, "software");
	h_r->release = word(hello, "release");
	h_r->server = word(hello, "server");
	h_r->private_calls = !is_false(hello, "private_calls");
	h_r->native_when_down = !strcmp(word(hello, "when_down"), "native");
	h_r->remote_users = is_true(hello, "remote_users");
	h_r->registration = is_true(hello, "registration");
	h_r->pres_counter = is_true(hello, "pres_counter");
	text_number(rate, UINT32_MAX, &h_r->user_rate);
}

void module_add_facts(struct arena *a, struct xml_elem *iq, const char *from,
		      const char *to)
{
	struct xml_elem *e = xml_add(a, iq, NS_QUERY, "facts");

	xml_set(a, e, "from", from);
	xml_set(a, e, "to", to);
}

void module_add_sessions(struct arena *a, struct xml_elem *iq, const char *user)
{
	struct xml_elem *e = xml_add(a, iq, NS_QUERY, "sessions");

	xml_set(a, e, "jid", user);
}

void module_read_facts(const struct xml_elem *facts,
		       struct module_facts *f_r)
{
	f_r->exists = !is_false(facts, "exists");
	f_r->push = is_true(facts, "push");
	f_r->partial = false;
	f_r->contact = xml_get(facts, "subscription") != NULL;
	f_r->blocked = is_true(facts, "blocks") || is_true(facts, "blocked");
}

/* --- sessions ------------------------------------------------------------ */

static enum presence_show read_show(const struct xml_elem *e)
{
	const char *show = xml_get(e, "show");
	int i;

	for (i = PRESENCE_AWAY; show && i <= PRESENCE_XA; i++)
		if (!strcmp(show, presence_show_name((enum presence_show)i)))
			return (enum presence_show)i;
	return PRESENCE_ONLINE;
}

int module_read_session(struct arena *a, const struct xml_elem *e,
			struct gateway_session *s_r)
{
	struct presence_info *info = &s_r->info;
	const char *priority = xml_get(e, "priority");
	int32_t n = 0;

	memset(s_r, 0, sizeof(*s_r));
	if (jid_parse(a, xml_get(e, "jid"), &s_r->jid) ||
	    !s_r->jid.node || !s_r->jid.resource)
		return EBADMSG;
	if (priority && !text_integer(priority, -128, 127, &n))
		info->priority = (int)n;
	info->show = read_show(e);
	info->idle = xml_get(e, "idle") &&
		     !delay_parse(xml_get(e, "idle"), &info->idle_since);
	info->caps.node = xml_get(e, "node");
	info->caps.ver = xml_get(e, "ver");
	info->caps.hash = xml_get(e, "hash");
	info->has_caps = !text_blank(info->caps.node) &&
			 !text_blank(info->caps.ver);
	s_r->hibernating = is_true(e, "hibernating");
	return 0;
}
