/* test_store.c: the store: batches, and one table of tests on both back ends,
 * which must not differ.
 */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mod_privatecall/store/batch.h"
#include "mod_privatecall/store/store.h"
#include "tests/unit/store_test.h"

/* The table that both back ends pass. */

static void test_empty(struct store *s)
{
	assert_string_equal(loaded(s), "");
	assert_string_equal(logged(s, NULL, NULL, 0, 10), "");
	assert_string_equal(visited(s, "c1"), "");
	assert_int_equal(commit(s, NULL, 0), 0);
	assert_int_equal(s->v->prune(s, INT64_MAX, INT64_MAX), 0);
}

static void test_call_and_legs(struct store *s)
{
	struct store_op gone = { .kind = STORE_LEG_DEL,
		.u.leg = { .call = "c1", .side = 1 } };

	COMMIT(s, call_op("c1", 1), leg_op("c1", 0, 7), leg_op("c1", 1, 8));
	assert_string_equal(loaded(s), C1 LEG0 LEG1);
	COMMIT(s, gone);
	assert_string_equal(loaded(s), C1 LEG0);
	/* A new row of the call leaves its legs alone. */
	COMMIT(s, call_op("c1", 2));
	assert_string_equal(loaded(s),
			    "call c1 a@x b@x 2 3 4 1000 1001 1002 1003\n" LEG0);
	COMMIT(s, leg_op("c1", 0, 9), call_op("c2", 1), leg_op("c2", 1, 8));
	COMMIT(s, key_op(STORE_CALL_DEL, "c1"));
	assert_string_equal(loaded(s),
			    "call c2 a@x b@x 1 3 4 1000 1001 1002 1003\n"
			    "leg c2 1 a@x a@x/phone b@calls.x s1 2 8 "
			    "d 'q'; --\n");
	COMMIT(s, key_op(STORE_CALL_DEL, "c1"));
	COMMIT(s, key_op(STORE_CALL_DEL, "c2"));
	assert_string_equal(loaded(s), "");
}

static void test_put_and_del_in_one_batch(struct store *s)
{
	COMMIT(s, call_op("c1", 1), leg_op("c1", 0, 7),
	       key_op(STORE_CALL_DEL, "c1"), call_op("c1", 1),
	       leg_op("c1", 1, 8));
	assert_string_equal(loaded(s), C1 LEG1);
}

static void test_leg_without_call(struct store *s)
{
	COMMIT(s, leg_op("c1", 0, 7));
	assert_string_equal(loaded(s), "");
	COMMIT(s, call_op("c1", 1));
	assert_string_equal(loaded(s), C1 LEG0);
}

static void test_outbox(struct store *s)
{
	COMMIT(s, outbox_op("m1", 30, 1), outbox_op("m2", 20, 1),
	       outbox_op("m4", 20, 1), outbox_op("m3", 20, 1));
	/* Replacing a row keeps its place among those of the same time. */
	COMMIT(s, outbox_op("m2", 20, 5));
	assert_string_equal(loaded(s),
		"outbox m2 b@x - missed - B - 20 1 5\n"
		"outbox m4 b@x - missed - B - 20 0 1\n"
		"outbox m3 b@x - missed - B - 20 0 1\n"
		"outbox m1 b@x - missed - B - 30 0 1\n");
	COMMIT(s, key_op(STORE_OUTBOX_DEL, "m2"),
	       key_op(STORE_OUTBOX_DEL, "m4"),
	       key_op(STORE_OUTBOX_DEL, "none"));
	assert_int_equal(s->v->prune(s, 0, 30), 0);
	assert_string_equal(loaded(s),
		"outbox m1 b@x - missed - B - 30 0 1\n");
}

static void test_settings_and_switches(struct store *s)
{
	COMMIT(s, setting_op("b@x", "policy", "all"),
	       setting_op("a@x", "policy", "all"),
	       setting_op("a@x", "block", "e@x"), switch_op("video", "off"),
	       switch_op("calls", "on"), switch_op("policy", ""));
	COMMIT(s, setting_op("a@x", "policy", "none"),
	       switch_op("calls", "off"), setting_op("b@x", "policy", NULL),
	       switch_op("video", NULL), switch_op("never", NULL));
	assert_string_equal(loaded(s),
		"setting a@x block e@x\nsetting a@x policy none\n"
		"switch calls off\nswitch policy \n");
}

static void test_contacts(struct store *s)
{
	COMMIT(s, contact_op(STORE_CONTACT_PUT, "b@x", "a@calls.x", true),
	       contact_op(STORE_CONTACT_PUT, "a@x", "calls.x", true),
	       contact_op(STORE_CONTACT_PUT, "a@x", "b@calls.x", true));
	COMMIT(s, contact_op(STORE_CONTACT_PUT, "a@x", "b@calls.x", false),
	       contact_op(STORE_CONTACT_DEL, "a@x", "calls.x", false));
	assert_string_equal(loaded(s), "contact a@x b@calls.x 1 0 0\n"
			    "contact b@x a@calls.x 1 0 1\n");
}

static void test_load_order(struct store *s)
{
	struct store_op old = call_op("c9", 1);

	old.u.call.created = 1;
	COMMIT(s, contact_op(STORE_CONTACT_PUT, "a@x", "b@x", true),
	       switch_op("calls", "on"), setting_op("a@x", "p", "v"),
	       outbox_op("m1", 1, 1), leg_op("c1", 1, 8),
	       leg_op("c1", 0, 7), call_op("c1", 1), old);
	assert_string_equal(loaded(s),
		"call c9 a@x b@x 1 3 4 1 1001 1002 1003\n" C1 LEG0 LEG1
		"outbox m1 b@x - missed - B - 1 0 1\nsetting a@x p v\n"
		"switch calls on\ncontact a@x b@x 1 0 1\n");
}

static int stop_at_second(const struct store_outbox *o, void *arg)
{
	unsigned *n = arg;

	(void)o;
	return ++*n == 2 ? ECANCELED : 0;
}

static void test_load_stops(struct store *s)
{
	struct store_load_handlers h = { .outbox_h = stop_at_second };
	unsigned n = 0;

	COMMIT(s, call_op("c1", 1), outbox_op("m1", 1, 1),
	       outbox_op("m2", 2, 1), outbox_op("m3", 3, 1));
	assert_int_equal(s->v->load(s, &h, &n), ECANCELED);
	assert_int_equal(n, 2);
	/* It can be loaded and written again at once. */
	COMMIT(s, key_op(STORE_OUTBOX_DEL, "m1"));
	n = 0;
	assert_int_equal(s->v->load(s, &h, &n), ECANCELED);
}

#define L(call, round, user, ended) "log " call " " round " " user \
	" b@x 1 5 0 " ended " missed -\n"

static void test_log(struct store *s)
{
	COMMIT(s, log_op("c1", 1, "a@x", 10), log_op("c1", 2, "b@x", 30),
	       log_op("c2", 1, "d@x", 20), log_op("c3", 1, "a@x", 30));
	COMMIT(s, log_op("c1", 1, "a@x", 15));
	assert_string_equal(logged(s, NULL, NULL, 0, 0),
		L("c3", "1", "a@x", "30") L("c1", "2", "b@x", "30")
		L("c2", "1", "d@x", "20") L("c1", "1", "a@x", "15"));
	assert_string_equal(logged(s, NULL, NULL, 20, 2),
		L("c3", "1", "a@x", "30") L("c1", "2", "b@x", "30"));
	assert_string_equal(logged(s, "a@x", NULL, 0, 10),
		L("c3", "1", "a@x", "30") L("c1", "1", "a@x", "15"));
	assert_string_equal(logged(s, "b@x", NULL, 0, 1),
		L("c3", "1", "a@x", "30"));
	assert_string_equal(logged(s, NULL, "c1", 0, 10),
		L("c1", "2", "b@x", "30") L("c1", "1", "a@x", "15"));
	assert_string_equal(logged(s, "a@x", "c1", 0, 10),
		L("c1", "1", "a@x", "15"));
	assert_string_equal(logged(s, "a@x", "c1", 16, 10), "");
	assert_string_equal(logged(s, "' OR 1 --", NULL, 0, 10), "");
}

/* What comes again says all anew, but for its key and its age. */
static void test_rows_replaced(struct store *s)
{
	struct store_op log = { .kind = STORE_LOG_PUT, .u.log = {
		"c1", 1, "d@x", "e@x", 2, 6, 7, 8, "failed", "gone", "dtls",
		NULL } };
	struct store_op outbox = { .kind = STORE_OUTBOX_PUT, .u.outbox = {
		"m1", "c@x", "d@x", "folded", "S", "A\nB", "de", 2, true,
		3 } };
	struct store_op visit = visit_op("a@x", 10, 0);

	COMMIT(s, log_op("c1", 1, "a@x", 10), outbox_op("m1", 1, 1), visit);
	visit.u.visit.to = 15;
	visit.u.visit.device = "a@x/tablet";
	visit.u.visit.reason = "gone";
	COMMIT(s, log, outbox, visit);
	assert_string_equal(logged(s, NULL, NULL, 0, 0),
			    "log c1 1 d@x e@x 2 6 7 8 failed gone\n"
			    "  at dtls with -\n");
	assert_string_equal(loaded(s), "outbox m1 c@x d@x folded S A\nB de 2 "
			    "1 3\n");
	assert_string_equal(visited(s, "c1"),
			    "visit c1 a@x a@x/tablet 10 15 gone\n");
}

/* What media counted comes with the row of its round, whichever was first. */
static void test_traffic(struct store *s)
{
	struct store_op failed = log_op("c1", 2, "a@x", 20);

	failed.u.log.step = "no ICE checks from either device";
	COMMIT(s, traffic_op("c1", 1, 11, "{1}"), traffic_op("c9", 1, 1, "{9}"),
	       traffic_op("c1", 3, 1, "{3}"));
	COMMIT(s, log_op("c1", 1, "a@x", 10), failed,
	       traffic_op("c1", 1, 12, "{2}"));
	assert_string_equal(logged(s, NULL, NULL, 0, 0),
		L("c1", "2", "a@x", "20")
		"  at no ICE checks from either device with -\n"
		L("c1", "1", "a@x", "10") "  at - with {2}\n");
	assert_string_equal(logged(s, "a@x", "c1", 0, 1),
		L("c1", "2", "a@x", "20")
		"  at no ICE checks from either device with -\n");
	assert_int_equal(s->v->prune(s, 12, 0), 0);
	COMMIT(s, log_op("c1", 1, "a@x", 30), log_op("c1", 3, "a@x", 31));
	assert_string_equal(logged(s, NULL, "c1", 21, 0),
		L("c1", "3", "a@x", "31")
		L("c1", "1", "a@x", "30") "  at - with {2}\n");
}

static void test_visits(struct store *s)
{
	COMMIT(s, visit_op("b@x", 20, 0), visit_op("a@x", 20, 25),
	       visit_op("a@x", 10, 0));
	COMMIT(s, visit_op("a@x", 10, 15));
	assert_string_equal(visited(s, "c1"),
		"visit c1 a@x a@x/phone 10 15 success\n"
		"visit c1 a@x a@x/phone 20 25 success\n"
		"visit c1 b@x a@x/phone 20 0 -\n");
	assert_string_equal(visited(s, "c2"), "");
}

static void test_prune(struct store *s)
{
	struct store_op left = call_op("c2", 1);

	left.u.call.round_answered = 5000;
	COMMIT(s, call_op("c1", 1), leg_op("c1", 0, 7), left,
	       leg_op("c2", 1, 8), leg_op("c0", 1, 8),
	       log_op("c1", 1, "a@x", 1099), log_op("c1", 2, "a@x", 1100),
	       visit_op("a@x", 1000, 1099), visit_op("a@x", 1001, 1100),
	       visit_op("a@x", 1099, 0), visit_op("a@x", 1100, 0),
	       outbox_op("m1", 999, 1), outbox_op("m2", 1000, 1),
	       setting_op("a@x", "p", "v"));
	assert_int_equal(s->v->prune(s, 1100, 1000), 0);
	/* No leg comes back with a call of its id. */
	COMMIT(s, call_op("c0", 1), call_op("c1", 1));
	COMMIT(s, key_op(STORE_CALL_DEL, "c0"));
	assert_string_equal(loaded(s),
		C1 "call c2 a@x b@x 1 3 4 1000 1001 1002 5000\n"
		"leg c2 1 a@x a@x/phone b@calls.x s1 2 8 d 'q'; --\n"
		"outbox m2 b@x - missed - B - 1000 0 1\n"
		"setting a@x p v\n");
	assert_string_equal(logged(s, NULL, NULL, 0, 0),
		L("c1", "2", "a@x", "1100"));
	assert_string_equal(visited(s, "c1"),
		"visit c1 a@x a@x/phone 1001 1100 success\n"
		"visit c1 a@x a@x/phone 1100 0 -\n");
}

static void test_extremes(struct store *s)
{
	struct store_op op = call_op("c1", UINT_MAX);
	char *big = malloc(300001), *id;

	assert_non_null(big);
	memset(big, 'x', 300000);
	big[300000] = '\0';
	op.u.call.created = INT64_MAX;
	op.u.call.rung = INT64_MIN;
	op.u.call.caller = NULL;
	op.u.call.callee = "";
	COMMIT(s, op, setting_op("a@x", "p", big));
	op = outbox_op("", 0, 0);
	COMMIT(s, op, setting_op("a@x", "p", "\xc3\xbc\n%s"));
	id = big;
	COMMIT(s, key_op(STORE_OUTBOX_DEL, id));
	free(big);
	assert_string_equal(loaded(s),
		"call c1 -  4294967295 3 4 9223372036854775807 "
		"-9223372036854775808 1002 1003\n"
		"outbox  b@x - missed - B - 0 0 0\n"
		"setting a@x p \xc3\xbc\n%s\n");
}

static void (*const table[])(struct store *) = {
	test_empty, test_call_and_legs, test_put_and_del_in_one_batch,
	test_leg_without_call, test_outbox, test_settings_and_switches,
	test_contacts, test_load_order, test_load_stops, test_log,
	test_rows_replaced, test_traffic, test_visits, test_prune,
	test_extremes,
};
#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))

static void test_table_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		struct store *s;

		assert_int_equal(store_memory_open(&s), 0);
		table[i](s);
		s->v->close(s);
	}
}

static void test_table_sqlite(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_COUNT; i++) {
		struct store *s;
		char *before;

		db_remove();
		s = db_open();
		table[i](s);
		before = strdup(loaded(s));
		s->v->close(s);
		s = db_open();
		assert_string_equal(loaded(s), before);
		s->v->close(s);
		free(before);
	}
}

/* Seeded random operations on both back ends, which must stay equal. */

static uint32_t seed;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static struct store_op random_op(void)
{
	static const char *const names[] = { "c1", "c2", "c3", "", "\xc3" };
	const char *a = names[rnd(5)], *b = names[rnd(5)];
	struct store_op op;

	switch ((enum store_op_kind)rnd(STORE_CONTACT_DEL + 1)) {
	case STORE_CALL_PUT:
		op = call_op(a, rnd(3));
		op.u.call.created = op.u.call.rung = rnd(10);
		op.u.call.answered = op.u.call.round_answered = rnd(30);
		return op;
	case STORE_LEG_PUT:
		return leg_op(a, rnd(2), rnd(9));
	case STORE_LEG_DEL:
		return (struct store_op){ .kind = STORE_LEG_DEL,
			.u.leg = { .call = a, .side = rnd(2) } };
	case STORE_VISIT_PUT:
		return visit_op(a, rnd(20), rnd(2) ? rnd(30) : 0);
	case STORE_LOG_PUT:
		return log_op(a, rnd(8), b, rnd(20));
	case STORE_TRAFFIC_PUT:
		return traffic_op(a, rnd(8), rnd(20), b);
	case STORE_OUTBOX_PUT:
		return outbox_op(a, rnd(5), rnd(4));
	case STORE_SETTING_PUT:
		return setting_op(a, b, rnd(3) ? names[rnd(5)] : NULL);
	case STORE_SWITCH_PUT:
		return switch_op(a, rnd(3) ? b : NULL);
	case STORE_CONTACT_PUT:
		return contact_op(STORE_CONTACT_PUT, a, b, rnd(2));
	case STORE_CONTACT_DEL:
		return contact_op(STORE_CONTACT_DEL, a, b, false);
	case STORE_OUTBOX_DEL:
		return key_op(STORE_OUTBOX_DEL, a);
	case STORE_CALL_DEL:
		break;
	}
	return key_op(STORE_CALL_DEL, a);
}

/* All that a store shows, in memory that is free()d. */
static char *shown(struct store *s)
{
	char *all, *load = strdup(loaded(s));
	char *log = strdup(logged(s, NULL, NULL, 0, 0));
	char *user = strdup(logged(s, "c1", NULL, 3, 4));

	assert_true(asprintf(&all, "%s%s%s%s", load, log, user,
			     visited(s, "c1")) >= 0);
	free(load);
	free(log);
	free(user);
	return all;
}

static void test_back_ends_agree(void **state)
{
	struct store *memory, *sqlite;

	(void)state;
	db_remove();
	sqlite = db_open();
	assert_int_equal(store_memory_open(&memory), 0);
	seed = 7;
	for (int round = 0; round < 150; round++) {
		struct store_op ops[12];
		size_t count = rnd(13);
		char *a, *b;

		for (size_t i = 0; i < count; i++)
			ops[i] = random_op();
		assert_int_equal(commit(memory, ops, count), 0);
		assert_int_equal(commit(sqlite, ops, count), 0);
		if (rnd(8) == 0) {
			int64_t log = rnd(20), outbox = rnd(4);

			assert_int_equal(memory->v->prune(memory, log,
							  outbox), 0);
			assert_int_equal(sqlite->v->prune(sqlite, log,
							  outbox), 0);
		}
		a = shown(memory);
		b = shown(sqlite);
		assert_string_equal(a, b);
		free(a);
		free(b);
	}
	memory->v->close(memory);
	sqlite->v->close(sqlite);
}

/* Batches. */

static void test_batch(void **state)
{
	struct store_batch *a = store_batch_new(), *b = store_batch_new();
	char name[] = "policy", value[] = "all";
	struct store_op op = setting_op("a@x", name, value);
	size_t bytes;

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(store_batch_add(a, &op), 0);
	name[0] = value[0] = '!';
	assert_string_equal(store_batch_get(a, 0)->u.setting.name, "policy");
	assert_string_equal(store_batch_get(a, 0)->u.setting.value, "all");
	op = key_op(STORE_CALL_DEL, "c1");
	assert_int_equal(store_batch_add(b, &op), 0);
	op = key_op(STORE_CALL_DEL, "c2");
	assert_int_equal(store_batch_add(b, &op), 0);
	bytes = store_batch_bytes(a) + store_batch_bytes(b);
	store_batch_join(a, b);
	assert_int_equal(store_batch_count(a), 3);
	assert_int_equal(store_batch_count(b), 0);
	assert_int_equal(store_batch_bytes(a), bytes);
	assert_int_equal(store_batch_bytes(b), 0);
	assert_string_equal(store_batch_get(a, 2)->u.key.id, "c2");
	store_batch_join(a, b);
	assert_int_equal(store_batch_add(b, &op), 0);
	store_batch_join(b, a);
	assert_string_equal(store_batch_get(b, 0)->u.key.id, "c2");
	assert_string_equal(store_batch_get(b, 1)->u.setting.user, "a@x");
	store_batch_free(a);
	store_batch_free(b);
	store_batch_free(NULL);
}

/* The texts of an operation, as many of each kind as it has. */
static size_t texts_of(const struct store_op *op, const char *texts[8])
{
	const struct store_log *l = &op->u.log;
	const struct store_leg *g = &op->u.leg;
	const struct store_outbox *o = &op->u.outbox;
	const char *const all[][8] = {
		{ op->u.call.id, op->u.call.caller, op->u.call.callee },
		{ g->call, g->user, g->device, g->own, g->sid, g->data },
		{ op->u.visit.call, op->u.visit.user, op->u.visit.device,
		  op->u.visit.reason },
		{ l->call, l->caller, l->callee, l->result, l->reason,
		  l->step },
		{ op->u.traffic.call, op->u.traffic.figures },
		{ o->id, o->user, o->peer, o->kind, o->subject, o->body,
		  o->lang },
	};
	static const enum store_op_kind kinds[] = {
		STORE_CALL_PUT, STORE_LEG_PUT, STORE_VISIT_PUT, STORE_LOG_PUT,
		STORE_TRAFFIC_PUT, STORE_OUTBOX_PUT,
	};
	size_t i = 0, n = 0;

	while (kinds[i] != op->kind)
		i++;
	for (; n < 8 && all[i][n]; n++)
		texts[n] = all[i][n];
	return n;
}

/* Nothing of what its maker has is left in it. */
static void test_batch_copies(void **state)
{
	struct store_batch *b = store_batch_new();
	struct store_op ops[] = {
		call_op("c1", 1), leg_op("c1", 0, 7), visit_op("a@x", 1, 2),
		log_op("c1", 1, "a@x", 1), traffic_op("c1", 1, 1, "{}"),
		outbox_op("m1", 1, 1),
	};
	const char *from[8], *to[8];

	(void)state;
	assert_non_null(b);
	ops[3].u.log.reason = "gone";
	ops[3].u.log.step = "dtls";
	ops[5].u.outbox.peer = "c@x";
	ops[5].u.outbox.subject = "S";
	ops[5].u.outbox.lang = "en";
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		size_t n = texts_of(&ops[i], from);

		assert_int_equal(store_batch_add(b, &ops[i]), 0);
		assert_int_equal(texts_of(store_batch_get(b, i), to), n);
		for (size_t j = 0; j < n; j++) {
			assert_ptr_not_equal(to[j], from[j]);
			assert_string_equal(to[j], from[j]);
		}
	}
	store_batch_free(b);
}

/* What is larger than memory of several operations has its own. */
static void test_batch_large(void **state)
{
	struct store_batch *b = store_batch_new();
	char *value = malloc(40001);

	(void)state;
	assert_non_null(b);
	assert_non_null(value);
	memset(value, 'x', 40000);
	for (size_t size = 1; size <= 40000; size *= 200) {
		struct store_op op = setting_op("a@x", "p", value);

		value[size] = '\0';
		assert_int_equal(store_batch_add(b, &op), 0);
		value[size] = 'x';
	}
	assert_non_null(store_batch_first(b)->chunk);
	assert_non_null(store_batch_first(b)->next->chunk);
	assert_null(store_batch_first(b)->next->next->chunk);
	store_batch_free(b);
	free(value);
}

/* Operations of one size, the n-th of which says n. */
static const char *add_numbered(struct store_batch *b, unsigned n, size_t size)
{
	char value[5000];
	struct store_op op = { .kind = STORE_SETTING_PUT };
	size_t count = store_batch_count(b);

	assert_true(size < sizeof(value));
	memset(value, 'x', size);
	value[size] = 0;
	snprintf(value, sizeof(value), "%u", n);
	value[strlen(value)] = ' ';
	op.u.setting.user = "a@x";
	op.u.setting.name = "policy";
	op.u.setting.value = value;
	assert_int_equal(store_batch_add(b, &op), 0);
	return store_batch_get(b, count)->u.setting.value;
}

static void assert_numbers(const struct store_batch *b, unsigned from,
			   size_t size)
{
	for (size_t i = 0; i < store_batch_count(b); i++) {
		const char *value = store_batch_get(b, i)->u.setting.value;

		assert_int_equal(strlen(value), size);
		assert_int_equal(strtoul(value, NULL, 10), from + i);
	}
}

static struct store_batch *next_of(struct store_batch *b)
{
	struct store_batch *next = store_batch_next(b);

	assert_non_null(next);
	return next;
}

/* What comes after a batch is made in the memory that those before it left, and
 * in none that one of them still has. */
static void test_batch_next(void **state)
{
	struct store_batch *b = store_batch_new(), *before;
	const char *first, *at;
	unsigned n = 0;

	(void)state;
	assert_non_null(b);
	first = add_numbered(b, 0, 900);
	before = b;
	b = next_of(before);
	assert_int_equal(store_batch_count(b), 0);
	add_numbered(before, 1, 900);  /* has memory of its own again */
	assert_ptr_not_equal(add_numbered(b, 2, 900), first);
	assert_numbers(before, 0, 900);
	assert_numbers(b, 2, 900);
	store_batch_free(before);
	before = b;
	b = next_of(before);
	store_batch_free(before);
	/* Nothing is left in it: from its beginning. */
	assert_ptr_equal(add_numbered(b, 0, 900), first);

	/* Its second chunk has something of the next batch in it when the first
	 * is left: that is gone on in when the second is full. */
	for (n = 1; n < 20; n++)
		add_numbered(b, n, 900);
	before = b;
	b = next_of(before);
	add_numbered(b, 0, 900);
	assert_numbers(before, 0, 900);
	store_batch_free(before);
	for (n = 1; n < 40; n++) {
		at = add_numbered(b, n, 900);
		if (at == first)
			break;
	}
	assert_ptr_equal(at, first);
	assert_numbers(b, 0, 900);
	store_batch_free(b);
}

/* Up to where an operation gets memory of its own, and beyond. */
static void test_batch_sizes(void **state)
{
	struct store_batch *b = store_batch_new();

	(void)state;
	assert_non_null(b);
	for (size_t size = 10; size < 4900; size += 7) {
		struct store_batch *before = b;

		for (unsigned n = 0; n < 20; n++)
			add_numbered(before, n, size);
		b = next_of(before);
		add_numbered(b, 0, size);
		assert_numbers(before, 0, size);
		store_batch_free(before);
		assert_numbers(b, 0, size);
		before = b;
		b = next_of(before);
		store_batch_free(before);
	}
	store_batch_free(b);
}

static void test_batch_refuses(void **state)
{
	struct store_batch *b = store_batch_new();
	struct store_op ops[] = {
		call_op(NULL, 1), leg_op(NULL, 0, 0),
		setting_op(NULL, "p", "v"),
		setting_op("a@x", NULL, "v"), switch_op(NULL, "v"),
		outbox_op(NULL, 0, 0), key_op(STORE_CALL_DEL, NULL),
		key_op((enum store_op_kind)99, "c1"),
		contact_op(STORE_CONTACT_DEL, "a@x", NULL, false),
	};

	(void)state;
	assert_non_null(b);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		assert_int_equal(store_batch_add(b, &ops[i]), EINVAL);
	assert_int_equal(store_batch_count(b), 0);
	store_batch_free(b);
}

/* Failures leave nothing of a batch. */

static void test_memory_fault(void **state)
{
	struct store *s;
	struct store_op ops[] = { call_op("c1", 1), leg_op("c1", 0, 7) };

	(void)state;
	assert_int_equal(store_memory_open(&s), 0);
	store_memory_fail(s, ENOSPC, 2);
	assert_int_equal(commit(s, ops, 2), ENOSPC);
	assert_non_null(strstr(s->error, "No space"));
	assert_int_equal(s->v->prune(s, 0, 0), ENOSPC);
	assert_string_equal(loaded(s), "");
	assert_int_equal(commit(s, ops, 2), 0);
	assert_string_equal(loaded(s), C1 LEG0);
	store_memory_fail(s, EIO, UINT_MAX);
	for (int i = 0; i < 5; i++)
		assert_int_equal(commit(s, ops, 1), EIO);
	store_memory_fail(s, 0, 0);
	assert_int_equal(commit(s, ops, 1), 0);
	s->v->close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_memory),
		cmocka_unit_test(test_table_sqlite),
		cmocka_unit_test(test_back_ends_agree),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_batch_copies),
		cmocka_unit_test(test_batch_large),
		cmocka_unit_test(test_batch_next),
		cmocka_unit_test(test_batch_sizes),
		cmocka_unit_test(test_batch_refuses),
		cmocka_unit_test(test_memory_fault),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
