/* test_ice_rules.c: single rules of the ICE agent, against packets made by
 * hand: who gets an answer and which, what counts as one, who is nominated.
 */
#include "tests/unit/ice_alone.h"

/* --- requests --------------------------------------------------------- */

static void answered(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, false);
	request_from(&n, &from, false);
	read_sent(&n, 0, &m);
	assert_int_equal(m.class, STUN_SUCCESS);
	assert_true(addr_equal(&m.mapped, &from));
	assert_true(stun_authentic(&m, agent(&n)->current.pwd, 24));
	assert_null(m.username);
	/* And at once the check of ours. */
	read_sent(&n, 1, &m);
	assert_int_equal(m.class, STUN_REQUEST);
	assert_true(stun_authentic(&m, HIS_PWD, strlen(HIS_PWD)));
	assert_int_equal(m.role, STUN_CONTROLLED);
	assert_true(m.tie_breaker == agent(&n)->tie_breaker);
	assert_int_equal(m.priority, 110u << 24 | 65535 << 8 | 255);
	assert_int_equal(m.username_len, strlen(HIS_UFRAG) + 9);
	assert_memory_equal(m.username, HIS_UFRAG ":", 5);
	assert_memory_equal(m.username + 5, agent(&n)->current.ufrag, 8);
	assert_true(m.fingerprint);
	assert_true(ice_accepts(agent(&n), &from));
	assert_null(ice_selected(agent(&n)));
}

/* A24, 3d: who has not our password gets nothing, and nothing is kept. */
static void silence(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;
	uint32_t before = 0;
	int i;

	(void)state;
	alone(&n, true);
	for (i = 0; i < 9; i++) {
		const char *pwd = agent(&n)->current.pwd;
		char wrong[64] = "";

		m = a_request(&n);
		if (i == 0)
			pwd = NULL;
		if (i == 1)
			pwd = HIS_PWD;
		if (i == 2)
			pwd = "";
		if (i == 3)
			m.username = NULL;
		if (i == 4)
			m.username_len = 0;
		if (i == 5)                /* our part alone */
			m.username_len = ICE_OUR_UFRAG_SIZE - 1;
		if (i == 6) {
			snprintf(wrong, sizeof(wrong), "%.7s?:" HIS_UFRAG,
				 agent(&n)->current.ufrag);
			m.username = (unsigned char *)wrong;
		}
		if (i == 7) {
			snprintf(wrong, sizeof(wrong), HIS_UFRAG ":%s",
				 agent(&n)->current.ufrag);
			m.username = (unsigned char *)wrong;
		}
		if (i == 8) {
			snprintf(wrong, sizeof(wrong), "%s", pwd);
			wrong[23] ^= 1;
			pwd = wrong;
		}
		send_as(&n, &m, pwd, &from);
		if (n.out.n || counted(&n, ICE_N_UNAUTHENTIC) != before + 1)
			fail_msg("case %d", i);
		before++;
		assert_false(ice_accepts(agent(&n), &from));
		assert_null(ice_pair_of(agent(&n), &from));
	}
	assert_int_equal(ice_deadline(agent(&n)), START + ICE_PATIENCE_MS);
}

static void no_stun_of_ours(void **state)
{
	struct packet p = packet_made("0003", ""), own;
	struct addr from = his();
	struct net n;

	(void)state;
	alone(&n, true);
	packet_to(&n, 0, &from, p.bytes, p.len);
	packet_to(&n, 0, &from, "", 0);
	assert_int_equal(counted(&n, ICE_N_MALFORMED), 2);
	packet_free(&p);
	own = packet_made("0011", "");
	packet_to(&n, 0, &from, own.bytes, own.len);
	assert_int_equal(counted(&n, ICE_N_INDICATIONS), 1);
	assert_int_equal(n.p[0].sends, 0);
	packet_free(&own);
}

/* Authentic, but not as RFC 8445 wants it: what the answer
 * says. No answer is longer than its request. */
static const struct {
	const char *what, *attrs;
	unsigned error;
} bad[] = {
	{ "nothing but the name", "", 400 },
	{ "no priority", "802a 0008 0000000000000001", 400 },
	{ "no role", "0024 0004 6e0001ff", 400 },
	{ "both roles", "0024 0004 6e0001ff 802a 0008 0000000000000001"
	  "8029 0008 0000000000000001", 400 },
	{ "an unknown attribute alone", "7fff 0000", 420 },
	{ "unknown attributes", "0024 0004 6e0001ff 802a 0008"
	  "0000000000000001 7ffe 0004 00000000 7fff 0000", 420 },
	{ "one that may be ignored", "0024 0004 6e0001ff 802a 0008"
	  "0000000000000001 c057 0004 00000000", 0 },
};

static void bad_requests(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	size_t i, c;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char attrs[512] = "0006 000d ";
		struct packet p;
		struct net n;

		alone(&n, false);
		snprintf(user, sizeof(user), "%s:" HIS_UFRAG,
			 agent(&n)->current.ufrag);
		for (c = 0; user[c]; c++)
			snprintf(attrs + strlen(attrs), 3, "%02x",
				 (unsigned char)user[c]);
		snprintf(attrs + strlen(attrs), 400, "000000 %s",
			 bad[i].attrs);
		p = packet_made("0001", attrs);
		packet_sign(&p, agent(&n)->current.pwd);
		packet_to(&n, 0, &from, p.bytes, p.len);
		read_sent(&n, 0, &m);
		if (m.error != bad[i].error)
			fail_msg("%s: %u", bad[i].what, m.error);
		assert_true(sent(&n, 0)->len <= p.len);
		assert_true(stun_authentic(&m, agent(&n)->current.pwd, 24));
		assert_int_equal(counted(&n, ICE_N_BAD_REQUESTS),
				 bad[i].error != 0);
		if (bad[i].error == 420)
			assert_int_equal(m.refused[m.refused_n - 1], 0x7fff);
		if (bad[i].error)
			assert_null(ice_pair_of(agent(&n), &from));
		packet_free(&p);
	}
}

/* The shortest name that is right, and an answer that would be longer. */
static void never_longer(void **state)
{
	struct stun_msg m = { .class = STUN_REQUEST };
	struct addr from = address("2001:db8:2::2", 40000);
	struct packet p;
	struct net n;
	unsigned char buf[STUN_WRITE_MAX];
	size_t len;

	(void)state;
	alone(&n, false);
	add_local(&n.p[0], "2001:db8:1::1", 3478);
	/* 20 + 16 + 24 bytes are enough for 400, but not for 420. */
	snprintf(user, sizeof(user), "%s:", agent(&n)->current.ufrag);
	m.username = (const unsigned char *)user;
	m.username_len = 9;
	assert_int_equal(stun_write(&m, agent(&n)->current.pwd, 24, buf,
				    sizeof(buf), &len), 0);
	p = packet_copy(buf, len - 8);     /* without the fingerprint */
	set_length(&p, p.len);
	packet_to(&n, 0, &from, p.bytes, p.len);
	assert_int_equal(sent(&n, 0)->len, p.len);
	packet_free(&p);
	assert_int_equal(counted(&n, ICE_N_SHORT), 0);
	p = packet_made("0001", "7fff 0000");
	packet_add(&p, buf + STUN_HEADER_SIZE, 16);
	packet_sign(&p, agent(&n)->current.pwd);
	packet_to(&n, 0, &from, p.bytes, p.len);
	assert_null(sent(&n, 0));
	assert_int_equal(counted(&n, ICE_N_SHORT), 1);
	packet_free(&p);
}

/* 7.3.1.1, each cell. */
static void role_conflicts(void **state)
{
	static const struct {
		bool ours, his;            /* controlling? */
		uint64_t our_tie, his_tie;
		unsigned error;
		bool after;
	} cells[] = {
		{ true, false, 5, 7, 0, true },
		{ false, true, 5, 7, 0, false },
		{ true, true, 7, 5, 487, true },
		{ true, true, 7, 7, 487, true },
		{ true, true, 5, 7, 0, false },
		{ false, false, 7, 5, 0, true },
		{ false, false, 7, 7, 0, true },
		{ false, false, 5, 7, 487, false },
	};
	struct addr from = his();
	struct stun_msg m;
	struct net n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		alone(&n, cells[i].ours);
		agent(&n)->tie_breaker = cells[i].our_tie;
		m = a_request(&n);
		m.tie_breaker = cells[i].his_tie;
		m.role = cells[i].his ? STUN_CONTROLLING : STUN_CONTROLLED;
		send_as(&n, &m, agent(&n)->current.pwd, &from);
		read_sent(&n, 0, &m);
		assert_int_equal(m.error, cells[i].error);
		assert_int_equal(agent(&n)->controlling, cells[i].after);
		assert_int_equal(counted(&n, ICE_N_CONFLICTS),
				 cells[i].ours == cells[i].his);
		/* A refused check teaches nothing. */
		assert_int_equal(ice_pair_of(agent(&n), &from) == NULL,
				 cells[i].error == 487);
	}
}

/* 7.2.5.1: told, we change role and number, and ask again. */
static void told_of_a_conflict(void **state)
{
	struct addr from = his();
	struct stun_msg m, again;
	uint64_t tie;
	struct net n;

	(void)state;
	alone(&n, true);
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	read_sent(&n, 0, &m);
	assert_int_equal(m.role, STUN_CONTROLLING);
	tie = m.tie_breaker;
	answer_to(&n, &m, STUN_ROLE_CONFLICT, &from, HIS_PWD);
	assert_false(agent(&n)->controlling);
	until_request(&n, &again, ICE_TA_MS);
	assert_int_equal(again.role, STUN_CONTROLLED);
	assert_true(again.tie_breaker != tie);
	assert_memory_not_equal(again.id, m.id, STUN_ID_SIZE);
	answer_to(&n, &again, 0, &from, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_CONNECTED);
}

/* --- answers ---------------------------------------------------------- */

static void answers_that_do_not_count(void **state)
{
	struct addr from = his(), other = address(HIS_IP, 40001);
	struct stun_msg m, wrong;
	struct net n;

	(void)state;
	alone(&n, false);
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	read_sent(&n, 0, &m);
	answer_to(&n, &m, 0, &other, HIS_PWD);     /* from elsewhere */
	wrong = m;
	wrong.id[11] ^= 1;
	answer_to(&n, &wrong, 0, &from, HIS_PWD);
	assert_int_equal(counted(&n, ICE_N_UNEXPECTED), 2);
	answer_to(&n, &m, 0, &from, agent(&n)->current.pwd);
	answer_to(&n, &m, 0, &from, NULL);
	answer_to(&n, &m, STUN_ROLE_CONFLICT, &from, "x");
	answer_to(&n, &m, STUN_FORBIDDEN, &from, NULL);
	assert_int_equal(counted(&n, ICE_N_UNAUTHENTIC), 4);
	assert_int_equal(agent(&n)->state, ICE_CHECKING);
	assert_false(ice_accepts(agent(&n), &from));
	answer_to(&n, &m, 0, &from, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_CONNECTED);
	answer_to(&n, &m, 0, &from, HIS_PWD);      /* twice */
	assert_int_equal(counted(&n, ICE_N_UNEXPECTED), 3);
}

/* A check that another one followed: its answer counts, and then none is sent
 * again; an error that comes when all have failed changes nothing. */
static void late_answers(void **state)
{
	struct addr from = his();
	struct stun_msg first, second;
	struct net n;
	int fails;

	(void)state;
	for (fails = 0; fails < 2; fails++) {
		alone(&n, false);
		request_from(&n, &from, true);
		read_sent(&n, 1, &first);
		n.now += ICE_TA_MS;
		request_from(&n, &from, true);
		read_sent(&n, 1, &second);
		assert_memory_not_equal(first.id, second.id, STUN_ID_SIZE);
		n.cut = true;
		if (!fails) {
			answer_to(&n, &first, 0, &from, HIS_PWD);
			assert_int_equal(agent(&n)->state, ICE_COMPLETED);
			pass(&n, 3900);
			assert_int_equal(n.p[0].sends, 4);
			continue;
		}
		answer_to(&n, &second, STUN_BAD_REQUEST, &from, HIS_PWD);
		answer_to(&n, &first, STUN_BAD_REQUEST, &from, HIS_PWD);
		assert_int_equal(ice_pair_of(agent(&n), &from)->state,
				 ICE_PAIR_FAILED);
		assert_int_equal(counted(&n, ICE_N_UNEXPECTED), 0);
	}
}

/* Any other error, or an answer that we do not understand: that pair failed
 * (7.2.5.2.4), until he checks it himself. */
static void refused_checks(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct packet p;
	struct net n;

	(void)state;
	alone(&n, false);
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	read_sent(&n, 0, &m);
	answer_to(&n, &m, STUN_BAD_REQUEST, &from, HIS_PWD);
	assert_int_equal(ice_pair_of(agent(&n), &from)->state,
			 ICE_PAIR_FAILED);
	n.now += ICE_TA_MS;
	request_from(&n, &from, false);
	read_sent(&n, 1, &m);
	p = packet_made("0101", "7fff 0000");
	memcpy(p.bytes + 8, m.id, STUN_ID_SIZE);
	packet_sign(&p, HIS_PWD);
	packet_to(&n, 0, &from, p.bytes, p.len);
	packet_free(&p);
	assert_int_equal(ice_pair_of(agent(&n), &from)->state,
			 ICE_PAIR_FAILED);
	n.now += ICE_TA_MS;
	validate(&n, &from, true);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
}

/* RFC 7675, 5.2: consent taken back. */
static void forbidden_by_him(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	until_request(&n, &m, 6000);
	answer_to(&n, &m, STUN_FORBIDDEN, &from, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_LOST);
	assert_null(ice_selected(agent(&n)));
	request_from(&n, &from, true);
	assert_int_equal(n.out.n, 0);
	assert_int_equal(counted(&n, ICE_N_DEAD), 1);
	/* Or never given: not asked again either. */
	alone(&n, false);
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	read_sent(&n, 0, &m);
	answer_to(&n, &m, STUN_FORBIDDEN, &from, HIS_PWD);
	n.cut = true;
	pass(&n, ICE_PATIENCE_MS);
	assert_int_equal(n.p[0].sends, 1);
	assert_int_equal(agent(&n)->state, ICE_FAILED);
}

/* RFC 7675, 5.1: not with these credentials, whoever asks; from elsewhere, or
 * after a restart, yes. */
static void dead_stays_dead(void **state)
{
	struct addr from = his(), other = address(HIS_IP, 40001);
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	n.cut = true;
	pass(&n, ICE_CONSENT_LOST_MS - 5000);
	until_request(&n, &m, 5000);
	pass(&n, 5000);
	assert_int_equal(agent(&n)->state, ICE_LOST);
	answer_to(&n, &m, 0, &from, HIS_PWD);      /* too late */
	assert_int_equal(counted(&n, ICE_N_UNEXPECTED), 0);
	assert_int_equal(agent(&n)->state, ICE_LOST);
	request_from(&n, &from, true);
	assert_int_equal(n.out.n, 0);
	assert_int_equal(counted(&n, ICE_N_DEAD), 1);
	candidate(&n, 0, HIS_IP, HIS_PORT, 1);
	assert_int_equal(n.out.n, 0);
	assert_int_equal(ice_deadline(agent(&n)), INT64_MAX);
	validate(&n, &other, true);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	remote(&n, 0, "newU", "newpassword");
	n.now += ICE_TA_MS;
	request_from(&n, &from, true);
	read_sent(&n, 1, &m);
	answer_to(&n, &m, 0, &from, "newpassword");
	assert_true(addr_equal(ice_selected(agent(&n)), &from));
}

/* --- nomination ------------------------------------------------------- */

/* A peer that nominates in every check (RFC 5245, libnice, Chromium): the best
 * of the valid ones is selected, whatever the order. */
static void aggressive_nomination(void **state)
{
	struct addr low = address(HIS_IP, 1001), high = address(HIS_IP, 1002);
	struct net n;
	int order;

	(void)state;
	for (order = 0; order < 2; order++) {
		alone(&n, false);
		candidate(&n, 0, HIS_IP, 1001, 100);
		candidate(&n, 0, HIS_IP, 1002, 200);
		n.now += ICE_TA_MS;
		validate(&n, order ? &low : &high, true);
		assert_int_equal(agent(&n)->state, ICE_COMPLETED);
		n.now += ICE_TA_MS;
		validate(&n, order ? &high : &low, true);
		assert_true(addr_equal(ice_selected(agent(&n)), &high));
	}
}

/* Nominated before it is valid; and a nominated one before a better one. */
static void nominated_goes_first(void **state)
{
	struct addr low = address(HIS_IP, 1001), high = address(HIS_IP, 1002);
	struct net n;

	(void)state;
	alone(&n, false);
	candidate(&n, 0, HIS_IP, 1001, 100);
	candidate(&n, 0, HIS_IP, 1002, 200);
	n.now += ICE_TA_MS;
	validate(&n, &high, false);
	assert_int_equal(agent(&n)->state, ICE_CONNECTED);
	assert_true(addr_equal(ice_selected(agent(&n)), &high));
	n.now += ICE_TA_MS;
	validate(&n, &low, true);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	assert_true(addr_equal(ice_selected(agent(&n)), &low));
}

/* Regular nomination: after a while, or at once when nothing better can come.
 * Every later check says it again. */
static void nominates(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;
	int64_t valid;
	int ended;

	(void)state;
	for (ended = 0; ended < 2; ended++) {
		alone(&n, true);
		if (ended)
			simple(&n, 0, ICE_EV_END);
		request_from(&n, &from, true);     /* not his to say */
		read_sent(&n, 1, &m);
		assert_false(m.use_candidate);
		n.now += 60;
		answer_to(&n, &m, 0, &from, HIS_PWD);
		assert_int_equal(agent(&n)->state, ICE_CONNECTED);
		valid = n.now;
		if (ended)
			read_sent(&n, 0, &m);
		else
			until_request(&n, &m, 1000);
		assert_int_equal(n.now - valid, ended ? 0 : ICE_NOMINATE_MS);
		assert_true(m.use_candidate);
		assert_int_equal(agent(&n)->state, ICE_CONNECTED);
		answer_to(&n, &m, 0, &from, HIS_PWD);
		assert_int_equal(agent(&n)->state, ICE_COMPLETED);
		assert_int_equal(agent(&n)->nominating, ICE_NONE);
		until_request(&n, &m, 6000);
		assert_true(m.use_candidate);
	}
}

/* What he nominated counts no more when we control; and is told anew. */
static void role_changes_after_nomination(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	m = a_request(&n);
	m.role = STUN_CONTROLLED;
	m.tie_breaker = 0;
	send_as(&n, &m, agent(&n)->current.pwd, &from);
	assert_true(agent(&n)->controlling);
	assert_int_equal(agent(&n)->state, ICE_CONNECTED);
	if (sent(&n, 1))
		read_sent(&n, 1, &m);
	else
		until_request(&n, &m, ICE_TA_MS);
	assert_true(m.use_candidate && m.role == STUN_CONTROLLING);
	answer_to(&n, &m, 0, &from, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
}

/* The pair that is to be nominated falls silent: another one is, and the
 * first is not asked any more. */
static void nominates_another(void **state)
{
	struct addr first = his(), other = address(HIS_IP, 40001);
	int64_t until;
	struct stun_msg m;
	struct net n;
	unsigned i;

	(void)state;
	alone(&n, true);
	candidate(&n, 0, HIS_IP, HIS_PORT, UINT32_MAX);
	n.now += ICE_TA_MS;
	validate(&n, &first, false);
	until_request(&n, &m, 1000);
	assert_true(m.use_candidate);
	n.now += ICE_TA_MS;
	validate(&n, &other, false);
	assert_true(addr_equal(ice_selected(agent(&n)), &first));
	do
		until_request(&n, &m, 2000);
	while (!addr_equal(&sent(&n, 0)->addr, &other));
	assert_true(m.use_candidate);
	assert_true(addr_equal(ice_selected(agent(&n)), &other));
	answer_to(&n, &m, 0, &other, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	until = n.now + 20000;
	while (next(&n, until))
		for (i = 0; i < n.out.n; i++)
			if (n.out.list[i].kind == ICE_DO_SEND)
				assert_true(addr_equal(&n.out.list[i].addr,
						       &other));
}

/* He answers all but the nomination: in the end that pair failed, though its
 * consent lives; and is not nominated again. */
static void nomination_unanswered(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, true);
	validate(&n, &from, false);
	while (agent(&n)->state == ICE_CONNECTED && n.now < START + 60000) {
		n.cut = true;
		assert_true(next(&n, n.now + 10000));
		if (!sent(&n, 0))
			continue;
		read_sent(&n, 0, &m);
		if (m.class == STUN_REQUEST && !m.use_candidate)
			answer_to(&n, &m, 0, &from, HIS_PWD);
	}
	assert_int_equal(agent(&n)->state, ICE_LOST);
	assert_null(ice_selected(agent(&n)));
	assert_int_equal(n.now, START + ICE_NOMINATE_MS + 39500);
}

/* --- restart ---------------------------------------------------------- */

/* Credentials of before, a second time: not a restart. Candidates of before
 * are none of now. */
static void stale_after_restart(void **state)
{
	struct ice_candidate c = { .component = 1, .ip = HIS_IP,
				   .port = 5000 };
	struct addr from = his();
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, true);
	validate(&n, &from, false);
	remote(&n, 0, "newU", "newpassword");
	assert_int_equal(n.out.list[0].kind, ICE_DO_CREDENTIALS);
	assert_int_equal(agent(&n)->state, ICE_CHECKING);
	assert_true(addr_equal(ice_selected(agent(&n)), &from));
	remote(&n, 0, HIS_UFRAG, HIS_PWD);
	candidate_as(&n, 0, &c, HIS_UFRAG);
	assert_int_equal(counted(&n, ICE_N_STALE), 2);
	assert_string_equal(agent(&n)->current.his_ufrag, "newU");
	assert_int_equal(n.out.n, 0);
	/* Nomination waits its time again. */
	n.now += 1000;
	request_from(&n, &from, false);
	read_sent(&n, 1, &m);
	assert_false(m.use_candidate);
	n.now += ICE_TA_MS;
	answer_to(&n, &m, 0, &from, "newpassword");
	assert_null(sent(&n, 0));
	until_request(&n, &m, 1000);
	assert_true(m.use_candidate);
	assert_int_equal(n.now, START + 1000 + ICE_TA_MS + ICE_NOMINATE_MS);
}

/* A nomination that was being told is of no account any more. */
static void restart_while_nominating(void **state)
{
	struct addr from = his();
	struct stun_msg m;
	struct net n;

	(void)state;
	alone(&n, true);
	validate(&n, &from, false);
	until_request(&n, &m, 1000);
	assert_true(m.use_candidate);
	remote(&n, 0, "newU", "newpassword");
	answer_to(&n, &m, 0, &from, HIS_PWD);
	assert_int_equal(agent(&n)->state, ICE_CHECKING);
	validate(&n, &from, false);
	assert_int_equal(counted(&n, ICE_N_UNAUTHENTIC), 1);
	assert_int_equal(agent(&n)->state, ICE_CHECKING);
}

/* The old credentials open the old pair as long as it serves, and learn
 * nothing any more. */
static void old_credentials(void **state)
{
	struct addr from = his(), other = address(HIS_IP, 40001);
	struct stun_msg old, m;
	char name[64], pwd[ICE_OUR_PWD_SIZE];
	struct net n;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	old = a_request(&n);
	strcpy(name, user);
	old.username = (unsigned char *)name;
	strcpy(pwd, agent(&n)->current.pwd);
	remote(&n, 0, "newU", "newpassword");
	send_as(&n, &old, pwd, &from);
	read_sent(&n, 0, &m);
	assert_true(stun_authentic(&m, pwd, 24));
	n.now += 1000;
	send_as(&n, &old, pwd, &from);
	assert_int_equal(agent(&n)->pair[ICE_OLD].heard, n.now);
	send_as(&n, &old, pwd, &other);
	assert_null(ice_pair_of(agent(&n), &other));
	assert_false(ice_accepts(agent(&n), &other));
	/* Valid with the new ones. */
	n.now += ICE_TA_MS;
	request_from(&n, &from, true);
	read_sent(&n, 1, &m);
	answer_to(&n, &m, 0, &from, "newpassword");
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	send_as(&n, &old, pwd, &from);
	assert_non_null(sent(&n, 0));
	/* He has seen that the new ones work. */
	request_from(&n, &from, true);
	send_as(&n, &old, pwd, &from);
	assert_int_equal(n.out.n, 0);
	assert_int_equal(counted(&n, ICE_N_UNAUTHENTIC), 1);
}

/* Chromium after a restart of its own, when our address stays the same: it
 * checks from another port with its new ufrag, and for ever with our old one,
 * by which it wants to be checked as well (seen with 156). */
static void old_ufrag_for_ever(void **state)
{
	struct addr from = his(), other = address(HIS_IP, 40001);
	char name[64], reverse[64], pwd[ICE_OUR_PWD_SIZE];
	struct stun_msg mixed, m;
	struct net n;
	int i;

	(void)state;
	alone(&n, false);
	validate(&n, &from, true);
	mixed = a_request(&n);
	mixed.use_candidate = true;
	snprintf(name, sizeof(name), "%s:newU", agent(&n)->current.ufrag);
	mixed.username = (unsigned char *)name;
	mixed.username_len = strlen(name);
	snprintf(reverse, sizeof(reverse), "newU:%s",
		 agent(&n)->current.ufrag);
	strcpy(pwd, agent(&n)->current.pwd);
	remote(&n, 0, "newU", "newpassword");
	n.now += ICE_TA_MS;
	send_as(&n, &mixed, pwd, &other);
	read_sent(&n, 0, &m);
	assert_true(stun_authentic(&m, pwd, 24));
	read_sent(&n, 1, &m);
	assert_int_equal(m.username_len, strlen(reverse));
	assert_memory_equal(m.username, reverse, m.username_len);
	assert_true(stun_authentic(&m, "newpassword", 11));
	answer_to(&n, &m, 0, &other, "newpassword");
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	assert_true(addr_equal(ice_selected(agent(&n)), &other));
	for (i = 0; i < 20; i++) {
		until_request(&n, &m, 6000);
		assert_memory_equal(m.username, reverse, m.username_len);
		answer_to(&n, &m, 0, &other, "newpassword");
		send_as(&n, &mixed, pwd, &other);
		read_sent(&n, 0, &m);
		assert_true(stun_authentic(&m, pwd, 24));
	}
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	/* Through one more restart. */
	remote(&n, 0, "nextU", "nextpassword");
	send_as(&n, &mixed, pwd, &other);
	assert_non_null(sent(&n, 0));
	assert_int_equal(agent(&n)->pair[ICE_OLD].heard, n.now);
	until_request(&n, &m, 6000);
	assert_memory_equal(m.username, reverse, m.username_len);
	snprintf(name, sizeof(name), "%.8s:nextU", reverse + 5);
	mixed.username_len = strlen(name);
	send_as(&n, &mixed, pwd, &other);
	read_sent(&n, 1, &m);
	answer_to(&n, &m, 0, &other, "nextpassword");
	assert_int_equal(agent(&n)->state, ICE_COMPLETED);
	/* Should he use the new name after all, so do we. */
	request_from(&n, &other, true);
	until_request(&n, &m, 6000);
	assert_memory_equal(m.username + 6, agent(&n)->current.ufrag, 8);
	send_as(&n, &mixed, pwd, &other);
	assert_int_equal(n.out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answered),
		cmocka_unit_test(silence),
		cmocka_unit_test(no_stun_of_ours),
		cmocka_unit_test(bad_requests),
		cmocka_unit_test(never_longer),
		cmocka_unit_test(role_conflicts),
		cmocka_unit_test(told_of_a_conflict),
		cmocka_unit_test(answers_that_do_not_count),
		cmocka_unit_test(late_answers),
		cmocka_unit_test(refused_checks),
		cmocka_unit_test(forbidden_by_him),
		cmocka_unit_test(dead_stays_dead),
		cmocka_unit_test(aggressive_nomination),
		cmocka_unit_test(nominated_goes_first),
		cmocka_unit_test(nominates),
		cmocka_unit_test(role_changes_after_nomination),
		cmocka_unit_test(nominates_another),
		cmocka_unit_test(nomination_unanswered),
		cmocka_unit_test(stale_after_restart),
		cmocka_unit_test(restart_while_nominating),
		cmocka_unit_test(old_credentials),
		cmocka_unit_test(old_ufrag_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
