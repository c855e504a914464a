/* turn.c: what the daemon does in one turn, without a loop: what is due, and
 * how it comes and goes. main.c calls it from libuv, a simulation from its own
 * time.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "mod_privatecall/daemon/clock.h"

#define PRUNE_MS (3600 * 1000)

/* --- parts ------------------------------------------------------------ */

int daemon_make(struct daemon *dm)
{
	struct gateway_conf gc;

	dm->site = dm->conf->site;
	gc.domain = dm->conf->domain;
	gc.hosts = (const char *const *)dm->conf->hosts;
	gc.site = &dm->site;
	dm->arena = arena_new(DAEMON_ARENA_BYTES);
	dm->gateway = gateway_new(&gc);
	dm->outbox = outbox_new(dm->conf->notices_per_user);
	dm->iqs = iq_table_new(DAEMON_IQS_MAX);
	dm->module_iqs = iq_table_new(DAEMON_IQS_MAX);
	if (!dm->arena || !dm->gateway || !dm->outbox || !dm->iqs ||
	    !dm->module_iqs)
		return ENOMEM;
	return 0;
}

void daemon_unmake(struct daemon *dm)
{
	uplink_free(dm);
	check_free(dm);
	modules_free(dm);
	calls_free(dm);
	notices_free(dm);
	users_free(dm);
	gateway_free(dm->gateway);
	outbox_free(dm->outbox);
	iq_table_free(dm->iqs);
	iq_table_free(dm->module_iqs);
	arena_free(dm->arena);
	arena_free(dm->written);
	spares_free(&dm->spares);
}

/* --- the tick --------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t daemon_deadline(const struct daemon *dm)
{
	int64_t t = hold_deadline(dm);

	if (dm->link_was_up)
		t = earlier(t, calls_deadline(dm));
	if (dm->draining && !dm->live)
		t = clock_now();
	t = earlier(t, iq_table_deadline(dm->iqs));
	t = earlier(t, gateway_deadline(dm->gateway));
	t = earlier(t, modules_deadline(dm));
	t = earlier(t, check_deadline(dm));
	t = earlier(t, media_deadline(dm));
	if (dm->verify_at)
		t = earlier(t, dm->verify_at);
	if (dm->ask_at)
		t = earlier(t, dm->ask_at);
	return earlier(t, dm->prune_at);
}

/* --- retention: what is too old goes, on the store thread ------------- */

struct prune_job {
	int64_t log_before, outbox_before;
};

static void prune_job(struct store *s, void *arg)
{
	struct prune_job *j = arg;

	s->v->prune(s, j->log_before, j->outbox_before);
}

static void prune(struct daemon *dm)
{
	struct prune_job *j = malloc(sizeof(*j));

	notices_expire(dm);
	if (!j)
		return;
	j->log_before = clock_wall() - dm->conf->keep_log;
	j->outbox_before = clock_wall() - dm->conf->keep_notices;
	if (store_thread_run(dm->thread, prune_job, free, j))
		free(j);
}

void daemon_tick(struct daemon *dm)
{
	int64_t now = clock_now();
	struct gateway_env env = { .arena = dm->arena, .now = now,
				   .wall = clock_wall() };

	if (dm->stopping)
		return;
	modules_tick(dm, now);
	check_tick(dm, now);
	media_tick(dm, now);
	/* Restored calls end, if they do, by what the server's first word
	 * brings: not by timers that ran while nobody could be told. */
	if (dm->link_was_up)
		calls_tick(dm, now);
	route_iq_timeouts(dm, now);
	hold_tick(dm);
	gateway_tick(dm->gateway, &env);
	route_gateway(dm, &env);
	arena_reset(dm->arena);
	if (now >= dm->prune_at) {
		dm->prune_at = now + PRUNE_MS;
		prune(dm);
	}
	if (dm->verify_at && now >= dm->verify_at) {
		dm->verify_at = 0;
		calls_verify(dm);
	}
	if (dm->ask_at && now >= dm->ask_at) {
		dm->ask_at = 0;
		calls_all(dm, CALL_EV_LINKED);
	}
	if (dm->draining && !dm->live)
		daemon_stop(dm, 0);
}

/* --- the end ---------------------------------------------------------- */

void daemon_drain(struct daemon *dm)
{
	dm->draining = true;
	log_line(LOG_INFO, "draining: no new calls, ends with the last one",
		 NULL);
	calls_all(dm, CALL_EV_DRAIN);
}

void daemon_withdraw(struct daemon *dm)
{
	struct gateway_env env = { .arena = dm->arena, .now = clock_now(),
				   .wall = clock_wall() };

	dm->draining = true;
	calls_all(dm, CALL_EV_DRAIN);
	gateway_stop(dm->gateway, &env);
	route_gateway(dm, &env);
	arena_reset(dm->arena);
}
