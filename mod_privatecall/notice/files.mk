mod_privatecall_notice_SRC = \
	mod_privatecall/notice/notice.c mod_privatecall/notice/notice.h \
	mod_privatecall/notice/outbox.c mod_privatecall/notice/outbox.h
