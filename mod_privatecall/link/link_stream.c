/* link_stream.c: what passes on the stream: header and handshake (XEP-0114,
 * 3), stream errors, stanzas, and what is to be said to those over a limit.
 */
#include "mod_privatecall/link/link_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/sha1.h"
#include "jingle/stanza/stanza.h"
#include "jingle/xml/write.h"

/* The writer knows no open elements and no prefixes: only the attribute, with
 * its escapes, is the writer's, out of "<x to='...'/>". */
int link_stream_open(struct link_conn *c)
{
	static const char start[] = "<?xml version='1.0'?><stream:stream"
		" xmlns='" NS_COMPONENT "' xmlns:stream='" NS_STREAM "'";
	struct link *l = c->link;
	struct xml_elem *x = xml_new(l->scratch, NS_COMPONENT, "x");
	size_t len;
	char *text;
	int r = ENOMEM;

	xml_set(l->scratch, x, "to", l->domain);
	text = xml_write(l->scratch, x, NS_COMPONENT, &len);
	if (text)
		r = link_put(l, start, sizeof(start) - 1);
	if (!r)
		r = link_put(l, text + 2, len - 4);
	if (!r)
		r = link_put(l, ">", 1);
	arena_reset(l->scratch);
	return r;
}

/* <handshake> with the hash of stream id and secret. */
static int send_handshake(struct link *l, const char *id)
{
	static const char start[] = "<handshake>", end[] = "</handshake>";
	size_t id_len = strlen(id), secret_len = strlen(l->secret);
	char hex[SHA1_HEX_SIZE];
	char *both = malloc(id_len + secret_len + 1);
	int r;

	if (!both)
		return ENOMEM;
	memcpy(both, id, id_len);
	memcpy(both + id_len, l->secret, secret_len);
	sha1_hex(both, id_len + secret_len, hex);
	explicit_bzero(both, id_len + secret_len);
	free(both);
	r = link_put(l, start, sizeof(start) - 1);
	if (!r)
		r = link_put(l, hex, sizeof(hex) - 1);
	if (!r)
		r = link_put(l, end, sizeof(end) - 1);
	return r;
}

static void open_h(const struct xml_elem *header, void *arg)
{
	struct link_conn *c = arg;
	const char *id = xml_get(header, "id");
	int r;

	if (c->closing || c->link->phase != LINK_PHASE_OPENING)
		return;
	if (!xml_is(header, NS_STREAM, "stream")) {
		link_down(c->link, "not an XMPP stream", false);
		return;
	}
	/* Without an id the server has refused already; its error follows. */
	if (!id || !*id)
		return;
	r = send_handshake(c->link, id);
	if (r)
		link_down(c->link, strerror(r), false);
}

static const char *stream_error_condition(const struct xml_elem *error)
{
	const struct xml_elem *e;

	for (e = xml_child(error, NS_STREAMS, NULL); e;
	     e = xml_next(e, NS_STREAMS, NULL))
		if (strcmp(e->name, "text") != 0)
			return e->name;
	return "undefined-condition";
}

static bool is_stanza(const struct xml_elem *e)
{
	return xml_is(e, NS_COMPONENT, "iq") ||
	       xml_is(e, NS_COMPONENT, "message") ||
	       xml_is(e, NS_COMPONENT, "presence");
}

static void stanza_h(struct xml_elem *e, struct arena *a, void *arg)
{
	struct link_conn *c = arg;
	struct link *l = c->link;

	if (c->closing)
		return;
	if (xml_is(e, NS_STREAM, "error")) {
		link_down(l, stream_error_condition(e), true);
		return;
	}
	if (l->phase == LINK_PHASE_OPENING) {
		if (xml_is(e, NS_COMPONENT, "handshake"))
			link_up(l);
		return;
	}
	if (!is_stanza(e))
		return;
	l->counters.stanzas_in++;
	if (!link_ping_answered(c, e) && l->phase == LINK_PHASE_UP &&
	    l->h.stanza_h)
		l->h.stanza_h(e, a, l->arg);
}

/* NULL: nothing is said. */
static struct xml_elem *answer_skipped(struct xml_elem *head, struct arena *a,
				       enum xml_limit limit)
{
	struct why why = {
		.type = "modify",
		.condition = "policy-violation",
		.text = arena_printf(a, "Stanza is over the limit: %s.",
				     xml_limit_name(limit)),
	};
	struct why unused;
	struct stanza s;
	struct xml_elem *e;

	/* Without addresses there is nobody to tell. */
	if (!is_stanza(head) || stanza_parse(a, head, &s, &unused))
		return NULL;
	e = stanza_error(a, &s, &why);
	return arena_failed(a) ? NULL : e;
}

static void skipped_h(struct xml_elem *head, struct arena *a,
		      enum xml_limit limit, void *arg)
{
	struct link_conn *c = arg;
	struct link *l = c->link;

	if (c->closing || l->phase != LINK_PHASE_UP)
		return;
	l->counters.skipped[limit]++;
	if (l->h.skipped_h)
		l->h.skipped_h(head, answer_skipped(head, a, limit), a, limit,
			       l->arg);
}

static void close_h(void *arg)
{
	struct link_conn *c = arg;

	if (c->closing)
		return;
	if (c->link->phase != LINK_PHASE_CLOSING)
		link_conn_last_words(c, "</stream:stream>");
	link_down(c->link, "closed by the server", false);
}

struct xml_stream *link_stream_new(struct link_conn *c)
{
	static const struct xml_stream_handlers handlers = {
		.open_h = open_h,
		.stanza_h = stanza_h,
		.skipped_h = skipped_h,
		.close_h = close_h,
	};

	return xml_stream_new(&c->link->limits, &handlers, c);
}
