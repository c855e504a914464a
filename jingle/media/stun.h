/* stun.h: the part of STUN (RFC 8489) that ICE (RFC 8445) needs: Binding
 * requests, indications and answers, with short-term credentials.
 *
 *    0                   1                   2                   3
 *   |0 0|  class and method         |  length of what follows, 4n   |
 *   |  magic cookie 0x2112A442                                      |
 *   |  transaction id, 12 bytes                                     |
 *   |  attribute type               |  length of its value          | ...
 *   |  value, filled up to 4n                                       |
 *
 * Who reads decides what becomes of a bad message: here it is always dropped.
 * Of attributes that come twice the first counts (RFC 8489, 14); what follows
 * MESSAGE-INTEGRITY is not protected by it, so all but FINGERPRINT is ignored
 * there (14.5). Pure; for ice.c and, later, for privatecall-probe.
 */
#ifndef JINGLE_MEDIA_STUN_H
#define JINGLE_MEDIA_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "jingle/media/addr.h"

#define STUN_HEADER_SIZE 20
#define STUN_ID_SIZE 12
#define STUN_READ_MAX 2048         /* bytes of a message that is read */
#define STUN_USERNAME_MAX 512      /* RFC 5389; 508 in RFC 8489 */
#define STUN_UNKNOWN_MAX 8         /* the first ones of a message */
#define STUN_WRITE_MAX 644         /* bytes that always hold what is written */

enum stun_class { STUN_REQUEST, STUN_INDICATION, STUN_SUCCESS, STUN_ERROR };

/* Error codes (RFC 8489, 14.8; RFC 7675, 5.2; RFC 8445, 7.3.1.1). */
enum { STUN_BAD_REQUEST = 400, STUN_FORBIDDEN = 403, STUN_UNKNOWN = 420,
       STUN_ROLE_CONFLICT = 487 };

enum stun_role { STUN_NO_ROLE, STUN_CONTROLLING, STUN_CONTROLLED };

struct stun_msg {
	enum stun_class class;
	unsigned char id[STUN_ID_SIZE];
	const unsigned char *username;     /* NULL: none; not ended by NUL */
	size_t username_len;
	bool has_priority;
	uint32_t priority;
	bool use_candidate;
	enum stun_role role;       /* ICE-CONTROLLING or -CONTROLLED */
	bool two_roles;            /* read: both are there */
	uint64_t tie_breaker;      /* of role */
	struct addr mapped;        /* XOR-MAPPED-ADDRESS; family NONE: none */
	unsigned error;            /* ERROR-CODE, 300 to 699; 0: none */
	unsigned refused_n;        /* UNKNOWN-ATTRIBUTES */
	uint16_t refused[STUN_UNKNOWN_MAX];
	/* What follows is read only. */
	unsigned unknown_n;        /* attributes that must be understood */
	uint16_t unknown[STUN_UNKNOWN_MAX];
	bool fingerprint;          /* there, and right */
	size_t integrity_at;       /* MESSAGE-INTEGRITY's place; 0: none */
	const unsigned char *packet;
};

/* Reads a datagram; m_r points into it. 0; EBADMSG: no Binding message, or a
 * malformed one, or its FINGERPRINT is wrong; EOVERFLOW: over a limit. */
int stun_read(const void *packet, size_t len, struct stun_msg *m_r);

/* Has it a MESSAGE-INTEGRITY made with this key (14.5)? The time it takes
 * tells nothing of how much is right. */
bool stun_authentic(const struct stun_msg *m, const void *key, size_t key_len);

/* Writes a message; key NULL: without MESSAGE-INTEGRITY. Always with
 * FINGERPRINT, never with SOFTWARE or a reason phrase, so that an answer is
 * short. 0 with *len_r; ENOSPC: more than `size`. */
int stun_write(const struct stun_msg *m, const void *key, size_t key_len,
	       unsigned char *buf, size_t size, size_t *len_r);

#endif
