/* delay.c: XEP-0203 delayed delivery, and XEP-0082 UTC times.
 *
 * Own calendar arithmetic (proleptic Gregorian) instead of gmtime() and
 * timegm(): no locale, no time zone database, no static buffer.
 */
#include "jingle/stanza/delay.h"

#include <errno.h>
#include <stdio.h>

#include "jingle/stanza/ns.h"

#define DAY_MS INT64_C(86400000)
#define YEAR0_DAYS INT64_C(-719528)      /* 0000-01-01, days since 1970 */
#define YEAR10000_DAYS INT64_C(2932897)  /* 10000-01-01 */

struct date {
	int year, month, day;      /* month 1-12, day 1-31 */
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31,
					      30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 0000-01-01 to the first of `year`. */
static int64_t year_days(int year)
{
	int64_t y = year;

	if (year == 0)
		return 0;
	y--;                       /* year 0 is a leap year */
	return 366 + y * 365 + y / 4 - y / 100 + y / 400;
}

static struct date date_from_days(int64_t days)
{
	struct date d = { .month = 1 };

	days -= YEAR0_DAYS;
	d.year = (int)(days / 366);
	while (year_days(d.year + 1) <= days)
		d.year++;
	days -= year_days(d.year);
	while (days >= month_days(d.year, d.month))
		days -= month_days(d.year, d.month++);
	d.day = (int)days + 1;
	return d;
}

static int64_t date_to_days(struct date d)
{
	int64_t days = YEAR0_DAYS + year_days(d.year) + d.day - 1;

	for (int m = 1; m < d.month; m++)
		days += month_days(d.year, m);
	return days;
}

void delay_format(int64_t ms, char out[DELAY_TIME_SIZE])
{
	int64_t days;
	struct date d;
	unsigned of_day, fraction;

	if (ms < YEAR0_DAYS * DAY_MS)
		ms = YEAR0_DAYS * DAY_MS;
	if (ms >= YEAR10000_DAYS * DAY_MS)
		ms = YEAR10000_DAYS * DAY_MS - 1;
	days = ms / DAY_MS - (ms % DAY_MS < 0);
	of_day = (unsigned)(ms - days * DAY_MS);
	d = date_from_days(days);
	fraction = of_day % 1000;
	of_day /= 1000;
	if (fraction)
		snprintf(out, DELAY_TIME_SIZE,
			 "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
			 (unsigned)d.year % 10000, (unsigned)d.month,
			 (unsigned)d.day, of_day / 3600, of_day / 60 % 60,
			 of_day % 60, fraction);
	else
		snprintf(out, DELAY_TIME_SIZE,
			 "%04u-%02u-%02uT%02u:%02u:%02uZ",
			 (unsigned)d.year % 10000, (unsigned)d.month,
			 (unsigned)d.day, of_day / 3600, of_day / 60 % 60,
			 of_day % 60);
}

/* Reads exactly `digits` digits and, if not NUL, the character `after`. */
static bool take(const char **s, int digits, char after, int *n_r)
{
	int n = 0;

	for (; digits > 0; digits--, (*s)++) {
		if (**s < '0' || **s > '9')
			return false;
		n = n * 10 + (**s - '0');
	}
	*n_r = n;
	if (!after)
		return true;
	return *(*s)++ == after;
}

/* An optional fraction of a second: its milliseconds. */
static bool take_fraction(const char **s, int *ms_r)
{
	int scale = 100;

	*ms_r = 0;
	if (**s != '.')
		return true;
	(*s)++;
	if (**s < '0' || **s > '9')
		return false;
	for (; **s >= '0' && **s <= '9'; (*s)++, scale /= 10)
		*ms_r += (**s - '0') * scale;
	return true;
}

/* "Z" or "+hh:mm": minutes to take off, and nothing after it. */
static bool take_zone(const char *s, int *minutes_r)
{
	int sign = *s == '-' ? -1 : 1;
	int hours, minutes;

	*minutes_r = 0;
	if (*s == 'Z')
		return !s[1];
	if (*s != '+' && *s != '-')
		return false;
	s++;
	if (!take(&s, 2, ':', &hours) || !take(&s, 2, '\0', &minutes) || *s)
		return false;
	*minutes_r = sign * (hours * 60 + minutes);
	return hours <= 23 && minutes <= 59;
}

int delay_parse(const char *text, int64_t *ms_r)
{
	struct date d;
	int hour, minute, second, ms, zone;

	if (!text ||
	    !take(&text, 4, '-', &d.year) || !take(&text, 2, '-', &d.month) ||
	    !take(&text, 2, 'T', &d.day) || !take(&text, 2, ':', &hour) ||
	    !take(&text, 2, ':', &minute) || !take(&text, 2, '\0', &second) ||
	    !take_fraction(&text, &ms) || !take_zone(text, &zone))
		return EBADMSG;
	if (d.month < 1 || d.month > 12 || d.day < 1 ||
	    d.day > month_days(d.year, d.month) || hour > 23 || minute > 59 ||
	    second > 60)
		return EBADMSG;
	*ms_r = date_to_days(d) * DAY_MS +
		((hour * 60 + minute - zone) * 60 + second) * INT64_C(1000) +
		ms;
	return 0;
}

void delay_add(struct arena *a, struct xml_elem *message, const char *from,
	       int64_t ms, const char *reason)
{
	struct xml_elem *e = xml_add(a, message, NS_DELAY, "delay");
	char stamp[DELAY_TIME_SIZE];

	delay_format(ms, stamp);
	xml_set(a, e, "from", from);
	xml_set(a, e, "stamp", arena_strdup(a, stamp));
	if (reason)
		xml_add_text(a, e, reason);
}
