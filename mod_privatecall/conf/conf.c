/* conf.c: reads the configuration with libconfuse. Every option is a string
 * to libconfuse; the table in option.c gives it a type, as each value is met,
 * so that a fault is reported at its own place.
 */
#include "mod_privatecall/conf/conf.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/conf/private.h"

#define OPTIONS_MAX 64

/* Where an option was given last. */
struct given {
	size_t file;               /* number of the file, from 1; 0: nowhere */
	struct conf_place place;
};

struct loader {
	struct conf *conf;
	struct conf_text text;     /* of the file being read */
	char *files[CONF_FILES_MAX];      /* in the order of reading */
	size_t n_files, file;      /* file: the number of this one, from 1 */
	struct given given[OPTIONS_MAX];  /* by place in conf_options */
	char *secret_file;
	int err;                   /* of the first fault */
	char *why;
};

/* libconfuse hands no pointer of ours to its callbacks. */
static struct loader *loading;

/* A value shown in a message may hold anything; the message stays one line and
 * says nothing to a terminal. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

/* Keeps the first fault; its message begins with its place. */
static void __attribute__((format(printf, 4, 5)))
fault(struct loader *l, size_t file, struct conf_place p, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (l->err)
		return;
	l->err = EBADMSG;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	if (!text || asprintf(&l->why, "%s:%d:%d: %s", l->files[file - 1],
			      p.line, p.column, text) < 0) {
		l->why = NULL;
		l->err = ENOMEM;
	}
	if (l->why)
		make_plain(l->why);
	free(text);
}

/* As fault(), of a message to be freed, which is NULL when out of memory. */
static void fault_take(struct loader *l, struct conf_place p, char *text)
{
	if (text)
		fault(l, l->file, p, "%s", text);
	else if (!l->err)
		l->err = ENOMEM;
	free(text);
}

static bool is_value(const struct conf_token *k)
{
	return (k->kind == 'w' || k->kind == 's') && k->before &&
	       strchr("=+{,(", k->before);
}

/* The next value of the file, or the end of a list or of the file. */
static struct conf_token next_value(struct conf_text *t)
{
	struct conf_token k;

	do
		k = conf_text_next(t);
	while (k.kind && k.kind != '}' && !is_value(&k));
	return k;
}

static bool token_is(const struct conf_text *t, const struct conf_token *k,
		     const char *word)
{
	return strlen(word) == k->len &&
	       strncmp(t->bytes + k->at, word, k->len) == 0;
}

/* The token libconfuse stumbled over, from the cursor on: with this text
 * unless NULL, and in this line unless 0. The end when there is none. */
static struct conf_token find_token(struct conf_text *t, int line,
				    const char *word)
{
	struct conf_token k;

	do
		k = conf_text_next(t);
	while (k.kind && ((word && !token_is(t, &k, word)) ||
			  (line && k.place.line != line)));
	return k;
}

/* What an admin meant who put more than a value behind the `='. */
static const char *hint(const struct conf_text *t, const struct conf_token *k)
{
	size_t at = k->at;

	while (at > 0 && strchr(" \t", t->bytes[at - 1]))
		at--;
	if (!k->kind || at == 0 || t->bytes[at - 1] == '\n')
		return "";
	return t->bytes[k->at] == ';' ?
	       ": an option ends with its line" :
	       ": a value with blanks stands in quotes";
}

static void fault_unknown(struct loader *l, const struct conf_token *k,
			  const char *name)
{
	struct conf_place p = k->place;
	char near[96];

	for (const struct conf_option *o = conf_options; o->name; o++)
		if (o->kind == CONF_LATER && strcmp(o->name, name) == 0) {
			fault(l, l->file, p, "expected no `%s': it needs %s",
			      name, o->later);
			return;
		}
	conf_option_nearest(name, near, sizeof(near));
	fault(l, l->file, p, "expected the name of an option, not `%s'%s",
	      name, *near ? near : hint(&l->text, k));
}

static const char *expected_at(const struct conf_token *k)
{
	if (k->before && strchr("=+{,", k->before))
		return "a value";
	if (k->before == '(')
		return "the name of a file";
	if (k->in_list)
		return "`,' or `}'";
	return "the name of an option";
}

/* The token that libconfuse did not expect: of two commas, the second. */
static struct conf_token find_unexpected(struct conf_text *t, int line,
					 const char *word)
{
	struct conf_token k;

	do
		k = find_token(t, line, word);
	while (k.kind == ',' && k.in_list && k.before == 'w');
	return k;
}

static void fault_equal_sign(struct loader *l, struct conf_text *t,
			     const char *word)
{
	struct conf_token k = find_token(t, 0, word);
	struct conf_token next = conf_text_next(t);
	const char *text = hint(&l->text, &k);

	/* Behind a value the word itself is what is wrong. */
	fault(l, l->file, *text ? k.place : next.place,
	      "expected `=' after `%s'%s", word, text);
}

/* Says in our words, and with a column, what libconfuse found. */
static void fault_syntax(struct loader *l, int line, const char *fmt,
			 const char *word)
{
	struct conf_text t = l->text;
	struct conf_token k;

	if (strstr(fmt, "no such option")) {
		k = find_token(&t, line, word);
		fault_unknown(l, &k, word);
	} else if (strstr(fmt, "unexpected")) {
		k = find_unexpected(&t, line, word);
		fault(l, l->file, k.place, "expected %s, not `%s'",
		      expected_at(&k), word);
	} else if (strstr(fmt, "missing equal sign")) {
		fault_equal_sign(l, &t, word);
	} else if (strstr(fmt, "missing parenthesis")) {
		find_token(&t, 0, word);
		k = conf_text_next(&t);
		fault(l, l->file, k.place, "expected `(' after `%s'", word);
	} else if (strstr(fmt, "premature end")) {
		while ((k = conf_text_next(&t)).kind)
			;
		fault(l, l->file, k.place, "expected %s before the end of "
		      "the file", expected_at(&k));
	} else {
		k = find_token(&t, line, NULL);
		fault(l, l->file, k.place, "expected an option and its "
		      "value");
	}
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	const char *word = "";

	if (strstr(fmt, "'%s'"))
		word = va_arg(ap, const char *);
	else if (strstr(fmt, "closing brace"))
		word = "}";
	fault_syntax(loading, cfg->line, fmt, word);
}

static size_t option_index(const char *name)
{
	size_t i = 0;

	while (conf_options[i].name && strcmp(conf_options[i].name, name) != 0)
		i++;
	return i;
}

static struct given *given_of(struct loader *l, const char *name)
{
	return &l->given[option_index(name)];
}

/* The path as the file names it, from the file's own folder. */
static char *path_beside(const char *file, const char *path)
{
	const char *slash = strrchr(file, '/');
	char *full;

	if (path[0] == '/' || !slash)
		return strdup(path);
	if (asprintf(&full, "%.*s/%s", (int)(slash - file), file, path) < 0)
		return NULL;
	return full;
}

static void take_secret_file(struct loader *l, struct conf_place p,
			     const char *word)
{
	if (!*word) {
		fault(l, l->file, p, "expected the name of a file");
		return;
	}
	free(l->secret_file);
	l->secret_file = path_beside(l->text.name, word);
	if (!l->secret_file)
		l->err = ENOMEM;
}

static void clear_list(struct conf *c, const struct conf_option *o)
{
	if (o->kind == CONF_DOMAINS) {
		conf_list_free(c->hosts);
		c->hosts = NULL;
	} else {
		*(unsigned *)conf_at(c, o) = 0;
	}
}

static void take_value(struct loader *l, const struct conf_option *o,
		       struct conf_place p, const char *word)
{
	char *text = NULL;
	int err;

	if (o->kind == CONF_SECRET_FILE) {
		take_secret_file(l, p, word);
		return;
	}
	if (o->kind == CONF_SECRET && strcmp(word, CONF_SECRET_MASK) != 0 &&
	    conf_secret_mode(l->text.name, &text) != 0) {
		fault_take(l, p, text);
		return;
	}
	err = conf_option_set(l->conf, o, word, &text);
	if (err)
		fault_take(l, p, text);
}

/* libconfuse has read one more value of this option, or the end of a list. */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	struct loader *l = loading;
	size_t i = option_index(opt->name);
	const struct conf_option *o = &conf_options[i];
	bool list = o->kind == CONF_DOMAINS || o->kind == CONF_SHOWS;
	unsigned n = cfg_opt_size(opt);
	struct conf_token k = next_value(&l->text);
	char *word = n ? opt->values[n - 1]->string : NULL;

	(void)cfg;
	if (k.kind == '}' || !word)
		return 0;
	if (n == 1 && l->given[i].file == l->file) {
		fault(l, l->file, k.place, "expected `%s' once, it stands in "
		      "line %d already", o->name, l->given[i].place.line);
		return -1;
	}
	if (n == 1 && list)
		clear_list(l->conf, o);
	l->given[i] = (struct given) { l->file, k.place };
	take_value(l, o, k.place, word);
	if (o->kind == CONF_SECRET)
		explicit_bzero(word, strlen(word));
	return l->err ? -1 : 0;
}

static void queue_files(struct loader *l, struct conf_place p, char **paths,
			size_t n)
{
	for (size_t i = 0; i < n && !l->err; i++) {
		if (l->n_files == CONF_FILES_MAX) {
			fault(l, l->file, p, "expected at most %d files",
			      CONF_FILES_MAX);
			return;
		}
		l->files[l->n_files] = strdup(paths[i]);
		if (!l->files[l->n_files])
			l->err = ENOMEM;
		else
			l->n_files++;
	}
}

/* include("conf.d/name.conf"): those files are read after this one. */
static int on_include(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	struct loader *l = loading;
	struct conf_token k;
	glob_t found;
	char *path;
	int err;

	(void)cfg;
	(void)opt;
	do
		k = conf_text_next(&l->text);
	while (k.kind && k.before != '(');
	if (argc != 1) {
		fault(l, l->file, k.place, "expected the name of one file");
		return -1;
	}
	path = path_beside(l->text.name, argv[0]);
	err = path ? glob(path, 0, NULL, &found) : GLOB_NOSPACE;
	if (!err) {
		queue_files(l, k.place, found.gl_pathv, found.gl_pathc);
		globfree(&found);
	} else if (err != GLOB_NOMATCH || !strpbrk(argv[0], "*?[")) {
		fault(l, l->file, k.place, "expected a readable file: %s: %s",
		      argv[0], strerror(err == GLOB_NOSPACE ? ENOMEM :
					err == GLOB_NOMATCH ? ENOENT : EACCES));
	}
	free(path);
	return l->err ? -1 : 0;
}

static cfg_t *make_parser(void)
{
	static const cfg_opt_t end = CFG_END();
	cfg_opt_t opts[OPTIONS_MAX];
	size_t n = 0;
	cfg_t *cfg;

	for (const struct conf_option *o = conf_options; o->name; o++) {
		cfg_opt_t text = CFG_STR(o->name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(o->name, NULL, CFGF_NODEFAULT);

		if (o->kind == CONF_LATER)
			continue;
		opts[n] = o->kind == CONF_DOMAINS || o->kind == CONF_SHOWS ?
			  list : text;
		opts[n++].validcb = on_value;
	}
	assert(n + 2 <= OPTIONS_MAX);
	opts[n++] = (cfg_opt_t)CFG_FUNC("include", on_include);
	opts[n] = end;
	cfg = cfg_init(opts, CFGF_NONE);
	if (cfg)
		cfg_set_error_function(cfg, on_error);
	return cfg;
}

/* libconfuse fails in silence at an empty name (which may be written as "",
 * "\x00" or a variable that is not set), and without memory. */
static void fault_silent(struct loader *l, const cfg_t *cfg)
{
	struct conf_text t = l->text;
	struct conf_token k;

	if (errno == ENOMEM) {
		l->err = ENOMEM;
		return;
	}
	k = find_token(&t, cfg->line, NULL);
	fault(l, l->file, k.place, "expected the name of an option, not an "
	      "empty one");
}

static void load_file(struct loader *l, cfg_t *cfg)
{
	const char *name = l->files[l->file - 1], *expected;
	struct conf_place p;
	int err = conf_text_read(name, &l->text);

	if (err) {
		l->err = l->file == 1 ? err : EBADMSG;
		if (asprintf(&l->why, "%s: expected a readable file: %s",
			     name, strerror(err)) < 0)
			l->why = NULL;
		return;
	}
	errno = 0;
	if (conf_text_prepare(&l->text, &p, &expected) != 0)
		fault(l, l->file, p, "expected %s", expected);
	else if (cfg_parse_buf(cfg, l->text.bytes) != CFG_SUCCESS && !l->err)
		fault_silent(l, cfg);
	conf_text_free(&l->text);
}

/* Remembers where an option came from; without memory nobody can be told. */
static void set_where(struct loader *l, const char *name, char *where)
{
	char **at = &l->conf->where[option_index(name)];

	free(*at);
	*at = where;
}

static void keep_places(struct loader *l)
{
	for (size_t i = 0; conf_options[i].name; i++) {
		const struct given *g = &l->given[i];
		char *where;

		if (g->file && asprintf(&where, "%s:%d", l->files[g->file - 1],
					g->place.line) >= 0)
			set_where(l, conf_options[i].name, where);
	}
}

static void choose_secret(struct loader *l)
{
	const struct given *file = given_of(l, "secret_file");
	const char *env = getenv(CONF_SECRET_ENV);
	struct conf *c = l->conf;
	char *text = NULL;
	int err;

	if (file->file && given_of(l, "secret")->file) {
		fault(l, file->file, file->place, "expected one of `secret' "
		      "and `secret_file', not both");
	} else if (env && *env) {
		conf_secret_wipe(c->secret);
		c->secret = strdup(env);
		if (!c->secret)
			l->err = ENOMEM;
		set_where(l, "secret", strdup("the environment variable "
					      CONF_SECRET_ENV));
	} else if (file->file) {
		err = conf_secret_read(l->secret_file, &c->secret, &text);
		set_where(l, "secret", strdup(l->secret_file));
		l->file = file->file;
		if (err)
			fault_take(l, file->place, text);
	} else if (!c->secret) {
		fault(l, 1, (struct conf_place) { 1, 1 }, "expected `secret', "
		      "`secret_file' or the environment variable %s",
		      CONF_SECRET_ENV);
	}
}

static void choose_hosts(struct loader *l)
{
	const struct given *at = given_of(l, "hosts");
	struct conf *c = l->conf;
	const char *dot = strchr(c->domain, '.');
	char *fault_text = NULL;
	int err;

	for (size_t i = 0; c->hosts && c->hosts[i]; i++)
		if (strcmp(c->hosts[i], c->domain) == 0)
			fault(l, at->file, at->place, "expected domains of "
			      "users, not the component's own `%s'",
			      c->domain);
	if (c->hosts)
		return;
	at = given_of(l, "domain");
	if (!dot) {
		fault(l, at->file, at->place, "expected the option `hosts', "
		      "as `%s' has no domain above it", c->domain);
		return;
	}
	err = conf_option_set(c, &conf_options[option_index("hosts")],
			      dot + 1, &fault_text);
	l->file = at->file;
	if (err)
		fault_take(l, at->place, fault_text);
}

/* In the other modes nobody can stay without the other. */
static void check_on_leave(struct loader *l)
{
	const struct settings_site *s = &l->conf->site;
	bool can = s->media == MODE_ROOM || s->media == MODE_AUTO;
	const struct given *at = given_of(l, "on_leave");

	if (s->on_leave == LEAVE_HOLD && !can)
		fault(l, at->file, at->place, "expected end, or `media = "
		      "room' or `auto' for `hold'");
	at = given_of(l, "rejoin");
	if (!l->err && s->rejoin == REJOIN_NOTIFY && !can)
		fault(l, at->file, at->place, "expected ring, or `media = "
		      "room' or `auto' for `notify'");
}

static void finish(struct loader *l)
{
	if (!l->conf->domain)
		fault(l, 1, (struct conf_place) { 1, 1 },
		      "expected the option `domain'");
	if (!l->err)
		keep_places(l);
	if (!l->err)
		choose_secret(l);
	if (!l->err)
		choose_hosts(l);
	if (!l->err)
		check_on_leave(l);
}

static int set_defaults(struct conf *c)
{
	c->server = strdup("127.0.0.1");
	c->port = 5347;
	c->database = strdup("/var/lib/privatecall/privatecall.db");
	c->control_socket = strdup("/run/privatecall/control");
	c->media_socket = strdup("/run/privatecall-media/media.sock");
	c->log_privacy = LOG_JIDS_HASH;
	c->keep_log = INT64_C(90) * 24 * 3600 * 1000;
	c->keep_notices = INT64_C(30) * 24 * 3600 * 1000;
	c->notices_per_user = 50;
	c->where = calloc(OPTIONS_MAX, sizeof(*c->where));
	settings_site_default(&c->site);
	return c->where && c->server && c->database && c->control_socket &&
	       c->media_socket ? 0 : ENOMEM;
}

static void load_all(struct loader *l, cfg_t *cfg, const char *path)
{
	char *name = strdup(path);

	if (!cfg || !name || set_defaults(l->conf) != 0) {
		free(name);
		l->err = ENOMEM;
		return;
	}
	l->files[l->n_files++] = name;
	for (l->file = 1; l->file <= l->n_files && !l->err; l->file++)
		load_file(l, cfg);
	if (!l->err)
		finish(l);
}

int conf_load(const char *path, struct conf **conf_r, char **why_r)
{
	struct loader l = { .conf = calloc(1, sizeof(*l.conf)) };
	cfg_t *cfg;

	*conf_r = NULL;
	*why_r = NULL;
	if (!l.conf)
		return ENOMEM;
	loading = &l;
	cfg = make_parser();
	load_all(&l, cfg, path);
	loading = NULL;
	if (cfg)
		cfg_free(cfg);
	for (size_t i = 0; i < l.n_files; i++)
		free(l.files[i]);
	free(l.secret_file);
	if (l.err) {
		conf_free(l.conf);
		*why_r = l.why ? l.why : strdup("out of memory");
		return l.err;
	}
	*conf_r = l.conf;
	return 0;
}

const char *conf_where(const struct conf *c, const char *name)
{
	return c->where ? c->where[option_index(name)] : NULL;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->where && i < OPTIONS_MAX; i++)
		free(c->where[i]);
	free(c->where);
	conf_secret_wipe(c->secret);
	free(c->domain);
	free(c->server);
	conf_list_free(c->hosts);
	free(c->database);
	free(c->control_socket);
	free(c->media_socket);
	free(c);
}
