/* roster.c: the subscription handshake (RFC 6121, 3) between users and our
 * addresses, and registration (XEP-0077).
 *
 * Every contact lets itself be subscribed to, whoever it stands for, so that
 * nobody learns who exists; what it then shows is show.c's affair. We ask for
 * the user's presence in turn: by it we know who is active, and clients take
 * calls only from addresses that they let see their presence (Monal).
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <errno.h>
#include <string.h>

/* Stores a changed row, or forgets one that says nothing. */
static void row_changed(struct gateway_row *r, struct gateway_env *env)
{
	bool keep = r->to || r->from || r->ask;

	gateway_do_row(env, r, keep);
	if (!keep)
		gateway_row_free(r);
}

static struct gateway_row *find_row(const struct gateway *g,
				    const struct stanza *s,
				    const struct gateway_target *t)
{
	return gateway_row_find(gateway_user_find(g, s->from.bare), t->bare);
}

static void refuse(const struct stanza *s, const char *text,
		   struct gateway_env *env)
{
	gateway_do_send(env, stanza_error(env->arena, s, &(struct why){
		.type = "wait", .condition = "resource-constraint",
		.text = text }));
}

void gateway_roster_subscribe(struct gateway *g, const struct stanza *s,
			      const struct gateway_target *t,
			      struct gateway_env *env)
{
	struct gateway_user *u;
	struct gateway_row *r;
	int rc = gateway_user_get(g, env->arena, &s->from, &u);

	if (rc) {
		refuse(s, rc == EBADMSG ? "This address is too long." :
		       "Too many users here.", env);
		return;
	}
	rc = gateway_row_get(g, u, t, &r);
	if (rc) {
		refuse(s, "You have too many contacts here.", env);
		gateway_user_drop(g, u);
		return;
	}
	gateway_mirror_wanted(g, u, env);
	r->to = true;
	r->ask = !r->from;
	gateway_do_row(env, r, true);
	gateway_do_presence(env, "subscribed", t->bare, u->bare);
	if (r->ask)
		gateway_do_presence(env, "subscribe", t->bare, u->bare);
	if (t->service) {
		gateway_show_service(g, u->bare, env);
		return;
	}
	r->shown = SHOWN_NOTHING;
	gateway_show_row(g, r, true, env);
	gateway_show_back(g, r, env);
}

void gateway_roster_subscribed(struct gateway *g, const struct stanza *s,
			       const struct gateway_target *t,
			       struct gateway_env *env)
{
	struct gateway_row *r = find_row(g, s, t);

	if (!r || (r->from && !r->ask))
		return;
	r->from = true;
	r->ask = false;
	gateway_do_row(env, r, true);
}

void gateway_roster_unsubscribe(struct gateway *g, const struct stanza *s,
				const struct gateway_target *t,
				struct gateway_env *env)
{
	struct gateway_row *r = find_row(g, s, t);
	struct gateway_user *u;

	if (!r || !r->to)
		return;
	u = r->user;
	if (t->service)
		gateway_do_presence(env, "unavailable", t->bare, u->bare);
	else if (r->shown == SHOWN_AVAILABLE)
		gateway_show_contact(g, t->bare, false, u->bare, env);
	gateway_do_presence(env, "unsubscribed", t->bare, u->bare);
	r->to = false;
	r->shown = SHOWN_NOTHING;
	gateway_show_back(g, r, env);
	row_changed(r, env);
	gateway_user_drop(g, u);
}

void gateway_roster_unsubscribed(struct gateway *g, const struct stanza *s,
				 const struct gateway_target *t,
				 struct gateway_env *env)
{
	struct gateway_row *r = find_row(g, s, t);
	struct gateway_user *u;
	bool had;

	if (!r || (!r->from && !r->ask))
		return;
	u = r->user;
	had = r->from;
	r->from = r->ask = false;
	row_changed(r, env);
	if (had)
		gateway_mirror_lost(g, u, t->bare, env);
	gateway_user_drop(g, u);
}

void gateway_roster_probe(struct gateway *g, const struct stanza *s,
			  const struct gateway_target *t,
			  struct gateway_env *env)
{
	struct gateway_row *r = find_row(g, s, t);

	if (t->service) {
		gateway_show_service(g, s->from.full, env);
		return;
	}
	if (r)
		gateway_show_row(g, r, false, env);
	gateway_show_contact(g, t->bare, r && r->shown == SHOWN_AVAILABLE,
			     s->from.full, env);
}

int gateway_roster_register(struct gateway *g, const struct jid *user,
			    struct gateway_env *env)
{
	struct gateway_target t = { .bare = g->domain, .service = true };
	struct gateway_user *u;
	struct gateway_row *r;
	int rc = gateway_user_get(g, env->arena, user, &u);

	if (rc)
		return rc;
	rc = gateway_row_get(g, u, &t, &r);
	if (rc) {
		gateway_user_drop(g, u);
		return rc;
	}
	gateway_mirror_wanted(g, u, env);
	if (r->from)
		return 0;
	r->ask = true;
	gateway_do_row(env, r, true);
	gateway_do_presence(env, "subscribe", g->domain, u->bare);
	return 0;
}

/* XEP-0077, 3.2: what he had here is taken back, row by row. */
static void remove_row(struct gateway *g, struct gateway_row *r,
		       struct gateway_env *env)
{
	const char *user = r->user->bare;

	if (r->shown == SHOWN_AVAILABLE)
		gateway_show_contact(g, r->contact, false, user, env);
	else if (!r->peer)
		gateway_do_presence(env, "unavailable", r->contact, user);
	if (r->from || r->ask)
		gateway_do_presence(env, "unsubscribe", r->contact, user);
	if (r->to)
		gateway_do_presence(env, "unsubscribed", r->contact, user);
	r->to = r->from = r->ask = false;
	gateway_show_back(g, r, env);
	row_changed(r, env);
}

void gateway_roster_remove(struct gateway *g, const char *bare,
			   struct gateway_env *env)
{
	struct gateway_user *u = gateway_user_find(g, bare);
	struct gateway_dev *d, *next_dev;
	struct gateway_row *r, *next;

	if (!u)
		return;
	HASH_ITER(hh, u->rows, r, next)
		remove_row(g, r, env);
	DL_FOREACH_SAFE(u->devs, d, next_dev)
		gateway_mirror_gone(g, d, env);
	gateway_user_drop(g, u);
}
