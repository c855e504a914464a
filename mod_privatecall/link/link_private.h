/* link_private.h: the insides of the link, for its files and its tests.
 *
 *           start                                 resolved
 *   IDLE ----------> RESOLVING <------ WAITING <----------- any failure
 *                       | address         ^ ^                of any phase
 *                       v                 | |
 *                   CONNECTING -----------' |  next address: CONNECTING
 *                       | TCP is up         |
 *                       v                   |
 *                    OPENING ---------------|  header, handshake
 *                       | <handshake/>      |
 *                       v                   |
 *                      UP ------------------'
 *                       | stop
 *                       v
 *                   CLOSING --> CLOSED --> IDLE: closed_h
 *
 * A stop in any other phase than UP goes to CLOSED at once. One timer serves
 * all phases; timer_h says what its end means in each.
 */
#ifndef MOD_PRIVATECALL_LINK_LINK_PRIVATE_H
#define MOD_PRIVATECALL_LINK_LINK_PRIVATE_H

#include "mod_privatecall/link/link.h"
#include "mod_privatecall/link/queue.h"

#define LINK_ADDRS_MAX 8           /* of one name */
#define LINK_WRITE_CHUNKS 32       /* of one uv_write */
#define LINK_READ_BYTES 65536
#define LINK_DETAIL_MAX 160        /* bytes of an event's detail, NUL too */
#define LINK_PING_PREFIX 40        /* bytes of "link-<32 hex>-", NUL too */

/* Every time of the link, in ms. */
struct link_times {
	unsigned retry_min;        /* shortest wait for a new attempt */
	unsigned retry_max;        /* longest */
	unsigned steady;           /* up so long: waits start anew */
	unsigned attempt;          /* for name, TCP and handshake together */
	unsigned beat;             /* of silence until a ping is sent */
	unsigned answer;           /* for the answer to any ping of ours */
	unsigned stop;             /* for a polite end */
	unsigned stuck;            /* of a pause in which nothing is taken */
};
extern const struct link_times link_times_default;

enum link_phase {
	LINK_PHASE_IDLE, LINK_PHASE_WAITING, LINK_PHASE_RESOLVING,
	LINK_PHASE_CONNECTING, LINK_PHASE_OPENING, LINK_PHASE_UP,
	LINK_PHASE_CLOSING, LINK_PHASE_CLOSED
};

/* A ping without an answer yet: heartbeat (done_h NULL) or barrier. */
struct link_ping {
	struct link_ping *next;
	uint64_t number;
	uint64_t sent;             /* loop time; or when we last did not read */
	void (*done_h)(bool ok, void *arg);
	void *arg;
};

/* One TCP connection; frees itself once its handle is closed. */
struct link_conn {
	struct link *link;
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;          /* one at a time */
	bool writing;
	bool crowded;              /* see link_crowded() */
	bool paused;               /* does not read */
	bool stuck;                /* nor does the server: no pause now */
	uint64_t paused_out;       /* counters.bytes_out at the last look */
	bool closing;              /* nothing of it counts any more */
	struct queue queue;
	struct xml_stream *stream;
	char ping_prefix[LINK_PING_PREFIX];
	char in[LINK_READ_BYTES];
};

/* A running name lookup; frees itself. */
struct link_lookup {
	uv_getaddrinfo_t req;
	struct link *link;         /* NULL: no longer wanted */
};

struct link {
	uv_loop_t *loop;
	struct link_handlers h;
	void *arg;
	char *host, *domain, *secret, *ping_to;
	uint16_t port;
	size_t queue_bytes;
	struct xml_limits limits;
	struct link_times times;

	enum link_phase phase;
	struct link_lookup *lookup;
	struct sockaddr_storage addrs[LINK_ADDRS_MAX];
	unsigned addr_count, addr_next;
	struct link_conn *conn;
	uv_timer_t timer;
	uv_prepare_t flush;        /* runs once before the loop waits */
	unsigned handles;          /* open ones, connections included */
	unsigned retry;            /* twice the shortest next wait, ms */
	bool nobody;               /* nothing listened at the last attempt */
	uint64_t up_since, last_in;  /* loop time */
	bool was_up;               /* ever */

	struct link_ping *pings, *last_ping;  /* oldest first */
	uint64_t ping_number;
	bool doubt;                /* an answer is late: one last look */

	bool said;                 /* an event was told */
	enum link_event said_event;
	char said_detail[LINK_DETAIL_MAX];

	struct arena *scratch;     /* of one stanza while it is written */
	struct link_counters counters;
	void (*closed_h)(void *arg);
	void *closed_arg;
};

/* Before link_start; for tests. */
void link_set_times(struct link *l, const struct link_times *times);

/* link.c: what the other files report. */
void link_up(struct link *l);
/* The attempt or the stream is over for `detail`; `refused`: by a stream
 * error. The connection's memory stays until the loop turns. */
void link_down(struct link *l, const char *detail, bool refused);
/* Queues past the cap: the stream's own words. 0 or ENOMEM. */
int link_put(struct link *l, const char *text, size_t len);
/* Sets the one timer of all phases. */
void link_wake(struct link *l, uint64_t ms);
void link_handle_closed(struct link *l);

/* link_conn.c: name, TCP, reading and writing. */
/* 0, or a positive errno when not even tried. */
int link_lookup_start(struct link *l);
void link_lookup_drop(struct link *l);
void link_conn_drop(struct link *l);
void link_conn_flush(struct link_conn *c);
void link_conn_pause(struct link_conn *c, bool pause);
/* Writes at once what the socket takes, before a drop. */
void link_conn_last_words(struct link_conn *c, const char *text);

/* link_stream.c: header, handshake, stream errors, stanzas. */
struct xml_stream *link_stream_new(struct link_conn *c);
int link_stream_open(struct link_conn *c);     /* our header; 0 or errno */

/* link_ping.c: heartbeat and barriers. */
int link_ping_prefix(struct link_conn *c);     /* 0 or errno */
/* True if `e` answered one of our pings: it is used up. */
bool link_ping_answered(struct link_conn *c, const struct xml_elem *e);
/* Sets the timer of the phase UP. */
void link_ping_arm(struct link *l);
/* Its end: pings, waits on, or takes the link down. */
void link_ping_tick(struct link *l);
/* Ends every ping with false. The link may be stopped from there. */
void link_ping_fail_all(struct link *l);

#endif
