/* store_sqlite.h: private to store/: what opening the database (file checks,
 * schema) and using it (statements) share. SQLite's door is store_sqlite*.c.
 */
#ifndef MOD_PRIVATECALL_STORE_STORE_SQLITE_H
#define MOD_PRIVATECALL_STORE_STORE_SQLITE_H

#include "mod_privatecall/store/store.h"

struct sqlite3;

/* Opens the file at path (created when there is none), checks it and brings
 * its schema up to date. 0 and *db_r, which writes nothing of its log to the
 * file when it is closed (SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE), as its user may
 * still refuse it; else as store_sqlite_open(). */
int store_sqlite_file_open(const char *path, struct sqlite3 **db_r,
			   char **why_r);
/* The name of the VFS to open the database with, whose write-ahead log is
 * written in one piece a commit; NULL (the system's own) without memory. */
const char *store_sqlite_vfs(void);
/* The errno for an (extended) SQLite result code; 0 for OK, ROW, DONE. */
int store_sqlite_errno(int code);
/* For tests: lets the file have at most so many pages (commits fail with
 * ENOSPC) and a value so many bytes (EOVERFLOW); 0: as many as SQLite allows.
 * 0 or an errno. */
int store_sqlite_limit(struct store *s, unsigned pages, unsigned bytes);

#endif
