/* ctl_socket.c: the control socket's file: made safely, taken away. Its mode
 * is set before it has a name, as umask() belongs to all threads.
 */
#include "mod_privatecall/admin/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "mod_privatecall/admin/private.h"

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

static int check_folder(const char *dir, char **why_r)
{
	struct stat st;

	if (lstat(dir, &st) != 0)
		return refuse(why_r, errno, "control socket: %s: %s", dir,
			      strerror(errno));
	if (S_ISLNK(st.st_mode))
		return refuse(why_r, ELOOP, "control socket: %s is a symbolic "
			      "link: name the folder itself", dir);
	if (!S_ISDIR(st.st_mode))
		return refuse(why_r, ENOTDIR, "control socket: %s is no "
			      "folder", dir);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse(why_r, EPERM, "control socket: %s belongs to "
			      "another user: chown %u %s", dir,
			      (unsigned)geteuid(), dir);
	if (st.st_mode & (S_IWGRP | S_IWOTH) &&
	    (st.st_mode & S_ISVTX || st.st_uid != geteuid()))
		return refuse(why_r, EPERM, "control socket: others can write "
			      "in %s: give it a folder of its own, which is "
			      "made if it is not there: control_socket = "
			      "\"%s/privatecall/control\"", dir, dir);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(why_r, EPERM, "control socket: others can write "
			      "in %s: chmod go-w %s", dir, dir);
	return 0;
}

static int make_address(const char *path, struct sockaddr_un *a,
			char **why_r)
{
	size_t len = strlen(path);

	*a = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (path[0] != '/' || path[len - 1] == '/')
		return refuse(why_r, EINVAL, "control socket: %s: expected "
			      "the full path of a file", path);
	if (len >= sizeof(a->sun_path))
		return refuse(why_r, ENAMETOOLONG, "control socket: %s: "
			      "expected at most %zu bytes", path,
			      sizeof(a->sun_path) - 1);
	memcpy(a->sun_path, path, len + 1);
	return 0;
}

/* What stands at the path already: nothing, or a stale socket, which is
 * removed; all else is refused. */
static int clear_path(const char *path, const struct sockaddr_un *a,
		      char **why_r)
{
	struct stat st;
	int fd, err;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 :
		       refuse(why_r, errno, "control socket: %s: %s", path,
			      strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return refuse(why_r, S_ISLNK(st.st_mode) ? ELOOP : EEXIST,
			      "control socket: %s is %s: remove it", path,
			      S_ISLNK(st.st_mode) ? "a symbolic link" :
			      "no socket");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	err = connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ?
	      0 : errno;
	close(fd);
	if (err == 0 || err == EAGAIN)
		return refuse(why_r, EADDRINUSE, "control socket: another "
			      "privatecalld answers at %s", path);
	if (err != ECONNREFUSED)
		return refuse(why_r, err, "control socket: %s: %s", path,
			      strerror(err));
	return unlink(path) == 0 ? 0 :
	       refuse(why_r, errno, "control socket: %s is left of a dead "
		      "privatecalld and cannot be removed: %s: sudo rm %s",
		      path, strerror(errno), path);
}

static int bind_socket(const char *path, const struct sockaddr_un *a,
		       int *fd_r, struct ctl_file *f_r, char **why_r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	struct stat st;
	int err = 0;

	if (fd < 0)
		return errno;
	if (fchmod(fd, 0600) != 0 ||
	    bind(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 ||
	    lstat(path, &st) != 0)
		err = errno;
	f_r->path = err ? NULL : strdup(path);
	if (!err && !f_r->path) {
		unlink(path);
		err = ENOMEM;
	}
	if (err) {
		close(fd);
		return refuse(why_r, err, "control socket: %s: %s", path,
			      strerror(err));
	}
	f_r->dev = st.st_dev;
	f_r->ino = st.st_ino;
	*fd_r = fd;
	return 0;
}

/* The folder of the socket; made if it is not there and `make`. */
static int prepare_folder(const char *path, bool make, char **why_r)
{
	const char *slash = strrchr(path, '/');
	char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int err = 0;

	if (!dir)
		return ENOMEM;
	if (make && mkdir(dir, 0700) != 0 && errno != EEXIST)
		err = refuse(why_r, errno, "control socket: %s cannot be "
			     "made: %s", dir, strerror(errno));
	else if (make || access(dir, F_OK) == 0)
		err = check_folder(dir, why_r);
	free(dir);
	return err;
}

int ctl_path_check(const char *path, char **why_r)
{
	struct sockaddr_un a;
	int err;

	*why_r = NULL;
	err = make_address(path, &a, why_r);
	return err ? err : prepare_folder(path, false, why_r);
}

int ctl_file_bind(const char *path, int *fd_r, struct ctl_file *f_r,
		  char **why_r)
{
	struct sockaddr_un a;
	int err;

	*why_r = NULL;
	*f_r = (struct ctl_file) { .path = NULL };
	err = make_address(path, &a, why_r);
	if (!err)
		err = prepare_folder(path, true, why_r);
	if (!err)
		err = clear_path(path, &a, why_r);
	if (!err)
		err = bind_socket(path, &a, fd_r, f_r, why_r);
	return err;
}

void ctl_file_remove(struct ctl_file *f)
{
	struct stat st;

	if (f->path && lstat(f->path, &st) == 0 && st.st_dev == f->dev &&
	    st.st_ino == f->ino)
		unlink(f->path);
	free(f->path);
	f->path = NULL;
}

bool ctl_peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       len == sizeof(peer) &&
	       (peer.uid == 0 || peer.uid == geteuid());
}
