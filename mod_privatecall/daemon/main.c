/* main.c: privatecalld: options, signals, the loop, start and stop. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sysexits.h>
#include <unistd.h>
#include "config.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/daemon/daemon.h"

#define STOP_MS 2000

/* --- the timer -------------------------------------------------------- */

static void on_timer(uv_timer_t *t)
{
	daemon_tick(t->data);
}

static void arm(struct daemon *dm)
{
	int64_t t = daemon_deadline(dm), now = clock_now();

	uv_timer_start(&dm->timer, on_timer,
		       t > now ? (uint64_t)(t - now) : 0, 0);
}

/* --- stop ------------------------------------------------------------- */

static void on_closed(void *arg)
{
	struct daemon *dm = arg;

	hold_stop(dm);
	uv_stop(&dm->loop);
}

static void on_ctl_closed(void *arg)
{
	struct daemon *dm = arg;

	dm->ctl = NULL;
	link_stop(dm->link, on_closed, dm);
}

/* Ends once what waited for the store has been sent, in 2 s at most. */
static void leave(struct daemon *dm)
{
	bool settled = hold_settled(dm);

	if (dm->leaving || (!settled && clock_now() < dm->stop_at))
		return;
	dm->leaving = true;
	ctl_server_stop(dm->ctl, on_ctl_closed, dm);
}

void daemon_stop(struct daemon *dm, int exit_code)
{
	if (dm->stopping)
		return;
	dm->exit_code = exit_code;
	log_line(LOG_INFO, "stopping", NULL);
	daemon_withdraw(dm);
	dm->stopping = true;
	dm->stop_at = clock_now() + STOP_MS;
	uv_timer_start(&dm->timer, on_timer, STOP_MS, 0);
}

/* Before the loop sleeps: what came together is stored together. */
static void on_prepare(uv_prepare_t *p)
{
	struct daemon *dm = p->data;

	calls_trim(dm);
	hold_flush(dm);
	if (dm->stopping)
		leave(dm);
	else
		arm(dm);
}

static void on_committed(uv_async_t *a)
{
	struct daemon *dm = a->data;

	if (dm->thread)
		hold_on_committed(dm);
	daemon_tick(dm);
}

/* --- reload, signals -------------------------------------------------- */

static void diff_line(const char *line, void *arg)
{
	(void)arg;
	log_line(LOG_INFO, "changed", "setting", line, NULL);
}

/* What the gateway and the outbox were made with counts, too. */
static const char *needs_restart(const struct conf *old,
				 const struct conf *fresh)
{
	const char *name = conf_needs_restart(old, fresh);
	size_t i = 0;

	if (name)
		return name;
	while (old->hosts[i] && fresh->hosts[i] &&
	       strcmp(old->hosts[i], fresh->hosts[i]) == 0)
		i++;
	if (old->hosts[i] || fresh->hosts[i])
		return "hosts";
	return old->notices_per_user != fresh->notices_per_user ?
	       "notices_per_user" : NULL;
}

char *daemon_reload(struct daemon *dm)
{
	struct conf *fresh = NULL;
	char *why = NULL;
	const char *fixed;

	if (conf_load(dm->conf_path, &fresh, &why)) {
		log_line(LOG_ERROR, "the old configuration stays", "why", why,
			 NULL);
		return why ? why : strdup("out of memory");
	}
	fixed = needs_restart(dm->conf, fresh);
	if (fixed) {
		if (asprintf(&why, "%s: `%s' changes only by a restart",
			     dm->conf_path, fixed) < 0)
			why = NULL;
		log_line(LOG_ERROR, "the old configuration stays", "why", why,
			 NULL);
		conf_free(fresh);
		return why ? why : strdup("out of memory");
	}
	conf_diff(dm->conf, fresh, diff_line, NULL);
	conf_free(dm->conf);
	dm->conf = fresh;
	log_set_privacy(fresh->log_privacy);
	switches_apply(dm);
	log_line(LOG_INFO, "configuration reloaded", NULL);
	switches_report(dm);
	return NULL;
}

static void on_signal(uv_signal_t *s, int signum)
{
	struct daemon *dm = s->data;

	if (signum == SIGHUP)
		free(daemon_reload(dm));
	else
		daemon_stop(dm, 0);
}

static void on_drained(void *arg)
{
	hold_link_ready(arg);
}

/* --- start ------------------------------------------------------------ */

static int start_link(struct daemon *dm)
{
	struct link_conf lc = {
		.host = dm->conf->server, .port = dm->conf->port,
		.domain = dm->conf->domain, .secret = dm->conf->secret,
		.ping_to = dm->conf->hosts[0],
		.queue_bytes = LINK_QUEUE_BYTES, .limits = xml_limits_default,
	};
	static const struct link_handlers handlers = {
		uplink_event, route_stanza, route_skipped, on_drained,
	};

	return link_new(&dm->loop, &lc, &handlers, dm, &dm->link);
}

/* The commands of this build: the table, and the test clock's if there. */
static int start_ctl(struct daemon *dm, char **why_r)
{
	const struct ctl_command *clock = clock_command(), *c;
	size_t n = 0;

	for (c = commands_table; c->name; c++)
		n++;
	dm->commands = calloc(n + 2, sizeof(*c));
	if (!dm->commands)
		return ENOMEM;
	memcpy(dm->commands, commands_table, n * sizeof(*c));
	if (clock)
		dm->commands[n] = *clock;
	return ctl_server_start(&dm->loop, dm->conf->control_socket,
				dm->commands, dm, &dm->ctl, why_r);
}

/* 0 or an errno: the loop needs descriptors. Its data is set once it is one
 * that must be closed. */
static int start_loop(struct daemon *dm)
{
	static const int signums[] = { SIGHUP, SIGTERM, SIGINT };
	int i, rc = uv_loop_init(&dm->loop);

	if (rc)
		return -rc;
	dm->loop.data = dm;
	uv_timer_init(&dm->loop, &dm->timer);
	dm->timer.data = dm;
	rc = uv_async_init(&dm->loop, &dm->committed_async, on_committed);
	dm->committed_async.data = dm;
	uv_prepare_init(&dm->loop, &dm->flush);
	dm->flush.data = dm;
	uv_prepare_start(&dm->flush, on_prepare);
	for (i = 0; i < 3 && !rc; i++) {
		rc = uv_signal_init(&dm->loop, &dm->signals[i]);
		dm->signals[i].data = dm;
		if (!rc)
			rc = uv_signal_start(&dm->signals[i], on_signal,
					     signums[i]);
	}
	return -rc;
}

/* Two daemons on one database would end each other's calls. The lock goes with
 * the process; a folder that takes no file is the store's to complain about. */
static int lock_database(struct daemon *dm, char **why_r)
{
	char *path;
	int rc = 0;

	if (asprintf(&path, "%s-lock", dm->conf->database) < 0)
		return ENOMEM;
	dm->lock = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (dm->lock >= 0 && flock(dm->lock, LOCK_EX | LOCK_NB)) {
		rc = EBUSY;
		if (asprintf(why_r, "%s: another privatecalld runs on this "
			     "database (it holds %s); stop that one first",
			     dm->conf->database, path) < 0)
			*why_r = NULL;
	}
	free(path);
	return rc;
}

static int start(struct daemon *dm, char **why_r)
{
	int rc = daemon_make(dm);

	if (!rc)
		rc = preflight(dm->conf, why_r);
	if (!rc)
		rc = lock_database(dm, why_r);
	if (!rc)
		rc = store_sqlite_open(dm->conf->database, &dm->store, why_r);
	if (rc)
		return rc;
	rc = start_loop(dm);
	if (!rc)
		rc = hold_start(dm);
	if (!rc)
		rc = recover_load(dm, why_r);
	if (!rc)
		rc = start_link(dm);
	if (!rc)
		rc = start_ctl(dm, why_r);
	if (rc)
		return rc;
	switches_apply(dm);
	switches_report(dm);
	rc = media_start(dm);
	if (rc)
		return rc;
	link_start(dm->link);
	return 0;
}

static void on_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void clean(struct daemon *dm)
{
	dm->stopping = dm->leaving = true;
	hold_stop(dm);
	if (dm->loop.data)
		uv_run(&dm->loop, UV_RUN_NOWAIT);      /* answers to ctl */
	link_free(dm->link);
	media_stop(dm);
	daemon_unmake(dm);
	if (dm->loop.data) {
		uv_walk(&dm->loop, on_walk, NULL);
		uv_run(&dm->loop, UV_RUN_DEFAULT);
		uv_loop_close(&dm->loop);
	}
	if (dm->store)
		dm->store->v->close(dm->store);
	if (dm->lock >= 0)
		close(dm->lock);
	conf_free(dm->conf);
	free(dm->commands);
	free(dm->conf_path);
}

/* A configuration, database or socket that cannot be used is the admin's to
 * mend: EX_CONFIG (78) keeps systemd from trying again and again. What the
 * system lacks for now is worth another try. */
static int code_of(int rc)
{
	return rc == ENOMEM || rc == EMFILE || rc == ENFILE ? EXIT_FAILURE :
							      EX_CONFIG;
}

static int run(const char *path, struct conf *conf)
{
	static struct daemon dm;
	char *why = NULL, user[32];
	int rc;

	dm.conf = conf;
	dm.lock = -1;
	dm.conf_path = strdup(path);
	dm.enabled_override = dm.messaging_override = -1;
	dm.started = dm.uplink.since = clock_wall();
	signal(SIGPIPE, SIG_IGN);      /* a ctl client may leave early */
	rc = start(&dm, &why);
	if (rc) {
		fprintf(stderr, "privatecalld: %s\n", why ? why :
			strerror(rc));
		free(why);
		clean(&dm);
		return code_of(rc);
	}
	log_line(LOG_INFO, "started", "version", PACKAGE_VERSION, "user",
		 preflight_user(user), "configuration", path, NULL);
	uv_run(&dm.loop, UV_RUN_DEFAULT);
	log_line(LOG_INFO, "stopped", NULL);
	rc = dm.exit_code;
	clean(&dm);
	return rc;
}

static void usage(FILE *out)
{
	fputs("Usage: privatecalld -c FILE [--check | --print-config]\n"
	      "  -c, --config FILE  configuration, see privatecall.conf(5)\n"
	      "  --check            look at configuration, database and "
	      "folders, say what is\n"
	      "                     wrong, exit\n"
	      "  --print-config     print the settings in force, the secret "
	      "masked\n"
	      "  --version, --help\n", out);
}

static int check(struct conf *conf)
{
	struct store *store = NULL;
	char *why = NULL;
	int rc = preflight(conf, &why);

	if (!rc)
		rc = ctl_path_check(conf->control_socket, &why);
	if (!rc)
		rc = store_sqlite_open(conf->database, &store, &why);
	if (rc) {
		fprintf(stderr, "privatecalld: %s\n", why ? why :
			strerror(rc));
		free(why);
	} else {
		store->v->close(store);
		puts("configuration, database and the folder of the control "
		     "socket are fine");
	}
	conf_free(conf);
	return rc ? EX_CONFIG : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "print-config", no_argument, NULL, 'p' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = "/etc/privatecall/privatecall.conf";
	int what = 0, o, rc;
	struct conf *conf;
	char *why = NULL;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (o == 'c') {
			path = optarg;
		} else if (o == 'k' || o == 'p') {
			what = o;
		} else if (o == 'V') {
			puts("privatecalld " PACKAGE_VERSION);
			return 0;
		} else {
			usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? 0 : EX_USAGE;
		}
	}
	if (optind < argc) {
		usage(stderr);
		return EX_USAGE;
	}
	rc = conf_load(path, &conf, &why);
	if (rc) {
		char *better = preflight_conf(path, rc);

		if (better) {
			free(why);
			why = better;
		}
		fprintf(stderr, "privatecalld: %s\n", why ? why :
			"out of memory");
		free(why);
		return code_of(rc);
	}
	if (what == 'k')
		return check(conf);
	if (what == 'p') {
		conf_print(conf, stdout);
		conf_free(conf);
		return 0;
	}
	return run(path, conf);
}
