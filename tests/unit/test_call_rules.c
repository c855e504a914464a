/* test_call_rules.c: single rules of the call that no story and no cell of
 * the table shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/golden/play.h"

static void play(struct play *p, const char *lines, char **out_r)
{
	char *copy = strdup(lines), *at = copy, *line;
	static size_t n;           /* the stream keeps its address */
	const char *why;

	play_init(p, open_memstream(out_r, &n));
	play_users(p, "alice@x", "bob@x");
	while ((line = strsep(&at, "\n")))
		if (*line && play_line(p, line, &why))
			fail_msg("%s: expected %s", line, why);
	fflush(p->out);
	free(copy);
}

static void done(struct play *p, char **out)
{
	fclose(p->out);
	free(*out);
	play_end(p);
}

#define UP "propose alice@x/desk m-sid audio\n" \
	"facts none offer bob@x/phone\n" \
	"proceed bob@x/phone $sid\n" \
	"jingle alice@x/desk session-initiate m-sid audio\n" \
	"jingle bob@x/phone session-accept $sid audio\n"

#define ROOM "conf room yes\n" \
	"propose alice@x/desk m-sid audio\n" \
	"facts none offer bob@x/phone\n" \
	"proceed bob@x/phone $sid\n" \
	"jingle alice@x/desk session-initiate m-sid audio mux fingerprint\n" \
	"ready 0\n" \
	"jingle bob@x/phone session-accept $sid audio mux fingerprint\n" \
	"step 0 caller media\n" \
	"step 0 callee media\n"

static void step(struct play *p, enum call_event_kind kind)
{
	struct call_event ev = { .kind = kind, .arena = arena_new(0) };

	play_step(p, &ev);
	arena_free(ev.arena);
}

/* What it says and does at an event, without all before it. */
static const char *told(struct play *p, char **out, enum call_event_kind kind)
{
	size_t before;

	fflush(p->out);
	before = strlen(*out);
	p->call.found_over = !call_is_live(&p->call);
	step(p, kind);
	fflush(p->out);
	return *out + before;
}

/* A row of the store that cannot be read: the call ends, on both sides. */
static void unreadable_leg(void **state)
{
	struct leg_env env = { .arena = arena_new(0) };
	struct play p;
	unsigned side, i;
	const char *said;
	char *out;

	(void)state;
	for (i = 0; i < 4; i++) {
		side = i & 1;
		play(&p, i < 2 ? UP : ROOM, &out);
		leg_ended(&p.call.leg[side], &env);
		said = told(&p, &out, CALL_EV_RESTORED);
		assert_int_equal(p.call.state, CALL_ENDING);
		assert_int_equal(p.call.cause, CAUSE_FAILED);
		assert_non_null(strstr(said, side ?
				       "send after 0 <iq type='set'" :
				       "send after 1 <iq type='set'"));
		assert_int_equal(p.call.leg[!side].state, LEG_ENDED);
		done(&p, &out);
		play(&p, "propose alice@x/desk m-sid audio\n"
		     "facts none offer bob@x/phone\n"
		     "proceed bob@x/phone $sid\n", &out);
		leg_ended(&p.call.leg[side], &env);
		step(&p, CALL_EV_RESTORED);
		assert_int_equal(p.call.state, CALL_ENDING);
		done(&p, &out);
	}
	arena_free(env.arena);
}

/* A device without JMI that comes while it rings gets the offer, and what
 * the caller has trickled since. */
static void late_plain_device_catches_up(void **state)
{
	struct play p;
	char *out, *at;

	(void)state;
	play(&p, "jingle alice@x/desk session-initiate m-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "ringing bob@x/phone $sid\n"
	     "jingle alice@x/desk transport-info m-sid audio bare candidate\n"
	     "jingle alice@x/desk session-info m-sid mute\n"
	     "device bob@x/old:plain\n", &out);
	at = strstr(out, "action='session-initiate'");
	assert_non_null(at);
	at = strstr(at, "action='transport-info'");
	assert_non_null(at);
	assert_non_null(strstr(at, "<candidate"));
	at = strstr(at, "action='session-info'");
	assert_non_null(at);
	assert_null(strstr(at + 1, "action='transport-info'"));
	done(&p, &out);
}

static void media_other_than_rtp(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "stanza <message from='alice@x/desk' to='bob@calls.x' "
	     "type='chat'><propose xmlns='urn:xmpp:jingle-message:0' id='f'>"
	     "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>"
	     "</propose></message>\n", &out);
	assert_non_null(strstr(out, "<unsupported-applications/>"));
	assert_int_equal(p.call.state, CALL_DONE);
	done(&p, &out);
}

static void who_is_in_it(void **state)
{
	static const struct {
		const char *lines;
		bool alice, bob;
	} cells[] = {
		{ "", false, false },
		{ "propose alice@x/desk m-sid audio\n", false, false },
		{ "propose alice@x/desk m-sid audio\n"
		  "facts none offer bob@x/phone:plain\n", false, false },
		{ "propose alice@x/desk m-sid audio\n"
		  "facts none offer bob@x/phone:plain\n"
		  "jingle alice@x/desk session-initiate m-sid audio\n",
		  false, false },
		{ "propose alice@x/desk m-sid audio\n"
		  "facts none offer bob@x/phone\n"
		  "proceed bob@x/phone $sid\n", true, true },
		{ "propose alice@x/desk m-sid audio\n"
		  "facts none offer bob@x/phone\n"
		  "proceed bob@x/phone $sid\n"
		  "jingle alice@x/desk session-initiate m-sid audio\n",
		  true, true },
		{ "jingle alice@x/desk session-initiate m-sid audio\n"
		  "facts none offer bob@x/phone\n", false, false },
		{ UP, true, true },
		/* F26 counts who comes back, too. */
		{ ROOM "gone bob@x/phone\n"
		  "propose bob@x/phone b-sid audio\n", true, true },
		{ UP "hangup\n", false, false },
		{ UP "hangup\n+3000 time\n", false, false },
	};
	struct play p;
	char *out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		play(&p, cells[i].lines, &out);
		assert_int_equal(call_has_user(&p.call, 0), cells[i].alice);
		assert_int_equal(call_has_user(&p.call, 1), cells[i].bob);
		done(&p, &out);
	}
}

static void sides_and_names(void **state)
{
	struct play p;
	char *out;
	int i;

	(void)state;
	play(&p, "", &out);
	assert_int_equal(call_side(&p.call, "alice@x"), 0);
	assert_int_equal(call_side(&p.call, "bob@x"), 1);
	assert_int_equal(call_side(&p.call, "eve@x"), -1);
	assert_int_equal(call_side(&p.call, NULL), -1);
	done(&p, &out);
	for (i = 0; i < CALL_STATES; i++)
		assert_string_not_equal(call_state_name((enum call_state)i),
					"?");
	for (i = 0; i < CALL_EVENTS; i++)
		assert_string_not_equal(
			call_event_name((enum call_event_kind)i), "?");
	assert_string_equal(call_state_name(CALL_STATES), "?");
	assert_string_equal(call_step_name(STEPS), "?");
	assert_string_equal(call_order_name(ORDERS), "?");
	assert_string_equal(call_event_name(CALL_EVENTS), "?");
}

/* A tie-break of one of two devices is answered by a new ring of it (X9). */
static void tie_break_beside_another(void **state)
{
	struct play p;
	char *out, *at;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone bob@x/pad\n"
	     "propose bob@x/phone z-sid audio\n"
	     "reject bob@x/phone $sid expired tie-break\n", &out);
	at = strstr(out, "<tie-break/>");
	assert_non_null(at);
	at = strstr(at, "to='bob@x/phone'><propose");
	assert_non_null(at);
	assert_int_equal(p.call.state, CALL_RINGING);
	done(&p, &out);
}

/* A03, I17: the running session's id from another device is a stranger's. */
static void stolen_sid_is_no_reentry(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, UP "jingle alice@x/pad session-initiate m-sid audio\n"
	     "propose alice@x/pad m-sid audio\n", &out);
	assert_int_equal(p.call.state, CALL_UP);
	done(&p, &out);
}

/* Relayed requests that meet a side which is not there are answered. */
static void video_can_be_off(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "conf allow_video no\n" UP
	     "jingle alice@x/desk content-add m-sid name=a media=audio\n"
	     "jingle alice@x/desk content-add m-sid name=v media=video\n",
	     &out);
	assert_non_null(strstr(out, "action='content-add'"));
	assert_non_null(strstr(out, "<not-allowed"));
	done(&p, &out);
	play(&p, "conf allow_video no\n" UP
	     "jingle alice@x/desk session-info m-sid mute\n", &out);
	assert_null(strstr(out, "<not-allowed"));
	done(&p, &out);
}

/* Deadlines that are not due do nothing; none ever stands still. */
static void early_time(void **state)
{
	struct play p;
	char *out, *before;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "gone bob@x/phone\ngone bob@x/phone\n"
	     "gone alice@x/desk\ngone alice@x/desk\n"
	     "+1500 time\n", &out);
	before = strdup(out);
	step(&p, CALL_EV_TIME);
	fflush(p.out);
	assert_string_equal(out, before);
	assert_int_equal(p.call.state, CALL_RINGING);
	free(before);
	done(&p, &out);
}

/* A failure long after the accept is an end, not a failed connection. */
static void late_failure_is_an_end(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, UP "+31000 jingle alice@x/desk session-terminate m-sid "
	     "reason=connectivity-error\n", &out);
	assert_int_equal(p.call.cause, CAUSE_ENDED);
	done(&p, &out);
}

/* I09: who may not be written to is not asked to write. */
static void declined_without_offer(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none bob@x/phone\n"
	     "reject bob@x/phone $sid\n", &out);
	assert_null(strstr(out, "notice write-back"));
	assert_null(strstr(out, " offer"));
	assert_non_null(strstr(out, "notice refused to alice@x"));
	done(&p, &out);
}

/* F11: either side lost in the set-up, or in the call. */
static void either_side_lost(void **state)
{
	static const char *const lines[] = {
		"propose alice@x/desk m-sid audio\n"
		"facts none offer bob@x/phone\n"
		"proceed bob@x/phone $sid\n"
		"gone alice@x/desk\n+10000 time\n",
		UP "gone alice@x/desk\n+10000 time\n",
		UP "gone bob@x/phone\n+10000 time\n",
	};
	struct play p;
	char *out;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		play(&p, lines[i], &out);
		assert_int_equal(p.call.state, CALL_ENDING);
		assert_string_equal(p.call.reason, "connectivity-error");
		assert_int_equal(strstr(out, "(lost device)") != NULL, i == 0);
		done(&p, &out);
	}
}

/* Answers to an older question, and to none. */
static void stray_events(void **state)
{
	struct call_event ev = { .kind = CALL_EV_FACTS };
	struct play p;
	char *out;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n", &out);
	ev.arena = arena_new(0);
	ev.ask = p.call.ask + 1;
	play_step(&p, &ev);
	assert_int_equal(p.call.state, CALL_ASKING);
	done(&p, &out);
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone\n", &out);
	ev.kind = CALL_EV_DEVICE;
	play_step(&p, &ev);
	assert_int_equal(leg_ringable(&p.call.leg[1]), 1);
	arena_free(ev.arena);
	done(&p, &out);
}

/* Blocked after an early proceed: the offer that comes is not passed on. */
static void offer_of_a_refused_call(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone bob@x/old:plain\n"
	     "ringing bob@x/phone $sid\n"
	     "bounce bob@x $bm service-unavailable\n"
	     "jingle alice@x/desk session-initiate m-sid audio\n", &out);
	assert_int_equal(p.call.state, CALL_REFUSING);
	assert_null(strstr(out, "action='session-initiate'"));
	play_wait(&p, 300);
	fflush(p.out);
	assert_non_null(strstr(out, "<gone/>"));
	assert_null(strstr(out, "notice missed"));
	done(&p, &out);
}

/* Who is none of the two is answered, and opens nothing. */
static void strangers(void **state)
{
	char lines[2048], *out;
	struct play p;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(lines, sizeof(lines), "%s"
			 "jingle eve@x/a session-initiate e audio to=c\n"
			 "jingle eve@x/a session-terminate m-sid to=c\n"
			 "propose eve@x/a e audio to=c\n"
			 "bounce eve@x/a $bm gone to=c\n"
			 "receipt eve@x/a to=c\n", i ? UP : "propose "
			 "alice@x/desk m-sid audio\n"
			 "facts none offer bob@x/phone\n");
		play(&p, lines, &out);
		assert_int_equal(p.call.state, i ? CALL_UP : CALL_RINGING);
		assert_non_null(strstr(out, "to='eve@x/a'><error"));
		assert_non_null(strstr(out, "< ignored"));
		done(&p, &out);
	}
}

/* An addition that is not RTP is relayed as it is. */
static void addition_of_another_kind(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, UP "stanza <iq type='set' id='q' from='alice@x/desk' "
	     "to='bob@calls.x/call'><jingle xmlns='urn:xmpp:jingle:1' "
	     "action='content-add' sid='m-sid'><content creator='initiator' "
	     "name='f'><description xmlns='urn:xmpp:jingle:apps:file-"
	     "transfer:5'/><transport xmlns='urn:xmpp:jingle:transports:"
	     "ibb:1'/></content></jingle></iq>\n", &out);
	assert_non_null(strstr(out, "file-transfer:5"));
	done(&p, &out);
}

/* One line's actions themselves: a trace shows not all of them. */
static struct call_actions act(struct play *p, const char *line,
			       struct arena *a)
{
	struct call_actions out = { .first = NULL };
	struct call_event ev = { .arena = a };
	char *full = play_expand(p, line);
	const char *why;
	int64_t after;

	assert_int_equal(call_text_event(&p->call, full, &ev, &after, &why),
			 0);
	free(full);
	play_wait(p, after);
	ev.now = p->now;
	ev.wall = PLAY_WALL + p->now - PLAY_START;
	ev.site = &p->site;
	assert_int_equal(call_step(&p->call, &ev, &out), 0);
	return out;
}

/* The n-th action of a kind; NULL: fewer. */
static const struct call_action *nth(const struct call_actions *out,
				     enum call_action_kind kind, unsigned n)
{
	const struct call_action *a;

	for (a = out->first; a; a = a->next)
		if (a->kind == kind && !n--)
			return a;
	return NULL;
}

static void is_details(const struct notice *n, const char *to,
		       const char *peer, const char *peer_call)
{
	assert_int_equal(n->kind, NOTICE_DETAILS);
	assert_string_equal(n->to, to);
	assert_string_equal(n->peer, peer);
	assert_string_equal(n->peer_call, peer_call);
	assert_int_equal(n->cause, CAUSE_ENDED);
	assert_null(n->step);
	assert_int_equal(n->media, MEDIA_AUDIO | MEDIA_VIDEO);
	assert_int_equal(n->outgoing, strcmp(to, "alice@x") == 0);
	assert_true(n->encrypted);
	assert_false(n->ends_here);
	assert_false(n->offer || n->again);
	assert_int_equal(n->started, PLAY_WALL + 700);
	assert_int_equal(n->ended, PLAY_WALL + 5700);
	assert_int_equal(n->until, PLAY_WALL + 700 + 7200000);
	assert_int_equal(n->count, 1);
}

#define VIDEO_UP "propose alice@x/desk m-sid audio,video\n" \
	"+200 facts none offer bob@x/phone\n" \
	"+500 proceed bob@x/phone $sid\n" \
	"jingle alice@x/desk session-initiate m-sid audio video fingerprint\n" \
	"+200 jingle bob@x/phone session-accept $sid audio video fingerprint\n"

/* F22, F40: the log, the visits and the notices of a call with an answer. */
static void details_of_an_answered_call(void **state)
{
	struct arena *a = arena_new(0);
	const struct call_action *log, *visit;
	struct call_actions out;
	struct play p;
	char *text;
	int i;

	(void)state;
	play(&p, VIDEO_UP, &text);
	out = act(&p, "+4800 jingle alice@x/desk session-terminate m-sid "
		  "reason=success", a);
	log = nth(&out, CALL_DO_LOG, 0);
	assert_string_equal(log->from, "alice@x");
	assert_string_equal(log->to, "bob@x");
	assert_int_equal(log->media, MEDIA_AUDIO | MEDIA_VIDEO);
	assert_int_equal(log->round, 1);
	assert_int_equal(log->started, PLAY_WALL + 200);
	assert_int_equal(log->answered, PLAY_WALL + 700);
	assert_int_equal(log->ended, PLAY_WALL + 5700);
	assert_int_equal(log->cause, CAUSE_ENDED);
	assert_string_equal(log->reason, "success");
	for (i = 0; i < 2; i++) {
		visit = nth(&out, CALL_DO_VISIT, (unsigned)i);
		assert_string_equal(visit->user, i ? "bob@x" : "alice@x");
		assert_string_equal(visit->device, i ? "bob@x/phone" :
				    "alice@x/desk");
		assert_int_equal(visit->started, PLAY_WALL + 700);
		assert_int_equal(visit->ended, PLAY_WALL + 5700);
		assert_string_equal(visit->reason, "success");
		assert_string_equal(visit->id, p.call.id);
	}
	is_details(&nth(&out, CALL_DO_NOTICE, 0)->notice, "alice@x", "bob@x",
		   "bob@calls.x");
	is_details(&nth(&out, CALL_DO_NOTICE, 1)->notice, "bob@x", "alice@x",
		   "alice@calls.x");
	assert_null(nth(&out, CALL_DO_NOTICE, 2));
	arena_free(a);
	done(&p, &text);
}

/* What opens a session is told as such: what follows it waits behind it. */
static void what_opens_is_told(void **state)
{
	struct arena *a = arena_new(0);
	const struct call_action *send;
	struct call_actions out;
	struct play p;
	char *text;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "proceed bob@x/phone $sid\n", &text);
	out = act(&p, "jingle alice@x/desk session-initiate m-sid audio", a);
	send = nth(&out, CALL_DO_SEND, 0);
	assert_false(send->opens || send->asks || send->side);
	send = nth(&out, CALL_DO_SEND, 1);
	assert_true(send->opens && send->asks && send->side);
	out = act(&p, "jingle bob@x/phone session-accept $sid audio", a);
	send = nth(&out, CALL_DO_SEND, 1);
	assert_true(send->opens && send->asks && !send->side);
	out = act(&p, "jingle alice@x/desk session-info m-sid mute", a);
	send = nth(&out, CALL_DO_SEND, 0);
	assert_true(!send->opens && send->asks && send->side);
	arena_free(a);
	done(&p, &text);
}

/* Encrypted is said only where both have given a fingerprint for each of
 * their contents; also after a restart. */
static void encrypted_is_both(void **state)
{
	static const struct {
		const char *alice, *bob, *then;
		bool encrypted;
	} cells[] = {
		{ "fingerprint", "fingerprint", "crash", true },
		{ "fingerprint", "", "crash", false },
		{ "", "fingerprint", "crash", false },
		{ "fingerprint", "", "time", false },
		{ "", "fingerprint", "time", false },
		{ "fingerprint", "fingerprint",
		  "jingle alice@x/desk content-add m-sid name=v media=video",
		  false },
	};
	struct call_actions out;
	char lines[1024], *text;
	struct arena *a;
	struct play p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		a = arena_new(0);
		snprintf(lines, sizeof(lines), "propose alice@x/desk m-sid "
			 "audio\nfacts none offer bob@x/phone\n"
			 "proceed bob@x/phone $sid\n"
			 "jingle alice@x/desk session-initiate m-sid audio "
			 "%s\njingle bob@x/phone session-accept $sid audio "
			 "%s\n%s\n", cells[i].alice, cells[i].bob,
			 cells[i].then);
		play(&p, lines, &text);
		out = act(&p, "hangup", a);
		assert_int_equal(nth(&out, CALL_DO_NOTICE, 0)->notice.encrypted,
				 cells[i].encrypted);
		arena_free(a);
		done(&p, &text);
	}
}

/* F21: when a missed call rang, or, where it never did, when it came. */
static void times_of_a_missed_call(void **state)
{
	struct arena *a = arena_new(0);
	const struct call_action *log;
	struct call_actions out;
	const struct notice *n;
	struct play p;
	char *text;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		play(&p, i ? "propose alice@x/desk m-sid audio,video\n" :
		     "propose alice@x/desk m-sid audio,video\n"
		     "+200 facts none offer bob@x/phone\n", &text);
		out = act(&p, i ? "+200 facts busy offer" :
			  "+5000 retract alice@x/desk m-sid", a);
		n = &nth(&out, CALL_DO_NOTICE, (unsigned)i)->notice;
		assert_int_equal(n->kind, NOTICE_MISSED);
		assert_string_equal(n->to, "bob@x");
		assert_true(n->offer && n->again && !n->outgoing);
		assert_int_equal(n->media, MEDIA_AUDIO | MEDIA_VIDEO);
		assert_int_equal(n->started, PLAY_WALL + 200);
		assert_int_equal(n->ended, PLAY_WALL + (i ? 200 : 5200));
		assert_int_equal(n->until, 0);
		assert_int_equal(n->count, 1);
		log = nth(&out, CALL_DO_LOG, 0);
		assert_int_equal(log->started, n->started);
		assert_int_equal(log->answered, 0);
		assert_null(nth(&out, CALL_DO_VISIT, 0));
		done(&p, &text);
	}
	arena_free(a);
}

/* Kept for somebody who can no longer want it is not kept; what was kept and
 * is sent now was answered long ago: it is no request of the other's. */
static void nothing_stays_kept(void **state)
{
	const struct leg_sent *s;
	struct play p;
	char *out;

	(void)state;
	play(&p, "jingle alice@x/desk session-initiate m-sid audio\n"
	     "facts none offer bob@x/phone:plain bob@x/pad:plain\n"
	     "+1000 time\n"
	     "jingle alice@x/desk transport-info m-sid audio bare candidate\n"
	     "jingle bob@x/pad transport-info $sid audio bare candidate\n"
	     "jingle bob@x/phone transport-info $sid audio bare candidate\n",
	     &out);
	assert_int_equal(p.call.leg[0].early_n, 1);
	assert_int_equal(p.call.leg[1].early_n, 2);
	step(&p, CALL_EV_TIME);
	done(&p, &out);
	play(&p, "jingle alice@x/desk session-initiate m-sid audio\n"
	     "facts none offer bob@x/phone:plain bob@x/pad:plain\n"
	     "+1000 time\n"
	     "jingle alice@x/desk transport-info m-sid audio bare candidate\n"
	     "jingle bob@x/pad transport-info $sid audio bare candidate\n"
	     "jingle bob@x/phone transport-info $sid audio bare candidate\n"
	     "jingle bob@x/phone session-accept $sid audio\n", &out);
	assert_int_equal(p.call.state, CALL_UP);
	assert_int_equal(p.call.leg[0].sent->action, JINGLE_TRANSPORT_INFO);
	for (s = p.call.leg[0].sent; s; s = s->next)
		assert_int_equal(s->relay, 0);
	assert_int_equal(p.call.leg[0].early_n, 0);
	assert_int_equal(p.call.leg[1].early_n, 0);
	done(&p, &out);
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "proceed bob@x/phone $sid\n"
	     "jingle alice@x/desk session-initiate m-sid audio\n"
	     "jingle alice@x/desk transport-info m-sid audio bare candidate\n",
	     &out);
	assert_int_equal(p.call.leg[0].early_n, 0);
	done(&p, &out);
}

/* F02: after a restart a ringing whose row is still there is taken back once
 * more, whatever the wall clock says. */
static void stops_are_repeated(void **state)
{
	struct play p;
	const char *at;
	char *out;
	int late;

	(void)state;
	for (late = 0; late < 2; late++) {
		play(&p, "propose alice@x/desk m-sid audio\n"
		     "facts none offer bob@x/phone\n"
		     "retract alice@x/desk m-sid\n", &out);
		p.now = PLAY_START + 120000 + late;
		at = told(&p, &out, CALL_EV_RESTORED);
		/* and leaves no trace (F21) */
		at = strstr(at, "<no-store");
		assert_non_null(at);
		assert_non_null(strstr(at + 1, "<no-store"));
		done(&p, &out);
	}
}

/* The same for a caller without JMI. */
static void stop_is_repeated_to_a_plain_caller(void **state)
{
	struct play p;
	const char *said;
	char *out;

	(void)state;
	play(&p, "jingle alice@x/desk session-initiate m-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "reject bob@x/phone $sid decline\n", &out);
	said = told(&p, &out, CALL_EV_RESTORED);
	assert_non_null(strstr(said, "to='alice@x/desk'><jingle "
			       "xmlns='urn:xmpp:jingle:1' "
			       "action='session-terminate'"));
	assert_null(strstr(said, "<reject"));
	done(&p, &out);
}

/* A round knows nothing of how the last one ended; and what we ask of
 * ourselves is no request of the other's. */
static void round_begins_clean(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, UP "hangup\njingle alice@x/desk session-initiate n-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "ringing bob@x/phone $sid\n", &out);
	assert_int_equal(p.call.state, CALL_RINGING);
	assert_int_equal(p.call.cause, CAUSE_NONE);
	assert_null(p.call.reason);
	assert_non_null(p.call.leg[0].sent);
	assert_int_equal(p.call.leg[0].sent->relay, 0);
	done(&p, &out);
	play(&p, "propose alice@x/desk m-sid audio\nfacts busy\n+30000 time\n",
	     &out);
	assert_true(call_is_over(&p.call));
	done(&p, &out);
	play(&p, "propose alice@x/desk m-sid audio\nfacts busy\n+30000 time\n"
	     "propose alice@x/desk n-sid audio\n", &out);
	assert_false(call_is_over(&p.call));
	done(&p, &out);
}

/* The set-up's time begins anew with the process. */
static void setup_begins_anew(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n"
	     "facts none offer bob@x/phone\n"
	     "proceed bob@x/phone $sid\n", &out);
	p.now += 20000;
	step(&p, CALL_EV_RESTORED);
	assert_int_equal(call_deadline(&p.call, &p.site), p.now + 30000);
	done(&p, &out);
}

/* Which reasons say that a call could not be connected. */
static void failures_and_ends(void **state)
{
	static const struct {
		const char *reason;
		enum cause cause;
	} cells[] = {
		{ "connectivity-error", CAUSE_FAILED },
		{ "failed-application", CAUSE_FAILED },
		{ "failed-transport", CAUSE_FAILED },
		{ "general-error", CAUSE_FAILED },
		{ "incompatible-parameters", CAUSE_NO_CODEC },
		{ "media-error", CAUSE_FAILED },
		{ "security-error", CAUSE_FAILED },
		{ "unsupported-applications", CAUSE_FAILED },
		{ "unsupported-transports", CAUSE_FAILED },
		{ "success", CAUSE_ENDED }, { "gone", CAUSE_ENDED },
		{ "decline", CAUSE_ENDED }, { "timeout", CAUSE_ENDED },
	};
	char lines[1024], *out;
	struct play p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		snprintf(lines, sizeof(lines), "%sjingle bob@x/phone "
			 "session-terminate $sid reason=%s\n", UP,
			 cells[i].reason);
		play(&p, lines, &out);
		assert_int_equal(p.call.cause, cells[i].cause);
		done(&p, &out);
	}
}

/* Media are those of this round's caller, whatever an earlier one asked. */
static void media_of_the_round(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "jingle alice@x/desk session-initiate one video\n", &out);
	assert_int_equal(p.call.media, MEDIA_VIDEO);
	done(&p, &out);
	play(&p, "jingle alice@x/desk session-initiate one video\n"
	     "facts busy\n"
	     "jingle alice@x/desk session-initiate two audio\n", &out);
	assert_int_equal(p.call.media, MEDIA_AUDIO);
	done(&p, &out);
	play(&p, "propose alice@x/desk m-sid video\n"
	     "facts none offer bob@x/phone\n"
	     "proceed bob@x/phone $sid\n"
	     "jingle alice@x/desk session-initiate m-sid video\n", &out);
	assert_int_equal(p.call.leg[0].state, LEG_OFFERED);
	done(&p, &out);
}

/* The call's id is of this event's time and randomness. */
static void id_of_the_call(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "propose alice@x/desk m-sid audio\n", &out);
	assert_string_equal(p.call.id,
			    "01a3185c-5000-7722-ad38-434e59646f7a");
	assert_int_equal(p.call.created, PLAY_WALL);
	call_clear(&p.call);
	assert_string_equal(p.call.id, "");
	assert_null(p.call.leg[0].user);
	done(&p, &out);
}

/* Calling oneself: the daemon must know it, both sides are one user. */
static void of_oneself(void **state)
{
	struct play p;
	char *out;

	(void)state;
	play(&p, "", &out);
	assert_false(p.call.self);
	play_users(&p, "alice@x", "alice@x");
	assert_true(p.call.self);
	done(&p, &out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unreadable_leg),
		cmocka_unit_test(late_plain_device_catches_up),
		cmocka_unit_test(media_other_than_rtp),
		cmocka_unit_test(who_is_in_it),
		cmocka_unit_test(sides_and_names),
		cmocka_unit_test(tie_break_beside_another),
		cmocka_unit_test(stolen_sid_is_no_reentry),
		cmocka_unit_test(video_can_be_off),
		cmocka_unit_test(early_time),
		cmocka_unit_test(late_failure_is_an_end),
		cmocka_unit_test(declined_without_offer),
		cmocka_unit_test(either_side_lost),
		cmocka_unit_test(stray_events),
		cmocka_unit_test(offer_of_a_refused_call),
		cmocka_unit_test(strangers),
		cmocka_unit_test(addition_of_another_kind),
		cmocka_unit_test(details_of_an_answered_call),
		cmocka_unit_test(what_opens_is_told),
		cmocka_unit_test(encrypted_is_both),
		cmocka_unit_test(times_of_a_missed_call),
		cmocka_unit_test(nothing_stays_kept),
		cmocka_unit_test(stops_are_repeated),
		cmocka_unit_test(of_oneself),
		cmocka_unit_test(stop_is_repeated_to_a_plain_caller),
		cmocka_unit_test(round_begins_clean),
		cmocka_unit_test(setup_begins_anew),
		cmocka_unit_test(failures_and_ends),
		cmocka_unit_test(media_of_the_round),
		cmocka_unit_test(id_of_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
