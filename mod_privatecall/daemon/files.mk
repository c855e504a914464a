# files.mk: sources of mod_privatecall/daemon.
mod_privatecall_daemon_SRC = \
	mod_privatecall/daemon/calls.c \
	mod_privatecall/daemon/check.c \
	mod_privatecall/daemon/clock.h \
	mod_privatecall/daemon/commands.c \
	mod_privatecall/daemon/daemon.h \
	mod_privatecall/daemon/heap.c mod_privatecall/daemon/heap.h \
	mod_privatecall/daemon/hold.c \
	mod_privatecall/daemon/media.c \
	mod_privatecall/daemon/modules.c \
	mod_privatecall/daemon/notices.c \
	mod_privatecall/daemon/preflight.c \
	mod_privatecall/daemon/privileged.c \
	mod_privatecall/daemon/recover.c \
	mod_privatecall/daemon/route.c \
	mod_privatecall/daemon/snippet.c \
	mod_privatecall/daemon/spare.c mod_privatecall/daemon/spare.h \
	mod_privatecall/daemon/status.c \
	mod_privatecall/daemon/switches.c \
	mod_privatecall/daemon/trace.c \
	mod_privatecall/daemon/traffic.c \
	mod_privatecall/daemon/turn.c \
	mod_privatecall/daemon/uplink.c \
	mod_privatecall/daemon/users.c
mod_privatecall_daemon_MAIN_SRC = mod_privatecall/daemon/main.c
mod_privatecall_daemon_CLOCK_SRC = mod_privatecall/daemon/clock.c
mod_privatecall_daemon_TESTCLOCK_SRC = mod_privatecall/daemon/clock_test.c
