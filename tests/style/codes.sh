#!/bin/sh
# codes.sh: every code of a fault, an attack or an invariant that a comment or
# a test names (F01, A09, I13) has its line in doc/reliability.md.
. "${top_srcdir:-.}/tests/style/common.sh"

list=$(mktemp)
trap 'rm -f "$list"' EXIT
project_files | grep -E '\.(c|h|md|mjs|sh|trace)$' |
	grep -v '^tests/style/codes\.sh$' |
	xargs grep -ohwE '([AI][0-9]{2}|F0[1-9])' | LC_ALL=C sort -u |
	while read -r code; do
		grep -q "^| $code |" doc/reliability.md || echo "$code"
	done >"$list"
while read -r code; do
	where=$(project_files | xargs grep -lw "$code" | head -n 3)
	fault "$code has no line in doc/reliability.md:" $where
done <"$list"
finish
