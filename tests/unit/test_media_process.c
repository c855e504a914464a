/* test_media_process.c: the real privatecall-media: a call, control that comes,
 * goes and errs, the end, bad options.
 */
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include "tests/unit/media_process_test.h"

/* A call of peers that are not armed. */
static void connect_call(void)
{
	greet();
	assert_int_equal(last[WIRE_WELCOME].welcome.offers, 1);
	assert_int_not_equal(media_addr()->port, 0);
	open_call_at(0, "127.0.0.1", "127.0.0.1");
	tell_of(&peer[0]);
	tell_peer(&peer[0]);
	tell_of(&peer[1]);
	tell_peer(&peer[1]);
	wait_for(both(0, WIRE_CHECKED) && both(0, WIRE_CONNECTED) &&
		 ice_selected(&peer[0].agent) && ice_selected(&peer[1].agent));
}

/* A packet of `from` comes to the other unchanged. */
static void pass_one(unsigned from, unsigned first, size_t len)
{
	struct peer *to = &peer[!from];
	unsigned char bytes[PACKET];
	unsigned before = to->got;

	random_bytes(bytes, len);
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
	wait_for(steps[0][0] == all && steps[0][1] == all);
	tell(WIRE_LIST, 0);
	wait_for(said[WIRE_LISTED] == 1);
	assert_int_equal(said[WIRE_CALL], 1);
	assert_string_equal(last[WIRE_CALL].call, CALL);
	assert_int_equal(l->side[0].traffic.in_packets, 4);
	assert_int_equal(l->side[0].traffic.in_bytes, 3372);
	assert_int_equal(l->side[1].traffic.out_bytes, 3372);
	assert_int_equal(l->side[1].steps, all);
	tell(WIRE_CLOSE, 0);
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
		random_bytes(bytes, sizeof(bytes));
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
	/* Once, and the rest at the end. */
	kill(media, SIGTERM);
	wait_for(logged("msg=draining"));
	kill(media, SIGTERM);
	assert_int_equal(exit_code(), 0);
	assert_int_equal(log_lines("msg=\"packets dropped\" of="), 2);
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
	tell(WIRE_LIST, 0);
	wait_for(said[WIRE_LISTED] == 1);
	assert_string_equal(last[WIRE_CALL].call, CALL);
	assert_int_equal(last[WIRE_CALL].listed.side[0].traffic.in_packets,
			 150);
	tell(WIRE_OPEN, 0);
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
	tell(WIRE_LIST, 0);                   /* before HELLO */
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
	tell(WIRE_OPEN, 0);
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
	tell(WIRE_OPEN, 0);
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
		snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012u",
			 i + 1);
		wire_begin(&m, WIRE_OPEN, id);
		put(&m);
		wait_for(said[WIRE_READY] == i + 1);
	}
	tell(WIRE_OPEN, 0);
	wait_for(said[WIRE_REFUSED] == 1);
	assert_int_equal(last[WIRE_REFUSED].refused.why, WIRE_FULL);
	for (i = 0; i < 10; i++)
		tell(WIRE_LIST, 0);
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
	wire_begin(&m, WIRE_OPEN, "00000000-0000-4000-8000-000000000001");
	put(&m);
	wait_for(said[WIRE_REFUSED] == 1);
	assert_int_equal(last[WIRE_REFUSED].refused.why, WIRE_DRAINING);
	pass_one(0, SRTP, 200);
	pass_one(1, SRTP, 200);
	tell(WIRE_CLOSE, 0);
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
	refuses(1, "name one of `ip address'",
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
	refuses(64, "expected a number of 0 to 2000",
		OPTIONS("--drain", "2001"));
	refuses(64, "Usage:", OPTIONS("word"));
	refuses(64, "--forbid: expected addresses as 192.0.2.7, 192.0.2.0/24 "
		"or 2001:db8::/32, not `office'",
		OPTIONS("--forbid", "office"));
	refuses(64, "did you mean 10.0.0.0/8?",
		OPTIONS("--allow", "10.1.2.3/8"));
	refuses(64, "--allow: `127.0.0.1' is this host",
		OPTIONS("--allow", "127.0.0.1"));
	refuses(64, "--allow: `10.0.0.0/8' was named before",
		OPTIONS("--forbid", "10.0.0.0/8", "--allow", "10.0.0.0/8"));
	refuses(78, "--socket: expected a path",
		OPTIONS("--address", "127.0.0.1", "--port", "0", "--socket",
			"here"));
	fd = open(socket_path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	refuses(78, "is no socket: remove it",
		OPTIONS("--address", "127.0.0.1", "--port", "0"));
	unlink(socket_path);
}

/* A host whose OpenSSL has no ciphers, by its configuration. */
static void test_no_key(void **state)
{
	char name[] = "/tmp/test_media_process-XXXXXX";
	static const char text[] = "openssl_conf = all\n"
				   "[all]\nproviders = providers\n"
				   "[providers]\nnull = none\n"
				   "[none]\nactivate = 1\n";
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	setenv("OPENSSL_CONF", name, 1);
	refuses(78, "no certificate can be made",
		OPTIONS("--address", "127.0.0.1", "--port", "0"));
	unsetenv("OPENSSL_CONF");
	unlink(name);
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

#define NO_NAMESPACE 77

/* A machine that starts may have no address yet: it is tried again. */
static void test_no_address(void **state)
{
	pid_t inside = fork();
	int status;

	(void)state;
	assert_true(inside >= 0);
	if (!inside) {
		if (unshare(CLONE_NEWNET) &&
		    unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(NO_NAMESPACE);
		start_with(OPTIONS("--port", "0"));
		_exit(exit_code());
	}
	assert_int_equal(waitpid(inside, &status, 0), inside);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE)
		skip();
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_true(logged("no address but loopback"));
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
		T(test_refusals), T(test_no_key), T(test_addresses),
		T(test_no_address), T(test_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
