/* link.c: life of the link: attempts, waits between them, events, sending,
 * the polite end.
 */
#include "mod_privatecall/link/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/link/link_private.h"

const struct link_times link_times_default = {
	.retry_min = 500,
	.retry_max = 30000,
	.steady = 10000,
	.attempt = 20000,
	.beat = 30000,
	.answer = 30000,
	.stop = 1000,
	.stuck = 1000,
};

int link_new(uv_loop_t *loop, const struct link_conf *conf,
	     const struct link_handlers *h, void *arg, struct link **link_r)
{
	struct link *l = calloc(1, sizeof(*l));

	*link_r = NULL;
	if (!l)
		return ENOMEM;
	l->loop = loop;
	l->h = *h;
	l->arg = arg;
	l->host = strdup(conf->host);
	l->port = conf->port;
	l->domain = strdup(conf->domain);
	l->secret = strdup(conf->secret);
	l->ping_to = strdup(conf->ping_to);
	l->queue_bytes = conf->queue_bytes;
	l->limits = conf->limits;
	l->times = link_times_default;
	l->scratch = arena_new(0);
	if (!l->host || !l->domain || !l->secret || !l->ping_to ||
	    !l->scratch) {
		link_free(l);
		return ENOMEM;
	}
	*link_r = l;
	return 0;
}

void link_free(struct link *l)
{
	if (!l)
		return;
	assert(l->phase == LINK_PHASE_IDLE);
	if (l->secret)
		explicit_bzero(l->secret, strlen(l->secret));
	free(l->secret);
	free(l->host);
	free(l->domain);
	free(l->ping_to);
	arena_free(l->scratch);
	free(l);
}

void link_set_times(struct link *l, const struct link_times *times)
{
	assert(l->phase == LINK_PHASE_IDLE);
	l->times = *times;
}

static void say(struct link *l, enum link_event ev, const char *detail)
{
	bool change = !l->said || ev == LINK_EV_UP || ev == LINK_EV_LOST ||
		      ev != l->said_event || strncmp(detail, l->said_detail,
						     LINK_DETAIL_MAX - 1);

	if (!change)
		return;
	l->said = true;
	l->said_event = ev;
	snprintf(l->said_detail, sizeof(l->said_detail), "%s", detail);
	if (l->h.event_h)
		l->h.event_h(ev, l->said_detail, l->arg);
}

static void attempt(struct link *l)
{
	int r;

	l->phase = LINK_PHASE_RESOLVING;
	link_wake(l, l->times.attempt);
	r = link_lookup_start(l);
	if (r)
		link_down(l, strerror(r), false);
}

static void flush_h(uv_prepare_t *flush)
{
	struct link *l = flush->data;

	uv_prepare_stop(flush);
	if (l->conn)
		link_conn_flush(l->conn);
}

void link_start(struct link *l)
{
	assert(l->phase == LINK_PHASE_IDLE);
	uv_timer_init(l->loop, &l->timer);
	uv_prepare_init(l->loop, &l->flush);
	l->timer.data = l->flush.data = l;
	l->handles = 2;
	l->retry = 2 * l->times.retry_min;
	l->said = false;
	attempt(l);
}

void link_up(struct link *l)
{
	l->phase = LINK_PHASE_UP;
	l->up_since = l->last_in = uv_now(l->loop);
	l->counters.reconnects += l->was_up;
	l->was_up = true;
	link_ping_arm(l);
	say(l, LINK_EV_UP, "");
}

/* Evenly between half of `retry` and all of it, which doubles each time:
 * components of a restarted server do not come back in step. Where nothing
 * listens an attempt costs nobody anything, and the server is waited for: then
 * it is the shortest wait each time. */
static unsigned next_wait(struct link *l)
{
	unsigned half = (l->nobody ? l->times.retry_min : l->retry) / 2;
	uint32_t random;

	if (uv_random(NULL, NULL, &random, sizeof(random), 0, NULL))
		random = 0;
	if (!l->nobody)
		l->retry = l->retry > l->times.retry_max / 2 ?
			   l->times.retry_max : 2 * l->retry;
	l->nobody = false;
	return half + (unsigned)(random % (half + 1));
}

static void handle_closed_h(uv_handle_t *handle)
{
	link_handle_closed(handle->data);
}

void link_handle_closed(struct link *l)
{
	assert(l->handles);
	if (--l->handles || l->phase != LINK_PHASE_CLOSED)
		return;
	l->phase = LINK_PHASE_IDLE;
	l->closed_h(l->closed_arg);
}

static void finish(struct link *l)
{
	l->phase = LINK_PHASE_CLOSED;
	link_lookup_drop(l);
	link_conn_drop(l);
	uv_close((uv_handle_t *)&l->timer, handle_closed_h);
	uv_close((uv_handle_t *)&l->flush, handle_closed_h);
	link_ping_fail_all(l);
}

void link_down(struct link *l, const char *detail, bool refused)
{
	bool up = l->phase == LINK_PHASE_UP;
	enum link_event ev = up ? LINK_EV_LOST :
			     refused ? LINK_EV_REFUSED : LINK_EV_UNREACHABLE;

	if (l->phase == LINK_PHASE_CLOSING) {
		finish(l);
		return;
	}
	link_lookup_drop(l);
	link_conn_drop(l);
	/* A stream that gets an error as soon as it is up (two components that
	 * replace each other) must not make the waits short again; a server
	 * that has died, however soon after it came, is waited for. */
	if (up && (!refused ||
		   uv_now(l->loop) - l->up_since >= l->times.steady))
		l->retry = 2 * l->times.retry_min;
	l->phase = LINK_PHASE_WAITING;
	link_wake(l, next_wait(l));
	say(l, ev, detail);
	link_ping_fail_all(l);
}

static void timer_h(uv_timer_t *timer)
{
	struct link *l = timer->data;

	switch (l->phase) {
	case LINK_PHASE_WAITING:
		attempt(l);
		break;
	case LINK_PHASE_RESOLVING:
	case LINK_PHASE_CONNECTING:
	case LINK_PHASE_OPENING:
		link_down(l, strerror(ETIMEDOUT), false);
		break;
	case LINK_PHASE_UP:
		link_ping_tick(l);
		break;
	case LINK_PHASE_CLOSING:
		finish(l);
		break;
	case LINK_PHASE_IDLE:
	case LINK_PHASE_CLOSED:
		assert(!"timer of a closed link");
	}
}

void link_wake(struct link *l, uint64_t ms)
{
	uv_timer_start(&l->timer, timer_h, ms, 0);
}

void link_stop(struct link *l, void (*closed_h)(void *arg), void *arg)
{
	static const char end[] = "</stream:stream>";

	assert(l->phase != LINK_PHASE_CLOSING &&
	       l->phase != LINK_PHASE_CLOSED);
	l->closed_h = closed_h;
	l->closed_arg = arg;
	if (l->phase == LINK_PHASE_IDLE) {
		closed_h(arg);
		return;
	}
	if (l->phase != LINK_PHASE_UP || link_put(l, end, sizeof(end) - 1)) {
		finish(l);
		return;
	}
	l->phase = LINK_PHASE_CLOSING;
	link_wake(l, l->times.stop);
	link_conn_pause(l->conn, false);  /* else its end is never read */
}

enum link_state link_state(const struct link *l)
{
	switch (l->phase) {
	case LINK_PHASE_RESOLVING:
	case LINK_PHASE_CONNECTING:
	case LINK_PHASE_OPENING:
		return LINK_CONNECTING;
	case LINK_PHASE_UP:
		return LINK_UP;
	case LINK_PHASE_IDLE:
	case LINK_PHASE_WAITING:
	case LINK_PHASE_CLOSING:
	case LINK_PHASE_CLOSED:
		break;
	}
	return LINK_DOWN;
}

int64_t link_next_attempt(const struct link *l)
{
	return l->phase == LINK_PHASE_WAITING ?
	       (int64_t)uv_timer_get_due_in(&l->timer) : -1;
}

int link_put(struct link *l, const char *text, size_t len)
{
	int r = queue_put(&l->conn->queue, text, len);

	if (!r)
		uv_prepare_start(&l->flush, flush_h);
	return r;
}

int link_send_text(struct link *l, const char *text, size_t len, bool urgent)
{
	size_t cap = l->queue_bytes - (urgent ? 0 : l->queue_bytes / 8);
	int r;

	if (l->phase != LINK_PHASE_UP) {
		l->counters.dropped_down++;
		return ENOTCONN;
	}
	if (len > LINK_STANZA_MAX) {
		l->counters.dropped_large++;
		return EMSGSIZE;
	}
	if (l->conn->queue.bytes + len > cap) {
		l->counters.dropped_full++;
		return ENOBUFS;
	}
	r = link_put(l, text, len);
	if (!r)
		l->counters.stanzas_out++;
	if (l->conn->queue.bytes > l->queue_bytes / 2)
		l->conn->crowded = true;
	return r;
}

int link_send(struct link *l, const struct xml_elem *stanza, bool urgent)
{
	size_t len;
	char *text;
	int r;

	if (l->phase != LINK_PHASE_UP)
		return link_send_text(l, "", 0, urgent);
	text = xml_write(l->scratch, stanza, NS_COMPONENT, &len);
	r = text ? link_send_text(l, text, len, urgent) : ENOMEM;
	arena_reset(l->scratch);
	return r;
}

bool link_crowded(const struct link *l)
{
	return l->conn && l->conn->crowded;
}

void link_pause(struct link *l, bool pause)
{
	if (l->phase == LINK_PHASE_UP)
		link_conn_pause(l->conn, pause);
}

void link_counters(const struct link *l, struct link_counters *c_r)
{
	*c_r = l->counters;
	c_r->queued_bytes = l->conn ? l->conn->queue.bytes : 0;
	c_r->spare_bytes = l->conn ? queue_spare_bytes(&l->conn->queue) : 0;
}
