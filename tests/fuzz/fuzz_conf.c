/* fuzz_conf.c: any text as a configuration file, in memory. A fault is one
 * line with its place; what is printed of a configuration is one that differs
 * in nothing. Files it would include, and devices, are left alone.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mod_privatecall/conf/conf.h"

#define TEXT_MAX 4096

static void fill(int fd, const char *text, size_t len)
{
	assert(!ftruncate(fd, 0) && !lseek(fd, 0, SEEK_SET));
	assert(write(fd, text, len) == (ssize_t)len);
}

/* A file in memory, mode 0600, and its path. */
static int make_file(char path[40])
{
	int fd = memfd_create("conf", MFD_CLOEXEC);

	assert(fd >= 0 && !fchmod(fd, 0600));
	snprintf(path, 40, "/proc/self/fd/%d", fd);
	return fd;
}

static void differs(const char *line, void *arg)
{
	(void)arg;
	assert(strstr(line, "secret"));
}

static void check_print(const struct conf *c, int fd, const char *path)
{
	char *text = NULL, *why;
	struct conf *again;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	conf_print(c, out);
	fclose(out);
	fill(fd, text, len);
	assert(!conf_load(path, &again, &why));
	assert(!why);
	conf_diff(c, again, differs, NULL);
	conf_free(again);
	free(text);
}

static void check_fault(const char *why, const char *path)
{
	assert(why && !strncmp(why, path, strlen(path)));
	assert(why[strlen(path)] == ':' && !strchr(why, '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[40], printed[40];
	static int fd = -1, out;
	struct conf *c;
	char *why;
	int rc;

	if (size > TEXT_MAX || memmem(data, size, "include", 7) ||
	    memmem(data, size, "/dev", 4) || memmem(data, size, "/proc", 5))
		return 0;
	if (fd < 0) {
		unsetenv("PRIVATECALL_SECRET");
		fd = make_file(path);
		out = make_file(printed);
	}
	fill(fd, (const char *)data, size);
	rc = conf_load(path, &c, &why);
	assert(rc == 0 || rc == EBADMSG);
	if (rc) {
		check_fault(why, path);
		free(why);
		return 0;
	}
	assert(!why);
	check_print(c, out, printed);
	conf_free(c);
	return 0;
}
