/* arena.c: bump allocation in blocks, freed together. */
#include "jingle/xml/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 32768, PRINTF_SHORT = 256,
       SPARE_MOST = 4 * BLOCK_MOST };

struct block {
	struct block *next;
	size_t size;               /* of data */
	size_t used;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *blocks;      /* the one being filled comes first */
	struct block *spare;       /* kept by a reset, SPARE_MOST bytes */
	size_t cap;                /* 0: none */
	size_t handed;             /* bytes handed out, padding included */
	size_t taken;              /* bytes of `blocks`, and of this */
	size_t grow;               /* size of the next block */
	bool failed;
};

struct arena *arena_new(size_t cap)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->cap = cap;
	a->taken = sizeof(*a);
	a->grow = BLOCK_FIRST;
	return a;
}

static void blocks_free(struct block *b)
{
	while (b) {
		struct block *next = b->next;

		free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	blocks_free(a->blocks);
	blocks_free(a->spare);
	free(a);
}

/* What fits of the list `b` becomes spare; the bytes kept so far, too. */
static size_t keep(struct arena *a, struct block *b, size_t kept)
{
	struct block *next;

	for (; b; b = next) {
		next = b->next;
		if (b->size < BLOCK_FIRST || b->size > BLOCK_MOST ||
		    kept + b->size > SPARE_MOST) {
			free(b);
			continue;
		}
		kept += b->size;
		b->used = 0;
		b->next = a->spare;
		a->spare = b;
	}
	return kept;
}

void arena_reset(struct arena *a)
{
	struct block *spare = a->spare;

	a->spare = NULL;
	keep(a, spare, keep(a, a->blocks, 0));
	a->blocks = NULL;
	a->taken = sizeof(*a);
	a->handed = 0;
	a->grow = BLOCK_FIRST;
	a->failed = false;
}

/* The smallest spare block of `n` bytes or more; NULL: none. */
static struct block *spare_take(struct arena *a, size_t n)
{
	struct block **best = NULL, *b;

	for (struct block **at = &a->spare; *at; at = &(*at)->next)
		if ((*at)->size >= n && (!best || (*at)->size < (*best)->size))
			best = at;
	if (!best)
		return NULL;
	b = *best;
	*best = b->next;
	return b;
}

/* A spare one of `n` bytes or more, or else a new one of `size`. */
static struct block *block_get(struct arena *a, size_t size, size_t n)
{
	struct block *b = spare_take(a, n);

	if (!b && size <= SIZE_MAX / 2) {
		b = malloc(sizeof(*b) + size);
		if (b)
			b->size = size;
	}
	if (!b)
		return NULL;
	b->used = 0;
	a->taken += sizeof(*b) + b->size;
	return b;
}

/* A block with room for `n` bytes. What is large gets a block of its own
 * behind the one being filled, so that the rest of that is not wasted. */
static struct block *block_for(struct arena *a, size_t n)
{
	struct block *b;

	if (n >= a->grow / 4) {
		b = block_get(a, n, n);
		if (b && a->blocks) {
			b->next = a->blocks->next;
			a->blocks->next = b;
		} else if (b) {
			b->next = NULL;
			a->blocks = b;
		}
		return b;
	}
	b = block_get(a, a->grow, n);
	if (!b)
		return NULL;
	if (a->grow < BLOCK_MOST)
		a->grow *= 2;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

/* `n` bytes of a new block. */
static void *take_new(struct arena *a, size_t n)
{
	struct block *b = block_for(a, n);

	if (!b) {
		a->failed = true;
		return NULL;
	}
	b->used = n;
	a->handed += n;
	return b->data;
}

static inline void *take(struct arena *a, size_t n, size_t align)
{
	struct block *b = a->blocks;
	size_t at, pad;

	if (a->failed)
		return NULL;
	at = b ? (b->used + align - 1) & ~(align - 1) : 0;
	pad = b ? at - b->used : 0;
	if (a->cap && (n > a->cap || a->handed + pad > a->cap - n)) {
		a->failed = true;
		return NULL;
	}
	if (!b || at > b->size || n > b->size - at)
		return take_new(a, n);
	b->used = at + n;
	a->handed += n + pad;
	return b->data + at;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n, alignof(max_align_t));

	return p ? memset(p, 0, n) : NULL;
}

void *arena_raw(struct arena *a, size_t n)
{
	return take(a, n, alignof(max_align_t));
}

char *arena_bytes(struct arena *a, size_t n)
{
	return take(a, n, 1);
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	const char *end;
	char *p;

	if (!s)
		return NULL;
	end = memchr(s, '\0', n);
	if (end)
		n = (size_t)(end - s);
	p = n < SIZE_MAX ? take(a, n + 1, 1) : NULL;
	if (!p)
		return NULL;
	memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t size = s ? strlen(s) + 1 : 0;
	char *p = s ? take(a, size, 1) : NULL;

	return p ? memcpy(p, s, size) : NULL;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	char text[PRINTF_SHORT], *p;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->failed = true;
		return NULL;
	}
	p = take(a, (size_t)n + 1, 1);
	if (!p)
		return NULL;
	if ((size_t)n < sizeof(text))
		return memcpy(p, text, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

char *arena_join(struct arena *a, const char *first, const char *middle,
		 const char *last)
{
	size_t n = strlen(first), m = strlen(middle), l = strlen(last) + 1;
	char *p = take(a, n + m + l, 1);

	if (!p)
		return NULL;
	memcpy(p, first, n);
	memcpy(p + n, middle, m);
	memcpy(p + n + m, last, l);
	return p;
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

size_t arena_used(const struct arena *a)
{
	return a->taken;
}
