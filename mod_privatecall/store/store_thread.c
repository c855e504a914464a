/* store_thread.c: the thread that runs a store: it joins the batches that
 * wait, commits them in one transaction and reports the number. What failed
 * is kept and tried again; jobs run between attempts.
 */
#include "mod_privatecall/store/store.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "mod_privatecall/store/batch.h"

#define RETRY_MS 200

struct job {
	struct job *next;
	void (*run)(struct store *s, void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct store_thread {
	struct store *store;       /* the thread's alone while it runs */
	store_done_h *done_h;
	void *arg;
	pthread_t thread;

	/* The thread's alone. */
	struct store_batch *taken; /* what the next attempt commits */
	uint64_t taken_n;          /* highest number within */
	int64_t retry_at;          /* monotonic ms, 0: no failure */

	pthread_mutex_t lock;      /* of all below */
	pthread_cond_t wake;       /* work came, or the end */
	struct store_batch *waiting;
	uint64_t pushed;           /* highest number handed over */
	uint64_t committed;
	size_t ops, bytes;         /* handed over and not committed */
	struct job *jobs, **jobs_end;
	bool stopping;
	int64_t stop_at;           /* monotonic ms */
	int error;                 /* of the last attempt */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void wait_until(struct store_thread *t, int64_t ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000,
	};

	pthread_cond_timedwait(&t->wake, &t->lock, &ts);
}

/* Runs the oldest job, without the lock. */
static void job_run(struct store_thread *t)
{
	struct job *job = t->jobs;

	t->jobs = job->next;
	if (!t->jobs)
		t->jobs_end = &t->jobs;
	pthread_mutex_unlock(&t->lock);
	job->run(t->store, job->arg);
	if (job->done)
		job->done(job->arg);
	free(job);
	pthread_mutex_lock(&t->lock);
}

/* Commits all there is and reports, without the lock. */
static void attempt(struct store_thread *t)
{
	size_t ops, bytes;
	uint64_t committed;
	int err = 0;

	store_batch_join(t->taken, t->waiting);
	t->taken_n = t->pushed;
	pthread_mutex_unlock(&t->lock);
	ops = store_batch_count(t->taken);
	bytes = store_batch_bytes(t->taken);
	if (ops)
		err = t->store->v->commit(t->store, t->taken);
	pthread_mutex_lock(&t->lock);
	t->error = err;
	t->retry_at = err ? now_ms() + RETRY_MS : 0;
	if (!err) {
		t->committed = t->taken_n;
		t->ops -= ops;
		t->bytes -= bytes;
	}
	committed = t->committed;
	pthread_mutex_unlock(&t->lock);
	if (!err)
		store_batch_clear(t->taken);
	t->done_h(committed, err, err ? t->store->error : "", t->arg);
	pthread_mutex_lock(&t->lock);
}

/* What is left of a wait once nothing is due. */
static void idle(struct store_thread *t)
{
	int64_t until = t->retry_at;

	if (t->committed == t->pushed) {
		pthread_cond_wait(&t->wake, &t->lock);
		return;
	}
	if (t->stopping && t->stop_at < until)
		until = t->stop_at;
	wait_until(t, until);
}

static void *thread_main(void *arg)
{
	struct store_thread *t = arg;
	bool last = false;         /* the attempt that a stop is owed */

	pthread_mutex_lock(&t->lock);
	for (;;) {
		bool work = t->committed != t->pushed;
		bool due = work && now_ms() >= t->retry_at;
		bool job = t->jobs != NULL;

		if (t->stopping && !last) {
			last = true;
			due = work;
		}
		if (job)
			job_run(t);
		if (due)
			attempt(t);
		if (job || due)
			continue;
		if (t->stopping && (!work || now_ms() >= t->stop_at))
			break;
		idle(t);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void thread_free(struct store_thread *t)
{
	store_batch_free(t->taken);
	store_batch_free(t->waiting);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* All signals stay with the thread that has the loop. */
static int thread_create(struct store_thread *t)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&t->thread, NULL, thread_main, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

int store_thread_start(struct store *s, store_done_h *done_h, void *arg,
		       struct store_thread **t_r)
{
	struct store_thread *t = calloc(1, sizeof(*t));
	pthread_condattr_t attr;
	int err;

	if (!t)
		return ENOMEM;
	t->store = s;
	t->done_h = done_h;
	t->arg = arg;
	t->jobs_end = &t->jobs;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&t->wake, &attr);
	pthread_condattr_destroy(&attr);
	t->taken = store_batch_new();
	t->waiting = store_batch_new();
	err = t->taken && t->waiting ? thread_create(t) : ENOMEM;
	if (err) {
		thread_free(t);
		return err;
	}
	*t_r = t;
	return 0;
}

int store_thread_push(struct store_thread *t, uint64_t n,
		      struct store_batch *b)
{
	pthread_mutex_lock(&t->lock);
	assert(n > t->pushed && !t->stopping);
	t->pushed = n;
	t->ops += store_batch_count(b);
	t->bytes += store_batch_bytes(b);
	store_batch_join(t->waiting, b);
	pthread_mutex_unlock(&t->lock);
	/* Not with the lock, for which the thread would wait at once. */
	pthread_cond_signal(&t->wake);
	store_batch_free(b);
	return 0;
}

int store_thread_run(struct store_thread *t,
		     void (*job)(struct store *s, void *arg),
		     void (*done)(void *arg), void *arg)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return ENOMEM;
	j->run = job;
	j->done = done;
	j->arg = arg;
	pthread_mutex_lock(&t->lock);
	*t->jobs_end = j;
	t->jobs_end = &j->next;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	return 0;
}

void store_thread_backlog(struct store_thread *t, size_t *ops_r,
			  size_t *bytes_r)
{
	pthread_mutex_lock(&t->lock);
	*ops_r = t->ops;
	*bytes_r = t->bytes;
	pthread_mutex_unlock(&t->lock);
}

int store_thread_stop(struct store_thread *t, int ms)
{
	int err = 0;

	pthread_mutex_lock(&t->lock);
	t->stopping = true;
	t->stop_at = now_ms() + ms;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	if (t->committed != t->pushed)
		err = t->error ? t->error : EIO;
	thread_free(t);
	return err;
}
