#!/bin/sh
# codecs.sh: every codec of jingle/stanza/ is fuzzed: it has a line in the
# table of tests/fuzz/fuzz_stanza.c or stands here with the target that is
# its own; and no line there is without its file.
. "${top_srcdir:-.}/tests/style/common.sh"

elsewhere="jid jingle_check sha1 text why"
table=$(sed -n 's/^	{ "\([a-z0-9_]*\)", [a-z_]*, [a-z]* },$/\1/p' \
	tests/fuzz/fuzz_stanza.c)
for file in jingle/stanza/*.c; do
	name=$(basename "$file" .c)
	case " $(echo $table $elsewhere) " in
	*" $name "*) ;;
	*) fault "$file: no line in the table of tests/fuzz/fuzz_stanza.c" ;;
	esac
done
for name in $table; do
	[ -f "jingle/stanza/$name.c" ] ||
		fault "tests/fuzz/fuzz_stanza.c: $name has no file"
done
finish
