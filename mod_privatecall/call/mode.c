/* mode.c: which mode `media = auto` comes to, once per round, when the offer
 * goes to the callee.
 *
 * `blind` where both clients fit: the media stay encrypted between the two.
 * It needs both to group contents alike, for what one sends by one transport
 * cannot be split for the other without reading it: who offers a group may not
 * take an answer without, nor who bundles an offer without. `room` joins any
 * two, and lets one stay while the other is away (`on_leave = hold`), or wait
 * for him (`rejoin = notify`).
 */
#include "mod_privatecall/call/call_private.h"
#include "jingle/stanza/source.h"

static bool has_bundle(const struct xml_elem *tree, struct arena *a)
{
	struct content_group *g;
	struct why why;
	unsigned n, i;

	if (group_parse(a, tree, &g, &n, &why))
		return false;
	for (i = 0; i < n; i++)
		if (strcmp(g[i].semantics, "BUNDLE") == 0)
			return true;
	return false;
}

bool call_needs_room(const struct settings_site *s)
{
	return s->media == MODE_ROOM ||
	       (s->media == MODE_AUTO && (s->on_leave == LEAVE_HOLD ||
					  s->rejoin == REJOIN_NOTIFY));
}

enum media_mode call_choose_mode(struct call_run *r,
				 const struct xml_elem *offer)
{
	struct arena *a = r->ev->arena;

	if (call_needs_room(r->ev->site))
		return MODE_ROOM;
	if (r->ev->site->media != MODE_AUTO)
		return r->ev->site->media;
	/* `room` could not read it. */
	if (leg_lacks(offer, true, a) == LEG_LACKS_PLAIN)
		return MODE_BLIND;
	return has_bundle(offer, a) == leg_bundles(call_callee(r->c)) ?
	       MODE_BLIND : MODE_ROOM;
}

void call_learn_bundles(struct call_run *r, const struct xml_elem *answer)
{
	const struct leg *to = call_callee(r->c);
	const struct xml_kept *offer = call_caller(r->c)->offer;
	bool bundles = has_bundle(answer, r->ev->arena);
	struct call_action *a;

	/* An answer to an offer without a group says nothing. */
	if (r->ev->site->media != MODE_AUTO || !offer ||
	    !has_bundle(offer->elem, r->ev->arena) ||
	    bundles == leg_bundles(to))
		return;
	a = call_do(r, CALL_DO_BUNDLES);
	a->device = arena_strdup(r->ev->arena, to->device);
	a->bundles = bundles;
}
