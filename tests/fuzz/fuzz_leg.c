/* fuzz_leg.c: one leg, line by line: '<' begins a stanza of its user, 'm', 'j'
 * and 'v' make one of small tables by a byte each, any other character is an
 * order of the call or an event, done where the leg's state allows it. The
 * leg's invariants hold after each, every iq set is answered once or owed, what
 * is sent can be written, and a leg read back from its row has the same row,
 * whoever wrote it.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

#include <stdio.h>
#include "jingle/session/leg.h"
#include "jingle/stanza/hints.h"

#define LINES_MAX 80
#define IN(l, s) ((1u << (l)->state) & (s))
#define BIT(s) (1u << (s))
#define LIVE (BIT(LEG_PROPOSED) | BIT(LEG_PROCEEDED) | BIT(LEG_OFFERED) | \
	      BIT(LEG_RINGING) | BIT(LEG_ANSWERED) | BIT(LEG_INITIATED) | \
	      BIT(LEG_ACTIVE))

struct story {
	struct leg l;
	struct leg_env env;
	struct stanza stanza;
	struct jmi jmi;
	struct jingle jingle;
	struct xml_elem *tree;     /* for orders that need one */
	unsigned turns_away;       /* the next that would open it; 2: by a
				      tie-break */
};

#define NS(x) " xmlns='" x "'"
#define DESCRIPTION(media) "<description" NS(NS_RTP) " media='" media "'>" \
	"<payload-type id='111' name='x'/><rtcp-mux/>" \
	"<source" NS(NS_SSMA) " ssrc='1'/>" \
	"<rtp-hdrext" NS(NS_HDREXT) " id='1' uri='" media "'/></description>"
#define TRANSPORT(attrs, in) "<transport" NS(NS_ICE_UDP) attrs ">" in \
	"</transport>"
#define CONTENT(attrs, in) "<content" attrs ">" in "</content>"
#define PRINT(setup) "<fingerprint" NS(NS_DTLS) " hash='sha-256' setup='" \
	setup "'>00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:" \
	"44:55:66:77:88:99:AA:BB:CC:DD:EE:FF</fingerprint>"
#define CANDIDATE "<candidate component='1' foundation='1' ip='192.0.2.1' " \
	"port='9' priority='1' protocol='udp' type='host'/>"
#define AUDIO " creator='initiator' name='0'"

static const char *const devices[] = { "u@h/d", "u@h/e", "u@h/f" };
static const char *const sids[] = { "S", "T", "none" };
static const char *const actions[] = {
	"session-initiate", "session-accept", "session-terminate",
	"session-info", "transport-info", "content-add", "content-accept",
	"content-reject", "content-modify", "content-remove",
	"description-info", "security-info", "transport-replace",
};
/* What a <jingle/> or a JMI element holds. */
static const char *const insides[] = {
	"", CONTENT(AUDIO, DESCRIPTION("audio") TRANSPORT(" ufrag='u' pwd='p'",
	PRINT("actpass") CANDIDATE)),
	CONTENT(AUDIO, TRANSPORT(" ufrag='u'", CANDIDATE)),
	CONTENT(AUDIO, TRANSPORT("", "<gathering-complete/>")),
	CONTENT(" name='v' creator='responder'", DESCRIPTION("video")
	TRANSPORT(" ufrag='u' pwd='p'", "")),
	CONTENT(AUDIO, DESCRIPTION("audio") TRANSPORT(" ufrag='w' pwd='q'",
	PRINT("active"))) CONTENT(" name='1'", DESCRIPTION("video")
	TRANSPORT(" ufrag='w' pwd='q'", "")) "<group" NS(NS_GROUPING)
	" semantics='BUNDLE'><content name='0'/><content name='1'/></group>",
	CONTENT(" name='f'", "<description" NS("urn:x") "/><transport"
	NS("urn:y") "/>"), CONTENT(AUDIO " senders='none'", ""),
	"<ringing" NS(NS_RTP_INFO) "/>", "<mute" NS(NS_RTP_INFO) "/>",
	"<reason" NS(NS_JINGLE) "><busy/></reason>",
	"<reason" NS(NS_JINGLE) "><decline/><text>t</text></reason>",
	"<reason" NS(NS_JINGLE) "><timeout/></reason>",
	"<reason" NS(NS_JINGLE) "><gone/></reason>", "<tie-break/>",
	"<description" NS(NS_RTP) " media='audio'/>",
	"<description" NS(NS_RTP) " media='video'/><device xmlns='urn:x'/>",
	"<description" NS("urn:x") "/>",
	CONTENT(AUDIO, TRANSPORT(" ufrag='n' pwd='n'", PRINT("passive"))),
};
/* Errors to what we sent. */
static const char *const errors[] = {
	"<item-not-found" NS(NS_STANZAS) "/>",
	"<unknown-session" NS(NS_JINGLE_ERR) "/>",
	"<service-unavailable" NS(NS_STANZAS) "/>",
	"<conflict" NS(NS_STANZAS) "/>", "",
};
static const struct leg_candidate candidates[] = {
	{ .foundation = "1", .ip = "192.0.2.7", .port = 1, .priority = 9 },
	{ .foundation = "2", .ip = "192.0.2.8", .port = 2, .priority = 8,
	  .rel_ip = "10.0.0.1", .rel_port = 3 },
};
#define PICK(table, c) \
	((table)[(unsigned char)(c) % (sizeof(table) / sizeof(*(table)))])

/* The stanzas that are sent and not our questions; all can be written. */
static unsigned count_answers(const struct leg_env *env)
{
	const struct leg_action *a;
	unsigned n = 0;

	for (a = env->first; a; a = a->next) {
		if (a->is_report)
			continue;
		assert(xml_write(env->arena, a->stanza, NS_COMPONENT, NULL));
		n += !strcmp(a->stanza->name, "iq") && !a->asks;
	}
	return n;
}

/* What the call does with what a user said where ICE ends with us. */
static void take_media(struct story *st)
{
	const struct leg_action *a;
	struct leg *l = &st->l;
	struct arena *arena = st->env.arena;

	for (a = l->ends_ice ? st->env.first : NULL; a; a = a->next) {
		if (!a->is_report || !a->tree)
			continue;
		leg_lacks(a->tree, l->ends_dtls, arena);
		leg_keeps_fingerprints(l, a->tree, arena);
		/* What he gave first does not change by being said again. */
		assert(!leg_keeps_fingerprints(l, a->tree, arena) ||
		       leg_keeps_fingerprints(l, a->tree, arena));
		if (l->ends_dtls)
			leg_keep_says(l, a->tree, arena);
		leg_take_ice(l, a->tree, &st->env);
	}
}

static void step(struct story *st, struct leg_event *ev)
{
	struct leg *l = &st->l;
	unsigned owed = l->relayed_n + (ev->kind == LEG_EV_JINGLE);
	int rc;

	rc = leg_step(l, ev, &st->env);
	assert(rc == 0 || rc == ENOENT || rc == EBADMSG);
	assert(owed == count_answers(&st->env) + l->relayed_n);
	take_media(st);
}

/* On an idle leg a propose or session-initiate opens it. */
static void open_or_step(struct story *st, struct leg_event *ev, bool opens)
{
	if (opens && st->turns_away) {
		leg_turn_away(&st->l, ev, "busy", st->turns_away == 2,
			      &st->env);
		st->turns_away = 0;
		assert(count_answers(&st->env) ==
		       (ev->kind == LEG_EV_JINGLE));
	} else if (st->l.state == LEG_IDLE && opens) {
		leg_reset(&st->l, LEG_CALLER, 0xabcd);
		leg_open(&st->l, ev, &st->env);
		count_answers(&st->env);
	} else if (st->l.state != LEG_IDLE) {
		step(st, ev);
	}
}

static void feed(struct story *st, const char *line)
{
	struct leg_event ev = { .stanza = &st->stanza };
	struct why why = { 0 };
	struct xml_elem *e = fuzz_xml(st->env.arena, (const uint8_t *)line,
				      strlen(line));

	if (!e || stanza_parse(st->env.arena, e, &st->stanza, &why))
		return;
	ev.id = st->stanza.id;
	ev.jid = st->stanza.from.full;
	/* What the call gives it: requests, and answers. */
	if (st->stanza.kind == STANZA_IQ ? xml_child(e, NS_JINGLE, "jingle") &&
	    strcmp(st->stanza.type, "set") : st->stanza.kind == STANZA_PRESENCE)
		return;
	if (st->stanza.kind == STANZA_MESSAGE &&
	    xml_child(e, NS_JINGLE, "jingle"))
		return;
	if (!jmi_parse(st->env.arena, e, &st->jmi, &why)) {
		ev.kind = LEG_EV_JMI;
		ev.jmi = &st->jmi;
		open_or_step(st, &ev, st->jmi.action == JMI_PROPOSE);
	} else if (!jingle_parse(st->env.arena, e, &st->jingle, &why)) {
		ev.kind = LEG_EV_JINGLE;
		ev.jingle = &st->jingle;
		open_or_step(st, &ev, st->jingle.action ==
			     JINGLE_SESSION_INITIATE);
	} else if (st->stanza.id && st->l.state != LEG_IDLE) {
		ev.kind = st->stanza.kind == STANZA_MESSAGE ? LEG_EV_BOUNCE :
			  LEG_EV_ERROR;
		ev.error = xml_child(e, NS_COMPONENT, "error");
		if (hints_receipt_of(e))
			ev.kind = LEG_EV_RECEIPT;
		else if (ev.kind == LEG_EV_ERROR && !ev.error)
			ev.kind = LEG_EV_RESULT;
		step(st, &ev);
	}
}

/* The process dies: what the row holds comes back. */
static void restore(struct story *st)
{
	struct leg *l = &st->l, again;
	char *data = leg_data(l, st->env.arena), *same;

	assert(data && !leg_init(&again, l->user, l->own, l->resource, true));
	if (!leg_restore(&again, l->role, l->state, leg_flags(l), l->device,
			 l->sid, data, 0xabce)) {
		leg_check(&again);
		if (l->ends_ice)
			leg_end_ice(&again, l->ends_dtls);
		same = leg_data(&again, st->env.arena);
		assert(same && !strcmp(same, data));
		leg_clear(l);
		*l = again;
	} else {
		leg_clear(&again);
	}
}

static void make(struct story *st, const char *line, size_t n)
{
	static const char *const jmi_names[] = {
		"propose", "ringing", "proceed", "reject", "retract",
		"accept", "finish",
	};
	const struct leg_sent *sent = st->l.sent;
	char text[4096];
	const char *name;

	if (n < 5)
		return;
	name = PICK(jmi_names, line[1]);
	if (line[0] == 'm')
		snprintf(text, sizeof(text), "<message type='chat' id='m' "
			 "from='%s' to='p@c/call'><%s" NS(NS_JMI) " id='%s'>"
			 "%s</%s></message>", PICK(devices, line[2]), name,
			 PICK(sids, line[4]), PICK(insides, line[3]), name);
	else if (line[0] == 'j')
		snprintf(text, sizeof(text), "<iq type='set' id='q' "
			 "from='%s' to='p@c/call'><jingle" NS(NS_JINGLE)
			 " action='%s' sid='%s'>%s</jingle></iq>",
			 PICK(devices, line[2]), PICK(actions, line[1]),
			 PICK(sids, line[4]), PICK(insides, line[3]));
	else if (line[1] & 1)
		snprintf(text, sizeof(text), "<iq type='error' id='%s' "
			 "from='%s' to='p@c/call'><error type='cancel'>%s"
			 "</error></iq>", sent ? sent->id : "none",
			 sent ? sent->device : devices[0],
			 PICK(errors, line[2]));
	else
		snprintf(text, sizeof(text), "<message type='error' "
			 "id='0000abcd-%d' from='%s' to='p@c/call'><error/>"
			 "</message>", line[2] & 3, line[3] & 1 ? "u@h" :
			 PICK(devices, line[4]));
	feed(st, text);
}

/* A row that somebody else wrote: refused, or taken for good. */
static void restore_any(struct story *st, const char *line, size_t n)
{
	struct leg again, more;
	char *data = arena_strdup(st->env.arena, line + 4), *at, *same;
	enum leg_state state = (unsigned char)line[1] % LEG_STATES;
	int rc;

	if (n < 4)
		return;
	while ((at = strchr(data, ';')))
		*at = '\n';
	assert(!leg_init(&again, "u@h", "p@c", "call", true));
	assert(!leg_init(&more, "u@h", "p@c", "call", true));
	rc = leg_restore(&again, LEG_CALLER, state, (unsigned char)line[2],
			 line[3] & 1 ? "u@h/d" : NULL,
			 line[3] & 2 ? "S" : NULL, data, 1);
	assert(!rc || rc == EBADMSG);
	if (!rc) {
		data = leg_data(&again, st->env.arena);
		assert(!leg_restore(&more, LEG_CALLER, state,
				    leg_flags(&again), again.device,
				    again.sid, data, 1));
		same = leg_data(&more, st->env.arena);
		assert(!strcmp(data, same));
	}
	leg_clear(&again);
	leg_clear(&more);
}

/* From now on his ICE ends with us: in mode `blind`, or `room`. */
static void end_ice(struct story *st, char how)
{
	struct leg *l = &st->l;
	unsigned number = how & 2 ? 1 : 0;
	const char *name = number ? "1" : "0";

	leg_end_ice(l, how & 1);
	leg_set_transport(l, name, (int)number);
	leg_set_ours(l, number, "ours", "pwd");
	leg_set_print(l, number, how & 1 ? "sha-256 00:11" : NULL);
	if (how & 4 && leg_knows(l, "0") && leg_transport(l, "0") >= 0)
		leg_set_home(l, "0", 1);
	leg_take_known(l, -1, &st->env);
	/* A leg that has had LEG_CONTENTS_MAX does not get one more. */
	assert(leg_ours(l, number));
	assert(leg_transport(l, name) == (leg_knows(l, name) ? (int)number :
					  -1));
	if (how & 8)
		leg_drop_transport(l, number);
	assert(!(how & 8) || !leg_uses(l, (int)number));
}

static void catch_up(struct story *st)
{
	struct leg from;

	assert(!leg_init(&from, "p@c", "u@h", "call", true));
	leg_keep(&from, st->tree, JINGLE_TRANSPORT_INFO, 0, NULL);
	leg_keep(&from, st->tree, JINGLE_SESSION_INFO, 0, NULL);
	leg_catch_up(&st->l, &from, &st->env);
	leg_clear(&from);
}

static void about(struct story *st, enum leg_event_kind kind, const char *jid)
{
	struct leg_event ev = { .kind = kind, .jid = jid };

	ev.id = st->l.sent ? st->l.sent->id : "none";
	if (st->l.state != LEG_IDLE)
		step(st, &ev);
}

static void ring(struct story *st, char how)
{
	struct leg_target t[3];
	unsigned i;

	for (i = 0; i < 3; i++) {
		t[i].jid = devices[i];
		t[i].plain = how & (1 << i);
		t[i].by_full = how & (1 << (i + 3));
		t[i].bundles = how & (1 << 6);
	}
	if (st->l.state == LEG_IDLE) {
		leg_reset(&st->l, LEG_CALLEE, 0xabcd);
		leg_ring(&st->l, "S", MEDIA_AUDIO, t, 2, &st->env);
	} else if (st->l.state == LEG_RINGING) {
		leg_ring_more(&st->l, &t[2], how & 64 ? "T" : NULL, &st->env);
	}
}

/* Orders of a caller's leg. */
static void order_caller(struct story *st, char what)
{
	struct leg *l = &st->l;

	if (what == 'i' && IN(l, BIT(LEG_PROPOSED) | BIT(LEG_OFFERED)))
		leg_ringing(l, &st->env);
	else if (what == 'P' && IN(l, BIT(LEG_PROPOSED)))
		leg_proceed(l, st->tree, &st->env);
	else if (what == 'p' && IN(l, BIT(LEG_PROPOSED)))
		leg_proceed(l, NULL, &st->env);
	else if (what == 'n' && IN(l, BIT(LEG_PROPOSED) | BIT(LEG_OFFERED)))
		leg_refuse(l, "busy", "t", st->env.now / 100 & 1, &st->env);
	else if (what == 'a' && IN(l, BIT(LEG_OFFERED)))
		leg_accept(l, st->tree, &st->env);
	else if (what == 'k' && IN(l, LIVE))
		leg_keep(l, st->tree, JINGLE_TRANSPORT_INFO, 0,
			 l->device);
}

static void order_callee(struct story *st, char what, const char *device)
{
	struct leg *l = &st->l;

	if (what == 'o' &&
	    IN(l, BIT(LEG_RINGING) | BIT(LEG_ANSWERED)))
		leg_offer(l, st->tree, &st->env);
	else if (what == 's' && IN(l, BIT(LEG_RINGING) | BIT(LEG_ANSWERED)))
		leg_stop(l, device == devices[0] ? LEG_STOP_ELSEWHERE :
			 device == devices[1] ? LEG_STOP_CANCEL :
			 LEG_STOP_SILENT, "cancel", NULL, device, &st->env);
	else if (what == 'C' && IN(l, BIT(LEG_RINGING)))
		catch_up(st);
	else if (what == 'k' && IN(l, LIVE))
		leg_keep(l, st->tree, JINGLE_TRANSPORT_INFO, 0, device);
}

static void new_round(struct story *st)
{
	leg_stop_away(&st->l, &st->env);
	leg_reset(&st->l, LEG_CALLEE, 0xabcd);
}

/* Of a leg whatever its role, that few calls give. */
static bool order_rare(struct story *st, char what, char how)
{
	struct leg *l = &st->l;

	if (what == 'l')
		st->env.now += LEG_RACED_REJECT_MS;
	else if (what == 'A')
		st->turns_away = how & 1 ? 2 : 1;
	else if (what == 'S' && IN(l, BIT(LEG_IDLE)))
		leg_speak_as(l, "p@h/call", how & 1);
	else if (what == 'I' && IN(l, LIVE))
		end_ice(st, how);
	else if (what == 'F')
		leg_forget_ours(l);
	else if (what == 'O' && IN(l, BIT(LEG_ACTIVE)) && leg_ours(l, how & 1))
		leg_say_ours(l, how & 1, &st->env);
	else if (what == 'M' && IN(l, LIVE))
		leg_migrate(l, "T", &st->env);
	else if (what == 'R' && IN(l, BIT(LEG_ENDED)) && l->restored)
		leg_repeat_stop(l, "gone", &st->env);
	else if (what == 'N' && IN(l, BIT(LEG_ENDED)) && l->restored)
		leg_repeat_end(l, &st->env);
	else if (what == 'B' && l->relayed)
		leg_reply_condition(l, l->relayed->number, "wait",
				    "resource-constraint", &st->env);
	else
		return false;
	return true;
}

static void order(struct story *st, const char *line)
{
	struct leg *l = &st->l;
	const char *device = devices[(unsigned char)line[1] % 3];
	enum jingle_action action;
	unsigned relay;

	if (line[0] == 'm' || line[0] == 'j' || line[0] == 'v')
		make(st, line, strlen(line));
	else if (line[0] == 'D')
		restore_any(st, line, strlen(line));
	else if (order_rare(st, line[0], line[1]))
		;
	else if (line[0] == 'r')
		ring(st, line[1]);
	else if (line[0] == 'g' || line[0] == 'b')
		about(st, line[0] == 'g' ? LEG_EV_GONE : LEG_EV_BACK, device);
	else if (line[0] == 't')
		about(st, line[1] == 't' ? LEG_EV_TIMEOUT : LEG_EV_RESULT,
		      device);
	else if (line[0] == 'q' && IN(l, BIT(LEG_ACTIVE)))
		leg_ping(l, &st->env);
	else if (line[0] == 'y' && IN(l, BIT(LEG_ACTIVE) | BIT(LEG_RINGING)))
		leg_relay(l, st->tree, line[1] == 'a' ? JINGLE_CONTENT_ADD :
			  line[1] == 'j' ? JINGLE_CONTENT_REJECT :
			  JINGLE_CONTENT_MODIFY, 7, &st->env);
	else if (line[0] == 'w' && l->relayed)
		leg_reply(l, l->relayed->number, NULL, &st->env);
	else if (line[0] == 'x')
		leg_take_kept(l, NULL, &action, &relay, st->env.arena);
	else if (line[0] == 'e' && IN(l, LIVE))
		leg_end(l, "success", NULL, &st->env);
	else if (line[0] == 'd' && IN(l, LIVE))
		leg_ended(l, &st->env);
	else if (line[0] == 'f' && IN(l, BIT(LEG_ENDED)))
		leg_finish(l, "success", NULL, &st->env);
	else if (line[0] == 'z' && IN(l, BIT(LEG_ENDED)))
		new_round(st);
	else if (line[0] == 'c' && !IN(l, BIT(LEG_IDLE)))
		restore(st);
	else if (l->role == LEG_CALLER)
		order_caller(st, line[0]);
	else
		order_callee(st, line[0], device);
	count_answers(&st->env);
}

static const char tree_text[] = "<jingle xmlns='urn:xmpp:jingle:1'><content "
	"creator='initiator' name='0'><description xmlns="
	"'urn:xmpp:jingle:apps:rtp:1' media='audio'/><transport xmlns="
	"'urn:xmpp:jingle:transports:ice-udp:1' ufrag='u' pwd='p'/></content>"
	"</jingle>";

/* Read once; orders only read it. */
static struct xml_elem *tree(void)
{
	static struct xml_elem *e;
	static struct arena *a;

	if (!e) {
		a = arena_new(0);
		assert(!xml_parse(a, tree_text, sizeof(tree_text) - 1,
				  NS_COMPONENT, NULL, &e));
	}
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[8192];
	struct story st = {
		.env = { .now = 1000, .candidates = candidates,
			 .candidates_n = 2 },
		.tree = tree(),
	};
	char *at = text, *line;
	unsigned n = 0;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	assert(!leg_init(&st.l, "u@h", "p@c", "call", true));
	while ((line = strsep(&at, "\n")) && n++ < LINES_MAX) {
		st.env.arena = fuzz_arena();
		st.env.first = st.env.last = NULL;
		st.env.now += 100;
		if (line[0] == '<')
			feed(&st, line);
		else if (line[0])
			order(&st, line);
		leg_check(&st.l);
	}
	leg_clear(&st.l);
	return 0;
}
