#!/bin/sh
# coverage.sh [BUILD]: after `make check` in a build with --enable-coverage and
# CPPFLAGS=-DNDEBUG (assertions are no branches of ours), lists every branch of
# the call and policy rules that no test took. Fails if there is one.
set -eu
build=$(cd "${1:-.}" && pwd)
cd "$build"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

found=0
: >"$out/unrun"
for notes in mod_privatecall/call/*.gcno mod_privatecall/policy/*.gcno; do
	[ -f "$notes" ] || continue
	found=1
	data=${notes%.gcno}.gcda
	if [ ! -f "$data" ]; then
		echo "${notes%.gcno}.c: no test runs it" >>"$out/unrun"
		continue
	fi
	(cd "$out" && gcov -b -c -p -o "$build/$(dirname "$data")" \
		"$build/$data" >/dev/null 2>&1)
done
[ $found = 1 ] || { echo "no coverage data in $build"; exit 1; }
cat "$out/unrun"
[ -n "$(ls "$out"/*.gcov 2>/dev/null)" ] || exit 1
awk '
	/^ *[-#0-9]+\*?: *0:Source:/ { sub(/.*Source:/, ""); file = $0
		sub(/.*\/mod_privatecall\//, "mod_privatecall/", file) }
	/^ *[-#=0-9]+\*?: *[1-9]/ { split($0, part, ":")
		line = part[2] + 0; text = part[3]
		if ($0 ~ /^ *#####/) missed[file ":" line] = "never run" }
	/^branch/ && file ~ /\.c$/ {
		all++
		if ($0 ~ /never executed/ || $0 ~ /taken 0/) {
			none++
			missed[file ":" line] = "branch not taken"
		}
	}
	END {
		for (key in missed) print key ": " missed[key]
		printf "%d of %d branches taken\n", all - none, all
	}' "$out"/*mod_privatecall#*.c.gcov | LC_ALL=C sort -t: -k1,1 -k2,2n \
	>"$out/list"
cat "$out/list"
! cat "$out/unrun" "$out/list" | grep -q ': '
