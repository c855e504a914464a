/* store_sqlite.c: the store in SQLite. One table of columns per row type
 * serves both ways: binding an operation and reading a row. Values reach SQL
 * as bound parameters only.
 */
#include "mod_privatecall/store/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mod_privatecall/store/batch.h"

enum type { END, TEXT, TIME, NUMBER, FLAG };

/* A column and its member, as an offset within the union of an operation;
 * the n-th column is parameter n + 1 and result n. */
struct column {
	enum type type;
	size_t off;
};
#define ROW(member) (offsetof(struct store_op, u.member) - \
	offsetof(struct store_op, u))

static const struct column call_columns[] = {
	{ TEXT, ROW(call.id) }, { TEXT, ROW(call.caller) },
	{ TEXT, ROW(call.callee) }, { NUMBER, ROW(call.round) },
	{ NUMBER, ROW(call.media) }, { NUMBER, ROW(call.state) },
	{ TIME, ROW(call.created) }, { TIME, ROW(call.rung) },
	{ TIME, ROW(call.answered) }, { TIME, ROW(call.round_answered) },
	{ NUMBER, ROW(call.mode) }, { END, 0 },
};
static const struct column leg_columns[] = {
	{ TEXT, ROW(leg.call) }, { NUMBER, ROW(leg.side) },
	{ TEXT, ROW(leg.user) }, { TEXT, ROW(leg.device) },
	{ TEXT, ROW(leg.own) }, { TEXT, ROW(leg.sid) },
	{ NUMBER, ROW(leg.state) }, { NUMBER, ROW(leg.flags) },
	{ TEXT, ROW(leg.data) }, { END, 0 },
};
static const struct column leg_key[] = {
	{ TEXT, ROW(leg.call) }, { NUMBER, ROW(leg.side) }, { END, 0 },
};
static const struct column visit_columns[] = {
	{ TEXT, ROW(visit.call) }, { TEXT, ROW(visit.user) },
	{ TIME, ROW(visit.from) }, { TIME, ROW(visit.to) },
	{ TEXT, ROW(visit.device) }, { TEXT, ROW(visit.reason) },
	{ END, 0 },
};
static const struct column log_columns[] = {
	{ TEXT, ROW(log.call) }, { NUMBER, ROW(log.round) },
	{ TEXT, ROW(log.caller) }, { TEXT, ROW(log.callee) },
	{ NUMBER, ROW(log.media) }, { TIME, ROW(log.started) },
	{ TIME, ROW(log.answered) }, { TIME, ROW(log.ended) },
	{ TEXT, ROW(log.result) }, { TEXT, ROW(log.reason) },
	{ TEXT, ROW(log.step) }, { END, 0 },
};
static const struct column log_read_columns[] = {
	{ TEXT, ROW(log.call) }, { NUMBER, ROW(log.round) },
	{ TEXT, ROW(log.caller) }, { TEXT, ROW(log.callee) },
	{ NUMBER, ROW(log.media) }, { TIME, ROW(log.started) },
	{ TIME, ROW(log.answered) }, { TIME, ROW(log.ended) },
	{ TEXT, ROW(log.result) }, { TEXT, ROW(log.reason) },
	{ TEXT, ROW(log.step) }, { TEXT, ROW(log.traffic) }, { END, 0 },
};
static const struct column traffic_columns[] = {
	{ TEXT, ROW(traffic.call) }, { NUMBER, ROW(traffic.round) },
	{ TIME, ROW(traffic.ended) }, { TEXT, ROW(traffic.figures) },
	{ END, 0 },
};
static const struct column outbox_columns[] = {
	{ TEXT, ROW(outbox.id) }, { TEXT, ROW(outbox.user) },
	{ TEXT, ROW(outbox.peer) }, { TEXT, ROW(outbox.kind) },
	{ TEXT, ROW(outbox.subject) }, { TEXT, ROW(outbox.body) },
	{ TEXT, ROW(outbox.lang) }, { TIME, ROW(outbox.created) },
	{ FLAG, ROW(outbox.sent) }, { NUMBER, ROW(outbox.count) },
	{ END, 0 },
};
static const struct column setting_columns[] = {
	{ TEXT, ROW(setting.user) }, { TEXT, ROW(setting.name) },
	{ TEXT, ROW(setting.value) }, { END, 0 },
};
static const struct column setting_key[] = {
	{ TEXT, ROW(setting.user) }, { TEXT, ROW(setting.name) }, { END, 0 },
};
static const struct column switch_columns[] = {
	{ TEXT, ROW(setting.name) }, { TEXT, ROW(setting.value) },
	{ END, 0 },
};
static const struct column switch_key[] = {
	{ TEXT, ROW(setting.name) }, { END, 0 },
};
static const struct column contact_columns[] = {
	{ TEXT, ROW(contact.user) }, { TEXT, ROW(contact.contact) },
	{ FLAG, ROW(contact.to) }, { FLAG, ROW(contact.from) },
	{ FLAG, ROW(contact.ask) }, { END, 0 },
};
static const struct column contact_key[] = {
	{ TEXT, ROW(contact.user) }, { TEXT, ROW(contact.contact) },
	{ END, 0 },
};
static const struct column id_key[] = {
	{ TEXT, ROW(key.id) }, { END, 0 },
};
static const struct column no_columns[] = { { END, 0 } };

enum sql {
	BEGIN, COMMIT, ROLLBACK,
	CALL_PUT, CALL_DEL, CALL_LEGS_DEL, LEG_PUT, LEG_DEL, VISIT_PUT,
	LOG_PUT, TRAFFIC_PUT, OUTBOX_PUT, OUTBOX_DEL,
	SETTING_PUT, SETTING_DEL,
	SWITCH_PUT, SWITCH_DEL, CONTACT_PUT, CONTACT_DEL,
	CALLS, LEGS, OUTBOX, SETTINGS, SWITCHES, CONTACTS,
	LOG_ALL, LOG_USER, LOG_CALL, VISITS,
	PRUNE_LOG, PRUNE_TRAFFIC, PRUNE_VISIT, PRUNE_OUTBOX, PRUNE_CALL,
	PRUNE_LEG,
	SQL_COUNT
};

#define LOG_COLUMNS "call, round, caller, callee, media, started, " \
	"answered, ended, result, reason, step"
#define LOG_READ "SELECT " LOG_COLUMNS ", (SELECT figures FROM traffic " \
	"WHERE call = log.call AND round = log.round) FROM log "
#define LOG_ORDER " ORDER BY ended DESC, seq DESC LIMIT "
#define OUTBOX_COLUMNS "id, user, peer, kind, subject, body, lang, " \
	"created, sent, count"

/* The columns are those bound (writes) or read (loads and queries). A row
 * with a seq is updated in place, so that it keeps its age. */
static const struct {
	const char *text;
	const struct column *columns;
} sqls[SQL_COUNT] = {
	[BEGIN] = { "BEGIN IMMEDIATE", no_columns },
	[COMMIT] = { "COMMIT", no_columns },
	[ROLLBACK] = { "ROLLBACK", no_columns },
	[CALL_PUT] = { "REPLACE INTO call (id, caller, callee, round, media, "
		"state, created, rung, answered, round_answered, mode) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
		call_columns },
	[CALL_DEL] = { "DELETE FROM call WHERE id = ?1", id_key },
	[CALL_LEGS_DEL] = { "DELETE FROM leg WHERE call = ?1", id_key },
	[LEG_PUT] = { "REPLACE INTO leg (call, side, user, device, own, sid, "
		"state, flags, data) "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", leg_columns },
	[LEG_DEL] = { "DELETE FROM leg WHERE call = ?1 AND side = ?2",
		leg_key },
	[VISIT_PUT] = { "REPLACE INTO visit (call, user, began, ended, "
		"device, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		visit_columns },
	[LOG_PUT] = { "INSERT INTO log (" LOG_COLUMNS ") "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
		"ON CONFLICT (call, round) DO UPDATE SET "
		"caller = ?3, callee = ?4, media = ?5, started = ?6, "
		"answered = ?7, ended = ?8, result = ?9, reason = ?10, "
		"step = ?11", log_columns },
	[TRAFFIC_PUT] = { "REPLACE INTO traffic (call, round, ended, figures) "
		"VALUES (?1, ?2, ?3, ?4)", traffic_columns },
	[OUTBOX_PUT] = { "INSERT INTO outbox (" OUTBOX_COLUMNS ") "
		"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		"ON CONFLICT (id) DO UPDATE SET user = ?2, peer = ?3, "
		"kind = ?4, subject = ?5, body = ?6, lang = ?7, "
		"created = ?8, sent = ?9, count = ?10", outbox_columns },
	[OUTBOX_DEL] = { "DELETE FROM outbox WHERE id = ?1", id_key },
	[SETTING_PUT] = { "REPLACE INTO setting (user, name, value) "
		"VALUES (?1, ?2, ?3)", setting_columns },
	[SETTING_DEL] = { "DELETE FROM setting WHERE user = ?1 AND name = ?2",
		setting_key },
	[SWITCH_PUT] = { "REPLACE INTO switch (name, value) VALUES (?1, ?2)",
		switch_columns },
	[SWITCH_DEL] = { "DELETE FROM switch WHERE name = ?1", switch_key },
	[CONTACT_PUT] = { "REPLACE INTO contact (user, contact, \"to\", "
		"\"from\", ask) VALUES (?1, ?2, ?3, ?4, ?5)",
		contact_columns },
	[CONTACT_DEL] = { "DELETE FROM contact "
		"WHERE user = ?1 AND contact = ?2", contact_key },
	[CALLS] = { "SELECT id, caller, callee, round, media, state, "
		"created, rung, answered, round_answered, mode FROM call "
		"ORDER BY created, id", call_columns },
	[LEGS] = { "SELECT call, side, user, device, own, sid, state, flags, "
		"data FROM leg WHERE call IN (SELECT id FROM call) "
		"ORDER BY call, side", leg_columns },
	[OUTBOX] = { "SELECT " OUTBOX_COLUMNS " FROM outbox "
		"ORDER BY created, seq", outbox_columns },
	[SETTINGS] = { "SELECT user, name, value FROM setting "
		"ORDER BY user, name", setting_columns },
	[SWITCHES] = { "SELECT name, value FROM switch ORDER BY name",
		switch_columns },
	[CONTACTS] = { "SELECT user, contact, \"to\", \"from\", ask "
		"FROM contact ORDER BY user, contact", contact_columns },
	[LOG_ALL] = { LOG_READ "WHERE ended >= ?1"
		LOG_ORDER "?2", log_read_columns },
	/* From the two user indexes: a walk by age over all calls of a year
	 * for a user with three of them would hold commits up. */
	[LOG_USER] = { LOG_READ "WHERE seq IN "
		"(SELECT seq FROM log WHERE caller = ?3 "
		"UNION ALL SELECT seq FROM log WHERE callee = ?3) "
		"AND ended >= ?1 AND (?4 IS NULL OR call = ?4)"
		LOG_ORDER "?2", log_read_columns },
	[LOG_CALL] = { LOG_READ "WHERE call = ?4 "
		"AND ended >= ?1" LOG_ORDER "?2", log_read_columns },
	[VISITS] = { "SELECT call, user, began, ended, device, reason "
		"FROM visit WHERE call = ?1 ORDER BY began, user",
		visit_columns },
	[PRUNE_LOG] = { "DELETE FROM log WHERE ended < ?1", no_columns },
	[PRUNE_TRAFFIC] = { "DELETE FROM traffic WHERE ended < ?1",
		no_columns },
	[PRUNE_VISIT] = { "DELETE FROM visit WHERE ended < ?1 AND began < ?1",
		no_columns },
	[PRUNE_OUTBOX] = { "DELETE FROM outbox WHERE created < ?2",
		no_columns },
	[PRUNE_CALL] = { "DELETE FROM call WHERE max(created, rung, answered, "
		"round_answered) < ?1", no_columns },
	[PRUNE_LEG] = { "DELETE FROM leg "
		"WHERE call NOT IN (SELECT id FROM call)", no_columns },
};

struct sqlite {
	struct store base;
	sqlite3 *db;
	sqlite3_stmt *stmts[SQL_COUNT];
	char *path;
};

static struct sqlite *sqlite_of(struct store *s)
{
	return (struct sqlite *)s;
}

/* Keeps the text of the last failure; gives the errno. */
static int failed(struct sqlite *q)
{
	int err = store_sqlite_errno(sqlite3_extended_errcode(q->db));

	snprintf(q->base.error, sizeof(q->base.error), "%s: %s", q->path,
		 sqlite3_errmsg(q->db));
	return err ? err : EIO;
}

static int column_bind(sqlite3_stmt *st, int i, enum type type,
		       const char *at)
{
	const char *text;
	int64_t time;
	unsigned number;
	bool flag;

	switch (type) {
	case TEXT:
		memcpy(&text, at, sizeof(text));
		return sqlite3_bind_text(st, i, text, -1, SQLITE_STATIC);
	case TIME:
		memcpy(&time, at, sizeof(time));
		return sqlite3_bind_int64(st, i, time);
	case NUMBER:
		memcpy(&number, at, sizeof(number));
		return sqlite3_bind_int64(st, i, number);
	case FLAG:
		memcpy(&flag, at, sizeof(flag));
		return sqlite3_bind_int(st, i, flag);
	case END:
		break;
	}
	return SQLITE_MISUSE;
}

static void column_read(sqlite3_stmt *st, int i, enum type type, char *at)
{
	const unsigned char *text;
	int64_t time;
	unsigned number;
	bool flag;

	switch (type) {
	case TEXT:
		text = sqlite3_column_text(st, i);
		memcpy(at, &text, sizeof(text));
		break;
	case TIME:
		time = sqlite3_column_int64(st, i);
		memcpy(at, &time, sizeof(time));
		break;
	case NUMBER:
		number = (unsigned)sqlite3_column_int64(st, i);
		memcpy(at, &number, sizeof(number));
		break;
	case FLAG:
		flag = sqlite3_column_int(st, i) != 0;
		memcpy(at, &flag, sizeof(flag));
		break;
	case END:
		break;
	}
}

/* Runs a statement that gives no rows. 0 or an errno. */
static int run(struct sqlite *q, enum sql sql, const struct store_op *op)
{
	const struct column *c = sqls[sql].columns;
	sqlite3_stmt *st = q->stmts[sql];
	int code = SQLITE_OK, err = 0;

	for (int i = 0; code == SQLITE_OK && c[i].type != END; i++)
		code = column_bind(st, i + 1, c[i].type,
				   (const char *)&op->u + c[i].off);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	if (code != SQLITE_DONE)
		err = failed(q);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return err;
}

static int op_run(struct sqlite *q, const struct store_op *op)
{
	static const enum sql plain[] = {
		[STORE_CALL_PUT] = CALL_PUT, [STORE_CALL_DEL] = CALL_DEL,
		[STORE_LEG_PUT] = LEG_PUT, [STORE_LEG_DEL] = LEG_DEL,
		[STORE_VISIT_PUT] = VISIT_PUT, [STORE_LOG_PUT] = LOG_PUT,
		[STORE_TRAFFIC_PUT] = TRAFFIC_PUT,
		[STORE_OUTBOX_PUT] = OUTBOX_PUT,
		[STORE_OUTBOX_DEL] = OUTBOX_DEL,
		[STORE_SETTING_PUT] = SETTING_PUT,
		[STORE_SWITCH_PUT] = SWITCH_PUT,
		[STORE_CONTACT_PUT] = CONTACT_PUT,
		[STORE_CONTACT_DEL] = CONTACT_DEL,
	};
	enum sql sql = plain[op->kind];
	int err = 0;

	if (op->kind == STORE_CALL_DEL)
		err = run(q, CALL_LEGS_DEL, op);
	if (op->kind == STORE_SETTING_PUT && !op->u.setting.value)
		sql = SETTING_DEL;
	if (op->kind == STORE_SWITCH_PUT && !op->u.setting.value)
		sql = SWITCH_DEL;
	return err ? err : run(q, sql, op);
}

/* Ends the transaction, keeping err and its text. */
static int roll_back(struct sqlite *q, int err)
{
	/* SQLite itself has rolled back after some errors. */
	if (!sqlite3_get_autocommit(q->db)) {
		sqlite3_step(q->stmts[ROLLBACK]);
		sqlite3_reset(q->stmts[ROLLBACK]);
	}
	return err;
}

static int sqlite_commit(struct store *s, const struct store_batch *b)
{
	struct sqlite *q = sqlite_of(s);
	int err = run(q, BEGIN, NULL);

	for (const struct store_node *n = store_batch_first(b); !err && n;
	     n = n->next)
		err = op_run(q, &n->op);
	if (!err)
		err = run(q, COMMIT, NULL);
	return err ? roll_back(q, err) : 0;
}

/* Which handler gets the rows of a load. */
static int row_hand(enum sql sql, const struct store_op *op,
		    const struct store_load_handlers *h, void *arg)
{
	switch (sql) {
	case CALLS:
		return h->call_h ? h->call_h(&op->u.call, arg) : 0;
	case LEGS:
		return h->leg_h ? h->leg_h(&op->u.leg, arg) : 0;
	case OUTBOX:
		return h->outbox_h ? h->outbox_h(&op->u.outbox, arg) : 0;
	case SETTINGS:
		return h->setting_h ? h->setting_h(op->u.setting.user,
			op->u.setting.name, op->u.setting.value, arg) : 0;
	case SWITCHES:
		return h->switch_h ? h->switch_h(op->u.setting.name,
			op->u.setting.value, arg) : 0;
	case CONTACTS:
		return h->contact_h ? h->contact_h(&op->u.contact, arg) : 0;
	default:
		return EINVAL;
	}
}

/* The next row into op; false: none, and *err_r is set if it failed. */
static bool row_next(struct sqlite *q, enum sql sql, struct store_op *op,
		     int *err_r)
{
	const struct column *c = sqls[sql].columns;
	int code = sqlite3_step(q->stmts[sql]);

	if (code != SQLITE_ROW) {
		if (code != SQLITE_DONE)
			*err_r = failed(q);
		return false;
	}
	memset(op, 0, sizeof(*op));
	for (int i = 0; c[i].type != END; i++)
		column_read(q->stmts[sql], i, c[i].type,
			    (char *)&op->u + c[i].off);
	return true;
}

static int sqlite_load(struct store *s, const struct store_load_handlers *h,
		       void *arg)
{
	struct sqlite *q = sqlite_of(s);
	struct store_op op;
	int err = 0;

	for (int sql = CALLS; !err && sql <= CONTACTS; sql++) {
		while (!err && row_next(q, (enum sql)sql, &op, &err))
			err = row_hand((enum sql)sql, &op, h, arg);
		sqlite3_reset(q->stmts[sql]);
	}
	return err;
}

static int sqlite_log(struct store *s, const struct store_log_query *query,
		      store_log_h *h, void *arg)
{
	struct sqlite *q = sqlite_of(s);
	enum sql sql = query->user ? LOG_USER :
		query->call ? LOG_CALL : LOG_ALL;
	sqlite3_stmt *st = q->stmts[sql];
	struct store_op op;
	int err = 0, code;

	code = sqlite3_bind_int64(st, 1, query->since);
	if (code == SQLITE_OK)
		code = sqlite3_bind_int64(st, 2, query->limit ?
					  (int64_t)query->limit : -1);
	if (code == SQLITE_OK && query->user)
		code = sqlite3_bind_text(st, 3, query->user, -1,
					 SQLITE_STATIC);
	if (code == SQLITE_OK && query->call)
		code = sqlite3_bind_text(st, 4, query->call, -1,
					 SQLITE_STATIC);
	if (code != SQLITE_OK)
		err = failed(q);
	while (!err && row_next(q, sql, &op, &err))
		err = h(&op.u.log, arg);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return err;
}

static int sqlite_visits(struct store *s, const char *call, store_visit_h *h,
			 void *arg)
{
	struct sqlite *q = sqlite_of(s);
	sqlite3_stmt *st = q->stmts[VISITS];
	struct store_op op;
	int err = 0;

	if (sqlite3_bind_text(st, 1, call, -1, SQLITE_STATIC) != SQLITE_OK)
		err = failed(q);
	while (!err && row_next(q, VISITS, &op, &err))
		err = h(&op.u.visit, arg);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return err;
}

static int sqlite_prune(struct store *s, int64_t log_before,
			int64_t outbox_before)
{
	struct sqlite *q = sqlite_of(s);
	int err = run(q, BEGIN, NULL);

	for (int sql = PRUNE_LOG; !err && sql <= PRUNE_LEG; sql++) {
		sqlite3_stmt *st = q->stmts[sql];
		int count = sqlite3_bind_parameter_count(st);

		if ((count > 0 && sqlite3_bind_int64(st, 1, log_before)) ||
		    (count > 1 && sqlite3_bind_int64(st, 2, outbox_before)))
			err = failed(q);
		else
			err = run(q, (enum sql)sql, NULL);
	}
	if (!err)
		err = run(q, COMMIT, NULL);
	return err ? roll_back(q, err) : 0;
}

static void sqlite_close(struct store *s)
{
	struct sqlite *q = sqlite_of(s);

	for (int sql = 0; sql < SQL_COUNT; sql++)
		sqlite3_finalize(q->stmts[sql]);
	sqlite3_close(q->db);
	free(q->path);
	free(q);
}

static const struct store_vtable sqlite_vtable = {
	.commit = sqlite_commit,
	.load = sqlite_load,
	.log = sqlite_log,
	.visits = sqlite_visits,
	.prune = sqlite_prune,
	.close = sqlite_close,
};

/* A table or column that is missing shows here. */
static int prepare_all(struct sqlite *q, char **why_r)
{
	for (int sql = 0; sql < SQL_COUNT; sql++) {
		int code = sqlite3_prepare_v3(q->db, sqls[sql].text, -1,
					      SQLITE_PREPARE_PERSISTENT,
					      &q->stmts[sql], NULL);
		int err = (code & 0xff) == SQLITE_ERROR ? EINVAL :
			store_sqlite_errno(code);

		if (!err)
			continue;
		if (why_r && asprintf(why_r, "%s does not fit its schema "
				      "version (%s): restore the backup, or "
				      "move %s, %s-wal and %s-shm away to "
				      "start with an empty one", q->path,
				      sqlite3_errmsg(q->db), q->path, q->path,
				      q->path) < 0)
			*why_r = NULL;
		return err;
	}
	return 0;
}

int store_sqlite_open(const char *path, struct store **store_r, char **why_r)
{
	struct sqlite *q = calloc(1, sizeof(*q));
	int err;

	if (why_r)
		*why_r = NULL;
	if (!q)
		return ENOMEM;
	q->base.v = &sqlite_vtable;
	q->path = strdup(path);
	err = q->path ? store_sqlite_file_open(path, &q->db, why_r) : ENOMEM;
	if (!err)
		err = prepare_all(q, why_r);
	if (err) {
		sqlite_close(&q->base);
		return err;
	}
	sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	*store_r = &q->base;
	return 0;
}

int store_sqlite_limit(struct store *s, unsigned pages, unsigned bytes)
{
	struct sqlite *q = sqlite_of(s);
	char sql[64];
	int code;

	assert(s->v == &sqlite_vtable);
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %u",
		 pages ? pages : 4294967294u);
	code = sqlite3_exec(q->db, sql, NULL, NULL, NULL);
	sqlite3_limit(q->db, SQLITE_LIMIT_LENGTH, bytes ? (int)bytes :
		      INT_MAX);
	return store_sqlite_errno(code);
}
