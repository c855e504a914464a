#!/bin/sh
# libsrtp.sh: the tests of mode `room` once more with SRTP by libsrtp2: those of
# the relay, the attacks on the process and the bad network, by peers who use
# our own.
MEDIA_SRTP=libsrtp
export MEDIA_SRTP
for name in test_relay_room test_relay_apart test_media_candidates \
	test_media_forged test_media_impair test_media_parties \
	test_media_strangers test_media_stun
do
	echo "# $name"
	"${top_builddir:-build}/tests/unit/$name" 2>&1 ||
		echo "# status $?"
	echo "$name ended"
done |
awk '/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) }
	/^not ok / { told = 1 }
	/^1\.\./ { next }
	/^# status / {
		if (!told)
			print "not ok " ++n " - its end: " $0
		next
	}
	/ ended$/ { told = 0; next }
	{ print }
	END { print "1.." n }'
