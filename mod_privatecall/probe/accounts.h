/* accounts.h: the test users and their passwords, from files alone: what is on
 * the command line everybody on the machine can read.
 */
#ifndef MOD_PRIVATECALL_PROBE_ACCOUNTS_H
#define MOD_PRIVATECALL_PROBE_ACCOUNTS_H

#include <stdbool.h>

struct account {
	char *jid, *password;
};

struct accounts {
	unsigned n;
	struct account *list;
};

/* One whose password is the first line of a file. False: said why. */
bool accounts_add(struct accounts *as, const char *jid, const char *file);
/* Of each line `user@host password`; empty lines and # comments are none. */
bool accounts_read(struct accounts *as, const char *file);
/* Forgets the last one. */
void accounts_drop(struct accounts *as);
void accounts_free(struct accounts *as);   /* wipes the passwords */

#endif
