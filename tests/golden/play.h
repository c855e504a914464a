/* play.h: plays lines of text.h on one call in virtual time; for the golden
 * traces and the fuzzer.
 *
 * Beside events a trace has: `users A B` (first line), `conf NAME VALUE`, and
 * `crash`, which stores the call and its legs and reads them back as a
 * restart does. Words of an event may be $sid (the callee's leg's id), $a1
 * or $b1 (the first iq asked of side 0 or 1), $am or $bm (the last message
 * sent to it).
 */
#ifndef TESTS_GOLDEN_PLAY_H
#define TESTS_GOLDEN_PLAY_H

#undef NDEBUG                      /* its asserts are the test */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/golden/text.h"

#define PLAY_IDS 64
#ifndef PLAY_STEP
#define PLAY_STEP call_step
#endif
#define PLAY_GIVEN_UP (-1)         /* of a PLAY_STEP: nothing to compare */

struct play {
	struct call call;
	bool ready;
	struct settings_site site;
	int64_t now;
	unsigned steps;
	char ids[2][PLAY_IDS][32];
	unsigned asked[2];
	char message[2][32];
	FILE *out;                 /* NULL: nothing is written */
	bool away;                 /* the media process is */
	char why[200];             /* what the last bad line lacks */
};

#define PLAY_START 1000000
#define PLAY_WALL INT64_C(1800000000000)

static inline void play_init(struct play *p, FILE *out)
{
	memset(p, 0, sizeof(*p));
	settings_site_default(&p->site);
	p->site.media = MODE_DIRECT;           /* unless a trace says another */
	p->now = PLAY_START;
	p->out = out;
}

static inline void play_users(struct play *p, const char *a, const char *b)
{
	const char *users[2] = { a, b };
	char own[2][256];
	const char *owns[2] = { own[0], own[1] };
	int i;

	for (i = 0; i < 2; i++)
		snprintf(own[i], sizeof(own[i]), "%.*s@calls.x",
			 (int)strcspn(users[!i], "@"), users[!i]);
	if (p->ready)
		call_clear(&p->call);
	assert(call_init(&p->call, users, owns, true) == 0);
	p->ready = true;
}

static inline void play_note(struct play *p, const struct call_action *a)
{
	const char *id = xml_get(a->stanza, "id");
	unsigned s = a->side;

	if (a->asks && id && p->asked[s] < PLAY_IDS)
		snprintf(p->ids[s][p->asked[s]++], 32, "%s", id);
	else if (id && strcmp(a->stanza->name, "message") == 0)
		snprintf(p->message[s], 32, "%s", id);
}

static inline unsigned play_owes(const struct play *p)
{
	return p->call.leg[0].relayed_n + p->call.leg[1].relayed_n;
}

/* I13: every iq set is answered once: now, or later if it was relayed. */
static inline void play_check_answers(const struct play *p, unsigned owed,
				      const struct call_actions *out)
{
	const struct call_action *a;
	unsigned answers = 0;

	for (a = out->first; a; a = a->next)
		if (a->kind == CALL_DO_SEND && !a->asks)
			answers += strcmp(a->stanza->name, "iq") == 0;
	assert(owed == answers + play_owes(p));
}

/* Where the media process is, if it is needed. */
static inline void play_media(const struct play *p, struct call_event *ev)
{
	static const struct leg_candidate ours[] = {
		{ .foundation = "1", .ip = "198.51.100.7", .port = 10000,
		  .priority = 2130706431 },
		{ .foundation = "2", .ip = "203.0.113.7", .port = 10000,
		  .rel_ip = "198.51.100.7", .rel_port = 10000,
		  .priority = 1694498815 },
	};

	ev->candidates = ours;
	ev->candidates_n = p->away || p->site.media == MODE_DIRECT ? 0 : 2;
}

static inline void play_step(struct play *p, struct call_event *ev)
{
	struct call_actions out = { .first = NULL };
	const struct call_action *a;
	unsigned i, owed;
	char *line;
	int rc;

	ev->now = p->now;
	ev->wall = PLAY_WALL + p->now - PLAY_START;
	ev->site = &p->site;
	play_media(p, ev);
	p->steps++;
	for (i = 0; i < 32; i++)
		ev->entropy[i] = (unsigned char)(p->steps * 37 + i * 11);
	owed = play_owes(p) + (ev->kind == CALL_EV_JINGLE);
	rc = PLAY_STEP(&p->call, ev, &out);
	if (rc == PLAY_GIVEN_UP)
		return;
	assert(rc == 0);
	call_check(&p->call);
	play_check_answers(p, owed, &out);
	for (a = out.first; a; a = a->next) {
		if (a->kind == CALL_DO_SEND)
			play_note(p, a);
		line = call_text_action(ev->arena, &p->call, a);
		assert(line);
		if (p->out)
			fprintf(p->out, "< %s\n", line);
	}
}

/* Time passes; what is due on the way happens when it is due. */
static inline void play_wait(struct play *p, int64_t ms)
{
	int64_t until = p->now + ms, due;
	struct call_event ev;
	struct arena *a;

	while ((due = call_deadline(&p->call, &p->site)) <= until) {
		p->now = due > p->now ? due : p->now;
		a = arena_new(0);
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_TIME;
		ev.arena = a;
		if (p->out)
			fprintf(p->out, "< time %" PRId64 "\n",
				p->now - PLAY_START);
		play_step(p, &ev);
		arena_free(a);
	}
	p->now = until;
}

/* $ words replaced. */
static inline char *play_expand(struct play *p, const char *line)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	const struct leg *to = &p->call.leg[!p->call.caller];
	unsigned side, n, used;

	for (; *line; line++) {
		if (strncmp(line, "$sid", 4) == 0) {
			fputs(to->sid ? to->sid : "none", f);
			line += 3;
			continue;
		}
		if (*line != '$' || (line[1] != 'a' && line[1] != 'b')) {
			fputc(*line, f);
			continue;
		}
		side = line[1] == 'b';
		if (line[2] == 'm') {
			fputs(p->message[side], f);
			line += 2;
			continue;
		}
		n = 0;
		for (used = 2; line[used] >= '0' && line[used] <= '9' &&
		     n < PLAY_IDS; used++)
			n = n * 10 + (unsigned)(line[used] - '0');
		fputs(n && n <= p->asked[side] ? p->ids[side][n - 1] : "none",
		      f);
		line += used - 1;
	}
	fclose(f);
	return text;
}

static inline void play_conf(struct play *p, const char *name,
			     const char *word)
{
	bool yes = strcmp(word, "yes") == 0;

	if (strcmp(name, "hard_limit") == 0)
		p->site.hard_limit = yes;
	else if (strcmp(name, "allow_video") == 0)
		p->site.allow_video = yes;
	else if (strcmp(name, "blind") == 0)
		p->site.media = yes ? MODE_BLIND : MODE_DIRECT;
	else if (strcmp(name, "room") == 0)
		p->site.media = yes ? MODE_ROOM : MODE_DIRECT;
	else if (strcmp(name, "hold") == 0)
		p->site.on_leave = yes ? LEAVE_HOLD : LEAVE_END;
	else if (strcmp(name, "notify") == 0)
		p->site.rejoin = yes ? REJOIN_NOTIFY : REJOIN_RING;
	else if (strcmp(name, "auto") == 0)
		p->site.media = yes ? MODE_AUTO : MODE_DIRECT;
	else if (strcmp(name, "media-away") == 0)
		p->away = yes;
	else if (strcmp(name, "room_lifetime") == 0)
		p->site.room_lifetime = atoll(word);
}

/* The process dies and reads its rows again. */
static inline void play_crash(struct play *p)
{
	struct call old = p->call, *c = &p->call;
	const char *users[2] = { old.leg[0].user, old.leg[1].user };
	const char *owns[2] = { old.contact[0], old.contact[1] };
	struct arena *a = arena_new(0);
	char *data;
	unsigned i;

	assert(call_init(c, users, owns, true) == 0);
	c->state = old.state;
	memcpy(c->id, old.id, sizeof(c->id));
	c->caller = old.caller;
	c->round = old.round;
	c->media = old.media;
	c->rung = old.rung;
	c->offer = old.offer;
	c->created = old.created;
	c->rung_wall = old.rung_wall;
	c->answered_wall = old.answered_wall;
	c->first_answer_wall = old.first_answer_wall;
	c->window_end = old.window_end;
	c->rung_at = c->answered_at = c->ended_at = c->kept_at = p->now;
	for (i = 0; i < 2; i++) {
		data = leg_data(&old.leg[i], a);
		assert(data);
		assert(leg_restore(&c->leg[i], old.leg[i].role,
				   old.leg[i].state, leg_flags(&old.leg[i]),
				   old.leg[i].device, old.leg[i].sid, data,
				   0xc0ffee + i) == 0);
		if (!old.leg[i].gateway)
			call_restore_native(c, i, arena_printf(a, "%s/%s",
				old.leg[i].own, old.leg[i].resource));
	}
	if (old.mode != MODE_DIRECT)
		call_restore_media(c, old.mode);
	c->up_at = p->now;
	c->found_over = !call_is_live(c);
	call_clear(&old);
	arena_free(a);
}

/* One line. 0; ENODATA: nothing to do; EBADMSG: *why_r. */
static inline int play_line(struct play *p, const char *line,
			    const char **why_r)
{
	struct call_event ev;
	char one[64], two[64], *full;
	int64_t after = 0;
	int rc;

	*why_r = NULL;
	if (sscanf(line, "users %63s %63s", one, two) == 2) {
		if (!strchr(one, '@') || !strchr(two, '@'))
			return EBADMSG;
		play_users(p, one, two);
		return 0;
	}
	if (!p->ready)
		play_users(p, "alice@x", "bob@x");
	if (sscanf(line, "conf %63s %63s", one, two) == 2) {
		play_conf(p, one, two);
		return 0;
	}
	if (strcmp(line, "crash") == 0) {
		if (p->call.state >= CALL_RINGING &&
		    p->call.state <= CALL_DONE &&
		    p->call.state != CALL_REFUSING)
			play_crash(p);
		return 0;
	}
	memset(&ev, 0, sizeof(ev));
	ev.arena = arena_new(0);
	full = play_expand(p, line);
	rc = call_text_event(&p->call, full, &ev, &after, why_r);
	play_wait(p, after);
	if (!rc)
		play_step(p, &ev);
	snprintf(p->why, sizeof(p->why), "%s", *why_r ? *why_r : "");
	*why_r = p->why;
	free(full);
	arena_free(ev.arena);
	return rc;
}

static inline void play_end(struct play *p)
{
	if (p->ready)
		call_clear(&p->call);
}

#endif
