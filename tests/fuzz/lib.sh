# lib.sh: how a fuzz target is run: sourced by ./check and by long.

# fuzz_options NAME: longest input (a few stanzas at most: what is longer only
# takes longer) and words.
fuzz_options()
{
	case $1 in
	numbers) echo -max_len=64 ;;
	jid) echo -max_len=200 ;;
	dtls|ice) echo -max_len=300 ;;
	srtp) echo -max_len=500 ;;
	relay) echo -max_len=700 ;;
	rtp) echo -max_len=300 ;;
	rewrite) echo -max_len=800 ;;
	ctl|tree|stun) echo -max_len=600 ;;
	conf) echo -max_len=1100 ;;
	jmi) echo -max_len=4000 ;;
	stream) echo -max_len=1500 ;;
	gateway) echo -max_len=2500 ;;
	call) echo -max_len=8000 ;;
	jingle|stanza) echo -max_len=13000 ;;  # recorded offers are whole
	*) echo -max_len=3000 ;;
	esac
	[ ! -f "tests/fuzz/fuzz_$1.dict" ] ||
		echo "-dict=tests/fuzz/fuzz_$1.dict"
	echo -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
}

# in_session WORD TEXT: a line with a Jingle request that holds the text.
in_session()
{
	printf "%s<iq type='set' id='q' from='u@h/d' to='p@c/call'><jingle" "$1"
	printf " xmlns='urn:xmpp:jingle:1' action='session-info' sid='S'>"
	printf '%s</jingle></iq>\n' "$2"
}

# as_lines WORD TO: the kept inputs of targets that read one stanza, each as one
# line behind the word that says so, as files in TO. Those of stanza also where
# a session has them: in its jingle, content, transport and description.
as_lines()
{
	content="<content creator='initiator' name='0'>"
	ice="<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'>"
	rtp="<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>"
	mkdir -p "$2"
	for seed in tests/fuzz/corpus/tree/* tests/fuzz/corpus/stanza/* \
			tests/fuzz/corpus/jingle/* tests/fuzz/corpus/jmi/*; do
		to=$2/${seed##*/}
		text=$(tr '\n\0' '  ' <"$seed")
		printf '%s%s\n' "$1" "$text" >"$to"
		case $seed in */stanza/*) ;; *) continue ;; esac
		in_session "$1" "$text" >"$to-jingle"
		in_session "$1" "$content$text</content>" >"$to-content"
		in_session "$1" "$content$ice$text</transport></content>" \
			>"$to-transport"
		in_session "$1" "$content$rtp$text</description></content>" \
			>"$to-description"
	done
	echo "$2"
}

# fuzz_seeds NAME DIR: its kept inputs, among them every one that once crashed
# it; those of stanza for all that read the same codecs, as lines for those that
# read lines; of call also the events of the golden traces. What is made for it
# goes to DIR.
fuzz_seeds()
{
	[ ! -d "tests/fuzz/corpus/$1" ] || echo "tests/fuzz/corpus/$1"
	case $1 in
	jingle|jmi) echo tests/fuzz/corpus/stanza ;;
	leg|gateway) as_lines "" "$2/lines-$1" ;;
	call) as_lines "stanza " "$2/lines-$1" ;;
	esac
	[ "$1" = call ] || return 0
	mkdir -p "$2/golden"
	for trace in tests/golden/*.trace; do
		sed -n 's/^> //p' "$trace" >"$2/golden/${trace##*/}"
	done
	echo "$2/golden"
}
