/* mirror.c: the users' devices as their presence shows them, and who is
 * active (product.md, "Words").
 *
 * The same presence reaches us at the service and at every contact that may
 * see it, and Dino's users send it to single contacts without a subscription.
 * So a device is seen through one of our addresses at a time: the service if
 * it shows itself there, else the contact it was last available to.
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_STEP_MS 1000          /* between looks at idle limits, at least */
#define ASK_STEP_MS 1000           /* between questions about one user */
#define ASK_AGAIN_MS 10000         /* and where the first had no answer */

static const enum show shows[] = {
	[PRESENCE_ONLINE] = SHOW_ONLINE,
	[PRESENCE_AWAY] = SHOW_AWAY,
	[PRESENCE_CHAT] = SHOW_CHAT,
	[PRESENCE_DND] = SHOW_DND,
	[PRESENCE_XA] = SHOW_XA,
};

/* --- who is active ------------------------------------------------------- */

/* The device can be rung: a message to it is read. */
static bool is_ringable(const struct gateway_dev *d)
{
	return !d->stale && d->priority >= 0;
}

/* It makes its user active; *left_r: for how many ms more. */
static bool is_active(const struct gateway *g, const struct gateway_dev *d,
		      int64_t wall, int64_t *left_r)
{
	*left_r = INT64_MAX;
	if (!is_ringable(d) || !(g->site->active_show & shows[d->show]))
		return false;
	if (!g->site->idle_limit || !d->idle || d->idle_since > wall)
		return true;
	*left_r = g->site->idle_limit - (wall - d->idle_since);
	return *left_r >= 0;
}

static bool user_is_active(const struct gateway *g,
			   const struct gateway_user *u, int64_t wall,
			   int64_t *left_r)
{
	const struct gateway_dev *d;
	bool active = false;
	int64_t left;

	*left_r = 0;
	DL_FOREACH(u->devs, d) {
		if (!is_active(g, d, wall, &left))
			continue;
		active = true;
		if (left > *left_r)
			*left_r = left;
	}
	return active;
}

bool gateway_active(const struct gateway *g, const char *bare, int64_t wall,
		    bool *dnd_r)
{
	const struct gateway_user *u = gateway_user_find(g, bare);
	const struct gateway_dev *d;
	unsigned available = 0, dnd = 0;
	int64_t left;
	bool active = u && user_is_active(g, u, wall, &left);

	if (u)
		DL_FOREACH(u->devs, d) {
			available += !d->stale;
			dnd += !d->stale && d->show == PRESENCE_DND;
		}
	if (dnd_r)
		*dnd_r = !active && available && dnd == available;
	return active;
}

bool gateway_can_read(const struct gateway *g, const char *bare)
{
	const struct gateway_user *u = gateway_user_find(g, bare);
	const struct gateway_dev *d;

	if (u)
		DL_FOREACH(u->devs, d)
			if (is_ringable(d) && !d->hibernating)
				return true;
	return false;
}

static void note_idle(struct gateway *g, int64_t left, int64_t now)
{
	int64_t at;

	if (left > INT64_MAX / 2)
		return;
	at = now + (left < IDLE_STEP_MS ? IDLE_STEP_MS : left + 1);
	if (at < g->next_idle)
		g->next_idle = at;
}

void gateway_mirror_refresh(struct gateway *g, struct gateway_user *u,
			    bool always, struct gateway_env *env)
{
	const struct gateway_row *r;
	bool readable = gateway_can_read(g, u->bare);
	int64_t left;
	bool active = user_is_active(g, u, env->wall, &left);

	if (active)
		note_idle(g, left, env->now);
	if (readable && !u->readable)
		gateway_do_tell(env, GATEWAY_READY, u->bare);
	u->readable = readable;
	if (active == u->active && !always)
		return;
	u->active = active;
	for (r = u->rows; r; r = r->hh.next)
		gateway_show_back(g, r, env);
}

static bool is_seen(const struct gateway_user *u)
{
	const struct gateway_row *r;

	for (r = u->rows; r; r = r->hh.next)
		if (r->peer)
			return true;
	return false;
}

void gateway_mirror_wanted(struct gateway *g, struct gateway_user *u,
			   struct gateway_env *env)
{
	if (!u->changed || !is_seen(u))
		return;
	if (env->now >= u->ask_at) {
		u->ask_at = env->now + ASK_AGAIN_MS;
		gateway_do_tell(env, GATEWAY_CHANGED, u->bare);
	}
	if (u->ask_at < g->next_ask)
		g->next_ask = u->ask_at;
}

void gateway_mirror_told(struct gateway_user *u, int64_t now)
{
	u->changed = false;
	if (u->ask_at > now + ASK_STEP_MS)
		u->ask_at = now + ASK_STEP_MS;
}

/* --- devices ------------------------------------------------------------- */

struct gateway_dev *gateway_mirror_find(const struct gateway_user *u,
					const char *jid)
{
	struct gateway_dev *d;

	DL_FOREACH(u->devs, d)
		if (!strcmp(d->jid, jid))
			return d;
	return NULL;
}

static struct gateway_dev *dev_new(struct gateway_user *u, const char *jid)
{
	struct gateway_dev *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->jid = strdup(jid);
	d->caps_key = strdup("");
	if (!d->jid || !d->caps_key) {
		free(d->jid);
		free(d->caps_key);
		free(d);
		return NULL;
	}
	d->user = u;
	d->stale = true;
	DL_APPEND(u->devs, d);
	u->devs_n++;
	return d;
}

/* The service may see his presence. */
static bool service_sees(const struct gateway *g,
			 const struct gateway_user *u)
{
	const struct gateway_row *r = gateway_row_find(u, g->domain);

	return r && r->from;
}

/* Through which of our addresses a device is seen from now on. 0, ENOMEM;
 * ENOENT: this presence says nothing. */
static int choose_via(const struct gateway *g, struct gateway_dev *d,
		      const struct gateway_target *t)
{
	if (d->via && !d->stale && !strcmp(d->via, g->domain) &&
	    strcmp(t->bare, g->domain) != 0 && service_sees(g, d->user))
		return ENOENT;
	return gateway_mirror_via(d, t->bare);
}

int gateway_mirror_via(struct gateway_dev *d, const char *address)
{
	char *via;

	if (d->via && !strcmp(d->via, address))
		return 0;
	via = strdup(address);
	if (!via)
		return ENOMEM;
	free(d->via);
	d->via = via;
	return 0;
}

int gateway_mirror_read(struct gateway *g, struct gateway_dev *d,
			const struct presence_info *info,
			struct gateway_env *env)
{
	bool ringable = is_ringable(d), fresh = d->stale;
	int rc;

	d->stale = false;
	d->show = info->show;
	d->priority = info->priority;
	d->idle = info->idle;
	d->idle_since = info->idle_since;
	rc = gateway_features_seen(g, d, info, env);
	if (fresh || (!ringable && is_ringable(d)))
		gateway_do_tell(env, GATEWAY_DEVICE_BACK, d->jid);
	return rc;
}

static int dev_update(struct gateway *g, struct gateway_dev *d,
		      const struct stanza *s, const struct gateway_target *t,
		      struct gateway_env *env)
{
	struct presence_info info;
	int rc = presence_read(env->arena, s->elem, &info);

	if (!rc)
		rc = choose_via(g, d, t);
	if (rc)
		return rc;
	d->told = d->hibernating = false;
	return gateway_mirror_read(g, d, &info, env);
}

int gateway_mirror_dev(struct gateway *g, const struct jid *full,
		       struct gateway_user **u_r, struct gateway_dev **d_r,
		       struct gateway_env *env)
{
	int rc = gateway_user_get(g, env->arena, full, u_r);

	if (rc)
		return rc;
	*d_r = gateway_mirror_find(*u_r, full->full);
	if (!*d_r && (*u_r)->devs_n >= GATEWAY_DEVICES_MAX) {
		g->over_limit++;
		return EOVERFLOW;
	}
	if (!*d_r)
		*d_r = dev_new(*u_r, full->full);
	if (*d_r)
		return 0;
	gateway_user_drop(g, *u_r);
	return ENOMEM;
}

int gateway_mirror_available(struct gateway *g, const struct stanza *s,
			     const struct gateway_target *t,
			     struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_dev *d;
	int rc;

	if (!s->from.resource || !g->up)
		return 0;
	rc = gateway_mirror_dev(g, &s->from, &u, &d, env);
	if (rc)
		return rc;
	if (d->told && !d->stale)
		return 0;
	rc = dev_update(g, d, s, t, env);
	if (!d->via)
		gateway_dev_free(g, d);
	gateway_mirror_refresh(g, u, false, env);
	gateway_user_drop(g, u);
	return rc;
}

void gateway_heard(struct gateway *g, const struct jid *from)
{
	struct gateway_user *u;
	struct gateway_dev *d;

	if (g->grace_end == INT64_MAX || !from->resource)
		return;
	u = gateway_user_find(g, from->bare);
	d = u ? gateway_mirror_find(u, from->full) : NULL;
	if (d)
		d->heard = true;
}

void gateway_mirror_unseen(struct gateway *g, struct gateway_dev *d,
			   struct gateway_env *env)
{
	if (!d->heard) {
		gateway_mirror_gone(g, d, env);
		return;
	}
	gateway_features_forget(g, d, env);
	gateway_dev_free(g, d);
}

void gateway_mirror_gone(struct gateway *g, struct gateway_dev *d,
			 struct gateway_env *env)
{
	gateway_do_tell(env, GATEWAY_DEVICE_GONE, d->jid);
	gateway_features_forget(g, d, env);
	gateway_dev_free(g, d);
}

void gateway_mirror_probe(struct gateway *g, struct gateway_user *u,
			  struct gateway_env *env)
{
	const struct gateway_row *r = gateway_row_find(u, g->domain);

	if (!r || !r->from)
		for (r = u->rows; r && !r->from; r = r->hh.next)
			;
	if (r)
		gateway_do_presence(env, "probe", r->contact, u->bare);
}

void gateway_mirror_lost(struct gateway *g, struct gateway_user *u,
			 const char *address, struct gateway_env *env)
{
	struct gateway_dev *d, *next;

	DL_FOREACH_SAFE(u->devs, d, next)
		if (!d->told && !strcmp(d->via, address))
			gateway_mirror_gone(g, d, env);
	gateway_mirror_probe(g, u, env);
	gateway_mirror_refresh(g, u, false, env);
}

/* A device seen through a contact may only have left that contact. */
void gateway_mirror_unavailable(struct gateway *g, const struct stanza *s,
				const struct gateway_target *t,
				struct gateway_env *env)
{
	struct gateway_user *u = gateway_user_find(g, s->from.bare);
	struct gateway_dev *d, *next;
	bool gone = false, all;

	if (!u)
		return;
	all = t->service && service_sees(g, u);
	DL_FOREACH_SAFE(u->devs, d, next) {
		if (s->from.resource && strcmp(d->jid, s->from.full) != 0)
			continue;
		if (d->told && !d->stale)
			continue;
		if (!all && strcmp(d->via, t->bare) != 0 &&
		    (s->from.resource || !d->stale))
			continue;
		gone = true;
		gateway_mirror_gone(g, d, env);
	}
	if (gone && !all)
		gateway_mirror_probe(g, u, env);
	gateway_mirror_refresh(g, u, false, env);
	gateway_user_drop(g, u);
}

/* --- questions ----------------------------------------------------------- */

static bool is_plain(const struct gateway_dev *d)
{
	return d->known && (d->features & FEATURE_CALLS) &&
	       !(d->features & FEATURE_JMI);
}

/* The server gives a message for the bare JID to the devices of the highest
 * priority, and copies to the others if they know carbons. What we do not
 * know of a device counts as known to it: Dino opens a window per propose. */
static bool needs_copy(const struct gateway_dev *d, int top)
{
	return d->priority < top && d->known && (d->features & FEATURE_JMI) &&
	       !(d->features & FEATURE_CARBONS);
}

unsigned gateway_targets(const struct gateway *g, struct arena *a,
			 const char *bare, struct leg_target **targets_r)
{
	const struct gateway_user *u = gateway_user_find(g, bare);
	const struct gateway_dev *d;
	struct leg_target *list;
	unsigned n = 0;
	int top = 0;

	*targets_r = NULL;
	if (!u || !u->devs_n)
		return 0;
	list = arena_alloc(a, u->devs_n * sizeof(*list));
	DL_FOREACH(u->devs, d)
		if (is_ringable(d) && d->priority > top)
			top = d->priority;
	DL_FOREACH(u->devs, d) {
		if (!list || !is_ringable(d))
			continue;
		list[n].jid = arena_strdup(a, d->jid);
		list[n].plain = is_plain(d);
		list[n].bundles = gateway_bundles(g, d, a);
		list[n++].by_full = needs_copy(d, top);
	}
	if (arena_failed(a))
		return 0;
	*targets_r = list;
	return n;
}

void gateway_describe(const struct gateway *g, const char *bare,
		      void (*device_h)(const struct gateway_device *d,
				       void *arg),
		      void *arg)
{
	const struct gateway_user *u = gateway_user_find(g, bare);
	const struct gateway_dev *d;

	if (!u)
		return;
	DL_FOREACH(u->devs, d) {
		struct gateway_device view = {
			.jid = d->jid,
			.show = presence_show_name(d->show),
			.priority = d->priority,
			.changed = d->told && u->changed,
			.known = d->known,
			.plain = is_plain(d),
			.jmi = d->known && d->features & FEATURE_JMI,
			.carbons = d->known && d->features & FEATURE_CARBONS,
		};

		if (!d->stale)
			device_h(&view, arg);
	}
}
