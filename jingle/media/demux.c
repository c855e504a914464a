/* demux.c: what a datagram is, by its first byte (see demux.h). */
#include "jingle/media/demux.h"

enum demux demux_kind(const void *packet, size_t len)
{
	const unsigned char *p = packet;

	if (!len)
		return DEMUX_OTHER;
	if (p[0] <= 3)
		return DEMUX_STUN;
	if (p[0] >= 20 && p[0] <= 63)
		return DEMUX_DTLS;
	if (p[0] >= 128 && p[0] <= 191)
		return DEMUX_RTP;
	return DEMUX_OTHER;
}
