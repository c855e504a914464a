/* test_conf.c: the configuration file: values, every kind of fault with its
 * line, column and text, secrets, included files, printing and differences.
 */
#include "mod_privatecall/conf/conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/fds.h"

#define MIN "domain = calls.example.org\nsecret = s3cret\n"

static char dir[64];
static unsigned fds;               /* open before the tests */

/* The path of a file of this name in the test's own folder. */
static const char *path_of(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_bytes(const char *name, const char *bytes, size_t len,
			mode_t mode)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	write_bytes(name, text, strlen(text), mode);
}

static struct conf *load(const char *text)
{
	struct conf *c;
	char *why;
	int err;

	write_file("t.conf", text, 0600);
	err = conf_load(path_of("t.conf"), &c, &why);
	if (err)
		print_error("%s\n", why);
	assert_int_equal(err, 0);
	assert_null(why);
	return c;
}

/* The fault must be reported as "FILE:" and this. */
static void refused_in(const char *file, const char *expected)
{
	char line[1024];
	struct conf *c;
	char *why;

	assert_int_equal(conf_load(path_of("t.conf"), &c, &why), EBADMSG);
	assert_null(c);
	snprintf(line, sizeof(line), "%s:%s", path_of(file), expected);
	assert_string_equal(why, line);
	free(why);
}

static void refused(const char *text, const char *expected)
{
	write_file("t.conf", text, 0600);
	refused_in("t.conf", expected);
}

static void defaults(void **state)
{
	struct conf *c = load(MIN);

	(void)state;
	assert_string_equal(c->domain, "calls.example.org");
	assert_string_equal(c->server, "127.0.0.1");
	assert_int_equal(c->port, 5347);
	assert_string_equal(c->secret, "s3cret");
	assert_string_equal(c->hosts[0], "example.org");
	assert_null(c->hosts[1]);
	assert_string_equal(c->database,
			    "/var/lib/privatecall/privatecall.db");
	assert_string_equal(c->control_socket, "/run/privatecall/control");
	assert_int_equal(c->log_privacy, LOG_JIDS_HASH);
	assert_int_equal(c->keep_log, INT64_C(90) * 86400000);
	assert_int_equal(c->keep_notices, INT64_C(30) * 86400000);
	assert_int_equal(c->notices_per_user, 50);
	assert_int_equal(c->site.ring_timeout, 30000);
	assert_int_equal(c->site.media, MODE_AUTO);
	assert_string_equal(c->media_socket,
			    "/run/privatecall-media/media.sock");
	assert_int_equal(c->site.user.who_may_call, WHO_SERVER);
	conf_free(c);
}

static const char all_values[] =
	"# every option\n"
	"domain = \"Calls.Example.ORG\" // prepared\n"
	"server = xmpp.example.org\n"
	"port = 5348\n"
	"secret = 'it\\'s \"so\" $\\\\'\n"
	"hosts = { example.org,\n\texample.net }\n"
	"hosts += { example.com }\n"
	"database = /tmp/x.db\n"
	"control_socket = /tmp/x.sock\n"
	"log_privacy = none\n"
	"keep_log = 2d\nkeep_notices = 36h\nnotices_per_user = 7\n"
	"enabled = no\nmessaging = off\nallow_video = false\n"
	"media = blind\nmedia_socket = /tmp/x.media\ncallable = active\n"
	"active_show = {dnd, online, xa}\n"
	"/* a longer\n   comment */\n"
	"idle_limit = 10m\non_leave = end\nrejoin = ring\n"
	"room_lifetime = 90m\nhard_limit = yes\n"
	"calls_require_messaging = true\nremote_users = on\n"
	"ring_timeout = 10500ms setup_timeout = 1m\n"
	"connect_timeout = 15s alone_timeout = 2m\n"
	"pair_per_minute = 1\ncaller_per_minute = 2\nmax_calls = 3\n"
	"who_may_call = contacts\nmessages = no\nsecond_call = busy\n"
	"notices = auto\n";

static void assert_all_values(const struct conf *c)
{
	assert_string_equal(c->domain, "calls.example.org");
	assert_string_equal(c->server, "xmpp.example.org");
	assert_int_equal(c->port, 5348);
	assert_string_equal(c->hosts[0], "example.org");
	assert_string_equal(c->hosts[1], "example.net");
	assert_string_equal(c->hosts[2], "example.com");
	assert_null(c->hosts[3]);
	assert_string_equal(c->database, "/tmp/x.db");
	assert_string_equal(c->control_socket, "/tmp/x.sock");
	assert_int_equal(c->log_privacy, LOG_JIDS_NONE);
	assert_int_equal(c->keep_log, INT64_C(2) * 86400000);
	assert_int_equal(c->keep_notices, INT64_C(36) * 3600000);
	assert_int_equal(c->notices_per_user, 7);
	assert_false(c->site.enabled || c->site.messaging);
	assert_false(c->site.allow_video);
	assert_int_equal(c->site.active_show, SHOW_DND | SHOW_ONLINE | SHOW_XA);
	assert_int_equal(c->site.idle_limit, 600000);
	assert_int_equal(c->site.room_lifetime, 5400000);
	assert_true(c->site.hard_limit && c->site.calls_require_messaging);
	assert_true(c->site.remote_users);
	assert_int_equal(c->site.ring_timeout, 10500);
	assert_int_equal(c->site.setup_timeout, 60000);
	assert_int_equal(c->site.media, MODE_BLIND);
	assert_string_equal(c->media_socket, "/tmp/x.media");
	assert_int_equal(c->site.connect_timeout, 15000);
	assert_int_equal(c->site.alone_timeout, 120000);
	assert_int_equal(c->site.pair_per_minute, 1);
	assert_int_equal(c->site.caller_per_minute, 2);
	assert_int_equal(c->site.max_calls, 3);
	assert_int_equal(c->site.user.who_may_call, WHO_CONTACTS);
	assert_false(c->site.user.messages);
	assert_int_equal(c->site.user.second_call, SECOND_BUSY);
	assert_int_equal(c->site.user.notices, NOTICES_AUTO);
}

static void no_line(const char *line, void *arg)
{
	(void)arg;
	fail_msg("differs: %s", line);
}

static char *printed(const struct conf *c)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	conf_print(c, out);
	fclose(out);
	return text;
}

static void every_value_is_read_and_printed(void **state)
{
	struct conf *c = load(all_values), *again;
	char *text, *twice;

	(void)state;
	assert_all_values(c);
	assert_string_equal(c->secret, "it's \"so\" $\\");
	text = printed(c);
	assert_null(strstr(text, "it's"));
	assert_non_null(strstr(text, "secret = \"********\"\n"));
	assert_non_null(strstr(text, "ring_timeout = 10500ms\n"));
	assert_non_null(strstr(text, "keep_notices = 36h\n"));
	assert_non_null(strstr(text, "active_show = {online, xa, dnd}\n"));
	again = load(text);
	assert_all_values(again);
	twice = printed(again);
	assert_string_equal(text, twice);
	free(again->secret);
	again->secret = strdup(c->secret);
	conf_diff(c, again, no_line, NULL);
	assert_null(conf_needs_restart(c, again));
	free(text);
	free(twice);
	conf_free(c);
	conf_free(again);
}

/* What libconfuse would take as special survives a round trip. */
static void printed_text_is_quoted(void **state)
{
	struct conf *c = load(MIN "database = '/a\\\\b \"c\" ${HOME} # d'\n");
	struct conf *again;
	char *text = printed(c);

	(void)state;
	assert_string_equal(c->database, "/a\\b \"c\" ${HOME} # d");
	again = load(text);
	assert_string_equal(again->database, c->database);
	free(text);
	conf_free(c);
	conf_free(again);
}

static void faults_of_syntax(void **state)
{
	(void)state;
	refused(MIN "enabled yes\n", "3:9: expected `=' after `enabled'");
	refused(MIN "\nenabled\n  yes\n", "5:3: expected `=' after `enabled'");
	refused(MIN "enabled =", "3:10: expected a value before the end of "
		"the file");
	refused(MIN "enabled = }\n", "3:11: expected a value, not `}'");
	refused(MIN "  enabled = {yes}\n", "3:13: expected a value, not `{'");
	refused(MIN "} enabled = yes\n",
		"3:1: expected the name of an option, not `}'");
	refused(MIN "= yes\n", "3:1: expected the name of an option, not `='");
	refused(MIN "\"\" = yes\n",
		"3:1: expected the name of an option, not an empty one");
	refused(MIN "enabled = yes ${NO_SUCH_VARIABLE}\n",
		"3:15: expected the name of an option, not an empty one");
	refused(MIN "active_show = { chat away }\n",
		"3:22: expected `,' or `}', not `away'");
	refused(MIN "active_show = { chat,, away }\n",
		"3:22: expected a value, not `,'");
	refused(MIN "active_show = {\n chat\n",
		"5:1: expected `,' or `}' before the end of the file");
	refused(MIN "active_show = { }\n",
		"3:17: expected at least one value in the list");
	refused(MIN "database = \"/tmp\n",
		"3:12: expected the closing quote of this string");
	refused(MIN " /* open\n\n",
		"3:2: expected `*/' at the end of this comment");
	refused(MIN "database = /tmp/a*b\n",
		"3:18: expected quotes around a value with `*' or `+'");
	refused(MIN "database = /tmp/a+b\n",
		"3:18: expected quotes around a value with `*' or `+'");
	refused(MIN "include \"x\"\n", "3:9: expected `(' after `include'");
	refused(MIN "include()\n", "3:9: expected the name of one file");
	refused(MIN "enabled|x = yes\n",
		"3:1: expected an option and its value");
}

static void faults_of_names(void **state)
{
	(void)state;
	refused(MIN "ring_timout = 30s\n", "3:1: expected the name of an "
		"option, not `ring_timout', nearest option `ring_timeout'");
	refused(MIN "enabled = yes Enabled = yes\n",
		"3:15: expected the name of an option, not `Enabled', "
		"nearest option `enabled'");
	refused(MIN "zzzzzzzzzz = 1\n",
		"3:1: expected the name of an option, not `zzzzzzzzzz'");
	refused(MIN "enabled = yes yes\n",
		"3:15: expected the name of an option, not `yes': a value "
		"with blanks stands in quotes");
	refused("domain = a.b\nsecret = the other one\n", "2:14: expected "
		"the name of an option, not `other': a value with blanks "
		"stands in quotes");
	refused("domain = a.b\nsecret = the secret\nport = 1\n",
		"2:14: expected `=' after `secret': a value with blanks "
		"stands in quotes");
	refused("domain = a.b\nsecret = \"x\";\n", "2:13: expected the name "
		"of an option, not `;': an option ends with its line");
	/* Nothing is proposed that is then refused. */
	refused(MIN "providr = x\n",
		"3:1: expected the name of an option, not `providr'");
	refused(MIN "timers { ring_timeout = 30s }\n",
		"3:1: expected the name of an option, not `timers'");
	refused(MIN "enabled = yes\n\n enabled = no\n", "5:12: expected "
		"`enabled' once, it stands in line 3 already");
	refused(MIN "hosts = {a.org}\nhosts = {b.org}\n", "4:10: expected "
		"`hosts' once, it stands in line 3 already");
	refused(MIN "media_port = 10000\n", "3:1: expected no `media_port': "
		"it needs to be given to privatecall-media, as --port");
	refused(MIN "forbid = 10.0.0.0/8\n", "3:1: expected no `forbid': it "
		"needs to be given to privatecall-media, as --forbid");
	refused("secret = x\n", "1:1: expected the option `domain'");
}

/* libconfuse 3.3 counts a commented line three times; text.c mends it. */
static void comments_do_not_move_lines(void **state)
{
	(void)state;
	refused("# one\n// two\n/* three\n * four\n */\n" MIN
		"enabled = no # nine\n/* ten */ max_calls = 0\n",
		"9:23: expected a number of 1 to 100000, not `0'");
	refused(MIN "database = \"/tmp/a # b\n// c\" x = 1\n",
		"4:7: expected the name of an option, not `x': a value with "
		"blanks stands in quotes");
	refused("\xef\xbb\xbf" MIN "server = \"\xc3\xa4\" x = 1\n",
		"3:14: expected the name of an option, not `x': a value with "
		"blanks stands in quotes");
	refused(MIN "\t\tenabled = maybe\r\n",
		"3:13: expected yes or no, not `maybe'");
}

static void faults_of_values(void **state)
{
	(void)state;
	refused(MIN "enabled = 1\n", "3:11: expected yes or no, not `1'");
	refused(MIN "ring_timeout = 9s\n",
		"3:16: expected 10s to 1m, not `9s'");
	refused(MIN "ring_timeout = 60001ms\n",
		"3:16: expected 10s to 1m, not `60001ms'");
	refused(MIN "ring_timeout = 99999999999999999999s\n",
		"3:16: expected 10s to 1m, not `99999999999999999999s'");
	refused(MIN "ring_timeout = 9223372036854775807d\n",
		"3:16: expected 10s to 1m, not `9223372036854775807d'");
	refused(MIN "ring_timeout = 30\n", "3:16: expected a time with its "
		"unit (ms, s, m, h, d) as in `30s', not `30'");
	refused(MIN "ring_timeout = -30s\n", "3:16: expected a time with its "
		"unit (ms, s, m, h, d) as in `30s', not `-30s'");
	refused(MIN "ring_timeout = off\n", "3:16: expected a time with its "
		"unit (ms, s, m, h, d) as in `30s', not `off'");
	refused(MIN "idle_limit = never\n", "3:14: expected a time with its "
		"unit (ms, s, m, h, d) as in `30s', or off, not `never'");
	refused(MIN "idle_limit = 1s\n",
		"3:14: expected 1m to 7d, or off, not `1s'");
	/* Of one there are no two oldest to become one. */
	refused(MIN "notices_per_user = 1\n",
		"3:20: expected a number of 2 to 1000, not `1'");
	refused(MIN "port = 65536\n",
		"3:8: expected a number of 1 to 65535, not `65536'");
	refused(MIN "port = 0x10\n",
		"3:8: expected a number of 1 to 65535, not `0x10'");
	refused(MIN "port = ''\n",
		"3:8: expected a number of 1 to 65535, not `'");
	refused(MIN "log_privacy = hsh\n", "3:15: expected full, hash or none,"
		" not `hsh', nearest option `hash'");
	refused(MIN "who_may_call = xyz\n", "3:16: expected everyone, server, "
		"contacts or nobody, not `xyz'");
	refused(MIN "active_show = {online,\n  chatt}\n", "4:3: expected "
		"online, chat, away, xa or dnd, not `chatt', nearest option "
		"`chat'");
	refused(MIN "database = x.db\n", "3:12: expected a path that begins "
		"with `/', not `x.db'");
	refused(MIN "server = 'a b'\n", "3:10: expected the name or address "
		"of a host, not `a b'");
	refused("domain = a@b\n", "1:10: expected a domain as in "
		"`calls.example.org', not `a@b'");
	refused("domain = 'a@\n\033[2Jb\177'\n", "1:10: expected a domain as "
		"in `calls.example.org', not `a@??[2Jb?'");
	refused(MIN "hosts = {b.org, 'c/d'}\n", "3:17: expected a domain as "
		"in `calls.example.org', not `c/d'");
	refused(MIN "hosts = {Calls.example.org}\n", "3:10: expected domains "
		"of users, not the component's own `calls.example.org'");
	refused("domain = calls\nsecret = x\n", "1:10: expected the option "
		"`hosts', as `calls' has no domain above it");
}

/* The file must be taken. */
static void taken(const char *text)
{
	conf_free(load(text));
}

/* A whole number and its unit, in ms; of a plain number itself. */
static long long amount(const char *words)
{
	char *unit;
	long long n = strtoll(words, &unit, 10);

	return n * (*unit == 'd' ? 86400000 : *unit == 'h' ? 3600000 :
		    *unit == 'm' ? 60000 : *unit == 's' ? 1000 : 1);
}

static void bounds_hold(const char *name, const char *kind, const char *least,
			const char *most)
{
	const char *unit = strcmp(kind, "time") == 0 ? "ms" : "";
	char text[256], *why;
	struct conf *c;

	snprintf(text, sizeof(text), MIN "%s = %s\n", name, least);
	taken(text);
	snprintf(text, sizeof(text), MIN "%s = %s\n", name, most);
	taken(text);
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), MIN "%s = %lld%s\n", name,
			 i ? amount(most) + 1 : amount(least) - 1, unit);
		write_file("t.conf", text, 0600);
		if (!conf_load(path_of("t.conf"), &c, &why))
			fail_msg("taken: %s", text);
		assert_non_null(strstr(why, ":3:"));
		free(why);
	}
}

/* Those that the manual says, for each option that has some. */
static void bounds_are_those_of_the_manual(void **state)
{
	const char *top = getenv("top_srcdir");
	char path[1024], line[256], name[64], kind[16], least[16], most[16];
	unsigned found = 0;
	FILE *in;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/privatecall.conf.5.scd",
		 top ? top : ".");
	in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "*%63[a-z_]* (_%15[a-z]_, %15[0-9a-z] to "
			   "%15[0-9a-z]", name, kind, least, most) != 4)
			continue;
		bounds_hold(name, kind, least, most);
		found++;
	}
	fclose(in);
	assert_int_equal(found, 12);
}

static void bounds_of_texts(void **state)
{
	static const char secret[] = "expected a secret of 1 to 1024 bytes";
	char x[1100], text[1200], line[1300];

	(void)state;
	memset(x, 'x', sizeof(x));
	x[1025] = '\0';
	snprintf(text, sizeof(text), "domain = a.b\nsecret = %s\n", x);
	snprintf(line, sizeof(line), "2:10: %s", secret);
	refused(text, line);
	refused("domain = a.b\nsecret = ''\n", line);
	text[strlen(text) - 2] = '\n';
	taken(text);
	write_file("s", x, 0600);
	snprintf(line, sizeof(line), "2:15: expected the secret in the first "
		 "line of %s, which is too long", path_of("s"));
	refused("domain = a.b\nsecret_file = s\n", line);
	write_file("s", x + 1, 0600);
	taken("domain = a.b\nsecret_file = s\n");
	x[256] = '\0';
	snprintf(text, sizeof(text), MIN "server = %s\n", x);
	snprintf(line, sizeof(line), "3:10: expected the name or address of a "
		 "host, not `%s'", x);
	refused(text, line);
	refused(MIN "server = ''\n", "3:10: expected the name or address of "
		"a host, not `'");
	snprintf(text, sizeof(text), MIN "server = %s\n", x + 1);
	taken(text);
	refused(MIN "database = ''\n", "3:12: expected a path that begins "
		"with `/', not `'");
}

static void long_socket_path_is_refused(void **state)
{
	char text[400], path[120];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	snprintf(text, sizeof(text), MIN "control_socket = %s\n", path);
	refused(text, "3:18: expected a path of at most 107 bytes, not 108");
	path[107] = '\0';
	snprintf(text, sizeof(text), MIN "control_socket = %s\n", path);
	conf_free(load(text));
}

/* Documented words that only a later release can honor are never taken. */
static void later_words_are_refused(void **state)
{
	(void)state;
	refused(MIN "media = best\n", "3:9: expected direct, blind, room or "
		"auto, not `best'");
	refused(MIN "media = blind\non_leave = hold\n", "4:12: expected end, "
		"or `media = room' or `auto' for `hold'");
	refused(MIN "media = direct\non_leave = hold\n", "4:12: expected end, "
		"or `media = room' or `auto' for `hold'");
	taken(MIN "media = room\non_leave = hold\nrejoin = notify\n");
	refused(MIN "on_leave = stay\n", "3:12: expected end or hold, not "
		"`stay'");
	refused(MIN "media = blind\nrejoin = notify\n", "4:10: expected ring, "
		"or `media = room' or `auto' for `notify'");
	refused(MIN "rejoin = silently\n", "3:10: expected ring or notify, not "
		"`silently'");
	refused(MIN "callable = reachable\n", "3:12: expected active: "
		"`reachable' needs the push of a later release");
}

static void unreadable_files(void **state)
{
	static const char zero[] = MIN "x\0y\n";
	static char big[(1 << 20) + 1];
	struct conf *c;
	char *why, line[400];

	(void)state;
	assert_int_equal(conf_load(path_of("none.conf"), &c, &why), ENOENT);
	snprintf(line, sizeof(line), "%s: expected a readable file: No such "
		 "file or directory", path_of("none.conf"));
	assert_string_equal(why, line);
	free(why);
	assert_int_equal(conf_load(dir, &c, &why), EISDIR);
	free(why);
	write_bytes("t.conf", zero, sizeof(zero) - 1, 0600);
	refused_in("t.conf", "3:2: expected text, not a zero byte");
	memset(big, ' ', sizeof(big));
	memcpy(big, MIN, strlen(MIN));
	write_bytes("t.conf", big, sizeof(big) - 1, 0600);
	assert_int_equal(conf_load(path_of("t.conf"), &c, &why), 0);
	conf_free(c);
	write_bytes("t.conf", big, sizeof(big), 0600);
	assert_int_equal(conf_load(path_of("t.conf"), &c, &why), EFBIG);
	free(why);
	refused("", "1:1: expected the option `domain'");
}

static void secret_comes_from_one_place(void **state)
{
	char text[512], line[512];
	struct conf *c;

	(void)state;
	refused("domain = a.b\n", "1:1: expected `secret', `secret_file' or "
		"the environment variable PRIVATECALL_SECRET");
	write_file("s", "from file\r\nnot this\n", 0600);
	c = load("domain = a.b\nsecret_file = s\n");
	assert_string_equal(c->secret, "from file");
	conf_free(c);
	refused(MIN "secret_file = s\n", "3:15: expected one of `secret' and "
		"`secret_file', not both");
	setenv("PRIVATECALL_SECRET", "from environment", 1);
	c = load("domain = a.b\nsecret_file = s\n");
	assert_string_equal(c->secret, "from environment");
	conf_free(c);
	c = load(MIN);
	assert_string_equal(c->secret, "from environment");
	conf_free(c);
	c = load("domain = a.b\n");
	assert_string_equal(c->secret, "from environment");
	conf_free(c);
	setenv("PRIVATECALL_SECRET", "", 1);   /* as if it were not there */
	c = load(MIN);
	assert_string_equal(c->secret, "s3cret");
	conf_free(c);
	unsetenv("PRIVATECALL_SECRET");
	write_file("s", "\nsecond line\n", 0600);
	snprintf(line, sizeof(line), "2:15: expected the secret in the first "
		 "line of %s, which is empty", path_of("s"));
	refused("domain = a.b\nsecret_file = s\n", line);
	snprintf(text, sizeof(text), "domain = a.b\nsecret_file = %s\n",
		 path_of("nosuch"));
	snprintf(line, sizeof(line), "2:15: expected a readable file: %s: No "
		 "such file or directory", path_of("nosuch"));
	refused(text, line);
}

static void place_is(const struct conf *c, const char *name, const char *file,
		     int line)
{
	char text[512];

	snprintf(text, sizeof(text), "%s:%d", path_of(file), line);
	assert_string_equal(conf_where(c, name), text);
}

/* A message can name the line to mend. */
static void places_are_kept(void **state)
{
	struct conf *c;

	(void)state;
	write_file("more", "port = 5348\n", 0600);
	c = load("\n" MIN "port = 1\n# text\ninclude(more)\n");
	place_is(c, "domain", "t.conf", 2);
	place_is(c, "secret", "t.conf", 3);
	place_is(c, "port", "more", 1);
	assert_null(conf_where(c, "server"));
	unlink(path_of("more"));
	conf_free(c);
	write_file("s", "from file\n", 0600);
	c = load("domain = a.b\nsecret_file = s\n");
	assert_string_equal(conf_where(c, "secret"), path_of("s"));
	conf_free(c);
	setenv("PRIVATECALL_SECRET", "from environment", 1);
	c = load(MIN);
	unsetenv("PRIVATECALL_SECRET");
	assert_string_equal(conf_where(c, "secret"),
			    "the environment variable PRIVATECALL_SECRET");
	conf_free(c);
}

static void readable_secret_is_refused(void **state)
{
	char line[512];

	(void)state;
	write_file("s", "x\n", 0644);
	snprintf(line, sizeof(line), "2:15: expected that others cannot read "
		 "or write the secret in %s: chmod o= %s", path_of("s"),
		 path_of("s"));
	refused("domain = a.b\nsecret_file = s\n", line);
	write_file("t.conf", MIN, 0644);
	snprintf(line, sizeof(line), "2:10: expected that others cannot read "
		 "or write the secret in %s: chmod o= %s", path_of("t.conf"),
		 path_of("t.conf"));
	refused_in("t.conf", line);
	write_file("t.conf", MIN, 0602);
	refused_in("t.conf", line);
	write_file("s", "x\n", 0640);
	write_file("t.conf", "domain = a.b\nsecret_file = s\n", 0644);
	conf_free(load("domain = a.b\nsecret_file = s\n"));
}

static void included_files_come_after(void **state)
{
	struct conf *c;

	(void)state;
	assert_int_equal(mkdir(path_of("conf.d"), 0700), 0);
	write_file("conf.d/a.conf", "# one\nmax_calls = 1\nport = 1\n", 0600);
	write_file("conf.d/b.conf", "max_calls = 2\nhosts += {c.d}\n", 0600);
	c = load("include(\"conf.d/*.conf\")\n" MIN "port = 3\nhosts={a.b}\n");
	assert_int_equal(c->site.max_calls, 2);
	assert_int_equal(c->port, 1);
	assert_string_equal(c->hosts[1], "c.d");
	conf_free(c);
	conf_free(load(MIN "include('conf.d/*.none')\n"));
	write_file("conf.d/b.conf", "\n\n  max_calls = x\n", 0600);
	write_file("t.conf", MIN "include('conf.d/*.conf')\n", 0600);
	refused_in("conf.d/b.conf",
		   "3:15: expected a number of 1 to 100000, not `x'");
	refused(MIN "include('conf.d/c.conf')\n", "3:9: expected a readable "
		"file: conf.d/c.conf: No such file or directory");
	refused("include('t.conf')\n", "1:9: expected at most 64 files");
	unlink(path_of("conf.d/a.conf"));
	unlink(path_of("conf.d/b.conf"));
	rmdir(path_of("conf.d"));
}

/* What a file names lies beside it; what it holds it must keep. */
static void included_files_have_their_folder(void **state)
{
	char line[512], *why;
	struct conf *c;

	(void)state;
	assert_int_equal(mkdir(path_of("conf.d"), 0700), 0);
	write_file("conf.d/a.conf", "include('b.conf')\n", 0600);
	write_file("conf.d/b.conf", "secret_file = s\nhosts = {x.y}\n"
		   "active_show = {dnd}\n", 0644);
	write_file("conf.d/s", "beside it\n", 0600);
	write_file("s", "elsewhere\n", 0600);
	c = load("domain = a.b\ninclude('conf.d/a.conf')\nhosts = {q.r}\n"
		 "active_show = {chat}\n");
	assert_string_equal(c->secret, "beside it");
	assert_string_equal(c->hosts[0], "x.y");
	assert_null(c->hosts[1]);
	assert_int_equal(c->site.active_show, SHOW_DND);
	conf_free(c);
	write_file("conf.d/a.conf", "secret = x\n", 0600);
	write_file("t.conf", "domain = a.b\ninclude('conf.d/a.conf')\n", 0644);
	assert_int_equal(conf_load(path_of("t.conf"), &c, &why), 0);
	conf_free(c);
	write_file("conf.d/a.conf", "secret = x\n", 0644);
	write_file("t.conf", "domain = a.b\ninclude('conf.d/a.conf')\n", 0600);
	snprintf(line, sizeof(line), "1:10: expected that others cannot read "
		 "or write the secret in %s: chmod o= %s",
		 path_of("conf.d/a.conf"), path_of("conf.d/a.conf"));
	refused_in("conf.d/a.conf", line);
	unlink(path_of("conf.d/a.conf"));
	unlink(path_of("conf.d/b.conf"));
	unlink(path_of("conf.d/s"));
	rmdir(path_of("conf.d"));
}

static void collect(const char *line, void *arg)
{
	char *all = arg;

	strcat(all, line);
	strcat(all, "\n");
}

static void differences(void **state)
{
	struct conf *a = load(MIN);
	struct conf *b = load(MIN "ring_timeout = 20s\nactive_show = {chat}\n"
			      "hosts = {x.y}\nidle_limit=1h\n");
	struct conf *c = load("domain = calls.example.org\nsecret=other\n");
	struct conf *d = load(MIN "port = 1\n");
	struct conf *e = load("domain = calls.example.org\nsecret=s3creT\n");
	char lines[1024] = "";

	(void)state;
	conf_diff(a, b, collect, lines);
	assert_string_equal(lines,
		"hosts: {\"example.org\"} -> {\"x.y\"}\n"
		"active_show: {online, chat} -> {chat}\n"
		"idle_limit: off -> 1h\n"
		"ring_timeout: 30s -> 20s\n");
	assert_null(conf_needs_restart(a, b));
	lines[0] = '\0';
	conf_diff(a, c, collect, lines);
	assert_string_equal(lines, "secret: changed\n");
	assert_string_equal(conf_needs_restart(a, c), "secret");
	assert_string_equal(conf_needs_restart(a, d), "port");
	assert_string_equal(conf_needs_restart(a, e), "secret");
	conf_free(a);
	conf_free(b);
	conf_free(c);
	conf_free(d);
	conf_free(e);
}

static void the_sample_loads(void **state)
{
	const char *top = getenv("top_srcdir");
	char path[1024];
	struct conf *c;
	char *why;
	int err;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/privatecall.conf.sample",
		 top ? top : ".");
	setenv("PRIVATECALL_SECRET", "x", 1);
	err = conf_load(path, &c, &why);
	unsetenv("PRIVATECALL_SECRET");
	if (err)
		fail_msg("%s", why);
	assert_string_equal(c->domain, "calls.example.org");
	conf_free(c);
}

/* Its commented options are the defaults, all of them. */
static void the_sample_shows_the_defaults(void **state)
{
	const char *top = getenv("top_srcdir");
	char path[1024], line[256], text[16384] = "";
	struct conf *a, *b;
	FILE *in;

	(void)state;
	snprintf(path, sizeof(path), "%s/doc/privatecall.conf.sample",
		 top ? top : ".");
	in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in))
		if (line[0] == '#' && isalpha((unsigned char)line[1]) &&
		    !strstr(line, "include") && !strstr(line, "secret"))
			strcat(text, line + 1);
	fclose(in);
	a = load("domain = calls.example.org\nsecret = x\n");
	strcat(text, "domain = calls.example.org\nsecret = x\n");
	b = load(text);
	conf_diff(a, b, no_line, NULL);
	conf_free(a);
	conf_free(b);
}

static int make_dir(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_conf.XXXXXX");
	unsetenv("PRIVATECALL_SECRET");
	umask(077);
	fds = fds_open();
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	assert_int_equal(fds_open(), fds);
	unlink(path_of("t.conf"));
	unlink(path_of("s"));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(every_value_is_read_and_printed),
		cmocka_unit_test(printed_text_is_quoted),
		cmocka_unit_test(faults_of_syntax),
		cmocka_unit_test(faults_of_names),
		cmocka_unit_test(comments_do_not_move_lines),
		cmocka_unit_test(faults_of_values),
		cmocka_unit_test(bounds_are_those_of_the_manual),
		cmocka_unit_test(bounds_of_texts),
		cmocka_unit_test(long_socket_path_is_refused),
		cmocka_unit_test(later_words_are_refused),
		cmocka_unit_test(unreadable_files),
		cmocka_unit_test(secret_comes_from_one_place),
		cmocka_unit_test(places_are_kept),
		cmocka_unit_test(readable_secret_is_refused),
		cmocka_unit_test(included_files_come_after),
		cmocka_unit_test(included_files_have_their_folder),
		cmocka_unit_test(differences),
		cmocka_unit_test(the_sample_loads),
		cmocka_unit_test(the_sample_shows_the_defaults),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
