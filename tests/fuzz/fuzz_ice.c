/* fuzz_ice.c: one ICE agent, a byte an event: time, candidates, credentials,
 * restarts, checks by a peer who has the right keys or not, answers to what
 * the agent asked, any bytes at all. After each the agent's invariants hold,
 * and what it sent is judged by books of our own: to whom, how much, how long
 * after the last answer; and whose media it would take.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/media/ice.h"
#include "tests/unit/stun_test.h"

#define EVENTS_MAX 300
#define ASKED_MAX 64
#define PLACES_NAMED 15
#define PLACES_GOOD 9              /* the first ones, and those without name */
#define PLACES 48                  /* more than there are pairs */

struct asked {                     /* a request of the agent */
	unsigned char id[STUN_ID_SIZE];
	struct addr to;
	int64_t at;
	const char *pwd;           /* that it was signed with */
};

struct story {
	struct ice_agent a;
	struct ice_config config;
	struct ice_actions out;
	int64_t now;
	const uint8_t *at, *end;   /* input that is left */
	uint32_t number;           /* of events: the entropy */
	char pwd[3][ICE_OUR_PWD_SIZE];     /* of the agent, the last ones */
	char ufrag[3][ICE_OUR_UFRAG_SIZE];
	struct asked asked[ASKED_MAX];
	unsigned asked_n;
	struct addr place[PLACES];
	int64_t answered[PLACES];  /* last right answer from there; 0: none */
	int64_t heard[PLACES];     /* what was right, or may be, from there */
	size_t request_len;        /* of the packet just given; 0: none */
	bool right;                /* ... it may be his */
};

static const struct {
	const char *ip;
	unsigned port;
} places[PLACES_NAMED] = {
	{ "203.0.113.1", 1001 }, { "203.0.113.1", 1002 },
	{ "203.0.113.2", 1001 }, { "203.0.113.2", 1002 },
	{ "203.0.113.3", 1001 }, { "203.0.113.3", 1002 },
	{ "192.168.1.1", 5000 },
	{ "2001:db8::1", 5000 }, { "2001:db8::2", 5000 },
	{ "127.0.0.1", 5000 }, { "::1", 5000 }, { "224.0.0.1", 5000 },
	{ "203.0.113.3", 53 }, { "198.51.100.1", 3478 },
	{ "::ffff:203.0.113.1", 1001 },
};

static const char *const his[3][2] = {
	{ "hisU", "hispasswordof22letters" },
	{ "hisV", "anotherpasswordofmany" }, { "x", "y" },
};

static unsigned take(struct story *st)
{
	return st->at < st->end ? *st->at++ : 0;
}

static unsigned take_place(struct story *st)
{
	unsigned n = take(st);

	return n < 128 ? n % PLACES_NAMED :
	       PLACES_NAMED + n % (PLACES - PLACES_NAMED);
}

static bool is_good(unsigned place)
{
	return place < PLACES_GOOD ||
	       (place >= PLACES_NAMED && place < PLACES);
}

/* --- what the agent did ----------------------------------------------- */

static unsigned place_of(const struct story *st, const struct addr *a)
{
	unsigned i = 0;

	while (i < PLACES && !addr_equal(&st->place[i], a))
		i++;
	return i;
}

static void judge_request(struct story *st, const struct ice_action *act,
			  const struct stun_msg *m)
{
	struct asked *q = &st->asked[st->asked_n++ % ASKED_MAX];
	unsigned i, all = 0, there = 0;

	assert(m->username && m->has_priority && m->fingerprint);
	assert(m->role == STUN_CONTROLLING || !m->use_candidate);
	memcpy(q->id, m->id, sizeof(q->id));
	q->to = act->addr;
	q->at = st->now;
	q->pwd = NULL;
	for (i = 0; i < 3; i++)
		if (stun_authentic(m, his[i][1], strlen(his[i][1])))
			q->pwd = his[i][1];
	assert(q->pwd);
	for (i = 0; i < ASKED_MAX && i < st->asked_n; i++) {
		if (st->asked[i].at <= st->now - 1000)
			continue;
		all++;
		there += addr_same_ip(&st->asked[i].to, &act->addr);
	}
	assert(all <= ICE_SENDS_MAX && there <= ICE_SENDS_TO_ONE);
}

static void judge_send(struct story *st, const struct ice_action *act)
{
	struct stun_msg m;

	assert(act->len <= ICE_PACKET_MAX);
	assert(!addr_forbidden(&act->addr, NULL));
	assert(is_good(place_of(st, &act->addr)));
	assert(!stun_read(act->bytes, act->len, &m));
	if (m.class == STUN_REQUEST)
		judge_request(st, act, &m);
	else
		assert(st->right && act->len <= st->request_len);
}

/* Media goes to who has answered within 30 s, and to nobody else. */
static void judge_selected(struct story *st)
{
	const struct addr *to = ice_selected(&st->a);
	unsigned i;

	if (!to)
		return;
	i = place_of(st, to);
	assert(i < PLACES && st->answered[i]);
	assert(st->now < st->answered[i] + ICE_CONSENT_LOST_MS);
	assert(ice_accepts(&st->a, to));
}

/* Of one address a time, in turn. */
static void judge_accepted(struct story *st)
{
	unsigned i = st->number % PLACES;

	if (ice_accepts(&st->a, &st->place[i]))
		assert(is_good(i) && st->heard[i] &&
		       st->now < st->heard[i] + ICE_CONSENT_LOST_MS);
}

static void judge(struct story *st)
{
	const struct addr *to;
	unsigned i, selects = 0;

	ice_check(&st->a, &st->config);
	for (i = 0; i < st->out.n; i++) {
		const struct ice_action *act = &st->out.list[i];

		if (act->kind == ICE_DO_SEND) {
			judge_send(st, act);
		} else if (act->kind == ICE_DO_SELECT) {
			to = ice_selected(&st->a);
			assert(to ? addr_equal(to, &act->addr) :
			       act->addr.family == ADDR_NONE);
			assert(!selects++);
		} else if (act->kind == ICE_DO_STATE) {
			assert(act->state == st->a.state);
		} else {
			memcpy(st->pwd[2], st->pwd[1], sizeof(st->pwd[0]));
			memcpy(st->pwd[1], st->pwd[0], sizeof(st->pwd[0]));
			memcpy(st->ufrag[2], st->ufrag[1],
			       sizeof(st->ufrag[0]));
			memcpy(st->ufrag[1], st->ufrag[0],
			       sizeof(st->ufrag[0]));
			strcpy(st->pwd[0], st->a.current.pwd);
			strcpy(st->ufrag[0], st->a.current.ufrag);
		}
	}
	judge_selected(st);
	judge_accepted(st);
	if (st->out.sends < ICE_STEP_SENDS_MAX)
		assert(ice_deadline(&st->a) > st->now);
}

static void step(struct story *st, struct ice_event *ev)
{
	ev->now = st->now;
	ev->config = &st->config;
	st->number++;
	memcpy(ev->entropy, &st->number, sizeof(st->number));
	ice_step(&st->a, ev, &st->out);
	judge(st);
}

/* --- what happens ----------------------------------------------------- */

static void packet(struct story *st, const struct addr *from,
		   const struct packet *p)
{
	struct ice_event ev = { .kind = ICE_EV_PACKET, .from = *from,
				.bytes = p->bytes, .len = p->len };

	st->request_len = p->len;
	step(st, &ev);
	st->request_len = 0;
}

static void send_signed(struct story *st, const struct addr *from,
			const struct stun_msg *m, const char *pwd)
{
	unsigned char buf[STUN_WRITE_MAX];
	struct packet p;
	size_t len;

	assert(!stun_write(m, pwd, pwd ? strlen(pwd) : 0, buf, sizeof(buf),
			   &len));
	p = packet_copy(buf, len);
	packet(st, from, &p);
	packet_free(&p);
}

/* A check by the peer: where from, how, with which credentials. */
static void request(struct story *st)
{
	const struct addr *from = &st->place[take_place(st)];
	unsigned how = take(st), with = take(st);
	struct stun_msg m = {
		.class = with & 128 ? STUN_INDICATION : STUN_REQUEST,
		.tie_breaker = with & 16 ? UINT64_MAX :
			with & 32 ? st->a.tie_breaker : 0,
		.has_priority = !(how & 1), .priority = (how & 0xf0) << 20,
		.use_candidate = how & 2,
		.role = how & 4 ? STUN_CONTROLLING : how & 8 ?
			STUN_NO_ROLE : STUN_CONTROLLED,
	};
	char name[64] = "";

	snprintf(name, sizeof(name), "%s:%s", st->ufrag[with % 3],
		 his[how / 16 % 3][0]);
	m.username = (unsigned char *)name;
	m.username_len = with & 64 ? with % 16 : strlen(name);
	if ((with & 12) != 4 && (with & 12) != 8 && !(with & 128)) {
		st->heard[from - st->place] = st->now;
		st->right = true;
	}
	send_signed(st, from, &m, (with & 12) == 4 ? NULL :
		    (with & 12) == 8 ? his[0][1] : st->pwd[with % 3]);
	st->right = false;
}

/* An answer to one of the last requests: from where it went, or elsewhere. */
static void answer(struct story *st)
{
	static const unsigned errors[] = { 0, 0, 0, 0, 487, 403, 400, 420 };
	unsigned which = take(st), how = take(st), i;
	struct stun_msg m = { .class = STUN_SUCCESS };
	const struct asked *q;
	struct addr from;

	if (!st->asked_n)
		return;
	which %= st->asked_n < ASKED_MAX ? st->asked_n : ASKED_MAX;
	q = &st->asked[(st->asked_n - 1 - which) % ASKED_MAX];
	memcpy(m.id, q->id, sizeof(m.id));
	m.error = errors[how % 8];
	if (m.error)
		m.class = STUN_ERROR;
	else
		m.mapped = st->config.local[0].base;
	from = how & 64 ? st->place[which % PLACES] : q->to;
	i = place_of(st, &from);
	/* The books: it may count. */
	if (!m.error && !(how & 128) && addr_equal(&from, &q->to))
		st->answered[i] = st->heard[i] = st->now;
	send_signed(st, &from, &m, how & 128 ? "wrong" : q->pwd);
}

static void raw(struct story *st)
{
	const struct addr *from = &st->place[take_place(st)];
	size_t len = take(st);
	struct packet p;

	if (len > (size_t)(st->end - st->at))
		len = (size_t)(st->end - st->at);
	p = packet_copy(st->at, len);
	st->at += len;
	packet(st, from, &p);
	packet_free(&p);
}

static void candidate(struct story *st)
{
	const struct addr *where = &st->place[take_place(st)];
	unsigned how = take(st);
	char ip[ADDR_TEXT_SIZE];
	struct ice_candidate c = {
		.component = how & 1 ? 2 : 1, .priority = how << 20,
		.protocol = how & 2 ? ICE_TCP : ICE_UDP, .mdns = how & 4,
		.ip = ip, .port = where->port,
	};
	struct ice_event ev = { .kind = ICE_EV_CANDIDATE, .candidate = &c };

	addr_format_ip(where, ip);
	if (how & 8)
		ev.ufrag = his[how / 16 % 3][0];
	step(st, &ev);
}

static void simple(struct story *st, enum ice_event_kind kind)
{
	struct ice_event ev = { .kind = kind };

	step(st, &ev);
}

static void remote(struct story *st)
{
	unsigned which = take(st);
	struct ice_event ev = { .kind = ICE_EV_REMOTE };

	ev.ufrag = his[which % 3][0];
	ev.pwd = his[which / 4 % 3][1];
	step(st, &ev);
}

static void to_deadline(struct story *st)
{
	int64_t d = ice_deadline(&st->a);

	if (d == INT64_MAX)
		return;
	st->now = d > st->now ? d : st->now;
	simple(st, ICE_EV_TIME);
}

static void event(struct story *st)
{
	static const int64_t wait[] = { 1, 10, 50, 100, 500, 1000, 5000,
					29000 };
	unsigned kind = take(st);

	switch (kind % 10) {
	case 0:
		to_deadline(st);
		break;
	case 1:
		st->now += wait[kind / 10 % 8];
		simple(st, ICE_EV_TIME);
		break;
	case 2:
		candidate(st);
		break;
	case 3:
		remote(st);
		break;
	case 4:
		simple(st, kind & 16 ? ICE_EV_END : ICE_EV_RESTART);
		break;
	case 5:
		raw(st);
		break;
	case 6:
	case 7:
		request(st);
		break;
	default:
		answer(st);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct story st;
	unsigned char entropy[ICE_ENTROPY_SIZE] = { 0 };
	unsigned i, n = 0;

	memset(&st, 0, sizeof(st));
	st.at = data;
	st.end = data + size;
	st.now = 1000;
	for (i = 0; i < PLACES_NAMED; i++)
		assert(!addr_parse(places[i].ip, places[i].port,
				   &st.place[i]));
	for (; i < PLACES; i++)
		assert(!addr_parse(i & 1 ? "203.0.113.9" : "2001:db8::9",
				   2000 + i, &st.place[i]));
	st.config.local[0].base = st.place[13];
	assert(!addr_parse("2001:db8:1::1", 3478,
			   &st.config.local[1].base));
	st.config.locals = 1 + (take(&st) & 1);
	entropy[0] = (unsigned char)(take(&st));
	ice_init(&st.a, entropy[0] & 1, entropy);
	strcpy(st.pwd[0], st.a.current.pwd);
	strcpy(st.ufrag[0], st.a.current.ufrag);
	while (st.at < st.end && n++ < EVENTS_MAX)
		event(&st);
	ice_clear(&st.a);
	return 0;
}
