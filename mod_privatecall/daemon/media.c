/* media.c: control's end of the boundary to privatecall-media (wire.h): a
 * SOCK_SEQPACKET in the loop, connected again when it breaks. Orders of calls
 * become messages, messages become events of calls.
 *
 *   DOWN --connect, HELLO--> ASKING --WELCOME, LIST--> UP --LISTED--> settled
 *     ^------------- the connection breaks, ----------'
 *                    no WELCOME to a HELLO
 *
 * Calls live over a restart of ours: what LISTED names and we know goes on,
 * what we do not know is closed. A call that media does not name is lost, and
 * so are all when nobody answers for MEDIA_GRACE_MS: then they end with a
 * reason, and can be re-entered. Nobody listens on a socket whose process has
 * died: then they are known to be lost.
 */
#include "mod_privatecall/daemon/daemon.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "jingle/stanza/dtls.h"
#include "mod_privatecall/daemon/clock.h"
#include "mod_privatecall/media/wire.h"

#define MEDIA_RETRY_MS 250
#define MEDIA_GRACE_MS 1500        /* calls wait so long for a reconnect */
#define MEDIA_BEAT_MS 5000         /* between questions whether it lives */
#define MEDIA_DEAD_MS 3000         /* it did not answer one */
#define MEDIA_ANSWER_MS 1000       /* ... of which so much by no clock that a
				      test can move: it is another process */
#define MEDIA_QUEUE_MAX 8192       /* messages the socket has no room for */
#define MEDIA_READS 256            /* in one turn */

enum media_state { MEDIA_DOWN, MEDIA_ASKING, MEDIA_UP };

struct queued {
	struct queued *next;
	struct wire_msg msg;
};

struct media {
	struct daemon *dm;
	enum media_state state;
	bool settled;              /* LISTED has come */
	bool judged;               /* calls it does not know have been told */
	bool broken;               /* a send failed: to be closed */
	bool dead;                 /* who listened has died */
	int fd;
	uv_poll_t *poll;           /* of fd; NULL: none */
	int64_t retry_at, down_at; /* monotonic ms */
	int64_t beat_at, asked_at; /* asked_at 0: no question is open */
	uint64_t asked_real;
	bool draining;
	char why[160];             /* not connected */
	bool denied;               /* ... as our user may not */
	struct log_rate lost, away;
	bool quiet;                /* that it was lost was not said */
	char release[WIRE_RELEASE_SIZE];
	unsigned calls, most_calls;
	struct leg_candidate candidate[ICE_OFFERS_MAX];
	char ip[ICE_OFFERS_MAX][2][ADDR_TEXT_SIZE];
	char foundation[ICE_OFFERS_MAX][8];
	unsigned candidates;
	struct queued *first, *last;
	unsigned queued;
};

/* --- the connection --------------------------------------------------- */

static void on_poll(uv_poll_t *p, int status, int events);

static void watch(struct media *m)
{
	uv_poll_start(m->poll, UV_READABLE | (m->first ? UV_WRITABLE : 0),
		      on_poll);
}

static void free_handle(uv_handle_t *h)
{
	free(h);
}

static void drop_queue(struct media *m)
{
	struct queued *q;

	while ((q = m->first)) {
		m->first = q->next;
		free(q);
	}
	m->last = NULL;
	m->queued = 0;
}

static const char *mend(const struct media *m)
{
	return m->denied ? "usermod --append --groups privatecall-media with "
		"our user, and restart us" :
		"systemctl start privatecall-media";
}

static void hang_up(struct media *m, const char *why)
{
	struct daemon *dm = m->dm;
	bool was_up = m->state == MEDIA_UP, news = strcmp(m->why, why) != 0;
	struct log_rate *rate = was_up ? &m->lost : &m->away;
	struct call_entry *e;
	bool said;

	/* It is tried again four times a second. */
	said = (was_up || news) && log_allowed(rate, clock_now());
	if (said)
		log_line(was_up ? LOG_ERROR : LOG_WARN, was_up ?
			 "privatecall-media is lost" :
			 "privatecall-media is away", "socket",
			 dm->conf->media_socket, "why", why, "mend",
			 mend(m), NULL);
	snprintf(m->why, sizeof(m->why), "%s", why);
	if (was_up) {
		m->quiet = !said;
		m->down_at = clock_now();
		m->judged = false;
	}
	if (m->poll) {
		uv_poll_stop(m->poll);
		uv_close((uv_handle_t *)m->poll, free_handle);
		m->poll = NULL;
	}
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	m->state = MEDIA_DOWN;
	m->settled = m->broken = false;
	m->asked_at = 0;
	m->candidates = 0;
	m->retry_at = clock_now() + MEDIA_RETRY_MS;
	drop_queue(m);
	for (e = calls_next(dm, NULL); e; e = calls_next(dm, e)) {
		free(e->orders);
		e->orders = NULL;
	}
}

static bool put(struct media *m, const struct wire_msg *msg)
{
	ssize_t n = send(m->fd, msg, wire_size(msg->kind),
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		m->broken = true;
	return n >= 0;
}

static void say(struct media *m, const struct wire_msg *msg)
{
	struct queued *q;

	if (m->fd < 0 || m->broken || (!m->first && put(m, msg)))
		return;
	/* Hints alone may get lost: they must not crowd out the rest. */
	if (msg->kind == WIRE_CANDIDATE && m->queued > MEDIA_QUEUE_MAX / 2)
		return;
	q = m->queued < MEDIA_QUEUE_MAX ? malloc(sizeof(*q)) : NULL;
	if (!q) {
		m->broken = true;
		return;
	}
	q->next = NULL;
	q->msg = *msg;
	if (m->last)
		m->last->next = q;
	else
		m->first = q;
	m->last = q;
	m->queued++;
	watch(m);
}

static void say_kind(struct media *m, enum wire_kind kind, const char *call)
{
	struct wire_msg msg;

	wire_begin(&msg, kind, call);
	if (kind == WIRE_HELLO)
		snprintf(msg.hello.release, sizeof(msg.hello.release), "%s",
			 PACKAGE_VERSION);
	say(m, &msg);
}

static void flush_queue(struct media *m)
{
	struct queued *q;

	while ((q = m->first) && put(m, &q->msg)) {
		m->first = q->next;
		if (!m->first)
			m->last = NULL;
		m->queued--;
		free(q);
	}
	watch(m);
}

static int open_socket(struct media *m)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = m->dm->conf->media_socket;

	if (strlen(path) >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	strcpy(to.sun_path, path);
	m->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (m->fd < 0 ||
	    connect(m->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return errno;
	m->poll = malloc(sizeof(*m->poll));
	if (!m->poll)
		return ENOMEM;
	if (uv_poll_init(&m->dm->loop, m->poll, m->fd)) {
		free(m->poll);
		m->poll = NULL;
		return EIO;
	}
	m->poll->data = m;
	return 0;
}

static void dial(struct media *m)
{
	int rc = open_socket(m);

	m->denied = rc == EACCES;
	m->dead = rc == ECONNREFUSED;
	if (rc) {
		hang_up(m, strerror(rc));
		return;
	}
	m->state = MEDIA_ASKING;
	m->retry_at = clock_now() + MEDIA_GRACE_MS;
	watch(m);
	say_kind(m, WIRE_HELLO, NULL);
}

/* --- what it says ----------------------------------------------------- */

static void take_offer(struct media *m, unsigned i, const struct ice_offer *o)
{
	struct leg_candidate *c = &m->candidate[i];

	memset(c, 0, sizeof(*c));
	addr_format_ip(&o->addr, m->ip[i][0]);
	addr_format_ip(&o->related, m->ip[i][1]);
	snprintf(m->foundation[i], sizeof(m->foundation[i]), "%.4s",
		 o->foundation);
	c->ip = m->ip[i][0];
	c->port = o->addr.port;
	c->foundation = m->foundation[i];
	c->priority = o->priority;
	if (o->related.family != ADDR_NONE) {
		c->rel_ip = m->ip[i][1];
		c->rel_port = o->related.port;
	}
}

static void on_welcome(struct media *m, const struct wire_welcome *w)
{
	unsigned i;

	m->calls = w->calls;
	m->most_calls = w->most_calls;
	m->draining = w->draining;
	m->asked_at = 0;
	m->beat_at = clock_now() + MEDIA_BEAT_MS;
	if (m->state == MEDIA_UP)
		return;
	for (i = 0; i < w->offers && i < ICE_OFFERS_MAX; i++)
		take_offer(m, i, &w->offer[i]);
	m->candidates = i;
	memcpy(m->release, w->release, sizeof(m->release));
	if (!m->quiet)
		log_line(LOG_INFO, "privatecall-media is there", "socket",
			 m->dm->conf->media_socket, "version", m->release,
			 NULL);
	m->state = MEDIA_UP;
	m->dm->media_wanted = true;    /* by calls, whatever is set later */
	m->why[0] = 0;
	say_kind(m, WIRE_LIST, NULL);
}

static void give(struct media *m, struct call_entry *e,
		 struct call_event *ev)
{
	calls_event(e, ev, m->dm->arena);
	arena_reset(m->dm->arena);
}

static enum call_step step_of(enum wire_step s)
{
	static const enum call_step steps[WIRE_STEPS] = {
		[WIRE_CHECKED] = STEP_CHECKED,
		[WIRE_CONNECTED] = STEP_CONNECTED,
		[WIRE_LOST] = STEP_LOST,
		[WIRE_FAILED] = STEP_FAILED,
		[WIRE_DTLS] = STEP_DTLS,
		[WIRE_MEDIA] = STEP_MEDIA,
		[WIRE_SECURE] = STEP_SECURE,
		[WIRE_INSECURE] = STEP_INSECURE,
	};

	return steps[s];
}

static void give_step(struct media *m, struct call_entry *e,
		      const struct wire_msg *msg, unsigned role,
		      enum call_step step)
{
	struct call_event ev = { .kind = CALL_EV_STEP,
				 .transport = msg->transport, .role = role,
				 .step = step };

	give(m, e, &ev);
}

static bool is_ours(const struct call_entry *e)
{
	return e && call_is_live(&e->call) && e->call.mode != MODE_DIRECT &&
	       !(e->orders && e->orders->closes);
}

/* Each OPEN is answered once, and what is answered late may have been given up
 * and its number be another's: only the last answer is of now. */
static bool is_of_now(struct call_entry *e, const struct wire_msg *msg)
{
	struct call_orders *o = e ? e->orders : NULL;

	if (!o || (msg->kind != WIRE_READY && msg->kind != WIRE_REFUSED))
		return true;
	if (o->opens[msg->transport])
		o->opens[msg->transport]--;
	return !o->opens[msg->transport];
}

/* What is awaited is of one call: where another has taken its place here,
 * answers to the one before are, by their id, nobody's. NULL: no memory. */
static struct call_orders *orders_of(struct call_entry *e, const char *id)
{
	struct call_orders *o = e->orders;

	if (!o)
		o = e->orders = calloc(1, sizeof(*o));
	if (!o || strcmp(o->of, id) == 0)
		return o;
	snprintf(o->of, sizeof(o->of), "%s", id);
	o->closes = 0;
	memset(o->opens, 0, sizeof(o->opens));
	return o;
}

/* One of those that it has: we may have been away, and learn what happened
 * meanwhile. */
static void on_listed(struct media *m, struct call_entry *e,
		      const struct wire_msg *msg)
{
	struct call_orders *o = e ? orders_of(e, msg->call) : NULL;
	struct call_event ev = { .kind = CALL_EV_LISTED };
	struct wire_msg drop;
	unsigned role, s;

	if (!is_ours(e) || !o) {
		if (o && o->closes)
			return;
		if (o)
			o->closes++;
		say_kind(m, WIRE_CLOSE, msg->call);
		return;
	}
	o->known = true;
	if (call_transport_state(&e->call, msg->transport) == TRANSPORT_FREE) {
		wire_begin(&drop, WIRE_DROP, msg->call);
		drop.transport = msg->transport;
		say(m, &drop);
		return;
	}
	for (role = 0; role < 2; role++) {
		const struct wire_leg *l = &msg->listed.side[role];

		for (s = 0; s < WIRE_STEPS; s++)
			if (l->steps & 1u << s && s != WIRE_LOST &&
			    s != WIRE_FAILED)
				give_step(m, e, msg, role, step_of(s));
		if (l->state == ICE_LOST || l->state == ICE_FAILED)
			give_step(m, e, msg, role, STEP_LOST);
	}
	ev.transport = msg->transport;
	give(m, e, &ev);
}

static void on_call(struct media *m, struct call_entry *e,
		    const struct wire_msg *msg)
{
	const struct wire_credentials *c = msg->kind == WIRE_READY ?
		msg->ready.side : &msg->credentials;
	const struct wire_fingerprint *f = &msg->ready.fingerprint;
	struct call_event ev = { .transport = msg->transport,
				 .role = msg->side };

	switch (msg->kind) {
	case WIRE_READY:
		ev.kind = CALL_EV_READY;
		ev.ufrag[1] = c[1].ufrag;
		ev.pwd[1] = c[1].pwd;
		if (f->len)
			ev.print = dtls_text(m->dm->arena, f->hash, f->value,
					     f->len);
		break;
	case WIRE_CREDENTIALS:
		ev.kind = CALL_EV_CREDENTIALS;
		break;
	case WIRE_REFUSED:
		ev.kind = CALL_EV_REFUSED;
		log_line(LOG_WARN, "privatecall-media refuses a call", "call",
			 msg->call, "why", wire_why_name(msg->refused.why),
			 NULL);
		break;
	case WIRE_TROUBLE:
		ev.kind = CALL_EV_TROUBLE;
		ev.why = msg->trouble.text;
		break;
	default:
		ev.kind = CALL_EV_STEP;
		ev.step = step_of(msg->said.step);
		break;
	}
	if (msg->kind == WIRE_READY || msg->kind == WIRE_CREDENTIALS) {
		ev.ufrag[0] = c[0].ufrag;
		ev.pwd[0] = c[0].pwd;
	}
	give(m, e, &ev);
}

static void on_message(struct media *m, const struct wire_msg *msg)
{
	struct call_entry *e = msg->call[0] ? calls_find(m->dm, msg->call) :
					      NULL;

	switch (msg->kind) {
	case WIRE_WELCOME:
		on_welcome(m, &msg->welcome);
		break;
	case WIRE_LISTED:
		m->settled = true;
		m->judged = false;
		break;
	case WIRE_CALL:
		on_listed(m, e, msg);
		break;
	case WIRE_CLOSED:
		m->calls -= m->calls > 0;
		if (e && e->orders && e->orders->closes)
			e->orders->closes--;
		traffic_closed(m->dm, msg->call, &msg->closed);
		break;
	default:
		/* What is said of a call before its CLOSED is of the round
		 * that was closed. */
		if (is_of_now(e, msg) && is_ours(e))
			on_call(m, e, msg);
		break;
	}
}

static void read_all(struct media *m)
{
	char packet[sizeof(struct wire_msg) + 1], text[128];
	struct wire_msg msg;
	const char *why;
	ssize_t n;
	int i;

	for (i = 0; i < MEDIA_READS; i++) {
		n = recv(m->fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			hang_up(m, n ? strerror(errno) : "it has closed the "
				"connection");
			return;
		}
		if (wire_read(packet, (size_t)n, true, &msg, &why)) {
			snprintf(text, sizeof(text), "not understood: %s",
				 why);
			hang_up(m, text);
			return;
		}
		on_message(m, &msg);
		if (m->broken)
			return;
	}
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct media *m = p->data;

	if (status < 0 || events & UV_READABLE)
		read_all(m);
	if (m->poll == p && events & UV_WRITABLE && !m->broken)
		flush_queue(m);
	if (m->poll == p && m->broken)
		hang_up(m, "it does not take our messages");
	daemon_tick(m->dm);
}

/* --- what calls order ------------------------------------------------- */

/* Names, other protocols and RTCP ports are left out: the process would. */
static bool put_candidate(struct wire_msg *msg, const struct call_order *o)
{
	const struct ice_candidate *c = o->candidate;

	if (c->protocol != ICE_UDP || c->component != 1 ||
	    addr_parse(c->ip, c->port, &msg->candidate.addr))
		return false;
	if (o->ufrag)
		snprintf(msg->candidate.ufrag, sizeof(msg->candidate.ufrag),
			 "%s", o->ufrag);
	msg->candidate.component = c->component;
	msg->candidate.priority = c->priority;
	msg->candidate.type = c->type;
	return true;
}

/* False: of a row that is not ours. */
static bool put_security(struct wire_msg *msg, const struct call_order *o)
{
	struct wire_fingerprint *w = &msg->security.fingerprint;
	struct dtls_fingerprint f;

	if (dtls_text_parse(o->print, &f))
		return false;
	memcpy(w->hash, f.hash, sizeof(w->hash));
	w->len = (uint32_t)f.len;
	memcpy(w->value, f.value, f.len);
	msg->security.active = o->active;
	return true;
}

/* False: it is nothing that media would take. */
static bool put_map(struct wire_msg *msg, const struct leg_map *from)
{
	struct rewrite_map *to = &msg->map;
	const char *why;
	unsigned i;

	for (i = 0; i < LEG_MAP_TYPES; i++) {
		to->type[i].clock = from->type[i].clock;
		to->type[i].out = from->type[i].out;
		to->type[i].apt = from->type[i].apt;
		to->type[i].media = from->type[i].video ? REWRITE_VIDEO :
							   REWRITE_AUDIO;
	}
	memcpy(to->ext, from->ext, sizeof(to->ext));
	to->transport_cc = from->transport_cc;
	for (i = 0; i < from->tolds; i++) {
		to->told[i].ssrc = from->told[i].ssrc;
		to->told[i].rtx = from->told[i].rtx;
		to->told[i].media = from->told[i].video ? REWRITE_VIDEO :
							   REWRITE_AUDIO;
	}
	to->tolds = (uint8_t)from->tolds;
	return !rewrite_map_check(to, &why);
}

/* False: it is not to be said. */
static bool put_order(struct wire_msg *msg, const struct call_order *o)
{
	switch (o->kind) {
	case ORDER_OPEN:
		msg->open.mode = o->mode == MODE_ROOM ? WIRE_ROOM : WIRE_BLIND;
		break;
	case ORDER_REMOTE:
		snprintf(msg->remote.ufrag, sizeof(msg->remote.ufrag), "%s",
			 o->ufrag);
		snprintf(msg->remote.pwd, sizeof(msg->remote.pwd), "%s",
			 o->pwd);
		break;
	case ORDER_SECURITY:
		return put_security(msg, o);
	case ORDER_MAP:
		return put_map(msg, o->map);
	case ORDER_JOIN:
		msg->join.home = o->home;
		msg->join.media = o->video ? REWRITE_VIDEO : REWRITE_AUDIO;
		break;
	case ORDER_CANDIDATE:
		return put_candidate(msg, o);
	case ORDER_CLOSE:
		msg->close.round = o->round;
		break;
	default:
		break;
	}
	return true;
}

void media_order(struct call_entry *e, const struct call_action *a)
{
	static const enum wire_kind kinds[ORDERS] = {
		[ORDER_OPEN] = WIRE_OPEN, [ORDER_REMOTE] = WIRE_REMOTE,
		[ORDER_CANDIDATE] = WIRE_CANDIDATE, [ORDER_END] = WIRE_END,
		[ORDER_DROP] = WIRE_DROP, [ORDER_CLOSE] = WIRE_CLOSE,
		[ORDER_SECURITY] = WIRE_SECURITY, [ORDER_MAP] = WIRE_MAP,
		[ORDER_RENEW] = WIRE_RENEW, [ORDER_JOIN] = WIRE_JOIN,
	};
	const struct call_order *o = &a->order;
	struct media *m = e->dm->media;
	struct call_orders *given;
	struct wire_msg msg;

	if (!m || m->state != MEDIA_UP)
		return;
	wire_begin(&msg, kinds[o->kind], a->id);
	if (o->kind != ORDER_CLOSE)
		msg.transport = (uint8_t)o->transport;
	if (o->kind == ORDER_REMOTE || o->kind == ORDER_CANDIDATE ||
	    o->kind == ORDER_END || o->kind == ORDER_SECURITY ||
	    o->kind == ORDER_MAP || o->kind == ORDER_RENEW ||
	    o->kind == ORDER_JOIN)
		msg.side = (uint8_t)o->role;
	if (!put_order(&msg, o))
		return;
	given = orders_of(e, a->id);
	if (!given)
		return;
	if (o->kind == ORDER_OPEN) {
		m->calls += !given->known;
		given->known = true;
		given->opens[o->transport]++;
	}
	if (o->kind == ORDER_CLOSE) {
		given->known = false;
		given->closes++;
	}
	say(m, &msg);
}

void media_fill(const struct daemon *dm, struct call_event *ev)
{
	if (!dm->media)
		return;
	ev->candidates = dm->media->candidate;
	ev->candidates_n = dm->media->candidates;
}

/* --- time ------------------------------------------------------------- */

static bool is_wanted(const struct daemon *dm)
{
	return dm->media && (dm->site.media != MODE_DIRECT ||
			     dm->media_wanted);
}

/* It knows all that it can know, is dead or has been away too long. */
static bool may_judge(const struct media *m, int64_t now)
{
	return !m->judged && m->dm->link_was_up &&
	       (m->settled || m->dead || now >= m->down_at + MEDIA_GRACE_MS);
}

static void judge(struct media *m)
{
	struct daemon *dm = m->dm;
	struct call_entry *e;
	struct call_event ev;

	m->judged = true;
	for (e = calls_next(dm, NULL); e; e = calls_next(dm, e)) {
		if ((e->orders && e->orders->known) ||
		    !call_is_live(&e->call) ||
		    e->call.mode == MODE_DIRECT)
			continue;
		memset(&ev, 0, sizeof(ev));
		ev.kind = CALL_EV_MEDIA_LOST;
		give(m, e, &ev);
	}
}

/* A process that is stopped or hung keeps its socket, and its calls are as
 * lost as those of one that died. */
static void ask(struct media *m, int64_t now)
{
	if (!m->asked_at) {
		m->asked_at = now;
		m->asked_real = uv_hrtime();
		say_kind(m, WIRE_HELLO, NULL);
	} else if (uv_hrtime() - m->asked_real >=
		   UINT64_C(1000000) * MEDIA_ANSWER_MS) {
		hang_up(m, "it does not answer");
	}
}

static int64_t ask_at(const struct media *m)
{
	int64_t at = m->asked_at + MEDIA_DEAD_MS, now = clock_now();

	if (!m->asked_at)
		return m->beat_at;
	return at > now ? at : now + MEDIA_RETRY_MS;
}

void media_tick(struct daemon *dm, int64_t now)
{
	struct media *m = dm->media;

	if (!is_wanted(dm))
		return;
	if (m->broken)
		hang_up(m, "it does not take our messages");
	if (m->state == MEDIA_ASKING && now >= m->retry_at)
		hang_up(m, "it does not answer");
	if (m->state == MEDIA_UP && now >= (m->asked_at ? m->asked_at +
					    MEDIA_DEAD_MS : m->beat_at))
		ask(m, now);
	if (m->state == MEDIA_DOWN && now >= m->retry_at)
		dial(m);
	if (may_judge(m, now))
		judge(m);
}

int64_t media_deadline(const struct daemon *dm)
{
	const struct media *m = dm->media;
	int64_t t = INT64_MAX;

	if (!is_wanted(dm))
		return t;
	if (m->broken)
		return 0;
	t = m->state == MEDIA_UP ? ask_at(m) : m->retry_at;
	if (!m->judged && dm->link_was_up && (m->settled || m->dead))
		t = 0;
	else if (!m->judged && dm->link_was_up && m->state != MEDIA_UP &&
		 m->down_at + MEDIA_GRACE_MS < t)
		t = m->down_at + MEDIA_GRACE_MS;
	return t;
}

/* --- start, stop, questions -------------------------------------------- */

int media_start(struct daemon *dm)
{
	struct media *m = calloc(1, sizeof(*m));

	if (!m)
		return ENOMEM;
	m->dm = dm;
	m->fd = -1;
	m->down_at = clock_now();
	snprintf(m->why, sizeof(m->why), "not connected yet");
	dm->media = m;
	media_tick(dm, clock_now());
	return 0;
}

void media_stop(struct daemon *dm)
{
	struct media *m = dm->media;

	if (!m)
		return;
	dm->media = NULL;
	drop_queue(m);
	if (m->poll) {
		uv_poll_stop(m->poll);
		uv_close((uv_handle_t *)m->poll, free_handle);
	}
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

bool media_is_up(const struct daemon *dm)
{
	return dm->media && dm->media->state == MEDIA_UP;
}

unsigned media_queued(const struct daemon *dm)
{
	return dm->media ? dm->media->queued : 0;
}

bool media_takes_calls(const struct daemon *dm)
{
	const struct media *m = dm->media;

	return media_is_up(dm) && !m->draining && m->calls < m->most_calls;
}

const char *media_release(const struct daemon *dm)
{
	return media_is_up(dm) ? dm->media->release : NULL;
}

const char *media_why(const struct daemon *dm)
{
	return media_is_up(dm) || !dm->media ? NULL : dm->media->why;
}

const char *media_mend(const struct daemon *dm)
{
	return media_is_up(dm) || !dm->media ? NULL : mend(dm->media);
}
