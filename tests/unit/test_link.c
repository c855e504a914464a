/* test_link.c: the XEP-0114 link against a mock server in the same loop. All
 * times are a few ms.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/link_test.h"

static void handshake_right(void **state)
{
	struct env *e = *state;

	start(e);
	assert_int_equal(link_state(e->link), LINK_CONNECTING);
	assert_int_equal(send_text(e, "<message/>", true), ENOTCONN);
	assert_int_equal(link_barrier(e->link, done_h, e), ENOTCONN);
	UNTIL(e, link_state(e->link) == LINK_UP);
	assert_string_equal(e->events, "UP \n");
	assert_string_equal(e->mock.to, "calls.example.org");
	assert_int_equal(e->mock.connects, 1);
	assert_int_equal(counters(e).dropped_down, 1);
	assert_int_equal(counters(e).reconnects, 0);
}

static void handshake_wrong_is_said_once(void **state)
{
	struct env *e = *state;

	e->conf.secret = "wrong";
	start(e);
	UNTIL(e, e->mock.connects == 4);
	assert_string_equal(e->events, "REFUSED not-authorized\n");
	e->mock.refuse = "host-unknown";
	UNTIL(e, strstr(e->events, "host-unknown"));
	e->mock.refuse = NULL;
	e->mock.secret = "wrong";
	UNTIL(e, link_state(e->link) == LINK_UP);
	assert_string_equal(e->events, "REFUSED not-authorized\n"
			    "REFUSED host-unknown\nUP \n");
}

/* Stanzas come whole and in order however the bytes were cut. */
static void split_reads(void **state)
{
	struct env *e = *state;

	e->mock.bytewise = true;
	start_up(e);
	mock_send(&e->mock, MESSAGE("m1") " \n" MESSAGE("m2")
		  "<iq type='get' id='i\xc3\xa4' from='a@example.org' "
		  "to='calls.example.org'><query xmlns='x'>&lt;</query></iq>"
		  MESSAGE("m3"));
	UNTIL(e, e->stanza_count == 4);
	assert_string_equal(e->stanzas, "m1 m2 i\xc3\xa4 m3 ");
	assert_int_equal(counters(e).stanzas_in, 4);
}

static void reconnects(void **state)
{
	struct env *e = *state;
	unsigned retry;

	e->times.retry_max = 1000;
	start_up(e);
	mock_drop(&e->mock);
	UNTIL(e, e->mock.handshakes == 2 && link_state(e->link) == LINK_UP);
	assert_string_equal(e->events, "UP \nLOST closed by the server\n"
			    "UP \n");
	assert_int_equal(counters(e).reconnects, 1);
	mock_shut(&e->mock);
	UNTIL(e, strstr(e->events, "UNREACHABLE"));
	retry = e->link->retry;
	for (unsigned i = 0; i < 50; i++)
		uv_run(&e->loop, UV_RUN_ONCE);
	/* However long it is away: it is back as soon as it listens. */
	assert_int_equal(e->link->retry, retry);
	assert_true(link_next_attempt(e->link) <= (int)e->times.retry_min);
	mock_listen(&e->mock, e->mock.port);
	UNTIL(e, e->mock.handshakes == 3 && link_state(e->link) == LINK_UP);
	assert_string_equal(e->events, "UP \nLOST closed by the server\nUP \n"
			    "LOST closed by the server\n"
			    "UNREACHABLE connection refused\nUP \n");
}

/* The third time in a row it is as soon as the first. */
static void server_that_dies_again_is_waited_for(void **state)
{
	struct env *e = *state;

	e->times.retry_min = 4;
	e->times.retry_max = 1000;
	start_up(e);
	for (unsigned i = 2; i <= 4; i++) {
		mock_drop(&e->mock);
		UNTIL(e, e->mock.handshakes == i &&
			 link_state(e->link) == LINK_UP);
		assert_int_equal(e->link->retry, 16);
	}
}

static void waits_grow_to_their_cap(void **state)
{
	struct env *e = *state;

	e->times.retry_min = 4;
	e->times.retry_max = 33;
	start_up(e);
	assert_int_equal(e->link->retry, 8);
	mock_stream_error(&e->mock, "conflict");
	UNTIL(e, e->link->retry == 16 && link_state(e->link) == LINK_UP);
	mock_stream_error(&e->mock, "conflict");
	UNTIL(e, e->link->retry == 32 && link_state(e->link) == LINK_UP);
	mock_stream_error(&e->mock, "conflict");
	UNTIL(e, e->link->retry == 33 && link_state(e->link) == LINK_UP);
	e->link->times.steady = 0;
	mock_stream_error(&e->mock, "conflict");
	UNTIL(e, e->link->retry == 16);
	/* An attempt that fails was never up, however long ago that is. */
	e->mock.refuse = "conflict";
	UNTIL(e, e->link->retry == 33);
}

static void name_that_does_not_resolve(void **state)
{
	struct env *e = *state;

	e->conf.host = "nowhere..invalid";
	start(e);
	UNTIL(e, *e->events);
	assert_non_null(strstr(e->events, "UNREACHABLE "));
}

static void stream_errors_are_told(void **state)
{
	struct env *e = *state;

	start_up(e);
	mock_stream_error(&e->mock, "system-shutdown");
	UNTIL(e, e->mock.handshakes == 2 && link_state(e->link) == LINK_UP);
	e->mock.refuse = "conflict";
	mock_stream_error(&e->mock, "conflict");
	UNTIL(e, e->mock.connects == 6);
	e->mock.refuse = NULL;
	UNTIL(e, link_state(e->link) == LINK_UP);
	assert_string_equal(e->events, "UP \nLOST system-shutdown\nUP \n"
			    "LOST conflict\nREFUSED conflict\nUP \n");
}

/* What stands behind the end of a stream is not looked at. */
static void nothing_after_a_stream_error(void **state)
{
	static const char error[] = "<stream:error><conflict xmlns="
		"'urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>";
	struct env *e = *state;
	char text[512];

	snprintf(text, sizeof(text), "%s%s%s<!-- no -->", error, MESSAGE("m"),
		 error);
	start_up(e);
	mock_send(&e->mock, text);
	UNTIL(e, e->mock.handshakes == 2 && link_state(e->link) == LINK_UP);
	assert_string_equal(e->events, "UP \nLOST conflict\nUP \n");
	assert_int_equal(counters(e).stanzas_in, 0);
}

static void silent_server_is_given_up(void **state)
{
	struct env *e = *state;
	unsigned connects;

	e->mock.mute = true;
	e->times.beat = e->times.answer = 5;
	start_up(e);
	UNTIL(e, strstr(e->events, "LOST"));
	assert_string_equal(e->events, "UP \nLOST ping not answered\n");
	assert_int_equal(e->mock.pings, 1);
	e->mock.mute = false;
	UNTIL(e, link_state(e->link) == LINK_UP);
	connects = e->mock.connects;
	UNTIL(e, e->mock.pings >= 5);
	assert_int_equal(e->mock.connects, connects);
	assert_int_equal(e->stanza_count, 0);
}

/* After our own process stood still the answer may lie in the socket. */
static void late_answer_is_looked_for(void **state)
{
	struct env *e = *state;

	start_up(e);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	e->link->pings->sent -= e->times.answer;
	e->link->last_in -= e->times.answer;
	link_ping_tick(e->link);
	assert_int_equal(link_state(e->link), LINK_UP);
	assert_true(e->link->doubt);
	/* The tick to come in 1 ms finds the answer there. */
	uv_timer_stop(&e->link->timer);
	UNTIL(e, e->done);
	assert_int_equal(e->done_true, 1);
	assert_false(e->link->doubt);
	assert_string_equal(e->events, "UP \n");
}

static void no_handshake_in_time(void **state)
{
	struct env *e = *state;

	e->mock.dumb = true;
	e->times.attempt = 5;
	start(e);
	UNTIL(e, *e->events);
	assert_string_equal(e->events, "UNREACHABLE Connection timed out\n");
}

/* Only the domain that was pinged answers a ping. */
static void pong_of_another_is_a_stanza(void **state)
{
	struct env *e = *state;

	e->times.answer = 20;
	e->mock.pong_from = "eve@example.org";
	start_up(e);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done);
	assert_int_equal(e->done_true, 0);
	assert_int_equal(e->stanza_count, 1);
	assert_string_equal(e->events, "UP \nLOST ping not answered\n");
}

static void barriers(void **state)
{
	struct env *e = *state;

	start_up(e);
	assert_int_equal(send_text(e, MESSAGE("o1"), false), 0);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done == 2);
	assert_int_equal(e->done_true, 2);
	assert_int_equal(e->mock.stanzas, 1);
	e->mock.error_pings = true;
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done_true == 3);
	assert_int_equal(e->stanza_count, 0);
	e->mock.mute = true;
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->mock.pings == 5);
	mock_drop(&e->mock);
	UNTIL(e, e->done == 5);
	assert_int_equal(e->done_true, 3);
	e->mock.mute = false;
	UNTIL(e, link_state(e->link) == LINK_UP);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done_true == 4);
}

static void barrier_ends_at_stop(void **state)
{
	struct env *e = *state;

	start_up(e);
	e->mock.mute = true;
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	stop(e);
	assert_int_equal(link_barrier(e->link, done_h, e), ENOTCONN);
	UNTIL(e, e->closed);
	assert_int_equal(e->done, 1);
	assert_int_equal(e->done_true, 0);
}

static void many_stanzas_one_write(void **state)
{
	struct env *e = *state;
	unsigned reads;

	start_up(e);
	reads = e->mock.reads;
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(send_text(e, MESSAGE("m"), false), 0);
	assert_true(counters(e).queued_bytes == 200 * strlen(MESSAGE("m")));
	UNTIL(e, e->mock.stanzas == 200);
	assert_int_equal(e->mock.reads, reads + 1);
	assert_int_equal(counters(e).stanzas_out, 200);
	assert_int_equal(counters(e).queued_bytes, 0);
}

static void fill(struct env *e, const char *big, size_t len, bool urgent)
{
	int r;

	/* As much as the sockets' own buffers hold leaves the queue. */
	while (!(r = link_send_text(e->link, big, len, urgent)))
		uv_run(&e->loop, UV_RUN_NOWAIT);
	assert_int_equal(r, ENOBUFS);
}

static void full_queue_keeps_a_reserve(void **state)
{
	static char text[4096];
	struct env *e = *state;
	size_t start_len = strlen("<message>"), end = strlen("</message>");
	unsigned n = 0;

	e->conf.queue_bytes = 4 << 20;
	e->mock.deaf = true;
	memset(text, 'x', sizeof(text));
	memcpy(text, "<message>", start_len);
	memcpy(text + sizeof(text) - end, "</message>", end);
	start_up(e);
	fill(e, text, sizeof(text), false);
	assert_true(counters(e).queued_bytes <= (4u << 20) / 8 * 7);
	assert_true(counters(e).queued_bytes > (4u << 20) / 8 * 7 - 4096);
	assert_int_equal(send_text(e, MESSAGE("u"), true), 0);
	while (!link_send_text(e->link, text, sizeof(text), true))
		n++;
	assert_in_range(n, 120, 128);
	assert_true(counters(e).queued_bytes <= 4u << 20);
	assert_int_equal(counters(e).dropped_full, 2);
	assert_true(link_crowded(e->link));
	assert_int_equal(e->drained, 0);
	/* What was queued arrives. */
	uv_read_start((uv_stream_t *)&e->mock.client, mock_alloc_h,
		      mock_read_h);
	UNTIL(e, e->drained);
	assert_false(link_crowded(e->link));
	assert_true(counters(e).queued_bytes <= 1u << 20);
	UNTIL(e, !counters(e).queued_bytes);
	UNTIL(e, e->mock.stanzas == counters(e).stanzas_out);
	assert_int_equal(e->drained, 1);
	assert_int_equal(e->mock.handshakes, 1);
}

/* Its answers stand behind what it has to say before: not for ever. */
static void busy_server_is_waited_for(void **state)
{
	struct env *e = *state;

	e->mock.mute = true;
	start_up(e);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	e->link->pings->sent -= 9 * e->times.answer;
	e->link->last_in = uv_now(&e->loop);
	link_ping_tick(e->link);
	assert_false(e->link->doubt);
	e->link->pings->sent -= e->times.answer;
	link_ping_tick(e->link);
	assert_true(e->link->doubt);
	link_ping_tick(e->link);
	assert_string_equal(e->events, "UP \nLOST ping not answered\n");
}

/* While nothing is read the server has said nothing wrong. */
static void paused_link_does_not_read(void **state)
{
	struct env *e = *state;

	start_up(e);
	link_pause(e->link, true);
	link_pause(e->link, true);
	mock_send(&e->mock, MESSAGE("a"));
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->mock.pings == 1);
	e->link->pings->sent -= e->times.answer;
	e->link->last_in -= e->times.answer;
	link_ping_tick(e->link);
	assert_false(e->link->doubt);
	for (unsigned i = 0; i < 10; i++)
		uv_run(&e->loop, UV_RUN_NOWAIT);
	assert_int_equal(e->stanza_count, 0);
	assert_int_equal(e->done, 0);
	link_pause(e->link, false);
	UNTIL(e, e->done_true);
	assert_string_equal(e->stanzas, "a ");
	assert_string_equal(e->events, "UP \n");
	assert_int_equal(counters(e).pauses, 1);
}

/* Neither reads: one has to begin. */
static void stuck_pause_ends(void **state)
{
	static char text[32768];
	struct env *e = *state;
	uint64_t pauses;

	e->times.stuck = 5;
	e->mock.deaf = true;
	memset(text, ' ', sizeof(text) - 1);
	start_up(e);
	link_pause(e->link, true);
	fill(e, text, sizeof(text), true);
	/* Until the sockets' buffers are full, what leaves lets it pause. */
	UNTIL(e, (link_pause(e->link, true), !e->link->conn->paused));
	pauses = counters(e).pauses;
	uv_read_start((uv_stream_t *)&e->mock.client, mock_alloc_h,
		      mock_read_h);
	UNTIL(e, !counters(e).queued_bytes);
	link_pause(e->link, true);
	assert_true(e->link->conn->paused);
	assert_int_equal(counters(e).pauses, pauses + 1);
}

/* A server that reads no more is found by the ping, queue full or not. */
static void stuck_server_is_given_up(void **state)
{
	static char text[32768];
	struct env *e = *state;

	e->mock.deaf = true;
	memset(text, ' ', sizeof(text) - 1);
	start_up(e);
	fill(e, text, sizeof(text), true);
	assert_int_equal(send_text(e, text, true), ENOBUFS);
	e->link->times.beat = e->link->times.answer = 5;
	link_ping_arm(e->link);
	UNTIL(e, strstr(e->events, "LOST"));
	assert_string_equal(e->events, "UP \nLOST ping not answered\n");
	assert_int_equal(counters(e).queued_bytes, 0);
}

static void oversize_is_not_sent(void **state)
{
	struct env *e = *state;
	struct arena *a = arena_new(0);
	struct xml_elem *m = xml_new(a, NS_COMPONENT, "message");
	char *big = malloc(LINK_STANZA_MAX + 1);

	e->conf.queue_bytes = 16 << 20;
	memset(big, '<', LINK_STANZA_MAX + 1);
	big[LINK_STANZA_MAX / 4] = '\0';
	start_up(e);
	xml_add_text(a, m, big);
	assert_int_equal(link_send(e->link, m, true), EMSGSIZE);
	assert_int_equal(link_send_text(e->link, big, LINK_STANZA_MAX + 1,
					true), EMSGSIZE);
	assert_int_equal(counters(e).dropped_large, 2);
	assert_int_equal(counters(e).stanzas_out, 0);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done_true);
	free(big);
	arena_free(a);
}

static void over_limit_is_answered(void **state)
{
	struct env *e = *state;

	e->conf.limits.depth = 3;
	start_up(e);
	mock_send(&e->mock, "<iq type='set' id='i1' from='a@example.org/r' "
		  "to='calls.example.org'><a><b><c/></b></a></iq>"
		  "<message id='m1' from='a@example.org' to='b@calls."
		  "example.org'><a><b><c/></b></a></message>"
		  "<message type='error' id='m2' from='a@example.org' "
		  "to='calls.example.org'><a><b><c/></b></a></message>"
		  "<iq type='result' id='i2' from='a@example.org' "
		  "to='calls.example.org'><a><b><c/></b></a></iq>"
		  "<presence to='calls.example.org' from='a@example.org/r'>"
		  "<a><b><c/></b></a></presence>"
		  "<message from='' to='calls.example.org'><a><b><c/></b>"
		  "</a></message>" MESSAGE("after"));
	UNTIL(e, e->stanza_count == 1);
	assert_string_equal(e->stanzas, "after ");
	assert_int_equal(e->skipped, 6);
	assert_int_equal(e->limit, XML_LIMIT_DEPTH);
	assert_int_equal(counters(e).skipped[XML_LIMIT_DEPTH], 6);
	UNTIL(e, e->mock.stanzas == 3);
	assert_non_null(strstr(e->mock.log, "<iq type='error' id='i1' "
		"from='calls.example.org' to='a@example.org/r'><error type="
		"'modify'><policy-violation"));
	assert_non_null(strstr(e->mock.log, "<message type='error' id='m1' "
		"from='b@calls.example.org' to='a@example.org'>"));
	assert_non_null(strstr(e->mock.log, "<presence type='error' "
		"from='calls.example.org' to='a@example.org/r'>"));
	assert_non_null(strstr(e->mock.log, xml_limit_name(XML_LIMIT_DEPTH)));
	assert_string_equal(e->events, "UP \n");
}

static void restricted_xml(void **state)
{
	static const char *const bad[] = {
		"<!-- no -->", "<?pi no?>", "<message>&undefined;</message>",
		"<message></presence>", "<message a='1' a='2'/>",
	};
	struct env *e = *state;

	start_up(e);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mock_send(&e->mock, MESSAGE("m"));
		mock_send(&e->mock, bad[i]);
		mock_send(&e->mock, MESSAGE("never"));
		UNTIL(e, e->mock.handshakes == i + 2 &&
			 link_state(e->link) == LINK_UP);
		assert_int_equal(e->stanza_count, i + 1);
	}
	assert_null(strstr(e->stanzas, "never"));
	assert_null(strstr(e->events, "UNREACHABLE"));
}

static void polite_stop(void **state)
{
	struct env *e = *state;

	start_up(e);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(send_text(e, MESSAGE("m"), false), 0);
	stop(e);
	assert_int_equal(link_state(e->link), LINK_DOWN);
	assert_int_equal(send_text(e, MESSAGE("m"), true), ENOTCONN);
	UNTIL(e, e->closed);
	assert_int_equal(e->mock.stanzas, 100);
	assert_int_equal(e->mock.closes, 1);
	assert_string_equal(e->events, "UP \n");
}

static void stop_does_not_wait_forever(void **state)
{
	struct env *e = *state;

	e->mock.linger = true;
	e->times.stop = 5;
	start_up(e);
	stop(e);
	UNTIL(e, e->closed);
	assert_int_equal(e->mock.closes, 1);
}

static void stop_in_any_phase(void **state)
{
	struct env *e = *state;
	enum link_phase phase;

	for (phase = LINK_PHASE_IDLE; phase <= LINK_PHASE_UP; phase++) {
		start(e);
		if (phase == LINK_PHASE_WAITING)
			e->mock.refuse = "conflict";
		UNTIL(e, e->link->phase >= phase || e->link->phase ==
			 LINK_PHASE_WAITING);
		e->mock.refuse = NULL;
		stop(e);
		UNTIL(e, e->closed && !e->mock.was_open);
		link_free(e->link);
		e->link = NULL;
		e->closed = e->stopped = false;
	}
	start(e);
	e->mock.refuse = "conflict";
	UNTIL(e, e->link->phase == LINK_PHASE_WAITING);
}

static void stopped_link_starts_again(void **state)
{
	struct env *e = *state;

	start_up(e);
	stop(e);
	UNTIL(e, e->closed && !e->mock.was_open);
	e->closed = e->stopped = false;
	link_start(e->link);
	UNTIL(e, link_state(e->link) == LINK_UP);
	assert_int_equal(e->mock.handshakes, 2);
}

static void handlers_may_send_and_stop(void **state)
{
	struct env *e = *state;

	e->echo = e->stop_at_stanza = true;
	start_up(e);
	mock_send(&e->mock, MESSAGE("m1") MESSAGE("m2"));
	UNTIL(e, e->closed);
	assert_string_equal(e->stanzas, "m1 ");
	assert_int_equal(e->mock.stanzas, 1);
}

static void stop_from_event(void **state)
{
	struct env *e = *state;

	e->stop_at_event = true;
	e->conf.secret = "wrong";
	start(e);
	UNTIL(e, e->closed);
	assert_string_equal(e->events, "REFUSED not-authorized\n");
}

static void stop_from_barrier(void **state)
{
	struct env *e = *state;

	e->stop_at_done = e->mock.mute = true;
	start_up(e);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->mock.pings == 2);
	mock_drop(&e->mock);
	UNTIL(e, e->closed);
	assert_int_equal(e->done, 2);
	assert_int_equal(e->done_true, 0);
}

/* Written behind libuv's back: it reads nothing between that and the end. */
static void thrown_out(struct env *e, const char *condition)
{
	char text[160];
	uv_os_fd_t fd;
	int n = snprintf(text, sizeof(text), "<stream:error><%s xmlns="
			 "'urn:ietf:params:xml:ns:xmpp-streams'/>"
			 "</stream:error></stream:stream>", condition);

	uv_fileno((uv_handle_t *)&e->mock.client, &fd);
	assert_int_equal(write(fd, text, (size_t)n), n);
}

/* The server throws us out while we are busy, with bytes of ours unread, so by
 * a reset; we have something to say in the same turn. */
static void why_is_heard_before_a_reset(void **state)
{
	struct linger now = { 1, 0 };
	struct env *e = *state;
	uv_os_fd_t fd;

	start_up(e);
	thrown_out(e, "conflict");
	uv_fileno((uv_handle_t *)&e->mock.client, &fd);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	mock_drop(&e->mock);
	assert_int_equal(send_text(e, MESSAGE("m"), true), 0);
	UNTIL(e, strstr(e->events, "LOST"));
	assert_string_equal(e->events, "UP \nLOST conflict\n");
	assert_int_equal(e->link->retry, 2 * 2 * e->times.retry_min);
}

/* ... or closes, and the first of what we say has it reset. */
static void why_is_heard_before_a_close(void **state)
{
	static char big[400000];
	struct env *e = *state;

	e->conf.queue_bytes = 4 << 20;
	memset(big, ' ', sizeof(big) - 1);
	start_up(e);
	thrown_out(e, "system-shutdown");
	mock_drop(&e->mock);
	for (int i = 0; i < 4; i++)
		assert_int_equal(send_text(e, big, true), 0);
	UNTIL(e, strstr(e->events, "LOST"));
	assert_string_equal(e->events, "UP \nLOST system-shutdown\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(why_is_heard_before_a_reset),
		LINK_TEST(why_is_heard_before_a_close),
		LINK_TEST(handshake_right),
		LINK_TEST(handshake_wrong_is_said_once),
		LINK_TEST(split_reads),
		LINK_TEST(reconnects),
		LINK_TEST(server_that_dies_again_is_waited_for),
		LINK_TEST(waits_grow_to_their_cap),
		LINK_TEST(name_that_does_not_resolve),
		LINK_TEST(stream_errors_are_told),
		LINK_TEST(nothing_after_a_stream_error),
		LINK_TEST(silent_server_is_given_up),
		LINK_TEST(late_answer_is_looked_for),
		LINK_TEST(no_handshake_in_time),
		LINK_TEST(pong_of_another_is_a_stanza),
		LINK_TEST(barriers),
		LINK_TEST(barrier_ends_at_stop),
		LINK_TEST(many_stanzas_one_write),
		LINK_TEST(full_queue_keeps_a_reserve),
		LINK_TEST(busy_server_is_waited_for),
		LINK_TEST(paused_link_does_not_read),
		LINK_TEST(stuck_pause_ends),
		LINK_TEST(stuck_server_is_given_up),
		LINK_TEST(oversize_is_not_sent),
		LINK_TEST(over_limit_is_answered),
		LINK_TEST(restricted_xml),
		LINK_TEST(polite_stop),
		LINK_TEST(stop_does_not_wait_forever),
		LINK_TEST(stop_in_any_phase),
		LINK_TEST(stopped_link_starts_again),
		LINK_TEST(handlers_may_send_and_stop),
		LINK_TEST(stop_from_event),
		LINK_TEST(stop_from_barrier),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
