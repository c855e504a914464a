/* store_test.h: what the store's tests share: rows made and shown as text, a
 * database in a folder of its own.
 */
#ifndef TESTS_UNIT_STORE_TEST_H
#define TESTS_UNIT_STORE_TEST_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "mod_privatecall/store/store.h"
#include "tests/unit/fds.h"

static char folder[PATH_MAX];
static char db_path[PATH_MAX + 16];

/* Text that handlers write and tests compare. */
static char text[65536];

__attribute__((format(printf, 1, 2)))
static inline void say(const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
}

static inline const char *or_dash(const char *s)
{
	return s ? s : "-";
}

static inline int on_call(const struct store_call *c, void *arg)
{
	(void)arg;
	say("call %s %s %s %u %u %u %lld %lld %lld %lld%s\n", c->id,
	    or_dash(c->caller), or_dash(c->callee), c->round, c->media,
	    c->state, (long long)c->created, (long long)c->rung,
	    (long long)c->answered, (long long)c->round_answered,
	    c->mode ? " blind" : "");
	return 0;
}

static inline int on_leg(const struct store_leg *l, void *arg)
{
	(void)arg;
	say("leg %s %u %s %s %s %s %u %u %s\n", l->call, l->side,
	    or_dash(l->user), or_dash(l->device), or_dash(l->own),
	    or_dash(l->sid), l->state, l->flags, or_dash(l->data));
	return 0;
}

static inline int on_outbox(const struct store_outbox *o, void *arg)
{
	(void)arg;
	say("outbox %s %s %s %s %s %s %s %lld %d %u\n", o->id,
	    or_dash(o->user), or_dash(o->peer), or_dash(o->kind),
	    or_dash(o->subject), or_dash(o->body), or_dash(o->lang),
	    (long long)o->created, o->sent, o->count);
	return 0;
}

static inline int on_setting(const char *user, const char *name,
			     const char *value, void *arg)
{
	(void)arg;
	say("setting %s %s %s\n", user, name, value);
	return 0;
}

static inline int on_switch(const char *name, const char *value, void *arg)
{
	(void)arg;
	say("switch %s %s\n", name, value);
	return 0;
}

static inline int on_contact(const struct store_contact *c, void *arg)
{
	(void)arg;
	say("contact %s %s %d %d %d\n", c->user, c->contact, c->to, c->from,
	    c->ask);
	return 0;
}

static inline int on_log(const struct store_log *l, void *arg)
{
	(void)arg;
	say("log %s %u %s %s %u %lld %lld %lld %s %s\n", l->call, l->round,
	    or_dash(l->caller), or_dash(l->callee), l->media,
	    (long long)l->started, (long long)l->answered,
	    (long long)l->ended, or_dash(l->result), or_dash(l->reason));
	if (l->step || l->traffic)
		say("  at %s with %s\n", or_dash(l->step),
		    or_dash(l->traffic));
	return 0;
}

static inline int on_visit(const struct store_visit *v, void *arg)
{
	(void)arg;
	say("visit %s %s %s %lld %lld %s\n", v->call, v->user,
	    or_dash(v->device), (long long)v->from, (long long)v->to,
	    or_dash(v->reason));
	return 0;
}

static const struct store_load_handlers handlers = {
	on_call, on_leg, on_outbox, on_setting, on_switch, on_contact
};

static inline const char *loaded(struct store *s)
{
	text[0] = '\0';
	assert_int_equal(s->v->load(s, &handlers, NULL), 0);
	return text;
}

static inline const char *logged(struct store *s, const char *user,
			  const char *call, int64_t since, unsigned limit)
{
	struct store_log_query q = { user, call, since, limit };

	text[0] = '\0';
	assert_int_equal(s->v->log(s, &q, on_log, NULL), 0);
	return text;
}

static inline const char *visited(struct store *s, const char *call)
{
	text[0] = '\0';
	assert_int_equal(s->v->visits(s, call, on_visit, NULL), 0);
	return text;
}

static inline struct store_op call_op(const char *id, unsigned round)
{
	return (struct store_op){ .kind = STORE_CALL_PUT, .u.call = {
		.id = id, .caller = "a@x", .callee = "b@x", .round = round,
		.media = 3, .state = 4, .created = 1000, .rung = 1001,
		.answered = 1002, .round_answered = 1003 } };
}

static inline struct store_op leg_op(const char *call, unsigned side,
			      unsigned flags)
{
	return (struct store_op){ .kind = STORE_LEG_PUT, .u.leg = {
		.call = call, .side = side, .user = "a@x",
		.device = "a@x/phone", .own = "b@calls.x", .sid = "s1",
		.state = 2, .flags = flags, .data = "d 'q'; --" } };
}

static inline struct store_op log_op(const char *call, unsigned round,
			      const char *caller, int64_t ended)
{
	return (struct store_op){ .kind = STORE_LOG_PUT, .u.log = {
		.call = call, .round = round, .caller = caller,
		.callee = "b@x", .media = 1, .started = 5, .answered = 0,
		.ended = ended, .result = "missed" } };
}

static inline struct store_op traffic_op(const char *call, unsigned round,
					 int64_t ended, const char *figures)
{
	return (struct store_op){ .kind = STORE_TRAFFIC_PUT, .u.traffic = {
		.call = call, .round = round, .ended = ended,
		.figures = figures } };
}

static inline struct store_op visit_op(const char *user, int64_t from,
				       int64_t to)
{
	return (struct store_op){ .kind = STORE_VISIT_PUT, .u.visit = {
		.call = "c1", .user = user, .device = "a@x/phone",
		.from = from, .to = to, .reason = to ? "success" : NULL } };
}

static inline struct store_op outbox_op(const char *id, int64_t created,
				 unsigned count)
{
	return (struct store_op){ .kind = STORE_OUTBOX_PUT, .u.outbox = {
		.id = id, .user = "b@x", .kind = "missed", .body = "B",
		.created = created, .sent = count > 1, .count = count } };
}

static inline struct store_op setting_op(const char *user, const char *name,
				  const char *value)
{
	return (struct store_op){ .kind = STORE_SETTING_PUT,
		.u.setting = { user, name, value } };
}

static inline struct store_op switch_op(const char *name, const char *value)
{
	return (struct store_op){ .kind = STORE_SWITCH_PUT,
		.u.setting = { .name = name, .value = value } };
}

static inline struct store_op contact_op(enum store_op_kind kind,
					 const char *user,
					 const char *contact, bool ask)
{
	return (struct store_op){ .kind = kind, .u.contact = {
		.user = user, .contact = contact, .to = true, .ask = ask } };
}

static inline struct store_op key_op(enum store_op_kind kind, const char *id)
{
	return (struct store_op){ .kind = kind, .u.key.id = id };
}

static inline int commit(struct store *s, const struct store_op *ops,
			 size_t count)
{
	struct store_batch *b = store_batch_new();
	int err;

	assert_non_null(b);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(store_batch_add(b, &ops[i]), 0);
	err = s->v->commit(s, b);
	store_batch_free(b);
	return err;
}
#define COMMIT(s, ...) assert_int_equal(commit(s, \
	(struct store_op[]){ __VA_ARGS__ }, \
	sizeof((struct store_op[]){ __VA_ARGS__ }) / \
	sizeof(struct store_op)), 0)

#define C1 "call c1 a@x b@x 1 3 4 1000 1001 1002 1003\n"
#define LEG0 "leg c1 0 a@x a@x/phone b@calls.x s1 2 7 d 'q'; --\n"
#define LEG1 "leg c1 1 a@x a@x/phone b@calls.x s1 2 8 d 'q'; --\n"

static inline void db_remove(void)
{
	static const char *const ends[] = {
		"", "-wal", "-shm", "-journal", "-new", "-new-journal",
	};
	char name[sizeof(db_path) + 16];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", db_path, ends[i]);
		unlink(name);
	}
}

static inline struct store *db_open(void)
{
	struct store *s = NULL;
	char *why = NULL;
	int err = store_sqlite_open(db_path, &s, &why);

	if (err)
		fail_msg("%d: %s", err, why ? why : "");
	assert_null(why);
	return s;
}

static inline int folder_make(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/test_store.XXXXXX",
		 tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(db_path, sizeof(db_path), "%s/calls.db", folder);
	return 0;
}

static inline int folder_remove(void **state)
{
	(void)state;
	db_remove();
	return rmdir(folder);
}

/* Nothing stays open, whatever was wrong with the file. */
static unsigned fds;

static inline int file_set_up(void **state)
{
	fds = fds_open();
	return folder_make(state);
}

static inline int file_tear_down(void **state)
{
	assert_int_equal(fds_open(), fds);
	return folder_remove(state);
}

/* At most 1 MiB of a file, *data_r to be freed; nothing of none. */
static inline size_t bytes_read(const char *path, char **data_r)
{
	FILE *f = fopen(path, "r");
	size_t size;

	*data_r = malloc(1 << 20);
	assert_non_null(*data_r);
	if (!f)
		return 0;
	size = fread(*data_r, 1, 1 << 20, f);
	fclose(f);
	return size;
}

static inline void sql(sqlite3 *db, const char *words)
{
	assert_int_equal(sqlite3_exec(db, words, NULL, NULL, NULL), SQLITE_OK);
}

#endif
