/* coturn.h: Debian's coturn as a process of media.c, with one thread that
 * relays. It knows no cipher: the caller of each call has an allocation and
 * sends in a channel, the callee sends to the allocation's address and hears
 * from there; both have fixed keys, which pass it by.
 */
#ifndef TESTS_BENCH_COTURN_H
#define TESTS_BENCH_COTURN_H

#include <sys/types.h>
#include "mod_privatecall/probe/peer.h"

struct coturn {
	pid_t pid;
	struct peers *peers;
	struct addr addr;
	char dir[32];              /* its files */
};

/* COTURN in the environment is the program. */
void coturn_start(struct coturn *c, struct peers *ps);
/* All allocations and channels. */
void coturn_connect(struct coturn *c);
void coturn_stop(struct coturn *c);

#endif
