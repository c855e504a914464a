/* attack_table.h: what came of each attack in each mode, as a run found it: the
 * rows of doc/media-attacks.md, which is wrong if it has others.
 *
 * The document is made by tests/attack/media-table.sh from the comments that
 * these programs print.
 */
#ifndef TESTS_UNIT_ATTACK_TABLE_H
#define TESTS_UNIT_ATTACK_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROWS_MAX 64
#define ROW_SIZE 512

static char rows[ROWS_MAX][ROW_SIZE];
static unsigned n_rows;

/* At length (MEDIA_ATTACKS=long) with as many packets as doc/media-attacks.md
 * says below its table; their numbers are no rows of it. */
static inline bool at_length(void)
{
	const char *how = getenv("MEDIA_ATTACKS");

	return how && strcmp(how, "long") == 0;
}

/* "| A14 blind | what came of it | `test_media_attacks` (`test_spray`) |" */
static inline void row(const char *code, const char *in, const char *program,
		       const char *test, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
static inline void row(const char *code, const char *in, const char *program,
		       const char *test, const char *format, ...)
{
	char what[ROW_SIZE / 2];
	va_list args;

	assert_true(n_rows < ROWS_MAX);
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(rows[n_rows], ROW_SIZE, "| %s | %s | %s | `%s` (`%s`) |",
		 code, in, what, program, test);
	printf("# %s\n", rows[n_rows++]);
}

/* The document has the rows of this run, and no others of this program; else
 * `script` mends it. When the tests are run one by one (tests/fail/run)
 * nothing is known of it. */
static inline void judge_rows(const char *program, const char *doc,
			      const char *script)
{
	const char *top = getenv("top_srcdir");
	char path[512], line[ROW_SIZE + 2], mine[128];
	unsigned i, there = 0;
	FILE *f;

	if (!n_rows)
		return;
	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", doc);
	snprintf(mine, sizeof(mine), "| `%s` (", program);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] != '|' || !strstr(line, mine))
			continue;
		line[strcspn(line, "\n")] = '\0';
		there++;
		for (i = 0; i < n_rows && strcmp(rows[i], line); i++)
			;
		if (i == n_rows)
			fail_msg("not what this run says, run %s: %s",
				 script, line);
	}
	fclose(f);
	assert_int_equal(there, n_rows);
}

static inline void judge_table(const char *program)
{
	judge_rows(program, "doc/media-attacks.md",
		   "tests/attack/media-table.sh");
}

#endif
