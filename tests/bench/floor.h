/* floor.h: the least that a relay with two keys can cost: one thread, one
 * socket, OpenSSL's functions and nothing around them. What media.c measures a
 * server against.
 */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <sys/types.h>
#include "mod_privatecall/probe/peer.h"

/* A process that relays between the peers of each call, all having fixed keys
 * (peer_fixed()), until it is killed; *to_r: where. `tick`: us that it sleeps
 * when it has taken all that was there; 0: it waits for the next packet. `gso`:
 * it takes several packets of a leg as one, and sends them as one. */
pid_t floor_start(const struct peers *ps, enum srtp_profile profile,
		  unsigned tick, bool gso, struct addr *to_r);

#endif
