/* verdict.c: the order of the refusals (see verdict.h).
 *
 * The limit goes before all: refusals over it are not kept in the log, and
 * those of any other cause are, so none may come without end (A13). What is
 * the asker's own or the site's comes next: it says nothing about the callee.
 * Privacy comes before activity, so that a forbidden caller never learns
 * whether the callee is there; an unknown user passes through the same tests
 * with the site's default settings and so answers as one who is away.
 */
#include "mod_privatecall/policy/verdict.h"

static bool forbidden(const struct verdict_facts *f)
{
	switch (f->callee.who_may_call) {
	case WHO_EVERYONE:
		return false;
	case WHO_SERVER:
		return !f->same_server && !f->contact;
	case WHO_CONTACTS:
		return !f->contact;
	default:               /* WHO_NOBODY */
		return true;
	}
}

enum cause verdict(const struct settings_site *site,
		   const struct verdict_facts *f)
{
	if (f->over_limit)
		return CAUSE_LIMIT;
	if (f->self)
		return CAUSE_SELF;
	if (!site->remote_users && (f->caller_remote || f->callee_remote))
		return CAUSE_REMOTE;
	if (!f->enabled)
		return CAUSE_SWITCH_OFF;
	if (f->draining)
		return CAUSE_DRAINING;
	if (f->no_capacity)
		return CAUSE_NO_CAPACITY;
	if (f->video && !site->allow_video)
		return CAUSE_NO_VIDEO;
	if (forbidden(f))
		return CAUSE_PRIVACY;
	if (site->calls_require_messaging && !verdict_offer(f))
		return CAUSE_NEEDS_MESSAGING;
	if (!f->known)
		return CAUSE_UNKNOWN_USER;
	if (f->blocked)
		return CAUSE_BLOCKED;
	if (!f->active)
		return f->dnd ? CAUSE_DND : CAUSE_NOT_ACTIVE;
	if (f->in_call && f->callee.second_call == SECOND_BUSY)
		return CAUSE_BUSY;
	return CAUSE_NONE;
}

bool verdict_offer(const struct verdict_facts *f)
{
	return f->messaging && f->caller.messages && f->callee.messages;
}
