/* server.h: a small XMPP server for component links, in the tester's own
 * loop; included by the one test that drives it.
 */
#ifndef TESTS_MOCK_SERVER_H
#define TESTS_MOCK_SERVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "jingle/stanza/ns.h"
#include "jingle/stanza/sha1.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"

#define MOCK_ID "s1&2"             /* stream id, with something to escape */
#define MOCK_ID_XML "s1&amp;2"
#define MOCK_LOG 65536             /* bytes, then stanzas are only counted */

struct mock {
	uv_loop_t *loop;
	const char *secret;
	/* How it behaves; may change at any time. */
	const char *refuse;        /* condition instead of a handshake */
	bool dumb;                 /* not even a stream header */
	bool mute;                 /* pings get no answer */
	bool deaf;                 /* does not read once it is up */
	bool error_pings;          /* pings get service-unavailable */
	const char *pong_from;     /* NULL: who was asked */
	bool bytewise;             /* one byte per turn of the loop */
	bool linger;               /* no answer to </stream:stream> */
	bool answers;              /* questions get service-unavailable */
	unsigned echoes;           /* messages to their sender that come back,
				      for as many as there are */

	uv_tcp_t listener, client;
	uv_idle_t drip;            /* sends the next byte */
	bool open, was_open;       /* client is initialized */
	bool waits;                /* the next one is there already */
	int port;
	struct xml_stream *in;
	char *late;                /* bytes waiting for drip */
	size_t late_len, late_at;
	unsigned connects, handshakes, pings, stanzas, reads, closes;
	char to[64];               /* of the stream header */
	char *log;                 /* stanzas as written again, by lines */
	size_t log_len;
};

/* Above 0 while the mock works: tests/fail/ makes faults for the link, not for
 * its tester. */
__attribute__((weak)) int fail_pause;

static void mock_fail(const char *what, int r)
{
	fprintf(stderr, "mock: %s: %s\n", what, uv_strerror(r));
	abort();
}

static void mock_written_h(uv_write_t *req, int status)
{
	(void)status;
	free(req->data);
	free(req);
}

static void mock_write(struct mock *m, const char *text, size_t len)
{
	uv_write_t *req = malloc(sizeof(*req));
	char *copy = malloc(len);
	uv_buf_t buf = uv_buf_init(copy, (unsigned)len);
	int r;

	memcpy(copy, text, len);
	req->data = copy;
	r = uv_write(req, (uv_stream_t *)&m->client, &buf, 1, mock_written_h);
	if (r)
		mock_fail("write", r);
}

static void mock_drip_h(uv_idle_t *drip)
{
	struct mock *m = drip->data;

	fail_pause++;
	if (m->open && m->late_at < m->late_len)
		mock_write(m, m->late + m->late_at++, 1);
	else
		uv_idle_stop(drip);
	fail_pause--;
}

static void mock_send(struct mock *m, const char *text)
{
	size_t len = strlen(text);

	if (!m->open)
		return;
	if (!m->bytewise) {
		mock_write(m, text, len);
		return;
	}
	m->late = realloc(m->late, m->late_len + len);
	memcpy(m->late + m->late_len, text, len);
	m->late_len += len;
	uv_idle_start(&m->drip, mock_drip_h);
}

static void mock_accept(struct mock *m);

static void mock_client_closed_h(uv_handle_t *handle)
{
	struct mock *m = handle->data;

	xml_stream_free(m->in);
	m->in = NULL;
	m->was_open = false;
	m->late_len = m->late_at = 0;
	if (m->waits && !uv_is_closing((uv_handle_t *)&m->listener))
		mock_accept(m);
}

/* Closes the connection. */
static void mock_drop(struct mock *m)
{
	if (!m->open)
		return;
	m->open = false;
	uv_close((uv_handle_t *)&m->client, mock_client_closed_h);
}

static void mock_open_h(const struct xml_elem *header, void *arg)
{
	struct mock *m = arg;
	const char *to = xml_get(header, "to");

	snprintf(m->to, sizeof(m->to), "%s", to ? to : "");
	if (m->dumb)
		return;
	mock_send(m, "<?xml version='1.0'?><stream:stream "
		  "xmlns='jabber:component:accept' xmlns:stream="
		  "'http://etherx.jabber.org/streams' id='" MOCK_ID_XML "'>");
}

static void mock_stream_error(struct mock *m, const char *condition)
{
	char text[256];

	snprintf(text, sizeof(text), "<stream:error><%s xmlns="
		 "'urn:ietf:params:xml:ns:xmpp-streams'/><text xmlns="
		 "'urn:ietf:params:xml:ns:xmpp-streams'>Why</text>"
		 "</stream:error></stream:stream>", condition);
	mock_send(m, text);
}

static void mock_handshake(struct mock *m, struct xml_elem *e,
			   struct arena *a)
{
	char both[128], hex[SHA1_HEX_SIZE];

	snprintf(both, sizeof(both), "%s%s", MOCK_ID, m->secret);
	sha1_hex(both, strlen(both), hex);
	if (m->refuse)
		mock_stream_error(m, m->refuse);
	else if (strcmp(hex, xml_text(a, e)) != 0)
		mock_stream_error(m, "not-authorized");
	else {
		m->handshakes++;
		mock_send(m, "<handshake/>");
		if (m->deaf)
			uv_read_stop((uv_stream_t *)&m->client);
	}
}

static void mock_pong(struct mock *m, struct xml_elem *e)
{
	const char *from = m->pong_from ? m->pong_from : xml_get(e, "to");
	char text[512];

	m->pings++;
	if (m->mute)
		return;
	snprintf(text, sizeof(text), "<iq type='%s' id='%s' from='%s' "
		 "to='%s'/>", m->error_pings ? "error" : "result",
		 xml_get(e, "id"), from, xml_get(e, "from"));
	mock_send(m, text);
}

/* As far as it is a server that answers. */
static void mock_answer(struct mock *m, struct xml_elem *e)
{
	const char *from = xml_get(e, "from"), *to = xml_get(e, "to");
	const char *type = xml_get(e, "type");
	char text[512];

	if (!from || !to || !type)
		return;
	if (m->echoes && strcmp(from, to) == 0) {
		m->echoes--;
		snprintf(text, sizeof(text), "<message type='%s' id='%s' "
			 "from='%s' to='%s'/>", type, xml_get(e, "id"), from,
			 to);
		mock_send(m, text);
	}
	if (!m->answers || (strcmp(type, "get") && strcmp(type, "set")))
		return;
	snprintf(text, sizeof(text), "<iq type='error' id='%s' from='%s' "
		 "to='%s'><error type='cancel'><service-unavailable xmlns='"
		 NS_STANZAS "'/></error></iq>", xml_get(e, "id"), to, from);
	mock_send(m, text);
}

static void mock_stanza_h(struct xml_elem *e, struct arena *a, void *arg)
{
	struct mock *m = arg;
	size_t len;
	char *text;

	if (xml_is(e, NS_COMPONENT, "handshake")) {
		mock_handshake(m, e, a);
		return;
	}
	if (xml_child(e, NS_PING, "ping")) {
		mock_pong(m, e);
		return;
	}
	m->stanzas++;
	mock_answer(m, e);
	if (m->log_len > MOCK_LOG)
		return;
	text = xml_write(a, e, NS_COMPONENT, &len);
	m->log = realloc(m->log, m->log_len + len + 2);
	memcpy(m->log + m->log_len, text, len);
	m->log_len += len;
	m->log[m->log_len++] = '\n';
	m->log[m->log_len] = '\0';
}

static void mock_close_h(void *arg)
{
	struct mock *m = arg;

	m->closes++;
	if (!m->linger)
		mock_send(m, "</stream:stream>");
}

static void mock_alloc_h(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	(void)handle;
	*buf = uv_buf_init(malloc(size), (unsigned)size);
}

static void mock_read_h(uv_stream_t *client, ssize_t n, const uv_buf_t *buf)
{
	struct mock *m = client->data;

	fail_pause++;
	if (n > 0) {
		m->reads++;
		xml_stream_feed(m->in, buf->base, (size_t)n);
	}
	free(buf->base);
	if (n < 0)
		mock_drop(m);
	fail_pause--;
}

static void mock_accept(struct mock *m)
{
	static const struct xml_stream_handlers handlers = {
		.open_h = mock_open_h,
		.stanza_h = mock_stanza_h,
		.close_h = mock_close_h,
	};
	int r;

	fail_pause++;
	m->waits = false;
	m->connects++;
	uv_tcp_init(m->loop, &m->client);
	r = uv_accept((uv_stream_t *)&m->listener,
		      (uv_stream_t *)&m->client);
	if (r)
		mock_fail("accept", r);
	m->client.data = m;
	m->open = m->was_open = true;
	m->in = xml_stream_new(&xml_limits_default, &handlers, m);
	uv_tcp_nodelay(&m->client, 1);
	uv_read_start((uv_stream_t *)&m->client, mock_alloc_h, mock_read_h);
	fail_pause--;
}

/* One at a time: the link may come again before the end of the connection it
 * has closed has been read here. */
static void mock_connection_h(uv_stream_t *listener, int status)
{
	struct mock *m = listener->data;

	if (status)
		mock_fail("connection", status);
	m->waits = true;
	if (!m->was_open)
		mock_accept(m);
}

/* Listens on `port` of the loopback, 0: any; which one is in m->port. */
static void mock_listen(struct mock *m, int port)
{
	struct sockaddr_in addr;
	int len = sizeof(addr), r;

	fail_pause++;
	uv_ip4_addr("127.0.0.1", port, &addr);
	uv_tcp_init(m->loop, &m->listener);
	m->listener.data = m;
	m->waits = false;
	r = uv_tcp_bind(&m->listener, (struct sockaddr *)&addr, 0);
	if (!r)
		r = uv_listen((uv_stream_t *)&m->listener, 8,
			      mock_connection_h);
	if (!r)
		r = uv_tcp_getsockname(&m->listener,
				       (struct sockaddr *)&addr, &len);
	if (r)
		mock_fail("listen", r);
	m->port = ntohs(addr.sin_port);
	fail_pause--;
}

static void mock_start(struct mock *m, uv_loop_t *loop, const char *secret)
{
	memset(m, 0, sizeof(*m));
	m->loop = loop;
	m->secret = secret;
	uv_idle_init(loop, &m->drip);
	m->drip.data = m;
	mock_listen(m, 0);
}

/* The server is gone, as after a crash; mock_listen() brings it back. */
static void mock_shut(struct mock *m)
{
	mock_drop(m);
	uv_close((uv_handle_t *)&m->listener, NULL);
}

static void mock_end(struct mock *m)
{
	mock_shut(m);
	uv_close((uv_handle_t *)&m->drip, NULL);
	uv_run(m->loop, UV_RUN_DEFAULT);
	free(m->late);
	free(m->log);
}

#endif
