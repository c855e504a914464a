/* rtp.c: the RTP <description/> (XEP-0167) with feedback (XEP-0293) and
 * header extensions (XEP-0294).
 */
#include "jingle/stanza/rtp.h"

#include <errno.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/why.h"

#define ID_MAX 127
#define ID_DYNAMIC 96              /* from here on a name is required */
#define CLOCKRATE_MAX 10000000u    /* Hz */
#define CHANNELS_MAX 255
#define PTIME_MAX 10000u           /* ms */
#define HDREXT_ID_MAX 4351         /* XEP-0294, 3: 4096-4351 for offers */

/* Number of children of that kind; allocates as many of `size` bytes. */
static int make_list(struct arena *a, const struct xml_elem *e, const char *ns,
		     const char *name, unsigned max, size_t size, void **list_r)
{
	const struct xml_elem *c = xml_child(e, ns, name);
	unsigned n = 0;

	*list_r = NULL;
	for (; c; c = xml_next(c, ns, name))
		if (++n > max)
			return EOVERFLOW;
	if (!n)
		return 0;
	*list_r = arena_alloc(a, n * size);
	return *list_r ? 0 : ENOMEM;
}

/* An optional number: absent leaves *n_r alone. */
static int optional_number(const struct xml_elem *e, const char *name,
			   uint32_t max, uint32_t *n_r)
{
	const char *s = xml_get(e, name);

	return s ? text_number(s, max, n_r) : 0;
}

static int list_error(int err, struct why *why, const char *text)
{
	return err == EOVERFLOW ? why_over(why, text) : err;
}

static int read_parameters(struct arena *a, struct rtp_payload *p,
			   struct why *why)
{
	const struct xml_elem *e;
	void *list;
	int err = make_list(a, p->elem, NS_RTP, "parameter",
			    RTP_PARAMETERS_MAX, sizeof(*p->parameter), &list);

	if (err)
		return list_error(err, why, "More than 64 parameters in a "
				  "<payload-type/>.");
	p->parameter = list;
	for (e = xml_child(p->elem, NS_RTP, "parameter"); e;
	     e = xml_next(e, NS_RTP, "parameter")) {
		struct rtp_parameter *r = &p->parameter[p->parameters++];

		r->name = xml_get(e, "name");
		r->value = xml_get(e, "value");
		if (text_blank(r->name) && text_blank(r->value))
			return why_bad(why, "<parameter/> needs 'name'.");
	}
	return 0;
}

static int read_trr_int(const struct xml_elem *e, struct rtp_feedback *f,
			struct why *why)
{
	f->type = "trr-int";
	f->subtype = xml_get(e, "value");
	if (text_blank(f->subtype))
		return why_bad(why, "<rtcp-fb-trr-int/> needs 'value'.");
	return 0;
}

static int read_feedback(const struct xml_elem *e, struct rtp_feedback *f,
			 struct why *why)
{
	if (!strcmp(e->name, "rtcp-fb-trr-int"))
		return read_trr_int(e, f, why);
	f->type = xml_get(e, "type");
	f->subtype = xml_get(e, "subtype");
	if (text_blank(f->type))
		return why_bad(why, "<rtcp-fb/> needs 'type'.");
	if (f->subtype && text_blank(f->subtype))
		return why_bad(why, "Attribute 'subtype' of <rtcp-fb/> is "
			       "blank.");
	return 0;
}

static int read_feedbacks(struct arena *a, const struct xml_elem *parent,
			  struct rtp_feedback **list_r, unsigned *n_r,
			  struct why *why)
{
	const struct xml_elem *e;
	void *list;
	int err = make_list(a, parent, NS_RTCP_FB, NULL, RTP_FEEDBACKS_MAX,
			    sizeof(**list_r), &list);

	if (err)
		return list_error(err, why, "More than 64 <rtcp-fb/>.");
	*list_r = list;
	for (e = xml_child(parent, NS_RTCP_FB, NULL); e;
	     e = xml_next(e, NS_RTCP_FB, NULL)) {
		if (strcmp(e->name, "rtcp-fb") != 0 &&
		    strcmp(e->name, "rtcp-fb-trr-int") != 0)
			continue;
		err = read_feedback(e, &(*list_r)[*n_r], why);
		if (err)
			return err;
		(*n_r)++;
	}
	return 0;
}

static int read_payload_numbers(struct rtp_payload *p, struct why *why)
{
	p->channels = 1;
	if (optional_number(p->elem, "clockrate", CLOCKRATE_MAX,
			    &p->clockrate))
		return why_bad(why, "Attribute 'clockrate' of "
			       "<payload-type/>: expected a number of Hz.");
	if (optional_number(p->elem, "channels", CHANNELS_MAX, &p->channels))
		return why_bad(why, "Attribute 'channels' of "
			       "<payload-type/>: expected 1 to 255.");
	if (optional_number(p->elem, "ptime", PTIME_MAX, &p->ptime) ||
	    optional_number(p->elem, "maxptime", PTIME_MAX, &p->maxptime))
		return why_bad(why, "Attributes 'ptime' and 'maxptime' of "
			       "<payload-type/>: expected milliseconds.");
	return 0;
}

static int read_payload(struct arena *a, struct rtp_payload *p,
			struct why *why)
{
	int err;

	if (text_number(xml_get(p->elem, "id"), ID_MAX, &p->id))
		return why_bad(why, "<payload-type/> needs 'id', 0 to 127.");
	p->name = xml_get(p->elem, "name");
	if (text_blank(p->name) && (p->name || p->id >= ID_DYNAMIC))
		return why_bad(why, "<payload-type/> needs 'name'.");
	err = read_payload_numbers(p, why);
	if (!err)
		err = read_parameters(a, p, why);
	if (!err)
		err = read_feedbacks(a, p->elem, &p->feedback, &p->feedbacks,
				     why);
	return err;
}

static int read_payloads(struct arena *a, struct rtp_description *d,
			 struct why *why)
{
	bool seen[ID_MAX + 1] = { false };
	struct xml_elem *e;
	void *list;
	int err = make_list(a, d->elem, NS_RTP, "payload-type",
			    RTP_PAYLOADS_MAX, sizeof(*d->payload), &list);

	if (err)
		return list_error(err, why, "More than 128 payload types.");
	d->payload = list;
	for (e = xml_child(d->elem, NS_RTP, "payload-type"); e;
	     e = xml_next(e, NS_RTP, "payload-type")) {
		struct rtp_payload *p = &d->payload[d->payloads++];

		p->elem = e;
		err = read_payload(a, p, why);
		if (err)
			return err;
		if (seen[p->id])
			return why_bad(why, "Two payload types have the same "
				       "'id'.");
		seen[p->id] = true;
	}
	return 0;
}

static int read_hdrext(const struct rtp_description *d,
		       const struct xml_elem *e, struct rtp_hdrext *h,
		       struct why *why)
{
	if (text_number(xml_get(e, "id"), HDREXT_ID_MAX, &h->id) || !h->id)
		return why_bad(why, "<rtp-hdrext/> needs 'id', 1 to 4351.");
	h->uri = xml_get(e, "uri");
	if (text_blank(h->uri))
		return why_bad(why, "<rtp-hdrext/> needs 'uri'.");
	h->senders = xml_get(e, "senders");
	if (h->senders && text_blank(h->senders))
		return why_bad(why, "Attribute 'senders' of <rtp-hdrext/> is "
			       "blank.");
	for (unsigned i = 0; i < d->hdrexts; i++)
		if (d->hdrext[i].id == h->id)
			return why_bad(why, "Two <rtp-hdrext/> have the same "
				       "'id'.");
	return 0;
}

static int read_hdrexts(struct arena *a, struct rtp_description *d,
			struct why *why)
{
	const struct xml_elem *e;
	void *list;
	int err = make_list(a, d->elem, NS_HDREXT, "rtp-hdrext",
			    RTP_HDREXTS_MAX, sizeof(*d->hdrext), &list);

	if (err)
		return list_error(err, why, "More than 64 <rtp-hdrext/>.");
	d->hdrext = list;
	for (e = xml_child(d->elem, NS_HDREXT, "rtp-hdrext"); e;
	     e = xml_next(e, NS_HDREXT, "rtp-hdrext")) {
		err = read_hdrext(d, e, &d->hdrext[d->hdrexts], why);
		if (err)
			return err;
		d->hdrexts++;
	}
	d->extmap_allow_mixed = xml_child(d->elem, NS_HDREXT,
					  "extmap-allow-mixed") != NULL;
	return 0;
}

static int read_flags(struct rtp_description *d, struct why *why)
{
	const struct xml_elem *mux = xml_child(d->elem, NS_RTP, "rtcp-mux");
	const struct xml_elem *e = xml_child(d->elem, NS_RTP, "encryption");
	const char *ssrc = xml_get(d->elem, "ssrc");

	if (xml_next(mux, NS_RTP, "rtcp-mux"))
		return why_bad(why, "More than one <rtcp-mux/>.");
	if (xml_next(e, NS_RTP, "encryption"))
		return why_bad(why, "More than one <encryption/>.");
	d->rtcp_mux = mux != NULL;
	d->rtcp_reduced_size = xml_child(d->elem, NS_RTP,
					 "rtcp-reduced-size") != NULL;
	d->encryption = e != NULL;
	d->encryption_required = text_true(xml_get(e, "required"));
	d->has_ssrc = ssrc != NULL;
	if (ssrc && text_number(ssrc, UINT32_MAX, &d->ssrc))
		return why_bad(why, "Attribute 'ssrc' of <description/>: "
			       "expected a 32-bit number.");
	return 0;
}

int rtp_parse(struct arena *a, struct xml_elem *description,
	      struct rtp_description *d_r, struct why *why)
{
	int err;

	memset(d_r, 0, sizeof(*d_r));
	d_r->elem = description;
	d_r->media = xml_get(description, "media");
	if (text_blank(d_r->media))
		return why_bad(why, "<description/> needs 'media'.");
	err = read_flags(d_r, why);
	if (!err)
		err = read_payloads(a, d_r, why);
	if (!err)
		err = read_hdrexts(a, d_r, why);
	if (!err)
		err = read_feedbacks(a, description, &d_r->feedback,
				     &d_r->feedbacks, why);
	return err;
}
