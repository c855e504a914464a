/* test_store_file.c: what the store promises of its file: permissions, damage
 * and newer schemas refused, a full disk, a killed process.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "mod_privatecall/store/store.h"
#include "mod_privatecall/store/store_sqlite.h"
#include "tests/unit/store_test.h"

static void test_disk_full(void **state)
{
	struct store *s;
	struct store_op ops[] = {
		call_op("c1", 2), setting_op("a@x", "p", NULL),
		leg_op("c1", 0, 7),
	};
	char *big = malloc(1 << 20);

	(void)state;
	assert_non_null(big);
	memset(big, 'x', (1 << 20) - 1);
	big[(1 << 20) - 1] = '\0';
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	assert_int_equal(store_sqlite_limit(s, 64, 0), 0);
	ops[1].u.setting.value = big;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(commit(s, ops, 3), ENOSPC);
		assert_non_null(strstr(s->error, "full"));
		assert_string_equal(loaded(s), C1);
	}
	/* Small batches and queries go on, and the big one after healing. */
	COMMIT(s, leg_op("c1", 0, 7));
	assert_string_equal(loaded(s), C1 LEG0);
	assert_int_equal(store_sqlite_limit(s, 0, 0), 0);
	assert_int_equal(commit(s, ops, 3), 0);
	s->v->close(s);
	free(big);
}

/* The file. */

static void bytes_write(off_t at, const void *data, size_t size)
{
	int fd = open(db_path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, at), size);
	close(fd);
}

static void filled_db(void)
{
	struct store *s;

	db_remove();
	s = db_open();
	for (int i = 0; i < 100; i++) {
		char id[16];

		snprintf(id, sizeof(id), "m%d", i);
		COMMIT(s, outbox_op(id, i, 1), log_op(id, 1, "a@x", i));
	}
	s->v->close(s);
}

/* The open fails with EINVAL and one line that has both words; the file
 * stays as it is. */
static void assert_refused(const char *word)
{
	struct store *s = NULL;
	char wal[sizeof(db_path) + 8], *why = NULL;
	char *before, *after, *wal_before, *wal_after;
	size_t size, wal_size;

	snprintf(wal, sizeof(wal), "%s-wal", db_path);
	size = bytes_read(db_path, &before);
	wal_size = bytes_read(wal, &wal_before);
	assert_int_equal(store_sqlite_open(db_path, &s, &why), EINVAL);
	assert_null(s);
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("no \"%s\" in: %s", word, why);
	assert_non_null(strstr(why, "restore the backup"));
	assert_non_null(strstr(why, "away"));
	assert_null(strchr(why, '\n'));
	assert_int_equal(bytes_read(db_path, &after), size);
	assert_memory_equal(before, after, size);
	assert_int_equal(bytes_read(wal, &wal_after), wal_size);
	assert_memory_equal(wal_before, wal_after, wal_size);
	free(before);
	free(after);
	free(wal_before);
	free(wal_after);
	free(why);
}

static void test_file_modes(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	mode_t old = umask(0);
	struct store *s;

	(void)state;
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	for (size_t i = 0; i < 3; i++) {
		char name[sizeof(db_path) + 8];
		struct stat st;

		snprintf(name, sizeof(name), "%s%s", db_path, ends[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	s->v->close(s);
	umask(old);
}

static void test_newer_schema(void **state)
{
	static const unsigned char newer[] = { 0, 0, 3, 231 };

	(void)state;
	filled_db();
	bytes_write(60, newer, sizeof(newer));
	assert_refused("schema 999");
}

/* A database of the first schema, without the mode of a call: what is in it
 * is kept, its calls are `direct`, and new rows have one. */
static void test_upgrade(void **state)
{
	struct store_op blind = call_op("c2", 1);
	struct store *s;
	sqlite3 *db;

	(void)state;
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1), log_op("c1", 1, "a@x", 10));
	s->v->close(s);
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE call DROP COLUMN mode;"
				      "ALTER TABLE log DROP COLUMN step;"
				      "DROP TABLE traffic;"
				      "PRAGMA user_version = 1", NULL, NULL,
				      NULL), SQLITE_OK);
	sqlite3_close(db);
	s = db_open();
	blind.u.call.mode = 1;
	COMMIT(s, blind, traffic_op("c1", 1, 11, "{}"));
	s->v->close(s);
	s = db_open();
	assert_non_null(strstr(loaded(s), C1));
	assert_non_null(strstr(loaded(s), "1003 blind\n"));
	assert_non_null(strstr(logged(s, NULL, NULL, 0, 0), "missed -\n"
			       "  at - with {}\n"));
	s->v->close(s);
}

static void test_no_schema(void **state)
{
	static const unsigned char none[4] = { 0 };

	(void)state;
	filled_db();
	bytes_write(60, none, sizeof(none));
	assert_refused("no schema");
}

static void test_foreign_database(void **state)
{
	(void)state;
	filled_db();
	bytes_write(68, "\0\0\0\1", 4);
	assert_refused("another program");
}

/* An operation that SQLite refuses leaves no transaction open. */
static void test_refused_operation(void **state)
{
	struct store_op ops[] = {
		call_op("c1", 2), setting_op("a@x", "p", NULL),
	};
	char big[400];
	struct store *s;

	(void)state;
	db_remove();
	s = db_open();
	COMMIT(s, call_op("c1", 1));
	assert_int_equal(store_sqlite_limit(s, 0, 200), 0);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	ops[1].u.setting.value = big;
	assert_int_equal(commit(s, ops, 2), EOVERFLOW);
	assert_string_equal(loaded(s), C1);
	ops[1].u.setting.value = "short";
	assert_int_equal(commit(s, ops, 2), 0);
	s->v->close(s);
}

static void test_not_a_database(void **state)
{
	(void)state;
	filled_db();
	bytes_write(0, "<html>a page, no database</html>", 32);
	assert_refused("not a database");
}

static void test_empty_file(void **state)
{
	(void)state;
	filled_db();
	assert_int_equal(truncate(db_path, 0), 0);
	assert_refused("the file is empty");
}

static void test_truncated(void **state)
{
	(void)state;
	filled_db();
	assert_int_equal(truncate(db_path, 3 * 4096 + 17), 0);
	assert_refused("damaged");
}

/* Each page in turn is overwritten; none gets through. */
static void test_damaged_pages(void **state)
{
	struct stat st;
	char junk[4096];

	(void)state;
	memset(junk, 0xa5, sizeof(junk));
	filled_db();
	assert_int_equal(stat(db_path, &st), 0);
	assert_true(st.st_size >= 16 * 4096);
	for (off_t at = 0; at < st.st_size; at += 4096) {
		filled_db();
		bytes_write(at, junk, sizeof(junk));
		assert_refused("damaged");
	}
}

static void test_unreadable(void **state)
{
	struct store *s = NULL;
	char *why = NULL;

	(void)state;
	db_remove();
	assert_int_equal(mkdir(db_path, 0700), 0);
	assert_int_equal(store_sqlite_open(db_path, &s, &why), EINVAL);
	assert_non_null(strstr(why, "cannot be opened"));
	free(why);
	assert_int_equal(rmdir(db_path), 0);
}

static void test_no_folder(void **state)
{
	struct store *s = NULL;
	char *why = NULL, path[sizeof(db_path) + 16];

	(void)state;
	snprintf(path, sizeof(path), "%s/none/calls.db", folder);
	assert_int_equal(store_sqlite_open(path, &s, &why), ENOENT);
	assert_non_null(strstr(why, "folder must exist"));
	free(why);
}

/* A start that was killed while it built the file is no obstacle. */
static void test_half_built(void **state)
{
	char fresh[sizeof(db_path) + 8];
	struct store *s;
	int fd;

	(void)state;
	db_remove();
	snprintf(fresh, sizeof(fresh), "%s-new", db_path);
	fd = open(fresh, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	s = db_open();
	assert_string_equal(loaded(s), "");
	s->v->close(s);
	assert_int_equal(access(fresh, F_OK), -1);
}

/* A process that is killed loses no acknowledged batch and leaves no torn
 * one (F02). Batch i sets five rows to i and adds one. */

/* Commits `most` batches and waits for the end. */
static void child_commits(int ack, unsigned most)
{
	struct store *s;
	char *why;

	if (store_sqlite_open(db_path, &s, &why))
		_exit(1);
	for (unsigned i = 1; i <= most; i++) {
		struct store_batch *b = store_batch_new();
		char id[16];
		struct store_op ops[4] = {
			call_op("c1", i), leg_op("c1", 0, i),
			leg_op("c1", 1, i), outbox_op(id, i, i),
		};

		snprintf(id, sizeof(id), "m%u", i);
		for (size_t j = 0; j < 4; j++)
			store_batch_add(b, &ops[j]);
		if (s->v->commit(s, b))
			_exit(1);
		store_batch_free(b);
		if (write(ack, &i, sizeof(i)) != sizeof(i))
			_exit(1);
	}
	for (;;)
		pause();
}

struct found {
	unsigned round, legs, flags, outbox, last;
};

static int found_call(const struct store_call *c, void *arg)
{
	((struct found *)arg)->round = c->round;
	return 0;
}

static int found_leg(const struct store_leg *l, void *arg)
{
	struct found *f = arg;

	f->legs++;
	f->flags = l->flags;
	return l->flags == f->round ? 0 : EPROTO;
}

static int found_outbox(const struct store_outbox *o, void *arg)
{
	struct found *f = arg;

	f->last = o->count;
	return o->count == ++f->outbox ? 0 : EPROTO;
}

static void kill_after(unsigned acks)
{
	struct store_load_handlers h = {
		.call_h = found_call, .leg_h = found_leg,
		.outbox_h = found_outbox,
	};
	struct found f = { 0 };
	unsigned acked = 0, n;
	struct store *s;
	int ack[2], status;
	pid_t pid;

	db_remove();
	assert_int_equal(pipe(ack), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ack[0]);
		child_commits(ack[1], UINT_MAX - 1);
	}
	close(ack[1]);
	while (acked < acks && read(ack[0], &n, sizeof(n)) == sizeof(n))
		acked = n;
	/* A different moment of the next commit each time. */
	for (volatile unsigned spin = acks * 20000; spin; spin--)
		;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(ack[0], &n, sizeof(n)) == sizeof(n))
		acked = n;
	close(ack[0]);
	assert_true(acked >= acks);

	s = db_open();
	assert_int_equal(s->v->load(s, &h, &f), 0);
	s->v->close(s);
	assert_true(f.round >= acked && f.round <= acked + 1);
	assert_int_equal(f.legs, 2);
	assert_int_equal(f.outbox, f.round);
	assert_int_equal(f.last, f.round);
}

static void test_killed(void **state)
{
	(void)state;
	for (unsigned acks = 1; acks <= 20; acks++)
		kill_after(acks * 3);
}

/* Leaves a database as a kill does: its last commits in the -wal file. */
static void killed_db(void)
{
	int ack[2];
	unsigned n;
	pid_t pid;

	db_remove();
	assert_int_equal(pipe(ack), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_commits(ack[1], 1);
	close(ack[1]);                 /* or its death would not be seen */
	assert_int_equal(read(ack[0], &n, sizeof(n)), sizeof(n));
	assert_int_equal(kill(pid, SIGKILL), 0);
	waitpid(pid, NULL, 0);
	close(ack[0]);
}

/* A refusal moves nothing from the -wal file into the database. */
static void test_foreign_after_kill(void **state)
{
	(void)state;
	killed_db();
	bytes_write(68, "\0\0\0\1", 4);
	assert_refused("another program");
}

/* ... also where the schema turns out not to be the one that it says. */
static void test_table_missing(void **state)
{
	sqlite3 *db;

	(void)state;
	filled_db();
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sql(db, "DROP TABLE contact");
	sqlite3_close(db);
	assert_refused("does not fit its schema version");
}

static void test_wal_alone(void **state)
{
	(void)state;
	killed_db();
	assert_int_equal(unlink(db_path), 0);
	assert_refused("is missing");
}

/* A journal without its file is of a database, too. */
static void test_journal_alone(void **state)
{
	char journal[sizeof(db_path) + 16];
	int fd;

	(void)state;
	db_remove();
	snprintf(journal, sizeof(journal), "%s-journal", db_path);
	fd = open(journal, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_refused("is missing");
}

/* Where nothing can be opened now the file is not what is wrong. */
static void test_no_descriptors(void **state)
{
	struct rlimit old, none;
	struct store *s = NULL;
	char *why = NULL;
	int err;

	(void)state;
	filled_db();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = store_sqlite_open(db_path, &s, &why);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(err, EMFILE);
	assert_non_null(why);
	assert_null(strstr(why, "backup"));
	free(why);
}

static void *locks_for_a_moment(void *arg)
{
	struct timespec moment = { .tv_nsec = 20000000 };

	nanosleep(&moment, NULL);
	sql(arg, "COMMIT");
	return NULL;
}

/* A backup may hold a lock for a moment: nobody is told of that. */
static void test_lock_of_a_moment(void **state)
{
	struct store_op second = call_op("c2", 1);
	pthread_t thread;
	struct store *s;
	sqlite3 *db;

	(void)state;
	db_remove();
	s = db_open();
	assert_int_equal(sqlite3_open(db_path, &db), SQLITE_OK);
	sql(db, "BEGIN IMMEDIATE");
	assert_int_equal(pthread_create(&thread, NULL, locks_for_a_moment,
					db), 0);
	COMMIT(s, call_op("c1", 1));
	pthread_join(thread, NULL);
	assert_string_equal(loaded(s), C1);
	/* Else it says what is the matter. */
	sql(db, "BEGIN IMMEDIATE");
	assert_int_equal(commit(s, &second, 1), EBUSY);
	assert_non_null(strstr(s->error, "locked"));
	sqlite3_close(db);
	s->v->close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_file_modes),
		cmocka_unit_test(test_newer_schema),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_no_schema),
		cmocka_unit_test(test_foreign_database),
		cmocka_unit_test(test_refused_operation),
		cmocka_unit_test(test_not_a_database),
		cmocka_unit_test(test_empty_file),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_damaged_pages),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_no_folder),
		cmocka_unit_test(test_half_built),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_foreign_after_kill),
		cmocka_unit_test(test_table_missing),
		cmocka_unit_test(test_wal_alone),
		cmocka_unit_test(test_journal_alone),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_lock_of_a_moment),
	};

	return cmocka_run_group_tests(tests, file_set_up, file_tear_down);
}
