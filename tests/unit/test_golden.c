/* test_golden.c: every story of the call machine, action by action: the lines
 * of tests/golden/NAME.trace that begin with "< " are what the lines with
 * "> " before them must bring about, no more and no less.
 *
 * GOLDEN_UPDATE=1 writes what happens into the traces; read the difference
 * before you keep it. ONLY=NAME plays one.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/golden/play.h"

static char *read_file(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	ssize_t n;

	if (!f)
		return NULL;
	n = getdelim(&text, &size, 0, f);
	fclose(f);
	if (n < 0)
		text = strdup("");
	return text;
}

/* Plays the "> " lines; comments and blank lines stay where they are. */
static char *replay(const char *text, const char *path)
{
	char *copy = strdup(text), *at = copy, *line, *result = NULL;
	const char *why;
	size_t len;
	struct play p;

	play_init(&p, open_memstream(&result, &len));
	while ((line = strsep(&at, "\n"))) {
		if (line[0] == '<' || (!at && !*line))
			continue;
		fprintf(p.out, "%s\n", line);
		if (line[0] == '>' &&
		    play_line(&p, line + 2, &why) == EBADMSG)
			fail_msg("%s: %s: expected %s", path, line, why);
	}
	fclose(p.out);
	play_end(&p);
	free(copy);
	return result;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void show_difference(const char *path, const char *was,
			    const char *is)
{
	unsigned line = 1;

	while (*was && *was == *is) {
		line += *was == '\n';
		was++;
		is++;
	}
	print_message("%s:%u: expected: ...%.200s\n", path, line, was);
	print_message("%s:%u: happened: ...%.200s\n", path, line, is);
}

static void plays(void **state)
{
	const char *path = *state;
	char *was = read_file(path), *is;

	assert_non_null(was);
	is = replay(was, path);
	if (strcmp(was, is) != 0 && getenv("GOLDEN_UPDATE")) {
		write_file(path, is);
	} else if (strcmp(was, is) != 0) {
		show_difference(path, was, is);
		fail_msg("%s differs", path);
	}
	free(was);
	free(is);
}

static int is_trace(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 6 && strcmp(e->d_name + n - 6, ".trace") == 0;
}

int main(void)
{
	const char *src = getenv("top_srcdir"), *only = getenv("ONLY");
	char folder[512], *path;
	struct dirent **list;
	struct CMUnitTest *tests;
	int n, i, rc;
	size_t used = 0;

	snprintf(folder, sizeof(folder), "%s/tests/golden", src ? src : ".");
	n = scandir(folder, &list, is_trace, alphasort);
	if (n <= 0) {
		print_error("no traces in %s\n", folder);
		return 1;
	}
	tests = calloc((size_t)n, sizeof(*tests));
	for (i = 0; tests && i < n; i++) {
		if (only && !strstr(list[i]->d_name, only))
			continue;
		if (asprintf(&path, "%s/%s", folder, list[i]->d_name) < 0)
			return 1;
		tests[used].name = strdup(list[i]->d_name);
		tests[used].test_func = plays;
		tests[used].initial_state = path;
		used++;
	}
	rc = _cmocka_run_group_tests("golden", tests, used, NULL, NULL);
	for (i = 0; i < (int)used; i++) {
		free(tests[i].initial_state);
		free((void *)(uintptr_t)tests[i].name);
	}
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	free(tests);
	return rc;
}
