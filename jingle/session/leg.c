/* leg.c: a leg's life: states, devices, what it owns (see leg.h). */
#include "jingle/session/leg.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "jingle/session/leg_private.h"

#define BIT(s) (1u << (s))

const unsigned leg_may[LEG_STATES] = {
	[LEG_IDLE] = BIT(LEG_PROPOSED) | BIT(LEG_OFFERED) | BIT(LEG_RINGING) |
		     BIT(LEG_ENDED),
	[LEG_PROPOSED] = BIT(LEG_PROCEEDED) | BIT(LEG_ENDED),
	[LEG_PROCEEDED] = BIT(LEG_OFFERED) | BIT(LEG_ACTIVE) | BIT(LEG_ENDED),
	[LEG_OFFERED] = BIT(LEG_ACTIVE) | BIT(LEG_ENDED),
	[LEG_RINGING] = BIT(LEG_ANSWERED) | BIT(LEG_ACTIVE) | BIT(LEG_ENDED),
	[LEG_ANSWERED] = BIT(LEG_INITIATED) | BIT(LEG_ACTIVE) |
			 BIT(LEG_ENDED),
	[LEG_INITIATED] = BIT(LEG_ACTIVE) | BIT(LEG_ENDED),
	[LEG_ACTIVE] = BIT(LEG_ENDED),
	[LEG_ENDED] = BIT(LEG_IDLE),
};

const char *leg_state_name(enum leg_state s)
{
	static const char *const names[LEG_STATES] = {
		"idle", "proposed", "proceeded", "offered", "ringing",
		"answered", "initiated", "active", "ended",
	};

	return s < LEG_STATES ? names[s] : "?";
}

void leg_set_state(struct leg *l, enum leg_state to)
{
	assert(leg_may[l->state] & BIT(to));
	l->state = to;
}

void leg_assign(struct leg *l, char **slot, const char *value)
{
	char *copy = NULL;

	if (value) {
		copy = strdup(value);
		if (!copy)
			l->failed = true;
	}
	free(*slot);
	*slot = copy;
}

void *leg_record(struct leg *l, size_t size, const struct leg_text *texts,
		 size_t n)
{
	const struct leg_text *t;
	size_t bytes = size;
	char *record, *to;

	for (t = texts; t < texts + n; t++)
		bytes += t->text ? strlen(t->text) + 1 : 0;
	record = calloc(1, bytes);
	if (!record) {
		l->failed = true;
		return NULL;
	}
	to = record + size;
	for (t = texts; t < texts + n; t++) {
		if (!t->text)
			continue;
		memcpy(record + t->at, &to, sizeof(to));
		to = stpcpy(to, t->text) + 1;
	}
	return record;
}

const char *leg_address(const struct leg *l, struct arena *a)
{
	if (l->dialed)
		return l->dialed;
	return arena_join(a, l->own, "/", l->resource);
}

void leg_speak_as(struct leg *l, const char *full, bool gateway)
{
	size_t bare = strcspn(full, "/");
	char *own = strndup(full, bare);
	char *resource = strdup(full[bare] ? full + bare + 1 : "");

	l->gateway = gateway;
	if (!own || !resource) {
		/* A leg without an address could not even be ended. */
		l->failed = true;
		free(own);
		free(resource);
		return;
	}
	free(l->own);
	l->own = own;
	free(l->resource);
	l->resource = resource;
}

int leg_init(struct leg *l, const char *user, const char *own,
	     const char *resource, bool gateway)
{
	memset(l, 0, sizeof(*l));
	leg_assign(l, &l->user, user);
	leg_assign(l, &l->own, own);
	leg_assign(l, &l->resource, resource);
	l->gateway = gateway;
	return l->failed ? ENOMEM : 0;
}

static void free_devices(struct leg *l)
{
	struct leg_device *d;

	while ((d = l->devices)) {
		l->devices = d->next;
		free(d->jid);
		free(d->sid);
		free(d);
	}
}

/* What media had of them leg_forget_ours() has freed. */
static void free_contents(struct leg *l)
{
	struct leg_content *c;

	while ((c = l->contents)) {
		l->contents = c->next;
		free(c->name);
		free(c->his);
		free(c->ufrag);
		free(c->pwd);
		free(c);
	}
}

void leg_drop_kept(struct leg *l)
{
	struct leg_early *e;

	while ((e = l->early)) {
		l->early = e->next;
		xml_kept_free(e->kept);
		free(e->device);
		free(e);
	}
	l->early_n = 0;
	l->early_bytes = 0;
	xml_kept_free(l->offer);
	l->offer = NULL;
}

static void free_iqs(struct leg *l)
{
	struct leg_relayed *r;
	struct leg_sent *s;

	while ((r = l->relayed)) {
		l->relayed = r->next;
		free(r);
	}
	while ((s = l->sent)) {
		l->sent = s->next;
		free(s);
	}
	l->sent_n = 0;
}

static void free_round(struct leg *l)
{
	leg_forget_ours(l);
	free_devices(l);
	free_contents(l);
	leg_drop_kept(l);
	free_iqs(l);
}

void leg_clear(struct leg *l)
{
	free_round(l);
	free(l->user);
	free(l->own);
	free(l->resource);
	free(l->dialed);
	free(l->sid);
	free(l->old_sid);
	free(l->device);
	memset(l, 0, sizeof(*l));
}

void leg_reset(struct leg *l, enum leg_role role, uint32_t nonce)
{
	if (l->state != LEG_IDLE)
		leg_set_state(l, LEG_IDLE);
	free_round(l);
	if (l->sid) {
		free(l->old_sid);
		l->old_sid = l->sid;
		l->sid = NULL;
	}
	free(l->device);
	l->device = NULL;
	free(l->dialed);
	l->dialed = NULL;
	l->role = role;
	l->jmi = l->restored = l->finish_due = l->finished = false;
	l->away = l->fingerprints = false;
	l->turned = l->absent = l->stranger = false;
	l->returned = 0;
	l->media = 0;
	l->nonce = nonce;
	l->next_id = l->next_relay = 0;
}

struct leg_device *leg_find_device(const struct leg *l, const char *jid)
{
	struct leg_device *d;

	for (d = l->devices; d; d = d->next)
		if (str_eq(d->jid, jid))
			return d;
	return NULL;
}

struct leg_device *leg_add_device(struct leg *l, const char *jid)
{
	struct leg_device *d, **at = &l->devices;
	unsigned n = 0;

	for (; *at; at = &(*at)->next)
		n++;
	if (n >= LEG_DEVICES_MAX)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (d)
		d->jid = strdup(jid);
	if (!d || !d->jid) {
		free(d);
		l->failed = true;
		return NULL;
	}
	*at = d;
	return d;
}

const char *leg_device_sid(const struct leg *l, const struct leg_device *d)
{
	return d->sid ? d->sid : l->sid;
}

unsigned leg_ringable(const struct leg *l)
{
	const struct leg_device *d;
	unsigned n = 0;

	for (d = l->devices; d; d = d->next)
		if (!d->done && !d->gone)
			n++;
	return n;
}

const char *leg_wants_offer(const struct leg *l)
{
	const struct leg_device *d;

	for (d = l->devices; d; d = d->next)
		if (d->plain && !d->done && !d->initiated)
			return d->jid;
	return NULL;
}

bool leg_bundles(const struct leg *l)
{
	const struct leg_device *d;

	for (d = l->devices; d; d = d->next)
		if ((l->device ? str_eq(d->jid, l->device) : !d->done) &&
		    !d->bundles)
			return false;
	return true;
}

void leg_keep_offer(struct leg *l, const struct xml_elem *tree)
{
	xml_kept_free(l->offer);
	l->offer = xml_keep(tree, 0);
	if (!l->offer)
		l->failed = true;
}

static void drop_oldest(struct leg *l)
{
	struct leg_early *e = l->early;

	l->early = e->next;
	l->early_n--;
	l->early_bytes -= arena_used(e->kept->arena);
	xml_kept_free(e->kept);
	free(e->device);
	free(e);
}

_Static_assert(LEG_RELAYED_MAX <= LEG_EARLY_MAX,
	       "what waits for an answer is never one too many");

static bool is_full(const struct leg *l, const struct xml_kept *more)
{
	return l->early_bytes + arena_used(more->arena) > LEG_EARLY_BYTES;
}

void leg_keep(struct leg *l, const struct xml_elem *tree,
	      enum jingle_action action, unsigned relay, const char *device)
{
	struct leg_early *e, **at;

	e = calloc(1, sizeof(*e));
	if (e) {
		e->action = action;
		e->relay = relay;
		e->kept = xml_keep(tree, LEG_KEPT_BYTES);
		e->device = device ? strdup(device) : NULL;
	}
	if (!e || !e->kept || (device && !e->device) ||
	    (relay && is_full(l, e->kept))) {
		if (e) {
			xml_kept_free(e->kept);
			free(e->device);
		}
		free(e);
		return;
	}
	for (at = &l->early; *at; at = &(*at)->next)
		;
	*at = e;
	l->early_n++;
	l->early_bytes += arena_used(e->kept->arena);
	while (l->early_n > LEG_EARLY_MAX || l->early_bytes > LEG_EARLY_BYTES)
		drop_oldest(l);
}

struct xml_elem *leg_take_kept(struct leg *l, const char *device,
			       enum jingle_action *action_r,
			       unsigned *relay_r, struct arena *a)
{
	struct leg_early *e, **at;
	struct xml_elem *copy;

	for (at = &l->early; (e = *at); at = &e->next)
		if (!device || str_eq(e->device, device))
			break;
	if (!e)
		return NULL;
	*at = e->next;
	l->early_n--;
	l->early_bytes -= arena_used(e->kept->arena);
	*action_r = e->action;
	*relay_r = e->relay;
	copy = xml_copy(a, e->kept->elem);
	xml_kept_free(e->kept);
	free(e->device);
	free(e);
	return copy;
}

void leg_check(const struct leg *l)
{
	const struct leg_content *c;
	const struct leg_device *d;
	unsigned n = 0;

	for (c = l->contents; c; c = c->next)
		assert(!c->home || (c->transport && c->home != c->transport));
	for (d = l->devices; d; d = d->next) {
		assert(d->jid);
		n++;
	}
	assert(n <= LEG_DEVICES_MAX);
	assert(l->early_n <= LEG_EARLY_MAX);
	assert(l->relayed_n <= LEG_RELAYED_MAX);
	assert(l->state == LEG_ACTIVE || !l->relayed_n);
	if (l->failed)
		return;
	assert(l->user && l->own && l->resource);
	switch (l->state) {
	case LEG_PROPOSED:
	case LEG_PROCEEDED:
	case LEG_OFFERED:
		assert(l->role == LEG_CALLER && l->device && l->sid);
		break;
	case LEG_RINGING:
		assert(l->role == LEG_CALLEE && l->sid && l->devices);
		break;
	case LEG_ANSWERED:
	case LEG_INITIATED:
		assert(l->role == LEG_CALLEE && l->device && l->sid);
		break;
	case LEG_ACTIVE:
		assert(l->device && l->sid);
		break;
	case LEG_IDLE:
		assert(!l->device && !l->devices);
		break;
	default:
		break;
	}
}

void leg_check_homes(const struct leg *l, const struct leg *other)
{
	const struct leg_content *c;

	for (c = l->contents; c; c = c->next)
		assert(!c->transport || !leg_is_paired(other, c->name) ||
		       leg_home(other, c->name) == leg_home(l, c->name));
}
