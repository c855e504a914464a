/* bundle.c: which devices are known to use BUNDLE (XEP-0338), for `media =
 * auto`.
 *
 * By the caps node of their clients, until a device's answer to a group shows
 * that it is otherwise. Disco says nothing of it: Dino lists no grouping and
 * neither do others that bundle, and who lists it may leave it. What an answer
 * shows holds for devices of the same user with the same caps: who makes up
 * answers, or caps of another client, changes his own calls alone, and a new
 * release of a client is looked up anew.
 */
#include "mod_privatecall/presence/gateway_private.h"

#include <stdlib.h>
#include <string.h>

bool gateway_node_bundles(const char *node)
{
	/* With http or https, as their releases go, and "/" behind or not. */
	static const char *const nodes[] = {
		"conversations.im",        /* and its forks */
		"monal-im.org",
		"movim.eu",
		"stanzajs.org",
		"tigase.org/TigaseSwiftX", /* Siskin, Snikket iOS */
	};
	const char *at = node ? strstr(node, "://") : NULL;
	size_t len, i;

	if (!at || strncmp(node, "http", 4) != 0)
		return false;
	at += 3;
	len = strlen(at);
	len -= len && at[len - 1] == '/';
	for (i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		if (strlen(nodes[i]) == len && !memcmp(at, nodes[i], len))
			return true;
	return false;
}

static struct gateway_answer *find(const struct gateway *g,
				   const struct gateway_dev *d,
				   struct arena *a, char **key_r)
{
	struct gateway_answer *n = NULL;

	*key_r = arena_join(a, d->user->bare, " ", d->caps_key);
	if (*key_r)
		HASH_FIND_STR(g->answers, *key_r, n);
	return n;
}

bool gateway_bundles(const struct gateway *g, const struct gateway_dev *d,
		     struct arena *a)
{
	char *key;
	const struct gateway_answer *n = find(g, d, a, &key);

	return n ? n->bundles : d->bundles;
}

static void forget(struct gateway *g, struct gateway_answer *n)
{
	HASH_DEL(g->answers, n);
	free(n->key);
	free(n);
}

void gateway_learn_bundles(struct gateway *g, const char *device,
			   bool bundles, struct arena *a)
{
	char *bare = arena_strndup(a, device, strcspn(device, "/")), *key;
	struct gateway_user *u = bare ? gateway_user_find(g, bare) : NULL;
	struct gateway_dev *d = u ? gateway_mirror_find(u, device) : NULL;
	struct gateway_answer *n = d ? find(g, d, a, &key) : NULL;

	if (n || !d || !key) {
		if (n)
			n->bundles = bundles;
		return;
	}
	if (HASH_COUNT(g->answers) >= GATEWAY_BUNDLES_MAX)
		forget(g, g->answers);
	n = calloc(1, sizeof(*n));
	if (!n)
		return;
	n->bundles = bundles;
	n->key = strdup(key);
	if (n->key)
		HASH_ADD_KEYPTR(hh, g->answers, n->key, strlen(n->key), n);
	if (n->key && !n->unhashed)
		return;
	free(n->key);
	free(n);
}

void gateway_bundles_free(struct gateway *g)
{
	struct gateway_answer *n, *next;

	HASH_ITER(hh, g->answers, n, next)
		forget(g, n);
}
