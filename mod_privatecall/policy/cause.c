/* cause.c: the table of refusals and ends (see cause.h, product.md). */
#include "mod_privatecall/policy/cause.h"
#include <string.h>

#define NOT_ACTIVE "%s is not active right now."
#define FORBIDDEN "Action not allowed."
#define NO_CALLS "Calls are not available right now. Try again shortly."
#define FAILED "The call could not be connected."

/* name, reason, text, fixed delay, offer, caller's notice, callee's */
static const struct cause_row rows[CAUSES] = {
	[CAUSE_NONE] = { "none", NULL, NULL, 0, 0, 0, CALLEE_NONE },
	[CAUSE_NOT_ACTIVE] =
		{ "not-active", "gone", NOT_ACTIVE, 1, 1, 1, CALLEE_MISSED },
	[CAUSE_DND] = { "dnd", "gone", NOT_ACTIVE, 1, 1, 1, CALLEE_MISSED },
	[CAUSE_UNKNOWN_USER] =
		{ "unknown-user", "gone", NOT_ACTIVE, 1, 1, 1, CALLEE_NONE },
	[CAUSE_BLOCKED] =
		{ "blocked", "gone", NOT_ACTIVE, 1, 1, 1, CALLEE_NONE },
	[CAUSE_PRIVACY] =
		{ "privacy", "decline", FORBIDDEN, 1, 0, 1, CALLEE_NONE },
	[CAUSE_NEEDS_MESSAGING] =
		{ "needs-messaging", "decline", FORBIDDEN, 1, 0, 1,
		  CALLEE_NONE },
	[CAUSE_SWITCH_OFF] =
		{ "switch-off", "decline",
		  "Private calls are turned off on this server.", 0, 1, 1,
		  CALLEE_NONE },
	[CAUSE_NO_VIDEO] =
		{ "no-video", "decline", "Video calls are not allowed here.",
		  0, 1, 1, CALLEE_NONE },
	[CAUSE_BUSY] =
		{ "busy", "busy", "%s is in another call.", 0, 1, 1,
		  CALLEE_MISSED },
	[CAUSE_DECLINED] =
		{ "declined", "decline", "%s declined your call.", 0, 1, 1,
		  CALLEE_WRITE_BACK },
	[CAUSE_UNANSWERED] =
		{ "unanswered", "timeout", "%s did not answer.", 0, 1, 1,
		  CALLEE_MISSED },
	[CAUSE_CANCELLED] =
		{ "cancelled", "cancel", NULL, 0, 0, 0, CALLEE_MISSED },
	[CAUSE_GLARE] = { "glare", "expired", NULL, 0, 0, 0, CALLEE_NONE },
	[CAUSE_LIMIT] =
		{ "limit", "decline",
		  "Too many calls. Try again in a minute.", 0, 0, 1,
		  CALLEE_NONE },
	[CAUSE_SELF] =
		{ "self", "decline", "You cannot call yourself.", 0, 0, 1,
		  CALLEE_NONE },
	[CAUSE_REMOTE] =
		{ "remote", "decline", "Calls to other servers are off.", 0,
		  0, 1, CALLEE_NONE },
	[CAUSE_NO_CODEC] =
		{ "no-codec", "incompatible-parameters",
		  "Your devices have no common audio format.", 0, 1, 1,
		  CALLEE_MISSED },
	[CAUSE_NO_CAPACITY] =
		{ "no-capacity", "gone", NO_CALLS, 0, 1, 1, CALLEE_NONE },
	[CAUSE_DRAINING] =
		{ "draining", "gone", NO_CALLS, 0, 1, 1, CALLEE_NONE },
	[CAUSE_RESTART] =
		{ "restart", "gone", NO_CALLS, 0, 1, 1, CALLEE_NONE },
	[CAUSE_CALLER_GONE] =
		{ "caller-gone", "gone", NULL, 0, 1, 1, CALLEE_MISSED },
	[CAUSE_FAILED] =
		{ "failed", "connectivity-error", FAILED, 0, 1, 1,
		  CALLEE_SAME },
	[CAUSE_STALE] = { "stale", "expired", NULL, 0, 0, 0, CALLEE_NONE },
	[CAUSE_ENDED] =
		{ "ended", NULL, NULL, 0, 0, 1, CALLEE_DETAILS },
	[CAUSE_SWITCHED] =
		{ "switched", "success", "%s took another call.", 0, 0, 1,
		  CALLEE_DETAILS },
	[CAUSE_REENTERED] =
		{ "re-entered", "expired", NULL, 0, 0, 0, CALLEE_NONE },
	[CAUSE_ADMIN] =
		{ "ended-by-admin", "gone",
		  "The call was ended by the administrator.", 0, 0, 1,
		  CALLEE_DETAILS },
	[CAUSE_INTERRUPTED] =
		{ "interrupted", "connectivity-error",
		  "The call was interrupted.", 0, 0, 1, CALLEE_DETAILS },
	[CAUSE_INSECURE] =
		{ "insecure", "security-error",
		  "The call was ended: its encryption could not be verified.",
		  0, 0, 1, CALLEE_DETAILS },
};

const struct cause_row *cause_row(enum cause c)
{
	return &rows[c < CAUSES ? c : CAUSE_NONE];
}

char *cause_text(struct arena *a, enum cause c, const char *name)
{
	const char *text = cause_row(c)->text, *at;
	char *out;

	if (!text)
		return NULL;
	at = strstr(text, "%s");
	if (!at)
		return arena_strdup(a, text);
	out = arena_printf(a, "%.*s%s%s", (int)(at - text), text,
			   name ? name : "", at + 2);
	if (out && out[0] >= 'a' && out[0] <= 'z')
		out[0] = (char)(out[0] - 'a' + 'A');
	return out;
}

enum cause cause_parse(const char *name)
{
	int c;

	for (c = 0; c < CAUSES; c++)
		if (strcmp(rows[c].name, name) == 0)
			return (enum cause)c;
	return CAUSES;
}
