/* phone_says.c: what a phone says: presence, XEP-0353, Jingle. */
#include "mod_privatecall/probe/phone.h"

#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/disco.h"
#include "jingle/stanza/jingle.h"
#include "jingle/stanza/ns.h"

#define NODE "urn:privatecall:probe"

static const struct disco_identity identity[] = {
	{ "client", "phone", NULL, "privatecall-probe" },
};
static const char *const feature[] = {
	NS_CAPS, NS_DISCO_INFO, NS_PING, NS_JINGLE, NS_JMI, NS_RTP,
	NS_RTP_AUDIO, NS_RTP_VIDEO, NS_DTLS, NS_ICE_UDP, NS_GROUPING,
};
static const struct disco_info info = {
	.identities = 1, .identity = identity,
	.features = sizeof(feature) / sizeof(feature[0]), .feature = feature,
};

static void say(struct phone *p, const struct xml_elem *e)
{
	client_send(p->client, p->arena, e);
	arena_reset(p->arena);
}

/* --- presence --------------------------------------------------------- */

char *phone_contact(const char *bare, const char *service)
{
	struct arena *a = arena_new(0);
	const char *label = strchr(service, '.');
	char *node, *contact = NULL;
	struct jid jid;

	if (a && !jid_parse(a, bare, &jid) && jid.node) {
		node = label && !strcmp(label + 1, jid.domain) ?
		       arena_strdup(a, jid.node) : arena_strdup(a, jid.bare);
		node = jid_escape(a, node);
		contact = node ? arena_printf(a, "%s@%s", node, service) :
				 NULL;
		contact = contact ? strdup(contact) : NULL;
	}
	arena_free(a);
	return contact;
}

void phone_register(struct phone *p)
{
	struct xml_elem *iq = stanza_new(p->arena, STANZA_IQ, "set",
					 PHONE_ID_REGISTER, NULL, p->service);

	xml_add(p->arena, iq, NS_REGISTER, "query");
	say(p, iq);
}

void phone_subscribe(struct phone *p, const char *to, const char *type)
{
	say(p, stanza_new(p->arena, STANZA_PRESENCE, type, NULL, NULL, to));
}

void phone_appear(struct phone *p)
{
	struct xml_elem *e = stanza_new(p->arena, STANZA_PRESENCE, NULL, NULL,
					NULL, NULL);
	char ver[DISCO_VER_SIZE];

	if (!disco_ver(p->arena, &info, ver))
		caps_add(p->arena, e, NODE, ver);
	say(p, e);
}

/* --- answers ---------------------------------------------------------- */

void phone_answer_info(struct phone *p, const struct xml_elem *iq,
		       const char *node)
{
	struct xml_elem *e = stanza_new(p->arena, STANZA_IQ, "result",
					xml_get(iq, "id"), NULL,
					xml_get(iq, "from"));

	disco_add_info(p->arena, e, &info, node);
	say(p, e);
}

void phone_answer(struct phone *p, const struct xml_elem *iq,
		  const char *condition)
{
	struct xml_elem *e = stanza_new(p->arena, STANZA_IQ, condition ?
					"error" : "result", xml_get(iq, "id"),
					NULL, xml_get(iq, "from"));
	struct xml_elem *error;

	if (condition) {
		error = xml_add(p->arena, e, NULL, "error");
		xml_set(p->arena, error, "type", "cancel");
		xml_add(p->arena, error, NS_STANZAS, condition);
	}
	say(p, e);
}

/* --- XEP-0353 --------------------------------------------------------- */

static void say_jmi(struct phone *p, enum jmi_action action, const char *to,
		    const char *id, unsigned media)
{
	struct xml_elem *e = stanza_new(p->arena, STANZA_MESSAGE, "chat", id,
					NULL, to);

	jmi_add(p->arena, e, action, p->id, media, NULL, NULL);
	xml_add(p->arena, e, NS_HINTS, "store");
	say(p, e);
}

void phone_propose(struct phone *p, bool video)
{
	say_jmi(p, JMI_PROPOSE, p->target, PHONE_ID_PROPOSE,
		MEDIA_AUDIO | (video ? MEDIA_VIDEO : 0));
}

void phone_ringing(struct phone *p)
{
	say_jmi(p, JMI_RINGING, p->peer, NULL, 0);
}

void phone_proceed(struct phone *p)
{
	say_jmi(p, JMI_PROCEED, p->peer, NULL, 0);
}

void phone_retract(struct phone *p)
{
	say_jmi(p, JMI_RETRACT, p->target, NULL, 0);
}

/* --- Jingle ----------------------------------------------------------- */

static void add_number(struct arena *a, struct xml_elem *e, const char *name,
		       unsigned long number)
{
	xml_set(a, e, name, arena_printf(a, "%lu", number));
}

static void add_payload(struct arena *a, struct xml_elem *description,
			bool video)
{
	struct xml_elem *e = xml_add(a, description, NULL, "payload-type");
	struct xml_elem *feedback;

	add_number(a, e, "id", video ? PHONE_VP8 : PHONE_OPUS);
	xml_set(a, e, "name", video ? "VP8" : "opus");
	xml_set(a, e, "clockrate", video ? "90000" : "48000");
	if (video) {
		feedback = xml_add(a, e, NS_RTCP_FB, "rtcp-fb");
		xml_set(a, feedback, "type", "nack");
		xml_set(a, feedback, "subtype", "pli");
	} else {
		xml_set(a, e, "channels", "2");
	}
	xml_add(a, description, NULL, "rtcp-mux");
}

static void add_transport(struct arena *a, struct xml_elem *content,
			  const struct phone_local *l, const char *setup)
{
	struct xml_elem *t = xml_add(a, content, NS_ICE_UDP, "transport"), *e;
	char ip[ADDR_TEXT_SIZE], *text;

	xml_set(a, t, "ufrag", l->ufrag);
	xml_set(a, t, "pwd", l->pwd);
	e = xml_add(a, t, NS_DTLS, "fingerprint");
	xml_set(a, e, "hash", "sha-256");
	xml_set(a, e, "setup", setup);
	text = dtls_text(a, "sha-256", l->print, l->print_len);
	xml_add_text(a, e, text ? strchr(text, ' ') + 1 : NULL);
	e = xml_add(a, t, NULL, "candidate");
	addr_format_ip(&l->addr, ip);
	xml_set(a, e, "component", "1");
	xml_set(a, e, "foundation", "1");
	xml_set(a, e, "generation", "0");
	xml_set(a, e, "id", "1");
	xml_set(a, e, "ip", arena_strdup(a, ip));
	add_number(a, e, "port", l->addr.port);
	add_number(a, e, "priority", l->priority);
	xml_set(a, e, "protocol", "udp");
	xml_set(a, e, "type", "host");
}

/* All contents, in one group, on one transport. */
static void add_contents(struct arena *a, struct xml_elem *j,
			 const struct phone_local *l, const char *setup)
{
	struct xml_elem *group = xml_new(a, NS_GROUPING, "group"), *e, *d;
	unsigned i, n = l->video ? 2 : 1;

	xml_set(a, group, "semantics", "BUNDLE");
	for (i = 0; i < n; i++) {
		e = xml_add(a, j, NULL, "content");
		xml_set(a, e, "creator", "initiator");
		xml_set(a, e, "name", i ? "1" : "0");
		xml_set(a, e, "senders", "both");
		d = xml_add(a, e, NS_RTP, "description");
		xml_set(a, d, "media", i ? "video" : "audio");
		add_payload(a, d, i);
		add_transport(a, e, l, setup);
		xml_set(a, xml_add(a, group, NULL, "content"), "name",
			i ? "1" : "0");
	}
	xml_append(j, group);
}

void phone_initiate(struct phone *p, const struct phone_local *l)
{
	struct xml_elem *j, *iq = jingle_new(p->arena, PHONE_ID_OFFER, NULL,
					     p->peer, JINGLE_SESSION_INITIATE,
					     p->id, &j);

	xml_set(p->arena, j, "initiator", p->full);
	add_contents(p->arena, j, l, "actpass");
	say(p, iq);
}

void phone_accept(struct phone *p, const struct phone_local *l)
{
	struct xml_elem *j, *iq = jingle_new(p->arena, PHONE_ID_ACCEPT, NULL,
					     p->peer, JINGLE_SESSION_ACCEPT,
					     p->id, &j);

	xml_set(p->arena, j, "responder", p->full);
	add_contents(p->arena, j, l, "active");
	say(p, iq);
}

void phone_terminate(struct phone *p)
{
	struct xml_elem *j, *iq = jingle_new(p->arena, "probe-end", NULL,
					     p->peer, JINGLE_SESSION_TERMINATE,
					     p->id, &j);

	jingle_add_reason(p->arena, j, NS_JINGLE, "success", NULL);
	say(p, iq);
}
