# files.mk: sources of jingle/stanza.
jingle_stanza_SRC = \
	jingle/stanza/caps.c \
	jingle/stanza/delay.c jingle/stanza/delay.h \
	jingle/stanza/disco.c jingle/stanza/disco.h \
	jingle/stanza/dtls.c jingle/stanza/dtls.h \
	jingle/stanza/hints.c jingle/stanza/hints.h \
	jingle/stanza/ice_udp.c jingle/stanza/ice_udp.h \
	jingle/stanza/jid.c jingle/stanza/jid.h \
	jingle/stanza/jingle.c jingle/stanza/jingle.h \
	jingle/stanza/jingle_check.c jingle/stanza/jingle_check.h \
	jingle/stanza/jmi.c jingle/stanza/jmi.h \
	jingle/stanza/ns.h \
	jingle/stanza/ping.c jingle/stanza/ping.h \
	jingle/stanza/presence.c jingle/stanza/presence.h \
	jingle/stanza/reason.c jingle/stanza/reason.h \
	jingle/stanza/register.c jingle/stanza/register.h \
	jingle/stanza/rtp.c jingle/stanza/rtp.h \
	jingle/stanza/sha1.c jingle/stanza/sha1.h \
	jingle/stanza/source.c jingle/stanza/source.h \
	jingle/stanza/stanza.c jingle/stanza/stanza.h \
	jingle/stanza/text.c jingle/stanza/text.h \
	jingle/stanza/version.c jingle/stanza/version.h \
	jingle/stanza/why.c jingle/stanza/why.h
