/* call.c: a call's life: events in, legs joined, deadlines (see call.h). */
#include "mod_privatecall/call/call.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "mod_privatecall/call/call_private.h"

#define BIT(s) (1u << (s))

const unsigned call_may[CALL_STATES] = {
	[CALL_IDLE] = BIT(CALL_ASKING),
	[CALL_ASKING] = BIT(CALL_REFUSING) | BIT(CALL_RINGING) |
			BIT(CALL_UP) | BIT(CALL_ENDING),
	[CALL_REFUSING] = BIT(CALL_ENDING),
	[CALL_RINGING] = BIT(CALL_REFUSING) | BIT(CALL_SETUP) |
			 BIT(CALL_ENDING),
	[CALL_SETUP] = BIT(CALL_UP) | BIT(CALL_ENDING),
	[CALL_UP] = BIT(CALL_ENDING),
	[CALL_ENDING] = BIT(CALL_OPEN) | BIT(CALL_DONE),
	[CALL_OPEN] = BIT(CALL_ASKING) | BIT(CALL_DONE),
	[CALL_DONE] = BIT(CALL_ASKING),
};

const char *call_state_name(enum call_state s)
{
	static const char *const names[CALL_STATES] = {
		"idle", "asking", "refusing", "ringing", "setup", "up",
		"ending", "open", "done",
	};

	return s < CALL_STATES ? names[s] : "?";
}

const char *call_event_name(enum call_event_kind k)
{
	static const char *const names[CALL_EVENTS] = {
		"message", "jingle", "receipt", "bounce", "result", "error",
		"timeout", "facts", "gone", "back", "device", "time",
		"switch-off", "drain", "restored", "cut", "linked", "hangup",
		"switched", "ready", "refused", "credentials", "step",
		"trouble", "listed", "media-lost",
	};

	return k < CALL_EVENTS ? names[k] : "?";
}

const char *call_step_name(enum call_step s)
{
	static const char *const names[STEPS] = {
		"none", "checked", "connected", "dtls", "secure", "media",
		"lost", "failed", "insecure",
	};

	return s < STEPS ? names[s] : "?";
}

const char *call_order_name(enum call_order_kind k)
{
	static const char *const names[ORDERS] = {
		"open", "remote", "security", "renew", "map", "join",
		"candidate", "end", "drop", "close",
	};

	return k < ORDERS ? names[k] : "?";
}

void call_set_state(struct call *c, enum call_state to)
{
	assert(call_may[c->state] & BIT(to));
	c->state = to;
}

int call_init(struct call *c, const char *const user[2],
	      const char *const own[2], bool gateway)
{
	int rc;

	memset(c, 0, sizeof(*c));
	rc = leg_init(&c->leg[0], user[0], own[0], "call", gateway);
	if (!rc)
		rc = leg_init(&c->leg[1], user[1], own[1], "call", gateway);
	c->contact[0] = strdup(own[0]);
	c->contact[1] = strdup(own[1]);
	c->self = strcmp(user[0], user[1]) == 0;
	return rc || !c->contact[0] || !c->contact[1] ? ENOMEM : 0;
}

void call_clear(struct call *c)
{
	leg_clear(&c->leg[0]);
	leg_clear(&c->leg[1]);
	free(c->contact[0]);
	free(c->contact[1]);
	free(c->reason);
	free(c->met);
	free(c->trouble[0]);
	free(c->trouble[1]);
	free(c->transport);
	memset(c, 0, sizeof(*c));
}

bool call_is_over(const struct call *c)
{
	return c->over;
}

bool call_is_live(const struct call *c)
{
	return c->state >= CALL_ASKING && c->state <= CALL_UP;
}

int call_side(const struct call *c, const char *bare)
{
	if (bare && strcmp(c->leg[0].user, bare) == 0)
		return 0;
	return bare && strcmp(c->leg[1].user, bare) == 0 ? 1 : -1;
}

bool call_has_user(const struct call *c, unsigned side)
{
	switch (c->leg[side].state) {
	case LEG_ANSWERED:
	case LEG_INITIATED:
	case LEG_ACTIVE:
		return true;
	case LEG_PROCEEDED:
	case LEG_OFFERED:
		return c->state == CALL_SETUP || c->state == CALL_UP;
	default:
		return false;
	}
}

/* --- actions ---------------------------------------------------------- */

struct call_action *call_do(struct call_run *r, enum call_action_kind kind)
{
	struct call_action *a = arena_alloc(r->ev->arena, sizeof(*a));

	if (!a)
		return &r->lost;       /* the arena says so at the end */
	a->kind = kind;
	a->id = arena_strdup(r->ev->arena, r->c->id);
	if (r->out->last)
		r->out->last->next = a;
	else
		r->out->first = a;
	r->out->last = a;
	return a;
}

void call_assign(struct call_run *r, char **slot, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		r->failed = true;
	free(*slot);
	*slot = copy;
}

const char *call_name(const struct call *c, unsigned side, struct arena *a)
{
	const char *bare = c->leg[side].user;
	char *node = arena_strndup(a, bare, strcspn(bare, "@"));

	return node ? jid_unescape(a, node) : NULL;
}

/* --- legs ------------------------------------------------------------- */

struct leg_env *call_leg(struct call_run *r, unsigned side)
{
	r->side = side;
	r->env.arena = r->ev->arena;
	r->env.now = r->ev->now;
	r->env.candidates = r->ev->candidates;
	r->env.candidates_n = r->ev->candidates_n;
	return &r->env;
}

/* True for the reasons that say that a call could not be connected. */
static bool is_failure(const char *reason)
{
	static const char *const failures[] = {
		"connectivity-error", "failed-application",
		"failed-transport", "general-error", "incompatible-parameters",
		"media-error", "security-error", "unsupported-applications",
		"unsupported-transports", NULL,
	};
	int i;

	for (i = 0; reason && failures[i]; i++)
		if (strcmp(reason, failures[i]) == 0)
			return true;
	return false;
}

/* His client gave way to its own propose, which we have turned away: it is
 * rung again by a new id. */
static void on_tie_break(struct call_run *r, const struct leg_action *a,
			 unsigned side)
{
	struct leg_target t = { .jid = a->text };
	struct leg *l = &r->c->leg[side];
	char sid[CALL_ID_SIZE];

	if (r->c->glare) {
		call_uuid(sid, call_entropy(r));
		leg_ring_more(l, &t, sid, call_leg(r, side));
		call_join(r);
		call_do(r, CALL_DO_SAVE);
	} else if (!leg_ringable(l)) {
		call_end(r, CAUSE_UNANSWERED, NULL, NULL, -1);
	}
}

static void on_no_device(struct call_run *r, const struct leg_action *a,
			 unsigned side)
{
	if (!is_failure(a->reason))
		call_end(r, CAUSE_UNANSWERED, NULL, NULL, -1);
	else if (strcmp(a->reason, "incompatible-parameters") == 0)
		call_end(r, CAUSE_NO_CODEC, NULL, NULL, -1);
	else
		call_end(r, CAUSE_FAILED, a->reason, NULL, (int)side);
}

/* The server gave our propose back: he is blocked. The caller learns what he
 * would have learned without a propose. */
static void on_blocked(struct call_run *r, unsigned side)
{
	struct leg *l = &r->c->leg[side];

	r->c->cause = CAUSE_BLOCKED;
	leg_stop(l, LEG_STOP_SILENT, "gone", NULL, NULL, call_leg(r, side));
	leg_ended(l, &r->env);
	call_join(r);
	call_set_state(r->c, CALL_REFUSING);
}

static void on_ringing_end(struct call_run *r, const struct leg_action *a,
			   unsigned side)
{
	switch (a->report) {
	case LEG_R_DECLINED:
		call_end(r, CAUSE_DECLINED, NULL, NULL, (int)side);
		break;
	case LEG_R_UNANSWERED:
		call_end(r, CAUSE_UNANSWERED, NULL, NULL, -1);
		break;
	case LEG_R_BUSY:
		call_end(r, CAUSE_BUSY, NULL, NULL, (int)side);
		break;
	case LEG_R_BLOCKED:
		on_blocked(r, side);
		break;
	case LEG_R_TIE_BREAK:
		on_tie_break(r, a, side);
		break;
	default:
		on_no_device(r, a, side);
		break;
	}
}

static void on_hangup(struct call_run *r, const struct leg_action *a,
		      unsigned side)
{
	enum cause cause = CAUSE_ENDED;

	if (r->ev->site->on_leave == LEAVE_HOLD && !is_failure(a->reason) &&
	    call_leave(r, side, a->reason ? a->reason : "success", true))
		return;
	/* Media come after the accept: a failure that soon is still one of
	 * connecting. */
	if (is_failure(a->reason) && r->ev->now < r->c->answered_at +
					  r->ev->site->setup_timeout)
		cause = strcmp(a->reason, "incompatible-parameters") == 0 ?
			CAUSE_NO_CODEC : CAUSE_FAILED;
	call_end(r, cause, a->reason, a->text, (int)side);
}

static void on_cancelled(struct call_run *r, const struct leg_action *a,
			 unsigned side)
{
	struct leg_action late = *a;

	if (!late.reason)
		late.reason = "cancel";
	if (call_returns(r->c, side))
		call_return_over(r, side, NULL, NULL);
	else if (r->c->state == CALL_SETUP)
		on_hangup(r, &late, side);
	else
		call_end(r, CAUSE_CANCELLED, "cancel", a->text, (int)side);
}

static void on_lost(struct call_run *r, unsigned side)
{
	if (call_leave(r, side, "connectivity-error", false))
		return;
	if (r->c->state == CALL_RINGING)
		call_end(r, CAUSE_CALLER_GONE, NULL, NULL, -1);
	else
		call_end(r, r->c->state == CALL_SETUP ? CAUSE_FAILED :
			 CAUSE_ENDED, "connectivity-error", NULL, -1);
}

static void on_report(struct call_run *r, const struct leg_action *a,
		      unsigned side)
{
	switch (a->report) {
	case LEG_R_RINGING:
		call_rings(r);
		break;
	case LEG_R_ANSWERED:
		call_on_answered(r, a);
		break;
	case LEG_R_DECLINED:
	case LEG_R_UNANSWERED:
	case LEG_R_BUSY:
	case LEG_R_BLOCKED:
	case LEG_R_NO_DEVICE:
	case LEG_R_TIE_BREAK:
		on_ringing_end(r, a, side);
		break;
	case LEG_R_CANCELLED:
		on_cancelled(r, a, side);
		break;
	case LEG_R_OFFER:
		call_on_offer(r, side, a);
		break;
	case LEG_R_ACCEPT:
		call_on_accept(r, a);
		break;
	case LEG_R_RELAY:
		call_on_relay(r, side, a);
		break;
	case LEG_R_TRICKLE:
		call_on_trickle(r, side, a);
		break;
	case LEG_R_ICE:
		call_on_ice(r, side, a);
		break;
	case LEG_R_REPLIED:
		leg_reply(&r->c->leg[!side], a->relay, a->error,
			  call_leg(r, !side));
		call_join(r);
		break;
	case LEG_R_HANGUP:
		on_hangup(r, a, side);
		break;
	case LEG_R_FINISH:
		call_on_finish(r, side, a->reason, a->text);
		break;
	default:               /* LEG_R_LOST */
		on_lost(r, side);
		break;
	}
}

void call_join(struct call_run *r)
{
	struct leg_action *a = r->env.first, *next;
	unsigned side = r->side;
	struct call_action *s;

	r->env.first = r->env.last = NULL;
	for (; a; a = next) {
		next = a->next;
		if (a->is_report) {
			on_report(r, a, side);
			continue;
		}
		assert(a->stanza);     /* else there was no memory for `a` */
		s = call_do(r, CALL_DO_SEND);
		s->stanza = a->stanza;
		s->class = a->class;
		s->asks = a->asks;
		s->opens = a->opens;
		s->side = side;
	}
}

/* --- events ----------------------------------------------------------- */

static enum leg_event_kind leg_kind(enum call_event_kind k)
{
	switch (k) {
	case CALL_EV_MESSAGE:
		return LEG_EV_JMI;
	case CALL_EV_JINGLE:
		return LEG_EV_JINGLE;
	case CALL_EV_RECEIPT:
		return LEG_EV_RECEIPT;
	case CALL_EV_BOUNCE:
		return LEG_EV_BOUNCE;
	case CALL_EV_RESULT:
		return LEG_EV_RESULT;
	case CALL_EV_ERROR:
		return LEG_EV_ERROR;
	case CALL_EV_GONE:
		return LEG_EV_GONE;
	case CALL_EV_BACK:
		return LEG_EV_BACK;
	default:
		return LEG_EV_TIMEOUT;
	}
}

static void to_leg(struct call_run *r, unsigned side)
{
	const struct call_event *ev = r->ev;
	struct leg_event le = {
		.kind = leg_kind(ev->kind), .stanza = ev->stanza,
		.jmi = ev->jmi, .jingle = ev->jingle, .id = ev->id,
		.jid = ev->jid, .error = ev->error,
	};
	bool opens, known = !ev->stanza ||
			    call_side(r->c, ev->stanza->from.bare) >= 0;
	int rc;

	/* A stranger opens nothing; a leg answers him as any wrong device. */
	opens = (ev->kind == CALL_EV_MESSAGE &&
		 ev->jmi->action == JMI_PROPOSE) ||
		(ev->kind == CALL_EV_JINGLE &&
		 ev->jingle->action == JINGLE_SESSION_INITIATE);
	opens = opens && known;
	if (opens && call_on_second(r, side, &le))
		return;
	rc = leg_step(&r->c->leg[side], &le, call_leg(r, side));
	if (!r->c->leg[side].away)
		r->c->left_at[side] = 0;
	call_join(r);
	if (!r->c->leg[side].away)
		r->c->away_since[side] = r->c->left_at[side] = 0;
	if (rc == ENOMEM)
		r->failed = true;
	else if (rc && ev->kind == CALL_EV_MESSAGE)
		call_do(r, CALL_DO_IGNORED);
}

/* Is there still a device that rings? */
void call_note_deaf(struct call_run *r)
{
	struct call *c = r->c;

	if (c->state != CALL_RINGING)
		return;
	if (leg_ringable(call_callee(c)))
		c->deaf_since = 0;
	else if (!c->deaf_since && !c->unlinked)
		c->deaf_since = r->ev->now;
}

static void on_presence(struct call_run *r)
{
	struct call *c = r->c;
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct leg *l = &c->leg[i];

		to_leg(r, i);
		if (l->away && !c->away_since[i] && !c->unlinked)
			c->away_since[i] = r->ev->now;
	}
	call_note_deaf(r);
}

static void on_switched(struct call_run *r)
{
	struct call *c = r->c;
	int side = call_side(c, r->ev->jid);

	if (side < 0 || !call_is_live(c))
		return;
	/* Who is waited for is in no call yet. */
	if (!call_waits(c) &&
	    (c->state == CALL_SETUP || c->state == CALL_UP)) {
		r->switcher = (unsigned)side;
		call_end(r, CAUSE_SWITCHED, "success", NULL, -1);
	} else if ((unsigned)side == c->caller) {
		call_end(r, CAUSE_CANCELLED, "cancel", NULL, -1);
	}
}

static void withdraw(struct call_run *r, enum cause cause)
{
	if (r->c->state == CALL_REFUSING)
		call_refuse(r, r->c->cause);
	else if (r->c->state == CALL_ASKING || r->c->state == CALL_RINGING)
		call_end(r, cause, NULL, NULL, -1);
}

static void on_admin(struct call_run *r)
{
	struct call *c = r->c;

	if (call_is_live(c)) {
		call_end(r, CAUSE_ADMIN, NULL, NULL, -1);
	} else if (c->state == CALL_OPEN) {
		call_close(r);
	}
}

static void on_event(struct call_run *r)
{
	const struct call_event *ev = r->ev;
	int side;

	switch (ev->kind) {
	case CALL_EV_MESSAGE:
	case CALL_EV_JINGLE:
	case CALL_EV_RECEIPT:
	case CALL_EV_BOUNCE:
		side = call_side(r->c, ev->stanza->from.bare);
		to_leg(r, side == 1);
		break;
	case CALL_EV_RESULT:
	case CALL_EV_ERROR:
	case CALL_EV_TIMEOUT:
		to_leg(r, ev->side & 1);
		break;
	case CALL_EV_GONE:
	case CALL_EV_BACK:
		on_presence(r);
		break;
	case CALL_EV_FACTS:
		call_on_facts(r);
		break;
	case CALL_EV_DEVICE:
		call_on_device(r);
		break;
	case CALL_EV_TIME:
		call_on_time(r);
		break;
	case CALL_EV_SWITCH_OFF:
		withdraw(r, CAUSE_SWITCH_OFF);
		break;
	case CALL_EV_DRAIN:
		withdraw(r, CAUSE_DRAINING);
		break;
	case CALL_EV_RESTORED:
		call_on_restored(r);
		break;
	case CALL_EV_CUT:
		call_on_cut(r);
		break;
	case CALL_EV_LINKED:
		call_on_linked(r);
		break;
	case CALL_EV_HANGUP:
		on_admin(r);
		break;
	case CALL_EV_SWITCHED:
		on_switched(r);
		break;
	default:
		call_on_media(r);
		break;
	}
}

int call_step(struct call *c, const struct call_event *ev,
	      struct call_actions *out)
{
	struct call_run r = { .c = c, .ev = ev, .out = out };

	on_event(&r);
#ifdef PRIVATECALL_CHECK
	call_check(c);
#endif
	return r.failed || c->leg[0].failed || c->leg[1].failed ||
	       arena_failed(ev->arena) ? ENOMEM : 0;
}

/* --- time ------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t call_patience(const struct call *c, const struct settings_site *s)
{
	return c->state == CALL_UP && c->mode == MODE_ROOM && c->connected ?
	       s->alone_timeout : s->lost_timeout;
}

static int64_t away_deadline(const struct call *c, int64_t t,
			     const struct settings_site *s)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (c->away_since[i])
			t = earlier(t, c->away_since[i] +
				    call_patience(c, s));
	return t;
}

int64_t call_deadline(const struct call *c, const struct settings_site *s)
{
	int64_t t = INT64_MAX;

	switch (c->state) {
	case CALL_ASKING:
		return c->asked + s->facts_last;
	case CALL_REFUSING:
		return c->asked + s->refuse_delay;
	case CALL_RINGING:
		t = away_deadline(c, c->rung_at + s->ring_timeout, s);
		if (!c->rang)
			t = earlier(t, c->rung_at + s->ringing_delay);
		if (c->deaf_since)
			t = earlier(t, c->deaf_since + s->lost_timeout);
		return earlier(t, call_media_deadline(c, s));
	case CALL_SETUP:
		t = away_deadline(c, c->answered_at + s->setup_timeout, s);
		return earlier(t, call_media_deadline(c, s));
	case CALL_UP:
		if (s->hard_limit)
			t = c->window_end;
		if (c->native)
			t = earlier(t, c->kept_at + CALL_KEEP_ALIVE_MS);
		return away_deadline(c, earlier(t, call_media_deadline(c, s)),
				     s);
	case CALL_ENDING:
		return c->ended_at + s->finish_delay;
	case CALL_OPEN:
		return c->window_end;
	case CALL_DONE:
		return c->over || c->unheard ? t :
					       c->ended_at + CALL_LINGER_MS;
	default:
		return t;
	}
}

/* --- invariants ------------------------------------------------------- */

void call_check(const struct call *c)
{
	const struct leg *from = &c->leg[c->caller];
	const struct leg *to = &c->leg[!c->caller];

	leg_check(from);
	leg_check(to);
	if (from->failed || to->failed)
		return;
	switch (c->state) {
	case CALL_ASKING:
	case CALL_REFUSING:
		assert(from->state == LEG_PROPOSED ||
		       from->state == LEG_OFFERED ||
		       from->state == LEG_PROCEEDED);
		assert(to->state == LEG_IDLE || to->state == LEG_ENDED);
		break;
	case CALL_RINGING:
		assert(to->state == LEG_RINGING);
		assert(from->state == LEG_PROPOSED ||
		       from->state == LEG_PROCEEDED ||
		       from->state == LEG_OFFERED);
		break;
	case CALL_SETUP:
		assert(to->state == LEG_ANSWERED || to->state == LEG_INITIATED);
		assert(from->state == LEG_PROCEEDED ||
		       from->state == LEG_OFFERED);
		assert(c->answered_at && c->window_end);
		break;
	case CALL_UP:          /* I10: no leg without the other */
		assert(call_can_be_up(c));
		leg_check_homes(from, to);
		break;
	case CALL_ENDING:
	case CALL_OPEN:
		assert(from->state == LEG_ENDED || from->state == LEG_IDLE);
		assert(to->state == LEG_ENDED || to->state == LEG_IDLE);
		break;
	default:
		break;
	}
}
