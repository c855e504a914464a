/* answer.c: what our addresses answer to iq gets and sets that are not
 * Jingle's. Contacts answer alike whether their user exists or not (A06).
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/ping.h"
#include "jingle/stanza/register.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/version.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define SERVICE_NAME "Private Calls"

#define INFO(ids, vars) { \
	.identities = sizeof(ids) / sizeof(*(ids)), .identity = (ids), \
	.features = sizeof(vars) / sizeof(*(vars)), .feature = (vars) }

static const struct disco_identity service_ids[] = {
	{ .category = "gateway", .type = "xmpp", .name = SERVICE_NAME },
};
static const char *const service_vars[] = {
	NS_DISCO_INFO, NS_DISCO_ITEMS, NS_CAPS, NS_GATEWAY, NS_PING,
	NS_REGISTER, NS_VCARD, NS_VERSION,
};
const struct disco_info gateway_service_info = INFO(service_ids,
						    service_vars);

static const struct disco_identity account_ids[] = {
	{ .category = "account", .type = "registered" },
};
static const char *const account_vars[] = {
	NS_DISCO_INFO, NS_DISCO_ITEMS, NS_PING, NS_VCARD, NS_VERSION,
};
static const struct disco_info account_info = INFO(account_ids,
						   account_vars);

/* interop.md, 4.1: what makes clients show their call button. */
static const struct disco_identity contact_ids[] = {
	{ .category = "client", .type = "phone", .name = SERVICE_NAME },
};
static const char *const contact_vars[] = {
	NS_CAPS, NS_DISCO_INFO, NS_DISCO_ITEMS, NS_PING, NS_RECEIPTS,
	NS_VERSION, NS_JMI, NS_JINGLE, NS_RTP, NS_RTP_AUDIO, NS_RTP_VIDEO,
	NS_ICE_UDP, NS_DTLS, NS_RTCP_FB, NS_HDREXT, NS_GROUPING, NS_SSMA,
};
const struct disco_info gateway_contact_info = INFO(contact_ids,
						    contact_vars);

struct question {
	struct gateway *g;
	const struct stanza *s;
	struct gateway_target t;
	bool get;
	struct gateway_env *env;
	struct arena *a;
};

static int result(struct question *q, struct xml_elem *iq)
{
	gateway_do_send(q->env, iq);
	return 0;
}

static int fail_text(struct question *q, const char *type,
		     const char *condition, const char *text)
{
	struct why why = { .type = type, .condition = condition,
			   .text = text };

	return result(q, stanza_error(q->a, q->s, &why));
}

static int fail(struct question *q, const char *condition)
{
	return fail_text(q, "cancel", condition, NULL);
}

/* --- discovery ----------------------------------------------------------- */

static bool node_is(const char *node, const char *ver)
{
	size_t n = strlen(GATEWAY_NODE);

	return !strncmp(node, GATEWAY_NODE, n) && node[n] == '#' &&
	       !strcmp(node + n + 1, ver);
}

static const struct disco_info *find_info(const struct question *q,
					  const char *node)
{
	if (q->t.service)
		return !node || node_is(node, q->g->service_ver) ?
		       &gateway_service_info : NULL;
	if (node ? node_is(node, q->g->contact_ver) :
	    q->s->to.resource != NULL)
		return &gateway_contact_info;
	return node ? NULL : &account_info;
}

static int answer_info(struct question *q)
{
	const struct disco_info *info;
	const char *node;
	struct xml_elem *iq;

	disco_query(q->s->elem, NS_DISCO_INFO, &node);
	if (node && !*node)
		node = NULL;
	info = find_info(q, node);
	if (!info)
		return fail(q, "item-not-found");
	iq = stanza_result(q->a, q->s);
	disco_add_info(q->a, iq, info, node);
	return result(q, iq);
}

static int answer_items(struct question *q)
{
	struct xml_elem *iq = stanza_result(q->a, q->s);
	const char *node;

	disco_query(q->s->elem, NS_DISCO_ITEMS, &node);
	disco_add_query(q->a, iq, NS_DISCO_ITEMS, node);
	return result(q, iq);
}

static int answer_version(struct question *q)
{
	struct xml_elem *iq = stanza_result(q->a, q->s);

	version_add(q->a, iq, "privatecalld", PACKAGE_VERSION, NULL);
	return result(q, iq);
}

static int answer_vcard(struct question *q)
{
	struct xml_elem *iq = stanza_result(q->a, q->s);
	struct xml_elem *card = xml_add(q->a, iq, NS_VCARD, "vCard");
	const char *name = q->t.service ? SERVICE_NAME :
			   jid_unescape(q->a, q->t.peer.node);

	xml_add_text(q->a, xml_add(q->a, card, NULL, "FN"), name);
	if (!q->t.service)
		xml_add_text(q->a, xml_add(q->a, card, NULL, "JABBERID"),
			     q->t.peer.bare);
	else
		xml_add_text(q->a, xml_add(q->a, card, NULL, "DESC"),
			     "Private calls between users of this server.");
	return result(q, iq);
}

/* --- registration (XEP-0077) --------------------------------------------- */

static int register_set(struct question *q)
{
	struct gateway_env *env = q->env;
	struct gateway_env later = { .arena = env->arena, .now = env->now,
				     .wall = env->wall };
	int rc;

	if (!gateway_admits(q->g, &q->s->from))
		return fail_text(q, "auth", "forbidden",
				 "Calls to other servers are off.");
	rc = gateway_roster_register(q->g, &q->s->from, &later);
	if (rc == EOVERFLOW)
		return fail_text(q, "wait", "resource-constraint",
				 "Too many users or contacts here.");
	if (rc == EBADMSG)
		return fail_text(q, "modify", "not-acceptable",
				 "This address is too long.");
	if (rc)
		fail(q, "internal-server-error");
	else
		result(q, stanza_result(q->a, q->s));
	if (later.first) {
		*(env->last ? &env->last->next : &env->first) = later.first;
		env->last = later.last;
	}
	return rc;
}

static int answer_register(struct question *q)
{
	const struct gateway_user *u;
	enum register_action action;
	struct why why = { .type = "cancel",
			   .condition = "service-unavailable" };
	struct xml_elem *iq;

	if (register_parse(q->s, &action, &why))
		return result(q, stanza_error(q->a, q->s, &why));
	if (action == REGISTER_SET)
		return register_set(q);
	iq = stanza_result(q->a, q->s);
	if (action == REGISTER_REMOVE) {
		result(q, iq);
		gateway_roster_remove(q->g, q->s->from.bare, q->env);
		return 0;
	}
	u = gateway_user_find(q->g, q->s->from.bare);
	register_add_form(q->a, iq, "Register to make and to get private "
			  "calls. Nothing needs to be filled in.",
			  gateway_row_find(u, q->g->domain) != NULL);
	return result(q, iq);
}

/* --- addresses of contacts (XEP-0100, jabber:iq:gateway) ----------------- */

/* The address a user typed, "bob@example.org", "bob" being one of ours. */
static int read_prompt(struct question *q, struct jid *contact_r)
{
	const struct xml_elem *query = xml_child(q->s->elem, NS_GATEWAY,
						 "query");
	const struct xml_elem *prompt = xml_child(query, NS_GATEWAY,
						  "prompt");
	const char *text = xml_text(q->a, prompt);
	struct jid user;
	char *end;
	char *copy;
	int rc;

	if (!prompt)
		return EBADMSG;
	if (!text)
		return ENOMEM;
	copy = arena_strdup(q->a, text + strspn(text, " \t\r\n"));
	if (!copy)
		return ENOMEM;
	for (end = copy + strlen(copy); end > copy &&
	     strchr(" \t\r\n", end[-1]); end--)
		end[-1] = '\0';
	if (!*copy || !q->g->hosts[0])
		return EBADMSG;
	if (!strchr(copy, '@'))
		copy = arena_join(q->a, copy, "@", q->g->hosts[0]);
	rc = copy ? jid_parse(q->a, copy, &user) : ENOMEM;
	if (!rc && user.resource)
		rc = EBADMSG;
	return rc ? rc : address_contact(q->a, q->g, &user, contact_r);
}

static int answer_prompt(struct question *q)
{
	struct xml_elem *iq, *query;
	struct jid contact;
	int rc;

	iq = stanza_result(q->a, q->s);
	query = xml_add(q->a, iq, NS_GATEWAY, "query");
	if (q->get) {
		xml_add_text(q->a, xml_add(q->a, query, NULL, "desc"),
			     "The address of the person to call.");
		xml_add(q->a, query, NULL, "prompt");
		return result(q, iq);
	}
	rc = read_prompt(q, &contact);
	if (rc == EBADMSG)
		return fail_text(q, "modify", "not-acceptable",
				 "Expected an address like bob@example.org.");
	if (rc)
		return rc;
	xml_add_text(q->a, xml_add(q->a, query, NULL, "jid"), contact.bare);
	return result(q, iq);
}

/* --- dispatch ------------------------------------------------------------ */

static bool asks(const struct question *q, const char *ns, const char *name)
{
	return xml_child(q->s->elem, ns, name) != NULL;
}

static int answer_get(struct question *q)
{
	if (asks(q, NS_DISCO_INFO, "query"))
		return answer_info(q);
	if (asks(q, NS_DISCO_ITEMS, "query"))
		return answer_items(q);
	if (version_is_query(q->s->elem))
		return answer_version(q);
	if (ping_is(q->s->elem))
		return result(q, stanza_result(q->a, q->s));
	if (asks(q, NS_VCARD, "vCard"))
		return answer_vcard(q);
	return ENOENT;
}

static int answer_service(struct question *q)
{
	if (asks(q, NS_REGISTER, "query"))
		return answer_register(q);
	if (asks(q, NS_GATEWAY, "query"))
		return answer_prompt(q);
	return ENOENT;
}

int gateway_iq(struct gateway *g, const struct stanza *s,
	       struct gateway_env *env)
{
	struct question q = { .g = g, .s = s, .env = env, .a = env->arena };
	int rc;

	q.get = !strcmp(s->type, "get");
	g->now = env->now;
	if (address_is_ours(g, &s->from) ||
	    (!q.get && strcmp(s->type, "set") != 0))
		return 0;
	gateway_user_lang(g, s);
	rc = gateway_target_find(g, q.a, &s->to, &q.t);
	if (rc == ENOMEM)
		return rc;
	/* A contact has one resource, the service none. */
	if (!rc && s->to.resource && (q.t.service ||
	    strcmp(s->to.resource, GATEWAY_RESOURCE) != 0))
		rc = ENOENT;
	if (!rc && q.get) {
		rc = answer_get(&q);
		if (rc != ENOENT)
			return gateway_done(env, rc);
		rc = 0;
	}
	if (!rc)
		rc = q.t.service ? answer_service(&q) : ENOENT;
	if (rc == ENOENT || rc == EBADMSG)
		rc = fail(&q, "service-unavailable");
	return gateway_done(env, rc);
}
