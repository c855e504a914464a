/* reason.c: the <reason/> element that Jingle and JMI share. */
#include "jingle/stanza/reason.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/jingle.h"
#include "jingle/stanza/ns.h"

#define CONDITION_MAX 64           /* bytes; XEP-0166's longest has 24 */

static bool is_ours(const struct xml_elem *e)
{
	return !strcmp(e->ns, NS_JINGLE) || !strcmp(e->ns, NS_JMI);
}

int reason_read(struct arena *a, const struct xml_elem *parent,
		struct reason *r_r)
{
	const struct xml_elem *r = xml_child(parent, NULL, "reason");
	const struct xml_elem *c;

	*r_r = (struct reason){ 0 };
	while (r && !is_ours(r))
		r = xml_next(r, NULL, "reason");
	for (c = xml_child(r, NULL, NULL); c; c = xml_next(c, NULL, NULL)) {
		if (!is_ours(c))
			continue;
		if (!strcmp(c->name, "text")) {
			if (!r_r->text)
				r_r->text = xml_text(a, c);
		} else if (!r_r->condition) {
			r_r->condition = c->name;
		}
	}
	if (r_r->condition && strlen(r_r->condition) > CONDITION_MAX)
		r_r->condition = "general-error";
	if (r_r->text && !*r_r->text)
		r_r->text = NULL;
	return arena_failed(a) ? ENOMEM : 0;
}

void jingle_add_reason(struct arena *a, struct xml_elem *e, const char *ns,
		       const char *condition, const char *text)
{
	struct xml_elem *r = xml_add(a, e, ns, "reason");

	xml_add(a, r, NULL, condition);
	if (text)
		xml_add_text(a, xml_add(a, r, NULL, "text"), text);
}
