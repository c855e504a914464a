/* queue.h: bytes waiting to be written, in chunks: a full queue gives its
 * memory back while it drains, but for a few chunks, and many stanzas leave in
 * one write.
 */
#ifndef MOD_PRIVATECALL_LINK_QUEUE_H
#define MOD_PRIVATECALL_LINK_QUEUE_H

#include <stddef.h>
#include <uv.h>

struct queue_chunk;

struct queue {
	struct queue_chunk *first, *last;
	struct queue_chunk *spare; /* chunks that wait for the next bytes */
	unsigned spares;
	size_t bytes;              /* in all, taken ones included */
};

/* Appends a copy: all or nothing. 0 or ENOMEM. */
int queue_put(struct queue *q, const char *data, size_t len);
/* Fills at most `max` buffers with the oldest bytes and returns their number
 * (0: empty). They stay valid and unchanged until queue_release(). */
unsigned queue_take(struct queue *q, uv_buf_t *bufs, unsigned max);
/* What was taken is written, and its memory free; returns its bytes. */
size_t queue_release(struct queue *q);
void queue_clear(struct queue *q);
/* What is kept for the next bytes, of memory. */
size_t queue_spare_bytes(const struct queue *q);

#endif
