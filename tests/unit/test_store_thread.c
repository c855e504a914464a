/* test_store_thread.c: the thread that runs a store: order, numbers, retry
 * after failures, jobs, the end. The thread is held by a job where a test
 * needs several things to wait; nothing here depends on how fast it is.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "mod_privatecall/store/store.h"

struct report {
	uint64_t committed;
	int err;
	bool text;                 /* it came with a text */
};

struct fixture {
	struct store *store;
	struct store_thread *thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct report reports[256];
	size_t count;              /* of reports */
	char order[64];            /* what happened, a letter each */
	bool held, release;
};

static void mark(struct fixture *f, char what)
{
	size_t len = strlen(f->order);

	if (len + 1 < sizeof(f->order))
		f->order[len] = what;
}

static void on_done(uint64_t committed, int err, const char *text, void *arg)
{
	struct fixture *f = arg;

	pthread_mutex_lock(&f->lock);
	if (f->count < sizeof(f->reports) / sizeof(f->reports[0]))
		f->reports[f->count++] = (struct report){
			committed, err, text && *text
		};
	mark(f, err ? 'e' : 'c');
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static int start(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || store_memory_open(&f->store))
		return -1;
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	*state = f;
	return store_thread_start(f->store, on_done, f, &f->thread);
}

static int stop(void **state)
{
	struct fixture *f = *state;

	if (f->thread)
		store_thread_stop(f->thread, 0);
	f->store->v->close(f->store);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
	return 0;
}

static int stop_now(struct fixture *f, int ms)
{
	struct store_thread *t = f->thread;

	f->thread = NULL;
	return store_thread_stop(t, ms);
}

/* A batch that sets the switch "n" to n and adds the outbox row "m<n>". */
static void push(struct fixture *f, uint64_t n)
{
	struct store_batch *b = store_batch_new();
	char value[24], id[24];
	struct store_op op = { .kind = STORE_SWITCH_PUT };

	assert_non_null(b);
	snprintf(value, sizeof(value), "%llu", (unsigned long long)n);
	snprintf(id, sizeof(id), "m%llu", (unsigned long long)n);
	op.u.setting.name = "n";
	op.u.setting.value = value;
	assert_int_equal(store_batch_add(b, &op), 0);
	op = (struct store_op){ .kind = STORE_OUTBOX_PUT,
		.u.outbox = { .id = id, .created = (int64_t)n, .count = 1 } };
	assert_int_equal(store_batch_add(b, &op), 0);
	assert_int_equal(store_thread_push(f->thread, n, b), 0);
}

static void push_empty(struct fixture *f, uint64_t n)
{
	struct store_batch *b = store_batch_new();

	assert_non_null(b);
	assert_int_equal(store_thread_push(f->thread, n, b), 0);
}

/* Waits until n is reported as committed. */
static void await_number(struct fixture *f, uint64_t n)
{
	pthread_mutex_lock(&f->lock);
	while (!f->count || f->reports[f->count - 1].committed < n)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static void await_reports(struct fixture *f, size_t count)
{
	pthread_mutex_lock(&f->lock);
	while (f->count < count)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

static void hold_job(struct store *s, void *arg)
{
	struct fixture *f = arg;

	(void)s;
	pthread_mutex_lock(&f->lock);
	f->held = true;
	pthread_cond_broadcast(&f->changed);
	while (!f->release)
		pthread_cond_wait(&f->changed, &f->lock);
	f->held = f->release = false;
	pthread_mutex_unlock(&f->lock);
}

static void held_await(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->held)
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

/* Returns when the thread stands in a job. */
static void hold(struct fixture *f)
{
	assert_int_equal(store_thread_run(f->thread, hold_job, NULL, f), 0);
	held_await(f);
}

static void let_go(struct fixture *f)
{
	pthread_mutex_lock(&f->lock);
	f->release = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void note_job(struct store *s, void *arg)
{
	struct fixture *f = arg;

	assert_ptr_equal(s, f->store);
	pthread_mutex_lock(&f->lock);
	mark(f, 'j');
	pthread_mutex_unlock(&f->lock);
}

static void note_done(void *arg)
{
	struct fixture *f = arg;

	pthread_mutex_lock(&f->lock);
	mark(f, 'd');
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void await_order(struct fixture *f, const char *part)
{
	pthread_mutex_lock(&f->lock);
	while (!strstr(f->order, part))
		pthread_cond_wait(&f->changed, &f->lock);
	pthread_mutex_unlock(&f->lock);
}

struct content {
	uint64_t n;                /* of the switch */
	unsigned rows;             /* of the outbox, oldest first: 1, 2, 3 */
};

static int content_switch(const char *name, const char *value, void *arg)
{
	assert_string_equal(name, "n");
	((struct content *)arg)->n = strtoull(value, NULL, 10);
	return 0;
}

static int content_outbox(const struct store_outbox *o, void *arg)
{
	return o->created == ++((struct content *)arg)->rows ? 0 : EPROTO;
}

/* With no thread at work: batches 1 to n are stored, and no more. */
static void assert_stored(struct fixture *f, unsigned n)
{
	struct store_load_handlers h = {
		.switch_h = content_switch, .outbox_h = content_outbox,
	};
	struct content c = { 0 };

	assert_int_equal(f->store->v->load(f->store, &h, &c), 0);
	assert_int_equal(c.n, n);
	assert_int_equal(c.rows, n);
}

static void assert_monotonic(struct fixture *f)
{
	for (size_t i = 1; i < f->count; i++)
		assert_true(f->reports[i].committed >=
			    f->reports[i - 1].committed);
}

/* The n-th row says as much of one letter. */
static const char *body_of(unsigned n)
{
	static char body[1600];
	size_t len = n * 37 % (sizeof(body) - 1);

	memset(body, 'a' + (int)(n % 26), len);
	body[len] = 0;
	return body;
}

static int content_body(const struct store_outbox *o, void *arg)
{
	unsigned n = ++*(unsigned *)arg;

	assert_int_equal(o->created, n);
	assert_string_equal(o->body, body_of(n));
	return 0;
}

/* Batches that go on in the memory of those the thread has done with. */
static void test_memory_in_turn(void **state)
{
	struct fixture *f = *state;
	struct store_load_handlers h = { .outbox_h = content_body };
	struct store_batch *b = store_batch_new(), *next;
	unsigned rows = 0, found = 0;

	for (uint64_t n = 1; n <= 200; n++) {
		assert_non_null(b);
		for (uint64_t k = n * 7 % 40; k; k--) {
			struct store_op op = { .kind = STORE_OUTBOX_PUT };
			char id[24];

			snprintf(id, sizeof(id), "m%u", ++rows);
			op.u.outbox.id = id;
			op.u.outbox.created = rows;
			op.u.outbox.body = body_of(rows);
			assert_int_equal(store_batch_add(b, &op), 0);
		}
		next = store_batch_next(b);
		assert_int_equal(store_thread_push(f->thread, n, b), 0);
		b = next;
	}
	await_number(f, 200);
	store_batch_free(b);
	assert_int_equal(stop_now(f, 0), 0);
	assert_int_equal(f->store->v->load(f->store, &h, &found), 0);
	assert_int_equal(found, rows);
}

static void test_order(void **state)
{
	struct fixture *f = *state;
	size_t ops = 1, bytes = 1;

	for (uint64_t n = 1; n <= 100; n++)
		push(f, n);
	await_number(f, 100);
	store_thread_backlog(f->thread, &ops, &bytes);
	assert_int_equal(ops, 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(stop_now(f, 0), 0);
	assert_monotonic(f);
	assert_stored(f, 100);
}

/* What waits is committed at once and reported with its highest number. */
static void test_joins(void **state)
{
	struct fixture *f = *state;
	size_t ops, bytes;

	hold(f);
	push(f, 1);
	store_thread_backlog(f->thread, &ops, &bytes);
	assert_int_equal(ops, 2);
	assert_true(bytes > 0);
	push(f, 2);
	push_empty(f, 3);
	push(f, 4);
	store_thread_backlog(f->thread, &ops, &bytes);
	assert_int_equal(ops, 6);
	let_go(f);
	await_number(f, 4);
	assert_int_equal(f->count, 1);
	assert_int_equal(f->reports[0].err, 0);
	assert_false(f->reports[0].text);
}

static void test_empty_batch(void **state)
{
	struct fixture *f = *state;

	store_memory_fail(f->store, EIO, UINT_MAX);
	push_empty(f, 1);
	await_number(f, 1);
	assert_int_equal(f->reports[0].err, 0);
}

static struct store_vtable gate;   /* the memory store's, but for commit */
static const struct store_vtable *behind;
static struct fixture *gated;

static int gate_commit(struct store *s, const struct store_batch *b)
{
	hold_job(s, gated);
	return behind->commit(s, b);
}

/* What comes during a commit is neither in it nor reported with it. */
static void test_push_during_commit(void **state)
{
	struct fixture *f = *state;

	gated = f;
	behind = f->store->v;
	gate = *behind;
	gate.commit = gate_commit;
	f->store->v = &gate;
	push(f, 1);
	held_await(f);
	push(f, 2);
	let_go(f);
	await_reports(f, 1);
	assert_int_equal(f->reports[0].committed, 1);
	held_await(f);
	let_go(f);
	await_number(f, 2);
	assert_int_equal(stop_now(f, 0), 0);
	assert_int_equal(f->count, 2);
	assert_stored(f, 2);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* A failed batch is kept, those that follow wait behind it, each attempt is
 * reported, 200 ms apart. */
static void test_retry(void **state)
{
	struct fixture *f = *state;
	int64_t began = now_ms();
	size_t ops, bytes;

	store_memory_fail(f->store, ENOSPC, 3);
	push(f, 1);
	await_reports(f, 1);
	push(f, 2);
	push(f, 3);
	await_number(f, 3);
	assert_true(now_ms() - began >= 600);
	store_thread_backlog(f->thread, &ops, &bytes);
	assert_int_equal(ops, 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(stop_now(f, 0), 0);
	assert_int_equal(f->count, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(f->reports[i].committed, 0);
		assert_int_equal(f->reports[i].err, ENOSPC);
		assert_true(f->reports[i].text);
	}
	assert_int_equal(f->reports[3].err, 0);
	assert_int_equal(f->reports[3].committed, 3);
	assert_stored(f, 3);
}

static int64_t used_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Between two attempts the thread sleeps. */
static void test_retry_sleeps(void **state)
{
	struct fixture *f = *state;
	int64_t began;

	store_memory_fail(f->store, ENOSPC, 4);
	push(f, 1);
	await_reports(f, 1);
	began = used_ms();
	await_number(f, 1);
	assert_true(used_ms() - began < 100);
}

static void signals_job(struct store *s, void *arg)
{
	(void)s;
	pthread_sigmask(SIG_SETMASK, NULL, arg);
}

/* They are for the thread that has the loop, which still takes them. */
static void test_signals_stay_away(void **state)
{
	static const int some[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1,
				    SIGCHLD };
	struct fixture *f = *state;
	sigset_t its, ours;

	sigemptyset(&its);
	assert_int_equal(store_thread_run(f->thread, signals_job, NULL, &its),
			 0);
	assert_int_equal(stop_now(f, 0), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &ours);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		assert_true(sigismember(&its, some[i]));
		assert_false(sigismember(&ours, some[i]));
	}
}

/* A new failure after a success: the number stands still. */
static void test_fails_again(void **state)
{
	struct fixture *f = *state;

	push(f, 1);
	await_number(f, 1);
	store_memory_fail(f->store, EIO, 1);
	push(f, 2);
	await_number(f, 2);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->reports[1].committed, 1);
	assert_int_equal(f->reports[1].err, EIO);
	assert_true(f->reports[1].text);
	assert_false(f->reports[2].text);
	assert_int_equal(stop_now(f, 0), 0);
	assert_stored(f, 2);
}

static void test_jobs(void **state)
{
	struct fixture *f = *state;

	hold(f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_thread_run(f->thread, note_job,
						  note_done, f), 0);
	let_go(f);
	await_order(f, "jdjdjd");
	assert_int_equal(store_thread_run(f->thread, note_job, NULL, f), 0);
	assert_int_equal(stop_now(f, 0), 0);
	assert_string_equal(f->order, "jdjdjdj");
}

/* Many jobs do not hold up a commit: it comes after the first of them. */
static void test_jobs_between_commits(void **state)
{
	struct fixture *f = *state;

	hold(f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_thread_run(f->thread, note_job,
						  note_done, f), 0);
	push(f, 1);
	let_go(f);
	await_order(f, "jdcjdjd");
}

/* While no commit succeeds, jobs still run. */
static void test_jobs_while_failing(void **state)
{
	struct fixture *f = *state;

	store_memory_fail(f->store, EIO, UINT_MAX);
	push(f, 1);
	await_reports(f, 1);
	assert_int_equal(store_thread_run(f->thread, note_job, note_done, f),
			 0);
	await_order(f, "jd");
	await_order(f, "dee");
	assert_int_equal(store_thread_run(f->thread, note_job, note_done, f),
			 0);
	await_order(f, "eejd");
	store_memory_fail(f->store, 0, 0);
	await_number(f, 1);
}

static void test_stop_idle(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(stop_now(f, 10000), 0);
	assert_int_equal(f->count, 0);
}

static void test_stop_with_backlog(void **state)
{
	struct fixture *f = *state;

	hold(f);
	for (uint64_t n = 1; n <= 50; n++)
		push(f, n);
	assert_int_equal(store_thread_run(f->thread, note_job, note_done, f),
			 0);
	let_go(f);
	assert_int_equal(stop_now(f, 0), 0);
	assert_int_equal(f->reports[f->count - 1].committed, 50);
	assert_non_null(strstr(f->order, "jd"));
	assert_stored(f, 50);
}

/* A stop does not wait for the next retry to come round. */
static void test_stop_after_failure(void **state)
{
	struct fixture *f = *state;

	store_memory_fail(f->store, EIO, 1);
	push(f, 1);
	await_reports(f, 1);
	push(f, 2);
	assert_int_equal(stop_now(f, 0), 0);
	assert_stored(f, 2);
}

static void test_stop_retries(void **state)
{
	struct fixture *f = *state;

	store_memory_fail(f->store, EIO, 3);
	push(f, 1);
	assert_int_equal(stop_now(f, 60000), 0);
	assert_int_equal(f->count, 4);
	assert_stored(f, 1);
}

static void test_stop_gives_up(void **state)
{
	struct fixture *f = *state;
	int64_t began = now_ms();

	store_memory_fail(f->store, ENOSPC, UINT_MAX);
	push(f, 1);
	assert_int_equal(stop_now(f, 300), ENOSPC);
	assert_true(now_ms() - began >= 300);
	assert_stored(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_memory_in_turn, start,
						stop),
		cmocka_unit_test_setup_teardown(test_order, start, stop),
		cmocka_unit_test_setup_teardown(test_joins, start, stop),
		cmocka_unit_test_setup_teardown(test_push_during_commit,
						start, stop),
		cmocka_unit_test_setup_teardown(test_empty_batch, start,
						stop),
		cmocka_unit_test_setup_teardown(test_retry, start, stop),
		cmocka_unit_test_setup_teardown(test_retry_sleeps, start,
						stop),
		cmocka_unit_test_setup_teardown(test_signals_stay_away, start,
						stop),
		cmocka_unit_test_setup_teardown(test_fails_again, start,
						stop),
		cmocka_unit_test_setup_teardown(test_jobs, start, stop),
		cmocka_unit_test_setup_teardown(test_jobs_between_commits,
						start, stop),
		cmocka_unit_test_setup_teardown(test_jobs_while_failing,
						start, stop),
		cmocka_unit_test_setup_teardown(test_stop_idle, start, stop),
		cmocka_unit_test_setup_teardown(test_stop_with_backlog, start,
						stop),
		cmocka_unit_test_setup_teardown(test_stop_after_failure,
						start, stop),
		cmocka_unit_test_setup_teardown(test_stop_retries, start,
						stop),
		cmocka_unit_test_setup_teardown(test_stop_gives_up, start,
						stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
