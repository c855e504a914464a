/* test_leg.c: the leg's table of states and events, complete: what each event
 * does in each state, reached by real steps; and what strangers can do, which
 * is nothing.
 */
#include "tests/unit/leg_test.h"

/* --- the table -------------------------------------------------------- */

#define UNK "unknown-session"
#define OOO "out-of-order"
#define CAN "cancelled"
#define HUP "hangup"

enum form { FORM_JMI, FORM_JINGLE, FORM_OTHER };

static const struct row {
	const char *name;
	enum form form;
	const char *action, *children;
	enum other other;
	int64_t after;             /* ms after the propose */
	/* idle, proposed, proceeded, offered, active, ended;
	 * idle, ringing, ringing plain, answered, initiated, active, ended */
	const char *want[SETUPS];
} rows[] = {
#define J(name, action, children, ...) \
	{ name, FORM_JMI, action, children, 0, 1000, { __VA_ARGS__ } }
	J("propose", "propose", "<description xmlns='urn:xmpp:jingle:apps:"
	  "rtp:1' media='audio'/>",
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, IGN, IGN, IGN, IGN, IGN, IGN),
	J("retract", "retract", "",
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, IGN, IGN, HUP, HUP, IGN, IGN),
	J("accept (A01)", "accept", "",
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, IGN, IGN, IGN, IGN, IGN, IGN),
	J("proceed (A01)", "proceed", "",
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, "answered >answered", IGN, IGN, IGN, IGN, IGN),
	J("ringing", "ringing", "",
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, "ringing", IGN, IGN, IGN, IGN, IGN),
	J("reject", "reject", "",
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "declined", IGN, HUP, HUP, IGN, IGN),
	J("reject decline", "reject", JMI_REASON("decline"),
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "declined", IGN, HUP, HUP, IGN, IGN),
	J("reject cancel", "reject", JMI_REASON("cancel"),
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "declined", IGN, HUP, HUP, IGN, IGN),
	J("reject busy", "reject", JMI_REASON("busy"),
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "busy", IGN, HUP, HUP, IGN, IGN),
	J("reject tie-break", "reject", JMI_REASON("expired") "<tie-break/>",
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "tie-break", IGN, HUP, HUP, IGN, IGN),
	J("reject media-error", "reject", JMI_REASON("media-error"),
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "no-device", IGN, HUP, HUP, IGN, IGN),
	{ "reject after 28 s", FORM_JMI, "reject", "", 0, 28000, {
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "unanswered", IGN, HUP, HUP, IGN, IGN } },
	{ "reject after 27.999 s", FORM_JMI, "reject", "", 0, 27999, {
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "declined", IGN, HUP, HUP, IGN, IGN } },
	{ "reject decline after 28 s", FORM_JMI, "reject",
	  JMI_REASON("decline"), 0, 28000, {
	  IGN, CAN, CAN, CAN, IGN, IGN,
	  IGN, "declined", IGN, HUP, HUP, IGN, IGN } },
	J("finish", "finish", "",
	  IGN, CAN, CAN, CAN, HUP, "finish",
	  IGN, IGN, IGN, HUP, HUP, HUP, "finish"),
#undef J
#define J(action, children, ...) \
	{ action " " children, FORM_JINGLE, action, children, 0, 1000, \
	  { __VA_ARGS__ } }
	J("session-initiate", CONTENT,
	  UNK, OOO, "ok offer >offered", "conflict", "conflict",
	  "ok session-terminate",
	  UNK, UNK, OOO, "conflict", "conflict", "conflict", UNK),
	J("session-initiate", RTP_CONTENT("initiator", "0", "video"),
	  UNK, OOO, "not-acceptable", "conflict", "conflict",
	  "ok session-terminate",
	  UNK, UNK, OOO, "conflict", "conflict", "conflict", UNK),
	J("session-initiate", "<content creator='initiator' name='f'>"
	  "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>"
	  "<transport xmlns='urn:xmpp:jingle:transports:s5b:1'/></content>",
	  UNK, OOO, "unsupported-info", "conflict", "conflict",
	  "ok session-terminate",
	  UNK, UNK, OOO, "conflict", "conflict", "conflict", UNK),
	J("session-accept", CONTENT,
	  UNK, OOO, OOO, OOO, OOO, UNK,
	  UNK, UNK, "ok answered >active", OOO, "ok accept >active", OOO,
	  UNK),
	J("session-terminate", REASON("success"),
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok declined", "ok hangup", "ok hangup", "ok hangup",
	  "ok"),
	J("session-terminate", "",
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok declined", "ok hangup", "ok hangup", "ok hangup",
	  "ok"),
	J("session-terminate", REASON("decline"),
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok declined", "ok hangup", "ok hangup", "ok hangup",
	  "ok"),
	J("session-terminate", REASON("cancel"),
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok declined", "ok hangup", "ok hangup", "ok hangup",
	  "ok"),
	J("session-terminate", REASON("busy"),
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok busy", "ok hangup", "ok hangup", "ok hangup", "ok"),
	J("session-terminate", REASON("timeout"),
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok unanswered", "ok hangup", "ok hangup", "ok hangup",
	  "ok"),
	J("session-terminate", REASON("media-error"),
	  UNK, "ok cancelled", "ok cancelled", "ok cancelled", "ok hangup",
	  "ok",
	  UNK, UNK, "ok no-device", "ok hangup", "ok hangup", "ok hangup",
	  "ok"),
	J("transport-info", CANDIDATE,
	  UNK, OOO, OOO, "ok trickle", "relay", UNK,
	  UNK, UNK, "ok", OOO, "ok trickle", "relay", UNK),
	J("transport-info", "<content creator='initiator' name='0'><transport "
	  "xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='uf'>"
	  "<gathering-complete/></transport></content>",
	  UNK, OOO, OOO, "ok", "ok", UNK,
	  UNK, UNK, "ok", OOO, "ok", "ok", UNK),
	J("session-info", "",
	  UNK, "ok", "ok", "ok", "ok", UNK,
	  UNK, UNK, "ok", "ok", "ok", "ok", UNK),
	J("session-info", INFO("mute"),
	  UNK, "ok", "ok", "ok trickle", "relay", UNK,
	  UNK, UNK, "ok", "ok", "ok trickle", "relay", UNK),
	J("session-info", INFO("ringing"),
	  UNK, "ok", "ok", "ok", "relay", UNK,
	  UNK, UNK, "ok ringing", "ok", "ok", "relay", UNK),
#define RELAYED(action, children) J(action, children, \
	  UNK, OOO, OOO, OOO, "relay", UNK, \
	  UNK, UNK, OOO, OOO, OOO, "relay", UNK)
	RELAYED("content-accept", CONTENT),
	RELAYED("content-add", CONTENT),
	RELAYED("content-modify", BARE_CONTENT),
	RELAYED("content-reject", BARE_CONTENT),
	RELAYED("content-remove", BARE_CONTENT),
	RELAYED("description-info", CONTENT),
	RELAYED("security-info", BARE_CONTENT),
	RELAYED("transport-accept", CONTENT),
	RELAYED("transport-reject", BARE_CONTENT),
	RELAYED("transport-replace", CONTENT),
#undef J
#define J(name, kind, ...) \
	{ name, FORM_OTHER, NULL, NULL, kind, 1000, { __VA_ARGS__ } }
	J("result", RESULT,
	  IGN, IGN, IGN, IGN, NIL, NIL,
	  IGN, IGN, NIL, IGN, NIL, NIL, NIL),
	J("error unknown-session", ERROR,
	  IGN, IGN, IGN, IGN, "lost", NIL,
	  IGN, IGN, "no-device", IGN, "lost", "lost", NIL),
	J("timeout", TIMEOUT,
	  IGN, IGN, IGN, IGN, "lost", NIL,
	  IGN, IGN, "no-device", IGN, "lost", "lost", NIL),
	J("bounce", BOUNCE,
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, "blocked", "blocked", IGN, IGN, IGN, IGN),
	J("bounce of the device", BOUNCE_DEVICE,
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, "no-device", "no-device", IGN, IGN, IGN, IGN),
	J("receipt", RECEIPT,
	  IGN, IGN, IGN, IGN, IGN, IGN,
	  IGN, "ringing", "ringing", IGN, IGN, IGN, IGN),
	J("gone", GONE,
	  IGN, NIL, NIL, NIL, NIL, NIL,
	  IGN, NIL, NIL, NIL, NIL, NIL, NIL),
	J("back", BACK,
	  IGN, NIL, NIL, NIL, NIL, NIL,
	  IGN, NIL, NIL, NIL, NIL, NIL, NIL),
#undef J
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static int run_row(struct bench *b, const struct row *r, const char *from,
		   const char *sid)
{
	b->env.now = START + r->after;
	if (r->form == FORM_JMI)
		return jmi_from(b, from, sid, r->action, r->children);
	if (r->form == FORM_JINGLE)
		return jingle_from(b, from, sid, r->action, r->children);
	return other_from(b, from, r->other);
}

static void each_cell(void **state)
{
	struct bench b;
	enum leg_state before;
	unsigned s, i, bad = 0;
	const char *got;
	int rc;

	(void)state;
	for (i = 0; i < ROWS; i++)
		for (s = 0; s < SETUPS; s++) {
			begin(&b, (enum setup)s);
			before = b.l.state;
			rc = run_row(&b, &rows[i], DEVICE, "S");
			got = outcome(&b, rc, before);
			if (strcmp(got, rows[i].want[s]) != 0) {
				print_error("%.60s, %s: %s, not %s\n",
					    rows[i].name, setup_names[s],
					    got, rows[i].want[s]);
				bad++;
			}
			end(&b);
		}
	assert_int_equal(bad, 0);
}

/* A09, I17: another device, or another sid, is like an unknown session. */
static void strangers(const char *from, const char *sid)
{
	struct bench b;
	enum leg_state before;
	const char *want, *got;
	unsigned s, i;
	int rc;

	for (i = 0; i < ROWS; i++)
		for (s = 0; s < SETUPS; s++) {
			if (rows[i].form == FORM_OTHER)
				continue;
			begin(&b, (enum setup)s);
			before = b.l.state;
			rc = run_row(&b, &rows[i], from, sid);
			got = outcome(&b, rc, before);
			want = rows[i].form == FORM_JMI ? IGN : UNK;
			if (strcmp(got, want) != 0)
				fail_msg("%.60s, %s: %s", rows[i].name,
					 setup_names[s], got);
			assert_int_equal(rc, ENOENT);
			end(&b);
		}
}

static void other_device(void **state)
{
	(void)state;
	strangers("u@h/stranger", "S");
}

static void other_sid(void **state)
{
	(void)state;
	strangers(DEVICE, "T");
}

static void other_bounces(void **state)
{
	static const enum other kinds[] = { BOUNCE_DEVICE, RECEIPT, GONE,
					    BACK };
	struct bench b;
	unsigned s, i;

	(void)state;
	for (i = 0; i < 4; i++)
		for (s = 0; s < SETUPS; s++) {
			begin(&b, (enum setup)s);
			assert_int_equal(other_from(&b, "u@h/stranger",
						    kinds[i]), ENOENT);
			assert_null(b.env.first);
			end(&b);
		}
}

/* --- what the call orders, in each state ------------------------------ */

static const char *const orders[ORDERS][SETUPS] = {
	[O_RINGING] = { NIL, "ringing", NIL, NIL, NIL, NIL,
		NIL, NIL, NIL, NIL, NIL, NIL, NIL },
	[O_PROCEED] = { NIL, "proceed >proceeded", NIL, NIL, NIL, NIL,
		NIL, NIL, NIL, NIL, NIL, NIL, NIL },
	[O_REFUSE] = { NIL, "reject >ended", NIL, "session-terminate >ended",
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL },
	[O_OFFER] = { NIL, NIL, NIL, NIL, NIL, NIL,
		NIL, NIL, NIL, "session-initiate >initiated", NIL, NIL, NIL },
	[O_ACCEPT] = { NIL, NIL, NIL, "session-accept >active", NIL, NIL,
		NIL, NIL, NIL, NIL, NIL, NIL, NIL },
	[O_PING] = { NIL, NIL, NIL, NIL, "session-info", NIL,
		NIL, NIL, NIL, NIL, NIL, "session-info", NIL },
	[O_STOP_ELSEWHERE] = { NIL, NIL, NIL, NIL, NIL, NIL,
		NIL, "retract", "session-terminate", NIL, NIL, NIL, NIL },
	[O_STOP_CANCEL] = { NIL, NIL, NIL, NIL, NIL, NIL,
		NIL, "retract", "session-terminate retract", NULL, NULL, NULL,
		NULL },
	[O_STOP_SILENT] = { NIL, NIL, NIL, NIL, NIL, NIL,
		NIL, "retract", "session-terminate", NIL, NIL, NIL, NIL },
	[O_END] = { NIL, "reject >ended", "reject >ended",
		"session-terminate >ended", "session-terminate >ended", NIL,
		NIL, "retract >ended", "session-terminate retract >ended",
		"retract >ended", "session-terminate >ended",
		"session-terminate >ended", NIL },
	[O_ENDED] = { " >ended", " >ended", " >ended", " >ended", " >ended",
		NIL, " >ended", " >ended", " >ended", " >ended", " >ended",
		" >ended", NIL },
	[O_FINISH] = { NIL, NIL, NIL, NIL, NIL, "finish",
		NIL, NIL, NIL, NIL, NIL, NIL, "finish" },
	[O_MORE] = { NIL, NIL, NIL, NIL, NIL, NIL,
		NIL, "propose", "propose", NIL, NIL, NIL, NIL },
};

static void each_order(void **state)
{
	struct bench b;
	enum leg_state before;
	unsigned s, o;
	const char *got;

	(void)state;
	for (o = 0; o < ORDERS; o++)
		for (s = 0; s < SETUPS; s++) {
			if (!orders[o][s])
				continue;      /* never ordered then */
			begin(&b, (enum setup)s);
			before = b.l.state;
			order(&b, (enum order)o);
			got = outcome(&b, 0, before);
			if (strcmp(got, orders[o][s]) != 0)
				fail_msg("order %u, %s: %s, not %s", o,
					 setup_names[s], got, orders[o][s]);
			end(&b);
		}
}

/* What it is told when its session goes on as another is its finish. */
static void one_finish(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, C_ACTIVE);
	leg_migrate(&b.l, "other", &b.env);
	order(&b, O_FINISH);
	assert_string_equal(outcome(&b, 0, LEG_ENDED), NIL);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cell),
		cmocka_unit_test(other_device),
		cmocka_unit_test(other_sid),
		cmocka_unit_test(other_bounces),
		cmocka_unit_test(each_order),
		cmocka_unit_test(one_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
