/* why.c: the two reasons codecs give for not accepting a stanza. */
#include "jingle/stanza/why.h"

#include <errno.h>

static void why_set(struct why *why, const char *condition, const char *text)
{
	if (!why)
		return;
	*why = (struct why){
		.type = "modify",
		.condition = condition,
		.text = text,
	};
}

int why_bad(struct why *why, const char *text)
{
	why_set(why, "bad-request", text);
	return EBADMSG;
}

int why_over(struct why *why, const char *text)
{
	why_set(why, "policy-violation", text);
	return EOVERFLOW;
}
