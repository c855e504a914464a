/* test_check.c: the daemon and what a mock server says of itself:
 * `privatecallctl check`, facts by XEP-0356, its module's switch, and who is
 * there.
 */
#include "tests/unit/daemon_test.h"

/* --- check ------------------------------------------------------------ */

/* The module of `host` says that it is `release`, and whether it has private
 * calls on. */
static void hello(const char *host, const char *release, const char *on)
{
	char text[512];
	unsigned id = 0;

	m.answers = false;
	forget_log();
	snprintf(text, sizeof(text), "<message from='%s' "
		 "to='calls.example.org'><hello "
		 "xmlns='urn:privatecall:query:0'/></message>", host);
	mock_send(&m, text);
	UNTIL(count_sent("<hello") == 1);
	m.answers = true;
	sscanf(strstr(m.log, "hello-"), "hello-%u", &id);
	snprintf(text, sizeof(text), "<iq type='result' id='hello-%u' "
		 "from='%s' to='calls.example.org'><hello "
		 "xmlns='urn:privatecall:query:0' version='1' "
		 "software='mod_privatecall' release='%s' "
		 "server='Prosody 0.12.3' private_calls='%s'/></iq>", id, host,
		 release, on);
	mock_send(&m, text);
}

/* X11: who is of another version, and which of the two is the older one. */
static void test_check_version(void **state)
{
	static const struct { const char *release, *says; } cases[] = {
		{ "0.0.9", "0.0.9, Prosody 0.12.3) is older than " },
		{ "0.1.0rc1", "is newer than privatecalld" },
		{ "0.10.0", "is newer than privatecalld" },
	};
	size_t i;

	(void)state;
	m.answers = true;
	up();
	UNTIL(count_sent("<hello") == 1);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hello("example.org", cases[i].release, "true");
		m.echoes = 16;
		assert_int_equal(ctl("\"check\""), 0);
		assert_non_null(strstr(answer, cases[i].says));
		assert_non_null(strstr(answer, "\"about\":\"version\""));
	}
	hello("example.org", PACKAGE_VERSION, "true");
	m.echoes = 16;
	assert_int_equal(ctl("\"check\""), 0);
	assert_null(strstr(answer, "\"about\":\"version\""));
	stop();
}

/* X11: a server that gives the other link a part; one that gives nothing back
 * to anybody says nothing, and one that is lost does not keep the admin. */
static void test_check_link(void **state)
{
	(void)state;
	m.answers = true;
	up();
	m.echoes = 9;
	assert_int_equal(ctl("\"check\""), 0);
	assert_non_null(strstr(answer, "7 of 16 messages from "
			       "calls.example.org to itself"));
	assert_non_null(strstr(answer, "and in prosody.cfg.lua:"));
	assert_non_null(strstr(answer, "in ejabberd.yml"));
	assert_int_equal(ctl("\"check\""), 0);
	assert_null(strstr(answer, "second link"));
	mock_stream_error(&m, "conflict");
	UNTIL(m.handshakes == 2);
	m.echoes = 16;
	assert_int_equal(ctl("\"check\""), 0);
	assert_non_null(strstr(answer, "another program has connected as "
			       "calls.example.org, last at 20"));
	stop();
}

/* X11: whoever was never let in gets the lines of both servers. */
static void test_check_never_up(void **state)
{
	static const char *const lines[] = {
		"  Component \\\"calls.example.org\\\"\\n",
		"component_secret = \\\"the secret\\\"\\n",
		"module: ejabberd_service\\n",
		"  calls.example.org:\\n",
	};
	size_t i;

	(void)state;
	m.refuse = "host-unknown";
	start_daemon();
	UNTIL(m.closes || m.connects);
	assert_int_equal(ctl("\"check\""), 1);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(strstr(answer, lines[i]));
	stop();
}

/* Sends "check" and does not wait. */
static int begin_check(void)
{
	static const char line[] = "{\"argv\":[\"check\"]}\n";
	int fd = -1;

	UNTIL((fd = try_connect()) >= 0);
	assert_int_equal(write(fd, line, sizeof(line) - 1), sizeof(line) - 1);
	return fd;
}

static void end_check(int fd, const char *text)
{
	size_t len = 0;

	UNTIL(take(fd, &len));
	close(fd);
	if (text)
		assert_non_null(strstr(answer, text));
}

/* Who asks while a check runs gets the same one; who leaves it is no trouble,
 * and a link that breaks, or an end, does not leave anybody waiting. */
static void test_check_together(void **state)
{
	unsigned i;
	int fd[4];

	(void)state;
	up();
	UNTIL(count_sent("<hello") == 1);
	forget_log();
	for (i = 0; i < 3; i++)
		fd[i] = begin_check();
	close(fd[0]);
	UNTIL(count_sent("urn:xmpp:time") == 1);
	UNTIL(ctl("\"status\"") == 0);
	mock_drop(&m);
	end_check(fd[1], "component link to 127.0.0.1:");
	assert_null(strstr(answer, "prosody.cfg.lua"));
	assert_non_null(strstr(answer, "\"hosts\":[]"));
	end_check(fd[2], "\"findings\":[{\"level\":\"fail\"");
	assert_int_equal(count_sent("urn:xmpp:time"), 1);
	UNTIL(m.handshakes == 2);
	fd[3] = begin_check();
	UNTIL(count_sent("urn:xmpp:time") == 2);
	kill(child, SIGTERM);
	end_check(fd[3], NULL);
	await_exit(0);
}

/* --- XEP-0356 --------------------------------------------------------- */

#define GRANTS "<message from='example.org' to='calls.example.org'>" \
	"<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' " \
	"type='get'/><perm access='iq'><namespace ns='urn:xmpp:blocking' " \
	"type='get'/></perm></privilege></message>"

/* The question that holds `what` is answered with `inner`; NULL: an error. */
static void tell(const char *what, const char *whose, const char *inner)
{
	char text[512];
	unsigned id = 0;

	UNTIL(count_sent(what) == 1);
	sscanf(strstr(m.log, "facts-"), "facts-%u", &id);
	forget_log();
	snprintf(text, sizeof(text), "<iq type='%s' id='facts-%u' "
		 "from='%s@example.org' to='calls.example.org'>%s</iq>",
		 inner ? "result" : "error", id, whose, inner ? inner :
		 "<error type='auth'><forbidden xmlns='" NS_STANZAS "'/>"
		 "</error>");
	mock_send(&m, text);
}

#define BOB_IS_THERE "<presence from='bob@example.org/b' " \
	"to='calls.example.org'/>"
#define BLOCKS "<privilege xmlns='urn:xmpp:privilege:2'><forwarded " \
	"xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client'><blocklist " \
	"xmlns='urn:xmpp:blocking'><item jid='alice@example.org'/>" \
	"</blocklist></iq></forwarded></privilege>"

#define ROSTER "<query xmlns='jabber:iq:roster'><item " \
	"jid='alice@example.org' subscription='both'/></query>"

/* Nothing is late from here on until the next step of the clock. */
static void hold_clock(void)
{
	assert_int_equal(ctl("\"clock\",\"hold\""), 0);
}

/* Block lists, then roster, before anything is said; whoever is called (A06);
 * what is refused or late is as if it was not granted. */
static void test_privileged(void **state)
{
	(void)state;
	up();
	hold_clock();
	mock_send(&m, GRANTS);
	mock_send(&m, PROPOSE);        /* nobody there is known */
	tell("<privileged_iq", "bob", NULL);
	tell("<privileged_iq", "alice", NULL);
	tell("jabber:iq:roster", "bob", "<query xmlns='jabber:iq:roster'/>");
	assert_int_equal(ctl("\"clock\",\"+1s\""), 0);
	UNTIL(count_sent("<reject") == 1);
	come_online();
	hold_clock();
	mock_send(&m, PROPOSE_AS("p2", "s2"));
	tell("<privileged_iq", "bob", BLOCKS);
	tell("<privileged_iq", "alice", NULL);
	tell("jabber:iq:roster", "bob", ROSTER);
	assert_int_equal(ctl("\"clock\",\"+1s\""), 0);
	UNTIL(count_sent("<reject") == 1);
	assert_int_equal(count_sent("<propose"), 0);
	assert_true(says("\"log\"", "blocked"));
	mock_send(&m, PROPOSE_AS("p3", "s3"));
	UNTIL(count_sent("<privileged_iq") == 1);
	assert_int_equal(count_sent("<propose"), 0);
	assert_int_equal(ctl("\"clock\",\"+1s\""), 0);
	UNTIL(count_sent("<propose") == 1);
	stop();
}

/* The callee's roster may say that the caller is a contact: it is asked for. */
static void test_privileged_contact(void **state)
{
	(void)state;
	write_conf("who_may_call = contacts\n");
	up();
	mock_send(&m, GRANTS);
	come_online();
	hold_clock();
	mock_send(&m, PROPOSE);
	tell("<privileged_iq", "bob", NULL);
	tell("<privileged_iq", "alice", NULL);
	tell("jabber:iq:roster", "bob", ROSTER);
	UNTIL(count_sent("<propose") || count_sent("<reject"));
	assert_int_equal(count_sent("<propose"), 1);
	stop();
}

/* Such answers do not say who exists: a callee who leaves while they are on
 * their way hears of the call. */
static void test_privileged_left(void **state)
{
	(void)state;
	up();
	mock_send(&m, GRANTS);
	come_online();
	hold_clock();
	mock_send(&m, PROPOSE);
	tell("<privileged_iq", "bob", NULL);
	tell("<privileged_iq", "alice", NULL);
	UNTIL(count_sent("jabber:iq:roster") == 1);
	mock_send(&m, "<presence type='unavailable' "
		  "from='bob@example.org/b' to='calls.example.org'/>");
	tell("jabber:iq:roster", "bob", ROSTER);
	assert_int_equal(ctl("\"clock\",\"+1s\""), 0);
	UNTIL(count_sent("<reject") == 1);
	assert_int_equal(count_sent("<propose"), 0);
	mock_send(&m, BOB_IS_THERE);
	UNTIL(count_sent("Missed call from Alice") == 1);
	stop();
}

/* A call whose facts are asked does not stand in its own way. */
static void test_last_place(void **state)
{
	(void)state;
	write_conf("max_calls = 1\n");
	up();
	mock_send(&m, GRANTS);
	come_online();
	hold_clock();
	mock_send(&m, PROPOSE);
	tell("<privileged_iq", "bob", NULL);
	tell("<privileged_iq", "alice", NULL);
	tell("jabber:iq:roster", "bob", NULL);
	UNTIL(count_sent("<propose") == 1 || count_sent("<reject"));
	assert_int_equal(count_sent("<reject"), 0);
	assert_true(says("\"status\"", "live calls      1"));
	assert_int_equal(ctl("\"clock\",\"+1s\""), 0);
	mock_send(&m, "<presence from='carl@example.org/c' "
		  "to='calls.example.org'/>"
		  PROPOSE_FROM("carl@example.org/c", "p2", "s2"));
	UNTIL(count_sent("<reject") == 1);
	stop();
}

/* --- the module's switch ---------------------------------------------- */

/* Who calls from a host that has calls turned off is told so, wherever the
 * callee is. */
static void test_caller_host_off(void **state)
{
	(void)state;
	write_conf("hosts = { \"example.org\", \"other.example\" }\n");
	m.answers = true;
	up();
	UNTIL(count_sent("<hello") == 2);
	come_online();
	hello("other.example", PACKAGE_VERSION, "false");
	forget_log();
	mock_send(&m, PROPOSE_FROM("carol@other.example/c", "p1", "s1"));
	UNTIL(count_sent("<propose") || count_sent("<reject"));
	assert_int_equal(count_sent("<propose"), 0);
	assert_non_null(strstr(m.log, "Private calls are turned off on this "
			       "server."));
	stop();
}

/* --- who is there ----------------------------------------------------- */

/* Who has called without showing presence is not gone for that after a
 * restart: neither when all who show theirs are back, nor when they would be
 * waited for no longer. */
static void test_restart_unseen(void **state)
{
	char text[512], sid[64];
	unsigned i;

	(void)state;
	write_conf("setup_timeout = 60s\n");
	up();
	mock_send(&m, BOB_IS_THERE);
	UNTIL(says("\"user\",\"bob@example.org\"", "active          yes"));
	forget_log();
	mock_send(&m, PROPOSE);
	UNTIL(count_sent("<propose") == 1);
	assert_int_equal(sscanf(strstr(strstr(m.log, "<propose"), " id='"),
				" id='%63[^']", sid), 1);
	snprintf(text, sizeof(text), "<message from='bob@example.org/b' "
		 "to='alice@calls.example.org/call' type='chat' id='x'>"
		 "<proceed xmlns='urn:xmpp:jingle-message:0' id='%s'/>"
		 "</message>", sid);
	mock_send(&m, text);
	UNTIL(count_sent("<proceed") == 1);
	kill_daemon();
	up();
	mock_send(&m, BOB_IS_THERE);
	UNTIL(says("\"user\",\"bob@example.org\"", "active          yes"));
	for (i = 0; i < 2; i++) {
		assert_int_equal(ctl("\"clock\",\"+11s\""), 0);
		assert_true(says("\"status\"", "live calls      1"));
	}
	stop();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_check_version),
		T(test_check_link),
		T(test_check_never_up),
		T(test_check_together),
		T(test_privileged),
		T(test_privileged_contact),
		T(test_privileged_left),
		T(test_last_place),
		T(test_caller_host_off),
		T(test_restart_unseen),
	};

	return be_daemon_or_test(argc, argv, tests);
}
