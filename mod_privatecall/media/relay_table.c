/* relay_table.c: the relay's tables: calls by name, legs by ufrag, by address
 * and by the id of a check, and legs by deadline. Their sizes are set at the
 * start; entries are parts of what they find, so that none costs memory.
 */
#include "mod_privatecall/media/relay_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int table_make(struct relay *r)
{
	uint32_t size = 64, i;

	while (size < r->config.most_calls * 16)
		size *= 2;
	r->mask = size - 1;
	r->slots = r->config.most_calls * WIRE_TRANSPORTS_MAX;
	r->names = calloc(size, sizeof(*r->names));
	r->seen = calloc(size, sizeof(*r->seen));
	r->calls = calloc(size, sizeof(*r->calls));
	r->asked = calloc(size, sizeof(*r->asked));
	r->slot = calloc(r->slots, sizeof(*r->slot));
	r->spare = calloc(r->slots, sizeof(*r->spare));
	r->heap = calloc((size_t)r->slots * WIRE_SIDES, sizeof(*r->heap));
	if (!r->names || !r->seen || !r->calls || !r->asked || !r->slot ||
	    !r->spare || !r->heap)
		return ENOMEM;
	for (i = r->slots; i > 0; i--)
		r->spare[r->spares++] = i - 1;
	return 0;
}

void table_free(struct relay *r)
{
	free(r->names);
	free(r->seen);
	free(r->calls);
	free(r->asked);
	free(r->slot);
	free(r->spare);
	free(r->heap);
}

/* With a key that nobody outside knows, so that nobody can fill a bucket. */
static uint32_t bucket(const struct relay *r, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = r->key;

	for (; len; len--, p++)
		h = (h ^ *p) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h >> 32 ^ h >> 13) & r->mask;
}

/* --- calls ------------------------------------------------------------ */

static struct call **calls_of(const struct relay *r, const char *id)
{
	return &r->calls[bucket(r, id, WIRE_CALL_SIZE - 1)];
}

struct call *table_call(const struct relay *r, const char *id)
{
	struct call *c = *calls_of(r, id);

	while (c && strcmp(c->id, id))
		c = c->next;
	return c;
}

void table_add_call(struct relay *r, struct call *c)
{
	struct call **at = calls_of(r, c->id);

	c->next = *at;
	*at = c;
	r->n_calls++;
}

void table_remove_call(struct relay *r, struct call *c)
{
	struct call **at = calls_of(r, c->id);

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	r->n_calls--;
}

/* --- ufrags ----------------------------------------------------------- */

static struct name **names_of(const struct relay *r, const void *ufrag)
{
	return &r->names[bucket(r, ufrag, ICE_OUR_UFRAG_SIZE - 1)];
}

struct leg *table_named(const struct relay *r, const void *ufrag)
{
	struct name *n = *names_of(r, ufrag);

	while (n && memcmp(n->ufrag, ufrag, ICE_OUR_UFRAG_SIZE - 1))
		n = n->next;
	return n ? n->leg : NULL;
}

static void set_name(struct relay *r, struct leg *l, struct name *n,
		     const char *ufrag)
{
	struct name **at;

	if (n->leg) {
		at = names_of(r, n->ufrag);
		while (*at != n)
			at = &(*at)->next;
		*at = n->next;
		n->leg = NULL;
	}
	if (!*ufrag)
		return;
	n->leg = l;
	memcpy(n->ufrag, ufrag, sizeof(n->ufrag));
	at = names_of(r, ufrag);
	n->next = *at;
	*at = n;
}

void table_name(struct relay *r, struct leg *l, bool none)
{
	set_name(r, l, &l->name[0], none ? "" : l->agent.current.ufrag);
	set_name(r, l, &l->name[1], none ? "" : l->agent.old.ufrag);
}

/* --- addresses -------------------------------------------------------- */

static struct seen **seen_of(const struct relay *r, const struct addr *a)
{
	unsigned char key[ADDR_IP_SIZE + 3];

	memcpy(key, a->ip, ADDR_IP_SIZE);
	key[ADDR_IP_SIZE] = (unsigned char)(a->port >> 8);
	key[ADDR_IP_SIZE + 1] = (unsigned char)a->port;
	key[ADDR_IP_SIZE + 2] = a->family;
	return &r->seen[bucket(r, key, sizeof(key))];
}

static struct seen *find_seen(const struct relay *r, const struct addr *a)
{
	struct seen *s = *seen_of(r, a);

	while (s && !addr_equal(&s->addr, a))
		s = s->next;
	return s;
}

struct leg *table_seen(const struct relay *r, const struct addr *from)
{
	struct seen *s = find_seen(r, from);

	return s && r->now < s->until ? s->leg : NULL;
}

static void free_seen(struct relay *r, struct seen *s)
{
	struct seen **at = seen_of(r, &s->addr);

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->until = 0;
}

/* Has he answered a check there? A source address can be forged, an answer
 * cannot. */
static bool is_answered(const struct leg *l, const struct addr *a)
{
	unsigned i;

	for (i = 0; i <= ICE_OLD; i++)
		if (l->agent.pair[i].state == ICE_PAIR_VALID &&
		    addr_equal(&l->agent.pair[i].addr, a))
			return true;
	return false;
}

/* A place for another address: a free one, else that heard of least lately. */
static struct seen *place(struct relay *r, struct leg *l)
{
	struct seen *s, *least = &l->seen[0];

	for (s = l->seen; s < l->seen + LEG_SEEN_MAX; s++)
		if (s->until < least->until)
			least = s;
	if (least->until)
		free_seen(r, least);
	return least;
}

void table_see(struct relay *r, struct leg *l, const struct addr *from)
{
	struct seen *s = find_seen(r, from), **at;

	if (s && s->leg != l) {
		if (r->now < s->until && ice_accepts(&s->leg->agent, from) &&
		    (is_answered(s->leg, from) || !is_answered(l, from)))
			return;
		free_seen(r, s);
		s = NULL;
	}
	if (!s) {
		s = place(r, l);
		s->leg = l;
		s->addr = *from;
		at = seen_of(r, from);
		s->next = *at;
		*at = s;
	}
	s->until = r->now + ICE_CONSENT_LOST_MS;
}

void table_forget(struct relay *r, struct leg *l)
{
	struct seen *s;

	for (s = l->seen; s < l->seen + LEG_SEEN_MAX; s++)
		if (s->until)
			free_seen(r, s);
}

/* --- ids of checks ---------------------------------------------------- */

static struct asked *asked_at(const struct relay *r, const unsigned char *id)
{
	return &r->asked[bucket(r, id, STUN_ID_SIZE) & ~(CHECK_WAYS - 1u)];
}

struct leg *table_asked(const struct relay *r, const unsigned char *id)
{
	const struct asked *q = asked_at(r, id);
	struct transport *t;
	unsigned i;

	for (i = 0; i < CHECK_WAYS; i++, q++) {
		if (!q->serial || memcmp(q->id, id, STUN_ID_SIZE))
			continue;
		t = r->slot[q->leg / WIRE_SIDES];
		if (t && t->serial == q->serial)
			return &t->leg[q->leg % WIRE_SIDES];
	}
	return NULL;
}

/* One whose answer has not come gives way when there are too many: it is asked
 * again. */
void table_ask(struct relay *r, const struct leg *l, const unsigned char *id)
{
	struct asked *q = asked_at(r, id), *to = q + r->turn++ % CHECK_WAYS;
	unsigned i;

	for (i = 0; i < CHECK_WAYS; i++, q++)
		if (!q->serial || !memcmp(q->id, id, STUN_ID_SIZE)) {
			to = q;
			break;
		}
	memcpy(to->id, id, STUN_ID_SIZE);
	to->leg = l->transport->slot * WIRE_SIDES + l->side;
	to->serial = l->transport->serial;
}

/* --- slots ------------------------------------------------------------ */

bool table_take_slot(struct relay *r, struct transport *t)
{
	if (!r->spares)
		return false;
	t->slot = r->spare[--r->spares];
	t->serial = ++r->serial ? r->serial : ++r->serial;
	r->slot[t->slot] = t;
	return true;
}

void table_give_slot(struct relay *r, struct transport *t)
{
	r->slot[t->slot] = NULL;
	r->spare[r->spares++] = t->slot;
}

/* --- deadlines -------------------------------------------------------- */

static void heap_set(struct relay *r, uint32_t at, struct leg *l)
{
	r->heap[at] = l;
	l->heap_at = at + 1;
}

static void heap_up(struct relay *r, uint32_t at, struct leg *l)
{
	while (at && r->heap[(at - 1) / 2]->deadline > l->deadline) {
		heap_set(r, at, r->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(r, at, l);
}

static void heap_down(struct relay *r, uint32_t at, struct leg *l)
{
	uint32_t child;

	for (; (child = 2 * at + 1) < r->heap_n; at = child) {
		if (child + 1 < r->heap_n && r->heap[child + 1]->deadline <
					     r->heap[child]->deadline)
			child++;
		if (r->heap[child]->deadline >= l->deadline)
			break;
		heap_set(r, at, r->heap[child]);
	}
	heap_set(r, at, l);
}

/* Fills the place with this leg. */
static void heap_place(struct relay *r, uint32_t at, struct leg *l)
{
	if (at && r->heap[(at - 1) / 2]->deadline > l->deadline)
		heap_up(r, at, l);
	else
		heap_down(r, at, l);
}

void heap_put(struct relay *r, struct leg *l, int64_t deadline)
{
	uint32_t at = l->heap_at;

	l->deadline = deadline;
	if (deadline != INT64_MAX) {
		heap_place(r, at ? at - 1 : r->heap_n++, l);
	} else if (at) {
		l->heap_at = 0;
		r->heap_n--;
		if (at - 1 < r->heap_n)
			heap_place(r, at - 1, r->heap[r->heap_n]);
	}
}
