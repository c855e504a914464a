/* heap.c: a binary heap of calls by deadline (see heap.h). */
#include "mod_privatecall/daemon/heap.h"
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void put(struct daemon *dm, size_t i, struct call_entry *e)
{
	dm->heap[i] = e;
	e->heap_at = i + 1;
}

static void up(struct daemon *dm, size_t i)
{
	struct call_entry *e = dm->heap[i];

	while (i && dm->heap[(i - 1) / 2]->deadline > e->deadline) {
		put(dm, i, dm->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(dm, i, e);
}

static void down(struct daemon *dm, size_t i)
{
	struct call_entry *e = dm->heap[i];
	size_t k;

	while ((k = 2 * i + 1) < dm->heap_n) {
		if (k + 1 < dm->heap_n &&
		    dm->heap[k + 1]->deadline < dm->heap[k]->deadline)
			k++;
		if (dm->heap[k]->deadline >= e->deadline)
			break;
		put(dm, i, dm->heap[k]);
		i = k;
	}
	put(dm, i, e);
}

void heap_remove(struct daemon *dm, struct call_entry *e)
{
	size_t i = e->heap_at;
	struct call_entry *last;

	if (!i)
		return;
	e->heap_at = 0;
	last = dm->heap[--dm->heap_n];
	if (last == e)
		return;
	put(dm, i - 1, last);
	up(dm, i - 1);
	down(dm, last->heap_at - 1);
}

int heap_reserve(struct daemon *dm, size_t n)
{
	size_t cap = dm->heap_cap * 2 > n ? dm->heap_cap * 2 : n + 64;
	struct call_entry **more;

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
	if (e->deadline == INT64_MAX) {
		heap_remove(dm, e);
		return;
	}
	if (!e->heap_at) {
		assert(dm->heap_n < dm->heap_cap);
		put(dm, dm->heap_n++, e);
	}
	up(dm, e->heap_at - 1);
	down(dm, e->heap_at - 1);
}
