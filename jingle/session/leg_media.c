/* leg_media.c: a leg whose ICE ends with us.
 *
 * What this user is told of transports is ours: credentials and candidates;
 * of the other side's <transport/> the fingerprints alone pass. So nothing is
 * taken out that we know of and the rest left in: what we do not know might
 * hold an address (X5). What this user says of his own goes to the call, for
 * the media process. Transports are numbered by the call; contents that share
 * one (BUNDLE) share its number, and the first of them speaks for it.
 */
#include <stdlib.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/rtp.h"

void leg_end_ice(struct leg *l, bool dtls)
{
	l->ends_ice = true;
	l->ends_dtls = dtls;
}

/* Another transport may be of another device. */
static void set_transport(struct leg *l, struct leg_content *c, int transport)
{
	if (!transport) {
		leg_assign(l, &c->print, NULL);
		leg_assign(l, &c->says, NULL);
	}
	c->transport = transport;
	c->home = 0;
}

void leg_forget_ours(struct leg *l)
{
	struct leg_content *c;
	unsigned i;

	for (i = 0; i < LEG_TRANSPORTS_MAX; i++)
		leg_set_ours(l, i, NULL, NULL);
	free(l->ours);
	l->ours = NULL;
	for (c = l->contents; c; c = c->next)
		set_transport(l, c, 0);
	l->ends_ice = l->ends_dtls = false;
}

const struct leg_ours *leg_ours(const struct leg *l, unsigned number)
{
	const struct leg_ours *o = l->ours ? &l->ours[number] : NULL;

	return o && o->ufrag && o->pwd && (o->print || !l->ends_dtls) ? o :
									 NULL;
}

void leg_set_ours(struct leg *l, unsigned number, const char *ufrag,
		  const char *pwd)
{
	if (!l->ours && !ufrag && !pwd)
		return;
	if (!l->ours)
		l->ours = calloc(LEG_TRANSPORTS_MAX, sizeof(*l->ours));
	if (!l->ours) {
		l->failed = true;
		return;
	}
	leg_assign(l, &l->ours[number].ufrag, ufrag);
	leg_assign(l, &l->ours[number].pwd, pwd);
	if (!ufrag)
		leg_assign(l, &l->ours[number].print, NULL);
}

void leg_set_print(struct leg *l, unsigned number, const char *print)
{
	if (l->ours)
		leg_assign(l, &l->ours[number].print, print);
}

void leg_set_transport(struct leg *l, const char *name, int number)
{
	struct leg_content *c = leg_find_content(l, name);

	if (!c && number >= 0)
		c = leg_add_content(l, name);
	if (c)
		set_transport(l, c, number + 1);
}

void leg_drop_transport(struct leg *l, unsigned number)
{
	struct leg_content *c;

	leg_set_ours(l, number, NULL, NULL);
	for (c = l->contents; c; c = c->next)
		if (c->transport == (int)number + 1)
			set_transport(l, c, 0);
		else if (c->home == (int)number + 1)
			c->home = 0;
}

int leg_transport(const struct leg *l, const char *name)
{
	const struct leg_content *c = leg_find_content(l, name);

	return c ? c->transport - 1 : -1;
}

void leg_set_home(struct leg *l, const char *name, int number)
{
	struct leg_content *c = leg_find_content(l, name);

	if (c)
		c->home = number + 1 == c->transport ? 0 : number + 1;
}

static int home_of(const struct leg_content *c)
{
	return (c->home ? c->home : c->transport) - 1;
}

int leg_home(const struct leg *l, const char *name)
{
	const struct leg_content *c = leg_find_content(l, name);

	return c ? home_of(c) : -1;
}

int leg_joins(const struct leg *l, int number, bool *video_r,
	      struct arena *a)
{
	const struct leg_content *c = l->contents;
	struct rtp_description d;

	while (c && (c->transport != number + 1 || !c->home))
		c = c->next;
	if (!c || leg_says(l, c->name, &d, a))
		return -1;
	*video_r = str_eq(d.media, "video");
	return c->home - 1;
}

bool leg_has_joined(const struct leg *l, const struct leg *other)
{
	const struct leg_content *c = l->contents;

	while (c && (!c->home || !leg_is_paired(other, c->name)))
		c = c->next;
	return c;
}

bool leg_hosts(const struct leg *l, unsigned number)
{
	const struct leg_content *c = l->contents;

	while (c && c->home != (int)number + 1)
		c = c->next;
	return c;
}

bool leg_is_apart(const struct leg *l, int home)
{
	const struct leg_content *c, *first = NULL;

	for (c = l->contents; c; c = c->next) {
		if (home_of(c) != home)
			continue;
		if (first && first->transport != c->transport)
			return true;
		first = c;
	}
	return false;
}

bool leg_knows(const struct leg *l, const char *name)
{
	return leg_find_content(l, name);
}

const struct leg_content *leg_first_of(const struct leg *l, int number)
{
	const struct leg_content *c = l->contents;

	while (c && c->transport != number + 1)
		c = c->next;
	return c;
}

bool leg_uses(const struct leg *l, int number)
{
	return leg_first_of(l, number) != NULL;
}

int leg_shares(const struct leg *l, const char *name)
{
	const struct leg_content *mine = leg_find_content(l, name), *c;

	for (c = l->contents; c && c != mine; c = c->next)
		if (c->transport && mine && str_eq(c->ufrag, mine->ufrag) &&
		    str_eq(c->pwd, mine->pwd))
			return c->transport - 1;
	return -1;
}

/* --- what he says of his ----------------------------------------------- */

static void tell_ice(const struct leg_content *c, struct ice_transport *ice,
		     struct leg_env *env)
{
	struct leg_action *a = leg_tell(env, LEG_R_ICE);

	if (!a)
		return;
	a->number = (unsigned)c->transport - 1;
	a->ice = ice;
}

void leg_take_ice(struct leg *l, const struct xml_elem *tree,
		  struct leg_env *env)
{
	const struct leg_content *c;
	struct ice_transport *ice;
	struct xml_elem *e, *t;
	struct why why;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		c = leg_find_content(l, xml_get(e, "name"));
		t = xml_child(e, NS_ICE_UDP, "transport");
		ice = arena_alloc(env->arena, sizeof(*ice));
		if (!c || !c->transport || !t || !ice ||
		    ice_udp_parse(env->arena, t, ice, &why))
			continue;
		/* Of what was bundled away the credentials mean nothing. */
		if (leg_first_of(l, c->transport - 1) != c || !ice->ufrag)
			ice->pwd = NULL;
		tell_ice(c, ice, env);
	}
}

void leg_take_known(struct leg *l, int number, struct leg_env *env)
{
	const struct leg_content *c;
	struct ice_transport *ice;

	for (c = l->contents; c; c = c->next) {
		if (number >= 0 && c->transport != number + 1)
			continue;
		ice = arena_alloc(env->arena, sizeof(*ice));
		if (!ice || !c->transport || !c->ufrag ||
		    leg_first_of(l, c->transport - 1) != c)
			continue;
		ice->ufrag = c->ufrag;
		ice->pwd = c->pwd;
		tell_ice(c, ice, env);
	}
}

/* --- what he is told of ours -------------------------------------------- */

static void add_candidates(struct xml_elem *t, unsigned number,
			   const struct leg_env *env)
{
	const struct leg_candidate *o;
	struct arena *a = env->arena;
	struct xml_elem *e;
	unsigned i;

	for (i = 0; i < env->candidates_n; i++) {
		o = &env->candidates[i];
		e = xml_add(a, t, NS_ICE_UDP, "candidate");
		xml_set(a, e, "component", "1");
		xml_set(a, e, "foundation", o->foundation);
		xml_set(a, e, "generation", "0");
		xml_set(a, e, "id", arena_printf(a, "c%u-%u", number, i));
		xml_set(a, e, "ip", o->ip);
		xml_set(a, e, "network", "0");
		xml_set(a, e, "port", arena_printf(a, "%u", o->port));
		xml_set(a, e, "priority", arena_printf(a, "%u", o->priority));
		xml_set(a, e, "protocol", "udp");
		xml_set(a, e, "type", o->rel_ip ? "srflx" : "host");
		if (!o->rel_ip)
			continue;
		xml_set(a, e, "rel-addr", o->rel_ip);
		xml_set(a, e, "rel-port", arena_printf(a, "%u", o->rel_port));
	}
}

static struct xml_elem *our_transport(struct leg *l, struct xml_elem *content,
				      int number, const struct leg_env *env)
{
	struct xml_elem *t = xml_add(env->arena, content, NS_ICE_UDP,
				     "transport");
	const struct leg_ours *o = leg_ours(l, (unsigned)number);

	xml_set(env->arena, t, "ufrag", o ? o->ufrag : NULL);
	xml_set(env->arena, t, "pwd", o ? o->pwd : NULL);
	return t;
}

static bool negotiates(enum jingle_action action)
{
	return action == JINGLE_SESSION_INITIATE ||
	       action == JINGLE_SESSION_ACCEPT ||
	       action == JINGLE_CONTENT_ADD ||
	       action == JINGLE_CONTENT_ACCEPT;
}

static bool ends_content(enum jingle_action action)
{
	return action == JINGLE_CONTENT_REJECT ||
	       action == JINGLE_CONTENT_REMOVE;
}

static bool is_fingerprint(const struct xml_elem *e)
{
	return xml_is(e, NS_DTLS, "fingerprint") ||
	       xml_is(e, NS_OMEMO_DTLS, "fingerprint");
}

static bool has_fingerprint(const struct xml_elem *t)
{
	const struct xml_elem *e = xml_child(t, NULL, "fingerprint");

	while (e && !is_fingerprint(e))
		e = xml_next(e, NULL, "fingerprint");
	return e;
}

static void pass_fingerprints(const struct xml_elem *from, struct xml_elem *to,
			      struct arena *a)
{
	const struct xml_elem *e = xml_child(from, NULL, "fingerprint");

	for (; e; e = xml_next(e, NULL, "fingerprint"))
		if (is_fingerprint(e))
			xml_append(to, xml_copy_sharing(a, e));
}

void leg_hide(struct leg *l, const struct leg_content *c,
	      struct xml_elem *content, enum jingle_action action,
	      const struct leg_env *env)
{
	struct xml_elem *t, *his = NULL, *ours;

	while ((t = xml_child(content, NULL, "transport"))) {
		xml_remove(content, t);
		if (xml_is(t, NS_ICE_UDP, NULL))
			his = t;
	}
	if (!his || !c)
		return;
	if (!c->transport) {
		/* Conversations ends the call on a rejected or removed
		 * content without. */
		if (ends_content(action))
			xml_add(env->arena, content, NS_ICE_UDP, "transport");
		return;
	}
	ours = our_transport(l, content, c->transport - 1, env);
	if (!l->ends_dtls)
		pass_fingerprints(his, ours, env->arena);
	else if (has_fingerprint(his))
		leg_add_print(l, c, ours, action, env->arena);
	if (negotiates(action))
		add_candidates(ours, (unsigned)c->transport - 1, env);
}

void leg_say_ours(struct leg *l, unsigned number, struct leg_env *env)
{
	const struct leg_content *c;
	struct xml_elem *iq, *j, *e;

	iq = leg_jingle(l, env, l->device, l->sid, JINGLE_TRANSPORT_INFO, &j);
	for (c = l->contents; c; c = c->next) {
		if (c->transport != (int)number + 1)
			continue;
		e = xml_add(env->arena, j, NS_JINGLE, "content");
		xml_set(env->arena, e, "creator", c->spelled ? c->spelled :
			c->by_callee != l->turned ? "responder" :
						    "initiator");
		xml_set(env->arena, e, "name", c->his ? c->his : c->name);
		add_candidates(our_transport(l, e, (int)number, env), number,
			       env);
	}
	leg_ask(l, env, iq, l->device, JINGLE_TRANSPORT_INFO, 0,
		LEG_SEND_AFTER);
}
