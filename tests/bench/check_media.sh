#!/bin/sh
# check_media.sh: the short form of media.c, for `make check`: a few packets of
# calls in each mode through the real privatecall-media, every byte compared.
prog=${top_builddir:-build}/tests/bench/media
[ -x "$prog" ] || exit 77
exec timeout -k 5 100 "$prog" --check
