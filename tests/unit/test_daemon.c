/* test_daemon.c: the daemon against a mock server: start, stop, restart, link
 * loss, and what is answered when.
 */
#include "tests/unit/daemon_test.h"

/* A server that is not there is waited for; an end meanwhile is an end. */
static void test_no_server(void **state)
{
	(void)state;
	uv_close((uv_handle_t *)&m.listener, NULL);
	start_daemon();
	assert_int_equal(ctl("\"status\""), 0);
	assert_null(strstr(answer, "connected ("));
	stop();
	start_daemon();
	assert_int_equal(ctl("\"status\""), 0);
	mock_listen(&m, m.port);
	UNTIL(m.handshakes == 1);
	stop();
}

/* The link is down for `why`; status and check say so, with the remedy. */
static void shows_trouble(const char *why, const char *mend)
{
	char text[256];

	UNTIL(says("\"status\"", why));
	assert_non_null(strstr(answer, "down (calls.example.org) since 20"));
	assert_non_null(strstr(answer, mend));
	assert_non_null(strstr(answer, "next attempt in "));
	snprintf(text, sizeof(text), "\"what\":\"%s\"", why);
	assert_non_null(strstr(answer, text));
	assert_int_equal(ctl("\"check\""), 1);
	assert_non_null(strstr(answer, why));
	assert_non_null(strstr(answer, mend));
}

/* X11: why there is no connection, since when, and the line to mend. */
static void test_why_down(void **state)
{
	static const struct {
		const char *condition, *why, *mend;
	} cases[] = {
		{ "not-authorized", "the server refuses the secret",
		  "/conf:4) equal to the component_secret of Component " },
		{ "host-unknown", "the server knows no component of this "
		  "name", "/conf:1), or `port' (" },
		{ "conflict", "another program is connected as this "
		  "component", "stop the other program" },
		{ "invalid-namespace", "the port is not for components",
		  "/conf:3) one of the server's component_ports" },
		{ "not-well-formed", "what answers at the port takes no "
		  "components", "/conf:3) one of the server's" },
		{ "undefined-condition", "there is no connection to the "
		  "server", "see the server's log" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m.refuse = cases[i].condition;
		start_daemon();
		shows_trouble(cases[i].why, cases[i].mend);
		stop();
	}
	m.refuse = NULL;
	m.answers = true;
	m.echoes = 16;
	up();
	UNTIL(says("\"check\"", "connected (calls.example.org) since 20"));
	assert_null(strstr(answer, "to mend"));
	mock_stream_error(&m, "conflict");
	UNTIL(m.handshakes == 2);
	UNTIL(says("\"status\"", "connected ("));
	assert_non_null(strstr(answer, ": another program is connected"));
	mock_drop(&m);
	uv_close((uv_handle_t *)&m.listener, NULL);
	UNTIL(says("\"status\"", "nothing answers"));
	mock_listen(&m, m.port);
	UNTIL(says("\"status\"", "connected ("));
	assert_non_null(strstr(answer, ": the server closed the connection"));
	mock_shut(&m);
	shows_trouble("nothing answers at the server's component port",
		      "to mend: start the server\\n");
	stop();
	start_daemon();
	shows_trouble("nothing answers at the server's component port",
		      "start the server; if it runs, make `server' (");
	mock_listen(&m, m.port);
	UNTIL(says("\"status\"", "connected ("));
	assert_null(strstr(answer, "nothing answers"));
	stop();
}

/* Faults that the admin must mend end with EX_CONFIG and leak nothing. */
static void test_cannot_start(void **state)
{
	(void)state;
	write_conf("nonsense = 1\n");
	start_daemon();
	await_exit(78);
	write_conf("");
	up();
	kill_daemon();
	up();
	{
		pid_t first = child;

		start_daemon();    /* the database is taken */
		await_exit(78);
		child = first;
	}
	stop();
}

/* F17, F18, F21: both ends of the ringing, both notices, nothing kept. */
static void test_unanswered(void **state)
{
	(void)state;
	up();
	ring();
	assert_int_equal(ctl("\"clock\",\"+31s\""), 0);
	UNTIL(count_sent("<retract") && count_sent("<reject"));
	UNTIL(count_sent("headline") == 2);
	UNTIL(says("\"status\"", "notices waiting 0"));
	assert_true(says("\"log\"", "unanswered"));
	assert_true(says("\"status\"", "1 attempts, 0 answered"));
	stop();
	assert_int_equal(count_sent("<retract"), 1);
}

/* F04: what must end the ringing is said although the link was down. */
static void test_link_gap(void **state)
{
	(void)state;
	up();
	ring();
	mock_drop(&m);
	uv_close((uv_handle_t *)&m.listener, NULL);
	UNTIL(ctl("\"status\"") == 0 && !strstr(answer, "connected ("));
	assert_int_equal(ctl("\"clock\",\"+31s\""), 0);
	mock_listen(&m, m.port);
	UNTIL(count_sent("<retract") && count_sent("<reject"));
	stop();
}

/* F01: ringing ends as the table says, once the server is there. */
static void test_killed(void **state)
{
	(void)state;
	up();
	ring();
	kill_daemon();
	forget_log();
	up();
	UNTIL(count_sent("<retract") && count_sent("<reject"));
	UNTIL(says("\"log\"", "restart"));
	come_online();
	UNTIL(says("\"status\"", "notices waiting 0"));
	stop();
}

/* A call of alice's to bob whose facts are being asked, in the database. */
static void store_asking(void)
{
	struct store_op call = { .kind = STORE_CALL_PUT, .u.call = {
		.id = "c1", .caller = "alice@example.org",
		.callee = "bob@example.org", .round = 2, .media = MEDIA_AUDIO,
		.state = CALL_ASKING, .created = 1, .answered = 1 } };
	struct store_op leg = { .kind = STORE_LEG_PUT, .u.leg = {
		.call = "c1", .side = 0, .user = "alice@example.org",
		.device = "alice@example.org/a", .sid = "s1",
		.own = "bob@calls.example.org", .state = LEG_PROPOSED,
		.flags = LEG_FLAG_JMI | LEG_FLAG_GATEWAY, .data = "" } };
	struct store_op callee = leg;

	callee.u.leg.side = 1;
	callee.u.leg.user = "bob@example.org";
	callee.u.leg.own = "alice@calls.example.org";
	callee.u.leg.device = callee.u.leg.sid = NULL;
	callee.u.leg.state = LEG_IDLE;
	store_call(&call, &leg, &callee);
}

/* I08: who called gets his notice, though nobody has told the new process of
 * him yet. */
static void test_killed_while_asking(void **state)
{
	(void)state;
	up();
	kill_daemon();
	store_asking();
	up();
	UNTIL(says("\"log\"", "restart"));
	assert_true(says("\"status\"", "notices waiting 1"));
	stop();
}

/* What was acknowledged outlives a kill. */
static void test_acknowledged(void **state)
{
	(void)state;
	up();
	assert_int_equal(ctl("\"disable\""), 0);
	kill_daemon();
	up();
	assert_true(says("\"status\"", "calls           off"));
	assert_int_equal(ctl("\"user\",\"bob@example.org\",\"second_call\","
			     "\"busy\""), 0);
	assert_non_null(strstr(answer, "second_call     busy"));
	kill_daemon();
	up();
	assert_true(says("\"user\",\"bob@example.org\"",
			 "second_call     busy"));
	stop();
}

static bool in_log(const char *text)
{
	char name[96], line[1024];
	bool found = false;
	FILE *f;

	snprintf(name, sizeof(name), "%s/log", dir);
	f = fopen(name, "r");
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, text);
	if (f)
		fclose(f);
	return found;
}

/* F3: a switch goes before the configuration, says so, and there is a way
 * back. */
static void test_switch_and_back(void **state)
{
	static const char goes_back[] = "off (by privatecallctl; the "
		"configuration says on, `privatecallctl default enabled' "
		"goes back to it)";
	static const char line[] = "goes before the configuration\" "
		"switch=enabled to=no configured=yes";

	(void)state;
	up();
	assert_true(says("\"disable\"", goes_back));
	assert_true(says("\"status\"", goes_back));
	assert_true(says("\"status\"", "\"enabled\":{\"on\":false,"
			 "\"configured\":true,\"switched\":true}"));
	assert_false(in_log(line));
	assert_true(says("\"reload\"", "enabled stays off (by"));
	assert_true(in_log(line));
	write_conf("enabled = no\n");
	assert_true(says("\"reload\"", "\"text\":\"reloaded\""));
	assert_true(says("\"status\"", "the configuration says the same"));
	assert_false(in_log("to=no configured=no"));
	write_conf("messaging = no\n");
	assert_true(says("\"reload\"", "\"text\":\"reloaded"));
	assert_true(says("\"messaging\",\"on\"", "says off"));
	kill_daemon();
	up();
	UNTIL(in_log("switch=messaging to=yes configured=no"));
	assert_int_equal(ctl("\"default\",\"calls\""), 2);
	assert_true(says("\"default\",\"enabled\"", "enabled on\""));
	assert_true(says("\"default\",\"messaging\"", "messaging off\""));
	kill_daemon();
	up();
	assert_true(says("\"status\"", "calls           on\\nmessaging      "
			 " off\\n"));
	stop();
}

/* Rows that no longer fit the configuration do not stop the start. */
static void test_other_names(void **state)
{
	(void)state;
	up();
	mock_send(&m, "<presence type='subscribe' from='alice@example.org' "
		  "to='calls.example.org'/>");
	UNTIL(count_sent("subscribed"));
	ring();
	stop();
	domain = "voice.example.org";
	write_conf("");
	up();
	assert_int_equal(ctl("\"status\""), 0);
	stop();
	domain = "calls.example.org";
	write_conf("hosts = { \"other.example\" }\n");
	up();
	stop();
}

static void test_reload(void **state)
{
	(void)state;
	up();
	write_conf("ring_timeout = 20s\nlog_privacy = full\n");
	assert_int_equal(ctl("\"reload\""), 0);
	write_conf("hosts = { \"other.example\" }\n");
	assert_int_equal(ctl("\"reload\""), 1);
	assert_non_null(strstr(answer, "hosts"));
	write_conf("nonsense = 1\n");
	assert_int_equal(ctl("\"reload\""), 1);
	kill(child, SIGHUP);
	ring();
	assert_true(says("\"status\"", "live calls      1"));
	stop();
}

static void test_drain(void **state)
{
	(void)state;
	up();
	ring();
	assert_int_equal(ctl("\"drain\""), 0);
	await_exit(0);
	assert_int_equal(count_sent("<retract"), 1);
}

/* I13: also what cannot be read is answered, once. */
static void test_bad_iq(void **state)
{
	(void)state;
	up();
	forget_log();
	mock_send(&m, "<iq type='what' id='b1' from='a@example.org/x' "
		  "to='calls.example.org'/><iq type='set' id='b2' "
		  "from='a@example.org/x' to='bob@calls.example.org/call'>"
		  "<jingle xmlns='urn:xmpp:jingle:1' action='session-info' "
		  "sid='none'/></iq><iq type='result' id='b3' "
		  "from='a@example.org/x' to='calls.example.org'/>"
		  "<iq type='get' id='b4' from='a@example.org/x' "
		  "to='calls.example.org'><query "
		  "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
	UNTIL(count_sent("b4"));
	assert_int_equal(count_sent("b1"), 1);
	assert_int_equal(count_sent("b2"), 1);
	assert_int_equal(count_sent("b3"), 0);
	stop();
}

/* One message of 100 attributes between users' own addresses: the answer is
 * relayed (A31). As it is, from a domain that is not the component's, it would
 * end the link. Of a contact it is. */
static void send_over_limit(const char *to)
{
	static char text[4096];
	char *at = text;
	unsigned i;

	at += sprintf(at, "<message from='alice@example.org/a' type='chat' "
		      "id='big' to='%s'><propose "
		      "xmlns='urn:xmpp:jingle-message:0' id='s1'", to);
	for (i = 0; i < 100; i++)
		at += sprintf(at, " a%u='1'", i);
	sprintf(at, "/></message>");
	mock_send(&m, text);
}

static void test_over_a_limit(void **state)
{
	(void)state;
	up();
	forget_log();
	send_over_limit("bob@example.org");
	UNTIL(count_sent("policy-violation") == 1);
	assert_int_equal(strncmp(m.log, "<iq ", 4), 0);
	assert_int_equal(count_sent("<relay "), 1);
	assert_int_equal(count_sent("from='bob@example.org'"), 1);
	forget_log();
	send_over_limit("bob@calls.example.org");
	UNTIL(count_sent("policy-violation") == 1);
	assert_int_equal(count_sent("<relay "), 0);
	stop();
}

/* Commands with odd arguments; a trace of text that is cut is UTF-8. */
static void test_commands(void **state)
{
	static const char *const odd[] = {
		"\"log\",\"--limit\"", "\"log\",\"--limit\",\"0\"",
		"\"log\",\"--limit\",\"-5\"", "\"log\",\"--limit\",\"1x\"",
		"\"log\",\"--limit\",\"4294967297\"",
		"\"log\",\"--user\",\"nobody\"", "\"messaging\",\"maybe\"",
		"\"user\",\"@\"", "\"user\",\"bob@example.org\",\"messages\"",
		"\"user\",\"bob@example.org\",\"x\",\"y\"",
		"\"user\",\"bob@example.org\",\"messages\",\"perhaps\"",
		"\"clock\",\"+99999999999999999999h\"",
	};
	char text[512] = "", stanza[1024], id[64], command[128];
	const char *at;
	size_t i;

	(void)state;
	up();
	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		assert_int_equal(ctl(odd[i]), 2);
	assert_int_equal(ctl("\"hangup\",\"\""), 3);
	assert_int_equal(ctl("\"trace\",\"1234\""), 3);
	come_online();
	for (i = 0; i < 200; i++)
		strcat(text, i % 7 ? "\xc3\xa9" : "x");
	snprintf(stanza, sizeof(stanza), PROPOSE_WITH("%s"), text);
	mock_send(&m, stanza);
	UNTIL(count_sent("<propose") == 1);
	assert_int_equal(ctl("\"calls\""), 0);
	at = strstr(answer, "\"id\":\"");
	assert_non_null(at);
	snprintf(id, sizeof(id), "%.36s", at + 6);
	snprintf(command, sizeof(command), "\"trace\",\"%s\"", id);
	assert_int_equal(ctl(command), 0);
	assert_non_null(strstr(answer, "alice@example.org/a"));
	snprintf(command, sizeof(command), "\"hangup\",\"%.8s\"", id);
	assert_int_equal(ctl(command), 0);
	UNTIL(says("\"status\"", "live calls      0"));
	stop();
}

/* One call as `argv` shows it, whole or in a list. */
static json_t *shown(const char *argv, json_t **all_r)
{
	json_t *data, *list;

	assert_int_equal(ctl(argv), 0);
	*all_r = json_loads(answer, 0, NULL);
	assert_non_null(*all_r);
	data = json_object_get(*all_r, "data");
	list = json_object_get(data, "calls");
	return list ? json_array_get(list, 0) : data;
}

/* A thing has one name, and a time is ms or null, in each command. */
static void test_json_names(void **state)
{
	static const char *const words[] = { "id", "caller", "callee",
					     "media" };
	char command[64];
	json_t *list, *call, *log, *of_list, *of_call, *of_log;
	size_t i;

	(void)state;
	up();
	ring();
	of_list = shown("\"calls\"", &list);
	snprintf(command, sizeof(command), "\"call\",\"%s\"",
		 json_string_value(json_object_get(of_list, "id")));
	of_call = shown(command, &call);
	assert_true(json_equal(of_list, of_call));
	assert_int_equal(ctl("\"clock\",\"+31s\""), 0);
	UNTIL(says("\"log\"", "unanswered"));
	assert_true(in_log(" round=1 result=unanswered"));
	assert_false(in_log("msg=restored"));
	of_log = shown("\"log\"", &log);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		json_t *word = json_object_get(of_log, words[i]);

		assert_true(json_is_string(word));
		assert_true(json_equal(word, json_object_get(of_call,
							     words[i])));
	}
	assert_true(json_equal(json_object_get(of_log, "round"),
			       json_object_get(of_call, "round")));
	assert_true(json_is_null(json_object_get(of_call, "answered")));
	assert_true(json_is_null(json_object_get(of_log, "answered")));
	assert_true(json_is_integer(json_object_get(of_call, "started")));
	assert_true(json_equal(json_object_get(of_log, "started"),
			       json_object_get(of_call, "started")));
	assert_true(json_is_integer(json_object_get(of_log, "ended")));
	json_decref(list);
	json_decref(call);
	json_decref(log);
	list = json_object_get(shown("\"status\"", &log), "link");
	m.answers = true;
	m.echoes = 16;
	assert_true(json_equal(list, json_object_get(
				     shown("\"check\"", &call), "link")));
	json_decref(log);
	json_decref(call);
	stop();
}

/* I08: nobody fills the outbox with notices for names he made up. */
static void test_unknown_user(void **state)
{
	(void)state;
	up();
	come_online();
	mock_send(&m, "<message from='mallory@evil.example/x' type='chat' "
		  "id='p1' to='bob@calls.example.org'><propose "
		  "xmlns='urn:xmpp:jingle-message:0' id='s2'><description "
		  "xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
		  "</propose></message>");
	UNTIL(count_sent("<reject"));
	assert_true(says("\"log\"", "remote"));
	assert_true(says("\"status\"", "notices waiting 0"));
	stop();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_no_server),
		T(test_why_down),
		T(test_cannot_start),
		T(test_unanswered),
		T(test_link_gap),
		T(test_killed),
		T(test_killed_while_asking),
		T(test_acknowledged),
		T(test_switch_and_back),
		T(test_other_names),
		T(test_reload),
		T(test_drain),
		T(test_bad_iq),
		T(test_over_a_limit),
		T(test_commands),
		T(test_json_names),
		T(test_unknown_user),
	};

	return be_daemon_or_test(argc, argv, tests);
}
