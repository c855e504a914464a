/* private.h: what the files of conf/ share: the table of options, the text of
 * a file with its positions, and the first fault found.
 */
#ifndef MOD_PRIVATECALL_CONF_PRIVATE_H
#define MOD_PRIVATECALL_CONF_PRIVATE_H

#include "mod_privatecall/conf/conf.h"

#include <stddef.h>

#define CONF_FILE_MAX ((size_t)1 << 20)    /* bytes of one file */
#define CONF_FILES_MAX 64                  /* with those included */
#define CONF_SECRET_MAX ((size_t)1024)     /* bytes */
#define CONF_SECRET_MASK "********"
#define CONF_SECRET_ENV "PRIVATECALL_SECRET"

/* A position in a file, both from 1; columns count characters. */
struct conf_place {
	int line;
	int column;
};

enum conf_kind {
	CONF_BOOL,                 /* bool */
	CONF_TIME,                 /* int64_t, ms */
	CONF_NUMBER,               /* unsigned */
	CONF_PORT,                 /* uint16_t */
	CONF_WORD,                 /* an enum; word_h names its values */
	CONF_FIXED,                /* not stored; words[0] alone is taken */
	CONF_HOST,                 /* char *, a name or an address */
	CONF_DOMAIN,               /* char *, prepared */
	CONF_PATH,                 /* char *, absolute */
	CONF_SECRET,               /* char * */
	CONF_SECRET_FILE,          /* not stored: read into the secret */
	CONF_DOMAINS,              /* char **, NULL-terminated list */
	CONF_SHOWS,                /* unsigned, list of enum show */
	CONF_LATER                 /* documented, of a later release */
};

struct conf_option {
	const char *name;
	enum conf_kind kind;
	size_t offset;             /* in struct conf */
	int64_t min, max;          /* ms, or a count; CONF_PATH: bytes */
	bool off;                  /* 0, written "off", is taken too */
	bool restart;              /* cannot change while running */
	const char *(*word_h)(unsigned value);    /* CONF_WORD; else NULL */
	const char *const *words;  /* CONF_FIXED: the word, then those of a
				      later release; NULL-terminated */
	const char *later;         /* what the later words wait for */
};

extern const struct conf_option conf_options[];   /* ends with name NULL */

/* Where a value of this option lies in `c`. */
void *conf_at(struct conf *c, const struct conf_option *o);
const void *conf_at_const(const struct conf *c, const struct conf_option *o);
/* Reads one value of `word` into `c`; a list appends. 0, ENOMEM or EBADMSG:
 * *fault_r is what was expected, to be freed, without place. Not for
 * CONF_SECRET_FILE and CONF_LATER. */
int conf_option_set(struct conf *c, const struct conf_option *o,
		    const char *word, char **fault_r);
/* The value as the file would have it, lists in braces; to be freed, NULL: no
 * memory. A secret is masked. */
char *conf_option_text(const struct conf *c, const struct conf_option *o);
/* "nearest option `x'" of a mistyped name, for the end of a message; empty
 * when nothing is near. */
void conf_option_nearest(const char *name, char *out, size_t size);
/* Prepares a domain. 0, EBADMSG, ENOMEM. */
int conf_domain_prepare(const char *text, char **domain_r);
void conf_list_free(char **list);

/* A file's text, made fit for libconfuse: its lexer counts the lines of
 * comments wrongly and drops stray signs in silence, so comments are blanked
 * and such signs refused before it sees them. */
struct conf_text {
	char *name;                /* as shown in messages */
	char *bytes;               /* with a NUL behind them */
	size_t len;
	size_t cursor;             /* the next token begins at or after it */
	int line;                  /* of the cursor */
	size_t line_at;            /* where this line begins */
	char before;               /* last sign read, 'w': word or string */
	bool in_list;              /* between braces */
};

struct conf_token {
	char kind;                 /* a sign, 'w': word, 's': string, 0: end */
	char before;               /* kind of the token before, 'w' for both */
	bool in_list;              /* it stands in a list */
	size_t at, len;            /* a string without its quotes */
	struct conf_place place;
};

/* Reads a file whole. 0, EFBIG over CONF_FILE_MAX, or an errno. */
int conf_text_read(const char *path, struct conf_text *t_r);
void conf_text_free(struct conf_text *t);         /* wipes it */
/* Blanks comments, refuses what libconfuse would pass over. 0, or EBADMSG
 * with the place and what was expected. The cursor is at the start. */
int conf_text_prepare(struct conf_text *t, struct conf_place *place_r,
		      const char **expected_r);
/* The next token; at the end kind 0, again and again. */
struct conf_token conf_text_next(struct conf_text *t);

/* Reads a secret's file: its first line. `why_r` gets a message without
 * place. 0, EBADMSG, ENOMEM. */
int conf_secret_read(const char *path, char **secret_r, char **why_r);
/* May others read what must stay secret? Answers with the remedy. 0 or
 * EBADMSG. */
int conf_secret_mode(const char *path, char **why_r);
void conf_secret_wipe(char *secret);              /* and frees; NULL is fine */

#endif
