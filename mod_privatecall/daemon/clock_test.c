/* clock_test.c: the system's clocks plus what a test moved them by (see
 * clock.h). Never part of the installed program.
 */
#include "mod_privatecall/daemon/clock.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "mod_privatecall/daemon/daemon.h"

static int64_t test_clock_offset;

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return read_ms(CLOCK_MONOTONIC) + test_clock_offset;
}

int64_t clock_wall(void)
{
	return read_ms(CLOCK_REALTIME) + test_clock_offset;
}

/* "+31s", "+500ms", "+2h" */
static int64_t parse_step(const char *text)
{
	static const struct { const char *unit; int64_t ms; } units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 },
	};
	char *end;
	long long n;
	size_t i;

	if (text[0] != '+')
		return -1;
	n = strtoll(text + 1, &end, 10);
	for (i = 0; n > 0 && n <= 1000000000 &&
		    i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].unit) == 0)
			return n * units[i].ms;
	return -1;
}

static void run(struct ctl_request *r, int argc, char **argv, void *arg)
{
	int64_t step = argc > 1 ? parse_step(argv[1]) : 0;

	if (step < 0) {
		ctl_answer(r, 2, NULL, "expected a step like +31s, +2h");
		return;
	}
	test_clock_offset += step;
	daemon_tick(arg);
	ctl_answer(r, 0, json_pack("{s:I}", "offset_ms",
				   (json_int_t)test_clock_offset),
		   "clock moved by %lld ms in all",
		   (long long)test_clock_offset);
}

const struct ctl_command *clock_command(void)
{
	static const struct ctl_command command = {
		"clock", "clock +STEP", "move the test clock forward", 0, 1,
		run,
	};

	return &command;
}
