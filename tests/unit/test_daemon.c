/* test_daemon.c: the whole daemon in a process of its own against a mock
 * server: start, stop, restart, link loss, and what is answered when.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/mock/server.h"

int daemon_main(int argc, char **argv);

#define main daemon_main
#include "mod_privatecall/daemon/main.c"
#undef main

#define WAIT_MS 20000
#define PROPOSE_AS(id, sid) "<message from='alice@example.org/a' type='chat' " \
	"id='" id "' to='bob@calls.example.org'><propose " \
	"xmlns='urn:xmpp:jingle-message:0' id='" sid "'><description " \
	"xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>" \
	"</message>"
#define PROPOSE_WITH(id) PROPOSE_AS(id, "s1")
#define PROPOSE PROPOSE_WITH("p1")

static uv_loop_t loop;
static uv_timer_t beat;
static struct mock m;
static char dir[64], conf_file[96], sock_file[96];
static pid_t child;
static char answer[65536];
static const char *domain;

/* --- the daemon's process --------------------------------------------- */

static void write_conf(const char *more)
{
	FILE *f = fopen(conf_file, "w");

	assert_non_null(f);
	fprintf(f, "domain = \"%s\"\nserver = \"127.0.0.1\"\n"
		"port = %d\nsecret = \"secret\"\ndatabase = \"%s/db\"\n"
		"control_socket = \"%s\"\n%s", domain, m.port, dir,
		sock_file, more);
	fclose(f);
	chmod(conf_file, 0600);
}

static void start_daemon(void)
{
	char log[96];
	int fd;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child)
		return;
	snprintf(log, sizeof(log), "%s/log", dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 2);
	execl("/proc/self/exe", "privatecalld", "-c", conf_file, (char *)NULL);
	_exit(1);
}

static void on_beat(uv_timer_t *t)
{
	(void)t;
}

static void show_log(void)
{
	char line[512], log[96];
	FILE *f;

	snprintf(log, sizeof(log), "%s/log", dir);
	f = fopen(log, "r");
	while (f && fgets(line, sizeof(line), f))
		fprintf(stderr, "    %s", line);
	if (f)
		fclose(f);
	fprintf(stderr, "    sent: %s\n", m.log ? m.log : "");
}

/* Runs the server until `what` is true; fails after 20 s. */
#define UNTIL(what) do { \
	uint64_t end_ = uv_hrtime() / 1000000 + WAIT_MS; \
	while (!(what)) { \
		if (uv_hrtime() / 1000000 > end_) { \
			show_log(); \
			fail_msg("waited too long for %s", #what); \
		} \
		uv_run(&loop, UV_RUN_ONCE); \
	} \
} while (0)

static int status_of_end;

static bool ended(void)
{
	return waitpid(child, &status_of_end, WNOHANG) == child;
}

static void await_exit(int code)
{
	UNTIL(ended());
	child = 0;
	if (!WIFEXITED(status_of_end) || WEXITSTATUS(status_of_end) != code)
		show_log();
	assert_true(WIFEXITED(status_of_end));
	assert_int_equal(WEXITSTATUS(status_of_end), code);
}

static void kill_daemon(void)
{
	kill(child, SIGKILL);
	UNTIL(ended());
	child = 0;
	UNTIL(!m.was_open);
}

/* --- its control socket ----------------------------------------------- */

static int try_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", sock_file);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

static bool take(int fd, size_t *len)
{
	ssize_t n = recv(fd, answer + *len, sizeof(answer) - 1 - *len,
			 MSG_DONTWAIT);

	if (n > 0)
		*len += (size_t)n;
	answer[*len] = 0;
	return !n;
}

/* Its exit code; the whole answer is in `answer`. `argv`: JSON. */
static int ctl(const char *argv)
{
	char line[512];
	size_t len = 0;
	int fd = -1, n, code = -1;

	UNTIL((fd = try_connect()) >= 0);
	n = snprintf(line, sizeof(line), "{\"argv\":[%s]}\n", argv);
	assert_int_equal(write(fd, line, (size_t)n), n);
	UNTIL(take(fd, &len));
	close(fd);
	assert_int_equal(sscanf(answer, "{\"code\":%d", &code), 1);
	return code;
}

static bool says(const char *argv, const char *text)
{
	return ctl(argv) == 0 && strstr(answer, text);
}

/* --- the server's side ------------------------------------------------ */

static void forget_log(void)
{
	m.log_len = 0;
	if (m.log)
		m.log[0] = 0;
}

static unsigned count_sent(const char *text)
{
	const char *at = m.log;
	unsigned n = 0;

	while (at && (at = strstr(at, text))) {
		n++;
		at++;
	}
	return n;
}

static void come_online(void)
{
	mock_send(&m, "<presence from='alice@example.org/a' "
		  "to='calls.example.org'/><presence "
		  "from='bob@example.org/b' to='calls.example.org'/>");
	UNTIL(says("\"user\",\"bob@example.org\"", "active          yes"));
	forget_log();
}

static void up(void)
{
	unsigned before = m.handshakes;

	start_daemon();
	UNTIL(m.handshakes > before);
}

static void ring(void)
{
	come_online();
	mock_send(&m, PROPOSE);
	UNTIL(count_sent("<propose") == 1);
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/privatecall-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf_file, sizeof(conf_file), "%s/conf", dir);
	snprintf(sock_file, sizeof(sock_file), "%s/run/control", dir);
	uv_loop_init(&loop);
	uv_timer_init(&loop, &beat);
	uv_timer_start(&beat, on_beat, 2, 2);
	mock_start(&m, &loop, "secret");
	domain = "calls.example.org";
	write_conf("");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	if (child) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}
	uv_close((uv_handle_t *)&beat, NULL);
	if (uv_is_closing((uv_handle_t *)&m.listener))
		mock_listen(&m, 0);    /* for its end */
	mock_end(&m);
	uv_loop_close(&loop);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void stop(void)
{
	kill(child, SIGTERM);
	await_exit(0);
}

/* --- tests ------------------------------------------------------------ */

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
	struct store_batch *b = store_batch_new();
	struct store *s;
	char path[96], *why;

	snprintf(path, sizeof(path), "%s/db", dir);
	assert_int_equal(store_sqlite_open(path, &s, &why), 0);
	assert_int_equal(store_batch_add(b, &call), 0);
	assert_int_equal(store_batch_add(b, &leg), 0);
	leg.u.leg.side = 1;
	leg.u.leg.user = "bob@example.org";
	leg.u.leg.own = "alice@calls.example.org";
	leg.u.leg.device = leg.u.leg.sid = NULL;
	leg.u.leg.state = LEG_IDLE;
	assert_int_equal(store_batch_add(b, &leg), 0);
	assert_int_equal(s->v->commit(s, b), 0);
	store_batch_free(b);
	s->v->close(s);
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

/* --- check ------------------------------------------------------------ */

/* The server's module says that it is `release`. */
static void hello(const char *release)
{
	char text[512];
	unsigned id = 0;

	m.answers = false;
	forget_log();
	mock_send(&m, "<message from='example.org' to='calls.example.org'>"
		  "<hello xmlns='urn:privatecall:query:0'/></message>");
	UNTIL(count_sent("<hello") == 1);
	m.answers = true;
	sscanf(strstr(m.log, "hello-"), "hello-%u", &id);
	snprintf(text, sizeof(text), "<iq type='result' id='hello-%u' "
		 "from='example.org' to='calls.example.org'><hello "
		 "xmlns='urn:privatecall:query:0' version='1' "
		 "software='mod_privatecall' release='%s' "
		 "server='Prosody 0.12.3'/></iq>", id, release);
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
		hello(cases[i].release);
		m.echoes = 16;
		assert_int_equal(ctl("\"check\""), 0);
		assert_non_null(strstr(answer, cases[i].says));
		assert_non_null(strstr(answer, "\"about\":\"version\""));
	}
	hello(PACKAGE_VERSION);
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

#define BLOCKS "<privilege xmlns='urn:xmpp:privilege:2'><forwarded " \
	"xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client'><blocklist " \
	"xmlns='urn:xmpp:blocking'><item jid='alice@example.org'/>" \
	"</blocklist></iq></forwarded></privilege>"

/* Block lists, then roster, before anything is said; whoever is called (A06);
 * what is refused or late is as if it was not granted. */
static void test_privileged(void **state)
{
	(void)state;
	up();
	mock_send(&m, GRANTS);
	mock_send(&m, PROPOSE);        /* nobody there is known */
	tell("<privileged_iq", "bob", NULL);
	tell("<privileged_iq", "alice", NULL);
	tell("jabber:iq:roster", "bob", "<query xmlns='jabber:iq:roster'/>");
	UNTIL(count_sent("<reject") == 1);
	come_online();
	mock_send(&m, PROPOSE_AS("p2", "s2"));
	tell("<privileged_iq", "bob", BLOCKS);
	tell("<privileged_iq", "alice", NULL);
	tell("jabber:iq:roster", "bob", "<query xmlns='jabber:iq:roster'><item "
	     "jid='alice@example.org' subscription='both'/></query>");
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

/* With arguments it is the daemon. */
int main(int argc, char **argv)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
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
		T(test_commands),
		T(test_json_names),
		T(test_unknown_user),
		T(test_check_version),
		T(test_check_link),
		T(test_privileged),
	};

	if (argc > 1)
		return daemon_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
