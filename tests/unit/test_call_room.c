/* test_call_room.c: what the traces of mode `room` cannot say in a few lines.
 *
 * Descriptions too long to be kept (LEG_SAYS_MAX): a user's are kept for who
 * comes back later, so what cannot be is refused when it is said: an offer or
 * an answer ends the call, a content more is denied, who comes back is refused.
 * More than waits for a transport (LEG_EARLY_BYTES) is denied, too. And what is
 * counted, or forgotten again.
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
#define BACK UP "gone bob@x/phone\npropose bob@x/phone b-sid audio,video\n"

/* LONG: codecs of more than is kept of a user; PAD: a long text. */
static char *expand(const char *lines)
{
	char *copy, name[401];
	size_t size;
	FILE *f = open_memstream(&copy, &size);
	unsigned i;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (; *lines; lines++) {
		if (strncmp(lines, "LONG", 4) == 0) {
			fputs("111:opus", f);
			for (i = 0; i <= LEG_SAYS_MAX / 400; i++)
				fprintf(f, ",%u:%s", i, name);
			lines += 3;
		} else if (strncmp(lines, "PAD", 3) == 0) {
			fputs("<pad xmlns='urn:example:pad'>", f);
			for (i = 0; i < 175; i++)
				fputs(name, f);
			fputs("</pad>", f);
			lines += 2;
		} else {
			fputc(*lines, f);
		}
	}
	fclose(f);
	return copy;
}

/* What happens at the last of the lines. */
static char *told_more(struct play *p, const char *lines)
{
	char *copy = expand(lines), *at = copy, *line, *text = NULL;
	const char *why;
	size_t len = 0;

	p->out = open_memstream(&text, &len);
	while ((line = strsep(&at, "\n"))) {
		rewind(p->out);
		if (*line && play_line(p, line, &why))
			fail_msg("%.80s: expected %s", line, why);
	}
	fclose(p->out);
	free(copy);
	return text;
}

static char *told(struct play *p, const char *lines)
{
	play_init(p, NULL);
	return told_more(p, lines);
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
	goes_on(BACK "jingle bob@x/phone session-initiate b-sid audio mux "
		"fingerprint a=LONG", "<incompatible-parameters/>");
}

/* Of what he offers nothing is taken, though his sound could be. */
static void too_long_picture_to_come_back(void **state)
{
	struct play p;
	char *text = told(&p, BACK "jingle bob@x/phone session-initiate b-sid "
			  "audio video mux fingerprint v=LONG");

	(void)state;
	assert_non_null(strstr(text, "<incompatible-parameters/>"));
	assert_null(strstr(text, "media "));
	assert_null(p.call.leg[1].offer);
	free(text);
	play_end(&p);
}

/* --- what waits for a transport ----------------------------------------- */

#define MORE(pad) "stanza <iq type='set' id='more' from='bob@x/phone' " \
	"to='alice@calls.x/call'><jingle xmlns='urn:xmpp:jingle:1' " \
	"action='content-add' sid='$sid'><content creator='responder' " \
	"name='more'><description xmlns='urn:xmpp:jingle:apps:rtp:1' " \
	"media='video'><rtcp-mux/><payload-type id='96' name='VP8'/>" \
	"</description><transport ufrag='more' pwd='pwd0123456789012345678' " \
	"xmlns='urn:xmpp:jingle:transports:ice-udp:1'><fingerprint hash=" \
	"'sha-256' setup='actpass' xmlns='urn:xmpp:jingle:apps:dtls:0'>" \
	FINGERPRINT "</fingerprint>" pad "</transport></content></jingle></iq>"
#define MUTE "\nstanza <iq type='set' id='mute' from='bob@x/phone' " \
	"to='alice@calls.x/call'><jingle xmlns='urn:xmpp:jingle:1' " \
	"action='session-info' sid='$sid'><mute " \
	"xmlns='urn:xmpp:jingle:apps:rtp:info:1'>PAD</mute></jingle></iq>"

static void too_long_to_wait(void **state)
{
	struct play p;
	char *text = told(&p, UP MORE("PADPAD"));

	(void)state;
	assert_non_null(strstr(text, "media open 1 room"));
	assert_non_null(strstr(text, "media drop 1"));
	assert_non_null(strstr(text, DENIED));
	free(text);
	play_end(&p);
}

/* What no place is left for is denied, and what waits for longer is not lost:
 * it is passed on, and answered. */
static void too_many_to_wait(void **state)
{
	struct play p;
	char *text = told(&p, UP MORE("") MUTE MUTE MUTE MUTE);

	(void)state;
	assert_non_null(strstr(text, "id='mute'"));
	assert_non_null(strstr(text, DENIED));
	assert_null(strstr(text, "media "));
	free(text);
	text = told_more(&p, "ready 1");
	assert_non_null(strstr(text, "action='content-add'"));
	free(text);
	text = told_more(&p, "result 0 $a2");
	assert_non_null(strstr(text, "type='result' id='more'"));
	free(text);
	text = told_more(&p, "result 0 $a3\nresult 0 $a4\nresult 0 $a5");
	assert_non_null(strstr(text, "type='result' id='mute'"));
	assert_int_equal(p.call.leg[1].relayed_n, 0);
	free(text);
	play_end(&p);
}

#define INFO(from, to, sid, name) "\nstanza <iq type='set' id='i' from='" \
	from "' to='" to "'><jingle xmlns='urn:xmpp:jingle:1' " \
	"action='session-info' sid='" sid "'><mute name='" name "' " \
	"xmlns='urn:xmpp:jingle:apps:rtp:info:1'>PAD</mute></jingle></iq>"
#define INFOS(from, to, sid) INFO(from, to, sid, "first") \
	INFO(from, to, sid, "2") INFO(from, to, sid, "3") \
	INFO(from, to, sid, "last")
#define PLAIN "jingle alice@x/desk session-initiate a-sid audio"

/* Of what nobody waits for an answer to the oldest is dropped. */
static void the_last_is_passed(const char *lines)
{
	struct play p;
	char *text = told(&p, lines);

	assert_non_null(strstr(text, "name='last'"));
	assert_null(strstr(text, "name='first'"));
	free(text);
	play_end(&p);
}

static void too_many_before_the_answer(void **state)
{
	(void)state;
	the_last_is_passed(PLAIN INFOS("alice@x/desk", "bob@calls.x/call",
				       "a-sid")
			   "\nfacts none bob@x/phone\n"
			   "proceed bob@x/phone $sid");
	the_last_is_passed(PLAIN "\nfacts none bob@x/phone"
			   INFOS("alice@x/desk", "bob@calls.x/call", "a-sid")
			   "\nproceed bob@x/phone $sid");
	the_last_is_passed(PLAIN "\nfacts none bob@x/phone:plain\n+1000 time"
			   INFOS("bob@x/phone", "alice@calls.x/call", "$sid")
			   "\njingle bob@x/phone session-accept $sid audio");
}

/* --- what is counted, and forgotten ------------------------------------- */

#define DINO "gone bob@x/phone\npropose bob@x/dino b-sid audio\n" \
	"jingle bob@x/dino session-initiate b-sid audio mux fingerprint\n" \
	"credentials 0 callee\n"

static unsigned candidates_passed(struct play *p, const char *from,
				  const char *sid, unsigned n)
{
	unsigned passed = 0;
	char *text, *line;

	while (n--) {
		assert_true(asprintf(&line, "jingle %s transport-info %s audio "
				     "bare candidate", from, sid) > 0);
		text = told_more(p, line);
		passed += strstr(text, "media candidate 0 callee") != NULL;
		free(text);
		free(line);
	}
	return passed;
}

static void candidates_are_counted_anew(void **state)
{
	struct play p;

	(void)state;
	free(told(&p, UP));
	assert_int_equal(candidates_passed(&p, "bob@x/phone", "$sid",
					   CALL_CANDIDATES_MAX + 1),
			 CALL_CANDIDATES_MAX);
	free(told_more(&p, DINO));
	assert_int_equal(candidates_passed(&p, "bob@x/dino", "b-sid",
					   CALL_CANDIDATES_MAX + 1),
			 CALL_CANDIDATES_MAX);
	play_end(&p);
}

static void an_offer_is_dropped_when_answered(void **state)
{
	struct play p;

	(void)state;
	free(told(&p, UP DINO));
	assert_int_equal(p.call.leg[1].state, LEG_ACTIVE);
	assert_null(p.call.leg[1].offer);
	play_end(&p);
}

static void nothing_of_media_outlives_the_call(void **state)
{
	const struct leg_content *c;
	struct play p;
	unsigned i;

	(void)state;
	free(told(&p, UP "hangup"));
	assert_int_equal(p.call.state, CALL_ENDING);
	for (i = 0; i < 2; i++) {
		assert_null(p.call.leg[i].ours);
		for (c = p.call.leg[i].contents; c; c = c->next) {
			assert_null(c->says);
			assert_null(c->print);
			assert_int_equal(c->transport, 0);
		}
	}
	play_end(&p);
}

/* The mode, and when it began. */
static void a_wait_has_what_the_log_says(void **state)
{
	struct play p;

	(void)state;
	free(told(&p, "conf notify yes\n" UP "hangup\n"
		  "+60000 propose alice@x/desk b-sid audio\n"
		  "facts none offer bob@x/phone"));
	assert_int_equal(p.call.state, CALL_UP);
	assert_int_equal(p.call.mode, MODE_ROOM);
	assert_true(p.call.decided);
	assert_int_equal(p.call.rung_wall, PLAY_WALL + p.now - PLAY_START);
	play_end(&p);
}

/* Rows that no call of ours leaves: it ends, as with any that do not fit. */
static void both_away_ends_when_restored(void **state)
{
	struct play p;

	(void)state;
	free(told(&p, UP "crash"));
	p.call.leg[0].state = p.call.leg[1].state = LEG_ENDED;
	p.call.leg[0].absent = p.call.leg[1].absent = true;
	free(told_more(&p, "restored"));
	assert_int_equal(p.call.cause, CAUSE_FAILED);
	play_end(&p);
}

/* --- what the end says, beside what a trace shows ----------------------- */

struct said {
	struct arena *a;
	const struct call_action *notice, *log;    /* the first of each */
};

static void end_by(struct said *s, const char *lines, const char *last)
{
	struct call_event ev = { .arena = arena_new(0) };
	struct call_actions out = { .first = NULL };
	const struct call_action *a;
	const char *why;
	int64_t after;
	struct play p;

	memset(s, 0, sizeof(*s));
	s->a = ev.arena;
	free(told(&p, lines));
	assert_int_equal(call_text_event(&p.call, last, &ev, &after, &why), 0);
	ev.now = p.now + after;
	ev.site = &p.site;
	assert_int_equal(call_step(&p.call, &ev, &out), 0);
	for (a = out.first; a; a = a->next)
		if (a->kind == CALL_DO_NOTICE && !s->notice)
			s->notice = a;
		else if (a->kind == CALL_DO_LOG)
			s->log = a;
	play_end(&p);
}

static void where_encryption_ends(void **state)
{
	struct said s;

	(void)state;
	end_by(&s, UP, "hangup");
	assert_true(s.notice->notice.ends_here);
	assert_null(s.log->step);
	arena_free(s.a);
}

static void at_which_step(void **state)
{
	struct said s;

	(void)state;
	end_by(&s, RUNG, "+30000 time");
	assert_string_equal(s.log->step, "no offer from the caller's device");
	arena_free(s.a);
	end_by(&s, UP, "step 0 callee insecure");
	assert_string_equal(s.log->step,
			    "wrong fingerprint of the called device");
	arena_free(s.a);
	/* What a client says is the reason, no step that we know of. */
	end_by(&s, UP, "jingle alice@x/desk session-terminate a-sid "
	       "reason=failed-application");
	assert_int_equal(s.log->cause, CAUSE_FAILED);
	assert_string_equal(s.log->reason, "failed-application");
	assert_null(s.log->step);
	arena_free(s.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_long_to_begin),
		cmocka_unit_test(too_long_to_add),
		cmocka_unit_test(too_long_to_come_back),
		cmocka_unit_test(too_long_picture_to_come_back),
		cmocka_unit_test(too_long_to_wait),
		cmocka_unit_test(too_many_to_wait),
		cmocka_unit_test(too_many_before_the_answer),
		cmocka_unit_test(candidates_are_counted_anew),
		cmocka_unit_test(an_offer_is_dropped_when_answered),
		cmocka_unit_test(nothing_of_media_outlives_the_call),
		cmocka_unit_test(a_wait_has_what_the_log_says),
		cmocka_unit_test(both_away_ends_when_restored),
		cmocka_unit_test(where_encryption_ends),
		cmocka_unit_test(at_which_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
