# files.mk: sources of mod_privatecall/admin.
mod_privatecall_admin_SRC = \
	mod_privatecall/admin/ctl.c \
	mod_privatecall/admin/ctl.h \
	mod_privatecall/admin/ctl_socket.c \
	mod_privatecall/admin/private.h
privatecallctl_SRC = mod_privatecall/admin/privatecallctl.c
