/* log.c: key=value lines (see log.h). */
#include "mod_privatecall/log/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "jingle/stanza/sha1.h"

#define VALUE_MOST 512             /* bytes of a value that are shown */
#define LINE_MOST 32768            /* of a line; the rest is left out */

struct line {
	char *end;                 /* of what is written */
	const char *last;          /* where there is room for the '\n' only */
};

const char log_jid[] = "@";

static enum log_privacy jids = LOG_JIDS_HASH;
static char salt_text[64];

void log_setup(enum log_privacy privacy, const char *salt)
{
	jids = privacy;
	snprintf(salt_text, sizeof(salt_text), "%s", salt ? salt : "");
}

void log_set_privacy(enum log_privacy privacy)
{
	jids = privacy;
}

/* systemd.exec(5): the variable is inherited by programs whose stderr went
 * elsewhere, so that it must name the very file. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == (dev_t)dev &&
	       st.st_ino == (ino_t)ino;
}

static void put(struct line *l, const char *text, size_t n)
{
	size_t room = (size_t)(l->last - l->end);

	n = n < room ? n : room;
	memcpy(l->end, text, n);
	l->end += n;
}

static void put_s(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

/* What need not be quoted. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '+' && c <= ':') || c == '@' || c == '_' || c == '%';
}

static size_t plain_length(const char *v)
{
	size_t n = 0;

	while (n < VALUE_MOST && is_plain(v[n]))
		n++;
	return n;
}

/* One escaped value: quoted unless plain; control characters, quotes and
 * anything not ASCII as \xNN, so that no peer forges a line (A39). */
static void put_value(struct line *l, const char *v)
{
	size_t n = plain_length(v);
	bool quoted = !n || (v[n] && n < VALUE_MOST);
	char hex[8];

	if (quoted)
		put(l, "\"", 1);
	put(l, v, n);
	for (; v[n] && n < VALUE_MOST; n++) {
		unsigned char c = (unsigned char)v[n];

		if (c == '"' || c == '\\')
			put(l, "\\", 1);
		if (c >= 32 && c <= 126) {
			put(l, v + n, 1);
		} else {
			snprintf(hex, sizeof(hex), "\\x%02x", c);
			put_s(l, hex);
		}
	}
	if (v[n])
		put(l, "...", 3);
	if (quoted)
		put(l, "\"", 1);
}

static void put_jid(struct line *l, const char *jid)
{
	char buffer[4096], hex[41];

	if (jids == LOG_JIDS_FULL) {
		put_value(l, jid);
	} else if (jids == LOG_JIDS_NONE) {
		put(l, "-", 1);
	} else {
		const char *slash = strchr(jid, '/');
		int bare = slash ? (int)(slash - jid) : (int)strlen(jid);

		snprintf(buffer, sizeof(buffer), "%s%.*s", salt_text, bare,
			 jid);
		sha1_hex(buffer, strlen(buffer), hex);
		put(l, "#", 1);
		put(l, hex, 12);
	}
}

static void put_head(struct line *l, enum log_level level,
		     const char *message)
{
	static const char *const names[] = { "error", "warn", "info",
					     "debug" };
	static const int priority[] = { 3, 4, 6, 7 };
	struct timeval tv;
	struct tm tm;
	char head[64];

	if (is_journal()) {
		snprintf(head, sizeof(head), "<%d>", priority[level]);
	} else {
		gettimeofday(&tv, NULL);
		gmtime_r(&tv.tv_sec, &tm);
		strftime(head, sizeof(head), "time=%Y-%m-%dT%H:%M:%S", &tm);
		put_s(l, head);
		snprintf(head, sizeof(head), ".%03ldZ ",
			 (long)tv.tv_usec / 1000);
	}
	put_s(l, head);
	put_s(l, "level=");
	put_s(l, names[level]);
	put_s(l, " msg=");
	put_value(l, message);
}

void log_line(enum log_level level, const char *message, ...)
{
	char text[LINE_MOST];
	struct line l = { text, text + sizeof(text) - 1 };
	const char *key, *value;
	bool jid;
	va_list ap;

	put_head(&l, level, message);
	va_start(ap, message);
	while ((key = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		jid = value == log_jid;
		if (jid)
			value = va_arg(ap, const char *);
		if (!value)
			continue;
		put(&l, " ", 1);
		put_s(&l, key);
		put(&l, "=", 1);
		if (jid)
			put_jid(&l, value);
		else
			put_value(&l, value);
	}
	va_end(ap);
	*l.end++ = '\n';
	fwrite(text, 1, (size_t)(l.end - text), stderr);
}

bool log_allowed(struct log_rate *r, int64_t now)
{
	char n[24];

	if (r->last && now - r->last < 10000) {
		r->suppressed++;
		return false;
	}
	r->last = now ? now : 1;
	if (r->suppressed) {
		snprintf(n, sizeof(n), "%lu", r->suppressed);
		r->suppressed = 0;
		log_line(LOG_WARN, "lines as the next were left out", "count",
			 n, NULL);
	}
	return true;
}
