/* test_leg_return.c: mode `room`: the answer to who comes back, made of what
 * the other one said: in his numbers, with what both have.
 */
#include "jingle/session/leg_map.h"
#include "jingle/session/leg_private.h"
#include "tests/unit/leg_test.h"

#define FB(type) "<rtcp-fb xmlns='" NS_RTCP_FB "' type='" type "'/>"
#define FB2(type, sub) "<rtcp-fb xmlns='" NS_RTCP_FB "' type='" type \
	"' subtype='" sub "'/>"
#define EXT(id, uri) "<rtp-hdrext xmlns='" NS_HDREXT "' id='" id "' uri='" \
	uri "'/>"
#define MIXED "<extmap-allow-mixed xmlns='" NS_HDREXT "'/>"
#define PT(id, name, more) "<payload-type id='" id "' name='" name \
	"' clockrate='90000'>" more "</payload-type>"
#define PAR(name, value) "<parameter name='" name "' value='" value "'/>"
#define SOURCE "<source xmlns='" NS_SSMA "' ssrc='7'/>"
#define OPUS(id) "<payload-type id='" id "' name='opus' clockrate='48000'/>"
#define CONTENT_OF(name, media, children) "<content creator='initiator' " \
	"name='" name "'><description xmlns='" NS_RTP "' media='" media "'>" \
	children "</description></content>"
#define BUNDLE(one, other) "<group xmlns='" NS_GROUPING "' " \
	"semantics='BUNDLE'><content name='" one "'/><content name='" other \
	"'/></group>"
#define DUMMY "<transport xmlns='" NS_ICE_UDP "'><fingerprint xmlns='" \
	NS_DTLS "'/></transport>"
#define ANSWER(name, media, attributes, children) "<content " \
	"creator='initiator' name='" name "'" attributes "><description " \
	"xmlns='" NS_RTP "' media='" media "'>" children "</description>" \
	DUMMY "</content>"

struct two {
	struct leg stays, back;
	struct arena *a;
	struct xml_elem *offer;
};

static int setup(void **state)
{
	struct two *t = calloc(1, sizeof(*t));

	if (!t)
		return -1;
	t->a = arena_new(0);
	leg_init(&t->stays, "a@h", "b@c", "call", true);
	leg_init(&t->back, "b@h", "a@c", "call", true);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct two *t = *state;

	leg_clear(&t->stays);
	leg_clear(&t->back);
	arena_free(t->a);
	free(t);
	return 0;
}

static struct xml_elem *tree(struct two *t, const char *contents)
{
	const char *text = arena_join(t->a, "<jingle xmlns='" NS_JINGLE "'>",
				      contents, "</jingle>");
	struct xml_elem *e;

	assert_int_equal(xml_parse(t->a, text, strlen(text), NS_COMPONENT,
				   &xml_limits_default, &e), 0);
	return e;
}

/* He has these contents, all on transport 0 but those from `apart` on. */
static void says(struct two *t, const char *contents, unsigned apart)
{
	struct xml_elem *j = tree(t, contents), *e;
	unsigned n = 0;

	for (e = xml_child(j, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content"), n++)
		leg_set_transport(&t->stays, xml_get(e, "name"),
				  n < apart ? 0 : 1);
	assert_true(leg_keep_says(&t->stays, j, t->a));
}

static void offers(struct two *t, const char *contents)
{
	struct xml_elem *j = tree(t, contents), *e;
	const char *name;

	/* As leg_learn() does it. */
	for (e = xml_child(j, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content"))
		leg_set_transport(&t->back, xml_get(e, "name"), 7);
	t->offer = leg_pair(&t->back, &t->stays, j, t->a);
	for (e = xml_child(t->offer, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content")) {
		name = xml_get(e, "name");
		if (leg_transport(&t->stays, name) >= 0)
			leg_set_transport(&t->back, name,
					  leg_transport(&t->stays, name));
	}
	assert_true(leg_keep_says(&t->back, t->offer, t->a));
}

static void expect_answer(struct two *t, const char *expected)
{
	struct xml_elem *j = leg_answer(&t->back, &t->stays, t->offer, t->a);
	const char *is = xml_write(t->a, j, NS_JINGLE, NULL);

	expected = xml_write(t->a, tree(t, expected), NS_JINGLE, NULL);
	assert_string_equal(is, expected);
}

/* --- a content -------------------------------------------------------- */

static void test_numbers(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("v", "video", PT("96", "VP8", PAR("max-fr", "30")
		FB("nack") FB2("nack", "pli") FB("goog-remb"))
		PT("97", "rtx", PAR("apt", "96")) PT("98", "VP9", "")
		EXT("3", "urn:a") EXT("4", "urn:b") MIXED FB("ccm")
		"<rtcp-mux/><rtcp-reduced-size/>" SOURCE), 9);
	offers(t, CONTENT_OF("v", "video", PT("119", "H264", "")
		PT("121", "rtx", PAR("apt", "120"))
		PT("120", "VP8", PAR("max-fr", "60") FB2("nack", "pli")
		   FB("transport-cc")) EXT("9", "urn:b") EXT("8", "urn:c")
		"<rtcp-mux/>"));
	expect_answer(t, ANSWER("v", "video", "",
		PT("121", "rtx", PAR("apt", "120"))
		PT("120", "VP8", PAR("max-fr", "30") FB2("nack", "pli"))
		EXT("9", "urn:b") "<rtcp-mux/>" SOURCE));
}

static void test_both_have(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("v", "video", PT("96", "VP8", "") MIXED FB("ccm")
			   "<rtcp-mux/><rtcp-reduced-size/>"), 9);
	offers(t, CONTENT_OF("v", "video", PT("96", "VP8", "") MIXED FB("ccm")
			     "<rtcp-mux/><rtcp-reduced-size/>"));
	expect_answer(t, ANSWER("v", "video", "", PT("96", "VP8", "") MIXED
				FB("ccm") "<rtcp-mux/><rtcp-reduced-size/>"));
}

/* Where he may wait with feedback is nothing that both could have, whatever
 * else is written there. */
static void test_trr_int(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("v", "video", PT("96", "VP8", "<rtcp-fb-trr-int "
		"xmlns='" NS_RTCP_FB "' type='nack' value='5'/>")), 9);
	offers(t, CONTENT_OF("v", "video", PT("96", "VP8", FB("nack"))));
	expect_answer(t, ANSWER("v", "video", "", PT("96", "VP8", "")));
}

#define WITH_SSRC(id) "<content creator='initiator' name='v'><description " \
	"xmlns='" NS_RTP "' media='video' ssrc='" id "'>" \
	PT("96", "VP8", "") "</description>"

/* The SSRC of who sends, not of whom he answers; nobody's where nobody is. */
static void test_ssrc(void **state)
{
	struct two *t = *state;
	const struct xml_elem *e;

	says(t, WITH_SSRC("7") "</content>", 9);
	offers(t, WITH_SSRC("8") "</content>");
	expect_answer(t, WITH_SSRC("7") DUMMY "</content>");
	e = leg_answer(&t->back, NULL, t->offer, t->a);
	e = xml_child(xml_child(e, NS_JINGLE, "content"), NS_RTP,
		      "description");
	assert_non_null(e);
	assert_null(xml_get(e, "ssrc"));
}

/* A codec of his, for nobody to send; not one that only repeats another. */
static void test_nothing(void **state)
{
	struct two *t = *state;
	struct rtp_description d;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 1);
	offers(t, CONTENT_OF("a", "audio", OPUS("109"))
	       CONTENT_OF("v", "video", PT("97", "rtx", PAR("apt", "98"))
			  PT("98", "H264", "") PT("99", "VP9", "")));
	assert_true(leg_has_common(&t->back, &t->stays, "audio", t->a));
	assert_false(leg_has_common(&t->back, &t->stays, "video", t->a));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("109"))
		      ANSWER("v", "video", " senders='none'", "<rtcp-mux/>"
			     PT("98", "H264", "")));
	/* Nor is anything kept of what nobody sends. */
	leg_forget_unpaired(&t->back, &t->stays, t->a);
	assert_int_equal(leg_says(&t->back, "a", &d, t->a), 0);
	assert_int_equal(leg_says(&t->back, "v", &d, t->a), ENOENT);
}

/* Without memory nobody knows what both have: nothing is forgotten. */
static void test_no_memory(void **state)
{
	struct two *t = *state;
	struct arena *small = arena_new(8);
	struct rtp_description d;

	says(t, CONTENT_OF("a", "audio", OPUS("111")), 1);
	offers(t, CONTENT_OF("a", "audio", OPUS("109")));
	assert_false(leg_has_common(&t->back, &t->stays, NULL, small));
	assert_true(t->back.failed);
	t->back.failed = false;
	leg_forget_unpaired(&t->back, &t->stays, small);
	assert_true(t->back.failed);
	assert_int_equal(leg_says(&t->back, "a", &d, t->a), 0);
	arena_free(small);
}

/* --- pairs ------------------------------------------------------------ */

/* By media where the names are others; the same one, if there is one. */
static void test_names(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("0", "audio", OPUS("111"))
	     CONTENT_OF("1", "video", PT("96", "VP8", ""))
	     CONTENT_OF("2", "video", PT("96", "VP8", "")), 1);
	offers(t, CONTENT_OF("2", "video", PT("96", "VP8", ""))
	       CONTENT_OF("1", "audio", OPUS("111"))
	       CONTENT_OF("0", "audio", OPUS("111")));
	expect_answer(t, ANSWER("2", "video", "", PT("96", "VP8", ""))
		      ANSWER("+1", "audio", " senders='none'", "<rtcp-mux/>"
			     OPUS("111"))
		      ANSWER("0", "audio", "", OPUS("111")));
}

/* A name more is one that neither has for a content. */
static void test_names_taken(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("0", "audio", OPUS("111"))
	     CONTENT_OF("1", "video", PT("96", "VP8", ""))
	     CONTENT_OF("+1", "video", PT("96", "VP8", "")), 1);
	offers(t, CONTENT_OF("0", "audio", OPUS("111"))
	       CONTENT_OF("1", "audio", OPUS("111"))
	       CONTENT_OF("++1", "audio", OPUS("111")));
	assert_string_equal(leg_find_his(&t->back, "1")->name, "+++1");
	assert_string_equal(leg_find_his(&t->back, "++1")->name, "++1");
}

/* Who added it is the same in both, whoever began the session of now. */
static void test_creators(void **state)
{
	struct two *t = *state;
	const struct xml_elem *e;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 9);
	leg_find_content(&t->stays, "v")->by_callee = true;
	offers(t, CONTENT_OF("a", "audio", OPUS("111"))
	       CONTENT_OF("v", "video", PT("96", "VP8", "")) BUNDLE("a", "v"));
	e = xml_child(t->offer, NS_JINGLE, "content");
	assert_string_equal(xml_get(e, "creator"), "initiator");
	e = xml_next(e, NS_JINGLE, "content");
	assert_string_equal(xml_get(e, "creator"), "responder");
}

/* Of a content that he has not learned nothing becomes a pair. */
static void test_not_learned(void **state)
{
	struct two *t = *state;
	struct xml_elem *j = tree(t, CONTENT_OF("x", "audio", OPUS("111"))
				  CONTENT_OF("y", "video",
					     PT("96", "VP8", "")));

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 9);
	leg_set_transport(&t->back, "x", 7);
	leg_pair(&t->back, &t->stays, j, t->a);
	assert_non_null(leg_find_content(&t->back, "a"));
	assert_null(leg_find_content(&t->back, "v"));
	assert_null(leg_find_content(&t->back, "y"));
	/* Nor is anything answered that he has not said. */
	t->offer = tree(t, CONTENT_OF("y", "video", PT("96", "VP8", "")));
	expect_answer(t, "<content creator='initiator' name='y'>" DUMMY
		      "</content>");
}

/* What he bundles is in one group as far as it is on one transport here. */
static void test_bundle(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 9);
	offers(t, CONTENT_OF("x", "audio", OPUS("111"))
	       CONTENT_OF("y", "video", PT("96", "VP8", "")) BUNDLE("x", "y"));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("111"))
		      ANSWER("v", "video", "", PT("96", "VP8", ""))
		      BUNDLE("a", "v"));
	assert_false(leg_bundled(t->offer, "x", "y", t->a));
	assert_true(leg_bundled(t->offer, "v", "a", t->a));
	/* What is no group by XEP-0338 bundles nothing. */
	assert_false(leg_bundled(tree(t, "<group xmlns='" NS_GROUPING "'/>"
				      BUNDLE("v", "a")), "v", "a", t->a));
}

static void test_apart(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 1);
	offers(t, CONTENT_OF("a", "audio", OPUS("111"))
	       CONTENT_OF("v", "video", PT("96", "VP8", "")) BUNDLE("a", "v"));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("111"))
		      ANSWER("v", "video", "", PT("96", "VP8", "")));
	/* Each is at home on its own. */
	assert_false(leg_is_apart(&t->back, 0));
	assert_false(leg_is_apart(&t->back, 1));
}

/* Two on one transport, where he has them on two: his numbers tell which of
 * them it is; if they do not, one of them is nobody's. */
static void test_unlike(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 9);
	offers(t, CONTENT_OF("a", "audio", OPUS("111"))
	       CONTENT_OF("v", "video", PT("97", "VP8", "")));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("111"))
		      ANSWER("v", "video", "", PT("97", "VP8", "")));
}

/* Nor does it matter what stands between them. */
static void test_unlike_others_between(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", ""))
	     CONTENT_OF("b", "audio", OPUS("111")), 2);
	offers(t, CONTENT_OF("a", "audio", OPUS("111"))
	       CONTENT_OF("b", "audio", OPUS("111"))
	       CONTENT_OF("v", "video", PT("97", "VP8", "")));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("111"))
		      ANSWER("b", "audio", "", OPUS("111"))
		      ANSWER("v", "video", "", PT("97", "VP8", "")));
}

static void test_unlike_numbers(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")), 9);
	offers(t, CONTENT_OF("a", "audio", OPUS("96"))
	       CONTENT_OF("v", "video", PT("96", "VP8", "")));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("96"))
		      ANSWER("+v", "video", " senders='none'", "<rtcp-mux/>"
			     PT("96", "VP8", "")));
}

static void test_unlike_media(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("v", "video", PT("96", "VP8", ""))
	     CONTENT_OF("s", "video", PT("98", "VP9", "")), 9);
	offers(t, CONTENT_OF("v", "video", PT("96", "VP8", ""))
	       CONTENT_OF("s", "video", PT("98", "VP9", "")));
	expect_answer(t, ANSWER("v", "video", "", PT("96", "VP8", ""))
		      ANSWER("+s", "video", " senders='none'", "<rtcp-mux/>"
			     PT("98", "VP9", "")));
}

/* Of what is neither no packet could be told by its number. */
static void test_unlike_neither(void **state)
{
	struct two *t = *state;

	says(t, CONTENT_OF("a", "audio", OPUS("111"))
	     CONTENT_OF("x", "text", PT("98", "t140", "")), 9);
	offers(t, CONTENT_OF("a", "audio", OPUS("111"))
	       CONTENT_OF("x", "text", PT("98", "t140", "")));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("111"))
		      ANSWER("+x", "text", " senders='none'", "<rtcp-mux/>"
			     PT("98", "t140", "")));
}

#define CC(id) EXT(id, "http://www.ietf.org/id/draft-holmer-rmcat-" \
		   "transport-wide-cc-extensions-01")

/* Feedback that is counted for a whole transport, and other such. */
static void test_transport_cc(void **state)
{
	struct two *t = *state;
	struct rtp_description d;
	unsigned i;

	says(t, CONTENT_OF("v", "video", PT("96", "VP8", FB("transport-cc"))
			   CC("3") EXT("4", "urn:b")), 9);
	offers(t, CONTENT_OF("v", "video", PT("96", "VP8", FB("transport-cc"))
			     CC("5") EXT("6", "urn:b")));
	expect_answer(t, ANSWER("v", "video", "",
				PT("96", "VP8", FB("transport-cc")) CC("5")
				EXT("6", "urn:b")));
	/* It stays what was negotiated. */
	for (i = 0; i < 2; i++) {
		struct leg *l = i ? &t->back : &t->stays;

		assert_int_equal(leg_cut_says(l, i ? &t->stays : &t->back,
					      t->offer, t->a), 0);
		assert_int_equal(leg_says(l, "v", &d, t->a), 0);
		assert_int_equal(d.hdrexts, 2);
		assert_int_equal(d.payload[0].feedbacks, 1);
	}
}

/* What is counted for a whole transport does not go from one to two. */
static void test_unlike_transport_cc(void **state)
{
	struct two *t = *state;
	const struct leg_map *m;
	struct rtp_description d;

	says(t, CONTENT_OF("a", "audio", OPUS("111") CC("3"))
	     CONTENT_OF("v", "video", PT("96", "VP8", FB("transport-cc")
					 FB("ccm")) CC("3")
			EXT("4", "urn:b")), 9);
	offers(t, CONTENT_OF("a", "audio", OPUS("111") CC("5"))
	       CONTENT_OF("v", "video", PT("96", "VP8", FB("transport-cc")
					   FB("ccm")) CC("5")
			  EXT("6", "urn:b")));
	leg_set_transport(&t->back, "v", 2);
	leg_set_home(&t->back, "v", 0);
	assert_true(leg_keep_says(&t->back, t->offer, t->a));
	assert_true(leg_is_apart(&t->back, 0));
	expect_answer(t, ANSWER("a", "audio", "", OPUS("111"))
		      ANSWER("v", "video", "", PT("96", "VP8", FB("ccm"))
			     EXT("6", "urn:b")));
	m = leg_map(&t->back, &t->stays, 0, false, t->a);
	assert_non_null(m);
	assert_int_equal(m->type[96].out, 96);
	assert_int_equal(m->type[111].out, 111);
	assert_int_equal(m->transport_cc, 0);
	assert_int_equal(m->ext[5], 0);
	/* Nor later, when all is on one again: he was answered without. */
	assert_int_equal(leg_cut_says(&t->back, &t->stays, t->offer, t->a), 0);
	assert_int_equal(leg_says(&t->back, "v", &d, t->a), 0);
	assert_int_equal(d.hdrexts, 1);
	assert_int_equal(d.payloads, 1);
	assert_int_equal(d.payload[0].feedbacks, 1);
	m = leg_map(&t->stays, &t->back, 0, false, t->a);
	assert_non_null(m);
	assert_int_equal(m->type[96].out, 96);
	assert_int_equal(m->ext[3], 0);
}

#define EXT_OF(id, what) EXT(id, "urn:ietf:params:rtp-hdrext:" what)

/* Apart a number may be two extensions: neither goes on. */
static void test_unlike_extensions(void **state)
{
	struct two *t = *state;
	const struct leg_map *m;

	says(t, CONTENT_OF("a", "audio", OPUS("111")
			   EXT_OF("1", "ssrc-audio-level")
			   EXT_OF("2", "toffset"))
	     CONTENT_OF("v", "video", PT("96", "VP8", "")
			EXT_OF("2", "toffset") EXT_OF("3", "csrc-audio-level")),
	     9);
	offers(t, CONTENT_OF("a", "audio", OPUS("111")
			     EXT_OF("7", "ssrc-audio-level"))
	       CONTENT_OF("v", "video", PT("96", "VP8", "")
			  EXT_OF("7", "toffset")
			  EXT_OF("8", "csrc-audio-level")));
	leg_set_transport(&t->back, "v", 2);
	leg_set_home(&t->back, "v", 0);
	assert_true(leg_keep_says(&t->back, t->offer, t->a));
	m = leg_map(&t->back, &t->stays, 0, false, t->a);
	assert_non_null(m);
	assert_int_equal(m->ext[7], 0);
	assert_int_equal(m->ext[8], 3);
	/* And what one content of his has alone does not come by the other's
	 * number to where that is another. */
	m = leg_map(&t->stays, &t->back, 0, false, t->a);
	assert_non_null(m);
	assert_int_equal(m->ext[1], 7);
	assert_int_equal(m->ext[2], 0);
	assert_int_equal(m->ext[3], 8);
	leg_set_home(&t->back, "v", 2);
	m = leg_map(&t->back, &t->stays, 0, false, t->a);
	assert_non_null(m);
	assert_int_equal(m->ext[7], 1);
}

/* Where packets go on to of what he has on a transport of his own. */
static void test_joins(void **state)
{
	static const struct { int number, home; bool video; } rows[] = {
		{ 1, -1, false }, { 2, 0, false }, { 3, 1, true },
		{ 4, -1, false },
	};
	struct two *t = *state;
	size_t i;
	bool video;

	/* "n" is of nobody's media, and bundled with "v". */
	offers(t, CONTENT_OF("h", "audio", OPUS("8"))
	       CONTENT_OF("a", "audio", OPUS("9"))
	       CONTENT_OF("n", "video", PT("98", "VP8", ""))
	       CONTENT_OF("v", "video", PT("96", "VP8", "")));
	leg_set_transport(&t->back, "h", 1);
	leg_set_transport(&t->back, "a", 2);
	leg_set_home(&t->back, "a", 0);
	leg_set_transport(&t->back, "n", 3);
	leg_set_transport(&t->back, "v", 3);
	leg_set_home(&t->back, "v", 1);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		video = false;
		assert_int_equal(leg_joins(&t->back, rows[i].number, &video,
					   t->a), rows[i].home);
		assert_int_equal(video, rows[i].video);
	}
}

/* By the same credentials as of one before it. */
static void test_shares(void **state)
{
	static const struct { const char *name; int number; } rows[] = {
		{ "a", -1 }, { "v", 1 }, { "w", -1 }, { "x", -1 },
		{ "unknown", -1 },
	};
	static const char *const keys[][2] = {
		{ "u", "p" }, { "u", "p" }, { "u", "q" }, { NULL, NULL },
	};
	struct two *t = *state;
	struct leg_content *c;
	size_t i;

	for (i = 0; i < 4; i++) {
		leg_set_transport(&t->back, rows[i].name, (int)i + 1);
		c = leg_find_content(&t->back, rows[i].name);
		leg_assign(&t->back, &c->ufrag, keys[i][0]);
		leg_assign(&t->back, &c->pwd, keys[i][1]);
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(leg_shares(&t->back, rows[i].name),
				 rows[i].number);
}

/* Without a transport of ICE nothing is said of it. */
static void test_no_ice(void **state)
{
	struct two *t = *state;
	struct leg_env env = { .arena = t->a };

	leg_set_transport(&t->back, "a", 0);
	leg_take_ice(&t->back, tree(t, "<content name='a'/>"), &env);
	assert_null(env.first);
	leg_take_ice(&t->back, tree(t, "<content name='a'><transport xmlns='"
				    NS_ICE_UDP "'/></content>"), &env);
	assert_non_null(env.first);
}

/* It is told as a whole or, as the step says then, not at all. */
static void test_ice_no_memory(void **state)
{
	struct two *t = *state;
	struct leg_content *c;
	size_t cap;

	leg_set_transport(&t->back, "a", 0);
	c = leg_find_content(&t->back, "a");
	leg_assign(&t->back, &c->ufrag, "u");
	leg_assign(&t->back, &c->pwd, "p");
	for (cap = 8; cap < 1024; cap += 8) {
		struct leg_env env = { .arena = arena_new(cap) };

		leg_take_known(&t->back, -1, &env);
		assert_int_equal(env.first != NULL, !arena_failed(env.arena));
		arena_free(env.arena);
	}
}

/* --- what was negotiated ------------------------------------------------- */

static void test_cut(void **state)
{
	struct two *t = *state;
	struct rtp_description d;

	says(t, CONTENT_OF("v", "video", PT("95", "AV1", "")
			   PT("96", "VP8", "") PT("98", "VP9", "")
			   PT("97", "rtx", PAR("apt", "98"))), 9);
	offers(t, CONTENT_OF("v", "video", PT("96", "VP8", "")));
	assert_int_equal(leg_cut_says(&t->stays, &t->back, t->offer, t->a), 0);
	assert_int_equal(leg_cut_says(&t->back, &t->stays, t->offer, t->a), 0);
	assert_int_equal(leg_says(&t->stays, "v", &d, t->a), 0);
	assert_int_equal(d.payloads, 1);
	assert_int_equal(d.payload[0].id, 96);
	/* Who comes now with what was cut finds nothing. */
	assert_true(leg_keep_says(&t->back, tree(t, CONTENT_OF("v", "video",
		PT("98", "VP9", ""))), t->a));
	assert_false(leg_has_common(&t->back, &t->stays, "video", t->a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_both_have, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_trr_int, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_ssrc, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_taken, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_creators, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_not_learned, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bundle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlike, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlike_others_between,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlike_numbers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unlike_media, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unlike_neither, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_transport_cc, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_unlike_transport_cc,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlike_extensions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_joins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shares, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_ice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ice_no_memory, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
	};

	return cmocka_run_group_tests_name("leg_return", tests, NULL, NULL);
}
