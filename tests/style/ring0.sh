#!/bin/sh
# ring0.sh: the compiled ring 0 is pure: it needs no symbol that is not in
# ring0.allow (no clock, socket, file, randomness, output) and has no data or
# bss symbol (no state). Reads libring0.a, compiled plainly for this check.
. "${top_srcdir:-.}/tests/style/common.sh"
lib=${top_builddir:-build}/libring0.a
nm=${NM:-nm}
allow=tests/style/ring0.allow

symbols=$("$nm" -A "$lib" 2>/dev/null | sed 's/^[^:]*://')
[ -n "$symbols" ] || { echo "no symbols in $lib"; exit 77; }

# Lines "member:value type name", the value missing when undefined.
{
	echo "$symbols" | sed -n \
		's/^\([^:]*\):.* \([A-Za-z]\) \(.*\)$/\1 \2 \3/p'
	echo "ALLOW"
	sed 's/#.*//' "$allow"
} | awk '
	$1 == "ALLOW" { allowed_part = 1; next }
	allowed_part && NF == 1 { any[$1] = 1; next }
	allowed_part && NF == 2 { only[$1 " " $2] = 1; next }
	allowed_part { next }
	{ sub(/^libring0_a-/, "", $1) }
	$2 ~ /[BbCcDdGgSs]/ { print $1 ": " $3 " is data that can change" }
	$2 == "U" { needs[$1 " " $3] = 1; next }
	{ defined[$3] = 1 }
	END {
		for (key in needs) {
			split(key, part, " ")
			if (part[2] in defined || part[2] in any)
				continue
			if (!((part[2] " " part[1]) in only))
				print part[1] ": needs " part[2] \
					", not in ring0.allow"
		}
	}' | LC_ALL=C sort >"${top_builddir:-build}/ring0.faults"
fault_lines <"${top_builddir:-build}/ring0.faults"
rm -f "${top_builddir:-build}/ring0.faults"
finish
