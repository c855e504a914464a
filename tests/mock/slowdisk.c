/* slowdisk.c: a disk that is slow, stalled or full, for a program of ours
 * while it runs: a library for LD_PRELOAD.
 *
 *   cc -shared -fPIC -D_GNU_SOURCE -o slowdisk.so tests/mock/slowdisk.c
 *   LD_PRELOAD=./slowdisk.so SLOWDISK_CONTROL=FILE privatecalld -c CONF
 *
 * FILE is looked at before every write and sync of the program, so a change
 * counts from the next one on. It holds words apart by blanks or newlines,
 * any of:
 *   path=WORD   files whose path contains WORD (needed: without it, or
 *               without FILE, nothing is changed)
 *   slow        fsync and fdatasync take 20 ms longer
 *   sync=MS     ... MS milliseconds longer
 *   hold        write, pwrite, fsync and fdatasync wait until FILE is without
 *               this word, and then do as its other words say
 *   full        write and pwrite fail with ENOSPC
 *   eio         write, pwrite, fsync and fdatasync fail with EIO
 * So "path=calls.db full" fills the disk of calls.db, calls.db-wal and so on,
 * and "path=calls.db" heals it. A sync that has begun to wait does not look
 * again. Write FILE under another name and rename it: a half-written one is
 * taken as it is. SLOWDISK_COUNT=FILE2, if set, gets one byte per changed
 * call, "h" where it waits: that tells a test that the fault was met.
 *
 * A program built with the address sanitizer also needs
 * ASAN_OPTIONS=verify_asan_link_order=0.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct fault {
	char word[128];            /* empty: no fault */
	long sync_ms;
	bool full, eio, hold;
};

enum { LOOK_MS = 2 };              /* how often FILE is looked at in a hold */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct stat seen;           /* of the control file as last read */
static struct fault current;

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at);

/* The function behind ours; a union, since C has no cast from an object to a
 * function pointer. */
union real {
	void *object;
	int (*sync)(int);
	ssize_t (*write)(int, const void *, size_t);
	ssize_t (*pwrite)(int, const void *, size_t, off_t);
};

static union real real_of(const char *name)
{
	union real r = { .object = dlsym(RTLD_NEXT, name) };

	if (!r.object)
		abort();
	return r;
}

static void control_parse(char *text)
{
	char *rest = NULL;

	for (char *w = strtok_r(text, " \t\r\n", &rest); w;
	     w = strtok_r(NULL, " \t\r\n", &rest)) {
		if (strncmp(w, "path=", 5) == 0)
			snprintf(current.word, sizeof(current.word), "%s",
				 w + 5);
		else if (strncmp(w, "sync=", 5) == 0)
			current.sync_ms = strtol(w + 5, NULL, 10);
		else if (strcmp(w, "slow") == 0)
			current.sync_ms = 20;
		else if (strcmp(w, "full") == 0)
			current.full = true;
		else if (strcmp(w, "eio") == 0)
			current.eio = true;
		else if (strcmp(w, "hold") == 0)
			current.hold = true;
	}
}

/* Reads the control file if its stat differs from the last time. */
static void control_look(void)
{
	const char *path = getenv("SLOWDISK_CONTROL");
	struct stat st;
	char text[512];
	ssize_t n;
	int fd;

	memset(&st, 0, sizeof(st));
	if (!path || stat(path, &st) < 0)
		memset(&st, 0, sizeof(st));
	if (st.st_ino == seen.st_ino && st.st_size == seen.st_size &&
	    st.st_mtim.tv_sec == seen.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == seen.st_mtim.tv_nsec)
		return;
	seen = st;
	memset(&current, 0, sizeof(current));
	fd = st.st_ino ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n > 0) {
		text[n] = '\0';
		control_parse(text);
	}
}

static bool path_has(int fd, const char *word)
{
	char link[40], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return false;
	path[n] = '\0';
	return path[0] == '/' && strstr(path, word);
}

/* The fault for fd right now; all zero: none. errno is kept. */
static struct fault fault_now(int fd)
{
	struct fault f;
	int err = errno;

	pthread_mutex_lock(&lock);
	control_look();
	f = current;
	pthread_mutex_unlock(&lock);
	if (!f.word[0] || !(f.sync_ms || f.full || f.eio || f.hold) ||
	    !path_has(fd, f.word))
		memset(&f, 0, sizeof(f));
	errno = err;
	return f;
}

static void count(char what)
{
	const char *path = getenv("SLOWDISK_COUNT");
	int err = errno, fd;

	fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			 0600) : -1;
	if (fd >= 0) {
		if (real_of("write").write(fd, &what, 1) < 0)
			abort();
		close(fd);
	}
	errno = err;
}

static void wait_ms(long ms)
{
	struct timespec wait = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};
	int err = errno;

	while (nanosleep(&wait, &wait) < 0 && errno == EINTR)
		;
	errno = err;
}

/* The fault that fd meets, after it has been held. */
static struct fault fault_of(int fd)
{
	struct fault f = fault_now(fd);

	if (f.hold)
		count('h');
	for (; f.hold; f = fault_now(fd))
		wait_ms(LOOK_MS);
	return f;
}

static int sync_faulty(int fd, const char *name)
{
	struct fault f = fault_of(fd);

	if (f.sync_ms || f.eio)
		count('.');
	if (f.sync_ms)
		wait_ms(f.sync_ms);
	if (f.eio) {
		errno = EIO;
		return -1;
	}
	return real_of(name).sync(fd);
}

/* 0, or the errno with which a write fails. */
static int write_fault(int fd)
{
	struct fault f = fault_of(fd);

	if (!f.full && !f.eio)
		return 0;
	count('.');
	return f.eio ? EIO : ENOSPC;
}

int fsync(int fd)
{
	return sync_faulty(fd, "fsync");
}

int fdatasync(int fd)
{
	return sync_faulty(fd, "fdatasync");
}

ssize_t write(int fd, const void *data, size_t size)
{
	int err = write_fault(fd);

	if (err) {
		errno = err;
		return -1;
	}
	return real_of("write").write(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	int err = write_fault(fd);

	if (err) {
		errno = err;
		return -1;
	}
	return real_of("pwrite").pwrite(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	int err = write_fault(fd);

	if (err) {
		errno = err;
		return -1;
	}
	return real_of("pwrite64").pwrite(fd, data, size, at);
}
