/* test_call_blind.c: what the traces of mode `blind` cannot say in a few lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "mod_privatecall/call/call_private.h"
#include "tests/golden/play.h"

/* A flood of candidates ends here. */
static void candidates_are_bounded(void **state)
{
	static const char *const story[] = {
		"conf blind yes", "propose alice@x/desk a-sid audio",
		"facts none bob@x/phone", "proceed bob@x/phone $sid",
		"jingle alice@x/desk session-initiate a-sid audio mux "
		"fingerprint", "ready 0",
		"jingle bob@x/phone session-accept $sid audio mux fingerprint",
	};
	char *text = NULL, *at;
	unsigned i, n = 0;
	const char *why;
	struct play p;
	size_t len;

	(void)state;
	play_init(&p, open_memstream(&text, &len));
	for (i = 0; i < sizeof(story) / sizeof(story[0]); i++)
		assert_int_equal(play_line(&p, story[i], &why), 0);
	for (i = 0; i < 2 * CALL_CANDIDATES_MAX; i++)
		assert_int_equal(play_line(&p, "jingle alice@x/desk "
			"transport-info a-sid audio bare candidate", &why), 0);
	fclose(p.out);
	for (at = text; (at = strstr(at, "media candidate")); at++)
		n++;
	assert_int_equal(n, CALL_CANDIDATES_MAX);
	free(text);
	play_end(&p);
}

/* Of a transport that only one leg's row has nothing can be said: it is
 * forgotten. */
static void half_of(unsigned side)
{
	struct play p;

	play_init(&p, NULL);
	play_users(&p, "alice@x", "bob@x");
	leg_set_ours(&p.call.leg[side], 3, "ufrag", "pwd");
	leg_set_transport(&p.call.leg[side], "audio", 3);
	call_restore_media(&p.call, MODE_BLIND);
	assert_int_equal(call_transport_state(&p.call, 3),
			 TRANSPORT_FREE);
	assert_int_equal(leg_transport(&p.call.leg[side], "audio"), -1);
	assert_null(p.call.leg[side].ours[3].ufrag);
	/* And nothing has been heard on any. */
	assert_string_equal(call_missing_step(&p.call, NULL),
			    "no ICE checks from either device: "
			    "does UDP reach the server?");
	play_end(&p);
}

static void half_a_transport(void **state)
{
	(void)state;
	half_of(0);
	half_of(1);
}

/* Who has named all the contents that a session may have gets none from the
 * other, who is told so. */
static void other_is_full(void **state)
{
	static const char *const story[] = {
		"conf blind yes", "propose alice@x/desk a-sid audio,video",
		"facts none bob@x/phone", "proceed bob@x/phone $sid",
		"jingle alice@x/desk session-initiate a-sid audio mux "
		"fingerprint", "ready 0",
		"jingle bob@x/phone session-accept $sid audio mux fingerprint",
	};
	char line[128], *text = NULL;
	const char *why;
	struct play p;
	size_t len, i;

	(void)state;
	play_init(&p, open_memstream(&text, &len));
	for (i = 0; i < sizeof(story) / sizeof(story[0]); i++)
		assert_int_equal(play_line(&p, story[i], &why), 0);
	for (i = 1; i < LEG_CONTENTS_MAX; i++) {
		snprintf(line, sizeof(line), "jingle alice@x/desk "
			 "transport-info a-sid name=n%zu bare", i);
		assert_int_equal(play_line(&p, line, &why), 0);
	}
	rewind(p.out);
	assert_int_equal(play_line(&p, "jingle bob@x/phone content-add $sid "
				   "name=more media=video mux fingerprint",
				   &why), 0);
	fclose(p.out);
	assert_non_null(strstr(text, "<resource-constraint "));
	assert_int_equal(call_transport_state(&p.call, 1), TRANSPORT_FREE);
	assert_int_equal(p.call.state, CALL_UP);
	free(text);
	play_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(candidates_are_bounded),
		cmocka_unit_test(half_a_transport),
		cmocka_unit_test(other_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
