/* commands.c: what privatecallctl can ask (F3, F40, X11). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "config.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/daemon/daemon.h"

/* Text that grows; freed by the caller. */
struct text {
	char *data;
	size_t len;
	FILE *out;
};

static bool text_open(struct text *t, struct ctl_request *r)
{
	t->data = NULL;
	t->out = open_memstream(&t->data, &t->len);
	if (!t->out)
		ctl_answer(r, 1, NULL, "out of memory");
	return t->out != NULL;
}

static void text_answer(struct text *t, struct ctl_request *r, json_t *data)
{
	fclose(t->out);
	while (t->len && t->data[t->len - 1] == '\n')
		t->data[--t->len] = 0;
	ctl_answer(r, 0, data, "%s", t->data);
	free(t->data);
}

static const char *media_name(unsigned media)
{
	return media & MEDIA_VIDEO ? "video" : "audio";
}

/* --- switches --------------------------------------------------------- */

static const char not_stored[] =
	"not changed: the database does not take writes now";

/* What was changed is answered when it is stored: an acknowledged change is
 * never lost. */
struct change {
	struct ctl_request *request;
	struct daemon *dm;
	void (*answer)(struct change *ch);
	const char *what;          /* a switch */
	char *bare;                /* of a user's setting */
};

static void on_changed(bool stored, void *arg)
{
	struct change *ch = arg;

	if (stored)
		ch->answer(ch);
	else
		ctl_answer(ch->request, 1, NULL, "changed for now, but not "
			   "stored: the database does not take writes");
	free(ch->bare);
	free(ch);
}

static void answer_later(const struct change *what)
{
	struct change *ch = malloc(sizeof(*ch));

	if (!ch) {
		free(what->bare);
		ctl_answer(what->request, 1, NULL, "out of memory");
		return;
	}
	*ch = *what;
	hold_when(ch->dm, ch->dm->open_n, on_changed, ch);
}

static void answer_switch(struct change *ch)
{
	struct text t;

	if (!text_open(&t, ch->request))
		return;
	fprintf(t.out, "%s ", ch->what);
	status_put_switch(t.out, ch->dm, ch->what);
	text_answer(&t, ch->request, json_pack("{s:o}", ch->what,
		    status_switch_json(ch->dm, ch->what)));
}

/* `to`: as in switches_set(). */
static void change_switch(struct ctl_request *r, struct daemon *dm,
			  const char *name, int to)
{
	struct change ch = { .request = r, .dm = dm, .what = name,
			     .answer = answer_switch };

	if (switches_set(dm, name, to))
		ctl_answer(r, 1, NULL, "%s", not_stored);
	else
		answer_later(&ch);
}

static void run_enable(struct ctl_request *r, int argc, char **argv,
		       void *arg)
{
	(void)argc, (void)argv;
	change_switch(r, arg, "enabled", 1);
}

static void run_disable(struct ctl_request *r, int argc, char **argv,
			void *arg)
{
	(void)argc, (void)argv;
	change_switch(r, arg, "enabled", 0);
}

static void run_messaging(struct ctl_request *r, int argc, char **argv,
			  void *arg)
{
	bool on = strcmp(argv[1], "on") == 0;

	(void)argc;
	if (!on && strcmp(argv[1], "off") != 0)
		ctl_answer(r, 2, NULL, "expected: messaging on|off");
	else
		change_switch(r, arg, "messaging", on);
}

/* What was said before is forgotten, the configuration decides again. */
static void run_default(struct ctl_request *r, int argc, char **argv,
			void *arg)
{
	size_t i = 0;

	(void)argc;
	while (switches_names[i] && strcmp(switches_names[i], argv[1]) != 0)
		i++;
	if (switches_names[i])
		change_switch(r, arg, switches_names[i], -1);
	else
		ctl_answer(r, 2, NULL, "expected: default enabled|messaging");
}

/* --- calls ------------------------------------------------------------ */

/* NULL: that depends on who answers, and what he is offered. */
static const char *mode_name(const struct call *c)
{
	return c->decided || c->state >= CALL_UP ? media_mode_name(c->mode) :
						   NULL;
}

/* How far a role's media have come; NULL: they do not go through us. */
static const char *reached(const struct call *c, unsigned role)
{
	return c->mode != MODE_DIRECT && c->state == CALL_UP ?
	       call_step_name(call_reached(c, role)) : NULL;
}

static json_t *call_json(const struct call *c)
{
	const struct leg *from = &c->leg[c->caller];
	const struct leg *to = &c->leg[!c->caller];

	return json_pack("{s:s,s:i,s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:s,s:s?,s:s?,"
			 "s:s?,s:s?,s:s?}",
			 "id", c->id, "round", (int)c->round,
			 "caller", from->user, "callee", to->user,
			 "media", media_name(c->media),
			 "started", status_time_json(c->rung_wall),
			 "answered", status_time_json(c->answered_wall),
			 "state", call_state_name(c->state),
			 "caller_leg", leg_state_name(from->state),
			 "callee_leg", leg_state_name(to->state),
			 "caller_device", from->device,
			 "callee_device", to->device,
			 "mode", mode_name(c),
			 "caller_media", reached(c, 0),
			 "callee_media", reached(c, 1));
}

static void run_calls(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;
	struct call_entry *e;
	json_t *list = json_array();
	struct text t;
	unsigned n = 0;

	(void)argc, (void)argv;
	if (!text_open(&t, r)) {
		json_decref(list);
		return;
	}
	for (e = calls_next(dm, NULL); e; e = calls_next(dm, e)) {
		struct call *c = &e->call;

		if (!call_is_live(c) && c->state != CALL_OPEN)
			continue;
		n++;
		fprintf(t.out, "%s  %-8s %s -> %s  %s%s%s\n", c->id,
			call_state_name(c->state), c->leg[c->caller].user,
			c->leg[!c->caller].user, media_name(c->media),
			c->mode == MODE_DIRECT ? "" : ", ",
			c->mode == MODE_DIRECT ? "" :
						 media_mode_name(c->mode));
		json_array_append_new(list, call_json(c));
	}
	if (!n)
		fputs("no calls", t.out);
	text_answer(&t, r, json_pack("{s:o}", "calls", list));
}

static struct call_entry *need_call(struct ctl_request *r, struct daemon *dm,
				    const char *id)
{
	struct call_entry *e = calls_find(dm, id);

	if (!e)
		ctl_answer(r, 3, NULL, "no call of that id now (a unique "
			   "beginning of at least 4 characters is enough); "
			   "ended calls: privatecallctl log");
	return e;
}

static void run_call(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct call_entry *e = need_call(r, arg, argv[1]);
	struct call *c;
	const struct leg *from, *to;
	char started[32], answered[32];

	(void)argc;
	if (!e)
		return;
	c = &e->call;
	from = &c->leg[c->caller];
	to = &c->leg[!c->caller];
	status_time(c->rung_wall, started);
	status_time(c->answered_wall, answered);
	ctl_answer(r, 0, call_json(c),
		   "call      %s\nstate     %s\nmedia     %s, mode %s\n"
		   "caller    %s (%s, %s)\ncallee    %s (%s, %s)\n"
		   "round     %u\nstarted   %s\nanswered  %s%s%s%s%s",
		   c->id, call_state_name(c->state), media_name(c->media),
		   mode_name(c) ? mode_name(c) : "not decided yet",
		   from->user, from->device ? from->device : "-",
		   leg_state_name(from->state), to->user,
		   to->device ? to->device : "-", leg_state_name(to->state),
		   c->round, started, answered,
		   reached(c, 0) ? "\nmedia of the caller have come to: " : "",
		   reached(c, 0) ? reached(c, 0) : "",
		   reached(c, 1) ? "\nmedia of the callee have come to: " : "",
		   reached(c, 1) ? reached(c, 1) : "");
}

static void run_hangup(struct ctl_request *r, int argc, char **argv,
		       void *arg)
{
	struct daemon *dm = arg;
	struct call_entry *e = need_call(r, dm, argv[1]);
	struct call_event ev = { .kind = CALL_EV_HANGUP };
	char id[CALL_ID_SIZE];

	(void)argc;
	if (!e)
		return;
	if (!call_is_live(&e->call) && e->call.state != CALL_OPEN) {
		ctl_answer(r, 3, NULL, "that call has ended");
		return;
	}
	memcpy(id, e->call.id, sizeof(id));
	calls_event(e, &ev, dm->arena);
	arena_reset(dm->arena);
	ctl_answer(r, 0, json_pack("{s:s}", "id", id), "ended %s", id);
}

static void run_trace(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct call_entry *e = need_call(r, arg, argv[1]);
	json_t *data;
	char *text;

	(void)argc;
	if (!e)
		return;
	text = trace_text(e);
	data = json_pack("{s:s,s:s?}", "id", e->call.id, "trace", text);
	ctl_answer(r, 0, data, "%s", text && *text ? text : "nothing yet");
	free(text);
}

/* --- the log, on the store thread ------------------------------------- */

struct log_job {
	struct ctl_request *request;
	struct store_log_query query;
	char *user;
	struct text text;
	json_t *list;
	bool media;                /* traffic is shown */
	unsigned rows;
	int rc;
	uv_async_t ready;
};

static int on_row(const struct store_log *row, void *arg)
{
	struct log_job *j = arg;
	char when[32];

	status_time(row->started, when);
	fprintf(j->text.out, "%s  %s -> %s  %s  %s", when, row->caller,
		row->callee, media_name(row->media), row->result);
	if (row->answered)
		fprintf(j->text.out, " %lld s",
			(long long)(row->ended - row->answered) / 1000);
	if (row->reason && strcmp(row->reason, row->result) != 0)
		fprintf(j->text.out, " (%s)", row->reason);
	if (row->step)
		fprintf(j->text.out, ": %s", row->step);
	fputc('\n', j->text.out);
	if (j->media && row->traffic)
		traffic_put(j->text.out, row->traffic);
	j->rows++;
	json_array_append_new(j->list, json_pack(
		"{s:s,s:i,s:s,s:s,s:s,s:o,s:o,s:o,s:s,s:s?,s:s?,s:o}",
		"id", row->call, "round", (int)row->round,
		"caller", row->caller, "callee", row->callee,
		"media", media_name(row->media),
		"started", status_time_json(row->started),
		"answered", status_time_json(row->answered),
		"ended", status_time_json(row->ended),
		"result", row->result, "reason", row->reason,
		"step", row->step, "traffic", traffic_json(row->traffic)));
	return 0;
}

static void log_job(struct store *s, void *arg)
{
	struct log_job *j = arg;

	j->rc = s->v->log(s, &j->query, on_row, j);
}

static void log_done(void *arg)
{
	struct log_job *j = arg;

	uv_async_send(&j->ready);
}

static void log_closed(uv_handle_t *h)
{
	struct log_job *j = h->data;

	free(j->user);
	free(j);
}

static void log_ready(uv_async_t *a)
{
	struct log_job *j = a->data;

	if (!j->rows && !j->rc)
		fputs("no calls in the log", j->text.out);
	if (j->rc) {
		fclose(j->text.out);
		free(j->text.data);
		json_decref(j->list);
		ctl_answer(j->request, 1, NULL, "the log cannot be read: %s",
			   strerror(j->rc));
	} else {
		text_answer(&j->text, j->request,
			    json_pack("{s:o}", "calls", j->list));
	}
	uv_close((uv_handle_t *)a, log_closed);
}

static bool parse_limit(const char *word, unsigned *limit_r)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(word, &end, 10);
	*limit_r = (unsigned)n;
	return !errno && !*end && end != word && n >= 1 && n <= 10000;
}

static int log_options(struct log_job *j, struct arena *a, int argc,
		       char **argv)
{
	struct jid jid;
	int i;

	j->query.limit = 50;
	for (i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--media") == 0) {
			j->media = true;
			i--;
		} else if (i + 1 == argc) {
			return EINVAL;
		} else if (strcmp(argv[i], "--user") == 0) {
			if (jid_parse(a, argv[i + 1], &jid) || !jid.node)
				return EINVAL;
			free(j->user);
			j->user = strdup(jid.bare);
			if (!j->user)
				return ENOMEM;
		} else if (strcmp(argv[i], "--limit") != 0 ||
			   !parse_limit(argv[i + 1], &j->query.limit)) {
			return EINVAL;
		}
	}
	j->query.user = j->user;
	return 0;
}

static void run_log(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;
	struct log_job *j = calloc(1, sizeof(*j));
	int rc = j ? log_options(j, dm->arena, argc, argv) : ENOMEM;

	arena_reset(dm->arena);
	if (rc) {
		ctl_answer(r, 2, NULL, "expected: log [--user JID] "
			   "[--limit 1-10000] [--media]");
		if (j)
			free(j->user);
		free(j);
		return;
	}
	j->request = r;
	if (!text_open(&j->text, r)) {
		free(j->user);
		free(j);
		return;
	}
	j->list = json_array();
	uv_async_init(&dm->loop, &j->ready, log_ready);
	j->ready.data = j;
	hold_flush(dm);
	if (store_thread_run(dm->thread, log_job, log_done, j)) {
		j->rc = ENOMEM;
		uv_async_send(&j->ready);
	}
}

/* --- users ------------------------------------------------------------ */

struct describe {
	FILE *out;
	json_t *list;
};

static void on_device(const struct gateway_device *dev, void *arg)
{
	struct describe *d = arg;

	fprintf(d->out, "device          %s (%s, priority %d%s%s)\n", dev->jid,
		dev->show, dev->priority,
		dev->changed ? ", or changed since: asked at a call" : "",
		!dev->known ? ", features unknown" :
		dev->plain ? ", without JMI" : "");
	json_array_append_new(d->list, json_pack(
		"{s:s,s:s,s:i,s:b,s:b,s:b}", "jid", dev->jid, "show",
		dev->show, "priority", dev->priority, "changed", dev->changed,
		"known", dev->known, "plain", dev->plain));
}

static void show_user(struct ctl_request *r, struct daemon *dm,
		      const char *bare)
{
	struct settings_user s = users_settings(dm, bare);
	json_t *settings = json_object();
	struct describe d = { .list = json_array() };
	bool dnd = false, known, active;
	struct text t;
	int i;

	if (!text_open(&t, r))
		return;
	known = gateway_knows(dm->gateway, bare);
	active = known && gateway_active(dm->gateway, bare, clock_wall(),
					 &dnd);
	fprintf(t.out, "user            %s\nknown           %s\n"
		"active          %s\n", bare, known ? "yes" : "no",
		active ? "yes" : dnd ? "no (do not disturb)" : "no");
	for (i = 0; settings_user_names[i]; i++) {
		const char *name = settings_user_names[i];

		fprintf(t.out, "%-15s %s\n", name,
			settings_user_get(&s, name));
		json_object_set_new(settings, name, json_string(
				    settings_user_get(&s, name)));
	}
	d.out = t.out;
	gateway_describe(dm->gateway, bare, on_device, &d);
	text_answer(&t, r, json_pack("{s:s,s:b,s:b,s:o,s:o}", "user", bare,
				     "known", known, "active", active,
				     "settings", settings, "devices", d.list));
}

static void answer_user(struct change *ch)
{
	show_user(ch->request, ch->dm, ch->bare);
}

static void changed_user(struct ctl_request *r, struct daemon *dm,
			 const char *bare)
{
	struct change ch = { .request = r, .dm = dm, .bare = strdup(bare),
			     .answer = answer_user };

	if (ch.bare)
		answer_later(&ch);
	else
		ctl_answer(r, 1, NULL, "out of memory");
}

static void run_user(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;
	const char *expected = NULL;
	struct jid jid;
	int rc;

	if (argc == 3 || jid_parse(dm->arena, argv[1], &jid) || !jid.node ||
	    address_is_ours(dm->gateway, &jid)) {
		ctl_answer(r, 2, NULL, "expected: user JID [NAME VALUE], with "
			   "the user's own address, as in: user "
			   "bob@example.org second_call busy");
		arena_reset(dm->arena);
		return;
	}
	rc = argc > 3 ? users_set(dm, jid.bare, argv[2], argv[3], &expected) :
			0;
	switch (rc) {
	case 0:
		if (argc > 3)
			changed_user(r, dm, jid.bare);
		else
			show_user(r, dm, jid.bare);
		break;
	case ENOENT:
		ctl_answer(r, 2, NULL, "no setting `%s'; there are "
			   "who_may_call, messages, second_call, notices",
			   argv[2]);
		break;
	case EBADMSG:
		ctl_answer(r, 2, NULL, "%s: expected %s, or default", argv[2],
			   expected);
		break;
	default:
		ctl_answer(r, 1, NULL, "%s", not_stored);
		break;
	}
	arena_reset(dm->arena);
}

/* --- the rest --------------------------------------------------------- */

/* Says, too, what the file could not change. */
static void answer_reloaded(struct ctl_request *r, const struct daemon *dm)
{
	bool on, configured, switched;
	struct text t;

	if (!text_open(&t, r))
		return;
	fputs("reloaded", t.out);
	for (size_t i = 0; switches_names[i]; i++) {
		const char *name = switches_names[i];

		on = switches_get(dm, name, &configured, &switched);
		if (on == configured)
			continue;
		fprintf(t.out, "\n%s stays ", name);
		status_put_switch(t.out, dm, name);
	}
	text_answer(&t, r, NULL);
}

static void run_reload(struct ctl_request *r, int argc, char **argv,
		       void *arg)
{
	char *why = daemon_reload(arg);

	(void)argc, (void)argv;
	if (why)
		ctl_answer(r, 1, NULL, "the old configuration stays: %s",
			   why);
	else
		answer_reloaded(r, arg);
	free(why);
}

static void run_drain(struct ctl_request *r, int argc, char **argv, void *arg)
{
	struct daemon *dm = arg;

	(void)argc, (void)argv;
	daemon_drain(dm);
	ctl_answer(r, 0, json_pack("{s:b,s:i}", "draining", dm->draining,
				   "live_calls", dm->live),
		   "draining, %u calls left", dm->live);
}

static void run_version(struct ctl_request *r, int argc, char **argv,
			void *arg)
{
	(void)argc, (void)argv, (void)arg;
	ctl_answer(r, 0, json_pack("{s:s}", "version", PACKAGE_VERSION),
		   "privatecalld %s", PACKAGE_VERSION);
}

const struct ctl_command commands_table[] = {
	{ "status", "status", "what the daemon does now", 0, 0,
	  status_run },
	{ "enable", "enable", "turn private calls on", 0, 0, run_enable },
	{ "disable", "disable", "turn private calls off", 0, 0, run_disable },
	{ "messaging", "messaging on|off", "offer to write instead, or not",
	  1, 1, run_messaging },
	{ "default", "default enabled|messaging",
	  "let the configuration decide again", 1, 1, run_default },
	{ "calls", "calls", "calls that ring, run or can be re-entered", 0, 0,
	  run_calls },
	{ "call", "call ID", "one such call in full", 1, 1, run_call },
	{ "hangup", "hangup ID", "end a call for both", 1, 1, run_hangup },
	{ "log", "log [--user JID] [--limit N] [--media]",
	  "calls that ended", 0, 5, run_log },
	{ "trace", "trace ID", "what was said in a call", 1, 1, run_trace },
	{ "user", "user JID [NAME VALUE]", "a user's settings", 1, 3,
	  run_user },
	{ "reload", "reload", "read the configuration again", 0, 0,
	  run_reload },
	{ "drain", "drain", "take no new calls, end with the last", 0, 0,
	  run_drain },
	{ "check", "check", "test the set-up, say what to mend", 0, 0,
	  check_run },
	{ "version", "version", "the program's version", 0, 0, run_version },
	{ NULL, NULL, NULL, 0, 0, NULL },
};
