# files.mk: sources of mod_privatecall/conf.
mod_privatecall_conf_SRC = \
	mod_privatecall/conf/conf.c \
	mod_privatecall/conf/conf.h \
	mod_privatecall/conf/option.c \
	mod_privatecall/conf/print.c \
	mod_privatecall/conf/private.h \
	mod_privatecall/conf/secret.c \
	mod_privatecall/conf/text.c
