/* test_media_candidates.c: where the real privatecall-media never sends to, in
 * both modes, with its default lists: in a network namespace of its own, where
 * its addresses look like those of the Internet and every packet that leaves it
 * is seen. Skipped where the system gives no namespace.
 */
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <sys/ioctl.h>
#include "tests/unit/media_attack_test.h"

#define ROW(code, ...) \
	row(code, mode_name(), "test_media_candidates", __func__, __VA_ARGS__)
#define MEDIA4 "198.51.100.1"      /* on lo, with all of that network */
#define MEDIA6 "2001:db8::1"

#define THERE "--address", MEDIA6, "--address", MEDIA4, "--port", "17000", \
	"--max-calls", "3"

static const char *missing;        /* why there is no namespace */
static int capture = -1;

/* --- the namespace ---------------------------------------------------- */

/* Of IPv4. */
static void fill(struct sockaddr *sa, const char *ip)
{
	struct addr a;
	struct sockaddr_storage s;

	assert_int_equal(addr_parse(ip, 0, &a), 0);
	memcpy(sa, &s, system_address(&a, &s));
}

static bool add_v4(int fd, const char *name, const char *ip, const char *mask)
{
	struct ifreq r = { 0 };

	strcpy(r.ifr_name, name);
	fill(&r.ifr_addr, ip);
	if (ioctl(fd, SIOCSIFADDR, &r))
		return false;
	fill(&r.ifr_netmask, mask);
	if (ioctl(fd, SIOCSIFNETMASK, &r))
		return false;
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	return !ioctl(fd, SIOCSIFFLAGS, &r);
}

/* Some that IPv6 would have no way to, and so never show, are of this host. */
static const char *const ours[] = {
	MEDIA6, "2001:db8::10", "2001:db8::20", "2001:db8::99",
	"64:ff9b::127.0.0.1", "64:ff9b:1::7f00:1", "2002:7f00:1::1",
	"2001:db8::77",
};

static bool add_v6(int fd, const char *ip)
{
	struct in6_ifreq r = { .ifr6_prefixlen = 128,
			       .ifr6_ifindex = (int)if_nametoindex("lo") };
	struct addr a;

	assert_int_equal(addr_parse(ip, 0, &a), 0);
	memcpy(&r.ifr6_addr, a.ip, sizeof(r.ifr6_addr));
	return !ioctl(fd, SIOCSIFADDR, &r);
}

/* All of IPv4 that has no other way leaves by lo, where it is seen. */
static bool add_route(int fd)
{
	static char lo[] = "lo";
	struct rtentry r = { .rt_flags = RTF_UP, .rt_dev = lo };

	fill(&r.rt_dst, "0.0.0.0");
	fill(&r.rt_gateway, "0.0.0.0");
	fill(&r.rt_genmask, "0.0.0.0");
	return !ioctl(fd, SIOCADDRT, &r);
}

/* The kernel lets a new address of IPv6 be bound to a moment later. */
static bool can_be_bound(const char *ip)
{
	struct sockaddr_storage s;
	struct addr a;
	socklen_t len;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), tries, err;

	assert_int_equal(addr_parse(ip, 0, &a), 0);
	len = system_address(&a, &s);
	for (tries = 0; tries < 2000; tries++) {
		err = bind(fd, (const struct sockaddr *)&s, len);
		if (!err || errno != EADDRNOTAVAIL)
			break;
		poll(NULL, 0, 5);
	}
	close(fd);
	return !err;
}

static const char *enter(void)
{
	const char *why = NULL;
	bool all;
	int v4, v6;
	size_t i;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return "no network namespace";
	v4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	v6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	capture = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			 htons(ETH_P_ALL));
	if (v4 < 0 || v6 < 0 || capture < 0)
		return "no IPv6, or no packet sockets";
	all = add_v4(v4, "lo", "127.0.0.1", "255.0.0.0") &&
	      add_v4(v4, "lo:1", MEDIA4, "255.255.255.0") && add_route(v4);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		all = all && add_v6(v6, ours[i]);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		all = all && can_be_bound(ours[i]);
	if (!all)
		why = "no addresses of its own";
	close(v4);
	close(v6);
	return why;
}

/* --- what left the process -------------------------------------------- */

struct out {
	struct addr to;
	bool stun;
};

/* The next datagram from its ports, to anybody. */
static bool next_out(struct out *o_r)
{
	const unsigned port = media_addr()->port;
	unsigned char p[PACKET];
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t len;
	size_t head;

	while ((len = recvfrom(capture, p, sizeof(p), 0,
			       (struct sockaddr *)&from, &size)) >= 0) {
		bool v4 = from.sll_protocol == htons(ETH_P_IP);

		size = sizeof(from);
		head = v4 ? (p[0] & 15u) * 4u : 40;
		if (from.sll_pkttype != PACKET_OUTGOING ||
		    (size_t)len < head + 8 || p[v4 ? 9 : 6] != IPPROTO_UDP ||
		    (unsigned)(p[head] << 8 | p[head + 1]) != port)
			continue;
		memset(o_r, 0, sizeof(*o_r));
		o_r->to.family = v4 ? ADDR_V4 : ADDR_V6;
		o_r->to.port = (uint16_t)(p[head + 2] << 8 | p[head + 3]);
		memcpy(o_r->to.ip, p + (v4 ? 16 : 24), v4 ? 4 : 16);
		o_r->stun = demux_kind(p + head + 8, (size_t)len - head - 8) ==
			    DEMUX_STUN;
		return true;
	}
	return false;
}

/* To the two and those that may be checked, and to nobody else. */
static void judge_out(unsigned *seen)
{
	char text[ADDR_TEXT_SIZE];
	struct out o;
	unsigned i;

	while (next_out(&o)) {
		for (i = 0; i < attackers; i++)
			if (addr_equal(&o.to, &attacker_addr[i]) && o.stun)
				seen[i]++;
		for (i = 0; i < attackers + peers; i++)
			if (addr_equal(&o.to, i < attackers ?
				       &attacker_addr[i] :
				       &peer[i - attackers].addr))
				break;
		if (i == attackers + peers) {
			addr_format(&o.to, text);
			fail_msg("a packet to %s", text);
		}
	}
}

/* --- A25 -------------------------------------------------------------- */

/* The system itself sends nothing to :: and what is broadcast, mapped, link-
 * local or multicast of IPv6: what the agent does with those test_ice_limits
 * sees. */
static const char *const never[] = {
	"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "169.254.169.254",
	"224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
	"64:ff9b::127.0.0.1", "64:ff9b:1::7f00:1", "2002:7f00:1::1",
	"fe80::1", "ff02::1", "ff0e::1",
};
#define NEVER (sizeof(never) / sizeof(never[0]))

static void tell_at(const struct peer *p, const char *ip, unsigned port)
{
	struct addr a;

	assert_int_equal(addr_parse(ip, port, &a), 0);
	tell_candidate(p, &a);
}

/* Before the right ones: addresses and ports that nothing goes to, and at last,
 * with the least priority, two that may be checked: once they are, all others
 * would have been. */
static void tell_never(const struct peer *p)
{
	const unsigned port = media_addr()->port;
	struct wire_msg m;
	unsigned i;

	tell_remote(p);
	for (i = 0; i < NEVER; i++)
		tell_at(p, never[i], 5000);
	tell_at(p, MEDIA4, port);
	tell_at(p, MEDIA6, port);
	tell_at(p, "198.51.100.77", 53);
	tell_at(p, "198.51.100.77", 0);
	tell_at(p, "2001:db8::99", 53);
	for (i = 2 * p->side; i < 2 * p->side + 2; i++) {
		say_of(p, &m, WIRE_CANDIDATE);
		m.candidate.addr = attacker_addr[i];
		m.candidate.component = 1;
		m.candidate.priority = 1;
		put(&m);
	}
}

static void begin_there(const char *const *options)
{
	unsigned char before[64];

	while (recv(capture, before, sizeof(before), 0) >= 0)
		;
	start_with(options);
	wait_for((control = try_connect()) >= 0);
	greet();
	for (attackers = 0; attackers < 4; attackers++)
		attacker[attackers] = udp_socket_at(attackers % 2 ?
				"2001:db8::99" : "198.51.100.99",
				&attacker_addr[attackers]);
}

static void test_never_sent_to(void **state)
{
	unsigned seen[4] = { 0 }, side;

	(void)state;
	if (missing)
		skip();
	begin_there(OPTIONS(THERE));
	prepare_call_at(0, "2001:db8::10", "2001:db8::20");
	for (side = 0; side < WIRE_SIDES; side++) {
		tell_never(of_call(0, side));
		wait_for((judge_out(seen), seen[2 * side] &&
			  seen[2 * side + 1]));
	}
	tell_all(0);
	wait_for((judge_out(seen), stands(0)));
	unharmed(0);
	judge_out(seen);
	finish();
	ROW("A25", "%zu candidates that are this host, link-local, multicast, "
	    "reserved, broadcast, or hide such an address, its own, and ports "
	    "0 and 53, in a namespace with addresses of the Internet: 0 "
	    "packets leave for any", NEVER + 5);
}

/* What the admin forbids, and what he allows. */
static void test_rules(void **state)
{
	static const char *const closed[] = {
		"10.1.1.1", "198.51.100.200", "169.254.169.254", "127.0.0.1",
		"2001:db8::77",
	};
	static const char *const open[] = { "10.9.1.1", "169.254.7.7" };
	unsigned seen[ATTACKERS] = { 0 }, i;

	(void)state;
	if (missing)
		skip();
	begin_there(OPTIONS(THERE, "--forbid", "10.0.0.0/8", "--allow",
			    "10.9.0.0/16", "--forbid", "198.51.100.128/25",
			    "--forbid", "2001:db8::77", "--allow",
			    "169.254.0.0/16", "--forbid", "169.254.169.254"));
	prepare_call_at(0, "2001:db8::10", "2001:db8::20");
	/* Those two are somewhere else, and only seen to be sent to. */
	for (i = 0; i < 2; i++) {
		attacker[attackers] = udp_socket_at("127.0.0.1",
				&attacker_addr[attackers]);
		assert_int_equal(addr_parse(open[i], 5000,
				&attacker_addr[attackers++]), 0);
	}
	tell_remote(&peer[0]);
	for (i = 0; i < sizeof(closed) / sizeof(closed[0]); i++)
		tell_at(&peer[0], closed[i], 5000);
	for (i = 0; i < 2; i++)
		tell_at(&peer[0], open[i], 5000);
	wait_for((judge_out(seen), seen[4] && seen[5]));
	tell_all(0);
	wait_for((judge_out(seen), stands(0)));
	unharmed(0);
	judge_out(seen);
	finish();
	ROW("A25", "candidates in ranges of `--forbid', in a namespace with "
	    "addresses of the Internet: 0 packets leave for any; those of "
	    "`--allow' are checked");
}

static void test_table(void **state)
{
	(void)state;
	if (missing)
		skip();
	judge_table("test_media_candidates");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_BOTH(test_never_sent_to), IN_BOTH(test_rules),
		cmocka_unit_test(test_table),
	};

	missing = enter();
	if (missing)
		printf("# skipped: %s\n", missing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
