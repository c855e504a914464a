/* client.c: the devices: what a client says by itself and to what it gets,
 * with the quirks of real ones.
 *
 * Conversations rejects by itself after 30 s, without a reason, and hears a
 * retract only from the address that proposed; Dino opens a window for each
 * propose and never closes one by itself; Monal follows the tie-break rules;
 * Siskin cancels by a reject; plain is Jingle without JMI.
 */
#include <stdlib.h>
#include "jingle/stanza/disco.h"
#include "jingle/stanza/ns.h"
#include "jingle/xml/write.h"
#include "tests/sim/sim.h"

#define FINGERPRINT FINGERPRINT_8 ":" FINGERPRINT_8 ":" FINGERPRINT_8 ":" \
	FINGERPRINT_8

const char *const show_words[5] = { "", "chat", "away", "xa", "dnd" };

const struct quirk_row quirks[QUIRKS] = {
	/* jmi carbons store ringing accept finish by-reject timeout tie */
	[Q_CONVERSATIONS] = { "conversations", 1, 1, 1, 1, 1, 1, 0, 1, 0 },
	[Q_DINO] = { "dino", 1, 1, 0, 0, 1, 0, 0, 0, 0 },
	[Q_MONAL] = { "monal", 1, 1, 1, 1, 0, 1, 0, 0, 1 },
	[Q_MOVIM] = { "movim", 1, 0, 0, 1, 0, 1, 0, 0, 0 },
	[Q_SISKIN] = { "siskin", 1, 1, 0, 0, 1, 0, 1, 0, 0 },
	[Q_PLAIN] = { "plain", 0, 1, 0, 0, 0, 0, 0, 0, 0 },
};

enum timer {
	T_RING_DECIDE,             /* the user answers, declines, ... */
	T_OWN_TIMEOUT,
	T_CANCEL,                  /* the caller gives up */
	T_OFFER,                   /* he has allowed the devices */
	T_ACCEPT,                  /* the answerer's session-accept is due */
	T_TALK,                    /* something in a running session */
	T_HANG_UP
};

/* --- what a client can do --------------------------------------------- */

static char *features[QUIRKS];     /* <identity/> and <feature/>s */
static char ver[QUIRKS][DISCO_VER_SIZE];

static void make_features(enum quirk q)
{
	static const struct disco_identity id[QUIRKS] = {
		{ "client", "phone", NULL, "Conversations" },
		{ "client", "pc", NULL, "Dino" },
		{ "client", "phone", NULL, "Monal" },
		{ "client", "web", NULL, "Movim" },
		{ "client", "phone", NULL, "Siskin" },
		{ "client", "pc", NULL, "Plain" },
	};
	const char *all[] = { NS_DISCO_INFO, NS_JINGLE, NS_RTP, NS_RTP_AUDIO,
			      NS_RTP_VIDEO, NS_ICE_UDP, NS_DTLS, NULL, NULL };
	struct disco_info info = { .identities = 1, .identity = &id[q],
				   .features = 7, .feature = all };
	struct arena *a = arena_new(0);
	struct xml_elem *iq = xml_new(a, NS_COMPONENT, "iq");
	char *text;

	if (quirks[q].jmi)
		all[info.features++] = NS_JMI;
	if (quirks[q].carbons)
		all[info.features++] = NS_CARBONS;
	if (disco_ver(a, &info, ver[q]))
		abort();
	disco_add_info(a, iq, &info, NULL);
	text = xml_write(a, xml_child(iq, NULL, "query"), NS_COMPONENT, NULL);
	features[q] = strdup(text);
	arena_free(a);
}

void client_start(void)
{
	int q;

	for (q = 0; q < QUIRKS; q++)
		make_features((enum quirk)q);
}

/* --- sending ---------------------------------------------------------- */

void client_send(struct device *d, const char *fmt, ...)
{
	char text[TEXT_MAX];
	int64_t at = W.now + 5 + below(R_NET, 60);
	bool drop = strikes(F_DROP), again = strikes(F_DUP);
	bool passes = strikes(F_REORDER), held = strikes(F_DELAY);
	unsigned hold = 1 + below(R_FAULT, 90000);
	va_list ap;
	unsigned i;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
		abort();
	va_end(ap);
	if (!d->online)
		return;
	if (drop) {
		d->lost_at = W.now;
		d->end_lost |= strstr(text, "session-terminate") != NULL;
		say("  (lost) %s", text);
		return;
	}
	if (held)
		at += hold;
	if (!passes && at < d->up_at)
		at = d->up_at;
	if (!passes)
		d->up_at = at;
	for (i = 0; i < (again ? 2u : 1u); i++) {
		struct event *e = world_event_new(at + i * 10, E_UP);

		e->dev = (uint8_t)(d->user * DEVICES + d->number);
		e->gen = d->login;
		e->text = strdup(text);
	}
}

static void timer(struct device *d, struct session *s, int64_t in,
		  enum timer what)
{
	struct event *e = world_event_new(W.now + in, E_TIMER);

	e->dev = (uint8_t)(d->user * DEVICES + d->number);
	e->session = (uint8_t)(s - d->session);
	e->gen = s->gen;
	e->what = (uint8_t)what;
}

static const char *contact(unsigned peer)
{
	static char unknown[] = "zed@" DOMAIN;

	return peer < USERS ? W.user[peer].contact : unknown;
}

static void send_jmi(struct device *d, struct session *s, const char *name,
		     const char *inside)
{
	bool full = strcmp(name, "ringing") == 0 ||
		    strcmp(name, "proceed") == 0 ||
		    strcmp(name, "reject") == 0 || strcmp(name, "finish") == 0;

	client_send(d, "<message type='chat' id='m%u' from='%s' to='%s%s'>"
		    "<%s xmlns='" NS_JMI "' id='%s'>%s</%s>%s</message>",
		    ++d->iq, d->jid, contact(s->peer), full ? "/call" : "",
		    name, s->sid, inside, name, quirks[d->quirk].store ?
		    "<store xmlns='" NS_HINTS "'/>" : "");
}

static void send_jingle(struct device *d, struct session *s,
			const char *action, const char *inside)
{
	client_send(d, "<iq type='set' id='i%u' from='%s' to='%s/call'>"
		    "<jingle xmlns='" NS_JINGLE "' action='%s' sid='%s'>"
		    "%s</jingle></iq>", ++d->iq, d->jid, contact(s->peer),
		    action, s->sid, inside);
}

static void send_reason(struct device *d, struct session *s,
			const char *reason)
{
	char inside[96];

	snprintf(inside, sizeof(inside), "<reason><%s/></reason>", reason);
	send_jingle(d, s, "session-terminate", inside);
}

/* Dino has gathered before it offers or answers. */
static void candidate(char to[128], const struct device *d)
{
	to[0] = 0;
	if (d->quirk == Q_DINO)
		snprintf(to, 128, "<candidate component='1' "
			 "foundation='zq%c%uf' ip='192.0.2.1' port='5000' "
			 "priority='1' protocol='udp' type='host'/>",
			 'a' + d->user, d->number);
}

static bool bundles(const struct device *d)
{
	return d->quirk != Q_DINO && d->quirk != Q_PLAIN;
}

/* Who bundles nothing has another transport for each content. */
static const char *own_ice(const struct device *d, const char *name)
{
	return bundles(d) ? "" : name;
}

static size_t content(char *to, size_t cap, const struct device *d,
		      const char *creator, const char *name, const char *media,
		      bool offer)
{
	char gathered[128];

	candidate(gathered, d);
	return (size_t)snprintf(to, cap, "<content creator='%s' "
		"name='%s' senders='both'><description xmlns='" NS_RTP "' "
		"media='%s'><rtcp-mux/><payload-type id='111' name='opus'/>"
		"</description><transport xmlns='" NS_ICE_UDP "' "
		"ufrag='zq%c%uu%s' pwd='zq%c%up23456789012345678%s'>"
		"<fingerprint xmlns='" NS_DTLS "' hash='sha-256' "
		"setup='%s'>" FINGERPRINT "</fingerprint>%s</transport>"
		"</content>", creator, name, media, 'a' + d->user, d->number,
		own_ice(d, name), 'a' + d->user, d->number, own_ice(d, name),
		offer ? "actpass" : "active", gathered);
}

static void send_contents(struct device *d, struct session *s,
			  const char *action, bool offer)
{
	char inside[TEXT_MAX / 2];
	size_t n = content(inside, sizeof(inside), d, "initiator", "a",
			   "audio", offer);

	if (s->video)
		n += content(inside + n, sizeof(inside) - n, d, "initiator",
			     "v", "video", offer);
	if (bundles(d) && (offer || s->grouped))
		snprintf(inside + n, sizeof(inside) - n, "<group xmlns='"
			 NS_GROUPING "' semantics='BUNDLE'><content name='a'/>"
			 "%s</group>", s->video ? "<content name='v'/>" : "");
	send_jingle(d, s, action, inside);
}

static void send_candidate(struct device *d, struct session *s)
{
	char inside[512];

	snprintf(inside, sizeof(inside), "<content creator='initiator' "
		 "name='a'><transport xmlns='" NS_ICE_UDP "' ufrag='zq%c%uu%s'>"
		 "<candidate component='1' foundation='zq%c%uf' "
		 "generation='0' id='c%u' ip='192.0.2.1' port='5000' "
		 "priority='1' protocol='udp' type='host'/></transport>"
		 "</content>", 'a' + d->user, d->number, own_ice(d, "a"),
		 'a' + d->user, d->number, ++d->iq);
	send_jingle(d, s, "transport-info", inside);
}

/* --- pictures that come and go ---------------------------------------- */

/* Half of the pictures have a name that the other's may have, too. */
static void picture_name(char to[16], const struct device *d)
{
	snprintf(to, 16, d->number % 2 ? "v" : "v%c%u", 'a' + d->user,
		 d->number);
}

static const char *creator_of(const struct session *s)
{
	return s->asked ? "initiator" : "responder";
}

static void show(struct device *d, struct session *s)
{
	char inside[TEXT_MAX / 2], name[16];

	picture_name(name, d);
	content(inside, sizeof(inside), d, creator_of(s), name, "video", true);
	send_jingle(d, s, "content-add", inside);
	s->shows = true;
}

static void hide(struct device *d, struct session *s)
{
	char inside[128], name[16];

	picture_name(name, d);
	snprintf(inside, sizeof(inside), "<content creator='%s' name='%s'/>",
		 creator_of(s), name);
	send_jingle(d, s, "content-remove", inside);
	s->shows = false;
}

/* Up to its end quote, or nothing. */
static void attr_of(char to[32], const char *text, const char *start)
{
	const char *at = strstr(text, start);
	size_t n = at ? strcspn(at + strlen(start), "'") : 0;

	snprintf(to, 32, "%.*s", (int)n, at ? at + strlen(start) : "");
}

/* What the other shows is taken, mostly; some clients say nothing of it. */
static void on_add(struct device *d, struct session *s, const char *text)
{
	char inside[TEXT_MAX / 2], name[32], creator[32];
	const char *at = strstr(text, "<content ");

	attr_of(name, at ? at : "", " name='");
	attr_of(creator, at ? at : "", " creator='");
	if (!odds(R_CLIENT, 4000)) {
		content(inside, sizeof(inside), d, creator, name, "video",
			false);
		send_jingle(d, s, "content-accept", inside);
	} else if (odds(R_CLIENT, 40000)) {
		snprintf(inside, sizeof(inside), "<content creator='%s' "
			 "name='%s'/>", creator, name);
		send_jingle(d, s, "content-reject", inside);
	}
}

/* --- sessions --------------------------------------------------------- */

static struct session *find(struct device *d, struct str sid)
{
	unsigned i;

	for (i = 0; i < SESSIONS; i++)
		if (d->session[i].state != C_FREE &&
		    str_is(sid, d->session[i].sid))
			return &d->session[i];
	return NULL;
}

/* A free place, or that of the session that ended first. */
static struct session *fresh(struct device *d, unsigned peer)
{
	struct session *s = NULL, *o;
	unsigned i;
	uint16_t gen;

	for (i = 0; i < SESSIONS && (!s || s->state != C_FREE); i++) {
		o = &d->session[i];
		if (o->state == C_FREE ||
		    (o->state == C_OVER && (!s || o->since < s->since)))
			s = o;
	}
	if (!s)
		return NULL;
	gen = (uint16_t)(s->gen + 1);
	memset(s, 0, sizeof(*s));
	s->gen = gen;
	s->peer = (uint8_t)peer;
	s->since = W.now;
	return s;
}

static void set_sid(struct session *s, struct str sid)
{
	size_t n = sid.n < SID_SIZE - 1 ? sid.n : SID_SIZE - 1;

	memcpy(s->sid, sid.p, n);
	s->sid[n] = 0;
}

static void over(struct session *s)
{
	s->state = C_OVER;
	s->gen++;
}

static bool is_in_call(const struct device *d)
{
	unsigned i;

	for (i = 0; i < SESSIONS; i++)
		if (d->session[i].state >= C_ACCEPTED &&
		    d->session[i].state <= C_UP)
			return true;
	return false;
}

/* --- calling ---------------------------------------------------------- */

static void propose(struct device *d, struct session *s)
{
	client_send(d, "<message type='chat' id='jm-propose-%s' from='%s' "
		    "to='%s'><propose xmlns='" NS_JMI "' id='%s'>"
		    "<description xmlns='" NS_RTP "' media='audio'/>%s"
		    "</propose>%s%s</message>", s->sid, d->jid,
		    contact(s->peer), s->sid, s->video ?
		    "<description xmlns='" NS_RTP "' media='video'/>" : "",
		    d->quirk == Q_CONVERSATIONS ?
		    "<request xmlns='" NS_RECEIPTS "'/>" : "",
		    quirks[d->quirk].store ?
		    "<store xmlns='" NS_HINTS "'/>" : "");
}

void client_call(struct device *d, unsigned peer, const char *sid)
{
	struct session *s = d->online ? fresh(d, peer) : NULL;

	if (!s)
		return;
	if (sid)
		snprintf(s->sid, sizeof(s->sid), "%s", sid);
	else
		snprintf(s->sid, sizeof(s->sid), "%012llx",
			 (unsigned long long)(chance(R_CLIENT) >> 16));
	s->video = odds(R_CLIENT, 16000);
	s->plain = !quirks[d->quirk].jmi;
	if (s->plain) {
		s->state = C_OFFERED;
		s->asked = d->iq + 1;
		send_contents(d, s, "session-initiate", true);
	} else {
		s->state = C_PROPOSED;
		propose(d, s);
	}
	if (odds(R_CLIENT, 13000))
		timer(d, s, 100 + below(R_CLIENT, 34000), T_CANCEL);
	else if (d->quirk != Q_DINO)
		timer(d, s, 45000 + below(R_CLIENT, 40000), T_CANCEL);
}

static void cancel(struct device *d, struct session *s)
{
	if (s->state == C_OFFERED || s->plain)
		send_reason(d, s, "cancel");
	else if (quirks[d->quirk].cancels_by_reject)
		send_jmi(d, s, "reject", "");
	else
		send_jmi(d, s, "retract", "");
	over(s);
}

static void hang_up(struct device *d, struct session *s)
{
	send_reason(d, s, odds(R_CLIENT, 6000) ? "media-error" : "success");
	if (quirks[d->quirk].finish && !s->plain && odds(R_CLIENT, 50000))
		send_jmi(d, s, "finish", "<reason xmlns='" NS_JINGLE "'>"
			 "<success/></reason>");
	over(s);
}

static void go_up(struct device *d, struct session *s)
{
	s->state = C_UP;
	if (odds(R_CLIENT, 30000))
		timer(d, s, 200 + below(R_CLIENT, 5000), T_TALK);
	timer(d, s, 500 + below(R_CLIENT, odds(R_CLIENT, 8000) ? 3000000 :
				120000), T_HANG_UP);
}

/* --- being called ----------------------------------------------------- */

static void ring(struct device *d, struct session *s)
{
	s->state = C_RINGING;
	if (s->plain && odds(R_CLIENT, 50000))
		send_jingle(d, s, "session-info",
			    "<ringing xmlns='" NS_RTP_INFO "'/>");
	else if (!s->plain && quirks[d->quirk].ringing &&
		 odds(R_CLIENT, 60000))
		send_jmi(d, s, "ringing", "");
	/* Some gather, and tell, before their user has answered (I03). */
	if (s->plain && odds(R_CLIENT, 20000))
		send_candidate(d, s);
	if (odds(R_CLIENT, 48000))
		timer(d, s, 300 + below(R_CLIENT, 29000), T_RING_DECIDE);
	if (quirks[d->quirk].own_timeout)
		timer(d, s, 30 * SECOND, T_OWN_TIMEOUT);
}

static void answer(struct device *d, struct session *s)
{
	if (s->plain) {
		send_contents(d, s, "session-accept", false);
		go_up(d, s);
		return;
	}
	if (quirks[d->quirk].accept)
		client_send(d, "<message type='chat' id='m%u' from='%s' "
			    "to='%s'><accept xmlns='" NS_JMI "' id='%s'/>"
			    "</message>", ++d->iq, d->jid,
			    W.user[d->user].bare, s->sid);
	send_jmi(d, s, "proceed", "");
	s->state = C_ACCEPTED;
}

static void decline(struct device *d, struct session *s, const char *reason)
{
	char inside[128];

	if (s->plain) {
		send_reason(d, s, *reason ? reason : "decline");
	} else {
		snprintf(inside, sizeof(inside), *reason ?
			 "<reason xmlns='" NS_JINGLE "'><%s/></reason>" : "",
			 reason);
		send_jmi(d, s, "reject", inside);
	}
	over(s);
}

static void decide(struct device *d, struct session *s)
{
	unsigned n = below(R_CLIENT, 100);

	if (n < 62)
		answer(d, s);
	else if (n < 76)
		decline(d, s, "");
	else if (n < 84)
		decline(d, s, is_in_call(d) || n < 79 ? "busy" : "decline");
	else if (n < 87)
		decline(d, s, "media-error");
	else if (n < 88)
		decline(d, s, "incompatible-parameters");
	/* else: dismissed in silence */
}

/* The user of `d` calls the one who calls him. */
static struct session *crossing(struct device *d, unsigned peer)
{
	unsigned i;

	for (i = 0; i < SESSIONS; i++)
		if (d->session[i].state == C_PROPOSED &&
		    d->session[i].peer == peer)
			return &d->session[i];
	return NULL;
}

static void on_propose(struct device *d, const struct scan *m)
{
	struct session *s = find(d, m->sid), *own;
	bool again = s != NULL;

	if (again && d->quirk != Q_DINO)
		return;
	if (again)
		s->dirty = true;       /* two windows, of which one ends */
	own = crossing(d, m->from_ours);
	s = fresh(d, m->from_ours);
	if (!s)
		return;
	set_sid(s, m->sid);
	s->video = strstr(m->text, "media='video'") != NULL;
	/* Of a copy that is new to him he has forgotten the first one, and its
	 * stop, which came between the two (213353). */
	s->dirty = again || m->copy;
	if (own && quirks[d->quirk].tie_break) {
		if (strcmp(own->sid, s->sid) < 0) {
			send_jmi(d, s, "reject", "<reason xmlns='" NS_JINGLE
				 "'><expired/></reason><tie-break/>");
			over(s);
			return;
		}
		over(own);
	} else if (own && d->quirk == Q_CONVERSATIONS &&
		   strcmp(own->sid, s->sid) > 0) {
		cancel(d, own);
	}
	ring(d, s);
}

static void on_jmi(struct device *d, const struct scan *m, bool carbon)
{
	struct session *s = find(d, m->sid);

	if (m->jmi == J_PROPOSE && !carbon) {
		if (!strstr(m->text, "<delay"))
			on_propose(d, m);
		return;
	}
	if (!s)
		return;
	switch (m->jmi) {
	case J_RINGING:
		s->acked = true;
		break;
	case J_PROCEED:
	case J_ACCEPT:
		if (carbon && s->state == C_RINGING) {
			over(s);
		} else if (!carbon && s->state == C_PROPOSED) {
			s->state = C_PROCEEDED;
			if (!odds(R_CLIENT, 2000))
				timer(d, s, 50 + below(R_CLIENT,
					odds(R_CLIENT, 5000) ? 28000 : 3000),
				      T_OFFER);
		}
		break;
	case J_REJECT:
		if (!carbon ? s->state == C_PROPOSED ||
			      s->state == C_PROCEEDED : s->state == C_RINGING)
			over(s);
		break;
	case J_RETRACT:
		if (s->state == C_RINGING || s->state == C_ACCEPTED)
			over(s);
		break;
	default:               /* finish */
		if (s->state != C_PROPOSED && s->state != C_RINGING)
			over(s);
		break;
	}
}

/* The server could not deliver: Conversations gives up, others do not read
 * errors. */
static void on_bounce(struct device *d, const struct scan *m)
{
	unsigned i;

	if (d->quirk != Q_CONVERSATIONS)
		return;
	for (i = 0; i < SESSIONS; i++)
		if (d->session[i].state == C_PROPOSED && m->id.n > 11 &&
		    strncmp(m->id.p + 11, d->session[i].sid,
			    m->id.n - 11) == 0)
			over(&d->session[i]);
}

/* --- Jingle ----------------------------------------------------------- */

static void reply(struct device *d, const struct scan *q, const char *inside)
{
	bool error = strncmp(inside, "<error", 6) == 0;

	if (strikes(F_MUTE))
		return;
	client_send(d, "<iq type='%s' id='%.*s' from='%s' to='%.*s'>%s</iq>",
		    error ? "error" : "result", (int)q->id.n, q->id.p, d->jid,
		    (int)q->from.n, q->from.p, inside);
}

static void unknown_session(struct device *d, const struct scan *q)
{
	reply(d, q, "<error type='cancel'><item-not-found xmlns='" NS_STANZAS
	      "'/><unknown-session xmlns='" NS_JINGLE_ERR "'/></error>");
}

static void on_initiate(struct device *d, const struct scan *q,
			struct session *s)
{
	bool grouped = strstr(q->text, NS_GROUPING);

	if (s && s->state == C_ACCEPTED) {
		reply(d, q, "");
		s->grouped = grouped;
		s->state = C_INITIATED;
		if (!odds(R_CLIENT, 2000))
			timer(d, s, 50 + below(R_CLIENT,
				odds(R_CLIENT, 5000) ? 28000 : 3000),
			      T_ACCEPT);
		return;
	}
	/* A request that came twice is answered twice alike. */
	if (s && s->plain && s->state == C_RINGING) {
		reply(d, q, "");
		return;
	}
	if (s || quirks[d->quirk].jmi) {
		unknown_session(d, q);
		return;
	}
	s = fresh(d, q->from_ours);
	if (!s) {
		unknown_session(d, q);
		return;
	}
	set_sid(s, q->sid);
	s->plain = true;
	s->dirty = q->copy;
	s->video = strstr(q->text, "media='video'") != NULL;
	s->grouped = grouped;
	reply(d, q, "");
	ring(d, s);
}

static void on_jingle(struct device *d, const struct scan *q)
{
	struct session *s = find(d, q->sid);

	if (q->jingle == G_INITIATE) {
		on_initiate(d, q, s);
		return;
	}
	if (!s || s->state == C_OVER) {
		unknown_session(d, q);
		return;
	}
	reply(d, q, "");
	if (q->jingle == G_ADD && s->state == C_UP)
		on_add(d, s, q->text);
	else if (q->jingle == G_ACCEPT && s->state == C_OFFERED)
		go_up(d, s);
	else if (q->jingle == G_TERMINATE)
		over(s);
}

/* An offer that is refused ends the call. */
static void on_error(struct device *d, const struct scan *q)
{
	struct session *s;

	for (s = d->session; s < d->session + SESSIONS; s++)
		if (s->state == C_OFFERED && q->id.n > 1 &&
		    strtoul(q->id.p + 1, NULL, 10) == s->asked)
			over(s);
}

static void on_iq(struct device *d, const struct scan *q)
{
	if (str_is(q->type, "error"))
		on_error(d, q);
	if (str_is(q->type, "result") || str_is(q->type, "error"))
		return;
	if (q->jingle) {
		on_jingle(d, q);
	} else if (strstr(q->text, NS_DISCO_INFO)) {
		reply(d, q, features[d->quirk]);
	} else {
		reply(d, q, "<error type='cancel'><service-unavailable xmlns='"
		      NS_STANZAS "'/></error>");
	}
}

void client_stanza(struct device *d, const struct event *e)
{
	bool carbon = e->kind == E_CARBON;
	struct scan s;

	scan_text(&s, e->text, strlen(e->text));
	s.copy = e->what;
	if (!carbon)
		watch_delivered(d, &s);
	if (s.kind == 'm' && str_is(s.type, "error"))
		on_bounce(d, &s);
	else if (s.kind == 'm' && s.jmi && quirks[d->quirk].jmi)
		on_jmi(d, &s, carbon);
	else if (s.kind == 'i')
		on_iq(d, &s);
}

/* --- time ------------------------------------------------------------- */

static void talk(struct device *d, struct session *s)
{
	static const char *const infos[] = { "mute", "unmute", "hold" };
	char inside[256];

	switch (below(R_CLIENT, 6)) {
	case 0:
		snprintf(inside, sizeof(inside), "<%s xmlns='" NS_RTP_INFO
			 "'/>", infos[below(R_CLIENT, 3)]);
		send_jingle(d, s, "session-info", inside);
		break;
	case 1:
		send_jingle(d, s, "content-modify", "<content "
			    "creator='initiator' name='a' senders='none'/>");
		break;
	case 2:
	case 3:
		if (s->shows)
			hide(d, s);
		else
			show(d, s);
		if (odds(R_CLIENT, 20000))
			timer(d, s, 50 + below(R_CLIENT, 20000), T_TALK);
		break;
	default:
		send_candidate(d, s);
		break;
	}
}

void client_timer(struct device *d, unsigned session, unsigned what)
{
	struct session *s = &d->session[session];

	switch ((enum timer)what) {
	case T_RING_DECIDE:
		if (s->state == C_RINGING)
			decide(d, s);
		break;
	case T_OWN_TIMEOUT:
		if (s->state == C_RINGING)
			decline(d, s, "");
		break;
	case T_CANCEL:
		if (s->state == C_PROPOSED || s->state == C_PROCEEDED ||
		    s->state == C_OFFERED)
			cancel(d, s);
		break;
	case T_OFFER:
		if (s->state != C_PROCEEDED)
			break;
		s->state = C_OFFERED;
		s->asked = d->iq + 1;
		send_contents(d, s, "session-initiate", true);
		if (odds(R_CLIENT, 40000))
			send_candidate(d, s);
		break;
	case T_ACCEPT:
		if (s->state != C_INITIATED)
			break;
		if (odds(R_CLIENT, 2000)) {
			send_reason(d, s, "media-error");
			over(s);
			break;
		}
		if (odds(R_CLIENT, 20000))
			send_candidate(d, s);
		send_contents(d, s, "session-accept", false);
		go_up(d, s);
		break;
	case T_TALK:
		if (s->state == C_UP)
			talk(d, s);
		break;
	case T_HANG_UP:
		if (s->state == C_UP)
			hang_up(d, s);
		break;
	}
}

/* --- coming and going ------------------------------------------------- */

/* Of some of those that bundle we know that they do, of others we learn it. */
static const char *caps_node(const struct device *d)
{
	return d->quirk == Q_CONVERSATIONS ? "http://conversations.im" :
	       d->quirk == Q_MOVIM ? "https://movim.eu/" : "urn:other";
}

void client_presence(struct device *d)
{
	const char *show = show_words[d->show];
	char inside[256];
	size_t n = 0, cap = sizeof(inside);

	if (*show)
		n += (size_t)snprintf(inside, cap, "<show>%s</show>", show);
	if (d->priority)
		n += (size_t)snprintf(inside + n, cap - n,
				      "<priority>%d</priority>", d->priority);
	if (d->caps)
		n += (size_t)snprintf(inside + n, cap - n, "<c xmlns='"
				      NS_CAPS "' hash='sha-1' node='%s' "
				      "ver='%s'/>", caps_node(d),
				      ver[d->quirk]);
	inside[n] = 0;
	client_send(d, "<presence from='%s'>%s</presence>", d->jid, inside);
}

void client_login(struct device *d)
{
	if (d->online)
		return;
	d->online = true;
	d->login++;
	d->up_at = d->down_at = W.now;
	server_login(d);
	client_presence(d);
}

static void forget_session(struct device *d, struct session *s)
{
	uint16_t gen = (uint16_t)(s->gen + 1);

	d->end_lost |= s->state != C_FREE && s->state != C_OVER;
	memset(s, 0, sizeof(*s));
	s->gen = gen;
}

void client_logout(struct device *d, bool politely)
{
	struct session *s;

	if (!d->online)
		return;
	d->online = false;
	for (s = d->session; s < d->session + SESSIONS; s++)
		forget_session(d, s);
	if (politely)
		server_logout(d);
}

void client_offline(struct device *d)
{
	d->online = false;
	for (unsigned i = 0; i < SESSIONS; i++)
		if (d->session[i].state != C_UP)
			forget_session(d, &d->session[i]);
	server_logout(d);
}

/* At rest everybody puts the phone down; what rings goes on. */
void client_hang_up_all(struct device *d)
{
	struct session *s;

	for (s = d->session; s < d->session + SESSIONS; s++) {
		if (s->state == C_UP || s->state == C_INITIATED)
			hang_up(d, s);
		else if (s->state == C_PROPOSED || s->state == C_OFFERED ||
			 s->state == C_PROCEEDED)
			cancel(d, s);
	}
}
