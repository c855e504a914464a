/* leg_test.h: a leg, what can happen to it, and what came of it as words;
 * shared by the tests of the leg.
 */
#ifndef TESTS_UNIT_LEG_TEST_H
#define TESTS_UNIT_LEG_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/session/leg.h"
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"

#define DEVICE "u@h/d"
#define NONCE 0xabcdu
#define START 1000

struct bench {
	struct leg l;
	struct leg_env env;
	struct stanza stanza;
	struct jmi jmi;
	struct jingle jingle;
	char ids[8];
};

static inline void restart(struct bench *b)
{
	b->env.first = b->env.last = NULL;
}

static inline struct xml_elem *xml(struct bench *b, const char *text)
{
	struct xml_elem *e;

	assert_int_equal(xml_parse(b->env.arena, text, strlen(text),
				   NS_COMPONENT, &xml_limits_default, &e), 0);
	return e;
}

/* --- events ----------------------------------------------------------- */

#define EIGHT "00:11:22:33:44:55:66:77"
#define RTP_CONTENT(creator, name, kind) \
	"<content creator='" creator "' name='" name "'><description " \
	"xmlns='urn:xmpp:jingle:apps:rtp:1' media='" kind "'><payload-type " \
	"id='111' name='opus' clockrate='48000'/></description><transport " \
	"xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='uf' " \
	"pwd='password'><fingerprint xmlns='urn:xmpp:jingle:apps:dtls:0' " \
	"hash='sha-256' setup='actpass'>" EIGHT ":" EIGHT ":" EIGHT ":" EIGHT \
	"</fingerprint></transport>" \
	"</content>"
#define CONTENT RTP_CONTENT("initiator", "0", "audio")
#define BARE_CONTENT "<content creator='initiator' name='0'/>"
#define CANDIDATE \
	"<content creator='initiator' name='0'><transport " \
	"xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='uf'><candidate " \
	"component='1' foundation='1' generation='0' id='c' ip='192.0.2.1' " \
	"port='5000' priority='1' protocol='udp' type='host'/></transport>" \
	"</content>"
#define INFO(name) "<" name " xmlns='urn:xmpp:jingle:apps:rtp:info:1'/>"
#define REASON(name) "<reason><" name "/></reason>"
#define JMI_REASON(name) "<reason xmlns='urn:xmpp:jingle:1'><" name \
	"/></reason>"

/* Kinds of events beside JMI and Jingle actions. */
enum other { RESULT, ERROR, TIMEOUT, BOUNCE, BOUNCE_DEVICE, RECEIPT, GONE,
	     BACK };

static inline int step(struct bench *b, struct leg_event *ev)
{
	restart(b);
	return leg_step(&b->l, ev, &b->env);
}

static inline int jmi_from(struct bench *b, const char *from, const char *sid,
		    const char *action, const char *children)
{
	struct leg_event ev = { .kind = LEG_EV_JMI, .stanza = &b->stanza,
				.jmi = &b->jmi };
	struct why why;
	char text[4096];

	snprintf(text, sizeof(text), "<message type='chat' id='m' from='%s' "
		 "to='p@c/call'><%s xmlns='urn:xmpp:jingle-message:0' "
		 "id='%s'>%s</%s></message>", from, action, sid, children,
		 action);
	assert_int_equal(stanza_parse(b->env.arena, xml(b, text), &b->stanza,
				      &why), 0);
	assert_int_equal(jmi_parse(b->env.arena, b->stanza.elem, &b->jmi,
				   &why), 0);
	return step(b, &ev);
}

static inline void read_iq(struct bench *b, const char *from, const char *sid,
		    const char *action, const char *children)
{
	struct why why = { .text = NULL };
	char text[8192];

	snprintf(text, sizeof(text), "<iq type='set' id='q' from='%s' "
		 "to='p@c/call'><jingle xmlns='urn:xmpp:jingle:1' sid='%s' "
		 "action='%s'>%s</jingle></iq>", from, sid, action, children);
	assert_int_equal(stanza_parse(b->env.arena, xml(b, text), &b->stanza,
				      &why), 0);
	if (jingle_parse(b->env.arena, b->stanza.elem, &b->jingle, &why))
		fail_msg("%s: %s", action, why.text);
}

static inline int jingle_from(struct bench *b, const char *from,
			      const char *sid, const char *action,
			      const char *children)
{
	struct leg_event ev = { .kind = LEG_EV_JINGLE, .stanza = &b->stanza,
				.jingle = &b->jingle };

	read_iq(b, from, sid, action, children);
	return step(b, &ev);
}

static inline int other_from(struct bench *b, const char *from,
			     enum other kind)
{
	static const enum leg_event_kind kinds[] = {
		LEG_EV_RESULT, LEG_EV_ERROR, LEG_EV_TIMEOUT, LEG_EV_BOUNCE,
		LEG_EV_BOUNCE, LEG_EV_RECEIPT, LEG_EV_GONE, LEG_EV_BACK,
	};
	struct leg_event ev = { .kind = kinds[kind], .stanza = &b->stanza,
				.jid = from };
	struct why why;
	char text[512];

	snprintf(text, sizeof(text), "<message id='%08x-1' from='%s' "
		 "to='p@c/call'/>", NONCE, kind == BOUNCE ? "u@h" : from);
	assert_int_equal(stanza_parse(b->env.arena, xml(b, text), &b->stanza,
				      &why), 0);
	ev.id = b->stanza.id;
	if (kind <= TIMEOUT)
		ev.id = b->l.sent ? arena_strdup(b->env.arena,
						 b->l.sent->id) : "none";
	if (kind == ERROR)
		ev.error = xml(b, "<error type='cancel'><item-not-found "
			"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
			"<unknown-session xmlns='urn:xmpp:jingle:errors:1'/>"
			"</error>");
	return step(b, &ev);
}

/* --- what came of it -------------------------------------------------- */

static const char *report_name(enum leg_report r)
{
	static const char *const names[] = {
		"ringing", "answered", "declined", "unanswered", "busy",
		"blocked", "no-device", "tie-break", "cancelled", "offer",
		"accept", "relay", "trickle", "ice", "replied", "hangup",
		"finish", "lost",
	};

	return names[r];
}

/* One word for a stanza that was sent. */
static const char *sent_name(const struct xml_elem *e)
{
	const struct xml_elem *c = xml_child(e, NS_JINGLE, "jingle"), *app;
	const char *type = xml_get(e, "type");

	if (c)
		return xml_get(c, "action");
	if (strcmp(type, "result") == 0)
		return "ok";
	if (strcmp(type, "error") != 0)
		return xml_child(e, NS_JMI, NULL)->name;
	c = xml_child(e, NULL, "error");
	app = xml_child(c, NS_JINGLE_ERR, NULL);
	return app ? app->name : stanza_error_condition(e);
}

static inline char *outcome(struct bench *b, int rc, enum leg_state before)
{
	static char text[512];
	const struct leg_action *a;
	size_t n = 0;

	text[0] = 0;
	assert_true(rc == 0 || rc == ENOENT || rc == EBADMSG);
	for (a = b->env.first; a; a = a->next) {
		/* Only an answer that is owed, or came, has a number. */
		if (a->is_report)
			assert_int_equal(a->relay != 0,
					 a->report == LEG_R_RELAY ||
					 a->report == LEG_R_REPLIED);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
				      n ? " " : "", a->is_report ?
				      report_name(a->report) :
				      sent_name(a->stanza));
	}
	if (b->l.state != before)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " >%s",
				      leg_state_name(b->l.state));
	if (!n)
		strcpy(text, rc == ENOENT ? "ignored" : "nothing");
	leg_check(&b->l);
	return text;
}

/* What outcome() says of no action: the event was taken, or was not. */
#define NIL "nothing"
#define IGN "ignored"

/* --- every state, by real steps --------------------------------------- */

enum setup { C_IDLE, C_PROPOSED, C_PROCEEDED, C_OFFERED, C_ACTIVE, C_ENDED,
	     E_IDLE, E_RINGING, E_PLAIN, E_ANSWERED, E_INITIATED, E_ACTIVE,
	     E_ENDED, SETUPS };

static const char *const setup_names[SETUPS] = {
	"caller idle", "caller proposed", "caller proceeded",
	"caller offered", "caller active", "caller ended",
	"callee idle", "callee ringing", "callee ringing, plain",
	"callee answered", "callee initiated", "callee active",
	"callee ended",
};

static inline struct xml_elem *a_tree(struct bench *b)
{
	return xml(b, "<jingle xmlns='urn:xmpp:jingle:1'>" CONTENT
		   "</jingle>");
}

static inline void open_caller(struct bench *b)
{
	struct leg_event ev = { .kind = LEG_EV_JMI, .stanza = &b->stanza,
				.jmi = &b->jmi };

	/* Not known yet, so ignored; the parsed event is used again. */
	assert_int_equal(jmi_from(b, DEVICE, "S", "propose", "<description "
			"xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"),
			 ENOENT);
	assert_int_equal(leg_open(&b->l, &ev, &b->env), 0);
}

static inline void to_caller(struct bench *b, enum setup s)
{
	leg_reset(&b->l, LEG_CALLER, NONCE);
	if (s >= C_PROPOSED)
		open_caller(b);
	if (s >= C_PROCEEDED)
		leg_proceed(&b->l, NULL, &b->env);
	if (s >= C_OFFERED)
		assert_int_equal(jingle_from(b, DEVICE, "S",
					     "session-initiate", CONTENT), 0);
	if (s >= C_ACTIVE)
		leg_accept(&b->l, a_tree(b), &b->env);
	if (s >= C_ENDED)
		leg_ended(&b->l, &b->env);
}

static inline void to_callee(struct bench *b, enum setup s)
{
	struct leg_target t = { .jid = DEVICE, .plain = s == E_PLAIN };

	leg_reset(&b->l, LEG_CALLEE, NONCE);
	if (s >= E_RINGING)
		leg_ring(&b->l, "S", MEDIA_AUDIO, &t, 1, &b->env);
	if (s == E_PLAIN)
		leg_offer(&b->l, a_tree(b), &b->env);
	if (s >= E_ANSWERED)
		assert_int_equal(jmi_from(b, DEVICE, "S", "proceed", ""), 0);
	if (s >= E_INITIATED)
		leg_offer(&b->l, a_tree(b), &b->env);
	if (s >= E_ACTIVE)
		assert_int_equal(jingle_from(b, DEVICE, "S", "session-accept",
					     CONTENT), 0);
	if (s >= E_ENDED)
		leg_ended(&b->l, &b->env);
}

static inline void begin(struct bench *b, enum setup s)
{
	memset(b, 0, sizeof(*b));
	b->env.arena = arena_new(0);
	b->env.now = START;
	assert_int_equal(leg_init(&b->l, "u@h", "p@c", "call", true), 0);
	if (s < E_IDLE)
		to_caller(b, s);
	else
		to_callee(b, s);
	restart(b);
	leg_check(&b->l);
}

static inline void end(struct bench *b)
{
	leg_clear(&b->l);
	arena_free(b->env.arena);
}

/* --- orders of the call ----------------------------------------------- */

enum order { O_RINGING, O_PROCEED, O_REFUSE, O_OFFER, O_ACCEPT, O_PING,
	     O_STOP_ELSEWHERE, O_STOP_CANCEL, O_STOP_SILENT, O_END, O_ENDED,
	     O_FINISH, O_MORE, ORDERS };

static inline void order(struct bench *b, enum order o)
{
	struct leg_target t = { .jid = "u@h/late" };
	struct leg *l = &b->l;

	restart(b);
	switch (o) {
	case O_RINGING:
		leg_ringing(l, &b->env);
		break;
	case O_PROCEED:
		leg_proceed(l, NULL, &b->env);
		break;
	case O_REFUSE:
		leg_refuse(l, "busy", "text", false, &b->env);
		break;
	case O_OFFER:
		leg_offer(l, a_tree(b), &b->env);
		break;
	case O_ACCEPT:
		leg_accept(l, a_tree(b), &b->env);
		break;
	case O_PING:
		leg_ping(l, &b->env);
		break;
	case O_STOP_ELSEWHERE:
	case O_STOP_CANCEL:
	case O_STOP_SILENT:
		leg_stop(l, (enum leg_stop)(o - O_STOP_ELSEWHERE), "cancel",
			 NULL, NULL, &b->env);
		break;
	case O_END:
		leg_end(l, "success", NULL, &b->env);
		break;
	case O_ENDED:
		leg_ended(l, &b->env);
		break;
	case O_FINISH:
		leg_finish(l, "success", NULL, &b->env);
		break;
	default:
		leg_ring_more(l, &t, NULL, &b->env);
		break;
	}
}

#endif
