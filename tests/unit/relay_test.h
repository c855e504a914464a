/* relay_test.h: a relay and its clients in virtual time: each client an ICE
 * agent of ours with an address, a network that delays and loses by a seed.
 * After each step of the relay its invariants hold, and what it sends is
 * judged.
 */
#ifndef TESTS_UNIT_RELAY_TEST_H
#define TESTS_UNIT_RELAY_TEST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "jingle/media/demux.h"
#include "mod_privatecall/media/relay.h"

#define START 1000
#define CLIENTS 8
#define FLYING_MAX 512
#define STILL_MAX 100000            /* events in one millisecond */
#define LOG_SIZE 8192
#define DELAY 10
#define RELAY4 "198.51.100.1"
#define RELAY6 "2001:db8::1"
#define RELAY_PORT 10000
#define STRANGER "203.0.113.66"

struct flying {
	bool used;
	int64_t at;
	uint64_t order;
	struct addr from, to;
	size_t len;
	unsigned char bytes[RELAY_PACKET_MAX];
};

struct client {
	struct ice_agent a;
	struct ice_config config;
	struct addr addr;
	unsigned call, transport, side;
	bool gone;                 /* neither sends nor hears */
	/* mode `room` */
	struct dtls_identity *id;
	struct dtls_srtp *dtls;
	struct dtls_srtp_keys keys;
	struct srtp *in, *out;
	uint16_t seq;              /* of the next RTP packet */
	uint8_t type;              /* its payload type */
	uint32_t ssrc;
	unsigned got;              /* DTLS and SRTP; of mode `room` what was
				      opened */
	size_t last_len;
	unsigned char last[RELAY_PACKET_MAX];
	char order[64];            /* a character of each */
};

struct world {
	uint64_t seed, order;
	int64_t now;
	int loss;                  /* percent */
	struct relay *relay;
	struct client client[CLIENTS];
	unsigned clients;
	struct flying flying[FLYING_MAX];
	unsigned to_stranger;
	unsigned sends;            /* of the relay, of all kinds */
	int64_t media_at;          /* the last that was no STUN */
	unsigned said[WIRE_KINDS];
	struct wire_msg last[WIRE_KINDS];          /* said, of each kind */
	struct wire_credentials ours[4][WIRE_TRANSPORTS_MAX][WIRE_SIDES];
	struct wire_fingerprint fingerprint;       /* the relay's */
	struct dtls_identity *id;
	enum wire_mode mode;       /* of calls that are opened */
	struct dtls_srtp_out dtls;
	char log[LOG_SIZE];
	struct ice_actions out;
};

static inline uint64_t rnd(struct world *w)
{
	uint64_t z = w->seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline struct addr address(const char *ip, unsigned port)
{
	struct addr a;

	assert_int_equal(addr_parse(ip, port, &a), 0);
	return a;
}

static inline const char *call_id(unsigned call)
{
	static char id[WIRE_CALL_SIZE];

	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012u", call);
	return id;
}

static inline unsigned call_number(const char *id)
{
	return (unsigned)strtoul(id + 24, NULL, 10);
}

/* --- the network ------------------------------------------------------ */

static inline void fly(struct world *w, const struct addr *from,
		       const struct addr *to, const void *bytes, size_t len)
{
	struct flying *f = w->flying;

	if ((int)(rnd(w) % 100) < w->loss)
		return;
	while (f < w->flying + FLYING_MAX && f->used)
		f++;
	assert_true(f < w->flying + FLYING_MAX && len <= sizeof(f->bytes));
	*f = (struct flying) { .used = true, .at = w->now + DELAY,
			       .order = ++w->order, .from = *from,
			       .to = *to, .len = len };
	memcpy(f->bytes, bytes, len);
}

static inline struct addr relay_addr(unsigned family)
{
	return address(family == ADDR_V6 ? RELAY6 : RELAY4, RELAY_PORT);
}

/* --- what the relay puts out ------------------------------------------ */

static inline void on_send(const struct addr *to, const void *bytes,
			   size_t len, void *arg)
{
	struct world *w = arg;
	struct addr from = relay_addr(to->family),
		    stranger = address(STRANGER, 1);

	w->to_stranger += addr_same_ip(to, &stranger);
	w->sends++;
	if (demux_kind(bytes, len) != DEMUX_STUN)
		w->media_at = w->now;
	assert_false(addr_forbidden(to, NULL));
	/* udp_send() takes no more. */
	assert_true(len <= RELAY_PACKET_MAX);
	fly(w, &from, to, bytes, len);
}

static inline void on_say(const struct wire_msg *m, void *arg)
{
	struct world *w = arg;
	struct wire_msg again;
	size_t len = strlen(w->log);
	const char *why;

	assert_int_equal(wire_read(m, wire_size(m->kind), true, &again,
				   &why), 0);
	w->said[m->kind]++;
	w->last[m->kind] = *m;
	if (m->kind == WIRE_READY)
		w->fingerprint = m->ready.fingerprint;
	if (m->kind == WIRE_READY)
		memcpy(w->ours[call_number(m->call)][m->transport],
		       m->ready.side, sizeof(m->ready.side));
	if (m->kind == WIRE_CREDENTIALS)
		w->ours[call_number(m->call)][m->transport][m->side] =
			m->credentials;
	if (m->kind == WIRE_STEP)
		snprintf(w->log + len, LOG_SIZE - len, "%u.%u %s %s\n",
			 call_number(m->call), m->transport,
			 wire_side_name(m->side),
			 wire_step_name(m->said.step));
}

static inline void on_entropy(unsigned char out[ICE_ENTROPY_SIZE], void *arg)
{
	unsigned i;

	for (i = 0; i < ICE_ENTROPY_SIZE; i++)
		out[i] = (unsigned char)rnd(arg);
}

/* --- steps ------------------------------------------------------------ */

static inline void say(struct world *w, const struct wire_msg *m)
{
	struct wire_msg again;
	const char *why;

	assert_int_equal(wire_read(m, wire_size(m->kind), false, &again,
				   &why), 0);
	relay_control(w->relay, w->now, &again);
	relay_check(w->relay);
}

static inline void tell(struct world *w, enum wire_kind kind, unsigned call,
			unsigned transport, unsigned side)
{
	struct wire_msg m;

	wire_begin(&m, kind, kind == WIRE_LIST || kind == WIRE_HELLO ? NULL :
		   call_id(call));
	m.transport = (uint8_t)transport;
	m.side = (uint8_t)side;
	if (kind == WIRE_OPEN)
		m.open.mode = w->mode;
	say(w, &m);
}

static inline void to_relay(struct world *w, const struct addr *from,
			    const void *bytes, size_t len)
{
	relay_packet(w->relay, w->now, from, bytes, len);
	relay_check(w->relay);
}

static inline void client_step(struct world *w, struct client *c,
			       struct ice_event *ev)
{
	unsigned i;

	ev->now = w->now;
	ev->config = &c->config;
	on_entropy(ev->entropy, w);
	ice_step(&c->a, ev, &w->out);
	for (i = 0; i < w->out.n; i++)
		if (w->out.list[i].kind == ICE_DO_SEND && !c->gone)
			fly(w, &c->addr, &w->out.list[i].addr,
			    w->out.list[i].bytes, w->out.list[i].len);
}

/* What its association sends, and its keys when they are there. */
static inline void client_follow(struct world *w, struct client *c)
{
	struct addr relay = relay_addr(c->addr.family);
	struct dtls_srtp_keys *k = &c->keys;
	unsigned i;

	for (i = 0; i < w->dtls.n && !c->gone; i++)
		fly(w, &c->addr, &relay, w->dtls.datagram[i].bytes,
		    w->dtls.datagram[i].len);
	if (c->in || dtls_srtp_take_keys(c->dtls, k))
		return;
	assert_int_equal(srtp_new(k->profile, SRTP_OPENS, SRTP_EVP, k->his_key,
				  k->his_salt, &c->in), 0);
	assert_int_equal(srtp_new(k->profile, SRTP_SEALS, SRTP_EVP, k->our_key,
				  k->our_salt, &c->out), 0);
}

static inline int64_t client_deadline(const struct client *c)
{
	int64_t ice = ice_deadline(&c->a), dtls = INT64_MAX;

	if (c->dtls && ice_selected(&c->a))
		dtls = dtls_srtp_deadline(c->dtls);
	return ice < dtls ? ice : dtls;
}

static inline void client_time(struct world *w, struct client *c)
{
	struct ice_event ev = { .kind = ICE_EV_TIME };

	if (ice_deadline(&c->a) <= w->now) {
		client_step(w, c, &ev);
	} else {
		dtls_srtp_time(c->dtls, w->now, &w->dtls);
		client_follow(w, c);
	}
}

/* Of mode `room`: what cannot be opened is nothing that he got. */
static inline void client_room_packet(struct world *w, struct client *c,
				      const struct flying *f)
{
	size_t len = f->len;

	if (demux_kind(f->bytes, f->len) == DEMUX_DTLS) {
		dtls_srtp_feed(c->dtls, w->now, f->bytes, f->len, &w->dtls);
		client_follow(w, c);
		return;
	}
	memcpy(c->last, f->bytes, len);
	assert_non_null(c->in);
	assert_int_equal(f->bytes[1] >= 192 && f->bytes[1] <= 223 ?
			 srtp_open_rtcp(c->in, c->last, &len) :
			 srtp_open_rtp(c->in, c->last, &len), 0);
	c->last_len = len;
	c->got++;
}

static inline void client_packet(struct world *w, struct client *c,
				 const struct flying *f)
{
	struct ice_event ev = { .kind = ICE_EV_PACKET, .from = f->from,
				.bytes = f->bytes, .len = f->len };

	if (c->gone)
		return;
	if (demux_kind(f->bytes, f->len) == DEMUX_STUN) {
		client_step(w, c, &ev);
		return;
	}
	if (c->dtls) {
		client_room_packet(w, c, f);
		return;
	}
	if (c->got < sizeof(c->order) - 1)
		c->order[c->got] = (char)f->bytes[f->len - 1];
	c->got++;
	c->last_len = f->len;
	memcpy(c->last, f->bytes, f->len);
}

static inline void deliver(struct world *w, struct flying *flying)
{
	const struct flying copy = *flying, *f = &copy;
	struct addr relay = relay_addr(f->to.family);
	unsigned i;

	flying->used = false;      /* its place may be taken at once */
	if (addr_equal(&f->to, &relay)) {
		to_relay(w, &f->from, f->bytes, f->len);
		return;
	}
	for (i = 0; i < w->clients; i++)
		if (addr_equal(&w->client[i].addr, &f->to)) {
			client_packet(w, &w->client[i], f);
			return;
		}
}

static inline struct flying *first_flying(struct world *w)
{
	struct flying *f, *first = NULL;

	for (f = w->flying; f < w->flying + FLYING_MAX; f++)
		if (f->used && (!first || f->at < first->at ||
		    (f->at == first->at && f->order < first->order)))
			first = f;
	return first;
}

/* The next thing that happens, if it does before `until`. */
static inline bool next(struct world *w, int64_t until)
{
	struct flying *f = first_flying(w);
	int64_t at = f ? f->at : INT64_MAX, d;
	struct client *due = NULL;
	unsigned i;

	for (i = 0; i < w->clients; i++) {
		d = client_deadline(&w->client[i]);
		if (d < at) {
			at = d;
			due = &w->client[i];
		}
	}
	d = relay_deadline(w->relay);
	if ((d < at ? d : at) > until)
		return false;
	w->now = (d < at ? d : at) > w->now ? (d < at ? d : at) : w->now;
	if (d < at) {
		relay_time(w->relay, w->now);
		relay_check(w->relay);
	} else if (due) {
		client_time(w, due);
	} else {
		deliver(w, f);
	}
	return true;
}

static inline void pass(struct world *w, int64_t ms)
{
	int64_t until = w->now + ms, last = w->now;
	unsigned still = 0;

	while (next(w, until)) {
		still = w->now == last ? still + 1 : 0;
		last = w->now;
		assert_true(still < STILL_MAX);
	}
	w->now = until;
}

/* --- beginnings ------------------------------------------------------- */

static inline void begin_with(struct world *w, uint64_t seed,
			      unsigned most_calls, struct dtls_identity *id,
			      enum srtp_backend srtp)
{
	static const struct relay_handlers handlers = {
		.send = on_send, .say = on_say, .entropy = on_entropy,
	};
	struct relay_config config = { .locals = 2, .release = "test",
				       .most_calls = most_calls };

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->now = START;
	config.identity = w->id = id;
	config.srtp = srtp;
	config.local[0].base = relay_addr(ADDR_V6);
	config.local[1].base = relay_addr(ADDR_V4);
	assert_int_equal(relay_new(&config, &handlers, w, &w->relay), 0);
}

static inline void begin(struct world *w, uint64_t seed, unsigned most_calls)
{
	begin_with(w, seed, most_calls, NULL, SRTP_EVP);
}

static inline void end(struct world *w)
{
	unsigned i;

	assert_int_equal(w->to_stranger, 0);
	relay_check(w->relay);
	relay_free(w->relay);
	for (i = 0; i < w->clients; i++) {
		dtls_srtp_free(w->client[i].dtls);
		dtls_identity_free(w->client[i].id);
		srtp_free(w->client[i].in);
		srtp_free(w->client[i].out);
	}
	dtls_identity_free(w->id);
}

/* The client's part of signalling: what the relay knows of him. */
static inline void tell_of(struct world *w, struct client *c)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_REMOTE, call_id(c->call));
	m.transport = (uint8_t)c->transport;
	m.side = (uint8_t)c->side;
	strcpy(m.remote.ufrag, c->a.current.ufrag);
	strcpy(m.remote.pwd, c->a.current.pwd);
	say(w, &m);
	wire_begin(&m, WIRE_CANDIDATE, call_id(c->call));
	m.transport = (uint8_t)c->transport;
	m.side = (uint8_t)c->side;
	m.candidate.addr = c->addr;
	m.candidate.component = 1;
	m.candidate.priority = ice_priority(ICE_HOST, 0);
	say(w, &m);
	tell(w, WIRE_END, c->call, c->transport, c->side);
}

/* And what he knows of the relay. */
static inline void tell_client(struct world *w, struct client *c)
{
	struct wire_credentials *ours =
		&w->ours[c->call][c->transport][c->side];
	struct ice_event remote = { .kind = ICE_EV_REMOTE,
				    .ufrag = ours->ufrag, .pwd = ours->pwd };
	struct ice_candidate candidate = {
		.component = 1, .foundation = "1", .port = RELAY_PORT,
		.ip = c->addr.family == ADDR_V6 ? RELAY6 : RELAY4,
		.priority = ice_priority(ICE_HOST, 0), .protocol = ICE_UDP,
		.type = ICE_HOST,
	};
	struct ice_event ev = { .kind = ICE_EV_CANDIDATE,
				.candidate = &candidate };

	client_step(w, c, &remote);
	client_step(w, c, &ev);
}

/* The caller's client controls, as the session's initiator. */
static inline struct client *add_client(struct world *w, const char *ip,
					unsigned port, unsigned call,
					unsigned transport, unsigned side)
{
	struct client *c = &w->client[w->clients++];
	unsigned char random[ICE_ENTROPY_SIZE];

	assert_true(w->clients <= CLIENTS);
	c->addr = address(ip, port);
	c->call = call;
	c->transport = transport;
	c->side = side;
	c->config.local[0].base = c->addr;
	c->config.locals = 1;
	on_entropy(random, w);
	ice_init(&c->a, side == WIRE_CALLER, random);
	return c;
}

/* A call of two, with all signalled at once: clients 2n and 2n + 1. */
static inline void open_call(struct world *w, unsigned call,
			     unsigned transport)
{
	unsigned n = w->clients, side;

	tell(w, WIRE_OPEN, call, transport, 0);
	add_client(w, "192.0.2.10", 6000 + n, call, transport, WIRE_CALLER);
	add_client(w, "192.0.2.20", 7000 + n, call, transport, WIRE_CALLEE);
	for (side = 0; side < WIRE_SIDES; side++) {
		tell_of(w, &w->client[n + side]);
		tell_client(w, &w->client[n + side]);
	}
}

/* --- media ------------------------------------------------------------ */

/* A datagram that ends with `mark`; first byte: 128 SRTP, 22 a handshake. */
static inline void emit(struct world *w, const struct client *c,
			unsigned first, char mark, size_t len)
{
	struct addr relay = relay_addr(c->addr.family);
	unsigned char bytes[RELAY_HELD_SIZE];
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
	bytes[0] = (unsigned char)first;
	bytes[13] = 1;                     /* ClientHello */
	bytes[len - 1] = (unsigned char)mark;
	fly(w, &c->addr, &relay, bytes, len);
}

#define SRTP 128
#define DTLS 22

/* Both ways, unchanged. */
static inline void exchange(struct world *w, struct client *a,
			    struct client *b, unsigned first)
{
	unsigned got[2] = { a->got, b->got };

	emit(w, a, first, 'a', 200);
	emit(w, b, first, 'b', 1200);
	pass(w, 2 * DELAY + 1);
	assert_int_equal(a->got, got[0] + 1);
	assert_int_equal(b->got, got[1] + 1);
	assert_int_equal(a->last_len, 1200);
	assert_int_equal(b->last_len, 200);
	assert_int_equal(a->last[0], first);
	assert_int_equal(a->last[100], (unsigned char)(100 * 7 + 1));
	assert_int_equal(a->last[1199], 'b');
	assert_int_equal(b->last[199], 'a');
}

/* --- strangers -------------------------------------------------------- */

/* A right check of the callee's client, as one could have seen it. */
static inline size_t make_check(const char *user, const char *pwd,
				unsigned char out[STUN_WRITE_MAX])
{
	struct stun_msg m = {
		.class = STUN_REQUEST, .has_priority = true, .priority = 1,
		.role = STUN_CONTROLLED, .tie_breaker = 1,
		.username = (const unsigned char *)user,
		.username_len = strlen(user), .id = { 1, 2, 3 },
	};
	size_t len;

	assert_int_equal(stun_write(&m, pwd, strlen(pwd), out, STUN_WRITE_MAX,
				    &len), 0);
	return len;
}

/* Of each kind, with any bytes. */
static inline void spray(struct world *w, const struct addr *from)
{
	unsigned char bytes[RELAY_HELD_SIZE];
	size_t i;
	unsigned n;

	for (n = 0; n < 256; n++) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = (unsigned char)rnd(w);
		bytes[0] = (unsigned char)n;
		to_relay(w, from, bytes, rnd(w) % sizeof(bytes));
	}
}

#endif
