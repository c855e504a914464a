/* udp.c: one UDP socket in batches (see udp.h): a system call costs more than
 * all that is done with a packet.
 *
 * What goes out stands in places of a batch that follow each other, and so do
 * their iovs: several places are one message with several iovs, and nothing is
 * copied for it. What comes in as one may be as long as UDP allows, but seldom
 * is: the beginnings stand close together, what is over elsewhere, or each look
 * would touch twice the pages (2 % of all that a packet costs).
 */
#include "mod_privatecall/media/udp.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (4 << 20)           /* bytes, of the kernel, each way */
#define MERGED_MAX 65507           /* bytes of all; UDP's over IPv4 */
/* The system takes 64 at once: a batch is never too many. */
_Static_assert(UDP_BATCH <= 64, "more packets than the system takes as one");
/* For what is over: before it, room for the beginning of a packet. */
#define OVER_ROOM (UDP_SIZE + 65536)

union told {                       /* how long each of several is */
	struct cmsghdr head;
	unsigned char bytes[CMSG_SPACE(sizeof(int))];
};

struct batch {
	struct mmsghdr msg[UDP_BATCH];
	struct sockaddr_storage name[UDP_BATCH];
	union told told[UDP_BATCH];
	unsigned char bytes[UDP_BATCH][UDP_SIZE];
};

struct udp {
	int fd;
	unsigned queued;           /* of out */
	socklen_t name_len;        /* the same for all */
	bool splits, joins;        /* what comes in, what goes out */
	uint64_t too_long, unsent, unmerged;
	struct batch in, out;
	struct iovec in_iov[UDP_BATCH][2], out_iov[UDP_BATCH];
	unsigned char over[];      /* with `splits`, OVER_ROOM for each */
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

/* Where the bytes of message `i` go that are over. */
static unsigned char *over(struct udp *u, unsigned i)
{
	return u->over + (size_t)i * OVER_ROOM + UDP_SIZE;
}

/* For the next look. */
static void prepare_in(struct udp *u, unsigned i)
{
	struct msghdr *h = &u->in.msg[i].msg_hdr;

	h->msg_namelen = sizeof(u->in.name[i]);
	h->msg_controllen = u->splits ? sizeof(u->in.told[i]) : 0;
}

static void prepare(struct udp *u)
{
	unsigned i;

	for (i = 0; i < UDP_BATCH; i++) {
		u->in_iov[i][0].iov_base = u->in.bytes[i];
		u->in_iov[i][0].iov_len = UDP_SIZE;
		if (u->splits)
			u->in_iov[i][1] = (struct iovec) {
				over(u, i), OVER_ROOM - UDP_SIZE,
			};
		u->in.msg[i].msg_hdr.msg_iov = u->in_iov[i];
		u->in.msg[i].msg_hdr.msg_iovlen = u->splits ? 2 : 1;
		u->in.msg[i].msg_hdr.msg_name = &u->in.name[i];
		u->in.msg[i].msg_hdr.msg_control = &u->in.told[i];
		prepare_in(u, i);
		u->out_iov[i].iov_base = u->out.bytes[i];
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

/* Systems that know nothing of it would send several as one long one, and not
 * say that some were together: they are asked first. */
static bool can(int fd, int option, int value)
{
	return !setsockopt(fd, SOL_UDP, option, &value, sizeof(value));
}

int udp_open(struct addr *a, bool merge, struct udp **u_r)
{
	int fd = socket(a->family == ADDR_V4 ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct udp *u;
	bool splits;
	int err;

	if (fd < 0)
		return errno;
	splits = merge && can(fd, UDP_GRO, 1);
	u = calloc(1, sizeof(*u) +
		   (splits ? (size_t)UDP_BATCH * OVER_ROOM : 0));
	err = u ? bind_to(fd, a) : ENOMEM;
	if (err) {
		close(fd);
		free(u);
		return err;
	}
	u->fd = fd;
	u->splits = splits;
	u->joins = merge && can(fd, UDP_SEGMENT, 0);
	prepare(u);
	*u_r = u;
	return 0;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
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

bool udp_merges(const struct udp *u)
{
	return u->splits && u->joins;
}

uint64_t udp_unmerged(const struct udp *u)
{
	return u->unmerged;
}

/* --- what comes in ----------------------------------------------------- */

/* How long each is of those that came as one; at least 1 when `len` is. */
static size_t each_of(struct msghdr *h, size_t len)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(h);
	int size = 0;

	if (c && c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO &&
	    c->cmsg_len >= CMSG_LEN(sizeof(size)))
		memcpy(&size, CMSG_DATA(c), sizeof(size));
	return size > 0 ? (size_t)size : len;
}

/* `len` bytes of message `i` from `at` on, UDP_SIZE at most, in one piece. */
static const unsigned char *piece(struct udp *u, unsigned i, size_t at,
				  size_t len)
{
	const unsigned char *bytes = u->in.bytes[i];

	if (at + len <= UDP_SIZE)
		return bytes + at;
	if (at < UDP_SIZE)
		memcpy(over(u, i) - (UDP_SIZE - at), bytes + at,
		       UDP_SIZE - at);
	return over(u, i) - UDP_SIZE + at;
}

/* Message `i`; how many packets it is. */
static unsigned split(struct udp *u, unsigned i,
		      void (*packet_h)(const struct addr *from,
				       const void *bytes, size_t len,
				       void *arg), void *arg)
{
	struct msghdr *h = &u->in.msg[i].msg_hdr;
	const size_t all = u->in.msg[i].msg_len, each = each_of(h, all);
	size_t at = 0, len;
	struct addr from;
	unsigned n = 0;

	udp_addr(h->msg_name, &from);
	do {
		len = all - at < each ? all - at : each;
		if (len > UDP_SIZE || h->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
			u->too_long++;
		else
			packet_h(&from, piece(u, i, at, len), len, arg);
		at += len;
		n++;
	} while (at < all);
	return n;
}

unsigned udp_receive(struct udp *u,
		     void (*packet_h)(const struct addr *from,
				      const void *bytes, size_t len,
				      void *arg), void *arg, bool *more_r)
{
	int i, n = recvmmsg(u->fd, u->in.msg, UDP_BATCH, MSG_DONTWAIT, NULL);
	unsigned all = 0;

	for (i = 0; i < n; i++) {
		all += split(u, (unsigned)i, packet_h, arg);
		prepare_in(u, (unsigned)i);
	}
	*more_r = n == UDP_BATCH;
	return all;
}

/* --- what goes out ----------------------------------------------------- */

void udp_send(struct udp *u, const struct addr *to, const void *bytes,
	      size_t len)
{
	unsigned i = u->queued++;

	assert(len <= UDP_SIZE);
	memcpy(u->out.bytes[i], bytes, len);
	u->out_iov[i].iov_len = len;
	u->name_len = to_system(to, &u->out.name[i]);
	if (u->queued == UDP_BATCH)
		udp_flush(u);
}

/* How many from `at` on go as one: those to the same address that are as long
 * as the first, and one that is shorter. */
static unsigned alike(const struct udp *u, unsigned at)
{
	const size_t each = u->out_iov[at].iov_len;
	size_t all = each, len = each;
	unsigned n = at + 1;

	while (u->joins && n < u->queued && len == each) {
		len = u->out_iov[n].iov_len;
		all += len;
		if (!len || len > each || all > MERGED_MAX ||
		    memcmp(&u->out.name[n], &u->out.name[at], u->name_len))
			break;
		n++;
	}
	return n - at;
}

/* A message with `n` of them, from `at` on. */
static void address(struct udp *u, struct msghdr *h, unsigned at, unsigned n)
{
	struct cmsghdr *c = &u->out.told[at].head;
	uint16_t each = (uint16_t)u->out_iov[at].iov_len;

	h->msg_name = &u->out.name[at];
	h->msg_namelen = u->name_len;
	h->msg_iov = &u->out_iov[at];
	h->msg_iovlen = n;
	h->msg_control = NULL;
	h->msg_controllen = 0;
	if (n == 1)
		return;
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(each));
	memcpy(CMSG_DATA(c), &each, sizeof(each));
	h->msg_control = c;
	h->msg_controllen = CMSG_SPACE(sizeof(each));
}

/* A message that cannot go (no route, a firewall) is left out. Where the system
 * does not take several as one, each goes alone: they may be too long for this
 * way (EINVAL, EMSGSIZE), or nothing of the kind goes here (EIO). */
static void refused(struct udp *u, const struct msghdr *h, int err)
{
	unsigned at = (unsigned)(h->msg_iov - u->out_iov);
	const unsigned end = at + (unsigned)h->msg_iovlen;
	struct msghdr one;

	if (h->msg_iovlen == 1 ||
	    (err != EINVAL && err != EMSGSIZE && err != EIO)) {
		u->unsent += h->msg_iovlen;
		return;
	}
	u->unmerged++;
	if (err == EIO)
		u->joins = false;
	for (; at < end; at++) {
		address(u, &one, at, 1);
		one.msg_flags = 0;
		if (sendmsg(u->fd, &one, MSG_DONTWAIT) < 0)
			u->unsent++;
	}
}

/* When the system's buffer is full the rest is left out: late media are worth
 * nothing. */
void udp_flush(struct udp *u)
{
	unsigned at, messages = 0, done = 0, n;
	int rc;

	for (at = 0; at < u->queued; at += n) {
		n = alike(u, at);
		address(u, &u->out.msg[messages++].msg_hdr, at, n);
	}
	while (done < messages) {
		rc = sendmmsg(u->fd, u->out.msg + done, messages - done,
			      MSG_DONTWAIT);
		if (rc > 0)
			done += (unsigned)rc;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			refused(u, &u->out.msg[done++].msg_hdr, errno);
	}
	for (; done < messages; done++)
		u->unsent += u->out.msg[done].msg_hdr.msg_iovlen;
	u->queued = 0;
}
