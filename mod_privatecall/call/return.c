/* return.c: mode `room`: one of the two leaves and comes back, the other stays
 * (F23, F28, X8).
 *
 *   in --hung up (`on_leave = hold`), lost--> away --propose--> PROCEEDED
 *    |                                         ^                   | initiate
 *    | another device of his proposes          | gives up          v
 *    '------------------------> PROCEEDED      '-----------  OFFERED, RENEW
 *                                                                  |
 *   in again <-- accept, told to the other <-- CREDENTIALS of all -'
 *
 * The call is UP all the time, and the leg of who stays knows nothing of it but
 * a notice. Nobody is rung: both are in the call already. Alone longer than
 * `alone_timeout` ends it, also when who comes back does not get so far.
 *
 * With `rejoin = notify` it also begins so, when both had left: who comes first
 * is let in alone, is answered out of what he said himself, and waits. The
 * round is answered when the other comes.
 */
#include "mod_privatecall/call/call_private.h"
#include "jingle/stanza/ns.h"

#define MINUTE 60000

static unsigned role_of(const struct call *c, unsigned side)
{
	return side != c->caller;
}

/* There is something to keep: media have been both ways, and there is time left
 * to come back in. */
static bool is_kept(const struct call *c, int64_t now)
{
	return c->state == CALL_UP && c->mode == MODE_ROOM &&
	       (c->connected || call_waits(c)) && now < c->window_end;
}

static bool is_in(const struct call *c, unsigned side)
{
	return c->leg[side].state == LEG_ACTIVE && !c->away_since[side] &&
	       !c->alone_since[role_of(c, side)];
}

bool call_may_return(const struct call *c, unsigned side, int64_t now)
{
	return is_kept(c, now) && is_in(c, !side);
}

bool call_returns(const struct call *c, unsigned side)
{
	const struct leg *l = &c->leg[side];

	return c->state == CALL_UP && l->absent && l->state != LEG_ENDED &&
	       l->state != LEG_IDLE;
}

bool call_waits(const struct call *c)
{
	return c->state == CALL_UP && !c->answered_wall;
}

static bool waits_alone(const struct call *c, unsigned side)
{
	return call_waits(c) && side == c->caller;
}

bool call_can_be_up(const struct call *c)
{
	unsigned i, in = 0;

	for (i = 0; i < 2; i++) {
		if (c->leg[i].state == LEG_ACTIVE)
			in++;
		else if (c->mode != MODE_ROOM || !c->leg[i].absent)
			return false;
	}
	return in + call_waits(c) > 0;
}

/* --- away ------------------------------------------------------------- */

void call_renew(struct call_run *r, unsigned side, unsigned number)
{
	struct call_transport *t = &r->c->transport[number];

	t->renewing++;
	t->secured = false;
	call_order(r, ORDER_RENEW, number)->role = role_of(r->c, side);
}

static void renew(struct call_run *r, unsigned side)
{
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (call_transport_state(r->c, i) == TRANSPORT_READY)
			call_renew(r, side, i);
}

/* His media end, whatever still comes of them. */
static void go_away(struct call_run *r, unsigned side, const char *reason)
{
	struct call *c = r->c;
	unsigned role = role_of(c, side), i;

	if (!c->leg[side].absent)
		call_log_visit(r, side, reason);
	c->leg[side].absent = true;
	c->away_since[side] = c->left_at[side] = 0;
	if (!c->alone_since[role])
		c->alone_since[role] = r->ev->now;
	for (i = 0; c->transport && i < LEG_TRANSPORTS_MAX; i++) {
		c->transport[i].reached[role] = STEP_NONE;
		c->transport[i].candidates[role] = 0;
	}
	call_stop_adding(r);
	call_drop_own(r, side);
}

bool call_leave(struct call_run *r, unsigned side, const char *reason,
		bool said)
{
	struct leg *l = &r->c->leg[side];

	if (!call_may_return(r->c, side, r->ev->now))
		return false;
	go_away(r, side, reason);
	renew(r, side);
	if (said)
		leg_ended(l, call_leg(r, side));
	else
		leg_end(l, reason, NULL, call_leg(r, side));
	leg_finish(l, reason, NULL, &r->env);
	call_join(r);
	call_do(r, CALL_DO_SAVE);
	return true;
}

void call_return_over(struct call_run *r, unsigned side, const char *reason,
		      const char *text)
{
	struct leg *l = &r->c->leg[side];

	if (waits_alone(r->c, side)) {
		if (reason)
			call_end(r, CAUSE_FAILED, reason, text, -1);
		else
			call_end(r, CAUSE_CANCELLED, "cancel", NULL,
				 (int)side);
		return;
	}
	if (reason)
		leg_end(l, reason, text, call_leg(r, side));
	else
		leg_ended(l, call_leg(r, side));
	leg_finish(l, reason ? reason : "cancel", NULL, &r->env);
	call_join(r);
	call_do(r, CALL_DO_SAVE);
}

/* --- back ------------------------------------------------------------- */

bool call_over_returns(struct call_run *r)
{
	struct call *c = r->c;

	if (r->ev->now >= c->returns_at + MINUTE) {
		c->returns_at = r->ev->now;
		c->returns = 0;
	}
	return ++c->returns > r->ev->site->pair_per_minute;
}

void call_return(struct call_run *r, unsigned side, const struct leg_event *ev)
{
	struct call *c = r->c;
	struct leg *l = &c->leg[side];
	const char *sid = ev->jmi ? ev->jmi->id : ev->jingle->sid;
	unsigned relays = l->next_relay;

	go_away(r, side, "expired");
	leg_migrate(l, sid, call_leg(r, side));
	call_join(r);
	call_release_old(r);
	leg_reset(l, LEG_CALLER, call_nonce(call_entropy(r)));
	/* What the other still owes an answer to was of the session before. */
	l->next_relay = relays;
	l->turned = side != c->caller;
	l->absent = true;
	leg_end_ice(l, true);
	call_return_address(r, side, ev->stanza);
	/* What it would refuse has been turned away: all that it can lack is
	 * memory, and the leg says so. */
	if (leg_open(l, ev, call_leg(r, side)))
		return;
	leg_proceed(l, NULL, &r->env);
	call_join(r);
	if (l->offer)
		call_return_offer(r, side, l->offer->elem);
	call_do(r, CALL_DO_SAVE);
}

bool call_may_wait(const struct call_run *r)
{
	/* When both come at a time the loser of the two is rung. */
	return r->ev->site->rejoin == REJOIN_NOTIFY &&
	       r->c->first_answer_wall && !r->c->glare;
}

/* A caller's client asks whom it talks to what he can (Dino), and the address
 * that he dialed has no client. The device that the other had in the round
 * before can answer, and is no secret from him. */
static void speak_as_met(struct call_run *r)
{
	unsigned i;

	for (i = 0; r->c->met && i < r->ev->targets_n; i++)
		if (strcmp(r->ev->targets[i].jid, r->c->met) == 0)
			call_answer_address(r, r->c->met);
}

void call_wait(struct call_run *r)
{
	struct call *c = r->c;
	unsigned side = c->caller;
	struct leg *l = &c->leg[side];

	if (!call_begin_room(r)) {
		call_refuse(r, CAUSE_NO_CAPACITY);
		return;
	}
	c->leg[0].absent = c->leg[1].absent = true;
	c->rung_wall = r->ev->wall;
	c->answered_at = c->kept_at = r->ev->now;
	c->alone_since[role_of(c, !side)] = r->ev->now;
	call_set_state(c, CALL_UP);
	speak_as_met(r);
	leg_proceed(l, NULL, call_leg(r, side));
	call_join(r);
	if (l->offer)
		call_return_offer(r, side, l->offer->elem);
	call_do(r, CALL_DO_SAVE);
}

/* What he has on that transport already, he has there with this one, too
 * (BUNDLE), and with the same home; -1: of nobody's media. */
static bool may_share(struct call_run *r, const struct leg *l,
		      const struct xml_elem *tree, const char *name,
		      int number, int home)
{
	const struct xml_elem *e;
	const char *with;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		with = xml_get(e, "name");
		if (leg_transport(l, with) == number &&
		    ((home >= 0 && leg_home(l, with) != home) ||
		     !leg_bundled(tree, name, with, r->ev->arena)))
			return false;
	}
	return true;
}

/* At home if he has it there with all others, else where the other has it
 * apart, too; -1: nowhere yet. */
static int known_transport(struct call_run *r, unsigned side,
			   const struct xml_elem *tree, const char *name)
{
	const struct leg *l = &r->c->leg[side], *other = &r->c->leg[!side];
	int home = leg_home(other, name), apart = leg_transport(other, name);

	if (home >= 0 && may_share(r, l, tree, name, home, home))
		return home;
	return apart >= 0 && may_share(r, l, tree, name, apart, home) ? apart :
									-1;
}

/* Of what he has with it; -1: that has none, or another home. */
static int bundled_transport(struct call_run *r, unsigned side,
			     const struct xml_elem *tree, const char *name)
{
	const struct leg *l = &r->c->leg[side], *other = &r->c->leg[!side];
	int number, home = leg_is_paired(other, name) ?
			   leg_home(other, name) : -1;
	const struct xml_elem *e;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		number = leg_transport(l, xml_get(e, "name"));
		if (number >= 0 &&
		    may_share(r, l, tree, name, number, home))
			return number;
	}
	return -1;
}

static void set_transport(struct leg *l, const struct leg *other,
			  const char *name, int number)
{
	leg_set_transport(l, name, number);
	if (leg_is_paired(other, name))
		leg_set_home(l, name, leg_home(other, name));
}

/* On the transports of the other's, but what he has apart from others there
 * gets its own; as does what has none of the other's, if it is not bundled with
 * one that has. */
static bool take_transports(struct call_run *r, unsigned side,
			    const struct xml_elem *tree)
{
	struct leg *l = &r->c->leg[side], *other = &r->c->leg[!side];
	const struct xml_elem *e;
	const char *name;
	int number;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		number = known_transport(r, side, tree, name);
		if (number >= 0)
			set_transport(l, other, name, number);
	}
	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		if (leg_transport(l, name) >= 0)
			continue;
		number = bundled_transport(r, side, tree, name);
		if (number < 0)
			number = call_open_transport(r);
		if (number < 0)
			return false;
		set_transport(l, other, name, number);
	}
	return true;
}

void call_return_offer(struct call_run *r, unsigned side,
		       const struct xml_elem *offer)
{
	struct call *c = r->c;
	struct leg *l = &c->leg[side];
	struct arena *a = r->ev->arena;
	enum leg_lack lack = leg_lacks(offer, true, a);
	bool alone = waits_alone(c, side);
	struct xml_elem *tree;

	if (lack) {
		r->step = call_lack_text(lack);
		call_return_over(r, side, call_lack_reason(lack),
				 arena_printf(a, "The call could not be "
					      "connected (%s).",
					      call_lack_text(lack)));
		return;
	}
	tree = alone ? xml_copy(a, offer) :
		       leg_pair(l, &c->leg[!side], offer, a);
	if (!leg_keep_says(l, tree, a)) {
		call_return_over(r, side, "incompatible-parameters", NULL);
		return;
	}
	if (!alone && !leg_has_common(l, &c->leg[!side], "audio", a)) {
		call_return_over(r, side, "incompatible-parameters",
				 cause_text(a, CAUSE_NO_CODEC, NULL));
		return;
	}
	renew(r, side);
	if (take_transports(r, side, tree)) {
		leg_keeps_fingerprints(l, tree, a);
		leg_keep_offer(l, tree);
	} else {
		call_return_over(r, side, "incompatible-parameters", NULL);
	}
}

static bool all_renewed(const struct call *c)
{
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (call_transport_state(c, i) == TRANSPORT_ASKED ||
		    (call_transport_state(c, i) == TRANSPORT_READY &&
		     c->transport[i].renewing))
			return false;
	return true;
}

/* Who was waited for is there: the round is answered. */
static void come(struct call_run *r)
{
	struct call *c = r->c;

	c->answered_at = c->up_at = r->ev->now;
	c->answered_wall = r->ev->wall;
}

static void accept(struct call_run *r, unsigned side)
{
	struct call *c = r->c;
	struct leg *l = &c->leg[side], *other = &c->leg[!side];
	struct xml_elem *offer = xml_copy(r->ev->arena, l->offer->elem);
	bool alone = waits_alone(c, side);

	leg_accept(l, leg_answer(l, alone ? NULL : other, offer, r->ev->arena),
		   call_leg(r, side));
	call_join(r);
	if (!alone && call_waits(c))
		come(r);
	if (!alone && leg_cut_says(l, other, offer, r->ev->arena))
		r->failed = true;
	if (!alone)
		leg_forget_unpaired(l, other, r->ev->arena);
	l->absent = false;
	l->returned = r->ev->wall;
	l->stranger = true;
	other->stranger = false;
	call_take_ice(r, side, offer);
	call_take_kept_ice(r, side);
	call_release(r, side);
	leg_drop_kept(l);
	if (alone)
		call_expect_caller(r);
	else
		call_expect_both(r);
	/* Until he is connected; who waits may be joined before. */
	c->alone_since[role_of(c, side)] = alone ? 0 : r->ev->now;
	call_do(r, CALL_DO_SUPERSEDE)->user = l->user;
	call_notify_return(r, side);
	call_do(r, CALL_DO_SAVE);
}

/* Transports come for an offer alone: who has not made his yet waits for none,
 * and nobody adds contents meanwhile. An offer is not stored: until the link is
 * up after a restart, and call_return_restored() ends it, no answer is made. */
void call_return_ready(struct call_run *r)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (call_returns(r->c, i) && r->c->leg[i].offer &&
		    all_renewed(r->c))
			accept(r, i);
}

bool call_return_credentials(struct call_run *r, unsigned side)
{
	const struct call_event *ev = r->ev;
	struct call *c = r->c;
	struct leg *l = &c->leg[side];
	struct call_transport *t = &c->transport[ev->transport];

	if (!l->absent)
		return false;
	t->renewing -= t->renewing > 0;
	leg_set_ours(l, ev->transport, ev->ufrag[0], ev->pwd[0]);
	leg_set_print(l, ev->transport,
		      leg_ours(&c->leg[!side], ev->transport)->print);
	call_return_ready(r);
	return true;
}

void call_return_fails(struct call_run *r)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (waits_alone(r->c, i) && call_returns(r->c, i))
			call_end(r, CAUSE_NO_CAPACITY, NULL, NULL, -1);
		else if (call_returns(r->c, i))
			call_return_over(r, i, "gone", NULL);
}

/* That media have been both ways is not stored, but without nobody leaves. */
static void restored(struct call_run *r, unsigned side)
{
	struct call *c = r->c;

	if (!call_waits(c) && (c->leg[side].absent || c->leg[side].returned))
		c->connected = true;
	if (!c->leg[side].absent)
		return;
	c->alone_since[role_of(c, side)] = r->ev->now;
	if (call_returns(c, side))
		call_return_over(r, side, "gone", NULL);
}

/* Back from the store: nobody waits for who was about to come back. */
void call_return_restored(struct call_run *r)
{
	struct call *c = r->c;

	if (call_waits(c) && c->leg[c->caller].absent) {
		call_end(r, CAUSE_RESTART, NULL, NULL, -1);
	} else {
		restored(r, 0);
		restored(r, 1);
	}
}
