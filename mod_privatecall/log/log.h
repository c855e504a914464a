/* log.h: lines of key=value on stderr; every value escaped, JIDs by
 * log_privacy. When stderr is the journal of systemd a <N> priority goes first
 * and the time is left out.
 */
#ifndef MOD_PRIVATECALL_LOG_LOG_H
#define MOD_PRIVATECALL_LOG_LOG_H

#include <stdint.h>
#include "mod_privatecall/policy/settings.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* JIDs are hashed with this salt (kept in the store, per site). */
void log_setup(enum log_privacy privacy, const char *salt);
void log_set_privacy(enum log_privacy privacy);

/* log_line(LOG_INFO, "call answered", "call", id, "user", log_jid, jid, NULL):
 * pairs of key and value; the value `log_jid` says that the next one is a JID.
 * It is known by its address: no text of a peer can be it. A pair with a NULL
 * value is left out; a NULL key ends the list. */
extern const char log_jid[];
void log_line(enum log_level level, const char *message, ...)
	__attribute__((sentinel));
/* At most once in 10 s (`now`: monotonic ms; start with zeroes): true, say
 * it. How many were not said is a line of its own then. */
struct log_rate { int64_t last; unsigned long suppressed; };
bool log_allowed(struct log_rate *r, int64_t now);

#endif
