# lib.sh: how a fuzz target is run: sourced by ./check and by long.

# fuzz_options NAME: longest input (a few stanzas at most: what is longer only
# takes longer) and words.
fuzz_options()
{
	case $1 in
	numbers) echo -max_len=64 ;;
	jid|ice) echo -max_len=200 ;;
	dtls) echo -max_len=300 ;;
	relay|srtp) echo -max_len=500 ;;
	rtp) echo -max_len=300 ;;
	rewrite) echo -max_len=800 ;;
	conf|ctl|tree|stun) echo -max_len=600 ;;
	jmi|stanza) echo -max_len=1000 ;;
	stream|gateway) echo -max_len=1500 ;;
	*) echo -max_len=3000 ;;
	esac
	[ ! -f "tests/fuzz/fuzz_$1.dict" ] ||
		echo "-dict=tests/fuzz/fuzz_$1.dict"
	echo -timeout=10 -rss_limit_mb=2048 -print_final_stats=1
}

# fuzz_seeds NAME: its kept inputs, among them every one that once crashed it.
fuzz_seeds()
{
	[ ! -d "tests/fuzz/corpus/$1" ] || echo "tests/fuzz/corpus/$1"
}
