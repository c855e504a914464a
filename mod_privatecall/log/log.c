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

/* One escaped value: quoted unless plain; control characters, quotes and
 * anything not ASCII as \xNN, so that no peer forges a line (A39). */
static void put_value(FILE *out, const char *v)
{
	const char *p;
	bool plain = *v != 0;
	size_t n = 0;

	for (p = v; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
			    "VWXYZ0123456789@./-_:+,%", *p))
			plain = false;
	if (!plain)
		fputc('"', out);
	for (p = v; *p && n < 512; p++, n++) {
		if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if ((unsigned char)*p < 32 || (unsigned char)*p > 126)
			fprintf(out, "\\x%02x", (unsigned char)*p);
		else
			fputc(*p, out);
	}
	if (*p)
		fputs("...", out);
	if (!plain)
		fputc('"', out);
}

static void put_jid(FILE *out, const char *jid)
{
	char buffer[4096], hex[41];

	if (jids == LOG_JIDS_FULL) {
		put_value(out, jid);
	} else if (jids == LOG_JIDS_NONE) {
		fputs("-", out);
	} else {
		const char *slash = strchr(jid, '/');
		int bare = slash ? (int)(slash - jid) : (int)strlen(jid);

		snprintf(buffer, sizeof(buffer), "%s%.*s", salt_text, bare,
			 jid);
		sha1_hex(buffer, strlen(buffer), hex);
		fprintf(out, "#%.12s", hex);
	}
}

static void put_head(FILE *out, enum log_level level, const char *message)
{
	static const char *const names[] = { "error", "warn", "info",
					     "debug" };
	static const int priority[] = { 3, 4, 6, 7 };
	struct timeval tv;
	struct tm tm;
	char when[32];

	if (is_journal()) {
		fprintf(out, "<%d>level=%s msg=", priority[level],
			names[level]);
	} else {
		gettimeofday(&tv, NULL);
		gmtime_r(&tv.tv_sec, &tm);
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
		fprintf(out, "time=%s.%03ldZ level=%s msg=", when,
			(long)tv.tv_usec / 1000, names[level]);
	}
	put_value(out, message);
}

void log_line(enum log_level level, const char *message, ...)
{
	const char *key, *value;
	char *text = NULL;
	size_t len = 0;
	bool jid;
	va_list ap;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return;
	put_head(out, level, message);
	va_start(ap, message);
	while ((key = va_arg(ap, const char *))) {
		value = va_arg(ap, const char *);
		jid = value && strcmp(value, "@") == 0;
		if (jid)
			value = va_arg(ap, const char *);
		if (!value)
			continue;
		fprintf(out, " %s=", key);
		if (jid)
			put_jid(out, value);
		else
			put_value(out, value);
	}
	va_end(ap);
	fputc('\n', out);
	fclose(out);
	fwrite(text, 1, len, stderr);
	free(text);
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
