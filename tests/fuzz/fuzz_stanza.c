/* fuzz_stanza.c: every codec of jingle/stanza/ on any XML, whatever the
 * element is. One line of the table below each; tests/style/codecs.sh looks
 * that none is missing. What is read and built anew is read the same; reading
 * changes nothing.
 */
#include "tests/fuzz/fuzz.h"

#include "jingle/stanza/delay.h"
#include "jingle/stanza/disco.h"
#include "jingle/stanza/dtls.h"
#include "jingle/stanza/hints.h"
#include "jingle/stanza/ice_udp.h"
#include "jingle/stanza/jingle.h"
#include "jingle/stanza/jingle_check.h"
#include "jingle/stanza/jmi.h"
#include "jingle/stanza/ping.h"
#include "jingle/stanza/presence.h"
#include "jingle/stanza/reason.h"
#include "jingle/stanza/register.h"
#include "jingle/stanza/rtp.h"
#include "jingle/stanza/source.h"
#include "jingle/stanza/text.h"
#include "jingle/stanza/version.h"

static struct xml_elem *message(struct arena *a)
{
	return stanza_new(a, STANZA_MESSAGE, "chat", "1", "a@b/c", "d@e");
}

static struct xml_elem *iq(struct arena *a)
{
	return stanza_new(a, STANZA_IQ, "result", "1", "a@b/c", "d@e");
}

static void caps(struct arena *a, struct xml_elem *e)
{
	struct xml_elem *p = stanza_new(a, STANZA_PRESENCE, NULL, NULL,
					"a@b/c", "d@e");
	struct caps c, again;

	if (caps_read(e, &c))
		return;
	assert(!text_blank(c.node) && !text_blank(c.ver));
	caps_add(a, p, c.node, c.ver);
	assert(!caps_read(p, &again));
	assert(!strcmp(again.node, c.node) && !strcmp(again.ver, c.ver));
}

static void delay(struct arena *a, struct xml_elem *e)
{
	const char *stamp = xml_get(xml_child(e, NS_DELAY, "delay"), "stamp");
	struct xml_elem *m = message(a);
	char want[DELAY_TIME_SIZE];
	int64_t ms = 0;

	if (delay_parse(stamp, &ms))
		return;
	delay_format(ms, want);
	delay_add(a, m, "a@b", ms, "offline");
	assert(!strcmp(xml_get(xml_child(m, NS_DELAY, "delay"), "stamp"),
		       want));
}

static void disco(struct arena *a, struct xml_elem *e)
{
	struct disco_info info;
	struct why why = { 0 };
	const char *node;
	char ver[DISCO_VER_SIZE];

	disco_query(e, NS_DISCO_INFO, &node);
	disco_query(e, NS_DISCO_ITEMS, NULL);
	if (disco_parse(a, e, &info, &why))
		return;
	for (unsigned i = 0; i < info.features; i++)
		assert(disco_has_feature(&info, info.feature[i]));
	assert(!disco_has_feature(&info, "none such"));
	if (!disco_ver(a, &info, ver))
		assert(strlen(ver) == DISCO_VER_SIZE - 1);
}

static void dtls(struct arena *a, struct xml_elem *e)
{
	struct dtls_list l;
	struct why why = { 0 };
	int err = dtls_parse(a, e, &l, &why);

	fuzz_err(err, &why);
	if (err)
		return;
	assert(l.fingerprints <= DTLS_FINGERPRINTS_MAX);
	for (unsigned i = 0; i < l.fingerprints; i++)
		assert(l.fingerprint[i].omemo ? !l.fingerprint[i].len :
		       l.fingerprint[i].len > 0 &&
		       l.fingerprint[i].len <= DTLS_VALUE_MAX);
}

static void hints(struct arena *a, struct xml_elem *e)
{
	const char *id = hints_receipt_of(e);
	struct xml_elem *m = message(a);

	assert(!id || !text_blank(id));
	hints_add_store(a, m);
	hints_add_no_store(a, m);
	hints_add_no_copy(a, m);
	hints_add_private(a, m);
	hints_add_origin_id(a, m, id);
	assert(xml_write(a, m, NS_COMPONENT, NULL));
}

static void ice_udp(struct arena *a, struct xml_elem *e)
{
	struct ice_transport t;
	struct why why = { 0 };
	int err = ice_udp_parse(a, e, &t, &why);

	fuzz_err(err, &why);
	for (unsigned i = 0; !err && i < t.candidates; i++) {
		const struct ice_candidate *c = &t.candidate[i];

		assert(c->elem && c->port <= 65535 && c->rel_port <= 65535);
		assert(c->component >= 1 && c->component <= 256);
		assert(text_token(c->ip, 256) && c->foundation);
	}
}

static void jingle(struct arena *a, struct xml_elem *e)
{
	struct jingle j;
	struct why why = { 0 };
	int err = jingle_parse(a, e, &j, &why);
	struct xml_elem *out, *action;

	fuzz_err(err, &why);
	if (err)
		return;
	out = jingle_new(a, "1", "a@b/c", "d@e/f", j.action, j.sid, &action);
	jingle_add_reason(a, action, NULL, "success", "t");
	assert(xml_write(a, out, NS_COMPONENT, NULL));
	assert(jingle_action_name(j.action));
}

static void jmi(struct arena *a, struct xml_elem *e)
{
	struct jmi j;
	struct why why = { 0 };
	int err = jmi_parse(a, e, &j, &why);

	fuzz_err(err, &why);
	assert(err || jmi_action_name(j.action));
}

static void ping(struct arena *a, struct xml_elem *e)
{
	ping_is(e);
	assert(ping_is(ping_new(a, "1", "a@b", "c")));
}

static void presence(struct arena *a, struct xml_elem *e)
{
	struct presence_info p;

	assert(!presence_read(a, e, &p));
	assert(p.priority >= -128 && p.priority <= 127);
	assert(presence_show_name(p.show));
}

static void reason(struct arena *a, struct xml_elem *e)
{
	struct reason r, again;
	struct xml_elem *m;

	assert(!reason_read(a, e, &r));
	if (!r.condition || !strcmp(r.condition, "text"))
		return;
	m = xml_new(a, NS_JINGLE, "jingle");
	jingle_add_reason(a, m, NULL, r.condition, r.text);
	assert(!reason_read(a, m, &again));
	assert(text_equal(r.condition, again.condition));
}

static void registration(struct arena *a, struct xml_elem *e)
{
	enum register_action action;
	struct stanza s;
	struct why why = { 0 };
	struct xml_elem *answer = iq(a);

	register_add_form(a, answer, "i", true);
	assert(xml_write(a, answer, NS_COMPONENT, NULL));
	if (!stanza_parse(a, e, &s, &why))
		fuzz_err(register_parse(&s, &action, &why), &why);
}

static void rtp(struct arena *a, struct xml_elem *e)
{
	struct rtp_description d;
	struct why why = { 0 };
	int err = rtp_parse(a, e, &d, &why);

	fuzz_err(err, &why);
	for (unsigned i = 0; !err && i < d.payloads; i++)
		assert(d.payload[i].id <= 127 && d.payload[i].elem);
}

static void source(struct arena *a, struct xml_elem *e)
{
	struct source_list l;
	struct content_group *groups;
	struct why why = { 0 };
	unsigned n;

	fuzz_err(source_parse(a, e, &l, &why), &why);
	fuzz_err(group_parse(a, e, &groups, &n, &why), &why);
}

static void stanza(struct arena *a, struct xml_elem *e)
{
	struct stanza s;
	struct why why = { 0 };
	int err = stanza_parse(a, e, &s, &why);
	struct xml_elem *out;

	fuzz_err(err, &why);
	if (err)
		return;
	out = stanza_result(a, &s);
	assert(!out || xml_write(a, out, NS_COMPONENT, NULL));
	why = (struct why){ "cancel", "conflict", NULL, NULL, "x" };
	out = stanza_error(a, &s, &why);
	assert(!out || !strcmp(stanza_error_condition(out), "conflict"));
}

static void version(struct arena *a, struct xml_elem *e)
{
	struct xml_elem *answer = iq(a);

	version_is_query(e);
	version_add(a, answer, "n", "1", NULL);
	assert(xml_write(a, answer, NS_COMPONENT, NULL));
}

/* In the order of the files in jingle/stanza/. Not here: jid.c (fuzz_jid),
 * text.c (fuzz_numbers), jingle_check.c (fuzz_jingle, by jingle_parse), and
 * sha1.c and why.c, which read nothing. */
static const struct codec {
	const char *file;
	void (*run_h)(struct arena *a, struct xml_elem *e);
} codecs[] = {
	{ "caps", caps },
	{ "delay", delay },
	{ "disco", disco },
	{ "dtls", dtls },
	{ "hints", hints },
	{ "ice_udp", ice_udp },
	{ "jingle", jingle },
	{ "jmi", jmi },
	{ "ping", ping },
	{ "presence", presence },
	{ "reason", reason },
	{ "register", registration },
	{ "rtp", rtp },
	{ "source", source },
	{ "stanza", stanza },
	{ "version", version },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = fuzz_arena();
	struct xml_elem *e = fuzz_xml(a, data, size), *before;

	if (!e)
		return 0;
	before = xml_copy(a, e);
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		codecs[i].run_h(a, e);
		assert(fuzz_same(e, before));
	}
	return 0;
}
