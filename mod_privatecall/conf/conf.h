/* conf.h: the configuration file (libconfuse), typed, with units.
 *
 * Errors are one line: file:line:column: expected ..., nearest option ...
 */
#ifndef MOD_PRIVATECALL_CONF_CONF_H
#define MOD_PRIVATECALL_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "mod_privatecall/policy/settings.h"

struct conf {
	char *domain;              /* "calls.example.org", required, prepared */
	char *server;              /* host of the component port, 127.0.0.1 */
	uint16_t port;             /* 5347 */
	char *secret;              /* one of secret, secret_file, env */
	char **hosts;              /* NULL-terminated; default: domain without
				      its first label */
	char *database;            /* /var/lib/privatecall/privatecall.db */
	char *control_socket;      /* /run/privatecall/control */
	char *media_socket;        /* /run/privatecall-media/media.sock */
	enum log_privacy log_privacy;   /* hash */
	int64_t keep_log;          /* ms, 90 d */
	int64_t keep_notices;      /* ms, 30 d */
	unsigned notices_per_user; /* 50 */
	struct settings_site site;
	char **where;              /* by option; see conf_where() */
};

/* Reads `path`. 0, or EBADMSG (fault in the file) or an errno of opening it;
 * *why_r gets the line to show (free() it). Nothing is kept on failure. */
int conf_load(const char *path, struct conf **conf_r, char **why_r);
void conf_free(struct conf *c);       /* wipes the secret */
/* Where the option got its value, for messages: "FILE:LINE"; of `secret' also a
 * file or the environment variable. NULL: it has its default. */
const char *conf_where(const struct conf *c, const char *name);
/* Prints as a configuration file that conf_load reads; the secret masked. */
void conf_print(const struct conf *c, FILE *out);
/* The name of the first option that differs and cannot change while running
 * (domain, server, port, secret, database, control_socket,
 * media_socket), NULL: none. */
const char *conf_needs_restart(const struct conf *old, const struct conf *new_);
/* One line per difference, for the log ("ring_timeout: 30s -> 20s"). */
void conf_diff(const struct conf *old, const struct conf *new_,
	       void (*line_h)(const char *line, void *arg), void *arg);

#endif
