/* fuzz_leg.c: one leg, line by line: '<' begins a stanza of its user, any
 * other character an order of the call or an event, done where the leg's state
 * allows it. The leg's invariants hold after each, every iq set is answered
 * once or owed, what is sent can be written, and a leg read back from its row
 * has the same row.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/session/leg.h"
#include "jingle/stanza/hints.h"

#define LINES_MAX 60
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
};

static const char *const devices[] = { "u@h/d", "u@h/e", "u@h/f" };

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

static void step(struct story *st, struct leg_event *ev)
{
	struct leg *l = &st->l;
	unsigned owed = l->relayed_n + (ev->kind == LEG_EV_JINGLE);
	int rc;

	rc = leg_step(l, ev, &st->env);
	assert(rc == 0 || rc == ENOENT || rc == EBADMSG);
	assert(owed == count_answers(&st->env) + l->relayed_n);
}

/* On an idle leg a propose or session-initiate opens it. */
static void open_or_step(struct story *st, struct leg_event *ev, bool opens)
{
	if (st->l.state == LEG_IDLE && opens) {
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
		same = leg_data(&again, st->env.arena);
		assert(same && !strcmp(same, data));
		leg_clear(l);
		*l = again;
	} else {
		leg_clear(&again);
	}
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
	else if (what == 'p' && IN(l, BIT(LEG_PROPOSED)))
		leg_proceed(l, NULL, &st->env);
	else if (what == 'n' && IN(l, BIT(LEG_PROPOSED)))
		leg_refuse(l, "busy", "t", false, &st->env);
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
			 LEG_STOP_CANCEL, "cancel", NULL, device, &st->env);
	else if (what == 'k' && IN(l, LIVE))
		leg_keep(l, st->tree, JINGLE_TRANSPORT_INFO, 0, device);
}

static void order(struct story *st, const char *line)
{
	struct leg *l = &st->l;
	const char *device = devices[(unsigned char)line[1] % 3];
	enum jingle_action action;
	unsigned relay;

	if (line[0] == 'r')
		ring(st, line[1]);
	else if (line[0] == 'g' || line[0] == 'b')
		about(st, line[0] == 'g' ? LEG_EV_GONE : LEG_EV_BACK, device);
	else if (line[0] == 't')
		about(st, line[1] == 't' ? LEG_EV_TIMEOUT : LEG_EV_RESULT,
		      device);
	else if (line[0] == 'q' && IN(l, BIT(LEG_ACTIVE)))
		leg_ping(l, &st->env);
	else if (line[0] == 'y' && IN(l, BIT(LEG_ACTIVE)))
		leg_relay(l, st->tree, JINGLE_CONTENT_MODIFY, 7, &st->env);
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
		leg_reset(l, LEG_CALLEE, 0xabcd);
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
	struct story st = { .env = { .now = 1000 }, .tree = tree() };
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
