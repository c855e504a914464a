/* ctl.h: the control socket: one request line, one answer, per connection.
 *
 * Wire: the client sends one line of JSON {"argv":["calls"],"json":false}
 * (jansson); the daemon answers one JSON object {"code":0,"text":"...",
 * "data":{...}} and closes. privatecallctl prints text, or data with --json,
 * and exits with code. Socket 0600 in a 0700 directory; the peer's uid must be
 * ours or root (SO_PEERCRED).
 */
#ifndef MOD_PRIVATECALL_ADMIN_CTL_H
#define MOD_PRIVATECALL_ADMIN_CTL_H

#include <jansson.h>
#include <uv.h>

struct ctl_server;
struct ctl_request;                /* one waiting connection */

/* A command, run on the loop. It answers now or later, exactly once, by
 * ctl_answer(). argv[0] is the command's name. */
typedef void ctl_command_h(struct ctl_request *r, int argc, char **argv,
			   void *arg);
struct ctl_command {
	const char *name;
	const char *usage;         /* "hangup ID" */
	const char *help;          /* one line */
	int min_args, max_args;    /* without the name */
	ctl_command_h *run_h;
};

/* Listens. A stale socket file of a dead daemon is replaced, a live one is
 * EADDRINUSE. Limits: 32 connections, 16 KiB per request, 10 s each. The table
 * ends with name NULL and must outlive the server; "help" is built in. The
 * process must ignore SIGPIPE. 0, EADDRINUSE or another errno; *why_r gets a
 * line with the remedy (free() it), or NULL when out of memory. */
int ctl_server_start(uv_loop_t *loop, const char *path,
		     const struct ctl_command *commands, void *arg,
		     struct ctl_server **s_r, char **why_r);
/* Closes all; `closed_h`, if any, runs when the loop has let go of it. A
 * command may still call ctl_answer() after that: nobody reads it. */
void ctl_server_stop(struct ctl_server *s, void (*closed_h)(void *), void *arg);

/* Would the server take this path? Makes nothing. 0, or an errno and the line
 * as above. */
int ctl_path_check(const char *path, char **why_r);

/* Exit codes: 0 done, 1 failed, 2 usage, 3 no such thing. `data` is stolen,
 * may be NULL; text ends without newline, may have several lines. */
void ctl_answer(struct ctl_request *r, int code, json_t *data,
		const char *text_fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
