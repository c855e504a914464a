#!/bin/sh
# table.sh: writes the table of doc/impairment.md anew, from what the test and
# the stories over a bad network find; as root, with what ./check has built in
# BUILD (build).
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$top/build}" && pwd)
doc=$top/doc/impairment.md
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT

export top_srcdir="$top" top_builddir="$build" CMOCKA_MESSAGE_OUTPUT=TAP
# A wrong table is no reason to stop: it is about to be right.
"$build/tests/unit/test_media_impair" | sed -n 's/^# | /| /p' >"$rows" || :
export BUILD_DIR="$build" PRIVATECALL_NETNS=1 IMPAIRMENT_ROWS="$rows"
export PROSODY="${PROSODY:-$build/prosody/bin/prosody}"
export PROSODYCTL="${PROSODYCTL:-$build/prosody/bin/prosodyctl}"
unshare -n sh -c 'ip link set lo up && exec "$@"' sh "$top/tests/e2e/run" \
	--only 'browsers call each other while the network' >&2
{
	sed "/^| --- /q" "$doc"
	LC_ALL=C sort -s -t"|" -k2,3 "$rows"
} >"$doc.new"
mv "$doc.new" "$doc"
