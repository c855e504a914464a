/* ring.c: from the propose to the ringing devices (F1, F4, F12, F29, X1).
 *
 * The facts are asked once per round; what they say decides between ringing,
 * an answer after the fixed delay (rows 1 and 2 of Refusals, so that causes
 * which must look alike do) and an answer at once.
 */
#include "mod_privatecall/call/call_private.h"

static void uuid_text(char out[CALL_ID_SIZE], const unsigned char r[16],
		      unsigned version)
{
	static const char hex[] = "0123456789abcdef";
	char *o = out;
	unsigned i, b;

	for (i = 0; i < 16; i++) {
		b = i == 6 ? (r[i] & 15u) | version << 4 :
		    i == 8 ? (r[i] & 0x3fu) | 0x80u : r[i];
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*o++ = '-';
		*o++ = hex[b >> 4];
		*o++ = hex[b & 15];
	}
	*o = 0;
}

void call_uuid(char out[CALL_ID_SIZE], const unsigned char random[16])
{
	uuid_text(out, random, 4);
}

/* A UUIDv7 (RFC 9562, 5.7), of 48 bits of time and 74 of `random`: the rows of
 * calls of one time stand together in the database, so that a commit writes
 * few pages. Nobody but the admin sees it. */
static void dated_uuid(char out[CALL_ID_SIZE], int64_t wall,
		       const unsigned char random[16])
{
	unsigned char r[16];

	memcpy(r, random, sizeof(r));
	for (unsigned i = 0; i < 6; i++)
		r[i] = (unsigned char)((uint64_t)wall >> (40 - 8 * i));
	uuid_text(out, r, 7);
}

uint32_t call_nonce(const unsigned char *r)
{
	return (uint32_t)r[0] << 24 | (uint32_t)r[1] << 16 |
	       (uint32_t)r[2] << 8 | r[3];
}

/* A call never answered has no window: the next propose is a new call. */
static void new_identity(struct call_run *r)
{
	struct call *c = r->c;

	dated_uuid(c->id, r->ev->wall, call_entropy(r) + 16);
	c->round = 0;
	c->created = r->ev->wall;
	c->first_answer_wall = 0;
	c->window_end = 0;
	c->over = false;
}

/* What ends the round before, or the session that its user leaves for another
 * one, leaves without waiting for the commit, which replaces that row: were we
 * to die behind it, nobody would know any more whom to tell. Before it, a
 * restart finds the row and says it again. */
void call_release_old(struct call_run *r)
{
	struct call_action *a;

	for (a = r->out->first; a; a = a->next)
		if (a->kind == CALL_DO_SEND && a->class == LEG_SEND_HELD)
			a->class = LEG_SEND_AFTER;
}

static void new_round(struct call_run *r, unsigned side,
		      const struct stanza *dialed)
{
	struct call *c = r->c;

	leg_stop_away(call_callee(c), call_leg(r, !c->caller));
	call_join(r);
	call_release_old(r);
	if (c->state == CALL_DONE && call_has_row(c))
		call_do(r, CALL_DO_FORGET);
	if (c->state != CALL_OPEN)
		new_identity(r);
	c->round++;
	c->caller = side;
	c->asked = r->ev->now;
	c->away_since[0] = c->away_since[1] = c->deaf_since = 0;
	c->left_at[0] = c->left_at[1] = 0;
	c->rung_wall = c->answered_wall = 0;
	c->rang = c->rung = c->offer = c->glare = c->unheard = false;
	c->mode = MODE_DIRECT;
	c->decided = c->connected = false;
	c->alone_since[0] = c->alone_since[1] = 0;
	c->cause = CAUSE_NONE;
	call_assign(r, &c->reason, NULL);
	call_assign(r, &c->met, c->state == CALL_OPEN ?
		    c->leg[!side].device : NULL);
	call_assign(r, &c->trouble[0], NULL);
	call_assign(r, &c->trouble[1], NULL);
	leg_reset(&c->leg[side], LEG_CALLER, call_nonce(call_entropy(r)));
	leg_reset(&c->leg[!side], LEG_CALLEE, call_nonce(call_entropy(r) + 4));
	call_choose_addresses(r, side, dialed);
}

void call_begin(struct call_run *r, unsigned side, const struct leg_event *ev)
{
	struct call *c = r->c;
	struct call_action *a;
	int rc;

	new_round(r, side, ev->stanza);
	rc = leg_open(&c->leg[side], ev, call_leg(r, side));
	call_join(r);
	call_set_state(c, CALL_ASKING);
	if (rc) {
		/* Refused already; an open window stays open. */
		call_end(r, CAUSE_STALE, NULL, NULL, (int)side);
		return;
	}
	c->media = c->leg[side].media;
	if (ev->jmi && ev->jmi->delayed) {
		call_refuse(r, CAUSE_STALE);
		return;
	}
	a = call_do(r, CALL_DO_ASK);
	a->ask = ++c->ask;
	a->from = c->leg[side].user;
	a->to = c->leg[!side].user;
	a->media = c->media;
}

void call_refuse(struct call_run *r, enum cause cause)
{
	call_end(r, cause, NULL, NULL, -1);
}

static void start_ringing(struct call_run *r)
{
	struct call *c = r->c;
	const char *sid = call_callee_sid(r);

	c->rung = true;
	c->rung_at = r->ev->now;
	c->rung_wall = r->ev->wall;
	leg_ring(call_callee(c), sid, c->media, r->ev->targets,
		 r->ev->targets_n, call_leg(r, !c->caller));
	call_set_state(c, CALL_RINGING);
	call_join(r);
	call_do(r, CALL_DO_SAVE);
}

void call_on_facts(struct call_run *r)
{
	struct call *c = r->c;
	enum cause cause = r->ev->cause;

	if (c->state != CALL_ASKING || r->ev->ask != c->ask)
		return;
	c->offer = r->ev->offer;
	if (cause == CAUSE_NONE && !r->ev->targets_n)
		cause = CAUSE_NOT_ACTIVE;
	if (cause == CAUSE_NONE && call_may_wait(r)) {
		call_wait(r);
	} else if (cause == CAUSE_NONE) {
		start_ringing(r);
	} else if (cause_row(cause)->fixed_delay) {
		c->cause = cause;
		call_set_state(c, CALL_REFUSING);
	} else {
		call_refuse(r, cause);
	}
}

/* Not before the caller may hear of ringing: a propose that the callee's
 * server bounces must look like any inactive user (A06). */
void call_want_offer(struct call_run *r)
{
	struct call *c = r->c;
	struct leg *from = call_caller(c);
	const char *plain = leg_wants_offer(call_callee(c));

	if (!c->rang || !plain)
		return;
	if (from->offer) {
		if (!call_offer_may_go(r, from->offer->elem))
			return;
		leg_offer(call_callee(c),
			  xml_copy(r->ev->arena, from->offer->elem),
			  call_leg(r, !c->caller));
		leg_catch_up(call_callee(c), from, &r->env);
		call_join(r);
		call_do(r, CALL_DO_SAVE);
	} else if (from->state == LEG_PROPOSED) {
		/* A device without JMI rings by a session-initiate, and only
		 * the caller can make one: ask him for it now. */
		call_answer_address(r, plain);
		leg_proceed(from, NULL, call_leg(r, c->caller));
		call_join(r);
		call_do(r, CALL_DO_SAVE);
	}
}

void call_on_device(struct call_run *r)
{
	struct call *c = r->c;

	if (c->state != CALL_RINGING || !r->ev->targets_n)
		return;
	leg_ring_more(call_callee(c), r->ev->targets,
		      NULL, call_leg(r, !c->caller));
	call_join(r);
	c->deaf_since = 0;
	call_do(r, CALL_DO_SAVE);
	call_want_offer(r);
}

void call_rings(struct call_run *r)
{
	struct call *c = r->c;

	if (c->rang)
		return;
	c->rang = true;
	leg_ringing(call_caller(c), call_leg(r, c->caller));
	call_join(r);
	call_want_offer(r);
}
