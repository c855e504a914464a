/* accounts.c: the test users (see accounts.h). */
#include "mod_privatecall/probe/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/jid.h"

#define BLANKS " \t\r\n"

static bool complain(const char *file, const char *what)
{
	fprintf(stderr, "privatecall-probe: %s: %s\n", file, what);
	return false;
}

static bool is_user(const char *text)
{
	struct arena *a = arena_new(0);
	struct jid jid;
	bool yes = a && !jid_parse(a, text, &jid) && jid.node &&
		   !jid.resource;

	arena_free(a);
	return yes;
}

static bool add(struct accounts *as, const char *jid, const char *password)
{
	struct account *more = realloc(as->list, (as->n + 1) * sizeof(*more));

	if (!more)
		return false;
	as->list = more;
	more[as->n].jid = strdup(jid);
	more[as->n].password = strdup(password);
	as->n++;
	return more[as->n - 1].jid && more[as->n - 1].password;
}

bool accounts_add(struct accounts *as, const char *jid, const char *file)
{
	char *line = NULL;
	size_t size = 0;
	bool ok = false;
	FILE *f;

	if (!is_user(jid))
		return complain(jid, "expected the address of a user, "
				"user@host");
	f = fopen(file, "r");
	if (!f)
		return complain(file, strerror(errno));
	if (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		ok = *line && add(as, jid, line);
	}
	if (!ok)
		complain(file, "expected a password in its first line");
	if (line)
		explicit_bzero(line, size);
	free(line);
	fclose(f);
	return ok;
}

static bool add_line(struct accounts *as, const char *file, char *line)
{
	char *jid = line + strspn(line, BLANKS), *password;

	if (!*jid || *jid == '#')
		return true;
	password = jid + strcspn(jid, BLANKS);
	if (*password)
		*password++ = '\0';
	password += strspn(password, BLANKS);
	password[strcspn(password, "\r\n")] = '\0';
	if (!is_user(jid) || !*password)
		return complain(file, "expected lines of user@host and a "
				"password");
	return add(as, jid, password);
}

bool accounts_read(struct accounts *as, const char *file)
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	if (!f)
		return complain(file, strerror(errno));
	while (ok && getline(&line, &size, f) > 0)
		ok = add_line(as, file, line);
	if (line)
		explicit_bzero(line, size);
	free(line);
	fclose(f);
	return ok;
}

void accounts_drop(struct accounts *as)
{
	struct account *a = &as->list[--as->n];

	if (a->password)
		explicit_bzero(a->password, strlen(a->password));
	free(a->password);
	free(a->jid);
}

void accounts_free(struct accounts *as)
{
	while (as->n)
		accounts_drop(as);
	free(as->list);
}
