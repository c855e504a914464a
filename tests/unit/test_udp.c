/* test_udp.c: datagrams in batches, as the system takes and gives them: what
 * goes out as one, what came as one, and a system that does neither. The system
 * stands in for itself, or says what a test tells it to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include "mod_privatecall/media/udp.h"

#define SEEN_MAX 256

/* --- a system ---------------------------------------------------------- */

static struct {
	bool real;                 /* and nothing of the rest counts */
	int no_option;             /* of UDP: unknown; 0: none */
	int refuses;               /* errno for messages of several */
	int refuses_alone;         /* for the next message of one */
	unsigned takes;            /* messages, then it is full */
	/* What it was given: of each message. */
	struct {
		unsigned packets, each;
		size_t bytes;
		uint16_t port;
	} sent[SEEN_MAX];
	unsigned n, calls;
	/* What the next look finds. */
	struct {
		size_t len;
		int each;          /* said with it; INT32_MIN: nothing is */
		int level, flags;
	} comes[UDP_BATCH];
	unsigned n_comes;
} sys;

int __real_setsockopt(int fd, int level, int name, const void *v,
		      socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *v,
		      socklen_t len);
int __real_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
int __real_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
		    struct timespec *t);
int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
		    struct timespec *t);

int __wrap_setsockopt(int fd, int level, int name, const void *v,
		      socklen_t len)
{
	if (level == SOL_UDP && name == sys.no_option) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return __real_setsockopt(fd, level, name, v, len);
}

/* Notes what a message has, and takes it or not. */
static int take(const struct msghdr *h)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(h);
	struct sockaddr_in to;
	uint16_t each = 0;
	size_t i;

	assert_true(sys.n < SEEN_MAX);
	if (sys.refuses && h->msg_iovlen > 1) {
		errno = sys.refuses;
		return -1;
	}
	if (sys.refuses_alone && h->msg_iovlen == 1) {
		errno = sys.refuses_alone;
		sys.refuses_alone = 0;
		return -1;
	}
	if (!sys.takes) {
		errno = EAGAIN;
		return -1;
	}
	sys.takes--;
	if (c) {
		assert_int_equal(c->cmsg_level, SOL_UDP);
		assert_int_equal(c->cmsg_type, UDP_SEGMENT);
		assert_int_equal(c->cmsg_len, CMSG_LEN(sizeof(each)));
		memcpy(&each, CMSG_DATA(c), sizeof(each));
	}
	assert_int_equal(c != NULL, h->msg_iovlen > 1);
	memcpy(&to, h->msg_name, sizeof(to));
	sys.sent[sys.n].packets = (unsigned)h->msg_iovlen;
	sys.sent[sys.n].each = each;
	sys.sent[sys.n].port = ntohs(to.sin_port);
	for (i = 0; i < h->msg_iovlen; i++)
		sys.sent[sys.n].bytes += h->msg_iov[i].iov_len;
	sys.n++;
	return 0;
}

int __wrap_sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	unsigned i;

	if (sys.real)
		return __real_sendmmsg(fd, m, n, flags);
	sys.calls++;
	for (i = 0; i < n && !take(&m[i].msg_hdr); i++)
		;
	return i ? (int)i : -1;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return sys.real ? __real_sendmsg(fd, m, flags) : take(m);
}

/* Byte `k` of all that is given. */
static unsigned char byte(size_t k)
{
	return (unsigned char)(k * 5 + (k >> 8));
}

/* And where it goes. */
static unsigned char *byte_at(const struct msghdr *h, size_t k)
{
	size_t i;

	for (i = 0; i < h->msg_iovlen; k -= h->msg_iov[i++].iov_len)
		if (k < h->msg_iov[i].iov_len)
			return (unsigned char *)h->msg_iov[i].iov_base + k;
	fail_msg("no room");
	return NULL;
}

static void give(struct mmsghdr *m, unsigned i)
{
	struct msghdr *h = &m->msg_hdr;
	struct sockaddr_in from = { .sin_family = AF_INET,
				    .sin_port = htons(1000 + i) };
	struct cmsghdr *c = h->msg_control;
	size_t k;

	assert_true(h->msg_namelen >= sizeof(from));
	memcpy(h->msg_name, &from, sizeof(from));
	h->msg_namelen = sizeof(from);
	for (k = 0; k < sys.comes[i].len; k++)
		*byte_at(h, k) = byte(k);
	m->msg_len = (unsigned)sys.comes[i].len;
	h->msg_flags = sys.comes[i].flags;
	if (sys.comes[i].each == INT32_MIN) {
		h->msg_controllen = 0;
		return;
	}
	assert_true(h->msg_controllen >= CMSG_SPACE(sizeof(int)));
	c->cmsg_level = sys.comes[i].level;
	c->cmsg_type = UDP_GRO;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &sys.comes[i].each, sizeof(int));
	h->msg_controllen = CMSG_SPACE(sizeof(int));
}

int __wrap_recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags,
		    struct timespec *t)
{
	unsigned i;

	if (sys.real)
		return __real_recvmmsg(fd, m, n, flags, t);
	assert_int_equal(n, UDP_BATCH);
	for (i = 0; i < sys.n_comes; i++)
		give(&m[i], i);
	return (int)sys.n_comes;
}

/* --- helpers ----------------------------------------------------------- */

static unsigned char bytes[UDP_SIZE];

static struct addr at_port(uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse("127.0.0.1", port, &a), 0);
	return a;
}

/* A socket on a system that takes all. */
static struct udp *open_at(bool merge, struct addr *a_r)
{
	struct udp *u;

	memset(&sys, 0, sizeof(sys));
	sys.takes = SEEN_MAX;
	*a_r = at_port(0);
	assert_int_equal(udp_open(a_r, merge, &u), 0);
	return u;
}

static struct udp *open_one(void)
{
	struct addr a;

	return open_at(true, &a);
}

static void send_to(struct udp *u, uint16_t port, size_t len)
{
	struct addr to = at_port(port);

	udp_send(u, &to, bytes, len);
}

static void assert_sent(unsigned i, unsigned packets, unsigned each,
			size_t all, uint16_t port)
{
	assert_true(i < sys.n);
	assert_int_equal(sys.sent[i].packets, packets);
	assert_int_equal(sys.sent[i].each, each);
	assert_int_equal(sys.sent[i].bytes, all);
	assert_int_equal(sys.sent[i].port, port);
}

static struct {
	unsigned n;
	size_t len[4096];
	uint16_t port[4096];
	unsigned char first[4096];
	unsigned char bytes[4096][UDP_SIZE];
} got;

static void on_packet(const struct addr *from, const void *p, size_t len,
		      void *arg)
{
	(void)arg;
	assert_true(got.n < 4096);
	got.len[got.n] = len;
	got.port[got.n] = from->port;
	got.first[got.n] = len ? *(const unsigned char *)p : 0;
	memcpy(got.bytes[got.n], p, len);
	got.n++;
}

static void comes(size_t len, int each)
{
	unsigned i = sys.n_comes++;

	sys.comes[i].len = len;
	sys.comes[i].each = each;
	sys.comes[i].level = SOL_UDP;
}

static unsigned receive(struct udp *u, bool *more_r)
{
	got.n = 0;
	return udp_receive(u, on_packet, NULL, more_r);
}

/* --- what goes out ----------------------------------------------------- */

/* Packets to one address that follow each other go as one, the last of which
 * may be shorter. */
static void test_joins(void **state)
{
	struct udp *u = open_one();

	(void)state;
	send_to(u, 7, 100);
	send_to(u, 7, 100);
	send_to(u, 7, 60);
	send_to(u, 7, 60);
	send_to(u, 7, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 3);
	assert_sent(0, 3, 100, 260, 7);
	assert_sent(1, 1, 0, 60, 7);
	assert_sent(2, 1, 0, 100, 7);
	assert_int_equal(sys.calls, 1);
	udp_flush(u);
	assert_int_equal(sys.calls, 1);
	udp_close(u);
}

/* Those of another address, of an empty packet and of a longer one do not. */
static void test_stays_apart(void **state)
{
	struct udp *u = open_one();

	(void)state;
	send_to(u, 7, 100);
	send_to(u, 8, 100);
	send_to(u, 8, 100);
	send_to(u, 7, 100);
	send_to(u, 7, 101);
	send_to(u, 7, 0);
	send_to(u, 7, 0);
	udp_flush(u);
	assert_int_equal(sys.n, 6);
	assert_sent(0, 1, 0, 100, 7);
	assert_sent(1, 2, 100, 200, 8);
	assert_sent(2, 1, 0, 100, 7);
	assert_sent(3, 1, 0, 101, 7);
	assert_sent(4, 1, 0, 0, 7);
	assert_sent(5, 1, 0, 0, 7);
	udp_close(u);
}

/* Never more bytes at once than a datagram has: 31 of 2048, not 32. */
static void test_most_bytes(void **state)
{
	struct udp *u = open_one();
	unsigned i;

	(void)state;
	for (i = 0; i < UDP_BATCH; i++)
		send_to(u, 7, UDP_SIZE);
	assert_int_equal(sys.n, 2);        /* full, so sent */
	assert_sent(0, 31, UDP_SIZE, (size_t)31 * UDP_SIZE, 7);
	assert_sent(1, 1, 0, UDP_SIZE, 7);
	udp_close(u);
}

/* A way that is too narrow for these: each goes alone, the next are tried as
 * one again. */
static void test_refused_once(void **state)
{
	static const int why[] = { EINVAL, EMSGSIZE };
	struct udp *u;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {
		u = open_one();
		sys.refuses = why[i];
		send_to(u, 7, 100);
		send_to(u, 8, 100);
		send_to(u, 8, 90);
		send_to(u, 9, 100);
		udp_flush(u);
		assert_int_equal(sys.n, 4);
		assert_sent(0, 1, 0, 100, 7);
		assert_sent(1, 1, 0, 100, 8);
		assert_sent(2, 1, 0, 90, 8);
		assert_sent(3, 1, 0, 100, 9);
		assert_int_equal(udp_unmerged(u), 1);
		assert_int_equal(udp_unsent(u), 0);
		assert_true(udp_merges(u));
		sys.refuses = 0;
		send_to(u, 8, 100);
		send_to(u, 8, 100);
		udp_flush(u);
		assert_sent(4, 2, 100, 200, 8);
		udp_close(u);
	}
}

/* A system that can not after all: from then on each goes alone. */
static void test_refused_for_ever(void **state)
{
	struct udp *u = open_one();
	unsigned i;

	(void)state;
	sys.refuses = EIO;
	for (i = 0; i < 4; i++)
		send_to(u, 7 + i / 2, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 4);
	assert_int_equal(udp_unmerged(u), 2);
	assert_false(udp_merges(u));
	sys.refuses = 0;
	send_to(u, 7, 100);
	send_to(u, 7, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 6);
	assert_sent(5, 1, 0, 100, 7);
	assert_int_equal(udp_unmerged(u), 2);
	udp_close(u);
}

/* One that cannot go is left out, and counted; also of several. */
static void test_left_out(void **state)
{
	struct udp *u = open_one();

	(void)state;
	sys.refuses_alone = EPERM;
	send_to(u, 7, 100);
	send_to(u, 8, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 1);
	assert_sent(0, 1, 0, 100, 8);
	assert_int_equal(udp_unsent(u), 1);
	assert_int_equal(udp_unmerged(u), 0);
	sys.refuses = EPERM;
	send_to(u, 7, 100);
	send_to(u, 7, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 1);
	assert_int_equal(udp_unsent(u), 3);
	assert_int_equal(udp_unmerged(u), 0);
	sys.refuses = EINVAL;
	sys.refuses_alone = EPERM;
	send_to(u, 7, 100);
	send_to(u, 7, 50);
	udp_flush(u);
	assert_int_equal(sys.n, 2);
	assert_sent(1, 1, 0, 50, 7);
	assert_int_equal(udp_unsent(u), 4);
	udp_close(u);
}

/* Full: the rest is left out, and every packet of it is counted. */
static void test_full(void **state)
{
	struct udp *u = open_one();
	unsigned i;

	(void)state;
	sys.takes = 1;
	for (i = 0; i < 9; i++)
		send_to(u, 7 + i / 3, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 1);
	assert_int_equal(udp_unsent(u), 6);
	sys.takes = SEEN_MAX;
	send_to(u, 7, 100);
	udp_flush(u);
	assert_sent(1, 1, 0, 100, 7);
	udp_close(u);
}

/* --- what comes in ----------------------------------------------------- */

static void test_splits(void **state)
{
	struct udp *u = open_one();
	bool more;
	unsigned i;

	(void)state;
	comes(250, 100);
	comes(40, INT32_MIN);
	comes(200, 100);
	comes(0, INT32_MIN);
	comes(64 * 1000, 1000);
	assert_int_equal(receive(u, &more), 3 + 1 + 2 + 1 + 64);
	assert_false(more);
	assert_int_equal(got.n, 71);
	for (i = 0; i < 3; i++) {
		assert_int_equal(got.len[i], i < 2 ? 100 : 50);
		assert_int_equal(got.port[i], 1000);
		assert_int_equal(got.first[i], byte(i * 100));
	}
	assert_int_equal(got.len[3], 40);
	assert_int_equal(got.port[3], 1001);
	assert_int_equal(got.len[5], 100);
	assert_int_equal(got.first[5], byte(100));
	assert_int_equal(got.len[6], 0);
	for (i = 7; i < 71; i++)
		assert_int_equal(got.len[i], 1000);
	assert_int_equal(udp_too_long(u), 0);
	udp_close(u);
}

/* Wherever they lie in it, all bytes are there: as many of each size as come as
 * one. */
static void test_splits_all(void **state)
{
	static const int each[] = { 1, 40, 683, 1000, 1023, 1024, 1025, 1216,
				    2047, UDP_SIZE };
	struct udp *u = open_one();
	size_t i, k, most;
	unsigned n;
	bool more;

	(void)state;
	for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		most = (size_t)each[i] * 64 < 65507 ? (size_t)each[i] * 64 :
						      65507;
		sys.n_comes = 0;
		comes(most, each[i]);
		assert_int_equal(receive(u, &more),
				 (most - 1) / (size_t)each[i] + 1);
		for (k = 0, n = 0; k < most; k++) {
			assert_int_equal(got.bytes[n][k % (size_t)each[i]],
					 byte(k));
			n += k % (size_t)each[i] + 1 == (size_t)each[i];
		}
	}
	assert_int_equal(udp_too_long(u), 0);
	udp_close(u);
}

/* A size that cannot be is none: the datagram is one. */
static void test_odd_sizes(void **state)
{
	struct udp *u = open_one();
	bool more;

	(void)state;
	comes(90, 0);
	comes(90, -5);
	comes(90, INT32_MAX);
	comes(90, 90);
	comes(90, 30);
	sys.comes[4].level = SOL_SOCKET;
	comes(0, 0);
	comes(0, 30);
	comes(3, 1);
	assert_int_equal(receive(u, &more), 10);
	assert_int_equal(got.n, 10);
	assert_int_equal(got.len[0], 90);
	assert_int_equal(got.len[1], 90);
	assert_int_equal(got.len[2], 90);
	assert_int_equal(got.len[3], 90);
	assert_int_equal(got.len[4], 90);
	assert_int_equal(got.len[5], 0);
	assert_int_equal(got.len[6], 0);
	assert_int_equal(got.len[7], 1);
	assert_int_equal(got.len[9], 1);
	udp_close(u);
}

/* Nothing longer than a packet may be is seen, alone or of several, and nothing
 * of what came in part. */
static void test_too_long(void **state)
{
	struct udp *u = open_one();
	bool more;

	(void)state;
	comes(UDP_SIZE + 1, INT32_MIN);
	comes(2 * UDP_SIZE + 10, UDP_SIZE + 1);
	comes(UDP_SIZE, INT32_MIN);
	comes(2 * UDP_SIZE, UDP_SIZE);
	comes(300, 100);
	sys.comes[4].flags = MSG_TRUNC;
	comes(300, INT32_MIN);
	sys.comes[5].flags = MSG_CTRUNC;
	assert_int_equal(receive(u, &more), 1 + 3 + 1 + 2 + 3 + 1);
	assert_int_equal(got.n, 1 + 1 + 2);
	assert_int_equal(got.len[0], 8);
	assert_int_equal(got.len[1], UDP_SIZE);
	assert_int_equal(got.len[3], UDP_SIZE);
	assert_int_equal(udp_too_long(u), 1 + 2 + 3 + 1);
	udp_close(u);
}

/* There may be more when the batch was full of messages, not of packets; and
 * the next look has its room for names and sizes again. */
static void test_more(void **state)
{
	struct udp *u = open_one();
	bool more;
	unsigned i;

	(void)state;
	comes(100 * 40, 100);
	assert_int_equal(receive(u, &more), 40);
	assert_false(more);
	sys.n_comes = 0;
	for (i = 0; i < UDP_BATCH; i++)
		comes(100, INT32_MIN);
	assert_int_equal(receive(u, &more), UDP_BATCH);
	assert_true(more);
	sys.n_comes = 0;
	for (i = 0; i < UDP_BATCH; i++)
		comes(200, 100);
	assert_int_equal(receive(u, &more), 2 * UDP_BATCH);
	assert_true(more);
	udp_close(u);
}

/* --- a system without it ------------------------------------------------ */

static void alone(struct udp *u)
{
	bool more;

	assert_false(udp_merges(u));
	send_to(u, 7, 100);
	send_to(u, 7, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 2);
	assert_sent(1, 1, 0, 100, 7);
	comes(UDP_SIZE, INT32_MIN);
	comes(10, INT32_MIN);
	assert_int_equal(receive(u, &more), 2);
	assert_int_equal(got.len[0], UDP_SIZE);
	assert_int_equal(got.len[1], 10);
	assert_int_equal(udp_unmerged(u), 0);
}

static void test_not_wanted(void **state)
{
	struct addr a;
	struct udp *u = open_at(false, &a);

	(void)state;
	alone(u);
	udp_close(u);
}

/* It may have the one and not the other. */
static void test_unknown(void **state)
{
	struct addr a = at_port(0);
	struct udp *u;
	bool more;

	(void)state;
	memset(&sys, 0, sizeof(sys));
	sys.takes = SEEN_MAX;
	sys.no_option = UDP_SEGMENT;
	assert_int_equal(udp_open(&a, true, &u), 0);
	assert_false(udp_merges(u));
	send_to(u, 7, 100);
	send_to(u, 7, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 2);
	comes(200, 100);
	assert_int_equal(receive(u, &more), 2);
	udp_close(u);

	memset(&sys, 0, sizeof(sys));
	sys.takes = SEEN_MAX;
	sys.no_option = UDP_GRO;
	a = at_port(0);
	assert_int_equal(udp_open(&a, true, &u), 0);
	assert_false(udp_merges(u));
	send_to(u, 7, 100);
	send_to(u, 7, 100);
	udp_flush(u);
	assert_int_equal(sys.n, 1);
	comes(UDP_SIZE, INT32_MIN);
	assert_int_equal(receive(u, &more), 1);
	assert_int_equal(got.len[0], UDP_SIZE);
	udp_close(u);
}

/* --- the real one ------------------------------------------------------- */

static void receive_all(struct udp *u, unsigned all)
{
	struct pollfd p = { udp_fd(u), POLLIN, 0 };
	unsigned n = 0;
	bool more;

	got.n = 0;
	while (n < all) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		n += udp_receive(u, on_packet, NULL, &more);
	}
	assert_int_equal(got.n, all);
}

/* From one socket to another, each with it or without: the same arrives. */
static void test_real(void **state)
{
	static const size_t len[] = { 700, 700, 700, 300, 700, 701, 701, 1 };
	struct addr from, to;
	struct udp *a, *b;
	unsigned sort, i;

	(void)state;
	for (sort = 0; sort < 4; sort++) {
		a = open_at(sort & 1, &from);
		b = open_at(sort & 2, &to);
		sys.real = true;
		for (i = 0; i < 8; i++) {
			memset(bytes, (int)i, sizeof(bytes));
			udp_send(a, &to, bytes, len[i]);
		}
		udp_flush(a);
		assert_int_equal(udp_unsent(a) + udp_unmerged(a), 0);
		receive_all(b, 8);
		for (i = 0; i < 8; i++) {
			assert_int_equal(got.len[i], len[i]);
			assert_int_equal(got.first[i], i);
			assert_int_equal(got.port[i], from.port);
		}
		udp_close(a);
		udp_close(b);
	}
}

/* As many and as long as a batch may have. */
static void test_real_most(void **state)
{
	struct addr from, to;
	struct udp *a = open_at(true, &from), *b = open_at(true, &to);
	unsigned i;

	(void)state;
	sys.real = true;
	for (i = 0; i < UDP_BATCH; i++)
		udp_send(a, &to, bytes, UDP_SIZE);
	assert_int_equal(udp_unsent(a) + udp_unmerged(a), 0);
	receive_all(b, UDP_BATCH);
	for (i = 0; i < UDP_BATCH; i++)
		assert_int_equal(got.len[i], UDP_SIZE);
	assert_int_equal(udp_too_long(b), 0);
	udp_close(a);
	udp_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_joins),
		cmocka_unit_test(test_stays_apart),
		cmocka_unit_test(test_most_bytes),
		cmocka_unit_test(test_refused_once),
		cmocka_unit_test(test_refused_for_ever),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_splits_all),
		cmocka_unit_test(test_odd_sizes),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_not_wanted),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_real_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
