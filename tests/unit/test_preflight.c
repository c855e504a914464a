/* test_preflight.c: what a start says of files it cannot use: path, user and
 * command. Root may use all, so that the tests give it up.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "mod_privatecall/daemon/daemon.h"

#define NOBODY 65534

static char dir[64], database[96], sock[96], me[32];
static struct conf conf;
static bool was_root;

static int setup(void **state)
{
	(void)state;
	was_root = geteuid() == 0;
	snprintf(dir, sizeof(dir), "/tmp/privatecall-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(database, sizeof(database), "%s/state/db", dir);
	snprintf(sock, sizeof(sock), "%s/run/control", dir);
	conf.database = database;
	conf.control_socket = sock;
	if (was_root) {
		assert_int_equal(chown(dir, NOBODY, (gid_t)-1), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	preflight_user(me);
	return 0;
}

static int teardown(void **state)
{
	char command[160];

	(void)state;
	if (was_root)
		assert_int_equal(seteuid(0), 0);
	snprintf(command, sizeof(command), "chmod -R u+rwx '%s'; rm -rf '%s'",
		 dir, dir);
	return system(command);
}

static void put_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void make(const char *name, mode_t mode)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* The words; %D is the folder of the test, %U the user. */
static void says(const char *why, const char *expected)
{
	char text[1024] = "";
	size_t n = 0;

	for (; *expected; expected++) {
		const char *put = expected[0] != '%' ? NULL :
				  expected[1] == 'D' ? dir : me;

		if (put) {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
					      put);
			expected++;
		} else {
			text[n++] = *expected;
			text[n] = 0;
		}
	}
	assert_string_equal(why, text);
}

static void refused(const char *expected)
{
	char *why = NULL;

	assert_int_not_equal(preflight(&conf, &why), 0);
	assert_non_null(why);
	says(why, expected);
	free(why);
}

static void fine(void)
{
	char *why = NULL;

	if (preflight(&conf, &why))
		fail_msg("%s", why);
}

static void folders(void **state)
{
	(void)state;
	refused("%D/state/db: user %U cannot make the folder %D/state: sudo "
		"install -d -m 700 -o %U %D/state");
	make("state", 0500);
	refused("%D/state/db: user %U cannot write in the folder %D/state: "
		"sudo install -d -m 700 -o %U %D/state");
	chmod(dir, 0600);
	refused("%D/state/db: user %U cannot enter the folder %D: set "
		"`database' to a place that %U can enter");
}

static void socket_folder(void **state)
{
	(void)state;
	make("state", 0700);
	fine();                /* the folder of the socket is made */
	chmod(dir, 0500);
	refused("%D/run/control: user %U cannot make the folder %D/run: sudo "
		"install -d -m 700 -o %U %D/run");
	conf.control_socket = (char *)(uintptr_t)"/proc/control";
	refused("/proc/control: user %U cannot write in the folder /proc: "
		"give it a folder of its own, control_socket = "
		"\"/proc/privatecall/control\", made by sudo install -d -m "
		"700 -o %U /proc/privatecall");
}

static void files(void **state)
{
	char path[128];

	(void)state;
	make("state", 0700);
	put_file(database, 0600);
	fine();
	snprintf(path, sizeof(path), "%s-wal", database);
	put_file(path, 0400);
	refused("user %U cannot read and write %D/state/db-wal: sudo chown %U "
		"%D/state/db-wal && sudo chmod 600 %D/state/db-wal");
	chmod(database, 0);
	refused("user %U cannot read and write %D/state/db %D/state/db-wal: "
		"sudo chown %U %D/state/db %D/state/db-wal && sudo chmod 600 "
		"%D/state/db %D/state/db-wal");
}

static void configuration(void **state)
{
	char path[96], *why;

	(void)state;
	snprintf(path, sizeof(path), "%s/state/conf", dir);
	make("state", 0700);
	put_file(path, 0);
	why = preflight_conf(path, EACCES);
	says(why, "%D/state/conf: user %U cannot read it: sudo chown %U "
	     "%D/state/conf && sudo chmod 600 %D/state/conf");
	free(why);
	chmod(dir, 0600);
	why = preflight_conf(path, EACCES);
	says(why, "%D/state/conf: user %U cannot enter the folder %D: move "
	     "the file to a place that %U can enter, or sudo chown %U %D");
	free(why);
	why = preflight_conf(path, ENOENT);
	assert_non_null(strstr(why, "-c FILE names another"));
	free(why);
	assert_null(preflight_conf(path, EBADMSG));
}

/* Root would lock the service's own user out of its files. */
static void root_in_anothers_folder(void **state)
{
	char *why = NULL, expected[512];

	(void)state;
	if (!was_root)
		skip();
	make("state", 0700);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(preflight(&conf, &why), EPERM);
	snprintf(expected, sizeof(expected), "%s/state belongs to user %s, "
		 "and this is root, who would leave files there that %s "
		 "cannot open: run it as sudo -u %s privatecalld", dir, me,
		 me, me);
	assert_string_equal(why, expected);
	free(why);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(folders),
		T(socket_folder),
		T(files),
		T(configuration),
		T(root_in_anothers_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
