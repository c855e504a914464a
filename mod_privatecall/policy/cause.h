/* cause.h: why a call is refused or ended: product.md's table "Refusals" as
 * one const table.
 */
#ifndef MOD_PRIVATECALL_POLICY_CAUSE_H
#define MOD_PRIVATECALL_POLICY_CAUSE_H

#include <stdbool.h>
#include "jingle/xml/arena.h"

enum cause {
	CAUSE_NONE,                /* may ring */
	/* row 1: the same bytes, after the fixed delay */
	CAUSE_NOT_ACTIVE,
	CAUSE_DND,
	CAUSE_UNKNOWN_USER,
	CAUSE_BLOCKED,
	/* row 2: the same bytes, after the fixed delay */
	CAUSE_PRIVACY,
	CAUSE_NEEDS_MESSAGING,
	/* the others */
	CAUSE_SWITCH_OFF,
	CAUSE_NO_VIDEO,
	CAUSE_BUSY,
	CAUSE_DECLINED,
	CAUSE_UNANSWERED,
	CAUSE_CANCELLED,
	CAUSE_GLARE,
	CAUSE_LIMIT,
	CAUSE_SELF,
	CAUSE_REMOTE,
	CAUSE_NO_CODEC,
	CAUSE_NO_CAPACITY,
	CAUSE_DRAINING,
	CAUSE_RESTART,
	CAUSE_CALLER_GONE,         /* the caller vanished while it rang */
	CAUSE_FAILED,              /* setup ran out, media or security error */
	CAUSE_STALE,               /* a propose from the past */
	CAUSE_ENDED,               /* after an answer */
	CAUSE_SWITCHED,            /* after an answer: the user took another
				      call (F26) */
	CAUSE_REENTERED,           /* after an answer: the call begins anew */
	CAUSE_ADMIN,               /* ended by the admin */
	CAUSE_INTERRUPTED,         /* the media process died under it */
	CAUSE_INSECURE,            /* after media: whose they are is not sure */
	CAUSES
};

/* What the callee is told afterwards. */
enum callee_notice {
	CALLEE_NONE,
	CALLEE_MISSED,
	CALLEE_WRITE_BACK,         /* declined: offer to write to the caller */
	CALLEE_SAME,               /* the caller's text */
	CALLEE_DETAILS
};

struct cause_row {
	const char *name;          /* word in log, ctl and store */
	const char *reason;        /* Jingle reason to the caller; NULL: as
				      given by the peer, or none */
	const char *text;          /* English; %s is the callee's name; NULL:
				      none */
	bool fixed_delay;          /* answered after site.refuse_delay */
	bool offer;                /* offer of a message to the caller */
	bool caller_notice;        /* the caller gets a notice */
	enum callee_notice callee;
};

const struct cause_row *cause_row(enum cause c);
/* The text with the name filled in; NULL when the row has none. `name` is
 * the local part of the callee's address; its first letter is made upper
 * case. */
char *cause_text(struct arena *a, enum cause c, const char *name);
/* The cause of a name; CAUSES: none. */
enum cause cause_parse(const char *name);

#endif
