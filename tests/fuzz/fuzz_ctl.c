/* fuzz_ctl.c: any bytes as a request to the control socket. A whole line is
 * answered once, by one JSON object with a code from 0 to 3 and a text; a
 * client that leaves is let go, also one whose answer comes later. First byte:
 * '0' the end is cut off, '1' not; its other bits: enum how.
 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "mod_privatecall/admin/ctl.h"

#define SENT_MAX 20000             /* over the limit of a request */
#define BLANKS (16384 - 100)
#define TURNS 1000
#define LATER 5                    /* turns until a late answer */
#define FULL 32                    /* connections that the server takes */

enum how {
	IN_TWO = 2,                /* the request comes in two pieces */
	LEAVES = 4,                /* the client is gone when it is answered,
				      with IN_TWO the server as well */
	SLOW = 16,                 /* 11 s pass, with what is cut off to come */
	LONG = 32,                 /* blanks before it, nearly to the limit */
	ANEW = 8,                  /* the server begins anew before it */
	LEFT = 0xc0                /* ... and finds what a dead one left (0x40),
				      a file (0x80), or both are one */
};

static uv_loop_t loop;
static struct ctl_server *server;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static unsigned commands_run;
static struct ctl_request *owed;   /* a late answer */

static void run_words(struct ctl_request *r, int argc, char **argv, void *arg)
{
	json_t *words = json_array();
	int i;

	(void)arg;
	commands_run++;
	for (i = 0; i < argc; i++)
		json_array_append_new(words, json_string(argv[i]));
	assert(!argv[argc]);
	ctl_answer(r, argc % 4, json_pack("{s:o}", "words", words), "%s",
		   argv[argc - 1]);
}

static time_t ahead;               /* s that have passed by themselves */

int clock_gettime(clockid_t id, struct timespec *now)
{
	int rc = (int)syscall(SYS_clock_gettime, id, now);

	if (id != CLOCK_REALTIME)
		now->tv_sec += ahead;
	return rc;
}

/* Its answer is none that JSON can hold. */
static void run_later(struct ctl_request *r, int argc, char **argv, void *arg)
{
	(void)argc;
	(void)argv;
	(void)arg;
	assert(!owed);
	commands_run++;
	owed = r;
}

static void answer_owed(void)
{
	struct ctl_request *r = owed;

	owed = NULL;
	if (r)
		ctl_answer(r, 1, json_null(), "%s", "\xff");
}

static const struct ctl_command commands[] = {
	{ "calls", "calls", "lists calls", 0, 0, run_words },
	{ "user", "user JID [NAME VALUE]", "one user", 1, 3, run_words },
	{ "later", "later", "answers late", 0, 0, run_later },
	{ "words", "words [WORD]...", "takes all", 0, 63, run_words },
	{ .name = NULL }
};

static char dir[] = "/tmp/privatecall-fuzz-XXXXXX";

static void clean(void)
{
	unlink(address.sun_path);
	rmdir(dir);
}

static void start(void)
{
	char *why;

	assert(mkdtemp(dir));
	atexit(clean);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control",
		 dir);
	signal(SIGPIPE, SIG_IGN);
	assert(!uv_loop_init(&loop));
	assert(!ctl_server_start(&loop, address.sun_path, commands, NULL,
				 &server, &why));
}

static int new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert(fd >= 0);
	return fd;
}

static void on_stopped(void *arg)
{
	*(bool *)arg = true;
}

/* With what is owed still owed, or answered in between. */
static void stop(bool answers)
{
	bool stopped = false;

	ctl_server_stop(server, on_stopped, &stopped);
	if (answers)
		answer_owed();
	while (!stopped)
		uv_run(&loop, UV_RUN_NOWAIT);
	answer_owed();
	assert(access(address.sun_path, F_OK));
}

/* What is no socket of a dead one is not replaced. */
static void not_started(int err)
{
	struct ctl_server *none;
	char *why = NULL;

	assert(ctl_server_start(&loop, address.sun_path, commands, NULL, &none,
				&why) == err);
	assert(why && !strchr(why, '\n'));
	free(why);
}

static void start_anew(unsigned left)
{
	char *why;
	int fd = -1;

	if (left == LEFT)
		not_started(EADDRINUSE);
	stop(left == 0x80);
	if (left == 0x40) {
		fd = new_socket();
		assert(!bind(fd, (struct sockaddr *)&address, sizeof(address)));
	} else if (left == 0x80) {
		fd = open(address.sun_path, O_CREAT | O_WRONLY, 0600);
		not_started(EEXIST);
		unlink(address.sun_path);
	}
	close(fd);
	assert(!ctl_server_start(&loop, address.sun_path, commands, NULL,
				 &server, &why));
}

static int open_client(void)
{
	int fd = new_socket();

	assert(!connect(fd, (struct sockaddr *)&address, sizeof(address)));
	return fd;
}

static void check_answer(const char *text, size_t len)
{
	json_t *answer = json_loadb(text, len, 0, NULL);
	json_int_t code = json_integer_value(json_object_get(answer, "code"));

	assert(json_is_object(answer));
	assert(json_is_integer(json_object_get(answer, "code")));
	assert(code >= 0 && code <= 3);
	assert(json_is_string(json_object_get(answer, "text")));
	json_decref(answer);
}

/* What was answered before, for a line ended there, may be closed. */
static void put(int fd, const char *text, size_t len, bool first)
{
	ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

	assert(n == (ssize_t)len || (!first && n < 0 && errno == EPIPE));
}

/* The request is taken, the client is not there any more. */
static void ask_and_leave(int fd, unsigned how)
{
	unsigned turns;

	for (turns = 0; turns < LATER; turns++)
		uv_run(&loop, UV_RUN_NOWAIT);
	close(fd);
	for (turns = 0; turns < LATER; turns++)
		uv_run(&loop, UV_RUN_NOWAIT);
	if (how & IN_TWO)
		start_anew(how & LEFT);
	answer_owed();
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void ask(const char *text, size_t len, bool whole, unsigned how)
{
	static char answer[1 << 17];
	unsigned turns, before = commands_run;
	size_t used = 0, first = how & IN_TWO ? len / 2 : 0;
	ssize_t n = -1;
	int fd = open_client();

	if (first) {
		put(fd, text, first, true);
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	put(fd, text + first, len - first, !first);
	if (!whole && !(how & SLOW))
		shutdown(fd, SHUT_WR);
	if (how & LEAVES) {
		ask_and_leave(fd, how);
		return;
	}
	for (turns = 0; n != 0 && turns < TURNS; turns++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		if (how & SLOW && turns == LATER)
			ahead += 11;
		if (turns > 2 * LATER)
			answer_owed();
		n = recv(fd, answer + used, sizeof(answer) - used, 0);
		used += n > 0 ? (size_t)n : 0;
		if (n < 0 && errno == ECONNRESET)
			n = 0;
	}
	assert(n == 0 && commands_run <= before + 1);
	/* What is over the limit and unread may reset the connection. */
	if (used || ((whole || how & SLOW) && len < 16384))
		check_answer(answer, used);
	close(fd);
	answer_owed();
	uv_run(&loop, UV_RUN_NOWAIT);
}

/* As many as it takes, and one more, which is told so. */
static void ask_when_full(void)
{
	char answer[256];
	int fd[FULL + 1], i;
	ssize_t n;

	for (i = 0; i <= FULL; i++) {
		fd[i] = open_client();
		uv_run(&loop, UV_RUN_NOWAIT);
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	n = recv(fd[FULL], answer, sizeof(answer) - 1, 0);
	assert(n > 0);
	check_answer(answer, (size_t)n);
	for (i = 0; i <= FULL; i++)
		close(fd[i]);
	uv_run(&loop, UV_RUN_NOWAIT);
	uv_run(&loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[SENT_MAX + 1];
	size_t blanks;
	unsigned how;
	bool whole;

	if (size < 1 || size > SENT_MAX - BLANKS)
		return 0;
	if (!server)
		start();
	how = data[0] ^ '0';
	whole = how & 1;
	if (how & ANEW)
		start_anew(how & LEFT);
	if ((how & ANEW) && (how & LEAVES))
		ask_when_full();
	blanks = how & LONG ? BLANKS : 0;
	memset(text, ' ', blanks);
	memcpy(text + blanks, data + 1, size - 1);
	text[blanks + size - 1] = '\n';
	ask(text, blanks + size - !whole, whole, how);
	return 0;
}
