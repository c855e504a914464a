/* test_ice.c: two ICE agents over a network that is good or bad: they find
 * each other in every role, restart, lose consent, change their address.
 */
#include "tests/unit/ice_test.h"

#define BAD_RUNS 40                /* seeds of each, on a bad network */

static void bad_network(struct net *n)
{
	n->loss = 15;
	n->twice = 10;
	n->delay_min = 5;
	n->delay_max = 120;
}

static void judge_both(struct net *n)
{
	const struct addr *to = ice_selected(&n->p[0].a);
	const struct addr *back = ice_selected(&n->p[1].a);

	assert_true(n->p[0].a.controlling != n->p[1].a.controlling);
	assert_true(to && back);
	assert_true(addr_equal(to, n->p[1].outside.family ? &n->p[1].outside :
			       &n->p[1].config.local[0].base));
	assert_true(addr_equal(back, &n->p[0].config.local[0].base));
	assert_true(ice_accepts(&n->p[0].a, to));
	assert_true(ice_accepts(&n->p[1].a, back));
}

/* --- connecting ------------------------------------------------------- */

static const struct {
	const char *what;
	bool server, client;       /* who thinks that he controls */
} roles[] = {
	{ "the server controls", true, false },
	{ "the client controls", false, true },
	{ "both", true, true },
	{ "neither", false, false },
};

enum who_knows { BOTH, SERVER_NOT, CLIENT_LATE, SERVER_LATE, HOW };

static const char *const hows[HOW] = {
	"both know the other's candidates", "the server knows no candidate",
	"the client's credentials come late",
	"the server's credentials come late",
};

static void signal_as(struct net *n, enum who_knows how)
{
	n->p[1].says_nothing = how == SERVER_NOT;
	if (how == CLIENT_LATE) {
		tell(n, 0);
		pass(n, 300);
		tell(n, 1);
	} else {
		tell(n, 1);
		if (how == SERVER_LATE)
			pass(n, 300);
		tell(n, 0);
	}
}

static void connect_cell(uint64_t seed, size_t role, enum who_knows how,
			 bool nat, bool bad)
{
	struct net n;
	int64_t ms;

	begin(&n, seed, roles[role].server, roles[role].client);
	if (nat)
		behind_nat(&n);
	if (bad)
		bad_network(&n);
	signal_as(&n, how);
	ms = until_both(&n, ICE_COMPLETED, bad ? 30000 : 700);
	judge_both(&n);
	if (!bad && ms > 500)
		fail_msg("%s, %s%s: %d ms", roles[role].what, hows[how],
			 nat ? ", NAT" : "", (int)ms);
	/* On a good network nothing is ever refused. */
	if (!bad)
		assert_int_equal(n.p[0].a.count[ICE_N_UNAUTHENTIC] +
				 n.p[0].a.count[ICE_N_UNEXPECTED] +
				 n.p[1].a.count[ICE_N_UNAUTHENTIC], 0);
	pass(&n, 60000);
	assert_int_equal(n.p[0].a.state, ICE_COMPLETED);
	assert_int_equal(n.p[1].a.state, ICE_COMPLETED);
	judge_both(&n);
}

static void connects(void **state)
{
	uint64_t seed = 1;
	size_t role;
	int how;

	(void)state;
	for (role = 0; role < 4; role++)
		for (how = 0; how < HOW; how++) {
			connect_cell(seed++, role, how, false, false);
			connect_cell(seed++, role, how, true, false);
		}
}

static void connects_on_a_bad_network(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= BAD_RUNS; seed++)
		connect_cell(seed * 1000, seed % 4, seed / 4 % HOW,
			     seed & 1, true);
}

/* The one with the greater number keeps controlling, or becomes the
 * controlling one; each of them with each outcome. */
static void roles_by_tie_breaker(void **state)
{
	static const struct {
		bool control;
		uint64_t server, client;
		bool server_controls;
	} cases[] = {
		{ true, 7, 5, true }, { true, 5, 7, false },
		{ false, 7, 5, true }, { false, 5, 7, false },
		{ true, UINT64_MAX, 0, true }, { false, 0, UINT64_MAX, false },
	};
	struct net n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&n, i + 1, cases[i].control, cases[i].control);
		n.p[0].a.tie_breaker = cases[i].server;
		n.p[1].a.tie_breaker = cases[i].client;
		connect_both(&n);
		judge_both(&n);
		assert_int_equal(n.p[0].a.controlling,
				 cases[i].server_controls);
		assert_true(n.p[0].a.count[ICE_N_CONFLICTS] +
			    n.p[1].a.count[ICE_N_CONFLICTS] > 0);
	}
}

/* Equal numbers: after a 487 one of them is another (7.2.5.1). */
static void equal_tie_breakers(void **state)
{
	struct net n;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed < 20; seed++) {
		begin(&n, seed, seed & 1, seed & 1);
		n.delay_max = 30;
		n.p[0].a.tie_breaker = n.p[1].a.tie_breaker = 5;
		tell(&n, 0);
		tell(&n, 1);
		until_both(&n, ICE_COMPLETED, 10000);
		judge_both(&n);
	}
}

/* What is done, and when, word for word. */
static void told_in_words(void **state)
{
	struct net n;

	(void)state;
	begin(&n, 1, true, false);
	behind_nat(&n);
	tell(&n, 0);
	tell(&n, 1);
	until_both(&n, ICE_COMPLETED, 5000);
	assert_string_equal(n.log,
		"client select 198.51.100.1:3478\n"
		"client connected\n"
		"server select 203.0.113.7:40000\n"
		"server connected\n"
		"client completed\n"
		"server completed\n");
	assert_int_equal(n.now, START + 190);
}

static void both_families(void **state)
{
	struct net n;
	unsigned nth;

	(void)state;
	for (nth = 0; nth < 2; nth++) {
		begin(&n, 1, true, false);
		n.p[0].config.locals = n.p[1].config.locals = 0;
		add_local(&n.p[0], nth ? SERVER : "2001:db8:1::1", 3478);
		add_local(&n.p[0], nth ? "2001:db8:1::1" : SERVER, 3478);
		add_local(&n.p[1], "2001:db8:2::2", 6000);
		add_local(&n.p[1], CLIENT, 6000);
		tell(&n, 0);
		tell(&n, 1);
		until_both(&n, ICE_COMPLETED, 2000);
		pass(&n, 5000);
		/* His preference is IPv6; ours counts as much. */
		assert_int_equal(ice_selected(&n.p[0].a)->family,
				 ice_selected(&n.p[1].a)->family);
		assert_true(n.p[0].a.controlling);
	}
}

/* --- restart ---------------------------------------------------------- */

static void restart_by(struct net *n, bool server, bool client)
{
	if (server)
		simple(n, 0, ICE_EV_RESTART);
	if (client)
		simple(n, 1, ICE_EV_RESTART);
	pass(n, 50);                       /* until the other one knows */
	if (server && !client)
		tell(n, 0);                /* makes him restart as well */
	if (client)
		tell(n, 1);
	pass(n, 50);
	if (server && client)
		tell(n, 0);
	else
		tell(n, server ? 1 : 0);
}

static void restart_cell(uint64_t seed, bool server, bool client, bool bad)
{
	char ufrag[2][ICE_OUR_UFRAG_SIZE];
	int64_t until;
	struct net n;
	unsigned who;

	begin(&n, seed, seed & 1, !(seed & 1));
	behind_nat(&n);
	if (bad)
		bad_network(&n);
	tell(&n, 0);
	tell(&n, 1);
	until_both(&n, ICE_COMPLETED, 30000);
	pass(&n, 20000);
	assert_int_equal(n.p[0].a.state, ICE_COMPLETED);
	for (who = 0; who < 2; who++)
		strcpy(ufrag[who], n.p[who].a.current.ufrag);
	restart_by(&n, server, client);
	/* Media has somewhere to go all the time. */
	until = n.now + 30000;
	while (n.p[0].a.state != ICE_COMPLETED ||
	       n.p[1].a.state != ICE_COMPLETED) {
		assert_non_null(ice_selected(&n.p[0].a));
		assert_non_null(ice_selected(&n.p[1].a));
		if (!next(&n, until))
			fail_msg("no restart:\n%s", n.log);
	}
	judge_both(&n);
	for (who = 0; who < 2; who++) {
		assert_string_not_equal(ufrag[who], n.p[who].a.current.ufrag);
		assert_string_equal(n.p[who].a.current.ufrag,
				    n.p[!who].a.current.his_ufrag);
	}
	pass(&n, 60000);
	judge_both(&n);
	for (who = 0; who < 2; who++) {
		assert_string_equal(n.p[who].a.old.pwd, "");
		assert_string_equal(n.p[who].a.old.his_pwd, "");
	}
}

static void restarts(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 2; seed++) {
		restart_cell(seed, true, false, false);
		restart_cell(seed, false, true, false);
		restart_cell(seed, true, true, false);
	}
	for (seed = 1; seed <= BAD_RUNS; seed++)
		restart_cell(seed, seed % 3 != 0, seed % 3 != 1, true);
}

/* Nobody answers the restart: the old pair serves as long as it is answered,
 * and a second restart finds it there. */
static void restart_unanswered(void **state)
{
	struct net n;
	struct addr at;

	(void)state;
	begin(&n, 5, true, false);
	connect_both(&n);
	at = *ice_selected(&n.p[0].a);
	simple(&n, 0, ICE_EV_RESTART);
	pass(&n, 100000);
	assert_string_equal(n.log, "server credentials\n");
	assert_int_equal(n.p[0].a.state, ICE_NEW);
	assert_true(addr_equal(ice_selected(&n.p[0].a), &at));
	simple(&n, 0, ICE_EV_RESTART);
	pass(&n, 100000);
	assert_true(addr_equal(ice_selected(&n.p[0].a), &at));
	assert_true(ice_accepts(&n.p[0].a, &at));
	tell(&n, 0);
	tell(&n, 1);
	until_both(&n, ICE_COMPLETED, 5000);
	assert_true(addr_equal(ice_selected(&n.p[0].a), &at));
	/* The place is the same, so nobody is told to change it. */
	assert_null(strstr(n.log, "select"));
}

/* The old pair dies while nothing new is valid. */
static void old_pair_dies(void **state)
{
	struct net n;

	(void)state;
	begin(&n, 6, true, false);
	connect_both(&n);
	simple(&n, 0, ICE_EV_RESTART);
	n.cut = true;
	pass(&n, 31000);
	assert_string_equal(n.log, "server credentials\nclient select none\n"
			    "client lost\nserver select none\n");
	assert_null(ice_selected(&n.p[0].a));
	n.cut = false;
	tell(&n, 0);
	tell(&n, 1);
	until_both(&n, ICE_COMPLETED, 5000);
}

/* --- consent ---------------------------------------------------------- */

static int64_t consents[64];
static unsigned consents_n;

static void watch_consent(struct net *n, unsigned who,
			  const struct ice_action *act)
{
	struct stun_msg m;

	assert_int_equal(stun_read(act->bytes, act->len, &m), 0);
	if (who == 0 && m.class == STUN_REQUEST && consents_n < 64)
		consents[consents_n++] = n->now;
}

static void consent_every_five_seconds(void **state)
{
	int64_t least = INT64_MAX, most = 0;
	struct net n;
	unsigned i;

	(void)state;
	begin(&n, 7, true, false);
	connect_both(&n);
	consents_n = 0;
	n.watch = watch_consent;
	pass(&n, 300000);
	assert_in_range(consents_n, 52, 64);
	for (i = 1; i < consents_n; i++) {
		int64_t ms = consents[i] - consents[i - 1];

		least = ms < least ? ms : least;
		most = ms > most ? ms : most;
		assert_int_equal(consents[i] % ICE_TICK_MS, 0);
	}
	assert_in_range(least, 4000, 4300);
	assert_in_range(most, 5700, 6000);
}

/* A27: within 30 s of the last answer nothing goes there any more, ever. */
static void consent_ends(void **state)
{
	int64_t last, sends;
	struct net n;

	(void)state;
	begin(&n, 8, true, false);
	behind_nat(&n);
	connect_both(&n);
	pass(&n, 17000);
	last = n.p[0].a.pair[n.p[0].a.selected].answered;
	assert_true(n.now - last < 6020);
	n.cut = true;
	pass(&n, last + ICE_CONSENT_LOST_MS - n.now - 1);
	assert_non_null(ice_selected(&n.p[0].a));
	assert_null(strstr(n.log, "server"));
	pass(&n, 1);
	assert_null(ice_selected(&n.p[0].a));
	assert_int_equal(n.p[0].a.state, ICE_LOST);
	assert_non_null(strstr(n.log, "server select none\nserver lost\n"));
	sends = n.p[0].sends;
	assert_true(n.p[0].last_send < last + ICE_CONSENT_LOST_MS);
	pass(&n, 30000);
	/* The network is back, but these credentials are used up there. */
	n.cut = false;
	tell(&n, 1);
	pass(&n, 60000);
	assert_int_equal(n.p[0].sends, sends);
	assert_false(ice_accepts(&n.p[0].a, &n.p[1].outside));
	assert_int_equal(n.p[0].a.state, ICE_LOST);
	simple(&n, 1, ICE_EV_RESTART);
	tell(&n, 1);
	tell(&n, 0);
	until_both(&n, ICE_COMPLETED, 2000);
	judge_both(&n);
}

/* Nine of a hundred packets are lost each way: nothing changes, in 20 h. */
static void consent_survives_loss(void **state)
{
	struct net n;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		begin(&n, seed, true, false);
		connect_both(&n);
		n.loss = 9;
		pass(&n, 7200000);
		assert_string_equal(n.log, "");
	}
}

/* --- another address -------------------------------------------------- */

static int64_t seen_at;            /* first packet from the new address */
static struct addr moved_to;

/* Whoever controls, two seconds after the first packet from there media goes
 * there (F15), and the old address is not needed. */
static void move(uint64_t seed, bool server_controls, const char *ip,
		 unsigned port)
{
	struct net n;

	begin(&n, seed, server_controls, !server_controls);
	behind_nat(&n);
	connect_both(&n);
	pass(&n, 30000);
	moved_to = n.p[1].outside = address(ip, port);
	n.p[1].let_in_n = 0;
	seen_at = 0;
	while (!seen_at && next(&n, n.now + 10000))
		if (ice_pair_of(&n.p[0].a, &moved_to))
			seen_at = n.now;
	assert_true(seen_at != 0);
	while (!addr_equal(ice_selected(&n.p[0].a), &moved_to))
		assert_true(next(&n, seen_at + 2000));
	until_both(&n, ICE_COMPLETED, 5000);
	judge_both(&n);
	pass(&n, 100000);
	judge_both(&n);
	assert_null(strstr(n.log, "none"));
	assert_null(strstr(n.log, "lost"));
}

static void address_changes(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 10; seed++) {
		move(seed, seed & 1, "203.0.113.7", 40001);
		move(seed, seed & 1, "203.0.113.99", 40000);
	}
}

/* --- what does not connect -------------------------------------------- */

/* RFC 8863: not before its time, and a late check still counts. */
static void fails_late(void **state)
{
	struct net n;

	(void)state;
	begin(&n, 9, true, false);
	n.cut = true;
	tell(&n, 0);
	tell(&n, 1);
	simple(&n, 0, ICE_EV_END);
	pass(&n, ICE_PATIENCE_MS - 1);
	assert_int_equal(n.p[0].a.state, ICE_CHECKING);
	pass(&n, 100);
	assert_int_equal(n.p[0].a.state, ICE_FAILED);
	assert_non_null(strstr(n.log, "server failed\n"));
	assert_int_equal(ice_deadline(&n.p[0].a), INT64_MAX);
	n.cut = false;
	simple(&n, 1, ICE_EV_RESTART);
	tell(&n, 1);
	tell(&n, 0);
	until_both(&n, ICE_COMPLETED, 2000);
}

/* Nobody says a candidate, and nobody checks. */
static void fails_without_candidates(void **state)
{
	struct net n;

	(void)state;
	begin(&n, 10, true, false);
	remote(&n, 0, "ufrag", "password");
	pass(&n, ICE_PATIENCE_MS - 1);
	assert_int_equal(n.p[0].a.state, ICE_CHECKING);
	pass(&n, 1);
	assert_int_equal(n.p[0].a.state, ICE_FAILED);
	assert_int_equal(n.p[0].sends, 0);
	assert_int_equal(ice_deadline(&n.p[0].a), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects),
		cmocka_unit_test(connects_on_a_bad_network),
		cmocka_unit_test(roles_by_tie_breaker),
		cmocka_unit_test(equal_tie_breakers),
		cmocka_unit_test(told_in_words),
		cmocka_unit_test(both_families),
		cmocka_unit_test(restarts),
		cmocka_unit_test(restart_unanswered),
		cmocka_unit_test(old_pair_dies),
		cmocka_unit_test(consent_every_five_seconds),
		cmocka_unit_test(consent_ends),
		cmocka_unit_test(consent_survives_loss),
		cmocka_unit_test(address_changes),
		cmocka_unit_test(fails_late),
		cmocka_unit_test(fails_without_candidates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
