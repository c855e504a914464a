/* test_media_impair.c: calls through the real privatecall-media whose network
 * is bad: each side and the process in a network namespace of its own, and
 * tests/net/impair between them. doc/impairment.md has what came of it.
 */
#include <sched.h>
#include "tests/unit/media_attack_test.h"

#define PROGRAM "test_media_impair"
#define SEED "7"
#define PORT "10000"
#define PACKETS 500                /* each way */
#define SIZE 200                   /* bytes of an RTP packet */
#define PACE_MS 1                  /* between two of one side */
#define RCVBUF (4 << 20)
#define SKIPPED 77

struct place {
	const char *name;
	const char *ip[2];
	int ns;
};

static struct place places[] = {
	{ "media", { "10.77.0.1", "fd77::1" }, -1 },
	{ "alice", { "10.77.0.2", "fd77::2" }, -1 },
	{ "bob", { "10.77.0.3", "fd77::3" }, -1 },
};
#define PLACES (sizeof(places) / sizeof(places[0]))
#define HOST_MEDIA "media=10.77.0.1,fd77::1"
#define HOST_ALICE "alice=10.77.0.2,fd77::2"
#define HOST_BOB "bob=10.77.0.3,fd77::3"

static pid_t net;
static FILE *net_in, *net_out;     /* its commands, its answers */
static int home = -1;
static char answer[4096];

/* --- the network ------------------------------------------------------ */

static void go_to(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static void enter(const char *ip)
{
	unsigned i;

	if (!ip) {
		go_to(home);
		return;
	}
	for (i = 0; i < PLACES; i++)
		if (!strcmp(ip, places[i].ip[0]) ||
		    !strcmp(ip, places[i].ip[1]))
			go_to(places[i].ns);
}

static void open_place(const char *name, int pid)
{
	char path[64];
	unsigned i;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	for (i = 0; i < PLACES; i++)
		if (strcmp(name, places[i].name) == 0)
			places[i].ns = open(path, O_RDONLY | O_CLOEXEC);
}

/* "ok", after a command. */
static void net_does(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
static void net_does(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(net_in, format, args);
	va_end(args);
	fputc('\n', net_in);
	fflush(net_in);
	assert_non_null(fgets(answer, sizeof(answer), net_out));
	if (strncmp(answer, "ok", 2))
		fail_msg("%s of %s", answer, format);
}

/* "out.lost.rtp" of this host, since net_forget(). */
static unsigned net_count(const char *host, const char *what)
{
	char key[64], *at;

	net_does("count %s", host);
	snprintf(key, sizeof(key), " %s=", what);
	at = strstr(answer, key);
	return at ? (unsigned)strtoul(at + strlen(key), NULL, 10) : 0;
}

static void start_net(void)
{
	const char *build = getenv("top_builddir");
	char path[512];
	int in[2], out[2];

	snprintf(path, sizeof(path), "%s/impair",
		 build ? build : "build");
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	net = fork();
	if (!net) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, "--seed", SEED, HOST_MEDIA, HOST_ALICE,
		      HOST_BOB, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	net_in = fdopen(in[1], "w");
	net_out = fdopen(out[0], "r");
}

/* A network of its own for each test, so that all counts are its own. */
static int setup_net(void **state)
{
	char name[16];
	int pid;

	if (setup(state))
		return -1;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	place_h = enter;
	start_net();
	while (fgets(answer, sizeof(answer), net_out))
		if (sscanf(answer, "host %15s pid %d", name, &pid) == 2)
			open_place(name, pid);
		else if (strcmp(answer, "ready\n") == 0)
			return 0;
	return 0;                          /* not permitted: each skips */
}

static int setup_net_blind(void **state)
{
	int err = setup_net(state);

	mode = WIRE_BLIND;
	return err;
}

static int setup_net_room(void **state)
{
	int err = setup_net(state);

	mode = WIRE_ROOM;
	return err;
}

static int teardown_net(void **state)
{
	int status = 0, err = teardown(state);
	unsigned i;

	fclose(net_in);
	while (fgets(answer, sizeof(answer), net_out))
		printf("# %s", answer);
	fclose(net_out);
	waitpid(net, &status, 0);
	for (i = 0; i < PLACES; i++)
		if (places[i].ns >= 0)
			close(places[i].ns);
	for (i = 0; i < PLACES; i++)
		places[i].ns = -1;
	close(home);
	place_h = NULL;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return err || (status && status != SKIPPED) ? -1 : 0;
}

static void need_net(void)
{
	if (places[0].ns < 0) {
		printf("# no network namespaces or tun devices here\n");
		skip();
	}
}

/* --- a call ----------------------------------------------------------- */

static void start_at(const char *const *options)
{
	need_net();
	go_to(places[0].ns);
	start_with(options);
	go_to(home);
	wait_for((control = try_connect()) >= 0);
	greet();
}

static void start_v4(void)
{
	start_at(OPTIONS("--address", "10.77.0.1", "--port", PORT));
}

static void prepare(const char *caller, const char *callee)
{
	const int size = RCVBUF;
	unsigned side;

	prepare_call_at(0, caller, callee);
	for (side = 0; side < WIRE_SIDES; side++)
		setsockopt(peer[side].fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
			   sizeof(size));
}

/* Between alice and bob; it stands. */
static void call_them(void)
{
	prepare("10.77.0.2", "10.77.0.3");
	tell_all(0);
	wait_for(stands(0));
}

static void send_next(struct peer *p, size_t size)
{
	unsigned char bytes[PACKET];
	size_t len = seal_rtp(p, bytes, size);

	send_to(p->fd, ice_selected(&p->agent), bytes, len);
}

/* Evenly, both ways; what the process answers is taken all the while. */
static void send_all(unsigned packets)
{
	int64_t began = now_ms();
	unsigned n;

	for (n = 0; n < packets; n++) {
		while (now_ms() < began + (int64_t)n * PACE_MS)
			pump();
		send_next(&peer[0], SIZE);
		send_next(&peer[1], SIZE);
	}
}

/* What was sent before has come, or never will: nothing is overtaken. */
static void settle(void)
{
	send_next(&peer[0], SIZE + 1);
	send_next(&peer[1], SIZE + 1);
	wait_for(peer[0].len == SIZE + 1 && peer[1].len == SIZE + 1);
}

/* Media packets that the network lost on alice's link; bob's is well. */
struct lost {
	unsigned of[WIRE_SIDES];   /* what the caller sent, the callee */
};

static struct lost lost_now(void)
{
	return (struct lost) { { net_count("alice", "out.lost.rtp"),
				 net_count("alice", "in.lost.rtp") } };
}

/* `packets` more of each side than `opened` came to the other, but for what
 * the network lost since `was`. */
static bool have_come(unsigned packets, const unsigned opened[WIRE_SIDES],
		      struct lost was)
{
	struct lost l = lost_now();

	return peer[1].opened - opened[1] + l.of[0] - was.of[0] == packets &&
	       peer[0].opened - opened[0] + l.of[1] - was.of[1] == packets;
}

/* PACKETS each way: exactly those open at the other, once, that the network
 * has not lost. Says how many it has. */
static unsigned media_pass(void)
{
	unsigned opened[WIRE_SIDES] = { peer[0].opened, peer[1].opened };
	struct lost was = lost_now(), l;

	send_all(PACKETS);
	wait_for(have_come(PACKETS, opened, was));
	assert_int_equal(peer[0].bad + peer[1].bad, 0);
	l = lost_now();
	return l.of[0] - was.of[0] + l.of[1] - was.of[1];
}

/* No leg has ended because of packets, nor does the process. */
static void all_is_well(void)
{
	unsigned side;

	for (side = 0; side < WIRE_SIDES; side++) {
		assert_null(dtls_srtp_alert(peer[side].dtls));
		assert_int_equal(dtls_srtp_state(peer[side].dtls),
				 DTLS_SRTP_DONE);
		assert_false(steps[0][side] & (1u << WIRE_LOST |
					       1u << WIRE_FAILED |
					       1u << WIRE_INSECURE));
	}
	finish();
}

#define ROW(what, test, ...) row(what, mode_name(), PROGRAM, test, __VA_ARGS__)
#define EACH_WAY "500 packets each way: "

/* --- tests ------------------------------------------------------------ */

/* 1000 packets in all: within four standard deviations. */
static void is_share(unsigned lost)
{
	assert_in_range(lost, 22, 78);
}

static void test_loss(void **state)
{
	(void)state;
	start_v4();
	net_does("link alice both loss=50");
	call_them();
	is_share(media_pass());
	all_is_well();
	ROW("loss of 5 %", "test_loss", "ICE and DTLS come through; " EACH_WAY
	    "those that the network did not lose open, no other is missing");
}

static unsigned dtls_lost(const char *host)
{
	return net_count(host, "out.lost.dtls") +
	       net_count(host, "in.lost.dtls");
}

/* In `room` there are two, one of which the process begins. */
static void test_handshake(void **state)
{
	const bool both_sides = mode == WIRE_ROOM;

	(void)state;
	start_v4();
	net_does("link alice both dtls=3");
	if (both_sides)
		net_does("link bob both dtls=3");
	call_them();
	assert_int_equal(dtls_lost("alice"), 6);
	assert_int_equal(dtls_lost("bob"), both_sides ? 6 : 0);
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("loss of the first 3 DTLS packets each way", "test_handshake",
	    "%s sent again, and it stands; " EACH_WAY "all open",
	    both_sides ? "they are, at both sides," : "they are");
}

static void test_jitter(void **state)
{
	(void)state;
	start_v4();
	net_does("link alice both delay=20 jitter=80");
	call_them();
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("jitter of 20 to 100 ms", "test_jitter", EACH_WAY "all open");
}

static void test_reorder(void **state)
{
	(void)state;
	start_v4();
	net_does("link alice both delay=5 reorder=200 late=15");
	call_them();
	assert_int_equal(media_pass(), 0);
	assert_int_not_equal(net_count("alice", "out.reordered"), 0);
	assert_int_not_equal(net_count("alice", "in.reordered"), 0);
	all_is_well();
	ROW("one of 5 overtaken by 15", "test_reorder", EACH_WAY "all open");
}

static void test_twice(void **state)
{
	unsigned repeated;

	(void)state;
	start_v4();
	call_them();
	net_does("link alice both dup=100");
	assert_int_equal(media_pass(), 0);
	repeated = mode == WIRE_ROOM ? 0 : net_count("alice", "out.twice.rtp");
	wait_for(peer[1].repeated == repeated);
	wait_for(peer[0].repeated == net_count("alice", "in.twice.rtp"));
	assert_int_not_equal(peer[0].repeated, 0);
	all_is_well();
	ROW("one of 10 twice", "test_twice", EACH_WAY "all open once; the "
	    "second %s", mode == WIRE_ROOM ? "is dropped by the process, if it "
	    "comes there" : "goes to the other client, who drops it");
}

static void test_delay(void **state)
{
	(void)state;
	start_v4();
	net_does("link alice both delay=200");
	call_them();
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("200 ms", "test_delay", "ICE and DTLS come through; " EACH_WAY
	    "all open");
}

static void test_all(void **state)
{
	(void)state;
	start_v4();
	net_does("link alice both loss=50 delay=100 jitter=50 reorder=50 "
		 "late=20 dup=20");
	call_them();
	media_pass();
	all_is_well();
	ROW("all of these", "test_all", "ICE and DTLS come through; " EACH_WAY
	    "those that the network did not lose open, once");
}

/* As when a router at home begins anew, or a phone changes networks: alice's
 * client notices nothing, and the process hears her from somewhere else. */
static void test_address(void **state)
{
	unsigned opened;

	(void)state;
	start_v4();
	call_them();
	assert_int_equal(media_pass(), 0);
	net_does("nat alice 10.77.9.2");
	opened = peer[0].opened;
	wait_for((send_all(10), peer[0].opened != opened));
	settle();
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("another address and port in mid-call", "test_address",
	    "her next check tells the process of it, and media go on both "
	    "ways; " EACH_WAY "all open");
}

/* Their own addresses, of which they tell, lead nowhere. */
static void test_nat(void **state)
{
	(void)state;
	start_v4();
	net_does("nat alice 10.77.9.2");
	net_does("nat bob 10.77.9.3");
	call_them();
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("both behind NAT, no STUN or TURN", "test_nat", EACH_WAY
	    "all open");
}

static void test_families(void **state)
{
	(void)state;
	start_at(OPTIONS("--address", "10.77.0.1", "--address", "fd77::1",
			 "--port", PORT));
	prepare("fd77::2", "10.77.0.3");
	tell_all(0);
	wait_for(stands(0));
	assert_int_equal(ice_selected(&peer[0].agent)->family, ADDR_V6);
	assert_int_equal(ice_selected(&peer[1].agent)->family, ADDR_V4);
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("IPv6 alone, the other IPv4 alone", "test_families", EACH_WAY
	    "all open");
}

/* It is for control to end such a call: the process waits. */
static void test_blocked(void **state)
{
	(void)state;
	start_v4();
	net_does("udp alice off");
	prepare("10.77.0.2", "10.77.0.3");
	tell_all(0);
	wait_for(steps[0][WIRE_CALLEE] & 1u << WIRE_CONNECTED);
	wait_for(net_count("alice", "out.blocked"));
	assert_int_equal(steps[0][WIRE_CALLER], 0);
	net_does("udp alice on");
	wait_for(stands(0));
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("UDP blocked, then no more", "test_blocked", "nothing comes of one "
	    "side, the other stays; then it connects; " EACH_WAY "all open");
}

static void test_one_port(void **state)
{
	(void)state;
	start_v4();
	net_does("udp alice 10.77.0.1 " PORT);
	net_does("udp bob 10.77.0.1 " PORT);
	call_them();
	assert_int_equal(media_pass(), 0);
	all_is_well();
	ROW("UDP blocked but to the process", "test_one_port", EACH_WAY
	    "all open");
}

/* The last of all. */
static void test_table(void **state)
{
	(void)state;
	judge_rows(PROGRAM, "doc/impairment.md", "tests/net/table.sh");
}

int main(void)
{
#define T(name) \
	{ #name " blind", name, setup_net_blind, teardown_net, NULL }, \
	{ #name " room", name, setup_net_room, teardown_net, NULL }
	const struct CMUnitTest tests[] = {
		T(test_loss), T(test_handshake), T(test_jitter),
		T(test_reorder), T(test_twice), T(test_delay), T(test_all),
		T(test_address), T(test_nat), T(test_families),
		T(test_blocked), T(test_one_port),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
