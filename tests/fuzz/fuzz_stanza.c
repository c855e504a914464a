/* fuzz_stanza.c: every codec of jingle/stanza/ on any XML, whatever the
 * element is. One line of the table below each; tests/style/codecs.sh looks
 * that none is missing, tests/unit/test_seeds.c that kept inputs reach each.
 * What is read and built anew is read the same; reading changes nothing.
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

/* Each codec below: 0: it took something of the element; ENOENT: nothing in it
 * is its own; else it refused it. */
static int caps(struct arena *a, struct xml_elem *e)
{
	struct xml_elem *p = stanza_new(a, STANZA_PRESENCE, NULL, NULL,
					"a@b/c", "d@e");
	struct caps c, again;
	int err = caps_read(e, &c);

	if (err)
		return err;
	assert(!text_blank(c.node) && !text_blank(c.ver));
	caps_add(a, p, c.node, c.ver);
	assert(!caps_read(p, &again));
	assert(!strcmp(again.node, c.node) && !strcmp(again.ver, c.ver));
	return 0;
}

static int delay(struct arena *a, struct xml_elem *e)
{
	const struct xml_elem *d = xml_child(e, NS_DELAY, "delay");
	struct xml_elem *m = message(a);
	char want[DELAY_TIME_SIZE];
	int64_t ms = 0;

	if (!d)
		return ENOENT;
	if (delay_parse(xml_get(d, "stamp"), &ms))
		return EBADMSG;
	delay_format(ms, want);
	delay_add(a, m, "a@b", ms, "offline");
	assert(!strcmp(xml_get(xml_child(m, NS_DELAY, "delay"), "stamp"),
		       want));
	return 0;
}

static int disco(struct arena *a, struct xml_elem *e)
{
	struct disco_info info, again;
	struct why why = { 0 };
	const char *node;
	char ver[DISCO_VER_SIZE], same[DISCO_VER_SIZE];
	struct xml_elem *m = iq(a);
	int err;

	disco_query(e, NS_DISCO_INFO, &node);
	disco_query(e, NS_DISCO_ITEMS, NULL);
	err = disco_parse(a, e, &info, &why);
	fuzz_err(err, &why);
	if (err)
		return err;
	for (unsigned i = 0; i < info.features; i++)
		assert(disco_has_feature(&info, info.feature[i]));
	assert(!disco_has_feature(&info, "none such"));
	disco_add_info(a, m, &info, node);
	assert(!disco_parse(a, m, &again, &why));
	err = disco_ver(a, &info, ver);
	assert(disco_ver(a, &again, same) == err);
	assert(err || (strlen(ver) == DISCO_VER_SIZE - 1 &&
		       !strcmp(ver, same)));
	return err;
}

/* A plain fingerprint as it is stored reads back the same. */
static void dtls_one(struct arena *a, const struct dtls_fingerprint *f)
{
	struct dtls_fingerprint again;

	assert(f->len > 0 && f->len <= DTLS_VALUE_MAX);
	assert(!dtls_text_parse(dtls_text(a, f->hash, f->value, f->len),
				&again));
	assert(!strcmp(again.hash, f->hash) && again.len == f->len);
	assert(!memcmp(again.value, f->value, f->len));
}

static int dtls(struct arena *a, struct xml_elem *e)
{
	struct dtls_list l;
	const struct dtls_fingerprint *best;
	struct why why = { 0 };
	int err = dtls_parse(a, e, &l, &why);

	fuzz_err(err, &why);
	if (err)
		return err;
	assert(l.fingerprints <= DTLS_FINGERPRINTS_MAX);
	best = dtls_strongest(&l);
	for (unsigned i = 0; i < l.fingerprints; i++) {
		const struct dtls_fingerprint *f = &l.fingerprint[i];

		if (f->omemo) {
			assert(!f->len && f != best);
			continue;
		}
		dtls_one(a, f);
		assert(best && (dtls_is_strong(best) || !dtls_is_strong(f)));
	}
	return l.fingerprints ? 0 : ENOENT;
}

static int hints(struct arena *a, struct xml_elem *e)
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
	return id ? 0 : ENOENT;
}

static int ice_udp(struct arena *a, struct xml_elem *e)
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
	return err || t.candidates ? err : ENOENT;
}

static int jingle(struct arena *a, struct xml_elem *e)
{
	struct jingle j;
	struct why why = { 0 };
	int err = jingle_parse(a, e, &j, &why);
	struct xml_elem *out, *action;

	fuzz_err(err, &why);
	if (err)
		return err;
	out = jingle_new(a, "1", "a@b/c", "d@e/f", j.action, j.sid, &action);
	jingle_add_reason(a, action, NULL, "success", "t");
	assert(xml_write(a, out, NS_COMPONENT, NULL));
	assert(jingle_action_name(j.action));
	return 0;
}

static int jmi(struct arena *a, struct xml_elem *e)
{
	struct jmi j;
	struct why why = { 0 };
	int err = jmi_parse(a, e, &j, &why);

	fuzz_err(err, &why);
	assert(err || jmi_action_name(j.action));
	return err;
}

static int ping(struct arena *a, struct xml_elem *e)
{
	assert(ping_is(ping_new(a, "1", "a@b", "c")));
	return ping_is(e) ? 0 : ENOENT;
}

static int presence(struct arena *a, struct xml_elem *e)
{
	struct presence_info p;

	assert(!presence_read(a, e, &p));
	assert(p.priority >= -128 && p.priority <= 127);
	assert(presence_show_name(p.show));
	/* All in one, so that a kept input has to have them. */
	return p.show && p.priority && p.idle && p.has_caps && p.delayed ?
	       0 : ENOENT;
}

static int reason(struct arena *a, struct xml_elem *e)
{
	struct reason r, again;
	struct xml_elem *m;

	assert(!reason_read(a, e, &r));
	if (!r.condition || !strcmp(r.condition, "text"))
		return ENOENT;
	m = xml_new(a, NS_JINGLE, "jingle");
	jingle_add_reason(a, m, NULL, r.condition, r.text);
	assert(!reason_read(a, m, &again));
	assert(text_equal(r.condition, again.condition));
	return 0;
}

static int registration(struct arena *a, struct xml_elem *e)
{
	enum register_action action;
	struct stanza s;
	struct why why = { 0 };
	struct xml_elem *answer = iq(a);
	int err;

	register_add_form(a, answer, "i", true);
	assert(xml_write(a, answer, NS_COMPONENT, NULL));
	if (stanza_parse(a, e, &s, &why))
		return ENOENT;
	err = register_parse(&s, &action, &why);
	fuzz_err(err, &why);
	return err;
}

static int rtp(struct arena *a, struct xml_elem *e)
{
	struct rtp_description d;
	struct why why = { 0 };
	int err = rtp_parse(a, e, &d, &why);

	fuzz_err(err, &why);
	for (unsigned i = 0; !err && i < d.payloads; i++)
		assert(d.payload[i].id <= 127 && d.payload[i].elem);
	return err || d.payloads ? err : ENOENT;
}

static int source(struct arena *a, struct xml_elem *e)
{
	struct source_list l;
	struct why why = { 0 };
	int err = source_parse(a, e, &l, &why);

	fuzz_err(err, &why);
	return err || l.sources || l.groups ? err : ENOENT;
}

/* Of source.c too. */
static int group(struct arena *a, struct xml_elem *e)
{
	struct content_group *groups;
	struct why why = { 0 };
	unsigned n;
	int err = group_parse(a, e, &groups, &n, &why);

	fuzz_err(err, &why);
	return err || n ? err : ENOENT;
}

static int stanza(struct arena *a, struct xml_elem *e)
{
	struct stanza s;
	struct why why = { 0 };
	int err = stanza_parse(a, e, &s, &why);
	struct xml_elem *out;

	fuzz_err(err, &why);
	if (err)
		return err;
	out = stanza_result(a, &s);
	assert(!out || xml_write(a, out, NS_COMPONENT, NULL));
	why = (struct why){ "cancel", "conflict", NULL, NULL, "x" };
	out = stanza_error(a, &s, &why);
	assert(!out || !strcmp(stanza_error_condition(out), "conflict"));
	assert(*stanza_error_condition(e));
	return 0;
}

static int version(struct arena *a, struct xml_elem *e)
{
	struct xml_elem *answer = iq(a);

	version_add(a, answer, "n", "1", NULL);
	assert(xml_write(a, answer, NS_COMPONENT, NULL));
	return version_is_query(e) ? 0 : ENOENT;
}

/* In the order of the files in jingle/stanza/. Not here: jid.c (fuzz_jid),
 * text.c (fuzz_numbers), jingle_check.c (fuzz_jingle, by jingle_parse), and
 * sha1.c and why.c, which read nothing. */
static const struct codec {
	const char *file;
	int (*run_h)(struct arena *a, struct xml_elem *e);
	bool refuses;              /* else what is wrong counts as not there */
} codecs[] = {
	{ "caps", caps, true },
	{ "delay", delay, true },
	{ "disco", disco, true },
	{ "dtls", dtls, true },
	{ "hints", hints, false },
	{ "ice_udp", ice_udp, true },
	{ "jingle", jingle, true },
	{ "jmi", jmi, true },
	{ "ping", ping, false },
	{ "presence", presence, false },
	{ "reason", reason, false },
	{ "register", registration, true },
	{ "rtp", rtp, true },
	{ "source", source, true },
	{ "source", group, true },
	{ "stanza", stanza, true },
	{ "version", version, false },
};

#define CODECS (sizeof(codecs) / sizeof(codecs[0]))

/* What they said of all inputs until now, for tests/unit/test_seeds.c. */
static unsigned taken[CODECS], refused[CODECS];

static void run_codecs(struct arena *a, struct xml_elem *e)
{
	for (size_t i = 0; i < CODECS; i++) {
		int err = codecs[i].run_h(a, e);

		taken[i] += !err;
		refused[i] += err && err != ENOENT;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_each(data, size, run_codecs);
	return 0;
}
