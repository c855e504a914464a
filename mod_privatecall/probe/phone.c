/* phone.c: a user's device with calls: what comes to it (see phone.h). */
#include "mod_privatecall/probe/phone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/disco.h"
#include "jingle/stanza/jingle.h"
#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"

static void say(struct phone *p, enum phone_event ev)
{
	p->event_h(p, ev, p->arg);
}

/* One line for a terminal, whoever wrote it: without control characters (those
 * of two bytes, too), and cut between two characters. */
static void take(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n >= size)
		for (n = size - 1; n && (from[n] & 0xc0) == 0x80; n--)
			;
	memcpy(to, from, n);
	to[n] = '\0';
	for (; *to; to++) {
		if ((unsigned char)*to < ' ' || *to == 0x7f)
			*to = ' ';
		if (to[0] == '\xc2' && (to[1] & 0xe0) == 0x80)
			memset(to, ' ', 2);
	}
}

static void told(struct phone_said *s, const char *condition,
		 const char *text)
{
	take(s->condition, sizeof(s->condition), condition ? condition : "");
	take(s->text, sizeof(s->text), text ? text : "");
}

static void set(char **where, const char *text)
{
	free(*where);
	*where = text ? strdup(text) : NULL;
}

/* Is `full` a resource of `bare`? */
static bool is_of(const char *full, const char *bare)
{
	size_t len = strlen(bare);

	return full && !strncmp(full, bare, len) &&
	       (full[len] == '/' || !full[len]);
}

/* --- presence --------------------------------------------------------- */

/* The component and contacts there are let see us, and we see them. */
static void on_presence(struct phone *p, const struct xml_elem *e)
{
	const char *type = xml_get(e, "type"), *from = xml_get(e, "from");

	if (!from)
		return;
	if (p->service && text_equal(type, "subscribe") &&
	    (is_of(from, p->service) || is_of(from, p->target)))
		phone_subscribe(p, from, "subscribed");
	else if (p->service && text_equal(type, "error") &&
		 (is_of(from, p->service) || is_of(from, p->target))) {
		told(&p->told, stanza_error_condition(e), NULL);
		say(p, PHONE_REFUSED);
	}
	if (type)
		return;
	if (p->service ? is_of(from, p->target) : text_equal(from, p->full))
		say(p, PHONE_SEEN);
}

/* --- messages --------------------------------------------------------- */

static void on_propose(struct phone *p, const struct jmi *j, const char *from)
{
	/* Old ones may have waited for a device. */
	if (j->delayed || *p->id || !is_of(from, p->target))
		return;
	snprintf(p->id, sizeof(p->id), "%s", j->id);
	set(&p->peer, from);
	say(p, PHONE_PROPOSED);
}

static void on_jmi(struct phone *p, const struct jmi *j, const char *from)
{
	if (j->action == JMI_PROPOSE) {
		on_propose(p, j, from);
		return;
	}
	if (strcmp(j->id, p->id) != 0 || is_of(from, p->bare))
		return;
	switch (j->action) {
	case JMI_RINGING:
		set(&p->rung_by, from);
		say(p, PHONE_RINGING);
		break;
	case JMI_PROCEED:
		set(&p->peer, from);
		say(p, PHONE_PROCEED);
		break;
	case JMI_REJECT:
	case JMI_RETRACT:
		told(&p->told, j->reason, j->text);
		say(p, PHONE_ENDED);
		break;
	default:
		break;
	}
}

static void on_message(struct phone *p, const struct xml_elem *e,
		       struct arena *a)
{
	const char *from = xml_get(e, "from");
	const struct xml_elem *body = xml_child(e, NULL, "body");
	struct why why;
	struct jmi j;

	if (!from)
		return;
	if (text_equal(xml_get(e, "type"), "error")) {
		told(&p->told, stanza_error_condition(e), NULL);
		if (text_equal(xml_get(e, "id"), PHONE_ID_PROPOSE))
			say(p, PHONE_REFUSED);
	} else if (!jmi_parse(a, e, &j, &why)) {
		on_jmi(p, &j, from);
	} else if (body && text_equal(xml_get(e, "type"), "headline")) {
		told(&p->notice, NULL, xml_text(a, body));
	}
}

/* --- Jingle ----------------------------------------------------------- */

static void read_candidates(struct phone_remote *r,
			    const struct ice_transport *t)
{
	const struct ice_candidate *c;
	unsigned i;

	for (i = 0; i < t->candidates &&
	     r->candidates < PHONE_CANDIDATES_MAX; i++) {
		c = &t->candidate[i];
		if (c->protocol != ICE_UDP || c->component != 1 ||
		    addr_parse(c->ip, c->port,
			       &r->candidate[r->candidates].addr))
			continue;
		r->candidate[r->candidates++].priority = c->priority;
	}
}

/* The transport of the first content serves all. */
static void read_remote(struct phone *p, const struct jingle *j,
			struct arena *a)
{
	struct phone_remote *r = &p->remote;
	struct xml_elem *e = j->contents ? j->content[0].transport : NULL;
	const struct dtls_fingerprint *f;
	struct ice_transport t;
	struct dtls_list list;
	struct why why;

	if (!e || ice_udp_parse(a, e, &t, &why))
		return;
	if (t.ufrag && t.pwd) {
		snprintf(r->ufrag, sizeof(r->ufrag), "%s", t.ufrag);
		snprintf(r->pwd, sizeof(r->pwd), "%s", t.pwd);
	}
	read_candidates(r, &t);
	if (dtls_parse(a, e, &list, &why))
		return;
	f = dtls_strongest(&list);
	if (f) {
		r->print = *f;
		r->print.elem = NULL;
	}
}

static void on_session(struct phone *p, const struct jingle *j,
		       struct arena *a)
{
	switch (j->action) {
	case JINGLE_SESSION_INITIATE:
		read_remote(p, j, a);
		say(p, PHONE_INITIATE);
		break;
	case JINGLE_SESSION_ACCEPT:
		read_remote(p, j, a);
		say(p, PHONE_ACCEPT);
		break;
	case JINGLE_TRANSPORT_INFO:
		read_remote(p, j, a);
		say(p, PHONE_CANDIDATES);
		break;
	case JINGLE_SESSION_TERMINATE:
		told(&p->told, j->reason, j->text);
		say(p, PHONE_ENDED);
		break;
	default:
		break;
	}
}

static void on_set(struct phone *p, const struct xml_elem *iq,
		   struct arena *a)
{
	struct jingle j;
	struct why why;
	int err = jingle_parse(a, iq, &j, &why);

	if (err) {
		phone_answer(p, iq, err == ENOENT ? "service-unavailable" :
			     "bad-request");
	} else if (strcmp(j.sid, p->id) != 0 || !p->peer ||
		   strcmp(xml_get(iq, "from"), p->peer) != 0) {
		phone_answer(p, iq, "item-not-found");
	} else {
		phone_answer(p, iq, NULL);
		on_session(p, &j, a);
	}
}

static void on_iq(struct phone *p, const struct xml_elem *e, struct arena *a)
{
	const char *type = xml_get(e, "type"), *id = xml_get(e, "id");
	const char *node;

	if (!type || !id) {
		return;
	} else if (!strcmp(type, "get")) {
		if (disco_query(e, NS_DISCO_INFO, &node))
			phone_answer_info(p, e, node);
		else
			phone_answer(p, e, xml_child(e, NS_PING, "ping") ?
				     NULL : "service-unavailable");
	} else if (!strcmp(type, "set")) {
		if (xml_child(e, NS_ROSTER, "query"))
			phone_answer(p, e, NULL);
		else if (xml_get(e, "from"))
			on_set(p, e, a);
	} else if (!strcmp(type, "error")) {
		told(&p->told, stanza_error_condition(e), NULL);
		if (!strcmp(id, PHONE_ID_REGISTER) ||
		    !strcmp(id, PHONE_ID_OFFER) ||
		    !strcmp(id, PHONE_ID_ACCEPT))
			say(p, PHONE_REFUSED);
	} else if (!strcmp(id, PHONE_ID_REGISTER)) {
		say(p, PHONE_REGISTERED);
	}
}

/* --- the connection --------------------------------------------------- */

static void on_online(const char *jid, void *arg)
{
	struct phone *p = arg;

	set(&p->full, jid);
	say(p, PHONE_ONLINE);
}

static void on_stanza(struct xml_elem *e, struct arena *a, void *arg)
{
	struct phone *p = arg;

	if (xml_is(e, NS_COMPONENT, "presence"))
		on_presence(p, e);
	else if (xml_is(e, NS_COMPONENT, "message"))
		on_message(p, e, a);
	else if (xml_is(e, NS_COMPONENT, "iq"))
		on_iq(p, e, a);
}

static void on_gone(const char *why, void *arg)
{
	struct phone *p = arg;

	told(&p->told, NULL, why);
	say(p, PHONE_GONE);
}

bool phone_open(struct phone *p, struct clients *cs, const char *bare,
		const char *password, const char *target,
		const char *service)
{
	static const struct client_handlers h = {
		on_online, on_stanza, on_gone,
	};

	p->bare = bare;
	p->service = service;
	p->target = service ? phone_contact(target, service) : strdup(target);
	p->arena = arena_new(0);
	p->client = p->target && p->arena ?
		    client_open(cs, bare, password, &h, p) : NULL;
	return p->client != NULL;
}

void phone_close(struct phone *p)
{
	if (p->client)
		client_close(p->client);
}

void phone_free(struct phone *p)
{
	free(p->target);
	free(p->full);
	free(p->peer);
	free(p->rung_by);
	arena_free(p->arena);
}
