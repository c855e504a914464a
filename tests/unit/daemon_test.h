/* daemon_test.h: the whole daemon in a process of its own against a mock
 * server, and its control socket; the program that includes it is that daemon
 * too, see the end.
 */
#ifndef TESTS_UNIT_DAEMON_TEST_H
#define TESTS_UNIT_DAEMON_TEST_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/mock/server.h"
#include "tests/unit/patience.h"

int daemon_main(int argc, char **argv);

#define main daemon_main
#include "mod_privatecall/daemon/main.c"
#undef main

#define PROPOSE_FROM(from, id, sid) "<message from='" from "' type='chat' " \
	"id='" id "' to='bob@calls.example.org'><propose " \
	"xmlns='urn:xmpp:jingle-message:0' id='" sid "'><description " \
	"xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/></propose>" \
	"</message>"
#define PROPOSE_AS(id, sid) PROPOSE_FROM("alice@example.org/a", id, sid)
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

static inline void write_conf(const char *more)
{
	FILE *f = fopen(conf_file, "w");

	assert_non_null(f);
	fprintf(f, "domain = \"%s\"\nserver = \"127.0.0.1\"\n"
		"port = %d\nsecret = \"secret\"\ndatabase = \"%s/db\"\n"
		"control_socket = \"%s\"\n%s%s", domain, m.port, dir,
		sock_file, strstr(more, "media = ") ? "" : "media = direct\n",
		more);
	fclose(f);
	chmod(conf_file, 0600);
}

static inline void start_daemon(void)
{
	char log[96];
	int fd;

	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);  /* with a test that is killed */
	snprintf(log, sizeof(log), "%s/log", dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 2);
	execl("/proc/self/exe", "privatecalld", "-c", conf_file, (char *)NULL);
	_exit(1);
}

static inline void on_beat(uv_timer_t *t)
{
	(void)t;
}

static inline void show_log(void)
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

/* Runs the server until `what` is true; fails after patience_ms(). */
#define UNTIL(what) do { \
	uint64_t end_ = uv_hrtime() / 1000000 + patience_ms(); \
	while (!(what)) { \
		if (uv_hrtime() / 1000000 > end_) { \
			show_log(); \
			fail_msg("waited too long for %s", #what); \
		} \
		uv_run(&loop, UV_RUN_ONCE); \
	} \
} while (0)

static int status_of_end;

static inline bool ended(void)
{
	return waitpid(child, &status_of_end, WNOHANG) == child;
}

static inline void await_exit(int code)
{
	UNTIL(ended());
	child = 0;
	if (!WIFEXITED(status_of_end) || WEXITSTATUS(status_of_end) != code)
		show_log();
	assert_true(WIFEXITED(status_of_end));
	assert_int_equal(WEXITSTATUS(status_of_end), code);
}

/* Puts a call and its two legs into the database of no process. */
static inline void store_call(const struct store_op *call,
			      const struct store_op *caller,
			      const struct store_op *callee)
{
	struct store_batch *b = store_batch_new();
	struct store *s;
	char path[96], *why;

	snprintf(path, sizeof(path), "%s/db", dir);
	assert_int_equal(store_sqlite_open(path, &s, &why), 0);
	assert_int_equal(store_batch_add(b, call), 0);
	assert_int_equal(store_batch_add(b, caller), 0);
	assert_int_equal(store_batch_add(b, callee), 0);
	assert_int_equal(s->v->commit(s, b), 0);
	store_batch_free(b);
	s->v->close(s);
}

static inline void kill_daemon(void)
{
	kill(child, SIGKILL);
	UNTIL(ended());
	child = 0;
	UNTIL(!m.was_open);
}

/* --- its control socket ----------------------------------------------- */

static inline int try_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", sock_file);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

static inline bool take(int fd, size_t *len)
{
	ssize_t n = recv(fd, answer + *len, sizeof(answer) - 1 - *len,
			 MSG_DONTWAIT);

	if (n > 0)
		*len += (size_t)n;
	answer[*len] = 0;
	return !n;
}

/* Its exit code; the whole answer is in `answer`. `argv`: JSON. */
static inline int ctl(const char *argv)
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

static inline bool says(const char *argv, const char *text)
{
	return ctl(argv) == 0 && strstr(answer, text);
}

/* --- the server's side ------------------------------------------------ */

static inline void forget_log(void)
{
	m.log_len = 0;
	if (m.log)
		m.log[0] = 0;
}

static inline unsigned count_sent(const char *text)
{
	const char *at = m.log;
	unsigned n = 0;

	while (at && (at = strstr(at, text))) {
		n++;
		at++;
	}
	return n;
}

static inline void come_online(void)
{
	mock_send(&m, "<presence from='alice@example.org/a' "
		  "to='calls.example.org'/><presence "
		  "from='bob@example.org/b' to='calls.example.org'/>");
	UNTIL(says("\"user\",\"bob@example.org\"", "active          yes"));
	forget_log();
}

static inline void up(void)
{
	unsigned before = m.handshakes;

	start_daemon();
	UNTIL(m.handshakes > before);
}

static inline void ring(void)
{
	come_online();
	mock_send(&m, PROPOSE);
	UNTIL(count_sent("<propose") == 1);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline void stop(void)
{
	kill(child, SIGTERM);
	await_exit(0);
}

/* With arguments it is the daemon. TEST_ONLY names one of the tests. */
#define be_daemon_or_test(argc, argv, tests) \
	((argc) > 1 ? daemon_main(argc, argv) : \
	 (cmocka_set_test_filter(getenv("TEST_ONLY")), \
	  cmocka_run_group_tests(tests, NULL, NULL)))
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif
