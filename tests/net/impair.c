/* impair.c: a bad network of network namespaces, each a host with a device tun0
 * of its own, between which it passes IP packets (router.h). No packet leaves:
 * the namespaces have no other device.
 *
 *	impair --seed N HOST=IP[,IP]...
 *
 * says for each host "host NAME pid PID" (its namespace is /proc/PID/ns/net),
 * then "ready". Each line of its input is answered by one that begins with "ok"
 * or "error":
 *
 *	link HOST out|in|both [loss=N] [dup=N] [reorder=N] [late=PACKETS]
 *		[delay=MS] [jitter=MS] [dtls=N]
 *	                           N of 1000 packets; dtls: the next N of
 *	                           those are lost; what is not named is 0
 *	udp HOST on|off|IP PORT    UDP passes, does not, or to there alone
 *	nat HOST IP|off            from now on he is seen from there, at other
 *	                           ports, and only UDP passes; or no more
 *	forward HOST PORT          his 127.0.0.1:PORT is, for TCP, that of
 *	                           who started this: past all that is bad
 *	count HOST
 *
 * It ends with its input, and says its counts. Where namespaces or tun devices
 * are not permitted it says so and exits with 77.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "tests/net/router.h"

#define SKIPPED 77
#define FORWARDS 32
#define LINE 512
#define COUNTS 2048                /* bytes of a host's counts as text */

struct forward {
	int fd;                    /* listens in the host's namespace */
	uint16_t port;
};

static struct router router;
static int tun[ROUTER_HOSTS], ask[ROUTER_HOSTS];
static struct forward forward[FORWARDS];
static unsigned forwards;

static _Noreturn void skip(const char *what)
{
	fprintf(stderr, "impair: %s: %s\n", what, strerror(errno));
	exit(SKIPPED);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- a host's own process, in its namespace --------------------------- */

static void send_fd(int to, int fd)
{
	char byte = 0, room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(to, &m, 0) != 1)
		exit(1);
}

/* -1: the other end has none. */
static int take_fd(int from)
{
	char byte, room[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = room,
			    .msg_controllen = sizeof(room) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(from, &m, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void set_up(const char *addresses)
{
	char list[LINE], command[LINE], *ip, *at = list;

	snprintf(list, sizeof(list), "%s", addresses);
	if (system("ip link set lo up && ip link set tun0 addrgenmode none "
		   "&& ip link set tun0 txqueuelen 5000 up"))
		exit(SKIPPED);
	while ((ip = strsep(&at, ","))) {
		snprintf(command, sizeof(command), strchr(ip, ':') ?
			 "ip addr add %s/128 dev tun0 nodad && "
			 "ip -6 route add default dev tun0" :
			 "ip addr add %s/32 dev tun0 && "
			 "ip route add default dev tun0", ip);
		if (system(command))
			exit(SKIPPED);
	}
}

static int make_tun(void)
{
	struct ifreq name = { .ifr_name = "tun0",
			      .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd;

	if (unshare(CLONE_NEWNET))
		skip("no network namespace");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &name))
		skip("no tun device");
	return fd;
}

static int listen_at(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) || listen(fd, 64))
		exit(1);
	return fd;
}

/* Gives the device, then a listening socket for each port it is asked for. */
static _Noreturn void be_host(int parent, const char *addresses)
{
	uint16_t port;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_DFL);
	fd = make_tun();
	set_up(addresses);
	send_fd(parent, fd);
	close(fd);
	while (recv(parent, &port, sizeof(port), 0) == sizeof(port)) {
		fd = listen_at(port);
		send_fd(parent, fd);
		close(fd);
	}
	exit(0);
}

/* "alice=10.77.0.2,fd77::2"; false: it is not that. */
static bool add_host(char *text, uint64_t seed)
{
	char list[LINE], *addresses = strchr(text, '='), *ip, *at = list;
	struct router_host *h;
	struct router_ip parsed;
	unsigned n = router.hosts;
	int pair[2];
	pid_t pid;

	if (!addresses)
		return false;
	*addresses++ = '\0';
	h = router_add(&router, text, seed);
	snprintf(list, sizeof(list), "%s", addresses);
	while ((ip = strsep(&at, ","))) {
		if (!h || !router_ip(ip, &parsed))
			return false;
		h->ip[parsed.version == 6] = parsed;
	}
	if (!h || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return false;
	pid = fork();
	if (!pid) {
		close(pair[0]);
		be_host(pair[1], addresses);
	}
	close(pair[1]);
	ask[n] = pair[0];
	tun[n] = take_fd(pair[0]);
	if (tun[n] < 0)
		exit(SKIPPED);     /* it has said why */
	printf("host %s pid %d\n", text, pid);
	return true;
}

/* --- TCP past it all -------------------------------------------------- */

static void copy(int from, int to)
{
	char bytes[16384];
	ssize_t n = read(from, bytes, sizeof(bytes)), done, at = 0;

	while (at < n) {
		done = write(to, bytes + at, (size_t)(n - at));
		if (done <= 0)
			exit(0);
		at += done;
	}
	if (n <= 0)
		exit(0);
}

static _Noreturn void be_forward(int in, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p[2] = { { in, POLLIN, 0 }, { out, POLLIN, 0 } };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (connect(out, (const struct sockaddr *)&a, sizeof(a)))
		exit(1);
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents)
			copy(in, out);
		if (p[1].revents)
			copy(out, in);
	}
	exit(0);
}

static void accept_one(const struct forward *f)
{
	int fd = accept4(f->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && !fork())
		be_forward(fd, f->port);
	if (fd >= 0)
		close(fd);
}

/* --- commands --------------------------------------------------------- */

static bool set_value(struct router_link *l, const char *text)
{
	const struct {
		const char *name;
		unsigned *value;
	} known[] = {
		{ "loss", &l->loss }, { "dup", &l->dup },
		{ "reorder", &l->reorder }, { "late", &l->late },
		{ "delay", &l->delay }, { "jitter", &l->jitter },
		{ "dtls", &l->dtls },
	};
	size_t len = strcspn(text, "="), i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text[len] && strlen(known[i].name) == len &&
		    !strncmp(text, known[i].name, len)) {
			*known[i].value = (unsigned)atoi(text + len + 1);
			return true;
		}
	return false;
}

static bool set_link(struct router_host *h, char **word, unsigned n)
{
	struct router_link l = { 0 };
	unsigned i;

	for (i = 1; i < n; i++)
		if (!set_value(&l, word[i]))
			return false;
	if (n < 1)
		return false;
	if (strcmp(word[0], "in"))
		h->link[ROUTER_OUT] = l;
	if (strcmp(word[0], "out"))
		h->link[ROUTER_IN] = l;
	return true;
}

static bool set_udp(struct router_host *h, char **word, unsigned n)
{
	if (n < 1)
		return false;
	memset(&h->udp_to, 0, sizeof(h->udp_to));
	h->udp_blocked = strcmp(word[0], "on");
	if (n == 2 && !router_ip(word[0], &h->udp_to))
		return false;
	h->udp_port = n == 2 ? (uint16_t)atoi(word[1]) : 0;
	return true;
}

static bool add_forward(unsigned host, char **word, unsigned n)
{
	struct forward *f = &forward[forwards];

	if (n != 1 || forwards == FORWARDS)
		return false;
	f->port = (uint16_t)atoi(word[0]);
	if (send(ask[host], &f->port, sizeof(f->port), 0) < 0)
		return false;
	f->fd = take_fd(ask[host]);
	forwards += f->fd >= 0;
	return f->fd >= 0;
}

static void add_text(char text[COUNTS], const char *way, const char *what,
		     const char *kind, uint64_t n)
{
	size_t len = strlen(text);

	if (n)
		snprintf(text + len, COUNTS - len, " %s.%s%s%s=%llu", way,
			 what, *kind ? "." : "", kind, (unsigned long long)n);
}

static const char *counts_of(const struct router_host *h)
{
	static const char *const ways[] = { "out", "in" };
	static const char *const kinds[] = { "stun", "dtls", "rtp", "other" };
	static char text[COUNTS];
	unsigned way, kind;

	text[0] = '\0';
	for (way = 0; way < ROUTER_WAYS; way++) {
		const struct router_count *c = &h->count[way];

		for (kind = 0; kind < ROUTER_KINDS; kind++) {
			add_text(text, ways[way], "taken", kinds[kind],
				 c->taken[kind]);
			add_text(text, ways[way], "lost", kinds[kind],
				 c->lost[kind]);
			add_text(text, ways[way], "twice", kinds[kind],
				 c->twice[kind]);
		}
		add_text(text, ways[way], "reordered", "", c->reordered);
		add_text(text, ways[way], "blocked", "", c->blocked);
	}
	return text;
}

static bool obey(struct router_host *h, char **word, unsigned n)
{
	if (strcmp(word[0], "link") == 0)
		return set_link(h, word + 2, n - 2);
	if (strcmp(word[0], "udp") == 0)
		return set_udp(h, word + 2, n - 2);
	if (strcmp(word[0], "nat") == 0)
		return n == 3 && (router_ip(word[2], &h->outer) ||
				  strcmp(word[2], "off") == 0);
	if (strcmp(word[0], "forward") == 0)
		return add_forward((unsigned)(h - router.host), word + 2,
				   n - 2);
	return strcmp(word[0], "count") == 0 && n == 2;
}

static void on_line(char *line)
{
	char *word[16], *save = NULL, *next;
	struct router_host *h = NULL;
	unsigned n = 0;

	for (next = strtok_r(line, " ", &save); next && n < 16;
	     next = strtok_r(NULL, " ", &save))
		word[n++] = next;
	if (n >= 2)
		h = router_find(&router, word[1]);
	if (!h || !obey(h, word, n))
		printf("error: %s\n", n ? word[0] : "nothing");
	else
		printf("ok%s\n", word[0][0] == 'c' ? counts_of(h) : "");
}

/* false: it has ended. */
static bool on_input(void)
{
	static char text[2 * LINE];
	static size_t len;
	char *end;
	ssize_t n = read(0, text + len, sizeof(text) - 1 - len);

	if (n <= 0)
		return false;
	len += (size_t)n;
	text[len] = '\0';
	while ((end = strchr(text, '\n'))) {
		*end = '\0';
		on_line(text);
		len -= (size_t)(end + 1 - text);
		memmove(text, end + 1, len + 1);
	}
	return len < sizeof(text) - 1;
}

/* --- the loop --------------------------------------------------------- */

static void give(unsigned host, const void *bytes, size_t len, void *arg)
{
	(void)arg;
	/* What the host does not take is lost. */
	if (write(tun[host], bytes, len) < 0)
		router.overflown++;
}

static void take_all(unsigned host)
{
	unsigned char bytes[ROUTER_PACKET];
	ssize_t n;

	while ((n = read(tun[host], bytes, sizeof(bytes))) > 0)
		router_take(&router, now_us(), host, bytes, (size_t)n);
}

static void wait_for_any(struct pollfd *p, unsigned n)
{
	int64_t next = router_next(&router), us = next - now_us();
	struct timespec t = { 0 };

	if (us > 0) {
		t.tv_sec = us / 1000000;
		t.tv_nsec = us % 1000000 * 1000;
	}
	ppoll(p, n, next < INT64_MAX ? &t : NULL, NULL);
}

static void loop(void)
{
	struct pollfd p[1 + ROUTER_HOSTS + FORWARDS];
	unsigned i, hosts = router.hosts, n;

	for (;;) {
		p[0] = (struct pollfd) { 0, POLLIN, 0 };
		for (i = 0; i < hosts; i++)
			p[1 + i] = (struct pollfd) { tun[i], POLLIN, 0 };
		for (i = 0, n = forwards; i < n; i++)
			p[1 + hosts + i] = (struct pollfd) { forward[i].fd,
							     POLLIN, 0 };
		wait_for_any(p, 1 + hosts + n);
		for (i = 0; i < hosts; i++)
			if (p[1 + i].revents)
				take_all(i);
		router_pass(&router, now_us(), give, NULL);
		for (i = 0; i < n; i++)
			if (p[1 + hosts + i].revents)
				accept_one(&forward[i]);
		if (p[0].revents && !on_input())
			return;
	}
}

int main(int argc, char **argv)
{
	uint64_t seed;
	int i;

	if (argc < 4 || strcmp(argv[1], "--seed")) {
		fprintf(stderr, "Usage: impair --seed N HOST=IP[,IP]...\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1);
	seed = strtoull(argv[2], NULL, 10);
	for (i = 3; i < argc; i++)
		if (!add_host(argv[i], seed)) {
			fprintf(stderr, "impair: not a host: %s\n", argv[i]);
			return 64;
		}
	printf("ready\n");
	loop();
	for (i = 0; i < (int)router.hosts; i++)
		printf("%s%s\n", router.host[i].name,
		       counts_of(&router.host[i]));
	printf("seed=%llu overflown=%llu unknown=%llu\n",
	       (unsigned long long)seed,
	       (unsigned long long)router.overflown,
	       (unsigned long long)router.unknown);
	router_end(&router);
	return 0;
}
