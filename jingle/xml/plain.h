/* plain.h: how much of a text needs no look at its characters.
 *
 * Nearly all text of a stream is printable ASCII without markup. Finding that
 * out 16 bytes at a time, in a loop that compilers turn into vectors, is most
 * of what escaping costs (doc/performance.md).
 */
#ifndef JINGLE_XML_PLAIN_H
#define JINGLE_XML_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

enum { XML_PLAIN_STEP = 16 };

/* Printable ASCII but for the five characters of markup. */
static inline bool xml_plain_char(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '&' && c != '\'' && c != '"' &&
	       c != '<' && c != '>';
}

/* Bytes of the first `n` of `s` before one that is not plain. */
static inline size_t xml_plain(const char *s, size_t n)
{
	size_t at = 0;

	for (; n - at >= XML_PLAIN_STEP; at += XML_PLAIN_STEP) {
		unsigned char odd = 0;

		for (int i = 0; i < XML_PLAIN_STEP; i++) {
			unsigned char c = (unsigned char)s[at + (size_t)i];

			odd |= (c < 0x20) | (c >= 0x7f) | (c == '&') |
			       (c == '\'') | (c == '"') | (c == '<') |
			       (c == '>');
		}
		if (odd)
			break;
	}
	while (at < n && xml_plain_char((unsigned char)s[at]))
		at++;
	return at;
}

#endif
