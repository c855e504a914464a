/* client.h: users' connections to their server, by libstrophe, any number in
 * one thread.
 *
 * Stanzas go in and out as trees of jingle/xml/, of namespace
 * jabber:component:accept, as the codecs of jingle/stanza/ read and write them.
 */
#ifndef MOD_PRIVATECALL_PROBE_CLIENT_H
#define MOD_PRIVATECALL_PROBE_CLIENT_H

#include "jingle/xml/elem.h"

enum client_tls {
	CLIENT_TLS_SURE,           /* or there is no connection */
	CLIENT_TLS_ANY,            /* of any certificate, too */
	CLIENT_TLS_NONE
};

struct client_options {
	const char *host;          /* NULL: as the address says (SRV) */
	unsigned short port;       /* 0: the usual one */
	enum client_tls tls;
};

struct client_handlers {
	/* Logged in, as this full address. */
	void (*online_h)(const char *jid, void *arg);
	/* One stanza; `a` holds it and is reset after the call. */
	void (*stanza_h)(struct xml_elem *stanza, struct arena *a, void *arg);
	/* The connection is over, or there never was one; what is known. */
	void (*gone_h)(const char *why, void *arg);
};

struct clients;
struct client;

struct clients *clients_new(const struct client_options *o); /* NULL: no
								memory */
/* All that came, all that is due; never waits. */
void clients_turn(struct clients *cs);
/* How many are connected: a closed one is until all it said is sent. */
unsigned clients_left(const struct clients *cs);
void clients_free(struct clients *cs);

/* Begins to log in. It lives as long as `cs`. The handlers may be called at
 * once. NULL: no memory. */
struct client *client_open(struct clients *cs, const char *jid,
			   const char *password,
			   const struct client_handlers *h, void *arg);
/* What is not connected sends nothing. */
void client_send(struct client *c, struct arena *a,
		 const struct xml_elem *stanza);
void client_close(struct client *c);
/* Is what it says encrypted? */
bool client_is_secured(const struct client *c);

#endif
