# files.mk: sources of mod_privatecall/log.
mod_privatecall_log_SRC = \
	mod_privatecall/log/log.c mod_privatecall/log/log.h
