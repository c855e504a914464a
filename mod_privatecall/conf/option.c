/* option.c: the table of options, their values read and written. */
#include "mod_privatecall/conf/private.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/jid.h"
#include "jingle/xml/arena.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define AT(member) offsetof(struct conf, member)
#define SITE(member) AT(site.member)
#define MEDIA_PLANE "the media plane of a later release"

static const char *who_word(unsigned value)
{
	return who_may_call_name((enum who_may_call)value);
}

static const char *second_word(unsigned value)
{
	return second_call_name((enum second_call)value);
}

static const char *notices_word(unsigned value)
{
	return notices_name((enum notices)value);
}

static const char *show_word(unsigned value)
{
	return value < 8 ? show_name((enum show)(1u << value)) : NULL;
}

static const char *privacy_word(unsigned value)
{
	static const char *const names[] = {
		[LOG_JIDS_FULL] = "full",
		[LOG_JIDS_HASH] = "hash",
		[LOG_JIDS_NONE] = "none",
	};

	return value < sizeof(names) / sizeof(names[0]) ? names[value] : NULL;
}

static const char *mode_word(unsigned value)
{
	return media_mode_name((enum media_mode)value);
}

static const char *leave_word(unsigned value)
{
	return on_leave_name((enum on_leave)value);
}

static const char *rejoin_word(unsigned value)
{
	return rejoin_name((enum rejoin)value);
}

static const char *const callable_words[] = { "active", "reachable", NULL };

/* Values of enums are read and written as unsigned. */
_Static_assert(sizeof(enum who_may_call) == sizeof(unsigned) &&
	       sizeof(enum media_mode) == sizeof(unsigned) &&
	       sizeof(enum on_leave) == sizeof(unsigned) &&
	       sizeof(enum rejoin) == sizeof(unsigned) &&
	       sizeof(enum log_privacy) == sizeof(unsigned), "enum size");

#define BOOL(n, at) { .name = n, .kind = CONF_BOOL, .offset = at }
#define TIME(n, at, lo, hi, o) { .name = n, .kind = CONF_TIME, .offset = at, \
	.min = lo, .max = hi, .off = o }
#define NUMBER(n, at, lo, hi) { .name = n, .kind = CONF_NUMBER, .offset = at, \
	.min = lo, .max = hi }
#define WORD(n, at, h) { .name = n, .kind = CONF_WORD, .offset = at, \
	.word_h = h }
#define FIXED(n, w, what) { .name = n, .kind = CONF_FIXED, .words = w, \
	.later = what }
#define TEXT(n, k, at, most) { .name = n, .kind = k, .offset = at, \
	.max = most, .restart = true }
#define LATER(n) { .name = n, .kind = CONF_LATER, .later = MEDIA_PLANE }
/* It is told to the other process. */
#define ELSEWHERE(n, option) { .name = n, .kind = CONF_LATER, \
	.later = "to be given to privatecall-media, as " option }

/* In the order in which they are printed. */
const struct conf_option conf_options[] = {
	TEXT("domain", CONF_DOMAIN, AT(domain), 0),
	TEXT("server", CONF_HOST, AT(server), 255),
	{ .name = "port", .kind = CONF_PORT, .offset = AT(port), .min = 1,
	  .max = 65535, .restart = true },
	TEXT("secret", CONF_SECRET, AT(secret), 0),
	{ .name = "secret_file", .kind = CONF_SECRET_FILE },
	{ .name = "hosts", .kind = CONF_DOMAINS, .offset = AT(hosts) },
	TEXT("database", CONF_PATH, AT(database), 4000),
	TEXT("control_socket", CONF_PATH, AT(control_socket), 107),
	TEXT("media_socket", CONF_PATH, AT(media_socket), 107),
	WORD("log_privacy", AT(log_privacy), privacy_word),
	TIME("keep_log", AT(keep_log), DAY, 3650 * DAY, false),
	TIME("keep_notices", AT(keep_notices), HOUR, 365 * DAY, false),
	NUMBER("notices_per_user", AT(notices_per_user), 2, 1000),

	BOOL("enabled", SITE(enabled)),
	BOOL("messaging", SITE(messaging)),
	BOOL("allow_video", SITE(allow_video)),
	WORD("media", SITE(media), mode_word),
	FIXED("callable", callable_words, "the push of a later release"),
	{ .name = "active_show", .kind = CONF_SHOWS,
	  .offset = SITE(active_show), .word_h = show_word },
	TIME("idle_limit", SITE(idle_limit), MINUTE, 7 * DAY, true),
	WORD("on_leave", SITE(on_leave), leave_word),
	WORD("rejoin", SITE(rejoin), rejoin_word),
	TIME("room_lifetime", SITE(room_lifetime), MINUTE, 7 * DAY, false),
	BOOL("hard_limit", SITE(hard_limit)),
	BOOL("calls_require_messaging", SITE(calls_require_messaging)),
	BOOL("remote_users", SITE(remote_users)),
	TIME("ring_timeout", SITE(ring_timeout), 10 * SECOND, 60 * SECOND,
	     false),
	TIME("setup_timeout", SITE(setup_timeout), 5 * SECOND, 2 * MINUTE,
	     false),
	TIME("connect_timeout", SITE(connect_timeout), 5 * SECOND, 2 * MINUTE,
	     false),
	TIME("alone_timeout", SITE(alone_timeout), 10 * SECOND, HOUR, false),
	NUMBER("pair_per_minute", SITE(pair_per_minute), 1, 1000),
	NUMBER("caller_per_minute", SITE(caller_per_minute), 1, 10000),
	NUMBER("max_calls", SITE(max_calls), 1, 100000),

	WORD("who_may_call", SITE(user.who_may_call), who_word),
	BOOL("messages", SITE(user.messages)),
	WORD("second_call", SITE(user.second_call), second_word),
	WORD("notices", SITE(user.notices), notices_word),

	ELSEWHERE("public_address", "--public-address"),
	ELSEWHERE("media_port", "--port"),
	ELSEWHERE("forbid", "--forbid"),
	ELSEWHERE("allow", "--allow"),
	LATER("provider"),
	{ .name = NULL }
};

static const struct { const char *name; int64_t ms; } units[] = {
	{ "d", DAY }, { "h", HOUR }, { "m", MINUTE }, { "s", SECOND },
	{ "ms", 1 },
};
#define UNITS (sizeof(units) / sizeof(units[0]))

void *conf_at(struct conf *c, const struct conf_option *o)
{
	return (char *)c + o->offset;
}

const void *conf_at_const(const struct conf *c, const struct conf_option *o)
{
	return (const char *)c + o->offset;
}

void conf_list_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static int __attribute__((format(printf, 2, 3)))
fault(char **fault_r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(fault_r, fmt, ap) < 0)
		*fault_r = NULL;
	va_end(ap);
	return *fault_r ? EBADMSG : ENOMEM;
}

/* The edit distance of two short words; long ones are far apart. */
static unsigned distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned row[64], diagonal, above, best;

	if (la > 63 || lb > 63)
		return 63;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			above = row[j];
			best = diagonal + (a[i - 1] != b[j - 1]);
			if (above + 1 < best)
				best = above + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
			diagonal = above;
		}
	}
	return row[lb];
}

struct nearest {
	const char *word;          /* typed */
	const char *found;         /* nearest so far; NULL: none near enough */
	unsigned distance;
};

static void nearest_look(struct nearest *n, const char *candidate)
{
	unsigned d = distance(n->word, candidate);

	if (d < n->distance && d * 5 <= strlen(candidate) * 2) {
		n->distance = d;
		n->found = candidate;
	}
}

static void nearest_text(const struct nearest *n, char *out, size_t size)
{
	if (n->found)
		snprintf(out, size, ", nearest option `%s'", n->found);
	else
		out[0] = '\0';
}

void conf_option_nearest(const char *name, char *out, size_t size)
{
	struct nearest n = { .word = name, .distance = 63 };

	for (const struct conf_option *o = conf_options; o->name; o++)
		if (o->kind != CONF_LATER)
			nearest_look(&n, o->name);
	nearest_text(&n, out, size);
}

static int set_bool(bool *value, const char *word, char **fault_r)
{
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on"
	};

	for (unsigned i = 0; i < 6; i++)
		if (strcmp(word, words[i]) == 0) {
			*value = i % 2 == 1;
			return 0;
		}
	return fault(fault_r, "expected yes or no, not `%s'", word);
}

/* Digits only; 0, EBADMSG or EOVERFLOW. */
static int read_digits(const char *word, const char **end_r, int64_t *value_r)
{
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return EBADMSG;
	errno = 0;
	*value_r = strtoimax(word, &end, 10);
	*end_r = end;
	return errno ? EOVERFLOW : 0;
}

static void time_text(int64_t ms, char *out, size_t size)
{
	size_t i = 0;

	while (i < UNITS - 1 && ms % units[i].ms != 0)
		i++;
	snprintf(out, size, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
}

static int read_time(const char *word, int64_t *ms_r)
{
	const char *end;
	int64_t n;
	int err = read_digits(word, &end, &n);

	if (err)
		return err;
	for (size_t i = 0; i < UNITS; i++)
		if (strcmp(end, units[i].name) == 0) {
			if (n > INT64_MAX / units[i].ms)
				return EOVERFLOW;
			*ms_r = n * units[i].ms;
			return 0;
		}
	return EBADMSG;
}

static int set_time(const struct conf_option *o, int64_t *value,
		    const char *word, char **fault_r)
{
	char min[32], max[32];
	const char *off = o->off ? ", or off" : "";
	int64_t ms = 0;
	int err = 0;

	if (!o->off || strcmp(word, "off") != 0) {
		err = read_time(word, &ms);
		if (err == EBADMSG)
			return fault(fault_r, "expected a time with its unit "
				     "(ms, s, m, h, d) as in `30s'%s, not `%s'",
				     off, word);
		if (!err && (ms < o->min || ms > o->max))
			err = ERANGE;
	}
	if (err) {
		time_text(o->min, min, sizeof(min));
		time_text(o->max, max, sizeof(max));
		return fault(fault_r, "expected %s to %s%s, not `%s'", min,
			     max, off, word);
	}
	*value = ms;
	return 0;
}

static int read_number(const struct conf_option *o, const char *word,
		       int64_t *value_r, char **fault_r)
{
	const char *end;
	int err = read_digits(word, &end, value_r);

	if (err || *end || *value_r < o->min || *value_r > o->max)
		return fault(fault_r, "expected a number of %" PRId64 " to %"
			     PRId64 ", not `%s'", o->min, o->max, word);
	return 0;
}

/* "a, b or c" of the words a handler names. */
static void list_words(const char *(*word_h)(unsigned), char *out, size_t size)
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; word_h(i) && len < size; i++) {
		const char *sep = i == 0 ? "" : word_h(i + 1) ? ", " : " or ";

		len += (size_t)snprintf(out + len, size - len, "%s%s", sep,
					word_h(i));
	}
}

static int set_word(const struct conf_option *o, const char *word,
		    unsigned *value_r, char **fault_r)
{
	struct nearest n = { .word = word, .distance = 63 };
	char near[96], words[96];

	for (unsigned i = 0; o->word_h(i); i++) {
		if (strcmp(word, o->word_h(i)) == 0) {
			*value_r = i;
			return 0;
		}
		nearest_look(&n, o->word_h(i));
	}
	nearest_text(&n, near, sizeof(near));
	list_words(o->word_h, words, sizeof(words));
	return fault(fault_r, "expected %s, not `%s'%s", words, word, near);
}

static int check_fixed(const struct conf_option *o, const char *word,
		       char **fault_r)
{
	for (size_t i = 0; o->words[i]; i++)
		if (strcmp(word, o->words[i]) == 0)
			return i == 0 ? 0 : fault(fault_r,
				"expected %s: `%s' needs %s", o->words[0],
				word, o->later);
	return fault(fault_r, "expected %s, not `%s'", o->words[0], word);
}

int conf_domain_prepare(const char *text, char **domain_r)
{
	struct arena *a = arena_new(16384);
	struct jid jid;
	int err = a ? jid_parse(a, text, &jid) : ENOMEM;

	if (!err && (jid.node || jid.resource || strchr(jid.full, ' ')))
		err = EBADMSG;
	if (!err) {
		*domain_r = strdup(jid.domain);
		err = *domain_r ? 0 : ENOMEM;
	}
	arena_free(a);
	return err;
}

static int set_domain(const char *word, char **domain_r, char **fault_r)
{
	int err = conf_domain_prepare(word, domain_r);

	if (err != EBADMSG)
		return err;
	return fault(fault_r, "expected a domain as in `calls.example.org', "
		     "not `%s'", word);
}

static int add_domain(char ***list, const char *word, char **fault_r)
{
	char *domain, **longer;
	size_t n = 0;
	int err = set_domain(word, &domain, fault_r);

	if (err)
		return err;
	while (*list && (*list)[n])
		n++;
	longer = realloc(*list, (n + 2) * sizeof(*longer));
	if (!longer) {
		free(domain);
		return ENOMEM;
	}
	longer[n] = domain;
	longer[n + 1] = NULL;
	*list = longer;
	return 0;
}

static int check_text(const struct conf_option *o, const char *word,
		      char **fault_r)
{
	size_t len = strlen(word);

	switch (o->kind) {
	case CONF_HOST:
		if (len == 0 || len > (size_t)o->max || strpbrk(word, " \t/"))
			return fault(fault_r, "expected the name or address "
				     "of a host, not `%s'", word);
		return 0;
	case CONF_PATH:
		if (word[0] != '/')
			return fault(fault_r, "expected a path that begins "
				     "with `/', not `%s'", word);
		if (len > (size_t)o->max)
			return fault(fault_r, "expected a path of at most %"
				     PRId64 " bytes, not %zu", o->max, len);
		return 0;
	default:
		if (len == 0 || len > CONF_SECRET_MAX)
			return fault(fault_r, "expected a secret of 1 to %zu "
				     "bytes", CONF_SECRET_MAX);
		return 0;
	}
}

static int set_text(const struct conf_option *o, char **text,
		    const char *word, char **fault_r)
{
	char *copy;
	int err = check_text(o, word, fault_r);

	if (err)
		return err;
	copy = strdup(word);
	if (!copy)
		return ENOMEM;
	conf_secret_wipe(*text);
	*text = copy;
	return 0;
}

static int set_show(const struct conf_option *o, unsigned *shows,
		    const char *word, char **fault_r)
{
	unsigned bit = 0;
	int err = set_word(o, word, &bit, fault_r);

	if (!err)
		*shows |= 1u << bit;
	return err;
}

int conf_option_set(struct conf *c, const struct conf_option *o,
		    const char *word, char **fault_r)
{
	void *at = conf_at(c, o);
	char *domain = NULL;
	int64_t n = 0;
	int err;

	*fault_r = NULL;
	switch (o->kind) {
	case CONF_BOOL:
		return set_bool(at, word, fault_r);
	case CONF_TIME:
		return set_time(o, at, word, fault_r);
	case CONF_NUMBER:
		err = read_number(o, word, &n, fault_r);
		if (!err)
			*(unsigned *)at = (unsigned)n;
		return err;
	case CONF_PORT:
		err = read_number(o, word, &n, fault_r);
		if (!err)
			*(uint16_t *)at = (uint16_t)n;
		return err;
	case CONF_WORD:
		return set_word(o, word, at, fault_r);
	case CONF_FIXED:
		return check_fixed(o, word, fault_r);
	case CONF_HOST:
	case CONF_PATH:
	case CONF_SECRET:
		return set_text(o, at, word, fault_r);
	case CONF_DOMAIN:
		err = set_domain(word, &domain, fault_r);
		if (!err) {
			free(*(char **)at);
			*(char **)at = domain;
		}
		return err;
	case CONF_DOMAINS:
		return add_domain(at, word, fault_r);
	case CONF_SHOWS:
		return set_show(o, at, word, fault_r);
	case CONF_SECRET_FILE:
	case CONF_LATER:
		break;
	}
	return EINVAL;
}

/* A word as it can stand in a file: in double quotes, where libconfuse takes
 * backslashes and ${NAME} as special. */
static char *quote(const char *word)
{
	char *out = malloc(2 * strlen(word) + 3), *p = out;

	if (!out)
		return NULL;
	*p++ = '"';
	for (; *word; word++) {
		if (strchr("\"\\$", *word))
			*p++ = '\\';
		*p++ = *word;
	}
	*p++ = '"';
	*p = '\0';
	return out;
}

static char *list_text(char *const *words, size_t n)
{
	char *out = strdup("{"), *longer, *word;

	for (size_t i = 0; out && i < n; i++) {
		word = quote(words[i]);
		if (!word || asprintf(&longer, "%s%s%s", out, i ? ", " : "",
				      word) < 0)
			longer = NULL;
		free(word);
		free(out);
		out = longer;
	}
	if (out && asprintf(&longer, "%s}", out) < 0)
		longer = NULL;
	if (!out)
		return NULL;
	free(out);
	return longer;
}

static char *shows_text(unsigned shows)
{
	char out[64] = "{";
	size_t len = 1;

	for (unsigned i = 0; show_word(i); i++)
		if (shows & 1u << i)
			len += (size_t)snprintf(out + len, sizeof(out) - len,
						"%s%s", len > 1 ? ", " : "",
						show_word(i));
	snprintf(out + len, sizeof(out) - len, "}");
	return strdup(out);
}

static char *number_text(uint64_t n)
{
	char out[24];

	snprintf(out, sizeof(out), "%" PRIu64, n);
	return strdup(out);
}

static char *limit_text(const struct conf_option *o, int64_t ms)
{
	char out[32];

	if (o->off && ms == 0)
		return strdup("off");
	time_text(ms, out, sizeof(out));
	return strdup(out);
}

char *conf_option_text(const struct conf *c, const struct conf_option *o)
{
	const void *at = conf_at_const(c, o);
	char *const *list;
	size_t n = 0;

	switch (o->kind) {
	case CONF_BOOL:
		return strdup(*(const bool *)at ? "yes" : "no");
	case CONF_TIME:
		return limit_text(o, *(const int64_t *)at);
	case CONF_NUMBER:
		return number_text(*(const unsigned *)at);
	case CONF_PORT:
		return number_text(*(const uint16_t *)at);
	case CONF_WORD:
		return strdup(o->word_h(*(const unsigned *)at));
	case CONF_FIXED:
		return strdup(o->words[0]);
	case CONF_HOST:
	case CONF_PATH:
	case CONF_DOMAIN:
		return quote(*(char *const *)at);
	case CONF_SECRET:
		return quote(CONF_SECRET_MASK);
	case CONF_DOMAINS:
		list = *(char *const *const *)at;
		while (list && list[n])
			n++;
		return list_text(list, n);
	case CONF_SHOWS:
		return shows_text(*(const unsigned *)at);
	case CONF_SECRET_FILE:
	case CONF_LATER:
		break;
	}
	return NULL;
}
