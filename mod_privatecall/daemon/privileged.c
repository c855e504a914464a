/* privileged.c: what a server without our module knows of caller and callee,
 * asked by XEP-0356 when a call is about to ring: their block lists, and the
 * callee's roster, one after the other, as far as they are granted.
 *
 * They are asked of whoever is called, known or not, and all count against one
 * time limit, so that how long the answer takes says nothing (A06).
 */
#include "mod_privatecall/daemon/daemon.h"
#include <string.h>
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/presence/privilege.h"

static const char *user(const struct call_entry *e, bool caller)
{
	return e->call.leg[caller ? e->call.caller : !e->call.caller].user;
}

static bool is_granted(const struct daemon *dm, const char *bare,
		       enum host_iq what)
{
	const struct module_host *m = modules_find(dm, strchr(bare, '@') + 1);
	unsigned wanted = what == HOST_ROSTER ? PRIVILEGE_ROSTER :
						PRIVILEGE_BLOCKS;

	return m && m->granted & wanted;
}

/* False: it is not asked. */
static bool ask_one(struct call_entry *e, enum host_iq what, int64_t deadline,
		    struct arena *arena)
{
	struct daemon *dm = e->dm;
	const char *id = arena_printf(arena, "facts-%u", ++dm->questions);
	const char *domain = dm->conf->domain;
	const char *whose = user(e, what == HOST_BLOCKED);
	struct xml_elem *iq = what == HOST_ROSTER ?
			      privilege_ask_roster(arena, id, domain, whose) :
			      privilege_ask_blocks(arena, id, domain, whose);

	return is_granted(dm, whose, what) &&
	       modules_send(dm, iq, whose, deadline, what, e->pair,
			    e->call.ask);
}

/* The first of those from `what` on. False: none is left. */
static bool ask_next(struct call_entry *e, int what, int64_t deadline,
		     struct arena *arena)
{
	for (; what <= HOST_ROSTER; what++)
		if (ask_one(e, (enum host_iq)what, deadline, arena))
			return true;
	return false;
}

bool privileged_ask(struct call_entry *e, struct arena *arena)
{
	memset(&e->told, 0, sizeof(e->told));
	e->told.partial = true;
	return ask_next(e, HOST_BLOCKS, clock_now() +
			e->dm->site.facts_timeout, arena);
}

static bool names(const struct stanza *s, const char *bare,
		  struct arena *arena)
{
	struct jid who;

	return !jid_parse(arena, bare, &who) &&
	       privilege_is_blocked(s->elem, &who);
}

void privileged_answered(struct daemon *dm, const struct iq_asked *q,
			 const struct stanza *s, struct arena *arena)
{
	struct call_entry *e = calls_asking(dm, q->context, q->number);
	struct module_facts told;

	if (!e)
		return;
	if (s && strcmp(s->type, "result") == 0) {
		if (q->kind == HOST_ROSTER)
			e->told.contact = privilege_has_item(s->elem,
							     user(e, true));
		else if (names(s, user(e, q->kind == HOST_BLOCKS), arena))
			e->told.blocked = true;
	}
	if (s && ask_next(e, (int)q->kind + 1, q->deadline, arena))
		return;
	dm->count.facts_late += !s;
	told = e->told;
	calls_told(e, &told, arena);
}
