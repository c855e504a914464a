/* ctl.c: the control socket: reads one request line, runs its command, writes
 * one answer. A request outlives its connection when the client is gone
 * before the command has answered.
 */
#include "mod_privatecall/admin/ctl.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mod_privatecall/admin/private.h"

#define CONNECTIONS_MAX 32
#define REQUEST_MAX ((size_t)16384)        /* bytes, with the newline */
#define REQUEST_TIME 10000                 /* ms, to read and to answer */
#define ARGS_MAX 64

struct ctl_server {
	uv_loop_t *loop;
	uv_pipe_t pipe;
	struct ctl_file file;
	const struct ctl_command *commands;
	void *arg;                 /* of the commands */
	struct ctl_request *requests;      /* those with a connection */
	unsigned n_requests;
	bool stopping;
	unsigned n_open;           /* handles not closed yet */
	void (*closed_h)(void *arg);
	void *closed_arg;
};

struct ctl_request {
	struct ctl_server *server; /* NULL: the connection is gone */
	struct ctl_request *next, *prev;
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_write_t write;
	unsigned n_open;           /* handles not closed yet */
	bool closing;
	bool running;              /* the command owes an answer */
	bool answered;
	char *answer;
	char *argv[ARGS_MAX + 1];  /* ends with NULL */
	size_t len;
	char buf[REQUEST_MAX];
};

static void server_handle_closed(struct ctl_server *s)
{
	void (*closed_h)(void *) = s->closed_h;
	void *arg = s->closed_arg;

	if (--s->n_open > 0)
		return;
	free(s);
	if (closed_h)
		closed_h(arg);
}

static void request_free(struct ctl_request *r)
{
	for (size_t i = 0; i < ARGS_MAX; i++)
		free(r->argv[i]);
	free(r->answer);
	free(r);
}

static void on_request_closed(uv_handle_t *h)
{
	struct ctl_request *r = h->data;
	struct ctl_server *s = r->server;

	if (--r->n_open > 0)
		return;
	r->server = NULL;
	if (!r->running)
		request_free(r);
	server_handle_closed(s);
}

static void request_close(struct ctl_request *r)
{
	struct ctl_server *s = r->server;

	if (r->closing)
		return;
	r->closing = true;
	if (r->next)
		r->next->prev = r->prev;
	if (r->prev)
		r->prev->next = r->next;
	else
		s->requests = r->next;
	s->n_requests--;
	uv_close((uv_handle_t *)&r->pipe, on_request_closed);
	uv_close((uv_handle_t *)&r->timer, on_request_closed);
}

static void on_timeout(uv_timer_t *timer);

static void on_written(uv_write_t *w, int status)
{
	(void)status;
	request_close(w->data);
}

/* Sends the answer and closes; an answer without memory is a closed line. */
static void request_send(struct ctl_request *r, int code, json_t *data,
			 const char *text)
{
	json_t *text_j = json_string(text);
	json_t *answer;
	uv_buf_t buf;

	if (!text_j)
		text_j = json_string("the answer is no UTF-8");
	answer = json_pack("{s:i, s:o}", "code", code, "text", text_j);
	if (data && answer)
		json_object_set_new(answer, "data", data);
	else
		json_decref(data);
	r->answered = true;
	r->answer = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	uv_read_stop((uv_stream_t *)&r->pipe);
	if (!r->answer) {
		request_close(r);
		return;
	}
	uv_timer_start(&r->timer, on_timeout, REQUEST_TIME, 0);
	r->write.data = r;
	buf = uv_buf_init(r->answer, (unsigned)strlen(r->answer));
	if (uv_write(&r->write, (uv_stream_t *)&r->pipe, &buf, 1,
		     on_written) != 0)
		request_close(r);
}

void ctl_answer(struct ctl_request *r, int code, json_t *data,
		const char *text_fmt, ...)
{
	char *text;
	va_list ap;

	assert(r->running);
	r->running = false;
	if (!r->server) {
		json_decref(data);
		request_free(r);
		return;
	}
	if (r->closing || r->answered) {
		json_decref(data);
		return;
	}
	va_start(ap, text_fmt);
	if (vasprintf(&text, text_fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	request_send(r, code, data, text ? text : "out of memory");
	free(text);
}

static const struct ctl_command *find_command(const struct ctl_server *s,
					      const char *name)
{
	for (const struct ctl_command *c = s->commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int help_width(const struct ctl_server *s)
{
	size_t width = strlen("help [COMMAND]");

	for (const struct ctl_command *c = s->commands; c->name; c++)
		if (strlen(c->usage) > width)
			width = strlen(c->usage);
	return (int)width;
}

static void help_add(json_t *list, FILE *out, int width, const char *usage,
		     const char *help)
{
	json_array_append_new(list, json_pack("{s:s, s:s}", "usage", usage,
					      "help", help));
	fprintf(out, "%s%-*s  %s", ftell(out) > 0 ? "\n" : "", width, usage,
		help);
}

/* All commands, or the one named. */
static void run_help(struct ctl_request *r, const char *name)
{
	const struct ctl_server *s = r->server;
	json_t *list = json_array();
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int width = name ? 0 : help_width(s);

	if (!out || !list) {
		if (out)
			fclose(out);
		free(text);
		json_decref(list);
		request_send(r, 1, NULL, "out of memory");
		return;
	}
	for (const struct ctl_command *c = s->commands; c->name; c++)
		if (!name || strcmp(name, c->name) == 0)
			help_add(list, out, width, c->usage, c->help);
	if (!name || strcmp(name, "help") == 0)
		help_add(list, out, width, "help [COMMAND]",
			 "lists the commands");
	fclose(out);
	if (json_array_size(list) > 0) {
		request_send(r, 0, json_pack("{s:o}", "commands", list), text);
	} else {
		json_decref(list);
		request_send(r, 3, NULL, "no such command: see `help'");
	}
	free(text);
}

static void run_command(struct ctl_request *r, int argc)
{
	const struct ctl_command *c = find_command(r->server, r->argv[0]);
	char text[512];

	if (!c && strcmp(r->argv[0], "help") == 0 && argc <= 2) {
		run_help(r, argc == 2 ? r->argv[1] : NULL);
	} else if (!c) {
		request_send(r, 2, NULL, "no such command: see `help'");
	} else if (argc - 1 < c->min_args || argc - 1 > c->max_args) {
		snprintf(text, sizeof(text), "usage: %s", c->usage);
		request_send(r, 2, NULL, text);
	} else {
		r->running = true;
		c->run_h(r, argc, r->argv, r->server->arg);
	}
}

/* The words of the request; 0: it is none. */
static int take_argv(struct ctl_request *r, const json_t *request)
{
	const json_t *argv = json_object_get(request, "argv");
	size_t n = json_array_size(argv);

	if (n == 0 || n > ARGS_MAX)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const char *word = json_string_value(json_array_get(argv, i));

		if (!word)
			return 0;
		r->argv[i] = strdup(word);
		if (!r->argv[i])
			return 0;
	}
	return (int)n;
}

static void take_request(struct ctl_request *r, size_t len)
{
	json_t *request = json_loadb(r->buf, len, JSON_REJECT_DUPLICATES,
				     NULL);
	int argc = take_argv(r, request);

	json_decref(request);
	uv_read_stop((uv_stream_t *)&r->pipe);
	if (argc == 0)
		request_send(r, 2, NULL, "expected a line of JSON: "
			     "{\"argv\": [\"COMMAND\", ...]}");
	else
		run_command(r, argc);
}

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
	struct ctl_request *r = h->data;

	(void)size;
	*buf = uv_buf_init(r->buf + r->len, (unsigned)(REQUEST_MAX - r->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct ctl_request *r = stream->data;
	const char *end;

	(void)buf;
	if (n < 0) {
		request_close(r);
		return;
	}
	end = memchr(r->buf + r->len, '\n', (size_t)n);
	r->len += (size_t)n;
	if (end)
		take_request(r, (size_t)(end - r->buf));
	else if (r->len == REQUEST_MAX)
		request_send(r, 1, NULL, "the request is over 16 KiB");
}

static void on_timeout(uv_timer_t *timer)
{
	struct ctl_request *r = timer->data;

	if (r->answered)
		request_close(r);
	else
		request_send(r, 1, NULL, r->running ?
			     "no answer within 10 s" :
			     "no request within 10 s");
}

static void request_start(struct ctl_request *r, bool full)
{
	uv_os_fd_t fd;

	uv_timer_start(&r->timer, on_timeout, REQUEST_TIME, 0);
	if (uv_fileno((uv_handle_t *)&r->pipe, &fd) != 0)
		request_close(r);
	else if (!ctl_peer_allowed(fd))
		request_send(r, 1, NULL, "only root and the user privatecalld "
			     "runs as may give commands");
	else if (full)
		request_send(r, 1, NULL, "too many connections, try again");
	else if (uv_read_start((uv_stream_t *)&r->pipe, on_alloc,
			       on_read) != 0)
		request_close(r);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct ctl_server *s = stream->data;
	bool full = s->n_requests >= CONNECTIONS_MAX;
	struct ctl_request *r;

	if (status != 0 || s->stopping)
		return;
	r = calloc(1, sizeof(*r));
	if (!r)
		return;
	r->server = s;
	uv_pipe_init(s->loop, &r->pipe, 0);
	uv_timer_init(s->loop, &r->timer);
	r->pipe.data = r;
	r->timer.data = r;
	r->n_open = 2;
	s->n_open++;
	s->n_requests++;
	r->next = s->requests;
	if (r->next)
		r->next->prev = r;
	s->requests = r;
	if (uv_accept(stream, (uv_stream_t *)&r->pipe) != 0)
		request_close(r);
	else
		request_start(r, full);
}

static void on_server_closed(uv_handle_t *h)
{
	struct ctl_server *s = h->data;

	server_handle_closed(s);
}

static int listen_on(struct ctl_server *s, int fd)
{
	int err = uv_pipe_open(&s->pipe, fd);

	if (err != 0) {
		close(fd);
		return -err;
	}
	return -uv_listen((uv_stream_t *)&s->pipe, CONNECTIONS_MAX,
			  on_connection);
}

int ctl_server_start(uv_loop_t *loop, const char *path,
		     const struct ctl_command *commands, void *arg,
		     struct ctl_server **s_r, char **why_r)
{
	struct ctl_server *s = calloc(1, sizeof(*s));
	int fd, err;

	*why_r = NULL;
	if (!s)
		return ENOMEM;
	err = ctl_file_bind(path, &fd, &s->file, why_r);
	if (err) {
		free(s);
		return err;
	}
	s->loop = loop;
	s->commands = commands;
	s->arg = arg;
	s->n_open = 1;
	uv_pipe_init(loop, &s->pipe, 0);
	s->pipe.data = s;
	err = listen_on(s, fd);
	if (err) {
		if (asprintf(why_r, "control socket: %s: %s", path,
			     strerror(err)) < 0)
			*why_r = NULL;
		ctl_server_stop(s, NULL, NULL);
		return err;
	}
	*s_r = s;
	return 0;
}

void ctl_server_stop(struct ctl_server *s, void (*closed_h)(void *), void *arg)
{
	struct ctl_request *r, *next;

	assert(!s->stopping);
	s->stopping = true;
	s->closed_h = closed_h;
	s->closed_arg = arg;
	ctl_file_remove(&s->file);
	for (r = s->requests; r; r = next) {
		next = r->next;
		request_close(r);
	}
	uv_close((uv_handle_t *)&s->pipe, on_server_closed);
}
