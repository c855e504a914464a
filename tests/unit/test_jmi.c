/* test_jmi.c: XEP-0353 elements, whole and broken in every place. */
#include "tests/unit/stanza_test.h"

#include "jingle/stanza/jingle.h"
#include "jingle/stanza/jmi.h"

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

#define MESSAGE(body) "<message from='a@h/1' to='b@h' type='chat'>" body \
		      "</message>"
#define JMI "xmlns='" NS_JMI "'"
#define RTP "xmlns='" NS_RTP "'"
#define PROPOSE "<propose " JMI " id='s'>" \
	"<description " RTP " media='audio'/>" \
	"<description " RTP " media='video'/></propose>"

static int parse(const char *xml, struct jmi *j, struct why *why)
{
	return jmi_parse(arena, tree(arena, xml), j, why);
}

static void test_propose(void **state)
{
	struct jmi j;
	struct why why;

	(void)state;
	assert_int_equal(parse(MESSAGE(PROPOSE), &j, &why), 0);
	assert_int_equal(j.action, JMI_PROPOSE);
	assert_string_equal(j.id, "s");
	assert_int_equal(j.media, MEDIA_AUDIO | MEDIA_VIDEO);
	assert_false(j.other_media || j.tie_break || j.delayed);
	assert_null(j.reason);
	assert_null(j.text);
	assert_null(j.migrated);
	assert_string_equal(j.elem->name, "propose");

	assert_int_equal(parse(MESSAGE("<propose " JMI " id='s'>"
		"<description xmlns='urn:x'/><description " RTP
		" media='audio'/></propose><delay xmlns='" NS_DELAY "'/>"),
		&j, &why), 0);
	assert_int_equal(j.media, MEDIA_AUDIO);
	assert_true(j.other_media);
	assert_true(j.delayed);
	assert_int_equal(parse(MESSAGE("<propose " JMI " id='s'><description "
		RTP " media='application'/></propose>"), &j, &why), 0);
	assert_int_equal(j.media, 0);
	assert_true(j.other_media);
}

static void test_actions(void **state)
{
	static const char *const names[] = { "propose", "retract", "accept",
		"proceed", "ringing", "reject", "finish" };

	(void)state;
	for (int i = JMI_PROPOSE; i <= JMI_FINISH; i++) {
		struct xml_elem *m = stanza_new(arena, STANZA_MESSAGE, "chat",
						"1", "a@h", "b@h");
		struct jmi j;

		assert_string_equal(jmi_action_name((enum jmi_action)i),
				    names[i]);
		assert_non_null(jmi_add(arena, m, (enum jmi_action)i, "x",
					MEDIA_VIDEO, "busy", "Later."));
		assert_int_equal(jmi_parse(arena, m, &j, NULL), 0);
		assert_int_equal(j.action, i);
		assert_string_equal(j.id, "x");
		assert_int_equal(j.media, i ? 0 : MEDIA_VIDEO);
		assert_string_equal(j.reason, "busy");
		assert_string_equal(j.text, "Later.");
	}
}

static void test_write(void **state)
{
	struct xml_elem *m = stanza_new(arena, STANZA_MESSAGE, "chat", "1",
					"a@h", "b@h");

	(void)state;
	jmi_add(arena, m, JMI_PROPOSE, "x", MEDIA_AUDIO | MEDIA_VIDEO, NULL,
		NULL);
	assert_xml(arena, m, "<message type='chat' id='1' from='a@h' "
		   "to='b@h'><propose xmlns='" NS_JMI "' id='x'>"
		   "<description xmlns='" NS_RTP "' media='audio'/>"
		   "<description xmlns='" NS_RTP "' media='video'/>"
		   "</propose></message>");
	m = stanza_new(arena, STANZA_MESSAGE, NULL, NULL, NULL, NULL);
	jmi_add(arena, m, JMI_REJECT, "x", 0, NULL, "lost");
	assert_xml(arena, m, "<message><reject xmlns='" NS_JMI "' id='x'/>"
		   "</message>");
	m = stanza_new(arena, STANZA_MESSAGE, NULL, NULL, NULL, NULL);
	jmi_add(arena, m, JMI_REJECT, "x", 0, "busy", NULL);
	assert_xml(arena, m, "<message><reject xmlns='" NS_JMI "' id='x'>"
		   "<reason xmlns='" NS_JINGLE "'><busy/></reason></reject>"
		   "</message>");
	assert_null(jmi_add(arena, NULL, JMI_REJECT, "x", 0, "busy", NULL));
}

static void test_reason(void **state)
{
	struct jmi j;

	(void)state;
	assert_int_equal(parse(MESSAGE("<reject " JMI " id='s'>"
		"<reason xmlns='" NS_JINGLE "'><expired/><text>a b</text>"
		"</reason><tie-break/></reject>"), &j, NULL), 0);
	assert_string_equal(j.reason, "expired");
	assert_string_equal(j.text, "a b");
	assert_true(j.tie_break);
	/* A <reason/> that inherits the JMI namespace, text first. */
	assert_int_equal(parse(MESSAGE("<reject " JMI " id='s'><reason>"
		"<text/><busy/></reason></reject>"), &j, NULL), 0);
	assert_string_equal(j.reason, "busy");
	assert_null(j.text);
	/* Foreign, empty and over-long ones never make it an error. */
	assert_int_equal(parse(MESSAGE("<reject " JMI " id='s'><reason "
		"xmlns='urn:x'><busy/></reason></reject>"), &j, NULL), 0);
	assert_null(j.reason);
	assert_int_equal(parse(MESSAGE("<reject " JMI " id='s'><reason/>"
		"</reject>"), &j, NULL), 0);
	assert_null(j.reason);
	assert_int_equal(parse(MESSAGE("<reject " JMI " id='s'><reason>"
		"<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaa/></reason></reject>"), &j, NULL), 0);
	assert_string_equal(j.reason, "general-error");
	assert_int_equal(parse(MESSAGE("<finish " JMI " id='s'><reason>"
		"<expired/></reason><migrated to='t'/></finish>"), &j, NULL),
		0);
	assert_string_equal(j.migrated, "t");
}

/* A28: what is inside a carbon or a forwarded message is not said by its
 * sender. */
static void test_only_own_children(void **state)
{
	struct jmi j;

	(void)state;
	assert_int_equal(parse(MESSAGE("<body>x</body>"), &j, NULL), ENOENT);
	assert_int_equal(parse(MESSAGE("<forwarded xmlns='urn:xmpp:forward:0'>"
		MESSAGE(PROPOSE) "</forwarded>"), &j, NULL), ENOENT);
	assert_int_equal(parse(MESSAGE("<received xmlns='" NS_CARBONS "'>"
		PROPOSE "</received>"), &j, NULL), ENOENT);
	assert_int_equal(parse(MESSAGE("<later " JMI " id='s'/>"), &j, NULL),
			 ENOENT);
	assert_int_equal(parse(MESSAGE("<propose xmlns='" NS_JMI ":1' "
		"id='s'/>"), &j, NULL), ENOENT);
}

/* What may be missing or doubled; all else in these must be refused. */
static const struct {
	const char *elem, *attr;
	enum mutation mutation;
	int err;
} allowed[] = {
	{ "description", NULL, CUT_ELEM, 0 },    /* the other one is left */
	{ "description", NULL, DOUBLE_ELEM, 0 },
	{ "description", "media", LONG_ATTR, 0 },       /* not our media */
	{ "reason", NULL, CUT_ELEM, 0 },
	{ "reason", NULL, DOUBLE_ELEM, 0 },
	{ "reason", NULL, EMPTY_ELEM, 0 },
	{ "busy", NULL, CUT_ELEM, 0 },
	{ "busy", NULL, DOUBLE_ELEM, 0 },
	{ "busy", NULL, EMPTY_ELEM, 0 },
	{ "text", NULL, CUT_ELEM, 0 },
	{ "text", NULL, DOUBLE_ELEM, 0 },
	{ "text", NULL, EMPTY_ELEM, 0 },
	{ "tie-break", NULL, CUT_ELEM, 0 },
	{ "tie-break", NULL, DOUBLE_ELEM, 0 },
	{ "tie-break", NULL, EMPTY_ELEM, 0 },
	{ "migrated", NULL, CUT_ELEM, 0 },
	{ "device", NULL, CUT_ELEM, 0 },         /* unknown: never read */
	{ "device", NULL, DOUBLE_ELEM, 0 },
	{ "device", NULL, EMPTY_ELEM, 0 },
	{ "device", "id", CUT_ATTR, 0 },
	{ "device", "id", BLANK_ATTR, 0 },
	{ "device", "id", EMPTY_ATTR, 0 },
	{ "device", "id", LONG_ATTR, 0 },
	{ "propose", NULL, CUT_ELEM, ENOENT },
	{ "proceed", NULL, CUT_ELEM, ENOENT },
	{ "reject", NULL, CUT_ELEM, ENOENT },
	{ "finish", NULL, CUT_ELEM, ENOENT },
};

static int expected(const struct mutant *what, enum mutation m)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i].mutation == m &&
		    !strcmp(allowed[i].elem, what->elem) &&
		    ((!what->attr && !allowed[i].attr) ||
		     (what->attr && allowed[i].attr &&
		      !strcmp(what->attr, allowed[i].attr))))
			return allowed[i].err;
	return EBADMSG;
}

static void check_mutants(const char *xml, enum mutation m)
{
	for (unsigned n = 0;; n++) {
		struct xml_elem *message = tree(arena, xml);
		struct mutant what;
		unsigned left = n;
		struct jmi j;
		struct why why = { 0 };
		int err;

		if (!mutate(arena, message, message->first, m, &left, &what))
			return;
		err = jmi_parse(arena, message, &j, &why);
		if (err != expected(&what, m))
			fail_msg("%s %s mutation %d gave %d", what.elem,
				 what.attr ? what.attr : "", m, err);
		if (err == EBADMSG) {
			assert_string_equal(why.condition, "bad-request");
			assert_true(strlen(why.text) > 10);
		}
		if (err == EBADMSG && what.attr)
			assert_non_null(strstr(why.text, what.attr));
	}
}

static void test_broken(void **state)
{
	static const char *const whole[] = {
		MESSAGE(PROPOSE),
		MESSAGE("<proceed " JMI " id='s'><device xmlns='"
			NS_OMEMO_DTLS "' id='7'/></proceed>"),
		MESSAGE("<reject " JMI " id='s'><reason xmlns='" NS_JINGLE "'>"
			"<busy/><text>x</text></reason><tie-break/></reject>"),
		MESSAGE("<finish " JMI " id='s'><migrated to='t'/></finish>"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		for (int m = 0; m < MUTATIONS; m++)
			check_mutants(whole[i], (enum mutation)m);
}

static void test_doubled(void **state)
{
	struct jmi j;
	struct xml_elem *e;
	const char *xml = "<message><propose id='a' id='a'/></message>";

	(void)state;
	assert_int_equal(parse(MESSAGE(PROPOSE "<retract " JMI " id='s'/>"),
			       &j, NULL), EBADMSG);
	assert_int_equal(parse(MESSAGE(PROPOSE PROPOSE), &j, NULL), EBADMSG);
	assert_int_equal(xml_parse(arena, xml, strlen(xml), NS_COMPONENT,
				   &xml_limits_default, &e), EBADMSG);
}

static void test_id_length(void **state)
{
	struct xml_elem *m = tree(arena, MESSAGE(PROPOSE));
	char id[JMI_ID_MAX + 2];
	struct jmi j;

	(void)state;
	memset(id, 'i', sizeof(id));
	id[JMI_ID_MAX] = '\0';
	xml_set(arena, m->first, "id", id);
	assert_int_equal(jmi_parse(arena, m, &j, NULL), 0);
	id[JMI_ID_MAX] = 'i';
	id[JMI_ID_MAX + 1] = '\0';
	xml_set(arena, m->first, "id", id);
	assert_int_equal(jmi_parse(arena, m, &j, NULL), EBADMSG);
}

static unsigned found;

static void count_jmi(struct arena *a, struct xml_elem *e)
{
	struct stanza s;
	struct jmi j;
	struct why why;

	assert_int_equal(stanza_parse(a, e, &s, &why), 0);
	if (s.kind != STANZA_MESSAGE)
		return;
	assert_int_equal(jmi_parse(a, e, &j, &why), 0);
	assert_int_equal(strlen(j.id), 36);
	if (j.action == JMI_PROPOSE)
		assert_int_equal(j.media, MEDIA_AUDIO | MEDIA_VIDEO);
	found++;
}

static void test_recorded(void **state)
{
	(void)state;
	each_stanza("prosody.callee-received.xml", count_jmi);
	each_stanza("prosody.caller-received.xml", count_jmi);
	each_stanza("ejabberd.callee-received.xml", count_jmi);
	each_stanza("ejabberd.caller-received.xml", count_jmi);
	assert_int_equal(found, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_propose),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_only_own_children),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_doubled),
		cmocka_unit_test(test_id_length),
		cmocka_unit_test(test_recorded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
