/* udp.h: one UDP socket, read and written in batches, for a worker. Where the
 * system can, packets to one address that follow each other go out as one for
 * it to take apart (UDP_SEGMENT), and those that a network card has put
 * together come in as one (UDP_GRO): the way through the system is most of what
 * a packet costs.
 */
#ifndef MOD_PRIVATECALL_MEDIA_UDP_H
#define MOD_PRIVATECALL_MEDIA_UDP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "jingle/media/addr.h"

#define UDP_BATCH 32               /* datagrams of one system call */
#define UDP_SIZE 2048              /* bytes of one; longer ones are dropped */

struct udp;                        /* with room for a batch each way */

/* Binds to the address; port 0: a free one, which *a gets. `merge`: as above,
 * where the system can. 0 or an errno. */
int udp_open(struct addr *a, bool merge, struct udp **u_r);
void udp_close(struct udp *u);
int udp_fd(const struct udp *u);

/* Takes a batch: `packet_h` for each. The number of them; `*more_r`: there may
 * be more. */
unsigned udp_receive(struct udp *u,
		     void (*packet_h)(const struct addr *from,
				      const void *bytes, size_t len,
				      void *arg), void *arg, bool *more_r);
/* Copies it; sent when a batch is full, or by udp_flush(). */
void udp_send(struct udp *u, const struct addr *to, const void *bytes,
	      size_t len);
void udp_flush(struct udp *u);

/* What never got further. */
uint64_t udp_too_long(const struct udp *u);        /* received */
uint64_t udp_unsent(const struct udp *u);
/* Of both ways, does the system the merging still? */
bool udp_merges(const struct udp *u);
/* How often it did not take several as one; each went alone. */
uint64_t udp_unmerged(const struct udp *u);

/* An address of the system; of family NONE when it is of another one. */
void udp_addr(const struct sockaddr *sa, struct addr *a_r);

#endif
