/* leg_dtls.c: whose device media come from: the fingerprint (XEP-0320)
 * that a user gave first with a content stays the one of its transport, for as
 * long as that lasts. Who could change it mid call could take the call over, or
 * take its encryption away (A21).
 *
 * A repeat is fine, also as another role; none in what changes a transport or a
 * description, too: many clients leave it out there. One that is encrypted for
 * the other user (OMEMO) is new each time: it counts as given, but a plain one
 * after it is another.
 */
#include <stdlib.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/dtls.h"

#define ENCRYPTED "omemo"

enum leg_lack leg_lacks(const struct xml_elem *tree)
{
	const struct xml_elem *e, *t;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		t = xml_child(e, NS_ICE_UDP, "transport");
		if (!t)
			return LEG_LACKS_ICE;
		if (!xml_child(t, NS_DTLS, "fingerprint") &&
		    !xml_child(t, NS_OMEMO_DTLS, "fingerprint"))
			return LEG_LACKS_FINGERPRINT;
		if (!xml_child(xml_child(e, NS_RTP, "description"), NS_RTP,
			       "rtcp-mux"))
			return LEG_LACKS_MUX;
	}
	return LEG_LACKS_NOTHING;
}

/* What is kept of the fingerprints of a transport; NULL: there is none, or no
 * memory. */
static const char *print_of(struct arena *a, const struct xml_elem *t,
			    bool *begins_r)
{
	const struct dtls_fingerprint *f;
	struct dtls_list l;
	struct why why;

	if (!t || dtls_parse(a, t, &l, &why) || !l.fingerprints)
		return NULL;
	f = dtls_strongest(&l);
	*begins_r = f && f->setup == DTLS_ACTIVE;
	return f ? dtls_text(a, f->hash, f->value, f->len) : ENCRYPTED;
}

static bool is_changed(const char *was, const char *now)
{
	return strcmp(was, now) != 0 && strcmp(now, ENCRYPTED) != 0;
}

bool leg_keeps_fingerprints(struct leg *l, const struct xml_elem *tree,
			    struct arena *a)
{
	const struct xml_elem *e;
	struct leg_content *c;
	const char *print;
	bool begins;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		c = leg_find_content(l, xml_get(e, "name"));
		if (!c || !c->transport)
			continue;
		print = print_of(a, xml_child(e, NS_ICE_UDP, "transport"),
				 &begins);
		if (print && c->print && is_changed(c->print, print))
			return false;
		if (!print || c->print)
			continue;
		leg_assign(l, &c->print, print);
		c->begins = begins;
	}
	return true;
}
