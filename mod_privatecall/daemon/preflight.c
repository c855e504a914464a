/* preflight.c: can the user we run as use the files that a start needs? Asked
 * before they are opened, so that one line can name the path, the user and the
 * command that mends it; the drivers only know that something failed.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *user_name(uid_t uid, char out[32])
{
	const struct passwd *p = getpwuid(uid);

	if (p)
		snprintf(out, 32, "%s", p->pw_name);
	else
		snprintf(out, 32, "%u", (unsigned)uid);
	return out;
}

const char *preflight_user(char out[32])
{
	return user_name(geteuid(), out);
}

/* Commands are for the admin's shell, where root needs no sudo. */
static const char *sudo(void)
{
	return geteuid() ? "sudo " : "";
}

static bool may(const char *path, int how)
{
	return faccessat(AT_FDCWD, path, how, AT_EACCESS) == 0;
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash > path ? strndup(path, (size_t)(slash - path)) :
			      strdup(slash ? "/" : ".");
}

/* A folder that others need as it is: /, /run, /tmp, /var/lib ..., and what
 * belongs to somebody. */
static bool is_shared(const char *folder)
{
	const char *second = strchr(folder + 1, '/');
	struct stat st;

	if (stat(folder, &st) == 0 && st.st_uid && st.st_uid != geteuid())
		return true;
	return !second || (strncmp(folder, "/var/", 5) == 0 &&
			   !strchr(folder + 5, '/'));
}

/* The first folder above `path` that we may not enter, to be freed. */
static char *closed_folder(const char *path)
{
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		char *folder = strndup(path, (size_t)(p - path));

		if (!folder || (!may(folder, X_OK) && errno == EACCES))
			return folder;
		free(folder);
	}
	return NULL;
}

/* What to do about `folder`, which is that of `path` or above it. */
static char *folder_mend(const char *option, const char *path,
			 const char *folder, const char *me)
{
	const char *name = strrchr(path, '/') + 1;
	char *text = NULL;
	int n;

	if (strlen(folder) + 1 < (size_t)(name - path) && *folder &&
	    folder[1] && may(folder, F_OK))
		n = asprintf(&text, "set `%s' to a place that %s can enter",
			     option, me);
	else if (is_shared(folder))
		n = asprintf(&text, "give it a folder of its own, %s = \"%s/"
			     "privatecall/%s\", made by %sinstall -d -m 700 "
			     "-o %s %s/privatecall", option, folder, name,
			     sudo(), me, folder);
	else
		n = asprintf(&text, "%sinstall -d -m 700 -o %s %s", sudo(), me,
			     folder);
	return n < 0 ? NULL : text;
}

/* Takes `mend`. */
static int refuse_folder(char **why_r, const char *path, const char *folder,
			 const char *what, char *mend)
{
	char me[32];

	if (asprintf(why_r, "%s: user %s cannot %s the folder %s: %s", path,
		     preflight_user(me), what, folder, mend ? mend : "") < 0)
		*why_r = NULL;
	free(mend);
	return EACCES;
}

/* The folder of `path` is there, or `made`: can be made; and takes files. */
static int check_folder(const char *option, const char *path, bool made,
			char **why_r)
{
	char *folder = folder_of(path), *closed = closed_folder(path), *above;
	const char *bad = closed ? closed : folder, *what = "enter";
	char me[32];
	bool ok;

	if (!folder)
		return ENOMEM;
	above = folder_of(folder);
	ok = !closed && may(folder, W_OK | X_OK);
	if (!ok && !closed)
		what = errno == ENOENT ? "make" : "write in";
	if (!ok && made && above && *what == 'm')
		ok = may(above, W_OK | X_OK);
	if (!ok && errno != EROFS)
		refuse_folder(why_r, path, bad, what,
			      folder_mend(option, path, bad,
					  preflight_user(me)));
	else if (!ok && asprintf(why_r, "%s: the file system is read-only: "
				 "mount it for writing, or set `%s'", path,
				 option) < 0)
		*why_r = NULL;
	free(above);
	free(closed);
	free(folder);
	return ok ? 0 : EACCES;
}

/* Root would leave files that their folder's owner cannot open. */
static int check_root(const struct conf *c, char **why_r)
{
	char *folder = folder_of(c->database), owner[32];
	struct stat st;
	int rc = 0;

	if (!geteuid() && folder && stat(folder, &st) == 0 && st.st_uid) {
		rc = EPERM;
		user_name(st.st_uid, owner);
		if (asprintf(why_r, "%s belongs to user %s, and this is root, "
			     "who would leave files there that %s cannot "
			     "open: run it as sudo -u %s privatecalld",
			     folder, owner, owner, owner) < 0)
			*why_r = NULL;
	}
	free(folder);
	return rc;
}

/* Those of the database's files that are there are ours to write. */
static int check_files(const char *database, char **why_r)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-lock" };
	char *bad = NULL, *name, *list, me[32];
	size_t i;
	int rc;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (asprintf(&name, "%s%s", database, ends[i]) < 0)
			return ENOMEM;
		if (!may(name, R_OK | W_OK) && errno == EACCES &&
		    asprintf(&list, "%s%s%s", bad ? bad : "",
			     bad ? " " : "", name) >= 0) {
			free(bad);
			bad = list;
		}
		free(name);
	}
	rc = bad ? EACCES : 0;
	preflight_user(me);
	if (bad && asprintf(why_r, "user %s cannot read and write %s: %schown "
			    "%s %s && %schmod 600 %s", me, bad, sudo(), me,
			    bad, sudo(), bad) < 0)
		*why_r = NULL;
	free(bad);
	return rc;
}

int preflight(const struct conf *c, char **why_r)
{
	int rc = check_root(c, why_r);

	if (!rc)
		rc = check_folder("database", c->database, false, why_r);
	if (!rc)
		rc = check_files(c->database, why_r);
	if (!rc)
		rc = check_folder("control_socket", c->control_socket, true,
				  why_r);
	return rc;
}

char *preflight_conf(const char *path, int err)
{
	char *closed = err == EACCES ? closed_folder(path) : NULL;
	char *text = NULL, me[32];
	int n = -1;

	preflight_user(me);
	if (err == ENOENT)
		n = asprintf(&text, "%s: there is no such file; -c FILE names "
			     "another one, and privatecall.conf.sample, which "
			     "is installed with the documentation, has every "
			     "option", path);
	else if (closed)
		n = asprintf(&text, "%s: user %s cannot enter the folder %s: "
			     "move the file to a place that %s can enter, or "
			     "%schown %s %s", path, me, closed, me, sudo(),
			     me, closed);
	else if (err == EACCES)
		n = asprintf(&text, "%s: user %s cannot read it: %schown %s "
			     "%s && %schmod 600 %s", path, me, sudo(), me,
			     path, sudo(), path);
	free(closed);
	return n < 0 ? NULL : text;
}
