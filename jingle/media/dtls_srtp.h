/* dtls_srtp.h: one DTLS-SRTP association (RFC 5764), a step machine over
 * OpenSSL's DTLS 1.2: bytes and time in, datagrams and SRTP keys out.
 *
 *   HANDSHAKING --> UNVERIFIED --> DONE --> CLOSED    the peer ended it
 *        |               |    \              ^
 *        v               v     '-------------'
 *     FAILED     WRONG_CERTIFICATE
 *
 * The peer is who his certificate says (RFC 8122): its hash must be the one
 * that came by signalling, and nothing else of it matters: neither dates (one
 * client's begins tomorrow) nor names, issuers, purposes, kind of key. That
 * hash may come late, when the handshake is over: keys are handed out when
 * both are there and agree. They are compared after the Finished messages, so
 * that WRONG_CERTIFICATE is what the holder of that certificate brought about
 * and nobody who only sent one.
 *
 * No cookies (RFC 6347, 4.2.1): a datagram comes here only from an address
 * that ICE has checked, and the exchange would cost every call a round trip.
 * No renegotiation, tickets, sessions, compression, older version.
 *
 * Until Finished nothing is authentic, and whoever can write the peer's
 * address onto a datagram can send us anything. What need not count does not:
 * plain alerts are dropped, and the last one is remembered for the log; what
 * breaks a passive handshake starts it anew, so that the peer's ClientHello
 * still finds one; what comes before he can have sent it is dropped, and
 * encrypted records that precede their keys, as he repeats them. Our own plain
 * alerts are never sent: they would end the peer's handshake for what another
 * one did. So whoever does not fit ends by the caller's own time-out, and
 * dtls_srtp_why() says what it was. What is left to an attacker: a handshake
 * message that fits in between ours, in time.
 *
 * A ClientHello on an association that stands is ignored: a peer who begins
 * again says so by signalling, and gets a new association.
 *
 * The SSL object (about 74 KiB) is freed as soon as nobody needs it: at once
 * where we are active, because the last flight is the peer's; where we are
 * passive we answer his repeated Finished, until SRTP of his was authentic
 * (dtls_srtp_settled()) or DTLS_SRTP_LINGER_MS have passed. Afterwards DTLS
 * datagrams are counted and ignored, and CLOSED is seen no more.
 *
 * libssl reads the time of its retransmissions from the system's clock, and
 * only those: a clock that is set back in the middle of a handshake delays a
 * repetition.
 */
#ifndef JINGLE_MEDIA_DTLS_SRTP_H
#define JINGLE_MEDIA_DTLS_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_SRTP_HASH_MAX 64      /* bytes of SHA-512 */
#define DTLS_SRTP_KEY_SIZE 16      /* of both profiles */
#define DTLS_SRTP_SALT_MAX 14

/* Caps; over each of them a counter counts. */
#define DTLS_SRTP_IN_MAX 1500      /* bytes of a datagram that is read */
#define DTLS_SRTP_OUT_MAX 1200     /* of one that is sent */
#define DTLS_SRTP_STEP_MAX 8       /* datagrams sent by one step */
#define DTLS_SRTP_FED_MAX 262144   /* bytes of records in a handshake: ten
				      times what the longest chain of RSA
				      certificates takes with all repeats */
#define DTLS_SRTP_MESSAGE_MAX 8192 /* bytes of a handshake message: four RSA
				      certificates, or as many key shares */
#define DTLS_SRTP_RESTARTS_MAX 256 /* of a passive handshake that was broken:
				      0.1 s of CPU time at most */

/* Times in ms. RFC 6347 (4.2.4.1) begins with 1 s, which is long for somebody
 * who has just answered; 250 ms are longer than nearly every round trip. Twelve
 * repetitions, twice as long each and 3 s at most: 30 s in all, half as long
 * again as any client waits. */
#define DTLS_SRTP_RTO_MS 250
#define DTLS_SRTP_RTO_MAX_MS 3000
#define DTLS_SRTP_LINGER_MS 20000  /* the longest known handshake of a client */

enum dtls_srtp_state {
	DTLS_SRTP_HANDSHAKING,
	DTLS_SRTP_UNVERIFIED,      /* done; his fingerprint is not known yet */
	DTLS_SRTP_DONE,            /* and it is his */
	DTLS_SRTP_WRONG_CERTIFICATE,       /* and it is another's */
	DTLS_SRTP_FAILED,
	DTLS_SRTP_CLOSED,          /* by an authentic alert of his; the keys
				      are still good */
	DTLS_SRTP_STATES
};
/* The one table of transitions: dtls_srtp_may[from] has the bit 1 << to.
 * Setting a state asserts it. */
extern const unsigned dtls_srtp_may[DTLS_SRTP_STATES];
const char *dtls_srtp_state_name(enum dtls_srtp_state s);

enum dtls_srtp_count {
	DTLS_SRTP_N_MALFORMED,     /* bytes that are no record */
	DTLS_SRTP_N_ALERTS,        /* plain ones */
	DTLS_SRTP_N_EARLY,         /* encrypted before there are keys, or a
				      message before its question */
	DTLS_SRTP_N_USELESS,       /* application data; plain records of an
				      association that stands */
	DTLS_SRTP_N_LATE,          /* datagrams after the end, or when the SSL
				      object is freed */
	DTLS_SRTP_N_RESTARTS,      /* broken passive handshakes */
	DTLS_SRTP_N_OVER_IN,       /* datagrams or records over a cap */
	DTLS_SRTP_N_OVER_OUT,      /* datagrams not sent: too many */
	DTLS_SRTP_N_NO_MEMORY,     /* the next datagram tries again */
	DTLS_SRTP_COUNTS
};
const char *dtls_srtp_count_name(enum dtls_srtp_count n);

/* What a step sends, in this order, to the peer. */
struct dtls_srtp_out {
	unsigned n;
	struct {
		size_t len;
		unsigned char bytes[DTLS_SRTP_OUT_MAX];
	} datagram[DTLS_SRTP_STEP_MAX];
};

/* Wiped by whoever got them: dtls_srtp_keys_wipe(). */
struct dtls_srtp_keys {
	unsigned profile;          /* its number in use_srtp: 7 is
				      AEAD_AES_128_GCM, 1 is
				      AES128_CM_HMAC_SHA1_80 */
	size_t salt_len;           /* 12, 14 */
	unsigned char our_key[DTLS_SRTP_KEY_SIZE];
	unsigned char our_salt[DTLS_SRTP_SALT_MAX];
	unsigned char his_key[DTLS_SRTP_KEY_SIZE];
	unsigned char his_salt[DTLS_SRTP_SALT_MAX];
};
void dtls_srtp_keys_wipe(struct dtls_srtp_keys *k);

/* --- who we are ------------------------------------------------------- */

/* An ECDSA P-256 key, its certificate, the settings of all associations that
 * show it. Each of those holds a reference, so that it can be replaced while
 * they live. For one thread. */
struct dtls_identity;

/* `wall` s since 1970: the certificate is valid from a day before for 31
 * days, its serial number is random, its name every browser's. 0 with *id_r;
 * ENOMEM; EIO: libcrypto made no key, *why_r says why (a constant). */
int dtls_identity_new(int64_t wall, struct dtls_identity **id_r,
		      const char **why_r)
	__attribute__((warn_unused_result));
/* Gives up the maker's reference. NULL is fine. */
void dtls_identity_free(struct dtls_identity *id);

/* One more reference, to be given up by dtls_identity_free(). */
struct dtls_identity *dtls_identity_hold(struct dtls_identity *id);

/* The hash of our certificate: "sha-256", "sha-384", "sha-512". Its length,
 * 0: another hash. */
size_t dtls_identity_fingerprint(const struct dtls_identity *id,
				 const char *hash,
				 unsigned char value_r[DTLS_SRTP_HASH_MAX]);

/* --- an association --------------------------------------------------- */

struct dtls_srtp;

/* `active`: we send the ClientHello, at the first dtls_srtp_time(). 0 with
 * *d_r, ENOMEM. */
int dtls_srtp_new(struct dtls_identity *id, bool active,
		  struct dtls_srtp **d_r)
	__attribute__((warn_unused_result));
/* Keys are wiped; nothing is sent. NULL is fine. */
void dtls_srtp_free(struct dtls_srtp *d);

/* The fingerprint that came by signalling, at any time, once: hash in either
 * case. 0, also for the same again; the state may have changed to DONE or
 * WRONG_CERTIFICATE. EPROTONOSUPPORT: another hash than SHA-256, -384, -512
 * (MD5 and MD2 RFC 8122, 5, forbids; SHA-1 it allows, but no client sends it
 * alone, and who can make two certificates of one SHA-1 can show either);
 * EBADMSG: not so long; EEXIST: it was another one. */
int dtls_srtp_expect(struct dtls_srtp *d, const char *hash,
		     const unsigned char *value, size_t len)
	__attribute__((warn_unused_result));

/* A datagram of kind DEMUX_DTLS, from where ICE lets him send; the deadline
 * passed. `now` is monotonic, in ms. They write all of *out. */
void dtls_srtp_feed(struct dtls_srtp *d, int64_t now, const void *bytes,
		    size_t len, struct dtls_srtp_out *out);
void dtls_srtp_time(struct dtls_srtp *d, int64_t now,
		    struct dtls_srtp_out *out);
/* When dtls_srtp_time() is due; INT64_MAX: never. */
int64_t dtls_srtp_deadline(const struct dtls_srtp *d);

/* SRTP of his was authentic: he has our last flight, and the SSL object is
 * freed. Before DONE it means nothing. */
void dtls_srtp_settled(struct dtls_srtp *d);

enum dtls_srtp_state dtls_srtp_state(const struct dtls_srtp *d);
/* Of DONE or CLOSED: the keys, once: they are wiped here. ENODATA: there are
 * none, or no more. */
int dtls_srtp_take_keys(struct dtls_srtp *d, struct dtls_srtp_keys *k_r)
	__attribute__((warn_unused_result));

/* Why it failed, closed, or was last broken; NULL: it was not. A constant, as
 * is what the peer's last plain alert said, which may be forged. */
const char *dtls_srtp_why(const struct dtls_srtp *d);
const char *dtls_srtp_alert(const struct dtls_srtp *d);
uint32_t dtls_srtp_count(const struct dtls_srtp *d, enum dtls_srtp_count n);
/* Has it an SSL object? */
bool dtls_srtp_heavy(const struct dtls_srtp *d);

#endif
