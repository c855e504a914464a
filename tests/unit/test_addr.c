/* test_addr.c: addresses as text, and those that nothing is sent to (A25). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/media/addr.h"

static const struct {
	const char *ip, *text;     /* text NULL: no address */
} texts[] = {
	{ "192.0.2.1", "192.0.2.1:5000" },
	{ "2001:DB8::1", "[2001:db8::1]:5000" },
	{ "2001:db8:1234:5678:1122:3344:5566:7788",
	  "[2001:db8:1234:5678:1122:3344:5566:7788]:5000" },
	{ "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:5000" },
	{ "", NULL }, { "192.0.2", NULL }, { "192.0.2.256", NULL },
	{ "0300.0.2.1", NULL }, { "3221225985", NULL },
	{ "192.0.2.1:80", NULL }, { "fe80::1%eth0", NULL },
	{ "[2001:db8::1]", NULL }, { "localhost", NULL },
	{ "9c3d20f6-bcd2-40d9-88b8-1c85c0b0a5f3.local", NULL },
	{ " 192.0.2.1", NULL }, { "1:2:3:4:5:6:7:8:9", NULL },
};

static void as_text(void **state)
{
	char text[ADDR_TEXT_SIZE];
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int rc = addr_parse(texts[i].ip, 5000, &a);

		if (rc != (texts[i].text ? 0 : EBADMSG))
			fail_msg("\"%s\": %d", texts[i].ip, rc);
		addr_format(&a, text);
		if (!rc)
			assert_string_equal(text, texts[i].text);
	}
	assert_int_equal(addr_parse("192.0.2.1", 65536, &a), EBADMSG);
	memset(&a, 0, sizeof(a));
	addr_format(&a, text);
	assert_string_equal(text, "none");
}

static void equality(void **state)
{
	struct addr a, b;

	(void)state;
	addr_parse("192.0.2.1", 1, &a);
	addr_parse("192.0.2.1", 2, &b);
	assert_true(addr_same_ip(&a, &b) && !addr_equal(&a, &b));
	addr_parse("192.0.2.2", 1, &b);
	assert_false(addr_same_ip(&a, &b) || addr_equal(&a, &b));
	addr_parse("c000:201::", 1, &b);   /* the same bytes */
	assert_false(addr_same_ip(&a, &b) || addr_equal(&a, &b));
	b = a;
	assert_true(addr_equal(&a, &b));
}

static const struct {
	const char *ip;
	unsigned port;
	bool forbidden;
} ranges[] = {
	{ "192.0.2.1", 5000, false }, { "192.0.2.1", 0, true },
	{ "192.0.2.1", 53, true }, { "192.0.2.1", 54, false },
	{ "192.0.2.1", 65535, false },
	{ "0.0.0.0", 5000, true }, { "0.255.255.255", 5000, true },
	{ "1.0.0.0", 5000, false }, { "126.255.255.255", 5000, false },
	{ "127.0.0.1", 5000, true }, { "127.255.255.255", 5000, true },
	{ "128.0.0.0", 5000, false },
	{ "169.253.255.255", 5000, false }, { "169.254.0.0", 5000, true },
	{ "169.254.169.254", 80, true }, { "169.255.0.0", 5000, false },
	{ "223.255.255.255", 5000, false }, { "224.0.0.1", 5000, true },
	{ "239.255.255.255", 5000, true }, { "240.0.0.1", 5000, true },
	{ "255.255.255.255", 5000, true },
	{ "10.0.0.1", 5000, false }, { "172.16.0.1", 5000, false },
	{ "192.168.0.1", 5000, false }, { "100.64.0.1", 5000, false },
	{ "2001:db8::1", 5000, false }, { "2001:db8::1", 0, true },
	{ "2001:db8::1", 53, true }, { "fd00::1", 5000, false },
	{ "::", 5000, true }, { "::1", 5000, true },
	{ "::127.0.0.1", 5000, true }, { "::ffff:127.0.0.1", 5000, true },
	{ "::ffff:8.8.8.8", 5000, true }, { "::fffe:8.8.8.8", 5000, false },
	{ "64:ff9b::127.0.0.1", 5000, true }, { "64:ff9a::1", 5000, false },
	{ "64:ff9b:1:2::1", 5000, true }, { "64:ff9b:2::1", 5000, false },
	{ "2002:7f00:1::1", 5000, true }, { "2003::1", 5000, false },
	{ "fe80::1", 5000, true }, { "febf::1", 5000, true },
	{ "fe7f::1", 5000, false }, { "fec0::1", 5000, false },
	{ "ff02::1", 5000, true }, { "feff::1", 5000, false },
};

static void forbidden_ranges(void **state)
{
	struct addr a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		assert_int_equal(addr_parse(ranges[i].ip, ranges[i].port, &a),
				 0);
		if (addr_forbidden(&a, NULL) != ranges[i].forbidden)
			fail_msg("%s, port %u", ranges[i].ip, ranges[i].port);
	}
	memset(&a, 0, sizeof(a));
	a.port = 5000;
	assert_true(addr_forbidden(&a, NULL));
}

/* --- ranges of the admin ---------------------------------------------- */

static void range_as_text(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *as;
	} t[] = {
		{ "192.0.2.0/24", 0, "192.0.2.0/24" },
		{ "192.0.2.7", 0, "192.0.2.7/32" },
		{ "0.0.0.0/0", 0, "0.0.0.0/0" },
		{ "192.0.2.128/25", 0, "192.0.2.128/25" },
		{ "2001:DB8::/32", 0, "2001:db8::/32" }, { "::/0", 0, "::/0" },
		{ "fe80::/10", 0, "fe80::/10" }, { "::1", 0, "::1/128" },
		{ "192.0.2.7/24", EDOM, "192.0.2.0/24" },
		{ "192.0.2.192/25", EDOM, "192.0.2.128/25" },
		{ "fec0::/9", EDOM, "fe80::/9" },
		{ "192.0.2.0/33", EBADMSG, NULL }, { "::/129", EBADMSG, NULL },
		{ "192.0.2.0/", EBADMSG, NULL }, { "/24", EBADMSG, NULL },
		{ "192.0.2.0/-1", EBADMSG, NULL }, { "", EBADMSG, NULL },
		{ "192.0.2.0/024", EBADMSG, NULL },
		{ "192.0.2/24", EBADMSG, NULL },
		{ "192.0.2.0/24 ", EBADMSG, NULL },
		{ "192.0.2.0/4294967320", EBADMSG, NULL },
		{ "192.0.2.0/255.255.255.0", EBADMSG, NULL },
		{ "example.org", EBADMSG, NULL },
	};
	char text[ADDR_TEXT_SIZE], longer[200];
	struct addr_range r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (addr_range_parse(t[i].text, &r) != t[i].rc)
			fail_msg("\"%s\"", t[i].text);
		if (!t[i].as)
			continue;
		addr_range_format(&r, text);
		assert_string_equal(text, t[i].as);
	}
	memset(longer, '1', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(addr_range_parse(longer, &r), EBADMSG);
}

static int add(struct addr_rules *rules, const char *text, bool allow)
{
	struct addr_range r;

	assert_int_equal(addr_range_parse(text, &r), 0);
	return addr_rules_add(rules, &r, allow);
}

static void admin_rules(void **state)
{
	static const struct { const char *ip; unsigned port; bool no; } t[] = {
		{ "10.1.2.3", 5000, true }, { "10.9.2.3", 5000, false },
		{ "10.9.7.7", 5000, true }, { "11.0.0.1", 5000, false },
		{ "10.9.2.3", 53, true }, { "10.9.2.3", 0, true },
		/* of the list, opened, and closed again in part */
		{ "169.254.1.1", 5000, false },
		{ "169.254.169.254", 80, true }, { "fe80::1", 5000, false },
		{ "64:ff9b::1", 5000, false }, { "64:ff9b:1::1", 5000, true },
		{ "2002::1", 5000, true },
		/* "all" opens nothing of the list */
		{ "127.0.0.1", 5000, true }, { "::1", 5000, true },
		{ "::ffff:10.9.2.3", 5000, true }, { "224.0.0.1", 5000, true },
		{ "0.0.0.0", 5000, true }, { "ff02::1", 5000, true },
		{ "fd00::1", 5000, true }, { "fd01::1", 5000, false },
		{ "2001:db8::1", 5000, false },
	};
	static const char *const never[] = {
		"127.0.0.1", "127.0.0.0/8", "127.4.0.0/16", "0.0.0.0/8",
		"224.0.0.0/4", "255.255.255.255", "::1", "::/96",
		"::ffff:10.0.0.0/104", "ff02::/16",
	};
	struct addr_rules rules = { .n = 0 };
	struct addr a;
	size_t i;

	(void)state;
	assert_int_equal(add(&rules, "10.0.0.0/8", false), 0);
	assert_int_equal(add(&rules, "10.9.0.0/16", true), 0);
	assert_int_equal(add(&rules, "10.9.7.0/24", false), 0);
	assert_int_equal(add(&rules, "169.254.169.254", false), 0);
	assert_int_equal(add(&rules, "169.254.0.0/16", true), 0);
	assert_int_equal(add(&rules, "fe80::/10", true), 0);
	assert_int_equal(add(&rules, "64:ff9b::/96", true), 0);
	assert_int_equal(add(&rules, "fd00::/16", false), 0);
	assert_int_equal(add(&rules, "0.0.0.0/0", true), 0);
	assert_int_equal(add(&rules, "::/0", true), 0);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		addr_parse(t[i].ip, t[i].port, &a);
		if (addr_forbidden(&a, &rules) != t[i].no)
			fail_msg("%s, port %u", t[i].ip, t[i].port);
	}
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (add(&rules, never[i], true) != EPERM)
			fail_msg("%s is allowed", never[i]);
	assert_int_equal(add(&rules, "10.0.0.0/8", true), EEXIST);
	assert_int_equal(add(&rules, "10.0.0.0/8", false), EEXIST);
	assert_int_equal(add(&rules, "127.0.0.0/8", false), 0);
	while (rules.n < ADDR_RULES_MAX) {
		struct addr_range r = { .family = ADDR_V6, .bits = 128,
					.ip = { 1, (uint8_t)rules.n } };

		assert_int_equal(addr_rules_add(&rules, &r, false), 0);
	}
	assert_int_equal(add(&rules, "11.0.0.0/8", false), EOVERFLOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_text),
		cmocka_unit_test(equality),
		cmocka_unit_test(forbidden_ranges),
		cmocka_unit_test(range_as_text),
		cmocka_unit_test(admin_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
