/* client.c: users' connections, by libstrophe (see client.h). */
#include "mod_privatecall/probe/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strophe.h>
#include "jingle/stanza/ns.h"
#include "jingle/xml/parse.h"
#include "jingle/xml/write.h"

#define WHY_SIZE 256

struct client {
	struct client *next;
	struct clients *all;
	xmpp_conn_t *conn;
	struct client_handlers h;
	void *arg;
	bool online, gone;
};

struct clients {
	struct client_options o;
	xmpp_log_t log;
	xmpp_ctx_t *ctx;
	struct arena *arena;
	struct client *first;
	char why[WHY_SIZE];        /* what the library complained of last */
};

static void on_log(void *arg, xmpp_log_level_t level, const char *area,
		   const char *text)
{
	struct clients *cs = arg;
	int err;

	/* The one place where it says which error the system had. */
	if (sscanf(text, "connection failed, error %d", &err) == 1)
		snprintf(cs->why, sizeof(cs->why), "%s", strerror(err));
	else if (level >= XMPP_LEVEL_WARN)
		snprintf(cs->why, sizeof(cs->why), "%s: %s", area, text);
}

struct clients *clients_new(const struct client_options *o)
{
	struct clients *cs = calloc(1, sizeof(*cs));

	if (!cs)
		return NULL;
	xmpp_initialize();
	cs->o = *o;
	cs->log.handler = on_log;
	cs->log.userdata = cs;
	cs->ctx = xmpp_ctx_new(NULL, &cs->log);
	cs->arena = arena_new(0);
	if (cs->ctx && cs->arena)
		return cs;
	clients_free(cs);
	return NULL;
}

void clients_free(struct clients *cs)
{
	struct client *c, *next;

	for (c = cs->first; c; c = next) {
		next = c->next;
		xmpp_conn_release(c->conn);
		free(c);
	}
	if (cs->ctx)
		xmpp_ctx_free(cs->ctx);
	arena_free(cs->arena);
	free(cs);
	xmpp_shutdown();
}

void clients_turn(struct clients *cs)
{
	xmpp_run_once(cs->ctx, 0);
}

unsigned clients_left(const struct clients *cs)
{
	const struct client *c;
	unsigned n = 0;

	for (c = cs->first; c; c = c->next)
		n += !c->gone;
	return n;
}

/* --- what comes ------------------------------------------------------- */

static void end(struct client *c, const char *why)
{
	c->online = false;
	if (c->gone)
		return;
	c->gone = true;
	c->h.gone_h(why, c->arg);
}

/* The tree of the library's tree, by its text. */
static int on_stanza(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
	struct client *c = arg;
	struct xml_elem *e;
	char *text;
	size_t len;

	(void)conn;
	if (xmpp_stanza_to_text(stanza, &text, &len) != XMPP_EOK)
		return 1;
	arena_reset(c->all->arena);
	if (!xml_parse(c->all->arena, text, len, NS_COMPONENT,
		       &xml_limits_default, &e))
		c->h.stanza_h(e, c->all->arena, c->arg);
	xmpp_free(c->all->ctx, text);
	return 1;
}

/* Why a certificate was refused, the last one: who is asked gets nothing that
 * would say for whom. */
static char refused[WHY_SIZE];

static int refuse(const xmpp_tlscert_t *cert, const char *const why)
{
	(void)cert;
	snprintf(refused, sizeof(refused), "certificate refused: %s", why);
	return 0;
}

static const char *why_gone(const struct client *c, int error,
			    const xmpp_stream_error_t *stream)
{
	return stream && stream->text ? stream->text :
	       *refused ? refused : error > 0 ? strerror(error) :
	       *c->all->why ? c->all->why :
	       "the server closed the connection";
}

static void on_conn(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
		    xmpp_stream_error_t *stream, void *arg)
{
	struct client *c = arg;

	if (event == XMPP_CONN_CONNECT) {
		c->online = true;
		xmpp_handler_add(conn, on_stanza, NULL, NULL, NULL, c);
		c->h.online_h(xmpp_conn_get_bound_jid(conn), c->arg);
	} else if (event == XMPP_CONN_DISCONNECT || event == XMPP_CONN_FAIL) {
		end(c, why_gone(c, error, stream));
	}
}

/* --- one client ------------------------------------------------------- */

static long flags_of(enum client_tls tls)
{
	static const long flags[] = {
		[CLIENT_TLS_SURE] = XMPP_CONN_FLAG_MANDATORY_TLS,
		[CLIENT_TLS_ANY] = XMPP_CONN_FLAG_MANDATORY_TLS |
				   XMPP_CONN_FLAG_TRUST_TLS,
		[CLIENT_TLS_NONE] = XMPP_CONN_FLAG_DISABLE_TLS,
	};

	return flags[tls] | XMPP_CONN_FLAG_DISABLE_SM;
}

struct client *client_open(struct clients *cs, const char *jid,
			   const char *password,
			   const struct client_handlers *h, void *arg)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->all = cs;
	c->h = *h;
	c->arg = arg;
	c->conn = xmpp_conn_new(cs->ctx);
	if (!c->conn) {
		free(c);
		return NULL;
	}
	c->next = cs->first;
	cs->first = c;
	xmpp_conn_set_flags(c->conn, flags_of(cs->o.tls));
	xmpp_conn_set_certfail_handler(c->conn, refuse);
	xmpp_conn_set_jid(c->conn, jid);
	xmpp_conn_set_pass(c->conn, password);
	if (xmpp_connect_client(c->conn, cs->o.host, cs->o.port, on_conn, c))
		end(c, *cs->why ? cs->why : "no such host, or no way to it");
	return c;
}

void client_send(struct client *c, struct arena *a,
		 const struct xml_elem *stanza)
{
	size_t len;
	char *text = xml_write(a, stanza, NS_COMPONENT, &len);

	if (c && c->online && text)
		xmpp_send_raw(c->conn, text, len);
}

void client_close(struct client *c)
{
	if (!c->gone)
		xmpp_disconnect(c->conn);
	c->online = false;
}

bool client_is_secured(const struct client *c)
{
	return xmpp_conn_is_secured(c->conn);
}
