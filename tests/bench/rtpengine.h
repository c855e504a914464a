/* rtpengine.h: Debian's rtpengine as a process of media.c, in user space with
 * one thread for media, told of calls over its own protocol (ng: a cookie and a
 * bencoded dictionary in a datagram). Each side is ICE and DTLS-SRTP, as with
 * ours in mode `room`.
 */
#ifndef TESTS_BENCH_RTPENGINE_H
#define TESTS_BENCH_RTPENGINE_H

#include <sys/types.h>
#include "mod_privatecall/probe/peer.h"

struct rtpengine {
	pid_t pid;
	int ng;                    /* connected to it */
	struct peers *peers;
	unsigned cookie;
};

/* RTPENGINE in the environment is the program. */
void rtpengine_start(struct rtpengine *e, struct peers *ps);
/* All calls, a few at a time, until both sides have keys. */
void rtpengine_connect(struct rtpengine *e);
void rtpengine_stop(struct rtpengine *e);

#endif
