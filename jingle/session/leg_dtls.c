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

/* Where we are to recognize him by it. */
static enum leg_lack lacks_for_us(const struct xml_elem *t, struct arena *a)
{
	const struct dtls_fingerprint *f;
	struct dtls_list l;
	struct why why;

	if (dtls_parse(a, t, &l, &why))
		return LEG_LACKS_FINGERPRINT;
	f = dtls_strongest(&l);
	if (!f)
		return LEG_LACKS_PLAIN;
	return dtls_is_strong(f) ? LEG_LACKS_NOTHING : LEG_LACKS_HASH;
}

enum leg_lack leg_lacks(const struct xml_elem *tree, bool dtls,
			struct arena *a)
{
	const struct xml_elem *e, *t;
	enum leg_lack lack;

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
		lack = dtls ? lacks_for_us(t, a) : LEG_LACKS_NOTHING;
		if (lack)
			return lack;
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

const char *leg_print(const struct leg *l, unsigned number, bool *begins_r)
{
	const struct leg_content *c = leg_first_of(l, (int)number);

	if (!c || !c->print)
		return NULL;
	*begins_r = c->begins;
	return c->print;
}

/* RFC 8842, 5: an offer leaves the role open; an answer takes the one that the
 * offer left, as a rule to begin; on a transport that is in use the one of
 * before. */
static const char *our_setup(const struct leg *l, int number,
			     enum jingle_action action)
{
	if (action != JINGLE_SESSION_ACCEPT && action != JINGLE_CONTENT_ACCEPT)
		return "actpass";
	return leg_first_of(l, number)->begins ? "passive" : "active";
}

void leg_add_print(const struct leg *l, const struct leg_content *c,
		   struct xml_elem *transport, enum jingle_action action,
		   struct arena *a)
{
	const struct leg_ours *o = leg_ours(l, (unsigned)c->transport - 1);
	struct xml_elem *e;
	size_t n;

	if (!o)
		return;
	n = strcspn(o->print, " ");
	e = xml_add(a, transport, NS_DTLS, "fingerprint");
	xml_set(a, e, "hash", arena_strndup(a, o->print, n));
	xml_set(a, e, "setup", our_setup(l, c->transport - 1, action));
	xml_add_text(a, e, o->print + n + (o->print[n] == ' '));
}
