/* batch.h: private to store/: how a batch holds its operations, for the back
 * ends that walk and copy them.
 */
#ifndef MOD_PRIVATECALL_STORE_BATCH_H
#define MOD_PRIVATECALL_STORE_BATCH_H

#include <stddef.h>

#include "mod_privatecall/store/store.h"

struct store_chunk;

/* One operation and its strings, in one piece of memory. */
struct store_node {
	struct store_node *next;
	struct store_chunk *chunk; /* it stands in; NULL: a block of its own */
	size_t bytes;              /* of the whole piece */
	struct store_op op;        /* its strings stand behind it */
};

/* A copy of op that free() releases. 0; EINVAL: unknown kind, or a part of
 * the key is NULL; ENOMEM. */
int store_node_new(const struct store_op *op, struct store_node **node_r);
/* The first operation, NULL: none; the others follow by `next`. */
const struct store_node *store_batch_first(const struct store_batch *b);
/* Forgets all operations. */
void store_batch_clear(struct store_batch *b);
/* The i-th text of the row's key (user, name of a setting), NULL: no more. */
const char *store_op_key(const struct store_op *op, size_t i);

#endif
