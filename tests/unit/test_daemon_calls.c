/* test_daemon_calls.c: calls in the whole daemon: what waits for what, what a
 * switch ends, what is left of them after a kill.
 */
#include "tests/unit/daemon_test.h"
#include <time.h>

#define IQ(id, action, more) "<iq type='set' id='" id "' from=" \
	"'alice@example.org/a' to='bob@calls.example.org/call'><jingle " \
	"xmlns='" NS_JINGLE "' action='" action "' sid='s1'><content " \
	"creator='initiator' name='0'>" more "</content></jingle></iq>"
#define DESCRIPTION "<description xmlns='" NS_RTP "' media='audio'>" \
	"<payload-type id='111' name='opus' clockrate='48000'/></description>"
#define TRANSPORT(in) "<transport xmlns='" NS_ICE_UDP "' ufrag='u' pwd='p'>" \
	in "</transport>"
#define CANDIDATE "<candidate component='1' foundation='1' id='c' " \
	"ip='192.0.2.1' port='9' priority='1' protocol='udp' type='host'/>"

/* Bob answers on his only device. */
static void answer_call(void)
{
	static const char begins[] = "<propose xmlns='" NS_JMI "' id='";
	const char *at = strstr(m.log, begins);
	char text[512];

	assert_non_null(at);
	at += sizeof(begins) - 1;
	snprintf(text, sizeof(text), "<message type='chat' id='m' "
		 "from='bob@example.org/b' to='alice@calls.example.org/call'>"
		 "<proceed xmlns='" NS_JMI "' id='%.*s'/></message>",
		 (int)strcspn(at, "'"), at);
	mock_send(&m, text);
	UNTIL(count_sent("<proceed") == 1);
}

/* F10: the offer waits until it is stored, candidates behind it do not pass
 * it: a client knows nothing of their session before. */
static void test_candidates_behind_the_offer(void **state)
{
	const char *offer, *candidate;

	(void)state;
	up();
	ring();
	answer_call();
	mock_send(&m, IQ("i1", "session-initiate", DESCRIPTION TRANSPORT(""))
		  IQ("i2", "transport-info", TRANSPORT(CANDIDATE)));
	UNTIL(count_sent("'session-initiate'") == 1 &&
	      count_sent("<candidate") == 1);
	offer = strstr(m.log, "'session-initiate'");
	candidate = strstr(m.log, "<candidate");
	assert_true(offer < candidate);
	stop();
}

/* I02, F3: what rings ends, though nobody hears of it before the link is back.
 */
static void test_switched_off_meanwhile(void **state)
{
	(void)state;
	up();
	ring();
	mock_drop(&m);
	uv_close((uv_handle_t *)&m.listener, NULL);
	UNTIL(ctl("\"status\"") == 0 && !strstr(answer, "connected ("));
	assert_int_equal(ctl("\"disable\""), 0);
	assert_true(says("\"status\"", "live calls      0"));
	mock_listen(&m, m.port);
	UNTIL(count_sent("<retract") == 1 && count_sent("<reject") == 1);
	stop();
}

/* A call that was answered 110 minutes ago and entered again ten minutes ago,
 * in the database. */
static void store_open(void)
{
	int64_t now = (int64_t)time(NULL) * 1000;
	struct store_op call = { .kind = STORE_CALL_PUT, .u.call = {
		.id = "c1", .caller = "alice@example.org",
		.callee = "bob@example.org", .round = 2, .media = MEDIA_AUDIO,
		.state = CALL_OPEN, .created = now - 111 * 60000,
		.answered = now - 110 * 60000,
		.round_answered = now - 10 * 60000 } };
	struct store_op leg = { .kind = STORE_LEG_PUT, .u.leg = {
		.call = "c1", .side = 0, .user = "alice@example.org",
		.own = "bob@calls.example.org", .state = LEG_ENDED,
		.flags = LEG_FLAG_JMI | LEG_FLAG_GATEWAY, .data = "" } };
	struct store_op callee = leg;

	callee.u.leg.side = 1;
	callee.u.leg.user = "bob@example.org";
	callee.u.leg.own = "alice@calls.example.org";
	store_call(&call, &leg, &callee);
}

/* F23, I11: two hours from the first answer, also after a kill. */
static void test_window_after_a_kill(void **state)
{
	(void)state;
	up();
	kill_daemon();
	store_open();
	up();
	assert_true(says("\"calls\"", "c1"));
	assert_int_equal(ctl("\"clock\",\"+9m\""), 0);
	assert_true(says("\"calls\"", "c1"));
	assert_int_equal(ctl("\"clock\",\"+2m\""), 0);
	UNTIL(ctl("\"calls\"") == 0 && !strstr(answer, "c1"));
	stop();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_candidates_behind_the_offer),
		T(test_switched_off_meanwhile),
		T(test_window_after_a_kill),
	};

	return be_daemon_or_test(argc, argv, tests);
}
