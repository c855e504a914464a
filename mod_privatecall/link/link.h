/* link.h: the XEP-0114 stream to the server: handshake, reconnect, heartbeat,
 * a bounded send queue. Driver (libuv, expat through jingle/xml/parse.h).
 */
#ifndef MOD_PRIVATECALL_LINK_LINK_H
#define MOD_PRIVATECALL_LINK_LINK_H

#include <stdint.h>
#include <uv.h>
#include "jingle/xml/parse.h"

struct link;

struct link_conf {
	const char *host;          /* address or name of the server */
	uint16_t port;             /* 5347 */
	const char *domain;        /* our component domain */
	const char *secret;
	const char *ping_to;       /* domain pinged as heartbeat */
	size_t queue_bytes;        /* send queue cap, 16 MiB */
	struct xml_limits limits;
};

enum link_state { LINK_DOWN, LINK_CONNECTING, LINK_UP };

/* What happened, for the log: one line each, said once per change. */
enum link_event {
	LINK_EV_UP,                /* handshake done */
	LINK_EV_LOST,              /* was up, is down; detail says why: the
				      stream error condition ("conflict",
				      "system-shutdown"), or words */
	LINK_EV_REFUSED,           /* secret or host refused, or another one
				      is connected; detail: stream error
				      condition ("not-authorized") */
	LINK_EV_UNREACHABLE        /* connect failed; detail: errno text, or
				      what was wrong before the handshake */
};

/* Handlers may call link_send, link_barrier and link_stop, not link_free. */
struct link_handlers {
	/* `detail` ("" for UP) is gone after the call, and may be the
	 * server's words: escape it. */
	void (*event_h)(enum link_event ev, const char *detail, void *arg);
	/* One message, presence or iq, in the order of the stream; answers to
	 * the link's own pings are not shown. `a` holds it and is reset after
	 * the call. */
	void (*stanza_h)(struct xml_elem *stanza, struct arena *a, void *arg);
	/* A stanza over a limit was skipped. `answer` is to be sent for it:
	 * policy-violation with a text naming the limit, to an iq get/set,
	 * message or presence (not errors); else NULL. It is from the address
	 * that was spoken to, which may be none of ours. */
	void (*skipped_h)(const struct xml_elem *head,
			  const struct xml_elem *answer, struct arena *a,
			  enum xml_limit limit, void *arg);
	/* The queue was crowded (link_crowded()) and has room again. */
	void (*drained_h)(void *arg);
};

/* All strings of conf are copied. Starts nothing. The program must ignore
 * SIGPIPE: libuv writes with plain writev(). 0 or ENOMEM. */
int link_new(uv_loop_t *loop, const struct link_conf *conf,
	     const struct link_handlers *h, void *arg, struct link **link_r);
/* Connects; from now on reconnects by itself, 0.5-30 s with jitter, at most
 * 0.5 s where nothing listens. */
void link_start(struct link *l);
/* Closes the stream politely (</stream:stream>, flushes at most 1 s), then
 * calls closed_h; the link may be freed or started again from there. Of the
 * handlers above none is called any more; barriers still end. A link that was
 * not started calls closed_h at once. Not to be called twice. */
void link_stop(struct link *l, void (*closed_h)(void *arg), void *arg);
/* Only before link_start, or once closed_h was called. NULL is fine. */
void link_free(struct link *l);
enum link_state link_state(const struct link *l);
/* Real ms until the next attempt; -1: none is waited for. */
int64_t link_next_attempt(const struct link *l);

/* Written XML above this is not sent: Prosody closes the stream of a component
 * over a stanza above 512 KiB. */
#define LINK_STANZA_MAX (500 * 1024)

/* Queues one stanza. 0; ENOTCONN: the link is down (nothing queued); ENOBUFS:
 * the queue is full (dropped and counted); EMSGSIZE: over LINK_STANZA_MAX as
 * written (dropped and counted); ENOMEM. `urgent` (terminate, IQ answers) may
 * use a reserve of the queue's last eighth. What is queued when the link goes
 * down is lost. All that is queued in one turn of the loop leaves in one
 * write. */
int link_send(struct link *l, const struct xml_elem *stanza, bool urgent);
/* The same for text that is already written XML. */
int link_send_text(struct link *l, const char *text, size_t len, bool urgent);

/* More than half of the queue waited for the server, and a quarter still
 * does: what can wait elsewhere should. */
bool link_crowded(const struct link *l);
/* Reads no more from the server, or reads again: its stanzas then wait there,
 * and so does whoever sends them. Its silence meanwhile is not held against
 * it. Lasts until link_stop(), no longer than the connection, nor than a
 * second in which the server takes nothing of the queue: it may wait to be read
 * itself. */
void link_pause(struct link *l, bool pause);

struct link_counters {
	uint64_t stanzas_in, stanzas_out, bytes_in, bytes_out;
	uint64_t skipped[XML_LIMIT_TEXT + 1];
	uint64_t dropped_full, dropped_down, dropped_large;
	uint64_t reconnects;       /* times up again, the first not counted */
	uint64_t pauses;           /* of reading */
	size_t queued_bytes;
	size_t spare_bytes;        /* kept for what comes next */
};
void link_counters(const struct link *l, struct link_counters *c_r);

/* Calls done_h when the server has answered a ping sent after all that was
 * queued before this call: the server has taken those stanzas. Lost with the
 * link: done_h(false). Outbox rows are removed on true. 0; ENOTCONN, ENOBUFS,
 * ENOMEM: done_h is not called. */
int link_barrier(struct link *l, void (*done_h)(bool ok, void *arg),
		 void *arg);

#endif
