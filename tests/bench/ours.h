/* ours.h: privatecall-media as a process of media.c, driven over its socket as
 * privatecalld does it.
 */
#ifndef TESTS_BENCH_OURS_H
#define TESTS_BENCH_OURS_H

#include <sys/types.h>
#include "mod_privatecall/media/wire.h"
#include "mod_privatecall/probe/peer.h"

struct ours {
	pid_t pid;
	int control;
	enum wire_mode mode;
	struct peers *peers;
	unsigned connected;        /* calls */
	unsigned opened;
	char dir[64], socket[96];
	struct wire_welcome welcome;
	unsigned welcomes;
	unsigned steps[WIRE_STEPS];        /* said, of all legs */
	unsigned closed;
	struct wire_closed sum;    /* of those closed */
};

/* Starts it, for that many calls of `ps`; `drain`: its --drain, us; not
 * `merge`: its --no-merge. */
void ours_start(struct ours *o, struct peers *ps, enum wire_mode mode,
		unsigned drain, bool merge);
/* All calls, a few at a time: from OPEN until both sides have keys. */
void ours_connect(struct ours *o);
/* CLOSEs each; what passed is in o->sum. */
void ours_hang_up(struct ours *o);
/* Ends it, and its calls first; it must end well. */
void ours_stop(struct ours *o);

#endif
