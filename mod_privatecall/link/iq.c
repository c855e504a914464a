/* iq.c: outstanding IQs: a hash by (id, JID asked) and a heap by deadline. */
#include "mod_privatecall/link/iq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define HEAP_MIN 16
#define KEY_MAX 4096               /* bytes of id, NUL and JID */

struct entry {
	struct iq_asked q;         /* first: the asker frees by it */
	UT_hash_handle hh;         /* by the bytes of "id\0to" */
	size_t place;              /* in the heap */
	char text[];               /* id, to, context, each with NUL */
};

/* What is compared is in the heap itself, so that no other entry is looked
 * at. */
struct slot {
	int64_t deadline;
	uint64_t order;            /* of adding: breaks ties of deadlines */
	struct entry *entry;
};

struct iq_table {
	struct entry *by_key;
	struct slot *heap;         /* [0]: the earliest deadline */
	size_t count, room, cap;
	uint64_t added;
};

static bool before(const struct slot *a, const struct slot *b)
{
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	return a->order < b->order;
}

static void heap_set(struct iq_table *t, size_t place, struct slot slot)
{
	t->heap[place] = slot;
	slot.entry->place = place;
}

static void heap_up(struct iq_table *t, size_t i, struct slot slot)
{
	while (i && before(&slot, &t->heap[(i - 1) / 2])) {
		heap_set(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_set(t, i, slot);
}

static void heap_down(struct iq_table *t, size_t i, struct slot slot)
{
	size_t child;

	while ((child = 2 * i + 1) < t->count) {
		if (child + 1 < t->count &&
		    before(&t->heap[child + 1], &t->heap[child]))
			child++;
		if (!before(&t->heap[child], &slot))
			break;
		heap_set(t, i, t->heap[child]);
		i = child;
	}
	heap_set(t, i, slot);
}

static void heap_remove(struct iq_table *t, const struct entry *e)
{
	size_t i = e->place;
	struct slot last = t->heap[--t->count];

	if (last.entry == e)
		return;
	if (i && before(&last, &t->heap[(i - 1) / 2]))
		heap_up(t, i, last);
	else
		heap_down(t, i, last);
}

static int heap_grow(struct iq_table *t)
{
	size_t room = t->room ? 2 * t->room : HEAP_MIN;
	struct slot *heap;

	if (t->count < t->room)
		return 0;
	heap = realloc(t->heap, room * sizeof(*heap));
	if (!heap)
		return ENOMEM;
	t->heap = heap;
	t->room = room;
	return 0;
}

struct iq_table *iq_table_new(size_t cap)
{
	struct iq_table *t = calloc(1, sizeof(*t));

	if (t)
		t->cap = cap;
	return t;
}

void iq_table_free(struct iq_table *t)
{
	if (!t)
		return;
	HASH_CLEAR(hh, t->by_key);
	for (size_t i = 0; i < t->count; i++)
		iq_asked_free(&t->heap[i].entry->q);
	free(t->heap);
	free(t);
}

/* The bytes "id\0to" as entries hold them, without the last NUL; 0: longer
 * than any key of ours. */
static size_t make_key(char key[KEY_MAX], const char *id, const char *to)
{
	size_t id_len = strnlen(id, KEY_MAX), to_len = strnlen(to, KEY_MAX);

	if (id_len + 1 + to_len > KEY_MAX)
		return 0;
	memcpy(key, id, id_len);
	key[id_len] = '\0';
	memcpy(key + id_len + 1, to, to_len);
	return id_len + 1 + to_len;
}

static struct entry *entry_new(const char *key, size_t key_len,
			       const char *context)
{
	size_t context_size = context ? strlen(context) + 1 : 0;
	struct entry *e = calloc(1, sizeof(*e) + key_len + 1 + context_size);

	if (!e)
		return NULL;
	memcpy(e->text, key, key_len);
	e->q.id = e->text;
	e->q.to = e->text + strlen(e->text) + 1;
	if (context)
		e->q.context = memcpy(e->text + key_len + 1, context,
				      context_size);
	return e;
}

int iq_table_add(struct iq_table *t, const char *id, const char *to,
		 int64_t deadline, unsigned kind, const char *context,
		 unsigned number)
{
	char key[KEY_MAX];
	size_t len = make_key(key, id, to);
	struct entry *e;
	unsigned hash;

	if (!len)
		return EOVERFLOW;
	HASH_VALUE(key, len, hash);
	HASH_FIND_BYHASHVALUE(hh, t->by_key, key, len, hash, e);
	if (e)
		return EEXIST;
	if (t->count >= t->cap)
		return EOVERFLOW;
	e = heap_grow(t) ? NULL : entry_new(key, len, context);
	if (!e)
		return ENOMEM;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, t->by_key, e->text, len, hash, e);
	if (!e->hh.tbl) {
		free(e);
		return ENOMEM;
	}
	e->q.kind = kind;
	e->q.number = number;
	e->q.deadline = deadline;
	heap_up(t, t->count++, (struct slot){ deadline, t->added++, e });
	return 0;
}

static struct iq_asked *take(struct iq_table *t, struct entry *e)
{
	HASH_DEL(t->by_key, e);
	heap_remove(t, e);
	return &e->q;
}

struct iq_asked *iq_table_take(struct iq_table *t, const char *id,
			       const char *from)
{
	char key[KEY_MAX];
	struct entry *e;
	size_t len;

	if (!id || !from)
		return NULL;
	len = make_key(key, id, from);
	if (!len)
		return NULL;
	HASH_FIND(hh, t->by_key, key, len, e);
	return e ? take(t, e) : NULL;
}

struct iq_asked *iq_table_expire(struct iq_table *t, int64_t now)
{
	if (!t->count || t->heap[0].deadline > now)
		return NULL;
	return take(t, t->heap[0].entry);
}

int64_t iq_table_deadline(const struct iq_table *t)
{
	return t->count ? t->heap[0].deadline : INT64_MAX;
}

void iq_asked_free(struct iq_asked *q)
{
	free(q);
}

size_t iq_table_count(const struct iq_table *t)
{
	return t->count;
}
