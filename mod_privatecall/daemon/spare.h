/* spare.h: blocks of memory that are used again. Large ones that come and go
 * with each call are what malloc() takes longest for once thousands of calls
 * that ended lie between them.
 */
#ifndef MOD_PRIVATECALL_DAEMON_SPARE_H
#define MOD_PRIVATECALL_DAEMON_SPARE_H

#include <stddef.h>

#define SPARE_SIZES 128            /* of SPARE_STEP bytes more each */
#define SPARE_STEP 128
#define SPARE_BYTES (512u << 10)   /* kept of one size */
#define SPARE_ALL (1u << 20)       /* kept of all */

struct spare;                      /* a block that waits */

struct spares {                    /* zeroes: none wait */
	struct spare *first[SPARE_SIZES];
	size_t bytes[SPARE_SIZES], all;
	size_t next;               /* the size to give up first */
};

/* A block of `size` bytes, as of malloc(); NULL: no memory. */
void *spare_take(struct spares *s, size_t size);
/* Gives one back, NULL too; `size` as it was asked for. */
void spare_give(struct spares *s, void *block, size_t size);
/* Frees those that wait. */
void spares_free(struct spares *s);

#endif
