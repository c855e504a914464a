/* fuzz_relay.c: the relay, a byte an event: messages of control, right or any
 * bytes at all; checks with the right keys or not, answers to its own, DTLS,
 * SRTP and any bytes from a few addresses; time. At an address may be a client
 * with DTLS of its own, which answers the relay's and seals what it sends.
 * After each its invariants hold. Books of our own judge what it sends: media
 * only to an address that has answered within 30 s, and only of one that was
 * heard of within 30 s; nothing of a packet that was forged or came twice; no
 * ClientHello that has waited for 2 s; no leg is secure but with the clients'
 * certificate, when control had named it. What a client can open is RTP or RTCP
 * in good form.
 *
 * Kept inputs go by the numbers here: what is added comes last.
 */
#include "tests/fuzz/same.h"
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <stdio.h>
#include "jingle/media/bytes.h"
#include "jingle/media/rtcp_packet.h"
#include "mod_privatecall/media/relay.h"

#define EVENTS_MAX 200
#define CALLS 3
#define TRANSPORTS 3
#define PLACES 6
#define ASKED 32
#define START 1000
#define INBOX 16
#define HELLOS 64

struct asked {                     /* a check of the relay's */
	unsigned char id[STUN_ID_SIZE];
	unsigned place;
	bool used;                 /* answered from there, or never asked */
};

struct client {                    /* at an address */
	struct dtls_srtp *dtls;
	struct srtp *in, *out;
	uint16_t seq;
};

struct got {                       /* DTLS of the relay's for a client */
	unsigned place;
	size_t len;
	unsigned char bytes[DTLS_SRTP_OUT_MAX];
};

static struct {
	const uint8_t *at, *end;   /* input that is left */
	int64_t now;
	uint64_t number;           /* of events: the entropy */
	struct relay *relay;
	struct addr place[PLACES];
	int64_t answered[PLACES], heard[PLACES];   /* 0: never */
	struct wire_credentials ours[CALLS][TRANSPORTS][WIRE_SIDES];
	bool known[CALLS][TRANSPORTS][WIRE_SIDES]; /* the fingerprint is */
	struct asked asked[ASKED];
	unsigned n_asked;
	unsigned from;             /* of the packet just given; PLACES: none */
	struct client client[PLACES];
	struct got got[INBOX];
	unsigned n_got;
	struct dtls_srtp_out out;
	bool draining;
	bool forged;               /* the packet just given is none of his */
	int64_t hello[HELLOS];     /* when each was sent */
	unsigned n_hello;
} st;

/* For all runs: to make a key takes time. */
static struct dtls_identity *our_id, *his_id;

static const char his_ufrag[] = "hisU", his_pwd[] = "hispasswordof22letters";

static unsigned take(void)
{
	return st.at < st.end ? *st.at++ : 0;
}

/* A leg by a byte. */
static unsigned call_of(unsigned where)
{
	return where % CALLS;
}

static unsigned transport_of(unsigned where)
{
	return where / 3 % 2 + where / 12 % 2;
}

static unsigned side_of(unsigned where)
{
	return where / 6 % WIRE_SIDES;
}

static unsigned place_of(const struct addr *a)
{
	unsigned i = 0;

	while (i < PLACES && !addr_equal(&st.place[i], a))
		i++;
	return i;
}

/* --- clients with DTLS --------------------------------------------------- */

/* Of another leg's keys than his it may be, if he is a new one or the relay has
 * two legs to this address. */
static void open_in(struct client *c, const void *bytes, size_t len)
{
	unsigned char p[RELAY_PACKET_SIZE];
	struct rtp_packet rtp;

	assert(len <= sizeof(p));
	memcpy(p, bytes, len);
	if (rtp_packet_is_rtcp(p, len)) {
		if (!srtp_open_rtcp(c->in, p, &len))
			assert(!rtcp_packet_check(p, len));
	} else if (!srtp_open_rtp(c->in, p, &len)) {
		assert(!rtp_packet_read(p, len, &rtp));
	}
}

/* DTLS is answered when the relay has done its step. */
static void take_in(unsigned place, const void *bytes, size_t len)
{
	struct client *c = &st.client[place];
	unsigned first = *(const unsigned char *)bytes;

	if (c->in && first > 127 && first < 192)
		open_in(c, bytes, len);
	if (!c->dtls || first < 20 || first > 63 || st.n_got == INBOX ||
	    len > DTLS_SRTP_OUT_MAX)
		return;
	st.got[st.n_got].place = place;
	st.got[st.n_got].len = len;
	memcpy(st.got[st.n_got++].bytes, bytes, len);
}

static void packet(unsigned place, const void *bytes, size_t len);

static void client_follow(unsigned place)
{
	struct client *c = &st.client[place];
	struct dtls_srtp_out out = st.out;
	struct dtls_srtp_keys k;
	unsigned i;

	if (!c->in && !dtls_srtp_take_keys(c->dtls, &k)) {
		assert(!srtp_new(k.profile, SRTP_OPENS, SRTP_EVP, k.his_key,
				 k.his_salt, &c->in));
		assert(!srtp_new(k.profile, SRTP_SEALS, SRTP_EVP, k.our_key,
				 k.our_salt, &c->out));
	}
	for (i = 0; i < out.n; i++)
		packet(place, out.datagram[i].bytes, out.datagram[i].len);
}

static void answer_dtls(void)
{
	struct got g;

	while (st.n_got) {
		g = st.got[0];
		memmove(st.got, st.got + 1, --st.n_got * sizeof(g));
		if (!st.client[g.place].dtls)
			continue;
		dtls_srtp_feed(st.client[g.place].dtls, st.now, g.bytes,
			       g.len, &st.out);
		client_follow(g.place);
	}
}

static void end_client(struct client *c)
{
	dtls_srtp_free(c->dtls);
	srtp_free(c->in);
	srtp_free(c->out);
	memset(c, 0, sizeof(*c));
}

/* A new one, or the one that is there has its time. */
static void client(void)
{
	unsigned n = take(), place = n % PLACES;
	struct client *c = &st.client[place];
	unsigned char hash[DTLS_SRTP_HASH_MAX];
	size_t len;

	if (!c->dtls || n & 128) {
		end_client(c);
		assert(!dtls_srtp_new(his_id, n & 64, &c->dtls));
		len = dtls_identity_fingerprint(our_id, "sha-256", hash);
		assert(!dtls_srtp_expect(c->dtls, "sha-256", hash, len));
	}
	if (dtls_srtp_deadline(c->dtls) > st.now)
		return;
	dtls_srtp_time(c->dtls, st.now, &st.out);
	client_follow(place);
}

/* Any RTP or RTCP, sealed as it should be. */
static void sealed(void)
{
	unsigned n = take(), place = n % PLACES, i;
	struct client *c = &st.client[place];
	unsigned char p[128] = { 0x80 };
	size_t len = 12 + take() % 64;
	bool rtcp = n & 128;

	if (!c->out)
		return;
	for (i = 1; i < len; i++)
		p[i] = (unsigned char)take();
	if (rtcp)
		p[1] = (unsigned char)(200 + p[1] % 8);
	else
		memcpy(p + 2, &(uint16_t) { htons(++c->seq) }, 2);
	if (rtcp ? !srtp_seal_rtcp(c->out, p, &len, sizeof(p)) :
		   !srtp_seal_rtp(c->out, p, &len, sizeof(p)))
		packet(place, p, len);
}

/* --- packets that go on ------------------------------------------------ */

/* Letters of what follows a header: w: a small number in a word, h: two of 16
 * bits, n: one in the first byte, R: REMB. So SSRCs, numbers and an LSR are
 * soon those of what was sent. */
static const struct {
	uint8_t type, count;
	const char *words;
} reports[] = {
	{ RTCP_SR, 0, "wwwwww" }, { RTCP_SR, 1, "wwwwww" "wwwwhw" },
	{ RTCP_RR, 0, "w" }, { RTCP_RR, 1, "w" "wwwwhw" },
	{ RTCP_RTPFB, RTCP_NACK, "wwh" },
	{ RTCP_RTPFB, RTCP_TRANSPORT_CC, "wwhw" },
	{ RTCP_PSFB, RTCP_PLI, "ww" }, { RTCP_PSFB, RTCP_FIR, "wwwn" },
	{ RTCP_PSFB, RTCP_AFB, "wwRnw" }, { RTCP_SDES, 1, "ww" },
	{ RTCP_BYE, 1, "w" }, { RTCP_APP, 0, "ww" }, { 207, 0, "w" },
	{ RTCP_PSFB, 9, "ww" },
};

static size_t put_report(unsigned char *b)
{
	unsigned kind = take() % (sizeof(reports) / sizeof(*reports));
	unsigned char *at = b + RTCP_PACKET_HEADER_SIZE;
	const char *w;

	for (w = reports[kind].words; *w; w++, at += 4) {
		put32(at, 0);
		if (*w == 'R')
			memcpy(at, "REMB", 4);
		else if (*w == 'n')
			at[0] = (unsigned char)take();
		else
			put32(at, *w == 'h' ? take() << 16 : 0);
		if (*w == 'w' || *w == 'h')
			at[3] = (unsigned char)take();
	}
	return rtcp_packet_head(b, reports[kind].type, reports[kind].count,
				(size_t)(at - b) - RTCP_PACKET_HEADER_SIZE);
}

/* Of a payload type that put_map() has, with a transport-wide number; its
 * payload begins with what is an OSN if it is RTX. */
static size_t put_media(struct client *c, bool late, unsigned char *b)
{
	unsigned type = take(), skip = take();
	uint16_t seq = (uint16_t)(c->seq + 1 + skip / 16);

	if (late)
		seq = (uint16_t)(c->seq - skip / 16);
	else
		c->seq = seq;
	memset(b, 0, 24);
	b[0] = 0x90;
	b[1] = (unsigned char)(96 + type % 4);
	put16(b + 2, seq);
	put32(b + 4, (uint32_t)st.now * 48);
	put32(b + 8, type / 4 % 8);
	put16(b + 12, type & 128 ? 0x1000 : 0xbede);
	put16(b + 14, 1);
	b[16] = type & 128 ? 1 : 0x11;
	b[17] = 2;                         /* the length of the longer form */
	put16(b + (type & 128 ? 18 : 17), seq);
	put16(b + 20, skip % 16);
	return 24;
}

/* A packet as clients send it: a compound one of up to four, or media; that may
 * be late, come twice, or be changed on its way. */
static void spoken(void)
{
	unsigned n = take(), place = n % PLACES, more = n / PLACES % 4;
	struct client *c = &st.client[place];
	unsigned char p[512];
	size_t len = 0;
	int err;

	if (!c->out)
		return;
	if (n & 128) {
		do
			len += put_report(p + len);
		while (more--);
		err = srtp_seal_rtcp(c->out, p, &len, sizeof(p));
	} else {
		len = put_media(c, more == 1, p);
		err = srtp_seal_rtp(c->out, p, &len, sizeof(p));
	}
	if (err)
		return;
	p[len - 1] ^= !(n & 128) && more == 3;
	st.forged = !(n & 128) && more == 3;
	packet(place, p, len);
	st.forged = true;
	if (!(n & 128) && more == 2)
		packet(place, p, len);
	st.forged = false;
}

/* --- what it puts out ------------------------------------------------- */

/* Ours has no version, and says which one it is. */
static void judge_hello(const unsigned char *b, size_t len)
{
	if (len > 15 && b[0] == 22 && !b[1] && b[13] == 1)
		assert(st.now < st.hello[get16(b + 14) % HELLOS] +
				RELAY_HELD_MS);
}

static void on_send(const struct addr *to, const void *bytes, size_t len,
		    void *arg)
{
	unsigned place = place_of(to);
	struct stun_msg m;

	(void)arg;
	assert(place < PLACES && !addr_forbidden(to, NULL));
	if (*(const unsigned char *)bytes > 3) {
		take_in(place, bytes, len);
		judge_hello(bytes, len);
		assert(!st.forged || *(const unsigned char *)bytes < 64);
		assert(st.answered[place] && st.now < st.answered[place] +
					     ICE_CONSENT_LOST_MS);
		assert(st.from == PLACES ||
		       (st.heard[st.from] && st.now < st.heard[st.from] +
						      ICE_CONSENT_LOST_MS));
		return;
	}
	assert(!stun_read(bytes, len, &m));
	if (m.class != STUN_REQUEST) {
		assert(place == st.from);
		return;
	}
	memcpy(st.asked[st.n_asked % ASKED].id, m.id, sizeof(m.id));
	st.asked[st.n_asked % ASKED].used = false;
	st.asked[st.n_asked++ % ASKED].place = place;
}

static void on_say(const struct wire_msg *m, void *arg)
{
	struct wire_msg again;
	const char *why;
	unsigned call = (unsigned)(m->call[0] - '0');

	(void)arg;
	assert(!wire_read(m, wire_size(m->kind), true, &again, &why));
	if (call >= CALLS || m->transport >= TRANSPORTS)
		return;
	if (m->kind == WIRE_READY)
		memcpy(st.ours[call][m->transport], m->ready.side,
		       sizeof(m->ready.side));
	else if (m->kind == WIRE_CREDENTIALS)
		st.ours[call][m->transport][m->side] = m->credentials;
	else if (m->kind == WIRE_STEP && m->said.step == WIRE_SECURE)
		assert(st.known[call][m->transport][m->side]);
}

static void on_entropy(unsigned char out[ICE_ENTROPY_SIZE], void *arg)
{
	(void)arg;
	st.number++;
	memset(out, 0, ICE_ENTROPY_SIZE);
	memcpy(out, &st.number, sizeof(st.number));
}

/* --- events ----------------------------------------------------------- */

/* Sound, picture and its RTX; numbers from the input. */
static void put_map(struct rewrite_map *m)
{
	unsigned n = take(), i;
	const char *why;

	for (i = 0; i < RTP_PACKET_TYPES; i++)
		m->type[i].apt = REWRITE_NO_APT;
	for (i = 0; i < 3; i++) {
		m->type[96 + i].clock = i ? 90000 : 48000;
		m->type[96 + i].out = (uint8_t)((96 + n + i) %
						RTP_PACKET_TYPES);
		m->type[96 + i].media = i ? REWRITE_VIDEO : REWRITE_AUDIO;
	}
	m->type[98].apt = 97;
	m->ext[1] = n & 15;
	m->transport_cc = n & 1;
	m->tolds = n >> 7;
	m->told[0].ssrc = 7;
	if (rewrite_map_check(m, &why))
		memset(m, 0, sizeof(*m));
}

static void note_security(const struct wire_msg *m)
{
	const struct wire_fingerprint *f = &m->security.fingerprint;
	unsigned char his[DTLS_SRTP_HASH_MAX];
	unsigned call = (unsigned)(m->call[0] - '0');
	size_t len = dtls_identity_fingerprint(his_id, "sha-256", his);

	if (call < CALLS && m->transport < TRANSPORTS && f->len == len &&
	    !memcmp(f->value, his, len))
		st.known[call][m->transport][m->side] = true;
}

/* What control would say is read; with a wrong byte it may be another thing. */
static void say(struct wire_msg *m, bool wrong)
{
	size_t size = wire_size(m->kind);
	struct wire_msg read;
	const char *why;

	if (wrong)
		((unsigned char *)m)[take() % size] ^= (unsigned char)take();
	if (wire_read(m, size, false, &read, &why)) {
		assert(wrong && why);
		return;
	}
	if (read.kind == WIRE_SECURITY)
		note_security(&read);
	relay_control(st.relay, st.now, &read);
}

static void control(void)
{
	static const enum wire_kind kinds[] = {
		WIRE_HELLO, WIRE_OPEN, WIRE_REMOTE, WIRE_CANDIDATE, WIRE_END,
		WIRE_SECURITY, WIRE_MAP, WIRE_RENEW, WIRE_RESTART, WIRE_DROP,
		WIRE_CLOSE, WIRE_LIST, WIRE_JOIN,
	};
	enum wire_kind kind = kinds[take() % (sizeof(kinds) / sizeof(*kinds))];
	unsigned where = take(), n = take(), place = n % PLACES;
	bool alone = kind == WIRE_HELLO || kind == WIRE_LIST;
	char id[] = "00000000-0000-4000-8000-000000000000";
	struct wire_msg m;

	id[0] = (char)('0' + call_of(where));
	wire_begin(&m, kind, alone ? NULL : id);
	if (!alone && kind != WIRE_CLOSE)
		m.transport = (uint8_t)transport_of(where);
	if (kind >= WIRE_REMOTE && kind <= WIRE_RESTART)
		m.side = (uint8_t)side_of(where);
	if (kind == WIRE_REMOTE) {
		strcpy(m.remote.ufrag, his_ufrag);
		strcpy(m.remote.pwd, his_pwd);
		m.remote.ufrag[0] = (char)('a' + take() % 3);
	}
	if (kind == WIRE_OPEN)
		m.open.mode = place % WIRE_MODES;
	if (kind == WIRE_SECURITY) {
		strcpy(m.security.fingerprint.hash, "sha-256");
		m.security.fingerprint.len = (uint32_t)
			dtls_identity_fingerprint(place > 4 ? our_id : his_id,
				"sha-256", m.security.fingerprint.value);
		m.security.active = place & 1;
		if (n & 64)                /* one that nobody here knows */
			m.security.fingerprint.hash[5] = '3';
	}
	if (kind == WIRE_JOIN) {
		m.join.home = (m.transport + 1 + place % 2) % TRANSPORTS;
		m.join.media = place / 2 % REWRITE_MEDIA;
	}
	if (kind == WIRE_RENEW)
		m.renew.controlling = place & 1;
	if (kind == WIRE_MAP)
		put_map(&m.map);
	if (kind == WIRE_CANDIDATE) {
		m.candidate.addr = st.place[place];
		m.candidate.component = 1;
		m.candidate.priority = 1000 * place;
	}
	say(&m, n & 128);
}

static void raw_control(void)
{
	size_t len = take() * 4, left = (size_t)(st.end - st.at);
	struct wire_msg m;
	const char *why;

	len = len < left ? len : left;
	if (!wire_read(st.at, len, false, &m, &why))
		relay_control(st.relay, st.now, &m);
	st.at += len;
}

static void packet(unsigned place, const void *bytes, size_t len)
{
	st.from = place;
	relay_packet(st.relay, st.now, &st.place[place], bytes, len);
	st.from = PLACES;
}

static void check(void)
{
	unsigned where = take(), place = take() % PLACES;
	unsigned side = side_of(where);
	struct wire_credentials *ours =
		&st.ours[call_of(where)][transport_of(where)][side];
	const char *pwd = where & 128 ? his_pwd : ours->pwd;
	unsigned char bytes[STUN_WRITE_MAX];
	char user[32];
	struct stun_msg m = {
		.class = STUN_REQUEST, .has_priority = true, .priority = 9,
		.role = side ? STUN_CONTROLLED : STUN_CONTROLLING,
		.tie_breaker = 5, .use_candidate = !side,
		.username = (const unsigned char *)user,
		.id = { (unsigned char)where },
	};
	size_t len;

	if (!ours->ufrag[0])
		return;
	snprintf(user, sizeof(user), "%s:%s", ours->ufrag, his_ufrag);
	m.username_len = strlen(user);
	assert(!stun_write(&m, pwd, strlen(pwd), bytes, sizeof(bytes), &len));
	if (pwd == ours->pwd)
		st.heard[place] = st.now;
	packet(place, bytes, len);
}

/* Only the first answer shows that he is there. */
static void answer_check(struct asked *q, unsigned place)
{
	unsigned char bytes[STUN_WRITE_MAX];
	struct stun_msg m = { .class = STUN_SUCCESS };
	size_t len;

	memcpy(m.id, q->id, sizeof(m.id));
	m.mapped = st.place[0];
	assert(!stun_write(&m, his_pwd, strlen(his_pwd), bytes, sizeof(bytes),
			   &len));
	if (place == q->place && !q->used) {
		st.heard[place] = st.answered[place] = st.now;
		q->used = true;
	}
	packet(place, bytes, len);
}

/* To one of the last checks, from anywhere; or to all, so that calls live; or
 * to those to one address, so that the other side does not. */
static void answer(void)
{
	unsigned n = take(), i;
	struct asked *q = &st.asked[n % ASKED];

	for (i = 0; n & 64 && i < ASKED; i++)
		if (!st.asked[i].used &&
		    (!(n & 32) || st.asked[i].place == n % PLACES))
			answer_check(&st.asked[i], st.asked[i].place);
	if (!(n & 64))
		answer_check(q, n & 128 ? n % PLACES : q->place);
}

static void media(void)
{
	static const unsigned char firsts[] = { 22, 22, 23, 128, 129, 70 };
	unsigned place = take() % PLACES, n = take();
	unsigned char bytes[64] = { firsts[n % sizeof(firsts)] };

	bytes[13] = 1;
	put16(bytes + 14, st.n_hello % HELLOS);
	st.hello[st.n_hello++ % HELLOS] = st.now;
	packet(place, bytes, n % sizeof(bytes));
}

static void raw_packet(void)
{
	unsigned place = take() % PLACES;
	size_t len = take(), left = (size_t)(st.end - st.at);

	len = len < left ? len : left;
	packet(place, st.at, len);
	st.at += len;
}

/* What the process around it does. */
static void process(void)
{
	unsigned n = take();

	if (n & 1)
		relay_set_identity(st.relay, n & 2 ? his_id : our_id);
	if (n & 4 && !st.draining) {
		relay_drain(st.relay);
		st.draining = true;
	}
	assert(relay_deadline(st.relay) > 0);
}

static void event(void)
{
	switch (take() % 12) {
	case 0:
		st.now += take() * 200;
		virtual_now = st.now;
		relay_time(st.relay, st.now);
		break;
	case 1:
	case 2:
		control();
		break;
	case 3:
		raw_control();
		break;
	case 4:
		check();
		break;
	case 5:
		answer();
		break;
	case 6:
		media();
		break;
	case 7:
		client();
		break;
	case 8:
		sealed();
		break;
	case 9:
		raw_packet();
		break;
	case 10:
		spoken();
		break;
	default:
		process();
		break;
	}
	answer_dtls();
	relay_check(st.relay);
	assert(relay_calls(st.relay) < CALLS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relay_handlers handlers = {
		.send = on_send, .say = on_say, .entropy = on_entropy,
	};
	static const char *const ips[PLACES] = {
		"203.0.113.1", "203.0.113.1", "203.0.113.2", "2001:db8::1",
		"2001:db8::2", "203.0.113.3",
	};
	struct relay_config config = { .locals = 2, .most_calls = CALLS - 1,
				       .release = "fuzz" };
	const char *why;
	unsigned i;

	same_begin(START);
	if (!our_id)
		assert(!dtls_identity_new(WALL, &our_id, &why) &&
		       !dtls_identity_new(WALL, &his_id, &why));
	config.identity = our_id;
	memset(&st, 0, sizeof(st));
	st.at = data;
	st.end = data + size;
	st.now = START;
	st.from = PLACES;
	for (i = 0; i < ASKED; i++)
		st.asked[i].used = true;
	for (i = 0; i < PLACES; i++)
		assert(!addr_parse(ips[i], 5000 + i, &st.place[i]));
	assert(!addr_parse("2001:db8::9", 10000, &config.local[0].base));
	assert(!addr_parse("198.51.100.9", 10000, &config.local[1].base));
	assert(!relay_new(&config, &handlers, NULL, &st.relay));
	for (i = 0; i < EVENTS_MAX && st.at < st.end; i++)
		event();
	for (i = 0; i < PLACES; i++)
		end_client(&st.client[i]);
	relay_free(st.relay);
	return 0;
}
