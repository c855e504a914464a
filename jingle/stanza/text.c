/* text.c: the few checks every codec makes of attribute values. */
#include "jingle/stanza/text.h"

#include <errno.h>
#include <string.h>

bool text_blank(const char *s)
{
	return !s || !s[strspn(s, " \t\r\n")];
}

int text_number(const char *s, uint32_t max, uint32_t *n_r)
{
	uint64_t n = 0;

	if (!s || !*s)
		return EBADMSG;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return EBADMSG;
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > max)
			return EBADMSG;
	}
	*n_r = (uint32_t)n;
	return 0;
}

int text_integer(const char *s, int32_t min, int32_t max, int32_t *n_r)
{
	bool minus;
	uint32_t n;
	int64_t value;

	if (!s)
		return EBADMSG;
	minus = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (text_number(s, UINT32_MAX, &n))
		return EBADMSG;
	value = minus ? -(int64_t)n : (int64_t)n;
	if (value < min || value > max)
		return EBADMSG;
	*n_r = (int32_t)value;
	return 0;
}

bool text_true(const char *s)
{
	return s && (!strcmp(s, "true") || !strcmp(s, "1"));
}

bool text_token(const char *s, size_t max)
{
	size_t n;

	if (!s)
		return false;
	for (n = 0; s[n]; n++)
		if (n == max || (unsigned char)s[n] <= ' ' || s[n] == 0x7f)
			return false;
	return n > 0;
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}
