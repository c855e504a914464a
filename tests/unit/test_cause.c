/* test_cause.c: the table of refusals, row by row against product.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mod_privatecall/policy/cause.h"

static const struct {
	enum cause cause;
	const char *name, *reason, *text;
	bool delay, offer, told;
	enum callee_notice callee;
} want[CAUSES] = {
#define GONE "Bob is not active right now."
#define NO_CALLS "Calls are not available right now. Try again shortly."
	{ CAUSE_NONE, "none", NULL, NULL, 0, 0, 0, CALLEE_NONE },
	{ CAUSE_NOT_ACTIVE, "not-active", "gone", GONE, 1, 1, 1,
	  CALLEE_MISSED },
	{ CAUSE_DND, "dnd", "gone", GONE, 1, 1, 1, CALLEE_MISSED },
	{ CAUSE_UNKNOWN_USER, "unknown-user", "gone", GONE, 1, 1, 1,
	  CALLEE_NONE },
	{ CAUSE_BLOCKED, "blocked", "gone", GONE, 1, 1, 1, CALLEE_NONE },
	{ CAUSE_PRIVACY, "privacy", "decline", "Action not allowed.", 1, 0, 1,
	  CALLEE_NONE },
	{ CAUSE_NEEDS_MESSAGING, "needs-messaging", "decline",
	  "Action not allowed.", 1, 0, 1, CALLEE_NONE },
	{ CAUSE_SWITCH_OFF, "switch-off", "decline",
	  "Private calls are turned off on this server.", 0, 1, 1,
	  CALLEE_NONE },
	{ CAUSE_NO_VIDEO, "no-video", "decline",
	  "Video calls are not allowed here.", 0, 1, 1, CALLEE_NONE },
	{ CAUSE_BUSY, "busy", "busy", "Bob is in another call.", 0, 1, 1,
	  CALLEE_MISSED },
	{ CAUSE_DECLINED, "declined", "decline", "Bob declined your call.",
	  0, 1, 1, CALLEE_WRITE_BACK },
	{ CAUSE_UNANSWERED, "unanswered", "timeout", "Bob did not answer.",
	  0, 1, 1, CALLEE_MISSED },
	{ CAUSE_CANCELLED, "cancelled", "cancel", NULL, 0, 0, 0,
	  CALLEE_MISSED },
	{ CAUSE_GLARE, "glare", "expired", NULL, 0, 0, 0, CALLEE_NONE },
	{ CAUSE_LIMIT, "limit", "decline",
	  "Too many calls. Try again in a minute.", 0, 0, 1, CALLEE_NONE },
	{ CAUSE_SELF, "self", "decline", "You cannot call yourself.", 0, 0, 1,
	  CALLEE_NONE },
	{ CAUSE_REMOTE, "remote", "decline",
	  "Calls to other servers are off.", 0, 0, 1, CALLEE_NONE },
	{ CAUSE_NO_CODEC, "no-codec", "incompatible-parameters",
	  "Your devices have no common audio format.", 0, 1, 1,
	  CALLEE_MISSED },
	{ CAUSE_NO_CAPACITY, "no-capacity", "gone", NO_CALLS, 0, 1, 1,
	  CALLEE_NONE },
	{ CAUSE_DRAINING, "draining", "gone", NO_CALLS, 0, 1, 1,
	  CALLEE_NONE },
	{ CAUSE_RESTART, "restart", "gone", NO_CALLS, 0, 1, 1, CALLEE_NONE },
	{ CAUSE_CALLER_GONE, "caller-gone", "gone", NULL, 0, 1, 1,
	  CALLEE_MISSED },
	{ CAUSE_FAILED, "failed", "connectivity-error",
	  "The call could not be connected.", 0, 1, 1, CALLEE_SAME },
	{ CAUSE_STALE, "stale", "expired", NULL, 0, 0, 0, CALLEE_NONE },
	{ CAUSE_ENDED, "ended", NULL, NULL, 0, 0, 1, CALLEE_DETAILS },
	{ CAUSE_SWITCHED, "switched", "success", "Bob took another call.",
	  0, 0, 1, CALLEE_DETAILS },
	{ CAUSE_REENTERED, "re-entered", "expired", NULL, 0, 0, 0,
	  CALLEE_NONE },
	{ CAUSE_ADMIN, "ended-by-admin", "gone",
	  "The call was ended by the administrator.", 0, 0, 1,
	  CALLEE_DETAILS },
	{ CAUSE_INTERRUPTED, "interrupted", "connectivity-error",
	  "The call was interrupted.", 0, 0, 1, CALLEE_DETAILS },
	{ CAUSE_INSECURE, "insecure", "security-error",
	  "The call was ended: its encryption could not be verified.", 0, 0,
	  1, CALLEE_DETAILS },
};

static void same(const char *a, const char *b)
{
	if (!a || !b)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void each_row(void **state)
{
	struct arena *a = arena_new(0);
	const struct cause_row *row;
	int i;

	(void)state;
	for (i = 0; i < CAUSES; i++) {
		assert_int_equal(want[i].cause, i);
		row = cause_row((enum cause)i);
		same(row->name, want[i].name);
		same(row->reason, want[i].reason);
		same(cause_text(a, (enum cause)i, "bob"), want[i].text);
		assert_int_equal(row->fixed_delay, want[i].delay);
		assert_int_equal(row->offer, want[i].offer);
		assert_int_equal(row->caller_notice, want[i].told);
		assert_int_equal(row->callee, want[i].callee);
		assert_int_equal(cause_parse(want[i].name), i);
	}
	arena_free(a);
}

/* A06: within each of the first two rows the caller learns the same. */
static void rows_look_alike(void **state)
{
	static const enum cause rows[2][4] = {
		{ CAUSE_NOT_ACTIVE, CAUSE_DND, CAUSE_UNKNOWN_USER,
		  CAUSE_BLOCKED },
		{ CAUSE_PRIVACY, CAUSE_NEEDS_MESSAGING, CAUSE_PRIVACY,
		  CAUSE_PRIVACY },
	};
	const struct cause_row *first, *other;
	int i, k;

	(void)state;
	for (i = 0; i < 2; i++)
		for (k = 1; k < 4; k++) {
			first = cause_row(rows[i][0]);
			other = cause_row(rows[i][k]);
			same(first->reason, other->reason);
			same(first->text, other->text);
			assert_int_equal(first->offer, other->offer);
			assert_true(first->fixed_delay && other->fixed_delay);
			assert_true(first->caller_notice &&
				    other->caller_notice);
		}
}

static void names(void **state)
{
	struct arena *a = arena_new(0);

	(void)state;
	assert_int_equal(cause_parse("no such cause"), CAUSES);
	assert_string_equal(cause_row(CAUSES)->name, "none");
	same(cause_text(a, CAUSE_BUSY, "Bob"), "Bob is in another call.");
	same(cause_text(a, CAUSE_BUSY, "7"), "7 is in another call.");
	same(cause_text(a, CAUSE_BUSY, "{"), "{ is in another call.");
	same(cause_text(a, CAUSE_BUSY, NULL), " is in another call.");
	arena_free(a);
}

static void no_memory(void **state)
{
	struct arena *a = arena_new(1);

	(void)state;
	arena_alloc(a, 100000);
	assert_null(cause_text(a, CAUSE_BUSY, "bob"));
	assert_null(cause_text(a, CAUSE_SELF, "bob"));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(rows_look_alike),
		cmocka_unit_test(names),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
