/* fuzz_jmi.c: any XML as a message: envelope, JMI, hints, delay, presence.
 * What is read of a JMI element and built anew is read the same.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/stanza/delay.h"
#include "jingle/stanza/hints.h"
#include "jingle/stanza/jmi.h"
#include "jingle/stanza/presence.h"
#include "jingle/stanza/text.h"

static void check_why(int err, const struct why *why)
{
	assert(err == EBADMSG || err == EOVERFLOW);
	assert(why->type && why->condition && why->text);
}

static void check_jmi(struct arena *a, const struct xml_elem *e)
{
	struct xml_elem *m;
	struct jmi j, again;
	struct why why = { 0 };
	int err = jmi_parse(a, e, &j, &why);

	if (err == ENOENT)
		return;
	if (err) {
		check_why(err, &why);
		return;
	}
	assert(j.id && strlen(j.id) <= JMI_ID_MAX && !text_blank(j.id));
	assert(j.elem);
	if (j.action == JMI_PROPOSE && !j.media)
		return;
	m = stanza_new(a, STANZA_MESSAGE, "chat", "1", "a@b/c", "d@e");
	assert(jmi_add(a, m, j.action, j.id, j.media, j.reason, j.text));
	assert(jmi_parse(a, m, &again, &why) == 0);
	assert(again.action == j.action && again.media == j.media);
	assert(!strcmp(again.id, j.id));
	assert(text_equal(again.reason, j.reason) ||
	       !strcmp(j.reason, "text"));
	assert(!j.reason || text_equal(again.text, j.text));
}

static void check_message(struct arena *a, struct xml_elem *e)
{
	const char *stamp = xml_get(xml_child(e, NS_DELAY, "delay"), "stamp");
	int64_t ms = 0, same = 0;

	(void)hints_receipt_of(e);
	(void)stanza_error_condition(e);
	if (!delay_parse(stamp, &ms)) {
		char again[DELAY_TIME_SIZE];

		delay_format(ms, again);
		assert(delay_parse(again, &same) == 0);
		/* Its zone may have put it before 0000 or after 9999. */
		assert(same == ms ||
		       !strcmp(again, "0000-01-01T00:00:00Z") ||
		       !strcmp(again, "9999-12-31T23:59:59.999Z"));
	}
	assert(xml_write(a, e, NS_COMPONENT, NULL));
}

static void check_envelope(struct arena *a, struct xml_elem *e)
{
	struct stanza s;
	struct why why = { 0 };
	int err = stanza_parse(a, e, &s, &why);
	struct xml_elem *answer;

	if (err)
		check_why(err, &why);
	else
		why = (struct why){ "cancel", "conflict", NULL, NULL, "x" };
	answer = stanza_error(a, &s, &why);
	if (answer)
		assert(!strcmp(stanza_error_condition(answer),
			       why.condition));
}

static void check(struct arena *a, struct xml_elem *e)
{
	struct presence_info presence;

	check_envelope(a, e);
	check_jmi(a, e);
	assert(presence_read(a, e, &presence) == 0);
	assert(presence.priority >= -128 && presence.priority <= 127);
	check_message(a, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_each(data, size, check);
	return 0;
}
