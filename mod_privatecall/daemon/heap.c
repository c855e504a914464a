/* heap.c: a binary heap of calls by deadline (see heap.h). */
#include "mod_privatecall/daemon/heap.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void put(struct daemon *dm, size_t i, struct heap_slot slot)
{
	dm->heap[i] = slot;
	slot.entry->heap_at = i + 1;
}

static size_t up(struct daemon *dm, size_t i, struct heap_slot slot)
{
	for (; i && dm->heap[(i - 1) / 2].deadline > slot.deadline;
	     i = (i - 1) / 2)
		put(dm, i, dm->heap[(i - 1) / 2]);
	return i;
}

static size_t down(struct daemon *dm, size_t i, struct heap_slot slot)
{
	size_t k;

	while ((k = 2 * i + 1) < dm->heap_n) {
		if (k + 1 < dm->heap_n &&
		    dm->heap[k + 1].deadline < dm->heap[k].deadline)
			k++;
		if (dm->heap[k].deadline >= slot.deadline)
			break;
		put(dm, i, dm->heap[k]);
		i = k;
	}
	return i;
}

/* `i` is free. */
static void place(struct daemon *dm, size_t i, struct heap_slot slot)
{
	size_t at = up(dm, i, slot);

	put(dm, at == i ? down(dm, i, slot) : at, slot);
}

void heap_remove(struct daemon *dm, struct call_entry *e)
{
	size_t i = e->heap_at;
	struct heap_slot last;

	if (!i)
		return;
	e->heap_at = 0;
	last = dm->heap[--dm->heap_n];
	if (last.entry != e)
		place(dm, i - 1, last);
}

int heap_reserve(struct daemon *dm, size_t n)
{
	size_t cap = dm->heap_cap * 2 > n ? dm->heap_cap * 2 : n + 64;
	struct heap_slot *more;

	if (n <= dm->heap_cap)
		return 0;
	more = realloc(dm->heap, cap * sizeof(*more));
	if (!more)
		return ENOMEM;
	dm->heap = more;
	dm->heap_cap = cap;
	return 0;
}

void heap_update(struct daemon *dm, struct call_entry *e)
{
	struct heap_slot slot = { e->deadline, e };

	if (e->deadline == INT64_MAX) {
		heap_remove(dm, e);
		return;
	}
	if (!e->heap_at) {
		assert(dm->heap_n < dm->heap_cap);
		e->heap_at = ++dm->heap_n;
	} else if (dm->heap[e->heap_at - 1].deadline == e->deadline) {
		return;
	}
	place(dm, e->heap_at - 1, slot);
}
