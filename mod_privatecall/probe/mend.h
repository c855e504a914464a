/* mend.h: what an admin can do about a call that did not come about. */
#ifndef MOD_PRIVATECALL_PROBE_MEND_H
#define MOD_PRIVATECALL_PROBE_MEND_H

#include "mod_privatecall/probe/phone.h"

/* Of the connection of a user that is not there, in the words of who knows. */
const char *mend_login(const char *why);
/* Of what the service said of a call: one of its causes (policy/cause.h). */
const char *mend_told(const struct phone_said *told);
/* Of a stanza that came back with an error. `contacts`: there is a component
 * whose contacts are called. */
const char *mend_error(const char *condition, bool contacts);

extern const char mend_presence[], mend_no_module[], mend_no_answer[],
	mend_ice[], mend_dtls[], mend_one_way[], mend_loss[], mend_mode[],
	mend_log[];

#endif
