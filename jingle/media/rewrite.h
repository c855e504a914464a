/* rewrite.h: mode `room`: the media of one side as the other side knows it. A
 * side that comes back is another sender, with payload types, SSRCs, sequence
 * numbers and timestamps of its own; the one who stayed sees the stream that it
 * had go on.
 *
 *         RTP                    RTCP about its own        RTCP about the
 *    his   |  other                stream (SR)              other's (RR, FB)
 *   +------v-------+             +-------v------+         +-------v-------+
 *   | rewrite of   |             | rewrite of   |         | rewrite of    |
 *   | his sending  |             | his sending  |         | other's       |
 *   |      ->      |             |      ->      |         | sending   <-  |
 *   +--------------+             +--------------+         +---------------+
 *
 * One `struct rewrite` is one direction of one transport, and of what one side
 * has apart from it on others (relay_room.c). When a side has a new
 * session (new keys: it left and came back, or another device did), its own
 * direction gets rewrite_switch(), and the direction towards it rewrite_init(),
 * for a receiver that is new knows of no stream that could go on. Both get the
 * map of the two descriptions by rewrite_set_map().
 *
 * What belongs together:
 * - A payload type says of which media it is, and whether it is RTX: that is
 *   the stream. In the first session an SSRC is the receiver's too, for his
 *   description has it. The first one that is new of a stream, in a later
 *   session, goes on where the one that sent last ended; the next one follows
 *   the one before that. What follows nobody keeps its own SSRC.
 * - Its first packet is the next sequence number, and a timestamp later by what
 *   the clock says has passed. So what was sent before that packet, and comes
 *   after it, has no number any more: it is dropped, as is feedback about
 *   packets of the session before.
 * - RTX packets have the timestamp, and as OSN the sequence number, of what
 *   they repeat (RFC 4588, 4). Where two sources of one media were moved
 *   differently nobody can tell which of them it is: then they are dropped.
 * - Transport-wide sequence numbers count what one transport sends. So they may
 *   be in the map only if both sides bundle alike.
 *
 * Payloads are not looked into: what has payload types or sequence numbers
 * inside (RED, FEC) must not be in the map. VP8's picture numbers jump at a
 * switch, which receivers bear with the key frame that is asked for. Feedback
 * other than NACK, PLI, FIR, REMB and transport-cc ends here, so descriptions
 * must not offer it.
 *
 * Packets are whole, decrypted, from this call's side (I12); what is wrong is
 * dropped and counted. Nothing is allocated. Pure.
 */
#ifndef JINGLE_MEDIA_REWRITE_H
#define JINGLE_MEDIA_REWRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "jingle/media/rtp_packet.h"

#define REWRITE_SOURCES_MAX 16     /* SSRCs of one direction */
#define REWRITE_SILENT_MS 10000    /* after this RTX is of another one; and a
				      source is forgotten, if there is no
				      place for another */
#define REWRITE_SR_MAX 4           /* of the last sender reports */
#define REWRITE_CNAME_SIZE 16      /* 96 bits in base64 (RFC 7022, 5) */
#define REWRITE_NO_APT 255
/* Bytes of what rewrite_pli() makes: an empty RR, and PLIs. */
#define REWRITE_PLI_MAX (8 + 12 * REWRITE_SOURCES_MAX)
/* Bytes that rewrite_rtcp() may add, if there is space behind the packet. */
#define REWRITE_RTCP_MORE (4 + 24 * REWRITE_SOURCES_MAX)

enum rewrite_media { REWRITE_AUDIO, REWRITE_VIDEO, REWRITE_MEDIA };

struct rewrite_type {
	uint32_t clock;            /* Hz; 0: this one does not pass */
	uint8_t out;               /* the receiver's number */
	uint8_t media;             /* enum rewrite_media */
	uint8_t apt;               /* it is RTX of this one (the sender's
				      number); REWRITE_NO_APT: it is none */
	uint8_t zero;
};

/* An SSRC of the sender that the receiver was told of (XEP-0339), also before
 * it has sent: what comes for it in the next session goes on with it. */
struct rewrite_told {
	uint32_t ssrc;
	uint8_t media;             /* enum rewrite_media */
	uint8_t rtx;               /* 0 or 1: the second of a group FID */
	uint8_t zero[2];
};

/* The numbers of two descriptions, made by control: the index is the sender's.
 * Of fixed size and without pointers, to be sent as it is. */
struct rewrite_map {
	struct rewrite_type type[RTP_PACKET_TYPES];
	uint8_t ext[RTP_PACKET_EXT_IDS];   /* the receiver's; 0: blanked. Those
					      with names inside (mid, rid)
					      only where these are equal */
	uint8_t transport_cc;      /* the sender's number of the transport-wide
				      sequence number; 0: not of both */
	uint8_t tolds;             /* of told[]; 0 once he is another sender
				      than the receiver was told of */
	uint8_t zero[2];
	struct rewrite_told told[REWRITE_SOURCES_MAX];
};

/* Can it be right? 0; EBADMSG with *why_r, a constant: numbers out of range,
 * RTX of nothing, of other media or of RTX; one number of the receiver's for
 * two streams. */
int rewrite_map_check(const struct rewrite_map *m, const char **why_r);

/* What did not go on, or was changed for want of a number. */
enum rewrite_count {
	REWRITE_N_MALFORMED,       /* RTP or RTCP, also one packet of a
				      compound one */
	REWRITE_N_UNKNOWN_TYPE,    /* payload type not in the map */
	REWRITE_N_OTHER_STREAM,    /* payload type of another stream than the
				      SSRC's before */
	REWRITE_N_SOURCES,         /* more SSRCs than there is place for */
	REWRITE_N_NO_ORIGINAL,     /* RTX, and nobody knows of what */
	REWRITE_N_BEFORE,          /* packets from before the first one of this
				      session, and feedback about such */
	REWRITE_N_EXTENSIONS,      /* elements blanked; the packet went on */
	REWRITE_N_ENDED,           /* RTCP that ends here: SDES, BYE, APP */
	REWRITE_N_UNKNOWN_RTCP,    /* of a type or FMT not known here */
	REWRITE_N_NOBODY,          /* RTCP about an SSRC that nobody has */
	REWRITE_COUNTS
};
const char *rewrite_count_name(enum rewrite_count n);

/* A row of 16-bit numbers that goes on over switches; with their cycles. */
struct rewrite_row {
	int64_t highest;           /* sent so far; 0: none yet */
	int64_t first;             /* of this session */
	int64_t offset;            /* sent minus received */
	bool begun;                /* in this session */
};

struct rewrite_source {
	uint32_t in, out;          /* SSRC: the sender's, the receiver's */
	uint32_t session;          /* that `in` is of; see struct rewrite */
	uint8_t media;             /* enum rewrite_media */
	bool rtx;
	struct rewrite_row seq;
	uint32_t offset;           /* of timestamps: sent minus received */
	uint32_t timestamp;        /* sent, of the highest sequence number */
	int64_t at;                /* when, ms; 0: none yet */
	uint32_t packets, octets;  /* sent, as an SR counts them */
	uint32_t clock;            /* of the last payload type, Hz */
	uint32_t sr[REWRITE_SR_MAX];       /* NTP time of the last reports, the
					      middle 32 bits, as in LSR */
	int64_t sr_at[REWRITE_SR_MAX];     /* when they went on, ms */
	unsigned srs;              /* reports sent in this session */
	uint32_t lost;             /* last report of the receiver */
	uint32_t lost_before;      /* of it, in sessions before */
};

/* How all sources of one direction fare, for the record of a call. */
struct rewrite_heard {
	int64_t missing;           /* numbers of the sender's that did not come
				      here */
	int64_t lost;              /* what the receiver says did not come to
				      him; with those */
	uint64_t reports, jitter;  /* of his, and their sum in us */
	uint64_t pictures;         /* of his, of a video */
	uint64_t trips, trip;      /* times from us to him and back, and their
				      sum in ms */
};

struct rewrite {
	struct rewrite_map map;
	struct rewrite_heard heard;
	uint32_t session;          /* how often the sender was another one */
	unsigned sources;
	struct rewrite_source source[REWRITE_SOURCES_MAX];
	struct rewrite_row transport;      /* transport-wide numbers */
	char cname[REWRITE_CNAME_SIZE];    /* what the receiver is told */
	uint8_t about;             /* of the last RTCP that went on: bits
				      1 << enum rewrite_media */
	uint64_t count[REWRITE_COUNTS];
};

/* For a receiver that is new: with no map, so nothing passes yet. `cname`:
 * REWRITE_CNAME_SIZE letters of chance, the same for all of one call's side. */
void rewrite_init(struct rewrite *r, const char *cname);
/* From now on these numbers; sources go on. */
void rewrite_set_map(struct rewrite *r, const struct rewrite_map *m);
/* From now on the sender is another one. */
void rewrite_switch(struct rewrite *r);

/* Of which media an RTP packet of the sender is, before it is rewritten: audio
 * also where that is not known, and it will not pass. `packet`: at least 2
 * bytes. */
enum rewrite_media rewrite_media_of(const struct rewrite *r,
				    const void *packet);

/* An RTP packet of the sender, in place, at `now`, ms of a monotonic clock.
 * True: it goes on, as long as it was. */
bool rewrite_rtp(struct rewrite *r, int64_t now, void *packet, size_t len);

/* An RTCP packet of one side, in place, at `now` as above: `his` is the
 * direction that it sends, `other` the one that it receives. Returns the bytes
 * that go on, at most `size` (at least `len`), 0: none. */
size_t rewrite_rtcp(struct rewrite *his, struct rewrite *other, int64_t now,
		    void *packet, size_t len, size_t size);

/* Asks the sender of `r` for a picture of each of its videos (RFC 4585,
 * 6.3.1), in the name of who sends on `other`. Returns bytes, at most
 * REWRITE_PLI_MAX; 0: there is no video yet. */
size_t rewrite_pli(const struct rewrite *r, const struct rewrite *other,
		   unsigned char out[REWRITE_PLI_MAX]);

/* Asserts the invariants. */
void rewrite_check(const struct rewrite *r);

#endif
