/* leg_content.c: contents of a leg's session and what relaying repairs.
 *
 * Clients match contents by name and differ in `creator` (Dino writes
 * "initiator" even for what the responder adds), leave pwd out of
 * transport-info (stanza.js) though others drop candidates without it, and
 * send gathering-complete or empty transport-infos that others misread as an
 * ICE restart. A content-reject of stanza.js names no content, so all that the
 * other waits for is rejected. The creator is the same word in both legs: the
 * callee answers on his leg and we answer for him on the caller's. aiortc gives
 * one number to two header extensions on one transport, for which browsers
 * refuse the whole offer.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/text.h"

struct leg_content *leg_find_content(const struct leg *l, const char *name)
{
	struct leg_content *c;

	for (c = l->contents; c; c = c->next)
		if (str_eq(c->name, name))
			return c;
	return NULL;
}

struct leg_content *leg_find_his(const struct leg *l, const char *name)
{
	struct leg_content *c;

	for (c = l->contents; c; c = c->next)
		if (str_eq(c->his ? c->his : c->name, name))
			return c;
	return NULL;
}

const char *leg_other_name(const struct leg *l, const struct leg *other,
			   const char *name, struct arena *a)
{
	while (name && (leg_find_content(l, name) ||
			leg_find_content(other, name)))
		name = arena_join(a, "+", name, "");
	return name ? name : "";
}

struct leg_content *leg_add_content(struct leg *l, const char *name)
{
	struct leg_content *c, **at = &l->contents;
	unsigned n = 0;

	for (; *at; at = &(*at)->next)
		n++;
	if (n >= LEG_CONTENTS_MAX)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c)
		c->name = strdup(name);
	if (!c || !c->name) {
		free(c);
		l->failed = true;
		return NULL;
	}
	*at = c;
	return c;
}

const char *leg_creator(const char *word)
{
	if (str_eq(word, "initiator"))
		return "initiator";
	return str_eq(word, "responder") ? "responder" : NULL;
}

static const char *creator_word(bool by_callee)
{
	return by_callee ? "responder" : "initiator";
}

/* Where his name is another content's in both legs, both call it otherwise. */
static struct leg_content *add_his(struct leg *l, const char *name)
{
	struct leg_content *c;
	char other[JINGLE_NAME_MAX + 2];

	if (!leg_find_content(l, name))
		return leg_add_content(l, name);
	snprintf(other, sizeof(other), "+%s", name);
	c = leg_find_content(l, other) ? NULL : leg_add_content(l, other);
	if (c)
		leg_assign(l, &c->his, name);
	return c;
}

int leg_learn(struct leg *l, const struct jingle *j)
{
	const struct jingle_content *jc;
	struct leg_content *c;
	unsigned i;

	for (i = 0; i < j->contents; i++) {
		jc = &j->content[i];
		c = leg_find_his(l, jc->name);
		if (!c) {
			c = add_his(l, jc->name);
			if (!c)
				return EOVERFLOW;
			c->by_callee = (str_eq(jc->creator, "responder") &&
					j->action !=
					JINGLE_SESSION_INITIATE) != l->turned;
		}
		/* Also a name that was refused or removed before. */
		if (j->action == JINGLE_CONTENT_ADD)
			c->by_callee = (l->role == LEG_CALLEE) != l->turned;
		if (jc->creator)
			c->spelled = leg_creator(jc->creator);
	}
	return 0;
}

/* After the repair: a new ufrag is news (an ICE restart) only once. */
static void learn_keys(struct leg *l, struct leg_content *c,
		       const struct jingle_content *jc)
{
	c->fingerprint = c->fingerprint || jc->fingerprint;
	if (!jc->ufrag || !jc->pwd)
		return;
	leg_assign(l, &c->ufrag, jc->ufrag);
	leg_assign(l, &c->pwd, jc->pwd);
}

/* True when the content of a transport-info says nothing another client
 * should act on. */
static bool is_empty(const struct leg_content *c,
		     const struct jingle_content *jc)
{
	const struct xml_elem *e;

	if (!jc->transport)
		return true;
	if (jc->fingerprint && !c->fingerprint)
		return false;
	/* Before the accept there is nothing to restart. */
	if (jc->ufrag && c->ufrag && strcmp(jc->ufrag, c->ufrag) != 0)
		return false;
	for (e = jc->transport->first; e; e = e->next)
		if (e->name && strcmp(e->name, "gathering-complete") != 0 &&
		    strcmp(e->name, "fingerprint") != 0)
			return false;
	return true;
}

static void repair_transport(const struct leg_content *c, struct xml_elem *t,
			     bool ours, struct arena *a)
{
	struct xml_elem *e;
	const char *ufrag = xml_get(t, "ufrag");

	e = xml_child(t, NS_ICE_UDP, "gathering-complete");
	if (e && !ours)
		xml_remove(t, e);
	if (!c->pwd || !c->ufrag || xml_get(t, "pwd"))
		return;
	if (ufrag && strcmp(ufrag, c->ufrag) != 0)
		return;
	xml_set(a, t, "ufrag", c->ufrag);
	xml_set(a, t, "pwd", c->pwd);
}

/* Group (XEP-0338), and what is said to be muted. */
static void name_rest(const struct leg *l, struct xml_elem *e, bool in,
		      struct arena *a)
{
	struct leg_content *c;

	if (xml_is(e, NS_GROUPING, "group")) {
		for (e = xml_child(e, NS_GROUPING, "content"); e;
		     e = xml_next(e, NS_GROUPING, "content"))
			name_rest(l, e, in, a);
		return;
	}
	if (!xml_is(e, NS_GROUPING, "content") && !xml_is(e, NS_RTP_INFO, NULL))
		return;
	c = in ? leg_find_his(l, xml_get(e, "name")) :
		 leg_find_content(l, xml_get(e, "name"));
	if (c && c->his)
		xml_set(a, e, "name", in ? c->name : c->his);
}

void leg_names_in(const struct leg *l, struct xml_elem *tree, struct arena *a)
{
	struct leg_content *c;
	struct xml_elem *e;

	for (e = xml_child(tree, NULL, NULL); e; e = xml_next(e, NULL, NULL)) {
		name_rest(l, e, true, a);
		c = xml_is(e, NS_JINGLE, "content") ?
			leg_find_his(l, xml_get(e, "name")) : NULL;
		if (!c)
			continue;
		xml_set(a, e, "name", c->name);
		xml_set(a, e, "creator", creator_word(c->by_callee));
	}
}

bool leg_owes_answer(const struct leg *l)
{
	const struct leg_content *c = l->contents;

	while (c && !c->offered)
		c = c->next;
	return c;
}

static void name_offered(struct leg *l, struct xml_elem *tree,
			 struct arena *a)
{
	struct xml_elem *reason = xml_child(tree, NS_JINGLE, "reason"), *e;
	struct leg_content *c;

	if (reason)
		xml_remove(tree, reason);
	for (c = l->contents; c; c = c->next) {
		if (!c->offered)
			continue;
		c->offered = false;
		e = xml_add(a, tree, NS_JINGLE, "content");
		xml_set(a, e, "name", c->his ? c->his : c->name);
	}
	if (reason)
		xml_append(tree, reason);
}

static bool answers_content(enum jingle_action action)
{
	return action == JINGLE_CONTENT_ACCEPT ||
	       action == JINGLE_CONTENT_REJECT;
}

#define EXT_NUMBERS 256            /* that packets have (RFC 8285, 4.3) */

/* 0: it is none of them. */
static uint32_t ext_number(const struct xml_elem *h)
{
	uint32_t n;

	return text_number(xml_get(h, "id"), EXT_NUMBERS - 1, &n) ? 0 : n;
}

static void note_exts(const struct xml_elem *d, const char **uri)
{
	const struct xml_elem *h;
	uint32_t n;

	for (h = xml_child(d, NS_HDREXT, "rtp-hdrext"); h;
	     h = xml_next(h, NS_HDREXT, "rtp-hdrext")) {
		n = ext_number(h);
		if (!uri[n])
			uri[n] = xml_get(h, "uri");
	}
}

/* What has a number that is another extension's. */
static void drop_taken(struct xml_elem *d, const char *const *uri)
{
	struct xml_elem *h, *next;
	uint32_t n;

	for (h = xml_child(d, NS_HDREXT, "rtp-hdrext"); h; h = next) {
		next = xml_next(h, NS_HDREXT, "rtp-hdrext");
		n = ext_number(h);
		if (n && uri[n] && !str_eq(xml_get(h, "uri"), uri[n]))
			xml_remove(d, h);
	}
}

/* RFC 8843, 12: a number means the same throughout a BUNDLE group. What is
 * not offered is not answered, and so not sent. By a table: each with each
 * took 50 ms, with as many as an offer can have. */
static void repair_exts(struct xml_elem *tree, struct arena *a)
{
	const struct xml_elem *first = xml_child(tree, NS_JINGLE, "content");
	const struct xml_elem *e, *f;

	for (e = first; e; e = xml_next(e, NS_JINGLE, "content")) {
		const char *uri[EXT_NUMBERS] = { NULL };

		for (f = first; f != e; f = xml_next(f, NS_JINGLE, "content"))
			if (leg_bundled(tree, xml_get(e, "name"),
					xml_get(f, "name"), a))
				note_exts(xml_child(f, NS_RTP, "description"),
					  uri);
		drop_taken(xml_child(e, NS_RTP, "description"), uri);
	}
}

struct xml_elem *leg_repair_in(struct leg *l, const struct jingle *j,
			       struct arena *a, bool *empty_r)
{
	struct xml_elem *copy = xml_copy_sharing(a, j->elem), *e, *next, *t;
	const struct jingle_content *jc;
	struct leg_content *c;
	unsigned i = 0, left = 0;

	*empty_r = false;
	if (j->action == JINGLE_CONTENT_REJECT && !j->contents)
		name_offered(l, copy, a);
	for (e = xml_child(copy, NS_JINGLE, "content"); e; e = next, i++) {
		next = xml_next(e, NS_JINGLE, "content");
		if (i >= j->contents)
			break;
		jc = &j->content[i];
		c = leg_find_his(l, jc->name);
		if (!c)
			continue;
		if (j->action == JINGLE_TRANSPORT_INFO && !l->ends_ice &&
		    is_empty(c, jc)) {
			xml_remove(copy, e);
			continue;
		}
		left++;
		if (answers_content(j->action))
			c->offered = false;
		t = xml_child(e, NS_ICE_UDP, "transport");
		if (t)
			repair_transport(c, t, l->ends_ice, a);
		learn_keys(l, c, jc);
	}
	if (j->action == JINGLE_TRANSPORT_INFO && !left) {
		*empty_r = true;
		return NULL;
	}
	if (j->action == JINGLE_SESSION_INITIATE)
		repair_exts(copy, a);
	leg_names_in(l, copy, a);
	return copy;
}

/* One of the other's. Where he has another by its name he is told of it by one
 * that is none of his yet. */
static struct leg_content *tell_of(struct leg *l, const char *name,
				   struct arena *a)
{
	struct leg_content *c = leg_find_content(l, name), *o;
	const char *his = name;

	if (!c)
		c = leg_add_content(l, name);
	if (!c || c->his)
		return c;
	while ((o = leg_find_his(l, his)) && o != c)
		his = arena_join(a, "+", his, "");
	if (his != name)
		leg_assign(l, &c->his, his);
	return c;
}

void leg_repair_out(struct leg *l, const struct xml_elem *tree,
		    enum jingle_action action, struct xml_elem *to,
		    const struct leg_env *env)
{
	const struct xml_elem *e;
	struct leg_content *c;
	struct xml_elem *copy;
	const char *name;

	for (e = tree ? tree->first : NULL; e; e = e->next) {
		copy = e->name ? xml_copy_sharing(env->arena, e) : NULL;
		if (!copy)
			continue;
		xml_append(to, copy);
		name_rest(l, copy, false, env->arena);
		if (!xml_is(copy, NS_JINGLE, "content"))
			continue;
		name = xml_get(copy, "name");
		c = name ? tell_of(l, name, env->arena) : NULL;
		if (l->ends_ice)
			leg_hide(l, c, copy, action, env);
		if (l->ends_dtls)
			leg_filter(copy);
		if (!c)
			continue;
		if (action == JINGLE_CONTENT_ADD)
			c->spelled = NULL;
		if (action == JINGLE_CONTENT_ADD ||
		    action == JINGLE_CONTENT_REMOVE)
			c->offered = action == JINGLE_CONTENT_ADD;
		if (c->his)
			xml_set(env->arena, copy, "name", c->his);
		if (!c->spelled)
			c->by_callee = str_eq(xml_get(copy, "creator"),
					      "responder");
		if (c->spelled || l->turned)
			xml_set(env->arena, copy, "creator", c->spelled ?
				c->spelled :
				creator_word(c->by_callee != l->turned));
	}
}
