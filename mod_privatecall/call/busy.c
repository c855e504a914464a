/* busy.c: a propose that meets a call of the same two users: duplicate,
 * glare (X9), a second attempt, re-entry (F23).
 */
#include "mod_privatecall/call/call_private.h"

static const char *event_sid(const struct leg_event *ev)
{
	return ev->kind == LEG_EV_JMI ? ev->jmi->id : ev->jingle->sid;
}

static bool is(const char *a, const char *b)
{
	return b && strcmp(a, b) == 0;
}

/* It asks for a call: a file or a game leaves one that runs alone. */
static bool asks_for_call(const struct leg_event *ev)
{
	return ev->jmi ? ev->jmi->media : ev->jingle->rtp;
}

/* XEP-0353, tie-breaking: the lower of the callers' own sids wins by octets;
 * equal ones: the lower JID. True: the new one, of `side`, wins. */
static bool new_one_wins(const struct call *c, unsigned side,
			 const struct leg_event *ev)
{
	int d = strcmp(event_sid(ev), c->leg[c->caller].sid);

	if (!d)
		d = strcmp(c->leg[side].user, c->leg[c->caller].user);
	return d < 0;
}

/* Takes back an attempt that gives way, without a trace at the callee. */
static void give_way(struct call_run *r, enum cause cause)
{
	bool tie_break = cause == CAUSE_GLARE;
	struct call *c = r->c;
	struct leg *from = call_caller(c), *to = call_callee(c);

	if (from->state == LEG_PROPOSED || from->state == LEG_OFFERED)
		leg_refuse(from, "expired", NULL, tie_break,
			   call_leg(r, c->caller));
	else
		leg_end(from, "expired", NULL, call_leg(r, c->caller));
	call_join(r);
	leg_stop(to, LEG_STOP_SILENT, "expired", NULL, NULL,
		 call_leg(r, !c->caller));
	leg_ended(to, &r->env);
	call_join(r);
	call_end(r, cause, "expired", NULL, -1);
	call_flush_finishes(r);
}

static void glare(struct call_run *r, unsigned side,
		  const struct leg_event *ev)
{
	struct call *c = r->c;

	if (!new_one_wins(c, side, ev)) {
		c->glare = true;
		leg_turn_away(&c->leg[side], ev, "expired", true,
			      call_leg(r, side));
		call_join(r);
		return;
	}
	give_way(r, CAUSE_GLARE);
	call_begin(r, side, ev);
	c->glare = true;
}

static void turn_away(struct call_run *r, unsigned side,
		      const struct leg_event *ev, const char *reason)
{
	leg_turn_away(&r->c->leg[side], ev, reason, false, call_leg(r, side));
	call_join(r);
}

/* A leg still up is ended first, then both ring anew. */
static void reenter(struct call_run *r, unsigned side,
		    const struct leg_event *ev)
{
	call_end(r, CAUSE_REENTERED, "expired", NULL, -1);
	call_flush_finishes(r);
	call_begin(r, side, ev);
}

bool call_on_second(struct call_run *r, unsigned side,
		    const struct leg_event *ev)
{
	struct call *c = r->c;
	const struct leg *l = &c->leg[side];
	const char *sid = event_sid(ev);
	bool same_device = is(ev->stanza->from.full, l->device), crossed;

	if (is(sid, l->old_sid) || is(sid, l->sid)) {
		bool live = call_is_live(c);

		/* The leg answers what it has asked for, or what came twice. */
		if (ev->kind == LEG_EV_JINGLE &&
		    (live || l->state == LEG_ENDED))
			return false;
		/* An id is good for one call of one device: a clear answer,
		 * and nothing rings by a stanza that came twice. */
		if (live && same_device && is(sid, l->sid))
			call_do(r, CALL_DO_IGNORED);
		else
			turn_away(r, side, ev, "expired");
		return true;
	}
	/* A propose from the past does nothing to a call of today (A08);
	 * a late copy of that call's own has been ignored above. */
	if (c->state != CALL_IDLE && ev->jmi && ev->jmi->delayed) {
		turn_away(r, side, ev, "expired");
		return true;
	}
	if (call_is_live(c) && !asks_for_call(ev)) {
		turn_away(r, side, ev, "unsupported-applications");
		return true;
	}
	switch (c->state) {
	case CALL_REFUSING:    /* decided already: said now */
		call_refuse(r, c->cause);
		call_flush_finishes(r);
		break;
	case CALL_ASKING:
	case CALL_RINGING:
		if (side != c->caller) {
			glare(r, side, ev);
			return true;
		}
		give_way(r, CAUSE_REENTERED);
		break;
	case CALL_UP:
		if (call_may_return(c, side, r->ev->now)) {
			if (call_over_returns(r))
				turn_away(r, side, ev, "decline");
			else
				call_return(r, side, ev);
			return true;
		}
		crossed = call_waits(c) && side != c->caller;
		reenter(r, side, ev);
		/* Who came first, and is not in yet, is rung. */
		c->glare = crossed;
		return true;
	case CALL_SETUP:
		reenter(r, side, ev);
		return true;
	case CALL_ENDING:
		call_flush_finishes(r);
		break;
	default:
		break;
	}
	call_begin(r, side, ev);
	return true;
}
