/* test_allowed.c: the daemon against a mock server: how often somebody may
 * call, and who may write.
 */
#include "tests/unit/daemon_test.h"

/* --- the limits ------------------------------------------------------- */

/* One of n calls; true: it rings, false: it was refused by the limit. */
static bool rings(const char *from, unsigned n)
{
	char text[512];

	forget_log();
	snprintf(text, sizeof(text), PROPOSE_FROM("%s", "p%u", "s%u"), from,
		 n, n);
	mock_send(&m, text);
	UNTIL(count_sent("<propose") || count_sent("<reject"));
	if (count_sent("<propose"))
		return true;
	assert_non_null(strstr(m.log, "Too many calls. Try again in a "
			       "minute."));
	return false;
}

/* A13: the pair's limit is one of two people, not of another server and who is
 * called there. */
static void test_limit_of_domain(void **state)
{
	char from[32];
	unsigned i;

	(void)state;
	write_conf("remote_users = yes\nwho_may_call = everyone\n");
	up();
	come_online();
	for (i = 0; i <= 5; i++) {
		snprintf(from, sizeof(from), "r%u@far.org/x", i);
		assert_true(rings(from, i));
	}
	stop();
}

/* A13: a call that the limit refused is not one: who goes on asking gets as
 * many through as who waits. */
static void test_limit_counts_no_refused(void **state)
{
	static const bool expected[] = { true, true, false, true, true, false };
	char text[256];
	unsigned i;

	(void)state;
	write_conf("pair_per_minute = 2\n");
	up();
	come_online();
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_int_equal(rings("alice@example.org/a", i), expected[i]);
		snprintf(text, sizeof(text), "<message type='chat' id='r%u' "
			 "from='alice@example.org/a' "
			 "to='bob@calls.example.org'><retract "
			 "xmlns='urn:xmpp:jingle-message:0' id='s%u'/>"
			 "</message>", i, i);
		mock_send(&m, text);
		UNTIL(!expected[i] || count_sent("<retract") == 1);
		assert_int_equal(ctl("\"clock\",\"+20s\""), 0);
	}
	stop();
}

/* --- messages --------------------------------------------------------- */

/* What alice writes to bob's contact is refused. */
static bool is_refused(void)
{
	static const char text[] = "<message from='alice@example.org/a' "
		"type='chat' id='m1' to='bob@calls.example.org'>"
		"<body>Hello</body></message>";

	forget_log();
	mock_send(&m, text);
	UNTIL(count_sent(" id='m1'") == 1);
	if (count_sent("<body>Hello</body>")) {
		assert_int_equal(count_sent("to='bob@example.org'"), 1);
		return false;
	}
	assert_int_equal(count_sent("type='error'"), 1);
	assert_int_equal(count_sent("<policy-violation"), 1);
	return true;
}

/* Messages pass when the site, who writes and who is written to all want them,
 * and not when one of them does not. */
static void test_messages_off(void **state)
{
	static const struct { const char *off, *on; } switches[] = {
		{ "\"messaging\",\"off\"", "\"messaging\",\"on\"" },
		{ "\"user\",\"alice@example.org\",\"messages\",\"no\"",
		  "\"user\",\"alice@example.org\",\"messages\",\"yes\"" },
		{ "\"user\",\"bob@example.org\",\"messages\",\"no\"",
		  "\"user\",\"bob@example.org\",\"messages\",\"yes\"" },
	};
	size_t i;

	(void)state;
	up();
	come_online();
	assert_false(is_refused());
	for (i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		assert_int_equal(ctl(switches[i].off), 0);
		assert_true(is_refused());
		assert_int_equal(ctl(switches[i].on), 0);
		assert_false(is_refused());
	}
	stop();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_limit_of_domain),
		T(test_limit_counts_no_refused),
		T(test_messages_off),
	};

	return be_daemon_or_test(argc, argv, tests);
}
