/* features.c: what devices can do, by entity capabilities (XEP-0115) and
 * service discovery (XEP-0030).
 *
 * A caps hash is asked once, of the first device that shows it; the others
 * wait for its answer. Only answers that the hash verifies are remembered for
 * others; any other answer speaks for its device alone (XEP-0115, 5.4).
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/ns.h"

#define VERIFIABLE "sha-1 "        /* keys of hashes that we can verify */

static bool is_verifiable(const char *key)
{
	return !strncmp(key, VERIFIABLE, strlen(VERIFIABLE));
}

/* One text for a device's caps; "" for none, or when too long to be kept.
 * NULL: no memory. */
static const char *caps_key(struct arena *a, const struct presence_info *info)
{
	const struct caps *c = &info->caps;
	const char *key;

	if (!info->has_caps)
		return "";
	if (c->hash && !strcmp(c->hash, "sha-1"))
		key = arena_printf(a, "%s%s", VERIFIABLE, c->ver);
	else
		key = arena_printf(a, "- %s#%s", c->node, c->ver);
	return !key || strlen(key) <= CAPS_KEY_MAX ? key : "";
}

static void dev_knows(struct gateway_dev *d, unsigned features)
{
	d->known = true;
	d->features = features;
	free(d->asked);
	d->asked = NULL;
}

/* --- questions ----------------------------------------------------------- */

static const char *address_of(struct arena *a, const char *bare)
{
	if (!strchr(bare, '@'))
		return bare;
	return arena_join(a, bare, "/", GATEWAY_RESOURCE);
}

static int ask(struct gateway *g, struct gateway_dev *d,
	       struct gateway_env *env)
{
	struct arena *a = env->arena;
	char *id = arena_printf(a, "gw-%llx-%x",
				(unsigned long long)env->wall, ++g->next_id);
	struct xml_elem *iq = stanza_new(a, STANZA_IQ, "get", id,
					 address_of(a, d->via), d->jid);
	char *copy = id ? strdup(id) : NULL;

	if (!copy)
		return ENOMEM;
	free(d->asked);
	d->asked = copy;
	disco_add_query(a, iq, NS_DISCO_INFO, NULL);
	gateway_do_ask(env, iq);
	return 0;
}

static void entry_free(struct gateway *g, struct gateway_caps *c)
{
	if (!c->known)
		DL_DELETE(g->asking, c);
	HASH_DEL(g->caps, c);
	free(c->key);
	free(c);
}

/* Makes room; false: all that is there is being asked. */
static bool make_room(struct gateway *g)
{
	struct gateway_caps *c = g->caps;

	if (HASH_COUNT(g->caps) < GATEWAY_FEATURES_MAX)
		return true;
	while (c && !c->known)
		c = c->hh.next;
	if (c)
		entry_free(g, c);
	return c != NULL;
}

static struct gateway_caps *entry_new(struct gateway *g, const char *key,
				      int64_t now)
{
	struct gateway_caps *c = make_room(g) ? calloc(1, sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	c->key = strdup(key);
	if (c->key)
		HASH_ADD_KEYPTR(hh, g->caps, c->key, strlen(c->key), c);
	if (!c->key || c->unhashed) {
		free(c->key);
		free(c);
		return NULL;
	}
	c->asked_at = now;
	DL_APPEND(g->asking, c);
	return c;
}

static void wait_for(struct gateway_caps *c, struct gateway_dev *d)
{
	d->waits = c;
	DL_APPEND2(c->waiting, d, wait_prev, wait_next);
}

static void wait_no_more(struct gateway_dev *d)
{
	struct gateway_caps *c = d->waits;

	DL_DELETE2(c->waiting, d, wait_prev, wait_next);
	d->waits = NULL;
}

/* The first that waits did not answer usably: asks the next one. */
static void ask_next(struct gateway *g, struct gateway_caps *c,
		     struct gateway_env *env)
{
	while (c->waiting && ask(g, c->waiting, env))
		wait_no_more(c->waiting);
	if (!c->waiting) {
		entry_free(g, c);
		return;
	}
	c->asked_at = env->now;
	DL_DELETE(g->asking, c);
	DL_APPEND(g->asking, c);
}

void gateway_features_forget(struct gateway *g, struct gateway_dev *d,
			     struct gateway_env *env)
{
	struct gateway_caps *c = d->waits;
	bool first;

	free(d->asked);
	d->asked = NULL;
	if (!c)
		return;
	first = c->waiting == d;
	wait_no_more(d);
	if (!c->waiting)
		entry_free(g, c);
	else if (first && env)
		ask_next(g, c, env);
}

/* Caps that were not seen on this device before. */
static int new_caps(struct gateway *g, struct gateway_dev *d,
		    struct gateway_env *env)
{
	struct gateway_caps *c = NULL;

	if (!is_verifiable(d->caps_key))
		return ask(g, d, env);
	HASH_FIND_STR(g->caps, d->caps_key, c);
	if (c && c->known) {
		/* To the end: the least used is forgotten first. */
		HASH_DEL(g->caps, c);
		HASH_ADD_KEYPTR(hh, g->caps, c->key, strlen(c->key), c);
		dev_knows(d, c->features);
		if (c->unhashed) {
			free(c->key);
			free(c);
		}
		return 0;
	}
	if (c) {
		wait_for(c, d);
		return 0;
	}
	c = entry_new(g, d->caps_key, env->now);
	if (!c)
		return ask(g, d, env);
	wait_for(c, d);
	ask_next(g, c, env);
	return 0;
}

int gateway_features_seen(struct gateway *g, struct gateway_dev *d,
			  const struct presence_info *info,
			  struct gateway_env *env)
{
	const char *key = caps_key(env->arena, info);
	bool pending = d->asked || d->waits;
	char *copy;

	if (!key)
		return ENOMEM;
	if (info->has_caps)
		d->bundles = gateway_node_bundles(info->caps.node);
	/* Presence without caps does not take back those of before. */
	if ((d->known || pending) && (!*key || !strcmp(key, d->caps_key)))
		return 0;
	copy = strdup(key);
	if (!copy)
		return ENOMEM;
	gateway_features_forget(g, d, env);
	free(d->caps_key);
	d->caps_key = copy;
	d->known = false;
	return new_caps(g, d, env);
}

/* --- answers ------------------------------------------------------------- */

static unsigned features_of(const struct disco_info *info)
{
	unsigned f = 0;

	if (disco_says(info, NS_JMI))
		f |= FEATURE_JMI;
	if (disco_says(info, NS_RTP) && disco_says(info, NS_ICE_UDP))
		f |= FEATURE_CALLS;
	if (disco_says(info, NS_CARBONS))
		f |= FEATURE_CARBONS;
	return f;
}

static void entry_knows(struct gateway *g, struct gateway_caps *c,
			unsigned features)
{
	c->known = true;
	c->features = features;
	DL_DELETE(g->asking, c);
	while (c->waiting) {
		struct gateway_dev *d = c->waiting;

		wait_no_more(d);
		dev_knows(d, features);
	}
}

static struct gateway_dev *find_asked(const struct gateway *g,
				      const struct stanza *s)
{
	const struct gateway_user *u = gateway_user_find(g, s->from.bare);
	struct gateway_dev *d;

	if (!u || !s->id)
		return NULL;
	DL_FOREACH(u->devs, d)
		if (d->asked && !strcmp(d->asked, s->id) &&
		    !strcmp(d->jid, s->from.full))
			return d;
	return NULL;
}

int gateway_answer(struct gateway *g, const struct stanza *s,
		   struct gateway_env *env)
{
	struct gateway_dev *d = find_asked(g, s);
	struct disco_info info;
	char ver[DISCO_VER_SIZE];
	struct gateway_caps *c;
	bool read;

	g->now = env->now;
	if (!d)
		return 0;
	c = d->waits;
	read = !strcmp(s->type, "result") &&
	       !disco_parse(env->arena, s->elem, &info, NULL);
	if (c && read && !disco_ver(env->arena, &info, ver) &&
	    !strcmp(ver, c->key + strlen(VERIFIABLE))) {
		entry_knows(g, c, features_of(&info));
		return gateway_done(env, 0);
	}
	gateway_features_forget(g, d, env);
	/* An error is an answer, too: it does not know disco. */
	dev_knows(d, read ? features_of(&info) : 0);
	return gateway_done(env, 0);
}

/* --- time ---------------------------------------------------------------- */

void gateway_features_tick(struct gateway *g, struct gateway_env *env)
{
	while (g->asking && env->now - g->asking->asked_at >= ASK_TIMEOUT_MS)
		gateway_features_forget(g, g->asking->waiting, env);
}

int64_t gateway_features_deadline(const struct gateway *g)
{
	return g->asking ? g->asking->asked_at + ASK_TIMEOUT_MS : INT64_MAX;
}

void gateway_features_free(struct gateway *g)
{
	struct gateway_caps *c, *next;

	HASH_ITER(hh, g->caps, c, next)
		entry_free(g, c);
}
