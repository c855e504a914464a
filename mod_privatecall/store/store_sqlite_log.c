/* store_sqlite_log.c: what a commit writes to the write-ahead log leaves in one
 * piece.
 *
 * SQLite writes a page of its log by two system calls, one for 24 bytes of
 * header, and a call of ours changes about 14 pages. Here they wait until
 * SQLite has them synced, as it does before a commit counts, or reads the file.
 * All else is done by the system's own VFS (https://sqlite.org/vfs.html).
 */
#include "mod_privatecall/store/store_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define LOG_ROOM (128 * 1024)      /* 31 pages */

/* The log's file; what the system's VFS keeps of it stands behind. */
struct log_file {
	sqlite3_file base;         /* must be first */
	unsigned char *buf;        /* LOG_ROOM bytes */
	sqlite3_int64 at;          /* where they belong in the file */
	sqlite3_int64 n;           /* so many of them are not written yet */
};

static struct log_file *mine(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)(mine(file) + 1);
}

/* What a disk refuses is kept, and tried again: SQLite was told that it is
 * written. */
static int flush(sqlite3_file *file)
{
	struct log_file *f = mine(file);
	int code = SQLITE_OK;

	if (f->n)
		code = real(file)->pMethods->xWrite(real(file), f->buf,
						    (int)f->n, f->at);
	if (code == SQLITE_OK)
		f->n = 0;
	return code;
}

static int log_write(sqlite3_file *file, const void *bytes, int n,
		     sqlite3_int64 at)
{
	struct log_file *f = mine(file);
	int code;

	if (f->n && (at != f->at + f->n || n > LOG_ROOM - f->n)) {
		code = flush(file);
		if (code != SQLITE_OK)
			return code;
	}
	if (n > LOG_ROOM)
		return real(file)->pMethods->xWrite(real(file), bytes, n, at);
	if (!f->n)
		f->at = at;
	memcpy(f->buf + f->n, bytes, (size_t)n);
	f->n += n;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
	int code = flush(file);

	return code != SQLITE_OK ? code :
		real(file)->pMethods->xRead(real(file), bytes, n, at);
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
	int lost = flush(file);
	int code = real(file)->pMethods->xClose(real(file));

	free(mine(file)->buf);
	return code == SQLITE_OK ? lost : code;
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

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file,
		    int flags, int *flags_r)
{
	static const sqlite3_io_methods methods = {
		.iVersion = 1, .xClose = log_close, .xRead = log_read,
		.xWrite = log_write, .xTruncate = log_truncate,
		.xSync = log_sync, .xFileSize = log_size, .xLock = log_lock,
		.xUnlock = log_unlock, .xCheckReservedLock = log_is_reserved,
		.xFileControl = log_control, .xSectorSize = log_sector,
		.xDeviceCharacteristics = log_device,
	};
	sqlite3_vfs *system = vfs->pAppData;
	struct log_file *f = mine(file);
	int code;

	if (!(flags & SQLITE_OPEN_WAL))
		return system->xOpen(system, name, file, flags, flags_r);
	memset(f, 0, sizeof(*f));
	f->buf = malloc(LOG_ROOM);
	if (!f->buf)
		return SQLITE_NOMEM;
	code = system->xOpen(system, name, real(file), flags, flags_r);
	if (code != SQLITE_OK) {
		/* Who could not be opened may have to be closed. */
		if (real(file)->pMethods)
			real(file)->pMethods->xClose(real(file));
		free(f->buf);
		return code;
	}
	f->base.pMethods = &methods;
	return SQLITE_OK;
}

const char *store_sqlite_vfs(void)
{
	static sqlite3_vfs vfs;
	sqlite3_vfs *system = sqlite3_vfs_find(NULL);

	if (!vfs.zName && system) {
		vfs = *system;
		vfs.zName = "privatecall";
		vfs.szOsFile += (int)sizeof(struct log_file);
		vfs.pNext = NULL;
		vfs.pAppData = system;
		vfs.xOpen = vfs_open;
		if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
			vfs.zName = NULL;
	}
	return vfs.zName;
}
