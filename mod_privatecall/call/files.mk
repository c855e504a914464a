mod_privatecall_call_SRC = \
	mod_privatecall/call/call.c mod_privatecall/call/call.h \
	mod_privatecall/call/call_private.h \
	mod_privatecall/call/address.c \
	mod_privatecall/call/ring.c \
	mod_privatecall/call/answer.c \
	mod_privatecall/call/mode.c \
	mod_privatecall/call/busy.c \
	mod_privatecall/call/transport.c \
	mod_privatecall/call/media.c \
	mod_privatecall/call/room.c \
	mod_privatecall/call/return.c \
	mod_privatecall/call/end.c
