/* relay_room_test.h: mode `room` for tests of the relay: clients with DTLS and
 * SRTP, which know the relay's fingerprint as it knows theirs.
 */
#ifndef TESTS_UNIT_RELAY_ROOM_TEST_H
#define TESTS_UNIT_RELAY_ROOM_TEST_H

#include <sys/time.h>
#include "tests/unit/relay_test.h"

#define AUDIO 111                  /* payload types */
#define VIDEO 96

static struct world w;

/* libssl's clock is this test's. */
int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	(void)zone;
	tv->tv_sec = 1000000 + w.now / 1000;
	tv->tv_usec = w.now % 1000 * 1000;
	return 0;
}

/* --- beginnings ------------------------------------------------------- */

static inline struct dtls_identity *identity(void)
{
	struct dtls_identity *id;
	const char *why;

	assert_int_equal(dtls_identity_new(1000000, &id, &why), 0);
	return id;
}

/* MEDIA_SRTP in the environment: with that back end (libsrtp.sh). */
static inline void begin_room(uint64_t seed, enum srtp_backend srtp)
{
	const char *name = getenv("MEDIA_SRTP");

	if (name)
		srtp = strcmp(name, "libsrtp") ? SRTP_EVP : SRTP_LIBSRTP;
	begin_with(&w, seed, 10, identity(), srtp);
	w.mode = WIRE_ROOM;
}

/* What control says of him. */
static inline void secure(struct client *c, bool we_begin, const char *hash)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_SECURITY, call_id(c->call));
	m.transport = (uint8_t)c->transport;
	m.side = (uint8_t)c->side;
	strcpy(m.security.fingerprint.hash, hash);
	m.security.fingerprint.len = (uint32_t)dtls_identity_fingerprint(c->id,
		"sha-256", m.security.fingerprint.value);
	m.security.active = we_begin;
	say(&w, &m);
}

/* A client with DTLS, which knows the relay's fingerprint. */
static inline void arm(struct client *c, bool active)
{
	c->id = identity();
	c->ssrc = 0x1000 + c->side;
	c->seq = 65530;
	c->type = AUDIO;
	assert_int_equal(dtls_srtp_new(c->id, active, &c->dtls), 0);
	assert_string_equal(w.fingerprint.hash, "sha-256");
	assert_int_equal(dtls_srtp_expect(c->dtls, w.fingerprint.hash,
					  w.fingerprint.value,
					  w.fingerprint.len), 0);
}

/* The numbers of what he sends: his own, and as the other side knows them. */
static inline void map(struct client *c, unsigned audio_out)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_MAP, call_id(c->call));
	m.transport = (uint8_t)c->transport;
	m.side = (uint8_t)c->side;
	m.map.type[AUDIO] = (struct rewrite_type) {
		.clock = 48000, .out = (uint8_t)audio_out,
		.media = REWRITE_AUDIO, .apt = REWRITE_NO_APT };
	m.map.type[VIDEO] = (struct rewrite_type) {
		.clock = 90000, .out = VIDEO, .media = REWRITE_VIDEO,
		.apt = REWRITE_NO_APT };
	say(&w, &m);
}

/* Both roles: the caller's client begins, the callee's answers us, or the
 * other way round. */
static inline void open_room(unsigned call, bool caller_begins)
{
	unsigned n = w.clients;

	open_call(&w, call, 0);
	arm(&w.client[n], caller_begins);
	arm(&w.client[n + 1], !caller_begins);
	secure(&w.client[n], !caller_begins, "sha-256");
	secure(&w.client[n + 1], caller_begins, "sha-256");
	map(&w.client[n], AUDIO);
	map(&w.client[n + 1], AUDIO);
}

/* --- media ------------------------------------------------------------ */

static inline size_t make_rtp(struct client *c, unsigned char *p, char mark,
		       size_t len)
{
	memset(p, mark, len);
	p[0] = 0x80;
	p[1] = c->type;
	p[2] = (unsigned char)(c->seq >> 8);
	p[3] = (unsigned char)c->seq++;
	memset(p + 4, 0, 8);
	p[10] = (unsigned char)(c->ssrc >> 8);
	p[11] = (unsigned char)c->ssrc;
	return len;
}

/* An empty receiver report. */
static inline size_t make_rtcp(const struct client *c, unsigned char *p)
{
	const unsigned char rr[8] = { 0x80, 201, 0, 1, 0, 0,
				      (unsigned char)(c->ssrc >> 8),
				      (unsigned char)c->ssrc };

	memcpy(p, rr, sizeof(rr));
	return sizeof(rr);
}

static inline void fly_to_relay(struct client *c, const void *bytes, size_t len)
{
	struct addr relay = relay_addr(c->addr.family);

	fly(&w, &c->addr, &relay, bytes, len);
}

static inline void send_rtp(struct client *c, char mark, size_t len)
{
	unsigned char p[RELAY_HELD_SIZE];

	make_rtp(c, p, mark, len);
	assert_non_null(c->out);
	assert_int_equal(srtp_seal_rtp(c->out, p, &len, sizeof(p)), 0);
	fly_to_relay(c, p, len);
}

static inline void send_rtcp(struct client *c)
{
	unsigned char p[RELAY_HELD_SIZE];
	size_t len = make_rtcp(c, p);

	assert_non_null(c->out);
	assert_int_equal(srtp_seal_rtcp(c->out, p, &len, sizeof(p)), 0);
	fly_to_relay(c, p, len);
}

/* Both ways: RTP and RTCP, opened as they were sealed. */
static inline void talk(struct client *a, struct client *b)
{
	unsigned got[2] = { a->got, b->got };
	unsigned char p[32];

	assert_true(a->out && b->out);
	send_rtp(a, 'a', 200);
	send_rtp(b, 'b', 1200);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(a->got, got[0] + 1);
	assert_int_equal(b->got, got[1] + 1);
	assert_int_equal(a->last_len, 1200);
	assert_int_equal(b->last_len, 200);
	assert_int_equal(b->last[199], 'a');
	assert_int_equal(a->last[1199], 'b');
	assert_int_equal(a->last[11], b->ssrc & 0xff);
	send_rtcp(a);
	pass(&w, 2 * DELAY + 1);
	assert_int_equal(b->last_len, make_rtcp(a, p));
	assert_memory_equal(b->last, p, b->last_len);
}

static inline uint64_t dropped(enum wire_drop why)
{
	return relay_dropped(w.relay, why);
}

#endif
