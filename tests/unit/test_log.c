/* test_log.c: lines that nobody can forge, JIDs that nobody can read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "mod_privatecall/log/log.h"

#define JID "alice@example.org"

static FILE *file;
static int saved;
static char text[65536];

static void capture(void)
{
	fflush(stderr);
	file = tmpfile();
	assert_non_null(file);
	saved = dup(2);
	dup2(fileno(file), 2);
}

/* What was written, behind the time. */
static const char *captured(void)
{
	size_t n;
	char *at;

	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = 0;
	fclose(file);
	at = strstr(text, "level=");
	return at ? at : text;
}

static void test_plain(void **state)
{
	(void)state;
	capture();
	log_line(LOG_INFO, "started", "version", "1.0", "none", NULL, "empty",
		 "", NULL);
	assert_string_equal(captured(), "level=info msg=started version=1.0 "
			    "empty=\"\"\n");
	assert_memory_equal(text, "time=", 5);
}

/* A39: line ends, escapes, C1 and U+2028 stay within one quoted value. */
static void test_forged(void **state)
{
	(void)state;
	capture();
	log_line(LOG_WARN, "bad\nlevel=error msg=x", "reason",
		 "a\" b=c\r\n\x1b[2J\\ \xc2\x9b \xe2\x80\xa8", NULL);
	assert_string_equal(captured(),
			    "level=warn msg=\"bad\\x0alevel=error msg=x\" "
			    "reason=\"a\\\" b=c\\x0d\\x0a\\x1b[2J\\\\ "
			    "\\xc2\\x9b \\xe2\\x80\\xa8\"\n");
}

static void test_long(void **state)
{
	size_t n = 1u << 20;
	char *value = malloc(n + 1);

	(void)state;
	memset(value, 'a', n);
	value[n] = 0;
	capture();
	log_line(LOG_INFO, "x", "nick", value, "from", log_jid, value, NULL);
	assert_true(strlen(captured()) < 700);
	assert_non_null(strstr(text, "aaa..."));
	free(value);
}

/* What a peer calls himself is no word of ours. */
static void test_marker(void **state)
{
	char at[] = "@";

	(void)state;
	capture();
	log_line(LOG_INFO, "x", "why", at, "to", JID, "by", "@", NULL);
	assert_string_equal(captured(), "level=info msg=x why=@ to=" JID
			    " by=@\n");
}

static void test_privacy(void **state)
{
	char first[256], second[256];

	(void)state;
	log_setup(LOG_JIDS_HASH, "salt");
	capture();
	log_line(LOG_INFO, "x", "user", log_jid, JID, NULL);
	snprintf(first, sizeof(first), "%s", captured());
	assert_null(strstr(first, "alice"));
	assert_non_null(strstr(first, "user=#"));
	/* One user is one hash, whichever his device; another salt, another. */
	capture();
	log_line(LOG_INFO, "x", "user", log_jid, JID "/phone", NULL);
	assert_string_equal(captured(), first);
	log_setup(LOG_JIDS_HASH, "pepper");
	capture();
	log_line(LOG_INFO, "x", "user", log_jid, JID, NULL);
	snprintf(second, sizeof(second), "%s", captured());
	assert_string_not_equal(first, second);
	/* A reload changes what is shown and keeps the salt. */
	log_set_privacy(LOG_JIDS_NONE);
	capture();
	log_line(LOG_INFO, "x", "user", log_jid, JID, NULL);
	assert_string_equal(captured(), "level=info msg=x user=-\n");
	log_set_privacy(LOG_JIDS_FULL);
	capture();
	log_line(LOG_INFO, "x", "user", log_jid, JID "/a b", NULL);
	assert_string_equal(captured(), "level=info msg=x user=\"" JID
			    "/a b\"\n");
	log_set_privacy(LOG_JIDS_HASH);
	capture();
	log_line(LOG_INFO, "x", "user", log_jid, JID, NULL);
	assert_string_equal(captured(), second);
}

static void test_rate(void **state)
{
	struct log_rate r = { 0, 0 };
	bool said;

	(void)state;
	assert_true(log_allowed(&r, 0));
	assert_false(log_allowed(&r, 1));
	assert_false(log_allowed(&r, 9999));
	capture();
	said = log_allowed(&r, 10001);
	assert_non_null(strstr(captured(), "count=2\n"));
	assert_true(said);
	capture();
	said = log_allowed(&r, 30000);
	assert_string_equal(captured(), "");
	assert_true(said);
}

/* JOURNAL_STREAM is inherited by what writes elsewhere, too. */
static void test_journal(void **state)
{
	struct stat st;
	char name[64];

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	capture();
	log_line(LOG_ERROR, "x", NULL);
	assert_string_equal(captured(), "level=error msg=x\n");
	assert_memory_equal(text, "time=", 5);
	capture();
	fstat(2, &st);
	snprintf(name, sizeof(name), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", name, 1);
	log_line(LOG_ERROR, "x", NULL);
	captured();
	assert_string_equal(text, "<3>level=error msg=x\n");
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_marker),
		cmocka_unit_test(test_privacy),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_journal),
	};

	unsetenv("JOURNAL_STREAM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
