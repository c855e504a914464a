/* clock_test.c: the system's clocks plus what a test moved them by (see
 * clock.h). Never part of the installed program.
 */
#include "mod_privatecall/daemon/clock.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "mod_privatecall/daemon/daemon.h"

static int64_t test_clock_offset;
static int64_t test_clock_held;    /* the time it stands at, 0: it goes */
static int64_t test_clock_stood;   /* for so long it did not go */

static int64_t read_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t going(void)
{
	return read_ms(CLOCK_MONOTONIC) + test_clock_offset - test_clock_stood;
}

int64_t clock_now(void)
{
	return test_clock_held ? test_clock_held : going();
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

/* It goes on from where it stood, so nothing is due by its having stood. The
 * wall clock never stands. */
static void move(int64_t step)
{
	if (test_clock_held)
		test_clock_stood += going() - test_clock_held;
	test_clock_held = 0;
	test_clock_offset += step;
}

static void run(struct ctl_request *r, int argc, char **argv, void *arg)
{
	bool hold = argc > 1 && strcmp(argv[1], "hold") == 0;
	int64_t step = argc > 1 && !hold ? parse_step(argv[1]) : 0;

	if (step < 0) {
		ctl_answer(r, 2, NULL, "expected hold, or a step like +31s, "
			   "+2h");
		return;
	}
	if (hold)
		test_clock_held = clock_now();
	else
		move(step);
	daemon_tick(arg);
	ctl_answer(r, 0, json_pack("{s:I}", "offset_ms",
				   (json_int_t)test_clock_offset),
		   "clock moved by %lld ms in all",
		   (long long)test_clock_offset);
}

const struct ctl_command *clock_command(void)
{
	static const struct ctl_command command = {
		"clock", "clock hold | +STEP", "stop the test clock, or "
		"move it forward and let it go", 0, 1, run,
	};

	return &command;
}
