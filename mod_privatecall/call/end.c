/* end.c: every way a round ends: legs, finishes, log, notices, what comes
 * after (F14, F17, F18, F21, F22, F28, F30, I07, I08, I10).
 */
#include <assert.h>
#include "mod_privatecall/call/call_private.h"

#define RECENT_MS 120000           /* a ringing that may still be heard */
#define UNHEARD_MS 62000           /* from a server's death to a cut, at most */

/* The text for the other side and for notices. */
static const char *end_text(struct call_run *r, enum cause cause,
			    const char *given)
{
	unsigned named = !r->c->caller;

	if (cause == CAUSE_SWITCHED)
		named = r->switcher;
	if (given)
		return given;
	return cause_text(r->ev->arena, cause,
			  call_name(r->c, named, r->ev->arena));
}

static void end_callee(struct call_run *r, enum cause cause,
		       const char *reason, const char *text, int by)
{
	const char *stop = cause == CAUSE_UNANSWERED ? "timeout" : "cancel";
	struct call *c = r->c;
	unsigned side = !c->caller;
	struct leg *to = call_callee(c);
	struct leg_env *env = call_leg(r, side);

	if (to->state == LEG_RINGING) {
		if (by == (int)side)
			leg_stop(to, LEG_STOP_ELSEWHERE, reason, text, NULL,
				 env);
		else           /* X9: nobody missed a call that crossed */
			leg_stop(to, c->glare ? LEG_STOP_SILENT :
				 LEG_STOP_CANCEL, stop, NULL, NULL, env);
		leg_ended(to, env);
	} else if (to->state != LEG_IDLE) {
		if (by == (int)side)
			leg_ended(to, env);
		else
			leg_end(to, reason, text, env);
	}
	call_join(r);
}

static void end_caller(struct call_run *r, const char *reason,
		       const char *text, int by)
{
	struct call *c = r->c;
	struct leg *from = call_caller(c);
	struct leg_env *env = call_leg(r, c->caller);

	if (by == (int)c->caller)
		leg_ended(from, env);
	else
		leg_end(from, reason, text, env);
	call_join(r);
}

/* --- log and notices -------------------------------------------------- */

/* Who is lost is not there while he is waited for. */
static int64_t away_for(const struct call_run *r, unsigned side)
{
	const struct call *c = r->c;
	int64_t since = c->left_at[side];

	if (!since)
		since = c->away_since[side];
	if (!since)
		since = c->alone_since[side != c->caller];
	return since ? r->ev->now - since : 0;
}

void call_log_visit(struct call_run *r, unsigned side, const char *reason)
{
	struct call_action *a = call_do(r, CALL_DO_VISIT);
	struct arena *arena = r->ev->arena;

	a->user = arena_strdup(arena, r->c->leg[side].user);
	a->device = arena_strdup(arena, r->c->leg[side].device);
	a->started = r->c->leg[side].returned ? r->c->leg[side].returned :
						 r->c->answered_wall;
	a->ended = r->ev->wall - away_for(r, side);
	a->reason = reason;
}

static void log_attempt(struct call_run *r, enum cause cause,
			const char *reason, const char *step)
{
	struct call *c = r->c;
	struct call_action *a;
	unsigned i;

	if (cause == CAUSE_STALE)
		return;                /* it never was an attempt */
	a = call_do(r, CALL_DO_LOG);
	a->from = call_caller(c)->user;
	a->to = call_callee(c)->user;
	a->media = c->media;
	a->round = c->round;
	a->started = c->rung_wall ? c->rung_wall : r->ev->wall;
	a->answered = c->answered_wall;
	a->ended = r->ev->wall;
	a->cause = cause;
	a->reason = reason;
	a->step = step ? step : r->step;
	if (!c->answered_wall)
		return;
	for (i = 0; i < 2; i++)
		if (!c->leg[i].absent)
			call_log_visit(r, i, reason);
}

static struct notice *notify(struct call_run *r, unsigned side,
			     enum notice_kind kind, enum cause cause,
			     const char *step)
{
	struct call *c = r->c;
	struct notice *n = &call_do(r, CALL_DO_NOTICE)->notice;
	bool outgoing = side == c->caller;
	bool answered = c->answered_wall != 0;

	n->kind = kind;
	n->to = c->leg[side].user;
	n->peer = c->leg[!side].user;
	/* A copy: the same step may begin a call with other addresses. */
	n->peer_call = arena_strdup(r->ev->arena, c->leg[side].own);
	n->cause = cause;
	n->step = step;
	n->media = c->media;
	n->outgoing = outgoing;
	n->encrypted = leg_has_fingerprints(&c->leg[0]) &&
		       leg_has_fingerprints(&c->leg[1]);
	n->ends_here = c->mode == MODE_ROOM;
	n->offer = c->offer && kind != NOTICE_DETAILS &&
		   cause_row(cause)->offer;
	if (kind == NOTICE_MISSED || kind == NOTICE_WRITE_BACK)
		n->offer = c->offer;
	n->again = cause == CAUSE_UNANSWERED || kind == NOTICE_MISSED;
	n->started = answered ? c->answered_wall :
		     c->rung_wall ? c->rung_wall : r->ev->wall;
	n->ended = r->ev->wall;
	n->until = answered ? c->first_answer_wall +
			      r->ev->site->room_lifetime : 0;
	n->count = 1;
	return n;
}

void call_notify_return(struct call_run *r, unsigned side)
{
	struct notice *n = notify(r, !side, NOTICE_RETURNED, CAUSE_NONE, NULL);

	/* Who has left is told how to come, too. */
	n->until = call_waits(r->c) ? r->c->first_answer_wall +
				      r->ev->site->room_lifetime : 0;
}

static bool ends_ringing(enum cause cause)
{
	return cause == CAUSE_SWITCH_OFF || cause == CAUSE_DRAINING ||
	       cause == CAUSE_RESTART || cause == CAUSE_CALLER_GONE ||
	       cause == CAUSE_ADMIN || cause == CAUSE_NO_CAPACITY;
}

static void notify_callee(struct call_run *r, enum cause cause,
			  const char *step)
{
	struct call *c = r->c;
	enum callee_notice what = cause_row(cause)->callee;
	unsigned side = !c->caller;

	if (r->waited)
		return;                /* nobody was rung */
	if (c->glare && !c->answered_wall)
		return;                /* X9: nobody missed anything */
	if (!c->answered_wall && c->rung && ends_ringing(cause))
		what = CALLEE_MISSED;
	else if (cause == CAUSE_CANCELLED && !c->rung)
		what = CALLEE_NONE;
	else if (!c->answered_wall && what == CALLEE_DETAILS)
		what = CALLEE_NONE;
	switch (what) {
	case CALLEE_NONE:
		break;
	case CALLEE_MISSED:
		notify(r, side, NOTICE_MISSED, cause, NULL);
		break;
	case CALLEE_WRITE_BACK:
		if (c->offer)
			notify(r, side, NOTICE_WRITE_BACK, cause, NULL);
		break;
	case CALLEE_SAME:
		notify(r, side, NOTICE_FAILED, cause, step);
		break;
	default:               /* CALLEE_DETAILS */
		notify(r, side, NOTICE_DETAILS, cause, NULL);
		break;
	}
}

static void notify_both(struct call_run *r, enum cause cause,
			const char *step)
{
	struct call *c = r->c;

	if (cause_row(cause)->caller_notice)
		notify(r, c->caller, c->answered_wall &&
		       cause_row(cause)->callee == CALLEE_DETAILS ?
		       NOTICE_DETAILS : NOTICE_REFUSED, cause, step);
	notify_callee(r, cause, step);
}

/* --- the end itself --------------------------------------------------- */

static bool finish_awaited(const struct call *c)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (c->leg[i].finish_due && !c->leg[i].finished)
			return true;
	return false;
}

/* Nobody is in it any more: open for re-entry, or done. */
static void settle(struct call_run *r)
{
	struct call *c = r->c;

	if (c->state != CALL_ENDING)
		return;
	if (c->first_answer_wall && c->window_end > r->ev->now) {
		call_set_state(c, CALL_OPEN);
		call_do(r, CALL_DO_SAVE);
		return;
	}
	call_close(r);
}

/* The row outlives the end by the linger: were we to die between the commit
 * and the stops, nobody would take the ringing back (F02). */
void call_close(struct call_run *r)
{
	struct call *c = r->c;

	call_set_state(c, CALL_DONE);
	c->ended_at = r->ev->now;
	call_do(r, call_has_row(c) ? CALL_DO_SAVE : CALL_DO_FORGET);
}

bool call_has_row(const struct call *c)
{
	return c->cause != CAUSE_LIMIT && c->cause != CAUSE_STALE;
}

void call_flush_finishes(struct call_run *r)
{
	struct call *c = r->c;
	unsigned i;

	for (i = 0; i < 2; i++) {
		leg_finish(&c->leg[i], c->reason, NULL, call_leg(r, i));
		call_join(r);
	}
	settle(r);
}

void call_on_finish(struct call_run *r, unsigned side, const char *reason,
		    const char *text)
{
	struct call *c = r->c;

	leg_finish(&c->leg[!side], reason ? reason : c->reason, text,
		   call_leg(r, !side));
	call_join(r);
	if (!finish_awaited(c))
		settle(r);
}

static bool lost(const struct call_run *r, unsigned side)
{
	int64_t since = r->c->away_since[side];

	return since && r->ev->now >= since + call_patience(r->c,
							 r->ev->site);
}

static const char *failed_step(const struct call_run *r)
{
	const struct call *c = r->c;

	if (r->step)
		return r->step;
	if (lost(r, 0) || lost(r, 1))
		return "lost device";
	if (c->state == CALL_UP && call_has_media(c))
		return call_missing_step(c, r->ev->arena);
	switch (c->leg[c->caller].state) {
	case LEG_PROCEEDED:
		return "no offer from the caller's device";
	case LEG_OFFERED:
		return "no answer from the called device";
	default:
		return "lost device";
	}
}

/* The end of a wait for the other in words of one that was not answered. */
static enum cause of_wait(const char *reason, int by)
{
	if (by >= 0)
		return CAUSE_CANCELLED;
	return strcmp(reason, "connectivity-error") == 0 ? CAUSE_CALLER_GONE :
							   CAUSE_UNANSWERED;
}

void call_end(struct call_run *r, enum cause cause, const char *reason,
	      const char *text, int by)
{
	struct call *c = r->c;
	const char *step = NULL, *caller_reason;

	assert(call_is_live(c));
	r->waited = call_waits(c);
	if (r->waited && cause == CAUSE_ENDED)
		cause = of_wait(reason, by);
	if (cause == CAUSE_FAILED) {
		step = by < 0 ? failed_step(r) : reason;
		text = arena_printf(r->ev->arena, "The call could not be "
				    "connected (%s).", step);
	} else if (cause != CAUSE_ENDED) {
		text = NULL;           /* ours, not a peer's */
	}
	text = end_text(r, cause, text);
	caller_reason = reason ? reason : cause_row(cause)->reason;
	if (!caller_reason)
		caller_reason = "success";
	c->cause = cause;
	c->ended_at = r->ev->now;
	call_assign(r, &c->reason, caller_reason);
	call_set_state(c, CALL_ENDING);
	log_attempt(r, cause, arena_strdup(r->ev->arena, caller_reason),
		    by < 0 ? step : NULL);
	notify_both(r, cause, step);
	call_media_close(r);
	call_do(r, CALL_DO_SAVE);
	end_caller(r, caller_reason, text, by);
	end_callee(r, cause, caller_reason, text, by);
	/* He hung up by a JMI finish: that is the other side's too. */
	if (by >= 0 && r->ev->kind == CALL_EV_MESSAGE &&
	    r->ev->jmi->action == JMI_FINISH)
		call_on_finish(r, (unsigned)by, reason, NULL);
	else if (!finish_awaited(c))
		settle(r);
}

/* --- time and restart ------------------------------------------------- */

static void time_ringing(struct call_run *r)
{
	struct call *c = r->c;
	const struct settings_site *s = r->ev->site;
	int64_t now = r->ev->now;

	if (lost(r, c->caller))
		call_end(r, CAUSE_CALLER_GONE, NULL, NULL, -1);
	else if (now >= c->rung_at + s->ring_timeout ||
		 (c->deaf_since && now >= c->deaf_since + s->lost_timeout))
		call_end(r, CAUSE_UNANSWERED, NULL, NULL, -1);
	else
		call_rings(r);         /* it is time to say so */
}

/* Somebody may have hung up while we could not be told. */
static void ask_both(struct call_run *r)
{
	unsigned i;

	r->c->kept_at = r->ev->now;
	for (i = 0; i < 2; i++) {
		leg_ping(&r->c->leg[i], call_leg(r, i));
		call_join(r);
	}
}

static void time_answered(struct call_run *r)
{
	struct call *c = r->c;

	/* A lost device or a deadline: nothing else is due here. */
	if (c->state == CALL_SETUP)
		call_end(r, CAUSE_FAILED, "connectivity-error", NULL, -1);
	else if (lost(r, 0) || lost(r, 1))
		call_end(r, CAUSE_ENDED, "connectivity-error", NULL, -1);
	else if (r->ev->site->hard_limit && r->ev->now >= c->window_end)
		call_end(r, CAUSE_ENDED, "expired", NULL, -1);
	else
		ask_both(r);           /* keep-alive, transparent */
}

void call_on_time(struct call_run *r)
{
	struct call *c = r->c;

	if (r->ev->now < call_deadline(c, r->ev->site) || call_media_time(r))
		return;
	switch (c->state) {
	case CALL_ASKING:      /* no facts: row 1 of Refusals */
		c->cause = CAUSE_NOT_ACTIVE;
		call_set_state(c, CALL_REFUSING);
		break;
	case CALL_REFUSING:
		call_refuse(r, c->cause);
		break;
	case CALL_RINGING:
		time_ringing(r);
		break;
	case CALL_SETUP:
	case CALL_UP:
		time_answered(r);
		break;
	case CALL_ENDING:
		call_flush_finishes(r);
		break;
	case CALL_OPEN:
		call_close(r);
		break;
	default:
		c->over = true;
		if (call_has_row(c))
			call_do(r, CALL_DO_FORGET);
		break;
	}
}

/* Both legs are as an answered call needs them; a row may be unreadable. */
static bool fits(const struct call *c)
{
	enum leg_state from = c->leg[c->caller].state;
	enum leg_state to = c->leg[!c->caller].state;

	if (c->state == CALL_UP)
		return call_can_be_up(c);
	return (from == LEG_PROCEEDED || from == LEG_OFFERED) &&
	       (to == LEG_ANSWERED || to == LEG_INITIATED);
}

/* An answered round that ended while the link was down: its ends may not have
 * left either. A client that knows answers unknown-session. */
static void repeat_end(struct call_run *r)
{
	unsigned i;

	for (i = 0; i < 2 && r->c->answered_wall; i++) {
		leg_repeat_end(&r->c->leg[i], call_leg(r, i));
		call_join(r);
	}
}

/* What refused a call, took a ringing back, or stopped the devices that
 * another one was faster than, may not have left before we died. */
static void repeat_stops(struct call_run *r)
{
	struct call *c = r->c;
	const char *reason = c->answered_wall ? "success" : "cancel";
	unsigned i;

	if (call_waits(c))
		return;                /* none were rung */
	/* The devices of a running call have stopped long ago, unless it is
	 * young. What is over is said again whatever the wall clock says, which
	 * may have jumped. */
	if (call_is_live(c) && r->ev->wall - c->rung_wall > RECENT_MS)
		return;
	for (i = 0; i < 2; i++) {
		if (c->leg[i].role == LEG_CALLER && c->answered_wall)
			continue;
		leg_repeat_stop(&c->leg[i], i == c->caller ? "gone" : reason,
				call_leg(r, i));
		call_join(r);
	}
}

/* A server that stops says "unavailable" of everybody, and nobody can be told
 * of an end, nor come back: absence counts anew when they have had the time to
 * after the link's return, and are asked. */
static void forget_absence(struct call *c)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		if (c->away_since[i] && !c->left_at[i])
			c->left_at[i] = c->away_since[i];
		c->away_since[i] = 0;
	}
	c->deaf_since = 0;
	c->unlinked = true;
}

/* Who is not heard of by now is away; an answer of his ends that. */
static void count_absence(struct call_run *r)
{
	struct call *c = r->c;
	unsigned i;

	c->unlinked = false;
	for (i = 0; i < 2; i++)
		if (c->leg[i].away && !c->away_since[i])
			c->away_since[i] = r->ev->now;
	call_note_deaf(r);
}

/* The server may be gone for UNHEARD_MS without our noticing. */
void call_on_cut(struct call_run *r)
{
	struct call *c = r->c;

	forget_absence(c);
	if (!call_is_live(c) && c->cause != CAUSE_NONE && call_has_row(c) &&
	    r->ev->now - c->ended_at <= UNHEARD_MS)
		c->unheard = true;
}

/* What was said meanwhile was given back to who said it: a hang-up, too. An
 * end that the server may have taken to its own is said again. All else ends
 * by its timers. */
void call_on_linked(struct call_run *r)
{
	struct call *c = r->c;

	count_absence(r);
	if (c->state == CALL_UP) {
		ask_both(r);
	} else if (c->unheard) {
		c->unheard = false;
		repeat_stops(r);
		repeat_end(r);
	}
}

void call_on_restored(struct call_run *r)
{
	struct call *c = r->c;

	if ((c->state == CALL_SETUP || c->state == CALL_UP) && !fits(c)) {
		call_end(r, CAUSE_FAILED, "connectivity-error", NULL, -1);
		return;
	}
	switch (c->state) {
	case CALL_ASKING:
	case CALL_REFUSING:
	case CALL_RINGING:
		call_end(r, CAUSE_RESTART, NULL, NULL, -1);
		break;
	case CALL_SETUP:
		c->answered_at = r->ev->now;
		repeat_stops(r);
		break;
	case CALL_UP:
		call_return_restored(r);
		if (c->state != CALL_UP)
			break;
		ask_both(r);
		repeat_stops(r);
		break;
	default:
		/* What was withdrawn before the link was up has been said. */
		if (c->found_over) {
			repeat_stops(r);
			repeat_end(r);
		}
		call_flush_finishes(r);
		break;
	}
}
