/* print.c: a configuration as a file, and what differs between two. */
#include "mod_privatecall/conf/private.h"

#include <stdlib.h>
#include <string.h>

void conf_print(const struct conf *c, FILE *out)
{
	for (const struct conf_option *o = conf_options; o->name; o++) {
		char *text = conf_option_text(c, o);

		if (text)
			fprintf(out, "%s = %s\n", o->name, text);
		free(text);
	}
}

static bool secrets_differ(const struct conf *a, const struct conf *b)
{
	return strcmp(a->secret, b->secret) != 0;
}

/* A line "name: old -> new" when they differ, else NULL. */
static char *difference(const struct conf_option *o, const struct conf *a,
			const struct conf *b)
{
	char *old, *now, *line = NULL;

	if (o->kind == CONF_SECRET)
		return secrets_differ(a, b) ? strdup("secret: changed") : NULL;
	old = conf_option_text(a, o);
	now = conf_option_text(b, o);
	if (old && now && strcmp(old, now) != 0 &&
	    asprintf(&line, "%s: %s -> %s", o->name, old, now) < 0)
		line = NULL;
	free(old);
	free(now);
	return line;
}

const char *conf_needs_restart(const struct conf *old, const struct conf *new_)
{
	for (const struct conf_option *o = conf_options; o->name; o++) {
		char *line = o->restart ? difference(o, old, new_) : NULL;
		bool differs = line != NULL;

		free(line);
		if (differs)
			return o->name;
	}
	return NULL;
}

void conf_diff(const struct conf *old, const struct conf *new_,
	       void (*line_h)(const char *line, void *arg), void *arg)
{
	for (const struct conf_option *o = conf_options; o->name; o++) {
		char *line = difference(o, old, new_);

		if (line)
			line_h(line, arg);
		free(line);
	}
}
