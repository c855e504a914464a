/* privatecallctl.c: the client of the control socket. It knows no command: it
 * sends its words to the daemon and prints what comes back.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define DEFAULT_SOCKET "/run/privatecall/control"
#define ANSWER_MAX ((size_t)64 << 20)
#define ANSWER_TIME 15                     /* s without a byte */
#define EXIT_USAGE 2
#define EXIT_UNREACHABLE 4

static const char usage_text[] =
	"usage: privatecallctl [--socket PATH] [--json] COMMAND [ARGUMENT]...\n"
	"       privatecallctl --help | --version\n"
	"`privatecallctl help' lists the commands of the running "
	"privatecalld.\n";

static const char help_text[] =
	"  --socket PATH  the control socket, " DEFAULT_SOCKET "\n"
	"                 or $PRIVATECALL_CONTROL\n"
	"  --json         prints the answer's data as JSON\n"
	"exit: 0 done, 1 failed, 2 usage, 3 no such thing, "
	"4 privatecalld not reachable\n";

struct options {
	const char *socket;
	bool json;
};

static int unreachable(const char *path, const char *what)
{
	fprintf(stderr, "privatecallctl: privatecalld cannot be reached at "
		"%s: %s\n", path, what);
	return -1;
}

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = ANSWER_TIME };
	int fd;

	if (strlen(path) >= sizeof(a.sun_path))
		return unreachable(path, "the path is too long");
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return unreachable(path, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		unreachable(path, "it is not running there (--socket names "
			    "another place)");
	else if (errno == EACCES)
		unreachable(path, "permission denied; be root or the user it "
			    "runs as");
	else
		unreachable(path, strerror(errno));
	close(fd);
	return -1;
}

/* The request line, to be freed; NULL: a word is no UTF-8, or no memory. */
static char *make_request(int argc, char **argv, bool json)
{
	json_t *words = json_array(), *request;
	char *text, *line = NULL;

	for (int i = 0; i < argc; i++)
		if (json_array_append_new(words, json_string(argv[i])) != 0) {
			json_decref(words);
			return NULL;
		}
	request = json_pack("{s:o, s:b}", "argv", words, "json", (int)json);
	text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	json_decref(request);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

/* An error is left to the reading: the daemon may have said why it closed. */
static void send_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		text += n;
		left -= (size_t)n;
	}
}

/* All until the daemon closes; NULL and errno when it does not. */
static char *read_all(int fd, size_t *len_r)
{
	size_t cap = 4096, len = 0;
	char *buf = malloc(cap), *longer;
	ssize_t n = 1;

	while (buf && n != 0) {
		n = read(fd, buf + len, cap - len);
		if (n < 0 && errno == ECONNRESET && len > 0)
			n = 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || len + (size_t)n > ANSWER_MAX) {
			int err = n < 0 ? errno : EFBIG;

			free(buf);
			errno = err;
			return NULL;
		}
		len += (size_t)n;
		if (len == cap) {
			cap *= 2;
			longer = realloc(buf, cap);
			if (!longer)
				free(buf);
			buf = longer;
		}
	}
	*len_r = len;
	return buf;
}

/* Texts may hold what a peer has sent: nothing may steer the terminal. */
static void print_text(FILE *out, const char *text)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p; p++) {
		bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f ||
		    c1)
			putc('?', out);
		else
			putc(*p, out);
		p += c1;
	}
	if (*text)
		putc('\n', out);
}

static void print_json(const json_t *answer)
{
	const json_t *data = json_object_get(answer, "data");

	json_dumpf(data ? data : answer, stdout, JSON_INDENT(2) |
		   JSON_ENSURE_ASCII);
	putchar('\n');
}

/* Prints the answer; the exit code. */
static int show(const json_t *answer, bool json)
{
	const json_t *code_j = json_object_get(answer, "code");
	const char *text = json_string_value(json_object_get(answer, "text"));
	json_int_t code = json_integer_value(code_j);

	if (!json_is_integer(code_j) || !text) {
		fputs("privatecallctl: the answer is not understood; is "
		      "privatecalld of the same version?\n", stderr);
		return EXIT_FAILURE;
	}
	if (json)
		print_json(answer);
	else
		print_text(code == 0 ? stdout : stderr, text);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "privatecallctl: cannot write: %s\n",
			strerror(errno));
		return EXIT_FAILURE;
	}
	return code >= 0 && code <= 3 ? (int)code : EXIT_FAILURE;
}

static int ask(int fd, const char *request, const struct options *o)
{
	json_t *answer;
	char *text;
	size_t len = 0;
	int code;

	send_all(fd, request);
	text = read_all(fd, &len);
	if (!text || len == 0) {
		unreachable(o->socket, text ? "it closed without an answer" :
			    errno == EAGAIN ? "no answer in time" :
			    strerror(errno));
		free(text);
		return EXIT_UNREACHABLE;
	}
	answer = json_loadb(text, len, 0, NULL);
	code = show(answer, o->json);
	json_decref(answer);
	free(text);
	return code;
}

static int run(int argc, char **argv, const struct options *o)
{
	char *request = make_request(argc, argv, o->json);
	int fd, code;

	if (!request) {
		fputs("privatecallctl: expected words in UTF-8\n", stderr);
		return EXIT_USAGE;
	}
	fd = connect_to(o->socket);
	code = fd < 0 ? EXIT_UNREACHABLE : ask(fd, request, o);
	if (fd >= 0)
		close(fd);
	free(request);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 }
	};
	const char *env = getenv("PRIVATECALL_CONTROL");
	struct options o = { .socket = env && *env ? env : DEFAULT_SOCKET };
	int c;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			o.socket = optarg;
			break;
		case 'j':
			o.json = true;
			break;
		case 'h':
			printf("%s%s", usage_text, help_text);
			return EXIT_SUCCESS;
		case 'v':
			puts("privatecallctl " PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (argc > optind && strcmp(argv[argc - 1], "--json") == 0) {
		o.json = true;
		argc--;
	}
	if (optind == argc) {
		fputs(usage_text, stderr);
		return EXIT_USAGE;
	}
	return run(argc - optind, argv + optind, &o);
}
