/* leg_says.c: mode `room`: the description (XEP-0167) of each content that a
 * user gave last, kept as text: the numbers of his packets are in it, and what
 * he is told of the other's was made for it.
 */
#include <errno.h>
#include <stdlib.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/rtp.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"

static size_t kept_bytes(const struct leg *l, const struct leg_content *but)
{
	const struct leg_content *c;
	size_t n = 0;

	for (c = l->contents; c; c = c->next)
		if (c != but && c->says)
			n += leg_unpacked_len(c->says);
	return n;
}

static void keep(struct leg *l, struct leg_content *c, const char *text,
		 struct arena *a)
{
	const char *packed = leg_pack(a, text);

	if (packed)
		leg_assign(l, &c->says, packed);
}

bool leg_keep_says(struct leg *l, const struct xml_elem *tree,
		   struct arena *a)
{
	const struct xml_elem *e;
	struct xml_elem *content;
	struct leg_content *c;
	char *text;
	size_t len;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		c = leg_find_content(l, xml_get(e, "name"));
		if (!c || !xml_child(e, NS_RTP, "description"))
			continue;
		content = xml_copy_sharing(a, e);
		leg_filter(content);
		text = xml_write(a, xml_child(content, NS_RTP, "description"),
				 NS_RTP, &len);
		if (!text)
			return true;   /* the step says so */
		if (len + kept_bytes(l, c) > LEG_SAYS_MAX)
			return false;
		keep(l, c, text, a);
	}
	return true;
}

void leg_set_says(struct leg *l, const char *name,
		  const struct xml_elem *description, struct arena *a)
{
	struct leg_content *c = leg_find_content(l, name);
	const char *text = xml_write(a, description, NS_RTP, NULL);

	if (c && text)
		keep(l, c, text, a);
}

int leg_says(const struct leg *l, const char *name,
	     struct rtp_description *d_r, struct arena *a)
{
	const struct leg_content *c = leg_find_content(l, name);
	const char *text;
	struct xml_elem *e;
	struct why why;
	int err;

	if (!c || !c->says)
		return ENOENT;
	text = leg_unpack(a, c->says);
	err = !text ? ENOMEM : xml_parse(a, text, strlen(text), NS_RTP,
					 &xml_limits_default, &e);
	return err ? err : rtp_parse(a, e, d_r, &why);
}
