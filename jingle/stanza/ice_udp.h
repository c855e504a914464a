/* ice_udp.h: the ICE-UDP <transport/> (XEP-0176), read only. */
#ifndef JINGLE_STANZA_ICE_UDP_H
#define JINGLE_STANZA_ICE_UDP_H

#include <stdint.h>
#include "jingle/stanza/stanza.h"

#define ICE_CANDIDATES_MAX 128     /* of one transport */
#define ICE_UFRAG_MAX 256          /* bytes, RFC 8839, 5.4 */
#define ICE_PWD_MAX 256
#define ICE_HOST_MAX 255           /* bytes of an address or name */
#define ICE_FOUNDATION_MAX 64      /* 32 by RFC 8839, clients send more */

enum ice_type { ICE_HOST, ICE_SRFLX, ICE_PRFLX, ICE_RELAY };
enum ice_protocol { ICE_UDP, ICE_TCP, ICE_OTHER };

struct ice_candidate {
	uint32_t component;        /* 1 RTP, 2 RTCP; to 256 */
	const char *foundation;
	const char *id;            /* NULL: absent, as the next two */
	const char *generation;
	const char *network;
	const char *ip;            /* address or name, not resolved */
	bool mdns;                 /* a name ending in ".local" */
	uint32_t port;
	uint32_t priority;
	enum ice_protocol protocol;
	const char *tcptype;       /* "active", "passive", "so"; NULL */
	enum ice_type type;
	const char *rel_addr;      /* NULL: absent */
	uint32_t rel_port;         /* 0: absent */
	struct xml_elem *elem;
};

struct ice_transport {
	const char *ufrag, *pwd;   /* NULL: absent, as in trickled ones */
	unsigned candidates;
	struct ice_candidate *candidate;
	bool gathering_complete;   /* <gathering-complete/> is there */
	struct xml_elem *elem;
};

/* Reads a <transport/> of NS_ICE_UDP. What ICE needs is required: component,
 * foundation, ip, port, priority, protocol, type. id, generation and network
 * are not, though XEP-0176 asks for them. Texts that would break a line of
 * SDP are refused. 0; EBADMSG, EOVERFLOW with *why; ENOMEM. */
int ice_udp_parse(struct arena *a, struct xml_elem *transport,
		  struct ice_transport *t_r, struct why *why);

#endif
