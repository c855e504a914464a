/* text.h: the call machine's events and actions as lines of text: golden
 * traces and readable fuzz findings.
 *
 * An event line is `[+MS] KIND WORDS`. +MS is for whoever runs the clock.
 *
 *   propose FROM ID audio[,video] [delayed]
 *   ringing|proceed|accept|retract|reject|finish FROM ID [REASON] [tie-break]
 *   jingle FROM ACTION SID [WORDS]
 *   stanza XML                          any message or iq of the two
 *   result SIDE ID | timeout SIDE ID | error SIDE ID CONDITION [APP]
 *   bounce FROM ID CONDITION | receipt FROM
 *   facts CAUSE [offer] [JID[:plain][:full][:bundles]]...
 *   gone JID | back JID | device JID... as in facts | switched JID
 *   time | switch-off | drain | restored | linked | hangup
 *   ready N [unsigned] | refused N | credentials N ROLE | step N ROLE STEP |
 *   trouble N ROLE TEXT | listed N | media-lost
 *
 * Words of `jingle`: audio, video (contents "audio" and "video" with RTP
 * descriptions), name=N media=M (one content more), creator=C, senders=S,
 * bare (no description), ufrag=U, pwd=P, nopwd, candidate, fingerprint (other:
 * another one; setup=S), omemo (one that is encrypted), complete
 * (gathering-complete), mute, ringing, ping, reason=R, text=T, to=JID, id=ID,
 * mux, bundle (a group of all contents), ip=ADDRESS (of the candidate),
 * a=CODECS, v=CODECS (of audio and video: ID:NAME,ID:NAME; else opus as 111),
 * mutes=NAME (mute of a content), ssrc=N (a source of audio).
 * Transport words hold for all contents. ROLE: caller, callee.
 */
#ifndef TESTS_GOLDEN_TEXT_H
#define TESTS_GOLDEN_TEXT_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "jingle/stanza/delay.h"
#include "jingle/stanza/hints.h"
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"
#include "mod_privatecall/call/call.h"

#define WORDS_MAX 40
#define TARGETS_MAX 16
/* Milliseconds of one step, a week: a call asks both sides all the time, and
 * of ten years that would take seconds. */
#define AFTER_MAX (INT64_C(7) * 24 * 3600 * 1000)
#define EIGHT_BYTES "A1:B2:C3:D4:E5:F6:07:18"
#define FINGERPRINT \
	EIGHT_BYTES ":" EIGHT_BYTES ":" EIGHT_BYTES ":" EIGHT_BYTES
#define OTHER_FINGERPRINT \
	"00:" EIGHT_BYTES ":" EIGHT_BYTES ":" EIGHT_BYTES ":C2:" \
	"D3:E4:F5:06:17:28"

#define OUR_PRINT "sha-256 0C:0C"  /* as long as it need be here */

struct reader {
	const struct call *c;
	struct call_event *ev;
	struct arena *a;
	char *word[WORDS_MAX];
	unsigned n;
	const char *rest;          /* the line behind its kind */
	const char *why;
};

static int expect(struct reader *r, const char *what)
{
	r->why = what;
	return EBADMSG;
}

static bool is(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Value of a word NAME=VALUE, NULL when there is none. */
static const char *value(const struct reader *r, const char *name)
{
	size_t len = strlen(name);
	unsigned i;

	for (i = 0; i < r->n; i++)
		if (strncmp(r->word[i], name, len) == 0 &&
		    r->word[i][len] == '=')
			return r->word[i] + len + 1;
	return NULL;
}

static bool has(const struct reader *r, const char *word)
{
	unsigned i;

	for (i = 0; i < r->n; i++)
		if (is(r->word[i], word))
			return true;
	return false;
}

/* --- stanzas ------------------------------------------------------ */

/* Our address as the sender `from` sees the other. */
static char *own_of(struct reader *r, const char *from, bool full)
{
	struct jid j;
	int side = jid_parse(r->a, from, &j) ? -1 : call_side(r->c, j.bare);
	const struct leg *l = &r->c->leg[side == 1];

	if (value(r, "to"))
		return arena_strdup(r->a, value(r, "to"));
	return full ? arena_printf(r->a, "%s/%s", l->own, l->resource) :
		      arena_strdup(r->a, l->own);
}

static int take_stanza(struct reader *r, struct xml_elem *e)
{
	struct stanza *s = arena_alloc(r->a, sizeof(*s));
	struct jmi *m = arena_alloc(r->a, sizeof(*m));
	struct jingle *j = arena_alloc(r->a, sizeof(*j));
	struct why why = { .type = NULL };

	if (!e || !s || !m || !j)
		return ENOMEM;
	if (stanza_parse(r->a, e, s, &why))
		return expect(r, why.text ? why.text : "a stanza");
	r->ev->stanza = s;
	if (s->kind == STANZA_MESSAGE) {
		if (jmi_parse(r->a, e, m, &why))
			return expect(r, why.text ? why.text : "JMI");
		r->ev->kind = CALL_EV_MESSAGE;
		r->ev->jmi = m;
		return 0;
	}
	if (s->kind != STANZA_IQ || strcmp(s->type, "set") != 0 ||
	    jingle_parse(r->a, e, j, &why))
		return expect(r, why.text ? why.text : "a Jingle iq");
	r->ev->kind = CALL_EV_JINGLE;
	r->ev->jingle = j;
	return 0;
}

static int read_stanza(struct reader *r)
{
	struct xml_elem *e;

	if (xml_parse(r->a, r->rest, strlen(r->rest), NS_COMPONENT,
		      &xml_limits_default, &e))
		return expect(r, "XML");
	return take_stanza(r, e);
}

static int jmi_action_of(const char *word)
{
	int a;

	for (a = JMI_PROPOSE; a <= JMI_FINISH; a++)
		if (is(word, jmi_action_name((enum jmi_action)a)))
			return a;
	return -1;
}

static unsigned media_of(const char *word)
{
	return (strstr(word, "audio") ? MEDIA_AUDIO : 0) |
	       (strstr(word, "video") ? MEDIA_VIDEO : 0);
}

static int read_jmi(struct reader *r, enum jmi_action action)
{
	struct xml_elem *m, *e;
	const char *reason = NULL;

	if (r->n < 3 || (action == JMI_PROPOSE && r->n < 4))
		return expect(r, "FROM ID and, to propose, media");
	m = stanza_new(r->a, STANZA_MESSAGE, "chat",
		       value(r, "id") ? value(r, "id") : "m1", r->word[1],
		       own_of(r, r->word[1], action != JMI_PROPOSE));
	if (action != JMI_PROPOSE && r->n > 3 && !is(r->word[3], "tie-break"))
		reason = r->word[3];
	e = jmi_add(r->a, m, action, r->word[2],
		    action == JMI_PROPOSE ? media_of(r->word[3]) : 0, reason,
		    value(r, "text"));
	if (has(r, "tie-break"))
		xml_add(r->a, e, NS_JMI, "tie-break");
	if (has(r, "delayed"))
		delay_add(r->a, m, NULL, 0, NULL);
	return take_stanza(r, m);
}

static void add_transport(struct reader *r, struct xml_elem *content)
{
	struct xml_elem *t = xml_add(r->a, content, NS_ICE_UDP, "transport");
	const char *u = value(r, "ufrag"), *p = value(r, "pwd");
	struct xml_elem *e;

	xml_set(r->a, t, "ufrag", u ? u : "ufr");
	if (!has(r, "nopwd"))
		xml_set(r->a, t, "pwd", p ? p : "pwd0123456789012345678");
	if (has(r, "complete"))
		xml_add(r->a, t, NS_ICE_UDP, "gathering-complete");
	if (has(r, "candidate")) {
		e = xml_add(r->a, t, NS_ICE_UDP, "candidate");
		xml_set(r->a, e, "component", "1");
		xml_set(r->a, e, "foundation", "1");
		xml_set(r->a, e, "ip", value(r, "ip") ? value(r, "ip") :
			"192.0.2.1");
		xml_set(r->a, e, "port", "5000");
		xml_set(r->a, e, "priority", "1");
		xml_set(r->a, e, "protocol", "udp");
		xml_set(r->a, e, "type", "host");
	}
	if (has(r, "fingerprint")) {
		e = xml_add(r->a, t, NS_DTLS, "fingerprint");
		xml_set(r->a, e, "hash", "sha-256");
		xml_set(r->a, e, "setup", value(r, "setup") ?
			value(r, "setup") : "actpass");
		xml_add_text(r->a, e, has(r, "other") ? OTHER_FINGERPRINT :
						       FINGERPRINT);
	}
	if (has(r, "omemo")) {
		e = xml_add(r->a, t, NS_OMEMO_DTLS, "fingerprint");
		xml_set(r->a, e, "hash", "sha-256");
		xml_set(r->a, e, "setup", "actpass");
		xml_add(r->a, e, "eu.siacs.conversations.axolotl",
			"encrypted");
	}
}

static void add_codecs(struct reader *r, struct xml_elem *d,
		       const char *codecs)
{
	char *at = arena_strdup(r->a, codecs ? codecs : "111:opus"), *one;
	struct xml_elem *p;

	while ((one = strsep(&at, ","))) {
		p = xml_add(r->a, d, NS_RTP, "payload-type");
		xml_set(r->a, p, "id", strsep(&one, ":"));
		xml_set(r->a, p, "name", one ? one : "");
	}
}

static void add_content(struct reader *r, struct xml_elem *j,
			const char *name, const char *media)
{
	struct xml_elem *c = xml_add(r->a, j, NS_JINGLE, "content"), *d;
	const char *creator = value(r, "creator");

	xml_set(r->a, c, "creator", creator ? creator : "initiator");
	xml_set(r->a, c, "name", name);
	xml_set(r->a, c, "senders", value(r, "senders"));
	if (!has(r, "bare")) {
		d = xml_add(r->a, c, NS_RTP, "description");
		xml_set(r->a, d, "media", media);
		if (has(r, "mux"))
			xml_add(r->a, d, NS_RTP, "rtcp-mux");
		add_codecs(r, d, value(r, is(media, "video") ? "v" : "a"));
		if (value(r, "ssrc") && is(media, "audio"))
			xml_set(r->a, xml_add(r->a, d, NS_SSMA, "source"),
				"ssrc", value(r, "ssrc"));
	}
	if (!is(r->word[2], "content-modify"))
		add_transport(r, c);
}

static void add_bundle(struct reader *r, struct xml_elem *j)
{
	struct xml_elem *g = xml_new(r->a, NS_GROUPING, "group"), *e;

	xml_set(r->a, g, "semantics", "BUNDLE");
	for (e = xml_child(j, NS_JINGLE, "content"); e;
	     e = xml_next(e, NS_JINGLE, "content"))
		xml_set(r->a, xml_add(r->a, g, NS_GROUPING, "content"),
			"name", xml_get(e, "name"));
	xml_append(j, g);
}

static int jingle_action_of(const char *word)
{
	int a;

	for (a = 0; a < JINGLE_ACTIONS; a++)
		if (is(word, jingle_action_name((enum jingle_action)a)))
			return a;
	return -1;
}

static int read_jingle(struct reader *r)
{
	static const char *const infos[] = { "mute", "unmute", "ringing" };
	int action = r->n > 3 ? jingle_action_of(r->word[2]) : -1;
	struct xml_elem *iq, *j;
	unsigned i;

	if (action < 0)
		return expect(r, "FROM ACTION SID");
	iq = jingle_new(r->a, value(r, "id") ? value(r, "id") : "i1",
			r->word[1], own_of(r, r->word[1], true),
			(enum jingle_action)action, r->word[3], &j);
	if (has(r, "audio"))
		add_content(r, j, "audio", "audio");
	if (has(r, "video"))
		add_content(r, j, "video", "video");
	if (value(r, "name"))
		add_content(r, j, value(r, "name"), value(r, "media"));
	if (has(r, "bundle"))
		add_bundle(r, j);
	for (i = 0; i < 3; i++)
		if (has(r, infos[i]))
			xml_add(r->a, j, NS_RTP_INFO, infos[i]);
	if (value(r, "mutes"))
		xml_set(r->a, xml_add(r->a, j, NS_RTP_INFO, "mute"), "name",
			value(r, "mutes"));
	if (value(r, "reason"))
		jingle_add_reason(r->a, j, NS_JINGLE, value(r, "reason"),
				  value(r, "text"));
	return take_stanza(r, iq);
}

/* --- other events ------------------------------------------------- */

static struct xml_elem *make_error(struct reader *r, const char *condition,
				   const char *app)
{
	struct xml_elem *e = xml_new(r->a, NS_COMPONENT, "error");

	xml_set(r->a, e, "type", "cancel");
	xml_add(r->a, e, NS_STANZAS, condition);
	if (app)
		xml_add(r->a, e, NS_JINGLE_ERR, app);
	return e;
}

static int read_answer(struct reader *r, enum call_event_kind kind)
{
	if (r->n < 3 || (kind == CALL_EV_ERROR && r->n < 4))
		return expect(r, "SIDE ID and, for an error, its condition");
	r->ev->kind = kind;
	r->ev->side = is(r->word[1], "1");
	r->ev->id = r->word[2];
	if (kind == CALL_EV_ERROR)
		r->ev->error = make_error(r, r->word[3],
					  r->n > 4 ? r->word[4] : NULL);
	return 0;
}

/* A message of no further meaning: a bounce or a receipt. */
static int read_plain(struct reader *r, enum call_event_kind kind)
{
	struct stanza *s = arena_alloc(r->a, sizeof(*s));
	struct why why;
	struct xml_elem *m;

	if (r->n < 2 || (kind == CALL_EV_BOUNCE && r->n < 4))
		return expect(r, "FROM and, for a bounce, ID CONDITION");
	m = stanza_new(r->a, STANZA_MESSAGE, kind == CALL_EV_BOUNCE ?
		       "error" : "chat", r->n > 2 ? r->word[2] : "m1",
		       r->word[1], own_of(r, r->word[1], true));
	if (kind == CALL_EV_BOUNCE)
		xml_append(m, make_error(r, r->word[3], NULL));
	if (!s || !m)
		return ENOMEM;
	if (stanza_parse(r->a, m, s, &why))
		return expect(r, "a JID");
	r->ev->kind = kind;
	r->ev->stanza = s;
	r->ev->id = s->id;
	return 0;
}

static int read_target(struct reader *r, char *word, struct leg_target *t)
{
	char *jid = strsep(&word, ":"), *flag;

	memset(t, 0, sizeof(*t));
	t->jid = jid;
	while ((flag = strsep(&word, ":"))) {
		t->plain = t->plain || is(flag, "plain");
		t->by_full = t->by_full || is(flag, "full");
		t->bundles = t->bundles || is(flag, "bundles");
	}
	return *jid ? 0 : expect(r, "a JID");
}

static int read_targets(struct reader *r, unsigned first)
{
	struct leg_target *t;
	unsigned i;

	t = arena_alloc(r->a, sizeof(*t) * TARGETS_MAX);
	if (!t)
		return ENOMEM;
	for (i = first; i < r->n && r->ev->targets_n < TARGETS_MAX; i++) {
		if (is(r->word[i], "offer")) {
			r->ev->offer = true;
			continue;
		}
		if (read_target(r, r->word[i], &t[r->ev->targets_n]))
			return EBADMSG;
		r->ev->targets_n++;
	}
	r->ev->targets = t;
	return 0;
}

static int read_facts(struct reader *r)
{
	r->ev->kind = CALL_EV_FACTS;
	r->ev->cause = r->n > 1 ? cause_parse(r->word[1]) : CAUSES;
	r->ev->ask = r->c->ask;
	if (r->ev->cause == CAUSES)
		return expect(r, "a cause");
	return read_targets(r, 2);
}

static int read_jid(struct reader *r, enum call_event_kind kind)
{
	if (r->n < 2)
		return expect(r, "a JID");
	r->ev->kind = kind;
	r->ev->jid = r->word[1];
	return kind == CALL_EV_DEVICE ? read_targets(r, 1) : 0;
}

/* Of the media process: ours are named by transport and role, so that a trace
 * shows who is told of which. */
static int read_media(struct reader *r, enum call_event_kind kind)
{
	struct call_event *ev = r->ev;
	unsigned i, s;

	ev->kind = kind;
	ev->transport = r->n > 1 ? (unsigned)atoi(r->word[1]) %
				   LEG_TRANSPORTS_MAX : 0;
	ev->role = r->n > 2 && is(r->word[2], "callee");
	if (kind == CALL_EV_TROUBLE)
		ev->why = "";
	for (i = 3; kind == CALL_EV_TROUBLE && i < r->n; i++)
		ev->why = arena_printf(r->a, "%s%s%s", ev->why,
				       i > 3 ? " " : "", r->word[i]);
	for (s = 0; s < STEPS; s++)
		if (r->n > 3 && is(r->word[3], call_step_name(s)))
			ev->step = s;
	if (kind == CALL_EV_READY && r->c->mode == MODE_ROOM && r->n < 3)
		ev->print = OUR_PRINT;
	for (i = 0; i < 2; i++) {
		ev->ufrag[i] = arena_printf(r->a, "%s%u%s", kind ==
			CALL_EV_READY ? "ours" : "anew", ev->transport,
			(i ^ ev->role) == 0 ? "caller" : "callee");
		ev->pwd[i] = arena_printf(r->a, "pwd-of-%s", ev->ufrag[i]);
	}
	return 0;
}

static int read_simple(struct reader *r)
{
	static const enum call_event_kind kinds[] = {
		CALL_EV_TIME, CALL_EV_SWITCH_OFF, CALL_EV_DRAIN,
		CALL_EV_RESTORED, CALL_EV_CUT, CALL_EV_LINKED,
		CALL_EV_HANGUP,
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is(r->word[0], call_event_name(kinds[i]))) {
			r->ev->kind = kinds[i];
			return 0;
		}
	return expect(r, "a kind of event");
}

static int read_kind(struct reader *r)
{
	static const struct {
		const char *word;
		enum call_event_kind kind;
	} jids[] = {
		{ "gone", CALL_EV_GONE }, { "back", CALL_EV_BACK },
		{ "device", CALL_EV_DEVICE }, { "switched", CALL_EV_SWITCHED },
	}, answers[] = {
		{ "result", CALL_EV_RESULT }, { "error", CALL_EV_ERROR },
		{ "timeout", CALL_EV_TIMEOUT },
	};
	int jmi = jmi_action_of(r->word[0]);
	enum call_event_kind k;
	size_t i;

	if (jmi >= 0)
		return read_jmi(r, (enum jmi_action)jmi);
	for (i = 0; i < 4; i++)
		if (is(r->word[0], jids[i].word))
			return read_jid(r, jids[i].kind);
	for (i = 0; i < 3; i++)
		if (is(r->word[0], answers[i].word))
			return read_answer(r, answers[i].kind);
	for (k = CALL_EV_READY; k <= CALL_EV_MEDIA_LOST; k++)
		if (is(r->word[0], call_event_name(k)))
			return read_media(r, k);
	if (is(r->word[0], "jingle"))
		return read_jingle(r);
	if (is(r->word[0], "facts"))
		return read_facts(r);
	if (is(r->word[0], "bounce"))
		return read_plain(r, CALL_EV_BOUNCE);
	if (is(r->word[0], "receipt"))
		return read_plain(r, CALL_EV_RECEIPT);
	return read_simple(r);
}

/* Reads one event line for call `c` into *ev_r, whose arena must be set; the
 * step of time before it into *after_r. 0; ENODATA: blank line or comment
 * (#); EBADMSG: *why_r says what was expected; ENOMEM. */
static int call_text_event(const struct call *c, const char *line,
			   struct call_event *ev, int64_t *after_r,
			   const char **why_r)
{
	struct reader r = { .c = c, .ev = ev, .a = ev->arena };
	char *copy, *word, *end;
	int rc;

	*after_r = 0;
	*why_r = NULL;
	while (*line == ' ')
		line++;
	if (*line == '+') {
		*after_r = strtoll(line + 1, &end, 10);
		if (*after_r < 0 || *after_r > AFTER_MAX)
			*after_r = 0;
		for (line = end; *line == ' ';)
			line++;
	}
	if (!*line || *line == '#')
		return ENODATA;
	copy = arena_strdup(r.a, line);
	if (!copy)
		return ENOMEM;
	if (strncmp(line, "stanza ", 7) == 0) {
		r.rest = line + 7;
		rc = read_stanza(&r);
	} else {
		while (r.n < WORDS_MAX && (word = strsep(&copy, " ")))
			if (*word)
				r.word[r.n++] = word;
		rc = read_kind(&r);
	}
	*why_r = r.why;
	return rc == EBADMSG && arena_failed(r.a) ? ENOMEM : rc;
}

/* --- actions ------------------------------------------------------ */

static const char *media_word(unsigned media)
{
	return media & MEDIA_VIDEO ? "audio,video" : "audio";
}

static char *send_line(struct arena *a, const struct call_action *s)
{
	static const char *const classes[] = { "held", "free", "after" };

	return arena_printf(a, "send %s %u %s", classes[s->class], s->side,
			    xml_write(a, s->stanza, NS_COMPONENT, NULL));
}

/* `window`: how long from its beginning on one may come back into it. */
static char *notice_line(struct arena *a, const struct notice *n)
{
	const char *window = "";

	if (n->until)
		window = arena_printf(a, " window %lld s",
				      (long long)(n->until - n->started) /
				      1000);
	return arena_printf(a, "notice %s to %s about %s cause %s%s%s%s%s%s%s",
			    notice_kind_name(n->kind), n->to, n->peer,
			    cause_row(n->cause)->name,
			    n->offer ? " offer" : "",
			    n->again ? " again " : "",
			    n->again ? n->peer_call : "",
			    n->step ? " step " : "", n->step ? n->step : "",
			    window);
}

static char *map_line(struct arena *a, const struct call_order *o)
{
	const struct leg_map *m = o->map;
	char *s = arena_printf(a, "media map %u %s", o->transport,
			       o->role ? "callee" : "caller");
	unsigned i;

	for (i = 0; i < LEG_MAP_TYPES; i++) {
		if (!m->type[i].clock)
			continue;
		s = arena_printf(a, "%s %u>%u/%u%s", s, i, m->type[i].out,
				 m->type[i].clock,
				 m->type[i].video ? "v" : "a");
		if (m->type[i].apt != LEG_MAP_NO_APT)
			s = arena_printf(a, "%s(%u)", s, m->type[i].apt);
	}
	for (i = 0; i < LEG_MAP_EXTS; i++)
		if (m->ext[i])
			s = arena_printf(a, "%s x%u>%u%s", s, i, m->ext[i],
					 i == m->transport_cc ? "cc" : "");
	for (i = 0; i < m->tolds; i++)
		s = arena_printf(a, "%s s%u%s%s", s, m->told[i].ssrc,
				 m->told[i].video ? "v" : "a",
				 m->told[i].rtx ? "r" : "");
	return s;
}

static char *media_line(struct arena *a, const struct call_order *o)
{
	const char *role = o->role ? "callee" : "caller";
	const char *name = call_order_name(o->kind);

	switch (o->kind) {
	case ORDER_REMOTE:
		return arena_printf(a, "media %s %u %s %s %s", name,
				    o->transport, role, o->ufrag, o->pwd);
	case ORDER_CANDIDATE:
		return arena_printf(a, "media %s %u %s %s:%u of %s", name,
				    o->transport, role, o->candidate->ip,
				    o->candidate->port,
				    o->ufrag ? o->ufrag : "-");
	case ORDER_SECURITY:
		return arena_printf(a, "media %s %u %s %s %s", name,
				    o->transport, role,
				    o->active ? "active" : "passive",
				    o->print);
	case ORDER_MAP:
		return map_line(a, o);
	case ORDER_JOIN:
		return arena_printf(a, "media %s %u %s to %u %s", name,
				    o->transport, role, o->home,
				    o->video ? "video" : "audio");
	case ORDER_OPEN:
		return arena_printf(a, "media %s %u%s", name, o->transport,
				    o->mode == MODE_ROOM ? " room" : "");
	case ORDER_RENEW:
	case ORDER_END:
		return arena_printf(a, "media %s %u %s", name, o->transport,
				    role);
	default:
		return arena_printf(a, "media %s %u", name, o->transport);
	}
}

/* One action as a line without a newline. NULL: no memory. */
static char *call_text_action(struct arena *a, const struct call *c,
			      const struct call_action *s)
{
	switch (s->kind) {
	case CALL_DO_SEND:
		return send_line(a, s);
	case CALL_DO_SAVE:
		return arena_printf(a, "save %s %s %s",
				    call_state_name(c->state),
				    leg_state_name(c->leg[0].state),
				    leg_state_name(c->leg[1].state));
	case CALL_DO_FORGET:
		return arena_strdup(a, "forget");
	case CALL_DO_LOG:
		return arena_printf(a, "log %s -> %s %s round %u %s reason %s"
				    " %lld s", s->from, s->to,
				    media_word(s->media), s->round,
				    cause_row(s->cause)->name, s->reason,
				    s->answered ? (long long)
				    (s->ended - s->answered) / 1000 : -1LL);
	case CALL_DO_VISIT:
		return arena_printf(a, "visit %s %s %lld s", s->user,
				    s->device ? s->device : "-",
				    (long long)(s->ended - s->started) / 1000);
	case CALL_DO_NOTICE:
		return notice_line(a, &s->notice);
	case CALL_DO_ASK:
		return arena_printf(a, "ask %u %s -> %s %s", s->ask, s->from,
				    s->to, media_word(s->media));
	case CALL_DO_MEDIA:
		return media_line(a, &s->order);
	case CALL_DO_BUNDLES:
		return arena_printf(a, "bundles %s %s", s->device,
				    s->bundles ? "yes" : "no");
	case CALL_DO_SUPERSEDE:
		return arena_printf(a, "supersede %s", s->user);
	default:
		return arena_strdup(a, "ignored");
	}
}

#endif
