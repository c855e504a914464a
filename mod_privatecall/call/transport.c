/* transport.c: a call whose ICE ends with us, once for each user: which
 * contents have which transport of the media process, and when what the users
 * say of theirs goes there.
 *
 *   offer -> OPEN ... READY -> offer with ours -> answer -> REMOTE of both
 *
 * Nothing goes to the media process of a user's addresses before the answer:
 * it would check them, and show that there is a call (I03). Until then they
 * are kept. Of several devices that ring by one offer only the one that
 * answers is ever named to it.
 */
#include <assert.h>
#include <stdlib.h>
#include "mod_privatecall/call/call_private.h"
#include "jingle/stanza/ns.h"

static const char *const lacks[] = {
	[LEG_LACKS_ICE] = "no ICE transport",
	[LEG_LACKS_FINGERPRINT] = "no DTLS fingerprint",
	[LEG_LACKS_MUX] = "no rtcp-mux",
	[LEG_LACKS_PLAIN] = "DTLS fingerprint encrypted for the other user",
	[LEG_LACKS_HASH] = "DTLS fingerprint not of SHA-256 or longer",
};

static enum leg_lack lack_of(const struct call_run *r,
			     const struct xml_elem *tree)
{
	return leg_lacks(tree, r->c->mode == MODE_ROOM, r->ev->arena);
}

const char *call_lack_text(enum leg_lack lack)
{
	return lacks[lack];
}

/* Media would be in the clear, or of who knows whom. */
static bool is_insecure(enum leg_lack lack)
{
	return lack == LEG_LACKS_FINGERPRINT || lack == LEG_LACKS_PLAIN ||
	       lack == LEG_LACKS_HASH;
}

const char *call_lack_reason(enum leg_lack lack)
{
	return is_insecure(lack) ? "security-error" :
				   "incompatible-parameters";
}

struct call_order *call_order(struct call_run *r, enum call_order_kind kind,
			      unsigned transport)
{
	struct call_order *o = &call_do(r, CALL_DO_MEDIA)->order;

	o->kind = kind;
	o->transport = transport;
	o->mode = r->c->mode;
	return o;
}

/* --- transports ------------------------------------------------------- */

const struct call_transport *call_transport(const struct call *c,
					    unsigned number)
{
	static const struct call_transport none;

	return c->transport ? &c->transport[number] : &none;
}

unsigned call_transport_state(const struct call *c, unsigned number)
{
	return call_transport(c, number)->state;
}

/* Kept by calls that have some: one in mode `direct` is to be small. */
static bool have_transports(struct call *c)
{
	if (!c->transport)
		c->transport = calloc(LEG_TRANSPORTS_MAX,
				      sizeof(*c->transport));
	if (!c->transport)
		c->leg[0].failed = true;
	return c->transport;
}

static bool waits(const struct call *c)
{
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (call_transport_state(c, i) == TRANSPORT_ASKED)
			return true;
	return false;
}

static int free_transport(struct call *c)
{
	bool have = have_transports(c);
	int i;

	for (i = 0; have && i < LEG_TRANSPORTS_MAX; i++)
		if (c->transport[i].state == TRANSPORT_FREE)
			return i;
	return -1;
}

static void drop(struct call_run *r, unsigned number)
{
	struct call *c = r->c;

	leg_drop_transport(&c->leg[0], number);
	leg_drop_transport(&c->leg[1], number);
	memset(&c->transport[number], 0, sizeof(c->transport[number]));
	call_order(r, ORDER_DROP, number);
}

/* Packets may go another way: a home has numbers that go on. */
static bool needs(const struct leg *l, unsigned number)
{
	return leg_uses(l, (int)number) || leg_hosts(l, number);
}

void call_drop_own(struct call_run *r, unsigned side)
{
	struct call *c = r->c;
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (call_transport_state(c, i) != TRANSPORT_FREE &&
		    !needs(&c->leg[!side], i))
			drop(r, i);
}

static void name_transport(struct call *c, const char *content, int number)
{
	leg_set_transport(&c->leg[0], content, number);
	leg_set_transport(&c->leg[1], content, number);
}

int call_open_transport(struct call_run *r)
{
	struct call *c = r->c;
	int number = free_transport(c);

	if (number < 0)
		return -1;
	c->transport[number].state = TRANSPORT_ASKED;
	call_order(r, ORDER_OPEN, (unsigned)number);
	c->media_asked = r->ev->now;
	return number;
}

/* One transport for each content. False: there are not so many, or one of the
 * two has named so many contents that his leg takes no more. */
static bool open_contents(struct call_run *r, const struct xml_elem *tree)
{
	struct call *c = r->c;
	const struct xml_elem *e;
	const char *name;
	int number;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		number = call_open_transport(r);
		if (number < 0)
			return false;
		name_transport(c, name, number);
		if (!leg_knows(&c->leg[0], name) ||
		    !leg_knows(&c->leg[1], name))
			return false;
	}
	return true;
}

static void drop_asked(struct call_run *r)
{
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (call_transport_state(r->c, i) == TRANSPORT_ASKED)
			drop(r, i);
	r->c->media_asked = 0;
}

/* From now on this content is on transport `to`. */
static void join(struct call_run *r, const char *content, int to)
{
	int was = leg_transport(&r->c->leg[0], content);

	if (was < 0 || to < 0 || was == to)
		return;
	name_transport(r->c, content, to);
	if (!leg_uses(&r->c->leg[0], was))
		drop(r, (unsigned)was);
}

void call_media_close(struct call_run *r)
{
	struct call *c = r->c;
	unsigned i, open = 0;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		open += call_transport_state(c, i) != TRANSPORT_FREE;
	if (open)
		call_order(r, ORDER_CLOSE, 0)->round = c->round;
	free(c->transport);
	c->transport = NULL;
	c->media_asked = 0;
	leg_forget_ours(&c->leg[0]);
	leg_forget_ours(&c->leg[1]);
}

static void end_ice(struct call *c)
{
	leg_end_ice(&c->leg[0], c->mode == MODE_ROOM);
	leg_end_ice(&c->leg[1], c->mode == MODE_ROOM);
}

/* Who was about to come back has none again. */
static bool has_ours(const struct call *c, unsigned number)
{
	const struct leg *a = &c->leg[0], *b = &c->leg[1];

	return (leg_ours(a, number) && (leg_ours(b, number) || b->absent)) ||
	       (leg_ours(b, number) && a->absent);
}

void call_restore_media(struct call *c, enum media_mode mode)
{
	unsigned i;

	c->mode = mode;
	c->decided = true;
	end_ice(c);
	for (i = 0; i < LEG_TRANSPORTS_MAX; i++) {
		if (has_ours(c, i) && have_transports(c)) {
			c->transport[i].state = TRANSPORT_READY;
			continue;
		}
		/* Asked for, and who waited for it is forgotten. */
		leg_drop_transport(&c->leg[0], i);
		leg_drop_transport(&c->leg[1], i);
	}
}

/* --- whose it is (A21) ------------------------------------------------ */

void call_insecure(struct call_run *r, const char *step)
{
	r->step = step;
	call_end(r, r->c->connected ? CAUSE_INSECURE : CAUSE_FAILED,
		 "security-error", NULL, -1);
}

static bool keeps_fingerprints(struct call_run *r, unsigned side,
			       const struct xml_elem *tree)
{
	struct leg *l = &r->c->leg[side];

	if (leg_keeps_fingerprints(l, tree, r->ev->arena))
		return true;
	if (call_returns(r->c, side))
		call_return_over(r, side, "security-error", NULL);
	else
		call_insecure(r, side == r->c->caller ?
			      "changed fingerprint of the caller's device" :
			      "changed fingerprint of the called device");
	return false;
}

/* --- numbers ---------------------------------------------------------- */

/* False: there is more than is kept of a user. */
static bool keep_says(struct call_run *r, unsigned side,
		      const struct xml_elem *tree)
{
	return r->c->mode != MODE_ROOM ||
	       leg_keep_says(&r->c->leg[side], tree, r->ev->arena);
}

/* Of what both have said stays what both have: an offer has more. */
static void agree(struct call_run *r, const struct xml_elem *answer)
{
	struct leg *one = &r->c->leg[0], *other = &r->c->leg[1];

	if (r->c->mode == MODE_ROOM &&
	    (leg_cut_says(one, other, answer, r->ev->arena) ||
	     leg_cut_says(other, one, answer, r->ev->arena)))
		r->failed = true;
}

/* Who has contents there that are at home on another. */
static void say_homes(struct call_run *r, unsigned number)
{
	struct call_order *o;
	unsigned role;
	bool video;
	int home;

	for (role = 0; role < 2; role++) {
		home = leg_joins(&r->c->leg[role ^ r->c->caller], (int)number,
				 &video, r->ev->arena);
		if (home < 0)
			continue;
		o = call_order(r, ORDER_JOIN, number);
		o->role = role;
		o->home = (unsigned)home;
		o->video = video;
	}
}

/* The numbers of both, as far as both have said theirs. */
static void say_maps(struct call_run *r, unsigned number)
{
	struct call *c = r->c;
	const struct leg *from, *to;
	struct call_order *o;
	unsigned role;

	for (role = 0; role < 2; role++) {
		from = &c->leg[role ^ c->caller];
		to = &c->leg[!role ^ c->caller];
		o = call_order(r, ORDER_MAP, number);
		o->role = role;
		o->map = leg_map(from, to, (int)number, !from->stranger,
				 r->ev->arena);
		r->failed = r->failed || !o->map;
	}
}

/* --- the offer -------------------------------------------------------- */

static void fail(struct call_run *r, enum leg_lack lack, bool insecure)
{
	r->step = lacks[lack];
	call_end(r, CAUSE_FAILED, insecure ? "security-error" :
		 "incompatible-parameters", NULL, -1);
}

static void begin(struct call_run *r, const struct xml_elem *tree)
{
	struct call *c = r->c;
	enum leg_lack lack = lack_of(r, tree);

	/* An offer without any is of another kind of call. */
	if (lack) {
		fail(r, lack, is_insecure(lack) &&
			      lack != LEG_LACKS_FINGERPRINT);
		return;
	}
	if (!r->ev->candidates_n) {
		call_end(r, CAUSE_NO_CAPACITY, NULL, NULL, -1);
		return;
	}
	end_ice(c);
	if (!open_contents(r, tree))
		r->step = "too many contents";
	else if (!keep_says(r, c->caller, tree))
		r->step = "too long descriptions";
	if (r->step) {
		call_end(r, CAUSE_FAILED, "incompatible-parameters", NULL, -1);
	} else {
		leg_keeps_fingerprints(call_caller(c), tree, r->ev->arena);
		if (!call_caller(c)->offer)
			leg_keep_offer(call_caller(c), tree);
	}
}

bool call_begin_room(struct call_run *r)
{
	r->c->decided = true;
	r->c->mode = MODE_ROOM;
	end_ice(r->c);
	return have_transports(r->c) & (r->ev->candidates_n > 0);
}

bool call_offer_may_go(struct call_run *r, const struct xml_elem *tree)
{
	struct call *c = r->c;

	if (!c->decided) {
		c->decided = true;
		c->mode = call_choose_mode(r, tree);
		if (call_has_media(c))
			begin(r, tree);
	}
	return call_is_live(c) && !waits(c);
}

/* --- the answer ------------------------------------------------------- */

/* Contents that the answer puts on one transport, the offer allowing it. */
static void bundle(struct call_run *r, const struct xml_elem *answer)
{
	const struct xml_kept *offer = call_caller(r->c)->offer;
	const struct xml_elem *e, *first;
	const char *name, *with;

	first = xml_child(answer, NS_JINGLE, "content");
	for (; first; first = xml_next(first, NS_JINGLE, "content")) {
		with = xml_get(first, "name");
		for (e = xml_next(first, NS_JINGLE, "content"); e;
		     e = xml_next(e, NS_JINGLE, "content")) {
			name = xml_get(e, "name");
			if (leg_bundled(answer, with, name, r->ev->arena) &&
			    (!offer || leg_bundled(offer->elem, with, name,
						   r->ev->arena)))
				join(r, name, leg_transport(&r->c->leg[0],
							    with));
		}
	}
}

bool call_answer_fits(struct call_run *r, const struct xml_elem *tree)
{
	enum leg_lack lack;

	/* The offer left while the disk failed, and who knew of it died: as
	 * `direct`, which the mode is not, each would learn of the other. */
	if (!r->c->decided && r->ev->site->media != MODE_DIRECT) {
		call_end(r, CAUSE_FAILED, "connectivity-error", NULL, -1);
		return false;
	}
	if (!call_has_media(r->c))
		return true;
	lack = lack_of(r, tree);
	if (lack) {
		fail(r, lack, is_insecure(lack));
		return false;
	}
	leg_keeps_fingerprints(call_callee(r->c), tree, r->ev->arena);
	call_learn_bundles(r, tree);
	bundle(r, tree);
	if (keep_says(r, !r->c->caller, tree)) {
		agree(r, tree);
		return true;
	}
	r->step = "too long descriptions";
	call_end(r, CAUSE_FAILED, "incompatible-parameters", NULL, -1);
	return false;
}

/* --- whom media are to expect ------------------------------------------- */

static void say_security(struct call_run *r, unsigned number)
{
	const char *print[2];
	struct call_order *o;
	bool begins[2], video;
	unsigned role, of = 0;

	for (role = 0; role < 2; role++) {
		const struct leg *l = &r->c->leg[role ^ r->c->caller];

		print[role] = leg_print(l, number, &begins[role]);
		/* The other's is not needed where he alone has it. */
		of += print[role] ? 1 + (leg_joins(l, (int)number, &video,
						   r->ev->arena) >= 0) : 0;
	}
	if (of < 2)
		return;
	r->c->transport[number].secured = true;
	for (role = 0; role < 2; role++) {
		if (!print[role])
			continue;
		o = call_order(r, ORDER_SECURITY, number);
		o->role = role;
		o->print = arena_strdup(r->ev->arena, print[role]);
		o->active = !begins[role];
	}
}

/* Of the transports that both have accepted, not earlier: a handshake of ours
 * at the port of one that is then bundled away would hit another's. */
void call_expect_both(struct call_run *r)
{
	unsigned i;

	if (r->c->mode != MODE_ROOM || r->c->leg[0].absent ||
	    r->c->leg[1].absent)
		return;
	for (i = 0; i < LEG_TRANSPORTS_MAX; i++) {
		if (call_transport_state(r->c, i) != TRANSPORT_READY)
			continue;
		if (!r->c->transport[i].secured)
			say_security(r, i);
		/* A content more may be on it. */
		say_homes(r, i);
		say_maps(r, i);
	}
}

void call_expect_caller(struct call_run *r)
{
	struct call *c = r->c;
	struct call_order *o;
	const char *print;
	bool begins;
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++) {
		print = call_transport_state(c, i) == TRANSPORT_READY ?
			leg_print(call_caller(c), i, &begins) : NULL;
		if (!print)
			continue;
		o = call_order(r, ORDER_SECURITY, i);
		o->print = arena_strdup(r->ev->arena, print);
		o->active = !begins;
	}
}

/* --- what a user says of his ICE ------------------------------------------ */

void call_on_transport_info(struct call_run *r, unsigned side,
			    const struct leg_action *a)
{
	struct call *c = r->c;
	struct leg *mine = &c->leg[side];

	/* What the called device says before its answer counts with that. */
	if ((side == c->caller || c->state == CALL_UP) &&
	    !keeps_fingerprints(r, side, a->tree))
		return;
	if (mine->state == LEG_ACTIVE)
		call_take_ice(r, side, a->tree);
	else
		leg_keep(mine, a->tree, a->action, 0, mine->device);
}

void call_take_ice(struct call_run *r, unsigned side,
		   const struct xml_elem *tree)
{
	leg_take_ice(&r->c->leg[side], tree, call_leg(r, side));
	call_join(r);
}

void call_take_kept_ice(struct call_run *r, unsigned side)
{
	struct leg *mine = &r->c->leg[side];
	unsigned relay, n = mine->early_n;
	enum jingle_action action;
	struct xml_elem *tree;

	while (n-- && (tree = leg_take_kept(mine, mine->device, &action,
					    &relay, r->ev->arena))) {
		if (action == JINGLE_TRANSPORT_INFO)
			call_take_ice(r, side, tree);
		else
			leg_keep(mine, tree, action, relay, mine->device);
	}
}

void call_start_ice(struct call_run *r, const struct xml_elem *answer)
{
	struct call *c = r->c;
	struct leg *from = call_caller(c);

	if (from->offer) {
		call_take_ice(r, c->caller,
			      xml_copy(r->ev->arena, from->offer->elem));
	} else {
		leg_take_known(from, -1, call_leg(r, c->caller));
		call_join(r);
	}
	call_take_kept_ice(r, c->caller);
	call_take_ice(r, !c->caller, answer);
	call_take_kept_ice(r, !c->caller);
	call_expect_both(r);
	c->up_at = r->ev->now;
}

void call_say_again(struct call_run *r)
{
	struct call *c = r->c;
	unsigned number = r->ev->transport, side;

	/* What was not answered by now is lost with the connection, and asked
	 * for once more. */
	c->transport[number].renewing = 0;
	for (side = 0; side < 2; side++) {
		if (c->leg[side].absent) {
			/* Who is waited for has not been there yet. */
			if (!call_waits(c) || call_returns(c, side))
				call_renew(r, side, number);
			continue;
		}
		leg_take_known(&c->leg[side], (int)number, call_leg(r, side));
		call_join(r);
	}
	if (call_waits(c) && !c->leg[c->caller].absent)
		call_expect_caller(r);
	if (c->mode != MODE_ROOM || c->leg[0].absent || c->leg[1].absent)
		return;
	say_security(r, number);
	if (!c->transport[number].secured)
		return;
	say_homes(r, number);
	say_maps(r, number);
}

void call_on_ice(struct call_run *r, unsigned side,
		 const struct leg_action *a)
{
	struct call_transport *t = &r->c->transport[a->number];
	unsigned role = side != r->c->caller, i;
	struct call_order *o;

	if (a->ice->pwd) {
		o = call_order(r, ORDER_REMOTE, a->number);
		o->role = role;
		o->ufrag = a->ice->ufrag;
		o->pwd = a->ice->pwd;
	}
	for (i = 0; i < a->ice->candidates &&
	     t->candidates[role]++ < CALL_CANDIDATES_MAX; i++) {
		o = call_order(r, ORDER_CANDIDATE, a->number);
		o->role = role;
		o->ufrag = a->ice->ufrag;
		o->candidate = &a->ice->candidate[i];
	}
	if (a->ice->gathering_complete)
		call_order(r, ORDER_END, a->number)->role = role;
}

/* --- contents that come and go ------------------------------------------- */

static void deny(struct call_run *r, unsigned side, unsigned relay,
		 const char *type, const char *condition)
{
	leg_reply_condition(&r->c->leg[side], relay, type, condition,
			    call_leg(r, side));
	call_join(r);
}

/* Until its transports are there. What cannot be kept is refused. */
static void keep(struct call_run *r, unsigned side, const struct leg_action *a)
{
	struct leg *mine = &r->c->leg[side];
	unsigned n = mine->early_n;

	leg_keep(mine, a->tree, a->action, a->relay, NULL);
	if (mine->early_n > n)
		return;
	if (a->action == JINGLE_CONTENT_ADD)
		drop_asked(r);
	deny(r, side, a->relay, "wait", "resource-constraint");
}

/* One more could be told from those that are there by nothing. */
static bool is_apart(const struct call *c)
{
	return leg_has_joined(&c->leg[0], &c->leg[1]) ||
	       leg_has_joined(&c->leg[1], &c->leg[0]);
}

static void add(struct call_run *r, unsigned side, const struct leg_action *a)
{
	if (lack_of(r, a->tree) || is_apart(r->c)) {
		deny(r, side, a->relay, "cancel", "not-acceptable");
	} else if (waits(r->c)) {
		deny(r, side, a->relay, "wait", "resource-constraint");
	} else if (!open_contents(r, a->tree) ||
		   !keep_says(r, side, a->tree)) {
		drop_asked(r);
		deny(r, side, a->relay, "wait", "resource-constraint");
	} else {
		leg_keeps_fingerprints(&r->c->leg[side], a->tree,
				       r->ev->arena);
		keep(r, side, a);
	}
}

/* False: it is not, as media of it would not be encrypted, or mixed with their
 * control. */
static bool accepted(struct call_run *r, unsigned side,
		     const struct leg_action *a)
{
	enum leg_lack lack = lack_of(r, a->tree);
	const struct xml_elem *e;
	const char *name;

	if (is_insecure(lack)) {
		call_insecure(r, lacks[lack]);
		return false;
	}
	if (lack || !keep_says(r, side, a->tree)) {
		deny(r, side, a->relay, "cancel", "not-acceptable");
		return false;
	}
	for (e = xml_child(a->tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		join(r, name, leg_shares(&r->c->leg[side], name));
	}
	call_take_ice(r, side, a->tree);
	agree(r, a->tree);
	call_expect_both(r);
	return true;
}

static void drop_unneeded(struct call_run *r)
{
	struct call *c = r->c;
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		if (call_transport_state(c, i) != TRANSPORT_FREE &&
		    !needs(&c->leg[0], i) && !needs(&c->leg[1], i))
			drop(r, i);
}

/* Who is about to come back is still to be answered: his has no pair any
 * more, nor its home. */
static void remove_of(struct call_run *r, unsigned side, const char *name)
{
	struct leg *l = &r->c->leg[side];

	if (call_returns(r->c, side))
		leg_set_home(l, name, leg_transport(l, name));
	else
		leg_set_transport(l, name, -1);
}

static void removed(struct call_run *r, const struct leg_action *a)
{
	const struct xml_elem *e;
	unsigned i;

	for (e = xml_child(a->tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content"))
		for (i = 0; i < 2; i++)
			remove_of(r, i, xml_get(e, "name"));
	drop_unneeded(r);
	call_return_ready(r);
}

bool call_media_takes(struct call_run *r, unsigned side,
		      const struct leg_action *a)
{
	struct leg *mine = &r->c->leg[side];

	if (!keeps_fingerprints(r, side, a->tree))
		return true;
	switch (a->action) {
	case JINGLE_TRANSPORT_REPLACE:
		/* It stays ICE-UDP, and ours: nothing can replace it. */
		deny(r, side, a->relay, "cancel", "feature-not-implemented");
		return true;
	case JINGLE_TRANSPORT_ACCEPT:
	case JINGLE_TRANSPORT_REJECT:
		deny(r, side, a->relay, "wait", "unexpected-request");
		return true;
	case JINGLE_CONTENT_ADD:
		add(r, side, a);
		return true;
	case JINGLE_CONTENT_ACCEPT:
		if (!accepted(r, side, a))
			return true;
		break;
	case JINGLE_CONTENT_REJECT:
	case JINGLE_CONTENT_REMOVE:
		removed(r, a);
		break;
	default:
		break;
	}
	if (!mine->early_n)
		return false;
	/* Not before the content-add that waits. */
	keep(r, side, a);
	return true;
}

void call_release(struct call_run *r, unsigned side)
{
	struct leg *mine = &r->c->leg[side];
	enum jingle_action action;
	struct xml_elem *tree;
	unsigned relay;

	while ((tree = leg_take_kept(mine, NULL, &action, &relay,
				     r->ev->arena))) {
		leg_relay(&r->c->leg[!side], tree, action, relay,
			  call_leg(r, !side));
		call_join(r);
		if (action == JINGLE_CONTENT_ADD)
			call_take_ice(r, side, tree);
	}
}

static void give_up_adding(struct call_run *r, unsigned side)
{
	struct leg *mine = &r->c->leg[side];
	enum jingle_action action;
	unsigned relay;

	while (leg_take_kept(mine, NULL, &action, &relay, r->ev->arena))
		deny(r, side, relay, "wait", "resource-constraint");
}

void call_stop_adding(struct call_run *r)
{
	drop_asked(r);
	give_up_adding(r, 0);
	give_up_adding(r, 1);
}

/* --- the media process answers -------------------------------------------- */

static void set_ours(struct leg *l, const struct call_event *ev, unsigned role)
{
	leg_set_ours(l, ev->transport, ev->ufrag[role], ev->pwd[role]);
	leg_set_print(l, ev->transport, ev->print);
}

void call_on_ready(struct call_run *r)
{
	const struct call_event *ev = r->ev;
	struct call *c = r->c;
	unsigned role;

	if (call_transport_state(c, ev->transport) != TRANSPORT_ASKED)
		return;
	if (c->mode == MODE_ROOM && !ev->print) {
		call_no_media(r);
		return;
	}
	c->transport[ev->transport].state = TRANSPORT_READY;
	for (role = 0; role < 2; role++)
		set_ours(&c->leg[role ^ c->caller], ev, role);
	if (waits(c))
		return;
	c->media_asked = 0;
	if (c->state == CALL_RINGING) {
		call_want_offer(r);
	} else if (c->state == CALL_SETUP) {
		call_offer_now(r);
	} else {
		/* Of who comes back nothing leaves before his answer. */
		for (role = 0; role < 2; role++)
			if (!call_returns(c, role))
				call_release(r, role);
		call_return_ready(r);
	}
	call_do(r, CALL_DO_SAVE);
}

void call_no_media(struct call_run *r)
{
	if (r->c->state != CALL_UP) {
		call_end(r, CAUSE_NO_CAPACITY, NULL, NULL, -1);
		return;
	}
	call_stop_adding(r);
	call_return_fails(r);
}
