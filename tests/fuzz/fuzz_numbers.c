/* fuzz_numbers.c: any text as a number, a time or an option's value, against a
 * reading of its own; what is read and written again is read the same.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include "jingle/stanza/delay.h"
#include "jingle/stanza/text.h"
#include "mod_privatecall/conf/private.h"

/* Digits alone, read another way: longer than ten without leading zeros is
 * too much, the rest is compared as text. */
static bool fits(const char *s, uint32_t max)
{
	char limit[16];
	size_t n;

	if (!*s || s[strspn(s, "0123456789")])
		return false;
	s += strspn(s, "0");
	snprintf(limit, sizeof(limit), "%u", max);
	n = strlen(s);
	return n < strlen(limit) ||
	       (n == strlen(limit) && strcmp(s, limit) <= 0);
}

static void check_number(const char *s, uint32_t max)
{
	uint32_t n = 12345;
	char text[16];

	if (text_number(s, max, &n)) {
		assert(n == 12345 && !fits(s, max));
		return;
	}
	assert(fits(s, max) && n <= max);
	snprintf(text, sizeof(text), "%u", n);
	s += strspn(s, "0");
	assert(!strcmp(*s ? s : "0", text));
}

static void check_integer(const char *s, int32_t min, int32_t max)
{
	bool sign = *s == '-' || *s == '+';
	int32_t n = 12345, again = 0;
	char text[16];

	if (text_integer(s, min, max, &n)) {
		assert(n == 12345);
		return;
	}
	assert(n >= min && n <= max && fits(s + sign, UINT32_MAX));
	assert(n == 0 || (n < 0) == (*s == '-'));
	snprintf(text, sizeof(text), "%d", n);
	assert(!text_integer(text, min, max, &again) && again == n);
}

static void check_time(const char *s)
{
	int64_t ms = 0, again = 0;
	char text[DELAY_TIME_SIZE];

	if (delay_parse(s, &ms))
		return;
	delay_format(ms, text);
	assert(!delay_parse(text, &again));
	/* A zone may lead out of the years that can be written. */
	assert(again == ms || !strncmp(text, "0000", 4) ||
	       !strncmp(text, "9999", 4));
}

static void check_option(const struct conf_option *o, const char *s)
{
	static struct conf one, two;
	char *fault, *text, *bare;
	size_t n;

	if (conf_option_set(&one, o, s, &fault)) {
		assert(fault && *fault);
		free(fault);
		return;
	}
	text = conf_option_text(&one, o);
	assert(text && *text);
	n = strlen(text);
	bare = text[0] == '"' ? strndup(text + 1, n - 2) : strdup(text);
	assert(!conf_option_set(&two, o, bare, &fault));
	free(text);
	free(bare);
	text = conf_option_text(&one, o);
	bare = conf_option_text(&two, o);
	assert(!strcmp(text, bare));
	free(text);
	free(bare);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t most[] = { 0, 1, 9, 127, 255, 256, 65535,
					 99999, 0x7fffffff, 0x80000000,
					 0xfffffffe, 0xffffffff };
	const struct conf_option *o;
	char s[64];

	if (size < 1 || size > sizeof(s))
		return 0;
	memcpy(s, data + 1, size - 1);
	s[size - 1] = '\0';
	check_number(s, most[data[0] % 12]);
	check_integer(s, -(int32_t)(most[data[0] % 9]),
		      (int32_t)most[data[0] / 16 % 9]);
	check_integer(s, INT32_MIN, INT32_MAX);
	check_time(s);
	for (o = conf_options; o->name; o++)
		if ((o->kind == CONF_TIME || o->kind == CONF_NUMBER ||
		     o->kind == CONF_PORT || o->kind == CONF_BOOL) &&
		    (unsigned)(o - conf_options) % 8 == data[0] % 8)
			check_option(o, s);
	assert(text_blank(s) == (s[strspn(s, " \t\r\n")] == '\0'));
	assert(!text_token(s, 3) || strlen(s) <= 3);
	return 0;
}
