/* clock.h: the one place time comes from. Two programs differ here alone: the
 * installed daemon (clock.c) and the test build (clock_test.c), which can be
 * moved forward by `privatecallctl clock +31s` and stopped by `clock hold`.
 */
#ifndef MOD_PRIVATECALL_DAEMON_CLOCK_H
#define MOD_PRIVATECALL_DAEMON_CLOCK_H

#include <stdint.h>
#include "mod_privatecall/admin/ctl.h"

int64_t clock_now(void);           /* monotonic ms */
int64_t clock_wall(void);          /* ms since 1970 */
/* The test build's own control command, NULL in the installed one. */
const struct ctl_command *clock_command(void);

#endif
