/* rtcp_packet.h: a compound RTCP packet (RFC 3550, 6.1), packet by packet; also
 * one of reduced size (RFC 5506), which is one that begins with any of them.
 *
 *    0                   1                   2                   3
 *   |V=2|P|  count  |  packet type  |  words that follow            |
 *   |  body                                                         |
 *   |  padding, only of the last one                |  its length   | if P
 *
 * Bodies of feedback (RFC 4585, 6.1) begin with the SSRCs of who sends it and
 * of whose media it is about. Pure; for rewrite_rtcp.c.
 */
#ifndef JINGLE_MEDIA_RTCP_PACKET_H
#define JINGLE_MEDIA_RTCP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTCP_PACKET_HEADER_SIZE 4
#define RTCP_PACKET_SENDER_SIZE 24 /* of an SR: SSRC and sender info */
#define RTCP_PACKET_BLOCK_SIZE 24  /* a report block */
#define RTCP_PACKET_FEEDBACK_SIZE 8        /* two SSRCs */

enum rtcp_packet_type {
	RTCP_SR = 200,             /* RFC 3550, 6.4.1; count: blocks */
	RTCP_RR = 201,             /* 6.4.2 */
	RTCP_SDES = 202,           /* 6.5 */
	RTCP_BYE = 203,            /* 6.6; count: SSRCs */
	RTCP_APP = 204,            /* 6.7 */
	RTCP_RTPFB = 205,          /* RFC 4585, 6.2; count: FMT */
	RTCP_PSFB = 206            /* RFC 4585, 6.3; count: FMT */
};

/* FMT of RTCP_RTPFB. */
enum { RTCP_NACK = 1,              /* RFC 4585, 6.2.1 */
       RTCP_TRANSPORT_CC = 15 };   /* draft-holmer-rmcat-transport-wide-cc-
				      extensions-01, 3.1 */
/* FMT of RTCP_PSFB. */
enum { RTCP_PLI = 1,               /* RFC 4585, 6.3.1 */
       RTCP_FIR = 4,               /* RFC 5104, 4.3.1 */
       RTCP_AFB = 15 };            /* RFC 4585, 6.4; REMB is one: draft-
				      alvestrand-rmcat-remb-03, 2.2 */

struct rtcp_packet {
	uint8_t type;              /* enum rtcp_packet_type, or another one */
	uint8_t count;             /* 0 to 31 */
	unsigned char *body;
	size_t len;                /* of body, without padding */
};

struct rtcp_packet_walk {
	unsigned char *at, *end;
};

/* Is all of it well-formed? 0; EBADMSG: empty, another version, a length that
 * leads beyond the end, one too short for its count, padding of any but the
 * last one. Padding need not be of whole words, though 6.4.1 says so: browsers
 * pad transport-wide feedback by one to three bytes. */
int rtcp_packet_check(void *packet, size_t len);

/* Walks what was checked, from the start; false at the end. */
void rtcp_packet_walk(struct rtcp_packet_walk *w, void *packet, size_t len);
bool rtcp_packet_next(struct rtcp_packet_walk *w, struct rtcp_packet *p_r);

/* Writes a header for a body of `len` bytes, whole words; returns the bytes of
 * both. */
size_t rtcp_packet_head(unsigned char *to, uint8_t type, unsigned count,
			size_t len);

#endif
