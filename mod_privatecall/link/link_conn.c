/* link_conn.c: the link's name lookup and TCP connection. */
#include "mod_privatecall/link/link_private.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_S 30             /* of TCP: also where pings cannot leave */
#define LINK_LAST_WORDS 256        /* bytes */

static int conn_open(struct link *l, const struct sockaddr *addr);

/* Tries the addresses left; `r` (libuv's error) is why there is no connection
 * yet. */
static void try_next(struct link *l, int r)
{
	while (l->addr_next < l->addr_count) {
		r = conn_open(l, (const struct sockaddr *)
				 &l->addrs[l->addr_next++]);
		if (!r)
			return;
	}
	l->nobody = r == UV_ECONNREFUSED;
	link_down(l, uv_strerror(r), false);
}

static void resolved_h(uv_getaddrinfo_t *req, int status,
		       struct addrinfo *list)
{
	struct link_lookup *q = req->data;
	struct link *l = q->link;

	free(q);
	if (l) {
		l->lookup = NULL;
		l->addr_next = l->addr_count = 0;
		for (struct addrinfo *i = list;
		     i && l->addr_count < LINK_ADDRS_MAX; i = i->ai_next)
			memcpy(&l->addrs[l->addr_count++], i->ai_addr,
			       i->ai_addrlen);
		try_next(l, status ? status : UV_EAI_NODATA);
	}
	uv_freeaddrinfo(list);
}

int link_lookup_start(struct link *l)
{
	static const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct link_lookup *q = calloc(1, sizeof(*q));
	char port[8];
	int r;

	if (!q)
		return ENOMEM;
	q->link = l;
	q->req.data = q;
	snprintf(port, sizeof(port), "%u", (unsigned)l->port);
	r = uv_getaddrinfo(l->loop, &q->req, resolved_h, l->host, port,
			   &hints);
	if (r) {
		free(q);
		return -r;
	}
	l->lookup = q;
	return 0;
}

void link_lookup_drop(struct link *l)
{
	if (!l->lookup)
		return;
	l->lookup->link = NULL;
	uv_cancel((uv_req_t *)&l->lookup->req);
	l->lookup = NULL;
}

static void conn_closed_h(uv_handle_t *handle)
{
	struct link_conn *c = handle->data;
	struct link *l = c->link;

	xml_stream_free(c->stream);
	queue_clear(&c->queue);
	free(c);
	link_handle_closed(l);
}

void link_conn_drop(struct link *l)
{
	struct link_conn *c = l->conn;

	if (!c)
		return;
	l->conn = NULL;
	c->closing = true;
	uv_close((uv_handle_t *)&c->tcp, conn_closed_h);
}

static void alloc_h(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct link_conn *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(c->in, sizeof(c->in));
}

/* RFC 6120, 4.9.3.13 and 4.9.3.18: what expat refuses ends the stream. */
static void feed(struct link_conn *c, size_t len)
{
	struct link *l = c->link;
	int r = xml_stream_feed(c->stream, c->in, len);

	if (c->closing || !r)
		return;
	if (r == ENOMEM) {
		link_down(l, strerror(r), false);
		return;
	}
	link_conn_last_words(c, "<stream:error><not-well-formed "
		"xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
		"</stream:error></stream:stream>");
	link_down(l, xml_stream_error(c->stream), false);
}

static void read_h(uv_stream_t *tcp, ssize_t n, const uv_buf_t *buf)
{
	struct link_conn *c = tcp->data;
	struct link *l = c->link;

	(void)buf;
	if (c->closing || !n)
		return;
	if (n < 0) {
		link_down(l, n == UV_EOF ? "closed by the server" :
					   uv_strerror((int)n), false);
		return;
	}
	l->counters.bytes_in += (uint64_t)n;
	l->last_in = uv_now(l->loop);
	feed(c, (size_t)n);
}

/* What was taken has left. */
static void written(struct link_conn *c)
{
	c->link->counters.bytes_out += queue_release(&c->queue);
	c->stuck = false;
}

/* Whether there is room again, of which the owner was told just now. */
static bool tell_drained(struct link_conn *c)
{
	if (!c->crowded || c->closing ||
	    c->queue.bytes > c->link->queue_bytes / 4)
		return false;
	c->crowded = false;
	if (c->link->h.drained_h && c->link->phase == LINK_PHASE_UP)
		c->link->h.drained_h(c->link->arg);
	return true;
}

static void written_h(uv_write_t *req, int status)
{
	struct link_conn *c = req->data;

	c->writing = false;
	if (c->closing)
		return;
	if (status) {
		link_down(c->link, uv_strerror(status), false);
		return;
	}
	written(c);
	link_conn_flush(c);
}

/* Leaves out the first `len` bytes; the number of buffers that are left. */
static unsigned skip(uv_buf_t *bufs, unsigned n, size_t len)
{
	unsigned i = 0;

	while (i < n && len >= bufs[i].len)
		len -= bufs[i++].len;
	if (i < n) {
		bufs[i].base += len;
		bufs[i].len -= len;
	}
	memmove(bufs, bufs + i, (n - i) * sizeof(*bufs));
	return n - i;
}

/* What the kernel takes at once needs no further turn of the loop. */
static void write_queue(struct link_conn *c)
{
	uv_buf_t bufs[LINK_WRITE_CHUNKS];
	unsigned n;
	int r;

	while (!c->closing && !c->writing) {
		n = queue_take(&c->queue, bufs, LINK_WRITE_CHUNKS);
		if (!n)
			return;
		r = uv_try_write((uv_stream_t *)&c->tcp, bufs, n);
		n = skip(bufs, n, r > 0 ? (size_t)r : 0);
		if (!n) {
			written(c);
			continue;
		}
		/* An error is told of behind what the server has said: it may
		 * be why. */
		c->write.data = c;
		r = uv_write(&c->write, (uv_stream_t *)&c->tcp, bufs, n,
			     written_h);
		if (r)
			link_down(c->link, uv_strerror(r), false);
		else
			c->writing = true;
	}
}

/* What the owner says when there is room again leaves, too: no turn of the loop
 * may follow. */
void link_conn_flush(struct link_conn *c)
{
	do
		write_queue(c);
	while (tell_drained(c));
}

void link_conn_pause(struct link_conn *c, bool pause)
{
	int r;

	if (c->closing || c->paused == pause || (pause && c->stuck))
		return;
	c->paused = pause;
	if (pause) {
		c->link->counters.pauses++;
		c->paused_out = c->link->counters.bytes_out;
		uv_read_stop((uv_stream_t *)&c->tcp);
		link_ping_arm(c->link);
		return;
	}
	c->link->last_in = uv_now(c->link->loop);
	r = uv_read_start((uv_stream_t *)&c->tcp, alloc_h, read_h);
	if (r)
		link_down(c->link, uv_strerror(r), false);
}

void link_conn_last_words(struct link_conn *c, const char *text)
{
	char copy[LINK_LAST_WORDS];
	uv_buf_t buf = uv_buf_init(copy, (unsigned)strlen(text));

	assert(buf.len <= sizeof(copy));
	memcpy(copy, text, buf.len);
	if (!c->writing)
		uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
}

static void connected_h(uv_connect_t *req, int status)
{
	struct link_conn *c = req->data;
	struct link *l = c->link;
	int r;

	if (c->closing)
		return;
	if (status) {
		link_conn_drop(l);
		try_next(l, status);
		return;
	}
	l->phase = LINK_PHASE_OPENING;
	uv_tcp_nodelay(&c->tcp, 1);
	uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_S);
	r = link_ping_prefix(c);
	if (!r)
		r = link_stream_open(c);
	if (r) {
		link_down(l, strerror(r), false);
		return;
	}
	r = uv_read_start((uv_stream_t *)&c->tcp, alloc_h, read_h);
	if (r)
		link_down(l, uv_strerror(r), false);
}

/* 0 or libuv's error; then there is no connection. */
static int conn_open(struct link *l, const struct sockaddr *addr)
{
	struct link_conn *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return UV_ENOMEM;
	c->link = l;
	c->stream = link_stream_new(c);
	r = c->stream ? uv_tcp_init(l->loop, &c->tcp) : UV_ENOMEM;
	if (r) {
		xml_stream_free(c->stream);
		free(c);
		return r;
	}
	c->tcp.data = c->connect.data = c;
	l->handles++;
	l->conn = c;
	l->phase = LINK_PHASE_CONNECTING;
	r = uv_tcp_connect(&c->connect, &c->tcp, addr, connected_h);
	if (r)
		link_conn_drop(l);
	return r;
}
