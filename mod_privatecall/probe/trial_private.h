/* trial_private.h: between trials.c, which runs calls, and trial.c, which is
 * one of them.
 */
#ifndef MOD_PRIVATECALL_PROBE_TRIAL_PRIVATE_H
#define MOD_PRIVATECALL_PROBE_TRIAL_PRIVATE_H

#include "mod_privatecall/probe/trial.h"

/* Both log in. */
void trial_begin(struct trial *t);
/* What is due, and what media have come to. */
void trial_turn(struct trial *t, int64_t now);
/* Media went on for long enough. */
void trial_judge(struct trial *t);

#endif
