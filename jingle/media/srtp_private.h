/* srtp_private.h: what the files of SRTP share: the state of an SSRC, a packet
 * that has been looked at, and the functions of a back end (see srtp.h).
 */
#ifndef JINGLE_MEDIA_SRTP_PRIVATE_H
#define JINGLE_MEDIA_SRTP_PRIVATE_H

#include <stdint.h>
#include "jingle/media/bytes.h"
#include "jingle/media/srtp.h"

#define SRTP_WINDOW 128            /* packets that may come late */
#define SRTP_RTP_END (1ULL << 48)  /* indexes there are with one key */
#define SRTP_RTCP_END (1ULL << 31)
#define SRTP_E_FLAG 0x80000000u    /* before the index: it is encrypted */

/* --- srtp_stream.c: pure ---------------------------------------------- */

/* What a profile is made of. */
struct srtp_form {
	enum srtp_profile profile;
	bool gcm;
	size_t key, salt;          /* bytes of them, also of session keys */
	size_t tag[2];             /* of RTP, of RTCP */
};

/* NULL: no such profile. */
const struct srtp_form *srtp_form(unsigned profile);

/* Which of the last packets came, or were sent (RFC 3711, 3.3.2). */
struct srtp_window {
	uint64_t top;              /* highest index; 0 before the first */
	uint64_t seen[2];          /* bit n of the 128: index top - n */
};

struct srtp_stream {
	uint32_t ssrc;
	struct srtp_window rtp;    /* of 48 bits: ROC, sequence number */
	struct srtp_window rtcp;   /* of 31 bits; sending: top is the next */
};

/* The index that a sequence number most likely has (RFC 3711, appendix A).
 * Before the first wrap there is no rollover counter below. */
uint64_t srtp_window_guess(const struct srtp_window *w, uint16_t seq);

/* 0; EALREADY: came before, or too old; EOVERFLOW: not below `end`. */
int srtp_window_check(const struct srtp_window *w, uint64_t index,
		      uint64_t end);

/* To be called for what srtp_window_check() allowed and is authentic. */
void srtp_window_mark(struct srtp_window *w, uint64_t index);

/* None is ever forgotten: what it sent could be replayed, or its index sealed
 * twice. */
struct srtp_streams {
	unsigned n, room;
	struct srtp_stream *of;
};

/* That of this SSRC; for a new one an empty one behind the others, which is
 * kept once `n` is raised. 0, EOVERFLOW or ENOMEM. */
int srtp_streams_get(struct srtp_streams *l, uint32_t ssrc,
		     struct srtp_stream **st_r);

struct srtp_packet {
	unsigned char *bytes;
	size_t len;                /* of all, with or without trailer */
	bool rtcp;
	size_t head;               /* bytes that are not encrypted */
	uint32_t ssrc;
	uint16_t seq;              /* RTP's */
	uint32_t index;            /* SRTCP's, opening */
};

/* Looks at a packet whose last `trailer` bytes are not the sender's own. 0, or
 * EBADMSG. */
int srtp_packet_look(struct srtp_packet *p, size_t trailer);

/* --- back ends -------------------------------------------------------- */

struct srtp {
	const struct srtp_form *form;
	const struct srtp_backend_ops *ops;
	bool seals;
	void *keys;                /* the back end's own */
	struct srtp_streams streams;
};

/* All but `stop` return 0 or an errno of srtp.h. */
struct srtp_backend_ops {
	/* Sets s->keys; after an error `stop` is called as well. */
	int (*start)(struct srtp *s, const unsigned char *key,
		     const unsigned char *salt);
	void (*stop)(struct srtp *s);
	/* A packet that was looked at, with place for the trailer. `st` is
	 * empty but for its SSRC when that is new. */
	int (*seal)(struct srtp *s, struct srtp_stream *st,
		    struct srtp_packet *p);
	int (*open)(struct srtp *s, struct srtp_stream *st,
		    struct srtp_packet *p);
};

extern const struct srtp_backend_ops srtp_evp_ops, srtp_libsrtp_ops;

/* Session keys, of RTP and RTCP; tests set those of the RFCs' vectors. */
struct srtp_session_keys {
	struct {
		unsigned char key[SRTP_KEY_MAX], salt[SRTP_SALT_MAX], auth[20];
	} of[2];
};

/* RFC 3711, 4.3; RFC 6188, 3; RFC 7714, 11. 0 or EIO. */
int srtp_evp_derive(const struct srtp_form *f, const unsigned char *key,
		    const unsigned char *salt,
		    struct srtp_session_keys *keys_r);
int srtp_evp_set_keys(struct srtp *s, const struct srtp_session_keys *keys);

#endif
