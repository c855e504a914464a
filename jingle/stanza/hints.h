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
/* <private/> of XEP-0280: no carbon copies. */
void hints_add_private(struct arena *a, struct xml_elem *message);

/* <origin-id/> of XEP-0359. */
void hints_add_origin_id(struct arena *a, struct xml_elem *message,
			 const char *id);

/* XEP-0184: the id of the message that this one is a receipt for; NULL: it is
 * none, or its id is missing or blank. */
const char *hints_receipt_of(const struct xml_elem *message);

#endif
