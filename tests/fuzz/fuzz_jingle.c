/* fuzz_jingle.c: any XML as an iq: Jingle with all its codecs, disco with
 * its hash, registration. Reading never changes the tree, and each refusal
 * says why.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/stanza/disco.h"
#include "jingle/stanza/dtls.h"
#include "jingle/stanza/ice_udp.h"
#include "jingle/stanza/jingle.h"
#include "jingle/stanza/register.h"
#include "jingle/stanza/rtp.h"
#include "jingle/stanza/source.h"
#include "jingle/stanza/text.h"

static void check_content(struct arena *a, const struct jingle_content *c)
{
	struct rtp_description rtp;
	struct source_list sources;
	struct ice_transport ice;
	struct dtls_list dtls;

	assert(!text_blank(c->name) && strlen(c->name) <= JINGLE_NAME_MAX);
	if (xml_is(c->description, NS_RTP, "description")) {
		assert(!rtp_parse(a, c->description, &rtp, NULL));
		assert(!source_parse(a, c->description, &sources, NULL));
	}
	if (xml_is(c->transport, NS_ICE_UDP, "transport")) {
		assert(!ice_udp_parse(a, c->transport, &ice, NULL));
		assert(!dtls_parse(a, c->transport, &dtls, NULL));
		assert(ice.candidates == c->candidates);
		assert(c->fingerprint == (dtls.fingerprints > 0));
	}
}

static void check_jingle(struct arena *a, const struct xml_elem *e)
{
	struct jingle j;
	struct why why = { 0 };
	int err = jingle_parse(a, e, &j, &why);

	fuzz_err(err, &why);
	if (err)
		return;
	assert(!text_blank(j.sid) && strlen(j.sid) <= JINGLE_SID_MAX);
	assert(j.contents <= JINGLE_CONTENTS_MAX);
	for (unsigned i = 0; i < j.contents; i++)
		check_content(a, &j.content[i]);
}

/* The codecs alone, on whatever the root is. */
static void check_parts(struct arena *a, struct xml_elem *e)
{
	struct rtp_description rtp;
	struct source_list sources;
	struct ice_transport ice;
	struct dtls_list dtls;
	struct content_group *groups;
	unsigned n;
	struct why why = { 0 };

	fuzz_err(rtp_parse(a, e, &rtp, &why), &why);
	fuzz_err(source_parse(a, e, &sources, &why), &why);
	fuzz_err(ice_udp_parse(a, e, &ice, &why), &why);
	fuzz_err(dtls_parse(a, e, &dtls, &why), &why);
	fuzz_err(group_parse(a, e, &groups, &n, &why), &why);
}

static void check_disco(struct arena *a, const struct xml_elem *e)
{
	struct disco_info info, again;
	struct why why = { 0 };
	char ver[DISCO_VER_SIZE], same[DISCO_VER_SIZE];
	struct xml_elem *iq;
	int err = disco_parse(a, e, &info, &why);

	fuzz_err(err, &why);
	if (err)
		return;
	err = disco_ver(a, &info, ver);
	assert(err == 0 || err == EBADMSG);
	iq = stanza_new(a, STANZA_IQ, "result", "1", "a", "b");
	disco_add_info(a, iq, &info, NULL);
	assert(disco_parse(a, iq, &again, &why) == 0);
	assert(disco_ver(a, &again, same) == err);
	assert(err || !strcmp(ver, same));
}

static void check_register(struct arena *a, struct xml_elem *e)
{
	enum register_action action;
	struct stanza s;
	struct why why = { 0 };

	if (!stanza_parse(a, e, &s, &why))
		fuzz_err(register_parse(&s, &action, &why), &why);
}

static void check(struct arena *a, struct xml_elem *e)
{
	check_jingle(a, e);
	check_parts(a, e);
	check_disco(a, e);
	check_register(a, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_each(data, size, check);
	return 0;
}
