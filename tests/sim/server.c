/* server.c: the XMPP server: who gets what (RFC 6121, 8), carbons, blocks,
 * the roster's subscriptions, messages kept for later, and the two hops.
 *
 * While the component is away each stanza for it is bounced at once, as
 * Prosody does; what is under way when the stream breaks is lost.
 */
#include <stdlib.h>
#include "jingle/stanza/ns.h"
#include "tests/sim/sim.h"

static const char *address(unsigned a)
{
	return a == SERVICE ? DOMAIN : W.user[a].contact;
}

/* --- to the component ------------------------------------------------- */

/* What the server itself says, in order. */
static void tell(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
		abort();
	va_end(ap);
	world_event(W.now + 1, E_UP, NOBODY, strdup(text));
}

static void tell_presence(const struct device *d, unsigned a)
{
	if (d->presence)
		tell("<presence from='%s' to='%s'>%s</presence>", d->jid,
		     address(a), d->presence);
	else
		tell("<presence type='unavailable' from='%s' to='%s'/>",
		     d->jid, address(a));
}

static void broadcast(const struct device *d)
{
	const struct user *u = &W.user[d->user];
	unsigned a;

	for (a = 0; a < ADDRESSES; a++)
		if (u->sub_from[a] && !(a < USERS && u->blocks[a]))
			tell_presence(d, a);
}

static void answer_probe(unsigned user, unsigned a)
{
	const struct user *u = &W.user[user];
	unsigned i, n = 0;

	if (!u->sub_from[a] || (a < USERS && u->blocks[a])) {
		tell("<presence type='unsubscribed' from='%s' to='%s'/>",
		     u->bare, address(a));
		return;
	}
	for (i = 0; i < u->devices; i++)
		if (u->device[i].presence) {
			tell_presence(&u->device[i], a);
			n++;
		}
	if (!n)
		tell("<presence type='unavailable' from='%s' to='%s'/>",
		     u->bare, address(a));
}

static void bounce(const struct scan *s)
{
	if (str_is(s->type, "error") || str_is(s->type, "result"))
		return;
	tell("<%s type='error' id='%.*s' from='%.*s' to='%.*s'>"
	     "<error type='cancel'><service-unavailable xmlns='" NS_STANZAS
	     "'/></error></%s>", s->kind == 'i' ? "iq" : "message",
	     (int)s->id.n, s->id.p, (int)s->to.n, s->to.p, (int)s->from.n,
	     s->from.p, s->kind == 'i' ? "iq" : "message");
}

/* --- to clients ------------------------------------------------------- */

void server_down(struct device *d, const char *text, bool carbon)
{
	int64_t at = W.now + 5 + below(R_NET, 60);
	bool drop = strikes(F_DROP), again = strikes(F_DUP);
	bool passes = strikes(F_REORDER), held = strikes(F_DELAY);
	unsigned hold = 1 + below(R_FAULT, 90000), i;
	struct event *e;

	if (drop) {
		d->lost_at = W.now;
		say("  (lost) %s", text);
		return;
	}
	if (passes)
		d->lost_at = W.now;    /* as good as lost */
	if (held)
		at += hold;
	if (!passes && at < d->down_at)
		at = d->down_at;
	if (!passes)
		d->down_at = at;
	for (i = 0; i < (again ? 2u : 1u); i++) {
		e = world_event_new(at + i * 10,
				    carbon ? E_CARBON : E_DOWN);
		e->dev = (uint8_t)(d->user * DEVICES + d->number);
		e->gen = d->login;
		e->what = (uint8_t)i;
		e->text = strdup(text);
	}
}

static void keep(struct user *u, const char *text)
{
	struct stored *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->text = strdup(text);
	*u->stored_end = s;
	u->stored_end = &s->next;
}

static void give_stored(struct user *u, struct device *d)
{
	char text[TEXT_MAX];
	struct stored *s;
	int n;

	while ((s = u->stored)) {
		u->stored = s->next;
		n = (int)strlen(s->text) - (int)strlen("</message>");
		snprintf(text, sizeof(text), "%.*s<delay xmlns='" NS_DELAY
			 "' stamp='2026-01-01T00:00:00Z'/></message>", n,
			 s->text);
		server_down(d, text, false);
		free(s->text);
		free(s);
	}
	u->stored_end = &u->stored;
}

/* --- from the component ----------------------------------------------- */

static int top_priority(const struct user *u)
{
	int top = -1;
	unsigned i;

	for (i = 0; i < u->devices; i++)
		if (u->device[i].presence &&
		    u->device[i].server_priority > top)
			top = u->device[i].server_priority;
	return top;
}

/* To the bare JID: the devices of top priority, the others by carbon. */
static void to_bare(struct user *u, const struct scan *s)
{
	int top = top_priority(u);
	struct device *d;

	if (top < 0) {
		if (s->stored)
			keep(u, s->text);
		return;
	}
	for (d = u->device; d < u->device + u->devices; d++) {
		if (!d->there)
			continue;
		if (d->presence && d->server_priority == top)
			server_down(d, s->text, false);
		else if (quirks[d->quirk].carbons && !s->private)
			server_down(d, s->text, false);
		else           /* another one has outranked it meanwhile */
			d->lost_at = W.now;
	}
}

static void headline(struct user *u, const struct scan *s)
{
	struct device *d;

	for (d = u->device; d < u->device + u->devices; d++)
		if (d->there && d->presence && d->server_priority >= 0)
			server_down(d, s->text, false);
}

static struct device *device_of(const struct scan *s)
{
	struct user *u = s->to_user < USERS ? &W.user[s->to_user] : NULL;

	return u && s->to_dev < u->devices && u->device[s->to_dev].there ?
	       &u->device[s->to_dev] : NULL;
}

static void route_message(struct user *u, const struct scan *s)
{
	struct device *d = device_of(s), *o;

	if (s->from_ours < USERS && u->blocks[s->from_ours]) {
		/* Also what would end a ringing that began before the block. */
		for (o = u->device; o < u->device + u->devices; o++)
			o->lost_at = W.now;
		bounce(s);
		return;
	}
	if (str_is(s->type, "headline")) {
		headline(u, s);
		return;
	}
	if (!d) {
		to_bare(u, s);
		return;
	}
	server_down(d, s->text, false);
	if (s->private || str_is(s->type, "error"))
		return;
	for (o = u->device; o < u->device + u->devices; o++)
		if (o != d && o->there && quirks[o->quirk].carbons)
			server_down(o, s->text, true);
}

static void route_iq(const struct scan *s)
{
	struct device *d = device_of(s);
	bool blocked = s->from_ours < USERS &&
		       W.user[s->to_user].blocks[s->from_ours];

	if (d && blocked)
		d->lost_at = W.now;    /* the end of a ringing, too */
	if (!d || blocked)
		bounce(s);
	else
		server_down(d, s->text, false);
}

static void route_presence(struct user *u, const struct scan *s)
{
	unsigned a = s->from_ours, i;

	if (a >= ADDRESSES)
		return;
	if (str_is(s->type, "probe")) {
		answer_probe(s->to_user, a);
	} else if (str_is(s->type, "subscribe")) {
		u->sub_from[a] = true;
		tell("<presence type='subscribed' from='%s' to='%s'/>",
		     u->bare, address(a));
		for (i = 0; i < u->devices; i++)
			if (u->device[i].presence &&
			    !(a < USERS && u->blocks[a]))
				tell_presence(&u->device[i], a);
	} else if (str_is(s->type, "unsubscribe")) {
		u->sub_from[a] = false;
	} else if (str_is(s->type, "subscribed")) {
		u->sub_to[a] = true;
	} else if (str_is(s->type, "unsubscribed")) {
		u->sub_to[a] = false;
	}
}

void server_from_daemon(const struct scan *s)
{
	/* To the host itself: it has no module of ours. */
	if (s->to_user >= USERS) {
		if (s->kind == 'i' ||
		    (s->to_user == UNKNOWN_USER && s->kind != 'p'))
			bounce(s);
		return;
	}
	if (s->kind == 'm')
		route_message(&W.user[s->to_user], s);
	else if (s->kind == 'i')
		route_iq(s);
	else
		route_presence(&W.user[s->to_user], s);
}

/* --- from clients ----------------------------------------------------- */

static void take_presence(struct device *d, const char *text)
{
	struct user *u = &W.user[d->user];
	const char *at = strchr(text, '>') + 1, *p;
	size_t n = strlen(at) - strlen("</presence>");

	free(d->presence);
	d->presence = strndup(at, n);
	p = strstr(at, "<priority>");
	d->server_priority = p ? atoi(p + strlen("<priority>")) : 0;
	broadcast(d);
	if (d->server_priority >= 0)
		give_stored(u, d);
}

/* The component is away. */
static void bounce_back(struct device *d, const struct scan *s)
{
	char text[1024];

	if (str_is(s->type, "error") || str_is(s->type, "result") ||
	    s->kind == 'p')
		return;
	snprintf(text, sizeof(text), "<%s type='error' id='%.*s' "
		 "from='%.*s' to='%s'><error type='wait'>"
		 "<remote-server-timeout xmlns='" NS_STANZAS "'/></error>"
		 "</%s>", s->kind == 'i' ? "iq" : "message", (int)s->id.n,
		 s->id.p, (int)s->to.n, s->to.p, d->jid,
		 s->kind == 'i' ? "iq" : "message");
	server_down(d, text, false);
}

static void copy_to_others(struct device *d, const struct scan *s)
{
	struct user *u = &W.user[d->user];
	struct device *o;

	for (o = u->device; o < u->device + u->devices; o++)
		if (o != d && o->there && quirks[o->quirk].carbons)
			server_down(o, s->text, true);
}

void server_from_client(struct device *d, const char *text)
{
	const struct user *u = &W.user[d->user];
	struct scan s;
	bool blocked;

	scan_text(&s, text, strlen(text));
	if (s.kind == 'p' && !s.to.p) {
		take_presence(d, text);
		return;
	}
	if (s.to_user == d->user || s.jmi == J_PROCEED || s.jmi == J_REJECT)
		copy_to_others(d, &s);
	blocked = s.to_ours < USERS && u->blocks[s.to_ours];
	if ((W.hole || !W.link_up || blocked) && s.jingle == G_TERMINATE) {
		d->end_lost = true;
		watch_unheard(d, &s);
	}
	if (s.to_user == d->user || blocked)
		return;
	if (W.hole)
		say("  (lost in the breaking stream) %s", text);
	else if (!W.link_up)
		bounce_back(d, &s);
	else
		world_inject(&s);
}

void server_login(struct device *d)
{
	if (d->there)
		server_logout(d);      /* the new connection replaces it */
	d->there = true;
}

void server_logout(struct device *d)
{
	d->there = false;
	if (!d->presence)
		return;
	free(d->presence);
	d->presence = NULL;
	broadcast(d);
}

void server_block_presence(struct device *d, unsigned a)
{
	if (W.user[d->user].blocks[a])
		tell("<presence type='unavailable' from='%s' to='%s'/>",
		     d->jid, address(a));
	else
		tell_presence(d, a);
}

void server_roster(unsigned user, unsigned a, const char *type)
{
	struct user *u = &W.user[user];

	if (strcmp(type, "unsubscribe") == 0)
		u->sub_to[a] = false;
	if (strcmp(type, "unsubscribed") == 0)
		u->sub_from[a] = false;
	tell("<presence type='%s' from='%s' to='%s'/>", type, u->bare,
	     address(a));
}

void server_free(void)
{
	struct user *u;
	struct stored *s;
	unsigned i;

	for (u = W.user; u < W.user + W.users_n; u++) {
		while ((s = u->stored)) {
			u->stored = s->next;
			free(s->text);
			free(s);
		}
		for (i = 0; i < u->devices; i++) {
			free(u->device[i].presence);
			u->device[i].presence = NULL;
		}
	}
}
