/* store_memory.c: the store in memory, for tests and simulations: the same
 * rows in the same order as SQLite hands them, and failures on demand.
 */
#include "mod_privatecall/store/store.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mod_privatecall/store/batch.h"

enum table {
	CALL, LEG, VISIT, LOG, TRAFFIC, OUTBOX, SETTING, SWITCH, CONTACT,
	TABLES
};

/* Fixed, so that linking a row needs no memory: a commit allocates all it
 * needs before it changes anything. */
#define BUCKETS 4096u

struct row {
	struct row *same;          /* next in the bucket */
	struct row *prev, *next;   /* by age, in its table */
	uint64_t seq;              /* grows with each new row */
	struct store_node *node;   /* a PUT */
};
struct list {
	struct row *first, *last;
	size_t count;
};
struct memory {
	struct store base;
	struct row *buckets[BUCKETS];
	struct list tables[TABLES];
	uint64_t seq;
	pthread_mutex_t lock;      /* of the two below: a test's thread sets
				      them, the store thread uses them */
	int fail_err;
	unsigned fail_times;
};

static struct memory *memory_of(struct store *s)
{
	return (struct memory *)s;
}

static enum table table_of(const struct store_op *op)
{
	switch (op->kind) {
	case STORE_CALL_PUT:
	case STORE_CALL_DEL:
		return CALL;
	case STORE_LEG_PUT:
	case STORE_LEG_DEL:
		return LEG;
	case STORE_VISIT_PUT:
		return VISIT;
	case STORE_LOG_PUT:
		return LOG;
	case STORE_TRAFFIC_PUT:
		return TRAFFIC;
	case STORE_OUTBOX_PUT:
	case STORE_OUTBOX_DEL:
		return OUTBOX;
	case STORE_SETTING_PUT:
		return SETTING;
	case STORE_SWITCH_PUT:
		return SWITCH;
	case STORE_CONTACT_PUT:
	case STORE_CONTACT_DEL:
		break;
	}
	return CONTACT;
}

/* The part of the key that is no text. */
static int64_t key_number(const struct store_op *op)
{
	switch (table_of(op)) {
	case LEG:
		return op->u.leg.side;
	case VISIT:
		return op->u.visit.from;
	case LOG:
		return op->u.log.round;
	case TRAFFIC:
		return op->u.traffic.round;
	default:
		return 0;
	}
}

static bool deletes(const struct store_op *op)
{
	switch (op->kind) {
	case STORE_CALL_DEL:
	case STORE_LEG_DEL:
	case STORE_OUTBOX_DEL:
	case STORE_CONTACT_DEL:
		return true;
	case STORE_SETTING_PUT:
	case STORE_SWITCH_PUT:
		return !op->u.setting.value;
	default:
		return false;
	}
}

/* By key; 0: the same row. */
static int key_compare(const struct store_op *a, const struct store_op *b)
{
	int64_t na = key_number(a), nb = key_number(b);
	const char *ka, *kb;

	for (size_t i = 0; (ka = store_op_key(a, i)) &&
			(kb = store_op_key(b, i)); i++) {
		int diff = strcmp(ka, kb);

		if (diff)
			return diff;
	}
	return (na > nb) - (na < nb);
}

/* FNV-1a over table and key. */
static size_t bucket_of(const struct store_op *op)
{
	uint32_t hash = (2166136261u ^ (uint32_t)table_of(op)) * 16777619u;
	const char *key;

	for (size_t i = 0; (key = store_op_key(op, i)); i++)
		for (; *key; key++)
			hash = (hash ^ (unsigned char)*key) * 16777619u;
	hash = (hash ^ (uint32_t)key_number(op)) * 16777619u;
	return hash % BUCKETS;
}

/* Where the row of op's key is linked; *result is NULL when there is none. */
static struct row **row_find(struct memory *m, const struct store_op *op)
{
	struct row **at = &m->buckets[bucket_of(op)];

	while (*at && (table_of(&(*at)->node->op) != table_of(op) ||
		       key_compare(&(*at)->node->op, op)))
		at = &(*at)->same;
	return at;
}

static void row_free(struct row *row)
{
	free(row->node);
	free(row);
}

static void row_drop(struct memory *m, const struct store_op *op)
{
	struct row **at = row_find(m, op);
	struct row *row = *at;
	struct list *list = &m->tables[table_of(op)];

	if (!row)
		return;
	*at = row->same;
	*(row->prev ? &row->prev->next : &list->first) = row->next;
	*(row->next ? &row->next->prev : &list->last) = row->prev;
	list->count--;
	row_free(row);
}

/* Takes the row; an older one with its key keeps its place and age. */
static void row_put(struct memory *m, struct row *row)
{
	struct row **at = row_find(m, &row->node->op);
	struct list *list = &m->tables[table_of(&row->node->op)];

	if (*at) {
		struct store_node *old = (*at)->node;

		(*at)->node = row->node;
		row->node = old;
		row_free(row);
		return;
	}
	*at = row;
	row->seq = ++m->seq;
	row->prev = list->last;
	*(list->last ? &list->last->next : &list->first) = row;
	list->last = row;
	list->count++;
}

static void op_delete(struct memory *m, const struct store_op *op)
{
	struct store_op leg = { .kind = STORE_LEG_DEL };

	if (op->kind == STORE_CALL_DEL) {
		leg.u.leg.call = op->u.key.id;
		row_drop(m, &leg);
		leg.u.leg.side = 1;
		row_drop(m, &leg);
	}
	row_drop(m, op);
}

static int fault_take(struct memory *m)
{
	int err = 0;

	pthread_mutex_lock(&m->lock);
	if (m->fail_times) {
		err = m->fail_err;
		if (m->fail_times != UINT_MAX)
			m->fail_times--;
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

static int failed(struct memory *m, int err)
{
	snprintf(m->base.error, sizeof(m->base.error), "memory: %s",
		 strerror(err));
	return err;
}

/* One new row for every PUT of the batch, in order. */
static int rows_prepare(const struct store_batch *b, struct row **rows_r)
{
	struct row **end = rows_r;

	*rows_r = NULL;
	for (const struct store_node *n = store_batch_first(b); n;
	     n = n->next) {
		struct row *row;

		if (deletes(&n->op))
			continue;
		row = calloc(1, sizeof(*row));
		if (!row)
			return ENOMEM;
		*end = row;
		end = &row->next;
		if (store_node_new(&n->op, &row->node))
			return ENOMEM;
	}
	return 0;
}

static int memory_commit(struct store *s, const struct store_batch *b)
{
	struct memory *m = memory_of(s);
	struct row *rows, *row;
	int err = fault_take(m);

	if (err)
		return failed(m, err);
	err = rows_prepare(b, &rows);
	if (err) {
		while ((row = rows)) {
			rows = row->next;
			row_free(row);
		}
		return failed(m, err);
	}
	for (const struct store_node *n = store_batch_first(b); n;
	     n = n->next) {
		if (deletes(&n->op)) {
			op_delete(m, &n->op);
			continue;
		}
		row = rows;
		rows = row->next;
		row->next = NULL;
		row_put(m, row);
	}
	return 0;
}

/* A table in the order in which it is handed out; the array is free()d. */
static int rows_sorted(struct memory *m, enum table table,
		       int (*compare)(const void *, const void *),
		       struct row ***rows_r)
{
	struct list *list = &m->tables[table];
	struct row **rows = calloc(list->count + 1, sizeof(struct row *));
	size_t n = 0;

	if (!rows)
		return failed(m, ENOMEM);
	for (struct row *row = list->first; row; row = row->next)
		rows[n++] = row;
	qsort(rows, n, sizeof(struct row *), compare);
	*rows_r = rows;
	return 0;
}

static const struct row *row_at(const void *at)
{
	struct row *row;

	memcpy(&row, at, sizeof(row));
	return row;
}

static int by_key(const void *a, const void *b)
{
	return key_compare(&row_at(a)->node->op, &row_at(b)->node->op);
}

static int64_t age(const struct store_op *op)
{
	switch (op->kind) {
	case STORE_CALL_PUT:
		return op->u.call.created;
	case STORE_OUTBOX_PUT:
		return op->u.outbox.created;
	case STORE_LOG_PUT:
		return op->u.log.ended;
	case STORE_VISIT_PUT:
		return op->u.visit.from;
	default:
		return 0;
	}
}

static int by_age(const void *a, const void *b)
{
	const struct row *ra = row_at(a), *rb = row_at(b);
	int64_t ta = age(&ra->node->op), tb = age(&rb->node->op);

	if (ta != tb)
		return ta < tb ? -1 : 1;
	return (ra->seq > rb->seq) - (ra->seq < rb->seq);
}

static int by_age_and_key(const void *a, const void *b)
{
	int64_t ta = age(&row_at(a)->node->op);
	int64_t tb = age(&row_at(b)->node->op);

	if (ta != tb)
		return ta < tb ? -1 : 1;
	return by_key(a, b);
}

static bool call_known(struct memory *m, const char *id)
{
	struct store_op op = { .kind = STORE_CALL_DEL, .u.key.id = id };

	return *row_find(m, &op) != NULL;
}

/* Hands one row over; 0 also when nobody wants it. */
static int row_hand(struct memory *m, const struct store_op *op,
		    const struct store_load_handlers *h, void *arg)
{
	switch (op->kind) {
	case STORE_CALL_PUT:
		return h->call_h ? h->call_h(&op->u.call, arg) : 0;
	case STORE_LEG_PUT:
		if (!h->leg_h || !call_known(m, op->u.leg.call))
			return 0;
		return h->leg_h(&op->u.leg, arg);
	case STORE_OUTBOX_PUT:
		return h->outbox_h ? h->outbox_h(&op->u.outbox, arg) : 0;
	case STORE_SETTING_PUT:
		return h->setting_h ? h->setting_h(op->u.setting.user,
			op->u.setting.name, op->u.setting.value, arg) : 0;
	case STORE_SWITCH_PUT:
		return h->switch_h ? h->switch_h(op->u.setting.name,
			op->u.setting.value, arg) : 0;
	case STORE_CONTACT_PUT:
		return h->contact_h ? h->contact_h(&op->u.contact, arg) : 0;
	default:
		return 0;
	}
}

static int memory_load(struct store *s, const struct store_load_handlers *h,
		       void *arg)
{
	static const struct {
		enum table table;
		int (*compare)(const void *, const void *);
	} order[] = {
		{ CALL, by_age_and_key }, { LEG, by_key }, { OUTBOX, by_age },
		{ SETTING, by_key }, { SWITCH, by_key }, { CONTACT, by_key },
	};
	struct memory *m = memory_of(s);
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(order) / sizeof(order[0]);
	     i++) {
		struct row **rows;

		err = rows_sorted(m, order[i].table, order[i].compare, &rows);
		if (err)
			return err;
		for (size_t j = 0; !err && rows[j]; j++)
			err = row_hand(m, &rows[j]->node->op, h, arg);
		free(rows);
	}
	return err;
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static bool log_wanted(const struct store_log *l,
		       const struct store_log_query *q)
{
	return l->ended >= q->since &&
		(!q->call || same(l->call, q->call)) &&
		(!q->user || same(l->caller, q->user) ||
		 same(l->callee, q->user));
}

static const char *traffic_of(struct memory *m, const struct store_log *l)
{
	struct store_op op = { .kind = STORE_TRAFFIC_PUT, .u.traffic = {
		.call = l->call, .round = l->round } };
	struct row **row = row_find(m, &op);

	return *row ? (*row)->node->op.u.traffic.figures : NULL;
}

static int memory_log(struct store *s, const struct store_log_query *q,
		      store_log_h *h, void *arg)
{
	struct memory *m = memory_of(s);
	struct row **rows;
	unsigned left = q->limit ? q->limit : UINT_MAX;
	int err = rows_sorted(m, LOG, by_age, &rows);

	if (err)
		return err;
	for (size_t i = m->tables[LOG].count; !err && left && i > 0; i--) {
		struct store_log l = rows[i - 1]->node->op.u.log;

		if (!log_wanted(&l, q))
			continue;
		left--;
		l.traffic = traffic_of(m, &l);
		err = h(&l, arg);
	}
	free(rows);
	return err;
}

static int memory_visits(struct store *s, const char *call, store_visit_h *h,
			 void *arg)
{
	struct row **rows;
	int err = rows_sorted(memory_of(s), VISIT, by_age_and_key, &rows);

	if (err)
		return err;
	for (size_t i = 0; !err && rows[i]; i++)
		if (same(rows[i]->node->op.u.visit.call, call))
			err = h(&rows[i]->node->op.u.visit, arg);
	free(rows);
	return err;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool outlived(struct memory *m, const struct store_op *op,
		     int64_t log_before, int64_t outbox_before)
{
	const struct store_call *c = &op->u.call;

	switch (op->kind) {
	case STORE_LOG_PUT:
		return op->u.log.ended < log_before;
	case STORE_TRAFFIC_PUT:
		return op->u.traffic.ended < log_before;
	case STORE_VISIT_PUT:
		return later(op->u.visit.from, op->u.visit.to) < log_before;
	case STORE_OUTBOX_PUT:
		return op->u.outbox.created < outbox_before;
	case STORE_CALL_PUT:
		return later(later(c->created, c->rung),
			     later(c->answered, c->round_answered)) <
			log_before;
	case STORE_LEG_PUT:
		return !call_known(m, op->u.leg.call);
	default:
		return false;
	}
}

static int memory_prune(struct store *s, int64_t log_before,
			int64_t outbox_before)
{
	struct memory *m = memory_of(s);
	int err = fault_take(m);

	if (err)
		return failed(m, err);
	for (int t = 0; t < TABLES; t++) {
		struct row *row, *next;

		for (row = m->tables[t].first; row; row = next) {
			next = row->next;
			if (outlived(m, &row->node->op, log_before,
				     outbox_before))
				row_drop(m, &row->node->op);
		}
	}
	return 0;
}

static void memory_close(struct store *s)
{
	struct memory *m = memory_of(s);

	for (int t = 0; t < TABLES; t++)
		while (m->tables[t].first) {
			struct row *row = m->tables[t].first;

			m->tables[t].first = row->next;
			row_free(row);
		}
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static const struct store_vtable memory_vtable = {
	.commit = memory_commit,
	.load = memory_load,
	.log = memory_log,
	.visits = memory_visits,
	.prune = memory_prune,
	.close = memory_close,
};

int store_memory_open(struct store **store_r)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (!m)
		return ENOMEM;
	m->base.v = &memory_vtable;
	pthread_mutex_init(&m->lock, NULL);
	*store_r = &m->base;
	return 0;
}

void store_memory_fail(struct store *s, int err, unsigned times)
{
	struct memory *m = memory_of(s);

	assert(s->v == &memory_vtable);
	pthread_mutex_lock(&m->lock);
	m->fail_err = err;
	m->fail_times = err ? times : 0;
	pthread_mutex_unlock(&m->lock);
}
