/* test_notice.c: the words of notices (F18-F22, F36, I09). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "mod_privatecall/notice/notice.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

/* 14:05 of some day; one minute and five seconds long. */
static struct notice base(enum notice_kind kind, enum cause cause)
{
	struct notice n = {
		.kind = kind, .cause = cause, .to = "alice@x.org",
		.peer = "bob@x.org", .peer_call = "bob@calls.x.org",
		.media = 1, .count = 1,
		.started = 14 * HOUR + 5 * MINUTE,
		.ended = 14 * HOUR + 6 * MINUTE + 5000,
	};

	return n;
}

static void check(const struct notice *n, int offset, const char *subject,
		  const char *body)
{
	struct arena *a = arena_new(0);
	const char *s, *b;

	assert_int_equal(notice_text(a, n, offset, &s, &b), 0);
	assert_string_equal(s, subject);
	assert_string_equal(b, body);
	arena_free(a);
}

static void missed(void **state)
{
	struct notice n = base(NOTICE_MISSED, CAUSE_UNANSWERED);

	(void)state;
	check(&n, 0, "Missed call",
	      "Missed call from Bob (bob@x.org) at 14:05 UTC");
	n.media = 3;
	n.again = n.offer = true;
	check(&n, 60, "Missed call",
	      "Missed video call from Bob (bob@x.org) at 15:05 UTC\n"
	      "Call again: call this contact, "
	      "xmpp:bob@calls.x.org?message\n"
	      "Write: xmpp:bob@x.org?message");
	n.count = 3;
	n.again = n.offer = false;
	check(&n, -15 * 60, "Missed calls",
	      "3 missed calls from Bob (bob@x.org), last at 23:05 UTC");
}

static void refused(void **state)
{
	struct notice n = base(NOTICE_REFUSED, CAUSE_UNANSWERED);

	(void)state;
	n.outgoing = n.again = n.offer = true;
	check(&n, 0, "Call not connected",
	      "Bob did not answer.\n"
	      "Call again: call this contact, "
	      "xmpp:bob@calls.x.org?message\n"
	      "Send a message instead: xmpp:bob@x.org?message");
	n.again = n.offer = false;
	n.cause = CAUSE_PRIVACY;
	check(&n, 0, "Call not connected", "Action not allowed.");
	n.cause = CAUSE_CALLER_GONE;
	check(&n, 0, "Call not connected", "The call ended.");
	n.cause = CAUSE_FAILED;
	check(&n, 0, "Call not connected",
	      "The call could not be connected.");
	n.step = "media-error";
	check(&n, 0, "Call not connected",
	      "The call could not be connected (media-error).");
	n.kind = NOTICE_FAILED;
	check(&n, 0, "Call not connected",
	      "The call could not be connected (media-error).");
}

static void write_back(void **state)
{
	struct notice n = base(NOTICE_WRITE_BACK, CAUSE_DECLINED);

	(void)state;
	n.offer = true;
	check(&n, 0, "Call declined",
	      "You declined a call from Bob (bob@x.org).\n"
	      "Write: xmpp:bob@x.org?message");
}

/* X8 */
static void returned(void **state)
{
	struct notice n = base(NOTICE_RETURNED, CAUSE_NONE);

	(void)state;
	check(&n, 60, "Back in the call",
	      "Bob (bob@x.org) is back in your call since 15:06 UTC.");
	n.until = n.ended + HOUR;      /* `rejoin = notify` */
	check(&n, 60, "Back in the call",
	      "Bob (bob@x.org) is back in your call since 15:06 UTC.\n"
	      "You can rejoin until 16:06 UTC: call this contact, "
	      "xmpp:bob@calls.x.org?message");
}

static void details(void **state)
{
	struct notice n = base(NOTICE_DETAILS, CAUSE_ENDED);

	(void)state;
	check(&n, 0, "Call ended",
	      "Call from Bob (bob@x.org) from 14:05 to 14:06 UTC, 1:05.");
	n.encrypted = true;
	check(&n, 0, "Call ended",
	      "Call from Bob (bob@x.org) from 14:05 to 14:06 UTC, 1:05, "
	      "encrypted between the two of you.");
	n.outgoing = true;
	n.media = 2;
	n.ended = n.started + 2 * HOUR + MINUTE + 7000;
	n.until = n.ended + HOUR;
	n.cause = CAUSE_ADMIN;
	check(&n, 0, "Call ended",
	      "The call was ended by the administrator. "
	      "Video call to Bob (bob@x.org) from 14:05 to 16:06 UTC, "
	      "2:01:07, encrypted between the two of you.\n"
	      "You can rejoin until 17:06 UTC: call this contact, "
	      "xmpp:bob@calls.x.org?message");
	n.cause = CAUSE_SWITCHED;
	n.until = n.ended;
	n.ended = n.started - 1000;
	n.until = n.ended;
	check(&n, 0, "Call ended",
	      "Video call to Bob (bob@x.org) from 14:05 to 14:04 UTC, "
	      "0:00, encrypted between the two of you.");
	n.ends_here = true;
	check(&n, 0, "Call ended",
	      "Video call to Bob (bob@x.org) from 14:05 to 14:04 UTC, "
	      "0:00, decrypted at your server.");
	n.encrypted = false;           /* of what was not, nothing is said */
	check(&n, 0, "Call ended",
	      "Video call to Bob (bob@x.org) from 14:05 to 14:04 UTC, 0:00.");
}

static void names(void **state)
{
	struct notice n = base(NOTICE_MISSED, CAUSE_UNANSWERED);

	(void)state;
	n.peer = "d\\27artagnan@x.org";
	check(&n, 0, "Missed call", "Missed call from D'artagnan "
	      "(d\\27artagnan@x.org) at 14:05 UTC");
	n.peer = "7up@x.org";
	check(&n, 0, "Missed call",
	      "Missed call from 7up (7up@x.org) at 14:05 UTC");
	n.peer = "{@x.org";
	check(&n, 0, "Missed call",
	      "Missed call from { ({@x.org) at 14:05 UTC");
	n.peer = "x.org";
	check(&n, 0, "Missed call",
	      "Missed call from x.org (x.org) at 14:05 UTC");
}

static void uris(void **state)
{
	struct arena *a = arena_new(0);

	(void)state;
	assert_string_equal(notice_uri(a, "a-._~!$()*+,:9Z@h", "message"),
			    "xmpp:a-._~!$()*+,:9Z@h?message");
	assert_string_equal(notice_uri(a, "a?b#c%d&e;f='\\20\xc3\xa9@h", "q"),
			    "xmpp:a%3Fb%23c%25d%26e%3Bf%3D%27%5C20%C3%A9@h?q");
	arena_free(a);
}

static void kinds(void **state)
{
	enum notice_kind k;
	int i;

	(void)state;
	for (i = NOTICE_MISSED; i <= NOTICE_RETURNED; i++) {
		assert_true(notice_kind_parse(
			notice_kind_name((enum notice_kind)i), &k));
		assert_int_equal(k, i);
	}
	assert_false(notice_kind_parse("x", &k));
	assert_string_equal(notice_kind_name((enum notice_kind)99), "?");
}

/* Every text either comes whole or not at all. */
static void no_memory(void **state)
{
	static const enum notice_kind all[] = {
		NOTICE_MISSED, NOTICE_REFUSED, NOTICE_WRITE_BACK,
		NOTICE_DETAILS, NOTICE_FAILED,
	};
	struct notice n;
	struct arena *a;
	const char *s, *b;
	unsigned i;

	(void)state;
	for (i = 0; i < 5; i++) {
		n = base(all[i], CAUSE_UNANSWERED);
		n.again = n.offer = true;
		a = arena_new(1);
		arena_alloc(a, 100000);
		assert_int_equal(notice_text(a, &n, 0, &s, &b), ENOMEM);
		assert_null(notice_uri(a, "a@b", "q"));
		arena_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missed),
		cmocka_unit_test(refused),
		cmocka_unit_test(write_back),
		cmocka_unit_test(returned),
		cmocka_unit_test(details),
		cmocka_unit_test(names),
		cmocka_unit_test(uris),
		cmocka_unit_test(kinds),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
