/* test_rtp.c: RTP descriptions (XEP-0167, 0293, 0294). */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/rtp.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define RTP(body) "<description xmlns='" NS_RTP "' media='audio'>" body \
		  "</description>"

static int parse(const char *xml, struct rtp_description *d, struct why *why)
{
	return rtp_parse(arena, tree(arena, xml), d, why);
}

static void test_parse(void **state)
{
	struct rtp_description d;
	const struct rtp_payload *p;

	(void)state;
	assert_int_equal(parse("<description xmlns='" NS_RTP "' media='video' "
		"ssrc='4294967295'><payload-type id='96' name='VP8' "
		"clockrate='90000' ptime='20' maxptime='60'>"
		"<rtcp-fb xmlns='" NS_RTCP_FB "' type='nack' subtype='pli'/>"
		"<rtcp-fb-trr-int xmlns='" NS_RTCP_FB "' value='100'/>"
		"<other xmlns='" NS_RTCP_FB "'/>"
		"</payload-type><payload-type id='63' name='red' channels='2'>"
		"<parameter name='111/111'/><parameter name='a' value='b'/>"
		"<parameter name='' value='0-15'/></payload-type>"
		"<payload-type id='0'/>"
		"<rtp-hdrext xmlns='" NS_HDREXT "' id='4' uri='urn:mid' "
		"senders='both'/><extmap-allow-mixed xmlns='" NS_HDREXT "'/>"
		"<rtcp-fb xmlns='" NS_RTCP_FB "' type='transport-cc'/>"
		"<rtcp-mux/><rtcp-reduced-size/><encryption required='1'>"
		"<crypto/></encryption></description>", &d, NULL), 0);
	assert_string_equal(d.media, "video");
	assert_true(d.has_ssrc);
	assert_int_equal(d.ssrc, UINT32_MAX);
	assert_true(d.rtcp_mux && d.rtcp_reduced_size && d.encryption &&
		    d.encryption_required && d.extmap_allow_mixed);
	assert_int_equal(d.payloads, 3);
	p = &d.payload[0];
	assert_int_equal(p->id, 96);
	assert_string_equal(p->name, "VP8");
	assert_int_equal(p->clockrate, 90000);
	assert_int_equal(p->channels, 1);
	assert_int_equal(p->ptime, 20);
	assert_int_equal(p->maxptime, 60);
	assert_int_equal(p->feedbacks, 2);
	assert_string_equal(p->feedback[0].type, "nack");
	assert_string_equal(p->feedback[0].subtype, "pli");
	assert_string_equal(p->feedback[1].type, "trr-int");
	assert_string_equal(p->feedback[1].subtype, "100");
	p = &d.payload[1];
	assert_int_equal(p->id, 63);
	assert_int_equal(p->channels, 2);
	assert_int_equal(p->parameters, 3);
	assert_string_equal(p->parameter[0].name, "111/111");
	assert_null(p->parameter[0].value);
	assert_string_equal(p->parameter[1].name, "a");
	assert_string_equal(p->parameter[1].value, "b");
	assert_int_equal(d.payload[2].id, 0);
	assert_null(d.payload[2].name);
	assert_int_equal(d.hdrexts, 1);
	assert_int_equal(d.hdrext[0].id, 4);
	assert_string_equal(d.hdrext[0].uri, "urn:mid");
	assert_int_equal(d.feedbacks, 1);
}

static void test_errors(void **state)
{
	static const char *const rows[] = {
		"<description xmlns='" NS_RTP "'/>",
		"<description xmlns='" NS_RTP "' media='audio' ssrc='x'/>",
		RTP("<payload-type name='a'/>"),
		RTP("<payload-type id='128' name='a'/>"),
		RTP("<payload-type id='-1' name='a'/>"),
		RTP("<payload-type id='96'/>"),
		RTP("<payload-type id='0' name=' '/>"),
		RTP("<payload-type id='0'/><payload-type id='0'/>"),
		RTP("<payload-type id='0' clockrate='x'/>"),
		RTP("<payload-type id='0' channels='256'/>"),
		RTP("<payload-type id='0' ptime='x'/>"),
		RTP("<payload-type id='0' maxptime=''/>"),
		RTP("<payload-type id='0'><parameter/></payload-type>"),
		RTP("<rtcp-fb xmlns='" NS_RTCP_FB "'/>"),
		RTP("<rtcp-fb xmlns='" NS_RTCP_FB "' type='a' subtype=''/>"),
		RTP("<rtcp-fb-trr-int xmlns='" NS_RTCP_FB "'/>"),
		RTP("<rtp-hdrext xmlns='" NS_HDREXT "' uri='u'/>"),
		RTP("<rtp-hdrext xmlns='" NS_HDREXT "' id='0' uri='u'/>"),
		RTP("<rtp-hdrext xmlns='" NS_HDREXT "' id='1'/>"),
		RTP("<rtp-hdrext xmlns='" NS_HDREXT "' id='1' uri='u' "
		    "senders=''/>"),
		RTP("<rtp-hdrext xmlns='" NS_HDREXT "' id='1' uri='u'/>"
		    "<rtp-hdrext xmlns='" NS_HDREXT "' id='1' uri='v'/>"),
		RTP("<rtcp-mux/><rtcp-mux/>"),
		RTP("<encryption/><encryption/>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtp_description d;
		struct why why = { 0 };

		assert_int_equal(parse(rows[i], &d, &why), EBADMSG);
		assert_string_equal(why.condition, "bad-request");
		assert_true(strlen(why.text) > 10);
	}
}

static int parse_many(const char *ns, const char *name, unsigned n,
		      const char *text)
{
	struct xml_elem *e = tree(arena, RTP("<payload-type id='0'/>"));
	struct xml_elem *at = strcmp(name, "parameter") ? e : e->first;
	struct rtp_description d;
	struct why why = { 0 };
	int err;

	for (unsigned i = 1; i <= n; i++) {
		struct xml_elem *c = xml_add(arena, at, ns, name);

		xml_set(arena, c, "id", arena_printf(arena, "%u", i));
		xml_set(arena, c, "name", "n");
		xml_set(arena, c, "uri", "u");
		xml_set(arena, c, "type", "t");
	}
	err = rtp_parse(arena, e, &d, &why);
	if (err)
		assert_string_equal(why.text, text);
	return err;
}

static void test_caps(void **state)
{
	static const struct {
		const char *ns, *name;
		unsigned most;
		const char *text;
	} rows[] = {
		{ NS_RTP, "payload-type", 127, "More than 128 payload "
		  "types." },
		{ NS_RTP, "parameter", 64, "More than 64 parameters in a "
		  "<payload-type/>." },
		{ NS_RTCP_FB, "rtcp-fb", 64, "More than 64 <rtcp-fb/>." },
		{ NS_HDREXT, "rtp-hdrext", 64, "More than 64 "
		  "<rtp-hdrext/>." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse_many(rows[i].ns, rows[i].name,
					    rows[i].most, rows[i].text), 0);
		assert_int_equal(parse_many(rows[i].ns, rows[i].name,
					    rows[i].most + 1, rows[i].text),
				 EOVERFLOW);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_caps),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
