/* batch.c: an ordered list of store operations. A list and not an array, so
 * that joining two batches needs no memory and cannot fail.
 */
#include "mod_privatecall/store/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/xml/poison.h"

#define CHUNK_BYTES 16384
#define CHUNKS 16                  /* that a busy hour uses in turn */
#define NODE_MOST (CHUNK_BYTES / 8) /* a larger one gets memory of its own */

/* Memory of many operations, of several batches one after the other. One thread
 * makes them and another forgets them: malloc() for each would take what no
 * thread has at hand, and give it back to where nobody asks for it. */
struct store_chunk {
	atomic_size_t users;       /* nodes in it, and the batch that has it */
	alignas(max_align_t) char data[CHUNK_BYTES];
};

struct store_batch {
	struct store_node *first;
	struct store_node **end;   /* where the next one goes */
	size_t count;
	size_t bytes;
	struct store_chunk *chunks[CHUNKS];
	struct store_chunk *filled; /* one of them; NULL: none yet */
	size_t used;               /* bytes of it */
};

/* Where the texts of an operation stand; those of the key come first. */
struct layout {
	unsigned char keys;
	unsigned char texts;
	unsigned char off[8];      /* within struct store_op */
};
#define AT(member) offsetof(struct store_op, u.member)

static const struct layout layouts[] = {
	[STORE_CALL_PUT] = { 1, 3,
		{ AT(call.id), AT(call.caller), AT(call.callee) } },
	[STORE_CALL_DEL] = { 1, 1, { AT(key.id) } },
	[STORE_LEG_PUT] = { 1, 6,
		{ AT(leg.call), AT(leg.user), AT(leg.device), AT(leg.own),
		  AT(leg.sid), AT(leg.data) } },
	[STORE_LEG_DEL] = { 1, 1, { AT(leg.call) } },
	[STORE_VISIT_PUT] = { 2, 4,
		{ AT(visit.call), AT(visit.user), AT(visit.device),
		  AT(visit.reason) } },
	[STORE_LOG_PUT] = { 1, 6,
		{ AT(log.call), AT(log.caller), AT(log.callee),
		  AT(log.result), AT(log.reason), AT(log.step) } },
	[STORE_TRAFFIC_PUT] = { 1, 2,
		{ AT(traffic.call), AT(traffic.figures) } },
	[STORE_OUTBOX_PUT] = { 1, 7,
		{ AT(outbox.id), AT(outbox.user), AT(outbox.peer),
		  AT(outbox.kind), AT(outbox.subject), AT(outbox.body),
		  AT(outbox.lang) } },
	[STORE_OUTBOX_DEL] = { 1, 1, { AT(key.id) } },
	[STORE_SETTING_PUT] = { 2, 3,
		{ AT(setting.user), AT(setting.name), AT(setting.value) } },
	[STORE_SWITCH_PUT] = { 1, 2,
		{ AT(setting.name), AT(setting.value) } },
	[STORE_CONTACT_PUT] = { 2, 2,
		{ AT(contact.user), AT(contact.contact) } },
	[STORE_CONTACT_DEL] = { 2, 2,
		{ AT(contact.user), AT(contact.contact) } },
};

static const char *text_get(const struct store_op *op, size_t off)
{
	const char *text;

	memcpy(&text, (const char *)op + off, sizeof(text));
	return text;
}

static void text_set(struct store_op *op, size_t off, const char *text)
{
	memcpy((char *)op + off, &text, sizeof(text));
}

const char *store_op_key(const struct store_op *op, size_t i)
{
	const struct layout *l = &layouts[op->kind];

	return i < l->keys ? text_get(op, l->off[i]) : NULL;
}

/* All but the texts. What a deletion does not need is not read: its maker
 * need not have set it. */
static void shape_copy(struct store_op *to, const struct store_op *from)
{
	memset(to, 0, sizeof(*to));
	to->kind = from->kind;
	switch (from->kind) {
	case STORE_LEG_DEL:
		to->u.leg.side = from->u.leg.side;
		break;
	case STORE_CALL_DEL:
	case STORE_OUTBOX_DEL:
	case STORE_CONTACT_DEL:
		break;
	case STORE_SWITCH_PUT:
		to->u.setting.name = from->u.setting.name;
		to->u.setting.value = from->u.setting.value;
		break;
	default:
		to->u = from->u;
	}
}

/* The bytes of an operation's node, with its texts. 0; EINVAL, as
 * store_node_new(). */
static int node_bytes(const struct store_op *op, size_t *bytes_r)
{
	const struct layout *l;

	if ((size_t)op->kind >= sizeof(layouts) / sizeof(layouts[0]))
		return EINVAL;
	l = &layouts[op->kind];
	*bytes_r = sizeof(struct store_node);
	for (size_t i = 0; i < l->texts; i++) {
		const char *text = text_get(op, l->off[i]);

		if (!text && i < l->keys)
			return EINVAL;
		*bytes_r += text ? strlen(text) + 1 : 0;
	}
	return 0;
}

/* All of the node but where it stands. */
static void node_fill(struct store_node *node, const struct store_op *op,
		      size_t bytes)
{
	const struct layout *l = &layouts[op->kind];
	char *at = (char *)(node + 1);

	node->next = NULL;
	node->bytes = bytes;
	shape_copy(&node->op, op);
	for (size_t i = 0; i < l->texts; i++) {
		const char *text = text_get(op, l->off[i]);

		text_set(&node->op, l->off[i], text ? at : NULL);
		if (text)
			at = stpcpy(at, text) + 1;
	}
}

/* Memory of its own; NULL: none. */
static struct store_node *block_take(size_t bytes)
{
	struct store_node *node = malloc(bytes);

	if (node)
		node->chunk = NULL;
	return node;
}

int store_node_new(const struct store_op *op, struct store_node **node_r)
{
	size_t bytes;
	int err = node_bytes(op, &bytes);

	if (err)
		return err;
	*node_r = block_take(bytes);
	if (!*node_r)
		return ENOMEM;
	node_fill(*node_r, op, bytes);
	return 0;
}

static void chunk_leave(struct store_chunk *c, size_t users)
{
	if (c && atomic_fetch_sub(&c->users, users) == users)
		free(c);
}

/* One of the batch's chunks in which nothing is left, or a new one. NULL: no
 * memory. */
static struct store_chunk *chunk_get(struct store_batch *b)
{
	struct store_chunk **at = NULL, *c;

	for (size_t i = 0; i < CHUNKS; i++) {
		c = b->chunks[i];
		if (c && atomic_load(&c->users) == 1)
			return c;
		if (!c || !at)
			at = &b->chunks[i];
	}
	c = malloc(sizeof(*c));
	if (!c)
		return NULL;
	atomic_init(&c->users, 1);
	POISON(c->data, CHUNK_BYTES);
	chunk_leave(*at, 1);       /* who is in it frees it */
	*at = c;
	return c;
}

/* Room for a node in the chunk that is filled, or in another one. NULL: no
 * memory. */
static struct store_node *chunk_take(struct store_batch *b, size_t bytes)
{
	size_t size = (bytes + alignof(max_align_t) - 1) &
		      ~(alignof(max_align_t) - 1);
	struct store_chunk *c = b->filled;
	struct store_node *node;

	if (c && atomic_load(&c->users) == 1)
		b->used = 0;           /* nothing is left in it */
	if (!c || size > CHUNK_BYTES - b->used) {
		c = chunk_get(b);
		if (!c)
			return NULL;
		b->filled = c;
		b->used = 0;
	}
	node = (struct store_node *)(c->data + b->used);
	b->used += size;
	atomic_fetch_add_explicit(&c->users, 1, memory_order_relaxed);
	UNPOISON(node, bytes);
	node->chunk = c;
	return node;
}

struct store_batch *store_batch_new(void)
{
	struct store_batch *b = calloc(1, sizeof(*b));

	if (b)
		b->end = &b->first;
	return b;
}

struct store_batch *store_batch_next(struct store_batch *b)
{
	struct store_batch *next = store_batch_new();

	if (!next)
		return NULL;
	memcpy(next->chunks, b->chunks, sizeof(b->chunks));
	next->filled = b->filled;
	next->used = b->used;
	memset(b->chunks, 0, sizeof(b->chunks));
	b->filled = NULL;
	return next;
}

void store_batch_clear(struct store_batch *b)
{
	struct store_chunk *c = NULL;
	size_t users = 0;          /* of c, one after the other */

	while (b->first) {
		struct store_node *node = b->first;

		b->first = node->next;
		if (node->chunk != c) {
			chunk_leave(c, users);
			c = node->chunk;
			users = 0;
		}
		users++;
		if (c)
			POISON(node, node->bytes);
		else
			free(node);
	}
	chunk_leave(c, users);
	b->end = &b->first;
	b->count = 0;
	b->bytes = 0;
}

void store_batch_free(struct store_batch *b)
{
	if (!b)
		return;
	store_batch_clear(b);
	for (size_t i = 0; i < CHUNKS; i++)
		chunk_leave(b->chunks[i], 1);
	free(b);
}

int store_batch_add(struct store_batch *b, const struct store_op *op)
{
	struct store_node *node;
	size_t bytes;
	int err = node_bytes(op, &bytes);

	if (err)
		return err;
	node = bytes > NODE_MOST ? block_take(bytes) : chunk_take(b, bytes);
	if (!node)
		return ENOMEM;
	node_fill(node, op, bytes);
	*b->end = node;
	b->end = &node->next;
	b->count++;
	b->bytes += node->bytes;
	return 0;
}

size_t store_batch_count(const struct store_batch *b)
{
	return b->count;
}

size_t store_batch_bytes(const struct store_batch *b)
{
	return b->bytes;
}

const struct store_node *store_batch_first(const struct store_batch *b)
{
	return b->first;
}

const struct store_op *store_batch_get(const struct store_batch *b, size_t i)
{
	const struct store_node *node = b->first;

	assert(i < b->count);
	while (i--)
		node = node->next;
	return &node->op;
}

void store_batch_join(struct store_batch *to, struct store_batch *from)
{
	assert(to != from);
	if (!from->first)
		return;
	*to->end = from->first;
	to->end = from->end;
	to->count += from->count;
	to->bytes += from->bytes;
	from->first = NULL;
	from->end = &from->first;
	from->count = 0;
	from->bytes = 0;
}
