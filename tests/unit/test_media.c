/* test_media.c: the daemon and a scripted privatecall-media, the peer of
 * wire.h: what each call orders, what becomes of it when either side dies, and
 * that no address of one user reaches the other (X5).
 */
#include "tests/unit/daemon_test.h"
#include "mod_privatecall/media/wire.h"

static int listener = -1, peer = -1;
static struct wire_msg got;
static char media_file[96], call_id[WIRE_CALL_SIZE], sid[64];
static unsigned candidates, ends, remotes;
static struct wire_security said[WIRE_SIDES];
static const char *mode;           /* of this test */

#define DAY_MS 86400000L
#define ALICE_IP "192.0.2.11"
#define BOB_IP "192.0.2.22"
#define ALICE "from='alice@example.org/a' to='bob@calls.example.org/call'"
#define BOB "from='bob@example.org/b' to='alice@calls.example.org/call'"
#define EIGHT "A1:B2:C3:D4:E5:F6:07:18"
#define HIS(eight) eight ":" eight ":" eight ":" eight
#define CONTENT(name, ufrag, more) "<content creator='initiator' name='" name \
	"'><description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'>" \
	"<rtcp-mux/><payload-type id='0'/></description><transport " \
	"xmlns='urn:xmpp:jingle:transports:ice-udp:1' ufrag='" ufrag "' " \
	"pwd='a-secret-of-" ufrag "-0000'><fingerprint hash='sha-256' " \
	"xmlns='urn:xmpp:jingle:apps:dtls:0' setup='actpass'>" HIS(EIGHT) \
	"</fingerprint>" more "</transport></content>"
#define CANDIDATE(ip, protocol) "<candidate component='1' foundation='1' " \
	"ip='" ip "' port='5000' priority='7' protocol='" protocol "' " \
	"type='host'/>"

static void media_listen(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", media_file);
	unlink(media_file);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
			  SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr,
			      sizeof(addr)), 0);
	assert_int_equal(listen(listener, 4), 0);
}

static void media_hang_up(void)
{
	if (peer >= 0)
		close(peer);
	peer = -1;
}

static void media_end(void)
{
	media_hang_up();
	if (listener >= 0)
		close(listener);
	listener = -1;
	unlink(media_file);
}

/* The next message is here, and it is one of this kind. Candidates and the
 * like, of which there may be many, are counted. */
static bool next_is(enum wire_kind kind)
{
	char packet[sizeof(got) + 1];
	const char *why = NULL;
	ssize_t n;

	if (peer < 0)
		peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC |
			       SOCK_NONBLOCK);
	n = peer < 0 ? -1 : recv(peer, packet, sizeof(packet), 0);
	if (n <= 0)
		return false;
	assert_int_equal(wire_read(packet, (size_t)n, false, &got, &why), 0);
	candidates += got.kind == WIRE_CANDIDATE;
	ends += got.kind == WIRE_END;
	remotes += got.kind == WIRE_REMOTE;
	if (got.kind == WIRE_SECURITY)
		said[got.side] = got.security;
	return got.kind == kind;
}

static void tell(struct wire_msg *msg)
{
	assert_int_equal(send(peer, msg, wire_size(msg->kind), MSG_NOSIGNAL),
			 wire_size(msg->kind));
}

static void tell_kind(enum wire_kind kind, const char *call)
{
	struct wire_msg msg;

	wire_begin(&msg, kind, call);
	tell(&msg);
}

static void welcome(void)
{
	struct wire_msg msg;

	UNTIL(next_is(WIRE_HELLO));
	assert_string_equal(got.hello.release, PACKAGE_VERSION);
	wire_begin(&msg, WIRE_WELCOME, NULL);
	strcpy(msg.welcome.release, "9.8.7");
	msg.welcome.most_calls = 10;
	msg.welcome.offers = 2;
	addr_parse("198.51.100.7", 10000, &msg.welcome.offer[0].addr);
	strcpy(msg.welcome.offer[0].foundation, "1");
	msg.welcome.offer[1] = msg.welcome.offer[0];
	msg.welcome.offer[1].related = msg.welcome.offer[0].addr;
	addr_parse("203.0.113.7", 10000, &msg.welcome.offer[1].addr);
	msg.welcome.offer[1].type = ICE_SRFLX;
	tell(&msg);
	UNTIL(next_is(WIRE_LIST));
}

static void ready(void)
{
	struct wire_msg msg;

	wire_begin(&msg, WIRE_READY, got.call);
	msg.transport = got.transport;
	strcpy(msg.ready.side[WIRE_CALLER].ufrag, "toalice0");
	strcpy(msg.ready.side[WIRE_CALLER].pwd, "pwd-towards-alice-000000");
	strcpy(msg.ready.side[WIRE_CALLEE].ufrag, "tobob000");
	strcpy(msg.ready.side[WIRE_CALLEE].pwd, "pwd-towards-bob-00000000");
	if (strcmp(mode, "room") == 0) {
		strcpy(msg.ready.fingerprint.hash, "sha-256");
		msg.ready.fingerprint.len = 32;
		memset(msg.ready.fingerprint.value, 0x5c, 32);
	}
	tell(&msg);
}

static void step(enum wire_side side, enum wire_step s)
{
	struct wire_msg msg;

	wire_begin(&msg, WIRE_STEP, call_id);
	msg.side = (uint8_t)side;
	msg.said.step = s;
	tell(&msg);
}

/* How many lines of the log say so? */
static unsigned logged(const char *text)
{
	char line[512], log[96];
	unsigned n = 0;
	FILE *f;

	snprintf(log, sizeof(log), "%s/log", dir);
	f = fopen(log, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, text) != NULL;
	fclose(f);
	return n;
}

/* When the first line of the log with this was written, in ms of its day: the
 * daemon's own time, of which a machine that keeps us waiting is no part. */
static long logged_at(const char *text)
{
	char line[512], log[96];
	unsigned h = 0, min = 0, s = 0, ms = 0;
	bool found = false;
	FILE *f;

	snprintf(log, sizeof(log), "%s/log", dir);
	f = fopen(log, "r");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, text) != NULL;
	fclose(f);
	assert_true(found);
	assert_int_equal(sscanf(line, "time=%*[^T]T%u:%u:%u.%3uZ", &h, &min,
				&s, &ms), 4);
	return ((h * 60L + min) * 60 + s) * 1000 + ms;
}

/* With the id of the callee's leg. */
static void send_with_sid(const char *before, const char *after)
{
	char text[2048];

	snprintf(text, sizeof(text), "%s%s%s", before, sid, after);
	mock_send(&m, text);
}

/* Up to the offer, which waits for OPEN's answer. */
static void offer(void)
{
	const char *at;

	come_online();
	mock_send(&m, PROPOSE);
	UNTIL(count_sent("<propose") == 1);
	at = strstr(strstr(m.log, "<propose"), " id='");
	assert_int_equal(sscanf(at, " id='%63[^']", sid), 1);
	send_with_sid("<message " BOB " type='chat' id='x'><proceed "
		      "xmlns='urn:xmpp:jingle-message:0' id='",
		      "'/></message>");
	UNTIL(count_sent("<proceed") == 1);
	mock_send(&m, "<iq type='set' id='i1' " ALICE "><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='session-initiate' "
		  "sid='s1'>" CONTENT("0", "alic",
				      CANDIDATE(ALICE_IP, "udp")
				      CANDIDATE(ALICE_IP, "tcp")
				      CANDIDATE("x.local", "udp"))
		  "</jingle></iq>");
	UNTIL(next_is(WIRE_OPEN));
	assert_int_equal(got.transport, 0);
	assert_int_equal(got.open.mode, strcmp(mode, "room") == 0 ?
			 WIRE_ROOM : WIRE_BLIND);
	strcpy(call_id, got.call);
}

static void configure(const char *to)
{
	char more[200];

	mode = to;
	snprintf(more, sizeof(more), "media = %s\nmedia_socket = \"%s\"\n",
		 mode, media_file);
	write_conf(more);
}

static void begin(const char *as)
{
	candidates = ends = remotes = 0;
	snprintf(media_file, sizeof(media_file), "%s/media", dir);
	memset(said, 0, sizeof(said));
	configure(as);
}

static void connected_as(const char *as)
{
	char status[96];

	begin(as);
	media_listen();
	up();
	welcome();
	tell_kind(WIRE_LISTED, NULL);
	snprintf(status, sizeof(status), "media           %s, "
		 "privatecall-media 9.8.7", mode);
	UNTIL(says("\"status\"", status));
}

static void connected(void)
{
	connected_as("blind");
}

static void running(void)
{
	offer();
	ready();
	UNTIL(count_sent("session-initiate") == 1);
	send_with_sid("<iq type='set' id='i2' " BOB "><jingle "
		      "xmlns='urn:xmpp:jingle:1' action='session-accept' "
		      "sid='", "'>" CONTENT("0", "bobs",
					    CANDIDATE(BOB_IP, "udp")
					    "<gathering-complete/>")
		      "</jingle></iq>");
	UNTIL(next_is(WIRE_END));
	UNTIL(count_sent("session-accept") == 1);
}

/* X11: without the process calls are refused, and the remedy is said. */
static void test_away(void **state)
{
	(void)state;
	begin("blind");
	up();
	assert_int_equal(ctl("\"status\""), 0);
	assert_non_null(strstr(answer, "privatecall-media IS AWAY (/tmp/"));
	assert_non_null(strstr(answer, "No such file or directory), calls are "
			       "refused: systemctl start privatecall-media"));
	assert_int_equal(ctl("\"check\""), 1);
	assert_non_null(strstr(answer, "systemctl start privatecall-media"));
	assert_non_null(strstr(answer, "`media = direct'"));
	come_online();
	mock_send(&m, PROPOSE);
	UNTIL(count_sent("<reject") == 1);
	assert_non_null(strstr(m.log, "Calls are not available right now."));
	assert_int_equal(count_sent("<propose"), 0);
	/* It is in the log, once. */
	assert_int_equal(logged("privatecall-media is away"), 1);
	assert_int_equal(logged("why=\"No such file or directory\""), 1);
	media_listen();
	welcome();
	UNTIL(says("\"status\"", "\"version\":\"9.8.7\""));
	media_end();
	stop();
}

/* X5, A05: each is told of ours, and media of his. */
static void test_call(void **state)
{
	(void)state;
	connected();
	running();
	assert_int_equal(remotes, 2);
	assert_int_equal(candidates, 2);
	assert_string_equal(got.call, call_id);
	assert_int_equal(got.side, WIRE_CALLEE);
	assert_null(strstr(m.log, ALICE_IP));
	assert_null(strstr(m.log, BOB_IP));
	assert_null(strstr(m.log, "a-secret-of"));
	assert_int_equal(count_sent("203.0.113.7"), 2);
	assert_int_equal(count_sent("rel-addr='198.51.100.7'"), 2);
	assert_int_equal(count_sent("ufrag='toalice0'"), 1);
	assert_int_equal(count_sent("ufrag='tobob000'"), 1);
	step(WIRE_CALLER, WIRE_MEDIA);
	step(WIRE_CALLEE, WIRE_MEDIA);
	UNTIL(says("\"calls\"", ", blind"));
	assert_int_equal(ctl("\"check\""), 0);
	mock_send(&m, "<iq type='set' id='i3' " ALICE "><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='session-terminate' "
		  "sid='s1'><reason><success/></reason></jingle></iq>");
	UNTIL(next_is(WIRE_CLOSE));
	assert_string_equal(got.call, call_id);
	media_end();
	stop();
}

static void is_his(const struct wire_security *s, bool active)
{
	assert_string_equal(s->fingerprint.hash, "sha-256");
	assert_int_equal(s->fingerprint.len, 32);
	assert_int_equal(s->fingerprint.value[0], 0xa1);
	assert_int_equal(s->fingerprint.value[31], 0x18);
	assert_int_equal(s->active, active);
}

/* Mode `room`: each is told of our fingerprint, and media of his; that it is
 * decrypted here is said. */
static void test_room(void **state)
{
	(void)state;
	connected_as("room");
	running();
	/* The last one is said of the called device. */
	UNTIL(next_is(WIRE_SECURITY) && got.side == WIRE_CALLEE);
	is_his(&said[WIRE_CALLER], true);
	is_his(&said[WIRE_CALLEE], true);
	UNTIL(next_is(WIRE_MAP) && got.side == WIRE_CALLEE);
	assert_int_equal(got.map.type[0].clock, 8000);
	assert_int_equal(got.map.type[0].apt, REWRITE_NO_APT);
	assert_int_equal(count_sent(EIGHT), 0);
	assert_int_equal(count_sent("hash='sha-256' setup='actpass'>5C:5C:"),
			 1);
	assert_int_equal(count_sent("hash='sha-256' setup='active'>5C:5C:"),
			 1);
	step(WIRE_CALLER, WIRE_SECURE);
	step(WIRE_CALLEE, WIRE_SECURE);
	step(WIRE_CALLER, WIRE_MEDIA);
	step(WIRE_CALLEE, WIRE_MEDIA);
	UNTIL(says("\"calls\"", ", room"));
	mock_send(&m, "<iq type='set' id='i3' " ALICE "><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='session-terminate' "
		  "sid='s1'><reason><success/></reason></jingle></iq>");
	UNTIL(next_is(WIRE_CLOSE));
	UNTIL(count_sent(", decrypted at your server.") == 2);
	media_end();
	stop();
}

/* F23, X8: he comes back on another device: media are told, nobody is rung, and
 * the other is told, whatever he has set. */
static void test_return(void **state)
{
	struct wire_msg msg;

	(void)state;
	connected_as("room");
	running();
	UNTIL(next_is(WIRE_MAP) && got.side == WIRE_CALLEE);
	step(WIRE_CALLER, WIRE_MEDIA);
	step(WIRE_CALLEE, WIRE_MEDIA);
	assert_int_equal(ctl("\"user\",\"alice@example.org\",\"notices\","
			     "\"never\""), 0);
	mock_send(&m, "<iq type='set' id='i9' from='bob@example.org/new' "
		  "to='alice@calls.example.org/call'><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='session-initiate' "
		  "sid='s9'>" CONTENT("0", "back", CANDIDATE(BOB_IP, "udp"))
		  "</jingle></iq>");
	UNTIL(next_is(WIRE_RENEW));
	assert_int_equal(got.side, WIRE_CALLEE);
	assert_int_equal(got.renew.controlling, 0);
	assert_int_equal(count_sent("sid='s9'"), 0);
	wire_begin(&msg, WIRE_CREDENTIALS, call_id);
	msg.side = WIRE_CALLEE;
	strcpy(msg.credentials.ufrag, "tobob111");
	strcpy(msg.credentials.pwd, "pwd-towards-bob-11111111");
	tell(&msg);
	UNTIL(next_is(WIRE_MAP) && got.side == WIRE_CALLEE);
	assert_int_equal(got.map.type[0].clock, 8000);
	UNTIL(count_sent("sid='s9'") == 1);
	assert_int_equal(count_sent("ufrag='tobob111'"), 1);
	assert_int_equal(count_sent("<propose"), 1);
	UNTIL(count_sent(" is back in your call since ") == 1);
	assert_int_equal(logged("msg=\"has left the call\""), 1);
	assert_int_equal(logged("msg=\"is back in the call\""), 1);
	media_end();
	stop();
}

/* A handshake by a certificate that is not the fingerprint's. */
static void test_insecure(void **state)
{
	(void)state;
	connected_as("room");
	running();
	step(WIRE_CALLER, WIRE_INSECURE);
	UNTIL(count_sent("session-terminate") == 2);
	assert_int_equal(count_sent("<security-error"), 2);
	UNTIL(count_sent("(wrong fingerprint of the caller&apos;s device)") +
	      count_sent("(wrong fingerprint of the caller's device)") >= 4);
	assert_int_equal(logged("result=failed reason=security-error"), 1);
	assert_int_equal(logged("step=\"wrong fingerprint of the caller's "
				"device\""), 1);
	media_end();
	stop();
}

/* An ICE restart of his is answered with credentials of ours. */
static void test_restart(void **state)
{
	struct wire_msg msg;

	(void)state;
	connected();
	running();
	mock_send(&m, "<iq type='set' id='i3' " ALICE "><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='transport-info' "
		  "sid='s1'>" CONTENT("0", "anew", "") "</jingle></iq>");
	UNTIL(next_is(WIRE_REMOTE));
	assert_string_equal(got.remote.ufrag, "anew");
	assert_int_equal(got.side, WIRE_CALLER);
	wire_begin(&msg, WIRE_CREDENTIALS, call_id);
	strcpy(msg.credentials.ufrag, "fresh000");
	strcpy(msg.credentials.pwd, "pwd-that-is-fresh-000000");
	tell(&msg);
	UNTIL(count_sent("ufrag='fresh000'") == 1);
	assert_int_equal(count_sent("transport-info"), 1);
	media_end();
	stop();
}

static void test_refused(void **state)
{
	struct wire_msg msg;

	(void)state;
	connected();
	offer();
	wire_begin(&msg, WIRE_REFUSED, call_id);
	msg.refused.why = WIRE_FULL;
	tell(&msg);
	UNTIL(count_sent("<gone") >= 1);
	assert_int_equal(count_sent("session-initiate"), 0);
	UNTIL(next_is(WIRE_CLOSE));
	media_end();
	stop();
}

/* The process dies: both are told within 2 s, and that they can rejoin. */
static void test_media_dies(void **state)
{
	long took;

	(void)state;
	connected();
	running();
	media_end();
	UNTIL(count_sent("session-terminate") == 2);
	took = logged_at("msg=ended") - logged_at("privatecall-media is lost");
	assert_in_range((took + DAY_MS) % DAY_MS, 0, 2000);
	assert_int_equal(count_sent("<connectivity-error"), 2);
	assert_int_equal(count_sent("<text>The call was interrupted.</text>"),
			 2);
	UNTIL(count_sent("You can rejoin until") == 2);
	stop();
}

static void welcome_again(bool draining, unsigned calls)
{
	struct wire_msg msg;

	wire_begin(&msg, WIRE_WELCOME, NULL);
	strcpy(msg.welcome.release, "9.8.7");
	msg.welcome.most_calls = 10;
	msg.welcome.calls = calls;
	msg.welcome.draining = draining;
	tell(&msg);
}

static void trouble(enum wire_side side, const char *text)
{
	struct wire_msg msg;

	wire_begin(&msg, WIRE_TROUBLE, call_id);
	msg.side = (uint8_t)side;
	strcpy(msg.trouble.text, text);
	tell(&msg);
}

/* Which step failed, and why, is in the log, in ctl and told to both. */
static void test_step(void **state)
{
	static const char said_so[] = "DTLS of the called device did not "
		"finish: no shared cipher";

	(void)state;
	connected_as("room");
	running();
	step(WIRE_CALLER, WIRE_DTLS);
	step(WIRE_CALLER, WIRE_SECURE);
	step(WIRE_CALLEE, WIRE_DTLS);
	trouble(WIRE_CALLEE, "no shared cipher");
	UNTIL(says("\"calls\"", "\"callee_media\":\"dtls\""));
	assert_int_equal(ctl("\"clock\",\"+21s\""), 0);
	UNTIL(count_sent("session-terminate") == 2);
	UNTIL(count_sent(said_so) == 4);       /* with two notices */
	assert_int_equal(logged(said_so), 1);
	UNTIL(says("\"log\"", said_so));
	UNTIL(says("\"log\"", "\"step\":\"DTLS of the called"));
	media_end();
	stop();
}

/* What it counted is in the log and, for good, in the record of the round. */
static void test_record(void **state)
{
	struct wire_msg msg;

	(void)state;
	connected_as("room");
	running();
	step(WIRE_CALLER, WIRE_MEDIA);
	step(WIRE_CALLEE, WIRE_MEDIA);
	UNTIL(says("\"calls\"", "\"caller_media\":\"media\""));
	mock_send(&m, "<iq type='set' id='i3' " ALICE "><jingle "
		  "xmlns='urn:xmpp:jingle:1' action='session-terminate' "
		  "sid='s1'><reason><success/></reason></jingle></iq>");
	UNTIL(next_is(WIRE_CLOSE));
	assert_int_equal(got.close.round, 1);
	wire_begin(&msg, WIRE_CLOSED, call_id);
	msg.closed.round = got.close.round;
	msg.closed.mode = WIRE_ROOM;
	msg.closed.side[0].in_packets = 1001;
	msg.closed.side[0].in_bytes = 90001;
	msg.closed.side[1].out_packets = 999;
	msg.closed.quality[0].missing = 3;
	msg.closed.quality[1].lost = 5;
	msg.closed.quality[1].reports = 2;
	msg.closed.quality[1].jitter = 4100;
	msg.closed.quality[1].trips = 1;
	msg.closed.quality[1].trip = 38;
	msg.closed.dropped[WIRE_REPLAYED] = 2;
	msg.closed.rewritten[REWRITE_N_BEFORE] = 6;
	tell(&msg);
	UNTIL(says("\"log\"", "\"round_trip_ms\":38"));
	assert_int_equal(logged("msg=\"media of the call\""), 1);
	assert_int_equal(logged("in_packets:1001,in_bytes:90001,"), 1);
	assert_int_equal(logged("not_passed=replayed:2,before:6"), 1);
	assert_null(strstr(answer, "from the caller"));
	assert_int_equal(ctl("\"log\",\"--media\""), 0);
	assert_non_null(strstr(answer, "from the caller 1001 packets, 90001 "
			       "bytes, 3 missing; to him 0 packets, 0 bytes"
			       "\\n"));
	assert_non_null(strstr(answer, "to him 999 packets, 0 bytes, 5 lost, "
			       "jitter 4.1 ms, round trip 38 ms"));
	media_end();
	stop();
}

/* While it drains, or has its most calls, nobody rings in vain. */
static void test_takes_no_calls(void **state)
{
	(void)state;
	connected();
	welcome_again(true, 1);
	UNTIL(says("\"status\"", "TAKES NO CALLS"));
	assert_int_equal(ctl("\"check\""), 0);
	assert_non_null(strstr(answer, "WARN"));
	come_online();
	mock_send(&m, PROPOSE);
	UNTIL(count_sent("<reject") == 1);
	assert_int_equal(count_sent("<propose"), 0);
	welcome_again(false, 10);
	UNTIL(says("\"status\"", "TAKES NO CALLS"));
	welcome_again(false, 9);
	UNTIL(!says("\"status\"", "TAKES NO CALLS"));
	media_end();
	stop();
}

/* It is hung: its socket stands, and nothing comes. */
static void test_hung(void **state)
{
	(void)state;
	connected();
	running();
	assert_int_equal(ctl("\"clock\",\"+4s\""), 0);
	assert_int_equal(ctl("\"clock\",\"+2s\""), 0);
	UNTIL(next_is(WIRE_HELLO));
	welcome_again(false, 1);
	UNTIL(says("\"status\"", "blind, privatecall-media 9.8.7"));
	assert_int_equal(ctl("\"clock\",\"+6s\""), 0);
	UNTIL(next_is(WIRE_HELLO));
	assert_int_equal(ctl("\"clock\",\"+4s\""), 0);
	UNTIL(count_sent("session-terminate") == 2);
	assert_int_equal(count_sent("<text>The call was interrupted.</text>"),
			 2);
	assert_int_equal(logged("why=\"it does not answer\""), 1);
	media_end();
	stop();
}

/* So they are when new calls do not need it any more. */
static void test_mode_changes(void **state)
{
	(void)state;
	connected();
	running();
	configure("direct");
	assert_int_equal(ctl("\"reload\""), 0);
	media_end();
	UNTIL(count_sent("session-terminate") == 2);
	assert_int_equal(count_sent("<text>The call was interrupted.</text>"),
			 2);
	stop();
}

static void add(const char *id)
{
	char text[1024];

	snprintf(text, sizeof(text), "<iq type='set' id='%s' " ALICE "><jingle "
		 "xmlns='urn:xmpp:jingle:1' action='content-add' sid='s1'>"
		 CONTENT("1", "more", "") "</jingle></iq>", id);
	mock_send(&m, text);
	UNTIL(next_is(WIRE_OPEN));
	assert_int_equal(got.transport, 1);
}

/* An answer that came too late is of a transport that was given up: the one
 * that has its number now has other credentials. */
static void test_late(void **state)
{
	struct wire_msg msg;

	(void)state;
	connected();
	running();
	add("i3");
	UNTIL(next_is(WIRE_DROP));             /* 2 s later */
	add("i4");
	wire_begin(&msg, WIRE_READY, call_id);
	msg.transport = 1;
	strcpy(msg.ready.side[WIRE_CALLER].ufrag, "oldalic0");
	strcpy(msg.ready.side[WIRE_CALLER].pwd, "pwd-of-the-one-given-up0");
	strcpy(msg.ready.side[WIRE_CALLEE].ufrag, "oldbob00");
	strcpy(msg.ready.side[WIRE_CALLEE].pwd, "pwd-of-the-one-given-up0");
	tell(&msg);
	ready();
	UNTIL(count_sent("content-add") == 1);
	assert_int_equal(count_sent("oldbob00"), 0);
	media_end();
	stop();
}

/* ... and comes back in time, knowing the call: nobody notices. */
static void test_connection_breaks(void **state)
{
	struct wire_msg msg;

	(void)state;
	connected();
	running();
	media_hang_up();
	welcome();
	wire_begin(&msg, WIRE_CALL, call_id);
	tell(&msg);
	tell_kind(WIRE_LISTED, NULL);
	/* What is not understood breaks it again. */
	assert_int_equal(send(peer, "?", 1, MSG_NOSIGNAL), 1);
	peer = -1;
	welcome();
	tell(&msg);
	tell_kind(WIRE_LISTED, NULL);
	UNTIL(says("\"status\"", "media           blind, privatecall-media"));
	assert_int_equal(count_sent("session-terminate"), 0);
	UNTIL(says("\"calls\"", "up       "));
	media_end();
	stop();
}

/* X10: control dies; calls that both know go on, others are closed; one that
 * only control knows is interrupted. */
static void control_dies(const char *as)
{
	static const char other[] = "01234567-89ab-4def-8123-456789abcdef";
	struct wire_msg msg;
	char text[32];

	connected_as(as);
	running();
	kill_daemon();
	peer = -1;
	forget_log();
	up();
	welcome();
	wire_begin(&msg, WIRE_CALL, call_id);
	msg.listed.side[0].steps = 1u << WIRE_MEDIA | 1u << WIRE_CONNECTED;
	msg.listed.side[1].steps = 1u << WIRE_MEDIA | 1u << WIRE_CONNECTED;
	tell(&msg);
	msg.transport = 1;             /* asked for, and forgotten */
	tell(&msg);
	wire_begin(&msg, WIRE_CALL, other);
	tell(&msg);
	tell_kind(WIRE_LISTED, NULL);
	/* What it may not have heard is said again, of the one that goes on. */
	UNTIL(next_is(WIRE_REMOTE) && got.side == WIRE_CALLEE);
	assert_string_equal(got.remote.ufrag, "bobs");
	if (strcmp(as, "room") == 0)
		UNTIL(next_is(WIRE_SECURITY) && got.side == WIRE_CALLEE);
	UNTIL(next_is(WIRE_DROP));
	assert_int_equal(got.transport, 1);
	UNTIL(next_is(WIRE_CLOSE));
	assert_string_equal(got.call, other);
	come_online();
	snprintf(text, sizeof(text), ", %s", as);
	UNTIL(says("\"calls\"", "up       ") && says("\"calls\"", text));
	kill_daemon();
	peer = -1;
	forget_log();
	up();
	welcome();
	tell_kind(WIRE_LISTED, NULL);
	come_online();
	UNTIL(says("\"log\"", "connectivity-error"));
	media_end();
	stop();
}

static void test_control_dies(void **state)
{
	(void)state;
	control_dies("blind");
}

static void test_control_dies_in_room(void **state)
{
	(void)state;
	control_dies("room");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(test_away), T(test_call), T(test_room), T(test_return),
		T(test_insecure),
		T(test_restart), T(test_refused), T(test_media_dies),
		T(test_takes_no_calls), T(test_step), T(test_record),
		T(test_hung), T(test_mode_changes),
		T(test_late), T(test_connection_breaks),
		T(test_control_dies), T(test_control_dies_in_room),
	};

	return be_daemon_or_test(argc, argv, tests);
}
