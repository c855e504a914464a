/* fuzz_ctl.c: any bytes as a request to the control socket. A whole line is
 * answered once, by one JSON object with a code from 0 to 3 and a text; a
 * client that leaves is let go. First byte: whether the end is cut off.
 */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "mod_privatecall/admin/ctl.h"

#define SENT_MAX 20000             /* over the limit of a request */
#define TURNS 1000

static uv_loop_t loop;
static struct ctl_server *server;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static unsigned commands_run;

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

static const struct ctl_command commands[] = {
	{ "calls", "calls", "lists calls", 0, 0, run_words },
	{ "user", "user JID [NAME VALUE]", "one user", 1, 3, run_words },
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

static int open_client(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert(fd >= 0);
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

static void ask(const char *text, size_t len, bool whole)
{
	static char answer[1 << 17];
	unsigned turns, before = commands_run;
	size_t used = 0;
	ssize_t n = -1;
	int fd = open_client();

	assert(send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len);
	if (!whole)
		shutdown(fd, SHUT_WR);
	for (turns = 0; n != 0 && turns < TURNS; turns++) {
		uv_run(&loop, UV_RUN_NOWAIT);
		n = recv(fd, answer + used, sizeof(answer) - used, 0);
		used += n > 0 ? (size_t)n : 0;
		if (n < 0 && errno == ECONNRESET)
			n = 0;
	}
	assert(n == 0 && commands_run <= before + 1);
	/* What is over the limit and unread may reset the connection. */
	if (whole && (used || len < 16384))
		check_answer(answer, used);
	close(fd);
	uv_run(&loop, UV_RUN_NOWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[SENT_MAX + 1];
	bool whole;

	if (size < 1 || size > SENT_MAX)
		return 0;
	if (!server)
		start();
	whole = data[0] & 1;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\n';
	ask(text, whole ? size : size - 1, whole);
	return 0;
}
