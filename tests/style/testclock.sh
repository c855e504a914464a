#!/bin/sh
# testclock.sh [PROGRAM]: the program that is installed (default: privatecalld
# of this build) has no symbol of the test clock; privatecalld-test has them
# all, so that this check is known to see them. Symbols of the test clock are
# those that no other object of the program has.
. "${top_srcdir:-.}/tests/style/common.sh"
build=${top_builddir:-build}
program=${1:-$build/privatecalld}
nm=${NM:-nm}

# Names with a dot are the compiler's.
defined()
{
	"$nm" "$@" 2>/dev/null | sed -n 's/^.* [A-TV-Za-tv-z] //p' |
		grep -v '\.' | LC_ALL=C sort -u
}

if [ ! -f "$build/libtestclock.a" ]; then
	echo "no privatecalld in this build"
	exit 77
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
defined "$build/libclock.a" "$build/libdrivers.a" "$build/libcore.a" \
	"$build/libjingle.a" "$build"/mod_privatecall/daemon/main.o \
	>"$dir/others"
defined "$build/libtestclock.a" | LC_ALL=C comm -13 "$dir/others" - >"$dir/own"
[ -s "$dir/own" ] || fault "the test clock has no symbol of its own"

defined "$program" >"$dir/program"
[ -s "$dir/program" ] || fault "$program has no symbols: it cannot be checked"
LC_ALL=C comm -12 "$dir/program" "$dir/own" |
	sed "s,^,$program has ," >"$dir/faults"
fault_lines <"$dir/faults"
defined "$build/privatecalld-test" | LC_ALL=C comm -13 - "$dir/own" |
	sed "s,^,privatecalld-test lacks ," >"$dir/faults"
fault_lines <"$dir/faults"
finish
