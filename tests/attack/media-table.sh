#!/bin/sh
# media-table.sh: writes the table of doc/media-attacks.md anew, from what the
# programs of the attacks on privatecall-media find in BUILD (build).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$top/build}" && pwd)
doc=$top/doc/media-attacks.md
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT

export top_srcdir="$top" top_builddir="$build" CMOCKA_MESSAGE_OUTPUT=TAP
programs=$(cd "$top" && grep -l 'judge_table("' tests/unit/test_*.c |
	sed 's/\.c$//')
make -C "$build" -s all >&2
make -C "$build" -s $programs >&2
for program in $programs; do
	# A wrong table is no reason to stop: it is about to be right.
	"$build/$program" | sed -n 's/^# | /| /p' >>"$rows" || :
done
{
	sed "/^| --- /q" "$doc"
	LC_ALL=C sort -s -t"|" -k2,3 "$rows"
	echo
	sed -n "/^## At length/,\$p" "$doc"
} >"$doc.new"
mv "$doc.new" "$doc"
