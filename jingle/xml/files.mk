jingle_xml_SRC = \
	jingle/xml/arena.c jingle/xml/arena.h \
	jingle/xml/elem.c jingle/xml/elem.h \
	jingle/xml/plain.c jingle/xml/plain.h \
	jingle/xml/scan.c jingle/xml/scan.h \
	jingle/xml/parse.c jingle/xml/parse.h jingle/xml/parse_private.h \
	jingle/xml/poison.h \
	jingle/xml/token.c jingle/xml/token.h \
	jingle/xml/tree.c \
	jingle/xml/write.c jingle/xml/write.h
