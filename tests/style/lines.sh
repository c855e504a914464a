#!/bin/sh
# lines.sh: each file says in its first line what it is; no path of one
# machine, no package host in a lock file, no unfinished work, no stray blanks.
. "${top_srcdir:-.}/tests/style/common.sh"

out=$(mktemp)
list=$(mktemp)
trap 'rm -f "$out" "$list"' EXIT
project_files | grep -v '^tests/files\.mk$' >"$list"

first_line()
{
	line=$(sed -n '1{/^#!/n;p;q}' "$1" | tr -d '\0')
	case $1 in
	*/files.mk) return 0 ;;
	*.c|*.h) want='/*' ;;
	*.mjs|*.js|*.ts) want='/[/*]' ;;
	*.lua) want='--' ;;
	*.erl) want='%' ;;
	*.ac|*.m4) want='dnl' ;;
	*.sh|*.mk|*.am|*.py|check|quickstart|.ci/run|.gitignore) want='#' ;;
	.editorconfig|*.allow|*.conf) want='#' ;;
	*) return 0 ;;
	esac
	case $want in
	'/[/*]') case $line in //\ *|/\*\ *) return 0 ;; esac ;;
	*) case $line in "$want "*|"$want*"*|"$want%"*) return 0 ;; esac ;;
	esac
	fault "$1: first line is no comment that says what the file is"
}

# search PATTERN REMEDY [FILES]: a grep over all text files.
search()
{
	grep -E "${3:-.}" "$list" | tr '\n' '\0' |
		xargs -0r grep -nIE -e "$1" /dev/null >"$out" || :
	while read -r line; do
		fault "$(printf '%.120s' "$line"): $2"
	done <"$out"
}

while read -r file; do
	first_line "$file"
done <"$list"
search '(^|[^a-zA-Z0-9_.])/(work|farm)/|/tmp/p[c]/' 'path of one machine'
search '"resolved": "h[t]tp' 'package host in a lock file' \
	'(package-lock\.json|npm-shrinkwrap\.json)$'
search '(^|[^A-Za-z])(T[O]DO|F[I]XME|X[X]X)([^A-Za-z]|$)' 'unfinished work'
search '[ 	]$' 'blank at the end of the line' \
	'\.(c|h|sh|mk|am|ac|m4|mjs|js|lua|scd)$'
search '^        ' 'indented by blanks, not by tabs' '\.(c|h)$'
finish
