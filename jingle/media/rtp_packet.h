/* rtp_packet.h: one RTP packet (RFC 3550, 5.1) with its header extension
 * (RFC 8285), read and changed where it lies.
 *
 *    0                   1                   2                   3
 *   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 *   |                           timestamp                           |
 *   |                           SSRC                                |
 *   |                           CSRC, CC of them                    |
 *   |  0xBEDE or 0x100X             |  words of elements            | if X
 *   |  elements: ID and length (4 + 4 or 8 + 8 bits), data; zeros   | if X
 *   |  payload                                                      |
 *   |  padding                                      |  its length   | if P
 *
 * A packet stays as long as it is: an element that must not go on becomes
 * padding. Pure; for rewrite.c. (What a description says of RTP is in
 * jingle/stanza/rtp.h.)
 */
#ifndef JINGLE_MEDIA_RTP_PACKET_H
#define JINGLE_MEDIA_RTP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_PACKET_HEADER_SIZE 12
#define RTP_PACKET_TYPES 128       /* payload types */
#define RTP_PACKET_EXT_IDS 256     /* numbers of extensions; 0 is none */
#define RTP_PACKET_EXT_ONE_MAX 14  /* the last number of the one-byte form */

struct rtp_packet {
	unsigned char *bytes;
	uint8_t type;              /* payload type */
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
	size_t ext_at, ext_len;    /* elements, behind the extension's header;
				      ext_at 0: there is no extension */
	size_t payload_at, payload_len;    /* without padding */
};

/* Of what comes to one port (RFC 5761, 4), DEMUX_RTP already: is it RTCP? */
bool rtp_packet_is_rtcp(const void *packet, size_t len);

/* 0; EBADMSG: another version, or a length that leads beyond the end, also
 * that of the padding, which counts itself and so is never 0 (5.1). */
int rtp_packet_read(void *packet, size_t len, struct rtp_packet *p_r);

void rtp_packet_set_type(struct rtp_packet *p, uint8_t type);
void rtp_packet_set_seq(struct rtp_packet *p, uint16_t seq);
void rtp_packet_set_timestamp(struct rtp_packet *p, uint32_t timestamp);
void rtp_packet_set_ssrc(struct rtp_packet *p, uint32_t ssrc);

/* An element of the header extension. All 0: before the first. */
struct rtp_packet_ext {
	uint8_t id;
	unsigned char *data;
	size_t len;
	unsigned char *at;         /* where it begins */
};

/* The next one, padding left out. 0; ENODATA: that was the last; EBADMSG: it
 * leads beyond the end. What is none of RFC 8285's forms, and what follows
 * number 15 of the one-byte form (4.2), is nothing that can be read: it is
 * blanked here. */
int rtp_packet_ext_next(struct rtp_packet *p, struct rtp_packet_ext *x);
/* Gives it another number; one that its form cannot have, or 0, blanks it
 * (false). It is read on from it in both cases. */
bool rtp_packet_ext_renumber(const struct rtp_packet *p,
			     struct rtp_packet_ext *x, uint8_t id);

#endif
