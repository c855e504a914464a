/* test_verdict.c: every cause of a refusal, and which goes before which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "mod_privatecall/policy/verdict.h"

static struct settings_site site;

/* A call that may be made. */
static struct verdict_facts fine(void)
{
	struct verdict_facts f = {
		.enabled = true, .messaging = true, .same_server = true,
		.known = true, .active = true,
	};

	settings_site_default(&site);
	f.caller = f.callee = site.user;
	return f;
}

static void may_ring(void **state)
{
	struct verdict_facts f = fine();

	(void)state;
	assert_int_equal(verdict(&site, &f), CAUSE_NONE);
	f.video = true;
	assert_int_equal(verdict(&site, &f), CAUSE_NONE);
}

/* The tests in their order: each one set beside all the later ones. */
static void set_reason(struct verdict_facts *f, enum cause c)
{
	switch (c) {
	case CAUSE_SELF:
		f->self = true;
		break;
	case CAUSE_REMOTE:
		f->callee_remote = true;
		break;
	case CAUSE_SWITCH_OFF:
		f->enabled = false;
		break;
	case CAUSE_LIMIT:
		f->over_limit = true;
		break;
	case CAUSE_DRAINING:
		f->draining = true;
		break;
	case CAUSE_NO_CAPACITY:
		f->no_capacity = true;
		break;
	case CAUSE_NO_VIDEO:
		f->video = true;
		site.allow_video = false;
		break;
	case CAUSE_PRIVACY:
		f->callee.who_may_call = WHO_NOBODY;
		break;
	case CAUSE_NEEDS_MESSAGING:
		site.calls_require_messaging = true;
		f->messaging = false;
		break;
	case CAUSE_UNKNOWN_USER:
		f->known = false;
		break;
	case CAUSE_BLOCKED:
		f->blocked = true;
		break;
	case CAUSE_DND:
		f->active = false;
		f->dnd = true;
		break;
	default:               /* CAUSE_BUSY */
		f->in_call = true;
		f->callee.second_call = SECOND_BUSY;
		break;
	}
}

static void order(void **state)
{
	static const enum cause causes[] = {
		CAUSE_LIMIT, CAUSE_SELF, CAUSE_REMOTE, CAUSE_SWITCH_OFF,
		CAUSE_DRAINING, CAUSE_NO_CAPACITY, CAUSE_NO_VIDEO,
		CAUSE_PRIVACY, CAUSE_NEEDS_MESSAGING, CAUSE_UNKNOWN_USER,
		CAUSE_BLOCKED, CAUSE_DND, CAUSE_BUSY,
	};
	const size_t n = sizeof(causes) / sizeof(causes[0]);
	struct verdict_facts f;
	size_t i, k;

	(void)state;
	for (i = 0; i < n; i++)
		for (k = i; k < n; k++) {
			f = fine();
			set_reason(&f, causes[i]);
			set_reason(&f, causes[k]);
			assert_int_equal(verdict(&site, &f), causes[i]);
		}
}

static void not_active(void **state)
{
	struct verdict_facts f = fine();

	(void)state;
	f.active = false;
	assert_int_equal(verdict(&site, &f), CAUSE_NOT_ACTIVE);
}

static void remote_users(void **state)
{
	struct verdict_facts f = fine();

	(void)state;
	f.caller_remote = true;
	assert_int_equal(verdict(&site, &f), CAUSE_REMOTE);
	site.remote_users = true;
	assert_int_equal(verdict(&site, &f), CAUSE_NONE);
	f.same_server = false;
	assert_int_equal(verdict(&site, &f), CAUSE_PRIVACY);
	f.contact = true;
	assert_int_equal(verdict(&site, &f), CAUSE_NONE);
}

static void who_may_call(void **state)
{
	static const struct {
		enum who_may_call who;
		bool server, contact;
		enum cause want;
	} cells[] = {
		{ WHO_EVERYONE, false, false, CAUSE_NONE },
		{ WHO_SERVER, true, false, CAUSE_NONE },
		{ WHO_SERVER, false, true, CAUSE_NONE },
		{ WHO_SERVER, false, false, CAUSE_PRIVACY },
		{ WHO_CONTACTS, true, true, CAUSE_NONE },
		{ WHO_CONTACTS, true, false, CAUSE_PRIVACY },
		{ WHO_NOBODY, true, true, CAUSE_PRIVACY },
	};
	struct verdict_facts f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		f = fine();
		f.callee.who_may_call = cells[i].who;
		f.same_server = cells[i].server;
		f.contact = cells[i].contact;
		assert_int_equal(verdict(&site, &f), cells[i].want);
	}
}

/* F26, F27: only who wants it so is busy. */
static void second_call(void **state)
{
	struct verdict_facts f = fine();

	(void)state;
	f.in_call = true;
	assert_int_equal(verdict(&site, &f), CAUSE_NONE);
	f.in_call = false;
	f.callee.second_call = SECOND_BUSY;
	assert_int_equal(verdict(&site, &f), CAUSE_NONE);
}

/* I09 F20: an offer only if site, caller and callee allow it. */
static void offer(void **state)
{
	struct verdict_facts f;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		f = fine();
		f.messaging = i & 1;
		f.caller.messages = i & 2;
		f.callee.messages = i & 4;
		assert_int_equal(verdict_offer(&f), i == 7);
		assert_int_equal(verdict(&site, &f), CAUSE_NONE);
		site.calls_require_messaging = true;
		assert_int_equal(verdict(&site, &f), i == 7 ? CAUSE_NONE :
				 CAUSE_NEEDS_MESSAGING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(may_ring),
		cmocka_unit_test(order),
		cmocka_unit_test(not_active),
		cmocka_unit_test(remote_users),
		cmocka_unit_test(who_may_call),
		cmocka_unit_test(second_call),
		cmocka_unit_test(offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
