/* text.h: the few checks every codec makes of attribute values. */
#ifndef JINGLE_STANZA_TEXT_H
#define JINGLE_STANZA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for NULL, "" and white space alone (space, tab, CR, LF). */
bool text_blank(const char *s);
/* A decimal number of digits alone, at most `max`. 0; EBADMSG (also for NULL
 * and ""); `*n_r` is untouched on error. */
int text_number(const char *s, uint32_t max, uint32_t *n_r);
/* The same with an optional sign, at least `min`. */
int text_integer(const char *s, int32_t min, int32_t max, int32_t *n_r);
/* True for "true" and "1" (XML Schema booleans). */
bool text_true(const char *s);
/* True for 1 to `max` bytes without white space and control characters: what
 * may stand in a line of SDP without becoming two. */
bool text_token(const char *s, size_t max);
/* True if both are NULL, or both are the same text. */
bool text_equal(const char *a, const char *b);

#endif
