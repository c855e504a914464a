/* pace.h: when a worker lets packets gather before it looks at them. One that
 * wakes the process costs up to three times one that is found with others; so
 * when many come, they wait for a moment, which is their delay. When few come,
 * each is served at once. For worker.c.
 */
#ifndef MOD_PRIVATECALL_MEDIA_PACE_H
#define MOD_PRIVATECALL_MEDIA_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_MANY 5000             /* packets in a second */
#define PACE_MS 100                /* over which they are counted, at least */
#define PACE_DRAIN_US 250          /* how long they gather, if not told */
#define PACE_DRAIN_MAX 2000

struct pace {
	unsigned drain;            /* us that they gather; 0: never */
	int64_t since;             /* ms; counted from */
	uint64_t n;                /* packets since */
	bool many;                 /* the time before */
};

/* `n` more have come, at `now`, in ms. */
static inline void pace_count(struct pace *p, int64_t now, unsigned n)
{
	p->n += n;
	if (now - p->since < PACE_MS)
		return;
	p->many = p->n * 1000 >= (uint64_t)(now - p->since) * PACE_MANY;
	p->n = 0;
	p->since = now;
}

/* How many us to wait now. */
static inline unsigned pace_wait(const struct pace *p)
{
	return p->many ? p->drain : 0;
}

#endif
