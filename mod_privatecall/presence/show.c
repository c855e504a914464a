/* show.c: presence that we send: the service's, and the contacts', which
 * follow their users' activity (product.md, F3, F4, "Addresses and ids").
 *
 * alice sees bob's contact available if she has added it, bob has added hers,
 * bob is active and calls are on; while they are in a call it never becomes
 * unavailable.
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <stdlib.h>
#include <string.h>

static struct gateway_held *find_held(const struct gateway *g,
				      const char *user, const char *peer)
{
	size_t n = strlen(user), m = strlen(peer);
	struct gateway_held *h = NULL;
	char *key;

	if (!g->helds)
		return NULL;
	key = malloc(n + m + 2);
	if (!key)
		return NULL;
	memcpy(key, user, n);
	key[n] = ' ';
	memcpy(key + n + 1, peer, m + 1);
	HASH_FIND_STR(g->helds, key, h);
	free(key);
	return h;
}

static void add_held(struct gateway *g, const char *user, const char *peer)
{
	struct gateway_held *h = calloc(1, sizeof(*h));
	size_t n = strlen(user), m = strlen(peer);

	if (!h)
		return;
	h->key = malloc(n + m + 2);
	if (h->key) {
		memcpy(h->key, user, n);
		h->key[n] = ' ';
		memcpy(h->key + n + 1, peer, m + 1);
		HASH_ADD_KEYPTR(hh, g->helds, h->key, n + m + 1, h);
	}
	if (!h->key || h->unhashed) {
		free(h->key);
		free(h);
	}
}

void gateway_show_service(const struct gateway *g, const char *to,
			  struct gateway_env *env)
{
	struct xml_elem *e = stanza_new(env->arena, STANZA_PRESENCE, NULL,
					NULL, g->domain, to);

	caps_add(env->arena, e, GATEWAY_NODE, g->service_ver);
	gateway_do_send(env, e);
}

void gateway_show_contact(const struct gateway *g, const char *contact,
			  bool available, const char *to,
			  struct gateway_env *env)
{
	struct arena *a = env->arena;
	struct xml_elem *e;

	e = stanza_new(a, STANZA_PRESENCE, available ? NULL : "unavailable",
		       NULL, arena_join(a, contact, "/",
					  GATEWAY_RESOURCE), to);
	if (available)
		caps_add(a, e, GATEWAY_NODE, g->contact_ver);
	gateway_do_send(env, e);
}

static bool is_visible(const struct gateway *g, const struct gateway_row *r)
{
	const struct gateway_user *peer = gateway_user_find(g, r->peer);
	const struct gateway_row *back;

	if (!peer || !peer->active || !g->site->enabled ||
	    gateway_host_off(g, r->peer) || gateway_host_off(g, r->user->bare))
		return false;
	back = gateway_row_find(peer, r->user->contact);
	return back && back->to;
}

void gateway_show_row(struct gateway *g, struct gateway_row *r, bool must,
		      struct gateway_env *env)
{
	bool was = r->shown == SHOWN_AVAILABLE;
	bool is;

	if (!g->up || !r->peer || !r->to)
		return;
	is = is_visible(g, r);
	if (!is && r->shown != SHOWN_UNAVAILABLE &&
	    find_held(g, r->user->bare, r->peer))
		return;        /* as it is, also if that was before a restart */
	if (is == was && (r->shown != SHOWN_NOTHING || !must))
		return;
	r->shown = is ? SHOWN_AVAILABLE : SHOWN_UNAVAILABLE;
	gateway_show_contact(g, r->contact, is, r->user->bare, env);
}

void gateway_show_back(struct gateway *g, const struct gateway_row *r,
		       struct gateway_env *env)
{
	struct gateway_row *back;

	if (!r->peer)
		return;
	back = gateway_row_find(gateway_user_find(g, r->peer),
				r->user->contact);
	if (back)
		gateway_show_row(g, back, false, env);
}

void gateway_hold(struct gateway *g, const char *user, const char *peer,
		  bool on, struct gateway_env *env)
{
	struct gateway_held *h = find_held(g, user, peer);
	struct gateway_user *p = gateway_user_find(g, peer);
	struct gateway_user *u = gateway_user_find(g, user);
	bool over = g->grace_end == INT64_MAX;         /* else told then */
	struct gateway_row *r;

	g->now = env->now;
	if (on && !h)
		add_held(g, user, peer);
	if (on || !h)
		return;
	HASH_DEL(g->helds, h);
	free(h->key);
	free(h);
	if (p && u) {
		r = gateway_row_find(u, p->contact);
		if (r)
			gateway_show_row(g, r, over, env);
		return;
	}
	/* The peer left for good: his contact is found by the rows alone. */
	for (r = u ? u->rows : NULL; r; r = r->hh.next)
		if (r->peer && !strcmp(r->peer, peer))
			gateway_show_row(g, r, over, env);
}

/* --- the link and time --------------------------------------------------- */

static void sweep_start(struct gateway *g, unsigned mode)
{
	g->sweep = g->users;
	g->sweep_mode = g->users ? g->sweep_mode | mode : 0;
}

static void sweep_up(struct gateway *g, struct gateway_user *u,
		     struct gateway_env *env)
{
	struct gateway_row *r = gateway_row_find(u, g->domain);

	if (r && r->to)
		gateway_show_service(g, u->bare, env);
	for (r = u->rows; r; r = r->hh.next)
		if (r->shown == SHOWN_AVAILABLE)
			gateway_show_contact(g, r->contact, true, u->bare,
					     env);
	gateway_mirror_probe(g, u, env);
}

static void sweep_grace(struct gateway *g, struct gateway_user *u,
			struct gateway_env *env)
{
	struct gateway_dev *d, *next;
	struct gateway_row *r;

	DL_FOREACH_SAFE(u->devs, d, next)
		if (d->stale)
			gateway_mirror_unseen(g, d, env);
	for (r = u->rows; r; r = r->hh.next)
		gateway_show_row(g, r, true, env);
}

/* Takes users one by one until enough was said for one event. */
static void sweep_some(struct gateway *g, struct gateway_env *env)
{
	const struct gateway_action *seen = env->last;
	unsigned mode = g->sweep_mode;
	unsigned n = 0;

	while (g->sweep && n < SWEEP_ACTIONS && !arena_failed(env->arena)) {
		struct gateway_user *u = g->sweep;

		g->sweep = u->hh.next;
		if (mode & SWEEP_UP)
			sweep_up(g, u, env);
		if (mode & SWEEP_GRACE)
			sweep_grace(g, u, env);
		gateway_mirror_refresh(g, u, true, env);
		gateway_user_drop(g, u);
		n++;           /* users cost time, too */
		for (seen = seen ? seen->next : env->first; seen;
		     seen = seen->next)
			n++;
		seen = env->last;
	}
	if (!g->sweep)
		g->sweep_mode = 0;
}

void gateway_up(struct gateway *g, struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_row *r;

	/* The server may have started anew: what was sent before is void.
	 * Only an address in a call stays as it was shown. */
	for (u = g->users; u; u = u->hh.next)
		for (r = u->rows; r; r = r->hh.next)
			if (r->shown != SHOWN_AVAILABLE || !r->peer ||
			    !find_held(g, u->bare, r->peer))
				r->shown = SHOWN_NOTHING;
	g->up = true;
	g->now = env->now;
	g->grace_end = env->now + GATEWAY_GRACE_MS;
	sweep_start(g, SWEEP_UP);
	sweep_some(g, env);
}

void gateway_down(struct gateway *g, struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_dev *d;

	g->now = env->now;
	g->up = false;
	g->grace_end = g->next_idle = g->next_ask = INT64_MAX;
	g->sweep = NULL;
	g->sweep_mode = 0;
	for (u = g->users; u; u = u->hh.next) {
		u->active = u->readable = u->changed = false;
		DL_FOREACH(u->devs, d) {
			d->stale = true;
			d->heard = false;
			gateway_features_forget(g, d, NULL);
		}
	}
}

void gateway_stop(struct gateway *g, struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_row *r;

	for (u = g->up ? g->users : NULL; u; u = u->hh.next)
		for (r = u->rows; r; r = r->hh.next) {
			if (!r->peer && r->to)
				gateway_do_presence(env, "unavailable",
						    r->contact, u->bare);
			if (r->shown == SHOWN_AVAILABLE &&
			    !find_held(g, u->bare, r->peer))
				gateway_show_contact(g, r->contact, false,
						     u->bare, env);
		}
	gateway_down(g, env);
}

void gateway_enabled(struct gateway *g, struct gateway_env *env)
{
	g->now = env->now;
	if (!g->up)
		return;
	g->next_idle = INT64_MAX;
	sweep_start(g, SWEEP_EVAL);
	sweep_some(g, env);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t gateway_deadline(const struct gateway *g)
{
	if (!g->up)
		return INT64_MAX;
	if (g->sweep)
		return g->now;
	return earlier(earlier(earlier(g->grace_end, g->next_idle),
			       g->next_ask), gateway_features_deadline(g));
}

static void ask_those_due(struct gateway *g, struct gateway_env *env)
{
	struct gateway_user *u;

	g->next_ask = INT64_MAX;
	for (u = g->users; u; u = u->hh.next)
		gateway_mirror_wanted(g, u, env);
}

void gateway_tick(struct gateway *g, struct gateway_env *env)
{
	g->now = env->now;
	if (!g->up)
		return;
	gateway_features_tick(g, env);
	if (env->now >= g->next_ask)
		ask_those_due(g, env);
	if (env->now >= g->grace_end) {
		g->grace_end = INT64_MAX;
		sweep_start(g, SWEEP_GRACE);
	}
	if (env->now >= g->next_idle) {
		g->next_idle = INT64_MAX;
		sweep_start(g, SWEEP_EVAL);
	}
	sweep_some(g, env);
}
