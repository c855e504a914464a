/* fuzz_relay.c: the relay, a byte an event: messages of control, right or any
 * bytes at all; checks with the right keys or not, answers to its own, DTLS,
 * SRTP and any bytes from a few addresses; time. At an address may be a client
 * with DTLS of its own, which answers the relay's and seals what it sends.
 * After each its invariants hold. Books of our own judge what it sends: media
 * only to an address that has answered within 30 s, and only of one that was
 * heard of within 30 s.
 */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>
#include "mod_privatecall/media/relay.h"

#define EVENTS_MAX 200
#define CALLS 3
#define TRANSPORTS 3
#define PLACES 6
#define ASKED 32
#define START 1000
#define INBOX 16

struct asked {                     /* a check of the relay's */
	unsigned char id[STUN_ID_SIZE];
	unsigned place;
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
	struct asked asked[ASKED];
	unsigned n_asked;
	unsigned from;             /* of the packet just given; PLACES: none */
	struct client client[PLACES];
	struct got got[INBOX];
	unsigned n_got;
	struct dtls_srtp_out out;
} st;

/* For all runs: to make a key takes time. */
static struct dtls_identity *our_id, *his_id;

static const char his_ufrag[] = "hisU", his_pwd[] = "hispasswordof22letters";

static unsigned take(void)
{
	return st.at < st.end ? *st.at++ : 0;
}

static unsigned place_of(const struct addr *a)
{
	unsigned i = 0;

	while (i < PLACES && !addr_equal(&st.place[i], a))
		i++;
	return i;
}

/* --- clients with DTLS --------------------------------------------------- */

/* DTLS is answered when the relay has done its step. */
static void take_in(unsigned place, const void *bytes, size_t len)
{
	const struct client *c = &st.client[place];
	unsigned first = *(const unsigned char *)bytes;

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

/* --- what it puts out ------------------------------------------------- */

static void on_send(const struct addr *to, const void *bytes, size_t len,
		    void *arg)
{
	unsigned place = place_of(to);
	struct stun_msg m;

	(void)arg;
	assert(place < PLACES && !addr_forbidden(to, NULL));
	if (*(const unsigned char *)bytes > 3) {
		take_in(place, bytes, len);
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
	if (rewrite_map_check(m, &why))
		memset(m, 0, sizeof(*m));
}

static void control(void)
{
	enum wire_kind kind = 1 + take() % WIRE_LIST;
	unsigned where = take(), place = take() % PLACES;
	bool alone = kind == WIRE_HELLO || kind == WIRE_LIST;
	char id[] = "00000000-0000-4000-8000-000000000000";
	struct wire_msg m;

	id[0] = (char)('0' + where % CALLS);
	wire_begin(&m, kind, alone ? NULL : id);
	if (!alone && kind != WIRE_CLOSE)
		m.transport = where / CALLS % TRANSPORTS;
	if (kind >= WIRE_REMOTE && kind <= WIRE_RESTART)
		m.side = where / CALLS / TRANSPORTS % WIRE_SIDES;
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
	relay_control(st.relay, st.now, &m);
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
	unsigned side = where / CALLS / TRANSPORTS % WIRE_SIDES;
	struct wire_credentials *ours =
		&st.ours[where % CALLS][where / CALLS % TRANSPORTS][side];
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

static void answer(void)
{
	unsigned n = take();
	struct asked *q = &st.asked[n % ASKED];
	unsigned place = n & 128 ? n % PLACES : q->place;
	unsigned char bytes[STUN_WRITE_MAX];
	struct stun_msg m = { .class = STUN_SUCCESS };
	size_t len;

	memcpy(m.id, q->id, sizeof(m.id));
	m.mapped = st.place[0];
	assert(!stun_write(&m, his_pwd, strlen(his_pwd), bytes, sizeof(bytes),
			   &len));
	if (place == q->place)
		st.heard[place] = st.answered[place] = st.now;
	packet(place, bytes, len);
}

static void media(void)
{
	static const unsigned char firsts[] = { 22, 22, 23, 128, 129, 70 };
	unsigned place = take() % PLACES, n = take();
	unsigned char bytes[64] = { firsts[n % sizeof(firsts)] };

	bytes[13] = 1;
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

static void event(void)
{
	switch (take() % 10) {
	case 0:
		st.now += take() * 200;
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
	default:
		raw_packet();
		break;
	}
	answer_dtls();
	relay_check(st.relay);
	assert(relay_calls(st.relay) <= CALLS);
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
	struct relay_config config = { .locals = 2, .most_calls = CALLS,
				       .release = "fuzz" };
	const char *why;
	unsigned i;

	if (!our_id)
		assert(!dtls_identity_new(time(NULL), &our_id, &why) &&
		       !dtls_identity_new(time(NULL), &his_id, &why));
	config.identity = our_id;
	memset(&st, 0, sizeof(st));
	st.at = data;
	st.end = data + size;
	st.now = START;
	st.from = PLACES;
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
