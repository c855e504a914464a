/* store_sqlite_log.c: what a commit writes to the write-ahead log leaves in one
 * piece.
 *
 * SQLite writes a page of its log by two system calls, one for 24 bytes of
 * header, and a call of ours changes about ten pages. Here they are held back
 * until SQLite has them synced, before which no commit counts (`synchronous =
 * FULL`; with less it would tell other processes of pages that are not there),
 * or reads them. All else is done by the system's own VFS
 * (https://sqlite.org/vfs.html).
 *
 * What is held belongs to the transaction that holds SQLite's write lock: when
 * that goes, the rest is of a transaction that was taken back, and its place in
 * the file may be another process's. So it is forgotten, never written.
 * Not for `locking_mode = EXCLUSIVE`, where that lock is never given back.
 */
#include "mod_privatecall/store/store_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define LOG_ROOM (127 * 1024)      /* SQLite writes less than 128 KiB at once */
#define WRITE_LOCK 0               /* https://sqlite.org/walformat.html */

struct main_file;

/* The log's file; what the system's VFS keeps of it stands behind. */
struct log_file {
	sqlite3_file base;         /* must be first */
	struct main_file *main;    /* whose log it is */
	unsigned char *buf;        /* LOG_ROOM bytes; NULL: nothing is held */
	sqlite3_int64 at;          /* where they belong in the file */
	sqlite3_int64 n;           /* so many of them are held */
	int refused;               /* what the disk said to them, or 0: none of
				      that transaction can be stored */
};

/* Stands behind what the system's VFS keeps of the database's own file. */
struct main_file {
	sqlite3_io_methods methods;        /* the system's, but for the lock */
	const sqlite3_io_methods *system;
	struct log_file *log;              /* NULL: none is open */
};

static sqlite3_vfs *system_vfs;

static struct log_file *mine(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)(mine(file) + 1);
}

static struct main_file *behind(sqlite3_file *file)
{
	return (struct main_file *)((char *)file + system_vfs->szOsFile);
}

/* --- the log ---------------------------------------------------------- */

static int flush(sqlite3_file *file)
{
	struct log_file *f = mine(file);

	if (f->n && !f->refused)
		f->refused = real(file)->pMethods->xWrite(real(file), f->buf,
							  (int)f->n, f->at);
	if (!f->refused)
		f->n = 0;
	return f->refused;
}

static int log_write(sqlite3_file *file, const void *bytes, int n,
		     sqlite3_int64 at)
{
	struct log_file *f = mine(file);

	if (!f->buf)
		return real(file)->pMethods->xWrite(real(file), bytes, n, at);
	if ((at != f->at + f->n || n > LOG_ROOM - f->n) &&
	    flush(file) != SQLITE_OK)
		return f->refused;
	if (f->refused)
		return f->refused;
	if (n > LOG_ROOM)
		return real(file)->pMethods->xWrite(real(file), bytes, n, at);
	if (!f->n)
		f->at = at;
	memcpy(f->buf + f->n, bytes, (size_t)n);
	f->n += n;
	return SQLITE_OK;
}

/* What is not held can be read, also when the disk refuses the rest. */
static int log_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
	struct log_file *f = mine(file);

	if (f->n && at + n > f->at && flush(file) != SQLITE_OK)
		return f->refused;
	return real(file)->pMethods->xRead(real(file), bytes, n, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = flush(file);

	return code != SQLITE_OK ? code :
		real(file)->pMethods->xTruncate(real(file), size);
}

static int log_sync(sqlite3_file *file, int flags)
{
	int code = flush(file);

	return code != SQLITE_OK ? code :
		real(file)->pMethods->xSync(real(file), flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size_r)
{
	int code = flush(file);

	return code != SQLITE_OK ? code :
		real(file)->pMethods->xFileSize(real(file), size_r);
}

static int log_close(sqlite3_file *file)
{
	struct log_file *f = mine(file);

	f->main->log = NULL;
	free(f->buf);
	return real(file)->pMethods->xClose(real(file));
}

static int log_lock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int log_is_reserved(sqlite3_file *file, int *is_r)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), is_r);
}

static int log_control(sqlite3_file *file, int op, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int log_sector(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int log_device(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int log_open(const char *name, sqlite3_file *file, int flags,
		    int *flags_r)
{
	static const sqlite3_io_methods methods = {
		.iVersion = 1, .xClose = log_close, .xRead = log_read,
		.xWrite = log_write, .xTruncate = log_truncate,
		.xSync = log_sync, .xFileSize = log_size, .xLock = log_lock,
		.xUnlock = log_unlock, .xCheckReservedLock = log_is_reserved,
		.xFileControl = log_control, .xSectorSize = log_sector,
		.xDeviceCharacteristics = log_device,
	};
	struct log_file *f = mine(file);
	int code = system_vfs->xOpen(system_vfs, name, real(file), flags,
				     flags_r);
	sqlite3_file *db;

	memset(f, 0, sizeof(*f));
	if (code != SQLITE_OK) {
		/* Who could not be opened may have to be closed. */
		if (real(file)->pMethods)
			real(file)->pMethods->xClose(real(file));
		return code;
	}
	db = sqlite3_database_file_object(name);
	f->base.pMethods = &methods;
	f->main = behind(db);
	f->main->log = f;
	/* Where a write may damage what stands beside it SQLite syncs before
	 * it has written all of a commit. It asks the database's file, at this
	 * moment, as the name of the log has no parameters. */
	if (f->main->system->xDeviceCharacteristics(db) &
	    SQLITE_IOCAP_POWERSAFE_OVERWRITE)
		f->buf = malloc(LOG_ROOM);
	return SQLITE_OK;
}

/* --- the database's own file ------------------------------------------ */

/* SQLite locks its log by the file of the database. */
static int main_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
	struct main_file *m = behind(file);

	if (at == WRITE_LOCK && m->log && (flags & SQLITE_SHM_UNLOCK) &&
	    (flags & SQLITE_SHM_EXCLUSIVE)) {
		m->log->n = 0;
		m->log->refused = SQLITE_OK;
	}
	return m->system->xShmLock(file, at, n, flags);
}

static int main_open(const char *name, sqlite3_file *file, int flags,
		     int *flags_r)
{
	struct main_file *m = behind(file);
	int code = system_vfs->xOpen(system_vfs, name, file, flags, flags_r);

	memset(m, 0, sizeof(*m));
	if (code != SQLITE_OK)
		return code;
	m->system = file->pMethods;
	m->methods = *m->system;
	if (m->methods.iVersion > 3)
		m->methods.iVersion = 3;        /* what is known here */
	m->methods.xShmLock = main_shm_lock;
	file->pMethods = &m->methods;
	return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		    int flags, int *flags_r)
{
	(void)vfs;
	if (flags & SQLITE_OPEN_MAIN_DB)
		return main_open(name, file, flags, flags_r);
	if (flags & SQLITE_OPEN_WAL)
		return log_open(name, file, flags, flags_r);
	return system_vfs->xOpen(system_vfs, name, file, flags, flags_r);
}

const char *store_sqlite_vfs(void)
{
	static sqlite3_vfs vfs;

	if (!system_vfs)
		system_vfs = sqlite3_vfs_find(NULL);
	if (!vfs.zName && system_vfs) {
		vfs = *system_vfs;
		vfs.zName = "privatecall";
		vfs.szOsFile += (int)(sizeof(struct log_file) +
				      sizeof(struct main_file));
		vfs.pNext = NULL;
		vfs.xOpen = vfs_open;
		if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
			vfs.zName = NULL;
	}
	return vfs.zName;
}
