/* process.h: the daemon as a child process of the bench: its configuration,
 * its control socket, its CPU time. For signalling.c.
 */
#ifndef TESTS_BENCH_PROCESS_H
#define TESTS_BENCH_PROCESS_H

#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include "tests/bench/clients.h"

#define PER_MINUTE 1000            /* proposes of one user */
#define FINISH_MS 5000             /* over any finish_delay */
#define LINGER_MS 60000            /* over CALL_LINGER_MS */
#define SETTLE_TRIES 4000

struct process {
	pid_t pid;
	pid_t media;               /* privatecall-media; 0: mode `direct` */
	clockid_t clock;           /* CPU of all its threads */
	char dir[64], control[80]; /* short: a socket path has a limit */
};

static int listen_on(unsigned *port_r)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(fd, 1) || getsockname(fd, (struct sockaddr *)&a, &len))
		die("cannot listen on the loopback");
	*port_r = ntohs(a.sin_port);
	return fd;
}

/* All as configured by default but the limits that bench users would hit, and
 * the log, which is kept for a day so that a long run is not one of a growing
 * database. */
static void write_conf(const struct process *p, const char *file,
		       unsigned port)
{
	FILE *f = fopen(file, "w");

	if (!f)
		die("cannot write in the folder");
	fprintf(f, "domain = \"" OURS "\"\nserver = \"127.0.0.1\"\n"
		"port = %u\nsecret = \"secret\"\ndatabase = \"%s/db\"\n"
		"control_socket = \"%s\"\nmax_calls = 100000\n"
		"pair_per_minute = %d\ncaller_per_minute = %d\n"
		"keep_log = 1d\nmedia = %s\n", port, p->dir, p->control,
		PER_MINUTE, PER_MINUTE, p->media ? "room" : "direct");
	if (p->media)
		fprintf(f, "media_socket = \"%s/run/media\"\n", p->dir);
	fclose(f);
	chmod(file, 0600);
}

/* In the child: becomes the daemon; with `callgrind`, under valgrind, which
 * writes what it counted to that file. */
static void run_daemon(const char *conf, const char *callgrind)
{
	char self[4096] = "", file[4200];

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		_exit(127);
	snprintf(file, sizeof(file), "--callgrind-out-file=%s", callgrind ?
		 callgrind : "");
	if (callgrind)
		execlp("valgrind", "valgrind", "--tool=callgrind", file, self,
		       "--config", conf, (char *)NULL);
	else
		execl(self, "privatecalld", "--config", conf, (char *)NULL);
	_exit(127);
}

/* privatecall-media, for as many calls. */
static void start_media(struct process *p, const char *log, unsigned calls)
{
	const char *build = getenv("top_builddir");
	char program[512], path[96], most[16];
	int tries;

	snprintf(program, sizeof(program), "%s/privatecall-media", build ?
		 build : "build");
	snprintf(path, sizeof(path), "%s/run/media", p->dir);
	snprintf(most, sizeof(most), "%u", calls);
	p->media = fork();
	if (p->media == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
		execl(program, program, "--address", "127.0.0.1", "--port",
		      "0", "--socket", path, "--max-calls", most,
		      (char *)NULL);
		_exit(127);
	}
	for (tries = 0; access(path, F_OK); tries++)
		if (p->media < 0 || tries == PATIENCE_MS ||
		    waitpid(p->media, NULL, WNOHANG) || poll(NULL, 0, 1))
			die("privatecall-media does not start");
}

/* Starts it in a new folder below `where`; its connection. `room`: so many
 * calls at once in that mode; 0: in mode `direct`. */
static int process_start(struct process *p, const char *where,
			 const char *log, const char *callgrind, unsigned room)
{
	char conf[80], folder[72];
	unsigned port;
	int listener = listen_on(&port), fd, n;
	struct pollfd ready = { .fd = listener, .events = POLLIN };

	n = snprintf(p->dir, sizeof(p->dir), "%s/signalling-XXXXXX", where);
	if (n < 0 || (size_t)n >= sizeof(p->dir) || !mkdtemp(p->dir))
		die("cannot make a folder there");
	snprintf(folder, sizeof(folder), "%s/run", p->dir);
	mkdir(folder, 0700);
	snprintf(p->control, sizeof(p->control), "%s/control", folder);
	snprintf(conf, sizeof(conf), "%s/conf", p->dir);
	if (room)
		start_media(p, log, room);
	write_conf(p, conf, port);
	p->pid = fork();
	if (p->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
		run_daemon(conf, callgrind);
	}
	fd = p->pid < 0 || poll(&ready, 1, PATIENCE_MS) != 1 ? -1 :
	     accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || clock_getcpuclockid(p->pid, &p->clock))
		die("the daemon does not start");
	close(listener);
	return fd;
}

/* What is there, after moving its clock by `ms`; `all`: also what it takes a
 * walk through its memory to know. json_decref() it. */
static json_t *process_ask(const struct process *p, long long ms, bool all)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), n;
	char text[4096];
	size_t len = 0;
	ssize_t got;
	json_t *answer, *data;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->control);
	n = snprintf(text, sizeof(text), "{\"argv\":[\"bench\",\"%lld\"%s],"
		     "\"json\":true}\n", ms, all ? ",\"all\"" : "");
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) ||
	    write(fd, text, (size_t)n) != n)
		die("the control socket does not answer");
	while ((got = read(fd, text + len, sizeof(text) - len)) > 0)
		len += (size_t)got;
	close(fd);
	answer = json_loadb(text, len, 0, NULL);
	data = json_incref(json_object_get(answer, "data"));
	json_decref(answer);
	if (!data)
		die("the control socket gives no counts");
	return data;
}

static long long value(const json_t *data, const char *name)
{
	return json_integer_value(json_object_get(data, name));
}

static json_t *process_count(const struct process *p, long long ms)
{
	return process_ask(p, ms, true);
}

/* Until it has privatecall-media: before, it refuses calls of mode `room`. */
static void process_await_media(const struct process *p)
{
	json_t *data;
	bool up = false;
	int tries;

	for (tries = 0; !up && tries < PATIENCE_MS; tries++) {
		data = process_ask(p, 0, false);
		up = value(data, "media");
		json_decref(data);
		poll(NULL, 0, up ? 0 : 1);
	}
	if (!up)
		die("the daemon does not reach privatecall-media");
}

/* Until nothing waits for the store, the server or the last finishes. What that
 * takes of the daemon's time is little: it is measured with the calls. */
static void process_rest(const struct process *p, struct clients *c)
{
	json_t *data;
	int tries;
	bool rests = false;

	json_decref(process_ask(p, FINISH_MS, false));
	for (tries = 0; !rests && tries < SETTLE_TRIES; tries++) {
		data = process_ask(p, 0, false);
		rests = value(data, "settled") &&
			value(data, "live") == c->running &&
			c->seen.late == c->done;
		json_decref(data);
		if (!rests)
			turn_for(c, 5);
	}
	if (!rests)
		die("the daemon does not come to rest");
}

/* Likewise; what is there then, or, `ms` and the last linger later, is left. */
static json_t *process_settle(const struct process *p, struct clients *c,
			      long long ms)
{
	process_rest(p, c);
	if (!ms)
		return process_count(p, 0);
	/* Into the last linger, and beyond it. */
	json_decref(process_count(p, ms));
	return process_count(p, LINGER_MS);
}

static void process_stop(struct process *p, struct clients *c)
{
	char command[256];
	int status;

	kill(p->pid, SIGTERM);
	while (turn(c))
		;
	if (waitpid(p->pid, &status, 0) != p->pid || !WIFEXITED(status) ||
	    WEXITSTATUS(status))
		die("the daemon did not end well");
	if (p->media) {
		kill(p->media, SIGKILL);
		waitpid(p->media, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
	if (system(command))
		die("cannot remove the folder");
}

#endif
