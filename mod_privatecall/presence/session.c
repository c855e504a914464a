/* session.c: devices as the server's module tells them (doc/protocol.md, "The
 * mirror"): complete, without any subscription, and better than presence.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mod_privatecall/presence/gateway_private.h"

/* A bare JID is `whose`, or of that host. */
static bool is_of(const char *bare, const char *whose)
{
	return !strcmp(strchr(whose, '@') ? bare : strchr(bare, '@') + 1,
		       whose);
}

int gateway_session(struct gateway *g, const struct gateway_session *s,
		    struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_dev *d;
	int rc;

	g->now = env->now;
	if (!g->up || !address_is_local(g, &s->jid))
		return 0;
	rc = gateway_mirror_dev(g, &s->jid, &u, &d, env);
	if (rc)
		return rc == ENOMEM ? rc : 0;
	/* Questions about its features come from the service. */
	rc = gateway_mirror_via(d, g->domain);
	if (!rc) {
		d->told = d->replayed = true;
		d->hibernating = s->hibernating;
		rc = gateway_mirror_read(g, d, &s->info, env);
	}
	if (!d->via)
		gateway_dev_free(g, d);
	gateway_mirror_refresh(g, u, false, env);
	gateway_user_drop(g, u);
	return gateway_done(env, rc);
}

void gateway_session_gone(struct gateway *g, const struct jid *full,
			  struct gateway_env *env)
{
	struct gateway_user *u = gateway_user_find(g, full->bare);
	struct gateway_dev *d = u ? gateway_mirror_find(u, full->full) : NULL;

	g->now = env->now;
	if (!d)
		return;
	gateway_mirror_gone(g, d, env);
	u->changed = u->changed && u->devs;
	gateway_mirror_refresh(g, u, false, env);
	gateway_user_drop(g, u);
}

void gateway_session_changed(struct gateway *g, const struct jid *full,
			     struct gateway_env *env)
{
	struct gateway_user *u = gateway_user_find(g, full->bare);
	struct gateway_dev *d = u ? gateway_mirror_find(u, full->full) : NULL;

	if (!d || !d->told || u->changed)
		return;
	u->changed = true;
	gateway_mirror_wanted(g, u, env);
}

bool gateway_is_fresh(const struct gateway *g, const char *bare)
{
	const struct gateway_user *u = gateway_user_find(g, bare);
	const struct gateway_dev *d;

	if (!u || u->changed)
		return false;
	DL_FOREACH(u->devs, d)
		if (d->told && !d->stale)
			return true;
	return false;
}

/* Of one user, at the end of a replay. */
static void drop_untold(struct gateway *g, struct gateway_user *u,
			struct gateway_env *env)
{
	struct gateway_dev *d, *next;
	bool gone = false;

	DL_FOREACH_SAFE(u->devs, d, next) {
		if (!d->told || d->replayed)
			continue;
		gateway_mirror_gone(g, d, env);
		gone = true;
	}
	if (gone)
		gateway_mirror_refresh(g, u, false, env);
	gateway_user_drop(g, u);
}

static void replay_user(struct gateway *g, struct gateway_user *u, bool ends,
			struct gateway_env *env)
{
	struct gateway_dev *d;

	if (ends) {
		drop_untold(g, u, env);
		return;
	}
	gateway_mirror_told(u, env->now);
	DL_FOREACH(u->devs, d)
		d->replayed = false;
}

void gateway_replay(struct gateway *g, const char *whose, bool ends,
		    struct gateway_env *env)
{
	struct gateway_user *u, *next;

	g->now = env->now;
	if (strchr(whose, '@')) {
		u = gateway_user_find(g, whose);
		if (u)
			replay_user(g, u, ends, env);
		return;
	}
	HASH_ITER(hh, g->users, u, next)
		if (is_of(u->bare, whose))
			replay_user(g, u, ends, env);
}

void gateway_set_host(struct gateway *g, const char *host, bool enabled)
{
	size_t i;

	for (i = 0; g->hosts[i]; i++)
		if (!strcmp(g->hosts[i], host))
			g->host_off[i] = !enabled;
}

bool gateway_host_off(const struct gateway *g, const char *bare)
{
	size_t i;

	for (i = 0; g->hosts[i]; i++)
		if (g->host_off[i] && is_of(bare, g->hosts[i]))
			return true;
	return false;
}

void gateway_untold(struct gateway *g, const char *host,
		    struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_dev *d;

	g->now = env->now;
	for (u = g->users; u; u = u->hh.next)
		if (is_of(u->bare, host)) {
			u->changed = false;
			DL_FOREACH(u->devs, d)
				d->stale = d->stale || d->told;
		}
	if (g->up)
		g->grace_end = env->now + GATEWAY_GRACE_MS;
}
