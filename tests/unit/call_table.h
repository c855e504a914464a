/* call_table.h: what each event does in each state of a call. "" is: nothing;
 * N:WORD a stanza to user N (0 alice, the caller, 1 bob), log=CAUSE, USER!KIND
 * a notice, >STATE the new state. The order of a row:
 * IDLE ASKING REFUSING RINGING EARLY PLAIN PROCEEDED OFFERED UP ENDING OPEN
 * DONE (see test_call.c).
 */
#define IGN "ignored"
#define NIL ""
#define UNK0 "0:unknown-session"
#define UNK1 "1:unknown-session"
#define OOO0 "0:out-of-order"
#define OOO1 "1:out-of-order"
#define OK0 "0:ok"
#define OK1 "1:ok"
#define NEW "ask >asking"

static const struct row rows[] = {
	{ "propose alice@x/desk b-sid audio", {
		NEW, "0:reject log=re-entered forget ask",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"ask >asking",
		"0:reject 1:retract log=re-entered forget ask >asking",
		"0:reject log=re-entered 0:finish forget ask >asking",
		"0:session-terminate 1:session-terminate log=re-entered "
		"forget ask >asking",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish ask "
		">asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"0:finish 1:finish ask >asking", NEW, "forget ask >asking",
	} },
	{ "propose alice@x/desk m-sid audio", {
		NEW, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, "0:reject",
		"0:reject", "0:reject",
	} },
	{ "propose alice@x/pad m-sid audio", {
		NEW, "0:reject", "0:reject", "0:reject", "0:reject",
		"0:reject", "0:reject", "0:reject", "0:reject", "0:reject",
		"0:reject", "0:reject",
	} },
	{ "propose alice@x/pad b-sid audio", {
		NEW, "0:reject log=re-entered forget ask",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"ask >asking",
		"0:reject 1:retract log=re-entered forget ask >asking",
		"0:reject log=re-entered 0:finish forget ask >asking",
		"0:session-terminate 1:session-terminate log=re-entered "
		"forget ask >asking",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish ask "
		">asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"0:finish 1:finish ask >asking", NEW, "forget ask >asking",
	} },
	{ "propose alice@x/desk b-sid audio delayed", {
		"0:reject forget >done", "0:reject", "0:reject", "0:reject",
		"0:reject", "0:reject", "0:reject", "0:reject", "0:reject",
		"0:reject", "0:reject", "0:reject",
	} },
	{ "propose bob@x/phone z-sid audio", {
		NEW, "1:reject",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"ask >asking",
		"1:reject", "1:reject", "1:reject",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish ask "
		">asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"0:finish 1:finish ask >asking", NEW, "forget ask >asking",
	} },
	{ "propose bob@x/phone a-sid audio", {
		NEW, "0:reject log=glare forget ask",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"ask >asking",
		"0:reject 1:retract log=glare forget ask >asking",
		"0:reject log=glare 0:finish forget ask >asking",
		"0:session-terminate 1:session-terminate log=glare forget "
		"ask >asking",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish ask "
		">asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"0:finish 1:finish ask >asking", NEW, "forget ask >asking",
	} },
	{ "propose bob@x/pad a-sid audio", {
		NEW, "0:reject log=glare forget ask",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"ask >asking",
		"0:reject 1:retract log=glare forget ask >asking",
		"0:reject log=glare 0:finish forget ask >asking",
		"0:session-terminate 1:session-terminate log=glare forget "
		"ask >asking",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish ask "
		">asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish ask >asking",
		"0:finish 1:finish ask >asking", NEW, "forget ask >asking",
	} },
	{ "jingle alice@x/desk session-initiate m-sid audio", {
		"0:ok ask >asking", OOO0, OOO0, OOO0, "0:ok 1:session-initiate",
		"0:conflict", "0:ok 1:session-initiate", "0:conflict",
		"0:conflict", "0:ok 0:session-terminate",
		"0:ok 0:session-terminate", "0:ok 0:session-terminate",
	} },
	{ "jingle alice@x/desk session-initiate b-sid audio", {
		"0:ok ask >asking", "0:reject log=re-entered forget 0:ok ask",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"0:ok ask >asking",
		"0:reject 1:retract log=re-entered forget 0:ok ask >asking",
		"0:reject log=re-entered 0:finish forget 0:ok ask >asking",
		"0:session-terminate 1:session-terminate log=re-entered "
		"forget 0:ok ask >asking",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish "
		"0:ok ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish 0:ok ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish 0:ok ask >asking",
		"0:finish 1:finish 0:ok ask >asking", "0:ok ask >asking",
		"forget 0:ok ask >asking",
	} },
	{ "jingle alice@x/pad session-initiate m-sid audio", {
		"0:ok ask >asking", UNK0, UNK0, UNK0, UNK0, UNK0, UNK0, UNK0,
		UNK0, UNK0, UNK0, UNK0,
	} },
	{ "jingle bob@x/phone session-initiate z-sid audio", {
		"1:ok ask >asking", "1:tie-break",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"1:ok ask >asking",
		"1:tie-break", "1:tie-break", "1:tie-break",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish "
		"1:ok ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish 1:ok ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish 1:ok ask >asking",
		"0:finish 1:finish 1:ok ask >asking", "1:ok ask >asking",
		"forget 1:ok ask >asking",
	} },
	{ "jingle bob@x/phone session-initiate a-sid audio", {
		"1:ok ask >asking", "0:reject log=glare forget 1:ok ask",
		"log=not-active alice!refused bob!missed 0:reject forget "
		"1:ok ask >asking",
		"0:reject 1:retract log=glare forget 1:ok ask >asking",
		"0:reject log=glare 0:finish forget 1:ok ask >asking",
		"0:session-terminate 1:session-terminate log=glare forget "
		"1:ok ask >asking",
		"log=re-entered 0:reject 1:retract 0:finish 1:finish "
		"1:ok ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish 1:ok ask >asking",
		"log=re-entered 0:session-terminate 1:session-terminate "
		"0:finish 1:finish 1:ok ask >asking",
		"0:finish 1:finish 1:ok ask >asking", "1:ok ask >asking",
		"forget 1:ok ask >asking",
	} },
	{ "retract alice@x/desk m-sid", {
		IGN, "log=cancelled >done", "log=cancelled >done",
		"log=cancelled bob!missed 1:retract >done",
		"log=cancelled bob!missed 1:retract >ending",
		"log=cancelled bob!missed 1:session-terminate 1:retract "
		">done",
		"log=ended alice!details bob!details 1:retract >ending",
		"log=ended alice!details bob!details 1:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "reject alice@x/desk m-sid", {
		IGN, "log=cancelled >done", "log=cancelled >done",
		"log=cancelled bob!missed 1:retract >done",
		"log=cancelled bob!missed 1:retract >ending",
		"log=cancelled bob!missed 1:session-terminate 1:retract "
		">done",
		"log=ended alice!details bob!details 1:retract >ending",
		"log=ended alice!details bob!details 1:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "accept alice@x/desk m-sid", {
		IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN,
	} },
	{ "proceed alice@x/desk m-sid", {
		IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN,
	} },
	{ "ringing alice@x/desk m-sid", {
		IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN,
	} },
	{ "finish alice@x/desk m-sid", {
		IGN, "log=cancelled >done", "log=cancelled >done",
		"log=cancelled bob!missed 1:retract >done",
		"log=cancelled bob!missed 1:retract >ending",
		"log=cancelled bob!missed 1:session-terminate 1:retract "
		">done",
		"log=ended alice!details bob!details 1:retract 1:finish "
		">ending",
		"log=ended alice!details bob!details 1:session-terminate "
		"1:finish >ending",
		"log=ended alice!details bob!details 1:session-terminate "
		"1:finish >ending",
		"1:finish", NIL, NIL,
	} },
	{ "retract bob@x/phone $sid", {
		IGN, IGN, IGN, IGN, IGN, IGN,
		"log=ended alice!details bob!details 0:reject >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "accept bob@x/phone $sid", {
		IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN, IGN,
	} },
	{ "proceed bob@x/phone $sid", {
		IGN, IGN, IGN, "0:proceed >setup", IGN, IGN, IGN, IGN, IGN, IGN,
		IGN, IGN,
	} },
	{ "ringing bob@x/phone $sid", {
		IGN, IGN, IGN, "0:ringing", IGN, IGN, IGN, IGN, IGN, IGN, IGN,
		IGN,
	} },
	{ "reject bob@x/phone $sid", {
		IGN, IGN, IGN,
		"log=declined alice!refused bob!write-back 0:reject >done", IGN,
		IGN, "log=ended alice!details bob!details 0:reject >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "reject bob@x/phone $sid busy", {
		IGN, IGN, IGN,
		"log=busy alice!refused bob!missed 0:reject >done", IGN, IGN,
		"log=ended alice!details bob!details 0:reject >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "reject bob@x/phone $sid incompatible-parameters", {
		IGN, IGN, IGN,
		"log=no-codec alice!refused bob!missed 0:reject 1:retract "
		">done",
		IGN, IGN,
		"log=no-codec alice!refused bob!missed 0:reject >ending",
		"log=no-codec alice!refused bob!missed 0:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "reject bob@x/phone $sid media-error", {
		IGN, IGN, IGN,
		"log=failed alice!refused bob!failed 0:reject >done", IGN, IGN,
		"log=failed alice!refused bob!failed 0:reject >ending",
		"log=failed alice!refused bob!failed 0:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "reject bob@x/phone $sid expired tie-break", {
		IGN, IGN, IGN,
		"log=unanswered alice!refused bob!missed 0:reject "
		"1:retract >done",
		IGN, IGN,
		"log=ended alice!details bob!details 0:reject >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		">ending",
		IGN, IGN, IGN, IGN,
	} },
	{ "finish bob@x/phone $sid", {
		IGN, IGN, IGN, IGN, IGN, IGN,
		"log=ended alice!details bob!details 0:reject 0:finish "
		">ending",
		"log=ended alice!details bob!details 0:session-terminate "
		"0:finish >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		"0:finish >ending",
		"0:finish", NIL, IGN,
	} },
	{ "jingle alice@x/desk session-accept m-sid audio", {
		UNK0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0, UNK0,
		UNK0, UNK0,
	} },
	{ "jingle alice@x/desk session-terminate m-sid", {
		UNK0, "0:ok log=cancelled >done", "0:ok log=cancelled >done",
		"0:ok log=cancelled bob!missed 1:retract >done",
		"0:ok log=cancelled bob!missed 1:retract >ending",
		"0:ok log=cancelled bob!missed 1:session-terminate "
		"1:retract >done",
		"0:ok log=ended alice!details bob!details 1:retract "
		">ending",
		"0:ok log=ended alice!details bob!details "
		"1:session-terminate >ending",
		"0:ok log=ended alice!details bob!details "
		"1:session-terminate >ending",
		OK0, OK0, OK0,
	} },
	{ "jingle alice@x/desk session-terminate m-sid reason=media-error", {
		UNK0, "0:ok log=cancelled >done", "0:ok log=cancelled >done",
		"0:ok log=cancelled bob!missed 1:retract >done",
		"0:ok log=cancelled bob!missed 1:retract >ending",
		"0:ok log=cancelled bob!missed 1:session-terminate "
		"1:retract >done",
		"0:ok log=failed alice!refused bob!failed 1:retract "
		">ending",
		"0:ok log=failed alice!refused bob!failed "
		"1:session-terminate >ending",
		"0:ok log=failed alice!refused bob!failed "
		"1:session-terminate >ending",
		OK0, OK0, OK0,
	} },
	{ "jingle alice@x/desk transport-info m-sid audio bare candidate", {
		UNK0, OOO0, OOO0, OOO0, OOO0, "0:ok 1:transport-info", OOO0,
		"0:ok 1:transport-info", "1:transport-info", UNK0, UNK0, UNK0,
	} },
	{ "jingle alice@x/desk session-info m-sid", {
		UNK0, OK0, OK0, OK0, OK0, OK0, OK0, OK0, OK0, UNK0, UNK0, UNK0,
	} },
	{ "jingle alice@x/desk session-info m-sid mute", {
		UNK0, OK0, OK0, OK0, OK0, "0:ok 1:session-info", OK0,
		"0:ok 1:session-info", "1:session-info", UNK0, UNK0, UNK0,
	} },
	{ "jingle alice@x/desk content-add m-sid name=v media=video", {
		UNK0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0, "1:content-add",
		UNK0, UNK0, UNK0,
	} },
	{ "jingle alice@x/desk content-modify m-sid audio bare", {
		UNK0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0, OOO0,
		"1:content-modify", UNK0, UNK0, UNK0,
	} },
	{ "jingle bob@x/phone session-accept $sid audio", {
		UNK1, UNK1, UNK1, UNK1, UNK1, "1:ok 0:session-accept >up", OOO1,
		"1:ok 0:session-accept >up", OOO1, UNK1, UNK1, UNK1,
	} },
	{ "jingle bob@x/phone session-terminate $sid", {
		UNK1, UNK1, UNK1, UNK1, UNK1,
		"1:ok log=declined alice!refused bob!write-back "
		"0:session-terminate >done",
		"1:ok log=ended alice!details bob!details 0:reject >ending",
		"1:ok log=ended alice!details bob!details "
		"0:session-terminate >ending",
		"1:ok log=ended alice!details bob!details "
		"0:session-terminate >ending",
		OK1, OK1, UNK1,
	} },
	{ "jingle bob@x/phone session-terminate $sid reason=busy", {
		UNK1, UNK1, UNK1, UNK1, UNK1,
		"1:ok log=busy alice!refused bob!missed "
		"0:session-terminate >done",
		"1:ok log=ended alice!details bob!details 0:reject >ending",
		"1:ok log=ended alice!details bob!details "
		"0:session-terminate >ending",
		"1:ok log=ended alice!details bob!details "
		"0:session-terminate >ending",
		OK1, OK1, UNK1,
	} },
	{ "jingle bob@x/phone session-terminate $sid reason=timeout", {
		UNK1, UNK1, UNK1, UNK1, UNK1,
		"1:ok log=unanswered alice!refused bob!missed "
		"0:session-terminate 1:retract >done",
		"1:ok log=ended alice!details bob!details 0:reject >ending",
		"1:ok log=ended alice!details bob!details "
		"0:session-terminate >ending",
		"1:ok log=ended alice!details bob!details "
		"0:session-terminate >ending",
		OK1, OK1, UNK1,
	} },
	{ "jingle bob@x/phone session-terminate $sid reason=media-error", {
		UNK1, UNK1, UNK1, UNK1, UNK1,
		"1:ok log=failed alice!refused bob!failed "
		"0:session-terminate >done",
		"1:ok log=failed alice!refused bob!failed 0:reject >ending",
		"1:ok log=failed alice!refused bob!failed "
		"0:session-terminate >ending",
		"1:ok log=failed alice!refused bob!failed "
		"0:session-terminate >ending",
		OK1, OK1, UNK1,
	} },
	{ "jingle bob@x/phone transport-info $sid audio bare candidate", {
		UNK1, UNK1, UNK1, UNK1, UNK1, OK1, OOO1, OK1,
		"0:transport-info", UNK1, UNK1, UNK1,
	} },
	{ "jingle bob@x/phone session-info $sid ringing", {
		UNK1, UNK1, UNK1, UNK1, UNK1, OK1, OK1, OK1, "0:session-info",
		UNK1, UNK1, UNK1,
	} },
	{ "jingle bob@x/phone session-info $sid mute", {
		UNK1, UNK1, UNK1, UNK1, UNK1, OK1, OK1, OK1, "0:session-info",
		UNK1, UNK1, UNK1,
	} },
	{ "jingle bob@x/phone content-add $sid name=v media=video", {
		UNK1, UNK1, UNK1, UNK1, UNK1, OOO1, OOO1, OOO1, "0:content-add",
		UNK1, UNK1, UNK1,
	} },
	{ "jingle bob@x/phone content-reject $sid audio bare", {
		UNK1, UNK1, UNK1, UNK1, UNK1, OOO1, OOO1, OOO1,
		"0:content-reject", UNK1, UNK1, UNK1,
	} },
	{ "result 0 $a1", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "result 1 $b1", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "error 0 $a1 item-not-found unknown-session", {
		NIL, NIL, NIL, NIL, NIL,
		"log=caller-gone alice!refused bob!missed "
		"0:session-terminate 1:session-terminate 1:retract >done",
		NIL, NIL,
		"log=ended alice!details bob!details 0:session-terminate "
		"1:session-terminate >ending",
		NIL, NIL, NIL,
	} },
	{ "error 1 $b1 item-not-found unknown-session", {
		NIL, NIL, NIL, NIL, NIL,
		"log=unanswered alice!refused bob!missed "
		"0:session-terminate 1:retract >done",
		NIL,
		"log=failed alice!refused bob!failed 0:session-terminate "
		"1:session-terminate >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		"1:session-terminate >ending",
		NIL, NIL, NIL,
	} },
	{ "timeout 0 $a1", {
		NIL, NIL, NIL, NIL, NIL,
		"log=caller-gone alice!refused bob!missed "
		"0:session-terminate 1:session-terminate 1:retract >done",
		NIL, NIL,
		"log=ended alice!details bob!details 0:session-terminate "
		"1:session-terminate >ending",
		NIL, NIL, NIL,
	} },
	{ "timeout 1 $b1", {
		NIL, NIL, NIL, NIL, NIL,
		"log=unanswered alice!refused bob!missed "
		"0:session-terminate 1:retract >done",
		NIL,
		"log=failed alice!refused bob!failed 0:session-terminate "
		"1:session-terminate >ending",
		"log=ended alice!details bob!details 0:session-terminate "
		"1:session-terminate >ending",
		NIL, NIL, NIL,
	} },
	{ "bounce bob@x $bm service-unavailable", {
		NIL, NIL, NIL, "1:retract >refusing", ">refusing",
		"1:session-terminate >refusing", NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "bounce bob@x/phone $bm service-unavailable", {
		NIL, NIL, NIL,
		"log=unanswered alice!refused bob!missed 0:reject "
		"1:retract >done",
		"log=unanswered alice!refused bob!missed 0:reject "
		"1:retract >ending",
		"log=unanswered alice!refused bob!missed "
		"0:session-terminate 1:retract >done",
		NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "bounce alice@x $am service-unavailable", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "receipt bob@x/phone", {
		NIL, NIL, NIL, "0:ringing", NIL, NIL, NIL, NIL, NIL, NIL, NIL,
		NIL,
	} },
	{ "facts none offer bob@x/phone", {
		NIL, "1:propose >ringing", NIL, NIL, NIL, NIL, NIL, NIL, NIL,
		NIL, NIL, NIL,
	} },
	{ "facts none offer", {
		NIL, ">refusing", NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
		NIL,
	} },
	{ "facts not-active offer", {
		NIL, ">refusing", NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
		NIL,
	} },
	{ "facts privacy", {
		NIL, ">refusing", NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
		NIL,
	} },
	{ "facts switch-off offer", {
		NIL, "log=switch-off alice!refused 0:reject >done", NIL, NIL,
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "gone alice@x/desk", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "gone bob@x/phone", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "back bob@x/phone", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "device bob@x/new", {
		NIL, NIL, NIL, "1:propose", "1:propose", "1:propose", NIL, NIL,
		NIL, NIL, NIL, NIL,
	} },
	{ "device bob@x/new:plain", {
		NIL, NIL, NIL, NIL, NIL, "1:session-initiate", NIL, NIL, NIL,
		NIL, NIL, NIL,
	} },
	{ "time", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "due", {
		NIL, "log=not-active alice!refused bob!missed 0:reject >done",
		"log=not-active alice!refused bob!missed 0:reject >done",
		"0:ringing",
		"log=unanswered alice!refused bob!missed 0:reject "
		"1:retract >ending",
		"log=unanswered alice!refused bob!missed "
		"0:session-terminate 1:session-terminate 1:retract >done",
		"log=failed alice!refused bob!failed 0:reject 1:retract "
		">ending",
		"log=failed alice!refused bob!failed 0:session-terminate "
		"1:session-terminate >ending",
		NIL, "0:finish 1:finish >open", ">done", "forget over",
	} },
	{ "switch-off", {
		NIL, "log=switch-off alice!refused 0:reject >done",
		"log=not-active alice!refused bob!missed 0:reject >done",
		"log=switch-off alice!refused bob!missed 0:reject "
		"1:retract >done",
		"log=switch-off alice!refused bob!missed 0:reject "
		"1:retract >ending",
		"log=switch-off alice!refused bob!missed "
		"0:session-terminate 1:session-terminate 1:retract >done",
		NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "drain", {
		NIL, "log=draining alice!refused 0:reject >done",
		"log=not-active alice!refused bob!missed 0:reject >done",
		"log=draining alice!refused bob!missed 0:reject 1:retract "
		">done",
		"log=draining alice!refused bob!missed 0:reject 1:retract "
		">ending",
		"log=draining alice!refused bob!missed 0:session-terminate "
		"1:session-terminate 1:retract >done",
		NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "restored", {
		NIL, "log=restart alice!refused 0:reject >done",
		"log=restart alice!refused 0:reject >done",
		"log=restart alice!refused bob!missed 0:reject 1:retract "
		">done",
		"log=restart alice!refused bob!missed 0:reject 1:retract "
		">ending",
		"log=restart alice!refused bob!missed 0:session-terminate "
		"1:session-terminate 1:retract >done",
		NIL, NIL, "0:session-info 1:session-info",
		"0:session-terminate 1:session-terminate 0:finish 1:finish "
		">open",
		"0:session-terminate 1:session-terminate",
		"0:reject 1:retract",
	} },
	{ "cut", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
	} },
	{ "linked", {
		NIL, NIL, NIL, NIL, NIL, NIL, NIL, NIL,
		"0:session-info 1:session-info", NIL, NIL, NIL,
	} },
	{ "hangup", {
		NIL, "log=ended-by-admin alice!refused 0:reject >done",
		"log=ended-by-admin alice!refused 0:reject >done",
		"log=ended-by-admin alice!refused bob!missed 0:reject "
		"1:retract >done",
		"log=ended-by-admin alice!refused bob!missed 0:reject "
		"1:retract >ending",
		"log=ended-by-admin alice!refused bob!missed "
		"0:session-terminate 1:session-terminate 1:retract >done",
		"log=ended-by-admin alice!details bob!details 0:reject "
		"1:retract >ending",
		"log=ended-by-admin alice!details bob!details "
		"0:session-terminate 1:session-terminate >ending",
		"log=ended-by-admin alice!details bob!details "
		"0:session-terminate 1:session-terminate >ending",
		NIL, ">done", NIL,
	} },
	{ "switched alice@x", {
		NIL, "log=cancelled 0:reject >done",
		"log=cancelled 0:reject >done",
		"log=cancelled bob!missed 0:reject 1:retract >done",
		"log=cancelled bob!missed 0:reject 1:retract >ending",
		"log=cancelled bob!missed 0:session-terminate "
		"1:session-terminate 1:retract >done",
		"log=switched alice!details bob!details 0:reject 1:retract "
		">ending",
		"log=switched alice!details bob!details "
		"0:session-terminate 1:session-terminate >ending",
		"log=switched alice!details bob!details "
		"0:session-terminate 1:session-terminate >ending",
		NIL, NIL, NIL,
	} },
	{ "switched bob@x", {
		NIL, NIL, NIL, NIL, NIL, NIL,
		"log=switched alice!details bob!details 0:reject 1:retract "
		">ending",
		"log=switched alice!details bob!details "
		"0:session-terminate 1:session-terminate >ending",
		"log=switched alice!details bob!details "
		"0:session-terminate 1:session-terminate >ending",
		NIL, NIL, NIL,
	} },
};
