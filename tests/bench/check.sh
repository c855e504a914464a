#!/bin/sh
# check.sh: the short form of signalling.c, for `make check`: what a call leaves
# behind and how much memory it takes, by counts that do not depend on time.
prog=${top_builddir:-build}/tests/bench/signalling
[ -x "$prog" ] || exit 77
out=$(timeout -k 5 100 "$prog" --check)
status=$?
echo "$out"
[ $status = 0 ] && echo "$out" | grep -q '^1\.\.'
