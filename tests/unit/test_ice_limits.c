/* test_ice_limits.c: who an ICE agent never sends to, how much and how often it
 * sends to others, what an attacker gets, what it offers.
 */
#include "jingle/media/ice_private.h"
#include "tests/unit/ice_alone.h"

/* --- candidates ------------------------------------------------------- */

static const struct {
	const char *what;
	struct ice_candidate c;
	const char *ufrag;
	enum ice_count counts;     /* ICE_COUNTS: it is checked */
} candidates[] = {
	{ "a host", { .component = 1, .ip = HIS_IP, .port = 5000 }, NULL,
	  ICE_COUNTS },
	{ "of these credentials", { .component = 1, .ip = HIS_IP,
	  .port = 5000 }, HIS_UFRAG, ICE_COUNTS },
	{ "of others", { .component = 1, .ip = HIS_IP, .port = 5000 },
	  "other", ICE_N_STALE },
	{ "private", { .component = 1, .ip = "192.168.1.2", .port = 5000 },
	  NULL, ICE_COUNTS },
	{ "component 2", { .component = 2, .ip = HIS_IP, .port = 5000 }, NULL,
	  ICE_N_IGNORED },
	{ "TCP", { .component = 1, .ip = HIS_IP, .port = 9,
	  .protocol = ICE_TCP }, NULL, ICE_N_IGNORED },
	{ "another protocol", { .component = 1, .ip = HIS_IP, .port = 9,
	  .protocol = ICE_OTHER }, NULL, ICE_N_IGNORED },
	{ "a hidden name", { .component = 1, .ip = "9c3d20f6.local",
	  .mdns = true, .port = 5000 }, NULL, ICE_N_IGNORED },
	{ "a name", { .component = 1, .ip = "localhost", .port = 5000 }, NULL,
	  ICE_N_IGNORED },
	{ "IPv6, which we have not", { .component = 1, .ip = "2001:db8::1",
	  .port = 5000 }, NULL, ICE_N_IGNORED },
	{ "loopback", { .component = 1, .ip = "127.0.0.1", .port = 5000 },
	  NULL, ICE_N_FORBIDDEN },
	{ "any", { .component = 1, .ip = "0.0.0.0", .port = 5000 }, NULL,
	  ICE_N_FORBIDDEN },
	{ "link-local", { .component = 1, .ip = "169.254.169.254",
	  .port = 80 }, NULL, ICE_N_FORBIDDEN },
	{ "multicast", { .component = 1, .ip = "224.0.0.251", .port = 5353 },
	  NULL, ICE_N_FORBIDDEN },
	{ "broadcast", { .component = 1, .ip = "255.255.255.255",
	  .port = 5000 }, NULL, ICE_N_FORBIDDEN },
	{ "port 0", { .component = 1, .ip = HIS_IP, .port = 0 }, NULL,
	  ICE_N_FORBIDDEN },
	{ "port 53", { .component = 1, .ip = HIS_IP, .port = 53 }, NULL,
	  ICE_N_FORBIDDEN },
	{ "ourselves", { .component = 1, .ip = SERVER, .port = SERVER_PORT },
	  NULL, ICE_N_FORBIDDEN },
};

static void remote_candidates(void **state)
{
	struct net n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		enum ice_count counts = candidates[i].counts, c;

		alone(&n, true);
		candidate_as(&n, 0, &candidates[i].c, candidates[i].ufrag);
		pass(&n, 1000);
		if ((n.p[0].sends > 0) != (counts == ICE_COUNTS))
			fail_msg("%s: %d sends", candidates[i].what,
				 (int)n.p[0].sends);
		for (c = 0; c < ICE_COUNTS; c++)
			assert_int_equal(counted(&n, c), c == counts);
	}
}

/* Nor does a check bring us to send there, however right it is. */
static void forbidden_source(void **state)
{
	static const char *const ips[] = { "127.0.0.1", "0.0.0.0",
					   "169.254.1.1", "224.0.0.1" };
	struct net n;
	size_t i;

	(void)state;
	alone(&n, true);
	for (i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
		struct addr from = address(ips[i], 5000);

		request_from(&n, &from, true);
		assert_int_equal(n.out.n, 0);
		assert_int_equal(counted(&n, ICE_N_FORBIDDEN), i + 1);
		assert_false(ice_accepts(agent(&n), &from));
	}
}

static bool forbids_documentation(const struct addr *a, const void *arg)
{
	return !memcmp(a->ip, arg, 3);
}

/* The list is the admin's. */
static void own_list(void **state)
{
	struct net n;

	(void)state;
	begin(&n, 1, true, false);
	n.p[1].a.tie_breaker = 0;
	n.p[0].config.forbidden = forbids_documentation;
	n.p[0].config.arg = "\xcb\x00\x71";        /* 203.0.113.0/24 */
	remote(&n, 0, HIS_UFRAG, HIS_PWD);
	candidate(&n, 0, HIS_IP, 5000, 1);
	assert_int_equal(counted(&n, ICE_N_FORBIDDEN), 1);
	candidate(&n, 0, "127.0.0.1", 5000, 1);
	assert_int_equal(n.p[0].sends, 1);
}

/* Before the credentials: kept, and checked when they are here. So is an
 * address that checks us (candidates of Chromium come before the accept). */
static void before_credentials(void **state)
{
	struct addr early = address(HIS_IP, 1001);
	struct stun_msg m;
	struct net n;

	(void)state;
	begin(&n, 1, false, false);
	n.p[1].a.tie_breaker = 0;
	candidate(&n, 0, HIS_IP, 1002, 100);
	assert_int_equal(ice_deadline(agent(&n)), INT64_MAX);
	request_from(&n, &early, true);
	read_sent(&n, 0, &m);
	assert_int_equal(m.class, STUN_SUCCESS);
	assert_null(sent(&n, 1));
	assert_true(ice_accepts(agent(&n), &early));
	remote(&n, 0, HIS_UFRAG, HIS_PWD);
	assert_true(addr_equal(&sent(&n, 0)->addr, &early));
	read_sent(&n, 0, &m);
	answer_to(&n, &m, 0, &early, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	/* The same again is nothing new. */
	remote(&n, 0, HIS_UFRAG, HIS_PWD);
	assert_int_equal(n.out.n, 0);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
}

static void credentials_too_long(void **state)
{
	char text[ICE_PWD_MAX + 2];
	struct net n;

	(void)state;
	begin(&n, 1, false, false);
	n.p[1].a.tie_breaker = 0;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	remote(&n, 0, text, HIS_PWD);
	remote(&n, 0, HIS_UFRAG, text);
	remote(&n, 0, "", HIS_PWD);
	remote(&n, 0, HIS_UFRAG, "");
	assert_int_equal(counted(&n, ICE_N_IGNORED), 4);
	assert_int_equal(agent(&n)->state, ICE_NEW);
	text[sizeof(text) - 2] = '\0';
	remote(&n, 0, text, text);
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	assert_true(sent(&n, 0)->len <= ICE_PACKET_MAX);
	assert_int_equal(sent(&n, 0)->len, ICE_PACKET_MAX - 8);
}

/* --- attacks ---------------------------------------------------------- */

/* 3d: a right request, seen on the way and sent again from elsewhere, with a
 * role and a nomination of its own. He gets an answer and some checks, never
 * the media, and no more than one gets who is not there. */
static void replayed_request(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;
	int control;

	(void)state;
	for (control = 0; control < 2; control++) {
		alone(&n, control);
		validate(&n, &from, true);
		n.cut = true;
		n.third = address("203.0.113.66", 666);
		m = a_request(&n);
		m.use_candidate = true;
		n.now += 3000;
		simple(&n, 0, ICE_EV_TIME);
		n.log[0] = '\0';
		send_as(&n, &m, agent(&n)->current.pwd, &n.third);
		pass(&n, 20000);
		assert_null(strstr(n.log, "203.0.113.66"));
		assert_in_range(n.to_third, 1, 1 + ICE_RC);
		assert_true(addr_equal(ice_selected(agent(&n)), &from));
	}
}

/* Rates: no address is sent more than this, whoever asks for it. */
static int64_t window[4096];
static unsigned window_n, window_most;     /* in a second */

static void watch_rate(struct net *n, unsigned who,
		       const struct ice_action *act)
{
	struct stun_msg m;
	unsigned i, there = 0;

	(void)who;
	assert_int_equal(stun_read(act->bytes, act->len, &m), 0);
	if (m.class != STUN_REQUEST)
		return;
	assert_true(window_n < 4096);
	window[window_n++] = n->now;
	for (i = 0; i < window_n; i++)
		there += window[i] > n->now - 1000;
	assert_true(there <= (n->third.family ? ICE_SENDS_TO_ONE :
			      ICE_SENDS_MAX));
	window_most = there > window_most ? there : window_most;
}

static void rate_to_one(void **state)
{
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, true);
	n.cut = true;
	n.third = his();
	n.watch = watch_rate;
	window_n = window_most = 0;
	for (i = 0; i < 20; i++)
		candidate(&n, 0, HIS_IP, 1000 + i, i + 1);
	pass(&n, 100000);
	assert_int_equal(window_most, ICE_SENDS_TO_ONE);
	assert_true(counted(&n, ICE_N_OVER_RATE) > 0);
	assert_true(window_n >= 100);
	assert_int_equal(agent(&n)->state, ICE_FAILED);
}

static int64_t first_at[ICE_REMOTE_MAX];
static unsigned first_n;
static int64_t second_at;          /* of the last one */

static void watch_first(struct net *n, unsigned who,
			const struct ice_action *act)
{
	static struct addr seen[ICE_REMOTE_MAX];
	unsigned i;

	watch_rate(n, who, act);
	for (i = 0; i < first_n; i++)
		if (addr_equal(&seen[i], &act->addr)) {
			if (i == ICE_REMOTE_MAX - 1 && !second_at)
				second_at = n->now;
			return;
		}
	seen[first_n] = act->addr;
	first_at[first_n++] = n->now;
}

/* Ta: the first check of each pair is 50 ms after another one's; and no more
 * than the cap leave in any second when all are repeated. */
static void pacing(void **state)
{
	struct net n;
	unsigned i;
	char ip[32];

	(void)state;
	alone(&n, true);
	n.cut = true;
	n.watch = watch_first;
	window_n = first_n = 0;
	for (i = 0; i < ICE_REMOTE_MAX; i++) {
		snprintf(ip, sizeof(ip), "192.0.2.%u", i + 1);
		candidate(&n, 0, ip, 5000, i + 1);
	}
	pass(&n, 120000);
	assert_int_equal(first_n, ICE_REMOTE_MAX);
	for (i = 1; i < first_n; i++)
		assert_true(first_at[i] - first_at[i - 1] >= ICE_TA_MS);
	assert_true(first_at[19] == START + 19 * ICE_TA_MS);
	/* The more pairs, the longer until they are repeated (14.3): the last
	 * of 24 first after 1200 ms. */
	assert_true(second_at - first_at[ICE_REMOTE_MAX - 1] ==
		    ICE_REMOTE_MAX * ICE_TA_MS);
	assert_int_equal(window_n, ICE_REMOTE_MAX * ICE_RC);
}

/* What one step has no room for is due at once in the next. */
static void late_step(void **state)
{
	struct net n;
	unsigned i;
	char ip[32];

	(void)state;
	alone(&n, true);
	n.cut = true;
	for (i = 0; i < 12; i++) {
		snprintf(ip, sizeof(ip), "192.0.2.%u", i + 1);
		candidate(&n, 0, ip, 5000, i + 1);
	}
	while (n.p[0].sends < 13)          /* the first one again */
		assert_true(next(&n, START + 1000));
	n.now += 1100;
	simple(&n, 0, ICE_EV_TIME);
	assert_int_equal(n.out.sends, ICE_STEP_SENDS_MAX);
	assert_true(ice_deadline(agent(&n)) <= n.now);
	simple(&n, 0, ICE_EV_TIME);
	assert_int_equal(n.out.sends, 12 - ICE_STEP_SENDS_MAX);
	assert_true(ice_deadline(agent(&n)) > n.now);
}

/* RFC 8489, 6.2.1; RFC 8445, 14.3. */
static void retransmissions(void **state)
{
	static const int64_t at[ICE_RC] = { 0, 500, 1500, 3500, 7500, 15500,
					    31500 };
	struct addr from = his();
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, true);
	n.cut = true;
	n.watch = watch_rate;
	window_n = 0;
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	pass(&n, 39499);
	assert_int_equal(window_n, ICE_RC);
	for (i = 0; i < ICE_RC; i++)
		assert_int_equal(window[i], START + at[i]);
	assert_int_equal(ice_pair_of(agent(&n), &from)->state,
			 ICE_PAIR_CHECKED);
	pass(&n, 1);
	assert_int_equal(ice_pair_of(agent(&n), &from)->state,
			 ICE_PAIR_FAILED);
	assert_int_equal(agent(&n)->state, ICE_FAILED);
}

/* A26: 300 candidates. The last one that counts is still checked, and so is
 * who checks us; whoever fails makes room. */
static void many_candidates(void **state)
{
	struct addr from = address("198.51.100.200", 5000);
	struct addr other = address("198.51.100.201", 5000);
	struct stun_msg m;
	struct net n;
	char ip[32];
	unsigned i;

	(void)state;
	alone(&n, false);
	n.cut = true;
	for (i = 0; i < 300; i++) {
		snprintf(ip, sizeof(ip), "192.0.2.%u", i % 250 + 1);
		candidate(&n, 0, ip, 5000 + i / 250, i + 1);
	}
	assert_int_equal(counted(&n, ICE_N_OVER_PAIRS), 300 - ICE_REMOTE_MAX);
	/* One that was not from a candidate makes no room for one. */
	n.now += ICE_TA_MS;
	request_from(&n, &other, false);
	read_sent(&n, 1, &m);
	answer_to(&n, &m, STUN_BAD_REQUEST, &other, HIS_PWD);
	candidate(&n, 0, "192.0.2.252", 5000, 1);
	assert_int_equal(counted(&n, ICE_N_OVER_PAIRS), 301 - ICE_REMOTE_MAX);
	n.now += ICE_TA_MS;
	validate(&n, &from, true);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	pass(&n, 10000);
	candidate(&n, 0, "192.0.2.251", 5000, 1);
	assert_int_equal(counted(&n, ICE_N_OVER_PAIRS), 301 - ICE_REMOTE_MAX);
}

/* The peer checks us from a thousand addresses: what is selected stays, and
 * so does what it costs. */
static void many_sources(void **state)
{
	struct addr from = his();
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	n.cut = true;
	n.watch = watch_rate;
	window_n = window_most = 0;
	for (i = 0; i < 1000; i++) {
		struct addr other = address("192.0.2.1", 1024 + i);

		other.ip[3] = (uint8_t)(i % 200 + 1);
		n.now += 10;
		request_from(&n, &other, true);
	}
	assert_true(addr_equal(ice_selected(agent(&n)), &from));
	assert_int_equal(counted(&n, ICE_N_OVER_REFLEXIVE),
			 1000 - ICE_PAIRS_MAX + 1);
	assert_true(window_n <= 11 * ICE_SENDS_MAX);
}

/* Who checks us takes no place from candidates, as long as there are any. */
static void sources_before_candidates(void **state)
{
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, false);
	n.cut = true;
	for (i = 0; i < ICE_REMOTE_MAX; i++) {
		struct addr other = address("192.0.2.1", 1024 + i);

		request_from(&n, &other, false);
	}
	for (i = 0; i <= ICE_PAIRS_MAX - ICE_REMOTE_MAX; i++)
		candidate(&n, 0, HIS_IP, 5000 + i, 1);
	assert_int_equal(counted(&n, ICE_N_OVER_PAIRS), 1);
	/* One of them signalled now is the same pair. */
	candidate(&n, 0, "192.0.2.1", 1024, 1);
	assert_int_equal(counted(&n, ICE_N_OVER_PAIRS), 1);
}

/* Checks whose answers are still awaited: the oldest give way. */
static void many_checks(void **state)
{
	struct addr from = his(), first = address(HIS_IP, 1001);
	struct stun_msg m;
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, false);
	n.cut = true;
	candidate(&n, 0, HIS_IP, 1001, 1);         /* it is repeated */
	for (i = 0; i < 3 * ICE_CHECKS_MAX; i++) {
		n.now += 200;
		request_from(&n, &from, false);
	}
	assert_true(counted(&n, ICE_N_OVER_CHECKS) > 0);
	assert_int_equal(ice_pair_of(agent(&n), &first)->state,
			 ICE_PAIR_CHECKED);
	/* The last but one is not the one that gave way. */
	n.now += 200;
	request_from(&n, &from, true);
	read_sent(&n, 1, &m);
	n.now += 200;
	request_from(&n, &from, true);
	assert_non_null(sent(&n, 1));
	answer_to(&n, &m, 0, &from, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
}

/* Consent is asked for as soon as the cap allows it. */
static void consent_waits_for_the_cap(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	n.now = ice_deadline(agent(&n));
	for (i = 0; i < ICE_SENDS_MAX; i++)
		agent(&n)->sent_at[i] = n.now;
	simple(&n, 0, ICE_EV_TIME);
	assert_int_equal(n.out.n, 0);
	assert_int_equal(counted(&n, ICE_N_OVER_RATE), 1);
	until_request(&n, &m, 1000);
	assert_true(addr_equal(&sent(&n, 0)->addr, &from));
}

/* --- numbers ---------------------------------------------------------- */

/* 5.1.2.1 and 5.1.1.3; what is offered. */
static void offers(void **state)
{
	struct ice_config c = { .locals = 2 };
	struct ice_offer o[ICE_OFFERS_MAX];
	unsigned i, j;

	(void)state;
	assert_int_equal(ice_priority(ICE_HOST, 0), 2130706431u);
	assert_int_equal(ice_priority(ICE_HOST, 1), 2130706175u);
	assert_int_equal(ice_priority(ICE_PRFLX, 0), 1862270975u);
	assert_int_equal(ice_priority(ICE_SRFLX, 0), 1694498815u);
	assert_int_equal(ice_priority(ICE_RELAY, 0), 16777215u);
	c.local[0].base = address("2001:db8::1", 1);
	c.local[1].base = address("10.0.0.1", 2);
	c.local[1].seen = address("198.51.100.1", 3);
	assert_int_equal(ice_offers(&c, o), 3);
	assert_int_equal(o[0].type, ICE_HOST);
	assert_true(addr_equal(&o[1].addr, &c.local[1].base));
	assert_int_equal(o[1].related.family, ADDR_NONE);
	assert_int_equal(o[2].type, ICE_SRFLX);
	assert_true(addr_equal(&o[2].addr, &c.local[1].seen));
	assert_true(addr_equal(&o[2].related, &c.local[1].base));
	assert_int_equal(o[2].priority, ice_priority(ICE_SRFLX, 1));
	for (i = 0; i < 3; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(o[i].foundation,
						o[j].foundation);
}

/* 6.1.2.3: 2^32 times the less, twice the more, and 1 where the controlling
 * side's is more. */
static void pair_order(void **state)
{
	static const struct {
		bool controlling;
		uint32_t his;
		uint64_t order;
	} cases[] = {
		{ true, 1694498815u, (1694498815ull << 32) + 4261412863u },
		{ false, 1694498815u, (1694498815ull << 32) + 4261412862u },
		{ true, 2130706431u, (2130706431ull << 32) + 4261412862u },
		{ false, UINT32_MAX, (2130706431ull << 32) + 8589934591u },
		{ true, 0, 4261412863u },
	};
	struct ice_pair p = { 0 };
	struct net n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ice_run r = { .a = agent(&n) };

		alone(&n, cases[i].controlling);
		r.config = &n.p[0].config;
		p.addr = his();
		p.priority = cases[i].his;
		assert_true(ice_pair_order(&r, &p) == cases[i].order);
	}
}

/* Nothing drawn comes twice: credentials, numbers, ids. */
static void entropy_is_used_once(void **state)
{
	unsigned char zeros[ICE_ENTROPY_SIZE] = { 0 };
	struct ice_agent a, b;
	struct stun_msg one, two;
	struct net n;

	(void)state;
	ice_init(&a, true, zeros);
	ice_init(&b, true, zeros);
	assert_memory_equal(&a, &b, sizeof(a));
	zeros[31] = 1;
	ice_init(&b, true, zeros);
	assert_string_not_equal(a.current.ufrag, b.current.ufrag);
	assert_string_not_equal(a.current.pwd, b.current.pwd);
	assert_true(a.tie_breaker != b.tie_breaker);
	assert_int_equal(strspn(a.current.pwd, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/"), 24);
	alone(&n, true);
	candidate(&n, 0, HIS_IP, 1001, 1);
	read_sent(&n, 0, &one);
	candidate(&n, 0, HIS_IP, 1002, 1);
	until_request(&n, &two, 100);
	assert_memory_not_equal(one.id, two.id, STUN_ID_SIZE);
	ice_clear(&a);
	assert_string_equal(a.current.pwd, "");
}

static void names_and_size(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ICE_STATES; i++)
		assert_string_not_equal(ice_state_name((enum ice_state)i),
					"?");
	for (i = 0; i < ICE_COUNTS; i++)
		assert_string_not_equal(ice_count_name((enum ice_count)i),
					"?");
	assert_string_equal(ice_count_name(ICE_N_OVER_RATE), "over-rate");
	assert_string_equal(ice_state_name(ICE_STATES), "?");
	assert_string_equal(ice_count_name(ICE_COUNTS), "?");
	/* Two of a call. */
	assert_true(sizeof(struct ice_agent) <= 6144);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_candidates),
		cmocka_unit_test(forbidden_source),
		cmocka_unit_test(own_list),
		cmocka_unit_test(before_credentials),
		cmocka_unit_test(credentials_too_long),
		cmocka_unit_test(replayed_request),
		cmocka_unit_test(rate_to_one),
		cmocka_unit_test(pacing),
		cmocka_unit_test(late_step),
		cmocka_unit_test(retransmissions),
		cmocka_unit_test(many_candidates),
		cmocka_unit_test(many_sources),
		cmocka_unit_test(sources_before_candidates),
		cmocka_unit_test(many_checks),
		cmocka_unit_test(consent_waits_for_the_cap),
		cmocka_unit_test(offers),
		cmocka_unit_test(pair_order),
		cmocka_unit_test(entropy_is_used_once),
		cmocka_unit_test(names_and_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
