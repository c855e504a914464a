/* media_process_test.h: the real privatecall-media on loopback, in a folder of
 * its own: control's socket driven by hand, real peers with ICE agents of ours,
 * and where they are armed with DTLS and SRTP of ours. Waits for what must
 * come, never for a time.
 */
#ifndef TESTS_UNIT_MEDIA_PROCESS_TEST_H
#define TESTS_UNIT_MEDIA_PROCESS_TEST_H

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "jingle/media/demux.h"
#include "jingle/media/dtls_srtp.h"
#include "jingle/media/srtp.h"
#include "mod_privatecall/media/wire.h"
#include "tests/unit/patience.h"

#define CALL "00000000-0000-4000-8000-000000000000"
#define CALLS 128                  /* that have peers */
#define PEERS (2 * CALLS)          /* 2n and 2n + 1 are of call n */
#define PUMP_MS 20
#define SRTP 128
#define DTLS 22
#define AUDIO 111                  /* payload types */
#define VIDEO 96
#define PACKET 2048
#define OPTIONS(...) (const char *const []) { __VA_ARGS__, NULL }

struct peer {
	struct ice_agent agent;
	struct ice_config config;
	int fd;
	struct addr addr;
	unsigned call, side;
	unsigned all;              /* datagrams that came */
	unsigned got;              /* of them, what is no STUN */
	size_t len;                /* of the last */
	unsigned char bytes[PACKET];       /* armed: as it was opened */
	void (*take_h)(struct peer *p);    /* has what came; NULL: nobody */
	void *arg;
	/* Armed alone. */
	struct dtls_identity *id;
	struct dtls_srtp *dtls;    /* NULL: any bytes may come */
	struct srtp *in, *out;
	struct dtls_srtp_keys keys;
	uint32_t ssrc;
	uint16_t seq;              /* of the next packet */
	unsigned opened, repeated, bad;    /* of SRTP that came */
};

static char folder[64], socket_path[96], log_path[96], program[512];
static char log_text[1 << 20];
static pid_t media;
static int control;
static enum wire_mode mode;        /* of calls that are opened */
static struct wire_msg last[WIRE_KINDS];
static struct wire_ready ready[CALLS];
static unsigned said[WIRE_KINDS], steps[CALLS][WIRE_SIDES];
static bool hung_up;
static bool agents_rest;           /* the peers' send nothing any more */
static struct peer peer[PEERS];
static unsigned peers;
/* Before a socket is opened at this address, and NULL afterwards: where that
 * is in another network namespace. NULL: it is here. */
static void (*place_h)(const char *ip);

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

/* The same in each run. */
static inline void random_bytes(void *out, size_t len)
{
	static uint64_t seed = 1;
	unsigned char *at = out;
	uint64_t z;

	for (; len; len--) {
		z = seed += 0x9e3779b97f4a7c15u;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		*at++ = (unsigned char)(z ^ z >> 31);
	}
}

/* --- the process ------------------------------------------------------ */

static inline int setup(void **state)
{
	const char *build = getenv("top_builddir");

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_media.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(socket_path, sizeof(socket_path), "%s/media.sock", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	snprintf(program, sizeof(program), "%s/privatecall-media",
		 build ? build : "build");
	memset(said, 0, sizeof(said));
	memset(steps, 0, sizeof(steps));
	memset(ready, 0, sizeof(ready));
	memset(peer, 0, sizeof(peer));
	hung_up = agents_rest = false;
	control = -1;
	mode = WIRE_BLIND;
	peers = 0;
	media = 0;
	return 0;
}

static inline void disarm(struct peer *p)
{
	dtls_srtp_free(p->dtls);
	dtls_identity_free(p->id);
	srtp_free(p->in);
	srtp_free(p->out);
	p->dtls = NULL;
	p->id = NULL;
	p->in = p->out = NULL;
}

static inline int teardown(void **state)
{
	unsigned i;

	(void)state;
	if (media) {
		kill(media, SIGKILL);
		waitpid(media, NULL, 0);
	}
	if (control >= 0)
		close(control);
	for (i = 0; i < peers; i++) {
		close(peer[i].fd);
		disarm(&peer[i]);
	}
	unlink(socket_path);
	unlink(log_path);
	return rmdir(folder);
}

/* Is this in the log? */
static inline bool logged(const char *text)
{
	FILE *f = fopen(log_path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(log_text, 1, sizeof(log_text) - 1, f);
	fclose(f);
	log_text[n] = '\0';
	return strstr(log_text, text) != NULL;
}

/* How many lines of the log say so? */
static inline unsigned log_lines(const char *text)
{
	unsigned n = 0;
	const char *at;

	if (!logged(text))
		return 0;
	for (at = strstr(log_text, text); at; at = strstr(at + 1, text))
		n++;
	return n;
}

/* Starts it with these options and the socket; its log goes to a file. With
 * MEDIA_SRTP in the environment that is its back end (libsrtp.sh). */
static inline void start_with(const char *const *options)
{
	static char option[] = "--socket", srtp[] = "--srtp";
	char *argv[32] = { program, option, socket_path };
	unsigned i;
	int fd;

	for (i = 0; options[i]; i++)
		assert_true(i + 6 < sizeof(argv) / sizeof(argv[0]));
	media = fork();
	assert_true(media >= 0);
	if (media)
		return;
	for (i = 0; options[i]; i++)
		argv[3 + i] = strdup(options[i]);
	if (getenv("MEDIA_SRTP")) {
		argv[3 + i++] = srtp;
		argv[3 + i] = getenv("MEDIA_SRTP");
	}
	fd = open(log_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	dup2(fd, 2);
	dup2(fd, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);  /* with a test that is killed */
	execv(program, argv);
	_exit(127);
}

static inline int try_connect(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(a.sun_path, socket_path);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a))) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void pump(void);

/* A condition within our patience. */
#define wait_for(condition) do { \
	int64_t until_ = now_ms() + patience_ms(); \
	while (!(condition)) { \
		if (now_ms() > until_) \
			fail_msg("never came: %s", #condition); \
		pump(); \
	} \
} while (0)

static inline int exit_code(void)
{
	int status = 0;

	wait_for(waitpid(media, &status, WNOHANG) == media);
	media = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void start(void)
{
	start_with(OPTIONS("--address", "127.0.0.1", "--port", "0",
			   "--max-calls", "600"));
	wait_for((control = try_connect()) >= 0);
}

/* --- control ---------------------------------------------------------- */

static inline const char *call_id(unsigned call)
{
	static char id[WIRE_CALL_SIZE];

	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012u", call);
	return id;
}

static inline unsigned call_number(const char *id)
{
	unsigned long n = strtoul(id + 24, NULL, 10);

	return n < CALLS ? (unsigned)n : CALLS - 1;
}

static inline void put(const struct wire_msg *m)
{
	size_t len = wire_size(m->kind);

	assert_int_equal(send(control, m, len, MSG_NOSIGNAL), len);
}

static inline void tell(enum wire_kind kind, unsigned call)
{
	struct wire_msg m;

	wire_begin(&m, kind, kind == WIRE_HELLO || kind == WIRE_LIST ? NULL :
		   call_id(call));
	if (kind == WIRE_OPEN)
		m.open.mode = mode;
	put(&m);
}

static inline void hear(void)
{
	unsigned char bytes[sizeof(struct wire_msg) + 1];
	ssize_t len = recv(control, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct wire_msg m;
	const char *why;

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0) {
		hung_up = true;
		return;
	}
	assert_int_equal(wire_read(bytes, (size_t)len, true, &m, &why), 0);
	said[m.kind]++;
	last[m.kind] = m;
	if (m.kind == WIRE_STEP)
		steps[call_number(m.call)][m.side] |= 1u << m.said.step;
	if (m.kind == WIRE_READY)
		ready[call_number(m.call)] = m.ready;
	if (m.kind == WIRE_CREDENTIALS)
		ready[call_number(m.call)].side[m.side] = m.credentials;
}

static inline void greet(void)
{
	unsigned before = said[WIRE_WELCOME];

	tell(WIRE_HELLO, 0);
	wait_for(said[WIRE_WELCOME] == before + 1);
}

/* Have both sides come to this? */
static inline bool both(unsigned call, enum wire_step step)
{
	return steps[call][WIRE_CALLER] & steps[call][WIRE_CALLEE] & 1u << step;
}

static inline const struct addr *media_addr(void)
{
	return &last[WIRE_WELCOME].welcome.offer[0].addr;
}

/* --- sockets ---------------------------------------------------------- */

static inline socklen_t system_address(const struct addr *a,
				       struct sockaddr_storage *s)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(a->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(a->port) };

	memcpy(&v4.sin_addr, a->ip, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, a->ip, sizeof(v6.sin6_addr));
	memset(s, 0, sizeof(*s));
	if (a->family == ADDR_V4)
		memcpy(s, &v4, sizeof(v4));
	else
		memcpy(s, &v6, sizeof(v6));
	return a->family == ADDR_V4 ? sizeof(v4) : sizeof(v6);
}

static inline void our_address(const struct sockaddr_storage *s,
			       struct addr *a_r)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memcpy(&v4, s, sizeof(v4));
	memcpy(&v6, s, sizeof(v6));
	memset(a_r, 0, sizeof(*a_r));
	a_r->family = s->ss_family == AF_INET ? ADDR_V4 : ADDR_V6;
	a_r->port = ntohs(v4.sin_port);    /* the place of both */
	if (a_r->family == ADDR_V4)
		memcpy(a_r->ip, &v4.sin_addr, sizeof(v4.sin_addr));
	else
		memcpy(a_r->ip, &v6.sin6_addr, sizeof(v6.sin6_addr));
}

static inline void send_to(int fd, const struct addr *to, const void *bytes,
			   size_t len)
{
	struct sockaddr_storage s;
	socklen_t size = system_address(to, &s);

	assert_int_equal(sendto(fd, bytes, len, 0,
				(const struct sockaddr *)&s, size), len);
}

/* At this address of ours, a free port. */
static inline int udp_socket_at(const char *ip, struct addr *a_r)
{
	struct sockaddr_storage s;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(ip, 0, a_r), 0);
	len = system_address(a_r, &s);
	if (place_h)
		place_h(ip);
	fd = socket(s.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&s, len), 0);
	len = sizeof(s);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&s, &len), 0);
	our_address(&s, a_r);
	if (place_h)
		place_h(NULL);
	return fd;
}

static inline int udp_socket(struct addr *a_r)
{
	return udp_socket_at("127.0.0.1", a_r);
}

/* --- peers ------------------------------------------------------------ */

static inline bool nothing_is_forbidden(const struct addr *a, const void *arg)
{
	(void)a;
	(void)arg;
	return false;
}

static inline void step(struct peer *p, struct ice_event *ev)
{
	static struct ice_actions out;
	unsigned i;

	if (agents_rest)
		return;
	ev->now = now_ms();
	ev->config = &p->config;
	random_bytes(ev->entropy, ICE_ENTROPY_SIZE);
	ice_step(&p->agent, ev, &out);
	for (i = 0; i < out.n; i++)
		if (out.list[i].kind == ICE_DO_SEND)
			send_to(p->fd, &out.list[i].addr, out.list[i].bytes,
				out.list[i].len);
}

/* What his association sends, and its keys when they are there. */
static inline void follow(struct peer *p, const struct dtls_srtp_out *out)
{
	unsigned i;

	for (i = 0; i < out->n; i++)
		send_to(p->fd, ice_selected(&p->agent), out->datagram[i].bytes,
			out->datagram[i].len);
	if (p->in || dtls_srtp_take_keys(p->dtls, &p->keys))
		return;
	assert_int_equal(srtp_new(p->keys.profile, SRTP_OPENS, SRTP_EVP,
				  p->keys.his_key, p->keys.his_salt, &p->in),
			 0);
	assert_int_equal(srtp_new(p->keys.profile, SRTP_SEALS, SRTP_EVP,
				  p->keys.our_key, p->keys.our_salt, &p->out),
			 0);
}

static inline bool is_rtcp(const unsigned char *bytes, size_t len)
{
	return len > 1 && bytes[1] >= 192 && bytes[1] <= 223;
}

/* Of an armed one: SRTP is what his keys open, once. */
static inline void open_srtp(struct peer *p)
{
	int err = !p->in ? EACCES : is_rtcp(p->bytes, p->len) ?
		  srtp_open_rtcp(p->in, p->bytes, &p->len) :
		  srtp_open_rtp(p->in, p->bytes, &p->len);

	p->opened += !err;
	p->repeated += err == EALREADY;
	p->bad += err && err != EALREADY;
}

static inline void take(struct peer *p, const struct addr *from,
			const unsigned char *bytes, size_t len)
{
	static struct dtls_srtp_out out;
	struct ice_event ev = { .kind = ICE_EV_PACKET, .from = *from,
				.bytes = bytes, .len = len };

	p->all++;
	if (demux_kind(bytes, len) == DEMUX_STUN) {
		step(p, &ev);
		return;
	}
	p->got++;
	p->len = len;
	memcpy(p->bytes, bytes, len);
	if (p->take_h)
		p->take_h(p);
	if (!p->dtls)
		return;
	if (demux_kind(bytes, len) == DEMUX_RTP) {
		open_srtp(p);
		return;
	}
	dtls_srtp_feed(p->dtls, now_ms(), bytes, len, &out);
	if (ice_selected(&p->agent))
		follow(p, &out);
}

/* Sees every datagram that a peer gets; NULL: nobody. */
static void (*look_h)(struct peer *p, const unsigned char *bytes, size_t len);

/* All that is there; it comes from the process alone. */
static inline void receive(struct peer *p)
{
	unsigned char bytes[PACKET];
	struct sockaddr_storage s;
	socklen_t size = sizeof(s);
	struct addr from;
	ssize_t len;

	while ((len = recvfrom(p->fd, bytes, sizeof(bytes), 0,
			       (struct sockaddr *)&s, &size)) >= 0) {
		our_address(&s, &from);
		assert_int_equal(from.port, media_addr()->port);
		if (look_h)
			look_h(p, bytes, (size_t)len);
		take(p, &from, bytes, (size_t)len);
		size = sizeof(s);
	}
}

static inline void peer_time(struct peer *p)
{
	static struct dtls_srtp_out out;
	struct ice_event time = { .kind = ICE_EV_TIME };
	int64_t now = now_ms();

	if (ice_deadline(&p->agent) <= now)
		step(p, &time);
	if (!p->dtls || !ice_selected(&p->agent) ||
	    dtls_srtp_deadline(p->dtls) > now)
		return;
	dtls_srtp_time(p->dtls, now, &out);
	follow(p, &out);
}

/* What comes next, or PUMP_MS. */
static inline void pump(void)
{
	static struct pollfd fds[1 + PEERS];
	unsigned i;

	fds[0] = (struct pollfd) { .fd = hung_up ? -1 : control,
				   .events = POLLIN };
	for (i = 0; i < peers; i++)
		fds[1 + i] = (struct pollfd) { .fd = peer[i].fd,
					       .events = POLLIN };
	poll(fds, 1 + peers, PUMP_MS);
	if (fds[0].revents)
		hear();
	for (i = 0; i < peers; i++) {
		if (fds[1 + i].revents)
			receive(&peer[i]);
		peer_time(&peer[i]);
	}
}

/* The caller's controls, as the session's initiator. */
static inline struct peer *add_peer(const char *ip)
{
	struct peer *p = &peer[peers];
	unsigned char random[ICE_ENTROPY_SIZE];

	assert_true(peers < PEERS);
	p->call = peers / 2;
	p->side = peers % 2;
	p->ssrc = 0x1000 + p->side;
	p->fd = udp_socket_at(ip, &p->addr);
	p->config.local[0].base = p->addr;
	p->config.locals = 1;
	p->config.forbidden = nothing_is_forbidden;
	random_bytes(random, sizeof(random));
	ice_init(&p->agent, p->side == WIRE_CALLER, random);
	peers++;
	return p;
}

/* --- a call ----------------------------------------------------------- */

static inline void say_of(const struct peer *p, struct wire_msg *m,
			  enum wire_kind kind)
{
	wire_begin(m, kind, call_id(p->call));
	m->side = (uint8_t)p->side;
}

/* Where he is said to be. */
static inline void tell_candidate(const struct peer *p, const struct addr *a)
{
	struct wire_msg m;

	say_of(p, &m, WIRE_CANDIDATE);
	m.candidate.addr = *a;
	m.candidate.component = 1;
	m.candidate.priority = ice_priority(ICE_HOST, 0);
	put(&m);
}

static inline void tell_remote(const struct peer *p)
{
	struct wire_msg m;

	say_of(p, &m, WIRE_REMOTE);
	strcpy(m.remote.ufrag, p->agent.current.ufrag);
	strcpy(m.remote.pwd, p->agent.current.pwd);
	put(&m);
}

static inline void tell_of(struct peer *p)
{
	struct wire_msg m;

	tell_remote(p);
	tell_candidate(p, &p->addr);
	say_of(p, &m, WIRE_END);
	put(&m);
}

/* The first of the process's addresses that is of his family. */
static inline const struct ice_offer *offer_to(const struct peer *p)
{
	const struct wire_welcome *w = &last[WIRE_WELCOME].welcome;
	unsigned i;

	for (i = 0; i + 1 < w->offers; i++)
		if (w->offer[i].addr.family == p->addr.family)
			break;
	return &w->offer[i];
}

static inline void tell_peer(struct peer *p)
{
	const struct wire_credentials *ours = &ready[p->call].side[p->side];
	struct ice_event remote = { .kind = ICE_EV_REMOTE,
				    .ufrag = ours->ufrag, .pwd = ours->pwd };
	const struct ice_offer *offer = offer_to(p);
	char ip[ADDR_TEXT_SIZE];
	struct ice_candidate c = {
		.component = 1, .foundation = offer->foundation,
		.ip = ip, .port = offer->addr.port,
		.priority = offer->priority, .protocol = ICE_UDP,
		.type = offer->type,
	};
	struct ice_event candidate = { .kind = ICE_EV_CANDIDATE,
				       .candidate = &c };

	addr_format_ip(&offer->addr, ip);
	step(p, &remote);
	step(p, &candidate);
}

/* An open call and two peers that are told of nothing yet. */
static inline void open_call_at(unsigned call, const char *caller,
				const char *callee)
{
	unsigned before = said[WIRE_READY];

	assert_int_equal(peers, 2 * call);
	tell(WIRE_OPEN, call);
	wait_for(said[WIRE_READY] == before + 1);
	add_peer(caller);
	add_peer(callee);
}

#endif
