/* verdict.h: may this caller ring this callee now? All facts in, one cause
 * out; pure (product.md, F3, F4, F25-F27, X3, X4 and "Refusals").
 */
#ifndef MOD_PRIVATECALL_POLICY_VERDICT_H
#define MOD_PRIVATECALL_POLICY_VERDICT_H

#include "mod_privatecall/policy/cause.h"
#include "mod_privatecall/policy/settings.h"

struct verdict_facts {
	bool enabled;              /* the switch, override included */
	bool messaging;            /* the site's messaging switch */
	bool draining;
	bool no_capacity;
	bool over_limit;           /* per pair or per caller and minute */
	bool self;                 /* caller and callee are one */
	bool caller_remote, callee_remote;  /* of a domain not in hosts */
	bool same_server;          /* both of the hosts served */
	bool known;                /* callee is a user we know */
	bool active;               /* a device with priority >= 0 and a show in
				      active_show, within idle_limit */
	bool dnd;                  /* not active, and every available device
				      of his is dnd (for the log alone) */
	bool blocked;
	bool contact;              /* the caller counts as a contact of the
				      callee */
	bool in_call;              /* callee is in a call with another */
	bool video;                /* the propose asks for it */
	struct settings_user callee, caller;
};

enum cause verdict(const struct settings_site *site,
		   const struct verdict_facts *f);
/* An offer of a message may be made: site, caller and callee allow it (I09;
 * an unknown or blocking callee counts with the site's defaults). */
bool verdict_offer(const struct verdict_facts *f);

#endif
