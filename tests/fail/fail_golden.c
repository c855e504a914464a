/* fail_golden.c: the golden traces with memory that fails once, inside the
 * call's steps. A step that says ENOMEM is followed by what the daemon does
 * then: the call is hung up. Every step that says 0 has kept the invariants
 * and answered each iq, and in the end nothing is left of the call.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "mod_privatecall/call/call.h"
#include "tests/fail/fail.h"

static int faulty_step(struct call *c, const struct call_event *ev,
		       struct call_actions *out);
#define PLAY_STEP faulty_step
#include "tests/golden/play.h"

/* Says ENOMEM again when a leg could not be kept whole, and ends all the
 * same. */
static void hang_up(struct call *c, const struct call_event *ev)
{
	struct call_event end = *ev;
	struct call_actions out = { .first = NULL };
	int rc = 0;

	end.kind = CALL_EV_HANGUP;
	end.arena = arena_new(0);
	if (call_is_live(c))
		rc = call_step(c, &end, &out);
	arena_free(end.arena);
	assert(rc == 0 || rc == ENOMEM);
	assert(!call_is_live(c));
}

static int faulty_step(struct call *c, const struct call_event *ev,
		       struct call_actions *out)
{
	int rc;

	fail_armed = true;
	rc = call_step(c, ev, out);
	fail_armed = false;
	if (rc != ENOMEM)
		return rc;
	assert(fail->met);
	hang_up(c, ev);
	return PLAY_GIVEN_UP;
}

/* Whatever it is in, it ends: hung up, then time. */
static void end_call(struct play *p)
{
	const char *why;
	unsigned turns;

	if (call_is_live(&p->call))
		assert(play_line(p, "hangup", &why) == 0);
	for (turns = 0; !call_is_over(&p->call) && turns < 1000; turns++)
		play_wait(p, 60000);
	assert(call_deadline(&p->call, &p->site) == INT64_MAX ||
	       call_is_over(&p->call));
}

static void plays(void **state)
{
	FILE *f = fopen(*state, "r");
	char *line = NULL;
	const char *why;
	size_t size = 0;
	struct play p;
	ssize_t n;

	fail_armed = false;
	assert(f);
	play_init(&p, NULL);
	while ((n = getline(&line, &size, f)) > 0) {
		line[n - (line[n - 1] == '\n')] = '\0';
		if (line[0] == '>')
			play_line(&p, line + 2, &why);
	}
	fclose(f);
	free(line);
	if (p.ready)
		end_call(&p);
	play_end(&p);
}

static int is_trace(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && strcmp(dot, ".trace") == 0;
}

int main(void)
{
	const char *src = getenv("top_srcdir");
	struct CMUnitTest *tests;
	struct dirent **list;
	char folder[512], *path;
	int n, i, rc;

	snprintf(folder, sizeof(folder), "%s/tests/golden", src ? src : ".");
	n = scandir(folder, &list, is_trace, alphasort);
	if (n <= 0)
		return 1;
	tests = calloc((size_t)n, sizeof(*tests));
	for (i = 0; tests && i < n; i++) {
		if (asprintf(&path, "%s/%s", folder, list[i]->d_name) < 0)
			return 1;
		tests[i].name = list[i]->d_name;
		tests[i].test_func = plays;
		tests[i].initial_state = path;
	}
	rc = _cmocka_run_group_tests("golden", tests, (size_t)n, NULL, NULL);
	for (i = 0; i < n; i++) {
		free(tests[i].initial_state);
		free(list[i]);
	}
	free(list);
	free(tests);
	return rc;
}
