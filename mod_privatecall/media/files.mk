# files.mk: sources of mod_privatecall/media: what is pure.
mod_privatecall_media_SRC = \
	mod_privatecall/media/wire.c mod_privatecall/media/wire.h
