/* control.c: media's end of the socket of control (see control.h). */
#include "mod_privatecall/media/control.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "mod_privatecall/log/log.h"
#include "mod_privatecall/media/worker.h"

#define MODE 0660
#define READS 64                   /* messages, before others have a turn */

/* A whole list waits, and something more: else who asks for it were hung up
 * on, came again, and asked. */
_Static_assert(RELAY_CALLS_MAX * WIRE_TRANSPORTS_MAX *
	       (offsetof(struct wire_msg, listed) + sizeof(struct wire_listed) +
		sizeof(uint16_t)) < CONTROL_QUEUE, "CONTROL_QUEUE");

struct connection {
	int fd;                    /* -1: free */
	bool greeted;              /* it said HELLO */
	uint64_t since;            /* the how many-th it was */
	/* What it does not take yet: size (2 bytes) and message, again and
	 * again, from `sent` to `len`. */
	unsigned char *queue;
	size_t sent, len, size;
};

struct control {
	int listener, epoll;
	char *path;
	dev_t dev;                 /* of the socket that is ours */
	ino_t ino;
	struct connection connection[CONTROL_CONNECTIONS];
	struct connection *in_force;       /* NULL: none */
	uint64_t connected;        /* so many, ever */
	/* One of another version comes four times a second, and two in turn
	 * take each other's place. */
	const char *went_why;
	struct log_rate went, replaced, refused;
	void (*message_h)(const struct wire_msg *m, void *arg);
	void *arg;
};

static int __attribute__((format(printf, 3, 4)))
refuse(char **why_r, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(why_r, fmt, ap) < 0)
		*why_r = NULL;
	va_end(ap);
	return err;
}

/* --- the socket's file ------------------------------------------------ */

static int make_name(const char *path, struct sockaddr_un *a, char **why_r)
{
	size_t len = strlen(path);

	*a = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (path[0] != '/' || len >= sizeof(a->sun_path))
		return refuse(why_r, EINVAL, "--socket: expected a path that "
			      "begins with `/', of at most %zu bytes",
			      sizeof(a->sun_path) - 1);
	memcpy(a->sun_path, path, len + 1);
	return 0;
}

/* Nothing may stand there but a socket that nobody listens at. */
static int clear_path(const struct sockaddr_un *a, char **why_r)
{
	const char *path = a->sun_path;
	struct stat st;
	int fd, err;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(st.st_mode))
		return refuse(why_r, EEXIST, "%s is no socket: remove it, or "
			      "name another: --socket PATH", path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		    0);
	if (fd < 0)
		return errno;
	err = connect(fd, (const struct sockaddr *)a, sizeof(*a)) ? errno : 0;
	close(fd);
	if (!err || err == EAGAIN)
		return refuse(why_r, EADDRINUSE, "%s: another "
			      "privatecall-media answers there", path);
	if (err != ECONNREFUSED)
		return err;
	return unlink(path) ? errno : 0;
}

/* bind() makes the file with what umask leaves of the socket's mode, which is
 * never more. */
static int listen_at(struct control *c, const struct sockaddr_un *a)
{
	struct stat st;

	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
			     SOCK_NONBLOCK, 0);
	if (c->listener < 0 || fchmod(c->listener, MODE) ||
	    bind(c->listener, (const struct sockaddr *)a, sizeof(*a)))
		return errno;
	c->path = strdup(a->sun_path);
	if (!c->path)
		return ENOMEM;
	if (lstat(c->path, &st))
		return errno;
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	if (chmod(c->path, MODE) || listen(c->listener, CONTROL_CONNECTIONS))
		return errno;
	return 0;
}

/* An event of the listener is of a new connection alone (EPOLLET): one that
 * cannot be taken, for want of descriptors, is not reported again and again. */
static int watch(struct control *c, int fd, uint32_t events, int op)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(c->epoll, op, fd, &ev) ? errno : 0;
}

int control_open(const char *path, int epoll,
		 void (*message_h)(const struct wire_msg *m, void *arg),
		 void *arg, struct control **c_r, char **why_r)
{
	struct control *c = calloc(1, sizeof(*c));
	struct sockaddr_un a;
	unsigned i;
	int err;

	*why_r = NULL;
	if (!c)
		return ENOMEM;
	c->epoll = epoll;
	c->listener = -1;
	c->message_h = message_h;
	c->arg = arg;
	for (i = 0; i < CONTROL_CONNECTIONS; i++)
		c->connection[i].fd = -1;
	err = make_name(path, &a, why_r);
	if (!err)
		err = clear_path(&a, why_r);
	if (!err)
		err = listen_at(c, &a);
	if (!err)
		err = watch(c, c->listener, EPOLLIN | EPOLLET, EPOLL_CTL_ADD);
	if (err && !*why_r)
		refuse(why_r, err, "%s: %s", path, strerror(err));
	if (err)
		control_close(c);
	else
		*c_r = c;
	return err;
}

/* --- connections ------------------------------------------------------ */

/* It has held passwords of ICE. */
static void queue_free(struct connection *n)
{
	if (n->queue)
		explicit_bzero(n->queue, n->size);
	free(n->queue);
	n->queue = NULL;
	n->sent = n->len = n->size = 0;
}

/* The same again and again is said once in 10 s. */
static bool may_say(struct control *c, const char *why)
{
	if (!c->went_why || strcmp(c->went_why, why))
		c->went = (struct log_rate) { 0 };
	c->went_why = why;
	return log_allowed(&c->went, worker_now());
}

static void hang_up(struct control *c, struct connection *n, const char *why)
{
	bool in_force = c->in_force == n;

	if ((in_force && !why) || (why && may_say(c, why)))
		log_line(why ? LOG_WARN : LOG_INFO, "control is gone", "why",
			 why, NULL);
	if (in_force)
		c->in_force = NULL;
	close(n->fd);
	queue_free(n);
	*n = (struct connection) { .fd = -1 };
}

void control_close(struct control *c)
{
	struct stat st;
	unsigned i;

	if (!c)
		return;
	for (i = 0; i < CONTROL_CONNECTIONS; i++)
		if (c->connection[i].fd >= 0)
			hang_up(c, &c->connection[i], NULL);
	if (c->listener >= 0)
		close(c->listener);
	if (c->path && !lstat(c->path, &st) && st.st_dev == c->dev &&
	    st.st_ino == c->ino)
		unlink(c->path);
	free(c->path);
	free(c);
}

/* A free place, else that of the oldest which is not in force: it has said
 * nothing yet, and nobody can keep control out by saying nothing. */
static struct connection *place(struct control *c)
{
	struct connection *n, *oldest = NULL;

	for (n = c->connection; n < c->connection + CONTROL_CONNECTIONS; n++) {
		if (n->fd < 0)
			return n;
		if (n != c->in_force && (!oldest || n->since < oldest->since))
			oldest = n;
	}
	hang_up(c, oldest, "it said nothing, and others came");
	return oldest;
}

static void take_connections(struct control *c)
{
	struct connection *n;
	int fd;

	while ((fd = accept4(c->listener, NULL, NULL,
			     SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		n = place(c);
		if (watch(c, fd, EPOLLIN, EPOLL_CTL_ADD)) {
			close(fd);
			continue;
		}
		n->fd = fd;
		n->since = c->connected++;
	}
	if (errno != EAGAIN && log_allowed(&c->refused, worker_now()))
		log_line(LOG_WARN, "control cannot connect", "why",
			 strerror(errno), NULL);
}

/* --- to control ------------------------------------------------------- */

/* Not by realloc(), which leaves what it had. */
static bool queue_grow(struct connection *n, size_t size)
{
	struct connection old = *n;
	unsigned char *more = malloc(size);

	if (!more)
		return false;
	if (old.len)
		memcpy(more, old.queue, old.len);
	queue_free(&old);
	n->queue = more;
	n->size = size;
	return true;
}

/* Puts it behind what waits; false: over the cap, or out of memory. */
static bool queue_put(struct connection *n, const void *bytes, uint16_t len)
{
	size_t need;

	if (n->sent > n->len / 2) {        /* it reads: the front is done */
		memmove(n->queue, n->queue + n->sent, n->len - n->sent);
		n->len -= n->sent;
		n->sent = 0;
	}
	need = n->len + sizeof(len) + len;
	if (need > n->size &&
	    (need > CONTROL_QUEUE || !queue_grow(n, 2 * need)))
		return false;
	memcpy(n->queue + n->len, &len, sizeof(len));
	memcpy(n->queue + n->len + sizeof(len), bytes, len);
	n->len = need;
	return true;
}

/* 0, EAGAIN: it waits; or what is wrong. */
static int put(int fd, const void *bytes, size_t len)
{
	ssize_t n;

	do
		n = send(fd, bytes, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? errno : 0;
}

void control_say(struct control *c, const struct wire_msg *m)
{
	struct connection *n = c->in_force;
	size_t len = wire_size(m->kind);
	int err = EAGAIN;

	if (!n)
		return;
	if (!n->len)
		err = put(n->fd, m, len);
	if (!err)
		return;
	if (err != EAGAIN)
		hang_up(c, n, strerror(err));
	else if (!queue_put(n, m, (uint16_t)len))
		hang_up(c, n, "it does not read");
	else
		watch(c, n->fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void send_queue(struct control *c, struct connection *n)
{
	uint16_t len;
	int err;

	while (n->sent < n->len) {
		memcpy(&len, n->queue + n->sent, sizeof(len));
		err = put(n->fd, n->queue + n->sent + sizeof(len), len);
		if (err == EAGAIN)
			return;
		if (err) {
			hang_up(c, n, strerror(err));
			return;
		}
		n->sent += sizeof(len) + len;
	}
	queue_free(n);
	watch(c, n->fd, EPOLLIN, EPOLL_CTL_MOD);
}

/* --- from control ----------------------------------------------------- */

/* The one before has its place taken: it may have died without our seeing. */
static void greet(struct control *c, struct connection *n,
		  const struct wire_msg *m)
{
	bool replaces = c->in_force && c->in_force != n;

	if (n->greeted && c->in_force == n)
		return;                /* it sees whether we are there */
	if (replaces)
		hang_up(c, c->in_force, "another one came");
	c->in_force = n;
	n->greeted = true;
	if (!replaces || log_allowed(&c->replaced, worker_now()))
		log_line(LOG_INFO, "control is there", "release",
			 m->hello.release, NULL);
}

/* One message; false: no more, for now or for ever. */
static bool take_message(struct control *c, struct connection *n)
{
	unsigned char bytes[sizeof(struct wire_msg) + 1];
	ssize_t len = recv(n->fd, bytes, sizeof(bytes), 0);
	struct wire_msg m;
	const char *why;

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (len <= 0) {
		hang_up(c, n, len < 0 ? strerror(errno) : NULL);
		return false;
	}
	if (wire_read(bytes, (size_t)len, false, &m, &why)) {
		hang_up(c, n, why);
		return false;
	}
	if (m.kind == WIRE_HELLO) {
		greet(c, n, &m);
	} else if (!n->greeted) {
		hang_up(c, n, "it did not say hello");
		return false;
	}
	c->message_h(&m, c->arg);
	explicit_bzero(&m, sizeof(m));
	explicit_bzero(bytes, sizeof(bytes));
	return n->fd >= 0;
}

void control_ready(struct control *c, int fd)
{
	struct connection *n = c->connection;
	unsigned i = 0;

	if (fd == c->listener) {
		take_connections(c);
		return;
	}
	while (n < c->connection + CONTROL_CONNECTIONS && n->fd != fd)
		n++;
	if (n == c->connection + CONTROL_CONNECTIONS)
		return;
	if (n->len)
		send_queue(c, n);
	while (n->fd >= 0 && i++ < READS && take_message(c, n))
		;
}
