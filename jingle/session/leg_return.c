/* leg_return.c: mode `room`: a user comes back into a session that the other
 * one has kept: his offer is answered out of what that one said (leg_says.c).
 *
 * His contents are paired with the other's by name and media, else by media
 * alone; from then on his are known by the other's names (leg_content.c). The
 * answer is in his numbers (RFC 3264, 6.1), with the other's parameters and
 * SSRCs, and with what both have of feedback and header extensions. What the
 * other has nothing for is accepted with a codec of his, for nobody to send
 * anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include "jingle/session/leg_map.h"
#include "jingle/session/leg_private.h"
#include "jingle/stanza/source.h"
#include "jingle/stanza/text.h"

bool leg_bundled(const struct xml_elem *tree, const char *one,
		 const char *other, struct arena *a)
{
	struct content_group *g;
	struct why why;
	unsigned n, i, k, found;

	if (group_parse(a, tree, &g, &n, &why))
		return false;
	for (i = 0; i < n; i++) {
		found = 0;
		for (k = 0; k < g[i].names; k++)
			found += strcmp(g[i].name[k], one) == 0 ||
				 strcmp(g[i].name[k], other) == 0;
		if (found == 2 && strcmp(g[i].semantics, "BUNDLE") == 0)
			return true;
	}
	return false;
}

/* What `of` said of it; where no memory is left the step of `l` says so. */
static bool has_said(struct leg *l, const struct leg *of, const char *name,
		      struct rtp_description *d_r, struct arena *a)
{
	int err = leg_says(of, name, d_r, a);

	if (err == ENOMEM)
		l->failed = true;
	return !err;
}

/* --- pairs ------------------------------------------------------------ */

struct pairs {
	struct leg *l;
	const struct leg *other;
	const struct xml_elem *tree;
	struct arena *a;
	unsigned n;
	struct {
		struct leg_content *his, *with;    /* with NULL: nothing */
	} pair[LEG_CONTENTS_MAX];
};

static const struct xml_elem *description_of(const struct pairs *p,
					     const char *name)
{
	const struct xml_elem *e = xml_child(p->tree, NS_JINGLE, "content");

	while (e && !str_eq(xml_get(e, "name"), name))
		e = xml_next(e, NS_JINGLE, "content");
	return xml_child(e, NS_RTP, "description");
}

static bool is_one_of_two(const char *media)
{
	return str_eq(media, "audio") || str_eq(media, "video");
}

static bool same_number(const struct xml_elem *one,
			const struct xml_elem *other)
{
	uint32_t n, k;

	return !text_number(xml_get(one, "id"), UINT32_MAX, &n) &&
	       !text_number(xml_get(other, "id"), UINT32_MAX, &k) && n == k;
}

/* Two that he has apart go to one transport of the other's, and back by their
 * media and numbers: both must be different. */
static bool may_be_apart(const struct pairs *p, const char *one,
			 const char *other)
{
	const struct xml_elem *d = description_of(p, one);
	const struct xml_elem *with = description_of(p, other), *e, *f;

	if (!is_one_of_two(xml_get(d, "media")) ||
	    !is_one_of_two(xml_get(with, "media")) ||
	    str_eq(xml_get(d, "media"), xml_get(with, "media")))
		return false;
	for (e = xml_child(d, NS_RTP, "payload-type"); e;
	     e = xml_next(e, NS_RTP, "payload-type"))
		for (f = xml_child(with, NS_RTP, "payload-type"); f;
		     f = xml_next(f, NS_RTP, "payload-type"))
			if (same_number(e, f))
				return false;
	return true;
}

/* Nobody else has it, and he has it as the numbers of its transport need it. */
static bool is_free(const struct pairs *p, const struct leg_content *with,
		    const char *name)
{
	int home = leg_home(p->other, with->name);
	unsigned i;

	for (i = 0; i < p->n; i++) {
		const struct leg_content *c = p->pair[i].with;
		const char *his = p->pair[i].his->name;

		if (c == with)
			return false;
		if (c && leg_home(p->other, c->name) == home &&
		    !leg_bundled(p->tree, his, name, p->a) &&
		    !may_be_apart(p, his, name))
			return false;
	}
	return true;
}

static struct leg_content *partner(struct pairs *p, const char *name,
				   const char *media, bool same_name)
{
	struct leg_content *c;
	struct rtp_description d;

	for (c = p->other->contents; c; c = c->next)
		if (c->transport &&
		    has_said(p->l, p->other, c->name, &d, p->a) &&
		    str_eq(d.media, media) && is_free(p, c, name) &&
		    (!same_name || strcmp(c->name, name) == 0))
			return c;
	return NULL;
}

static void find_partners(struct pairs *p, bool same_name)
{
	const struct xml_elem *e = xml_child(p->tree, NS_JINGLE, "content");
	const char *media;
	unsigned i;

	for (i = 0; i < p->n; i++, e = xml_next(e, NS_JINGLE, "content")) {
		media = xml_get(xml_child(e, NS_RTP, "description"), "media");
		if (!p->pair[i].with)
			p->pair[i].with = partner(p, p->pair[i].his->name,
						  media, same_name);
	}
}

/* His own name for it is kept where it is another. */
static void name_it(struct leg *l, struct leg_content *c, const char *name)
{
	char *his = c->name;

	c->name = strdup(name);
	if (!c->name) {
		c->name = his;
		l->failed = true;
		return;
	}
	if (strcmp(his, name) == 0)
		free(his);
	else
		c->his = his;
}

static void name_pair(struct pairs *p, unsigned i)
{
	struct leg_content *his = p->pair[i].his, *with = p->pair[i].with;

	if (!with) {
		if (leg_find_content(p->other, his->name))
			name_it(p->l, his, leg_other_name(p->l, p->other,
							  his->name, p->a));
		return;
	}
	his->by_callee = with->by_callee;
	name_it(p->l, his, with->name);
}

struct xml_elem *leg_pair(struct leg *l, const struct leg *other,
			  const struct xml_elem *offer, struct arena *a)
{
	struct pairs p = { .l = l, .other = other, .tree = offer, .a = a };
	struct xml_elem *copy = xml_copy(a, offer);
	const struct xml_elem *e;
	struct leg_content *c;
	unsigned i;

	for (e = xml_child(offer, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		c = leg_find_content(l, xml_get(e, "name"));
		if (!c || p.n >= LEG_CONTENTS_MAX)
			break;
		p.pair[p.n].his = c;
		p.n++;
	}
	find_partners(&p, true);
	find_partners(&p, false);
	for (i = 0; i < p.n; i++)
		name_pair(&p, i);
	leg_names_in(l, copy, a);
	return copy;
}

bool leg_is_paired(const struct leg *other, const char *name)
{
	return leg_transport(other, name) >= 0;
}

/* --- the answer -------------------------------------------------------- */

static bool has_feedback(const struct rtp_feedback *f, unsigned n,
			 const struct rtp_feedback *one)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (strcmp(f[i].type, one->type) == 0 &&
		    (f[i].subtype == one->subtype ||
		     str_eq(f[i].subtype, one->subtype)))
			return true;
	return false;
}

/* In `to`, which was made of the other's: what he has not, out; and what is of
 * one transport, where they are `apart`. */
static void cut_feedback(struct xml_elem *to, const struct rtp_feedback *his,
			 unsigned n, bool apart)
{
	struct xml_elem *e, *next;
	struct rtp_feedback f;

	for (e = xml_child(to, NS_RTCP_FB, NULL); e; e = next) {
		next = xml_next(e, NS_RTCP_FB, NULL);
		f.type = xml_get(e, "type");
		f.subtype = xml_get(e, "subtype");
		if (strcmp(e->name, "rtcp-fb") != 0 || !f.type ||
		    (apart && strcmp(f.type, "transport-cc") == 0) ||
		    !has_feedback(his, n, &f))
			xml_remove(to, e);
	}
}

/* RTX of his number of what it repeats. */
static void set_apt(struct xml_elem *to, const struct rtp_payload *his,
		    struct arena *a)
{
	struct xml_elem *e = xml_child(to, NS_RTP, "parameter");
	unsigned i;

	for (; e && !str_eq(xml_get(e, "name"), "apt");)
		e = xml_next(e, NS_RTP, "parameter");
	for (i = 0; e && i < his->parameters; i++)
		if (str_eq(his->parameter[i].name, "apt"))
			xml_set(a, e, "value", his->parameter[i].value);
}

static bool add_payload(struct xml_elem *to, const struct rtp_description *his,
			const struct rtp_payload *p,
			const struct rtp_description *other, bool apart,
			struct arena *a)
{
	const struct rtp_payload *same = leg_map_same(his, p, other);
	struct xml_elem *e;

	if (!same)
		return false;
	e = xml_copy(a, same->elem);
	xml_set(a, e, "id", xml_get(p->elem, "id"));
	cut_feedback(e, p->feedback, p->feedbacks, apart);
	set_apt(e, p, a);
	xml_append(to, e);
	return true;
}

/* `apart`: nobody could number the packets of several transports as one. */
static void add_exts(struct xml_elem *to, const struct rtp_description *his,
		     const struct rtp_description *other, bool apart,
		     struct arena *a)
{
	struct xml_elem *e;
	unsigned i;

	for (i = 0; i < his->hdrexts; i++) {
		if (!leg_map_ext(other, his->hdrext[i].uri) ||
		    (apart && leg_map_is_transport_cc(his->hdrext[i].uri)))
			continue;
		e = xml_add(a, to, NS_HDREXT, "rtp-hdrext");
		xml_set(a, e, "id", arena_printf(a, "%u", his->hdrext[i].id));
		xml_set(a, e, "uri", his->hdrext[i].uri);
	}
	if (his->extmap_allow_mixed && other->extmap_allow_mixed)
		xml_add(a, to, NS_HDREXT, "extmap-allow-mixed");
}

/* Neither codecs nor extensions: RTCP, SSRCs, streams. */
static void add_rest(struct xml_elem *to, const struct rtp_description *his,
		     const struct rtp_description *other, bool alone,
		     bool apart, struct arena *a)
{
	const struct xml_elem *e;
	struct xml_elem *copy;

	for (e = other->elem->first; e; e = e->next) {
		if (!e->name || strcmp(e->ns, NS_HDREXT) == 0 ||
		    (alone && strcmp(e->ns, NS_SSMA) == 0) ||
		    xml_is(e, NS_RTP, "payload-type") ||
		    (xml_is(e, NS_RTP, "rtcp-reduced-size") &&
		     !his->rtcp_reduced_size))
			continue;
		copy = xml_copy(a, e);
		xml_append(to, copy);
	}
	cut_feedback(to, his->feedback, his->feedbacks, apart);
}

/* Something that is not RTX of another one, and nobody is to send it. */
static void add_nothing(struct xml_elem *content, struct xml_elem *to,
			const struct rtp_description *his, struct arena *a)
{
	unsigned i;

	xml_set(a, content, "senders", "none");
	xml_add(a, to, NS_RTP, "rtcp-mux");
	for (i = 0; i < his->payloads; i++)
		if (!his->payload[i].name ||
		    strcasecmp(his->payload[i].name, "rtx") != 0) {
			xml_append(to, xml_copy(a, his->payload[i].elem));
			return;
		}
}

static void add_description(struct xml_elem *content, struct leg *l,
			    const struct leg *other, const char *name,
			    struct arena *a)
{
	struct rtp_description his, has;
	const struct leg *from = other ? other : l;
	int home = leg_home(l, name);
	bool apart = leg_is_apart(l, home) || leg_is_apart(from, home);
	struct xml_elem *to;
	unsigned i, n = 0;
	bool paired;

	if (!has_said(l, l, name, &his, a))
		return;
	to = xml_add(a, content, NS_RTP, "description");
	xml_set(a, to, "media", his.media);
	paired = leg_is_paired(from, name) && has_said(l, from, name, &has, a);
	for (i = 0; paired && i < his.payloads; i++)
		n += add_payload(to, &his, &his.payload[i], &has, apart, a);
	if (!n) {
		add_nothing(content, to, &his, a);
		return;
	}
	add_exts(to, &his, &has, apart, a);
	add_rest(to, &his, &has, !other, apart, a);
	if (other && has.has_ssrc)
		xml_set(a, to, "ssrc", arena_printf(a, "%u", has.ssrc));
}

/* Both have a codec of it; `media` NULL: whatever it is. */
static bool is_common(struct leg *l, const struct leg *other,
		      const struct leg_content *c, const char *media,
		      struct arena *a)
{
	struct rtp_description his, has;
	unsigned i;

	if (!leg_is_paired(other, c->name) ||
	    !has_said(l, l, c->name, &his, a) ||
	    !has_said(l, other, c->name, &has, a) ||
	    (media && !str_eq(his.media, media)))
		return false;
	for (i = 0; i < his.payloads; i++)
		if (leg_map_same(&his, &his.payload[i], &has))
			return true;
	return false;
}

bool leg_has_common(struct leg *l, const struct leg *other, const char *media,
		    struct arena *a)
{
	const struct leg_content *c = l->contents;

	while (c && !is_common(l, other, c, media, a))
		c = c->next;
	return c;
}

void leg_forget_unpaired(struct leg *l, const struct leg *other,
			 struct arena *a)
{
	struct leg_content *c;

	for (c = l->contents; c; c = c->next)
		if (!is_common(l, other, c, NULL, a) && !l->failed)
			leg_assign(l, &c->says, NULL);
}

static bool is_before(const struct xml_elem *one, const struct xml_elem *other)
{
	while (one && one != other)
		one = one->next;
	return one;
}

/* Those that he has on one transport with this one, and we do, too, if it is
 * the first of them. */
static void add_group(struct xml_elem *to, const struct leg *l,
		      const struct xml_elem *offer,
		      const struct xml_elem *first, struct arena *a)
{
	const char *with = xml_get(first, "name"), *name;
	struct xml_elem *group = NULL;
	const struct xml_elem *e;

	for (e = xml_child(offer, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		if (e == first || !leg_bundled(offer, with, name, a) ||
		    leg_transport(l, with) != leg_transport(l, name))
			continue;
		if (!group && is_before(e, first))
			return;
		if (!group) {
			group = xml_add(a, to, NS_GROUPING, "group");
			xml_set(a, group, "semantics", "BUNDLE");
			xml_set(a, xml_add(a, group, NULL, "content"), "name",
				with);
		}
		xml_set(a, xml_add(a, group, NULL, "content"), "name", name);
	}
}

struct xml_elem *leg_answer(struct leg *l, const struct leg *other,
			    const struct xml_elem *offer, struct arena *a)
{
	struct xml_elem *to = xml_new(a, NS_JINGLE, "jingle"), *content, *t;
	const struct xml_elem *e;
	const char *name;

	for (e = xml_child(offer, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		content = xml_add(a, to, NS_JINGLE, "content");
		xml_set(a, content, "creator", xml_get(e, "creator"));
		xml_set(a, content, "name", name);
		xml_set(a, content, "senders", xml_get(e, "senders"));
		add_description(content, l, other, name, a);
		/* In the place of the other's, which ours takes. */
		t = xml_add(a, content, NS_ICE_UDP, "transport");
		xml_add(a, t, NS_DTLS, "fingerprint");
	}
	for (e = xml_child(offer, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content"))
		add_group(to, l, offer, e, a);
	return to;
}

/* --- what was negotiated ------------------------------------------------ */

static void cut_description(struct rtp_description *d,
			    const struct rtp_description *by)
{
	unsigned i;

	for (i = 0; i < d->payloads; i++)
		if (!leg_map_same(d, &d->payload[i], by))
			xml_remove(d->elem, d->payload[i].elem);
}

/* As he was answered (add_exts(), cut_feedback()). */
static void cut_transport_cc(struct xml_elem *from)
{
	struct xml_elem *e, *next;

	for (e = from->first; e; e = next) {
		next = e->next;
		if (xml_is(e, NS_RTP, "payload-type")) {
			cut_transport_cc(e);
		} else if ((xml_is(e, NS_HDREXT, "rtp-hdrext") &&
			    leg_map_is_transport_cc(xml_get(e, "uri"))) ||
			   (xml_is(e, NS_RTCP_FB, "rtcp-fb") &&
			    str_eq(xml_get(e, "type"), "transport-cc"))) {
			xml_remove(from, e);
		}
	}
}

int leg_cut_says(struct leg *l, const struct leg *by,
		 const struct xml_elem *tree, struct arena *a)
{
	const struct xml_elem *e;
	struct rtp_description d, other;
	const char *name;
	int err, home;

	for (e = xml_child(tree, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		err = leg_says(l, name, &d, a);
		if (!err)
			err = leg_says(by, name, &other, a);
		if (err == ENOMEM)
			return err;
		if (err)
			continue;
		home = leg_home(l, name);
		cut_description(&d, &other);
		if (leg_is_apart(l, home) || leg_is_apart(by, home))
			cut_transport_cc(d.elem);
		leg_set_says(l, name, d.elem, a);
	}
	return 0;
}
