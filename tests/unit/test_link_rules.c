/* test_link_rules.c: what the link keeps to, one rule each: when it waits and
 * how long, whom it tries, what counts as a sign of life, what it counts.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
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

#define ADDRS 20

static unsigned dead;              /* addresses before the mock's own */
static struct sockaddr_in dead_addr;   /* where nothing listens */
static struct sockaddr_in addrs[ADDRS];
static struct addrinfo infos[ADDRS];

/* libuv's: a name of several addresses. */
int getaddrinfo(const char *node, const char *service,
		const struct addrinfo *hints, struct addrinfo **list_r)
{
	(void)node;
	(void)hints;
	for (unsigned i = 0; i <= dead; i++) {
		addrs[i] = dead_addr;
		if (i == dead)
			addrs[i].sin_port = htons((uint16_t)atoi(service));
		infos[i] = (struct addrinfo){
			.ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
			.ai_addr = (struct sockaddr *)&addrs[i],
			.ai_addrlen = sizeof(addrs[i]),
			.ai_next = i < dead ? &infos[i + 1] : NULL,
		};
	}
	*list_r = infos;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

/* A port of ours that refuses; the descriptor is to be closed. */
static int make_dead(unsigned n)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(dead_addr);

	dead = n;
	dead_addr.sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&dead_addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&dead_addr, &len),
			 0);
	return fd;
}

/* Of "localhost" the first may be ::1, where no server listens. */
static void every_address_is_tried(void **state)
{
	struct env *e = *state;
	int fd = make_dead(3);

	start_up(e);
	assert_string_equal(e->events, "UP \n");
	close(fd);
	dead = 0;
}

static void addresses_are_bounded(void **state)
{
	struct env *e = *state;
	int fd = make_dead(ADDRS - 1);

	start(e);
	UNTIL(e, *e->events);
	assert_string_equal(e->events, "UNREACHABLE connection refused\n");
	assert_int_equal(e->link->addr_count, LINK_ADDRS_MAX);
	close(fd);
	dead = 0;
}

static int option(const struct env *e, int level, int name)
{
	uv_os_fd_t fd;
	int value = -1;
	socklen_t len = sizeof(value);

	uv_fileno((const uv_handle_t *)&e->link->conn->tcp, &fd);
	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

/* A word to a caller is not kept for more of them; a server that is gone is
 * found also where no ping can leave. */
static void the_socket_is_set_up(void **state)
{
	struct env *e = *state;

	start_up(e);
	assert_int_equal(option(e, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(e, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(e, IPPROTO_TCP, TCP_KEEPIDLE), 30);
}

/* Components of a restarted server do not come back in step. */
static void waits_are_spread(void **state)
{
	struct env *e = *state;
	bool early = false, late = false;

	e->times.retry_min = 500;
	e->times.retry_max = 30000;
	start(e);
	e->link->retry = 30000;
	for (unsigned i = 0; i < 100; i++) {
		link_down(e->link, "gone", false);
		assert_in_range(link_next_attempt(e->link), 15000, 30000);
		early |= link_next_attempt(e->link) < 20000;
		late |= link_next_attempt(e->link) > 25000;
	}
	assert_true(early && late);
}

/* That nothing listened counts for the wait after it, not for those later. */
static void short_wait_is_for_once(void **state)
{
	struct env *e = *state;

	e->times.retry_min = 500;
	e->times.retry_max = 30000;
	start(e);
	e->link->retry = 16000;
	e->link->nobody = true;
	link_down(e->link, "refused", false);
	assert_in_range(link_next_attempt(e->link), 250, 500);
	link_down(e->link, "silent", false);
	assert_in_range(link_next_attempt(e->link), 8000, 16000);
}

/* Over a half, until a quarter is left. */
static void crowd_has_two_marks(void **state)
{
	static char half[QUEUE_BYTES / 2 + 1];
	struct env *e = *state;
	struct link_conn *c;

	memset(half, ' ', sizeof(half) - 1);
	start_up(e);
	assert_int_equal(send_text(e, half, true), 0);
	assert_false(link_crowded(e->link));
	assert_int_equal(send_text(e, " ", true), 0);
	assert_true(link_crowded(e->link));
	UNTIL(e, e->drained);
	assert_false(link_crowded(e->link));
	c = e->link->conn;
	c->crowded = true;
	c->queue.bytes = QUEUE_BYTES / 4 + 1;
	link_conn_flush(c);
	assert_true(c->crowded);
	c->queue.bytes = QUEUE_BYTES / 4;
	link_conn_flush(c);
	c->queue.bytes = 0;
	assert_false(c->crowded);
	assert_int_equal(e->drained, 2);
}

/* Whatever the server says shows that it lives. */
static void every_byte_is_a_sign_of_life(void **state)
{
	struct env *e = *state;
	uint64_t now;

	start_up(e);
	now = uv_now(&e->loop);
	e->link->last_in = 0;
	mock_send(&e->mock, " ");
	UNTIL(e, e->link->last_in);
	assert_true(e->link->last_in >= now);
	e->link->last_in = 0;
	mock_send(&e->mock, MESSAGE("m"));
	UNTIL(e, e->stanza_count);
	assert_true(e->link->last_in >= now);
}

/* Only its silence is asked about. */
static void no_ping_while_it_talks(void **state)
{
	struct env *e = *state;

	start_up(e);
	e->link->last_in = uv_now(&e->loop) - e->times.beat + 1000;
	link_ping_tick(e->link);
	assert_null(e->link->pings);
	e->link->last_in -= 1000;
	link_ping_tick(e->link);
	assert_non_null(e->link->pings);
}

/* Who has said something since is not doubted any more, and is looked for
 * again the next time. */
static void doubt_ends_with_any_word(void **state)
{
	struct env *e = *state;

	e->mock.mute = true;
	start_up(e);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	e->link->pings->sent -= e->times.answer;
	e->link->last_in -= e->times.answer;
	link_ping_tick(e->link);
	assert_true(e->link->doubt);
	e->link->last_in = uv_now(&e->loop);
	link_ping_tick(e->link);
	assert_false(e->link->doubt);
	e->link->last_in -= e->times.answer;
	link_ping_tick(e->link);
	assert_true(e->link->doubt);
	assert_int_equal(link_state(e->link), LINK_UP);
}

/* Its answer may have waited for us, however long. */
static void long_pause_is_not_its_fault(void **state)
{
	struct env *e = *state;

	start_up(e);
	link_pause(e->link, true);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->mock.pings == 2);
	e->link->pings->sent -= 11 * e->times.answer;
	link_ping_tick(e->link);
	assert_false(e->link->doubt);
	link_pause(e->link, false);
	link_ping_tick(e->link);
	assert_false(e->link->doubt);
	UNTIL(e, e->done == 2);
	assert_int_equal(e->done_true, 2);
	assert_string_equal(e->events, "UP \n");
}

/* With nothing to take the server is not stuck. */
static void pause_lasts_with_an_empty_queue(void **state)
{
	struct env *e = *state;

	start_up(e);
	link_pause(e->link, true);
	for (unsigned i = 0; i < 3; i++)
		link_ping_tick(e->link);
	assert_true(e->link->conn->paused);
	link_pause(e->link, false);
}

/* Who stops reads on until the end: what the server has got it has got. */
static void stop_ends_a_pause(void **state)
{
	struct env *e = *state;
	uint64_t began = uv_hrtime();

	start_up(e);
	link_pause(e->link, true);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->mock.pings);
	stop(e);
	UNTIL(e, e->closed);
	assert_int_equal(e->done_true, 1);
	assert_true(uv_hrtime() - began < e->times.stop * UINT64_C(1000000));
}

/* A header without an id, as of a host that is not known: the error behind it
 * says why. */
static void no_handshake_without_an_id(void **state)
{
	struct env *e = *state;
	uint64_t out;

	e->mock.dumb = true;
	start(e);
	UNTIL(e, *e->mock.to);
	out = counters(e).bytes_out;
	mock_send(&e->mock, "<stream:stream xmlns='" NS_COMPONENT
		  "' xmlns:stream='" NS_STREAM "'> ");
	UNTIL(e, counters(e).bytes_in);
	for (unsigned i = 0; i < 10; i++)
		uv_run(&e->loop, UV_RUN_NOWAIT);
	assert_true(counters(e).bytes_out == out);
	mock_stream_error(&e->mock, "host-unknown");
	UNTIL(e, *e->events);
	assert_string_equal(e->events, "REFUSED host-unknown\n");
}

static void other_protocols_are_told(void **state)
{
	struct env *e = *state;

	e->mock.dumb = true;
	start(e);
	UNTIL(e, *e->mock.to);
	mock_send(&e->mock, "<stream xmlns='http://example.org/' id='1'>");
	UNTIL(e, *e->events);
	assert_string_equal(e->events, "UNREACHABLE not an XMPP stream\n");
}

/* RFC 6120, 4.4: who is told of the end says it, too. */
static void the_end_is_answered(void **state)
{
	struct env *e = *state;

	start_up(e);
	mock_send(&e->mock, "</stream:stream>");
	UNTIL(e, e->mock.closes);
	UNTIL(e, strstr(e->events, "LOST"));
	assert_non_null(strstr(e->events, "LOST closed by the server\n"));
}

static void largest_stanza_is_sent(void **state)
{
	struct env *e = *state;
	char *big = malloc(LINK_STANZA_MAX);

	e->conf.queue_bytes = 16 << 20;
	memset(big, ' ', LINK_STANZA_MAX);
	start_up(e);
	assert_int_equal(link_send_text(e->link, big, LINK_STANZA_MAX, true),
			 0);
	assert_int_equal(counters(e).dropped_large, 0);
	free(big);
}

static void bytes_are_counted(void **state)
{
	struct env *e = *state;
	size_t len = strlen(MESSAGE("m"));
	struct link_counters before;

	start_up(e);
	before = counters(e);
	mock_send(&e->mock, MESSAGE("m"));
	assert_int_equal(send_text(e, MESSAGE("m"), true), 0);
	UNTIL(e, e->stanza_count && e->mock.stanzas);
	assert_true(counters(e).bytes_in == before.bytes_in + len);
	assert_true(counters(e).bytes_out == before.bytes_out + len);
}

/* With its queue full not even the first word of a connection is answered. */
static int listen_full(int *client_r)
{
	struct sockaddr_in a = dead_addr;
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*client_r = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(*client_r, (struct sockaddr *)&a, len), 0);
	dead_addr.sin_port = a.sin_port;
	return fd;
}

static void no_connection_in_time(void **state)
{
	struct env *e = *state;
	int client, fd = listen_full(&client);

	e->times.attempt = 5;
	e->conf.port = ntohs(dead_addr.sin_port);
	start(e);
	UNTIL(e, *e->events);
	assert_string_equal(e->events, "UNREACHABLE Connection timed out\n");
	close(client);
	close(fd);
}

/* They are why notices leave the outbox, and use the reserve. */
static void barriers_pass_where_words_do_not(void **state)
{
	static char most[QUEUE_BYTES / 8 * 7 + 1];
	struct env *e = *state;

	memset(most, ' ', sizeof(most) - 1);
	start_up(e);
	assert_int_equal(send_text(e, most, false), 0);
	assert_int_equal(send_text(e, " ", false), ENOBUFS);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done_true);
}

/* It is the one that is waited for longest. */
static void oldest_ping_is_the_first(void **state)
{
	struct env *e = *state;

	e->mock.mute = true;
	start_up(e);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(link_barrier(e->link, done_h, e), 0);
	assert_int_equal(e->link->pings->number + 2,
			 e->link->last_ping->number);
	assert_null(e->link->last_ping->next);
}

/* However it writes its name; a question is no answer. */
static void answers_are_known(void **state)
{
	struct env *e = *state;
	char text[256];

	e->mock.pong_from = "EXAMPLE.Org";
	start_up(e);
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	UNTIL(e, e->done_true);
	e->mock.mute = true;
	assert_int_equal(link_barrier(e->link, done_h, e), 0);
	snprintf(text, sizeof(text), "<iq type='get' id='%s2' from='example."
		 "org' to='calls.example.org'/>", e->link->conn->ping_prefix);
	mock_send(&e->mock, text);
	UNTIL(e, e->stanza_count);
	assert_int_equal(e->done, 1);
}

/* What an error says of itself is not its name, wherever it stands. */
static void text_is_no_condition(void **state)
{
	struct env *e = *state;

	start_up(e);
	mock_send(&e->mock, "<stream:error><text xmlns='" NS_STREAMS
		  "'>Why</text><conflict xmlns='" NS_STREAMS "'/>"
		  "</stream:error>");
	UNTIL(e, strstr(e->events, "LOST"));
	assert_string_equal(e->events, "UP \nLOST conflict\n");
}

/* Also what is too long to be kept whole. */
static void long_words_are_said_once(void **state)
{
	struct env *e = *state;
	char words[300];

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	start(e);
	for (unsigned i = 0; i < 3; i++)
		link_down(e->link, words, true);
	assert_int_equal(strlen(e->events), strlen("REFUSED \n") +
					    LINK_DETAIL_MAX - 1);
}

/* Who is started again learns again why there is no link. */
static void what_was_said_is_said_anew(void **state)
{
	struct env *e = *state;

	e->conf.secret = "wrong";
	start(e);
	UNTIL(e, *e->events);
	stop(e);
	UNTIL(e, e->closed && !e->mock.was_open);
	e->closed = e->stopped = false;
	e->events[0] = '\0';
	link_start(e->link);
	UNTIL(e, *e->events);
	assert_string_equal(e->events, "REFUSED not-authorized\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(every_address_is_tried),
		LINK_TEST(addresses_are_bounded),
		LINK_TEST(the_socket_is_set_up),
		LINK_TEST(waits_are_spread),
		LINK_TEST(short_wait_is_for_once),
		LINK_TEST(crowd_has_two_marks),
		LINK_TEST(every_byte_is_a_sign_of_life),
		LINK_TEST(no_ping_while_it_talks),
		LINK_TEST(doubt_ends_with_any_word),
		LINK_TEST(long_pause_is_not_its_fault),
		LINK_TEST(pause_lasts_with_an_empty_queue),
		LINK_TEST(stop_ends_a_pause),
		LINK_TEST(no_handshake_without_an_id),
		LINK_TEST(other_protocols_are_told),
		LINK_TEST(the_end_is_answered),
		LINK_TEST(largest_stanza_is_sent),
		LINK_TEST(bytes_are_counted),
		LINK_TEST(no_connection_in_time),
		LINK_TEST(barriers_pass_where_words_do_not),
		LINK_TEST(oldest_ping_is_the_first),
		LINK_TEST(answers_are_known),
		LINK_TEST(text_is_no_condition),
		LINK_TEST(long_words_are_said_once),
		LINK_TEST(what_was_said_is_said_anew),
	};

	dead_addr.sin_family = AF_INET;
	dead_addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
