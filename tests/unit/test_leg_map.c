/* test_leg_map.c: mode `room`: what number of one user is which of the other's:
 * of real clients' descriptions, and of such that agree in little.
 */
#include "tests/unit/leg_test.h"
#include "jingle/session/leg_map.h"
#include "jingle/session/leg_private.h"

#define RTP "urn:xmpp:jingle:apps:rtp:1"
#define EXT(id, uri) "<rtp-hdrext xmlns='urn:xmpp:jingle:apps:rtp:" \
	"rtp-hdrext:0' id='" id "' uri='" uri "'/>"
#define PT(id, name, clock) "<payload-type id='" id "' name='" name \
	"' clockrate='" clock "'/>"
#define FMT(id, name, parameters) "<payload-type id='" id "' name='" name \
	"' clockrate='90000'>" parameters "</payload-type>"
#define PAR(name, value) "<parameter name='" name "' value='" value "'/>"
#define SOURCE(ssrc) "<source xmlns='urn:xmpp:jingle:apps:rtp:ssma:0' " \
	"ssrc='" ssrc "'/>"
#define GROUP(word, one, two) "<ssrc-group semantics='" word "' " \
	"xmlns='urn:xmpp:jingle:apps:rtp:ssma:0'>" SOURCE(one) SOURCE(two) \
	"</ssrc-group>"
#define TRANSPORT_CC "http://www.ietf.org/id/draft-holmer-rmcat-transport-" \
	"wide-cc-extensions-01"
#define MID "urn:ietf:params:rtp-hdrext:sdes:mid"
#define LEVEL "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define RID "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"

struct pair {
	struct leg leg[2];
	struct arena *a;
};

static struct pair *pair_of(void **state)
{
	return *state;
}

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));

	if (!p)
		return -1;
	p->a = arena_new(0);
	leg_init(&p->leg[0], "a@h", "b@c", "call", true);
	leg_init(&p->leg[1], "b@h", "a@c", "call", true);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	leg_clear(&p->leg[0]);
	leg_clear(&p->leg[1]);
	arena_free(p->a);
	free(p);
	return 0;
}

static struct xml_elem *tree(struct pair *p, const char *text)
{
	struct xml_elem *e;

	assert_int_equal(xml_parse(p->a, text, strlen(text), NS_COMPONENT,
				   &xml_limits_default, &e), 0);
	return e;
}

/* Content `name` of a user is on transport 0 and says this. */
static void says(struct pair *p, unsigned side, const char *name,
		 const char *media, const char *children)
{
	const char *text = arena_printf(p->a, "<jingle xmlns='" NS_JINGLE
		"'><content name='%s'><description xmlns='" RTP "' media='%s'>"
		"%s</description></content></jingle>", name, media, children);

	leg_set_transport(&p->leg[side], name, 0);
	assert_true(leg_keep_says(&p->leg[side], tree(p, text), p->a));
}

static const char *words(struct pair *p, const struct leg_map *m)
{
	const char *s = "";
	unsigned i;

	for (i = 0; i < LEG_MAP_TYPES; i++) {
		if (!m->type[i].clock)
			continue;
		s = arena_printf(p->a, "%s%u>%u/%u%s ", s, i, m->type[i].out,
				 m->type[i].clock, m->type[i].video ? "v" :
				 "a");
		if (m->type[i].apt != LEG_MAP_NO_APT)
			s = arena_printf(p->a, "%s(%u) ", s, m->type[i].apt);
	}
	for (i = 0; i < LEG_MAP_EXTS; i++)
		if (m->ext[i])
			s = arena_printf(p->a, "%sx%u>%u%s ", s, i, m->ext[i],
					 i == m->transport_cc ? "cc" : "");
	for (i = 0; i < m->tolds; i++)
		s = arena_printf(p->a, "%ss%u%s%s ", s, m->told[i].ssrc,
				 m->told[i].video ? "v" : "a",
				 m->told[i].rtx ? "r" : "");
	return s;
}

static const char *map_of(struct pair *p, unsigned from, bool told)
{
	return words(p, leg_map(&p->leg[from], &p->leg[!from], 0, told, p->a));
}

static void expect_map(struct pair *p, unsigned from, const char *expected)
{
	assert_string_equal(map_of(p, from, true), expected);
}

/* --- real clients ------------------------------------------------------ */

static void read_session(struct pair *p, unsigned side, const char *file)
{
	const char *src = getenv("top_srcdir");
	char path[512], *text = NULL;
	struct xml_elem *j;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/jingle/%s",
		 src ? src : ".", file);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(getdelim(&text, &size, 0, f) > 0);
	fclose(f);
	j = xml_child(tree(p, text), NS_JINGLE, "jingle");
	free(text);
	leg_set_transport(&p->leg[side], "0", 0);
	leg_set_transport(&p->leg[side], "1", 0);
	assert_true(leg_keep_says(&p->leg[side], j, p->a));
}

#define BOTH \
	"0>0/8000a 8>8/8000a 9>9/8000a 13>13/8000a 39>39/90000v " \
	"40>40/90000v (39) 45>45/90000v 46>46/90000v (45) " \
	"96>96/90000v 97>97/90000v (96) 98>98/90000v 99>99/90000v " \
	"(98) 100>100/90000v 101>101/90000v (100) 102>102/90000v " \
	"103>103/90000v (102) 104>104/90000v 107>107/90000v (104) " \
	"108>108/90000v 109>109/90000v (108) 110>110/48000a " \
	"111>111/48000a 114>114/90000v 115>115/90000v (114) " \
	"116>116/90000v 117>117/90000v (116) 126>126/8000a x1>1 " \
	"x2>2 x3>3cc x4>4 x5>5 x6>6 x7>7 x8>8 x13>13 x14>14 "

/* Of the memory that a call in mode `room` may take. */
static size_t kept(const struct leg *l)
{
	const struct leg_content *c;
	size_t n = 0;

	for (c = l->contents; c; c = c->next)
		n += c->says ? strlen(c->says) : 0;
	return n;
}

/* stanza.js, both in Chromium: the numbers are the same; what `room` does not
 * offer is not there. */
static void test_chromium(void **state)
{
	struct pair *p = pair_of(state);

	read_session(p, 0, "prosody-22");
	read_session(p, 1, "prosody-39");
	assert_in_range(kept(&p->leg[0]) + kept(&p->leg[1]), 2000, 4000);
	expect_map(p, 0, BOTH "s3054056807a s2301870202v s1072381502vr ");
	expect_map(p, 1, BOTH "s3027837828a s1017229466v ");
}

/* --- codecs ----------------------------------------------------------- */

static void test_other_numbers(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "audio", "audio", PT("111", "opus", "48000")
	     PT("63", "red", "48000") PT("0", "PCMU", "8000")
	     PT("110", "telephone-event", "48000")
	     PT("126", "telephone-event", "8000"));
	says(p, 0, "video", "video", FMT("97", "rtx", PAR("apt", "96"))
	     FMT("96", "VP8", "") FMT("98", "VP9", PAR("profile-id", "0"))
	     FMT("100", "VP9", PAR("profile-id", "2")) FMT("101", "rtx",
							   PAR("apt", "98")));
	says(p, 1, "audio", "audio", "<payload-type id='0'/>"
	     "<payload-type id='109' name='Opus' channels='2'/>"
	     PT("101", "telephone-event", "8000"));
	says(p, 1, "video", "video", FMT("120", "VP8", "")
	     FMT("121", "VP9", "") FMT("124", "rtx", PAR("apt", "120"))
	     FMT("125", "rtx", PAR("apt", "99")));
	expect_map(p, 0, "0>0/8000a 96>120/90000v 97>124/90000v (96) "
		   "98>121/90000v 111>109/48000a 126>101/8000a ");
	expect_map(p, 1, "0>0/8000a 101>126/8000a 109>111/48000a "
		   "120>96/90000v 121>98/90000v 124>97/90000v (120) ");
}

/* Without a name the number says what it is, also where nobody here knows it:
 * that is the same for both, and no two of them are. */
static void test_no_names(void **state)
{
	static const struct { const char *his, *other, *map; } rows[] = {
		{ "0", PT("100", "PCMU", "8000"), "0>100/8000a " },
		{ "3", PT("100", "GSM", "8000"), "3>100/8000a " },
		{ "8", PT("100", "PCMA", "8000"), "8>100/8000a " },
		{ "9", PT("100", "G722", "8000"), "9>100/8000a " },
		{ "13", PT("100", "CN", "8000"), "13>100/8000a " },
		{ "18", PT("100", "G729", "8000"), "18>100/8000a " },
		{ "8", PT("100", "PCMU", "8000"), "" },
		{ "4", "<payload-type id='4'/>", "4>4/8000a " },
		{ "4", "<payload-type id='7'/><payload-type id='15'/>", "" },
	};
	struct pair *p = pair_of(state);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		says(p, 0, "a", "audio", arena_printf(p->a,
			"<payload-type id='%s'/>", rows[i].his));
		says(p, 1, "a", "audio", rows[i].other);
		expect_map(p, 0, rows[i].map);
	}
}

#define H264(id, profile, mode) FMT(id, "H264", PAR("profile-level-id", \
	profile) PAR("packetization-mode", mode))

/* The level may differ, the profile and the packetization may not. */
static void test_h264(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "v", "video", H264("102", "42001f", "1")
	     H264("104", "42e01f", "0") H264("106", "42e01f", "1")
	     H264("108", "4d001f", "1") H264("112", "64001f", "1")
	     H264("116", "not hex", "1"));
	says(p, 1, "v", "video", H264("96", "42C034", "1")
	     H264("97", "640c1f", "1") H264("98", "4D0028", "1")
	     FMT("99", "H264", ""));
	expect_map(p, 0, "106>96/90000v 108>98/90000v ");
}

/* Several words are one profile (RFC 6184, 8.1); one that nobody can read is no
 * other's, not even the same one. */
static void test_h264_profiles(void **state)
{
	static const struct { const char *his, *other, *map; } rows[] = {
		{ "42001f", "42000A", "100>96/90000v " },
		{ "42001f", "42801f", "100>96/90000v " },
		{ "42401f", "42e01f", "100>96/90000v " },
		{ "4d801f", "42e01f", "100>96/90000v " },
		{ "58c01f", "42e01f", "100>96/90000v " },
		{ "4d001f", "4d401f", "100>96/90000v " },
		{ "64001f", "64001f", "100>96/90000v " },
		{ "42001f", "42e01f", "" },
		{ "42801f", "4d001f", "" },
		{ "4d401f", "42e01f", "" },
		{ "58801f", "42e01f", "" },
		{ "58401f", "42e01f", "" },
		{ "58001f", "42e01f", "" },
		{ "64c01f", "42e01f", "" },
		{ "64001f", "640c1f", "" },
		{ "42001f", "", "" },
		{ "42e0", "42e0", "" },
		{ "42e01f0", "42e01f0", "" },
		{ "no hex", "no hex", "" },
		{ "42e01x", "42e01x", "" },
		{ "0x42e0", "0x42e0", "" },
	};
	struct pair *p = pair_of(state);
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		says(p, 0, "v", "video", arena_printf(p->a, FMT("100", "H264",
			PAR("profile-level-id", "%s")), rows[i].his));
		says(p, 1, "v", "video", arena_printf(p->a, FMT("96", "H264",
			PAR("profile-level-id", "%s")), rows[i].other));
		expect_map(p, 0, rows[i].map);
	}
	/* Who says none has the baseline (RFC 6184, 8.1). */
	says(p, 0, "v", "video", H264("100", "42001f", "0"));
	says(p, 1, "v", "video", FMT("96", "H264", ""));
	expect_map(p, 0, "100>96/90000v ");
}

static void test_av1(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "v", "video", FMT("45", "AV1", PAR("profile", "1"))
	     FMT("46", "AV1", "") FMT("47", "VP8", PAR("profile", "1")));
	says(p, 1, "v", "video", FMT("96", "AV1", PAR("profile", "0"))
	     FMT("97", "VP8", PAR("profile", "2")));
	expect_map(p, 0, "46>96/90000v 47>97/90000v ");
}

static void test_channels(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "a", "audio", "<payload-type id='100' name='L16' "
	     "clockrate='44100' channels='2'/>");
	says(p, 1, "a", "audio", PT("100", "L16", "44100"));
	expect_map(p, 0, "");
}

/* Numbers that the rewriting could not bear, which would end the connection to
 * the media process. */
static void test_wrong(void **state)
{
	struct pair *p = pair_of(state);

	/* Between 64 and 95 it would be RTCP. */
	says(p, 0, "a", "audio", PT("72", "opus", "48000")
	     PT("8", "PCMA", "8000") PT("9", "G722", "8000"));
	says(p, 1, "a", "audio", PT("111", "opus", "48000")
	     PT("80", "G722", "8000") PT("96", "PCMA", "8000"));
	/* One number of his for two streams; RTX of RTX, of nothing, of no
	 * number. */
	says(p, 0, "v", "video", FMT("100", "VP8", "")
	     FMT("101", "rtx", PAR("apt", "102")) FMT("102", "rtx",
						      PAR("apt", "101"))
	     FMT("103", "rtx", PAR("apt", "x")) FMT("104", "rtx", "")
	     FMT("105", "VP9", "") FMT("106", "rtx", PAR("apt", "105")));
	says(p, 1, "v", "video", FMT("96", "VP8", "") FMT("97", "VP9", "")
	     FMT("98", "rtx", PAR("apt", "96")) FMT("99", "rtx",
						    PAR("apt", "0")));
	/* Of no media that there are packets of. */
	says(p, 0, "x", "application", PT("120", "opus", "48000"));
	says(p, 1, "x", "application", PT("120", "opus", "48000"));
	expect_map(p, 0, "8>96/8000a 105>97/90000v ");
}

/* One number of the other's for two streams: the first has it. */
static void test_taken(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "a", "audio", PT("0", "PCMU", "8000"));
	says(p, 1, "a", "audio", PT("100", "PCMU", "8000"));
	says(p, 0, "v", "video", FMT("96", "VP8", "") FMT("97", "VP9", ""));
	says(p, 1, "v", "video", FMT("100", "VP8", "") FMT("97", "VP9", ""));
	expect_map(p, 0, "0>100/8000a 97>97/90000v ");
}

/* The number that RTX repeats is RTX itself in the content before it, or not of
 * video: with which the media process would be told of RTX of that. */
static void test_wrong_apt(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "v", "video", FMT("96", "VP8", "")
	     FMT("97", "rtx", PAR("apt", "96")));
	says(p, 1, "v", "video", FMT("96", "VP8", "")
	     FMT("97", "rtx", PAR("apt", "96")));
	says(p, 0, "w", "video", FMT("97", "VP9", "")
	     FMT("99", "rtx", PAR("apt", "97")));
	says(p, 1, "w", "video", FMT("98", "VP9", "")
	     FMT("99", "rtx", PAR("apt", "98")));
	expect_map(p, 0, "96>96/90000v 97>97/90000v (96) ");
	says(p, 0, "v", "audio", PT("97", "opus", "48000"));
	says(p, 1, "v", "audio", PT("97", "opus", "48000"));
	expect_map(p, 0, "97>97/48000a ");
}

/* A content of one alone, or of another transport, has none. */
static void test_contents(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "a", "audio", PT("111", "opus", "48000"));
	says(p, 0, "b", "audio", PT("0", "PCMU", "8000"));
	says(p, 1, "b", "video", PT("0", "PCMU", "8000"));
	says(p, 1, "c", "audio", PT("111", "opus", "48000"));
	says(p, 0, "d", "audio", PT("8", "PCMA", "8000"));
	says(p, 1, "d", "audio", PT("8", "PCMA", "8000"));
	leg_set_transport(&p->leg[0], "d", 1);
	leg_set_transport(&p->leg[1], "d", 1);
	expect_map(p, 0, "");
	assert_string_equal(words(p, leg_map(&p->leg[0], &p->leg[1], 1, true,
					     p->a)), "8>8/8000a ");
	leg_set_transport(&p->leg[0], "d", -1);
	assert_string_equal(words(p, leg_map(&p->leg[0], &p->leg[1], 1, true,
					     p->a)), "");
	/* What comes there later may be another device's: what this one said
	 * does not count any more. */
	leg_set_transport(&p->leg[0], "d", 1);
	assert_string_equal(words(p, leg_map(&p->leg[0], &p->leg[1], 1, true,
					     p->a)), "");
}

/* --- extensions and sources ---------------------------------------------- */

static void test_extensions(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "a", "audio", EXT("1", LEVEL) EXT("3", TRANSPORT_CC)
	     EXT("4", MID) EXT("10", RID) EXT("4096", "urn:far"));
	says(p, 1, "a", "audio", EXT("5", MID) EXT("2", LEVEL)
	     EXT("3", "urn:other") EXT("10", RID) EXT("12", "urn:far"));
	expect_map(p, 0, "x1>2 x4>5 ");
	assert_int_equal(leg_map(&p->leg[0], &p->leg[1], 0, true,
				 p->a)->transport_cc, 0);
	says(p, 1, "a", "audio", EXT("2", LEVEL) EXT("6", TRANSPORT_CC));
	expect_map(p, 0, "x1>2 x3>6cc ");
	expect_map(p, 1, "x2>1 x6>3cc ");
	/* On one transport a number is one extension: the first. */
	says(p, 0, "v", "video", EXT("1", "urn:v") EXT("3", "urn:w"));
	says(p, 1, "v", "video", EXT("7", "urn:v") EXT("8", "urn:w"));
	expect_map(p, 0, "x1>2 x3>6cc ");
}

/* His own name of a content, which is in packets, tells the other nothing. */
static void test_mid_of_another_name(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "a", "audio", EXT("1", LEVEL) EXT("4", MID));
	says(p, 1, "a", "audio", EXT("1", LEVEL) EXT("4", MID));
	expect_map(p, 0, "x1>1 x4>4 ");
	leg_find_content(&p->leg[0], "a")->his = strdup("0");
	expect_map(p, 0, "x1>1 ");
	expect_map(p, 1, "x1>1 ");
}

static void test_sources(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 0, "a", "audio", PT("0", "PCMU", "8000") SOURCE("1"));
	says(p, 1, "a", "audio", PT("0", "PCMU", "8000"));
	says(p, 0, "v", "video", FMT("96", "VP8", "") SOURCE("4294967295")
	     SOURCE("7") GROUP("FID", "4294967295", "7")
	     GROUP("FEC-FR", "4294967295", "8"));
	says(p, 1, "v", "video", FMT("96", "VP8", ""));
	expect_map(p, 0, "0>0/8000a 96>96/90000v s1a s4294967295v s7vr ");
	assert_string_equal(map_of(p, 0, false), "0>0/8000a 96>96/90000v ");
	says(p, 0, "a", "audio", PT("0", "PCMU", "8000") SOURCE("5")
	     SOURCE("no number"));
	assert_string_equal(map_of(p, 0, true), "0>0/8000a 96>96/90000v "
			    "s4294967295v s7vr ");
}

/* --- what is kept ------------------------------------------------------- */

static bool keeps(struct pair *p, const char *name, const char *more)
{
	const char *text = arena_printf(p->a, "<jingle xmlns='" NS_JINGLE
		"'><content name='%s'><description xmlns='" RTP "' "
		"media='audio' more='%s'/></content></jingle>", name, more);

	return leg_keep_says(&p->leg[0], tree(p, text), p->a);
}

/* What one content may have, and all of them. */
static void test_cap(void **state)
{
	struct pair *p = pair_of(state);
	char *big = arena_bytes(p->a, LEG_SAYS_MAX);

	memset(big, 'x', LEG_SAYS_MAX - 1);
	big[LEG_SAYS_MAX - 1] = 0;
	says(p, 0, "a", "audio", PT("0", "PCMU", "8000"));
	says(p, 0, "b", "audio", PT("0", "PCMU", "8000"));
	says(p, 1, "a", "audio", PT("0", "PCMU", "8000"));
	assert_false(keeps(p, "a", big));
	expect_map(p, 0, "0>0/8000a ");
	big[LEG_SAYS_MAX / 2] = 0;
	assert_true(keeps(p, "b", big));
	assert_false(keeps(p, "a", big));
	expect_map(p, 0, "0>0/8000a ");
}

/* To the byte. */
static void test_cap_exact(void **state)
{
	struct pair *p = pair_of(state);
	char *big = arena_bytes(p->a, LEG_SAYS_MAX);
	size_t rest;

	memset(big, 'x', LEG_SAYS_MAX - 1);
	leg_set_transport(&p->leg[0], "a", 0);
	assert_true(keeps(p, "a", ""));
	rest = LEG_SAYS_MAX - leg_unpacked_len(p->leg[0].contents->says);
	big[rest] = 0;
	assert_true(keeps(p, "a", big));
	big[rest] = 'x';
	big[rest + 1] = 0;
	assert_false(keeps(p, "a", big));
}

/* What says nothing of media hides nothing behind it. */
static void test_bare(void **state)
{
	struct pair *p = pair_of(state);

	says(p, 1, "b", "audio", PT("0", "PCMU", "8000"));
	leg_set_transport(&p->leg[0], "a", 0);
	leg_set_transport(&p->leg[0], "b", 0);
	assert_true(leg_keep_says(&p->leg[0], tree(p, "<jingle xmlns='"
		NS_JINGLE "'><content name='a'/><content name='b'>"
		"<description xmlns='" RTP "' media='audio'>"
		PT("0", "PCMU", "8000") "</description></content></jingle>"),
				  p->a));
	expect_map(p, 0, "0>0/8000a ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_chromium, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_other_numbers, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_no_names, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_h264, setup, teardown),
		cmocka_unit_test_setup_teardown(test_h264_profiles, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_av1, setup, teardown),
		cmocka_unit_test_setup_teardown(test_channels, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_apt, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_contents, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_extensions, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_mid_of_another_name,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_sources, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_cap, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cap_exact, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bare, setup, teardown),
	};

	return cmocka_run_group_tests_name("leg_map", tests, NULL, NULL);
}
