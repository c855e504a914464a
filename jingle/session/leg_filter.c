/* leg_filter.c: what a description (XEP-0167) does not hold towards a user
 * whose DTLS ends with us (mode `room`).
 *
 * Packets are sent on with other numbers than they came with. What carries
 * payload types or sequence numbers of other packets inside would then be
 * wrong: redundant audio and video (RFC 2198), FEC over packets (RFC 5109,
 * RFC 8627), and simulcast, whose layers somebody would have to choose among.
 * So they are not offered, and what is made for them alone (RTX of such a type)
 * neither. Nor are SDES keys (XEP-0167, 7): Dino would encrypt twice, and the
 * inner layer would be for a device that has other packets.
 */
#include <strings.h>
#include "jingle/session/leg_private.h"
#include "jingle/stanza/text.h"

#define PAYLOAD_MAX 127

static bool is_one_of(const char *word, const char *const *list)
{
	for (; word && *list; list++)
		if (strcasecmp(word, *list) == 0)
			return true;
	return false;
}

static bool takes_others_inside(const struct xml_elem *payload)
{
	static const char *const names[] = {
		"red", "ulpfec", "flexfec", "flexfec-03", NULL
	};

	return is_one_of(xml_get(payload, "name"), names);
}

/* RTX (RFC 4588) of a type that is out. */
static bool is_of(const struct xml_elem *payload, const bool *out)
{
	const struct xml_elem *p;
	uint32_t apt;

	if (strcasecmp(xml_get(payload, "name") ? xml_get(payload, "name") :
		       "", "rtx") != 0)
		return false;
	for (p = xml_child(payload, NS_RTP, "parameter"); p;
	     p = xml_next(p, NS_RTP, "parameter"))
		if (str_eq(xml_get(p, "name"), "apt") &&
		    !text_number(xml_get(p, "value"), PAYLOAD_MAX, &apt))
			return out[apt];
	return false;
}

static void drop_payloads(struct xml_elem *d)
{
	bool out[PAYLOAD_MAX + 1] = { false };
	struct xml_elem *e, *next;
	uint32_t id;

	for (e = xml_child(d, NS_RTP, "payload-type"); e; e = next) {
		next = xml_next(e, NS_RTP, "payload-type");
		if (!takes_others_inside(e))
			continue;
		if (!text_number(xml_get(e, "id"), PAYLOAD_MAX, &id))
			out[id] = true;
		xml_remove(d, e);
	}
	for (e = xml_child(d, NS_RTP, "payload-type"); e; e = next) {
		next = xml_next(e, NS_RTP, "payload-type");
		if (is_of(e, out))
			xml_remove(d, e);
	}
}

/* Where none belongs: the other user's is not to be known. */
static bool is_print(const struct xml_elem *e)
{
	return xml_is(e, NS_DTLS, NULL) || xml_is(e, NS_OMEMO_DTLS, NULL);
}

static bool is_dropped(const struct xml_elem *e)
{
	static const char *const groups[] = {
		"SIM", "FEC", "FEC-FR", NULL
	};
	static const char *const names[] = { "rid", "simulcast", NULL };

	return is_print(e) || xml_is(e, NS_RTP, "encryption") ||
	       (xml_is(e, NS_SSMA, "ssrc-group") &&
		is_one_of(xml_get(e, "semantics"), groups)) ||
	       is_one_of(e->name, names);
}

void leg_filter(struct xml_elem *content)
{
	struct xml_elem *d = xml_child(content, NS_RTP, "description");
	struct xml_elem *e, *next;

	for (e = xml_child(content, NULL, NULL); e; e = next) {
		next = xml_next(e, NULL, NULL);
		if (is_print(e))
			xml_remove(content, e);
	}
	for (e = xml_child(d, NULL, NULL); e; e = next) {
		next = xml_next(e, NULL, NULL);
		if (is_dropped(e))
			xml_remove(d, e);
	}
	drop_payloads(d);
}
