/* hints.c: how a message is stored, copied and identified: XEP-0334 hints,
 * XEP-0280 private, XEP-0359 ids, XEP-0184 receipts.
 */
#include "jingle/stanza/hints.h"

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"

#define NS_MAM_TMP "urn:xmpp:mam:tmp"    /* ejabberd's <archived/> */

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

bool hints_has(const struct xml_elem *message, const char *hint)
{
	return xml_child(message, NS_HINTS, hint) != NULL;
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

const char *hints_origin_id(const struct xml_elem *message)
{
	return xml_get(xml_child(message, NS_SID, "origin-id"), "id");
}

static bool is_stamp(const struct xml_elem *e)
{
	return xml_is(e, NS_SID, "stanza-id") ||
	       xml_is(e, NS_MAM_TMP, "archived");
}

/* In one pass: xml_remove() for each of thousands would be quadratic. */
void hints_strip_stanza_id(struct xml_elem *message)
{
	struct xml_elem **p;

	if (!message)
		return;
	p = &message->first;
	message->last = NULL;
	while (*p) {
		if ((*p)->name && is_stamp(*p)) {
			*p = (*p)->next;
		} else {
			message->last = *p;
			p = &(*p)->next;
		}
	}
}

bool hints_receipt_wanted(const struct xml_elem *message)
{
	return xml_child(message, NS_RECEIPTS, "request") != NULL;
}

const char *hints_receipt_of(const struct xml_elem *message)
{
	const char *id = xml_get(xml_child(message, NS_RECEIPTS, "received"),
				 "id");

	return text_blank(id) ? NULL : id;
}

void hints_add_receipt(struct arena *a, struct xml_elem *message,
		       const char *id)
{
	xml_set(a, xml_add(a, message, NS_RECEIPTS, "received"), "id", id);
}
