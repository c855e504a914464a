/* report.h: what came of test calls, for people or as JSON. */
#ifndef MOD_PRIVATECALL_PROBE_REPORT_H
#define MOD_PRIVATECALL_PROBE_REPORT_H

#include "mod_privatecall/probe/trial.h"

/* Prints it to standard output; how many calls failed. */
unsigned report_text(const struct trials *ts);
unsigned report_json(const struct trials *ts);

#endif
