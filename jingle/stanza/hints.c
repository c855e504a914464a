/* hints.c: how a message is stored, copied and identified: XEP-0334 hints,
 * XEP-0280 private, XEP-0359 ids, XEP-0184 receipts.
 */
#include "jingle/stanza/hints.h"

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"

void hints_add_store(struct arena *a, struct xml_elem *message)
{
	xml_add(a, message, NS_HINTS, "store");
}

void hints_add_no_store(struct arena *a, struct xml_elem *message)
{
	xml_add(a, message, NS_HINTS, "no-store");
}

void hints_add_no_copy(struct arena *a, struct xml_elem *message)
{
	xml_add(a, message, NS_HINTS, "no-copy");
}

void hints_add_private(struct arena *a, struct xml_elem *message)
{
	xml_add(a, message, NS_CARBONS, "private");
}

void hints_add_origin_id(struct arena *a, struct xml_elem *message,
			 const char *id)
{
	xml_set(a, xml_add(a, message, NS_SID, "origin-id"), "id", id);
}

const char *hints_receipt_of(const struct xml_elem *message)
{
	const char *id = xml_get(xml_child(message, NS_RECEIPTS, "received"),
				 "id");

	return text_blank(id) ? NULL : id;
}
