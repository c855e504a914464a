/* test_call.c: the call's table of states and events, complete: each cell of
 * call_table.h, reached by real steps. CALL_TABLE=1 prints the table that
 * happens, to be read, not to be pasted blindly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/golden/play.h"

enum setup { IDLE, ASKING, REFUSING, RINGING, EARLY, PLAIN, PROCEEDED,
	     OFFERED, UP, ENDING, OPEN, DONE, SETUPS };

static const char *const setup_names[SETUPS] = {
	"IDLE", "ASKING", "REFUSING", "RINGING", "EARLY", "PLAIN",
	"PROCEEDED", "OFFERED", "UP", "ENDING", "OPEN", "DONE",
};

struct row {
	const char *event;
	const char *want[SETUPS];
};

#include "tests/unit/call_table.h"

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* How each state is reached: lines of text.h. EARLY: a JMI caller was asked
 * for his offer, since the callee's device has no JMI; PLAIN: neither has. */
static const char *const ways[SETUPS] = {
	[IDLE] = "",
	[ASKING] = "propose alice@x/desk m-sid audio",
	[REFUSING] = "propose alice@x/desk m-sid audio\n"
		     "facts not-active offer",
	[RINGING] = "propose alice@x/desk m-sid audio\n"
		    "facts none offer bob@x/phone",
	[EARLY] = "propose alice@x/desk m-sid audio\n"
		  "facts none offer bob@x/phone:plain\n"
		  "+1000 time",
	[PLAIN] = "jingle alice@x/desk session-initiate m-sid audio\n"
		  "facts none offer bob@x/phone:plain\n"
		  "+1000 time",
	[PROCEEDED] = "propose alice@x/desk m-sid audio\n"
		      "facts none offer bob@x/phone\n"
		      "+500 proceed bob@x/phone $sid",
	[OFFERED] = "propose alice@x/desk m-sid audio\n"
		    "facts none offer bob@x/phone\n"
		    "+500 proceed bob@x/phone $sid\n"
		    "jingle alice@x/desk session-initiate m-sid audio",
	[UP] = "propose alice@x/desk m-sid audio\n"
	       "facts none offer bob@x/phone\n"
	       "+500 proceed bob@x/phone $sid\n"
	       "jingle alice@x/desk session-initiate m-sid audio\n"
	       "jingle bob@x/phone session-accept $sid audio",
	[ENDING] = "propose alice@x/desk m-sid audio\n"
		   "facts none offer bob@x/phone\n"
		   "+500 proceed bob@x/phone $sid\n"
		   "jingle alice@x/desk session-initiate m-sid audio\n"
		   "jingle bob@x/phone session-accept $sid audio\n"
		   "+100000 jingle alice@x/desk session-terminate m-sid",
	[OPEN] = "propose alice@x/desk m-sid audio\n"
		 "facts none offer bob@x/phone\n"
		 "+500 proceed bob@x/phone $sid\n"
		 "jingle alice@x/desk session-initiate m-sid audio\n"
		 "jingle bob@x/phone session-accept $sid audio\n"
		 "+100000 jingle alice@x/desk session-terminate m-sid\n"
		 "+2000 time",
	[DONE] = "propose alice@x/desk m-sid audio\n"
		 "facts none offer bob@x/phone\n"
		 "+500 retract alice@x/desk m-sid",
};

/* --- what came of it, in words ---------------------------------------- */

/* Name of the child that tells what an XML stanza is; NULL: iq result. */
static const char *name_in(const char *xml, char *name, size_t size)
{
	static const char *const jmi = "xmlns='urn:xmpp:jingle-message:0'";
	const char *at, *start;
	size_t n;

	at = strstr(xml, " action='");
	if (at) {
		start = at + strlen(" action='");
	} else if (strstr(xml, "<error")) {
		at = strstr(xml, "xmlns='urn:xmpp:jingle:errors:1'");
		if (!at)
			at = strstr(xml, "xmlns='urn:ietf:params");
		for (start = at; start[-1] != '<';)
			start--;
	} else if ((at = strstr(xml, jmi))) {
		for (start = at; start[-1] != '<';)
			start--;
	} else {
		return "ok";
	}
	n = strcspn(start, " '/>");
	snprintf(name, size, "%.*s", (int)n, start);
	return name;
}

static void word_of(FILE *to, const char *line)
{
	char one[64], two[64], three[64], four[64];
	unsigned side;

	if (sscanf(line, "send %63s %u", one, &side) == 2)
		fprintf(to, "%u:%s ", side, name_in(line, two, sizeof(two)));
	else if (sscanf(line, "log %*s -> %*s %*s round %*s %63s", one) == 1)
		fprintf(to, "log=%s ", one);
	else if (sscanf(line, "notice %63s to %63s about %63s cause %63s",
			one, two, three, four) == 4)
		fprintf(to, "%.*s!%s ", (int)strcspn(two, "@"), two, one);
	else if (strncmp(line, "ask", 3) == 0 ||
		 strcmp(line, "forget") == 0 || strcmp(line, "ignored") == 0)
		fprintf(to, "%.*s ", (int)strcspn(line, " "), line);
}

static char *outcome(char *lines, const struct play *p,
		     enum call_state before)
{
	char *text = NULL, *line;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	while ((line = strsep(&lines, "\n")))
		if (strncmp(line, "< ", 2) == 0)
			word_of(f, line + 2);
	if (p->call.state != before)
		fprintf(f, ">%s ", call_state_name(p->call.state));
	if (call_is_over(&p->call))
		fprintf(f, "over ");
	fclose(f);
	if (n)
		text[n - 1] = 0;
	return text;
}

/* Plays the way to a state, then one event; `due` is the next deadline. */
static char *play_cell(enum setup s, const char *event)
{
	char *way = strdup(ways[s]), *at = way, *line, *lines = NULL, *text;
	enum call_state before;
	const char *why;
	struct play p;
	size_t n;

	play_init(&p, NULL);
	play_users(&p, "alice@x", "bob@x");
	while ((line = strsep(&at, "\n")) && *line)
		assert_int_equal(play_line(&p, line, &why), 0);
	free(way);
	before = p.call.state;
	p.call.found_over = !call_is_live(&p.call);
	p.out = open_memstream(&lines, &n);
	if (!p.message[0][0])
		strcpy(p.message[0], "none");
	if (!p.message[1][0])
		strcpy(p.message[1], "none");
	if (strcmp(event, "due") == 0) {
		if (call_deadline(&p.call, &p.site) != INT64_MAX)
			play_wait(&p, call_deadline(&p.call, &p.site) -
				  p.now);
	} else if (play_line(&p, event, &why)) {
		fail_msg("%s: expected %s", event, why);
	}
	fclose(p.out);
	text = outcome(lines, &p, before);
	free(lines);
	play_end(&p);
	return text;
}

static void each_cell(void **state)
{
	bool print = getenv("CALL_TABLE") != NULL;
	unsigned i, s, bad = 0;
	const char *want;
	char *got;

	(void)state;
	for (i = 0; i < ROWS; i++) {
		if (print)
			printf("\t{ \"%s\", {\n", rows[i].event);
		for (s = 0; s < SETUPS; s++) {
			got = play_cell((enum setup)s, rows[i].event);
			want = rows[i].want[s];
			if (print)
				printf("\t\t[%s] = \"%s\",\n",
				       setup_names[s], got);
			else if (!want || strcmp(got, want) != 0) {
				print_error("%s, %s: %s, not %s\n",
					    rows[i].event, setup_names[s],
					    got, want ? want : "stated");
				bad++;
			}
			free(got);
		}
		if (print)
			printf("\t} },\n");
	}
	assert_int_equal(bad, 0);
}

/* RFC 9562, 5.7: 48 bits of time (PLAY_WALL and on), the version, 12 bits of
 * play_step()'s entropy, the variant, 62 bits. */
static void id_is_of_its_time(void **state)
{
	static const char *const proposes[][2] = {
		{ "propose alice@x/desk m-sid audio",
		  "01a3185c-5000-7722-ad38-434e59646f7a" },
		{ "+1 propose alice@x/desk n-sid audio",
		  "01a3185c-5fa1-7bb6-81cc-d7e2edf8030e" },
	};
	struct play p;
	const char *why;

	(void)state;
	play_init(&p, NULL);
	play_users(&p, "alice@x", "bob@x");
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(play_line(&p, proposes[i][0], &why), 0);
		assert_string_equal(p.call.id, proposes[i][1]);
		assert_int_equal(play_line(&p, "facts not-active offer", &why),
				 0);
		assert_int_equal(play_line(&p, "+4000 time", &why), 0);
	}
	play_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cell),
		cmocka_unit_test(id_is_of_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
