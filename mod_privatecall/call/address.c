/* address.c: who the legs say they are: the one place where calls to our own
 * addresses and calls to the users' differ (product.md, "Addresses and ids").
 *
 *                              gateway              native
 *  callee's leg speaks as      caller's contact     caller's device
 *  caller's leg speaks as      callee's contact     callee/privatecall, from
 *                                                   proceed on his device
 *  id of the callee's leg      ours                 the caller's
 */
#include "mod_privatecall/call/call_private.h"

#define CONTACT_RESOURCE "call"
#define NATIVE_RESOURCE "privatecall"

static void speak_as(struct call_run *r, unsigned side, const char *full,
		     bool gateway)
{
	if (full)
		leg_speak_as(&r->c->leg[side], full, gateway);
}

static const char *with(struct call_run *r, const char *bare,
			const char *resource)
{
	return arena_join(r->ev->arena, bare, "/", resource);
}

void call_choose_addresses(struct call_run *r, unsigned side,
			   const struct stanza *dialed)
{
	struct call *c = r->c;
	const char *callee = c->leg[!side].user;

	c->native = strcmp(dialed->to.bare, callee) == 0;
	if (c->native) {
		speak_as(r, side, with(r, callee, NATIVE_RESOURCE), false);
		speak_as(r, !side, dialed->from.full, false);
		return;
	}
	speak_as(r, side, with(r, c->contact[side], CONTACT_RESOURCE), true);
	speak_as(r, !side, with(r, c->contact[!side], CONTACT_RESOURCE),
		 true);
}

void call_answer_address(struct call_run *r, const char *device)
{
	/* Later he would not know whom he talks to any more. */
	if (r->c->native && call_caller(r->c)->state == LEG_PROPOSED)
		speak_as(r, r->c->caller, device, false);
}

void call_return_address(struct call_run *r, unsigned side,
			 const struct stanza *dialed)
{
	const struct leg *other = &r->c->leg[!side];

	if (strcmp(dialed->to.bare, other->user) == 0)
		speak_as(r, side, other->device, false);
	else
		speak_as(r, side, with(r, r->c->contact[side],
				       CONTACT_RESOURCE), true);
}

const char *call_callee_sid(struct call_run *r)
{
	char *sid;

	if (r->c->native)
		return call_caller(r->c)->sid;
	sid = arena_alloc(r->ev->arena, CALL_ID_SIZE);
	if (sid)
		call_uuid(sid, call_entropy(r));
	return sid;
}

void call_restore_native(struct call *c, unsigned side, const char *full)
{
	leg_speak_as(&c->leg[side], full, false);
	c->native = true;
}
