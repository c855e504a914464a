# files.mk: sources of mod_privatecall/presence.
mod_privatecall_presence_SRC = \
	mod_privatecall/presence/address.c mod_privatecall/presence/address.h \
	mod_privatecall/presence/gateway.c mod_privatecall/presence/gateway.h \
	mod_privatecall/presence/gateway_private.h \
	mod_privatecall/presence/bundle.c \
	mod_privatecall/presence/features.c \
	mod_privatecall/presence/mirror.c \
	mod_privatecall/presence/module.c mod_privatecall/presence/module.h \
	mod_privatecall/presence/privilege.c \
	mod_privatecall/presence/privilege.h \
	mod_privatecall/presence/session.c \
	mod_privatecall/presence/roster.c \
	mod_privatecall/presence/show.c \
	mod_privatecall/presence/answer.c \
	mod_privatecall/presence/chat.c
