/* srtp.h: SRTP and SRTCP (RFC 3711, 6188, 7714): packets sealed and opened in
 * place, with keys that DTLS agreed on (RFC 5764) or SDES carried.
 *
 *   RTP   | header, CSRCs, extension | payload ~~~~~~ | tag |
 *   RTCP  | header, sender's SSRC | ~~~~~~~~ | E, index | tag |   AES-CM
 *   RTCP  | header, sender's SSRC | ~~~~~~~~ | tag | E, index |   AES-GCM
 *
 * One struct srtp is one direction of one association, all SSRCs of it, RTP
 * and RTCP: the session keys are the same for all, so an SSRC costs 64 bytes.
 * Two back ends open each other's packets: OpenSSL's ciphers with a replay
 * protection of ours, and libsrtp2. No MKI, no key derivation rate, no
 * unencrypted SRTCP, no encrypted header extensions (RFC 6904): nobody in
 * WebRTC asks for them. Not thread safe; nothing is allocated per packet (by
 * libsrtp2 once per SSRC).
 */
#ifndef JINGLE_MEDIA_SRTP_H
#define JINGLE_MEDIA_SRTP_H

#include <stdbool.h>
#include <stddef.h>

/* By their numbers in use_srtp (RFC 5764, 4.1.2; RFC 7714, 14.2). */
enum srtp_profile {
	SRTP_PROFILE_CM128_80 = 0x0001,    /* AES_CM_128_HMAC_SHA1_80 */
	SRTP_PROFILE_CM128_32 = 0x0002,    /* AES_CM_128_HMAC_SHA1_32 */
	SRTP_PROFILE_GCM128 = 0x0007,      /* AEAD_AES_128_GCM */
	SRTP_PROFILE_GCM256 = 0x0008,      /* AEAD_AES_256_GCM */
	SRTP_PROFILE_CM256_80 = 0x10000    /* AES_256_CM_HMAC_SHA1_80: SDES
					    * alone (RFC 6188), so no number */
};

enum srtp_backend { SRTP_EVP, SRTP_LIBSRTP };
enum srtp_way { SRTP_SEALS, SRTP_OPENS };

#define SRTP_KEY_MAX 32
#define SRTP_SALT_MAX 14
#define SRTP_TRAILER_MAX 20        /* bytes that sealing adds at most */
#define SRTP_PACKET_MAX 65535      /* of a sealed packet */
#define SRTP_SSRC_MAX 256          /* of one direction, for good */

/* Bytes of master key and salt; 0: no profile of ours. */
size_t srtp_key_size(unsigned profile);
size_t srtp_salt_size(unsigned profile);

struct srtp;

/* A direction; key and salt of the profile's sizes are copied. 0 with *s_r, to
 * be freed; EPROTO: no such profile; ENOMEM; EIO: the library refuses it. */
int srtp_new(enum srtp_profile profile, enum srtp_way way,
	     enum srtp_backend backend, const unsigned char *key,
	     const unsigned char *salt, struct srtp **s_r)
	__attribute__((warn_unused_result));

/* Keys are wiped. NULL is fine. */
void srtp_free(struct srtp *s);

/* Seals the `*len` bytes of a packet that has place for `size`. Sequence
 * numbers may come in any order, jump and wrap, but none twice: the same
 * cipher stream would be used for two packets. 0 with *len grown; EBADMSG: no
 * RTP (RTCP) packet; ENOSPC: no place for the trailer; EALREADY: this sequence
 * number was sent, or is 128 and more behind; EOVERFLOW: one SSRC too many, or
 * an index has reached its end, and new keys are needed; ENOMEM: for one SSRC
 * more; EIO: the library failed. Of what failed the bytes are of no use. */
int srtp_seal_rtp(struct srtp *s, void *packet, size_t *len, size_t size)
	__attribute__((warn_unused_result));
int srtp_seal_rtcp(struct srtp *s, void *packet, size_t *len, size_t size)
	__attribute__((warn_unused_result));

/* Opens a packet of `*len` bytes. 0 with *len shrunk; EBADMSG: no such packet,
 * too short, or too long; EACCES: not authentic; EALREADY: came before, or 128
 * and more behind; EOVERFLOW: authentic ones of SRTP_SSRC_MAX others came, or
 * an index has reached its end; ENOMEM: for one SSRC more; EIO: the library
 * failed. What failed has changed no state; its bytes may have changed and are
 * of no use. */
int srtp_open_rtp(struct srtp *s, void *packet, size_t *len)
	__attribute__((warn_unused_result));
int srtp_open_rtcp(struct srtp *s, void *packet, size_t *len)
	__attribute__((warn_unused_result));

#endif
