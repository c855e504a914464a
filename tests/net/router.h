/* router.h: passes IP packets between hosts, as badly as it is told to: lost,
 * late, in another order, twice, not at all, from another address.
 *
 * A step machine: packets and time in, packets out. What happens to the nth
 * packet of a host's link in one direction is drawn from the seed, whatever
 * else happens, so that the same packets have the same fate in each run. For
 * impair.c, which has the devices and the clock.
 */
#ifndef TESTS_NET_ROUTER_H
#define TESTS_NET_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ROUTER_HOSTS 8
#define ROUTER_PACKET 2048         /* bytes of the longest one */
#define ROUTER_WAITING 16384       /* packets on their way; more are lost */
#define ROUTER_HELD 128            /* of a link, to be overtaken */
#define ROUTER_HELD_US 500000      /* at most, if few follow */

/* From a host to us, and from us to a host. */
enum router_way { ROUTER_OUT, ROUTER_IN, ROUTER_WAYS };

struct router_link {
	unsigned loss, dup, reorder;       /* of 1000 packets */
	unsigned delay, jitter;    /* ms; the order stays */
	unsigned late;             /* by how many the reordered are overtaken:
				      by packets, not ms, so that a busy
				      machine changes nothing */
	unsigned dtls;             /* the next so many of DTLS are lost */
};

/* By the first byte of what UDP carries (RFC 7983). */
enum router_kind {
	ROUTER_STUN, ROUTER_DTLS, ROUTER_RTP, ROUTER_OTHER, ROUTER_KINDS
};

struct router_count {
	uint64_t taken[ROUTER_KINDS];
	uint64_t lost[ROUTER_KINDS];
	uint64_t twice[ROUTER_KINDS];
	uint64_t reordered;
	uint64_t blocked;          /* UDP, where none may pass */
};

struct router_ip {
	uint8_t version;           /* 4, 6; 0: none */
	uint8_t bytes[16];
};

struct router_packet {
	int64_t due;               /* us */
	uint64_t n;                /* of the order in which they came */
	unsigned host;             /* at whose link it is */
	enum router_way way;
	unsigned late;             /* held: how many will still overtake it */
	size_t len;
	unsigned char *bytes;
};

struct router_host {
	char name[16];
	struct router_ip ip[2];            /* of IPv4 and of IPv6 */
	struct router_ip outer;            /* seen from outside, once there is
					      NAT; version 0: none */
	bool udp_blocked;
	struct router_ip udp_to;           /* but to there */
	uint16_t udp_port;
	struct router_link link[ROUTER_WAYS];
	struct router_count count[ROUTER_WAYS];
	uint64_t random[ROUTER_WAYS];
	int64_t last[ROUTER_WAYS];         /* when the last one is due, us */
	struct router_packet held[ROUTER_WAYS][ROUTER_HELD];
	unsigned n_held[ROUTER_WAYS];
};

struct router {
	struct router_host host[ROUTER_HOSTS];
	unsigned hosts;
	struct router_packet waiting[ROUTER_WAITING];      /* a heap */
	unsigned n;
	uint64_t packets;
	uint64_t overflown, unknown;       /* too many; to no host of ours */
};

/* "10.0.0.1" or "fd00::1"; false: neither. */
bool router_ip(const char *text, struct router_ip *ip_r);
/* The host of this name, or NULL. */
struct router_host *router_find(struct router *r, const char *name);
/* Another one, without addresses; NULL: too many. */
struct router_host *router_add(struct router *r, const char *name,
			       uint64_t seed);

/* From host number `host`. */
void router_take(struct router *r, int64_t now, unsigned host,
		 const void *bytes, size_t len);
/* Gives what is due to its host, by `give_h`. */
void router_pass(struct router *r, int64_t now,
		 void (*give_h)(unsigned host, const void *bytes, size_t len,
				void *arg), void *arg);
/* When the next one is due; INT64_MAX: none waits. */
int64_t router_next(const struct router *r);
void router_end(struct router *r);

#endif
