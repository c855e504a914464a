# files.mk: sources of jingle/media.
jingle_media_SRC = \
	jingle/media/addr.c jingle/media/addr.h \
	jingle/media/demux.c jingle/media/demux.h \
	jingle/media/hmac.c jingle/media/hmac.h \
	jingle/media/stun.c jingle/media/stun.h
