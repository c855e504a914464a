/* test_seeds.c: the kept inputs of fuzz_stanza reach every codec: each takes
 * one of them, and refuses one if it can refuse. Its asserts hold too.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/fuzz/fuzz_stanza.c"

static void run_file(const char *folder, const char *name)
{
	static uint8_t data[65536];
	char path[4400];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(data, 1, sizeof(data), f);
	assert_true(feof(f));
	fclose(f);
	assert_int_equal(LLVMFuzzerTestOneInput(data, n), 0);
}

static unsigned run_folder(const char *folder)
{
	DIR *d = opendir(folder);
	const struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		run_file(folder, e->d_name);
		n++;
	}
	closedir(d);
	return n;
}

static void test_codecs(void **state)
{
	const char *top = getenv("top_srcdir");
	char folder[4000];
	unsigned missing = 0;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/stanza",
		 top ? top : ".");
	assert_true(run_folder(folder) > 0);
	for (size_t i = 0; i < CODECS; i++) {
		if (!taken[i])
			print_error("%s took none\n", codecs[i].file);
		if (codecs[i].refuses && !refused[i])
			print_error("%s refused none\n", codecs[i].file);
		missing += !taken[i] + (codecs[i].refuses && !refused[i]);
	}
	assert_int_equal(missing, 0);
	arena_free(fuzz_arena());  /* the target keeps it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codecs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
