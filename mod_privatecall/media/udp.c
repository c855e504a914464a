/* udp.c: one UDP socket in batches (see udp.h): a system call costs more than
 * all that is done with a packet.
 */
#include "mod_privatecall/media/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (4 << 20)           /* bytes, of the kernel, each way */

struct batch {
	struct mmsghdr msg[UDP_BATCH];
	struct iovec iov[UDP_BATCH];
	struct sockaddr_storage name[UDP_BATCH];
	unsigned char bytes[UDP_BATCH][UDP_SIZE];
};

struct udp {
	int fd;
	unsigned queued;           /* of out */
	uint64_t too_long, unsent;
	struct batch in, out;
};

void udp_addr(const struct sockaddr *sa, struct addr *a_r)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(a_r, 0, sizeof(*a_r));
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		a_r->family = ADDR_V4;
		a_r->port = ntohs(v4.sin_port);
		memcpy(a_r->ip, &v4.sin_addr, sizeof(v4.sin_addr));
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		a_r->family = ADDR_V6;
		a_r->port = ntohs(v6.sin6_port);
		memcpy(a_r->ip, &v6.sin6_addr, sizeof(v6.sin6_addr));
	}
}

static socklen_t to_system(const struct addr *a, struct sockaddr_storage *s)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(a->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(a->port) };

	if (a->family == ADDR_V4) {
		memcpy(&v4.sin_addr, a->ip, sizeof(v4.sin_addr));
		memcpy(s, &v4, sizeof(v4));
		return sizeof(v4);
	}
	memcpy(&v6.sin6_addr, a->ip, sizeof(v6.sin6_addr));
	memcpy(s, &v6, sizeof(v6));
	return sizeof(v6);
}

/* --- life ------------------------------------------------------------- */

static void prepare(struct batch *b)
{
	unsigned i;

	for (i = 0; i < UDP_BATCH; i++) {
		b->iov[i].iov_base = b->bytes[i];
		b->iov[i].iov_len = UDP_SIZE;
		b->msg[i].msg_hdr.msg_iov = &b->iov[i];
		b->msg[i].msg_hdr.msg_iovlen = 1;
		b->msg[i].msg_hdr.msg_name = &b->name[i];
		b->msg[i].msg_hdr.msg_namelen = sizeof(b->name[i]);
	}
}

static int bind_to(int fd, struct addr *a)
{
	const int one = 1, size = BUFFER;
	struct sockaddr_storage name = { 0 };
	socklen_t len;

	/* As large as the system lets us. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (a->family == ADDR_V6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
					       &one, sizeof(one)))
		return errno;
	len = to_system(a, &name);
	if (bind(fd, (const struct sockaddr *)&name, len))
		return errno;
	len = sizeof(name);
	if (getsockname(fd, (struct sockaddr *)&name, &len))
		return errno;
	udp_addr((const struct sockaddr *)&name, a);
	return 0;
}

int udp_open(struct addr *a, struct udp **u_r)
{
	struct udp *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return ENOMEM;
	u->fd = socket(a->family == ADDR_V4 ? AF_INET : AF_INET6,
		       SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	err = u->fd < 0 ? errno : bind_to(u->fd, a);
	if (err) {
		udp_close(u);
		return err;
	}
	prepare(&u->in);
	prepare(&u->out);
	*u_r = u;
	return 0;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

int udp_fd(const struct udp *u)
{
	return u->fd;
}

uint64_t udp_too_long(const struct udp *u)
{
	return u->too_long;
}

uint64_t udp_unsent(const struct udp *u)
{
	return u->unsent;
}

/* --- packets ---------------------------------------------------------- */

unsigned udp_receive(struct udp *u,
		     void (*packet_h)(const struct addr *from,
				      const void *bytes, size_t len,
				      void *arg), void *arg)
{
	int i, n = recvmmsg(u->fd, u->in.msg, UDP_BATCH, MSG_DONTWAIT, NULL);
	struct addr from;

	for (i = 0; i < n; i++) {
		struct msghdr *h = &u->in.msg[i].msg_hdr;

		if (h->msg_flags & MSG_TRUNC) {
			u->too_long++;
		} else {
			udp_addr(h->msg_name, &from);
			packet_h(&from, u->in.bytes[i], u->in.msg[i].msg_len,
				 arg);
		}
		h->msg_namelen = sizeof(u->in.name[i]);
	}
	return n < 0 ? 0 : (unsigned)n;
}

void udp_send(struct udp *u, const struct addr *to, const void *bytes,
	      size_t len)
{
	unsigned i = u->queued++;

	assert(len <= UDP_SIZE);
	memcpy(u->out.bytes[i], bytes, len);
	u->out.iov[i].iov_len = len;
	u->out.msg[i].msg_hdr.msg_namelen = to_system(to, &u->out.name[i]);
	if (u->queued == UDP_BATCH)
		udp_flush(u);
}

/* One that cannot go (no route, a firewall) is left out; when the system's
 * buffer is full the rest is: late media are worth nothing. */
void udp_flush(struct udp *u)
{
	unsigned at = 0;
	int n;

	while (at < u->queued) {
		n = sendmmsg(u->fd, u->out.msg + at, u->queued - at,
			     MSG_DONTWAIT);
		if (n > 0) {
			at += (unsigned)n;
		} else if (errno == EAGAIN) {
			u->unsent += u->queued - at;
			break;
		} else if (errno != EINTR) {
			u->unsent++;
			at++;
		}
	}
	u->queued = 0;
}
