/* queue.c: bytes waiting to be written, in chunks. */
#include "mod_privatecall/link/queue.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES 16384
#define SPARES_MOST 32             /* what dozens of calls have in it */

struct queue_chunk {
	struct queue_chunk *next;
	size_t len;                /* bytes used */
	bool taken;                /* being written: nothing is appended */
	char data[CHUNK_BYTES];
};

static void free_chunks(struct queue_chunk *c)
{
	struct queue_chunk *next;

	for (; c; c = next) {
		next = c->next;
		free(c);
	}
}

static struct queue_chunk *new_chunk(struct queue *q)
{
	struct queue_chunk *c = q->spare;

	if (c) {
		q->spare = c->next;
		q->spares--;
	} else {
		c = malloc(sizeof(*c));
	}
	return c;
}

/* Memory that is given back and asked for again at each write costs faults. */
static void release_chunk(struct queue *q, struct queue_chunk *c)
{
	if (q->spares == SPARES_MOST) {
		free(c);
		return;
	}
	c->next = q->spare;
	q->spare = c;
	q->spares++;
}

static size_t room_in_last(const struct queue *q)
{
	if (!q->last || q->last->taken)
		return 0;
	return CHUNK_BYTES - q->last->len;
}

/* A list of empty chunks for `len` bytes; NULL: no memory, or len is 0. */
static struct queue_chunk *new_chunks(struct queue *q, size_t len)
{
	struct queue_chunk *list = NULL, *c;

	for (size_t have = 0; have < len; have += CHUNK_BYTES) {
		c = new_chunk(q);
		if (!c) {
			free_chunks(list);
			return NULL;
		}
		c->next = list;
		c->len = 0;
		c->taken = false;
		list = c;
	}
	return list;
}

static size_t fill(struct queue_chunk *c, const char *data, size_t len)
{
	size_t n = CHUNK_BYTES - c->len;

	if (n > len)
		n = len;
	memcpy(c->data + c->len, data, n);
	c->len += n;
	return n;
}

int queue_put(struct queue *q, const char *data, size_t len)
{
	size_t room = room_in_last(q), n;
	struct queue_chunk *more = NULL;

	if (len > room) {
		more = new_chunks(q, len - room);
		if (!more)
			return ENOMEM;
	}
	q->bytes += len;
	if (room && len) {
		n = fill(q->last, data, len);
		data += n;
		len -= n;
	}
	if (!more)
		return 0;
	if (q->last)
		q->last->next = more;
	else
		q->first = more;
	for (; more; more = more->next) {
		n = fill(more, data, len);
		data += n;
		len -= n;
		q->last = more;
	}
	return 0;
}

unsigned queue_take(struct queue *q, uv_buf_t *bufs, unsigned max)
{
	unsigned n = 0;

	for (struct queue_chunk *c = q->first; c && n < max; c = c->next) {
		c->taken = true;
		bufs[n++] = uv_buf_init(c->data, (unsigned)c->len);
	}
	return n;
}

size_t queue_release(struct queue *q)
{
	struct queue_chunk *c;
	size_t bytes = 0;

	while ((c = q->first) && c->taken) {
		bytes += c->len;
		q->first = c->next;
		release_chunk(q, c);
	}
	if (!q->first)
		q->last = NULL;
	q->bytes -= bytes;
	return bytes;
}

void queue_clear(struct queue *q)
{
	free_chunks(q->first);
	free_chunks(q->spare);
	memset(q, 0, sizeof(*q));
}

size_t queue_spare_bytes(const struct queue *q)
{
	return q->spares * sizeof(struct queue_chunk);
}
