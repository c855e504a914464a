/* link_ping.c: pings to the server (XEP-0199): heartbeat and barriers. Both
 * must be answered in time, or the link is dead.
 */
#include "mod_privatecall/link/link_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/ping.h"
#include "jingle/xml/write.h"

#define LAST_LOOK_MS 1
#define BUSY_TIMES 10              /* as long may an answer take while the
				    * server has other things to say */

int link_ping_prefix(struct link_conn *c)
{
	unsigned char random[16];
	size_t n;

	if (uv_random(NULL, NULL, random, sizeof(random), 0, NULL))
		return EAGAIN;
	n = (size_t)snprintf(c->ping_prefix, LINK_PING_PREFIX, "link-");
	for (size_t i = 0; i < sizeof(random); i++)
		n += (size_t)snprintf(c->ping_prefix + n,
				      LINK_PING_PREFIX - n, "%02x",
				      (unsigned)random[i]);
	snprintf(c->ping_prefix + n, LINK_PING_PREFIX - n, "-");
	return 0;
}

static void append(struct link *l, struct link_ping *p)
{
	if (l->last_ping)
		l->last_ping->next = p;
	else
		l->pings = p;
	l->last_ping = p;
}

/* Writes a ping with the next number. The heartbeat may pass the queue's cap:
 * it must leave just when the queue does not move. */
static int write_ping(struct link *l, bool heartbeat)
{
	struct arena *a = l->scratch;
	char *id = arena_printf(a, "%s%" PRIu64, l->conn->ping_prefix,
				l->ping_number + 1);
	struct xml_elem *e = ping_new(a, id, l->domain, l->ping_to);
	size_t len;
	char *text = xml_write(a, e, NS_COMPONENT, &len);
	int r = ENOMEM;

	if (text && !arena_failed(a))
		r = heartbeat ? link_put(l, text, len) :
				link_send_text(l, text, len, true);
	arena_reset(a);
	return r;
}

static int send_ping(struct link *l, void (*done_h)(bool ok, void *arg),
		     void *arg)
{
	struct link_ping *p = calloc(1, sizeof(*p));
	int r = p ? write_ping(l, !done_h) : ENOMEM;

	if (r) {
		free(p);
		return r;
	}
	p->number = ++l->ping_number;
	p->sent = uv_now(l->loop);
	p->done_h = done_h;
	p->arg = arg;
	append(l, p);
	return 0;
}

int link_barrier(struct link *l, void (*done_h)(bool ok, void *arg),
		 void *arg)
{
	int r;

	if (l->phase != LINK_PHASE_UP)
		return ENOTCONN;
	r = send_ping(l, done_h, arg);
	if (!r && !l->doubt)
		link_ping_arm(l);
	return r;
}

/* Takes out the ping with this number; NULL: none. */
static struct link_ping *take(struct link *l, uint64_t number)
{
	struct link_ping *before = NULL, *p;

	for (p = l->pings; p && p->number != number; p = p->next)
		before = p;
	if (!p)
		return NULL;
	if (before)
		before->next = p->next;
	else
		l->pings = p->next;
	if (l->last_ping == p)
		l->last_ping = before;
	return p;
}

bool link_ping_answered(struct link_conn *c, const struct xml_elem *e)
{
	const char *id = xml_get(e, "id"), *from, *type;
	size_t len = strlen(c->ping_prefix);
	struct link *l = c->link;
	struct link_ping *p;
	uint64_t number;
	char *end;

	if (!id || strncmp(id, c->ping_prefix, len) != 0 ||
	    !xml_is(e, NS_COMPONENT, "iq"))
		return false;
	from = xml_get(e, "from");
	type = xml_get(e, "type");
	/* An error is an answer too: the server has got that far. */
	if (!from || !type ||
	    (strcmp(type, "result") != 0 && strcmp(type, "error") != 0) ||
	    strcasecmp(from, l->ping_to) != 0)
		return false;
	number = strtoull(id + len, &end, 10);
	p = *end ? NULL : take(l, number);
	if (!p)
		return true;
	l->doubt = false;
	if (l->phase == LINK_PHASE_UP)
		link_ping_arm(l);
	if (p->done_h)
		p->done_h(true, p->arg);
	free(p);
	return true;
}

/* When the oldest ping is answered too late. Answers stand behind what the
 * server had to say before them: that comes, so the link is not dead. */
static uint64_t late_at(const struct link *l)
{
	uint64_t sent = l->pings->sent;
	uint64_t heard = l->last_in > sent ? l->last_in : sent;
	uint64_t latest = sent + BUSY_TIMES * (uint64_t)l->times.answer;

	heard += l->times.answer;
	return heard < latest ? heard : latest;
}

void link_ping_arm(struct link *l)
{
	uint64_t now = uv_now(l->loop);
	uint64_t at = l->pings ? late_at(l) : l->last_in + l->times.beat;

	if (l->conn->paused && at > now + l->times.stuck)
		at = now + l->times.stuck;
	link_wake(l, at > now ? at - now : 0);
}

/* A server may read only once what it sends has been read. We did not listen:
 * it has been silent since now, and its answers may lie there. */
static void look_at_pause(struct link *l)
{
	struct link_conn *c = l->conn;

	l->last_in = uv_now(l->loop);
	for (struct link_ping *p = l->pings; p; p = p->next)
		p->sent = l->last_in;
	if (c->queue.bytes && l->counters.bytes_out == c->paused_out) {
		c->stuck = true;
		link_conn_pause(c, false);
	}
	c->paused_out = l->counters.bytes_out;
}

void link_ping_tick(struct link *l)
{
	uint64_t now = uv_now(l->loop);

	if (l->conn->paused)
		look_at_pause(l);
	if (l->phase != LINK_PHASE_UP)
		return;
	if (l->pings && now >= late_at(l)) {
		if (l->doubt) {
			link_down(l, "ping not answered", false);
			return;
		}
		/* Our own process may have been stopped: timers run before
		 * the socket is read, where the answer may be waiting. */
		l->doubt = true;
		link_wake(l, LAST_LOOK_MS);
		return;
	}
	l->doubt = false;              /* it has said something since */
	if (!l->pings && now - l->last_in >= l->times.beat &&
	    send_ping(l, NULL, NULL)) {
		link_down(l, strerror(ENOMEM), false);
		return;
	}
	link_ping_arm(l);
}

void link_ping_fail_all(struct link *l)
{
	struct link_ping *p = l->pings, *next;

	l->pings = l->last_ping = NULL;
	l->doubt = false;
	for (; p; p = next) {
		next = p->next;
		if (p->done_h)
			p->done_h(false, p->arg);
		free(p);
	}
}
