# files.mk: sources of mod_privatecall/policy.
mod_privatecall_policy_SRC = \
	mod_privatecall/policy/cause.c mod_privatecall/policy/cause.h \
	mod_privatecall/policy/settings.c mod_privatecall/policy/settings.h \
	mod_privatecall/policy/verdict.c mod_privatecall/policy/verdict.h
