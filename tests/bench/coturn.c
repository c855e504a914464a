/* coturn.c: Debian's coturn as a process of media.c (see coturn.h). */
#include "tests/bench/coturn.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "jingle/media/bytes.h"
#include "tests/bench/where.h"

#define HEAD 20                    /* of STUN */
#define COOKIE 0x2112a442u
#define BINDING 0x0001
#define ALLOCATE 0x0003
#define CHANNEL_BIND 0x0009
#define SUCCESS 0x0100             /* that bit of the answer to each */
#define CHANNEL_NUMBER 0x000c
#define XOR_PEER_ADDRESS 0x0012
#define XOR_RELAYED_ADDRESS 0x0016
#define REQUESTED_TRANSPORT 0x0019
#define UDP 17u
#define FIRST_CHANNEL 0x4000u
#define ANSWER_MS 200
#define TRIES 100

struct request {
	unsigned char bytes[64];
	size_t len;
};

/* --- STUN, as much as TURN without credentials takes ------------------- */

static void begin(struct request *r, unsigned type)
{
	memset(r, 0, sizeof(*r));
	put16(r->bytes, type);
	put32(r->bytes + 4, COOKIE);
	if (getrandom(r->bytes + 8, 12, 0) != 12)
		peers_die("no randomness");
	r->len = HEAD;
}

static unsigned char *add(struct request *r, unsigned type, unsigned len)
{
	unsigned char *at = r->bytes + r->len;

	put16(at, type);
	put16(at + 2, len);
	r->len += 4 + len;
	put16(r->bytes + 2, (uint32_t)r->len - HEAD);
	return at + 4;
}

static void add_address(struct request *r, unsigned type,
			const struct addr *a)
{
	unsigned char *at = add(r, type, 8);

	at[1] = 1;                         /* IPv4 */
	put16(at + 2, a->port ^ COOKIE >> 16);
	put32(at + 4, get32(a->ip) ^ COOKIE);
}

/* The address in a whole answer; false: it has none. */
static bool find_address(const unsigned char *b, size_t len, unsigned type,
			 struct addr *a_r)
{
	size_t at = HEAD, size;

	for (; at + 12 <= len; at += 4 + (size + 3) / 4 * 4) {
		size = get16(b + at + 2);
		if (get16(b + at) != type)
			continue;
		*a_r = (struct addr) { .family = ADDR_V4 };
		a_r->port = (uint16_t)(get16(b + at + 6) ^ COOKIE >> 16);
		put32(a_r->ip, get32(b + at + 8) ^ COOKIE);
		return true;
	}
	return false;
}

/* Asks until it is answered; the length of the answer. */
static size_t ask(const struct coturn *c, int fd, const struct request *r,
		  unsigned char answer[PEER_PACKET_MAX])
{
	struct sockaddr_in s = { .sin_family = AF_INET,
				 .sin_port = htons(c->addr.port) };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	unsigned tries;
	ssize_t n;

	memcpy(&s.sin_addr, c->addr.ip, sizeof(s.sin_addr));
	for (tries = 0; tries < TRIES; tries++) {
		if (waitpid(c->pid, NULL, WNOHANG))
			peers_die("coturn has ended");
		(void)sendto(fd, r->bytes, r->len, 0,
			     (const struct sockaddr *)&s, sizeof(s));
		if (poll(&ready, 1, ANSWER_MS) != 1)
			continue;
		n = recv(fd, answer, PEER_PACKET_MAX, 0);
		if (n < HEAD || memcmp(answer + 8, r->bytes + 8, 12))
			continue;          /* to a request of before */
		if (get16(answer) != (get16(r->bytes) | SUCCESS))
			peers_die("coturn refuses");
		return (size_t)n;
	}
	peers_die("coturn does not answer");
}

/* --- steps -------------------------------------------------------------- */

static void run(const struct coturn *c, const char *program)
{
	char port[16], pid[64], db[64];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(port, sizeof(port), "%u", c->addr.port);
	snprintf(pid, sizeof(pid), "%s/pid", c->dir);
	snprintf(db, sizeof(db), "%s/db", c->dir);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 1);
	dup2(null, 2);
	execl(program, program, "-n", "-z", "-m", "1", "-L", bench_ip, "-E",
	      bench_ip, "-p", port, "--no-tls", "--no-dtls", "--no-tcp",
	      "--no-tcp-relay", "--no-cli", "--no-rfc5780",
	      "--allow-loopback-peers", "--channel-lifetime=36000",
	      "--permission-lifetime=36000", "--max-allocate-lifetime=36000",
	      "--log-file", "stdout", "--pidfile", pid, "-b", db,
	      (char *)NULL);
	_exit(127);
}

static uint16_t choose_port(void)
{
	struct sockaddr_in s = { .sin_family = AF_INET };
	socklen_t len = sizeof(s);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	s.sin_addr.s_addr = inet_addr(bench_ip);
	if (bind(fd, (const struct sockaddr *)&s, sizeof(s)) ||
	    getsockname(fd, (struct sockaddr *)&s, &len))
		peers_die("no port for coturn");
	close(fd);
	return ntohs(s.sin_port);
}

void coturn_start(struct coturn *c, struct peers *ps)
{
	const char *program = getenv("COTURN");
	unsigned char answer[PEER_PACKET_MAX];
	struct request r;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned kind;

	memset(c, 0, sizeof(*c));
	c->peers = ps;
	if (addr_parse(bench_ip, choose_port(), &c->addr))
		peers_die("no address for coturn");
	strcpy(c->dir, "/tmp/bench-coturn.XXXXXX");
	if (!mkdtemp(c->dir))
		peers_die("no folder for coturn");
	c->pid = fork();
	if (c->pid == 0)
		run(c, program);
	begin(&r, BINDING);
	ask(c, fd, &r, answer);
	close(fd);
	for (kind = 0; kind < PEER_KINDS; kind++)
		ps->flow[kind].type = ps->flow[kind].seen = 96 + kind;
}

/* The caller's allocation, and a channel in it that leads to the callee. */
static struct addr allocate(struct coturn *c, struct peer *caller,
			    const struct peer *callee, unsigned channel)
{
	unsigned char answer[PEER_PACKET_MAX];
	struct addr relayed;
	struct request r;
	size_t len;

	begin(&r, ALLOCATE);
	put32(add(&r, REQUESTED_TRANSPORT, 4), UDP << 24);
	len = ask(c, caller->fd, &r, answer);
	if (!find_address(answer, len, XOR_RELAYED_ADDRESS, &relayed))
		peers_die("coturn gives no address");
	begin(&r, CHANNEL_BIND);
	put32(add(&r, CHANNEL_NUMBER, 4), channel << 16);
	add_address(&r, XOR_PEER_ADDRESS, &callee->addr);
	ask(c, caller->fd, &r, answer);
	return relayed;
}

void coturn_connect(struct coturn *c)
{
	struct addr relayed;
	unsigned i;

	for (i = 0; i < c->peers->n; i += 2) {
		struct peer *caller = &c->peers->list[i], *callee = caller + 1;
		unsigned channel = FIRST_CHANNEL + i / 2;

		relayed = allocate(c, caller, callee, channel);
		caller->channel = (uint16_t)channel;
		peer_fixed(caller, SRTP_PROFILE_GCM128, &c->addr);
		peer_fixed(callee, SRTP_PROFILE_GCM128, &relayed);
	}
}

void coturn_stop(struct coturn *c)
{
	char path[64];

	kill(c->pid, SIGTERM);
	waitpid(c->pid, NULL, 0);
	snprintf(path, sizeof(path), "%s/db", c->dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/pid", c->dir);
	unlink(path);
	rmdir(c->dir);
}
