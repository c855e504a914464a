/* heap.h: calls by deadline, so that a tick costs what is due and no more. */
#ifndef MOD_PRIVATECALL_DAEMON_HEAP_H
#define MOD_PRIVATECALL_DAEMON_HEAP_H

#include "mod_privatecall/daemon/daemon.h"

/* Room for `n` entries in all. 0 or ENOMEM. */
int heap_reserve(struct daemon *dm, size_t n);
/* Puts (room must be reserved), moves or (deadline INT64_MAX) takes out an
 * entry. */
void heap_update(struct daemon *dm, struct call_entry *e);
void heap_remove(struct daemon *dm, struct call_entry *e);

#endif
