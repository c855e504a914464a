# files.mk: sources of mod_privatecall/probe. The benchmark has its peers, too.
mod_privatecall_probe_SRC = \
	mod_privatecall/probe/accounts.c mod_privatecall/probe/accounts.h \
	mod_privatecall/probe/mend.c mod_privatecall/probe/mend.h \
	mod_privatecall/probe/peer.c mod_privatecall/probe/peer.h \
	mod_privatecall/probe/phone.c mod_privatecall/probe/phone.h \
	mod_privatecall/probe/phone_says.c \
	mod_privatecall/probe/report.c mod_privatecall/probe/report.h \
	mod_privatecall/probe/trial.c mod_privatecall/probe/trial.h \
	mod_privatecall/probe/trial_private.h \
	mod_privatecall/probe/trials.c
# What needs libstrophe, and the program.
mod_privatecall_probe_MAIN_SRC = \
	mod_privatecall/probe/client.c mod_privatecall/probe/client.h \
	mod_privatecall/probe/main.c
