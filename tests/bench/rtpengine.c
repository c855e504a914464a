/* rtpengine.c: Debian's rtpengine as a process of media.c (see rtpengine.h). */
#include "tests/bench/rtpengine.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/bench/where.h"

#define AT_ONCE 8                  /* calls that connect at the same time */
#define PATIENCE_NS 60000000000
#define ANSWER_MS 5000
#define TEXT_MAX 4096
#define PORTS_MIN 10000            /* below those the system gives to peers */
#define PORTS 10000                /* of one process */
#define TYPE(kind) (96u + (kind))

struct side {                      /* what his description says */
	char ufrag[64], pwd[128];
	struct addr addr;
	unsigned char hash[DTLS_SRTP_HASH_MAX];
};

/* --- its protocol ------------------------------------------------------- */

/* One exchange; `answer` is the dictionary. False: nothing came in time. */
static bool ask(struct rtpengine *e, const char *dictionary,
		char answer[TEXT_MAX], int ms)
{
	struct pollfd ready = { .fd = e->ng, .events = POLLIN };
	char text[TEXT_MAX + 32], cookie[16];
	ssize_t n;

	snprintf(cookie, sizeof(cookie), "c%u ", ++e->cookie);
	n = snprintf(text, sizeof(text), "%s%s", cookie, dictionary);
	/* Before it listens, this is refused. */
	if (send(e->ng, text, (size_t)n, 0) != n || poll(&ready, 1, ms) != 1)
		return false;
	n = recv(e->ng, answer, TEXT_MAX - 1, 0);
	if (n < 0)
		return false;
	answer[n] = '\0';
	return strncmp(answer, cookie, strlen(cookie)) == 0;
}

static void describe(const struct peers *ps, const struct peer *p,
		     const char *setup, char out[TEXT_MAX])
{
	unsigned char value[DTLS_SRTP_HASH_MAX];
	size_t len = dtls_identity_fingerprint(ps->id, "sha-256", value), i;
	char hex[3 * DTLS_SRTP_HASH_MAX + 1] = "";

	for (i = 0; i < len; i++)
		snprintf(hex + 3 * i - !!i, 4, i ? ":%02X" : "%02X", value[i]);
	snprintf(out, TEXT_MAX, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
		 "t=0 0\r\nm=audio %u UDP/TLS/RTP/SAVPF %u %u\r\n"
		 "c=IN IP4 %s\r\na=rtpmap:%u opus/48000/2\r\n"
		 "a=rtpmap:%u VP8/90000\r\na=rtcp-mux\r\na=sendrecv\r\n"
		 "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n"
		 "a=candidate:1 1 UDP %u %s %u typ host\r\n"
		 "a=fingerprint:sha-256 %s\r\na=setup:%s\r\n",
		 p->addr.port, TYPE(PEER_AUDIO), TYPE(PEER_VIDEO), bench_ip,
		 TYPE(PEER_AUDIO), TYPE(PEER_VIDEO), p->agent.current.ufrag,
		 p->agent.current.pwd, ice_priority(ICE_HOST, 0),
		 bench_ip, p->addr.port, hex, setup);
}

/* --- what it says ------------------------------------------------------- */

static const char *find(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at) {
		fprintf(stderr, "%s\n", text);
		peers_die("rtpengine's answer is not as expected");
	}
	return at + strlen(name);
}

static void read_side(const char *text, struct side *s)
{
	const char *hex = find(text, "a=fingerprint:sha-256 ");
	unsigned port, i, byte;

	if (sscanf(find(text, "a=ice-ufrag:"), "%63s", s->ufrag) != 1 ||
	    sscanf(find(text, "a=ice-pwd:"), "%127s", s->pwd) != 1 ||
	    sscanf(find(text, "m=audio "), "%u", &port) != 1)
		peers_die("rtpengine's answer is not as expected");
	for (i = 0; i < 32; i++) {
		if (sscanf(hex + 3 * i, "%2x", &byte) != 1)
			peers_die("rtpengine's fingerprint is none");
		s->hash[i] = (unsigned char)byte;
	}
	if (addr_parse(bench_ip, port, &s->addr))
		peers_die("rtpengine's port is none");
}

/* A description of this peer, and what is to be told to the other one. */
static void exchange(struct rtpengine *e, unsigned call, const char *command,
		     const struct peer *p, struct side *s)
{
	char sdp[TEXT_MAX], text[2 * TEXT_MAX], answer[TEXT_MAX], id[16];
	bool offers = strcmp(command, "offer") == 0;

	snprintf(id, sizeof(id), "call%08u", call);
	describe(e->peers, p, offers ? "actpass" : "passive", sdp);
	snprintf(text, sizeof(text), "d7:call-id12:%s7:command%zu:%s"
		 "8:from-tag1:a%s3:ICE5:force4:DTLS6:active"
		 "8:rtcp-muxl6:accept5:offere3:sdp%zu:%s"
		 "18:transport-protocol17:UDP/TLS/RTP/SAVPFe", id,
		 strlen(command), command, offers ? "" : "6:to-tag1:b",
		 strlen(sdp), sdp);
	if (!ask(e, text, answer, ANSWER_MS))
		peers_die("rtpengine does not answer");
	read_side(answer, s);
}

/* --- steps -------------------------------------------------------------- */

static void run(const char *program, unsigned port, unsigned nth)
{
	char ng[32], min[32], max[32], interface[64];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(interface, sizeof(interface), "--interface=%s", bench_ip);
	snprintf(min, sizeof(min), "--port-min=%u", PORTS_MIN + nth * PORTS);
	snprintf(max, sizeof(max), "--port-max=%u", PORTS_MIN + PORTS - 1 +
		 nth * PORTS);
	snprintf(ng, sizeof(ng), "127.0.0.1:%u", port);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, 1);
	dup2(null, 2);
	execl(program, program, "--config-file=none", "--foreground",
	      "--log-stderr", "--log-level=3", "--table=-1",
	      interface, "--listen-ng", ng, "--num-threads=1",
	      min, max, (char *)NULL);
	_exit(127);
}

/* A port that is free, and our own socket connected to it. */
static unsigned choose_port(struct rtpengine *e)
{
	struct sockaddr_in s = { .sin_family = AF_INET };
	socklen_t len = sizeof(s);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	s.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	e->ng = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (const struct sockaddr *)&s, sizeof(s)) ||
	    getsockname(fd, (struct sockaddr *)&s, &len) ||
	    connect(e->ng, (const struct sockaddr *)&s, sizeof(s)))
		peers_die("no port for rtpengine");
	close(fd);
	return ntohs(s.sin_port);
}

void rtpengine_start(struct rtpengine *e, struct peers *ps)
{
	static unsigned started;   /* two share no port */
	const char *program = getenv("RTPENGINE");
	int64_t until = peers_now() + PATIENCE_NS;
	char answer[TEXT_MAX];
	unsigned port, kind;

	memset(e, 0, sizeof(*e));
	e->peers = ps;
	port = choose_port(e);
	e->pid = fork();
	if (e->pid == 0)
		run(program, port, started % 2);
	started++;
	while (!ask(e, "d7:command4:pinge", answer, 50))
		if (waitpid(e->pid, NULL, WNOHANG) || peers_now() > until)
			peers_die("rtpengine does not start");
	for (kind = 0; kind < PEER_KINDS; kind++)
		ps->flow[kind].type = ps->flow[kind].seen = TYPE(kind);
}

static void open_call(struct rtpengine *e, unsigned call)
{
	struct peer *a = &e->peers->list[2 * call], *b = a + 1;
	struct side to_b, to_a;

	peer_ice(a, true);
	peer_ice(b, false);
	exchange(e, call, "offer", a, &to_b);
	exchange(e, call, "answer", b, &to_a);
	peer_dtls(e->peers, a, false, "sha-256", to_a.hash, 32);
	peer_dtls(e->peers, b, false, "sha-256", to_b.hash, 32);
	peer_remote(a, to_a.ufrag, to_a.pwd, &to_a.addr,
		    ice_priority(ICE_HOST, 0));
	peer_remote(b, to_b.ufrag, to_b.pwd, &to_b.addr,
		    ice_priority(ICE_HOST, 0));
}

void rtpengine_connect(struct rtpengine *e)
{
	int64_t until = peers_now() + PATIENCE_NS;
	unsigned opened = 0, connected = 0, all = e->peers->n / 2;

	while (connected < all) {
		if (peers_now() > until)
			peers_die("a call of rtpengine does not connect");
		if (opened < all && opened < connected + AT_ONCE)
			open_call(e, opened++);
		peers_turn(e->peers);
		while (connected < opened &&
		       peer_ready(&e->peers->list[2 * connected]) &&
		       peer_ready(&e->peers->list[2 * connected + 1]))
			connected++;
	}
}

void rtpengine_stop(struct rtpengine *e)
{
	kill(e->pid, SIGTERM);
	waitpid(e->pid, NULL, 0);
	close(e->ng);
}
