#!/bin/sh
# rings.sh: include lines go down the rings only (architecture, "Arrows"), are
# written from the top, and each outside library has its one door.
. "${top_srcdir:-.}/tests/style/common.sh"

# Folders that a folder may include, beside itself.
below()
{
	codecs="jingle/xml jingle/stanza"
	jingle="$codecs jingle/session"
	rules="$jingle mod_privatecall/policy
		mod_privatecall/presence mod_privatecall/notice
		mod_privatecall/call"
	case $1 in
	jingle/xml) ;;
	jingle/stanza) echo jingle/xml ;;
	jingle/session) echo $codecs ;;
	jingle/media) echo jingle/stanza ;;
	mod_privatecall/policy) echo $jingle ;;
	mod_privatecall/presence) echo $jingle mod_privatecall/policy ;;
	mod_privatecall/notice) echo $jingle mod_privatecall/policy ;;
	mod_privatecall/call) echo $rules ;;
	mod_privatecall/store|mod_privatecall/link) echo $rules ;;
	mod_privatecall/admin|mod_privatecall/conf) echo $rules ;;
	mod_privatecall/log) echo jingle/stanza mod_privatecall/policy ;;
	mod_privatecall/media) echo jingle/stanza jingle/media \
		mod_privatecall/log ;;
	mod_privatecall/daemon) echo $rules mod_privatecall/store \
		mod_privatecall/link mod_privatecall/admin \
		mod_privatecall/conf mod_privatecall/log \
		mod_privatecall/media ;;
	mod_privatecall/probe) echo $codecs jingle/media \
		mod_privatecall/policy ;;
	*) echo "unknown" ;;
	esac
}

# Where a library's header may be included.
door()
{
	case $1 in
	expat*.h) echo "jingle/xml/parse.c" ;;
	sqlite3*.h) echo "mod_privatecall/store/store_sqlite*" ;;
	uv.h|uv/*) echo "mod_privatecall/daemon/* mod_privatecall/link/*
		mod_privatecall/admin/*" ;;
	confuse.h) echo "mod_privatecall/conf/*" ;;
	jansson*.h) echo "mod_privatecall/admin/* mod_privatecall/daemon/*
		mod_privatecall/probe/report.c" ;;
	stringprep.h|idna.h|idn-*.h|punycode.h|pr29.h)
		echo "jingle/stanza/jid*.c" ;;
	openssl/*) echo "jingle/media/dtls_srtp.c jingle/media/srtp_evp.c" ;;
	srtp2/*) echo "jingle/media/srtp_libsrtp.c" ;;
	strophe.h) echo "mod_privatecall/probe/client.c" ;;
	microhttpd.h) echo "nowhere" ;;
	*) echo "*" ;;
	esac
}

matches_any()
{
	set -f
	for pattern in $2; do
		case $1 in $pattern) set +f; return 0 ;; esac
	done
	set +f
	return 1
}

check_ours()
{
	case $inc in
	config.h)
		matches_any "$file" "mod_privatecall/daemon/*
			mod_privatecall/admin/* mod_privatecall/media/main.c" ||
			fault "$file: includes config.h (only programs)"
		return ;;
	jingle/*/*|mod_privatecall/*/*) ;;
	*) fault "$file: \"$inc\" is not written from the top"; return ;;
	esac
	[ -f "$inc" ] || fault "$file: \"$inc\" does not exist"
	to=${inc%/*}
	[ "$to" = "$from" ] && return
	case " $(echo $(below "$from")) " in
	*" $to "*) ;;
	*" unknown "*) fault "$file: folder is in no ring of rings.sh" ;;
	*) fault "$file: includes \"$inc\", but $from stands below $to" \
		"or beside it" ;;
	esac
}

own_header()
{
	own=${file%.c}.h
	[ -f "$own" ] || return 0
	first=$(sed -n 's/^#[ \t]*include[ \t]*["<]\([^">]*\)[">].*/\1/p' \
		"$file" | sed -n 1p)
	[ "$first" = "$own" ] ||
		fault "$file: first include is \"$first\", not \"$own\""
}

for file in $(source_files | grep -E '^(jingle|mod_privatecall)/'); do
	from=${file%/*}
	case $file in *.c) own_header ;; esac
	for word in $(sed -n \
		's/^#[ \t]*include[ \t]*\(["<][^">]*\)[">].*/\1/p' "$file"); do
		inc=${word#?}
		case $word in
		\"*) check_ours ;;
		*) matches_any "$file" "$(door "$inc")" ||
			fault "$file: <$inc> has its door in" $(set -f
				echo $(door "$inc")) ;;
		esac
	done
done
finish
