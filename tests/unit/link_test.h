/* link_test.h: what the link's tests share: a link and a mock server in one
 * loop, where a guard fails a test that does not come to its end.
 */
#ifndef TESTS_UNIT_LINK_TEST_H
#define TESTS_UNIT_LINK_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mod_privatecall/link/link_private.h"
#include "tests/mock/server.h"

#define GUARD_MS 10000
#define QUEUE_BYTES (64 * 1024)

/* Long ones for what must not happen in a test. */
static const struct link_times times = {
	.retry_min = 1, .retry_max = 8, .steady = 60000, .attempt = 5000,
	.beat = 60000, .answer = 60000, .stop = 5000, .stuck = 60000,
};

struct env {
	uv_loop_t loop;
	uv_timer_t guard;
	uint64_t end;              /* of the loop's time */
	struct mock mock;
	struct link *link;
	struct link_conf conf;
	struct link_times times;
	char events[1024];         /* a line each */
	char stanzas[4096];        /* ids, by blanks */
	unsigned stanza_count, skipped;
	enum xml_limit limit;
	unsigned done, done_true;  /* barriers */
	unsigned drained;
	bool closed, late;
	bool echo, stop_at_stanza, stop_at_event, stop_at_done;
	bool stopped;
};

#define UNTIL(env, condition) \
	do { \
		while (!(condition) && !(env)->late) \
			uv_run(&(env)->loop, UV_RUN_ONCE); \
		if ((env)->late) \
			fail_msg("not reached: %s; events:\n%s", #condition, \
				 (env)->events); \
	} while (0)

/* Often: UV_RUN_ONCE waits for an event also where a timer was due. */
static inline void guard_h(uv_timer_t *guard)
{
	struct env *e = guard->data;

	e->late = uv_now(&e->loop) >= e->end;
}

static inline void closed_h(void *arg)
{
	struct env *e = arg;

	assert_false(e->closed);
	e->closed = true;
}

static inline void stop(struct env *e)
{
	e->stopped = true;
	link_stop(e->link, closed_h, e);
}

static inline void event_h(enum link_event ev, const char *detail, void *arg)
{
	static const char *const names[] = { "UP", "LOST", "REFUSED",
					     "UNREACHABLE" };
	struct env *e = arg;
	size_t n = strlen(e->events);

	assert_false(e->stopped);
	snprintf(e->events + n, sizeof(e->events) - n, "%s %s\n", names[ev],
		 detail);
	if (e->stop_at_event)
		stop(e);
}

static inline void stanza_h(struct xml_elem *stanza, struct arena *a,
			    void *arg)
{
	struct env *e = arg;
	size_t n = strlen(e->stanzas);
	const char *id = xml_get(stanza, "id");

	(void)a;
	assert_false(e->stopped);
	snprintf(e->stanzas + n, sizeof(e->stanzas) - n, "%s ", id ? id : "-");
	e->stanza_count++;
	if (e->echo)
		assert_int_equal(link_send(e->link, stanza, true), 0);
	if (e->stop_at_stanza)
		stop(e);
}

static inline void skipped_h(const struct xml_elem *head,
		      const struct xml_elem *answer, struct arena *a,
		      enum xml_limit limit, void *arg)
{
	struct env *e = arg;

	(void)a;
	assert_non_null(head);
	if (answer)
		assert_int_equal(link_send(e->link, answer, true), 0);
	e->skipped++;
	e->limit = limit;
}

static inline void drained_h(void *arg)
{
	struct env *e = arg;

	assert_false(e->stopped);
	e->drained++;
}

static inline void done_h(bool ok, void *arg)
{
	struct env *e = arg;

	e->done++;
	e->done_true += ok;
	if (e->stop_at_done && !e->stopped)
		stop(e);
}

static inline int setup(void **state)
{
	struct env *e = calloc(1, sizeof(*e));

	uv_loop_init(&e->loop);
	uv_timer_init(&e->loop, &e->guard);
	e->guard.data = e;
	e->end = uv_now(&e->loop) + GUARD_MS;
	uv_timer_start(&e->guard, guard_h, 2, 2);
	mock_start(&e->mock, &e->loop, "sekrit");
	e->times = times;
	e->conf = (struct link_conf){
		.host = "127.0.0.1", .port = (uint16_t)e->mock.port,
		.domain = "calls.example.org", .secret = "sekrit",
		.ping_to = "example.org", .queue_bytes = QUEUE_BYTES,
		.limits = xml_limits_default,
	};
	*state = e;
	return 0;
}

static inline void start(struct env *e)
{
	static const struct link_handlers handlers = {
		.event_h = event_h,
		.stanza_h = stanza_h,
		.skipped_h = skipped_h,
		.drained_h = drained_h,
	};

	assert_int_equal(link_new(&e->loop, &e->conf, &handlers, e, &e->link),
			 0);
	link_set_times(e->link, &e->times);
	assert_int_equal(link_state(e->link), LINK_DOWN);
	link_start(e->link);
}

static inline void start_up(struct env *e)
{
	start(e);
	UNTIL(e, link_state(e->link) == LINK_UP);
}

/* Stops what is not stopped yet; nothing may be left in the loop. */
static inline int teardown(void **state)
{
	struct env *e = *state;

	if (e->link && !e->stopped)
		stop(e);
	if (e->link)
		UNTIL(e, e->closed);
	link_free(e->link);
	uv_close((uv_handle_t *)&e->guard, NULL);
	mock_end(&e->mock);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	free(e);
	return 0;
}

static inline int send_text(struct env *e, const char *text, bool urgent)
{
	return link_send_text(e->link, text, strlen(text), urgent);
}

static inline struct link_counters counters(const struct env *e)
{
	struct link_counters c;

	link_counters(e->link, &c);
	return c;
}

#define MESSAGE(id) "<message id='" id "' from='a@example.org' " \
	"to='b@calls.example.org'/>"

#define LINK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
