/* demux.h: what a datagram is, by its first byte (RFC 7983, 7). One port takes
 * all of a call; which leg it is of, its source address says. ZRTP and TURN
 * channels have numbers too: nothing here speaks them, so they are OTHER, which
 * is dropped and counted.
 *
 * For the receiving loop of privatecall-media (mod_privatecall/media/).
 */
#ifndef JINGLE_MEDIA_DEMUX_H
#define JINGLE_MEDIA_DEMUX_H

#include <stddef.h>

enum demux {
	DEMUX_STUN,                /* 0-3 */
	DEMUX_DTLS,                /* 20-63 */
	DEMUX_RTP,                 /* 128-191: SRTP and SRTCP */
	DEMUX_OTHER                /* all others, and an empty one */
};

enum demux demux_kind(const void *packet, size_t len);

#endif
