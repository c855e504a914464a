#!/bin/sh
# sizes.sh: C functions mostly <= 40 lines (four of five), 19 of 20 <= 80, none
# > 150; nesting <= 4; files <= 900 lines; 80 columns, a tab counting 8 (a line
# with a namespace or address may be longer: it is found by its whole text). In
# JavaScript and Lua a tab counts 4.
. "${top_srcdir:-.}/tests/style/common.sh"

out=$(mktemp)
trap 'rm -f "$out"' EXIT

# A function starts at a "{" in column 0 and ends at the next "}" there.
source_files | tr '\n' '\0' | LC_ALL=C xargs -0r awk '
	FNR == 1 { start = 0; head = "" }
	FNR == 901 { print FILENAME ": more than 900 lines" }
	/^\{/ { start = FNR; name = head; next }
	/^\}/ && start {
		n = FNR - start - 1
		start = 0
		all++
		if (n > 40) over40++
		if (n > 80) { over80++; big[++bigs] = n " " name }
		if (n > 150)
			print FILENAME ": " name " has " n " lines (150)"
		next
	}
	/^[A-Za-z_].*\(/ { head = $0; sub(/\(.*/, "", head)
		sub(/.*[ *]/, "", head) }
	start && /^\t\t\t\t\t\t+(if|for|while|switch|do|return|break) ?[ ;({]/ {
		print FILENAME ":" FNR ": nested deeper than 4"
	}
	END {
		if (over40 * 5 > all)
			print over40 " of " all " functions over 40 lines"
		if (over80 * 20 > all) {
			print over80 " of " all " functions over 80 lines:"
			for (i = 1; i <= bigs; i++) print "    " big[i]
		}
	}' >"$out"

project_files | grep -E \
	-e '\.(c|h|sh|mk|am|ac|m4|mjs|js|ts|lua|py|erl)$' \
	-e '^(check|quickstart|\.ci/run)$' | grep -v '^tests/files\.mk$' |
tr '\n' '\0' | LC_ALL=C xargs -0r awk '
	FNR == 1 { tab = FILENAME ~ /\.(m?[jt]s|lua)$/ ? 4 : 8 }
	{
		gsub(/[\200-\277]/, "")
		width = 0
		n = split($0, part, "\t")
		for (i = 1; i < n; i++)
			width = int((width + length(part[i])) / tab + 1) * tab
		width += length(part[n])
		if (width > 80 && $0 !~ /["\047](https?:|urn:)/)
			print FILENAME ":" FNR ": " width " columns (80)"
	}' >>"$out"
fault_lines <"$out"
finish
