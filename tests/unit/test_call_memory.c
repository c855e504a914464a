/* test_call_memory.c: memory that runs out at any point of a step: no crash,
 * no leak, and the step says ENOMEM or does without.
 *
 * Each story is played line by line; before each line's step the same story
 * is begun anew and that step gets an arena that is too small, and larger and
 * larger until it fits; then the n-th copy of a string or new object fails,
 * n = 1, 2 ...
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/golden/play.h"

#define LINES_MAX 24

static const char *const stories[][LINES_MAX] = {
	{ "propose alice@x/desk a-sid audio", "facts none offer bob@x/phone",
	  "+1000 ringing bob@x/phone $sid", "proceed bob@x/phone $sid",
	  "jingle alice@x/desk session-initiate a-sid audio fingerprint",
	  "jingle bob@x/phone transport-info $sid audio bare candidate",
	  "jingle bob@x/phone session-accept $sid audio fingerprint",
	  "jingle alice@x/desk session-info a-sid mute",
	  "error 1 $b2 feature-not-implemented",
	  "jingle bob@x/phone session-terminate $sid reason=success",
	  "finish bob@x/phone $sid success",
	  "+3000 propose bob@x/phone b-sid audio",
	  "facts none offer alice@x/desk", "switch-off" },
	{ "jingle alice@x/desk session-initiate a-sid audio fingerprint",
	  "facts none offer bob@x/phone:plain bob@x/pad",
	  "jingle alice@x/desk transport-info a-sid audio bare candidate",
	  "jingle bob@x/phone session-accept $sid audio fingerprint",
	  "propose alice@x/desk b-sid audio", "facts busy offer" },
	{ "propose alice@x/desk z-sid audio", "facts none bob@x/phone:plain",
	  "jingle alice@x/desk session-initiate z-sid audio fingerprint",
	  "propose bob@x/pad a-sid audio", "facts privacy", "+400 time" },
	{ "propose alice@x/desk a-sid audio", "facts none offer bob@x/phone",
	  "propose bob@x/phone z-sid audio",
	  "reject bob@x/phone $sid expired tie-break",
	  "reject bob@x/phone $sid decline" },
	/* The last three: one in mode `blind`, two in mode `room`. */
	{ "propose alice@x/desk a-sid audio,video",
	  "facts none offer bob@x/phone", "proceed bob@x/phone $sid",
	  "jingle alice@x/desk session-initiate a-sid audio video mux "
	  "fingerprint bundle candidate", "ready 0", "ready 1",
	  "jingle alice@x/desk transport-info a-sid audio bare candidate",
	  "jingle bob@x/phone session-accept $sid audio video mux "
	  "fingerprint bundle candidate",
	  "jingle alice@x/desk transport-info a-sid audio bare ufrag=anew "
	  "candidate complete", "credentials 0 caller",
	  "jingle bob@x/phone content-add $sid name=more media=video mux "
	  "fingerprint",
	  "jingle bob@x/phone content-modify $sid audio senders=both",
	  "ready 1", "step 0 callee media", "media-lost" },
	{ "propose alice@x/desk a-sid audio", "facts none offer bob@x/phone",
	  "proceed bob@x/phone $sid",
	  "jingle alice@x/desk session-initiate a-sid audio mux "
	  "fingerprint candidate", "ready 0",
	  "jingle bob@x/phone session-accept $sid audio mux fingerprint",
	  "jingle bob@x/phone content-add $sid name=more media=video mux "
	  "fingerprint", "ready 1",
	  "jingle alice@x/desk content-accept a-sid name=more media=video mux "
	  "fingerprint", "step 0 callee insecure" },
	{ "propose alice@x/desk a-sid audio,video",
	  "facts none offer bob@x/phone", "proceed bob@x/phone $sid",
	  "jingle alice@x/desk session-initiate a-sid audio video mux "
	  "fingerprint bundle", "ready 0", "ready 1",
	  "jingle bob@x/phone session-accept $sid audio video mux fingerprint "
	  "bundle", "step 0 caller media", "step 0 callee media",
	  "propose bob@x/pad b-sid audio",
	  "jingle bob@x/pad session-initiate b-sid name=mic media=audio mux "
	  "fingerprint candidate", "credentials 0 callee",
	  "jingle bob@x/pad session-info b-sid mutes=mic",
	  "jingle alice@x/web session-initiate w-sid audio video mux "
	  "fingerprint", "credentials 0 caller", "ready 1" },
};
#define STORIES (sizeof(stories) / sizeof(stories[0]))

static unsigned copies_left;       /* 0: all succeed */

/* In place of the C library's, for the objects linked into this program; of
 * calloc the linker makes this (Makefile.am), for the sanitizer has its own. */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	if (copies_left && !--copies_left)
		return NULL;
	return __real_calloc(n, size);
}

char *strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy;

	if (copies_left && !--copies_left)
		return NULL;
	copy = malloc(n);
	return copy ? memcpy(copy, s, n) : NULL;
}

/* The story up to line `last`, with all the memory it needs. */
static void begin(struct play *p, const char *const *story, unsigned last)
{
	const char *why;
	unsigned i;

	play_init(p, NULL);
	play_users(p, "alice@x", "bob@x");
	if (story >= stories[STORIES - 2])
		p->site.media = MODE_ROOM;
	else if (story == stories[STORIES - 3])
		p->site.media = MODE_BLIND;
	for (i = 0; i < last; i++)
		assert_int_equal(play_line(p, story[i], &why), 0);
}

/* One line's step with an arena of `cap` bytes for the step alone. */
static int step(struct play *p, const char *line, size_t cap, unsigned copies)
{
	struct call_actions out = { .first = NULL };
	struct arena *small = arena_new(cap), *large = arena_new(0);
	struct call_event ev;
	char *full = play_expand(p, line);
	const char *why;
	int64_t after;
	int rc;

	memset(&ev, 0, sizeof(ev));
	ev.arena = large;
	assert_int_equal(call_text_event(&p->call, full, &ev, &after, &why),
			 0);
	play_wait(p, after);
	ev.arena = small;
	ev.now = p->now;
	ev.wall = PLAY_WALL;
	ev.site = &p->site;
	play_media(p, &ev);
	memset(ev.entropy, 7, sizeof(ev.entropy));
	copies_left = copies;
	rc = call_step(&p->call, &ev, &out);
	if (p->call.leg[0].failed || p->call.leg[1].failed)
		call_check(&p->call);  /* says nothing of broken legs */
	/* A candidate that cannot be kept is lost, and that is all; a content
	 * that cannot is refused; else the step says so. The next copy is
	 * tried as long as one failed. */
	if (copies && copies_left == 0) {
		if (rc != ENOMEM && !strstr(line, "transport-info") &&
		    !strstr(line, "content-"))
			fail_msg("%s: allocation %u: %d", line, copies, rc);
		rc = ENOMEM;
	}
	copies_left = 0;
	free(full);
	arena_free(small);
	arena_free(large);
	return rc;
}

static void small_arenas(void **state)
{
	const char *const *story = *state;
	struct play p;
	unsigned i;
	size_t cap;
	int rc;

	for (i = 0; i < LINES_MAX && story[i]; i++)
		for (cap = 1, rc = ENOMEM; rc == ENOMEM; cap += 48) {
			begin(&p, story, i);
			rc = step(&p, story[i], cap, 0);
			assert_true(rc == 0 || rc == ENOMEM);
			assert_true(cap < 100000);
			play_end(&p);
		}
}

static void failing_copies(void **state)
{
	const char *const *story = *state;
	struct play p;
	unsigned i, n;
	int rc;

	for (i = 0; i < LINES_MAX && story[i]; i++)
		for (n = 1, rc = ENOMEM; rc == ENOMEM; n++) {
			begin(&p, story, i);
			rc = step(&p, story[i], 0, n);
			assert_true(rc == 0 || rc == ENOMEM);
			assert_true(n < 200);
			play_end(&p);
		}
}

static void no_call_at_all(void **state)
{
	const char *users[2] = { "alice@x", "bob@x" };
	const char *own[2] = { "bob@calls.x", "alice@calls.x" };
	struct call c;
	unsigned n;

	(void)state;
	for (n = 1; n <= 8; n++) {
		copies_left = n;
		assert_int_equal(call_init(&c, users, own, true), ENOMEM);
		copies_left = 0;
		call_clear(&c);
	}
}

/* A restored call that cannot keep its transports goes on without. */
static void no_transports(void **state)
{
	struct play p;

	(void)state;
	play_init(&p, NULL);
	play_users(&p, "alice@x", "bob@x");
	leg_set_ours(&p.call.leg[0], 3, "ufrag", "pwd");
	leg_set_ours(&p.call.leg[1], 3, "ufrag", "pwd");
	leg_set_transport(&p.call.leg[0], "audio", 3);
	copies_left = 1;
	call_restore_media(&p.call, MODE_BLIND);
	copies_left = 0;
	assert_int_equal(call_transport_state(&p.call, 3), TRANSPORT_FREE);
	assert_int_equal(leg_transport(&p.call.leg[0], "audio"), -1);
	play_end(&p);
}

static void no_text(void **state)
{
	struct arena *a;
	size_t cap;

	(void)state;
	for (cap = 1; cap < 40; cap++) {
		a = arena_new(cap);
		cause_text(a, CAUSE_NOT_ACTIVE, "bob");
		arena_free(a);
	}
}

int main(void)
{
	struct CMUnitTest tests[2 * STORIES + 3];
	size_t n = 0, i;

	memset(tests, 0, sizeof(tests));
	for (i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		tests[n].name = "small_arenas";
		tests[n].test_func = small_arenas;
		tests[n++].initial_state = (void *)(uintptr_t)stories[i];
		tests[n].name = "failing_copies";
		tests[n].test_func = failing_copies;
		tests[n++].initial_state = (void *)(uintptr_t)stories[i];
	}
	tests[n].name = "no_call_at_all";
	tests[n++].test_func = no_call_at_all;
	tests[n].name = "no_transports";
	tests[n++].test_func = no_transports;
	tests[n].name = "no_text";
	tests[n++].test_func = no_text;
	return _cmocka_run_group_tests("call_memory", tests, n, NULL, NULL);
}
