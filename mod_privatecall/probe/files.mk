# files.mk: sources of mod_privatecall/probe: the benchmark's peers.
mod_privatecall_probe_SRC = \
	mod_privatecall/probe/peer.c mod_privatecall/probe/peer.h
