/* answer.c: from the answer until both sides are up (F13, F23, X2, I04).
 *
 * The first answer that is committed wins; every other rung device gets one
 * stop, after its own client's carbon. The caller's offer goes to the device
 * that answered, whichever of the two sides spoke JMI or plain Jingle.
 */
#include <assert.h>
#include "mod_privatecall/call/call_private.h"

/* What a user sent before the other side could take it. ICE that ends with us
 * waits until both are up. */
static void send_kept(struct call_run *r, unsigned from, const char *device)
{
	struct call *c = r->c;
	struct leg *mine = &c->leg[from];
	unsigned relay, n = mine->early_n;
	enum jingle_action action;
	struct xml_elem *tree;

	while (n-- && (tree = leg_take_kept(mine, device, &action, &relay,
					    r->ev->arena))) {
		if (call_has_media(c) && action == JINGLE_TRANSPORT_INFO) {
			leg_keep(mine, tree, action, 0, mine->device);
			continue;
		}
		leg_relay(&c->leg[!from], tree, action, 0, call_leg(r, !from));
		call_join(r);
	}
}

static void supersede(struct call_run *r, unsigned side)
{
	call_do(r, CALL_DO_SUPERSEDE)->user = r->c->leg[side].user;
}

static void note_answer(struct call_run *r)
{
	struct call *c = r->c;

	c->answered_at = r->ev->now;
	c->answered_wall = r->ev->wall;
	if (!c->first_answer_wall) {
		c->first_answer_wall = r->ev->wall;
		c->window_end = r->ev->now + r->ev->site->room_lifetime;
	}
	supersede(r, 0);
	supersede(r, 1);
}

static void give_offer(struct call_run *r, const struct xml_elem *tree)
{
	struct call *c = r->c;

	if (!call_offer_may_go(r, tree))
		return;
	leg_offer(call_callee(c), tree, call_leg(r, !c->caller));
	call_join(r);
	send_kept(r, c->caller, NULL);
}

void call_offer_now(struct call_run *r)
{
	struct xml_kept *offer = call_caller(r->c)->offer;

	if (offer)
		give_offer(r, xml_copy(r->ev->arena, offer->elem));
}

static void go_up(struct call_run *r, const struct xml_elem *tree)
{
	struct call *c = r->c;
	struct leg *from = call_caller(c);

	if (!call_answer_fits(r, tree))
		return;
	leg_accept(from, tree, call_leg(r, c->caller));
	call_join(r);
	if (call_has_media(c))
		call_start_ice(r, tree);
	send_kept(r, !c->caller, call_callee(c)->device);
	leg_drop_kept(&c->leg[0]);
	leg_drop_kept(&c->leg[1]);
	call_set_state(c, CALL_UP);
	c->kept_at = r->ev->now;
	call_do(r, CALL_DO_SAVE);
}

void call_on_answered(struct call_run *r, const struct leg_action *a)
{
	struct call *c = r->c;
	struct leg *from = call_caller(c), *to = call_callee(c);

	assert(c->state == CALL_RINGING);
	note_answer(r);
	call_set_state(c, CALL_SETUP);
	call_do(r, CALL_DO_SAVE);
	call_answer_address(r, to->device);
	/* With <device/> he would encrypt a fingerprint that we must read. */
	leg_proceed(from, call_needs_room(r->ev->site) ? NULL : a->said,
		    call_leg(r, c->caller));
	call_join(r);
	if (a->tree)
		go_up(r, a->tree);
	else
		call_offer_now(r);
	leg_stop(to, LEG_STOP_ELSEWHERE, "success", NULL, to->device,
		 call_leg(r, !c->caller));
	call_join(r);
}

void call_on_offer(struct call_run *r, unsigned side,
		   const struct leg_action *a)
{
	struct call *c = r->c;

	if (c->state == CALL_UP) {
		call_return_offer(r, side, a->tree);
		call_do(r, CALL_DO_SAVE);
	} else if (c->state == CALL_SETUP) {
		give_offer(r, a->tree);
		call_do(r, CALL_DO_SAVE);
	} else if (c->state == CALL_RINGING) {
		leg_keep_offer(call_caller(c), a->tree);
		call_want_offer(r);
		call_do(r, CALL_DO_SAVE);
	}
}

void call_on_accept(struct call_run *r, const struct leg_action *a)
{
	assert(r->c->state == CALL_SETUP);
	go_up(r, a->tree);
}
