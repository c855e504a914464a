/* test_jingle.c: <jingle/>, whole and broken in every place. */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/jingle.h"

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

#define IQ(action, body) \
	"<iq type='set' id='1' from='a@h/1' to='b@h/2'>" \
	"<jingle xmlns='" NS_JINGLE "' action='" action "' sid='s'>" \
	body "</jingle></iq>"

#define BYTES8 "00:11:22:33:44:55:66:77"
#define SHA256 BYTES8 ":" BYTES8 ":" BYTES8 ":" BYTES8
#define FINGERPRINT \
	"<fingerprint xmlns='" NS_DTLS "' hash='sha-256' setup='actpass'>" \
	SHA256 "</fingerprint>"
#define CANDIDATE \
	"<candidate component='1' foundation='1' generation='0' id='x' " \
	"ip='192.0.2.1' network='0' port='9' priority='1' protocol='udp' " \
	"rel-addr='192.0.2.2' rel-port='9' type='srflx'/>"
#define TRANSPORT \
	"<transport xmlns='" NS_ICE_UDP "' ufrag='u' pwd='p'>" \
	FINGERPRINT CANDIDATE "</transport>"
#define DESCRIPTION \
	"<description xmlns='" NS_RTP "' media='audio'>" \
	"<payload-type id='111' name='opus' clockrate='48000' channels='2'>" \
	"<parameter name='useinbandfec' value='1'/>" \
	"<rtcp-fb xmlns='" NS_RTCP_FB "' type='nack' subtype='pli'/>" \
	"</payload-type>" \
	"<rtp-hdrext xmlns='" NS_HDREXT "' id='1' uri='urn:x'/>" \
	"<source xmlns='" NS_SSMA "' ssrc='7'>" \
	"<parameter name='cname' value='c'/></source>" \
	"<ssrc-group xmlns='" NS_SSMA "' semantics='FID'><source ssrc='7'/>" \
	"</ssrc-group><rtcp-mux/><encryption/></description>"
#define CONTENT \
	"<content name='0' creator='initiator' senders='both'>" DESCRIPTION \
	TRANSPORT "</content>"
#define GROUP \
	"<group xmlns='" NS_GROUPING "' semantics='BUNDLE'>" \
	"<content name='0'/></group>"

static int parse(const char *xml, struct jingle *j, struct why *why)
{
	return jingle_parse(arena, tree(arena, xml), j, why);
}

static void test_initiate(void **state)
{
	struct jingle j;
	struct why why;

	(void)state;
	assert_int_equal(parse(IQ("session-initiate", CONTENT GROUP), &j,
			       &why), 0);
	assert_int_equal(j.action, JINGLE_SESSION_INITIATE);
	assert_string_equal(j.sid, "s");
	assert_null(j.reason);
	assert_null(j.info);
	assert_true(j.rtp);
	assert_int_equal(j.contents, 1);
	assert_string_equal(j.content[0].name, "0");
	assert_string_equal(j.content[0].creator, "initiator");
	assert_string_equal(j.content[0].senders, "both");
	assert_int_equal(j.content[0].media, MEDIA_AUDIO);
	assert_string_equal(j.content[0].ufrag, "u");
	assert_string_equal(j.content[0].pwd, "p");
	assert_int_equal(j.content[0].candidates, 1);
	assert_true(j.content[0].fingerprint);
	assert_false(j.content[0].gathering_complete);
	assert_non_null(j.content[0].description);
	assert_non_null(j.content[0].transport);
}

static void test_actions(void **state)
{
	(void)state;
	for (int i = 0; i < JINGLE_ACTIONS; i++) {
		struct xml_elem *e, *iq;
		struct jingle j;

		iq = jingle_new(arena, "1", "a@h/1", "b@h/2",
				(enum jingle_action)i, "sid", &e);
		xml_append(e, tree(arena, "<content xmlns='" NS_JINGLE "' "
			"creator='x' name='n'>" DESCRIPTION TRANSPORT
			"</content>"));
		assert_int_equal(jingle_parse(arena, iq, &j, NULL), 0);
		assert_int_equal(j.action, i);
		assert_string_equal(j.sid, "sid");
		if (i != JINGLE_SESSION_TERMINATE)
			assert_null(j.content[0].creator);
	}
	assert_string_equal(jingle_action_name(JINGLE_TRANSPORT_REPLACE),
			    "transport-replace");
	assert_non_null(jingle_new(arena, "1", "a", "b", JINGLE_SESSION_INFO,
				   "s", NULL));
}

static void test_write(void **state)
{
	struct xml_elem *e, *iq;
	struct jingle j;

	(void)state;
	iq = jingle_new(arena, "1", "a@h/1", "b@h/2",
			JINGLE_SESSION_TERMINATE, "s", &e);
	jingle_add_reason(arena, e, NS_JINGLE, "gone", "Bob is not here.");
	assert_xml(arena, iq, "<iq type='set' id='1' from='a@h/1' to='b@h/2'>"
		   "<jingle xmlns='" NS_JINGLE "' action='session-terminate' "
		   "sid='s'><reason><gone/><text>Bob is not here.</text>"
		   "</reason></jingle></iq>");
	assert_int_equal(jingle_parse(arena, iq, &j, NULL), 0);
	assert_string_equal(j.reason, "gone");
	assert_string_equal(j.text, "Bob is not here.");
}

static void test_info(void **state)
{
	struct jingle j;

	(void)state;
	assert_int_equal(parse(IQ("session-info", "<mute xmlns='" NS_RTP_INFO
				  "' name='0'/>"), &j, NULL), 0);
	assert_string_equal(j.info->name, "mute");
	assert_int_equal(parse(IQ("session-info", ""), &j, NULL), 0);
	assert_null(j.info);
	assert_false(j.rtp);
}

/* An end is an end, whatever else it holds. */
static void test_terminate(void **state)
{
	struct jingle j;

	(void)state;
	assert_int_equal(parse(IQ("session-terminate", "<content/><group "
		"xmlns='" NS_GROUPING "'/>"), &j, NULL), 0);
	assert_null(j.reason);
	assert_int_equal(j.contents, 0);
	assert_int_equal(parse(IQ("session-terminate", "<reason/>"), &j,
			       NULL), 0);
	assert_int_equal(parse(IQ("session-terminate", "<reason><odd/>"
		"<extra xmlns='urn:x'/></reason>"), &j, NULL), 0);
	assert_string_equal(j.reason, "odd");
}

static void test_transport_info(void **state)
{
	static const struct {
		const char *inside;
		unsigned candidates;
		bool complete;
	} rows[] = {
		{ "", 0, false },
		{ "<gathering-complete/>", 0, true },
		{ "<gathering-complete xmlns='urn:x'/>", 0, true },
		{ CANDIDATE "<gathering-complete/>", 1, false },
		{ FINGERPRINT "<gathering-complete/>", 0, false },
		{ "<candidate component='1' foundation='1' ip='x.local' "
		  "port='9' priority='1' protocol='tcp' tcptype='active' "
		  "type='host'/>" CANDIDATE, 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct jingle j;
		const char *xml = arena_printf(arena, IQ("transport-info",
			"<content name='0' creator='initiator'><transport "
			"xmlns='" NS_ICE_UDP "' ufrag='u'>%s</transport>"
			"</content>"), rows[i].inside);

		assert_int_equal(parse(xml, &j, NULL), 0);
		assert_int_equal(j.content[0].candidates, rows[i].candidates);
		assert_int_equal(j.content[0].gathering_complete,
				 rows[i].complete);
		assert_string_equal(j.content[0].ufrag, "u");
		assert_null(j.content[0].pwd);
		assert_null(j.content[0].senders);
		assert_false(j.rtp);
	}
}

static void test_foreign(void **state)
{
	struct jingle j;

	(void)state;
	assert_int_equal(parse(IQ("session-initiate",
		"<content name='f'><description xmlns='urn:file'/><transport "
		"xmlns='urn:ibb'/></content>" CONTENT), &j, NULL), 0);
	assert_false(j.rtp);
	assert_int_equal(j.contents, 2);
	assert_int_equal(j.content[0].media, 0);
	assert_int_equal(j.content[1].media, MEDIA_AUDIO);
	assert_int_equal(parse("<iq><query xmlns='urn:x'/></iq>", &j, NULL),
			 ENOENT);
	assert_int_equal(parse("<iq><query xmlns='urn:x'>" IQ("session-info",
			       "") "</query></iq>", &j, NULL), ENOENT);
}

static void test_omemo(void **state)
{
	struct jingle j;

	(void)state;
	assert_int_equal(parse(IQ("transport-info", "<content name='0'>"
		"<transport xmlns='" NS_ICE_UDP "'><fingerprint xmlns='"
		NS_OMEMO_DTLS "' hash='sha-256' setup='actpass'><encrypted "
		"xmlns='urn:x'/></fingerprint></transport></content>"), &j,
		NULL), 0);
	assert_true(j.content[0].fingerprint);
}

static void check_error(const char *xml, int err, const char *text)
{
	struct jingle j;
	struct why why = { 0 };

	assert_int_equal(parse(xml, &j, &why), err);
	assert_string_equal(why.type, "modify");
	assert_string_equal(why.condition, err == EBADMSG ? "bad-request" :
			    "policy-violation");
	assert_string_equal(why.text, text);
	assert_int_equal(parse(xml, &j, NULL), err);
}

static void test_errors(void **state)
{
	static const struct { const char *xml, *text; int err; } rows[] = {
		{ "<iq><jingle xmlns='" NS_JINGLE "' sid='s'/></iq>",
		  "<jingle/> needs 'action'.", EBADMSG },
		{ IQ("session-start", CONTENT), "Unknown 'action' of "
		  "<jingle/>: expected one of XEP-0166, 7.2, as "
		  "session-initiate.", EBADMSG },
		{ "<iq><jingle xmlns='" NS_JINGLE "' action='session-info'/>"
		  "</iq>", "<jingle/> needs 'sid'.", EBADMSG },
		{ IQ("session-initiate", ""), "This 'action' of <jingle/> "
		  "needs a <content/>.", EBADMSG },
		{ IQ("session-initiate", CONTENT CONTENT),
		  "Content 2: Two contents have the same 'name'.", EBADMSG },
		{ IQ("session-initiate", CONTENT "<content/>"),
		  "Content 2: <content/> needs 'name'.", EBADMSG },
		{ IQ("session-initiate", "<content name='0'>" TRANSPORT
		     "</content>"), "Content 1: <content/> needs a "
		  "<description/>.", EBADMSG },
		{ IQ("session-initiate", "<content name='0'>" DESCRIPTION
		     "</content>"), "Content 1: <content/> needs a "
		  "<transport/>.", EBADMSG },
		{ IQ("content-modify", "<content name='0' senders='me'/>"),
		  "Content 1: Unknown 'senders': expected both, initiator, "
		  "responder or none.", EBADMSG },
		{ IQ("content-modify", "<content name='"
		     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "aaaaaaaaaaaa'/>"),
		  "Content 1: 'name' is longer than 64 bytes.", EOVERFLOW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_error(rows[i].xml, rows[i].err, rows[i].text);
}

static void test_caps(void **state)
{
	struct xml_elem *e, *iq = jingle_new(arena, "1", "a@h/1", "b@h/2",
					     JINGLE_CONTENT_REMOVE, "s", &e);
	struct jingle j;
	struct why why;

	(void)state;
	for (int i = 0; i < JINGLE_CONTENTS_MAX; i++)
		xml_set(arena, xml_add(arena, e, NULL, "content"), "name",
			arena_printf(arena, "%d", i));
	assert_int_equal(jingle_parse(arena, iq, &j, &why), 0);
	assert_int_equal(j.contents, JINGLE_CONTENTS_MAX);
	xml_set(arena, xml_add(arena, e, NULL, "content"), "name", "x");
	assert_int_equal(jingle_parse(arena, iq, &j, &why), EOVERFLOW);
	assert_string_equal(why.text, "More than 16 contents.");
}

/* Places that need not be there, or may be there twice, may be empty. All
 * others, in every attribute and element, must be refused. "*": any. */
static const struct {
	const char *elem, *attr;
	const char *mutations;     /* c)ut, b)lank and empty, l)ong, d)ouble,
				      e)mptied element; ?: in some actions */
} allowed[] = {
	{ "content", "creator", "cbl" },        /* Dino sends a wrong one */
	{ "content", "senders", "c" },          /* default: both */
	{ "payload-type", "clockrate", "c" },   /* XEP-0167: recommended */
	{ "payload-type", "channels", "c" },
	{ "payload-type", "name", "l" },
	{ "payload-type", NULL, "c?" },         /* description-info */
	{ "transport", "ufrag", "c?" },         /* trickled: stanza.js has no */
	{ "transport", "pwd", "c?" },           /* pwd, others neither */
	{ "transport", NULL, "e?" },
	{ "description", "media", "l" },
	{ "parameter", "value", "cbl" },        /* <parameter name='111/111'> */
	{ "parameter", "name", "cbl?" },        /* Conversations: value alone */
	{ "parameter", NULL, "cd" },
	{ "rtcp-fb", NULL, "cd" },
	{ "rtcp-fb", "type", "l" },
	{ "rtcp-fb", "subtype", "cl" },
	{ "rtp-hdrext", NULL, "c" },
	{ "rtp-hdrext", "uri", "l" },
	{ "source", NULL, "c" },
	{ "ssrc-group", NULL, "cd" },
	{ "ssrc-group", "semantics", "l" },
	{ "rtcp-mux", NULL, "ce" },
	{ "encryption", NULL, "ce" },
	{ "fingerprint", NULL, "c" },           /* in a transport-info */
	{ "candidate", NULL, "cd" },
	{ "candidate", "id", "cl" },
	{ "candidate", "generation", "cl" },
	{ "candidate", "network", "cl" },
	{ "candidate", "rel-addr", "c" },
	{ "candidate", "rel-port", "c" },
	{ "group", NULL, "cd" },
	{ "group", "semantics", "l" },
	{ "text", NULL, "cde" },
	{ "mute", NULL, "cde" },                /* session-info: not read */
	{ "mute", "name", "cbl" },
};

enum verdict { REFUSED, ACCEPTED, EITHER };

static enum verdict expected(const struct mutant *what, enum mutation m)
{
	static const char letters[] = { 'c', 'b', 'b', 'l', 'c', 'd', 'e' };

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (!strcmp(allowed[i].elem, what->elem) &&
		    ((!what->attr && !allowed[i].attr) ||
		     (what->attr && allowed[i].attr &&
		      !strcmp(what->attr, allowed[i].attr))) &&
		    strchr(allowed[i].mutations, letters[m]))
			return strchr(allowed[i].mutations, '?') ? EITHER :
			       ACCEPTED;
	return REFUSED;
}

static void check_mutants(const char *xml, enum mutation m)
{
	for (unsigned n = 0;; n++) {
		struct xml_elem *iq = tree(arena, xml);
		struct mutant what = { 0 };
		unsigned left = n;
		struct jingle j;
		struct why why = { 0 };
		int err;

		if (!mutate(arena, iq, iq->first, m, &left, &what))
			return;
		err = jingle_parse(arena, iq, &j, &why);
		if (err == ENOENT && m == CUT_ELEM &&
		    !strcmp(what.elem, "jingle"))
			continue;
		if ((!err && expected(&what, m) == REFUSED) ||
		    (err && expected(&what, m) == ACCEPTED))
			fail_msg("%s %s, mutation %d: %d, %s", what.elem,
				 what.attr ? what.attr : "", m, err,
				 why.text ? why.text : "");
		if (!err)
			continue;
		assert_true(err == EBADMSG || err == EOVERFLOW);
		assert_non_null(why.condition);
		assert_true(strlen(why.text) > 10);
		if (what.attr)
			assert_non_null(strstr(why.text, what.attr));
	}
}

static void test_broken(void **state)
{
	static const char *const whole[] = {
		IQ("session-initiate", CONTENT GROUP),
		IQ("session-accept", CONTENT GROUP),
		IQ("content-add", CONTENT),
		IQ("content-accept", CONTENT),
		IQ("transport-info", "<content name='0' creator='initiator'>"
		   TRANSPORT "</content>"),
		IQ("transport-replace", "<content name='0'>" TRANSPORT
		   "</content>"),
		IQ("description-info", "<content name='0'>" DESCRIPTION
		   "</content>"),
		IQ("content-modify", "<content name='0' senders='none'/>"),
		IQ("content-remove", "<content name='0'/>"),
		IQ("session-info", "<mute xmlns='" NS_RTP_INFO "' name='0'/>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		struct jingle j;

		assert_int_equal(parse(whole[i], &j, NULL), 0);
		for (int m = 0; m < MUTATIONS; m++)
			check_mutants(whole[i], (enum mutation)m);
	}
}

static void test_doubled_attribute(void **state)
{
	const char *xml = "<jingle xmlns='" NS_JINGLE "' sid='a' sid='a'/>";
	struct xml_elem *e;

	(void)state;
	assert_int_equal(xml_parse(arena, xml, strlen(xml), NS_COMPONENT,
				   &xml_limits_default, &e), EBADMSG);
}

static void test_no_memory(void **state)
{
	const char *xml = IQ("session-initiate", CONTENT GROUP);
	struct xml_elem *iq = tree(arena, xml);
	int err = ENOMEM;

	(void)state;
	for (size_t cap = 1; err; cap += 8) {
		struct arena *small = arena_new(cap);
		struct jingle j;

		assert_true(cap < 100000);
		err = jingle_parse(small, iq, &j, NULL);
		assert_true(err == 0 || err == ENOMEM);
		arena_free(small);
	}
}

static unsigned found[JINGLE_ACTIONS];

static void count_jingle(struct arena *a, struct xml_elem *e)
{
	const char *before = xml_write(a, e, NS_COMPONENT, NULL);
	struct stanza s;
	struct jingle j;
	struct why why;
	int err;

	assert_int_equal(stanza_parse(a, e, &s, &why), 0);
	if (s.kind != STANZA_IQ)
		return;
	err = jingle_parse(a, e, &j, &why);
	if (err && err != ENOENT)
		fail_msg("%s", why.text);
	if (err)
		return;
	found[j.action]++;
	/* Reading changes nothing. */
	assert_string_equal(xml_write(a, e, NS_COMPONENT, NULL), before);
	if (j.action != JINGLE_SESSION_INITIATE &&
	    j.action != JINGLE_SESSION_ACCEPT)
		return;
	assert_true(j.rtp);
	assert_int_equal(j.contents, 2);
	assert_int_equal(j.content[0].media, MEDIA_AUDIO);
	assert_int_equal(j.content[1].media, MEDIA_VIDEO);
	assert_true(j.content[0].fingerprint);
	assert_non_null(j.content[1].ufrag);
}

static void test_recorded(void **state)
{
	(void)state;
	each_stanza("prosody.callee-received.xml", count_jingle);
	each_stanza("prosody.caller-received.xml", count_jingle);
	each_stanza("ejabberd.callee-received.xml", count_jingle);
	each_stanza("ejabberd.caller-received.xml", count_jingle);
	assert_int_equal(found[JINGLE_SESSION_INITIATE], 2);
	assert_int_equal(found[JINGLE_SESSION_ACCEPT], 2);
	assert_int_equal(found[JINGLE_SESSION_TERMINATE], 2);
	assert_int_equal(found[JINGLE_TRANSPORT_INFO], 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initiate),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_terminate),
		cmocka_unit_test(test_transport_info),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_omemo),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_doubled_attribute),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_recorded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
