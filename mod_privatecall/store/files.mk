# files.mk: sources of mod_privatecall/store.
mod_privatecall_store_SRC = \
	mod_privatecall/store/batch.c \
	mod_privatecall/store/batch.h \
	mod_privatecall/store/store.h \
	mod_privatecall/store/store_memory.c \
	mod_privatecall/store/store_sqlite.c \
	mod_privatecall/store/store_sqlite.h \
	mod_privatecall/store/store_sqlite_log.c \
	mod_privatecall/store/store_sqlite_open.c \
	mod_privatecall/store/store_thread.c
