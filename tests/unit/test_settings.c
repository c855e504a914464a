/* test_settings.c: defaults and names of product.md's table. */
#include "mod_privatecall/policy/settings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void defaults_are_the_products(void **state)
{
	struct settings_site s;

	(void)state;
	memset(&s, 0xff, sizeof(s));
	settings_site_default(&s);
	assert_true(s.enabled && s.messaging && s.allow_video);
	assert_false(s.calls_require_messaging || s.remote_users);
	assert_false(s.hard_limit);
	assert_int_equal(s.active_show, SHOW_ONLINE | SHOW_CHAT);
	assert_int_equal(s.idle_limit, 0);
	assert_int_equal(s.ring_timeout, 30000);
	assert_int_equal(s.setup_timeout, 30000);
	assert_int_equal(s.room_lifetime, 7200000);
	assert_int_equal(s.refuse_delay, 300);
	assert_int_equal(s.iq_timeout, 30000);
	assert_int_equal(s.lost_timeout, 10000);
	assert_int_equal(s.finish_delay, 2000);
	assert_int_equal(s.ringing_delay, 1000);
	assert_int_equal(s.facts_timeout, 250);
	assert_int_equal(s.facts_last, 900);
	assert_int_equal(s.pair_per_minute, 5);
	assert_int_equal(s.caller_per_minute, 20);
	assert_int_equal(s.max_calls, 1000);
	assert_int_equal(s.user.who_may_call, WHO_SERVER);
	assert_true(s.user.messages);
	assert_int_equal(s.user.second_call, SECOND_WAITING);
	assert_int_equal(s.user.notices, NOTICES_ALWAYS);
}

static void names_and_words_agree(void **state)
{
	enum who_may_call w;
	enum second_call s;
	enum notices n;
	enum show show;

	(void)state;
	for (int i = WHO_EVERYONE; i <= WHO_NOBODY; i++) {
		assert_true(who_may_call_parse(
			who_may_call_name((enum who_may_call)i), &w));
		assert_int_equal(w, i);
	}
	for (int i = SECOND_WAITING; i <= SECOND_BUSY; i++) {
		assert_true(second_call_parse(
			second_call_name((enum second_call)i), &s));
		assert_int_equal(s, i);
	}
	for (int i = NOTICES_ALWAYS; i <= NOTICES_NEVER; i++) {
		assert_true(notices_parse(notices_name((enum notices)i), &n));
		assert_int_equal(n, i);
	}
	for (int i = SHOW_ONLINE; i <= SHOW_DND; i <<= 1) {
		assert_true(show_parse(show_name((enum show)i), &show));
		assert_int_equal(show, i);
	}
}

static void other_words_are_refused(void **state)
{
	static const char *const words[] = {
		"", "Server", "server ", "yes", "serve", "offline", "3"
	};
	enum who_may_call w;
	enum second_call s;
	enum notices n;
	enum show show;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_false(who_may_call_parse(words[i], &w));
		assert_false(second_call_parse(words[i], &s));
		assert_false(notices_parse(words[i], &n));
		assert_false(show_parse(words[i], &show));
	}
	assert_null(who_may_call_name((enum who_may_call)4));
	assert_null(second_call_name((enum second_call)2));
	assert_null(notices_name((enum notices)3));
	assert_string_equal(media_mode_name(MODE_BLIND), "blind");
	assert_string_equal(media_mode_name(MODE_ROOM), "room");
	assert_string_equal(media_mode_name(MODE_AUTO), "auto");
	assert_null(media_mode_name((enum media_mode)4));
	assert_null(show_name((enum show)3));
	assert_null(show_name((enum show)0));
}

static void user_settings_by_name(void **state)
{
	static const char *const other[] = {
		"nobody", "no", "busy", "never"
	};
	static const char *const words[] = {
		"no", "yes", "false", "true", "off", "on"
	};
	struct settings_site site;
	struct settings_user *u = &site.user;
	const char *expected;

	(void)state;
	settings_site_default(&site);
	for (size_t i = 0; settings_user_names[i]; i++) {
		const char *name = settings_user_names[i];

		assert_string_not_equal(settings_user_get(u, name), other[i]);
		assert_int_equal(settings_user_set(u, name, other[i],
						   &expected), 0);
		assert_string_equal(settings_user_get(u, name), other[i]);
		assert_int_equal(settings_user_set(u, name, "perhaps",
						   &expected), EBADMSG);
		assert_non_null(strstr(expected, other[i]));
		assert_string_equal(settings_user_get(u, name), other[i]);
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(settings_user_set(u, "messages", words[i],
						   &expected), 0);
		assert_int_equal(u->messages, i % 2);
	}
	assert_int_equal(settings_user_set(u, "message", "on", &expected),
			 ENOENT);
	assert_null(expected);
	assert_null(settings_user_get(u, "message"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_the_products),
		cmocka_unit_test(names_and_words_agree),
		cmocka_unit_test(other_words_are_refused),
		cmocka_unit_test(user_settings_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
