/* chat.c: chat messages between users through their contacts, and the way
 * back of their errors.
 *
 * Ids stay as they are, because receipts, markers and corrections name them.
 * An error is returned only for a message that was relayed, to the device that
 * sent it: so no error of ours or about a call's stanza is taken for one, and
 * none can loop.
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/hints.h"
#include "jingle/stanza/ns.h"

#define RELAYED_ID_MAX 256         /* bytes of an id that is remembered */
#define NS_OMEMO "eu.siacs.conversations.axolotl"
#define NS_OMEMO_2 "urn:xmpp:omemo:2"
#define NS_OPENPGP "urn:xmpp:openpgp:0"
#define NS_PGP "jabber:x:encrypted"

/* --- what was relayed ---------------------------------------------------- */

static void relayed_clear(struct gateway_relayed *r)
{
	free(r->id);
	free(r->sender);
	free(r->receiver);
	memset(r, 0, sizeof(*r));
}

void gateway_chat_free(struct gateway *g)
{
	for (unsigned i = 0; i < GATEWAY_RELAYED_MAX; i++)
		relayed_clear(&g->relayed[i]);
}

static int relayed_add(struct gateway *g, const struct stanza *s,
		       const char *receiver)
{
	struct gateway_relayed *r = &g->relayed[g->relayed_at];

	if (!s->id || !*s->id || strlen(s->id) > RELAYED_ID_MAX)
		return 0;
	relayed_clear(r);
	r->id = strdup(s->id);
	r->sender = strdup(s->from.full);
	r->receiver = strdup(receiver);
	if (!r->id || !r->sender || !r->receiver) {
		relayed_clear(r);
		return ENOMEM;
	}
	g->relayed_at = (g->relayed_at + 1) % GATEWAY_RELAYED_MAX;
	return 0;
}

static bool has_bare(const char *full, const char *bare)
{
	size_t n = strlen(bare);

	return !strncmp(full, bare, n) && (!full[n] || full[n] == '/');
}

/* The relayed message that an error from `receiver` to `sender` is about. */
static struct gateway_relayed *relayed_find(struct gateway *g, const char *id,
					    const char *sender,
					    const char *receiver)
{
	for (unsigned i = 0; i < GATEWAY_RELAYED_MAX; i++) {
		struct gateway_relayed *r = &g->relayed[i];

		if (r->id && !strcmp(r->id, id) &&
		    has_bare(r->sender, sender) &&
		    !strcmp(r->receiver, receiver))
			return r;
	}
	return NULL;
}

/* --- messages ------------------------------------------------------------ */

/* What people send each other in a conversation. All else stays here: what
 * servers set, what wraps others' words, invitations and pushes that a client
 * acts on, and everything of calls, which go by their own rules (A28, A33). */
static bool is_passed(const struct xml_elem *e)
{
	static const char *const spaces[] = {
		NS_OMEMO, NS_OMEMO_2, NS_OPENPGP, NS_PGP, NS_RECEIPTS,
		NS_HINTS,
		"http://jabber.org/protocol/chatstates",   /* XEP-0085 */
		"http://jabber.org/protocol/xhtml-im",     /* XEP-0071 */
		"jabber:x:oob",                            /* XEP-0066 */
		"urn:xmpp:attention:0",                    /* XEP-0224 */
		"urn:xmpp:bob",                            /* XEP-0231 */
		"urn:xmpp:chat-markers:0",                 /* XEP-0333 */
		"urn:xmpp:eme:0",                          /* XEP-0380 */
		"urn:xmpp:fallback:0",                     /* XEP-0428 */
		"urn:xmpp:file:metadata:0",                /* XEP-0446 */
		"urn:xmpp:message-attaching:1",            /* XEP-0367 */
		"urn:xmpp:message-correct:0",              /* XEP-0308 */
		"urn:xmpp:message-retract:0",              /* XEP-0424 */
		"urn:xmpp:message-retract:1",
		"urn:xmpp:reactions:0",                    /* XEP-0444 */
		"urn:xmpp:reference:0",                    /* XEP-0372 */
		"urn:xmpp:reply:0",                        /* XEP-0461 */
		"urn:xmpp:sce:1",                          /* XEP-0420 */
		"urn:xmpp:sfs:0",                          /* XEP-0447 */
		"urn:xmpp:sims:1",                         /* XEP-0385 */
		"urn:xmpp:spoiler:0",                      /* XEP-0382 */
		"urn:xmpp:styling:0",                      /* XEP-0393 */
	};
	static const char *const plain[] = { "body", "subject", "thread" };

	if (!e->name)
		return false;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (xml_is(e, NS_COMPONENT, plain[i]))
			return true;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(*spaces); i++)
		if (!strcmp(e->ns, spaces[i]))
			return true;
	return xml_is(e, NS_SID, "origin-id") ||
	       xml_is(e, NS_CARBONS, "private");
}

/* Children that say how to treat a message, and are none by themselves. */
static bool is_hint(const struct xml_elem *e)
{
	return !strcmp(e->ns, NS_HINTS) || !strcmp(e->ns, NS_SID) ||
	       !strcmp(e->ns, NS_CARBONS) ||
	       xml_is(e, NS_COMPONENT, "thread");
}

/* Somebody wrote something, which must not be lost without a word. */
static bool has_words(const struct xml_elem *m)
{
	return xml_child(m, NS_COMPONENT, "body") ||
	       xml_child(m, NS_OMEMO, "encrypted") ||
	       xml_child(m, NS_OMEMO_2, "encrypted") ||
	       xml_child(m, NS_OPENPGP, "openpgp") ||
	       xml_child(m, NS_PGP, "x");
}

static bool is_chat(const struct stanza *s)
{
	return !*s->type || !strcmp(s->type, "chat") ||
	       !strcmp(s->type, "normal");
}

static void refuse(const struct stanza *s, struct gateway_env *env,
		   const char *type, const char *condition, const char *text)
{
	if (has_words(s->elem))
		gateway_do_send(env, stanza_error(env->arena, s,
				&(struct why){ .type = type,
				.condition = condition, .text = text }));
}

static int relay(struct gateway *g, const struct stanza *s,
		 const struct gateway_target *t, struct gateway_env *env)
{
	struct arena *a = env->arena;
	struct xml_elem *m = xml_copy(a, s->elem);
	struct xml_elem *e, *next, *out;
	struct jid from;
	bool empty = true;
	int rc = address_contact(a, g, &s->from, &from);

	if (rc == EBADMSG) {
		refuse(s, env, "modify", "jid-malformed",
		       "This address is too long to be answered.");
		return 0;
	}
	if (rc)
		return rc;
	out = stanza_new(a, STANZA_MESSAGE, *s->type ? s->type : NULL, s->id,
			 from.bare, t->peer.bare);
	if (s->lang && out)
		xml_set_ns(a, out, NS_XML, "lang", s->lang);
	for (e = m ? m->first : NULL; e && out; e = next) {
		next = e->next;
		if (!is_passed(e))
			continue;
		empty = empty && is_hint(e);
		e->next = NULL;
		xml_append(out, e);
	}
	if (empty)
		return 0;
	gateway_do_send(env, out);
	return relayed_add(g, s, t->peer.bare);
}

/* An error from a user, or from his server, for what we relayed to him. */
static int relay_error(struct gateway *g, const struct stanza *s,
		       const struct gateway_target *t, struct gateway_env *env)
{
	struct arena *a = env->arena;
	struct gateway_relayed *r;
	struct xml_elem *out, *error;
	struct jid from;
	int rc;

	r = s->id ? relayed_find(g, s->id, t->peer.bare, s->from.bare) : NULL;
	if (!r)
		return 0;
	rc = address_contact(a, g, &s->from, &from);
	if (rc)
		return rc == EBADMSG ? 0 : rc;
	out = stanza_new(a, STANZA_MESSAGE, "error", s->id, from.bare,
			 r->sender);
	error = xml_copy(a, xml_child(s->elem, NS_COMPONENT, "error"));
	if (!error) {
		error = xml_new(a, NS_COMPONENT, "error");
		xml_set(a, error, "type", "cancel");
		xml_add(a, error, NS_STANZAS, "undefined-condition");
	}
	xml_set(a, error, "by", NULL);
	if (out && error)
		xml_append(out, error);
	gateway_do_send(env, out);
	relayed_clear(r);
	return 0;
}

int gateway_message(struct gateway *g, const struct stanza *s,
		    struct gateway_env *env, bool allowed)
{
	struct gateway_target t;
	bool error = !strcmp(s->type, "error");
	int rc;

	g->now = env->now;
	if (address_is_ours(g, &s->from) || !address_is_ours(g, &s->to) ||
	    !s->from.node || (!error && !is_chat(s)))
		return 0;
	gateway_user_lang(g, s);
	rc = gateway_target_find(g, env->arena, &s->to, &t);
	if (error)
		rc = rc || t.service ? rc : relay_error(g, s, &t, env);
	else if (rc == EBADMSG)
		refuse(s, env, "cancel", "item-not-found",
		       "There is no such contact.");
	else if (!rc && t.service)
		refuse(s, env, "cancel", "feature-not-implemented",
		       "This address does not read messages.");
	else if (!rc && (!gateway_admits(g, &s->from) ||
			 !gateway_admits(g, &t.peer)))
		refuse(s, env, "cancel", "policy-violation",
		       "Users of other servers are not served here.");
	else if (!rc && !allowed)
		refuse(s, env, "cancel", "policy-violation",
		       "Messages are turned off.");
	else if (!rc)
		rc = relay(g, s, &t, env);
	return gateway_done(env, rc == EBADMSG ? 0 : rc);
}
