/* gateway.c: the gateway's tables of users and rows, actions, and the way in
 * for presence.
 */
#include "mod_privatecall/presence/gateway.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/text.h"
#include "mod_privatecall/presence/gateway_private.h"

/* --- making and freeing -------------------------------------------------- */

static int copy_domain(struct arena *a, const char *text, char **out)
{
	struct jid j;

	if (jid_parse(a, text, &j) || j.node || j.resource)
		return EBADMSG;
	*out = strdup(j.domain);
	return *out ? 0 : ENOMEM;
}

static int copy_hosts(struct gateway *g, struct arena *a,
		      const char *const *hosts)
{
	const char *rest = strchr(g->domain, '.');
	const char *const fallback[] = { rest ? rest + 1 : NULL, NULL };
	size_t n = 0;
	int rc = 0;

	if (!hosts || !hosts[0])
		hosts = fallback;
	while (hosts[n])
		n++;
	g->hosts = calloc(n + 1, sizeof(*g->hosts));
	g->host_off = calloc(n + 1, sizeof(*g->host_off));
	if (!g->hosts || !g->host_off)
		return ENOMEM;
	for (size_t i = 0; !rc && i < n; i++)
		rc = copy_domain(a, hosts[i], &g->hosts[i]);
	return rc;
}

static int set_up(struct gateway *g, struct arena *a,
		  const struct gateway_conf *conf)
{
	int rc = copy_domain(a, conf->domain, &g->domain);

	if (!rc)
		rc = copy_hosts(g, a, conf->hosts);
	if (!rc)
		rc = disco_ver(a, &gateway_service_info, g->service_ver);
	if (!rc)
		rc = disco_ver(a, &gateway_contact_info, g->contact_ver);
	return rc;
}

struct gateway *gateway_new(const struct gateway_conf *conf)
{
	struct gateway *g = calloc(1, sizeof(*g));
	struct arena *a = arena_new(0);

	if (g)
		g->site = conf->site;
	if (!g || !a || set_up(g, a, conf)) {
		gateway_free(g);
		g = NULL;
	} else {
		g->grace_end = INT64_MAX;
		g->next_idle = g->next_ask = INT64_MAX;
	}
	arena_free(a);
	return g;
}

static void user_free(struct gateway *g, struct gateway_user *u)
{
	while (u->devs)
		gateway_dev_free(g, u->devs);
	while (u->rows)
		gateway_row_free(u->rows);
	free(u->bare);
	free(u->contact);
	free(u);
}

static void unlink_user(struct gateway *g, struct gateway_user *u)
{
	if (g->sweep == u)
		g->sweep = u->hh.next;
	g->remote_n -= u->remote;
	HASH_DEL(g->users, u);
}

void gateway_free(struct gateway *g)
{
	struct gateway_user *u, *next_user;
	struct gateway_held *h, *next_held;

	if (!g)
		return;
	HASH_ITER(hh, g->users, u, next_user) {
		unlink_user(g, u);
		user_free(g, u);
	}
	HASH_ITER(hh, g->helds, h, next_held) {
		HASH_DEL(g->helds, h);
		free(h->key);
		free(h);
	}
	gateway_features_free(g);
	gateway_bundles_free(g);
	gateway_chat_free(g);
	for (char **host = g->hosts; host && *host; host++)
		free(*host);
	free(g->hosts);
	free(g->host_off);
	free(g->domain);
	free(g);
}

void gateway_set_site(struct gateway *g, const struct settings_site *site)
{
	g->site = site;
}

/* --- users and rows ------------------------------------------------------ */

struct gateway_user *gateway_user_find(const struct gateway *g,
				       const char *bare)
{
	struct gateway_user *u = NULL;

	if (bare)
		HASH_FIND_STR(g->users, bare, u);
	return u;
}

bool gateway_admits(const struct gateway *g, const struct jid *user)
{
	return user->node && !address_is_ours(g, user) &&
	       (address_is_local(g, user) || g->site->remote_users);
}

static struct gateway_user *user_new(const char *bare, const char *contact)
{
	struct gateway_user *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->bare = strdup(bare);
	u->contact = strdup(contact);
	if (u->bare && u->contact)
		return u;
	free(u->bare);
	free(u->contact);
	free(u);
	return NULL;
}

int gateway_user_get(struct gateway *g, struct arena *a,
		     const struct jid *user, struct gateway_user **u_r)
{
	struct gateway_user *u = gateway_user_find(g, user->bare);
	bool remote = !address_is_local(g, user);
	struct jid contact;
	int rc;

	*u_r = u;
	if (u)
		return 0;
	rc = address_contact(a, g, user, &contact);
	if (rc)
		return rc;
	if (HASH_COUNT(g->users) >= GATEWAY_USERS_MAX ||
	    (remote && g->remote_n >= GATEWAY_REMOTE_MAX)) {
		g->over_limit++;
		return EOVERFLOW;
	}
	u = user_new(user->bare, contact.bare);
	if (!u)
		return ENOMEM;
	u->remote = remote;
	HASH_ADD_KEYPTR(hh, g->users, u->bare, strlen(u->bare), u);
	if (u->unhashed) {
		user_free(g, u);
		return ENOMEM;
	}
	g->remote_n += remote;
	*u_r = u;
	return 0;
}

void gateway_user_drop(struct gateway *g, struct gateway_user *u)
{
	if (u->rows || u->devs)
		return;
	unlink_user(g, u);
	user_free(g, u);
}

void gateway_user_lang(struct gateway *g, const struct stanza *s)
{
	struct gateway_user *u;

	if (!s->lang || !text_token(s->lang, LANG_MAX))
		return;
	u = gateway_user_find(g, s->from.bare);
	if (u)
		strcpy(u->lang, s->lang);
}

struct gateway_row *gateway_row_find(const struct gateway_user *u,
				     const char *contact)
{
	struct gateway_row *r = NULL;

	if (u)
		HASH_FIND_STR(u->rows, contact, r);
	return r;
}

static void row_clear(struct gateway_row *r)
{
	free(r->contact);
	free(r->peer);
	free(r);
}

int gateway_row_get(struct gateway *g, struct gateway_user *u,
		    const struct gateway_target *t, struct gateway_row **r_r)
{
	struct gateway_row *r = gateway_row_find(u, t->bare);

	*r_r = r;
	if (r)
		return 0;
	if (HASH_COUNT(u->rows) >= GATEWAY_CONTACTS_MAX) {
		g->over_limit++;
		return EOVERFLOW;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return ENOMEM;
	r->user = u;
	r->contact = strdup(t->bare);
	r->peer = t->service ? NULL : strdup(t->peer.bare);
	if (r->contact && (t->service || r->peer))
		HASH_ADD_KEYPTR(hh, u->rows, r->contact, strlen(r->contact),
				r);
	else
		r->unhashed = true;
	if (r->unhashed) {
		row_clear(r);
		return ENOMEM;
	}
	*r_r = r;
	return 0;
}

void gateway_row_free(struct gateway_row *r)
{
	HASH_DEL(r->user->rows, r);
	row_clear(r);
}

void gateway_dev_free(struct gateway *g, struct gateway_dev *d)
{
	gateway_features_forget(g, d, NULL);
	DL_DELETE(d->user->devs, d);
	d->user->devs_n--;
	free(d->jid);
	free(d->via);
	free(d->caps_key);
	free(d->asked);
	free(d);
}

int gateway_target_find(const struct gateway *g, struct arena *a,
			const struct jid *to, struct gateway_target *t_r)
{
	memset(t_r, 0, sizeof(*t_r));
	t_r->bare = to->bare;
	if (!address_is_ours(g, to))
		return EBADMSG;
	if (!to->node) {
		t_r->service = true;
		return 0;
	}
	return address_user(a, g, to, &t_r->peer);
}

int gateway_restore_contact(struct gateway *g,
			    const struct gateway_contact *row)
{
	struct arena *a = arena_new(0);
	struct gateway_target t;
	struct gateway_user *u = NULL;
	struct gateway_row *r;
	struct jid user, contact;
	int rc;

	if (!a)
		return ENOMEM;
	rc = jid_parse(a, row->user, &user);
	if (!rc)
		rc = jid_parse(a, row->contact, &contact);
	if (!rc)
		rc = gateway_target_find(g, a, &contact, &t);
	if (!rc && (user.resource || contact.resource))
		rc = EBADMSG;
	if (!rc)
		rc = gateway_user_get(g, a, &user, &u);
	if (!rc)
		rc = gateway_row_get(g, u, &t, &r);
	if (!rc) {
		r->to = row->to;
		r->from = row->from;
		r->ask = row->ask;
	} else if (u) {
		gateway_user_drop(g, u);
	}
	arena_free(a);
	return rc;
}

/* --- actions ------------------------------------------------------------- */

static struct gateway_action *append(struct gateway_env *env,
				     enum gateway_action_kind kind)
{
	struct gateway_action *a = arena_alloc(env->arena, sizeof(*a));

	if (arena_failed(env->arena))
		return NULL;
	a->kind = kind;
	if (env->last)
		env->last->next = a;
	else
		env->first = a;
	env->last = a;
	return a;
}

void gateway_do_send(struct gateway_env *env, struct xml_elem *stanza)
{
	struct gateway_action *a = stanza ? append(env, GATEWAY_SEND) : NULL;

	if (a)
		a->stanza = stanza;
}

void gateway_do_ask(struct gateway_env *env, struct xml_elem *iq)
{
	struct gateway_action *a = iq ? append(env, GATEWAY_ASK) : NULL;

	if (a)
		a->stanza = iq;
}

void gateway_do_tell(struct gateway_env *env, enum gateway_action_kind kind,
		     const char *jid)
{
	const char *copy = arena_strdup(env->arena, jid);
	struct gateway_action *a = append(env, kind);

	if (a)
		a->jid = copy;
}

void gateway_do_row(struct gateway_env *env, const struct gateway_row *r,
		    bool put)
{
	struct gateway_contact c = {
		.user = arena_strdup(env->arena, r->user->bare),
		.contact = arena_strdup(env->arena, r->contact),
		.to = r->to, .from = r->from, .ask = r->ask,
	};
	struct gateway_action *a = append(env, put ? GATEWAY_CONTACT_PUT :
					  GATEWAY_CONTACT_DEL);

	if (a)
		a->contact = c;
}

void gateway_do_presence(struct gateway_env *env, const char *type,
			 const char *from, const char *to)
{
	gateway_do_send(env, stanza_new(env->arena, STANZA_PRESENCE, type,
					NULL, from, to));
}

int gateway_done(const struct gateway_env *env, int rc)
{
	return !rc && arena_failed(env->arena) ? ENOMEM : rc;
}

/* --- presence ------------------------------------------------------------ */

static int dispatch(struct gateway *g, const struct stanza *s,
		    const struct gateway_target *t, struct gateway_env *env)
{
	if (!*s->type)
		return gateway_mirror_available(g, s, t, env);
	if (!strcmp(s->type, "unavailable"))
		gateway_mirror_unavailable(g, s, t, env);
	else if (!strcmp(s->type, "subscribe"))
		gateway_roster_subscribe(g, s, t, env);
	else if (!strcmp(s->type, "subscribed"))
		gateway_roster_subscribed(g, s, t, env);
	else if (!strcmp(s->type, "unsubscribe"))
		gateway_roster_unsubscribe(g, s, t, env);
	else if (!strcmp(s->type, "unsubscribed"))
		gateway_roster_unsubscribed(g, s, t, env);
	else if (!strcmp(s->type, "probe"))
		gateway_roster_probe(g, s, t, env);
	return 0;
}

int gateway_presence(struct gateway *g, const struct stanza *s,
		     struct gateway_env *env)
{
	struct gateway_target t;
	int rc;

	g->now = env->now;
	if (!s->from.node || address_is_ours(g, &s->from) ||
	    !address_is_ours(g, &s->to) || !strcmp(s->type, "error"))
		return 0;
	rc = gateway_target_find(g, env->arena, &s->to, &t);
	if (!rc && !gateway_admits(g, &s->from))
		rc = EBADMSG;
	if (!rc)
		rc = dispatch(g, s, &t, env);
	else if (rc == EBADMSG && !strcmp(s->type, "subscribe"))
		gateway_do_presence(env, "unsubscribed", s->to.bare,
				    s->from.bare);
	gateway_user_lang(g, s);
	return gateway_done(env, rc == ENOMEM ? rc : 0);
}

/* --- questions ----------------------------------------------------------- */

bool gateway_knows(const struct gateway *g, const char *bare)
{
	return gateway_user_find(g, bare) != NULL;
}

bool gateway_has_contact(const struct gateway *g, const char *user,
			 const char *peer)
{
	const struct gateway_user *u = gateway_user_find(g, user);
	const struct gateway_user *p = gateway_user_find(g, peer);
	const struct gateway_row *r;

	if (!u)
		return false;
	if (p) {
		r = gateway_row_find(u, p->contact);
		return r && r->to;
	}
	/* The peer is not known here, so that only the rows name him. */
	for (r = u->rows; r; r = r->hh.next)
		if (r->peer && !strcmp(r->peer, peer))
			return r->to;
	return false;
}

const char *gateway_lang(const struct gateway *g, const char *bare)
{
	const struct gateway_user *u = gateway_user_find(g, bare);

	return u && u->lang[0] ? u->lang : NULL;
}

void gateway_counts(const struct gateway *g, struct gateway_counts *counts_r)
{
	counts_r->users = HASH_COUNT(g->users);
	counts_r->remote = g->remote_n;
	counts_r->features = HASH_COUNT(g->caps);
	counts_r->over_limit = g->over_limit;
}

static void check_user(const struct gateway *g, const struct gateway_user *u)
{
	const struct gateway_row *r;
	const struct gateway_dev *d;
	unsigned n = 0;

	assert(u->rows || u->devs);
	assert(HASH_COUNT(u->rows) <= GATEWAY_CONTACTS_MAX);
	for (r = u->rows; r; r = r->hh.next) {
		assert(r->user == u && (r->to || r->from || r->ask));
		assert(!r->peer == (*r->contact == *g->domain &&
				    !strcmp(r->contact, g->domain)));
	}
	DL_FOREACH(u->devs, d) {
		n++;
		assert(d->user == u);
		assert(!d->waits || (!d->known && !d->waits->known));
		assert(g->up || d->stale || !d->waits);
	}
	assert(n == u->devs_n && n <= GATEWAY_DEVICES_MAX);
}

void gateway_check(const struct gateway *g)
{
	const struct gateway_user *u;
	const struct gateway_caps *c;
	unsigned remote = 0;

	for (u = g->users; u; u = u->hh.next) {
		check_user(g, u);
		remote += u->remote;
	}
	assert(remote == g->remote_n);
	assert(HASH_COUNT(g->users) <= GATEWAY_USERS_MAX);
	assert(HASH_COUNT(g->caps) <= GATEWAY_FEATURES_MAX);
	assert(HASH_COUNT(g->answers) <= GATEWAY_BUNDLES_MAX);
	for (c = g->caps; c; c = c->hh.next)
		assert(c->known ? !c->waiting : c->waiting != NULL);
}
