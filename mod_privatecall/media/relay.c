/* relay.c: the relay's calls: opened, told of the peers' side, closed; STUN to
 * its agent; time (see relay.h).
 */
#include "mod_privatecall/media/relay.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/media/demux.h"
#include "jingle/media/stun.h"
#include "mod_privatecall/media/relay_private.h"

const char *relay_count_name(enum relay_count n)
{
	static const char *const names[RELAY_COUNTS] = {
		"strangers", "malformed", "unnamed", "unasked",
		"indications", "unknown",
	};

	return n < RELAY_COUNTS ? names[n] : "?";
}

/* --- who may be sent to ----------------------------------------------- */

bool relay_forbidden(const struct addr *a, const struct relay_config *config)
{
	unsigned i;

	for (i = 0; i < config->locals; i++)
		if (config->local[i].base.family == a->family &&
		    addr_loopback(&config->local[i].base) && addr_loopback(a))
			return addr_port_forbidden(a->port) ||
			       addr_rules_forbid(&config->rules, a);
	return addr_forbidden(a, &config->rules);
}

static bool forbidden(const struct addr *a, const void *arg)
{
	return relay_forbidden(a, arg);
}

/* --- one step of an agent --------------------------------------------- */

void relay_say_step(struct relay *r, struct leg *l, enum wire_step step)
{
	struct wire_msg m;

	if (l->steps & 1u << step)
		return;
	l->steps |= 1u << step;
	wire_begin(&m, WIRE_STEP, l->transport->call->id);
	m.transport = l->transport->number;
	m.side = l->side;
	m.said.step = step;
	r->to.say(&m, r->arg);
}

/* A leg is connected, lost or failed, again and again. */
static void say_state(struct relay *r, struct leg *l, enum ice_state state)
{
	enum wire_step step = state == ICE_LOST ? WIRE_LOST :
			      state == ICE_FAILED ? WIRE_FAILED :
			      WIRE_CONNECTED;

	if (l->told == step)
		return;
	l->told = (uint8_t)step;
	l->steps &= ~(1u << step);
	relay_say_step(r, l, step);
}

static void put_credentials(struct wire_credentials *c, const struct leg *l)
{
	memcpy(c->ufrag, l->agent.current.ufrag, sizeof(c->ufrag));
	memcpy(c->pwd, l->agent.current.pwd, sizeof(c->pwd));
}

static void say_credentials(struct relay *r, struct leg *l)
{
	struct wire_msg m;

	table_name(r, l, false);
	wire_begin(&m, WIRE_CREDENTIALS, l->transport->call->id);
	m.transport = l->transport->number;
	m.side = l->side;
	put_credentials(&m.credentials, l);
	r->to.say(&m, r->arg);
	explicit_bzero(&m, sizeof(m));
}

/* The class of a STUN message is in two bits: a request has none of them. */
static bool is_request(const struct ice_action *act)
{
	return !(act->bytes[0] & 1) && !(act->bytes[1] & 0x10);
}

static void act(struct relay *r, struct leg *l, const struct ice_action *a)
{
	switch (a->kind) {
	case ICE_DO_SEND:
		if (is_request(a))
			table_ask(r, l, a->bytes + STUN_HEADER_SIZE -
				  STUN_ID_SIZE);
		r->to.send(&a->addr, a->bytes, a->len, r->arg);
		break;
	case ICE_DO_CREDENTIALS:
		say_credentials(r, l);
		break;
	case ICE_DO_SELECT:
		if (a->addr.family == ADDR_NONE)
			break;
		if (l->room)
			room_connected(r, l);
		else
			pass_held(r, relay_other(l), pass_on);
		break;
	case ICE_DO_STATE:
		say_state(r, l, a->state);
		break;
	}
}

void relay_step(struct relay *r, struct leg *l, struct ice_event *ev)
{
	unsigned i;

	ev->now = r->now;
	ev->config = &r->ice;
	r->to.entropy(ev->entropy, r->arg);
	ice_step(&l->agent, ev, &r->out);
	explicit_bzero(ev->entropy, sizeof(ev->entropy));
	for (i = 0; i < r->out.n; i++)
		act(r, l, &r->out.list[i]);
	relay_settle(r, l);
}

static int64_t deadline(const struct leg *l)
{
	int64_t ice = ice_deadline(&l->agent), room = room_deadline(l);

	return ice < room ? ice : room;
}

void relay_settle(struct relay *r, struct leg *l)
{
	heap_put(r, l, deadline(l));
}

/* --- calls ------------------------------------------------------------ */

static void close_transport(struct relay *r, struct transport *t)
{
	struct call *c = t->call;
	unsigned side;

	for (side = 0; side < WIRE_SIDES; side++) {
		struct leg *l = &t->leg[side];
		struct wire_traffic *sum = &c->sum.side[side];

		sum->in_packets += l->traffic.in_packets;
		sum->in_bytes += l->traffic.in_bytes;
		sum->out_packets += l->traffic.out_packets;
		sum->out_bytes += l->traffic.out_bytes;
		pass_forget(r, l);
		table_forget(r, l);
		table_name(r, l, true);
		heap_put(r, l, INT64_MAX);
		ice_clear(&l->agent);
		room_sum(l);
		room_free(l);
	}
	table_give_slot(r, t);
	c->transport[t->number] = NULL;
	free(t);
}

static void close_call(struct relay *r, struct call *c)
{
	unsigned i;

	for (i = 0; i < WIRE_TRANSPORTS_MAX; i++)
		if (c->transport[i])
			close_transport(r, c->transport[i]);
	table_remove_call(r, c);
	dtls_identity_free(c->identity);
	free(c);
}

static struct transport *new_transport(struct call *c)
{
	struct transport *t = calloc(1, sizeof(*t));

	if (!t || c->mode == WIRE_BLIND)
		return t;
	if (room_new(&t->leg[WIRE_CALLER]) && room_new(&t->leg[WIRE_CALLEE]))
		return t;
	room_free(&t->leg[WIRE_CALLER]);
	free(t);
	return NULL;
}

static void begin_ice(struct relay *r, struct leg *l, bool controlling)
{
	unsigned char entropy[ICE_ENTROPY_SIZE];

	r->to.entropy(entropy, r->arg);
	ice_init(&l->agent, controlling, entropy);
	explicit_bzero(entropy, sizeof(entropy));
	table_name(r, l, false);
}

/* Nothing of the one who was there before is left. */
static void take_renew(struct relay *r, struct leg *l,
		       const struct wire_renew *renew)
{
	if (!l->room) {
		r->count[RELAY_N_UNKNOWN]++;
		return;
	}
	pass_forget(r, l);
	table_forget(r, l);
	table_name(r, l, true);
	heap_put(r, l, INT64_MAX);
	ice_clear(&l->agent);
	l->steps = 0;
	l->told = 0;
	room_renew(r, l);
	begin_ice(r, l, renew->controlling);
	say_credentials(r, l);
}

/* Towards the caller, who began, we are controlled (RFC 8445, 6.1.1). */
static struct transport *open_transport(struct relay *r, struct call *c,
					unsigned number)
{
	struct transport *t = new_transport(c);
	unsigned side;

	if (!t)
		return NULL;
	t->call = c;
	t->number = (uint8_t)number;
	if (!table_take_slot(r, t)) {
		room_free(&t->leg[WIRE_CALLER]);
		room_free(&t->leg[WIRE_CALLEE]);
		free(t);
		return NULL;
	}
	for (side = 0; side < WIRE_SIDES; side++) {
		struct leg *l = &t->leg[side];

		l->transport = t;
		l->side = (uint8_t)side;
		l->deadline = INT64_MAX;
		begin_ice(r, l, side == WIRE_CALLEE);
	}
	room_begin(r, t);
	c->transport[number] = t;
	return t;
}

static struct call *open_call(struct relay *r, const struct wire_msg *m)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	memcpy(c->id, m->call, sizeof(c->id));
	c->mode = (uint8_t)m->open.mode;
	if (c->mode == WIRE_ROOM)
		c->identity = dtls_identity_hold(r->config.identity);
	table_add_call(r, c);
	return c;
}

/* --- messages of control ---------------------------------------------- */

static void refuse(struct relay *r, const struct wire_msg *m,
		   enum wire_why why)
{
	struct wire_msg no;

	wire_begin(&no, WIRE_REFUSED, m->call);
	no.transport = m->transport;
	no.refused.why = why;
	r->to.say(&no, r->arg);
}

static void put_fingerprint(struct wire_fingerprint *f,
			    const struct dtls_identity *identity)
{
	strcpy(f->hash, "sha-256");
	f->len = (uint32_t)dtls_identity_fingerprint(identity, f->hash,
						     f->value);
}

static void say_ready(struct relay *r, const struct transport *t)
{
	struct wire_msg m;
	unsigned side;

	wire_begin(&m, WIRE_READY, t->call->id);
	m.transport = t->number;
	for (side = 0; side < WIRE_SIDES; side++)
		put_credentials(&m.ready.side[side], &t->leg[side]);
	if (t->call->identity)
		put_fingerprint(&m.ready.fingerprint, t->call->identity);
	r->to.say(&m, r->arg);
	explicit_bzero(&m, sizeof(m));
}

static void take_open(struct relay *r, const struct wire_msg *m)
{
	struct call *c = table_call(r, m->call), *fresh;
	struct transport *t = c ? c->transport[m->transport] : NULL;

	if (t) {
		say_ready(r, t);
		return;
	}
	/* A call that runs may add to itself while we drain. */
	if (!c && r->draining) {
		refuse(r, m, WIRE_DRAINING);
		return;
	}
	if (!c && r->n_calls == r->config.most_calls) {
		refuse(r, m, WIRE_FULL);
		return;
	}
	fresh = c ? NULL : open_call(r, m);
	if (c || fresh)
		t = open_transport(r, c ? c : fresh, m->transport);
	if (t) {
		say_ready(r, t);
		return;
	}
	if (fresh)
		close_call(r, fresh);
	refuse(r, m, WIRE_NO_MEMORY);
}

static uint32_t mean(uint64_t sum, uint64_t n)
{
	return n ? (uint32_t)(sum / n) : 0;
}

/* He reports of what the other sent. */
static void put_quality(struct wire_quality *q, const struct rewrite_heard *his,
			const struct rewrite_heard *others)
{
	q->missing = his->missing > 0 ? (uint64_t)his->missing : 0;
	q->lost = others->lost > 0 ? (uint64_t)others->lost : 0;
	q->reports = (uint32_t)others->reports;
	q->jitter = mean(others->jitter, others->reports);
	q->trips = (uint32_t)others->trips;
	q->trip = mean(others->trip, others->trips);
}

static void take_close(struct relay *r, const struct wire_msg *m)
{
	struct call *c = table_call(r, m->call);
	struct wire_msg closed;
	unsigned i;

	wire_begin(&closed, WIRE_CLOSED, m->call);
	if (c) {
		for (i = 0; i < WIRE_TRANSPORTS_MAX; i++)
			if (c->transport[i])
				close_transport(r, c->transport[i]);
		closed.closed = c->sum;
		closed.closed.mode = c->mode;
		for (i = 0; i < WIRE_SIDES; i++)
			put_quality(&closed.closed.quality[i], &c->heard[i],
				    &c->heard[!i]);
		close_call(r, c);
	} else {
		r->count[RELAY_N_UNKNOWN]++;
	}
	closed.closed.round = m->close.round;
	r->to.say(&closed, r->arg);
}

static void say_welcome(struct relay *r)
{
	struct wire_msg m;

	wire_begin(&m, WIRE_WELCOME, NULL);
	strncpy(m.welcome.release, r->config.release, WIRE_RELEASE_SIZE - 1);
	m.welcome.calls = r->n_calls;
	m.welcome.most_calls = r->config.most_calls;
	m.welcome.draining = r->draining;
	m.welcome.offers = ice_offers(&r->ice, m.welcome.offer);
	r->to.say(&m, r->arg);
}

static void say_transport(struct relay *r, const struct transport *t)
{
	struct wire_msg m;
	unsigned side;

	wire_begin(&m, WIRE_CALL, t->call->id);
	m.transport = t->number;
	for (side = 0; side < WIRE_SIDES; side++) {
		const struct leg *l = &t->leg[side];

		m.listed.side[side].state = l->agent.state;
		m.listed.side[side].steps = l->steps;
		m.listed.side[side].traffic = l->traffic;
	}
	r->to.say(&m, r->arg);
}

/* One whose transports are all dropped is listed, too: else nobody who has
 * forgotten it could close it. */
static void say_call(struct relay *r, const struct call *c)
{
	struct wire_msg m;
	unsigned i, n = 0;

	for (i = 0; i < WIRE_TRANSPORTS_MAX; i++) {
		if (!c->transport[i])
			continue;
		say_transport(r, c->transport[i]);
		n++;
	}
	if (n)
		return;
	wire_begin(&m, WIRE_CALL, c->id);
	r->to.say(&m, r->arg);
}

static void say_list(struct relay *r)
{
	const struct call *c;
	struct wire_msg m;
	uint32_t i;

	for (i = 0; i <= r->mask; i++)
		for (c = r->calls[i]; c; c = c->next)
			say_call(r, c);
	wire_begin(&m, WIRE_LISTED, NULL);
	r->to.say(&m, r->arg);
}

static void take_candidate(struct relay *r, struct leg *l,
			   const struct wire_candidate *c)
{
	char ip[ADDR_TEXT_SIZE];
	struct ice_candidate candidate = {
		.component = c->component, .ip = ip, .port = c->addr.port,
		.priority = c->priority, .protocol = ICE_UDP,
		.type = (enum ice_type)c->type,
	};
	struct ice_event ev = {
		.kind = ICE_EV_CANDIDATE, .candidate = &candidate,
		.ufrag = c->ufrag[0] ? c->ufrag : NULL,
	};

	addr_format_ip(&c->addr, ip);
	relay_step(r, l, &ev);
}

/* What is said of one leg. */
static void take_leg(struct relay *r, struct leg *l, const struct wire_msg *m)
{
	struct ice_event ev = { .kind = ICE_EV_END };

	if (m->kind == WIRE_CANDIDATE) {
		take_candidate(r, l, &m->candidate);
		return;
	}
	if (m->kind == WIRE_REMOTE) {
		ev.kind = ICE_EV_REMOTE;
		ev.ufrag = m->remote.ufrag;
		ev.pwd = m->remote.pwd;
	} else if (m->kind == WIRE_RESTART) {
		ev.kind = ICE_EV_RESTART;
	}
	relay_step(r, l, &ev);
}

static void take_of_transport(struct relay *r, const struct wire_msg *m)
{
	struct call *c = table_call(r, m->call);
	struct transport *t = c ? c->transport[m->transport] : NULL;

	if (!t)
		r->count[RELAY_N_UNKNOWN]++;
	else if (m->kind == WIRE_DROP)
		close_transport(r, t);
	else if (m->kind == WIRE_SECURITY)
		room_secure(r, &t->leg[m->side], &m->security);
	else if (m->kind == WIRE_MAP)
		room_map(r, &t->leg[m->side], &m->map);
	else if (m->kind == WIRE_JOIN)
		room_join(r, &t->leg[m->side], &m->join);
	else if (m->kind == WIRE_RENEW)
		take_renew(r, &t->leg[m->side], &m->renew);
	else
		take_leg(r, &t->leg[m->side], m);
}

void relay_control(struct relay *r, int64_t now, const struct wire_msg *m)
{
	relay_time(r, now);
	switch (m->kind) {
	case WIRE_HELLO:
		say_welcome(r);
		break;
	case WIRE_OPEN:
		take_open(r, m);
		break;
	case WIRE_CLOSE:
		take_close(r, m);
		break;
	case WIRE_LIST:
		say_list(r);
		break;
	default:
		take_of_transport(r, m);
		break;
	}
}

/* --- packets ---------------------------------------------------------- */

/* Whose it is; NULL: nobody's, which gets silence. */
static struct leg *find_leg(struct relay *r, const struct stun_msg *m)
{
	const size_t len = ICE_OUR_UFRAG_SIZE - 1;
	struct leg *l = NULL;

	switch (m->class) {
	case STUN_REQUEST:
		if (m->username_len > len && m->username[len] == ':')
			l = table_named(r, m->username);
		r->count[RELAY_N_UNNAMED] += !l;
		break;
	case STUN_INDICATION:
		r->count[RELAY_N_INDICATIONS]++;
		break;
	default:
		l = table_asked(r, m->id);
		r->count[RELAY_N_UNASKED] += !l;
		break;
	}
	return l;
}

/* Was it right? Then the agent has noted when. */
static bool is_heard(const struct relay *r, const struct ice_agent *a,
		     const struct addr *from)
{
	unsigned i;

	for (i = 0; i <= ICE_OLD; i++)
		if (a->pair[i].heard == r->now &&
		    addr_equal(&a->pair[i].addr, from))
			return ice_accepts(a, from);
	return false;
}

static void take_stun(struct relay *r, const struct addr *from,
		      const void *bytes, size_t len)
{
	struct ice_event ev = { .kind = ICE_EV_PACKET, .from = *from,
				.bytes = bytes, .len = len };
	struct stun_msg m;
	struct leg *l;

	if (stun_read(bytes, len, &m)) {
		r->count[RELAY_N_MALFORMED]++;
		return;
	}
	l = find_leg(r, &m);
	if (!l)
		return;
	relay_step(r, l, &ev);
	if (!is_heard(r, &l->agent, from))
		return;
	table_see(r, l, from);
	if (m.class == STUN_REQUEST)
		relay_say_step(r, l, WIRE_CHECKED);
}

void relay_packet(struct relay *r, int64_t now, const struct addr *from,
		  const void *bytes, size_t len)
{
	relay_time(r, now);
	if (demux_kind(bytes, len) == DEMUX_STUN)
		take_stun(r, from, bytes, len);
	else
		pass_packet(r, from, bytes, len);
}

/* --- time ------------------------------------------------------------- */

/* An agent may be due at once again, when a step had not room for all: it has
 * its turn with the next event. */
void relay_time(struct relay *r, int64_t now)
{
	struct ice_event ev = { .kind = ICE_EV_TIME };
	uint32_t n = r->heap_n;

	assert(now > 0 && now >= r->now);
	r->now = now;
	for (; n && r->heap_n && r->heap[0]->deadline <= now; n--) {
		struct leg *l = r->heap[0];

		/* First: whose consent has ended is sent no handshake either,
		 * however late we are (RFC 7675, 5.1). */
		relay_step(r, l, &ev);
		room_time(r, l);
	}
	pass_expire(r);
}

int64_t relay_deadline(const struct relay *r)
{
	int64_t d = r->heap_n ? r->heap[0]->deadline : INT64_MAX;

	return d < r->held_until ? d : r->held_until;
}

/* --- life ------------------------------------------------------------- */

int relay_new(const struct relay_config *config,
	      const struct relay_handlers *handlers, void *arg,
	      struct relay **r_r)
{
	struct relay *r = calloc(1, sizeof(*r));
	unsigned char entropy[ICE_ENTROPY_SIZE];

	assert(config->most_calls && config->most_calls <= RELAY_CALLS_MAX);
	if (!r)
		return ENOMEM;
	r->config = *config;
	memcpy(r->ice.local, config->local, sizeof(r->ice.local));
	r->ice.locals = config->locals;
	r->ice.forbidden = forbidden;
	r->ice.arg = &r->config;
	if (config->identity)
		dtls_identity_hold(config->identity);
	r->to = *handlers;
	r->arg = arg;
	r->held_until = INT64_MAX;
	r->to.entropy(entropy, arg);
	memcpy(&r->key, entropy, sizeof(r->key));
	if (table_make(r)) {
		table_free(r);
		dtls_identity_free(config->identity);
		free(r);
		return ENOMEM;
	}
	*r_r = r;
	return 0;
}

void relay_free(struct relay *r)
{
	uint32_t i;

	if (!r)
		return;
	for (i = 0; i <= r->mask; i++)
		while (r->calls[i])
			close_call(r, r->calls[i]);
	table_free(r);
	dtls_identity_free(r->config.identity);
	explicit_bzero(&r->out, sizeof(r->out));
	explicit_bzero(r->packet, sizeof(r->packet));
	free(r);
}

void relay_set_identity(struct relay *r, struct dtls_identity *identity)
{
	if (identity)
		dtls_identity_hold(identity);
	dtls_identity_free(r->config.identity);
	r->config.identity = identity;
}

void relay_drain(struct relay *r)
{
	r->draining = true;
	say_welcome(r);
}

unsigned relay_calls(const struct relay *r)
{
	return r->n_calls;
}

uint64_t relay_counted(const struct relay *r, enum relay_count n)
{
	return r->count[n];
}

uint64_t relay_dropped(const struct relay *r, enum wire_drop n)
{
	return r->dropped[n];
}

/* --- invariants ------------------------------------------------------- */

static unsigned check_leg(const struct relay *r, const struct leg *l)
{
	const struct seen *s;

	ice_check(&l->agent, &r->ice);
	assert(table_named(r, l->agent.current.ufrag) == l);
	assert(!l->agent.old.ufrag[0] ||
	       table_named(r, l->agent.old.ufrag) == l);
	assert(l->deadline == deadline(l));
	assert((l->deadline != INT64_MAX) == !!l->heap_at);
	assert(!l->heap_at || r->heap[l->heap_at - 1] == l);
	for (s = l->seen; s < l->seen + LEG_SEEN_MAX; s++)
		assert(!s->until || s->leg == l);
	room_check(l);
	return l->held;
}

static unsigned held_by_calls(const struct relay *r)
{
	const struct call *c;
	unsigned held = 0;
	uint32_t i;

	for (i = 0; i <= r->mask; i++)
		for (c = r->calls[i]; c; c = c->next)
			held += c->held;
	return held;
}

void relay_check(const struct relay *r)
{
	unsigned held = 0, used = 0;
	uint32_t i;

	for (i = 0; i < r->slots; i++) {
		const struct transport *t = r->slot[i];

		if (!t)
			continue;
		used++;
		assert(t->slot == i && t->serial);
		assert(t->call->transport[t->number] == t);
		held += check_leg(r, &t->leg[WIRE_CALLER]);
		held += check_leg(r, &t->leg[WIRE_CALLEE]);
	}
	assert(used + r->spares == r->slots);
	assert(held == r->n_held && held_by_calls(r) == held &&
	       held <= RELAY_HELD_MAX);
	assert(!held || r->held_until != INT64_MAX);
	for (i = 1; i < r->heap_n; i++)
		assert(r->heap[(i - 1) / 2]->deadline <=
		       r->heap[i]->deadline);
}
