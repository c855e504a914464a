#!/bin/sh
# words.sh: no word of a fuzz target is longer than 64 bytes: libFuzzer leaves
# those out without a word of its own.
. "${top_srcdir:-.}/tests/style/common.sh"

for file in tests/fuzz/*.dict; do
	long=$(sed -n 's/^[a-zA-Z0-9_]*=\{0,1\}"\(.*\)"$/\1/p' "$file" |
		sed 's/\\x../?/g;s/\\\(.\)/\1/g' | LC_ALL=C grep '.\{65\}' |
		head -n 1)
	[ -z "$long" ] || fault "$file: longer than 64 bytes: $long"
done
finish
