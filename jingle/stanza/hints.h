/* hints.h: how a message is stored, copied and identified: XEP-0334 hints,
 * XEP-0280 private, XEP-0359 ids, XEP-0184 receipts.
 *
 * All adders take a NULL message (see arena.h).
 */
#ifndef JINGLE_STANZA_HINTS_H
#define JINGLE_STANZA_HINTS_H

#include "jingle/xml/elem.h"

void hints_add_store(struct arena *a, struct xml_elem *message);
void hints_add_no_store(struct arena *a, struct xml_elem *message);
void hints_add_no_copy(struct arena *a, struct xml_elem *message);
/* True if the message has the hint ("store", "no-store", "no-copy",
 * "no-permanent-store"). */
bool hints_has(const struct xml_elem *message, const char *hint);
/* <private/> of XEP-0280: no carbon copies. */
void hints_add_private(struct arena *a, struct xml_elem *message);

/* <origin-id/> of XEP-0359. */
void hints_add_origin_id(struct arena *a, struct xml_elem *message,
			 const char *id);
/* Its id; NULL: none. */
const char *hints_origin_id(const struct xml_elem *message);
/* Removes what only the server of the receiver may set and what a relay must
 * not pass on: every <stanza-id/>, and MAM's old <archived/>. */
void hints_strip_stanza_id(struct xml_elem *message);

/* XEP-0184: the message asks for a receipt / is one for the message with the
 * id returned; NULL: it is none, or its id is missing or blank. */
bool hints_receipt_wanted(const struct xml_elem *message);
const char *hints_receipt_of(const struct xml_elem *message);
void hints_add_receipt(struct arena *a, struct xml_elem *message,
		       const char *id);

#endif
