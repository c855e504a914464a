/* plain.h: how much of a text needs no look at its characters, and what may
 * stand in a name.
 *
 * Nearly all text of a stream is printable ASCII without markup. Finding that
 * out 16 bytes at a time, in a loop that compilers turn into vectors, is most
 * of what reading and escaping it costs.
 */
#ifndef JINGLE_XML_PLAIN_H
#define JINGLE_XML_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

enum { XML_PLAIN_STEP = 16 };

enum {
	XML_CHAR_PLAIN = 1,        /* printable ASCII, none of &'"<> */
	XML_CHAR_NAME = 2,         /* ASCII that may stand in a name, not ':' */
	XML_CHAR_START = 4,        /* that may start one */
	XML_CHAR_WRITTEN = 8,      /* XML_CHAR_NAME, or beyond ASCII */
};
extern const unsigned char xml_char_kinds[256];

static inline bool xml_char_is(char c, unsigned kind)
{
	return xml_char_kinds[(unsigned char)c] & kind;
}

/* In words that become few vector operations: below ' ' as a signed number is
 * all beyond ASCII, too; & and ' differ in one bit, so do < and >. */
static inline bool xml_plain_step(const char *s)
{
	unsigned char odd = 0;

	for (int i = 0; i < XML_PLAIN_STEP; i++) {
		signed char c = (signed char)s[i];

		odd |= (c < ' ') | (c == 0x7f) | (c == '"') |
		       ((c | 1) == '\'') | ((c | 2) == '>');
	}
	return !odd;
}

/* Bytes of the first `n` of `s` before one that is not plain. */
static inline size_t xml_plain(const char *s, size_t n)
{
	size_t at = 0;

	if (n >= XML_PLAIN_STEP) {
		while (n - at >= XML_PLAIN_STEP && xml_plain_step(s + at))
			at += XML_PLAIN_STEP;
		/* The last ones, some of them a second time. */
		if (n - at < XML_PLAIN_STEP &&
		    xml_plain_step(s + n - XML_PLAIN_STEP))
			return n;
	}
	while (at < n && xml_char_is(s[at], XML_CHAR_PLAIN))
		at++;
	return at;
}

#endif
