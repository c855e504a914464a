/* media.c: privatecall-media as the daemon sees it, in place of its media.c: it
 * opens what it is asked to, after a moment, and media come from who is named
 * to it. One world in four is in mode `blind`, one in eight in mode `room`, one
 * in sixteen in `auto`; in `room` media come when their numbers are known, and
 * of some the handshake is not the right one. Now and then there is no port, a
 * call is forgotten, a connection lost. Who waits for the other alone has one,
 * mostly.
 */
#include <stdlib.h>
#include "tests/sim/watch.h"

#define OURS "198.51.100.7"
#define INSECURE 64                /* one handshake of so many */
#define UNCONNECTED 8              /* one who waits of so many */
#define REFUSED 64                 /* one transport of so many has no port */
#define FORGOTTEN 64               /* one call of so many it knows no more */
#define LOST 16                    /* one connection of so many is lost */
#define TROUBLED 8                 /* one handshake of so many may not end */

enum { SAY_READY, SAY_MEDIA, SAY_INSECURE, SAY_CREDENTIALS, SAY_CONNECTED,
       SAY_LISTED, SAY_REFUSED, SAY_FORGOTTEN, SAY_LOST, SAY_TROUBLE };

static const struct said {
	enum call_event_kind kind;
	enum call_step step;
} said[] = {
	[SAY_READY] = { .kind = CALL_EV_READY },
	[SAY_MEDIA] = { CALL_EV_STEP, STEP_MEDIA },
	[SAY_INSECURE] = { CALL_EV_STEP, STEP_INSECURE },
	[SAY_CREDENTIALS] = { .kind = CALL_EV_CREDENTIALS },
	[SAY_CONNECTED] = { CALL_EV_STEP, STEP_CONNECTED },
	[SAY_LISTED] = { .kind = CALL_EV_LISTED },
	[SAY_REFUSED] = { .kind = CALL_EV_REFUSED },
	[SAY_FORGOTTEN] = { .kind = CALL_EV_MEDIA_LOST },
	[SAY_LOST] = { CALL_EV_STEP, STEP_LOST },
	[SAY_TROUBLE] = { .kind = CALL_EV_TROUBLE },
};

static void in(int64_t ms, const char *call, unsigned transport,
	       unsigned what, unsigned role)
{
	struct event *e = world_event_new(W.now + ms, E_MEDIA);

	e->text = strdup(call);
	if (!e->text)
		abort();
	e->session = (uint8_t)transport;
	e->what = (uint8_t)what;
	e->dev = (uint8_t)role;
}

static void later(const char *call, unsigned transport, unsigned what,
		  unsigned role)
{
	in(1 + below(R_MEDIA, 40), call, transport, what, role);
}

/* His media come; of some the connection is lost later, for a while or for
 * good. */
static void media_come(const char *call, unsigned transport, unsigned role)
{
	int64_t ms = 5000 + below(R_MEDIA, 30000);

	later(call, transport, SAY_MEDIA, role);
	if (below(R_MEDIA, LOST))
		return;
	in(ms, call, transport, SAY_LOST, role);
	if (below(R_MEDIA, 2))
		in(ms + 1 + below(R_MEDIA, 30000), call, transport, SAY_MEDIA,
		   role);
}

static void open_one(const char *call, unsigned transport)
{
	later(call, transport, below(R_MEDIA, REFUSED) ? SAY_READY :
							 SAY_REFUSED, 0);
	if (!transport && !below(R_MEDIA, FORGOTTEN))
		in(below(R_MEDIA, 60000), call, 0, SAY_FORGOTTEN, 0);
}

/* Who is let into a transport is the device whose leg it is. */
static void check_remote(const struct call_entry *e,
			 const struct call_order *o)
{
	const char *device = e->call.leg[o->role ^ e->call.caller].device;
	const char *mark = device ? strchr(device, '/') : NULL;
	size_t n = mark ? strlen(++mark) : 0;

	if (!n || strncmp(o->ufrag, mark, n) != 0 || o->ufrag[n] != 'u')
		broken("X5", "media are to take `%s' for %s", o->ufrag,
		       device ? device : "nobody");
}

void media_order(struct call_entry *e, const struct call_action *a)
{
	const struct call_order *o = &a->order;

	if (W.dead)
		return;
	if (o->kind == ORDER_REMOTE && strcmp(a->id, e->call.id) == 0)
		check_remote(e, o);
	if (o->kind == ORDER_SECURITY && !below(R_MEDIA, TROUBLED))
		later(a->id, o->transport, SAY_TROUBLE, o->role);
	if (o->kind == ORDER_OPEN)
		open_one(a->id, o->transport);
	else if (o->kind == ORDER_REMOTE && e->call.mode == MODE_BLIND)
		media_come(a->id, o->transport, o->role);
	else if (o->kind == ORDER_SECURITY && !below(R_MEDIA, INSECURE))
		later(a->id, o->transport, SAY_INSECURE, o->role);
	else if (o->kind == ORDER_SECURITY && W.notify &&
		 below(R_MEDIA, UNCONNECTED))
		later(a->id, o->transport, SAY_CONNECTED, o->role);
	else if (o->kind == ORDER_RENEW)
		later(a->id, o->transport, SAY_CREDENTIALS, o->role);
	else if (o->kind == ORDER_MAP)
		media_come(a->id, o->transport, o->role);
}

void media_fill(const struct daemon *dm, struct call_event *ev)
{
	static const struct leg_candidate ours = {
		.foundation = "1", .ip = OURS, .port = 10000, .priority = 7,
	};

	(void)dm;
	ev->candidates = &ours;
	ev->candidates_n = W.mode != MODE_DIRECT;
}

static void give(struct call_entry *e, unsigned what, unsigned transport,
		 unsigned role)
{
	struct call_event ev = {
		.kind = said[what].kind, .step = said[what].step,
		.transport = transport, .role = role,
		.why = what == SAY_TROUBLE ? "another certificate" : NULL,
		.print = e->call.mode == MODE_ROOM ? "sha-256 5C:5C" : NULL,
	};

	ev.ufrag[0] = ev.ufrag[1] = "ours";
	ev.pwd[0] = ev.pwd[1] = "a-password-of-ours";
	calls_event(e, &ev, W.dm->arena);
	arena_reset(W.dm->arena);
}

static void list(struct call_entry *e)
{
	unsigned transport, role;

	for (transport = 0; transport < LEG_TRANSPORTS_MAX; transport++) {
		if (call_transport_state(&e->call, transport) ==
		    TRANSPORT_FREE)
			continue;
		for (role = 0; role < 2; role++)
			give(e, SAY_MEDIA, transport, role);
		give(e, SAY_LISTED, transport, 0);
	}
}

/* A text: of a call. Without one the daemon has just started, and learns what
 * has become of those that it found in the store, before it has a link or
 * after. */
void media_happens(const struct event *e)
{
	struct call_entry *c = e->text ? calls_find(W.dm, e->text) :
					 calls_next(W.dm, NULL);

	if (c && e->text && e->what != SAY_READY && e->what != SAY_MEDIA)
		watch_media(c->call.leg[0].user, c->call.leg[1].user);
	if (c && e->text && c->call.state == CALL_UP &&
	    (e->what == SAY_CREDENTIALS || e->what == SAY_READY))
		watch_return(c->call.leg[0].user, c->call.leg[1].user);
	if (e->text && c)
		give(c, e->what, e->session, e->dev);
	for (; !e->text && c; c = calls_next(W.dm, c))
		list(c);
}

void media_tick(struct daemon *dm, int64_t now)
{
	(void)dm, (void)now;
}

int64_t media_deadline(const struct daemon *dm)
{
	(void)dm;
	return INT64_MAX;
}

bool media_is_up(const struct daemon *dm)
{
	(void)dm;
	return W.mode != MODE_DIRECT;
}

bool media_takes_calls(const struct daemon *dm)
{
	return media_is_up(dm);
}

const char *media_release(const struct daemon *dm)
{
	(void)dm;
	return NULL;
}

const char *media_why(const struct daemon *dm)
{
	(void)dm;
	return NULL;
}

const char *media_mend(const struct daemon *dm)
{
	(void)dm;
	return NULL;
}
