/* log.h: lines of key=value on stderr; every value escaped, JIDs by
 * log_privacy. For systemd a <N> priority goes first when stderr is a journal
 * stream.
 */
#ifndef MOD_PRIVATECALL_DAEMON_LOG_H
#define MOD_PRIVATECALL_DAEMON_LOG_H

#include <stdint.h>
#include "mod_privatecall/policy/settings.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* JIDs are hashed with this salt (kept in the store, per site). */
void log_setup(enum log_privacy privacy, const char *salt);

/* log_line(LOG_INFO, "call answered", "call", id, "user", "@", jid, NULL):
 * pairs of key and value; the value "@" says that the next one is a JID. A
 * NULL value is left out... so the list ends with a NULL key. */
void log_line(enum log_level level, const char *message, ...)
	__attribute__((sentinel));
/* As log_line, but at most once in 10 s per `*last` (monotonic ms, start with
 * 0); `*suppressed` counts what was not said and is added to the line. */
struct log_rate { int64_t last; unsigned long suppressed; };
bool log_allowed(struct log_rate *r, int64_t now);

#endif
