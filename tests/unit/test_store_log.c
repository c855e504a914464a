/* test_store_log.c: what the store promises of its write-ahead log: what leaves
 * in one piece, a disk that refuses it or does not confirm it.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "mod_privatecall/store/store.h"
#include "mod_privatecall/store/store_sqlite.h"
#include "tests/unit/store_test.h"

/* What SQLite writes goes by here: so often, of which the next are refused. */
static unsigned writes, refusals;

static ssize_t watched_pwrite(int fd, const void *data, size_t size, off_t at)
{
	writes++;
	if (refusals) {
		refusals--;
		errno = ENOSPC;
		return -1;
	}
	return pwrite(fd, data, size, at);
}

static void watch_writes(bool on)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	sqlite3_syscall_ptr call = on ? (sqlite3_syscall_ptr)watched_pwrite :
					NULL;

	assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite", call), SQLITE_OK);
	assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", call),
			 SQLITE_OK);
	writes = refusals = 0;
}

static bool sync_fails;

/* In place of the C library's, for SQLite too, which has no hook for it. */
int fdatasync(int fd)
{
	if (!sync_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

/* What the disk does not confirm is refused, and not there while we live. */
static void test_log_unsynced(void **state)
{
	struct store *s;

	(void)state;
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	for (int i = 0; i < 3; i++) {
		struct store_op op = leg_op("c1", 0, 7);

		sync_fails = true;
		assert_int_equal(commit(s, &op, 1), EIO);
		assert_string_equal(loaded(s), C1);
		sync_fails = false;
	}
	COMMIT(s, leg_op("c1", 0, 7));
	s->v->close(s);
	s = db_open();
	assert_string_equal(loaded(s), C1 LEG0);
	s->v->close(s);
}

/* Rows of many pages leave by one write and the log's header, and are in the
 * file when the commit has returned. */
static void test_log_writes(void **state)
{
	struct store_op ops[8];
	char *before, *after, *value = malloc(8000);
	char wal[sizeof(db_path) + 8], name[8][16];
	struct store *s;
	size_t size;

	(void)state;
	assert_non_null(value);
	memset(value, 'x', 7999);
	value[7999] = '\0';
	for (int i = 0; i < 8; i++) {
		snprintf(name[i], sizeof(name[i]), "n%d", i);
		ops[i] = setting_op("a@x", name[i], value);
	}
	db_remove();
	snprintf(wal, sizeof(wal), "%s-wal", db_path);
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	size = bytes_read(wal, &before);
	watch_writes(true);
	assert_int_equal(commit(s, ops, 8), 0);
	assert_int_equal(writes, 1);
	assert_true(bytes_read(wal, &after) > size + 64000);
	watch_writes(false);
	s->v->close(s);
	free(before);
	free(after);
	free(value);
}

/* A log that the disk does not take now and then: each batch is stored whole
 * or refused, also one that is larger than what is held back, and what is
 * stored can be read all the while. */
static void test_log_refused(void **state)
{
	struct store_op ops[] = {
		call_op("c1", 2), setting_op("a@x", "p", NULL),
		leg_op("c1", 0, 7),
	};
	char *big = malloc(400000);
	struct store *s;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', 399999);
	big[399999] = '\0';
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	watch_writes(true);
	for (unsigned n = 1; n < 6; n++) {
		ops[1].u.setting.value = n & 1 ? "small" : big;
		refusals = n < 4 ? n : UINT_MAX;
		assert_int_equal(commit(s, ops, 3), ENOSPC);
		assert_string_equal(loaded(s), C1);
	}
	refusals = 0;
	COMMIT(s, leg_op("c1", 0, 7));
	assert_string_equal(loaded(s), C1 LEG0);
	watch_writes(false);
	s->v->close(s);
	s = db_open();
	assert_string_equal(loaded(s), C1 LEG0);
	s->v->close(s);
	free(big);
}

static void file_copy(const char *from, const char *to)
{
	char *data;
	size_t size = bytes_read(from, &data);
	FILE *f = fopen(to, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
	free(data);
}

/* What the disk refused is not there after the power failed, whatever was
 * written and read since. */
static void test_log_refused_for_good(void **state)
{
	struct store_op ops[] = { call_op("c1", 2), leg_op("c1", 0, 7) };
	char wal[sizeof(db_path) + 8], kept[sizeof(db_path) + 8];
	char kept_wal[sizeof(db_path) + 8];
	struct store *s;

	(void)state;
	snprintf(wal, sizeof(wal), "%s-wal", db_path);
	snprintf(kept, sizeof(kept), "%s.kept", db_path);
	snprintf(kept_wal, sizeof(kept_wal), "%s.log", db_path);
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	watch_writes(true);
	refusals = 1;
	assert_int_equal(commit(s, ops, 2), ENOSPC);
	assert_string_equal(loaded(s), C1);
	watch_writes(false);
	file_copy(db_path, kept);
	file_copy(wal, kept_wal);
	s->v->close(s);
	db_remove();
	assert_int_equal(rename(kept, db_path), 0);
	assert_int_equal(rename(kept_wal, wal), 0);
	s = db_open();
	assert_string_equal(loaded(s), C1);
	s->v->close(s);
}

static void count_is(sqlite3 *db, const char *words, int n)
{
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(db, words, -1, &st, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), n);
	sqlite3_finalize(st);
}

/* Rows of a page each, and a cache that is too small for a transaction. */
static sqlite3 *open_small_on(const char *medium)
{
	char uri[sizeof(db_path) + 32];
	sqlite3 *db;

	db_remove();
	snprintf(uri, sizeof(uri), "file:%s?%s", db_path, medium);
	assert_int_equal(sqlite3_open_v2(uri, &db, SQLITE_OPEN_READWRITE |
					 SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
					 store_sqlite_vfs()), SQLITE_OK);
	sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "CREATE TABLE t (a INTEGER PRIMARY KEY, b);"
	    "CREATE TABLE u (a INTEGER PRIMARY KEY, b);"
	    "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
	    "WHERE i < 1000) INSERT INTO t SELECT i, zeroblob(3900) FROM c;"
	    "INSERT INTO u SELECT a, hex(randomblob(200)) FROM t;"
	    "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0;"
	    "PRAGMA cache_size = 20;");
	return db;
}

static sqlite3 *open_small(void)
{
	return open_small_on("psow=1");
}

/* Where a write may damage what stands beside it, nothing is held back: what
 * SQLite had synced before it wrote the last of a commit would not be there. */
static void test_log_unsafe(void **state)
{
	sqlite3 *ours = open_small_on("psow=0"), *theirs;

	(void)state;
	watch_writes(true);
	sql(ours, "UPDATE t SET b = zeroblob(3901) WHERE a <= 10");
	assert_true(writes >= 20);
	watch_writes(false);
	assert_int_equal(sqlite3_open(db_path, &theirs), SQLITE_OK);
	count_is(theirs, "SELECT count(*) FROM t WHERE b = zeroblob(3901)", 10);
	sqlite3_close(theirs);
	sqlite3_close(ours);
}

/* What is held can be read, and written again where it stands. */
static void test_log_held(void **state)
{
	static const char *const turns[] = { "x", "y", "z" };
	char words[128];
	sqlite3 *ours = open_small(), *theirs;

	(void)state;
	sql(ours, "BEGIN IMMEDIATE");
	for (int i = 0; i < 3; i++) {
		snprintf(words, sizeof(words), "UPDATE t SET b = "
			 "printf('%%.3900c', '%s') WHERE a > %d AND a <= 40",
			 turns[i], 7 * i);
		sql(ours, words);
		snprintf(words, sizeof(words), "SELECT count(*) FROM t "
			 "WHERE b = printf('%%.3900c', '%s')", turns[i]);
		count_is(ours, words, 40 - 7 * i);
	}
	sql(ours, "COMMIT");
	assert_int_equal(sqlite3_open(db_path, &theirs), SQLITE_OK);
	for (int i = 0; i < 3; i++) {
		snprintf(words, sizeof(words), "SELECT count(*) FROM t "
			 "WHERE b = printf('%%.3900c', '%s')", turns[i]);
		count_is(theirs, words, i < 2 ? 7 : 26);
	}
	sqlite3_close(theirs);
	sqlite3_close(ours);
}

/* A transaction that was taken back, and was large enough to have been written
 * in part: nothing of it comes upon what another process has stored since. */
static void taken_back(bool then_reads)
{
	sqlite3 *ours = open_small(), *theirs;

	sql(ours, "BEGIN IMMEDIATE; UPDATE t SET b = randomblob(3900) "
	    "WHERE a <= 40");
	sql(ours, "ROLLBACK");
	assert_int_equal(sqlite3_open(db_path, &theirs), SQLITE_OK);
	sql(theirs, "PRAGMA wal_autocheckpoint = 0; UPDATE u SET b = 'theirs'");
	if (then_reads)
		count_is(ours, "SELECT count(*) FROM u WHERE b = 'theirs'",
			 1000);
	sqlite3_close(ours);
	count_is(theirs, "SELECT count(*) FROM u WHERE b = 'theirs'", 1000);
	count_is(theirs, "SELECT count(*) FROM pragma_integrity_check "
		 "WHERE integrity_check = 'ok'", 1);
	sqlite3_close(theirs);
	/* What they see in their cache is not all that is in the file. */
	assert_int_equal(sqlite3_open(db_path, &theirs), SQLITE_OK);
	count_is(theirs, "SELECT count(*) FROM u WHERE b = 'theirs'", 1000);
	count_is(theirs, "SELECT count(*) FROM pragma_integrity_check "
		 "WHERE integrity_check = 'ok'", 1);
	sqlite3_close(theirs);
}

static void test_log_taken_back(void **state)
{
	(void)state;
	taken_back(false);
	taken_back(true);
}

/* A log that was large once is not for ever. */
static void test_log_shrinks(void **state)
{
	char wal[sizeof(db_path) + 8], *big = malloc(8 << 20);
	struct store *s;
	struct stat st;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', (8 << 20) - 1);
	big[(8 << 20) - 1] = '\0';
	db_remove();
	snprintf(wal, sizeof(wal), "%s-wal", db_path);
	s = db_open();
	COMMIT(s, setting_op("a@x", "p", big));
	assert_int_equal(stat(wal, &st), 0);
	assert_true(st.st_size > 8 << 20);
	COMMIT(s, call_op("c1", 1));
	assert_int_equal(stat(wal, &st), 0);
	assert_true(st.st_size <= 4 << 20);
	s->v->close(s);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_unsynced),
		cmocka_unit_test(test_log_writes),
		cmocka_unit_test(test_log_refused),
		cmocka_unit_test(test_log_refused_for_good),
		cmocka_unit_test(test_log_held),
		cmocka_unit_test(test_log_unsafe),
		cmocka_unit_test(test_log_taken_back),
		cmocka_unit_test(test_log_shrinks),
	};

	return cmocka_run_group_tests(tests, file_set_up, file_tear_down);
}
