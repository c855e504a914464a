/* test_ctl.c: the control socket, over real sockets in a folder of its own;
 * and the client program, when it is built.
 */
#include "mod_privatecall/admin/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fds.h"

#define TURNS 200000               /* of the loop, until a test gives up */

static char dir[64];
static uv_loop_t loop;
static struct ctl_server *server;
static struct ctl_request *waiting;    /* of the command "later" */
static int closed;
static time_t ahead;               /* s that the loop's clock is ahead */
static unsigned fds_before;        /* open without a test */

/* libuv's clock, so that no test waits. */
int clock_gettime(clockid_t id, struct timespec *t)
{
	long err = syscall(SYS_clock_gettime, id, t);

	t->tv_sec += ahead;
	return (int)err;
}

static const char *path_of(const char *name)
{
	static char path[104];         /* fits sockaddr_un */

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void run_echo(struct ctl_request *r, int argc, char **argv, void *arg)
{
	assert_ptr_equal(arg, &loop);
	assert_null(argv[argc]);
	ctl_answer(r, 0, json_pack("{s:i, s:s}", "argc", argc, "last",
				   argv[argc - 1]), "%d: %s\nsecond line",
		   argc, argv[argc - 1]);
}

static void run_later(struct ctl_request *r, int argc, char **argv, void *arg)
{
	(void)argc;
	(void)argv;
	(void)arg;
	assert_null(waiting);
	waiting = r;
}

/* The request of "later", which has come. */
static struct ctl_request *the_waiting(void)
{
	assert_non_null(waiting);
	return waiting;
}

static void run_missing(struct ctl_request *r, int argc, char **argv,
			void *arg)
{
	(void)argc;
	(void)arg;
	ctl_answer(r, 3, NULL, "no call %s\x1b[2J", argv[1]);
}

static const struct ctl_command commands[] = {
	{ "echo", "echo WORD...", "answers", 0, 63, run_echo },
	{ "later", "later", "answers when told", 0, 0, run_later },
	{ "call", "call ID", "has none", 1, 1, run_missing },
	{ NULL, NULL, NULL, 0, 0, NULL }
};

/* `server` from now on; where a refusal was expected another one ends, so that
 * nothing waits for it. */
static int start(const char *path, const char *expected)
{
	struct ctl_server *s = NULL;
	char *why;
	int err = ctl_server_start(&loop, path, commands, &loop, &s, &why);

	if (s && expected)
		ctl_server_stop(s, NULL, NULL);
	else if (s)
		server = s;
	if (expected) {
		assert_non_null(why);
		if (!strstr(why, expected))
			fail_msg("\"%s\" is not in: %s", expected, why);
	} else {
		assert_null(why);
	}
	free(why);
	return err;
}

static void on_closed(void *arg)
{
	(*(int *)arg)++;
}

static int set_up(void **state)
{
	(void)state;
	fds_before = fds_open();
	assert_int_equal(uv_loop_init(&loop), 0);
	waiting = NULL;
	closed = 0;
	ahead = 0;
	assert_int_equal(start(path_of("s"), NULL), 0);
	return 0;
}

/* The loop must then be empty: every handle is closed. */
static int tear_down(void **state)
{
	(void)state;
	if (server) {
		ctl_server_stop(server, on_closed, &closed);
		server = NULL;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(closed, 1);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(access(path_of("s"), F_OK), -1);
	assert_int_equal(fds_open(), fds_before);
	return 0;
}

static int open_client(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path_of("s"));
	assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof(a)),
			 0);
	return fd;
}

static void turn(void)
{
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static void send_text(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN)
			return;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
}

#define LATER "{\"argv\":[\"later\"]}\n"

/* A client that waits for what the_waiting() is answered. */
static int ask_later(void)
{
	int fd = open_client();

	send_text(fd, LATER, strlen(LATER));
	turn();
	return fd;
}

/* What the daemon has sent when it closes; NULL: nothing. */
static json_t *read_answer(int fd)
{
	char buf[65536];
	size_t len = 0;
	ssize_t n = -1;
	json_t *answer;

	for (int i = 0; i < TURNS && n != 0; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		n = recv(fd, buf + len, sizeof(buf) - len, MSG_DONTWAIT);
		if (n < 0 && errno == ECONNRESET)
			n = 0;
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	close(fd);
	turn();
	if (len == 0)
		return NULL;
	answer = json_loadb(buf, len, 0, NULL);
	assert_non_null(answer);
	return answer;
}

static void assert_answer(json_t *answer, int code, const char *text)
{
	const json_t *code_j = json_object_get(answer, "code");

	assert_true(json_is_integer(code_j));
	assert_string_equal(json_string_value(json_object_get(answer, "text")),
			    text);
	assert_int_equal(json_integer_value(code_j), code);
}

static void asks(const char *request, int code, const char *text)
{
	int fd = open_client();
	json_t *answer;

	send_text(fd, request, strlen(request));
	answer = read_answer(fd);
	assert_non_null(answer);
	assert_answer(answer, code, text);
	json_decref(answer);
}

static void a_command_answers(void **state)
{
	int fd = open_client();
	static const char request[] =
		"{\"argv\":[\"echo\",\"a b\",\"\\u00e4\"],\"json\":true}\n";
	json_t *answer, *data;

	(void)state;
	send_text(fd, request, strlen(request));
	answer = read_answer(fd);
	assert_answer(answer, 0, "3: \xc3\xa4\nsecond line");
	data = json_object_get(answer, "data");
	assert_int_equal(json_integer_value(json_object_get(data, "argc")), 3);
	json_decref(answer);
	asks("{\"argv\":[\"call\",\"x\"]}\n", 3, "no call x\x1b[2J");
}

static void a_request_may_come_in_pieces(void **state)
{
	static const char request[] = "{\"argv\":[\"echo\"]}\nmore";
	int fd = open_client();
	json_t *answer;

	(void)state;
	for (size_t i = 0; i < strlen(request); i++) {
		send_text(fd, request + i, 1);
		turn();
	}
	answer = read_answer(fd);
	assert_answer(answer, 0, "1: echo\nsecond line");
	json_decref(answer);
}

static void wrong_usage_is_told(void **state)
{
	(void)state;
	asks("{\"argv\":[\"eco\"]}\n", 2, "no such command: see `help'");
	asks("{\"argv\":[\"call\"]}\n", 2, "usage: call ID");
	asks("{\"argv\":[\"call\",\"a\",\"b\"]}\n", 2, "usage: call ID");
	asks("{\"argv\":[\"help\",\"eco\"]}\n", 3,
	     "no such command: see `help'");
	asks("{\"argv\":[\"help\",\"call\"]}\n", 0, "call ID  has none");
	asks("{\"argv\":[\"help\"]}\n", 0,
	     "echo WORD...    answers\n"
	     "later           answers when told\n"
	     "call ID         has none\n"
	     "help [COMMAND]  lists the commands");
}

static void bad_requests_are_refused(void **state)
{
	static const char *const bad[] = {
		"\n", "x\n", "{\n", "[]\n", "{}\n", "null\n",
		"{\"argv\":[]}\n", "{\"argv\":\"echo\"}\n",
		"{\"argv\":[\"echo\",1]}\n", "{\"argv\":[null]}\n",
		"{\"argv\":[\"echo\"],\"argv\":[\"later\"]}\n",
		"{\"argv\":[\"echo\",\"\xff\"]}\n",
		"{\"argv\":[\"echo\",\"\\u0000\"]}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		asks(bad[i], 2, "expected a line of JSON: "
		     "{\"argv\": [\"COMMAND\", ...]}");
}

static void too_many_words_are_refused(void **state)
{
	char request[1024] = "{\"argv\":[\"echo\"";

	(void)state;
	for (int i = 1; i < 64; i++)
		strcat(request, ",\"x\"");
	strcat(request, "]}\n");
	asks(request, 0, "64: x\nsecond line");
	strcpy(strstr(request, "]"), ",\"x\"]}\n");
	asks(request, 2, "expected a line of JSON: "
	     "{\"argv\": [\"COMMAND\", ...]}");
}

static void an_oversized_request_is_refused(void **state)
{
	static char request[40000];
	static const size_t sizes[] = { 16384, 16385, sizeof(request) };
	json_t *answer;
	int fd;

	(void)state;
	memset(request, ' ', sizeof(request));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fd = open_client();
		send_text(fd, request, sizes[i]);
		answer = read_answer(fd);
		assert_answer(answer, 1, "the request is over 16 KiB");
		json_decref(answer);
	}
	memcpy(request, "{\"argv\":[\"echo\"]}", 17);
	request[16383] = '\n';
	fd = open_client();
	send_text(fd, request, 16384);
	answer = read_answer(fd);
	assert_answer(answer, 0, "1: echo\nsecond line");
	json_decref(answer);
}

static void too_many_connections_are_refused(void **state)
{
	int fds[32];

	(void)state;
	for (int i = 0; i < 32; i++) {
		fds[i] = open_client();
		turn();
	}
	asks("", 1, "too many connections, try again");
	asks("", 1, "too many connections, try again");
	close(fds[7]);
	turn();
	asks("{\"argv\":[\"echo\"]}\n", 0, "1: echo\nsecond line");
	for (int i = 0; i < 32; i++)
		if (i != 7)
			close(fds[i]);
	turn();
}

static void an_answer_may_come_later(void **state)
{
	int fd = ask_later();
	json_t *answer;

	(void)state;
	assert_non_null(waiting);
	asks("{\"argv\":[\"echo\"]}\n", 0, "1: echo\nsecond line");
	ctl_answer(the_waiting(), 1, json_true(), "%s", "at last");
	answer = read_answer(fd);
	assert_answer(answer, 1, "at last");
	json_decref(answer);
}

static void a_text_that_is_no_utf8_is_told(void **state)
{
	int fd = ask_later();
	json_t *answer;

	(void)state;
	ctl_answer(the_waiting(), 0, NULL, "\xff");
	answer = read_answer(fd);
	assert_answer(answer, 0, "the answer is no UTF-8");
	json_decref(answer);
}

static void silence_is_ended(void **state)
{
	int fd = open_client();
	json_t *answer;

	(void)state;
	turn();
	ahead += 11;
	answer = read_answer(fd);
	assert_answer(answer, 1, "no request within 10 s");
	json_decref(answer);
}

static void a_slow_command_is_told_and_may_end_late(void **state)
{
	int fd = ask_later();
	json_t *answer;

	(void)state;
	ahead += 11;
	answer = read_answer(fd);
	assert_answer(answer, 1, "no answer within 10 s");
	json_decref(answer);
	ctl_answer(the_waiting(), 0, json_object(), "too late");
}

/* What follows the line is not read, nor obeyed. */
static void a_connection_has_one_request(void **state)
{
	int fd = ask_later();
	json_t *answer;

	(void)state;
	assert_non_null(waiting);
	send_text(fd, LATER, strlen(LATER));
	turn();
	ctl_answer(the_waiting(), 0, NULL, "once");
	answer = read_answer(fd);
	assert_answer(answer, 0, "once");
	json_decref(answer);
}

#define LARGE 4000000              /* more than sockets hold */

/* Asks for a large answer, which comes after 8 s, and reads it after so many
 * more: as much as there is then. */
static size_t read_late(int wait)
{
	char *buf = malloc(LARGE);
	int fd = ask_later();
	size_t len = 0;
	ssize_t n = -1;

	assert_non_null(buf);
	memset(buf, 'x', LARGE - 1);
	buf[LARGE - 1] = '\0';
	ahead += 8;
	turn();
	ctl_answer(the_waiting(), 0, NULL, "%s", buf);
	waiting = NULL;
	turn();
	ahead += wait;
	turn();
	for (int i = 0; i < TURNS && n != 0; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		n = recv(fd, buf, LARGE, MSG_DONTWAIT);
		if (n < 0 && errno == ECONNRESET)
			n = 0;
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(n, 0);
	close(fd);
	turn();
	free(buf);
	return len;
}

/* There is as much time to read an answer as to get one. */
static void who_does_not_read_is_left(void **state)
{
	(void)state;
	assert_true(read_late(9) > LARGE);
	assert_true(read_late(11) < LARGE);
}

static void a_client_may_leave(void **state)
{
	int fd = open_client();

	(void)state;
	close(fd);
	turn();
	fd = ask_later();
	close(fd);
	turn();
	ctl_answer(the_waiting(), 0, json_object(), "nobody reads this");
	turn();
}

static void a_command_may_end_after_the_server(void **state)
{
	int fd = ask_later();

	(void)state;
	ctl_server_stop(server, on_closed, &closed);
	server = NULL;
	assert_null(read_answer(fd));
	assert_int_equal(closed, 1);
	ctl_answer(the_waiting(), 0, json_object(), "too late");
}

static void the_socket_is_private(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(lstat(path_of("s"), &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void the_folder_is_made_private(void **state)
{
	char path[200];
	struct stat st;
	struct ctl_server *first = server;

	(void)state;
	snprintf(path, sizeof(path), "%s/new/s", dir);
	assert_int_equal(start(path, NULL), 0);
	assert_int_equal(lstat(path_of("new"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	ctl_server_stop(server, NULL, NULL);
	server = first;
	turn();
	assert_int_equal(rmdir(path_of("new")), 0);
}

static void a_live_socket_is_refused(void **state)
{
	(void)state;
	assert_int_equal(start(path_of("s"), "another privatecalld answers"),
			 EADDRINUSE);
	turn();
	asks("{\"argv\":[\"echo\"]}\n", 0, "1: echo\nsecond line");
}

static void bind_stale(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
}

static void a_stale_socket_is_replaced(void **state)
{
	struct ctl_server *first = server;
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s", path_of("stale"));
	bind_stale(path);
	assert_int_equal(start(path, NULL), 0);
	ctl_server_stop(server, NULL, NULL);
	turn();
	assert_int_equal(access(path, F_OK), -1);
	server = first;
}

/* A daemon that ends does not take away the socket of its successor. */
static void only_its_own_file_is_removed(void **state)
{
	struct ctl_server *first = server;
	char path[200];

	(void)state;
	snprintf(path, sizeof(path), "%s", path_of("moved"));
	assert_int_equal(start(path, NULL), 0);
	assert_int_equal(unlink(path), 0);
	bind_stale(path);
	ctl_server_stop(server, NULL, NULL);
	turn();
	assert_int_equal(unlink(path), 0);
	server = first;
}

/* Asked beforehand, it is the same answer, and nothing is made. */
static void a_path_is_checked(void **state)
{
	char path[200], *why;

	(void)state;
	assert_int_equal(ctl_path_check(path_of("new/s"), &why), 0);
	assert_int_equal(access(path_of("new"), F_OK), -1);
	assert_int_equal(ctl_path_check(path_of("s"), &why), 0);
	assert_int_equal(ctl_path_check("relative", &why), EINVAL);
	free(why);
	snprintf(path, sizeof(path), "%s", path_of("odd/s"));
	assert_int_equal(mkdir(path_of("odd"), 0700), 0);
	assert_int_equal(chmod(path_of("odd"), 0770), 0);
	assert_int_equal(ctl_path_check(path, &why), EPERM);
	assert_non_null(strstr(why, "chmod go-w"));
	free(why);
	assert_int_equal(rmdir(path_of("odd")), 0);
}

static void odd_files_are_refused(void **state)
{
	char path[200], folder[160];

	(void)state;
	snprintf(path, sizeof(path), "%s", path_of("odd"));
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_int_equal(start(path, "is a symbolic link"), ELOOP);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(start(path, "is no socket"), EEXIST);

	snprintf(folder, sizeof(folder), "%s", path_of("link"));
	assert_int_equal(symlink(path, folder), 0);
	strcat(strcpy(path, folder), "/s");
	assert_int_equal(start(path, "is a symbolic link"), ELOOP);
	unlink(folder);
	strcat(strcpy(folder, path_of("odd")), "/s");
	assert_int_equal(chmod(path_of("odd"), 0770), 0);
	assert_int_equal(start(folder, "chmod go-w"), EPERM);
	assert_int_equal(chmod(path_of("odd"), 0702), 0);
	assert_int_equal(start(folder, "chmod go-w"), EPERM);
	if (geteuid() == 0) {
		assert_int_equal(chmod(path_of("odd"), 0700), 0);
		assert_int_equal(chown(path_of("odd"), 65534, 65534), 0);
		assert_int_equal(start(folder, "belongs to another user"),
				 EPERM);
		assert_int_equal(chown(path_of("odd"), 0, 0), 0);
	}
	assert_int_equal(chmod(path_of("odd"), 01777), 0);
	assert_int_equal(start(folder, "odd/privatecall/control\""), EPERM);
	assert_int_equal(rmdir(path_of("odd")), 0);

	assert_int_equal(start("relative", "expected the full path"), EINVAL);
	assert_int_equal(start("/", "expected the full path"), EINVAL);
	assert_int_equal(start(path_of("no/such/s"), "cannot be made"),
			 ENOENT);
	memset(path, 'x', 150);
	path[0] = '/';
	path[150] = '\0';
	assert_int_equal(start(path, "at most 107 bytes"), ENAMETOOLONG);
}

static void wait_exit(pid_t pid, int expected)
{
	int status = -1;

	for (int i = 0; i < TURNS * 100; i++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

/* Even where the file's mode would let them in. */
static void other_users_are_refused(void **state)
{
	static const char expected[] = "only root and the user";
	char buf[512];
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(path_of("s"), 0666), 0);
	pid = fork();
	if (pid == 0) {
		ssize_t n;
		int fd;

		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		fd = open_client();
		n = read(fd, buf, sizeof(buf) - 1);
		buf[n > 0 ? n : 0] = '\0';
		_exit(strstr(buf, expected) ? 0 : 1);
	}
	wait_exit(pid, 0);
	turn();
	assert_int_equal(chmod(dir, 0700), 0);
}

/* Where it is; where it was not built the test is passed over. */
static const char *client_program(void)
{
	const char *top = getenv("top_builddir");
	static char program[1024];

	snprintf(program, sizeof(program), "%s/privatecallctl",
		 top ? top : ".");
	if (access(program, X_OK) != 0)
		skip();
	return program;
}

static bool no_errors;             /* only what goes to standard output */

/* Runs privatecallctl; *out_r gets what it wrote to both outputs. */
static void client(const char *const *args, int code, char *out, size_t size)
{
	const char *program = client_program();
	const char *argv[16] = { program, "--socket", path_of("s") };
	int pipes[2], n = getenv("PRIVATECALL_CONTROL") ? 1 : 3;
	pid_t pid;
	ssize_t len;

	for (; *args; args++)
		argv[n++] = *args;
	argv[n] = NULL;
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], 1);
		dup2(no_errors ? open("/dev/null", O_WRONLY) : pipes[1], 2);
		execv(program, (char *const *)(uintptr_t)argv);
		_exit(99);
	}
	close(pipes[1]);
	wait_exit(pid, code);
	len = read(pipes[0], out, size - 1);
	out[len > 0 ? len : 0] = '\0';
	close(pipes[0]);
}

static void the_client_prints_and_exits(void **state)
{
	static const char *const echo[] = { "echo", "--x", NULL };
	static const char *const json[] = { "--json", "echo", NULL };
	static const char *const json_last[] = { "echo", "--json", NULL };
	static const char *const call[] = { "call", "7", NULL };
	static const char *const bad[] = { "nothing", NULL };
	static const char *const option[] = { "--nothing", NULL };
	static const char *const none[] = { NULL };
	static const char *const absent[] = { "--socket", "/nonexistent/s",
					      "status", NULL };
	char out[1024];

	(void)state;
	client(echo, 0, out, sizeof(out));
	assert_string_equal(out, "2: --x\nsecond line\n");
	client(json, 0, out, sizeof(out));
	assert_string_equal(out, "{\n  \"argc\": 1,\n  \"last\": \"echo\"\n}"
			    "\n");
	client(json_last, 0, out, sizeof(out));
	assert_string_equal(out, "{\n  \"argc\": 1,\n  \"last\": \"echo\"\n}"
			    "\n");
	client(call, 3, out, sizeof(out));
	assert_string_equal(out, "no call 7?[2J\n");
	client(bad, 2, out, sizeof(out));
	assert_string_equal(out, "no such command: see `help'\n");
	client(option, 2, out, sizeof(out));
	client(none, 2, out, sizeof(out));
	client(absent, 4, out, sizeof(out));
	assert_string_equal(out, "privatecallctl: privatecalld cannot be "
			    "reached at /nonexistent/s: it is not running "
			    "there (--socket names another place)\n");
}

/* What a peer has sent does not steer the terminal; what is long comes whole;
 * what went wrong is no output. */
static void the_client_shows_texts(void **state)
{
	static const char *const signs[] = { "echo", "a\xc2\x9b" "b\x7f\xc3\xa4"
					     "\r\tc", NULL };
	static const char *const call[] = { "call", "7", NULL };
	static char word[12001], out[65536], expected[12100];
	const char *const large[] = { "echo", word, NULL };

	(void)state;
	client(signs, 0, out, sizeof(out));
	assert_string_equal(out, "2: a?b?\xc3\xa4?\tc\nsecond line\n");
	memset(word, 'x', sizeof(word) - 1);
	client(large, 0, out, sizeof(out));
	snprintf(expected, sizeof(expected), "2: %s\nsecond line\n", word);
	assert_string_equal(out, expected);
	no_errors = true;
	client(call, 3, out, sizeof(out));
	no_errors = false;
	assert_string_equal(out, "");
}

/* Answers one client with these words; its process. */
static pid_t answer_once(const char *words)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), client_fd;
	char buf[1024];
	ssize_t n;
	pid_t pid;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path_of("other"));
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);  /* nobody may come */
		client_fd = accept(fd, NULL, NULL);
		n = read(client_fd, buf, sizeof(buf));
		_exit(n <= 0 || write(client_fd, words, strlen(words)) !=
		      (ssize_t)strlen(words));
	}
	close(fd);
	return pid;
}

static void the_client_doubts_answers(void **state)
{
	static const struct { const char *words; int code; } answers[] = {
		{ "", 4 }, { "{\"code\":7,\"text\":\"x\"}", 1 },
		{ "{\"code\":-1,\"text\":\"x\"}", 1 },
		{ "{\"code\":256,\"text\":\"x\"}", 1 },
		{ "{\"code\":2,\"text\":\"x\"}", 2 }, { "{\"code\":0}", 1 },
		{ "{\"code\":\"0\",\"text\":\"x\"}", 1 }, { "no", 1 },
	};
	static const char *const status[] = { "status", NULL };
	char out[1024];

	(void)state;
	client_program();
	setenv("PRIVATECALL_CONTROL", path_of("other"), 1);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		pid_t pid = answer_once(answers[i].words);

		client(status, answers[i].code, out, sizeof(out));
		wait_exit(pid, 0);
		if (i == 0)
			assert_non_null(strstr(out, "without an answer"));
		unlink(path_of("other"));
	}
	unsetenv("PRIVATECALL_CONTROL");
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_ctl.XXXXXX");
	umask(0);
	signal(SIGPIPE, SIG_IGN);
	/* libuv opens something for all loops with the first. */
	if (uv_loop_init(&loop) || uv_loop_close(&loop))
		return -1;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_command_answers),
		TEST(a_request_may_come_in_pieces),
		TEST(wrong_usage_is_told),
		TEST(bad_requests_are_refused),
		TEST(too_many_words_are_refused),
		TEST(an_oversized_request_is_refused),
		TEST(too_many_connections_are_refused),
		TEST(an_answer_may_come_later),
		TEST(a_text_that_is_no_utf8_is_told),
		TEST(silence_is_ended),
		TEST(a_slow_command_is_told_and_may_end_late),
		TEST(a_connection_has_one_request),
		TEST(who_does_not_read_is_left),
		TEST(a_client_may_leave),
		TEST(a_command_may_end_after_the_server),
		TEST(the_socket_is_private),
		TEST(the_folder_is_made_private),
		TEST(a_live_socket_is_refused),
		TEST(a_stale_socket_is_replaced),
		TEST(only_its_own_file_is_removed),
		TEST(a_path_is_checked),
		TEST(odd_files_are_refused),
		TEST(other_users_are_refused),
		TEST(the_client_prints_and_exits),
		TEST(the_client_shows_texts),
		TEST(the_client_doubts_answers),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
