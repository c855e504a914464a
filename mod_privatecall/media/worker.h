/* worker.h: a relay with its sockets: what a thread of privatecall-media is to
 * be, with memory of its own. A packet's way:
 *
 *     udp (recvmmsg) --> relay_packet() --> udp_send(), of the family of the
 *       ^                    ^   |          address, when the batch is done
 *     epoll            time, |   `-> say: to control
 *                   messages of control
 *
 * Its descriptors are for the caller's epoll.
 */
#ifndef MOD_PRIVATECALL_MEDIA_WORKER_H
#define MOD_PRIVATECALL_MEDIA_WORKER_H

#include "mod_privatecall/log/log.h"
#include "mod_privatecall/media/pace.h"
#include "mod_privatecall/media/relay.h"
#include "mod_privatecall/media/udp.h"

#define WORKER_ENTROPY 4096        /* bytes that are fetched at once */

struct worker {
	struct relay *relay;
	struct udp *udp[ICE_LOCALS_MAX];
	uint8_t family[ICE_LOCALS_MAX];            /* of each */
	unsigned sockets;
	int64_t now;               /* of this batch */
	bool more;                 /* of it may be there still */
	bool merge;                /* packets, where the system can (udp.h);
				      told before worker_open() */
	bool told_alone;           /* that it no longer can */
	struct pace pace;
	unsigned char entropy[WORKER_ENTROPY];     /* from `used` on fresh */
	size_t used;
	int64_t reported;          /* when bad packets were told of last */
	uint64_t told[RELAY_COUNTS + WIRE_DROPS + 2];
	int64_t renew_at;          /* our certificate */
	void (*say_h)(const struct wire_msg *m, void *arg);
	void *arg;
};

/* Monotonic ms. */
int64_t worker_now(void);
/* Opens the sockets; config->local gets their ports. Makes the certificate of
 * mode `room`, and a new one each day for the calls to come. 0, or an errno and
 * the line with the remedy (free() it), NULL: none. */
int worker_open(struct worker *w, struct relay_config *config,
		void (*say_h)(const struct wire_msg *m, void *arg), void *arg,
		char **why_r);
void worker_close(struct worker *w);

/* Takes what has come on socket `i`, at most a few batches; sends what comes
 * of it. */
void worker_receive(struct worker *w, unsigned i);
void worker_control(struct worker *w, const struct wire_msg *m);
/* Lets packets gather when many come (pace.h). */
void worker_rest(const struct worker *w);
/* Does what is due, and how many ms until more is. */
int worker_wait(struct worker *w);
/* A line in the log of what was dropped since the last, at most one in 10 s;
 * `at_end`: at once. */
void worker_report(struct worker *w, bool at_end);

#endif
