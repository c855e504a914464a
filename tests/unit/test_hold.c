/* test_hold.c: nothing leaves before what it depends on is stored, nothing
 * stays behind, and the order of one call is kept (architecture.md,
 * Durability; F02, F04, F06).
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/stanza/ns.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/daemon/daemon.h"

/* The neighbors of hold.c: a link that writes down what it gets. */
static enum link_state link_is;
static char sent[4096];
static int64_t jumped;
static bool crowded, paused;

enum link_state link_state(const struct link *l)
{
	(void)l;
	return link_is;
}

bool link_crowded(const struct link *l)
{
	(void)l;
	return crowded;
}

void link_pause(struct link *l, bool pause)
{
	(void)l;
	paused = pause;
}

const struct xml_elem *uplink_stanza(struct daemon *dm, struct arena *a,
				     const struct xml_elem *e)
{
	(void)dm, (void)a;
	return e;
}

int link_send_text(struct link *l, const char *text, size_t len, bool urgent)
{
	const char *id = strstr(text, "id=\"");

	(void)l, (void)urgent;
	assert_int_equal(strlen(text), len);
	if (!id)
		id = strstr(text, "id='");
	assert_non_null(id);
	if (link_is != LINK_UP)
		return ENOTCONN;
	strncat(sent, id + 4, strcspn(id + 4, "\"'"));
	return 0;
}

void notices_committed(struct daemon *dm)
{
	(void)dm;
}

int64_t clock_now(void)
{
	return (int64_t)(uv_hrtime() / 1000000) + jumped;
}

int64_t clock_wall(void)
{
	return clock_now();
}

/* --- the daemon's part ------------------------------------------------ */

static char database[] = "x.db";
static struct conf conf;
static struct daemon dm;

static void on_async(uv_async_t *a)
{
	hold_on_committed(a->data);
}

static int setup(void **state)
{
	(void)state;
	memset(&dm, 0, sizeof(dm));
	conf.database = database;
	dm.conf = &conf;
	dm.link = (struct link *)&dm;
	link_is = LINK_UP;
	sent[0] = 0;
	jumped = 0;
	crowded = paused = false;
	uv_loop_init(&dm.loop);
	uv_async_init(&dm.loop, &dm.committed_async, on_async);
	dm.committed_async.data = &dm;
	assert_int_equal(store_memory_open(&dm.store), 0);
	assert_int_equal(hold_start(&dm), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_memory_fail(dm.store, 0, 0);
	hold_stop(&dm);
	assert_null(dm.held_first);
	assert_int_equal(dm.held_bytes, 0);
	uv_close((uv_handle_t *)&dm.committed_async, NULL);
	uv_run(&dm.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&dm.loop), 0);
	arena_free(dm.written);
	spares_free(&dm.spares);
	dm.store->v->close(dm.store);
	return 0;
}

static void store_for(struct call_entry *e)
{
	struct store_op op = { .kind = STORE_SWITCH_PUT };

	op.u.setting.name = "x";
	op.u.setting.value = "y";
	e->pending_n = hold_store(&dm, &op);
}

static void send_one(struct call_entry *e, const char *id,
		     enum leg_class class, bool opens)
{
	struct call_action a = { .class = class, .opens = opens };
	struct arena *arena = arena_new(0);
	uint64_t n = class == LEG_SEND_HELD ||
		     (class == LEG_SEND_AFTER && e->held_opens[0]) ?
		     e->pending_n : 0;

	a.stanza = xml_new(arena, NS_COMPONENT, "message");
	xml_set(arena, a.stanza, "id", id);
	hold_send(&dm, e, &a, n);
	arena_free(arena);
}

static void await_commit(uint64_t n)
{
	while (dm.committed_n < n)
		uv_run(&dm.loop, UV_RUN_ONCE);
}

/* A stanza of session "s" with a device. */
static void send_jingle(struct call_entry *e, const char *id,
			const char *action)
{
	bool ends = strcmp(action, "session-terminate") == 0;
	struct call_action a = {
		.class = ends ? LEG_SEND_AFTER : LEG_SEND_HELD, .opens = !ends,
		.asks = true,
	};
	struct arena *arena = arena_new(0);
	struct xml_elem *j;

	a.stanza = xml_new(arena, NS_COMPONENT, "iq");
	xml_set(arena, a.stanza, "id", id);
	xml_set(arena, a.stanza, "to", "bob@example.org/b");
	j = xml_add(arena, a.stanza, NS_JINGLE, "jingle");
	xml_set(arena, j, "sid", "s");
	xml_set(arena, j, "action", action);
	hold_send(&dm, e, &a, e->pending_n);
	arena_free(arena);
}

static void send_jmi(struct call_entry *e, const char *id, const char *action,
		     const char *to, const char *sid, enum leg_class class)
{
	struct call_action a = { .class = class };
	struct arena *arena = arena_new(0);

	a.stanza = xml_new(arena, NS_COMPONENT, "message");
	xml_set(arena, a.stanza, "id", id);
	xml_set(arena, a.stanza, "to", to);
	xml_set(arena, xml_add(arena, a.stanza, NS_JMI, action), "id", sid);
	hold_send(&dm, e, &a, class == LEG_SEND_HELD ? e->pending_n : 0);
	arena_free(arena);
}

/* --- tests ------------------------------------------------------------ */

static void test_waits_for_store(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_one(&e, "a", LEG_SEND_HELD, false);
	send_one(&e, "b", LEG_SEND_HELD, false);
	send_one(&e, "f", LEG_SEND_FREE, false);
	assert_string_equal(sent, "f");
	assert_int_equal(e.held, 2);
	hold_flush(&dm);
	assert_string_equal(sent, "f");
	await_commit(1);
	assert_string_equal(sent, "fab");
	assert_int_equal(e.held, 0);
	send_one(&e, "c", LEG_SEND_HELD, false);
	assert_string_equal(sent, "fabc");
}

/* A transport-info never passes its session's initiate. */
static void test_behind_initiate(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	send_one(&e, "1", LEG_SEND_AFTER, false);
	store_for(&e);
	send_one(&e, "i", LEG_SEND_HELD, true);
	send_one(&e, "t", LEG_SEND_AFTER, false);
	send_one(&e, "f", LEG_SEND_FREE, false);
	assert_string_equal(sent, "1f");
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "1fit");
	assert_int_equal(e.held_opens[0], 0);
}

/* Nobody is rung by a call that has ended before its propose left: neither
 * propose nor retract leaves, whomever of his devices they are for. */
static void test_taken_back(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_jmi(&e, "1", "propose", "bob@x", "s", LEG_SEND_HELD);
	send_jmi(&e, "2", "propose", "bob@x/low", "s", LEG_SEND_HELD);
	send_jmi(&e, "3", "propose", "bobby@x", "s", LEG_SEND_HELD);
	send_jmi(&e, "4", "propose", "bob@x", "other", LEG_SEND_HELD);
	send_jmi(&e, "5", "retract", "bob@x/low", "s", LEG_SEND_HELD);
	send_jmi(&e, "6", "retract", "bob@x/phone", "s", LEG_SEND_HELD);
	send_jmi(&e, "7", "retract", "bob@x", "s", LEG_SEND_HELD);
	send_jmi(&e, "8", "reject", "bob@x", "other", LEG_SEND_HELD);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "348");
	send_jmi(&e, "9", "retract", "bob@x", "other", LEG_SEND_HELD);
	assert_string_equal(sent, "3489");
}

/* For what a stanza belongs to memory may be missing: it leaves all the same,
 * and so does its end. */
static void test_no_memory_for_a_session(void **state)
{
	struct call_entry e = { .dm = &dm };
	struct arena *whole = dm.written;
	size_t cap;

	(void)state;
	store_for(&e);
	/* From what the text alone does not fit in. */
	for (cap = 64; !e.held; cap++) {
		dm.written = arena_new(cap);
		assert_non_null(dm.written);
		send_jmi(&e, "1", "propose", "bob@x", "s", LEG_SEND_HELD);
		arena_free(dm.written);
	}
	dm.written = whole;
	send_jmi(&e, "2", "retract", "bob@x", "s", LEG_SEND_HELD);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "12");
}

/* The end of a round that gives way does not wait; what it ends stays back. */
static void test_gives_way(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_jmi(&e, "1", "proceed", "al@x/a", "s", LEG_SEND_HELD);
	send_jmi(&e, "2", "proceed", "al@x/b", "s", LEG_SEND_HELD);
	send_jmi(&e, "3", "reject", "al@x/a", "s", LEG_SEND_AFTER);
	assert_string_equal(sent, "3");
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "32");
}

/* A client may call two by one id: the end of one call is not that of the
 * other. */
static void test_same_id(void **state)
{
	struct call_entry e = { .dm = &dm }, f = { .dm = &dm };

	(void)state;
	store_for(&e);
	store_for(&f);
	send_jmi(&e, "1", "proceed", "al@x/a", "s", LEG_SEND_HELD);
	send_jmi(&f, "2", "proceed", "al@x/a", "s", LEG_SEND_HELD);
	send_jmi(&f, "3", "reject", "al@x/a", "s", LEG_SEND_AFTER);
	assert_string_equal(sent, "3");
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "31");
}

/* A leg from the store is ended by both, a reject and a terminate: neither
 * keeps the other back. */
static void test_both_ends(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_jmi(&e, "1", "proceed", "bob@example.org/b", "s", LEG_SEND_HELD);
	send_jmi(&e, "2", "reject", "bob@example.org/b", "s", LEG_SEND_HELD);
	send_jmi(&e, "3", "retract", "bob@example.org/b", "s", LEG_SEND_HELD);
	send_jingle(&e, "4", "session-terminate");
	assert_string_equal(sent, "4");
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "423");
}

/* What ends a round does not wait for the commit that replaces its row; what
 * it has begun, and other calls, do. */
static void test_hurry(void **state)
{
	struct call_entry e = { .dm = &dm }, f = { .dm = &dm };

	(void)state;
	store_for(&e);
	store_for(&f);
	send_jmi(&e, "1", "proceed", "bob@example.org/b", "s", LEG_SEND_HELD);
	send_jmi(&f, "2", "reject", "dan@example.org/d", "t", LEG_SEND_HELD);
	send_jmi(&e, "3", "reject", "bob@example.org/c", "u", LEG_SEND_HELD);
	send_jmi(&e, "4", "retract", "cid@example.org", "v", LEG_SEND_HELD);
	send_jmi(&e, "0", "proceed", "dan@example.org/d", "x", LEG_SEND_HELD);
	send_jmi(&e, "6", "reject", "dan@example.org/d", "x", LEG_SEND_HELD);
	hold_hurry(&dm, &e);
	assert_string_equal(sent, "346");
	assert_int_equal(e.held, 1);
	link_is = LINK_DOWN;
	send_jmi(&e, "5", "reject", "bob@example.org/d", "w", LEG_SEND_HELD);
	hold_hurry(&dm, &e);
	assert_string_equal(sent, "346");
	link_is = LINK_UP;
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "346125");
}

/* Nobody rings by a propose that waited until the ringing was over. */
static void test_ring_over(void **state)
{
	struct call_entry e = { .dm = &dm }, f = { .dm = &dm };

	(void)state;
	store_for(&e);
	store_for(&f);
	send_jmi(&e, "1", "propose", "bob@example.org/b", "s", LEG_SEND_HELD);
	send_jmi(&e, "r", "ringing", "cid@example.org/c", "u", LEG_SEND_HELD);
	send_jmi(&f, "2", "propose", "bob@example.org/b", "t", LEG_SEND_HELD);
	hold_ring_over(&dm, &e);
	send_jmi(&e, "3", "reject", "cid@example.org/c", "u", LEG_SEND_HELD);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "23");
}

/* An end never waits, and what it ends never comes after it. */
static void test_end_first(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_one(&e, "p", LEG_SEND_HELD, false);
	send_jingle(&e, "a", "session-accept");
	assert_int_equal(e.held_opens[0], 1);
	send_jingle(&e, "t", "session-terminate");
	assert_string_equal(sent, "t");
	assert_int_equal(e.held_opens[0], 0);
	assert_int_equal(e.held, 1);
	send_one(&e, "q", LEG_SEND_HELD, false);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "tpq");
}

/* Of a session that the device has never heard of it need not hear the end. */
static void test_never_begun(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_jingle(&e, "i", "session-initiate");
	send_jingle(&e, "t", "session-terminate");
	send_one(&e, "f", LEG_SEND_HELD, false);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "f");
	send_jingle(&e, "u", "session-terminate");
	assert_string_equal(sent, "fu");
}

/* A call that needs less does not wait for another's later batch, and what
 * it sends next does not pass what it sent first. */
static void test_two_calls(void **state)
{
	struct call_entry a = { .dm = &dm }, b = { .dm = &dm };

	(void)state;
	store_for(&a);
	hold_flush(&dm);
	store_for(&b);
	assert_int_equal(b.pending_n, 2);
	send_one(&b, "b", LEG_SEND_HELD, false);
	send_one(&a, "a", LEG_SEND_HELD, false);
	await_commit(1);
	assert_string_equal(sent, "a");
	send_one(&a, "c", LEG_SEND_HELD, false);
	assert_string_equal(sent, "ac");
	hold_flush(&dm);
	await_commit(2);
	assert_string_equal(sent, "acb");
}

/* Its call is freed meanwhile: the stanza leaves all the same. */
static void test_forgotten(void **state)
{
	struct call_entry *e = calloc(1, sizeof(*e));

	(void)state;
	store_for(e);
	send_one(e, "a", LEG_SEND_HELD, true);
	hold_forget(&dm, e);
	free(e);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "a");
}

/* F06: an error of the disk releases, refuses nothing that runs, and ends
 * when all that was kept is stored, though new work comes in all the time. */
static void test_degraded(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_memory_fail(dm.store, ENOSPC, UINT_MAX);
	store_for(&e);
	send_one(&e, "a", LEG_SEND_HELD, false);
	hold_flush(&dm);
	while (!dm.degraded)
		uv_run(&dm.loop, UV_RUN_ONCE);
	assert_string_equal(sent, "a");
	store_for(&e);
	send_one(&e, "b", LEG_SEND_HELD, false);
	assert_string_equal(sent, "ab");
	store_memory_fail(dm.store, 0, 0);
	hold_flush(&dm);
	store_for(&e);
	dm.pushed_n++;         /* as if more were handed over by now */
	while (dm.degraded)
		uv_run(&dm.loop, UV_RUN_ONCE);
	dm.pushed_n--;
	assert_true(dm.committed_n >= 1);
	send_one(&e, "c", LEG_SEND_HELD, false);
	assert_string_equal(sent, "ab");
	hold_flush(&dm);
	await_commit(3);
	assert_string_equal(sent, "abc");
}

/* A stalled disk is noticed after a second of real time; a jump of the test
 * clock is no stall. */
static void test_stall(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	assert_true(hold_deadline(&dm) == INT64_MAX);
	store_for(&e);
	send_one(&e, "a", LEG_SEND_HELD, false);
	dm.pushed_n = 1;       /* handed over, never answered */
	dm.push_time = (int64_t)(uv_hrtime() / 1000000);
	jumped = 3600000;
	hold_tick(&dm);
	assert_false(dm.degraded);
	assert_true(hold_deadline(&dm) > clock_now() + 500);
	assert_true(hold_deadline(&dm) <= clock_now() + 1000);
	dm.push_time -= 1000;
	hold_tick(&dm);
	assert_true(dm.degraded);
	assert_string_equal(sent, "a");
	dm.pushed_n = 0;
}

/* F04: while the link is down only what is of no use later is lost. */
static void test_link_down(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	link_is = LINK_CONNECTING;
	store_for(&e);
	send_one(&e, "r", LEG_SEND_HELD, false);
	send_one(&e, "t", LEG_SEND_AFTER, false);
	send_one(&e, "f", LEG_SEND_FREE, false);
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(sent, "");
	assert_false(hold_settled(&dm) && link_is == LINK_UP);
	assert_true(hold_settled(&dm));
	send_one(&e, "x", LEG_SEND_HELD, false);
	link_is = LINK_UP;
	hold_link_ready(&dm);
	assert_string_equal(sent, "trx");
	assert_int_equal(e.held, 0);
}

static void on_told(bool stored, void *arg)
{
	strcat(arg, stored ? "y" : "n");
}

/* An acknowledgment says whether the change is stored. */
static void test_told(void **state)
{
	struct call_entry e = { .dm = &dm };
	char told[8] = "";

	(void)state;
	store_for(&e);
	hold_when(&dm, e.pending_n, on_told, told);
	assert_string_equal(told, "");
	hold_flush(&dm);
	await_commit(1);
	assert_string_equal(told, "y");
	store_memory_fail(dm.store, EIO, UINT_MAX);
	store_for(&e);
	hold_when(&dm, e.pending_n, on_told, told);
	hold_flush(&dm);
	while (!dm.degraded)
		uv_run(&dm.loop, UV_RUN_ONCE);
	assert_string_equal(told, "yn");
}

/* The end stores what is open, tells, and lets out what waits. */
/* What the server has not taken yet is not passed by, nor added to. */
static void test_crowded(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	crowded = true;
	store_for(&e);
	send_one(&e, "a", LEG_SEND_HELD, false);
	hold_flush(&dm);
	await_commit(1);
	send_one(&e, "b", LEG_SEND_AFTER, false);
	send_one(&e, "f", LEG_SEND_FREE, false);
	assert_string_equal(sent, "f");
	send_jingle(&e, "i", "transport-info");
	send_jingle(&e, "t", "session-terminate");   /* not the info, then */
	assert_string_equal(sent, "ft");
	crowded = false;
	hold_link_ready(&dm);
	assert_string_equal(sent, "ftab");
	assert_int_equal(e.held, 0);
}

/* Sends `n` stanzas of 100 kB. */
static void send_big(struct call_entry *e, unsigned n)
{
	struct call_action a = { .class = LEG_SEND_HELD };
	struct arena *arena = arena_new(0);
	static char text[100 * 1024 + 1];

	memset(text, 'x', sizeof(text) - 1);
	a.stanza = xml_new(arena, NS_COMPONENT, "message");
	xml_set(arena, a.stanza, "id", "i");
	xml_set(arena, a.stanza, "more", text);
	while (n--)
		hold_send(&dm, e, &a, e->pending_n);
	arena_free(arena);
}

/* Thousands who call at once wait in the server, not here. */
static void test_pause(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	store_for(&e);
	send_big(&e, 81);
	assert_false(paused);
	send_big(&e, 1);
	assert_true(paused);
	hold_flush(&dm);
	await_commit(1);
	assert_false(paused);
	assert_int_equal(dm.count.held, 82);
	assert_int_equal(strlen(sent), 82);
}

/* Nor when the server is slow to take what is sent. */
static void test_slow_server(void **state)
{
	struct call_entry e = { .dm = &dm };

	(void)state;
	crowded = true;
	store_for(&e);
	send_big(&e, 1);
	assert_true(paused);
	hold_flush(&dm);
	await_commit(1);
	assert_true(paused);
	assert_string_equal(sent, "");
	crowded = false;
	hold_link_ready(&dm);
	assert_false(paused);
	assert_string_equal(sent, "i");
}

static void test_stop(void **state)
{
	struct call_entry e = { .dm = &dm };
	char told[8] = "";

	(void)state;
	store_for(&e);
	send_one(&e, "a", LEG_SEND_HELD, false);
	hold_when(&dm, e.pending_n, on_told, told);
	hold_stop(&dm);
	assert_string_equal(sent, "a");
	assert_string_equal(told, "y");
	store_for(&e);         /* too late: ignored */
	hold_flush(&dm);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_waits_for_store),
		T(test_behind_initiate),
		T(test_taken_back),
		T(test_no_memory_for_a_session),
		T(test_gives_way),
		T(test_same_id),
		T(test_both_ends),
		T(test_hurry),
		T(test_ring_over),
		T(test_end_first),
		T(test_never_begun),
		T(test_two_calls),
		T(test_forgotten),
		T(test_degraded),
		T(test_stall),
		T(test_link_down),
		T(test_told),
		T(test_crowded),
		T(test_pause),
		T(test_slow_server),
		T(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
