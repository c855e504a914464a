# common.sh: what the style checks share; sourced from the top of the tree.
set -eu
cd "${top_srcdir:-.}"
faults=0

# Every text file of the project: what git would keep, else all but what is
# built or installed.
project_files()
{
	if [ -e .git ] && git ls-files >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard
	else
		find . \( -name .git -o -name node_modules -o -name build \
			-o -name build-aux -o -name autom4te.cache \
			-o -name dist -o -name _build -o -name _inst \
			\) -prune -o -type f -print |
		sed 's,^\./,,' | grep -Ev \
			-e '^(configure|aclocal\.m4|config\.h(\.in)?)$' \
			-e '(^|/)(Makefile\.in|tests/files\.mk)$' \
			-e '(\.(o|a|log|trs)|~)$'
	fi | LC_ALL=C sort -u | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

source_files()
{
	project_files | grep -E '\.(c|h)$' || :
}

fault()
{
	echo "$*"
	faults=$((faults + 1))
}

# Counts the lines of standard input as faults and shows them. Read from a
# file, not a pipe, so that the count stays in this shell.
fault_lines()
{
	while read -r line; do
		fault "$line"
	done
}

finish()
{
	[ "$faults" = 0 ] || echo "$faults faults"
	[ "$faults" = 0 ]
}
