/* write.h: an element tree as text.
 *
 * Elements of the namespace `default_ns`, or of the parent's, get no xmlns;
 * prefixes are never written but for xml:lang and attributes with a
 * namespace. Output always parses back to the same tree: characters XML does
 * not allow become U+FFFD (RFC 6120, 11.6; A29 of the attack list).
 * Not recursive: depth costs no stack.
 */
#ifndef JINGLE_XML_WRITE_H
#define JINGLE_XML_WRITE_H

#include "jingle/xml/elem.h"

/* The text of `e`, NUL-terminated, in `a`; its length in *len_r (may be
 * NULL). NULL when out of memory. */
char *xml_write(struct arena *a, const struct xml_elem *e,
		const char *default_ns, size_t *len_r);

#endif
