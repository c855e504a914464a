#!/bin/sh
# list.sh: lists unit tests and fuzz targets into tests/files.mk, which
# Makefile.am includes. Every tests/unit/test_*.c and tests/golden/test_*.c is
# a test program, every tests/fuzz/fuzz_*.c a fuzz target; no other place
# names them. With --print the list goes to standard output.
set -eu
cd "$(dirname "$0")/.."

names()
{
	for f in "$@"; do
		[ ! -f "$f" ] || printf ' \\\n\t%s' "${f%.c}"
	done
	echo
}

list()
{
	echo "# files.mk: written by tests/list.sh, never by hand."
	printf 'unit_progs ='
	names tests/unit/test_*.c tests/golden/test_*.c
	printf 'fuzz_progs ='
	names tests/fuzz/fuzz_*.c
}

if [ "${1:-}" = --print ]; then
	list
elif [ ! -f tests/files.mk ] || ! list | cmp -s - tests/files.mk; then
	list >tests/files.mk.new
	mv tests/files.mk.new tests/files.mk
fi
