/* media_attack_test.h: armed peers of a real privatecall-media in both modes,
 * and whoever else sends packets there. In mode `blind` the two clients make
 * DTLS with each other through the process, in `room` each with the process; in
 * both a peer has what his keys open, once.
 */
#ifndef TESTS_UNIT_MEDIA_ATTACK_TEST_H
#define TESTS_UNIT_MEDIA_ATTACK_TEST_H

#include "tests/unit/attack_table.h"
#include "tests/unit/media_process_test.h"

#define BURST 16                   /* packets that no buffer is too small for */

#define DROPPED "msg=\"packets dropped\" of="

/* How many the log says were dropped so, in all. */
static inline uint64_t dropped(const char *of)
{
	char key[32];
	const char *line, *at, *end;
	uint64_t sum = 0;
	int len = snprintf(key, sizeof(key), "%s:", of);

	logged("");
	for (line = strstr(log_text, DROPPED); line;
	     line = strstr(end, DROPPED)) {
		end = line + strcspn(line, "\n");
		for (at = line; (at = strstr(at, key)) && at < end; at++)
			if (strchr("=,\"", at[-1]))
				sum += strtoull(at + len, NULL, 10);
	}
	return sum;
}

static inline const char *mode_name(void)
{
	return mode == WIRE_ROOM ? "room" : "blind";
}

static inline int setup_blind(void **state)
{
	int err = setup(state);

	mode = WIRE_BLIND;
	return err;
}

static inline int setup_room(void **state)
{
	int err = setup(state);

	mode = WIRE_ROOM;
	return err;
}

/* --- armed peers ------------------------------------------------------ */

static inline void fingerprint_of(const struct peer *p,
				  struct wire_fingerprint *f)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->hash, "sha-256");
	f->len = (uint32_t)dtls_identity_fingerprint(p->id, f->hash, f->value);
}

/* In calls of even numbers the caller's client begins, and the callee's answers
 * who begins with him; in the others it is the other way round. */
static inline bool is_active(const struct peer *p)
{
	return (p->side == WIRE_CALLER) == (p->call % 2 == 0);
}

static inline void give_identity(struct peer *p)
{
	const char *why;

	assert_int_equal(dtls_identity_new(time(NULL), &p->id, &why), 0);
}

/* What signalling tells a client of whom he will talk to. */
static inline void arm(struct peer *p)
{
	struct wire_fingerprint f;

	assert_int_equal(dtls_srtp_new(p->id, is_active(p), &p->dtls), 0);
	if (mode == WIRE_ROOM)
		f = ready[p->call].fingerprint;
	else
		fingerprint_of(&peer[2 * p->call + !p->side], &f);
	assert_int_equal(dtls_srtp_expect(p->dtls, f.hash, f.value, f.len), 0);
}

/* And control of him. */
static inline void secure(const struct peer *p,
			  const struct wire_fingerprint *f)
{
	struct wire_msg m;

	if (mode != WIRE_ROOM)
		return;
	say_of(p, &m, WIRE_SECURITY);
	m.security.fingerprint = *f;
	m.security.active = !is_active(p);
	put(&m);
}

static inline void map(const struct peer *p)
{
	struct wire_msg m;

	if (mode != WIRE_ROOM)
		return;
	say_of(p, &m, WIRE_MAP);
	m.map.type[AUDIO] = (struct rewrite_type) {
		.clock = 48000, .out = AUDIO, .media = REWRITE_AUDIO,
		.apt = REWRITE_NO_APT };
	m.map.type[VIDEO] = (struct rewrite_type) {
		.clock = 90000, .out = VIDEO, .media = REWRITE_VIDEO,
		.apt = REWRITE_NO_APT };
	put(&m);
}

static inline struct peer *of_call(unsigned call, unsigned side)
{
	return &peer[2 * call + side];
}

/* Open, with armed peers; nobody is told of ICE yet. */
static inline void prepare_call_at(unsigned call, const char *caller,
				   const char *callee)
{
	struct wire_fingerprint f;
	unsigned side;

	open_call_at(call, caller, callee);
	give_identity(of_call(call, WIRE_CALLER));
	give_identity(of_call(call, WIRE_CALLEE));
	for (side = 0; side < WIRE_SIDES; side++) {
		struct peer *p = of_call(call, side);

		arm(p);
		fingerprint_of(p, &f);
		secure(p, &f);
		map(p);
	}
}

static inline void prepare_call(unsigned call)
{
	prepare_call_at(call, "127.0.0.1", "127.0.0.1");
}

static inline void tell_all(unsigned call)
{
	unsigned side;

	for (side = 0; side < WIRE_SIDES; side++) {
		tell_of(of_call(call, side));
		tell_peer(of_call(call, side));
	}
}

static inline bool stands(unsigned call)
{
	return of_call(call, 0)->out && of_call(call, 1)->out &&
	       (mode == WIRE_BLIND || both(call, WIRE_SECURE));
}

static inline void call_at(unsigned call)
{
	prepare_call(call);
	tell_all(call);
	wait_for(stands(call));
}

/* The process, and call 0 with keys on both sides. */
static inline void begin(void)
{
	start();
	greet();
	call_at(0);
}

/* --- media ------------------------------------------------------------ */

static inline size_t make_rtp(struct peer *p, unsigned char *out, size_t len)
{
	memset(out, 'm', len);
	out[0] = 0x80;
	out[1] = AUDIO;
	out[2] = (unsigned char)(p->seq >> 8);
	out[3] = (unsigned char)p->seq++;
	memset(out + 4, 0, 8);
	out[10] = (unsigned char)(p->ssrc >> 8);
	out[11] = (unsigned char)p->ssrc;
	return len;
}

/* The next packet, sealed; not sent. */
static inline size_t seal_rtp(struct peer *p, unsigned char *out, size_t len)
{
	make_rtp(p, out, len);
	assert_int_equal(srtp_seal_rtp(p->out, out, &len, PACKET), 0);
	return len;
}

/* As he does, or who writes his address onto a packet. */
static inline void send_as(const struct peer *p, const void *bytes, size_t len)
{
	send_to(p->fd, media_addr(), bytes, len);
}

static inline void send_rtp(struct peer *p, size_t len)
{
	unsigned char bytes[PACKET];

	len = seal_rtp(p, bytes, len);
	send_as(p, bytes, len);
}

/* The call goes on: a packet each way, opened with the keys. It comes after all
 * that was sent to the process before, which has thus been read. */
static inline void talk(unsigned call)
{
	struct peer *a = of_call(call, 0), *b = of_call(call, 1);
	unsigned before[2] = { a->opened, b->opened };

	send_rtp(a, 200);
	send_rtp(b, 900);
	wait_for(a->opened != before[0] && b->opened != before[1]);
	assert_int_equal(a->opened, before[0] + 1);
	assert_int_equal(b->opened, before[1] + 1);
	assert_int_equal(a->len, 900);
	assert_int_equal(b->len, 200);
	assert_int_equal(b->bytes[199], 'm');
}

/* What others sent is all that is dropped from here on: a check or an answer of
 * a peer that comes when the call has been closed would count as well. */
static inline void rest_agents(unsigned call)
{
	agents_rest = true;
	talk(call);                /* what they sent has been read */
}

/* Nothing that was not the other's came to either; no alert, no loss. */
static inline void unharmed(unsigned call)
{
	unsigned side;

	talk(call);
	for (side = 0; side < WIRE_SIDES; side++) {
		const struct peer *p = of_call(call, side);

		assert_null(dtls_srtp_alert(p->dtls));
		assert_int_equal(dtls_srtp_state(p->dtls), DTLS_SRTP_DONE);
		assert_false(steps[call][side] & (1u << WIRE_LOST |
						  1u << WIRE_INSECURE));
	}
}

/* The end, as it is when nothing is wrong (a sanitizer says so as well). */
static inline struct wire_closed finish(void)
{
	unsigned before = said[WIRE_CLOSED];

	tell(WIRE_CLOSE, 0);
	wait_for(said[WIRE_CLOSED] == before + 1);
	kill(media, SIGTERM);
	wait_for(hung_up || logged("msg=draining"));
	kill(media, SIGTERM);
	assert_int_equal(exit_code(), 0);
	return last[WIRE_CLOSED].closed;
}

/* --- whoever else ----------------------------------------------------- */

#define ATTACKERS 64

static int attacker[ATTACKERS];
static struct addr attacker_addr[ATTACKERS];
static unsigned attackers;

/* Addresses of one machine: 127.0.0.2 and on. */
static inline void add_attackers(unsigned n)
{
	char ip[16];

	for (attackers = 0; attackers < n; attackers++) {
		snprintf(ip, sizeof(ip), "127.0.0.%u", 2 + attackers);
		attacker[attackers] = udp_socket_at(ip,
				&attacker_addr[attackers]);
	}
}

/* Datagrams that came to them, and the bytes of those. */
static inline unsigned came_to_attackers(size_t *bytes_r)
{
	unsigned char bytes[PACKET];
	unsigned i, n = 0;
	ssize_t len;

	for (i = 0; i < attackers; i++)
		while ((len = recv(attacker[i], bytes, PACKET, 0)) >= 0) {
			n++;
			if (bytes_r)
				*bytes_r += (size_t)len;
		}
	return n;
}

/* As many packets as the table has, or as doc/media-attacks.md says. */
static inline unsigned many(unsigned table, unsigned length)
{
	return at_length() ? length : table;
}

/* --- packets ---------------------------------------------------------- */

/* His next packet as one could guess it: all but the keys. */
static inline size_t forge_rtp(const struct peer *p, unsigned char *out,
			       size_t len)
{
	random_bytes(out, len);
	out[0] = 0x80;
	out[1] = AUDIO;
	out[2] = (unsigned char)(p->seq >> 8);
	out[3] = (unsigned char)p->seq;
	memset(out + 8, 0, 4);
	out[10] = (unsigned char)(p->ssrc >> 8);
	out[11] = (unsigned char)p->ssrc;
	return len;
}

/* A record with a part of a ClientHello that offers `cipher` alone. */
static inline size_t make_hello(unsigned char *out, unsigned cipher)
{
	static const unsigned char record[] = {
		22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 54,
		1, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 42, 0xfe, 0xfd };
	const unsigned char end[] = { 0, 0, 0, 2,
		(unsigned char)(cipher >> 8), (unsigned char)cipher, 1, 0 };

	memcpy(out, record, sizeof(record));
	random_bytes(out + sizeof(record), 32);
	memcpy(out + sizeof(record) + 32, end, sizeof(end));
	return sizeof(record) + 32 + sizeof(end);
}

/* What a client would begin with, of whoever. */
static inline size_t good_hello(unsigned char *out)
{
	static struct dtls_srtp_out first;
	static size_t len;
	struct dtls_identity *id;
	struct dtls_srtp *d;
	const char *why;

	if (!len) {
		assert_int_equal(dtls_identity_new(time(NULL), &id, &why), 0);
		assert_int_equal(dtls_srtp_new(id, true, &d), 0);
		dtls_srtp_time(d, now_ms(), &first);
		assert_int_equal(first.n, 1);
		len = first.datagram[0].len;
		dtls_srtp_free(d);
		dtls_identity_free(id);
	}
	memcpy(out, first.datagram[0].bytes, len);
	return len;
}

enum hello { GOOD, NULL_CIPHER, FIRST_HALF, CUT, HELLOS };

static inline size_t hello_of(enum hello kind, unsigned char *out)
{
	size_t len, half;

	if (kind == NULL_CIPHER)
		return make_hello(out, 0);
	len = good_hello(out);
	half = (len - 25) / 2;
	if (kind == CUT)
		return 25 + half;
	if (kind == FIRST_HALF) {          /* lengths of record, fragment */
		out[11] = (unsigned char)((half + 12) >> 8);
		out[12] = (unsigned char)(half + 12);
		out[23] = (unsigned char)(half >> 8);
		out[24] = (unsigned char)half;
		return 25 + half;
	}
	return len;
}

/* Nothing came to the attackers; of the two each had the other's alone. */
static inline void nobody_else(unsigned call)
{
	assert_int_equal(came_to_attackers(NULL), 0);
	assert_int_equal(of_call(call, 0)->bad + of_call(call, 1)->bad, 0);
	assert_int_equal(of_call(call, 0)->repeated +
			 of_call(call, 1)->repeated, 0);
}

/* --- forged, with his address ------------------------------------------ */

/* Sends it as the caller does; every few packets the call is seen to go on. */
static inline void send_forged(const void *bytes, size_t len, unsigned *sent)
{
	send_as(of_call(0, WIRE_CALLER), bytes, len);
	if (++*sent % BURST == 0)
		talk(0);
}

/* In `room` each was dropped, for one of these reasons; in `blind` it came to
 * the other client, whose keys do not open it. */
static inline void judge_forged(const struct wire_closed *c, unsigned sent)
{
	unsigned bad = of_call(0, WIRE_CALLEE)->bad +
		       of_call(0, WIRE_CALLEE)->repeated;

	assert_int_equal(of_call(0, WIRE_CALLER)->bad, 0);
	assert_int_equal(bad, mode == WIRE_ROOM ? 0 : sent);
	assert_int_equal(c->dropped[WIRE_NOT_AUTHENTIC] +
			 c->dropped[WIRE_REPLAYED] + c->dropped[WIRE_NOT_RTP],
			 mode == WIRE_ROOM ? sent : 0);
}

static inline const char *what_forged_do(void)
{
	return mode == WIRE_ROOM ? "0 pass, all counted" :
	       "they pass as all bytes of his address do, 0 open at the other "
	       "client";
}

static inline int teardown_attack(void **state)
{
	while (attackers)
		close(attacker[--attackers]);
	return teardown(state);
}

#define IN_ROOM(name) \
	{ #name " room", name, setup_room, teardown_attack, NULL }
/* Both modes of a test. */
#define IN_BOTH(name) \
	{ #name " blind", name, setup_blind, teardown_attack, NULL }, \
	IN_ROOM(name)

#endif
