jingle_session_SRC = \
	jingle/session/leg.c jingle/session/leg.h \
	jingle/session/leg_private.h \
	jingle/session/leg_in.c \
	jingle/session/leg_out.c \
	jingle/session/leg_media.c \
	jingle/session/leg_dtls.c \
	jingle/session/leg_filter.c \
	jingle/session/leg_says.c \
	jingle/session/leg_pack.c \
	jingle/session/leg_map.c jingle/session/leg_map.h \
	jingle/session/leg_return.c \
	jingle/session/leg_content.c \
	jingle/session/leg_store.c
