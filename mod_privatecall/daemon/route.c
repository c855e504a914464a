/* route.c: every stanza from the server goes to a call, to the gateway, or is
 * answered; every IQ get or set exactly once (I13).
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <string.h>
#include "jingle/stanza/hints.h"
#include "jingle/stanza/ns.h"
#include "mod_privatecall/daemon/clock.h"

struct route {
	struct daemon *dm;
	struct arena *arena;
	struct stanza *s;
	bool native;               /* to a user's own address */
	struct jid peer;           /* the user our address stands for */
	bool has_peer;
};

/* `e`: NULL where there is nothing to say, or no memory to say it. */
static void answer(struct daemon *dm, struct arena *a,
		   const struct xml_elem *e, bool urgent)
{
	if (e)
		e = uplink_stanza(dm, a, e);
	if (e)
		link_send(dm->link, e, urgent);
}

static void answer_error(struct route *r, const struct why *why)
{
	answer(r->dm, r->arena, stanza_error(r->arena, r->s, why), true);
}

static const struct why why_no_memory = {
	.type = "wait", .condition = "resource-constraint",
};

void route_ask(struct daemon *dm, const struct xml_elem *iq,
	       enum iq_kind kind, const char *context, unsigned side)
{
	int64_t deadline = clock_now() + dm->site.iq_timeout;

	/* Questions for features must not take the room of calls. */
	if (kind == IQ_GATEWAY &&
	    iq_table_count(dm->iqs) > DAEMON_IQS_MAX / 4 * 3) {
		dm->count.iq_full++;
		return;
	}
	if (iq_table_add(dm->iqs, xml_get(iq, "id"), xml_get(iq, "to"),
			 deadline, kind, context, side))
		dm->count.iq_full++;
}

/* --- the gateway ------------------------------------------------------ */

static void store_contact(struct daemon *dm, const struct gateway_action *a)
{
	struct store_op op = { .kind = a->kind == GATEWAY_CONTACT_PUT ?
			       STORE_CONTACT_PUT : STORE_CONTACT_DEL };

	op.u.contact.user = a->contact.user;
	op.u.contact.contact = a->contact.contact;
	op.u.contact.to = a->contact.to;
	op.u.contact.from = a->contact.from;
	op.u.contact.ask = a->contact.ask;
	hold_store(dm, &op);
}

/* Of ours to an iq: it may use the reserve of the queue. */
static bool is_answer(const struct xml_elem *e)
{
	const char *type = xml_get(e, "type");

	return xml_is(e, NS_COMPONENT, "iq") && type &&
	       (strcmp(type, "result") == 0 || strcmp(type, "error") == 0);
}

void route_gateway(struct daemon *dm, struct gateway_env *env)
{
	struct gateway_action *a = env->first;

	env->first = env->last = NULL;
	for (; a; a = a->next) {
		switch (a->kind) {
		case GATEWAY_ASK:
			route_ask(dm, a->stanza, IQ_GATEWAY, NULL, 0);
			link_send(dm->link, a->stanza, false);
			break;
		case GATEWAY_SEND:
			link_send(dm->link, a->stanza, is_answer(a->stanza));
			break;
		case GATEWAY_CONTACT_PUT:
		case GATEWAY_CONTACT_DEL:
			store_contact(dm, a);
			break;
		case GATEWAY_DEVICE_GONE:
			calls_presence(dm, a->jid, false, env->arena);
			break;
		case GATEWAY_DEVICE_BACK:
			calls_presence(dm, a->jid, true, env->arena);
			break;
		case GATEWAY_READY:
			notices_flush(dm, a->jid);
			break;
		case GATEWAY_CHANGED:
			modules_ask_sessions(dm, a->jid, env->arena);
			break;
		}
	}
}

static struct gateway_env gateway_env(struct arena *arena)
{
	return (struct gateway_env){ .arena = arena, .now = clock_now(),
				     .wall = clock_wall() };
}

/* --- calls ------------------------------------------------------------ */

static void find_peer(struct route *r)
{
	struct gateway *g = r->dm->gateway;

	if (r->native) {
		r->peer = r->s->to;
		r->has_peer = true;
		return;
	}
	r->has_peer = r->s->to.node &&
		      !address_user(r->arena, g, &r->s->to, &r->peer);
}

static void to_call(struct route *r, struct call_event *ev, bool make)
{
	struct call_entry *e;

	e = calls_get(r->dm, r->s->from.bare, r->peer.bare, make);
	ev->stanza = r->s;
	if (e) {
		calls_event(e, ev, r->arena);
		return;
	}
	r->dm->count.ignored++;
	if (make)
		answer_error(r, &why_no_memory);
}

static const struct why why_no_session = {
	.type = "cancel", .condition = "item-not-found",
	.app_ns = NS_JINGLE_ERR, .app = "unknown-session",
};

static void jingle_iq(struct route *r)
{
	struct jingle j;
	struct why why = { .type = NULL };
	struct call_event ev = { .kind = CALL_EV_JINGLE, .jingle = &j };
	int rc = jingle_parse(r->arena, r->s->elem, &j, &why);

	if (rc) {
		r->dm->count.bad++;
		answer_error(r, rc == ENOMEM ? &why_no_memory : &why);
		return;
	}
	find_peer(r);
	if (!r->has_peer || !r->s->from.resource || !r->s->from.node ||
	    (!calls_get(r->dm, r->s->from.bare, r->peer.bare, false) &&
	     j.action != JINGLE_SESSION_INITIATE)) {
		answer_error(r, &why_no_session);
		return;
	}
	to_call(r, &ev, j.action == JINGLE_SESSION_INITIATE);
}

static void route_iq_answer(struct route *r)
{
	struct stanza *s = r->s;
	struct iq_asked *q = iq_table_take(r->dm->iqs, s->id, s->from.full);
	struct call_event ev = { .kind = CALL_EV_RESULT };
	struct call_entry *e = NULL;
	struct gateway_env env;

	if (!q) {
		r->dm->count.unknown_answers++;
		return;
	}
	if (q->kind == IQ_GATEWAY) {
		env = gateway_env(r->arena);
		gateway_answer(r->dm->gateway, s, &env);
		route_gateway(r->dm, &env);
	} else {
		HASH_FIND(hh_pair, r->dm->by_pair, q->context,
			  strlen(q->context), e);
		if (strcmp(s->type, "error") == 0) {
			ev.kind = CALL_EV_ERROR;
			ev.error = xml_child(s->elem, NS_COMPONENT, "error");
			if (!ev.error)
				ev.error = xml_new(r->arena, NS_COMPONENT,
						   "error");
		}
		ev.id = s->id;
		ev.side = q->number;
		if (e)
			calls_event(e, &ev, r->arena);
	}
	iq_asked_free(q);
}

void route_forget_asked(struct daemon *dm)
{
	struct iq_asked *q;

	while ((q = iq_table_expire(dm->iqs, INT64_MAX)))
		iq_asked_free(q);
}

void route_iq_timeouts(struct daemon *dm, int64_t now)
{
	struct call_event ev;
	struct call_entry *e;
	struct iq_asked *q;

	while ((q = iq_table_expire(dm->iqs, now))) {
		e = NULL;
		if (q->kind == IQ_CALL)
			HASH_FIND(hh_pair, dm->by_pair, q->context,
				  strlen(q->context), e);
		if (e) {
			memset(&ev, 0, sizeof(ev));
			ev.kind = CALL_EV_TIMEOUT;
			ev.id = q->id;
			ev.side = q->number;
			calls_event(e, &ev, dm->arena);
			arena_reset(dm->arena);
		}
		iq_asked_free(q);
	}
}

static const struct why why_unavailable = {
	.type = "cancel", .condition = "service-unavailable",
};

/* The module has injected a stanza of ours, or refused to: a host of ours says
 * so, and nobody else can (A28). The stanza's error is one of a user, so that
 * no refusal can hold another one. */
static bool relay_answer(struct route *r)
{
	const struct stanza *s = r->s;
	struct xml_elem *error;
	const char *why;

	if (s->from.node || s->from.resource ||
	    !modules_find(r->dm, s->from.domain) ||
	    strncmp(s->id, "relay-", strlen("relay-")) != 0)
		return false;
	if (strcmp(s->type, "error") != 0)
		return true;
	error = module_refused(r->arena, s, &why);
	r->dm->count.relays_refused++;
	if (log_allowed(&r->dm->rate_unsent, clock_now()))
		log_line(LOG_WARN, "the server's module refused a stanza of a "
			 "call", "host", s->from.domain, "why", why, "from",
			 log_jid, xml_get(error, "to") ? xml_get(error, "to") :
			 "?", NULL);
	if (error)
		route_stanza(error, r->arena, r->dm);
	return true;
}

static void route_iq(struct route *r)
{
	struct stanza *s = r->s;
	struct gateway_env env = gateway_env(r->arena);

	if (strcmp(s->type, "result") == 0 || strcmp(s->type, "error") == 0) {
		if (!relay_answer(r) && !modules_answer(r->dm, s, r->arena))
			route_iq_answer(r);
		return;
	}
	if (strcmp(s->type, "set") == 0 &&
	    xml_child(s->elem, NS_JINGLE, "jingle")) {
		jingle_iq(r);
		return;
	}
	if (r->native) {
		answer_error(r, &why_unavailable);
		return;
	}
	gateway_iq(r->dm->gateway, s, &env);
	route_gateway(r->dm, &env);
}

/* --- messages --------------------------------------------------------- */

static bool chat_allowed(struct route *r)
{
	if (!r->has_peer)
		return true;
	return r->dm->site.messaging &&
	       users_settings(r->dm, r->s->from.bare).messages &&
	       users_settings(r->dm, r->peer.bare).messages;
}

static void jmi_message(struct route *r, struct jmi *j)
{
	struct call_event ev = { .kind = CALL_EV_MESSAGE, .jmi = j };

	if (!r->s->from.resource || !r->s->from.node) {
		r->dm->count.ignored++;
		return;
	}
	to_call(r, &ev, j->action == JMI_PROPOSE);
}

/* What the module takes for a call and we do not, such as a later version of
 * XEP-0353: whoever sent it is not to wait for ever. */
static const struct why why_not_known = {
	.type = "cancel", .condition = "feature-not-implemented",
};

static void route_message(struct route *r)
{
	struct gateway_env env = gateway_env(r->arena);
	struct call_event ev = { .kind = CALL_EV_BOUNCE };
	struct jmi j;
	struct why why = { .type = NULL };
	int rc = 0;

	find_peer(r);
	if (strcmp(r->s->type, "error") == 0 && r->has_peer && r->s->id) {
		ev.id = r->s->id;
		if (calls_get(r->dm, r->s->from.bare, r->peer.bare, false))
			to_call(r, &ev, false);
	} else if (r->has_peer && strcmp(r->s->type, "error") != 0) {
		rc = jmi_parse(r->arena, r->s->elem, &j, &why);
		if (!rc) {
			jmi_message(r, &j);
			return;
		}
		if (rc == EBADMSG || rc == ENOMEM) {
			r->dm->count.bad++;
			answer_error(r, rc == ENOMEM ? &why_no_memory : &why);
			return;
		}
		if (hints_receipt_of(r->s->elem)) {
			rc = 0;
			ev.kind = CALL_EV_RECEIPT;
			if (calls_get(r->dm, r->s->from.bare, r->peer.bare,
				      false))
				to_call(r, &ev, false);
		}
	}
	if (r->native) {
		if (rc == ENOENT)
			answer_error(r, &why_not_known);
		return;
	}
	gateway_message(r->dm->gateway, r->s, &env, chat_allowed(r));
	route_gateway(r->dm, &env);
}

/* Of a call between users' own addresses: only the server's module lets such
 * stanzas come here. */
static bool is_native(const struct daemon *dm, const struct stanza *s)
{
	return s->from.node && s->to.node &&
	       !address_is_ours(dm->gateway, &s->to) &&
	       (modules_has(dm, s->to.domain) ||
		modules_has(dm, s->from.domain));
}

void route_stanza(struct xml_elem *e, struct arena *a, void *arg)
{
	struct daemon *dm = arg;
	struct stanza s;
	struct why why = { .type = NULL };
	struct route r = { .dm = dm, .arena = a, .s = &s };
	struct gateway_env env;

	switch (stanza_parse(a, e, &s, &why)) {
	case 0:
		break;
	case EBADMSG:
		dm->count.bad++;
		if (s.kind == STANZA_IQ && s.id && s.to.full)
			answer_error(&r, &why);
		return;
	default:
		dm->count.bad++;
		return;
	}
	if (check_echo(dm, &s))
		return;
	r.native = is_native(dm, &s);
	if ((!address_is_ours(dm->gateway, &s.to) && !r.native) ||
	    address_is_ours(dm->gateway, &s.from)) {
		/* A40: a foreign address, or ourselves: no loops. */
		dm->count.ignored++;
		if (s.kind == STANZA_IQ)
			answer_error(&r, &why_unavailable);
		return;
	}
	if (modules_message(dm, &s, a))
		return;
	/* An error may be the server's word that it is gone. */
	if (s.kind != STANZA_PRESENCE && strcmp(s.type, "error") != 0)
		gateway_heard(dm->gateway, &s.from);
	switch (s.kind) {
	case STANZA_IQ:
		route_iq(&r);
		break;
	case STANZA_MESSAGE:
		route_message(&r);
		break;
	case STANZA_PRESENCE:
		if (r.native)
			break;
		env = gateway_env(a);
		gateway_presence(dm->gateway, &s, &env);
		route_gateway(dm, &env);
		break;
	}
}

void route_skipped(const struct xml_elem *head, const struct xml_elem *error,
		   struct arena *a, enum xml_limit limit, void *arg)
{
	struct daemon *dm = arg;

	answer(dm, a, error, xml_is(head, NS_COMPONENT, "iq"));
	if (log_allowed(&dm->rate_skipped, clock_now()))
		log_line(LOG_WARN, "a stanza over a limit was skipped",
			 "limit", xml_limit_name(limit), "from", log_jid,
			 xml_get(head, "from") ? xml_get(head, "from") : "?",
			 NULL);
}
