/* test_leg_rules.c: limits and single rules of the leg. */
#include "jingle/session/leg_private.h"
#include "jingle/stanza/ice_udp.h"
#include "jingle/stanza/rtp.h"
#include "tests/unit/leg_test.h"

/* --- single rules ----------------------------------------------------- */

static const char *last_text(struct bench *b)
{
	return xml_write(b->env.arena, b->env.last->stanza, NS_COMPONENT,
			 NULL);
}

/* An answer from the address that was asked, not from the one we prefer. */
static void reply_from_the_address_asked(void **state)
{
	struct leg_event ev = { .kind = LEG_EV_JINGLE };
	struct bench b;

	(void)state;
	begin(&b, C_ACTIVE);
	ev.stanza = &b.stanza;
	ev.jingle = &b.jingle;
	read_iq(&b, DEVICE, "S", "content-modify", BARE_CONTENT);
	assert_int_equal(jid_parse(b.env.arena, "p@c/other", &b.stanza.to),
			 0);
	assert_int_equal(step(&b, &ev), 0);
	restart(&b);
	leg_reply(&b.l, 1, NULL, &b.env);
	assert_string_equal(last_text(&b), "<iq type='result' id='q' "
			    "from='p@c/other' to='" DEVICE "'/>");
	restart(&b);
	leg_reply(&b.l, 1, NULL, &b.env);
	assert_null(b.env.first);
	end(&b);
}

/* A relayed request is owed until the end, and then answered. */
static void end_answers_what_is_owed(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, E_ACTIVE);
	jingle_from(&b, DEVICE, "S", "content-modify", BARE_CONTENT);
	jingle_from(&b, DEVICE, "S", "content-modify", BARE_CONTENT);
	order(&b, O_ENDED);
	assert_string_equal(outcome(&b, 0, LEG_ACTIVE),
			    "unknown-session unknown-session >ended");
	end(&b);
}

static void too_many_unanswered(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin(&b, C_ACTIVE);
	for (i = 0; i < LEG_RELAYED_MAX; i++)
		assert_int_equal(jingle_from(&b, DEVICE, "S", "content-modify",
					     BARE_CONTENT), 0);
	assert_int_equal(jingle_from(&b, DEVICE, "S", "content-modify",
				     BARE_CONTENT), EBADMSG);
	assert_string_equal(outcome(&b, EBADMSG, LEG_ACTIVE),
			    "resource-constraint");
	end(&b);
}

static int named(struct bench *b, const char *action, unsigned i)
{
	char text[512];

	snprintf(text, sizeof(text), "<content creator='initiator' name='n%u'>"
		 "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1' "
		 "ufrag='x' pwd='y'/></content>", i);
	return jingle_from(b, DEVICE, "S", action, text);
}

static void too_many_contents(void **state)
{
	static const struct { enum setup s; const char *action; } cells[] = {
		{ C_ACTIVE, "content-modify" }, { E_PLAIN, "transport-info" },
		{ C_OFFERED, "transport-info" },
	};
	struct bench b;
	unsigned i, k;

	(void)state;
	for (k = 0; k < 3; k++) {
		begin(&b, cells[k].s);
		for (i = 1; i < LEG_CONTENTS_MAX; i++)
			assert_int_equal(named(&b, cells[k].action, i), 0);
		assert_int_equal(named(&b, cells[k].action, i), EBADMSG);
		assert_string_equal(outcome(&b, EBADMSG, b.l.state),
				    "resource-constraint");
		end(&b);
	}
}

/* What nobody needs an answer of is not remembered without end (A07). */
static void sent_is_bounded(void **state)
{
	struct bench b;
	unsigned i;

	(void)state;
	begin(&b, C_ENDED);
	for (i = 0; i < 2 * LEG_SENT_MAX; i++)
		jingle_from(&b, DEVICE, "S", "session-initiate", CONTENT);
	assert_int_equal(b.l.sent_n, LEG_SENT_MAX);
	leg_reset(&b.l, LEG_CALLER, NONCE);
	assert_int_equal(b.l.sent_n, 0);
	end(&b);
}

/* An answer that a rule needs is awaited however many others are. */
static void needed_answers_are_awaited(void **state)
{
	static const struct { enum setup s; enum order o; } cells[] = {
		{ C_OFFERED, O_ACCEPT }, { E_ANSWERED, O_OFFER },
		{ C_ACTIVE, O_PING }, { C_ACTIVE, O_RINGING },
	};
	struct bench b;
	unsigned i, k, more;

	(void)state;
	for (k = 0; k < 4; k++) {
		begin(&b, cells[k].s);
		for (i = 0; i < 2 * LEG_SENT_MAX; i++)
			leg_relay(&b.l, a_tree(&b), JINGLE_TRANSPORT_INFO, 0,
				  &b.env);
		assert_int_equal(b.l.sent_n, LEG_SENT_MAX);
		more = cells[k].o == O_PING ? 0 : 1;
		if (cells[k].o == O_RINGING)
			leg_relay(&b.l, a_tree(&b), JINGLE_CONTENT_MODIFY, 5,
				  &b.env);
		else
			order(&b, cells[k].o);
		assert_int_equal(b.l.sent_n, LEG_SENT_MAX + more);
		other_from(&b, DEVICE, RESULT);
		assert_int_equal(b.l.sent_n, LEG_SENT_MAX + more - 1);
		end(&b);
	}
}

/* Which stanzas ask, and which open a session and so go before others. */
static void asks_and_opens(void **state)
{
	static const struct { enum setup s; enum order o; bool asks, opens; }
	cells[] = {
		{ C_OFFERED, O_ACCEPT, true, true },
		{ E_ANSWERED, O_OFFER, true, true },
		{ C_ACTIVE, O_PING, true, false },
		{ C_ACTIVE, O_END, true, false },
		{ C_PROPOSED, O_RINGING, false, false },
	};
	struct bench b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin(&b, cells[i].s);
		order(&b, cells[i].o);
		assert_int_equal(b.env.first->asks, cells[i].asks);
		assert_int_equal(b.env.first->opens, cells[i].opens);
		end(&b);
	}
}

/* What is kept for a session goes with it. */
static void nothing_is_kept_after_the_end(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, E_PLAIN);
	jingle_from(&b, DEVICE, "S", "transport-info", CANDIDATE);
	assert_int_equal(b.l.early_n, 1);
	order(&b, O_ENDED);
	assert_int_equal(b.l.early_n, 0);
	end(&b);
}

/* A device that waited for an offer gets none when all is over. */
static void no_offer_after_the_end(void **state)
{
	struct leg_target t = { .jid = DEVICE, .plain = true };
	struct bench b;

	(void)state;
	begin(&b, E_IDLE);
	leg_ring(&b.l, "S", MEDIA_AUDIO, &t, 1, &b.env);
	order(&b, O_ENDED);
	order(&b, O_OFFER);
	assert_string_equal(outcome(&b, 0, LEG_ENDED), NIL);
	end(&b);
}

static void kept_is_bounded(void **state)
{
	struct bench b;
	enum jingle_action action;
	unsigned relay, i, n = 0;

	(void)state;
	begin(&b, E_PLAIN);
	for (i = 0; i < 2 * LEG_EARLY_MAX; i++)
		jingle_from(&b, DEVICE, "S", "transport-info", CANDIDATE);
	assert_in_range(b.l.early_n, LEG_EARLY_MAX / 2, LEG_EARLY_MAX);
	assert_in_range(b.l.early_bytes, 1, LEG_EARLY_BYTES);
	assert_null(leg_take_kept(&b.l, "u@h/other", &action, &relay,
				  b.env.arena));
	while (leg_take_kept(&b.l, DEVICE, &action, &relay, b.env.arena))
		n++;
	assert_in_range(n, LEG_EARLY_MAX / 2, LEG_EARLY_MAX);
	assert_int_equal(b.l.early_n, 0);
	assert_int_equal(b.l.early_bytes, 0);
	jingle_from(&b, DEVICE, "S", "transport-info", CANDIDATE);
	leg_drop_kept(&b.l);
	assert_int_equal(b.l.early_n, 0);
	assert_int_equal(b.l.early_bytes, 0);
	end(&b);
}

/* One thing that is too large is not kept, and pushes out nothing. */
static void too_large_to_keep(void **state)
{
	struct xml_elem *tree;
	struct bench b;
	unsigned i;

	(void)state;
	begin(&b, E_PLAIN);
	jingle_from(&b, DEVICE, "S", "transport-info", CANDIDATE);
	tree = xml(&b, "<jingle xmlns='urn:xmpp:jingle:1'/>");
	for (i = 0; i < 4000; i++)
		xml_add(b.env.arena, tree, NS_JINGLE, "content");
	leg_keep(&b.l, tree, JINGLE_TRANSPORT_INFO, 0, DEVICE);
	leg_keep(&b.l, tree, JINGLE_TRANSPORT_INFO, 0, NULL);
	assert_int_equal(b.l.early_n, 1);
	assert_in_range(b.l.early_bytes, 1, LEG_KEPT_BYTES);
	end(&b);
}

/* --- two devices ------------------------------------------------------ */

static void ring_two(struct bench *b, bool plain)
{
	struct leg_target t[] = {
		{ .jid = DEVICE, .plain = plain },
		{ .jid = "u@h/e", .plain = plain, .by_full = true },
	};

	begin(b, E_IDLE);
	leg_ring(&b->l, "S", MEDIA_AUDIO, t, 2, &b->env);
	if (plain)
		leg_offer(&b->l, a_tree(b), &b->env);
	restart(b);
}

static void busy_is_that_device_alone(void **state)
{
	struct bench b;

	(void)state;
	ring_two(&b, false);
	assert_int_equal(jmi_from(&b, DEVICE, "S", "reject",
				  JMI_REASON("busy")), 0);
	assert_string_equal(outcome(&b, 0, LEG_RINGING), NIL);
	assert_int_equal(jmi_from(&b, DEVICE, "S", "proceed", ""), ENOENT);
	assert_int_equal(jmi_from(&b, DEVICE, "S", "ringing", ""), ENOENT);
	assert_int_equal(jmi_from(&b, DEVICE, "S", "reject", ""), ENOENT);
	assert_int_equal(other_from(&b, DEVICE, RECEIPT), ENOENT);
	assert_int_equal(other_from(&b, DEVICE, BOUNCE_DEVICE), ENOENT);
	jmi_from(&b, "u@h/e", "S", "reject", JMI_REASON("busy"));
	assert_string_equal(outcome(&b, 0, LEG_RINGING), "busy");
	end(&b);
}

static void busy_and_failed_is_not_busy(void **state)
{
	struct bench b;

	(void)state;
	ring_two(&b, false);
	jmi_from(&b, DEVICE, "S", "reject", JMI_REASON("media-error"));
	jmi_from(&b, "u@h/e", "S", "reject", JMI_REASON("busy"));
	assert_string_equal(outcome(&b, 0, LEG_RINGING), "no-device");
	end(&b);
}

/* X2: the others stop once each, after the winner; then nothing more. */
static void others_stop_once(void **state)
{
	struct bench b;

	(void)state;
	ring_two(&b, false);
	jmi_from(&b, DEVICE, "S", "proceed", "");
	order(&b, O_STOP_ELSEWHERE);
	assert_string_equal(outcome(&b, 0, LEG_ANSWERED), "retract");
	assert_string_equal(xml_get(b.env.last->stanza, "to"), "u@h/e");
	order(&b, O_STOP_ELSEWHERE);
	assert_string_equal(outcome(&b, 0, LEG_ANSWERED), NIL);
	end(&b);
	ring_two(&b, true);
	jingle_from(&b, DEVICE, "S", "session-accept", CONTENT);
	order(&b, O_STOP_ELSEWHERE);
	assert_string_equal(outcome(&b, 0, LEG_ACTIVE), "session-terminate");
	assert_string_equal(xml_get(b.env.last->stanza, "to"), "u@h/e");
	end(&b);
}

/* A gone device is not stopped; the stored retract still is sent. */
static void gone_device_is_not_stopped(void **state)
{
	struct bench b;

	(void)state;
	ring_two(&b, false);
	other_from(&b, "u@h/e", GONE);
	other_from(&b, DEVICE, GONE);
	assert_int_equal(leg_ringable(&b.l), 0);
	order(&b, O_STOP_CANCEL);
	assert_string_equal(outcome(&b, 0, LEG_RINGING), "retract");
	assert_string_equal(xml_get(b.env.last->stanza, "to"), "u@h");
	end(&b);
}

/* An error of the device that lost the race is not the winner's. */
static void loser_ends_no_call(void **state)
{
	struct leg_event ev = { .kind = LEG_EV_TIMEOUT };
	struct bench b;
	struct leg_sent *s;

	(void)state;
	ring_two(&b, true);
	jingle_from(&b, DEVICE, "S", "session-accept", CONTENT);
	assert_int_equal(b.l.state, LEG_ACTIVE);
	for (s = b.l.sent; strcmp(s->device, "u@h/e") != 0;)
		s = s->next;
	ev.id = arena_strdup(b.env.arena, s->id);
	assert_int_equal(step(&b, &ev), 0);
	assert_null(b.env.first);
	end(&b);
}

/* Errors of a ringing device: only one to its session-initiate takes it out,
 * and only once. */
static void errors_while_ringing(void **state)
{
	struct leg_event ev = { .kind = LEG_EV_ERROR };
	struct bench b;

	(void)state;
	ring_two(&b, true);
	ev.error = xml(&b, "<error type='cancel'><item-not-found "
		       "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>");
	leg_relay(&b.l, a_tree(&b), JINGLE_TRANSPORT_INFO, 0, &b.env);
	ev.id = arena_strdup(b.env.arena, b.l.sent->id);
	assert_int_equal(step(&b, &ev), 0);
	assert_string_equal(outcome(&b, 0, LEG_RINGING), NIL);
	assert_int_equal(leg_ringable(&b.l), 2);
	jingle_from(&b, "u@h/e", "S", "session-terminate", REASON("busy"));
	jingle_from(&b, DEVICE, "S", "session-terminate", REASON("busy"));
	assert_string_equal(outcome(&b, 0, LEG_RINGING), "ok busy");
	while (b.l.sent) {
		ev.id = arena_strdup(b.env.arena, b.l.sent->id);
		assert_int_equal(step(&b, &ev), 0);
		assert_string_equal(outcome(&b, 0, LEG_RINGING), NIL);
	}
	end(&b);
}

/* A bounce of what we did not send in this round says nothing. */
static void bounce_of_another_message(void **state)
{
	static const char *const ids[] = { NULL, "m1", "00000001-1", "" };
	struct leg_event ev = { .kind = LEG_EV_BOUNCE };
	struct bench b;
	size_t i;

	(void)state;
	ring_two(&b, false);
	assert_int_equal(other_from(&b, DEVICE, BOUNCE_DEVICE), 0);
	ev.stanza = &b.stanza;
	assert_int_equal(jid_parse(b.env.arena, "u@h", &b.stanza.from), 0);
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		ev.id = ids[i];
		assert_int_equal(step(&b, &ev), ENOENT);
		assert_null(b.env.first);
	}
	end(&b);
}

/* A device that came while it rang is known by its full JID alone: so is its
 * stop, beside the stored one (X2). */
static void late_device_stops(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, E_RINGING);
	order(&b, O_MORE);
	order(&b, O_STOP_CANCEL);
	assert_string_equal(outcome(&b, 0, LEG_RINGING), "retract retract");
	assert_string_equal(xml_get(b.env.first->stanza, "to"), "u@h/late");
	assert_string_equal(xml_get(b.env.last->stanza, "to"), "u@h");
	end(&b);
}

/* What a late plain device is told of is no request of the caller's. It leaves
 * whatever becomes of what was kept, in the same step. */
static void catching_up_owes_nothing(void **state)
{
	struct leg from;
	struct bench b;

	(void)state;
	begin(&b, E_PLAIN);
	assert_int_equal(leg_init(&from, "v@h", "q@c", "call", true), 0);
	leg_keep(&from, a_tree(&b), JINGLE_TRANSPORT_INFO, 0, NULL);
	leg_catch_up(&b.l, &from, &b.env);
	leg_drop_kept(&from);
	assert_non_null(strstr(xml_write(b.env.arena, b.env.last->stanza,
					 NS_COMPONENT, NULL), "name='0'"));
	assert_string_equal(outcome(&b, 0, LEG_RINGING), "transport-info");
	assert_int_equal(other_from(&b, DEVICE, RESULT), 0);
	assert_string_equal(outcome(&b, 0, LEG_RINGING), NIL);
	leg_keep(&from, a_tree(&b), JINGLE_TRANSPORT_INFO, 0, NULL);
	leg_catch_up(&b.l, &from, &b.env);
	assert_string_equal(outcome(&b, 0, LEG_RINGING), NIL);
	leg_clear(&from);
	end(&b);
}

/* A device rung by its own sid (after a tie-break) answers by that. */
static void own_sid_of_a_device(void **state)
{
	struct leg_target t = { .jid = DEVICE, .by_full = true };
	struct bench b;

	(void)state;
	ring_two(&b, false);
	jmi_from(&b, DEVICE, "S", "reject", "<tie-break/>");
	leg_ring_more(&b.l, &t, "S2", &b.env);
	assert_int_equal(jmi_from(&b, DEVICE, "S", "proceed", ""), ENOENT);
	assert_int_equal(jmi_from(&b, "u@h/e", "S2", "proceed", ""), ENOENT);
	assert_int_equal(jmi_from(&b, DEVICE, "S2", "proceed", ""), 0);
	assert_string_equal(b.l.sid, "S2");
	end(&b);
}

/* The same of a device without JMI. */
static void own_sid_of_a_plain_device(void **state)
{
	struct leg_target t = { .jid = "u@h/f", .plain = true };
	struct bench b;

	(void)state;
	ring_two(&b, true);
	leg_ring_more(&b.l, &t, "S2", &b.env);
	leg_offer(&b.l, a_tree(&b), &b.env);
	assert_int_equal(jingle_from(&b, "u@h/f", "S", "session-accept",
				     CONTENT), ENOENT);
	assert_int_equal(jingle_from(&b, "u@h/f", "S2", "session-accept",
				     CONTENT), 0);
	assert_string_equal(b.l.sid, "S2");
	end(&b);
}

/* Only what speaks of the session ends it (interop.md 4.4: tie-breaks). */
static void errors_that_end_nothing(void **state)
{
	static const struct { const char *error; bool lost; } cells[] = {
		{ "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-"
		  "stanzas'/>", false },
		{ "<conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
		  "<tie-break xmlns='urn:xmpp:jingle:errors:1'/>", false },
		{ "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-"
		  "stanzas'/>", true },
		{ "<recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-"
		  "stanzas'/>", true },
		{ "<unknown-session xmlns='urn:xmpp:jingle:errors:1'/>",
		  true },
	};
	struct leg_event ev = { .kind = LEG_EV_ERROR };
	struct bench b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin(&b, C_ACTIVE);
		leg_relay(&b.l, a_tree(&b), JINGLE_TRANSPORT_INFO, 5, &b.env);
		ev.id = arena_strdup(b.env.arena, b.l.sent->id);
		ev.error = xml(&b, arena_printf(b.env.arena, "<error "
			"type='cancel'>%s</error>", cells[i].error));
		step(&b, &ev);
		assert_string_equal(outcome(&b, 0, LEG_ACTIVE), cells[i].lost ?
				    "replied lost" : "replied");
		assert_int_equal(b.env.first->relay, 5);
		end(&b);
	}
}

/* Not found: the answer to our own question is of the session; one to what was
 * relayed may be of a content. */
static void not_found(void **state)
{
	static const struct {
		enum jingle_action action;
		unsigned relay;
		const char *want;
	} cells[] = {
		{ JINGLE_SESSION_INFO, 0, "lost" },
		{ JINGLE_SESSION_INFO, 5, "replied" },
		{ JINGLE_TRANSPORT_INFO, 0, NIL },
	};
	struct leg_event ev = { .kind = LEG_EV_ERROR };
	struct bench b;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin(&b, C_ACTIVE);
		if (strcmp(cells[i].want, "lost") == 0)
			leg_ping(&b.l, &b.env);
		else
			leg_relay(&b.l, a_tree(&b), cells[i].action,
				  cells[i].relay, &b.env);
		ev.id = arena_strdup(b.env.arena, b.l.sent->id);
		ev.error = xml(&b, "<error type='cancel'><item-not-found "
			"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
			"</error>");
		rc = step(&b, &ev);
		assert_string_equal(outcome(&b, rc, LEG_ACTIVE),
				    cells[i].want);
		end(&b);
	}
}

/* It said no: a new presence of it rings nothing. */
static void a_no_is_a_no(void **state)
{
	struct leg_target t = { .jid = DEVICE };
	struct bench b;

	(void)state;
	ring_two(&b, false);
	other_from(&b, DEVICE, GONE);
	assert_int_equal(leg_ringable(&b.l), 1);
	leg_ring_more(&b.l, &t, NULL, &b.env);
	assert_int_equal(leg_ringable(&b.l), 2);
	jmi_from(&b, DEVICE, "S", "reject", JMI_REASON("busy"));
	restart(&b);
	leg_ring_more(&b.l, &t, NULL, &b.env);
	assert_null(b.env.first);
	end(&b);
}

#define EXT(id, uri) "<rtp-hdrext xmlns='" NS_HDREXT "' id='" id "' uri='" \
	uri "'/>"
#define WITH_EXTS(name, exts) "<content creator='initiator' name='" name \
	"'><description xmlns='" NS_RTP "' media='audio'><payload-type " \
	"id='0'/>" exts "</description><transport xmlns='" NS_ICE_UDP \
	"' ufrag='u' pwd='p'/></content>"
#define THREE WITH_EXTS("a", EXT("1", "urn:m") EXT("2", "urn:x")) \
	WITH_EXTS("b", EXT("1", "urn:m") EXT("2", "urn:y") EXT("3", "urn:z")) \
	WITH_EXTS("c", EXT("2", "urn:z") EXT("3", "urn:x"))
#define ZEROS WITH_EXTS("a", EXT("7", "urn:x")) \
	WITH_EXTS("b", EXT("07", "urn:y") EXT("256", "urn:x")) \
	WITH_EXTS("c", EXT("256", "urn:y") EXT("007", "urn:x"))
#define BUNDLED(rest) "<group xmlns='" NS_GROUPING "' semantics='BUNDLE'>" \
	"<content name='a'/>" rest "</group>"

static const char *exts_left(struct bench *b, const char *action,
			     const char *contents)
{
	const struct xml_elem *tree, *e, *h;
	static char text[64];
	size_t n = 0;
	bool empty;

	begin(b, C_ACTIVE);
	read_iq(b, DEVICE, "S", action, contents);
	assert_int_equal(leg_learn(&b->l, &b->jingle), 0);
	tree = leg_repair_in(&b->l, &b->jingle, b->env.arena, &empty);
	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		n += (size_t)sprintf(text + n, " %s", xml_get(e, "name"));
		for (h = xml_child(xml_child(e, NS_RTP, "description"),
				   NS_HDREXT, NULL); h;
		     h = xml_next(h, NS_HDREXT, NULL))
			n += (size_t)sprintf(text + n, "%s",
					     xml_get(h, "id"));
	}
	end(b);
	return text;
}

/* Whoever is offered two meanings of one number refuses all (Chromium); on
 * transports of their own they are no two of one. */
static void one_number_of_two_extensions(void **state)
{
	struct bench b;

	(void)state;
	assert_string_equal(exts_left(&b, "session-initiate", THREE
		BUNDLED("<content name='b'/>")), " a12 b13 c23");
	assert_string_equal(exts_left(&b, "session-initiate", THREE
		BUNDLED("<content name='b'/><content name='c'/>")),
		" a12 b13 c");
	assert_string_equal(exts_left(&b, "session-initiate", THREE),
			    " a12 b123 c23");
	assert_string_equal(exts_left(&b, "session-accept", THREE
		BUNDLED("<content name='b'/>")), " a12 b123 c23");
	/* Numbers, not words; none is above 255. */
	assert_string_equal(exts_left(&b, "session-initiate", ZEROS
		BUNDLED("<content name='b'/><content name='c'/>")),
		" a7 b256 c256007");
}

/* A step that the arena is too small for says so. */
static void small_arena(void **state)
{
	struct leg_event ev = { .kind = LEG_EV_JINGLE };
	struct arena *large, *small = arena_new(8);
	struct bench b;

	(void)state;
	begin(&b, C_ACTIVE);
	ev.stanza = &b.stanza;
	ev.jingle = &b.jingle;
	read_iq(&b, DEVICE, "S", "session-info", "");
	large = b.env.arena;
	b.env.arena = small;
	assert_int_equal(step(&b, &ev), ENOMEM);
	assert_false(b.l.failed);
	b.env.arena = large;
	arena_free(small);
	end(&b);
}

static void devices_are_bounded(void **state)
{
	struct leg_target t = { .by_full = true };
	struct bench b;
	unsigned i;

	(void)state;
	ring_two(&b, false);
	for (i = 0; i < 2 * LEG_DEVICES_MAX; i++) {
		t.jid = arena_printf(b.env.arena, "u@h/more%u", i);
		assert_non_null(t.jid);
		leg_ring_more(&b.l, &t, NULL, &b.env);
	}
	assert_int_equal(leg_ringable(&b.l), LEG_DEVICES_MAX);
	end(&b);
}

/* The creator of a content that the other side has added is the real one, also
 * where this client writes another (interop.md, 4.4). */
static void creator_of_what_came(void **state)
{
	struct xml_elem *content;
	struct bench b;

	(void)state;
	begin(&b, C_ACTIVE);
	leg_relay(&b.l, xml(&b, "<jingle xmlns='urn:xmpp:jingle:1'>"
			    RTP_CONTENT("responder", "v", "video")
			    "</jingle>"), JINGLE_CONTENT_ADD, 0, &b.env);
	assert_int_equal(jingle_from(&b, DEVICE, "S", "content-accept",
				     RTP_CONTENT("initiator", "v", "video")),
			 0);
	assert_true(b.env.last->is_report);
	content = xml_child(b.env.last->tree, NS_JINGLE, "content");
	assert_string_equal(xml_get(content, "creator"), "responder");
	end(&b);
}

/* Whether anything is left to pass on is said, whatever was there before. */
static void repair_says_whether_empty(void **state)
{
	struct bench b;
	bool empty = true;

	(void)state;
	begin(&b, C_ACTIVE);
	read_iq(&b, DEVICE, "S", "transport-info", CANDIDATE);
	assert_non_null(leg_repair_in(&b.l, &b.jingle, b.env.arena, &empty));
	assert_false(empty);
	end(&b);
}

/* --- ICE ends with us ------------------------------------------------- */

/* What he said of a transport before we had ours is told once, and of what has
 * one alone. */
static void known_credentials(void **state)
{
	static const struct {
		int transport[3], asked;
		const char *want;
	} cells[] = {
		{ { -1, -1, -1 }, -1, NIL },
		{ { 3, -1, -1 }, -1, "ice" },
		{ { 3, -1, -1 }, 3, "ice" },
		{ { 3, -1, -1 }, 0, NIL },
		{ { 3, 3, -1 }, -1, "ice" },
		{ { 3, 4, -1 }, -1, "ice ice" },
		{ { 3, 4, 5 }, -1, "ice ice" },        /* he said none yet */
		{ { 3, 4, 5 }, 5, NIL },
	};
	static const char *const names[] = { "0", "v", "w" };
	struct bench b;
	unsigned i, k;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin(&b, C_ACTIVE);
		jingle_from(&b, DEVICE, "S", "content-add",
			    RTP_CONTENT("initiator", "v", "video"));
		for (k = 0; k < 3; k++)
			leg_set_transport(&b.l, names[k],
					  cells[i].transport[k]);
		restart(&b);
		leg_take_known(&b.l, cells[i].asked, &b.env);
		assert_string_equal(outcome(&b, 0, LEG_ACTIVE), cells[i].want);
		if (strcmp(cells[i].want, NIL) != 0) {
			assert_int_equal(b.env.first->number, 3);
			assert_string_equal(b.env.first->ice->ufrag, "uf");
			assert_string_equal(b.env.first->ice->pwd, "password");
		}
		end(&b);
	}
}

#define PRINT(ns, more) "<fingerprint xmlns='" ns "'" more "/>"

static void begin_room(struct bench *b)
{
	begin(b, C_ACTIVE);
	leg_end_ice(&b->l, true);
	leg_set_transport(&b->l, "0", 2);
	leg_set_ours(&b->l, 2, "u", "p");
	leg_set_print(&b->l, 2, "sha-256 00:FF");
}

/* A fingerprint is where ours is to be, whatever is written beside it. */
static void print_beside_others(void **state)
{
	static const struct { const char *his; bool ours; } cells[] = {
		{ PRINT(NS_DTLS, ""), true },
		{ PRINT("urn:x", "") PRINT(NS_DTLS, ""), true },
		{ PRINT("urn:x", "") PRINT(NS_OMEMO_DTLS, ""), true },
		{ PRINT("urn:x", ""), false },
		{ "", false },
	};
	struct xml_elem *content;
	struct bench b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		begin_room(&b);
		content = xml(&b, arena_printf(b.env.arena, "<content xmlns='"
			NS_JINGLE "' name='0'><transport xmlns='" NS_ICE_UDP
			"'>%s</transport></content>", cells[i].his));
		leg_hide(&b.l, leg_find_content(&b.l, "0"), content,
			 JINGLE_SESSION_INITIATE, &b.env);
		assert_string_equal(xml_write(b.env.arena, content,
			NS_JINGLE, NULL), cells[i].ours ?
			"<content name='0'><transport xmlns='" NS_ICE_UDP
			"' ufrag='u' pwd='p'><fingerprint xmlns='" NS_DTLS
			"' hash='sha-256' setup='actpass'>00:FF</fingerprint>"
			"</transport></content>" :
			"<content name='0'><transport xmlns='" NS_ICE_UDP
			"' ufrag='u' pwd='p'/></content>");
		end(&b);
	}
}

/* What was said for a transport that is gone counts for no later one: it may be
 * of another device. */
static void nothing_of_ours_is_left(void **state)
{
	struct rtp_description d;
	struct bench b;
	bool begins;

	(void)state;
	begin_room(&b);
	assert_true(leg_keeps_fingerprints(&b.l, a_tree(&b), b.env.arena));
	assert_true(leg_keep_says(&b.l, a_tree(&b), b.env.arena));
	assert_non_null(leg_print(&b.l, 2, &begins));
	assert_int_equal(leg_says(&b.l, "0", &d, b.env.arena), 0);
	leg_forget_ours(&b.l);
	assert_false(b.l.ends_ice);
	assert_false(b.l.ends_dtls);
	assert_null(leg_ours(&b.l, 2));
	assert_int_equal(leg_transport(&b.l, "0"), -1);
	leg_set_transport(&b.l, "0", 2);
	assert_null(leg_print(&b.l, 2, &begins));
	assert_int_equal(leg_says(&b.l, "0", &d, b.env.arena), ENOENT);
	end(&b);
}

static void transport_is_dropped(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, C_ACTIVE);
	leg_drop_transport(&b.l, 2);
	assert_null(b.l.ours);
	end(&b);
	begin_room(&b);
	leg_set_transport(&b.l, "v", 3);
	leg_set_home(&b.l, "v", 2);
	leg_drop_transport(&b.l, 2);
	assert_int_equal(leg_transport(&b.l, "0"), -1);
	assert_int_equal(leg_transport(&b.l, "v"), 3);
	assert_int_equal(leg_home(&b.l, "v"), 3);
	/* Another one of this number has another fingerprint. */
	leg_set_ours(&b.l, 2, "u", "p");
	assert_null(leg_ours(&b.l, 2));
	leg_set_print(&b.l, 2, "sha-256 FF:00");
	assert_non_null(leg_ours(&b.l, 2));
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reply_from_the_address_asked),
		cmocka_unit_test(end_answers_what_is_owed),
		cmocka_unit_test(too_many_unanswered),
		cmocka_unit_test(too_many_contents),
		cmocka_unit_test(sent_is_bounded),
		cmocka_unit_test(kept_is_bounded),
		cmocka_unit_test(busy_is_that_device_alone),
		cmocka_unit_test(busy_and_failed_is_not_busy),
		cmocka_unit_test(others_stop_once),
		cmocka_unit_test(gone_device_is_not_stopped),
		cmocka_unit_test(loser_ends_no_call),
		cmocka_unit_test(own_sid_of_a_device),
		cmocka_unit_test(own_sid_of_a_plain_device),
		cmocka_unit_test(errors_that_end_nothing),
		cmocka_unit_test(not_found),
		cmocka_unit_test(too_large_to_keep),
		cmocka_unit_test(needed_answers_are_awaited),
		cmocka_unit_test(asks_and_opens),
		cmocka_unit_test(nothing_is_kept_after_the_end),
		cmocka_unit_test(no_offer_after_the_end),
		cmocka_unit_test(errors_while_ringing),
		cmocka_unit_test(bounce_of_another_message),
		cmocka_unit_test(late_device_stops),
		cmocka_unit_test(catching_up_owes_nothing),
		cmocka_unit_test(a_no_is_a_no),
		cmocka_unit_test(devices_are_bounded),
		cmocka_unit_test(creator_of_what_came),
		cmocka_unit_test(repair_says_whether_empty),
		cmocka_unit_test(one_number_of_two_extensions),
		cmocka_unit_test(small_arena),
		cmocka_unit_test(known_credentials),
		cmocka_unit_test(print_beside_others),
		cmocka_unit_test(nothing_of_ours_is_left),
		cmocka_unit_test(transport_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
