# files.mk: sources of jingle/media.
jingle_media_SRC = \
	jingle/media/addr.c jingle/media/addr.h \
	jingle/media/bytes.h \
	jingle/media/demux.c jingle/media/demux.h \
	jingle/media/hmac.c jingle/media/hmac.h \
	jingle/media/ice.c jingle/media/ice.h \
	jingle/media/ice_private.h \
	jingle/media/ice_in.c \
	jingle/media/ice_out.c \
	jingle/media/ice_pair.c \
	jingle/media/srtp_stream.c jingle/media/srtp_private.h \
	jingle/media/rewrite.c jingle/media/rewrite.h \
	jingle/media/rewrite_private.h \
	jingle/media/rewrite_rtcp.c \
	jingle/media/rtcp_packet.c jingle/media/rtcp_packet.h \
	jingle/media/rtp_packet.c jingle/media/rtp_packet.h \
	jingle/media/stun.c jingle/media/stun.h
# What calls OpenSSL or libsrtp.
jingle_media_CRYPTO_SRC = \
	jingle/media/dtls_srtp.c jingle/media/dtls_srtp.h \
	jingle/media/srtp.c jingle/media/srtp.h \
	jingle/media/srtp_evp.c \
	jingle/media/srtp_libsrtp.c
