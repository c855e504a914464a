/* text.h: the call machine's events and actions as lines of text: golden
 * traces, replay, readable fuzz findings.
 *
 * An event line is `[+MS] KIND WORDS`. +MS is for whoever runs the clock.
 *
 *   propose FROM ID audio[,video] [delayed]
 *   ringing|proceed|accept|retract|reject|finish FROM ID [REASON] [tie-break]
 *   jingle FROM ACTION SID [WORDS]      words: see text.c
 *   stanza XML                          any message or iq of the two
 *   result SIDE ID | timeout SIDE ID | error SIDE ID CONDITION [APP]
 *   bounce FROM ID CONDITION | receipt FROM
 *   facts CAUSE [offer] [JID[:plain][:full]]...
 *   gone JID | back JID | device JID[:plain][:full] | switched JID
 *   time | switch-off | drain | restored | hangup
 */
#ifndef MOD_PRIVATECALL_CALL_TEXT_H
#define MOD_PRIVATECALL_CALL_TEXT_H

#include "mod_privatecall/call/call.h"

/* Reads one event line for call `c` into *ev_r, whose arena must be set; the
 * step of time before it into *after_r. 0; ENODATA: blank line or comment
 * (#); EBADMSG: *why_r says what was expected; ENOMEM. */
int call_text_event(const struct call *c, const char *line,
		    struct call_event *ev_r, int64_t *after_r,
		    const char **why_r);
/* One action as a line without a newline. NULL: no memory. */
char *call_text_action(struct arena *a, const struct call *c,
		       const struct call_action *act);

#endif
