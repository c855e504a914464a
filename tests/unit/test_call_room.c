/* test_call_room.c: what the traces of mode `room` cannot say in a few lines:
 * descriptions too long to be kept (LEG_SAYS_MAX). A user's are kept for who
 * comes back later, so what cannot be is refused when it is said: an offer or
 * an answer ends the call, a content more is denied, who comes back is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "mod_privatecall/call/call_private.h"
#include "tests/golden/play.h"

#define RUNG "conf room yes\n" \
	"propose alice@x/desk a-sid audio,video\n" \
	"facts none offer bob@x/phone\n" \
	"proceed bob@x/phone $sid\n"
#define OFFERED RUNG \
	"jingle alice@x/desk session-initiate a-sid audio mux fingerprint\n" \
	"ready 0\n"
#define UP OFFERED \
	"jingle bob@x/phone session-accept $sid audio mux fingerprint\n" \
	"step 0 caller media\n" \
	"step 0 callee media\n"

/* What happens at the last of the lines, in which LONG stands for codecs of
 * more than is kept. */
static char *told(struct play *p, const char *lines)
{
	char *copy, *at, *line, *text = NULL, name[401];
	size_t size, len = 0;
	FILE *f = open_memstream(&copy, &size);
	const char *mark = strstr(lines, "LONG"), *why;
	unsigned i;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	fprintf(f, "%.*s111:opus", (int)(mark - lines), lines);
	for (i = 0; i <= LEG_SAYS_MAX / 400; i++)
		fprintf(f, ",%u:%s", i, name);
	fputs(mark + 4, f);
	fclose(f);
	play_init(p, open_memstream(&text, &len));
	for (at = copy; (line = strsep(&at, "\n"));) {
		rewind(p->out);
		if (play_line(p, line, &why))
			fail_msg("%.80s: expected %s", line, why);
	}
	fclose(p->out);
	free(copy);
	return text;
}

/* The session goes on as it was. */
static void goes_on(const char *lines, const char *said)
{
	struct play p;
	char *text = told(&p, lines);

	assert_non_null(strstr(text, said));
	assert_int_equal(p.call.state, CALL_UP);
	assert_null(strstr(text, "send after 0"));
	free(text);
	play_end(&p);
}

static void ends(const char *lines)
{
	struct play p;
	char *text = told(&p, lines);

	assert_non_null(strstr(text, "step too long descriptions"));
	assert_non_null(strstr(text, "<incompatible-parameters/>"));
	assert_int_equal(p.call.cause, CAUSE_FAILED);
	assert_int_equal(p.call.state, CALL_ENDING);
	free(text);
	play_end(&p);
}

static void too_long_to_begin(void **state)
{
	(void)state;
	ends(RUNG "jingle alice@x/desk session-initiate a-sid audio mux "
	     "fingerprint a=LONG");
	ends(OFFERED "jingle bob@x/phone session-accept $sid audio mux "
	     "fingerprint a=LONG");
}

#define DENIED "<resource-constraint "

static void too_long_to_add(void **state)
{
	(void)state;
	goes_on(UP "jingle bob@x/phone content-add $sid name=more media=video "
		"mux fingerprint v=LONG", DENIED);
	goes_on(UP "jingle bob@x/phone content-add $sid name=more media=video "
		"mux fingerprint\nready 1\n"
		"jingle alice@x/desk content-accept a-sid name=more "
		"media=video mux fingerprint v=LONG", "<not-acceptable ");
}

static void too_long_to_come_back(void **state)
{
	(void)state;
	goes_on(UP "gone bob@x/phone\npropose bob@x/phone b-sid audio\n"
		"jingle bob@x/phone session-initiate b-sid audio mux "
		"fingerprint a=LONG", "<incompatible-parameters/>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_long_to_begin),
		cmocka_unit_test(too_long_to_add),
		cmocka_unit_test(too_long_to_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
