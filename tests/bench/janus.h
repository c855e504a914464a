/* janus.h: Debian's Janus as a process of media.c, its plugin videocall told
 * of calls over a Unix socket in JSON. Each side is ICE and DTLS-SRTP, as with
 * ours in mode `room`.
 */
#ifndef TESTS_BENCH_JANUS_H
#define TESTS_BENCH_JANUS_H

#include <jansson.h>
#include <sys/types.h>
#include "mod_privatecall/probe/peer.h"

struct janus {
	pid_t pid;
	int api;                   /* connected to it */
	struct peers *peers;
	json_int_t session, *handle;       /* of each peer */
	char dir[64], socket[96];
};

/* JANUS in the environment is the folder that its package is unpacked in. */
void janus_start(struct janus *j, struct peers *ps);
/* All calls, one after the other, until both sides have keys. */
void janus_connect(struct janus *j);
void janus_stop(struct janus *j);

#endif
