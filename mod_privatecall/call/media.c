/* media.c: what the media process tells of a call in its care, and what is
 * due when it does not: it is connected when a packet came from both users,
 * and alone who has been lost (product.md, "The one table of timers").
 */
#include "mod_privatecall/call/call_private.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* He has a connection of which nothing is known to be broken. */
static bool is_there(const struct call *c, unsigned role)
{
	const struct call_transport *t;
	unsigned n;

	for (n = 0; n < LEG_TRANSPORTS_MAX; n++) {
		t = call_transport(c, n);
		if (t->reached[role] >= STEP_CONNECTED && !t->lost[role])
			return true;
	}
	return false;
}

static void on_credentials(struct call_run *r)
{
	const struct call_event *ev = r->ev;
	unsigned side = ev->role ^ r->c->caller;
	struct leg *l = &r->c->leg[side];

	if (call_return_credentials(r, side))
		return;
	leg_set_ours(l, ev->transport, ev->ufrag[0], ev->pwd[0]);
	if (r->c->state != CALL_UP)
		return;
	leg_say_ours(l, ev->transport, call_leg(r, side));
	call_join(r);
	call_do(r, CALL_DO_SAVE);
}

static void on_insecure(struct call_run *r)
{
	unsigned side = r->ev->role ^ r->c->caller;

	if (!r->c->leg[side].returned ||
	    !call_leave(r, side, "security-error", false))
		call_insecure(r, r->ev->role ?
			      "wrong fingerprint of the called device" :
			      "wrong fingerprint of the caller's device");
}

static void on_step(struct call_run *r)
{
	const struct call_event *ev = r->ev;
	struct call *c = r->c;
	struct call_transport *t = &c->transport[ev->transport];
	bool lost = ev->step == STEP_LOST || ev->step == STEP_FAILED;
	unsigned role = ev->role;

	if (ev->step == STEP_SECURE)
		call_assign(r, &c->trouble[role], NULL);
	t->lost[role] = lost;
	if (!lost && ev->step > t->reached[role])
		t->reached[role] = (uint8_t)ev->step;
	if (t->reached[0] == STEP_MEDIA && t->reached[1] == STEP_MEDIA)
		c->connected = true;
	if (is_there(c, role))
		c->alone_since[role] = 0;
	else if ((c->connected || call_waits(c)) && !c->alone_since[role])
		c->alone_since[role] = ev->now;
}

static void on_any_step(struct call_run *r)
{
	/* Of the device that he has left. */
	if (r->c->leg[r->ev->role ^ r->c->caller].absent)
		return;
	if (r->ev->step == STEP_INSECURE)
		on_insecure(r);
	else
		on_step(r);
}

static void on_lost(struct call_run *r)
{
	if (r->c->state == CALL_UP)
		call_end(r, CAUSE_INTERRUPTED, NULL, NULL, -1);
	else
		call_end(r, CAUSE_NO_CAPACITY, NULL, NULL, -1);
}

void call_on_media(struct call_run *r)
{
	struct call *c = r->c;

	if (!call_has_media(c) || !call_is_live(c))
		return;
	if (r->ev->kind == CALL_EV_MEDIA_LOST) {
		on_lost(r);
		return;
	}
	if (r->ev->kind == CALL_EV_READY) {
		call_on_ready(r);
		return;
	}
	if (r->ev->kind == CALL_EV_REFUSED) {
		if (call_transport_state(c, r->ev->transport) ==
		    TRANSPORT_ASKED)
			call_no_media(r);
		return;
	}
	if (call_transport_state(c, r->ev->transport) != TRANSPORT_READY)
		return;
	if (r->ev->kind == CALL_EV_CREDENTIALS)
		on_credentials(r);
	else if (r->ev->kind == CALL_EV_STEP)
		on_any_step(r);
	else if (r->ev->kind == CALL_EV_TROUBLE)
		call_assign(r, &c->trouble[r->ev->role], r->ev->why);
	else if (c->state == CALL_UP)
		call_say_again(r);
}

/* --- time ------------------------------------------------------------- */

int64_t call_media_deadline(const struct call *c,
			    const struct settings_site *s)
{
	int64_t t = INT64_MAX;
	unsigned i;

	if (!call_has_media(c))
		return t;
	if (c->media_asked)
		t = c->media_asked + s->media_timeout;
	if (c->state != CALL_UP)
		return t;
	if (!c->connected && !call_waits(c))
		return earlier(t, c->up_at + s->connect_timeout);
	for (i = 0; i < 2; i++)
		if (c->alone_since[i])
			t = earlier(t, c->alone_since[i] + s->alone_timeout);
	return t;
}

/* The other has not come, or who waits for him was not even connected. */
static void wait_over(struct call_run *r)
{
	if (r->c->alone_since[0] ||
	    call_reached(r->c, 0) < STEP_CONNECTED) {
		r->step = "no connection to the caller's device";
		call_end(r, CAUSE_FAILED, NULL, NULL, -1);
	} else {
		call_end(r, CAUSE_UNANSWERED, NULL, NULL, -1);
	}
}

bool call_media_time(struct call_run *r)
{
	const struct settings_site *s = r->ev->site;
	struct call *c = r->c;

	if (r->ev->now < call_media_deadline(c, s))
		return false;
	if (c->media_asked && r->ev->now >= c->media_asked + s->media_timeout)
		call_no_media(r);
	else if (call_waits(c))
		wait_over(r);
	else
		call_end(r, c->connected ? CAUSE_ENDED : CAUSE_FAILED,
			 c->leg[0].absent || c->leg[1].absent ? "success" :
			 "connectivity-error", NULL, -1);
	return true;
}

/* Where no UDP comes through, what helps. */
#define HIS_UDP ": if its network blocks UDP, it needs TURN"
#define ALL_UDP ": does UDP reach the server?"

enum call_step call_reached(const struct call *c, unsigned role)
{
	enum call_step best = STEP_NONE;
	unsigned n;

	for (n = 0; n < LEG_TRANSPORTS_MAX; n++)
		if (call_transport(c, n)->reached[role] > best)
			best = call_transport(c, n)->reached[role];
	return best;
}

/* Of whom we wait for DTLS: what is wrong with it, if that is known. */
static const char *with_trouble(const struct call *c, const char *step,
				unsigned who, struct arena *a)
{
	const char *why = c->trouble[who & 1];

	if (!why && who == 2)
		why = c->trouble[1];
	return why ? arena_printf(a, "%s: %s", step, why) : step;
}

const char *call_missing_step(const struct call *c, struct arena *a)
{
	static const char *const words[3][STEP_MEDIA] = {
		{ "no ICE checks from the caller's device" HIS_UDP,
		  "no ICE connection to the caller's device" HIS_UDP,
		  "no DTLS from the caller's device",
		  "DTLS of the caller's device did not finish",
		  "no media from the caller's device" },
		{ "no ICE checks from the called device" HIS_UDP,
		  "no ICE connection to the called device" HIS_UDP,
		  "no DTLS from the called device",
		  "DTLS of the called device did not finish",
		  "no media from the called device" },
		{ "no ICE checks from either device" ALL_UDP,
		  "no ICE connection to either device" ALL_UDP,
		  "no DTLS from either device",
		  "DTLS of neither device finished",
		  "no media from either device" },
	};
	enum call_step best[2] = { call_reached(c, 0), call_reached(c, 1) };
	enum call_step least;
	unsigned who, i;

	/* In `blind` we do not see more of it. */
	for (i = 0; i < 2; i++)
		if (best[i] == STEP_DTLS && c->mode == MODE_BLIND)
			best[i] = STEP_SECURE;
	who = best[0] == best[1] ? 2 : best[1] < best[0];
	/* Both sent media, but never over the same transport. */
	if (best[0] == STEP_MEDIA && best[1] == STEP_MEDIA)
		return words[2][STEP_SECURE];
	least = best[who & 1];
	return least == STEP_CONNECTED || least == STEP_DTLS ?
	       with_trouble(c, words[who][least], who, a) : words[who][least];
}
