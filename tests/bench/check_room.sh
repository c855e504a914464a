#!/bin/sh
# check_room.sh: for `make check`: how much memory a call in mode `room` takes
# in privatecalld, beside a real privatecall-media (signalling.c).
prog=${top_builddir:-build}/tests/bench/signalling
[ -x "$prog" ] || exit 77
exec timeout -k 5 100 "$prog" --check --room 100
