#!/bin/sh
# secure.sh: no text reaches SQL but as a bound parameter (A36). No secret is
# compared byte by byte (A35): nothing of ours compares one with what a
# peer says; conf/print.c asks whether the admin has changed his own.
. "${top_srcdir:-.}/tests/style/common.sh"

out=$(mktemp)
trap 'rm -f "$out"' EXIT

# search FILES PATTERN REMEDY: over sources whose path matches FILES.
search()
{
	source_files | grep -E "$1" | tr '\n' '\0' |
		xargs -0r grep -nE -e "$2" /dev/null >"$out" || :
	while read -r line; do
		fault "$(printf '%.120s' "$line"): $3"
	done <"$out"
}

ours='^(jingle|mod_privatecall)/'
bind='bind a parameter'
verbs='SELECT|INSERT|UPDATE|DELETE|REPLACE|PRAGMA|ATTACH|WHERE|VALUES|LIKE'
text='%[-0-9.*]*s'
search "$ours" "\"[^\"]*\\<($verbs)\\>[^\"]*$text" "text in SQL: $bind"
search '/store/' "'$text'|(=|IN \\(|VALUES \\() *$text" \
	"text in SQL: $bind"
search "$ours" 'sqlite3_v?s?n?mprintf|sqlite3_str_' "made SQL: $bind"
search '/store/' '\<strn?cat *\(' "joined SQL: $bind"
search '^(jingle|mod_privatecall/([^c]|c[^o]))' \
	'(str|mem|strn|strcase)cmp *\([^";]*(secret|passw|token|salt)' \
	'a secret that is compared: in constant time, or not at all'
finish
