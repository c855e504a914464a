/* arena.h: memory of one event: allocated bump by bump, freed at once.
 *
 * A failed allocation is sticky: the arena remembers it, later calls return
 * NULL, and every builder of elem.h accepts NULL, so that a whole stanza is
 * built without a test per call and checked once by arena_failed().
 */
#ifndef JINGLE_XML_ARENA_H
#define JINGLE_XML_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct arena;

/* A new arena that hands out at most `cap` bytes in all (0: no cap).
 * NULL when out of memory. Owner: caller, arena_free(). */
struct arena *arena_new(size_t cap);
void arena_free(struct arena *a);          /* NULL is fine */

/* Forgets all that was handed out and the failure; keeps some blocks. */
void arena_reset(struct arena *a);

/* `n` zeroed bytes aligned for any type; NULL when over cap or out of
 * memory (sticky). */
void *arena_alloc(struct arena *a, size_t n);
/* The same, not zeroed. */
void *arena_raw(struct arena *a, size_t n);
/* `n` bytes for text, with nothing in them; NULL likewise. */
char *arena_bytes(struct arena *a, size_t n);
char *arena_strdup(struct arena *a, const char *s);      /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The three texts as one: what printf("%s%s%s") gives, at a tenth of its cost
 * where it is done for every stanza. */
char *arena_join(struct arena *a, const char *first, const char *middle,
		 const char *last);

bool arena_failed(const struct arena *a);
size_t arena_used(const struct arena *a);  /* bytes of blocks in use */

#endif
