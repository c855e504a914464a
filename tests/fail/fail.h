/* fail.h: makes the n-th allocation, store operation, descriptor or send of
 * our code fail, counted while it is armed; the rest is as ever.
 */
#ifndef TESTS_FAIL_FAIL_H
#define TESTS_FAIL_FAIL_H

#include <stdatomic.h>
#include <stdbool.h>

enum fail_kind {
	FAIL_MEMORY,       /* an allocation, or one of an arena: NULL */
	FAIL_STORE,        /* a write or sync of the database: EIO, once */
	FAIL_FULL,         /* writes of the database: ENOSPC from now on */
	FAIL_DESCRIPTOR,   /* open, socket, accept ...: EMFILE */
	FAIL_SEND,         /* a write to a socket: EPIPE */
	FAIL_KINDS
};
extern const char *const fail_names[FAIL_KINDS];

/* Shared by the processes a test makes. */
struct fail_state {
	_Atomic bool met;
	atomic_long count[FAIL_KINDS];     /* met or not, since armed */
	enum fail_kind kind;
	long at;                   /* which one fails, from 0; -1: none */
	bool shown;                /* the fault's stack is printed */
};
extern struct fail_state *fail;
extern bool fail_armed;            /* in this process */
extern int fail_pause;

/* From now on the `at`-th of `kind` fails. */
void fail_arm(enum fail_kind kind, long at);
/* Sets the C library's and the libraries' allocators up; once, first. */
void fail_start(void);

#endif
