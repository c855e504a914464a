/* test_media_process.c: the real privatecall-media on loopback, in a folder of
 * its own: control's socket driven by hand, two real peers with ICE agents of
 * ours. Waits for what must come, never for a time.
 */
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
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "jingle/media/demux.h"
#include "mod_privatecall/media/wire.h"

#define CALL "01234567-89ab-cdef-0123-456789abcdef"
#define PATIENCE 20000             /* ms; never reached when all is well */
#define SRTP 128
#define DTLS 22

struct peer {
	struct ice_agent agent;
	struct ice_config config;
	int fd;
	struct addr addr;
	unsigned got;              /* all that is no STUN */
	size_t len;                /* of the last */
	unsigned char bytes[2048];
};

static char folder[64], socket_path[96], log_path[96], program[512];
static char log_text[1 << 20];
static pid_t media;
static int control;
static struct wire_msg last[WIRE_KINDS];
static unsigned said[WIRE_KINDS], steps[WIRE_SIDES];
static bool hung_up;
static struct peer peer[WIRE_SIDES];
static unsigned peers;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

/* --- the process ------------------------------------------------------ */

static int setup(void **state)
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
	memset(peer, 0, sizeof(peer));
	hung_up = false;
	control = -1;
	peers = 0;
	media = 0;
	return 0;
}

static int exit_code(void)
{
	int status = 0;

	assert_int_equal(waitpid(media, &status, 0), media);
	media = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int teardown(void **state)
{
	unsigned i;

	(void)state;
	if (media) {
		kill(media, SIGKILL);
		waitpid(media, NULL, 0);
	}
	if (control >= 0)
		close(control);
	for (i = 0; i < peers; i++)
		close(peer[i].fd);
	unlink(socket_path);
	unlink(log_path);
	return rmdir(folder);
}

/* Is this in the log? */
static bool logged(const char *text)
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
static unsigned log_lines(const char *text)
{
	unsigned n = 0;
	const char *at;

	if (!logged(text))
		return 0;
	for (at = strstr(log_text, text); at; at = strstr(at + 1, text))
		n++;
	return n;
}

/* Starts it with these options and the socket; its log goes to a file. */
static void start_with(const char *const *options)
{
	static char option[] = "--socket";
	char *argv[16] = { program, option, socket_path };
	unsigned i;
	int fd;

	media = fork();
	assert_true(media >= 0);
	if (media)
		return;
	for (i = 0; options[i]; i++)
		argv[3 + i] = strdup(options[i]);
	fd = open(log_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
	dup2(fd, 2);
	dup2(fd, 1);
	execv(program, argv);
	_exit(127);
}

static int try_connect(void)
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

static void pump(void);

/* A condition within our patience. */
#define wait_for(condition) do { \
	int64_t until_ = now_ms() + PATIENCE; \
	while (!(condition)) { \
		if (now_ms() > until_) \
			fail_msg("never came: %s", #condition); \
		pump(); \
	} \
} while (0)

static void start(void)
{
	const char *const options[] = {
		"--address", "127.0.0.1", "--port", "0",
		"--max-calls", "600", NULL
	};

	start_with(options);
	wait_for((control = try_connect()) >= 0);
}

/* --- control ---------------------------------------------------------- */

static void put(const struct wire_msg *m)
{
	size_t len = wire_size(m->kind);

	assert_int_equal(send(control, m, len, MSG_NOSIGNAL), len);
}

static void tell(enum wire_kind kind)
{
	struct wire_msg m;

	wire_begin(&m, kind, kind == WIRE_HELLO || kind == WIRE_LIST ? NULL :
		   CALL);
	put(&m);
}

static void hear(void)
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
		steps[m.side] |= 1u << m.said.step;
}

static void greet(void)
{
	unsigned before = said[WIRE_WELCOME];

	tell(WIRE_HELLO);
	wait_for(said[WIRE_WELCOME] == before + 1);
}

/* --- peers ------------------------------------------------------------ */

static struct sockaddr_in system_address(const struct addr *a)
{
	struct sockaddr_in s = { .sin_family = AF_INET,
				 .sin_port = htons(a->port) };

	memcpy(&s.sin_addr, a->ip, sizeof(s.sin_addr));
	return s;
}

static void send_to(int fd, const struct addr *to, const void *bytes,
		    size_t len)
{
	struct sockaddr_in s = system_address(to);

	assert_int_equal(sendto(fd, bytes, len, 0,
				(const struct sockaddr *)&s, sizeof(s)), len);
}

static int udp_socket(struct addr *a_r)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0);
	struct sockaddr_in s = { .sin_family = AF_INET };
	socklen_t len = sizeof(s);

	s.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&s, sizeof(s)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&s, &len), 0);
	assert_int_equal(addr_parse("127.0.0.1", ntohs(s.sin_port), a_r), 0);
	return fd;
}

static bool nothing_is_forbidden(const struct addr *a, const void *arg)
{
	(void)a;
	(void)arg;
	return false;
}

static void step(struct peer *p, struct ice_event *ev)
{
	static struct ice_actions out;
	unsigned i;

	ev->now = now_ms();
	ev->config = &p->config;
	assert_int_equal(getrandom(ev->entropy, ICE_ENTROPY_SIZE, 0),
			 ICE_ENTROPY_SIZE);
	ice_step(&p->agent, ev, &out);
	for (i = 0; i < out.n; i++)
		if (out.list[i].kind == ICE_DO_SEND)
			send_to(p->fd, &out.list[i].addr, out.list[i].bytes,
				out.list[i].len);
}

static void receive(struct peer *p)
{
	struct ice_event ev = { .kind = ICE_EV_PACKET };
	unsigned char bytes[2048];
	struct sockaddr_in s;
	socklen_t size = sizeof(s);
	ssize_t len = recvfrom(p->fd, bytes, sizeof(bytes), 0,
			       (struct sockaddr *)&s, &size);

	if (len < 0)
		return;
	ev.bytes = bytes;
	ev.len = (size_t)len;
	ev.from.family = ADDR_V4;
	ev.from.port = ntohs(s.sin_port);
	memcpy(ev.from.ip, &s.sin_addr, sizeof(s.sin_addr));
	assert_true(addr_equal(&ev.from,
			       &last[WIRE_WELCOME].welcome.offer[0].addr));
	if (demux_kind(bytes, ev.len) == DEMUX_STUN) {
		step(p, &ev);
		return;
	}
	p->got++;
	p->len = ev.len;
	memcpy(p->bytes, bytes, ev.len);
}

/* What comes next, or 20 ms. */
static void pump(void)
{
	struct ice_event time = { .kind = ICE_EV_TIME };
	struct pollfd fds[1 + WIRE_SIDES];
	unsigned i;

	fds[0] = (struct pollfd) { .fd = hung_up ? -1 : control,
				   .events = POLLIN };
	for (i = 0; i < peers; i++)
		fds[1 + i] = (struct pollfd) { .fd = peer[i].fd,
					       .events = POLLIN };
	poll(fds, 1 + peers, 20);
	if (fds[0].revents)
		hear();
	for (i = 0; i < peers; i++) {
		if (fds[1 + i].revents)
			receive(&peer[i]);
		if (ice_deadline(&peer[i].agent) <= now_ms())
			step(&peer[i], &time);
	}
}

/* --- a call ----------------------------------------------------------- */

static void tell_of(struct peer *p, unsigned side)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_REMOTE, CALL);
	m.side = (uint8_t)side;
	strcpy(m.remote.ufrag, p->agent.current.ufrag);
	strcpy(m.remote.pwd, p->agent.current.pwd);
	put(&m);
	wire_begin(&m, WIRE_CANDIDATE, CALL);
	m.side = (uint8_t)side;
	m.candidate.addr = p->addr;
	m.candidate.component = 1;
	m.candidate.priority = ice_priority(ICE_HOST, 0);
	put(&m);
	wire_begin(&m, WIRE_END, CALL);
	m.side = (uint8_t)side;
	put(&m);
}

static void tell_peer(struct peer *p, const struct wire_credentials *ours)
{
	struct ice_event remote = { .kind = ICE_EV_REMOTE,
				    .ufrag = ours->ufrag, .pwd = ours->pwd };
	const struct ice_offer *offer = last[WIRE_WELCOME].welcome.offer;
	struct ice_candidate c = {
		.component = 1, .foundation = offer->foundation,
		.ip = "127.0.0.1", .port = offer->addr.port,
		.priority = offer->priority, .protocol = ICE_UDP,
		.type = offer->type,
	};
	struct ice_event candidate = { .kind = ICE_EV_CANDIDATE,
				       .candidate = &c };

	step(p, &remote);
	step(p, &candidate);
}

static void connect_call(void)
{
	unsigned char random[ICE_ENTROPY_SIZE];
	const unsigned both = 1u << WIRE_CHECKED | 1u << WIRE_CONNECTED;
	unsigned side;

	greet();
	assert_int_equal(last[WIRE_WELCOME].welcome.offers, 1);
	assert_int_not_equal(last[WIRE_WELCOME].welcome.offer[0].addr.port, 0);
	tell(WIRE_OPEN);
	wait_for(said[WIRE_READY] == 1);
	for (side = 0; side < WIRE_SIDES; side++) {
		struct peer *p = &peer[side];

		p->fd = udp_socket(&p->addr);
		p->config.local[0].base = p->addr;
		p->config.locals = 1;
		p->config.forbidden = nothing_is_forbidden;
		assert_int_equal(getrandom(random, sizeof(random), 0),
				 sizeof(random));
		ice_init(&p->agent, side == WIRE_CALLER, random);
		peers++;
		tell_of(p, side);
		tell_peer(p, &last[WIRE_READY].ready.side[side]);
	}
	wait_for((steps[0] & both) == both && (steps[1] & both) == both &&
		 ice_selected(&peer[0].agent) && ice_selected(&peer[1].agent));
}

/* A packet of `from` comes to the other unchanged. */
static void pass_one(unsigned from, unsigned first, size_t len)
{
	struct peer *to = &peer[!from];
	unsigned char bytes[2048];
	unsigned before = to->got;

	assert_int_equal(getrandom(bytes, len, 0), len);
	bytes[0] = (unsigned char)first;
	send_to(peer[from].fd, ice_selected(&peer[from].agent), bytes, len);
	wait_for(to->got != before);
	assert_int_equal(to->got, before + 1);
	assert_int_equal(to->len, len);
	assert_memory_equal(to->bytes, bytes, len);
}

static void pass_all_kinds(void)
{
	unsigned from;

	for (from = 0; from < 2; from++) {
		pass_one(from, DTLS, 300);
		pass_one(from, DTLS, 1400);
		pass_one(from, SRTP, 200);
		pass_one(from, SRTP, 1472);
	}
}

/* --- tests ------------------------------------------------------------ */

static void test_call(void **state)
{
	const unsigned all = 1u << WIRE_CHECKED | 1u << WIRE_CONNECTED |
			     1u << WIRE_DTLS | 1u << WIRE_MEDIA;
	const struct wire_listed *l = &last[WIRE_CALL].listed;

	(void)state;
	start();
	connect_call();
	pass_all_kinds();
	wait_for(steps[0] == all && steps[1] == all);
	tell(WIRE_LIST);
	wait_for(said[WIRE_LISTED] == 1);
	assert_int_equal(said[WIRE_CALL], 1);
	assert_string_equal(last[WIRE_CALL].call, CALL);
	assert_int_equal(l->side[0].traffic.in_packets, 4);
	assert_int_equal(l->side[0].traffic.in_bytes, 3372);
	assert_int_equal(l->side[1].traffic.out_bytes, 3372);
	assert_int_equal(l->side[1].steps, all);
	tell(WIRE_CLOSE);
	wait_for(said[WIRE_CLOSED] == 1);
	assert_int_equal(last[WIRE_CLOSED].closed.side[1].in_packets, 4);
	assert_true(logged("msg=\"call closed\" call=" CALL
			   " caller=in:4,3372,out:4,3372"));
	assert_false(logged(peer[0].agent.current.pwd));
}

/* Whoever is not of the call gets nothing, and nothing of his passes. */
static void test_strangers(void **state)
{
	struct addr own, *to = &last[WIRE_WELCOME].welcome.offer[0].addr;
	int fd = udp_socket(&own);
	unsigned char bytes[1500];
	unsigned i;

	(void)state;
	start();
	connect_call();
	for (i = 0; i < 512; i++) {
		assert_int_equal(getrandom(bytes, sizeof(bytes), 0),
				 sizeof(bytes));
		bytes[0] = (unsigned char)i;
		send_to(fd, to, bytes, i + 20);
		if (i % 32 == 0)
			pass_one(i / 32 % 2, SRTP, 200);
	}
	pass_one(0, SRTP, 200);
	pass_one(1, SRTP, 200);
	assert_int_equal(peer[0].got, 9);
	assert_int_equal(peer[1].got, 9);
	/* They were read: those after them were answered. */
	assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
	wait_for(logged("msg=\"packets dropped\" of="));
}

/* Control goes: not a packet is lost, and the call is there when it is back
 * (X10). */
static void test_control_gone(void **state)
{
	struct wire_credentials before;
	unsigned i;

	(void)state;
	start();
	connect_call();
	before = last[WIRE_READY].ready.side[WIRE_CALLEE];
	for (i = 0; i < 300; i++) {
		if (i == 100) {
			close(control);
			control = -1;
		}
		if (i == 200)
			wait_for((control = try_connect()) >= 0);
		pass_one(i % 2, SRTP, 200);
	}
	greet();
	assert_int_equal(last[WIRE_WELCOME].welcome.calls, 1);
	tell(WIRE_LIST);
	wait_for(said[WIRE_LISTED] == 1);
	assert_string_equal(last[WIRE_CALL].call, CALL);
	assert_int_equal(last[WIRE_CALL].listed.side[0].traffic.in_packets,
			 150);
	tell(WIRE_OPEN);
	wait_for(said[WIRE_READY] == 2);
	assert_memory_equal(&before,
			    &last[WIRE_READY].ready.side[WIRE_CALLEE],
			    sizeof(before));
	pass_one(0, SRTP, 200);
}

/* The connection ends, with a line; the calls and the process do not. */
static void test_bad_messages(void **state)
{
	struct wire_msg m;

	(void)state;
	start();
	connect_call();
	assert_int_equal(send(control, "nonsense", 8, MSG_NOSIGNAL), 8);
	wait_for(hung_up);
	close(control);
	hung_up = false;
	wait_for((control = try_connect()) >= 0);
	tell(WIRE_LIST);                   /* before HELLO */
	wait_for(hung_up);
	close(control);
	hung_up = false;
	wait_for((control = try_connect()) >= 0);
	wire_begin(&m, WIRE_HELLO, NULL);
	m.version++;
	put(&m);
	wait_for(hung_up);
	close(control);
	hung_up = false;
	wait_for((control = try_connect()) >= 0);
	greet();
	pass_one(0, SRTP, 200);
	assert_true(logged("why=\"too short\""));
	assert_true(logged("why=\"it did not say hello\""));
	assert_true(logged("why=\"of another version"));
}

/* Those that say nothing keep nobody out. */
static void test_silent(void **state)
{
	int silent[8];
	unsigned i;

	(void)state;
	start();
	for (i = 0; i < 8; i++)
		assert_true((silent[i] = try_connect()) >= 0);
	close(control);
	wait_for((control = try_connect()) >= 0);
	greet();
	wait_for(logged("why=\"it said nothing, and others came\""));
	tell(WIRE_OPEN);
	wait_for(said[WIRE_READY] == 1);
	for (i = 0; i < 8; i++)
		close(silent[i]);
}

/* A version that comes again and again is said once, not each time. */
static void test_storm(void **state)
{
	struct wire_msg m;
	unsigned i;

	(void)state;
	start();
	for (i = 0; i < 50; i++) {
		wire_begin(&m, WIRE_HELLO, NULL);
		m.version++;
		put(&m);
		wait_for(hung_up);
		close(control);
		hung_up = false;
		wait_for((control = try_connect()) >= 0);
	}
	assert_int_equal(log_lines("control is gone"), 1);
}

/* No descriptor is free for it: that is said, calls go on, and it may come
 * later. */
static void test_descriptors(void **state)
{
	struct rlimit before, none;
	int in_force;

	(void)state;
	start();
	connect_call();
	assert_int_equal(prlimit(media, RLIMIT_NOFILE, NULL, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(prlimit(media, RLIMIT_NOFILE, &none, NULL), 0);
	in_force = control;
	control = try_connect();
	assert_true(control >= 0);
	wait_for(logged("control cannot connect"));
	close(control);
	control = in_force;
	pass_one(0, SRTP, 200);
	pass_one(1, SRTP, 200);
	assert_int_equal(prlimit(media, RLIMIT_NOFILE, &before, NULL), 0);
	close(control);
	wait_for((control = try_connect()) >= 0);
	greet();
}

/* A new control takes the place of one that may be dead. */
static void test_replaced(void **state)
{
	int before;

	(void)state;
	start();
	greet();
	before = control;
	wait_for((control = try_connect()) >= 0);
	greet();
	tell(WIRE_OPEN);
	wait_for(said[WIRE_READY] == 1);
	close(control);
	control = before;
	wait_for(hung_up);
}

/* More to say than the socket takes: all of it comes when it is read. */
static void test_slow_control(void **state)
{
	struct wire_msg m;
	char id[WIRE_CALL_SIZE];
	unsigned i;

	(void)state;
	start();
	greet();
	for (i = 0; i < 600; i++) {
		snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012u", i);
		wire_begin(&m, WIRE_OPEN, id);
		put(&m);
		wait_for(said[WIRE_READY] == i + 1);
	}
	tell(WIRE_OPEN);
	wait_for(said[WIRE_REFUSED] == 1);
	assert_int_equal(last[WIRE_REFUSED].refused.why, WIRE_FULL);
	for (i = 0; i < 10; i++)
		tell(WIRE_LIST);
	wait_for(said[WIRE_LISTED] == 10);
	assert_int_equal(said[WIRE_CALL], 6000);
}

/* SIGTERM lets a call end, and takes no other. */
static void test_drain(void **state)
{
	struct wire_msg m;
	struct stat st;

	(void)state;
	start();
	connect_call();
	assert_int_equal(stat(socket_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	kill(media, SIGHUP);               /* nothing to read again */
	pass_one(0, SRTP, 200);
	kill(media, SIGTERM);
	wait_for(logged("msg=draining calls=1"));
	wait_for(last[WIRE_WELCOME].welcome.draining);
	/* Asked again it says so again, and nothing in the log. */
	greet();
	assert_int_equal(last[WIRE_WELCOME].welcome.draining, 1);
	assert_int_equal(log_lines("control is there"), 1);
	wire_begin(&m, WIRE_OPEN, "00000000-0000-4000-8000-000000000000");
	put(&m);
	wait_for(said[WIRE_REFUSED] == 1);
	assert_int_equal(last[WIRE_REFUSED].refused.why, WIRE_DRAINING);
	pass_one(0, SRTP, 200);
	pass_one(1, SRTP, 200);
	tell(WIRE_CLOSE);
	wait_for(said[WIRE_CLOSED] == 1);
	assert_int_equal(exit_code(), 0);
	assert_int_equal(stat(socket_path, &st), -1);
}

static void test_stop(void **state)
{
	(void)state;
	start();
	connect_call();
	kill(media, SIGTERM);
	wait_for(logged("msg=draining"));
	kill(media, SIGTERM);
	assert_int_equal(exit_code(), 0);
	/* Without a call at once. */
	close(control);
	hung_up = false;
	start();
	kill(media, SIGINT);
	assert_int_equal(exit_code(), 0);
}

/* What a killed one left is no obstacle. */
static void test_killed(void **state)
{
	struct stat st;

	(void)state;
	start();
	greet();
	kill(media, SIGKILL);
	wait_for(hung_up);
	assert_int_equal(exit_code(), -SIGKILL);
	assert_int_equal(stat(socket_path, &st), 0);
	close(control);
	hung_up = false;
	start();
	greet();
}

static void refuses(int code, const char *text,
		    const char *const *options)
{
	start_with(options);
	assert_int_equal(exit_code(), code);
	if (!logged(text))
		fail_msg("does not say: %s", text);
}

#define OPTIONS(...) (const char *const []) { __VA_ARGS__, NULL }

static void test_refusals(void **state)
{
	struct addr taken;
	int fd = udp_socket(&taken);
	char port[8];

	(void)state;
	snprintf(port, sizeof(port), "%u", taken.port);
	refuses(78, "take another one: --port N",
		OPTIONS("--address", "127.0.0.1", "--port", port));
	close(fd);
	refuses(78, "name one of `ip address'",
		OPTIONS("--address", "192.0.2.1", "--port", "0"));
	refuses(78, "not `nonsense'", OPTIONS("--address", "nonsense"));
	refuses(78, "not a second",
		OPTIONS("--address", "127.0.0.1", "--address", "127.0.0.2"));
	refuses(78, "that others reach, not `0.0.0.0'",
		OPTIONS("--address", "0.0.0.0", "--port", "0"));
	refuses(78, "that others reach, not `::'",
		OPTIONS("--address", "::", "--port", "0"));
	refuses(78, "that others reach, not `224.0.0.1'",
		OPTIONS("--address", "127.0.0.1", "--public-address",
			"224.0.0.1"));
	refuses(78, "one of each family",
		OPTIONS("--address", "127.0.0.1", "--public-address",
			"2001:db8::1"));
	refuses(64, "expected a number of 0 to 65535",
		OPTIONS("--port", "65536"));
	refuses(64, "expected a number of 1 to", OPTIONS("--max-calls", "0"));
	refuses(64, "Usage:", OPTIONS("word"));
	refuses(78, "--socket: expected a path",
		OPTIONS("--address", "127.0.0.1", "--port", "0", "--socket",
			"here"));
	fd = open(socket_path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	refuses(78, "is no socket: remove it",
		OPTIONS("--address", "127.0.0.1", "--port", "0"));
	unlink(socket_path);
}

/* Both families, and how NAT shows one of them. */
static void test_addresses(void **state)
{
	const char *const options[] = {
		"--address", "127.0.0.1", "--address", "::1", "--port", "0",
		"--public-address", "192.0.2.7", NULL
	};
	const struct wire_welcome *welcome = &last[WIRE_WELCOME].welcome;
	const struct ice_offer *o = welcome->offer;
	struct sockaddr_in6 s = { .sin6_family = AF_INET6,
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	char text[ADDR_TEXT_SIZE];

	(void)state;
	err = bind(fd, (const struct sockaddr *)&s, sizeof(s));
	close(fd);
	if (err)
		skip();                    /* a host without IPv6 */
	start_with(options);
	wait_for((control = try_connect()) >= 0);
	greet();
	assert_int_equal(welcome->offers, 3);
	addr_format_ip(&o[0].addr, text);
	assert_string_equal(text, "::1");
	addr_format_ip(&o[1].addr, text);
	assert_string_equal(text, "127.0.0.1");
	assert_int_equal(o[1].type, ICE_HOST);
	addr_format_ip(&o[2].addr, text);
	assert_string_equal(text, "192.0.2.7");
	assert_int_equal(o[2].type, ICE_SRFLX);
	assert_int_equal(o[2].addr.port, o[1].addr.port);
	assert_true(addr_equal(&o[2].related, &o[1].addr));
}

/* Two at one socket. */
static void test_two(void **state)
{
	pid_t first;

	(void)state;
	start();
	first = media;
	refuses(78, "another privatecall-media answers there",
		OPTIONS("--address", "127.0.0.1", "--port", "0"));
	media = first;
	greet();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_call), T(test_strangers), T(test_control_gone),
		T(test_bad_messages), T(test_silent), T(test_storm),
		T(test_descriptors), T(test_replaced), T(test_slow_control),
		T(test_drain), T(test_stop), T(test_killed),
		T(test_refusals), T(test_addresses), T(test_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
