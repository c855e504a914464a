/* fail.c: the faults. Our objects call fail_malloc() and the like instead of
 * malloc() (their symbols are renamed, see files.mk), so that the tests' own
 * calls are not counted. SQLite, jansson and expat get allocators of ours;
 * what SQLite and libuv call of the C library is met here first, and counted
 * by the address it comes from. libuv's allocations are left alone: it aborts
 * where it cannot grow its table of descriptors.
 */
#include "tests/fail/fail.h"

#include <dlfcn.h>
#include <errno.h>
#include <expat.h>
#include <fcntl.h>
#include <jansson.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <sanitizer/common_interface_defs.h>
#include <sqlite3.h>
#include <uv.h>
#include "jingle/xml/arena.h"

/* The function behind ours. */
#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

const char *const fail_names[FAIL_KINDS] = {
	"memory", "store", "full", "descriptor", "send",
};
int fail_pause;                    /* above 0: a mock works, nothing counts */
bool fail_armed;
static struct fail_state alone;
struct fail_state *fail = &alone;

void fail_arm(enum fail_kind kind, long at)
{
	unsigned i;

	for (i = 0; i < FAIL_KINDS; i++)
		fail->count[i] = 0;
	fail->kind = kind;
	fail->at = at;
	fail->met = false;
	fail_armed = true;
}

/* The loop is the tester's, here. */
int uv_loop_init(uv_loop_t *loop)
{
	int r;

	fail_pause++;
	r = REAL(uv_loop_init)(loop);
	fail_pause--;
	return r;
}

/* That of ours. */
int fail_uv_loop_init(uv_loop_t *loop);

int fail_uv_loop_init(uv_loop_t *loop)
{
	return REAL(uv_loop_init)(loop);
}

static bool now(enum fail_kind kind)
{
	long at;

	if (!fail_armed || fail_pause)
		return false;
	at = atomic_fetch_add(&fail->count[kind], 1);
	if (kind != fail->kind || fail->at < 0 ||
	    (at != fail->at && !(kind == FAIL_FULL && at > fail->at)))
		return false;
	fail->met = true;
	if (fail->shown)
		__sanitizer_print_stack_trace();
	return true;
}

/* --- memory of our objects ------------------------------------------- */

#define NO_MEMORY (now(FAIL_MEMORY) && (errno = ENOMEM))

void *fail_malloc(size_t n);
void *fail_calloc(size_t n, size_t size);
void *fail_realloc(void *p, size_t n);
char *fail_strdup(const char *s);
char *fail_strndup(const char *s, size_t n);
int fail_vasprintf(char **s_r, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
int fail_asprintf(char **s_r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
FILE *fail_open_memstream(char **s_r, size_t *n_r);
XML_Parser fail_XML_ParserCreate(const XML_Char *encoding);

void *fail_malloc(size_t n)
{
	return NO_MEMORY ? NULL : malloc(n);
}

void *fail_calloc(size_t n, size_t size)
{
	return NO_MEMORY ? NULL : calloc(n, size);
}

void *fail_realloc(void *p, size_t n)
{
	return NO_MEMORY ? NULL : realloc(p, n);
}

char *fail_strdup(const char *s)
{
	return NO_MEMORY ? NULL : strdup(s);
}

char *fail_strndup(const char *s, size_t n)
{
	return NO_MEMORY ? NULL : strndup(s, n);
}

int fail_vasprintf(char **s_r, const char *fmt, va_list ap)
{
	if (!NO_MEMORY)
		return vasprintf(s_r, fmt, ap);
	*s_r = (char *)(uintptr_t)0xbad;   /* undefined, says the manual */
	return -1;
}

int fail_asprintf(char **s_r, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fail_vasprintf(s_r, fmt, ap);
	va_end(ap);
	return n;
}

FILE *fail_open_memstream(char **s_r, size_t *n_r)
{
	return NO_MEMORY ? NULL : open_memstream(s_r, n_r);
}

XML_Parser fail_XML_ParserCreate(const XML_Char *encoding)
{
	const XML_Memory_Handling_Suite memory = {
		fail_malloc, fail_realloc, free
	};

	return XML_ParserCreate_MM(encoding, &memory, NULL);
}

/* --- memory of an arena ---------------------------------------------- */

struct arena *fail_arena_new(size_t cap);
void *fail_arena_alloc(struct arena *a, size_t n);
char *fail_arena_strdup(struct arena *a, const char *s);
char *fail_arena_strndup(struct arena *a, const char *s, size_t n);
char *fail_arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

struct arena *fail_arena_new(size_t cap)
{
	return NO_MEMORY ? NULL : arena_new(cap);
}

/* More than there can be: the arena fails as it does by itself. */
static void *arena_fail(struct arena *a)
{
	return arena_alloc(a, SIZE_MAX);
}

void *fail_arena_alloc(struct arena *a, size_t n)
{
	return NO_MEMORY ? arena_fail(a) : arena_alloc(a, n);
}

char *fail_arena_strdup(struct arena *a, const char *s)
{
	return s && NO_MEMORY ? arena_fail(a) : arena_strdup(a, s);
}

char *fail_arena_strndup(struct arena *a, const char *s, size_t n)
{
	return s && NO_MEMORY ? arena_fail(a) : arena_strndup(a, s, n);
}

char *fail_arena_printf(struct arena *a, const char *fmt, ...)
{
	char *text, *copy;
	va_list ap;
	int n;

	if (NO_MEMORY)
		return arena_fail(a);
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return arena_fail(a);
	copy = arena_strdup(a, text);
	free(text);
	return copy;
}

/* --- what SQLite and libuv ask of the system -------------------------- */

struct range {
	uintptr_t from, to;
};
static struct range sqlite, uv;

static int find_ranges(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct range *r = strstr(info->dlpi_name, "libsqlite3") ? &sqlite :
			  strstr(info->dlpi_name, "libuv") ? &uv : NULL;
	unsigned i;

	(void)size;
	(void)arg;
	for (i = 0; r && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    info->dlpi_phdr[i].p_flags & PF_X) {
			r->from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			r->to = r->from + info->dlpi_phdr[i].p_memsz;
		}
	return 0;
}

static bool in(const struct range *r, void *caller)
{
	return (uintptr_t)caller >= r->from && (uintptr_t)caller < r->to;
}

#define CALLER __builtin_return_address(0)

static bool store_fails(void *caller)
{
	if (!in(&sqlite, caller))
		return false;
	if (now(FAIL_STORE)) {
		errno = EIO;
		return true;
	}
	if (now(FAIL_FULL)) {
		errno = ENOSPC;
		return true;
	}
	return false;
}

static bool no_descriptor(void *caller)
{
	if ((caller && !in(&sqlite, caller) && !in(&uv, caller)) ||
	    !now(FAIL_DESCRIPTOR))
		return false;
	errno = EMFILE;
	return true;
}

static bool send_fails(void *caller, int fd)
{
	struct stat st;

	if (!in(&uv, caller) || !fail_armed || fstat(fd, &st) != 0 ||
	    !S_ISSOCK(st.st_mode) || !now(FAIL_SEND))
		return false;
	errno = EPIPE;
	return true;
}

ssize_t write(int fd, const void *data, size_t size)
{
	if (store_fails(CALLER) || send_fails(CALLER, fd))
		return -1;
	return REAL(write)(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	return send_fails(CALLER, fd) ? -1 : REAL(writev)(fd, v, n);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	return send_fails(CALLER, fd) ? -1 : REAL(sendmsg)(fd, m, flags);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	return store_fails(CALLER) ? -1 : REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return store_fails(CALLER) ? -1 : REAL(pwrite64)(fd, data, size, at);
}

int fsync(int fd)
{
	return store_fails(CALLER) ? -1 : REAL(fsync)(fd);
}

int fdatasync(int fd)
{
	return store_fails(CALLER) ? -1 : REAL(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t size)
{
	return store_fails(CALLER) ? -1 : REAL(ftruncate64)(fd, size);
}

/* `mode` is behind the dots only where a file may be made. */
static int mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return no_descriptor(CALLER) ? -1 : REAL(open64)(path, flags, mode);
}

int socket(int domain, int type, int protocol)
{
	return no_descriptor(CALLER) ? -1 :
	       REAL(socket)(domain, type, protocol);
}

int accept4(int fd, struct sockaddr *a, socklen_t *n, int flags)
{
	return no_descriptor(CALLER) ? -1 : REAL(accept4)(fd, a, n, flags);
}

int eventfd(unsigned start, int flags)
{
	return no_descriptor(CALLER) ? -1 : REAL(eventfd)(start, flags);
}

int pipe2(int fds[2], int flags)
{
	return no_descriptor(CALLER) ? -1 : REAL(pipe2)(fds, flags);
}

/* --- descriptors of our objects --------------------------------------- */

int fail_open(const char *path, int flags, ...);
int fail_socket(int domain, int type, int protocol);

int fail_open(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = mode_of(flags, ap);
	va_end(ap);
	return no_descriptor(NULL) ? -1 : open(path, flags, mode);
}

int fail_socket(int domain, int type, int protocol)
{
	return no_descriptor(NULL) ? -1 : socket(domain, type, protocol);
}

/* --- the libraries' memory -------------------------------------------- */

static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int n)
{
	return NO_MEMORY ? NULL : sqlite_memory.xMalloc(n);
}

static void *sqlite_realloc(void *p, int n)
{
	return NO_MEMORY ? NULL : sqlite_memory.xRealloc(p, n);
}

void fail_start(void)
{
	sqlite3_mem_methods faulty;

	dl_iterate_phdr(find_ranges, NULL);
	if (!sqlite.to || !uv.to ||
	    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory))
		abort();
	faulty = sqlite_memory;
	faulty.xMalloc = sqlite_malloc;
	faulty.xRealloc = sqlite_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty))
		abort();
	json_set_alloc_funcs(fail_malloc, free);
}
