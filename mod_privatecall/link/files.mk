# files.mk: sources of mod_privatecall/link.
mod_privatecall_link_SRC = \
	mod_privatecall/link/iq.c \
	mod_privatecall/link/iq.h \
	mod_privatecall/link/link.c \
	mod_privatecall/link/link.h \
	mod_privatecall/link/link_conn.c \
	mod_privatecall/link/link_ping.c \
	mod_privatecall/link/link_private.h \
	mod_privatecall/link/link_stream.c \
	mod_privatecall/link/queue.c \
	mod_privatecall/link/queue.h
