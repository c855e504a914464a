/* fail_daemon.c: the whole daemon with one fault in its life: start, a call
 * from the first propose to its end, one whose facts are asked by XEP-0356, a
 * check, stop. It may refuse to start, and says
 * why; once it is up it stays up, answers, and stops when told to. Started
 * again without a fault it rings as ever.
 */
#include <errno.h>
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
#include <sysexits.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/fail/fail.h"
#include "tests/mock/server.h"

#define WAIT_MS 15000
#define JMI " xmlns='urn:xmpp:jingle-message:0' id='"
#define RTP(kind) "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='" \
	kind "'/>"
#define CONTENT "<content creator='initiator' name='0'>" RTP("audio") \
	"<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/></content>"
#define ALICE "from='alice@example.org/a' to='bob@calls.example.org"
#define BOB "from='bob@example.org/b' to='alice@calls.example.org"
#define HERE(user) "<presence from='" user "' to='calls.example.org'/>"
#define GRANTS "<message from='example.org' to='calls.example.org'>" \
	"<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' " \
	"type='get'/><perm access='iq'><namespace ns='urn:xmpp:blocking' " \
	"type='get'/></perm></privilege></message>"
#define PING "<iq type='get' from='example.org' to='calls.example.org' " \
	"id='x1'><ping xmlns='urn:xmpp:ping'/></iq>"

int daemon_main(int argc, char **argv);

static uv_loop_t loop;
static uv_timer_t beat;
static struct mock m;
static char dir[64], conf_file[96];
static pid_t child;
static int status_of_end;

static void on_beat(uv_timer_t *t)
{
	(void)t;
}

#define UNTIL(what) do { \
	uint64_t end_ = uv_hrtime() / 1000000 + WAIT_MS; \
	while (!(what)) { \
		if (uv_hrtime() / 1000000 > end_) \
			fail_msg("waited too long for %s", #what); \
		uv_run(&loop, UV_RUN_ONCE); \
	} \
} while (0)

static void write_conf(void)
{
	FILE *f = fopen(conf_file, "w");

	assert_non_null(f);
	fprintf(f, "domain = \"calls.example.org\"\nserver = \"127.0.0.1\"\n"
		"port = %d\nsecret = \"secret\"\ndatabase = \"%s/db\"\n"
		"control_socket = \"%s/run/control\"\nmedia = direct\n",
		m.port, dir, dir);
	fclose(f);
	chmod(conf_file, 0600);
}

static int setup(void **state)
{
	(void)state;
	fail_armed = false;
	snprintf(dir, sizeof(dir), "/tmp/privatecall-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf_file, sizeof(conf_file), "%s/conf", dir);
	uv_loop_init(&loop);
	uv_timer_init(&loop, &beat);
	uv_timer_start(&beat, on_beat, 2, 2);
	mock_start(&m, &loop, "secret");
	write_conf();
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	uv_close((uv_handle_t *)&beat, NULL);
	mock_end(&m);
	uv_loop_close(&loop);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static void start(bool faulty)
{
	char name[] = "privatecalld", option[] = "-c";
	char *argv[] = { name, option, conf_file, NULL };

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child)
		return;
	signal(SIGTERM, SIG_DFL);
	fail_armed = faulty;
	exit(daemon_main(3, argv));
}

static bool ended(void)
{
	if (child && waitpid(child, &status_of_end, WNOHANG) == child)
		child = 0;
	return !child;
}

/* The code it ends with; a signal is none. */
static int exit_code(void)
{
	UNTIL(ended());
	assert_true(WIFEXITED(status_of_end));
	return WEXITSTATUS(status_of_end);
}

/* Up; false: it refused to start. */
static bool comes_up(void)
{
	unsigned before = m.handshakes;

	UNTIL(m.handshakes > before || ended());
	return child;
}

static bool sent(const char *text)
{
	return m.log && strstr(m.log, text);
}

/* Waits until all sent so far is dealt with: a ping is answered. The answer
 * or the link may be what is lost: then it is asked again. */
static void settle(void)
{
	unsigned tries, turns;

	for (tries = 0; tries < 8; tries++) {
		m.log_len = 0;
		mock_send(&m, PING);
		for (turns = 0; turns < 500; turns++) {
			if (ended())
				fail_msg("it ended by itself");
			if (sent("id='x1'"))
				return;
			uv_run(&loop, UV_RUN_ONCE);
		}
	}
	fail_msg("no ping is answered");
}

static void say(const char *stanza)
{
	mock_send(&m, stanza);
	settle();
}

static void call(void)
{
	say(HERE("alice@example.org/a") HERE("bob@example.org/b"));
	say("<message type='chat' id='p1' " ALICE "'><propose" JMI "s1'>"
	    RTP("audio") "</propose></message>");
	say("<message type='chat' id='p2' " BOB "'><ringing" JMI "s1'/>"
	    "</message>");
	say("<message type='chat' id='p3' " BOB "'><proceed" JMI "s1'/>"
	    "</message>");
	say("<iq type='set' id='q1' " ALICE "/call'><jingle xmlns="
	    "'urn:xmpp:jingle:1' action='session-initiate' sid='s1'>"
	    CONTENT "</jingle></iq>");
	say("<iq type='set' id='q2' " ALICE "/call'><jingle xmlns="
	    "'urn:xmpp:jingle:1' action='session-terminate' sid='s1'><reason>"
	    "<success/></reason></jingle></iq>");
	say("<message type='chat' id='p4' " ALICE "'><finish" JMI "s1'/>"
	    "</message>");
	say(GRANTS);
	say("<message type='chat' id='p5' " ALICE "'><propose" JMI "s2'>"
	    RTP("audio") "</propose></message>");
	say("<message type='chat' id='p6' " ALICE "'><retract" JMI "s2'/>"
	    "</message>");
}

/* Answered, or at least not left waiting. */
static void check(void)
{
	static const char line[] = "{\"argv\":[\"check\"]}\n";
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char buf[4096];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/run/control", dir);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)) &&
	    write(fd, line, sizeof(line) - 1) == sizeof(line) - 1)
		UNTIL(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) == 0 ||
		      errno == ECONNRESET);
	close(fd);
	settle();
}

static void stop(void)
{
	kill(child, SIGTERM);
	assert_int_equal(exit_code(), 0);
	UNTIL(!m.was_open);
}

/* As if nothing had been. */
static void rings(void)
{
	start(false);
	assert_true(comes_up());
	say(HERE("alice@example.org/a") HERE("bob@example.org/b"));
	m.log_len = 0;
	mock_send(&m, "<message type='chat' id='p9' " ALICE "'><propose" JMI
		  "s9'>" RTP("audio") "</propose></message>");
	UNTIL(sent("<propose"));
	stop();
}

static void a_life(void **state)
{
	(void)state;
	start(true);
	m.answers = true;
	if (comes_up()) {
		call();
		m.echoes = 16;
		check();
		stop();
	} else {
		assert_true(WIFEXITED(status_of_end));
		assert_true(WEXITSTATUS(status_of_end) == EX_CONFIG ||
			    WEXITSTATUS(status_of_end) == EXIT_FAILURE);
		UNTIL(!m.was_open);
	}
	rings();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_life, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
