# files.mk: sources of mod_privatecall/media: what is pure.
mod_privatecall_media_SRC = \
	mod_privatecall/media/relay.c mod_privatecall/media/relay.h \
	mod_privatecall/media/relay_pass.c \
	mod_privatecall/media/relay_private.h \
	mod_privatecall/media/relay_room.c \
	mod_privatecall/media/relay_table.c \
	mod_privatecall/media/wire.c mod_privatecall/media/wire.h
# What touches the world, and has unit tests.
mod_privatecall_media_DRIVER_SRC = \
	mod_privatecall/media/udp.c mod_privatecall/media/udp.h
# And what only privatecall-media has.
mod_privatecall_media_MAIN_SRC = \
	mod_privatecall/media/control.c mod_privatecall/media/control.h \
	mod_privatecall/media/local.c mod_privatecall/media/local.h \
	mod_privatecall/media/main.c \
	mod_privatecall/media/pace.h \
	mod_privatecall/media/worker.c mod_privatecall/media/worker.h
