/* world.c: time, chance, the daemon's life and its turns. Events stand in a
 * heap by time and number, so that a seed always gives the same run.
 */
#include <assert.h>
#include <stdlib.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"
#include "tests/sim/sim.h"

#define REST_MS (400 * SECOND)
#define SPINS 1000                 /* ticks at one time that change nothing */
#define PARSED 16                  /* one of so many seeds takes the parser */

struct world W;

const char *const fault_names[FAULTS] = {
	"drop", "dup", "reorder", "delay", "cut", "crash", "stall", "full",
	"crowd", "jump", "vanish", "mute", "switch", "setting",
	"block", "roster", "drain", "hangup", "restart", "glare", "reuse",
	"attack",
};

/* --- chance ----------------------------------------------------------- */

/* splitmix64 */
static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint64_t chance(enum stream r)
{
	return mix(&W.rng[r]);
}

unsigned below(enum stream r, unsigned n)
{
	return n ? (unsigned)((chance(r) >> 32) * n >> 32) : 0;
}

bool odds(enum stream r, unsigned p)
{
	return below(r, 65536) < p;
}

bool strikes(enum fault f)
{
	bool hit;

	if (!W.weight[f])
		return false;
	hit = odds(f >= F_GLARE ? R_USER : R_FAULT, W.weight[f]);
	if (!hit || W.resting || W.off >> f & 1u)
		return false;
	W.count.faults[f]++;
	return true;
}

static void choose_weights(void)
{
	/* At the worst, of 65536: for each stanza, or each act of the world
	 * or of a user. */
	static const unsigned worst[FAULTS] = {
		19660, 13000, 19660, 3000, 16000, 20000, 12000, 6000, 8000,
		12000, 9000, 6000, 4000, 9000, 4000, 4000, 1500, 3000, 8000,
		30000, 4000, 40000,
	};
	unsigned severity = below(R_FAULT, 4), f, p;

	for (f = 0; f < FAULTS; f++) {
		/* Without chance, so that other worlds are what they were. */
		if (f == F_RESTART) {
			W.weight[f] = severity && W.seed % 7 == 4 ? worst[f] :
				      0;
			continue;
		}
		p = (unsigned)((uint64_t)worst[f] *
			       below(R_FAULT, 1000) / 1000);
		if (severity == 2)
			p /= 4;
		else if (severity == 1)
			p /= 20;
		if (severity == 0 && f <= F_MUTE)
			p = 0;
		if (below(R_FAULT, 3) == 0)
			p = 0;
		W.weight[f] = p;
	}
}

/* --- saying ----------------------------------------------------------- */

void say(const char *fmt, ...)
{
	va_list ap;

	if (!W.verbose)
		return;
	printf("%9.3f ", (double)(W.now - 1000000) / 1000);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

void broken(const char *invariant, const char *fmt, ...)
{
	va_list ap;

	if (W.failed)
		return;
	W.failed = true;
	snprintf(W.fault, sizeof(W.fault), "%s", invariant);
	va_start(ap, fmt);
	vsnprintf(W.fault_text, sizeof(W.fault_text), fmt, ap);
	va_end(ap);
	say("!! %s: %s", W.fault, W.fault_text);
}

/* --- events ----------------------------------------------------------- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

struct event *world_event_new(int64_t at, enum event_kind kind)
{
	struct event e = { .at = at, .kind = (uint8_t)kind,
			   .seq = ++W.seq };
	size_t i = W.heap_n++;

	if (W.heap_n > W.heap_cap) {
		W.heap_cap = W.heap_cap ? 2 * W.heap_cap : 1024;
		W.heap = realloc(W.heap, W.heap_cap * sizeof(*W.heap));
		if (!W.heap)
			abort();
	}
	for (; i && before(&e, &W.heap[(i - 1) / 2]); i = (i - 1) / 2)
		W.heap[i] = W.heap[(i - 1) / 2];
	W.heap[i] = e;
	return &W.heap[i];
}

void world_event(int64_t at, enum event_kind kind, unsigned dev, char *text)
{
	struct event *e = world_event_new(at, kind);

	e->dev = (uint8_t)dev;
	e->text = text;
}

static struct event event_take(void)
{
	struct event top = W.heap[0], e = W.heap[--W.heap_n];
	size_t i = 0, k;

	while ((k = 2 * i + 1) < W.heap_n) {
		if (k + 1 < W.heap_n && before(&W.heap[k + 1], &W.heap[k]))
			k++;
		if (!before(&W.heap[k], &e))
			break;
		W.heap[i] = W.heap[k];
		i = k;
	}
	W.heap[i] = e;
	return top;
}

struct device *world_device(unsigned dev)
{
	return &W.user[dev / DEVICES].device[dev % DEVICES];
}

/* --- a turn of the daemon --------------------------------------------- */

static void hash_text(const char *text, size_t len)
{
	uint64_t h = W.hash, part;
	size_t n;

	for (; len; text += n, len -= n) {
		part = 0;
		n = len < sizeof(part) ? len : sizeof(part);
		memcpy(&part, text, n);
		h = (h ^ part) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	W.hash = h;
}

void turn_begin(void)
{
	assert(!W.outs_n);
}

static void check_machines(void)
{
	struct call_entry *e;

	for (e = calls_next(W.dm, NULL); e; e = calls_next(W.dm, e))
		call_check(&e->call);
	gateway_check(W.dm->gateway);
}

static void lost_for(const struct scan *s)
{
	struct user *u = s->to_user < USERS ? &W.user[s->to_user] : NULL;
	unsigned i;

	say("  (lost in the breaking stream)");
	for (i = 0; u && i < u->devices; i++)
		u->device[i].lost_at = W.now;
}

static void send_out(const char *text)
{
	struct scan s;
	struct event *e;

	if (strncmp(text, "ping ", 5) == 0) {
		if (W.hole)
			return;
		watch_taken();
		e = world_event_new(W.now + 2 + below(R_NET, 20), E_PONG);
		e->number = strtoull(text + 5, NULL, 10);
		return;
	}
	W.count.out++;
	scan_text(&s, text, strlen(text));
	hash_text(text, s.len);
	say("< %s", text);
	watch_out(&s);
	if (W.hole)
		lost_for(&s);
	else
		server_from_daemon(&s);
}

static void die(void)
{
	struct event *e;

	say("## the daemon is killed");
	W.count.crashes++;
	drivers_crash();
	watch_crash();
	world_daemon_gone();
	e = world_event_new(W.now + 100 + below(R_FAULT, 9000), E_START);
	(void)e;
}

void turn_end(void)
{
	size_t i, sent;

	if (W.running && !W.dead)
		hold_flush(W.dm);
	if (W.running && !W.dead)
		check_machines();
	if (W.running) {
		W.count.calls += W.dm->count.calls - W.seen_calls;
		W.seen_calls = W.dm->count.calls;
	}
	sent = W.outs_n;
	if (W.dead && below(R_FAULT, 2))
		sent = below(R_FAULT, (unsigned)sent + 1);
	for (i = 0; i < W.outs_n; i++) {
		if (i < sent && !W.failed)
			send_out(W.outs[i]);
		free(W.outs[i]);
	}
	W.outs_n = 0;
	if (!W.dead)
		watch_turn();
	W.input = NULL;
	W.attacker = NULL;
	if (W.dead)
		die();
}

/* A commit wakes the loop. */
static void take_async(void)
{
	if (!W.async || !W.running)
		return;
	W.async = false;
	turn_begin();
	hold_on_committed(W.dm);
	daemon_tick(W.dm);
	turn_end();
}

/* tree.c makes the same of it. */
static void check_tree(const struct xml_elem *stanza)
{
	const struct xml_elem *tree = tree_read(W.arena, W.input->text,
						W.input->len);

	if (!tree || !tree_same(tree, stanza))
		broken("form", "not read as the parser does: %.400s",
		       W.input->text);
	arena_reset(W.arena);
}

static void on_stanza(struct xml_elem *stanza, struct arena *a, void *arg)
{
	(void)arg;
	check_tree(stanza);
	if (W.running)
		route_stanza(stanza, a, W.dm);
}

static void on_skipped(struct xml_elem *head, struct arena *a,
		       enum xml_limit limit, void *arg)
{
	(void)arg;
	if (W.running)
		route_skipped(head, NULL, a, limit, W.dm);
}

static void on_open(const struct xml_elem *header, void *arg)
{
	(void)header, (void)arg;
}

static void on_close(void *arg)
{
	(void)arg;
	broken("form", "the stream was closed");
}

static void open_stream(void)
{
	static const char header[] = "<stream:stream xmlns:stream='"
		"http://etherx.jabber.org/streams' "
		"xmlns='jabber:component:accept' from='" DOMAIN "'>";
	static const struct xml_stream_handlers handlers = {
		on_open, on_stanza, on_skipped, on_close,
	};

	if (W.seed % PARSED)
		return;
	xml_stream_free(W.stream);
	W.stream = xml_stream_new(&xml_limits_default, &handlers, NULL);
	if (!W.stream ||
	    xml_stream_feed(W.stream, header, sizeof(header) - 1))
		abort();
}

static void take_tree(const struct scan *s)
{
	struct xml_elem *tree = tree_read(W.arena, s->text, s->len);

	if (tree)
		route_stanza(tree, W.arena, W.dm);
	else
		broken("form", "not read: %.200s", s->text);
	arena_reset(W.arena);
}

void world_inject(const struct scan *s)
{
	if (!W.running || W.leaving) {
		W.attacker = NULL;
		return;
	}
	W.count.in++;
	hash_text(s->text, s->len);
	say("> %s", s->text);
	watch_in(s);
	W.input = s;
	turn_begin();
	if (!W.stream)
		take_tree(s);
	else if (xml_stream_feed(W.stream, s->text, s->len))
		broken("form", "the stream broke: %s: %.200s",
		       xml_stream_error(W.stream), s->text);
	turn_end();
}

static void inject_text(const char *text)
{
	struct scan s;

	scan_text(&s, text, strlen(text));
	world_inject(&s);
}

/* --- the daemon's life ------------------------------------------------ */

static void make_conf(void)
{
	static char host[] = HOST, *hosts[] = { host, NULL };
	static char domain[] = DOMAIN, database[] = "memory";
	static char server[] = "127.0.0.1";

	memset(&W.conf, 0, sizeof(W.conf));
	settings_site_default(&W.conf.site);
	W.conf.site.media = W.mode;
	W.conf.site.on_leave = W.hold ? LEAVE_HOLD : LEAVE_END;
	W.conf.site.rejoin = W.notify ? REJOIN_NOTIFY : REJOIN_RING;
	W.conf.domain = domain;
	W.conf.server = server;
	W.conf.database = database;
	W.conf.hosts = hosts;
	W.conf.keep_log = 90 * 24 * HOUR;
	W.conf.keep_notices = 30 * 24 * HOUR;
	W.conf.notices_per_user = 50;
	W.conf.log_privacy = LOG_JIDS_NONE;
}

void world_daemon_start(void)
{
	static char conf_path[] = "none";
	struct daemon *dm = W.dm;
	char *why = NULL;

	memset(dm, 0, sizeof(*dm));
	dm->conf = &W.conf;
	dm->conf_path = conf_path;
	dm->lock = -1;
	dm->enabled_override = dm->messaging_override = -1;
	dm->started = W.now + W.wall_offset;
	dm->link = (struct link *)dm;
	W.running = true;
	W.dead = W.leaving = W.draining = false;
	W.crash_in = 0;
	W.seen_calls = 0;
	dm->store = store_memory();
	if (daemon_make(dm) || hold_start(dm) || recover_load(dm, &why))
		abort();
	switches_apply(dm);
	turn_begin();
	turn_end();
	world_event(W.now + 5 + below(R_NET, 500), E_LINK_UP, 0, NULL);
	if (W.mode != MODE_DIRECT)
		world_event(W.now + 1 + below(R_MEDIA, 900), E_MEDIA, 0, NULL);
}

/* However it ended: what is left of it is freed. */
void world_daemon_gone(void)
{
	size_t i;

	W.dead = true;
	W.dm->stopping = true;
	hold_stop(W.dm);
	daemon_unmake(W.dm);
	for (i = 0; i < W.outs_n; i++)
		free(W.outs[i]);
	W.outs_n = 0;
	W.running = W.dead = W.async = W.leaving = false;
	link_cut();
}

/* A polite stop: all that waited has been sent, or two seconds are over. */
static void leave(bool now)
{
	if (!W.leaving || (!now && !hold_settled(W.dm)))
		return;
	say("## the daemon stops");
	W.leaving = false;
	turn_begin();
	hold_stop(W.dm);
	turn_end();
	if (!W.running)
		return;                /* died at the last moment */
	watch_crash();
	drivers_crash();
	world_daemon_gone();
	world_event(W.now + 500 + below(R_FAULT, 9000), E_START, 0, NULL);
}

static void link_goes_up(void)
{
	if (!W.running || W.link_up || W.leaving)
		return;
	say("## the link is up");
	W.link_up = true;
	open_stream();
	watch_up();
	turn_begin();
	uplink_event(LINK_EV_UP, "", W.dm);
	turn_end();
}

static void link_is_lost(void)
{
	if (!W.running || !W.link_up)
		return;
	say("## the link is lost");
	link_cut();
	watch_lost();
	turn_begin();
	uplink_event(LINK_EV_LOST, "cut", W.dm);
	link_pong(false, 0);
	turn_end();
	world_event(W.now + 500 + below(R_FAULT, 20000), E_LINK_UP, 0, NULL);
}

/* Often somebody hangs up just then, and the daemon does not hear it. */
static void link_breaks(void)
{
	unsigned dev = below(R_FAULT, W.users_n * DEVICES);

	W.count.cuts++;
	W.hole = below(R_FAULT, 3) == 0;
	say("## the link breaks");
	world_event(W.now + (W.hole ? 1 + below(R_FAULT, 20000) : 0),
		    E_LINK_LOST, 0, NULL);
	if (below(R_FAULT, 2))
		client_hang_up_all(world_device(dev));
}

/* A server that is stopped says first that everybody is gone; all of them come
 * back to it, some of them sooner than we. */
static void server_restarts(void)
{
	unsigned dev;

	say("## the server stops");
	for (dev = 0; dev < W.users_n * DEVICES; dev++) {
		struct device *d = world_device(dev);

		if (!d->online)
			continue;
		if (below(R_FAULT, 2))
			client_logout(d, true);
		else
			client_offline(d);
		world_event(W.now + 500 + below(R_FAULT, 25000), E_LOGIN, dev,
			    NULL);
	}
	W.count.cuts++;
	world_event(W.now + below(R_FAULT, 300), E_LINK_LOST, 0, NULL);
}

/* Something breaks, or not. */
static void world_breaks(void)
{
	if (W.link_up && !W.hole && strikes(F_CUT))
		link_breaks();
	if (W.link_up && !W.hole && strikes(F_RESTART))
		server_restarts();
	if (W.running && !W.crash_in && strikes(F_CRASH))
		W.crash_in = 1 + below(R_FAULT, 25);
	if (strikes(F_STALL))
		store_stall(100 + below(R_FAULT, 4000));
	if (strikes(F_FULL))
		store_full(500 + below(R_FAULT, 30000));
	if (W.link_up && !W.crowded && strikes(F_CROWD)) {
		say("## the server does not take what is sent");
		W.crowded = true;
		world_event(W.now + 50 + below(R_FAULT, 5000), E_DRAINED, 0,
			    NULL);
	}
	if (strikes(F_JUMP)) {
		W.wall_offset += (int64_t)below(R_FAULT, 7200000) - 3600000;
		W.jumps++;
		watch_jump();
	}
	if (!W.resting)
		world_event(W.now + 2000 + below(R_FAULT, 30000), E_WORLD, 0,
			    NULL);
}

/* It takes stanzas again; of an old stream it is not heard of. */
static void server_takes(void)
{
	if (!W.crowded)
		return;
	store_troubled_at();
	W.crowded = false;
	if (!W.running || !W.link_up)
		return;
	turn_begin();
	hold_link_ready(W.dm);
	turn_end();
}

static void on_gone(struct device *d)
{
	if (!d->online && d->there)
		server_logout(d);
}

static void handle(struct event *e)
{
	struct device *d = e->dev < USERS * DEVICES ? world_device(e->dev) :
						      NULL;

	switch ((enum event_kind)e->kind) {
	case E_UP:
		if (e->dev != NOBODY)
			server_from_client(d, e->text);
		else if (W.link_up && !W.hole)
			inject_text(e->text);
		break;
	case E_DOWN:
	case E_CARBON:
		if (d->online && d->login == e->gen)
			client_stanza(d, e);
		break;
	case E_TIMER:
		if (d->online && d->session[e->session].gen == e->gen)
			client_timer(d, e->session, e->what);
		break;
	case E_USER:
		user_acts();
		break;
	case E_WORLD:
		world_breaks();
		break;
	case E_COMMIT:
		store_attempt();
		take_async();
		break;
	case E_LINK_UP:
		link_goes_up();
		break;
	case E_LINK_LOST:
		link_is_lost();
		break;
	case E_START:
		if (!W.running)
			world_daemon_start();
		break;
	case E_PONG:
		if (!W.running || !W.link_up || W.hole)
			break;
		turn_begin();
		link_pong(true, e->number);
		turn_end();
		break;
	case E_MEDIA:
		if (!W.running)
			break;
		turn_begin();
		media_happens(e);
		turn_end();
		break;
	case E_GONE:
		on_gone(d);
		break;
	case E_LOGIN:
		client_login(d);
		break;
	case E_CHECK:
		watch_due(e->what, (unsigned)e->number);
		break;
	case E_LEFT:
		leave(true);
		break;
	case E_DRAINED:
		server_takes();
		break;
	}
	free(e->text);
}

/* --- a run ------------------------------------------------------------ */

/* The daemon's own time comes first. False: nothing is due before `at`. */
static bool tick_until(int64_t at)
{
	static unsigned spins;
	int64_t due;

	if (!W.running || W.leaving)
		return false;
	due = daemon_deadline(W.dm);
	if (due > at)
		return false;
	if (due > W.now) {
		W.now = due;
		spins = 0;
	} else if (++spins > SPINS) {
		broken("spin", "daemon_tick() is due for ever");
		return false;
	}
	turn_begin();
	daemon_tick(W.dm);
	turn_end();
	return true;
}

static void run_until(int64_t end, bool acts)
{
	struct event e;

	int64_t next;

	while (!W.failed) {
		if (acts && (W.count.calls >= W.attempts ||
			     W.events_n >= W.stop_at))
			return;
		next = W.heap_n ? W.heap[0].at : INT64_MAX;
		if (tick_until(next < end ? next : end))
			continue;
		if (next > end)
			break;
		e = event_take();
		if (e.at > W.now)
			W.now = e.at;
		W.events_n++;
		handle(&e);
		leave(false);
	}
	if (!W.failed && W.now < end)
		W.now = end;
}

static void back_home(struct device *d, int64_t since_half)
{
	if (!d->end_lost || since_half < 60 * SECOND)
		return;
	d->end_lost = false;
	d->there = true;
	d->priority = d->priority < 0 ? 0 : d->priority;
	client_presence(d);
}

/* All faults end, everybody comes back and puts the phone down. */
static void rest(void)
{
	int64_t end = W.now + REST_MS, half = W.now + REST_MS / 2;
	struct device *d;
	unsigned u, i;

	W.resting = true;
	W.crash_in = 0;
	store_stall(0);
	store_full(0);
	say("## rest");
	while (!W.failed && W.now < end) {
		for (u = 0; u < W.users_n; u++)
			for (i = 0; i < W.user[u].devices; i++) {
				d = &W.user[u].device[i];
				client_login(d);
				client_hang_up_all(d);
				/* He may have been away, or his presence lost
				 * on its way. */
				if (W.now < half || W.now >= half + 20000) {
					back_home(d, W.now - half);
					continue;
				}
				/* If both sides hung up unheard, only his
				 * going tells the daemon of the end. */
				if (d->end_lost) {
					server_logout(d);
					continue;
				}
				d->priority = d->priority < 0 ? 0 :
							d->priority;
				client_presence(d);
			}
		run_until(W.now + 20 * SECOND, false);
	}
}

static void clean(void)
{
	struct event e;

	if (W.running) {
		drivers_crash();
		world_daemon_gone();
	}
	while (W.heap_n) {
		e = event_take();
		free(e.text);
	}
	server_free();
	drivers_free();
	xml_stream_free(W.stream);
	W.stream = NULL;
}

static void begin(void)
{
	static struct arena *arena;
	static struct daemon dm;
	uint64_t s = W.seed * 0x2545f4914f6cdd1du + 1;
	int i;

	for (i = 0; i < STREAMS; i++)
		W.rng[i] = mix(&s);
	W.dm = &dm;
	if (!arena)
		arena = arena_new(DAEMON_ARENA_BYTES);
	W.arena = arena;
	W.now = 1000000;
	W.wall_offset = INT64_C(1760000000000);
	W.hash = 14695981039346656037u;
	choose_weights();
	make_conf();
	drivers_reset();
	watch_reset();
	user_make();
}

/* Runs W.seed to the end, or to the first fault. */
void world_clear(uint64_t seed)
{
	struct event *heap = W.heap;
	char **outs = W.outs;
	size_t heap_cap = W.heap_cap, outs_cap = W.outs_cap;

	memset(&W, 0, sizeof(W));
	W.heap = heap;
	W.heap_cap = heap_cap;
	W.outs = outs;
	W.outs_cap = outs_cap;
	W.seed = seed;
	W.mode = seed % 4 == 3 ? MODE_BLIND : seed % 8 == 5 ? MODE_ROOM :
		 seed % 16 == 9 ? MODE_AUTO : MODE_DIRECT;
	W.hold = seed % 16 == 13;
	W.notify = seed / 32 % 2 && (W.mode == MODE_ROOM ||
				     W.mode == MODE_AUTO);
}

void world_stored(struct store_batch *b)
{
	if (store_memory()->v->commit(store_memory(), b))
		abort();
	watch_pushed(b);
	watch_committed(b);
	store_batch_free(b);
}

void world_run(void)
{
	begin();
	world_daemon_start();
	world_event(W.now + 2 * SECOND, E_USER, 0, NULL);
	world_event(W.now + 5 * SECOND, E_WORLD, 0, NULL);
	run_until(INT64_MAX - 1, true);
	if (!W.failed)
		rest();
	if (!W.failed)
		watch_rest();
	/* A restart knows the window by the wall clock alone. */
	if (!W.failed)
		run_until(W.now + (2 + W.jumps) * HOUR + 60 * SECOND, false);
	if (!W.failed)
		watch_base();
	clean();
}
