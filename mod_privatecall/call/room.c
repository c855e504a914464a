/* room.c: a running session: what one side says goes to the other (F6, F13).
 *
 * Answers are relayed end to end, so that a tie-break between two ICE restarts
 * reaches the client that must give way.
 */
#include "mod_privatecall/call/call_private.h"
#include "jingle/stanza/ns.h"

static bool adds_video(const struct leg_action *a)
{
	const struct xml_elem *e, *d;
	const char *media;

	if (a->action != JINGLE_CONTENT_ADD)
		return false;
	for (e = xml_child(a->tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		d = xml_child(e, NS_RTP, "description");
		media = xml_get(d, "media");
		if (media && strcmp(media, "video") == 0)
			return true;
	}
	return false;
}

/* In `room` the other may be away, or have no such content. */
static bool concerns(const struct leg *other, const struct leg_action *a)
{
	const struct xml_elem *e = xml_child(a->tree, NS_JINGLE, "content");

	if (other->state != LEG_ACTIVE)
		return false;
	if (!other->ends_dtls)
		return true;
	for (; e; e = xml_next(e, NS_JINGLE, "content"))
		if (!leg_knows(other, xml_get(e, "name")))
			return false;
	return true;
}

void call_on_relay(struct call_run *r, unsigned side,
		   const struct leg_action *a)
{
	struct call *c = r->c;
	struct leg *mine = &c->leg[side], *other = &c->leg[!side];

	if (adds_video(a) && !r->ev->site->allow_video) {
		leg_reply_condition(mine, a->relay, "cancel", "not-allowed",
				    call_leg(r, side));
		call_join(r);
		return;
	}
	if (other->state != LEG_ACTIVE && a->action == JINGLE_CONTENT_ADD) {
		leg_reply_condition(mine, a->relay, "wait",
				    "unexpected-request", call_leg(r, side));
		call_join(r);
		return;
	}
	if (call_has_media(c) && call_media_takes(r, side, a))
		return;
	if (!concerns(other, a)) {
		leg_reply(mine, a->relay, NULL, call_leg(r, side));
		call_join(r);
		return;
	}
	leg_relay(other, a->tree, a->action, a->relay, call_leg(r, !side));
	call_join(r);
}

void call_on_trickle(struct call_run *r, unsigned side,
		     const struct leg_action *a)
{
	struct call *c = r->c;
	struct leg *mine = &c->leg[side], *other = &c->leg[!side];

	if (call_has_media(c) && a->action == JINGLE_TRANSPORT_INFO) {
		call_on_transport_info(r, side, a);
		return;
	}
	if (call_returns(c, side)) {           /* nobody was told of him yet */
		leg_keep(mine, a->tree, a->action, 0, mine->device);
		return;
	}
	switch (other->state) {
	case LEG_RINGING:      /* for whoever answers, and who has the offer */
		leg_keep(mine, a->tree, a->action, 0, mine->device);
		leg_relay(other, a->tree, a->action, 0, call_leg(r, !side));
		call_join(r);
		break;
	case LEG_INITIATED:
	case LEG_ACTIVE:
		leg_relay(other, a->tree, a->action, 0, call_leg(r, !side));
		call_join(r);
		break;
	default:               /* not before the accept that it belongs to */
		leg_keep(mine, a->tree, a->action, 0, mine->device);
		break;
	}
}
