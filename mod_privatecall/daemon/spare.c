/* spare.c: blocks of memory that are used again, by size. */
#include "mod_privatecall/daemon/spare.h"

#include <stdlib.h>

#include "jingle/xml/poison.h"

_Static_assert(SPARE_BYTES <= SPARE_ALL, "else make_room() finds no end");

struct spare {
	struct spare *next;
};

/* Which of the sizes has room for `size`, SPARE_SIZES or more: none. */
static size_t size_for(size_t size)
{
	return size ? (size - 1) / SPARE_STEP : 0;
}

/* Of the blocks of the i-th size. */
static size_t bytes_of(size_t i)
{
	return (i + 1) * SPARE_STEP;
}

static struct spare *pop(struct spares *s, size_t i)
{
	struct spare *b = s->first[i];

	if (!b)
		return NULL;
	UNPOISON(b, bytes_of(i));
	s->first[i] = b->next;
	s->bytes[i] -= bytes_of(i);
	s->all -= bytes_of(i);
	return b;
}

void *spare_take(struct spares *s, size_t size)
{
	size_t i = size_for(size);
	struct spare *b = i < SPARE_SIZES ? pop(s, i) : NULL;

	if (b)
		return b;
	return malloc(i < SPARE_SIZES ? bytes_of(i) : size);
}

/* What a busy hour left of other sizes than the i-th makes room for what is in
 * use now. */
static void make_room(struct spares *s, size_t i)
{
	while (s->all + bytes_of(i) > SPARE_ALL) {
		if (s->next != i)
			free(pop(s, s->next));
		s->next = (s->next + 1) % SPARE_SIZES;
	}
}

void spare_give(struct spares *s, void *block, size_t size)
{
	size_t i = size_for(size);
	struct spare *b = block;

	if (!b)
		return;
	if (i >= SPARE_SIZES || s->bytes[i] + bytes_of(i) > SPARE_BYTES) {
		free(b);
		return;
	}
	make_room(s, i);
	b->next = s->first[i];
	s->first[i] = b;
	s->bytes[i] += bytes_of(i);
	s->all += bytes_of(i);
	POISON(b, bytes_of(i));
}

void spares_free(struct spares *s)
{
	for (size_t i = 0; i < SPARE_SIZES; i++) {
		struct spare *b;

		while ((b = pop(s, i)))
			free(b);
	}
}
