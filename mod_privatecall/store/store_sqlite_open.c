/* store_sqlite_open.c: the database file: creation, checks, schema.
 *
 * A new file is built beside its place and renamed: a file that is there is
 * thus always a whole database, and an empty or damaged one is refused, never
 * filled in silence (F07). Until a file has passed all checks nothing writes
 * to it, a checkpoint at close included.
 */
#include "mod_privatecall/store/store_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define APPLICATION_ID 0x70726376  /* "prcv" */
#define BUSY_MS 200                /* a backup may hold a lock for a moment */
#define SYNCHRONOUS_FULL 2

/* Step i brings a schema of version i to i + 1. Steps are never changed after
 * a release, only added. seq keeps the order in which rows came. */
static const char *const migrations[] = {
	"CREATE TABLE call (id TEXT NOT NULL PRIMARY KEY, caller TEXT,"
	" callee TEXT, round INTEGER NOT NULL, media INTEGER NOT NULL,"
	" state INTEGER NOT NULL, created INTEGER NOT NULL,"
	" rung INTEGER NOT NULL, answered INTEGER NOT NULL,"
	" round_answered INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE leg (call TEXT NOT NULL, side INTEGER NOT NULL,"
	" user TEXT, device TEXT, own TEXT, sid TEXT,"
	" state INTEGER NOT NULL, flags INTEGER NOT NULL, data TEXT,"
	" PRIMARY KEY (call, side)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE visit (call TEXT NOT NULL, user TEXT NOT NULL,"
	" began INTEGER NOT NULL, ended INTEGER NOT NULL, device TEXT,"
	" reason TEXT, PRIMARY KEY (call, user, began))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX visit_ended ON visit (ended);"
	"CREATE TABLE log (seq INTEGER PRIMARY KEY, call TEXT NOT NULL,"
	" round INTEGER NOT NULL, caller TEXT, callee TEXT,"
	" media INTEGER NOT NULL, started INTEGER NOT NULL,"
	" answered INTEGER NOT NULL, ended INTEGER NOT NULL, result TEXT,"
	" reason TEXT, UNIQUE (call, round)) STRICT;"
	"CREATE INDEX log_ended ON log (ended);"
	"CREATE INDEX log_caller ON log (caller);"
	"CREATE INDEX log_callee ON log (callee);"
	"CREATE TABLE outbox (seq INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE, user TEXT, peer TEXT, kind TEXT,"
	" subject TEXT, body TEXT, lang TEXT, created INTEGER NOT NULL,"
	" sent INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;"
	"CREATE INDEX outbox_created ON outbox (created);"
	"CREATE TABLE setting (user TEXT NOT NULL, name TEXT NOT NULL,"
	" value TEXT NOT NULL, PRIMARY KEY (user, name))"
	" STRICT, WITHOUT ROWID;"
	"CREATE TABLE switch (name TEXT NOT NULL PRIMARY KEY,"
	" value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE contact (user TEXT NOT NULL, contact TEXT NOT NULL,"
	" \"to\" INTEGER NOT NULL, \"from\" INTEGER NOT NULL,"
	" ask INTEGER NOT NULL, PRIMARY KEY (user, contact))"
	" STRICT, WITHOUT ROWID;",
	/* The mode of a call's media; all were `direct` until then. */
	"ALTER TABLE call ADD COLUMN mode INTEGER NOT NULL DEFAULT 0;",
	"ALTER TABLE log ADD COLUMN step TEXT;"
	"CREATE TABLE traffic (call TEXT NOT NULL, round INTEGER NOT NULL,"
	" ended INTEGER NOT NULL, figures TEXT, PRIMARY KEY (call, round))"
	" STRICT, WITHOUT ROWID;"
	"CREATE INDEX traffic_ended ON traffic (ended);",
};
#define SCHEMA_VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

int store_sqlite_errno(int code)
{
	if (code == SQLITE_IOERR_NOMEM)
		return ENOMEM;
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_TOOBIG:
		return EOVERFLOW;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EINVAL;
	default:
		return EIO;
	}
}

/* Builds *why_r and gives err back. */
__attribute__((format(printf, 3, 4)))
static int refuse(int err, char **why_r, const char *format, ...)
{
	va_list args;

	if (!why_r)
		return err;
	va_start(args, format);
	if (vasprintf(why_r, format, args) < 0)
		*why_r = NULL;
	va_end(args);
	return err;
}

static int refuse_damaged(const char *path, char **why_r, const char *what)
{
	return refuse(EINVAL, why_r, "%s is damaged or no database of "
		"privatecalld (%.200s): restore the backup, or move %s, "
		"%s-wal and %s-shm away to start with an empty one",
		path, what, path, path, path);
}

static int refuse_failed(const char *path, char **why_r, sqlite3 *db)
{
	int err = store_sqlite_errno(sqlite3_extended_errcode(db));

	if (err == EINVAL)
		return refuse_damaged(path, why_r, sqlite3_errmsg(db));
	return refuse(err, why_r, "%s cannot be opened: %s", path,
		      sqlite3_errmsg(db));
}

/* The first column of the first row, as a number or as text. */
static int value_get(sqlite3 *db, const char *sql, int *number_r,
		     char *text_r, size_t size)
{
	sqlite3_stmt *st = NULL;
	const unsigned char *text;
	int code = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code == SQLITE_ROW && number_r)
		*number_r = sqlite3_column_int(st, 0);
	if (code == SQLITE_ROW && text_r) {
		text = sqlite3_column_text(st, 0);
		snprintf(text_r, size, "%s",
			 text ? (const char *)text : "");
	}
	sqlite3_finalize(st);
	return code == SQLITE_ROW ? SQLITE_OK : code;
}

static int migrate(sqlite3 *db, int version)
{
	char sql[80];
	int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	for (int i = version; code == SQLITE_OK && i < SCHEMA_VERSION; i++)
		code = sqlite3_exec(db, migrations[i], NULL, NULL, NULL);
	if (code == SQLITE_OK) {
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d;"
			 "PRAGMA user_version = %d; COMMIT",
			 APPLICATION_ID, SCHEMA_VERSION);
		code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	}
	return code;
}

static int folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) :
		strdup(".");
	int fd, err = 0;

	if (!folder)
		return ENOMEM;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (fd < 0)
		return errno;
	if (fsync(fd) < 0 && errno != EINVAL)
		err = errno;
	close(fd);
	return err;
}

/* Builds an empty database in the file `fresh`, which must not exist. */
static int fresh_build(const char *fresh, char **why_r)
{
	sqlite3 *db = NULL;
	int err = 0, code, fd;

	fd = open(fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse(errno, why_r, "%s cannot be created: %s: the "
			"folder must exist and belong to the user that runs "
			"privatecalld", fresh, strerror(errno));
	close(fd);
	code = sqlite3_open_v2(fresh, &db, SQLITE_OPEN_READWRITE |
			       SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL,
				    NULL, NULL);
	if (code == SQLITE_OK)
		code = migrate(db, 0);
	if (code != SQLITE_OK) {
		err = store_sqlite_errno(code);
		refuse(err, why_r, "%s cannot be written: %s", fresh,
		       sqlite3_errmsg(db));
	}
	sqlite3_close(db);
	return err;
}

static int database_create(const char *path, char **why_r)
{
	char *fresh, *rest;
	int err;

	if (asprintf(&fresh, "%s-new", path) < 0)
		return ENOMEM;
	if (asprintf(&rest, "%s-new-journal", path) < 0) {
		free(fresh);
		return ENOMEM;
	}
	/* Left by a start that was killed: never was the database. */
	unlink(fresh);
	unlink(rest);
	err = fresh_build(fresh, why_r);
	if (!err && rename(fresh, path) < 0)
		err = refuse(errno, why_r, "%s cannot be renamed to %s: %s",
			     fresh, path, strerror(errno));
	if (!err) {
		err = folder_sync(path);
		if (err)
			refuse(err, why_r, "the folder of %s cannot be "
			       "synced: %s", path, strerror(err));
	} else {
		unlink(fresh);
		unlink(rest);
	}
	free(fresh);
	free(rest);
	return err;
}

static bool beside(const char *path, const char *suffix)
{
	struct stat st;
	char *name;
	bool there;

	if (asprintf(&name, "%s%s", path, suffix) < 0)
		return false;
	there = lstat(name, &st) == 0;
	free(name);
	return there;
}

/* The file is there and can be read and written, or is made. */
static int file_prepare(const char *path, char **why_r)
{
	struct stat st;
	int fd;

	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		/* The log of another database would be played into it. */
		if (beside(path, "-wal") || beside(path, "-journal"))
			return refuse(EINVAL, why_r, "%s is missing but its "
				"%s-wal or %s-journal is there: restore the "
				"backup, or move them away to start with an "
				"empty one", path, path, path);
		return database_create(path, why_r);
	}
	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return refuse(errno, why_r, "%s cannot be opened: %s", path,
			      strerror(errno));
	if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return refuse(errno, why_r, "%s cannot be opened for reading "
			"and writing by the user that runs privatecalld: %s",
			path, strerror(errno));
	if (fd < 0)
		return refuse(EINVAL, why_r, "%s cannot be opened (%s): "
			"restore the backup, or move it away to start with "
			"an empty one", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return refuse_damaged(path, why_r, "not a regular file");
	}
	close(fd);
	if (st.st_size == 0)
		return refuse_damaged(path, why_r, "the file is empty");
	return 0;
}

static int database_check(const char *path, sqlite3 *db, int *version_r,
			  char **why_r)
{
	char text[256] = "";
	int id = 0, code;

	code = value_get(db, "PRAGMA application_id", &id, NULL, 0);
	if (code == SQLITE_OK)
		code = value_get(db, "PRAGMA user_version", version_r, NULL,
				 0);
	if (code != SQLITE_OK)
		return refuse_failed(path, why_r, db);
	if (id != APPLICATION_ID)
		return refuse_damaged(path, why_r,
				      "it belongs to another program");
	if (*version_r > SCHEMA_VERSION)
		return refuse(EINVAL, why_r, "%s has schema %d, newer than "
			"the %d of this program: run the newer program, "
			"restore the backup from before its start, or move "
			"%s, %s-wal and %s-shm away to start with an empty "
			"one", path, *version_r, SCHEMA_VERSION, path, path,
			path);
	if (*version_r < 1)
		return refuse_damaged(path, why_r, "it has no schema");
	code = value_get(db, "PRAGMA quick_check(1)", NULL, text,
			 sizeof(text));
	if (code != SQLITE_OK)
		return refuse_failed(path, why_r, db);
	text[strcspn(text, "\r\n")] = '\0';
	if (strcmp(text, "ok") != 0)
		return refuse_damaged(path, why_r, text);
	return 0;
}

static int database_ready(const char *path, sqlite3 *db, int version,
			  char **why_r)
{
	char mode[16] = "";
	int level = 0;
	int code = value_get(db, "PRAGMA journal_mode = WAL", NULL, mode,
			     sizeof(mode));

	if (code == SQLITE_OK && strcmp(mode, "wal") != 0)
		return refuse(ENOTSUP, why_r, "%s cannot use a write-ahead "
			"log: its folder must be on a local disk", path);
	if (code == SQLITE_OK)
		code = sqlite3_exec(db, "PRAGMA synchronous = FULL;"
				    "PRAGMA journal_size_limit = 4194304",
				    NULL, NULL, NULL);
	/* store_sqlite_log.c loses commits with less. */
	if (code == SQLITE_OK)
		code = value_get(db, "PRAGMA synchronous", &level, NULL, 0);
	if (code == SQLITE_OK && level < SYNCHRONOUS_FULL)
		return refuse(ENOTSUP, why_r, "%s cannot be used with "
			"synchronous = FULL, by which nothing stored is lost",
			path);
	if (code == SQLITE_OK && version < SCHEMA_VERSION)
		code = migrate(db, version);
	return code == SQLITE_OK ? 0 : refuse_failed(path, why_r, db);
}

int store_sqlite_file_open(const char *path, struct sqlite3 **db_r,
			   char **why_r)
{
	sqlite3 *db = NULL;
	int version = 0, err = file_prepare(path, why_r);

	if (err)
		return err;
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE |
			    SQLITE_OPEN_NOMUTEX,
			    store_sqlite_vfs()) != SQLITE_OK) {
		err = db ? refuse_failed(path, why_r, db) : ENOMEM;
		sqlite3_close(db);
		return err;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	err = database_check(path, db, &version, why_r);
	if (!err)
		err = database_ready(path, db, version, why_r);
	if (err) {
		sqlite3_close(db);
		return err;
	}
	*db_r = db;
	return 0;
}
