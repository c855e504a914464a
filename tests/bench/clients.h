/* clients.h: a server and its users, scripted: they place whole video calls
 * through the component, as bytes, and count what they get. For signalling.c.
 *
 *   alice: propose        bob: ringing, proceed
 *   alice: session-initiate, 10 transport-info
 *                         bob: session-accept, 10 transport-info, session-info
 *   alice: session-info, session-terminate, finish
 *
 * The finish that bob's client does not send comes from the component, in a
 * while. Every iq is answered. The bodies of offer and answer are a browser's,
 * recorded (tests/e2e/data).
 */
#ifndef TESTS_BENCH_CLIENTS_H
#define TESTS_BENCH_CLIENTS_H

#include <errno.h>
#include <expat.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"

#define HOST "example.org"
#define OURS "calls.example.org"
#define TRICKLE 10                 /* transport-infos of one side */
#define PATIENCE_MS 20000

struct bytes {
	char *p;
	size_t n, cap;
	size_t at;                 /* of them gone already */
};

struct talk {                      /* the call of pair i */
	unsigned round;            /* makes new ids */
	char bob_sid[64];
	unsigned trickle[2], infos[2];     /* got by alice, by bob */
	bool accepted, up;
};

struct seen {                      /* what came, each once per call */
	unsigned proposes, ringings, proceeds, initiates, accepts, trickles,
		 infos, terminates, finishes, late, notices, rejects, results,
		 errors, odd;
	unsigned features;         /* asked for, once for all of one hash */
};

struct clients {
	int fd;
	struct xml_stream *in;
	struct bytes out;
	size_t sent;               /* bytes */
	XML_Parser expat;          /* reads what is sent, too; NULL: nothing */
	double expat_s;            /* CPU of that */
	char *offer, *answer;      /* inside of <jingle/>, and its end tag */
	char offer_ufrag[32], answer_ufrag[32];
	struct talk *talks;
	unsigned pairs, next, left, running, up, done;
	bool holds, open;          /* calls stay up; the stream is open */
	unsigned trickles;         /* transport-infos that each gets: those
				      of the other; 0: in mode `room` ours */
	unsigned asked, id;        /* iqs sent; last stanza id */
	struct seen seen;
};

static void die(const char *what)
{
	fprintf(stderr, "signalling: %s\n", what);
	exit(1);
}

static void add_raw(struct bytes *b, const char *p, size_t n)
{
	if (b->n + n > b->cap) {
		b->cap = 2 * b->cap > b->n + n ? 2 * b->cap : b->n + n + 4096;
		b->p = realloc(b->p, b->cap);
		if (!b->p)
			die("out of memory");
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

__attribute__((format(printf, 2, 3)))
static void add(struct clients *c, const char *format, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		die("a stanza is too long");
	add_raw(&c->out, text, (size_t)n);
}

/* --- bodies ------------------------------------------------------------ */

/* A recorded <jingle/> without indentation and without its start tag. */
static char *load_body(const char *top, const char *name, char ufrag[32])
{
	char path[4096], *text = calloc(1, 65536), *at = text, *p;
	FILE *f;
	int ch;

	snprintf(path, sizeof(path), "%s/tests/e2e/data/%s", top, name);
	f = fopen(path, "r");
	if (!f || !text)
		die("tests/e2e/data is not found; set top_srcdir");
	while ((ch = fgetc(f)) != EOF && at < text + 65535)
		if (ch != '\n' && ch != '\t')
			*at++ = (char)ch;
	fclose(f);
	p = strstr(text, "ufrag='");
	if (!p || sscanf(p, "ufrag='%31[^']", ufrag) != 1)
		die("a recorded body has no ufrag");
	p = strchr(text, '>');
	memmove(text, p + 1, strlen(p));
	return text;
}

/* --- stanzas out ------------------------------------------------------- */

static void own_sid(const struct clients *c, unsigned i, char sid[64])
{
	snprintf(sid, 64, "%08x-0000-4000-8000-%012x", c->talks[i].round, i);
}

static void sid_of(const struct clients *c, char who, unsigned i,
		   char sid[64])
{
	if (who == 'a')
		own_sid(c, i, sid);
	else
		memcpy(sid, c->talks[i].bob_sid, 64);
}

static const char *name_of(char who)
{
	return who == 'a' ? "alice" : "bob";
}

static char peer_of(char who)
{
	return who == 'a' ? 'b' : 'a';
}

/* A JMI message of one of the two to the other's address. */
static void jmi(struct clients *c, char who, unsigned i, const char *name,
		const char *inner)
{
	char sid[64];

	sid_of(c, who, i, sid);
	c->id++;
	add(c, "<message xml:lang='en' type='chat' id='m%08x' "
	    "from='%s%u@" HOST "/r' to='%s%u@" OURS "'>"
	    "<origin-id xmlns='urn:xmpp:sid:0' id='m%08x'/>"
	    "<%s xmlns='urn:xmpp:jingle-message:0' id='%s'>%s</%s>"
	    "<store xmlns='urn:xmpp:hints'/></message>", c->id, name_of(who),
	    i, name_of(peer_of(who)), i, c->id, name, sid, inner, name);
}

/* The start of a Jingle iq; its end follows. */
static void jingle(struct clients *c, char who, unsigned i,
		   const char *action)
{
	char sid[64];

	sid_of(c, who, i, sid);
	c->id++;
	c->asked++;
	add(c, "<iq xml:lang='en' type='set' id='j%08x-0000-4000-8000-"
	    "000000000000' from='%s%u@" HOST "/r' to='%s%u@" OURS "/call'>"
	    "<jingle xmlns='urn:xmpp:jingle:1' action='%s' sid='%s'>", c->id,
	    name_of(who), i, name_of(peer_of(who)), i, action, sid);
}

static void trickle(struct clients *c, char who, unsigned i)
{
	const char *ufrag = who == 'a' ? c->offer_ufrag : c->answer_ufrag;
	unsigned k;

	for (k = 0; k < TRICKLE; k++) {
		jingle(c, who, i, "transport-info");
		add(c, "<content name='%u' creator='initiator'>"
		    "<transport ufrag='%s' "
		    "xmlns='urn:xmpp:jingle:transports:ice-udp:1'>"
		    "<candidate ip='192.0.2.%u' port='%u' component='1' "
		    "priority='2122194687' foundation='%u' protocol='udp' "
		    "type='host'/></transport></content></jingle></iq>",
		    k & 1, ufrag, k + 1, 40000 + k, 3785225920u + k);
	}
}

static void info(struct clients *c, char who, unsigned i)
{
	jingle(c, who, i, "session-info");
	add(c, "<unmute xmlns='urn:xmpp:jingle:apps:rtp:info:1' "
	    "creator='initiator' name='0'/></jingle></iq>");
}

static void begin(struct clients *c)
{
	struct talk *t = &c->talks[c->next];
	unsigned round = t->round + 1;

	memset(t, 0, sizeof(*t));
	t->round = round;
	c->running++;
	c->left--;
	jmi(c, 'a', c->next, "propose",
	    "<description xmlns='urn:xmpp:jingle:apps:rtp:1' media='audio'/>"
	    "<description xmlns='urn:xmpp:jingle:apps:rtp:1' "
	    "media='video'/>");
	c->next = (c->next + 1) % c->pairs;
}

static void hang_up(struct clients *c, unsigned i)
{
	c->talks[i].up = false;
	jingle(c, 'a', i, "session-terminate");
	add(c, "<reason><success/></reason></jingle></iq>");
	jmi(c, 'a', i, "finish", "<reason xmlns='urn:xmpp:jingle:1'>"
	    "<success/></reason>");
}

static void maybe_up(struct clients *c, unsigned i)
{
	struct talk *t = &c->talks[i];

	if (t->up || !t->accepted || t->trickle[0] < c->trickles ||
	    t->trickle[1] < c->trickles || !t->infos[0] || !t->infos[1])
		return;
	t->up = true;
	c->up++;
	if (!c->holds)
		hang_up(c, i);
	else if (c->left)
		begin(c);
}

/* --- stanzas in -------------------------------------------------------- */

/* Whose address it is: 'a' or 'b' and the pair; 0: nobody's. */
static char whose(const struct clients *c, const char *jid, unsigned *i_r)
{
	char who = 0;

	if (jid && (sscanf(jid, "alice%u@", i_r) == 1))
		who = 'a';
	else if (jid && (sscanf(jid, "bob%u@", i_r) == 1))
		who = 'b';
	return who && *i_r < c->pairs ? who : 0;
}

static void result(struct clients *c, const struct xml_elem *e,
		   const char *inner)
{
	add(c, "<iq type='result' id='%s' from='%s' to='%s'>%s</iq>",
	    xml_get(e, "id"), xml_get(e, "to"), xml_get(e, "from"), inner);
}

static void on_initiate(struct clients *c, unsigned i)
{
	c->seen.initiates++;
	jingle(c, 'b', i, "session-accept");
	add_raw(&c->out, c->answer, strlen(c->answer));
	add(c, "</iq>");
	trickle(c, 'b', i);
	info(c, 'b', i);
}

static void on_jingle(struct clients *c, const struct xml_elem *e,
		      const char *action, char who, unsigned i)
{
	struct talk *t = &c->talks[i];

	result(c, e, "");
	if (strcmp(action, "session-initiate") == 0) {
		on_initiate(c, i);
	} else if (strcmp(action, "session-accept") == 0) {
		c->seen.accepts++;
		t->accepted = true;
		info(c, 'a', i);
	} else if (strcmp(action, "transport-info") == 0) {
		c->seen.trickles++;
		t->trickle[who == 'b']++;
	} else if (strcmp(action, "session-info") == 0) {
		c->seen.infos++;
		t->infos[who == 'b']++;
	} else if (strcmp(action, "session-terminate") == 0) {
		c->seen.terminates++;
		return;
	} else {
		c->seen.odd++;
	}
	maybe_up(c, i);
}

static void on_proceed(struct clients *c, unsigned i)
{
	c->seen.proceeds++;
	jingle(c, 'a', i, "session-initiate");
	add_raw(&c->out, c->offer, strlen(c->offer));
	add(c, "</iq>");
	trickle(c, 'a', i);
}

static void on_finish(struct clients *c, char who)
{
	if (who == 'a') {
		c->seen.late++;
		return;
	}
	c->seen.finishes++;
	c->running--;
	c->done++;
	if (c->left)
		begin(c);
}

static void on_message(struct clients *c, const struct xml_elem *e,
		       char who, unsigned i)
{
	const struct xml_elem *j = xml_child(e, NS_JMI, NULL);
	const char *type = xml_get(e, "type");

	if (type && strcmp(type, "headline") == 0) {
		c->seen.notices++;
	} else if (xml_is(j, NS_JMI, "propose")) {
		c->seen.proposes++;
		snprintf(c->talks[i].bob_sid, 64, "%s", xml_get(j, "id"));
		jmi(c, 'b', i, "ringing", "");
		jmi(c, 'b', i, "proceed", "");
	} else if (xml_is(j, NS_JMI, "ringing")) {
		c->seen.ringings++;
	} else if (xml_is(j, NS_JMI, "proceed")) {
		on_proceed(c, i);
	} else if (xml_is(j, NS_JMI, "reject")) {
		c->seen.rejects++;
	} else if (xml_is(j, NS_JMI, "finish")) {
		on_finish(c, who);
	} else {
		c->seen.odd++;
	}
}

/* Theirs is the hash of what they answer (XEP-0115, 5.1): so the first one is
 * asked for all, and not one after the other while calls are measured. */
#define CAPS_NODE "https://example.org/bench"
#define CAPS_VER "RYYhwmYlmn4O9OiqKBaADxiTSM0="

static void on_get(struct clients *c, const struct xml_elem *e)
{
	const struct xml_elem *q = xml_child(e, NS_DISCO_INFO, "query");

	if (!q) {                      /* a ping */
		result(c, e, "");
		return;
	}
	c->seen.features++;
	result(c, e, "<query xmlns='" NS_DISCO_INFO "' "
	       "node='" CAPS_NODE "#" CAPS_VER "'>"
	       "<identity category='client' type='pc'/>"
	       "<feature var='urn:xmpp:jingle:1'/>"
	       "<feature var='urn:xmpp:jingle:apps:rtp:1'/>"
	       "<feature var='urn:xmpp:jingle:apps:rtp:audio'/>"
	       "<feature var='urn:xmpp:jingle:apps:rtp:video'/>"
	       "<feature var='urn:xmpp:jingle:apps:dtls:0'/>"
	       "<feature var='urn:xmpp:jingle:transports:ice-udp:1'/>"
	       "<feature var='urn:xmpp:jingle-message:0'/></query>");
}

static void on_iq(struct clients *c, const struct xml_elem *e, char who,
		  unsigned i)
{
	const char *type = xml_get(e, "type");
	const struct xml_elem *j = xml_child(e, NS_JINGLE, "jingle");

	if (strcmp(type, "get") == 0)
		on_get(c, e);
	else if (strcmp(type, "set") == 0 && j && who)
		on_jingle(c, e, xml_get(j, "action"), who, i);
	else if (strcmp(type, "result") == 0)
		c->seen.results++;
	else
		c->seen.errors++;
}

static void on_stanza(struct xml_elem *e, struct arena *a, void *arg)
{
	struct clients *c = arg;
	unsigned i = 0;
	char who = whose(c, xml_get(e, "to"), &i);

	(void)a;
	if (xml_is(e, NS_COMPONENT, "handshake")) {
		add(c, "<handshake/>");
		c->open = true;
	} else if (xml_child(e, NS_QUERY, "hello")) {
		/* This server has no module, and is not asked again. */
		add(c, "<iq type='error' id='%s' from='%s' to='%s'/>",
		    xml_get(e, "id"), xml_get(e, "to"), xml_get(e, "from"));
	} else if (xml_is(e, NS_COMPONENT, "iq")) {
		on_iq(c, e, who, i);
	} else if (xml_is(e, NS_COMPONENT, "message") && who) {
		on_message(c, e, who, i);
	}
}

static void on_skipped(struct xml_elem *head, struct arena *a,
		       enum xml_limit limit, void *arg)
{
	(void)head;
	(void)a;
	(void)limit;
	(void)arg;
	die("a stanza over a limit came");
}

static void on_open(const struct xml_elem *header, void *arg)
{
	(void)header;
	add(arg, "<?xml version='1.0'?><stream:stream "
	    "xmlns='jabber:component:accept' xmlns:stream="
	    "'http://etherx.jabber.org/streams' id='s1' from='" OURS "'>");
}

static void on_close(void *arg)
{
	struct clients *c = arg;

	c->open = false;
}

/* --- the reference: expat alone ----------------------------------------- */

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void no_text(void *data, const XML_Char *text, int len)
{
	(void)data;
	(void)text;
	(void)len;
}

static void no_start(void *data, const XML_Char *name, const XML_Char **attrs)
{
	(void)data;
	(void)name;
	(void)attrs;
}

static void no_end(void *data, const XML_Char *name)
{
	(void)data;
	(void)name;
}

/* From now on expat reads all that is sent, in the same pieces, with handlers
 * that do nothing: at the time the daemon does, so that whatever else slows
 * this machine slows both. */
static void reference_start(struct clients *c)
{
	static const char head[] = "<stream:stream xmlns:stream='s'>";

	c->expat = XML_ParserCreate("UTF-8");
	if (!c->expat)
		die("out of memory");
	XML_SetElementHandler(c->expat, no_start, no_end);
	XML_SetCharacterDataHandler(c->expat, no_text);
	XML_Parse(c->expat, head, sizeof(head) - 1, 0);
}

static void reference(struct clients *c, const char *p, size_t n)
{
	double from;

	if (!c->expat)
		return;
	from = seconds(CLOCK_THREAD_CPUTIME_ID);
	if (XML_Parse(c->expat, p, (int)n, 0) != XML_STATUS_OK)
		die("expat refuses what was sent");
	c->expat_s += seconds(CLOCK_THREAD_CPUTIME_ID) - from;
}

/* --- the connection ----------------------------------------------------- */

static void flush(struct clients *c)
{
	ssize_t n;

	if (!c->out.n)
		return;
	n = send(c->fd, c->out.p + c->out.at, c->out.n - c->out.at,
		 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		die("the daemon has closed the connection");
	reference(c, c->out.p + c->out.at, (size_t)n);
	c->sent += (size_t)n;
	c->out.at += (size_t)n;
	if (c->out.at == c->out.n)
		c->out.at = c->out.n = 0;
}

/* One turn: false when nothing came in time, or the other end left. */
static bool turn_for(struct clients *c, int ms)
{
	static char buf[262144];
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;

	flush(c);
	if (c->out.n)
		p.events |= POLLOUT;
	if (poll(&p, 1, ms) <= 0)
		return false;
	if (!(p.revents & (POLLIN | POLLHUP)))
		return true;
	n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n && !xml_stream_feed(c->in, buf, (size_t)n);
}

static bool turn(struct clients *c)
{
	return turn_for(c, PATIENCE_MS);
}

static void clients_open(struct clients *c, int fd, unsigned pairs,
			 const char *top)
{
	static const struct xml_stream_handlers handlers = {
		on_open, on_stanza, on_skipped, on_close,
	};

	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->pairs = pairs;
	c->trickles = TRICKLE;
	c->talks = calloc(pairs, sizeof(*c->talks));
	c->in = xml_stream_new(&xml_limits_default, &handlers, c);
	if (!c->talks || !c->in)
		die("out of memory");
	c->offer = load_body(top, "browser.offer.xml", c->offer_ufrag);
	c->answer = load_body(top, "browser.answer.xml", c->answer_ufrag);
	while (!c->open)
		if (!turn(c))
			die("the daemon does not log in");
}

/* All users come online. */
static void clients_appear(struct clients *c)
{
	unsigned i;

	for (i = 0; i < 2 * c->pairs; i++) {
		add(c, "<presence from='%s%u@" HOST "/r' to='" OURS "'>"
		    "<c xmlns='http://jabber.org/protocol/caps' "
		    "hash='sha-1' node='" CAPS_NODE "' "
		    "ver='" CAPS_VER "'/></presence>",
		    i & 1 ? "bob" : "alice", i / 2);
		flush(c);
	}
	while (c->out.n)
		if (!turn(c))
			die("the daemon does not read");
}

/* Places `n` calls, `window` of them at a time; with `holds` until all are up,
 * else until all are over. */
static void clients_run(struct clients *c, unsigned n, unsigned window,
			bool holds)
{
	unsigned goal = c->done + c->running + n;

	c->holds = holds;
	c->left = n;
	c->up = 0;
	while (c->left && window--)
		begin(c);
	while (holds ? c->up < n : c->done < goal)
		if (!turn(c))
			die("the calls do not go on");
}

/* `n` proposes of the first user, each to another name; `now` of them are
 * refused at once. */
static void clients_flood(struct clients *c, unsigned n, unsigned now)
{
	unsigned i;

	for (i = 0; i < n; i++)
		add(c, "<message type='chat' id='f%u' from='alice0@" HOST
		    "/r' to='nobody%u@" OURS "'><propose "
		    "xmlns='urn:xmpp:jingle-message:0' id='f%u'>"
		    "<description xmlns='urn:xmpp:jingle:apps:rtp:1' "
		    "media='audio'/></propose></message>", i, i, i);
	while (c->seen.rejects < now)
		if (!turn(c))
			die("a flood is not answered");
}

/* Ends all calls that are up. */
static void clients_hang_up(struct clients *c)
{
	unsigned goal = c->done + c->running, i;

	for (i = 0; i < c->pairs; i++)
		if (c->talks[i].up)
			hang_up(c, i);
	while (c->done < goal)
		if (!turn(c))
			die("the calls do not end");
}

static void clients_close(struct clients *c)
{
	if (c->expat)
		XML_ParserFree(c->expat);
	xml_stream_free(c->in);
	close(c->fd);
	free(c->out.p);
	free(c->offer);
	free(c->answer);
	free(c->talks);
}

#endif
