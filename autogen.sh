#!/bin/sh
# autogen.sh: makes ./configure from configure.ac. Run it after a clone, and
# after adding or removing a test or fuzz target: automake needs their names,
# so they are listed here into tests/files.mk (./check does this by itself).
set -eu
cd "$(dirname "$0")"
sh tests/list.sh
if [ "${1:-}" = --if-needed ] && [ -x configure ] && [ -f Makefile.in ] &&
	[ -f config.h.in ] && [ ! configure.ac -nt configure ]; then
	exit 0
fi
exec autoreconf --install --warnings=all,no-portability
