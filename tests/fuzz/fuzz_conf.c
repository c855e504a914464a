/* fuzz_conf.c: any text as a configuration file, and behind a form feed each
 * that of a file "more", which it may include, and of a file "secret"; where
 * that begins with `!' others may read all three. A fault is one line with its
 * place; what is printed of a configuration is one that differs in nothing.
 * Files of other folders, and devices, are left alone.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mod_privatecall/conf/conf.h"

#define TEXT_MAX 4096

/* libconfuse 3.3 forgets the names of an include() in which there is a fault: a
 * few bytes for each load of such a file. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfuse";
}

/* In memory where there is such a place: each input writes files. */
static char dir[64] = "/dev/shm/privatecall-fuzz-XXXXXX";
static char path[80], more[80], secret[80], printed[80];

static void clean(void)
{
	unlink(path);
	unlink(more);
	unlink(secret);
	unlink(printed);
	rmdir(dir);
}

static void start(void)
{
	unsetenv("PRIVATECALL_SECRET");
	if (!mkdtemp(dir)) {
		strcpy(dir, "/tmp/privatecall-fuzz-XXXXXX");
		assert(mkdtemp(dir));
	}
	atexit(clean);
	snprintf(path, sizeof(path), "%s/conf", dir);
	snprintf(more, sizeof(more), "%s/more", dir);
	snprintf(secret, sizeof(secret), "%s/secret", dir);
	snprintf(printed, sizeof(printed), "%s/printed", dir);
}

static void fill(const char *name, const char *text, size_t len, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert(fd >= 0 && !fchmod(fd, mode));
	assert(write(fd, text, len) == (ssize_t)len);
	close(fd);
}

/* No file where there is no text, so that one may lack. */
static void fill_or_none(const char *name, const char *text, size_t len,
			 mode_t mode)
{
	if (text)
		fill(name, text, len, mode);
	else
		unlink(name);
}

/* The text behind the next form feed, *len_r with the rest; NULL: none. */
static const char *next_part(const char *text, size_t *len_r)
{
	const char *at = text ? memchr(text, '\f', *len_r) : NULL;

	if (!at)
		return NULL;
	*len_r -= (size_t)(at + 1 - text);
	return at + 1;
}

static void fill_all(const char *text, size_t len)
{
	size_t more_len = len, secret_len;
	const char *more_text = next_part(text, &more_len), *secret_text;
	mode_t mode = 0600;

	secret_len = more_len;
	secret_text = next_part(more_text, &secret_len);
	if (secret_text) {
		more_len -= secret_len + 1;
		if (secret_len && *secret_text == '!')
			mode = 0644;
	}
	if (more_text)
		len = (size_t)(more_text - text) - 1;
	fill(path, text, len, mode);
	fill_or_none(more, more_text, more_len, mode);
	fill_or_none(secret, secret_text, secret_len, mode);
}

static void differs(const char *line, void *arg)
{
	(void)arg;
	assert(strstr(line, "secret"));
}

static void check_print(const struct conf *c)
{
	char *text = NULL, *why;
	const char *restart;
	struct conf *again;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	conf_print(c, out);
	fclose(out);
	fill(printed, text, len, 0600);
	assert(!conf_load(printed, &again, &why));
	assert(!why);
	conf_diff(c, again, differs, NULL);
	restart = conf_needs_restart(c, again);
	assert(!restart || !strcmp(restart, "secret"));
	restart = conf_where(again, "domain");
	assert(restart && !strncmp(restart, printed, strlen(printed)));
	conf_free(again);
	free(text);
}

/* Of this file or one that is included. */
static void check_fault(const char *why)
{
	size_t len = strlen(dir);

	assert(why && !strncmp(why, dir, len) && why[len] == '/');
	len = strlen(path);
	assert(strncmp(why, path, len) || why[len] == ':');
	assert(strchr(why, ':') && !strchr(why, '\n'));
}

/* Might it be a file of another folder? */
static bool leads_away(const char *text, size_t len)
{
	bool names = memchr(text, '(', len) ||
		     memmem(text, len, "secret_file", 11);

	return memmem(text, len, "/dev", 4) || memmem(text, len, "/proc", 5) ||
	       (names && (memchr(text, '/', len) || memchr(text, '\\', len) ||
			  memchr(text, '$', len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct conf *c;
	char *why;
	int rc;

	if (size > TEXT_MAX || leads_away(text, size))
		return 0;
	if (!*path)
		start();
	fill_all(text, size);
	rc = conf_load(path, &c, &why);
	assert(rc == 0 || rc == EBADMSG);
	if (rc) {
		check_fault(why);
		free(why);
		return 0;
	}
	assert(!why);
	check_print(c);
	conf_free(c);
	return 0;
}
